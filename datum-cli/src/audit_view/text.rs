//! A report for people.

use super::{Audited, commit, located, remark, summary};
use crate::out::{Out, Paint};
use datum_core::audit::{Answer, Outcome, Report, State};

/// Prints a report; rules that hold or do not apply only with `all`.
pub(crate) fn print(out: &mut Out, audited: &Audited, all: bool) {
    let report = match &audited.report {
        Ok(report) => report,
        Err(fault) => {
            out.line(&format!("{}: not audited: {}", audited.path, fault.message));
            return;
        }
    };
    out.line(&format!("{} audit of {} at {}", report.audit, audited.path, out.id(&commit(report))));
    for outcome in &report.rules {
        if all || matches!(outcome.answer, Answer::Fail | Answer::Unknown) {
            rule(out, outcome);
        }
    }
    for note in &report.notes {
        out.line(&format!("note: {note}"));
    }
    out.line(&summary(report));
}

fn rule(out: &mut Out, outcome: &Outcome) {
    let paint = match outcome.answer {
        Answer::Pass => Paint::Good,
        Answer::Fail => Paint::Bad,
        Answer::Unknown => Paint::Bold,
        Answer::Skipped => Paint::Dim,
    };
    let answer = out.paint(paint, &format!("{:<8}", outcome.answer.as_str()));
    let head = format!("{answer}{:<9}{}", outcome.level.as_str(), outcome.rule);
    if outcome.answer != Answer::Fail {
        let mark = if outcome.broken { "cannot look: " } else { "" };
        let line = format!("{head}  {}", out.dim(&format!("{mark}{}", remark(outcome))));
        out.line(&line);
        return;
    }
    let line = format!("{head}  {}", out.dim(&outcome.reason));
    out.line(&line);
    for finding in &outcome.findings {
        let state = match finding.state {
            State::Open => "",
            State::Known => " (known)",
            State::Suppressed => " (suppressed)",
        };
        out.line(&format!("        {}{state}", located(finding)));
    }
    if outcome.more > 0 {
        out.line(&format!("        and {} more", outcome.more));
    }
    if !outcome.fix.is_empty() {
        let line = out.dim(&format!("        fix: {}", outcome.fix));
        out.line(&line);
    }
}

/// One line for each of many repositories.
pub(crate) fn print_line(out: &mut Out, audited: &Audited) {
    let line = match &audited.report {
        Ok(report) => format!("{}  {}", audited.path, summary(report)),
        Err(fault) => format!("{}  not audited: {}", audited.path, fault.message),
    };
    out.line(&line);
}

/// The worst answer of a report, one word.
pub(crate) fn worst(report: &Report) -> &'static str {
    if report.is_broken() {
        "unknown"
    } else if report.counts.open.is_empty() {
        "pass"
    } else {
        "fail"
    }
}
