//! Adoption here, at the remote, and with peers that were away or come back.

use crate::sync::{Options, Report};
use crate::testing::{NOW, append, clone_called, fsck, git, open, repository, stamp, sync_at, texts};
use crate::{Draft, EntryId, Kind, Store, StoreError};
use proptest::prelude::*;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

const LATER: u64 = NOW + 1_000_000;

fn sync(store: &Store, remote: &Path) -> Report {
    sync_at(store, remote, 2_000_000)
}

fn id(store: &Store) -> Option<EntryId> {
    store.snapshot().unwrap().id()
}

fn refs(dir: &Path, below: &str) -> usize {
    git(dir, &["for-each-ref", "--format=%(refname)", below]).lines().count()
}

/// A remote with the logs of `writers` clones, and a keeper that has synced them.
fn harbour(writers: u64) -> (TempDir, TempDir) {
    let remote = repository(&["--bare"]);
    for n in 0..writers {
        let dir = clone_called(&format!("old{n:05}"));
        let store = open(&dir);
        append(&store, "x", n, &format!("said by {n}"));
        if n == 0 {
            let many: Vec<_> = (0..600).map(|n| Draft::new(&format!("many {n}"), "").unwrap()).collect();
            store.apply::<StoreError>(Kind::Journal, &stamp("x", 1), |_| Ok(many.clone())).unwrap();
            let body = "a large body\n".repeat(5000);
            append(&store, "x", 2, &format!("large\n\n{body}"));
        }
        sync(&store, remote.path());
    }
    let keeper = clone_called("keeper01");
    sync(&open(&keeper), remote.path());
    (remote, keeper)
}

#[test]
fn logs_of_the_retired_become_one_ref_everywhere_and_every_entry_stays() {
    let (remote, keeper) = harbour(6);
    let away = clone_called("away0001");
    sync(&open(&away), remote.path());
    let store = open(&keeper);
    append(&store, "k", 10, "the keeper's own");
    sync(&store, remote.path());
    let (before, state) = (store.snapshot().unwrap().entries(Kind::Journal), id(&store));
    assert_eq!(store.adopt(&stamp("k", 0), &Kind::ALL, NOW - 1).unwrap(), [], "nobody is that old");
    let done = store.adopt(&stamp("k", 0), &Kind::ALL, LATER).unwrap();
    assert_eq!((done.len(), done[0].writers.len(), done[0].entries), (1, 6, 607), "{done:?}");
    assert_eq!(refs(keeper.path(), "refs/datum/journal"), 1);
    let after = store.snapshot().unwrap();
    assert_eq!(after.entries(Kind::Journal), before, "the same entries under the same ids");
    assert_eq!((after.id(), after.damage()), (state, vec![]));
    let found = after.find(&before[3].id.to_string()).unwrap();
    assert_eq!(found, before[3]);
    assert!(store.adopt(&stamp("k", 0), &Kind::ALL, LATER).unwrap().is_empty(), "twice is once");
    let report = sync(&store, remote.path());
    assert!(report.refused.is_empty() && report.adopted.len() == 1, "{report:?}");
    assert_eq!((refs(remote.path(), "refs/datum"), refs(keeper.path(), "refs/datum-remote")), (2, 2));
    let report = sync(&store, remote.path());
    assert!(report.adopted.is_empty() && report.went.is_empty() && report.came.is_empty(), "{report:?}");
    // One that was away catches up, and one that is new gets all.
    for peer in [&away, &clone_called("fresh001")] {
        let peer_store = open(peer);
        let report = sync(&peer_store, remote.path());
        assert!(report.forks.is_empty() && report.refused.is_empty(), "{report:?}");
        assert_eq!((texts(&peer_store).len(), id(&peer_store)), (608, state));
        assert_eq!(refs(peer.path(), "refs/datum/journal"), 1);
        assert!(sync(&peer_store, remote.path()).went.is_empty());
        fsck(peer.path());
    }
    assert_eq!(refs(remote.path(), "refs/datum"), 2);
    git(keeper.path(), &["gc", "-q", "--prune=now"]);
    assert_eq!(texts(&store).len(), 608);
    fsck(keeper.path());
    fsck(remote.path());
}

#[test]
fn a_writer_who_comes_back_goes_on_where_the_adopted_log_ends() {
    let remote = repository(&["--bare"]);
    let (late, keeper) = (clone_called("late0001"), clone_called("keeper01"));
    append(&open(&late), "x", 0, "one");
    sync(&open(&late), remote.path());
    sync(&open(&keeper), remote.path());
    let adopt = || open(&keeper).adopt(&stamp("k", 0), &Kind::ALL, LATER).unwrap();
    adopt();
    sync(&open(&keeper), remote.path());
    // Nothing new: its ref does not come back.
    sync(&open(&late), remote.path());
    assert_eq!(refs(remote.path(), "refs/datum/journal"), 0);
    append(&open(&late), "x", 1, "two");
    assert_eq!(sync(&open(&late), remote.path()).went[0].entries, Some(2));
    let report = sync(&open(&keeper), remote.path());
    assert!(report.forks.is_empty() && report.came[0].entries == Some(1), "{report:?}");
    assert_eq!(texts(&open(&keeper)), ["one", "two"]);
    assert_eq!(adopt()[0].entries, 2);
    sync(&open(&keeper), remote.path());
    assert_eq!(refs(remote.path(), "refs/datum/journal"), 0);
    // It has lost its own refs, and still goes on in its own log.
    sync(&open(&late), remote.path());
    git(late.path(), &["update-ref", "-d", "refs/datum/journal/x-late0001"]);
    append(&open(&late), "x", 3, "three");
    sync(&open(&late), remote.path());
    sync(&open(&keeper), remote.path());
    for dir in [&late, &keeper] {
        assert_eq!(texts(&open(dir)), ["one", "two", "three"]);
        assert!(open(dir).forks().unwrap().is_empty());
        fsck(dir.path());
    }
    assert_eq!(id(&open(&late)), id(&open(&keeper)));
}

#[test]
fn a_server_that_removes_no_refs_keeps_them_and_says_why() {
    let (remote, keeper) = harbour(2);
    let hook = remote.path().join("hooks/update");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\ncase $3 in 0000*) echo 'no deletion here'; exit 1;; esac\n").unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let store = open(&keeper);
    store.adopt(&stamp("k", 0), &Kind::ALL, LATER).unwrap();
    let report = sync(&store, remote.path());
    assert!(report.kept_there.as_ref().unwrap().contains("deletion"), "{report:?}");
    assert!(report.refused.is_empty(), "{report:?}");
    let peer = clone_called("fresh001");
    sync(&open(&peer), remote.path());
    assert_eq!((texts(&open(&peer)).len(), refs(peer.path(), "refs/datum/journal")), (603, 0));
}

#[test]
fn two_who_adopt_the_same_logs_agree() {
    let (remote, one) = harbour(3);
    let two = clone_called("keeper02");
    sync(&open(&two), remote.path());
    for dir in [&one, &two] {
        open(dir).adopt(&stamp("k", 0), &Kind::ALL, LATER).unwrap();
    }
    for dir in [&one, &two, &one] {
        sync(&open(dir), remote.path());
    }
    assert_eq!(texts(&open(&one)).len(), 604);
    assert_eq!(id(&open(&one)), id(&open(&two)));
    assert_eq!(refs(remote.path(), "refs/datum"), 2);
}

#[test]
fn a_bundle_carries_adopted_logs() {
    let (_remote, keeper) = harbour(2);
    open(&keeper).adopt(&stamp("k", 0), &Kind::ALL, LATER).unwrap();
    let file = keeper.path().join("logs.bundle");
    assert_eq!(open(&keeper).bundle(&file, &Options::default(), Duration::from_secs(60)).unwrap(), 1);
    let peer = clone_called("fresh001");
    let store = open(&peer);
    for count in [1, 0] {
        let source = store.remote(&file.to_string_lossy(), Duration::from_secs(60)).unwrap();
        let report = store.absorb(&stamp("s", 0), &source, &Options::default()).unwrap();
        assert_eq!(report.adopted.len(), count, "{report:?}");
    }
    assert_eq!(id(&store), id(&open(&keeper)));
}

#[test]
fn a_container_that_lies_is_named_and_not_taken() {
    let (remote, keeper) = harbour(2);
    open(&keeper).adopt(&stamp("k", 0), &Kind::ALL, LATER).unwrap();
    sync(&open(&keeper), remote.path());
    let name = "refs/datum/adopted/k-keeper01/journal";
    let honest = git(remote.path(), &["rev-parse", name]);
    let lines = git(remote.path(), &["ls-tree", name]);
    let entry = lines.lines().nth(1).unwrap();
    let forge = |tree: &str| {
        std::fs::write(remote.path().join("list"), format!("{tree}\n")).unwrap();
        let made = std::process::Command::new("git")
            .args(["mktree", "--missing"])
            .current_dir(remote.path())
            .stdin(std::fs::File::open(remote.path().join("list")).unwrap())
            .output()
            .unwrap();
        let tree = String::from_utf8(made.stdout).unwrap();
        let commit = git(remote.path(), &["commit-tree", "-m", "x", tree.trim()]);
        git(remote.path(), &["update-ref", name, commit.trim()]);
    };
    let (head, tip) = entry.rsplit_once('-').unwrap();
    let cases = [
        (entry.replace('@', "@1"), "another clock"),
        (entry.replace("x-old00001", "y-old00001"), "claims to be by"),
        (format!("{head}-{}", tip.replace(['a', 'b'], "0")), "do not end where"),
        (entry.replace("x-old00001", "..x"), "something else"),
        ("100644 blob e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\tx".to_owned(), "cannot be fetched"),
    ];
    let peer = clone_called("fresh001");
    for (tree, why) in cases {
        forge(&tree);
        let report = sync(&open(&peer), remote.path());
        assert!(report.refused.len() == 1 && report.refused[0].why.contains(why), "{why}: {report:?}");
        assert!(texts(&open(&peer)).is_empty());
    }
    // One that was set back is brought forward again by those who know better.
    forge(entry);
    assert_eq!(sync(&open(&peer), remote.path()).adopted.len(), 1);
    let report = sync(&open(&keeper), remote.path());
    assert!(report.refused.is_empty() && report.adopted.len() == 1, "{report:?}");
    assert_eq!(git(remote.path(), &["rev-parse", name]), honest);
    sync(&open(&peer), remote.path());
    assert_eq!((texts(&open(&peer)).len(), texts(&open(&keeper)).len()), (603, 603));
}

/// Sets the log of `writer` to the value it had when it held `count` entries, or to none.
fn set_back(dir: &TempDir, writer: &str, count: usize) {
    let name = format!("refs/datum/journal/{writer}");
    let all = git(dir.path(), &["rev-list", "--reverse", &format!("refs/all/{writer}")]);
    match count.checked_sub(1).and_then(|at| all.lines().nth(at)) {
        Some(tip) => git(dir.path(), &["update-ref", &name, tip]),
        None => git(dir.path(), &["update-ref", "-d", &name]),
    };
}

/// A copy of the clone `keeper01` that has adopted so many entries of each of the logs of `remote`.
fn copy_that_adopted(remote: &Path, counts: &[usize]) -> TempDir {
    let copy = clone_called("keeper01");
    git(copy.path(), &["fetch", "-q", &remote.to_string_lossy(), "refs/datum/journal/*:refs/all/*"]);
    for (n, count) in counts.iter().enumerate() {
        set_back(&copy, &format!("x-old0000{n}"), *count);
    }
    open(&copy).adopt(&stamp("k", 0), &Kind::ALL, LATER).unwrap();
    copy
}

fn container(dir: &TempDir) -> String {
    git(dir.path(), &["for-each-ref", "--format=%(objectname)", "refs/datum/adopted/"])
}

#[test]
fn containers_of_one_name_that_go_two_ways_become_one() {
    let remote = repository(&["--bare"]);
    for n in 0..2 {
        let old = clone_called(&format!("old0000{n}"));
        append(&open(&old), "x", n, &format!("first of {n}"));
        append(&open(&old), "x", n, &format!("second of {n}"));
        sync(&open(&old), remote.path());
    }
    let one = copy_that_adopted(remote.path(), &[2, 1]);
    let two = copy_that_adopted(remote.path(), &[0, 2]);
    assert_ne!(container(&one), container(&two));
    sync(&open(&one), remote.path());
    let report = sync(&open(&two), remote.path());
    assert!(report.refused.is_empty() && report.forks.is_empty(), "{report:?}");
    sync(&open(&one), remote.path());
    assert_eq!((container(&one), texts(&open(&one)).len()), (container(&two), 4));
    assert_eq!(id(&open(&one)), id(&open(&two)));
    assert!(sync(&open(&two), remote.path()).adopted.is_empty());
    fsck(remote.path());
}

#[test]
fn containers_whose_logs_go_two_ways_are_both_kept_and_told() {
    let remote = repository(&["--bare"]);
    let mut keepers = Vec::new();
    for text in ["one way", "another way"] {
        let old = clone_called("old00000");
        append(&open(&old), "x", 0, text);
        std::fs::write(old.path().join(".git/datum/clone"), "keeper01\n").unwrap();
        open(&old).adopt(&stamp("k", 0), &Kind::ALL, LATER).unwrap();
        keepers.push(old);
    }
    sync(&open(&keepers[0]), remote.path());
    let report = sync(&open(&keepers[1]), remote.path());
    assert!(report.refused.len() == 1 && report.refused[0].why.contains("different ways"), "{report:?}");
    assert_eq!(texts(&open(&keepers[0])), ["one way"]);
    assert_eq!(texts(&open(&keepers[1])), ["another way"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 20, ..ProptestConfig::default() })]

    /// Of each log the longer counts, whoever meets whom first.
    #[test]
    fn copies_that_adopted_what_they_liked_agree(
        adopted in prop::collection::vec(prop::collection::vec(0usize..4, 3), 3),
        order in prop::collection::vec(0usize..3, 0..5),
    ) {
        let remote = repository(&["--bare"]);
        for n in 0..3 {
            let old = clone_called(&format!("old0000{n}"));
            for at in 0..3 {
                append(&open(&old), "x", 10 * n + at, &format!("{at} of {n}"));
            }
            sync(&open(&old), remote.path());
        }
        let copies: Vec<_> = adopted.iter().map(|counts| copy_that_adopted(remote.path(), counts)).collect();
        for at in order.into_iter().chain([0, 1, 2, 0, 1, 2]) {
            let report = sync(&open(&copies[at]), remote.path());
            prop_assert!(report.refused.is_empty() && report.forks.is_empty(), "{:?}", report);
        }
        for copy in &copies {
            prop_assert_eq!(container(copy), container(&copies[0]));
            prop_assert_eq!(id(&open(copy)), id(&open(&copies[0])));
            prop_assert_eq!(texts(&open(copy)).len(), 9);
        }
    }
}
