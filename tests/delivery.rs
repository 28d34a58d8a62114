//! Bottles between vessels: outbox, delivery, acknowledgement, the fleet list.

use crate::vessel::Vessel;
use serde_json::Value;

/// A vessel `a`, and a bare repository that is the home of vessel `tern`, with a clone that its agent works in.
struct Two {
    a: Vessel,
    home: Vessel,
    tern: Vessel,
}

impl Two {
    fn new() -> Self {
        let home = Vessel::with(&["--bare"]);
        let tern = Vessel::new();
        let declared =
            "[agent]\nname = \"tern\"\nrole = \"lookout\"\n\n[capabilities]\naudit = { confidence = 0.8 }\n";
        std::fs::write(tern.path().join("CAPABILITY.toml"), declared).unwrap();
        tern.git(&["add", "-A"]).ok();
        tern.git(&["commit", "-qm", "first"]).ok();
        tern.git(&["remote", "add", "origin", home.path().to_str().unwrap()]).ok();
        tern.git(&["push", "-q", "origin", "main"]).ok();
        let a = Vessel::new();
        a.datum(&["fleet", "add", "tern", home.path().to_str().unwrap()]).ok();
        Self { a, home, tern }
    }

    fn tern(&self, args: &[&str]) -> String {
        self.tern.datum(&[&["--agent", "tern"], args].concat()).ok()
    }

    fn sent(&self) -> Vec<Value> {
        let sent = self.a.datum(&["bottle", "sent", "--refresh", "--format", "json"]).json();
        sent["bottles"].as_array().unwrap().clone()
    }
}

#[test]
fn a_bottle_is_written_sent_seen_read_acknowledged_and_answered() {
    let two = Two::new();
    two.a.datum(&["bottle", "drop", "tern", "Nets", "--vessel", "tern", "--content", "All out."]).ok();
    assert_eq!(two.sent()[0]["progress"], "written");
    assert!(two.a.datum(&["bottle", "check", "--everyone"]).ok().is_empty(), "it is not in our own inbox");
    two.a.datum(&["sync", two.home.path().to_str().unwrap()]).ok();
    assert_eq!(two.sent()[0]["progress"], "sent");
    two.tern(&["sync"]);
    let inbox: Value = serde_json::from_str(&two.tern(&["bottle", "check", "--format", "json"])).unwrap();
    let id = inbox["bottles"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&inbox["bottles"][0]["from"], &inbox["bottles"][0]["subject"]),
        (&"a".into(), &"Nets".into())
    );
    for (args, state) in [
        (vec!["bottle", "check"], "seen"),
        (vec!["bottle", "read", &id], "read"),
        (vec!["bottle", "ack", &id], "acknowledged"),
        (vec!["bottle", "reply", &id, "--content", "Good."], "answered"),
    ] {
        two.tern(&args);
        two.tern(&["sync"]);
        assert_eq!(two.sent()[0]["progress"], state);
    }
    for vessel in [&two.a, &two.home, &two.tern] {
        vessel.fsck();
    }
}

#[test]
fn a_bottle_is_seen_by_whom_it_is_for_once_and_only_from_elsewhere() {
    let two = Two::new();
    two.a.datum(&["bottle", "drop", "tern", "Nets", "--vessel", "tern", "--send"]).ok();
    two.tern.datum(&["bottle", "drop", "tern", "Here", "--content", "x"]).ok();
    two.tern(&["sync"]);
    let log = || two.tern.git(&["log", "--format=%s", "--glob=refs/datum/bottle/tern-*"]).ok();
    two.tern(&["bottle", "check", "--no-note"]);
    two.tern.datum(&["bottle", "check", "--everyone"]).ok();
    assert_eq!(log(), "", "neither without a note nor by another");
    assert_eq!(two.tern(&["bottle", "check"]).lines().count(), 2);
    assert_eq!(two.tern(&["bottle", "check"]).lines().count(), 2, "what is seen is still new");
    assert!(log().starts_with("Seen ") && log().lines().count() == 1, "{}", log());
    two.tern(&["sync"]);
    assert_eq!(two.sent()[0]["progress"], "seen");
}

#[test]
fn every_bottle_arrives_once_however_often_it_is_sent() {
    let two = Two::new();
    for n in 0..5 {
        let subject = format!("Bottle {n}");
        two.a.datum(&["bottle", "drop", "tern", &subject, "--vessel", "tern", "--send"]).ok();
    }
    // The note that they were sent is lost, as when the process is killed after the push.
    for line in two.a.git(&["for-each-ref", "--format=%(refname)", "refs/datum-vessel"]).ok().lines() {
        two.a.git(&["update-ref", "-d", line]).ok();
    }
    two.a.datum(&["bottle", "drop", "tern", "Bottle 5", "--vessel", "tern", "--send"]).ok();
    two.tern(&["sync"]);
    let listed: Value = serde_json::from_str(&two.tern(&["bottle", "check", "--format", "json"])).unwrap();
    let mut subjects: Vec<_> = listed["bottles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["subject"].as_str().unwrap().to_owned())
        .collect();
    subjects.sort();
    assert_eq!(subjects, (0..6).map(|n| format!("Bottle {n}")).collect::<Vec<_>>());
    assert!(two.sent().iter().all(|bottle| bottle["progress"] == "sent"));
}

#[test]
fn a_refusal_is_told_kept_and_mended() {
    let two = Two::new();
    let hook = two.home.path().join("hooks/pre-receive");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\necho 'not in this harbour' >&2\nexit 1\n").unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let ran = two.a.datum(&["bottle", "drop", "tern", "Nets", "--vessel", "tern", "--send"]);
    assert!(ran.fails(1).contains("not in this harbour"));
    let sent = two.sent();
    assert_eq!(sent[0]["progress"], "refused");
    assert!(sent[0]["reason"].as_str().unwrap().contains("not in this harbour"), "{sent:?}");
    std::fs::remove_file(&hook).unwrap();
    two.a.datum(&["sync", two.home.path().to_str().unwrap()]).ok();
    assert_eq!(two.sent()[0]["progress"], "sent");
}

#[test]
fn broadcast_reaches_the_vessels_it_can_and_names_the_others() {
    let two = Two::new();
    two.a.datum(&["fleet", "add", "lost", "/nowhere/at/all"]).ok();
    let ran = two.a.datum(&["bottle", "broadcast", "Hear ye", "--fleet", "--send", "--content", "x"]);
    let said = ran.fails(3);
    assert!(said.contains("lost: not sent"), "{said}");
    two.tern(&["sync"]);
    assert!(two.tern(&["bottle", "check"]).contains("Hear ye"));
}

#[test]
fn overdue_ends_with_one_until_it_is_acknowledged() {
    let two = Two::new();
    let drop = ["bottle", "drop", "tern", "Urgent", "--vessel", "tern", "--send", "--deadline", "1s"];
    two.a.datum(&drop).ok();
    let overdue = || {
        let mut command = two.a.command(&["bottle", "sent", "--overdue", "--refresh"]);
        command.env("DATUM_NOW", "2026-01-01T01:00:00Z").output().unwrap().status.code()
    };
    assert_eq!(overdue(), Some(1));
    two.tern(&["sync"]);
    let listed: Value = serde_json::from_str(&two.tern(&["bottle", "check", "--format", "json"])).unwrap();
    two.tern(&["bottle", "ack", listed["bottles"][0]["id"].as_str().unwrap()]);
    two.tern(&["sync"]);
    assert_eq!(overdue(), Some(0));
}

#[test]
fn a_file_bottle_is_committed_without_a_clone_and_builds_on_what_moved() {
    let two = Two::new();
    for n in 0..2 {
        // The branch moves between, and the second push builds on it.
        let subject = format!("Nets {n}");
        let args =
            ["bottle", "drop", "tern", &subject, "--vessel", "tern", "--as-file", "--content", "All out."];
        two.a.datum(&args).ok();
        two.tern.git(&["pull", "-q", "origin", "main"]).ok();
        two.tern.git(&["commit", "-q", "--allow-empty", "-m", "between"]).ok();
        two.tern.git(&["push", "-q", "origin", "main"]).ok();
    }
    let inbox = two.tern(&["bottle", "check"]);
    assert!(inbox.contains("Nets 0") && inbox.contains("Nets 1"), "{inbox}");
    assert!(two.tern.path().join("CAPABILITY.toml").exists(), "the rest of the tree stays");
    two.home.fsck();
}

#[test]
fn discover_reads_what_vessels_declare_without_cloning_them() {
    let two = Two::new();
    two.a.datum(&["fleet", "add", "lost", "/nowhere/at/all"]).ok();
    let ran = two.a.datum(&["fleet", "discover"]);
    assert!(ran.fails(3).contains("lost: "));
    let able = two.a.datum(&["fleet", "who", "--cap", "audit", "--format", "json"]).json();
    assert_eq!(
        (&able["vessels"][0]["name"], &able["vessels"][0]["confidence"]),
        (&"tern".into(), &0.8.into())
    );
    assert_eq!(two.a.datum(&["fleet", "who", "--cap", "cooking"]).code, 1);
    assert!(!two.a.path().join(".git/shallow").exists(), "our own repository stays whole");
    two.a.datum(&["fleet", "remove", "lost"]).ok();
    assert_eq!(two.a.datum(&["fleet", "list"]).ok().lines().count(), 1);
}

#[test]
fn watch_ends_when_something_comes_and_when_nothing_does() {
    let two = Two::new();
    assert_eq!(two.a.datum(&["bottle", "watch", "--for", "200ms"]).code, 1);
    let mut waiting = two.a.command(&["bottle", "watch", "--for", "30s"]);
    let waiting = waiting.stdout(std::process::Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    two.a.datum(&["bottle", "drop", "a", "Here", "--agent", "b"]).ok();
    let output = waiting.wait_with_output().unwrap();
    assert!(
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains("Here"),
        "{output:?}"
    );
}

#[test]
fn bad_vessels_are_refused() {
    let two = Two::new();
    for args in [
        ["fleet", "add", "../x", "/tmp"],
        ["fleet", "add", "x", "--upload-pack=touch x"],
        ["fleet", "add", "x", "ext::sh -c true"],
        ["fleet", "add", "x", "https://user:word@example.org/x.git"],
        ["fleet", "add", "x", "a\nb"],
        ["bottle", "drop", "tern", "--vessel=unknown"],
    ] {
        two.a.datum(&args).fails(2);
    }
    assert_eq!(two.a.datum(&["fleet", "list"]).ok().lines().count(), 1);
    // A port is no password.
    for place in ["ssh://127.0.0.1:2222/x.git", "ssh://git@example.org:2222/x.git", "http://[::1]:8080/x"] {
        two.a.datum(&["fleet", "add", "x", place]).ok();
    }
}

#[test]
fn runs_that_come_and_go_send_by_one_log_and_each_bottle_arrives_once() {
    let two = Two::new();
    let home = two.home.path().to_str().unwrap().to_owned();
    let run = |n: usize| {
        let vessel = Vessel::new();
        let ci = |args: &[&str]| vessel.command(args).env("CI", "true").output().unwrap();
        assert!(ci(&["fleet", "add", "tern", &home]).status.success());
        let subject = format!("Run {n}");
        let kept = ci(&["bottle", "drop", "tern", &subject, "--vessel", "tern", "--content", "x"]);
        assert_eq!(kept.status.code(), Some(2), "it keeps no outbox");
        let args = ["bottle", "drop", "tern", &subject, "--vessel", "tern", "--send", "--content", "x"];
        let sent = ci(&args);
        assert!(sent.status.success(), "{sent:?}");
        assert!(String::from_utf8_lossy(&ci(&["bottle", "sent"]).stdout).contains("sent at tern"));
        vessel.fsck();
    };
    std::thread::scope(|scope| {
        for n in 0..4 {
            scope.spawn(move || run(n));
        }
    });
    run(4);
    assert_eq!(two.home.git(&["for-each-ref", "refs/datum"]).ok().lines().count(), 1);
    two.tern(&["sync"]);
    let mut lines: Vec<_> = two
        .tern(&["bottle", "check"])
        .lines()
        .map(|line| line.split_once("] ").unwrap().1.to_owned())
        .collect();
    lines.sort();
    assert_eq!(lines, (0..5).map(|n| format!("Run {n} (unread)")).collect::<Vec<_>>());
    two.home.fsck();
}

#[test]
fn vessels_of_the_other_hash_are_discovered_and_sent_files() {
    let two = Two::new();
    let other = Vessel::with(&["--object-format=sha256"]);
    std::fs::write(
        other.path().join("CAPABILITY.toml"),
        "[agent]\nname = \"gull\"\n\n[capabilities]\nfishing = { confidence = 0.7 }\n",
    )
    .unwrap();
    other.git(&["add", "-A"]).ok();
    other.git(&["commit", "-qm", "first"]).ok();
    other.git(&["config", "receive.denyCurrentBranch", "ignore"]).ok();
    let place = format!("file://{}", other.path().display());
    two.a.datum(&["fleet", "add", "gull", &place]).ok();
    two.a.datum(&["fleet", "discover"]).ok();
    let able = two.a.datum(&["fleet", "who", "--cap", "fishing", "--format", "json"]).json();
    assert_eq!(able["vessels"][0]["name"], "gull");
    two.a.datum(&["bottle", "drop", "gull", "Nets", "--vessel", "gull", "--as-file", "--content", "x"]).ok();
    assert!(other.git(&["ls-tree", "-r", "--name-only", "HEAD"]).ok().contains("for-gull/"));
    // Objects of one hash cannot stand beside those of the other: that is said, and the bottle is kept.
    let said = two.a.datum(&["bottle", "drop", "gull", "Log", "--vessel", "gull", "--send"]).fails(3);
    assert!(said.contains("gull: not sent"), "{said}");
    other.fsck();
}

#[test]
fn every_bottle_is_read_once_and_acknowledged_or_reported_and_the_count_proves_it() {
    const EACH: usize = 4;
    let two = Two::new();
    let gull = Vessel::with(&["--bare"]);
    let hook = gull.path().join("hooks/pre-receive");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\necho 'full up' >&2\nexit 1\n").unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    two.a.datum(&["fleet", "add", "gull", gull.path().to_str().unwrap()]).ok();
    two.a.datum(&["fleet", "add", "lost", "/nowhere/at/all"]).ok();
    let mut read = Vec::new();
    for n in 0..EACH {
        let subject = format!("Bottle {n}");
        two.a.datum(&["bottle", "broadcast", &subject, "--fleet", "--send", "--content", "x"]).fails(3);
        // What is new to its reader is read and acknowledged; the next time it is not new.
        two.tern(&["sync"]);
        let new: Value = serde_json::from_str(&two.tern(&["bottle", "check", "--format", "json"])).unwrap();
        for bottle in new["bottles"].as_array().unwrap() {
            let id = bottle["id"].as_str().unwrap();
            two.tern(&["bottle", "read", id]);
            two.tern(&["bottle", "ack", id]);
            read.push(bottle["subject"].as_str().unwrap().to_owned());
        }
        two.tern(&["sync"]);
    }
    assert_eq!(read, (0..EACH).map(|n| format!("Bottle {n}")).collect::<Vec<_>>());
    let ran = two.a.datum(&["bottle", "sent", "--refresh", "--format", "json"]);
    let sent: Value = serde_json::from_str(&ran.stdout).unwrap();
    let mut counts = std::collections::BTreeMap::new();
    for bottle in sent["bottles"].as_array().unwrap() {
        let state =
            format!("{} {}", bottle["vessel"].as_str().unwrap(), bottle["progress"].as_str().unwrap());
        *counts.entry(state).or_insert(0) += 1;
    }
    let want = [("gull refused", EACH), ("lost written", EACH), ("tern acknowledged", EACH)];
    assert_eq!(counts, want.map(|(state, count)| (state.to_owned(), count)).into());
}
