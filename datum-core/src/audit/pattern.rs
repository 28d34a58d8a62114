//! Regular expressions of rules, compiled when a rule is first asked.

use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use std::cell::OnceCell;
use std::ops::Range;
use toml::Spanned;

/// A regular expression; `^` and `$` match at lines.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Pattern {
    text: Spanned<String>,
    #[serde(skip)]
    compiled: OnceCell<Result<Regex, String>>,
}

impl Pattern {
    pub(crate) fn as_str(&self) -> &str {
        self.text.get_ref()
    }

    pub(crate) fn span(&self) -> Range<usize> {
        self.text.span()
    }

    pub(crate) fn regex(&self) -> Result<&Regex, &str> {
        let compile = || {
            let built = RegexBuilder::new(self.as_str()).multi_line(true).size_limit(1 << 20).build();
            built.map_err(|error| {
                let said = error.to_string();
                let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
                last.trim().trim_start_matches("error: ").to_owned()
            })
        };
        self.compiled.get_or_init(compile).as_ref().map_err(String::as_str)
    }
}
