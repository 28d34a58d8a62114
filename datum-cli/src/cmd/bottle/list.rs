//! Listing bottles: `check`, `summary`, `thread`.

use super::{Shown, inbox, line, one, seen, state};
use crate::cmd::journal::moment;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::{Out, Paint};
use datum_core::bottle::{Bottle, Inbox, Source};
use std::collections::BTreeMap;

/// Lists the bottles for this agent that are new.
///
/// Those that came from another clone or vessel are noted as seen, once, so that the sender may know.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum bottle check
  datum bottle check --all --from oracle1
  datum bottle check --exit-code --quiet && echo 'something new'")]
pub(crate) struct Check {
    /// List all bottles for this agent, read or not
    #[arg(long)]
    all: bool,
    /// List the bottles of everyone, not only those for this agent
    #[arg(long)]
    everyone: bool,
    /// List only bottles from this sender
    #[arg(long, value_name = "NAME")]
    from: Option<String>,
    /// List only file bottles below this folder of the tree
    #[arg(long, value_name = "FOLDER")]
    inbox: Option<String>,
    /// List only bottles whose deadline passed without acknowledgement
    #[arg(long)]
    overdue: bool,
    /// Do not note that the bottles from elsewhere were seen
    #[arg(long)]
    no_note: bool,
    /// Read the state as it was at TIME
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// Exit with 0 when there is something to list, with 1 when there is nothing
    #[arg(long)]
    exit_code: bool,
}

fn lies_below(bottle: &Bottle, folder: &str) -> bool {
    let folder = format!("{}/", folder.trim_end_matches('/'));
    matches!(&bottle.source, Source::Files(paths) if paths.iter().any(|path| path.starts_with(&folder)))
}

impl Check {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let me = edge.me()?;
        let now = edge.now()?;
        let mut snapshot = edge.store()?.snapshot()?;
        if let Some(time) = moment("--as-of", self.as_of.as_deref(), now)? {
            snapshot = snapshot.as_of(time);
        }
        let Inbox { bottles } = inbox(&snapshot)?;
        let from = |bottle: &Bottle, want: &str| {
            bottle.from_agent.as_ref().is_some_and(|name| name.as_str() == want)
                || bottle.from.as_deref().is_some_and(|from| from.to_lowercase() == want.to_lowercase())
        };
        let listed: Vec<&Bottle> = bottles
            .iter()
            .filter(|bottle| self.everyone || bottle.is_for(&me))
            .filter(|bottle| self.all || self.everyone || self.overdue || bottle.is_new_to(&me.name))
            .filter(|bottle| !self.overdue || bottle.is_overdue(now))
            .filter(|bottle| self.from.as_deref().is_none_or(|want| from(bottle, want)))
            .filter(|bottle| self.inbox.as_deref().is_none_or(|folder| lies_below(bottle, folder)))
            .collect();
        if out.is_json() {
            let shown: Vec<_> = listed.iter().map(|bottle| Shown::of(bottle)).collect();
            out.json_list("bottles", &shown);
        } else {
            for bottle in &listed {
                let text = line(out, bottle, state(bottle, &me));
                let late = if bottle.is_overdue(now) { " (overdue)" } else { "" };
                let text = format!("{text}{}", out.paint(Paint::Bad, late));
                out.line(&text);
            }
            if listed.is_empty() {
                out.say(if self.all || self.everyone || self.overdue {
                    "no bottle found"
                } else {
                    "nothing new"
                });
            }
        }
        out.damage(&snapshot.damage());
        if !self.no_note && self.as_of.is_none() {
            seen::note(edge, out, &me, &listed);
        }
        Ok(if self.exit_code && listed.is_empty() { Exit::No } else { Exit::Done })
    }
}

/// Counts bottles by state, type and sender.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum bottle summary
  datum bottle summary --everyone --format json")]
pub(crate) struct Summary {
    /// Count the bottles of everyone, not only those for this agent
    #[arg(long)]
    everyone: bool,
}

impl Summary {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let me = edge.me()?;
        let now = edge.now()?;
        let snapshot = edge.store()?.snapshot()?;
        let Inbox { bottles } = inbox(&snapshot)?;
        let counted: Vec<&Bottle> =
            bottles.iter().filter(|bottle| self.everyone || bottle.is_for(&me)).collect();
        let count = |key: &dyn Fn(&Bottle) -> String| {
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            for bottle in &counted {
                *counts.entry(key(bottle)).or_default() += 1;
            }
            counts
        };
        let states = count(&|bottle| bottle.stage(&me.name).as_str().to_owned());
        let kinds = count(&|bottle| bottle.kind.clone().unwrap_or_else(|| "none stated".to_owned()));
        let senders = count(&|bottle| bottle.from.clone().unwrap_or_else(|| "none stated".to_owned()));
        let overdue = counted.iter().filter(|bottle| bottle.is_overdue(now)).count();
        if out.is_json() {
            out.json(&serde_json::json!({
                "version": 1, "agent": me.name.as_str(), "bottles": counted.len(), "overdue": overdue,
                "states": states, "types": kinds, "senders": senders,
            }));
        } else {
            out.line(&format!("{} bottles for {}, {overdue} overdue", counted.len(), me.name));
            for (title, counts) in [("state", states), ("type", kinds), ("sender", senders)] {
                for (name, count) in counts {
                    out.line(&format!("{title:<7} {count:>5}  {name}"));
                }
            }
        }
        out.damage(&snapshot.damage());
        Ok(Exit::Done)
    }
}

/// Lists a thread, oldest first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum bottle thread 3f9a2c")]
pub(crate) struct Thread {
    /// The id of any bottle of the thread, or the beginning of it
    id: String,
}

impl Thread {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let me = edge.me()?;
        let snapshot = edge.store()?.snapshot()?;
        let all = inbox(&snapshot)?;
        let thread = all.thread(one(&all, &self.id)?.id);
        if out.is_json() {
            let shown: Vec<_> = thread.iter().map(|bottle| Shown::of(bottle)).collect();
            out.json_list("bottles", &shown);
        } else {
            for bottle in thread {
                let text = line(out, bottle, state(bottle, &me));
                out.line(&text);
            }
        }
        out.damage(&snapshot.damage());
        Ok(Exit::Done)
    }
}
