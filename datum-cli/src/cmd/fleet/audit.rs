//! `datum audit --org`: the newest scan of an organisation as findings, one for each repository and rule.

use super::reach::organization;
use super::{report, show};
use crate::args::{Asked, Format};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::audit::Level;
use datum_core::hygiene::{self, Report, Rules};
use serde_json::{Value, json};
use std::path::Path;

/// What a level of a fleet's rules is among the levels of audits.
fn level(level: hygiene::Level) -> Level {
    match level {
        hygiene::Level::Note => Level::Info,
        hygiene::Level::Yellow => Level::Warning,
        hygiene::Level::Red => Level::Error,
        hygiene::Level::Dead => Level::Critical,
    }
}

/// Audits an organisation by its newest scan; GitHub is asked for nothing.
pub(crate) fn audit(
    edge: &Edge<'_>,
    out: &mut Out,
    org: &str,
    fails_on: Level,
    output: Option<&Path>,
) -> Result<Exit, Fault> {
    let report = report::newest(edge, out, organization(org)?, "", &Rules::default())?;
    let text = match edge.asked() {
        Asked::Text if output.is_none() => {
            text(out, &report);
            None
        }
        Asked::Html => Some(show::page(&report).html()),
        Asked::Sarif | Asked::Junit | Asked::Github => {
            return Err(Fault::usage("an organisation's audit is text, md, html, json or ndjson"));
        }
        _ => match out.format() {
            Format::Json => Some(format!("{}\n", whole(&report))),
            Format::Ndjson => Some(findings(&report).map(|finding| format!("{finding}\n")).collect()),
            Format::Text | Format::Md => Some(show::page(&report).markdown()),
        },
    };
    match (text, output) {
        (Some(text), Some(path)) => {
            let failed = |error| Fault::broken(format!("cannot write {}: {error}", path.display()));
            std::fs::write(path, text).map_err(failed)?;
            out.say(&format!("written to {}", path.display()));
        }
        (Some(text), None) => out.raw(text.as_bytes()),
        (None, _) => {}
    }
    super::text::unknown(out, &report.unknown, report.unlisted, &report.unlisted_why);
    let found = report.issues.iter().any(|issue| level(issue.level) >= fails_on);
    Ok(match (report::is_complete(&report), found) {
        (false, _) => Exit::Broken,
        (true, true) => Exit::No,
        (true, false) => Exit::Done,
    })
}

/// Every finding: a repository and a rule that fires for it.
fn findings(report: &Report) -> impl Iterator<Item = Value> {
    report.repositories.iter().flat_map(|row| {
        row.reasons.iter().map(|reason| {
            let issue = report.issues.iter().find(|issue| issue.rule == reason.rule);
            json!({
                "repository": row.name, "rule": reason.rule, "level": level(reason.level).as_str(),
                "says": issue.map(|issue| &issue.says), "fix": issue.map(|issue| &issue.fix),
            })
        })
    })
}

fn whole(report: &Report) -> Value {
    json!({
        "version": 1, "organization": report.organization, "time": crate::time::iso(report.time),
        "counts": report.counts, "findings": findings(report).collect::<Vec<_>>(),
        "unknown": report.unknown, "unlisted": report.unlisted, "unlisted_why": report.unlisted_why,
    })
}

fn text(out: &mut Out, report: &Report) {
    for finding in findings(report) {
        let part = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        out.line(&format!("{:<8} {} {}: {}", part("level"), part("repository"), part("rule"), part("says")));
    }
    out.line(&format!(
        "{} as scanned on {}: {}",
        report.organization,
        crate::time::show(report.time),
        super::text::counts(&report.counts)
    ));
}
