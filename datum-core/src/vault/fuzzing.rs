//! The vault's fuzz targets; see `crate::fuzzing`.
#![expect(clippy::missing_panics_doc, reason = "a panic is what a fuzzer looks for")]

use super::act::Act;
use super::{Sought, legacy, open_sealed, portable, seal};
use crate::entry::{Draft, Entry, Message};
use crate::fuzzing::{id, writer};
use crate::id::EntryId;
use crate::keys::{AgentKeys, KeyFile, opened_by};
use crate::kind::Kind;
use crate::name::{AgentName, Word};
use crate::sshsig::PublicKey;
use std::sync::LazyLock;
use zeroize::Zeroizing;

/// A vault's id like any other.
fn vault() -> EntryId {
    id()
}

/// Applies the input to good bytes: two bytes say where, the third what is flipped there.
fn flipped(good: &[u8], data: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for change in data.chunks_exact(3).take(8) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % bytes.len();
        bytes[at] ^= change[2];
    }
    bytes
}

/// The sealed body of a value: the input as it is, and a good one that the input changes.
pub fn body(data: &[u8]) {
    static NAME: LazyLock<Option<Word>> = LazyLock::new(|| Word::new("name", "db/password").ok());
    let Some(name) = &*NAME else { return };
    let with: seal::DataKey = Zeroizing::new([7; 32]);
    let binding = seal::Binding { vault: vault(), name, version: 3 };
    assert!(seal::open(data, &with, &binding).is_err(), "what nobody sealed does not open");
    let good = seal::cipher_seal(b"a value of some length", &with, &[9; 24], b"bound").unwrap_or_default();
    let changed = flipped(&good, data);
    assert_eq!(seal::cipher_open(&changed, &with, b"bound").is_some(), changed == good);
    let (value, other) = data.split_at(data.len() / 2);
    let sealed = seal::cipher_seal(value, &with, &[9; 24], other).unwrap_or_default();
    assert!(seal::cipher_open(&sealed, &with, other).is_some_and(|back| *back == *value));
}

struct Wrapped {
    keys: AgentKeys,
    name: Word,
    wrap: Vec<u8>,
}

/// A wrap: the input as it is, and a good one that the input changes; and the file of an agent's keys.
pub fn wrap(data: &[u8]) {
    static GOOD: LazyLock<Option<Wrapped>> = LazyLock::new(|| {
        let keys = AgentKeys::generate(AgentName::new("a").ok()?).ok()?;
        let name = Word::new("name", "db/password").ok()?;
        let binding = seal::Binding { vault: vault(), name: &name, version: 3 };
        let wrap = seal::wrap(&Zeroizing::new([7; 32]), &binding, "a", "00ff", &keys.recipient()).ok()?;
        Some(Wrapped { keys, name, wrap })
    });
    let Some(Wrapped { keys, name, wrap }) = &*GOOD else { return };
    let binding = seal::Binding { vault: vault(), name, version: 3 };
    assert!(opened_by(data, keys.identity()).is_none(), "what nobody sealed does not open");
    let changed = flipped(wrap, data);
    let opened = seal::unwrap(&changed, &binding, "00ff", keys);
    assert_eq!(opened.is_ok_and(|found| *found == [7; 32]), changed == *wrap);
    let Ok(text) = std::str::from_utf8(data) else { return };
    assert!(open_sealed(text, keys).is_err());
    if let Ok(key) = PublicKey::parse(text) {
        assert_eq!(PublicKey::parse(&key.to_string()), Ok(key));
    }
    if let Ok(file) = KeyFile::parse(text)
        && !file.is_locked()
        && let Ok(keys) = file.open::<crate::keys::KeyError>(|| Ok(Zeroizing::default()))
    {
        assert!(KeyFile::parse(&keys.print()).is_ok());
    }
}

/// An entry of the vault, from its message; its digest is set right, for none could be guessed.
pub fn act(data: &[u8]) {
    let entry = |text: &str| {
        let (message, writer) = (Message::parse(text)?, writer()?);
        let raw = text.as_bytes();
        let kind = Kind::Vault;
        let mut entry: Entry = crate::entry::View {
            id: id(),
            writer: &writer,
            kind,
            source: crate::commit::Source::Whole(raw),
            message,
        }
        .to_entry();
        for (key, value) in &mut entry.trailers {
            if key == "Digest" {
                *value = seal::digest(entry.body.as_bytes());
            }
        }
        Some(entry)
    };
    let Some(found) = std::str::from_utf8(data).ok().and_then(entry) else { return };
    let after: Vec<EntryId> = Act::after(&found).flatten().collect();
    let Ok((of, act)) = Act::parse(&found) else { return };
    let founds = matches!(act, Act::Init(_));
    assert_eq!(of == found.id, founds || of == id());
    let Ok(draft): Result<Draft, _> = act.draft((!founds).then_some(of), &after) else { return };
    let printed = entry(&draft.print(Kind::Vault, "a", 1, 1, None));
    let again = printed.as_ref().map(Act::parse);
    assert_eq!(again, Some(Ok((of, act))), "printed and read again");
}

/// The vault file of the original runtime.
pub fn legacy(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(found) = legacy::parse(text) else { return };
    let names: std::collections::BTreeSet<_> = found.iter().map(|entry| entry.name.clone()).collect();
    assert_eq!(names.len(), found.len(), "no two names become one");
}

/// Values as dotenv and JSON.
pub fn portable(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(values) = portable::parse_dotenv(text)
        && let Ok(printed) = portable::print_dotenv(&values)
    {
        let again = portable::parse_dotenv(&printed).unwrap_or_default();
        let sorted = |values: &portable::Values| {
            let mut values: Vec<Vec<u8>> = values.values().map(|value| value.to_vec()).collect();
            values.sort();
            values
        };
        assert_eq!(sorted(&again), sorted(&values), "printed and read again");
    }
    if let Ok(values) = portable::parse_json(text) {
        let again = portable::print_json(&values).and_then(|text| portable::parse_json(&text));
        assert!(again.is_ok_and(|again| {
            again
                .into_iter()
                .map(|(n, v)| (n, v.to_vec()))
                .eq(values.into_iter().map(|(n, v)| (n, v.to_vec())))
        }));
    }
}

/// What leaves, searched for a value: packed, encoded, cut.
pub fn sought(data: &[u8]) {
    static SOUGHT: LazyLock<Sought> = LazyLock::new(|| {
        let mut sought = Sought::default();
        if let Ok(name) = Word::new("name", "db/password") {
            sought.add(&name, b"hunter2/a+long&value");
        }
        sought
    });
    let _ = SOUGHT.find(data);
    let with = [data, b"hunter2/a+long&value"].concat();
    // What is packed is looked at unpacked as well as it stands.
    assert!(!SOUGHT.find(&with).0.is_empty(), "a value that stands there is found");
}
