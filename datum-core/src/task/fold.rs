//! The fold: all entries of kind `task` become all tasks, in one walk from the newest on.
//!
//! Fields need no order but "the first seen wins", because the walk goes back in time. States and claims do: which of
//! two claims came first decides who may write, so their steps are kept and run through from the oldest.

use super::change::{self, Change};
use super::tasks::{Record, Tasks};
use super::{Hold, Parent, Task};
use crate::bottle;
use crate::entry::View;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::publish::taskboard_file::{Priority, State};
use crate::snapshot::Snapshot;
use crate::stamp::Millis;
use crate::undo;
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

/// Folds the tasks of a snapshot.
pub fn fold(snapshot: &Snapshot<'_>) -> Tasks {
    let mut folder = Folder::default();
    undo::walk_visible(snapshot, Kind::Task, |view| {
        if let Some((id, change)) = change::about(view) {
            folder.add(snapshot, view, id, change);
        }
        ControlFlow::Continue(())
    });
    folder.finish()
}

/// A change of state or of claim, as small as can be: there are several a task.
#[derive(Debug, Clone, Copy)]
struct Step {
    change: Change,
    /// For [`Change::State`].
    state: State,
    fence: u64,
    until: Millis,
    /// Who writes, or who a dispatch is for: an index into [`Folder::agents`].
    agent: u32,
}

/// Elements that were put in or taken out; the newest word on each is the one kept.
type Elements<T> = Vec<(T, bool)>;

#[derive(Default)]
struct Partial {
    made: bool,
    title: Option<String>,
    text: Option<String>,
    priority: Option<Priority>,
    parent: Option<Parent>,
    requester: Option<String>,
    source: Option<String>,
    author: String,
    created: Millis,
    updated: Millis,
    caps: Elements<String>,
    tags: Elements<String>,
    needs: Elements<EntryId>,
    /// From the newest to the oldest.
    steps: Vec<Step>,
    comments: u32,
}

/// Takes entries from the newest on.
#[derive(Default)]
pub(super) struct Folder {
    partials: Vec<(EntryId, Partial)>,
    index: HashMap<EntryId, usize>,
    agents: Vec<String>,
    agent_index: HashMap<String, u32>,
}

fn first<T>(slot: &mut Option<T>, value: impl FnOnce() -> Option<T>) {
    if slot.is_none() {
        *slot = value();
    }
}

fn element<T: PartialEq>(elements: &mut Elements<T>, value: T, there: bool) {
    if elements.iter().all(|(known, _)| *known != value) {
        elements.push((value, there));
    }
}

fn texts(elements: Elements<String>) -> impl Iterator<Item = String> {
    elements.into_iter().filter(|(_, there)| *there).map(|(text, _)| text)
}

impl Folder {
    fn agent(&mut self, name: &str) -> u32 {
        if let Some(index) = self.agent_index.get(name) {
            return *index;
        }
        let index = u32::try_from(self.agents.len()).unwrap_or(u32::MAX);
        self.agents.push(name.to_owned());
        self.agent_index.insert(name.to_owned(), index);
        index
    }

    /// Takes the entry `view`, which does `change` to the task `id`.
    pub(super) fn add(&mut self, snapshot: &Snapshot<'_>, view: &View<'_>, id: EntryId, change: Change) {
        let named = if change == Change::Dispatch { view.trailer(bottle::TO) } else { None };
        let agent = self.agent(named.unwrap_or(view.agent()));
        let at = *self.index.entry(id).or_insert_with(|| {
            self.partials.push((id, Partial::default()));
            self.partials.len() - 1
        });
        let task = &mut self.partials[at].1;
        task.updated = task.updated.max(view.clock());
        let mut step = Step { change, state: State::Open, fence: 0, until: 0, agent };
        let mut stated = None;
        // A dispatch carries the priority for its bottle's sake.
        let sets = change != Change::Dispatch;
        for (key, value) in view.trailers() {
            match key {
                change::TITLE => first(&mut task.title, || Some(value.to_owned())),
                change::PRIORITY if sets => first(&mut task.priority, || Priority::read(value)),
                change::PARENT => first(&mut task.parent, || {
                    Some(EntryId::from_hex(value).map_or(Parent::Nothing, Parent::Task))
                }),
                change::REQUESTER => first(&mut task.requester, || Some(value.to_owned())),
                change::CAP => element(&mut task.caps, value.to_owned(), true),
                change::NO_CAP => element(&mut task.caps, value.to_owned(), false),
                change::TAG => element(&mut task.tags, value.to_owned(), true),
                change::NO_TAG => element(&mut task.tags, value.to_owned(), false),
                change::NEEDS | change::NO_NEEDS => {
                    if let Some(id) = EntryId::from_hex(value) {
                        element(&mut task.needs, id, key == change::NEEDS);
                    }
                }
                change::SET if value == change::TEXT => {
                    first(&mut task.text, || Some(body(snapshot, view)));
                }
                change::SOURCE => task.source = Some(value.to_owned()),
                change::STATE => stated = change::state(value),
                change::FENCE => step.fence = value.parse().unwrap_or(0),
                change::UNTIL => step.until = value.parse().unwrap_or(0),
                _ => {}
            }
        }
        match change {
            Change::Create => {
                task.made = true;
                view.agent().clone_into(&mut task.author);
                task.created = view.clock();
                first(&mut task.title, || Some(view.subject().to_owned()));
                first(&mut task.text, || Some(body(snapshot, view)));
                if let Some(state) = stated {
                    task.steps.push(Step { change: Change::State, state, ..step });
                }
            }
            Change::Edit => {}
            Change::Comment => task.comments += 1,
            Change::State => {
                if let Some(state) = stated {
                    task.steps.push(Step { state, ..step });
                }
            }
            Change::Claim | Change::Dispatch | Change::Renew | Change::Release => task.steps.push(step),
        }
    }

    /// Makes tasks of what was taken. Changes to a task whose own entry is not here wait for it.
    pub(super) fn finish(self) -> Tasks {
        let mut records: BTreeMap<String, Record> = BTreeMap::new();
        let mut tasks: Vec<Task> = Vec::with_capacity(self.partials.len());
        for (id, partial) in self.partials {
            if partial.made {
                let run = Run::through(&partial.steps, &self.agents, &mut records);
                tasks.push(make(id, partial, run));
            }
        }
        Tasks::new(tasks, records)
    }
}

fn body(snapshot: &Snapshot<'_>, view: &View<'_>) -> String {
    match view.payload() {
        None => view.body().to_owned(),
        Some(_) => snapshot.whole(view).body,
    }
}

fn make(id: EntryId, partial: Partial, run: Run) -> Task {
    Task {
        id,
        title: partial.title.unwrap_or_default(),
        text: partial.text.unwrap_or_default(),
        priority: partial.priority.unwrap_or_default(),
        state: run.state,
        caps: texts(partial.caps).collect(),
        tags: texts(partial.tags).collect(),
        needs: partial.needs.into_iter().filter(|(_, there)| *there).map(|(id, _)| id).collect(),
        parent: partial.parent.and_then(Parent::task),
        requester: partial.requester,
        source: partial.source,
        author: partial.author,
        created: partial.created,
        updated: partial.updated,
        hold: run.hold,
        fence: run.fence,
        comments: partial.comments,
        fenced_off: run.fenced_off,
    }
}

/// What a task's steps come to.
struct Run {
    state: State,
    hold: Option<Hold>,
    fence: u64,
    fenced_off: u32,
}

impl Run {
    /// Runs through steps given from the newest to the oldest, and notes what agents made of their claims.
    fn through(steps: &[Step], agents: &[String], records: &mut BTreeMap<String, Record>) -> Self {
        let mut run = Self { state: State::Open, hold: None, fence: 0, fenced_off: 0 };
        let mut note = |agent: &str, finished: bool| {
            let record = records.entry(agent.to_owned()).or_default();
            if finished { record.finished += 1 } else { record.dropped += 1 }
        };
        for step in steps.iter().rev() {
            let agent = agents.get(step.agent as usize).map_or("", String::as_str);
            let holds = run.hold.as_ref().is_some_and(|hold| hold.agent == agent);
            let taken = run.hold.is_some() && !holds;
            // A fence that is not the newest, or is another's, tells of a writer who did not see the takeover.
            if step.fence > 0 && (step.fence < run.fence || (step.fence == run.fence && taken)) {
                run.fenced_off += 1;
                continue;
            }
            match step.change {
                Change::Claim | Change::Dispatch => {
                    if matches!(run.state, State::Done | State::Cancelled) {
                        continue;
                    }
                    if let Some(hold) = run.hold.take_if(|hold| hold.agent != agent) {
                        note(&hold.agent, false);
                    }
                    run.fence = step.fence;
                    run.hold = Some(Hold { agent: agent.to_owned(), fence: step.fence, until: step.until });
                    run.state = State::InProgress;
                }
                Change::Renew => {
                    if let Some(hold) = run.hold.as_mut().filter(|hold| hold.fence == step.fence) {
                        hold.until = step.until;
                    }
                }
                Change::Release => {
                    if holds {
                        note(agent, false);
                        run.hold = None;
                        run.state = State::Open;
                    }
                }
                Change::State => {
                    run.state = step.state;
                    if matches!(step.state, State::Open | State::Done | State::Cancelled)
                        && let Some(hold) = run.hold.take()
                        && step.state == State::Done
                    {
                        // Whoever finishes it, the work that was claimed is done.
                        note(&hold.agent, true);
                    }
                }
                Change::Create | Change::Edit | Change::Comment => {}
            }
        }
        run
    }
}
