//! What to publish: the files that follow from a snapshot.

use super::{bottle_file, journal_file};
use crate::bottle::{self, Recipient, Source};
use crate::entry::Entry;
use crate::kind::Kind;
use crate::name::{AgentName, Word};
use crate::odb::ObjectError;
use crate::snapshot::Snapshot;
use crate::stamp::Millis;
use crate::{journal, undo};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Where the journal is published.
pub const JOURNAL: &str = "JOURNAL.md";
/// Where the tasks are published.
pub const BOARD: &str = "TASKBOARD.md";
/// The folder below which bottles are published.
pub const BOTTLES: &str = "message-in-a-bottle";

fn timestamp(time: Millis) -> Timestamp {
    i64::try_from(time).ok().and_then(|time| Timestamp::from_millisecond(time).ok()).unwrap_or(Timestamp::MAX)
}

/// The journal as a file: every entry that is not undone, oldest first.
///
/// # Examples
/// ```no_run
/// # fn example(snapshot: &datum_core::Snapshot<'_>) {
/// let text = datum_core::publish::plan::journal(snapshot);
/// assert!(datum_core::publish::is_ours(&text));
/// # }
/// ```
pub fn journal(snapshot: &Snapshot<'_>) -> String {
    let mut entries: Vec<Entry> = Vec::new();
    undo::walk_visible(snapshot, Kind::Journal, |view| {
        entries.push(snapshot.whole(view));
        ControlFlow::Continue(())
    });
    let parts: Vec<_> = entries.iter().rev().filter_map(parts).collect();
    journal_file::print(parts.iter().map(|(agent, category, tags, entry)| journal_file::Entry {
        when: timestamp(entry.clock),
        agent,
        category,
        text: entry.text(),
        tags,
    }))
}

fn parts(entry: &Entry) -> Option<(AgentName, Word, Vec<Word>, &Entry)> {
    let category = entry.trailer(journal::CATEGORY).unwrap_or("NOTE");
    let tags = entry.values(journal::TAG).filter_map(|tag| Word::new("tag", tag).ok()).collect();
    Some((AgentName::new(&entry.agent).ok()?, Word::new("category", category).ok()?, tags, entry))
}

/// The bottles of the logs as files, by path: one for each recipient that is an agent, one for all others together.
///
/// # Errors
/// [`ObjectError`] when the tree cannot be read.
pub fn bottles(snapshot: &Snapshot<'_>) -> Result<BTreeMap<String, String>, ObjectError> {
    let mut files = BTreeMap::new();
    for bottle in bottle::inbox(snapshot)?.bottles {
        let (Source::Log(_), Some(from)) = (&bottle.source, &bottle.from_agent) else { continue };
        let Ok(kind) = Word::new("type", bottle.kind.as_deref().unwrap_or("message")) else { continue };
        let id = bottle.id.to_string();
        let text = String::from_utf8_lossy(&bottle.text);
        let agents = bottle.recipients.iter().map(|recipient| match recipient {
            Recipient::Agent(name) => Some(name),
            // The fleet knows no folder for a role or a capability: whoever reads decides.
            _ => None,
        });
        for to in agents {
            let (subject, date) = (bottle.subject.as_str(), timestamp(bottle.time));
            let file = bottle_file::Bottle { id: &id, from, to, date, kind: &kind, subject, text: &text };
            files.insert(bottle_file::path(&file), bottle_file::print(&file));
        }
    }
    Ok(files)
}
