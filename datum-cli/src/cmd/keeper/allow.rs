//! `datum keeper allow`, `deny`, `capability-ack`: what an agent may do beside opening values.

use crate::cmd::{bounds, vault};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::access::{Access, What};
use datum_core::boundary::{acknowledgement, names_of};
use datum_core::vault::{Changes, Value, Vault, VaultError, generate};
use datum_core::{AgentName, Kind, Word};
use std::collections::BTreeSet;

/// Lets an agent use capabilities and endpoints.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum keeper allow oracle1 cap:build
  datum keeper allow oracle1 net:api.example.org:443

A capability holds if the agent also declares it in CAPABILITY.toml, and a keeper has acknowledged the declaration:
datum keeper capability-ack.")]
pub(super) struct Allow {
    #[command(flatten)]
    of: Whose,
}

/// Takes capabilities and endpoints back from an agent.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  datum keeper deny oracle1 net:api.example.org:443")]
pub(super) struct Deny {
    #[command(flatten)]
    of: Whose,
}

/// Whose capabilities and endpoints, and which.
#[derive(Debug, clap::Args)]
struct Whose {
    /// The agent, a member of the vault
    #[arg(value_name = "AGENT", id = "grantee")]
    agent: String,
    /// cap:NAME or net:HOST:PORT
    #[arg(required = true, value_name = "RESOURCE")]
    resources: Vec<String>,
    /// What for
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
}

/// Acknowledges what an agent declares here, as it stands.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum keeper capability-ack oracle1
  datum capability ack oracle1

The names of the capabilities are acknowledged, all together: when one is added or taken away none holds until a keeper
has looked again.")]
pub(crate) struct Acknowledge {
    /// The agent whose CAPABILITY.toml it is
    #[arg(value_name = "AGENT", id = "declarer")]
    agent: String,
    /// What for
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
}

/// What stands behind a name that stands for no value: a random word, that nothing else will ever hold.
fn nothing() -> Result<Value, Fault> {
    Ok(generate(16)?)
}

impl Whose {
    /// The names that stand for the resources, once each.
    fn names(&self) -> Result<BTreeSet<Word>, Fault> {
        let name = |resource: &String| match resource.split_once(':') {
            Some(("cap" | "net", _)) => names_of(resource).map_err(Fault::usage),
            _ => Err(Fault::usage(format!("{resource:?} is neither cap:NAME nor net:HOST:PORT"))
                .hint("datum vault grant gives values")),
        };
        self.resources.iter().map(name).collect()
    }

    /// Records what is done, and appends what `change` makes of each name.
    fn change(
        &self,
        edge: &Edge<'_>,
        out: &mut Out,
        what: What,
        change: impl Fn(&mut Changes<'_>, &Word, &AgentName) -> Result<(), VaultError>,
    ) -> Result<Exit, Fault> {
        let agent = AgentName::new(&self.agent)?;
        let names: Vec<Word> = self.names()?.into_iter().collect();
        let purpose = self.purpose.as_deref();
        let access = Access { what, names: &names, denied: &[], member: Some(&agent), purpose };
        vault::record(edge, &access)?;
        let applied =
            vault::change(edge, |changes| names.iter().try_for_each(|name| change(changes, name, &agent)))?;
        crate::record::tell_written(out, &applied, Kind::Vault);
        Ok(Exit::Done)
    }
}

impl Allow {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let value = nothing()?;
        self.of.change(edge, out, What::Grant, |changes, name, agent| {
            changes.set(name, &value, std::slice::from_ref(agent)).map(drop)
        })
    }
}

impl Deny {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let value = nothing()?;
        self.of.change(edge, out, What::Revoke, |changes, name, agent| {
            changes.revoke(name, agent)?;
            // Sealed anew, so that nothing is left to be changed: there was no value to keep.
            changes.set(name, &value, &[]).map(drop)
        })
    }
}

impl Acknowledge {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let agent = AgentName::new(&self.agent)?;
        let declared = bounds::declared(edge, &agent)?;
        if declared.is_empty() {
            return Err(Fault::usage(format!("{agent} declares nothing in this vessel's CAPABILITY.toml")));
        }
        let name = acknowledgement(&agent, &declared)?;
        let vault: Vault = vault::read(edge)?;
        let shown: Vec<_> = declared.iter().map(String::as_str).collect();
        if vault.secret(&name).is_ok() {
            out.say("it is acknowledged already");
        } else {
            let names = [name];
            let purpose = self.purpose.as_deref();
            vault::record(
                edge,
                &Access { what: What::Grant, names: &names, denied: &[], member: Some(&agent), purpose },
            )?;
            let value = nothing()?;
            vault::change(edge, |changes| changes.set(&names[0], &value, &[]).map(drop))?;
        }
        if out.is_json() {
            out.json(&serde_json::json!({ "version": 1, "agent": agent.as_str(), "acknowledged": shown }));
        } else {
            out.line(&format!("{agent}: {}", shown.join(", ")));
        }
        Ok(Exit::Done)
    }
}
