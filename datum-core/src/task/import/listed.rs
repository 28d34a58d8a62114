//! What a board lists, each task once.

use super::names::Names;
use crate::id::EntryId;
use crate::publish::taskboard_file::{self, BoardTask, Item, Place};
use crate::task::ALIAS_LEN;
use std::collections::{BTreeMap, BTreeSet};

/// What a line of a board names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Named {
    /// A task of the board's JSON.
    Card(String),
    /// A task that is here, although the board's JSON does not have it.
    Bare(EntryId),
    /// A task of its own, by where it comes from.
    New(String),
}

/// The tasks of a board, each once.
#[derive(Default)]
pub(super) struct Listed<'a> {
    pub(super) cards: Vec<(&'a BoardTask, Place<'a>)>,
    pub(super) lines: Vec<(Named, &'a Item<'a>)>,
    /// Tasks that are listed twice and not alike; they are in neither list.
    pub(super) conflicts: Vec<String>,
    /// Where the line of a task of the JSON is among the lines.
    at: BTreeMap<String, usize>,
}

impl<'a> Listed<'a> {
    /// The line of a task of the JSON.
    pub(super) fn line(&self, id: &str) -> Option<&'a Item<'a>> {
        self.at.get(id).and_then(|at| self.lines.get(*at)).map(|(_, item)| *item)
    }
}

/// Lists each task once where all that the board says of it agrees.
pub(super) fn once<'a>(
    names: Names<'_>,
    cards: &'a [BoardTask],
    places: &[Place<'a>],
    items: &'a [Item<'a>],
) -> Listed<'a> {
    let mut out = Listed::default();
    // What is in conflict with itself, by the id that its line has.
    let mut torn = BTreeSet::new();
    for (name, lines) in named(names, cards, items) {
        let first = lines[0];
        let other = lines.iter().find(|line| !is_like(first, line));
        if let Some(other) = other {
            let what = match &name {
                Named::Card(id) => id.clone(),
                Named::Bare(id) => crate::task::alias(*id),
                Named::New(_) => format!("{:?}", taskboard_file::unescape(first.title)),
            };
            out.conflicts.push(twice(&what, first.line, other.line));
            if let Named::Card(id) = name {
                torn.insert(id);
            }
            continue;
        }
        if let Named::Card(id) = &name {
            out.at.insert(id.clone(), out.lines.len());
        }
        out.lines.push((name, first));
    }
    let mut alike: BTreeMap<String, (usize, Option<usize>)> = BTreeMap::new();
    for (at, card) in cards.iter().enumerate() {
        let id = names.known(card).map_or_else(|| card.id.clone(), |task| task.id.to_string());
        let (first, other) = alike.entry(id).or_insert((at, None));
        if cards[*first] != *card {
            other.get_or_insert(at);
        }
    }
    let mut alike: Vec<_> = alike.into_values().collect();
    alike.sort_unstable();
    let place = |at: usize| places.get(at).copied().unwrap_or_default();
    for (first, other) in alike {
        match other {
            Some(other) => {
                out.conflicts.push(twice(&cards[first].id, place(first).line, place(other).line));
            }
            None if torn.contains(&cards[first].id) => {}
            None => out.cards.push((&cards[first], place(first))),
        }
    }
    out
}

fn twice(what: &str, first: usize, other: usize) -> String {
    format!("{what}: lines {first} and {other} list it twice and differ; nothing of it is imported, keep one")
}

/// The lines by what they name, in the order of the first of each.
fn named<'a>(
    names: Names<'_>,
    cards: &[BoardTask],
    items: &'a [Item<'a>],
) -> Vec<(Named, Vec<&'a Item<'a>>)> {
    let ids: BTreeSet<&str> = cards.iter().map(|card| card.id.as_str()).collect();
    let name = |item: &Item<'_>| {
        let id = taskboard_file::published(item.title).map(|line| line.id);
        let bare = |id: &str| names.tasks.find(id).ok().filter(|_| id.len() >= "T-".len() + ALIAS_LEN);
        let new = || {
            let title = || format!("· {}", taskboard_file::unescape(item.title));
            Named::New(names.source(&item.id.map_or_else(title, str::to_owned)))
        };
        match id {
            Some(id) if ids.contains(id) => Named::Card(id.to_owned()),
            _ => id.and_then(bare).map_or_else(new, |task| Named::Bare(task.id)),
        }
    };
    let mut lines: BTreeMap<Named, Vec<&Item<'_>>> = BTreeMap::new();
    for item in items {
        lines.entry(name(item)).or_default().push(item);
    }
    let mut lines: Vec<_> = lines.into_iter().collect();
    lines.sort_by_key(|(_, items)| items[0].line);
    lines
}

/// Whether two lines say the same, wherever they stand.
fn is_like(one: &Item<'_>, other: &Item<'_>) -> bool {
    let bare = |item: &Item<'_>| {
        (item.title.to_owned(), item.done, item.state, item.priority, item.assignee.map(str::to_owned))
    };
    bare(one) == bare(other)
}
