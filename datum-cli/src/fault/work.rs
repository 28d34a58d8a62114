//! Errors of the work tree, as the user meets them.

use super::Fault;
use datum_core::GitError;
use datum_core::worktree::WorkError;

/// What to do where git or a hook has spoken for itself.
const ABOVE: &str = "what it says stands above; nothing was committed";

impl From<WorkError> for Fault {
    fn from(error: WorkError) -> Self {
        let message = error.to_string();
        match error {
            WorkError::Nothing => Self::no(message),
            WorkError::Refused { .. } => Self::no(message).hint(ABOVE),
            WorkError::Failed { verb: "commit" } => Self::broken(message).hint(ABOVE),
            WorkError::Failed { .. } => {
                Self::broken(message).hint("what it says stands above; nothing was changed")
            }
            WorkError::MergeRefused { .. } => {
                Self::no(message).hint("what it says stands above; nothing was merged or pushed")
            }
            WorkError::Unmerged { .. } => Self::no(message)
                .hint("mend each, git add it, and commit again; git status tells how to go back"),
            WorkError::Merging => Self::no(message).hint(
                "datum git commit --staged -m TEXT ends it with all that is staged; git status tells more",
            ),
            WorkError::NotNow(_) => Self::no(message).hint("git status and git worktree list tell more"),
            WorkError::InTheWay { .. } => Self::no(message).hint(
                "nothing was changed; commit them, or put them aside with git stash -u, and run it again",
            ),
            WorkError::Uncommitted(_) => {
                Self::no(message).hint("datum git commit -m TEXT FILE commits them first")
            }
            WorkError::Conflicts { upstream, .. } => Self::no(message)
                .hint(format!("nothing was done; git merge {upstream} begins the merge by hand")),
            WorkError::Unrelated(upstream) => Self::no(message).hint(format!(
                "nothing was done; git merge --allow-unrelated-histories {upstream} joins them by hand"
            )),
            WorkError::NotPushed { before, refused, .. } => {
                let next = match before {
                    Some(before) => format!(
                        "datum git sync pushes it again, git reset --keep {} takes the merge back",
                        before.short(12)
                    ),
                    None => "the branch here is as it was, and datum git sync tries again".to_owned(),
                };
                let fault = if refused { Self::no(message) } else { Self::broken(message) };
                fault.hint(format!("what it says stands above; {next}"))
            }
            WorkError::Unreachable { remote, .. } => {
                Self::broken(message).hint(format!("git remote get-url {remote} tells its address"))
            }
            WorkError::Unborn(_) => Self::no(message)
                .hint("datum git commit makes the first; git switch BRANCH after git fetch takes another"),
            WorkError::Ignored(_) => Self::usage(message).hint(
                "git add -f FILE and datum git commit --staged take it all the same; or change .gitignore",
            ),
            WorkError::Path { .. } | WorkError::NoFile(_) => {
                Self::usage(message).hint("paths count from where the command runs")
            }
            WorkError::Folder(_) => Self::usage(message).hint("name a file in it"),
            WorkError::NoFolder(_) => {
                Self::usage(message).hint("nothing can lie below it; choose another path")
            }
            WorkError::NotIn { path, .. } => Self::usage(message)
                .hint(format!("datum git history -- {path} lists commits that changed it")),
            WorkError::NoCommit(_) => Self::usage(message).hint("datum git history lists commits"),
            WorkError::NoRemote(name) => Self::usage(message).hint(format!("git remote add {name} URL")),
            WorkError::NoBranch => Self::usage(message).hint("datum git checkout BRANCH"),
            WorkError::NoPrevious => Self::usage(message).hint("datum git branch lists the branches"),
            WorkError::UnknownBranch(name) => Self::usage(message)
                .hint(format!("datum git branch lists the branches; datum git branch {name} makes this one")),
            WorkError::BranchThere(name) => {
                Self::usage(message).hint(format!("datum git checkout {name} checks it out"))
            }
            WorkError::Branch(_) => {
                Self::usage(message).hint("git check-ref-format --branch NAME tells whether a name will do")
            }
            WorkError::File { .. } => {
                Self::broken(message).hint("is the folder read-only, or the disk full?")
            }
            WorkError::Git(GitError::Failed { message: why, .. }) if why.contains("index.lock") => {
                Self::broken(message)
                    .hint("another git is at work here; where none is, a dead one left the lock: remove it")
            }
            WorkError::Git(GitError::Failed { .. }) => {
                Self::broken(message).hint("datum doctor looks for what can be repaired")
            }
            WorkError::Git(_) => Self::broken(message),
        }
    }
}
