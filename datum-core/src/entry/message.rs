//! The message of an entry's commit: printed from a draft, parsed for a reader.

use super::Draft;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::stamp::{MILLIS_MAX, Millis};
use memchr::memmem::Finder;
use memchr::{memchr, memrchr};
use std::sync::LazyLock;

impl Draft {
    /// Prints the message. With `payload`, the id of a blob stands for the body.
    pub(crate) fn print(
        &self,
        kind: Kind,
        agent: &str,
        clock: Millis,
        seq: u64,
        payload: Option<EntryId>,
    ) -> String {
        use std::fmt::Write as _;
        let mut out = String::with_capacity(self.subject.len() + self.body.len() + 160);
        out.push_str(&self.subject);
        out.push_str("\n\n");
        if payload.is_none() && !self.body.is_empty() {
            out.push_str(&self.body);
            out.push_str("\n\n");
        }
        for (key, value) in &self.trailers {
            let _ = writeln!(out, "{key}: {value}");
        }
        if let Some(id) = payload {
            let _ = writeln!(out, "Payload: {id}");
        }
        out.push_str(&last_lines(kind.as_str(), agent, clock, seq));
        out
    }
}

/// The last four lines of every message.
pub(crate) fn last_lines(kind: &str, agent: &str, clock: Millis, seq: u64) -> String {
    format!("Kind: {kind}\nAgent: {agent}\nClock: {clock}\nSeq: {seq}\n")
}

/// The parts of an entry's message, borrowed from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    pub(crate) subject: &'a str,
    pub(crate) text: &'a str,
    pub(crate) body: &'a str,
    pub(crate) trailers: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) agent: &'a str,
    pub(crate) clock: Millis,
    pub(crate) seq: u64,
}

/// Takes the last line, `key: value`, off `rest`.
fn pop<'a>(rest: &mut &'a str, key: &str) -> Option<&'a str> {
    let at = memrchr(b'\n', rest.as_bytes()).map_or(0, |at| at + 1);
    let value = rest[at..].strip_prefix(key)?.strip_prefix(": ")?;
    *rest = &rest[..at.saturating_sub(1)];
    Some(value)
}

/// Takes the last paragraph off `text`.
fn last_paragraph(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let mut end = bytes.len();
    loop {
        end = memrchr(b'\n', &bytes[..end])?;
        if end > 0 && bytes[end - 1] == b'\n' {
            return Some((&text[..end - 1], &text[end + 1..]));
        }
    }
}

/// The two paragraphs of a text that has just two, the first of one line, as nearly every entry's without a body has:
/// seen in one look, where [`last_paragraph`] takes one for each line.
fn two_paragraphs(text: &str) -> Option<(&str, &str)> {
    static BLANK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\n\n"));
    let at = memchr(b'\n', text.as_bytes())?;
    let last = text[at + 1..].strip_prefix('\n')?;
    let is_last = !last.is_empty() && !last.starts_with('\n') && BLANK.find(last.as_bytes()).is_none();
    (is_last && !last.ends_with('\n')).then_some((&text[..at], last))
}

/// The lines of a text, without their ends.
#[derive(Debug, Clone)]
pub(super) struct Lines<'a>(pub(super) &'a str);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        let Self(rest) = self;
        let end = memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        let line = rest.get(..end).filter(|_| !rest.is_empty())?;
        *rest = rest.get(end + 1..).unwrap_or_default();
        Some(line)
    }
}

/// Parses a number as [`Draft::print`] prints it: digits alone, no zero before others.
fn number(text: &[u8], max: u64) -> Option<u64> {
    if text.is_empty() || (text.len() > 1 && text[0] == b'0') {
        return None;
    }
    let digit = |b: &u8| b.is_ascii_digit().then(|| u64::from(b - b'0'));
    let value = text.iter().try_fold(0u64, |value, b| value.checked_mul(10)?.checked_add(digit(b)?))?;
    (value <= max).then_some(value)
}

/// The clock of a message, by its last two lines alone: for putting entries in order before they are parsed.
pub(crate) fn clock(message: &[u8]) -> Option<Millis> {
    let line = |end: usize| memrchr(b'\n', &message[..end]).map_or(0, |at| at + 1);
    let end = message.len().checked_sub(1)?;
    let seq = line(end);
    let end = seq.checked_sub(1)?;
    number(message[line(end)..end].strip_prefix(b"Clock: ")?, MILLIS_MAX)
}

impl<'a> Message<'a> {
    /// Parses what [`Draft::print`] prints; `None` for any other text.
    pub(crate) fn parse(message: &'a str) -> Option<Self> {
        let mut rest = message.strip_suffix('\n')?;
        let seq = number(pop(&mut rest, "Seq")?.as_bytes(), u64::MAX)?;
        let clock = number(pop(&mut rest, "Clock")?.as_bytes(), MILLIS_MAX)?;
        let agent = pop(&mut rest, "Agent")?;
        let kind = pop(&mut rest, "Kind")?;
        Self::before_kind(rest, kind, agent, clock, seq)
    }

    /// Parses `own`, the text before the last four lines, which are given; `None` for a text that has no such lines.
    pub(crate) fn of(own: &'a str, kind: &'a str, agent: &'a str, clock: Millis, seq: u64) -> Option<Self> {
        let rest = own.strip_suffix('\n').filter(|_| clock <= MILLIS_MAX)?;
        Self::before_kind(rest, kind, agent, clock, seq)
    }

    fn before_kind(rest: &'a str, kind: &'a str, agent: &'a str, clock: Millis, seq: u64) -> Option<Self> {
        if let Some((subject, trailers)) = two_paragraphs(rest) {
            let plain = Self { subject, text: subject, body: "", trailers, kind, agent, clock, seq };
            return (!subject.is_empty()).then_some(plain);
        }
        // One line break is gone; one more is left where the paragraph holds no other trailer.
        let (head, trailers) = match rest.strip_suffix('\n') {
            Some(head) => (head, ""),
            None => last_paragraph(rest)?,
        };
        let (subject, body) = match memchr(b'\n', head.as_bytes()) {
            None => (head, ""),
            Some(at) => (&head[..at], head[at..].strip_prefix("\n\n")?),
        };
        if subject.is_empty() || head.len() == subject.len() + 2 {
            return None;
        }
        Some(Self { subject, text: head, body, trailers, kind, agent, clock, seq })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round(draft: &Draft) {
        let message = draft.print(Kind::Journal, "a", 7, 9, None);
        let parsed = Message::parse(&message).unwrap_or_else(|| panic!("not read back: {message:?}"));
        assert_eq!((parsed.subject, parsed.body), (draft.subject.as_str(), draft.body.as_str()));
        assert_eq!((parsed.kind, parsed.agent, parsed.clock, parsed.seq), ("journal", "a", 7, 9));
        let trailers: Vec<_> = parsed
            .trailers
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        assert_eq!(trailers, draft.trailers);
    }

    #[test]
    fn a_body_that_looks_like_trailers_stays_a_body() {
        for body in [
            "Tag: x",
            "a\n\nTag: x\nKind: bottle\nAgent: b\nClock: 1\nSeq: 1",
            "\n",
            "\n\n\n",
            "x\n",
            "x\n\n",
            "\r\n",
            "---\nSigned-off-by: x <x@y>",
        ] {
            round(&Draft::new("s", body).unwrap());
            round(&Draft::new("s", body).unwrap().with("Tag", "t: u").unwrap());
        }
    }

    #[test]
    fn what_the_store_does_not_print_is_no_entry() {
        for text in [
            "",
            "\n",
            "s\n",
            "s\n\nKind: journal\nAgent: a\nClock: 1\nSeq: 1",
            "\n\nKind: journal\nAgent: a\nClock: 1\nSeq: 1\n",
            "s\nKind: journal\nAgent: a\nClock: 1\nSeq: 1\n",
            "s\n\nKind: journal\nAgent: a\nClock: -1\nSeq: 1\n",
            "s\n\nKind: journal\nAgent: a\nClock: 01\nSeq: 1\n",
            "s\n\nKind: journal\nAgent: a\nClock: 99999999999999999\nSeq: 1\n",
            "Kind: journal\nAgent: a\nClock: 1\nSeq: 1\n",
        ] {
            assert_eq!(Message::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn smuggled_lines_are_refused() {
        let draft = || Draft::new("s", "").unwrap();
        assert!(Draft::new("s\nTag: x", "").is_err());
        assert!(Draft::new("s\u{2028}x", "").is_err());
        assert!(Draft::new("", "").is_err());
        assert!(Draft::new("s", "a\0b").is_err());
        assert!(draft().with("Tag", "x\nKind: vault").is_err());
        assert!(draft().with("Kind", "vault").is_err());
        assert!(draft().with("Tag:", "x").is_err());
        assert!(draft().with("Tag", " x").is_err());
    }

    proptest! {
        #[test]
        fn two_paragraphs_are_what_line_by_line_finds(text in "[ab\n]{0,12}") {
            if let Some(two) = two_paragraphs(&text) {
                prop_assert_eq!(last_paragraph(&text), Some(two));
                prop_assert!(!text.ends_with('\n') && !two.0.contains('\n'));
            }
        }

        #[test]
        fn print_and_parse_are_inverse(subject in "[^\\pC\u{2028}\u{2029}]{1,40}", body in "(\\PC|[\n\r\t:]){0,80}",
                                       tags in prop::collection::vec("[a-zA-Z: \\-é]{1,20}", 0..4)) {
            prop_assume!(subject.trim() == subject && !subject.is_empty());
            let mut draft = Draft::new(&subject, &body).unwrap();
            for tag in tags.iter().map(|tag| tag.trim()).filter(|tag| !tag.is_empty()) {
                draft = draft.with("Tag", tag).unwrap();
            }
            round(&draft);
        }

        #[test]
        fn parse_never_panics(text in "(s|\n|\n\n|: |Kind: journal|Agent: a|Clock: 1|Seq: 2|Tag: x|é){0,14}") {
            if let Some(parsed) = Message::parse(&text) {
                prop_assert!(!parsed.subject.is_empty() && !parsed.subject.contains('\n'));
            }
        }

        #[test]
        fn one_text_comes_back(text in "(\\PC|[\n\t]){1,200}") {
            if let Ok(draft) = Draft::from_text(&text) {
                let back = if draft.body().is_empty() { draft.subject() } else { draft.body() };
                prop_assert_eq!(back, text);
            }
        }
    }
}
