//! Who could do a task: agents as their declarations, the fleet list and the logs show them.

use crate::capability;
use crate::fleet;
use crate::name::AgentName;
use crate::odb::ObjectError;
use crate::roster::{self, State};
use crate::snapshot::Snapshot;
use crate::stamp::Millis;
use crate::task::{Record, Tasks};
use std::collections::BTreeMap;

/// The confidence of a capability that is declared without one.
const UNSTATED: f64 = 0.5;

/// An agent that is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its name.
    pub name: AgentName,
    /// Its role, where it declares one.
    pub role: Option<String>,
    /// Whether it declares anything; one that only writes is no candidate for dispatch.
    pub declared: bool,
    /// What it declares it can do, with its confidence from 0 to 1.
    pub skills: BTreeMap<String, f64>,
    /// When it was last seen in git: its newest entry, or the newest commit of its vessel.
    pub seen: Option<Millis>,
    /// How many tasks it has claimed.
    pub load: u32,
    /// What became of its claims.
    pub record: Record,
    /// What it is said to be doing; a retired agent is given nothing.
    pub state: State,
    /// Where this is known from: `CAPABILITY.toml`, `fleet:<vessel>`, `log`.
    pub sources: Vec<String>,
}

impl Candidate {
    fn new(name: AgentName) -> Self {
        Self {
            name,
            role: None,
            declared: false,
            skills: BTreeMap::new(),
            seen: None,
            load: 0,
            record: Record::default(),
            state: State::default(),
            sources: Vec::new(),
        }
    }

    /// How sure the agent is of a capability, letter case aside.
    pub fn confidence(&self, capability: &str) -> Option<f64> {
        let want = capability.to_lowercase();
        self.skills.iter().find(|(name, _)| name.to_lowercase() == want).map(|(_, confidence)| *confidence)
    }

    fn declares(&mut self, role: Option<String>, skills: impl IntoIterator<Item = (String, f64)>) {
        self.declared = true;
        self.role = role.or_else(|| self.role.take());
        for (name, confidence) in skills {
            let known = self.skills.entry(name).or_insert(confidence);
            *known = known.max(confidence);
        }
    }
}

/// The agents that are known, by name: from CAPABILITY.toml of the tree, the fleet list and the logs.
///
/// # Errors
/// [`ObjectError`] when the tree cannot be read.
pub fn candidates(
    snapshot: &Snapshot<'_>,
    tasks: &Tasks,
    now: Millis,
) -> Result<Vec<Candidate>, ObjectError> {
    let mut known: BTreeMap<AgentName, Candidate> = BTreeMap::new();
    let get = |known: &mut BTreeMap<AgentName, Candidate>, name: &str, source: String| {
        let name = AgentName::new(&name.to_lowercase()).ok()?;
        let candidate = known.entry(name.clone()).or_insert_with(|| Candidate::new(name.clone()));
        if !candidate.sources.contains(&source) {
            candidate.sources.push(source);
        }
        Some(name)
    };
    let file = snapshot.file("CAPABILITY.toml")?.and_then(|bytes| String::from_utf8(bytes).ok());
    if let Some(read) = file.and_then(|text| capability::read(&text).ok())
        && let Some(name) = &read.capability.agent.name
        && let Some(name) = get(&mut known, name, "CAPABILITY.toml".to_owned())
        && let Some(candidate) = known.get_mut(&name)
    {
        let skill = |(name, skill): (String, capability::Skill)| {
            (name, skill.confidence.map_or(UNSTATED, capability::Confidence::get))
        };
        candidate.declares(
            read.capability.agent.role.clone(),
            read.capability.skills.clone().into_iter().map(skill),
        );
    }
    for (name, vessel) in fleet::vessels(snapshot) {
        let Some(found) = vessel.found else { continue };
        let agent = found.agent.as_deref().unwrap_or(name.as_str());
        if let Some(name) = get(&mut known, agent, format!("fleet:{name}"))
            && let Some(candidate) = known.get_mut(&name)
        {
            candidate.declares(found.role, found.skills);
        }
    }
    for (_, writer, _) in snapshot.tips() {
        get(&mut known, writer.agent(), "log".to_owned());
    }
    for (name, agent) in roster::read(snapshot)? {
        let candidate = known.entry(name.clone()).or_insert_with(|| Candidate::new(name));
        candidate.seen = agent.seen;
        candidate.state = agent.state;
    }
    for candidate in known.values_mut() {
        let name = candidate.name.as_str();
        candidate.load = u32::try_from(tasks.held_by(name, now).count()).unwrap_or(u32::MAX);
        candidate.record = tasks.record(name, now);
    }
    Ok(known.into_values().collect())
}
