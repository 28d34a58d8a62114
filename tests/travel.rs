//! Logs between clones, through real servers.

use crate::servers::{Server, clone_of};
use crate::vessel::{NOW, Vessel};
use serde_json::Value;

fn sync(vessel: &Vessel) -> Value {
    vessel.datum(&["sync", "--format", "json"]).json()
}

fn texts(vessel: &Vessel) -> Vec<String> {
    let listed = vessel.datum(&["journal", "--all", "--format", "json"]).json();
    let mut texts: Vec<_> = listed["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["text"].as_str().unwrap().to_owned())
        .collect();
    texts.sort();
    texts
}

fn state(vessel: &Vessel) -> String {
    vessel.datum(&["status", "--format", "json"]).json()["snapshot"].to_string()
}

fn quiet(report: &Value) -> bool {
    ["came", "went", "refused", "forks", "again"].iter().all(|key| report[key] == serde_json::json!([]))
}

#[test]
fn five_clones_agree_through_every_kind_of_server() {
    for server in [Some(Server::path()), Server::daemon(), Server::http()].into_iter().flatten() {
        let clones: Vec<_> = (0..5).map(|_| clone_of(&server)).collect();
        for (n, clone) in clones.iter().enumerate() {
            clone.datum(&["journal", "LOG", &format!("clone {n}")]).ok();
        }
        for n in [3, 1, 4, 0, 2, 3, 1, 4, 0] {
            sync(&clones[n]);
        }
        assert!(quiet(&sync(&clones[2])), "{}", server.url);
        for clone in &clones {
            assert_eq!(texts(clone).len(), 5, "{}", server.url);
            assert_eq!(state(clone), state(&clones[0]), "{}", server.url);
            clone.fsck();
        }
        server.fsck();
        assert_eq!(clones[0].git(&["config", "--get-regexp", "^remote\\."]).ok().lines().count(), 2);
    }
}

#[test]
fn ssh_is_gits_own() {
    // No sshd is at hand in most places; what git starts for it is replaced by the command it would run there.
    let server = Server::path();
    let vessel = Vessel::new();
    let url = format!("ssh://127.0.0.1{}", server.repo().display());
    vessel.git(&["remote", "add", "origin", &url]).ok();
    let script = vessel.path().join("ssh.sh");
    std::fs::write(&script, "#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\nexec sh -c \"$1\"\n").unwrap();
    vessel.git(&["config", "core.sshCommand", &format!("sh {}", script.display())]).ok();
    vessel.git(&["config", "ssh.variant", "simple"]).ok();
    vessel.datum(&["journal", "LOG", "by ssh"]).ok();
    assert_eq!(sync(&vessel)["went"].as_array().unwrap().len(), 1);
    std::fs::write(&script, "#!/bin/sh\necho 'x@y: Permission denied (publickey).' >&2\nexit 255\n").unwrap();
    let said = vessel.datum(&["sync"]).fails(3);
    assert!(said.contains("Permission denied"), "{said}");
    std::fs::write(&script, "#!/bin/sh\nexec sleep 60\n").unwrap();
    let start = std::time::Instant::now();
    let said = vessel.datum(&["sync", "--budget", "1s"]).fails(3);
    assert!(said.contains("out of time after 1 s"), "{said}");
    assert!(start.elapsed().as_secs() < 20);
}

#[test]
fn what_cannot_be_reached_is_named() {
    let vessel = Vessel::new();
    vessel.datum(&["journal", "LOG", "one"]).ok();
    let said = vessel.datum(&["sync"]).fails(2);
    assert!(said.contains("no remote"), "{said}");
    for place in ["/nowhere/at/all", "http://127.0.0.1:9/x.git", "git://127.0.0.1:9/x"] {
        let said = vessel.datum(&["sync", place]).fails(3);
        assert!(said.contains(place) && said.contains("hint: "), "{said}");
    }
    for place in ["--upload-pack=touch", "ext::sh -c id", ""] {
        vessel.datum(&["sync", "--", place]).fails(2);
    }
    vessel.datum(&["sync", "--budget", "soon"]).fails(2);
    vessel.datum(&["sync", "--kinds", "journal,nothing"]).fails(2);
}

#[test]
fn a_refusal_is_told_and_a_branch_goes_instead() {
    let server = Server::path();
    server.hook(
        "pre-receive",
        "while read o n r; do case $r in refs/heads/agent/*) ;; *) echo \"no $r here\"; exit 1;; esac; done",
    );
    let (one, two) = (clone_of(&server), clone_of(&server));
    one.datum(&["journal", "LOG", "from a sandbox"]).ok();
    let ran = one.datum(&["sync", "--format", "json"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["refused"][0]["by"], "origin");
    assert!(report["refused"][0]["why"].as_str().unwrap().contains("no refs/datum/"), "{report}");
    one.datum(&["sync", "--branch", "agent/a-logs"]).ok();
    assert_eq!(server.refs(), "refs/heads/agent/a-logs\n");
    two.git(&["fetch", "-q"]).ok();
    two.datum(&["absorb", "origin/agent/a-logs"]).ok();
    assert_eq!(texts(&two), ["from a sandbox"]);
    assert!(quiet(&two.datum(&["absorb", "origin/agent/a-logs", "--format", "json"]).json()));
    two.git(&["commit", "-q", "--allow-empty", "-m", "x"]).ok();
    two.datum(&["absorb", "main"]).fails(2);
}

#[test]
fn a_file_carries_the_same() {
    let (one, two) = (Vessel::new(), Vessel::new());
    one.datum(&["journal", "LOG", "by hand"]).ok();
    one.datum(&["sync", "--bundle", "logs.bundle"]).ok();
    let file = one.path().join("logs.bundle");
    let file = file.to_str().unwrap();
    two.datum(&["absorb", file]).ok();
    assert!(quiet(&two.datum(&["absorb", file, "--format", "json"]).json()));
    assert_eq!(state(&one), state(&two));
    std::fs::write(file, "no bundle").unwrap();
    two.datum(&["absorb", file]).fails(3);
}

#[test]
fn a_connection_that_is_cut_leaves_nothing_half_done() {
    use std::sync::atomic::Ordering;
    let Some(server) = Server::http() else { return };
    let (one, two) = (clone_of(&server), clone_of(&server));
    for n in 0..30 {
        one.datum(&["journal", "LOG", &format!("{n} {}", "x".repeat(2000))]).ok();
    }
    sync(&one);
    for cut in [1, 200, 600, 3000] {
        server.cut.store(cut, Ordering::SeqCst);
        let ran = two.datum(&["sync"]);
        assert!(ran.code == 3 || ran.code == 1, "{cut}: {ran:?}");
        assert!(texts(&two).is_empty(), "{cut}");
        two.fsck();
    }
    server.cut.store(0, Ordering::SeqCst);
    assert_eq!(sync(&two)["came"][0]["entries"], 30);
    assert_eq!(state(&one), state(&two));
}

#[test]
fn a_sync_that_is_killed_is_taken_up_again() {
    let server = Server::path();
    let one = clone_of(&server);
    server.update_hook("sleep 0.05");
    for n in 0..12 {
        one.datum(&["journal", "LOG", &format!("{n}")]).ok();
        let mut child = one.command(&["sync"]).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(10 * n));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    server.update_hook("");
    // What a killed sync has left running may still push.
    for _ in 0..50 {
        if one.datum(&["sync"]).code == 0 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let two = clone_of(&server);
    sync(&two);
    assert_eq!(texts(&two).len(), 12);
    assert_eq!(state(&one), state(&two));
    server.fsck();
    one.fsck();
}

#[test]
fn a_copied_clone_that_is_killed_while_it_parts_keeps_what_it_said() {
    const COUNT: u32 = 16;
    let mut whole = std::time::Duration::from_millis(200);
    for n in 0..=COUNT {
        let server = Server::path();
        let one = clone_of(&server);
        one.datum(&["journal", "LOG", "before"]).ok();
        sync(&one);
        let copy = Vessel::empty();
        let git = |path: &std::path::Path| path.join(".git");
        let copied =
            std::process::Command::new("cp").arg("-r").arg(git(one.path())).arg(copy.path()).status();
        assert!(copied.unwrap().success());
        one.datum(&["journal", "LOG", "by the first"]).ok();
        one.datum(&["task", "create", "by the first"]).ok();
        sync(&one);
        copy.datum(&["journal", "LOG", "by the copy"]).ok();
        copy.datum(&["task", "create", "by the copy"]).ok();
        let start = std::time::Instant::now();
        let mut child = copy.command(&["sync"]).stdout(std::process::Stdio::null()).spawn().unwrap();
        if n == 0 {
            // Once through, to see how long it takes.
            child.wait().unwrap();
            whole = start.elapsed();
        } else {
            std::thread::sleep(whole / 3 + whole * 2 / 3 * (n * 5 % COUNT) / COUNT);
            child.kill().unwrap();
            child.wait().unwrap();
        }
        copy.age_locks();
        sync(&copy);
        sync(&copy);
        sync(&one);
        let both = ["before", "by the copy", "by the first"];
        for vessel in [&one, &copy] {
            let mut said = texts(vessel);
            said.sort();
            said.dedup();
            assert_eq!(said, both, "kill {n}");
            let listed = vessel.datum(&["task", "list", "--format", "json"]).json();
            let titles: std::collections::BTreeSet<_> =
                listed["tasks"].as_array().unwrap().iter().map(|task| task["title"].to_string()).collect();
            assert_eq!(titles.len(), 2, "kill {n}: {listed}");
        }
        copy.fsck();
    }
}

#[test]
fn a_user_who_prunes_and_mirrors_does_no_lasting_harm() {
    let server = Server::path();
    let (one, two) = (clone_of(&server), clone_of(&server));
    one.git(&["commit", "-q", "--allow-empty", "-m", "x"]).ok();
    one.datum(&["journal", "LOG", "one"]).ok();
    sync(&one);
    two.datum(&["journal", "LOG", "two"]).ok();
    sync(&two);
    // What `one` has not fetched is gone from the remote.
    one.git(&["push", "-q", "--mirror", "origin"]).ok();
    one.git(&["fetch", "-q", "--prune"]).ok();
    two.git(&["fetch", "-q", "--prune"]).ok();
    sync(&two);
    sync(&one);
    assert_eq!((texts(&one).len(), texts(&two).len()), (2, 2));
    assert_eq!(state(&one), state(&two));
}

#[test]
fn fresh_partial_and_shallow_clones_get_the_whole_state() {
    let server = Server::path();
    let one = clone_of(&server);
    for n in 0..3 {
        std::fs::write(one.path().join("file"), format!("{n}")).unwrap();
        one.git(&["add", "file"]).ok();
        one.git(&["commit", "-q", "-m", "x"]).ok();
    }
    one.git(&["push", "-q", "origin", "main"]).ok();
    one.git(&["--git-dir", server.repo().to_str().unwrap(), "config", "uploadpack.allowFilter", "true"]).ok();
    let large = "line\n".repeat(20_000);
    one.datum_with(&["journal", "LOG", "-"], large.as_bytes()).ok();
    let lines: String = (0..300).map(|n| format!("entry {n}\n")).collect();
    one.datum_with(&["journal", "LOG", "--batch"], lines.as_bytes()).ok();
    sync(&one);
    let url = format!("file://{}", server.repo().display());
    let fresh = clone_of(&server);
    assert!(fresh.datum(&["status"]).ok().contains("origin was not asked: run datum sync"));
    assert!(fresh.datum(&["status", "--remote"]).ok().contains("origin holds 1 datum logs"));
    for how in [&["--depth=1"][..], &["--filter=blob:none"], &["--filter=tree:0", "--bare"]] {
        let vessel = Vessel::empty();
        vessel.git(&[&["clone", "-q"], how, &[&url, "."]].concat()).ok();
        vessel.datum(&["journal", "LOG", "from here"]).ok();
        assert_eq!(sync(&vessel)["came"][0]["entries"], 301, "{how:?}");
        assert!(texts(&vessel).iter().any(|text| text.len() >= large.len() - 1), "{how:?}");
        assert!(quiet(&sync(&vessel)), "{how:?}");
        assert_eq!(vessel.git(&["config", "--get-regexp", "^remote\\..*\\.datum"]).code, 1);
        let again = Vessel::empty();
        again.git(&["clone", "-q", &url, "."]).ok();
        sync(&again);
        assert_eq!(texts(&again).len(), texts(&vessel).len());
        vessel.git(&["push", "-q", "origin", "--delete", &refs_of(&vessel)]).ok();
    }
}

/// The ref of the vessel's own log.
fn refs_of(vessel: &Vessel) -> String {
    let clone = std::fs::read_to_string(vessel.path().join(".git/datum/clone"))
        .or_else(|_| std::fs::read_to_string(vessel.path().join("datum/clone")))
        .unwrap();
    format!("refs/datum/journal/a-{}", clone.trim())
}

#[test]
fn a_dry_run_moves_nothing_and_kinds_are_by_choice() {
    let server = Server::path();
    let (one, two) = (clone_of(&server), clone_of(&server));
    one.datum(&["journal", "LOG", "one"]).ok();
    one.datum(&["bottle", "drop", "b", "hello", "--content", "x"]).ok();
    let would = one.datum(&["sync", "--dry-run", "--format", "json"]).json();
    assert_eq!(would["went"].as_array().unwrap().len(), 2);
    assert_eq!(server.refs(), "");
    one.git(&["config", "datum.sync.kinds", "journal"]).ok();
    sync(&one);
    assert_eq!(server.refs().lines().count(), 1);
    assert!(quiet(&sync(&one)));
    two.datum(&["sync", "--dry-run"]).ok();
    assert!(texts(&two).is_empty());
    one.datum(&["sync", "--kinds", "all"]).ok();
    assert_eq!(server.refs().lines().count(), 2);
}

#[test]
fn clocks_two_days_apart_are_told_and_nothing_is_lost() {
    let server = Server::path();
    let (fast, slow, right) = (clone_of(&server), clone_of(&server), clone_of(&server));
    let day = 24 * 60 * 60 * 1000;
    let at = |vessel: &Vessel, now: u64, args: &[&str]| {
        let output = vessel.command(args).env("DATUM_NOW", now.to_string()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    at(&fast, NOW + 2 * day, &["journal", "LOG", "fast"]);
    at(&slow, NOW - 2 * day, &["journal", "LOG", "slow"]);
    at(&right, NOW, &["journal", "LOG", "right"]);
    at(&fast, NOW + 2 * day, &["sync"]);
    at(&slow, NOW - 2 * day, &["sync"]);
    at(&right, NOW, &["sync"]);
    assert_eq!(texts(&right), ["right", "slow"]);
    let said = right.datum(&["sync"]);
    assert!(said.stderr.contains("h ahead of this clock"), "{said:?}");
    at(&right, NOW + 2 * day, &["sync"]);
    assert_eq!(texts(&right).len(), 3);
}

#[test]
fn what_a_hostile_vessel_says_cannot_drive_the_terminal() {
    let server = Server::path();
    let who = "esc <esc-eeeeeee1@datum> 1767225600 +0000";
    for (kind, more) in [("journal", "Category: LOG\n"), ("bottle", "To: a\nType: message\n")] {
        let raw = format!(
            "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor {who}\ncommitter {who}\n\n\
             \u{1b}[2J\u{202e}gone\n\n{more}Kind: {kind}\nAgent: esc\nClock: {NOW}\nSeq: 1\n"
        );
        std::fs::write(server.repo().join("raw"), raw).unwrap();
        let made = crate::vessel::clean("git", &server.repo())
            .args(["hash-object", "-t", "commit", "--literally", "-w", "raw"])
            .output()
            .unwrap();
        let id = String::from_utf8(made.stdout).unwrap();
        let name = format!("refs/datum/{kind}/esc-eeeeeee1");
        let set = crate::vessel::clean("git", &server.repo()).args(["update-ref", &name, id.trim()]).status();
        assert!(set.unwrap().success());
    }
    let vessel = clone_of(&server);
    sync(&vessel);
    for args in ["journal", "bottle check", "status", "verify"] {
        // A terminal of its own: a pipe gets the text as it is.
        let program = format!("{} {args}", env!("CARGO_BIN_EXE_datum"));
        let mut command = crate::vessel::clean("script", vessel.path());
        command.args(["-qec", &program, "/dev/null"]).env("DATUM_AGENT", "a").env("NO_COLOR", "1");
        command.env("DATUM_NOW", NOW.to_string()).env("TERM", "dumb");
        let Ok(output) = command.output() else {
            eprintln!("skipped: no script(1) to make a terminal");
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(args == "verify" || said.contains("gone"), "{args}: {said:?}");
        assert!(!said.contains("\u{1b}[2J") && !said.contains('\u{202e}'), "{args}: {said:?}");
    }
}
