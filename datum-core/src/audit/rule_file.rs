//! Rule files as text: parsed, checked, and refused with line, column and what is allowed.

use super::rule::Rule;
use serde::Deserialize;
use std::ops::Range;

/// Largest rule file, bytes.
const SIZE_MAX: usize = 256 * 1024;

/// A rule file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// Something in it is wrong.
    #[error("{file}:{line}:{column}: {message}")]
    Invalid {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong, and what is allowed.
        message: String,
    },
    /// It is too large.
    #[error("{file} has {size} bytes, a rule file has at most {SIZE_MAX}")]
    TooLarge {
        /// The file.
        file: String,
        /// Its size, bytes.
        size: usize,
    },
    /// A rule is asked for that no pack has.
    #[error("no rule is called {id:?}{}", alike(.near.as_deref()))]
    UnknownRule {
        /// What was asked for.
        id: String,
        /// A rule that is called alike.
        near: Option<String>,
    },
}

fn alike(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default()
}

pub(super) fn parse<'t, T: Deserialize<'t>>(file: &str, text: &'t str) -> Result<T, RuleError> {
    if text.len() > SIZE_MAX {
        return Err(RuleError::TooLarge { file: file.to_owned(), size: text.len() });
    }
    let deserializer = toml::Deserializer::parse(text);
    deserializer.and_then(T::deserialize).map_err(|error| {
        let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        invalid(file, text, error.span().map_or(0, |span| span.start), message)
    })
}

pub(super) fn invalid(file: &str, text: &str, at: usize, message: String) -> RuleError {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(1, |last| last.chars().count() + 1);
    RuleError::Invalid { file: file.to_owned(), line, column, message }
}

/// Checks what the types of a rule cannot say.
pub(super) fn check(rule: &Rule) -> Result<(), (Range<usize>, String)> {
    let id = rule.id();
    let part = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if !id.split_once('/').is_some_and(|(pack, name)| part(pack) && part(name)) || id.len() > 100 {
        let message = format!("{id:?} is no rule id: write pack/name in lower case, digits and '-'");
        return Err((rule.id.span(), message));
    }
    if rule.reason.trim().is_empty() || rule.reason.contains('\n') {
        return Err((rule.id.span(), format!("the reason of {id} must be one line")));
    }
    let mut wrong = None;
    rule.probe.patterns(&mut |pattern| {
        if let Err(error) = pattern.regex() {
            wrong.get_or_insert((
                pattern.span(),
                format!("{:?} is no regular expression: {error}", pattern.as_str()),
            ));
        }
    });
    wrong.map_or(Ok(()), Err)
}
