//! `datum verify`: walks every log and says what is proved.

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::record::short;
use datum_core::EntryId;
use datum_core::verify::{self, LogReport};
use serde::Serialize;
use std::collections::BTreeMap;

/// Verifies every log and outbox: ids by hashing, the chain, signatures, authors, and that nothing seen before was taken back.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum verify
  datum verify --strict --format json

proved: signed with a key that the agent has declared. unproved: not signed, or by an agent that has declared no key.
refused: changed, broken, set back, or signed by another; then the exit code is 1.
What is found good is pinned in this clone, and must be there the next time.")]
pub(crate) struct Verify {
    /// Exit with 1 also for unproved entries of the kinds that are signed
    #[arg(long)]
    strict: bool,
    /// Do not pin what is found good
    #[arg(long)]
    no_pin: bool,
}

/// A log's report as JSON, version 1.
#[derive(Serialize)]
struct Shown<'a> {
    log: String,
    tip: Option<EntryId>,
    entries: u64,
    proved: u64,
    unproved: &'a BTreeMap<String, u64>,
    refused: Vec<Refused<'a>>,
    more_refused: u64,
}

#[derive(Serialize)]
struct Refused<'a> {
    entry: Option<EntryId>,
    why: &'a str,
}

impl<'a> Shown<'a> {
    fn of(report: &'a LogReport) -> Self {
        let refused = report.refused.iter().map(|found| Refused { entry: found.entry, why: &found.why });
        Self {
            log: name(report),
            tip: report.tip,
            entries: report.entries,
            proved: report.proved,
            unproved: &report.unproved,
            refused: refused.collect(),
            more_refused: report.more_refused,
        }
    }
}

impl Verify {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.store()?;
        let pins = store.pins()?;
        let snapshot = store.snapshot()?;
        let mut reports = verify::verify(&snapshot, &pins);
        let mut damage = snapshot.damage();
        let mut vessels = store.outboxes()?;
        vessels.extend(pins.outboxes().map(|(vessel, ..)| vessel.clone()));
        vessels.sort();
        vessels.dedup();
        for vessel in vessels {
            let outbox = store.outbox_alone(&vessel)?;
            reports.extend(verify::verify_outbox(&snapshot, &vessel, &outbox, &pins));
            damage.extend(outbox.damage());
        }
        if !self.no_pin && !reports.is_empty() {
            store.change_pins(|pins| verify::pin(pins, &snapshot, &reports))?;
        }
        if out.is_json() {
            let shown: Vec<_> = reports.iter().map(Shown::of).collect();
            out.json_list("logs", &shown);
        } else {
            for report in &reports {
                print(out, report);
            }
        }
        if reports.is_empty() {
            out.say("there are no logs");
        }
        out.damage(&damage);
        let unproved = |report: &LogReport| report.is_signed() && report.unproved_count() > 0;
        let no = reports.iter().any(|report| !report.is_good() || (self.strict && unproved(report)));
        Ok(if no { Exit::No } else { Exit::Done })
    }
}

/// The log as it is shown: `<kind>/<writer>`, or `outbox/<vessel>/<writer>`.
fn name(report: &LogReport) -> String {
    match &report.vessel {
        Some(vessel) => format!("outbox/{vessel}/{}", report.writer),
        None => format!("{}/{}", report.kind, report.writer),
    }
}

fn print(out: &mut Out, report: &LogReport) {
    let word = if !report.is_good() {
        "refused"
    } else if report.entries > 0 && report.proved == report.entries {
        "proved"
    } else {
        "unproved"
    };
    let counts = format!("{} entries, {} proved", report.entries, report.proved);
    out.line(&format!("{word:<9} {}  {counts}", name(report)));
    for found in &report.refused {
        let entry = found.entry.map(|id| short(id) + ": ").unwrap_or_default();
        out.line(&format!("    {entry}{}", found.why));
    }
    if report.more_refused > 0 {
        out.line(&format!("    and {} more", report.more_refused));
    }
    if report.is_signed() {
        for (why, count) in &report.unproved {
            out.line(&format!("    {count} unproved: {why}"));
        }
    }
}
