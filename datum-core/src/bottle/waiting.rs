//! What waits for one reader, without the cost of all that no longer does.

use super::inbox::{Inbox, Me, read};
use super::{ACK, DEADLINE, IN_REPLY_TO, READ, Recipient, TO};
use crate::entry::View;
use crate::id::EntryId;
use crate::odb::ObjectError;
use crate::snapshot::Snapshot;
use std::collections::HashSet;

/// Folds the bottles as [`super::inbox`] does, but leaves out those of the logs that `me` has read and those for others.
///
/// All that are new to `me` are there, and all with a deadline. What was read is known before the bottle itself is met:
/// the walk goes from the newest on. Clocks that disagree can let a bottle through that was read; its stages say so.
///
/// # Errors
/// As [`super::inbox`].
pub fn waiting(snapshot: &Snapshot<'_>, me: &Me) -> Result<Inbox, ObjectError> {
    let mut done: HashSet<EntryId> = HashSet::new();
    read(snapshot, |view| {
        let from_me = view.agent() == me.name.as_str();
        if from_me {
            let read = [READ, ACK].into_iter().flat_map(|key| view.values(key).filter_map(EntryId::from_hex));
            done.extend(read);
            done.extend(view.reference(IN_REPLY_TO));
        }
        view.trailer(DEADLINE).is_some() || (!done.contains(&view.id) && is_for(view, me, from_me))
    })
}

fn is_for(view: &View<'_>, me: &Me, from_me: bool) -> bool {
    view.values(TO).any(|to| {
        to == me.name.as_str() || Recipient::parse(to).is_ok_and(|recipient| me.is_meant(&recipient, from_me))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bottle::{Drop, acknowledgement, draft, inbox, read_receipt};
    use crate::kind::Kind;
    use crate::name::AgentName;
    use crate::testing::{NOW, repository, stamp};
    use crate::{Draft, Store, StoreError};
    use std::collections::BTreeSet;

    #[test]
    fn all_that_waits_is_there_and_what_was_read_is_not_made() {
        let dir = repository(&[]);
        let store = Store::open(dir.path()).unwrap();
        let mut at = 0;
        let mut say = |agent: &str, draft: Draft| {
            at += 1;
            store
                .apply::<StoreError>(Kind::Bottle, &stamp(agent, at), |_| Ok(vec![draft.clone()]))
                .unwrap()
                .ids[0]
        };
        let bottle = |to: &str, deadline, in_reply_to| {
            let to = Recipient::parse_list(to).unwrap();
            let subject = "Subject";
            draft(&Drop {
                to: &to,
                subject,
                text: "x",
                kind: "message",
                priority: None,
                deadline,
                in_reply_to,
            })
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
        let wants = |inbox: Inbox| {
            let mut ids: Vec<_> = inbox
                .bottles
                .iter()
                .filter(|b| (b.is_for(&me) && b.is_new_to(&me.name)) || b.is_overdue(NOW + 100))
                .map(|b| b.id)
                .collect();
            ids.sort();
            ids
        };
        let found = waiting(&snapshot, &me).unwrap();
        assert!(found.bottles.iter().all(|b| ![read, answered, of_others].contains(&b.id)));
        let mut want = vec![unread, late, for_any];
        want.sort();
        assert_eq!(wants(found), want);
        assert_eq!(wants(inbox(&snapshot).unwrap()), want);
    }
}
