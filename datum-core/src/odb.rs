//! Objects: read through gix, written one at a time as git writes its loose ones.

mod packed;
mod stream;

pub(crate) use stream::{deflate, level};

use crate::git::Git;
use crate::id::EntryId;
use crate::packs::Packs;
use crate::refs::{RefError, sync_folder};
use gix::objs::Find as _;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Commits that are looked for in packs first, once one was not a file of its own.
const PACKED_RUN: u32 = 64;

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
    git: Git,
    hash_kind: gix::hash::Kind,
    shallow_file: PathBuf,
    /// How many more commits are looked for in packs first.
    packed: Cell<u32>,
    /// How many objects were asked for that may be alike.
    alike: Cell<u32>,
    /// The packs, once so much was asked for that to open them is worth it.
    packs: RefCell<Option<Packs>>,
}

impl std::fmt::Debug for Odb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Odb").field(&self.objects_dir).finish()
    }
}

impl Odb {
    pub(crate) fn new(repo: &gix::Repository, git: Git) -> Self {
        let objects_dir = repo.objects.store_ref().path().to_owned();
        let loose = gix::odb::loose::Store::at(&objects_dir, repo.object_hash());
        let shallow_file = repo.common_dir().join("shallow");
        Self {
            handle: repo.objects.clone(),
            objects_dir,
            loose,
            git,
            hash_kind: repo.object_hash(),
            shallow_file,
            packed: Cell::new(0),
            alike: Cell::new(0),
            packs: RefCell::new(None),
        }
    }

    /// The same database for another thread; what packs are known is shared.
    pub(crate) fn for_thread(&self) -> Self {
        Self {
            handle: self.handle.clone(),
            objects_dir: self.objects_dir.clone(),
            loose: gix::odb::loose::Store::at(&self.objects_dir, self.hash_kind),
            git: self.git.clone(),
            hash_kind: self.hash_kind,
            shallow_file: self.shallow_file.clone(),
            packed: Cell::new(0),
            alike: Cell::new(0),
            packs: RefCell::new(None),
        }
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
        // The commits of a tail are single files nearly always: they are found without listing the packs.
        // Where one was not, those before it are packed too, and a look at the disk for each would cost more than all else.
        let mut found = None;
        if want == ObjectKind::Commit {
            match self.packed.get() {
                0 => {
                    found = self.read_loose(id, buffer);
                    self.packed.set(if found.is_none() { PACKED_RUN } else { 0 });
                }
                left => self.packed.set(left - 1),
            }
        }
        let found = match found.map_or_else(|| self.read_any(id, buffer), |found| Ok(Some(found))) {
            Ok(Some(found)) => found,
            Ok(None) => return Err(ObjectError::Missing(id)),
            // A copy of its own may stand beside a damaged pack.
            Err(error) => self.read_loose(id, buffer).ok_or_else(|| damaged(innermost(&error)))?,
        };
        if found.0 != want {
            return Err(damaged(format!("it is a {}, not a {want}", found.0)));
        }
        Ok(&buffer[..found.1])
    }

    /// Reads an object that is more likely old, and in a pack, than new.
    pub(crate) fn read_packed_first<'b>(
        &self,
        id: EntryId,
        want: ObjectKind,
        buffer: &'b mut Vec<u8>,
    ) -> Result<&'b [u8], ObjectError> {
        match self.read_any(id, buffer) {
            Ok(Some((kind, length))) if kind == want => Ok(&buffer[..length]),
            // Whatever else there is to say is said there.
            _ => self.read(id, want, buffer),
        }
    }

    /// The commits at the edge of a shallow clone.
    pub(crate) fn shallow(&self) -> BTreeSet<EntryId> {
        let text = fs::read_to_string(&self.shallow_file).unwrap_or_default();
        text.lines().filter_map(EntryId::from_hex).collect()
    }

    /// The size of an object, bytes, without decoding it.
    pub(crate) fn size(&self, id: EntryId) -> Result<u64, ObjectError> {
        use gix::objs::FindHeader as _;
        match self.handle.try_header(&id.0) {
            Ok(Some(header)) => Ok(header.size),
            Ok(None) => Err(ObjectError::Missing(id)),
            Err(error) => Err(ObjectError::Damaged { id, message: format!("{error:#}") }),
        }
    }

    /// Fetches a missing object that a partial clone has left at its remote; answers whether it is here now.
    pub(crate) fn fetch(&self, id: EntryId) -> bool {
        self.is_partial() && self.git.output("cat-file", &["-e", &id.to_string()]).is_ok()
    }

    /// Whether objects may be left at a remote until they are needed: then some pack is marked as promised.
    pub(crate) fn is_partial(&self) -> bool {
        let packs = fs::read_dir(self.objects_dir.join("pack")).into_iter().flatten().flatten();
        packs.into_iter().any(|entry| entry.path().extension().is_some_and(|end| end == "promisor"))
    }

    /// Reads a blob, wherever it was left.
    pub(crate) fn blob(&self, id: EntryId) -> Result<Vec<u8>, ObjectError> {
        let mut buffer = Vec::new();
        let length = match self.read(id, ObjectKind::Blob, &mut buffer) {
            Err(ObjectError::Missing(_)) if self.fetch(id) => self.read(id, ObjectKind::Blob, &mut buffer),
            result => result,
        }?
        .len();
        buffer.truncate(length);
        Ok(buffer)
    }

    /// Reads an object and checks it against its id, as a reader in a hurry does not.
    pub(crate) fn whole(&self, id: EntryId, want: ObjectKind) -> Result<Vec<u8>, ObjectError> {
        let mut buffer = Vec::new();
        let length = self.read(id, want, &mut buffer)?.len();
        buffer.truncate(length);
        if self.hash(want, &buffer) == Some(id) {
            Ok(buffer)
        } else {
            Err(ObjectError::Damaged { id, message: "its bytes are another object's".to_owned() })
        }
    }

    /// The file an object has when it is in no pack.
    pub(crate) fn loose_path(&self, id: EntryId) -> PathBuf {
        self.loose.object_path(&id.0)
    }

    /// Reads an object of the kind `want` whose size is at most `most` bytes; a larger one is not even opened.
    pub(crate) fn read_bounded<'b>(
        &self,
        id: EntryId,
        want: ObjectKind,
        most: u64,
        buffer: &'b mut Vec<u8>,
    ) -> Result<&'b [u8], ObjectError> {
        use gix::prelude::Header as _;
        let damaged = |message: String| ObjectError::Damaged { id, message };
        match self.handle.try_header(&id.0) {
            Ok(Some(header)) if header.size() > most => {
                Err(damaged(format!("it has {} bytes, the most is {most}", header.size())))
            }
            Ok(_) => self.read(id, want, buffer),
            Err(error) => Err(damaged(format!("{error:#}"))),
        }
    }

    fn read_any(&self, id: EntryId, buffer: &mut Vec<u8>) -> Result<Option<(ObjectKind, usize)>, gix::Error> {
        Ok(self.handle.try_find(&id.0, buffer)?.map(|found| (found.kind, found.data.len())))
    }

    fn read_loose(&self, id: EntryId, buffer: &mut Vec<u8>) -> Option<(ObjectKind, usize)> {
        self.loose.try_find(&id.0, buffer).ok()?.map(|found| (found.kind, found.data.len()))
    }

    pub(crate) fn hash_kind(&self) -> gix::hash::Kind {
        self.hash_kind
    }

    pub(crate) fn exists(&self, id: EntryId) -> bool {
        use gix::objs::Exists as _;
        self.handle.exists(&id.0)
    }

    /// Writes an object and answers with its id; with `sync` it is on the disk when this returns.
    ///
    /// As git does it: a file of its own beside its place, named so that `git prune` knows it for a left-over, then
    /// renamed. A folder that holds such a file is not empty, so `git prune-packed` does not remove it meanwhile.
    pub(crate) fn write(&self, kind: ObjectKind, bytes: &[u8], sync: bool) -> Result<EntryId, ObjectError> {
        self.write_dense(kind, bytes, 0, sync)
    }

    /// Writes an object as [`Odb::write`] does, whose first `dense` bytes do not get smaller when they are compressed.
    pub(crate) fn write_dense(
        &self,
        kind: ObjectKind,
        bytes: &[u8],
        dense: usize,
        sync: bool,
    ) -> Result<EntryId, ObjectError> {
        let cannot = |message: String| ObjectError::Write { path: self.objects_dir.clone(), message };
        let id = self.hash(kind, bytes).ok_or_else(|| cannot("it cannot be hashed".to_owned()))?;
        let path = self.loose.object_path(&id.0);
        let stream = stream::loose(kind, bytes, dense).map_err(|error| cannot(error.to_string()))?;
        let mut tries = 0..8;
        while let Err(error) = place(&path, &stream, sync) {
            // The folder is not there yet, or was empty and has just been removed.
            if tries.next().is_none() || error.kind() != io::ErrorKind::NotFound {
                return Err(cannot(error.to_string()));
            }
            let made = fs::create_dir(path.parent().unwrap_or(&path));
            made.or_else(exists_already).map_err(|error| cannot(error.to_string()))?;
            if sync {
                sync_folder(path.parent().unwrap_or(&path))?;
            }
        }
        if sync {
            match sync_folder(&path) {
                // Already moved into a pack, which git flushes before it removes the file.
                Err(RefError::Io { source, .. })
                    if source.kind() == io::ErrorKind::NotFound && self.exists(id) => {}
                flushed => flushed?,
            }
        }
        Ok(id)
    }

    /// The id `bytes` would have.
    pub(crate) fn hash(&self, kind: ObjectKind, bytes: &[u8]) -> Option<EntryId> {
        gix::objs::compute_hash(self.hash_kind, kind, bytes).ok().map(EntryId)
    }
}

fn exists_already(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
}

/// The cause at the end of the chain: what the system said.
fn innermost(error: &gix::Error) -> String {
    error.iter_errors().last().map_or_else(|| error.to_string(), ToString::to_string)
}

/// Writes `stream` to a fresh file and renames it to `path`.
fn place(path: &Path, stream: &[u8], sync: bool) -> io::Result<()> {
    let name = RandomState::new().hash_one(std::process::id());
    let temporary = path.with_file_name(format!("tmp_obj_{name:016x}"));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o444);
    let mut file = options.open(&temporary)?;
    let written = file.write_all(stream).and_then(|()| if sync { file.sync_all() } else { Ok(()) });
    drop(file);
    let placed = written.and_then(|()| fs::rename(&temporary, path));
    if placed.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::stream::STORED_MAX;
    use super::*;
    use crate::testing::{fsck, git, repository};

    #[test]
    fn git_reads_back_objects_of_every_size() {
        let dir = repository(&[]);
        let odb = Odb::new(&gix::open(dir.path()).unwrap(), Git::new(dir.path()));
        for size in [0, 1, 100, STORED_MAX - 10, STORED_MAX, STORED_MAX + 1, 65_536, 300_000] {
            let bytes: Vec<u8> = (0..size).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect();
            for sync in [false, true] {
                let id = odb.write(ObjectKind::Blob, &bytes, sync).unwrap();
                assert_eq!(git(dir.path(), &["cat-file", "-s", &id.to_string()]).trim(), size.to_string());
                assert_eq!(odb.read(id, ObjectKind::Blob, &mut Vec::new()).unwrap(), bytes);
            }
        }
        fsck(dir.path());
        let counted = git(dir.path(), &["count-objects", "-v"]);
        assert!(counted.contains("count: 8\n") && counted.contains("garbage: 0\n"), "{counted}");
    }
}
