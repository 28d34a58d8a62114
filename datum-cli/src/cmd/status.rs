//! `datum status` and `datum resume`: what there is, and what to go on with.

mod rows;
mod standing;
mod view;

use crate::cmd::{self, sync::Travel};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::record::short;
use crate::time;
use datum_core::bottle::{self, Me, Waiting};
use datum_core::onboarding::{self, Known};
use datum_core::{Entry, EntryId, Kind, Millis, Snapshot, Store, handover, journal};
use standing::{Bottles, Shown, Standing};
use std::thread;
use std::time::Duration;

/// Shows on one screen what waits, who does what, and whether the repository is sound.
///
/// What the remote holds is as of the last sync; only --remote asks it. Works without an agent, the inbox aside.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum status
  datum status --watch
  datum status --watch --every 1m --format json
  datum status --remote
  datum status --verbose --format json")]
pub(crate) struct Status {
    /// List every log
    #[arg(short, long)]
    verbose: bool,
    /// Ask the remote what it holds that is not here
    #[arg(long)]
    remote: bool,
    /// Stay, and show it again whenever something changed, until Ctrl-C
    #[arg(short, long)]
    watch: bool,
    /// How often to look for changes with --watch
    #[arg(long, value_name = "TIME", default_value = "2s", requires = "watch")]
    every: String,
}

impl Status {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        if self.watch {
            return self.stay(edge, out);
        }
        let store = edge.store()?;
        let snapshot = store.snapshot()?;
        self.show(edge, out, store, &snapshot)?;
        Ok(Exit::Done)
    }

    fn show(
        &self,
        edge: &Edge<'_>,
        out: &mut Out,
        store: &Store,
        snapshot: &Snapshot<'_>,
    ) -> Result<(), Fault> {
        let standing = Standing::of(edge, store, snapshot)?;
        let travel = Travel::of(store, snapshot.tips().next().is_none(), self.remote)?;
        let logs: Vec<_> = snapshot
            .tips()
            .filter(|_| self.verbose)
            .map(|(kind, writer, tip)| (kind, writer.to_string(), tip, snapshot.length(kind, writer)))
            .collect();
        if out.is_json() {
            let mut value = standing.json();
            value["travel"] = travel.json();
            if self.verbose {
                let log = |(kind, writer, tip, length): &(Kind, String, EntryId, u64)| serde_json::json!({ "kind": kind.as_str(), "writer": writer, "tip": tip, "entries": length });
                value["logs"] = logs.iter().map(log).collect();
            }
            let shown = Shown { value: &value, inbox: standing.inbox.as_ref() };
            out.json_by(|out| shown.write(out));
        } else {
            let (width, height) = out.size();
            // Below it the prompt comes back.
            for line in view::lines(out, &standing, &travel.lines(), (width, height.saturating_sub(1))) {
                out.line(&line);
            }
            let width = logs.iter().map(|(_, writer, ..)| writer.len()).max().unwrap_or_default();
            for (kind, writer, tip, length) in logs {
                let tip = out.id(&short(tip));
                let line = format!("  {:<8} {writer:<width$} {tip} {length:>8}", kind.as_str());
                out.line(&line);
            }
        }
        out.damage(&standing.damage);
        out.damage(&snapshot.damage());
        Ok(())
    }

    /// Shows the state whenever it has changed, and on a terminal also once a minute, since ages grow.
    fn stay(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let every = time::parse_length(&self.every).filter(|millis| *millis >= 100).ok_or_else(|| {
            Fault::usage(format!("--every: {:?} is no length of time from 100ms on", self.every))
                .hint("write 2s, 1m or 1h")
        })?;
        let mut shown = None;
        loop {
            let store = edge.store()?;
            let snapshot = store.snapshot()?;
            let minute = out.is_terminal().then(|| time::now() / 60_000);
            let state = (snapshot.id(), snapshot.head(), out.size(), minute);
            if shown.as_ref() != Some(&state) {
                if !out.is_json() {
                    out.between_screens(shown.is_some());
                }
                self.show(edge, out, store, &snapshot)?;
                out.flush();
                shown = Some(state);
            }
            if out.is_lost() {
                return Ok(Exit::Done);
            }
            thread::sleep(Duration::from_millis(every));
        }
    }
}

/// Shows the newest handover first, then what was done last and what waits.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum resume
  datum resume --format json")]
pub(crate) struct Resume {}

impl Resume {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.store()?;
        let snapshot = store.snapshot()?;
        let me = edge.me()?;
        let overview = Overview::of(store, &snapshot, &me, edge.now()?)?;
        let left = handover::newest(&snapshot, &me)?;
        if out.is_json() {
            let mut value = overview.json();
            value["handover"] = left.as_ref().map(|bottle| cmd::handover::shown(bottle, &me.name)).into();
            out.json(&value);
        } else {
            if let Some(bottle) = &left {
                cmd::handover::print(out, bottle, &me.name);
            }
            overview.print(out);
            overview.advise(out);
        }
        out.damage(&snapshot.damage());
        Ok(Exit::Done)
    }
}

/// What an agent finds when it comes back.
pub(crate) struct Overview {
    agent: String,
    repository: String,
    snapshot: Option<EntryId>,
    head: Option<EntryId>,
    known: Known,
    recent: Vec<Entry>,
    waiting: Waiting,
}

impl Overview {
    pub(crate) fn of(store: &Store, snapshot: &Snapshot<'_>, me: &Me, now: Millis) -> Result<Self, Fault> {
        let query = journal::Query { limit: Some(5), ..journal::Query::default() };
        let root = store.work_dir().unwrap_or_else(|| store.common_dir());
        Ok(Self {
            agent: me.name.to_string(),
            repository: root.canonicalize().unwrap_or_else(|_| root.to_owned()).display().to_string(),
            snapshot: snapshot.id(),
            head: snapshot.head(),
            known: onboarding::known(snapshot),
            recent: journal::list(snapshot, &query, |_| true),
            waiting: bottle::waiting(snapshot, me, now)?,
        })
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        let entries: serde_json::Map<_, _> =
            self.known.entries.iter().map(|(kind, count)| (kind.to_string(), (*count).into())).collect();
        let recent = |e: &Entry| {
            serde_json::json!({
                "id": e.id, "time": time::iso(e.clock), "agent": e.agent,
                "category": e.trailer(journal::CATEGORY), "text": e.text(),
            })
        };
        serde_json::json!({
            "version": 1,
            "agent": self.agent,
            "repository": self.repository,
            "snapshot": self.snapshot,
            "head": self.head,
            "agents": self.known.agents,
            "log_count": self.known.logs,
            "entries": entries,
            "unread": Bottles(self.waiting.unread()),
            "overdue": Bottles(self.waiting.overdue()),
            "journal": self.recent.iter().map(recent).collect::<Vec<_>>(),
        })
    }

    pub(crate) fn print(&self, out: &mut Out) {
        let count = |(kind, count): &(Kind, u64)| format!("{count} {kind}");
        let counts: Vec<_> = self.known.entries.iter().map(count).collect();
        let entries = if counts.is_empty() { "none yet".to_owned() } else { counts.join(", ") };
        out.line(&format!("agent       {}", self.agent));
        out.line(&format!("repository  {}", self.repository));
        let (logs, agents) = (self.known.logs, self.known.agents.len());
        out.line(&format!("entries     {entries} (logs: {logs}, agents: {agents})"));
        out.line(&format!(
            "inbox       {} unread, {} overdue",
            self.waiting.unread().len(),
            self.waiting.overdue().len()
        ));
        for bottle in self.waiting.unread().take(5) {
            let from = bottle.from.unwrap_or("?");
            let line = format!("  {} {from}: {}", out.id(&short(bottle.id)), bottle.subject);
            out.line(&line);
        }
        for entry in &self.recent {
            let category = entry.trailer(journal::CATEGORY).unwrap_or("-");
            let when = out.dim(&time::show(entry.clock));
            let line =
                format!("  {} {when} {} {category} {}", out.id(&short(entry.id)), entry.agent, entry.subject);
            out.line(&line);
        }
    }

    /// Says what to do next.
    pub(crate) fn advise(&self, out: &mut Out) {
        let next = match (self.waiting.unread().next(), self.waiting.overdue().next()) {
            (Some(bottle), _) => format!("datum bottle read {}", short(bottle.id)),
            (None, Some(bottle)) => format!("datum bottle ack {}", short(bottle.id)),
            (None, None) => {
                "datum journal CATEGORY 'what you did', datum bottle drop AGENT SUBJECT".to_owned()
            }
        };
        out.line(&format!("next        {next}"));
    }
}
