//! `datum agent keys`: makes, shows, locks and declares an agent's keys.

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::keyring;
use crate::out::Out;
use datum_core::keys::{AgentKeys, KeyFile};
use datum_core::trust::{self, Declared, Trust};
use datum_core::{AgentName, Applied, Kind, PublicKey, StoreError};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The keys an agent signs with and opens secrets with.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum agent keys new --declare
  datum agent keys show --format json
  datum agent keys export-public --signers >allowed && git config gpg.ssh.allowedSignersFile \"$PWD/allowed\"
  datum agent keys passphrase

The file lies in ~/.config/datum/agents, never in a repository; DATUM_IDENTITY_FILE or DATUM_IDENTITY_FD name another.
Whoever holds it can sign as the agent and open what is sealed to it, without datum and without a record.")]
pub(crate) struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make an age identity and a signing key, in one new file
    #[command(
        after_help = "Examples:\n  datum agent keys new --declare\n  datum agent keys new --passphrase --agent heron"
    )]
    New {
        /// Lock the file with a passphrase
        #[arg(long)]
        passphrase: bool,
        /// Declare the public halves in the log at once
        #[arg(long)]
        declare: bool,
    },
    /// Show the public halves, where the file is, and whether they are declared
    #[command(after_help = "Examples:\n  datum agent keys show --format json")]
    Show,
    /// Print the public halves, for others to use
    #[command(
        after_help = "Examples:\n  datum agent keys export-public\n  datum agent keys export-public --signers >allowed"
    )]
    ExportPublic {
        /// Print a line for git's gpg.ssh.allowedSignersFile, for every agent that has declared a key
        #[arg(long)]
        signers: bool,
    },
    /// Set, change or (with --remove) take away the passphrase of the file
    #[command(
        after_help = "Examples:\n  datum agent keys passphrase\n  datum agent keys passphrase --remove"
    )]
    Passphrase {
        /// Keep the file in clear from now on
        #[arg(long)]
        remove: bool,
    },
    /// Record the public halves in the agent's log, so that its entries can be proved
    #[command(after_help = "Examples:\n  datum agent keys declare")]
    Declare,
}

impl Keys {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let agent = edge.agent()?;
        match &self.command {
            Command::New { passphrase, declare } => {
                let keys = AgentKeys::generate(agent)?;
                let text = if *passphrase { Zeroizing::new(locked(&keys)?) } else { keys.print() };
                keep(edge, &keys, &text)?;
                if *declare {
                    declare_keys(edge, out, keys.agent(), keys.signer().public(), &keys.recipient())?;
                }
                show(edge, out, keys.agent())
            }
            Command::Show => show(edge, out, &agent),
            Command::ExportPublic { signers: true } => {
                let store = edge.store()?;
                for (agent, declared) in Trust::read(&store.snapshot()?, &store.pins()?).agents() {
                    for key in &declared.signers {
                        out.line(&format!("{agent} namespaces=\"git\" {key}"));
                    }
                }
                Ok(Exit::Done)
            }
            Command::ExportPublic { signers: false } => {
                let file = need(&agent)?;
                out.line(&file.signer.to_string());
                out.line(&file.recipient);
                Ok(Exit::Done)
            }
            Command::Passphrase { remove } => {
                let keys = edge.keyring().need(&agent)?;
                let text = if *remove { keys.print().to_string() } else { locked(&keys)? };
                keyring::write(&keyring::path(&agent)?, &Zeroizing::new(text), true)?;
                out.say(if *remove { "the file is in clear now" } else { "the file is locked" });
                Ok(Exit::Done)
            }
            Command::Declare => {
                let file = need(&agent)?;
                declare_keys(edge, out, &agent, file.signer, &file.recipient)
            }
        }
    }
}

/// Keeps new keys in the agent's file, which must not be there.
pub(super) fn keep(edge: &Edge<'_>, keys: &AgentKeys, text: &Zeroizing<String>) -> Result<(), Fault> {
    let path = keyring::path(keys.agent())?;
    refuse_inside(edge, &path)?;
    keyring::write(&path, text, false)
}

fn need(agent: &AgentName) -> Result<KeyFile, Fault> {
    keyring::read(agent)?.ok_or_else(|| {
        Fault::usage(format!("there are no keys of {agent} here")).hint("datum agent keys new makes some")
    })
}

/// Keys in a work tree would be committed one day.
fn refuse_inside(edge: &Edge<'_>, path: &std::path::Path) -> Result<(), Fault> {
    let Ok(store) = edge.store() else { return Ok(()) };
    // The file is not there yet: the nearest folder above it that is, decides.
    let real: Option<PathBuf> = path.ancestors().find_map(|above| above.canonicalize().ok());
    let roots = [store.work_dir(), Some(store.common_dir())];
    let inside = |root: &std::path::Path| {
        real.as_ref().is_some_and(|real| root.canonicalize().is_ok_and(|root| real.starts_with(root)))
    };
    match roots.into_iter().flatten().find(|root| inside(root)) {
        Some(root) => {
            Err(Fault::usage(format!("{} lies in the repository {}", path.display(), root.display()))
                .hint("set XDG_CONFIG_HOME to a folder outside"))
        }
        None => Ok(()),
    }
}

/// The keys as a file that is locked with a passphrase, which is asked for.
pub(super) fn locked(keys: &AgentKeys) -> Result<String, Fault> {
    let first = keyring::passphrase("New passphrase: ")?;
    if first.len() < 8 {
        return Err(Fault::usage("the passphrase has fewer than 8 characters")
            .hint("a sentence is easy to keep in mind"));
    }
    if crate::edge::variable("DATUM_PASSPHRASE_FD").is_none() && keyring::hidden("Once more: ")? != first {
        return Err(Fault::usage("the two passphrases differ").hint("nothing was changed; run it again"));
    }
    Ok(keys.print_locked(&first)?)
}

fn declare_keys(
    edge: &Edge<'_>,
    out: &mut Out,
    agent: &AgentName,
    signer: PublicKey,
    recipient: &str,
) -> Result<Exit, Fault> {
    let applied = declare(edge, agent, signer, recipient)?;
    if applied.ids.is_empty() {
        out.say("they are declared already");
    } else {
        out.say(&format!("declared as entry {}", crate::record::short(applied.ids[0])));
    }
    Ok(Exit::Done)
}

/// Records the public halves in the agent's log; nothing where they stand there.
pub(super) fn declare(
    edge: &Edge<'_>,
    agent: &AgentName,
    signer: PublicKey,
    recipient: &str,
) -> Result<Applied, Fault> {
    let store = edge.store()?;
    let pins = store.pins()?;
    let draft = trust::declaration(agent, &signer, Some(recipient))?;
    let mut stamp = edge.stamp()?;
    stamp.agent = agent.clone();
    Ok(store.apply::<StoreError>(Kind::Agent, &stamp, |snapshot| {
        let trust = Trust::read(snapshot, &pins);
        let known = trust.declared(agent.as_str()).is_some_and(|declared| {
            declared.signers.contains(&signer) && declared.recipient.as_deref() == Some(recipient)
        });
        Ok(if known { Vec::new() } else { vec![draft.clone()] })
    })?)
}

fn show(edge: &Edge<'_>, out: &mut Out, agent: &AgentName) -> Result<Exit, Fault> {
    let file = need(agent)?;
    let declared = match edge.store() {
        Ok(store) => Trust::read(&store.snapshot()?, &store.pins()?).declared(agent.as_str()).cloned(),
        Err(_) => None,
    };
    let state = state(declared.as_ref(), &file);
    let path = keyring::path(agent)?;
    if out.is_json() {
        out.json(&serde_json::json!({
            "version": 1, "agent": agent.as_str(), "signer": file.signer.to_string(), "recipient": file.recipient,
            "locked": file.is_locked(), "declared": state, "path": path.to_string_lossy(),
        }));
        return Ok(Exit::Done);
    }
    out.line(&format!("agent      {agent}"));
    out.line(&format!("signer     {}", file.signer));
    out.line(&format!("recipient  {}", file.recipient));
    out.line(&format!(
        "file       {} ({})",
        path.display(),
        if file.is_locked() { "locked" } else { "in clear" }
    ));
    out.line(&format!("declared   {state}"));
    Ok(Exit::Done)
}

fn state(declared: Option<&Declared>, file: &KeyFile) -> &'static str {
    match declared {
        Some(declared) if declared.signers.contains(&file.signer) => "yes",
        Some(declared) if declared.contested.contains(&file.signer) => "contested",
        Some(_) => "another",
        None => "no",
    }
}
