//! Refs that hold no id, refs that are gone, and tips that cannot be read.

use super::Visit;
use crate::adopt::container;
use crate::claim;
use crate::commit;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::log;
use crate::odb::ObjectKind;
use crate::refs::{CLAIMS, Move, PREFIX, RefError, Refs, Swap, parse_log, ref_name};
use crate::stamp::Writer;
use crate::store::StoreError;
use crate::sync::TRACKING;
use crate::wait::Wait;
use std::collections::BTreeMap;

/// What is wrong with a ref that has a log and is not there.
const GONE: &str = "the ref is gone, and its log is still there";

impl Visit<'_> {
    /// Repairs refs; answers with the logs whose tips can be read.
    pub(super) fn refs(&mut self) -> Result<Vec<(Kind, Writer, EntryId)>, StoreError> {
        let (mut refs, errors) = self.store.refs.list(PREFIX)?;
        let mut lost: BTreeMap<String, String> = BTreeMap::new();
        for error in errors {
            match error {
                RefError::Corrupt { ref name, .. } => {
                    lost.insert(name.clone(), error.to_string());
                }
                error => {
                    let remedy =
                        "refs that have a file of their own can still be read; restore it from another clone";
                    self.broken("packed-refs", None, error.to_string(), remedy.to_owned());
                }
            }
        }
        // git removes a ref's log together with the ref, so a log without a ref means that the ref was lost. A claim is
        // not made by a repair all the same: nobody must hold what nobody was given.
        for name in self.store.refs.logged() {
            if !refs.contains_key(&name) && !name.starts_with(CLAIMS) {
                lost.entry(name).or_insert_with(|| GONE.to_owned());
            }
        }
        for (name, problem) in lost {
            match self.restore(&name, problem)? {
                Some(id) => refs.insert(name, id),
                None => refs.remove(&name),
            };
        }
        let mut logs = Vec::new();
        for (name, tip) in refs {
            let Some((kind, writer)) = parse_log(&name) else {
                if container::parse_name(&name).is_none() {
                    self.other(&name, tip)?;
                }
                continue;
            };
            match self.trouble(kind, &writer, tip) {
                None => logs.push((kind, writer, tip)),
                Some(problem) => logs.extend(self.step_back(kind, writer, tip, problem)?),
            }
        }
        Ok(logs)
    }

    /// What is wrong with the tip of a log, if anything is.
    fn trouble(&self, kind: Kind, writer: &Writer, tip: EntryId) -> Option<String> {
        match self.store.odb.whole(tip, ObjectKind::Commit) {
            Err(error) => Some(error.to_string()),
            Ok(raw) if commit::view(&raw, tip, kind, writer).is_none() => {
                Some(format!("its tip {tip} is no entry of this log"))
            }
            Ok(_) => None,
        }
    }

    /// Finds the best value for a log's ref: the newest that can be read, of its own past and of what was fetched.
    fn candidate(&self, kind: Kind, writer: &Writer, not: Option<EntryId>) -> Option<(EntryId, u64)> {
        let mut values = self.store.refs.history(&ref_name(kind, writer));
        values.extend(self.fetched(kind, writer));
        let seq = |id: &EntryId| {
            let raw = self.store.odb.whole(*id, ObjectKind::Commit).ok()?;
            commit::view(&raw, *id, kind, writer).map(|view| (*id, view.seq()))
        };
        let readable = values.iter().filter(|id| Some(**id) != not).filter_map(seq);
        // The first of the newest: the ref's own past goes before what was fetched.
        readable.fold(None, |best: Option<(EntryId, u64)>, new| match best {
            Some(best) if best.1 >= new.1 => Some(best),
            _ => Some(new),
        })
    }

    /// The values of the log that were fetched from remotes.
    pub(super) fn fetched(&self, kind: Kind, writer: &Writer) -> Vec<EntryId> {
        let end = format!("/{kind}/{writer}");
        let refs = self.store.refs.list(TRACKING).map(|(refs, _)| refs).unwrap_or_default();
        refs.into_iter().filter(|(name, _)| name.ends_with(&end)).map(|(_, id)| id).collect()
    }

    /// Gives a ref without a value the one it had.
    fn restore(&mut self, name: &str, problem: String) -> Result<Option<EntryId>, StoreError> {
        let is_gone = problem == GONE;
        let candidate = match parse_log(name) {
            Some((kind, writer)) => self.candidate(kind, &writer, None).map(|(id, _)| id),
            None => {
                let known = self.store.refs.history(name).into_iter().chain(self.tracked_containers(name));
                known.into_iter().find(|id| self.store.odb.exists(*id))
            }
        };
        let Some(to) = candidate else {
            // A move that never was leaves a line too; without an object there was never anything to lose.
            if !is_gone {
                let remedy = if name.starts_with(CLAIMS) {
                    "nobody can hold it like this; once nobody works under it, remove that file, and it is free"
                } else {
                    "neither its log nor a remote knows its value; all other logs can be read; \
                     datum sync may fetch it again, git fsck --lost-found lists what nothing refers to"
                };
                self.broken(name, None, problem, remedy.to_owned());
            }
            return Ok(None);
        };
        if let (Some(stamp), Refs::Files(files)) = (self.stamp, &self.store.refs) {
            let to = Move { name, old: None, new: to, stamp, reason: "datum: doctor", sync: true };
            match files.mend(&to)? {
                Swap::Done => {}
                // Somebody was faster.
                Swap::Moved => return Ok(self.store.refs.find(name)?),
                Swap::Locked(lock) => {
                    if !is_gone {
                        let remedy = format!("{} is in the way: run datum doctor again", lock.display());
                        self.broken(name, None, problem, remedy);
                    }
                    return Ok(None);
                }
            }
        }
        self.moved(name, None, to, problem, format!("set to {to}, the newest value known"));
        Ok(Some(to))
    }

    /// Moves a log's ref from a tip that cannot be read to the newest value that can.
    fn step_back(
        &mut self,
        kind: Kind,
        writer: Writer,
        tip: EntryId,
        problem: String,
    ) -> Result<Option<(Kind, Writer, EntryId)>, StoreError> {
        let name = ref_name(kind, &writer);
        let best = self.candidate(kind, &writer, Some(tip));
        if self.fetched(kind, &writer).contains(&tip) {
            let read = best
                .map_or("nothing of it".to_owned(), |(id, seq)| format!("its entries up to {seq} ({id})"));
            let remedy = format!(
                "the remote has it: git fetch --refetch <remote> {name} brings it back; until then {read} can be read"
            );
            self.broken(&name, Some(tip), problem, remedy);
            return Ok(best.map(|(id, _)| (kind, writer, id)));
        }
        let Some((to, seq)) = best else {
            let remedy =
                "no value before it is known; all other logs can be read; datum sync may fetch it again";
            self.broken(&name, Some(tip), problem, remedy.to_owned());
            return Ok(None);
        };
        let remedy = format!(
            "stepped back from {tip} to {to}: what was written after entry {seq} of this log is lost unless another clone has it"
        );
        if !self.set(&name, tip, to)? {
            return Ok(None);
        }
        self.moved(&name, Some(tip), to, problem, remedy);
        self.give_up(&name, tip)?;
        Ok(Some((kind, writer, to)))
    }

    /// Moves a ref, unless this visit only looks; `false` when somebody else has moved it.
    pub(super) fn set(&self, name: &str, old: EntryId, new: EntryId) -> Result<bool, StoreError> {
        let Some(stamp) = self.stamp else { return Ok(true) };
        let to = Move { name, old: Some(old), new, stamp, reason: "datum: doctor", sync: true };
        Wait::new(self.store).swap(&to)
    }

    /// Lets git forget an object that a ref has been moved from, so that its fsck does not look for it.
    fn give_up(&self, name: &str, id: EntryId) -> Result<(), StoreError> {
        self.put_aside(id, ObjectKind::Commit);
        if self.stamp.is_some() && self.store.odb.whole(id, ObjectKind::Commit).is_err() {
            self.store.refs.forget(name, &[id])?;
        }
        Ok(())
    }

    /// Moves the file of an object that nothing can use out of git's way.
    pub(super) fn put_aside(&self, id: EntryId, kind: ObjectKind) {
        let path = self.store.odb.loose_path(id);
        let damaged = || self.store.odb.whole(id, kind).is_err();
        if self.stamp.is_some() && path.exists() && damaged() {
            let folder = self.store.common_dir.join("datum/damaged");
            // What cannot be put aside is complained about by git fsck, and harms no reader.
            let _ = std::fs::create_dir_all(&folder)
                .and_then(|()| std::fs::rename(&path, folder.join(id.to_string())));
        }
    }

    /// Looks at a ref that is no log: a claim must be one; of others only that they lead somewhere.
    fn other(&mut self, name: &str, tip: EntryId) -> Result<(), StoreError> {
        let Some(Ok(claim)) = name.strip_prefix(CLAIMS).map(claim::Name::new) else {
            if !self.store.odb.exists(tip) {
                let remedy = "it is no log; git update-ref -d removes it".to_owned();
                self.broken(name, Some(tip), format!("object {tip} is missing"), remedy);
            }
            return Ok(());
        };
        let Err(error) = self.store.read_claim(&claim, tip) else { return Ok(()) };
        let before = self.store.refs.history(name).into_iter().filter(|id| *id != tip);
        let to = before.into_iter().find(|id| self.store.read_claim(&claim, *id).is_ok());
        let Some(to) = to else {
            let remedy = format!("nobody can hold it like this; git update-ref -d {name} frees it");
            self.broken(name, Some(tip), error.to_string(), remedy);
            return Ok(());
        };
        if self.set(name, tip, to)? {
            let remedy = format!("stepped back from {tip} to {to}: the holder since then must claim again");
            self.moved(name, Some(tip), to, error.to_string(), remedy);
            self.give_up(name, tip)?;
        }
        Ok(())
    }
}

/// The place of an entry in its log.
pub(super) fn seq(raw: &[u8]) -> u64 {
    log::clock_and_seq(raw).map_or(0, |(_, seq)| seq)
}
