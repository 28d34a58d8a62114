//! Taking tasks: the mutex and the entry that tells of it move together.
//!
//! The mutex is a claim ref, so of any number of processes one wins. Both refs are locked, then the log moves, then the
//! mutex: killed between the two, a process leaves a task that its log says it has, and the mutex would add nothing to
//! that. Only the mutex is flushed to the disk. A power cut can take the entry alone: the task then looks ready and cannot
//! be taken until the lease ends, and [`prolong`] by the same agent adds the entry again. The entry that ends a claim
//! and the release move together as well, so that whoever takes the mutex next sees a finished task as finished.

use super::change::claimed as claimed_by;
use super::draft::{can_be_claimed, claim, renew};
use super::{Hold, Task, TaskError, Tasks, fold, fold_named};
use crate::claim::{Claim, Ends, LEASE_MAX, Name, Outcome, Saying, Step, Wish};
use crate::entry::Draft;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::snapshot::Snapshot;
use crate::stamp::{Millis, Stamp, Writer};
use crate::store::{Applied, Store, StoreError};
use memchr::memmem::Finder;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// How old a claim must be to be removed, milliseconds: longer than anybody takes to claim what was free when it looked.
const SWEEP_AGE: Millis = 24 * 60 * 60 * 1000;
/// Claims that are removed at once.
const SWEEP_MOST: usize = 500;

/// Why a task was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// The task cannot be taken.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A task that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The task as it was before.
    pub task: Task,
    /// The claim.
    pub hold: Hold,
    /// The entry that tells of it.
    pub entry: EntryId,
}

/// The claim that guards the task `id`.
pub(super) fn mutex(id: EntryId) -> Result<Name, StoreError> {
    Name::new(&id.to_string()).map_err(|error| StoreError::Log {
        name: format!("refs/datum/claim/{id}"),
        message: error.to_string(),
    })
}

/// Tasks, and the logs that they were read from: the same logs tell the same tasks, and are read once.
pub(crate) struct Seen {
    logs: Vec<(Writer, EntryId)>,
    /// Which tasks were asked for; `None` for all.
    name: Option<String>,
    pub(crate) tasks: Tasks,
}

impl Seen {
    /// Reads the tasks of `snapshot`.
    pub(crate) fn of(snapshot: &Snapshot<'_>) -> Self {
        let logs = logs(snapshot).map(|(writer, tip)| (writer.clone(), tip)).collect();
        Self { logs, name: None, tasks: fold(snapshot) }
    }

    /// Reads of the tasks of `snapshot` what [`fold_named`] does.
    pub(crate) fn named(snapshot: &Snapshot<'_>, name: &str) -> Result<Self, TaskError> {
        let logs = logs(snapshot).map(|(writer, tip)| (writer.clone(), tip)).collect();
        Ok(Self { logs, name: Some(name.to_owned()), tasks: fold_named(snapshot, name)? })
    }

    /// The tasks of `snapshot`.
    pub(crate) fn at(&self, snapshot: &Snapshot<'_>) -> Result<Cow<'_, Tasks>, TaskError> {
        let same = logs(snapshot).eq(self.logs.iter().map(|(writer, tip)| (writer, *tip)));
        match &self.name {
            _ if same => Ok(Cow::Borrowed(&self.tasks)),
            Some(name) => fold_named(snapshot, name).map(Cow::Owned),
            None => Ok(Cow::Owned(fold(snapshot))),
        }
    }
}

fn logs<'s>(snapshot: &'s Snapshot<'_>) -> impl Iterator<Item = (&'s Writer, EntryId)> {
    snapshot.tips().filter(|(kind, ..)| *kind == Kind::Task).map(|(_, writer, tip)| (writer, tip))
}

pub(super) fn held(task: &Task, hold: &Hold) -> TaskError {
    TaskError::Held { task: task.alias(), hold: hold.clone() }
}

/// Refuses a task that cannot be taken at `now`, as far as the entries tell.
///
/// # Errors
/// [`TaskError`] with what stands in the way.
pub fn can_be_taken(tasks: &Tasks, task: &Task, now: Millis) -> Result<(), TaskError> {
    match task.live_hold(now) {
        Some(hold) if !task.is_closed() => Err(held(task, hold)),
        _ => can_be_claimed(tasks, task, now),
    }
}

/// Takes the task called `name` for `lease` milliseconds.
///
/// # Errors
/// [`TakeError`] when there is no such task, it cannot be taken, or another has it.
pub fn take(store: &Store, stamp: &Stamp, name: &str, lease: Millis) -> Result<Taken, TakeError> {
    let snapshot = store.snapshot_of(&[Kind::Task], None)?;
    let seen = Seen::named(&snapshot, name)?;
    let task = seen.tasks.find(name)?;
    can_be_taken(&seen.tasks, task, stamp.now)?;
    Giving { store, stamp, to: stamp, lease, above: 0 }.give(task.id, &seen, Some(snapshot), claimed(stamp))
}

/// Drafts the entry of a claim by the writer itself.
pub(super) fn claimed(stamp: &Stamp) -> impl Fn(&Tasks, &Task, &Hold) -> Result<Draft, TaskError> {
    |tasks, task, hold| claim(tasks, task, hold.fence, hold.until, stamp.now)
}

/// A claim for the agent of `to`, by that of `stamp`.
#[derive(Clone, Copy)]
pub(crate) struct Giving<'s> {
    pub(crate) store: &'s Store,
    pub(crate) stamp: &'s Stamp,
    pub(crate) to: &'s Stamp,
    pub(crate) lease: Millis,
    /// The claim's number is greater than this.
    pub(crate) above: u64,
}

impl<'s> Giving<'s> {
    /// Claims the mutex of a task, and appends what `draft` says of it: both, or neither.
    ///
    /// `snapshot` is what `seen` was read from, where nothing else has been decided by it yet.
    pub(crate) fn give(
        self,
        id: EntryId,
        seen: &Seen,
        snapshot: Option<Snapshot<'s>>,
        draft: impl Fn(&Tasks, &Task, &Hold) -> Result<Draft, TaskError>,
    ) -> Result<Taken, TakeError> {
        let Self { stamp, to, lease, above, .. } = self;
        self.tell(id, seen, snapshot, |snapshot, tasks, task, step| {
            can_be_taken(tasks, task, stamp.now)?;
            // Nobody has it, so the mutex under a number that the logs know was not given back where that was said.
            let mut taken = step(Wish::Take { lease, told: task.fence.max(above) });
            if let Err(Outcome::Held { by, fencing, .. }) = &taken
                && is_told(snapshot, id, by, *fencing)
            {
                taken = step(Wish::Take { lease, told: *fencing });
            }
            Ok(match taken {
                Ok((fence, until)) => {
                    let hold = Hold { agent: to.agent.to_string(), fence, until };
                    Ok((draft(tasks, task, &hold)?, hold))
                }
                Err(answer) => Err(answer),
            })
        })
    }

    /// Does with the mutex of a task what `draft` wishes, and appends what it drafts, with the hold that comes of it.
    fn tell(
        self,
        id: EntryId,
        seen: &Seen,
        snapshot: Option<Snapshot<'s>>,
        draft: impl Fn(
            &Snapshot<'_>,
            &Tasks,
            &Task,
            Step<'_>,
        ) -> Result<Result<(Draft, Hold), Outcome>, TaskError>,
    ) -> Result<Taken, TakeError> {
        let Self { store, stamp, to, .. } = self;
        let mut before = None;
        let decide = |snapshot: &Snapshot<'_>, step: Step<'_>| -> Result<_, TakeError> {
            let tasks = seen.at(snapshot)?;
            let task = tasks.get(id).ok_or_else(|| unknown(id))?;
            Ok(draft(snapshot, &tasks, task, step)?.map(|(draft, hold)| {
                before = Some((task.clone(), hold));
                draft
            }))
        };
        let told = store.claim_and_tell(&mutex(id)?, to, (Kind::Task, stamp), snapshot, decide)?;
        match told {
            Ok(applied) => {
                let (task, hold) = before.ok_or_else(|| unknown(id))?;
                let entry = applied.ids.first().copied().ok_or_else(|| unknown(id))?;
                Ok(Taken { task, hold, entry })
            }
            Err(Outcome::Held { by, until, fencing }) => {
                let hold = Hold { agent: by.agent().to_owned(), fence: fencing, until };
                Err(held(seen.tasks.get(id).ok_or_else(|| unknown(id))?, &hold).into())
            }
            // Given back meanwhile.
            Err(_) => {
                let task = seen.tasks.get(id).ok_or_else(|| unknown(id))?.alias();
                Err(TaskError::NotHeld { task, agent: to.agent.to_string() }.into())
            }
        }
    }
}

/// Whether a log has the claim of a mutex, although it may be void or undone: then the log says that nobody has the task.
fn is_told(snapshot: &Snapshot<'_>, id: EntryId, holder: &Writer, fencing: u64) -> bool {
    let digits = id.to_string();
    let word = Finder::new(&digits);
    let mut found = false;
    snapshot.walk_hinted(Kind::Task, Some(&|bytes| word.find(bytes).is_some()), |view| {
        found = claimed_by(&view.to_entry()) == Some((id, fencing, holder.agent()));
        if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    found
}

fn unknown(id: EntryId) -> TaskError {
    TaskError::Unknown(id.to_string())
}

/// Takes the most urgent of the tasks that are ready, with `caps` of those that need nothing else; `None` when there
/// is none.
///
/// # Errors
/// [`TakeError::Store`] when the store cannot be read or written.
pub fn take_next(
    store: &Store,
    stamp: &Stamp,
    caps: Option<&BTreeSet<String>>,
    lease: Millis,
) -> Result<Option<Taken>, TakeError> {
    // Tasks that others were faster with.
    let mut lost = BTreeSet::new();
    loop {
        let snapshot = store.snapshot_of(&[Kind::Task], None)?;
        let seen = Seen::of(&snapshot);
        let mut snapshot = Some(snapshot);
        let ready: Vec<EntryId> =
            seen.tasks.ready(stamp.now, caps).map(|task| task.id).filter(|id| !lost.contains(id)).collect();
        if ready.is_empty() {
            return Ok(None);
        }
        for id in ready {
            lost.insert(id);
            let giving = Giving { store, stamp, to: stamp, lease, above: 0 };
            match giving.give(id, &seen, snapshot.take(), claimed(stamp)) {
                // What was read is long ago where many try: it was taken or finished meanwhile.
                Err(TakeError::Task(_)) => {}
                taken => return taken.map(Some),
            }
        }
    }
}

/// Makes the lease of a task that the writer has longer, to end `lease` milliseconds from now.
///
/// # Errors
/// [`TakeError`] when the writer does not have it, or no longer.
pub fn prolong(
    store: &Store,
    stamp: &Stamp,
    name: &str,
    lease: Millis,
    fence: Option<u64>,
) -> Result<Taken, TakeError> {
    let snapshot = store.snapshot_of(&[Kind::Task], None)?;
    let seen = Seen::named(&snapshot, name)?;
    let id = seen.tasks.find(name)?.id;
    let writer = store.writer(&stamp.agent)?;
    let own = store.find_claim(&mutex(id)?)?.filter(|claim| !claim.released && claim.holder == writer);
    let agent = stamp.agent.as_str();
    Giving { store, stamp, to: stamp, lease, above: 0 }.tell(
        id,
        &seen,
        Some(snapshot),
        |_, tasks, task, step| {
            let mine = task.hold.as_ref().filter(|hold| hold.agent == agent);
            // Of a claim whose entry was lost, with the power, the logs know too little.
            let untold = own.as_ref().filter(|claim| {
                let is_lost = claim.fencing > task.fence || mine.is_some();
                is_lost && task.live_hold(stamp.now).is_none() && claim.is_held(stamp.now)
            });
            let until = match own.as_ref().map(|claim| step(Wish::Renew { fencing: claim.fencing, lease })) {
                Some(Ok((_, until))) => until,
                Some(Err(answer)) => return Ok(Err(answer)),
                None => stamp.now.saturating_add(lease.min(LEASE_MAX)),
            };
            let hold = |fence| Hold { agent: agent.to_owned(), fence, until };
            let Some(untold) = untold else {
                return Ok(Ok((renew(task, &stamp.agent, until, stamp.now, fence)?, hold(task.fence))));
            };
            can_be_taken(tasks, task, stamp.now)?;
            let newest = untold.fencing.max(mine.map_or_else(|| task.next_fence(), |hold| hold.fence));
            match fence {
                Some(fence) if fence != newest => {
                    Err(TaskError::FencedOff { task: task.alias(), fence, newest })
                }
                _ => Ok(Ok((claim(tasks, task, newest, until, stamp.now)?, hold(newest)))),
            }
        },
    )
}

/// Removes the mutexes of tasks that are closed, which nobody has had for a day; answers how many.
///
/// A task that is reopened gets a new one. Fencing numbers do not go back by it: only a mutex whose number the log has
/// reached is removed, and [`take`] gives the next claim a number beyond all in the log. Where somebody takes one at this
/// moment, all are left to the next time.
///
/// # Errors
/// [`StoreError`] when claims cannot be listed or removed.
pub fn sweep(store: &Store, now: Millis) -> Result<usize, StoreError> {
    let tasks = fold(&store.snapshot()?);
    let closed = |name: &Name| {
        let task = EntryId::from_hex(name.as_str()).and_then(|id| tasks.get(id));
        task.filter(|task| task.is_closed())
    };
    let (claims, _) = store.claims_of(|name| closed(name).is_some())?;
    let over = |claim: &Claim| {
        let is_old = claim.clock.saturating_add(SWEEP_AGE) < now;
        is_old && !claim.is_held(now) && closed(&claim.name).is_some_and(|task| task.fence >= claim.fencing)
    };
    let over: Vec<Claim> = claims.into_iter().filter(over).collect();
    // git holds the locks of all that it removes at once, for as long as it takes.
    over.chunks(SWEEP_MOST).map(|claims| store.remove_claims(claims)).sum()
}

/// What is said of a task, and which claim of it that ends.
pub struct Said {
    /// The task.
    pub task: EntryId,
    /// The entry.
    pub draft: Draft,
    /// Which claim it ends.
    pub ends: Ends,
}

/// Appends what `decide` says of tasks, if nobody takes one of them meanwhile, and gives back the mutexes of the claims
/// that it ends.
///
/// # Errors
/// What `decide` answers with, and [`StoreError`]; then nothing was appended, and the mutexes are as they were.
pub fn tell<E: From<StoreError>>(
    store: &Store,
    stamp: &Stamp,
    mut decide: impl FnMut(&Snapshot<'_>) -> Result<Vec<Said>, E>,
) -> Result<Applied, E> {
    store.tell_of_claims(Kind::Task, stamp, |snapshot| {
        let saying = |Said { task, draft, ends }| Ok(Saying { name: mutex(task)?, draft, ends });
        decide(snapshot)?.into_iter().map(saying).collect()
    })
}
