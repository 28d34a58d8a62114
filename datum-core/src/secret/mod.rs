//! Secrets in text: keys and tokens by their prefixes, keys without one by chance and context, passwords by context.
//!
//! No regular expressions: everything worth finding holds a run of at least 16 word characters (private keys and
//! passwords have words of their own), so the text is probed at every 16th byte, and only what looks like such a run is
//! looked at. There is nothing to compile, and most text is never read twice.

mod chance;
mod context;
mod keyed;
mod rules;

use std::ops::Range;

/// Largest text that is searched, bytes; no larger file is source text.
pub const SIZE_MAX: usize = 128 * 1024 * 1024;
/// Most findings in one text: one page of them says as much as a thousand.
pub const FINDINGS_MAX: usize = 100;
/// Most keys in one file of which nothing says that they are keys.
const BARE_MAX: usize = 8;
/// What, on a line, says that its secret is meant to be there.
pub const MARKERS: [&str; 3] = ["datum:allow-secret", "gitleaks:allow", "pragma: allowlist secret"];

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It may be a secret, or one that opens little.
    Warning,
    /// It looks like a secret.
    Error,
    /// It is a secret by its form.
    Critical,
}

/// A secret in a text. The secret itself is no part of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static str,
    /// What it is, in a few words.
    pub what: &'static str,
    /// How much it matters.
    pub level: Level,
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
    /// The prefix that everyone knows, and how long the rest is.
    pub redacted: String,
    #[serde(skip)]
    at: Range<usize>,
}

/// The rule of findings that are a value of the vault.
#[cfg(feature = "vault")]
pub(crate) const VAULT: &str = "vault-value";

impl Finding {
    /// A value of the vault; `shown` says which.
    #[cfg(feature = "vault")]
    pub(crate) fn of_vault(text: &[u8], at: Range<usize>, shown: String) -> Self {
        let line = memchr::memchr_iter(b'\n', &text[..at.start]).count() + 1;
        let start = memchr::memrchr(b'\n', &text[..at.start]).map_or(0, |at| at + 1);
        let what = "a value of the vault";
        let column = at.start - start + 1;
        Self { rule: VAULT, what, level: Level::Critical, line, column, redacted: shown, at }
    }

    /// What tells this secret of the text that was searched from others, for comparing with those of another text.
    pub(crate) fn secret<'t>(&'t self, text: &'t [u8]) -> &'t [u8] {
        // What was found inside of something packed has no bytes of its own here.
        if self.at.is_empty() {
            return self.redacted.as_bytes();
        }
        text.get(self.at.clone()).unwrap_or_default()
    }

    /// The column in characters, from 1, in the text that was searched.
    pub(crate) fn column_in_characters(&self, text: &[u8]) -> usize {
        let start = self.at.start.saturating_sub(self.column - 1);
        String::from_utf8_lossy(text.get(start..self.at.start).unwrap_or_default()).chars().count() + 1
    }
}

/// A secret found, before lines are counted.
struct Hit {
    rule: &'static str,
    what: &'static str,
    level: Level,
    at: Range<usize>,
    /// How many of its first bytes are no secret.
    open: usize,
}

/// Finds the secrets in the file `path` with the content `text`.
///
/// The path decides only how much is made of keys that have no form of their own: less in tests, nothing in lock files.
///
/// # Examples
/// ```
/// use datum_core::secret;
/// let text = format!("token = \"ghp_{}\"", "a1B2c3D4e5F6g7H8i9J0".repeat(2).split_at(36).0);
/// let found = secret::scan("config.py", text.as_bytes());
/// assert_eq!((found[0].rule, found[0].line, found[0].column), ("github-token", 1, 10));
/// assert_eq!(found[0].redacted, "ghp_… (40 characters)");
/// ```
pub fn scan(path: &str, text: &[u8]) -> Vec<Finding> {
    if text.len() > SIZE_MAX {
        return Vec::new();
    }
    let mut hits = Vec::new();
    let guess = context::guesses(path, text);
    runs(text, |run| {
        if hits.len() < FINDINGS_MAX
            && let Some(hit) = rules::look(text, &run).or_else(|| keyed::look(text, &run, guess))
        {
            hits.push(hit);
        }
    });
    keyed::private_keys(text, &mut hits);
    if guess != context::Guess::Never {
        keyed::passwords(text, guess, &mut hits);
    }
    hits.sort_by_key(|hit| (hit.at.start, std::cmp::Reverse(hit.at.end)));
    // So many of them are a table of something else.
    if hits.iter().filter(|hit| hit.rule == "bare-key").count() > BARE_MAX {
        hits.retain(|hit| hit.rule != "bare-key");
    }
    let mut end = 0;
    hits.retain(|hit| {
        let inside = hit.at.start < end;
        end = end.max(hit.at.end);
        !inside
    });
    hits.truncate(FINDINGS_MAX);
    place(text, hits)
}

/// Counts the lines of the hits, and leaves out those whose line says that they are meant to be there.
fn place(text: &[u8], hits: Vec<Hit>) -> Vec<Finding> {
    let mut found = Vec::with_capacity(hits.len());
    let (mut line, mut counted) = (1, 0);
    for hit in hits {
        line += memchr::memchr_iter(b'\n', &text[counted..hit.at.start]).count();
        counted = hit.at.start;
        let start = memchr::memrchr(b'\n', &text[..hit.at.start]).map_or(0, |at| at + 1);
        let end = memchr::memchr(b'\n', &text[hit.at.start..]).map_or(text.len(), |at| hit.at.start + at);
        // A line may be the whole of a large file.
        let near = &text[start.max(hit.at.start.saturating_sub(1000))..end.min(hit.at.end + 1000)];
        if MARKERS.iter().any(|marker| memchr::memmem::find(near, marker.as_bytes()).is_some()) {
            continue;
        }
        let open = String::from_utf8_lossy(&text[hit.at.start..hit.at.start + hit.open]);
        found.push(Finding {
            rule: hit.rule,
            what: hit.what,
            level: hit.level,
            line,
            column: hit.at.start - start + 1,
            redacted: format!("{open}… ({} characters)", hit.at.len()),
            at: hit.at,
        });
    }
    found
}

/// The characters of words: letters, digits, `_` and `-`.
const WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "it counts to 255")]
        let b = byte as u8;
        table[byte] = b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        byte += 1;
    }
    table
};

fn is_word(byte: u8) -> bool {
    WORD[usize::from(byte)]
}

/// Shortest run of word characters that is looked at, bytes.
const RUN_MIN: usize = 16;

/// Visits the runs of at least [`RUN_MIN`] word characters, in their order.
fn runs(text: &[u8], mut visit: impl FnMut(Range<usize>)) {
    let mut done = 0;
    let mut probe = RUN_MIN - 1;
    while probe < text.len() {
        // Any run that is long enough holds one of the probed bytes.
        if !is_word(text[probe]) {
            probe += RUN_MIN;
            continue;
        }
        let mut start = probe;
        while start > done && is_word(text[start - 1]) {
            start -= 1;
        }
        let end = text[probe..].iter().position(|byte| !is_word(*byte)).map_or(text.len(), |at| probe + at);
        if end - start >= RUN_MIN {
            visit(start..end);
        }
        done = end;
        probe = end + RUN_MIN;
    }
}

#[cfg(test)]
mod tests;
