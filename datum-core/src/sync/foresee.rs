//! What a sync would do, for those who only want to know.

use super::adopted::Adoption;
use super::{LogName, Moved, Session};
use crate::adopt::container;
use crate::id::EntryId;
use crate::store::StoreError;
use std::collections::BTreeMap;

impl Session<'_> {
    /// What a sync would do, as far as can be told without fetching.
    pub(super) fn foresee(&mut self, theirs: &BTreeMap<LogName, EntryId>) -> Result<(), StoreError> {
        let ours = self.store.logs(&self.options.kinds)?;
        let adopted = self.store.adopted()?.logs;
        self.foresee_adopted()?;
        let other = |(log, id): &(&LogName, &EntryId)| {
            ours.get(*log) != Some(*id) && adopted.get(*log).is_none_or(|sealed| sealed.tip != **id)
        };
        for (log, id) in theirs.iter().filter(other) {
            let known = self.store.odb.exists(*id)
                && ours.get(log).is_some_and(|tip| self.grown(log, *tip, Some(*id)).is_some());
            if !known {
                self.report.came.push(Moved { log: log.clone(), entries: None });
            }
        }
        let there = self.adopted_there();
        for (log, tip) in ours.into_iter().filter(|((kind, _), _)| !self.options.stays.contains(kind)) {
            let id = theirs.get(&log).copied();
            let adopted = || there.get(&log).is_some_and(|sealed| self.store.sealed_holds(&log, sealed, tip));
            if id != Some(tip)
                && !(id.is_none() && adopted())
                && let Some(entries) = self.grown(&log, tip, id)
            {
                self.report.went.push(Moved { log, entries: Some(entries) });
            }
        }
        Ok(())
    }

    /// What a sync would do with containers.
    fn foresee_adopted(&mut self) -> Result<(), StoreError> {
        let ours = self.own_containers()?;
        let count = |id: &EntryId| container::read(&self.store.odb, *id).map_or(0, |logs| logs.len());
        let mut moves = Vec::new();
        for ((adopter, kind), id) in &self.containers {
            let unknown = !self.store.odb.exists(*id);
            if unknown && ours.get(&(adopter.clone(), *kind)) != Some(id) {
                moves.push(Adoption { adopter: adopter.clone(), kind: *kind, logs: 0, came: true });
            }
        }
        for ((adopter, kind), id) in &ours {
            let stays = self.options.stays.contains(kind);
            if !stays && self.containers.get(&(adopter.clone(), *kind)) != Some(id) {
                moves.push(Adoption { adopter: adopter.clone(), kind: *kind, logs: count(id), came: false });
            }
        }
        self.report.adopted = moves;
        Ok(())
    }
}
