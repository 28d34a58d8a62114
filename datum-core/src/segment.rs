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

use crate::commit::{self, Parts, Shared, Source};
use crate::entry;
use crate::id::EntryId;
use crate::stamp::Millis;
use memchr::{memchr, memchr_iter};
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
        let mut at = PARTS.len();
        let count = number(printed, &mut at)?;
        let size = spaced(printed, &mut at).filter(|size| *size > 0)?;
        let named = spaced(printed, &mut at)?;
        self.first = spaced(printed, &mut at)?;
        let mut clock = spaced(printed, &mut at)?;
        skip(printed, &mut at, b'\n')?;
        self.first.checked_add(count)?;
        let parents = take(printed, &mut at, size.checked_mul(count)?)?;
        let named = take(printed, &mut at, size.checked_mul(named)?)?;
        let size = usize::try_from(size).ok()?;
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

/// Prints raw commits.
pub(crate) type Print = fn(&[&[u8]]) -> Vec<u8>;
/// What may have printed a segment, the newest first.
pub(crate) const FORMATS: [Print; 2] = [print, print_wholes];

/// Prints raw commits, oldest first.
pub(crate) fn print(commits: &[&[u8]]) -> Vec<u8> {
    print_parts(commits).unwrap_or_else(|| print_wholes(commits))
}

/// Prints raw commits, oldest first, as segments were before there were parts.
pub(crate) fn print_wholes(commits: &[&[u8]]) -> Vec<u8> {
    let mut out = WHOLES.to_vec();
    for raw in commits {
        out.extend_from_slice(raw.len().to_string().as_bytes());
        out.push(b'\n');
        out.extend_from_slice(raw);
    }
    out
}

fn print_parts(commits: &[&[u8]]) -> Option<Vec<u8>> {
    let splits: Vec<_> = commits.iter().map(|raw| commit::split(raw)).collect::<Option<_>>()?;
    let first = splits.first()?;
    let hash = commit::tree(commits.first()?)?.0.kind();
    let before = first.clock.checked_sub(1)?;
    let mut text = Vec::new();
    let (mut clock, mut shared) = (before, "");
    for (split, seq) in splits.iter().zip(first.seq..) {
        let since = split.clock.checked_sub(clock).filter(|_| split.seq == seq)?;
        clock = split.clock;
        let own = split.own.len();
        if split.shared == shared {
            text.extend_from_slice(format!("{own} {since}\n").as_bytes());
        } else {
            shared = Some(&split.shared[..]).filter(|shared| shared.len() as u64 <= SHARED_MAX)?;
            text.extend_from_slice(format!("{own} {since} {}\n{shared}", shared.len()).as_bytes());
        }
        text.extend_from_slice(split.own.as_bytes());
    }
    let size = hash.len_in_bytes();
    let (text, ids) = take_ids(&text, size)?;
    let (count, named) = (splits.len(), ids.len() / size);
    let mut out = [PARTS, format!("{count} {size} {named} {} {before}\n", first.seq).as_bytes()].concat();
    for split in &splits {
        let parent = split.parent.map_or(hash.null(), |parent| parent.0);
        out.extend_from_slice(Some(parent.as_bytes()).filter(|bytes| bytes.len() == size)?);
    }
    out.extend_from_slice(&ids);
    out.extend_from_slice(&text);
    Some(out)
}

/// Takes the ids of `size` bytes out of a text, and leaves a zero byte for each; `None` for one that has such bytes.
fn take_ids(text: &[u8], size: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    let (mut out, mut ids) = (Vec::with_capacity(text.len()), Vec::new());
    for run in text.chunk_by(|a, b| is_digit(*a) == is_digit(*b)) {
        let id =
            Some(run).filter(|run| run.len() == size * 2).and_then(|run| gix::ObjectId::from_hex(run).ok());
        match id {
            Some(id) => {
                ids.extend_from_slice(id.as_bytes());
                out.push(0);
            }
            None => out.extend_from_slice(run),
        }
    }
    memchr(0, text).is_none().then_some((out, ids))
}

/// Whether a byte is a hexadecimal digit as git prints them.
fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "0123456789012345678901234567890123456789";

    fn id(at: usize) -> EntryId {
        EntryId::from_hex(&format!("{at:040}")).unwrap()
    }

    /// A commit as they follow each other in a log; `extra` makes what is shared another.
    fn commit((at, (extra, text)): (usize, (bool, String))) -> Vec<u8> {
        let parent = if at == 0 { String::new() } else { format!("parent {}\n", id(at)) };
        let extra = if extra { format!("gpgsig {at}\n") } else { String::new() };
        let clock = 7123 + at * 2;
        format!(
            "tree {ID}\n{parent}author a <w@datum> 7 +0000\ncommitter c <c> 7 +0000\n{extra}\n\
             title\n\n{text}\n\nKind: task\nAgent: a\nClock: {clock}\nSeq: {}\n",
            at + 1
        )
        .into_bytes()
    }

    fn log() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(
            (any::<bool>(), "([ -~\\n]{0,20}|[0-9a-f]{40}|[0-9a-f]{39,42}){0,4}[a-z]"),
            1..20,
        )
        .prop_map(|entries| entries.into_iter().enumerate().map(commit).collect())
    }

    fn slices(commits: &[Vec<u8>]) -> Vec<&[u8]> {
        commits.iter().map(Vec::as_slice).collect()
    }

    proptest! {
        #[test]
        fn print_and_parse_are_inverse(commits in log()) {
            let last = id(commits.len());
            for (print, header) in FORMATS.into_iter().zip([PARTS, WHOLES]) {
                let bytes = print(&slices(&commits));
                prop_assert!(bytes.starts_with(header));
                let segment = parse(&bytes, last).unwrap();
                let back: Vec<_> = segment.commits().collect();
                let want = commits.iter().enumerate().map(|(at, raw)| (id(at + 1), Cow::Borrowed(&raw[..])));
                prop_assert_eq!(back, want.collect::<Vec<_>>());
            }
        }

        #[test]
        fn what_has_no_parts_is_kept_whole(mut commits in log(), odd in any::<prop::sample::Index>(),
                                           bytes in prop::collection::vec(any::<u8>(), 0..50)) {
            let at = odd.index(commits.len());
            commits[at] = [format!("tree {ID}\nparent {ID}\n").as_bytes(), &bytes].concat();
            let printed = print(&slices(&commits));
            prop_assert!(printed.starts_with(WHOLES));
            let segment = parse(&printed, id(1)).unwrap();
            prop_assert!(segment.commits().map(|(_, raw)| raw.into_owned()).eq(commits));
        }

        #[test]
        fn a_cut_segment_is_never_taken_for_a_whole_one(commits in log(), cut in any::<prop::sample::Index>()) {
            for print in FORMATS {
                let bytes = print(&slices(&commits));
                let cut = parse(&bytes[..cut.index(bytes.len())], id(1));
                prop_assert!(cut.is_none_or(|cut| cut.len() < commits.len()));
            }
        }

        #[test]
        fn parse_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..100), count in 0u64..u64::MAX, size in 0u8..70) {
            let _ = parse(&[WHOLES, &bytes].concat(), id(1));
            let _ = parse(&[PARTS, &bytes].concat(), id(1));
            let _ = parse(&[PARTS, format!("{count} {size} {count} {count} {count}\n").as_bytes(), &bytes].concat(), id(1));
            let _ = parse(&[PARTS, b"1 20 0 1 1\n", &[1; 20], &bytes[..]].concat(), id(1));
        }
    }

    /// Pins the format: what is printed today must be read for ever.
    #[test]
    fn the_format() {
        let log: Vec<_> = [false, true, true]
            .map(|extra| (extra, "text".to_owned()))
            .into_iter()
            .enumerate()
            .map(commit)
            .collect();
        let bytes = print(&slices(&log[..2]));
        let printed = bytes.escape_ascii().to_string();
        let null = "\\x00".repeat(20);
        let first = format!("{}\\x01", "\\x00".repeat(19));
        let tree = "\\x01#Eg\\x89".repeat(4);
        let headers = "tree \\x00\\nauthor a <w@datum>\\ncommitter c <c>\\n";
        let words = "\\nKind: task\\nAgent: a\\n";
        let own = "title\\n\\ntext\\n\\n";
        let table = format!("{null}{first}{tree}{tree}");
        let one = format!("13 1 102\\n{headers}{words}{own}");
        let other = format!("13 2 111\\n{headers}gpgsig 1\\n{words}{own}");
        assert_eq!(printed, format!("datum segment 2\\n2 20 2 1 7122\\n{table}{one}{other}"));
    }

    #[test]
    fn what_is_shared_stands_once_and_only_if_it_is_short() {
        let commits: Vec<_> = (0..9).map(|at| commit((at, (false, "text".to_owned())))).collect();
        let bytes = print(&slices(&commits));
        assert_eq!(memchr::memmem::find_iter(&bytes, "author").count(), 1);
        let long = commit((1, (false, "text".to_owned())));
        assert!(print(&[&long]).starts_with(PARTS));
        let name = format!("committer {}", "c".repeat(4096));
        let long = String::from_utf8(long).unwrap().replace("committer c", &name);
        assert!(print(&[long.as_bytes()]).starts_with(WHOLES));
    }

    #[test]
    fn zero_bytes_places_out_of_order_and_clocks_that_go_back_are_kept_whole() {
        let entry = |at| commit((at, (false, "text".to_owned())));
        let with_zero = commit((1, (false, "te\0xt".to_owned())));
        for log in [vec![entry(0), with_zero], vec![entry(0), entry(2)], vec![entry(1), entry(0)]] {
            let bytes = print(&slices(&log));
            assert!(bytes.starts_with(WHOLES));
            let again = parse(&bytes, id(9))
                .map(|segment| segment.commits().map(|(_, raw)| raw.into_owned()).collect());
            assert_eq!(again, Some(log.clone()).filter(|_| commit::parent(&log[1]).is_some()));
        }
    }

    #[test]
    fn names_sort_as_their_numbers() {
        let last = EntryId::from_hex(&"a".repeat(40)).unwrap();
        let names: Vec<_> = [256, 25_600, 25_601, 1_000_000].map(|end| Name { end, last }.print()).into();
        assert!(names.is_sorted());
        assert_eq!(Name::parse(&names[2].1), Some(Name { end: 25_601, last }));
        assert_eq!(Name::parse("0-aa"), None);
    }
}
