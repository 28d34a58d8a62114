//! Agents and their lives, and what one leaves to the next.

use crate::vessel::{NOW, Ran, Vessel, clean};

const HOUR: u64 = 3_600_000;

fn at(vessel: &Vessel, agent: &str, hours: u64, args: &[&str]) -> Ran {
    let mut command = clean(env!("CARGO_BIN_EXE_datum"), vessel.path());
    command.env("DATUM_AGENT", agent).env("DATUM_NOW", (NOW + hours * HOUR).to_string()).args(args);
    Ran::of(&command.output().unwrap())
}

#[test]
fn an_agent_starts_waits_ends_and_begins_anew() {
    let vessel = Vessel::new();
    for step in ["idle", "retire", "restart"] {
        let said = at(&vessel, "heron", 0, &["agent", step]).fails(2);
        assert!(said.contains("no agent is called heron") && said.contains("agent start heron"), "{said}");
    }
    // One that has written is known, although nothing was said of its life.
    at(&vessel, "tern", 0, &["journal", "WORK", "first"]).ok();
    let said = at(&vessel, "tern", 0, &["agent", "restart"]).fails(1);
    assert!(said.contains("uninitialized and cannot be restarted") && said.contains("start tern"), "{said}");
    at(&vessel, "heron", 0, &["agent", "start", "--note", "first watch"]).ok();
    assert_eq!(at(&vessel, "heron", 0, &["agent", "start"]).ok(), "", "it is active already");
    at(&vessel, "heron", 1, &["agent", "idle"]).ok();
    at(&vessel, "lead", 200, &["agent", "retire", "heron", "--note", "sold"]).ok();
    let shown = at(&vessel, "lead", 200, &["agent", "show", "heron", "--format", "json"]).json();
    assert_eq!((shown["state"].as_str(), shown["by"].as_str()), (Some("retired"), Some("lead")));
    assert_eq!((shown["liveness"].as_str(), shown["starts"].as_u64()), (Some("silent"), Some(1)));
    let states: Vec<_> = shown["history"].as_array().unwrap().iter().map(|s| s["state"].clone()).collect();
    assert_eq!(states, ["active", "idle", "retired"]);
    let said = at(&vessel, "heron", 201, &["agent", "start"]).fails(1);
    assert!(said.contains("is retired") && said.contains("datum agent restart heron"), "{said}");
    let id = at(&vessel, "lead", 201, &["task", "create", "one"]).ok();
    for claim in [&["task", "claim", id.trim()][..], &["task", "claim", "--next"]] {
        let said = at(&vessel, "heron", 201, claim).fails(1);
        assert!(said.contains("is retired") && said.contains("datum agent restart heron"), "{said}");
    }
    let said = at(&vessel, "lead", 201, &["oracle", "dispatch", id.trim(), "--agent", "heron"]).fails(1);
    assert!(said.contains("heron is retired"), "{said}");
    at(&vessel, "heron", 202, &["agent", "restart"]).ok();
    let said = at(&vessel, "lead", 202, &["agent", "idle", "heorn"]).fails(2);
    assert!(said.contains("did you mean \"heron\"?") && said.contains("agent start heorn"), "{said}");
    let list = at(&vessel, "lead", 202, &["agent", "list", "--state", "active", "--format", "json"]).json();
    assert_eq!(list["agents"].as_array().unwrap().len(), 1, "{list}");
    assert_eq!(
        (list["agents"][0]["name"].as_str(), list["agents"][0]["liveness"].as_str()),
        (Some("heron"), Some("live"))
    );
    for (args, code) in [
        (&["agent", "start", "../x"][..], 2),
        (&["agent", "show", "nobody"], 2),
        (&["agent", "list", "--state", "drunk"], 2),
        (&["agent", "idle", "heorn"], 2),
        (&["agent", "retire", "nobody"], 2),
        (&["agent", "restart", "nobody"], 2),
    ] {
        assert!(at(&vessel, "lead", 202, args).fails(code).starts_with("error: "), "{args:?}");
    }
    vessel.fsck();
}

#[test]
fn a_handover_is_one_bottle_and_one_file_and_stands_first() {
    let vessel = Vessel::new();
    let held = at(&vessel, "heron", 0, &["task", "create", "mend the net"]).ok();
    at(&vessel, "heron", 0, &["task", "claim", held.trim(), "--lease", "9h"]).ok();
    at(&vessel, "heron", 0, &["task", "create", "paint"]).ok();
    at(&vessel, "heron", 0, &["journal", "REPAIR", "half of the net"]).ok();
    at(
        &vessel,
        "tern",
        0,
        &["bottle", "drop", "heron", "Where is it?", "--type", "question", "--content", "?"],
    )
    .ok();
    let before = vessel.git(&["rev-list", "--all", "--count"]).ok();
    let dry = at(&vessel, "heron", 1, &["handover", "--dry-run", "--problem", "no twine"]).ok();
    assert!(dry.contains("- no twine") && dry.contains("## Claims (1)"), "{dry}");
    assert_eq!(vessel.git(&["rev-list", "--all", "--count"]).ok(), before);
    let args = ["handover", "--to", "tern", "--release", "--note", "Mind the tide.", "--problem", "no twine"];
    let id = at(&vessel, "heron", 1, &args).ok().trim().to_owned();
    let file = std::fs::read_to_string(vessel.path().join("HANDOVER.md")).unwrap();
    assert!(file.contains("Mind the tide.") && file.contains(&id) && file.contains("Where is it?"), "{file}");
    assert!(file.contains("half of the net") && file.contains("mend the net"), "{file}");
    // What is given back in the same command is no claim any more.
    assert!(file.contains("## Given back (1)") && !file.contains("## Claims"), "{file}");
    assert!(!file.contains("@heron until"), "{file}");
    // One entry: the bottle, whose text is the file's.
    let shown = at(&vessel, "tern", 1, &["resume", "--format", "json"]).json();
    assert!(file.starts_with(shown["handover"]["text"].as_str().unwrap()), "{shown}");
    let resume = at(&vessel, "tern", 1, &["resume"]).ok();
    assert!(resume.starts_with("handover    ") && resume.contains("- no twine"), "{resume}");
    assert!(resume.contains("Handover of heron: 0 claims, 1 given back, 1 open task, "), "{resume}");
    assert_eq!(at(&vessel, "tern", 1, &["task", "claim", held.trim()]).ok(), held, "it was given back");
    // Taken in, it is one line; the next one stands first again.
    at(&vessel, "tern", 2, &["bottle", "ack", &id]).ok();
    let resume = at(&vessel, "tern", 2, &["resume"]).ok();
    assert!(resume.contains("(acknowledged)") && !resume.contains("- no twine"), "{resume}");
    at(&vessel, "tern", 3, &["handover"]).ok();
    let resume = at(&vessel, "tern", 3, &["resume"]).ok();
    assert!(resume.starts_with("handover    ") && resume.contains("Handover of tern: 1 claim"), "{resume}");
    vessel.fsck();
}

#[test]
fn a_file_of_someone_else_is_not_overwritten() {
    let vessel = Vessel::new();
    let path = vessel.path().join("HANDOVER.md");
    std::fs::write(&path, "my own notes\n").unwrap();
    let said = vessel.datum(&["handover"]).fails(2);
    assert!(said.contains("is not datum's") && said.contains("--no-file"), "{said}");
    assert_eq!(
        vessel.datum(&["bottle", "check", "--format", "json"]).json()["bottles"].as_array().unwrap().len(),
        0
    );
    vessel.datum(&["handover", "--no-file"]).ok();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "my own notes\n");
    assert_eq!(vessel.datum(&["handover", "--to", "../x"]).code, 2);
    #[cfg(unix)]
    {
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/tmp/elsewhere", &path).unwrap();
        vessel.datum(&["handover"]).fails(2);
    }
}
