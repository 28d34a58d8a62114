//! A state machine of append, sync, compact and copy, in any order, against a plain list of what was said.

use crate::sync::Options;
use crate::testing::{NOW, fsck, git, repository, stamp};
use crate::{Draft, Kind, OpenOptions, Store, StoreError};
use proptest::prelude::*;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
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
    /// A run that comes, says something, syncs with a remote and goes.
    Run(usize),
}

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

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_entry_is_held_once_by_everybody_in_the_end(steps in prop::collection::vec(step(), 4..12)) {
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
