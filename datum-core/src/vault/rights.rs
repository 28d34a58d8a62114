//! Who may do what, decided from the founding entry on: an entry counts when what it has seen gave its signer the right.
//!
//! A right that is taken away concurrently is gone: revoke wins. So that an ex-owner cannot answer with removals of its
//! own, made up after the fact, one removal loses against another by someone of higher rank, and nobody but the founder
//! puts out the founder.

use super::act::Act;
use super::order::{Node, Order};
use super::{Member, Role};
use crate::id::EntryId;
use std::collections::BTreeSet;

/// The founder's rank, above every role's.
const FOUNDER: u8 = 4;

/// What an agent is, as seen from somewhere.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) member: Member,
    pub(super) rank: u8,
}

/// The entries that count, by their index, and why the others do not.
pub(super) struct Rights<'o> {
    order: &'o Order,
    pub(super) counts: Vec<Result<(), &'static str>>,
    /// Of those that count, the ones that say who is a member.
    members: Vec<usize>,
}

/// Decides for every entry whether it counts.
pub(super) fn decide(order: &Order, vault: EntryId) -> Rights<'_> {
    let mut beaten = BTreeSet::new();
    for rank in [FOUNDER, Role::Owner.rank(), Role::Keeper.rank()] {
        let rights = evaluate(order, vault, &beaten);
        let by_rank: Vec<usize> = rights
            .counting()
            .filter(|index| {
                matches!(order.nodes[*index].act, Act::Member(_)) && rights.author_rank(*index) == rank
            })
            .collect();
        for index in &by_rank {
            beaten.extend(rights.beaten_by(*index).filter(|loser| !by_rank.contains(loser)));
        }
    }
    evaluate(order, vault, &beaten)
}

fn evaluate<'o>(order: &'o Order, vault: EntryId, beaten: &BTreeSet<usize>) -> Rights<'o> {
    let mut rights = Rights { order, counts: Vec::new(), members: Vec::new() };
    for (index, node) in order.nodes.iter().enumerate() {
        let verdict = if beaten.contains(&index) {
            Err("its signer's right was taken away at the same time: revoke wins")
        } else {
            rights.judge(node, vault)
        };
        if verdict.is_ok() && matches!(node.act, Act::Init(_) | Act::Member(_)) {
            rights.members.push(index);
        }
        rights.counts.push(verdict);
    }
    rights
}

impl Rights<'_> {
    /// The entries that count, among those judged so far.
    pub(super) fn counting(&self) -> impl Iterator<Item = usize> {
        self.counts.iter().enumerate().filter(|(_, verdict)| verdict.is_ok()).map(|(index, _)| index)
    }

    fn judge(&self, node: &Node, vault: EntryId) -> Result<(), &'static str> {
        if let Act::Init(member) = &node.act {
            let own = member.agent.as_str() == node.agent() && member.signer == node.signer;
            return if node.entry.id == vault && own && member.role == Role::Owner {
                Ok(())
            } else {
                Err("it founds no vault")
            };
        }
        let standing = self.standing(node.agent(), Some(node)).ok_or("its signer is no member")?;
        if standing.member.signer != node.signer {
            return Err("it is not signed with the key of the member it names");
        }
        if self.may(&standing, node) { Ok(()) } else { Err("its signer has not the right to it") }
    }

    /// What `agent` is, as `from` had seen it; without `from`, as all entries say.
    pub(super) fn standing(&self, agent: &str, from: Option<&Node>) -> Option<Standing> {
        let about = |node: &&Node| match &node.act {
            Act::Init(member) | Act::Member(member) => {
                member.agent.as_str() == agent && from.is_none_or(|from| from.sees(node))
            }
            _ => false,
        };
        let nodes: Vec<&Node> =
            self.members.iter().map(|index| &self.order.nodes[*index]).filter(about).collect();
        let founder = nodes.iter().any(|node| matches!(node.act, Act::Init(_)));
        // Of what was said at the same time the lowest role holds, and the smallest id where roles are equal.
        let member = maximal(&nodes)
            .filter_map(|node| match &node.act {
                Act::Init(member) | Act::Member(member) => Some((node, member)),
                _ => None,
            })
            .min_by_key(|(node, member)| (member.role, node.entry.id))
            .map(|(_, member)| member)?;
        let rank = if founder && member.role == Role::Owner { FOUNDER } else { member.role.rank() };
        Some(Standing { member: member.clone(), rank })
    }

    fn may(&self, by: &Standing, node: &Node) -> bool {
        match &node.act {
            Act::Init(_) => false,
            Act::Member(member) if member.agent == by.member.agent => {
                member.role <= by.member.role && by.member.role > Role::None
            }
            Act::Member(member) => {
                let target =
                    self.standing(member.agent.as_str(), Some(node)).map_or(0, |standing| standing.rank);
                match by.member.role {
                    Role::Owner => target < FOUNDER,
                    Role::Keeper => target <= Role::Member.rank() && member.role <= Role::Member,
                    Role::Member | Role::None => false,
                }
            }
            Act::Set { .. } | Act::Grant { .. } | Act::Revoke { .. } | Act::Destroy { .. } => {
                by.member.role >= Role::Keeper
            }
        }
    }

    fn author_rank(&self, index: usize) -> u8 {
        let node = &self.order.nodes[index];
        self.standing(node.agent(), Some(node)).map_or(0, |standing| standing.rank)
    }

    /// The entries that lose their right by the change of a member at `index`, made without having seen them.
    fn beaten_by(&self, index: usize) -> impl Iterator<Item = usize> {
        let change = &self.order.nodes[index];
        let Act::Member(member) = &change.act else { return Vec::new().into_iter() };
        let loses = |loser: &usize| {
            let node = &self.order.nodes[*loser];
            let left = Standing { member: member.clone(), rank: member.role.rank() };
            node.agent() == member.agent.as_str()
                && !matches!(node.act, Act::Init(_))
                && node.is_beside(change)
                && (node.signer != member.signer || !self.may(&left, node))
        };
        self.counting().filter(loses).collect::<Vec<_>>().into_iter()
    }
}

/// The nodes that no other of them has seen.
pub(super) fn maximal<'n>(nodes: &[&'n Node]) -> impl Iterator<Item = &'n Node> {
    let newest =
        |node: &&&Node| !nodes.iter().any(|other| other.entry.id != node.entry.id && other.sees(node));
    nodes.iter().filter(newest).copied().collect::<Vec<_>>().into_iter()
}
