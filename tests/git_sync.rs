//! `datum git sync`: what a remote, a hook or a file in the way refuses is told as it is, and no work is lost.

use crate::vessel::Vessel;
use std::fs;

/// Installs a hook that refuses.
fn refuse(hooks: &std::path::Path, hook: &str) {
    let file = hooks.join(hook);
    fs::create_dir_all(hooks).unwrap();
    fs::write(&file, "#!/bin/sh\necho 'not today' >&2\necho 'ask the harbour' >&2\nexit 1\n").unwrap();
    #[cfg(unix)]
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

fn head(vessel: &Vessel) -> String {
    vessel.git(&["rev-parse", "HEAD"]).ok()
}

/// A vessel and its remote; with `apart`, each has a commit that the other has not.
fn pair(apart: bool) -> (Vessel, Vessel) {
    let bare = Vessel::with(&["--bare"]);
    let here = Vessel::new();
    here.git(&["remote", "add", "origin", bare.path().to_str().unwrap()]).ok();
    here.datum(&["git", "write", "a", "--content", "1"]).ok();
    here.datum(&["git", "sync"]).ok();
    if apart {
        come(&bare, "b");
        here.datum(&["git", "write", "c", "--content", "ours"]).ok();
    }
    (here, bare)
}

/// Lets another vessel push a file.
fn come(bare: &Vessel, file: &str) {
    let there = Vessel::empty();
    there.git(&["clone", "-q", bare.path().to_str().unwrap(), "."]).ok();
    there.datum(&["git", "write", file, "--content", "theirs"]).ok();
    there.git(&["push", "-q", "origin", "HEAD:main"]).ok();
}

#[test]
fn a_refused_push_is_told_with_the_merge_that_stays() {
    let (here, bare) = pair(true);
    refuse(&bare.path().join("hooks"), "pre-receive");
    let before = head(&here);
    let said = here.datum(&["git", "sync"]).fails(1);
    assert!(
        said.contains("not today")
            && said.contains("error: merged here, but the push to origin/main was refused"),
        "{said}"
    );
    assert!(!said.contains("nothing was"), "{said}");
    // The way back that is named, and again to where the hook lets it through.
    let back = said.split("git reset --keep ").nth(1).unwrap().split(' ').next().unwrap();
    here.git(&["reset", "--keep", back]).ok();
    assert_eq!(head(&here), before);
    here.datum(&["git", "sync"]).fails(1);
    fs::remove_file(bare.path().join("hooks/pre-receive")).unwrap();
    here.datum(&["git", "sync"]).ok();
    assert_eq!(bare.git(&["rev-parse", "main"]).ok(), head(&here));
    // With nothing to merge, nothing has changed here.
    refuse(&bare.path().join("hooks"), "pre-receive");
    here.datum(&["git", "write", "d", "--content", "1"]).ok();
    let said = here.datum(&["git", "sync"]).fails(1);
    assert!(said.contains("error: the push to origin/main was refused\nhint: what it says stands above; the branch here is as it was"), "{said}");
}

#[test]
fn a_hook_that_refuses_the_merge_is_heard() {
    let (here, _bare) = pair(true);
    refuse(&here.path().join(".git/hooks"), "pre-merge-commit");
    let before = head(&here);
    let said = here.datum(&["git", "sync"]).fails(1);
    assert!(said.starts_with("not today\nask the harbour\nerror: git merge refused\nhint: "), "{said}");
    assert!(!said.contains("git commit"), "{said}");
    assert_eq!((head(&here), here.git(&["status", "--porcelain"]).ok()), (before, String::new()));
}

#[test]
fn what_is_in_the_way_of_a_merge_stays() {
    let (here, bare) = pair(true);
    let check = |file: &str, text: &str| {
        let said = here.datum(&["git", "sync"]).fails(1);
        let expect = format!(
            "error: changes that are not committed are in the way: {file}\nhint: nothing was changed"
        );
        assert!(said.starts_with(&expect), "{said}");
        assert_eq!(fs::read_to_string(here.path().join(file)).unwrap(), text);
    };
    fs::write(here.path().join("b"), "mine").unwrap();
    check("b", "mine");
    fs::remove_file(here.path().join("b")).unwrap();
    here.datum(&["git", "sync"]).ok();
    come(&bare, "a");
    fs::write(here.path().join("a"), "mine").unwrap();
    check("a", "mine");
    here.git(&["restore", "a"]).ok();
    here.datum(&["git", "sync"]).ok();
    assert_eq!(here.datum(&["git", "read", "a"]).ok(), "theirs\n");
}

#[test]
fn a_merge_that_somebody_has_begun_is_not_taken_back() {
    let (here, bare) = pair(true);
    here.git(&["fetch", "-q"]).ok();
    here.git(&["merge", "-q", "--no-commit", "origin/main"]).ok();
    fs::write(here.path().join("b"), "worked on").unwrap();
    here.git(&["add", "b"]).ok();
    come(&bare, "e");
    assert!(here.datum(&["git", "sync"]).fails(1).contains("a merge is under way"));
    assert_eq!(here.git(&["show", ":b"]).ok(), "worked on");
    assert!(here.path().join(".git/MERGE_HEAD").exists());
}

#[test]
fn a_branch_without_commits_takes_those_of_the_remote() {
    let (here, bare) = pair(false);
    let fresh = Vessel::new();
    let url = bare.path().to_str().unwrap().to_owned();
    fresh.git(&["remote", "add", "origin", &url]).ok();
    assert_eq!(fresh.datum(&["git", "sync"]).ok(), "main and origin/main: 1 came, 0 went\n");
    assert_eq!((head(&fresh), fresh.git(&["status", "--porcelain"]).ok()), (head(&here), String::new()));
    let none = Vessel::with(&["--bare"]);
    let empty = Vessel::new();
    empty.git(&["remote", "add", "origin", none.path().to_str().unwrap()]).ok();
    let said = empty.datum(&["git", "sync"]).fails(1);
    assert!(said.starts_with("error: there is no commit yet, here or in origin/main\nhint: "), "{said}");
    // What would be written over is in the way here as well.
    empty.git(&["remote", "set-url", "origin", &url]).ok();
    fs::write(empty.path().join("a"), "mine").unwrap();
    let said = empty.datum(&["git", "sync"]).fails(1);
    assert!(said.contains("in the way: a") && empty.path().join("a").exists(), "{said}");
    // Two beginnings have nothing to be merged by.
    empty.datum(&["git", "commit", "-m", "mine"]).ok();
    let said = empty.datum(&["git", "sync"]).fails(1);
    assert!(said.contains("have no commit in common\nhint: nothing was done; git merge --allow"), "{said}");
}

#[test]
fn a_new_branch_has_its_upstream_and_one_that_has_keeps_it() {
    let (here, bare) = pair(false);
    let upstream = || here.git(&["rev-parse", "--abbrev-ref", "@{upstream}"]);
    assert_eq!(upstream().ok(), "origin/main\n");
    here.datum(&["git", "branch", "trial"]).ok();
    here.datum(&["git", "sync"]).ok();
    assert_eq!(upstream().ok(), "origin/trial\n");
    here.git(&["remote", "add", "backup", bare.path().to_str().unwrap()]).ok();
    here.datum(&["git", "write", "f", "--content", "1"]).ok();
    here.datum(&["git", "sync", "backup"]).ok();
    assert_eq!(upstream().ok(), "origin/trial\n");
    here.git(&["remote", "set-url", "origin", "/nonexistent/harbour.git"]).ok();
    let said = here.datum(&["git", "sync"]).fails(3);
    assert!(
        said.contains("error: cannot reach origin: ") && said.contains("hint: git remote get-url origin"),
        "{said}"
    );
}
