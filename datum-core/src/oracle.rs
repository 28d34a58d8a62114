//! The oracle: which agent a task goes to, and why.
//!
//! [`rank`] is pure: the same snapshot and time give the same order. [`dispatch`] is one append: the entry that gives
//! the task to an agent is at once the bottle that tells it, so there is never one without the other.

mod candidate;
mod contact;
mod dispatch;

pub use candidate::{Candidate, candidates};
pub use contact::{first_contact, has_greeted, was_greeted};
pub use dispatch::{Dispatched, OracleError, dispatch};

use crate::roster::State;
use crate::stamp::Millis;
use crate::task::Task;

/// Days after which an agent counts half as fresh as one seen just now.
const HALF_LIFE_DAYS: f64 = 14.0;
/// The freshness of an agent that was never seen.
const UNSEEN: f64 = 0.1;
/// Milliseconds in a day.
const DAY: f64 = 86_400_000.0;

/// One factor of a score.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// `ability`, `freshness`, `load` or `record`.
    pub name: &'static str,
    /// From 0 to 1.
    pub value: f64,
    /// Where it comes from, in words.
    pub why: String,
}

/// How well an agent fits a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The agent.
    pub agent: String,
    /// The product of the parts; 0 for one that cannot do it.
    pub total: f64,
    /// The parts.
    pub parts: Vec<Part>,
}

impl Score {
    /// Whether the agent can do the task at all.
    pub fn fits(&self) -> bool {
        self.total > 0.0
    }
}

/// Ranks `candidates` for a task, the best first; those that cannot do it come last.
///
/// The score is the product of four factors: ability (the least confidence among the capabilities the task needs),
/// freshness (halved every two weeks since the agent was last seen in git), load (one over one more than the claims it
/// has), and record (of its claims, the share it did not drop; one that is new has dropped none).
pub fn rank(task: &Task, candidates: &[Candidate], now: Millis) -> Vec<Score> {
    let mut scores: Vec<Score> = candidates.iter().map(|candidate| score(task, candidate, now)).collect();
    scores.sort_by(|a, b| b.total.total_cmp(&a.total).then_with(|| a.agent.cmp(&b.agent)));
    scores
}

fn score(task: &Task, candidate: &Candidate, now: Millis) -> Score {
    let parts = vec![ability(task, candidate), freshness(candidate, now), load(candidate), record(candidate)];
    let total = parts.iter().map(|part| part.value).product();
    Score { agent: candidate.name.to_string(), total, parts }
}

fn ability(task: &Task, candidate: &Candidate) -> Part {
    let part = |value, why| Part { name: "ability", value, why };
    if candidate.state == State::Retired {
        return part(0.0, "is retired".to_owned());
    }
    if !candidate.declared {
        return part(0.0, "declares nothing".to_owned());
    }
    let mut least: Option<(f64, &str)> = None;
    for cap in &task.caps {
        let Some(confidence) = candidate.confidence(cap) else {
            return part(0.0, format!("does not declare {cap}"));
        };
        if least.is_none_or(|(value, _)| confidence < value) {
            least = Some((confidence, cap));
        }
    }
    match least {
        None => part(1.0, "the task needs no capability".to_owned()),
        Some((value, cap)) => part(value, format!("declares {cap} with {value:.2}")),
    }
}

fn freshness(candidate: &Candidate, now: Millis) -> Part {
    let part = |value, why| Part { name: "freshness", value, why };
    let Some(seen) = candidate.seen else { return part(UNSEEN, "never seen in git".to_owned()) };
    // Days, far below 2^52 milliseconds.
    #[expect(clippy::cast_precision_loss, reason = "a length of time, rounded to days anyway")]
    let days = now.saturating_sub(seen) as f64 / DAY;
    part(0.5f64.powf(days / HALF_LIFE_DAYS).max(UNSEEN), format!("seen in git {days:.1} days ago"))
}

fn load(candidate: &Candidate) -> Part {
    let value = 1.0 / (1.0 + f64::from(candidate.load));
    Part { name: "load", value, why: format!("has {} claimed", candidate.load) }
}

fn record(candidate: &Candidate) -> Part {
    let (finished, dropped) = (candidate.record.finished, candidate.record.dropped);
    let value = (f64::from(finished) + 1.0) / (f64::from(finished) + f64::from(dropped) + 1.0);
    Part { name: "record", value, why: format!("finished {finished}, dropped {dropped}") }
}

#[cfg(test)]
mod tests;
