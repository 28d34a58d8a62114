//! Founding, trusting, granting, revoking: who may open what.

use super::{change, keys, names, read, record};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::access::{Access, What};
use datum_core::trust::Trust;
use datum_core::vault::{self, Member, Role};
use datum_core::{AgentName, EntryId, Kind};

/// Lets an agent open names; one that is no member yet is taken in with the keys it has declared.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum vault grant oracle1 db/password
  datum vault grant oracle1 --role keeper")]
pub(super) struct Grant {
    /// The agent
    #[arg(value_name = "AGENT", id = "grantee")]
    agent: String,
    /// The names it may open
    names: Vec<String>,
    /// What it may do: member opens, keeper sets and grants, owner also names keepers and owners
    #[arg(long, value_parser = ["member", "keeper", "owner"])]
    role: Option<String>,
    /// Seal the values of the past to it too, not only the one that holds
    #[arg(long)]
    all_versions: bool,
    /// What for
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
}

/// Gives an agent no further values.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum vault revoke oracle1 db/password
  datum vault revoke oracle1")]
pub(super) struct Revoke {
    /// The agent
    #[arg(value_name = "AGENT", id = "grantee")]
    agent: String,
    /// The names it may no longer open; none: it is put out of the vault
    names: Vec<String>,
    /// What for
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
}

pub(super) fn init(edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
    let id = found(edge)?;
    if out.is_json() {
        out.json(&serde_json::json!({ "version": 1, "vault": id }));
    } else {
        out.line(&id.to_string());
        out.say(&format!("other clones trust it with: datum vault trust {id}"));
    }
    Ok(Exit::Done)
}

/// Founds a vault here and trusts it.
pub(super) fn found(edge: &Edge<'_>) -> Result<EntryId, Fault> {
    let store = edge.store()?;
    let keys = keys(edge)?;
    if let Some(trusted) = store.pins()?.vault() {
        return Err(Fault::usage(format!("the vault {trusted} is trusted here already")));
    }
    let draft = vault::found(&keys)?;
    let applied = store.note(Kind::Vault, &edge.stamp()?, &[draft])?;
    let id = applied.ids[0];
    store.change_pins(|pins| pins.trust_vault(id))?;
    read(edge)?;
    Ok(id)
}

pub(super) fn trust(edge: &Edge<'_>, out: &mut Out, text: &str) -> Result<Exit, Fault> {
    let store = edge.store()?;
    let id = EntryId::from_hex(text).ok_or_else(|| {
        Fault::usage(format!("{text:?} is no whole id"))
            .hint("a part of an id could be made to fit: give all of it")
    })?;
    let found = vault::founded(&store.snapshot()?);
    let Some((_, founder)) = found.iter().find(|(founding, _)| *founding == id) else {
        let ids: Vec<_> = found.iter().map(|(id, _)| id.to_string()).collect();
        let here = if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
        return Err(Fault::usage(format!("{id} founds no vault here; those that do: {here}")));
    };
    if let Some(trusted) = store.pins()?.vault().filter(|trusted| *trusted != id) {
        out.warn(&format!("the vault {trusted} was trusted here until now"));
    }
    store.change_pins(|pins| pins.trust_vault(id))?;
    out.say(&format!("trusted: founded by {} with {}", founder.agent, founder.signer));
    read(edge)?;
    Ok(Exit::Done)
}

pub(super) fn share(edge: &Edge<'_>, out: &mut Out, remote: &str, stop: bool) -> Result<Exit, Fault> {
    let key = edge.store()?.mark_sealed(remote, !stop)?;
    if out.is_json() {
        out.json(&serde_json::json!({ "version": 1, "remote": remote, "marked": !stop, "setting": key }));
    } else if stop {
        out.say(&format!("nothing more leaves for {remote}; what has left stays there ({key} is false)"));
    } else {
        out.say(&format!("datum sync {remote} takes the vault and its access records along ({key} is true)"));
    }
    Ok(Exit::Done)
}

impl Grant {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let agent = AgentName::new(&self.agent)?;
        let names = names(&self.names)?;
        let role = self.role.as_deref().and_then(Role::parse);
        if names.is_empty() && role.is_none() {
            return Err(
                Fault::usage("there is nothing to grant").hint("name what it may open, or give a --role")
            );
        }
        let store = edge.store()?;
        let vault = read(edge)?;
        let known = vault.member(agent.as_str()).cloned();
        let member = match (known, role) {
            (Some(_), None) => None,
            (Some(member), Some(role)) => Some(Member { role, ..member }),
            (None, role) => {
                let trust = Trust::read(&store.snapshot()?, &store.pins()?);
                let member = declared(&trust, &agent, role.unwrap_or(Role::Member))?;
                out.say(&format!("taking in {agent} with {}", member.signer));
                Some(member)
            }
        };
        let access = Access {
            what: What::Grant,
            names: &names,
            denied: &[],
            member: Some(&agent),
            purpose: self.purpose.as_deref(),
        };
        record(edge, &access)?;
        let applied = change(edge, |changes| {
            if let Some(member) = &member {
                changes.take_in(member.clone())?;
            }
            names.iter().try_for_each(|name| changes.grant(name, &agent, self.all_versions))
        })?;
        crate::record::tell_written(out, &applied, Kind::Vault);
        Ok(Exit::Done)
    }
}

fn declared(trust: &Trust, agent: &AgentName, role: Role) -> Result<Member, Fault> {
    let none = || {
        Fault::usage(format!("{agent} has declared no keys here")).hint(format!(
            "datum agent keys new --declare --agent {agent}, where {agent} works; then datum sync"
        ))
    };
    let declared = trust.declared(agent.as_str()).ok_or_else(none)?;
    let signer = match (declared.root, declared.signers.len()) {
        (Some(root), 1) => root,
        (None, _) => {
            return Err(Fault::no(format!("several keys claim to be {agent}'s: {:?}", declared.contested)));
        }
        _ => return Err(Fault::no(format!("{agent} has declared several keys: {:?}", declared.signers))),
    };
    let recipient = declared.recipient.clone().ok_or_else(none)?;
    Ok(Member { agent: agent.clone(), role, signer, recipient })
}

impl Revoke {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let agent = AgentName::new(&self.agent)?;
        let names = names(&self.names)?;
        let access = Access {
            what: What::Revoke,
            names: &names,
            denied: &[],
            member: Some(&agent),
            purpose: self.purpose.as_deref(),
        };
        record(edge, &access)?;
        let applied = change(edge, |changes| {
            if names.is_empty() {
                return changes.put_out(&agent);
            }
            names.iter().try_for_each(|name| changes.revoke(name, &agent))
        })?;
        crate::record::tell_written(out, &applied, Kind::Vault);
        out.say(&format!(
            "{agent} gets no new values; what it could open it may have kept, so datum vault rotate what datum vault status names"
        ));
        Ok(Exit::Done)
    }
}
