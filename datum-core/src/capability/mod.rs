//! CAPABILITY.toml: what an agent declares that it can do, for others to find.
//!
//! Real fleets hold at least six schemas under this one name. [`read`] understands what it can of each and says what it
//! left out, [`check`] is strict against the seed's schema, and [`write()`] prints that schema.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

mod changes;
mod check;
mod edit;
mod finding;
mod fresh;
mod read;
mod write;

pub use changes::{Change, changes};
pub use check::check;
pub use edit::{EditError, set};
pub use finding::{FINDINGS_MAX, Finding, Level};
pub use fresh::{Freshness, freshness};
pub use read::{Reading, read};
pub use write::write;

/// Where it lies in a repository.
pub const FILE: &str = "CAPABILITY.toml";

/// Largest file read, bytes: the largest real one found has 8 KB.
pub const SIZE_MAX: usize = 256 * 1024;

/// Why a declaration could not be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is longer than [`SIZE_MAX`].
    #[error("a capability file has at most {SIZE_MAX} bytes, this one {size}")]
    TooLarge {
        /// Its size, bytes.
        size: usize,
    },
    /// The text is not TOML.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What the TOML parser says.
        message: String,
    },
}

/// A declaration: the seed's schema as values.
///
/// What a file does not say is `None` or empty.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Capability {
    /// `[agent]`.
    pub agent: Agent,
    /// `[capabilities]`, by name.
    #[serde(rename = "capabilities")]
    pub skills: BTreeMap<String, Skill>,
    /// `[domains]`, by name.
    pub domains: BTreeMap<String, Domain>,
    /// `[communication]`.
    pub communication: Communication,
    /// `[metadata]`.
    pub metadata: Metadata,
}

/// Who the agent is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Agent {
    /// Its name, as written: not checked to be an [`AgentName`](crate::AgentName).
    pub name: Option<String>,
    /// Its role in the fleet.
    pub role: Option<String>,
    /// What it is, in a sentence.
    pub description: Option<String>,
    /// The version of what runs it.
    pub version: Option<String>,
}

/// One thing an agent can do.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Skill {
    /// How sure the agent is of it.
    pub confidence: Option<Confidence>,
    /// What it is, in a sentence.
    pub description: Option<String>,
    /// When it was last used, as written; no part of the seed's own file, but five of six vessels state it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
}

/// A field of expertise.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Domain {
    /// `expert`, `advanced`, `intermediate` or `beginner`.
    pub level: Option<String>,
    /// The repositories it is about; may hold patterns.
    pub repos: Vec<String>,
    /// Anything else.
    pub notes: Option<String>,
}

/// Where messages are read and left.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Communication {
    /// Folders the agent reads.
    pub incoming: Vec<String>,
    /// Folders it writes; `{agent}` stands for the receiver.
    pub outgoing: Vec<String>,
    /// `MiB` or `I2I`.
    pub protocol: Option<String>,
}

/// Numbers about activity, as the agent counts them: a claim, not a measurement.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Metadata {
    /// The day the agent says it was last active, as written.
    pub last_active: Option<String>,
    /// Every whole number of the section, by name.
    #[serde(flatten)]
    pub counts: BTreeMap<String, i64>,
}

/// A number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Confidence(f64);

impl Confidence {
    /// Checks `value`; `None` outside 0 to 1 and for NaN.
    pub fn new(value: f64) -> Option<Self> {
        // `+ 0.0` turns -0.0 into 0.0, which is printed and ordered like any other zero.
        (0.0..=1.0).contains(&value).then_some(Self(value + 0.0))
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Confidence {
    /// Prints two decimals where they say it all, as the seed does, and otherwise as many as it takes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = format!("{:.2}", self.0);
        if short.parse() == Ok(self.0) { f.write_str(&short) } else { write!(f, "{:?}", self.0) }
    }
}

#[cfg(test)]
mod tests;
