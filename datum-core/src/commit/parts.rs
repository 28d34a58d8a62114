//! A commit where it stands: whole, or in the parts that a segment keeps of it.
//!
//! What a segment's commits have in common is kept once for all in a row that share it: tree, author, committer,
//! signature, kind and agent. The parent of each is the one before it, its place the next, its times are its clock in
//! seconds. So a commit is put together when someone asks for it, and a reader of entries finds them nearly parsed.

use super::{first_line, id_line};
use crate::entry::{Message, View, last_lines};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::stamp::{Millis, Writer};
use memchr::memchr;
use std::borrow::Cow;
use std::fmt::Write as _;

/// A commit where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'a> {
    /// As git hashes it.
    Whole(&'a [u8]),
    /// As a segment keeps it.
    Parts(Parts<'a>),
}

/// The parts of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub(crate) shared: &'a Shared,
    /// The first parent.
    pub(crate) parent: Option<EntryId>,
    /// The message up to its last four lines.
    pub(crate) own: &'a str,
    pub(crate) clock: Millis,
    pub(crate) seq: u64,
}

/// What commits have in common.
///
/// ```text
/// tree …
/// author Name <mail>            without the time, as the committer
/// committer Name <mail>
/// <other lines>
///
/// Kind: …
/// Agent: …
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shared {
    headers: String,
    kind: String,
    agent: String,
}

impl Shared {
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        // The parent has its place after this line, here and in the commit, whose reader goes by its length.
        first_line(text).filter(|(line, _)| memchr(b'\n', line).is_none())?;
        let (headers, words) = std::str::from_utf8(text).ok()?.split_once("\n\n")?;
        let (kind, agent) = words.strip_suffix('\n')?.strip_prefix("Kind: ")?.split_once("\nAgent: ")?;
        let [headers, kind, agent] = [headers, kind, agent].map(str::to_owned);
        (!kind.contains('\n') && !agent.contains('\n')).then_some(Self { headers, kind, agent })
    }
}

impl<'a> Source<'a> {
    /// The raw commit, as git hashes it.
    pub(crate) fn raw(self) -> Cow<'a, [u8]> {
        match self {
            Self::Whole(raw) => Cow::Borrowed(raw),
            Self::Parts(parts) => Cow::Owned(parts.join()),
        }
    }

    /// The first parent.
    pub(crate) fn parent(self) -> Option<EntryId> {
        match self {
            Self::Whole(raw) => super::parent(raw),
            Self::Parts(parts) => parts.parent,
        }
    }

    /// Whether there is a parent.
    pub(crate) fn has_parent(self) -> bool {
        match self {
            Self::Whole(raw) => super::has_parent(raw),
            Self::Parts(parts) => parts.parent.is_some(),
        }
    }

    /// Views it as an entry of `writer`'s log; `None` when it is no entry.
    pub(crate) fn view(self, id: EntryId, kind: Kind, writer: &'a Writer) -> Option<View<'a>> {
        let message = match self {
            Self::Whole(raw) => Message::parse(super::message(raw)?)?,
            Self::Parts(Parts { shared, own, clock, seq, .. }) => {
                let Shared { kind, agent, .. } = shared;
                Message::of(own, kind, agent, clock, seq)?
            }
        };
        (message.kind == kind.as_str()).then_some(View { id, writer, kind, source: self, message })
    }
}

fn is_timed(line: &str) -> bool {
    line.starts_with("author ") || line.starts_with("committer ")
}

impl Parts<'_> {
    /// Puts the raw commit together.
    pub(crate) fn join(&self) -> Vec<u8> {
        let Self { shared: Shared { headers, kind, agent }, parent, own, clock, seq } = self;
        let mut head = String::with_capacity(headers.len() + own.len() + 200);
        for (at, line) in headers.split('\n').enumerate() {
            head.push_str(line);
            if is_timed(line) {
                let _ = write!(head, " {} +0000", clock / 1000);
            }
            head.push('\n');
            if at == 0
                && let Some(parent) = parent
            {
                let _ = writeln!(head, "parent {parent}");
            }
        }
        head.push('\n');
        let end = last_lines(kind, agent, *clock, *seq);
        [&head, *own, &end].concat().into_bytes()
    }
}

/// A raw commit taken apart.
pub(crate) struct Split<'a> {
    /// What others may share, for [`Shared::parse`].
    pub(crate) shared: String,
    pub(crate) parent: Option<EntryId>,
    pub(crate) own: &'a str,
    pub(crate) clock: Millis,
    pub(crate) seq: u64,
}

/// Takes a raw commit apart; `None` for one that could not be put together again.
pub(crate) fn split(raw: &[u8]) -> Option<Split<'_>> {
    let (_, rest) = first_line(raw)?;
    let start = raw.windows(2).position(|pair| pair == b"\n\n")? + 2;
    let text = std::str::from_utf8(&raw[start..]).ok()?;
    let Message { kind, agent, clock, seq, .. } = Message::parse(text)?;
    let time = format!(" {} +0000", clock / 1000);
    let parent = rest.split(|byte| *byte == b'\n').next().and_then(|line| id_line(line, b"parent "));
    let mut shared = String::with_capacity(start);
    let headers = std::str::from_utf8(&raw[..start - 2]).ok()?;
    for (at, line) in headers.split('\n').enumerate() {
        if at == 1 && parent.is_some() {
            continue;
        }
        shared.push_str(if is_timed(line) { line.strip_suffix(&time)? } else { line });
        shared.push('\n');
    }
    let _ = write!(shared, "\nKind: {kind}\nAgent: {agent}\n");
    let own = text.strip_suffix(&last_lines(kind, agent, clock, seq))?;
    let parts = Parts { shared: &Shared::parse(shared.as_bytes())?, parent, own, clock, seq };
    (parts.join() == raw).then_some(Split { shared, parent, own, clock, seq })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "0123456789012345678901234567890123456789";

    fn raw(parents: usize, extra: &str, time: u64, clock: u64) -> Vec<u8> {
        let parents = format!("parent {ID}\n").repeat(parents);
        format!(
            "tree {ID}\n{parents}author a <w@datum> {time} +0000\ncommitter C \u{e9} <c@x> {time} +0000\n\
             {extra}\ntitle\n\nbody\n\nKey: value\nKind: task\nAgent: a\nClock: {clock}\nSeq: 1\n"
        )
        .into_bytes()
    }

    fn joined(split: &Split<'_>) -> Vec<u8> {
        let Split { shared, parent, own, clock, seq } = split;
        let shared = &Shared::parse(shared.as_bytes()).unwrap();
        Parts { shared, parent: *parent, own, clock: *clock, seq: *seq }.join()
    }

    #[test]
    fn an_entry_is_taken_apart_and_put_together() {
        for parents in 0..3 {
            for extra in ["", "gpgsig -----BEGIN\n author x\n -----END\n", "author again <a@b> 7 +0000\n"] {
                let raw = raw(parents, extra, 7, 7123);
                let split = split(&raw).unwrap();
                assert_eq!(split.parent.is_some(), parents > 0);
                assert_eq!(split.own, "title\n\nbody\n\nKey: value\n");
                assert_eq!(joined(&split), raw);
            }
        }
    }

    #[test]
    fn what_a_segment_could_not_give_back_is_not_taken_apart() {
        assert!(split(&raw(1, "", 8, 7123)).is_none(), "a time that is not the clock's");
        assert!(split(&raw(1, "author again <a@b> 9 +0000\n", 7, 7123)).is_none());
        assert!(split(b"tree x").is_none());
        assert!(split(&raw(1, "", 7, 7123)[3..]).is_none());
    }

    #[test]
    fn a_first_line_that_is_several_is_no_place_for_a_parent() {
        let head = |first: &str| format!("{first}\ncommitter c <c>\n\nKind: task\nAgent: a\n");
        assert!(Shared::parse(head(&format!("tree {ID}")).as_bytes()).is_some());
        assert!(Shared::parse(head(&format!("tree\n{ID}")).as_bytes()).is_none());
    }

    proptest! {
        #[test]
        fn what_is_taken_apart_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..40), at in 0usize..300) {
            let mut raw = raw(1, "", 7, 7123);
            let at = at.min(raw.len());
            raw.splice(at..at, bytes);
            if let Some(split) = split(&raw) {
                prop_assert_eq!(joined(&split), raw);
            }
        }

        /// Whatever a segment says, its entries are those of the commits it gives back, whose ids can be checked.
        #[test]
        fn parts_are_the_entry_that_their_commit_is(shared in "(tree [0-9]{40}\n|[a-z\n]{0,50})[a-z <\n]{0,20}\n\nKind: task\nAgent: [a-z\nK: ]{0,8}\n",
                                                    own in "[a-c\n :]{0,30}", clock in any::<u64>(), seq in 0u64..9,
                                                    follows in any::<bool>()) {
            let writer = Writer::parse("a-aaaaaaaa").unwrap();
            let id = EntryId::from_hex(ID).unwrap();
            if let Some(shared) = Shared::parse(shared.as_bytes()) {
                let parent = follows.then_some(id);
                let parts = Parts { shared: &shared, parent, own: &own, clock, seq };
                let raw = parts.join();
                prop_assert_eq!(super::super::parent(&raw), parent);
                let one = Source::Parts(parts).view(id, Kind::Task, &writer).map(|view| view.message);
                let other = super::super::message(&raw).and_then(Message::parse).filter(|message| message.kind == "task");
                prop_assert_eq!(one, other);
            }
        }
    }
}
