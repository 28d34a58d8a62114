//! Masking: takes values out of a stream of bytes, wherever the stream was cut.
//!
//! Bytes go on at once, except for those that may be the beginning of a value: they wait for what follows. So a prompt is
//! not held back, and a value is found whichever way it was written.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use zeroize::Zeroizing;

/// What stands where a value stood.
pub const MASK: &[u8] = b"***";

/// The byte patterns to take out, as an automaton (Aho and Corasick, 1975): one step a byte, however many there are.
#[derive(Default)]
pub struct Patterns {
    nodes: Vec<Node>,
    /// The node after the first byte of a pattern, for the many bytes that begin none.
    first: Vec<u32>,
}

/// Small, for a long value is many of them, nearly all with one successor.
#[derive(Default)]
struct Node {
    byte: u8,
    /// The successor by `byte`; 0 for none, as nothing leads back to the root.
    child: u32,
    more: BTreeMap<u8, u32>,
    fail: u32,
    /// Length of the beginning of a pattern that has been read here.
    depth: u32,
    /// Length of the longest pattern that ends here; 0 for none.
    ends: u32,
}

impl Node {
    fn next(&self, byte: u8) -> Option<u32> {
        if self.child != 0 && self.byte == byte {
            return Some(self.child);
        }
        self.more.get(&byte).copied()
    }

    fn insert(&mut self, byte: u8, child: u32) {
        if self.child == 0 {
            (self.byte, self.child) = (byte, child);
        } else {
            self.more.insert(byte, child);
        }
    }

    fn all(&self) -> Vec<(u8, u32)> {
        let own = Some((self.byte, self.child)).filter(|(_, child)| *child != 0);
        let more = self.more.iter().map(|(byte, child)| (*byte, *child));
        own.into_iter().chain(more).collect()
    }
}

impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Patterns({} nodes)", self.nodes.len())
    }
}

impl Patterns {
    /// Makes the automaton; empty patterns are left out.
    pub fn new<'p>(patterns: impl IntoIterator<Item = &'p [u8]>) -> Self {
        let mut nodes = vec![Node::default()];
        for pattern in patterns {
            let mut at = 0;
            for byte in pattern {
                at = nodes[at].next(*byte).map_or_else(
                    || {
                        let depth = nodes[at].depth + 1;
                        let new = nodes.len();
                        nodes[at].insert(*byte, u32::try_from(new).unwrap_or(0));
                        nodes.push(Node { depth, ..Node::default() });
                        new
                    },
                    |next| next as usize,
                );
            }
            nodes[at].ends = nodes[at].depth;
        }
        let mut first = vec![0; 256];
        for (byte, node) in nodes[0].all() {
            first[usize::from(byte)] = node;
        }
        let mut patterns = Self { nodes, first };
        patterns.link();
        patterns
    }

    /// Sets where each node falls back to: to the longest end of what was read that is the beginning of a pattern.
    fn link(&mut self) {
        let mut queue: VecDeque<u32> = self.nodes[0].all().into_iter().map(|(_, child)| child).collect();
        while let Some(at) = queue.pop_front() {
            for (byte, child) in self.nodes[at as usize].all() {
                let fail = self.step(self.nodes[at as usize].fail, byte);
                let ends = self.nodes[fail as usize].ends;
                let node = &mut self.nodes[child as usize];
                node.fail = fail;
                node.ends = node.ends.max(ends);
                queue.push_back(child);
            }
        }
    }

    fn step(&self, mut at: u32, byte: u8) -> u32 {
        loop {
            if at == 0 {
                return self.first[usize::from(byte)];
            }
            let node = &self.nodes[at as usize];
            match node.next(byte) {
                Some(next) => return next,
                None => at = node.fail,
            }
        }
    }
}

/// A stream that values are taken out of.
///
/// # Examples
/// ```
/// use datum_core::mask::{Mask, Patterns};
/// let patterns = Patterns::new([&b"hunter2"[..]]);
/// let mut mask = Mask::new(&patterns);
/// let mut out = Vec::new();
/// mask.push(b"login: hun", &mut out);
/// assert_eq!(out, b"login: ");
/// mask.push(b"ter2 ok", &mut out);
/// mask.finish(&mut out);
/// assert_eq!(out, b"login: *** ok");
/// ```
#[derive(Debug)]
pub struct Mask<'p> {
    patterns: &'p Patterns,
    at: u32,
    /// Bytes that wait, the first of them at `base`.
    held: Zeroizing<Vec<u8>>,
    base: u64,
    /// What is to be taken out of what waits, from and to, apart from each other and in order.
    found: VecDeque<(u64, u64)>,
    /// Whether the last byte that went on was taken out.
    within: bool,
}

impl<'p> Mask<'p> {
    /// A stream at its beginning.
    pub fn new(patterns: &'p Patterns) -> Self {
        Self { patterns, at: 0, held: Zeroizing::default(), base: 0, found: VecDeque::new(), within: false }
    }

    /// Takes in bytes, and adds to `out` all that can go on.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for byte in bytes {
            self.held.push(*byte);
            self.at = self.patterns.step(self.at, *byte);
            let ends = self.patterns.nodes[self.at as usize].ends;
            if ends > 0 {
                self.cover(u64::from(ends));
            }
        }
        let waits = self.patterns.nodes[self.at as usize].depth as usize;
        self.pass(self.held.len().saturating_sub(waits), out);
    }

    /// Adds to `out` what still waits.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.pass(self.held.len(), out);
        self.at = 0;
    }

    /// Marks the last `length` bytes.
    fn cover(&mut self, length: u64) {
        let end = self.base + self.held.len() as u64;
        let mut start = end.saturating_sub(length).max(self.base);
        while let Some((from, to)) = self.found.back().copied() {
            if to < start {
                break;
            }
            start = start.min(from);
            self.found.pop_back();
        }
        self.found.push_back((start, end));
    }

    fn pass(&mut self, count: usize, out: &mut Vec<u8>) {
        let mut position = self.base;
        let end = self.base + count as u64;
        let offset = |position: u64| usize::try_from(position - self.base).unwrap_or(usize::MAX);
        while position < end {
            let (from, to) = self.found.front().copied().unwrap_or((u64::MAX, u64::MAX));
            if position < from {
                let stop = from.min(end);
                out.extend_from_slice(&self.held[offset(position)..offset(stop)]);
                self.within = false;
                position = stop;
                continue;
            }
            if !self.within {
                out.extend_from_slice(MASK);
                self.within = true;
            }
            position = to.min(end);
            if to <= end {
                self.found.pop_front();
            }
        }
        self.held.drain(..count);
        self.base = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn masked(patterns: &Patterns, chunks: &[&[u8]]) -> Vec<u8> {
        let mut mask = Mask::new(patterns);
        let mut out = Vec::new();
        for chunk in chunks {
            mask.push(chunk, &mut out);
        }
        mask.finish(&mut out);
        out
    }

    /// What is to come out, found the slow way.
    fn slow(values: &[Vec<u8>], text: &[u8]) -> Vec<u8> {
        let mut covered = vec![false; text.len()];
        for value in values {
            for start in 0..=text.len().saturating_sub(value.len()) {
                if text[start..].starts_with(value) {
                    covered[start..start + value.len()].fill(true);
                }
            }
        }
        let mut out = Vec::new();
        for (index, byte) in text.iter().enumerate() {
            match (covered[index], index > 0 && covered[index - 1]) {
                (false, _) => out.push(*byte),
                (true, false) => out.extend_from_slice(MASK),
                (true, true) => {}
            }
        }
        out
    }

    #[test]
    fn at_every_split_point() {
        let patterns = Patterns::new([&b"secret"[..], b"secretive", b"cretin", b"tic"]);
        let text = b"a secretive secret secretin, secresecret; sec secretiveticsecret. cre";
        let whole = masked(&patterns, &[text]);
        assert_eq!(whole, b"a *** *** ***, secre***; sec ***. cre");
        for one in 0..=text.len() {
            for two in one..=text.len() {
                let chunks = [&text[..one], &text[one..two], &text[two..]];
                assert_eq!(masked(&patterns, &chunks), whole, "{one} {two}");
            }
        }
    }

    #[test]
    fn a_prompt_is_not_held_back_and_no_pattern_masks_nothing() {
        let patterns = Patterns::new([&b"hunter2"[..]]);
        let mut out = Vec::new();
        Mask::new(&patterns).push(b"password: ", &mut out);
        assert_eq!(out, b"password: ");
        assert_eq!(masked(&Patterns::new([&b""[..]]), &[b"text"]), b"text");
    }

    proptest! {
        #[test]
        fn as_the_slow_way_however_it_is_cut(
            values in prop::collection::vec(prop::collection::vec(b'a'..=b'c', 1..6), 1..5),
            text in prop::collection::vec(b'a'..=b'c', 0..60),
            cuts in prop::collection::vec(0usize..60, 0..6),
        ) {
            let patterns = Patterns::new(values.iter().map(Vec::as_slice));
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
            prop_assert_eq!(masked(&patterns, &chunks), slow(&values, &text));
        }
    }
}
