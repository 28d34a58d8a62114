//! The health of an organisation's repositories: facts, rules over them, scans, plans of repair, reports.
//!
//! Everything here is pure: facts come in as values, and drafts, verdicts and reports go out.

mod glob;
mod local;
mod outcome;
mod plan;
mod report;
mod repository;
mod rules;
mod scan;
mod topics;

pub use glob::matches;
pub use local::local;
pub use outcome::{Ended, Outcome, draft_outcomes, fold_outcomes, remaining, writes};
pub use plan::{
    Action, Change, NewFile, Plan, Refusal, draft_plan, find_plan, latest_plan, plan_license, plan_tags,
};
pub use report::{Issue, Language, Point, Report, Row, Trend, report};
pub use repository::{Branch, Repository};
pub use rules::{
    Checks, Condition, Health, Level, RULES, Reason, Rule, Rules, RulesError, Verdict, Without, classify,
};
pub use scan::{Counts, Known, Listed, Past, Scan, Sizes, Unknown, draft_scan, known, scans};
pub use topics::{TOPIC_MAX, TOPICS_MAX, TopicError, check_topic, merge_topics, topic_of};

use crate::entry::Entry;
use crate::snapshot::Snapshot;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value as the body of an entry: one line of JSON.
fn to_json(value: &impl Serialize) -> String {
    // Maps with text keys and plain values only: nothing of ours can fail to serialize.
    serde_json::to_string(value).unwrap_or_default()
}

/// The value that an entry's body is, wherever the body is kept.
fn from_entry<T: DeserializeOwned>(snapshot: &Snapshot<'_>, entry: &Entry) -> Option<T> {
    match entry.reference("Payload") {
        Some(id) => serde_json::from_slice(&snapshot.blob(id).ok()?).ok(),
        None => serde_json::from_str(&entry.body).ok(),
    }
}
