//! The store against real repositories and the real git.

use crate::testing::{NOW, append, fsck, git, repository, stamp, texts};
use crate::{Draft, Kind, Store, StoreError};
use std::fs;

fn numbered(count: u64) -> Vec<Draft> {
    (0..count).map(|n| Draft::from_text(&format!("entry {n}")).unwrap()).collect()
}

#[test]
fn entries_come_back_in_order_across_seals() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    for n in 0..600 {
        append(&store, "a", n, &format!("entry {n}"));
    }
    let want: Vec<_> = (0..600).map(|n| format!("entry {n}")).collect();
    assert_eq!(texts(&store), want);
    fsck(dir.path());
    assert_eq!(git(dir.path(), &["rev-list", "--count", "refs/datum/journal/a-aaaaaaaa"]), "600\n");
    // Whole segments, and those of the entries since the last one.
    let names = git(dir.path(), &["ls-tree", "-r", "--name-only", "refs/datum/journal/a-aaaaaaaa"]);
    let ends: Vec<_> = names.lines().map(|name| &name[..29]).collect();
    let want = [256, 512, 544, 576].map(|end| format!("segments/000000/{end:012}-"));
    assert_eq!(ends, want);
}

#[test]
fn one_batch_is_one_move_and_many_objects_become_a_pack() {
    for init in [&[][..], &["--object-format=sha256"], &["--bare"], &["--ref-format=reftable"]] {
        let dir = repository(init);
        let store = Store::open(dir.path()).unwrap();
        let applied =
            store.apply::<StoreError>(Kind::Journal, &stamp("a", 0), |_| Ok(numbered(2000))).unwrap();
        append(&store, "a", 1, "last");
        assert_eq!(applied.ids.len(), 2000);
        assert_eq!(texts(&store).len(), 2001, "{init:?}");
        fsck(dir.path());
    }
}

#[test]
fn the_stored_format_stays() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    append(&store, "oracle1", 0, "Fixed the bilge pump");
    let id = append(&store, "oracle1", 0, "Two\nlines");
    insta::assert_snapshot!(git(dir.path(), &["cat-file", "-p", "refs/datum/journal/oracle1-aaaaaaaa"]), @"
    tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904
    parent 08910beead00efcc1a00835ec28dd4de7d2636e1
    author oracle1 <oracle1-aaaaaaaa@datum> 1767225600 +0000
    committer oracle1 <oracle1-aaaaaaaa@datum> 1767225600 +0000

    Two

    Two
    lines

    Kind: journal
    Agent: oracle1
    Clock: 1767225600001
    Seq: 2
    ");
    let tip = git(dir.path(), &["rev-parse", "refs/datum/journal/oracle1-aaaaaaaa"]);
    assert_eq!(tip.trim(), id.to_string());
}

#[test]
fn large_bodies_are_blobs_and_come_back() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let text = "line\n".repeat(20_000);
    append(&store, "a", 0, &text);
    for n in 0..260 {
        append(&store, "a", n, "small");
    }
    assert_eq!(texts(&store)[0], text);
    git(dir.path(), &["gc", "-q"]);
    assert_eq!(texts(&store)[0], text);
}

#[test]
fn the_clock_never_runs_backwards_and_follows_what_it_has_seen() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    append(&store, "b", 5000, "later");
    append(&store, "a", 0, "earlier by its clock, later by what it saw");
    append(&store, "a", 0, "third");
    let entries = store.snapshot().unwrap().entries(Kind::Journal);
    let clocks: Vec<_> = entries.iter().map(|entry| entry.clock - NOW).collect();
    assert_eq!(clocks, [5000, 5001, 5002]);
}

#[test]
fn as_of_shows_the_past() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    append(&store, "a", 0, "one");
    append(&store, "a", 10, "two");
    let past = store.snapshot().unwrap().as_of(NOW + 9);
    assert_eq!(past.entries(Kind::Journal).len(), 1);
}

#[test]
fn nothing_decided_is_nothing_written() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let applied = store.apply::<StoreError>(Kind::Journal, &stamp("a", 0), |_| Ok(Vec::new())).unwrap();
    assert!(applied.ids.is_empty());
    assert_eq!(git(dir.path(), &["count-objects"]), "0 objects, 0 kilobytes\n");
    assert!(!dir.path().join(".git/refs/datum").exists());
}

#[test]
fn decide_is_asked_again_when_another_was_faster() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let other = Store::open(dir.path()).unwrap();
    let mut asked = 0;
    store
        .apply::<StoreError>(Kind::Journal, &stamp("a", 0), |snapshot| {
            asked += 1;
            if asked == 1 {
                append(&other, "a", 0, "faster");
            }
            let count = snapshot.entries(Kind::Journal).len();
            Ok(vec![Draft::from_text(&format!("after {count}")).unwrap()])
        })
        .unwrap();
    assert_eq!((asked, texts(&store)), (2, vec!["faster".to_owned(), "after 1".to_owned()]));
}

#[test]
fn linked_work_trees_share_the_state() {
    let dir = repository(&[]);
    git(dir.path(), &["commit", "-q", "--allow-empty", "-m", "first"]);
    git(dir.path(), &["worktree", "add", "-q", "wt"]);
    append(&Store::open(&dir.path().join("wt")).unwrap(), "a", 0, "from the linked one");
    assert_eq!(texts(&Store::open(dir.path()).unwrap()), ["from the linked one"]);
}

#[test]
fn packed_refs_and_repacked_objects_are_read_and_written_on() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    append(&store, "a", 0, "one");
    git(dir.path(), &["pack-refs", "--all"]);
    git(dir.path(), &["repack", "-adq"]);
    append(&store, "a", 1, "two");
    git(dir.path(), &["pack-refs", "--all"]);
    assert_eq!(texts(&store), ["one", "two"]);
    assert!(!dir.path().join(".git/packed-refs.lock").exists());
}

#[test]
fn a_stale_lock_is_cleared_and_named_a_fresh_one_is_waited_for() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    append(&store, "a", 0, "one");
    let lock = dir.path().join(".git/refs/datum/journal/a-aaaaaaaa.lock");
    let file = fs::File::create(&lock).unwrap();
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(60)).unwrap();
    let applied = store
        .apply::<StoreError>(Kind::Journal, &stamp("a", 1), |_| Ok(vec![Draft::new("two", "").unwrap()]))
        .unwrap();
    assert_eq!(applied.cleared, [lock.canonicalize().unwrap_or(lock)]);
    assert_eq!(texts(&store), ["one", "two"]);
}

#[test]
fn a_truncated_segment_is_named_and_its_entries_come_from_the_chain() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    store.apply::<StoreError>(Kind::Journal, &stamp("a", 0), |_| Ok(numbered(300))).unwrap();
    let blobs = git(dir.path(), &["ls-tree", "-r", "--object-only", "refs/datum/journal/a-aaaaaaaa"]);
    assert_eq!(blobs.lines().count(), 2);
    for blob in blobs.lines() {
        let path = dir.path().join(format!(".git/objects/{}/{}", &blob[..2], &blob[2..]));
        let whole = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    }
    assert_eq!(texts(&Store::open(dir.path()).unwrap()).len(), 300);
}

#[test]
fn a_missing_commit_hides_no_more_than_it_must() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let applied = store.apply::<StoreError>(Kind::Journal, &stamp("a", 0), |_| Ok(numbered(300))).unwrap();
    let lost = applied.ids[290].to_string();
    fs::remove_file(dir.path().join(format!(".git/objects/{}/{}", &lost[..2], &lost[2..]))).unwrap();
    let store = Store::open(dir.path()).unwrap();
    let snapshot = store.snapshot().unwrap();
    // 288 sealed ones, and the 9 that follow the lost one.
    assert_eq!(snapshot.entries(Kind::Journal).len(), 288 + 9);
    let damage = snapshot.damage();
    assert_eq!(damage.len(), 1);
    assert!(damage[0].message.contains(&lost), "{damage:?}");
}

#[test]
fn a_lost_tip_is_named_read_around_and_not_built_upon() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    append(&store, "a", 0, "one");
    let lost = append(&store, "a", 1, "two").to_string();
    fs::remove_file(dir.path().join(format!(".git/objects/{}/{}", &lost[..2], &lost[2..]))).unwrap();
    let store = Store::open(dir.path()).unwrap();
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.entries(Kind::Journal).len(), 1);
    assert!(snapshot.damage()[0].message.contains(&lost));
    let refused =
        store.apply::<StoreError>(Kind::Journal, &stamp("a", 2), |_| Ok(vec![Draft::new("x", "").unwrap()]));
    assert!(refused.unwrap_err().to_string().contains(&lost));
}

#[test]
fn a_truncated_tip_is_read_around_too() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    append(&store, "a", 0, "one");
    let lost = append(&store, "a", 1, "two").to_string();
    let path = dir.path().join(format!(".git/objects/{}/{}", &lost[..2], &lost[2..]));
    fs::remove_file(&path).unwrap();
    fs::write(&path, b"x\x9c").unwrap();
    let store = Store::open(dir.path()).unwrap();
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.entries(Kind::Journal).len(), 1);
    assert!(snapshot.damage()[0].message.contains(&lost), "{:?}", snapshot.damage());
}

#[test]
fn a_lock_that_is_held_is_never_cleared_however_old() {
    let dir = repository(&[]);
    git(dir.path(), &["config", "core.filesRefLockTimeout", "100"]);
    let store = Store::open(dir.path()).unwrap();
    append(&store, "a", 0, "one");
    let lock = dir.path().join(".git/refs/datum/journal/a-aaaaaaaa.lock");
    let file = fs::File::create(&lock).unwrap();
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(60)).unwrap();
    file.lock().unwrap();
    let append = || {
        store.apply::<StoreError>(Kind::Journal, &stamp("a", 1), |_| Ok(vec![Draft::new("x", "").unwrap()]))
    };
    let refused = append().unwrap_err().to_string();
    assert!(refused.contains("a-aaaaaaaa.lock is locked"), "{refused}");
    drop(file);
    assert_eq!(append().unwrap().cleared.len(), 1);
}

#[test]
fn a_move_that_never_was_is_no_history() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let one = append(&store, "a", 0, "one");
    let name = "refs/datum/journal/a-aaaaaaaa";
    // A writer was killed after its line and before its rename.
    let log = dir.path().join(".git/logs").join(name);
    let line = format!("{one} {} a <a@datum> 0 +0000\tdatum: append\n", "1".repeat(40));
    fs::write(&log, fs::read_to_string(&log).unwrap() + &line).unwrap();
    let two = append(&store, "a", 1, "two");
    assert_eq!(store.refs.history(name), [two, one]);
}

#[test]
fn the_log_of_a_ref_stays_short() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    for n in 0..600 {
        append(&store, "a.b", n, "x");
    }
    let folder = dir.path().join(".git/logs/refs/datum/journal");
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["a.b-aaaaaaaa"]);
    assert!(fs::metadata(folder.join("a.b-aaaaaaaa")).unwrap().len() < 70_000);
    assert!(store.refs.history("refs/datum/journal/a.b-aaaaaaaa").len() >= 32);
}

#[test]
fn whatever_else_lies_among_the_refs_harms_nobody() {
    let dir = repository(&[]);
    git(dir.path(), &["commit", "-q", "--allow-empty", "-m", "ordinary"]);
    git(dir.path(), &["tag", "-a", "-m", "t", "t"]);
    let store = Store::open(dir.path()).unwrap();
    append(&store, "a", 0, "one");
    let refs = dir.path().join(".git/refs/datum");
    fs::create_dir_all(refs.join("journal/deep/deeper")).unwrap();
    fs::create_dir_all(refs.join("nokind")).unwrap();
    fs::write(refs.join("nokind/x"), "garbage").unwrap();
    fs::write(refs.join("journal/deep/deeper/x-aaaaaaaa"), "garbage").unwrap();
    fs::write(refs.join("journal/no writer"), "garbage").unwrap();
    fs::write(refs.join("bottle"), "a file where a folder should be").unwrap();
    let blob = git(dir.path(), &["hash-object", "-w", "--stdin"]);
    for (name, target) in [("b-aaaaaaaa", blob.trim()), ("c-aaaaaaaa", "refs/tags/t"), ("d-aaaaaaaa", "main")]
    {
        git(dir.path(), &["update-ref", &format!("refs/datum/journal/{name}"), target]);
    }
    git(dir.path(), &["symbolic-ref", "refs/datum/journal/e-aaaaaaaa", "refs/heads/main"]);
    let snapshot = store.snapshot().unwrap();
    let found = snapshot.entries(Kind::Journal);
    assert_eq!(found.len(), 1);
    assert_eq!(snapshot.entries(Kind::Bottle).len(), 0);
    let said: Vec<_> = snapshot.damage().into_iter().map(|damage| damage.log).collect();
    assert_eq!(
        said,
        ["journal/e-aaaaaaaa", "journal/b-aaaaaaaa", "journal/c-aaaaaaaa", "journal/d-aaaaaaaa"]
    );
    append(&store, "a", 1, "two");
}

#[test]
fn an_append_that_cannot_join_segments_leaves_them_as_they_are() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    for n in 0..256 {
        append(&store, "a", n, &format!("entry {n}"));
    }
    let blobs = || git(dir.path(), &["ls-tree", "-r", "--object-only", "refs/datum/journal/a-aaaaaaaa"]);
    let names = || git(dir.path(), &["ls-tree", "-r", "--name-only", "refs/datum/journal/a-aaaaaaaa"]);
    assert_eq!(names().lines().count(), 7);
    let lost = blobs()[..40].to_owned();
    fs::remove_file(dir.path().join(format!(".git/objects/{}/{}", &lost[..2], &lost[2..]))).unwrap();
    let store = Store::open(dir.path()).unwrap();
    append(&store, "a", 256, "one more");
    assert_eq!(names().lines().count(), 8);
    assert_eq!(texts(&store).len(), 257);
}
