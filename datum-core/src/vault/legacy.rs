//! The vault file of the original runtime, to be read once and left behind.
//!
//! It is a JSON object of name → `{value_encrypted, created_at, created_by, description}`; `value_encrypted` is
//! hexadecimal of a salt (16 bytes), a nonce (12) and what AES-256-GCM made of the value under PBKDF2-HMAC-SHA256 of a
//! password, 600,000 rounds, with no associated data. So its names are not authenticated: whoever could write the file
//! may have put one value under the name of another, and nothing tells.

use super::Value;
use super::seal::VALUE_MAX;
use crate::name::{WORD_MAX, Word};
use aes_gcm::aead::{Aead as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, Nonce};
use sha2::Sha256;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use zeroize::Zeroizing;

const ROUNDS: u32 = 600_000;
const SALT: usize = 16;
const NONCE: usize = 12;
const TAG: usize = 16;

/// Why the file was refused. No error holds anything of it but names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LegacyError {
    /// The text is no such file.
    #[error("it is no vault file of the original: no JSON object of names with value_encrypted")]
    File,
    /// One entry holds no sealed value.
    #[error("the entry {name:?} holds no sealed value")]
    Entry {
        /// Its name.
        name: String,
    },
}

/// One entry of the file.
#[derive(Clone, PartialEq, Eq)]
pub struct Legacy {
    /// The name in the file.
    pub old: String,
    /// The name it gets here.
    pub name: Word,
    sealed: Vec<u8>,
}

impl fmt::Debug for Legacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Legacy({:?} as {})", self.old, self.name)
    }
}

/// Reads the file; the entries come in the order of their names.
///
/// # Errors
/// [`LegacyError`] when it is no such file, or an entry holds no sealed value.
pub fn parse(text: &str) -> Result<Vec<Legacy>, LegacyError> {
    let file: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|_| LegacyError::File)?;
    let mut taken: BTreeSet<String> =
        file.keys().filter(|name| Word::new("name", name).is_ok()).cloned().collect();
    let one = |(old, entry): (String, serde_json::Value)| {
        let wrong = || LegacyError::Entry { name: old.clone() };
        let sealed = entry.get("value_encrypted").and_then(|text| text.as_str()).ok_or_else(wrong)?;
        let sealed = unhex(sealed).filter(|sealed| sealed.len() >= SALT + NONCE + TAG).ok_or_else(wrong)?;
        if sealed.len() > SALT + NONCE + TAG + VALUE_MAX {
            return Err(wrong());
        }
        let name = mapped(&old, &mut taken);
        Ok(Legacy { old, name, sealed })
    };
    file.into_iter().map(one).collect()
}

impl Legacy {
    /// Opens the value with a password, which takes a third of a second by design; `None` if it is another's.
    pub fn open(&self, password: &str) -> Option<Value> {
        self.open_after(password, ROUNDS)
    }

    fn open_after(&self, password: &str, rounds: u32) -> Option<Value> {
        let (salt, rest) = self.sealed.split_at_checked(SALT)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE)?;
        let mut with = Zeroizing::new([0; 32]);
        pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), salt, rounds, &mut *with);
        let cipher = Aes256Gcm::new((&*with).into());
        cipher.decrypt(Nonce::from_slice(nonce), sealed).ok().map(Value::new)
    }
}

/// A name as this vault has them: what may not stand in one becomes `-`, and no two become one.
fn mapped(old: &str, taken: &mut BTreeSet<String>) -> Word {
    if let Ok(name) = Word::new("name", old) {
        return name;
    }
    let fits = |c: char| c.is_alphanumeric() || "._-/:+#".contains(c);
    let text: String = old.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    let start = text.trim_start_matches(|c: char| !c.is_alphanumeric());
    let base = if start.is_empty() { "unnamed" } else { start };
    for number in 1u32.. {
        let end = if number == 1 { String::new() } else { format!("-{number}") };
        let mut cut = base.len().min(WORD_MAX - end.len());
        while !base.is_char_boundary(cut) {
            cut -= 1;
        }
        let name = format!("{}{end}", &base[..cut]);
        if let Ok(word) = Word::new("name", &name)
            && taken.insert(name)
        {
            return word;
        }
    }
    unreachable!("one of four thousand million names is free")
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Made with Python's `hashlib` and `cryptography` as the original did: password `keeper`, value `hunter2`.
    const MADE_ELSEWHERE: &str = include_str!("legacy_sample.json");

    fn sealed(password: &str, value: &[u8], rounds: u32) -> String {
        let mut with = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &[7; SALT], rounds, &mut with);
        let body = Aes256Gcm::new((&with).into()).encrypt(Nonce::from_slice(&[9; NONCE]), value).unwrap();
        [&[7; SALT][..], &[9; NONCE], &body].concat().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn a_file_made_by_the_original_opens() {
        let entries = parse(MADE_ELSEWHERE).unwrap();
        let names: Vec<_> = entries.iter().map(|entry| (entry.old.as_str(), entry.name.as_str())).collect();
        assert_eq!(names, [("API TOKEN!", "API-TOKEN-"), ("db_password", "db_password")]);
        // 600,000 rounds in a build without optimisation are too slow to do for both.
        assert_eq!(entries[1].open("keeper").unwrap().as_ref(), b"hunter2");
    }

    #[test]
    fn a_wrong_password_and_a_changed_byte_open_nothing() {
        let text = format!(r#"{{"a": {{"value_encrypted": "{}"}}}}"#, sealed("p", b"value", 2));
        let entry = parse(&text).unwrap().remove(0);
        assert_eq!(entry.open_after("p", 2).unwrap().as_ref(), b"value");
        assert_eq!(entry.open_after("q", 2), None);
        for at in 0..entry.sealed.len() {
            let mut changed = entry.clone();
            changed.sealed[at] ^= 1;
            assert_eq!(changed.open_after("p", 2), None, "{at}");
        }
    }

    #[test]
    fn names_are_mapped_and_never_two_to_one() {
        let mut taken = BTreeSet::from(["a-b".to_owned()]);
        let mut map = |old: &str| mapped(old, &mut taken).to_string();
        assert_eq!(map("a b"), "a-b-2");
        assert_eq!(map("a!b"), "a-b-3");
        assert_eq!(map(""), "unnamed");
        assert_eq!(map("../../x"), "x");
        assert_eq!(map(&"é!".repeat(60)).len(), 63);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}", name in "\\PC{0,80}", hex in "[0-9a-fA-Fx]{0,120}") {
            let _ = parse(&text);
            let file = serde_json::json!({ name: { "value_encrypted": hex } }).to_string();
            if let Ok(entries) = parse(&file) {
                prop_assert!(entries[0].open_after("p", 1).is_none());
                prop_assert!(entries[0].name.as_str().len() <= WORD_MAX);
            }
        }
    }

    #[test]
    fn errors_repeat_nothing_of_the_file() {
        for bad in [
            "",
            "[]",
            "{\"a\": mysterious}",
            "{\"a\": {\"value\": \"mysterious\"}}",
            "{\"a\": {\"value_encrypted\": \"mysterious\"}}",
        ] {
            let error = parse(bad).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("mysterious"), "{bad}");
        }
    }
}
