//! Refs: listed, read, and moved by compare-and-swap in git's own protocol.
//!
//! gix's ref transaction takes `packed-refs.lock` for every update, and a killed writer leaves it behind, where it
//! breaks the user's own gc. So the swap is ours: `<ref>.lock` made exclusively, compare, rename.

mod files;
mod lock;

pub(crate) use files::{Files, sync_folder};
pub(crate) use lock::is_left_behind;

use crate::git::{self, Git, GitError};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::stamp::{Stamp, Writer};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Where all state lies.
pub(crate) const PREFIX: &str = "refs/datum/";
/// Where claims lie. No repair makes one, so of their beginning no ref's log is written: a file less for each claim.
pub(crate) const CLAIMS: &str = "refs/datum/claim/";

/// The ref of a log.
pub(crate) fn ref_name(kind: Kind, writer: &Writer) -> String {
    format!("{PREFIX}{kind}/{writer}")
}

/// The log that a ref of ours is, if it is one.
pub(crate) fn parse_log(name: &str) -> Option<(Kind, Writer)> {
    let (kind, writer) = name.strip_prefix(PREFIX)?.split_once('/')?;
    Some((Kind::parse(kind)?, Writer::parse(writer).ok()?))
}

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

/// A ref that moves together with a log, and is then on the disk.
pub(crate) struct Beside {
    pub(crate) name: String,
    pub(crate) old: Option<EntryId>,
    pub(crate) new: EntryId,
}

impl Beside {
    pub(crate) fn to<'a>(&'a self, stamp: &'a Stamp) -> Move<'a> {
        let Self { name, old, new } = self;
        Move { name, old: *old, new: *new, stamp, reason: "datum: claim", sync: true }
    }
}

/// What must be so when refs move, beside the values they have.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Guard<'a> {
    /// Refs that have these values, and stay.
    pub(crate) stay: &'a [(String, Option<EntryId>)],
    /// All logs of a kind.
    pub(crate) logs: Option<(Kind, &'a BTreeMap<String, EntryId>)>,
}

impl Guard<'_> {
    /// Whether the logs are those; `list` lists the refs below a prefix.
    fn fits(
        self,
        list: impl FnOnce(&str) -> Result<BTreeMap<String, EntryId>, RefError>,
    ) -> Result<bool, RefError> {
        let Some((kind, logs)) = self.logs else { return Ok(true) };
        let mut now = list(&format!("{PREFIX}{kind}/"))?;
        now.retain(|name, _| parse_log(name).is_some());
        Ok(now == *logs)
    }
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
        self.list_under(&[prefix])
    }

    /// The refs under any of `prefixes`, by name. Refs that cannot be read are answered beside.
    pub(crate) fn list_under(
        &self,
        prefixes: &[&str],
    ) -> Result<(BTreeMap<String, EntryId>, Vec<RefError>), RefError> {
        match self {
            Self::Files(files) => files.list(prefixes),
            Self::Program(git) => {
                let args = [&["--format=%(objectname) %(refname)"], prefixes].concat();
                let out = git.output("for-each-ref", &args)?;
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

    /// The commit that `HEAD` in the folder `git_dir`, of the repository or of a linked work tree, leads to.
    pub(crate) fn head(&self, git_dir: &Path) -> Option<EntryId> {
        match self {
            Self::Files(files) => files.head(git_dir),
            Self::Program(git) => {
                let said = git.output("rev-parse", &["--verify", "--quiet", "HEAD"]).ok()?;
                EntryId::from_hex(String::from_utf8_lossy(&said).trim())
            }
        }
    }

    /// Moves refs if each still has the value it is expected to have, and all is as `guard` says; else none is moved.
    ///
    /// They move in their order: where a process is killed, or the disk fails, between two, the first have moved.
    pub(crate) fn swap(&self, moves: &[Move<'_>], guard: Guard<'_>) -> Result<Swap, RefError> {
        match self {
            Self::Files(files) => files.swap(moves, guard),
            // git verifies the logs with the moves; only of the first entry of a new log it knows nothing.
            Self::Program(_) if !guard.fits(|prefix| Ok(self.list(prefix)?.0))? => Ok(Swap::Moved),
            Self::Program(git) => self.swap_by_program(git, moves, guard),
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
    ///
    /// The log is written before the ref moves, so a killed writer leaves a line for a move that never was: only values
    /// that lead to the present one count. Of a ref whose present value is unknown, the last line is taken at its word.
    pub(crate) fn history(&self, name: &str) -> Vec<EntryId> {
        match self {
            Self::Files(files) => files.history(name),
            Self::Program(git) => {
                const MOST: usize = 32;
                let mut command = git.command("rev-parse");
                command.args((0..MOST).map(|back| format!("{name}@{{{back}}}")));
                // It prints what there is, and fails at the first that is not.
                let said = Git::run(command, b"").map(|output| output.stdout).unwrap_or_default();
                String::from_utf8_lossy(&said).lines().filter_map(EntryId::from_hex).collect()
            }
        }
    }

    /// The refs that have a log, whether or not they exist.
    pub(crate) fn logged(&self) -> Vec<String> {
        match self {
            Self::Files(files) => files.logged(PREFIX),
            Self::Program(_) => Vec::new(),
        }
    }

    /// Removes `ids` from a ref's log.
    pub(crate) fn forget(&self, name: &str, ids: &[EntryId]) -> Result<(), RefError> {
        match self {
            Self::Files(files) => files.forget(name, ids),
            Self::Program(_) => Ok(()),
        }
    }

    /// Removes refs that still have the values they are expected to have; none if one has not.
    pub(crate) fn remove_all(&self, git: &Git, refs: &[(String, EntryId)]) -> Result<(), RefError> {
        if refs.is_empty() {
            return Ok(());
        }
        let input: String = refs.iter().map(|(name, old)| format!("delete {name} {old}\n")).collect();
        let mut command = git.command_with(&["-c", "core.hooksPath=/dev/null"], "update-ref");
        command.args(["--no-deref", "--stdin"]);
        let output = Git::run(command, input.as_bytes())?;
        if output.status.success() { Ok(()) } else { Err(git::failed("update-ref", &output).into()) }
    }

    fn swap_by_program(&self, git: &Git, moves: &[Move<'_>], guard: Guard<'_>) -> Result<Swap, RefError> {
        use std::fmt::Write as _;
        let Some(first) = moves.first() else { return Ok(Swap::Done) };
        let value = |id: Option<EntryId>| {
            id.map_or_else(|| "0".repeat(first.new.to_string().len()), |id| id.to_string())
        };
        let mut input = String::new();
        for Move { name, old, new, .. } in moves {
            let _ = writeln!(input, "update {name} {new} {}", value(*old));
        }
        let logs = guard.logs.into_iter().flat_map(|(_, logs)| logs).map(|(name, id)| (name, Some(*id)));
        let stay = guard.stay.iter().map(|(name, id)| (name, *id)).chain(logs);
        let stay: Vec<_> = stay.filter(|(name, _)| moves.iter().all(|to| to.name != *name)).collect();
        for (name, id) in &stay {
            let _ = writeln!(input, "verify {name} {}", value(*id));
        }
        let mut command = git.command_with(&["-c", "core.hooksPath=/dev/null"], "update-ref");
        command.args(["--no-deref", "--create-reflog", "-m", first.reason, "--stdin"]);
        let agent = first.stamp.agent.as_str();
        command.env("GIT_COMMITTER_NAME", agent).env("GIT_COMMITTER_EMAIL", format!("{agent}@datum"));
        let output = Git::run(command, input.as_bytes())?;
        if output.status.success() {
            return Ok(Swap::Done);
        }
        let expected = moves.iter().map(|to| (to.name, to.old));
        for (name, id) in expected.chain(stay.iter().map(|(name, id)| (name.as_str(), *id))) {
            if self.find(name)? != id {
                return Ok(Swap::Moved);
            }
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        if ["is locked", "cannot lock", "unable to lock"].iter().any(|words| complaint.contains(words)) {
            Ok(Swap::Locked(PathBuf::from("reftable/tables.list.lock")))
        } else {
            Err(git::failed("update-ref", &output).into())
        }
    }
}
