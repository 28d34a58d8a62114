//! What an entry of the vault does, printed to a draft and parsed from an entry.

use super::seal::{SEALED_MAX, WRAP_MAX, digest};
use super::{Member, Role, VaultError};
use crate::entry::{Draft, Entry};
use crate::id::EntryId;
use crate::name::{AgentName, Word};
use crate::sshsig::PublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;

/// The trailer that names the founding entry.
const VAULT: &str = "Vault";
/// The trailer that says what the entry does.
const DOES: &str = "Does";
/// The trailer that names an entry of another writer that this one has seen.
const AFTER: &str = "After";

/// What an entry of the vault does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// Founds a vault; its id is the vault's.
    Init(Member),
    /// Takes in a member, changes its role or keys, or (role none) puts it out.
    Member(Member),
    /// Gives a name a new value.
    Set {
        name: Word,
        version: u64,
        /// Agents that may open the name from now on.
        granted: Vec<AgentName>,
        sealed: Vec<u8>,
        wraps: BTreeMap<String, Vec<u8>>,
    },
    /// Lets an agent open a name; with the wraps of versions that exist, by their entries.
    Grant { name: Word, agent: AgentName, wraps: BTreeMap<EntryId, Vec<u8>> },
    /// Stops giving new values of a name to an agent.
    Revoke { name: Word, agent: AgentName },
    /// Takes a name out of use.
    Destroy { name: Word },
}

impl Act {
    /// Drafts the entry; `vault` is `None` only for the founding one, `after` what its writer has seen of others.
    pub(super) fn draft(&self, vault: Option<EntryId>, after: &[EntryId]) -> Result<Draft, VaultError> {
        let (subject, body) = (self.subject(), self.body());
        let mut draft = Draft::new(&subject, &body)?;
        if let Some(vault) = vault {
            draft = draft.with(VAULT, &vault.to_string())?;
        }
        draft = draft.with(DOES, self.verb())?;
        for (key, value) in self.trailers() {
            draft = draft.with(key, &value)?;
        }
        if !body.is_empty() {
            draft = draft.with("Digest", &digest(body.as_bytes()))?;
        }
        for id in after {
            draft = draft.with(AFTER, &id.to_string())?;
        }
        Ok(draft)
    }

    fn verb(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::Member(_) => "member",
            Self::Set { .. } => "set",
            Self::Grant { .. } => "grant",
            Self::Revoke { .. } => "revoke",
            Self::Destroy { .. } => "destroy",
        }
    }

    fn subject(&self) -> String {
        match self {
            Self::Init(member) => format!("Vault founded by {}", member.agent),
            Self::Member(member) => format!("Vault: {} is {}", member.agent, member.role),
            Self::Set { name, version, .. } => format!("Vault: {name} version {version}"),
            Self::Grant { name, agent, .. } => format!("Vault: {name} granted to {agent}"),
            Self::Revoke { name, agent } => format!("Vault: {name} revoked from {agent}"),
            Self::Destroy { name } => format!("Vault: {name} destroyed"),
        }
    }

    fn trailers(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Init(member) | Self::Member(member) => vec![
                ("Member", member.agent.to_string()),
                ("Role", member.role.to_string()),
                ("Signer", member.signer.to_string()),
                ("Recipient", member.recipient.clone()),
            ],
            Self::Set { name, version, granted, .. } => {
                let head = [("Name", name.to_string()), ("Version", version.to_string())];
                head.into_iter().chain(granted.iter().map(|agent| ("Member", agent.to_string()))).collect()
            }
            Self::Grant { name, agent, .. } | Self::Revoke { name, agent } => {
                vec![("Name", name.to_string()), ("Member", agent.to_string())]
            }
            Self::Destroy { name } => vec![("Name", name.to_string())],
        }
    }

    fn body(&self) -> String {
        use std::fmt::Write as _;
        let mut out = String::new();
        match self {
            Self::Set { sealed, wraps, .. } => {
                let _ = writeln!(out, "sealed {}", STANDARD.encode(sealed));
                for (agent, wrap) in wraps {
                    let _ = writeln!(out, "wrap {agent} {}", STANDARD.encode(wrap));
                }
            }
            Self::Grant { wraps, .. } => {
                for (version, wrap) in wraps {
                    let _ = writeln!(out, "wrap {version} {}", STANDARD.encode(wrap));
                }
            }
            _ => {}
        }
        out
    }

    /// Parses an entry; answers with the vault it belongs to and what it does, or why it is none.
    pub(super) fn parse(entry: &Entry) -> Result<(EntryId, Self), String> {
        let one = |key: &'static str| {
            let mut values = entry.values(key);
            match (values.next(), values.next()) {
                (Some(value), None) => Ok(value),
                _ => Err(format!("it has not exactly one {key}:")),
            }
        };
        let word = || one("Name").and_then(|name| Word::new("name", name).map_err(|error| error.to_string()));
        let agent = |text: &str| AgentName::new(text).map_err(|error| error.to_string());
        let verb = one(DOES)?;
        if !entry.body.is_empty() && one("Digest")? != digest(entry.body.as_bytes()) {
            return Err("its body is not the one that was signed".to_owned());
        }
        if verb == "init" {
            return Ok((entry.id, Self::Init(member(&one)?)));
        }
        let vault = EntryId::from_hex(one(VAULT)?).ok_or("its Vault: is no id")?;
        let act = match verb {
            "member" => Self::Member(member(&one)?),
            "set" => {
                let version = one("Version")?.parse().map_err(|_| "its Version: is no number")?;
                let granted = entry.values("Member").map(agent).collect::<Result<_, _>>()?;
                let (sealed, wraps) = set_body(&entry.body).ok_or("its body holds no sealed value")?;
                Self::Set { name: word()?, version, granted, sealed, wraps }
            }
            "grant" => {
                let wraps = grant_body(&entry.body).ok_or("its body holds no wraps")?;
                Self::Grant { name: word()?, agent: agent(one("Member")?)?, wraps }
            }
            "revoke" => Self::Revoke { name: word()?, agent: agent(one("Member")?)? },
            "destroy" => Self::Destroy { name: word()? },
            _ => return Err("it does what this version of datum does not know".to_owned()),
        };
        Ok((vault, act))
    }

    /// The entries of other writers that an entry says it has seen.
    pub(super) fn after(entry: &Entry) -> impl Iterator<Item = Option<EntryId>> {
        entry.values(AFTER).map(EntryId::from_hex)
    }
}

fn member<'e>(one: &impl Fn(&'static str) -> Result<&'e str, String>) -> Result<Member, String> {
    let agent = AgentName::new(one("Member")?).map_err(|error| error.to_string())?;
    let role = Role::parse(one("Role")?).ok_or("its Role: is none")?;
    let signer = PublicKey::parse(one("Signer")?).map_err(|error| error.to_string())?;
    let recipient = one("Recipient")?.to_owned();
    recipient.parse::<age::x25519::Recipient>().map_err(|_| "its Recipient: is none")?;
    Ok(Member { agent, role, signer, recipient })
}

fn wrap(text: &str) -> Option<Vec<u8>> {
    (text.len() <= WRAP_MAX * 2).then(|| STANDARD.decode(text).ok()).flatten()
}

type Wraps = BTreeMap<String, Vec<u8>>;

fn set_body(body: &str) -> Option<(Vec<u8>, Wraps)> {
    let mut lines = body.lines();
    let sealed = lines.next()?.strip_prefix("sealed ").filter(|text| text.len() <= SEALED_MAX * 2)?;
    let sealed = STANDARD.decode(sealed).ok()?;
    let one = |line: &str| {
        let (agent, text) = line.strip_prefix("wrap ")?.split_once(' ')?;
        Some((agent.to_owned(), wrap(text)?))
    };
    Some((sealed, lines.map(one).collect::<Option<_>>()?))
}

fn grant_body(body: &str) -> Option<BTreeMap<EntryId, Vec<u8>>> {
    let one = |line: &str| {
        let (version, text) = line.strip_prefix("wrap ")?.split_once(' ')?;
        Some((EntryId::from_hex(version)?, wrap(text)?))
    };
    body.lines().map(one).collect()
}

impl Act {
    /// The name that it is about.
    pub(super) fn name(&self) -> Option<&Word> {
        match self {
            Self::Set { name, .. }
            | Self::Grant { name, .. }
            | Self::Revoke { name, .. }
            | Self::Destroy { name } => Some(name),
            Self::Init(_) | Self::Member(_) => None,
        }
    }

    /// The agent whose membership it is about.
    pub(super) fn member(&self) -> Option<&str> {
        match self {
            Self::Init(member) | Self::Member(member) => Some(member.agent.as_str()),
            _ => None,
        }
    }
}
