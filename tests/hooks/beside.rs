//! Hooks as files beside those of others: chained, moved, found again, and taken out without a trace.

use super::{commit, declared, entries, file, installed, picture, trailer, write_hook};
use crate::vessel::{Ran, Vessel, clean};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

#[test]
fn hooks_that_are_there_keep_their_arguments_and_their_input() {
    let vessel = declared();
    let log = vessel.path().join("log");
    let shell =
        format!("#!/bin/sh -e\necho \"$(basename \"$0\") $# $1\" >>'{0}'\ncat >>'{0}'\n", log.display());
    write_hook(&file(&vessel, "pre-push"), &shell, 0o755);
    write_hook(
        &file(&vessel, "post-commit"),
        &format!("#!/bin/sh\necho commit >>'{}'\nexit 3\n", log.display()),
        0o700,
    );
    // A program that is no shell script, and a link to one.
    let awk = format!(
        "#!/usr/bin/awk -f\nBEGIN {{ print \"awk\" >>\"{0}\"; while ((getline line < \"-\") > 0) print line >>\"{0}\" }}\n",
        log.display()
    );
    write_hook(&vessel.path().join(".git/hooks/shared"), &awk, 0o755);
    symlink("shared", file(&vessel, "post-rewrite")).unwrap();
    let before = picture(&vessel.path().join(".git/hooks"));
    let said = vessel.datum(&["hooks", "install", "--file"]).ok();
    assert!(said.lines().all(|line| line.ends_with("before the hook that was there; reached")), "{said}");
    vessel.datum(&["hooks", "install", "--file"]).ok();
    assert_eq!(fs::read_to_string(&log).unwrap_or_default(), "", "verify runs no hook but ours");

    assert_eq!(commit(&vessel, "one").code, 0);
    let other = Vessel::with(&["--bare"]);
    let url = other.path().to_str().unwrap().to_owned();
    vessel.git(&["push", "-q", &url, "main:x", "main:refs/heads/y"]).ok();
    vessel.git(&["push", "-q", &url, "main:x"]).ok();
    let id = vessel.git(&["rev-parse", "HEAD"]).ok();
    let (id, zero) = (id.trim(), "0".repeat(40));
    let lines =
        format!("refs/heads/main {id} refs/heads/x {zero}\nrefs/heads/main {id} refs/heads/y {zero}\n");
    let want = format!("commit\npre-push 2 {url}\n{lines}pre-push 2 {url}\n");
    assert_eq!(fs::read_to_string(&log).unwrap(), want);
    assert_eq!(entries(&vessel).len(), 1);
    fs::remove_file(&log).unwrap();
    vessel.git(&["commit", "-q", "--allow-empty", "--amend", "-m", "two"]).ok();
    let new = vessel.git(&["rev-parse", "HEAD"]).ok();
    let told = fs::read_to_string(&log).unwrap();
    assert_eq!(told, format!("commit\nawk\n{id} {}\n", new.trim()));

    vessel.datum(&["hooks", "uninstall"]).ok();
    assert_eq!(picture(&vessel.path().join(".git/hooks")), before);
    assert!(vessel.datum(&["hooks", "uninstall"]).stderr.contains("no hook of datum"));
}

#[test]
fn a_hook_that_refuses_still_refuses() {
    let vessel = declared();
    write_hook(&file(&vessel, "pre-push"), "#!/bin/sh\necho no >&2\nexit 7\n", 0o755);
    vessel.datum(&["hooks", "install", "--file"]).ok();
    commit(&vessel, "one");
    let other = Vessel::with(&["--bare"]);
    let said = vessel.git(&["push", other.path().to_str().unwrap(), "main"]);
    assert!(said.code != 0 && said.stderr.starts_with("no\n"), "{said:?}");
    assert_eq!(other.git(&["for-each-ref"]).ok(), "");
}

#[test]
fn what_is_not_executable_does_not_come_to_life() {
    let vessel = declared();
    write_hook(&file(&vessel, "post-commit"), "#!/bin/sh\ntouch alive\n", 0o644);
    let before = picture(&vessel.path().join(".git/hooks"));
    vessel.datum(&["hooks", "install", "--file", "post-commit"]).ok();
    commit(&vessel, "one");
    assert_eq!(entries(&vessel).len(), 1);
    assert!(!vessel.path().join("alive").exists());
    vessel.datum(&["hooks", "uninstall"]).ok();
    assert_eq!(picture(&vessel.path().join(".git/hooks")), before);
}

#[test]
fn a_hooks_path_and_linked_work_trees() {
    let vessel = declared();
    commit(&vessel, "root");
    let linked = vessel.path().join("linked");
    vessel.git(&["worktree", "add", "-q", "-b", "side", "linked"]).ok();
    let run = |args: &[&str]| Ran::of(&clean("git", &linked).args(args).output().unwrap());
    let datum = |args: &[&str]| {
        let mut command = vessel.command(args);
        Ran::of(&command.current_dir(&linked).env_remove("DATUM_NOW").output().unwrap())
    };
    datum(&["hooks", "install", "--file", "--agent", "tug"]).ok();
    assert!(datum(&["hooks", "verify"]).ok().lines().all(|line| line.ends_with("; reached")));
    run(&["commit", "-q", "--allow-empty", "-m", "from the side"]).ok();
    let list = entries(&vessel);
    assert_eq!((list.len(), trailer(&list[0], "Branch").as_deref()), (1, Some("side")));
    datum(&["hooks", "uninstall"]).ok();

    // As husky has it: a folder in the work tree, and scripts that look at their own name and folder.
    vessel.git(&["config", "core.hooksPath", ".husky/_"]).ok();
    let husky = vessel.path().join(".husky/_");
    write_hook(
        &husky.join("h"),
        "n=$(basename \"$0\"); s=$(dirname \"$(dirname \"$0\")\")/$n; [ ! -f \"$s\" ] || sh -e \"$s\" \"$@\"\n",
        0o644,
    );
    write_hook(&husky.join("post-commit"), "#!/usr/bin/env sh\n. \"$(dirname \"$0\")/h\"", 0o755);
    write_hook(&vessel.path().join(".husky/post-commit"), "touch husky-ran\n", 0o644);
    let before = picture(&husky);
    let said = vessel.datum(&["hooks", "install", "--file", "post-commit", "--agent", "tug"]);
    assert!(
        said.stdout.contains(".husky/_/post-commit, before") && said.stderr.contains("in the work tree"),
        "{said:?}"
    );
    commit(&vessel, "with husky");
    assert_eq!(entries(&vessel).len(), 2);
    assert!(vessel.path().join("husky-ran").exists());
    vessel.datum(&["hooks", "uninstall"]).ok();
    assert_eq!(picture(&husky), before);
}

#[test]
fn a_folder_of_all_repositories_is_left_alone() {
    let vessel = declared();
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config");
    let hooks = home.path().join("hooks");
    fs::write(&config, format!("[core]\n\thooksPath = {}\n", hooks.display())).unwrap();
    let datum =
        |args: &[&str]| Ran::of(&vessel.command(args).env("GIT_CONFIG_GLOBAL", &config).output().unwrap());
    assert!(datum(&["hooks", "install", "--file"]).fails(2).contains("for every repository"));
    assert!(!hooks.exists());
    datum(&["hooks", "install", "--file", "--shared"]).ok();
    assert!(hooks.join("pre-push").exists());
    vessel.git(&["config", "core.hooksPath", "/dev/null"]).ok();
    assert!(vessel.datum(&["hooks", "install", "--file"]).fails(2).contains("no folder"));
}

#[test]
fn verify_says_who_is_in_the_way() {
    let vessel = installed(&["--file"]);
    assert!(vessel.datum(&["hooks", "verify"]).ok().lines().all(|line| line.ends_with("; reached")));
    // pre-commit moves a hook away and calls it from its own; lefthook puts its own in its place.
    fs::rename(file(&vessel, "pre-push"), file(&vessel, "pre-push.legacy")).unwrap();
    write_hook(
        &file(&vessel, "pre-push"),
        "#!/usr/bin/env bash\n# File generated by pre-commit: https://pre-commit.com\nHERE=\"$(cd \"$(dirname \"$0\")\" && pwd)\"\nexec \"$HERE/pre-push.legacy\" \"$@\"\n",
        0o755,
    );
    fs::set_permissions(file(&vessel, "post-commit"), fs::Permissions::from_mode(0o644)).unwrap();
    let ran = vessel.datum(&["hooks", "verify"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stdout.contains("pre-push is pre-commit; pre-commit runs it first, as pre-push.legacy")
            && ran.stdout.contains("post-commit is not executable"),
        "{ran:?}"
    );
    let status = vessel.datum(&["hooks", "status", "--format", "json"]).json();
    let push = status["hooks"].as_array().unwrap().iter().find(|hook| hook["event"] == "pre-push").unwrap();
    assert_eq!((&push["tool"], &push["installed"]), (&"pre-commit".into(), &serde_json::Value::Null));
    assert_eq!(vessel.datum(&["hooks", "status", "--exit-code"]).code, 1);
    let ours = fs::read_to_string(file(&vessel, "pre-push.legacy")).unwrap();
    fs::remove_file(file(&vessel, "pre-push.legacy")).unwrap();
    assert!(vessel.datum(&["hooks", "verify"]).stdout.contains("belongs to pre-commit"));
    write_hook(&file(&vessel, "pre-push.legacy"), &ours, 0o755);
    // Under the other name ours still runs and still finds what it chains to.
    vessel.datum(&["hooks", "install", "--file"]).ok();
    assert!(vessel.datum(&["hooks", "verify"]).ok().contains("before the hook that was there; reached"));
}

#[test]
fn the_shims_for_copying_are_those_we_install() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hooks");
    for event in ["post-commit", "post-rewrite", "pre-push", "commit-msg"] {
        let text = fs::read_to_string(folder.join(event)).unwrap();
        let vessel = declared();
        write_hook(&file(&vessel, event), &text, 0o755);
        // One that is copied is recognised, replaced and removed like one that was installed.
        let status = vessel.datum(&["hooks", "status", "--format", "json"]).json();
        let hook = status["hooks"].as_array().unwrap().iter().find(|hook| hook["event"] == event).unwrap();
        assert_eq!(hook["installed"], "file", "{event}");
        vessel.datum(&["hooks", "uninstall"]).ok();
        assert!(!file(&vessel, event).exists());
        let bare = clean("sh", vessel.path())
            .arg(folder.join(event))
            .args(["x", "y"])
            .env("PATH", "/usr/bin:/bin")
            .output();
        assert_eq!(bare.unwrap().status.code(), Some(0), "{event} without datum");
    }
}
