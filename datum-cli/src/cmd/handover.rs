//! `datum handover`: what a successor needs to know, as one entry and one text.

use crate::cmd::publish::{Owner, owner, write};
use crate::edge::{Edge, in_root};
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::record::short;
use crate::time;
use datum_core::bottle::{Bottle, Stage};
use datum_core::handover::{self, FILE};
use datum_core::task::{self, Ends, Said, TaskError};
use datum_core::{AgentName, EntryId, Kind, Snapshot, Stamp, Store, roster};
use serde_json::{Value, json};
use std::path::Path;

/// Writes what a successor needs: claims and open tasks, bottles to answer, what was done last, and what is wrong.
///
/// It is one bottle of type handoff, and the same text as HANDOVER.md in the work tree. Without --to it goes to the
/// agent's own name, whose next run finds it first in datum resume.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum handover
  datum handover --to tern --release --note 'The net is half mended.'
  datum handover --problem 'the pump leaks' --problem 'no rod on board'
  datum handover --dry-run")]
pub(crate) struct Handover {
    /// Who takes over [default: the next run of this agent]
    #[arg(long, value_name = "AGENT")]
    to: Option<String>,
    /// What else the successor should know; `-` reads it from stdin
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    note: String,
    /// Something that is wrong (repeatable); those that the logs show stand beside it
    #[arg(long, value_name = "TEXT")]
    problem: Vec<String>,
    /// Give the tasks back that the agent has, so that the successor can claim them
    #[arg(long)]
    release: bool,
    /// Write no HANDOVER.md
    #[arg(long)]
    no_file: bool,
    /// Print the text, and leave everything as it is
    #[arg(long)]
    dry_run: bool,
}

impl Handover {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let to = self.to.as_deref().map(AgentName::new).transpose()?;
        let note = if self.note == "-" { stdin()? } else { self.note.clone() };
        let (store, stamp, me) = (edge.store()?, edge.stamp()?, edge.me()?);
        let gather = |snapshot: &Snapshot<'_>| -> Result<_, Fault> {
            let told = handover::gather(snapshot, &me, stamp.now, &note, &self.problem)?;
            Ok(if self.release { told.giving_back() } else { told })
        };
        if self.dry_run {
            let told = gather(&store.snapshot()?)?;
            out.raw(told.markdown().as_bytes());
            return Ok(Exit::Done);
        }
        // A file of someone else's is in the way before anything is written.
        let root = store.work_dir().filter(|_| !self.no_file);
        if let Some(root) = root
            && matches!(owner(root, FILE)?, Owner::Other)
        {
            return Err(Fault::usage(format!(
                "{} is not datum's and stays as it is",
                in_root(root, FILE).display()
            ))
            .hint("move it away, or pass --no-file"));
        }
        let mut told = None;
        let applied = store.apply::<Fault>(Kind::Bottle, &stamp, |snapshot| {
            let handover = gather(snapshot)?;
            let draft = handover.draft(to.as_ref())?;
            told = Some(handover);
            Ok(vec![draft])
        })?;
        let (Some(handover), Some(id)) = (told, applied.ids.first().copied()) else {
            return Err(Fault::broken("nothing was written"));
        };
        if let Some(root) = root {
            write(root, FILE, &handover.file(id))?;
        }
        let released = if self.release { release(store, &stamp, to.as_ref())? } else { Vec::new() };
        let file = root.map(|root| in_root(root, FILE));
        tell(out, id, to.as_ref(), file.as_deref(), &released);
        if let Some(to) = to.filter(|to| *to != stamp.agent)
            && !roster::read(&store.snapshot()?)?.contains_key(&to)
        {
            out.warn(&format!("nobody called {to} is known here yet"));
        }
        Ok(Exit::Done)
    }
}

fn stdin() -> Result<String, Fault> {
    std::io::read_to_string(std::io::stdin())
        .map_err(|error| Fault::broken(format!("cannot read stdin: {error}")))
}

/// Gives back every task the agent has, with the claims that guard them.
fn release(store: &Store, stamp: &Stamp, to: Option<&AgentName>) -> Result<Vec<String>, Fault> {
    let reason = to.map_or_else(|| "handed over".to_owned(), |to| format!("handed over to {to}"));
    let mut given = Vec::new();
    task::tell::<Fault>(store, stamp, |snapshot| {
        given.clear();
        let tasks = task::fold(snapshot);
        let drafts: Result<Vec<Said>, TaskError> = tasks
            .held_by(stamp.agent.as_str(), stamp.now)
            .map(|task| {
                given.push(task.id);
                let draft = task::release(task, &stamp.agent, &reason, stamp.now, None)?;
                Ok(Said { task: task.id, draft, ends: Ends::Own })
            })
            .collect();
        Ok(drafts?)
    })?;
    Ok(given.into_iter().map(task::alias).collect())
}

fn tell(out: &mut Out, id: EntryId, to: Option<&AgentName>, file: Option<&Path>, released: &[String]) {
    if out.is_json() {
        out.json(&json!({
            "version": 1, "kind": "bottle", "ids": [id], "to": to.map(AgentName::as_str),
            "file": file.map(|file| file.display().to_string()), "released": released,
        }));
        return;
    }
    let shown = out.id(&short(id));
    out.line(&shown);
    if let Some(file) = file {
        out.say(&format!("wrote {}", file.display()));
    }
    if !released.is_empty() {
        out.say(&format!("gave back {}", released.join(", ")));
    }
}

/// The newest handover for an agent, as JSON.
pub(crate) fn shown(bottle: &Bottle, me: &AgentName) -> Value {
    json!({
        "id": bottle.id, "from": bottle.from, "time": time::iso(bottle.time), "subject": bottle.subject,
        "state": bottle.stage(me).as_str(), "text": String::from_utf8_lossy(&bottle.text),
    })
}

/// Prints the newest handover for an agent: whole until it is acknowledged, then one line.
pub(crate) fn print(out: &mut Out, bottle: &Bottle, me: &AgentName) {
    let id = out.id(&short(bottle.id));
    let stage = bottle.stage(me);
    out.line(&format!("handover    {id} {} ({})", bottle.subject, stage.as_str()));
    if stage >= Stage::Acknowledged {
        return;
    }
    for line in String::from_utf8_lossy(&bottle.text).lines() {
        out.line(format!("  {line}").trim_end());
    }
    out.line(&format!("  (datum bottle ack {} once it is taken in)\n", short(bottle.id)));
}
