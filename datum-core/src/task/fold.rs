//! The fold: all entries of kind `task` become all tasks, in one walk from the newest on.
//!
//! Fields need no order but "the first seen wins", because the walk goes back in time. States and claims do: which of
//! two claims came first decides who may write, so their steps are kept and run through from the oldest.

use super::change::{self, About, Change};
use super::run::{Run, Step};
use super::tasks::{Called, Record, Tasks};
use super::{Task, TaskError};
use crate::bottle;
use crate::claim::LEASE_MAX;
use crate::entry::View;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::publish::taskboard_file::{Priority, State};
use crate::snapshot::Snapshot;
use crate::stamp::Millis;
use crate::undo;
use hashbrown::HashTable;
use memchr::memmem::Finder;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasher as _;
use std::ops::ControlFlow;

/// Folds the tasks of a snapshot.
pub fn fold(snapshot: &Snapshot<'_>) -> Tasks {
    let mut folder = Folder::default();
    undo::walk_visible(snapshot, Kind::Task, |view| {
        if let Some(about) = change::about(view) {
            folder.add(snapshot, view, about);
        }
        ControlFlow::Continue(())
    });
    folder.finish()
}

/// Folds the tasks that `name` may mean, and those they wait for: all that is asked of one task, and most entries need not
/// be parsed for it.
///
/// # Errors
/// [`TaskError::NotAName`] for a name that can be none.
pub fn fold_named(snapshot: &Snapshot<'_>, name: &str) -> Result<Tasks, TaskError> {
    /// Beyond it all tasks are folded at once.
    const NEEDS_MAX: usize = 8;
    let called = Called::read(name)?;
    let mut digits = vec![called.digits()];
    let mut needs = BTreeSet::new();
    loop {
        let mut folder = Folder::default();
        walk_named(snapshot, &digits, |view, about| {
            if about.id(view).is_some_and(|id| called.fits(id) || needs.contains(&id)) {
                folder.add(snapshot, view, about);
            }
        });
        let tasks = folder.finish();
        let named = tasks.all().iter().filter(|task| called.fits(task.id));
        let waited: BTreeSet<EntryId> = named.flat_map(|task| &task.needs).copied().collect();
        if waited.is_subset(&needs) {
            return Ok(tasks);
        }
        if waited.len() > NEEDS_MAX {
            return Ok(fold(snapshot));
        }
        digits.extend(waited.iter().map(EntryId::to_string));
        needs = waited;
    }
}

/// Visits what [`fold`] folds, but for entries about tasks that begin with none of `digits`.
pub(super) fn walk_named(
    snapshot: &Snapshot<'_>,
    digits: &[String],
    mut visit: impl FnMut(&View<'_>, About<'_>),
) {
    // The entry that makes a task does not say its own id.
    let marks = [undo::MARK, change::MADE];
    let words = digits.iter().map(String::as_str).chain(marks);
    let words: Vec<Finder<'_>> = words.map(Finder::new).collect();
    let hint = |bytes: &[u8]| words.iter().any(|word| word.find(bytes).is_some());
    undo::walk_hinted(snapshot, Kind::Task, Some(&hint), |view| {
        if let Some(about) = change::about(view) {
            visit(view, about);
        }
        ControlFlow::Continue(())
    });
}

/// What an entry says of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    /// It was put in or taken out; the newest such word counts.
    Later { there: bool },
    /// It was there from the beginning, which any later word outdoes, whatever its clock.
    Made,
}

/// What was said of elements, the newest first.
type Elements<T> = Vec<(T, Word)>;

/// What is asked of a task at every entry, side by side so that it stays in the cache: there may be many tasks.
struct Head {
    id: EntryId,
    /// The digits of the id: most entries name a task that is known, and theirs need not be decoded.
    digits: [u8; 64],
    updated: Millis,
    /// The fields that are set, of [`TITLE`] and so on.
    set: u8,
    /// Those of them that the task was made with.
    made_with: u8,
}

const TITLE: u8 = 1;
const TEXT: u8 = 2;
const PRIORITY: u8 = 4;
const PARENT: u8 = 8;
const REQUESTER: u8 = 16;
/// Its own entry was met.
const MADE: u8 = 32;

/// What makes the rest of a task once all its entries were met.
#[derive(Default)]
struct Rest {
    caps: Elements<String>,
    tags: Elements<String>,
    needs: Elements<EntryId>,
    /// The state it was made with, as a task of another board may be.
    state: Option<State>,
    /// From the newest to the oldest.
    steps: Vec<Step>,
}

/// Takes entries from the newest on.
#[derive(Default)]
pub(super) struct Folder {
    heads: Vec<Head>,
    /// In the order of the heads.
    tasks: Vec<Task>,
    /// In the order of the heads; many tasks have none.
    rests: Vec<Option<Box<Rest>>>,
    /// By the digits of their ids, which are whatever the writers of logs like: hashes hang on a seed.
    index: HashTable<usize>,
    seed: foldhash::fast::RandomState,
    /// Where the next entry is expected: a board that is read back changes one task after the other.
    next: usize,
    agents: Vec<String>,
    agent_index: HashMap<String, u32>,
    /// The agent that was asked for last: the next is the same nearly always.
    last: u32,
}

impl Head {
    fn name(&self) -> &[u8] {
        &self.digits[..self.id.0.kind().len_in_hex()]
    }

    /// Sets `slot` to the value of a field that no later entry has set.
    fn first<T>(&mut self, field: u8, slot: &mut T, value: impl FnOnce() -> Option<T>) {
        if (self.set & field == 0 || self.made_with & field != 0)
            && let Some(value) = value()
        {
            *slot = value;
            self.set |= field;
            self.made_with &= !field;
        }
    }
}

fn there<T: Ord>(mut elements: Elements<T>) -> BTreeSet<T> {
    // The first of each is the newest of those that came later, in the order of the walk.
    let is_made = |word: &Word| *word == Word::Made;
    elements.sort_by(|(a, of_a), (b, of_b)| a.cmp(b).then(is_made(of_a).cmp(&is_made(of_b))));
    elements.dedup_by(|(later, _), (first, _)| later == first);
    let is_there = |word: &Word| *word != Word::Later { there: false };
    elements.into_iter().filter(|(_, word)| is_there(word)).map(|(element, _)| element).collect()
}

impl Folder {
    fn agent(&mut self, name: &str) -> u32 {
        if self.agents.get(self.last as usize).is_none_or(|last| last != name) {
            self.last = self.agent_index.get(name).copied().unwrap_or_else(|| {
                let index = u32::try_from(self.agents.len()).unwrap_or(u32::MAX);
                self.agents.push(name.to_owned());
                self.agent_index.insert(name.to_owned(), index);
                index
            });
        }
        self.last
    }

    /// The place of the task whose id has these digits, if it is known.
    fn known(&self, digits: &str) -> Option<usize> {
        let name = digits.as_bytes();
        if self.heads.get(self.next).is_some_and(|head| head.name() == name) {
            return Some(self.next);
        }
        let is_it = |at: &usize| self.heads.get(*at).is_some_and(|head| head.name() == name);
        self.index.find(self.seed.hash_one(name), is_it).copied()
    }

    /// The place of the task `id`, which it gets where it is not known yet.
    fn place(&mut self, id: EntryId) -> usize {
        let mut digits = [0; 64];
        let text = id.hex(&mut digits);
        if let Some(at) = self.known(text) {
            return at;
        }
        let (at, hash) = (self.heads.len(), self.seed.hash_one(text.as_bytes()));
        let Self { heads, seed, .. } = self;
        let hash_of = |at: &usize| heads.get(*at).map_or(0, |head: &Head| seed.hash_one(head.name()));
        self.index.insert_unique(hash, at, hash_of);
        self.heads.push(Head { id, digits, updated: 0, set: 0, made_with: 0 });
        self.tasks.push(unknown(id));
        self.rests.push(None);
        at
    }

    /// Takes the entry `view`; answers with its task, and whether it is the first met of it.
    pub(super) fn add(
        &mut self,
        snapshot: &Snapshot<'_>,
        view: &View<'_>,
        about: About<'_>,
    ) -> Option<(EntryId, bool)> {
        let known = self.heads.len();
        let at = match about.task.and_then(|digits| self.known(digits)) {
            Some(at) => at,
            None => self.place(about.id(view)?),
        };
        self.next = at + 1;
        let About { change, trailers, .. } = about;
        let agent = match change {
            Change::Dispatch => self.agent(view.trailer(bottle::TO).unwrap_or(view.agent())),
            // Nobody asks who it was.
            Change::Edit | Change::Comment => 0,
            _ => self.agent(view.agent()),
        };
        let (head, task, rest) = (&mut self.heads[at], &mut self.tasks[at], &mut self.rests[at]);
        head.updated = head.updated.max(view.clock());
        let mut step = Step { change, state: State::Open, fence: 0, until: 0, agent };
        let (mut stated, set_before) = (None, head.set);
        let is_new = change == Change::Create;
        let said = |there| if is_new { Word::Made } else { Word::Later { there } };
        // A dispatch carries the priority for its bottle's sake.
        let sets = change != Change::Dispatch;
        for (key, value) in trailers {
            // The most frequent, and no fields.
            if matches!(key, change::TASK | change::CHANGE | change::OVER) {
                continue;
            }
            match key {
                change::TITLE => head.first(TITLE, &mut task.title, || Some(value.to_owned())),
                change::PRIORITY if sets => {
                    head.first(PRIORITY, &mut task.priority, || Priority::read(value));
                }
                change::PARENT => head.first(PARENT, &mut task.parent, || Some(EntryId::from_hex(value))),
                change::REQUESTER => {
                    head.first(REQUESTER, &mut task.requester, || Some(Some(value.to_owned())));
                }
                change::CAP | change::NO_CAP => {
                    let word = said(key == change::CAP);
                    rest.get_or_insert_default().caps.push((value.to_owned(), word));
                }
                change::TAG | change::NO_TAG => {
                    let word = said(key == change::TAG);
                    rest.get_or_insert_default().tags.push((value.to_owned(), word));
                }
                change::NEEDS | change::NO_NEEDS => {
                    if let Some(id) = EntryId::from_hex(value) {
                        let word = said(key == change::NEEDS);
                        rest.get_or_insert_default().needs.push((id, word));
                    }
                }
                change::SET if value == change::TEXT => {
                    head.first(TEXT, &mut task.text, || Some(body(snapshot, view)));
                }
                change::SOURCE => task.source = Some(value.to_owned()),
                change::STATE => stated = stated.or_else(|| Some(change::state(value))),
                change::FENCE => step.fence = value.parse().unwrap_or(0),
                // As with the mutex, no lease lasts longer, whatever it says.
                change::UNTIL => {
                    step.until = value.parse().unwrap_or(0).min(view.clock().saturating_add(LEASE_MAX));
                }
                _ => {}
            }
        }
        match change {
            Change::Create => {
                head.set |= MADE;
                view.agent().clone_into(&mut task.author);
                task.created = view.clock();
                head.first(TITLE, &mut task.title, || Some(view.subject().to_owned()));
                head.first(TEXT, &mut task.text, || Some(body(snapshot, view)));
                if let Some(state) = stated.flatten() {
                    rest.get_or_insert_default().state = Some(state);
                }
                head.made_with = head.set & !set_before;
            }
            Change::Edit => {}
            Change::Comment => task.comments += 1,
            Change::State => {
                if let Some(state) = stated.flatten() {
                    rest.get_or_insert_default().steps.push(Step { state, ..step });
                }
            }
            Change::Claim | Change::Dispatch | Change::Renew | Change::Release => {
                rest.get_or_insert_default().steps.push(step);
            }
        }
        Some((head.id, at == known))
    }

    /// The steps of the task `id` that changed nothing: their places among its steps, counted from the oldest.
    pub(super) fn void(&self, id: EntryId) -> Vec<usize> {
        let at = self.known(id.hex(&mut [0; 64]));
        let rest = at.and_then(|at| self.rests.get(at)?.as_deref());
        rest.map_or_else(Vec::new, |rest| {
            Run::through(rest.state, &rest.steps, &self.agents, &mut BTreeMap::new()).void
        })
    }

    /// Makes tasks of what was taken. Changes to a task whose own entry is not here wait for it.
    pub(super) fn finish(self) -> Tasks {
        let Self { heads, mut tasks, rests, agents, .. } = self;
        let is_made = |head: &Head| head.set & MADE != 0;
        let mut records: BTreeMap<String, Record> = BTreeMap::new();
        for ((head, task), rest) in
            heads.iter().zip(&mut tasks).zip(rests).filter(|((head, _), _)| is_made(head))
        {
            let rest = rest.unwrap_or_default();
            let run = Run::through(rest.state, &rest.steps, &agents, &mut records);
            complete(task, head, *rest, run);
        }
        let mut made = heads.iter().map(is_made);
        tasks.retain(|_| made.next() == Some(true));
        Tasks::new(tasks, records)
    }
}

fn body(snapshot: &Snapshot<'_>, view: &View<'_>) -> String {
    match view.payload() {
        None => view.body().to_owned(),
        Some(_) => snapshot.whole(view).body,
    }
}

/// A task of which nothing is known.
fn unknown(id: EntryId) -> Task {
    Task {
        id,
        title: String::new(),
        text: String::new(),
        priority: Priority::default(),
        state: State::Open,
        caps: BTreeSet::new(),
        tags: BTreeSet::new(),
        needs: BTreeSet::new(),
        parent: None,
        requester: None,
        source: None,
        author: String::new(),
        created: 0,
        updated: 0,
        hold: None,
        fence: 0,
        comments: 0,
        fenced_off: 0,
    }
}

fn complete(task: &mut Task, head: &Head, rest: Rest, run: Run) {
    task.updated = head.updated;
    task.caps = there(rest.caps);
    task.tags = there(rest.tags);
    task.needs = there(rest.needs);
    task.state = run.state;
    task.hold = run.hold;
    task.fence = run.fence;
    task.fenced_off = run.fenced_off;
}
