//! A segment: commits of a log in their order, side by side.
//!
//! ```text
//! datum segment 2\n
//! <count> <bytes of an id> <ids in the text> <place of the first in the log> <clock before the first>\n
//! <the parent of each commit: its bytes, zeros for none>
//! <the ids in the text: their bytes>
//! ```
//! and the text, in which a zero byte stands for each id:
//! ```text
//! <length of its own text> <milliseconds since the one before> <length of what is shared>\n<shared><own>
//! <length of its own text> <milliseconds since the one before>\n<own>    shares the same as the one before
//! …
//! ```
//! Ids are most of what entries about others hold, and as digits they cost a reader twice what they do as bytes.
//!
//! A commit is kept in parts, see [`Parts`]. Each names the one before it as its parent, so the ids stand in the segment
//! itself, except the last one's: that stands in the segment's name in the tree,
//! `segments/<hundreds>/<entries so far>-<id of the last>`.
//!
//! Where a commit could not be put together again from its parts, and in segments made before there were parts, whole
//! commits stand side by side:
//!
//! ```text
//! datum segment 1\n
//! <length>\n<raw commit><length>\n<raw commit>…
//! ```

mod print;
#[cfg(test)]
mod tests;

pub(crate) use print::{FORMATS, Print, print};

use crate::commit::{self, Parts, Shared, Source};
use crate::entry;
use crate::id::EntryId;
use crate::stamp::Millis;
use memchr::memchr_iter;
use std::borrow::Cow;
use std::ops::Range;

/// Entries a writer lets pile up as single commits before it seals them.
///
/// What a reader pays for a log is its single commits above all: one costs as much as eight in a segment, loose ones more.
pub(crate) const SEAL_EVERY: u64 = 32;
/// Entries of a whole segment: at each multiple the smaller ones before it become one.
pub(crate) const WHOLE: u64 = 256;

/// Whether a log of `count` entries is sealed before the next of an append that brings it to `goal` entries.
pub(crate) fn is_due(count: u64, goal: u64) -> bool {
    // Within a long append smaller segments would be made only to be joined again.
    count > 0
        && (count.is_multiple_of(WHOLE) || (count.is_multiple_of(SEAL_EVERY) && goal - count <= SEAL_EVERY))
}

/// How many of the segments in `names`, oldest first, stay for sure when a log of `count` entries is sealed. The new one
/// takes the place of the others, as far back as the present epoch goes.
pub(crate) fn kept(names: &[Name], count: u64) -> usize {
    let whole = if count.is_multiple_of(WHOLE) { count.saturating_sub(WHOLE) } else { count };
    names.partition_point(|name| name.end <= whole)
}

const WHOLES: &[u8] = b"datum segment 1\n";
const PARTS: &[u8] = b"datum segment 2\n";
/// Longest text that is shared, bytes: what stands once for many must not make much of little.
const SHARED_MAX: u64 = 4096;

/// Commits side by side, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Whole commits.
    bytes: Vec<u8>,
    /// The text of commits in parts.
    text: String,
    places: Vec<Place>,
    ids: Vec<EntryId>,
    /// What the commits share, in parts.
    shared: Vec<Shared>,
    /// The parent of the first, in parts.
    before: Option<EntryId>,
    /// The place of the first in the log, in parts.
    first: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// The bytes of the whole commit, or of its own part.
    text: Range<usize>,
    /// In parts: its clock, and which of the shared texts is its.
    parts: Option<(Millis, usize)>,
}

impl Segment {
    /// How many commits there are.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The ids, oldest first.
    pub(crate) fn ids(&self) -> &[EntryId] {
        &self.ids
    }

    /// The commit at `at`, from 0.
    pub(crate) fn commit(&self, at: usize) -> Option<Source<'_>> {
        let Place { text, parts } = self.places.get(at)?;
        let Some((clock, shared)) = *parts else {
            return self.bytes.get(text.clone()).map(Source::Whole);
        };
        let own = self.text.get(text.clone())?;
        let parent = at.checked_sub(1).map_or(self.before, |before| self.ids.get(before).copied());
        let shared = self.shared.get(shared)?;
        Some(Source::Parts(Parts { shared, parent, own, clock, seq: self.first + at as u64 }))
    }

    /// The clock of the commit at `at`, from 0; `None` when it is no entry.
    pub(crate) fn clock(&self, at: usize) -> Option<Millis> {
        match self.places.get(at)?.parts {
            Some((clock, _)) => Some(clock),
            None => entry::clock(self.own(at)?),
        }
    }

    /// Bytes with all that is the own of the commit at `at`, from 0.
    pub(crate) fn own(&self, at: usize) -> Option<&[u8]> {
        let Place { text, parts } = self.places.get(at)?;
        self.kept(parts.is_some()).get(text.clone())
    }

    /// Bytes with all that is the own of the first `count` commits.
    pub(crate) fn span(&self, count: usize) -> Option<&[u8]> {
        let texts = self.places.get(..count)?.iter().map(|place| &place.text);
        let all = texts.clone().map(|text| text.start).min()?..texts.map(|text| text.end).max()?;
        self.kept(self.places.first()?.parts.is_some()).get(all)
    }

    fn kept(&self, in_parts: bool) -> &[u8] {
        if in_parts { self.text.as_bytes() } else { &self.bytes }
    }

    /// All raw commits with their ids, oldest first.
    pub(crate) fn commits(&self) -> impl DoubleEndedIterator<Item = (EntryId, Cow<'_, [u8]>)> {
        let raw = |at| self.commit(at).map_or(Cow::Borrowed(&[][..]), Source::raw);
        self.ids.iter().enumerate().map(move |(at, id)| (*id, raw(at)))
    }

    /// Takes a whole commit as the newest.
    pub(crate) fn push(&mut self, id: EntryId, raw: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(raw);
        self.places.push(Place { text: start..self.bytes.len(), parts: None });
        self.ids.push(id);
    }

    /// Turns the order round, for who met the newest first.
    pub(crate) fn reverse(&mut self) {
        self.places.reverse();
        self.ids.reverse();
    }

    /// Forgets all commits, and keeps the room for others.
    fn clear(&mut self) {
        self.bytes.clear();
        self.text.clear();
        self.places.clear();
        self.ids.clear();
        self.shared.clear();
    }

    /// Reads what [`print`] printed, the last commit of which is `last`, in place of what there was; `None`, and nothing,
    /// when its parts do not add up.
    pub(crate) fn read(&mut self, printed: &[u8], last: EntryId) -> Option<()> {
        self.clear();
        let read = if printed.starts_with(PARTS) {
            self.read_parts(printed, last)
        } else {
            self.read_wholes(printed, last)
        };
        if read.is_none() {
            self.clear();
        }
        read
    }

    fn read_wholes(&mut self, printed: &[u8], last: EntryId) -> Option<()> {
        self.bytes.extend_from_slice(printed);
        let bytes = &self.bytes[..];
        let mut at = bytes.starts_with(WHOLES).then_some(WHOLES.len())?;
        while at < bytes.len() {
            let length = number(bytes, &mut at)?;
            skip(bytes, &mut at, b'\n')?;
            let text = take(bytes, &mut at, length)?;
            if !self.places.is_empty() {
                self.ids.push(commit::parent(&bytes[text.clone()])?);
            }
            self.places.push(Place { text, parts: None });
        }
        self.ids.push(last);
        (!self.places.is_empty()).then_some(())
    }

    fn read_parts(&mut self, printed: &[u8], last: EntryId) -> Option<()> {
        let Head { count, size, first, mut clock, parents, named } = Head::parse(printed)?;
        self.first = first;
        let at = named.end;
        let mut parents = printed[parents].chunks_exact(size).map(|id| gix::ObjectId::try_from(id).ok());
        self.before = parents.next()?.map(|id| (!id.is_null()).then_some(EntryId(id)))?;
        for id in parents {
            self.ids.push(id.filter(|id| !id.is_null()).map(EntryId)?);
        }
        self.ids.push(last);
        let text = std::str::from_utf8(&printed[at..]).ok()?;
        spell_out(text, printed[named].chunks_exact(size), &mut self.text)?;
        let (bytes, mut at) = (self.text.as_bytes(), 0);
        for _ in 0..count {
            let own = number(bytes, &mut at)?;
            clock = spaced(bytes, &mut at)?.checked_add(clock)?;
            if bytes.get(at) == Some(&b' ') {
                let length = spaced(bytes, &mut at).filter(|length| *length <= SHARED_MAX)?;
                skip(bytes, &mut at, b'\n')?;
                self.shared.push(Shared::parse(&bytes[take(bytes, &mut at, length)?])?);
            } else {
                skip(bytes, &mut at, b'\n')?;
            }
            let shared = self.shared.len().checked_sub(1)?;
            self.places.push(Place { text: take(bytes, &mut at, own)?, parts: Some((clock, shared)) });
        }
        (at == bytes.len()).then_some(())
    }
}

/// What stands before the text of a segment in parts.
struct Head {
    count: u64,
    /// Bytes of an id.
    size: usize,
    first: u64,
    clock: Millis,
    /// Where the parents are.
    parents: Range<usize>,
    /// Where the ids in the text are.
    named: Range<usize>,
}

impl Head {
    fn parse(printed: &[u8]) -> Option<Self> {
        let mut at = PARTS.len();
        let count = number(printed, &mut at)?;
        let size = spaced(printed, &mut at).filter(|size| *size > 0)?;
        let named = spaced(printed, &mut at)?;
        let first = spaced(printed, &mut at)?;
        let clock = spaced(printed, &mut at)?;
        skip(printed, &mut at, b'\n')?;
        first.checked_add(count)?;
        let parents = take(printed, &mut at, size.checked_mul(count)?)?;
        let named = take(printed, &mut at, size.checked_mul(named)?)?;
        Some(Self { count, size: usize::try_from(size).ok()?, first, clock, parents, named })
    }
}

/// How many bytes at the beginning of a segment do not get smaller when they are compressed: ids are nearly all of them.
pub(crate) fn dense(printed: &[u8]) -> usize {
    let head = printed.starts_with(PARTS).then(|| Head::parse(printed)).flatten();
    head.map_or(0, |head| head.named.end)
}

/// Puts ids into the places of zero bytes in a text; `None` when there are more or fewer.
fn spell_out<'i>(
    text: &str,
    mut ids: impl ExactSizeIterator<Item = &'i [u8]>,
    out: &mut String,
) -> Option<()> {
    let mut digits = [0; 64];
    out.reserve(text.len() + ids.len() * digits.len());
    let mut from = 0;
    for at in memchr_iter(0, text.as_bytes()) {
        let id = gix::hash::oid::try_from_bytes(ids.next()?).ok()?;
        out.push_str(&text[from..at]);
        out.push_str(id.hex_to_buf(&mut digits));
        from = at + 1;
    }
    out.push_str(&text[from..]);
    ids.next().is_none().then_some(())
}

/// Reads a segment whose last commit is `last`; `None` when its parts do not add up.
pub(crate) fn parse(printed: &[u8], last: EntryId) -> Option<Segment> {
    let mut segment = Segment::default();
    segment.read(printed, last).map(|()| segment)
}

fn take(bytes: &[u8], at: &mut usize, length: u64) -> Option<Range<usize>> {
    let end = at.checked_add(usize::try_from(length).ok()?).filter(|end| *end <= bytes.len())?;
    Some(std::mem::replace(at, end)..end)
}

fn skip(bytes: &[u8], at: &mut usize, byte: u8) -> Option<()> {
    (bytes.get(*at) == Some(&byte)).then(|| *at += 1)
}

/// Takes a space and a number.
fn spaced(bytes: &[u8], at: &mut usize) -> Option<u64> {
    skip(bytes, at, b' ')?;
    number(bytes, at)
}

fn number(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let start = *at;
    let mut number = 0u64;
    while let Some(digit) = bytes.get(*at).filter(|byte| byte.is_ascii_digit()) {
        number = number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
        *at += 1;
    }
    (*at > start).then_some(number)
}

/// The name of a segment: the entries of the log up to its end, and the id of its last entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) end: u64,
    pub(crate) last: EntryId,
}

impl Name {
    /// The folder and the file name; names sort as the numbers do.
    pub(crate) fn print(&self) -> (String, String) {
        let Self { end, last } = self;
        (format!("{:06}", (end - 1) / (WHOLE * 100)), format!("{end:012}-{last}"))
    }

    /// Parses a file name.
    pub(crate) fn parse(file: &str) -> Option<Self> {
        let (end, last) = file.split_once('-')?;
        let end = end.parse().ok().filter(|end| *end > 0)?;
        Some(Self { end, last: EntryId::from_hex(last)? })
    }
}
