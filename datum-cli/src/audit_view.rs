//! Reports of audits in the formats they are read in.

pub(crate) mod github;
pub(crate) mod json;
pub(crate) mod junit;
pub(crate) mod md;
pub(crate) mod sarif;
pub(crate) mod text;

use datum_core::audit::{Finding, Outcome, Report};

/// One audited repository: its name for the reader, and what was found.
pub(crate) struct Audited {
    /// The path as given; `.` for where the command runs.
    pub(crate) path: String,
    pub(crate) report: Result<Report, crate::fault::Fault>,
}

/// What is the matter and where, on one line.
fn located(finding: &Finding) -> String {
    let place = match (&finding.path, finding.line) {
        (Some(path), Some(line)) => format!("{path}:{line}: "),
        (Some(path), None) => format!("{path}: "),
        _ => String::new(),
    };
    format!("{place}{}", finding.message)
}

/// The numbers of a report in words.
fn summary(report: &Report) -> String {
    let counts = &report.counts;
    let open: Vec<String> =
        counts.open.iter().rev().map(|(level, count)| format!("{count} {}", level.as_str())).collect();
    let open =
        if open.is_empty() { "no findings".to_owned() } else { format!("findings: {}", open.join(", ")) };
    format!(
        "{} pass, {} fail, {} unknown, {} skipped; {open}; {} known, {} suppressed",
        counts.pass, counts.fail, counts.unknown, counts.skipped, counts.known, counts.suppressed
    )
}

/// The short form of the commit a report is about.
fn commit(report: &Report) -> String {
    let commit = report.commit.as_deref().map_or("an empty repository", |id| id.get(..12).unwrap_or(id));
    if report.worktree { format!("the work tree on {commit}") } else { commit.to_owned() }
}

/// What to say of an outcome besides its findings.
fn remark(outcome: &Outcome) -> &str {
    if outcome.note.is_empty() { &outcome.reason } else { &outcome.note }
}
