//! Hooks as git runs them: installed, reached, chained, taken out again.

mod beside;
mod configured;

use crate::vessel::{Ran, Vessel, clean};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
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
    let style = || vessel.git(&["config", "datum.commitMsg"]);
    vessel.datum(&["hooks", "uninstall", "pre-push"]).ok();
    assert_eq!(style().ok(), "conventional\n");
    vessel.datum(&["hooks", "uninstall"]).ok();
    assert_ne!(style().code, 0);
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
