//! Why something could not be done to a work tree.

use crate::git::{GitError, failed, reason};
use crate::id::EntryId;
use std::path::PathBuf;
use std::process::Output;

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
    /// Git could not do it; it has said why.
    #[error("git {verb} failed")]
    Failed {
        /// The git command.
        verb: &'static str,
    },
    /// A hook, or git itself, refused a merge, which was taken back.
    #[error("git merge refused")]
    MergeRefused {
        /// What was said, to be passed on.
        said: String,
    },
    /// Files that a merge has left with conflicts.
    #[error("not merged yet: {}", .files.join(", "))]
    Unmerged {
        /// The files, by name.
        files: Vec<String>,
    },
    /// A merge, or something like it, is under way.
    #[error("a merge is under way")]
    Merging,
    /// Git cannot do it in the state in which the work tree is.
    #[error("{0}")]
    NotNow(String),
    /// Changes that are not committed would be written over.
    #[error("changes that are not committed are in the way: {}", .files.join(", "))]
    InTheWay {
        /// The files, by name.
        files: Vec<String>,
    },
    /// A file whose changes are not committed.
    #[error("{0} has changes that are not committed")]
    Uncommitted(String),
    /// Files that git is told to ignore.
    #[error("git is told to ignore {}", .0.join(", "))]
    Ignored(Vec<String>),
    /// A path that does not lie in the work tree.
    #[error("{path:?} {why}")]
    Path {
        /// The path, as given.
        path: String,
        /// The rule it breaks.
        why: &'static str,
    },
    /// A folder, where a file was asked for.
    #[error("{0} is a folder")]
    Folder(String),
    /// A file, where a folder is needed.
    #[error("{0} is a file, not a folder")]
    NoFolder(String),
    /// Both sides changed the same files.
    #[error("{} and here changed the same: {}", .upstream, .files.join(", "))]
    Conflicts {
        /// The branch that was to be merged.
        upstream: String,
        /// The files, by name.
        files: Vec<String>,
    },
    /// Two branches that have no commit in common.
    #[error("{0} and here have no commit in common")]
    Unrelated(String),
    /// What was brought together here did not reach the remote.
    #[error(
        "{}the push to {upstream} {}",
        if before.is_some() { "merged here, but " } else { "" },
        if *refused { "was refused" } else { "failed" }
    )]
    NotPushed {
        /// The branch there.
        upstream: String,
        /// The commit before the merge, where there was one.
        before: Option<EntryId>,
        /// Whether the remote, or a hook, said no; otherwise it could not be asked.
        refused: bool,
    },
    /// A remote that does not answer.
    #[error("cannot reach {remote}: {why}")]
    Unreachable {
        /// The remote.
        remote: String,
        /// What git says.
        why: String,
    },
    /// A file that is neither here nor in git.
    #[error("there is no file {0}, here or in the last commit")]
    NoFile(String),
    /// A file that a commit does not have.
    #[error("there is no file {path} in {rev}")]
    NotIn {
        /// The path.
        path: String,
        /// The commit, as given.
        rev: String,
    },
    /// A name that stands for no commit.
    #[error("there is no commit {0}")]
    NoCommit(String),
    /// Neither here nor there is a commit.
    #[error("there is no commit yet, here or in {0}")]
    Unborn(String),
    /// A remote that is not configured.
    #[error("there is no remote {0}")]
    NoRemote(String),
    /// No branch is checked out.
    #[error("no branch is checked out")]
    NoBranch,
    /// No branch was checked out before the present one.
    #[error("no branch was checked out before")]
    NoPrevious,
    /// A branch that is not there.
    #[error("there is no branch {0}")]
    UnknownBranch(String),
    /// A branch that is there already.
    #[error("there is a branch {0} already")]
    BranchThere(String),
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

impl WorkError {
    /// The error of a `git merge` or `git switch` that has changed nothing.
    pub(super) fn unchanged(verb: &'static str, output: &Output) -> Self {
        let said = String::from_utf8_lossy(&output.stderr);
        let files = in_the_way(&said);
        if !files.is_empty() {
            return Self::InTheWay { files };
        }
        // How git says that something else has to be ended first.
        let later =
            ["is already used by worktree", "already checked out at", "switch branch while", "resolve your"];
        let why = reason(&said);
        if later.iter().any(|words| why.contains(words)) {
            let why = why.trim_start_matches("fatal: ").trim_start_matches("error: ");
            return Self::NotNow(format!("git {verb}: {why}"));
        }
        failed(verb, output).into()
    }
}

/// The files that git will not write over, by what it says: in lines of their own below the reason, or quoted in it.
fn in_the_way(said: &str) -> Vec<String> {
    let is_reason = |line: &str| {
        line.starts_with("error: ")
            && (line.contains("would be overwritten by") || line.contains("would lose untracked files"))
    };
    let mut files = Vec::new();
    let mut lines = said.lines().peekable();
    while let Some(line) = lines.next() {
        if !is_reason(line) {
            continue;
        }
        let mut listed = Vec::new();
        while let Some(file) = lines.next_if(|line| line.starts_with(['\t', ' '])) {
            listed.push(file.trim().to_owned());
        }
        if listed.is_empty() {
            listed.extend(line.split('\'').nth(1).map(str::to_owned));
        }
        files.extend(listed);
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_in_the_way_are_found_in_all_that_git_says() {
        let check = |said: &str, expect: &[&str]| assert_eq!(in_the_way(said), expect, "{said}");
        let changed = "Your local changes to the following files would be overwritten by merge:";
        check(
            &format!("error: {changed}\n\ta\n\tb c\nPlease commit your changes\nAborting\n"),
            &["a", "b c"],
        );
        check(&format!("error: {changed}\n  s\nMerge with strategy ort failed.\n"), &["s"]);
        check(
            "error: Updating the following directories would lose untracked files in them:\n\tnew\n\n",
            &["new"],
        );
        check("error: Untracked working tree file 'a' would be overwritten by merge.\nfatal: x\n", &["a"]);
        check("fatal: Unable to create '/x/index.lock': File exists.\n", &[]);
    }
}
