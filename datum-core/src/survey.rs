//! A survey: a snapshot, and what the repository's branches and tags are at the same moment.

use crate::id::EntryId;
use crate::snapshot::Snapshot;
use crate::store::{Store, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A revision that names no commit.
#[derive(Debug, thiserror::Error)]
pub enum RevisionError {
    /// It is not there, or is no commit.
    #[error("no commit is called {revision:?}: {message}")]
    Unknown {
        /// What was asked for.
        revision: String,
        /// Why not.
        message: String,
    },
    /// The repository could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Branches, tags and the depth of the clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The branch that is checked out; `None` where `HEAD` is detached.
    pub branch: Option<String>,
    /// The branch a clone would check out: the remote's `HEAD` where one is known, otherwise `branch`.
    pub default_branch: Option<String>,
    /// Local branches and their commits.
    pub branches: BTreeMap<String, EntryId>,
    /// Tags and what they point at.
    pub tags: BTreeMap<String, EntryId>,
    /// The commits whose parents a shallow clone leaves out.
    pub shallow: BTreeSet<EntryId>,
    /// Refs that could not be read.
    pub broken: Vec<String>,
}

/// A snapshot at a revision, and the standing of the repository around it.
#[derive(Debug)]
pub struct Survey<'s> {
    /// The logs, and the tree of the revision.
    pub snapshot: Snapshot<'s>,
    /// Branches and tags.
    pub standing: Standing,
    pub(crate) store: &'s Store,
}

impl Store {
    /// Surveys the repository at `revision`, by default `HEAD`.
    ///
    /// # Errors
    /// [`RevisionError`] when the revision names no commit or the refs cannot be listed.
    pub fn survey(&self, revision: Option<&str>) -> Result<Survey<'_>, RevisionError> {
        let snapshot = self.snapshot()?;
        let snapshot = match revision {
            None => snapshot,
            Some(revision) => {
                let commit = self.resolve(revision)?;
                snapshot.at(Some(commit))
            }
        };
        Ok(Survey { snapshot, standing: self.standing()?, store: self })
    }

    /// Finds the commit that `revision` names, as git reads it: a branch, a tag, an id, `HEAD~3`.
    ///
    /// # Errors
    /// [`RevisionError`] when it names none.
    pub fn resolve(&self, revision: &str) -> Result<EntryId, RevisionError> {
        let unknown = |error: gix::Error| RevisionError::Unknown {
            revision: revision.chars().take(200).collect(),
            message: error.iter_errors().last().map_or_else(|| error.to_string(), ToString::to_string),
        };
        let id = self.repo.rev_parse_single(revision).map_err(unknown)?;
        let commit = id.object().and_then(gix::Object::peel_to_commit).map_err(unknown)?;
        Ok(EntryId(commit.id))
    }

    fn standing(&self) -> Result<Standing, StoreError> {
        let mut standing = Standing::default();
        let mut take = |prefix: &str| -> Result<BTreeMap<String, EntryId>, StoreError> {
            let (found, broken) = self.refs.list(prefix)?;
            standing.broken.extend(broken.iter().map(ToString::to_string));
            let short = |(name, id): (String, EntryId)| Some((name.strip_prefix(prefix)?.to_owned(), id));
            Ok(found.into_iter().filter_map(short).collect())
        };
        let (branches, tags) = (take("refs/heads/")?, take("refs/tags/")?);
        let symbolic = |name: &str, prefix: &str| {
            let reference = self.repo.try_find_reference(name).ok().flatten()?;
            let target = reference.target().try_name()?.as_bstr().to_string();
            target.strip_prefix(prefix).map(ToOwned::to_owned)
        };
        let branch = symbolic("HEAD", "refs/heads/");
        let default_branch =
            symbolic("refs/remotes/origin/HEAD", "refs/remotes/origin/").or_else(|| branch.clone());
        let shallow = match self.repo.shallow_commits() {
            Ok(Some(commits)) => commits.iter().map(|id| EntryId(*id)).collect(),
            Ok(None) => BTreeSet::new(),
            Err(error) => {
                standing.broken.push(format!("the list of shallow commits: {error}"));
                BTreeSet::new()
            }
        };
        Ok(Standing { branch, default_branch, branches, tags, shallow, ..standing })
    }

    /// Lists the files of the work tree as git sees them: tracked, and new ones that are not ignored.
    ///
    /// # Errors
    /// [`StoreError`] when there is no work tree or git fails.
    pub fn work_tree(&self) -> Result<Option<(&Path, Vec<String>)>, StoreError> {
        let Some(root) = self.work_dir() else { return Ok(None) };
        let mut command = self.git.command("ls-files");
        command.current_dir(root).env("GIT_WORK_TREE", root);
        command.args(["-z", "--cached", "--others", "--exclude-standard"]);
        let output = crate::git::Git::run(command, b"")?;
        if !output.status.success() {
            return Err(crate::git::failed("ls-files", &output).into());
        }
        let names = output.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        let mut names: Vec<String> = names.map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        names.sort();
        names.dedup();
        Ok(Some((root, names)))
    }
}
