//! The stored format, and texts that only look like it.

use super::*;
use crate::entry::Entry;
use crate::stamp::Writer;
use crate::vault::act::Act;
use proptest::prelude::*;

#[test]
fn the_stored_format_stays() {
    let clone = Clone::founded(&["a"]);
    clone.set("a", "x", "one").unwrap();
    let text = git(clone.dir.path(), &["log", "--format=%B", "refs/datum/vault/a-aaaaaaaa"]);
    let public = |text: &str| {
        let hide = |line: &str| match line.split_once(' ') {
            Some((first, _))
                if ["sealed", "wrap", "Signer:", "Recipient:", "Digest:", "Vault:"].contains(&first) =>
            {
                format!("{first} …")
            }
            _ => line.to_owned(),
        };
        text.lines().map(hide).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(public(&text), @r"
    Vault: …

    sealed …
    wrap …


    Vault: …
    Does: set
    Name: x
    Version: 1
    Member: a
    Digest: …
    Kind: vault
    Agent: a
    Clock: 1767225600001
    Seq: 2

    Vault founded by a

    Does: init
    Member: a
    Role: owner
    Signer: …
    Recipient: …
    Kind: vault
    Agent: a
    Clock: 1767225600000
    Seq: 1
    ");
    for word in ["key", "secret", "token", "passw"] {
        assert!(
            !text
                .to_lowercase()
                .lines()
                .filter_map(|l| l.split([' ', ':']).next())
                .any(|field| field.contains(word))
        );
    }
}

/// An entry with this body and these trailers, its digest right.
fn entry(body: &str, trailers: &[(String, String)]) -> Entry {
    let mut trailers = trailers.to_vec();
    trailers.push(("Digest".to_owned(), crate::vault::seal::digest(body.as_bytes())));
    let writer = Writer::parse("a-aaaaaaaa").unwrap();
    let id = EntryId::from_hex(&"1".repeat(40)).unwrap();
    Entry {
        id,
        kind: Kind::Vault,
        writer,
        agent: "a".to_owned(),
        subject: String::new(),
        body: body.to_owned(),
        trailers,
        clock: 0,
        seq: 1,
    }
}

/// Lines that are, or nearly are, those of a body.
fn body() -> impl Strategy<Value = String> {
    let line = "(sealed|wrap|wrap a|wrap b|wrap 1{40}|\\PC{0,6}) ?([A-Za-z0-9+/]{4}){0,12}={0,2}\\PC{0,2}";
    prop::collection::vec(line, 0..4).prop_map(|lines| lines.join("\n"))
}

/// Trailers that are, or nearly are, those of an entry.
fn trailers() -> impl Strategy<Value = Vec<(String, String)>> {
    let one = (
        "(Vault|Does|Name|Version|Member|Role|Signer|Recipient|After|Digest)",
        prop_oneof![
            Just("1".repeat(40)),
            "(init|member|set|grant|revoke|destroy|owner|none|a|b|x|1|-1|18446744073709551616)",
            "\\PC{0,20}",
            "age1[a-z0-9]{0,58}",
            "ssh-ed25519 [A-Za-z0-9+/]{0,68}",
        ],
    );
    prop::collection::vec(one, 0..9)
}

proptest! {
    #[test]
    fn what_looks_like_an_entry_never_panics(body in body(), trailers in trailers()) {
        let entry = entry(&body, &trailers);
        if let Ok((vault, act)) = Act::parse(&entry) {
            // What was understood is said again in the same words.
            let draft = act.draft(Some(vault), &[]).unwrap();
            prop_assert_eq!(draft.body(), entry.body.trim_end());
        }
    }

    #[test]
    fn nothing_opens_from_nothing(bytes in prop::collection::vec(any::<u8>(), 0..300), age in any::<bool>()) {
        use crate::vault::seal;
        let what = name("x");
        let vault = EntryId::from_hex(&"1".repeat(40)).unwrap();
        let binding = seal::Binding { vault, name: &what, version: 1 };
        let mut wrap = if age { b"age-encryption.org/v1\n-> X25519 ".to_vec() } else { Vec::new() };
        wrap.extend(&bytes);
        let keys = AgentKeys::generate(agent("a")).unwrap();
        prop_assert!(seal::open(&bytes, &zeroize::Zeroizing::default(), &binding).is_err());
        prop_assert!(seal::unwrap(&wrap, &binding, "", &keys).is_err());
    }
}

#[test]
fn every_act_is_parsed_as_it_was_printed() {
    let keys = AgentKeys::generate(agent("a")).unwrap();
    let member = Member::of(&keys, Role::Keeper);
    let (what, id) = (name("x"), EntryId::from_hex(&"1".repeat(40)).unwrap());
    let wraps = BTreeMap::from([("a".to_owned(), vec![1, 2]), ("b".to_owned(), vec![3])]);
    let acts = [
        Act::Member(member),
        Act::Set { name: what.clone(), version: 3, granted: vec![agent("b")], sealed: vec![9; 50], wraps },
        Act::Grant { name: what.clone(), agent: agent("b"), wraps: BTreeMap::from([(id, vec![7])]) },
        Act::Revoke { name: what.clone(), agent: agent("b") },
        Act::Destroy { name: what },
    ];
    for act in acts {
        let draft = act.draft(Some(id), &[]).unwrap();
        let message = draft.print(Kind::Vault, "a", 1, 1, None);
        let parsed = crate::entry::Message::parse(&message).unwrap();
        let pair = |line: &str| line.split_once(": ").map(|(key, value)| (key.to_owned(), value.to_owned()));
        let trailers = parsed.trailers.lines().filter_map(pair).collect();
        let entry = Entry { trailers, ..entry(parsed.body, &[]) };
        assert_eq!(Act::parse(&entry), Ok((id, act)));
    }
}
