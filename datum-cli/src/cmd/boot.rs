//! `datum boot`: makes or adopts a vessel and shows what is there.

use crate::cmd::status::Overview;
use crate::edge::{Edge, in_root};
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::record::short;
use datum_core::bottle::{self, Recipient};
use datum_core::{AgentName, EntryId, Kind, OpenOptions, Stamp, Store, onboarding};
use std::path::{Path, PathBuf};

/// Makes or adopts a vessel: a repository, a CAPABILITY.toml, the boot in the journal. Run twice it changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum boot
  datum boot ../heron-vessel --agent heron
  datum boot /tmp/vessel --demo")]
pub(crate) struct Boot {
    /// The folder of the vessel; made if there is none [default: the current folder]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Show a bottle going round: dropped, read, acknowledged, answered
    #[arg(long)]
    demo: bool,
    /// The address of a keeper to note in CAPABILITY.toml's place of a running one; kept for the original's scripts
    #[arg(long, value_name = "URL", hide = true)]
    keeper: Option<String>,
    /// Ask nothing (it never does; kept for the original's scripts)
    #[arg(long, hide = true)]
    non_interactive: bool,
}

impl Boot {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let folder = self.folder.clone().unwrap_or_else(|| edge.dir());
        let made = open_or_make(&folder, self.folder.is_some())?;
        let store = Store::open_with(
            &folder,
            &OpenOptions { user_configuration: true, git_dir: None, ephemeral: edge.is_ephemeral() },
        )?;
        let agent = edge.named_agent()?.or(edge.declared_agent_in(&store)?).or_else(|| name_of(&folder));
        let agent = agent.ok_or_else(|| {
            Fault::usage(format!("no agent can be named after {}", folder.display()))
                .hint("pass --agent NAME")
        })?;
        let declared = declare(&store, &agent)?;
        let stamp = Stamp { agent: agent.clone(), now: edge.now()?, committer: store.identity() };
        let applied = store
            .apply::<Fault>(Kind::Journal, &stamp, |snapshot| Ok(onboarding::boot(snapshot, &agent)?))?;
        if made {
            out.say(&format!("made a repository in {}", folder.display()));
        }
        if let Some(path) = &declared {
            out.say(&format!("wrote {}; commit it when you like", path.display()));
        }
        if let Some(id) = applied.ids.first() {
            out.say(&format!("recorded the boot of {agent} as {}", short(*id)));
        }
        if self.demo {
            demo(&store, &stamp, out)?;
        }
        let snapshot = store.snapshot()?;
        let me = edge.me_as(&store, agent)?;
        let overview = Overview::of(&store, &snapshot, &me, stamp.now)?;
        if out.is_json() {
            out.json(&overview.json());
        } else {
            overview.print(out);
            overview.advise(out);
        }
        out.damage(&snapshot.damage());
        Ok(Exit::Done)
    }
}

/// Whether `folder` is a repository, or lies in one that is to be adopted: not for a folder that was named.
pub(crate) fn is_vessel(folder: &Path, named: bool) -> bool {
    let is_there = folder.join(".git").exists() || folder.join("HEAD").is_file();
    is_there || (!named && Store::open(folder).is_ok())
}

/// Makes a repository where there is none; one above a folder that was named is not adopted for it.
pub(crate) fn open_or_make(folder: &Path, named: bool) -> Result<bool, Fault> {
    let adopted = is_vessel(folder, named);
    if !adopted {
        if folder.exists() && !folder.is_dir() {
            return Err(Fault::usage(format!("{} is no folder", folder.display()))
                .hint("name a folder, there or to be made"));
        }
        Store::init(folder)?;
    }
    Ok(!adopted)
}

/// A name for the agent of the vessel in `folder`, there or yet to be made.
pub(crate) fn name_of(folder: &Path) -> Option<AgentName> {
    let folder = folder.canonicalize().or_else(|_| std::path::absolute(folder)).ok()?;
    onboarding::name_for(folder.file_name()?.to_str()?)
}

/// Writes CAPABILITY.toml if the vessel has none, never over anything.
fn declare(store: &Store, agent: &AgentName) -> Result<Option<PathBuf>, Fault> {
    use std::io::Write as _;
    let Some(root) = store.work_dir() else { return Ok(None) };
    let path = in_root(root, "CAPABILITY.toml");
    let text = onboarding::capability_file(agent, env!("CARGO_PKG_VERSION"));
    let made = std::fs::OpenOptions::new().write(true).create_new(true).open(&path);
    match made.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Ok(Some(path)),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(Fault::broken(format!("cannot write {}: {error}", path.display()))
            .hint("may this user write there, and is there room?")),
    }
}

/// A bottle goes round: the harbour drops one, the agent reads, acknowledges and answers it.
fn demo(store: &Store, stamp: &Stamp, out: &mut Out) -> Result<(), Fault> {
    let harbour = Stamp { agent: AgentName::new("harbour")?, ..stamp.clone() };
    let write = |stamp: &Stamp, draft: datum_core::Draft| -> Result<EntryId, Fault> {
        let applied = store.note(Kind::Bottle, stamp, &[draft])?;
        applied.ids.first().copied().ok_or_else(|| Fault::broken("nothing was written"))
    };
    let agent = &stamp.agent;
    let id = write(&harbour, onboarding::welcome(agent)?)?;
    out.line(&format!("harbour drops  {}  Welcome aboard", out.id(&short(id))));
    let read = write(stamp, bottle::read_receipt(&[id])?)?;
    out.line(&format!("{agent} reads it  {}", out.id(&short(read))));
    let ack = write(stamp, bottle::acknowledgement(&[id], "")?)?;
    out.line(&format!("{agent} acknowledges it  {}", out.id(&short(ack))));
    let answer = bottle::draft(&bottle::Drop {
        to: &[Recipient::Agent(harbour.agent)],
        subject: "Re: Welcome aboard",
        text: "Glad to be here.\n",
        kind: "message",
        priority: None,
        deadline: None,
        in_reply_to: Some(id),
    })?;
    let answer = write(stamp, answer)?;
    out.line(&format!("{agent} answers  {}  Re: Welcome aboard\n", out.id(&short(answer))));
    Ok(())
}
