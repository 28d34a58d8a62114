//! Sync between real repositories, by path.

use crate::sync::{Options, Report};
use crate::testing::{BUDGET, NOW, append, clone_called, fsck, git, open, repository, stamp, sync_at, texts};
use crate::{Draft, Kind, OpenOptions, Store, StoreError};
use std::path::Path;

fn sync(store: &Store, remote: &Path) -> Report {
    sync_at(store, remote, 0)
}

fn id(store: &Store) -> String {
    store.snapshot().unwrap().id().unwrap().to_string()
}

fn quiet(report: &Report) -> bool {
    report.came.is_empty() && report.went.is_empty() && report.refused.is_empty() && report.forks.is_empty()
}

#[test]
fn three_clones_in_any_order_reach_the_same_state() {
    for init in [&["--bare"][..], &["--bare", "--object-format=sha256"], &["--bare", "--ref-format=reftable"]]
    {
        let remote = repository(init);
        let format = init.iter().filter(|option| option.contains("sha256")).copied().collect::<Vec<_>>();
        let dirs: Vec<_> = ["aaaaaaa1", "bbbbbbb2", "ccccccc3"]
            .into_iter()
            .map(|id| {
                let dir = repository(&format);
                std::fs::write(dir.path().join(".git/datum/clone"), format!("{id}\n")).unwrap();
                dir
            })
            .collect();
        let stores: Vec<_> = dirs.iter().map(open).collect();
        for (n, store) in stores.iter().enumerate() {
            for at in 0..3 {
                append(store, "x", at, &format!("{n} says {at}"));
            }
        }
        for store in stores.iter().rev().chain(&stores).chain(&stores) {
            sync(store, remote.path());
        }
        assert_eq!(texts(&stores[0]).len(), 9, "{init:?}");
        assert!(stores.iter().all(|store| id(store) == id(&stores[0])));
        assert!(stores.iter().all(|store| quiet(&sync(store, remote.path()))));
        for dir in &dirs {
            fsck(dir.path());
        }
    }
}

#[test]
fn a_long_log_grows_on_both_sides_of_a_seal() {
    let remote = repository(&["--bare"]);
    let (one, two) = (clone_called("aaaaaaa1"), clone_called("bbbbbbb2"));
    let (one, two) = (open(&one), open(&two));
    for (at, count) in [(0, 250), (1, 10), (2, 600), (3, 1)] {
        let drafts: Vec<_> = (0..count).map(|n| Draft::new(&format!("{at} {n}"), "").unwrap()).collect();
        one.apply::<StoreError>(Kind::Journal, &stamp("x", at), |_| Ok(drafts.clone())).unwrap();
        let went = sync(&one, remote.path()).went;
        assert_eq!(went[0].entries, Some(count));
        let came = sync(&two, remote.path()).came;
        assert_eq!(came[0].entries, Some(count));
    }
    assert_eq!(texts(&two).len(), 861);
    assert_eq!(id(&one), id(&two));
}

#[test]
fn a_copied_clone_gets_an_id_of_its_own_and_loses_nothing() {
    let remote = repository(&["--bare"]);
    let first = clone_called("aaaaaaa1");
    append(&open(&first), "x", 0, "before the copy");
    sync(&open(&first), remote.path());
    let copy = tempfile::tempdir().unwrap();
    git(first.path(), &["worktree", "prune"]);
    assert!(
        std::process::Command::new("cp")
            .arg("-r")
            .arg(first.path().join(".git"))
            .arg(copy.path())
            .status()
            .unwrap()
            .success()
    );
    append(&open(&first), "x", 10, "by the first");
    let (one, two) = (open(&first), Store::open(copy.path()).unwrap());
    let said = append(&two, "x", 20, "by the copy");
    let named = Draft::new("names it", "").unwrap().with("In-Reply-To", &said.to_string()).unwrap();
    two.apply::<StoreError>(Kind::Journal, &stamp("x", 30), |_| Ok(vec![named.clone()])).unwrap();
    sync(&one, remote.path());
    let report = sync(&two, remote.path());
    assert_eq!(report.again.len(), 1, "{report:?}");
    let (old, new) = report.again[0].ids[0];
    assert_eq!(old, said);
    let entries = two.snapshot().unwrap().entries(Kind::Journal);
    assert_eq!(entries.last().unwrap().reference("In-Reply-To"), Some(new));
    assert_ne!(std::fs::read_to_string(copy.path().join(".git/datum/clone")).unwrap(), "aaaaaaa1\n");
    sync(&one, remote.path());
    assert_eq!(texts(&one), ["before the copy", "by the first", "by the copy", "names it"]);
    assert_eq!(id(&one), id(&two));
    append(&two, "x", 40, "and on");
    append(&one, "x", 40, "and on");
    assert!(sync(&two, remote.path()).again.is_empty());
    assert!(sync(&one, remote.path()).again.is_empty());
    assert_eq!(texts(&one).len(), 6);
    assert!(one.forks().unwrap().is_empty() && two.forks().unwrap().is_empty());
}

#[test]
fn a_copied_clone_takes_all_its_logs_along() {
    let remote = repository(&["--bare"]);
    let first = clone_called("aaaaaaa1");
    let kinds = [Kind::Journal, Kind::Bottle, Kind::Task];
    let say = |store: &Store, at: u64, text: &str| {
        for kind in kinds {
            store.note(kind, &stamp("x", at), &[Draft::new(text, "").unwrap()]).unwrap();
        }
    };
    say(&open(&first), 0, "before the copy");
    let copy = tempfile::tempdir().unwrap();
    let copied =
        std::process::Command::new("cp").arg("-r").arg(first.path().join(".git")).arg(copy.path()).status();
    assert!(copied.unwrap().success());
    let (one, two) = (open(&first), Store::open(copy.path()).unwrap());
    say(&one, 10, "by the first");
    say(&two, 20, "by the copy");
    sync(&one, remote.path());
    let report = sync(&two, remote.path());
    assert_eq!((report.again.len(), report.forks.len()), (3, 0), "{report:?}");
    sync(&one, remote.path());
    for kind in kinds {
        let entries = one.snapshot().unwrap().entries(kind);
        let said: Vec<_> = entries.iter().map(|entry| entry.subject.as_str()).collect();
        assert_eq!(said, ["before the copy", "by the first", "by the copy"], "{kind}");
    }
}

#[test]
fn clones_that_come_and_go_leave_one_log_and_lose_nothing() {
    let remote = repository(&["--bare"]);
    let runs = 8;
    let ephemeral = OpenOptions { ephemeral: true, ..OpenOptions::default() };
    std::thread::scope(|scope| {
        for run in 0..runs {
            let (remote, ephemeral) = (remote.path().to_owned(), &ephemeral);
            scope.spawn(move || {
                let dir = repository(&[]);
                let store = Store::open_with(dir.path(), ephemeral).unwrap();
                if run % 2 == 0 {
                    sync(&store, &remote);
                }
                append(&store, "ci", run, &format!("run {run}"));
                append(&store, "ci", run, &format!("run {run} ended"));
                sync(&store, &remote);
            });
        }
    });
    let reader = clone_called("bbbbbbb2");
    let reader = open(&reader);
    sync(&reader, remote.path());
    let mut texts = texts(&reader);
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len() as u64, 2 * runs);
    assert_eq!(reader.snapshot().unwrap().tips().count(), 1);
    fsck(remote.path());
}

#[test]
fn what_others_have_seen_is_never_said_twice_but_kept_as_a_fork() {
    let (left, right) = (repository(&["--bare"]), repository(&["--bare"]));
    let (one, two) = (clone_called("aaaaaaa1"), clone_called("aaaaaaa1"));
    let carrier = clone_called("bbbbbbb2");
    append(&open(&one), "x", 0, "one");
    append(&open(&two), "x", 0, "two");
    sync(&open(&one), left.path());
    sync(&open(&two), right.path());
    let carrier = open(&carrier);
    sync(&carrier, left.path());
    let report = sync(&carrier, right.path());
    assert_eq!(report.forks.len(), 1, "{report:?}");
    assert_eq!(texts(&carrier), ["one"]);
    let forks = carrier.forks().unwrap();
    assert_eq!((forks.len(), &forks), (1, &report.forks));
    // The other way grows, and so does what is kept of it.
    append(&open(&two), "x", 1, "two more");
    sync(&open(&two), right.path());
    sync(&carrier, right.path());
    assert_eq!(carrier.forks().unwrap().len(), 1);
    assert_ne!(carrier.forks().unwrap()[0].theirs, forks[0].theirs);
    assert_eq!(
        git(right.path(), &["log", "--format=%s", "refs/datum/journal/x-aaaaaaa1"]),
        "two more\ntwo\n"
    );
}

#[test]
fn a_remote_that_was_set_back_is_brought_forward_again() {
    let remote = repository(&["--bare"]);
    let (one, two) = (clone_called("aaaaaaa1"), clone_called("bbbbbbb2"));
    let (one, two) = (open(&one), open(&two));
    append(&one, "x", 0, "first");
    sync(&one, remote.path());
    let first = git(remote.path(), &["rev-parse", "refs/datum/journal/x-aaaaaaa1"]);
    append(&one, "x", 1, "second");
    sync(&one, remote.path());
    sync(&two, remote.path());
    git(remote.path(), &["update-ref", "refs/datum/journal/x-aaaaaaa1", first.trim()]);
    let report = sync(&two, remote.path());
    assert_eq!(report.went.len(), 1);
    git(remote.path(), &["update-ref", "-d", "refs/datum/journal/x-aaaaaaa1"]);
    sync(&two, remote.path());
    assert!(quiet(&sync(&one, remote.path())));
    assert_eq!(texts(&one).len(), 2);
}

#[test]
fn a_clock_far_ahead_is_not_believed_until_its_time_comes() {
    const DAY: u64 = 24 * 60 * 60 * 1000;
    let remote = repository(&["--bare"]);
    let (one, two) = (clone_called("aaaaaaa1"), clone_called("bbbbbbb2"));
    let (one, two) = (open(&one), open(&two));
    append(&one, "x", 2 * DAY, "from the future");
    append(&one, "y", 0, "from now");
    sync_at(&one, remote.path(), 2 * DAY);
    let report = sync(&two, remote.path());
    assert_eq!(texts(&two), ["from now"]);
    assert!(report.refused.len() == 1 && report.refused[0].why.contains("48 h ahead"), "{report:?}");
    sync_at(&two, remote.path(), DAY);
    assert_eq!(texts(&two).len(), 2);
}

#[test]
fn a_hook_that_refuses_one_log_does_not_hold_back_the_others() {
    let remote = repository(&["--bare"]);
    refuse(remote.path(), "case $1 in refs/datum/journal/no-*) echo 'not that one'; exit 1;; esac");
    let one = clone_called("aaaaaaa1");
    let one = open(&one);
    append(&one, "no", 0, "refused");
    append(&one, "yes", 0, "taken");
    let report = sync(&one, remote.path());
    assert_eq!(report.went.len(), 1);
    assert!(report.refused[0].by_them && report.refused[0].why.contains("not that one"), "{report:?}");
}

#[test]
fn a_bundle_carries_the_same_and_twice_changes_nothing() {
    let (one, two) = (clone_called("aaaaaaa1"), clone_called("bbbbbbb2"));
    let (one, two) = (open(&one), open(&two));
    let file = tempfile::tempdir().unwrap();
    let file = file.path().join("logs.bundle");
    append(&one, "x", 0, "first");
    assert_eq!(one.bundle(&file, &Options::default(), BUDGET).unwrap(), 1);
    let absorb = || {
        let source = two.remote(&file.to_string_lossy(), BUDGET).unwrap();
        two.absorb(&stamp("syncer", 0), &source, &Options::default()).unwrap()
    };
    assert_eq!(absorb().came.len(), 1);
    assert!(quiet(&absorb()));
    assert_eq!(id(&one), id(&two));
}

#[test]
fn a_branch_carries_the_logs_where_nothing_else_may_leave() {
    let remote = repository(&["--bare"]);
    refuse(
        remote.path(),
        "case $1 in refs/heads/agent/*) ;; *) echo 'agents push to agent/ only'; exit 1;; esac",
    );
    let (one, two) = (clone_called("aaaaaaa1"), clone_called("bbbbbbb2"));
    let (one, two) = (open(&one), open(&two));
    append(&one, "x", 0, "from one");
    append(&two, "y", 0, "from two");
    let report = sync(&one, remote.path());
    assert!(report.refused[0].by_them, "{report:?}");
    let carry = |store: &Store| {
        let remote = store.remote(&remote.path().to_string_lossy(), BUDGET).unwrap();
        store.sync_branch(&stamp("syncer", 0), &remote, "agent/logs", &Options::default()).unwrap()
    };
    assert_eq!(carry(&one).went.len(), 1);
    let report = carry(&two);
    assert_eq!((report.came.len(), report.went.len()), (1, 1), "{report:?}");
    assert_eq!(carry(&one).came.len(), 1);
    assert!(quiet(&carry(&one)) && quiet(&carry(&two)));
    assert_eq!(id(&one), id(&two));
    fsck(remote.path());
    let three = clone_called("ccccccc3");
    git(three.path(), &["fetch", "-q", &remote.path().to_string_lossy(), "agent/logs:agent/logs"]);
    let three = open(&three);
    let name = three.find_ref("agent/logs").unwrap();
    let absorb = || three.absorb_ref(&stamp("syncer", 0), &name, &Options::default()).unwrap();
    assert_eq!(absorb().came.len(), 2);
    assert!(quiet(&absorb()));
    assert_eq!(id(&one), id(&three));
}

fn refuse(remote: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let hook = remote.join("hooks/update");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_compacted_log_reads_the_same_and_a_peer_that_was_away_catches_up() {
    let remote = repository(&["--bare"]);
    let dirs = [clone_called("aaaaaaa1"), clone_called("bbbbbbb2")];
    let (one, two) = (open(&dirs[0]), open(&dirs[1]));
    append(&one, "x", 0, "first");
    sync(&one, remote.path());
    sync(&two, remote.path());
    for round in 1..4u64 {
        let drafts: Vec<_> = (0..300).map(|n| Draft::new(&format!("{round} {n}"), "").unwrap()).collect();
        one.apply::<StoreError>(Kind::Journal, &stamp("x", round), |_| Ok(drafts.clone())).unwrap();
        let before = texts(&one);
        let done = one.compact(&stamp("x", 1000 * round), &Kind::ALL, 2).unwrap();
        assert_eq!(done.len(), 1, "round {round}");
        assert_eq!(texts(&one), before);
        // Nothing new, nothing to compact.
        assert!(one.compact(&stamp("x", 1000 * round), &Kind::ALL, 2).unwrap().is_empty());
        if round != 2 {
            let report = sync(&one, remote.path());
            assert!(report.went.len() == 1 && report.refused.is_empty(), "{report:?}");
        }
    }
    assert_eq!(git(remote.path(), &["rev-list", "--count", "refs/datum/journal/x-aaaaaaa1"]), "1\n");
    let report = sync(&two, remote.path());
    assert!(report.forks.is_empty() && report.refused.is_empty(), "{report:?}");
    assert_eq!((texts(&two).len(), id(&two)), (901, id(&one)));
    append(&one, "x", 9000, "after it");
    sync(&one, remote.path());
    sync(&two, remote.path());
    assert_eq!(texts(&two).len(), 902);
    let archived = git(dirs[0].path(), &["for-each-ref", "refs/datum-archive"]);
    assert_eq!(archived.lines().count(), 3);
    assert_eq!(one.expire_archive(NOW + 2500).unwrap().len(), 2);
    let parts = one.size(&one.snapshot().unwrap()).unwrap();
    assert!(parts.iter().any(|part| part.name == "archive" && part.refs == 1 && part.bytes > 0), "{parts:?}");
    fsck(dirs[0].path());
    fsck(dirs[1].path());
}

#[test]
fn a_server_that_wants_no_epochs_says_so_once() {
    let remote = repository(&["--bare"]);
    let forward =
        "case $2 in 0*) ;; *) git merge-base --is-ancestor $2 $3 || { echo 'only forward'; exit 1; };; esac";
    refuse(remote.path(), forward);
    let one = clone_called("aaaaaaa1");
    let one = open(&one);
    append(&one, "x", 0, "first");
    append(&one, "x", 0, "second");
    sync(&one, remote.path());
    one.compact(&stamp("x", 1), &Kind::ALL, 1).unwrap();
    let report = sync(&one, remote.path());
    assert!(report.refused.len() == 1 && report.refused[0].by_them, "{report:?}");
}
