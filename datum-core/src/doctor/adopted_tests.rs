//! Adopted logs that are broken on purpose, and what becomes of them.

use super::tests::{cured, file, heal, truncate};
use super::{State, examine};
use crate::testing::{NOW, append, git, repository, stamp, texts};
use crate::{Draft, Kind, Store, StoreError};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const LATER: u64 = NOW + 1_000_000;
const CONTAINER: &str = "refs/datum/adopted/k-keeper01/journal";
const OTHER: &str = "refs/datum-remote/origin/journal/a-aaaaaaaa";

fn open(dir: &TempDir) -> Store {
    Store::open(dir.path()).unwrap()
}

fn say(store: &Store, count: u64) {
    let drafts: Vec<_> = (0..count).map(|n| Draft::new(&format!("entry {n}"), "").unwrap()).collect();
    store.apply::<StoreError>(Kind::Journal, &stamp("a", 0), |_| Ok(drafts.clone())).unwrap();
}

/// A clone that has adopted a log of 701 entries, one of them large and one the beginning of an epoch.
fn keeper() -> TempDir {
    let dir = repository(&[]);
    let store = open(&dir);
    say(&store, 300);
    append(&store, "a", 1, &"large\n".repeat(10_000));
    store.compact(&stamp("a", 5), &[Kind::Journal], 1).unwrap();
    say(&store, 400);
    let clone = dir.path().join(".git/datum/clone");
    fs::write(clone, "keeper01\n").unwrap();
    dir
}

fn adopt(dir: &TempDir) {
    let done = open(dir).adopt(&stamp("k", 0), &[Kind::Journal], LATER).unwrap();
    assert_eq!((done.len(), done[0].left.len()), (1, 0), "{done:?}");
}

/// The objects of the container but the bodies: trees and segments.
fn parts(dir: &Path) -> Vec<String> {
    let listed = git(dir, &["ls-tree", "-r", "-t", CONTAINER]);
    let words = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    words.filter(|words| !words[3].contains("payloads")).map(|words| words[2].to_owned()).collect()
}

fn read(dir: &TempDir) -> usize {
    texts(&open(dir)).len()
}

/// Packs all that can be reached into files of their own, and drops the rest.
fn sweep(dir: &Path) {
    git(dir, &["reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all"]);
    git(dir, &["repack", "-a", "-d", "-q"]);
    let pack = git(dir, &["count-objects", "-v"]);
    assert!(pack.contains("packs: 1"), "{pack}");
    git(dir, &["prune", "--expire=now"]);
    let packs = dir.join(".git/objects/pack");
    let out = dir.join("out");
    fs::rename(packs, &out).unwrap();
    fs::create_dir_all(dir.join(".git/objects/pack")).unwrap();
    for entry in
        fs::read_dir(&out).unwrap().flatten().filter(|e| e.path().extension().is_some_and(|e| e == "pack"))
    {
        let input = fs::File::open(entry.path()).unwrap();
        let mut unpack = std::process::Command::new("git");
        unpack.args(["unpack-objects", "-q"]).current_dir(dir).stdin(input);
        assert!(unpack.status().unwrap().success());
    }
}

#[test]
fn every_part_of_an_adopted_log_comes_back_to_the_bit_from_its_commits() {
    let dir = keeper();
    let before = read(&dir);
    adopt(&dir);
    let parts = parts(dir.path());
    assert!(parts.len() > 6, "{parts:?}");
    for part in &parts {
        truncate(&file(&dir, part));
        let found = cured(&dir);
        assert_eq!((found[0].place.as_str(), found.len()), (CONTAINER, 1), "{found:?}");
        assert_eq!(read(&dir), before);
    }
    for part in &parts {
        fs::remove_file(file(&dir, part)).unwrap();
    }
    cured(&dir);
    assert_eq!(read(&dir), before);
}

#[test]
fn what_a_remote_was_seen_to_hold_is_a_copy() {
    let dir = keeper();
    // The log's own ref goes with the adoption; what was fetched of it stays.
    git(dir.path(), &["update-ref", OTHER, "refs/datum/journal/a-aaaaaaaa"]);
    adopt(&dir);
    sweep(dir.path());
    for part in parts(dir.path()) {
        fs::remove_file(file(&dir, &part)).unwrap();
    }
    cured(&dir);
    assert_eq!(read(&dir), 701);
}

#[test]
fn the_kept_end_of_a_fork_is_a_copy() {
    let dir = keeper();
    git(
        dir.path(),
        &["update-ref", "refs/datum-fork/journal/a-aaaaaaaa/0123", "refs/datum/journal/a-aaaaaaaa"],
    );
    adopt(&dir);
    sweep(dir.path());
    let last = parts(dir.path()).pop().unwrap();
    truncate(&file(&dir, &last));
    cured(&dir);
    assert_eq!(read(&dir), 701);
}

#[test]
fn a_part_of_which_no_copy_is_left_is_named_with_what_it_hides() {
    let dir = keeper();
    adopt(&dir);
    // The epoch before is a copy too, until it expires.
    open(&dir).expire_archive(LATER).unwrap();
    sweep(dir.path());
    let listed = git(dir.path(), &["ls-tree", "-r", CONTAINER]);
    let segment = listed.lines().find(|line| line.contains("000000000256-")).unwrap();
    let segment = segment.split_whitespace().nth(2).unwrap();
    truncate(&file(&dir, segment));
    let found = heal(&dir);
    assert_eq!((found.len(), found[0].state), (1, State::Broken), "{found:?}");
    assert!(found[0].problem.contains("hides entries 1 to 256, of a-aaaaaaaa"), "{found:?}");
    assert!(found[0].remedy.contains("--refetch <remote> refs/datum/adopted/"), "{found:?}");
    let store = open(&dir);
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.entries(Kind::Journal).len(), 701 - 256);
    assert_eq!(snapshot.damage().len(), 1);
}

#[test]
fn a_body_that_is_lost_is_named() {
    let dir = keeper();
    adopt(&dir);
    let listed = git(dir.path(), &["ls-tree", "-r", CONTAINER]);
    let body = listed.lines().find(|line| line.contains("payloads")).unwrap();
    fs::remove_file(file(&dir, body.split_whitespace().nth(2).unwrap())).unwrap();
    let found = heal(&dir);
    assert!(found.len() == 1 && found[0].problem.contains("the body of an entry"), "{found:?}");
}

#[test]
fn a_container_that_is_lost_steps_back_to_the_one_before() {
    for what in ["", "^{tree}"] {
        let dir = keeper();
        adopt(&dir);
        let first = git(dir.path(), &["rev-parse", CONTAINER]);
        fs::write(dir.path().join(".git/datum/clone"), "other002\n").unwrap();
        append(&open(&dir), "b", 0, "one more");
        fs::write(dir.path().join(".git/datum/clone"), "keeper01\n").unwrap();
        adopt(&dir);
        let second = git(dir.path(), &["rev-parse", CONTAINER]);
        let part = git(dir.path(), &["rev-parse", &format!("{CONTAINER}{what}")]);
        truncate(&file(&dir, part.trim()));
        let found = heal(&dir);
        let moved = (found[0].from.unwrap().to_string(), found[0].to.unwrap().to_string());
        assert_eq!(moved, (second.trim().to_owned(), first.trim().to_owned()), "{found:?}");
        assert_eq!((found.len(), read(&dir)), (1, 701), "{found:?}");
        assert_eq!(open(&dir).snapshot().unwrap().entries(Kind::Audit).len(), 1);
    }
}

#[test]
fn a_container_that_the_remote_has_is_not_given_up() {
    let dir = keeper();
    adopt(&dir);
    git(dir.path(), &["update-ref", "refs/datum-remote/origin/adopted/k-keeper01/journal", CONTAINER]);
    let id = git(dir.path(), &["rev-parse", CONTAINER]);
    fs::remove_file(file(&dir, id.trim())).unwrap();
    let found = heal(&dir);
    assert!(found.len() == 1 && found[0].state == State::Broken, "{found:?}");
    assert!(found[0].remedy.contains("--refetch"), "{found:?}");
    // One that is only named wrongly leads back to where the remote's is.
    let dir = keeper();
    adopt(&dir);
    git(dir.path(), &["update-ref", "refs/datum-remote/origin/adopted/k-keeper01/journal", CONTAINER]);
    fs::write(dir.path().join(".git").join(CONTAINER), "garbage\n").unwrap();
    fs::remove_dir_all(dir.path().join(".git/logs/refs/datum/adopted")).unwrap();
    cured(&dir);
    assert_eq!(read(&dir), 701);
    assert_eq!(examine(&open(&dir)).unwrap(), []);
}
