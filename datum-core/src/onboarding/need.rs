//! What a vessel's agent still lacks: facts in, a list out.

use crate::capability::Capability;
use crate::entry::{Draft, DraftError};
use crate::kind::Kind;
use crate::name::AgentName;
use crate::publish::one_line;
use crate::roster;
use crate::snapshot::Snapshot;
use crate::undo;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// The trailer that names the agent an onboarding was for.
const ONBOARDING: &str = "Onboarding";
/// The trailer that names a step that was not wanted.
const DECLINED: &str = "Declined";

/// A step of onboarding, in the order in which they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A sound CAPABILITY.toml that names the agent.
    Identity,
    /// It is committed, so that others see it.
    Commit,
    /// The boot stands in the journal.
    Boot,
    /// A signing key and an age key, here and declared in the log.
    Keys,
    /// The git hooks.
    Hooks,
    /// A remote, and the logs exchanged with it.
    Sync,
    /// A GitHub token in the vault.
    Token,
    /// The oracle was greeted.
    Contact,
    /// There are tasks to begin with.
    Tasks,
    /// The log says that the agent is onboarded.
    State,
}

impl Step {
    /// Every step, in their order.
    pub const ALL: [Self; 10] = [
        Self::Identity,
        Self::Commit,
        Self::Boot,
        Self::Keys,
        Self::Hooks,
        Self::Sync,
        Self::Token,
        Self::Contact,
        Self::Tasks,
        Self::State,
    ];

    /// The name in entries and results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Commit => "commit",
            Self::Boot => "boot",
            Self::Keys => "keys",
            Self::Hooks => "hooks",
            Self::Sync => "sync",
            Self::Token => "token",
            Self::Contact => "contact",
            Self::Tasks => "tasks",
            Self::State => "state",
        }
    }

    /// The step called `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == text)
    }
}

/// What is known of a vessel and its agent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// The agent, where one can be named.
    pub agent: Option<AgentName>,
    /// What CAPABILITY.toml declares, as far as it can be read.
    pub declares: Option<Capability>,
    /// What is wrong with CAPABILITY.toml; `None` where there is no file.
    pub declaration: Option<Vec<String>>,
    /// Whether the last commit holds it as it is.
    pub committed: bool,
    /// Whether the boot stands in the journal.
    pub booted: bool,
    /// Whether the agent's keys are here, and whether they are declared.
    pub keys: bool,
    /// The same, declared.
    pub declared: bool,
    /// Hooks that are not installed.
    pub hooks_missing: Vec<&'static str>,
    /// The remote that is synced with.
    pub remote: Option<String>,
    /// Entries that it has not got; `None` where it was never met.
    pub unsent: Option<u64>,
    /// Whether the vault holds a GitHub token for the agent.
    pub token: bool,
    /// Whether the oracle was greeted.
    pub greeted: bool,
    /// How many tasks there are.
    pub tasks: usize,
    /// What the log says of the agent.
    pub state: roster::State,
    /// Steps that were not wanted.
    pub declined: BTreeSet<Step>,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Done.
    Done,
    /// Not done, and not wanted.
    Declined,
    /// Not done, and nothing depends on it.
    Open,
    /// Not done.
    Missing,
}

impl Standing {
    /// The name in results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Declined => "declined",
            Self::Open => "open",
            Self::Missing => "missing",
        }
    }
}

/// A step with how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The step.
    pub step: Step,
    /// How it stands.
    pub standing: Standing,
    /// What there is, or what is missing.
    pub says: String,
}

/// Says how every step stands.
///
/// # Examples
/// ```
/// use datum_core::onboarding::{Facts, Standing, needs};
/// let missing = needs(&Facts::default()).into_iter().filter(|need| need.standing == Standing::Missing).count();
/// assert_eq!(missing, 6);
/// ```
pub fn needs(facts: &Facts) -> Vec<Need> {
    Step::ALL.into_iter().map(|step| need(facts, step)).collect()
}

fn need(facts: &Facts, step: Step) -> Need {
    let (done, says) = look(facts, step);
    let standing = match done {
        true => Standing::Done,
        false if facts.declined.contains(&step) => Standing::Declined,
        false if matches!(step, Step::Token | Step::Tasks) => Standing::Open,
        // Without a remote there is nobody to exchange logs with.
        false if step == Step::Sync && facts.remote.is_none() => Standing::Open,
        false => Standing::Missing,
    };
    Need { step, standing, says }
}

fn look(facts: &Facts, step: Step) -> (bool, String) {
    let either = |done: bool, yes: &str, no: &str| (done, if done { yes } else { no }.to_owned());
    match step {
        Step::Identity => match &facts.declaration {
            None => (false, "there is no CAPABILITY.toml".to_owned()),
            Some(wrong) if !wrong.is_empty() => (false, format!("CAPABILITY.toml: {}", wrong.join("; "))),
            // More than one agent may work in a vessel; the file declares the one whose vessel it is.
            _ => match facts.declares.as_ref().and_then(|declared| declared.agent.name.as_deref()) {
                Some(name) => (true, format!("CAPABILITY.toml declares {}", one_line(name))),
                None => (false, "CAPABILITY.toml names no agent".to_owned()),
            },
        },
        Step::Commit => either(
            facts.committed,
            "CAPABILITY.toml is committed",
            "CAPABILITY.toml is not committed as it is, so nobody else sees it",
        ),
        Step::Boot => either(facts.booted, "the boot is in the journal", "no boot is in the journal"),
        Step::Keys => match (facts.keys, facts.declared) {
            (true, true) => (true, "signing and age keys are here and declared".to_owned()),
            (true, false) => (false, "the keys are not declared in the log".to_owned()),
            (false, _) => (false, "there are no keys here".to_owned()),
        },
        Step::Hooks => match facts.hooks_missing.as_slice() {
            [] => (true, "post-commit, post-rewrite and pre-push are installed".to_owned()),
            missing => (false, format!("not installed: {}", missing.join(", "))),
        },
        Step::Sync => match (&facts.remote, facts.unsent) {
            (None, _) => (false, "there is no remote".to_owned()),
            (Some(remote), None) => (false, format!("never synced with {remote}")),
            (Some(remote), Some(0)) => (true, format!("{remote} has everything")),
            (Some(remote), Some(unsent)) => (true, format!("synced with {remote}; {unsent} entries since")),
        },
        Step::Token => {
            either(facts.token, "the vault holds a GitHub token", "the vault holds no GitHub token")
        }
        Step::Contact => either(facts.greeted, "the oracle was greeted", "the oracle was not greeted"),
        Step::Tasks => (facts.tasks > 0, format!("tasks: {}", facts.tasks)),
        Step::State => {
            (facts.state != roster::State::Uninitialized, format!("the log says {}", facts.state.as_str()))
        }
    }
}

/// The steps that `agent` did not want when it was last onboarded; `None` where it never was.
pub fn declined(snapshot: &Snapshot<'_>, agent: &AgentName) -> Option<BTreeSet<Step>> {
    let mut found = None;
    undo::walk_visible(snapshot, Kind::Agent, |view| {
        if view.trailer(ONBOARDING) == Some(agent.as_str()) {
            found = Some(view.values(DECLINED).filter_map(Step::parse).collect());
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    found
}

/// Drafts the entries that end an onboarding: which steps were not wanted, and that the agent is onboarded; nothing
/// where the log says so already.
///
/// # Errors
/// [`roster::RosterError`] never for a checked name.
pub fn onboarded(
    snapshot: &Snapshot<'_>,
    agent: &roster::Agent,
    unwanted: &BTreeSet<Step>,
) -> Result<Vec<Draft>, roster::RosterError> {
    let mut drafts: Vec<Draft> = agent.step(roster::Step::Onboard, "")?.into_iter().collect();
    drafts.extend(choices(snapshot, &agent.name, unwanted)?);
    Ok(drafts)
}

/// Drafts the entry that says which steps were not wanted, for an onboarding that is not at its end; nothing where the
/// log says so already.
///
/// # Errors
/// [`DraftError`] never for a checked name.
pub fn choices(
    snapshot: &Snapshot<'_>,
    agent: &AgentName,
    unwanted: &BTreeSet<Step>,
) -> Result<Vec<Draft>, DraftError> {
    if declined(snapshot, agent).as_ref() == Some(unwanted) {
        return Ok(Vec::new());
    }
    let draft = Draft::new(&format!("Onboarding of {agent}"), "")?.with(ONBOARDING, agent.as_str())?;
    Ok(vec![unwanted.iter().try_fold(draft, |draft, step| draft.with(DECLINED, step.as_str()))?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{repository, stamp};
    use crate::{Store, StoreError};

    #[test]
    fn what_is_missing_is_named_and_what_was_declined_is_not_missed() {
        let facts = Facts {
            declaration: Some(vec!["agent.role is missing".to_owned()]),
            hooks_missing: vec!["pre-push"],
            remote: Some("origin".to_owned()),
            declined: [Step::Keys].into(),
            ..Facts::default()
        };
        let said = |step| {
            let need = need(&facts, step);
            format!("{}: {}", need.standing.as_str(), need.says)
        };
        assert_eq!(said(Step::Identity), "missing: CAPABILITY.toml: agent.role is missing");
        assert_eq!(said(Step::Keys), "declined: there are no keys here");
        assert_eq!(said(Step::Hooks), "missing: not installed: pre-push");
        assert_eq!(said(Step::Sync), "missing: never synced with origin");
        assert_eq!(said(Step::Token), "open: the vault holds no GitHub token");
    }

    #[test]
    fn an_onboarding_is_recorded_once_and_again_when_other_steps_are_declined() {
        let dir = repository(&[]);
        let store = Store::open(dir.path()).unwrap();
        let heron = AgentName::new("heron").unwrap();
        let record = |at, unwanted: &[Step]| {
            let unwanted = unwanted.iter().copied().collect();
            let applied = store.apply::<StoreError>(Kind::Agent, &stamp("heron", at), |snapshot| {
                let agents = roster::read(snapshot).unwrap();
                let agent = agents.get(&heron).cloned().unwrap_or_else(|| roster::Agent::new(heron.clone()));
                Ok(onboarded(snapshot, &agent, &unwanted).unwrap())
            });
            applied.unwrap().ids.len()
        };
        assert_eq!(declined(&store.snapshot().unwrap(), &heron), None);
        assert_eq!((record(0, &[Step::Hooks]), record(1, &[Step::Hooks]), record(2, &[])), (2, 0, 1));
        assert_eq!(declined(&store.snapshot().unwrap(), &heron), Some(BTreeSet::new()));
    }
}
