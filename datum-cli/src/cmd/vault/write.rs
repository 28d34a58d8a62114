//! Setting values; they come from stdin, a file or a hidden prompt, never from an argument.

use super::{change, names, read, record};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::keyring;
use crate::out::Out;
use datum_core::access::{Access, What};
use datum_core::vault::{VALUE_MAX, Values, generate, parse_dotenv, parse_json};
use datum_core::{AgentName, Kind, Word};
use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Gives a name a value.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  printf %s \"$VALUE\" | datum vault set db/password
  datum vault set tls/private --file server.pem --exact
  datum vault set db/password            # asks, without showing")]
pub(super) struct Set {
    /// The name
    name: String,
    /// Read the value from FILE
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Keep a line break at the end of the value
    #[arg(long)]
    exact: bool,
    /// Let this agent open it too (repeatable; a member)
    #[arg(long, value_name = "AGENT")]
    grant: Vec<String>,
    /// What for
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
}

/// Gives a name that is in use a new value.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum vault rotate db/password --generate 24
  new-value | datum vault rotate db/password")]
pub(super) struct Rotate {
    /// The name
    name: String,
    /// Make a random value of so many bytes, in base64
    #[arg(long, value_name = "BYTES", conflicts_with = "file", value_parser = clap::value_parser!(u16).range(16..=1024))]
    generate: Option<u16>,
    /// Read the value from FILE
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// What for
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
}

/// Takes a name out of use.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  datum vault destroy old/password")]
pub(super) struct Destroy {
    /// The names
    #[arg(required = true)]
    names: Vec<String>,
    /// What for
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
}

/// Sets values from a file.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum vault import --as dotenv <.env
  datum vault import --as json --file values.json --dry-run")]
pub(super) struct Import {
    /// The form of the file
    #[arg(long = "as", value_parser = ["dotenv", "json"], default_value = "dotenv")]
    form: String,
    /// Read FILE instead of stdin
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Say which names would be set, and set none
    #[arg(long)]
    dry_run: bool,
}

impl Set {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let name = Word::new("name", &self.name)?;
        let also: Vec<_> = self.grant.iter().map(|agent| AgentName::new(agent)).collect::<Result<_, _>>()?;
        let value = value(&name, self.file.as_deref(), self.exact)?;
        set(edge, out, &Values::from([(name, value)]), &also, self.purpose.as_deref())
    }
}

impl Rotate {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let name = Word::new("name", &self.name)?;
        read(edge)?.secret(&name)?;
        let value = match self.generate {
            Some(bytes) => generate(usize::from(bytes))?,
            None => value(&name, self.file.as_deref(), false)?,
        };
        set(edge, out, &Values::from([(name, value)]), &[], self.purpose.as_deref())
    }
}

impl Destroy {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let names = names(&self.names)?;
        let purpose = self.purpose.as_deref();
        record(edge, &Access { what: What::Destroy, names: &names, denied: &[], member: None, purpose })?;
        let applied = change(edge, |changes| names.iter().try_for_each(|name| changes.destroy(name)))?;
        crate::record::tell_written(out, &applied, Kind::Vault);
        Ok(Exit::Done)
    }
}

impl Import {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let text = String::from_utf8(input(self.file.as_deref())?.to_vec()).map(Zeroizing::new).map_err(
            |error| {
                Fault::usage(format!("the file is not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
            },
        )?;
        let values = if self.form == "json" { parse_json(&text)? } else { parse_dotenv(&text)? };
        if self.dry_run {
            for name in values.keys() {
                out.line(name.as_str());
            }
            return Ok(Exit::Done);
        }
        if values.is_empty() {
            return Err(Fault::usage("the file holds no values"));
        }
        set(edge, out, &values, &[], Some("import"))
    }
}

fn set(
    edge: &Edge<'_>,
    out: &mut Out,
    values: &Values,
    also: &[AgentName],
    purpose: Option<&str>,
) -> Result<Exit, Fault> {
    let names: Vec<Word> = values.keys().cloned().collect();
    record(edge, &Access { what: What::Set, names: &names, denied: &[], member: None, purpose })?;
    let applied = change(edge, |changes| {
        values.iter().try_for_each(|(name, value)| changes.set(name, value, also).map(|_| ()))
    })?;
    for name in &names {
        let vault = read(edge)?;
        let beside = vault.secret(name)?.beside.len();
        if beside > 0 {
            out.warn(&format!("{name}: another value was set at the same time; both are kept, see datum vault history {name}"));
        }
    }
    crate::record::tell_written(out, &applied, Kind::Vault);
    Ok(Exit::Done)
}

/// The value: from the file, from stdin where that is no terminal, or asked for.
fn value(name: &Word, file: Option<&Path>, exact: bool) -> Result<Zeroizing<Vec<u8>>, Fault> {
    if file.is_none() && io::stdin().is_terminal() {
        let typed = keyring::hidden(&format!("Value of {name}: "))?;
        return Ok(Zeroizing::new(typed.as_bytes().to_vec()));
    }
    let mut bytes = input(file)?;
    if !exact && bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    if bytes.is_empty() {
        return Err(Fault::usage("the value is empty"));
    }
    Ok(bytes)
}

fn input(file: Option<&Path>) -> Result<Zeroizing<Vec<u8>>, Fault> {
    // Room for all of it from the start: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(VALUE_MAX + 2));
    let most = VALUE_MAX as u64 + 2;
    let (what, read) = match file {
        Some(path) => (
            path.display().to_string(),
            File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)),
        ),
        None => ("stdin".to_owned(), io::stdin().lock().take(most).read_to_end(&mut bytes)),
    };
    read.map_err(|error| Fault::broken(format!("cannot read {what}: {error}")))?;
    if bytes.len() > VALUE_MAX + 1 {
        return Err(Fault::usage(format!("{what} holds more than {VALUE_MAX} bytes")));
    }
    Ok(bytes)
}
