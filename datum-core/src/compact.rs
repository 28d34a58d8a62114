//! Compaction: a log begins a new epoch, without its old commits and with all its entries.
//!
//! The old chain is kept under `refs/datum-archive/` until it expires. Nobody's entries change, nor do their ids: the
//! segments give back each raw commit.

use crate::adopt::container::Sealed;
use crate::append;
use crate::commit;
use crate::entry::Draft;
use crate::epoch;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::lineage::Lineage;
use crate::odb::ObjectKind;
use crate::refs::{Move, ref_name};
use crate::signature;
use crate::stamp::{CloneId, Millis, Stamp, Writer};
use crate::store::{Store, StoreError};
use crate::sync::LogName;
use crate::wait::Wait;

/// Where old chains are kept: `refs/datum-archive/<kind>/<writer>/<milliseconds>-<entries>`.
pub const ARCHIVE: &str = "refs/datum-archive/";

/// A log that began a new epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compacted {
    /// The log.
    pub log: LogName,
    /// Entries that stand in segments only from now on.
    pub entries: u64,
    /// The ref that keeps the old chain.
    pub archive: String,
}

impl Store {
    /// Begins a new epoch in each log of this clone, and in the shared ones, that has at least `least` commits in its
    /// present one.
    ///
    /// # Errors
    /// [`StoreError`] when a log cannot be read or written; logs before it are done.
    pub fn compact(&self, stamp: &Stamp, kinds: &[Kind], least: u64) -> Result<Vec<Compacted>, StoreError> {
        let own = self.known_clone_id();
        let mut done = Vec::new();
        for (log, tip) in self.logs(kinds)? {
            let id = log.1.clone_id();
            let mine = own.as_ref().is_some_and(|own| own.as_str() == id);
            if mine || id == CloneId::SHARED {
                done.extend(self.compact_log(stamp, log, tip, least)?);
            }
        }
        Ok(done)
    }

    fn compact_log(
        &self,
        stamp: &Stamp,
        log: LogName,
        tip: EntryId,
        least: u64,
    ) -> Result<Option<Compacted>, StoreError> {
        let (kind, writer) = &log;
        let name = ref_name(*kind, writer);
        if !self.epoch_has(tip, least) {
            return Ok(None);
        }
        let lineage = Lineage::read(&self.odb, *kind, writer, tip)
            .map_err(|doubt| StoreError::Log { name: name.clone(), message: doubt.why })?;
        let new = self.write_epoch(stamp, *kind, writer, tip)?;
        let archive = format!("{ARCHIVE}{kind}/{writer}/{}-{}", stamp.now, lineage.count);
        let keep = Move {
            name: &archive,
            old: self.refs.find(&archive)?,
            new: tip,
            stamp,
            reason: "datum: compact",
            sync: true,
        };
        Wait::new(self).swap(&keep)?;
        let to = Move { name: &name, old: Some(tip), new, stamp, reason: "datum: compact", sync: true };
        // Somebody has appended meanwhile: the log is compacted another time.
        if !Wait::new(self).swap(&to)? {
            return Ok(None);
        }
        Ok(Some(Compacted { log, entries: lineage.count, archive }))
    }

    /// Whether the present epoch of the log that ends in `tip` has at least `least` commits besides its first.
    fn epoch_has(&self, tip: EntryId, least: u64) -> bool {
        let mut buffer = Vec::new();
        let mut next = Some(tip);
        let mut count = 0;
        while let Some(id) = next {
            let Ok(raw) = self.odb.read(id, ObjectKind::Commit, &mut buffer) else { return false };
            if epoch::previous(raw).is_some() {
                return false;
            }
            count += 1;
            if count >= least.max(1) {
                return true;
            }
            next = commit::parent(raw);
        }
        false
    }

    /// Writes the first commit of an epoch that follows `tip`.
    fn write_epoch(
        &self,
        stamp: &Stamp,
        kind: Kind,
        writer: &Writer,
        tip: EntryId,
    ) -> Result<EntryId, StoreError> {
        let (tree, clock, count) = append::seal_all(self, kind, writer, tip)?;
        self.write_epoch_on(stamp, kind, writer, &Sealed { tree, tip, count, clock })
    }

    /// Writes the first commit of an epoch that follows a log whose entries are all sealed.
    pub(crate) fn write_epoch_on(
        &self,
        stamp: &Stamp,
        kind: Kind,
        writer: &Writer,
        sealed: &Sealed,
    ) -> Result<EntryId, StoreError> {
        let Sealed { tree, tip, count, clock } = *sealed;
        let clock = stamp.now.max(clock + 1);
        let draft = Draft::epoch(tip, count)
            .map_err(|error| StoreError::Log { name: ref_name(kind, writer), message: error.to_string() })?;
        let message = draft.print(kind, writer.agent(), clock, count + 1, None);
        let own = Stamp { agent: writer.agent_name(), ..stamp.clone() };
        let mut raw = commit::print(tree, None, &own, writer, clock, &message);
        // An epoch says nothing, so it may go unsigned where the agent's key is not here.
        if kind.is_signed()
            && let Ok(Some(signer)) = self.signers.find(&own.agent)
        {
            raw = signature::sign(&raw, &signer, self.odb.hash_kind() == gix::hash::Kind::Sha256);
        }
        Ok(self.odb.write(ObjectKind::Commit, &raw, true)?)
    }

    /// Removes what was archived before the time `before`; answers with the refs removed.
    ///
    /// # Errors
    /// [`StoreError`] when the refs cannot be listed or removed.
    pub fn expire_archive(&self, before: Millis) -> Result<Vec<String>, StoreError> {
        let (refs, _) = self.refs.list(ARCHIVE)?;
        let time = |name: &str| name.rsplit('/').next()?.split_once('-')?.0.parse::<Millis>().ok();
        let old: Vec<_> =
            refs.into_iter().filter(|(name, _)| time(name).is_some_and(|time| time < before)).collect();
        self.refs.remove_all(&self.git, &old)?;
        Ok(old.into_iter().map(|(name, _)| name).collect())
    }
}
