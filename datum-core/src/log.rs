//! One writer's log of one kind, read newest first: the single commits of its tail, then its segments.

use crate::commit;
use crate::entry::{self, View};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::odb::{ObjectError, ObjectKind, Odb};
use crate::segment::{Name, Segment};
use crate::stamp::{Millis, Writer};
use crate::tree::{self, Item};

/// Something of a log that could not be read. What else there is, is read all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The log, `<kind>/<writer>`.
    pub log: String,
    /// The object that is the cause.
    pub object: Option<EntryId>,
    /// What is wrong, and how much of the log it hides.
    pub message: String,
}

/// The folder of segments in a log's tree.
pub(crate) const SEGMENTS: &str = "segments";
/// The folder of large bodies in a log's tree.
pub(crate) const PAYLOADS: &str = "payloads";

/// Reads a tree, in its order.
pub(crate) fn read_tree(odb: &Odb, id: EntryId) -> Result<Vec<Item>, ObjectError> {
    // git knows the empty tree without having it.
    if id.0.is_empty_tree() {
        return Ok(Vec::new());
    }
    let mut buffer = Vec::new();
    tree::parse(id, odb.read(id, ObjectKind::Tree, &mut buffer)?)
}

fn names(items: &[Item]) -> Vec<(Name, EntryId)> {
    items.iter().filter_map(|item| Some((item.text().and_then(Name::parse)?, item.id))).collect()
}

/// The folder of segments in a log's tree.
fn segments_folder(items: &[Item]) -> Option<EntryId> {
    items.iter().find(|item| item.name == SEGMENTS.as_bytes()).map(|item| item.id)
}

/// Finds the newest segments of a log whose tree is `tree`, oldest first: more than one whole one holds, or all.
pub(crate) fn last_segments<E>(
    tree: EntryId,
    read: impl Fn(EntryId) -> Result<Vec<Item>, E>,
) -> Result<Vec<(Name, EntryId)>, E> {
    let Some(folder) = segments_folder(&read(tree)?) else { return Ok(Vec::new()) };
    let folders = read(folder)?;
    let mut found = Vec::new();
    // Those that one whole segment replaces lie in one folder; the one before them may lie in another.
    for folder in &folders[folders.len().saturating_sub(2)..] {
        found.extend(names(&read(folder.id)?));
    }
    Ok(found)
}

/// Whether something of interest may stand in messages: whoever answers `false` need not see the entries in them.
///
/// It is asked about the bytes of one message, or of many side by side, perhaps with heads of commits between them.
pub type Hint<'h> = &'h dyn Fn(&[u8]) -> bool;

const NO_ENTRY: &str = "it is no entry of this log";

/// Reads commits from `tip` backwards until `stop` or `most` are read; what cannot be read ends it with an error beside.
fn chain(
    odb: &Odb,
    tip: EntryId,
    stop: Option<EntryId>,
    most: u64,
) -> (Segment, Option<EntryId>, Option<ObjectError>) {
    let mut chunk = Segment::default();
    let mut buffer = Vec::new();
    let mut next = Some(tip);
    let mut error = None;
    while let Some(id) = next.filter(|id| Some(*id) != stop && (chunk.len() as u64) < most) {
        match odb.read(id, ObjectKind::Commit, &mut buffer) {
            // A ref may lead anywhere, into a million ordinary commits too.
            Ok(raw) if clock_and_seq(raw).is_none() => {
                error = Some(ObjectError::Damaged { id, message: NO_ENTRY.to_owned() });
                break;
            }
            Ok(raw) => {
                chunk.push(id, raw);
                next = commit::parent(raw);
            }
            Err(problem) => {
                error = Some(problem);
                break;
            }
        }
    }
    chunk.reverse();
    (chunk, next, error)
}

/// Reads a log, newest entry first.
pub(crate) struct Reader<'s> {
    odb: &'s Odb,
    pub(crate) kind: Kind,
    pub(crate) writer: Writer,
    /// Folders of segments not yet opened, oldest first.
    folders: Vec<EntryId>,
    /// Segments of the opened folder not yet read, oldest first.
    segments: Vec<(Name, EntryId)>,
    chunk: Segment,
    /// A segment as it is stored.
    printed: Vec<u8>,
    /// Entries of the chunk not yet given.
    left: usize,
    /// Whether nothing of the chunk was looked at yet.
    fresh: bool,
    /// The tree of an adopted log, until it is opened.
    unopened: Option<EntryId>,
    /// Not even the newest entry can be read.
    blind: bool,
    pub(crate) damage: Vec<Damage>,
}

impl<'s> Reader<'s> {
    fn new(odb: &'s Odb, kind: Kind, writer: &Writer) -> Self {
        Self {
            odb,
            kind,
            writer: writer.clone(),
            folders: Vec::new(),
            segments: Vec::new(),
            chunk: Segment::default(),
            printed: Vec::new(),
            left: 0,
            fresh: true,
            unopened: None,
            blind: false,
            damage: Vec::new(),
        }
    }

    /// An adopted log, all of whose entries stand in the segments of `tree`; nothing is read before it is stepped into.
    pub(crate) fn sealed(odb: &'s Odb, kind: Kind, writer: &Writer, tree: EntryId) -> Self {
        Self { unopened: Some(tree), ..Self::new(odb, kind, writer) }
    }

    /// Whether nothing of it was read yet.
    pub(crate) fn is_unopened(&self) -> bool {
        self.unopened.is_some()
    }

    /// Opens the log whose newest entry is `tip`.
    pub(crate) fn open(odb: &'s Odb, kind: Kind, writer: &Writer, tip: EntryId) -> Self {
        let mut reader = Self::new(odb, kind, writer);
        let lost = reader.find_segments(tip).err();
        let sealed = reader.segments.last().map(|(name, _)| name.last);
        let (chunk, next, error) = chain(odb, tip, sealed, u64::MAX);
        reader.blind = error.is_some() && next == Some(tip);
        match (lost, error) {
            (_, Some(error)) if reader.blind => {
                reader.report(&error, "every entry since the value before it");
            }
            (Some(tree), None) => reader.report(&tree, "what only its segments hold"),
            (None, Some(error)) => reader.report(&error, "the entries between it and the last segment"),
            (Some(tree), Some(error)) => {
                reader.report(&tree, "what only its segments hold");
                reader.report(&error, "the entries before it");
            }
            (None, None) => {}
        }
        reader.left = chunk.len();
        reader.chunk = chunk;
        reader
    }

    fn find_segments(&mut self, tip: EntryId) -> Result<(), ObjectError> {
        let mut buffer = Vec::new();
        let Some(raw) = commit::parse(self.odb.read(tip, ObjectKind::Commit, &mut buffer)?) else {
            return Ok(());
        };
        self.find_segments_in(raw.tree)
    }

    fn find_segments_in(&mut self, tree: EntryId) -> Result<(), ObjectError> {
        if let Some(folder) = segments_folder(&read_tree(self.odb, tree)?) {
            self.folders = read_tree(self.odb, folder)?.into_iter().map(|item| item.id).collect();
            self.open_folder();
        }
        Ok(())
    }

    fn report(&mut self, error: &ObjectError, hides: &str) {
        let object = match error {
            ObjectError::Missing(id) | ObjectError::Damaged { id, .. } => Some(*id),
            _ => None,
        };
        let message = format!("{error}; it hides {hides}");
        self.damage.push(Damage { log: format!("{}/{}", self.kind, self.writer), object, message });
    }

    /// Whether not even the newest entry can be read.
    pub(crate) fn is_blind(&self) -> bool {
        self.blind
    }

    /// Tells something about the log that is not the fault of one object.
    pub(crate) fn note(&mut self, message: String) {
        self.damage.push(Damage { log: format!("{}/{}", self.kind, self.writer), object: None, message });
    }

    fn open_folder(&mut self) {
        while self.segments.is_empty() {
            let Some(folder) = self.folders.pop() else { return };
            match read_tree(self.odb, folder) {
                Ok(items) => self.segments = names(&items),
                Err(error) => self.report(&error, "a folder of up to 100 segments"),
            }
        }
    }

    /// Loads the chunk before this one; `false` at the beginning of the log.
    fn load(&mut self) -> bool {
        self.fresh = true;
        self.open_folder();
        let Some((name, blob)) = self.segments.pop() else { return false };
        self.open_folder();
        let before = self.segments.last().map_or(0, |(name, _)| name.end);
        if let Err(error) = self.read_segment(name, blob) {
            // The same commits may still stand in the chain.
            let count = name.end.saturating_sub(before);
            let (chunk, _, broken) = chain(self.odb, name.last, None, count);
            let short = broken.is_some() || (chunk.len() as u64) < count;
            if short && self.odb.fetch(blob) && self.read_segment(name, blob).is_ok() {
                self.left = self.chunk.len();
                return true;
            }
            if short {
                let hidden = format!("entries {} to {}", before + 1, name.end - chunk.len() as u64);
                self.report(&error, &hidden);
            }
            self.chunk = chunk;
        }
        self.left = self.chunk.len();
        true
    }

    fn read_segment(&mut self, name: Name, blob: EntryId) -> Result<(), ObjectError> {
        let printed = self.odb.read_alike(blob, ObjectKind::Blob, &mut self.printed)?;
        let none = || ObjectError::Damaged { id: blob, message: "it is no segment".to_owned() };
        self.chunk.read(printed, name.last).ok_or_else(none)
    }

    /// Steps to the next older entry and answers with its clock, as its last lines have it; `None` when there is none.
    pub(crate) fn advance(&mut self) -> Option<Millis> {
        self.advance_to(None)
    }

    /// Like [`Reader::advance`]; steps as [`Reader::step`] does.
    pub(crate) fn advance_to(&mut self, hint: Option<Hint<'_>>) -> Option<Millis> {
        while self.step(hint) {
            let clock = self.chunk.clock(self.left);
            if clock.is_some() {
                return clock;
            }
            self.report_no_entry();
        }
        None
    }

    /// Steps to the next older commit; `false` when there is none. May step over those in whose messages nothing of interest
    /// can stand, says `hint`, but never over all of a chunk: a reader must not run ahead of the others.
    pub(crate) fn step(&mut self, hint: Option<Hint<'_>>) -> bool {
        if let Some(tree) = self.unopened.take()
            && let Err(error) = self.find_segments_in(tree)
        {
            self.report(&error, "the whole log");
        }
        loop {
            if let Some(hint) = hint
                && std::mem::take(&mut self.fresh)
                && !self.chunk.span(self.left).is_some_and(hint)
            {
                self.left = self.left.min(1);
            }
            while self.left > 0 {
                self.left -= 1;
                let own = || self.chunk.own(self.left);
                let of_interest = |hint: Hint<'_>| own().is_some_and(hint);
                if self.left == 0 || hint.is_none_or(of_interest) {
                    return true;
                }
            }
            if !self.load() {
                return false;
            }
        }
    }

    /// Tells that the commit stepped to is no entry.
    pub(crate) fn report_no_entry(&mut self) {
        if self.damage.iter().any(|damage| damage.message.contains(NO_ENTRY)) {
            return;
        }
        let error = ObjectError::Damaged { id: self.id(), message: NO_ENTRY.to_owned() };
        self.report(&error, "itself, and perhaps others alike");
    }

    /// The id of the entry stepped to.
    pub(crate) fn id(&self) -> EntryId {
        self.chunk.ids()[self.left]
    }

    /// The entry stepped to; `None` if it is no entry of this log.
    pub(crate) fn view(&self) -> Option<View<'_>> {
        self.chunk.commit(self.left)?.view(self.id(), self.kind, &self.writer)
    }
}

/// The clock and place of the entry in a raw commit.
pub(crate) fn clock_and_seq(raw: &[u8]) -> Option<(Millis, u64)> {
    let message = entry::Message::parse(commit::parse(raw)?.message)?;
    Some((message.clock, message.seq))
}
