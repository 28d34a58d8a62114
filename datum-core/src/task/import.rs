//! Task boards: the tasks as a board shows them, and a board that people have written in read back.
//!
//! A published board says what it was made from: its JSON. What a person ticked, unticked, retitled or moved in the
//! Markdown beside it is told from that, and becomes an entry where the task itself has not changed meanwhile. Where
//! it has, both values are named and nothing is done.

use super::draft::{self, Edit, New, Step};
use super::{Task, TaskError, Tasks, story};
use crate::entry::Draft;
use crate::id::EntryId;
use crate::name::{AgentName, Word};
use crate::publish::taskboard_file::{self, Board, BoardTask, Item, Priority, State};
use crate::snapshot::Snapshot;
use crate::stamp::{Millis, iso};
use std::collections::{BTreeMap, BTreeSet};

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
    let mut reader =
        Reader { snapshot, tasks: &tasks, file, agent, now, out: Imported::default(), new: BTreeSet::new() };
    let cards = match taskboard_file::parse(text)? {
        Board::Json(cards) => cards,
        Board::Markdown(_) => Vec::new(),
    };
    let markdown = without_json(text);
    let items = match taskboard_file::parse(&markdown)? {
        Board::Markdown(items) => items,
        Board::Json(_) => Vec::new(),
    };
    let mut lines: BTreeMap<&str, (&str, &Item<'_>)> = BTreeMap::new();
    let mut fresh = Vec::new();
    for item in &items {
        match taskboard_file::published(item.title) {
            Some((title, id)) if cards.iter().any(|card| card.id == id) => {
                lines.insert(id, (title, item));
            }
            _ => fresh.push(item),
        }
    }
    for card in &cards {
        reader.card(card, lines.get(card.id.as_str()).copied());
    }
    // Where programs wrote JSON beside headings of their own, a heading is no new task; a check box is.
    for item in fresh {
        reader.item(item, cards.iter().any(|card| item.title.contains(&card.title)));
    }
    Ok(reader.out)
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
    snapshot: &'r Snapshot<'r>,
    tasks: &'r Tasks,
    file: &'r str,
    agent: &'r AgentName,
    now: Millis,
    out: Imported,
    /// The sources of tasks this reading makes.
    new: BTreeSet<String>,
}

/// The parts of a task that a board's line shows and a person may change.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    title: String,
    priority: Priority,
    state: State,
}

impl Reader<'_> {
    fn known(&self, card: &BoardTask) -> Option<&Task> {
        let entry = card.extra.get(ENTRY).and_then(|value| value.as_str()).and_then(EntryId::from_hex);
        match entry {
            Some(id) => self.tasks.get(id),
            None => self.by_source(&self.source(&card.id)).or_else(|| self.tasks.find(&card.id).ok()),
        }
    }

    fn by_source(&self, source: &str) -> Option<&Task> {
        self.tasks.all().iter().find(|task| task.source.as_deref() == Some(source))
    }

    /// Where a task comes from, as one line that fits a trailer.
    fn source(&self, id: &str) -> String {
        let line: String = format!("{} {id}", self.file).split_whitespace().collect::<Vec<_>>().join(" ");
        line.chars().filter(|c| !c.is_control()).take(300).collect()
    }

    fn card(&mut self, card: &BoardTask, line: Option<(&str, &Item<'_>)>) {
        let Some(task) = self.known(card).cloned() else {
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
            self.out.conflicts.push(format!(
                "{alias}: its line is gone; it stays {}, datum task cancel {alias} calls it off",
                current.state.as_str()
            ));
        }
        self.merge(&task, &base, &current, wish);
    }

    /// Adds what `wish` changes of `base`, unless `current` has changed the same meanwhile.
    fn merge(&mut self, task: &Task, base: &Shown, current: &Shown, wish: Shown) {
        let alias = task.alias();
        let mut edit = Edit::default();
        let mut conflict = |field: &str, board: &str, now: &str| {
            self.out
                .conflicts
                .push(format!("{alias}: the board says {field} {board}, meanwhile it became {now}"));
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
        if edit != Edit::default()
            && let Some(story) = story(self.snapshot, task.id)
        {
            let words = [
                edit.title.as_ref().map(|title| format!("title {title}")),
                edit.priority.map(|p| format!("priority {}", p.as_str())),
            ];
            let words = words.into_iter().flatten().collect::<Vec<_>>().join(", ");
            self.add(&alias, &words, draft::edit(self.tasks, &story, &edit));
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
        let Some(story) = story(self.snapshot, task.id) else { return };
        let reason = format!("by {}", self.file);
        let drafted = draft::step(&story, step, &reason, self.agent, self.now, (None, false));
        self.add(&task.alias(), to.as_str(), drafted);
    }

    fn add(&mut self, alias: &str, what: &str, drafted: Result<Draft, TaskError>) {
        match drafted {
            Ok(draft) => {
                self.out.drafts.push(draft);
                self.out.done.push(format!("{alias}: {what}"));
            }
            Err(error) => self.out.conflicts.push(format!("{alias}: the board says {what}, but {error}")),
        }
    }

    /// Takes a line that no task in the JSON has.
    fn item(&mut self, item: &Item<'_>, shown_already: bool) {
        let title = taskboard_file::unescape(item.title);
        let source = self.source(&item.id.map_or_else(|| format!("· {title}"), str::to_owned));
        if let Some(task) = self.by_source(&source).cloned() {
            if item.done && !task.is_closed() {
                self.step(&task, State::Done);
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
        self.add("new", &format!("{}{words}", new.title), drafted);
    }
}

fn words(texts: &[String]) -> Vec<Word> {
    texts.iter().filter_map(|text| Word::new("word", text).ok()).collect()
}
