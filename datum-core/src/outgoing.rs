//! What a push is about to send: its commits, and the secrets that are new in them.

mod sealed;
mod search;

pub use search::Also;

use crate::commit;
use crate::id::EntryId;
use crate::log;
use crate::odb::{ObjectError, ObjectKind};
use crate::secret::{self, Finding};
use crate::store::Store;
use search::Search;
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

/// What was looked at, and what was found.
#[derive(Debug, Default)]
pub struct Report {
    /// How many commits the push sends.
    pub commits: usize,
    /// The secrets that are new in them, in the order of the commits.
    pub found: Vec<Found>,
    /// Files that could not be looked at, and why.
    pub unread: Vec<String>,
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

    /// Finds the secrets that `updates` would send to `remote` and that it has not already.
    ///
    /// What a file held before the push is no finding, nor is a file that has only moved. What `also` finds besides
    /// is found in the names of files and refs and in all of a commit or tag, too.
    ///
    /// # Errors
    /// [`Error`] when the history cannot be walked or a commit or tree not be read; files that cannot are listed.
    pub fn outgoing_secrets(
        &self,
        updates: &[Update],
        remote: &str,
        also: Option<Also<'_>>,
    ) -> Result<Report, Error> {
        let commits = self.outgoing(updates, remote)?;
        let mut report = Report { commits: commits.len(), ..Report::default() };
        let mut search = Search { seen: BTreeSet::new(), also };
        for id in commits.iter().rev() {
            self.secrets_of(*id, &mut search, &mut report)?;
        }
        for update in updates {
            if let Some(id) = update.local {
                for name in [&update.local_ref, &update.remote_ref] {
                    let found =
                        |finding| Found { commit: id, path: Some("the ref's name".to_owned()), finding };
                    report.found.extend(search.more(name.as_bytes()).into_iter().map(found));
                }
                self.secrets_outside_commits(id, &mut search, &mut report)?;
            }
        }
        Ok(report)
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

    /// Looks at what the commit `id` has that none of its parents has.
    fn secrets_of(&self, id: EntryId, search: &mut Search<'_>, report: &mut Report) -> Result<(), Error> {
        let commit = self.commit(id)?;
        let mut message = secret::scan("message.txt", commit.message.as_bytes());
        if search.also.is_some() {
            let mut buffer = Vec::new();
            message.extend(search.more(self.odb.read(id, ObjectKind::Commit, &mut buffer)?));
        }
        report.found.extend(message.into_iter().map(|finding| Found { commit: id, path: None, finding }));
        let tree = |parent: &EntryId| -> Option<EntryId> {
            let mut buffer = Vec::new();
            // A parent beyond the edge of a shallow clone has no tree here; everything is new then.
            commit::tree(self.odb.read(*parent, ObjectKind::Commit, &mut buffer).ok()?)
        };
        let parents: Vec<_> = commit.parents.iter().filter_map(tree).collect();
        self.secrets_in(id, commit.tree, &parents, search, report)
    }

    /// Looks at what the tree `root` has that none of the trees `parents` has at the same path.
    fn secrets_in(
        &self,
        commit: EntryId,
        root: EntryId,
        parents: &[EntryId],
        search: &mut Search<'_>,
        report: &mut Report,
    ) -> Result<(), Error> {
        // Depth first by a stack of our own: a hostile tree is as deep as it likes.
        let mut stack = vec![(String::new(), root, parents.to_vec())];
        while let Some((folder, tree, before)) = stack.pop() {
            if before.contains(&tree) || tree.0.is_empty_tree() {
                continue;
            }
            let olds: Vec<_> = before.iter().filter_map(|old| log::read_tree(&self.odb, *old).ok()).collect();
            let mut below = Vec::new();
            for item in log::read_tree(&self.odb, tree)? {
                let old = |items: &Vec<crate::tree::Item>| {
                    let same = |old: &&crate::tree::Item| {
                        old.name == item.name && old.mode.is_tree() == item.mode.is_tree()
                    };
                    items.iter().find(same).map(|old| old.id)
                };
                let olds: Vec<_> = olds.iter().filter_map(old).collect();
                if olds.contains(&item.id) {
                    continue;
                }
                let mut path = format!("{folder}{}", String::from_utf8_lossy(&item.name));
                let named = search.more(path.as_bytes());
                if !named.is_empty() {
                    // A report shows paths.
                    "(its name holds the value)".clone_into(&mut path);
                    let found = |finding| Found { commit, path: Some(path.clone()), finding };
                    report.found.extend(named.into_iter().map(found));
                }
                if item.mode.is_tree() {
                    below.push((path + "/", item.id, olds));
                } else if item.mode.is_blob() && search.seen.insert(item.id) {
                    let new = self.secrets_in_blob(&path, item.id, &olds, search, report);
                    let moved = || olds.is_empty() && self.any_has(parents, item.id);
                    if !new.is_empty() && !moved() {
                        let found = |finding| Found { commit, path: Some(path.clone()), finding };
                        report.found.extend(new.into_iter().map(found));
                    }
                }
            }
            stack.extend(below.into_iter().rev());
        }
        Ok(())
    }

    /// The secrets of a blob that none of the blobs `olds` has.
    fn secrets_in_blob(
        &self,
        path: &str,
        id: EntryId,
        olds: &[EntryId],
        search: &Search<'_>,
        report: &mut Report,
    ) -> Vec<Finding> {
        let size = self.repo().find_header(id.0).map(|header| header.size());
        if size.as_ref().is_ok_and(|size| usize::try_from(*size).map_or(true, |size| size > secret::SIZE_MAX))
        {
            report.unread.push(format!("{path}: it is larger than {} MB", secret::SIZE_MAX >> 20));
            return Vec::new();
        }
        let mut buffer = Vec::new();
        let text = match self.odb.read(id, ObjectKind::Blob, &mut buffer) {
            Ok(text) => text,
            Err(error) => {
                report.unread.push(format!("{path}: {error}"));
                return Vec::new();
            }
        };
        let (mut new, whole) = search.look(path, text);
        if !whole {
            report.unread.push(format!("{path}: not all of what is packed in it could be unpacked"));
        }
        for old in olds {
            if new.is_empty() {
                break;
            }
            let mut buffer = Vec::new();
            let Ok(before) = self.odb.read(*old, ObjectKind::Blob, &mut buffer) else { continue };
            let (known, _) = search.look(path, before);
            let known: BTreeSet<_> = known.iter().map(|f| f.secret(before).to_owned()).collect();
            new.retain(|finding| !known.contains(finding.secret(text)));
        }
        new
    }

    /// Whether the blob `id` lies anywhere in one of the trees.
    fn any_has(&self, trees: &[EntryId], id: EntryId) -> bool {
        let mut stack = trees.to_vec();
        let mut done = BTreeSet::new();
        while let Some(tree) = stack.pop() {
            for item in log::read_tree(&self.odb, tree).unwrap_or_default() {
                if item.id == id {
                    return true;
                }
                if item.mode.is_tree() && done.insert(item.id) {
                    stack.push(item.id);
                }
            }
        }
        false
    }

    /// Looks at what is pushed and is no commit: the messages of tags, and the trees and blobs that a ref may name.
    fn secrets_outside_commits(
        &self,
        mut id: EntryId,
        search: &mut Search<'_>,
        report: &mut Report,
    ) -> Result<(), Error> {
        use gix::objs::Kind;
        // Tags of tags end: each names an object that was there before it.
        loop {
            let damaged = |message: String| ObjectError::Damaged { id, message };
            let object = self.repo().find_object(id.0).map_err(|error| damaged(error.to_string()))?;
            match object.kind {
                Kind::Commit => return Ok(()),
                Kind::Tag => {
                    let (found, _) = search.look("message.txt", &object.data);
                    report.found.extend(found.into_iter().map(|finding| Found {
                        commit: id,
                        path: None,
                        finding,
                    }));
                    let tag = object.try_into_tag().map_err(|error| damaged(error.to_string()))?;
                    id = EntryId(tag.target_id().map_err(|error| damaged(error.to_string()))?.detach());
                }
                Kind::Tree => return self.secrets_in(id, id, &[], search, report),
                Kind::Blob => {
                    let new = self.secrets_in_blob("blob", id, &[], search, report);
                    let found = |finding| Found { commit: id, path: Some("blob".to_owned()), finding };
                    report.found.extend(new.into_iter().map(found));
                    return Ok(());
                }
            }
        }
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
