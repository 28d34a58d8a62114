//! `datum status`: one screen, for people and for programs, with and without an agent.

use crate::vessel::Vessel;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

/// A vessel with more of everything than a screen holds.
fn busy() -> Vessel {
    let vessel = Vessel::new();
    for n in 0..12 {
        let text =
            format!("Work {n}, told at such length that no screen of eighty columns could ever hold it all");
        vessel.datum(&["journal", "REPAIR", &text]).ok();
        let to = ["bottle", "drop", "a", &text, "--agent", ["b", "c"][n % 2], "--content", "x"];
        vessel.datum(&to).ok();
        vessel.datum(&["oracle", "add", &text]).ok();
        vessel.datum(&["claim", "take", &format!("thing-{n}")]).ok();
    }
    vessel.datum(&["task", "claim", "--next"]).ok();
    vessel
}

#[test]
fn one_screen_holds_it_all() {
    let vessel = busy();
    let screen = vessel.datum(&["status"]).ok();
    let lines: Vec<&str> = screen.lines().collect();
    assert!(lines.len() < 24, "the prompt has its line too: {screen}");
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{screen}");
    let part = |name: &str| lines.iter().find(|line| line.starts_with(name)).copied().unwrap_or_default();
    assert_eq!(part("inbox"), "inbox    12 unread, 0 overdue");
    assert!(part("tasks").starts_with("tasks    11 ready, 1 in progress"), "{screen}");
    assert_eq!(part("claims"), "claims   12 on names, 1 on tasks");
    assert_eq!(part("agents"), "agents   3 known");
    for (name, rows) in [("inbox", 2), ("tasks", 2), ("claims", 2), ("agents", 2), ("journal", 2)] {
        let at = lines.iter().position(|line| line.starts_with(name)).unwrap();
        assert!(lines[at + 1..=at + rows].iter().all(|line| line.starts_with("  ")), "{name}: {screen}");
    }
    assert!(!screen.contains('\u{1b}'), "colour is for terminals");
}

#[test]
fn the_logs_stand_in_columns() {
    let vessel = Vessel::new();
    vessel.datum(&["journal", "NOTE", "x"]).ok();
    vessel.datum(&["task", "create", "x", "--agent", "an-agent-whose-name-is-rather-long"]).ok();
    let screen = vessel.datum(&["status", "--verbose"]).ok();
    let logs: Vec<&str> = screen.lines().filter(|line| line.ends_with("        1")).collect();
    assert_eq!(logs.len(), 2, "{screen}");
    assert_eq!(logs[0].len(), logs[1].len(), "{screen}");
}

#[test]
fn without_an_agent_only_the_inbox_is_missing() {
    let vessel = busy();
    let quiet = |args: &[&str]| {
        crate::vessel::Ran::of(&vessel.command(args).env_remove("DATUM_AGENT").output().unwrap())
    };
    let screen = quiet(&["status"]).ok();
    assert!(screen.contains("inbox    no agent: pass --agent NAME"), "{screen}");
    assert!(screen.contains("tasks    11 ready, 1 in progress"), "{screen}");
    let json = quiet(&["status", "--format", "json"]).json();
    assert!(json["agent"].is_null() && json["unread"].is_null() && json["overdue"].is_null(), "{json}");
    assert_eq!((&json["tasks"]["ready"], &json["seen"].as_array().unwrap().len()), (&11.into(), &3));
    // A name that is none is a mistake, not the lack of one.
    let bad = vessel.command(&["status"]).env("DATUM_AGENT", "No Name").output().unwrap();
    assert_eq!(bad.status.code(), Some(2));
    // Nor is there anything to fail on in a repository without a single log.
    let empty = Vessel::new();
    let fresh = empty.command(&["status"]).env_remove("DATUM_AGENT").output().unwrap();
    assert_eq!(fresh.status.code(), Some(0));
    Vessel::empty().datum(&["status"]).fails(2);
}

#[test]
fn what_was_not_sent_and_what_was_audited_is_told() {
    let vessel = Vessel::new();
    vessel.datum(&["journal", "NOTE", "one"]).ok();
    vessel.datum(&["audit", "--type", "vessel", "--record", "--agent", "b"]);
    let elsewhere = Vessel::with(&["--bare"]);
    vessel.git(&["remote", "add", "origin", elsewhere.path().to_str().unwrap()]).ok();
    let before = vessel.datum(&["status", "--format", "json"]).json();
    assert_eq!(before["remote"]["met"], false);
    // Access records and reports are of one kind, which stays here unless the remote is marked.
    assert_eq!(before["remote"]["unsent_entries"], 1, "{before}");
    assert_eq!(before["audits"]["newest"]["type"], "vessel", "{before}");
    vessel.datum(&["sync"]).ok();
    assert!(vessel.datum(&["status"]).ok().contains("sync     all sent to origin"));
    vessel.datum(&["journal", "NOTE", "two"]).ok();
    let after = vessel.datum(&["status"]).ok();
    assert!(after.contains("sync     1 entry not sent to origin: datum sync"), "{after}");
}

#[test]
fn overdue_bottles_come_first() {
    let vessel = Vessel::new();
    let late = ["bottle", "drop", "a", "Late", "--deadline", "1h", "--agent", "b", "--content", "x"];
    let hours_ago = (crate::vessel::NOW - 3 * 3_600_000).to_string();
    assert!(vessel.command(&late).env("DATUM_NOW", hours_ago).output().unwrap().status.success());
    vessel.datum(&["bottle", "drop", "a", "Fresh", "--agent", "b", "--content", "x"]).ok();
    let screen = vessel.datum(&["status"]).ok();
    let (late, fresh) = (screen.find("late 2h"), screen.find("Fresh"));
    assert!(screen.contains("2 unread, 1 overdue") && late.is_some() && late < fresh, "{screen}");
}

#[test]
fn watch_shows_the_state_again_when_it_has_changed() {
    let vessel = Vessel::new();
    let args = ["status", "--watch", "--every", "100ms", "--format", "json"];
    let mut child = vessel.command(&args).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || -> serde_json::Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["log_count"], 0);
    vessel.datum(&["journal", "NOTE", "one"]).ok();
    assert_eq!(next()["entries"]["journal"], 1);
    child.kill().unwrap();
    child.wait().unwrap();
    vessel.datum(&["status", "--watch", "--every", "soon"]).fails(2);
    vessel.datum(&["status", "--every", "1s"]).fails(2);
}
