//! An entry as text: a subject line, a body, and a last paragraph of git trailers.
//!
//! ```text
//! Fixed the bilge pump
//!
//! It had been running dry since Tuesday.
//!
//! Category: REPAIR
//! Tag: pump
//! Kind: journal
//! Agent: oracle1
//! Clock: 1763850000123
//! Seq: 42
//! ```
//! The last four trailers are always these, in this order: a reader finds them from the end, and a body that itself
//! ends in lines like trailers stays a body.

use crate::epoch;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::name::NameError;
use crate::stamp::{MILLIS_MAX, Millis, Writer};
use memchr::{memchr, memrchr};

/// Longest subject, bytes.
pub const SUBJECT_MAX: usize = 500;
/// Longest value of a trailer, bytes.
pub const VALUE_MAX: usize = 2000;
/// Largest body kept in the message itself, bytes; a larger one is a blob in the log's tree.
pub const BODY_INLINE_MAX: usize = 32 * 1024;
/// Largest body, bytes.
pub const BODY_MAX: usize = 64 * 1024 * 1024;

const RESERVED: [&str; 6] = ["Kind", "Agent", "Clock", "Seq", "Payload", epoch::PREVIOUS];

/// Why a draft was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// A subject that is empty or all white space.
    #[error("the subject is empty")]
    EmptySubject,
    /// A text that is longer than its limit.
    #[error("the {what} has {len} bytes, the most is {max}")]
    TooLong {
        /// `subject`, `body` or the trailer's name.
        what: String,
        /// Its length, bytes.
        len: usize,
        /// The limit, bytes.
        max: usize,
    },
    /// A character that must not stand where it stands.
    #[error("the {what} holds {character:?} at byte {at}")]
    Character {
        /// `subject`, `body` or the trailer's name.
        what: String,
        /// The character.
        character: char,
        /// Where it stands, bytes from the start.
        at: usize,
    },
    /// A trailer whose value is empty or begins or ends with white space.
    #[error("the value of {0} is empty or has white space at an end")]
    Value(String),
    /// A trailer key that is none, or one the store writes itself.
    #[error("{0:?} cannot be the key of a trailer")]
    Key(String),
    /// A name that is none.
    #[error(transparent)]
    Name(#[from] NameError),
}

/// An entry not yet written: what an agent's function answers with.
#[must_use = "a draft is nothing until the store has applied it"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    subject: String,
    body: String,
    trailers: Vec<(String, String)>,
}

/// Characters that would turn or hide the text around them on a terminal or in a review.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn check_line(what: &str, text: &str, max: usize) -> Result<(), DraftError> {
    if text.len() > max {
        return Err(DraftError::TooLong { what: what.to_owned(), len: text.len(), max });
    }
    let bad = |c: char| c.is_control() || turns_text(c) || matches!(c, '\u{2028}' | '\u{2029}');
    match text.char_indices().find(|(_, c)| bad(*c)) {
        Some((at, character)) => Err(DraftError::Character { what: what.to_owned(), character, at }),
        None => Ok(()),
    }
}

impl Draft {
    /// Makes a draft of a subject and a body; the body may be empty and is kept to the byte.
    ///
    /// # Errors
    /// [`DraftError`] for an empty, over-long or many-lined subject, and a body with NUL or over [`BODY_MAX`].
    pub fn new(subject: &str, body: &str) -> Result<Self, DraftError> {
        if subject.trim().is_empty() {
            return Err(DraftError::EmptySubject);
        }
        check_line("subject", subject, SUBJECT_MAX)?;
        if subject.trim() != subject {
            return Err(DraftError::Value("the subject".to_owned()));
        }
        if body.len() > BODY_MAX {
            return Err(DraftError::TooLong { what: "body".to_owned(), len: body.len(), max: BODY_MAX });
        }
        if let Some(at) = body.find('\0') {
            return Err(DraftError::Character { what: "body".to_owned(), character: '\0', at });
        }
        Ok(Self { subject: subject.to_owned(), body: body.to_owned(), trailers: Vec::new() })
    }

    /// Makes the draft of the entry that begins an epoch, after `entries` entries of which `previous` is the last.
    pub(crate) fn epoch(previous: EntryId, entries: u64) -> Result<Self, DraftError> {
        let mut draft = Self::new(&format!("Compacted {entries} entries"), "")?;
        draft.trailers.push((epoch::PREVIOUS.to_owned(), previous.to_string()));
        Ok(draft)
    }

    /// Makes a draft of one text: a single short line is the subject; of anything else the first line, shortened,
    /// becomes the subject and the whole text the body. [`View::text`] gives it back.
    ///
    /// # Errors
    /// As [`Draft::new`].
    pub fn from_text(text: &str) -> Result<Self, DraftError> {
        let trimmed = text.trim();
        if text == trimmed && !text.contains('\n') && text.len() <= SUBJECT_MAX {
            return Self::new(text, "");
        }
        let line = trimmed.lines().next().unwrap_or_default();
        let plain: String = line.chars().filter(|c| !c.is_control() && !turns_text(*c)).collect();
        let mut subject: String = plain.chars().take(72).collect();
        if subject.len() < plain.len() {
            subject.push('…');
        }
        Self::new(subject.trim(), text)
    }

    /// Adds a trailer.
    ///
    /// # Errors
    /// [`DraftError`] for a key that is none or reserved, and a value that is empty, over-long or not one plain line.
    pub fn with(mut self, key: &str, value: &str) -> Result<Self, DraftError> {
        let plain = key.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-');
        if !plain || !key.starts_with(|c: char| c.is_ascii_uppercase()) || RESERVED.contains(&key) {
            return Err(DraftError::Key(key.to_owned()));
        }
        check_line(key, value, VALUE_MAX)?;
        if value.is_empty() || value.trim() != value {
            return Err(DraftError::Value(key.to_owned()));
        }
        self.trailers.push((key.to_owned(), value.to_owned()));
        Ok(self)
    }

    /// The subject line.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The body.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The first value of the trailer `key`.
    pub fn trailer(&self, key: &str) -> Option<&str> {
        self.trailers.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

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
        let _ = writeln!(out, "Kind: {kind}\nAgent: {agent}\nClock: {clock}\nSeq: {seq}");
        out
    }
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

/// The lines of `text`, without their ends.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        let line = rest.get(..end).filter(|_| !rest.is_empty())?;
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(line)
    })
}

fn number(text: &str, max: u64) -> Option<u64> {
    let canonical = text.len() == 1 || !text.starts_with('0');
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|value| canonical && digits && *value <= max)
}

/// The clock of a message, by its last two lines alone: for putting entries in order before they are parsed.
pub(crate) fn clock(message: &[u8]) -> Option<Millis> {
    let line = |end: usize| memrchr(b'\n', &message[..end]).map_or(0, |at| at + 1);
    let end = message.len().checked_sub(1)?;
    let seq = line(end);
    let end = seq.checked_sub(1)?;
    let text = message[line(end)..end].strip_prefix(b"Clock: ")?;
    number(std::str::from_utf8(text).ok()?, MILLIS_MAX)
}

impl<'a> Message<'a> {
    /// Parses what [`Draft::print`] prints; `None` for any other text.
    pub(crate) fn parse(message: &'a str) -> Option<Self> {
        let mut rest = message.strip_suffix('\n')?;
        let seq = number(pop(&mut rest, "Seq")?, u64::MAX)?;
        let clock = number(pop(&mut rest, "Clock")?, MILLIS_MAX)?;
        let agent = pop(&mut rest, "Agent")?;
        let kind = pop(&mut rest, "Kind")?;
        // Popping `Kind:` took one line break; one more is left where the paragraph holds no other trailer.
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

/// An entry as a reader meets it, borrowed from the bytes of its log.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The id, the commit's.
    pub id: EntryId,
    /// The writer whose log holds the entry.
    pub writer: &'a Writer,
    /// The kind of the log.
    pub kind: Kind,
    /// The raw commit, as git hashes it.
    pub raw: &'a [u8],
    pub(crate) message: Message<'a>,
}

impl<'a> View<'a> {
    /// The subject line.
    pub fn subject(&self) -> &'a str {
        self.message.subject
    }

    /// The body, empty if there is none or if it is kept in a blob ([`View::payload`]).
    pub fn body(&self) -> &'a str {
        self.message.body
    }

    /// Subject and body as they stand in the message, for searching.
    pub fn searchable(&self) -> &'a str {
        self.message.text
    }

    /// The text of an entry made by [`Draft::from_text`].
    pub fn text(&self) -> &'a str {
        if self.message.body.is_empty() { self.message.subject } else { self.message.body }
    }

    /// The agent's name, as the entry states it.
    pub fn agent(&self) -> &'a str {
        self.message.agent
    }

    /// When it was written, by the writer's hybrid logical clock.
    pub fn clock(&self) -> Millis {
        self.message.clock
    }

    /// Its place in the log, from 1.
    pub fn seq(&self) -> u64 {
        self.message.seq
    }

    /// The trailers of its kind, in their order.
    pub fn trailers(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        lines(self.message.trailers).filter_map(|line| line.split_once(": "))
    }

    /// The first value of the trailer `key`.
    pub fn trailer(&self, key: &str) -> Option<&'a str> {
        self.values(key).next()
    }

    /// All values of the trailer `key`.
    pub fn values<'k>(&self, key: &'k str) -> impl Iterator<Item = &'a str> + use<'a, 'k> {
        lines(self.message.trailers)
            .filter_map(move |line| line.strip_prefix(key).and_then(|rest| rest.strip_prefix(": ")))
    }

    /// The id in the trailer `key`, if there is a whole one.
    pub fn reference(&self, key: &str) -> Option<EntryId> {
        self.trailer(key).and_then(EntryId::from_hex)
    }

    /// The blob that holds the body, when it was too large for the message.
    pub fn payload(&self) -> Option<EntryId> {
        self.reference("Payload")
    }

    /// The same entry, owned.
    pub fn to_entry(&self) -> Entry {
        Entry {
            id: self.id,
            writer: self.writer.clone(),
            kind: self.kind,
            agent: self.agent().to_owned(),
            clock: self.clock(),
            seq: self.seq(),
            subject: self.subject().to_owned(),
            body: self.body().to_owned(),
            trailers: self.trailers().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        }
    }
}

/// An entry, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The id, the commit's.
    pub id: EntryId,
    /// The writer whose log holds the entry.
    pub writer: Writer,
    /// The kind of the log.
    pub kind: Kind,
    /// The agent's name, as the entry states it.
    pub agent: String,
    /// When it was written, by the writer's hybrid logical clock.
    pub clock: Millis,
    /// Its place in the log, from 1.
    pub seq: u64,
    /// The subject line.
    pub subject: String,
    /// The body.
    pub body: String,
    /// The trailers of its kind, in their order.
    pub trailers: Vec<(String, String)>,
}

impl Entry {
    /// The first value of the trailer `key`.
    pub fn trailer(&self, key: &str) -> Option<&str> {
        self.trailers.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// All values of the trailer `key`.
    pub fn values<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.trailers.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The id in the trailer `key`, if there is a whole one.
    pub fn reference(&self, key: &str) -> Option<EntryId> {
        self.trailer(key).and_then(EntryId::from_hex)
    }

    /// The draft that makes the same entry again, with the ids its trailers hold replaced where `renamed` knows better.
    pub(crate) fn to_draft(&self, renamed: impl Fn(EntryId) -> Option<EntryId>) -> Draft {
        let value = |value: &String| {
            let new = EntryId::from_hex(value).and_then(&renamed);
            new.map_or_else(|| value.clone(), |id| id.to_string())
        };
        let trailers = self.trailers.iter().map(|(key, text)| (key.clone(), value(text))).collect();
        Draft { subject: self.subject.clone(), body: self.body.clone(), trailers }
    }

    /// The text of an entry made by [`Draft::from_text`].
    pub fn text(&self) -> &str {
        if self.body.is_empty() { &self.subject } else { &self.body }
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
