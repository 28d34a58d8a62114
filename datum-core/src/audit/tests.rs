mod secrets;

use super::rule::Probe;
use super::*;
use crate::files::Files;
use crate::testing::{NOW, append, git, repository};
use crate::{Kind, Store, StoreError};
use std::fs;
use std::path::Path;

fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn commit(root: &Path, subject: &str) {
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "--allow-empty", "-m", subject]);
}

/// The book that only a vessel's file writes.
fn own(text: &str) -> Book {
    let mut book = Book::default();
    book.configure(CONFIG, text).unwrap();
    book
}

fn look(root: &Path, book: &Book) -> Report {
    let store = Store::open(root).unwrap();
    let survey = store.survey(None).unwrap();
    let files = Files::of(&survey.snapshot).unwrap();
    let language = |path: &str| path.split('.').next_back().filter(|end| *end == "rs").map(|_| "Rust");
    run(&Audit {
        survey: &survey,
        files: &files,
        worktree: false,
        book,
        name: "test",
        deep: false,
        brought: None,
        now: NOW,
        language: &language,
    })
}

/// The answer of one probe in a repository.
#[track_caller]
fn check(root: &Path, probe: &str, want: Answer) {
    let rule = format!("[[audit.rule]]\nid = 'my/rule'\nlevel = 'error'\nreason = 'r'\nprobe.{probe}\n");
    let report = look(root, &own(&rule));
    assert_eq!(report.rules[0].answer, want, "{probe}: {:?}", report.rules[0]);
}

#[test]
fn every_built_in_rule_is_sound() {
    let mut book = Book::of(&Pack::ALL).unwrap();
    let mut ids: Vec<_> = book.rules().map(|rule| rule.id().to_owned()).collect();
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id stands for one rule");
    for rule in book.rules() {
        rule.probe.patterns(&mut |pattern| {
            pattern.regex().unwrap_or_else(|error| panic!("{}: {error}", rule.id()));
        });
        assert!(!rule.reason().is_empty() && !rule.reason().contains('\n'), "{}", rule.id());
    }
    assert!(book.only(&["vessel/*".to_owned()]).is_ok());
}

#[test]
fn the_exam_has_59_boxes_in_7_sections() {
    let book = Book::of(&[Pack::Dockside]).unwrap();
    let boxes = |section: u8| book.rules().filter(|rule| rule.section == Some(section)).count();
    assert_eq!((1..=7).map(boxes).collect::<Vec<_>>(), [10, 7, 15, 10, 5, 6, 6]);
    let marks: Vec<_> = book
        .rules()
        .filter_map(|rule| match &rule.probe {
            Probe::Marks(marks) => Some((marks.section, marks.passing)),
            _ => None,
        })
        .collect();
    let sections = [7, 4, 2, 7, 3, 4, 3];
    let mut want: Vec<_> = (1..=7).zip(sections).map(|(section, mark)| (Some(section), mark)).collect();
    want.push((None, 30));
    assert_eq!(marks, want);
}

#[test]
fn probes_answer_from_the_tree() {
    use Answer::{Fail, Pass, Unknown};
    let dir = repository(&[]);
    let root = dir.path();
    put(root, "README.md", "# Boat\n\n## Usage\n");
    put(root, "empty.md", " \n");
    put(root, "docs/a.md", "a");
    put(root, "docs/deep/b.md", "b");
    put(root, "app.json", r#"{"a": {"b": 1}, "c": "x"}"#);
    put(root, "big.bin", &"x".repeat(5000));
    commit(root, "[JC1] set sail");
    check(root, "exists = { any = ['nothing', 'README*'] }", Pass);
    check(root, "exists = { any = ['readme.md'], any-case = true }", Pass);
    check(root, "exists = { any = ['readme.md'] }", Fail);
    check(root, "exists = { any = ['docs'], kind = 'file' }", Fail);
    check(root, "exists = { any = ['empty.md'], filled = true }", Fail);
    check(root, "absent = { any = ['**/b.md'], except = ['docs/**'] }", Pass);
    check(root, "absent = { any = ['**/b.md'] }", Fail);
    check(root, "contains = { any = ['*.md'], pattern = '^## usage' }", Fail);
    check(root, "contains = { any = ['*.md'], pattern = '(?i)^## usage' }", Pass);
    check(root, "lacks = { any = ['*.md'], pattern = 'Boat' }", Fail);
    check(root, "count = { any = ['docs/**/*.md'], min = 2, max = 2 }", Pass);
    check(root, "count = { any = ['docs/*.md'], min = 2 }", Fail);
    check(root, "size = { any = ['**'], max = 4999 }", Fail);
    check(root, "size = { any = ['**'], max = 5000 }", Pass);
    check(root, "keys = { file = 'app.json', require = { 'a.b' = 'number', c = 'string' } }", Pass);
    check(root, "keys = { file = 'app.json', require = { c = 'table' } }", Fail);
    check(root, "keys = { file = 'README.md', require = { c = 'table' } }", Fail);
    check(root, "branch = { default = ['main'] }", Pass);
    check(root, "branch = { default = ['trunk'] }", Fail);
    check(root, "tags = { pattern = '^v' }", Fail);
    check(root, "subjects = { grammar = ['agent'], share = 1.0 }", Pass);
    check(root, "subjects = { grammar = ['conventional'], share = 0.1 }", Fail);
    check(root, "history = { subject = 'set sail' }", Pass);
    check(root, "fresh = { any = ['README.md'], days = 0 }", Pass);
    check(root, "undecided = { why = 'x' }", Unknown);
    check(root, "any-of = [{ exists = { any = ['x'] } }, { undecided = { why = 'x' } }]", Unknown);
    check(root, "all-of = [{ exists = { any = ['x'] } }, { undecided = { why = 'x' } }]", Fail);
    check(root, "log = { fact = 'whole' }", Pass);
    check(root, "log = { fact = 'journal' }", Fail);
    append(&Store::open(root).unwrap(), "a", 0, "one");
    check(root, "log = { fact = 'journal' }", Pass);
}

#[test]
fn an_error_while_looking_is_unknown_and_said_to_be_broken() {
    let dir = repository(&[]);
    let root = dir.path();
    put(root, "README.md", "hello");
    put(root, "docs/a.md", "hello");
    commit(root, "one");
    let tree = git(root, &["rev-parse", "HEAD:docs"]);
    let (folder, file) = tree.trim().split_at(2);
    fs::remove_file(root.join(".git/objects").join(folder).join(file)).unwrap();
    let rule =
        "[[audit.rule]]\nid = 'my/rule'\nlevel = 'error'\nreason = 'r'\nprobe.exists.any = ['docs/x']\n";
    let report = look(root, &own(rule));
    assert_eq!((report.rules[0].answer, report.rules[0].broken), (Answer::Unknown, true));
    assert!(report.is_broken() && !report.fails(Level::Info), "{report:?}");
    check(root, "exists.any = ['README.md']", Answer::Pass);
}

#[test]
fn a_shallow_clone_leaves_history_unknown() {
    let dir = repository(&[]);
    for at in 0..5 {
        put(dir.path(), "a", &at.to_string());
        commit(dir.path(), "wip");
    }
    let clone = tempfile::tempdir().unwrap();
    let from = format!("file://{}", dir.path().display());
    git(clone.path(), &["clone", "-q", "--depth=2", &from, "."]);
    check(clone.path(), "subjects = { grammar = ['telling'], share = 1.0 }", Answer::Unknown);
    check(clone.path(), "history = { subject = 'never' }", Answer::Unknown);
    check(clone.path(), "tags = { pattern = 'v1' }", Answer::Unknown);
    check(dir.path(), "subjects = { grammar = ['telling'], share = 1.0 }", Answer::Fail);
}

#[test]
fn an_empty_repository_is_audited_like_any_other() {
    let dir = repository(&[]);
    let report = look(dir.path(), &Book::of(&Pack::ALL).unwrap());
    assert_eq!(report.commit, None);
    assert!(!report.is_broken(), "{report:?}");
    assert!(report.counts.fail > 0);
}

#[test]
fn conditions_decide_whether_a_rule_applies() {
    let dir = repository(&[]);
    put(dir.path(), "src/a.rs", "");
    commit(dir.path(), "one");
    let asks = |condition: &str| {
        let rule = format!(
            "[[audit.rule]]\nid = 'my/rule'\nlevel = 'error'\nreason = 'r'\nwhere = {{ {condition} }}\n\
             probe.exists.any = ['src']\n"
        );
        look(dir.path(), &own(&rule)).rules[0].answer == Answer::Pass
    };
    assert!(asks("vessel = false") && !asks("vessel = true"));
    assert!(asks("program = true") && !asks("program = false"));
    assert!(asks("has = ['x', 'src/*.rs']") && !asks("has = ['x']"));
    assert!(asks("lacks = ['x']") && !asks("lacks = ['src']"));
    assert!(asks("language = ['rust']") && !asks("language = ['Go']"));
}

#[test]
fn rule_files_are_refused_with_place_and_what_is_allowed() {
    let check = |text: &str, line: usize, column: usize, part: &str| {
        let error = Book::of(&Pack::ALL).unwrap().configure(CONFIG, text).unwrap_err();
        let RuleError::Invalid { line: at, column: col, message, .. } = &error else { panic!("{error}") };
        assert_eq!((*at, *col), (line, column), "{error}");
        assert!(message.contains(part), "{error}");
    };
    check("[audit]\nfail-on = 'high'\n", 2, 11, "expected one of `info`, `warning`, `error`, `critical`");
    check("[audit]\nfoo = 1\n", 2, 1, "expected one of");
    check("[[rule]]\nid = 'a/b'\n", 1, 1, "write [[audit.rule]]");
    check("[audit.levels]\n'hygiene/tag' = 'off'\n", 2, 1, "did you mean \"hygiene/tags\"?");
    check("[audit]\nx = [\n", 2, 6, "unclosed array");
    let rule = |rest: &str| format!("[[audit.rule]]\nid = 'a/b'\nlevel = 'info'\nreason = 'r'\n{rest}\n");
    check(&rule("probe.exist.any = []"), 5, 7, "expected one of `exists`, `absent`");
    check(&rule("probe.exists.any = ['../x']"), 5, 20, "is no pattern of paths");
    check(&rule("probe.contains = { any = ['x'], pattern = '(' }"), 5, 43, "is no regular expression");
    check(
        "[[audit.rule]]\nid = 'Bad'\nlevel = 'info'\nreason = 'r'\nprobe.license = {}\n",
        2,
        6,
        "pack/name",
    );
    let suppress = |rest: &str| format!("[[audit.suppress]]\nrule = 'hygiene/tags'\n{rest}\n");
    check(&suppress("until = 2026-01-01"), 1, 1, "missing field `reason`");
    check(&suppress("until = 2026-01-01\nreason = ' '"), 4, 10, "needs a reason");
    check(&suppress("reason = 'x'\nuntil = 10:00:00"), 4, 9, "until is a day");
}

#[test]
fn a_vessel_turns_off_changes_and_replaces_rules() {
    let mut book = Book::of(&[Pack::Hygiene]).unwrap();
    let count = book.rules().count();
    let text = "other = 1\n[audit]\nfail-on = 'info'\n[audit.levels]\n'hygiene/tags' = 'off'\n\
                'hygiene/readme' = 'critical'\n'vessel/state' = 'off'\n\
                [[audit.rule]]\nid = 'hygiene/changelog'\nlevel = 'info'\nreason = 'ours'\nprobe.exists.any = ['LOG']\n";
    book.configure(CONFIG, text).unwrap();
    assert_eq!(book.fail_on, Some(Level::Info));
    assert_eq!(book.rules().count(), count - 1);
    let level = |id: &str| book.rules().find(|rule| rule.id() == id).map(Rule::level);
    assert_eq!(level("hygiene/readme"), Some(Level::Critical));
    assert_eq!(level("hygiene/changelog"), Some(Level::Info));
    assert_eq!(level("hygiene/tags"), None);
    assert!(book.notes.iter().any(|note| note.contains("turns off hygiene/tags")), "{:?}", book.notes);
}

#[test]
fn suppressions_are_counted_and_expired_ones_are_loud() {
    let dir = repository(&[]);
    commit(dir.path(), "one");
    let text = |until: &str| {
        format!(
            "[[audit.rule]]\nid = 'a/b'\nlevel = 'error'\nreason = 'r'\nprobe.exists.any = ['x']\n\
             [[audit.suppress]]\nrule = 'a/b'\npath = 'x'\nreason = 'soon'\nuntil = {until}\n"
        )
    };
    let report = look(dir.path(), &own(&text("2026-12-31")));
    assert!(!report.fails(Level::Info) && report.counts.suppressed == 1, "{report:?}");
    let report = look(dir.path(), &own(&text("2025-12-31")));
    assert!(report.fails(Level::Error) && report.counts.suppressed == 0, "{report:?}");
    assert!(report.notes[0].starts_with("EXPIRED on 2025-12-31"), "{:?}", report.notes);
    let report = look(dir.path(), &own(&text("2026-01-05")));
    assert!(report.notes[1].contains("expires on 2026-01-05"), "{:?}", report.notes);
}

#[test]
fn a_baseline_leaves_only_what_is_new_and_a_record_gives_the_report_back() {
    let dir = repository(&[]);
    let root = dir.path();
    put(root, "a.txt", "bad\n");
    commit(root, "one");
    let book = own("[[audit.rule]]\nid = 'a/b'\nlevel = 'error'\nreason = 'r'\n\
                    probe.lacks = { any = ['*.txt'], pattern = 'bad' }\n");
    let before = look(root, &book);
    put(root, "a.txt", "moved down\nbad\n");
    put(root, "b.txt", "bad\n");
    commit(root, "two");
    let mut after = look(root, &book);
    let change = changes(&before, &after);
    assert!(
        matches!(&change[..], [Change::Appeared(key)] if key.path.as_deref() == Some("b.txt")),
        "{change:?}"
    );
    mark_known(&mut after, &keys(&before));
    assert_eq!((after.counts.known, after.counts.open[&Level::Error]), (1, 1));
    let store = Store::open(root).unwrap();
    let stamp = crate::testing::stamp("a", 0);
    let applied =
        store.apply::<StoreError>(Kind::Audit, &stamp, |_| Ok(vec![draft(&after).unwrap()])).unwrap();
    let snapshot = store.snapshot().unwrap();
    assert_eq!(find(&snapshot, &applied.ids[0].short(8)).unwrap().report, after);
    assert_eq!(recorded(&snapshot, 9).len(), 1);
}

#[test]
fn the_same_snapshot_and_rules_give_the_same_report() {
    let dir = repository(&[]);
    put(dir.path(), "CHARTER.md", "# C\n");
    put(dir.path(), "src/a.rs", "");
    commit(dir.path(), "one");
    let book = Book::of(&Pack::ALL).unwrap();
    let print = || serde_json::to_string(&look(dir.path(), &book)).unwrap();
    assert_eq!(print(), print());
}

#[test]
fn a_licence_file_is_what_it_claims() {
    let dir = repository(&[]);
    let root = dir.path();
    commit(root, "none");
    check(root, "license = {}", Answer::Fail);
    let mit = "MIT License\nPermission is hereby granted, free of charge, to any person obtaining a copy of it, \
               or the use or other dealings in the Software.\n";
    put(root, "LICENSE", mit);
    put(root, "Cargo.toml", "[package]\nlicense = 'MIT OR Apache-2.0'\n");
    commit(root, "mit");
    check(root, "license = {}", Answer::Pass);
    put(root, "Cargo.toml", "[package]\nlicense = 'GPL-3.0'\n");
    commit(root, "claims another");
    check(root, "license = {}", Answer::Fail);
    put(root, "LICENSE", "All rights reserved.\n");
    commit(root, "unknown text");
    check(root, "license = {}", Answer::Unknown);
    put(root, "LICENSE", "Apache License\nVersion 2.0, January 2004\n1. Definitions\n2. Grant");
    commit(root, "cut short");
    check(root, "license = {}", Answer::Fail);
}
