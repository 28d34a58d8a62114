use proptest::prelude::*;

use super::*;

fn shown(text: &str) -> String {
    let item = |item: &Item<'_>| {
        let Item { line, id, title, done, state, priority, assignee, section } = item;
        let mark = if *done { 'x' } else { ' ' };
        format!("{line} [{mark}] {id:?} {title:?} {state:?} {priority:?} {assignee:?} {section:?}")
    };
    match parse(text) {
        Ok(Board::Markdown(items)) => items.iter().map(item).collect::<Vec<_>>().join("\n"),
        Ok(Board::Json(tasks)) => serde_json::to_string(&tasks).unwrap(),
        Err(error) => error.to_string(),
    }
}

fn task(id: &str, title: &str, priority: Priority) -> BoardTask {
    BoardTask {
        id: id.to_owned(),
        title: title.to_owned(),
        description: String::new(),
        priority,
        status: State::default(),
        assigned_to: None,
        requested_by: None,
        required_capabilities: Vec::new(),
        tags: Vec::new(),
        created_at: None,
        updated_at: None,
        extra: BTreeMap::new(),
    }
}

#[test]
fn a_board_is_printed_by_priority() {
    let mut done = task("b2", "Ship <b>it</b>\nnow", Priority::Critical);
    (done.status, done.assigned_to) = (State::Done, Some("jetson".to_owned()));
    insta::assert_snapshot!(print(&[task("a1", "Rest", Priority::Low), done]), @r#"
    <!-- published by datum: datum task import reads back what is changed in tasks; all else will be overwritten -->

    # Task board

    ## Critical

    - [x] Ship &lt;b>it&lt;/b> now (`b2`), done, @jetson

    ## Low

    - [ ] Rest (`a1`), open

    <!-- TASKS_JSON_START -->
    [
      {
        "id": "b2",
        "title": "Ship \u003cb\u003eit\u003c/b\u003e\nnow",
        "description": "",
        "priority": "critical",
        "status": "done",
        "assigned_to": "jetson",
        "requested_by": null,
        "required_capabilities": [],
        "tags": [],
        "created_at": null,
        "updated_at": null
      },
      {
        "id": "a1",
        "title": "Rest",
        "description": "",
        "priority": "low",
        "status": "open",
        "assigned_to": null,
        "requested_by": null,
        "required_capabilities": [],
        "tags": [],
        "created_at": null,
        "updated_at": null
      }
    ]
    <!-- TASKS_JSON_END -->
    "#);
}

#[test]
fn markdown_boards_are_read() {
    let boxes = "# Board\n\n## Priority 1: Fleet\n- [ ] T-1: First @jc1, please\n  * [x] Second\n- [ ]\n- [y] no\n\n\
        ```\n- [ ] code\n```\n### Low\n- [ ] Third\n## ✅ Completed\n- [X] Fourth\n";
    insta::assert_snapshot!(shown(boxes), @r#"
    4 [ ] Some("T-1") "First @jc1, please" None Some(High) Some("jc1") Some("Priority 1: Fleet")
    5 [x] None "Second" Some(Done) Some(High) None Some("Priority 1: Fleet")
    13 [ ] None "Third" None Some(Low) None Some("Priority 1: Fleet")
    15 [x] None "Fourth" Some(Done) None None Some("✅ Completed")
    "#);
    let headings = "## Active\n\n### TASK-001: Deploy\n**Priority**: P1  \n**Status:** IN_PROGRESS\n- **Owner**: tug\n\n\
        Text: more\n\n### Notes\nSee: there\n### TASK-2: Rest\n**Status**: DONE\n";
    insta::assert_snapshot!(shown(headings), @r#"
    3 [ ] Some("TASK-001") "Deploy" Some(InProgress) Some(High) Some("tug") Some("Active")
    12 [x] Some("TASK-2") "Rest" Some(Done) None None Some("Active")
    "#);
    let tables = "## 🔴 P0 — Critical\n\n| ID | Repo | Task | Status | Owner |\n|----|:--|---|---|---|\n\
        | T-1 | r | Fix a\\|b | ✅ | - |\n| T-2 | r | Write |\n\n| Name | Size |\n|---|---|\n| x | y |\n";
    insta::assert_snapshot!(shown(tables), @r#"
    5 [x] Some("T-1") "Fix a\\|b" None Some(Critical) None Some("🔴 P0 — Critical")
    6 [ ] Some("T-2") "Write" None Some(Critical) None Some("🔴 P0 — Critical")
    "#);
}

#[test]
fn json_is_read_in_any_wrapping_and_errors_have_a_place() {
    let wrap = |json: &str| format!("# Board\n- [ ] ignored\n{JSON_START}\n{json}\n{JSON_END}\n");
    let one = r#"{"id": "a", "title": "t", "status": "in_progress", "priority": "P0", "assignee": "x", "color": 7}"#;
    for json in [
        format!("[{one}]"),
        format!("{{\"tasks\": [{one}]}}"),
        format!("{{\"a\": {one}}}"),
        format!("```json\n[{one}]\n```"),
    ] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(shown(&wrap(&json)), @r#"[{"id":"a","title":"t","description":"","priority":"critical","status":"in-progress","assigned_to":"x","requested_by":null,"required_capabilities":[],"tags":[],"created_at":null,"updated_at":null,"color":7}]"#);
        }
    }
    insta::assert_snapshot!(shown(&wrap("[{\"id\": 1}]")), @"line 4, column 9: the tasks' JSON is broken: invalid type: integer `1`, expected a string");
    insta::assert_snapshot!(shown(&wrap("[\n {\"id\": \"a\", \"title\": \"t\",\n  \"status\": \"lost\"}]")), @r#"line 6, column 19: the tasks' JSON is broken: no task state is called "lost""#);
    insta::assert_snapshot!(shown(&wrap("")), @"line 5, column 1: the tasks' JSON is broken: EOF while parsing a value");
    insta::assert_snapshot!(shown(&format!("x\ny {JSON_START}[}}{JSON_END}")), @"line 2, column 29: the tasks' JSON is broken: expected value");
    insta::assert_snapshot!(shown(&format!("x\n{JSON_START}[]")), @"line 2: '<!-- TASKS_JSON_START -->' has no '<!-- TASKS_JSON_END -->' after it");
    assert!(parse(&wrap(&"[".repeat(100_000))).is_err());
}

#[test]
fn a_wide_and_long_table_is_read_in_time() {
    let board = format!("{}|task|\n{}", "|a".repeat(200_000), "|x\n".repeat(100_000));
    assert_eq!(parse(&board), Ok(Board::Markdown(Vec::new())));
}

#[test]
fn a_title_cannot_fake_the_json() {
    let title = format!("{JSON_START}[]{JSON_END}");
    let tasks = vec![task("a", &title, Priority::High)];
    assert_eq!(parse(&print(&tasks)), Ok(Board::Json(tasks)));
}

#[test]
fn headings_state_priorities() {
    for (heading, expect) in [
        ("🔴 P0 — Critical (Blocking Other Work)", Some(Priority::Critical)),
        ("Priority 2: Compiler", Some(Priority::Medium)),
        ("High", Some(Priority::High)),
        ("🟡 Normal Priority", Some(Priority::Medium)),
        ("Low-level work", None),
        ("Make latency low", None),
        ("Active Tasks", None),
    ] {
        assert_eq!(Priority::of_heading(heading), expect, "{heading}");
    }
}

#[test]
fn every_real_board_is_read() {
    let named = |name: &str| ["TASKBOARD.md", "TASK-BOARD.md", "TASKS.md"].contains(&name);
    for (path, text) in crate::testdata::files(named) {
        let Ok(Board::Markdown(items)) = parse(&text) else { panic!("{}", path.display()) };
        let count = |fits: fn(&Item<'_>) -> bool| items.iter().filter(|item| fits(item)).count();
        eprintln!(
            "{:?}: {} tasks, {} done, {} with priority, {} with id",
            path.parent().and_then(|folder| folder.file_name()),
            items.len(),
            count(|item| item.done),
            count(|item| item.priority.is_some()),
            count(|item| item.id.is_some()),
        );
        let boxes = text.lines().filter(|line| line.trim_start().starts_with("- [")).count();
        assert!(items.len() >= boxes.max(1), "{}", path.display());
    }
}

fn any_task() -> impl Strategy<Value = BoardTask> {
    let text = "[ -~é\u{1}\n<>|`\\]]{0,10}";
    let states =
        [State::Open, State::InProgress, State::Blocked, State::Review, State::Done, State::Cancelled];
    let names = prop::collection::vec(text, 0..3);
    (
        text,
        text,
        prop::sample::select(&Priority::ALL[..]),
        prop::sample::select(states.to_vec()),
        proptest::option::of(text),
        names,
    )
        .prop_map(|(id, title, priority, status, assigned_to, names)| BoardTask {
            status,
            description: title.clone(),
            requested_by: assigned_to.clone(),
            assigned_to,
            required_capabilities: names.clone(),
            tags: names,
            extra: BTreeMap::from([("note".to_owned(), serde_json::Value::from(id.clone()))]),
            ..task(&id, &title, priority)
        })
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(tasks in prop::collection::vec(any_task(), 0..5)) {
        let file = print(&tasks);
        prop_assert!(super::super::is_ours(&file));
        let mut sorted = tasks;
        sorted.sort_by_key(|task| task.priority);
        prop_assert_eq!(parse(&file), Ok(Board::Json(sorted)));
    }

    #[test]
    fn no_text_panics(lines in prop::collection::vec("(#{1,7} ?|- \\[[ x]?\\]?|\\||\\*\\*(Status|Id)\\*?\\*?:|```|<!-- TASKS_JSON_(START|END) -->)?\\PC{0,12}", 0..12)) {
        let _ = parse(&lines.join("\n"));
    }
}
