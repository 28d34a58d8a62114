//! Dispatch: a task claimed for an agent, and a bottle to it, both or neither.
//!
//! One entry is appended to the task log. It gives the task to the agent until the lease ends, and with its `To:` it is
//! the bottle that says so. The mutex of the task, claimed in the agent's name, moves with it: of any number of
//! dispatchers and claimants one goes on.

use super::{Candidate, Score, candidates, rank};
use crate::claim::LEASE_MAX;
use crate::id::EntryId;
use crate::name::AgentName;
use crate::odb::ObjectError;
use crate::roster::State;
use crate::stamp::{Millis, Stamp};
use crate::store::{Store, StoreError};
use crate::task::{self, Hold, Task, TaskError};

/// Why a task was not dispatched.
#[derive(Debug, thiserror::Error)]
pub enum OracleError {
    /// The task cannot be given to anyone.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// No such agent is known.
    #[error("no agent is called {0}")]
    UnknownAgent(AgentName),
    /// The agent will not come back.
    #[error("{0} is retired")]
    Retired(AgentName),
    /// No agent that is known can do the task.
    #[error("no agent can do {task}: {why}")]
    Nobody {
        /// The task's alias.
        task: String,
        /// What each lacks.
        why: String,
    },
    /// The tree could not be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<task::TakeError> for OracleError {
    fn from(error: task::TakeError) -> Self {
        match error {
            task::TakeError::Task(error) => error.into(),
            task::TakeError::Store(error) => error.into(),
        }
    }
}

/// A dispatch that was made, or would be.
#[derive(Debug, Clone)]
pub struct Dispatched {
    /// The task as it was before.
    pub task: Task,
    /// Who has it now, and until when.
    pub hold: Hold,
    /// All agents that were weighed, the best first.
    pub scores: Vec<Score>,
    /// The entry, which is the bottle too; `None` for one that was not made.
    pub entry: Option<EntryId>,
}

/// Gives the task called `name` to `agent`, or to the one that fits best, for `lease` milliseconds.
///
/// `load` is added to what agents have, for a plan in which others have been given tasks already. Without `make` nothing
/// is written.
///
/// # Errors
/// [`OracleError`] when there is no such task or agent, nobody can do it, or it cannot be claimed.
pub fn dispatch(
    store: &Store,
    stamp: &Stamp,
    name: &str,
    agent: Option<&AgentName>,
    lease: Millis,
    make: bool,
    load: impl Fn(&AgentName) -> u32,
) -> Result<Dispatched, OracleError> {
    let snapshot = store.snapshot()?;
    let seen = task::Seen::of(&snapshot);
    let (task, to, scores) = {
        let tasks = &seen.tasks;
        let task = tasks.find(name)?;
        let mut known = candidates(&snapshot, tasks, stamp.now)?;
        for candidate in &mut known {
            candidate.load += load(&candidate.name);
        }
        let scores = rank(task, &known, stamp.now);
        let to = choose(task, &known, &scores, agent)?;
        // What would be refused is refused before anything is claimed, and in a plan as well.
        task::can_be_taken(tasks, task, stamp.now)?;
        (task.clone(), to, scores)
    };
    if !make {
        let until = stamp.now.saturating_add(lease.min(LEASE_MAX));
        let hold = Hold { agent: to.to_string(), fence: task.next_fence(), until };
        return Ok(Dispatched { task, hold, scores, entry: None });
    }
    let for_agent = Stamp { agent: to.clone(), ..stamp.clone() };
    let giving = task::Giving { store, stamp, to: &for_agent, lease, above: 0 };
    let taken = giving.give(task.id, &seen, Some(snapshot), |tasks, task, hold| {
        task::dispatch(tasks, task, &to, &letter(task, &scores), (hold.fence, hold.until), stamp.now)
    })?;
    Ok(Dispatched { task: taken.task, hold: taken.hold, scores, entry: Some(taken.entry) })
}

/// The agent that was named, or the best that fits.
fn choose(
    task: &Task,
    known: &[Candidate],
    scores: &[Score],
    agent: Option<&AgentName>,
) -> Result<AgentName, OracleError> {
    if let Some(agent) = agent {
        return match known.iter().find(|candidate| candidate.name == *agent) {
            None => Err(OracleError::UnknownAgent(agent.clone())),
            Some(found) if found.state == State::Retired => Err(OracleError::Retired(agent.clone())),
            Some(_) => Ok(agent.clone()),
        };
    }
    let best = scores.first().filter(|score| score.fits());
    let found = best.and_then(|best| known.iter().find(|candidate| candidate.name.as_str() == best.agent));
    found.map(|candidate| candidate.name.clone()).ok_or_else(|| {
        let lack = |score: &Score| {
            let missing = score.parts.iter().find(|part| part.value <= 0.0);
            missing.map(|part| format!("{} {}", score.agent, part.why))
        };
        let why: Vec<String> = scores.iter().filter_map(lack).take(5).collect();
        let why = if why.is_empty() { "none is known".to_owned() } else { why.join(", ") };
        OracleError::Nobody { task: task.alias(), why }
    })
}

/// What the bottle says.
fn letter(task: &Task, scores: &[Score]) -> String {
    use std::fmt::Write as _;
    let mut text = task.text.clone();
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    let _ = writeln!(text, "Task {}, priority {}.", task.alias(), task.priority.as_str());
    if let Some(best) = scores.first().filter(|score| score.fits()) {
        let parts: Vec<String> =
            best.parts.iter().map(|part| format!("{} {:.2} ({})", part.name, part.value, part.why)).collect();
        let _ = writeln!(text, "Best fit: {}, {}.", best.agent, parts.join(", "));
    }
    let alias = task.alias();
    let _ = write!(text, "Done: datum task finish {alias}. Not for you: datum task release {alias} 'why'.");
    text
}
