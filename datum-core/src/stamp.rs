//! Who writes, and when: the values without which nothing can be written.

use crate::name::{AgentName, NameError};
use std::fmt;

/// Milliseconds since 1970-01-01 UTC.
pub type Millis = u64;

/// How far ahead of the reader's clock a stamp may lie before it is not believed, milliseconds (24 hours).
pub const SKEW_MAX: Millis = 24 * 60 * 60 * 1000;

/// Greatest stamp an entry may carry (the end of year 9999).
pub(crate) const MILLIS_MAX: Millis = 253_402_300_799_999;

/// `2026-01-31T12:00:00.123Z`.
pub(crate) fn iso(time: Millis) -> String {
    let time = i64::try_from(time).ok().and_then(|time| jiff::Timestamp::from_millisecond(time).ok());
    time.unwrap_or(jiff::Timestamp::MAX).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A name and an address as git records them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The person's or program's name.
    pub name: String,
    /// The mail address.
    pub email: String,
}

impl Identity {
    /// Makes an identity, leaving out what git does not allow in one (`<`, `>` and control characters).
    ///
    /// Answers `None` when nothing of the name is left, as git does ("empty ident name").
    pub fn new(name: &str, email: &str) -> Option<Self> {
        let clean = |text: &str| {
            let kept: String = text.chars().filter(|c| !c.is_control() && !"<>".contains(*c)).collect();
            kept.trim().trim_matches(['.', ',', ':', ';', '"', '\\', '\'']).trim().to_owned()
        };
        let identity = Self { name: clean(name), email: clean(email) };
        (!identity.name.is_empty()).then_some(identity)
    }
}

/// Who writes and when; made at the edge, where the clock and the environment are read.
///
/// A function whose signature has no `Stamp` cannot write.
#[derive(Debug, Clone)]
pub struct Stamp {
    /// The agent in whose name entries are written.
    pub agent: AgentName,
    /// The time of the writer's clock.
    pub now: Millis,
    /// The committer, the user's git identity; `None` records the agent's own.
    pub committer: Option<Identity>,
}

impl Stamp {
    /// Makes a stamp without a git identity of the user.
    pub fn new(agent: AgentName, now: Millis) -> Self {
        Self { agent, now, committer: None }
    }
}

/// One writer of logs: an agent in one clone, `<agent>-<clone>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Writer {
    text: String,
    agent_len: usize,
}

/// The id of a clone: eight of `a-z0-9`, or `shared` for all clones that come and go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloneId(String);

impl CloneId {
    /// Characters in the id of a clone that stays.
    pub(crate) const LEN: usize = 8;

    /// Checks `text` and makes it an id.
    ///
    /// # Errors
    /// [`NameError`] when it is neither eight of `a-z0-9` nor `shared`.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let plain =
            text.len() == Self::LEN && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if plain || text == Self::SHARED {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError { what: "clone id", text: text.to_owned(), why: "must be eight of a-z and 0-9" })
        }
    }

    /// The id that clones which come and go write under, as text.
    pub(crate) const SHARED: &str = "shared";

    /// The id that clones which come and go write under.
    pub fn shared() -> Self {
        Self(Self::SHARED.to_owned())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Writer {
    /// The writer that `agent` is in the clone `clone`.
    pub fn of(agent: &AgentName, clone: &CloneId) -> Self {
        Self { text: format!("{agent}-{}", clone.0), agent_len: agent.as_str().len() }
    }

    /// The writer called `text` (`<agent>-<clone>`).
    ///
    /// # Errors
    /// [`NameError`] with the rule that `text` breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let Some((agent, clone)) = text.rsplit_once('-') else {
            return Err(NameError { what: "writer", text: text.to_owned(), why: "has no '-<clone>'" });
        };
        Ok(Self::of(&AgentName::new(agent)?, &CloneId::new(clone)?))
    }

    /// `<agent>-<clone>`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The agent's name.
    pub fn agent(&self) -> &str {
        &self.text[..self.agent_len]
    }

    /// The agent.
    pub(crate) fn agent_name(&self) -> AgentName {
        AgentName::of_writer(self)
    }

    /// The clone's id.
    pub fn clone_id(&self) -> &str {
        &self.text[self.agent_len + 1..]
    }
}

impl fmt::Display for CloneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_is_an_agent_in_a_clone() {
        let writer = Writer::parse("jc-1-abcd1234").unwrap();
        assert_eq!((writer.agent(), writer.clone_id()), ("jc-1", "abcd1234"));
        assert!(Writer::parse("ci-shared").is_ok());
        for bad in ["", "-", "a-", "a-ABCD1234", "a-abc", "../x-abcd1234", "-abcd1234"] {
            assert!(Writer::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_identity_cannot_break_a_commit_header() {
        let identity = Identity::new("A <b>\nparent x", "m@x>\n\0y").unwrap();
        assert_eq!((identity.name.as_str(), identity.email.as_str()), ("A bparent x", "m@xy"));
        assert_eq!(Identity::new(" <> ", "x"), None);
    }
}
