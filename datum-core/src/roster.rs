//! The roster: which agents there are, in which state each is, and when it was last seen; entries of kind `agent`.
//!
//! ```text
//! heron is idle
//!
//! Waiting for the tide.
//!
//! Concerns: heron        the agent whose state it is, who need not be the writer
//! State: idle            onboarded, active, idle or retired
//! ```
//! The later of two statements counts, and both stay in the log. What an agent says of itself is its word; `seen` is
//! what git shows: the newest entry of its logs, or the newest commit of its vessel.

use crate::capability;
use crate::entry::{Draft, DraftError, Entry};
use crate::fleet;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::name::AgentName;
use crate::odb::ObjectError;
use crate::snapshot::Snapshot;
use crate::stamp::Millis;
use crate::store::{Store, StoreError};
use crate::undo;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// The trailer that names the agent whose state it is.
pub const CONCERNS: &str = "Concerns";
/// The trailer that names the state.
pub const STATE: &str = "State";

/// How long an agent counts as live after it was seen, milliseconds (an hour).
pub const LIVE: Millis = 60 * 60 * 1000;
/// How long it counts as quiet, milliseconds (a week); after that it is silent.
pub const QUIET: Millis = 7 * 24 * LIVE;

/// What an agent is said to be doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum State {
    /// Nothing was ever said of it.
    #[default]
    Uninitialized,
    /// It was set up.
    Onboarded,
    /// It works.
    Active,
    /// It waits for work.
    Idle,
    /// It will not come back, unless it is restarted.
    Retired,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Uninitialized, Self::Onboarded, Self::Active, Self::Idle, Self::Retired];

    /// The name in entries and results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uninitialized => "uninitialized",
            Self::Onboarded => "onboarded",
            Self::Active => "active",
            Self::Idle => "idle",
            Self::Retired => "retired",
        }
    }

    /// The state called `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What git shows of an agent at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Liveness {
    /// Seen within [`LIVE`].
    Live,
    /// Seen within [`QUIET`].
    Quiet,
    /// Not seen for longer.
    Silent,
    /// Never seen in git.
    Unseen,
}

impl Liveness {
    /// The name in results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Quiet => "quiet",
            Self::Silent => "silent",
            Self::Unseen => "unseen",
        }
    }
}

/// A step of an agent's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It was set up.
    Onboard,
    /// It begins to work.
    Start,
    /// It waits for work.
    Idle,
    /// It ends for good.
    Retire,
    /// It begins anew, also after it was retired.
    Restart,
}

impl Step {
    /// The state it leads to.
    pub const fn state(self) -> State {
        match self {
            Self::Onboard => State::Onboarded,
            Self::Start | Self::Restart => State::Active,
            Self::Idle => State::Idle,
            Self::Retire => State::Retired,
        }
    }

    const fn participle(self) -> &'static str {
        match self {
            Self::Onboard => "onboarded",
            Self::Start => "started",
            Self::Idle => "set idle",
            Self::Retire => "retired",
            Self::Restart => "restarted",
        }
    }
}

/// Why a step was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// The step does not lead on from the agent's state.
    #[error("{agent} is {} and cannot be {step}", .state.as_str())]
    Step {
        /// The agent.
        agent: AgentName,
        /// Its state.
        state: State,
        /// What was to become of it.
        step: &'static str,
    },
    /// A note that makes no entry.
    #[error(transparent)]
    Draft(#[from] DraftError),
}

/// An agent as the logs tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its name.
    pub name: AgentName,
    /// Its state, by the newest statement.
    pub state: State,
    /// When that was stated.
    pub since: Option<Millis>,
    /// Who stated it.
    pub by: Option<String>,
    /// What was said with it; may be empty.
    pub note: String,
    /// How often it was started.
    pub starts: u32,
    /// When it was last seen in git.
    pub seen: Option<Millis>,
}

impl Agent {
    /// An agent of which nothing is known but its name.
    pub fn new(name: AgentName) -> Self {
        Self {
            name,
            state: State::default(),
            since: None,
            by: None,
            note: String::new(),
            starts: 0,
            seen: None,
        }
    }

    /// What git shows of it at `now`.
    pub fn liveness(&self, now: Millis) -> Liveness {
        match self.seen.map(|seen| now.saturating_sub(seen)) {
            None => Liveness::Unseen,
            Some(age) if age <= LIVE => Liveness::Live,
            Some(age) if age <= QUIET => Liveness::Quiet,
            Some(_) => Liveness::Silent,
        }
    }

    /// Drafts a step of the agent's life; `None` where it is there already.
    ///
    /// # Errors
    /// [`RosterError`] when the step does not lead on from its state, or the note makes no entry.
    ///
    /// # Examples
    /// ```
    /// use datum_core::roster::{Agent, State, Step};
    /// let mut heron = Agent::new(datum_core::AgentName::new("heron")?);
    /// assert!(heron.step(Step::Start, "")?.is_some());
    /// heron.state = State::Retired;
    /// assert!(heron.step(Step::Start, "").is_err());
    /// assert!(heron.step(Step::Restart, "back from the yard")?.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn step(&self, step: Step, note: &str) -> Result<Option<Draft>, RosterError> {
        let refuse = || {
            let step = step.participle();
            Err(RosterError::Step { agent: self.name.clone(), state: self.state, step })
        };
        match (step, self.state) {
            (Step::Onboard, state) if state != State::Uninitialized => return Ok(None),
            (Step::Start, State::Active) | (Step::Idle, State::Idle) | (Step::Retire, State::Retired) => {
                return Ok(None);
            }
            (Step::Start | Step::Idle, State::Retired) | (Step::Restart, State::Uninitialized) => {
                return refuse();
            }
            _ => {}
        }
        let said = match step {
            Step::Restart => "restarted",
            _ => step.state().as_str(),
        };
        let draft = Draft::new(&format!("{} is {said}", self.name), note)?
            .with(CONCERNS, self.name.as_str())?
            .with(STATE, step.state().as_str())?;
        Ok(Some(draft))
    }
}

/// What an entry states: the agent and its state.
fn stated<'e>(trailer: impl Fn(&str) -> Option<&'e str>) -> Option<(AgentName, State)> {
    Some((AgentName::new(trailer(CONCERNS)?).ok()?, State::parse(trailer(STATE)?)?))
}

/// Reads the roster: every agent that writes here, is spoken of, is declared by the tree or by a vessel of the fleet.
///
/// # Errors
/// [`ObjectError`] when the tree cannot be read.
pub fn read(snapshot: &Snapshot<'_>) -> Result<BTreeMap<AgentName, Agent>, ObjectError> {
    let mut agents: BTreeMap<AgentName, Agent> = BTreeMap::new();
    undo::walk_visible(snapshot, Kind::Agent, |view| {
        if let Some((name, state)) = stated(|key| view.trailer(key)) {
            let agent = entry_of(&mut agents, name);
            if agent.since.is_none() {
                agent.state = state;
                agent.since = Some(view.clock());
                agent.by = Some(view.agent().to_owned());
                agent.note = snapshot.whole(view).body;
            }
            agent.starts += u32::from(state == State::Active);
        }
        ControlFlow::Continue(())
    });
    for (name, clock) in seen(snapshot)? {
        entry_of(&mut agents, name).seen = clock;
    }
    Ok(agents)
}

/// The state of `agent`, by the newest statement; it reads the logs of that kind alone.
///
/// # Errors
/// [`StoreError`] when the logs cannot be read.
pub fn state(store: &Store, agent: &AgentName) -> Result<State, StoreError> {
    let mut found = State::default();
    undo::walk_visible(&store.snapshot_of(&[Kind::Agent], None)?, Kind::Agent, |view| {
        match stated(|key| view.trailer(key)) {
            Some((name, state)) if name == *agent => {
                found = state;
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    });
    Ok(found)
}

fn entry_of(agents: &mut BTreeMap<AgentName, Agent>, name: AgentName) -> &mut Agent {
    agents.entry(name.clone()).or_insert_with(|| Agent::new(name))
}

/// When each agent that is known was last seen in git.
fn seen(snapshot: &Snapshot<'_>) -> Result<BTreeMap<AgentName, Option<Millis>>, ObjectError> {
    let mut seen: BTreeMap<AgentName, Option<Millis>> = BTreeMap::new();
    let mut note = |name: &str, clock: Option<Millis>| {
        if let Ok(name) = AgentName::new(&name.to_lowercase()) {
            let known = seen.entry(name).or_default();
            *known = (*known).max(clock);
        }
    };
    for (kind, writer, _) in snapshot.tips() {
        note(writer.agent(), snapshot.newest(kind, writer).map(|(clock, _)| clock));
    }
    for (name, vessel) in fleet::vessels(snapshot) {
        if let Some(found) = vessel.found {
            note(found.agent.as_deref().unwrap_or(name.as_str()), found.active);
        }
    }
    if let Some(name) = declared(snapshot)? {
        note(&name, snapshot.head_time());
    }
    Ok(seen)
}

/// The agent whose vessel the tree is.
fn declared(snapshot: &Snapshot<'_>) -> Result<Option<String>, ObjectError> {
    let file = snapshot.file("CAPABILITY.toml")?.and_then(|bytes| String::from_utf8(bytes).ok());
    let read = file.and_then(|text| capability::read(&text).ok());
    Ok(read.and_then(|read| read.capability.agent.name))
}

/// A statement about an agent's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The entry.
    pub entry: EntryId,
    /// The state it states.
    pub state: State,
    /// When.
    pub clock: Millis,
    /// Who stated it.
    pub by: String,
    /// What was said with it.
    pub note: String,
}

/// Everything that was stated about an agent, the oldest first.
pub fn history(snapshot: &Snapshot<'_>, agent: &AgentName) -> Vec<Statement> {
    let mut found = Vec::new();
    undo::walk_visible(snapshot, Kind::Agent, |view| {
        if let Some((name, state)) = stated(|key| view.trailer(key))
            && name == *agent
        {
            let Entry { id, clock, agent, body, .. } = snapshot.whole(view);
            found.push(Statement { entry: id, state, clock, by: agent, note: body });
        }
        ControlFlow::Continue(())
    });
    found.reverse();
    found
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "its tests write a declaration")]
mod tests;
