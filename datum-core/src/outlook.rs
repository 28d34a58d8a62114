//! What is seen at a glance: who was here last, what audits came since, and what another repository has not been sent.

use crate::adopt::container;
use crate::audit::{self, Recorded};
use crate::entry::View;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::log;
use crate::odb::ObjectError;
use crate::roster::{self, Agent};
use crate::snapshot::Snapshot;
use crate::stamp::Millis;
use crate::store::{Store, StoreError};
use crate::sync::TRACKING;
use crate::undo;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// An agent, and what it wrote here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The agent: its state, and when git last saw it, here or in its own vessel.
    pub agent: Agent,
    /// The clock of its newest entry here; 0 where it wrote none.
    pub wrote: Millis,
    /// Its entries here, of all kinds and from all its clones.
    pub entries: u64,
}

/// The agents that are known, the one seen last first.
///
/// # Errors
/// [`ObjectError`] when the tree cannot be read.
pub fn seen(snapshot: &Snapshot<'_>) -> Result<Vec<Seen>, ObjectError> {
    let mut written: BTreeMap<&str, (Millis, u64)> = BTreeMap::new();
    for (kind, writer, _) in snapshot.tips() {
        let (clock, seq) = snapshot.newest(kind, writer).unwrap_or_default();
        let agent = written.entry(writer.agent()).or_default();
        *agent = (agent.0.max(clock), agent.1 + seq);
    }
    let with_entries = |agent: Agent| {
        let (wrote, entries) = written.get(agent.name.as_str()).copied().unwrap_or_default();
        Seen { agent, wrote, entries }
    };
    let mut seen: Vec<Seen> = roster::read(snapshot)?.into_values().map(with_entries).collect();
    seen.sort_by(|a, b| b.agent.seen.cmp(&a.agent.seen).then_with(|| a.agent.name.cmp(&b.agent.name)));
    Ok(seen)
}

fn clock_and_seq(snapshot: &Snapshot<'_>, tip: EntryId) -> (Millis, u64) {
    log::clock_and_seq(&snapshot.commit(tip).unwrap_or_default()).unwrap_or_default()
}

/// The audits that were recorded, in brief.
#[derive(Debug, Clone, Default)]
pub struct Audits {
    /// Reports recorded after the moment asked for.
    pub since: usize,
    /// The newest report.
    pub newest: Option<Recorded>,
    /// The one of the same type before it.
    pub before: Option<Recorded>,
}

/// Counts the reports recorded after `since`, and finds the newest and the one of the same type before it.
pub fn audits(snapshot: &Snapshot<'_>, since: Millis) -> Audits {
    let mut found = Audits::default();
    undo::walk_visible(snapshot, Kind::Audit, |view: &View<'_>| {
        let Some(of) = view.trailer(audit::AUDIT) else { return ControlFlow::Continue(()) };
        found.since += usize::from(view.clock() > since);
        let report = |wanted: bool| wanted.then(|| audit::read(&snapshot.whole(view))).flatten();
        match &found.newest {
            None => found.newest = report(true),
            Some(newest) => {
                let wanted = found.before.is_none() && newest.report.audit == of;
                found.before = report(wanted).or_else(|| found.before.take());
            }
        }
        let is_all = found.before.is_some() && view.clock() <= since;
        if is_all { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    found
}

/// What another repository had not got when the two last met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unsent {
    /// Whether they ever met.
    pub met: bool,
    /// Logs that go beyond what it holds.
    pub logs: usize,
    /// Entries it has not got.
    pub entries: u64,
}

impl Store {
    /// What `remote`, by its name in `refs/datum-remote/`, had not got of these kinds when it was last met; it is not asked.
    ///
    /// # Errors
    /// [`StoreError`] when the refs cannot be listed.
    pub fn unsent(
        &self,
        snapshot: &Snapshot<'_>,
        remote: &str,
        kinds: &[Kind],
    ) -> Result<Unsent, StoreError> {
        let prefix = format!("{TRACKING}{remote}/");
        let (known, _) = self.refs.list(&prefix)?;
        let known: BTreeMap<_, _> = known.into_iter().collect();
        let mut unsent = Unsent { met: !known.is_empty(), ..Unsent::default() };
        for (kind, writer, tip) in snapshot.tips().filter(|(kind, ..)| kinds.contains(kind)) {
            if snapshot.adopted(kind, writer).is_some() {
                continue;
            }
            let theirs = known.get(&format!("{prefix}{kind}/{writer}")).copied();
            if theirs == Some(tip) {
                continue;
            }
            let ours = clock_and_seq(snapshot, tip).1;
            let theirs = theirs.map_or(0, |theirs| clock_and_seq(snapshot, theirs).1);
            unsent.logs += 1;
            unsent.entries += ours.saturating_sub(theirs);
        }
        // Adopted logs travel together.
        for (name, id) in self.refs.list(container::PREFIX)?.0 {
            let travels = container::parse_name(&name).is_some_and(|(_, kind)| kinds.contains(&kind));
            if travels && known.get(&container::tracked(&prefix, &name)) != Some(&id) {
                let logs = container::read(&self.odb, id)?;
                unsent.logs += logs.len();
                unsent.entries += logs.values().map(|sealed| sealed.count).sum::<u64>();
            }
        }
        Ok(unsent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, append, repository, stamp};
    use crate::{Draft, StoreError};

    #[test]
    fn the_one_seen_last_comes_first() {
        let dir = repository(&[]);
        let store = Store::open(dir.path()).unwrap();
        append(&store, "a", 0, "one");
        append(&store, "b", 5, "two");
        append(&store, "b", 9, "three");
        let seen = seen(&store.snapshot().unwrap()).unwrap();
        let brief: Vec<_> = seen.iter().map(|s| (s.agent.name.as_str(), s.wrote, s.entries)).collect();
        assert_eq!(brief, [("b", NOW + 9, 2), ("a", NOW, 1)]);
    }

    #[test]
    fn audits_since_a_moment_are_counted_and_the_two_newest_of_a_type_found() {
        let dir = repository(&[]);
        let store = Store::open(dir.path()).unwrap();
        for (at, of) in [(0, "vessel"), (10, "workshop"), (20, "vessel")] {
            let report = audit::Report { audit: of.to_owned(), ..audit::Report::default() };
            let draft = audit::draft(&report).unwrap();
            store.apply::<StoreError>(Kind::Audit, &stamp("a", at), |_| Ok(vec![draft.clone()])).unwrap();
        }
        // Access records are of the same kind and no reports.
        let other = Draft::new("read a value", "").unwrap();
        store.apply::<StoreError>(Kind::Audit, &stamp("a", 30), |_| Ok(vec![other.clone()])).unwrap();
        let found = audits(&store.snapshot().unwrap(), NOW + 5);
        assert_eq!(found.since, 2);
        assert_eq!(found.newest.map(|r| (r.report.audit, r.clock)), Some(("vessel".to_owned(), NOW + 20)));
        assert_eq!(found.before.map(|r| r.clock), Some(NOW));
    }

    #[test]
    fn what_was_never_sent_is_counted_whole() {
        let dir = repository(&[]);
        let store = Store::open(dir.path()).unwrap();
        append(&store, "a", 0, "one");
        append(&store, "a", 1, "two");
        let snapshot = store.snapshot().unwrap();
        let unsent = store.unsent(&snapshot, "origin", &Kind::ALL).unwrap();
        assert_eq!(unsent, Unsent { met: false, logs: 1, entries: 2 });
    }
}
