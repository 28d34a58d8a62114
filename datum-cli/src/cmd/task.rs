//! `datum task`: what is to be done, by whom, and what waits for what.

pub(crate) mod board;
mod change;
mod claim;
mod list;
mod show;

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::record::short;
use crate::time;
use clap::Subcommand;
use datum_core::task::{self, Hold, Priority, State, Task, Tasks};
use datum_core::{AgentName, EntryId, Millis, Word};
use serde_json::{Value, json};

pub(crate) use change::Create;

/// Makes, changes, claims and lists tasks.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum task create 'Fix the bilge pump' --priority high --cap repair
  datum task ready
  datum task claim --next --cap repair --lease 2h
  datum task finish T-4k9x2ma 'new seal fitted'")]
pub(crate) struct TaskCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a task
    Create(Create),
    /// Change a task's title, text, priority, capabilities, tags, dependencies, parent or requester
    Edit(change::EditCommand),
    /// Say something about a task
    Comment(change::Comment),
    /// Say that a task waits for something that is no task
    #[command(after_help = "Examples:\n  datum task block T-4k9x2ma 'the part has not come'")]
    Block(change::StepArgs),
    /// Put a task up for review
    #[command(after_help = "Examples:\n  datum task review T-4k9x2ma 'see branch pump'")]
    Review(change::StepArgs),
    /// Say that a task is done
    #[command(after_help = "Examples:\n  datum task finish T-4k9x2ma 'new seal fitted' --fence 1")]
    Finish(change::StepArgs),
    /// Call a task off
    #[command(after_help = "Examples:\n  datum task cancel T-4k9x2ma 'the ship was sold'")]
    Cancel(change::StepArgs),
    /// Make a blocked, reviewed, finished or cancelled task open again
    #[command(after_help = "Examples:\n  datum task reopen T-4k9x2ma 'it leaks again'")]
    Reopen(change::StepArgs),
    /// Take a task: of any number who try, one gets it
    Claim(claim::Claim),
    /// Keep a task for longer
    Renew(claim::Renew),
    /// Give a task back
    Release(claim::Release),
    /// Show a task and all that happened to it
    Show(show::Show),
    /// List tasks
    List(list::List),
    /// List the tasks that can be claimed, the most urgent and then the oldest first
    Ready(list::Ready),
    /// Read back what people changed in a task board
    Import(board::Import),
}

impl TaskCommand {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        match &self.command {
            Command::Create(command) => command.run(edge, out),
            Command::Edit(command) => command.run(edge, out),
            Command::Comment(command) => command.run(edge, out),
            Command::Block(command) => command.run(edge, out, task::Step::Block),
            Command::Review(command) => command.run(edge, out, task::Step::Review),
            Command::Finish(command) => command.run(edge, out, task::Step::Finish),
            Command::Cancel(command) => command.run(edge, out, task::Step::Cancel),
            Command::Reopen(command) => command.run(edge, out, task::Step::Reopen),
            Command::Claim(command) => command.run(edge, out),
            Command::Renew(command) => command.run(edge, out),
            Command::Release(command) => command.run(edge, out),
            Command::Show(command) => command.run(edge, out),
            Command::List(command) => command.run(edge, out),
            Command::Ready(command) => command.run(edge, out),
            Command::Import(command) => command.run(edge, out),
        }
    }
}

/// Parses a priority.
pub(crate) fn priority(text: &str) -> Result<Priority, Fault> {
    Priority::read(text).ok_or_else(|| {
        Fault::usage(format!("--priority: no priority is called {text:?}"))
            .hint("critical, high, medium, low or backlog")
    })
}

/// Parses a state.
fn state(text: &str) -> Result<State, Fault> {
    State::read(text).ok_or_else(|| {
        Fault::usage(format!("--state: no task state is called {text:?}"))
            .hint("open, in-progress, blocked, review, done or cancelled")
    })
}

/// Parses the length of a lease.
pub(crate) fn lease(text: &str) -> Result<Millis, Fault> {
    time::parse_length(text)
        .filter(|length| (1000..=datum_core::claim::LEASE_MAX).contains(length))
        .ok_or_else(|| {
            Fault::usage(format!("--lease: {text:?} is no lease"))
                .hint("a length of time from 1s to 30 days, such as 2h or '3 days'")
        })
}

/// Checks capabilities.
pub(crate) fn caps(texts: &[String]) -> Result<Vec<Word>, Fault> {
    texts.iter().map(|text| Word::new("capability", text).map_err(Fault::from)).collect()
}

/// Checks an agent's name, if there is one.
fn agent(text: Option<&str>) -> Result<Option<AgentName>, Fault> {
    text.map(AgentName::new).transpose().map_err(Fault::from)
}

/// Finds the tasks that names mean.
fn ids(tasks: &Tasks, names: &[String]) -> Result<Vec<EntryId>, Fault> {
    names.iter().map(|name| Ok(tasks.find(name)?.id)).collect()
}

/// A task as JSON, version 1.
pub(crate) fn shown(tasks: &Tasks, task: &Task, now: Millis) -> Value {
    let names = |ids: Vec<EntryId>| ids.into_iter().map(task::alias).collect::<Vec<_>>();
    let claim = task.hold.as_ref().map(|hold| {
        json!({
            "agent": hold.agent, "fence": hold.fence, "until": time::iso(hold.until), "live": hold.is_live(now),
        })
    });
    json!({
        "id": task.id,
        "alias": task.alias(),
        "title": task.title,
        "text": task.text,
        "state": task.status(now).as_str(),
        "priority": task.priority.as_str(),
        "capabilities": task.caps,
        "tags": task.tags,
        "needs": names(task.needs.iter().copied().collect()),
        "waits_for": names(tasks.waits_for(task).collect()),
        "ready": tasks.is_ready(task, now),
        "parent": task.parent.map(task::alias),
        "requester": task.requester,
        "author": task.author,
        "source": task.source,
        "created": time::iso(task.created),
        "updated": time::iso(task.updated),
        "claim": claim,
        "comments": task.comments,
        "fenced_off": task.fenced_off,
    })
}

/// What the end of a lease is at `now`.
fn lease_end(hold: &Hold, now: Millis) -> &'static str {
    match (hold.is_live(now), now < hold.until) {
        (true, _) => "until",
        (false, true) => "not believed, its clock is ahead: until",
        (false, false) => "lease ended",
    }
}

/// A task on one line.
pub(crate) fn line(out: &Out, tasks: &Tasks, task: &Task, now: Millis) -> String {
    let mut line = out.id(&task.alias());
    // There may be ten thousand: with `format!` these lines were a twentieth of `task ready`.
    for (word, width) in [(task.priority.as_str(), 8), (task.status(now).as_str(), 11)] {
        line.push(' ');
        line.push_str(word);
        line.extend(std::iter::repeat_n(' ', usize::saturating_sub(width, word.len())));
    }
    line.push(' ');
    line.push_str(&task.title);
    let mut beside = Vec::new();
    if let Some(hold) = &task.hold {
        beside.push(format!("@{} {} {}", hold.agent, lease_end(hold, now), time::show(hold.until)));
    }
    let waits: Vec<_> = tasks.waits_for(task).map(task::alias).collect();
    if !waits.is_empty() && !task.is_closed() {
        beside.push(format!("waits for {}", waits.join(" ")));
    }
    beside.extend(task.caps.iter().map(|cap| format!("cap:{cap}")));
    beside.extend(task.tags.iter().map(|tag| format!("#{tag}")));
    if !beside.is_empty() {
        line.push_str(&out.dim(&format!(" {}", beside.join(" "))));
    }
    line
}

/// Tells that an entry about a task was written.
pub(crate) fn tell(out: &mut Out, what: &str, task: EntryId, entry: EntryId) {
    if out.is_json() {
        out.json(&json!({
            "version": 1, "kind": "task", "ids": [entry], "alias": task::alias(task), "task": task,
        }));
    } else {
        let alias = out.id(&task::alias(task));
        out.line(&alias);
        out.say(&format!("{what} {} in entry {}", task::alias(task), short(entry)));
    }
}
