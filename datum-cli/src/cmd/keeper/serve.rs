//! `datum keeper serve`, `invite`, `enrol`, `tokens`: the keeper over HTTP.

use crate::cmd::vault;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::keeper_http::tokens::{Gives, Tokens};
use crate::keeper_http::{self, Options, Place};
use crate::out::Out;
use crate::time;
use datum_core::AgentName;
use datum_core::access::{Access, What};
use datum_core::enrolment::Enrolment;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroizing;

/// Serves the keeper over HTTP, on a Unix socket of this user unless an address is named.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum keeper serve --agent keeper1
  datum keeper serve --listen 127.0.0.1:7742
  curl --unix-socket .git/datum/keeper.sock http://localhost/api/health
  curl --unix-socket .git/datum/keeper.sock -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \\
    -d '{\"agent\":\"oracle1\",\"key\":\"db/password\",\"purpose\":\"deploy\",\"ttl\":60}' http://localhost/api/secrets/get

Paths: GET /api/health, /api/agents, /api/secrets, /api/audit/N; POST /api/agents/register, /api/secrets/get, set, delete.
It opens with the keys of the agent it runs as, for the agent that the token names, and only what both are granted.
Tokens: datum keeper invite AGENT here, datum keeper enrol there. SIGHUP reads them anew and says whether they can be
read, SIGTERM and SIGINT stop.")]
pub(super) struct Serve {
    /// Serve on this Unix socket [default: datum/keeper.sock in the git directory]
    #[arg(long, value_name = "PATH", conflicts_with_all = ["listen", "port", "host"])]
    socket: Option<PathBuf>,
    /// Serve on this address and port, as 127.0.0.1:7742
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with_all = ["port", "host"])]
    listen: Option<String>,
    /// The address alone
    #[arg(long, value_name = "ADDRESS", requires = "port")]
    host: Option<String>,
    /// The port alone, on 127.0.0.1 unless --host names another address
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Serve although other machines reach the address, in clear
    #[arg(long)]
    beyond_this_machine: bool,
    /// Requests read at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
    /// Seconds in which a request must have come; half a second while no worker is free
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=60))]
    timeout: u64,
    /// How long a token is good for
    #[arg(long, value_name = "LENGTH", default_value = "12h")]
    token_for: String,
}

/// Invites an agent to enrol, once.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  datum keeper invite oracle1 --valid 10m")]
pub(super) struct Invite {
    /// The agent, a member of the vault
    #[arg(value_name = "AGENT", id = "invited")]
    agent: String,
    /// How long the invitation is good for
    #[arg(long, value_name = "LENGTH", default_value = "1h")]
    valid: String,
}

/// Prints what to send to /api/agents/register: the invitation from stdin, and the proof that the agent's keys are here.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum keeper enrol --agent oracle1 <invitation |
    curl --unix-socket .git/datum/keeper.sock -H 'Content-Type: application/json' -d @- http://localhost/api/agents/register")]
pub(super) struct Enrol {}

/// Lists the agents that have tokens and invitations, or ends an agent's.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  datum keeper tokens\n  datum keeper tokens --revoke oracle1")]
pub(super) struct List {
    /// End all tokens and invitations of AGENT, at once
    #[arg(long, value_name = "AGENT")]
    revoke: Option<String>,
}

fn length(option: &str, text: &str) -> Result<u64, Fault> {
    time::parse_length(text).filter(|length| *length > 0).ok_or_else(|| {
        Fault::usage(format!("{option}: {text:?} is no length of time")).hint("as 90s, 10m or 12h")
    })
}

impl Serve {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        // Whoever asks has no keys: the record is the only trace of what was released, and a power cut must not take it.
        edge.flush();
        let beyond = self.beyond_this_machine;
        let place = match (&self.listen, self.port) {
            (Some(text), _) => Place::address(text, beyond)?,
            (None, Some(port)) => {
                let host = self.host.as_deref().unwrap_or("127.0.0.1");
                let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
                Place::address(&format!("{host}:{port}"), beyond)?
            }
            (None, None) => {
                let own = edge.store()?.common_dir().join("datum/keeper.sock");
                Place::Socket(self.socket.clone().unwrap_or(own))
            }
        };
        let options = Options {
            place,
            workers: usize::from(self.workers),
            patience: Duration::from_secs(self.timeout),
            token: length("--token-for", &self.token_for)?,
        };
        keeper_http::serve(edge, out, &options)
    }
}

impl Invite {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let agent = AgentName::new(&self.agent)?;
        let valid = length("--valid", &self.valid)?;
        if vault::read(edge)?.member(agent.as_str()).is_none() {
            return Err(Fault::usage(format!("{agent} is no member of this vault"))
                .hint(format!("datum vault grant {agent} NAME takes it in")));
        }
        let purpose = Some("invited to enrol over HTTP");
        vault::record(
            edge,
            &Access { what: What::Grant, names: &[], denied: &[], member: Some(&agent), purpose },
        )?;
        let now = edge.now()?;
        let until = now.saturating_add(valid);
        let invitation = Tokens::open(edge.store()?)?.make(Gives::Invitation, &agent, now, until)?;
        if out.is_json() {
            out.json(
                &serde_json::json!({ "version": 1, "agent": agent.as_str(), "invitation": invitation.as_str(),
                "expires": time::iso(until) }),
            );
        } else {
            out.line(&invitation);
            out.say(&format!("good once, for {agent}, until {}", time::show(until)));
        }
        Ok(Exit::Done)
    }
}

impl Enrol {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let mut text = Zeroizing::new(String::with_capacity(1024));
        let read = std::io::stdin().take(1024).read_to_string(&mut text);
        read.map_err(|error| Fault::usage(format!("cannot read the invitation from stdin: {error}")))?;
        let invitation = text.trim();
        if invitation.is_empty() {
            return Err(
                Fault::usage("there is no invitation on stdin").hint("datum keeper invite AGENT makes one")
            );
        }
        let agent = edge.agent()?;
        let keys = edge.keyring().need(&agent)?;
        let vault = vault::read(edge)?.id();
        let proof = Enrolment { vault, agent: &agent, invitation }.prove(&keys.signer());
        out.json(
            &serde_json::json!({ "agent_id": agent.as_str(), "invitation": invitation, "proof": proof }),
        );
        Ok(Exit::Done)
    }
}

impl List {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let mut tokens = Tokens::open(edge.store()?)?;
        let now = edge.now()?;
        if let Some(agent) = &self.revoke {
            let agent = AgentName::new(agent)?;
            let purpose = Some("tokens ended");
            vault::record(
                edge,
                &Access { what: What::Revoke, names: &[], denied: &[], member: Some(&agent), purpose },
            )?;
            let count = tokens.revoke(&agent, now)?;
            if out.is_json() {
                out.json(&serde_json::json!({ "version": 1, "agent": agent.as_str(), "ended": count }));
            } else {
                out.line(&format!("{count} of {agent} ended"));
            }
            return Ok(if count > 0 { Exit::Done } else { Exit::No });
        }
        tokens.read()?;
        let shown: Vec<_> = tokens
            .good(now)
            .map(|line| {
                let gives = if line.gives == Gives::Token { "token" } else { "invitation" };
                (gives, line.agent.as_str(), line.until)
            })
            .collect();
        if out.is_json() {
            let one = |(gives, agent, until): &(&str, &str, u64)| serde_json::json!({ "gives": gives, "agent": agent, "expires": time::iso(*until) });
            out.json_list("tokens", &shown.iter().map(one).collect::<Vec<_>>());
        } else {
            for (gives, agent, until) in shown {
                out.line(&format!("{gives:<10} {agent}  until {}", time::show(until)));
            }
        }
        Ok(Exit::Done)
    }
}
