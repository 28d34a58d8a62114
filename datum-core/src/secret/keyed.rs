//! Secrets without a prefix: keys by chance and context, passwords by context, private keys by their frame.

use super::chance::{Mix, is_stand_in};
use super::context::{Guess, Named, before};
use super::{Hit, Level, is_word};
use memchr::memmem;
use std::ops::Range;

/// Lengths of keys that are looked for, characters.
const KEY: std::ops::RangeInclusive<usize> = 20..=128;
/// The length of a key that is looked for even where nothing says what it is, characters.
const BARE: usize = 32;

fn guessed(level: Level, guess: Guess) -> Level {
    match (level, guess) {
        (Level::Critical, Guess::Less) => Level::Error,
        (_, Guess::Less) => Level::Warning,
        _ => level,
    }
}

/// Looks whether the run `run` of word characters is, or is part of, a key without a prefix.
pub(super) fn look(text: &[u8], run: &Range<usize>, guess: Guess) -> Option<Hit> {
    if guess == Guess::Never || run.len() > *KEY.end() {
        return None;
    }
    // Most runs are names, and most names have no digit.
    if !text[run.clone()].iter().any(u8::is_ascii_digit) {
        return None;
    }
    let at = widen(text, run);
    let value = &text[at.clone()];
    if !KEY.contains(&value.len()) || in_word(text, &at) {
        return None;
    }
    let mix = Mix::of(value);
    // So begins the public half of an SSH key.
    let public = value.starts_with(b"AAAAC3Nz") || value.starts_with(b"AAAAB3Nz");
    // What CI services sealed for themselves opens nothing elsewhere.
    let sealed = text[..at.start].ends_with(b"ENCRYPTED[") || text[..at.start].ends_with(b"ENC[");
    if !mix.is_random() || is_stand_in(value) || is_uuid(value) || public || sealed {
        return None;
    }
    let named = before(text, at.start);
    let mixed = mix.upper > 0 && mix.lower > 0 && !mix.is_hex();
    let strong = if mix.is_hex() { mix.bits >= 3.0 } else { mix.bits >= 3.5 };
    let (rule, what, level) = match named {
        Named::Other => return None,
        Named::Secret if strong => ("assigned-key", "a key or token by its name", Level::Error),
        Named::Key if strong && (mixed || value.len() == BARE) => {
            ("assigned-key", "a key by its name", Level::Error)
        }
        _ if value.len() == BARE
            && mixed
            && mix.other == 0
            && mix.bits >= 4.0
            && stands_alone(text, &at)
            && !is_text(value)
            && !continues(text, at.start) =>
        {
            ("bare-key", "32 characters drawn by chance", Level::Error)
        }
        _ => return None,
    };
    Some(Hit { rule, what, level: guessed(level, guess), at, open: 0 })
}

/// The run with what base64 has beside word characters, where that makes a whole.
fn widen(text: &[u8], run: &Range<usize>) -> Range<usize> {
    let more = |byte: u8| is_word(byte) || matches!(byte, b'+' | b'/');
    let mut end = run.end;
    while end < text.len() && more(text[end]) && end - run.start <= *KEY.end() {
        end += 1;
    }
    let mut start = run.start;
    while start > 0 && more(text[start - 1]) && end - start <= *KEY.end() {
        start -= 1;
    }
    while end < text.len()
        && text[end] == b'='
        && end - run.end < 3
        && start < run.end
        && !(end - start).is_multiple_of(4)
    {
        end += 1;
    }
    start..end
}

/// Whether the value is a part of something longer: a path, an address, a number with points.
fn in_word(text: &[u8], at: &Range<usize>) -> bool {
    let before = at.start.checked_sub(1).map(|at| text[at]);
    let after = text.get(at.end).copied();
    let second = text.get(at.end + 1).copied();
    let joins = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte >= 0x80);
    matches!(before, Some(b'.' | b'@' | b'%' | b'\\' | b'#' | b'&' | b'?'))
        || matches!(after, Some(b'(' | b'@' | b'!'))
        || (matches!(after, Some(b'.' | b':')) && joins(second))
        || (after == Some(b':') && second == Some(b':'))
}

/// Whether the value is all of a word in quotes or between spaces.
fn stands_alone(text: &[u8], at: &Range<usize>) -> bool {
    let edge = |byte: Option<u8>| {
        byte.is_none_or(|byte| byte.is_ascii_whitespace() || b"\"'`|,;=:)]}<>".contains(&byte))
    };
    edge(at.start.checked_sub(1).map(|at| text[at])) && edge(text.get(at.end).copied())
}

/// Whether a value is words in base64.
fn is_text(value: &[u8]) -> bool {
    let bits = |byte: &u8| match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        _ => 62,
    };
    value.chunks_exact(4).all(|four| {
        let number = four.iter().fold(0, |number, byte| number << 6 | bits(byte));
        number.to_be_bytes()[1..].iter().all(|byte| (0x20..0x7f).contains(byte))
    })
}

/// Whether the line is the end of a block of base64: the line before ends as a long run of it.
fn continues(text: &[u8], start: usize) -> bool {
    let Some(end) = memchr::memrchr(b'\n', &text[..start]) else { return false };
    let base64 = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(**byte, b'+' | b'/');
    text[..end]
        .iter()
        .rev()
        .skip_while(|byte| matches!(byte, b'\r' | b'"' | b'\\'))
        .take(60)
        .take_while(base64)
        .count()
        >= 40
}

fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36 && [8, 13, 18, 23].iter().all(|at| value[*at] == b'-')
}

/// Finds private keys in the frames of RFC 7468 and of OpenSSH and PGP.
pub(super) fn private_keys(text: &[u8], hits: &mut Vec<Hit>) {
    /// The shortest line of a key: one of Ed25519 has 64 characters in PKCS #8. A frame without one is an example.
    const LINE: usize = 60;
    for at in memmem::find_iter(text, b"PRIVATE KEY") {
        let from = at.saturating_sub(40);
        let Some(start) = memmem::rfind(&text[from..at], b"-----BEGIN ").map(|begin| from + begin) else {
            continue;
        };
        let label = &text[start + 11..at];
        if !label.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ') {
            continue;
        }
        let Some(after) = memmem::find(&text[at..text.len().min(at + 30)], b"-----") else { continue };
        let body = at + after + 5;
        let limit = text.len().min(body + 16_384);
        let end =
            memmem::find(&text[body..limit], b"-----END").map_or(limit.min(body + 400), |end| body + end);
        let first = &text[body..end.min(body + 400)];
        let mut lines = first.split(|byte| !byte.is_ascii_alphanumeric() && !b"+/".contains(byte));
        if !lines.any(|line| line.len() >= LINE && !is_stand_in(line)) || hits.len() >= super::FINDINGS_MAX {
            continue;
        }
        let locked = label.starts_with(b"ENCRYPTED") || memmem::find(first, b"ENCRYPTED").is_some();
        let level = if locked { Level::Warning } else { Level::Critical };
        hits.push(Hit { rule: "private-key", what: "a private key", level, at: start..end, open: 0 });
    }
}

/// Finds passwords in addresses, and those assigned to a name.
pub(super) fn passwords(text: &[u8], guess: Guess, hits: &mut Vec<Hit>) {
    for at in memmem::find_iter(text, b"://") {
        let rest = &text[at + 3..text.len().min(at + 203)];
        let Some(end) = rest
            .iter()
            .position(|byte| byte.is_ascii_whitespace() || b"/\"'`<>".contains(byte))
            .or(Some(rest.len()))
        else {
            continue;
        };
        let Some(sign) = memchr::memrchr(b'@', &rest[..end]) else { continue };
        let Some(colon) = memchr::memchr(b':', &rest[..sign]) else { continue };
        let host = rest[sign + 1..end].to_ascii_lowercase();
        let near = ["localhost", "127.", "example", "host", "db", "server", "test", "[", "{", "$"];
        let open = near.iter().any(|name| host.starts_with(name.as_bytes()))
            || memmem::find(&host, b"example").is_some();
        let value = &rest[colon + 1..sign];
        if !open && colon > 0 && is_password(value) && hits.len() < super::FINDINGS_MAX {
            let start = at + 3 + colon + 1;
            let level = guessed(Level::Error, guess);
            hits.push(Hit {
                rule: "password-in-url",
                what: "a password in an address",
                level,
                at: start..start + value.len(),
                open: 0,
            });
        }
    }
    for word in ["passw", "PASSW", "Passw"] {
        for at in memmem::find_iter(text, word.as_bytes()) {
            if let Some(value) = assigned(text, at)
                && is_password(&text[value.clone()])
                && hits.len() < super::FINDINGS_MAX
            {
                let level = guessed(Level::Error, guess);
                hits.push(Hit {
                    rule: "assigned-password",
                    what: "a password by its name",
                    level,
                    at: value,
                    open: 0,
                });
            }
        }
    }
}

/// The value in quotes that is assigned to the name around `at`.
fn assigned(text: &[u8], at: usize) -> Option<Range<usize>> {
    let line_end = memchr::memchr(b'\n', &text[at..text.len().min(at + 200)])
        .map_or(text.len().min(at + 200), |end| at + end);
    let name = text[at..line_end].iter().position(|byte| !is_word(*byte))?;
    let mut from = at + name;
    // `"password": "…"`, `password = '…'`, `password: &str = "…"`: one sign, then a quote.
    let mut sign = false;
    while from < line_end {
        match text[from] {
            b'=' | b':' | b'>' => sign = true,
            b'"' | b'\'' if sign => break,
            b'"' | b'\'' | b' ' | b'\t' | b'&' | b']' => {}
            byte if byte.is_ascii_alphabetic() && sign => {}
            _ => return None,
        }
        from += 1;
    }
    let quote = *text[..line_end].get(from)?;
    let length = text[from + 1..line_end].iter().position(|byte| *byte == quote)?;
    Some(from + 1..from + 1 + length)
}

/// Whether a value is what a program or a careful person would take for a password.
fn is_password(value: &[u8]) -> bool {
    let plain = value.iter().all(|byte| byte.is_ascii_graphic() && !b"${}<>()[]\\ ".contains(byte));
    if !plain || !(10..=100).contains(&value.len()) {
        return false;
    }
    let mix = Mix::of(value);
    // Words joined by signs are names; only digits among letters make a password here.
    mix.digits >= 2 && mix.upper + mix.lower >= 3 && mix.turns >= 4 && mix.bits >= 3.0 && !is_stand_in(value)
}
