//! Work trees made by git, changed by us.

use super::*;
use crate::testing::{git, repository};
use std::fs;

fn tree() -> (tempfile::TempDir, WorkTree) {
    let dir = repository(&[]);
    git(dir.path(), &["config", "user.name", "t"]);
    git(dir.path(), &["config", "user.email", "t@t"]);
    git(dir.path(), &["config", "commit.gpgsign", "false"]);
    git(dir.path(), &["commit", "-q", "--allow-empty", "-m", "first"]);
    let tree = WorkTree::at(dir.path());
    (dir, tree)
}

fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

/// Lets every commit be refused.
fn refuse(dir: &Path) {
    let hook = dir.join(".git/hooks/pre-commit");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    #[cfg(unix)]
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn paths_stay_inside_the_tree() {
    for bad in [
        "",
        "/x",
        "../x",
        "a/../x",
        "a//b",
        "./a",
        ".git/config",
        ".GIT/x",
        "a/.git/hooks/x",
        ".git./x",
        "a\nb",
        "a\\b",
    ] {
        assert!(TreePath::new(bad).is_err(), "{bad:?}");
    }
    assert_eq!(path("a/b.md").as_str(), "a/b.md");
}

#[test]
fn a_file_is_written_read_and_deleted_each_in_a_commit() {
    let (dir, tree) = tree();
    fs::write(dir.path().join("other"), "x").unwrap();
    git(dir.path(), &["add", "other"]);
    tree.write(&path("wiki/a.md"), b"one\n", "wiki: a", false).unwrap();
    assert_eq!(tree.read(&path("wiki/a.md"), "HEAD").unwrap(), b"one\n");
    assert_eq!(git(dir.path(), &["show", "--format=%s", "--name-only", "HEAD"]), "wiki: a\n\nwiki/a.md\n");
    assert!(matches!(tree.write(&path("wiki/a.md"), b"one\n", "again", false), Err(WorkError::Nothing)));
    tree.write(&path("wiki/a.md"), b"two\n", "wiki: b", false).unwrap();
    assert_eq!(tree.read(&path("wiki/a.md"), "HEAD~1").unwrap(), b"one\n");
    tree.delete(&path("wiki/a.md"), "wiki: gone").unwrap();
    assert!(tree.read(&path("wiki/a.md"), "HEAD").is_err());
    assert!(!dir.path().join("wiki/a.md").exists());
    // What somebody else had staged is still staged, and nothing more.
    assert_eq!(git(dir.path(), &["status", "--porcelain"]), "A  other\n");
    assert!(tree.delete(&path("other2"), "x").is_err());
}

#[test]
fn a_refused_commit_leaves_the_file_as_it_was() {
    let (dir, tree) = tree();
    tree.write(&path("a"), b"one", "a", false).unwrap();
    refuse(dir.path());
    assert!(matches!(tree.write(&path("a"), b"two", "b", false), Err(WorkError::Refused { .. })));
    assert!(matches!(tree.write(&path("new/b"), b"two", "b", false), Err(WorkError::Refused { .. })));
    assert!(matches!(tree.delete(&path("a"), "b"), Err(WorkError::Refused { .. })));
    assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"one");
    assert_eq!(git(dir.path(), &["status", "--porcelain"]), "");
}

#[cfg(unix)]
#[test]
fn a_link_is_never_followed() {
    let (dir, tree) = tree();
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), dir.path().join("link")).unwrap();
    assert!(matches!(tree.write(&path("link/x"), b"x", "x", false), Err(WorkError::Path { .. })));
    assert!(!outside.path().join("x").exists());
}

#[test]
fn commits_hold_what_was_asked_for() {
    let (dir, tree) = tree();
    assert!(matches!(tree.commit("nothing", Scope::All), Err(WorkError::Nothing)));
    for name in ["a", "b", "-c"] {
        fs::write(dir.path().join(name), name).unwrap();
    }
    tree.commit("one", Scope::Files(&[path("-c")])).unwrap();
    assert_eq!(tree.status().unwrap().untracked, ["a", "b"]);
    git(dir.path(), &["add", "a"]);
    tree.commit("two", Scope::Staged).unwrap();
    assert_eq!(tree.status().unwrap().untracked, ["b"]);
    tree.commit("three\n\n# kept", Scope::All).unwrap();
    assert_eq!(git(dir.path(), &["log", "-1", "--format=%b"]), "# kept\n\n");
    let changes = tree.status().unwrap();
    assert_eq!((changes.branch.as_deref(), changes.untracked.len()), (Some("main"), 0));
    tree.branch("trial", None).unwrap();
    assert_eq!(tree.current_branch().unwrap(), "trial");
    tree.checkout("main").unwrap();
    for bad in ["-x", "a..b", "a b", ""] {
        assert!(matches!(tree.branch(bad, None), Err(WorkError::Branch(_))), "{bad:?}");
    }
    assert!(tree.checkout("nowhere").is_err());
}

#[test]
fn branches_meet_or_name_their_conflicts() {
    let (dir, here) = tree();
    let bare = tempfile::tempdir().unwrap();
    git(bare.path(), &["init", "-q", "--bare", "-b", "main", "."]);
    git(dir.path(), &["remote", "add", "origin", bare.path().to_str().unwrap()]);
    let first = here.sync(None).unwrap();
    assert_eq!((first.pulled, first.pushed), (0, 1));
    let other = tempfile::tempdir().unwrap();
    git(other.path(), &["clone", "-q", bare.path().to_str().unwrap(), "."]);
    git(other.path(), &["config", "user.name", "t"]);
    git(other.path(), &["config", "user.email", "t@t"]);
    let there = WorkTree::at(other.path());
    there.write(&path("a"), b"theirs\n", "a", false).unwrap();
    there.sync(None).unwrap();
    here.write(&path("b"), b"ours\n", "b", false).unwrap();
    let met = here.sync(None).unwrap();
    assert_eq!((met.pulled, met.pushed, met.merged), (1, 2, true));
    assert_eq!(there.sync(None).map(|synced| (synced.pulled, synced.pushed)).unwrap(), (2, 0));
    there.write(&path("b"), b"theirs\n", "b", false).unwrap();
    there.sync(None).unwrap();
    here.write(&path("b"), b"again\n", "b", false).unwrap();
    here.write(&path("c"), b"c\n", "c", false).unwrap();
    let before = here.head().unwrap();
    let Err(WorkError::Conflicts { files, .. }) = here.sync(None) else { panic!("no conflict") };
    assert_eq!(files, ["b"]);
    assert_eq!(here.head().unwrap(), before);
    assert_eq!(git(dir.path(), &["status", "--porcelain"]), "");
    git(dir.path(), &["switch", "-q", "--detach"]);
    assert!(matches!(here.sync(None), Err(WorkError::NoBranch)));
}
