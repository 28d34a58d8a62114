//! What an agent may touch here: the workshop, what it declares, what the vault grants it.

use crate::edge::Edge;
use crate::fault::Fault;
use datum_core::AgentName;
use datum_core::boundary::Boundaries;
use std::collections::BTreeSet;

/// The boundaries of an agent.
pub(crate) fn of(edge: &Edge<'_>, agent: &AgentName) -> Result<Boundaries, Fault> {
    let store = edge.store()?;
    let root = store.work_dir().and_then(|root| root.canonicalize().ok());
    let roots: Vec<String> = root.and_then(|root| root.to_str().map(str::to_owned)).into_iter().collect();
    let declared = declared(edge, agent)?;
    #[cfg(feature = "vault")]
    {
        let vault = if store.pins()?.vault().is_some() { Some(super::vault::read(edge)?) } else { None };
        Ok(Boundaries::of(vault.as_ref(), agent, declared, roots))
    }
    #[cfg(not(feature = "vault"))]
    Ok(Boundaries { roots, declared, ..Boundaries::default() })
}

/// The capabilities that the agent declares in the vessel's CAPABILITY.toml; none if that is another's.
pub(crate) fn declared(edge: &Edge<'_>, agent: &AgentName) -> Result<BTreeSet<String>, Fault> {
    let found = edge.declared()?.filter(|declared| {
        declared.agent.name.as_ref().is_some_and(|name| name.to_lowercase() == agent.as_str())
    });
    Ok(found.map(|declared| declared.skills.into_keys().collect()).unwrap_or_default())
}
