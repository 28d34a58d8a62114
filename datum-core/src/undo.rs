//! Undo: an entry that hides another. Nothing is deleted, and an undo can itself be undone.

use crate::entry::{Draft, DraftError, View};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::log::Hint;
use crate::snapshot::Snapshot;
use memchr::memchr;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// The trailer that names the hidden entry.
pub const KEY: &str = "Undo";
/// What stands in the message of every entry that hides another.
pub(crate) const MARK: &str = "\nUndo: ";

/// Drafts the entry that hides `target`; it belongs into a log of the target's kind.
///
/// # Errors
/// [`DraftError`] when `title` makes no subject.
pub fn draft(target: EntryId, title: &str) -> Result<Draft, DraftError> {
    Draft::new(&format!("Undo: {title}"), "")
        .or_else(|_| Draft::new("Undo", ""))?
        .with(KEY, &target.to_string())
}

/// Visits the entries of a kind that no later entry has undone, newest first, the undoing entries left out.
///
/// An undo counts for entries whose clock is before its own: an entry can only be undone by someone who has seen it.
/// So one walk from the newest on decides, however much of it the caller wants.
/// Answers with the undone ids that no entry met had: those of files, or of what a broken-off walk did not reach.
pub fn walk_visible(
    snapshot: &Snapshot<'_>,
    kind: Kind,
    visit: impl FnMut(&View<'_>) -> ControlFlow<()>,
) -> BTreeSet<EntryId> {
    walk_hinted(snapshot, kind, None, visit)
}

/// Visits as [`walk_visible`] does, with a hint as [`Snapshot::walk_hinted`] takes it: one that answers `true` for bytes
/// with [`MARK`] in them, too.
pub(crate) fn walk_hinted(
    snapshot: &Snapshot<'_>,
    kind: Kind,
    hint: Option<Hint<'_>>,
    mut visit: impl FnMut(&View<'_>) -> ControlFlow<()>,
) -> BTreeSet<EntryId> {
    let mut hidden = BTreeSet::new();
    snapshot.walk_hinted(kind, hint, |view| {
        // Most logs hold no undo at all.
        if !hidden.is_empty() && hidden.remove(&view.id) {
            return ControlFlow::Continue(());
        }
        // One look for its letter spares nearly all entries the parsing of their trailers.
        let target = memchr(b'U', view.message.trailers.as_bytes()).and_then(|_| view.reference(KEY));
        match target {
            Some(target) => {
                hidden.insert(target);
                ControlFlow::Continue(())
            }
            None => visit(view),
        }
    });
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{append, repository, stamp};
    use crate::{Store, StoreError};

    fn visible(store: &Store) -> Vec<String> {
        let mut texts = Vec::new();
        walk_visible(&store.snapshot().unwrap(), Kind::Journal, |view| {
            texts.push(view.text().to_owned());
            ControlFlow::Continue(())
        });
        texts
    }

    fn undo(store: &Store, id: EntryId) -> EntryId {
        let drafts = |_: &Snapshot<'_>| Ok::<_, StoreError>(vec![draft(id, "x").unwrap()]);
        store.apply(Kind::Journal, &stamp("b", 0), drafts).unwrap().ids[0]
    }

    #[test]
    fn an_undo_hides_and_its_own_undo_shows_again() {
        let dir = repository(&[]);
        let store = Store::open(dir.path()).unwrap();
        let one = append(&store, "a", 0, "one");
        append(&store, "a", 1, "two");
        let first = undo(&store, one);
        assert_eq!(visible(&store), ["two"]);
        let second = undo(&store, first);
        assert_eq!(visible(&store), ["two", "one"]);
        undo(&store, second);
        assert_eq!(visible(&store), ["two"]);
    }
}
