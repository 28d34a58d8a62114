//! The work tree and its branches, through the git program: the user's hooks, signing and credentials apply.
//!
//! Everything here either happens or leaves the tree as it was. [`WorkTree::sync`] finds conflicts with
//! `git merge-tree`, which writes no file, before it touches anything.

#[expect(clippy::disallowed_methods, reason = "files of the work tree are written here")]
mod file;
mod sync;

pub use file::TreePath;
pub use sync::{Synced, Upstream};

use crate::git::{Git, GitError, failed, user_command};
use crate::id::EntryId;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Why something could not be done to a work tree.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// There is nothing to commit.
    #[error("nothing to commit")]
    Nothing,
    /// A hook, or git itself, refused; it has said why.
    #[error("git {verb} refused")]
    Refused {
        /// The git command.
        verb: &'static str,
    },
    /// A path that does not lie in the work tree.
    #[error("{path:?} {why}")]
    Path {
        /// The path, as given.
        path: String,
        /// The rule it breaks.
        why: &'static str,
    },
    /// Both sides changed the same files.
    #[error("{} and here changed the same: {}", .upstream, .files.join(", "))]
    Conflicts {
        /// The branch that was to be merged.
        upstream: String,
        /// The files, by name.
        files: Vec<String>,
    },
    /// A file that is neither here nor in git.
    #[error("there is no file {0}, here or in the last commit")]
    NoFile(String),
    /// A remote that is not configured.
    #[error("there is no remote {0}")]
    NoRemote(String),
    /// No branch is checked out.
    #[error("no branch is checked out")]
    NoBranch,
    /// A name that begins with `-` or that git does not take for a branch.
    #[error("{0:?} is no name for a branch")]
    Branch(String),
    /// A file could not be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The git program failed.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// What a commit is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Everything that has changed, new files too.
    All,
    /// What is staged.
    Staged,
    /// These files, whatever else is staged.
    Files(&'a [TreePath]),
}

/// What `git status` says, by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The branch, if one is checked out.
    pub branch: Option<String>,
    /// Staged files.
    pub staged: Vec<String>,
    /// Files changed and not staged.
    pub modified: Vec<String>,
    /// Files git does not know.
    pub untracked: Vec<String>,
    /// Files with conflicts.
    pub conflicted: Vec<String>,
    /// Commits that the upstream branch does not have.
    pub ahead: u64,
    /// Commits that only the upstream branch has.
    pub behind: u64,
}

/// A work tree.
#[derive(Debug, Clone)]
pub struct WorkTree {
    root: PathBuf,
}

impl WorkTree {
    /// The work tree at `root`.
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Its root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = user_command(&self.root);
        command.args(args);
        command
    }

    /// Runs git for its answer, whatever its exit code; it asks nothing and speaks English.
    fn ask(&self, args: &[&str]) -> Result<Output, WorkError> {
        let mut command = self.command(args);
        command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
        Ok(Git::run(command, b"")?)
    }

    fn output(&self, args: &[&str]) -> Result<String, WorkError> {
        let output = self.ask(args)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
        }
        Err(failed(args.first().copied().unwrap_or("git"), &output).into())
    }

    /// Runs git as the user would: it may ask, and what it says goes to standard error.
    fn run(&self, verb: &'static str, args: &[&str], input: &str) -> Result<(), WorkError> {
        use std::io::Write as _;
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().map_err(GitError::Start)?;
        if let Some(mut stdin) = child.stdin.take() {
            let _ = stdin.write_all(input.as_bytes());
        }
        let status = child.wait().map_err(GitError::Start)?;
        if status.success() { Ok(()) } else { Err(WorkError::Refused { verb }) }
    }

    /// The commit that is checked out.
    ///
    /// # Errors
    /// [`WorkError`] when there is none yet.
    pub fn head(&self) -> Result<EntryId, WorkError> {
        let hex = self.output(&["rev-parse", "--verify", "HEAD"])?;
        EntryId::from_hex(&hex).ok_or(WorkError::NoBranch)
    }

    /// What has changed.
    ///
    /// # Errors
    /// [`WorkError::Git`] when git cannot say.
    pub fn status(&self) -> Result<Changes, WorkError> {
        let output = self.ask(&["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all"])?;
        if !output.status.success() {
            return Err(failed("status", &output).into());
        }
        Ok(parse_status(&String::from_utf8_lossy(&output.stdout)))
    }

    /// Commits, as `git commit` does, with its hooks and signing.
    ///
    /// # Errors
    /// [`WorkError::Nothing`], [`WorkError::NoFile`] and [`WorkError::Refused`]; then nothing was committed, and what
    /// was staged for it stays so, as after `git add`.
    pub fn commit(&self, message: &str, scope: Scope<'_>) -> Result<EntryId, WorkError> {
        let mut paths: Vec<&str> = vec!["commit", "--quiet", "--file=-"];
        match scope {
            Scope::Staged => {}
            Scope::All => {
                self.output(&["add", "--all"])?;
            }
            Scope::Files(files) => {
                let names: Vec<&str> = files.iter().map(TreePath::as_str).collect();
                // A file that is gone has nothing to add, and is committed as gone.
                let there: Vec<&str> = names
                    .iter()
                    .copied()
                    .filter(|name| self.root.join(name).symlink_metadata().is_ok())
                    .collect();
                for gone in names.iter().filter(|name| !there.contains(name)) {
                    let known = self.output(&["--literal-pathspecs", "ls-files", "--", gone])?;
                    let before = || self.ask(&["cat-file", "-e", &format!("HEAD:{gone}")]);
                    if known.is_empty() && !before()?.status.success() {
                        return Err(WorkError::NoFile((*gone).to_owned()));
                    }
                }
                if !there.is_empty() {
                    self.output(&[&["--literal-pathspecs", "add", "--"][..], &there].concat())?;
                }
                paths = vec!["--literal-pathspecs", "commit", "--quiet", "--file=-", "--only", "--"];
                paths.extend(names);
                if self.is_same(&paths[6..])? {
                    return Err(WorkError::Nothing);
                }
            }
        }
        if !matches!(scope, Scope::Files(_)) && self.status()?.staged.is_empty() {
            return Err(WorkError::Nothing);
        }
        self.run("commit", &paths, message)?;
        self.head()
    }

    /// Whether these files are as they were in the last commit.
    fn is_same(&self, names: &[&str]) -> Result<bool, WorkError> {
        let base = if self.head().is_ok() { "HEAD" } else { EMPTY_TREE };
        let args = [&["--literal-pathspecs", "diff-index", "--quiet", base, "--"][..], names].concat();
        Ok(self.ask(&args)?.status.success())
    }

    /// Makes a branch at `from`, or at the commit that is checked out, and checks it out.
    ///
    /// # Errors
    /// [`WorkError`] when there is one of the name, `from` is nothing, or changes would be lost.
    pub fn branch(&self, name: &str, from: Option<&str>) -> Result<(), WorkError> {
        self.check_branch(name)?;
        let from = from.unwrap_or("HEAD");
        if from.starts_with('-') {
            return Err(WorkError::Branch(from.to_owned()));
        }
        self.output(&["switch", "--quiet", "--create", name, from]).map(|_| ())
    }

    /// Checks a branch out.
    ///
    /// # Errors
    /// [`WorkError`] when there is none of the name, or changes would be lost.
    pub fn checkout(&self, name: &str) -> Result<(), WorkError> {
        self.check_branch(name)?;
        self.output(&["switch", "--quiet", name]).map(|_| ())
    }

    fn check_branch(&self, name: &str) -> Result<(), WorkError> {
        let bad = || WorkError::Branch(name.to_owned());
        if name.starts_with('-') {
            return Err(bad());
        }
        let full = format!("refs/heads/{name}");
        if self.ask(&["check-ref-format", &full])?.status.success() { Ok(()) } else { Err(bad()) }
    }
}

/// The id of the tree without files, which git knows in every repository.
const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// Parses `git status --porcelain=v2 --branch -z`.
fn parse_status(text: &str) -> Changes {
    let mut changes = Changes::default();
    let mut fields = text.split('\0');
    while let Some(line) = fields.next() {
        if let Some(branch) = line.strip_prefix("# branch.head ") {
            changes.branch = (branch != "(detached)").then(|| branch.to_owned());
        } else if let Some(counts) = line.strip_prefix("# branch.ab ") {
            let mut numbers =
                counts.split(' ').map(|n| n.trim_start_matches(['+', '-']).parse().unwrap_or(0));
            changes.ahead = numbers.next().unwrap_or(0);
            changes.behind = numbers.next().unwrap_or(0);
        } else if let Some(path) = line.strip_prefix("? ") {
            changes.untracked.push(path.to_owned());
        } else if line.starts_with("u ") {
            changes.conflicted.extend(line.splitn(11, ' ').nth(10).map(str::to_owned));
        } else if line.starts_with("1 ") || line.starts_with("2 ") {
            let renamed = line.starts_with("2 ");
            let Some(path) = line.splitn(if renamed { 10 } else { 9 }, ' ').last() else { continue };
            let states = line.as_bytes();
            if states.get(2).is_some_and(|b| *b != b'.') {
                changes.staged.push(path.to_owned());
            }
            if states.get(3).is_some_and(|b| *b != b'.') {
                changes.modified.push(path.to_owned());
            }
            if renamed {
                // The name it had stands in a field of its own.
                let _ = fields.next();
            }
        }
    }
    changes
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests change files on purpose")]
mod tests;
