//! Checked names: each type has one door in, so a value of it is safe in a ref, a path and a line of text.

use crate::stamp::Writer;
use std::fmt;

/// Longest agent name, bytes.
pub const AGENT_MAX: usize = 63;
/// Longest tag or category, bytes.
pub const WORD_MAX: usize = 64;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {} {why}", shown(.text))]
pub struct NameError {
    /// What the text was to be: `agent name`, `tag`, ….
    pub what: &'static str,
    /// The refused text, as given.
    pub text: String,
    /// The rule it breaks.
    pub why: &'static str,
}

fn shown(text: &str) -> String {
    let short: String = text.chars().take(80).collect();
    format!("{short:?}")
}

/// Windows opens a device instead of a file for these names, with any ending.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

fn is_device(text: &str) -> bool {
    let stem = text.split('.').next().unwrap_or(text);
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix).is_some_and(|rest| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
    };
    DEVICES.contains(&stem) || numbered("com") || numbered("lpt")
}

fn check_agent(text: &str) -> Result<(), &'static str> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    match bytes.first() {
        None => return Err("is empty"),
        Some(first) if !plain(*first) => return Err("must start with a-z or 0-9"),
        Some(_) => {}
    }
    if bytes.len() > AGENT_MAX {
        return Err("is longer than 63 bytes");
    }
    if !bytes.iter().all(|b| plain(*b) || b"._-".contains(b)) {
        return Err("may hold only a-z, 0-9, '.', '_' and '-'");
    }
    if text.contains("..") {
        return Err("must not hold '..'");
    }
    if text.ends_with('.') || text.strip_suffix(".lock").is_some() {
        return Err("must not end with '.' or '.lock'");
    }
    if is_device(text) {
        return Err("is the name of a device on some systems");
    }
    Ok(())
}

/// The name of an agent: `[a-z0-9][a-z0-9._-]{0,62}`, safe as one part of a ref and of a path.
///
/// # Examples
/// ```
/// use datum_core::AgentName;
/// assert_eq!(AgentName::new("oracle1")?.as_str(), "oracle1");
/// assert!(AgentName::new("../etc").is_err());
/// # Ok::<(), datum_core::NameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentName(String);

impl AgentName {
    /// Checks `text` and makes it a name.
    ///
    /// # Errors
    /// [`NameError`] with the rule that `text` breaks.
    pub fn new(text: &str) -> Result<Self, NameError> {
        check_agent(text).map_err(|why| NameError { what: "agent name", text: text.to_owned(), why })?;
        Ok(Self(text.to_owned()))
    }

    /// The agent of a writer, whose name was checked when the writer was made.
    pub(crate) fn of_writer(writer: &Writer) -> Self {
        Self(writer.agent().to_owned())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AgentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One word of a vocabulary that users extend: a journal category, a tag, a capability.
///
/// Letters and digits of any script, and `._-/:+#` between them; no white space, so that it stands in a trailer and a shell word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(String);

impl Word {
    /// Checks `text`; `what` names it in the error.
    ///
    /// # Errors
    /// [`NameError`] with the rule that `text` breaks.
    pub fn new(what: &'static str, text: &str) -> Result<Self, NameError> {
        let refuse = |why| Err(NameError { what, text: text.to_owned(), why });
        if text.is_empty() {
            return refuse("is empty");
        }
        if text.len() > WORD_MAX {
            return refuse("is longer than 64 bytes");
        }
        if !text.starts_with(char::is_alphanumeric) {
            return refuse("must start with a letter or a digit");
        }
        if !text.chars().all(|c| c.is_alphanumeric() || "._-/:+#".contains(c)) {
            return refuse("may hold only letters, digits and . _ - / : + #");
        }
        Ok(Self(text.to_owned()))
    }

    /// The word as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name among `names` that is written most like `asked`, if one is near.
///
/// # Examples
/// ```
/// assert_eq!(datum_core::nearest("heorn", ["tern", "heron"].into_iter()).as_deref(), Some("heron"));
/// assert_eq!(datum_core::nearest("x", ["tern", "heron"].into_iter()), None);
/// ```
pub fn nearest<'n>(asked: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let shared = |name: &str| {
        let front = name.bytes().zip(asked.bytes()).take_while(|(a, b)| a == b).count();
        let back = name.bytes().rev().zip(asked.bytes().rev()).take_while(|(a, b)| a == b).count();
        front + back
    };
    let near = names.filter(|name| 2 * shared(name) >= name.len()).max_by_key(|name| shared(name))?;
    Some(near.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agent_names_follow_the_rule() {
        for good in ["datum", "oracle1", "jc-1", "a", "0x", "a.b", "console", "com10"] {
            assert!(AgentName::new(good).is_ok(), "{good}");
        }
        let long = "a".repeat(64);
        for bad in [
            "",
            "A",
            "a/b",
            "..",
            "a..b",
            "-a",
            ".a",
            "a.",
            "a.lock",
            "con",
            "nul.txt",
            "com1",
            "lpt9.x",
            "a b",
            "a\n",
            "a\0",
            "é",
            "a\u{202e}",
            &long,
        ] {
            assert!(AgentName::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn errors_show_control_characters_escaped() {
        let error = AgentName::new("a\u{1b}[31m").unwrap_err().to_string();
        assert!(!error.contains('\u{1b}'), "{error}");
    }

    #[test]
    fn words_hold_no_white_space() {
        assert!(Word::new("tag", "größe/α").is_ok());
        for bad in ["", " ", "a b", "a\nTag: b", "#x", "\u{202e}"] {
            assert!(Word::new("tag", bad).is_err(), "{bad:?}");
        }
    }
}
