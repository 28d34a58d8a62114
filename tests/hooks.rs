//! Hooks as git runs them: installed, reached, chained, taken out again.

use crate::vessel::{Ran, Vessel, clean};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

/// A vessel whose agent is declared, with hooks installed by `args`.
fn installed(args: &[&str]) -> Vessel {
    let vessel = declared();
    vessel.datum(&[&["hooks", "install"], args].concat()).ok();
    vessel
}

fn declared() -> Vessel {
    let vessel = Vessel::new();
    fs::write(vessel.path().join("CAPABILITY.toml"), "[agent]\nname = \"tug\"\n").unwrap();
    vessel
}

fn commit(vessel: &Vessel, subject: &str) -> Ran {
    vessel.git(&["commit", "-q", "--allow-empty", "-m", subject])
}

/// The entries of the journal, oldest first.
fn entries(vessel: &Vessel) -> Vec<serde_json::Value> {
    let mut list =
        vessel.datum(&["journal", "--all", "--format", "json"]).json()["entries"].as_array().unwrap().clone();
    list.reverse();
    list
}

fn trailer(entry: &serde_json::Value, key: &str) -> Option<String> {
    let pairs = entry["trailers"].as_array().unwrap();
    pairs.iter().find(|pair| pair[0] == key).map(|pair| pair[1].as_str().unwrap().to_owned())
}

fn write_hook(path: &Path, text: &str, mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn file(vessel: &Vessel, event: &str) -> PathBuf {
    vessel.path().join(".git/hooks").join(event)
}

/// What is in a folder: names, modes, and contents or targets.
fn picture(folder: &Path) -> Vec<(String, u32, Vec<u8>)> {
    let mut found = Vec::new();
    for item in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let about = item.metadata().unwrap();
        let name = item.file_name().into_string().unwrap();
        if about.is_dir() {
            found.extend(picture(&item.path()).into_iter().map(|(n, m, b)| (format!("{name}/{n}"), m, b)));
        } else if about.is_symlink() {
            let target = fs::read_link(item.path()).unwrap().into_os_string().into_encoded_bytes();
            found.push((name, 0, target));
        } else {
            found.push((name, about.permissions().mode(), fs::read(item.path()).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn a_commit_becomes_one_entry_with_its_parts() {
    let vessel = installed(&[]);
    assert_eq!(commit(&vessel, "[I2I:TASK:TSK] jetson — test the edge profile").stderr, "");
    let head = vessel.git(&["rev-parse", "HEAD"]).ok();
    let list = entries(&vessel);
    assert_eq!(list.len(), 1);
    assert_eq!(list[0]["agent"], "tug");
    for (key, value) in [
        ("Category", "COMMIT"),
        ("Commit", head.trim()),
        ("Branch", "main"),
        ("Author", "Tester"),
        ("Type", "TASK"),
        ("Code", "TSK"),
        ("Scope", "jetson"),
    ] {
        assert_eq!(trailer(&list[0], key).as_deref(), Some(value), "{key}");
    }
    // Again for the same commit, by hand and by a second worker: still one.
    vessel.datum(&["hook", "post-commit"]).ok();
    vessel.datum(&["hook", "post-commit", "--agent", "other"]).ok();
    assert_eq!(entries(&vessel).len(), 1);
    vessel.fsck();
}

#[test]
fn what_a_commit_declares_is_told() {
    let vessel = installed(&[]);
    vessel.git(&["add", "."]).ok();
    commit(&vessel, "declare");
    let more = "[agent]\nname = \"tug\"\n[capabilities.towing]\nconfidence = 0.5\n";
    fs::write(vessel.path().join("CAPABILITY.toml"), more).unwrap();
    vessel.git(&["commit", "-qam", "tow"]).ok();
    fs::write(vessel.path().join("CAPABILITY.toml"), more.replace("0.5", "0.9")).unwrap();
    vessel.git(&["commit", "-qam", "tow better"]).ok();
    let list = entries(&vessel);
    assert_eq!(trailer(&list[1], "Capability").as_deref(), Some("+towing"));
    assert_eq!(trailer(&list[2], "Capability").as_deref(), Some("~towing.confidence"));
    assert!(list[2]["text"].as_str().unwrap().contains("'0.50' -> '0.90'"), "{}", list[2]);
}

#[test]
fn no_commit_fails_whatever_becomes_of_its_entry() {
    let vessel = installed(&[]);
    // No agent, a subject no entry can hold, a store that cannot be written.
    fs::remove_file(vessel.path().join("CAPABILITY.toml")).unwrap();
    let said = commit(&vessel, "nobody");
    assert!(said.stderr.contains("not recorded") && said.stderr.contains("no agent"), "{said:?}");
    assert_eq!(said.code, 0);
    fs::write(vessel.path().join("CAPABILITY.toml"), "[agent]\nname = \"tug\"\n").unwrap();
    let odd = format!("\u{202e}odd\t{}", "é".repeat(400));
    assert_eq!(commit(&vessel, &odd).stderr, "");
    assert!(entries(&vessel)[0]["subject"].as_str().unwrap().starts_with("odd é"));
    let refs = vessel.path().join(".git/refs/datum");
    fs::remove_dir_all(&refs).unwrap();
    fs::write(&refs, "in the way").unwrap();
    let said = commit(&vessel, "broken");
    assert!(said.code == 0 && said.stderr.contains("not recorded"), "{said:?}");
    assert_eq!(vessel.git(&["log", "--format=%s", "-1"]).ok(), "broken\n");
}

#[test]
fn a_rebase_of_twenty_commits_is_one_entry() {
    let vessel = declared();
    commit(&vessel, "root");
    vessel.git(&["branch", "base"]).ok();
    for number in 0..20 {
        fs::write(vessel.path().join(format!("{number}")), "x").unwrap();
        vessel.git(&["add", "."]).ok();
        vessel.git(&["commit", "-qm", &format!("number {number}")]).ok();
    }
    vessel.git(&["checkout", "-q", "base"]).ok();
    fs::write(vessel.path().join("other"), "x").unwrap();
    vessel.git(&["add", "other"]).ok();
    vessel.git(&["commit", "-qm", "other"]).ok();
    vessel.git(&["checkout", "-q", "main"]).ok();
    vessel.datum(&["hooks", "install", "--agent", "tug"]).ok();
    vessel.git(&["rebase", "-q", "base"]).ok();
    let list = entries(&vessel);
    assert_eq!(list.len(), 1, "{list:?}");
    assert_eq!(list[0]["subject"], "Rebased 20 commits");
    let new = vessel.git(&["rev-list", "-20", "HEAD"]).ok();
    assert!(new.lines().all(|id| list[0]["text"].as_str().unwrap().contains(id)));
    // A cherry-pick of several commits returns at once, too; an amended commit is a commit.
    vessel.git(&["checkout", "-q", "base"]).ok();
    vessel.git(&["cherry-pick", "main~2", "main~1"]).ok();
    assert_eq!(entries(&vessel).len(), 1);
    vessel.git(&["commit", "-q", "--amend", "-m", "amended"]).ok();
    let list = entries(&vessel);
    assert_eq!((list.len(), &list[1]["subject"]), (2, &"amended".into()));
}

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
    let said = vessel.datum(&["hooks", "install"]).ok();
    assert!(said.lines().all(|line| line.ends_with("before the hook that was there; reached")), "{said}");
    vessel.datum(&["hooks", "install"]).ok();
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
    vessel.datum(&["hooks", "install"]).ok();
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
    vessel.datum(&["hooks", "install", "post-commit"]).ok();
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
    datum(&["hooks", "install", "--agent", "tug"]).ok();
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
    let said = vessel.datum(&["hooks", "install", "post-commit", "--agent", "tug"]);
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
    assert!(datum(&["hooks", "install"]).fails(2).contains("for every repository"));
    assert!(!hooks.exists());
    datum(&["hooks", "install", "--shared"]).ok();
    assert!(hooks.join("pre-push").exists());
    vessel.git(&["config", "core.hooksPath", "/dev/null"]).ok();
    assert!(vessel.datum(&["hooks", "install"]).fails(2).contains("no folder"));
}

#[test]
fn verify_says_who_is_in_the_way() {
    let vessel = installed(&[]);
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
        ran.stdout.contains("belongs to pre-commit") && ran.stdout.contains("post-commit is not executable"),
        "{ran:?}"
    );
    let status = vessel.datum(&["hooks", "status", "--format", "json"]).json();
    let push = status["hooks"].as_array().unwrap().iter().find(|hook| hook["event"] == "pre-push").unwrap();
    assert_eq!((&push["tool"], &push["installed"]), (&"pre-commit".into(), &serde_json::Value::Null));
    assert_eq!(vessel.datum(&["hooks", "status", "--exit-code"]).code, 1);
    // Under the other name ours still runs and still finds what it chains to.
    vessel.datum(&["hooks", "install"]).ok();
    assert!(vessel.datum(&["hooks", "verify"]).ok().contains("before the hook that was there; reached"));
}

#[test]
fn subjects_are_checked_where_that_was_asked() {
    let vessel = installed(&["--commit-msg", "i2i"]);
    let said = commit(&vessel, "just words");
    assert!(said.code != 0 && said.stderr.contains("hint: write '[I2I:TYPE]"), "{said:?}");
    assert_eq!(commit(&vessel, "[I2I:LOG] hull — dry").code, 0);
    vessel.git(&["config", "datum.commitMsg", "conventional"]).ok();
    assert_ne!(commit(&vessel, "[I2I:LOG] hull — dry").code, 0);
    assert_eq!(commit(&vessel, "fix(hull): dry").code, 0);
    assert_eq!(vessel.git(&["commit", "-q", "--allow-empty", "--no-verify", "-m", "words"]).code, 0);
    vessel.datum(&["hooks", "install", "--commit-msg", "haiku"]).fails(2);
    vessel.datum(&["hooks", "install", "pre-flight"]).fails(2);
}

#[test]
fn from_git_2_54_on_hooks_are_configuration() {
    // This git may be older: a stand-in says it is 2.54, and runs configured hooks as its documentation has it.
    let vessel = declared();
    let bin = tempfile::tempdir().unwrap();
    let real = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|dir| dir.join("git"))
        .find(|git| git.is_file())
        .unwrap();
    let git = format!(
        "#!/bin/sh\nreal='{}'\nall=\"$*\"\ncase \"$all\" in\n*' version') echo 'git version 2.54.0'; exit;;\n*' hook run '*)\n\
         for last; do case \"$last\" in post-commit|post-rewrite|pre-push) event=$last; break;; esac; done\n\
         command=$($real config --get hook.datum-$event.command) || exit 1\n\
         [ \"$($real config --get hook.datum-$event.event)\" = $event ] || exit 1\n\
         exec sh -c \"$command \\\"\\$@\\\"\" \"$command\" probe probe;;\nesac\nexec $real \"$@\"\n",
        real.display()
    );
    write_hook(&bin.path().join("git"), &git, 0o755);
    let path = std::env::join_paths(
        std::iter::once(bin.path().to_owned())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    )
    .unwrap();
    let datum = |args: &[&str]| Ran::of(&vessel.command(args).env("PATH", &path).output().unwrap());
    let before = fs::read(vessel.path().join(".git/config")).unwrap();
    let said = datum(&["hooks", "install"]).ok();
    assert!(said.lines().all(|line| line.ends_with("in git's configuration; reached")), "{said}");
    assert_eq!(vessel.git(&["config", "hook.datum-pre-push.event"]).ok(), "pre-push\n");
    assert!(!file(&vessel, "pre-push").exists());
    // Older git does not read them, and says so.
    assert!(vessel.datum(&["hooks", "verify"]).stdout.contains("reads no hooks from its configuration"));
    assert!(vessel.datum(&["hooks", "install", "--config"]).fails(2).contains("2.54"));
    // Installed as files, they leave the configuration; nothing runs twice.
    datum(&["hooks", "install", "--file"]).ok();
    assert_eq!(vessel.git(&["config", "hook.datum-pre-push.event"]).code, 1);
    datum(&["hooks", "install"]).ok();
    assert!(!file(&vessel, "pre-push").exists());
    datum(&["hooks", "uninstall"]).ok();
    assert_eq!(fs::read(vessel.path().join(".git/config")).unwrap(), before);
}

#[test]
fn a_hook_of_one_repository_does_not_reach_into_another() {
    let (here, there) = (declared(), Vessel::new());
    commit(&here, "one");
    let mut command = here.command(&["-C", there.path().to_str().unwrap(), "journal", "LOG", "over there"]);
    let git = here.path().join(".git");
    for (name, value) in [
        ("GIT_DIR", ""),
        ("GIT_INDEX_FILE", "index"),
        ("GIT_OBJECT_DIRECTORY", "objects"),
        ("GIT_COMMON_DIR", ""),
        ("GIT_WORK_TREE", ".."),
    ] {
        command.env(name, git.join(value));
    }
    command.env("GIT_PREFIX", "sub/").env("GIT_NAMESPACE", "elsewhere");
    Ran::of(&command.output().unwrap()).ok();
    assert_eq!(entries(&there).len(), 1);
    assert!(there.path().join(".git/refs/datum/journal").exists());
    assert!(!here.path().join(".git/refs/datum").exists());
    there.fsck();
    // And DATUM_HOME does not lead a hook away from its own repository.
    here.datum(&["hooks", "install"]).ok();
    let mut git = clean("git", here.path());
    git.args(["commit", "-q", "--allow-empty", "-m", "two"]).env("DATUM_HOME", there.path());
    Ran::of(&git.output().unwrap()).ok();
    assert_eq!((entries(&here).len(), entries(&there).len()), (1, 1));
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
