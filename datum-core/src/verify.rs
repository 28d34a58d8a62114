//! Verifying: every log walked to its beginning, every id hashed anew, every signature checked, every pin held.

use crate::entry::View;
use crate::epoch;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::name::AgentName;
use crate::odb::ObjectKind;
use crate::pins::Pins;
use crate::snapshot::Snapshot;
use crate::stamp::{Millis, Writer};
use crate::trust::{Proof, Trust};
use std::collections::BTreeMap;

/// Findings kept for one log; a hostile one could hold a million.
const REFUSED_MAX: usize = 20;

/// What was found in one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogReport {
    /// Its kind.
    pub kind: Kind,
    /// The vessel whose outbox it is; `None` for a log of this repository's own.
    pub vessel: Option<AgentName>,
    /// Its writer.
    pub writer: Writer,
    /// Its newest entry, unless the log is gone.
    pub tip: Option<EntryId>,
    /// The place of its newest entry.
    pub seq: u64,
    /// Entries read.
    pub entries: u64,
    /// Entries signed with a key of the agent.
    pub proved: u64,
    /// Entries of which nothing is shown, by the reason why.
    pub unproved: BTreeMap<String, u64>,
    /// What is wrong, at most twenty findings.
    pub refused: Vec<Refusal>,
    /// How many more there were.
    pub more_refused: u64,
}

/// One thing that is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The entry, where it is one.
    pub entry: Option<EntryId>,
    /// What is wrong.
    pub why: String,
}

impl LogReport {
    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.refused.is_empty()
    }

    /// Whether its entries are to be signed where the agent has a key.
    pub fn is_signed(&self) -> bool {
        self.kind.is_signed() || self.vessel.is_some()
    }

    /// Entries of which nothing is shown.
    pub fn unproved_count(&self) -> u64 {
        self.unproved.values().sum()
    }

    fn new(kind: Kind, writer: &Writer, tip: Option<EntryId>) -> Self {
        Self {
            kind,
            vessel: None,
            writer: writer.clone(),
            tip,
            seq: 0,
            entries: 0,
            proved: 0,
            unproved: BTreeMap::new(),
            refused: Vec::new(),
            more_refused: 0,
        }
    }

    fn refuse(&mut self, entry: Option<EntryId>, why: String) {
        if self.refused.len() < REFUSED_MAX {
            self.refused.push(Refusal { entry, why });
        } else {
            self.more_refused += 1;
        }
    }
}

/// Verifies every log of a snapshot, in the order of kinds and writers, against what was seen before.
///
/// What cannot be read is told by [`Snapshot::damage`] and also refused here.
pub fn verify(snapshot: &Snapshot<'_>, pins: &Pins) -> Vec<LogReport> {
    let trust = Trust::read(snapshot, pins);
    let one = |(kind, writer, tip)| log(snapshot, &trust, pins.log(kind, writer), kind, writer, tip);
    let mut reports: Vec<_> = snapshot.tips().map(one).collect();
    for (kind, writer, seq, id) in
        pins.logs().filter(|(kind, writer, ..)| snapshot.tip(*kind, writer).is_none())
    {
        let mut report = LogReport::new(kind, writer, None);
        report.refuse(Some(id), format!("the log is gone; entry {seq}, {id}, was seen in it"));
        reports.push(report);
    }
    reports
}

/// Verifies the bottles in the outbox for `vessel`, as [`Store::outbox_alone`] has them, by the keys that `snapshot`
/// declares.
///
/// [`Store::outbox_alone`]: crate::Store::outbox_alone
pub fn verify_outbox(
    snapshot: &Snapshot<'_>,
    vessel: &AgentName,
    outbox: &Snapshot<'_>,
    pins: &Pins,
) -> Vec<LogReport> {
    let trust = Trust::read(snapshot, pins);
    let mut reports = Vec::new();
    for (kind, writer, tip) in outbox.tips() {
        let report = log(outbox, &trust, pins.outbox(vessel, writer), kind, writer, tip);
        reports.push(LogReport { vessel: Some(vessel.clone()), ..report });
    }
    for (of, writer, seq, id) in pins.outboxes() {
        if of == vessel && outbox.tip(Kind::Bottle, writer).is_none() {
            let mut report = LogReport::new(Kind::Bottle, writer, None);
            report.vessel = Some(vessel.clone());
            report.refuse(Some(id), format!("the outbox is gone; bottle {seq}, {id}, was seen in it"));
            reports.push(report);
        }
    }
    reports
}

/// Pins what `reports` found good.
pub fn pin(pins: &mut Pins, snapshot: &Snapshot<'_>, reports: &[LogReport]) {
    for report in reports.iter().filter(|report| report.is_good() && report.entries > 0) {
        if let Some(tip) = report.tip {
            match &report.vessel {
                Some(vessel) => pins.pin_outbox(vessel, &report.writer, report.seq, tip),
                None => pins.pin_log(report.kind, &report.writer, report.seq, tip),
            }
        }
    }
    for (agent, declared) in Trust::read(snapshot, pins).agents() {
        if let Some(root) = declared.root {
            pins.pin_signer(agent, root);
        }
    }
}

/// What the next older entry must be.
struct Expected {
    id: Option<EntryId>,
    seq: u64,
    clock: Millis,
}

fn log(
    snapshot: &Snapshot<'_>,
    trust: &Trust,
    mut pinned: Option<(u64, EntryId)>,
    kind: Kind,
    writer: &Writer,
    tip: EntryId,
) -> LogReport {
    let mut report = LogReport::new(kind, writer, Some(tip));
    let mut expected = Expected { id: Some(tip), seq: 0, clock: Millis::MAX };
    let damage = snapshot.walk_log(kind, writer, |view| {
        if report.entries == 0 {
            report.seq = view.seq();
            expected.seq = report.seq;
        }
        report.entries += 1;
        check_entry(&mut report, snapshot, view, &expected);
        match trust.proof(view) {
            Proof::Proved => report.proved += 1,
            Proof::Unproved(why) => *report.unproved.entry(why).or_default() += 1,
            Proof::Refused(why) => report.refuse(Some(view.id), why),
        }
        if let Some((seq, id)) = pinned
            && seq == view.seq()
        {
            pinned = None;
            if id != view.id {
                report.refuse(
                    Some(view.id),
                    format!("entry {seq} was {id} and is now {}: the log was rewritten", view.id),
                );
            }
        }
        expected =
            Expected { id: epoch::before_view(view), seq: view.seq().saturating_sub(1), clock: view.clock() };
    });
    for found in damage {
        report.refuse(found.object, found.message);
    }
    if report.entries > 0 && (expected.id.is_some() || expected.seq != 0) {
        report
            .refuse(expected.id, format!("the log begins after entry {}, which is not there", expected.seq));
    }
    if let Some((seq, id)) = pinned {
        report.refuse(
            Some(id),
            format!("entry {seq}, {id}, was seen and is gone: the log was set back to {tip}"),
        );
    }
    report
}

fn check_entry(report: &mut LogReport, snapshot: &Snapshot<'_>, view: &View<'_>, expected: &Expected) {
    let Expected { id, seq, clock } = expected;
    if snapshot.hash(ObjectKind::Commit, &view.raw()) != Some(view.id) {
        report.refuse(Some(view.id), "its content has another id: it was changed".to_owned());
    }
    if *id != Some(view.id) {
        let named = id.map_or_else(|| "none".to_owned(), |id| id.to_string());
        report.refuse(
            Some(view.id),
            format!("the entry after it names {named} as the one before: the chain is broken"),
        );
    }
    if *seq != view.seq() {
        report.refuse(Some(view.id), format!("it is numbered {}, its place is {seq}", view.seq()));
    }
    if view.clock() >= *clock {
        report.refuse(Some(view.id), "its clock is not before that of the entry after it".to_owned());
    }
    if view.seq() == 0 {
        report.refuse(Some(view.id), "entries are numbered from 1".to_owned());
    }
}
