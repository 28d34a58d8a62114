//! What an audit answers.

use super::rule::Level;
use crate::id::EntryId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The answer to one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It holds.
    Pass,
    /// It does not hold.
    Fail,
    /// It could not be decided, or could not be looked at.
    Unknown,
    /// It does not apply here.
    Skipped,
}

impl Answer {
    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
        }
    }
}

/// What becomes of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It counts.
    #[default]
    Open,
    /// The baseline has it too.
    Known,
    /// A suppression covers it.
    Suppressed,
}

/// One place where a rule does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What is the matter: lower case, no final stop.
    pub message: String,
    /// The file or folder it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
    /// Line, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<usize>,
    /// Column in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub column: Option<usize>,
    /// Whether it counts.
    #[serde(default)]
    pub state: State,
}

/// What one rule found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The id of the rule.
    pub rule: String,
    /// How much its findings matter.
    pub level: Level,
    /// The answer.
    pub answer: Answer,
    /// Why the rule is there.
    pub reason: String,
    /// What to do; may be empty.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub fix: String,
    /// The section of an exam it is a box of.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub section: Option<u8>,
    /// The places where it does not hold; not empty exactly where the answer is `Fail`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub findings: Vec<Finding>,
    /// Findings that were left out because there are too many.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub more: usize,
    /// Why the answer is unknown, or what the answer rests on; may be empty.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub note: String,
    /// Whether looking failed: something is broken.
    #[serde(skip_serializing_if = "is_false", default)]
    pub broken: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// The numbers of a report.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Rules that hold.
    pub pass: usize,
    /// Rules that do not.
    pub fail: usize,
    /// Rules that could not be decided.
    pub unknown: usize,
    /// Rules that do not apply.
    pub skipped: usize,
    /// Findings that count, by level.
    pub open: BTreeMap<Level, usize>,
    /// Findings that the baseline has too.
    pub known: usize,
    /// Findings that a suppression covers.
    pub suppressed: usize,
    /// Rules that could not be looked at because something is broken.
    pub broken: usize,
}

/// The answer to an audit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Report {
    /// The version of this shape.
    pub version: u32,
    /// The program that made it.
    pub tool: String,
    /// The type of the audit.
    pub audit: String,
    /// The commit that was looked at; `None` for an empty repository.
    pub commit: Option<String>,
    /// Whether the work tree was looked at instead of the commit's.
    pub worktree: bool,
    /// Whether every file and the whole history were looked at for secrets.
    #[serde(skip_serializing_if = "is_false", default)]
    pub deep: bool,
    /// The numbers.
    pub counts: Counts,
    /// What was found, rule by rule, in the order of the rules.
    pub rules: Vec<Outcome>,
    /// What the reader must know besides: suppressions that have expired, rules that were changed.
    pub notes: Vec<String>,
}

impl Report {
    /// Counts anew.
    pub(crate) fn count(&mut self) {
        let mut counts = Counts::default();
        for outcome in &self.rules {
            match outcome.answer {
                Answer::Pass => counts.pass += 1,
                Answer::Fail => counts.fail += 1,
                Answer::Unknown => counts.unknown += 1,
                Answer::Skipped => counts.skipped += 1,
            }
            counts.broken += usize::from(outcome.broken);
            for finding in &outcome.findings {
                match finding.state {
                    State::Open => *counts.open.entry(outcome.level).or_default() += 1,
                    State::Known => counts.known += 1,
                    State::Suppressed => counts.suppressed += 1,
                }
            }
            let all_open = outcome.findings.iter().all(|finding| finding.state == State::Open);
            if outcome.more > 0 && all_open {
                *counts.open.entry(outcome.level).or_default() += outcome.more;
            }
        }
        self.counts = counts;
    }

    /// Whether a finding of `level` or above counts.
    pub fn fails(&self, level: Level) -> bool {
        self.counts.open.iter().any(|(found, count)| *found >= level && *count > 0)
    }

    /// Whether something could not be looked at because it is broken.
    pub fn is_broken(&self) -> bool {
        self.counts.broken > 0
    }

    /// The findings, with the rule each is of.
    pub fn findings(&self) -> impl Iterator<Item = (&Outcome, &Finding)> {
        self.rules.iter().flat_map(|outcome| outcome.findings.iter().map(move |finding| (outcome, finding)))
    }

    /// The commit that was looked at.
    pub fn commit_id(&self) -> Option<EntryId> {
        EntryId::from_hex(self.commit.as_deref()?)
    }
}
