//! An entry not yet written, and what it may hold.

use super::Entry;
use crate::epoch;
use crate::id::EntryId;
use crate::name::NameError;

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
    pub(super) subject: String,
    pub(super) body: String,
    pub(super) trailers: Vec<(String, String)>,
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
    /// becomes the subject and the whole text the body. [`View::text`](super::View::text) gives it back.
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
}

impl Entry {
    /// The draft that makes the same entry again, with the ids its trailers hold replaced where `renamed` knows better.
    pub(crate) fn to_draft(&self, renamed: impl Fn(EntryId) -> Option<EntryId>) -> Draft {
        let value = |value: &String| {
            let new = EntryId::from_hex(value).and_then(&renamed);
            new.map_or_else(|| value.clone(), |id| id.to_string())
        };
        let trailers = self.trailers.iter().map(|(key, text)| (key.clone(), value(text))).collect();
        Draft { subject: self.subject.clone(), body: self.body.clone(), trailers }
    }
}
