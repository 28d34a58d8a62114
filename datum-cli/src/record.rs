//! How entries are shown, whatever their kind.

use crate::out::Out;
use crate::time;
use datum_core::{Applied, Entry, EntryId, Kind};
use serde::Serialize;

/// Digits of a short id: among a million entries two share them once in four hundred repositories.
const SHORT: usize = 12;

/// The short form of an id.
pub(crate) fn short(id: EntryId) -> String {
    id.short(SHORT)
}

/// An entry as JSON, version 1.
#[derive(Serialize)]
pub(crate) struct Shown<'a> {
    id: EntryId,
    kind: &'a str,
    agent: &'a str,
    writer: &'a str,
    seq: u64,
    time: String,
    clock: u64,
    subject: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    body: &'a str,
    trailers: Vec<[&'a str; 2]>,
}

impl<'a> Shown<'a> {
    pub(crate) fn of(entry: &'a Entry) -> Self {
        Self {
            id: entry.id,
            kind: entry.kind.as_str(),
            agent: &entry.agent,
            writer: entry.writer.as_str(),
            seq: entry.seq,
            time: time::iso(entry.clock),
            clock: entry.clock,
            subject: &entry.subject,
            text: entry.text(),
            body: &entry.body,
            trailers: entry.trailers.iter().map(|(key, value)| [key.as_str(), value.as_str()]).collect(),
        }
    }
}

/// Tells what was written: the short ids, or one JSON value.
pub(crate) fn tell_written(out: &mut Out, applied: &Applied, kind: Kind) {
    for lock in &applied.cleared {
        out.warn(&format!("removed a stale lock: {}", lock.display()));
    }
    if out.is_json() {
        let ids: Vec<_> = applied.ids.iter().map(EntryId::to_string).collect();
        out.json(&serde_json::json!({ "version": 1, "kind": kind.as_str(), "ids": ids }));
    } else {
        for id in &applied.ids {
            let shown = out.id(&short(*id));
            out.line(&shown);
        }
    }
}
