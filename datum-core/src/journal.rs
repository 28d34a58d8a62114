//! The journal: what was done, by category.

use crate::entry::{Draft, DraftError, Entry, View};
use crate::kind::Kind;
use crate::log::Hint;
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

/// What a hint of [`search`] must answer `true` for, besides the texts that are looked for: bytes that hold one of these
/// may be of an entry that hides another, or of one whose body is elsewhere.
pub const MARKS: [&str; 2] = [undo::MARK, "\nPayload: "];

/// Lists entries, newest first, whose subject and body `matches` takes.
pub fn list(snapshot: &Snapshot<'_>, query: &Query, matches: impl FnMut(&str) -> bool) -> Vec<Entry> {
    search(snapshot, query, None, matches)
}

/// Lists entries as [`list`] does; with a `hint`, entries that cannot match are not even parsed.
///
/// The hint is asked about messages, one or many side by side. It must answer `true` for all bytes that hold a text
/// `matches` takes, whatever stands around it, or one of [`MARKS`]; where it answers `true` for more, that costs time alone.
///
/// # Examples
/// ```
/// use datum_core::{Snapshot, Entry, journal};
/// fn with_pump(snapshot: &Snapshot<'_>) -> Vec<Entry> {
///     let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
///     let hint = |bytes: &[u8]| holds(bytes, "pump") || journal::MARKS.iter().any(|mark| holds(bytes, mark));
///     journal::search(snapshot, &journal::Query::default(), Some(&hint), |text| text.contains("pump"))
/// }
/// ```
pub fn search(
    snapshot: &Snapshot<'_>,
    query: &Query,
    hint: Option<Hint<'_>>,
    mut matches: impl FnMut(&str) -> bool,
) -> Vec<Entry> {
    let mut found = Vec::new();
    let limit = query.limit.unwrap_or(usize::MAX);
    if limit == 0 {
        return found;
    }
    undo::walk_hinted(snapshot, Kind::Journal, hint, |view| {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Store, StoreError};
    use crate::testing::{repository, stamp};
    use proptest::prelude::*;

    fn hint(bytes: &[u8], text: &str) -> bool {
        let holds = |part: &str| memchr::memmem::find(bytes, part.as_bytes()).is_some();
        holds(text) || MARKS.iter().any(|mark| holds(mark))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn a_hint_changes_nothing_but_the_time(steps in prop::collection::vec((0..3u8, 0..6u8, 0..90usize), 1..25),
                                               limit in 1..40usize) {
            let dir = repository(&[]);
            let store = Store::open(dir.path()).unwrap();
            let mut ids = Vec::new();
            for (step, (agent, what, count)) in steps.into_iter().enumerate() {
                let drafts: Vec<Draft> = match what {
                    0 if !ids.is_empty() => vec![undo::draft(ids[count * 7 % ids.len()], "x").unwrap()],
                    1 => vec![Draft::from_text(&format!("{}pump", "large ".repeat(8000))).unwrap()],
                    _ => (0..count).map(|n| Draft::from_text(if n % 41 == 7 { "pump" } else { "valve" }).unwrap()).collect(),
                };
                let agent = ["a", "b", "c"][usize::from(agent)];
                if !drafts.is_empty() {
                    let done = store.apply::<StoreError>(Kind::Journal, &stamp(agent, step as u64), |_| Ok(drafts.clone()));
                    ids.extend(done.unwrap().ids);
                }
            }
            let snapshot = store.snapshot().unwrap();
            for limit in [None, Some(limit)] {
                let query = Query { limit, ..Query::default() };
                let plain = list(&snapshot, &query, |text| text.contains("pump"));
                let hinted = search(&snapshot, &query, Some(&|bytes| hint(bytes, "pump")), |text| text.contains("pump"));
                prop_assert_eq!(plain, hinted);
            }
        }
    }
}
