//! Taking tasks among clones: at a remote that all of them use, then here.
//!
//! A claim here is exact among the processes of one clone. Another clone that has not synced takes the same task, and the
//! logs tell afterwards whose claim counts. Where that is too late, the mutex is claimed at the remote first, by a push
//! that one of any number can win. It need not be given back there: whoever has the logs knows that its number has ended.

use super::taking::{Giving, Seen, can_be_taken, claimed, held, mutex};
use super::{Hold, TakeError, Taken, Task, TaskError, Tasks, fold, fold_named};
use crate::claim::{Claim, Outcome};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::snapshot::Snapshot;
use crate::stamp::{Millis, Stamp};
use crate::store::{Store, StoreError};
use crate::sync::SyncError;
use crate::transport::Remote;
use std::collections::BTreeSet;

/// Why a task was not taken among clones.
#[derive(Debug, thiserror::Error)]
pub enum TakeAtError {
    /// It was not taken here.
    #[error(transparent)]
    Take(#[from] TakeError),
    /// The remote could not be asked, or refuses claims.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

impl From<TaskError> for TakeAtError {
    fn from(error: TaskError) -> Self {
        Self::Take(error.into())
    }
}

impl From<StoreError> for TakeAtError {
    fn from(error: StoreError) -> Self {
        Self::Take(error.into())
    }
}

/// Takes the task called `name` for `lease` milliseconds, at `remote` before here.
///
/// What other clones did is known as far as their logs are here: sync before, and after, so that they know of this.
///
/// # Errors
/// [`TakeAtError`] as [`take`](super::take), and when the remote cannot be asked. Where the connection was lost in the
/// push, the claim there may stand; it ends with its lease.
pub fn take_at(
    store: &Store,
    remote: &Remote,
    stamp: &Stamp,
    name: &str,
    lease: Millis,
) -> Result<Taken, TakeAtError> {
    let seen = Seen::named(&store.snapshot_of(&[Kind::Task], None)?, name)?;
    let id = seen.tasks.find(name)?.id;
    take_seen_at(store, remote, stamp, id, lease, &seen)
}

/// Takes the most urgent of the tasks that are ready, as [`take_next`](super::take_next) does, at `remote` before here.
///
/// # Errors
/// As [`take_at`].
pub fn take_next_at(
    store: &Store,
    remote: &Remote,
    stamp: &Stamp,
    caps: Option<&BTreeSet<String>>,
    lease: Millis,
) -> Result<Option<Taken>, TakeAtError> {
    let seen = Seen::of(&store.snapshot_of(&[Kind::Task], None)?);
    for task in seen.tasks.ready(stamp.now, caps) {
        match take_seen_at(store, remote, stamp, task.id, lease, &seen) {
            Err(TakeAtError::Take(TakeError::Task(_))) => {}
            taken => return taken.map(Some),
        }
    }
    Ok(None)
}

/// The tasks that agents of this clone had at `now` by what was here `before`, and have no more by what is here `after`:
/// each with the claim that ended.
///
/// Of two clones that claimed the same task without asking the remote, this tells the one that lost. What is claimed here
/// the mutexes tell, so that tasks are read only where somebody may have lost one.
///
/// # Errors
/// [`StoreError`] when claims cannot be listed.
pub fn taken_over(
    store: &Store,
    before: &Snapshot<'_>,
    after: &Snapshot<'_>,
    now: Millis,
) -> Result<Vec<(Task, Hold)>, StoreError> {
    let task =
        |claim: &Claim| Some((EntryId::from_hex(claim.name.as_str())?, claim.holder.agent().to_owned()));
    let (claims, _) = store.claims_of(|name| EntryId::from_hex(name.as_str()).is_some())?;
    let own = claims.iter().filter(|claim| claim.is_held(now) && store.is_own(&claim.holder));
    let mut own: Vec<(EntryId, String)> = own.filter_map(task).collect();
    let has = |tasks: &Tasks, id: EntryId, agent: &str| {
        tasks.get(id).and_then(|task| task.live_hold(now)).filter(|hold| hold.agent == agent).cloned()
    };
    let later = read(after, &own);
    own.retain(|(id, agent)| has(&later, *id, agent).is_none());
    let earlier = read(before, &own);
    let lost =
        own.iter().filter_map(|(id, agent)| Some((later.get(*id)?.clone(), has(&earlier, *id, agent)?)));
    Ok(lost.collect())
}

/// The tasks of which some are asked for.
fn read(snapshot: &Snapshot<'_>, asked: &[(EntryId, String)]) -> Tasks {
    match asked {
        [] => Tasks::default(),
        [(id, _)] => fold_named(snapshot, &id.to_string()).unwrap_or_default(),
        _ => fold(snapshot),
    }
}

fn take_seen_at(
    store: &Store,
    remote: &Remote,
    stamp: &Stamp,
    id: EntryId,
    lease: Millis,
    seen: &Seen,
) -> Result<Taken, TakeAtError> {
    let task = seen.tasks.get(id).ok_or_else(|| TaskError::Unknown(id.to_string()))?;
    can_be_taken(&seen.tasks, task, stamp.now)?;
    let mutex = mutex(id)?;
    let fencing = match store.claim_at_beyond(remote, &mutex, stamp, lease, task.fence)? {
        Outcome::Claimed { fencing, .. } => fencing,
        Outcome::Held { by, until, fencing } => {
            let hold = Hold { agent: by.agent().to_owned(), fence: fencing, until };
            return Err(held(task, &hold).into());
        }
        Outcome::Free => return Err(TaskError::Unknown(task.alias()).into()),
    };
    let giving = Giving { store, stamp, to: stamp, lease, above: fencing.saturating_sub(1) };
    let taken = giving.give(id, seen, None, claimed(stamp));
    if taken.is_err() {
        store.release_at(remote, &mutex, stamp, fencing)?;
    }
    Ok(taken?)
}
