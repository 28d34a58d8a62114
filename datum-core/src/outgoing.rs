//! What a push is about to send: its commits, and the secrets that are new in them.

mod sealed;
mod search;
mod secrets;

pub use search::Also;
pub(crate) use secrets::Budget;

use crate::id::EntryId;
use crate::odb::ObjectError;
use crate::secret::Finding;
use crate::store::Store;
use std::collections::BTreeSet;

/// One ref of a push, as git tells a pre-push hook; an id of `None` is git's zero: nothing there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// What is pushed: a ref, or `(delete)`.
    pub local_ref: String,
    /// Its object; `None` deletes the ref at the remote.
    pub local: Option<EntryId>,
    /// The ref at the remote.
    pub remote_ref: String,
    /// The object the remote has there; `None` for a new ref.
    pub remote: Option<EntryId>,
}

/// Why the range of a push could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A line that is none of git's.
    #[error("line {line} of the push is not 'ref id ref id'")]
    Line {
        /// Which, from 1.
        line: usize,
    },
    /// The revision is none.
    #[error("{0:?} names no commit")]
    Revision(String),
    /// The history could not be walked.
    #[error("cannot walk the commits of the push: {0}")]
    Walk(String),
    /// An object could not be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
}

/// Where in a commit something was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Found {
    /// The commit or tag.
    pub commit: EntryId,
    /// The file; `None` for the message of the commit or tag.
    pub path: Option<String>,
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
}

/// A file that a commit has at a path where none of its parents has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// The commit.
    pub commit: EntryId,
    /// The path; bytes that are no UTF-8 are replaced.
    pub path: String,
    /// The content.
    pub id: EntryId,
}

/// What was looked at, and what was found.
#[derive(Debug, Default)]
pub struct Report {
    /// The commits that were looked at: those the push sends, newest first.
    pub commits: Vec<EntryId>,
    /// The secrets that are new in them, in the order of the commits.
    pub found: Vec<Found>,
    /// Files that could not be looked at, and why.
    pub unread: Vec<String>,
    /// The paths that the commits bring, the earliest first.
    pub brought: Vec<Brought>,
    /// The bytes of the files that were looked at.
    pub bytes: u64,
}

/// Reads the lines that git writes to a pre-push hook: `<local ref> <local id> <remote ref> <remote id>`.
///
/// # Errors
/// [`Error::Line`] for a line that is none.
pub fn parse(stdin: &str) -> Result<Vec<Update>, Error> {
    let one = |(index, line): (usize, &str)| {
        let bad = || Error::Line { line: index + 1 };
        let mut words = line.split(' ');
        let mut next = || words.next().filter(|word| !word.is_empty()).ok_or_else(bad);
        let (local_ref, local, remote_ref, remote) = (next()?, next()?, next()?, next()?);
        let id = |hex: &str| match EntryId::from_hex(hex) {
            Some(id) => Ok(Some(id).filter(|_| hex.bytes().any(|digit| digit != b'0'))),
            None => Err(bad()),
        };
        Ok(Update {
            local_ref: local_ref.to_owned(),
            local: id(local)?,
            remote_ref: remote_ref.to_owned(),
            remote: id(remote)?,
        })
    };
    stdin.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(one).collect()
}

impl Store {
    /// The update that pushing `range` would be: `A..B`, or `B` for all that leads to it.
    ///
    /// # Errors
    /// [`Error::Revision`] for what names no commit.
    pub fn update_of(&self, range: &str) -> Result<Update, Error> {
        let id = |text: &str| -> Result<EntryId, Error> {
            let bad = || Error::Revision(text.to_owned());
            let found = self.repo().rev_parse_single(text).map_err(|_| bad())?;
            Ok(EntryId(found.object().map_err(|_| bad())?.peel_to_commit().map_err(|_| bad())?.id))
        };
        let (from, to) = range.split_once("..").map_or((None, range), |(from, to)| (Some(from), to));
        let to = if to.is_empty() { "HEAD" } else { to };
        Ok(Update {
            local_ref: to.to_owned(),
            local: Some(id(to)?),
            remote_ref: to.to_owned(),
            remote: from.map(id).transpose()?,
        })
    }

    /// Lists the commits that `updates` send to `remote`, newest first: those it has by its refs here are left out.
    ///
    /// `remote` is its name or its address, as git tells a hook.
    ///
    /// # Errors
    /// [`Error::Walk`] when the history cannot be walked.
    pub fn outgoing(&self, updates: &[Update], remote: &str) -> Result<Vec<EntryId>, Error> {
        let commit = |id: &EntryId| self.peel(*id).ok().flatten().map(|id| id.0);
        let tips: Vec<_> = updates.iter().filter_map(|update| commit(&update.local?)).collect();
        if tips.is_empty() {
            return Ok(Vec::new());
        }
        let there = updates.iter().filter_map(|update| commit(&update.remote?));
        let hidden: BTreeSet<_> = there.chain(self.at_remote(remote).iter().filter_map(commit)).collect();
        let cannot = |error: &dyn std::error::Error| Error::Walk(error.to_string());
        let walk = self.repo().rev_walk(tips).with_hidden(hidden).all().map_err(|error| cannot(&error))?;
        walk.map(|info| info.map(|info| EntryId(info.id)).map_err(|error| cannot(&error))).collect()
    }

    /// The commit that `id` is or that the tag `id` leads to; `None` where it leads elsewhere or is not here.
    pub(crate) fn peeled(&self, id: EntryId) -> Option<EntryId> {
        self.peel(id).ok().flatten()
    }

    /// The commit that `id` is or that the tag `id` leads to; `None` where it leads elsewhere.
    fn peel(&self, id: EntryId) -> Result<Option<EntryId>, ObjectError> {
        let damaged = |message: String| ObjectError::Damaged { id, message };
        let object = self.repo().try_find_object(id.0).map_err(|error| damaged(error.to_string()))?;
        let object = object.ok_or(ObjectError::Missing(id))?;
        Ok(object.peel_to_commit().ok().map(|commit| EntryId(commit.id)))
    }

    /// The names of the remotes that `remote` is, by its name or its address.
    fn remotes_at(&self, remote: &str) -> Vec<String> {
        let is_it = |name: &str| {
            let url = |key: &str| self.setting(&format!("remote.{name}.{key}"));
            name == remote
                || url("url").as_deref() == Some(remote)
                || url("pushurl").as_deref() == Some(remote)
        };
        self.repo().remote_names().iter().map(ToString::to_string).filter(|name| is_it(name)).collect()
    }

    /// What `remote` is known to have: the tips that were fetched from it or pushed to it.
    fn at_remote(&self, remote: &str) -> Vec<EntryId> {
        let repo = self.repo();
        let mut found = Vec::new();
        for name in self.remotes_at(remote) {
            for prefix in [format!("refs/remotes/{name}/"), format!("refs/datum-remote/{name}/")] {
                let Ok(platform) = repo.references() else { continue };
                let Ok(refs) = platform.prefixed(prefix.as_str()) else { continue };
                found.extend(
                    refs.filter_map(Result::ok).filter_map(|r| r.try_id().map(|id| EntryId(id.detach()))),
                );
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_push() {
        let id = "1".repeat(40);
        let zero = "0".repeat(40);
        let text = format!("refs/heads/a {id} refs/heads/a {zero}\n\n(delete) {zero} refs/heads/b {id}\n");
        let updates = parse(&text).unwrap();
        assert_eq!((updates[0].local, updates[0].remote), (EntryId::from_hex(&id), None));
        assert_eq!((updates[1].local, updates[1].remote), (None, EntryId::from_hex(&id)));
        assert_eq!(parse("\n").unwrap(), []);
        for bad in ["x", "a b c d", "refs/heads/a 12 refs/heads/a 12"] {
            assert_eq!(
                parse(&format!("\n{bad}")).unwrap_err().to_string(),
                "line 2 of the push is not 'ref id ref id'"
            );
        }
    }
}
