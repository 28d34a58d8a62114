//! Who has a task, whatever happens at the same time and whatever logs from elsewhere say.

use super::*;

/// An entry about a task with these trailers, as another program could write it.
pub(super) fn odd(task: EntryId, trailers: &[(&str, &str)]) -> Draft {
    let draft = Draft::new("odd", "").unwrap().with("Task", &task.to_string()).unwrap();
    trailers.iter().fold(draft, |draft, (key, value)| draft.with(key, value).unwrap())
}

#[test]
fn a_claim_that_others_ended_does_not_keep_the_task_from_anyone() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    for (round, steps) in [[Step::Block, Step::Reopen], [Step::Cancel, Step::Reopen]].into_iter().enumerate()
    {
        let at = 100 * round as u64;
        let id = make(&store, at, &format!("task {round}"), |_| ());
        take(&store, &stamp("bee", at + 1), &alias(id), HOUR).unwrap();
        for (after, to) in (2..).zip(steps) {
            let tale = told(&store, id);
            let by = agent("boss");
            let draft = step(&tale, to, "", &by, NOW + at + after, (None, true)).unwrap();
            tell::<StoreError>(&store, &stamp("boss", at + after), |_| {
                Ok(vec![Said { task: id, draft: draft.clone(), ends: Ends::Own }])
            })
            .unwrap();
        }
        assert!(prolong(&store, &stamp("bee", at + 4), &alias(id), HOUR, None).is_err(), "it has it no more");
        let taken = take(&store, &stamp("cat", at + 5), &alias(id), HOUR).unwrap();
        assert_eq!((taken.hold.agent.as_str(), taken.hold.fence), ("cat", 2));
    }
}

#[test]
fn of_one_who_claims_and_one_who_finishes_at_once_one_sees_what_the_other_did() {
    for init in [&[][..], &["--ref-format=reftable"]] {
        let dir = repository(init);
        let store = Store::open(dir.path()).unwrap();
        // Claimed while another finishes it.
        let id = make(&store, 0, "one", |_| ());
        let mut asked = 0;
        let finished = tell::<TakeError>(&store, &stamp("b", 1), |snapshot| {
            asked += 1;
            if asked == 1 {
                take(&Store::open(dir.path())?, &stamp("a", 1), &alias(id), HOUR)?;
            }
            let tale = story(snapshot, id).unwrap();
            let draft = step(&tale, Step::Finish, "", &agent("b"), NOW + 1, (None, false))?;
            Ok(vec![Said { task: id, draft, ends: Ends::Own }])
        });
        assert!(matches!(finished, Err(TakeError::Task(TaskError::Held { .. }))), "{init:?} {finished:?}");
        assert_eq!((asked, get(&store, id).hold.unwrap().agent.as_str()), (2, "a"));
        // Finished while another claims it.
        let id = make(&store, 2, "two", |_| ());
        let snapshot = store.snapshot().unwrap();
        let seen = Seen::of(&snapshot);
        let late = stamp("a", 3);
        let asked = std::cell::Cell::new(0);
        let giving = Giving { store: &store, stamp: &late, to: &late, lease: HOUR, above: 0 };
        let taken = giving.give(id, &seen, Some(snapshot), |tasks, task, hold| {
            asked.set(asked.get() + 1);
            if asked.get() == 1 {
                let other = Store::open(dir.path()).unwrap();
                end(&other, "b", 3, id, stepped(&told(&other, id), Step::Finish, "b", 3).unwrap());
            }
            claim(tasks, task, hold.fence, hold.until, late.now)
        });
        assert!(matches!(taken, Err(TakeError::Task(TaskError::State { .. }))), "{init:?} {taken:?}");
        let mutex = store.find_claim(&crate::claim::Name::new(&id.to_string()).unwrap()).unwrap();
        assert_eq!((mutex, get(&store, id).hold), (None, None));
    }
}

#[test]
fn no_number_and_no_lease_from_elsewhere_shuts_others_out() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let id = make(&store, 0, "one", |_| ());
    let until = (NOW + HOUR).to_string();
    for fence in [Some("18446744073709551615"), Some("9007199254740993"), Some("0"), Some("x"), None] {
        let mut trailers = vec![("Change", "claim"), ("Lease-Until", until.as_str())];
        trailers.extend(fence.map(|fence| ("Fence", fence)));
        write(&store, "odd", 1, odd(id, &trailers));
        assert_eq!((get(&store, id).hold, get(&store, id).fence), (None, 0), "{fence:?}");
    }
    let taken = take(&store, &stamp("a", 2), &alias(id), HOUR).unwrap();
    assert_eq!(taken.hold.fence, 1);
    write(&store, "odd", 3, odd(id, &[("Change", "claim"), ("Lease-Until", &until)]));
    assert_eq!(get(&store, id).hold, Some(taken.hold));
    let lease = [("Change", "claim"), ("Fence", "2"), ("Lease-Until", "18446744073709551615")];
    write(&store, "odd", 2 * HOUR, odd(id, &lease));
    let hold = get(&store, id).hold.unwrap();
    assert_eq!((hold.agent.as_str(), hold.until), ("odd", NOW + 2 * HOUR + LEASE_MAX));
}

#[test]
fn a_task_whose_maker_had_a_clock_ahead_is_changed_all_the_same() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let id = make(&store, 20 * HOUR, "before", |new| {
        new.tags = vec![word("old"), word("kept")];
    });
    let trailers = [("Change", "edit"), ("Title", "after"), ("No-Tag", "old"), ("Tag", "new")];
    write(&store, "b", 0, odd(id, &trailers));
    write(&store, "c", 1, odd(id, &[("Change", "state"), ("State", "blocked")]));
    let task = get(&store, id);
    assert_eq!((task.title.as_str(), task.state, task.created), ("after", State::Blocked, NOW + 20 * HOUR));
    assert_eq!(task.tags.iter().map(String::as_str).collect::<Vec<_>>(), ["kept", "new"]);
}

#[test]
fn a_claim_by_a_clock_far_ahead_holds_nothing() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let id = make(&store, 0, "one", |_| ());
    let far = 40 * DAY;
    take(&store, &stamp("odd", far), &alias(id), HOUR).unwrap();
    let task = get(&store, id);
    let hold = task.hold.as_ref().unwrap();
    assert_eq!((task.status(NOW + 1), hold.is_live(NOW + 1)), (State::Open, false));
    assert!(hold.is_live(NOW + far - DAY) && !hold.is_live(NOW + far + HOUR));
    tasks(&store, |_, tasks| assert_eq!(tasks.ready(NOW + 1, None).count(), 1));
    let taken = take(&store, &stamp("b", 1), &alias(id), HOUR).unwrap();
    assert_eq!(taken.hold.fence, 2);
    // Whatever the clocks say, the greater number stands.
    let task = get(&store, id);
    assert_eq!(task.live_hold(NOW + 2).map(|hold| hold.agent.as_str()), Some("b"));
    assert!(matches!(
        take(&store, &stamp("c", 2), &alias(id), HOUR),
        Err(TakeError::Task(TaskError::Held { .. }))
    ));
}

#[test]
fn the_story_names_who_lost_and_what_counts_for_nothing() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let id = make(&store, 0, "one", |_| ());
    let draft = tasks(&store, |_, t| claim(t, t.get(id).unwrap(), 1, NOW + HOUR, NOW)).unwrap();
    let first = write(&store, "b", 1, draft.clone());
    let tale = told(&store, id);
    let late = write(&store, "a", 2, draft);
    // What each of them says next, by what it has seen.
    let over = format!("state {late}");
    let loser = odd(id, &[("Change", "state"), ("State", "review"), ("Fence", "1"), ("Over", &over)]);
    let loser = write(&store, "a", 3, loser);
    let done = write(&store, "b", 4, stepped(&tale, Step::Finish, "b", 4).unwrap());
    let after = odd(id, &[("Change", "claim"), ("Fence", "2"), ("Lease-Until", "99999999999999")]);
    let after = write(&store, "c", 5, after);
    let tale = told(&store, id);
    assert_eq!((tale.task.state, tale.task.fenced_off), (State::Done, 2));
    assert_eq!(tale.void, BTreeSet::from([late, loser, after]));
    let lost: Vec<_> =
        tale.lost.iter().map(|l| (l.field, l.value.as_str(), l.agent.as_str(), l.entry, l.to)).collect();
    assert_eq!(
        lost,
        [
            ("claim", "a", "a", late, first),
            ("state", "review", "a", loser, first),
            ("claim", "c", "c", after, done)
        ]
    );
}

#[test]
fn a_task_named_in_capital_letters_is_not_meant() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let ids: Vec<_> = (0..3).map(|at| make(&store, at, &format!("task {at}"), |_| ())).collect();
    for (at, id) in (3..).zip(&ids) {
        let name = if at % 2 == 0 { id.to_string() } else { id.to_string().to_uppercase() };
        let draft = Draft::new("odd", "").unwrap().with("Task", &name).unwrap();
        let draft = draft.with("Change", "edit").unwrap().with("Priority", "critical").unwrap();
        write(&store, "a", at, draft);
    }
    tasks(&store, |_, tasks| {
        let changed: Vec<_> = tasks.all().iter().map(|task| (task.id, task.priority)).collect();
        let urgent = changed.iter().filter(|(_, priority)| *priority == Priority::Critical);
        assert_eq!(urgent.map(|(id, _)| *id).collect::<Vec<_>>(), [ids[1]]);
    });
}

#[test]
fn whoever_had_a_wrong_clock_once_claims_and_finishes_by_the_right_one() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let id = make(&store, 0, "one", |_| ());
    // All that this agent writes from now on has a later clock than this.
    write(&store, "odd", 2 * DAY, comment(&get(&store, id), "from the day after tomorrow").unwrap());
    let taken = take(&store, &stamp("odd", 1), &alias(id), HOUR).unwrap();
    assert_eq!(get(&store, id).live_hold(NOW + 1), Some(&taken.hold));
    assert!(matches!(
        take(&store, &stamp("b", 2), &alias(id), HOUR),
        Err(TakeError::Task(TaskError::Held { .. }))
    ));
    prolong(&store, &stamp("odd", 2), &alias(id), 2 * HOUR, None).unwrap();
    end(&store, "odd", 3, id, stepped(&told(&store, id), Step::Finish, "odd", 3).unwrap());
    assert_eq!(get(&store, id).state, State::Done);
}

#[test]
fn a_mutex_whose_claim_the_log_has_and_does_not_count_keeps_nobody_out() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    // The claim becomes void: what came before it is undone.
    let id = make(&store, 0, "one", |_| ());
    end(&store, "a", 1, id, stepped(&told(&store, id), Step::Finish, "a", 1).unwrap());
    let reopened = write(&store, "a", 2, stepped(&told(&store, id), Step::Reopen, "a", 2).unwrap());
    take(&store, &stamp("bee", 3), &alias(id), 30 * DAY).unwrap();
    write(&store, "a", 4, crate::undo::draft(reopened, "x").unwrap());
    write(&store, "a", 5, stepped(&told(&store, id), Step::Reopen, "a", 5).unwrap());
    assert_eq!(take(&store, &stamp("cat", 6), &alias(id), HOUR).unwrap().hold.fence, 2);
    // It is undone where the mutex is not.
    let id = make(&store, 7, "two", |_| ());
    let entry = take(&store, &stamp("bee", 8), &alias(id), 30 * DAY).unwrap().entry;
    write(&store, "cat", 9, crate::undo::draft(entry, "x").unwrap());
    let next = take_next(&store, &stamp("cat", 10), None, HOUR).unwrap().unwrap();
    assert_eq!((next.task.id, next.hold.fence), (id, 2));
    // One that the log does not have at all, after a power cut, keeps others out.
    let id = make(&store, 11, "three", |_| ());
    store.claim(&taking::mutex(id).unwrap(), &stamp("bee", 12), HOUR).unwrap();
    assert!(take(&store, &stamp("cat", 13), &alias(id), HOUR).is_err());
}
