//! A log's lineage: the ids of all its entries in their places, checked before a log from elsewhere is believed.
//!
//! Segments give back each raw commit, so a lineage needs no old history: two logs are compared place by place, whether or
//! not either has begun a new epoch since.

use crate::adopt::container::Sealed;
use crate::commit;
use crate::entry::{BODY_MAX, View};
use crate::epoch;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::log::{PAYLOADS, SEGMENTS};
use crate::odb::{ObjectError, ObjectKind, Odb};
use crate::segment::{self, Name};
use crate::stamp::{Millis, SKEW_MAX, Writer};
use crate::tree::{self, Item};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Largest commit that is believed, bytes: a body of 32 KiB, many trailers, a signature.
const COMMIT_MAX: u64 = 1024 * 1024;
/// Largest segment that is believed, bytes.
const SEGMENT_MAX: u64 = 64 * 1024 * 1024;
/// Largest tree that is believed, bytes.
const TREE_MAX: u64 = 4 * 1024 * 1024;
/// Most single commits after the last segment; a writer seals every 256.
const TAIL_MAX: u64 = 4096;

/// Why a log is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub(crate) struct Doubt {
    pub(crate) object: EntryId,
    pub(crate) why: String,
    /// An object is not there, so that more cannot be said.
    pub(crate) missing: bool,
}

fn doubt(object: EntryId, why: impl Into<String>) -> Doubt {
    Doubt { object, why: why.into(), missing: false }
}

fn unreadable(object: EntryId) -> impl Fn(ObjectError) -> Doubt {
    move |error| Doubt { object, why: error.to_string(), missing: matches!(error, ObjectError::Missing(_)) }
}

/// The places of one log.
#[derive(Debug)]
pub(crate) struct Lineage<'s> {
    odb: &'s Odb,
    kind: Kind,
    writer: Writer,
    pub(crate) tip: EntryId,
    pub(crate) tree: EntryId,
    /// Entries in the log; the place of the tip.
    pub(crate) count: u64,
    /// Oldest first.
    pub(crate) segments: Vec<(Name, EntryId)>,
    /// The commits after the last segment, oldest first.
    tail: Vec<(EntryId, Vec<u8>)>,
    /// The ids of the segment that was asked for last.
    opened: RefCell<Option<(usize, Vec<EntryId>)>>,
}

impl<'s> Lineage<'s> {
    /// Reads the log that ends in `tip`, and checks its single commits and the shape of its tree.
    pub(crate) fn read(odb: &'s Odb, kind: Kind, writer: &Writer, tip: EntryId) -> Result<Self, Doubt> {
        let mut buffer = Vec::new();
        let raw =
            odb.read_bounded(tip, ObjectKind::Commit, COMMIT_MAX, &mut buffer).map_err(unreadable(tip))?;
        let tree = commit::tree(raw).ok_or_else(|| doubt(tip, "it names no tree"))?;
        let mut lineage = Self {
            odb,
            kind,
            writer: writer.clone(),
            tip,
            tree,
            count: 0,
            segments: Vec::new(),
            tail: Vec::new(),
            opened: RefCell::new(None),
        };
        lineage.read_segments()?;
        lineage.read_tail()?;
        Ok(lineage)
    }

    /// Reads an adopted log, whose entries all stand in segments.
    pub(crate) fn read_sealed(
        odb: &'s Odb,
        kind: Kind,
        writer: &Writer,
        sealed: &Sealed,
    ) -> Result<Self, Doubt> {
        let Sealed { tree, tip, count, .. } = *sealed;
        let mut lineage = Self {
            odb,
            kind,
            writer: writer.clone(),
            tip,
            tree,
            count,
            segments: Vec::new(),
            tail: Vec::new(),
            opened: RefCell::new(None),
        };
        lineage.read_segments()?;
        match lineage.segments.last() {
            Some((last, _)) if last.last == tip && last.end == count => Ok(lineage),
            _ => Err(doubt(tree, "its segments do not end where its name says")),
        }
    }

    fn items(&self, id: EntryId) -> Result<Vec<Item>, Doubt> {
        if id.0.is_empty_tree() {
            return Ok(Vec::new());
        }
        let mut buffer = Vec::new();
        let bytes =
            self.odb.read_bounded(id, ObjectKind::Tree, TREE_MAX, &mut buffer).map_err(unreadable(id))?;
        tree::parse(id, bytes).map_err(unreadable(id))
    }

    fn read_segments(&mut self) -> Result<(), Doubt> {
        let tree = self.tree;
        let mut folder = None;
        for item in self.items(tree)? {
            match item.text() {
                Some(SEGMENTS) if item.mode.is_tree() => folder = Some(item.id),
                Some(PAYLOADS) if item.mode.is_tree() => {}
                name => {
                    let name = name.unwrap_or("bytes that are no text");
                    return Err(doubt(tree, format!("its tree holds {name:?}, which no log does")));
                }
            }
        }
        let Some(folder) = folder else { return Ok(()) };
        for below in self.items(folder)? {
            if !below.mode.is_tree() {
                return Err(doubt(folder, "its folder of segments holds a file"));
            }
            for item in self.items(below.id)? {
                let name = item.text().and_then(Name::parse).filter(|_| item.mode.is_blob());
                let name = name.ok_or_else(|| doubt(below.id, "its tree holds a segment that is none"))?;
                if name.end <= self.segments.last().map_or(0, |(before, _)| before.end) {
                    return Err(doubt(below.id, "its segments are out of order"));
                }
                self.segments.push((name, item.id));
            }
        }
        Ok(())
    }

    /// Walks from the tip to the last segment.
    fn read_tail(&mut self) -> Result<(), Doubt> {
        let sealed = self.segments.last().map(|(name, _)| *name);
        let mut buffer = Vec::new();
        let mut next = Some(self.tip);
        while let Some(id) = next.filter(|id| sealed.is_none_or(|sealed| sealed.last != *id)) {
            if self.tail.len() as u64 >= TAIL_MAX {
                return Err(doubt(id, format!("more than {TAIL_MAX} of its entries are not sealed")));
            }
            let raw = self.odb.read_bounded(id, ObjectKind::Commit, COMMIT_MAX, &mut buffer);
            let raw = raw.map_err(unreadable(id))?;
            next = epoch::before(raw);
            self.tail.push((id, raw.to_owned()));
        }
        if next.is_none() && sealed.is_some() {
            return Err(doubt(self.tip, "its commits do not follow its last segment"));
        }
        self.tail.reverse();
        self.count = sealed.map_or(0, |sealed| sealed.end) + self.tail.len() as u64;
        let mut before = sealed.map_or(0, |sealed| sealed.end);
        for (id, raw) in &self.tail {
            before += 1;
            self.entry(*id, raw, before)?;
        }
        Ok(())
    }

    /// Checks one commit as the entry in the place `seq`; answers with its clock.
    fn entry(&self, id: EntryId, raw: &[u8], seq: u64) -> Result<Millis, Doubt> {
        let Some(view) = commit::view(raw, id, self.kind, &self.writer) else {
            return Err(doubt(id, format!("{} is no entry of a {} log", id.short(12), self.kind)));
        };
        if view.seq() != seq {
            return Err(doubt(
                id,
                format!("{} says it is entry {}, and is entry {seq}", id.short(12), view.seq()),
            ));
        }
        let author = commit::author(raw).map(|(author, _)| author).unwrap_or_default();
        let own = format!("{} <{}@datum>", self.writer.agent(), self.writer);
        if view.agent() != self.writer.agent() || author != own {
            let claimed: String = format!("{} ({author})", view.agent()).chars().take(120).collect();
            return Err(doubt(id, format!("{} claims to be by {claimed:?}, and is not", id.short(12))));
        }
        Ok(view.clock())
    }

    /// Checks everything that `known`, a lineage of the same log that is believed, does not hold.
    pub(crate) fn verify(&self, known: Option<&Self>, now: Millis) -> Result<(), Doubt> {
        let same = |(ours, theirs): &(&(Name, EntryId), &(Name, EntryId))| ours == theirs;
        let held =
            known.map_or(0, |known| self.segments.iter().zip(&known.segments).take_while(same).count());
        let mut before = self.segments[..held].last().map(|(name, _)| *name);
        let mut clock = 0;
        let mut payloads = Payloads::default();
        let mut buffer = Vec::new();
        for (name, blob) in &self.segments[held..] {
            let read = self.odb.read_bounded(*blob, ObjectKind::Blob, SEGMENT_MAX, &mut buffer);
            let bytes = read.map_err(unreadable(*blob))?;
            let segment =
                segment::parse(bytes, name.last).ok_or_else(|| doubt(*blob, "a segment is none"))?;
            let start = before.map_or(0, |before: Name| before.end);
            if name.end - start != segment.len() as u64 {
                return Err(doubt(
                    *blob,
                    format!("the segment to entry {} holds {} entries", name.end, segment.len()),
                ));
            }
            let mut last = before.map(|before| before.last);
            for ((id, raw), seq) in segment.commits().zip(start + 1..) {
                if self.odb.hash(ObjectKind::Commit, &raw) != Some(id) || epoch::before(&raw) != last {
                    return Err(doubt(*blob, format!("sealed entry {seq} is not what its id says")));
                }
                clock = self.one(id, &raw, seq, clock, now, &mut payloads)?;
                last = Some(id);
            }
            before = Some(*name);
        }
        let start = before.map_or(0, |before| before.end);
        for ((id, raw), seq) in self.tail.iter().zip(start + 1..) {
            clock = self.one(*id, raw, seq, clock, now, &mut payloads)?;
        }
        Ok(())
    }

    fn one(
        &self,
        id: EntryId,
        raw: &[u8],
        seq: u64,
        clock: Millis,
        now: Millis,
        payloads: &mut Payloads,
    ) -> Result<Millis, Doubt> {
        let at = self.entry(id, raw, seq)?;
        if at > now + SKEW_MAX {
            let hours = (at - now) / 3_600_000;
            return Err(doubt(id, format!("{} is stamped {hours} h ahead of this clock", id.short(12))));
        }
        if at <= clock {
            return Err(doubt(id, format!("{} is stamped before the entry it follows", id.short(12))));
        }
        if commit::parents(raw).len() > 1 {
            return Err(doubt(id, format!("{} is a merge", id.short(12))));
        }
        if let Some(payload) = commit::view(raw, id, self.kind, &self.writer).and_then(|view| view.payload())
        {
            payloads.check(self, id, payload)?;
        }
        Ok(at)
    }

    /// The id of the entry in the place `seq`, counted from 1.
    pub(crate) fn at(&self, seq: u64) -> Option<EntryId> {
        let sealed = self.segments.last().map_or(0, |(name, _)| name.end);
        if seq > sealed {
            let index = usize::try_from(seq - sealed - 1).ok()?;
            return self.tail.get(index).map(|(id, _)| *id);
        }
        let index = self.segments.partition_point(|(name, _)| name.end < seq);
        let (name, blob) = self.segments.get(index)?;
        if name.end == seq {
            return Some(name.last);
        }
        let start = index.checked_sub(1).map_or(0, |before| self.segments[before].0.end);
        let place = usize::try_from(seq.checked_sub(start + 1)?).ok()?;
        let mut opened = self.opened.borrow_mut();
        if opened.as_ref().is_none_or(|(at, _)| *at != index) {
            let mut buffer = Vec::new();
            let bytes = self.odb.read_bounded(*blob, ObjectKind::Blob, SEGMENT_MAX, &mut buffer).ok()?;
            *opened = Some((index, segment::parse(bytes, name.last)?.ids().to_vec()));
        }
        opened.as_ref().and_then(|(_, ids)| ids.get(place).copied())
    }

    /// Whether `other` is a beginning of this log, or all of it.
    pub(crate) fn holds(&self, other: &Self) -> bool {
        other.count <= self.count && self.at(other.count) == Some(other.tip)
    }

    /// How many entries the two have in common: all before the first that differs.
    pub(crate) fn common(&self, other: &Self) -> u64 {
        // An id stands for all that lies before it, so what is common is a beginning.
        let (mut low, mut high) = (0, self.count.min(other.count));
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if self.at(middle).is_some() && self.at(middle) == other.at(middle) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        low
    }

    /// Visits the entries after the place `after`, oldest first.
    pub(crate) fn visit_after(&self, after: u64, mut visit: impl FnMut(&View<'_>)) -> Result<(), Doubt> {
        let mut buffer = Vec::new();
        let mut show = |id, raw: &[u8]| {
            if let Some(view) = commit::view(raw, id, self.kind, &self.writer)
                && view.seq() > after
            {
                visit(&view);
            }
        };
        for (name, blob) in self.segments.iter().filter(|(name, _)| name.end > after) {
            let read = self.odb.read_bounded(*blob, ObjectKind::Blob, SEGMENT_MAX, &mut buffer);
            let bytes = read.map_err(unreadable(*blob))?;
            let segment = segment::parse(bytes, name.last).unwrap_or_default();
            segment.commits().for_each(|(id, raw)| show(id, &raw));
        }
        self.tail.iter().for_each(|(id, raw)| show(*id, raw));
        Ok(())
    }
}

/// The folders of large bodies that were looked into.
#[derive(Default)]
struct Payloads(BTreeMap<String, Vec<Item>>);

impl Payloads {
    /// Checks that `payload` lies in the log's own tree: an entry must not name just any blob of the reader's.
    fn check(&mut self, log: &Lineage<'_>, entry: EntryId, payload: EntryId) -> Result<(), Doubt> {
        let hex = payload.to_string();
        let (folder, file) = hex.split_at(2);
        if !self.0.contains_key(folder) {
            let below =
                |items: Vec<Item>, name: &str| items.into_iter().find(|item| item.name == name.as_bytes());
            let items = match below(log.items(log.tree)?, PAYLOADS) {
                Some(payloads) => match below(log.items(payloads.id)?, folder) {
                    Some(folder) => log.items(folder.id)?,
                    None => Vec::new(),
                },
                None => Vec::new(),
            };
            self.0.insert(folder.to_owned(), items);
        }
        let known = self.0.get(folder).is_some_and(|items| {
            items.iter().any(|item| item.name == file.as_bytes() && item.id == payload && item.mode.is_blob())
        });
        if !known {
            return Err(doubt(entry, format!("the body of {} is not in its log", entry.short(12))));
        }
        let mut buffer = Vec::new();
        let most = u64::try_from(BODY_MAX).unwrap_or(u64::MAX);
        let read = log.odb.read_bounded(payload, ObjectKind::Blob, most, &mut buffer);
        read.map(|_| ()).map_err(unreadable(payload))
    }
}
