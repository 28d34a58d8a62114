//! The oracle from the command line.

use crate::vessel::Vessel;

const CAPABILITY: &str = "[agent]\nname = \"heron\"\nrole = \"lookout\"\n\n[capabilities]\n\
    audit = { confidence = 0.9, description = \"looks closely\" }\n";

/// A vessel whose tree declares the agent `heron`.
fn vessel() -> Vessel {
    let vessel = Vessel::new();
    std::fs::write(vessel.path().join("CAPABILITY.toml"), CAPABILITY).unwrap();
    vessel.git(&["add", "-A"]).ok();
    vessel.git(&["commit", "-q", "-m", "declare"]).ok();
    vessel
}

fn add(vessel: &Vessel, args: &[&str]) -> String {
    vessel.datum(&[&["oracle", "add"], args].concat()).ok().trim().to_owned()
}

#[test]
fn a_dispatched_task_is_claimed_and_its_bottle_is_in_the_inbox() {
    let vessel = vessel();
    let id = add(&vessel, &["Audit it", "--cap", "audit", "--priority", "high", "--requested-by", "casey"]);
    let dry = vessel.datum(&["oracle", "dispatch", &id, "--dry-run", "--explain", "--format", "json"]).json();
    assert_eq!(dry["dispatched"]["assignee"], "heron");
    assert_eq!(dry["dispatched"]["scores"][0]["parts"][0]["why"], "declares audit with 0.90");
    assert!(dry["dispatched"]["entry"].is_null());
    assert_eq!(vessel.datum(&["task", "ready"]).ok().lines().count(), 1, "a plan changes nothing");
    let said = vessel.datum(&["oracle", "dispatch", &id, "--explain"]).ok();
    assert!(said.contains("goes to heron") && said.contains("ability 0.90"), "{said}");
    let inbox = vessel.datum(&["bottle", "check", "--agent", "heron", "--format", "json"]).json();
    assert_eq!(inbox["bottles"][0]["type"], "handoff");
    let read = vessel
        .datum(&["bottle", "read", inbox["bottles"][0]["id"].as_str().unwrap(), "--agent", "heron"])
        .ok();
    assert!(read.contains(&format!("datum task finish {id}")), "{read}");
    assert_eq!(vessel.datum(&["oracle", "dispatch", &id]).code, 1);
    vessel.datum(&["task", "finish", &id, "--agent", "heron"]).ok();
    let status = vessel.datum(&["oracle", "status", "--format", "json"]).json();
    assert_eq!(status["states"]["done"], 1);
    let agents = vessel.datum(&["oracle", "discover", "--format", "json"]).json();
    let heron = agents["agents"].as_array().unwrap().iter().find(|agent| agent["name"] == "heron").unwrap();
    assert_eq!((heron["finished"].as_u64(), heron["declared"].as_bool()), (Some(1), Some(true)));
    vessel.fsck();
}

#[test]
fn who_gets_a_task_and_who_gives_it_are_two() {
    let vessel = vessel();
    let (one, two) = (add(&vessel, &["one"]), add(&vessel, &["two"]));
    let giver = |id: &str| {
        let shown = vessel.datum(&["task", "show", id, "--format", "json"]).json();
        assert_eq!(shown["task"]["claim"]["agent"], "heron", "{shown}");
        let history = shown["history"].as_array().unwrap();
        history.iter().find(|entry| entry["id"] != shown["task"]["id"]).unwrap()["agent"].clone()
    };
    vessel.datum(&["oracle", "dispatch", &one, "--to", "heron", "--agent", "lead"]).ok();
    assert_eq!(giver(&one), "lead");
    // As in the original.
    vessel.datum(&["oracle", "dispatch", &two, "--agent", "heron"]).ok();
    assert_eq!(giver(&two), "a");
    let help = vessel.datum(&["oracle", "dispatch", "--help"]).ok();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("--to names who gets the task, --agent who"), "{help}");
}

#[test]
fn a_board_is_a_task_a_line_too() {
    let vessel = vessel();
    add(&vessel, &["one"]);
    add(&vessel, &["two"]);
    let lines = vessel.datum(&["oracle", "board", "--format", "ndjson"]).ok();
    let tasks: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let titles: Vec<_> = tasks.iter().map(|task| task["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["one", "two"]);
    let whole = vessel.datum(&["oracle", "board", "--format", "json"]).json();
    assert_eq!((&whole["open"], &whole["tasks"]), (&2.into(), &tasks.into()));
    let branches = vessel.datum(&["git", "branch", "--format", "ndjson"]).ok();
    assert_eq!(branches.lines().count(), 1, "{branches}");
    let parts = vessel.datum(&["size", "--format", "ndjson"]).ok();
    assert!(parts.lines().all(|line| line.starts_with("{\"bytes\"") || line.contains("\"name\"")), "{parts}");
}

#[test]
fn all_that_is_ready_goes_out_and_what_fits_nobody_is_named() {
    let vessel = vessel();
    for n in 0..3 {
        add(&vessel, &[&format!("audit {n}"), "--cap", "audit"]);
    }
    let odd = add(&vessel, &["cook", "--cap", "cooking"]);
    let dry = vessel.datum(&["oracle", "auto-dispatch", "--dry-run"]);
    assert_eq!((dry.code, dry.stdout.lines().count()), (1, 3), "{dry:?}");
    assert!(dry.stderr.contains(&odd) && dry.stderr.contains("does not declare cooking"), "{dry:?}");
    let done = vessel.datum(&["oracle", "auto-dispatch", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(value["dispatched"].as_array().unwrap().len(), 3);
    assert_eq!(
        vessel.datum(&["bottle", "check", "--agent", "heron", "--format", "json"]).json()["bottles"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let board = vessel.datum(&["oracle", "board", "--format", "json"]).json();
    assert_eq!(
        (board["total"].as_u64(), board["in_progress"].as_u64(), board["open"].as_u64()),
        (Some(4), Some(3), Some(1))
    );
}

#[test]
fn an_agent_that_nobody_knows_gets_nothing() {
    let vessel = vessel();
    let id = add(&vessel, &["one"]);
    let said = vessel.datum(&["oracle", "dispatch", &id, "--agent", "ghost"]).fails(2);
    assert!(said.contains("no agent is called ghost"), "{said}");
    assert_eq!(vessel.datum(&["oracle", "dispatch", "T-zzzzzzz"]).code, 2);
    assert_eq!(vessel.datum(&["oracle", "dispatch", &id, "--agent", "../x"]).code, 2);
    assert_eq!(vessel.datum(&["task", "ready"]).ok().lines().count(), 1);
    let given = vessel.datum(&["oracle", "dispatch", &id, "--agent", "heron", "--format", "json"]).json();
    assert_eq!(given["dispatched"]["assignee"], "heron");
}

#[test]
fn an_agent_introduces_itself_once() {
    let vessel = vessel();
    let text = vessel.datum(&["oracle", "first-contact", "--agent", "heron", "--dry-run"]).ok();
    assert!(text.contains("heron reports for duty") && text.contains("- audit 0.90"), "{text}");
    vessel.datum(&["oracle", "first-contact", "--agent", "heron"]).ok();
    assert_eq!(vessel.datum(&["oracle", "first-contact", "--agent", "heron"]).ok(), "");
    let inbox = vessel.datum(&["bottle", "check", "--agent", "oracle1", "--format", "json"]).json();
    assert_eq!(
        (inbox["bottles"].as_array().unwrap().len(), inbox["bottles"][0]["type"].as_str()),
        (1, Some("check-in"))
    );
}

#[test]
fn an_introduction_does_not_boast_of_what_another_can_do() {
    let vessel = vessel();
    let named = "[agent]\nname = \"heron\"\nrole = \"welder\"\n\n[capabilities.repair]\nconfidence = 0.9\n";
    std::fs::write(vessel.path().join("CAPABILITY.toml"), named).unwrap();
    let said = |agent: &str| {
        let args = ["oracle", "first-contact", "--dry-run", "--format", "json", "--agent", agent];
        vessel.datum(&args).json()["text"].as_str().unwrap().to_owned()
    };
    assert!(said("heron").contains("repair"));
    assert!(!said("zoe").contains("repair") && !said("zoe").contains("welder"));
}
