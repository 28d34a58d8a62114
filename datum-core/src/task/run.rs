//! The steps of one task, from the oldest on: which of two claims came first decides who may write.

use super::Hold;
use super::change::Change;
use super::tasks::Record;
use crate::publish::taskboard_file::State;
use crate::stamp::Millis;
use std::collections::BTreeMap;

/// A change of state or of claim, as small as can be: there are several a task.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) change: Change,
    /// For [`Change::State`].
    pub(super) state: State,
    pub(super) fence: u64,
    pub(super) until: Millis,
    /// Who writes, or who a dispatch is for: an index into the agents of the fold.
    pub(super) agent: u32,
}

/// How far a claim's number may be beyond the greatest before: what is further was made up, to shut out all others.
const FENCE_STEP_MAX: u64 = 1 << 20;

/// What a task's steps come to.
pub(super) struct Run {
    pub(super) state: State,
    pub(super) hold: Option<Hold>,
    pub(super) fence: u64,
    pub(super) fenced_off: u32,
    /// Steps that changed nothing, for whoever tells the story: their places, counted from the oldest.
    pub(super) void: Vec<usize>,
}

impl Run {
    /// Runs through steps given from the newest to the oldest, and notes what agents made of their claims.
    pub(super) fn through(
        state: Option<State>,
        steps: &[Step],
        agents: &[String],
        records: &mut BTreeMap<String, Record>,
    ) -> Self {
        let state = state.unwrap_or(State::Open);
        let mut run = Self { state, hold: None, fence: 0, fenced_off: 0, void: Vec::new() };
        let mut note = |agent: &str, finished: bool| {
            let record = records.entry(agent.to_owned()).or_default();
            if finished { record.finished += 1 } else { record.dropped += 1 }
        };
        for (at, step) in steps.iter().rev().enumerate() {
            let agent = agents.get(step.agent as usize).map_or("", String::as_str);
            let holds = run.hold.as_ref().is_some_and(|hold| hold.agent == agent);
            let taken = run.hold.is_some() && !holds;
            // A fence that is not the newest, or is another's, tells of a writer who did not see the takeover.
            let is_old = step.fence > 0 && (step.fence < run.fence || (step.fence == run.fence && taken));
            let is_claim = matches!(step.change, Change::Claim | Change::Dispatch);
            let is_no_number = step.fence == 0 || step.fence.saturating_sub(run.fence) > FENCE_STEP_MAX;
            if is_old || (is_claim && is_no_number) {
                run.fenced_off += 1;
                run.void.push(at);
                continue;
            }
            match step.change {
                Change::Claim | Change::Dispatch => {
                    if matches!(run.state, State::Done | State::Cancelled) {
                        run.void.push(at);
                        continue;
                    }
                    if let Some(hold) = run.hold.take_if(|hold| hold.agent != agent) {
                        note(&hold.agent, false);
                    }
                    run.fence = step.fence;
                    run.hold = Some(Hold { agent: agent.to_owned(), fence: step.fence, until: step.until });
                    run.state = State::InProgress;
                }
                Change::Renew => match run.hold.as_mut().filter(|hold| hold.fence == step.fence) {
                    Some(hold) => hold.until = step.until,
                    None => run.void.push(at),
                },
                Change::Release => {
                    if holds {
                        note(agent, false);
                        run.hold = None;
                        run.state = State::Open;
                    } else {
                        run.void.push(at);
                    }
                }
                Change::State => {
                    run.state = step.state;
                    if matches!(step.state, State::Open | State::Done | State::Cancelled)
                        && let Some(hold) = run.hold.take()
                        && step.state == State::Done
                    {
                        // Whoever finishes it, the work that was claimed is done.
                        note(&hold.agent, true);
                    }
                }
                Change::Create | Change::Edit | Change::Comment => {}
            }
        }
        run
    }
}
