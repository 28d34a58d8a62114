//! The history of the repository's own tree: which commit brought what.

use crate::commit;
use crate::id::EntryId;
use crate::odb::ObjectError;
use crate::snapshot::Snapshot;
use crate::stamp::Millis;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// Commits that are looked at before the search for one is given up.
const COMMITS_MAX: usize = 100_000;

/// The commit that brought a file its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Introduced {
    /// The commit.
    pub commit: EntryId,
    /// Its author, `Name <mail>`.
    pub author: String,
    /// When it was written, milliseconds.
    pub time: Millis,
}

/// Finds the commit that made `path` the blob `id`, going back from the snapshot's commit while a parent has it too.
///
/// Answers `None` where the history ends first, as in a shallow clone. A change of mode alone is no new content.
///
/// # Errors
/// [`ObjectError`] for a commit or tree that cannot be read.
pub fn introduced(
    snapshot: &Snapshot<'_>,
    path: &str,
    id: EntryId,
) -> Result<Option<Introduced>, ObjectError> {
    let Some(mut at) = snapshot.head() else { return Ok(None) };
    for _ in 0..COMMITS_MAX {
        let raw = snapshot.commit(at)?;
        let mut older = None;
        for parent in commit::parents(&raw) {
            match snapshot.blob_at(parent, path) {
                Ok(found) if found == Some(id) => {
                    older = Some(parent);
                    break;
                }
                Ok(_) => {}
                Err(ObjectError::Missing(missing)) if missing == parent => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        match older {
            Some(parent) => at = parent,
            None => {
                let (author, time) = commit::author(&raw).unwrap_or_default();
                return Ok(Some(Introduced { commit: at, author, time }));
            }
        }
    }
    Ok(None)
}

/// A commit of the repository's own history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: EntryId,
    /// The author, `Name <mail>`.
    pub author: String,
    /// When it was written, milliseconds.
    pub time: Millis,
    /// The first line of its message; bytes that are no UTF-8 are replaced.
    pub subject: String,
}

/// Lists at most `most` commits from the snapshot's commit back, newest first by the time of their writing.
///
/// A shallow clone ends where its history does.
///
/// # Errors
/// [`ObjectError`] for a commit that is damaged.
pub fn commits(snapshot: &Snapshot<'_>, most: usize) -> Result<Vec<Commit>, ObjectError> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut queue: BinaryHeap<(Millis, EntryId)> = BinaryHeap::new();
    let mut waiting = BTreeMap::new();
    let mut next: Vec<EntryId> = snapshot.head().into_iter().collect();
    while found.len() < most {
        for id in next.drain(..) {
            if !seen.insert(id) {
                continue;
            }
            match snapshot.commit(id) {
                Ok(raw) => {
                    let (author, time) = commit::author(&raw).unwrap_or_default();
                    queue.push((time, id));
                    let subject = commit::subject(&raw);
                    waiting.insert(id, (Commit { id, author, time, subject }, commit::parents(&raw)));
                }
                Err(ObjectError::Missing(_)) if Some(id) != snapshot.head() => {}
                Err(error) => return Err(error),
            }
        }
        let Some((_, id)) = queue.pop() else { break };
        if let Some((commit, parents)) = waiting.remove(&id) {
            found.push(commit);
            next = parents;
        }
    }
    Ok(found)
}
