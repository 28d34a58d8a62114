//! A page: a list, and the text behind each of its rows. All text is made safe to show as it comes in.

use crate::escape;

/// How a piece of text stands out. There are no colours for text as such: they would be unreadable on black or on white.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    /// Names something that other commands take.
    Id,
    /// Steps back.
    Dim,
    /// A heading, or new.
    Bold,
    /// As it should be.
    Good,
    /// Wants somebody.
    Bad,
}

/// A piece of a row.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) tone: Tone,
}

impl Piece {
    pub(super) fn new(text: impl AsRef<str>, tone: Tone) -> Self {
        Self { text: escape::line(text.as_ref()), tone }
    }
}

/// A row of a list.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// What stays the same when the list is read again.
    pub(super) key: String,
    /// One piece a column.
    pub(super) pieces: Vec<Piece>,
    /// The text behind it, line by line.
    pub(super) text: Vec<Piece>,
}

impl Row {
    pub(super) fn new(key: impl Into<String>, pieces: Vec<Piece>) -> Self {
        Self { key: key.into(), pieces, text: Vec::new() }
    }

    /// Adds a line `Name: value`, where there is a value.
    pub(super) fn field(mut self, name: &str, value: impl AsRef<str>) -> Self {
        if !value.as_ref().is_empty() {
            self.text.push(Piece::new(format!("{name:<10}{}", value.as_ref()), Tone::Dim));
        }
        self
    }

    /// Adds one line.
    pub(super) fn line(mut self, text: impl AsRef<str>, tone: Tone) -> Self {
        self.text.push(Piece::new(text, tone));
        self
    }

    /// Adds an empty line and text of several lines.
    pub(super) fn body(mut self, text: &str) -> Self {
        self.text.push(Piece::new("", Tone::Plain));
        self.text.extend(text.lines().map(|line| Piece::new(line.replace('\t', "    "), Tone::Plain)));
        self
    }

    /// Whether one of its pieces, or its text, holds `wanted`, which is in lower case.
    pub(super) fn holds(&self, wanted: &str) -> bool {
        let mut all = self.pieces.iter().chain(&self.text);
        all.any(|piece| piece.text.to_lowercase().contains(wanted))
    }
}

/// A page.
#[derive(Debug, Clone, Default)]
pub(super) struct Page {
    /// The heads of the columns.
    pub(super) heads: &'static [&'static str],
    pub(super) rows: Vec<Row>,
    /// Beside the title: what wants to be seen, such as `3 unread`; may be empty.
    pub(super) badge: String,
    /// What is said where there is no row.
    pub(super) empty: &'static str,
    /// Rows that were left out.
    pub(super) more: u64,
}
