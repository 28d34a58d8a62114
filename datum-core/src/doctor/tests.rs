//! Things broken on purpose, and what becomes of them.

use super::{Finding, State, examine, repair};
use crate::testing::{append, fsck, git, repository, stamp, texts};
use crate::{Draft, EntryId, Kind, Store, StoreError};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const LOG: &str = "refs/datum/journal/a-aaaaaaaa";

fn batch(store: &Store, count: u64) -> Vec<EntryId> {
    let drafts: Vec<_> = (0..count).map(|n| Draft::from_text(&format!("entry {n}")).unwrap()).collect();
    store.apply::<StoreError>(Kind::Journal, &stamp("a", 0), |_| Ok(drafts.clone())).unwrap().ids
}

pub(super) fn file(dir: &TempDir, id: &str) -> PathBuf {
    dir.path().join(format!(".git/objects/{}/{}", &id[..2], &id[2..]))
}

pub(super) fn truncate(path: &Path) {
    let whole = fs::read(path).unwrap();
    fs::remove_file(path).unwrap();
    fs::write(path, &whole[..whole.len() / 2]).unwrap();
}

/// Looks, repairs, and looks again: the first two find the same, the last nothing that was repaired.
pub(super) fn heal(dir: &TempDir) -> Vec<Finding> {
    let looked = examine(&Store::open(dir.path()).unwrap()).unwrap();
    let repaired = repair(&Store::open(dir.path()).unwrap(), &stamp("doc", 0)).unwrap();
    let places = |found: &[Finding]| found.iter().map(|f| f.place.clone()).collect::<Vec<_>>();
    assert_eq!(places(&looked), places(&repaired));
    assert!(looked.iter().all(|finding| finding.state != State::Repaired));
    assert!(repaired.iter().all(|finding| finding.state != State::Repairable));
    let again = examine(&Store::open(dir.path()).unwrap()).unwrap();
    let stays: Vec<_> = repaired.iter().filter(|f| f.state == State::Broken).cloned().collect();
    assert_eq!(again, stays);
    repaired
}

/// As [`heal`], where all is well afterwards.
pub(super) fn cured(dir: &TempDir) -> Vec<Finding> {
    let found = heal(dir);
    assert!(!found.is_empty() && found.iter().all(|finding| finding.state == State::Repaired), "{found:?}");
    fsck(dir.path());
    found
}

#[test]
fn a_healthy_repository_has_no_findings() {
    for init in [&[][..], &["--object-format=sha256"], &["--bare"], &["--ref-format=reftable"]] {
        let dir = repository(init);
        let store = Store::open(dir.path()).unwrap();
        batch(&store, 300);
        append(&store, "a", 1, &"large\n".repeat(10_000));
        batch(&store, 300);
        append(&store, "b", 2, "another");
        assert_eq!(examine(&store).unwrap(), []);
    }
}

#[test]
fn a_compacted_log_is_healthy_and_repaired_alike() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    batch(&store, 300);
    store.compact(&stamp("a", 5), &[Kind::Journal], 1).unwrap();
    batch(&store, 300);
    store.compact(&stamp("a", 6), &[Kind::Journal], 1).unwrap();
    batch(&store, 10);
    assert_eq!(examine(&store).unwrap(), []);
    let blobs = git(dir.path(), &["ls-tree", "-r", "--object-only", LOG]);
    for blob in blobs.lines() {
        truncate(&file(&dir, blob));
        cured(&dir);
    }
}

#[test]
fn segments_trees_and_sealed_commits_come_back_to_the_bit() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let ids = batch(&store, 600);
    append(&store, "a", 1, &"large\n".repeat(10_000));
    batch(&store, 250);
    let listed = git(dir.path(), &["ls-tree", "-r", "-t", LOG]);
    let trees = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let objects: Vec<_> =
        trees.filter(|words| !words[3].starts_with("payloads")).map(|words| words[2].to_owned()).collect();
    // Every segment and tree one after the other, then sealed commits, then all of them at once.
    for object in &objects {
        truncate(&file(&dir, object));
        cured(&dir);
    }
    for id in [ids[0], ids[255], ids[300], ids[511]] {
        fs::remove_file(file(&dir, &id.to_string())).unwrap();
        cured(&dir);
    }
    for object in &objects {
        truncate(&file(&dir, object));
    }
    cured(&dir);
    for id in &ids[..500] {
        fs::remove_file(file(&dir, &id.to_string())).unwrap();
    }
    cured(&dir);
    assert_eq!(texts(&Store::open(dir.path()).unwrap()).len(), 851);
}

#[test]
fn a_ref_that_holds_garbage_gets_its_value_back() {
    for garbage in ["", "garbage\n", "\0\0\0\0\0\0"] {
        let dir = repository(&[]);
        let store = Store::open(dir.path()).unwrap();
        append(&store, "a", 0, "one");
        let tip = append(&store, "a", 1, "two");
        fs::write(dir.path().join(".git").join(LOG), garbage).unwrap();
        assert_eq!(cured(&dir)[0].to, Some(tip));
        assert_eq!(texts(&Store::open(dir.path()).unwrap()), ["one", "two"]);
        append(&store, "a", 1, "three");
    }
}

#[test]
fn a_claim_that_never_came_to_be_is_not_made_and_a_locked_ref_is_not_said_to_be_repaired() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let name = crate::claim::Name::new("x").unwrap();
    store.claim(&name, &stamp("a", 0), 1000).unwrap();
    store.renew(&name, &stamp("a", 0), 1, 2000).unwrap();
    // As if the ref had never been there, of which its log tells all the same.
    fs::remove_file(dir.path().join(".git/refs/datum/claim/x")).unwrap();
    assert_eq!(examine(&store).unwrap(), []);
    assert_eq!(heal(&dir), []);
    assert_eq!(store.find_claim(&name).unwrap(), None);
    append(&store, "a", 0, "one");
    let log = dir.path().join(".git").join(LOG);
    fs::write(&log, "garbage\n").unwrap();
    fs::write(log.with_extension("lock"), "").unwrap();
    let found = repair(&store, &stamp("doc", 0)).unwrap();
    assert_eq!((found[0].state, found.len()), (State::Broken, 1), "{found:?}");
    assert!(found[0].remedy.contains(".lock"), "{found:?}");
    assert_eq!(fs::read_to_string(&log).unwrap(), "garbage\n");
    fs::remove_file(log.with_extension("lock")).unwrap();
    cured(&dir);
    assert_eq!(texts(&store), ["one"]);
}

#[test]
fn what_was_never_published_is_not_published_by_a_repair() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    // A folder with something in it is in the ref's place, so that the last step of the append fails.
    let in_the_way = dir.path().join(".git").join(LOG).join("x");
    fs::create_dir_all(in_the_way.parent().unwrap()).unwrap();
    fs::write(&in_the_way, "").unwrap();
    let drafts = [Draft::new("one", "").unwrap()];
    assert!(store.note(Kind::Journal, &stamp("a", 0), &drafts).is_err());
    fs::remove_dir_all(in_the_way.parent().unwrap()).unwrap();
    assert_eq!(heal(&dir), []);
    assert_eq!(texts(&store), Vec::<String>::new());
    store.note(Kind::Journal, &stamp("a", 1), &drafts).unwrap();
    fs::remove_file(dir.path().join(".git").join(LOG)).unwrap();
    cured(&dir);
    assert_eq!(texts(&store), ["one"]);
}

#[test]
fn a_ref_that_is_gone_comes_back_unless_git_removed_it() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    append(&store, "a", 0, "one");
    append(&store, "b", 0, "to be removed");
    fs::remove_file(dir.path().join(".git").join(LOG)).unwrap();
    git(dir.path(), &["update-ref", "-d", "refs/datum/journal/b-aaaaaaaa"]);
    cured(&dir);
    assert_eq!(texts(&store), ["one"]);
}

#[test]
fn a_lost_tip_is_stepped_back_from_and_recorded() {
    for lose in [|path: &Path| fs::remove_file(path).unwrap(), truncate] {
        let dir = repository(&[]);
        let store = Store::open(dir.path()).unwrap();
        let one = append(&store, "a", 0, "one");
        let two = append(&store, "a", 1, "two");
        lose(&file(&dir, &two.to_string()));
        let found = cured(&dir);
        assert_eq!((found[0].from, found[0].to), (Some(two), Some(one)));
        let store = Store::open(dir.path()).unwrap();
        let kept = store.snapshot().unwrap().entries(Kind::Audit);
        assert_eq!((kept[0].reference("From"), kept[0].reference("To")), (Some(two), Some(one)));
        append(&store, "a", 2, "three");
        assert_eq!(texts(&store), ["one", "three"]);
    }
}

#[test]
fn what_follows_a_lost_entry_is_written_anew() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    append(&store, "a", 0, "one");
    let lost = append(&store, "a", 1, "two");
    let three = append(&store, "a", 2, "three");
    append(&store, "a", 3, &"four\n".repeat(10_000));
    fs::remove_file(file(&dir, &lost.to_string())).unwrap();
    let found = cured(&dir);
    assert!(found[0].remedy.contains(&lost.to_string()), "{found:?}");
    let store = Store::open(dir.path()).unwrap();
    let entries = store.snapshot().unwrap().entries(Kind::Journal);
    assert_eq!(texts(&store), ["one", "three", &"four\n".repeat(10_000)]);
    assert_eq!(entries[1].reference("Was"), Some(three));
    assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn the_log_of_another_is_never_rewritten() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    append(&store, "a", 0, "one");
    let lost = append(&store, "a", 1, "two");
    append(&store, "a", 2, "three");
    fs::write(dir.path().join(".git/datum/clone"), "bbbbbbbb\n").unwrap();
    fs::remove_file(file(&dir, &lost.to_string())).unwrap();
    let found = heal(&dir);
    assert_eq!((found[0].state, found[0].object), (State::Broken, Some(lost)));
    assert!(found[0].remedy.contains("--refetch"), "{found:?}");
}

#[test]
fn what_the_remote_has_is_fetched_again_and_not_given_up() {
    let dir = repository(&[]);
    let other = repository(&["--bare"]);
    let store = Store::open(dir.path()).unwrap();
    append(&store, "a", 0, "one");
    let two = append(&store, "a", 1, "two");
    let remote = other.path().to_str().unwrap();
    git(dir.path(), &["push", "-q", remote, LOG]);
    git(dir.path(), &["update-ref", "refs/datum-remote/origin/journal/a-aaaaaaaa", LOG]);
    fs::remove_file(file(&dir, &two.to_string())).unwrap();
    let found = heal(&dir);
    assert_eq!((found[0].state, found[0].object), (State::Broken, Some(two)));
    git(dir.path(), &["fetch", "-q", "--refetch", remote, LOG]);
    assert_eq!(examine(&Store::open(dir.path()).unwrap()).unwrap(), []);
    fsck(dir.path());
}

#[test]
fn a_claim_without_a_value_is_freed_by_hand() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let name = crate::claim::Name::new("x").unwrap();
    store.claim(&name, &stamp("a", 0), 1000).unwrap();
    let path = dir.path().join(".git/refs/datum/claim/x");
    fs::write(&path, "").unwrap();
    let found = repair(&store, &stamp("doc", 0)).unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].state == State::Broken && found[0].remedy.contains("remove that file"), "{found:?}");
    fs::remove_file(path).unwrap();
    assert_eq!(heal(&dir), []);
    assert_eq!(store.find_claim(&name).unwrap(), None);
}

#[test]
fn a_claim_that_is_lost_steps_back() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let name = crate::claim::Name::new("x").unwrap();
    store.claim(&name, &stamp("a", 0), 1000).unwrap();
    store.release(&name, &stamp("a", 1), 1).unwrap();
    let lost = store.find_claim(&name).unwrap().unwrap().id;
    fs::remove_file(file(&dir, &lost.to_string())).unwrap();
    cured(&dir);
    assert!(store.find_claim(&name).unwrap().unwrap().is_held(crate::testing::NOW));
}

#[test]
fn a_lost_body_is_named_with_its_entry() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let id = append(&store, "a", 0, &"large\n".repeat(10_000));
    let blob = git(dir.path(), &["ls-tree", "-r", "--object-only", LOG]);
    fs::remove_file(file(&dir, blob.trim())).unwrap();
    let found = heal(&dir);
    assert_eq!(found[0].state, State::Broken);
    assert!(found[0].remedy.contains(&id.to_string()), "{found:?}");
}

#[test]
fn old_leftovers_go_and_young_ones_stay() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    append(&store, "a", 0, "one");
    let paths =
        ["objects/.tmpOLD", "refs/datum/journal/a-aaaaaaaa.lock", "packed-refs.lock", "datum/clone.x"];
    let old = SystemTime::now() - Duration::from_secs(3600);
    for path in paths {
        File::create(dir.path().join(".git").join(path)).unwrap().set_modified(old).unwrap();
    }
    let young = dir.path().join(".git/objects/.tmpYOUNG");
    File::create(&young).unwrap();
    assert_eq!(cured(&dir).len(), 4);
    assert!(young.exists());
    assert!(paths.iter().all(|path| !dir.path().join(".git").join(path).exists()));
}

#[test]
fn whatever_lies_among_the_refs_is_survived() {
    let dir = repository(&[]);
    git(dir.path(), &["commit", "-q", "--allow-empty", "-m", "ordinary"]);
    let store = Store::open(dir.path()).unwrap();
    append(&store, "a", 0, "one");
    let refs = dir.path().join(".git/refs/datum");
    fs::create_dir_all(refs.join("nokind")).unwrap();
    fs::write(refs.join("nokind/x"), "garbage").unwrap();
    git(dir.path(), &["update-ref", "refs/datum/journal/d-aaaaaaaa", "main"]);
    git(dir.path(), &["symbolic-ref", "refs/datum/journal/e-aaaaaaaa", "refs/heads/main"]);
    let found = heal(&dir);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().all(|finding| finding.state == State::Broken));
    assert_eq!(store.snapshot().unwrap().entries(Kind::Journal).len(), 1);
}
