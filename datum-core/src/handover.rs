//! Handover: what an agent leaves to whoever comes after it, gathered from the logs, as one entry and one text.
//!
//! The entry is a bottle of type `handoff` whose body is the text, so it is read, acknowledged, answered and carried to
//! other clones as any bottle is. Without a recipient it goes to the agent's own name: its next run is the successor.

use crate::audit;
use crate::bottle::{self, Bottle, Me, Recipient, Stage};
use crate::entry::{Draft, DraftError, Entry};
use crate::id::EntryId;
use crate::journal;
use crate::kind::Kind;
use crate::name::AgentName;
use crate::odb::ObjectError;
use crate::publish::{MARK, one_line};
use crate::snapshot::Snapshot;
use crate::stamp::{Millis, iso};
use crate::task::{self, State, Task, Tasks};
use crate::undo;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::ControlFlow;

/// The trailer that names the agent who hands over.
pub const HANDOVER: &str = "Handover";
/// Where the text is written in a work tree.
pub const FILE: &str = "HANDOVER.md";

/// Most tasks, bottles and problems a list shows; the rest is counted.
const LIST_MAX: usize = 20;
/// Journal entries shown.
const JOURNAL_MAX: usize = 10;
/// Waiting tasks that are looked at for cycles.
const CYCLES_LOOKED_AT: usize = 200;
/// Longest line of the text, characters.
const LINE_MAX: usize = 200;

/// A task with what it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The task.
    pub task: Task,
    /// Its state at the time of the handover.
    pub state: State,
    /// The aliases of what it waits for.
    pub waits_for: Vec<String>,
}

/// What an agent leaves to its successor.
#[derive(Debug, Clone)]
pub struct Handover {
    /// Who hands over.
    pub agent: AgentName,
    /// When.
    pub at: Millis,
    /// The id of the state of the logs it tells of.
    pub snapshot: Option<EntryId>,
    /// The commit of the tree.
    pub head: Option<EntryId>,
    /// Tasks it has, or had when the lease ended.
    pub claims: Vec<Open>,
    /// Tasks it had until it handed over.
    pub given_back: Vec<Open>,
    /// The other tasks that are not closed.
    pub open: Vec<Open>,
    /// Bottles for it that it has not acknowledged or answered.
    pub to_answer: Vec<Bottle>,
    /// Bottles of its own that nobody has answered or acknowledged.
    pub unanswered: Vec<Bottle>,
    /// What it did last, the newest first.
    pub journal: Vec<Entry>,
    /// What is known to be wrong: what it says, and what the logs show.
    pub problems: Vec<String>,
    /// What it wants to say beside that.
    pub note: String,
}

/// Gathers what `me` leaves, at `now`, with a note (may be empty) and the problems it names.
///
/// # Errors
/// [`ObjectError`] when the tree cannot be read.
pub fn gather(
    snapshot: &Snapshot<'_>,
    me: &Me,
    now: Millis,
    note: &str,
    problems: &[String],
) -> Result<Handover, ObjectError> {
    let tasks = task::fold(snapshot);
    let (claims, open): (Vec<_>, Vec<_>) = tasks
        .all()
        .iter()
        .filter(|task| !task.is_closed())
        .map(|task| Open {
            task: task.clone(),
            state: task.status(now),
            waits_for: tasks.waits_for(task).map(task::alias).collect(),
        })
        .partition(|open| open.task.hold.as_ref().is_some_and(|hold| hold.agent == me.name.as_str()));
    let bottles = bottle::inbox(snapshot)?.bottles;
    // An own handover to the same name is no bottle that waits for an answer.
    let mine = |bottle: &Bottle| bottle.from_agent.as_ref() == Some(&me.name);
    let to_answer: Vec<Bottle> = bottles
        .iter()
        .filter(|bottle| bottle.is_for(me) && !mine(bottle) && bottle.stage(&me.name) < Stage::Acknowledged)
        .cloned()
        .collect();
    let silent = |bottle: &&Bottle| {
        let others = bottle.stages.iter().filter(|(agent, _)| *agent != me.name.as_str());
        let to_others = bottle.recipients.iter().any(|to| *to != Recipient::Agent(me.name.clone()));
        mine(bottle) && to_others && others.into_iter().all(|(_, status)| status.stage < Stage::Acknowledged)
    };
    let unanswered: Vec<Bottle> = bottles.iter().filter(silent).cloned().collect();
    let query = journal::Query {
        author: Some(me.name.clone()),
        limit: Some(JOURNAL_MAX),
        ..journal::Query::default()
    };
    let journal = journal::list(snapshot, &query, |_| true);
    let mut known: Vec<String> = problems.to_vec();
    known.extend(shown_by_logs(snapshot, &tasks, &claims, (&to_answer, &unanswered), now));
    Ok(Handover {
        agent: me.name.clone(),
        at: now,
        snapshot: snapshot.id(),
        head: snapshot.head(),
        claims,
        given_back: Vec::new(),
        open,
        to_answer,
        unanswered,
        journal,
        problems: known,
        note: note.to_owned(),
    })
}

/// The problems that the logs show by themselves.
fn shown_by_logs(
    snapshot: &Snapshot<'_>,
    tasks: &Tasks,
    claims: &[Open],
    (to_answer, unanswered): (&[Bottle], &[Bottle]),
    now: Millis,
) -> Vec<String> {
    let mut found = Vec::new();
    for Open { task, .. } in claims {
        let Some(hold) = task.hold.as_ref().filter(|hold| !hold.is_live(now)) else { continue };
        found.push(format!("the lease on {} ended {}: {}", task.alias(), iso(hold.until), task.title));
    }
    for task in tasks.all().iter().filter(|task| task.state == State::Blocked) {
        let reason = task::story(snapshot, task.id).and_then(|story| story.reason(State::Blocked));
        let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        found.push(format!("{} is blocked{reason}: {}", task.alias(), task.title));
    }
    let mut told = BTreeSet::new();
    let waiting = tasks.all().iter().filter(|task| !task.is_closed() && !task.needs.is_empty());
    for task in waiting.take(CYCLES_LOOKED_AT) {
        let Some(way) = tasks.cycle(task).filter(|_| !told.contains(&task.id)) else { continue };
        told.extend(way.iter().copied());
        let way: Vec<_> = way.into_iter().map(task::alias).collect();
        found.push(format!("tasks wait for each other: {}", way.join(" needs ")));
    }
    for bottle in to_answer.iter().chain(unanswered).filter(|bottle| bottle.is_overdue(now)) {
        found.push(format!("bottle {} is overdue: {}", bottle.id.short(12), bottle.subject));
    }
    if let Some(audit) = newest_audit(snapshot) {
        found.push(audit);
    }
    for damage in snapshot.damage() {
        found.push(format!("{} cannot be read: {}", damage.log, damage.message));
    }
    found
}

/// What the newest recorded audit found, if it found anything.
fn newest_audit(snapshot: &Snapshot<'_>) -> Option<String> {
    let newest = audit::recorded(snapshot, 1).pop()?;
    let failed = newest.report.counts.fail > 0;
    failed.then(|| format!("{} (entry {})", newest.subject, newest.id.short(12)))
}

impl Handover {
    /// The same of an agent that gives back the tasks it has as it hands over.
    #[must_use]
    pub fn giving_back(mut self) -> Self {
        let (given, ended) =
            self.claims.into_iter().partition::<Vec<_>, _>(|open| open.task.live_hold(self.at).is_some());
        self.claims = ended;
        self.given_back = given
            .into_iter()
            .map(|Open { mut task, waits_for, .. }| {
                task.hold = None;
                Open { state: task.status(self.at), task, waits_for }
            })
            .collect();
        self
    }

    /// Drafts the entry: a bottle to `to`, or to the agent's own name.
    ///
    /// # Errors
    /// [`DraftError`] for a note or problem that cannot stand in an entry.
    pub fn draft(&self, to: Option<&AgentName>) -> Result<Draft, DraftError> {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let given = match self.given_back.len() {
            0 => String::new(),
            n => format!(", {n} given back"),
        };
        let subject = format!(
            "Handover of {}: {}{given}, {}, {}",
            self.agent,
            count(self.claims.len(), "claim"),
            count(self.open.len(), "open task"),
            count(self.to_answer.len(), "bottle") + " to answer",
        );
        let to = Recipient::Agent(to.unwrap_or(&self.agent).clone());
        let drop = bottle::Drop {
            to: &[to],
            subject: &subject,
            text: &self.markdown(),
            kind: "handoff",
            priority: None,
            deadline: None,
            in_reply_to: None,
        };
        bottle::draft(&drop)?.with(HANDOVER, self.agent.as_str())
    }

    /// The text, in Markdown: the same state gives the same text.
    pub fn markdown(&self) -> String {
        let mut out = format!("# Handover of {}, {}\n", self.agent, iso(self.at));
        let id = |id: Option<EntryId>| id.map_or_else(|| "none".to_owned(), |id| id.short(12));
        let _ = writeln!(out, "\nLogs as of {}, tree of commit {}.", id(self.snapshot), id(self.head));
        if !self.note.trim().is_empty() {
            let _ = writeln!(out, "\n{}", self.note.trim_end());
        }
        list(&mut out, "Known problems", &self.problems, |problem| line(problem));
        list(&mut out, "Claims", &self.claims, task_line);
        list(&mut out, "Given back", &self.given_back, task_line);
        list(&mut out, "Open tasks", &self.open, task_line);
        list(&mut out, "Bottles to answer", &self.to_answer, |bottle| bottle_line(bottle, self.at));
        list(&mut out, "Bottles without an answer", &self.unanswered, |bottle| bottle_line(bottle, self.at));
        list(&mut out, "Done last", &self.journal, |entry| {
            let category = entry.trailer(journal::CATEGORY).unwrap_or("-");
            line(&format!("{} {category} {} ({})", iso(entry.clock), entry.subject, entry.id.short(12)))
        });
        out
    }

    /// The text as a file, which tells its entry and may be replaced by the next one.
    pub fn file(&self, entry: EntryId) -> String {
        format!("{}\n*Entry {entry} of the bottle log*\n\n{MARK}\n", self.markdown())
    }
}

/// A section, or nothing where there is nothing to tell.
fn list<T>(out: &mut String, title: &str, items: &[T], print: impl Fn(&T) -> String) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n## {title} ({})\n", items.len());
    for item in items.iter().take(LIST_MAX) {
        let _ = writeln!(out, "- {}", print(item));
    }
    if items.len() > LIST_MAX {
        let _ = writeln!(out, "- and {} more", items.len() - LIST_MAX);
    }
}

/// Text of others as a line of ours: no control characters, no Markdown of its own, not endless.
fn line(text: &str) -> String {
    let text = one_line(text).replace('<', "&lt;");
    match text.char_indices().nth(LINE_MAX) {
        Some((at, _)) => format!("{}…", text[..at].trim_end()),
        None => text,
    }
}

fn task_line(open: &Open) -> String {
    let Open { task, state, waits_for } = open;
    let mut out = format!("{} {} {}: {}", task.alias(), task.priority.as_str(), state.as_str(), task.title);
    if let Some(hold) = &task.hold {
        let _ = write!(out, ", @{} until {} (claim {})", hold.agent, iso(hold.until), hold.fence);
    }
    if !waits_for.is_empty() {
        let _ = write!(out, ", waits for {}", waits_for.join(" "));
    }
    line(&out)
}

fn bottle_line(bottle: &Bottle, now: Millis) -> String {
    let from = bottle.from.as_deref().unwrap_or("?");
    let overdue = if bottle.is_overdue(now) { ", overdue" } else { "" };
    let date = bottle.date.as_deref().unwrap_or("no date");
    let id = bottle.id.short(12);
    line(&format!("{id} {from} → {}: {} ({date}{overdue})", bottle.to.join(", "), bottle.subject))
}

/// The newest handover that is addressed to `me`, as the bottle it is.
///
/// # Errors
/// [`ObjectError`] when the tree cannot be read.
pub fn newest(snapshot: &Snapshot<'_>, me: &Me) -> Result<Option<Bottle>, ObjectError> {
    let mut found = None;
    undo::walk_visible(snapshot, Kind::Bottle, |view| {
        let mine = view.trailer(HANDOVER).is_some()
            && view
                .values(bottle::TO)
                .filter_map(|to| Recipient::parse(to).ok())
                .any(|to| to == Recipient::Agent(me.name.clone()));
        if mine {
            found = Some(view.id);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    let Some(id) = found else { return Ok(None) };
    Ok(bottle::inbox(snapshot)?.bottles.into_iter().find(|bottle| bottle.id == id))
}

#[cfg(test)]
mod tests;
