//! `datum fleet report`: the newest scan, judged, beside those before it.

use super::filter::Choice;
use super::reach::organization;
use super::{scan, show};
use crate::args::{Asked, Format};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::Snapshot;
use datum_core::hygiene::{self, Past, Point, Report as Found, Rules};
use std::path::PathBuf;

/// Scans of the past that a report shows.
const HISTORY: usize = 24;

/// Reports on the newest scan of an organisation, beside those before it; asks GitHub for nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum fleet report --org SuperInstance
  datum fleet report --org SuperInstance --format html > fleet.html
  datum fleet report --org SuperInstance --format json | jq '.report.issues[] | {rule, count}'")]
pub(crate) struct Report {
    /// The organisation or user
    #[arg(long, value_name = "ORG")]
    org: String,
    /// Report on the scans made with these --include and --exclude
    #[command(flatten)]
    choice: Choice,
    /// Judge by the rules in FILE
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
}

impl Report {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let org = organization(&self.org)?;
        let rules = scan::rules(self.rules.as_deref())?;
        let filter = self.choice.filter(edge.now()?)?;
        let report = newest(edge, out, org, &filter.words, &rules)?;
        tell(edge, out, &report);
        Ok(if is_complete(&report) { Exit::Done } else { Exit::Broken })
    }
}

/// Whether every repository is known.
pub(super) fn is_complete(report: &Found) -> bool {
    report.unknown.is_empty() && report.unlisted == 0
}

/// The report of the newest scan made with a choice, beside those before it.
pub(super) fn newest(
    edge: &Edge<'_>,
    out: &mut Out,
    org: &str,
    choice: &str,
    rules: &Rules,
) -> Result<Found, Fault> {
    let snapshot = edge.store()?.snapshot()?;
    let mut past = hygiene::scans(&snapshot, org, usize::MAX);
    past.retain(|past| past.filter() == choice);
    past.truncate(HISTORY);
    let report = make(&snapshot, &past, rules)?.ok_or_else(|| {
        let which = if choice.is_empty() { "whole scan of" } else { "scan with these choices of" };
        Fault::usage(format!("there is no {which} {org}"))
            .hint(format!("datum fleet scan --org {org} makes one"))
    })?;
    out.damage(&snapshot.damage());
    Ok(report)
}

/// Makes the report of the newest of these scans, beside the others.
fn make(snapshot: &Snapshot<'_>, past: &[Past], rules: &Rules) -> Result<Option<Found>, Fault> {
    let Some((newest, older)) = past.split_first() else { return Ok(None) };
    let read = |past: &Past| {
        past.read(snapshot).ok_or_else(|| Fault::broken(format!("the scan {} cannot be read", past.id())))
    };
    let history = older.iter().rev().map(|past| Point { time: past.time(), counts: past.counts() }).collect();
    let now = read(newest)?;
    let before = older.first().map(|past| Ok::<_, Fault>((past.time(), read(past)?))).transpose()?;
    let before = before.as_ref().map(|(time, scan)| (*time, scan));
    Ok(Some(hygiene::report(&now, newest.time(), rules, before, history)))
}

/// Prints a report in the format that was asked for.
pub(super) fn tell(edge: &Edge<'_>, out: &mut Out, report: &Found) {
    if edge.asked() == Asked::Html {
        return out.raw(show::page(report).html().as_bytes());
    }
    match out.format() {
        Format::Json => out.json(&serde_json::json!({ "version": 1, "report": report })),
        Format::Ndjson => report.repositories.iter().for_each(|row| out.json(row)),
        Format::Text | Format::Md => out.raw(show::page(report).markdown().as_bytes()),
    }
}
