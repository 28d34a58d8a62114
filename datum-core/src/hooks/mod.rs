//! Git hooks that call `datum`: installed, looked at, proved and taken away again.
//!
//! From git 2.54 on a hook is a few lines of configuration, and nobody's file is touched. Before that it is a block of
//! lines between markers in the file that git runs: put below the first line of a shell script that is there already,
//! so that the rest of it runs as before with its arguments and its whole standard input, under its own name and in
//! its own folder, which husky and lefthook look at. A hook that is no shell script is moved into
//! [`MOVED`] and called from there. Taking the block out gives the old bytes back.

mod config;
mod files;
mod lines;
mod verify;

pub use files::{File, MOVED};
pub use lines::{Caller, script};
pub use verify::{PROBE, Proof};

use crate::git::{self, Git, GitError};
use crate::store::Store;
use std::io;
use std::path::{Path, PathBuf};

/// The first git that runs hooks named in its configuration.
const CONFIG_FROM: (u32, u32) = (2, 54);

/// What in git a hook is run at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// After a commit was made.
    PostCommit,
    /// After a rebase, or after an amended commit.
    PostRewrite,
    /// Before anything is pushed; it can refuse.
    PrePush,
    /// When the message of a commit has been written; it can refuse.
    CommitMsg,
}

impl Event {
    /// Every event that a hook of ours exists for.
    pub const ALL: [Self; 4] = [Self::PostCommit, Self::PostRewrite, Self::PrePush, Self::CommitMsg];
    /// The events hooks are installed for when nothing else is asked.
    pub const DEFAULT: [Self; 3] = [Self::PostCommit, Self::PostRewrite, Self::PrePush];

    /// Its name in git.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PostCommit => "post-commit",
            Self::PostRewrite => "post-rewrite",
            Self::PrePush => "pre-push",
            Self::CommitMsg => "commit-msg",
        }
    }

    /// The event called `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == text)
    }

    /// Whether git writes to the hook's standard input.
    const fn reads_stdin(self) -> bool {
        matches!(self, Self::PostRewrite | Self::PrePush)
    }

    /// Whether the hook's exit code decides anything.
    const fn refuses(self) -> bool {
        matches!(self, Self::PrePush | Self::CommitMsg)
    }
}

impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where git is told of a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the repository's configuration, from git 2.54 on.
    Config,
    /// In a file of the hooks folder.
    File,
}

/// Why hooks could not be installed, looked at or taken away.
#[derive(Debug, thiserror::Error)]
pub enum HooksError {
    /// Git could not be asked or told.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A file of the hooks folder could not be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The hooks folder is no folder, as where `core.hooksPath` is `/dev/null`.
    #[error("git looks for hooks in {}, which is no folder", .0.display())]
    NoFolder(PathBuf),
    /// The hooks folder is set for more repositories than this one.
    #[error("git looks for hooks in {}, which is set for every repository of this user or machine", .0.display())]
    Shared(PathBuf),
    /// This git does not read hooks from its configuration.
    #[error("git {0}.{1} does not run hooks from its configuration, git 2.54 is the first that does")]
    TooOld(u32, u32),
    /// The file has our markers, and not as we write them.
    #[error("the lines of datum in {} are damaged", .0.display())]
    Markers(PathBuf),
    /// Both a hook and a hook that was moved away are there.
    #[error("{} is in the way of {}", .0.display(), .1.display())]
    InTheWay(PathBuf, PathBuf),
}

/// What is to be installed.
#[derive(Debug, Clone)]
pub struct Options {
    /// How a hook calls datum.
    pub caller: Caller,
    /// Where to; the configuration where this git reads it, if nothing is said.
    pub place: Option<Place>,
    /// Install into a hooks folder that other repositories use too.
    pub shared: bool,
}

/// What is installed for one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The event.
    pub event: Event,
    /// Whether the configuration names our hook for it.
    pub config: bool,
    /// What the file in the hooks folder is.
    pub file: File,
    /// Which file that is.
    pub path: PathBuf,
    /// Why git does not reach what is installed, where that can be seen without running it.
    pub hindrance: Option<Hindrance>,
}

/// Why git does not reach a hook that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hindrance {
    /// Git does not run the file.
    NotExecutable(PathBuf),
    /// Other lines of the file may end it before ours.
    NotFirst(PathBuf),
    /// This git does not read hooks from its configuration.
    TooOld(u32, u32),
    /// This setting turns it off.
    Setting(String),
    /// Git does not list it, as it says here.
    Git(String),
}

impl std::fmt::Display for Hindrance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotExecutable(path) => write!(f, "{} is not executable", path.display()),
            Self::NotFirst(path) => {
                write!(f, "other lines come before those of datum in {}", path.display())
            }
            Self::TooOld(one, two) => write!(f, "git {one}.{two} reads no hooks from its configuration"),
            Self::Setting(key) => write!(f, "{key} turns it off"),
            Self::Git(said) => f.write_str(said),
        }
    }
}

impl State {
    /// Where our hook is installed, if it is.
    pub fn place(&self) -> Option<Place> {
        match self.file {
            _ if self.config => Some(Place::Config),
            File::Ours { .. } => Some(Place::File),
            File::Absent | File::Foreign { .. } => None,
        }
    }
}

/// The hooks of one repository, as the git program sees them.
#[derive(Debug)]
pub struct Hooks {
    git: Git,
    version: (u32, u32),
    root: PathBuf,
    folder: PathBuf,
    shared: bool,
}

impl Hooks {
    /// Asks git where the hooks of `store` are.
    ///
    /// # Errors
    /// [`HooksError`] when git cannot be asked.
    pub fn of(store: &Store) -> Result<Self, HooksError> {
        let git = store.git.clone();
        let said = git.output("version", &[])?;
        let version = version(&String::from_utf8_lossy(&said)).unwrap_or((0, 0));
        // A relative core.hooksPath counts from where git runs hooks: the root of the work tree.
        let root = store.work_dir().unwrap_or(store.common_dir());
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let said = git.output("rev-parse", &["--git-path", "hooks"])?;
        let folder = root.join(String::from_utf8_lossy(&said).trim_end_matches(['\n', '\r']));
        let scope = git.output("config", &["--show-scope", "--get", "core.hooksPath"]).unwrap_or_default();
        let shared = [b"global\t".as_slice(), b"system\t"].iter().any(|of| scope.starts_with(of));
        Ok(Self { git, version, root, folder, shared })
    }

    /// The folder git looks for hooks in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether this git runs hooks named in its configuration.
    pub fn reads_config(&self) -> bool {
        self.version >= CONFIG_FROM
    }

    /// Whether other repositories use that folder too.
    pub fn is_shared(&self) -> bool {
        self.shared
    }

    fn path(&self, event: Event) -> PathBuf {
        self.folder.join(event.as_str())
    }

    /// Says what is installed for `event`.
    ///
    /// # Errors
    /// [`HooksError`] for a hook that cannot be read, and when git cannot be asked.
    pub fn state(&self, event: Event) -> Result<State, HooksError> {
        let path = self.path(event);
        let (config, file) = (config::has(&self.git, event), files::look(&path)?);
        let hindrance = match (config, self.reads_config()) {
            (true, true) => config::hindrance(&self.git, event)?,
            (true, false) => Some(Hindrance::TooOld(self.version.0, self.version.1)),
            (false, _) => file.hindrance(&path),
        };
        Ok(State { event, config, file, path, hindrance })
    }

    /// Installs the hook for `event`, in place of one that an earlier version of ours installed.
    ///
    /// # Errors
    /// [`HooksError`]; then the hook that was there still is.
    pub fn install(&self, event: Event, options: &Options) -> Result<State, HooksError> {
        let place = options.place.unwrap_or(if self.reads_config() { Place::Config } else { Place::File });
        match place {
            Place::Config if !self.reads_config() => {
                return Err(HooksError::TooOld(self.version.0, self.version.1));
            }
            Place::Config => {
                config::install(&self.git, event, &options.caller)?;
                files::uninstall(&self.path(event))?;
            }
            Place::File => {
                if self.shared && !options.shared {
                    return Err(HooksError::Shared(self.folder.clone()));
                }
                files::install(&self.path(event), event, &options.caller)?;
                config::uninstall(&self.git, event)?;
            }
        }
        self.state(event)
    }

    /// Writes a setting of the hooks into the repository's configuration.
    ///
    /// # Errors
    /// [`HooksError::Git`] when git cannot write it.
    pub fn set(&self, key: &str, value: &str) -> Result<(), HooksError> {
        self.git.output("config", &["--local", key, value])?;
        Ok(())
    }

    /// Takes a setting of the hooks out of the repository's configuration, if it is there.
    ///
    /// # Errors
    /// [`HooksError::Git`] when git cannot write it.
    pub fn unset(&self, key: &str) -> Result<(), HooksError> {
        /// What `git config --unset-all` answers where there is none.
        const NONE: i32 = 5;
        let mut command = self.git.command("config");
        command.args(["--local", "--unset-all", key]);
        let output = Git::run(command, b"")?;
        match output.status.code() {
            Some(0 | NONE) => Ok(()),
            _ => Err(git::failed("config", &output).into()),
        }
    }

    /// Takes the hook for `event` away, wherever it is, and answers whether there was one.
    ///
    /// # Errors
    /// [`HooksError`] for what could not be taken away.
    pub fn uninstall(&self, event: Event) -> Result<bool, HooksError> {
        let config = config::uninstall(&self.git, event)?;
        Ok(files::uninstall(&self.path(event))? || config)
    }
}

/// The first two numbers of what `git version` says.
fn version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.strip_prefix("git version ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_git_says_them() {
        assert_eq!(version("git version 2.47.3\n"), Some((2, 47)));
        assert_eq!(version("git version 2.54.0.windows.1"), Some((2, 54)));
        assert_eq!(version("git version 3.0\n"), Some((3, 0)));
        assert_eq!(version("hub"), None);
        assert!((3, 0) >= CONFIG_FROM && (2, 53) < CONFIG_FROM);
    }
}
