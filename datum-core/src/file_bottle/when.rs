//! Dates as bottles write them, with the precision they have.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use serde::{Serialize, Serializer};
use std::fmt;

/// A moment as precisely as a bottle states it.
///
/// # Examples
/// ```
/// use datum_core::file_bottle::When;
/// assert_eq!(When::find("sent 2026-04-18 19:45 AKDT").unwrap().to_string(), "2026-04-18T19:45-08:00");
/// assert_eq!(When::find("3rd of nothing, May 3, 2026").unwrap().to_string(), "2026-05-03");
/// assert_eq!(When::find("2026-13-01"), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// A day, wherever its writer was.
    Day(Date),
    /// A time of day without a zone, or with one whose letters name several (`IST`).
    Local(DateTime, Option<String>),
    /// A moment: a time and its distance from UTC.
    Instant(DateTime, Offset),
}

impl When {
    /// Finds the first date in `text`: ISO 8601 and its relatives, or with the name of a month.
    pub fn find(text: &str) -> Option<Self> {
        find(text, false)
    }

    /// Finds the first date in the name of a file, where `20260131` is one too. A time after it is not read: the
    /// digits may be a number.
    pub(super) fn in_file_name(name: &str) -> Option<Self> {
        find(name, true).map(|when| Self::Day(when.day()))
    }

    /// The day, as its writer counted it.
    pub fn day(&self) -> Date {
        match self {
            Self::Day(day) => *day,
            Self::Local(at, _) | Self::Instant(at, _) => at.date(),
        }
    }

    /// The moment on the time line, where the bottle says enough to know it.
    pub fn timestamp(&self) -> Option<Timestamp> {
        match self {
            Self::Instant(at, offset) => offset.to_timestamp(*at).ok(),
            Self::Day(_) | Self::Local(..) => None,
        }
    }

    /// 0 for a day, 1 for a local time, 2 for an instant.
    pub(super) fn precision(&self) -> u8 {
        match self {
            Self::Day(_) => 0,
            Self::Local(..) => 1,
            Self::Instant(..) => 2,
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |f: &mut fmt::Formatter<'_>, at: &DateTime| {
            write!(f, "{}T{:02}:{:02}", at.date(), at.hour(), at.minute())?;
            if at.second() == 0 { Ok(()) } else { write!(f, ":{:02}", at.second()) }
        };
        match self {
            Self::Day(day) => write!(f, "{day}"),
            Self::Local(at, zone) => {
                time(f, at)?;
                zone.as_ref().map_or(Ok(()), |zone| write!(f, " {zone}"))
            }
            Self::Instant(at, offset) => {
                time(f, at)?;
                let minutes = offset.seconds() / 60;
                if minutes == 0 {
                    return f.write_str("Z");
                }
                let sign = if minutes < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
            }
        }
    }
}

impl Serialize for When {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

fn find(text: &str, compact: bool) -> Option<When> {
    let bytes = text.as_bytes();
    (0..bytes.len()).find_map(|at| {
        let before = at.checked_sub(1).and_then(|i| bytes.get(i));
        let here = bytes.get(at)?;
        // Only where a number or a word begins, so that each byte is tried once.
        if before
            .is_some_and(|b| b.is_ascii_digit() || (b.is_ascii_alphabetic() && here.is_ascii_alphabetic()))
        {
            return None;
        }
        let start = Cursor { bytes, at };
        let (day, mut rest) = if here.is_ascii_digit() {
            start.iso(compact).or_else(|| start.day_month())
        } else {
            start.month_day()
        }?;
        Some(match rest.time() {
            Some((hour, minute, second)) => {
                let at = day.at(hour, minute, second, 0);
                match rest.zone() {
                    Some(Ok(offset)) => When::Instant(at, offset),
                    Some(Err(letters)) => When::Local(at, Some(letters)),
                    None => When::Local(at, None),
                }
            }
            None => When::Day(day),
        })
    })
}

/// A place in a text; reading moves it on, and a copy can try.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, any: &[u8]) -> Option<u8> {
        let byte = self.peek().filter(|b| any.contains(b))?;
        self.at += 1;
        Some(byte)
    }

    fn blanks(&mut self) -> usize {
        let start = self.at;
        while self.at < start + 4 && self.eat(b" ").is_some() {}
        self.at - start
    }

    /// A whole run of `min` to `max` digits.
    fn number(&mut self, min: usize, max: usize) -> Option<i16> {
        let rest = self.bytes.get(self.at..)?;
        let digits = rest.iter().take(max + 1).take_while(|b| b.is_ascii_digit()).count();
        if !(min..=max).contains(&digits) {
            return None;
        }
        self.at += digits;
        Some(rest.iter().take(digits).fold(0, |sum, digit| sum * 10 + i16::from(digit - b'0')))
    }

    /// A run of letters, at most nine: the longest month.
    fn word(&mut self) -> Option<&'a str> {
        let rest = self.bytes.get(self.at..)?;
        let letters = rest.iter().take(10).take_while(|b| b.is_ascii_alphabetic()).count();
        self.at += letters;
        std::str::from_utf8(rest.get(..letters)?).ok().filter(|word| (1..=9).contains(&word.len()))
    }

    fn iso(mut self, compact: bool) -> Option<(Date, Self)> {
        let mut packed = self;
        if compact && let Some(date) = packed.packed() {
            return Some((date, packed));
        }
        let year = self.number(4, 4)?;
        let mark = self.eat(b"-/._")?;
        let month = self.number(1, 2)?;
        self.eat(&[mark])?;
        let day = self.number(1, 2)?;
        Some((date(year, month, day)?, self))
    }

    /// `YYYYMMDD`.
    fn packed(&mut self) -> Option<Date> {
        let run = self.bytes.get(self.at..self.at + 8).filter(|run| run.iter().all(u8::is_ascii_digit))?;
        let after = self.bytes.get(self.at + 8);
        if after.is_some_and(u8::is_ascii_digit) {
            return None;
        }
        self.at += 8;
        let number = |range: &[u8]| range.iter().fold(0_i16, |sum, digit| sum * 10 + i16::from(digit - b'0'));
        date(number(run.get(..4)?), number(run.get(4..6)?), number(run.get(6..)?))
    }

    fn month(&mut self) -> Option<i16> {
        const MONTHS: [&str; 12] = [
            "january",
            "february",
            "march",
            "april",
            "may",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
        ];
        let word = self.word()?.to_ascii_lowercase();
        let at = MONTHS.iter().position(|month| {
            month.starts_with(&word) && (word.len() == 3 || word.len() == month.len() || word == "sept")
        })?;
        self.eat(b".");
        i16::try_from(at + 1).ok()
    }

    /// `May 3, 2026`.
    fn month_day(mut self) -> Option<(Date, Self)> {
        let month = self.month()?;
        self.blanks();
        let day = self.number(1, 2)?;
        self.ordinal();
        self.eat(b",");
        (self.blanks() > 0).then_some(())?;
        let year = self.number(4, 4)?;
        Some((date(year, month, day)?, self))
    }

    /// `3 May 2026`, `03-May-2026`.
    fn day_month(mut self) -> Option<(Date, Self)> {
        let day = self.number(1, 2)?;
        self.ordinal();
        if self.eat(b"-").is_none() {
            self.blanks();
        }
        let month = self.month()?;
        self.eat(b",-");
        self.blanks();
        let year = self.number(4, 4)?;
        Some((date(year, month, day)?, self))
    }

    fn ordinal(&mut self) {
        let mut after = *self;
        if after.word().is_some_and(|word| ["st", "nd", "rd", "th"].contains(&word)) {
            *self = after;
        }
    }

    /// `T19:45`, ` 19:45:07.5`, `, 7:45 pm`; moves on only where there is one.
    fn time(&mut self) -> Option<(i8, i8, i8)> {
        let mut rest = *self;
        if rest.eat(b"T_,").is_none() || rest.peek() == Some(b' ') {
            rest.blanks();
        }
        if rest.bytes.get(rest.at..).is_some_and(|b| b.starts_with(b"at ")) {
            rest.at += 3;
        }
        let mut hour = rest.number(1, 2)?;
        rest.eat(b":")?;
        let minute = rest.number(2, 2)?;
        let mut second = 0;
        if rest.eat(b":").is_some() {
            second = rest.number(2, 2)?;
            if rest.eat(b".,").is_some() {
                while rest.eat(b"0123456789").is_some() {}
            }
        }
        let mut noon = rest;
        noon.blanks();
        if let Some(half) = noon.word().map(str::to_ascii_lowercase)
            && (half == "am" || half == "pm")
            && (1..=12).contains(&hour)
        {
            hour = hour % 12 + if half == "pm" { 12 } else { 0 };
            rest = noon;
        }
        // A leap second is written 60; the civil time has no place for it.
        let time = (i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second.min(59)).ok()?);
        (hour < 24 && minute < 60 && second <= 60).then_some(())?;
        *self = rest;
        Some(time)
    }

    /// The zone after a time: an offset, or letters that name more than one.
    fn zone(&mut self) -> Option<Result<Offset, String>> {
        self.blanks();
        self.eat(b"(");
        if matches!(self.peek()?, b'+' | b'-') {
            return self.offset().map(Ok);
        }
        let letters = self.word()?;
        let hours = match letters {
            "Z" | "z" | "UTC" | "GMT" | "UT" => return Some(Ok(self.offset().unwrap_or(Offset::UTC))),
            // RFC 5322, section 4.3, fixes these; Alaska and Hawaii are the only others of their letters.
            "EDT" => -4,
            "EST" | "CDT" => -5,
            "CST" | "MDT" => -6,
            "MST" | "PDT" => -7,
            "PST" | "AKDT" => -8,
            "AKST" => -9,
            "HST" => -10,
            other => {
                let zone = (3..=5).contains(&other.len())
                    && other.ends_with('T')
                    && other.bytes().all(|b| b.is_ascii_uppercase());
                return zone.then(|| Err(other.to_owned()));
            }
        };
        Offset::from_hours(hours).ok().map(Ok)
    }

    /// `-08:00`, `+0530`, `-8`.
    fn offset(&mut self) -> Option<Offset> {
        let sign = if self.eat(b"+-")? == b'-' { -1 } else { 1 };
        let number = i32::from(self.number(1, 4)?);
        let (hours, minutes) = if number > 99 { (number / 100, number % 100) } else { (number, 0) };
        let minutes = if self.eat(b":").is_some() { i32::from(self.number(2, 2)?) } else { minutes };
        (hours <= 14 && minutes < 60).then_some(())?;
        Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
    }
}

/// A day in the years bottles are written in: other numbers of this shape are versions, sizes and ids.
fn date(year: i16, month: i16, day: i16) -> Option<Date> {
    (1970..=2100).contains(&year).then_some(())?;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}
