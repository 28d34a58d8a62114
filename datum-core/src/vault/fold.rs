//! Folding what was said of each name: its values, who may open it, and what is to be done about it.

use super::act::Act;
use super::order::{Node, Order};
use super::rights::{self, Rights, Standing};
use super::{Role, Secret, Version};
use crate::id::EntryId;
use crate::name::Word;
use std::collections::{BTreeMap, BTreeSet};

/// The wraps of the value that `version` set: those made with it, and those granted later.
pub(super) fn wraps<'n>(
    nodes: impl Iterator<Item = &'n Node>,
    version: EntryId,
) -> impl Iterator<Item = (&'n str, &'n [u8])> {
    nodes.flat_map(move |node| -> Vec<(&str, &[u8])> {
        match &node.act {
            Act::Set { wraps, .. } if node.entry.id == version => {
                wraps.iter().map(|(agent, wrap)| (agent.as_str(), wrap.as_slice())).collect()
            }
            Act::Grant { agent, wraps, .. } => {
                wraps.get(&version).map(|wrap| (agent.as_str(), wrap.as_slice())).into_iter().collect()
            }
            _ => Vec::new(),
        }
    })
}

/// Of each value, the places of the entries that count and hold wraps of it: to open one, the others need not be seen.
pub(super) fn holders(order: &Order, counts: &[bool]) -> BTreeMap<EntryId, Vec<usize>> {
    let mut holders: BTreeMap<EntryId, Vec<usize>> = BTreeMap::new();
    for (place, node) in order.nodes.iter().enumerate().filter(|(place, _)| counts[*place]) {
        let mut holds = |version: EntryId| holders.entry(version).or_default().push(place);
        match &node.act {
            Act::Set { .. } => holds(node.entry.id),
            Act::Grant { wraps, .. } => wraps.keys().copied().for_each(holds),
            _ => {}
        }
    }
    holders
}

/// Folds what was said of each name.
pub(super) fn secrets(
    order: &Order,
    rights: &Rights<'_>,
    members: &BTreeMap<String, Standing>,
) -> BTreeMap<Word, Secret> {
    let mut about: BTreeMap<Word, Vec<usize>> = BTreeMap::new();
    let mut departures: BTreeMap<&str, Vec<&Node>> = BTreeMap::new();
    for index in rights.counting() {
        let node = &order.nodes[index];
        if let Some(name) = node.act.name() {
            about.entry(name.clone()).or_default().push(index);
        }
        if let Act::Member(member) = &node.act
            && member.role == Role::None
        {
            departures.entry(member.agent.as_str()).or_default().push(node);
        }
    }
    let fold = |(name, indices): (Word, Vec<usize>)| {
        let nodes: Vec<(usize, &Node)> =
            indices.into_iter().map(|index| (index, &order.nodes[index])).collect();
        let secret = secret(&nodes, &departures, members)?;
        Some((name, secret))
    };
    about.into_iter().filter_map(fold).collect()
}

fn secret(
    nodes: &[(usize, &Node)],
    departures: &BTreeMap<&str, Vec<&Node>>,
    members: &BTreeMap<String, Standing>,
) -> Option<Secret> {
    let all = || nodes.iter().map(|(_, node)| *node);
    let sets: Vec<(usize, &Node)> =
        nodes.iter().filter(|(_, node)| matches!(node.act, Act::Set { .. })).copied().collect();
    let set_nodes: Vec<&Node> = sets.iter().map(|(_, node)| *node).collect();
    let mut heads: Vec<&Node> = rights::maximal(&set_nodes).collect();
    heads.sort_by_key(|node| (node.entry.clock, node.entry.id));
    let head = heads.pop()?;
    let mut versions: Vec<Version> = sets
        .iter()
        .filter_map(|(index, node)| {
            let Act::Set { version, .. } = &node.act else { return None };
            Some(Version {
                entry: node.entry.id,
                number: *version,
                by: node.agent().to_owned(),
                clock: node.entry.clock,
                sealed_to: wraps(all(), node.entry.id).map(|(agent, _)| agent.to_owned()).collect(),
                node: *index,
            })
        })
        .collect();
    // The one that holds comes last, whatever the order of what was set beside it.
    let at = versions.iter().position(|version| version.entry == head.entry.id)?;
    let last = versions.remove(at);
    versions.push(last);
    let granted: BTreeSet<String> = members
        .iter()
        .filter(|(_, standing)| standing.member.role > Role::None)
        .filter(|(agent, _)| {
            let gone = departures.get(agent.as_str()).map_or(&[][..], Vec::as_slice);
            is_granted(agent, &all().chain(gone.iter().copied()).collect::<Vec<_>>())
        })
        .map(|(agent, _)| agent.clone())
        .collect();
    let exposed_to = versions.last()?.sealed_to.difference(&granted).cloned().collect();
    let destroyed = all()
        .filter(|node| matches!(node.act, Act::Destroy { .. }))
        .any(|end| !set_nodes.iter().any(|set| set.sees(end)));
    let beside = heads.iter().map(|node| node.entry.id).collect();
    Some(Secret { versions, beside, granted, exposed_to, destroyed })
}

/// Whether the newest of what was said of the agent are grants, all of them.
fn is_granted(agent: &str, nodes: &[&Node]) -> bool {
    let grants = |node: &Node| match &node.act {
        Act::Set { granted, .. } => granted.iter().any(|to| to.as_str() == agent).then_some(true),
        Act::Grant { agent: to, .. } => (to.as_str() == agent).then_some(true),
        Act::Revoke { agent: from, .. } => (from.as_str() == agent).then_some(false),
        Act::Member(member) => (member.role == Role::None && member.agent.as_str() == agent).then_some(false),
        // A name that comes back is a new one: nobody keeps a grant of the old.
        Act::Destroy { .. } => Some(false),
        Act::Init(_) => None,
    };
    let about: Vec<&Node> = nodes.iter().filter(|node| grants(node).is_some()).copied().collect();
    !about.is_empty() && rights::maximal(&about).all(|node| grants(node) == Some(true))
}
