//! `datum task create|edit|comment|block|review|finish|cancel|reopen`: entries that make and change tasks.

use super::{agent, caps, ids, priority, tell};
use crate::cmd::journal::{read_stdin, words};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::task::{self, Edit, Ends, New, Said, Step, Story, Tasks};
use datum_core::{Draft, EntryId, Kind, Snapshot};

/// Reads a text: `-` means stdin.
fn text(text: &str) -> Result<String, Fault> {
    if text != "-" {
        return Ok(text.to_owned());
    }
    let text = read_stdin()?;
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

/// Makes a task.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum task create 'Fix the bilge pump' --priority high --cap repair --tag pump
  datum task create 'Sea trial' --needs T-4k9x2ma --desc 'After the pump.'
  some-program | datum task create 'Look at this' --desc -")]
pub(crate) struct Create {
    /// What to do, on one line
    title: String,
    /// What to do, at length; `-` reads it from stdin
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    desc: String,
    /// critical, high, medium, low or backlog
    #[arg(long, value_name = "PRIORITY", default_value = "medium")]
    priority: String,
    /// What an agent must be able to do for it (repeatable)
    #[arg(long, value_name = "CAPABILITY")]
    cap: Vec<String>,
    /// Tag it (repeatable)
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// A task that must be done before it (repeatable)
    #[arg(long, value_name = "ID")]
    needs: Vec<String>,
    /// The task it is a part of
    #[arg(long, value_name = "ID")]
    parent: Option<String>,
    /// Who asked for it
    #[arg(long, value_name = "NAME")]
    requested_by: Option<String>,
}

impl Create {
    /// A task as `datum oracle add` makes it.
    pub(crate) fn of(
        title: &str,
        desc: &str,
        priority: &str,
        cap: &[String],
        requested_by: Option<&str>,
    ) -> Self {
        Self {
            title: title.to_owned(),
            desc: desc.to_owned(),
            priority: priority.to_owned(),
            cap: cap.to_vec(),
            tag: Vec::new(),
            needs: Vec::new(),
            parent: None,
            requested_by: requested_by.map(str::to_owned),
        }
    }

    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let mut new = New {
            title: self.title.clone(),
            text: text(&self.desc)?,
            priority: priority(&self.priority)?,
            caps: caps(&self.cap)?,
            tags: words("tag", &self.tag)?,
            requester: agent(self.requested_by.as_deref())?,
            ..New::default()
        };
        let stamp = edge.stamp()?;
        let applied = edge.store()?.apply::<Fault>(Kind::Task, &stamp, |snapshot| {
            if !self.needs.is_empty() || self.parent.is_some() {
                let tasks = task::fold(snapshot);
                new.needs = ids(&tasks, &self.needs)?;
                new.parent = self.parent.as_deref().map(|name| tasks.find(name)).transpose()?.map(|t| t.id);
            }
            Ok(vec![task::create(&new)?])
        })?;
        for id in applied.ids {
            tell(out, "made", id, id);
        }
        Ok(Exit::Done)
    }
}

/// Adds the entry that `draft` drafts for the task it finds; `ends` says of a step which claim it ends. Answers with both.
fn append(
    edge: &Edge<'_>,
    ends: Option<Ends>,
    mut draft: impl FnMut(&Snapshot<'_>) -> Result<(EntryId, Draft), Fault>,
) -> Result<(EntryId, EntryId), Fault> {
    let stamp = edge.stamp()?;
    let mut found = None;
    let mut decide = |snapshot: &Snapshot<'_>| -> Result<(EntryId, Draft), Fault> {
        let (task, draft) = draft(snapshot)?;
        found = Some(task);
        Ok((task, draft))
    };
    let store = edge.store()?;
    let applied = match ends {
        Some(ends) => task::tell(store, &stamp, |snapshot| {
            let (task, draft) = decide(snapshot)?;
            Ok::<_, Fault>(vec![Said { task, draft, ends: ends.clone() }])
        })?,
        None => store.apply(Kind::Task, &stamp, |snapshot| Ok::<_, Fault>(vec![decide(snapshot)?.1]))?,
    };
    match (found, applied.ids.first()) {
        (Some(task), Some(entry)) => Ok((task, *entry)),
        _ => Err(Fault::broken("nothing was written about the task")),
    }
}

/// Changes fields of a task; where another changes the same one, the later wins and `datum task show` shows both.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum task edit T-4k9x2ma --priority critical --no-cap repair --cap welding
  datum task edit T-4k9x2ma --needs T-0hv2c51
  datum task edit T-4k9x2ma --desc - < text.md")]
pub(crate) struct EditCommand {
    /// The task
    id: String,
    /// The new title
    #[arg(long)]
    title: Option<String>,
    /// The new text; `-` reads it from stdin
    #[arg(long, value_name = "TEXT")]
    desc: Option<String>,
    /// The new priority
    #[arg(long, value_name = "PRIORITY")]
    priority: Option<String>,
    /// A capability it needs from now on (repeatable)
    #[arg(long, value_name = "CAPABILITY")]
    cap: Vec<String>,
    /// A capability it no longer needs (repeatable)
    #[arg(long, value_name = "CAPABILITY")]
    no_cap: Vec<String>,
    /// Add a tag (repeatable)
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Take a tag off (repeatable)
    #[arg(long, value_name = "TAG")]
    no_tag: Vec<String>,
    /// A task that must be done before it (repeatable)
    #[arg(long, value_name = "ID")]
    needs: Vec<String>,
    /// A task it need not wait for (repeatable)
    #[arg(long, value_name = "ID")]
    no_needs: Vec<String>,
    /// The task it is a part of
    #[arg(long, value_name = "ID", conflicts_with = "no_parent")]
    parent: Option<String>,
    /// It is a part of no task
    #[arg(long)]
    no_parent: bool,
    /// Who asked for it
    #[arg(long, value_name = "NAME")]
    requested_by: Option<String>,
}

impl EditCommand {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let mut edit = Edit {
            title: self.title.clone(),
            text: self.desc.as_deref().map(text).transpose()?,
            priority: self.priority.as_deref().map(priority).transpose()?,
            requester: agent(self.requested_by.as_deref())?,
            caps: caps(&self.cap)?,
            no_caps: caps(&self.no_cap)?,
            tags: words("tag", &self.tag)?,
            no_tags: words("tag", &self.no_tag)?,
            parent: self.no_parent.then_some(task::Parent::Nothing),
            ..Edit::default()
        };
        let (task, entry) = append(edge, None, |snapshot| {
            let (tasks, story) = &task::told(snapshot, &self.id)?;
            edit.needs = ids(tasks, &self.needs)?;
            edit.no_needs =
                self.no_needs.iter().map(|name| need(tasks, story, name)).collect::<Result<_, _>>()?;
            if let Some(parent) = &self.parent {
                edit.parent = Some(task::Parent::Task(tasks.find(parent)?.id));
            }
            Ok((story.task.id, task::edit(tasks, story, &edit)?))
        })?;
        tell(out, "changed", task, entry);
        Ok(Exit::Done)
    }
}

/// What a task waits for, by name: also a task that was undone, or has not come yet.
fn need(tasks: &Tasks, story: &Story, name: &str) -> Result<EntryId, Fault> {
    let called = |id: &&EntryId| task::alias(**id).eq_ignore_ascii_case(name) || id.to_string() == name;
    match tasks.find(name) {
        Ok(task) => Ok(task.id),
        Err(error) => story.task.needs.iter().find(called).copied().ok_or_else(|| error.into()),
    }
}

/// Says something about a task.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum task comment T-4k9x2ma 'The seal is on order.'
  make test 2>&1 | datum task comment T-4k9x2ma -")]
pub(crate) struct Comment {
    /// The task
    id: String,
    /// What to say; `-` reads it from stdin
    text: String,
}

impl Comment {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let said = text(&self.text)?;
        let (task, entry) = append(edge, None, |snapshot| {
            let task = task::story_named(snapshot, &self.id)?.task;
            Ok((task.id, task::comment(&task, &said)?))
        })?;
        tell(out, "commented on", task, entry);
        Ok(Exit::Done)
    }
}

/// The arguments of a step from one state to the next.
#[derive(Debug, clap::Args)]
pub(crate) struct StepArgs {
    /// The task
    id: String,
    /// Why; `-` reads it from stdin
    #[arg(default_value = "", hide_default_value = true)]
    reason: String,
    /// Pass over another agent's claim
    #[arg(long)]
    force: bool,
    /// Only under the claim with this number, as `datum task claim` gave it
    #[arg(long, value_name = "N")]
    fence: Option<u64>,
}

impl StepArgs {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out, step: Step) -> Result<Exit, Fault> {
        let reason = text(&self.reason)?;
        let stamp = edge.stamp()?;
        let draft = |snapshot: &Snapshot<'_>| {
            let story = task::story_named(snapshot, &self.id)?;
            let by = (self.fence, self.force);
            Ok((story.task.id, task::step(&story, step, &reason, &stamp.agent, stamp.now, by)?))
        };
        let ends = match step {
            Step::Finish | Step::Cancel | Step::Reopen => Ends::Own,
            Step::Block | Step::Review => Ends::Nothing,
        };
        let (task, entry) = append(edge, Some(ends), draft)?;
        tell(out, &format!("made {}:", step.state().as_str()), task, entry);
        Ok(Exit::Done)
    }
}
