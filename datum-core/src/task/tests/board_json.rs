//! Boards whose JSON people edit, and boards that do not agree with themselves.

use super::boards::{publish, read_back};
use super::*;
use crate::publish::taskboard_file::{self, Board, BoardTask};
use serde_json::json;

/// The board with the JSON of one task changed, as a person would: its seal stays.
fn edited(board: &str, id: EntryId, change: impl FnOnce(&mut BoardTask)) -> String {
    let Ok(Board::Json(mut cards)) = taskboard_file::parse(board) else { panic!("{board}") };
    change(cards.iter_mut().find(|card| card.id == alias(id)).unwrap());
    let start = board.find(taskboard_file::JSON_START).unwrap();
    let printed = taskboard_file::print(&cards);
    let json = printed.find(taskboard_file::JSON_START).unwrap();
    format!("{}{}", &board[..start], &printed[json..])
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The line of the board that has this text last.
fn line(board: &str, text: &str) -> usize {
    board.lines().count() - board.lines().rev().position(|line| line.contains(text)).unwrap()
}

#[test]
fn whatever_a_tasks_json_has_is_read_back_once() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let [whole, part, first] =
        [("whole", 0), ("part", 1), ("first", 2)].map(|(title, at)| make(&store, at, title, |_| ()));
    let one = make(&store, 3, "one", |new| {
        (new.caps, new.tags, new.needs) = (vec![word("repair")], vec![word("old")], vec![first]);
        new.parent = Some(whole);
    });
    let board = publish(&store);
    assert!(taskboard_file::is_untouched(&board));
    let board = edited(&board, one, |card| {
        card.description = "It runs dry.\nAnd is loud.\n".to_owned();
        card.requested_by = Some("casey".to_owned());
        card.required_capabilities = strings(&["repair", "weld"]);
        card.tags = strings(&["new"]);
        card.extra.insert("needs".to_owned(), json!([alias(part).to_lowercase().replace("t-", "T-")]));
        card.extra.insert("parent".to_owned(), json!(part.to_string()));
    });
    assert!(!taskboard_file::is_untouched(&board), "publish would overwrite it");
    let says = format!(
        "{}: parent {}, description, requester casey, capabilities +weld, tags +new -old, needs +{} -{}",
        alias(one),
        alias(part),
        alias(part),
        alias(first)
    );
    assert_eq!(read_back(&store, 10, &board), (vec![says], vec![]));
    assert_eq!(read_back(&store, 11, &board), (vec![], vec![]), "read again it adds nothing");
    let task = get(&store, one);
    assert_eq!(
        (task.text.as_str(), task.requester.as_deref()),
        ("It runs dry.\nAnd is loud.\n", Some("casey"))
    );
    assert_eq!((task.parent, task.needs), (Some(part), BTreeSet::from([part])));
    assert_eq!(task.caps, BTreeSet::from(["repair", "weld"].map(str::to_owned)));
    assert_eq!(task.tags, BTreeSet::from(["new".to_owned()]));
    // What is taken out of the JSON is taken off the task.
    let board = edited(&publish(&store), one, |card| {
        card.extra.retain(|member, _| !["needs", "parent"].contains(&member.as_str()));
    });
    let says = format!("{}: parent none, needs -{}", alias(one), alias(part));
    assert_eq!(read_back(&store, 20, &board), (vec![says], vec![]));
}

#[test]
fn where_the_task_changed_meanwhile_both_values_are_named_and_it_keeps_its_own() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let one = make(&store, 10, "one", |new| new.tags = vec![word("old"), word("kept")]);
    let two = make(&store, 11, "two", |_| ());
    let board = publish(&store);
    let change = Edit {
        text: Some("theirs".to_owned()),
        requester: Some(agent("bee")),
        tags: vec![word("theirs")],
        no_tags: vec![word("kept")],
        ..Edit::default()
    };
    let draft = tasks(&store, |_, tasks| edit(tasks, &told(&store, one), &change)).unwrap();
    write(&store, "b", 20, draft);
    // From another clone, written earlier and here only now: nobody who did not see it takes it back.
    let change = Edit { title: Some("two, better".to_owned()), ..Edit::default() };
    let draft = tasks(&store, |_, tasks| edit(tasks, &told(&store, two), &change)).unwrap();
    write(&store, "c", 5, draft);
    let board = edited(&board, one, |card| {
        card.description = "mine".to_owned();
        card.requested_by = Some("casey".to_owned());
        card.tags = strings(&["kept", "mine"]);
    });
    let (done, conflicts) = read_back(&store, 30, &board);
    assert_eq!(done, [format!("{}: tags +mine -old", alias(one))]);
    let at = |text: &str, says: &str| format!("{}, line {}: {says}", alias(one), line(&board, text));
    let meanwhile = [
        at("\"mine\",", "the board says description mine, meanwhile it became theirs"),
        at("casey", "the board says requester casey, meanwhile it became bee"),
    ];
    assert_eq!(conflicts, meanwhile);
    assert_eq!(
        read_back(&store, 31, &board),
        (vec![], conflicts),
        "the same is said again, and nothing done"
    );
    let task = get(&store, one);
    assert_eq!((task.text.as_str(), task.tags.len()), ("theirs", 2), "{:?}", task.tags);
    assert_eq!(get(&store, two).title, "two, better");
    // Its seal broken as well, what was published is not known: what differs is no one's.
    let lost = edited(&board, one, |card| {
        card.extra.insert("published".to_owned(), json!("0"));
    });
    let (done, conflicts) = read_back(&store, 40, &lost);
    assert_eq!((done.len(), conflicts.len()), (0, 3), "{done:?} {conflicts:?}");
    assert!(conflicts.iter().all(|what| what.ends_with("which is newer cannot be told")), "{conflicts:?}");
}

#[test]
fn a_task_that_makes_no_sense_is_named_with_its_line_and_not_done_by_halves() {
    type Change = fn(&mut BoardTask);
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let one = make(&store, 0, "one", |_| ());
    let board = publish(&store);
    let cases: [(&str, Change, &str); 10] = [
        ("\"a b\"", |card| card.tags = strings(&["fine", "a b"]), "tag \"a b\" may hold only letters"),
        ("\"\"", |card| card.required_capabilities = strings(&[""]), "capability \"\" is empty"),
        (
            "T-zzzz",
            |card| drop(card.extra.insert("needs".into(), json!(["T-zzzz"]))),
            "there is no task T-zzzz",
        ),
        ("\"x\"", |card| drop(card.extra.insert("needs".into(), json!(["x"]))), "\"x\" is no task"),
        ("\"needs\"", |card| drop(card.extra.insert("needs".into(), json!("x"))), "needs is to be a list of"),
        (
            "T-zzzz",
            |card| drop(card.extra.insert("parent".into(), json!("T-zzzz"))),
            "there is no task T-zzzz",
        ),
        ("\"parent\"", |card| drop(card.extra.insert("parent".into(), json!(1))), "parent is to be a task"),
        ("\"title\"", |card| card.title = "a\nb".to_owned(), "title: "),
        ("\"description\"", |card| card.description = "a\0b".to_owned(), "description: "),
        ("\"../x\"", |card| card.requested_by = Some("../x".to_owned()), "requested_by \"../x\" must start"),
    ];
    for (at, change, expect) in cases {
        let board = edited(&board, one, |card| {
            (card.priority, card.status) = (Priority::Low, State::Done);
            change(card);
        });
        let (done, conflicts) = read_back(&store, 10, &board);
        let place = format!("{}, line {}: ", alias(one), line(&board, at));
        assert_eq!((done.len(), conflicts.len()), (0, 1), "{done:?} {conflicts:?}");
        assert!(conflicts[0].starts_with(&place) && conflicts[0].contains(expect), "{place}: {conflicts:?}");
        assert!(conflicts[0].ends_with("nothing of this task is imported"), "{conflicts:?}");
    }
    // What only others can do is named, and the rest is done.
    let board = edited(&board, one, |card| {
        (card.assigned_to, card.tags) = (Some("bee".to_owned()), strings(&["fine"]));
        card.extra.insert("note".to_owned(), json!("x"));
        card.created_at = None;
    });
    let (done, conflicts) = read_back(&store, 20, &board);
    assert_eq!((done.len(), conflicts.len()), (1, 3), "{done:?} {conflicts:?}");
    // A new task of the JSON is held to the same.
    let new = publish(&store).replace(
        "JSON_START -->\n[",
        "JSON_START -->\n[\n{\"id\": \"X\", \"title\": \"x\", \"tags\": [\"a b\"], \"needs\": [\"T-zzzz\"]},",
    );
    let (done, conflicts) = read_back(&store, 30, &new);
    let at = format!("X, line {}: ", line(&new, "\"X\""));
    assert_eq!((done.len(), conflicts.len()), (0, 2), "{done:?} {conflicts:?}");
    assert!(conflicts.iter().all(|what| what.starts_with(&at)), "{conflicts:?}");
    let new = new.replace("a b", "ab").replace("T-zzzz", &alias(one));
    assert_eq!(read_back(&store, 40, &new), (vec!["new: x".to_owned()], vec![]));
    tasks(&store, |_, tasks| assert_eq!(tasks.all()[1].needs, BTreeSet::from([one])));
}

#[test]
fn edits_that_together_lead_in_a_circle_are_refused_and_a_turned_way_is_none() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let one = make(&store, 0, "one", |_| ());
    let two = make(&store, 1, "two", |new| new.needs = vec![one]);
    let three = make(&store, 2, "three", |_| ());
    let board = publish(&store);
    let need = |board: &str, id, needs: &[EntryId]| {
        let needs: Vec<String> = needs.iter().copied().map(alias).collect();
        edited(board, id, |card| drop(card.extra.insert("needs".to_owned(), json!(needs))))
    };
    let circle = need(&need(&board, one, &[three]), three, &[two]);
    let (done, conflicts) = read_back(&store, 10, &circle);
    assert_eq!(done, Vec::<String>::new());
    let [a, b, c] = [one, two, three].map(alias);
    assert!(conflicts[0].contains(&format!("{a} needs {c} needs {b} needs {a}")), "{conflicts:?}");
    assert!(conflicts[1].starts_with(&format!("{c}, line ")), "{conflicts:?}");
    // `one` waits for `two` from now on, and not the other way.
    let turned = need(&need(&board, one, &[two]), two, &[]);
    assert_eq!(read_back(&store, 20, &turned).1, Vec::<String>::new());
    assert_eq!((get(&store, one).needs, get(&store, two).needs), ([two].into(), [].into()));
    let parts = edited(&publish(&store), one, |card| {
        card.extra.insert("parent".to_owned(), json!(alias(one)));
    });
    assert!(read_back(&store, 30, &parts).1[0].contains("cannot be a part of itself"));
}

#[test]
fn what_a_board_lists_twice_is_one_where_it_agrees_and_nothing_where_it_differs() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let (one, two) = (make(&store, 0, "one", |_| ()), make(&store, 1, "two", |_| ()));
    let board = publish(&store);
    let row = |title: &str| board.lines().find(|line| line.contains(&format!("] {title} ("))).unwrap();
    let ticked = |title: &str| row(title).replace("[ ]", "[x]");
    let done = format!("{}: done", alias(one));
    let twice = board.replace(row("one"), &format!("{}\n{}", ticked("one"), ticked("one")));
    assert_eq!(read_back(&store, 10, &twice), (vec![done], vec![]));
    let torn = board.replace(row("two"), &format!("{}\n{}\n- [x] new\n- [ ] new", row("two"), ticked("two")));
    let torn = torn.replace("\"title\": \"two\"", "\"title\": \"zwei\"");
    let (done, conflicts) = read_back(&store, 20, &torn);
    assert_eq!(done, Vec::<String>::new());
    let differ = |what: &str, a: usize| format!("{what}: lines {a} and {} list it twice and differ; ", a + 1);
    let at = line(&torn, row("two"));
    assert!(conflicts[0].starts_with(&differ(&alias(two), at)), "{conflicts:?}");
    assert!(conflicts[1].starts_with(&differ("\"new\"", at + 2)), "{conflicts:?}");
    // The same in the JSON, as a list and by id.
    let Ok(Board::Json(cards)) = taskboard_file::parse(&board) else { panic!("{board}") };
    let other = BoardTask { title: "zwei".to_owned(), ..cards[1].clone() };
    let json = |cards: &[BoardTask]| {
        let start = board.find(taskboard_file::JSON_START).unwrap();
        let list = serde_json::to_string(cards).unwrap().replace("},{", "},\n{");
        let by_id: Vec<_> =
            cards.iter().map(|c| format!("\"k\": {}", serde_json::to_string(c).unwrap())).collect();
        [list, format!("{{{}}}", by_id.join(",\n"))].map(|json| {
            format!("{}{}\n{json}\n{}", &board[..start], taskboard_file::JSON_START, taskboard_file::JSON_END)
        })
    };
    for board in json(&[cards[0].clone(), cards[1].clone(), cards[1].clone()]) {
        assert_eq!(read_back(&store, 30, &board), (vec![], vec![]), "{board}");
    }
    for board in json(&[cards[0].clone(), cards[1].clone(), other]) {
        let (done, conflicts) = read_back(&store, 31, &board);
        assert_eq!(done, Vec::<String>::new());
        let at = line(&board, "\"two\"");
        assert!(conflicts.iter().any(|what| what.starts_with(&differ(&alias(two), at))), "{conflicts:?}");
    }
    assert_eq!(get(&store, two).title, "two");
}

#[test]
fn a_line_and_the_json_that_ask_for_different_things_are_named_both() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let one = make(&store, 0, "one", |_| ());
    let board = publish(&store);
    let title = edited(&board, one, |card| card.title = "uno".to_owned()).replace("] one (", "] eins (");
    let (done, conflicts) = read_back(&store, 10, &title);
    let [at, other] = ["] eins", "\"uno\""].map(|text| line(&title, text));
    assert_eq!(done, Vec::<String>::new());
    let says =
        format!("{}, line {at}: here the board says title eins, and in line {other} uno; ", alias(one));
    assert!(conflicts[0].starts_with(&says), "{conflicts:?}");
    // The word beside a box is read as well.
    let word = |word: &str| board.replace("`), open", &format!("`), {word}"));
    for (board, expect) in [
        (word("lost"), "no task state is called \"lost\""),
        (word("review").replace("[ ]", "[x]"), "its box is ticked and beside it stands review"),
        (word("in-progress"), "a board starts no task: datum task claim"),
        (word("open, @bee"), "the board gives it to bee"),
    ] {
        let (done, conflicts) = read_back(&store, 20, &board);
        assert_eq!(done, Vec::<String>::new());
        assert!(conflicts.len() == 1 && conflicts[0].contains(expect), "{expect}: {conflicts:?}");
    }
    assert_eq!(read_back(&store, 30, &word("blocked")).0, [format!("{}: blocked", alias(one))]);
}

/// A board without a member, as a tool leaves it that keeps what it knows.
fn without(board: &str, member: &str) -> String {
    let kept: String = board
        .lines()
        .filter(|line| !line.contains(&format!("\"{member}\":")))
        .map(|l| format!("{l}\n"))
        .collect();
    kept.replace("\",\n  }", "\"\n  }")
}

#[test]
fn what_a_board_without_its_seals_says_is_named_where_it_differs() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let one = make(&store, 0, "one", |_| ());
    let board = publish(&store);
    let bare = without(&board, "published");
    assert!(taskboard_file::is_untouched(&bare));
    assert_eq!(read_back(&store, 10, &bare), (vec![], vec![]));
    // What has neither seal nor entry is of another program, and tells by its lines.
    let cases = [(bare.clone(), 0, 1), (without(&board, "entry"), 1, 0), (without(&bare, "entry"), 0, 0)];
    for (text, changes, conflicts) in cases {
        let edited = text.replace("\"description\": \"\"", "\"description\": \"by hand\"");
        let found = tasks(&store, |s, _| import(s, &edited, "TASKBOARD.md", &agent("p"), NOW + 20)).unwrap();
        assert_eq!((found.done.len(), found.conflicts.len()), (changes, conflicts), "{found:?}");
    }
    let ticked = bare.replace("- [ ] one", "- [x] one");
    assert_eq!(read_back(&store, 30, &ticked), (vec![format!("{}: done", alias(one))], vec![]));
}

#[test]
fn a_line_that_nobody_touched_asks_for_nothing_and_a_new_one_is_a_task() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    for (at, title) in (0..).zip(["TASK-1: Fix it", "Compare a &lt; b < c", "One"]) {
        make(&store, at, title, |_| ());
    }
    let board = publish(&store) + "- [ ] One more\n- [ ] 2026-12-01: Release\n";
    let new = ["new: One more", "new: 2026-12-01: Release"].map(str::to_owned).to_vec();
    assert_eq!(read_back(&store, 10, &board), (new, vec![]));
}

#[test]
fn a_line_that_is_written_again_after_its_task_is_done_is_named() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let board = format!("{}- [ ] backup\n", publish(&store));
    assert_eq!(read_back(&store, 1, &board), (vec!["new: backup".to_owned()], vec![]));
    assert_eq!(read_back(&store, 2, &board), (vec![], vec![]));
    let id = tasks(&store, |_, tasks| tasks.all()[0].id);
    end(&store, "a", 3, id, stepped(&told(&store, id), Step::Finish, "a", 3).unwrap());
    let (done, conflicts) = read_back(&store, 4, &(publish(&store) + "- [ ] backup\n"));
    assert!(
        done.is_empty() && conflicts.len() == 1 && conflicts[0].contains("which is done"),
        "{conflicts:?}"
    );
}

#[test]
#[expect(clippy::disallowed_methods, reason = "an object is lost, as a compaction's old ones are in the end")]
fn a_board_that_came_before_its_entries_makes_no_task_twice() {
    let (dir, here) = (repository(&[]), repository(&[]));
    let (store, other) = (Store::open(dir.path()).unwrap(), Store::open(here.path()).unwrap());
    let one = make(&store, 0, "one", |_| ());
    let board = publish(&store);
    let (done, conflicts) = read_back(&other, 1, &board);
    assert!(done.is_empty() && conflicts[0].contains("is not here yet: datum sync"), "{conflicts:?}");
    assert!(
        has_absent(&other.snapshot().unwrap(), &board) && !has_absent(&store.snapshot().unwrap(), &board)
    );
    // As the board of another repository it is taken in, once.
    for expect in [1, 0] {
        let found =
            tasks(&other, |s, _| import(s, &board, "../x/TASKBOARD.md", &agent("p"), NOW + 2)).unwrap();
        assert_eq!((found.done.len(), found.conflicts.len()), (expect, 0));
        other.apply::<StoreError>(Kind::Task, &stamp("p", 2), |_| Ok(found.drafts.clone())).unwrap();
    }
    // One that was undone does not come back.
    make(&store, 3, "two", |_| ());
    write(&store, "a", 4, crate::undo::draft(one, "x").unwrap());
    let edited = board.clone() + "- [ ] three\n";
    assert_eq!(read_back(&store, 5, &edited), (vec!["new: three".to_owned()], vec![]));
    // Nor does it look as if it were to come, where a compaction has left segments alone.
    assert_eq!(store.compact(&stamp("a", 6), &[Kind::Task], 1).unwrap().len(), 2);
    let hex = one.to_string();
    std::fs::remove_file(dir.path().join(".git/objects").join(&hex[..2]).join(&hex[2..])).unwrap();
    assert!(!has_absent(&store.snapshot().unwrap(), &board));
}

#[test]
fn a_board_with_the_marks_of_a_merge_is_not_read() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    make(&store, 0, "one", |_| ());
    let board = publish(&store).replace("  {\n", "<<<<<<< HEAD\n  {\n");
    let error = tasks(&store, |s, _| import(s, &board, "TASKBOARD.md", &agent("p"), NOW)).unwrap_err();
    let line = line(&board, "<<<<");
    assert_eq!(error, taskboard_file::Error::Unmerged { line, mark: "<<<<<<<" });
    assert!(!taskboard_file::is_untouched(&board));
    let board = publish(&store).replace(taskboard_file::JSON_START, "");
    let error = tasks(&store, |s, _| import(s, &board, "TASKBOARD.md", &agent("p"), NOW)).unwrap_err();
    assert!(
        matches!(error, taskboard_file::Error::Unopened { line } if line == self::line(&board, "TASKS_JSON_END"))
    );
}
