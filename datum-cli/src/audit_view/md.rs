//! A report as markdown.

use super::{Audited, commit, located, remark, summary};
use datum_core::audit::{Answer, State};
use std::fmt::Write as _;

/// Text that stands in a table and means nothing to markdown.
pub(crate) fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '<' | '>' | '*' | '_' | '`' | '[' | ']' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Prints a report.
pub(crate) fn print(audited: &Audited) -> String {
    let mut out = String::new();
    let report = match &audited.report {
        Ok(report) => report,
        Err(fault) => {
            return format!("## {}\n\nNot audited: {}\n", cell(&audited.path), cell(&fault.message));
        }
    };
    let _ = writeln!(out, "## Audit: {} of {}\n", report.audit, cell(&audited.path));
    let _ = writeln!(out, "Commit: {}\n\n{}\n", cell(&commit(report)), cell(&summary(report)));
    let shown: Vec<_> =
        report.rules.iter().filter(|rule| matches!(rule.answer, Answer::Fail | Answer::Unknown)).collect();
    if !shown.is_empty() {
        out.push_str("| Answer | Level | Rule | What |\n|---|---|---|---|\n");
    }
    for outcome in shown {
        let mut what: Vec<String> = outcome
            .findings
            .iter()
            .take(10)
            .map(|finding| {
                let mark = match finding.state {
                    State::Open => "",
                    State::Known => " (known)",
                    State::Suppressed => " (suppressed)",
                };
                cell(&located(finding)) + mark
            })
            .collect();
        let more = outcome.findings.len().saturating_sub(10) + outcome.more;
        if more > 0 {
            what.push(format!("and {more} more"));
        }
        if what.is_empty() {
            what.push(cell(remark(outcome)));
        }
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            outcome.answer.as_str(),
            outcome.level.as_str(),
            cell(&outcome.rule),
            what.join("<br>")
        );
    }
    if !report.notes.is_empty() {
        out.push('\n');
        for note in &report.notes {
            let _ = writeln!(out, "- {}", cell(note));
        }
    }
    out
}
