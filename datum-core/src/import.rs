//! Import: what files already say becomes entries, once, and nothing of it is lost.
//!
//! Each new entry carries where it comes from, `Imported-From: <hash of the text>`, with a count where the same text
//! stands more than once. What a log has already, undone or not, is not drafted again.

use crate::bottle::{Bottle, Recipient, Source, TO, TYPE, TYPES};
use crate::entry::{Draft, DraftError};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::name::Word;
use crate::publish::journal_file::{self, Found};
use crate::snapshot::Snapshot;
use crate::{bottle, journal};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// The trailer that names what an entry was imported from.
pub const FROM: &str = "Imported-From";
/// The trailer with the time the original states, as written.
pub const DATE: &str = "Original-Date";
/// The trailer with the agent the original states, as written.
pub const AGENT: &str = "Original-Agent";
/// The category of imported text that names none.
pub const CATEGORY: &str = "IMPORT";

/// What is drafted, and what cannot be.
#[derive(Debug, Default)]
pub struct Import {
    /// Entries for what is new.
    pub drafts: Vec<Draft>,
    /// What the logs had already.
    pub known: usize,
    /// What cannot be an entry, and why; it stays where it is.
    pub refused: Vec<(String, String)>,
}

impl Import {
    fn take(&mut self, what: &str, draft: Result<Draft, DraftError>) {
        match draft {
            Ok(draft) => self.drafts.push(draft),
            Err(error) => self.refused.push((what.to_owned(), error.to_string())),
        }
    }
}

fn known(snapshot: &Snapshot<'_>, kind: Kind) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    snapshot.walk(kind, |view| {
        known.extend(view.trailer(FROM).map(str::to_owned));
        ControlFlow::Continue(())
    });
    known
}

/// A value fit for a trailer, as much of it as there can be.
fn value(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    plain.trim().to_owned()
}

fn with_value(draft: Draft, key: &str, text: Option<&str>) -> Result<Draft, DraftError> {
    match text.map(value).filter(|text| !text.is_empty()) {
        Some(text) => draft.with(key, &text),
        None => Ok(draft),
    }
}

/// Drafts journal entries for a JOURNAL.md: its entries in both heading forms, and the text around them.
pub fn journal(snapshot: &Snapshot<'_>, path: &str, text: &str) -> Import {
    let known = known(snapshot, Kind::Journal);
    let mut import = Import::default();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for record in journal_file::parse(text) {
        if record.span.trim().is_empty() {
            continue;
        }
        let hash = snapshot.hash_text(record.span);
        let count = seen.entry(hash.clone()).or_default();
        *count += 1;
        let key = if *count == 1 { hash } else { format!("{hash} {count}") };
        if known.contains(&key) {
            import.known += 1;
            continue;
        }
        let draft = match &record.entry {
            Some(found) => entry(found, record.span, &key),
            None => plain(record.span, &key),
        };
        import.take(&format!("{path}, line {}", record.line), draft);
    }
    import
}

/// An entry of the file, its parts as trailers; where a part fits none, the whole span is the text.
fn entry(found: &Found<'_>, span: &str, key: &str) -> Result<Draft, DraftError> {
    let category = Word::new("category", found.category.unwrap_or(CATEGORY));
    let tags: Result<Vec<_>, _> = found.tags.iter().map(|tag| Word::new("tag", tag)).collect();
    let (Ok(category), Ok(tags), false) = (category, tags, found.body.trim().is_empty()) else {
        return plain(span, key);
    };
    let draft = journal::draft(&category, &found.text(), &tags)?;
    let draft = with_value(draft, DATE, Some(found.when_text))?;
    with_value(draft, AGENT, found.agent)?.with(FROM, key)
}

fn plain(span: &str, key: &str) -> Result<Draft, DraftError> {
    Draft::from_text(span)?.with(journal::CATEGORY, CATEGORY)?.with(FROM, key)
}

/// Drafts bottles for those that are files in the tree; copies are one, and the text is the whole file.
pub fn bottles(snapshot: &Snapshot<'_>, files: &[Bottle]) -> Import {
    let known = known(snapshot, Kind::Bottle);
    // A file that was imported is one bottle with its entry, so the list of files no longer has it.
    let mut import = Import { known: known.len(), ..Import::default() };
    for file in files {
        let Source::Files(paths) = &file.source else { continue };
        let key = file.id.to_string();
        if !known.contains(&key) {
            import.take(&paths[0], one(file, &key));
        }
    }
    import
}

fn one(file: &Bottle, key: &str) -> Result<Draft, DraftError> {
    let text = std::str::from_utf8(&file.text).map_err(|error| DraftError::Character {
        what: "file, which is not UTF-8,".to_owned(),
        character: char::REPLACEMENT_CHARACTER,
        at: error.valid_up_to(),
    })?;
    let subject = value(&file.subject);
    let mut draft = Draft::new(if subject.is_empty() { "Imported bottle" } else { &subject }, text)?;
    for to in &file.recipients {
        draft = draft.with(TO, &Recipient::to_string(to))?;
    }
    if let Some(kind) =
        file.kind.as_deref().map(str::to_lowercase).filter(|kind| TYPES.contains(&kind.as_str()))
    {
        draft = draft.with(TYPE, &kind)?;
    }
    if let Some(id) = file.in_reply_to {
        draft = draft.with(bottle::IN_REPLY_TO, &EntryId::to_string(&id))?;
    }
    let draft = with_value(draft, AGENT, file.from.as_deref())?;
    with_value(draft, DATE, file.date.as_deref())?.with(FROM, key)
}
