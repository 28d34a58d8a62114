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

mod draft;
mod message;

pub use draft::{BODY_INLINE_MAX, BODY_MAX, Draft, DraftError, SUBJECT_MAX, VALUE_MAX};
pub(crate) use message::{Message, clock, last_lines};

use crate::commit::Source;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::stamp::{Millis, Writer};
use message::Lines;
use std::borrow::Cow;

/// An entry as a reader meets it, borrowed from the bytes of its log.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The id, the commit's.
    pub id: EntryId,
    /// The writer whose log holds the entry.
    pub writer: &'a Writer,
    /// The kind of the log.
    pub kind: Kind,
    pub(crate) source: Source<'a>,
    pub(crate) message: Message<'a>,
}

impl<'a> View<'a> {
    /// The raw commit, as git hashes it.
    pub fn raw(&self) -> Cow<'a, [u8]> {
        self.source.raw()
    }

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
    pub fn trailers(&self) -> Trailers<'a> {
        Trailers(Lines(self.message.trailers))
    }

    /// The first value of the trailer `key`.
    pub fn trailer(&self, key: &str) -> Option<&'a str> {
        self.values(key).next()
    }

    /// All values of the trailer `key`.
    pub fn values<'k>(&self, key: &'k str) -> impl Iterator<Item = &'a str> + use<'a, 'k> {
        Lines(self.message.trailers)
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

/// The trailers of an entry, each a key and a value.
#[derive(Debug, Clone)]
pub struct Trailers<'a>(Lines<'a>);

impl<'a> Iterator for Trailers<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.find_map(|line| {
            // Nearly always the first colon ends the key, which is short.
            let colon = line.bytes().position(|byte| byte == b':')?;
            match line[colon + 1..].strip_prefix(' ') {
                Some(value) => Some((&line[..colon], value)),
                None => line.split_once(": "),
            }
        })
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

    /// The text of an entry made by [`Draft::from_text`].
    pub fn text(&self) -> &str {
        if self.body.is_empty() { &self.subject } else { &self.body }
    }
}
