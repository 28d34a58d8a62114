//! Trees and segments, derived from commits once more: what a writer made, its commits determine to the bit.

use crate::commit;
use crate::entry::Message;
use crate::id::EntryId;
use crate::log::{self, PAYLOADS, SEGMENTS};
use crate::odb::{ObjectError, ObjectKind, Odb};
use crate::segment::{self, Name, Print, SEAL_EVERY, WHOLE};
use crate::tree::{self, Item};
use std::collections::{BTreeMap, VecDeque};

/// An object as it must be.
pub(super) struct Derived {
    pub(super) id: EntryId,
    pub(super) kind: ObjectKind,
    pub(super) bytes: Vec<u8>,
}

/// Follows a log from its beginning, commit by commit.
pub(super) struct Replay<'a> {
    odb: &'a Odb,
    tree: Option<EntryId>,
    /// The last commits, oldest first: at least those that a segment could still take.
    recent: VecDeque<Vec<u8>>,
    last: Option<(EntryId, u64)>,
    /// Trees that are not in the database and have been derived.
    known: BTreeMap<EntryId, Vec<u8>>,
    trial: Vec<Derived>,
}

impl<'a> Replay<'a> {
    pub(super) fn new(odb: &'a Odb) -> Self {
        Self {
            odb,
            tree: None,
            recent: VecDeque::new(),
            last: None,
            known: BTreeMap::new(),
            trial: Vec::new(),
        }
    }

    /// Takes the next commit; answers with the objects it needs that are not whole in the database.
    ///
    /// # Errors
    /// The error of its tree, when that is not whole and does not follow from the commits.
    pub(super) fn step(&mut self, id: EntryId, raw: &[u8]) -> Result<Vec<Derived>, ObjectError> {
        let parsed = commit::parse(raw);
        let message = parsed.and_then(|parsed| Message::parse(parsed.message));
        let (Some(parsed), Some(message)) = (parsed, message) else { return Ok(Vec::new()) };
        let payload = payload(&message);
        let result = self.derive(parsed.tree, payload, message.seq);
        self.last = Some((id, message.seq));
        self.recent.push_back(raw.to_vec());
        if self.recent.len() as u64 > 2 * WHOLE {
            self.recent.pop_front();
        }
        result
    }

    /// Seals what is left; answers with the objects of the tree `want`, if that is what comes of it, that are not whole.
    pub(super) fn seal(&mut self, want: EntryId) -> Vec<Derived> {
        let Some(base) = self.tree.filter(|tree| *tree != want) else { return Vec::new() };
        for print in segment::FORMATS {
            self.trial.clear();
            if self.make(base, Some(print), None).is_ok_and(|made| made == want) {
                return self.take_broken();
            }
        }
        Vec::new()
    }

    /// Takes the objects of the trial that are not whole in the database, and remembers the trees among them.
    fn take_broken(&mut self) -> Vec<Derived> {
        let trial = std::mem::take(&mut self.trial);
        let broken: Vec<_> =
            trial.into_iter().filter(|made| self.odb.whole(made.id, made.kind).is_err()).collect();
        let trees = broken.iter().filter(|made| made.kind == ObjectKind::Tree);
        self.known.extend(trees.map(|made| (made.id, made.bytes.clone())));
        broken
    }

    fn derive(
        &mut self,
        want: EntryId,
        payload: Option<EntryId>,
        seq: u64,
    ) -> Result<Vec<Derived>, ObjectError> {
        if self.tree == Some(want) && payload.is_none() {
            return Ok(Vec::new());
        }
        let empty = EntryId(gix::ObjectId::empty_tree(want.0.kind()));
        let base = self.tree.or_else(|| (seq == 1).then_some(empty));
        let due = self.last.is_some_and(|(_, seq)| seq.is_multiple_of(SEAL_EVERY));
        let mut tries: Vec<Option<Print>> = segment::FORMATS.map(Some).into();
        tries.insert(if due { tries.len() } else { 0 }, None);
        for seal in tries {
            self.trial.clear();
            if let Some(base) = base
                && self.make(base, seal, payload).is_ok_and(|made| made == want)
            {
                self.tree = Some(want);
                return Ok(self.take_broken());
            }
        }
        // A compaction, or a writer of another version: its tree is taken at its word.
        self.tree = Some(want);
        log::last_segments(want, |id| log::read_tree(self.odb, id))?;
        Ok(Vec::new())
    }

    /// Makes the tree that follows `base`, its new objects kept for trial.
    fn make(
        &mut self,
        base: EntryId,
        seal: Option<Print>,
        payload: Option<EntryId>,
    ) -> Result<EntryId, ObjectError> {
        let mut tree = base;
        if let Some(print) = seal
            && let Some((last, end)) = self.last
        {
            let names = log::last_segments(tree, |id| self.read(id))?;
            let names: Vec<Name> = names.into_iter().map(|(name, _)| name).collect();
            let kept = segment::kept(&names, end).checked_sub(1).map_or(0, |at| names[at].end);
            let most = usize::try_from(end.saturating_sub(kept)).unwrap_or(usize::MAX);
            let mut commits = Vec::new();
            for raw in self.recent.iter().rev().take(most) {
                commits.push(raw.as_slice());
                if !commit::has_parent(raw) {
                    break;
                }
            }
            let start = end.saturating_sub(commits.len() as u64);
            commits.reverse();
            let bytes = print(&commits);
            let blob = self.keep(ObjectKind::Blob, bytes)?;
            let (folder, file) = Name { end, last }.print();
            let keep = |item: &Item| item.text().and_then(Name::parse).is_none_or(|name| name.end <= start);
            tree = self.replace(tree, &[SEGMENTS, &folder, &file], blob, &keep)?;
        }
        if let Some(id) = payload {
            let hex = id.to_string();
            tree = self.put(tree, &[PAYLOADS, &hex[..2], &hex[2..]], id)?;
        }
        Ok(tree)
    }

    fn put(&mut self, root: EntryId, path: &[&str], blob: EntryId) -> Result<EntryId, ObjectError> {
        self.replace(root, path, blob, &|_| true)
    }

    fn replace(
        &mut self,
        root: EntryId,
        path: &[&str],
        blob: EntryId,
        keep: &impl Fn(&Item) -> bool,
    ) -> Result<EntryId, ObjectError> {
        let write = |replay: &mut Self, bytes: &[u8]| replay.keep(ObjectKind::Tree, bytes.to_vec());
        tree::replace(self, root, path, blob, keep, &Self::read, &write)
    }

    fn read(&self, id: EntryId) -> Result<Vec<Item>, ObjectError> {
        let made = self.trial.iter().find(|made| made.id == id).map(|made| &made.bytes);
        match made.or_else(|| self.known.get(&id)) {
            Some(bytes) => tree::parse(id, bytes),
            None => log::read_tree(self.odb, id),
        }
    }

    fn keep(&mut self, kind: ObjectKind, bytes: Vec<u8>) -> Result<EntryId, ObjectError> {
        let id = self.odb.hash(kind, &bytes).ok_or_else(|| ObjectError::Write {
            path: self.odb.objects_dir().to_owned(),
            message: "it cannot be hashed".to_owned(),
        })?;
        self.trial.push(Derived { id, kind, bytes });
        Ok(id)
    }
}

/// The blob that holds the body of an entry.
pub(super) fn payload(message: &Message<'_>) -> Option<EntryId> {
    let value = message.trailers.lines().find_map(|line| line.strip_prefix("Payload: "));
    value.and_then(EntryId::from_hex)
}
