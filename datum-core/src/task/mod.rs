//! Tasks: entries of kind `task`, folded into what is to be done, by whom, and what waits for what.
//!
//! A task is the entry that made it; every change is an entry that names it in `Task:`. Two agents that change the same
//! field are both kept: the later wins, and [`story`] tells which value lost. A claim is two facts: the mutex (a
//! claim ref, [`Store::claim`](crate::Store::claim)) and the entry that tells of it here. The entry carries a fencing
//! number, so that what a claimant writes after another has taken over counts for nothing.

mod alias;
mod among;
mod board;
mod change;
mod draft;
mod fold;
mod import;
mod run;
mod story;
mod taking;
mod tasks;
mod wish;

pub use crate::claim::Ends;
pub use crate::publish::taskboard_file::{Priority, State};
pub use alias::{ALIAS_LEN, alias};
pub use among::{TakeAtError, take_at, take_next_at, taken_over};
pub use board::board;
pub use change::claimed;
pub use draft::{can_be_claimed, claim, comment, create, dispatch, edit, release, renew, step};
pub use fold::{fold, fold_named};
pub use import::{Imported, has_absent, import};
pub use story::{Lost, Story, story, story_named, told};
pub(crate) use taking::{Giving, Seen};
pub use taking::{Said, TakeError, Taken, can_be_taken, prolong, sweep, take, take_next, tell};
pub use tasks::{Record, Tasks};
pub use wish::{Edit, New, Parent, Step};

use crate::claim::LEASE_MAX;
use crate::entry::DraftError;
use crate::id::EntryId;
use crate::stamp::{Millis, SKEW_MAX};
use std::collections::BTreeSet;

/// Who has a task, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The agent.
    pub agent: String,
    /// The claim's fencing number: a later claim has a greater one.
    pub fence: u64,
    /// When the lease ends.
    pub until: Millis,
}

impl Hold {
    /// Whether the lease has not ended at `now`. One that ends later than any could that is made at `now`, by a clock that
    /// is [`SKEW_MAX`] ahead, is not believed: that clock is wrong.
    pub fn is_live(&self, now: Millis) -> bool {
        now < self.until && self.until <= now.saturating_add(LEASE_MAX + SKEW_MAX)
    }
}

/// A task, as its entries tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The entry that made it.
    pub id: EntryId,
    /// What to do, on one line.
    pub title: String,
    /// What to do, at length.
    pub text: String,
    /// How urgent it is.
    pub priority: Priority,
    /// How far it is, by the entries alone; [`Task::status`] knows the time.
    pub state: State,
    /// What an agent must be able to do for it.
    pub caps: BTreeSet<String>,
    /// Its tags.
    pub tags: BTreeSet<String>,
    /// The tasks that must be done before it.
    pub needs: BTreeSet<EntryId>,
    /// The task it is a part of.
    pub parent: Option<EntryId>,
    /// Who asked for it.
    pub requester: Option<String>,
    /// Where it was read from, for a task that was imported.
    pub source: Option<String>,
    /// Who made it.
    pub author: String,
    /// When it was made.
    pub created: Millis,
    /// When it last changed.
    pub updated: Millis,
    /// Who has it; the lease may have ended.
    pub hold: Option<Hold>,
    /// The greatest fencing number among its claims; 0 before the first.
    pub fence: u64,
    /// How many comments it has.
    pub comments: u32,
    /// How many changes were fenced off: written by a claimant after another had taken over.
    pub fenced_off: u32,
}

impl Task {
    /// The short name, `T-` and seven characters.
    pub fn alias(&self) -> String {
        alias(self.id)
    }

    /// The claim whose lease has not ended at `now`.
    pub fn live_hold(&self, now: Millis) -> Option<&Hold> {
        self.hold.as_ref().filter(|hold| hold.is_live(now))
    }

    /// The fencing number of its next claim.
    pub fn next_fence(&self) -> u64 {
        self.fence.saturating_add(1)
    }

    /// The state at `now`: a task in progress whose lease has ended is open again.
    pub fn status(&self, now: Millis) -> State {
        match self.state {
            State::InProgress if self.live_hold(now).is_none() => State::Open,
            state => state,
        }
    }

    /// Whether nothing more will happen to it.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Done | State::Cancelled)
    }
}

/// Why a task could not be found or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// The text is neither an id nor an alias.
    #[error("{0:?} is no task: a task is T- and letters and digits, or the beginning of its id")]
    NotAName(String),
    /// No task has it.
    #[error("there is no task {0}")]
    Unknown(String),
    /// Several tasks have it.
    #[error("{name} is ambiguous: {}", .candidates.join(", "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// Longer names of the tasks it could mean, at most ten.
        candidates: Vec<String>,
    },
    /// A dependency that would make a task wait for itself.
    #[error("a task cannot wait for itself: {}", .0.join(" needs "))]
    Cycle(Vec<String>),
    /// A parent that would make a task a part of itself.
    #[error("a task cannot be a part of itself: {}", .0.join(" is a part of "))]
    ParentCycle(Vec<String>),
    /// The step does not lead on from the task's state.
    #[error("{task} is {} and cannot be {step}", .state.as_str())]
    State {
        /// The task's alias.
        task: String,
        /// Its state.
        state: State,
        /// What was to become of it.
        step: &'static str,
    },
    /// Another agent has the task.
    #[error("{task} is claimed by {}", .hold.agent)]
    Held {
        /// The task's alias.
        task: String,
        /// Who has it.
        hold: Hold,
    },
    /// The writer's own lease has ended.
    #[error("the lease of {} on {task} has ended", .hold.agent)]
    Expired {
        /// The task's alias.
        task: String,
        /// The claim that was.
        hold: Hold,
    },
    /// The writer has no claim on the task.
    #[error("{agent} has no claim on {task}")]
    NotHeld {
        /// The task's alias.
        task: String,
        /// The writer.
        agent: String,
    },
    /// The fencing number the writer gave is not that of its claim, or no longer.
    #[error("claim {fence} on {task} is not one the writer has: the newest is {newest}")]
    FencedOff {
        /// The task's alias.
        task: String,
        /// The number given.
        fence: u64,
        /// The greatest number of the task's claims.
        newest: u64,
    },
    /// The task waits for others.
    #[error("{task} waits for {}", .needs.join(", "))]
    Waits {
        /// The task's alias.
        task: String,
        /// The aliases of what it waits for.
        needs: Vec<String>,
    },
    /// An edit that changes nothing.
    #[error("nothing to change on {0}")]
    NoChange(String),
    /// A text that makes no entry.
    #[error(transparent)]
    Draft(#[from] DraftError),
}

#[cfg(test)]
mod tests;
