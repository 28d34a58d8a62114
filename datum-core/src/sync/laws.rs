//! A state machine of append, sync, compact, adopt and copy, and of syncs that are killed on their way, in any order,
//! against a plain list of what was said.
//!
//! What is killed is this test program itself, run once more for [`a_sync_to_be_killed`] alone, with all the processes
//! that it has started: after some milliseconds, or by the remote's hooks before and after the refs there have moved.

use crate::doctor;
use crate::sync::Options;
use crate::testing::{NOW, fsck, git, repository, stamp};
use crate::{Draft, Kind, OpenOptions, Store, StoreError};
use proptest::prelude::*;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// One step of somebody.
#[derive(Debug, Clone)]
enum Step {
    /// The clone says something.
    Append(usize),
    /// The clone says many things at once.
    Batch(usize),
    /// The clone syncs with one of the remotes.
    Sync(usize, usize),
    /// The clone begins new epochs.
    Compact(usize),
    /// The clone adopts the logs of all others.
    Adopt(usize),
    /// The clone becomes a copy of another, id and all.
    Copy(usize, usize),
    /// The clone's sync with a remote is killed on its way.
    Kill(usize, usize, Cut),
    /// A run that comes, says something, syncs with a remote and goes.
    Run(usize),
}

/// Where a sync is killed.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// After so many milliseconds, with the git that it runs.
    All(u64),
    /// After so many milliseconds, and the git that it runs goes on.
    Alone(u64),
    /// By this hook of the remote, on both sides of the push.
    Hook(&'static str),
    /// By this hook of the remote, on the remote's side alone.
    Remote(&'static str),
}

/// Tells the program that it is one to be killed: the clone, the remote and the time.
const KILLED: &str = "DATUM_TEST_KILLED";

const CLONES: usize = 3;
const REMOTES: usize = 2;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..CLONES).prop_map(Step::Append),
        1 => (0..CLONES).prop_map(Step::Batch),
        5 => (0..CLONES, 0..REMOTES).prop_map(|(clone, remote)| Step::Sync(clone, remote)),
        1 => (0..CLONES).prop_map(Step::Compact),
        1 => (0..CLONES).prop_map(Step::Adopt),
        1 => (0..CLONES, 0..CLONES).prop_map(|(from, to)| Step::Copy(from, to)),
        1 => (0..REMOTES).prop_map(Step::Run),
        3 => (0..CLONES, 0..REMOTES, cut()).prop_map(|(clone, remote, cut)| Step::Kill(clone, remote, cut)),
    ]
}

fn cut() -> impl Strategy<Value = Cut> {
    let hook = || prop::sample::select(vec!["pre-receive", "update", "post-receive"]);
    prop_oneof![
        (0u64..80).prop_map(Cut::All),
        (0u64..80).prop_map(Cut::Alone),
        hook().prop_map(Cut::Hook),
        hook().prop_map(Cut::Remote),
    ]
}

struct World {
    clones: Vec<TempDir>,
    remotes: Vec<TempDir>,
    said: Vec<String>,
    now: u64,
}

impl World {
    fn new() -> Self {
        let clone = |n: usize| {
            let dir = repository(&[]);
            std::fs::write(dir.path().join(".git/datum/clone"), format!("clone00{n}\n")).unwrap();
            dir
        };
        let clones = (0..CLONES).map(clone).collect();
        let remotes = (0..REMOTES).map(|_| repository(&["--bare"])).collect();
        Self { clones, remotes, said: Vec::new(), now: 0 }
    }

    fn store(&self, clone: usize) -> Store {
        Store::open(self.clones[clone].path()).unwrap()
    }

    fn say(&mut self, store: &Store, count: usize) {
        let drafts: Vec<_> = (0..count)
            .map(|_| {
                self.said.push(format!("said {}", self.said.len()));
                Draft::new(self.said.last().unwrap(), "").unwrap()
            })
            .collect();
        store.apply::<StoreError>(Kind::Journal, &stamp("x", self.now), |_| Ok(drafts.clone())).unwrap();
    }

    fn sync(&self, store: &Store, remote: usize) {
        let place = self.remotes[remote].path().to_string_lossy().into_owned();
        let remote = store.remote(&place, Duration::from_secs(60)).unwrap();
        let report = store.sync(&stamp("syncer", self.now), &remote, &Options::default()).unwrap();
        assert!(report.trouble.is_none() && report.refused.is_empty(), "{report:?}");
    }

    /// Starts a sync in a process of its own, and sees to its end.
    fn kill(&self, clone: usize, remote: usize, cut: Cut) {
        let (clone, remote) = (self.clones[clone].path(), self.remotes[remote].path());
        let hook = match cut {
            Cut::Hook(name) => Some((remote.join("hooks").join(name), "kill -9 0")),
            Cut::Remote(name) => Some((remote.join("hooks").join(name), "kill -9 $PPID")),
            Cut::All(_) | Cut::Alone(_) => None,
        };
        if let Some((path, line)) = &hook {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, format!("#!/bin/sh\n{line}\n")).unwrap();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "sync::laws::a_sync_to_be_killed"])
            .env(KILLED, format!("{}\n{}\n{}", clone.display(), remote.display(), self.now))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let group = format!("-{}", child.id());
        let signal = |sign: &str| {
            Command::new("kill").args([sign, "--", &group]).stderr(Stdio::null()).status().unwrap().success()
        };
        match cut {
            Cut::All(after) => {
                std::thread::sleep(Duration::from_millis(after));
                signal("-KILL");
            }
            Cut::Alone(after) => {
                std::thread::sleep(Duration::from_millis(after));
                child.kill().unwrap();
            }
            Cut::Hook(_) | Cut::Remote(_) => {}
        }
        child.wait().unwrap();
        while signal("-0") {
            std::thread::sleep(Duration::from_millis(2));
        }
        if let Some((path, _)) = hook {
            std::fs::remove_file(path).unwrap();
        }
        // Locks of a git that was killed: at a server its keeper removes them, in a clone the doctor does.
        for lock in locks(remote) {
            std::fs::remove_file(lock).unwrap();
        }
        let old = SystemTime::now() - Duration::from_secs(3600);
        for lock in locks(&clone.join(".git")) {
            std::fs::File::options().write(true).open(lock).unwrap().set_modified(old).unwrap();
        }
        let found = doctor::repair(&Store::open(clone).unwrap(), &stamp("doc", self.now)).unwrap();
        assert!(found.iter().all(|finding| finding.state == doctor::State::Repaired), "{found:?}");
    }

    fn take(&mut self, step: &Step) {
        self.now += 1000;
        match *step {
            Step::Append(clone) => self.say(&self.store(clone), 1),
            Step::Batch(clone) => self.say(&self.store(clone), 260),
            Step::Sync(clone, remote) => self.sync(&self.store(clone), remote),
            Step::Compact(clone) => {
                self.store(clone).compact(&stamp("x", self.now), &Kind::ALL, 1).unwrap();
            }
            Step::Adopt(clone) => {
                self.store(clone).adopt(&stamp("x", self.now), &Kind::ALL, NOW + self.now).unwrap();
            }
            Step::Copy(from, to) if from != to => {
                // What the overwritten clone alone held would be gone with it.
                for remote in 0..REMOTES {
                    self.sync(&self.store(to), remote);
                }
                let target = self.clones[to].path().join(".git");
                std::fs::remove_dir_all(&target).unwrap();
                let source = self.clones[from].path().join(".git");
                assert!(Command::new("cp").arg("-r").args([source, target]).status().unwrap().success());
            }
            Step::Copy(..) => {}
            Step::Kill(clone, remote, cut) => self.kill(clone, remote, cut),
            Step::Run(remote) => {
                let dir = repository(&[]);
                let ephemeral = OpenOptions { ephemeral: true, ..OpenOptions::default() };
                let store = Store::open_with(dir.path(), &ephemeral).unwrap();
                self.say(&store, 2);
                self.sync(&store, remote);
            }
        }
    }

    /// Everything that is in the logs of a clone, and in the forks it keeps.
    fn held(store: &Store, dir: &Path) -> Vec<String> {
        let snapshot = store.snapshot().unwrap();
        let mut texts: Vec<_> =
            snapshot.entries(Kind::Journal).into_iter().map(|entry| entry.subject).collect();
        assert_eq!(snapshot.damage(), []);
        let count = texts.len();
        texts.sort();
        texts.dedup();
        assert_eq!(count, texts.len(), "an entry stands twice");
        for fork in store.forks().unwrap() {
            let lines = git(dir, &["log", "--format=%s", &fork.kept]);
            texts.extend(lines.lines().map(str::to_owned));
            let tree = git(dir, &["log", "-1", "--format=%T", &fork.kept]);
            for blob in git(dir, &["ls-tree", "-r", "--object-only", tree.trim()]).lines() {
                let sealed = git(dir, &["cat-file", "blob", blob]);
                texts.extend(sealed.lines().filter(|line| line.starts_with("said ")).map(str::to_owned));
            }
        }
        texts.sort();
        texts.dedup();
        texts.retain(|text| text.starts_with("said "));
        texts
    }
}

/// The locks that lie in a repository.
fn locks(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if entry.path().extension().is_some_and(|end| end == "lock") {
                found.push(entry.path());
            }
        }
    }
    found
}

/// No test of its own: what [`World::kill`] starts.
#[test]
fn a_sync_to_be_killed() {
    let Ok(told) = std::env::var(KILLED) else { return };
    let mut told = told.lines();
    let mut next = || told.next().unwrap();
    let (store, remote, now) =
        (Store::open(Path::new(next())).unwrap(), next().to_owned(), next().parse().unwrap());
    let remote = store.remote(&remote, Duration::from_secs(60)).unwrap();
    let _ = store.sync(&stamp("syncer", now), &remote, &Options::default());
}

#[test]
fn a_push_that_is_cut_before_and_after_it_counts_is_made_good_by_the_next() {
    for name in ["pre-receive", "update", "post-receive"] {
        for cut in [Cut::Hook(name), Cut::Remote(name)] {
            let mut world = World::new();
            world.take(&Step::Append(0));
            world.sync(&world.store(0), 0);
            world.take(&Step::Batch(0));
            world.take(&Step::Run(0));
            world.take(&Step::Kill(0, 0, cut));
            world.take(&Step::Append(0));
            world.sync(&world.store(0), 0);
            world.sync(&world.store(1), 0);
            let ids: Vec<_> = (0..2).map(|n| world.store(n).snapshot().unwrap().id()).collect();
            assert_eq!(ids[0], ids[1], "{cut:?}");
            assert_eq!(World::held(&world.store(1), world.clones[1].path()).len(), world.said.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_entry_is_held_once_by_everybody_in_the_end(steps in prop::collection::vec(step(), 4..14)) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
        }
        for _ in 0..3 {
            for clone in 0..CLONES {
                for remote in 0..REMOTES {
                    world.sync(&world.store(clone), remote);
                }
            }
        }
        let mut said = world.said.clone();
        said.sort();
        for clone in 0..CLONES {
            let held = World::held(&world.store(clone), world.clones[clone].path());
            prop_assert_eq!(&held, &said, "clone {} after {:?}", clone, &steps);
        }
        let forked = (0..CLONES).any(|clone| !world.store(clone).forks().unwrap().is_empty());
        if !forked {
            let ids: Vec<_> = (0..CLONES).map(|n| world.store(n).snapshot().unwrap().id()).collect();
            prop_assert!(ids.iter().all(|id| *id == ids[0]));
        }
        fsck(world.clones[0].path());
    }
}
