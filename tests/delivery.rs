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
fn a_bottle_is_written_sent_read_acknowledged_and_answered() {
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
}
