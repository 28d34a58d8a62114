//! Branches meet: fetched, merged where nothing conflicts, pushed; conflicts are named file by file and nothing is done.

use super::{WorkError, WorkTree};
use crate::git::{GitError, failed};
use std::collections::BTreeSet;

/// The branch of a remote that the present one goes with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The remote.
    pub remote: String,
    /// The branch there.
    pub branch: String,
}

/// What a sync did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// The branch here.
    pub branch: String,
    /// The branch there.
    pub upstream: Upstream,
    /// Commits that came.
    pub pulled: u64,
    /// Commits that went, a merge included.
    pub pushed: u64,
    /// Whether the two were merged.
    pub merged: bool,
}

impl WorkTree {
    /// The branch that is checked out.
    ///
    /// # Errors
    /// [`WorkError::NoBranch`] where none is.
    pub fn current_branch(&self) -> Result<String, WorkError> {
        self.output(&["symbolic-ref", "--short", "--quiet", "HEAD"]).map_err(|_| WorkError::NoBranch)
    }

    /// Where the branch goes: what is configured for it, or the branch of its name at `remote` or `origin`.
    fn upstream(&self, branch: &str, remote: Option<&str>) -> Upstream {
        let setting = |key: &str| self.output(&["config", &format!("branch.{branch}.{key}")]).ok();
        let configured = setting("remote").zip(setting("merge"));
        let of_branch = |remote: &str| Upstream { remote: remote.to_owned(), branch: branch.to_owned() };
        match (configured, remote) {
            (Some((of, merge)), wanted) if wanted.is_none_or(|wanted| wanted == of) => {
                let merge = merge.strip_prefix("refs/heads/").unwrap_or(&merge).to_owned();
                Upstream { remote: of, branch: merge }
            }
            (_, wanted) => of_branch(wanted.unwrap_or("origin")),
        }
    }

    /// Brings the present branch and its upstream together: fetches, merges, pushes.
    ///
    /// # Errors
    /// [`WorkError::Conflicts`] with every file that both changed; then neither side has changed. Other errors as git
    /// reports them.
    pub fn sync(&self, remote: Option<&str>) -> Result<Synced, WorkError> {
        let branch = self.current_branch()?;
        let upstream = self.upstream(&branch, remote);
        if upstream.remote.starts_with('-') {
            return Err(WorkError::Branch(upstream.remote));
        }
        if self.ask(&["remote", "get-url", "--", &upstream.remote])?.status.code() == Some(2) {
            return Err(WorkError::NoRemote(upstream.remote));
        }
        let tracking = format!("refs/remotes/{}/{}", upstream.remote, upstream.branch);
        let exists = self.fetch(&upstream, &tracking)?;
        let shown = format!("{}/{}", upstream.remote, upstream.branch);
        let count = |range: String| -> Result<u64, WorkError> {
            Ok(self.output(&["rev-list", "--count", &range])?.parse().unwrap_or(0))
        };
        let (pulled, ahead) = if exists {
            (count(format!("HEAD..{tracking}"))?, count(format!("{tracking}..HEAD"))?)
        } else {
            (0, count("HEAD".to_owned())?)
        };
        let merged = pulled > 0 && ahead > 0;
        if merged {
            let files = self.conflicts(&tracking)?;
            if !files.is_empty() {
                return Err(WorkError::Conflicts { upstream: shown, files });
            }
            // What is not committed may still be in the way; git then says which file, and has done nothing.
            let message = format!("merge: {shown}");
            if let Err(error) = self.output(&["merge", "--quiet", "--no-edit", "-m", &message, &tracking]) {
                let _ = self.ask(&["merge", "--abort"]);
                return Err(error);
            }
        } else if pulled > 0 {
            self.output(&["merge", "--quiet", "--ff-only", &tracking])?;
        }
        let pushed = if exists { count(format!("{tracking}..HEAD"))? } else { ahead };
        if pushed > 0 {
            let to = format!("HEAD:refs/heads/{}", upstream.branch);
            self.run("push", &["push", "--quiet", &upstream.remote, &to], "")?;
        }
        Ok(Synced { branch, upstream, pulled, pushed, merged })
    }

    /// Fetches the branch; answers whether the remote has it.
    fn fetch(&self, upstream: &Upstream, tracking: &str) -> Result<bool, WorkError> {
        let there = self.ask(&[
            "ls-remote",
            "--exit-code",
            &upstream.remote,
            &format!("refs/heads/{}", upstream.branch),
        ])?;
        match there.status.code() {
            Some(0) => {}
            // git's own code for "no matching ref".
            Some(2) => return Ok(false),
            _ => return Err(failed("ls-remote", &there).into()),
        }
        let refspec = format!("+refs/heads/{}:{tracking}", upstream.branch);
        self.run("fetch", &["fetch", "--quiet", "--no-tags", &upstream.remote, &refspec], "")?;
        Ok(true)
    }

    /// The files that a merge of `other` would conflict in, found without touching any.
    fn conflicts(&self, other: &str) -> Result<Vec<String>, WorkError> {
        let args = ["merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", "HEAD", other];
        let output = self.ask(&args)?;
        match output.status.code() {
            Some(0) => Ok(Vec::new()),
            Some(1) => {
                let text = String::from_utf8_lossy(&output.stdout);
                // The tree comes first, then a name a conflict.
                let names: BTreeSet<&str> =
                    text.split('\0').skip(1).filter(|name| !name.is_empty()).collect();
                Ok(names.into_iter().map(str::to_owned).collect())
            }
            _ => Err(WorkError::Git(match failed("merge-tree", &output) {
                GitError::Failed { verb, message } => GitError::Failed {
                    verb,
                    message: format!(
                        "{message} (git 2.38 or later is needed to merge without touching files)"
                    ),
                },
                other => other,
            })),
        }
    }
}
