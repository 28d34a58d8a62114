//! What became of a plan, repository by repository, so that a rerun goes on where the last one stopped.

use super::plan::{Change, Plan};
use crate::entry::{Draft, DraftError};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::snapshot::Snapshot;
use crate::stamp::Millis;
use crate::undo;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// The trailer that names the plan.
const APPLIES: &str = "Applies";
/// The trailer that tells how many writes the host counts, where there were any.
const WRITES: &str = "Writes";

/// How it ended for one repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// It was changed.
    Done,
    /// It was already so.
    Unchanged,
    /// It must not or cannot be changed; trying again is no use.
    Refused,
    /// It went wrong; trying again may help.
    Failed,
}

/// What became of one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The repository's id.
    pub id: String,
    /// Its name at that time.
    pub name: String,
    /// How it ended.
    pub ended: Ended,
    /// What was done, or why not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// Drafts the entry that tells what became of some repositories of a plan, and how many `writes` the host counts for it.
///
/// # Errors
/// [`DraftError`] for outcomes over 64 MiB.
pub fn draft_outcomes(plan: EntryId, outcomes: &[Outcome], writes: u64) -> Result<Draft, DraftError> {
    let count = |ended| outcomes.iter().filter(|outcome| outcome.ended == ended).count();
    let subject = format!(
        "Applied to {} repositories: {} done, {} unchanged, {} refused, {} failed",
        outcomes.len(),
        count(Ended::Done),
        count(Ended::Unchanged),
        count(Ended::Refused),
        count(Ended::Failed)
    );
    let draft = Draft::new(&subject, &super::to_json(&outcomes))?.with(APPLIES, &plan.to_string())?;
    if writes == 0 { Ok(draft) } else { draft.with(WRITES, &writes.to_string()) }
}

/// The writes recorded after the moment `since`: when, and how many; the oldest first.
///
/// Those of every agent and clone count, and for every host: who shares a token cannot be seen here, and a host that is
/// asked too much bans.
pub fn writes(snapshot: &Snapshot<'_>, since: Millis) -> Vec<(Millis, u64)> {
    let mut found = Vec::new();
    // What is undone here was written there all the same.
    snapshot.walk(Kind::Audit, |view| {
        if view.clock() <= since {
            return ControlFlow::Break(());
        }
        found.extend(view.trailer(WRITES).and_then(|text| Some((view.clock(), text.parse().ok()?))));
        ControlFlow::Continue(())
    });
    found.reverse();
    found
}

/// What became of a plan so far: the last outcome of each repository, by its id.
pub fn fold_outcomes(snapshot: &Snapshot<'_>, plan: EntryId) -> BTreeMap<String, Outcome> {
    let mut last: BTreeMap<String, Outcome> = BTreeMap::new();
    undo::walk_visible(snapshot, Kind::Audit, |view| {
        if view.id == plan {
            return ControlFlow::Break(());
        }
        if view.reference(APPLIES) == Some(plan) {
            let outcomes: Vec<Outcome> = super::from_entry(snapshot, &view.to_entry()).unwrap_or_default();
            // Newest first, and within an entry the last word counts.
            for outcome in outcomes.into_iter().rev() {
                last.entry(outcome.id.clone()).or_insert(outcome);
            }
        }
        ControlFlow::Continue(())
    });
    last
}

/// The changes still to be made: those without an outcome, or with `failed` those that went wrong.
pub fn remaining<'p>(plan: &'p Plan, outcomes: &BTreeMap<String, Outcome>, failed: bool) -> Vec<&'p Change> {
    let wanted = |change: &&Change| match outcomes.get(&change.id) {
        None => !failed,
        Some(outcome) => failed && outcome.ended == Ended::Failed,
    };
    plan.changes.iter().filter(wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hygiene::{Action, Repository, draft_plan, latest_plan, plan_tags};
    use crate::testing::{repository, stamp};
    use crate::{Store, StoreError};

    #[test]
    fn a_rerun_goes_on_and_failed_retries_only_those() {
        let dir = repository(&[]);
        let store = Store::open(dir.path()).unwrap();
        let apply = |draft: &Draft| {
            store.apply::<StoreError>(Kind::Audit, &stamp("a", 0), |_| Ok(vec![draft.clone()])).unwrap().ids
                [0]
        };
        let all = ["a", "b", "c"].map(|name| Repository {
            id: name.into(),
            name: name.into(),
            ..Repository::default()
        });
        let plan = plan_tags("Org", &all, |_| vec!["fleet".to_owned()]);
        let id = apply(&draft_plan(&plan).unwrap());
        let outcome =
            |name: &str, ended| Outcome { id: name.into(), name: name.into(), ended, detail: String::new() };
        apply(&draft_outcomes(id, &[outcome("a", Ended::Failed), outcome("b", Ended::Done)], 1).unwrap());
        let left = |failed| {
            let snapshot = store.snapshot().unwrap();
            let (found, plan) = latest_plan(&snapshot, "org", Action::Tag).unwrap();
            assert_eq!(found, id);
            let outcomes = fold_outcomes(&snapshot, id);
            remaining(&plan, &outcomes, failed).iter().map(|change| change.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!((left(false), left(true)), (vec!["c".to_owned()], vec!["a".to_owned()]));
        apply(&draft_outcomes(id, &[outcome("a", Ended::Done)], 0).unwrap());
        assert_eq!((left(false), left(true)), (vec!["c".to_owned()], vec![]));
    }
}
