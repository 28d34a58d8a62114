//! Annotations of GitHub Actions, within the limits GitHub shows: ten of each kind a step, and 1 MiB of summary.

use super::{Audited, md, summary};
use datum_core::audit::{Level, State};
use std::fmt::Write as _;

/// Annotations of one kind that GitHub shows of a step.
const SHOWN_MAX: usize = 10;
/// Bytes of a step summary.
const SUMMARY_MAX: usize = 1024 * 1024;

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Prints the annotations, the worst first.
pub(crate) fn annotations(all: &[Audited]) -> String {
    let mut out = String::new();
    for (kind, levels) in [
        ("error", &[Level::Critical, Level::Error][..]),
        ("warning", &[Level::Warning]),
        ("notice", &[Level::Info]),
    ] {
        let mut left_out = 0;
        let mut shown = 0;
        for level in levels {
            for audited in all {
                let Ok(report) = &audited.report else { continue };
                let open = report
                    .findings()
                    .filter(|(outcome, finding)| outcome.level == *level && finding.state == State::Open);
                for (outcome, finding) in open {
                    // The last of ten is kept for saying that there are more.
                    if shown + 1 >= SHOWN_MAX {
                        left_out += 1;
                        continue;
                    }
                    shown += 1;
                    let mut place = format!("title={}", property(&outcome.rule));
                    let base = if audited.path == "." { String::new() } else { format!("{}/", audited.path) };
                    if let Some(path) = &finding.path {
                        let _ = write!(place, ",file={}", property(&format!("{base}{path}")));
                    }
                    if let Some(line) = finding.line {
                        let _ = write!(place, ",line={line},col={}", finding.column.unwrap_or(1));
                    }
                    let _ = writeln!(out, "::{kind} {place}::{}", data(&finding.message));
                }
            }
        }
        if left_out > 0 {
            let _ = writeln!(out, "::{kind} title=datum::{left_out} more findings stand in the step summary");
        }
    }
    for audited in all {
        match &audited.report {
            Ok(report) => {
                for outcome in report.rules.iter().filter(|outcome| outcome.broken) {
                    let _ = writeln!(
                        out,
                        "::error title={}::cannot look: {}",
                        property(&outcome.rule),
                        data(&outcome.note)
                    );
                }
                let _ = writeln!(out, "{}: {}", data(&audited.path), summary(report));
            }
            Err(fault) => {
                let _ =
                    writeln!(out, "::error title=datum::{}: {}", data(&audited.path), data(&fault.message));
            }
        }
    }
    out
}

/// The step summary, cut between lines where it would be too long.
pub(crate) fn step_summary(all: &[Audited]) -> String {
    const CUT: &str = "\nThe rest is left out: a step summary holds 1 MiB.\n";
    let mut text: String = all.iter().map(md::print).collect::<Vec<_>>().join("\n");
    if text.len() > SUMMARY_MAX {
        let mut fits = text.as_bytes()[..SUMMARY_MAX - CUT.len()].iter();
        let end = fits.rposition(|byte| *byte == b'\n').unwrap_or(0);
        text.truncate(end);
        text.push_str(CUT);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_end_an_annotation_or_begin_another() {
        assert_eq!(data("a\n::error::b 100%"), "a%0A::error::b 100%25");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
    }
}
