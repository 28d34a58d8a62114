//! How old a declaration is: measured against git, not against what it says of itself.

use crate::files::LookError;
use crate::history::LastChange;
use crate::id::EntryId;
use crate::snapshot::Snapshot;
use std::ops::ControlFlow;

/// Commits that are looked at for the last change.
const LOOK_BACK: usize = 10_000;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// The age of a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freshness {
    /// The commit that last changed the file, and when, seconds since 1970; `None` where that is not known.
    pub changed: Option<(EntryId, i64)>,
    /// When the newest commit was made; `None` where there is none.
    pub newest: Option<i64>,
    /// Days from the one to the other.
    pub lag_days: Option<i64>,
    /// The day the agent says it was last active.
    pub claimed: Option<String>,
    /// Days from that day to the newest commit; less than none where the claim is ahead of it.
    pub claim_lag_days: Option<i64>,
    /// Why the age is not known; may be empty.
    pub unknown: &'static str,
}

/// Measures how long before the newest commit CAPABILITY.toml was last changed, and how that agrees with the
/// `last_active` it states.
///
/// # Errors
/// [`LookError`] for an object that cannot be read.
pub fn freshness(snapshot: &Snapshot<'_>, claimed: Option<&str>) -> Result<Freshness, LookError> {
    let mut newest = None;
    snapshot.commits(|commit| {
        newest = Some(commit.committed);
        ControlFlow::Break(())
    })?;
    let (changed, unknown) = match snapshot.last_change(super::FILE, LOOK_BACK)? {
        LastChange::At(commit, _) => (Some((commit.id, commit.committed)), ""),
        LastChange::BeforeShallow => (None, "the clone is shallow, so its history is not all here"),
        LastChange::NotWithin(_) => (None, "it has not changed in the newest 10000 commits"),
        LastChange::Absent => (None, "no commit has it"),
    };
    let day = claimed.and_then(|day| day.get(..10).unwrap_or(day).parse::<jiff::civil::Date>().ok());
    let day =
        day.and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok()).map(|day| day.timestamp().as_second());
    Ok(Freshness {
        lag_days: changed.zip(newest).map(|((_, changed), newest)| (newest - changed).max(0) / DAY),
        claim_lag_days: day.zip(newest).map(|(day, newest)| newest.div_euclid(DAY) - day.div_euclid(DAY)),
        changed,
        newest,
        claimed: claimed.map(str::to_owned),
        unknown,
    })
}
