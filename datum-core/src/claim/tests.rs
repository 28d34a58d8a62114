use super::*;
use crate::testing::{NOW, fsck, git, repository, stamp};
use crate::{Draft, Kind, Snapshot, store::Applied};

fn name() -> Name {
    Name::new("task-1").unwrap()
}

#[test]
fn one_holds_until_the_lease_ends_or_is_given_back() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let a = |at| stamp("a", at);
    assert_eq!(
        store.claim(&name(), &a(0), 1000).unwrap(),
        Outcome::Claimed { fencing: 1, until: NOW + 1000 }
    );
    let by_a = |until| Outcome::Held { by: store.writer(&a(0).agent).unwrap(), until, fencing: 1 };
    assert_eq!(store.claim(&name(), &stamp("b", 999), 1000).unwrap(), by_a(NOW + 1000));
    assert_eq!(
        store.renew(&name(), &a(999), 1, 1000).unwrap(),
        Outcome::Claimed { fencing: 1, until: NOW + 1999 }
    );
    assert_eq!(store.release(&name(), &stamp("b", 1000), 1).unwrap(), by_a(NOW + 1999));
    assert_eq!(
        store.claim(&name(), &stamp("b", 1999), 1000).unwrap(),
        Outcome::Claimed { fencing: 2, until: NOW + 2999 }
    );
    // The old holder cannot touch what another has taken over.
    assert!(matches!(store.renew(&name(), &a(2000), 1, 1000).unwrap(), Outcome::Held { fencing: 2, .. }));
    assert_eq!(store.release(&name(), &stamp("b", 2000), 2).unwrap(), Outcome::Free);
    assert_eq!(store.renew(&name(), &stamp("b", 2000), 2, 1).unwrap(), Outcome::Free);
    assert!(matches!(store.claim(&name(), &a(2001), 1).unwrap(), Outcome::Claimed { fencing: 3, .. }));
    assert_eq!(store.claims().unwrap().0.len(), 1);
    assert_eq!(git(dir.path(), &["rev-list", "--count", "refs/datum/claim/task-1"]), "5\n");
    fsck(dir.path());
}

#[test]
fn of_many_one_wins_a_fresh_claim_and_one_that_ran_out() {
    let dir = repository(&[]);
    for round in 0..4 {
        let won = std::thread::scope(|scope| {
            let run = |n: u64| {
                let path = dir.path();
                scope.spawn(move || {
                    let store = Store::open(path).unwrap();
                    // Half of them are even the same agent.
                    let stamp = stamp(&format!("a{}", n / 2), round * 10);
                    matches!(store.claim(&name(), &stamp, 10).unwrap(), Outcome::Claimed { .. })
                })
            };
            let threads: Vec<_> = (0..8).map(run).collect();
            threads.into_iter().map(|thread| u32::from(thread.join().unwrap())).sum::<u32>()
        });
        assert_eq!(won, 1, "round {round}");
    }
    let claim = Store::open(dir.path()).unwrap().find_claim(&name()).unwrap().unwrap();
    assert_eq!(claim.fencing, 4);
    fsck(dir.path());
}

#[test]
fn a_clock_far_ahead_holds_nothing_for_ever() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    store.claim(&name(), &stamp("a", 100 * LEASE_MAX), LEASE_MAX).unwrap();
    assert!(matches!(
        store.claim(&name(), &stamp("b", 0), 1).unwrap(),
        Outcome::Claimed { fencing: 2, until } if until == NOW + 1
    ));
}

#[test]
fn what_is_no_claim_is_named_and_left_alone() {
    let dir = repository(&[]);
    git(dir.path(), &["commit", "-q", "--allow-empty", "-m", "x"]);
    git(dir.path(), &["update-ref", "refs/datum/claim/task-1", "HEAD"]);
    let store = Store::open(dir.path()).unwrap();
    let error = store.claim(&name(), &stamp("a", 0), 1).unwrap_err().to_string();
    assert!(error.contains("is no claim"), "{error}");
    assert_eq!(store.claims().unwrap().1.len(), 1);
}

#[test]
fn names_are_safe_in_refs_and_paths() {
    for bad in ["", "A", ".x", "a..b", "a/b", "a.lock", "a b", &"x".repeat(101)] {
        assert!(Name::new(bad).is_err(), "{bad:?}");
    }
    assert!(Name::new(&"a".repeat(64)).is_ok());
}

#[test]
fn of_twelve_clones_one_wins_at_the_remote_each_of_twenty_rounds() {
    let remote = repository(&["--bare"]);
    let clones: Vec<_> = (0..12)
        .map(|n| {
            let dir = repository(&[]);
            std::fs::write(dir.path().join(".git/datum/clone"), format!("clone0{n:02}\n")).unwrap();
            dir
        })
        .collect();
    for round in 0..20 {
        let won = std::thread::scope(|scope| {
            let run = |dir: &tempfile::TempDir| {
                let (path, place) = (dir.path().to_owned(), remote.path().to_string_lossy().into_owned());
                scope.spawn(move || {
                    let store = Store::open(&path).unwrap();
                    let there = store.remote(&place, std::time::Duration::from_secs(60)).unwrap();
                    // Each round begins when the lease of the last has run out: a takeover.
                    match store.claim_at(&there, &name(), &stamp("x", round * 10), 10).unwrap() {
                        Outcome::Claimed { fencing, .. } => Some(fencing),
                        Outcome::Held { fencing, .. } => {
                            assert_eq!(fencing, round + 1);
                            None
                        }
                        Outcome::Free => panic!("nobody holds it"),
                    }
                })
            };
            let threads: Vec<_> = clones.iter().map(run).collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(won, [round + 1], "round {round}");
    }
    let chain = git(remote.path(), &["rev-list", "--count", "refs/datum/claim/task-1"]);
    assert_eq!(chain, "20\n");
    fsck(remote.path());
}

#[test]
fn at_a_remote_it_is_renewed_released_and_what_is_none_is_named() {
    let (here, there) = (repository(&[]), repository(&["--bare"]));
    let store = Store::open(here.path()).unwrap();
    let at = || {
        let place = there.path().to_string_lossy().into_owned();
        store.remote(&place, std::time::Duration::from_secs(60)).unwrap()
    };
    let (a, b) = (stamp("a", 0), stamp("b", 0));
    assert_eq!(store.find_claim_at(&at(), &name()).unwrap(), None);
    assert!(matches!(store.claim_at(&at(), &name(), &a, 1000).unwrap(), Outcome::Claimed { fencing: 1, .. }));
    assert!(matches!(store.claim_at(&at(), &name(), &b, 1000).unwrap(), Outcome::Held { fencing: 1, .. }));
    assert!(matches!(store.renew_at(&at(), &name(), &b, 1, 9).unwrap(), Outcome::Held { .. }));
    let renewed = store.renew_at(&at(), &name(), &a, 1, 2000).unwrap();
    assert_eq!(renewed, Outcome::Claimed { fencing: 1, until: NOW + 2000 });
    assert_eq!(store.release_at(&at(), &name(), &a, 1).unwrap(), Outcome::Free);
    assert!(matches!(store.claim_at(&at(), &name(), &b, 1000).unwrap(), Outcome::Claimed { fencing: 2, .. }));
    assert_eq!(store.claims_at(&at()).unwrap().0.len(), 1);
    // The claims of this repository are others.
    assert_eq!(store.find_claim(&name()).unwrap(), None);
    git(there.path(), &["update-ref", "-d", "refs/datum/claim/task-1"]);
    git(here.path(), &["commit", "-q", "--allow-empty", "-m", "x"]);
    let place = there.path().to_string_lossy().into_owned();
    git(here.path(), &["push", "-q", &place, "HEAD:refs/datum/claim/task-1"]);
    let error = store.claim_at(&at(), &name(), &a, 1).unwrap_err().to_string();
    assert!(error.contains("is no claim"), "{error}");
    assert_eq!(store.claims_at(&at()).unwrap().1, ["task-1"]);
}

/// Claims for `a` and says so in its journal.
fn claim_and_say(
    store: &Store,
    mut decide: impl FnMut(&Snapshot<'_>, u64, Millis) -> Result<Draft, StoreError>,
) -> Result<Result<Applied, Outcome>, StoreError> {
    let stamp = stamp("a", 1);
    store.claim_and_tell(&name(), &stamp, (Kind::Journal, &stamp), None, |snapshot, step| {
        match step(Wish::Take { lease: 1000, told: 0 }) {
            Ok((fencing, until)) => decide(snapshot, fencing, until).map(Ok),
            Err(answer) => Ok(Err(answer)),
        }
    })
}

fn said(fencing: u64, until: Millis) -> Draft {
    Draft::new(&format!("claim {fencing} until {until}"), "").unwrap()
}

#[test]
fn a_claim_and_its_entry_are_both_made_or_neither() {
    for init in [&[][..], &["--ref-format=reftable"]] {
        let dir = repository(init);
        let refs = || git(dir.path(), &["for-each-ref", "--format=%(refname) %(subject)"]);
        let store = Store::open(dir.path()).unwrap();
        let error = claim_and_say(&store, |_, _, _| Err(StoreError::NotARepository { path: "x".into() }));
        assert!(matches!(error, Err(StoreError::NotARepository { .. })), "{error:?}");
        assert_eq!(refs(), "", "what is refused claims nothing");
        // Another claims it when the entry is decided upon: who holds it is the answer, and nothing is said.
        let mut asked = 0;
        let told = claim_and_say(&store, |_, fencing, until| {
            asked += 1;
            let other = Store::open(dir.path())?;
            other.claim(&name(), &stamp("b", 1), 10)?;
            Ok(said(fencing, until))
        });
        assert!(matches!(&told, Ok(Err(Outcome::Held { by, .. })) if by.agent() == "b"), "{told:?}");
        assert_eq!((asked, refs().as_str()), (1, "refs/datum/claim/task-1 Claim task-1\n"));
        // Another writes to the log meanwhile: it is decided again, and the claim waits for it.
        store.release(&name(), &stamp("b", 2), 1).unwrap();
        let mut asked = 0;
        let told = claim_and_say(&store, |snapshot, fencing, until| {
            asked += 1;
            assert_eq!(snapshot.entries(Kind::Journal).len(), asked - 1);
            if asked == 1 {
                let other = Store::open(dir.path())?;
                other.note(Kind::Journal, &stamp("a", 1), &[Draft::new("faster", "").unwrap()])?;
                assert!(store.find_claim(&name())?.unwrap().released);
            }
            Ok(said(fencing, until))
        });
        assert!(matches!(&told, Ok(Ok(applied)) if applied.ids.len() == 1), "{told:?}");
        assert_eq!(asked, 2);
        let claim = store.find_claim(&name()).unwrap().unwrap();
        assert_eq!((claim.holder.agent(), claim.fencing, claim.released), ("a", 2, false));
        let log = git(dir.path(), &["log", "--format=%s", "--glob=refs/datum/journal/*"]);
        assert_eq!(log, format!("claim 2 until {}\nfaster\n", NOW + 1001));
        fsck(dir.path());
    }
}

#[test]
fn a_log_that_another_has_locked_keeps_its_claim_from_being_made_and_no_lock_is_left() {
    let dir = repository(&[]);
    git(dir.path(), &["config", "core.filesRefLockTimeout", "1"]);
    let store = Store::open(dir.path()).unwrap();
    store.note(Kind::Journal, &stamp("a", 0), &[Draft::new("one", "").unwrap()]).unwrap();
    for locked in ["journal/a-aaaaaaaa.lock", "claim/task-1.lock"] {
        let lock = dir.path().join(".git/refs/datum").join(locked);
        std::fs::create_dir_all(lock.parent().unwrap()).unwrap();
        std::fs::write(&lock, "").unwrap();
        let error = claim_and_say(&store, |_, fencing, until| Ok(said(fencing, until)));
        assert!(matches!(error, Err(StoreError::Locked { .. })), "{error:?}");
        std::fs::remove_file(&lock).unwrap();
        assert_eq!(store.find_claim(&name()).unwrap(), None);
        let log = git(dir.path(), &["log", "--format=%s", "refs/datum/journal/a-aaaaaaaa"]);
        assert_eq!(log, "one\n");
        for folder in ["journal", "claim"] {
            let files = std::fs::read_dir(dir.path().join(".git/refs/datum").join(folder));
            let locks = files.into_iter().flatten().flatten().map(|file| file.path());
            assert_eq!(locks.filter(|path| path.extension().is_some()).count(), 0, "{locked} {folder}");
        }
    }
    assert!(claim_and_say(&store, |_, fencing, until| Ok(said(fencing, until))).unwrap().is_ok());
}
