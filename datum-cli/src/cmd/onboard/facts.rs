//! What is known of a vessel and its agent: read, and nothing written.

use crate::edge::Edge;
use crate::fault::Fault;
use datum_core::capability::{self, Level};
use datum_core::hooks::{Event, Hooks};
use datum_core::onboarding::{self, Facts, Step};
use datum_core::{AgentName, Kind, Snapshot, Store, oracle, roster, task};
use std::time::Duration;

/// What is known where there is no repository.
pub(super) fn nowhere() -> Facts {
    let hooks_missing = Event::DEFAULT.iter().map(|event| event.as_str()).collect();
    Facts { hooks_missing, ..without_keys(Facts::default()) }
}

/// A program without the vault makes no keys, and nobody misses them.
fn without_keys(mut facts: Facts) -> Facts {
    if !cfg!(feature = "vault") {
        facts.declined.insert(Step::Keys);
    }
    facts
}

/// Reads what is known.
pub(super) fn gather(edge: &Edge<'_>) -> Result<Facts, Fault> {
    let store = edge.store()?;
    let snapshot = store.snapshot()?;
    let mut facts = nowhere();
    declaration(store, &snapshot, &mut facts)?;
    facts.agent = edge.agent_if_any()?;
    facts.hooks_missing = missing_hooks(store)?;
    facts.remote = store.default_remote();
    facts.unsent = unsent(store, &snapshot, facts.remote.as_deref())?;
    facts.tasks = task::fold(&snapshot).len();
    let Some(agent) = facts.agent.clone() else { return Ok(facts) };
    facts.booted = onboarding::has_booted(&snapshot, &agent);
    facts.state = roster::read(&snapshot)?.get(&agent).map_or(roster::State::default(), |known| known.state);
    facts.declined.extend(onboarding::declined(&snapshot, &agent).unwrap_or_default());
    facts.greeted = oracle::has_greeted(&snapshot, &agent);
    #[cfg(feature = "vault")]
    super::sealed::facts(edge, &snapshot, &agent, &mut facts)?;
    Ok(facts)
}

/// What the work tree's CAPABILITY.toml says, what is wrong with it, and whether the last commit holds it so.
fn declaration(store: &Store, snapshot: &Snapshot<'_>, facts: &mut Facts) -> Result<(), Fault> {
    let head = snapshot.file(FILE)?;
    let bytes = match store.work_dir() {
        Some(root) => read(&root.join(FILE))?,
        None => head.clone(),
    };
    let Some(bytes) = bytes else { return Ok(()) };
    facts.committed = head.as_ref() == Some(&bytes);
    let Ok(text) = String::from_utf8(bytes) else {
        facts.declaration = Some(vec!["it is not UTF-8".to_owned()]);
        return Ok(());
    };
    let wrong = capability::check(&text);
    let wrong = wrong.iter().filter(|finding| finding.level == Level::Error);
    facts.declaration = Some(
        wrong
            .map(|finding| format!("line {}, column {}: {}", finding.line, finding.column, finding.message))
            .collect(),
    );
    facts.declares = capability::read(&text).ok().map(|read| read.capability);
    Ok(())
}

/// The name of the declaration.
pub(super) const FILE: &str = "CAPABILITY.toml";

fn read(path: &std::path::Path) -> Result<Option<Vec<u8>>, Fault> {
    use std::io::Read as _;
    let most = capability::SIZE_MAX as u64 + 1;
    let mut bytes = Vec::new();
    match crate::regular::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)) {
        Ok(_) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Fault::broken(format!("cannot read {}: {error}", path.display()))),
    }
}

fn missing_hooks(store: &Store) -> Result<Vec<&'static str>, Fault> {
    let hooks = Hooks::of(store)?;
    let mut missing = Vec::new();
    for event in Event::DEFAULT {
        if hooks.state(event)?.place().is_none() {
            missing.push(event.as_str());
        }
    }
    Ok(missing)
}

/// Entries that the remote has not got, as far as is known here; it is not asked.
fn unsent(store: &Store, snapshot: &Snapshot<'_>, remote: Option<&str>) -> Result<Option<u64>, Fault> {
    let Some(remote) = remote.and_then(|name| store.remote(name, Duration::ZERO).ok()) else {
        return Ok(None);
    };
    let kinds: Vec<Kind> = crate::cmd::sync::options(store, None)?.kinds;
    let unsent = store.unsent(snapshot, &remote.name(), &kinds)?;
    Ok(unsent.met.then_some(unsent.entries))
}

/// Whether CAPABILITY.toml declares this agent.
pub(super) fn declares(facts: &Facts, agent: &AgentName) -> bool {
    let name = facts.declares.as_ref().and_then(|declared| declared.agent.name.as_deref());
    name.is_some_and(|name| name.to_lowercase() == agent.as_str())
}
