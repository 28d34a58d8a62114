//! One log: its commits, trees, segments and bodies, and what is done about a commit that is lost.

use super::chain::{self, Chain, Run, Source};
use super::refs::seq;
use super::replay::{self, Replay};
use super::{Draft, Visit};
use crate::append::{self, Target};
use crate::commit;
use crate::entry::Message;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::odb::{ObjectError, ObjectKind};
use crate::refs::ref_name;
use crate::segment::WHOLE;
use crate::snapshot::Snapshot;
use crate::stamp::{Identity, Stamp, Writer};
use crate::store::StoreError;
use std::collections::BTreeMap;

impl Visit<'_> {
    /// Looks through one log.
    pub(super) fn log(&mut self, kind: Kind, writer: &Writer, tip: EntryId) -> Result<(), StoreError> {
        let name = ref_name(kind, writer);
        let shallow = self.store.shallow();
        let mut log = chain::walk(&self.store.odb, tip, &shallow);
        if let Some((missing, error)) = log.gap.take() {
            let older = self.older(kind, writer, tip, &log);
            self.bridge(kind, writer, tip, &log, (missing, error), older)?;
            // What follows the gap cannot be checked without what it follows; what is before it can.
            log = older.map_or_else(Chain::default, |id| chain::walk(&self.store.odb, id, &shallow));
        }
        self.runs(&name, log.runs)
    }

    fn runs(&mut self, name: &str, runs: Vec<Run>) -> Result<(), StoreError> {
        let store = self.store;
        let odb = &store.odb;
        let mut replay = Replay::new(odb);
        let mut mended: BTreeMap<&str, Vec<EntryId>> = BTreeMap::new();
        for run in runs.into_iter().rev() {
            let (commits, sealed) = match run.source {
                Source::Segment(segment, blob) => {
                    (chain::frames(odb, segment, blob).unwrap_or_default(), true)
                }
                Source::Commits(ids) => {
                    let read = |id: EntryId| Some((id, odb.whole(id, ObjectKind::Commit).ok()?));
                    (ids.into_iter().filter_map(read).collect(), false)
                }
            };
            for (id, raw) in commits {
                let lost = run.required && sealed && odb.whole(id, ObjectKind::Commit).is_err();
                if lost {
                    self.write(ObjectKind::Commit, &raw)?;
                    mended.entry("commits, rebuilt from their segments").or_default().push(id);
                }
                match replay.step(id, &raw) {
                    Ok(derived) => {
                        for object in derived {
                            // A partial clone has left its blobs at the remote on purpose.
                            if object.kind == ObjectKind::Blob && odb.is_partial() && !odb.exists(object.id) {
                                continue;
                            }
                            let what = match object.kind {
                                ObjectKind::Blob => "segments, rebuilt from their commits",
                                _ => "trees, rebuilt from the commits",
                            };
                            self.write(object.kind, &object.bytes)?;
                            mended.entry(what).or_default().push(object.id);
                        }
                    }
                    Err(error) => {
                        let remedy =
                            "git fetch --refetch brings it back from a remote that has it".to_owned();
                        self.broken(name, object_of(&error), error.to_string(), remedy);
                    }
                }
                self.body(name, id, &raw);
            }
        }
        for (what, ids) in mended {
            let shown: Vec<_> = ids.iter().take(3).map(EntryId::to_string).collect();
            let more = if ids.len() > 3 { format!(" and {} more", ids.len() - 3) } else { String::new() };
            let problem = format!("missing or damaged: {}{more}", shown.join(", "));
            self.mended(name, ids.first().copied(), problem, format!("{} {what}, to the bit", ids.len()));
        }
        Ok(())
    }

    /// Writes an object, unless this visit only looks; `false` for one it has written before.
    pub(super) fn write(&mut self, kind: ObjectKind, bytes: &[u8]) -> Result<bool, StoreError> {
        if self.stamp.is_some() {
            self.store.odb.write(kind, bytes, true)?;
        }
        Ok(self.store.odb.hash(kind, bytes).is_some_and(|id| self.written.insert(id)))
    }

    /// Looks whether the body of an entry is there, where it is a blob of its own.
    fn body(&mut self, name: &str, id: EntryId, raw: &[u8]) {
        let message = commit::parse(raw).and_then(|parsed| Message::parse(parsed.message));
        let Some(blob) = message.and_then(|message| replay::payload(&message)) else { return };
        match self.store.odb.whole(blob, ObjectKind::Blob) {
            Ok(_) => {}
            Err(ObjectError::Missing(_)) if self.store.odb.is_partial() => {}
            Err(error) => {
                let remedy = format!(
                    "the body of entry {id} is lost unless a remote has it (git fetch --refetch); its subject can be read"
                );
                self.broken(name, Some(blob), error.to_string(), remedy);
            }
        }
    }

    /// The newest entry known to stand before the gap of a log.
    fn older(&self, kind: Kind, writer: &Writer, tip: EntryId, log: &Chain) -> Option<EntryId> {
        let first = *survivors(log).first()?;
        let whole = |id: EntryId| self.store.odb.whole(id, ObjectKind::Commit).ok();
        let before = seq(&whole(first)?);
        let mut values = self.store.refs.history(&ref_name(kind, writer));
        values.extend(self.fetched(kind, writer));
        values.extend(chain::segments(&self.store.odb, tip).into_keys());
        let place = |id: EntryId| {
            let raw = whole(id)?;
            let place = commit::view(&raw, id, kind, writer)?.seq();
            (place < before).then_some((place, id))
        };
        values.into_iter().filter_map(place).max().map(|(_, id)| id)
    }

    /// Does what can be done about a commit that stands nowhere: what follows it is written anew onto what is before it.
    fn bridge(
        &mut self,
        kind: Kind,
        writer: &Writer,
        tip: EntryId,
        log: &Chain,
        (missing, error): (EntryId, ObjectError),
        older: Option<EntryId>,
    ) -> Result<(), StoreError> {
        let name = ref_name(kind, writer);
        let after = survivors(log);
        let fetched = self.fetched(kind, writer);
        let single = log.runs.iter().all(|run| matches!(run.source, Source::Commits(_)));
        let own = self.store.is_own(writer);
        let problem = format!("{error}; {} entries after it can still be read", after.len());
        if !fetched.is_empty() || !own || !single || after.len() as u64 > WHOLE {
            let before = older.map_or("nothing before it".to_owned(), |id| format!("those up to {id}"));
            let remedy = format!(
                "and {before}; git fetch --refetch <remote> {name} brings it back from a remote that has it"
            );
            self.broken(&name, Some(missing), problem, remedy);
            return Ok(());
        }
        let new = match self.stamp {
            Some(stamp) => self.rejoin(kind, writer, stamp, older, &after)?,
            None => tip,
        };
        if self.set(&name, tip, new)? {
            let base = older.map_or("nothing".to_owned(), |id| id.to_string());
            let remedy = format!(
                "entry {missing} is lost, with all before it since {base}; the {} entries after it are written anew, \
                 each with the trailer Was: <its old id>; the ref moved from {tip}",
                after.len()
            );
            self.moved(&name, Some(tip), new, problem, remedy);
            self.put_aside(missing, ObjectKind::Commit);
            if self.stamp.is_some() {
                // git fsck follows the ref's log, and would meet the gap.
                let gone: Vec<_> = after.into_iter().chain([missing]).collect();
                self.store.refs.forget(&name, &gone)?;
            }
        }
        Ok(())
    }

    /// Writes entries anew on top of `tip`; answers with the last.
    fn rejoin(
        &self,
        kind: Kind,
        writer: &Writer,
        stamp: &Stamp,
        mut tip: Option<EntryId>,
        after: &[EntryId],
    ) -> Result<EntryId, StoreError> {
        let store = self.store;
        // An empty one: the entries keep their clocks.
        let snapshot = Snapshot::new(&store.odb, &store.refs, BTreeMap::new(), None, Vec::new());
        for id in after {
            let raw = store.odb.whole(*id, ObjectKind::Commit)?;
            let refuse = |message: String| StoreError::Log { name: ref_name(kind, writer), message };
            let view = commit::view(&raw, *id, kind, writer)
                .ok_or_else(|| refuse(format!("{id} is no entry of it")))?;
            let entry = snapshot.whole(&view);
            let draft = |key: &str, draft: Draft, value: &str| draft.with(key, value);
            let again = Draft::new(&entry.subject, &entry.body)
                .and_then(|new| {
                    entry.trailers.iter().try_fold(new, |new, (key, value)| draft(key, new, value))
                })
                .and_then(|new| draft("Was", new, &id.to_string()))
                .map_err(|error| refuse(format!("{id} cannot be written again: {error}")))?;
            let stamp = Stamp { now: entry.clock, committer: committer(&raw), ..stamp.clone() };
            let stamp = match crate::AgentName::new(&entry.agent) {
                Ok(agent) => Stamp { agent, ..stamp },
                Err(_) => stamp,
            };
            tip = Some(append::write(store, Target::of(kind, writer), &stamp, tip, &snapshot, &[again])?.tip);
        }
        tip.ok_or_else(|| StoreError::Log {
            name: ref_name(kind, writer),
            message: "nothing is left".to_owned(),
        })
    }
}

/// The commits that can be read after the gap, oldest first.
fn survivors(log: &Chain) -> Vec<EntryId> {
    let ids = |run: &Run| match &run.source {
        Source::Commits(ids) => ids.clone(),
        Source::Segment(name, _) => vec![name.last],
    };
    log.runs.iter().rev().flat_map(ids).collect()
}

fn object_of(error: &ObjectError) -> Option<EntryId> {
    match error {
        ObjectError::Missing(id) | ObjectError::Damaged { id, .. } => Some(*id),
        _ => None,
    }
}

/// The committer of a raw commit.
fn committer(raw: &[u8]) -> Option<Identity> {
    let line = raw.split(|b| *b == b'\n').find_map(|line| line.strip_prefix(b"committer "))?;
    let line = std::str::from_utf8(line).ok()?;
    let (name, rest) = line.split_once(" <")?;
    Identity::new(name, rest.split_once('>')?.0)
}
