//! What is forged, changed, set back or replaced is not believed.

use super::*;
use crate::vault::{act, seal};
use std::path::Path;

/// Appends entries to the vault's log as `by`, whatever its rights: what a hostile program would write.
fn force(clone: &Clone, by: &str, act: &act::Act) -> EntryId {
    let vault = clone.pins.vault();
    let store = clone.store();
    let after: Vec<_> = store.snapshot().unwrap().tips().map(|(_, _, tip)| tip).collect();
    let draft = act.draft(vault, &after).unwrap();
    store.apply::<StoreError>(Kind::Vault, &stamp(by, 9), |_| Ok(vec![draft.clone()])).unwrap().ids[0]
}

#[test]
fn entries_made_from_public_data_alone_count_for_nothing() {
    let clone = Clone::founded(&["a", "b", "mallory"]);
    clone.take_in("b", Role::Member);
    clone.set("a", "x", "one").unwrap();
    let vault = clone.pins.vault().unwrap();
    let (what, version) = (name("x"), 2);
    let binding = seal::Binding { vault, name: &what, version };
    let (sealed, data) = seal::seal(b"forged", &binding).unwrap();
    let digest = seal::digest(&sealed);
    // Everything is right but the right: sealed to the owner's public recipient, with the right bound data.
    let wrap = seal::wrap(&data, &binding, "a", &digest, &clone.keys["a"].recipient()).unwrap();
    let wraps = BTreeMap::from([("a".to_owned(), wrap)]);
    let set = act::Act::Set { name: what.clone(), version, granted: vec![], sealed, wraps };
    let forged = [force(&clone, "mallory", &set), force(&clone, "b", &set)];
    let join = act::Act::Member(Member::of(&clone.keys["mallory"], Role::Owner));
    let joined = force(&clone, "mallory", &join);
    let vault = clone.read().unwrap();
    assert_eq!(clone.opens("a", "x").as_deref(), Some("one"));
    assert!(vault.member("mallory").is_none());
    let void: BTreeSet<_> = vault.void().iter().map(|void| void.entry).collect();
    assert_eq!(void, forged.into_iter().chain([joined]).collect());
}

#[test]
fn a_keeper_put_out_cannot_go_on_behind_the_removal() {
    let one = Clone::founded(&["a", "k", "o"]);
    one.take_in("k", Role::Keeper);
    one.take_in("o", Role::Owner);
    one.set("a", "x", "one").unwrap();
    let two = one.cloned("bbbbbbbb");
    one.change("a", |changes| changes.put_out(&agent("k")).and_then(|()| changes.put_out(&agent("o"))))
        .unwrap();
    // In the other clone nobody has seen that: the keeper sets, the owner puts out the founder and the keeper.
    two.set("k", "x", "by the keeper").unwrap();
    force(
        &two,
        "o",
        &act::Act::Member(Member { role: Role::None, ..Member::of(&two.keys["a"], Role::None) }),
    );
    two.fetch(&one);
    one.fetch(&two);
    let vault = one.read().unwrap();
    assert_eq!(one.opens("a", "x").as_deref(), Some("one"));
    assert_eq!(vault.void().len(), 2, "{:?}", vault.void());
    assert!(vault.member("a").is_some() && vault.member("k").is_none() && vault.member("o").is_none());
}

#[test]
fn what_was_verified_is_not_set_back_forked_or_replaced() {
    let mut clone = Clone::founded(&["a", "b"]);
    clone.take_in("b", Role::Member);
    let old = clone.set("a", "x", "one").unwrap()[0];
    clone.change("a", |changes| changes.set(&name("x"), b"two", &[agent("b")]).map(|_| ())).unwrap();
    let seen = clone.revoke("a", "x", "b").unwrap()[0];
    let vault = clone.read().unwrap();
    vault.pin(&mut clone.pins);
    // An old signed state is still signed: only the pin tells.
    let log = "refs/datum/vault/a-aaaaaaaa";
    git(clone.dir.path(), &["update-ref", log, &old.to_string()]);
    let error = clone.read().unwrap_err().to_string();
    assert!(error.contains(&seen.to_string()) && error.contains(&old.to_string()), "{error}");
    let fork = git(
        clone.dir.path(),
        &["commit-tree", "-p", log, "-m", "x", "4b825dc642cb6eb9a060e54bf8d69288fbee4904"],
    );
    git(clone.dir.path(), &["update-ref", log, fork.trim()]);
    assert!(matches!(clone.read(), Err(VaultError::Back { .. })));
    git(clone.dir.path(), &["update-ref", "-d", log]);
    assert!(matches!(clone.read(), Err(VaultError::Back { found: None, .. })));
    // Another vault under the same names.
    let mut other = Clone::founded(&["a"]);
    let theirs = other.pins.vault().unwrap();
    other.pins = Pins::default();
    assert!(matches!(other.read(), Err(VaultError::Untrusted { .. })));
    other.pins.trust_vault(clone.pins.vault().unwrap());
    let error = other.read().unwrap_err().to_string();
    assert!(
        error.contains(&theirs.to_string()) && error.contains(&clone.pins.vault().unwrap().to_string()),
        "{error}"
    );
}

/// Every entry of a vault that has been changed in one way never opens to anything but the truth, and never panics.
#[test]
fn no_change_to_what_is_stored_is_believed() {
    let clone = Clone::founded(&["a", "b"]);
    clone.take_in("b", Role::Member);
    clone.change("a", |changes| changes.set(&name("x"), b"one", &[agent("b")]).map(|_| ())).unwrap();
    clone.change("a", |changes| changes.set(&name("y"), b"other", &[]).map(|_| ())).unwrap();
    clone.set("a", "x", "two").unwrap();
    clone.grant("a", "y", "b").unwrap();
    let log = "refs/datum/vault/a-aaaaaaaa";
    let dir = clone.dir.path();
    let tip = git(dir, &["rev-parse", log]);
    let chain = git(dir, &["rev-list", "--reverse", log]);
    let chain: Vec<&str> = chain.lines().collect();
    let raws: Vec<String> = chain.iter().map(|id| git(dir, &["cat-file", "commit", id])).collect();
    let mut tried = 0;
    for (index, raw) in raws.iter().enumerate() {
        for changed in mutations(raw, &raws) {
            // All that follows is linked anew, as a forger would.
            let mut ids: Vec<String> = chain[..index].iter().map(|id| (*id).to_owned()).collect();
            for (at, raw) in raws.iter().enumerate().skip(index) {
                let raw = if at == index { &changed } else { raw };
                let relinked = match (at.checked_sub(1).and_then(|before| chain.get(before)), ids.last()) {
                    (Some(old), Some(new)) => {
                        raw.replacen(&format!("parent {old}"), &format!("parent {new}"), 1)
                    }
                    _ => raw.clone(),
                };
                let Some(id) = write_commit(dir, &relinked) else { break };
                ids.push(id);
            }
            let Some(new) = ids.last().filter(|_| ids.len() > index) else { continue };
            git(dir, &["update-ref", log, new]);
            tried += 1;
            let Ok(vault) = clone.read() else { continue };
            for (who, what, values) in [
                ("a", "x", &["one", "two"]),
                ("b", "x", &["one", "two"]),
                ("a", "y", &["other"; 2]),
                ("b", "y", &["other"; 2]),
            ] {
                if let Ok(value) = vault.open(&name(what), None, &clone.keys[who]) {
                    let value = String::from_utf8(value.to_vec()).unwrap();
                    assert!(values.contains(&value.as_str()), "{who} opened {what} as {value:?}");
                }
            }
            assert!(vault.member("mallory").is_none());
        }
    }
    git(dir, &["update-ref", log, tip.trim()]);
    assert_eq!(clone.opens("b", "y").as_deref(), Some("other"));
    assert!(tried > 60, "{tried}");
}

fn write_commit(dir: &Path, raw: &str) -> Option<String> {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut child = Command::new("git")
        .args(["hash-object", "-t", "commit", "-w", "--stdin", "--literally"])
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(raw.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

fn mutations(raw: &str, all: &[String]) -> Vec<String> {
    let line = |text: &str, start: &str| text.lines().find(|l| l.starts_with(start)).map(str::to_owned);
    let mut out = vec![raw[..raw.len() / 2].to_owned(), raw.replace("Does: set", "Does: destroy")];
    for (old, new) in [
        ("Name: x", "Name: y"),
        ("Name: y", "Name: x"),
        ("Version: 1", "Version: 9"),
        ("Role: member", "Role: owner"),
        ("Member: b", "Member: mallory"),
        ("wrap a", "wrap b"),
    ] {
        out.push(raw.replace(old, new));
    }
    for start in [
        "sealed ",
        "wrap a ",
        "wrap b ",
        "Digest: ",
        "Vault: ",
        "Signer: ",
        "Recipient: ",
        "gpgsig ",
        "After: ",
    ] {
        let Some(own) = line(raw, start) else { continue };
        out.push(raw.replacen(&format!("{own}\n"), "", 1));
        let mut flipped = own.clone().into_bytes();
        let at = flipped.len() - 8;
        flipped[at] = if flipped[at] == b'A' { b'B' } else { b'A' };
        out.push(raw.replacen(&own, &String::from_utf8(flipped).unwrap(), 1));
        // The same line of another entry.
        out.extend(
            all.iter()
                .filter_map(|other| line(other, start))
                .filter(|other| *other != own)
                .map(|other| raw.replacen(&own, &other, 1)),
        );
    }
    out.retain(|changed| changed != raw);
    out.sort();
    out.dedup();
    out
}

/// gittuf's CVE-2026-44544: whoever could push said an old policy again, and its old signature made it count.
#[test]
fn an_old_signed_entry_said_again_brings_nothing_back() {
    let clone = Clone::founded(&["a", "k"]);
    clone.take_in("k", Role::Keeper);
    let joined = git(clone.dir.path(), &["rev-parse", "refs/datum/vault/a-aaaaaaaa"]);
    clone.set("a", "x", "one").unwrap();
    clone.change("a", |changes| changes.put_out(&agent("k"))).unwrap();
    let dir = clone.dir.path();
    let raw = git(dir, &["cat-file", "commit", joined.trim()]);
    let tip = git(dir, &["rev-parse", "refs/datum/vault/a-aaaaaaaa"]);
    let parent = raw.lines().find(|line| line.starts_with("parent ")).unwrap();
    let after_removal =
        raw.replacen(parent, &format!("parent {}", tip.trim()), 1).replace("Seq: 2", "Seq: 5");
    let other_writer = raw.replace("a-aaaaaaaa", "k-aaaaaaaa").replace("Agent: a", "Agent: k");
    for (log, commit) in [
        // The old entry, said again after the removal: its signature is over another parent.
        ("a-aaaaaaaa", write_commit(dir, &after_removal).unwrap()),
        // The old log as that of another clone of the owner, and as the log of the keeper who was put out.
        ("a-bbbbbbbb", joined.trim().to_owned()),
        ("k-aaaaaaaa", joined.trim().to_owned()),
        ("k-bbbbbbbb", write_commit(dir, &other_writer).unwrap()),
    ] {
        let log = format!("refs/datum/vault/{log}");
        let before = git(dir, &["for-each-ref", "--format=%(objectname)", &log]);
        git(dir, &["update-ref", &log, &commit]);
        let vault = clone.read().unwrap();
        assert!(vault.member("k").is_none(), "{log}");
        assert!(!vault.void().is_empty(), "{log}");
        assert_eq!(clone.opens("a", "x").as_deref(), Some("one"), "{log}");
        match before.trim() {
            "" => git(dir, &["update-ref", "-d", &log]),
            before => git(dir, &["update-ref", &log, before]),
        };
    }
    // Nor can the keeper go on in its own name as if it had not seen the removal.
    force(&clone, "k", &act::Act::Member(Member::of(&clone.keys["k"], Role::Owner)));
    assert!(clone.read().unwrap().member("k").is_none());
}

/// What was found good is not checked again; what is not the same is.
#[test]
fn signatures_found_good_vouch_for_the_same_entries_alone() {
    let mut clone = Clone::founded(&["a", "b"]);
    clone.take_in("b", Role::Member);
    clone.set("a", "x", "one").unwrap();
    let vault = clone.read().unwrap();
    vault.pin(&mut clone.pins);
    let writer = clone.store().writer(&agent("a")).unwrap();
    assert_eq!(clone.pins.sound(&writer).map(|(seq, _)| seq), Some(3));
    let dir = clone.dir.path();
    // The pins of places are gone, as if by an older version; those of signatures are there.
    let (sound, trusted) = (clone.pins.sound(&writer).unwrap(), clone.pins.vault().unwrap());
    clone.pins = Pins::default();
    clone.pins.trust_vault(trusted);
    clone.pins.set_sound(&writer, sound.0, sound.1);
    let log = "refs/datum/vault/a-aaaaaaaa";
    let raw = git(dir, &["cat-file", "commit", log]);
    let forged = write_commit(dir, &raw.replace("Member: a", "Member: b")).unwrap();
    git(dir, &["update-ref", log, &forged]);
    let vault = clone.read().unwrap();
    assert_eq!(vault.void().len(), 1, "{:?}", vault.void());
    assert!(vault.secret(&name("x")).is_err());
    // A log with a bad signature in it is never noted as sound.
    let mut pins = Pins::default();
    vault.pin(&mut pins);
    assert_eq!((pins.sound(&writer), pins.log(Kind::Vault, &writer).map(|(seq, _)| seq)), (None, Some(3)));
}
