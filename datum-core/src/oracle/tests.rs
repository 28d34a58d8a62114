//! Who gets a task, and that it gets both the task and the bottle.

use super::*;
use crate::bottle::{self, Source, Stage};
use crate::fleet::{self, Found};
use crate::task::{self, New, Priority, Record, TaskError};
use crate::testing::{NOW, git, repository, stamp};
use crate::{AgentName, EntryId, Kind, Store, StoreError, Word};

const HOUR: Millis = 3_600_000;

fn name(text: &str) -> AgentName {
    AgentName::new(text).unwrap()
}

fn skilled(store: &Store, agent: &str, skills: &[(&str, f64)], active: Millis) {
    let found = Found {
        skills: skills.iter().map(|(skill, confidence)| ((*skill).to_owned(), *confidence)).collect(),
        active: Some(active),
        ..Found::default()
    };
    let drafts = vec![fleet::add(&name(agent), "/x").unwrap(), fleet::found(&name(agent), &found).unwrap()];
    store.apply::<StoreError>(Kind::Agent, &stamp("lead", 0), |_| Ok(drafts.clone())).unwrap();
}

fn make(store: &Store, title: &str, caps: &[&str]) -> EntryId {
    let caps = caps.iter().map(|cap| Word::new("capability", cap).unwrap()).collect();
    let new = New {
        title: title.to_owned(),
        text: "How.".to_owned(),
        priority: Priority::High,
        caps,
        ..New::default()
    };
    store
        .apply::<StoreError>(Kind::Task, &stamp("lead", 1), |_| Ok(vec![task::create(&new).unwrap()]))
        .unwrap()
        .ids[0]
}

fn give(store: &Store, id: EntryId, to: Option<&str>, at: Millis) -> Result<Dispatched, OracleError> {
    let to = to.map(name);
    dispatch(store, &stamp("oracle", at), &task::alias(id), to.as_ref(), HOUR, true, |_| 0)
}

#[test]
fn the_best_is_able_fresh_free_and_reliable() {
    let base = Candidate {
        name: name("b"),
        role: None,
        declared: true,
        skills: [("Audit".to_owned(), 0.8)].into(),
        seen: Some(NOW),
        load: 0,
        record: Record::default(),
        state: State::Active,
        sources: vec![],
    };
    let named = |text: &str, change: &dyn Fn(&mut Candidate)| {
        let mut candidate = Candidate { name: name(text), ..base.clone() };
        change(&mut candidate);
        candidate
    };
    let known = [
        base.clone(),
        named("able", &|c| _ = c.skills.insert("audit".to_owned(), 0.8)),
        named("surer", &|c| _ = c.skills.insert("Audit".to_owned(), 0.9)),
        named("busy", &|c| c.load = 1),
        named("stale", &|c| c.seen = Some(NOW - 28 * 24 * HOUR)),
        named("unseen", &|c| c.seen = None),
        named("drops", &|c| c.record = Record { finished: 1, dropped: 2 }),
        named("unable", &|c| c.skills.clear()),
        named("silent", &|c| c.declared = false),
        named("retired", &|c| c.state = State::Retired),
    ];
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let id = make(&store, "one", &["audit"]);
    let tasks = task::fold(&store.snapshot().unwrap());
    let scores = rank(tasks.get(id).unwrap(), &known, NOW);
    let shown: Vec<_> = scores.iter().map(|score| format!("{} {:.2}", score.agent, score.total)).collect();
    assert_eq!(
        shown,
        [
            "surer 0.90",
            "able 0.80",
            "b 0.80",
            "busy 0.40",
            "drops 0.40",
            "stale 0.20",
            "unseen 0.08",
            "retired 0.00",
            "silent 0.00",
            "unable 0.00"
        ]
    );
    assert_eq!(scores[0].parts[0].why, "declares audit with 0.90");
}

#[test]
fn a_dispatch_is_a_claim_and_a_bottle_in_one_entry() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    skilled(&store, "heron", &[("audit", 0.9)], NOW);
    skilled(&store, "gull", &[("audit", 0.6), ("tag", 0.9)], NOW);
    let id = make(&store, "Audit it", &["audit"]);
    let given = give(&store, id, None, 10).unwrap();
    assert_eq!(given.hold.agent, "heron");
    let snapshot = store.snapshot().unwrap();
    let tasks = task::fold(&snapshot);
    assert_eq!(tasks.get(id).unwrap().hold, Some(given.hold));
    let inbox = bottle::inbox(&snapshot).unwrap();
    let [bottle] = &inbox.bottles[..] else { panic!("{inbox:?}") };
    assert_eq!((Some(bottle.id), &bottle.source), (given.entry, &Source::Log("oracle-aaaaaaaa".to_owned())));
    assert_eq!((&bottle.to[..], bottle.kind.as_deref()), (&["heron".to_owned()][..], Some("handoff")));
    assert!(
        bottle.subject.ends_with("Audit it") && bottle.text.starts_with(b"How.\n\nTask T-"),
        "{bottle:?}"
    );
    assert_eq!(bottle.stage(&name("heron")), Stage::Unread);
    let again = give(&store, id, None, 20);
    assert!(matches!(again, Err(OracleError::Task(TaskError::Held { .. }))), "{again:?}");
    // The next goes to whoever is free.
    let next = make(&store, "Audit that", &["audit"]);
    let dry = dispatch(&store, &stamp("oracle", 20), &task::alias(next), None, HOUR, false, |_| 0).unwrap();
    assert_eq!((dry.hold.agent.as_str(), dry.entry), ("gull", None));
    // The agent finishes it as its own.
    let draft = task::step(
        &task::story(&snapshot, id).unwrap(),
        task::Step::Finish,
        "",
        &name("heron"),
        NOW + 30,
        (None, false),
    );
    assert!(draft.is_ok(), "{draft:?}");
}

#[test]
fn who_is_not_known_or_not_able_gets_nothing() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let id = make(&store, "one", &["audit"]);
    let nobody = give(&store, id, None, 2);
    assert!(matches!(nobody, Err(OracleError::Nobody { .. })), "{nobody:?}");
    let unknown = give(&store, id, Some("ghost"), 2);
    assert!(matches!(unknown, Err(OracleError::UnknownAgent(_))), "{unknown:?}");
    // Who writes here is known; the dispatcher may name it.
    assert_eq!(give(&store, id, Some("lead"), 3).unwrap().hold.agent, "lead");
    assert!(store.claims().unwrap().0.iter().all(|claim| claim.holder.agent() == "lead"));
}

#[test]
fn killed_after_its_entry_a_dispatch_has_happened_though_its_claim_has_not() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    skilled(&store, "heron", &[], NOW);
    let id = make(&store, "one", &[]);
    let given = give(&store, id, None, 10).unwrap();
    store.remove_claims(&store.claims().unwrap().0).unwrap();
    assert_eq!(task::fold(&store.snapshot().unwrap()).get(id).unwrap().hold, Some(given.hold.clone()));
    let held = give(&store, id, None, 20);
    assert!(matches!(held, Err(OracleError::Task(TaskError::Held { .. }))), "{held:?}");
    let again = give(&store, id, None, given.hold.until - NOW).unwrap();
    assert_eq!((given.hold.fence, again.hold.fence), (1, 2), "its lease has ended");
}

#[test]
fn of_eight_who_dispatch_one_task_one_does() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    skilled(&store, "heron", &[], NOW);
    let id = make(&store, "one", &[]);
    let won: usize = std::thread::scope(|scope| {
        let run = |n: u64| {
            let path = dir.path();
            scope.spawn(move || {
                let store = Store::open(path).unwrap();
                let stamp = stamp(&format!("o{n}"), 10);
                let given = dispatch(&store, &stamp, &task::alias(id), None, HOUR, true, |_| 0);
                usize::from(given.is_ok())
            })
        };
        let threads: Vec<_> = (0..8).map(run).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(won, 1);
    assert_eq!(bottle::inbox(&store.snapshot().unwrap()).unwrap().bottles.len(), 1);
    git(dir.path(), &["fsck", "--strict"]);
}
