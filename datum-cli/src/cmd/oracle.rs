//! `datum oracle`: the board, and who gets what.

use super::task::{self as tasks_cmd, lease};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::record::{short, tell_written};
use crate::time;
use clap::Subcommand;
use datum_core::capability::Capability;
use datum_core::oracle::{self, Candidate, Dispatched, Score};
use datum_core::task::{self, Priority, State, Task, Tasks};
use datum_core::{AgentName, Kind, Millis, Snapshot};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Shows the board, finds agents, and gives them tasks.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum oracle board
  datum oracle dispatch T-4k9x2ma --explain
  datum oracle auto-dispatch --dry-run")]
pub(crate) struct Oracle {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the tasks that are not closed, by priority
    #[command(after_help = "Examples:\n  datum oracle board\n  datum oracle board --format json")]
    Board,
    /// Make a task
    Add(Add),
    /// Give a task to the agent that fits it best, or to one that is named
    ///
    /// It is claimed for that agent, and a bottle tells it, both in one entry. --to names who gets the task, --agent who
    /// gives it. Without --to, --agent names who gets it, as in the original, and who gives it is $DATUM_AGENT or the
    /// name in CAPABILITY.toml.
    Dispatch(Dispatch),
    /// Give every task that is ready to the agent that fits it best
    AutoDispatch(AutoDispatch),
    /// List the agents that are known, and from where
    #[command(after_help = "Examples:
  datum oracle discover
  datum fleet add heron https://example.org/heron.git && datum fleet discover && datum oracle discover")]
    Discover,
    /// Count tasks, agents and claims
    #[command(after_help = "Examples:\n  datum oracle status --format json")]
    Status,
    /// Introduce this agent to the oracle with a bottle, once
    FirstContact(FirstContact),
}

impl Oracle {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        match &self.command {
            Command::Board => board(edge, out),
            Command::Add(command) => command.run(edge, out),
            Command::Dispatch(command) => command.run(edge, out),
            Command::AutoDispatch(command) => command.run(edge, out),
            Command::Discover => discover(edge, out),
            Command::Status => status(edge, out),
            Command::FirstContact(command) => command.run(edge, out),
        }
    }
}

fn counts(tasks: &Tasks, now: Millis) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for task in tasks.all() {
        *counts.entry(task.status(now).as_str()).or_insert(0) += 1;
    }
    counts
}

fn board(edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
    let now = edge.now()?;
    let snapshot = edge.store()?.snapshot()?;
    let tasks = task::fold(&snapshot);
    let open: Vec<&Task> = tasks.all().iter().filter(|task| !task.is_closed()).collect();
    if out.is_json() {
        let shown: Vec<_> = open.iter().map(|task| tasks_cmd::shown(&tasks, task, now)).collect();
        let counts = counts(&tasks, now);
        let count = |state: State| counts.get(state.as_str()).copied().unwrap_or(0);
        let whole = json!({
            "version": 1, "total": tasks.len(), "open": count(State::Open), "in_progress": count(State::InProgress),
            "done": count(State::Done), "states": counts, "tasks": shown,
        });
        out.json_around("tasks", &whole);
    } else {
        for priority in Priority::ALL {
            let of: Vec<&&Task> = open.iter().filter(|task| task.priority == priority).collect();
            if !of.is_empty() {
                out.line(&format!("{} ({})", priority.title(), of.len()));
            }
            for task in of {
                let line = tasks_cmd::line(out, &tasks, task, now);
                out.line(&format!("  {line}"));
            }
        }
        if open.is_empty() {
            out.say("the board is empty");
        }
    }
    out.damage(&snapshot.damage());
    Ok(Exit::Done)
}

/// Makes a task.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum oracle add 'Audit the fleet' --desc 'All of it.' --priority high --requested-by casey --cap audit")]
struct Add {
    /// What to do, on one line
    title: String,
    /// What to do, at length; `-` reads it from stdin
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    desc: String,
    /// critical, high, medium, low or backlog
    #[arg(long, value_name = "PRIORITY", default_value = "medium")]
    priority: String,
    /// Who asked for it
    #[arg(long, value_name = "NAME")]
    requested_by: Option<String>,
    /// What an agent must be able to do for it (repeatable)
    #[arg(long, value_name = "CAPABILITY")]
    cap: Vec<String>,
}

impl Add {
    fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let requester = self.requested_by.as_deref();
        tasks_cmd::Create::of(&self.title, &self.desc, &self.priority, &self.cap, requester).run(edge, out)
    }
}

/// Gives a task to an agent.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum oracle dispatch T-4k9x2ma
  datum oracle dispatch T-4k9x2ma --to heron --lease 1d
  datum oracle dispatch T-4k9x2ma --to heron --agent lead        # lead gives it to heron
  datum oracle dispatch T-4k9x2ma --dry-run --explain

Exit: 0 dispatched, 1 another has it or nobody can do it.")]
struct Dispatch {
    /// The task
    id: String,
    /// Give it to this agent [default: the one that fits it best]
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
    #[command(flatten)]
    how: How,
}

/// How to dispatch.
#[derive(Debug, clap::Args)]
struct How {
    /// How long the agent has it before others may take it over
    #[arg(long, value_name = "TIME", default_value = "1 day")]
    lease: String,
    /// Say how every agent was weighed
    #[arg(long)]
    explain: bool,
    /// Say what would be done, and leave everything as it is
    #[arg(long)]
    dry_run: bool,
}

fn score(score: &Score) -> Value {
    let parts: Vec<_> = score
        .parts
        .iter()
        .map(|part| json!({ "name": part.name, "value": part.value, "why": part.why }))
        .collect();
    json!({ "agent": score.agent, "score": score.total, "parts": parts })
}

fn given(dispatched: &Dispatched, how: &How) -> Value {
    let mut value = json!({
        "task": dispatched.task.id, "alias": dispatched.task.alias(), "title": dispatched.task.title,
        "assignee": dispatched.hold.agent, "fence": dispatched.hold.fence, "until": time::iso(dispatched.hold.until),
        "entry": dispatched.entry,
    });
    if how.explain {
        value["scores"] = dispatched.scores.iter().map(score).collect();
    }
    value
}

fn print_given(out: &mut Out, dispatched: &Dispatched, how: &How) {
    let Dispatched { task, hold, scores, entry } = dispatched;
    let verb = if how.dry_run { "would go to" } else { "goes to" };
    let id = entry.map(|entry| format!(" {}", out.id(&short(entry)))).unwrap_or_default();
    let line = format!("{} {verb} {}{id} {}", out.id(&task.alias()), hold.agent, task.title);
    out.line(&line);
    if how.explain {
        for score in scores {
            let parts: Vec<_> = score
                .parts
                .iter()
                .map(|part| format!("{} {:.2} ({})", part.name, part.value, part.why))
                .collect();
            let line = format!("  {:<16} {:.3} = {}", score.agent, score.total, parts.join(" × "));
            out.line(&line);
        }
    }
}

impl Dispatch {
    fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let (to, stamp) = match &self.to {
            Some(to) => (Some(AgentName::new(to)?), edge.stamp()?),
            None => (edge.agent_option()?, edge.stamp_beside_option()?),
        };
        let lease = lease(&self.how.lease)?;
        let done =
            oracle::dispatch(edge.store()?, &stamp, &self.id, to.as_ref(), lease, !self.how.dry_run, |_| 0)?;
        if out.is_json() {
            out.json(
                &json!({ "version": 1, "dry_run": self.how.dry_run, "dispatched": given(&done, &self.how) }),
            );
        } else {
            print_given(out, &done, &self.how);
        }
        Ok(Exit::Done)
    }
}

/// Gives every task that is ready to the agent that fits it best, the most urgent first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum oracle auto-dispatch --dry-run --explain
  datum oracle auto-dispatch -n 10

Exit: 0 all were dispatched, 1 some fit nobody and are named.")]
struct AutoDispatch {
    /// Dispatch at most N
    #[arg(short = 'n', value_name = "N")]
    count: Option<usize>,
    #[command(flatten)]
    how: How,
}

impl AutoDispatch {
    fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let lease = lease(&self.how.lease)?;
        let (store, stamp) = (edge.store()?, edge.stamp()?);
        let ready: Vec<_> = {
            let tasks = task::fold(&store.snapshot()?);
            tasks.ready(stamp.now, None).take(self.count.unwrap_or(usize::MAX)).map(|task| task.id).collect()
        };
        let (mut done, mut left) = (Vec::new(), Vec::new());
        // In a plan nothing is claimed, so what was planned counts as load by itself.
        let mut planned: BTreeMap<String, u32> = BTreeMap::new();
        for id in ready {
            let load = |name: &AgentName| planned.get(name.as_str()).copied().unwrap_or(0);
            match oracle::dispatch(store, &stamp, &id.to_string(), None, lease, !self.how.dry_run, load) {
                Ok(dispatched) => {
                    if self.how.dry_run {
                        *planned.entry(dispatched.hold.agent.clone()).or_insert(0) += 1;
                    }
                    done.push(dispatched);
                }
                Err(error @ (oracle::OracleError::Nobody { .. } | oracle::OracleError::Task(_))) => {
                    left.push((task::alias(id), error.to_string()));
                }
                Err(error) => return Err(error.into()),
            }
        }
        if out.is_json() {
            let dispatched: Vec<_> = done.iter().map(|one| given(one, &self.how)).collect();
            let left: Vec<_> = left.iter().map(|(task, why)| json!({ "alias": task, "why": why })).collect();
            out.json(&json!({
                "version": 1, "dry_run": self.how.dry_run, "dispatched": dispatched, "not_dispatched": left,
            }));
        } else {
            done.iter().for_each(|one| print_given(out, one, &self.how));
            if done.is_empty() && left.is_empty() {
                out.say("no task is ready");
            }
        }
        left.iter().for_each(|(_, why)| out.warn(why));
        Ok(if left.is_empty() { Exit::Done } else { Exit::No })
    }
}

fn known(snapshot: &Snapshot<'_>, tasks: &Tasks, now: Millis) -> Result<Vec<Candidate>, Fault> {
    Ok(oracle::candidates(snapshot, tasks, now)?)
}

fn discover(edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
    let now = edge.now()?;
    let snapshot = edge.store()?.snapshot()?;
    let found = known(&snapshot, &task::fold(&snapshot), now)?;
    if out.is_json() {
        let agents: Vec<_> = found
            .iter()
            .map(|agent| {
                json!({
                    "name": agent.name.as_str(), "role": agent.role, "declared": agent.declared,
                    "capabilities": agent.skills, "seen": agent.seen.map(time::iso), "claims": agent.load,
                    "finished": agent.record.finished, "dropped": agent.record.dropped, "sources": agent.sources,
                })
            })
            .collect();
        out.json_list("agents", &agents);
    } else {
        for agent in &found {
            let seen = agent
                .seen
                .map_or_else(|| "never seen".to_owned(), |seen| format!("seen {}", time::show(seen)));
            let skills: Vec<_> =
                agent.skills.iter().map(|(name, confidence)| format!("{name} {confidence:.2}")).collect();
            let beside = format!("{seen}, {} claimed, from {}", agent.load, agent.sources.join(" "));
            let line = format!("{:<16} {} {}", agent.name.as_str(), skills.join(", "), out.dim(&beside));
            out.line(&line);
        }
        if found.iter().all(|agent| !agent.declared) {
            out.say("no agent declares what it can do; datum fleet add and datum fleet discover find those of other vessels");
        }
    }
    out.damage(&snapshot.damage());
    Ok(Exit::Done)
}

fn status(edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
    let now = edge.now()?;
    let snapshot = edge.store()?.snapshot()?;
    let tasks = task::fold(&snapshot);
    let agents = known(&snapshot, &tasks, now)?;
    let declared = agents.iter().filter(|agent| agent.declared).count();
    let ready = tasks.ready(now, None).count();
    let over = |task: &&Task| !task.is_closed() && task.hold.is_some() && task.live_hold(now).is_none();
    let over = tasks.all().iter().filter(over).count();
    let counts = counts(&tasks, now);
    if out.is_json() {
        out.json(&json!({
            "version": 1, "tasks": tasks.len(), "states": counts, "ready": ready, "leases_ended": over,
            "agents": agents.len(), "declared": declared,
        }));
    } else {
        let states: Vec<_> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
        out.line(&format!("tasks   {} ({})", tasks.len(), states.join(", ")));
        out.line(&format!("ready   {ready}"));
        out.line(&format!("leases  {over} ended without an end of the task"));
        out.line(&format!("agents  {} ({declared} declare what they can do)", agents.len()));
    }
    out.damage(&snapshot.damage());
    Ok(Exit::Done)
}

/// Introduces this agent with a bottle: who it is, what it can do, where it reads, what it will do first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum oracle first-contact
  datum oracle first-contact --to lighthouse --dry-run")]
struct FirstContact {
    /// Whom to greet
    #[arg(long, value_name = "NAME", default_value = "oracle1")]
    to: String,
    /// Greet again, although it was done already
    #[arg(long)]
    again: bool,
    /// Print the bottle, and leave everything as it is
    #[arg(long)]
    dry_run: bool,
}

impl FirstContact {
    fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let to = AgentName::new(&self.to)?;
        let (store, stamp) = (edge.store()?, edge.stamp()?);
        // What another agent declares here is not this one's to boast of.
        let is_own = |declared: &Capability| {
            declared.agent.name.as_deref().is_none_or(|name| name.eq_ignore_ascii_case(stamp.agent.as_str()))
        };
        let declared = edge.declared()?.filter(is_own).unwrap_or_default();
        if self.dry_run {
            let draft = oracle::first_contact(&store.snapshot()?, &stamp.agent, &to, &declared, stamp.now)?;
            if out.is_json() {
                out.json(&json!({ "version": 1, "to": to.as_str(), "subject": draft.subject(), "text": draft.body() }));
                return Ok(Exit::Done);
            }
            out.line(draft.subject());
            out.line("");
            out.line(draft.body());
            return Ok(Exit::Done);
        }
        let applied = store.apply::<Fault>(Kind::Bottle, &stamp, |snapshot| {
            if !self.again && oracle::was_greeted(snapshot, &stamp.agent, &to) {
                return Ok(Vec::new());
            }
            Ok(vec![oracle::first_contact(snapshot, &stamp.agent, &to, &declared, stamp.now)?])
        })?;
        if applied.ids.is_empty() {
            out.say(&format!("{} has greeted {to} already; --again does it again", stamp.agent));
        }
        tell_written(out, &applied, Kind::Bottle);
        Ok(Exit::Done)
    }
}
