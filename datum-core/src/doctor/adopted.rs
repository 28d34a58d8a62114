//! Adopted logs: containers that cannot be read, and the segments and trees inside them.
//!
//! The entries of an adopted log stand in its segments alone, and its own ref is gone. What is damaged is made again, to
//! the bit, from whatever copy of its commits can still be reached: objects of their own, containers before this one or
//! of other adopters, what was fetched from remotes, and the kept ends of forks.

use super::Visit;
use super::chain;
use super::replay::{Derived, Replay};
use crate::adopt::container::{self, Logs, Sealed};
use crate::commit;
use crate::epoch;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::lineage::Lineage;
use crate::log::{PAYLOADS, SEGMENTS};
use crate::odb::{ObjectKind, Odb};
use crate::refs::{PREFIX, ref_name};
use crate::segment::{self, Name};
use crate::stamp::{Millis, Writer};
use crate::store::StoreError;
use crate::sync::{FORKS, TRACKING};
use crate::tree::{self, Item};
use std::collections::BTreeMap;

/// Containers before one that are looked into for copies.
const BEFORE_MAX: usize = 1000;

/// Raw commits by their ids.
type Spare = BTreeMap<EntryId, Vec<u8>>;

impl Visit<'_> {
    /// Looks through the containers of adopted logs.
    pub(super) fn containers(&mut self) -> Result<(), StoreError> {
        let (refs, _) = self.store.refs.list(container::PREFIX)?;
        for (name, id) in refs {
            let Some((_, kind)) = container::parse_name(&name) else { continue };
            let logs = match container::read(&self.store.odb, id) {
                Ok(logs) => logs,
                Err(error) => self.readable_container(&name, id, &error.to_string())?,
            };
            for (writer, sealed) in logs {
                self.adopted_log(&name, kind, &writer, &sealed)?;
            }
        }
        Ok(())
    }

    /// Moves the ref of a container that cannot be read to the fullest known that can; answers with its logs.
    fn readable_container(&mut self, name: &str, id: EntryId, problem: &str) -> Result<Logs, StoreError> {
        let tracked = self.tracked_containers(name);
        let mut values = self.store.refs.history(name);
        values.extend(&tracked);
        let entries = |logs: &Logs| logs.values().map(|sealed| sealed.count).sum::<u64>();
        let read = |value: &EntryId| Some((*value, container::read(&self.store.odb, *value).ok()?));
        let readable = values.iter().filter(|value| **value != id).filter_map(read);
        // The first of the fullest, as for logs.
        let best = readable.fold(None, |best: Option<(EntryId, Logs)>, new| match best {
            Some(best) if entries(&best.1) >= entries(&new.1) => Some(best),
            _ => Some(new),
        });
        let problem = format!("its adopted logs cannot be read: {problem}");
        if tracked.contains(&id) || best.is_none() {
            let remedy = if tracked.contains(&id) {
                format!("the remote has it: git fetch --refetch <remote> {name} brings it back")
            } else {
                "no container before it is known; another clone or the remote may have it".to_owned()
            };
            self.broken(name, Some(id), problem, remedy);
            return Ok(best.map(|(_, logs)| logs).unwrap_or_default());
        }
        let Some((to, logs)) = best else { return Ok(Logs::new()) };
        if self.set(name, id, to)? {
            let remedy = format!(
                "stepped back from {id} to {to}, which holds {} logs; datum sync brings what was adopted since from \
                 whoever has it",
                logs.len()
            );
            self.moved(name, Some(id), to, problem, remedy);
            self.forget_container(name, id)?;
        }
        Ok(logs)
    }

    /// Lets git forget a container that its ref has been moved from.
    fn forget_container(&self, name: &str, id: EntryId) -> Result<(), StoreError> {
        let root = self.store.odb.whole(id, ObjectKind::Commit).ok().and_then(|raw| commit::tree(&raw));
        match root {
            Some(root) => self.put_aside(root, ObjectKind::Tree),
            None => self.put_aside(id, ObjectKind::Commit),
        }
        if self.stamp.is_some() {
            self.store.refs.forget(name, &[id])?;
        }
        Ok(())
    }

    /// The values of a container's ref that were fetched from remotes.
    pub(super) fn tracked_containers(&self, name: &str) -> Vec<EntryId> {
        let Some(end) = name.strip_prefix(PREFIX).map(|end| format!("/{end}")) else { return Vec::new() };
        let refs = self.store.refs.list(TRACKING).map(|(refs, _)| refs).unwrap_or_default();
        refs.into_iter().filter(|(name, _)| name.ends_with(&end)).map(|(_, id)| id).collect()
    }

    /// Looks through one adopted log, and makes again what of it is damaged.
    fn adopted_log(
        &mut self,
        name: &str,
        kind: Kind,
        writer: &Writer,
        sealed: &Sealed,
    ) -> Result<(), StoreError> {
        let store = self.store;
        let odb = &store.odb;
        let lineage = Lineage::read_sealed(odb, kind, writer, sealed);
        let Err(doubt) = lineage.and_then(|lineage| lineage.verify(None, Millis::MAX / 2)) else {
            return Ok(());
        };
        if doubt.missing && odb.is_partial() {
            return Ok(());
        }
        let spare = self.spare(kind, writer);
        let repair = Repair::of(odb, sealed, &spare);
        let mut ids = Vec::new();
        for made in &repair.made {
            // Two containers may hold the same segment.
            if self.write(made.kind, &made.bytes)? {
                ids.push(made.id);
            }
        }
        if let Some(first) = ids.first() {
            let shown: Vec<_> = ids.iter().take(3).map(EntryId::to_string).collect();
            let more = if ids.len() > 3 { format!(" and {} more", ids.len() - 3) } else { String::new() };
            let problem = format!("missing or damaged in {writer}: {}{more}", shown.join(", "));
            let remedy =
                format!("{} segments and trees, rebuilt from copies of their commits, to the bit", ids.len());
            self.mended(name, Some(*first), problem, remedy);
        }
        let whole = repair.made.is_empty() && repair.lost.is_empty();
        let elsewhere = format!(
            "no copy is here; git fetch --refetch <remote> {name} brings it back from a remote that has it"
        );
        for (id, problem) in repair.lost {
            self.broken(name, Some(id), format!("{problem}, of {writer}"), elsewhere.clone());
        }
        if whole {
            let remedy = "nothing in it is damaged, and it is no log that can be believed".to_owned();
            self.broken(name, Some(doubt.object), format!("{writer}: {}", doubt.why), remedy);
        }
        Ok(())
    }

    /// Every commit of a log that stands in a segment which can be reached, by whatever ref.
    fn spare(&self, kind: Kind, writer: &Writer) -> Spare {
        let odb = &self.store.odb;
        let all = |prefix: &str| self.store.refs.list(prefix).map(|(refs, _)| refs).unwrap_or_default();
        let log_end = format!("/{kind}/{writer}");
        let forks = format!("{FORKS}{kind}/{writer}/");
        let mut trees = Vec::new();
        let mut containers = Vec::new();
        for (name, id) in all(PREFIX).into_iter().chain(all(TRACKING)).chain(all(&forks)) {
            let below = name.find("/adopted/").is_some_and(|_| name.ends_with(&format!("/{kind}")));
            // The other way of an adopted log is kept by the container that holds it.
            if below || name.starts_with(&forks) {
                containers.push(id);
            }
            if name == ref_name(kind, writer) || name.ends_with(&log_end) || name.starts_with(&forks) {
                let raw = odb.whole(id, ObjectKind::Commit).ok();
                trees.extend(raw.and_then(|raw| commit::tree(&raw)));
            }
        }
        for container in containers {
            let mut next = Some(container);
            for _ in 0..BEFORE_MAX {
                let Some(id) = next else { break };
                let logs = container::read(odb, id).unwrap_or_default();
                trees.extend(logs.get(writer).map(|sealed| sealed.tree));
                next = odb.whole(id, ObjectKind::Commit).ok().and_then(|raw| commit::parent(&raw));
            }
        }
        trees.sort_unstable();
        trees.dedup();
        let segments: BTreeMap<_, _> =
            trees.into_iter().flat_map(|tree| chain::segments_in(odb, tree)).collect();
        let framed = segments.into_values().filter_map(|(name, blob)| chain::frames(odb, name, blob));
        framed.flatten().collect()
    }
}

/// What can be made again of a damaged adopted log, and what cannot.
struct Repair<'a> {
    odb: &'a Odb,
    spare: &'a Spare,
    /// Objects that follow from the commits, whether or not they are needed.
    derived: BTreeMap<EntryId, Derived>,
    /// Objects that were damaged, as they must be.
    made: Vec<Derived>,
    /// Objects that stay damaged, and what that hides.
    lost: Vec<(EntryId, String)>,
}

impl<'a> Repair<'a> {
    fn of(odb: &'a Odb, sealed: &Sealed, spare: &'a Spare) -> Self {
        let mut repair = Self { odb, spare, derived: BTreeMap::new(), made: Vec::new(), lost: Vec::new() };
        repair.derive(sealed);
        let named = |items: &[Item], name: &str| {
            items.iter().find(|item| item.name == name.as_bytes()).map(|item| item.id)
        };
        let root = repair.tree(sealed.tree);
        let mut segments = Vec::new();
        if let Some(folder) = named(&root, SEGMENTS) {
            for hundred in repair.tree(folder) {
                let items = repair.tree(hundred.id);
                segments.extend(
                    items.iter().filter_map(|item| Some((item.text().and_then(Name::parse)?, item.id))),
                );
            }
        }
        let mut before: Option<Name> = None;
        for (name, blob) in segments {
            repair.segment(before, name, blob);
            before = Some(name);
        }
        if let Some(folder) = named(&root, PAYLOADS) {
            for below in repair.tree(folder) {
                for item in repair.tree(below.id) {
                    if let Err(error) = odb.whole(item.id, ObjectKind::Blob) {
                        repair.lost.push((item.id, format!("{error}; it is the body of an entry")));
                    }
                }
            }
        }
        repair
    }

    /// A commit, from wherever it still stands.
    fn commit(&self, id: EntryId) -> Option<Vec<u8>> {
        self.spare.get(&id).cloned().or_else(|| self.odb.whole(id, ObjectKind::Commit).ok())
    }

    /// The commits from `last` back to the one after `stop`, oldest first; `None` where one of them stands nowhere.
    fn run(&self, last: EntryId, stop: Option<EntryId>) -> Option<Vec<(EntryId, Vec<u8>)>> {
        let mut commits = Vec::new();
        let mut next = Some(last);
        while let Some(id) = next.filter(|id| Some(*id) != stop) {
            let raw = self.commit(id)?;
            next = epoch::before(&raw);
            commits.push((id, raw));
        }
        commits.reverse();
        Some(commits)
    }

    /// Derives every tree of the log from its commits once more, where all of them still stand somewhere.
    fn derive(&mut self, sealed: &Sealed) {
        let Some(commits) = self.run(sealed.tip, None) else { return };
        let mut replay = Replay::new(self.odb);
        let mut all = Vec::new();
        for (id, raw) in &commits {
            // A tree on the way that cannot be made is not one of those that are needed, or is missed below.
            all.extend(replay.step(*id, raw).unwrap_or_default());
        }
        all.extend(replay.seal(sealed.tree));
        self.derived.extend(all.into_iter().map(|made| (made.id, made)));
    }

    /// Reads a tree, or makes it again.
    fn tree(&mut self, id: EntryId) -> Vec<Item> {
        if id.0.is_empty_tree() {
            return Vec::new();
        }
        match self.odb.whole(id, ObjectKind::Tree) {
            Ok(bytes) => tree::parse(id, &bytes).unwrap_or_default(),
            Err(error) => match self.derived.remove(&id) {
                Some(made) => {
                    let items = tree::parse(id, &made.bytes).unwrap_or_default();
                    self.made.push(made);
                    items
                }
                None => {
                    self.lost.push((id, format!("{error}; it names segments")));
                    Vec::new()
                }
            },
        }
    }

    /// Looks at a segment that follows `before`, and makes it again where it is damaged.
    fn segment(&mut self, before: Option<Name>, name: Name, blob: EntryId) {
        if chain::frames(self.odb, name, blob).is_some() || self.made.iter().any(|made| made.id == blob) {
            return;
        }
        let commits = self.run(name.last, before.map(|before| before.last)).unwrap_or_default();
        let commits: Vec<_> = commits.iter().map(|(_, raw)| raw.as_slice()).collect();
        for print in segment::FORMATS {
            let bytes = print(&commits);
            if self.odb.hash(ObjectKind::Blob, &bytes) == Some(blob) {
                self.made.push(Derived { id: blob, kind: ObjectKind::Blob, bytes });
                return;
            }
        }
        let why = match self.odb.whole(blob, ObjectKind::Blob) {
            Err(error) => error.to_string(),
            Ok(_) => format!("segment {blob} is not what its commits say"),
        };
        let first = before.map_or(0, |before| before.end) + 1;
        self.lost.push((blob, format!("{why}; it hides entries {first} to {}", name.end)));
    }
}
