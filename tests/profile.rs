//! Profiles, history, changes and declarations from the command line.

use crate::vessel::{Ran, Vessel, clean};
use std::fs;

pub(crate) fn write(vessel: &Vessel, path: &str, text: impl AsRef<[u8]>) {
    let file = vessel.path().join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// Commits everything, so many seconds after the beginning of 2026.
pub(crate) fn commit(vessel: &Vessel, subject: &str, author: &str, seconds: u64) {
    vessel.git(&["add", "-A"]).ok();
    let date = format!("{} +0000", 1_767_225_600 + seconds);
    let mut git = clean("git", vessel.path());
    git.args(["commit", "-q", "--allow-empty", "-m", subject]);
    for who in ["AUTHOR", "COMMITTER"] {
        git.env(format!("GIT_{who}_NAME"), author)
            .env(format!("GIT_{who}_EMAIL"), format!("{author}@example.org"));
        git.env(format!("GIT_{who}_DATE"), &date);
    }
    Ran::of(&git.output().unwrap()).ok();
}

const DAY: u64 = 86_400;

#[test]
fn languages_honour_attributes_and_first_lines() {
    let vessel = Vessel::new();
    write(&vessel, "src/a.rs", "// one\nfn main() {}\n\n");
    write(&vessel, "vendor/b.c", "int x;\n");
    write(&vessel, "inc/c.inc", "<?php\n$a = 1;\n");
    write(&vessel, "run", "#!/usr/bin/env python3\nprint(1)\n");
    write(&vessel, "data.bin", [0, 1, 2]);
    write(&vessel, "fake.rs", [b'x', 0, b'y']);
    write(&vessel, ".gitattributes", "vendor/** linguist-vendored\n*.inc linguist-language=PHP\n");
    commit(&vessel, "one", "heron", 0);
    let value = vessel.datum(&["analyze", "--format", "json"]).json();
    let languages: Vec<_> = value["languages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (one["name"].as_str().unwrap(), one["files"].as_u64().unwrap(), one["lines"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(languages, [("Rust", 1, 3), ("PHP", 1, 2), ("Python", 1, 2)]);
    assert_eq!((&value["left_out_files"], &value["binary_files"]), (&1.into(), &1.into()), "{value}");
    // By names alone no file is read: the program without an ending is not known, the false one is believed.
    let quick = vessel.datum(&["analyze", "--quick"]).ok();
    assert!(quick.contains("Rust") && !quick.contains("Python") && !quick.contains("lines"), "{quick}");
}

#[test]
fn a_profile_tells_of_history_and_declaration() {
    let vessel = Vessel::new();
    write(
        &vessel,
        "CAPABILITY.toml",
        "[agent]\nname = 'heron'\n[capabilities]\nfish = 0.5\n[metadata]\nlast_active = '2026-01-05'\n",
    );
    write(&vessel, "tools/manifest.json", "{\"tools\": [{\"name\": \"net\", \"path\": \"tools/net.sh\"}]}");
    commit(&vessel, "[I2I:STATUS] nets — out", "heron", 0);
    commit(&vessel, "more", "tern", 40 * DAY);
    vessel.datum(&["journal", "LOG", "x"]).ok();
    let value = vessel.datum(&["analyze", "--format", "json"]).json();
    let history = &value["history"];
    assert_eq!((&history["commits"], &history["i2i"]), (&2.into(), &1.into()));
    assert_eq!(history["months"], serde_json::json!({ "2026-01": 1, "2026-02": 1 }));
    assert_eq!(history["authors"].as_array().unwrap().len(), 2);
    assert_eq!(value["capability"]["freshness"]["lag_days"], 40);
    assert_eq!(value["capability"]["freshness"]["last_active_lag_days"], 36);
    assert_eq!(value["tools"]["tools"][0]["name"], "net");
    assert_eq!((&value["structure"]["tools/"], &value["structure"]["dojo/"]), (&true.into(), &false.into()));
    assert_eq!(value["entries"]["journal"], 1);
    // Two are compared, and a third that is no repository is named.
    let other = Vessel::new();
    write(&other, "a.py", "x = 1\n");
    commit(&other, "one", "tern", 0);
    let both = other.datum(&["analyze", vessel.path().to_str().unwrap(), "."]).ok();
    assert!(both.contains("only .: Python") && both.contains("shared languages: none"), "{both}");
    // As git's, -C counts for every path of the command.
    let [from, name] =
        [other.path().parent(), Some(other.path())].map(|path| path.unwrap().to_str().unwrap());
    let there = vessel.datum(&["-C", from, "analyze", &name[from.len() + 1..], "--format", "json"]).json();
    let own = other.datum(&["analyze", "--format", "json"]).json();
    assert_eq!((&there["commit"], &there["languages"]), (&own["commit"], &own["languages"]));
    assert!(
        vessel.datum(&["-C", "/nonexistent", "analyze"]).fails(2).contains("cannot change to /nonexistent")
    );
    let said = other.datum(&["analyze", ".", "/nonexistent"]).fails(2);
    assert!(said.contains("/nonexistent"), "{said}");
}

#[test]
fn bad_repositories_are_profiled_or_named() {
    let empty = Vessel::new();
    assert!(empty.datum(&["analyze"]).ok().contains("none yet"));
    assert_eq!(empty.datum(&["history"]).ok(), "");
    assert_eq!(empty.datum(&["history", "--count"]).ok(), "0\n");
    assert_eq!(empty.datum(&["report", "workshop"]).code, 0);
    for args in [
        &["analyze", "--at", "nope"][..],
        &["history", "--at", "nope"],
        &["diff", "nope"],
        &["diff", "HEAD"],
        &["capability", "check", "--at", "nope"],
        &["report", "workshop", "--at", "nope"],
    ] {
        let said = empty.datum(args).fails(2);
        assert!(said.contains("nope") || said.contains("HEAD"), "{args:?}: {said}");
    }
    let vessel = Vessel::new();
    write(&vessel, "big.txt", vec![b'\n'; 33 << 20]);
    write(&vessel, "a.rs", "x\n");
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        std::os::unix::fs::symlink(".", vessel.path().join("loop")).unwrap();
        fs::write(vessel.path().join(std::ffi::OsStr::from_bytes(b"odd-\xff.rs")), "fn x() {}\n").unwrap();
    }
    vessel.git(&["add", "-A"]).ok();
    let commit_id = "1".repeat(40);
    vessel.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit_id},sub")]).ok();
    vessel.git(&["commit", "-qm", "one"]).ok();
    let ran = vessel.datum(&["analyze", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!((&value["links"], &value["submodules"]), (&1.into(), &1.into()));
    assert_eq!(
        (&value["languages"][0]["files"], &value["too_large"][0]["path"]),
        (&2.into(), &"big.txt".into())
    );
    let listed = vessel.datum(&["analyze", "--files"]).ok();
    assert!(
        listed.contains("submodule") && listed.contains("odd-\u{fffd}.rs") && listed.contains("link"),
        "{listed}"
    );
    vessel.git(&["commit", "-q", "--allow-empty", "-m", "two"]).ok();
    // A shallow clone has the history it has, and says so.
    let shallow = Vessel::empty();
    let url = format!("file://{}", vessel.path().display());
    shallow.git(&["clone", "-q", "--depth", "1", &url, "."]).ok();
    let ran = shallow.datum(&["history", "--count"]);
    assert!(ran.stdout == "1\n" && ran.stderr.contains("shallow"), "{ran:?}");
    assert_eq!(shallow.datum(&["analyze", "--format", "json"]).json()["history"]["shallow"], true);
}

#[test]
fn history_is_filtered_as_git_filters_it() {
    let vessel = Vessel::new();
    write(&vessel, "a", "1");
    commit(&vessel, "first", "heron", 0);
    write(&vessel, "dir/b", "1");
    commit(&vessel, "[I2I:AUDIT] fleet — all green", "tern", DAY);
    vessel.git(&["checkout", "-q", "-b", "side", "HEAD~1"]).ok();
    write(&vessel, "a", "2");
    commit(&vessel, "on the side", "heron", 2 * DAY);
    vessel.git(&["checkout", "-q", "main"]).ok();
    vessel.git(&["merge", "-q", "--no-ff", "-m", "joined", "side"]).ok();
    let subjects = |args: &[&str]| -> Vec<String> {
        let lines = vessel.datum(&[&["history", "--format", "ndjson"], args].concat()).ok();
        let subject = |line: &str| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["subject"].as_str().unwrap().to_owned()
        };
        lines.lines().map(subject).collect()
    };
    for args in [
        &["--", "a"][..],
        &["--", "dir"],
        &["--", "a", "dir/b"],
        &["--", "nothing"],
        &["--no-merges"],
        &["--author=tern"],
    ] {
        let mut theirs: Vec<String> =
            vessel.git(&[&["log", "--format=%s"], args].concat()).ok().lines().map(str::to_owned).collect();
        let mut ours = subjects(args);
        theirs.sort();
        ours.sort();
        assert_eq!(ours, theirs, "{args:?}");
    }
    assert_eq!(subjects(&["--type", "audit"]), ["[I2I:AUDIT] fleet — all green"]);
    assert_eq!(subjects(&["--i2i"]).len(), 1);
    assert_eq!(
        subjects(&["--since", "2026-01-02", "--until", "2026-01-03"]),
        ["[I2I:AUDIT] fleet — all green"]
    );
    assert_eq!(subjects(&["--search", "SIDE"]), ["on the side"]);
    assert_eq!(subjects(&["--at", "side", "-n", "1"]), ["on the side"]);
    assert_eq!(vessel.datum(&["history", "--count", "--no-merges"]).ok(), "3\n");
    assert_eq!(vessel.datum(&["git", "history", "-n", "2"]).ok().lines().count(), 2);
    vessel.git(&["commit-graph", "write", "--reachable"]).ok();
    vessel.git(&["commit", "-q", "--allow-empty", "-m", "newer than the graph"]).ok();
    assert_eq!(vessel.datum(&["history", "--count"]).ok(), "5\n");
    // A path that never was is told, as git does without a --; one that was deleted has a history.
    let said = vessel.datum(&["history", "a", "dir/nothing"]).fails(2);
    assert!(said.contains("dir/nothing: no commit has") && said.contains("history -- dir/nothing"), "{said}");
    assert!(vessel.datum(&["history", "side"]).fails(2).contains("--at side"));
    vessel.git(&["rm", "-q", "dir/b"]).ok();
    vessel.git(&["commit", "-q", "-m", "gone"]).ok();
    assert_eq!(subjects(&["dir"]), ["gone", "[I2I:AUDIT] fleet — all green"]);
    write(&vessel, "new", "1");
    let ran = vessel.datum(&["history", "--count", "new"]);
    assert!(ran.stdout == "0\n" && ran.stderr.contains("new was never committed"), "{ran:?}");
    let said = vessel.datum(&["history", "../x"]).fails(2);
    assert!(said.contains("leads out of the repository"), "{said}");
}

#[test]
fn a_diff_is_a_patch_that_git_takes() {
    let vessel = Vessel::new();
    write(&vessel, "a.txt", "one\ntwo\nthree\n");
    write(&vessel, "no-newline", "x");
    write(&vessel, "gone", "bye\n");
    write(&vessel, "moved", "the same\n");
    write(&vessel, "run", "#!/bin/sh\n");
    write(&vessel, "pic.bin", [0, 1]);
    commit(&vessel, "one", "heron", 0);
    write(&vessel, "a.txt", "one\n2\nthree\nfour\n");
    write(&vessel, "no-newline", "y");
    write(&vessel, "dir/new \"quoted\"", "new\n");
    fs::rename(vessel.path().join("moved"), vessel.path().join("dir/moved")).unwrap();
    fs::remove_file(vessel.path().join("gone")).unwrap();
    vessel.git(&["add", "-A"]).ok();
    vessel.git(&["update-index", "--chmod=+x", "run"]).ok();
    vessel.git(&["commit", "-qm", "two"]).ok();
    let patch = vessel.datum(&["diff", "HEAD~1", "HEAD"]).ok();
    write(&vessel, "../the.patch", &patch);
    vessel.git(&["read-tree", "HEAD~1"]).ok();
    vessel.git(&["apply", "--cached", "../the.patch"]).ok();
    fs::remove_file(vessel.path().join("../the.patch")).unwrap();
    assert_eq!(vessel.git(&["write-tree"]).ok(), vessel.git(&["rev-parse", "HEAD^{tree}"]).ok(), "{patch}");
    vessel.git(&["read-tree", "HEAD"]).ok();
    write(&vessel, "pic.bin", [0, 2]);
    commit(&vessel, "three", "heron", 9);
    assert!(vessel.datum(&["diff", "HEAD~1"]).ok().contains("Binary files a/pic.bin and b/pic.bin differ"));
    let stat = vessel.datum(&["diff", "HEAD~2..HEAD~1", "--stat", "a.txt"]).ok();
    assert_eq!(stat.trim(), "M        +2 −1  a.txt");
    let names = vessel.datum(&["diff", "HEAD~2", "HEAD~1", "--name-only", "dir"]).ok();
    assert_eq!(names, "A dir/moved\nA dir/new \"quoted\"\n");
    let value = vessel.datum(&["diff", "HEAD~2", "HEAD", "--format", "json"]).json();
    assert_eq!(value["changes"].as_array().unwrap().len(), 6);
    assert_eq!(vessel.datum(&["diff", "HEAD", "HEAD", "--exit-code"]).code, 0);
    assert_eq!(vessel.datum(&["diff", "HEAD~1", "--exit-code"]).code, 1);
}

#[test]
fn a_declaration_is_checked_shown_set_and_exported() {
    let vessel = Vessel::new();
    let said = vessel.datum(&["capability", "check"]).fails(2);
    assert!(said.contains("there is no CAPABILITY.toml"), "{said}");
    write(
        &vessel,
        "CAPABILITY.toml",
        "# ours\n[agent]\nname = \"heron\"\nrole = 7\n\n[capabilities]\nfish = { confidence = 0.5, description = \"Fishes\" }\n",
    );
    commit(&vessel, "one", "heron", 0);
    commit(&vessel, "two", "heron", 100 * DAY);
    let ran = vessel.datum(&["capability", "check"]);
    assert!(
        ran.code == 1
            && ran.stdout.contains("CAPABILITY.toml:4:8: error: agent.role is an integer, not a string"),
        "{ran:?}"
    );
    assert!(ran.stdout.contains("100 days before the newest commit"), "{ran:?}");
    vessel
        .datum(&[
            "capability",
            "set",
            "agent.role=angler",
            "capabilities.dive.confidence=0.25",
            "capabilities.dive.description=Dives",
        ])
        .ok();
    let text = fs::read_to_string(vessel.path().join("CAPABILITY.toml")).unwrap();
    assert_eq!(
        text,
        "# ours\n[agent]\nname = \"heron\"\nrole = \"angler\"\n\n[capabilities]\nfish = { confidence = 0.5, description = \"Fishes\" }\ndive = { confidence = 0.25, description = \"Dives\" }\n"
    );
    assert_eq!(vessel.datum(&["capability", "check"]).code, 0);
    assert_eq!(vessel.datum(&["capability", "check", "--at", "HEAD"]).code, 1);
    assert_eq!(vessel.datum(&["capability", "check", "--max-age", "30"]).code, 1);
    for (bad, why) in [
        ("capabilities.x.confidence=0.1", "has no description"),
        ("agent.colour=red", "is no key"),
        ("agent.name=No Name", "must start with"),
        ("x", "KEY=VALUE"),
    ] {
        let said = vessel.datum(&["capability", "set", bad]).fails(2);
        assert!(said.contains(why), "{bad}: {said}");
        assert_eq!(fs::read_to_string(vessel.path().join("CAPABILITY.toml")).unwrap(), text);
    }
    write(&vessel, "other.toml", "[vessel]\nname='tug'\n[capabilities]\nprimary=['towing']\n");
    let shown = vessel.datum(&["capability", "show", "other.toml", "--format", "json"]).json();
    assert_eq!(shown["capability"]["agent"]["name"], "tug");
    assert!(
        vessel.datum(&["capability", "export", "other.toml"]).ok().starts_with("[agent]\nname = \"tug\"\n")
    );
    write(&vessel, "broken.toml", "[agent\n");
    let said = vessel.datum(&["capability", "show", "broken.toml"]).fails(2);
    assert!(said.contains("broken.toml: line 1, column"), "{said}");
    // A bare clone has no work tree: its commit is read.
    let bare = Vessel::empty();
    bare.git(&["clone", "-q", "--bare", vessel.path().to_str().unwrap(), "."]).ok();
    assert!(bare.datum(&["capability", "show"]).ok().contains("heron"));
    assert_eq!(bare.datum(&["capability", "set", "agent.role=x"]).code, 2);
}
