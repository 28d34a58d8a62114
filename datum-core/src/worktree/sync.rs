//! Branches meet: fetched, merged where nothing conflicts, pushed; conflicts are named file by file and nothing is done.

use super::{WorkError, WorkTree};
use crate::git::{GitError, failed, reason};
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
    /// Where the branch goes: what is configured for it, or the branch of its name at `remote` or `origin`; and whether
    /// anything is configured.
    fn upstream(&self, branch: &str, remote: Option<&str>) -> (Upstream, bool) {
        let setting = |key: &str| self.output(&["config", &format!("branch.{branch}.{key}")]).ok();
        let configured = setting("remote").zip(setting("merge"));
        let is_set = configured.is_some();
        let of_branch = |remote: &str| Upstream { remote: remote.to_owned(), branch: branch.to_owned() };
        let upstream = match (configured, remote) {
            (Some((of, merge)), wanted) if wanted.is_none_or(|wanted| wanted == of) => {
                let merge = merge.strip_prefix("refs/heads/").unwrap_or(&merge).to_owned();
                Upstream { remote: of, branch: merge }
            }
            (_, wanted) => of_branch(wanted.unwrap_or("origin")),
        };
        (upstream, is_set)
    }

    /// Brings the present branch and its upstream together: fetches, merges, pushes.
    ///
    /// A branch without an upstream gets the one it is pushed to, as by `git push -u`.
    ///
    /// # Errors
    /// [`WorkError::Conflicts`] with every file that both changed; then neither side has changed.
    /// [`WorkError::NotPushed`] when the remote did not take what may have been merged here. Other errors as git
    /// reports them, with nothing changed.
    pub fn sync(&self, remote: Option<&str>) -> Result<Synced, WorkError> {
        let branch = self.current_branch()?;
        let (upstream, is_set) = self.upstream(&branch, remote);
        if upstream.remote.starts_with('-') {
            return Err(WorkError::Branch(upstream.remote));
        }
        if self.ask(&["remote", "get-url", "--", &upstream.remote])?.status.code() == Some(2) {
            return Err(WorkError::NoRemote(upstream.remote));
        }
        // A merge that does not succeed is aborted below: it must not be one that somebody else has begun.
        if self.is_merging()? {
            return Err(WorkError::Merging);
        }
        let tracking = format!("refs/remotes/{}/{}", upstream.remote, upstream.branch);
        let exists = self.fetch(&upstream, &tracking)?;
        let shown = format!("{}/{}", upstream.remote, upstream.branch);
        let here = self.tip()?;
        let count = |range: &str| -> Result<u64, WorkError> {
            Ok(self.output(&["rev-list", "--count", range, "--"])?.parse().unwrap_or(0))
        };
        let (ours, theirs) = (format!("{tracking}..HEAD"), format!("HEAD..{tracking}"));
        let (pulled, ahead) = match (here, exists) {
            (Some(_), true) => (count(&theirs)?, count(&ours)?),
            (Some(_), false) => (0, count("HEAD")?),
            (None, true) => (count(&tracking)?, 0),
            (None, false) => return Err(WorkError::Unborn(shown)),
        };
        let merged = pulled > 0 && ahead > 0;
        if merged {
            self.merge(&tracking, &shown)?;
        } else if pulled > 0 {
            let output = self.ask(&["merge", "--quiet", "--ff-only", &tracking])?;
            if !output.status.success() {
                return Err(WorkError::unchanged("merge", &output));
            }
        }
        let pushed = if exists { count(&ours)? } else { ahead };
        if pushed > 0 {
            let to = format!("refs/heads/{branch}:refs/heads/{}", upstream.branch);
            let options = if is_set { &["--quiet"][..] } else { &["--quiet", "--set-upstream"] };
            let args = [&["push"], options, &[&upstream.remote, &to]].concat();
            let code = self.speak(&args, "")?.code();
            if code != Some(0) {
                let before = here.filter(|_| merged);
                return Err(WorkError::NotPushed { upstream: shown, before, refused: code == Some(1) });
            }
        }
        Ok(Synced { branch, upstream, pulled, pushed, merged })
    }

    /// Merges `tracking`, or leaves everything as it was.
    fn merge(&self, tracking: &str, shown: &str) -> Result<(), WorkError> {
        if !self.says(&["merge-base", "HEAD", tracking])? {
            return Err(WorkError::Unrelated(shown.to_owned()));
        }
        let files = self.conflicts(tracking)?;
        if !files.is_empty() {
            return Err(WorkError::Conflicts { upstream: shown.to_owned(), files });
        }
        let message = format!("merge: {shown}");
        let output = self.ask(&["merge", "--quiet", "--no-edit", "-m", &message, tracking])?;
        if output.status.success() {
            return Ok(());
        }
        let _ = self.ask(&["merge", "--abort"]);
        match WorkError::unchanged("merge", &output) {
            // A hook's own code; what git adds to it is about the merge that is no more.
            WorkError::Git(_) if output.status.code() == Some(1) => {
                let said = String::from_utf8_lossy(&output.stderr);
                let said: Vec<_> =
                    said.lines().filter(|line| !line.starts_with("Not committing merge")).collect();
                Err(WorkError::MergeRefused { said: said.join("\n") })
            }
            error => Err(error),
        }
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
            _ => {
                let why = reason(&String::from_utf8_lossy(&there.stderr));
                return Err(WorkError::Unreachable { remote: upstream.remote.clone(), why });
            }
        }
        let refspec = format!("+refs/heads/{}:{tracking}", upstream.branch);
        let args = ["fetch", "--quiet", "--no-tags", &upstream.remote, &refspec];
        if self.speak(&args, "")?.success() { Ok(true) } else { Err(WorkError::Failed { verb: "fetch" }) }
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
