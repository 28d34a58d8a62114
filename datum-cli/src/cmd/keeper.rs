//! `datum keeper`: the original's names for the vault, the access records, and what an agent may touch.

mod allow;
#[cfg(unix)]
mod serve;

pub(crate) use allow::Acknowledge;

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::record::{Shown, short};
use crate::time;
use clap::Parser as _;
use datum_core::access::{self, ACCESS, DENIED, NAME, Query};
use datum_core::boundary::check_boundary;
use datum_core::{AgentName, Word};

/// Keeps secrets, and the record of who used them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  printf %s \"$VALUE\" | datum keeper add-secret db/password
  datum keeper audit-log --last 20 --denied
  datum keeper check secret:db/password --agent oracle1

The record tells what went through datum. Someone who holds an agent's keys can open its values without datum.")]
pub(crate) struct Keeper {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Give a name a value, from stdin or a hidden prompt (datum vault set)
    #[command(
        after_help = "Examples:\n  printf %s \"$VALUE\" | datum keeper add-secret db/password --description \"the staging base\""
    )]
    AddSecret {
        /// The name
        key: String,
        /// Not accepted: a value on the command line is seen by everyone
        #[arg(hide = true)]
        value: Option<String>,
        /// What for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// List the names (datum vault list)
    #[command(after_help = "Examples:\n  datum keeper list-secrets")]
    ListSecrets,
    /// List the members of the vault
    #[command(after_help = "Examples:\n  datum keeper list-agents --format json")]
    ListAgents,
    /// List access records, newest first
    #[command(
        after_help = "Examples:\n  datum keeper audit-log --last 50 --by oracle1\n  datum keeper audit-log --denied --since 1d"
    )]
    AuditLog {
        /// At most N records
        #[arg(long, value_name = "N", default_value_t = 20)]
        last: usize,
        /// Only by this agent
        #[arg(long = "by", value_name = "AGENT")]
        by: Option<String>,
        /// Only about this name
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Only refusals
        #[arg(long)]
        denied: bool,
        /// Only since TIME
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
    },
    /// Let an agent use capabilities and endpoints
    Allow(allow::Allow),
    /// Take capabilities and endpoints back from an agent
    Deny(allow::Deny),
    /// Acknowledge what an agent declares in CAPABILITY.toml, as it stands
    CapabilityAck(Acknowledge),
    /// Serve the keeper over HTTP, on a Unix socket or on this machine
    #[cfg(unix)]
    Serve(serve::Serve),
    /// Invite an agent to enrol over HTTP, once
    #[cfg(unix)]
    Invite(serve::Invite),
    /// Print what to send to a keeper that invited this agent
    #[cfg(unix)]
    Enrol(serve::Enrol),
    /// List who has tokens, or end an agent's
    #[cfg(unix)]
    Tokens(serve::List),
    /// Say whether the agent may touch a resource: file:PATH, net:HOST:PORT, cap:NAME, secret:NAME
    #[command(
        after_help = "Examples:\n  datum keeper check secret:db/password --agent oracle1\n  datum keeper check net:example.org:443 && curl https://example.org"
    )]
    Check {
        /// The resource
        resource: String,
    },
}

impl Keeper {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        match &self.command {
            Command::AddSecret { value: Some(_), .. } => {
                Err(Fault::usage("a value is not taken from the command line")
                    .hint("every process can see it there: give it on stdin"))
            }
            Command::AddSecret { key, description, .. } => {
                let mut words = vec!["vault", "set", key];
                if let Some(text) = description {
                    words.extend(["--purpose", text]);
                }
                vault(&words, edge, out)
            }
            Command::ListSecrets => vault(&["vault", "list"], edge, out),
            Command::ListAgents => agents(edge, out),
            Command::AuditLog { last, by, name, denied, since } => {
                let query = Query {
                    agent: by.as_deref().map(AgentName::new).transpose()?,
                    name: name.as_deref().map(|name| Word::new("name", name)).transpose()?,
                    denied: *denied,
                    since: super::journal::moment("--since", since.as_deref(), edge.now()?)?,
                    limit: Some(*last),
                };
                records(edge, out, &query)
            }
            Command::Allow(allow) => allow.run(edge, out),
            Command::Deny(deny) => deny.run(edge, out),
            Command::CapabilityAck(acknowledge) => acknowledge.run(edge, out),
            #[cfg(unix)]
            Command::Serve(serve) => serve.run(edge, out),
            #[cfg(unix)]
            Command::Invite(invite) => invite.run(edge, out),
            #[cfg(unix)]
            Command::Enrol(enrol) => enrol.run(edge, out),
            #[cfg(unix)]
            Command::Tokens(list) => list.run(edge, out),
            Command::Check { resource } => check(edge, out, resource),
        }
    }
}

/// Runs a command of `datum vault` by its own words, so that there is one way to read them.
fn vault(words: &[&str], edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
    #[derive(clap::Parser)]
    struct Words {
        #[command(subcommand)]
        command: Only,
    }
    #[derive(clap::Subcommand)]
    enum Only {
        Vault(super::vault::Vault),
    }
    let words = std::iter::once("datum").chain(words.iter().copied());
    let parsed = Words::try_parse_from(words).map_err(|error| Fault::usage(error.to_string()))?;
    match parsed.command {
        Only::Vault(command) => command.run(edge, out),
    }
}

fn agents(edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
    let vault = super::vault::read(edge)?;
    let shown: Vec<_> = vault
        .members()
        .map(|member| {
            serde_json::json!({ "agent": member.agent.as_str(), "role": member.role.as_str(),
                "signer": member.signer.to_string(), "recipient": member.recipient })
        })
        .collect();
    if out.is_json() {
        out.json_list("agents", &shown);
    } else {
        for member in vault.members() {
            out.line(&format!("{:<7} {}  {}", member.role.as_str(), member.agent, member.recipient));
        }
    }
    Ok(Exit::Done)
}

fn records(edge: &Edge<'_>, out: &mut Out, query: &Query) -> Result<Exit, Fault> {
    let snapshot = edge.store()?.snapshot()?;
    let found = access::list(&snapshot, query);
    if out.is_json() {
        let shown: Vec<_> = found.iter().map(Shown::of).collect();
        out.json_list("records", &shown);
    } else {
        for entry in &found {
            let names: Vec<_> = entry.values(NAME).collect();
            let denied: Vec<_> = entry.values(DENIED).map(|name| format!("{name} (refused)")).collect();
            let what = entry.trailer(ACCESS).unwrap_or("-");
            let purpose = entry.trailer("Purpose").map(|text| format!("  {text}")).unwrap_or_default();
            let member = entry.trailer("Member").map(|member| format!("  for {member}")).unwrap_or_default();
            let program = entry.trailer("Program").map(|program| format!("  {program}")).unwrap_or_default();
            let names = [names.iter().map(|name| (*name).to_owned()).collect(), denied].concat().join(" ");
            let time = time::show(entry.clock);
            out.line(&format!(
                "{} {time} {} {what} {names}{member}{program}{purpose}",
                short(entry.id),
                entry.agent
            ));
        }
    }
    out.damage(&snapshot.damage());
    Ok(Exit::Done)
}

fn check(edge: &Edge<'_>, out: &mut Out, resource: &str) -> Result<Exit, Fault> {
    let agent = edge.agent()?;
    let boundaries = super::bounds::of(edge, &agent)?;
    let decision = check_boundary(&boundaries, resource);
    if out.is_json() {
        out.json(&serde_json::json!({ "version": 1, "agent": agent.as_str(), "resource": resource,
            "allowed": decision.allowed, "why": decision.why }));
    } else {
        let word = if decision.allowed { "allowed" } else { "denied" };
        out.line(&format!("{word}: {}", decision.why));
    }
    Ok(if decision.allowed { Exit::Done } else { Exit::No })
}

/// Refuses what lies outside of what the acting agent may touch.
pub(crate) fn guard(edge: &Edge<'_>, resource: &str) -> Result<(), Fault> {
    let agent = edge.agent()?;
    let decision = check_boundary(&super::bounds::of(edge, &agent)?, resource);
    if decision.allowed {
        return Ok(());
    }
    Err(Fault::no(format!("{agent} may not touch {resource}: {}", decision.why))
        .hint(format!("datum keeper check {resource}")))
}
