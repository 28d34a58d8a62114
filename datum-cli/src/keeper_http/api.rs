//! What the keeper answers: the original's paths, each for the agent that its token names.

use super::connection::{Reply, Request};
use super::head::Method;
use super::limit::{AGENT, Limits, NOBODY};
use super::tokens::{Gives, Tokens};
use crate::cmd::vault;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::record::Shown;
use crate::time;
use datum_core::access::{self, Access, Query, What};
use datum_core::boundary::{Boundaries, check_boundary, is_reserved};
use datum_core::enrolment::Enrolment;
use datum_core::vault::{Role, Vault, VaultError};
use datum_core::{AgentName, Kind, Millis, Word};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Instant;

/// Longest time a value may be used, seconds.
const TTL_MAX: u64 = 3600;
/// The time where none is asked for, seconds.
const TTL: u64 = 300;

/// Answers requests; lives in the thread that holds the keys.
pub(super) struct Engine {
    tokens: Tokens,
    limits: Limits,
    /// How long a new token is good for, milliseconds.
    lasting: u64,
}

/// An answer that is no.
struct No(u16, String);

impl From<Fault> for No {
    fn from(fault: Fault) -> Self {
        // What is broken here is told here, and is nobody's business over the wire.
        match fault.exit {
            Exit::No => Self(403, "not granted".to_owned()),
            Exit::Usage => Self(400, fault.message),
            Exit::Done | Exit::Broken => Self(503, "the keeper cannot do it now".to_owned()),
        }
    }
}

impl From<VaultError> for No {
    fn from(error: VaultError) -> Self {
        Fault::from(error).into()
    }
}

fn no(status: u16, why: &str) -> No {
    No(status, why.to_owned())
}

/// The one answer for "there is none" and "not for you".
fn denied() -> No {
    no(403, "not granted")
}

#[derive(Deserialize)]
struct Register {
    agent_id: String,
    invitation: String,
    proof: String,
}

#[derive(Deserialize)]
struct Get {
    agent: String,
    key: String,
    purpose: String,
    ttl: Option<u64>,
}

#[derive(Deserialize)]
struct Set {
    agent: String,
    key: String,
    value: String,
    description: Option<String>,
}

#[derive(Deserialize)]
struct Delete {
    agent: String,
    key: String,
    purpose: Option<String>,
}

fn body<T: DeserializeOwned>(request: &Request) -> Result<T, No> {
    // What serde says of a body may quote it.
    serde_json::from_slice(&request.body)
        .map_err(|_| no(400, "the body is not the JSON that this path takes"))
}

impl Engine {
    pub(super) fn new(tokens: Tokens, lasting: u64) -> Self {
        Self { tokens, limits: Limits::default(), lasting }
    }

    pub(super) fn reload(&mut self) -> Result<(), Fault> {
        self.tokens.read()
    }

    pub(super) fn answer(&mut self, edge: &Edge<'_>, request: &Request) -> Reply {
        match self.decide(edge, request) {
            Ok((status, value)) => Reply::json(status, &value),
            Err(No(status, why)) => Reply::error(status, &why),
        }
    }

    fn decide(&mut self, edge: &Edge<'_>, request: &Request) -> Result<(u16, Value), No> {
        let now = edge.now()?;
        let path = request.path.as_str();
        let agent = match &request.token {
            Some(token) => {
                // Read each time: what was ended a moment ago is ended here.
                self.tokens.read()?;
                self.tokens.agent(Gives::Token, token, now)
            }
            None => None,
        };
        let Some(agent) = agent else {
            let open = request.token.is_none();
            if open && (request.method, path) == (Method::Get, "/api/health") {
                return Ok((200, json!({ "status": "ok" })));
            }
            if !self.limits.take("", NOBODY, Instant::now()) {
                return Err(no(429, "too many requests without a good token"));
            }
            if open && (request.method, path) == (Method::Post, "/api/agents/register") {
                return self.register(edge, &body(request)?, now);
            }
            return Err(no(401, "a good token is needed"));
        };
        if !self.limits.take(agent.as_str(), AGENT, Instant::now()) {
            return Err(no(429, "too many requests"));
        }
        let vault = vault::read(edge)?;
        let Some(role) = vault.member(agent.as_str()).map(|member| member.role) else {
            return Err(no(401, "the agent is no member of this vault any more"));
        };
        let answer = match (request.method, path) {
            (Method::Get, "/api/health") => {
                json!({ "status": "ok", "agent": agent.as_str(), "vault": vault.id(), "agents": vault.members().count() })
            }
            (Method::Get, "/api/agents") => agents(&vault),
            (Method::Get, "/api/secrets") => secrets(&vault, &agent),
            (Method::Get, path) if path.starts_with("/api/audit/") => {
                audit(edge, &agent, role, &path["/api/audit/".len()..])?
            }
            (Method::Post, "/api/secrets/get") => get(edge, &vault, &agent, &body(request)?, now)?,
            (Method::Post, "/api/secrets/set") => set(edge, &agent, role, &body(request)?)?,
            (Method::Post, "/api/secrets/delete") => delete(edge, &agent, role, &body(request)?)?,
            (Method::Post, "/api/agents/register") => return Err(no(400, "a token is no invitation")),
            _ => return Err(no(404, "there is no such path")),
        };
        Ok((200, answer))
    }

    fn register(&mut self, edge: &Edge<'_>, asked: &Register, now: Millis) -> Result<(u16, Value), No> {
        let refused = || no(403, "the invitation is not good for this agent and this proof");
        let agent = AgentName::new(&asked.agent_id).map_err(|_| refused())?;
        self.tokens.read()?;
        if self.tokens.agent(Gives::Invitation, &asked.invitation, now).as_ref() != Some(&agent) {
            return Err(refused());
        }
        let vault = vault::read(edge)?;
        let member = vault.member(agent.as_str()).ok_or_else(refused)?;
        let enrolment = Enrolment { vault: vault.id(), agent: &agent, invitation: &asked.invitation };
        if !enrolment.is_proved(&asked.proof, member.signer) {
            return Err(refused());
        }
        record(edge, &agent, What::Grant, &[], &[], "enrolled over HTTP")?;
        if !self.tokens.use_up(&asked.invitation, now)? {
            return Err(refused());
        }
        let until = now.saturating_add(self.lasting);
        let token = self.tokens.make(Gives::Token, &agent, now, until)?;
        Ok((
            201,
            json!({ "status": "registered", "agent_id": agent.as_str(), "role": member.role.as_str(),
            "token": token.as_str(), "expires_at": time::iso(until) }),
        ))
    }
}

/// Writes the access record of what an agent asks for; what it is about must not happen without it.
fn record(
    edge: &Edge<'_>,
    agent: &AgentName,
    what: What,
    names: &[Word],
    refused: &[Word],
    purpose: &str,
) -> Result<(), No> {
    let purpose = Some(purpose).filter(|purpose| !purpose.trim().is_empty());
    let access = Access { what, names, denied: refused, member: Some(agent), purpose };
    let draft = access.draft().map_err(|_| no(400, "the purpose must be one plain line"))?;
    let draft = draft.with("Via", "http").map_err(|_| no(400, "the purpose must be one plain line"))?;
    let stamp = edge.stamp()?;
    let written = edge.store()?.note(Kind::Audit, &stamp, &[draft]);
    written.map(drop).map_err(|_| no(503, "no access record can be written, so nothing is done"))
}

/// The name, for a body whose agent is the token's.
fn named(agent: &AgentName, claimed: &str, key: &str) -> Result<Word, No> {
    if claimed != agent.as_str() {
        return Err(no(403, "the token is another agent's"));
    }
    let name = Word::new("key", key).map_err(|_| no(400, "the key is no name"))?;
    if is_reserved(&name) {
        return Err(no(400, "the key is kept for grants"));
    }
    Ok(name)
}

fn get(edge: &Edge<'_>, vault: &Vault, agent: &AgentName, asked: &Get, now: Millis) -> Result<Value, No> {
    let name = named(agent, &asked.agent, &asked.key)?;
    if asked.purpose.trim().is_empty() {
        return Err(no(400, "a purpose is needed"));
    }
    let ttl = asked.ttl.unwrap_or(TTL);
    if !(1..=TTL_MAX).contains(&ttl) {
        return Err(no(400, "ttl is from 1 to 3600 seconds"));
    }
    let boundaries = Boundaries::of(Some(vault), agent, BTreeSet::new(), Vec::new());
    let allowed = check_boundary(&boundaries, &format!("secret:{name}")).allowed;
    let opened = if allowed {
        let keys = edge.keyring().need(&edge.agent()?)?;
        vault.open(&name, None, &keys).ok()
    } else {
        None
    };
    let names = [name];
    let Some(value) = opened else {
        record(edge, agent, What::Read, &[], &names, &asked.purpose)?;
        return Err(denied());
    };
    record(edge, agent, What::Read, &names, &[], &asked.purpose)?;
    let text = std::str::from_utf8(&value).map_err(|_| no(400, "the value is no text: datum vault get"))?;
    let until = time::iso(now.saturating_add(ttl * 1000));
    Ok(
        json!({ "key": names[0].as_str(), "value": text, "purpose": asked.purpose, "ttl": ttl, "expires_at": until }),
    )
}

/// Refuses an agent that is no keeper of the vault, and records that.
fn keeper_only(
    edge: &Edge<'_>,
    agent: &AgentName,
    role: Role,
    what: What,
    name: &Word,
    purpose: &str,
) -> Result<(), No> {
    if role >= Role::Keeper {
        return record(edge, agent, what, std::slice::from_ref(name), &[], purpose);
    }
    record(edge, agent, what, &[], std::slice::from_ref(name), purpose)?;
    Err(denied())
}

fn set(edge: &Edge<'_>, agent: &AgentName, role: Role, asked: &Set) -> Result<Value, No> {
    let name = named(agent, &asked.agent, &asked.key)?;
    keeper_only(edge, agent, role, What::Set, &name, asked.description.as_deref().unwrap_or_default())?;
    vault::change(edge, |changes| {
        changes.set(&name, asked.value.as_bytes(), std::slice::from_ref(agent)).map(drop)
    })?;
    Ok(json!({ "status": "stored", "key": name.as_str() }))
}

fn delete(edge: &Edge<'_>, agent: &AgentName, role: Role, asked: &Delete) -> Result<Value, No> {
    let name = named(agent, &asked.agent, &asked.key)?;
    keeper_only(edge, agent, role, What::Destroy, &name, asked.purpose.as_deref().unwrap_or_default())?;
    vault::change(edge, |changes| changes.destroy(&name))?;
    Ok(json!({ "status": "deleted", "key": name.as_str() }))
}

fn agents(vault: &Vault) -> Value {
    let one = |member: &datum_core::vault::Member| json!({ "agent_id": member.agent.as_str(), "role": member.role.as_str() });
    json!({ "agents": vault.members().map(one).collect::<Vec<_>>() })
}

/// The names that the agent may open: others' are not told.
fn secrets(vault: &Vault, agent: &AgentName) -> Value {
    let own = vault
        .secrets()
        .filter(|(name, secret)| !is_reserved(name) && secret.granted.contains(agent.as_str()));
    let one = |(name, secret): (&Word, &datum_core::vault::Secret)| {
        let held = secret.versions.last();
        json!({ "key": name.as_str(), "version": held.map(|held| held.number), "created_by": held.map(|held| &held.by),
            "created_at": held.map(|held| time::iso(held.clock)) })
    };
    json!({ "secrets": own.map(one).collect::<Vec<_>>() })
}

/// The newest records: all of them for a keeper of the vault, its own for everyone else.
fn audit(edge: &Edge<'_>, agent: &AgentName, role: Role, count: &str) -> Result<Value, No> {
    let digits = count.len() <= 4 && count.bytes().all(|byte| byte.is_ascii_digit());
    let count: usize = count
        .parse()
        .ok()
        .filter(|count| digits && (1..=1000).contains(count))
        .ok_or_else(|| no(400, "from 1 to 1000 records"))?;
    let snapshot = edge.store()?.snapshot().map_err(Fault::from)?;
    let limit = Some(count).filter(|_| role >= Role::Keeper);
    let found = access::list(&snapshot, &Query { limit, ..Query::default() });
    let own = |entry: &&datum_core::Entry| {
        role >= Role::Keeper
            || entry.agent == agent.as_str()
            || entry.trailer("Member") == Some(agent.as_str())
    };
    let shown: Vec<_> = found.iter().filter(own).take(count).map(|entry| json!(Shown::of(entry))).collect();
    Ok(json!({ "audit": shown }))
}
