//! `datum vault`: values that only the granted agents can open.

mod edit;
#[cfg(feature = "legacy-import")]
mod legacy;
mod members;
mod read;
mod token;
mod write;

pub(crate) use token::token;

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::access::{Access, What};
use datum_core::keys::AgentKeys;
use datum_core::vault::{self, Changes, VaultError};
use datum_core::{Applied, Kind, Pins, Store, Word};
use zeroize::Zeroizing;

/// Keeps values that only the granted agents can open, in git, with no server.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum agent keys new --declare && datum vault init
  printf %s \"$VALUE\" | datum vault set db/password --purpose 'first value'
  datum vault grant oracle1 db/password
  datum vault get db/password --purpose deploy | deploy
  datum vault revoke oracle1 db/password && datum vault rotate db/password --generate 24

Names, members and times stand in clear in the log; values never do. What a granted agent has read it may keep:
revoking stops the next value, so change the value too. Whoever holds an agent's keys can open its values without
datum, and no record tells of it.")]
pub(crate) struct Vault {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Found a vault here, and trust it
    #[command(after_help = "Examples:\n  datum vault init")]
    Init,
    /// Trust the vault that an entry founded; compare the id with its owner first
    #[command(after_help = "Examples:\n  datum vault trust 5d1f0c7e3b9a48e2c6d7a1b0f9e8d7c6b5a49382")]
    Trust {
        /// The founding entry's id, in full
        id: String,
    },
    /// Give a name a value, from stdin, a file or a hidden prompt
    Set(write::Set),
    /// Give a name that is in use a new value
    Rotate(write::Rotate),
    /// Change a value in an editor
    Edit(edit::Edit),
    /// Print a value
    Get(read::Get),
    /// List the names
    #[command(after_help = "Examples:\n  datum vault list\n  datum vault list --format json")]
    List,
    /// Let an agent open names, and take it in as a member
    Grant(members::Grant),
    /// Give an agent no further values; without names, put it out
    Revoke(members::Revoke),
    /// Show what happened to a name
    #[command(after_help = "Examples:\n  datum vault history db/password")]
    History {
        /// The name
        name: String,
    },
    /// Take a name out of use; its values stay in git's history, sealed
    Destroy(write::Destroy),
    /// Check every entry, and that every value granted to this agent opens
    Verify(read::Verify),
    #[command(after_help = "Examples:\n  datum vault share origin\n  datum vault share origin --stop")]
    /// Mark a remote: the vault's logs and access records may leave for it
    Share {
        /// The remote's name or address
        remote: String,
        /// Take the mark away; what has left stays there
        #[arg(long)]
        stop: bool,
    },
    /// Say what needs to be done: values to change, entries that do not count
    #[command(after_help = "Examples:\n  datum vault status")]
    Status,
    /// Print all values this agent may open, as dotenv, JSON or an age file
    Export(read::Export),
    /// Set values from a dotenv, JSON or age file, or the original's vault file
    Import(write::Import),
}

impl Vault {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        match &self.command {
            Command::Init => members::init(edge, out),
            Command::Trust { id } => members::trust(edge, out, id),
            Command::Set(set) => set.run(edge, out),
            Command::Rotate(rotate) => rotate.run(edge, out),
            Command::Edit(edit) => edit.run(edge, out),
            Command::Get(get) => get.run(edge, out),
            Command::List => read::list(edge, out),
            Command::Grant(grant) => grant.run(edge, out),
            Command::Revoke(revoke) => revoke.run(edge, out),
            Command::History { name } => read::history(edge, out, name),
            Command::Destroy(destroy) => destroy.run(edge, out),
            Command::Verify(verify) => verify.run(edge, out),
            Command::Share { remote, stop } => members::share(edge, out, remote, *stop),
            Command::Status => read::status(edge, out),
            Command::Export(export) => export.run(edge, out),
            Command::Import(import) => import.run(edge, out),
        }
    }
}

/// Reads the trusted vault, pins what was read, and hands it on.
pub(crate) fn read(edge: &Edge<'_>) -> Result<vault::Vault, Fault> {
    read_by(edge, &edge.store()?.pins()?)
}

/// The same by pins that were just read.
fn read_by(edge: &Edge<'_>, pins: &Pins) -> Result<vault::Vault, Fault> {
    let store = edge.store()?;
    let vault = vault::Vault::read(&store.snapshot()?, pins)?;
    let mut pinned = pins.clone();
    vault.pin(&mut pinned);
    if pinned != *pins {
        store.change_pins(|pins| vault.pin(pins))?;
    }
    Ok(vault)
}

/// The values to look for in a push: those that the acting agent can open. `None` where there are none, or no way to
/// open them; why is said, unless there is no vault at all.
pub(crate) fn sought(edge: &Edge<'_>, out: &Out) -> Option<vault::Sought> {
    let find = || -> Result<Option<vault::Sought>, Fault> {
        let store = edge.hook_store()?;
        if store.pins()?.vault().is_none() {
            return Ok(None);
        }
        Ok(Some(read(edge)?.sought(&*keys(edge)?)))
    };
    match find() {
        Ok(sought) => {
            let sought = sought?;
            for name in sought.too_short() {
                out.say(&format!("{name}: its value is too short to be looked for"));
            }
            Some(sought).filter(|sought| !sought.is_empty())
        }
        Err(fault) => {
            out.warn(&format!("the push is not searched for the vault's values: {}", fault.message));
            None
        }
    }
}

/// Checks names.
pub(super) fn names(texts: &[String]) -> Result<Vec<Word>, Fault> {
    texts.iter().map(|text| Ok(Word::new("name", text)?)).collect()
}

/// Writes an access record; what it is about must not happen without it.
pub(super) fn record(edge: &Edge<'_>, access: &Access<'_>) -> Result<(), Fault> {
    let draft = access.draft()?;
    edge.store()?.note(Kind::Audit, &edge.stamp()?, &[draft]).map_err(|error| {
        let mut fault = Fault::from(error);
        fault.message = format!("no access record can be written, so nothing is done: {}", fault.message);
        fault
    })?;
    Ok(())
}

/// Appends what `change` makes of the vault as it then is, and pins the outcome.
pub(crate) fn change(
    edge: &Edge<'_>,
    change: impl Fn(&mut Changes<'_>) -> Result<(), VaultError>,
) -> Result<Applied, Fault> {
    let store: &Store = edge.store()?;
    let stamp = edge.stamp()?;
    let keys = edge.keyring().need(&stamp.agent)?;
    let writer = store.writer(&stamp.agent)?;
    let pins = store.pins()?;
    let applied = store.apply::<Fault>(Kind::Vault, &stamp, |snapshot| {
        let vault = vault::Vault::read(snapshot, &pins)?;
        let mut changes = vault.change(&writer, &keys)?;
        change(&mut changes)?;
        Ok(changes.drafts())
    })?;
    read(edge)?;
    Ok(applied)
}

/// Founds a vault here and trusts it.
pub(super) fn found(edge: &Edge<'_>) -> Result<datum_core::EntryId, Fault> {
    members::found(edge)
}

/// Gives a name a value, with its access record.
pub(super) fn put(
    edge: &Edge<'_>,
    name: &Word,
    value: &Zeroizing<Vec<u8>>,
    purpose: &str,
) -> Result<Applied, Fault> {
    let names = [name.clone()];
    let purpose = Some(purpose);
    record(edge, &Access { what: What::Set, names: &names, denied: &[], member: None, purpose })?;
    change(edge, |changes| changes.set(name, value, &[]).map(|_| ()))
}

/// The acting agent's keys.
pub(super) fn keys(edge: &Edge<'_>) -> Result<std::rc::Rc<AgentKeys>, Fault> {
    edge.keyring().need(&edge.agent()?)
}
