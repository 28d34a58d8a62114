//! Repositories for tests: real ones, made by git, with fixed clocks and no configuration but their own.

use crate::sync::{Options, Report};
use crate::{AgentName, Draft, EntryId, Kind, Stamp, Store, StoreError};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// How long a sync between two folders may take.
pub(crate) const BUDGET: Duration = Duration::from_secs(60);

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: u64 = 1_767_225_600_000;

/// Runs git in `dir` and answers with what it says.
pub(crate) fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "t")
        .env("GIT_AUTHOR_EMAIL", "t@t")
        .env("GIT_COMMITTER_NAME", "t")
        .env("GIT_COMMITTER_EMAIL", "t@t")
        .env("GIT_AUTHOR_DATE", "1767225600 +0000")
        .env("GIT_COMMITTER_DATE", "1767225600 +0000")
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {said}");
    said
}

/// An empty repository whose clone id is fixed.
pub(crate) fn repository(init: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &[&["init", "-q", "-b", "main"], init, &["."]].concat());
    let home = if dir.path().join(".git").exists() { dir.path().join(".git") } else { dir.path().to_owned() };
    std::fs::create_dir_all(home.join("datum")).unwrap();
    std::fs::write(home.join("datum/clone"), "aaaaaaaa\n").unwrap();
    dir
}

/// The same with a clone id of its own.
pub(crate) fn clone_called(id: &str) -> TempDir {
    let dir = repository(&[]);
    std::fs::write(dir.path().join(".git/datum/clone"), format!("{id}\n")).unwrap();
    dir
}

pub(crate) fn open(dir: &TempDir) -> Store {
    Store::open(dir.path()).unwrap()
}

/// Syncs with the repository at `remote`, which must be possible.
pub(crate) fn sync_at(store: &Store, remote: &Path, at: u64) -> Report {
    let remote = store.remote(&remote.to_string_lossy(), BUDGET).unwrap();
    let report = store.sync(&stamp("syncer", at), &remote, &Options::default()).unwrap();
    assert!(report.trouble.is_none(), "{report:?}");
    report
}

pub(crate) fn stamp(agent: &str, at: u64) -> Stamp {
    Stamp::new(AgentName::new(agent).unwrap(), NOW + at)
}

/// Appends one entry to the journal.
pub(crate) fn append(store: &Store, agent: &str, at: u64, text: &str) -> EntryId {
    let applied = store
        .apply::<StoreError>(Kind::Journal, &stamp(agent, at), |_| Ok(vec![Draft::from_text(text).unwrap()]))
        .unwrap();
    applied.ids[0]
}

/// The texts of the journal, oldest first.
pub(crate) fn texts(store: &Store) -> Vec<String> {
    let snapshot = store.snapshot().unwrap();
    let texts = snapshot.entries(Kind::Journal).iter().map(|entry| entry.text().to_owned()).collect();
    assert_eq!(snapshot.damage(), []);
    texts
}

/// Lets git check every object, and every link between them.
pub(crate) fn fsck(dir: &Path) {
    let said = git(dir, &["fsck", "--strict", "--no-dangling"]);
    let complaints: Vec<_> = said.lines().filter(|line| !line.starts_with("notice:")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
}
