//! A ref's lock in git's protocol: `<ref>.lock`, made exclusively, which then takes the ref's place.

use super::{RefError, io_error, sync_folder};
use crate::id::EntryId;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A lock on a ref that is older than this, and that nobody holds open, was left by a process that died.
///
/// git's own locks cannot be told from ours; git holds one for as long as it takes to flush a file.
const STALE: Duration = Duration::from_secs(10);

/// A lock that is held. Its handle stays open until the file has become the ref; given up, it removes the file.
#[must_use]
pub(super) struct Lock {
    path: PathBuf,
    file: File,
    /// Whether the folder it lies in had to be made.
    made_folder: bool,
    is_published: bool,
}

impl Lock {
    /// Makes the lock of the ref at `path`; `None` when another holds it.
    pub(super) fn take(path: &Path) -> Result<Option<Self>, RefError> {
        let lock = lock_path(path);
        let mut made_folder = false;
        // `git pack-refs` removes a folder it has emptied, perhaps between our making it and the lock in it.
        for _ in 0..8 {
            match OpenOptions::new().write(true).create_new(true).open(&lock) {
                Ok(file) => {
                    // Tells others that the lock's owner lives; where locks are not supported its age must do.
                    let _ = file.try_lock();
                    // Stopped before that for long enough, it was taken for one of a process that died.
                    if is_removed(&file) {
                        continue;
                    }
                    let path = path.to_owned();
                    return Ok(Some(Self { path, file, made_folder, is_published: false }));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    make_parent(&lock)?;
                    made_folder = true;
                }
                Err(error) => return Err(io_error("create", &lock, error)),
            }
        }
        Err(io_error("create", &lock, io::ErrorKind::NotFound.into()))
    }

    /// Writes the value that the ref shall have; with `sync` it is on the disk when this returns.
    pub(super) fn write(&mut self, new: EntryId, sync: bool) -> Result<(), RefError> {
        let Self { path, file, .. } = self;
        file.write_all(format!("{new}\n").as_bytes())
            .map_err(|error| io_error("write", &lock_path(path), error))?;
        if sync {
            file.sync_data().map_err(|error| io_error("sync", &lock_path(path), error))?;
        }
        Ok(())
    }

    /// Removes an empty folder in the ref's place, which git leaves where a ref of a longer name was.
    pub(super) fn clear_place(&self) -> Result<(), RefError> {
        if !self.path.is_dir() {
            return Ok(());
        }
        fs::remove_dir(&self.path).map_err(|error| io_error("remove the folder", &self.path, error))
    }

    /// Flushes the folder of the ref, so that it survives a power cut.
    pub(super) fn sync_folders(&self) -> Result<(), RefError> {
        sync_folder(&self.path)?;
        match self.path.parent() {
            Some(folder) if self.made_folder => sync_folder(folder),
            _ => Ok(()),
        }
    }

    /// Puts the file in the ref's place.
    pub(super) fn publish(&mut self) -> Result<(), RefError> {
        let lock = lock_path(&self.path);
        let renamed = match fs::rename(&lock, &self.path) {
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                self.clear_place()?;
                fs::rename(&lock, &self.path)
            }
            renamed => renamed,
        };
        renamed.map_err(|error| io_error("rename", &lock, error))?;
        self.is_published = true;
        Ok(())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if !self.is_published {
            let _ = fs::remove_file(lock_path(&self.path));
        }
    }
}

/// Removes the lock of the ref at `path` if its owner died; answers with it if there was one.
pub(super) fn clear_stale(path: &Path) -> Result<Option<PathBuf>, RefError> {
    let lock = lock_path(path);
    if !is_left_behind(&lock, STALE) {
        return Ok(None);
    }
    match fs::remove_file(&lock) {
        Ok(()) => Ok(Some(lock)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("remove the stale lock", &lock, error)),
    }
}

/// Whether the file at `path` is older than `age` and no process of ours holds it.
pub(crate) fn is_left_behind(path: &Path, age: Duration) -> bool {
    let Ok(file) = File::open(path) else { return false };
    // A time that lies ahead was written before the clock was set back.
    let since = |at: SystemTime| at.elapsed().unwrap_or_else(|error| error.duration());
    let modified = file.metadata().and_then(|meta| meta.modified());
    // A writer that was only stopped still holds its lock, and would put our successor's in the ref's place.
    modified.is_ok_and(|at| since(at) >= age) && file.try_lock().is_ok()
}

/// The lock of the ref at `path`.
pub(super) fn lock_path(path: &Path) -> PathBuf {
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    lock.into()
}

/// Makes the folder that holds `path`.
pub(super) fn make_parent(path: &Path) -> Result<(), RefError> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(|error| io_error("create", parent, error))
}

/// Whether no name leads to the file any more.
fn is_removed(file: &File) -> bool {
    #[cfg(unix)]
    return file.metadata().is_ok_and(|meta| std::os::unix::fs::MetadataExt::nlink(&meta) == 0);
    #[cfg(not(unix))]
    return false;
}
