//! Where in the text of a declaration something new goes.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A member of a table: where its name stands, and its value.
pub(super) fn entry<'t, 'd>(
    table: &'t DeTable<'d>,
    name: &str,
) -> Option<(Range<usize>, &'t Spanned<DeValue<'d>>)> {
    table.get_key_value(name).map(|(key, value)| (key.span(), value))
}

/// Where a new line or member of a table goes.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// After this offset, on a line of its own.
    Line(usize),
    /// Before the brace at this offset; whether there are members already.
    Member(usize, bool),
}

/// Finds the place for a new member of the table at `path`; `None` where the table is not written as one.
pub(super) fn place(
    text: &str,
    table: &DeTable<'_>,
    path: &[String],
    document: &DeTable<'_>,
) -> Option<Place> {
    let mut at = document;
    let mut found = None;
    for name in path {
        let (key, value) = entry(at, name)?;
        found = Some((key, value.span()));
        at = value.get_ref().as_table()?;
    }
    let (key, value) = found?;
    let written = text.get(value.clone()).unwrap_or_default();
    if written.starts_with('{') && written.ends_with('}') {
        return Some(Place::Member(value.end - 1, !table.is_empty()));
    }
    // The header that names exactly this table.
    let start = text[..key.start].rfind('\n').map_or(0, |at| at + 1);
    let end = line_end(text, key.start);
    let header = text[start..end].split('#').next().unwrap_or_default().trim();
    let name = header.strip_prefix('[')?.strip_suffix(']')?;
    if name.starts_with('[') || parts(name).is_none_or(|parts| parts != path) {
        return None;
    }
    // After its last line that is not another header's.
    let own = table.iter().filter(|(key, _)| {
        let start = text[..key.span().start].rfind('\n').map_or(0, |at| at + 1);
        !text[start..key.span().start].trim_start().starts_with('[')
    });
    let last = own.map(|(_, value)| value.span().end).max().unwrap_or(key.start);
    Some(Place::Line(line_end(text, last)))
}

/// The parts of a name with dots, as a header or a key has it.
pub(super) fn parts(text: &str) -> Option<Vec<String>> {
    let line = format!("{text} = 0");
    let document = DeTable::parse(&line).ok()?;
    let mut parts = Vec::new();
    let mut table = document.get_ref();
    while let Some((key, value)) = table.iter().next() {
        parts.push(key.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(below) => table = below,
            _ => break,
        }
    }
    Some(parts)
}

fn line_end(text: &str, from: usize) -> usize {
    text[from..].find('\n').map_or(text.len(), |at| from + at)
}

/// The text with a new member at a place.
pub(super) fn inserted(text: &str, place: Place, member: &str) -> String {
    match place {
        Place::Line(at) => {
            let end = if text[..at].ends_with('\r') { at - 1 } else { at };
            let newline = if end < at { "\r\n" } else { "\n" };
            let rest = if at == text.len() { "\n" } else { &text[end..] };
            format!("{}{newline}{member}{rest}", &text[..end])
        }
        Place::Member(at, more) => {
            let before = text[..at].trim_end();
            let comma = if !more || before.ends_with(',') { "" } else { "," };
            format!("{before}{comma} {member} {}", &text[at..])
        }
    }
}

/// The text with a new section at its end.
pub(super) fn appended(text: &str, section: &str, line: &str) -> String {
    let text = text.trim_end_matches(['\n', '\r', ' ', '\t']);
    let gap = if text.is_empty() { "" } else { "\n\n" };
    format!("{text}{gap}[{section}]\n{line}\n")
}
