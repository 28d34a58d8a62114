//! `datum agent`: agents and their lives; what concerns one agent itself.

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::record::{short, tell_written};
use crate::time;
use datum_core::roster::{self, Liveness, State, Statement, Step};
use datum_core::task::{self, Record, Task, Tasks};
use datum_core::{AgentName, Kind, Millis, Snapshot, nearest};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Starts, retires and lists agents; makes and shows an agent's keys.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum agent start
  datum agent idle --note 'waiting for the tide'
  datum agent list
  datum agent show heron
  datum agent retire heron --note 'its vessel was sold'
  datum agent keys new --declare

States: uninitialized, onboarded, active, idle, retired. The state is what was said; beside it stands what git shows:
live (seen within an hour), quiet (within a week), silent (longer ago), unseen.")]
pub(crate) struct Agent {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Say that an agent begins to work; also introduces one that nobody knows yet
    #[command(after_help = "Examples:\n  datum agent start\n  datum agent start heron --note 'first watch'")]
    Start(Turn),
    /// Say that an agent waits for work
    #[command(after_help = "Examples:\n  datum agent idle --note 'waiting for the tide'")]
    Idle(Turn),
    /// Say that an agent will not come back; nothing is dispatched to it any more
    #[command(after_help = "Examples:\n  datum handover --to tern --release && datum agent retire")]
    Retire(Turn),
    /// Say that an agent begins anew, also one that was retired
    #[command(after_help = "Examples:\n  datum agent restart heron --note 'new crew'")]
    Restart(Turn),
    /// List the agents that are known, with their states and when git last saw them
    #[command(
        after_help = "Examples:\n  datum agent list\n  datum agent list --state active --format ndjson"
    )]
    List(List),
    /// Show an agent: its state, its claims, and what was said of it
    #[command(after_help = "Examples:\n  datum agent show\n  datum agent show heron --format json")]
    Show(Show),
    /// The keys it signs with and opens secrets with
    #[cfg(feature = "vault")]
    Keys(super::agent_keys::Keys),
}

/// A step of an agent's life.
#[derive(Debug, clap::Args)]
struct Turn {
    /// The agent [default: the one that acts]
    #[arg(value_name = "NAME", id = "concerned")]
    name: Option<String>,
    /// Why, or what comes next
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    note: String,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only agents in this state (repeatable)
    #[arg(long, value_name = "STATE")]
    state: Vec<String>,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// The agent [default: the one that acts]
    #[arg(value_name = "NAME", id = "concerned")]
    name: Option<String>,
}

impl Agent {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        match &self.command {
            Command::Start(turn) => turn.run(edge, out, Step::Start),
            Command::Idle(turn) => turn.run(edge, out, Step::Idle),
            Command::Retire(turn) => turn.run(edge, out, Step::Retire),
            Command::Restart(turn) => turn.run(edge, out, Step::Restart),
            Command::List(list) => list.run(edge, out),
            Command::Show(show) => show.run(edge, out),
            #[cfg(feature = "vault")]
            Command::Keys(keys) => keys.run(edge, out),
        }
    }
}

/// The agent that is named, or the one that acts.
fn concerned(edge: &Edge<'_>, name: Option<&str>) -> Result<AgentName, Fault> {
    name.map_or_else(|| edge.agent(), |name| Ok(AgentName::new(name)?))
}

/// Records a step of the life of `name`: the entry, or nothing where it is there already; and whether nobody knew it.
fn turn(
    edge: &Edge<'_>,
    name: &AgentName,
    step: Step,
    note: &str,
) -> Result<(datum_core::Applied, bool), Fault> {
    let mut is_new = false;
    let applied = edge.store()?.apply::<Fault>(Kind::Agent, &edge.stamp()?, |snapshot| {
        let mut agents = roster::read(snapshot)?;
        is_new = !agents.contains_key(name);
        let agent = match agents.remove(name) {
            Some(agent) => agent,
            None if step == Step::Start => roster::Agent::new(name.clone()),
            None => return Err(unknown(name, &agents)),
        };
        Ok(agent.step(step, note)?.into_iter().collect())
    })?;
    Ok((applied, is_new))
}

fn unknown(name: &AgentName, known: &BTreeMap<AgentName, roster::Agent>) -> Fault {
    let near = nearest(name.as_str(), known.keys().map(AgentName::as_str));
    let near = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
    Fault::usage(format!("no agent is called {name}{near}"))
        .hint(format!("datum agent list lists those that are known, datum agent start {name} introduces one"))
}

/// Refuses an agent that is retired, for what only one who works does.
pub(crate) fn refuse_retired(edge: &Edge<'_>, name: &AgentName) -> Result<(), Fault> {
    if roster::state(edge.store()?, name)? == State::Retired {
        return Err(Fault::no(format!("{name} is retired and takes no task"))
            .hint(format!("datum agent restart {name}")));
    }
    Ok(())
}

impl Turn {
    fn run(&self, edge: &Edge<'_>, out: &mut Out, step: Step) -> Result<Exit, Fault> {
        let name = concerned(edge, self.name.as_deref())?;
        let (applied, is_new) = turn(edge, &name, step, &self.note)?;
        if is_new {
            out.say(&format!("{name} is new here"));
        }
        let state = step.state().as_str();
        if applied.ids.is_empty() {
            out.say(&format!("{name} is {state} already"));
        }
        if step == Step::Retire {
            let now = edge.now()?;
            let tasks = task::fold(&edge.store()?.snapshot()?);
            let held: Vec<_> = tasks.held_by(name.as_str(), now).map(Task::alias).collect();
            if !held.is_empty() {
                out.warn(&format!("{name} still has {}", held.join(", ")));
                out.say(&format!("hint: datum handover --release --agent {name} gives them back"));
            }
        }
        tell_written(out, &applied, Kind::Agent);
        Ok(Exit::Done)
    }
}

/// An agent with what it has and has done.
struct Known {
    agent: roster::Agent,
    claims: Vec<String>,
    record: Record,
}

impl Known {
    fn of(agent: roster::Agent, tasks: &Tasks, now: Millis) -> Self {
        let name = agent.name.as_str();
        let claims = tasks.held_by(name, now).map(Task::alias).collect();
        Self { claims, record: tasks.record(name, now), agent }
    }

    fn json(&self, now: Millis) -> Value {
        let Self { agent, claims, record } = self;
        json!({
            "name": agent.name.as_str(), "state": agent.state.as_str(), "since": agent.since.map(time::iso),
            "by": agent.by, "note": agent.note, "starts": agent.starts, "last_seen": agent.seen.map(time::iso),
            "liveness": agent.liveness(now).as_str(), "claims": claims, "finished": record.finished,
            "dropped": record.dropped,
        })
    }
}

fn seen(agent: &roster::Agent, now: Millis) -> String {
    match agent.seen {
        Some(seen) => format!("{}, seen {}", agent.liveness(now).as_str(), time::ago(seen, now)),
        None => Liveness::Unseen.as_str().to_owned(),
    }
}

fn all(snapshot: &Snapshot<'_>, now: Millis) -> Result<Vec<Known>, Fault> {
    let tasks = task::fold(snapshot);
    Ok(roster::read(snapshot)?.into_values().map(|agent| Known::of(agent, &tasks, now)).collect())
}

impl List {
    fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let states: Vec<State> = self.state.iter().map(|text| state(text)).collect::<Result<_, _>>()?;
        let now = edge.now()?;
        let snapshot = edge.store()?.snapshot()?;
        let mut known = all(&snapshot, now)?;
        known.retain(|known| states.is_empty() || states.contains(&known.agent.state));
        if out.is_json() {
            let shown: Vec<_> = known.iter().map(|known| known.json(now)).collect();
            out.json_list("agents", &shown);
        } else {
            for Known { agent, claims, .. } in &known {
                let claims = match claims.len() {
                    0 => String::new(),
                    1 => ", 1 claim".to_owned(),
                    n => format!(", {n} claims"),
                };
                let beside = out.dim(&format!("{}{claims}", seen(agent, now)));
                let line = format!("{:<16} {:<13} {beside}", agent.name.as_str(), agent.state.as_str());
                out.line(&line);
            }
            if known.is_empty() {
                out.say("no agent is known here; datum onboard sets one up");
            }
        }
        out.damage(&snapshot.damage());
        Ok(Exit::Done)
    }
}

fn state(text: &str) -> Result<State, Fault> {
    State::parse(text).ok_or_else(|| {
        Fault::usage(format!("--state: no agent state is called {text:?}"))
            .hint("uninitialized, onboarded, active, idle or retired")
    })
}

impl Show {
    fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let name = concerned(edge, self.name.as_deref())?;
        let now = edge.now()?;
        let snapshot = edge.store()?.snapshot()?;
        let mut agents = roster::read(&snapshot)?;
        let agent = agents.remove(&name).ok_or_else(|| unknown(&name, &agents))?;
        let known = Known::of(agent, &task::fold(&snapshot), now);
        let history = roster::history(&snapshot, &name);
        if out.is_json() {
            let mut value = known.json(now);
            value["version"] = 1.into();
            value["history"] = history.iter().map(statement).collect();
            out.json(&value);
        } else {
            let Known { agent, claims, record } = &known;
            let since = agent.since.map(|since| format!(" since {}", time::show(since))).unwrap_or_default();
            let by = agent.by.as_deref().filter(|by| *by != name.as_str());
            let by = by.map(|by| format!(", said by {by}")).unwrap_or_default();
            out.line(&format!("agent     {name}"));
            out.line(&format!("state     {}{since}{by}", agent.state.as_str()));
            out.line(&format!("liveness  {}", seen(agent, now)));
            let claims = if claims.is_empty() { "none".to_owned() } else { claims.join(" ") };
            out.line(&format!(
                "claims    {claims} (finished {}, dropped {})",
                record.finished, record.dropped
            ));
            for Statement { entry, state, clock, by, note } in &history {
                let note = note.split_whitespace().collect::<Vec<_>>().join(" ");
                let when = out.dim(&time::show(*clock));
                let line = format!("  {} {when} {by} {} {note}", out.id(&short(*entry)), state.as_str());
                out.line(line.trim_end());
            }
        }
        out.damage(&snapshot.damage());
        Ok(Exit::Done)
    }
}

fn statement(said: &Statement) -> Value {
    json!({
        "id": said.entry, "state": said.state.as_str(), "time": time::iso(said.clock), "by": said.by,
        "note": said.note,
    })
}
