//! Task boards that people edit, by the real program.

use crate::vessel::Vessel;
use std::fs;

/// A vessel with two tasks, their names, and its published board.
fn published() -> (Vessel, [String; 2], String) {
    let vessel = Vessel::new();
    let [pump, trial] = [&["Fix the pump", "--tag", "old"][..], &["Sea trial"]].map(|args| {
        let made = vessel.datum(&[&["task", "create"], args].concat());
        made.ok().trim().to_owned()
    });
    vessel.datum(&["publish"]).ok();
    let board = read(&vessel);
    (vessel, [pump, trial], board)
}

fn read(vessel: &Vessel) -> String {
    fs::read_to_string(vessel.path().join("TASKBOARD.md")).unwrap()
}

fn write(vessel: &Vessel, board: &str) {
    fs::write(vessel.path().join("TASKBOARD.md"), board).unwrap();
}

fn entries(vessel: &Vessel) -> String {
    vessel.git(&["rev-list", "--all", "--count"]).ok()
}

/// The line that has `text`, from 1.
fn line(board: &str, text: &str) -> usize {
    board.lines().position(|line| line.contains(text)).unwrap() + 1
}

#[test]
fn what_a_person_changes_in_the_json_of_a_board_is_kept_and_read_back() {
    let (vessel, [pump, trial], board) = published();
    let edited = board
        .replacen("\"description\": \"\"", "\"description\": \"It runs dry.\"", 1)
        .replace("\"old\"", "\"new\"")
        .replace(
            "\"title\": \"Sea trial\"",
            &format!("\"title\": \"Sea trial\", \"needs\": [\"{pump}\"], \"parent\": \"{pump}\""),
        );
    write(&vessel, &edited);
    let said = vessel.datum(&["publish"]).fails(1);
    assert!(said.contains("changed by hand and stays as it is") && said.contains("description"), "{said}");
    assert_eq!(read(&vessel), edited);
    let said = vessel.datum(&["task", "import"]).ok();
    let expect = format!(
        "imported {pump}: description, tags +new -old\nimported {trial}: parent {pump}, needs +{pump}\n"
    );
    assert_eq!(said, expect);
    assert_eq!(vessel.datum(&["task", "import"]).ok(), "");
    let shown = vessel.datum(&["task", "show", &trial]).ok();
    assert!(shown.contains(&format!("Needs:     {pump}")) && shown.contains("Part of:"), "{shown}");
    vessel.datum(&["publish"]).ok();
    // Changed meanwhile, both values are named, and the task keeps its own.
    write(&vessel, &read(&vessel).replace("It runs dry.", "It is loud."));
    vessel.datum(&["task", "edit", &pump, "--desc", "It is new."]).ok();
    let said = vessel.datum(&["task", "import"]).fails(1);
    let at = line(&read(&vessel), "It is loud.");
    let says =
        format!("{pump}, line {at}: the board says description It is loud., meanwhile it became It is new.");
    assert!(said.contains(&says) && said.contains("hint: "), "{said}");
    assert!(vessel.datum(&["task", "show", &pump]).ok().contains("It is new."));
    vessel.fsck();
}

#[test]
fn a_board_with_bad_tasks_names_each_with_its_line_and_writes_nothing_of_them() {
    let (vessel, [pump, trial], board) = published();
    let needs = |board: &str, title: &str, needs: &str| {
        let title = format!("\"title\": \"{title}\",");
        board.replace(&title, &format!("{title}\n    \"needs\": [\n      \"{needs}\"\n    ],"))
    };
    let before = entries(&vessel);
    let circle = needs(&needs(&board, "Sea trial", &pump), "Fix the pump", &trial);
    let twice =
        board.replace("- [ ] Sea trial", &format!("- [x] Sea trial (`{trial}`), open\n- [ ] Sea trial"));
    for (edited, says, at) in [
        (needs(&board, "Sea trial", "T-zzzzzzz"), "line #: needs: there is no task T-zzzzzzz", "T-zzzzzzz"),
        (board.replace("\"old\"", "\"o l d\""), "line #: tag \"o l d\" may hold only", "o l d"),
        (circle, "line #: a task cannot wait for itself", &format!("      \"{trial}\"")),
        (twice, "lines # and 9 list it twice and differ", "- [x] Sea trial"),
    ] {
        write(&vessel, &edited);
        let said = vessel.datum(&["task", "import"]).fails(1);
        let says = says.replace('#', &line(&edited, at).to_string());
        assert!(said.contains(&says), "{says}: {said}");
        assert_eq!(vessel.datum(&["publish"]).code, 1);
        assert_eq!(read(&vessel), edited);
    }
    assert_eq!(entries(&vessel), before);
}

#[test]
fn a_board_in_which_git_left_a_merge_is_neither_read_nor_overwritten() {
    let (vessel, [pump, _], board) = published();
    let commit = |message: &str| {
        vessel.git(&["add", "TASKBOARD.md"]).ok();
        vessel.git(&["commit", "-qm", message]).ok();
    };
    commit("a board");
    vessel.git(&["checkout", "-qb", "other"]).ok();
    write(&vessel, &board.replace("Fix the pump", "Mend the pump"));
    commit("theirs");
    vessel.git(&["checkout", "-q", "-"]).ok();
    write(&vessel, &board.replace("] Fix the pump", "] Fix the old pump"));
    commit("ours");
    assert_ne!(vessel.git(&["merge", "-q", "other"]).code, 0);
    let torn = read(&vessel);
    let (at, before) = (line(&torn, "<<<<<<<"), entries(&vessel));
    for args in [&["task", "import"][..], &["task", "import", "--write"], &["import"]] {
        let said = vessel.datum(args).fails(2);
        let says = format!("TASKBOARD.md: line {at}: \"<<<<<<<\" was left by a merge");
        assert!(said.contains(&says) && said.contains("hint: nothing was imported"), "{args:?}: {said}");
    }
    let said = vessel.datum(&["publish"]).fails(1);
    assert!(said.contains("was left by a merge"), "{said}");
    assert_eq!((read(&vessel), entries(&vessel)), (torn.clone(), before));
    // Half taken out is not enough.
    let half: String = torn
        .lines()
        .filter(|l| !l.starts_with("<<<") && !l.starts_with(">>>"))
        .fold(String::new(), |text, line| text + line + "\n");
    write(&vessel, &half);
    assert!(vessel.datum(&["task", "import"]).fails(2).contains("\"=======\""));
    write(&vessel, &board.replace("] Fix the pump", "] Fix the old pump"));
    assert_eq!(vessel.datum(&["task", "import"]).ok(), format!("imported {pump}: title Fix the old pump\n"));
}

#[test]
fn a_board_is_the_same_by_whatever_path_it_is_named() {
    let vessel = Vessel::new();
    vessel.datum(&["task", "create", "one"]).ok();
    vessel.datum(&["publish"]).ok();
    let path = vessel.path().join("TASKBOARD.md");
    let text = fs::read_to_string(&path).unwrap() + "- [ ] by hand\n";
    fs::write(&path, text).unwrap();
    fs::create_dir(vessel.path().join("sub")).unwrap();
    assert!(vessel.datum(&["task", "import"]).ok().contains("new: by hand"));
    for (dir, file) in [(".", "./TASKBOARD.md"), ("sub", "../TASKBOARD.md"), (".", path.to_str().unwrap())] {
        let dir = vessel.path().join(dir);
        let again = vessel.datum(&["-C", dir.to_str().unwrap(), "task", "import", file]);
        assert_eq!((again.code, again.stdout.as_str()), (0, ""), "{file}: {again:?}");
    }
}
