//! Task boards: the tasks as a board shows them, and a board that people have written in read back.
//!
//! A published board says what it was made from: its JSON. What a person ticked, unticked, retitled or moved in the
//! Markdown beside it is told from that, and becomes an entry where the task itself has not changed meanwhile. Where
//! it has, both values are named and nothing is done.

use super::draft;
use super::story::stories;
use super::{ALIAS_LEN, Edit, New, Step, Task, TaskError, Tasks};
use crate::entry::Draft;
use crate::id::EntryId;
use crate::name::{AgentName, Word};
use crate::publish::taskboard_file::{self, Board, BoardTask, Item, Priority, State};
use crate::snapshot::Snapshot;
use crate::stamp::{Millis, iso};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The member of a board's task that holds its whole id.
const ENTRY: &str = "entry";

/// The tasks as a board shows them, the most urgent and then the oldest first.
///
/// It says what the entries say and asks no clock, so the same state makes the same board.
pub fn board(tasks: &Tasks) -> Vec<BoardTask> {
    let aliases = |ids: &BTreeSet<EntryId>| ids.iter().map(|id| super::alias(*id).into()).collect();
    let card = |task: &Task| {
        let mut extra = BTreeMap::from([(ENTRY.to_owned(), task.id.to_string().into())]);
        if !task.needs.is_empty() {
            extra.insert("needs".to_owned(), serde_json::Value::Array(aliases(&task.needs)));
        }
        BoardTask {
            id: task.alias(),
            title: task.title.clone(),
            description: task.text.clone(),
            priority: task.priority,
            status: task.state,
            assigned_to: task.hold.as_ref().map(|hold| hold.agent.clone()),
            requested_by: task.requester.clone(),
            required_capabilities: task.caps.iter().cloned().collect(),
            tags: task.tags.iter().cloned().collect(),
            created_at: Some(iso(task.created)),
            updated_at: Some(iso(task.updated)),
            extra,
        }
    };
    tasks.all().iter().map(card).collect()
}

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
/// [`taskboard_file::Error`] with line and column where the board's JSON is broken; then nothing is to be added.
pub fn import(
    snapshot: &Snapshot<'_>,
    text: &str,
    file: &str,
    agent: &AgentName,
    now: Millis,
) -> Result<Imported, taskboard_file::Error> {
    let tasks = super::fold(snapshot);
    let sources = tasks.all().iter().rev().filter_map(|task| Some((task.source.as_deref()?, task))).collect();
    let mut reader =
        Reader { tasks: &tasks, sources, file, wishes: Vec::new(), new: BTreeSet::new(), known: 0 };
    let cards = match taskboard_file::parse(text)? {
        Board::Json(cards) => cards,
        Board::Markdown(_) => Vec::new(),
    };
    let markdown = without_json(text);
    let items = match taskboard_file::parse(&markdown)? {
        Board::Markdown(items) => items,
        Board::Json(_) => Vec::new(),
    };
    let ids: BTreeSet<&str> = cards.iter().map(|card| card.id.as_str()).collect();
    let mut lines: BTreeMap<&str, (&str, &Item<'_>)> = BTreeMap::new();
    let mut fresh = Vec::new();
    for item in &items {
        match taskboard_file::published(item.title) {
            Some((title, id)) if ids.contains(id) => {
                lines.insert(id, (title, item));
            }
            Some((_, id)) if id.len() >= "T-".len() + ALIAS_LEN && tasks.find(id).is_ok() => {
                reader.bare(id, item);
            }
            _ => fresh.push(item),
        }
    }
    for card in &cards {
        reader.card(card, lines.get(card.id.as_str()).copied());
    }
    // Where programs wrote JSON beside headings of their own, a heading is no new task; a check box is.
    for item in fresh {
        let shows = |card: &BoardTask| !card.title.is_empty() && item.title.contains(&card.title);
        reader.item(item, cards.iter().any(shows));
    }
    let wishes = reader.wishes;
    let mut out = Imported { known: reader.known, ..Imported::default() };
    // Whatever a board changes, the log is walked once for it.
    let changed = wishes.iter().filter_map(|wish| wish.what.task()).collect();
    let stories = stories(snapshot, &changed);
    for Wish { alias, says, what } in wishes {
        let story = what.task().and_then(|id| stories.get(&id));
        let drafted = match (what, story) {
            (What::Make(drafted), _) => drafted,
            (What::Refused(conflict), _) => {
                out.conflicts.push(conflict);
                continue;
            }
            (What::Edit(_, edit), Some(story)) => draft::edit(&tasks, story, &edit),
            (What::Step(_, step), Some(story)) => {
                draft::step(story, step, &format!("by {file}"), agent, now, (None, false))
            }
            (_, None) => continue,
        };
        match drafted {
            Ok(draft) => {
                out.drafts.push(draft);
                out.done.push(format!("{alias}: {says}"));
            }
            Err(error) => out.conflicts.push(format!("{alias}: the board says {says}, but {error}")),
        }
    }
    Ok(out)
}

/// What a board asks for.
struct Wish {
    alias: String,
    /// The same in words.
    says: String,
    what: What,
}

enum What {
    Make(Result<Draft, TaskError>),
    /// It cannot have it.
    Refused(String),
    Edit(EntryId, Box<Edit>),
    Step(EntryId, Step),
}

impl What {
    /// The task that is changed.
    fn task(&self) -> Option<EntryId> {
        match self {
            Self::Make(_) | Self::Refused(_) => None,
            Self::Edit(id, _) | Self::Step(id, _) => Some(*id),
        }
    }
}

/// The board without its JSON, line numbers kept.
fn without_json(text: &str) -> String {
    let Some(start) = text.rfind(taskboard_file::JSON_START) else { return text.to_owned() };
    let end = text[start..].find(taskboard_file::JSON_END).map_or(text.len(), |at| start + at);
    let blank = "\n".repeat(text[start..end].matches('\n').count());
    let rest = text[end..].trim_start_matches(taskboard_file::JSON_END);
    format!("{}{blank}{rest}", &text[..start])
}

struct Reader<'r> {
    tasks: &'r Tasks,
    /// Tasks by where they come from; the most urgent of several.
    sources: HashMap<&'r str, &'r Task>,
    file: &'r str,
    wishes: Vec<Wish>,
    /// The sources of tasks this reading makes.
    new: BTreeSet<String>,
    known: usize,
}

/// The parts of a task that a board's line shows and a person may change.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    title: String,
    priority: Priority,
    state: State,
}

impl<'r> Reader<'r> {
    fn known(&self, card: &BoardTask) -> Option<&'r Task> {
        let entry = card.extra.get(ENTRY).and_then(|value| value.as_str()).and_then(EntryId::from_hex);
        match entry {
            Some(id) => self.tasks.get(id),
            None => self.by_source(&self.source(&card.id)).or_else(|| self.tasks.find(&card.id).ok()),
        }
    }

    fn by_source(&self, source: &str) -> Option<&'r Task> {
        self.sources.get(source).copied()
    }

    /// Where a task comes from, as one line that fits a trailer.
    fn source(&self, id: &str) -> String {
        let line: String = format!("{} {id}", self.file).split_whitespace().collect::<Vec<_>>().join(" ");
        line.chars().filter(|c| !c.is_control()).take(300).collect()
    }

    fn card(&mut self, card: &BoardTask, line: Option<(&str, &Item<'_>)>) {
        let Some(task) = self.known(card) else {
            let source = self.source(&card.id);
            let ticked = line.is_some_and(|(_, item)| item.done);
            let state = if ticked { State::Done } else { card.status };
            let new = New {
                title: card.title.clone(),
                text: card.description.clone(),
                priority: card.priority,
                caps: words(&card.required_capabilities),
                tags: words(&card.tags),
                requester: card.requested_by.as_deref().and_then(|name| AgentName::new(name).ok()),
                source: Some(source),
                ..New::default()
            };
            return self.make(&new, state, card.assigned_to.as_deref());
        };
        self.known += 1;
        let current = Shown { title: task.title.clone(), priority: task.priority, state: task.state };
        let written = Shown { title: card.title.clone(), priority: card.priority, state: card.status };
        let unchanged = card.updated_at.as_deref() == Some(&iso(task.updated));
        // A task that has not changed since is its own base, and then the JSON may have been edited by hand.
        let base = if unchanged { current.clone() } else { written.clone() };
        let mut wish = if unchanged { written } else { base.clone() };
        if let Some((title, item)) = line {
            let title = taskboard_file::unescape(title);
            if title != taskboard_file::shown_title(&base.title) {
                wish.title = title;
            }
            if let Some(priority) = item.priority.filter(|priority| *priority != base.priority) {
                wish.priority = priority;
            }
            match (item.done, base.state) {
                (true, state) if state != State::Done => wish.state = State::Done,
                (false, State::Done) => wish.state = State::Open,
                _ => {}
            }
        } else if !task.is_closed() && card.extra.contains_key(ENTRY) {
            let alias = task.alias();
            self.refuse(format!(
                "{alias}: its line is gone; it stays {}, datum task cancel {alias} calls it off",
                current.state.as_str()
            ));
        }
        self.merge(task, &base, &current, wish);
    }

    /// Adds what `wish` changes of `base`, unless `current` has changed the same meanwhile.
    fn merge(&mut self, task: &Task, base: &Shown, current: &Shown, wish: Shown) {
        let alias = task.alias();
        let mut edit = Edit::default();
        let mut conflict = |field: &str, board: &str, now: &str| {
            self.refuse(format!("{alias}: the board says {field} {board}, meanwhile it became {now}"));
        };
        if wish.title != base.title && wish.title != current.title {
            if current.title == base.title {
                edit.title = Some(wish.title);
            } else {
                conflict("title", &wish.title, &current.title);
            }
        }
        if wish.priority != base.priority && wish.priority != current.priority {
            if current.priority == base.priority {
                edit.priority = Some(wish.priority);
            } else {
                conflict("priority", wish.priority.as_str(), current.priority.as_str());
            }
        }
        let moved = wish.state != base.state && wish.state != current.state;
        // Whoever has begun it meanwhile, a task that is not closed can still be done.
        let overtaken = current.state != base.state && (task.is_closed() || wish.state != State::Done);
        if moved && overtaken {
            conflict("state", wish.state.as_str(), current.state.as_str());
        } else if moved {
            self.step(task, wish.state);
        }
        if edit != Edit::default() {
            let words = [
                edit.title.as_ref().map(|title| format!("title {title}")),
                edit.priority.map(|p| format!("priority {}", p.as_str())),
            ];
            let words = words.into_iter().flatten().collect::<Vec<_>>().join(", ");
            self.wish(alias, words, What::Edit(task.id, Box::new(edit)));
        }
    }

    fn step(&mut self, task: &Task, to: State) {
        let step = match to {
            State::Done => Step::Finish,
            State::Open | State::InProgress => Step::Reopen,
            State::Blocked => Step::Block,
            State::Review => Step::Review,
            State::Cancelled => Step::Cancel,
        };
        self.wish(task.alias(), to.as_str().to_owned(), What::Step(task.id, step));
    }

    /// A line of a published board whose JSON is gone: whether the person or the task has changed since cannot be told.
    fn bare(&mut self, alias: &str, item: &Item<'_>) {
        let Ok(task) = self.tasks.find(alias) else { return };
        self.known += 1;
        if item.done != (task.state == State::Done) {
            let (board, state) = (if item.done { "done" } else { "not done" }, task.state.as_str());
            self.refuse(format!(
                "{alias}: the board says {board} and the task is {state}, but the board's JSON is gone, which tells \
                 who changed; remove the file, and datum publish makes it anew"
            ));
        }
    }

    fn refuse(&mut self, conflict: String) {
        self.wish(String::new(), String::new(), What::Refused(conflict));
    }

    fn wish(&mut self, alias: String, says: String, what: What) {
        self.wishes.push(Wish { alias, says, what });
    }

    /// Takes a line that no task in the JSON has.
    fn item(&mut self, item: &Item<'_>, shown_already: bool) {
        let title = taskboard_file::unescape(item.title);
        let source = self.source(&item.id.map_or_else(|| format!("· {title}"), str::to_owned));
        if let Some(task) = self.by_source(&source) {
            self.known += 1;
            if item.done && !task.is_closed() {
                self.step(task, State::Done);
            }
            return;
        }
        if shown_already {
            return;
        }
        let state = if item.done { State::Done } else { item.state.unwrap_or_default() };
        let new = New {
            title,
            priority: item.priority.unwrap_or_default(),
            source: Some(source),
            ..New::default()
        };
        self.make(&new, state, item.assignee);
    }

    fn make(&mut self, new: &New, state: State, assignee: Option<&str>) {
        let source = new.source.clone().unwrap_or_default();
        if !self.new.insert(source) {
            return;
        }
        // Whoever the board says has it has no claim here, so it is open until someone makes one.
        let state = if state == State::InProgress { State::Open } else { state };
        let drafted = draft::create_as(new, state, assignee);
        let words = if state == State::Open { String::new() } else { format!(", {}", state.as_str()) };
        self.wish("new".to_owned(), format!("{}{words}", new.title), What::Make(drafted));
    }
}

fn words(texts: &[String]) -> Vec<Word> {
    texts.iter().filter_map(|text| Word::new("word", text).ok()).collect()
}
