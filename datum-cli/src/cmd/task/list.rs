//! `datum task list|ready`: tasks by what they are and by what can be done.

use super::{line, shown, state};
use crate::args::Format;
use crate::cmd::journal::moment;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::Millis;
use datum_core::publish::taskboard_file;
use datum_core::task::{self, State, Task, Tasks};

/// Lists tasks, the most urgent and then the oldest first; without --state or --all those that are not closed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum task list
  datum task list --state done --assignee oracle1
  datum task list --all --format ndjson")]
pub(crate) struct List {
    /// Only tasks in this state (repeatable)
    #[arg(long, value_name = "STATE")]
    state: Vec<String>,
    /// Only tasks with this tag (repeatable: all of them)
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Only tasks that need this capability (repeatable: all of them)
    #[arg(long, value_name = "CAPABILITY")]
    cap: Vec<String>,
    /// Only tasks that this agent has
    #[arg(long, value_name = "NAME")]
    assignee: Option<String>,
    /// Only parts of this task
    #[arg(long, value_name = "ID")]
    parent: Option<String>,
    /// Also those that are done or cancelled
    #[arg(long, conflicts_with = "state")]
    all: bool,
    /// List the tasks as they were at TIME
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// List at most N
    #[arg(short = 'n', value_name = "N")]
    count: Option<usize>,
}

impl List {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let mut now = edge.now()?;
        let states: Vec<State> = self.state.iter().map(|text| state(text)).collect::<Result<_, _>>()?;
        let mut snapshot = edge.store()?.snapshot()?;
        if let Some(time) = moment("--as-of", self.as_of.as_deref(), now)? {
            snapshot = snapshot.as_of(time);
            now = time;
        }
        let tasks = task::fold(&snapshot);
        let parent = self.parent.as_deref().map(|name| tasks.find(name)).transpose()?.map(|task| task.id);
        let takes = |task: &&Task| {
            let by_state = match states.as_slice() {
                [] => self.all || !task.is_closed(),
                states => states.contains(&task.status(now)),
            };
            let holder = || task.hold.as_ref().map(|hold| hold.agent.as_str());
            by_state
                && self.tag.iter().all(|tag| task.tags.contains(tag))
                && self.cap.iter().all(|cap| task.caps.contains(cap))
                && self.assignee.as_deref().is_none_or(|name| holder() == Some(name))
                && parent.is_none_or(|parent| task.parent == Some(parent))
        };
        let found: Vec<&Task> =
            tasks.all().iter().filter(takes).take(self.count.unwrap_or(usize::MAX)).collect();
        print(out, &tasks, &found, now);
        if found.is_empty() {
            out.say("no task found");
        }
        out.damage(&snapshot.damage());
        Ok(Exit::Done)
    }
}

/// Lists the tasks that are open, wait for nothing and are claimed by nobody.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum task ready
  datum task ready --cap repair -n 5 --format json

Exit: 0 there is one, 1 with --exit-code there is none.")]
pub(crate) struct Ready {
    /// Only tasks that need no other capabilities than these (repeatable)
    #[arg(long, value_name = "CAPABILITY")]
    cap: Vec<String>,
    /// List at most N
    #[arg(short = 'n', value_name = "N")]
    count: Option<usize>,
    /// Exit with 1 when none is ready
    #[arg(long)]
    exit_code: bool,
}

impl Ready {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let now = edge.now()?;
        let caps = (!self.cap.is_empty()).then(|| self.cap.iter().cloned().collect());
        let snapshot = edge.store()?.snapshot()?;
        let tasks = task::fold(&snapshot);
        let found: Vec<&Task> =
            tasks.ready(now, caps.as_ref()).take(self.count.unwrap_or(usize::MAX)).collect();
        print(out, &tasks, &found, now);
        if found.is_empty() {
            out.say("no task is ready");
        }
        out.damage(&snapshot.damage());
        Ok(if self.exit_code && found.is_empty() { Exit::No } else { Exit::Done })
    }
}

fn print(out: &mut Out, tasks: &Tasks, found: &[&Task], now: Millis) {
    match out.format() {
        Format::Text => {
            for task in found {
                let line = line(out, tasks, task, now);
                out.line(&line);
            }
        }
        Format::Json | Format::Ndjson => {
            let shown: Vec<_> = found.iter().map(|task| shown(tasks, task, now)).collect();
            out.json_list("tasks", &shown);
        }
        Format::Md => {
            for task in found {
                let mark = if task.state == State::Done { 'x' } else { ' ' };
                let title = taskboard_file::shown_title(&task.title);
                out.line(&format!("- [{mark}] {title} (`{}`), {}", task.alias(), task.status(now).as_str()));
            }
        }
    }
}
