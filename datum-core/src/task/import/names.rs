//! What the tasks of a board are called, and which task here is meant.

use crate::id::EntryId;
use crate::publish::taskboard_file::BoardTask;
use crate::task::board::{NEEDS, PARENT};
use crate::task::{Task, TaskError, Tasks};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

#[derive(Clone, Copy)]
pub(super) struct Names<'r> {
    pub(super) tasks: &'r Tasks,
    /// Tasks by where they come from; the most urgent of several.
    pub(super) sources: &'r HashMap<&'r str, &'r Task>,
    pub(super) file: &'r str,
}

impl<'r> Names<'r> {
    /// The task that a board's JSON means.
    pub(super) fn known(&self, card: &BoardTask) -> Option<&'r Task> {
        let by_source = || self.by_source(&self.source(&card.id));
        match super::entry(card) {
            // That of another repository was imported before, perhaps.
            Some(id) => self.tasks.get(id).or_else(by_source),
            None => by_source().or_else(|| self.tasks.find(&card.id).ok()),
        }
    }

    pub(super) fn by_source(&self, source: &str) -> Option<&'r Task> {
        self.sources.get(source).copied()
    }

    /// Where a task comes from, as one line that fits a trailer.
    pub(super) fn source(&self, id: &str) -> String {
        let line: String = format!("{} {id}", self.file).split_whitespace().collect::<Vec<_>>().join(" ");
        line.chars().filter(|c| !c.is_control()).take(300).collect()
    }

    /// The task that a board calls `name` where it says what another needs or is a part of.
    pub(super) fn find(&self, name: &str) -> Result<EntryId, TaskError> {
        match self.by_source(&self.source(name)) {
            Some(task) => Ok(task.id),
            None => self.tasks.find(name).map(|task| task.id),
        }
    }

    /// The same however it is written: the whole id, or the name itself where no such task is here.
    ///
    /// What `task` has already is known by the name it was published with, also where it is not here itself.
    pub(super) fn whole(&self, task: &Task, name: &str) -> String {
        let had = task.needs.iter().chain(&task.parent).find(|id| crate::task::alias(**id) == name);
        let id = had.copied().or_else(|| self.find(name).ok());
        id.map_or_else(|| name.to_owned(), |id| id.to_string())
    }

    pub(super) fn needs(&self, task: &Task, card: &BoardTask) -> BTreeSet<String> {
        needs(card).unwrap_or_default().into_iter().map(|name| self.whole(task, name)).collect()
    }

    pub(super) fn parent(&self, task: &Task, card: &BoardTask) -> Option<String> {
        parent(card).unwrap_or_default().first().map(|name| self.whole(task, name))
    }
}

/// What a board says that a task needs; `None` where that is no list of names.
pub(super) fn needs(card: &BoardTask) -> Option<Vec<&str>> {
    match card.extra.get(NEEDS) {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::Array(names)) => names.iter().map(Value::as_str).collect(),
        Some(_) => None,
    }
}

/// What a board says that a task is a part of, which is one or nothing; `None` where that is no name.
pub(super) fn parent(card: &BoardTask) -> Option<Vec<&str>> {
    match card.extra.get(PARENT) {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(value) => value.as_str().map(|name| vec![name]),
    }
}
