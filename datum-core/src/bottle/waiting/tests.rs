//! What waits is what the inbox says.

use super::*;
use crate::bottle::{Drop, acknowledgement, draft, inbox, read_receipt};
use crate::kind::Kind;
use crate::name::AgentName;
use crate::testing::{NOW, repository, stamp};
use crate::{Draft, Store, StoreError};
use proptest::prelude::*;
use std::collections::BTreeSet;

const AGENTS: [&str; 3] = ["a", "b", "c"];

/// What an agent does: which, when, to whom, and with which of the bottles before.
#[derive(Debug, Clone)]
struct Deed {
    by: usize,
    at: Millis,
    verb: usize,
    to: usize,
    which: prop::sample::Index,
    deadline: Option<Millis>,
}

fn deed() -> impl Strategy<Value = Deed> {
    let deadline = prop::option::of(NOW..NOW + 200);
    (0..3usize, 0..100u64, 0..8usize, 0..4usize, any::<prop::sample::Index>(), deadline)
        .prop_map(|(by, at, verb, to, which, deadline)| Deed { by, at, verb, to, which, deadline })
}

fn briefs<'a>(found: impl Iterator<Item = Brief<'a>>) -> Vec<EntryId> {
    found.map(|brief| brief.id).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn what_waits_is_what_the_inbox_says(deeds in prop::collection::vec(deed(), 1..25)) {
        let dir = repository(&[]);
        let store = Store::open(dir.path()).unwrap();
        let mut said: Vec<EntryId> = Vec::new();
        for deed in deeds {
            let old = (!said.is_empty()).then(|| said[deed.which.index(said.len())]);
            let to = Recipient::parse_list(["a", "b", "c", "any-vessel"][deed.to]).unwrap();
            let (subject, text, kind, deadline) = ("Subject", "x", "message", deed.deadline);
            let reply = old.filter(|_| deed.verb == 1);
            let drop = Drop { to: &to, subject, text, kind, priority: None, deadline, in_reply_to: reply };
            let draft = match (deed.verb, old) {
                (2, Some(old)) => read_receipt(&[old]).unwrap(),
                (3, Some(old)) => acknowledgement(&[old], "").unwrap(),
                (4, Some(old)) => crate::bottle::sightings(&[old]).unwrap().remove(0),
                (5, Some(old)) => undo::draft(old, "x").unwrap(),
                _ => draft(&drop).unwrap(),
            };
            let by = stamp(AGENTS[deed.by], deed.at);
            said.extend(store.apply::<StoreError>(Kind::Bottle, &by, |_| Ok(vec![draft.clone()])).unwrap().ids);
        }
        let snapshot = store.snapshot().unwrap();
        let (all, now) = (inbox(&snapshot).unwrap().bottles, NOW + 100);
        for name in AGENTS {
            let me = Me { name: AgentName::new(name).unwrap(), role: None, capabilities: BTreeSet::new() };
            let found = waiting(&snapshot, &me, now).unwrap();
            let mine = all.iter().filter(|b| b.is_for(&me));
            let unread: Vec<_> = mine.filter(|b| b.is_new_to(&me.name)).map(|b| b.id).collect();
            prop_assert_eq!(briefs(found.unread()), unread);
            let concerns = |b: &&crate::bottle::Bottle| b.is_for(&me) || b.from_agent.as_ref() == Some(&me.name);
            let late = all.iter().filter(|b| b.is_overdue(now)).filter(concerns).map(|b| b.id);
            prop_assert_eq!(briefs(found.overdue()), late.collect::<Vec<_>>());
        }
    }
}

#[test]
fn all_that_waits_is_there_and_what_was_read_is_not_made() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let mut at = 0;
    let mut say = |agent: &str, draft: Draft| {
        at += 1;
        store.apply::<StoreError>(Kind::Bottle, &stamp(agent, at), |_| Ok(vec![draft.clone()])).unwrap().ids
            [0]
    };
    let bottle = |to: &str, deadline, in_reply_to| {
        let to = Recipient::parse_list(to).unwrap();
        let subject = "Subject";
        draft(&Drop { to: &to, subject, text: "x", kind: "message", priority: None, deadline, in_reply_to })
            .unwrap()
    };
    let unread = say("b", bottle("a", None, None));
    let read = say("b", bottle("a,c", None, None));
    let acknowledged = say("b", bottle("a", Some(NOW + 50), None));
    let answered = say("b", bottle("a", None, None));
    let late = say("a", bottle("b", Some(NOW + 50), None));
    let of_others = say("b", bottle("c", None, None));
    let for_any = say("b", bottle("any-vessel", None, None));
    say("a", read_receipt(&[read]).unwrap());
    say("a", acknowledgement(&[acknowledged], "").unwrap());
    say("a", bottle("b", None, Some(answered)));
    let snapshot = store.snapshot().unwrap();
    let me = Me { name: AgentName::new("a").unwrap(), role: None, capabilities: BTreeSet::new() };
    let all = inbox(&snapshot).unwrap().bottles;
    let ids = |wanted: &dyn Fn(&crate::bottle::Bottle) -> bool| -> Vec<EntryId> {
        all.iter().filter(|bottle| wanted(bottle)).map(|bottle| bottle.id).collect()
    };
    let now = NOW + 100;
    let found = waiting(&snapshot, &me, now).unwrap();
    assert_eq!(briefs(found.unread()), [for_any, unread]);
    assert_eq!(briefs(found.overdue()), [late]);
    assert_eq!(briefs(found.unread()), ids(&|b| b.is_for(&me) && b.is_new_to(&me.name)));
    assert_eq!(briefs(found.overdue()), ids(&|b| b.is_overdue(now)));
    let first = found.unread().nth(1).unwrap();
    assert_eq!((first.from, first.kind), (Some("b"), Some("message")));
    assert!(![read, answered, of_others].iter().any(|id| briefs(found.unread()).contains(id)));
}
