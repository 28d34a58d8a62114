//! Objects: read and written one at a time through gix, with what its loose store leaves to its caller.

use crate::id::EntryId;
use crate::refs::{RefError, sync_folder};
use gix::objs::{Find as _, Write as _};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// An object that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The object is not there.
    #[error("object {0} is missing")]
    Missing(EntryId),
    /// The object is there and cannot be used.
    #[error("object {id} is damaged: {message}")]
    Damaged {
        /// Its id.
        id: EntryId,
        /// What is wrong.
        message: String,
    },
    /// The object could not be written.
    #[error("cannot write an object below {}: {message}", path.display())]
    Write {
        /// The object folder.
        path: PathBuf,
        /// Why not.
        message: String,
    },
    /// The written object could not be flushed to the disk.
    #[error(transparent)]
    Sync(#[from] RefError),
}

/// What kind of git object.
pub(crate) use gix::objs::Kind as ObjectKind;

/// The object database of a repository.
pub(crate) struct Odb {
    handle: gix::OdbHandle,
    objects_dir: PathBuf,
    loose: gix::odb::loose::Store,
    hash_kind: gix::hash::Kind,
}

impl std::fmt::Debug for Odb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Odb").field(&self.objects_dir).finish()
    }
}

impl Odb {
    pub(crate) fn new(repo: &gix::Repository) -> Self {
        let objects_dir = repo.objects.store_ref().path().to_owned();
        let loose = gix::odb::loose::Store::at(&objects_dir, repo.object_hash());
        Self { handle: repo.objects.clone(), objects_dir, loose, hash_kind: repo.object_hash() }
    }

    pub(crate) fn objects_dir(&self) -> &Path {
        &self.objects_dir
    }

    /// Reads an object of the kind `want` into `buffer`.
    pub(crate) fn read<'b>(
        &self,
        id: EntryId,
        want: ObjectKind,
        buffer: &'b mut Vec<u8>,
    ) -> Result<&'b [u8], ObjectError> {
        let damaged = |message: String| ObjectError::Damaged { id, message };
        let found = match self.handle.try_find(&id.0, buffer) {
            Ok(Some(found)) => (found.kind, found.data.len()),
            Ok(None) => return Err(ObjectError::Missing(id)),
            // A copy of its own may stand beside a damaged pack.
            Err(error) => match self.loose.try_find(&id.0, buffer) {
                Ok(Some(found)) => (found.kind, found.data.len()),
                _ => return Err(damaged(innermost(&error))),
            },
        };
        if found.0 != want {
            return Err(damaged(format!("it is a {}, not a {want}", found.0)));
        }
        Ok(&buffer[..found.1])
    }

    pub(crate) fn hash_kind(&self) -> gix::hash::Kind {
        self.hash_kind
    }

    pub(crate) fn exists(&self, id: EntryId) -> bool {
        use gix::objs::Exists as _;
        self.handle.exists(&id.0)
    }

    /// Writes an object and answers with its id; with `sync` it is on the disk when this returns.
    pub(crate) fn write(&self, kind: ObjectKind, bytes: &[u8], sync: bool) -> Result<EntryId, ObjectError> {
        let mut tries = 0..8;
        let id = loop {
            match self.loose.write_buf(kind, bytes) {
                Ok(id) => break EntryId(id),
                // `git prune-packed` removes a folder it has emptied, perhaps just before our rename into it.
                Err(error) if tries.next().is_some() && error.is_not_found() => {
                    thread::sleep(Duration::from_micros(200));
                }
                Err(error) => {
                    let message = innermost(&error);
                    return Err(ObjectError::Write { path: self.objects_dir.clone(), message });
                }
            }
        };
        if sync {
            let path = self.loose.object_path(&id.0);
            match File::open(&path).and_then(|file| file.sync_all()) {
                Ok(()) => sync_folder(&path)?,
                // Already moved into a pack, which git flushes before it removes the file.
                Err(error) if error.kind() == io::ErrorKind::NotFound && self.exists(id) => {}
                Err(source) => return Err(RefError::Io { doing: "sync", path, source }.into()),
            }
        }
        Ok(id)
    }

    /// The id `bytes` would have.
    pub(crate) fn hash(&self, kind: ObjectKind, bytes: &[u8]) -> Option<EntryId> {
        gix::objs::compute_hash(self.hash_kind, kind, bytes).ok().map(EntryId)
    }
}

/// The cause at the end of the chain: what the system said.
fn innermost(error: &gix::Error) -> String {
    error.iter_errors().last().map_or_else(|| error.to_string(), ToString::to_string)
}
