//! I2I commit subjects: `[I2I:TYPE] scope — summary`, `[I2I:TYPE:CODE] …` and the seed's `[I2I:TYPE] sender:action — …`.
//!
//! Three answers, because a hook needs all three: not I2I, an I2I subject with its parts and warnings, or a subject
//! that was meant to be I2I and is not. An unknown type is a warning: fleets coin types faster than specifications do.

use std::fmt;

mod types;

pub use types::{TYPES, Type, known};

/// Longest scope the I2I conventions allow, characters.
pub const SCOPE_MAX: usize = 100;
/// Longest summary the I2I conventions allow, characters.
pub const SUMMARY_MAX: usize = 200;

/// What stands between scope and summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// ` — `, which the protocol asks for.
    EmDash,
    /// ` – `.
    EnDash,
    /// ` -- `.
    DoubleHyphen,
    /// ` - `.
    Hyphen,
}

impl Separator {
    /// In the order they are looked for: a hyphen inside a scope must not win over the em dash after it.
    const ALL: [Self; 4] = [Self::EmDash, Self::EnDash, Self::DoubleHyphen, Self::Hyphen];

    /// The separator as it stands in a subject, spaces included.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EmDash => " — ",
            Self::EnDash => " – ",
            Self::DoubleHyphen => " -- ",
            Self::Hyphen => " - ",
        }
    }
}

/// The parts of an I2I subject, borrowed from it.
///
/// `Display` prints the subject; parsing what was printed gives the same parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject<'a> {
    kind: &'a str,
    code: Option<&'a str>,
    scope: Option<(&'a str, Separator)>,
    summary: &'a str,
}

impl<'a> Subject<'a> {
    /// The type, as written.
    pub fn kind(&self) -> &'a str {
        self.kind
    }

    /// The code after the type (`TSK` of `TASK:TSK`), as written.
    pub fn code(&self) -> Option<&'a str> {
        self.code
    }

    /// What the message is about; `None` where the subject has no separator.
    pub fn scope(&self) -> Option<&'a str> {
        self.scope.map(|(scope, _)| scope)
    }

    /// The separator found, `None` where there is no scope.
    pub fn separator(&self) -> Option<Separator> {
        self.scope.map(|(_, separator)| separator)
    }

    /// The text after the separator, or all of it where there is none.
    pub fn summary(&self) -> &'a str {
        self.summary
    }

    /// The known type this one names, in any case, by its name or its code.
    pub fn known_type(&self) -> Option<&'static Type> {
        known(self.kind)
    }

    /// Sender and action, where the scope has the seed's form `sender:action`.
    pub fn sender_action(&self) -> Option<(&'a str, &'a str)> {
        let (sender, action) = self.scope()?.split_once(':')?;
        let name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let fits = !sender.is_empty() && sender.chars().all(name);
        let starts = action.starts_with(|c: char| c.is_alphanumeric());
        (fits && starts).then_some((sender, action))
    }

    /// What departs from the conventions, none of it fatal.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut found = Vec::new();
        match self.known_type() {
            None => found.push(Warning::UnknownType { kind: self.kind.to_owned() }),
            Some(kind) => {
                if let Some(code) = self.code.filter(|code| !kind.allows(code)) {
                    found.push(Warning::UnknownCode { code: code.to_owned(), kind });
                }
            }
        }
        if self.kind.chars().any(|c| c.is_ascii_lowercase()) {
            found.push(Warning::LowerCaseType);
        }
        match self.scope {
            None => found.push(Warning::NoScope),
            Some((scope, separator)) => {
                if separator != Separator::EmDash {
                    found.push(Warning::Separator);
                }
                if scope.chars().count() > SCOPE_MAX {
                    found.push(Warning::LongScope);
                }
            }
        }
        if self.summary.chars().count() > SUMMARY_MAX {
            found.push(Warning::LongSummary);
        }
        found
    }
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[I2I:{}", self.kind)?;
        if let Some(code) = self.code {
            write!(f, ":{code}")?;
        }
        f.write_str("] ")?;
        if let Some((scope, separator)) = self.scope {
            write!(f, "{scope}{}", separator.as_str())?;
        }
        f.write_str(self.summary)
    }
}

/// A departure from the conventions in a subject that is I2I all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// The type is in no specification and not in common use.
    #[error("{kind} is no known type")]
    UnknownType {
        /// The type, as written.
        kind: String,
    },
    /// The code does not belong to the type.
    #[error("{code} is no code of {}, which has {}", kind.name, kind.codes.join(", "))]
    UnknownCode {
        /// The code, as written.
        code: String,
        /// The type.
        kind: &'static Type,
    },
    /// The type has lower-case letters.
    #[error("the type is not in upper case")]
    LowerCaseType,
    /// There is no separator, so the scope is missing.
    #[error("no scope: 'scope — summary' is expected after the bracket")]
    NoScope,
    /// The separator is not an em dash.
    #[error("scope and summary are separated by something else than ' — '")]
    Separator,
    /// The scope is longer than [`SCOPE_MAX`].
    #[error("the scope is longer than {SCOPE_MAX} characters")]
    LongScope,
    /// The summary is longer than [`SUMMARY_MAX`].
    #[error("the summary is longer than {SUMMARY_MAX} characters")]
    LongSummary,
}

/// Why a subject that was meant to be I2I is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NearMiss {
    /// `I2I: …` or `[i2i:…`: the tag is there, the form is not.
    #[error("an I2I subject starts with '[I2I:TYPE] '")]
    NoBracket,
    /// `[I2I] …`.
    #[error("the I2I bracket holds no type")]
    NoType,
    /// The type or code has a character outside `A-Z a-z 0-9 _ -`, or there are more than two parts.
    #[error("the I2I bracket is not 'I2I:TYPE' or 'I2I:TYPE:CODE'")]
    BadType,
    /// The bracket is never closed.
    #[error("the I2I bracket is not closed")]
    Unclosed,
    /// Nothing, or no space, follows the bracket.
    #[error("no text follows the I2I bracket and a space")]
    NoText,
    /// The text has more than one line.
    #[error("an I2I subject is one line")]
    NotOneLine,
}

impl NearMiss {
    /// What to write instead.
    pub fn hint(self) -> &'static str {
        match self {
            Self::NoBracket | Self::Unclosed => {
                "write '[I2I:TYPE] scope — summary', for example '[I2I:LOG] …'"
            }
            Self::NoType => "name a type, for example '[I2I:STATUS] …'",
            Self::BadType => "a type or code has letters, digits, '_' and '-'; put the rest into the scope",
            Self::NoText => "write 'scope — summary' after the bracket and one space",
            Self::NotOneLine => "leave an empty line between the subject and the body",
        }
    }
}

/// Reads one commit subject: `Ok(None)` where it is not I2I and was not meant to be.
///
/// # Errors
/// [`NearMiss`] where the subject looks meant as I2I but is not.
///
/// # Examples
/// ```
/// use datum_core::i2i;
/// let subject = i2i::parse("[I2I:TASK:TSK] jetson — test the edge profile")?.expect("is I2I");
/// assert_eq!((subject.kind(), subject.code(), subject.scope()), ("TASK", Some("TSK"), Some("jetson")));
/// assert_eq!(i2i::parse("fix: a typo")?, None);
/// assert!(i2i::parse("I2I: status for the fleet").is_err());
/// # Ok::<(), i2i::NearMiss>(())
/// ```
pub fn parse(subject: &str) -> Result<Option<Subject<'_>>, NearMiss> {
    let starts = |prefix: &str| subject.get(..prefix.len()).is_some_and(|s| s.eq_ignore_ascii_case(prefix));
    if starts("[I2I]") {
        return Err(NearMiss::NoType);
    }
    let Some(rest) = subject.strip_prefix("[I2I:") else {
        return if starts("I2I:") || starts("[I2I:") { Err(NearMiss::NoBracket) } else { Ok(None) };
    };
    if subject.contains(['\n', '\r']) {
        return Err(NearMiss::NotOneLine);
    }
    let (tag, text) = rest.split_once(']').ok_or(NearMiss::Unclosed)?;
    let (kind, code) = match tag.split_once(':') {
        Some((kind, code)) => (kind, Some(code)),
        None => (tag, None),
    };
    if kind.is_empty() {
        return Err(NearMiss::NoType);
    }
    let word = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if !word(kind) || !code.is_none_or(word) {
        return Err(NearMiss::BadType);
    }
    // Only spaces are trimmed: trimming more could join a dash of the scope to the separator when printed.
    let text = text.strip_prefix(' ').ok_or(NearMiss::NoText)?.trim_matches(' ');
    if text.is_empty() {
        return Err(NearMiss::NoText);
    }
    let (scope, summary) = split(text);
    Ok(Some(Subject { kind, code, scope, summary }))
}

/// Splits `text`, which neither starts nor ends with a space, so that both sides of a separator hold something.
fn split(text: &str) -> (Option<(&str, Separator)>, &str) {
    Separator::ALL
        .into_iter()
        .find_map(|separator| {
            let (scope, summary) = text.split_once(separator.as_str())?;
            Some((Some((scope.trim_matches(' '), separator)), summary.trim_matches(' ')))
        })
        .unwrap_or((None, text))
}

#[cfg(test)]
mod tests;
