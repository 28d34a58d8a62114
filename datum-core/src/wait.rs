//! Waiting for other writers: in a queue, for a lock, and not for ever.

use crate::refs::{Guard, Move, Swap};
use crate::store::{Store, StoreError};
use std::fs::{File, TryLockError};
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::slice;
use std::thread;
use std::time::{Duration, Instant};

/// How long a writer waits for others, at most; `core.filesRefLockTimeout` sets another time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// How long a writer queues behind others of this machine before it tries its luck.
const QUEUE: Duration = Duration::from_millis(50);

/// One writer's patience: it queues behind others, tries, waits for locks, and gives up in the end.
pub(crate) struct Wait<'s> {
    store: &'s Store,
    queue: Option<File>,
    start: Instant,
    /// Stale locks that were removed.
    pub(crate) cleared: Vec<PathBuf>,
}

impl<'s> Wait<'s> {
    pub(crate) fn new(store: &'s Store) -> Self {
        Self { store, queue: store.queue(QUEUE), start: Instant::now(), cleared: Vec::new() }
    }

    /// Moves a ref; `false` when it no longer has the value it is expected to have. A lock is waited for.
    pub(crate) fn swap(&mut self, to: &Move<'_>) -> Result<bool, StoreError> {
        self.swap_all(slice::from_ref(to), Guard::default())
    }

    /// Moves refs in their order, or none; `false` when one no longer has the value it is expected to have, or something
    /// is not as `guard` says.
    pub(crate) fn swap_all(&mut self, moves: &[Move<'_>], guard: Guard<'_>) -> Result<bool, StoreError> {
        loop {
            match self.store.refs.swap(moves, guard)? {
                Swap::Done => return Ok(true),
                Swap::Moved => return Ok(false),
                Swap::Locked(path) => {
                    // Only one writer of this machine at a time may judge a lock to be stale.
                    self.queue = self.queue.take().or_else(|| self.store.queue(Duration::ZERO));
                    if self.queue.is_some() {
                        let stay = guard.stay.iter().map(|(name, _)| name.as_str());
                        for name in moves.iter().map(|to| to.name).chain(stay) {
                            self.cleared.extend(self.store.refs.clear_stale_lock(name)?);
                        }
                    }
                    self.for_lock(&path)?;
                }
            }
        }
    }

    /// Waits for a short time after others have moved the ref `name`, which no setting of git's makes a failure.
    pub(crate) fn after_others(&self, name: &str) -> Result<(), StoreError> {
        let waited = self.start.elapsed();
        if waited > self.store.patience.max(PATIENCE) {
            return Err(StoreError::Outrun { name: name.to_owned(), waited });
        }
        sleep(waited);
        Ok(())
    }

    fn for_lock(&self, path: &Path) -> Result<(), StoreError> {
        let waited = self.start.elapsed();
        if waited > self.store.patience {
            return Err(StoreError::Locked { path: path.to_owned(), waited });
        }
        sleep(waited);
        Ok(())
    }
}

impl Store {
    /// Queues behind the other writers of this machine for at most `patience`.
    ///
    /// Correctness does not rest on it: it spares writers the retries they would otherwise cause each other.
    pub(crate) fn queue(&self, patience: Duration) -> Option<File> {
        let path = self.common_dir.join("datum/lock");
        let open = || File::options().create(true).append(true).open(&path);
        let file =
            open().or_else(|_| std::fs::create_dir(self.common_dir.join("datum")).and_then(|()| open()));
        let file = file.ok()?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Some(file),
                Err(TryLockError::WouldBlock) if start.elapsed() < patience => thread::sleep(jitter() / 4),
                Err(_) => return None,
            }
        }
    }
}

/// Sleeps for a short time, longer the longer it has already lasted.
fn sleep(waited: Duration) {
    thread::sleep(jitter() + (waited / 16).min(Duration::from_millis(50)));
}

/// A short time that differs from writer to writer: 0.2 to 2.2 ms.
pub(crate) fn jitter() -> Duration {
    Duration::from_micros(200 + RandomState::new().hash_one(0u8) % 2000)
}
