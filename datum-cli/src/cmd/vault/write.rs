//! Setting values; they come from stdin, a file or a hidden prompt, never from an argument.

use super::{change, names, read, record};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::keyring;
use crate::out::Out;
use datum_core::access::{Access, What};
use datum_core::vault::{
    PortableError, VALUE_MAX, Value, Values, generate, open_sealed, open_sealed_by, parse_dotenv, parse_json,
};
use datum_core::{AgentName, Kind, Word};
use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Largest vault file of the original that is read, bytes.
const LEGACY_MAX: usize = 64 * 1024 * 1024;
/// Largest file of identities, bytes.
const IDENTITIES_MAX: usize = 64 * 1024;

/// Gives a name a value.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  printf %s \"$VALUE\" | datum vault set db/password
  datum vault set tls/private --file server.pem --exact
  datum vault set db/password            # asks, without showing")]
pub(super) struct Set {
    /// The name
    name: String,
    /// Not accepted: a value on the command line is seen by everyone
    #[arg(hide = true)]
    value: Option<String>,
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
    /// Not accepted: a value on the command line is seen by everyone
    #[arg(hide = true)]
    value: Option<String>,
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

#[cfg(feature = "legacy-import")]
const FORMS: [&str; 4] = ["dotenv", "json", "age", "legacy"];
#[cfg(not(feature = "legacy-import"))]
const FORMS: [&str; 3] = ["dotenv", "json", "age"];

/// Sets values from a file.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum vault import --as dotenv <.env
  datum vault import --as json --file values.json --dry-run
  datum vault import --as age --identity ~/identity.txt --file values.age
  datum vault import --as legacy --file .datum/vault.enc --dry-run

The age form is what datum vault export --as age wrote for this agent's recipient, or for that of --identity: a file of
age's own identities, and where this program was built with age-ssh or age-plugin, an OpenSSH Ed25519 key without a
passphrase or a plugin's identity.
The legacy form is the vault file of the original runtime; it takes a moment for each value. Its passwords come from
DATUM_PASSPHRASE_FD (a line each), KEEPER_PASSWORD or a prompt; entries may have different ones.")]
pub(super) struct Import {
    /// The form of the file
    #[arg(long = "as", value_parser = FORMS, default_value = "dotenv")]
    form: String,
    /// Read FILE instead of stdin
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Open the age form with the identities in FILE, not with this agent's keys
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Say which names would be set, and set none
    #[arg(long)]
    dry_run: bool,
}

impl Set {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let name = Word::new("name", &self.name)?;
        refuse_argument(self.value.as_deref())?;
        let also: Vec<_> = self.grant.iter().map(|agent| AgentName::new(agent)).collect::<Result<_, _>>()?;
        let value = value(&name, self.file.as_deref(), self.exact)?;
        set(edge, out, &Values::from([(name, value)]), &also, self.purpose.as_deref())
    }
}

impl Rotate {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let name = Word::new("name", &self.name)?;
        refuse_argument(self.value.as_deref())?;
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
        let most = if self.form == "legacy" { LEGACY_MAX } else { VALUE_MAX + 1 };
        if self.identity.is_some() && self.form != "age" {
            return Err(Fault::usage("--identity opens the age form alone").hint("--as age"));
        }
        let text = utf8(input(self.file.as_deref(), most)?)?;
        let values = match self.form.as_str() {
            "json" => parse_json(&text)?,
            "age" => {
                let opened = match &self.identity {
                    Some(path) => open_sealed_by(&text, &utf8(input(Some(path), IDENTITIES_MAX)?)?)?,
                    None => open_sealed(&text, &*super::keys(edge)?)?,
                };
                parse_json(std::str::from_utf8(&opened).map_err(|_| PortableError::Json)?)?
            }
            #[cfg(feature = "legacy-import")]
            "legacy" => super::legacy::values(&text, out)?,
            _ => parse_dotenv(&text)?,
        };
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

pub(super) fn set(
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
    let vault = read(edge)?;
    for name in &names {
        let beside = vault.secret(name)?.beside.len();
        if beside > 0 {
            out.warn(&format!("{name}: another value was set at the same time; both are kept, see datum vault history {name}"));
        }
    }
    crate::record::tell_written(out, &applied, Kind::Vault);
    Ok(Exit::Done)
}

/// A value that stands on the command line is refused, and not repeated.
pub(crate) fn refuse_argument(value: Option<&str>) -> Result<(), Fault> {
    match value {
        None => Ok(()),
        Some(_) => Err(Fault::usage("a value is not taken from the command line")
            .hint("every process can see it there: give it on stdin, and change it, for it was seen")),
    }
}

/// The value: from the file, from stdin where that is no terminal, or asked for.
fn value(name: &Word, file: Option<&Path>, exact: bool) -> Result<Value, Fault> {
    if file.is_none() && io::stdin().is_terminal() {
        let typed = keyring::hidden(&format!("Value of {name}: "))?;
        return Ok(Value::new(typed.as_bytes().to_vec()));
    }
    let mut bytes = input(file, VALUE_MAX + 1)?;
    if !exact && bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    if bytes.is_empty() {
        return Err(Fault::usage("the value is empty").hint("it is read from stdin, or from --file"));
    }
    Ok(bytes.into())
}

fn utf8(mut bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<String>, Fault> {
    String::from_utf8(std::mem::take(&mut *bytes)).map(Zeroizing::new).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        drop(Zeroizing::new(error.into_bytes()));
        Fault::usage(format!("the file is not UTF-8 at byte {at}"))
    })
}

fn input(file: Option<&Path>, max: usize) -> Result<Zeroizing<Vec<u8>>, Fault> {
    // Room for all of it from the start: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(max + 1));
    let most = max as u64 + 1;
    let (what, read) = match file {
        Some(path) => (
            path.display().to_string(),
            File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)),
        ),
        None => ("stdin".to_owned(), io::stdin().lock().take(most).read_to_end(&mut bytes)),
    };
    read.map_err(|error| Fault::broken(format!("cannot read {what}: {error}")))?;
    if bytes.len() > max {
        return Err(Fault::usage(format!("{what} holds more than {} bytes", max - 1)));
    }
    Ok(bytes)
}
