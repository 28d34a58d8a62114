//! Commits through `git commit`: made as asked, or refused with the index as it was.

use super::file::TreePath;
use super::index::Index;
use super::{WorkError, WorkTree};
use crate::git::{Git, GitError, failed, user_command};
use crate::id::EntryId;
use std::path::Path;

/// What a commit is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Everything that has changed, new files too.
    All,
    /// What is staged.
    Staged,
    /// These files and folders, whatever else is staged.
    Files(&'a [TreePath]),
}

impl WorkTree {
    /// Commits, as `git commit` does, with its hooks and signing.
    ///
    /// # Errors
    /// [`WorkError::Nothing`], [`WorkError::NoFile`], [`WorkError::Unmerged`], [`WorkError::Refused`] and others; then
    /// nothing was committed, and what is staged is what was staged before.
    pub fn commit(&self, message: &str, scope: Scope<'_>) -> Result<EntryId, WorkError> {
        // Staging a file with conflicts would tell git that they are resolved.
        let files = self.unmerged()?;
        if !files.is_empty() {
            return Err(WorkError::Unmerged { files });
        }
        let before = Index::of(self)?;
        if let Err(error) = self.stage_and_commit(message, scope) {
            before.put_back()?;
            return Err(error);
        }
        self.head()
    }

    fn stage_and_commit(&self, message: &str, scope: Scope<'_>) -> Result<(), WorkError> {
        let Scope::Files(files) = scope else {
            if scope == Scope::All {
                self.output(&["add", "--all"])?;
            }
            // A merge is worth a commit even where it changes nothing.
            if self.status()?.staged.is_empty() && !self.is_merging()? {
                return Err(WorkError::Nothing);
            }
            return self.run("commit", &["commit", "--quiet", "--file=-"], message);
        };
        if self.is_merging()? {
            return Err(WorkError::Merging);
        }
        let names: Vec<&str> = files.iter().map(TreePath::as_str).collect();
        self.stage(&names)?;
        if self.is_same(&names)? {
            return Err(WorkError::Nothing);
        }
        let args = ["--literal-pathspecs", "commit", "--quiet", "--file=-", "--only", "--"];
        self.run("commit", &[&args[..], &names].concat(), message)
    }

    /// Stages files; one that is gone has nothing to stage, and is committed as gone.
    fn stage(&self, names: &[&str]) -> Result<(), WorkError> {
        let is_there = |name: &&&str| self.root.join(name).symlink_metadata().is_ok();
        let (there, gone): (Vec<&str>, Vec<&str>) = names.iter().partition(is_there);
        for gone in gone {
            let known = self.output(&["--literal-pathspecs", "ls-files", "--", gone])?;
            let before = || self.ask(&["cat-file", "-e", &format!("HEAD:{gone}")]);
            if known.is_empty() && !before()?.status.success() {
                return Err(WorkError::NoFile(gone.to_owned()));
            }
        }
        if there.is_empty() {
            return Ok(());
        }
        let added = self.ask(&[&["--literal-pathspecs", "add", "--"][..], &there].concat())?;
        if added.status.success() {
            return Ok(());
        }
        // Only from its input does git take names with a NUL between.
        let asked = self.command(&["check-ignore", "-z", "--stdin"]);
        let ignored = Git::run(asked, there.join("\0").as_bytes())?.stdout;
        let ignored = String::from_utf8_lossy(&ignored);
        let ignored: Vec<_> = ignored.split_terminator('\0').map(str::to_owned).collect();
        Err(if ignored.is_empty() { failed("add", &added).into() } else { WorkError::Ignored(ignored) })
    }

    /// Whether these files are as they were in the last commit.
    fn is_same(&self, names: &[&str]) -> Result<bool, WorkError> {
        let base = match self.tip()? {
            Some(_) => "HEAD".to_owned(),
            // The tree without files, which git knows in every repository.
            None => self.output(&["hash-object", "-t", "tree", "--stdin"])?,
        };
        let args = [&["--literal-pathspecs", "diff-index", "--quiet", &base, "--"][..], names].concat();
        self.says(&args)
    }

    /// The files that a merge has left with conflicts.
    pub(super) fn unmerged(&self) -> Result<Vec<String>, WorkError> {
        let listed = self.output(&["ls-files", "--unmerged", "-z"])?;
        // One line a side, and the name behind a tab.
        let mut files: Vec<_> = listed
            .split('\0')
            .filter_map(|line| line.split_once('\t'))
            .map(|(_, name)| name.to_owned())
            .collect();
        files.dedup();
        Ok(files)
    }

    /// Whether a merge or cherry-pick waits for its commit.
    pub(super) fn is_merging(&self) -> Result<bool, WorkError> {
        let is_there = |name| self.says(&["rev-parse", "--verify", "--quiet", name]);
        Ok(is_there("MERGE_HEAD")? || is_there("CHERRY_PICK_HEAD")?)
    }
}

/// Adds a trailer to a commit's message by git's rules: to the last paragraph where that holds trailers, or as one.
///
/// Lines after the first are indented, as trailers have it, and empty ones left out.
///
/// # Errors
/// [`WorkError::Git`] when git cannot be run.
pub fn with_trailer(message: &str, key: &str, value: &str) -> Result<String, WorkError> {
    let lines: Vec<&str> = value.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let trailer = format!("{key}: {}", lines.join("\n "));
    let mut command = user_command(Path::new("."));
    command.args(["interpret-trailers", "--no-divider", "--where", "end", "--if-exists", "add"]);
    command.args(["--if-missing", "add", "--trailer", &trailer]);
    let output = Git::run(command, message.as_bytes())?;
    if !output.status.success() {
        return Err(failed("interpret-trailers", &output).into());
    }
    String::from_utf8(output.stdout).map_err(|_| {
        let message = "it answered with what is no text".to_owned();
        GitError::Failed { verb: "interpret-trailers".to_owned(), message }.into()
    })
}
