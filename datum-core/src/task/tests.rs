//! What entries of kind `task` come to.

mod board_json;
mod boards;
mod exact;
mod named;

use super::*;
use crate::testing::{NOW, git, repository, stamp};
use crate::{AgentName, Draft, Kind, Snapshot, Store, StoreError, Word};

const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;

fn agent(name: &str) -> AgentName {
    AgentName::new(name).unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "a draft that is written is used up")]
fn write(store: &Store, by: &str, at: Millis, draft: Draft) -> EntryId {
    let applied = store.apply::<StoreError>(Kind::Task, &stamp(by, at), |_| Ok(vec![draft.clone()])).unwrap();
    applied.ids[0]
}

/// Writes what ends a claim.
#[expect(clippy::needless_pass_by_value, reason = "a draft that is written is used up")]
fn end(store: &Store, by: &str, at: Millis, task: EntryId, draft: Draft) {
    let said = || Said { task, draft: draft.clone(), ends: Ends::Own };
    tell::<StoreError>(store, &stamp(by, at), |_| Ok(vec![said()])).unwrap();
}

fn make(store: &Store, at: Millis, title: &str, change: impl FnOnce(&mut New)) -> EntryId {
    let mut new = New { title: title.to_owned(), ..New::default() };
    change(&mut new);
    write(store, "a", at, create(&new).unwrap())
}

fn tasks<T>(store: &Store, ask: impl FnOnce(&Snapshot<'_>, &Tasks) -> T) -> T {
    let snapshot = store.snapshot().unwrap();
    let tasks = fold(&snapshot);
    assert_eq!(snapshot.damage(), []);
    ask(&snapshot, &tasks)
}

fn get(store: &Store, id: EntryId) -> Task {
    tasks(store, |_, tasks| tasks.get(id).unwrap().clone())
}

fn told(store: &Store, id: EntryId) -> Story {
    tasks(store, |snapshot, _| story(snapshot, id).unwrap())
}

fn word(text: &str) -> Word {
    Word::new("word", text).unwrap()
}

fn stepped(story: &Story, to: Step, by: &str, at: Millis) -> Result<Draft, TaskError> {
    step(story, to, "", &agent(by), NOW + at, (None, false))
}

fn claimed(store: &Store, id: EntryId, by: &str, at: Millis, fence: u64) -> EntryId {
    let now = NOW + at;
    let draft = tasks(store, |_, t| claim(t, t.get(id).unwrap(), fence, now + HOUR, now)).unwrap();
    write(store, by, at, draft)
}

#[test]
fn a_task_is_found_by_its_alias_and_by_its_id() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let id = make(&store, 0, "Fix the pump", |new| {
        new.text = "It runs dry.".to_owned();
        new.priority = Priority::High;
        new.caps = vec![word("rust")];
        new.requester = Some(agent("b"));
    });
    let task = get(&store, id);
    assert_eq!((task.title.as_str(), task.text.as_str()), ("Fix the pump", "It runs dry."));
    assert_eq!(
        (task.priority, task.state, task.requester.as_deref()),
        (Priority::High, State::Open, Some("b"))
    );
    tasks(&store, |_, tasks| {
        for name in [task.alias(), task.alias().to_uppercase(), task.alias()[..5].to_owned(), id.short(6)] {
            assert_eq!(tasks.find(&name).map(|task| task.id), Ok(id), "{name}");
        }
        assert!(matches!(tasks.find("T-00000"), Err(TaskError::Unknown(_))));
        for bad in ["", "T-", "../x", "x", "T-12 3"] {
            assert!(matches!(tasks.find(bad), Err(TaskError::NotAName(_))), "{bad}");
        }
    });
}

#[test]
fn two_who_change_the_same_field_are_both_kept() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let id = make(&store, 0, "one", |_| ());
    // Both see the task as it was made.
    let seen = told(&store, id);
    let retitle = |title: &str| {
        let change = Edit { title: Some(title.to_owned()), tags: vec![word(title)], ..Edit::default() };
        tasks(&store, |_, tasks| edit(tasks, &seen, &change)).unwrap()
    };
    let (first, second) = (retitle("two"), retitle("three"));
    let lost = write(&store, "a", 1, first);
    let won = write(&store, "b", 2, second);
    let tale = told(&store, id);
    assert_eq!(tale.task.title, "three");
    assert_eq!(tale.task.tags.iter().collect::<Vec<_>>(), ["three", "two"]);
    let expected =
        Lost { field: "title", value: "two".to_owned(), agent: "a".to_owned(), entry: lost, to: won };
    assert_eq!(tale.lost, std::slice::from_ref(&expected));
    // Who has seen the winner replaces it without a new loser, and the old one stays visible.
    let change = Edit { title: Some("four".to_owned()), ..Edit::default() };
    let draft = tasks(&store, |_, tasks| edit(tasks, &tale, &change)).unwrap();
    write(&store, "a", 3, draft);
    let tale = told(&store, id);
    assert_eq!((tale.task.title.as_str(), &tale.lost[..]), ("four", std::slice::from_ref(&expected)));
    let same = Edit { title: Some("four".to_owned()), ..Edit::default() };
    assert!(matches!(tasks(&store, |_, t| edit(t, &tale, &same)), Err(TaskError::NoChange(_))));
}

#[test]
fn a_task_cannot_wait_for_itself() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let one = make(&store, 0, "one", |_| ());
    let two = make(&store, 1, "two", |new| new.needs = vec![one]);
    let three = make(&store, 2, "three", |new| new.needs = vec![two]);
    let needs = |id: EntryId, need: EntryId| {
        let tale = told(&store, id);
        let change = Edit { needs: vec![need], ..Edit::default() };
        tasks(&store, |_, tasks| edit(tasks, &tale, &change))
    };
    let names = [one, three, two, one].map(alias).to_vec();
    assert_eq!(needs(one, three), Err(TaskError::Cycle(names)));
    assert_eq!(needs(one, one), Err(TaskError::Cycle(vec![alias(one), alias(one)])));
    let tale = told(&store, one);
    let change = Edit { parent: Some(Parent::Task(one)), ..Edit::default() };
    assert!(matches!(tasks(&store, |_, t| edit(t, &tale, &change)), Err(TaskError::ParentCycle(_))));
    // Two clones can make a cycle that neither would have made: then none of it is ready, and it is named.
    let four = make(&store, 3, "four", |_| ());
    let (a, b) = (needs(one, four).unwrap(), needs(four, one).unwrap());
    write(&store, "a", 4, a);
    write(&store, "b", 4, b);
    tasks(&store, |_, tasks| {
        assert_eq!(tasks.ready(NOW + HOUR, None).count(), 0);
        assert_eq!(tasks.cycle(tasks.get(one).unwrap()), Some(vec![one, four, one]));
        assert_eq!(tasks.cycle(tasks.get(three).unwrap()), None);
    });
}

#[test]
fn ready_is_open_unblocked_and_unclaimed_by_priority_then_age() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let low = make(&store, 0, "low", |new| new.priority = Priority::Low);
    let old = make(&store, 1, "old", |_| ());
    let young = make(&store, 2, "young", |new| new.caps = vec![word("rust")]);
    let waits = make(&store, 3, "waits", |new| new.needs = vec![low]);
    let urgent = make(&store, 4, "urgent", |new| new.priority = Priority::Critical);
    let ready = |at: Millis, caps: Option<&[&str]>| -> Vec<EntryId> {
        let caps = caps.map(|caps| caps.iter().map(|cap| (*cap).to_owned()).collect());
        tasks(&store, |_, tasks| tasks.ready(NOW + at, caps.as_ref()).map(|task| task.id).collect())
    };
    assert_eq!(ready(9, None), [urgent, old, young, low]);
    assert_eq!(ready(9, Some(&[])), [urgent, old, low]);
    claimed(&store, urgent, "b", 10, 1);
    assert_eq!(ready(20, Some(&["rust"])), [old, young, low]);
    assert_eq!(ready(10 + HOUR, None), [urgent, old, young, low], "a lease that has ended");
    write(&store, "a", 30, stepped(&told(&store, low), Step::Finish, "a", 30).unwrap());
    write(&store, "a", 31, stepped(&told(&store, old), Step::Block, "a", 31).unwrap());
    assert_eq!(ready(40, None), [young, waits]);
    write(&store, "a", 50, stepped(&told(&store, old), Step::Reopen, "a", 50).unwrap());
    assert_eq!(ready(60, None), [old, young, waits]);
}

#[test]
fn what_is_written_under_an_old_claim_counts_for_nothing() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let id = make(&store, 0, "one", |_| ());
    claimed(&store, id, "a", 1, 1);
    let tale = told(&store, id);
    let late = stepped(&tale, Step::Finish, "a", 2).unwrap();
    // Its lease over, the program refuses it by itself …
    let refused = stepped(&tale, Step::Finish, "a", 2 * HOUR);
    assert!(matches!(refused, Err(TaskError::Expired { .. })), "{refused:?}");
    assert!(matches!(
        renew(&tale.task, &agent("a"), 0, NOW + 2 * HOUR, None),
        Err(TaskError::Expired { .. })
    ));
    // … and what was drafted before and arrives after the takeover is fenced off by every reader.
    claimed(&store, id, "b", 2 * HOUR, 2);
    write(&store, "a", 2 * HOUR + 1, late);
    let tale = told(&store, id);
    let task = &tale.task;
    assert_eq!((task.state, task.fenced_off, task.fence), (State::InProgress, 1, 2));
    assert_eq!(task.hold.as_ref().map(|hold| hold.agent.as_str()), Some("b"));
    let held = stepped(&tale, Step::Finish, "a", 2 * HOUR + 2);
    assert!(matches!(held, Err(TaskError::Held { .. })), "{held:?}");
    let number = step(&tale, Step::Finish, "", &agent("b"), NOW + 2 * HOUR + 2, (Some(1), false));
    assert!(matches!(number, Err(TaskError::FencedOff { fence: 1, newest: 2, .. })), "{number:?}");
    write(&store, "b", 2 * HOUR + 3, stepped(&tale, Step::Finish, "b", 2 * HOUR + 3).unwrap());
    tasks(&store, |_, tasks| {
        assert_eq!(tasks.get(id).unwrap().state, State::Done);
        assert_eq!(tasks.record("a", NOW), Record { finished: 0, dropped: 1 });
        assert_eq!(tasks.record("b", NOW), Record { finished: 1, dropped: 0 });
    });
}

#[test]
fn of_two_claims_with_one_number_the_earlier_wins_everywhere() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let id = make(&store, 0, "one", |_| ());
    // Two clones without a remote between them give the same number.
    let draft = tasks(&store, |_, t| claim(t, t.get(id).unwrap(), 1, NOW + HOUR, NOW)).unwrap();
    write(&store, "b", 1, draft.clone());
    write(&store, "a", 2, draft);
    let task = get(&store, id);
    assert_eq!((task.hold.as_ref().map(|h| h.agent.as_str()), task.fenced_off), (Some("b"), 1));
    // The loser's later writes do not count either.
    let finish = Draft::new("Finish: one", "").unwrap().with("Task", &id.to_string()).unwrap();
    let finish =
        finish.with("Change", "state").unwrap().with("State", "done").unwrap().with("Fence", "1").unwrap();
    write(&store, "a", 4, finish);
    assert_eq!(get(&store, id).state, State::InProgress);
}

#[test]
fn steps_lead_on_from_states() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let id = make(&store, 0, "one", |_| ());
    let open = told(&store, id);
    assert!(matches!(stepped(&open, Step::Reopen, "a", 1), Err(TaskError::State { .. })));
    write(&store, "a", 1, stepped(&open, Step::Cancel, "a", 1).unwrap());
    let cancelled = told(&store, id);
    for to in [Step::Block, Step::Review, Step::Finish, Step::Cancel] {
        assert!(matches!(stepped(&cancelled, to, "a", 2), Err(TaskError::State { .. })), "{to:?}");
    }
    let refused = tasks(&store, |_, t| claim(t, t.get(id).unwrap(), 1, NOW + HOUR, NOW));
    assert!(matches!(refused, Err(TaskError::State { .. })));
    write(&store, "a", 3, stepped(&cancelled, Step::Reopen, "b", 3).unwrap());
    assert_eq!(get(&store, id).state, State::Open);
    assert!(comment(&open.task, " \n").is_err());
    let long = Task { title: "ä".repeat(400), ..open.task };
    assert!(comment(&long, "fine").unwrap().subject().ends_with('…'));
}

#[test]
fn an_undone_task_is_gone_and_its_changes_wait() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let id = make(&store, 0, "one", |_| ());
    write(&store, "b", 1, comment(&told(&store, id).task, "hello").unwrap());
    assert_eq!(get(&store, id).comments, 1);
    let undo = write(&store, "a", 2, crate::undo::draft(id, "one").unwrap());
    tasks(&store, |_, tasks| assert!(tasks.is_empty()));
    write(&store, "a", 3, crate::undo::draft(undo, "undo").unwrap());
    assert_eq!(get(&store, id).comments, 1);
}

#[test]
fn of_eight_who_loop_over_many_tasks_each_takes_its_own() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let new = |n: usize| create(&New { title: format!("task {n}"), ..New::default() }).unwrap();
    store.apply::<StoreError>(Kind::Task, &stamp("a", 0), |_| Ok((0..40).map(new).collect())).unwrap();
    let taken: Vec<EntryId> = std::thread::scope(|scope| {
        let run = |n: u64| {
            let path = dir.path();
            scope.spawn(move || {
                let store = Store::open(path).unwrap();
                // Two each are the same agent.
                let stamp = stamp(&format!("a{}", n / 2), 100);
                let next = || take_next(&store, &stamp, None, HOUR).unwrap().map(|taken| taken.task.id);
                std::iter::from_fn(next).collect::<Vec<_>>()
            })
        };
        let threads: Vec<_> = (0..8).map(run).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let different: BTreeSet<EntryId> = taken.iter().copied().collect();
    assert_eq!((taken.len(), different.len()), (40, 40));
    tasks(&store, |_, tasks| assert!(tasks.all().iter().all(|task| task.hold.is_some() && task.fence == 1)));
    crate::testing::fsck(dir.path());
}

#[test]
fn a_claim_that_was_not_told_of_is_told_of_later() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let id = make(&store, 0, "one", |_| ());
    let name = alias(id);
    // The power failed when the claim was on the disk and its entry was not.
    store.claim(&crate::claim::Name::new(&id.to_string()).unwrap(), &stamp("a", 1), HOUR).unwrap();
    let held = take(&store, &stamp("b", 2), &name, HOUR);
    assert!(matches!(held, Err(TakeError::Task(TaskError::Held { .. }))), "{held:?}");
    assert_eq!(take_next(&store, &stamp("b", 2), None, HOUR).unwrap(), None);
    assert!(prolong(&store, &stamp("b", 2), &name, HOUR, None).is_err());
    let taken = prolong(&store, &stamp("a", 3), &name, HOUR, None).unwrap();
    assert_eq!(get(&store, id).hold, Some(taken.hold));
    // Over, it is taken over, under a greater number.
    let taken = take(&store, &stamp("b", 2 * HOUR), &name, HOUR).unwrap();
    assert_eq!((taken.hold.fence, taken.hold.agent.as_str()), (2, "b"));
    let late = prolong(&store, &stamp("a", 2 * HOUR), &name, HOUR, None);
    assert!(matches!(late, Err(TakeError::Task(TaskError::Held { .. }))), "{late:?}");
    let longer = prolong(&store, &stamp("b", 2 * HOUR + 1), &name, HOUR, Some(2)).unwrap();
    assert_eq!(longer.hold.until, NOW + 3 * HOUR + 1);
    let tale = told(&store, id);
    end(&store, "b", 2 * HOUR + 2, id, stepped(&tale, Step::Finish, "b", 2 * HOUR + 2).unwrap());
    let again = take(&store, &stamp("b", 2 * HOUR + 3), &name, HOUR);
    assert!(matches!(again, Err(TakeError::Task(TaskError::State { .. }))), "{again:?}");
}

#[test]
fn a_task_that_was_finished_since_it_was_read_is_not_taken_and_nothing_is_claimed() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let id = make(&store, 0, "one", |_| ());
    let snapshot = store.snapshot().unwrap();
    let seen = Seen::of(&snapshot);
    take(&store, &stamp("b", 1), &alias(id), HOUR).unwrap();
    end(&store, "b", 2, id, stepped(&told(&store, id), Step::Finish, "b", 2).unwrap());
    let before = (store.claims().unwrap().0, git(dir.path(), &["for-each-ref"]));
    let late = stamp("a", 4);
    let giving = Giving { store: &store, stamp: &late, to: &late, lease: HOUR, above: 0 };
    let taken = giving.give(id, &seen, Some(snapshot), |tasks, task, hold| {
        claim(tasks, task, hold.fence, hold.until, late.now)
    });
    assert!(matches!(taken, Err(TakeError::Task(TaskError::State { .. }))), "{taken:?}");
    assert_eq!((store.claims().unwrap().0, git(dir.path(), &["for-each-ref"])), before);
}

#[test]
fn claims_of_closed_tasks_go_and_their_numbers_do_not_go_back() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let (done, open) = (make(&store, 0, "done", |_| {}), make(&store, 1, "open", |_| {}));
    let claims = |at| store.claims().unwrap().0.iter().filter(|claim| !claim.is_held(NOW + at)).count();
    for round in 1..4u64 {
        let at = 10 * round;
        let taken = take(&store, &stamp("b", at), &alias(done), HOUR).unwrap();
        assert_eq!(taken.hold.fence, round);
        assert_eq!(sweep(&store, NOW + at).unwrap(), 0, "it is held");
        end(&store, "b", at + 1, done, stepped(&told(&store, done), Step::Finish, "b", at + 1).unwrap());
        let later = NOW + at + 2 + DAY;
        assert_eq!(
            (claims(at + 2), sweep(&store, later - 2).unwrap(), sweep(&store, later).unwrap()),
            (1, 0, 1)
        );
        assert!(store.claims().unwrap().0.is_empty());
        write(&store, "b", at + 3, stepped(&told(&store, done), Step::Reopen, "b", at + 3).unwrap());
    }
    // One that is given back, and open, stays.
    let stamp = stamp("b", 50);
    let taken = take(&store, &stamp, &alias(open), HOUR).unwrap();
    let given = release(&get(&store, open), &agent("b"), "", stamp.now, Some(taken.hold.fence)).unwrap();
    end(&store, "b", 51, open, given);
    assert_eq!((sweep(&store, NOW + 60).unwrap(), claims(60)), (0, 1));
}
