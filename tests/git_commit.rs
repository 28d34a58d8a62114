//! `datum git commit|init|write|delete|read`: what is refused leaves nothing behind, and paths mean what they say.

use crate::vessel::Vessel;
use std::fs;

/// Installs a hook that refuses.
fn refuse(vessel: &Vessel, hook: &str) {
    let file = vessel.path().join(".git/hooks").join(hook);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "#!/bin/sh\necho 'not today' >&2\nexit 1\n").unwrap();
    #[cfg(unix)]
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

fn write(vessel: &Vessel, path: &str, text: &str) {
    let file = vessel.path().join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// A vessel with `a` and `d/a` committed.
fn vessel() -> Vessel {
    let vessel = Vessel::new();
    write(&vessel, "a", "1\n");
    write(&vessel, "d/a", "1\n");
    vessel.datum(&["git", "commit", "-m", "one"]).ok();
    vessel
}

fn status(vessel: &Vessel) -> String {
    vessel.git(&["status", "--porcelain", "--untracked-files=all"]).ok()
}

fn files_of_head(vessel: &Vessel) -> String {
    vessel.git(&["show", "--format=", "--name-only", "HEAD"]).ok()
}

/// A vessel in which a merge has left `a` with conflicts.
fn conflicted() -> Vessel {
    let vessel = vessel();
    vessel.git(&["switch", "-qc", "other"]).ok();
    vessel.datum(&["git", "write", "a", "--content", "theirs"]).ok();
    vessel.git(&["switch", "-q", "main"]).ok();
    vessel.datum(&["git", "write", "a", "--content", "ours"]).ok();
    vessel.git(&["merge", "-q", "other"]).fails(1);
    vessel
}

#[test]
fn files_with_conflicts_are_not_committed() {
    let vessel = conflicted();
    let before = vessel.git(&["rev-parse", "HEAD"]).ok();
    for more in [&[][..], &["a"], &["."], &["--staged"]] {
        let said = vessel.datum(&[&["git", "commit", "-m", "x"], more].concat()).fails(1);
        assert!(said.contains("error: not merged yet: a\nhint: "), "{said}");
        assert_eq!(status(&vessel), "UU a\n", "{more:?}");
    }
    vessel.datum(&["git", "smart-commit", "x"]).fails(1);
    vessel.datum(&["git", "write", "b", "--content", "x"]).fails(1);
    assert_eq!(vessel.git(&["rev-parse", "HEAD"]).ok(), before);
    assert_eq!(status(&vessel), "UU a\n");
    // Mended and staged, a part of it is no commit, and all of it is: also where it comes to what was here.
    write(&vessel, "a", "ours\n");
    vessel.git(&["add", "a"]).ok();
    let said = vessel.datum(&["git", "commit", "-m", "x", "a"]).fails(1);
    assert!(said.contains("a merge is under way"), "{said}");
    vessel.datum(&["git", "commit", "-m", "merged"]).ok();
    assert_eq!(vessel.git(&["rev-list", "--count", "--merges", "HEAD"]).ok(), "1\n");
}

#[test]
fn a_refused_commit_leaves_the_index_as_it_was() {
    let vessel = vessel();
    write(&vessel, "staged", "x");
    vessel.git(&["add", "staged"]).ok();
    refuse(&vessel, "pre-commit");
    write(&vessel, "new", "x");
    write(&vessel, "a", "2\n");
    let before = status(&vessel);
    for more in [&[][..], &["new"], &["a", "new"], &["--staged"]] {
        let said = vessel.datum(&[&["git", "commit", "-m", "x"], more].concat()).fails(1);
        assert!(said.contains("not today") && said.contains("nothing was committed"), "{said}");
        assert_eq!(status(&vessel), before, "{more:?}");
    }
    vessel.datum(&["git", "init", ".", "--template", "small"]).fails(1);
    assert_eq!(status(&vessel), before);
    // What was staged of a file stays staged when writing or deleting it is refused.
    write(&vessel, "d/a", "2\n");
    vessel.git(&["add", "d/a"]).ok();
    vessel.datum(&["git", "write", "d/a", "--content", "3", "--force"]).fails(1);
    assert_eq!(vessel.git(&["show", ":d/a"]).ok(), "2\n");
    assert_eq!(fs::read(vessel.path().join("d/a")).unwrap(), b"2\n");
    assert!(!vessel.path().join(".git/index.lock").exists());
    // Before the first commit, too.
    let fresh = Vessel::new();
    refuse(&fresh, "pre-commit");
    write(&fresh, "a", "1\n");
    fresh.datum(&["git", "commit", "-m", "x"]).fails(1);
    assert_eq!(status(&fresh), "?? a\n");
}

#[test]
fn what_is_not_committed_is_not_written_over() {
    let vessel = vessel();
    write(&vessel, "a", "mine\n");
    write(&vessel, "new", "mine\n");
    for file in ["a", "new"] {
        let said = vessel.datum(&["git", "write", file, "--content", "theirs"]).fails(1);
        assert!(said.contains("has changes that are not committed") && said.contains("--force"), "{said}");
        assert_eq!(fs::read(vessel.path().join(file)).unwrap(), b"mine\n");
    }
    let said = vessel.datum(&["git", "delete", "a"]).fails(1);
    assert!(said.contains("hint: datum git commit -m TEXT FILE"), "{said}");
    // Writing what is there loses nothing.
    vessel.datum(&["git", "write", "a", "--content", "mine"]).ok();
    vessel.datum(&["git", "write", "new", "--content", "theirs", "--force"]).ok();
    assert_eq!(status(&vessel), "");
}

#[test]
fn paths_count_from_where_the_command_runs() {
    let vessel = vessel();
    write(&vessel, "sub/b", "1\n");
    vessel.datum(&["-C", "sub", "git", "commit", "-m", "below", "."]).ok();
    assert_eq!(files_of_head(&vessel), "sub/b\n");
    assert_eq!(vessel.datum(&["-C", "sub", "git", "read", "../d/a"]).ok(), "1\n");
    vessel.datum(&["-C", "sub", "git", "write", "../d/a", "--content", "2"]).ok();
    write(&vessel, "d/a", "3\n");
    vessel.datum(&["-C", "sub", "git", "commit", "-m", "x", "../d/a"]).ok();
    write(&vessel, "d/a", "4\n");
    write(&vessel, "other", "1\n");
    vessel.datum(&["git", "commit", "-m", "x", "d/"]).ok();
    assert_eq!((files_of_head(&vessel).as_str(), status(&vessel).as_str()), ("d/a\n", "?? other\n"));
    let whole = vessel.path().to_str().unwrap();
    assert_eq!(vessel.datum(&["-C", "sub", "git", "read", &format!("{whole}/d/a")]).ok(), "4\n");
    vessel.datum(&["git", "write", &format!("{whole}/sub/../new/b"), "--content", "1"]).ok();
    vessel.datum(&["-C", "sub", "git", "delete", "../new/b"]).ok();
    vessel.datum(&["git", "commit", "-m", "all", "."]).ok();
    assert_eq!(status(&vessel), "");
    for (path, why) in [("../../x", "leads out"), ("/etc/x", "leads out"), ("", "empty"), ("..", "folder")] {
        let said = vessel.datum(&["-C", "sub", "git", "write", path, "--content", "x"]).fails(2);
        assert!(said.contains(why), "{path}: {said}");
    }
}

#[test]
fn what_is_no_file_is_told() {
    let vessel = vessel();
    write(&vessel, ".gitignore", "*.log\n");
    for (args, why) in [
        (&["git", "write", "d", "--content", "x"][..], "d is a folder\nhint: name a file"),
        (&["git", "write", "d/", "--content", "x"], "d/ names a folder\nhint: name a file"),
        (&["git", "write", "a/x", "--content", "x"], "a is a file, not a folder"),
        (&["git", "write", "x.log", "--content", "x"], "git is told to ignore x.log\nhint: git add -f"),
        (&["git", "delete", "d"], "d is a folder"),
        (&["git", "read", "d"], "d is a folder"),
        (&["git", "read", "."], ". names a folder"),
        (&["git", "read", "nowhere"], "there is no file nowhere in HEAD"),
        (&["git", "read", "a", "--at", "nowhere"], "there is no commit nowhere"),
        (&["git", "init", "a"], "a is a file"),
        (&["git", "init", "a/b"], "a is a file"),
        (&["git", "clone", ".", "d"], "d is there and not empty"),
        (&["git", "checkout", "nowhere"], "there is no branch nowhere"),
        (&["git", "branch", "main"], "there is a branch main already"),
        (&["git", "branch", "x", "--from", "nowhere"], "there is no commit nowhere"),
    ] {
        let said = vessel.datum(args).fails(2);
        assert!(said.contains(why), "{args:?}: {said}");
    }
    assert!(!vessel.path().join("x.log").exists());
}

#[test]
fn what_is_broken_is_told_apart() {
    let vessel = vessel();
    write(&vessel, "a", "2\n");
    write(&vessel, ".git/index.lock", "");
    for args in [
        &["git", "commit", "-m", "x"][..],
        &["git", "commit", "-m", "x", "a"],
        &["git", "write", "b", "--content", "x"],
    ] {
        let said = vessel.datum(args).fails(3);
        assert!(said.contains("index.lock") && said.contains("hint: another git is at work"), "{said}");
    }
    fs::remove_file(vessel.path().join(".git/index.lock")).unwrap();
    fs::remove_dir_all(vessel.path().join(".git/objects")).unwrap();
    fs::create_dir_all(vessel.path().join(".git/objects")).unwrap();
    for args in [
        &["git", "status"][..],
        &["git", "commit", "-m", "x"],
        &["git", "commit", "-m", "x", "a"],
        &["git", "read", "a"],
    ] {
        let said = vessel.datum(args).fails(3);
        assert!(said.contains("hint: "), "{args:?}: {said}");
    }
}

#[test]
fn reasons_stand_beside_the_other_trailers() {
    let vessel = Vessel::new();
    let of_head = |what: &str| vessel.git(&["log", "-1", &format!("--format={what}")]).ok();
    let message = "pump: new seal\n\nIt leaked.\n\nSigned-off-by: A <a@example.org>";
    let commit = ["git", "commit", "-m", message, "--reasoning", "the old one\n\nwas brittle"];
    write(&vessel, "a", "1\n");
    vessel.datum(&commit).ok();
    assert_eq!(
        of_head("%(trailers)"),
        "Signed-off-by: A <a@example.org>\nReasoning: the old one\n was brittle\n\n"
    );
    assert_eq!(of_head("%(trailers:key=Reasoning,unfold)"), "Reasoning: the old one was brittle\n\n");
    let said = vessel.datum(&["git", "smart-commit", "fix(pump): seal", "it leaked", "--dry-run"]).ok();
    assert_eq!(said, "fix(pump): seal\n\nReasoning: it leaked\n");
    write(&vessel, "a", "2\n");
    let ran = vessel.datum(&["git", "commit", "-m", "[I2I:STATUS:XX] up", "--i2i", "STATUS:XX"]);
    assert!(ran.stderr.contains("warning: XX is no code of STATUS, which has STS"), "{ran:?}");
    assert_eq!(of_head("%s"), "[I2I:STATUS:XX] a — up\n");
    write(&vessel, "a", "3\n");
    let ran = vessel.datum(&["git", "commit", "-m", "up", "--i2i", "STAT"]);
    assert!(
        ran.stderr.contains("warning: STAT is no known type\nhint: known types are PROPOSAL, "),
        "{ran:?}"
    );
}

#[test]
fn templates_keep_what_is_a_program_and_a_bare_repository_is_one() {
    let vessel = Vessel::new();
    write(&vessel, "mine/run.sh", "#!/bin/sh\n");
    write(&vessel, "mine/plain", "x\n");
    #[cfg(unix)]
    fs::set_permissions(
        vessel.path().join("mine/run.sh"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    vessel.datum(&["git", "init", "one", "--template", "mine"]).ok();
    vessel.git(&["clone", "-q", "--bare", "one", "hub.git"]).ok();
    let address = format!("file://{}/hub.git", vessel.path().display());
    vessel.datum(&["git", "init", "two", "--template", &address]).ok();
    vessel.datum(&["git", "init", "three", "--template", "hub.git"]).ok();
    for made in ["one", "two", "three"] {
        let listed = vessel.git(&["-C", made, "ls-files", "--format=%(objectmode) %(path)"]).ok();
        let program = if cfg!(unix) { "100755" } else { "100644" };
        assert_eq!(listed, format!("100644 plain\n{program} run.sh\n"), "{made}");
    }
}

#[test]
fn branches_are_listed_and_the_one_before_comes_back() {
    let vessel = vessel();
    assert!(vessel.datum(&["git", "checkout", "-"]).fails(2).contains("no branch was checked out before"));
    vessel.datum(&["git", "branch", "trial"]).ok();
    assert_eq!(vessel.datum(&["git", "branch"]).ok(), "  main\n* trial\n");
    assert_eq!(vessel.datum(&["git", "branch", "--format", "json"]).json()["branches"][0], "main");
    assert_eq!(vessel.datum(&["git", "checkout", "-"]).ok(), "on branch main\n");
    vessel.git(&["switch", "-q", "trial"]).ok();
    vessel.datum(&["git", "write", "a", "--content", "2"]).ok();
    write(&vessel, "a", "3\n");
    let said = vessel.datum(&["git", "checkout", "main"]).fails(1);
    assert!(
        said.starts_with(
            "error: changes that are not committed are in the way: a\nhint: nothing was changed"
        ),
        "{said}"
    );
    assert_eq!(vessel.datum(&["git", "history", "--last", "0"]).ok(), "");
    assert_eq!(vessel.datum(&["git", "history", "--last", "0", "--count"]).ok(), "2\n");
}

#[test]
fn the_first_commit_may_have_ids_of_either_kind() {
    for init in [&[][..], &["--object-format=sha256"]] {
        let vessel = Vessel::with(init);
        vessel.datum(&["git", "write", "a", "--content", "1"]).ok();
        write(&vessel, "b", "2\n");
        vessel.datum(&["git", "commit", "-m", "b", "b"]).ok();
        assert_eq!(vessel.git(&["ls-files"]).ok(), "a\nb\n", "{init:?}");
    }
}
