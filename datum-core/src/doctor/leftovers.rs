//! What processes that died have left behind.

use super::Visit;
use crate::refs::is_left_behind;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Age from which a file that is meant to live for moments was left behind.
const OLD: Duration = Duration::from_secs(600);

impl Visit<'_> {
    /// Removes old temporary files of ours and old locks; git's other leftovers it removes itself.
    pub(super) fn leftovers(&mut self) {
        let common = &self.store.common_dir;
        let name_of = |path: &Path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        let named = |path: &Path, fits: fn(&str) -> bool| name_of(path).is_some_and(|name| fits(&name));
        let objects = self.store.odb.objects_dir().to_owned();
        let mut found: Vec<(PathBuf, &str)> = Vec::new();
        for path in files(&objects) {
            if named(&path, |name| name.starts_with(".tmp")) && is_left_behind(&path, OLD) {
                found.push((path, "an object that was never finished"));
            }
        }
        for path in files(&common.join("datum")) {
            if named(&path, |name| name.starts_with("clone.")) && is_left_behind(&path, OLD) {
                found.push((path, "a clone's id that was never put in place"));
            }
        }
        for path in below(&common.join("logs/refs/datum")) {
            if named(&path, |name| name.strip_suffix(".new.lock").is_some()) && is_left_behind(&path, OLD) {
                found.push((path, "a shortened log of a ref that was never put in place"));
            }
        }
        for path in below(&common.join("refs/datum")) {
            if named(&path, |name| name.strip_suffix(".lock").is_some()) && is_left_behind(&path, OLD) {
                found.push((path, "a stale lock: its process has ended"));
            }
        }
        for name in ["packed-refs.lock", "packed-refs.new"] {
            let path = common.join(name);
            if is_left_behind(&path, OLD) {
                found.push((path, "a stale lock of git's: it would stop every git pack-refs and git gc"));
            } else if path.exists() {
                let problem = "git is packing refs, or was killed at it".to_owned();
                let remedy = "not touched: it is younger than 10 minutes; run datum doctor again later";
                self.broken(&path.display().to_string(), None, problem, remedy.to_owned());
            }
        }
        // Only one clearer at a time: a second could remove the lock of a writer who came after the first.
        let queue = self.stamp.and_then(|_| self.store.queue(Duration::from_secs(1)));
        found.sort();
        for (path, problem) in found {
            let place = path.display().to_string();
            if self.stamp.is_some() {
                let removed = if queue.is_some() {
                    fs::remove_file(&path)
                } else {
                    Err(std::io::ErrorKind::WouldBlock.into())
                };
                if let Err(error) = removed {
                    self.broken(&place, None, problem.to_owned(), format!("cannot remove it: {error}"));
                    continue;
                }
            }
            let remedy = if self.stamp.is_some() { "removed" } else { "to be removed" };
            self.mended(&place, None, problem.to_owned(), remedy.to_owned());
        }
    }
}

/// The files in a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let file = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_file());
    entries.flatten().filter(file).map(|entry| entry.path()).collect()
}

/// The files in a folder and the folders below it; links are not followed.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = files(folder);
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(below(&entry.path()));
        }
    }
    found
}
