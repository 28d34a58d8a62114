//! Epochs: a log that begins anew, without its old commits and with all its entries.
//!
//! The first commit of an epoch has no parent. It is an entry, with the next place in the log, and names the entry
//! before it in the trailer `Previous:`; its tree holds every entry before it in segments.

use crate::commit;
use crate::entry::{Message, View};
use crate::id::EntryId;

/// The trailer that names the last entry of the epoch before.
pub(crate) const PREVIOUS: &str = "Previous";

/// The entry before the one in a raw commit: its parent, or what the first entry of an epoch names instead.
pub(crate) fn before(raw: &[u8]) -> Option<EntryId> {
    commit::parent(raw).or_else(|| previous(raw))
}

/// The last entry of the epoch before, when the raw commit is the first of one.
pub(crate) fn previous(raw: &[u8]) -> Option<EntryId> {
    if commit::has_parent(raw) {
        return None;
    }
    let message = Message::parse(commit::parse(raw)?.message)?;
    let value = |line: &str| line.strip_prefix(PREVIOUS)?.strip_prefix(": ").and_then(EntryId::from_hex);
    message.trailers.lines().find_map(value)
}

/// The entry before the one in `view`, as [`before`] tells it of a raw commit.
pub(crate) fn before_view(view: &View<'_>) -> Option<EntryId> {
    view.source.parent().or_else(|| previous_of(view))
}

/// Whether an entry only begins an epoch, and says nothing of its kind.
pub(crate) fn begins(view: &View<'_>) -> bool {
    previous_of(view).is_some()
}

fn previous_of(view: &View<'_>) -> Option<EntryId> {
    // Only the first of an epoch has to be put together for it.
    if view.source.has_parent() { None } else { previous(&view.raw()) }
}
