//! Rules about secrets and about what the logs say. The secrets are made when the tests run: this file holds none.

use super::{check, commit, look, own, put};
use crate::audit::{Answer, Book, Pack};
use crate::fleet::{self, Found};
use crate::testing::{NOW, git, repository, stamp};
use crate::{AgentName, Kind, Store, StoreError};

fn token() -> String {
    format!("{}_{}", ["gh", "p"].concat(), "a1B2c3D4e5F6g7H8i9J0".repeat(2).split_at(36).0)
}

#[test]
fn secrets_are_told_by_place_and_never_shown() {
    use Answer::{Fail, Pass, Unknown};
    let dir = repository(&[]);
    let root = dir.path();
    put(root, "a.py", "x = 1\n");
    commit(root, "clean");
    check(root, "secrets = {}", Pass);
    check(root, "secrets = { history = true }", Pass);
    put(root, "a.py", &format!("x = 1\né = \"{}\"\n", token()));
    put(root, "tests/b.py", &format!("api_key = \"{}\"\n", &token()[4..]));
    commit(root, "two secrets");
    check(root, "secrets = {}", Fail);
    check(root, "secrets = { kinds = ['possible'] }", Fail);
    let rule = "[[audit.rule]]\nid = 'a/b'\nlevel = 'critical'\nreason = 'r'\nprobe.secrets = { kinds = ['certain'] }\n";
    let report = look(root, &own(rule));
    let found = &report.rules[0].findings;
    let place = (found[0].path.as_deref(), found[0].line, found[0].column);
    assert_eq!((found.len(), place), (1, (Some("a.py"), Some(2), Some(6))));
    assert!(!serde_json::to_string(&report).unwrap().contains(&token()[8..20]));
    // Gone from the files it is still in the history.
    git(root, &["rm", "-q", "-r", "a.py", "tests"]);
    commit(root, "gone");
    check(root, "secrets = {}", Pass);
    check(root, "secrets = { history = true }", Fail);
    let clone = tempfile::tempdir().unwrap();
    git(clone.path(), &["clone", "-q", "--depth=1", &format!("file://{}", root.display()), "."]);
    check(clone.path(), "secrets = { history = true }", Unknown);
    let book = Book::of(&[Pack::Dockside]).unwrap();
    let exam = look(root, &book);
    assert_eq!(exam.rules.iter().find(|rule| rule.rule == "dockside/secrets").unwrap().answer, Fail);
}

#[test]
fn too_much_to_look_at_unasked_is_unknown() {
    let dir = repository(&[]);
    let root = dir.path();
    put(root, "big.txt", &"word ".repeat(1_000_000));
    commit(root, "big");
    check(root, "secrets = {}", Answer::Unknown);
    put(root, "small.txt", &token());
    commit(root, "small");
    check(root, "secrets = {}", Answer::Fail);
}

#[test]
fn a_capability_expires_with_its_vessel() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let name = AgentName::new("tern").unwrap();
    let seen = |days: u64| {
        let skills = [("audit".to_owned(), 0.5)].into();
        let found = Found { skills, active: Some(NOW - days * 86_400_000), ..Found::default() };
        let drafts = vec![fleet::add(&name, "/tern").unwrap(), fleet::found(&name, &found).unwrap()];
        store.apply::<StoreError>(Kind::Agent, &stamp("a", 0), |_| Ok(drafts.clone())).unwrap();
    };
    let probe = "log = { fact = 'expired-capabilities', days = 100 }";
    check(dir.path(), probe, Answer::Pass);
    seen(101);
    check(dir.path(), probe, Answer::Fail);
    seen(99);
    check(dir.path(), probe, Answer::Pass);
}
