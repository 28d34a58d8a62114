//! The vault: values that only the granted agents can open, in git, with no server.
//!
//! Its state is a fold of signed entries of kind `vault`, from the founding entry that the user trusts. An owner names
//! owners, keepers and members; a keeper sets values and grants them, and takes members in and out; a member opens what
//! it is granted. Names, members and times stand in clear; values never do.
//!
//! What it cannot do: take back a value that someone could already open (`revoke` stops the next one, so change it), or
//! record the reads of someone who holds keys and does not use datum.

mod act;
mod change;
mod fold;
pub mod forms;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
#[cfg(feature = "legacy-import")]
pub mod legacy;
mod order;
mod packed;
mod portable;
mod rights;
mod seal;
mod sealed;
mod sought;
mod source;
mod value;

pub use change::{Changes, found};
pub use portable::{PortableError, Values, parse_dotenv, parse_json, print_dotenv, print_json, variable};
pub use seal::{VALUE_MAX, generate};
pub use sealed::{open_sealed, open_sealed_by, seal_to};
pub use sought::Sought;
pub use source::{Found, SecretProxy, Source};
pub use value::Value;

use crate::entry::DraftError;
use crate::id::EntryId;
use crate::keys::{AgentKeys, KeyError};
use crate::kind::Kind;
use crate::name::{AgentName, Word};
use crate::odb::ObjectError;
use crate::pins::Pins;
use crate::snapshot::Snapshot;
use crate::sshsig::PublicKey;
use crate::stamp::Millis;
use act::Act;
use order::{Node, Order};
use rights::Standing;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::ControlFlow;

/// Why the vault refused. No error holds anything of a value.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// No vault is trusted in this clone.
    #[error("no vault is trusted here{}", listed("; there is ", .found))]
    Untrusted {
        /// The founding entries that are here.
        found: Vec<EntryId>,
    },
    /// The trusted vault is not here, and perhaps another is.
    #[error("the trusted vault {trusted} is not here{}", listed(", instead there is ", .found))]
    Foreign {
        /// The founding entry that is trusted.
        trusted: EntryId,
        /// The founding entries that are here.
        found: Vec<EntryId>,
    },
    /// A log does not hold what was verified in it before.
    #[error("vault/{log} was set back or rewritten: {pinned} was seen in it, and now {}", found.map_or_else(|| "it is gone".to_owned(), |id| format!("its tip is {id}")))]
    Back {
        /// The log's writer.
        log: String,
        /// The newest entry seen.
        pinned: EntryId,
        /// The tip it has now.
        found: Option<EntryId>,
    },
    /// The value cannot be opened: no grant, other keys, or damage. Which of them is not said.
    #[error("it cannot be opened: not granted, or not with these keys")]
    CannotOpen,
    /// There is no such name.
    #[error("the vault holds no {0}")]
    Unknown(Word),
    /// The agent has no right to it.
    #[error("{agent} may not do that: it is {role} of this vault")]
    NotAllowed {
        /// The agent.
        agent: AgentName,
        /// What it is.
        role: Role,
    },
    /// The agent is no member.
    #[error("{0} is no member of this vault")]
    NoMember(AgentName),
    /// A value is over the limit.
    #[error("the value has {bytes} bytes, the most is {VALUE_MAX}")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// A member's recipient cannot be sealed to.
    #[error("nothing can be sealed to the recipient of {agent}")]
    Recipient {
        /// The member.
        agent: String,
    },
    /// A file holds no identity that can be used.
    #[error("the file holds no identity that this build can use")]
    Identity,
    /// There is no randomness.
    #[error(transparent)]
    Random(#[from] KeyError),
    /// An entry could not be drafted.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// An object could not be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
}

fn listed(before: &str, ids: &[EntryId]) -> String {
    let ids: Vec<_> = ids.iter().map(EntryId::to_string).collect();
    if ids.is_empty() { String::new() } else { format!("{before}{}", ids.join(", ")) }
}

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Nothing: it was put out.
    None,
    /// Open what it is granted.
    Member,
    /// Set, grant, revoke; take members in and out.
    Keeper,
    /// Also name keepers and owners.
    Owner,
}

impl Role {
    /// The name in entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Member => "member",
            Self::Keeper => "keeper",
            Self::Owner => "owner",
        }
    }

    /// The role called `text`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::None, Self::Member, Self::Keeper, Self::Owner].into_iter().find(|role| role.as_str() == text)
    }

    const fn rank(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A member of a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The agent.
    pub agent: AgentName,
    /// What it may do.
    pub role: Role,
    /// The key that its entries are signed with.
    pub signer: PublicKey,
    /// What values are sealed to.
    pub recipient: String,
}

/// An entry that does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Void {
    /// The entry, or the tip of a log that is left out whole.
    pub entry: EntryId,
    /// The agent it names.
    pub agent: String,
    /// Why it does not count.
    pub why: String,
}

/// One value a name has had.
#[derive(Debug, Clone)]
pub struct Version {
    /// The entry that set it.
    pub entry: EntryId,
    /// Its number; two set at the same time have the same.
    pub number: u64,
    /// Who set it.
    pub by: String,
    /// When.
    pub clock: Millis,
    /// Agents that it is or was sealed to.
    pub sealed_to: BTreeSet<String>,
    node: usize,
}

/// A name and the values it has had.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Every value, oldest first; the last is the one that holds.
    pub versions: Vec<Version>,
    /// Values set at the same time as the one that holds: kept, and to be looked at.
    pub beside: Vec<EntryId>,
    /// Agents that may open it.
    pub granted: BTreeSet<String>,
    /// Agents that could open the value that holds and may no longer: it is to be changed.
    pub exposed_to: BTreeSet<String>,
    /// Whether it was taken out of use.
    pub destroyed: bool,
}

/// One thing that happened to a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The entry.
    pub entry: EntryId,
    /// Who did it.
    pub by: String,
    /// When.
    pub clock: Millis,
    /// What it was, in words.
    pub what: String,
}

/// A vault as all its entries say.
#[derive(Debug)]
pub struct Vault {
    id: EntryId,
    order: Order,
    counts: Vec<bool>,
    members: BTreeMap<String, Standing>,
    secrets: BTreeMap<Word, Secret>,
    /// As [`fold::holders`] answers.
    wraps: BTreeMap<EntryId, Vec<usize>>,
}

/// The founding entries in a snapshot, of whatever vault.
pub fn founded(snapshot: &Snapshot<'_>) -> Vec<(EntryId, Member)> {
    let mut found = Vec::new();
    snapshot.walk(Kind::Vault, |view| {
        if let Ok((id, Act::Init(member))) = Act::parse(&snapshot.whole(view)) {
            found.push((id, member));
        }
        ControlFlow::Continue(())
    });
    found.reverse();
    found
}

impl Vault {
    /// Reads the trusted vault of a snapshot.
    ///
    /// # Errors
    /// [`VaultError`] when none is trusted, another is here, or a log was set back since it was seen.
    pub fn read(snapshot: &Snapshot<'_>, pins: &Pins) -> Result<Self, VaultError> {
        let found = || founded(snapshot).into_iter().map(|(id, _)| id).collect();
        let Some(id) = pins.vault() else { return Err(VaultError::Untrusted { found: found() }) };
        let mut order = order::read(snapshot, pins, id)?;
        let rights = rights::decide(&order, id);
        let verdicts = rights.counts.clone();
        if !order.nodes.iter().zip(&verdicts).any(|(node, verdict)| node.entry.id == id && verdict.is_ok()) {
            return Err(VaultError::Foreign { trusted: id, found: found() });
        }
        let agents: BTreeSet<&str> = order.nodes.iter().filter_map(|node| node.act.member()).collect();
        let standing = |agent: &str| rights.standing(agent, None);
        let members: BTreeMap<_, _> =
            agents.into_iter().filter_map(|agent| Some((agent.to_owned(), standing(agent)?))).collect();
        let secrets = fold::secrets(&order, &rights, &members);
        for (node, verdict) in order.nodes.iter().zip(&verdicts) {
            if let Err(why) = verdict {
                let (entry, agent) = (node.entry.id, node.agent().to_owned());
                order.void.push(Void { entry, agent, why: (*why).to_owned() });
            }
        }
        let counts: Vec<bool> = verdicts.iter().map(Result::is_ok).collect();
        Ok(Self { id, wraps: fold::holders(&order, &counts), order, counts, members, secrets })
    }

    /// The vault's id: its founding entry's.
    pub fn id(&self) -> EntryId {
        self.id
    }

    /// The members, put-out ones left aside.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values().map(|standing| &standing.member).filter(|member| member.role > Role::None)
    }

    /// The member that `agent` is.
    pub fn member(&self, agent: &str) -> Option<&Member> {
        self.members.get(agent).map(|standing| &standing.member).filter(|member| member.role > Role::None)
    }

    /// The names in use, with what is known of each.
    pub fn secrets(&self) -> impl Iterator<Item = (&Word, &Secret)> {
        self.secrets.iter().filter(|(_, secret)| !secret.destroyed)
    }

    /// What is known of a name in use.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] when it is not in use.
    pub fn secret(&self, name: &Word) -> Result<&Secret, VaultError> {
        let found = self.secrets.get(name).filter(|secret| !secret.destroyed);
        found.ok_or_else(|| VaultError::Unknown(name.clone()))
    }

    /// Entries that do not count, and why.
    pub fn void(&self) -> &[Void] {
        &self.order.void
    }

    /// Entries of other vaults in the same logs.
    pub fn foreign(&self) -> &BTreeSet<EntryId> {
        &self.order.foreign
    }

    /// Pins the tips of the logs that were read whole.
    pub fn pin(&self, pins: &mut Pins) {
        for (writer, seq, id) in &self.order.tips {
            pins.pin_log(Kind::Vault, writer, *seq, *id);
        }
        for (writer, seq, id) in &self.order.sound {
            pins.set_sound(writer, *seq, *id);
        }
    }

    /// When anyone last wrote to it, by the writers' clocks.
    pub fn newest(&self) -> Millis {
        self.counting().map(|node| node.entry.clock).max().unwrap_or(0)
    }

    /// What happened to a name, oldest first.
    pub fn history(&self, name: &Word) -> Vec<Event> {
        let about = |node: &&Node| node.act.name() == Some(name);
        let event = |node: &Node| {
            let (entry, what) = (&node.entry, node.entry.subject.clone());
            Event { entry: entry.id, by: node.agent().to_owned(), clock: entry.clock, what }
        };
        self.counting().filter(about).map(event).collect()
    }

    /// Opens the value that holds, or the one that `version` set, for an agent that is granted it.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] for a name or version that is not there, [`VaultError::CannotOpen`] for everything else.
    pub fn open(&self, name: &Word, version: Option<EntryId>, keys: &AgentKeys) -> Result<Value, VaultError> {
        let secret = self.secret(name)?;
        let held = match version {
            None => secret.versions.last(),
            Some(entry) => secret.versions.iter().find(|version| version.entry == entry),
        }
        .ok_or_else(|| VaultError::Unknown(name.clone()))?;
        if !secret.granted.contains(keys.agent().as_str()) {
            return Err(VaultError::CannotOpen);
        }
        let (binding, sealed) = self.sealed(held).ok_or(VaultError::CannotOpen)?;
        let data = self.data_key(held, keys)?;
        seal::open(sealed, &data, &binding)
    }

    fn counting(&self) -> impl Iterator<Item = &Node> {
        self.order.nodes.iter().zip(&self.counts).filter(|(_, counts)| **counts).map(|(node, _)| node)
    }

    fn sealed(&self, version: &Version) -> Option<(seal::Binding<'_>, &[u8])> {
        match &self.order.nodes[version.node].act {
            Act::Set { name, version, sealed, .. } => {
                Some((seal::Binding { vault: self.id, name, version: *version }, sealed))
            }
            _ => None,
        }
    }

    fn data_key(&self, version: &Version, keys: &AgentKeys) -> Result<seal::DataKey, VaultError> {
        let (binding, sealed) = self.sealed(version).ok_or(VaultError::CannotOpen)?;
        let digest = seal::digest(sealed);
        let holders = self.wraps.get(&version.entry).into_iter().flatten().map(|at| &self.order.nodes[*at]);
        let own = fold::wraps(holders, version.entry).filter(|(agent, _)| *agent == keys.agent().as_str());
        // A damaged wrap must not hide a good one.
        own.map(|(_, wrap)| seal::unwrap(wrap, &binding, &digest, keys))
            .find(Result::is_ok)
            .unwrap_or(Err(VaultError::CannotOpen))
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make repositories and break them")]
mod tests;
