//! What people and agents wish of tasks: new ones, changed ones, and steps from one state to the next.

use crate::id::EntryId;
use crate::name::{AgentName, Word};
use crate::publish::taskboard_file::{Priority, State};

/// A task to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct New {
    /// What to do, on one line.
    pub title: String,
    /// What to do, at length; may be empty.
    pub text: String,
    /// How urgent it is.
    pub priority: Priority,
    /// What an agent must be able to do for it.
    pub caps: Vec<Word>,
    /// Its tags.
    pub tags: Vec<Word>,
    /// The tasks that must be done before it.
    pub needs: Vec<EntryId>,
    /// The task it is a part of.
    pub parent: Option<EntryId>,
    /// Who asked for it.
    pub requester: Option<AgentName>,
    /// Where it was read from, on one line.
    pub source: Option<String>,
}

/// What to change of a task; what is `None` or empty stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edit {
    /// The new title.
    pub title: Option<String>,
    /// The new text.
    pub text: Option<String>,
    /// The new priority.
    pub priority: Option<Priority>,
    /// The new parent.
    pub parent: Option<Parent>,
    /// The new requester.
    pub requester: Option<AgentName>,
    /// Capabilities it needs from now on.
    pub caps: Vec<Word>,
    /// Capabilities it no longer needs.
    pub no_caps: Vec<Word>,
    /// New tags.
    pub tags: Vec<Word>,
    /// Tags to take off.
    pub no_tags: Vec<Word>,
    /// New dependencies.
    pub needs: Vec<EntryId>,
    /// Dependencies to take off.
    pub no_needs: Vec<EntryId>,
}

/// What a task is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent {
    /// No other task.
    Nothing,
    /// This one.
    Task(EntryId),
}

impl Parent {
    /// The task, if it is one.
    pub fn task(self) -> Option<EntryId> {
        match self {
            Self::Nothing => None,
            Self::Task(id) => Some(id),
        }
    }
}

/// A step from one state to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It waits for something that is no task.
    Block,
    /// The work is done and to be looked at.
    Review,
    /// It is done.
    Finish,
    /// It will not be done.
    Cancel,
    /// It is to be done after all.
    Reopen,
}

impl Step {
    /// The state it leads to.
    pub fn state(self) -> State {
        match self {
            Self::Block => State::Blocked,
            Self::Review => State::Review,
            Self::Finish => State::Done,
            Self::Cancel => State::Cancelled,
            Self::Reopen => State::Open,
        }
    }

    pub(super) fn leads_on_from(self, state: State) -> bool {
        match self {
            Self::Block => matches!(state, State::Open | State::InProgress | State::Review),
            Self::Review => matches!(state, State::Open | State::InProgress | State::Blocked),
            Self::Finish | Self::Cancel => !matches!(state, State::Done | State::Cancelled),
            Self::Reopen => !matches!(state, State::Open | State::InProgress),
        }
    }

    pub(super) fn verb(self) -> (&'static str, &'static str) {
        match self {
            Self::Block => ("Block", "blocked"),
            Self::Review => ("Review", "put up for review"),
            Self::Finish => ("Finish", "finished"),
            Self::Cancel => ("Cancel", "cancelled"),
            Self::Reopen => ("Reopen", "reopened"),
        }
    }
}
