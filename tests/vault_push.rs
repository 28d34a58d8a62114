//! What leaves: no value of the vault in a push, and no log of the vault but for a remote that is marked.

use crate::vault::Ship;
use crate::vessel::{Ran, Vessel, clean};
use base64::Engine as _;
use std::fs;

const VALUE: &str = "c4n4ry-V4lue that/must not leave";

/// A vault that holds [`VALUE`], hooks, and an empty remote called `origin`.
fn ship() -> (Ship, Vessel) {
    let (ship, remote) = (Ship::with_vault(), Vessel::with(&["--bare"]));
    ship.ok_with(&["vault", "set", "db/password"], VALUE);
    ship.vessel.git(&["remote", "add", "origin", remote.path().to_str().unwrap()]).ok();
    ship.ok(&["hooks", "install", "pre-push"]);
    (ship, remote)
}

fn push(ship: &Ship, agent: &str, refs: &[&str]) -> Ran {
    let mut git = clean("git", ship.vessel.path());
    git.args(["push", "-q", "origin"]).args(refs);
    git.env("DATUM_AGENT", agent).env("XDG_CONFIG_HOME", ship.home.path());
    Ran::of(&git.output().unwrap())
}

fn put(ship: &Ship, path: &str, bytes: &[u8]) {
    let path = ship.vessel.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    ship.vessel.git(&["add", "."]).ok();
    ship.vessel.git(&["commit", "-qm", "work"]).ok();
}

#[test]
fn no_value_leaves_in_whatever_it_is_put() {
    let (ship, _remote) = ship();
    put(&ship, "a.txt", b"fine\n");
    push(&ship, "a", &["main"]).ok();
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("user:{VALUE}"));
    let hex: String = VALUE.bytes().map(|byte| format!("{byte:02X}")).collect();
    let wide: Vec<u8> = VALUE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: [(&str, Vec<u8>, &str); 5] = [
        ("notes.md", format!("the word is {VALUE}\n").into_bytes(), "notes.md:1:13"),
        ("auth", encoded.into_bytes(), "as base64"),
        ("dump", hex.into_bytes(), "as hex"),
        ("windows.txt", wide, "as utf-16"),
        ("url", b"c4n4ry-V4lue%20that%2Fmust%20not%20leave".to_vec(), "as url"),
    ];
    for (path, bytes, shown) in cases {
        put(&ship, path, &bytes);
        let said = push(&ship, "a", &["main"]);
        assert!(said.code != 0 && said.stderr.contains(shown), "{path}: {said:?}");
        assert!(said.stderr.contains("a value of the vault, db/password"), "{said:?}");
        assert!(!said.stderr.contains("V4lue") && !said.stderr.contains("must"), "{said:?}");
        // An agent that cannot open the value cannot look for it.
        ship.vessel.git(&["reset", "-q", "--hard", "origin/main"]).ok();
    }
    // The message of a commit, of a tag, a note, the name of a file, of a branch, and the author.
    let name = "c4n4ry-V4lue%20that%2Fmust%20not%20leave";
    let git = |args: &[&str]| ship.vessel.git(args).ok();
    git(&["commit", "-q", "--allow-empty", "-m", &format!("it is {VALUE}")]);
    let message = push(&ship, "a", &["main"]);
    git(&["reset", "-q", "--hard", "origin/main"]);
    git(&["tag", "-a", "v1", "-m", VALUE]);
    let tag = push(&ship, "a", &["v1"]);
    git(&["notes", "add", "-m", VALUE]);
    let note = push(&ship, "a", &["refs/notes/commits"]);
    git(&["branch", name]);
    let branch = push(&ship, "a", &[name]);
    git(&["commit", "-q", "--allow-empty", "-m", "x", "--author", &format!("{VALUE} <a@b>")]);
    let author = push(&ship, "a", &["main"]);
    git(&["reset", "-q", "--hard", "origin/main"]);
    put(&ship, name, b"x");
    let file = push(&ship, "a", &["main"]);
    for (what, said) in [
        ("message", message),
        ("tag", tag),
        ("note", note),
        ("branch", branch),
        ("author", author),
        ("file", file),
    ] {
        assert!(said.code != 0 && said.stderr.contains("db/password as"), "{what}: {said:?}");
        let own =
            said.stderr.lines().filter(|line| line.starts_with("datum:") || line.starts_with("warning:"));
        assert!(
            own.clone().count() > 0 && own.clone().all(|line| !line.contains("V4lue")),
            "{what}: {said:?}"
        );
    }
}

#[test]
fn who_cannot_open_a_value_is_not_held_back_by_it() {
    let (ship, _remote) = ship();
    put(&ship, "notes.md", VALUE.as_bytes());
    push(&ship, "b", &["main"]).ok();
    push(&ship, "a", &["main:other"]).ok();
    put(&ship, "more.md", b"more\n");
    let said = push(&ship, "c", &["main"]);
    assert!(said.code == 0 && said.stderr.contains("not searched for the vault's values"), "{said:?}");
}

#[test]
fn the_vault_and_its_records_leave_only_for_a_marked_remote() {
    let (ship, remote) = ship();
    ship.ok(&["journal", "NOTE", "work"]);
    let sync = ship.run(&["sync", "--format", "json"], "");
    let told: serde_json::Value = serde_json::from_slice(&sync.stdout).unwrap();
    let stayed = told["stayed"].as_array().unwrap();
    assert!(stayed.len() == 1 && stayed[0].as_str().unwrap().starts_with("audit/"), "{told}");
    assert!(String::from_utf8_lossy(&sync.stderr).contains("datum vault share"), "{sync:?}");
    ship.ok(&["sync", "--kinds", "all"]);
    let there = || remote.git(&["for-each-ref", "--format=%(refname)"]).ok();
    assert!(there().contains("journal/") && !there().contains("vault/") && !there().contains("audit/"));
    // By git itself, under whatever name.
    let log = ship.vessel.git(&["for-each-ref", "--format=%(refname)", "refs/datum/vault"]).ok();
    for to in ["refs/datum/vault/x", "refs/heads/innocent"] {
        let said = push(&ship, "a", &[&format!("{}:{to}", log.trim())]);
        assert!(said.code != 0 && said.stderr.contains("a log of kind vault"), "{said:?}");
    }
    let bundle = ship.home.path().join("b");
    ship.ok(&["sync", "--bundle", bundle.to_str().unwrap()]);
    let heads = || ship.vessel.git(&["bundle", "list-heads", bundle.to_str().unwrap()]).ok();
    assert!(heads().contains("journal/") && !heads().contains("vault/") && !heads().contains("audit/"));
    ship.ok(&["sync", "--bundle", bundle.to_str().unwrap(), "--sealed"]);
    assert!(heads().contains("vault/") && heads().contains("audit/"));
    // Marked, both go; unmarked again, nothing more does.
    ship.ok(&["vault", "share", "origin"]);
    ship.ok(&["sync"]);
    assert!(there().contains("vault/") && there().contains("audit/"));
    push(&ship, "a", &[&format!("{}:refs/heads/innocent", log.trim())]).ok();
    ship.ok(&["vault", "share", "origin", "--stop"]);
    let tip = remote.git(&["rev-parse", log.trim()]).ok();
    ship.ok_with(&["vault", "set", "other"], "another value");
    ship.ok(&["sync", "--kinds", "vault"]);
    assert_eq!(remote.git(&["rev-parse", log.trim()]).ok(), tip);
}
