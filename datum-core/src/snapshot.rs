//! A snapshot: the tips of all logs, and a commit of the repository's own tree, at one moment.

mod tree;

use crate::adopt::container::Sealed;
use crate::entry::{Entry, View};
use crate::epoch;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::log::{self, Damage, Hint, Reader};
use crate::odb::{ObjectError, ObjectKind, Odb};
use crate::refs::{Refs, ref_name};
use crate::stamp::{Millis, Writer};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::ControlFlow;
pub use tree::File;

/// Fewest hexadecimal digits that name an entry.
pub const PREFIX_MIN: usize = 4;

/// Why no single entry answers to an id.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The text is no part of an id.
    #[error("{0:?} is no id: an id is 4 to 64 of 0-9 and a-f")]
    NotAnId(String),
    /// No entry has it.
    #[error("no entry has an id that begins with {0}")]
    Unknown(String),
    /// Several entries have it.
    #[error("{prefix} is ambiguous: {}", .candidates.iter().map(|id| id.short(12)).collect::<Vec<_>>().join(", "))]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// The entries it could mean, at most ten.
        candidates: Vec<EntryId>,
    },
}

/// The state of a repository at one moment.
#[derive(Debug)]
pub struct Snapshot<'s> {
    odb: &'s Odb,
    refs: &'s Refs,
    tips: BTreeMap<(Kind, Writer), EntryId>,
    /// Those of the tips that end adopted logs.
    adopted: BTreeMap<(Kind, Writer), Sealed>,
    /// The refs of logs for which longer adopted ones stand.
    shadowed: BTreeMap<(Kind, Writer), EntryId>,
    head: Option<EntryId>,
    as_of: Option<Millis>,
    damage: RefCell<Vec<Damage>>,
    greatest: Cell<Millis>,
}

impl<'s> Snapshot<'s> {
    pub(crate) fn new(
        odb: &'s Odb,
        refs: &'s Refs,
        tips: BTreeMap<(Kind, Writer), EntryId>,
        head: Option<EntryId>,
        damage: Vec<Damage>,
    ) -> Self {
        let adopted = BTreeMap::new();
        Self {
            odb,
            refs,
            tips,
            adopted,
            shadowed: BTreeMap::new(),
            head,
            as_of: None,
            damage: RefCell::new(damage),
            greatest: Cell::new(0),
        }
    }

    /// The same with adopted logs, where they are longer than those that have a ref.
    pub(crate) fn with_adopted(mut self, logs: BTreeMap<(Kind, Writer), Sealed>) -> Self {
        for (log, sealed) in logs {
            let shorter = match self.tips.get(&log) {
                Some(tip) => *tip != sealed.tip && self.length(log.0, &log.1) < sealed.count,
                None => true,
            };
            if shorter {
                self.shadowed.extend(self.tips.insert(log.clone(), sealed.tip).map(|tip| (log.clone(), tip)));
                self.adopted.insert(log, sealed);
            }
        }
        self
    }

    /// The adopted log that stands for one, if it does.
    pub(crate) fn adopted(&self, kind: Kind, writer: &Writer) -> Option<&Sealed> {
        self.adopted.get(&(kind, writer.clone()))
    }

    /// The refs of the logs of a kind, as they were seen.
    pub(crate) fn logs(&self, kind: Kind) -> BTreeMap<String, EntryId> {
        let own = self.tips.iter().filter(|(log, _)| !self.adopted.contains_key(log)).chain(&self.shadowed);
        own.filter(|(log, _)| log.0 == kind).map(|(log, tip)| (ref_name(kind, &log.1), *tip)).collect()
    }

    /// The same state, without the entries whose clock is later than `time`.
    #[must_use]
    pub fn as_of(mut self, time: Millis) -> Self {
        self.as_of = Some(time);
        self
    }

    /// The tip of each log.
    pub fn tips(&self) -> impl Iterator<Item = (Kind, &Writer, EntryId)> {
        self.tips.iter().map(|((kind, writer), id)| (*kind, writer, *id))
    }

    /// The tip of one log.
    pub fn tip(&self, kind: Kind, writer: &Writer) -> Option<EntryId> {
        self.tips.get(&(kind, writer.clone())).copied()
    }

    /// The commit of the repository's own tree, if it has one.
    pub fn head(&self) -> Option<EntryId> {
        self.head
    }

    /// When the commit at `HEAD` was written, by its committer's clock.
    pub(crate) fn head_time(&self) -> Option<Millis> {
        crate::commit::committed_at(&self.commit(self.head?).ok()?)
    }

    /// The same logs, with the tree of another commit.
    #[must_use]
    pub fn at(mut self, commit: Option<EntryId>) -> Self {
        self.head = commit;
        self
    }

    pub(crate) fn odb(&self) -> &'s Odb {
        self.odb
    }

    /// The id of the state: equal for two repositories that hold the same logs.
    pub fn id(&self) -> Option<EntryId> {
        let line = |((kind, writer), id): (&(Kind, Writer), &EntryId)| format!("{id} {kind}/{writer}");
        let lines = self.tips.iter().map(line).collect::<Vec<_>>().join("\n");
        self.odb.hash(ObjectKind::Blob, lines.as_bytes())
    }

    /// The number of entries of a log, by its tip alone; 0 for a tip that is no entry.
    pub fn length(&self, kind: Kind, writer: &Writer) -> u64 {
        self.newest(kind, writer).map_or(0, |(_, seq)| seq)
    }

    /// The clock and the place of the newest entry of a log, by its tip alone; `None` for a tip that is no entry.
    pub(crate) fn newest(&self, kind: Kind, writer: &Writer) -> Option<(Millis, u64)> {
        if let Some(sealed) = self.adopted(kind, writer) {
            return Some((sealed.clock, sealed.count));
        }
        log::clock_and_seq(&self.commit(self.tip(kind, writer)?).ok()?)
    }

    /// The id `text` would have as a blob.
    pub(crate) fn hash_text(&self, text: &str) -> String {
        self.odb.hash(ObjectKind::Blob, text.as_bytes()).map(|id| id.to_string()).unwrap_or_default()
    }

    /// What could not be read so far.
    pub fn damage(&self) -> Vec<Damage> {
        self.damage.borrow().clone()
    }

    /// The greatest clock among the entries read so far.
    pub(crate) fn greatest_clock(&self) -> Millis {
        self.greatest.get()
    }

    /// Takes note of a clock that was seen.
    pub(crate) fn saw(&self, clock: Millis) {
        self.greatest.set(self.greatest.get().max(clock));
    }

    fn reader(&self, kind: Kind, writer: &Writer, tip: EntryId) -> Reader<'s> {
        match self.adopted(kind, writer) {
            Some(sealed) => Reader::sealed(self.odb, kind, writer, sealed.tree),
            None => Reader::open(self.odb, kind, writer, tip),
        }
    }

    fn readers(&self, kind: Kind) -> impl Iterator<Item = Reader<'s>> {
        let logs = self.tips.iter().filter(move |((of, _), _)| *of == kind);
        logs.map(move |((_, writer), tip)| {
            let mut reader = self.reader(kind, writer, *tip);
            if reader.is_blind()
                && let Some(before) = self.before(kind, writer, *tip)
            {
                let damage = std::mem::take(&mut reader.damage);
                reader = Reader::open(self.odb, kind, writer, before);
                reader.damage.extend(damage);
                reader.note(format!("reading from {before}, the value before it"));
            }
            reader
        })
    }

    /// The newest value before `tip` that the log's ref had and that can be read.
    fn before(&self, kind: Kind, writer: &Writer, tip: EntryId) -> Option<EntryId> {
        let mut buffer = Vec::new();
        let mut readable =
            |id: &EntryId| *id != tip && self.odb.read(*id, ObjectKind::Commit, &mut buffer).is_ok();
        self.refs.history(&ref_name(kind, writer)).into_iter().find(|id| readable(id))
    }

    /// Visits the entries of a kind, newest first in the order (clock, writer, place), until `visit` breaks.
    ///
    /// Old segments are read only when the visit gets there. What cannot be read is told by [`Snapshot::damage`].
    pub fn walk(&self, kind: Kind, visit: impl FnMut(&View<'_>) -> ControlFlow<()>) {
        self.walk_hinted(kind, None, visit);
    }

    /// Visits as [`Snapshot::walk`] does, and may leave out entries in whose messages nothing of interest can stand.
    ///
    /// `hint` is asked about many messages at once, side by side, and about single ones. It must answer `true` for bytes
    /// that hold, whatever is around it, what the visit looks for. Entries it answers `false` for may be visited all the same.
    pub fn walk_hinted(
        &self,
        kind: Kind,
        hint: Option<Hint<'_>>,
        mut visit: impl FnMut(&View<'_>) -> ControlFlow<()>,
    ) {
        // One without a single entry to give still has its damage to tell.
        let mut readers: Vec<_> = self.readers(kind).collect();
        let mut give = |reader: &mut Reader<'_>| {
            // Looked at where it is: a view is large to move.
            let view = reader.view();
            let Some(view) = &view else {
                reader.report_no_entry();
                return ControlFlow::Continue(());
            };
            self.saw(view.clock());
            let visible = self.as_of.is_none_or(|time| view.clock() <= time) && !epoch::begins(view);
            if visible { visit(view) } else { ControlFlow::Continue(()) }
        };
        if let [reader] = &mut readers[..] {
            // One log alone is in order.
            while reader.step(hint) && give(reader).is_continue() {}
        } else {
            self.merge(&mut readers, hint, give);
        }
        self.note_all(readers.into_iter().flat_map(|reader| reader.damage));
    }

    /// Gives the readers of several logs to `give`, each time the one that has stepped to the newest entry.
    fn merge(
        &self,
        readers: &mut [Reader<'_>],
        hint: Option<Hint<'_>>,
        mut give: impl FnMut(&mut Reader<'_>) -> ControlFlow<()>,
    ) {
        // Readers stand in the order of their writers, so the index decides between equal clocks.
        let first = |(index, reader): (usize, &mut Reader<'_>)| {
            // Adopted logs are old ones: most visits end before they would have to be opened.
            let sealed = reader.is_unopened().then(|| self.adopted(reader.kind, &reader.writer)).flatten();
            Some((sealed.map_or_else(|| reader.advance_to(hint), |sealed| Some(sealed.clock))?, index))
        };
        let mut heap: BinaryHeap<_> = readers.iter_mut().enumerate().filter_map(first).collect();
        while let Some((_, index)) = heap.pop() {
            let reader = &mut readers[index];
            if !reader.is_unopened() && give(reader).is_break() {
                break;
            }
            heap.extend(reader.advance_to(hint).map(|clock| (clock, index)));
        }
    }

    fn note_all(&self, damage: impl IntoIterator<Item = Damage>) {
        let mut known = self.damage.borrow_mut();
        for found in damage {
            if !known.contains(&found) {
                known.push(found);
            }
        }
    }

    /// Visits every entry of one log, newest first; answers with what could not be read.
    pub(crate) fn walk_log(
        &self,
        kind: Kind,
        writer: &Writer,
        mut visit: impl FnMut(&View<'_>),
    ) -> Vec<Damage> {
        let Some(tip) = self.tip(kind, writer) else { return Vec::new() };
        let mut reader = self.reader(kind, writer, tip);
        while reader.advance().is_some() {
            if let Some(view) = reader.view() {
                visit(&view);
            }
        }
        reader.damage
    }

    /// The id that `bytes` would have.
    pub(crate) fn hash(&self, kind: ObjectKind, bytes: &[u8]) -> Option<EntryId> {
        self.odb.hash(kind, bytes)
    }

    /// Whether ids are SHA-256.
    pub(crate) fn is_sha256(&self) -> bool {
        self.odb.hash_kind() == gix::hash::Kind::Sha256
    }

    /// The entries of a kind, oldest first, as folds read them.
    pub fn entries(&self, kind: Kind) -> Vec<Entry> {
        let mut entries = Vec::new();
        self.walk(kind, |view| {
            entries.push(self.whole(view));
            ControlFlow::Continue(())
        });
        entries.reverse();
        entries
    }

    /// The entry that `view` shows, with its body wherever that is kept.
    pub fn whole(&self, view: &View<'_>) -> Entry {
        let mut entry = view.to_entry();
        if let Some(id) = view.payload() {
            match self.blob(id).map(String::from_utf8) {
                Ok(Ok(body)) => entry.body = body,
                Ok(Err(_)) => self.note(view, id, "its body is not UTF-8"),
                Err(error) => self.note(view, id, &error.to_string()),
            }
            entry.trailers.retain(|(key, _)| key != "Payload");
        }
        entry
    }

    /// Takes note of a file of the tree that could not be read.
    pub(crate) fn report(&self, path: &str, object: EntryId, message: &str) {
        let damage = Damage { log: path.to_owned(), object: Some(object), message: message.to_owned() };
        self.damage.borrow_mut().push(damage);
    }

    fn note(&self, view: &View<'_>, object: EntryId, message: &str) {
        let log = format!("{}/{}", view.kind, view.writer);
        let message = format!("{message}; it hides the body of {}", view.id);
        self.damage.borrow_mut().push(Damage { log, object: Some(object), message });
    }

    /// Finds the one entry, of any kind, whose id begins with `prefix`.
    ///
    /// # Errors
    /// [`FindError`] when there is none or more than one.
    pub fn find(&self, prefix: &str) -> Result<Entry, FindError> {
        let hex = prefix.to_ascii_lowercase();
        if !(PREFIX_MIN..=64).contains(&hex.len()) || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(FindError::NotAnId(prefix.to_owned()));
        }
        // Nearly all ids differ in the first two bytes already, and no entry is parsed for its id.
        let start = u16::from_str_radix(&hex[..4], 16).unwrap_or_default().to_be_bytes();
        let mut found: Vec<Entry> = Vec::new();
        for kind in Kind::ALL {
            for mut reader in self.readers(kind) {
                while reader.advance().is_some() {
                    let id = reader.id();
                    if !id.0.as_slice().starts_with(&start) || id.short(hex.len()) != hex {
                        continue;
                    }
                    let visible = |view: &View<'_>| self.as_of.is_none_or(|time| view.clock() <= time);
                    found.extend(reader.view().filter(visible).map(|view| self.whole(&view)));
                }
                self.note_all(reader.damage);
            }
        }
        match found.len() {
            0 => Err(FindError::Unknown(hex)),
            1 => Ok(found.remove(0)),
            _ => Err(FindError::Ambiguous {
                prefix: hex,
                candidates: found.iter().take(10).map(|entry| entry.id).collect(),
            }),
        }
    }

    /// Reads a blob.
    ///
    /// # Errors
    /// [`ObjectError`] when it is missing, damaged or no blob.
    pub fn blob(&self, id: EntryId) -> Result<Vec<u8>, ObjectError> {
        self.odb.blob(id)
    }
}
