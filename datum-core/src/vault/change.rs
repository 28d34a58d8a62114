//! Changing a vault: drafts of entries, made from a vault as it was read, for the store to append.

use super::act::Act;
use super::{Member, Role, Secret, Vault, VaultError, seal};
use crate::entry::Draft;
use crate::keys::AgentKeys;
use crate::name::{AgentName, Word};
use crate::stamp::Writer;
use std::collections::{BTreeMap, BTreeSet};

/// Drafts the entry that founds a vault; its id is the vault's.
///
/// # Errors
/// [`VaultError::Draft`], which cannot happen for keys that were made here.
pub fn found(keys: &AgentKeys) -> Result<Draft, VaultError> {
    Act::Init(Member::of(keys, Role::Owner)).draft(None, &[])
}

impl Member {
    /// The member whose keys these are.
    pub fn of(keys: &AgentKeys, role: Role) -> Self {
        Self {
            agent: keys.agent().clone(),
            role,
            signer: keys.signer().public(),
            recipient: keys.recipient(),
        }
    }
}

/// Entries to be appended together, by one member.
#[derive(Debug)]
pub struct Changes<'v> {
    vault: &'v Vault,
    writer: &'v Writer,
    keys: &'v AgentKeys,
    role: Role,
    /// Members as this batch makes them.
    members: BTreeMap<String, Member>,
    /// What this batch has taken from whom.
    revoked: BTreeSet<(Word, AgentName)>,
    drafts: Vec<Draft>,
}

impl Vault {
    /// Begins a batch of changes by the member whose keys these are, to be appended to the log of `writer`.
    ///
    /// # Errors
    /// [`VaultError::NoMember`] when the keys are no member's.
    pub fn change<'v>(&'v self, writer: &'v Writer, keys: &'v AgentKeys) -> Result<Changes<'v>, VaultError> {
        let member =
            self.member(keys.agent().as_str()).filter(|member| member.signer == keys.signer().public());
        let role = member.ok_or_else(|| VaultError::NoMember(keys.agent().clone()))?.role;
        let (members, revoked, drafts) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        Ok(Changes { vault: self, writer, keys, role, members, revoked, drafts })
    }
}

impl Changes<'_> {
    /// The drafts, in their order.
    pub fn drafts(self) -> Vec<Draft> {
        self.drafts
    }

    /// Gives a name a new value, sealed to all who may open it and to those of `also`; answers with its number.
    ///
    /// Whom this batch has revoked it is not sealed to.
    ///
    /// # Errors
    /// [`VaultError`] without the right, for a value over [`super::VALUE_MAX`], and for one of `also` who is no member.
    pub fn set(&mut self, name: &Word, value: &[u8], also: &[AgentName]) -> Result<u64, VaultError> {
        self.need(Role::Keeper)?;
        let known = self.vault.secrets.get(name);
        let version = known.map_or(0, newest_number) + 1;
        let in_use = known.filter(|secret| !secret.destroyed);
        let mut granted: BTreeSet<String> = in_use.map(|secret| secret.granted.clone()).unwrap_or_default();
        granted.retain(|agent| !self.revoked.iter().any(|(of, from)| of == name && from.as_str() == agent));
        let mut new: Vec<AgentName> = also.to_vec();
        if in_use.is_none() {
            new.push(self.keys.agent().clone());
        }
        new.sort();
        new.dedup();
        new.retain(|agent| granted.insert(agent.to_string()));
        let binding = seal::Binding { vault: self.vault.id, name, version };
        let (sealed, data) = seal::seal(value, &binding)?;
        let digest = seal::digest(&sealed);
        let mut wraps = BTreeMap::new();
        for agent in granted {
            let recipient = &self.member(&agent)?.recipient;
            wraps.insert(agent.clone(), seal::wrap(&data, &binding, &agent, &digest, recipient)?);
        }
        self.push(&Act::Set { name: name.clone(), version, granted: new, sealed, wraps })?;
        Ok(version)
    }

    /// Lets an agent open a name: the value that holds, or with `all` every one that this member can open.
    ///
    /// # Errors
    /// [`VaultError`] without the right, for an agent that is no member, and when this member cannot open it itself.
    pub fn grant(&mut self, name: &Word, agent: &AgentName, all: bool) -> Result<(), VaultError> {
        self.need(Role::Keeper)?;
        let recipient = self.member(agent.as_str())?.recipient.clone();
        let secret = self.vault.secret(name)?;
        if !secret.granted.contains(self.keys.agent().as_str()) {
            return Err(VaultError::CannotOpen);
        }
        let mut wraps = BTreeMap::new();
        let first = if all { 0 } else { secret.versions.len().saturating_sub(1) };
        for version in secret.versions.iter().skip(first) {
            let (binding, sealed) = self.vault.sealed(version).ok_or(VaultError::CannotOpen)?;
            match self.vault.data_key(version, self.keys) {
                Ok(data) => {
                    let digest = seal::digest(sealed);
                    wraps.insert(
                        version.entry,
                        seal::wrap(&data, &binding, agent.as_str(), &digest, &recipient)?,
                    );
                }
                // Old values that this member never could open are left out; the one that holds must be there.
                Err(_) if all && secret.versions.last().is_some_and(|last| last.entry != version.entry) => {}
                Err(error) => return Err(error),
            }
        }
        self.push(&Act::Grant { name: name.clone(), agent: agent.clone(), wraps })
    }

    /// Gives an agent no further values of a name.
    ///
    /// # Errors
    /// [`VaultError`] without the right, and for a name that is not in use.
    pub fn revoke(&mut self, name: &Word, agent: &AgentName) -> Result<(), VaultError> {
        self.need(Role::Keeper)?;
        self.vault.secret(name)?;
        self.push(&Act::Revoke { name: name.clone(), agent: agent.clone() })?;
        self.revoked.insert((name.clone(), agent.clone()));
        Ok(())
    }

    /// Takes a name out of use; its values stay in the history, sealed.
    ///
    /// # Errors
    /// [`VaultError`] without the right, and for a name that is not in use.
    pub fn destroy(&mut self, name: &Word) -> Result<(), VaultError> {
        self.need(Role::Keeper)?;
        self.vault.secret(name)?;
        self.push(&Act::Destroy { name: name.clone() })
    }

    /// Takes in a member, or changes what it is.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`] without the right.
    pub fn take_in(&mut self, member: Member) -> Result<(), VaultError> {
        let least = if member.role > Role::Member { Role::Owner } else { Role::Keeper };
        if member.agent != *self.keys.agent() {
            self.need(least)?;
        }
        self.push(&Act::Member(member.clone()))?;
        self.members.insert(member.agent.to_string(), member);
        Ok(())
    }

    /// Puts a member out, and with that from every name.
    ///
    /// # Errors
    /// [`VaultError`] without the right, and for an agent that is no member.
    pub fn put_out(&mut self, agent: &AgentName) -> Result<(), VaultError> {
        let member = self.member(agent.as_str())?.clone();
        if member.agent != *self.keys.agent() {
            self.need(if member.role > Role::Member { Role::Owner } else { Role::Keeper })?;
        }
        self.push(&Act::Member(Member { role: Role::None, ..member }))
    }

    fn member(&self, agent: &str) -> Result<&Member, VaultError> {
        let found = self.members.get(agent).or_else(|| self.vault.member(agent));
        match (found, AgentName::new(agent)) {
            (Some(member), _) => Ok(member),
            (None, Ok(agent)) => Err(VaultError::NoMember(agent)),
            (None, Err(_)) => Err(VaultError::CannotOpen),
        }
    }

    fn need(&self, least: Role) -> Result<(), VaultError> {
        if self.role >= least {
            return Ok(());
        }
        Err(VaultError::NotAllowed { agent: self.keys.agent().clone(), role: self.role })
    }

    fn push(&mut self, act: &Act) -> Result<(), VaultError> {
        // What the first of a batch names as seen, the others follow.
        let after = if self.drafts.is_empty() { self.vault.after(self.writer) } else { Vec::new() };
        self.drafts.push(act.draft(Some(self.vault.id), &after)?);
        Ok(())
    }
}

impl Vault {
    fn after(&self, writer: &Writer) -> Vec<crate::EntryId> {
        let counting: BTreeSet<_> = self.counting().map(|node| node.entry.id).collect();
        self.order.after(writer, |node| counting.contains(&node.entry.id))
    }
}

fn newest_number(secret: &Secret) -> u64 {
    secret.versions.iter().map(|version| version.number).max().unwrap_or(0)
}
