//! Reports as text for a terminal.

use crate::out::Out;
use datum_core::hygiene::{Counts, Report, Unknown};

/// `700 green, 120 yellow, 80 red, 9 dead, 0 unknown`.
pub(super) fn counts(counts: &Counts) -> String {
    let Counts { green, yellow, red, dead, unknown } = *counts;
    format!("{green} green, {yellow} yellow, {red} red, {dead} dead, {unknown} unknown")
}

/// Prints a line for each repository: its health, its name, and why.
pub(super) fn rows(out: &mut Out, report: &Report) {
    for row in &report.repositories {
        let reasons: Vec<_> = row.reasons.iter().map(|reason| reason.rule.as_str()).collect();
        let line = format!("{:<6} {} {}", row.health.as_str(), row.name, out.dim(&reasons.join(" ")));
        out.line(line.trim_end());
    }
    for unknown in &report.unknown {
        let line = format!("{:<6} {} {}", "?", unknown.name, out.dim(&unknown.why));
        out.line(&line);
    }
}

/// Warns of what could not be read, by name.
pub(super) fn unknown(out: &Out, unknown: &[Unknown], unlisted: u64, why: &str) {
    const SHOWN: usize = 20;
    for one in unknown.iter().take(SHOWN) {
        out.warn(&format!("{} is unknown: {}", one.name, one.why));
    }
    if unknown.len() > SHOWN {
        out.warn(&format!("{} more repositories are unknown", unknown.len() - SHOWN));
    }
    if unlisted > 0 {
        out.warn(&self::unlisted(unlisted, why));
    }
}

/// Tells of repositories that no page listed.
pub(super) fn unlisted(count: u64, why: &str) -> String {
    let text = format!("{count} more repositories were not listed: {why}");
    text.trim_end_matches([':', ' ']).to_owned()
}
