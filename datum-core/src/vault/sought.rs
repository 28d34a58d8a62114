//! Looking for the vault's values in what is about to leave: in all their forms, and inside gzip and zip.

use super::forms::{self, Form, LEAST};
use super::{Vault, packed};
use crate::keys::AgentKeys;
use crate::name::Word;
use crate::secret::{FINDINGS_MAX, Finding};
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::ops::Range;
use zeroize::Zeroizing;

/// How deep packed things are unpacked: a gzip in a zip is 2.
const DEPTH: usize = 2;
/// Most bytes that are unpacked from one text.
const ROOM: usize = 64 * 1024 * 1024;
/// Forms longer than this are broken into lines by common tools (PEM at 64, base64 at 76), bytes.
const LINE: usize = 60;
/// Bits in the table of beginnings, log2.
const BITS: u32 = 18;

/// Values to look for. Its `Debug` shows how many.
#[derive(Default)]
pub struct Sought {
    names: Vec<Word>,
    forms: Matcher,
    /// The long ones, to be looked for once more with the white space taken out.
    long: Matcher,
    short: BTreeSet<Word>,
}

impl fmt::Debug for Sought {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sought({} values)", self.names.len())
    }
}

/// Where a value was found.
struct Sight {
    name: usize,
    how: String,
    at: Range<usize>,
}

impl Vault {
    /// The values that the agent with these keys can open, of every version, to look for.
    ///
    /// Nothing is released by it, so no access record tells of it.
    pub fn sought(&self, keys: &AgentKeys) -> Sought {
        let mut sought = Sought::default();
        for (name, secret) in self.secrets() {
            for version in &secret.versions {
                if let Ok(value) = self.open(name, Some(version.entry), keys) {
                    sought.add(name, &value);
                }
            }
        }
        sought
    }
}

impl Sought {
    /// Adds a value; one that is too short to be told from any other text is noted as such.
    pub fn add(&mut self, name: &Word, value: &[u8]) {
        let forms: Vec<Form> = forms::of(value).into_iter().chain(forms::wide(value)).collect();
        if forms.first().is_none_or(|plain| plain.bytes.len() < LEAST) {
            self.short.insert(name.clone());
            return;
        }
        let number = self.names.len();
        self.names.push(name.clone());
        for form in forms {
            if matches!(form.how, "plain" | "base64" | "hex") && form.bytes.len() > LINE {
                self.long.add(number, form.how, stripped(&form.bytes));
            }
            self.forms.add(number, form.how, form.bytes);
        }
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Names with values too short to be looked for.
    pub fn too_short(&self) -> impl Iterator<Item = &Word> {
        self.short.iter()
    }

    /// Finds the values in a text, and says whether all that is packed in it was looked at. No finding holds a value.
    pub fn find(&self, text: &[u8]) -> (Vec<Finding>, bool) {
        let mut sights = Vec::new();
        let mut room = ROOM;
        let all = self.find_in(text, DEPTH, &mut room, &mut sights);
        sights.sort_by_key(|sight| sight.at.start);
        sights.dedup_by(|b, a| b.name == a.name && b.at.start < a.at.end);
        sights.truncate(FINDINGS_MAX);
        let finding = |sight: &Sight| {
            let shown = format!("{} as {}", self.names[sight.name], sight.how);
            Finding::of_vault(text, sight.at.clone(), shown)
        };
        (sights.iter().map(finding).collect(), all)
    }

    fn find_in(&self, text: &[u8], depth: usize, room: &mut usize, sights: &mut Vec<Sight>) -> bool {
        self.forms.find(text, |name, how, at| {
            sights.push(Sight { name, how: how.to_owned(), at });
            sights.len() < FINDINGS_MAX * 4
        });
        if !self.long.is_empty() {
            let known: BTreeSet<usize> = sights.iter().map(|sight| sight.name).collect();
            self.long.find(&stripped(text), |name, how, at| {
                if !known.contains(&name) {
                    let start = unstripped(text, at.start);
                    let how = format!("{how} in lines");
                    sights.push(Sight { name, how, at: start..unstripped(text, at.end - 1) + 1 });
                }
                sights.len() < FINDINGS_MAX * 4
            });
        }
        if depth == 0 {
            return true;
        }
        let mut all = true;
        all &= packed::unpack(text, room, |inner, room| {
            let mut below = Vec::new();
            all &= self.find_in(&inner.bytes, depth - 1, room, &mut below);
            let outer = |sight: Sight| Sight {
                how: format!("{} in {}", sight.how, inner.how),
                // The place in what is packed means nothing outside.
                at: 0..0,
                ..sight
            };
            sights.extend(below.into_iter().map(outer));
        });
        all
    }
}

fn stripped(text: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.iter().filter(|byte| !byte.is_ascii_whitespace()).copied().collect())
}

/// Where the byte is that stands at `at` once the white space is taken out.
fn unstripped(text: &[u8], at: usize) -> usize {
    let mut solid = text.iter().enumerate().filter(|(_, byte)| !byte.is_ascii_whitespace());
    solid.nth(at).map_or(text.len(), |(place, _)| place)
}

/// Finds many patterns at once: by their first four bytes, then in full.
#[derive(Default)]
struct Matcher {
    patterns: Vec<(usize, &'static str, Zeroizing<Vec<u8>>)>,
    by_beginning: HashMap<u32, Vec<usize>>,
    /// A bit for every hash of a beginning.
    bits: Vec<u64>,
}

fn hash(word: u32) -> usize {
    (word.wrapping_mul(0x9E37_79B1) >> (u32::BITS - BITS)) as usize
}

impl Matcher {
    fn add(&mut self, name: usize, how: &'static str, bytes: Zeroizing<Vec<u8>>) {
        let Some((first, _)) = bytes.split_first_chunk::<4>() else { return };
        let word = u32::from_le_bytes(*first);
        self.bits.resize(1 << (BITS - 6), 0);
        self.bits[hash(word) >> 6] |= 1 << (hash(word) & 63);
        self.by_beginning.entry(word).or_default().push(self.patterns.len());
        self.patterns.push((name, how, bytes));
    }

    fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Shows what is found until `show` says that it is enough.
    fn find(&self, text: &[u8], mut show: impl FnMut(usize, &'static str, Range<usize>) -> bool) {
        if self.is_empty() {
            return;
        }
        for (at, four) in text.windows(4).enumerate() {
            let word = u32::from_le_bytes([four[0], four[1], four[2], four[3]]);
            let place = hash(word);
            if self.bits[place >> 6] & (1 << (place & 63)) == 0 {
                continue;
            }
            for index in self.by_beginning.get(&word).into_iter().flatten() {
                let (name, how, bytes) = &self.patterns[*index];
                if text[at..].starts_with(bytes) && !show(*name, how, at..at + bytes.len()) {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::packed::tests::{gzip, zip};
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    const VALUE: &str = "c4n4ry V4lue \"that\" must not leave/+&";

    fn sought(value: &str) -> Sought {
        let mut sought = Sought::default();
        sought.add(&Word::new("name", "db/password").unwrap(), value.as_bytes());
        sought
    }

    #[track_caller]
    fn finds(sought: &Sought, text: &[u8], how: &str) {
        let (found, all) = sought.find(text);
        let shown: Vec<_> = found.iter().map(|finding| finding.redacted.as_str()).collect();
        assert!(shown.contains(&format!("db/password as {how}").as_str()) && all, "{how}: {shown:?}");
        assert!(!format!("{found:?}").contains("V4lue"));
    }

    #[test]
    fn a_value_is_found_in_whatever_it_is_put() {
        let sought = sought(VALUE);
        let plain = format!("first\npassword = {VALUE}\n");
        finds(&sought, plain.as_bytes(), "plain");
        let (found, _) = sought.find(plain.as_bytes());
        assert_eq!((found[0].line, found[0].column, found.len()), (2, 12, 1));
        finds(&sought, STANDARD.encode(&plain).as_bytes(), "base64");
        let wide: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
        finds(&sought, &wide, "utf-16");
        finds(&sought, &gzip(plain.as_bytes()), "plain in gzip");
        finds(&sought, &zip(plain.as_bytes()), "plain in zip");
        finds(&sought, &zip(&gzip(plain.as_bytes())), "plain in gzip in zip");
        finds(&sought, &gzip(&zip(STANDARD.encode(&plain).as_bytes())), "base64 in zip in gzip");
        // So much of the same is really deflated; a little would stand in it as it is.
        let deep = gzip(&gzip(&gzip(plain.repeat(9).as_bytes())));
        assert_eq!(sought.find(&deep).0, [], "two deep is as deep as it looks");
    }

    #[test]
    fn long_values_are_found_in_lines() {
        let value = "0123456789abcdefghijklmnopqrstuvwxyz".repeat(5);
        let sought = sought(&value);
        let lines = |text: &str, width: usize| {
            let lines: Vec<_> = text
                .as_bytes()
                .chunks(width)
                .map(|line| String::from_utf8_lossy(line).into_owned())
                .collect();
            format!("key:\n    {}\n", lines.join("\n    "))
        };
        finds(&sought, lines(&STANDARD.encode(&value), 64).as_bytes(), "base64 in lines");
        finds(&sought, lines(&value, 70).as_bytes(), "plain in lines");
        let (found, _) = sought.find(lines(&value, 70).as_bytes());
        assert_eq!((found[0].line, found[0].column), (2, 5));
    }

    #[test]
    fn short_values_are_named_and_not_looked_for() {
        let sought = sought("12345");
        assert!(sought.is_empty() && sought.find(b"12345").0.is_empty());
        assert_eq!(sought.too_short().count(), 1);
        assert_eq!(format!("{sought:?}"), "Sought(0 values)");
    }
}
