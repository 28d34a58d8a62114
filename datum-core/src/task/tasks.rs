//! All tasks of a snapshot: found by name, and asked what is ready.

use super::{Edit, Task, TaskError, alias};
use crate::id::{EntryId, IdMap};
use crate::publish::taskboard_file::State;
use crate::snapshot::PREFIX_MIN;
use crate::stamp::Millis;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// What an agent made of its claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Record {
    /// Claims that ended with the task done.
    pub finished: u32,
    /// Claims that were given back or taken over.
    pub dropped: u32,
}

/// All tasks, the most urgent and then the oldest first.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    list: Vec<Task>,
    /// Where each stands; most questions do not ask.
    index: OnceLock<IdMap<usize>>,
    records: BTreeMap<String, Record>,
}

impl Tasks {
    pub(super) fn new(mut list: Vec<Task>, records: BTreeMap<String, Record>) -> Self {
        // Tasks are large to move: their places are sorted first.
        list.sort_by_cached_key(|task| (task.priority, task.created, task.id));
        Self { list, index: OnceLock::new(), records }
    }

    /// The tasks, the most urgent and then the oldest first.
    pub fn all(&self) -> &[Task] {
        &self.list
    }

    /// How many tasks there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The task that the entry `id` made.
    pub fn get(&self, id: EntryId) -> Option<&Task> {
        let all = || self.list.iter().enumerate().map(|(at, task)| (task.id, at)).collect();
        self.index.get_or_init(all).get(&id).and_then(|at| self.list.get(*at))
    }

    /// What became of the claims of `agent`; a claim whose lease ended before `now` counts as dropped.
    pub fn record(&self, agent: &str, now: Millis) -> Record {
        let mut record = self.records.get(agent).copied().unwrap_or_default();
        let expired = |task: &&Task| {
            let mine = task.hold.as_ref().is_some_and(|hold| hold.agent == agent);
            mine && !task.is_closed() && task.live_hold(now).is_none()
        };
        record.dropped += u32::try_from(self.list.iter().filter(expired).count()).unwrap_or(u32::MAX);
        record
    }

    /// The tasks that `agent` has at `now`.
    pub fn held_by<'a>(&'a self, agent: &'a str, now: Millis) -> impl Iterator<Item = &'a Task> {
        self.list.iter().filter(move |task| task.live_hold(now).is_some_and(|hold| hold.agent == agent))
    }

    /// Finds the one task whose alias or id `name` is the beginning of.
    ///
    /// # Errors
    /// [`TaskError`] when there is none or more than one.
    pub fn find(&self, name: &str) -> Result<&Task, TaskError> {
        let called = Called::read(name)?;
        let mut found = self.list.iter().filter(|task| called.fits(task.id));
        let first = found.next().ok_or_else(|| TaskError::Unknown(name.to_owned()))?;
        let more: Vec<&Task> = found.take(9).collect();
        if more.is_empty() {
            return Ok(first);
        }
        let candidates = [first].into_iter().chain(more).map(|task| alias::long_alias(task.id, 12)).collect();
        Err(TaskError::Ambiguous { name: name.to_owned(), candidates })
    }

    /// Whether the task `id` no longer keeps others waiting: it is done, or will never be.
    fn is_resolved(&self, id: EntryId) -> bool {
        self.get(id).is_some_and(Task::is_closed)
    }

    /// What `task` still waits for; a task that is not here yet is waited for as well.
    pub fn waits_for<'a>(&'a self, task: &'a Task) -> impl Iterator<Item = EntryId> + use<'a> {
        task.needs.iter().copied().filter(|id| !self.is_resolved(*id))
    }

    /// Whether `task` can be claimed at `now`: open, not claimed, and waiting for nothing.
    pub fn is_ready(&self, task: &Task, now: Millis) -> bool {
        task.status(now) == State::Open
            && task.live_hold(now).is_none()
            && self.waits_for(task).next().is_none()
    }

    /// The tasks that can be claimed at `now`, the most urgent and then the oldest first.
    ///
    /// With `caps`, only those that need nothing else.
    pub fn ready<'a>(
        &'a self,
        now: Millis,
        caps: Option<&'a BTreeSet<String>>,
    ) -> impl Iterator<Item = &'a Task> {
        let able = move |task: &Task| caps.is_none_or(|caps| task.caps.is_subset(caps));
        self.list.iter().filter(move |task| able(task) && self.is_ready(task, now))
    }

    /// The tasks as they would need each other and be parts of each other with these edits.
    pub(super) fn with(&self, edits: &BTreeMap<EntryId, &Edit>) -> Self {
        let mut with = self.clone();
        for task in &mut with.list {
            let Some(edit) = edits.get(&task.id) else { continue };
            task.needs.extend(&edit.needs);
            task.needs.retain(|id| !edit.no_needs.contains(id));
            if let Some(parent) = edit.parent {
                task.parent = parent.task();
            }
        }
        with
    }

    /// The way from `from` along `next` to `to`, if there is one: both ends included.
    pub(super) fn way<I: IntoIterator<Item = EntryId>>(
        &self,
        from: EntryId,
        to: EntryId,
        next: impl Fn(&Task) -> I,
    ) -> Option<Vec<EntryId>> {
        // Breadth first, with the step before each task remembered: the way shown is a shortest one.
        let mut before: BTreeMap<EntryId, EntryId> = BTreeMap::new();
        let mut wave = vec![from];
        while !wave.is_empty() {
            let mut coming = Vec::new();
            for id in wave {
                for step in self.get(id).into_iter().flat_map(&next) {
                    if step != from && before.contains_key(&step) {
                        continue;
                    }
                    before.entry(step).or_insert(id);
                    if step == to {
                        return Some(trace(&before, from, to));
                    }
                    coming.push(step);
                }
            }
            wave = coming;
            wave.retain(|id| *id != from);
        }
        None
    }

    /// The dependency cycle that `task` is in, if there is one: two clones can make one that neither would have made.
    pub fn cycle(&self, task: &Task) -> Option<Vec<EntryId>> {
        self.way(task.id, task.id, |task| task.needs.iter().copied().collect::<Vec<_>>())
    }
}

/// What a task is called: the beginning of its alias, or of its id.
pub(super) enum Called {
    Alias(String),
    Id(String),
}

impl Called {
    /// # Errors
    /// [`TaskError::NotAName`] for a text that is neither.
    pub(super) fn read(name: &str) -> Result<Self, TaskError> {
        let hex = name.to_ascii_lowercase();
        let is_hex = (PREFIX_MIN..=64).contains(&hex.len()) && hex.bytes().all(|b| b.is_ascii_hexdigit());
        match alias::read(name) {
            Some(letters) => Ok(Self::Alias(letters)),
            None if is_hex => Ok(Self::Id(hex)),
            None => Err(TaskError::NotAName(name.to_owned())),
        }
    }

    /// The hexadecimal digits that the id of every such task begins with.
    pub(super) fn digits(&self) -> String {
        match self {
            Self::Alias(letters) => alias::digits(letters),
            Self::Id(hex) => hex.clone(),
        }
    }

    pub(super) fn fits(&self, id: EntryId) -> bool {
        match self {
            Self::Alias(letters) => alias::begins_with(id, letters),
            Self::Id(hex) => id.short(hex.len()) == *hex,
        }
    }
}

fn trace(before: &BTreeMap<EntryId, EntryId>, from: EntryId, to: EntryId) -> Vec<EntryId> {
    let mut way = vec![to];
    let mut at = to;
    while let Some(id) = before.get(&at) {
        way.push(*id);
        at = *id;
        if at == from {
            break;
        }
    }
    way.reverse();
    way
}
