//! The tasks as a board shows them.

use super::{Task, Tasks};
use crate::id::EntryId;
use crate::publish::taskboard_file::BoardTask;
use crate::stamp::iso;
use std::collections::{BTreeMap, BTreeSet};

/// The member of a board's task that holds its whole id.
pub(super) const ENTRY: &str = "entry";
/// The member with the tasks that must be done before it; where it is missing there are none.
pub(super) const NEEDS: &str = "needs";
/// The member with the task it is a part of; where it is missing there is none.
pub(super) const PARENT: &str = "parent";

/// The tasks as a board shows them, the most urgent and then the oldest first.
///
/// It says what the entries say and asks no clock, so the same state makes the same board.
pub fn board(tasks: &Tasks) -> Vec<BoardTask> {
    tasks.all().iter().map(card).collect()
}

/// A task as a board shows it, sealed.
pub(super) fn card(task: &Task) -> BoardTask {
    let aliases = |ids: &BTreeSet<EntryId>| ids.iter().map(|id| super::alias(*id).into()).collect();
    let mut extra = BTreeMap::from([(ENTRY.to_owned(), task.id.to_string().into())]);
    if !task.needs.is_empty() {
        extra.insert(NEEDS.to_owned(), serde_json::Value::Array(aliases(&task.needs)));
    }
    if let Some(parent) = task.parent {
        extra.insert(PARENT.to_owned(), super::alias(parent).into());
    }
    let card = BoardTask {
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
    };
    card.sealed()
}
