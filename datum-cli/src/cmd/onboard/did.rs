//! What becomes of a step, and which step waits for which.

use crate::fault::Fault;
use datum_core::onboarding::Step;
use std::collections::BTreeSet;

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It was done.
    Done,
    /// It was there already.
    There,
    /// It was not wanted.
    Declined,
    /// It could not be done.
    Failed,
    /// It builds on one that could not be done.
    Waits,
}

impl State {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::There => "there",
            Self::Declined => "declined",
            Self::Failed => "failed",
            Self::Waits => "waits",
        }
    }
}

/// A step with what became of it.
pub(super) struct Did {
    pub(super) step: Step,
    pub(super) state: State,
    pub(super) says: String,
    pub(super) hint: Option<String>,
}

/// What a step answers with.
pub(super) type Answer = Result<(State, String), Fault>;

#[expect(clippy::unnecessary_wraps, reason = "it is what a step answers with")]
pub(super) fn done(says: impl Into<String>) -> Answer {
    Ok((State::Done, says.into()))
}

#[expect(clippy::unnecessary_wraps, reason = "it is what a step answers with")]
pub(super) fn there(says: impl Into<String>) -> Answer {
    Ok((State::There, says.into()))
}

#[expect(clippy::unnecessary_wraps, reason = "it is what a step answers with")]
pub(super) fn declined() -> Answer {
    Ok((State::Declined, "not wanted".to_owned()))
}

/// The step that `step` waits for, where that has failed: what is committed and told of is the declaration, and an
/// agent is onboarded when all else is done. An exchange comes last and may be made up for at any time.
pub(super) fn waits_for(step: Step, failed: &BTreeSet<Step>) -> Option<Step> {
    match step {
        Step::Commit | Step::Contact => failed.get(&Step::Identity).copied(),
        Step::State => failed.first().copied(),
        _ => None,
    }
}
