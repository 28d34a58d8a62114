//! Times as people write them.

use datum_core::Millis;
use jiff::{Span, Timestamp, civil, tz::TimeZone};

/// The clock.
pub(crate) fn now() -> Millis {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0)
}

fn millis(time: Timestamp) -> Option<Millis> {
    u64::try_from(time.as_millisecond()).ok()
}

/// Parses `2026-01-31T12:00:00Z`, `2026-01-31 12:00` or `2026-01-31` (UTC), or milliseconds since 1970.
pub(crate) fn parse_absolute(text: &str) -> Option<Millis> {
    if text.len() >= 11 && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok();
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return millis(time);
    }
    let time = text.parse::<civil::DateTime>().ok()?;
    millis(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// Parses an absolute time, or one counted from `now`: `2h`, `3 days ago`, `1 week`, `yesterday`, `now`.
pub(crate) fn parse(text: &str, now: Millis) -> Option<Millis> {
    const DAY: Millis = 24 * 60 * 60 * 1000;
    match text.trim() {
        "now" => Some(now),
        "today" => Some(now - now % DAY),
        "yesterday" => (now - now % DAY).checked_sub(DAY),
        text => parse_absolute(text).or_else(|| now.checked_sub(parse_length(text)?)),
    }
}

/// Parses a length of time: `90s`, `2h30m`, `3 days`, `1 week ago`.
pub(crate) fn parse_length(text: &str) -> Option<Millis> {
    let span: Span = text.trim().trim_end_matches(" ago").parse().ok()?;
    let from = civil::date(2026, 1, 1);
    let length = span.abs().total((jiff::Unit::Millisecond, from)).ok()?;
    // A length is no longer than a few centuries, far below 2^53.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "abs() and the check keep it in range"
    )]
    (0.0..1e15).contains(&length).then_some(length as Millis)
}

/// `2026-01-31 12:00:00Z`.
pub(crate) fn show(time: Millis) -> String {
    timestamp(time).strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// `2026-01-31T12:00:00.123Z`.
pub(crate) fn iso(time: Millis) -> String {
    timestamp(time).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A length of time in its greatest unit: `45s`, `5m`, `3h`, `2d`, `6w`.
pub(crate) fn length(millis: Millis) -> String {
    let seconds = millis / 1000;
    let (unit, size) = match seconds {
        0..60 => ("s", 1),
        60..3600 => ("m", 60),
        3600..86_400 => ("h", 3600),
        86_400..1_209_600 => ("d", 86_400),
        _ => ("w", 604_800),
    };
    format!("{}{unit}", seconds / size)
}

/// How long before `now` it was: `5m ago`, or `in 5m` for a clock that runs ahead.
pub(crate) fn ago(time: Millis, now: Millis) -> String {
    if time > now { format!("in {}", length(time - now)) } else { format!("{} ago", length(now - time)) }
}

fn timestamp(time: Millis) -> Timestamp {
    i64::try_from(time).ok().and_then(|time| Timestamp::from_millisecond(time).ok()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_in_their_greatest_unit() {
        let check = |seconds: u64, want: &str| assert_eq!(length(seconds * 1000), want);
        check(0, "0s");
        check(59, "59s");
        check(60, "1m");
        check(3 * 3600 + 1800, "3h");
        check(86_400, "1d");
        check(15 * 86_400, "2w");
        assert_eq!((ago(5000, 65_000), ago(65_000, 5000)), ("1m ago".to_owned(), "in 1m".to_owned()));
    }

    #[test]
    fn times_as_people_write_them() {
        let now = parse_absolute("2026-03-10T12:00:00Z").unwrap();
        let check =
            |text: &str, want: &str| assert_eq!(parse(text, now).map(iso).as_deref(), Some(want), "{text}");
        check("2026-01-31", "2026-01-31T00:00:00.000Z");
        check("2026-01-31 08:15", "2026-01-31T08:15:00.000Z");
        check("2026-01-31T08:15:00+02:00", "2026-01-31T06:15:00.000Z");
        check("2h", "2026-03-10T10:00:00.000Z");
        check("3 days ago", "2026-03-07T12:00:00.000Z");
        check("1 week", "2026-03-03T12:00:00.000Z");
        check("yesterday", "2026-03-09T00:00:00.000Z");
        for bad in ["", "x", "2026-13-01", "99999999999999999999", "1e9"] {
            assert_eq!(parse(bad, now), None, "{bad}");
        }
    }
}
