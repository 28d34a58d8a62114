//! Counts lines as tokei does, several times quicker: most bytes of a text can begin nothing, and are passed over.
//!
//! tokei asks of each byte of a line whether a quote, a comment or an escape begins or ends there, and shares the lines
//! of one file among threads. Here that is asked only where one of the language's signs may stand. The table is tokei's
//! and so are the rules, the odd ones too, so that both tell the same numbers: a law below holds them together. What has
//! rules of its own (notebooks, Fortran, pages with scripts) is left to tokei.

use super::syntax::{Syntax, begins, pair, starts};
use memchr::{memchr, memmem};
use regex::bytes::Regex;
use std::str::FromStr as _;
use std::sync::LazyLock;
use tokei::{Config, LanguageType};

/// Languages that are left to tokei where one of [`EMBEDDING`] stands in the text.
const PAGES: [LanguageType; 6] = [
    LanguageType::Html,
    LanguageType::RubyHtml,
    LanguageType::Svelte,
    LanguageType::Vue,
    LanguageType::GlimmerJs,
    LanguageType::GlimmerTs,
];
const EMBEDDING: [&[u8]; 3] = [b"<script", b"<style", b"<template"];
const FENCE: &[u8] = b"```";

static FENCE_OPENS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"```\S+\s").ok());
static FENCE_CLOSES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"```\s?").ok());

/// Lines by what they hold, those of embedded languages with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lines {
    pub(crate) code: u64,
    pub(crate) comments: u64,
    pub(crate) blanks: u64,
}

impl Lines {
    fn add(&mut self, other: Self) {
        self.code += other.code;
        self.comments += other.comments;
        self.blanks += other.blanks;
    }
}

/// Counts the lines of a text.
pub(crate) fn count(language: LanguageType, text: &[u8]) -> Lines {
    let embeds = || EMBEDDING.iter().any(|tag| memmem::find(text, tag).is_some());
    let Some(syntax) = Syntax::of(language).filter(|_| !PAGES.contains(&language) || !embeds()) else {
        return by_tokei(language, text);
    };
    let important = syntax.next_important(text, 0);
    let mut reader = Reader {
        syntax,
        important,
        quote: None,
        verbatim: false,
        comments: Vec::new(),
        lines: Lines::default(),
    };
    let mut start = 0;
    while start < text.len() {
        start = reader.line(text, start, line_end(text, start));
    }
    reader.lines
}

fn by_tokei(language: LanguageType, text: &[u8]) -> Lines {
    let stats = language.parse_from_slice(text, &Config::default()).summarise();
    let number = |count: usize| count as u64;
    Lines { code: number(stats.code), comments: number(stats.comments), blanks: number(stats.blanks) }
}

/// Reads a text line by line.
struct Reader {
    syntax: &'static Syntax,
    /// The next place that makes more of a line than its beginning, or one that is behind: it is looked for in many lines
    /// at once.
    important: usize,
    /// What ends the quotation that is open.
    quote: Option<&'static str>,
    /// Whether the last quotation that was opened knows no escapes.
    verbatim: bool,
    /// What ends the comments that are open, the innermost last.
    comments: Vec<&'static str>,
    lines: Lines,
}

impl Reader {
    fn is_plain(&self) -> bool {
        self.quote.is_none() && self.comments.is_empty()
    }

    /// Counts the line from `start` to `end`; answers where the next begins, which is later where other text is embedded.
    fn line(&mut self, text: &[u8], start: usize, end: usize) -> usize {
        let Syntax { literate, line_comments, .. } = *self.syntax;
        let line = trim(&text[start..end]);
        let was_open = !self.comments.is_empty();
        let is_comment = if !self.is_plain() || self.is_important(text, start, end) {
            if let Some(next) = self.walk(text, start, end) {
                return next;
            }
            literate || self.is_comment(line, was_open)
        } else if line.is_empty() {
            self.lines.blanks += 1;
            return end;
        } else {
            literate || begins(line_comments, line)
        };
        if is_comment {
            self.lines.comments += 1;
        } else {
            self.lines.code += 1;
        }
        end
    }

    /// Whether more than its beginning must be seen to tell what the line is.
    fn is_important(&mut self, text: &[u8], start: usize, end: usize) -> bool {
        if self.important < start {
            self.important = self.syntax.next_important(text, start);
        }
        self.important < end
    }

    /// Whether the line is a comment, now that it has been walked.
    fn is_comment(&self, line: &[u8], was_open: bool) -> bool {
        let is_whole = |(begin, end): &(&str, &str)| starts(line, begin) && line.ends_with(end.as_bytes());
        let is_open = |(begin, end): &(&str, &str)| self.comments.last() == Some(end) && starts(line, begin);
        self.quote.is_none()
            && (was_open
                || begins(self.syntax.line_comments, line)
                || self.syntax.closed().any(|pair| is_whole(pair) || is_open(pair)))
    }

    /// Notes what begins and ends in a line; answers where embedded text ends, with which the line is not counted.
    fn walk(&mut self, text: &[u8], start: usize, end: usize) -> Option<usize> {
        let mut at = start;
        while let Some(next) = text.get(at..end).and_then(|line| self.syntax.firsts.find(line)) {
            at += next;
            let rest = &text[at..];
            if let Some(length) = self.ends(rest) {
                at += length;
            } else if self.quote.is_some() {
                at += 1;
            } else if let Some(next) = self.embedded(text, start, at, end) {
                return Some(next);
            } else if let Some(length) = self.begins(rest) {
                at += length;
            } else if self.is_plain() && begins(self.syntax.line_comments, rest) {
                return None;
            } else {
                at += 1;
            }
        }
        // The space before documentation belongs to it, and the end of the line is space.
        self.documentation(text, end)
    }

    /// The length of what ends at the beginning of `rest`, or is escaped there.
    fn ends(&mut self, rest: &[u8]) -> Option<usize> {
        if let Some(quote) = self.quote.filter(|quote| starts(rest, quote)) {
            self.quote = None;
            return Some(quote.len());
        }
        if let (false, [b'\\', escaped @ ..]) = (self.verbatim, rest)
            && (escaped.starts_with(b"\\") || pair(self.syntax.quotes, escaped).is_some())
        {
            return Some(2);
        }
        let comment = self.comments.pop_if(|end| starts(rest, end))?;
        Some(comment.len())
    }

    /// The length of what begins with `rest`.
    fn begins(&mut self, rest: &[u8]) -> Option<usize> {
        let Syntax { doc_quotes, verbatim_quotes, quotes, .. } = *self.syntax;
        if self.comments.is_empty() {
            for (kind, verbatim) in [(doc_quotes, false), (verbatim_quotes, true), (quotes, false)] {
                if let Some((begin, end)) = pair(kind, rest) {
                    (self.quote, self.verbatim) = (Some(end), verbatim);
                    return Some(begin.len());
                }
            }
        }
        let (begin, end) = self.syntax.closed().find(|(begin, _)| starts(rest, begin))?;
        if self.comments.is_empty() || self.syntax.nests || self.syntax.nested.contains(&(begin, end)) {
            self.comments.push(end);
        }
        Some(begin.len())
    }

    /// Counts text in another language that begins at `at`; answers where it ends.
    fn embedded(&mut self, text: &[u8], start: usize, at: usize, end: usize) -> Option<usize> {
        match self.syntax.language {
            LanguageType::Rust if text[at] == b'/' => self.documentation(text, at),
            LanguageType::Markdown if text[at..].starts_with(FENCE) => self.fenced(text, start, at, end),
            _ => None,
        }
    }

    /// Counts the documentation of Rust that follows, as the Markdown it is.
    fn documentation(&mut self, text: &[u8], at: usize) -> Option<usize> {
        if self.syntax.language != LanguageType::Rust || !self.is_plain() {
            return None;
        }
        let sign = documentation(trim_start(&text[at..]))?;
        let mut markdown = Vec::new();
        let mut start = at;
        while start < text.len() && trim_start(&text[start..]).starts_with(sign) {
            let end = line_end(text, start);
            let line = trim_start(&text[start..end]);
            markdown.extend_from_slice(&line[sign.len().min(line.len())..]);
            start = end;
        }
        self.lines.add(count(LanguageType::Markdown, trim(&markdown)));
        Some(start)
    }

    /// Counts the code in a block of Markdown, if the first in the line from `start` to `end` begins at `at`.
    fn fenced(&mut self, text: &[u8], start: usize, at: usize, end: usize) -> Option<usize> {
        let opening = FENCE_OPENS.as_ref()?.find(&text[start..end])?;
        if start + opening.start() != at {
            return None;
        }
        let mut names = trim(opening.as_bytes())[FENCE.len()..].split(|byte| *byte == b',');
        let known = |name: &[u8]| LanguageType::from_str(&String::from_utf8_lossy(name)).ok();
        let language = names.find_map(known)?;
        let code = &text[start + opening.end()..];
        let closing = FENCE_CLOSES.as_ref()?.find(code);
        let (length, whole) = closing.map_or((code.len(), code.len()), |found| (found.start(), found.end()));
        self.lines.comments += if closing.is_some() { 2 } else { 1 };
        self.lines.add(count(language, trim(&code[..length])));
        Some(start + opening.end() + whole)
    }
}

/// The sign that documentation of Rust begins with.
fn documentation(text: &[u8]) -> Option<&'static [u8]> {
    [b"///", b"//!"].into_iter().find(|sign| text.starts_with(*sign)).map(|sign| &sign[..])
}

/// Where the line that begins at `start` ends, with its end.
fn line_end(text: &[u8], start: usize) -> usize {
    memchr(b'\n', &text[start..]).map_or(text.len(), |at| start + at + 1)
}

/// Space as tokei has it, the vertical tab with it.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn trim_start(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !is_space(*byte)).unwrap_or(text.len());
    &text[start..]
}

fn trim(text: &[u8]) -> &[u8] {
    let text = trim_start(text);
    let end = text.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Texts of a language: its signs, what may stand around them, and what other languages begin with.
    fn texts(language: LanguageType) -> impl Strategy<Value = String> {
        let pairs = [
            language.multi_line_comments(),
            language.nested_comments(),
            language.doc_quotes(),
            language.verbatim_quotes(),
            language.quotes(),
        ]
        .concat();
        let mut parts: Vec<&str> = pairs.iter().flat_map(|(begin, end)| [*begin, *end]).collect();
        parts.extend(language.line_comments().iter().chain(language.important_syntax()));
        let own = proptest::sample::select(if parts.is_empty() { vec!["x"] } else { parts });
        let common = proptest::sample::select(vec![
            "\n",
            "\n",
            "\n",
            "\n\n",
            "\r\n",
            " ",
            "    ",
            "\t",
            "\u{b}",
            "x",
            "word",
            "é",
            "\\",
            "\\\\",
            "\"",
            "'",
            "`",
            "/",
            "///",
            "//!",
            "```",
            "```rust\n",
            "```rust,ignore\n",
            "```sh\n",
            "```none\n",
            "<script>",
            "</script>",
        ]);
        proptest::collection::vec(prop_oneof![own, common], 0..60).prop_map(|parts| parts.concat())
    }

    fn languages() -> impl Strategy<Value = LanguageType> {
        let all: Vec<LanguageType> = LanguageType::list().iter().map(|(language, _)| *language).collect();
        let odd = vec![LanguageType::Rust, LanguageType::Markdown, LanguageType::Python, LanguageType::D];
        prop_oneof![proptest::sample::select(all), proptest::sample::select(odd)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn tokei_counts_the_same((language, text) in languages().prop_flat_map(|language| (Just(language), texts(language)))) {
            prop_assert_eq!(count(language, text.as_bytes()), by_tokei(language, text.as_bytes()), "{}", language.name());
        }
    }
}
