//! The words of a task's entries: which trailers there are, and what a change is.
//!
//! ```text
//! Change: create      the subject is the title, the body the text; Priority, Cap, Tag, Needs, Parent, Requested-By, Source
//!                     and for a task from another board: State, Assignee (who had it there, which is no claim here)
//! Task: <id>          in every later entry
//! Change: edit        Title, Priority, Parent, Requested-By; Set: text (the body); Cap, No-Cap, Tag, No-Tag, Needs, No-Needs
//! Change: comment     the body
//! Change: state       State; the body is the reason
//! Change: claim       Fence, Lease-Until; the agent is the entry's
//! Change: dispatch    the same for the agent named in To:; the entry is a bottle to it as well (Type, Priority, Deadline)
//! Change: renew       Fence, Lease-Until
//! Change: release     Fence
//! Over: <field> <id>  the entry whose value of the field this one replaces, as its writer saw it
//! ```

use crate::bottle;
use crate::entry::{Entry, Trailers, View};
use crate::id::EntryId;
use crate::publish::taskboard_file::State;

pub(super) const TASK: &str = "Task";
pub(super) const CHANGE: &str = "Change";
pub(super) const STATE: &str = "State";
pub(super) const TITLE: &str = "Title";
pub(super) const PRIORITY: &str = "Priority";
pub(super) const CAP: &str = "Cap";
pub(super) const NO_CAP: &str = "No-Cap";
pub(super) const TAG: &str = "Tag";
pub(super) const NO_TAG: &str = "No-Tag";
pub(super) const NEEDS: &str = "Needs";
pub(super) const NO_NEEDS: &str = "No-Needs";
pub(super) const PARENT: &str = "Parent";
pub(super) const REQUESTER: &str = "Requested-By";
pub(super) const SOURCE: &str = "Source";
pub(super) const SET: &str = "Set";
pub(super) const FENCE: &str = "Fence";
pub(super) const UNTIL: &str = "Lease-Until";
pub(super) const OVER: &str = "Over";
pub(super) const ASSIGNEE: &str = "Assignee";
/// What stands in the message of every entry that makes a task.
pub(super) const MADE: &str = "\nChange: create\n";
/// The value of [`SET`] that says the body is the new text, and of [`PARENT`] that says there is none.
pub(super) const TEXT: &str = "text";
pub(super) const NONE: &str = "none";

/// What an entry does to its task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Create,
    Edit,
    Comment,
    State,
    Claim,
    Dispatch,
    Renew,
    Release,
}

impl Change {
    const ALL: [Self; 8] = [
        Self::Create,
        Self::Edit,
        Self::Comment,
        Self::State,
        Self::Claim,
        Self::Dispatch,
        Self::Renew,
        Self::Release,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Edit => "edit",
            Self::Comment => "comment",
            Self::State => "state",
            Self::Claim => "claim",
            Self::Dispatch => "dispatch",
            Self::Renew => "renew",
            Self::Release => "release",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.as_str() == text)
    }
}

/// The task whose claim `entry` tells of, the claim's number and who has it by that, if it tells of one.
pub fn claimed(entry: &Entry) -> Option<(EntryId, u64, &str)> {
    let agent = match Change::parse(entry.trailer(CHANGE)?)? {
        Change::Claim => entry.agent.as_str(),
        Change::Dispatch => entry.trailer(bottle::TO)?,
        _ => return None,
    };
    Some((entry.reference(TASK)?, entry.trailer(FENCE)?.parse().ok()?, agent))
}

/// Whether an entry is a step of its task, which the fold runs through in their order.
pub(super) fn is_step(entry: &Entry) -> bool {
    match entry.trailer(CHANGE).and_then(Change::parse) {
        Some(Change::State) => entry.trailer(STATE).and_then(state).is_some(),
        Some(Change::Claim | Change::Dispatch | Change::Renew | Change::Release) => true,
        Some(Change::Create | Change::Edit | Change::Comment) | None => false,
    }
}

/// What an entry is about.
pub(super) struct About<'a> {
    /// The digits of the task's id, as they are written there; none for the entry that makes it.
    pub(super) task: Option<&'a str>,
    pub(super) change: Change,
    /// The trailers, without these two where they come first.
    pub(super) trailers: Trailers<'a>,
}

impl About<'_> {
    /// The task's id, where `view` is the entry. It is written in small letters: it is looked for as they stand.
    pub(super) fn id(&self, view: &View<'_>) -> Option<EntryId> {
        match self.task {
            None => Some(view.id),
            Some(digits) => EntryId::from_hex(digits).filter(|id| id.hex(&mut [0; 64]) == digits),
        }
    }
}

/// The task that an entry is about and what it does to it; `None` for an entry that is neither.
pub(super) fn about<'a>(view: &View<'a>) -> Option<About<'a>> {
    let (mut task, mut change) = (None, None);
    let mut trailers = view.trailers();
    let mut first = true;
    while let Some((key, value)) = trailers.next() {
        match key {
            TASK if task.is_none() => task = Some(value),
            CHANGE if change.is_none() => change = Some(Change::parse(value)?),
            _ => first = false,
        }
        let task = match change {
            Some(Change::Create) => None,
            Some(_) if task.is_some() => task,
            _ => continue,
        };
        let trailers = if first { trailers } else { view.trailers() };
        return Some(About { task, change: change?, trailers });
    }
    None
}

/// The state that a trailer names, which only its own word does: a log is no place for guesses.
pub(super) fn state(text: &str) -> Option<State> {
    State::read(text).filter(|state| state.as_str() == text)
}
