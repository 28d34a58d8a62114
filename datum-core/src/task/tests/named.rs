//! One task alone is what it is among all.

use super::*;

/// Asks for every task by all its names, and compares with the fold of all.
fn is_the_same(store: &Store) {
    tasks(store, |snapshot, all| {
        for task in all.all() {
            let id = task.id.to_string();
            let names =
                [alias(task.id), alias(task.id)[..5].to_owned(), id[..8].to_owned(), id[..4].to_owned(), id];
            for name in names {
                let one = fold_named(snapshot, &name).unwrap();
                assert_eq!(one.find(&name), all.find(&name), "{name}");
                let (Ok(one_task), Ok(tale)) = (one.find(&name), story_named(snapshot, &name)) else {
                    continue;
                };
                let waits = |tasks: &Tasks, task| tasks.waits_for(task).collect::<Vec<_>>();
                assert_eq!(waits(&one, one_task), waits(all, task));
                let (_, told) = super::super::told(snapshot, &name).unwrap();
                assert_eq!((&tale.task, &tale.entries, &tale.void), (task, &told.entries, &told.void));
                assert_eq!(tale.lost, told.lost);
            }
        }
        assert_eq!(fold_named(snapshot, "ffffffff").unwrap().find("ffffffff"), all.find("ffffffff"));
        assert!(matches!(fold_named(snapshot, "T-!"), Err(TaskError::NotAName(_))));
    });
}

#[test]
fn a_task_by_its_name_is_what_it_is_among_all() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    // Enough for several segments; each waits for two of those before it.
    let mut ids: Vec<EntryId> = Vec::new();
    for at in 0..40 {
        let needs = ids.iter().copied().rev().step_by(7).take(2).collect();
        ids.push(make(&store, at, &format!("task {at}"), |new| new.needs = needs));
    }
    is_the_same(&store);
    for (at, id) in (40..).zip(&ids) {
        let by = if at % 3 == 0 { "a" } else { "b" };
        let lease = [("Change", "claim"), ("Fence", "1"), ("Lease-Until", "1999999999999")];
        let draft = match at % 5 {
            0 => exact::odd(*id, &lease),
            1 => {
                end(&store, by, at, *id, stepped(&told(&store, *id), Step::Finish, by, at).unwrap());
                continue;
            }
            2 => comment(&get(&store, *id), &format!("as {} is", ids[0])).unwrap(),
            3 => crate::undo::draft(*id, "x").unwrap(),
            _ => exact::odd(*id, &[("Change", "claim"), ("Fence", "0")]),
        };
        write(&store, by, at, draft);
    }
    is_the_same(&store);
}

#[test]
fn a_task_that_waits_for_many_is_told_whole() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let ids: Vec<EntryId> = (0..12).map(|at| make(&store, at, &format!("task {at}"), |_| ())).collect();
    let last = make(&store, 12, "last", |new| new.needs.clone_from(&ids));
    end(&store, "a", 13, ids[3], stepped(&told(&store, ids[3]), Step::Finish, "a", 13).unwrap());
    is_the_same(&store);
    let refused = take(&store, &stamp("a", 14), &alias(last), HOUR);
    assert!(matches!(refused, Err(TakeError::Task(TaskError::Waits { needs, .. })) if needs.len() == 11));
}
