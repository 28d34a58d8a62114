//! SARIF 2.1.0: one run a repository, one result a finding.

use super::Audited;
use datum_core::audit::{Finding, Level, Outcome, Report, State};
use serde_json::{Value, json};

/// Where the tool is described.
const HOME: &str = "https://github.com/SuperInstance/datum";

/// The log of all reports.
pub(crate) fn log(all: &[Audited]) -> Value {
    let runs: Vec<Value> = all.iter().map(run).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": runs,
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Info => "note",
        Level::Warning => "warning",
        Level::Error | Level::Critical => "error",
    }
}

fn run(audited: &Audited) -> Value {
    let empty = Vec::new();
    let (rules, notes) = match &audited.report {
        Ok(report) => (&report.rules, &report.notes),
        Err(_) => (&empty, &Vec::new()),
    };
    let descriptors: Vec<Value> = rules.iter().map(descriptor).collect();
    let has_baseline =
        rules.iter().flat_map(|rule| &rule.findings).any(|finding| finding.state == State::Known);
    let results: Vec<Value> = rules
        .iter()
        .enumerate()
        .flat_map(|(index, outcome)| {
            outcome.findings.iter().map(move |finding| result(index, outcome, finding, has_baseline))
        })
        .collect();
    let mut notifications: Vec<Value> = rules.iter().filter(|outcome| outcome.broken).map(unlooked).collect();
    notifications.extend(notes.iter().map(|note| json!({ "level": "note", "message": { "text": note } })));
    if let Err(fault) = &audited.report {
        notifications.push(json!({ "level": "error", "message": { "text": fault.message } }));
    }
    let whole = audited.report.as_ref().is_ok_and(|report| !report.is_broken());
    let mut run = json!({
        "tool": { "driver": {
            "name": "datum",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "informationUri": HOME,
            "rules": descriptors,
        } },
        "invocations": [{ "executionSuccessful": whole, "toolExecutionNotifications": notifications }],
        "automationDetails": { "id": automation(audited) },
        "results": results,
        "columnKind": "unicodeCodePoints",
    });
    if let Ok(Report { commit: Some(commit), .. }) = &audited.report {
        run["properties"] = json!({ "commit": commit });
    }
    run
}

/// The category of the run, by which code scanning tells runs apart.
fn automation(audited: &Audited) -> String {
    let kind = audited.report.as_ref().map_or("audit", |report| report.audit.as_str());
    if audited.path == "." { format!("datum/{kind}/") } else { format!("datum/{kind}/{}/", audited.path) }
}

fn descriptor(outcome: &Outcome) -> Value {
    let name: String = outcome
        .rule
        .split(['/', '-'])
        .map(|part| {
            let mut letters = part.chars();
            letters
                .next()
                .map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + letters.as_str())
        })
        .collect();
    let sentence = |text: &str| format!("{}.", text.trim_end_matches('.'));
    // Code scanning takes no rule without help.
    let help = if outcome.fix.is_empty() { &outcome.reason } else { &outcome.fix };
    json!({
        "id": outcome.rule,
        "name": name,
        "shortDescription": { "text": sentence(&outcome.reason) },
        "fullDescription": { "text": sentence(&outcome.reason) },
        "help": { "text": sentence(help) },
        "defaultConfiguration": { "level": level(outcome.level) },
        "properties": { "severity": outcome.level.as_str(), "tags": [outcome.rule.split('/').next()] },
    })
}

fn result(index: usize, outcome: &Outcome, finding: &Finding, has_baseline: bool) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(finding.path.as_deref()) } });
    if let Some(line) = finding.line {
        physical["region"] = json!({ "startLine": line, "startColumn": finding.column.unwrap_or(1) });
    }
    let subject = finding.path.as_deref().map_or(String::new(), |path| format!("{path}: "));
    let mut result = json!({
        "ruleId": outcome.rule,
        "ruleIndex": index,
        "level": level(outcome.level),
        "message": { "text": format!("{subject}{}.", finding.message.trim_end_matches('.')) },
        "locations": [{ "physicalLocation": physical }],
        "partialFingerprints": { "datumFinding/v1": fingerprint(outcome, finding) },
    });
    if has_baseline {
        let state = if finding.state == State::Known { "unchanged" } else { "new" };
        result["baselineState"] = json!(state);
    }
    if finding.state == State::Suppressed {
        result["suppressions"] = json!([{ "kind": "external", "status": "accepted" }]);
    }
    result
}

fn unlooked(outcome: &Outcome) -> Value {
    json!({
        "level": "error",
        "message": { "text": outcome.note },
        "associatedRule": { "id": outcome.rule },
    })
}

/// Rule, path and message, as a baseline compares them: lines may move.
fn fingerprint(outcome: &Outcome, finding: &Finding) -> String {
    let key = datum_core::audit::Key::of(outcome, finding);
    let text = format!("{}|{}|{}", key.rule, key.path.unwrap_or_default(), key.message);
    text.chars().take(300).collect()
}

/// A path as a relative reference; findings about the whole repository point to its root.
fn uri(path: Option<&str>) -> String {
    use std::fmt::Write as _;
    let Some(path) = path else { return ".".to_owned() };
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
