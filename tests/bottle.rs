//! Bottles from the command line: the log's and the tree's in one list.

use crate::vessel::Vessel;
use serde_json::Value;

/// Runs the program as another agent.
fn by(vessel: &Vessel, agent: &str, args: &[&str]) -> String {
    vessel.datum(&[&["--agent", agent], args].concat()).ok()
}

fn list(vessel: &Vessel, agent: &str, args: &[&str]) -> Vec<Value> {
    let out = by(vessel, agent, &[&["bottle", "check", "--format", "json"], args].concat());
    let value: Value = serde_json::from_str(&out).unwrap();
    value["bottles"].as_array().unwrap().clone()
}

fn subjects(bottles: &[Value]) -> Vec<&str> {
    bottles.iter().map(|bottle| bottle["subject"].as_str().unwrap()).collect()
}

#[test]
fn a_bottle_goes_round() {
    let vessel = Vessel::new();
    let id = by(&vessel, "a", &["bottle", "drop", "b", "Hull inspected", "--content", "No leaks."]);
    assert_eq!(vessel.datum(&["bottle", "check", "--exit-code"]).code, 1, "nothing for the sender");
    assert_eq!(subjects(&list(&vessel, "b", &[])), ["Hull inspected"]);
    let shown = by(&vessel, "b", &["bottle", "read", id.trim()]);
    assert!(shown.contains("From:     a") && shown.ends_with("\nNo leaks.\n"), "{shown}");
    assert!(list(&vessel, "b", &[]).is_empty(), "it was read");
    assert_eq!(list(&vessel, "b", &["--all"])[0]["states"]["b"], "read");
    by(&vessel, "b", &["bottle", "ack", id.trim()]);
    by(&vessel, "b", &["bottle", "reply", id.trim(), "--content", "Thanks."]);
    let back = list(&vessel, "a", &[]);
    assert_eq!(subjects(&back), ["Re: Hull inspected"]);
    assert_eq!(by(&vessel, "a", &["bottle", "thread", back[0]["id"].as_str().unwrap()]).lines().count(), 2);
    assert_eq!(list(&vessel, "b", &["--all"])[0]["states"]["b"], "answered");
    vessel.fsck();
}

#[test]
fn lists_roles_capabilities_and_broadcasts_find_their_readers() {
    let vessel = Vessel::new();
    let declared =
        "[agent]\nname = \"b\"\nrole = \"lookout\"\n\n[capabilities]\naudit = { confidence = 0.9 }\n";
    std::fs::write(vessel.path().join("CAPABILITY.toml"), declared).unwrap();
    by(&vessel, "a", &["bottle", "drop", "b,c", "to both"]);
    by(&vessel, "a", &["bottle", "drop", "role:Lookout", "to the role"]);
    by(&vessel, "a", &["bottle", "drop", "cap:audit,cap:other", "to the able"]);
    by(&vessel, "a", &["bottle", "drop", "role:cook", "to another role"]);
    by(&vessel, "a", &["bottle", "broadcast", "to all"]);
    let mut found: Vec<String> = subjects(&list(&vessel, "b", &[])).into_iter().map(str::to_owned).collect();
    found.sort();
    assert_eq!(found, ["to all", "to both", "to the able", "to the role"]);
    assert_eq!(subjects(&list(&vessel, "c", &[])).len(), 2);
    assert!(list(&vessel, "a", &[]).is_empty());
}

#[test]
fn the_same_subject_twice_is_two_bottles_and_delete_is_undone() {
    let vessel = Vessel::new();
    let first = by(&vessel, "a", &["bottle", "drop", "b", "same", "--content", "x"]);
    let second = by(&vessel, "a", &["bottle", "drop", "b", "same", "--content", "x"]);
    assert_ne!(first, second);
    let undo = by(&vessel, "b", &["bottle", "delete", first.trim()]);
    assert_eq!(list(&vessel, "b", &[]).len(), 1);
    by(&vessel, "b", &["undo", undo.trim()]);
    assert_eq!(list(&vessel, "b", &[]).len(), 2);
}

#[test]
fn overdue_bottles_are_reported_until_acknowledged() {
    let vessel = Vessel::new();
    let id = by(&vessel, "a", &["bottle", "drop", "b", "urgent", "--deadline", "2026-01-01T00:00:10Z"]);
    let overdue = |now: &str| {
        let mut command = vessel.command(&["bottle", "check", "--everyone", "--overdue", "--exit-code"]);
        command.env("DATUM_NOW", now).output().unwrap().status.code()
    };
    assert_eq!(overdue("2026-01-01T00:00:09Z"), Some(1));
    assert_eq!(overdue("2026-01-01T00:00:11Z"), Some(0));
    by(&vessel, "b", &["bottle", "ack", id.trim()]);
    assert_eq!(overdue("2026-01-01T00:00:11Z"), Some(1));
}

#[test]
fn files_and_entries_are_one_list_and_copies_one_bottle() {
    let vessel = Vessel::new();
    let text = "---\nfrom: heron\nto: b\ndate: 2026-03-01 08:30:00 UTC\ntype: alert\nsubject: Nets\n---\n\n# Nets\n\nOut.\n";
    for path in ["message-in-a-bottle/for-b", "for-b"] {
        std::fs::create_dir_all(vessel.path().join(path)).unwrap();
        std::fs::write(vessel.path().join(path).join("2026-03-01_heron_nets.md"), text).unwrap();
    }
    vessel.git(&["add", "-A"]).ok();
    vessel.git(&["commit", "-qm", "bottles"]).ok();
    by(&vessel, "a", &["bottle", "drop", "b", "from the log"]);
    let found = list(&vessel, "b", &[]);
    assert_eq!(subjects(&found), ["Nets", "from the log"]);
    assert_eq!(found[0]["paths"].as_array().unwrap().len(), 2);
    assert_eq!(
        (found[0]["from"].as_str(), found[0]["read_from"]["sender"].as_str()),
        (Some("heron"), Some("front-matter"))
    );
    let path = "for-b/2026-03-01_heron_nets.md";
    assert_eq!(by(&vessel, "b", &["bottle", "read", path, "--text"]), text, "to the byte");
    let shown = by(&vessel, "b", &["bottle", "read", path]);
    assert!(shown.contains("Tester <tester@example.org>"), "the git author is a fact of its own: {shown}");
    assert_eq!(subjects(&list(&vessel, "b", &[])), ["from the log"]);
    by(&vessel, "b", &["bottle", "delete", path]);
    assert_eq!(subjects(&list(&vessel, "b", &["--all"])), ["from the log"]);
    assert!(vessel.path().join(path).exists(), "files are not ours to delete");
}

#[test]
fn bad_input_is_refused_and_nothing_is_written() {
    let vessel = Vessel::new();
    let long = "s".repeat(501);
    let cases: [&[&str]; 12] = [
        &["bottle", "drop", "../../../x", "s"],
        &["bottle", "drop", "b/c", "s"],
        &["bottle", "drop", "nul", "s"],
        &["bottle", "drop", "b\u{7}", "s"],
        &["bottle", "drop", "", "s"],
        &["bottle", "drop", "b", ""],
        &["bottle", "drop", "b", &long],
        &["bottle", "drop", "b", "s\nTo: c"],
        &["bottle", "drop", "b", "s", "--type", "spam"],
        &["bottle", "drop", "b", "s", "--priority", "yesterday"],
        &["bottle", "drop", "b", "s", "--deadline", "soon"],
        &["bottle", "read", "0123abcd"],
    ];
    for args in cases {
        let said = vessel.datum(args).fails(2);
        assert!(said.starts_with("error: "), "{args:?}: {said}");
    }
    assert_eq!(vessel.git(&["count-objects"]).ok(), "0 objects, 0 kilobytes\n");
}

#[test]
fn the_survey_counts_what_a_folder_holds() {
    let vessel = Vessel::new();
    std::fs::create_dir_all(vessel.path().join("for-b")).unwrap();
    std::fs::write(vessel.path().join("for-b/hello.md"), "**From:** heron\n**Date:** 2026-03-01\n\nHi.\n")
        .unwrap();
    let survey = vessel.datum(&["bottle", "survey", "for-b/..", "--format", "json"]);
    // The folder is a repository without a commit: nothing to survey there yet.
    assert_eq!(survey.json()["bottles"], 0);
    vessel.git(&["add", "-A"]).ok();
    vessel.git(&["commit", "-qm", "bottle"]).ok();
    let survey = vessel.datum(&["bottle", "survey", ".", "--format", "json"]).json();
    assert_eq!((&survey["bottles"], &survey["text_lost_bytes"]), (&1.into(), &0.into()));
    assert_eq!(survey["fields"]["sender"]["resolved"], 1);
}
