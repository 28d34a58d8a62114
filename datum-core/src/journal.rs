//! The journal: what was done, by category.

use crate::entry::{Draft, DraftError, Entry, View};
use crate::kind::Kind;
use crate::name::{AgentName, Word};
use crate::snapshot::Snapshot;
use crate::stamp::Millis;
use crate::undo;
use std::ops::ControlFlow;

/// The trailer that names the category.
pub const CATEGORY: &str = "Category";
/// The trailer that names a tag.
pub const TAG: &str = "Tag";

/// Drafts a journal entry.
///
/// # Errors
/// [`DraftError`] for a text that is empty, over-long or holds NUL.
///
/// # Examples
/// ```
/// use datum_core::{Word, journal};
/// let draft = journal::draft(&Word::new("category", "REPAIR")?, "Fixed the bilge pump", &[])?;
/// assert_eq!(draft.subject(), "Fixed the bilge pump");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn draft(category: &Word, text: &str, tags: &[Word]) -> Result<Draft, DraftError> {
    let mut draft = Draft::from_text(text)?.with(CATEGORY, category.as_str())?;
    for tag in tags {
        draft = draft.with(TAG, tag.as_str())?;
    }
    Ok(draft)
}

/// Which entries of the journal to list.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only of this category, letter case aside.
    pub category: Option<Word>,
    /// Only with all of these tags.
    pub tags: Vec<Word>,
    /// Only by this agent.
    pub author: Option<AgentName>,
    /// Only at or after this time.
    pub since: Option<Millis>,
    /// Only before or at this time.
    pub until: Option<Millis>,
    /// At most so many.
    pub limit: Option<usize>,
}

impl Query {
    fn takes(&self, view: &View<'_>) -> bool {
        let category = |want: &Word| {
            view.trailer(CATEGORY).is_some_and(|is| is.to_lowercase() == want.as_str().to_lowercase())
        };
        self.until.is_none_or(|until| view.clock() <= until)
            && self.author.as_ref().is_none_or(|author| author.as_str() == view.agent())
            && self.category.as_ref().is_none_or(category)
            && self.tags.iter().all(|tag| view.values(TAG).any(|is| is == tag.as_str()))
    }
}

/// Lists entries, newest first, whose subject and body `matches` takes.
pub fn list(snapshot: &Snapshot<'_>, query: &Query, mut matches: impl FnMut(&str) -> bool) -> Vec<Entry> {
    let mut found = Vec::new();
    let limit = query.limit.unwrap_or(usize::MAX);
    if limit == 0 {
        return found;
    }
    undo::walk_visible(snapshot, Kind::Journal, |view| {
        // The walk goes back in time, so nothing before `since` is worth reading.
        if query.since.is_some_and(|since| view.clock() < since) {
            return ControlFlow::Break(());
        }
        let takes = match view.payload() {
            None => matches(view.searchable()),
            Some(_) => matches(snapshot.whole(view).text()),
        };
        if takes && query.takes(view) {
            found.push(snapshot.whole(view));
        }
        if found.len() == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    found
}
