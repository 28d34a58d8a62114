//! Refs: listed, read, and moved by compare-and-swap in git's own protocol.
//!
//! gix's ref transaction takes `packed-refs.lock` for every update, and a killed writer leaves it behind, where it
//! breaks the user's own gc. So the swap is ours: `<ref>.lock` made exclusively, compare, rename.

use crate::git::{self, Git, GitError};
use crate::id::EntryId;
use crate::stamp::Stamp;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A lock on a ref that is older than this was left by a process that died.
const STALE: Duration = Duration::from_secs(10);

/// A ref that could not be read or moved.
#[derive(Debug, thiserror::Error)]
pub enum RefError {
    /// A ref's file holds no object id.
    #[error("{}: {name} holds no object id", path.display())]
    Corrupt {
        /// The ref.
        name: String,
        /// Its file.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// git's packed refs cannot be read.
    #[error("{}: {message}", path.display())]
    Packed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The git program failed, which reads and moves refs in a reftable repository.
    #[error(transparent)]
    Git(#[from] GitError),
}

fn io_error(doing: &'static str, path: &Path, source: io::Error) -> RefError {
    RefError::Io { doing, path: path.to_owned(), source }
}

/// What became of a swap.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Swap {
    /// The ref has the new value.
    Done,
    /// The ref does not hold what was expected.
    Moved,
    /// Somebody else holds the ref's lock.
    Locked(PathBuf),
}

/// One move of a ref.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Move<'a> {
    pub(crate) name: &'a str,
    /// The value it must have; `None`: it must not exist.
    pub(crate) old: Option<EntryId>,
    pub(crate) new: EntryId,
    pub(crate) stamp: &'a Stamp,
    pub(crate) reason: &'a str,
    pub(crate) sync: bool,
}

/// The refs of a repository.
#[derive(Debug)]
pub(crate) enum Refs {
    /// One file a ref, and `packed-refs`.
    Files(Files),
    /// A reftable, through the git program.
    Program(Git),
}

impl Refs {
    /// The refs under `prefix` (`refs/datum/`), by name. Refs that cannot be read are answered beside.
    pub(crate) fn list(&self, prefix: &str) -> Result<(BTreeMap<String, EntryId>, Vec<RefError>), RefError> {
        match self {
            Self::Files(files) => files.list(prefix),
            Self::Program(git) => {
                let out = git.output("for-each-ref", &["--format=%(objectname) %(refname)", prefix])?;
                let refs = String::from_utf8_lossy(&out)
                    .lines()
                    .filter_map(|line| line.split_once(' '))
                    .filter_map(|(id, name)| Some((name.to_owned(), EntryId::from_hex(id)?)))
                    .collect();
                Ok((refs, Vec::new()))
            }
        }
    }

    /// The value of the ref `name`.
    pub(crate) fn find(&self, name: &str) -> Result<Option<EntryId>, RefError> {
        match self {
            Self::Files(files) => files.find(name),
            Self::Program(_) => Ok(self.list(name)?.0.remove(name)),
        }
    }

    /// Moves a ref if it still has the value it is expected to have.
    pub(crate) fn swap(&self, to: &Move<'_>) -> Result<Swap, RefError> {
        match self {
            Self::Files(files) => files.swap(to),
            Self::Program(git) => self.swap_by_program(git, to),
        }
    }

    /// Removes a stale lock on `name`; answers with its path if there was one.
    ///
    /// Only for a caller that holds the advisory lock of writers: two clearers could remove a fresh one.
    pub(crate) fn clear_stale_lock(&self, name: &str) -> Result<Option<PathBuf>, RefError> {
        match self {
            Self::Files(files) => files.clear_stale_lock(name),
            Self::Program(_) => Ok(None),
        }
    }

    /// The values the ref had, newest first, by its log.
    pub(crate) fn history(&self, name: &str) -> Vec<EntryId> {
        match self {
            Self::Files(files) => files.history(name),
            Self::Program(_) => Vec::new(),
        }
    }

    /// Keeps only the last lines of a ref's log, so that it does not grow with the log itself.
    pub(crate) fn trim_history(&self, name: &str) {
        if let Self::Files(files) = self {
            files.trim_history(name);
        }
    }

    /// Makes several moves, all or none; `false` when one of the refs had moved or was locked.
    pub(crate) fn swap_all(&self, git: &Git, moves: &[Move<'_>]) -> Result<bool, RefError> {
        use std::fmt::Write as _;
        let Some(first) = moves.first() else { return Ok(true) };
        let mut input = String::from("start\n");
        for Move { name, old, new, .. } in moves {
            let old = old.map_or_else(|| "0".repeat(new.to_string().len()), |id| id.to_string());
            let _ = writeln!(input, "update {name} {new} {old}");
        }
        input.push_str("prepare\ncommit\n");
        let mut command = git.command_with(&["-c", "core.hooksPath=/dev/null"], "update-ref");
        command.args(["--no-deref", "--create-reflog", "-m", first.reason, "--stdin"]);
        command
            .env("GIT_COMMITTER_NAME", first.stamp.agent.as_str())
            .env("GIT_COMMITTER_EMAIL", "sync@datum");
        let output = Git::run(command, input.as_bytes())?;
        if output.status.success() {
            return Ok(true);
        }
        for Move { name, old, .. } in moves {
            if self.find(name)? != *old {
                return Ok(false);
            }
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        if complaint.contains("lock") { Ok(false) } else { Err(git::failed("update-ref", &output).into()) }
    }

    fn swap_by_program(&self, git: &Git, to: &Move<'_>) -> Result<Swap, RefError> {
        let zero = "0".repeat(to.new.to_string().len());
        let old = to.old.map_or(zero, |id| id.to_string());
        let mut command = git.command("update-ref");
        command.args(["--no-deref", "--create-reflog", "-m", to.reason, "--stdin"]);
        let output = Git::run(command, format!("update {} {} {old}\n", to.name, to.new).as_bytes())?;
        if output.status.success() {
            Ok(Swap::Done)
        } else if self.find(to.name)? != to.old {
            Ok(Swap::Moved)
        } else if String::from_utf8_lossy(&output.stderr).contains("lock") {
            Ok(Swap::Locked(PathBuf::from("reftable/tables.list.lock")))
        } else {
            Err(git::failed("update-ref", &output).into())
        }
    }
}

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
        self.store.open_packed_buffer().map_err(|error| RefError::Packed {
            path: self.path("packed-refs"),
            message: format!("{error:#}"),
        })
    }

    fn loose(&self, name: &str) -> Result<Option<EntryId>, RefError> {
        let path = self.path(name);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(io_error("read", &path, error)),
        };
        match gix::ObjectId::from_hex(text.trim_ascii_end()) {
            Ok(id) => Ok(Some(EntryId(id))),
            Err(_) => Err(RefError::Corrupt { name: name.to_owned(), path }),
        }
    }

    fn find(&self, name: &str) -> Result<Option<EntryId>, RefError> {
        if let Some(id) = self.loose(name)? {
            return Ok(Some(id));
        }
        let Some(packed) = self.packed()? else { return Ok(None) };
        let Ok(full) = gix::refs::FullName::try_from(name) else { return Ok(None) };
        match packed.try_find(full.as_ref()) {
            Ok(found) => Ok(found.map(|found| EntryId(found.target()))),
            Err(error) => {
                Err(RefError::Packed { path: self.path("packed-refs"), message: format!("{error:#}") })
            }
        }
    }

    fn list(&self, prefix: &str) -> Result<(BTreeMap<String, EntryId>, Vec<RefError>), RefError> {
        let mut refs = BTreeMap::new();
        let mut broken = Vec::new();
        // Loose first: a ref that is packed between the two looks is then seen at least once.
        let mut loose = Vec::new();
        self.walk(prefix.trim_end_matches('/'), &mut loose)?;
        if let Some(packed) = self.packed()? {
            let found = packed.iter_prefixed(prefix.into());
            for item in found.into_iter().flatten().flatten() {
                refs.insert(item.name.as_bstr().to_string(), EntryId(item.target()));
            }
        }
        for name in loose {
            match self.loose(&name) {
                Ok(Some(id)) => {
                    refs.insert(name, id);
                }
                // Packed since it was listed; the packed value was read after that, or is read now.
                Ok(None) => {
                    if let Some(id) = self.find(&name)? {
                        refs.insert(name, id);
                    }
                }
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

    fn swap(&self, to: &Move<'_>) -> Result<Swap, RefError> {
        let path = self.path(to.name);
        let lock = lock_path(&path);
        let Some(file) = create_lock(&lock)? else { return Ok(Swap::Locked(lock)) };
        let outcome = self.swap_locked(to, &path, &lock, file);
        if !matches!(outcome, Ok(Swap::Done)) {
            let _ = fs::remove_file(&lock);
        }
        outcome
    }

    fn swap_locked(&self, to: &Move<'_>, path: &Path, lock: &Path, mut file: File) -> Result<Swap, RefError> {
        // While the lock is held the loose file cannot change, so loose then packed is one consistent look.
        if self.find(to.name)? != to.old {
            return Ok(Swap::Moved);
        }
        file.write_all(format!("{}\n", to.new).as_bytes()).map_err(|e| io_error("write", lock, e))?;
        if to.sync {
            file.sync_data().map_err(|error| io_error("sync", lock, error))?;
        }
        drop(file);
        self.append_reflog(to)?;
        fs::rename(lock, path).map_err(|error| io_error("rename", lock, error))?;
        if to.sync {
            sync_folder(path)?;
        }
        Ok(Swap::Done)
    }

    /// Writes the move into the ref's log: git keeps none for refs of this kind, and `doctor` repairs from it.
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
        let open = || OpenOptions::new().append(true).create(true).open(&path);
        let mut file = match open() {
            Ok(file) => file,
            Err(error) if is_absent(&error) => {
                make_parent(&path)?;
                open().map_err(|error| io_error("open", &path, error))?
            }
            Err(error) => return Err(io_error("open", &path, error)),
        };
        file.write_all(line.as_bytes()).map_err(|error| io_error("write", &path, error))
    }

    fn history(&self, name: &str) -> Vec<EntryId> {
        let text = fs::read(self.log_path(name)).unwrap_or_default();
        let value = |line: &[u8]| {
            let hex = line.split(|b| *b == b' ').nth(1)?;
            EntryId::from_hex(std::str::from_utf8(hex).ok()?)
        };
        text.split(|b| *b == b'\n').rev().filter_map(value).collect()
    }

    fn trim_history(&self, name: &str) {
        const KEEP: usize = 32;
        let path = self.log_path(name);
        let Ok(text) = fs::read_to_string(&path) else { return };
        let lines: Vec<&str> = text.lines().collect();
        if lines.len() > 8 * KEEP {
            let kept = lines[lines.len() - KEEP..].join("\n") + "\n";
            let new = path.with_extension("new");
            // A log that could not be shortened is only longer than it need be.
            if fs::write(&new, kept).is_ok() {
                let _ = fs::rename(&new, &path);
            }
        }
    }

    fn clear_stale_lock(&self, name: &str) -> Result<Option<PathBuf>, RefError> {
        let lock = lock_path(&self.path(name));
        let Ok(meta) = fs::metadata(&lock) else { return Ok(None) };
        let age = meta.modified().ok().and_then(|at| SystemTime::elapsed(&at).ok());
        if age.is_none_or(|age| age < STALE) {
            return Ok(None);
        }
        match fs::remove_file(&lock) {
            Ok(()) => Ok(Some(lock)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(io_error("remove the stale lock", &lock, error)),
        }
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory
    )
}

fn lock_path(path: &Path) -> PathBuf {
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    lock.into()
}

fn make_parent(path: &Path) -> Result<(), RefError> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(|error| io_error("create", parent, error))
}

/// Makes the lock file; `None` when another holds it.
fn create_lock(lock: &Path) -> Result<Option<File>, RefError> {
    // `git pack-refs` removes a folder it has emptied, perhaps between our making it and the lock in it.
    for _ in 0..8 {
        match OpenOptions::new().write(true).create_new(true).open(lock) {
            Ok(file) => return Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => make_parent(lock)?,
            Err(error) => return Err(io_error("create", lock, error)),
        }
    }
    Err(io_error("create", lock, io::ErrorKind::NotFound.into()))
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
