//! The one door: opens a repository, takes snapshots, and appends entries by compare-and-swap.

use crate::adopt::{Found, container};
use crate::append::{self, Decision, Target, Written};
use crate::discover::{absolute, discover};
use crate::entry::Draft;
use crate::git::{Git, GitError};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::log::Damage;
use crate::name::AgentName;
use crate::odb::{ObjectError, Odb};
use crate::refs::{Files, Guard, Move, RefError, Refs};
pub(crate) use crate::refs::{PREFIX, parse_log, ref_name};
use crate::signers::Signers;
use crate::sink::PACK_FROM;
use crate::snapshot::Snapshot;
use crate::stamp::{CloneId, Identity, Millis, Stamp, Writer};
use crate::wait::{PATIENCE, Wait};
use crate::{clone_id, maintenance};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{io, iter};

/// Why the store could not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no repository at the path or above it.
    #[error("no git repository at {} or above it", path.display())]
    NotARepository {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is a repository, and it cannot be opened.
    #[error("cannot open the repository at {}: {message}", path.display())]
    Open {
        /// Where.
        path: PathBuf,
        /// Why not.
        message: String,
    },
    /// A ref could not be read or moved.
    #[error(transparent)]
    Ref(#[from] RefError),
    /// An object could not be read or written.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The git program failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The log to append to is damaged.
    #[error("cannot append to {name}: {message}")]
    Log {
        /// The ref of the log.
        name: String,
        /// What is wrong with it.
        message: String,
    },
    /// Others held the ref for too long.
    #[error("{} is locked by another process; gave up after {:.1} s", path.display(), waited.as_secs_f32())]
    Locked {
        /// The lock.
        path: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// Others moved the ref each time before this could.
    #[error("{name}: others were faster each time; gave up after {:.1} s", waited.as_secs_f32())]
    Outrun {
        /// The ref.
        name: String,
        /// For how long.
        waited: Duration,
    },
    /// The agent's signing key is here and cannot be used, or is not here and must be.
    #[error("cannot sign as {agent}: {message}")]
    Signing {
        /// The agent.
        agent: AgentName,
        /// Why not.
        message: String,
    },
    /// A file of the store's own could not be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// How a repository is opened.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// Honour the user's configuration (`~/.gitconfig`) and identity, as the git program does.
    pub user_configuration: bool,
    /// The git folder, where it is known (`GIT_DIR`); otherwise it is looked for.
    pub git_dir: Option<PathBuf>,
    /// Write as `<agent>-shared`: for clones that come and go.
    pub ephemeral: bool,
}

/// What an `apply` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The new entries, in the order of their drafts.
    pub ids: Vec<EntryId>,
    /// The greatest clock among them.
    pub clock: Millis,
    /// Stale locks that were removed on the way.
    pub cleared: Vec<PathBuf>,
}

/// A repository as the home of logs.
///
/// Not shared between threads: open one a thread, opening is cheap.
#[derive(Debug)]
pub struct Store {
    pub(crate) odb: Odb,
    pub(crate) refs: Refs,
    pub(crate) git: Git,
    pub(crate) common_dir: PathBuf,
    pub(crate) repo: gix::Repository,
    pub(crate) clone: RefCell<Option<CloneId>>,
    pub(crate) patience: Duration,
    pub(crate) sync_objects: bool,
    sync_refs: bool,
    pub(crate) signers: Signers,
}

impl Store {
    /// Opens the repository that `path` is in, isolated: no environment and no configuration but the repository's own.
    ///
    /// # Errors
    /// [`StoreError`] when there is no repository or it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, &OpenOptions::default())
    }

    /// Makes a repository at `path` with the git program, as the user has configured new ones to be.
    ///
    /// # Errors
    /// [`StoreError::Git`] when git cannot make it.
    pub fn init(path: &Path) -> Result<(), StoreError> {
        Ok(Git::init(path)?)
    }

    /// Opens the repository that `path` is in.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(path: &Path, options: &OpenOptions) -> Result<Self, StoreError> {
        let repo = discover(path, options)?;
        let common_dir = absolute(repo.common_dir());
        let is_linked = repo.git_dir() != repo.common_dir();
        let git = Git::new(&if is_linked { absolute(repo.git_dir()) } else { common_dir.clone() });
        let config = repo.config_snapshot();
        let text = |key: &str| config.string(key).map(|value| value.to_string()).unwrap_or_default();
        let reftable = text("extensions.refStorage") == "reftable";
        let fsync = text("core.fsync");
        let full = text("datum.durability") == "full";
        let sync = |names: &[&str]| full || fsync.split(',').any(|part| names.contains(&part.trim()));
        let refs = if reftable {
            Refs::Program(git.clone())
        } else {
            Refs::Files(Files { common_dir: common_dir.clone(), store: repo.refs.clone() })
        };
        // Made at the first write: reading a repository leaves nothing in it.
        let clone = RefCell::new(options.ephemeral.then(CloneId::shared));
        let patience = match config.integer("core.filesRefLockTimeout") {
            Some(millis) => u64::try_from(millis).map_or(Duration::MAX, Duration::from_millis),
            None => PATIENCE,
        };
        Ok(Self {
            odb: Odb::new(&repo, git.clone()),
            refs,
            git,
            sync_objects: sync(&["loose-object", "objects", "committed", "added", "all"]),
            sync_refs: sync(&["reference", "committed", "added", "all"]),
            common_dir,
            clone,
            patience,
            repo,
            signers: Signers::none(),
        })
    }

    /// Flushes, from now on, all that is written to the disk before it is published.
    #[must_use]
    pub fn flushing(mut self) -> Self {
        (self.sync_objects, self.sync_refs) = (true, true);
        self
    }

    /// The folder that all work trees of the repository share (`.git`).
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// The root of the work tree, if the repository has one.
    pub fn work_dir(&self) -> Option<&Path> {
        self.repo.workdir()
    }

    /// The user's identity as git would record it in a commit, if one is configured.
    pub fn identity(&self) -> Option<Identity> {
        // In the order of `Repository::committer`, which beside that reads all time zones for a date of no use here.
        let config = self.repo.config_snapshot();
        let first =
            |keys: &[&str]| keys.iter().find_map(|key| config.string(*key)).map(|text| text.to_string());
        let name = first(&["committer.name", "user.name", "gitoxide.committer.nameFallback"])?;
        let emails = ["committer.email", "user.email", "gitoxide.user.emailFallback"];
        Identity::new(&name, &first(&emails)?)
    }

    /// The remote that the branch in the work tree follows.
    pub(crate) fn branch_remote(&self) -> Option<String> {
        let branch = self.repo.head_name().ok()??;
        let name = self.setting(&format!("branch.{}.remote", branch.shorten()))?;
        (name != ".").then_some(name)
    }

    /// The value of a setting in git's configuration.
    pub fn setting(&self, key: &str) -> Option<String> {
        self.repo.config_snapshot().string(key).map(|value| value.to_string())
    }

    /// The commit at `HEAD`, if there is one.
    pub fn head(&self) -> Option<EntryId> {
        self.refs.head(self.repo.git_dir())
    }

    /// The repository as gix has it, for the modules that read its own history.
    pub(crate) fn repo(&self) -> &gix::Repository {
        &self.repo
    }

    /// A setting in git's configuration that is on or off.
    pub(crate) fn switch(&self, key: &str) -> Option<bool> {
        self.repo.config_snapshot().boolean(key)
    }

    /// The writer that `agent` is in this clone; the first call makes the clone's id.
    ///
    /// # Errors
    /// [`StoreError::File`] when the id can neither be read nor made.
    pub fn writer(&self, agent: &AgentName) -> Result<Writer, StoreError> {
        let mut clone = self.clone.borrow_mut();
        let id = match &*clone {
            Some(id) => id,
            None => clone.insert(clone_id::read_or_make(&self.common_dir.join("datum"))?),
        };
        Ok(Writer::of(agent, id))
    }

    /// Takes a snapshot of all logs and of `HEAD`.
    ///
    /// # Errors
    /// [`StoreError`] when the refs cannot be listed. A log that cannot be read is told by [`Snapshot::damage`].
    pub fn snapshot(&self) -> Result<Snapshot<'_>, StoreError> {
        self.snapshot_of(&Kind::ALL, self.head())
    }

    /// Takes a snapshot of the logs of some kinds.
    pub(crate) fn snapshot_of(
        &self,
        kinds: &[Kind],
        head: Option<EntryId>,
    ) -> Result<Snapshot<'_>, StoreError> {
        let folders: Vec<_> = kinds.iter().map(|kind| format!("{PREFIX}{kind}/")).collect();
        let mut folders: Vec<&str> = folders.iter().map(String::as_str).collect();
        folders.push(container::PREFIX);
        let (refs, broken) = self.refs.list_under(&folders)?;
        let mut damage: Vec<Damage> = Vec::new();
        for error in broken {
            let log = match &error {
                RefError::Corrupt { name, .. } => match parse_log(name) {
                    Some((kind, writer)) => format!("{kind}/{writer}"),
                    // Whatever else lies there, no entry is in it.
                    None => continue,
                },
                _ => "all logs".to_owned(),
            };
            let hides = if log == "all logs" { "packed refs" } else { "the whole log" };
            damage.push(Damage { log, object: None, message: format!("{error}; it hides {hides}") });
        }
        let adopted = Found::of(self, &refs);
        for (log, error) in adopted.unread {
            damage.push(Damage {
                log,
                object: None,
                message: format!("{error}; it hides all logs adopted there"),
            });
        }
        let tips = refs.into_iter().filter_map(|(name, id)| Some((parse_log(&name)?, id))).collect();
        let snapshot = Snapshot::new(&self.odb, &self.refs, tips, head, damage);
        Ok(snapshot.with_adopted(adopted.logs))
    }

    /// Appends what `decide` answers to the log of `stamp.agent`, or nothing if it answers nothing.
    ///
    /// `decide` is called with a fresh snapshot, and called again when another writer was faster, so it must be a pure
    /// function of the snapshot. Either all its drafts are in the log afterwards, in their order, or none.
    ///
    /// # Errors
    /// What `decide` answers with, and [`StoreError`] for what went wrong here; then nothing was appended.
    pub fn apply<E: From<StoreError>>(
        &self,
        kind: Kind,
        stamp: &Stamp,
        mut decide: impl FnMut(&Snapshot<'_>) -> Result<Vec<Draft>, E>,
    ) -> Result<Applied, E> {
        let writer = self.writer(&stamp.agent)?;
        let look = || self.snapshot();
        self.append(Target::of(kind, &writer), &ref_name(kind, &writer), stamp, look, |snapshot| {
            Ok(decide(snapshot)?.into())
        })
    }

    /// Appends drafts that depend on nothing in the repository, of which then only the logs of the kind are looked at.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was appended.
    pub fn note(&self, kind: Kind, stamp: &Stamp, drafts: &[Draft]) -> Result<Applied, StoreError> {
        let writer = self.writer(&stamp.agent)?;
        let look = || self.snapshot_of(&[kind], None);
        self.append(Target::of(kind, &writer), &ref_name(kind, &writer), stamp, look, |_| {
            Ok(drafts.to_vec().into())
        })
    }

    /// Appends to the log that the ref `name` is, as `look` sees it. That ref and those that `decide` names beside it move
    /// together, or none does; see [`Refs::swap`] for what remains. Where it names any, or any that must stay, no other
    /// log of the kind has moved since `look`.
    pub(crate) fn append<'s, E: From<StoreError>>(
        &'s self,
        target: Target<'_>,
        name: &str,
        stamp: &Stamp,
        mut look: impl FnMut() -> Result<Snapshot<'s>, StoreError>,
        mut decide: impl FnMut(&Snapshot<'_>) -> Result<Decision, E>,
    ) -> Result<Applied, E> {
        let Target { kind, writer, .. } = target;
        let mut wait = Wait::new(self);
        loop {
            let snapshot = look()?;
            let Decision { drafts, beside, stay } = decide(&snapshot)?;
            if drafts.is_empty() {
                return Ok(Applied { ids: Vec::new(), clock: 0, cleared: wait.cleared });
            }
            if let Some(sealed) = snapshot.adopted(kind, writer) {
                // Others took this writer for one who writes no more.
                self.revive(&mut wait, stamp, kind, writer, sealed)?;
                continue;
            }
            // The entries follow the tip that the function has seen, or the swap fails.
            let old = snapshot.tip(kind, writer);
            let written = append::write(self, target, stamp, old, &snapshot, &drafts)?;
            let sync = self.sync_refs || kind.always_syncs();
            let to = Move { name, old, new: written.tip, stamp, reason: "datum: append", sync };
            // The log first: a writer that is killed between the two has said what it meant to.
            let moves: Vec<_> = iter::once(to).chain(beside.iter().map(|beside| beside.to(stamp))).collect();
            let seen = (!beside.is_empty() || !stay.is_empty()).then(|| snapshot.logs(kind));
            let guard = Guard { stay: &stay, logs: seen.as_ref().map(|logs| (kind, logs)) };
            if wait.swap_all(&moves, guard)? {
                let Written { ids, clock, sealed, .. } = written;
                if sealed {
                    maintenance::after_seal(self, drafts.len() >= PACK_FROM);
                }
                return Ok(Applied { ids, clock, cleared: wait.cleared });
            }
            wait.after_others(name)?;
        }
    }

    /// Whether a log is written by this clone.
    pub(crate) fn is_own(&self, writer: &Writer) -> bool {
        AgentName::new(writer.agent()).is_ok_and(|agent| self.writer(&agent).is_ok_and(|own| own == *writer))
    }

    /// The commits at the edge of a shallow clone.
    pub(crate) fn shallow(&self) -> BTreeSet<EntryId> {
        self.odb.shallow()
    }
}
