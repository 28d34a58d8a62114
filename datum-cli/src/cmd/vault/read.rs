//! Reading: values with a record before each release, and everything that stands in clear.

use super::{keys, names, read, read_by, record};
use crate::edge::{Edge, variable};
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::record::short;
use crate::time;
use datum_core::Word;
use datum_core::access::{Access, What};
use datum_core::boundary::is_reserved;
use datum_core::vault::{
    Found, SecretProxy, Source, Values, VaultError, print_dotenv, print_json, seal_to,
    variable as variable_of,
};
use std::io::{IsTerminal as _, stdout};
use zeroize::Zeroizing;

/// Prints a value.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum vault get db/password --purpose deploy | deploy
  datum vault get db/password --show
  datum vault get db/password smtp/password --format json --reveal
  datum vault get db/host --explain

Asked in this order: the variable DATUM_VALUE_<NAME>, the vault, git's setting datum.<name>.value (for what
need not be kept from anyone). The record of the access is written before the value is released: whatever process dies
then, it stands. A power cut can take the last seconds of it; git's setting datum.durability=full flushes it to the disk
first, which takes some milliseconds.")]
pub(super) struct Get {
    /// The names; several only with --format json
    #[arg(required = true)]
    names: Vec<String>,
    /// Print the value although a terminal shows it
    #[arg(long)]
    show: bool,
    /// Put the value into the JSON
    #[arg(long)]
    reveal: bool,
    /// Ask only this source
    #[arg(long, value_parser = ["env", "vault", "config"])]
    source: Option<String>,
    /// Say where the value would come from; release none
    #[arg(long)]
    explain: bool,
    /// What for
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
}

/// Checks the vault.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  datum vault verify\n  datum vault verify --fresh 7d")]
pub(super) struct Verify {
    /// Exit with 1 when nobody has written to it for this long (7d): it may be held back
    #[arg(long, value_name = "LENGTH")]
    fresh: Option<String>,
}

/// Prints all values this agent may open.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum vault export --as dotenv >.env
  datum vault export --as age --to age1… >values.age")]
pub(super) struct Export {
    /// The form
    #[arg(long = "as", value_parser = ["dotenv", "json", "age"], default_value = "dotenv")]
    form: String,
    /// Seal the age file to this recipient
    #[arg(long, value_name = "RECIPIENT", required_if_eq("form", "age"))]
    to: Option<String>,
    /// Print although a terminal shows it
    #[arg(long)]
    show: bool,
    /// What for
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
}

/// A value, or why there is none.
type Answer = Result<Found, VaultError>;

impl Get {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let names = names(&self.names)?;
        if names.len() > 1 && !out.is_json() {
            return Err(Fault::usage("several values need --format json").hint("or datum vault export"));
        }
        let shown = !out.is_json() && !self.explain && stdout().is_terminal() && !self.show;
        if shown {
            return Err(Fault::usage("the terminal would show the value").hint("pipe it, or pass --show"));
        }
        let found = self.resolve(edge, &names)?;
        let (denied, names): (Vec<_>, Vec<_>) = found.iter().partition(|(_, found)| found.is_err());
        let names_of = |list: &[&(Word, Answer)]| list.iter().map(|(name, _)| name.clone()).collect();
        let (denied, names): (Vec<Word>, Vec<Word>) = (names_of(&denied), names_of(&names));
        if !self.explain {
            let purpose = self.purpose.as_deref();
            record(
                edge,
                &Access { what: What::Read, names: &names, denied: &denied, member: None, purpose },
            )?;
        }
        let mut values = Vec::new();
        for (name, found) in found {
            values.push((name.clone(), found.map_err(|error| fault(&name, error))?));
        }
        if self.explain {
            for (name, found) in &values {
                out.line(&format!("{name}  {}  {} bytes", found.source, found.value.len()));
            }
        } else if out.is_json() {
            let one = |(name, found): &(Word, Found)| {
                let text = self.reveal.then(|| String::from_utf8_lossy(&found.value).into_owned());
                serde_json::json!({ "name": name.as_str(), "source": found.source.to_string(),
                    "bytes": found.value.len(), "value": text })
            };
            let shown: Vec<_> = values.iter().map(one).collect();
            out.json_list("values", &shown);
        } else {
            for (_, found) in &values {
                out.raw(&found.value);
            }
            if stdout().is_terminal() {
                out.line("");
            }
        }
        Ok(Exit::Done)
    }

    fn resolve(&self, edge: &Edge<'_>, names: &[Word]) -> Result<Vec<(Word, Answer)>, Fault> {
        let only = self.source.as_deref().map(|source| match source {
            "env" => Source::Environment,
            "vault" => Source::Vault,
            _ => Source::Configuration,
        });
        let store = edge.store()?;
        let environment =
            |name: &Word| variable(&format!("DATUM_VALUE_{}", variable_of(name))).map(Zeroizing::new);
        let configuration = |name: &Word| store.setting(&format!("datum.{name}.value"));
        let asked = only.is_none_or(|only| only == Source::Vault);
        let all_declared = names.iter().all(|name| environment(name).is_some()) && only.is_none();
        let pins = store.pins()?;
        let trusted = asked && !all_declared && pins.vault().is_some();
        let opened = if trusted || only == Some(Source::Vault) {
            Some((read_by(edge, &pins)?, keys(edge)?))
        } else {
            None
        };
        let vault = opened.as_ref().map(|(vault, keys)| (vault, &**keys));
        let proxy = SecretProxy { environment: &environment, vault, configuration: &configuration };
        Ok(names.iter().map(|name| (name.clone(), proxy.resolve(name, only))).collect())
    }
}

fn fault(name: &Word, error: VaultError) -> Fault {
    if let VaultError::Unknown(_) = error {
        return error.into();
    }
    let mut fault = Fault::from(error);
    fault.message = format!("{name}: {}", fault.message);
    fault
}

impl Export {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        if stdout().is_terminal() && !self.show && self.form != "age" {
            return Err(Fault::usage("the terminal would show the values").hint("pipe them, or pass --show"));
        }
        let (vault, keys) = (read(edge)?, keys(edge)?);
        let mut values = Values::new();
        for (name, secret) in vault.secrets() {
            if secret.granted.contains(keys.agent().as_str()) && !is_reserved(name) {
                values
                    .insert(name.clone(), vault.open(name, None, &keys).map_err(|error| fault(name, error))?);
            }
        }
        let text = match self.form.as_str() {
            "json" => print_json(&values)?,
            "age" => Zeroizing::new(seal_to(
                self.to.as_deref().unwrap_or_default(),
                print_json(&values)?.as_bytes(),
            )?),
            _ => print_dotenv(&values)?,
        };
        let names: Vec<Word> = values.keys().cloned().collect();
        let purpose = self.purpose.as_deref();
        record(edge, &Access { what: What::Export, names: &names, denied: &[], member: None, purpose })?;
        out.raw(text.as_bytes());
        Ok(Exit::Done)
    }
}

pub(super) fn list(edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
    let vault = read(edge)?;
    let mut shown = Vec::new();
    for (name, secret) in vault.secrets() {
        let Some(held) = secret.versions.last() else { continue };
        if out.is_json() {
            shown.push(serde_json::json!({ "name": name.as_str(), "number": held.number, "by": held.by,
                "time": time::iso(held.clock), "granted": secret.granted, "exposed_to": secret.exposed_to,
                "beside": secret.beside }));
        } else {
            let granted: Vec<_> = secret.granted.iter().map(String::as_str).collect();
            out.line(&format!(
                "{name}  version {}  {}  {}",
                held.number,
                time::show(held.clock),
                granted.join(" ")
            ));
        }
    }
    if out.is_json() {
        out.json_list("secrets", &shown);
    } else if vault.secrets().next().is_none() {
        out.say("the vault holds no names");
    }
    Ok(Exit::Done)
}

pub(super) fn history(edge: &Edge<'_>, out: &mut Out, name: &str) -> Result<Exit, Fault> {
    let name = Word::new("name", name)?;
    let events = read(edge)?.history(&name);
    if events.is_empty() {
        return Err(VaultError::Unknown(name).into());
    }
    let shown: Vec<_> = events
        .iter()
        .map(|event| {
            serde_json::json!({ "entry": event.entry, "by": event.by, "time": time::iso(event.clock), "what": event.what })
        })
        .collect();
    if out.is_json() {
        out.json_list("events", &shown);
        return Ok(Exit::Done);
    }
    for event in &events {
        out.line(&format!("{} {} {} {}", short(event.entry), time::show(event.clock), event.by, event.what));
    }
    Ok(Exit::Done)
}

pub(super) fn status(edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
    let vault = read(edge)?;
    let mut todo = Vec::new();
    for (name, secret) in vault.secrets() {
        let exposed: Vec<_> = secret.exposed_to.iter().map(String::as_str).collect();
        if !exposed.is_empty() {
            todo.push(format!("change {name}: {} could open the value that holds", exposed.join(", ")));
        }
        if !secret.beside.is_empty() {
            todo.push(format!(
                "set {name} anew: {} values were set at the same time",
                secret.beside.len() + 1
            ));
        }
    }
    for void in vault.void() {
        todo.push(format!("{} by {} does not count: {}", short(void.entry), void.agent, void.why));
    }
    if out.is_json() {
        let members: Vec<_> = vault
            .members()
            .map(|member| serde_json::json!({ "agent": member.agent.as_str(), "role": member.role.as_str() }))
            .collect();
        out.json(&serde_json::json!({ "version": 1, "vault": vault.id(), "members": members,
            "names": vault.secrets().count(), "to_do": todo }));
    } else {
        out.line(&format!("vault {}, {} names", vault.id(), vault.secrets().count()));
        for member in vault.members() {
            out.line(&format!("  {} {}", member.role, member.agent));
        }
        for line in &todo {
            out.line(line);
        }
    }
    Ok(if todo.is_empty() { Exit::Done } else { Exit::No })
}

impl Verify {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let (vault, keys) = (read(edge)?, keys(edge)?);
        let mut wrong: Vec<String> = vault
            .void()
            .iter()
            .map(|void| format!("{} by {} does not count: {}", short(void.entry), void.agent, void.why))
            .collect();
        let mut opened = 0;
        for (name, secret) in vault.secrets() {
            if secret.granted.contains(keys.agent().as_str()) {
                match vault.open(name, None, &keys) {
                    Ok(_) => opened += 1,
                    Err(error) => wrong.push(format!("{name}: {error}")),
                }
            }
        }
        if let Some(length) = &self.fresh {
            let most = time::parse_length(length)
                .ok_or_else(|| Fault::usage(format!("--fresh: {length:?} is no length of time")))?;
            let newest = vault.newest();
            if edge.now()?.saturating_sub(newest) > most {
                wrong
                    .push(format!("nobody has written to it since {}: is it held back?", time::show(newest)));
            }
        }
        if out.is_json() {
            out.json(
                &serde_json::json!({ "version": 1, "vault": vault.id(), "opened": opened, "wrong": wrong }),
            );
        } else {
            out.line(&format!("vault {}, {opened} values open", vault.id()));
            for line in &wrong {
                out.line(line);
            }
        }
        Ok(if wrong.is_empty() { Exit::Done } else { Exit::No })
    }
}
