//! What is new between two reports: findings are the same when rule, path and message agree, wherever the lines moved.

use super::report::{Finding, Outcome, Report, State};
use serde::Serialize;
use std::collections::BTreeSet;

/// What makes two findings the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Key {
    /// The rule.
    pub rule: String,
    /// The path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The message, every number in it replaced by `#`.
    pub message: String,
}

impl Key {
    /// The key of a finding.
    pub fn of(outcome: &Outcome, finding: &Finding) -> Self {
        let mut message = String::with_capacity(finding.message.len());
        for c in finding.message.chars() {
            match c {
                '0'..='9' if message.ends_with('#') => {}
                '0'..='9' => message.push('#'),
                c => message.push(c),
            }
        }
        Self { rule: outcome.rule.clone(), path: finding.path.clone(), message }
    }
}

/// The keys of a report's findings, suppressed ones left out.
pub fn keys(report: &Report) -> BTreeSet<Key> {
    let counting = report.findings().filter(|(_, finding)| finding.state != State::Suppressed);
    counting.map(|(outcome, finding)| Key::of(outcome, finding)).collect()
}

/// Marks the open findings that the baseline has too.
pub fn mark_known(report: &mut Report, baseline: &BTreeSet<Key>) {
    for outcome in &mut report.rules {
        let known: Vec<bool> =
            outcome.findings.iter().map(|finding| baseline.contains(&Key::of(outcome, finding))).collect();
        for (finding, known) in outcome.findings.iter_mut().zip(known) {
            if known && finding.state == State::Open {
                finding.state = State::Known;
            }
        }
    }
    report.count();
}

/// A finding that came or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "change", content = "finding")]
pub enum Change {
    /// The later report has it, the earlier has not.
    Appeared(Key),
    /// The earlier report has it, the later has not.
    Went(Key),
}

/// What came and went from one report to another, in the order of rules and paths.
pub fn changes(before: &Report, after: &Report) -> Vec<Change> {
    let (before, after) = (keys(before), keys(after));
    let mut changes: Vec<Change> = before.difference(&after).cloned().map(Change::Went).collect();
    changes.extend(after.difference(&before).cloned().map(Change::Appeared));
    let key = |change: &Change| match change {
        Change::Appeared(key) | Change::Went(key) => key.clone(),
    };
    changes.sort_by_key(key);
    changes
}
