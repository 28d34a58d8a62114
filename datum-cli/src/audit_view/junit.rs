//! JUnit's XML: a suite a pack, a case a rule.

use super::{Audited, located};
use datum_core::audit::{Answer, Outcome, State};
use std::fmt::Write as _;

/// Text in XML; characters XML cannot hold are replaced.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Prints all reports.
pub(crate) fn print(all: &[Audited]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"datum\">\n");
    for audited in all {
        let report = match &audited.report {
            Ok(report) => report,
            Err(fault) => {
                let _ = writeln!(
                    out,
                    "  <testsuite name=\"{}\" tests=\"1\" errors=\"1\" failures=\"0\" skipped=\"0\">\n    \
                     <testcase classname=\"datum\" name=\"audit\"><error message=\"{}\"/></testcase>\n  </testsuite>",
                    xml(&audited.path),
                    xml(&fault.message)
                );
                continue;
            }
        };
        let count = |of: &dyn Fn(&&Outcome) -> bool| report.rules.iter().filter(of).count();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{} {}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
            xml(&report.audit),
            xml(&audited.path),
            report.rules.len(),
            count(&|rule| is_open(rule)),
            count(&|rule| rule.broken),
            count(&|rule| !rule.broken && matches!(rule.answer, Answer::Unknown | Answer::Skipped)),
        );
        for outcome in &report.rules {
            case(&mut out, outcome);
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn is_open(outcome: &Outcome) -> bool {
    outcome.findings.iter().any(|finding| finding.state == State::Open)
}

fn case(out: &mut String, outcome: &Outcome) {
    let (pack, name) = outcome.rule.split_once('/').unwrap_or(("", &outcome.rule));
    let _ = write!(out, "    <testcase classname=\"{}\" name=\"{}\"", xml(pack), xml(name));
    let open: Vec<String> =
        outcome.findings.iter().filter(|finding| finding.state == State::Open).map(located).collect();
    let _ = match outcome.answer {
        _ if outcome.broken => writeln!(out, "><error message=\"{}\"/></testcase>", xml(&outcome.note)),
        Answer::Fail if !open.is_empty() => writeln!(
            out,
            "><failure type=\"{}\" message=\"{}\">{}</failure></testcase>",
            outcome.level.as_str(),
            xml(&outcome.reason),
            xml(&open.join("\n"))
        ),
        Answer::Unknown => {
            writeln!(out, "><skipped message=\"unknown: {}\"/></testcase>", xml(&outcome.note))
        }
        Answer::Skipped => writeln!(out, "><skipped message=\"does not apply\"/></testcase>"),
        Answer::Pass | Answer::Fail => writeln!(out, "/>"),
    };
}
