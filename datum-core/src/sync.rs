//! Travel: brings this repository's logs and those of another to the same state.
//!
//! No log is ever merged: each has one writer, so one of two copies is a beginning of the other, or the two are a fork,
//! and then both are kept.

mod adopted;
mod carrier;
mod foresee;
mod fork;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests forge what a vessel may hold")]
mod hostile;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests copy repositories")]
mod laws;
mod receive;
mod report;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests copy, break and serve repositories")]
mod tests;

use crate::adopt::container::{self, Sealed};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::lineage::Lineage;
use crate::odb::ObjectKind;
use crate::refs::{Move, PREFIX, parse_log, ref_name};
use crate::stamp::{Stamp, Writer};
use crate::store::{Store, StoreError};
use crate::transport::{Condition, Push, Pushed, Remote, TransportError, Trouble};
use crate::wait::{Wait, jitter};
use crate::{commit, epoch};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

pub use adopted::Adoption;
use adopted::Containers;
pub use fork::{FORKS, Fork};
pub use report::{Again, LogName, Moved, Options, Refused, Report};

/// Where the tips of other repositories are noted, once what they hold was checked.
pub(crate) const TRACKING: &str = "refs/datum-remote/";
/// Logs of one repository that are looked at.
const LOGS_MAX: usize = 10_000;
/// How often others may be faster before a sync gives up.
const ROUNDS_MAX: u32 = 200;

/// Why logs could not travel.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// This repository could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The other one could not be used.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

/// One sync under way.
pub(crate) struct Session<'s> {
    pub(crate) store: &'s Store,
    pub(crate) stamp: &'s Stamp,
    pub(crate) options: &'s Options,
    /// Whose tips are noted; `None` where the other side is a file.
    pub(crate) tracking: Option<String>,
    pub(crate) report: Report,
    /// Logs that are not to be pushed.
    pub(crate) held: BTreeSet<LogName>,
    /// Fetches that failed.
    pub(crate) failures: u32,
    /// The containers of adopted logs there.
    containers: Containers,
    /// Containers there that are not believed.
    closed: BTreeSet<(Writer, Kind)>,
    /// The adopted logs here.
    adopted: BTreeMap<LogName, Sealed>,
}

impl Store {
    /// Brings the logs here and at `remote` to the same state, as far as both sides allow.
    ///
    /// Trouble on the way stands in the report, beside what was done before it.
    ///
    /// # Errors
    /// [`StoreError`] when this repository cannot be read or written.
    pub fn sync(&self, stamp: &Stamp, remote: &Remote, options: &Options) -> Result<Report, StoreError> {
        let tracking = Some(format!("{TRACKING}{}/", remote.name()));
        let mut session = Session::new(self, stamp, options, tracking);
        let mut rounds = 0..ROUNDS_MAX;
        while rounds.next().is_some() {
            match session.round(remote)? {
                Ok(true) => std::thread::sleep(jitter() * (1 + rounds.start.min(20))),
                Ok(false) => break,
                Err(error) => {
                    session.report.trouble = Some(error);
                    break;
                }
            }
        }
        Ok(session.report)
    }

    /// Takes in what another repository or a bundle file holds, and sends nothing.
    ///
    /// # Errors
    /// [`StoreError`] when this repository cannot be read or written.
    pub fn absorb(&self, stamp: &Stamp, source: &Remote, options: &Options) -> Result<Report, StoreError> {
        let mut session = Session::new(self, stamp, options, None);
        let result = match source.list(&[]) {
            Ok(refs) => {
                let theirs = session.sort(refs);
                session.receive(Some(source), &theirs)?
            }
            Err(error) => Err(error),
        };
        session.report.trouble = result.err();
        Ok(session.report)
    }

    /// The remote a sync uses unless another is named: the branch's, or `origin`, or the only one.
    pub fn default_remote(&self) -> Option<String> {
        self.branch_remote().or_else(|| self.setting("remote.origin.url").map(|_| "origin".to_owned()))
    }

    /// Writes the logs into a bundle file; answers how many they are.
    ///
    /// # Errors
    /// [`SyncError`] when the logs cannot be listed or the file cannot be written.
    pub fn bundle(&self, file: &Path, options: &Options, budget: Duration) -> Result<usize, SyncError> {
        let logs = self.logs(&options.going())?;
        let mut names: Vec<_> = logs.keys().map(|(kind, writer)| ref_name(*kind, writer)).collect();
        let (containers, _) = self.refs.list(container::PREFIX).map_err(StoreError::from)?;
        names.extend(containers.into_keys().filter(|name| {
            container::parse_name(name).is_some_and(|(_, kind)| options.going().contains(&kind))
        }));
        if !names.is_empty() {
            self.remote(&file.to_string_lossy(), budget)?.bundle(file, &names)?;
        }
        Ok(names.len())
    }

    /// Counts the logs that `remote` holds, and those of them that are otherwise or not at all here; nothing is fetched.
    ///
    /// # Errors
    /// [`SyncError`] when it cannot be asked, or the logs here cannot be listed.
    pub fn logs_at(&self, remote: &Remote) -> Result<(usize, usize), SyncError> {
        let ours = self.logs(&Kind::ALL)?;
        let refs = remote.list(&[])?;
        let theirs: Vec<_> =
            refs.into_iter().filter_map(|(name, id)| Some((parse_log(&name)?, id))).collect();
        let adopted = self.adopted()?.logs;
        let other = |(log, id): &&(LogName, EntryId)| {
            ours.get(log) != Some(id) && adopted.get(log).is_none_or(|sealed| sealed.tip != *id)
        };
        let other = theirs.iter().filter(other).count();
        Ok((theirs.len(), other))
    }

    /// The logs of this repository, of these kinds.
    pub(crate) fn logs(&self, kinds: &[Kind]) -> Result<BTreeMap<LogName, EntryId>, StoreError> {
        let (refs, _) = self.refs.list(PREFIX)?;
        let log = |(name, id): (String, EntryId)| Some((parse_log(&name)?, id));
        Ok(refs.into_iter().filter_map(log).filter(|((kind, _), _)| kinds.contains(kind)).collect())
    }
}

impl<'s> Session<'s> {
    pub(crate) fn new(
        store: &'s Store,
        stamp: &'s Stamp,
        options: &'s Options,
        tracking: Option<String>,
    ) -> Self {
        Self {
            store,
            stamp,
            options,
            tracking,
            report: Report::default(),
            held: BTreeSet::new(),
            failures: 0,
            containers: Containers::new(),
            closed: BTreeSet::new(),
            adopted: BTreeMap::new(),
        }
    }

    /// The logs among the refs of the other side; what is none of ours is noted once.
    pub(crate) fn sort(&mut self, refs: BTreeMap<String, EntryId>) -> BTreeMap<LogName, EntryId> {
        let mut theirs = BTreeMap::new();
        self.report.odd.clear();
        self.containers.clear();
        for (name, id) in refs {
            if let Some(key) = container::parse_name(&name) {
                if self.options.kinds.contains(&key.1) && self.containers.len() < LOGS_MAX {
                    self.containers.insert(key, id);
                }
                continue;
            }
            let Some(below) = name.strip_prefix(PREFIX) else { continue };
            if below.starts_with("claim/") || below.starts_with("outbox/") {
                continue;
            }
            match parse_log(&name) {
                Some(log) if self.options.kinds.contains(&log.0) && theirs.len() < LOGS_MAX => {
                    theirs.insert(log, id);
                }
                Some(log) if !self.options.kinds.contains(&log.0) => {}
                _ => self.report.odd.push(name),
            }
        }
        self.report.theirs = theirs.len();
        theirs
    }

    /// Lists, fetches, moves and pushes once; answers whether somebody was faster, so that it is worth another round.
    fn round(&mut self, remote: &Remote) -> Result<Result<bool, TransportError>, StoreError> {
        let refs = match remote.list(&[]) {
            Ok(refs) => refs,
            Err(error) => return Ok(Err(error)),
        };
        let theirs = self.sort(refs);
        if self.options.dry_run {
            self.foresee(&theirs)?;
            return Ok(Ok(false));
        }
        self.held.clear();
        self.report.refused.clear();
        self.report.forks.clear();
        self.report.stayed.clear();
        if let Err(error) = self.receive(Some(remote), &theirs)? {
            return Ok(Err(error));
        }
        self.send(remote, &theirs)
    }

    /// By how many entries the log that ends in `tip` goes beyond `base`; `None` if it does not.
    fn grown(&self, log: &LogName, tip: EntryId, base: Option<EntryId>) -> Option<u64> {
        let read = |tip| Lineage::read(&self.store.odb, log.0, &log.1, tip).ok();
        let ours = read(tip)?;
        match base {
            None => Some(ours.count),
            Some(base) => read(base).filter(|base| ours.holds(base)).map(|base| ours.count - base.count),
        }
    }

    /// Pushes what the other side lacks.
    fn send(
        &mut self,
        remote: &Remote,
        theirs: &BTreeMap<LogName, EntryId>,
    ) -> Result<Result<bool, TransportError>, StoreError> {
        let mut again = match self.send_adopted(remote, theirs)? {
            Ok(again) => again,
            Err(error) => return Ok(Err(error)),
        };
        let adopted = self.adopted_there();
        let mut pushes = Vec::new();
        let mut logs = Vec::new();
        for (log, tip) in self.store.logs(&self.options.kinds)? {
            let base = theirs.get(&log).copied();
            if base == Some(tip) || self.held.contains(&log) {
                continue;
            }
            if self.options.stays.contains(&log.0) {
                self.report.stayed.push(log);
                continue;
            }
            // What stands in a container there needs no ref there.
            if base.is_none()
                && adopted.get(&log).is_some_and(|sealed| self.store.sealed_holds(&log, sealed, tip))
            {
                continue;
            }
            let Some(entries) = self.grown(&log, tip, base) else { continue };
            let condition = match base {
                Some(base) if !self.is_forward(base, tip, entries) => Condition::From(Some(base)),
                _ => Condition::Forward,
            };
            pushes.push(Push { name: ref_name(log.0, &log.1), new: Some(tip), condition });
            logs.push((log, tip, entries));
        }
        let mut trouble = None;
        let answers = push_apart(remote, &pushes, &mut trouble);
        for ((log, tip, entries), answer) in logs.into_iter().zip(answers) {
            match answer {
                Some(Pushed::Done) => {
                    self.note(&log, tip)?;
                    add(&mut self.report.went, log, entries);
                }
                Some(Pushed::Current) => self.note(&log, tip)?,
                Some(Pushed::Moved) => again = true,
                Some(Pushed::Refused(why)) => {
                    self.report.refused.push(Refused { log, by_them: true, why });
                }
                None => {}
            }
        }
        Ok(trouble.map_or(Ok(again), Err))
    }

    /// Whether git sees `tip` as a descendant of `base`; it does not where an epoch began between.
    fn is_forward(&self, base: EntryId, tip: EntryId, most: u64) -> bool {
        let mut buffer = Vec::new();
        let mut next = Some(tip);
        for _ in 0..=most {
            let Some(id) = next else { return false };
            if id == base {
                return true;
            }
            let Ok(raw) = self.store.odb.read(id, ObjectKind::Commit, &mut buffer) else { return false };
            if epoch::previous(raw).is_some() {
                return false;
            }
            next = commit::parent(raw);
        }
        false
    }

    /// Notes what the other side holds.
    pub(crate) fn note(&self, log: &LogName, tip: EntryId) -> Result<(), StoreError> {
        let Some(tracking) = &self.tracking else { return Ok(()) };
        self.set(&format!("{tracking}{}/{}", log.0, log.1), tip)
    }

    /// Sets a ref that only syncs move, whatever it held.
    pub(crate) fn set(&self, name: &str, new: EntryId) -> Result<(), StoreError> {
        loop {
            let old = self.store.refs.find(name)?;
            if old == Some(new) {
                return Ok(());
            }
            let to = Move { name, old, new, stamp: self.stamp, reason: "datum: sync", sync: false };
            if self.swap(&to)? {
                return Ok(());
            }
        }
    }

    /// Moves a ref, waiting for whoever holds its lock; `false` when it no longer has its old value.
    pub(crate) fn swap(&self, to: &Move<'_>) -> Result<bool, StoreError> {
        Wait::new(self.store).swap(to)
    }
}

/// Adds to what a report says of a log.
pub(crate) fn add(moved: &mut Vec<Moved>, log: LogName, entries: u64) {
    match moved.iter_mut().find(|moved| moved.log == log) {
        Some(before) => before.entries = before.entries.map(|count| count + entries),
        None => moved.push(Moved { log, entries: Some(entries) }),
    }
}

/// Pushes; where one ref spoils the whole push, the others are pushed without it.
fn push_apart(remote: &Remote, pushes: &[Push], trouble: &mut Option<TransportError>) -> Vec<Option<Pushed>> {
    if pushes.is_empty() {
        return Vec::new();
    }
    match remote.push(pushes) {
        Ok(answers) => answers.into_iter().map(Some).collect(),
        Err(error) => match error.trouble {
            Trouble::Program | Trouble::Refused if pushes.len() > 1 => {
                let (left, right) = pushes.split_at(pushes.len() / 2);
                let mut answers = push_apart(remote, left, trouble);
                answers.extend(push_apart(remote, right, trouble));
                answers
            }
            Trouble::Refused => vec![Some(Pushed::Refused(error.message))],
            _ => {
                *trouble = Some(error);
                vec![None; pushes.len()]
            }
        },
    }
}
