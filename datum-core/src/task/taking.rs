//! Taking tasks: the mutex and the entry that tells of it move together.
//!
//! The mutex is a claim ref, so of any number of processes one wins. Both refs are locked, then the log moves, then the
//! mutex: killed between the two, a process leaves a task that its log says it has, and the mutex would add nothing to
//! that. Only the mutex is flushed to the disk. A power cut can take the entry alone: the task then looks ready and cannot
//! be taken until the lease ends, and [`prolong`] by the same agent adds the entry again. The entry that ends a claim
//! comes before the release, so that whoever takes the mutex next sees a finished task as finished.

use super::draft::{can_be_claimed, claim, renew};
use super::{Hold, Task, TaskError, Tasks, fold};
use crate::claim::{Claim, LEASE_MAX, Name, Outcome, Wanted, Wish};
use crate::entry::Draft;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::snapshot::Snapshot;
use crate::stamp::{Millis, Stamp, Writer};
use crate::store::{Applied, Store, StoreError};
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
    let seen = Seen::of(&store.snapshot_of(&[Kind::Task], None)?);
    let task = seen.tasks.find(name)?;
    can_be_taken(&seen.tasks, task, stamp.now)?;
    take_seen(store, stamp, task.id, lease, &seen)
}

fn take_seen(
    store: &Store,
    stamp: &Stamp,
    id: EntryId,
    lease: Millis,
    seen: &Seen,
) -> Result<Taken, TakeError> {
    give(store, stamp, stamp, id, lease, seen, |tasks, task, hold| {
        claim(tasks, task, hold.fence, hold.until, stamp.now)
    })
}

/// Claims the mutex of a task for the agent of `to`, and appends what `draft` says of it: both, or neither.
pub(crate) fn give(
    store: &Store,
    stamp: &Stamp,
    to: &Stamp,
    id: EntryId,
    lease: Millis,
    seen: &Seen,
    draft: impl Fn(&Tasks, &Task, &Hold) -> Result<Draft, TaskError>,
) -> Result<Taken, TakeError> {
    let wanted = Wanted { name: &mutex(id)?, stamp: to, wish: Wish::Take { lease } };
    tell(store, stamp, id, wanted, seen, |tasks, task, fencing, until| {
        can_be_taken(tasks, task, stamp.now)?;
        // Logs may tell of claims that were made in another clone.
        let hold = Hold { agent: to.agent.to_string(), fence: fencing.max(task.fence + 1), until };
        Ok((draft(tasks, task, &hold)?, hold))
    })
}

/// Does with the mutex of a task what is wanted, and appends what `draft` answers with the hold that comes of it.
fn tell(
    store: &Store,
    stamp: &Stamp,
    id: EntryId,
    wanted: Wanted<'_>,
    seen: &Seen,
    draft: impl Fn(&Tasks, &Task, u64, Millis) -> Result<(Draft, Hold), TaskError>,
) -> Result<Taken, TakeError> {
    let mut before = None;
    let told = store.claim_and_tell::<TakeError>(wanted, Kind::Task, stamp, |snapshot, fencing, until| {
        let tasks = seen.at(snapshot);
        let task = tasks.get(id).ok_or_else(|| unknown(id))?;
        let (draft, hold) = draft(&tasks, task, fencing, until)?;
        before = Some((task.clone(), hold));
        Ok(draft)
    })?;
    match told {
        Ok(applied) => taken(id, before, &applied),
        Err(Outcome::Held { by, until, fencing }) => {
            let hold = Hold { agent: by.agent().to_owned(), fence: fencing, until };
            Err(held(seen.tasks.get(id).ok_or_else(|| unknown(id))?, &hold).into())
        }
        Err(_) => Err(unknown(id).into()),
    }
}

fn taken(id: EntryId, before: Option<(Task, Hold)>, applied: &Applied) -> Result<Taken, TakeError> {
    let (task, hold) = before.ok_or_else(|| unknown(id))?;
    let entry = applied.ids.first().copied().ok_or_else(|| unknown(id))?;
    Ok(Taken { task, hold, entry })
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
        let seen = Seen::of(&store.snapshot_of(&[Kind::Task], None)?);
        let ready: Vec<EntryId> =
            seen.tasks.ready(stamp.now, caps).map(|task| task.id).filter(|id| !lost.contains(id)).collect();
        if ready.is_empty() {
            return Ok(None);
        }
        for id in ready {
            lost.insert(id);
            match take_seen(store, stamp, id, lease, &seen) {
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
    let seen = Seen::of(&store.snapshot_of(&[Kind::Task], None)?);
    let task = seen.tasks.find(name)?;
    let id = task.id;
    let mutex = mutex(id)?;
    let writer = store.writer(&stamp.agent)?;
    let own = store.find_claim(&mutex)?.filter(|claim| !claim.released && claim.holder == writer);
    let renewed = |task: &Task, until| {
        let draft = renew(task, &stamp.agent, until, stamp.now, fence)?;
        Ok::<_, TaskError>((draft, Hold { agent: stamp.agent.to_string(), fence: task.fence, until }))
    };
    let Some(own) = own else {
        let until = stamp.now.saturating_add(lease.min(LEASE_MAX));
        let mut before = None;
        let applied = store.apply::<TakeError>(Kind::Task, stamp, |snapshot| {
            let tasks = seen.at(snapshot);
            let task = tasks.get(id).ok_or_else(|| unknown(id))?;
            let (draft, hold) = renewed(task, until)?;
            before = Some((task.clone(), hold));
            Ok(vec![draft])
        })?;
        return taken(id, before, &applied);
    };
    let wanted = Wanted { name: &mutex, stamp, wish: Wish::Renew { fencing: own.fencing, lease } };
    let is_over = !own.is_held(stamp.now);
    tell(store, stamp, id, wanted, &seen, |tasks, task, fencing, until| {
        if task.hold.is_some() || is_over {
            return renewed(task, until);
        }
        // Of a claim whose entry was lost, with the power, the logs do not know yet.
        can_be_taken(tasks, task, stamp.now)?;
        let hold = Hold { agent: stamp.agent.to_string(), fence: fencing.max(task.fence + 1), until };
        Ok((claim(tasks, task, hold.fence, until, stamp.now)?, hold))
    })
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
