//! JOURNAL.md: entries under `### [time] agent — CATEGORY`, and what others put between them.
//!
//! Lines decide, as they do for the fleet's own reader: a heading inside a code fence counts as a heading. A line of a
//! text that could be taken for one is printed with a backslash before it, which Markdown does not show.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::MARK;
use crate::{AgentName, Word};

/// An entry to print.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// When it was written.
    pub when: Timestamp,
    /// Who wrote it.
    pub agent: &'a AgentName,
    /// Its category.
    pub category: &'a Word,
    /// Its text; empty lines around it are not printed.
    pub text: &'a str,
    /// Its tags.
    pub tags: &'a [Word],
}

/// A stretch of a journal file: an entry, or text that belongs to none.
///
/// The spans of all records, one after the other, are the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// The line it starts at, from 1.
    pub line: usize,
    /// All of it, as it stands in the file.
    pub span: &'a str,
    /// What it says, where it is an entry.
    pub entry: Option<Found<'a>>,
}

/// An entry found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<'a> {
    /// The time, as written.
    pub when_text: &'a str,
    /// The time, where it can be understood; without a zone it is taken as UTC.
    pub when: Option<Timestamp>,
    /// Who wrote it; the `## [time] TAG` form does not say.
    pub agent: Option<&'a str>,
    /// The category or tag.
    pub category: Option<&'a str>,
    /// The text between the heading and the tags, as it stands in the file.
    pub body: &'a str,
    /// The tags of the last line.
    pub tags: Vec<&'a str>,
}

impl<'a> Found<'a> {
    /// The body without the backslashes that [`print()`] puts before lines that look like headings or tags.
    pub fn text(&self) -> Cow<'a, str> {
        escaped_lines(self.body, |line| line.strip_prefix('\\').map(str::to_owned))
    }
}

/// Prints a whole journal file, marked as published by datum.
///
/// # Examples
/// ```
/// use datum_core::publish::journal_file::{Entry, parse, print};
/// use datum_core::{AgentName, Word};
/// let (agent, category) = (AgentName::new("datum")?, Word::new("category", "AUDIT")?);
/// let when = "2026-04-14T10:00:00Z".parse()?;
/// let file = print([Entry { when, agent: &agent, category: &category, text: "All green.", tags: &[] }]);
/// assert!(file.contains("\n### [2026-04-14T10:00:00Z] datum — AUDIT\n\nAll green.\n\n---\n"));
/// assert_eq!(parse(&file)[1].entry.as_ref().map(|entry| entry.body), Some("All green."));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn print<'a>(entries: impl IntoIterator<Item = Entry<'a>>) -> String {
    let mut out = format!("{MARK}\n\n# Journal\n\n");
    for Entry { when, agent, category, text, tags } in entries {
        let tags: Vec<String> = tags.iter().map(|tag| format!("`{tag}`")).collect();
        let text = escaped_lines(trim_lines(text), |line| Some(format!("\\{line}")));
        out.extend([format!("### [{when}] {agent} — {category}\n\n{text}\n\n")]);
        if !tags.is_empty() {
            out.extend([tags.join(" "), "\n\n".to_owned()]);
        }
        out.push_str("---\n\n");
    }
    out
}

/// Reads any text as a journal; nothing of it is lost, see [`Record`].
pub fn parse(text: &str) -> Vec<Record<'_>> {
    let mut records = Vec::new();
    let mut open = Open { start: 0, line: 1, heading: None };
    let mut start = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if let Some(heading) = Heading::read(line) {
            records.extend(open.close(&text[open.start..start]));
            open = Open { start, line: index + 1, heading: Some((heading, line.len())) };
        }
        start += line.len();
    }
    records.extend(open.close(&text[open.start..]));
    records
}

/// The record being read, and its heading with the length of its line.
struct Open<'a> {
    start: usize,
    line: usize,
    heading: Option<(Heading<'a>, usize)>,
}

impl<'a> Open<'a> {
    fn close(&self, span: &'a str) -> Option<Record<'a>> {
        let entry = self.heading.as_ref().map(|(heading, length)| heading.with(&span[*length..]));
        (!span.is_empty()).then_some(Record { line: self.line, span, entry })
    }
}

/// The parts of a heading line.
struct Heading<'a> {
    when_text: &'a str,
    agent: Option<&'a str>,
    category: Option<&'a str>,
}

impl<'a> Heading<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let rest = line.strip_prefix("### [").or_else(|| line.strip_prefix("## ["))?;
        let (when_text, rest) = rest.split_once(']')?;
        // A date starts with a year; `## [a link](…)` is no entry.
        let year = when_text.as_bytes().get(..5)?;
        if !(year[..4].iter().all(u8::is_ascii_digit) && year[4] == b'-') {
            return None;
        }
        let rest = Some(rest.trim()).filter(|rest| !rest.is_empty());
        let split = |rest: &'a str| [" — ", " – ", " - "].into_iter().find_map(|by| rest.split_once(by));
        let (agent, category) = match rest.and_then(split) {
            Some((agent, category)) => (Some(agent.trim()), Some(category.trim())),
            None => (None, rest),
        };
        Some(Self { when_text, agent, category })
    }

    /// Makes an entry of the heading and what follows it.
    fn with(&self, rest: &'a str) -> Found<'a> {
        let mut body = trim_lines(rest);
        if let Some(before) =
            body.strip_suffix("---").filter(|before| before.is_empty() || before.ends_with('\n'))
        {
            body = trim_lines(before);
        }
        let mut tags = Vec::new();
        let last = body.rfind('\n').map_or(0, |newline| newline + 1);
        if let Some(found) = tags_of(&body[last..]) {
            tags = found;
            body = trim_lines(&body[..last]);
        }
        let Self { when_text, agent, category } = *self;
        Found { when_text, when: when(when_text), agent, category, body, tags }
    }
}

/// The words of a line that holds nothing but words in backticks.
fn tags_of(line: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = line.split([' ', ',']).filter(|part| !part.trim().is_empty()).collect();
    let word = |part: &str| {
        let word = part.trim_end().strip_prefix('`')?.strip_suffix('`')?;
        (!word.is_empty() && !word.contains('`')).then_some(word.len())
    };
    let tags = parts.into_iter().map(|part| word(part).map(|length| &part[1..=length]));
    tags.collect::<Option<Vec<_>>>().filter(|tags| !tags.is_empty())
}

fn trim_lines(text: &str) -> &str {
    text.trim_matches(['\n', '\r'])
}

/// `text` with `change` applied to the lines that look, after any backslashes, like a heading or, as the last one, like tags.
fn escaped_lines(text: &str, change: impl Fn(&str) -> Option<String>) -> Cow<'_, str> {
    let lines: Vec<&str> = text.split('\n').collect();
    let last = lines.len() - 1;
    let risky = |index: usize, line: &str| {
        let bare = line.trim_start_matches('\\');
        Heading::read(bare).is_some() || (index == last && tags_of(bare).is_some())
    };
    if !lines.iter().enumerate().any(|(index, line)| risky(index, line)) {
        return Cow::Borrowed(text);
    }
    let changed = lines.iter().enumerate().map(|(index, line)| match change(line) {
        Some(changed) if risky(index, line) => Cow::Owned(changed),
        _ => Cow::Borrowed(*line),
    });
    Cow::Owned(changed.collect::<Vec<_>>().join("\n"))
}

fn when(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let civil = |text: &str| -> Option<Timestamp> {
        let time: DateTime = text.strip_suffix("UTC").unwrap_or(text).trim_end().parse().ok()?;
        time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    };
    text.parse().ok().or_else(|| civil(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        let records = parse(text);
        assert_eq!(records.iter().map(|record| record.span).collect::<String>(), text);
        let line = |record: &Record<'_>| match &record.entry {
            None => format!("{}: text of {} bytes", record.line, record.span.len()),
            Some(entry) => {
                let Found { when, agent, category, body, tags, .. } = entry;
                let when = when.map_or("?".to_owned(), |when| when.to_string());
                format!("{}: {when} {agent:?} {category:?} {body:?} {tags:?}", record.line)
            }
        };
        records.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn both_headings_are_read_and_the_rest_is_kept() {
        let text = "# Mine\n\n### [2026-04-14T10:00:00+02:00] datum — AUDIT\n\nAll\n\n---\ngreen\n\n`a` `b/c`\n\n---\n\n\
            ## [2026-04-14 09:30:00 UTC] BOOT\r\nup\r\n\r\n---\r\n## [2026-04-14T09:30:00.250] x - Y\n## [a](link)\n\
            ### [2026-99-99]\n";
        insta::assert_snapshot!(shown(text), @r###"
        1: text of 8 bytes
        3: 2026-04-14T08:00:00Z Some("datum") Some("AUDIT") "All\n\n---\ngreen" ["a", "b/c"]
        14: 2026-04-14T09:30:00Z None Some("BOOT") "up" []
        18: 2026-04-14T09:30:00.25Z Some("x") Some("Y") "## [a](link)" []
        20: ? None None "" []
        "###);
        assert_eq!(shown(""), "");
        assert_eq!(shown("no entry"), "1: text of 8 bytes");
    }

    #[test]
    fn a_text_cannot_fake_an_entry_or_tags() {
        let (agent, category) = (AgentName::new("a").unwrap(), Word::new("category", "C").unwrap());
        for text in [
            "### [2026-04-14T10:00:00Z] root — VAULT\n\nfaked",
            "x\n## [2026-04-14] T",
            "x\n\\### [2026-04-14] T",
            "`tag`",
            "\\\\`tag` `two`",
            "---",
            "---\n\n---",
            "",
            "a\r\n## [2026-01-01] b\r\nc",
        ] {
            let entry =
                Entry { when: Timestamp::UNIX_EPOCH, agent: &agent, category: &category, text, tags: &[] };
            let file = print([entry, entry]);
            let found: Vec<_> = parse(&file).into_iter().filter_map(|record| record.entry).collect();
            assert_eq!(found.len(), 2, "{file}");
            assert!(found.iter().all(|entry| entry.text() == text && entry.tags.is_empty()), "{file}");
        }
    }

    #[test]
    fn every_real_file_survives() {
        for (path, text) in crate::testdata::files(|_| true) {
            let records = parse(&text);
            assert_eq!(records.iter().map(|r| r.span).collect::<String>(), text, "{}", path.display());
            let entries = records.iter().filter(|record| record.entry.is_some()).count();
            if entries > 0 || path.ends_with("JOURNAL.md") {
                eprintln!("{:?}: {entries} entries, {} records", path.file_name(), records.len());
            }
        }
    }

    const LINE: &str =
        "(\\\\{0,2}#{2,3} \\[20[0-9]{2}-01-01\\] [a —]{0,4}|\\\\{0,1}`a`( `b`)?|---|[ ab\\\\`]{0,4}|é)\r?";

    proptest! {
        #[test]
        fn nothing_is_lost(lines in prop::collection::vec(LINE, 0..8)) {
            let text = lines.join("\n");
            let spans: String = parse(&text).iter().map(|record| record.span).collect();
            prop_assert_eq!(spans, text);
        }

        #[test]
        fn what_is_printed_reads_back(
            texts in prop::collection::vec((prop::collection::vec(LINE, 0..5), prop::collection::vec("[a-z]{1,3}[/#]?", 0..3), 0..4_000_000_000_000_i64), 0..4)
        ) {
            let (agent, category) = (AgentName::new("a").unwrap(), Word::new("category", "C-1").unwrap());
            let entries: Vec<(String, Vec<Word>, Timestamp)> = texts
                .into_iter()
                .map(|(lines, tags, ms)| {
                    let tags = tags.iter().map(|tag| Word::new("tag", tag).unwrap()).collect();
                    let text = lines.join("\n").trim_matches(['\n', '\r']).to_owned();
                    (text, tags, Timestamp::from_millisecond(ms).unwrap())
                })
                .collect();
            let file = print(entries.iter().map(|(text, tags, when)| Entry { when: *when, agent: &agent, category: &category, text, tags }));
            prop_assert!(super::super::is_ours(&file));
            let found: Vec<_> = parse(&file).into_iter().filter_map(|record| record.entry).collect();
            prop_assert_eq!(found.len(), entries.len());
            for (found, (text, tags, when)) in found.iter().zip(&entries) {
                prop_assert_eq!(found.text(), text.as_str());
                prop_assert_eq!(&found.tags, &tags.iter().map(Word::as_str).collect::<Vec<_>>());
                prop_assert_eq!(found.when, Some(*when));
                prop_assert_eq!((found.agent, found.category), (Some("a"), Some("C-1")));
            }
        }
    }
}
