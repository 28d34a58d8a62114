//! Packing after a write: git's own, beside the writer and never in its way.
//!
//! A geometric repack drops nothing: it packs every loose object, reachable or not, and removes a pack only when a new
//! one holds all that was in it. So an object that is written and about to be referenced is safe from it, which it is
//! not from `git gc --prune=now`.

use crate::store::Store;
use std::fs::{self, File};
use std::path::Path;

/// Files in `objects/17`, one of 256 folders, from which there are enough loose objects to pack (about 2000).
const LOOSE_MOST: usize = 8;
/// Packs from which there are enough to join; git's own limit, `gc.autoPackLimit`, is 50.
const PACKS_MOST: usize = 24;

/// What the objects of a repository take, and whether packing is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Upkeep {
    /// Packs.
    pub packs: usize,
    /// Their size, bytes.
    pub pack_bytes: u64,
    /// Loose objects; where they lie in very many folders, as many as some of these tell.
    pub loose: usize,
    /// Whether not all of them were counted.
    pub is_estimate: bool,
    /// Whether there is enough to pack.
    pub due: bool,
    /// Whether a write starts packing when it is due; settings and partial clones can forbid it.
    pub by_itself: bool,
}

impl Store {
    /// Counts packs and loose objects, those of the user's own history among them; no object is read.
    pub fn upkeep(&self) -> Upkeep {
        let objects = self.odb.objects_dir();
        let packs = fs::read_dir(objects.join("pack")).into_iter().flatten().flatten();
        let sizes: Vec<u64> = packs
            .filter(|file| is_pack(&file.path()))
            .map(|file| file.metadata().map_or(0, |data| data.len()))
            .collect();
        let (loose, is_estimate) = loose(objects);
        let due = count(&objects.join("17")) > LOOSE_MOST || sizes.len() > PACKS_MOST;
        Upkeep {
            packs: sizes.len(),
            pack_bytes: sizes.iter().sum(),
            loose,
            is_estimate,
            due,
            by_itself: allowed(self),
        }
    }
}

fn is_pack(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "pack")
}

/// Starts packing if there is enough to pack, nobody is at it and the user has not forbidden it.
///
/// One folder is listed, and no failure is told: what is not packed now is packed later. `as_pack` says that the write
/// made a pack. Answers whether packing was started.
pub(crate) fn after_seal(store: &Store, as_pack: bool) -> bool {
    let objects = store.odb.objects_dir();
    let due = if as_pack {
        let packs = fs::read_dir(objects.join("pack")).into_iter().flatten().flatten();
        packs.filter(|file| is_pack(&file.path())).count() > PACKS_MOST
    } else {
        count(&objects.join("17")) > LOOSE_MOST
    };
    due && allowed(store) && start(store)
}

/// How many loose objects there are, and whether that is an estimate.
///
/// To list all 256 folders costs more than all else that a status asks of a repository with little in it. Ids are spread
/// evenly, so a part of the folders tells; git itself looks at one, for `gc.auto`.
fn loose(objects: &Path) -> (usize, bool) {
    const SAMPLE: usize = 16;
    let is_hex = |name: &str| name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let names = fs::read_dir(objects).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let mut folders: Vec<_> = names.filter(|name| name.to_str().is_some_and(is_hex)).collect();
    folders.sort_unstable();
    let step = (folders.len() / SAMPLE).max(1);
    let (mut counted, mut sum) = (0, 0);
    for folder in folders.iter().step_by(step) {
        counted += 1;
        sum += count(&objects.join(folder));
    }
    (sum * folders.len() / counted.max(1), step > 1)
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

fn allowed(store: &Store) -> bool {
    let forbidden = |key| store.switch(key) == Some(false);
    // git repacks a partial clone's promised objects in a way of its own, which the geometric one does not know.
    let gc_off = store.setting("gc.auto").is_some_and(|value| value.trim() == "0");
    !(gc_off || store.odb.is_partial() || forbidden("maintenance.auto") || forbidden("datum.maintenance"))
}

fn start(store: &Store) -> bool {
    let path = store.common_dir.join("datum/maintenance");
    let Ok(lock) = File::options().create(true).append(true).open(path) else { return false };
    if lock.try_lock().is_err() {
        return false;
    }
    // The children inherit the locked file as their input: the lock is free when the last of them has ended, however.
    let mut repack = store.git.command("repack");
    repack.args(["-d", "-l", "-q", "--geometric=2"]);
    let mut graph = store.git.command("commit-graph");
    graph.args(["write", "--reachable", "--split", "--no-progress"]);
    let run = |command| lock.try_clone().is_ok_and(|lock| store.git.detach(command, lock));
    run(repack) | run(graph)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odb::ObjectKind;
    use crate::testing::{append, fsck, git, repository, texts};
    use std::time::Duration;

    /// A repository with more loose objects in `objects/17` than are left alone.
    fn crowded() -> tempfile::TempDir {
        let dir = repository(&[]);
        let store = Store::open(dir.path()).unwrap();
        append(&store, "a", 0, "one");
        let blobs = (0u32..).map(|n| n.to_string());
        let in_17 = |text: &String| {
            store.odb.hash(ObjectKind::Blob, text.as_bytes()).unwrap().to_string().starts_with("17")
        };
        for text in blobs.filter(in_17).take(LOOSE_MOST + 1) {
            store.odb.write(ObjectKind::Blob, text.as_bytes(), false).unwrap();
        }
        dir
    }

    #[test]
    fn few_loose_objects_are_counted_and_many_are_told_from_some_folders() {
        let dir = repository(&[]);
        let store = Store::open(dir.path()).unwrap();
        let write = |n: u32| {
            store.odb.write(ObjectKind::Blob, n.to_string().as_bytes(), false).unwrap();
        };
        (0..20).for_each(write);
        assert_eq!((store.upkeep().loose, store.upkeep().is_estimate), (20, false));
        (20..2000).for_each(write);
        let upkeep = store.upkeep();
        assert!(upkeep.is_estimate && (1500..2500).contains(&upkeep.loose), "{upkeep:?}");
    }

    #[test]
    fn loose_objects_are_packed_beside_the_writer_and_none_is_lost() {
        let dir = crowded();
        let store = Store::open(dir.path()).unwrap();
        let before = store.upkeep();
        assert!(
            before.due && before.by_itself && before.loose > LOOSE_MOST && before.packs == 0,
            "{before:?}"
        );
        assert!(after_seal(&store, false));
        let loose = || git(dir.path(), &["count-objects"]).starts_with("0 objects");
        let graph = || dir.path().join(".git/objects/info/commit-graphs/commit-graph-chain").exists();
        let done = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            loose() && graph()
        });
        assert!(done, "{}", git(dir.path(), &["count-objects", "-v"]));
        // Unreachable ones too.
        let packed = git(dir.path(), &["count-objects", "-v"]);
        assert!(packed.contains(&format!("in-pack: {}\n", LOOSE_MOST + 3)), "{packed}");
        let after = store.upkeep();
        assert!(!after.due && after.loose == 0 && after.packs > 0 && after.pack_bytes > 0, "{after:?}");
        append(&store, "a", 1, "two");
        assert_eq!(texts(&store), ["one", "two"]);
        fsck(dir.path());
    }

    #[test]
    fn it_is_left_alone_where_forbidden_or_at_work() {
        for setting in ["gc.auto=0", "maintenance.auto=false", "datum.maintenance=no"] {
            let dir = crowded();
            let (key, value) = setting.split_once('=').unwrap();
            git(dir.path(), &["config", key, value]);
            assert!(!after_seal(&Store::open(dir.path()).unwrap(), false), "{setting}");
        }
        let dir = crowded();
        let lock = File::create(dir.path().join(".git/datum/maintenance")).unwrap();
        lock.lock().unwrap();
        assert!(!after_seal(&Store::open(dir.path()).unwrap(), false));
    }
}
