//! Audits: rules as data, looked up in a survey of a repository, answered by pass, fail or unknown.
//!
//! A rule is one probe with its level, its reason and its remedy. An error while looking is never a fail, and the same
//! snapshot, rules and version give the same report to the byte.

mod book;
mod compare;
mod engine;
mod facts;
mod leaving;
mod license;
mod marks;
mod pattern;
mod probe;
mod record;
mod report;
mod rule;
mod rule_file;
mod scope;
mod secrets;
mod story;
mod text;

pub use book::{Book, CONFIG, Pack, Suppression, Type};
pub use compare::{Change, Key, changes, keys, mark_known};
pub use engine::{Audit, run};
pub use leaving::{Asked, Leaving, LeavingError, leaving};
pub use record::{AUDIT, Recorded, draft, find, read, recorded};
pub use report::{Answer, Counts, Finding, Outcome, Report, State};
pub use rule::{Level, Rule};
pub use rule_file::RuleError;

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make their own repositories")]
mod tests;
