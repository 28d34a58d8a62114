//! The index as it was, so that a commit that is refused leaves nothing staged.

use super::file::cannot;
use super::{WorkError, WorkTree};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// How often, and how far apart, the lock of the index is asked for.
const TRIES: (usize, Duration) = (20, Duration::from_millis(50));

/// What the index file held at one moment.
#[must_use]
pub(super) struct Index {
    file: PathBuf,
    bytes: Option<Vec<u8>>,
}

impl Index {
    /// Reads the index of `tree`.
    pub(super) fn of(tree: &WorkTree) -> Result<Self, WorkError> {
        let file = tree.root().join(tree.output(&["rev-parse", "--git-path", "index"])?);
        Ok(Self { bytes: read(&file)?, file })
    }

    /// Puts it back, under git's own lock; what has not changed is left alone.
    pub(super) fn put_back(&self) -> Result<(), WorkError> {
        if read(&self.file)? == self.bytes {
            return Ok(());
        }
        let lock = self.file.with_extension("lock");
        let mut held = lock_file(&lock)?;
        let done = match &self.bytes {
            Some(bytes) => held.write_all(bytes).and_then(|()| fs::rename(&lock, &self.file)),
            None => fs::remove_file(&self.file).and_then(|()| fs::remove_file(&lock)),
        };
        done.map_err(|error| {
            let _ = fs::remove_file(&lock);
            cannot("put back", &self.file)(error)
        })
    }
}

fn read(file: &Path) -> Result<Option<Vec<u8>>, WorkError> {
    match fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot("read", file)(error)),
    }
}

/// Makes the lock; another git that looks at the tree holds it for a moment.
fn lock_file(lock: &Path) -> Result<fs::File, WorkError> {
    let (tries, apart) = TRIES;
    let mut left = tries;
    loop {
        match OpenOptions::new().write(true).create_new(true).open(lock) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && left > 0 => {
                left -= 1;
                thread::sleep(apart);
            }
            made => return made.map_err(cannot("make", lock)),
        }
    }
}
