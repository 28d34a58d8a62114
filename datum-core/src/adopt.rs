//! Adoption: the logs of writers who write no more, folded under one ref.
//!
//! `refs/datum/adopted/<adopter>/<kind>` is a chain of commits whose tree has, for each adopted log, the log's own tree
//! with every entry sealed into segments: `<writer>@<clock>-<entries>-<newest entry>`. The entries are what they were, raw
//! commits under their own ids, so nothing that names them goes amiss; only the ref of each log goes. A writer who writes
//! again begins where the adopted log ends.

pub(crate) mod container;
mod revive;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make their own repositories")]
mod tests;

use crate::append;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::lineage::Lineage;
use crate::log;
use crate::odb::ObjectKind;
use crate::refs::{Move, ref_name};
use crate::stamp::{CloneId, Millis, Stamp, Writer};
use crate::store::{Store, StoreError};
use crate::sync::LogName;
use crate::wait::Wait;
use container::{Logs, Sealed};
use std::collections::BTreeMap;

/// What an adoption did for one kind of log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// The kind.
    pub kind: Kind,
    /// The ref that holds the logs now.
    pub container: String,
    /// The writers whose logs were adopted.
    pub writers: Vec<Writer>,
    /// Their entries.
    pub entries: u64,
    /// Logs that could not be adopted, and why.
    pub left: Vec<(Writer, String)>,
}

impl Store {
    /// Folds the logs of other clones in which nothing was written since the time `before` into one ref a kind.
    ///
    /// Every log is read back from its sealed form before its own ref goes. The next sync takes the container to the
    /// remote, and there too removes the refs of logs that it holds.
    ///
    /// # Errors
    /// [`StoreError`] when this clone comes and goes, or a log cannot be read or written; kinds before it are done.
    pub fn adopt(&self, stamp: &Stamp, kinds: &[Kind], before: Millis) -> Result<Vec<Adopted>, StoreError> {
        let own = self.writer(&stamp.agent)?;
        if own.clone_id() == CloneId::SHARED {
            let message = "a clone that comes and goes adopts no logs".to_owned();
            return Err(StoreError::Log { name: container::PREFIX.to_owned(), message });
        }
        let mut done = Vec::new();
        for kind in kinds {
            done.extend(self.adopt_kind(stamp, &own, *kind, before)?);
        }
        if !done.is_empty() {
            self.fold_adopted()?;
        }
        Ok(done)
    }

    fn adopt_kind(
        &self,
        stamp: &Stamp,
        own: &Writer,
        kind: Kind,
        before: Millis,
    ) -> Result<Option<Adopted>, StoreError> {
        let name = container::name(own, kind);
        let old = self.refs.find(&name)?;
        let mut logs = match old {
            Some(old) => container::read(&self.odb, old)?,
            None => Logs::new(),
        };
        let mut adopted =
            Adopted { kind, container: name.clone(), writers: Vec::new(), entries: 0, left: Vec::new() };
        for ((_, writer), tip) in self.logs(&[kind])? {
            if writer.clone_id() == own.clone_id()
                || writer.clone_id() == CloneId::SHARED
                || !self.is_older(tip, before)
            {
                continue;
            }
            match self.seal(kind, &writer, tip, logs.get(&writer))? {
                Ok(sealed) => {
                    adopted.entries += sealed.count;
                    logs.insert(writer.clone(), sealed);
                    adopted.writers.push(writer);
                }
                Err(why) => adopted.left.push((writer, why)),
            }
        }
        if adopted.writers.is_empty() {
            return Ok((!adopted.left.is_empty()).then_some(adopted));
        }
        let new = container::write(self, stamp, own, kind, old, &logs)?;
        let to = Move { name: &name, old, new, stamp, reason: "datum: adopt", sync: true };
        // Another adopts here at this moment: the logs are left to the next time.
        Ok(Wait::new(self).swap(&to)?.then_some(adopted))
    }

    fn is_older(&self, tip: EntryId, before: Millis) -> bool {
        let mut buffer = Vec::new();
        let raw = self.odb.read(tip, ObjectKind::Commit, &mut buffer);
        raw.is_ok_and(|raw| log::clock_and_seq(raw).is_some_and(|(clock, _)| clock < before))
    }

    /// Seals the log that ends in `tip`, and reads it back whole; a reason why not for one that cannot be believed.
    fn seal(
        &self,
        kind: Kind,
        writer: &Writer,
        tip: EntryId,
        before: Option<&Sealed>,
    ) -> Result<Result<Sealed, String>, StoreError> {
        let (tree, clock, count) = append::seal_all(self, kind, writer, tip)?;
        let sealed = Sealed { tree, tip, count, clock };
        let check = || {
            let whole = Lineage::read(&self.odb, kind, writer, tip)?;
            let lineage = Lineage::read_sealed(&self.odb, kind, writer, &sealed)?;
            lineage.verify(None, Millis::MAX / 2)?;
            if lineage.count != whole.count || !lineage.holds(&whole) {
                return Ok(false);
            }
            let Some(before) = before else { return Ok(true) };
            Lineage::read_sealed(&self.odb, kind, writer, before).map(|before| lineage.holds(&before))
        };
        Ok(match check() {
            Ok(true) => Ok(sealed),
            Ok(false) => Err("it does not go on where the adopted log ends".to_owned()),
            Err(doubt) => Err(doubt.to_string()),
        })
    }

    /// Every adopted log, of two that were adopted twice the longer; containers that cannot be read beside.
    pub(crate) fn adopted(&self) -> Result<Found, StoreError> {
        let (refs, _) = self.refs.list(container::PREFIX)?;
        Ok(Found::of(self, &refs))
    }

    /// Removes the refs of logs that are held whole by a container; not those of this clone.
    pub(crate) fn fold_adopted(&self) -> Result<(), StoreError> {
        let adopted = self.adopted()?.logs;
        let own = self.known_clone_id();
        let mut gone = Vec::new();
        for (log, tip) in self.logs(&Kind::ALL)? {
            let id = log.1.clone_id();
            let kept = id == CloneId::SHARED || own.as_ref().is_some_and(|own| own.as_str() == id);
            if !kept && adopted.get(&log).is_some_and(|sealed| self.sealed_holds(&log, sealed, tip)) {
                gone.push((ref_name(log.0, &log.1), tip));
            }
        }
        Ok(self.refs.remove_all(&self.git, &gone)?)
    }

    /// Whether an adopted log holds all of the log that ends in `tip`.
    pub(crate) fn sealed_holds(&self, log: &LogName, sealed: &Sealed, tip: EntryId) -> bool {
        if sealed.tip == tip {
            return true;
        }
        let held = || {
            let sealed = Lineage::read_sealed(&self.odb, log.0, &log.1, sealed).ok()?;
            Some(sealed.holds(&Lineage::read(&self.odb, log.0, &log.1, tip).ok()?))
        };
        held().unwrap_or(false)
    }
}

/// The adopted logs of a repository.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) logs: BTreeMap<LogName, Sealed>,
    /// Containers that cannot be read, and why.
    pub(crate) unread: Vec<(String, String)>,
}

impl Found {
    /// Reads the containers among `refs`.
    pub(crate) fn of(store: &Store, refs: &BTreeMap<String, EntryId>) -> Self {
        let mut found = Self::default();
        for (name, id) in refs {
            let Some((_, kind)) = container::parse_name(name) else { continue };
            match container::read(&store.odb, *id) {
                Ok(logs) => {
                    for (writer, sealed) in logs {
                        let longest = found.logs.entry((kind, writer)).or_insert(sealed);
                        if longest.count < sealed.count {
                            *longest = sealed;
                        }
                    }
                }
                Err(error) => found.unread.push((name.clone(), error.to_string())),
            }
        }
        found
    }
}
