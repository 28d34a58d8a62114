//! The story of one task: its entries in their order, and which values lost to others without having been seen.

use super::change::{self, About, Change};
use super::fold::{Folder, walk_named};
use super::tasks::Called;
use super::{Task, TaskError, Tasks};
use crate::bottle;
use crate::entry::{Draft, Entry, View};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::publish::taskboard_file::State;
use crate::snapshot::Snapshot;
use crate::stamp::Millis;
use crate::undo;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// A value that a later one replaced although its writer had not seen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The field: `title`, `text`, `priority`, `parent`, `requester` or `state`; or `claim`, for one that came too late.
    pub field: &'static str,
    /// The value that lost.
    pub value: String,
    /// Who set it.
    pub agent: String,
    /// The entry that set it.
    pub entry: EntryId,
    /// The entry whose value won.
    pub to: EntryId,
}

/// A task with all that happened to it.
#[derive(Debug, Clone)]
pub struct Story {
    /// The task as it is.
    pub task: Task,
    /// Its entries, the oldest first.
    pub entries: Vec<Entry>,
    /// Values that lost.
    pub lost: Vec<Lost>,
    /// Its steps that count for nothing: fenced off, a claim of what was closed, a lease that was no longer the writer's.
    pub void: BTreeSet<EntryId>,
    /// The entry that last set each field.
    setters: BTreeMap<&'static str, EntryId>,
}

impl Story {
    /// What was said when the task last came into `state`, on one line; `None` where nothing was.
    pub fn reason(&self, state: State) -> Option<String> {
        let last = self.entries.iter().rev().find(|entry| {
            !self.void.contains(&entry.id)
                && entry.trailer(change::CHANGE).and_then(Change::parse) == Some(Change::State)
                && entry.trailer(change::STATE).and_then(change::state) == Some(state)
        })?;
        let words = last.body.split_whitespace().collect::<Vec<_>>().join(" ");
        (!words.is_empty()).then_some(words)
    }

    /// Notes in `draft` which value of `field` it replaces, as far as its writer has seen.
    pub(super) fn over(&self, draft: Draft, field: &'static str) -> Result<Draft, TaskError> {
        match self.setters.get(field) {
            Some(id) => Ok(draft.with(change::OVER, &format!("{field} {id}"))?),
            None => Ok(draft),
        }
    }
}

/// Tells the story of the task that the entry `id` made; `None` if there is none.
pub fn story(snapshot: &Snapshot<'_>, id: EntryId) -> Option<Story> {
    stories(snapshot, &BTreeSet::from([id])).remove(&id)
}

/// Folds all tasks and tells the story of the one called `name`, in one walk.
///
/// # Errors
/// [`TaskError`] when no task or more than one is called so.
pub fn told(snapshot: &Snapshot<'_>, name: &str) -> Result<(Tasks, Story), TaskError> {
    let mut telling = Telling::of(name)?;
    undo::walk_visible(snapshot, Kind::Task, |view| {
        if let Some(about) = change::about(view) {
            telling.take(snapshot, view, about);
        }
        ControlFlow::Continue(())
    });
    telling.finish(name)
}

/// Tells the story of the task called `name`, and folds no others: most entries need not be parsed for it.
///
/// # Errors
/// As [`told`].
pub fn story_named(snapshot: &Snapshot<'_>, name: &str) -> Result<Story, TaskError> {
    let mut telling = Telling::of(name)?;
    walk_named(snapshot, &[telling.called.digits()], |view, about| {
        if about.id(view).is_some_and(|id| telling.called.fits(id)) {
            telling.take(snapshot, view, about);
        }
    });
    telling.finish(name).map(|(_, story)| story)
}

/// A fold that keeps the entries about tasks that are called so.
struct Telling {
    called: Called,
    folder: Folder,
    sought: BTreeMap<EntryId, Vec<Entry>>,
}

impl Telling {
    fn of(name: &str) -> Result<Self, TaskError> {
        Ok(Self { called: Called::read(name)?, folder: Folder::default(), sought: BTreeMap::new() })
    }

    fn take(&mut self, snapshot: &Snapshot<'_>, view: &View<'_>, about: About<'_>) {
        let Some((of, is_first)) = self.folder.add(snapshot, view, about) else { return };
        if is_first && self.called.fits(of) {
            self.sought.insert(of, Vec::new());
        }
        if let Some(entries) = self.sought.get_mut(&of) {
            entries.push(snapshot.whole(view));
        }
    }

    fn finish(self, name: &str) -> Result<(Tasks, Story), TaskError> {
        let Self { folder, mut sought, .. } = self;
        let void: BTreeMap<_, _> = sought.keys().map(|id| (*id, folder.void(*id))).collect();
        let tasks = folder.finish();
        let task = tasks.find(name)?.clone();
        let entries = sought.remove(&task.id).unwrap_or_default();
        let void = void.get(&task.id).map_or(&[][..], Vec::as_slice);
        Ok((tasks, tell(task, entries, void)))
    }
}

/// Tells the stories of several tasks, in one walk; those that are no tasks are left out.
pub(super) fn stories(snapshot: &Snapshot<'_>, ids: &BTreeSet<EntryId>) -> BTreeMap<EntryId, Story> {
    let mut folder = Folder::default();
    let mut parts: BTreeMap<EntryId, Vec<Entry>> = BTreeMap::new();
    let mut take = |view: &View<'_>, about: About<'_>| {
        if about.id(view).is_some_and(|id| ids.contains(&id))
            && let Some((of, _)) = folder.add(snapshot, view, about)
        {
            parts.entry(of).or_default().push(snapshot.whole(view));
        }
    };
    if let [id] = *ids.iter().collect::<Vec<_>>() {
        walk_named(snapshot, &[id.to_string()], take);
    } else {
        undo::walk_visible(snapshot, Kind::Task, |view| {
            if let Some(about) = change::about(view) {
                take(view, about);
            }
            ControlFlow::Continue(())
        });
    }
    let void: BTreeMap<_, _> = parts.keys().map(|id| (*id, folder.void(*id))).collect();
    let tasks = folder.finish();
    let tell = |(id, entries)| Some((id, tell(tasks.get(id)?.clone(), entries, void.get(&id)?)));
    parts.into_iter().filter_map(tell).collect()
}

/// Folds these tasks as they were each at its time; those that were not there yet are left out.
pub(super) fn as_of(snapshot: &Snapshot<'_>, times: &BTreeMap<EntryId, Millis>) -> Tasks {
    let mut folder = Folder::default();
    if !times.is_empty() {
        undo::walk_visible(snapshot, Kind::Task, |view| {
            if let Some(about) = change::about(view)
                && let Some(id) = about.id(view)
                && times.get(&id).is_some_and(|time| view.clock() <= *time)
            {
                folder.add(snapshot, view, about);
            }
            ControlFlow::Continue(())
        });
    }
    folder.finish()
}

/// Tells the story of a task from its entries, the newest first, and the places of those of its steps that are void.
fn tell(task: Task, mut entries: Vec<Entry>, void: &[usize]) -> Story {
    entries.reverse();
    // Causality before clocks: nothing happens to a task before it is made.
    if let Some(at) = entries.iter().position(|entry| entry.id == task.id) {
        entries[..=at].rotate_right(1);
    }
    let steps = entries.iter().filter(|entry| change::is_step(entry)).map(|entry| entry.id).enumerate();
    let void: BTreeSet<EntryId> =
        steps.filter(|(at, _)| void.binary_search(at).is_ok()).map(|(_, id)| id).collect();
    let mut setters: BTreeMap<&'static str, (EntryId, String, String)> = BTreeMap::new();
    let mut lost = Vec::new();
    for entry in &entries {
        if void.contains(&entry.id) {
            let to = setters.get("state").map(|(id, ..)| *id);
            lost.extend(to.and_then(|to| too_late(entry, to)));
            continue;
        }
        let seen: BTreeMap<&str, EntryId> = entry
            .values(change::OVER)
            .filter_map(|value| value.split_once(' '))
            .filter_map(|(field, id)| Some((field, EntryId::from_hex(id)?)))
            .collect();
        for (field, value) in values(entry) {
            if let Some((setter, value, agent)) = setters.get(field)
                && seen.get(field).is_some_and(|seen| seen != setter)
            {
                let (value, agent) = (value.clone(), agent.clone());
                lost.push(Lost { field, value, agent, entry: *setter, to: entry.id });
            }
            setters.insert(field, (entry.id, value, entry.agent.clone()));
        }
    }
    let setters = setters.into_iter().map(|(field, (id, ..))| (field, id)).collect();
    Story { task, entries, lost, void, setters }
}

/// What a step that is void would have set, where `to` set the state that stands.
fn too_late(entry: &Entry, to: EntryId) -> Option<Lost> {
    let lost = |field, value: &str| {
        let (value, agent) = (value.to_owned(), entry.agent.clone());
        Some(Lost { field, value, agent, entry: entry.id, to })
    };
    match Change::parse(entry.trailer(change::CHANGE)?)? {
        Change::Claim => lost("claim", &entry.agent),
        Change::Dispatch => lost("claim", entry.trailer(bottle::TO)?),
        Change::State => lost("state", entry.trailer(change::STATE)?),
        Change::Create | Change::Edit | Change::Comment | Change::Renew | Change::Release => None,
    }
}

/// The fields an entry sets, and their values.
fn values(entry: &Entry) -> Vec<(&'static str, String)> {
    let trailer = |key: &str| entry.trailer(key).map(str::to_owned);
    let state = |value: &str| vec![("state", value.to_owned())];
    match entry.trailer(change::CHANGE).and_then(Change::parse) {
        Some(Change::Create) => vec![
            ("title", entry.subject.clone()),
            ("text", entry.body.clone()),
            ("priority", trailer(change::PRIORITY).unwrap_or_default()),
            ("parent", trailer(change::PARENT).unwrap_or_else(|| change::NONE.to_owned())),
            ("requester", trailer(change::REQUESTER).unwrap_or_else(|| change::NONE.to_owned())),
            ("state", trailer(change::STATE).unwrap_or_else(|| "open".to_owned())),
        ],
        Some(Change::Edit) => {
            let keys = [
                ("title", change::TITLE),
                ("priority", change::PRIORITY),
                ("parent", change::PARENT),
                ("requester", change::REQUESTER),
            ];
            let mut set: Vec<_> =
                keys.into_iter().filter_map(|(field, key)| Some((field, trailer(key)?))).collect();
            if entry.values(change::SET).any(|value| value == change::TEXT) {
                set.push(("text", entry.body.clone()));
            }
            set
        }
        Some(Change::State) => trailer(change::STATE).map_or_else(Vec::new, |value| state(&value)),
        Some(Change::Claim | Change::Dispatch) => state("in-progress"),
        Some(Change::Release) => state("open"),
        Some(Change::Comment | Change::Renew) | None => Vec::new(),
    }
}
