//! The secrets that are new in commits: of a push, or of a whole history.

use super::search::{Also, Search};
use super::{Brought, Error, Found, Report, Update};
use crate::commit;
use crate::id::EntryId;
use crate::log;
use crate::odb::{ObjectError, ObjectKind};
use crate::secret::{self, Finding};
use crate::store::Store;
use std::collections::BTreeSet;

/// How much of a history is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    /// Commits.
    pub(crate) commits: usize,
    /// Files, each content counted once.
    pub(crate) files: usize,
    /// Bytes of their files.
    pub(crate) bytes: u64,
}

impl Store {
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
        let mut report = Report { commits, ..Report::default() };
        let mut search = Search { seen: BTreeSet::new(), also, most: usize::MAX, most_bytes: u64::MAX };
        for at in (0..report.commits.len()).rev() {
            self.secrets_of(report.commits[at], &mut search, &mut report)?;
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

    /// Finds the secrets of every commit that `head` descends from; `None` where that is more than `budget` allows.
    ///
    /// # Errors
    /// As [`Store::outgoing_secrets`].
    pub(crate) fn history_secrets(&self, head: EntryId, budget: Budget) -> Result<Option<Report>, Error> {
        let cannot = |error: &dyn std::error::Error| Error::Walk(error.to_string());
        let walk = self.repo().rev_walk([head.0]).all().map_err(|error| cannot(&error))?;
        let ids = walk.take(budget.commits.saturating_add(1)).map(|info| info.map(|info| EntryId(info.id)));
        let commits: Vec<_> = ids.collect::<Result<_, _>>().map_err(|error| cannot(&error))?;
        if commits.len() > budget.commits {
            return Ok(None);
        }
        let mut report = Report { commits, ..Report::default() };
        let mut search =
            Search { seen: BTreeSet::new(), also: None, most: budget.files, most_bytes: budget.bytes };
        for at in (0..report.commits.len()).rev() {
            self.secrets_of(report.commits[at], &mut search, &mut report)?;
            report.brought.clear();
            if search.is_spent(report.bytes) {
                return Ok(None);
            }
        }
        Ok(Some(report))
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
                if search.is_spent(report.bytes) {
                    return Ok(());
                }
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
                    continue;
                }
                if olds.is_empty() && !item.mode.is_commit() {
                    report.brought.push(Brought { commit, path: path.clone(), id: item.id });
                }
                if item.mode.is_blob() && search.seen.insert(item.id) {
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
        report.bytes += size.unwrap_or_default();
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
