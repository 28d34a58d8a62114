//! `datum bottle read`: prints a bottle and notes that it was read.

use super::{Shown, inbox, one};
use crate::cmd::history::{millis, person};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::bottle::{self, Bottle, Source};
use datum_core::history::{Commit, LastChange};
use datum_core::{Kind, Snapshot};

/// Commits that are looked at for the one that brought a file.
const LOOK_BACK: usize = 100_000;

/// Prints a bottle and notes that it was read.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum bottle read 3f9a2c
  datum bottle read message-in-a-bottle/for-oracle1/hello.md --peek --text")]
pub(crate) struct Read {
    /// The id of the bottle, the beginning of it, or the path of a file bottle
    id: String,
    /// Do not note that it was read
    #[arg(long)]
    peek: bool,
    /// Print only the text, to the byte
    #[arg(long)]
    text: bool,
}

impl Read {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.store()?;
        let snapshot = store.snapshot()?;
        let all = inbox(&snapshot)?;
        let bottle = one(&all, &self.id)?;
        if self.text {
            out.raw(&bottle.text);
        } else if out.is_json() {
            let mut value = serde_json::json!({ "version": 1, "bottle": Shown::of(bottle) });
            value["bottle"]["text"] = String::from_utf8_lossy(&bottle.text).into();
            if let Some(found) = introduced(&snapshot, bottle)? {
                value["bottle"]["commit"] = serde_json::json!({
                    "id": found.id, "author": person(&found), "time": crate::time::iso(millis(found.time)),
                });
            }
            out.json(&value);
        } else {
            print(&snapshot, out, bottle)?;
        }
        out.damage(&snapshot.damage());
        if !self.peek && bottle.is_new_to(&edge.agent()?) {
            let stamp = edge.stamp()?;
            store.note(Kind::Bottle, &stamp, &[bottle::read_receipt(&[bottle.id])?])?;
        }
        Ok(Exit::Done)
    }
}

/// The commit that brought a file bottle: its author is a fact beside the sender that the bottle states.
fn introduced(snapshot: &Snapshot<'_>, bottle: &Bottle) -> Result<Option<Commit>, Fault> {
    let Source::Files(paths) = &bottle.source else { return Ok(None) };
    Ok(match snapshot.last_change(&paths[0], LOOK_BACK)? {
        LastChange::At(commit, _) => Some(*commit),
        LastChange::BeforeShallow | LastChange::NotWithin(_) | LastChange::Absent => None,
    })
}

fn print(snapshot: &Snapshot<'_>, out: &mut Out, bottle: &Bottle) -> Result<(), Fault> {
    let from = |field: &str| {
        bottle.rungs.get(field).map(|rung| format!("  ({})", rung.as_str())).unwrap_or_default()
    };
    out.line(&format!("bottle {}", out.id(&bottle.id.to_string())));
    let mut field = |name: &str, value: Option<&str>, rung: String| {
        if let Some(value) = value {
            let line = format!("{:<9} {value}{}", format!("{name}:"), out.dim(&rung));
            out.line(&line);
        }
    };
    let to = bottle.to.join(", ");
    let deadline = bottle.deadline.map(crate::time::show);
    let reply = bottle.in_reply_to.map(|id| id.to_string());
    field("From", bottle.from.as_deref(), from("sender"));
    field("To", (!to.is_empty()).then_some(to.as_str()), from("recipient"));
    field("Date", bottle.date.as_deref(), from("date"));
    field("Type", bottle.kind.as_deref(), from("type"));
    field(
        "Priority",
        bottle.priority.map(datum_core::publish::taskboard_file::Priority::as_str),
        from("priority"),
    );
    field("Deadline", deadline.as_deref(), String::new());
    field("Answers", reply.as_deref(), from("in-reply-to"));
    field("Subject", Some(&bottle.subject), from("subject"));
    match &bottle.source {
        Source::Log(writer) => field("Writer", Some(writer), String::new()),
        Source::Files(paths) => paths.iter().for_each(|path| field("File", Some(path), String::new())),
    }
    if let Some(found) = introduced(snapshot, bottle)? {
        let (id, time) = (found.id.short(12), crate::time::show(millis(found.time)));
        let value = format!("{id} by {}, {time}", person(&found));
        field("Commit", Some(&value), String::new());
    }
    for (agent, status) in &bottle.stages {
        let value = format!("{} by {agent}, {}", status.stage.as_str(), crate::time::show(status.at));
        field("State", Some(&value), String::new());
    }
    out.line("");
    let text = String::from_utf8_lossy(&bottle.text);
    out.line(text.strip_suffix('\n').unwrap_or(&text));
    Ok(())
}
