//! Boards that people edit, and boards of other programs.

use super::*;

pub(super) fn publish(store: &Store) -> String {
    tasks(store, |_, tasks| crate::publish::taskboard_file::print(&board(tasks)))
}

/// Reads a board back as `p`, writes what it comes to, and answers with what it says.
pub(super) fn read_back(store: &Store, at: Millis, text: &str) -> (Vec<String>, Vec<String>) {
    let imported = tasks(store, |s, _| import(s, text, "TASKBOARD.md", &agent("p"), NOW + at)).unwrap();
    for draft in imported.drafts {
        write(store, "p", at, draft);
    }
    (imported.done, imported.conflicts)
}

#[test]
fn what_a_person_writes_into_a_board_becomes_entries_once() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let one = make(&store, 0, "Fix <it>", |_| ());
    let two = make(&store, 1, "Two", |new| new.priority = Priority::High);
    let board = publish(&store);
    assert_eq!(read_back(&store, 11, &board), (vec![], vec![]), "an untouched board says nothing");
    let ticked = board.replace("- [ ] Fix", "- [x] Fix").replace("Two (`", "Two more (`");
    let ticked = ticked.replace("## Medium\n\n", "## Medium\n\n- [ ] A new one\n");
    let (done, conflicts) = read_back(&store, 12, &ticked);
    assert_eq!(conflicts, Vec::<String>::new());
    assert_eq!(
        done,
        [
            format!("{}: title Two more", alias(two)),
            format!("{}: done", alias(one)),
            "new: A new one".to_owned()
        ]
    );
    assert_eq!(read_back(&store, 13, &ticked), (vec![], vec![]), "read again it adds nothing");
    tasks(&store, |_, tasks| {
        assert_eq!((tasks.len(), tasks.get(one).unwrap().state), (3, State::Done));
        assert_eq!(tasks.get(two).unwrap().title, "Two more");
    });
}

#[test]
fn a_board_that_was_overtaken_names_its_conflicts() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let one = make(&store, 0, "One", |_| ());
    let two = make(&store, 1, "Two", |_| ());
    let board = publish(&store);
    claimed(&store, one, "b", 20, 1);
    write(&store, "b", 21, stepped(&told(&store, two), Step::Cancel, "a", 21).unwrap());
    let ticked = board.replace("- [ ]", "- [x]").replace("One (`", "Eins (`");
    let (done, conflicts) = read_back(&store, 30, &ticked);
    assert_eq!(done, [format!("{}: title Eins", alias(one))]);
    assert_eq!(
        conflicts,
        [
            format!("{}, line 7: the board says done, but {} is claimed by b", alias(one), alias(one)),
            format!("{}, line 8: the board says state done, meanwhile it became cancelled", alias(two)),
        ]
    );
    // The JSON of a task that has not changed since may be edited by hand as well.
    let board = publish(&store).replace("\"status\": \"cancelled\"", "\"status\": \"open\"");
    assert_eq!(read_back(&store, 41, &board).0, [format!("{}: open", alias(two))]);
    let gone: String =
        publish(&store).lines().filter(|l| !l.contains("Two (`")).map(|l| format!("{l}\n")).collect();
    assert_eq!(read_back(&store, 51, &gone).1.len(), 1);
    // Without its JSON a board makes no task twice, and no tick of it is taken for what a person wants.
    let bare: String =
        publish(&store).lines().take_while(|l| !l.contains("TASKS_JSON")).map(|l| format!("{l}\n")).collect();
    assert_eq!(read_back(&store, 61, &bare), (vec![], vec![]));
    let (done, conflicts) = read_back(&store, 62, &bare.replace("- [ ]", "- [x]"));
    assert!(done.is_empty() && !conflicts.is_empty(), "{done:?} {conflicts:?}");
    assert!(conflicts.iter().all(|conflict| conflict.contains("JSON is gone")), "{conflicts:?}");
    let broken = board.replace("\"id\": ", "\"id\" ");
    let error = tasks(&store, |s, _| import(s, &broken, "TASKBOARD.md", &agent("p"), NOW)).unwrap_err();
    assert!(error.to_string().starts_with("line "), "{error}");
}

#[test]
fn boards_of_other_programs_are_taken_over_once() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let theirs = "# Task Board\n\n## HIGH\n\n- [TASK-001] **Fix it** (b) — …\n\n<!-- TASKS_JSON_START -->\n\
        {\"TASK-001\": {\"id\": \"TASK-001\", \"title\": \"Fix it\", \"priority\": \"HIGH\", \"status\": \"IN_PROGRESS\", \
        \"assignee\": \"b\"}, \"TASK-002\": {\"id\": \"TASK-002\", \"title\": \"Old\", \"status\": \"DONE\"}}\n\
        <!-- TASKS_JSON_END -->\n";
    assert_eq!(read_back(&store, 1, theirs).0, ["new: Fix it", "new: Old, done"]);
    assert_eq!(read_back(&store, 2, theirs), (vec![], vec![]));
    let plain = "## Priority 1: Now\n- [ ] One\n- [x] Two\n\n## P3\n- [ ] TASK-7: Three\n";
    assert_eq!(read_back(&store, 3, plain).0, ["new: One", "new: Two, done", "new: Three"]);
    assert_eq!(read_back(&store, 4, &plain.replace("[ ] One", "[x] One")).0.len(), 1);
    tasks(&store, |_, tasks| {
        let states: Vec<_> = tasks.all().iter().map(|t| (t.title.as_str(), t.priority, t.state)).collect();
        assert_eq!(
            states,
            [
                ("Fix it", Priority::High, State::Open),
                ("One", Priority::High, State::Done),
                ("Two", Priority::High, State::Done),
                ("Old", Priority::Medium, State::Done),
                ("Three", Priority::Low, State::Open),
            ]
        );
    });
}
