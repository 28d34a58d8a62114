//! The history of the repository's own tree: which commit brought what.

use crate::commit;
use crate::id::EntryId;
use crate::odb::ObjectError;
use crate::snapshot::Snapshot;
use crate::stamp::Millis;

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
