//! Reports as JSON.

use super::{Audited, text};

/// A value over many lines.
pub(crate) fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// The report, or the reports of many.
pub(crate) fn print(all: &[Audited], many: bool) -> serde_json::Value {
    let one = |audited: &Audited| match &audited.report {
        Ok(report) => serde_json::to_value(report).unwrap_or_default(),
        Err(fault) => serde_json::json!({ "version": 1, "error": fault.message }),
    };
    if !many {
        return all.first().map(one).unwrap_or_default();
    }
    let reports: Vec<_> = all
        .iter()
        .map(|audited| {
            serde_json::json!({
                "path": audited.path,
                "answer": audited.report.as_ref().map_or("unknown", text::worst),
                "report": one(audited),
            })
        })
        .collect();
    serde_json::json!({ "version": 1, "reports": reports })
}

/// One rule's outcome a line.
pub(crate) fn lines(all: &[Audited]) -> String {
    let mut out = String::new();
    for audited in all {
        let mut line = |value: &serde_json::Value| {
            out.push_str(&value.to_string());
            out.push('\n');
        };
        match &audited.report {
            Ok(report) => {
                for outcome in &report.rules {
                    let mut value = serde_json::json!({ "version": 1, "path": audited.path });
                    if let (Some(object), Ok(serde_json::Value::Object(more))) =
                        (value.as_object_mut(), serde_json::to_value(outcome))
                    {
                        object.extend(more);
                    }
                    line(&value);
                }
            }
            Err(fault) => {
                line(&serde_json::json!({ "version": 1, "path": audited.path, "error": fault.message }));
            }
        }
    }
    out
}
