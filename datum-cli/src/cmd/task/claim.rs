//! `datum task claim|renew|release`: who has a task.

use super::{caps, lease, tell};
use crate::cmd::agent::refuse_retired;
use crate::cmd::sync;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::time;
use datum_core::EntryId;
use datum_core::task::{self, Ends, Hold, Said, Taken};
use serde_json::{Value, json};

/// Takes a task: of any number of processes in this clone that try, one gets it, and with --remote of all clones.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum task claim T-4k9x2ma --lease 2h
  datum task claim T-4k9x2ma --remote origin
  while id=$(datum task claim --next --cap repair); do work-on $id && datum task finish $id; done

Exit: 0 claimed, 1 another has it, none is left, or the agent is retired.")]
pub(crate) struct Claim {
    /// The task
    #[arg(required_unless_present = "next", conflicts_with = "next")]
    id: Option<String>,
    /// Take the most urgent of those that are ready, then the oldest
    #[arg(long)]
    next: bool,
    /// With --next: only tasks that need no other capabilities than these (repeatable)
    #[arg(long, value_name = "CAPABILITY", requires = "next")]
    cap: Vec<String>,
    /// How long to have it before others may take it over
    #[arg(long, value_name = "TIME", default_value = "2h")]
    lease: String,
    /// Claim it at this remote first (a name, an address or a path), where of all clones one wins; syncs the tasks
    #[arg(long, value_name = "REMOTE")]
    remote: Option<String>,
    /// Give the remote this long
    #[arg(long, value_name = "TIME", default_value = "30s", requires = "remote")]
    budget: String,
}

impl Claim {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let lease = lease(&self.lease)?;
        let caps = caps(&self.cap)?;
        let stamp = edge.stamp()?;
        let store = edge.store()?;
        refuse_retired(edge, &stamp.agent)?;
        let caps = (!caps.is_empty()).then(|| caps.iter().map(ToString::to_string).collect());
        let taken = match (&self.remote, &self.id) {
            (None, Some(id)) => Some(task::take(store, &stamp, id, lease)?),
            (None, None) => task::take_next(store, &stamp, caps.as_ref(), lease)?,
            (Some(text), id) => {
                let remote = store.remote(&sync::location(edge, text), sync::budget(&self.budget)?)?;
                let options = sync::options(store, Some("task"))?;
                if let Some(trouble) = store.sync(&stamp, &remote, &options)?.trouble {
                    return Err(trouble.into());
                }
                let taken = match id {
                    Some(id) => Some(task::take_at(store, &remote, &stamp, id, lease)?),
                    None => task::take_next_at(store, &remote, &stamp, caps.as_ref(), lease)?,
                };
                if let Some(trouble) = store.sync(&stamp, &remote, &options)?.trouble {
                    out.warn(&format!(
                        "claimed, but others cannot see by whom yet: {trouble}; run datum sync"
                    ));
                }
                taken
            }
        };
        if let Some(taken) = taken {
            show(out, "claimed", &taken);
            return Ok(Exit::Done);
        }
        if out.is_json() {
            out.json(&answer(None, None, None));
        }
        out.say("no task is ready");
        Ok(Exit::No)
    }
}

/// What claiming, renewing and releasing answer with: the task and who has it, if anybody, and the entry that tells of it.
fn answer(task: Option<(EntryId, &str)>, hold: Option<&Hold>, entry: Option<EntryId>) -> Value {
    let (id, title) = task.unzip();
    json!({
        "version": 1, "kind": "task", "ids": entry.as_slice(), "alias": id.map(task::alias), "task": id, "title": title,
        "agent": hold.map(|hold| &hold.agent), "fence": hold.map(|hold| hold.fence),
        "until": hold.map(|hold| time::iso(hold.until)),
    })
}

fn show(out: &mut Out, verb: &str, taken: &Taken) {
    let Taken { task, hold, entry } = taken;
    if out.is_json() {
        out.json(&answer(Some((task.id, &task.title)), Some(hold), Some(*entry)));
    } else {
        let alias = out.id(&task.alias());
        out.line(&alias);
        let until = time::show(hold.until);
        out.say(&format!("{verb} until {until}, claim {}: {}", hold.fence, task.title));
    }
}

/// Keeps a task for longer; also tells again of a claim whose entry was lost in a power cut.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum task renew T-4k9x2ma --lease 4h")]
pub(crate) struct Renew {
    /// The task
    id: String,
    /// How long from now
    #[arg(long, value_name = "TIME", default_value = "2h")]
    lease: String,
    /// Only under the claim with this number
    #[arg(long, value_name = "N")]
    fence: Option<u64>,
}

impl Renew {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let taken = task::prolong(edge.store()?, &edge.stamp()?, &self.id, lease(&self.lease)?, self.fence)?;
        show(out, "kept", &taken);
        Ok(Exit::Done)
    }
}

/// Gives a task back.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum task release T-4k9x2ma 'I have no welder'")]
pub(crate) struct Release {
    /// The task
    id: String,
    /// Why
    #[arg(default_value = "", hide_default_value = true)]
    reason: String,
    /// Only under the claim with this number
    #[arg(long, value_name = "N")]
    fence: Option<u64>,
}

impl Release {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let stamp = edge.stamp()?;
        let store = edge.store()?;
        let mut found = None;
        let applied = task::tell::<Fault>(store, &stamp, |snapshot| {
            let tasks = task::fold_named(snapshot, &self.id)?;
            let task = tasks.find(&self.id)?;
            found = Some((task.id, task.title.clone()));
            let draft = task::release(task, &stamp.agent, &self.reason, stamp.now, self.fence)?;
            Ok(vec![Said { task: task.id, draft, ends: Ends::Own }])
        })?;
        if let (Some((task, title)), Some(entry)) = (found, applied.ids.first()) {
            if out.is_json() {
                out.json(&answer(Some((task, &title)), None, Some(*entry)));
            } else {
                tell(out, "gave back", task, *entry);
            }
        }
        Ok(Exit::Done)
    }
}
