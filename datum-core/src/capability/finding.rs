//! Findings with a place, and the TOML document they are about.

use std::ops::Range;

use serde::Serialize;
use toml::de::DeTable;

use super::{Error, SIZE_MAX};

/// Most findings kept of one file; a hostile file must not make a report of a million lines.
pub const FINDINGS_MAX: usize = 100;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Info,
    /// Others may misread the file.
    Warning,
    /// The file breaks the schema.
    Error,
}

/// One remark about a place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// How much it matters.
    pub level: Level,
    /// What is the matter: lower case, no final stop.
    pub message: String,
    /// What to do about it; may be empty.
    pub hint: String,
}

/// Parses `text` within the limits; the parser itself refuses nesting deeper than 80.
pub(super) fn parse(text: &str) -> Result<DeTable<'_>, Error> {
    if text.len() > SIZE_MAX {
        return Err(Error::TooLarge { size: text.len() });
    }
    DeTable::parse(text).map(toml::Spanned::into_inner).map_err(|error| {
        let (line, column) = Notes::new(text).place(error.span().map_or(0, |span| span.start));
        // The parser's own message may span lines; ours stand on one.
        let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        Error::Syntax { line, column, message }
    })
}

/// Collects findings about one text.
pub(super) struct Notes<'a> {
    text: &'a str,
    line_starts: Vec<usize>,
    found: Vec<Finding>,
    dropped: usize,
}

impl<'a> Notes<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let after_newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(after_newlines).collect();
        Self { text, line_starts, found: Vec::new(), dropped: 0 }
    }

    /// Line and column of a byte offset, both from 1.
    fn place(&self, offset: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= offset).max(1);
        let start = self.line_starts[line - 1];
        let column = self.text.get(start..offset).map_or(1, |before| before.chars().count() + 1);
        (line, column)
    }

    pub(super) fn add(&mut self, span: Range<usize>, level: Level, message: String, hint: impl Into<String>) {
        if self.found.len() == FINDINGS_MAX {
            self.dropped += 1;
            return;
        }
        let (line, column) = self.place(span.start);
        self.found.push(Finding { line, column, level, message, hint: hint.into() });
    }

    /// The findings in the order of the text.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        self.found.sort_by(|a, b| (a.line, a.column, &a.message).cmp(&(b.line, b.column, &b.message)));
        if self.dropped > 0 {
            let message = format!("{} further findings are not shown", self.dropped);
            let (line, column) = self.place(self.text.len());
            self.found.push(Finding { line, column, level: Level::Warning, message, hint: String::new() });
        }
        self.found
    }
}

/// Hostile text, escaped and short enough to stand in a message.
pub(super) fn shown(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    let dots = if short.len() < text.len() { "…" } else { "" };
    format!("'{}{dots}'", short.escape_debug())
}
