//! Reports kept in the audit log.

use super::report::Report;
use crate::entry::{Draft, DraftError, Entry};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::snapshot::Snapshot;
use crate::stamp::Millis;
use crate::undo;
use std::ops::ControlFlow;

/// The trailer that tells the type of a recorded audit.
pub const AUDIT: &str = "Audit";
/// The trailer that tells the commit it looked at.
const COMMIT: &str = "Commit";

/// A report that was kept.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The entry.
    pub id: EntryId,
    /// When it was kept.
    pub clock: Millis,
    /// The agent that kept it.
    pub agent: String,
    /// The subject, which tells the numbers.
    pub subject: String,
    /// The report.
    pub report: Report,
}

/// Drafts the entry that keeps a report.
///
/// # Errors
/// [`DraftError`] for a report that cannot be printed.
pub fn draft(report: &Report) -> Result<Draft, DraftError> {
    let counts = &report.counts;
    let open: usize = counts.open.values().sum();
    let subject = format!(
        "audit {}: {} pass, {} fail, {} unknown, {open} findings, {} suppressed",
        report.audit, counts.pass, counts.fail, counts.unknown, counts.suppressed
    );
    // A report holds only texts, numbers and lists: there is nothing in it that JSON could not print.
    let body = serde_json::to_string(report).unwrap_or_default();
    let draft = Draft::new(&subject, &body)?.with(AUDIT, &report.audit)?;
    match &report.commit {
        Some(commit) => draft.with(COMMIT, commit),
        None => Ok(draft),
    }
}

/// The report that an entry keeps; `None` where it keeps none.
pub fn read(entry: &Entry) -> Option<Recorded> {
    entry.trailer(AUDIT)?;
    let report = serde_json::from_str(&entry.body).ok()?;
    let (id, clock) = (entry.id, entry.clock);
    Some(Recorded { id, clock, agent: entry.agent.clone(), subject: entry.subject.clone(), report })
}

/// The reports that were kept, newest first, at most `limit`.
pub fn recorded(snapshot: &Snapshot<'_>, limit: usize) -> Vec<Recorded> {
    let mut found = Vec::new();
    undo::walk_visible(snapshot, Kind::Audit, |view| {
        if found.len() >= limit {
            return ControlFlow::Break(());
        }
        if view.trailer(AUDIT).is_some() {
            found.extend(read(&snapshot.whole(view)));
        }
        ControlFlow::Continue(())
    });
    found
}

/// The kept report whose id begins with `prefix`; `None` where no single one does.
pub fn find(snapshot: &Snapshot<'_>, prefix: &str) -> Option<Recorded> {
    read(&snapshot.find(prefix).ok().filter(|entry| entry.kind == Kind::Audit)?)
}
