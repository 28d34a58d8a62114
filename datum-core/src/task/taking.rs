//! Taking tasks: the mutex first, then the entry that tells of it.
//!
//! The mutex is a claim ref, so of any number of processes one wins. Killed between the two, a process leaves a claim
//! that nobody is told of: the task looks ready, cannot be taken until the lease ends, and [`prolong`] by the same
//! agent adds the missing entry. The entry that ends a claim comes before the release, so that whoever takes the mutex
//! next sees a finished task as finished.

use super::draft::{can_be_claimed, claim, renew};
use super::{Hold, Task, TaskError, Tasks, fold};
use crate::claim::{Claim, Name, Outcome};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::snapshot::Snapshot;
use crate::stamp::{Millis, Stamp, Writer};
use crate::store::{Store, StoreError};
use std::borrow::Cow;
use std::collections::BTreeSet;

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
fn mutex(id: EntryId) -> Result<Name, StoreError> {
    Name::new(&id.to_string()).map_err(|error| StoreError::Log {
        name: format!("refs/datum/claim/{id}"),
        message: error.to_string(),
    })
}

/// All tasks, and the logs that they were read from: the same logs tell the same tasks, and are read once.
pub(crate) struct Seen {
    logs: Vec<(Writer, EntryId)>,
    pub(crate) tasks: Tasks,
}

impl Seen {
    /// Reads the tasks of `snapshot`.
    pub(crate) fn of(snapshot: &Snapshot<'_>) -> Self {
        Self {
            logs: logs(snapshot).map(|(writer, tip)| (writer.clone(), tip)).collect(),
            tasks: fold(snapshot),
        }
    }

    /// The tasks of `snapshot`.
    pub(crate) fn at(&self, snapshot: &Snapshot<'_>) -> Cow<'_, Tasks> {
        let same = logs(snapshot).eq(self.logs.iter().map(|(writer, tip)| (writer, *tip)));
        if same { Cow::Borrowed(&self.tasks) } else { Cow::Owned(fold(snapshot)) }
    }
}

fn logs<'s>(snapshot: &'s Snapshot<'_>) -> impl Iterator<Item = (&'s Writer, EntryId)> {
    snapshot.tips().filter(|(kind, ..)| *kind == Kind::Task).map(|(_, writer, tip)| (writer, tip))
}

fn held(task: &Task, hold: &Hold) -> TaskError {
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
    let seen = Seen::of(&store.snapshot()?);
    let task = seen.tasks.find(name)?;
    can_be_taken(&seen.tasks, task, stamp.now)?;
    let (fencing, until) = claim_mutex(store, stamp, task, lease)?;
    tell(store, stamp, task.id, (fencing, until), &seen)
}

/// Claims the mutex of `task`, or says who has it.
fn claim_mutex(store: &Store, stamp: &Stamp, task: &Task, lease: Millis) -> Result<(u64, Millis), TakeError> {
    match store.claim(&mutex(task.id)?, stamp, lease)? {
        Outcome::Claimed { fencing, until } => Ok((fencing, until)),
        Outcome::Held { by, until, fencing } => {
            let hold = Hold { agent: by.agent().to_owned(), fence: fencing, until };
            Err(held(task, &hold).into())
        }
        Outcome::Free => Err(TaskError::Unknown(task.alias()).into()),
    }
}

/// Claims the mutex of `task` for a dispatch, and answers with its number.
pub(crate) fn reserve(store: &Store, stamp: &Stamp, task: &Task, lease: Millis) -> Result<u64, TakeError> {
    Ok(claim_mutex(store, stamp, task, lease)?.0)
}

/// Keeps a mutex that was reserved until the lease of the dispatch ends.
pub(crate) fn keep(
    store: &Store,
    stamp: &Stamp,
    id: EntryId,
    fencing: u64,
    lease: Millis,
) -> Result<(), StoreError> {
    store.renew(&mutex(id)?, stamp, fencing, lease).map(|_| ())
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
    // Tasks that others were faster with; their entries may not be there yet.
    let mut lost = BTreeSet::new();
    loop {
        let seen = Seen::of(&store.snapshot()?);
        let ready: Vec<EntryId> =
            seen.tasks.ready(stamp.now, caps).map(|task| task.id).filter(|id| !lost.contains(id)).collect();
        if ready.is_empty() {
            return Ok(None);
        }
        for id in ready {
            lost.insert(id);
            if let Outcome::Claimed { fencing, until } = store.claim(&mutex(id)?, stamp, lease)? {
                match tell(store, stamp, id, (fencing, until), &seen) {
                    // What was read is long ago where many try: it was finished meanwhile.
                    Err(TakeError::Task(_)) => {}
                    taken => return taken.map(Some),
                }
            }
        }
    }
}

/// Adds the entry that tells of a claim just won, or gives the claim back.
fn tell(
    store: &Store,
    stamp: &Stamp,
    id: EntryId,
    (fencing, until): (u64, Millis),
    seen: &Seen,
) -> Result<Taken, TakeError> {
    let mut before = None;
    let applied = store.apply::<TakeError>(Kind::Task, stamp, |snapshot| {
        let tasks = seen.at(snapshot);
        let task = tasks.get(id).ok_or_else(|| TaskError::Unknown(id.to_string()))?;
        can_be_taken(&tasks, task, stamp.now)?;
        // Logs may tell of claims that were made in another clone.
        let fence = fencing.max(task.fence + 1);
        before = Some((task.clone(), fence));
        Ok(vec![claim(&tasks, task, fence, until, stamp.now)?])
    });
    match (applied, before) {
        (Ok(applied), Some((task, fence))) if !applied.ids.is_empty() => {
            let hold = Hold { agent: stamp.agent.to_string(), fence, until };
            Ok(Taken { task, hold, entry: applied.ids[0] })
        }
        (result, _) => {
            store.release(&mutex(id)?, stamp, fencing)?;
            Err(result.err().unwrap_or_else(|| TaskError::Unknown(id.to_string()).into()))
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
    let seen = Seen::of(&store.snapshot()?);
    let task = seen.tasks.find(name)?.clone();
    let mutex = mutex(task.id)?;
    let own = store.find_claim(&mutex)?.filter(|claim| !claim.released);
    let own = match own {
        Some(claim) if claim.holder == store.writer(&stamp.agent)? => Some(claim),
        _ => None,
    };
    // A claim that was killed before it could be told of.
    if task.hold.is_none()
        && let Some(claim) = own.as_ref().filter(|claim| claim.is_held(stamp.now))
    {
        return tell(store, stamp, task.id, (claim.fencing, claim.until), &seen);
    }
    let mut until = stamp.now.saturating_add(lease.min(crate::claim::LEASE_MAX));
    // The entry is drafted once for its refusals, before the mutex is touched.
    let _ = renew(&task, &stamp.agent, until, stamp.now, fence)?;
    if let Some(claim) = own
        && let Outcome::Claimed { until: end, .. } = store.renew(&mutex, stamp, claim.fencing, lease)?
    {
        until = end;
    }
    let applied = store.apply::<TakeError>(Kind::Task, stamp, |snapshot| {
        let tasks = seen.at(snapshot);
        let task = tasks.get(task.id).ok_or_else(|| TaskError::Unknown(name.to_owned()))?;
        Ok(vec![renew(task, &stamp.agent, until, stamp.now, fence)?])
    })?;
    let hold = Hold { agent: stamp.agent.to_string(), fence: task.fence, until };
    let entry = applied.ids.first().copied().unwrap_or(task.id);
    Ok(Taken { task, hold, entry })
}

/// Removes the mutexes of tasks that are closed, which nobody holds at `now`; answers how many.
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
        !claim.is_held(now) && closed(&claim.name).is_some_and(|task| task.fence >= claim.fencing)
    };
    store.remove_claims(&claims.into_iter().filter(over).collect::<Vec<_>>())
}

/// Gives the mutex back after the entry that ended the claim, if it is this writer's.
///
/// # Errors
/// [`StoreError`] when it cannot be read or written; it then ends with its lease.
pub fn let_go(store: &Store, stamp: &Stamp, id: EntryId) -> Result<(), StoreError> {
    let mutex = mutex(id)?;
    let writer = store.writer(&stamp.agent)?;
    if let Some(claim) = store.find_claim(&mutex)?
        && claim.holder == writer
        && !claim.released
    {
        store.release(&mutex, stamp, claim.fencing)?;
    }
    Ok(())
}
