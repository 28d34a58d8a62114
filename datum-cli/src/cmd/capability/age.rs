//! How old a declaration is beside its repository, told to people and to programs.

use crate::time;
use datum_core::capability::Freshness;
use serde_json::{Value, json};

/// The age in a sentence.
pub(crate) fn age(freshness: &Freshness) -> String {
    let mut text = match (freshness.changed, freshness.lag_days) {
        (Some((id, _)), Some(0)) => format!("last changed in {}, with the newest commits", id.short(12)),
        (Some((id, _)), Some(days)) => {
            format!(
                "last changed in {}, {days} day{} before the newest commit",
                id.short(12),
                if days == 1 { "" } else { "s" }
            )
        }
        _ => format!("age unknown: {}", freshness.unknown),
    };
    let plural = |days: i64| if days == 1 { "" } else { "s" };
    let said = match (&freshness.claimed, freshness.claim_lag_days) {
        (Some(day), Some(days)) if days > 0 => {
            format!("; says last active {day}, and commits are up to {days} day{} newer", plural(days))
        }
        (Some(day), Some(days)) if days < 0 => {
            format!("; says last active {day}, and has no commit of that day or later")
        }
        (Some(day), Some(_)) => format!("; says last active {day}, as git has it"),
        (Some(day), None) => format!("; says last active {}", day.escape_debug()),
        (None, _) => String::new(),
    };
    text.push_str(&said);
    text
}

/// The age as JSON.
pub(crate) fn age_json(freshness: &Freshness) -> Value {
    let iso = |seconds: i64| time::iso(crate::cmd::history::millis(seconds));
    json!({
        "commit": freshness.changed.map(|(id, _)| id), "changed": freshness.changed.map(|(_, at)| iso(at)),
        "newest": freshness.newest.map(iso), "lag_days": freshness.lag_days, "last_active": freshness.claimed,
        "last_active_lag_days": freshness.claim_lag_days,
        "unknown": Some(freshness.unknown).filter(|why| !why.is_empty()),
    })
}
