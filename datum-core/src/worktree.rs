//! The work tree and its branches, through the git program: the user's hooks, signing and credentials apply.
//!
//! Everything here either happens or leaves the tree as it was. [`WorkTree::sync`] finds conflicts with
//! `git merge-tree`, which writes no file, before it touches anything.

mod branch;
mod commit;
mod error;
#[expect(clippy::disallowed_methods, reason = "files of the work tree are written here")]
mod file;
#[expect(clippy::disallowed_methods, reason = "the index is put back here")]
mod index;
mod sync;

pub use commit::{Scope, with_trailer};
pub use error::WorkError;
pub use file::TreePath;
pub use sync::{Synced, Upstream};

use crate::git::{Git, GitError, failed, user_command};
use crate::id::EntryId;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

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
        Err(failed(verb_of(args), &output).into())
    }

    /// Runs git for a yes or a no: the exit codes 0 and 1.
    fn says(&self, args: &[&str]) -> Result<bool, WorkError> {
        let output = self.ask(args)?;
        match output.status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(failed(verb_of(args), &output).into()),
        }
    }

    /// Runs git as the user would: it may ask, and what it says goes to standard error.
    fn speak(&self, args: &[&str], input: &str) -> Result<ExitStatus, WorkError> {
        use std::io::Write as _;
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().map_err(GitError::Start)?;
        if let Some(mut stdin) = child.stdin.take() {
            let _ = stdin.write_all(input.as_bytes());
        }
        Ok(child.wait().map_err(GitError::Start)?)
    }

    /// The same for what must succeed; git ends with 1 where a hook refuses, and otherwise where something is broken.
    fn run(&self, verb: &'static str, args: &[&str], input: &str) -> Result<(), WorkError> {
        match self.speak(args, input)?.code() {
            Some(0) => Ok(()),
            Some(1) => Err(WorkError::Refused { verb }),
            _ => Err(WorkError::Failed { verb }),
        }
    }

    /// The commit that is checked out.
    ///
    /// # Errors
    /// [`WorkError::NoCommit`] when there is none yet.
    pub fn head(&self) -> Result<EntryId, WorkError> {
        self.tip()?.ok_or_else(|| WorkError::NoCommit("HEAD".to_owned()))
    }

    /// The commit that is checked out, if there is one yet.
    fn tip(&self) -> Result<Option<EntryId>, WorkError> {
        let output = self.ask(&["rev-parse", "--verify", "--quiet", "HEAD"])?;
        match output.status.code() {
            Some(0) => Ok(EntryId::from_hex(String::from_utf8_lossy(&output.stdout).trim_end())),
            Some(1) => Ok(None),
            _ => Err(failed("rev-parse", &output).into()),
        }
    }

    /// Makes sure that `rev` names something, and is no option.
    fn check_commit(&self, rev: &str) -> Result<(), WorkError> {
        if !rev.starts_with('-') && self.ask(&["rev-parse", "--verify", "--quiet", rev])?.status.success() {
            return Ok(());
        }
        Err(WorkError::NoCommit(rev.to_owned()))
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
}

/// The git command in `args`, after options of git's own.
fn verb_of<'a>(args: &[&'a str]) -> &'a str {
    args.iter().find(|arg| !arg.starts_with('-')).copied().unwrap_or("git")
}

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
