//! Wrong use, as people and agents do it: each error names what is wrong, ends with the right code, and says what to do.

use crate::vessel::{Ran, Vessel};
use std::fs;

/// The error of a command, which must be one line and a hint.
fn said(vessel: &Vessel, code: i32, environment: &[(&str, &str)], args: &[&str]) -> String {
    let mut command = vessel.command(args);
    command.envs(environment.iter().copied());
    let said = Ran::of(&command.output().unwrap()).fails(code);
    let lines: Vec<_> = said.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.starts_with("error: "))
        .unwrap_or_else(|| panic!("{args:?}: {said}"));
    assert!(lines.get(at + 1).is_some_and(|line| line.starts_with("hint: ")), "{args:?}: {said}");
    assert_eq!(lines.len(), at + 2, "{args:?}: {said}");
    said
}

#[test]
fn a_name_or_a_time_that_is_none_is_named_with_its_place() {
    let vessel = Vessel::new();
    for (environment, args, says, hint) in [
        (
            &[][..],
            &["journal", "W", "x", "--agent", "X Y"][..],
            "--agent: agent name \"X Y\"",
            "x-y would be one",
        ),
        (
            &[("DATUM_AGENT", "..")],
            &["journal", "W", "x"],
            "DATUM_AGENT: agent name \"..\"",
            "datum agent list",
        ),
        (
            &[("DATUM_AGENT", "A")],
            &["oracle", "dispatch", "T-1"],
            "DATUM_AGENT: agent name \"A\"",
            "a would be",
        ),
        (&[("DATUM_NOW", "soon")], &["status"], "DATUM_NOW: \"soon\" is no time", "2026-01-31T12:00:00Z"),
        (&[("DATUM_NOW", "1")], &["journal", "W", "x"], "DATUM_NOW: \"1\" is no time", "milliseconds"),
    ] {
        let said = said(&vessel, 2, environment, args);
        assert!(said.contains(says) && said.contains(hint), "{args:?}: {said}");
    }
}

#[test]
fn a_board_with_broken_json_says_where_and_what_to_do() {
    let vessel = Vessel::new();
    vessel.datum(&["task", "create", "one"]).ok();
    vessel.datum(&["publish"]).ok();
    let board = vessel.path().join("TASKBOARD.md");
    let text = fs::read_to_string(&board).unwrap().replace("\"title\": \"one\"", "\"title\": one");
    let line = text.lines().position(|line| line.contains("\"title\": one")).unwrap() + 1;
    fs::write(&board, &text).unwrap();
    let said = said(&vessel, 2, &[], &["task", "import"]);
    assert!(said.contains(&format!("TASKBOARD.md: line {line}, column ")), "{said}");
    assert!(said.contains("mend it there") && said.contains("datum publish makes a new one"), "{said}");
    // What is said to be done helps.
    fs::remove_file(&board).unwrap();
    vessel.datum(&["publish"]).ok();
    vessel.datum(&["task", "import"]).ok();
}

#[test]
fn every_wrong_use_says_what_to_do() {
    let vessel = Vessel::new();
    fs::write(vessel.path().join("f"), "x\n").unwrap();
    vessel.git(&["add", "f"]).ok();
    vessel.git(&["commit", "-q", "-m", "one"]).ok();
    fs::create_dir(vessel.path().join("folder")).unwrap();
    let id = vessel.datum(&["task", "create", "one"]).ok();
    let id = id.trim();
    for (code, line) in [
        (2, "task create|"),
        (2, "task create|a\nb"),
        (2, "task create|x|--cap|a b"),
        (2, "task edit|ID|--title|"),
        (2, "task comment|ID|"),
        (2, "task show|T-nothere"),
        (2, "task claim|--next|--remote|ext::sh"),
        (1, "task renew|ID"),
        (2, "task import|nofile"),
        (2, "oracle add|"),
        (2, "oracle dispatch|ID|--to|ghost"),
        (2, "oracle dispatch|ID|--to|X Y"),
        (2, "oracle first-contact|--to|X Y"),
        (2, "tools run|nothing"),
        (2, "tools add|a b|f"),
        (2, "tools add|x|folder"),
        (2, "tools remove|nothing"),
        (2, "recipe run|nothing"),
        (2, "recipe add|r|--description|x|--command|"),
        (2, "recipe add|r|--description|x|--command|```"),
        (2, "recipe add|r|--description|a\nb|--command|true"),
        (2, "git commit|-m|"),
        (2, "git init|n|--var|x"),
        (2, "git init|n|--var|x=\""),
        (2, "git checkout|nowhere"),
        (2, "git branch|a b"),
        (2, "onboard|--non-interactive|--answers|nofile"),
        (2, "onboard|--non-interactive|--greet|X Y"),
        (2, "onboard|--non-interactive|--commit-msg|x"),
        (2, "onboard|--non-interactive|--task|"),
        (2, "onboard|--non-interactive|--token-env|a b"),
        (2, "onboard|f|--non-interactive"),
        (2, "boot|f"),
        (2, "agent show|ghost"),
        (2, "agent start|X Y"),
        (2, "handover|--to|X Y"),
        (2, "journal|W|"),
        (2, "show|zz"),
        (2, "undo|zz"),
        (2, "bottle drop|a|"),
        (2, "bottle drop|a|x|--type|y"),
        (2, "bottle drop|a|x|--priority|y"),
        (2, "bottle survey|nofolder"),
        (2, "claim take|.."),
        (2, "claim take|x|--lease|31 days"),
        (2, "import|nofile"),
        (2, "capability check|folder"),
        (2, "hook scan|nofile"),
        (2, "-C|nowhere|status"),
        (3, "absorb|f"),
    ] {
        let args: Vec<&str> = line.split('|').collect();
        let mut words: Vec<&str> = args[0].split(' ').collect();
        words.extend(args[1..].iter().map(|arg| if *arg == "ID" { id } else { *arg }));
        said(&vessel, code, &[], &words);
    }
}
