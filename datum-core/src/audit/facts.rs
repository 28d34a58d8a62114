//! Probes of the logs and of CAPABILITY.toml.

use super::rule::{Capability, Fact, Log};
use super::scope::{Scope, Verdict, finding};
use crate::files::LookError;
use crate::kind::Kind;
use crate::snapshot::Snapshot;
use crate::stamp::Millis;
use crate::{bottle, capability, fleet};
use std::ops::ControlFlow;

const DAY: Millis = 86_400_000;

pub(super) fn log(probe: &Log, scope: &Scope<'_>) -> Verdict {
    let snapshot = &scope.survey.snapshot;
    match probe.fact {
        Fact::Whole => {
            for kind in Kind::ALL {
                snapshot.walk(kind, |_| ControlFlow::Continue(()));
            }
            let found =
                |damage: crate::log::Damage| finding(format!("{}: {}", damage.log, damage.message), None);
            Verdict::of(snapshot.damage().into_iter().map(found).collect())
        }
        // Only bottles of the logs have deadlines; without one there is no need to read those of the tree.
        Fact::OverdueBottles if !has_deadlines(snapshot) => Verdict::pass(),
        Fact::OverdueBottles => match bottle::inbox(snapshot) {
            Err(error) => Verdict::Broken(error.to_string()),
            Ok(inbox) => {
                let overdue = inbox.bottles.iter().filter(|bottle| bottle.is_overdue(scope.now));
                let found = |bottle: &bottle::Bottle| {
                    finding(
                        format!(
                            "bottle {} to {}: {}",
                            bottle.id.short(12),
                            bottle.to.join(", "),
                            bottle.subject
                        ),
                        None,
                    )
                };
                Verdict::of(overdue.map(found).collect())
            }
        },
        Fact::ExpiredCapabilities => expired(probe, scope),
        Fact::Journal => match newest(snapshot, Kind::Journal) {
            Some(_) => Verdict::pass(),
            None => Verdict::fail("the journal has no entry"),
        },
        Fact::Recent => {
            let newest = Kind::ALL.into_iter().filter_map(|kind| newest(snapshot, kind)).max();
            let Some(newest) = newest else { return Verdict::fail("the logs have no entry") };
            let days = scope.now.saturating_sub(newest) / DAY;
            if days <= u64::from(probe.days) {
                Verdict::pass()
            } else {
                Verdict::fail(format!(
                    "the newest entry of the logs is {days} days old, more than {}",
                    probe.days
                ))
            }
        }
    }
}

fn has_deadlines(snapshot: &Snapshot<'_>) -> bool {
    let mut found = false;
    snapshot.walk(Kind::Bottle, |view| {
        found = view.trailer(bottle::DEADLINE).is_some();
        if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    found
}

/// Vessels whose capabilities are claims of the past: declared, and no commit since.
fn expired(probe: &Log, scope: &Scope<'_>) -> Verdict {
    let vessels = fleet::vessels(&scope.survey.snapshot);
    let old = vessels.values().filter_map(|vessel| {
        let found = vessel.found.as_ref().filter(|found| !found.skills.is_empty())?;
        let days = scope.now.saturating_sub(found.active?) / DAY;
        (days > u64::from(probe.days)).then(|| {
            let names: Vec<_> = found.skills.keys().map(String::as_str).collect();
            let message = format!(
                "{} declares {} and was last active {days} days ago, more than {}",
                vessel.name,
                names.join(", "),
                probe.days
            );
            finding(message, None)
        })
    });
    Verdict::of(old.collect())
}

fn newest(snapshot: &Snapshot<'_>, kind: Kind) -> Option<Millis> {
    let mut newest = None;
    snapshot.walk(kind, |view| {
        newest = Some(view.clock());
        ControlFlow::Break(())
    });
    newest
}

pub(super) fn capability(probe: &Capability, scope: &Scope<'_>) -> Result<Verdict, LookError> {
    const PATH: &str = "CAPABILITY.toml";
    let Some(node) = scope.files.node(PATH)? else {
        return Ok(Verdict::Fail(vec![finding("it is missing", Some(PATH))]));
    };
    let bytes = scope.files.read(&node)?;
    let Ok(text) = String::from_utf8(bytes) else {
        return Ok(Verdict::Fail(vec![finding("it is not UTF-8", Some(PATH))]));
    };
    if let Some(days) = probe.used_within_days {
        return Ok(unused(&text, days, scope));
    }
    let errors = capability::check(&text).into_iter().filter(|found| found.level == capability::Level::Error);
    let findings = errors.map(|error| {
        let mut found = finding(error.message, Some(PATH));
        (found.line, found.column) = (Some(error.line), Some(error.column));
        found
    });
    Ok(Verdict::of(findings.collect()))
}

/// Capabilities that say they were last used long before the newest commit.
fn unused(text: &str, days: u32, scope: &Scope<'_>) -> Verdict {
    let Ok(reading) = capability::read(text) else {
        return Verdict::Unknown("CAPABILITY.toml cannot be read".to_owned());
    };
    let newest = match scope.newest(1, |commits, _| commits.first().map(|commit| commit.committed)) {
        Ok(Some(seconds)) => seconds.div_euclid(86_400),
        Ok(None) => return Verdict::Unknown("there are no commits".to_owned()),
        Err(error) => return error.into(),
    };
    let dated: Vec<_> = reading
        .capability
        .skills
        .iter()
        .filter_map(|(name, skill)| {
            let day: jiff::civil::Date = skill.last_used.as_deref()?.parse().ok()?;
            let day = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second().div_euclid(86_400);
            Some((name, newest - day))
        })
        .collect();
    if dated.is_empty() {
        return Verdict::Unknown("no capability says when it was last used".to_owned());
    }
    let old = dated.into_iter().filter(|(_, age)| *age > i64::from(days));
    let findings = old.map(|(name, age)| {
        let message = format!("{name} was last used {age} days before the newest commit, more than {days}");
        finding(message, Some("CAPABILITY.toml"))
    });
    Verdict::of(findings.collect())
}
