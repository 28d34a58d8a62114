//! A vessel from its first boot: status, resume, publish, import, I2I subjects.

use crate::vessel::Vessel;

#[test]
fn boot_makes_a_vessel_and_a_second_one_changes_nothing() {
    let harbour = Vessel::empty();
    let said = harbour.command(&["boot", "heron-vessel"]).env_remove("DATUM_AGENT").output().unwrap();
    assert!(said.status.success(), "{said:?}");
    let text = String::from_utf8_lossy(&said.stdout);
    assert!(text.contains("agent       heron\n") && text.contains("1 journal"), "{text}");
    let root = harbour.path().join("heron-vessel");
    let tree = |root: &std::path::Path| {
        let mut files: Vec<_> =
            walk(root).into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
        files.sort();
        files
    };
    let before = tree(&root);
    let again = harbour.datum(&["boot", "heron-vessel", "--agent", "heron"]);
    assert!(again.stderr.is_empty(), "{again:?}");
    assert_eq!(tree(&root), before);
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn boot_adopts_a_repository_and_touches_no_declaration_of_its_own() {
    let vessel = Vessel::new();
    let declared = "[agent]\nname = \"Tern\"\n";
    std::fs::write(vessel.path().join("CAPABILITY.toml"), declared).unwrap();
    let said = vessel.command(&["boot", "--demo"]).env_remove("DATUM_AGENT").output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(text.contains("tern answers") && text.contains("agent       tern"), "{text}");
    assert_eq!(std::fs::read_to_string(vessel.path().join("CAPABILITY.toml")).unwrap(), declared);
    vessel.fsck();
}

#[test]
fn without_an_agent_the_way_out_is_named() {
    let vessel = Vessel::new();
    let said = vessel.command(&["journal", "X", "x"]).env_remove("DATUM_AGENT").output().unwrap();
    assert_eq!(said.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&said.stderr).contains("hint: pass --agent"));
}

#[test]
fn status_and_resume_answer_from_state() {
    let vessel = Vessel::new();
    vessel.datum(&["journal", "REPAIR", "Fixed the pump"]).ok();
    vessel.datum(&["bottle", "drop", "a", "Look here", "--agent", "b"]).ok();
    let status = vessel.datum(&["status", "--verbose", "--format", "json"]).json();
    assert_eq!((&status["entries"]["journal"], &status["entries"]["bottle"]), (&1.into(), &1.into()));
    assert_eq!(status["logs"].as_array().unwrap().len(), 2);
    assert_eq!(status["unread"][0]["subject"], "Look here");
    let resume = vessel.datum(&["resume"]).ok();
    assert!(resume.contains("next        datum bottle read"), "{resume}");
}

#[test]
fn publish_writes_what_the_fleet_reads_and_leaves_other_files_alone() {
    let vessel = Vessel::new();
    vessel.datum(&["journal", "REPAIR", "Fixed the pump", "--tag", "pump"]).ok();
    let id = vessel.datum(&["bottle", "drop", "b", "Hull inspected", "--content", "No leaks."]).ok();
    let wrote = vessel.datum(&["publish"]).ok();
    assert_eq!(wrote.lines().count(), 2, "{wrote}");
    let path = wrote.lines().find_map(|line| line.strip_prefix("wrote message-in-a-bottle/for-b/")).unwrap();
    assert!(path.starts_with("2026-01-01_a_hull-inspected-"), "{path}");
    assert_eq!(vessel.datum(&["publish"]).ok(), "", "the same state publishes the same bytes");
    let journal = std::fs::read_to_string(vessel.path().join("JOURNAL.md")).unwrap();
    assert!(
        journal.contains("### [2026-01-01T00:00:00Z] a — REPAIR\n\nFixed the pump\n\n`pump`"),
        "{journal}"
    );
    vessel.git(&["add", "-A"]).ok();
    vessel.git(&["commit", "-qm", "publish"]).ok();
    let listed = vessel.datum(&["bottle", "check", "--everyone"]).ok();
    assert_eq!(listed.lines().count(), 1, "a published bottle is no second one: {listed}");
    vessel.datum(&["bottle", "delete", id.trim()]).ok();
    assert!(vessel.datum(&["publish"]).ok().starts_with("removed message-in-a-bottle/for-b/"));
    std::fs::write(vessel.path().join("JOURNAL.md"), "# Mine\n").unwrap();
    assert_eq!(vessel.datum(&["publish"]).code, 1);
    assert_eq!(std::fs::read_to_string(vessel.path().join("JOURNAL.md")).unwrap(), "# Mine\n");
}

#[cfg(unix)]
#[test]
fn publish_follows_no_link() {
    let vessel = Vessel::new();
    let outside = Vessel::empty();
    std::os::unix::fs::symlink(outside.path(), vessel.path().join("message-in-a-bottle")).unwrap();
    vessel.datum(&["bottle", "drop", "b", "x", "--content", "y"]).ok();
    assert_eq!(vessel.datum(&["publish"]).code, 1);
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn a_board_that_cannot_be_read_ends_an_import_before_it_writes() {
    let vessel = Vessel::new();
    let journal = "### [2026-02-01T10:00:00Z] heron — AUDIT\n\nAll green.\n\n---\n";
    std::fs::write(vessel.path().join("JOURNAL.md"), journal).unwrap();
    let board = "# Tasks\n\n<!-- TASKS_JSON_START -->\n[{\"id\": }]\n<!-- TASKS_JSON_END -->\n";
    std::fs::write(vessel.path().join("TASKBOARD.md"), board).unwrap();
    let ran = vessel.datum(&["import"]);
    assert!(
        ran.code == 2 && ran.stderr.starts_with("error: TASKBOARD.md: ") && ran.stderr.contains("line 4"),
        "{ran:?}"
    );
    assert_eq!(vessel.git(&["for-each-ref", "refs/datum"]).ok(), "");
}

#[test]
fn import_takes_a_journal_a_board_and_bottles_once_and_loses_nothing() {
    let vessel = Vessel::new();
    let board = "# Tasks\n\n- [ ] Mend the net\n- [x] Paint the hull\n";
    std::fs::write(vessel.path().join("TASKBOARD.md"), board).unwrap();
    let journal = "# My journal\n\n### [2026-02-01T10:00:00Z] heron — AUDIT\n\nAll green.\n\n`fleet` `audit`\n\n---\n\n\
                   ## [2026-02-02T10:00:00Z] NOTE\n\nTwice.\n\n## [2026-02-02T10:00:00Z] NOTE\n\nTwice.\n";
    std::fs::write(vessel.path().join("JOURNAL.md"), journal).unwrap();
    std::fs::create_dir(vessel.path().join("for-b")).unwrap();
    std::fs::write(vessel.path().join("for-b/hi.md"), "**From:** Heron\n**Date:** 2026-02-03\n\nHi.\n")
        .unwrap();
    vessel.git(&["add", "-A"]).ok();
    vessel.git(&["commit", "-qm", "as it is"]).ok();
    vessel.datum(&["bottle", "read", "for-b/hi.md", "--agent", "b"]).ok();
    let counts = |arguments: &[&str], what: &str| -> Vec<u64> {
        let told = vessel.datum(arguments).json();
        told["kinds"].as_array().unwrap().iter().map(|kind| kind[what].as_u64().unwrap()).collect()
    };
    let again = ["import", "--format", "json"];
    assert_eq!(counts(&["import", "--dry-run", "--format", "json"], "imported"), [4, 1, 2]);
    assert_eq!(counts(&again, "imported"), [4, 1, 2]);
    assert_eq!((counts(&again, "imported"), counts(&again, "known")), (vec![0, 0, 0], vec![4, 1, 2]));
    let tasks = vessel.datum(&["task", "list", "--all"]).ok();
    assert!(tasks.contains("Mend the net") && tasks.contains("Paint the hull"), "{tasks}");
    let found = vessel.datum(&["journal", "--search", "green", "--tag", "fleet", "--format", "json"]).json();
    let trailers = found["entries"][0]["trailers"].to_string();
    assert!(trailers.contains("2026-02-01T10:00:00Z") && trailers.contains("heron"), "{trailers}");
    let bottles = vessel.datum(&["bottle", "check", "--everyone", "--format", "json"]).json();
    let bottles = bottles["bottles"].as_array().unwrap();
    assert_eq!(bottles.len(), 1, "the file and its entry are one bottle: {bottles:?}");
    assert_eq!((&bottles[0]["from"], &bottles[0]["states"]["b"]), (&"Heron".into(), &"read".into()));
}

#[test]
fn i2i_subjects_are_checked_and_listed() {
    let vessel = Vessel::new();
    for subject in ["[I2I:AUDIT] fleet — all green", "feat: sails", "I2I: status for all"] {
        vessel.git(&["commit", "-q", "--allow-empty", "-m", subject]).ok();
    }
    let listed = vessel.datum(&["i2i", "log", "--format", "json"]).json();
    assert_eq!(listed["commits"][0]["type"], "AUDIT");
    assert_eq!(listed["commits"].as_array().unwrap().len(), 1);
    assert_eq!(vessel.datum(&["i2i", "check"]).code, 1, "a near miss is told by the exit code");
    assert_eq!(
        vessel.datum(&["i2i", "check", "[I2I:NEWTYPE] fleet — x"]).code,
        0,
        "an unknown type is a warning"
    );
    assert_eq!(vessel.datum(&["i2i", "check", "feat: sails"]).code, 1);
}
