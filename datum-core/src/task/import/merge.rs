//! One task of a board, three ways: as it was published, as the board says now, and as it is meanwhile.
//!
//! What the board says counts only where it differs from what was published. A word, a dependency or a capability that
//! is put in or taken out never stands against others of its set; any other field that has changed meanwhile does, and
//! then both values are named and the task keeps its own.

use super::names::{self, Names};
use crate::entry::Draft;
use crate::name::{AgentName, NameError, Word};
use crate::publish::one_line;
use crate::publish::taskboard_file::{self, BoardTask, Item, Place, Priority, SEAL, State};
use crate::task::board::{ENTRY, NEEDS, PARENT};
use crate::task::{Edit, Parent, Task};
use crate::{EntryId, task};
use std::collections::{BTreeMap, BTreeSet};

/// The three ways, and where the board has them.
#[derive(Clone, Copy)]
pub(super) struct Sides<'a> {
    pub(super) task: &'a Task,
    /// As it was published; `None` where that can no longer be told.
    pub(super) base: Option<&'a BoardTask>,
    pub(super) now: &'a BoardTask,
    pub(super) json: &'a BoardTask,
    pub(super) place: Place<'a>,
    pub(super) line: Option<&'a Item<'a>>,
}

/// What a board asks for of one task.
#[derive(Default)]
pub(super) struct Merged {
    pub(super) edit: Edit,
    /// The edit in words.
    pub(super) words: Vec<String>,
    /// The line that asks for a state, and the state.
    pub(super) state: Option<(usize, State)>,
    /// The line that says what it needs or is a part of, where that changes.
    pub(super) ways: usize,
    pub(super) conflicts: Vec<String>,
}

impl Merged {
    /// Whether the task stays as it is.
    pub(super) fn is_nothing(&self) -> bool {
        self.edit == Edit::default() && self.state.is_none()
    }
}

/// Merges one task.
pub(super) fn merge(names: Names<'_>, sides: Sides<'_>) -> Merged {
    let mut merge = Merge { names, sides, out: Merged::default(), refused: false };
    // Its JSON as it was published asks for nothing.
    if sides.base != Some(sides.json) {
        merge.shape();
        merge.words();
        merge.ways();
    }
    merge.line();
    if merge.refused {
        return Merged { conflicts: merge.out.conflicts, ..Merged::default() };
    }
    merge.out
}

struct Merge<'a> {
    names: Names<'a>,
    sides: Sides<'a>,
    out: Merged,
    /// Something of it makes no sense: then nothing of it is done, so that nothing is done by halves.
    refused: bool,
}

impl<'a> Merge<'a> {
    /// What the board is read against.
    fn reference(&self) -> &'a BoardTask {
        self.sides.base.unwrap_or(self.sides.now)
    }

    fn conflict(&mut self, line: usize, what: &str) {
        self.out.conflicts.push(format!("{}, line {line}: {what}", self.sides.task.alias()));
    }

    fn refuse(&mut self, line: usize, what: &str) {
        self.refused = true;
        self.conflict(line, &format!("{what}; nothing of this task is imported"));
    }

    /// Refuses what a board's JSON cannot change.
    fn shape(&mut self) {
        let Sides { json, place, .. } = self.sides;
        let reference = self.reference();
        let fixed =
            [("id", json.id != reference.id), ("created_at", json.created_at != reference.created_at)];
        for (member, _) in fixed.into_iter().filter(|(_, changed)| *changed) {
            self.conflict(place.line_of(member, None), &format!("{member} cannot be changed"));
        }
        let ours = |member: &str| [ENTRY, NEEDS, PARENT, SEAL].contains(&member);
        for member in json.extra.keys().filter(|key| !ours(key) && !reference.extra.contains_key(*key)) {
            let what = format!("{member:?} is nothing that a task has here");
            self.conflict(place.line_of(member, None), &what);
        }
        if names::needs(json).is_none() {
            self.refuse(place.line_of(NEEDS, None), "needs is to be a list of tasks, as in [\"T-4k9x2ma\"]");
        }
        if names::parent(json).is_none() {
            self.refuse(place.line_of(PARENT, None), "parent is to be a task, as in \"T-4k9x2ma\"");
        }
    }

    fn words(&mut self) {
        let set = |words: &[String]| words.iter().cloned().collect();
        let (member, what) = ("required_capabilities", "capability");
        let (more, less) = self.changed(member, |card| set(&card.required_capabilities));
        self.out.edit.caps = self.checked(member, what, &more);
        self.out.edit.no_caps = self.checked(member, what, &less);
        let (more, less) = self.changed("tags", |card| set(&card.tags));
        self.out.edit.tags = self.checked("tags", "tag", &more);
        self.out.edit.no_tags = self.checked("tags", "tag", &less);
    }

    fn checked(&mut self, member: &str, what: &'static str, texts: &[String]) -> Vec<Word> {
        let mut words = Vec::new();
        for text in texts {
            match Word::new(what, text) {
                Ok(word) => words.push(word),
                Err(error) => {
                    self.refuse(self.sides.place.line_of(member, Some(text)), &error.to_string());
                }
            }
        }
        words
    }

    fn ways(&mut self) {
        let Sides { task, json, place, .. } = self.sides;
        let names = self.names;
        let (more, less) = self.changed(NEEDS, |card| names.needs(task, card));
        let written: BTreeMap<String, &str> = if more.is_empty() {
            BTreeMap::new()
        } else {
            let written = names::needs(json).unwrap_or_default().into_iter();
            written.map(|written| (names.whole(task, written), written)).collect()
        };
        for name in more {
            let line = place.line_of(NEEDS, written.get(&name).copied());
            match names.find(&name) {
                Ok(id) => self.out.edit.needs.push(id),
                Err(error) => self.refuse(line, &format!("needs: {error}")),
            }
            self.out.ways = line;
        }
        let had = |name: &String| task.needs.iter().copied().find(|id| id.to_string() == *name);
        self.out.edit.no_needs = less.iter().filter_map(had).collect();
        let Some((line, name)) = self.settle(PARENT, PARENT, |card| names.parent(task, card), None) else {
            return;
        };
        self.out.ways = line;
        match name.as_deref().map(|name| names.find(name)).transpose() {
            Ok(id) => {
                self.out.edit.parent = Some(id.map_or(Parent::Nothing, Parent::Task));
                self.said(PARENT, name.as_deref());
            }
            Err(error) => self.refuse(line, &format!("parent: {error}")),
        }
    }

    /// The fields that a board's line may show as well.
    fn line(&mut self) {
        let (reference, item) = (self.reference(), self.sides.line);
        let line = item.and_then(|item| taskboard_file::published(item.title));
        let at = item.map_or(0, |item| item.line);
        let title = line.filter(|line| line.title != taskboard_file::escape(&reference.title));
        let title = title.map(|line| (at, taskboard_file::unescape(line.title)));
        if let Some((at, Some(title))) = self.settle("title", "title", |card| Some(card.title.clone()), title)
        {
            match Draft::new(&title, "") {
                Ok(_) => self.said("title", Some(&title)),
                Err(error) => self.refuse(at, &format!("title: {error}")),
            }
            self.out.edit.title = Some(title);
        }
        let text = |card: &BoardTask| Some(card.description.clone());
        if let Some((at, text)) = self.settle("description", "description", text, None) {
            match Draft::new("-", text.as_deref().unwrap_or_default()) {
                Ok(_) => self.out.words.push("description".to_owned()),
                Err(error) => self.refuse(at, &format!("description: {error}")),
            }
            self.out.edit.text = text;
        }
        let priority = item.and_then(|item| item.priority).filter(|priority| *priority != reference.priority);
        let priority = priority.map(|priority| (at, priority.as_str().to_owned()));
        let of = |card: &BoardTask| Some(card.priority.as_str().to_owned());
        if let Some((_, Some(priority))) = self.settle("priority", "priority", of, priority) {
            self.said("priority", Some(&priority));
            self.out.edit.priority = Priority::read(&priority);
        }
        let requester = self.settle("requested_by", "requester", |card| card.requested_by.clone(), None);
        match requester.map(|(at, name)| (at, name.map(|name| AgentName::new(&name)))) {
            None => {}
            Some((_, Some(Ok(name)))) => {
                self.said("requester", Some(name.as_str()));
                self.out.edit.requester = Some(name);
            }
            Some((at, Some(Err(NameError { text, why, .. })))) => {
                self.refuse(at, &format!("requested_by {text:?} {why}"));
            }
            Some((at, None)) => self.conflict(at, "requested_by can be changed, not taken away"),
        }
        self.sets_said();
        self.state(at, line.and_then(|line| line.state));
        let holder = line.and_then(|line| line.assigned_to).map(|name| (at, name.to_owned()));
        let holder = holder.filter(|(_, name)| Some(name) != reference.assigned_to.as_ref());
        let alias = self.sides.task.alias();
        match self.settle("assigned_to", "assignee", |card| card.assigned_to.clone(), holder) {
            None => {}
            Some((at, Some(name))) => self.conflict(
                at,
                &format!("the board gives it to {name}, which only datum task claim {alias} or datum oracle dispatch does"),
            ),
            Some((at, None)) => {
                self.conflict(at, &format!("its holder gives it back: datum task release {alias}"));
            }
        }
    }

    /// The state that the line's box, its word or the JSON asks for.
    fn state(&mut self, at: usize, word: Option<&str>) {
        let was = self.reference().status;
        let ticked = self.sides.line.map(|item| item.done);
        let tick = match ticked {
            Some(true) if was != State::Done => Some(State::Done),
            Some(false) if was == State::Done => Some(State::Open),
            _ => None,
        };
        let word = word.filter(|word| *word != was.as_str());
        let read = word.and_then(State::read);
        if let (Some(word), None) = (word, read) {
            return self.refuse(at, &format!("no task state is called {word:?}"));
        }
        let asked = match (tick, read) {
            // What is no longer done may be anything else.
            (Some(State::Open), Some(state)) if state != State::Done => Some(state),
            (Some(tick), Some(state)) if tick != state => {
                let tick = if tick == State::Done { "ticked" } else { "not ticked" };
                return self
                    .refuse(at, &format!("its box is {tick} and beside it stands {}", state.as_str()));
            }
            (tick, state) => tick.or(state),
        };
        let asked = asked.map(|state| (at, state.as_str().to_owned()));
        let of = |card: &BoardTask| Some(card.status.as_str().to_owned());
        let Some((at, Some(state))) = self.settle("status", "state", of, asked) else { return };
        let state = State::read(&state).unwrap_or_default();
        if (self.sides.task.state, state) == (State::Open, State::InProgress) {
            let alias = self.sides.task.alias();
            return self.conflict(at, &format!("a board starts no task: datum task claim {alias} does"));
        }
        self.out.state = Some((at, state));
    }

    /// What a field is to become, and the line that says so; `None` where it stays or a conflict was named.
    fn settle(
        &mut self,
        member: &str,
        word: &str,
        of: impl Fn(&BoardTask) -> Option<String>,
        line: Option<(usize, String)>,
    ) -> Option<(usize, Option<String>)> {
        let Sides { task, base, now, json, place, .. } = self.sides;
        let (base, now, json) = (base.map(&of), of(now), of(json));
        let json = (base.as_ref() != Some(&json)).then(|| (place.line_of(member, None), json));
        let line = line.map(|(at, value)| (at, Some(value)));
        let shown = |value: &Option<String>| shown(value.as_deref());
        if let (Some((one, a)), Some((two, b))) = (&line, &json)
            && a != b
            && base.is_some()
        {
            let (a, b) = (shown(a), shown(b));
            self.refuse(*one, &format!("here the board says {word} {a}, and in line {two} {b}"));
            return None;
        }
        let (at, value) = line.or(json).filter(|(_, value)| *value != now)?;
        // Whoever has begun it meanwhile, a task that is not closed can still be done.
        let finishes = member == "status" && value.as_deref() == Some("done") && !task.is_closed();
        match base {
            Some(base) if base == now => return Some((at, value)),
            _ if finishes => return Some((at, value)),
            Some(_) => self.conflict(
                at,
                &format!("the board says {word} {}, meanwhile it became {}", shown(&value), shown(&now)),
            ),
            None => self.conflict(
                at,
                &format!(
                    "the board says {word} {}, the task {}, and which is newer cannot be told",
                    shown(&value),
                    shown(&now)
                ),
            ),
        }
        None
    }

    /// What is put into a set and what is taken out.
    fn changed(
        &mut self,
        member: &str,
        of: impl Fn(&BoardTask) -> BTreeSet<String>,
    ) -> (Vec<String>, Vec<String>) {
        let Sides { base, now, json, place, .. } = self.sides;
        let (now, json) = (of(now), of(json));
        let Some(base) = base.map(of) else {
            if json != now {
                let list = |set: &BTreeSet<String>| {
                    let list: Vec<_> = set.iter().map(|text| shown(Some(text))).collect();
                    if list.is_empty() { "none".to_owned() } else { list.join(" ") }
                };
                let what = format!(
                    "the board says {member} {}, the task {}, and which is newer cannot be told",
                    list(&json),
                    list(&now)
                );
                self.conflict(place.line_of(member, None), &what);
            }
            return (Vec::new(), Vec::new());
        };
        let more = json.iter().filter(|text| !base.contains(*text) && !now.contains(*text));
        let less = base.iter().filter(|text| !json.contains(*text) && now.contains(*text));
        (more.cloned().collect(), less.cloned().collect())
    }

    fn said(&mut self, word: &str, value: Option<&str>) {
        self.out.words.push(format!("{word} {}", shown(value)));
    }

    fn sets_said(&mut self) {
        let edit = &self.out.edit;
        let words = |words: &[Word]| words.iter().map(Word::to_string).collect::<Vec<_>>();
        let ids = |ids: &[EntryId]| ids.iter().copied().map(task::alias).collect::<Vec<_>>();
        for (name, more, less) in [
            ("capabilities", words(&edit.caps), words(&edit.no_caps)),
            ("tags", words(&edit.tags), words(&edit.no_tags)),
            ("needs", ids(&edit.needs), ids(&edit.no_needs)),
        ] {
            let more = more.iter().map(|word| format!(" +{word}"));
            let changes: String = more.chain(less.iter().map(|word| format!(" -{word}"))).collect();
            if !changes.is_empty() {
                self.out.words.push(format!("{name}{changes}"));
            }
        }
    }
}

/// A value in a message: a task by its alias, and of a long text its beginning.
fn shown(value: Option<&str>) -> String {
    const MOST: usize = 60;
    let Some(value) = value else { return "none".to_owned() };
    if let Some(id) = EntryId::from_hex(value) {
        return task::alias(id);
    }
    let line = one_line(value);
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if line.is_empty() => "\"\"".to_owned(),
        None => line,
    }
}
