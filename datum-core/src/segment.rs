//! A segment: raw commits of a log in their order, each framed by its length.
//!
//! ```text
//! datum segment 1\n
//! <length>\n<raw commit><length>\n<raw commit>…
//! ```
//! Each commit names the one before it as its parent, so the ids stand in the segment itself, except the last one's:
//! that stands in the segment's name in the tree, `segments/<hundreds>/<entries so far>-<id of the last>`.

use crate::commit;
use crate::id::EntryId;
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

const HEADER: &[u8] = b"datum segment 1\n";

/// Frames raw commits, oldest first.
pub(crate) fn print<'a>(commits: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = HEADER.to_vec();
    for raw in commits {
        out.extend_from_slice(raw.len().to_string().as_bytes());
        out.push(b'\n');
        out.extend_from_slice(raw);
    }
    out
}

/// Finds the raw commits of a segment, oldest first; `None` when the frames do not add up.
pub(crate) fn parse(bytes: &[u8]) -> Option<Vec<Range<usize>>> {
    let mut frames = Vec::with_capacity(usize::try_from(WHOLE).ok()?);
    let mut at = bytes.starts_with(HEADER).then_some(HEADER.len())?;
    while at < bytes.len() {
        let mut length = 0usize;
        let start = at;
        while let Some(digit) = bytes.get(at).filter(|b| b.is_ascii_digit()) {
            length = length.checked_mul(10)?.checked_add(usize::from(digit - b'0'))?;
            at += 1;
        }
        if bytes.get(at) != Some(&b'\n') || at == start {
            return None;
        }
        let end = (at + 1).checked_add(length).filter(|end| *end <= bytes.len())?;
        frames.push(at + 1..end);
        at = end;
    }
    (!frames.is_empty()).then_some(frames)
}

/// The ids of the framed commits, oldest first: each but the last is named by its successor.
pub(crate) fn ids(bytes: &[u8], frames: &[Range<usize>], last: EntryId) -> Option<Vec<EntryId>> {
    let mut ids = Vec::with_capacity(frames.len());
    for frame in frames.get(1..)? {
        ids.push(commit::parent(&bytes[frame.clone()])?);
    }
    ids.push(last);
    Some(ids)
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

    proptest! {
        #[test]
        fn print_and_parse_are_inverse(commits in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 1..20)) {
            let bytes = print(commits.iter().map(Vec::as_slice));
            let frames = parse(&bytes).unwrap();
            let back: Vec<_> = frames.iter().map(|frame| bytes[frame.clone()].to_vec()).collect();
            prop_assert_eq!(back, commits);
        }

        #[test]
        fn a_cut_segment_is_never_taken_for_a_whole_one(commits in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..50), 1..5),
                                                        cut in 0usize..400) {
            let bytes = print(commits.iter().map(Vec::as_slice));
            if cut < bytes.len() {
                let whole = parse(&bytes).unwrap().len();
                prop_assert!(parse(&bytes[..cut]).is_none_or(|frames| frames.len() < whole));
            }
        }

        #[test]
        fn parse_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = parse(&[HEADER, &bytes].concat());
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
