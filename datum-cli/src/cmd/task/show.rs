//! `datum task show`: a task, its history, and the values that lost.

use super::{lease_end, shown};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::record::{Shown, short};
use crate::time;
use datum_core::task;
use serde_json::json;

/// Shows a task, all that happened to it, and which values lost where two changed the same field.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum task show T-4k9x2ma
  datum task show 3f9a2c --format json")]
pub(crate) struct Show {
    /// The task: its alias, or the beginning of its id
    id: String,
}

impl Show {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let now = edge.now()?;
        let snapshot = edge.store()?.snapshot()?;
        let (tasks, story) = task::told(&snapshot, &self.id)?;
        let task = &story.task;
        let id = task.id;
        let cycle: Vec<String> = tasks.cycle(task).unwrap_or_default().into_iter().map(task::alias).collect();
        if out.is_json() {
            let lost: Vec<_> = story
                .lost
                .iter()
                .map(|lost| {
                    json!({ "field": lost.field, "value": lost.value, "agent": lost.agent, "entry": lost.entry, "lost_to": lost.to })
                })
                .collect();
            let history: Vec<_> = story.entries.iter().map(Shown::of).collect();
            let task = shown(&tasks, task, now);
            out.json(
                &json!({ "version": 1, "task": task, "lost": lost, "void": story.void, "cycle": cycle, "history": history }),
            );
            out.damage(&snapshot.damage());
            return Ok(Exit::Done);
        }
        out.line(&format!("{} {}", out.id(&task.alias()), task.title));
        out.line(&format!("Id:        {}", task.id));
        out.line(&format!("State:     {}", task.status(now).as_str()));
        out.line(&format!("Priority:  {}", task.priority.as_str()));
        if let Some(hold) = &task.hold {
            let word = lease_end(hold, now);
            out.line(&format!(
                "Claim:     {} {word} {}, number {}",
                hold.agent,
                time::show(hold.until),
                hold.fence
            ));
        }
        let list = |words: &mut dyn Iterator<Item = String>| words.collect::<Vec<_>>().join(" ");
        let fields = [
            ("Needs", list(&mut task.needs.iter().map(|id| task::alias(*id)))),
            ("Waits for", list(&mut tasks.waits_for(task).map(task::alias))),
            ("Cycle", cycle.join(" needs ")),
            ("Can", list(&mut task.caps.iter().cloned())),
            ("Tags", list(&mut task.tags.iter().cloned())),
            ("Part of", list(&mut task.parent.into_iter().map(task::alias))),
            (
                "Parts",
                list(&mut tasks.all().iter().filter(|part| part.parent == Some(id)).map(task::Task::alias)),
            ),
            ("For", task.requester.clone().unwrap_or_default()),
            ("From", task.source.clone().unwrap_or_default()),
        ];
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
            out.line(&format!("{:<10} {value}", format!("{name}:")));
        }
        if !task.text.is_empty() {
            out.line("");
            task.text.lines().for_each(|line| out.line(&format!("    {line}")));
        }
        out.line("");
        for entry in &story.entries {
            let time = out.dim(&time::show(entry.clock));
            let void = if story.void.contains(&entry.id) { " (void)" } else { "" };
            let name = out.id(&short(entry.id));
            out.line(&format!("{name} {time} {} {}{void}", entry.agent, entry.subject));
            if entry.id != id {
                entry.body.lines().for_each(|line| out.line(&format!("    {line}")));
            }
        }
        for lost in &story.lost {
            out.line(&format!(
                "lost: {} {:?} by {} in {}, to {}",
                lost.field,
                lost.value,
                lost.agent,
                short(lost.entry),
                short(lost.to)
            ));
        }
        if task.fenced_off > 0 {
            out.line(&format!(
                "fenced off: {} written under a claim that no longer counted",
                task.fenced_off
            ));
        }
        out.damage(&snapshot.damage());
        Ok(Exit::Done)
    }
}
