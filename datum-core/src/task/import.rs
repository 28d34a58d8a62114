//! A task board that people have written in, read back.
//!
//! A published board says what it was made from: its JSON, each task of it sealed. What a person changed in it, or in
//! the Markdown beside it, is told from that, and becomes an entry where the task itself has not changed meanwhile.
//! Where it has, both values are named and nothing is done.

mod listed;
mod merge;
mod names;

use super::board::{ENTRY, NEEDS, PARENT, card};
use super::story::{as_of, stories};
use super::{Edit, New, Step, TaskError, Tasks, draft};
use crate::entry::Draft;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::name::{AgentName, Word};
use crate::publish::plan::BOARD;
use crate::publish::taskboard_file::{self, Board, BoardTask, Item, Place, State};
use crate::snapshot::Snapshot;
use crate::stamp::Millis;
use listed::{Listed, Named};
use merge::{Merged, Sides, merge};
use names::Names;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// What reading a board back comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// The entries to add.
    pub drafts: Vec<Draft>,
    /// What each of them does, in words.
    pub done: Vec<String>,
    /// What the board asks for and cannot have, and why.
    pub conflicts: Vec<String>,
    /// How many of its tasks are here already.
    pub known: usize,
}

/// Reads a board, named `file`, back: what people changed in it becomes entries by `agent`.
///
/// Reading the same board again adds nothing.
///
/// # Errors
/// [`taskboard_file::Error`] with the line where the board's JSON is broken or a merge left its marks; then nothing is
/// to be added.
pub fn import(
    snapshot: &Snapshot<'_>,
    text: &str,
    file: &str,
    agent: &AgentName,
    now: Millis,
) -> Result<Imported, taskboard_file::Error> {
    let tasks = super::fold(snapshot);
    let sources = tasks.all().iter().rev().filter_map(|task| Some((task.source.as_deref()?, task))).collect();
    let names = Names { tasks: &tasks, sources: &sources, file };
    let cards = match taskboard_file::parse(text)? {
        Board::Json(cards) => cards,
        Board::Markdown(_) => Vec::new(),
    };
    let markdown = without_json(text);
    let items = match taskboard_file::parse(&markdown)? {
        Board::Markdown(items) => items,
        Board::Json(_) => Vec::new(),
    };
    let listed = listed::once(names, &cards, &taskboard_file::places(text), &items);
    let mut reader = Reader { names, wishes: Vec::new(), known: 0 };
    listed.conflicts.iter().for_each(|conflict| reader.refuse(conflict.clone()));
    reader.cards(snapshot, &listed);
    let is_ours = cards.iter().any(|card| card.seal().is_some());
    for (name, item) in &listed.lines {
        match name {
            Named::Card(_) => {}
            Named::Bare(id) => reader.bare(*id, item),
            // Where programs wrote JSON beside headings of their own, a heading is no new task; a check box is.
            Named::New(source) => {
                let shows = |card: &BoardTask| !card.title.is_empty() && item.title.contains(&card.title);
                reader.item(item, source, !is_ours && cards.iter().any(shows));
            }
        }
    }
    Ok(reader.drafted(snapshot, agent, now))
}

/// What a board asks for.
enum Wish {
    /// A new task, and it in words.
    Make(String, Result<Draft, TaskError>),
    /// It cannot have it.
    Refused(String),
    /// Another task than it was.
    Change(EntryId, Box<Merged>),
}

/// The board without its JSON, line numbers kept.
fn without_json(text: &str) -> String {
    let Some(start) = text.rfind(taskboard_file::JSON_START) else { return text.to_owned() };
    let end = text[start..].find(taskboard_file::JSON_END).map_or(text.len(), |at| start + at);
    let blank = "\n".repeat(text[start..end].matches('\n').count());
    let rest = text[end..].trim_start_matches(taskboard_file::JSON_END);
    format!("{}{blank}{rest}", &text[..start])
}

/// Whether datum published a task, also where a person took a part of what says so out of its JSON.
fn is_published(card: &BoardTask) -> bool {
    card.extra.contains_key(ENTRY) || card.seal().is_some()
}

/// The entry that made a published task.
fn entry(card: &BoardTask) -> Option<EntryId> {
    card.extra.get(ENTRY)?.as_str().and_then(EntryId::from_hex)
}

/// Whether a board has tasks whose entries are not here: whoever overwrote it would take them from others.
pub fn has_absent(snapshot: &Snapshot<'_>, text: &str) -> bool {
    let Ok(Board::Json(cards)) = taskboard_file::parse(text) else { return false };
    let entries: BTreeSet<EntryId> = cards.iter().filter_map(entry).collect();
    held(snapshot, &entries).len() < entries.len()
}

/// Those of `entries` that the logs hold, undone or not. The commits are not asked: after a compaction segments alone are left.
fn held(snapshot: &Snapshot<'_>, entries: &BTreeSet<EntryId>) -> BTreeSet<EntryId> {
    let mut found = BTreeSet::new();
    if !entries.is_empty() {
        snapshot.walk_hinted(Kind::Task, None, |view| {
            found.extend(entries.get(&view.id));
            ControlFlow::Continue(())
        });
    }
    found
}

struct Reader<'r> {
    names: Names<'r>,
    wishes: Vec<Wish>,
    known: usize,
}

impl Reader<'_> {
    fn cards(&mut self, snapshot: &Snapshot<'_>, listed: &Listed<'_>) {
        let known: Vec<_> = listed.cards.iter().map(|(card, _)| self.names.known(card)).collect();
        let now: Vec<_> = known.iter().map(|task| task.map(card)).collect();
        let both = || listed.cards.iter().zip(known.iter().zip(&now));
        // Published earlier than the task last changed, and its JSON changed by hand: what it was then tells the log.
        let is_lost = |(written, _): &(&BoardTask, Place<'_>), now: &BoardTask| {
            is_published(written) && !written.is_as_sealed() && written.seal() != now.seal()
        };
        let lost = both().filter_map(|(card, (task, now))| {
            let (task, now) = (task.as_ref()?, now.as_ref()?);
            is_lost(card, now).then_some((task.id, time(card.0.updated_at.as_deref()?)?))
        });
        let then = as_of(snapshot, &lost.collect());
        let absent = both().filter(|(_, (task, _))| task.is_none() && self.names.file == BOARD);
        let absent = absent.filter_map(|((card, _), _)| entry(card)).collect();
        let undone = held(snapshot, &absent);
        for ((written, place), (task, now)) in both() {
            let line = listed.line(&written.id);
            let (Some(task), Some(now)) = (*task, now) else {
                self.absent(&undone, written, *place, line);
                continue;
            };
            self.known += 1;
            let then = then.get(task.id).map(card).filter(|then| then.seal() == written.seal());
            // What others made says nothing of how it was before: it tells by its lines alone.
            let base = if !is_published(written) || written.is_as_sealed() {
                Some(*written)
            } else if written.seal() == now.seal() {
                Some(now)
            } else {
                then.as_ref()
            };
            let merged = merge(self.names, Sides { task, base, now, json: written, place: *place, line });
            if line.is_none() && !task.is_closed() && written.extra.contains_key(ENTRY) {
                let (alias, state) = (task.alias(), task.state.as_str());
                self.refuse(format!(
                    "{alias}: its line is gone; it stays {state}, datum task cancel {alias} calls it off"
                ));
            }
            self.wishes.push(Wish::Change(task.id, Box::new(merged)));
        }
    }

    /// Takes a task of the JSON that is not here: a new one, but in this repository's own board one that was undone, or that
    /// came with the board and whose entries have not come yet.
    fn absent(
        &mut self,
        undone: &BTreeSet<EntryId>,
        card: &BoardTask,
        place: Place<'_>,
        line: Option<&Item<'_>>,
    ) {
        let entry = entry(card).filter(|_| self.names.file == BOARD);
        let why = match entry.map(|id| undone.contains(&id)) {
            None => return self.new_card(card, place, line),
            Some(true) if card.is_as_sealed() => return,
            Some(true) => "was undone",
            Some(false) => "is not here yet: datum sync brings it",
        };
        self.refuse(format!("{}, line {}: this task {why}; nothing of it is imported", card.id, place.line));
    }

    fn new_card(&mut self, card: &BoardTask, place: Place<'_>, line: Option<&Item<'_>>) {
        let mut wrong = Vec::new();
        let mut refuse = |member: &str, of: Option<&str>, why: String| {
            let line = place.line_of(member, of);
            wrong.push(format!("{}, line {line}: {why}; nothing of this task is imported", card.id));
        };
        let mut words = |member: &str, what: &'static str, texts: &[String]| -> Vec<Word> {
            let word = |text: &String| {
                let word = Word::new(what, text);
                word.map_err(|error| refuse(member, Some(text), error.to_string())).ok()
            };
            texts.iter().filter_map(word).collect()
        };
        let caps = words("required_capabilities", "capability", &card.required_capabilities);
        let tags = words("tags", "tag", &card.tags);
        let mut ways = |member: &str, found: Option<Vec<&str>>| -> Vec<EntryId> {
            if found.is_none() {
                refuse(member, None, format!("{member} is no name of a task"));
            }
            let id = |name: &str| {
                let id = self.names.find(name);
                id.map_err(|error| refuse(member, Some(name), format!("{member}: {error}"))).ok()
            };
            found.unwrap_or_default().into_iter().filter_map(id).collect()
        };
        let needs = ways(NEEDS, names::needs(card));
        let parent = ways(PARENT, names::parent(card)).first().copied();
        if !wrong.is_empty() {
            return wrong.into_iter().for_each(|wrong| self.refuse(wrong));
        }
        let ticked = line.is_some_and(|item| item.done);
        let new = New {
            title: card.title.clone(),
            text: card.description.clone(),
            priority: card.priority,
            caps,
            tags,
            needs,
            parent,
            requester: card.requested_by.as_deref().and_then(|name| AgentName::new(name).ok()),
            source: Some(self.names.source(&card.id)),
        };
        self.make(&new, if ticked { State::Done } else { card.status }, card.assigned_to.as_deref());
    }

    /// A line of a published board whose JSON is gone: whether the person or the task has changed since cannot be told.
    fn bare(&mut self, id: EntryId, item: &Item<'_>) {
        let Some(task) = self.names.tasks.get(id) else { return };
        self.known += 1;
        if item.done != (task.state == State::Done) {
            let (board, state) = (if item.done { "done" } else { "not done" }, task.state.as_str());
            self.refuse(format!(
                "{}: the board says {board} and the task is {state}, but the board's JSON is gone, which tells \
                 who changed; remove the file, and datum publish makes it anew",
                task.alias()
            ));
        }
    }

    fn refuse(&mut self, conflict: String) {
        self.wishes.push(Wish::Refused(conflict));
    }

    /// Takes a line that no task in the JSON has.
    fn item(&mut self, item: &Item<'_>, source: &str, shown_already: bool) {
        if let Some(task) = self.names.by_source(source) {
            self.known += 1;
            if item.done && !task.is_closed() {
                let state = Some((item.line, State::Done));
                self.wishes.push(Wish::Change(task.id, Box::new(Merged { state, ..Merged::default() })));
            } else if !item.done && task.is_closed() && self.names.file == BOARD {
                // Written again, or not yet published since: only people know.
                let (alias, state) = (task.alias(), task.state.as_str());
                self.refuse(format!(
                    "line {}: {:?} was imported as {alias}, which is {state}; datum task reopen {alias} takes it up \
                     again, other words make a new task, without the line nothing is asked for",
                    item.line,
                    taskboard_file::unescape(item.title)
                ));
            }
            return;
        }
        if shown_already {
            return;
        }
        let state = if item.done { State::Done } else { item.state.unwrap_or_default() };
        let new = New {
            title: taskboard_file::unescape(item.title),
            priority: item.priority.unwrap_or_default(),
            source: Some(source.to_owned()),
            ..New::default()
        };
        self.make(&new, state, item.assignee);
    }

    fn make(&mut self, new: &New, state: State, assignee: Option<&str>) {
        // Whoever the board says has it has no claim here, so it is open until someone makes one.
        let state = if state == State::InProgress { State::Open } else { state };
        let words = if state == State::Open { String::new() } else { format!(", {}", state.as_str()) };
        let drafted = draft::create_as(new, state, assignee);
        self.wishes.push(Wish::Make(format!("new: {}{words}", new.title), drafted));
    }

    fn drafted(self, snapshot: &Snapshot<'_>, agent: &AgentName, now: Millis) -> Imported {
        let Self { names: Names { tasks, file, .. }, wishes, known } = self;
        let edits = wishes.iter().filter_map(|wish| match wish {
            Wish::Change(id, merged) => Some((*id, &merged.edit)),
            _ => None,
        });
        let circular = circular(tasks, edits.collect());
        // Whatever a board changes, the log is walked once for it.
        let changed = wishes.iter().filter_map(|wish| match wish {
            Wish::Change(id, merged) if !merged.is_nothing() => Some(*id),
            _ => None,
        });
        let stories = stories(snapshot, &changed.collect());
        let mut out = Imported { known, ..Imported::default() };
        for wish in wishes {
            match wish {
                Wish::Refused(conflict) => out.conflicts.push(conflict),
                Wish::Make(says, Ok(draft)) => out.add(says, draft),
                Wish::Make(says, Err(error)) => {
                    out.conflicts.push(format!("the board says {says}, but {error}"));
                }
                Wish::Change(id, merged) => {
                    let Merged { edit, words, state, ways, conflicts } = *merged;
                    out.conflicts.extend(conflicts);
                    let Some(story) = stories.get(&id) else { continue };
                    let alias = story.task.alias();
                    if let Some(error) = circular.get(&id) {
                        let what = format!("{alias}, line {ways}: {error}; nothing of this task is imported");
                        out.conflicts.push(what);
                        continue;
                    }
                    if edit != Edit::default() {
                        let says = words.join(", ");
                        match draft::edit_alone(story, &edit) {
                            Ok(draft) => out.add(format!("{alias}: {says}"), draft),
                            Err(error) => {
                                out.conflicts.push(format!("{alias}: the board says {says}, but {error}"));
                                continue;
                            }
                        }
                    }
                    let Some((line, state)) = state else { continue };
                    let (says, by) = (state.as_str(), format!("by {file}"));
                    match draft::step(story, step_to(state), &by, agent, now, (None, false)) {
                        Ok(draft) => out.add(format!("{alias}: {says}"), draft),
                        Err(error) => {
                            let what = format!("{alias}, line {line}: the board says {says}, but {error}");
                            out.conflicts.push(what);
                        }
                    }
                }
            }
        }
        out
    }
}

impl Imported {
    fn add(&mut self, says: String, draft: Draft) {
        self.drafts.push(draft);
        self.done.push(says);
    }
}

fn step_to(state: State) -> Step {
    match state {
        State::Done => Step::Finish,
        State::Open | State::InProgress => Step::Reopen,
        State::Blocked => Step::Block,
        State::Review => Step::Review,
        State::Cancelled => Step::Cancel,
    }
}

/// The edits that would make a task wait for itself or be a part of itself, were all the others made.
fn circular(tasks: &Tasks, mut edits: BTreeMap<EntryId, &Edit>) -> BTreeMap<EntryId, TaskError> {
    edits.retain(|_, edit| edit.parent.is_some() || !edit.needs.is_empty() || !edit.no_needs.is_empty());
    let mut circular = BTreeMap::new();
    // What is refused may be what kept another one straight.
    while !edits.is_empty() {
        let planned = tasks.with(&edits);
        let wrong = |(id, edit): (&EntryId, &&Edit)| {
            let error = draft::check_ways(&planned, planned.get(*id)?, edit).err()?;
            Some((*id, error))
        };
        let wrong: BTreeMap<_, _> = edits.iter().filter_map(wrong).collect();
        if wrong.is_empty() {
            break;
        }
        edits.retain(|id, _| !wrong.contains_key(id));
        circular.extend(wrong);
    }
    circular
}

fn time(text: &str) -> Option<Millis> {
    text.parse::<jiff::Timestamp>().ok()?.as_millisecond().try_into().ok()
}
