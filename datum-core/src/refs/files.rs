//! Refs as files: one a ref, and `packed-refs`.

use super::lock::{self, Lock, lock_path, make_parent};
use super::{CLAIMS, Guard, Move, RefError, Swap, io_error};
use crate::id::EntryId;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::slice;

/// Bytes of a ref's log from which on only its last lines are kept.
const LOG_MAX: u64 = 64 * 1024;

/// Refs as files under the folder that all worktrees share.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) common_dir: PathBuf,
    pub(crate) store: gix::refs::file::Store,
}

impl Files {
    fn path(&self, name: &str) -> PathBuf {
        self.common_dir.join(name)
    }

    fn log_path(&self, name: &str) -> PathBuf {
        self.common_dir.join("logs").join(name)
    }

    /// Reads `packed-refs` anew: a remembered one is told from a fresh one by its time stamp alone.
    fn packed(&self) -> Result<Option<gix::refs::packed::Buffer>, RefError> {
        self.store.open_packed_buffer().map_err(|error| self.unreadable(&error))
    }

    fn loose(&self, name: &str) -> Result<Option<EntryId>, RefError> {
        let path = self.path(name);
        let text = match read(&path) {
            Ok(text) => text,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(io_error("read", &path, error)),
        };
        match gix::ObjectId::from_hex(text.trim_ascii_end()) {
            Ok(id) => Ok(Some(EntryId(id))),
            Err(_) => Err(RefError::Corrupt { name: name.to_owned(), path }),
        }
    }

    fn unreadable(&self, error: &impl std::fmt::Display) -> RefError {
        RefError::Packed { path: self.path("packed-refs"), message: format!("{error:#}") }
    }

    pub(super) fn find(&self, name: &str) -> Result<Option<EntryId>, RefError> {
        if let Some(id) = self.loose(name)? {
            return Ok(Some(id));
        }
        let Some(packed) = self.packed()? else { return Ok(None) };
        let Ok(full) = gix::refs::FullName::try_from(name) else { return Ok(None) };
        let found = packed.try_find(full.as_ref()).map_err(|error| self.unreadable(&error))?;
        Ok(found.map(|found| EntryId(found.target())))
    }

    pub(super) fn head(&self, git_dir: &Path) -> Option<EntryId> {
        let mut text = read(&git_dir.join("HEAD")).ok()?;
        // A branch may itself be symbolic; git follows five steps.
        for _ in 0..5 {
            let Some(name) = text.strip_prefix(b"ref:") else { break };
            let name = std::str::from_utf8(name.trim_ascii()).ok()?;
            if !name.starts_with("refs/") || name.contains("..") {
                return None;
            }
            match self.find(name) {
                Err(RefError::Corrupt { path, .. }) => text = read(&path).ok()?,
                found => return found.ok()?,
            }
        }
        gix::ObjectId::from_hex(text.trim_ascii_end()).ok().map(EntryId)
    }

    pub(super) fn list(
        &self,
        prefixes: &[&str],
    ) -> Result<(BTreeMap<String, EntryId>, Vec<RefError>), RefError> {
        let mut refs = BTreeMap::new();
        let mut broken = Vec::new();
        // Loose first: a ref that is packed between the two looks is then seen at least once.
        let mut loose = Vec::new();
        for prefix in prefixes {
            self.walk(prefix.trim_end_matches('/'), &mut loose)?;
        }
        match self.packed() {
            Ok(Some(packed)) => {
                for prefix in prefixes {
                    let found = packed.iter_prefixed((*prefix).into()).into_iter().flatten();
                    for item in found {
                        match item {
                            Ok(item) => {
                                refs.insert(item.name.as_bstr().to_string(), EntryId(item.target()));
                            }
                            Err(error) => broken.push(self.unreadable(&error)),
                        }
                    }
                }
            }
            Ok(None) => {}
            // The loose ones can be read all the same.
            Err(error) => broken.push(error),
        }
        for name in loose {
            // Packed since it was listed; the packed value was read after that, or is read now.
            let found = self.loose(&name).and_then(|id| if id.is_none() { self.find(&name) } else { Ok(id) });
            match found {
                Ok(Some(id)) => {
                    refs.insert(name, id);
                }
                Ok(None) => {}
                Err(error) => {
                    refs.remove(&name);
                    broken.push(error);
                }
            }
        }
        Ok((refs, broken))
    }

    /// Collects the names of loose refs in the folder `name`, symbolic links left aside.
    fn walk(&self, name: &str, found: &mut Vec<String>) -> Result<(), RefError> {
        let path = self.path(name);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(()),
            Err(error) => return Err(io_error("list", &path, error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| io_error("list", &path, error))?;
            let Ok(file) = entry.file_name().into_string() else { continue };
            let kind = entry.file_type().map_err(|error| io_error("list", &path, error))?;
            let below = format!("{name}/{file}");
            if kind.is_dir() {
                self.walk(&below, found)?;
            } else if kind.is_file() && Path::new(&file).extension().is_none_or(|end| end != "lock") {
                found.push(below);
            }
        }
        Ok(())
    }

    pub(super) fn swap(&self, moves: &[Move<'_>], guard: Guard<'_>) -> Result<Swap, RefError> {
        let stay = guard.stay.iter().map(|(name, id)| (name.as_str(), *id));
        let mut locks = Vec::with_capacity(moves.len() + guard.stay.len());
        for (name, id) in moves.iter().map(|to| (to.name, to.old)).chain(stay) {
            let path = self.path(name);
            let Some(lock) = Lock::take(&path)? else { return Ok(Swap::Locked(lock_path(&path))) };
            // While the lock is held the loose file cannot change, so loose then packed is one consistent look.
            if self.find(name)? != id {
                return Ok(Swap::Moved);
            }
            locks.push(lock);
        }
        if !guard.fits(|prefix| Ok(self.list(&[prefix])?.0))? {
            return Ok(Swap::Moved);
        }
        self.publish(moves, &mut locks)?;
        Ok(Swap::Done)
    }

    /// Writes the new values into the locks, the moves into the logs, and puts the locks in the refs' places.
    fn publish(&self, moves: &[Move<'_>], locks: &mut [Lock]) -> Result<(), RefError> {
        for (to, lock) in moves.iter().zip(&mut *locks) {
            lock.write(to.new, to.sync)?;
        }
        let (known, new): (Vec<_>, Vec<_>) = moves.iter().partition(|to| to.old.is_some());
        known.into_iter().try_for_each(|to| self.append_reflog(to))?;
        // What would fail at the second must not be met when the first has moved.
        moves.iter().zip(&*locks).skip(1).try_for_each(|(_, lock)| lock.clear_place())?;
        for (_, lock) in moves.iter().zip(&mut *locks) {
            lock.publish()?;
        }
        // A line for a ref that never was would be taken for one that is lost, so that of a new ref comes after it. It
        // has moved: that its log says nothing of it is no failure.
        let new = new.into_iter().filter(|to| !to.name.starts_with(CLAIMS));
        new.for_each(|to| drop(self.append_reflog(to)));
        for (to, lock) in moves.iter().zip(&*locks) {
            if to.sync {
                lock.sync_folders()?;
            }
        }
        Ok(())
    }

    /// Writes the move into the ref's log: git keeps none for refs of this kind, and `doctor` repairs from it.
    ///
    /// Only for a caller that holds the ref's lock.
    fn append_reflog(&self, to: &Move<'_>) -> Result<(), RefError> {
        let path = self.log_path(to.name);
        let Move { old, new, stamp, reason, .. } = to;
        let old = old.map_or_else(|| "0".repeat(new.to_string().len()), |id| id.to_string());
        let line = format!(
            "{old} {new} {} <{}@datum> {} +0000\t{reason}\n",
            stamp.agent,
            stamp.agent,
            stamp.now / 1000
        );
        let mut tries = 0..8;
        let mut file = loop {
            match OpenOptions::new().append(true).create(true).open(&path) {
                Ok(file) => break file,
                // git removes a folder that it has emptied, perhaps just when we have made it.
                Err(error) if is_absent(&error) && tries.next().is_some() => make_parent(&path)?,
                Err(error) => return Err(io_error("open", &path, error)),
            }
        };
        let before = file.metadata().map_or(0, |meta| meta.len());
        if let Err(error) = file.write_all(line.as_bytes()) {
            // Half a line would make the next one unreadable.
            let _ = file.set_len(before);
            return Err(io_error("write", &path, error));
        }
        if before > LOG_MAX {
            shorten(&path);
        }
        Ok(())
    }

    pub(super) fn history(&self, name: &str) -> Vec<EntryId> {
        let text = fs::read(self.log_path(name)).unwrap_or_default();
        let id = |hex: Option<&[u8]>| EntryId::from_hex(std::str::from_utf8(hex?).ok()?);
        let moves = text.split(|b| *b == b'\n').rev().filter_map(|line| {
            let mut words = line.split(|b| *b == b' ');
            Some((id(words.next())?, id(words.next())?))
        });
        let mut values: Vec<EntryId> = self.find(name).ok().flatten().into_iter().collect();
        for (old, new) in moves {
            if values.last().is_none_or(|last| *last == new) {
                if values.is_empty() {
                    values.push(new);
                }
                if old.0.is_null() {
                    break;
                }
                values.push(old);
            }
        }
        values
    }

    /// The refs under `prefix` that have a log, whether or not they exist.
    pub(super) fn logged(&self, prefix: &str) -> Vec<String> {
        let logs = Self { common_dir: self.common_dir.join("logs"), store: self.store.clone() };
        let mut names = Vec::new();
        let walked = logs.walk(prefix.trim_end_matches('/'), &mut names);
        if walked.is_ok() { names } else { Vec::new() }
    }

    /// Removes the lines that name one of `ids` from a ref's log.
    pub(super) fn forget(&self, name: &str, ids: &[EntryId]) -> Result<(), RefError> {
        let Some(_held) = Lock::take(&self.path(name))? else { return Ok(()) };
        let path = self.log_path(name);
        let text = fs::read(&path).unwrap_or_default();
        let gone: Vec<String> = ids.iter().map(EntryId::to_string).collect();
        let tells = |line: &[u8]| {
            line.split(|b| *b == b' ').take(2).any(|word| gone.iter().any(|id| id.as_bytes() == word))
        };
        let kept: Vec<&[u8]> = text.split_inclusive(|b| *b == b'\n').filter(|line| !tells(line)).collect();
        replace(&path, &kept.concat());
        Ok(())
    }

    /// Sets a ref that holds no id, or is not there, and whose log may say otherwise.
    pub(crate) fn mend(&self, to: &Move<'_>) -> Result<Swap, RefError> {
        let path = self.path(to.name);
        let Some(mut lock) = Lock::take(&path)? else { return Ok(Swap::Locked(lock_path(&path))) };
        if let Ok(Some(_)) = self.find(to.name) {
            return Ok(Swap::Moved);
        }
        self.publish(slice::from_ref(to), slice::from_mut(&mut lock))?;
        Ok(Swap::Done)
    }

    pub(super) fn clear_stale_lock(&self, name: &str) -> Result<Option<PathBuf>, RefError> {
        lock::clear_stale(&self.path(name))
    }
}

/// Reads the file of a ref; a longer one is no ref, however long it is.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(128);
    File::open(path)?.take(4096).read_to_end(&mut text)?;
    Ok(text)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory
    )
}

/// Keeps only the last lines of a ref's log, so that it does not grow with the log of entries.
fn shorten(path: &Path) {
    const KEEP: usize = 32;
    let Ok(text) = fs::read(path) else { return };
    let lines: Vec<&[u8]> = text.split_inclusive(|b| *b == b'\n').collect();
    replace(path, &lines[lines.len().saturating_sub(KEEP)..].concat());
}

/// Replaces a ref's log; one that cannot be replaced stays as it is.
fn replace(path: &Path, text: &[u8]) {
    // No ref can be called so, nor its log.
    let mut new = path.as_os_str().to_owned();
    new.push(".new.lock");
    if fs::write(&new, text).and_then(|()| fs::rename(&new, path)).is_err() {
        let _ = fs::remove_file(&new);
    }
}

/// Flushes the folder that holds `path`, so that a rename in it survives a power cut.
pub(crate) fn sync_folder(path: &Path) -> Result<(), RefError> {
    let folder = path.parent().unwrap_or(path);
    let sync = File::open(folder).and_then(|folder| folder.sync_all());
    // Some file systems refuse to flush a folder; there the rename is as durable as they make it.
    match sync {
        Err(error) if error.kind() != io::ErrorKind::InvalidInput => Err(io_error("sync", folder, error)),
        _ => Ok(()),
    }
}
