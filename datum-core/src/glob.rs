//! Path patterns as git writes them: `*` and `?` stay inside a folder, `**` crosses folders.

use gix::glob::wildmatch;
use gix::glob::wildmatch::Mode;
use std::fmt;

/// A pattern of paths from the root of a tree.
///
/// # Examples
/// ```
/// use datum_core::Glob;
/// let notes: Glob = "docs/**/*.md".parse()?;
/// assert!(notes.matches("docs/a/b.md") && notes.matches("docs/b.md") && !notes.matches("docs/b.txt"));
/// # Ok::<(), datum_core::GlobError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Glob(String);

/// A text that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no pattern of paths: {why}")]
pub struct GlobError {
    text: String,
    why: &'static str,
}

impl Glob {
    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a path and no pattern.
    pub fn is_literal(&self) -> bool {
        !self.0.contains(['*', '?', '[', '\\'])
    }

    /// The deepest folder that holds everything it can match; empty for the root.
    pub fn folder(&self) -> &str {
        let special = self.0.find(['*', '?', '[', '\\']).unwrap_or(self.0.len());
        self.0[..special].rfind('/').map_or("", |at| &self.0[..at])
    }

    /// Whether it reaches below the folder its last literal part names.
    pub fn is_deep(&self) -> bool {
        self.0[self.folder().len()..].trim_start_matches('/').contains('/') || self.0.contains("**")
    }

    /// What every path that it matches ends with; may be empty.
    pub(crate) fn tail(&self) -> &str {
        let start = self.0.rfind(['*', '?', '[', ']', '\\', '/']).map_or(0, |at| at + 1);
        &self.0[start..]
    }

    /// Whether it matches `path`.
    pub fn matches(&self, path: &str) -> bool {
        self.matches_with(path, false)
    }

    /// Whether it matches `path`, letter case of ASCII aside if `any_case`.
    pub fn matches_with(&self, path: &str, any_case: bool) -> bool {
        let case = if any_case { Mode::IGNORE_CASE } else { Mode::empty() };
        wildmatch(self.0.as_bytes().into(), path.as_bytes().into(), Mode::NO_MATCH_SLASH_LITERAL | case)
    }
}

impl TryFrom<String> for Glob {
    type Error = GlobError;

    fn try_from(text: String) -> Result<Self, GlobError> {
        let why = if text.is_empty() {
            "it is empty"
        } else if text.len() > 500 {
            "it is longer than 500 bytes"
        } else if text.starts_with('/') || text.ends_with('/') {
            "paths are written from the root, without '/' at either end"
        } else if text.split('/').any(|part| matches!(part, ".." | "." | "")) {
            "it holds an empty part, '.' or '..'"
        } else if text.contains(char::is_control) {
            "it holds a control character"
        } else {
            return Ok(Self(text));
        };
        Err(GlobError { text: text.chars().take(80).collect(), why })
    }
}

impl std::str::FromStr for Glob {
    type Err = GlobError;

    fn from_str(text: &str) -> Result<Self, GlobError> {
        Self::try_from(text.to_owned())
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_match_ends_as_the_pattern_does() {
        let tail = |glob: &str| glob.parse::<Glob>().unwrap().tail().to_owned();
        for (glob, want) in [
            ("**/.env", ".env"),
            ("**/*.p12", ".p12"),
            ("**", ""),
            ("a/[ab]c", "c"),
            ("a/b", "b"),
            ("*/x", "x"),
        ] {
            assert_eq!(tail(glob), want, "{glob}");
        }
    }

    #[test]
    fn a_pattern_knows_where_to_look() {
        let check = |text: &str, folder: &str, literal: bool, deep: bool| {
            let glob: Glob = text.parse().unwrap();
            assert_eq!((glob.folder(), glob.is_literal(), glob.is_deep()), (folder, literal, deep), "{text}");
        };
        check("README*", "", false, false);
        check("a/b/c.md", "a/b", true, false);
        check("a/b*/c.md", "a", false, true);
        check("docs/**", "docs", false, true);
        check("**/x", "", false, true);
    }

    #[test]
    fn stars_stay_in_their_folder() {
        let matches = |text: &str, path: &str| text.parse::<Glob>().unwrap().matches(path);
        assert!(matches("*.md", "a.md") && !matches("*.md", "a/b.md"));
        assert!(matches("**/*.md", "a.md") && matches("**/*.md", "a/b/c.md"));
        assert!("readme*".parse::<Glob>().unwrap().matches_with("README.md", true));
        for bad in ["", "/a", "a/", "../x", "a//b", "a\nb"] {
            assert!(bad.parse::<Glob>().is_err(), "{bad:?}");
        }
    }
}
