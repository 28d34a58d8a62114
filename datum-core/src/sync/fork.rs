//! Forks: a log that goes two ways, because a clone was copied, or because somebody rewrote it.
//!
//! What only this clone holds is said again elsewhere; what others have seen is kept beside, under `refs/datum-fork/`.

use super::{Again, LogName, Session, TRACKING};
use crate::append::{self, Target};
use crate::clone_id;
use crate::entry::Entry;
use crate::epoch;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::lineage::Lineage;
use crate::refs::{Guard, Move, ref_name};
use crate::snapshot::Snapshot;
use crate::stamp::{CloneId, Stamp, Writer};
use crate::store::{Store, StoreError};
use crate::wait::Wait;
use std::collections::BTreeMap;

/// Where the other ends of forks are kept: `refs/datum-fork/<kind>/<writer>/<first entry that differs>`.
pub const FORKS: &str = "refs/datum-fork/";

/// A log that goes two ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// The log.
    pub log: LogName,
    /// Where the log here ends, if there is one.
    pub ours: Option<EntryId>,
    /// Where the other way ends.
    pub theirs: EntryId,
    /// The ref that keeps the other way.
    pub kept: String,
}

/// Entries of this clone alone, in a log that went on elsewhere.
struct Own {
    log: LogName,
    ours: EntryId,
    theirs: EntryId,
    /// Where they go.
    to: Writer,
    entries: Vec<Entry>,
}

impl Store {
    /// The forks that syncs have met and nobody has settled.
    ///
    /// # Errors
    /// [`StoreError`] when the refs cannot be listed.
    pub fn forks(&self) -> Result<Vec<Fork>, StoreError> {
        let (refs, _) = self.refs.list(FORKS)?;
        let mut forks = Vec::new();
        for (kept, theirs) in refs {
            let mut parts = kept[FORKS.len()..].split('/');
            let log = parts
                .next()
                .and_then(Kind::parse)
                .zip(parts.next().and_then(|text| Writer::parse(text).ok()));
            if let Some(log) = log {
                let ours = self.refs.find(&ref_name(log.0, &log.1))?;
                forks.push(Fork { log, ours, theirs, kept });
            }
        }
        Ok(forks)
    }
}

impl Store {
    /// A snapshot in which nothing was said yet: entries that are said again keep their clocks.
    fn nothing(&self) -> Snapshot<'_> {
        Snapshot::new(&self.odb, &self.refs, BTreeMap::new(), None, Vec::new())
    }
}

impl Session<'_> {
    /// Settles logs that go two ways; answers with those that another process here has moved meanwhile.
    pub(super) fn part(
        &mut self,
        forks: Vec<(LogName, EntryId)>,
    ) -> Result<Vec<(LogName, EntryId)>, StoreError> {
        let mut own = Vec::new();
        let known = self.store.known_clone_id();
        let mut renewed = None;
        for (log, tip) in forks {
            self.held.insert(log.clone());
            let Some(old) = self.store.refs.find(&ref_name(log.0, &log.1))? else {
                self.keep_beside_adopted(log, tip)?;
                continue;
            };
            let read = |tip| Lineage::read(&self.store.odb, log.0, &log.1, tip);
            let (Ok(ours), Ok(theirs)) = (read(old), read(tip)) else { continue };
            let common = ours.common(&theirs);
            let shared = log.1.clone_id() == CloneId::SHARED;
            let mine = known.as_ref().is_some_and(|id| id.as_str() == log.1.clone_id());
            if mine && !shared && renewed.is_none() {
                // Two clones write under one id: this one has been copied, or is the copy.
                renewed = Some(clone_id::fresh()?);
            }
            if (mine || shared) && self.seen(&log, &ours)? <= common {
                let to = match &renewed {
                    Some(id) if !shared => Writer::parse(&format!("{}-{id}", log.1.agent())),
                    _ => Ok(log.1.clone()),
                };
                let mut entries = Vec::new();
                let snapshot = self.store.nothing();
                let read = ours.visit_after(common, |view| {
                    if !epoch::begins(view) {
                        entries.push(snapshot.whole(view));
                    }
                });
                if let (Ok(()), Ok(to), []) = (read, to, snapshot.damage().as_slice()) {
                    own.push(Own { log, ours: old, theirs: tip, to, entries });
                    continue;
                }
            }
            let first = theirs.at(common + 1).unwrap_or(tip);
            let kept = format!("{FORKS}{}/{}/{}", log.0, log.1, first.short(12));
            self.set(&kept, tip)?;
            self.note(&log, tip)?;
            self.report.forks.push(Fork { log, ours: Some(old), theirs: tip, kept });
        }
        let outrun = if own.is_empty() { Vec::new() } else { self.say_again(own)? };
        // Not before its entries stand under the new id: under the old one they would be taken for another clone's.
        match renewed {
            Some(id) if outrun.is_empty() => self.store.change_clone_id(id)?,
            _ => {}
        }
        Ok(outrun)
    }

    /// Keeps the other way of a log that was adopted here.
    fn keep_beside_adopted(&mut self, log: LogName, tip: EntryId) -> Result<(), StoreError> {
        let theirs = Lineage::read(&self.store.odb, log.0, &log.1, tip);
        let (Some(ours), Ok(theirs)) = (self.known(&log), theirs) else { return Ok(()) };
        let first = theirs.at(ours.common(&theirs) + 1).unwrap_or(tip);
        let kept = format!("{FORKS}{}/{}/{}", log.0, log.1, first.short(12));
        self.set(&kept, tip)?;
        self.report.forks.push(Fork { log, ours: None, theirs: tip, kept });
        Ok(())
    }

    /// How many entries of a log here some other repository is known to hold.
    fn seen(&self, log: &LogName, ours: &Lineage<'_>) -> Result<u64, StoreError> {
        let (refs, _) = self.store.refs.list(TRACKING)?;
        let end = format!("/{}/{}", log.0, log.1);
        let mut seen = 0;
        for (_, tip) in refs.into_iter().filter(|(name, _)| name.ends_with(&end)) {
            if let Ok(theirs) = Lineage::read(&self.store.odb, log.0, &log.1, tip) {
                seen = seen.max(ours.common(&theirs));
            }
        }
        Ok(seen)
    }

    /// Appends entries again where there is room for them, and moves all logs concerned at once; answers with all logs
    /// where one of them has been moved by another.
    fn say_again(&mut self, own: Vec<Own>) -> Result<Vec<(LogName, EntryId)>, StoreError> {
        let mut tips: BTreeMap<LogName, Option<EntryId>> = BTreeMap::new();
        let mut moves: Vec<(String, Option<EntryId>, EntryId)> = Vec::new();
        let mut left = Vec::new();
        for one in &own {
            let to = (one.log.0, one.to.clone());
            let base = if one.to == one.log.1 {
                Some(one.theirs)
            } else {
                left.push((ref_name(one.log.0, &one.log.1), Some(one.ours), one.theirs));
                self.store.refs.find(&ref_name(to.0, &to.1))?
            };
            tips.insert(to, base);
        }
        let bases = tips.clone();
        // In the order they were said, so that an entry that names another finds its new id.
        let mut queue: Vec<_> =
            own.iter().flat_map(|one| one.entries.iter().map(move |entry| (one, entry))).collect();
        queue.sort_by_key(|(_, entry)| entry.clock);
        let mut ids: BTreeMap<EntryId, EntryId> = BTreeMap::new();
        let nothing = self.store.nothing();
        for (one, entry) in queue {
            let log = (one.log.0, one.to.clone());
            let stamp = Stamp { now: entry.clock, agent: one.to.agent_name(), ..self.stamp.clone() };
            let draft = entry.to_draft(|id| ids.get(&id).copied());
            let tip = tips.get(&log).copied().flatten();
            let written =
                append::write(self.store, Target::of(log.0, &log.1), &stamp, tip, &nothing, &[draft])?;
            ids.insert(entry.id, written.tip);
            tips.insert(log, Some(written.tip));
        }
        for one in &own {
            let to = (one.log.0, one.to.clone());
            let base = if one.to == one.log.1 { Some(one.ours) } else { bases.get(&to).copied().flatten() };
            if let Some(tip) = tips.get(&to).copied().flatten().filter(|tip| Some(*tip) != base) {
                moves.push((ref_name(to.0, &to.1), base, tip));
            }
        }
        // What holds entries no longer moves last: killed between two, a process leaves them in two logs, not in none.
        moves.append(&mut left);
        let moves: Vec<Move<'_>> = moves
            .iter()
            .map(|(name, old, new)| Move {
                name,
                old: *old,
                new: *new,
                stamp: self.stamp,
                reason: "datum: appended again",
                sync: false,
            })
            .collect();
        if !Wait::new(self.store).swap_all(&moves, Guard::default())? {
            return Ok(own.into_iter().map(|one| (one.log, one.theirs)).collect());
        }
        for one in own {
            self.held.remove(&one.log);
            self.note(&one.log, one.theirs)?;
            let ids = one.entries.iter().filter_map(|entry| Some((entry.id, *ids.get(&entry.id)?))).collect();
            self.report.again.push(Again { from: one.log, to: one.to, ids });
        }
        Ok(Vec::new())
    }
}
