//! The doctor: finds what is broken below `refs/datum`, and repairs what can be repaired from what is left.
//!
//! Sources of repair: the ref's own log for a ref and for a lost tip; segments for sealed commits; the commits for
//! segments and trees, whose content they determine to the bit, in adopted logs too; and what was fetched into
//! `refs/datum-remote`.
//! Nothing is given up silently: a ref that must step back is told with both values, and an entry of the audit log keeps
//! them.

mod adopted;
mod chain;
mod leftovers;
mod refs;
mod replay;
mod tail;

use crate::entry::Draft;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::stamp::Stamp;
use crate::store::{Store, StoreError};
use std::collections::BTreeSet;

/// What becomes of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is repaired.
    Repaired,
    /// It would be repaired by [`repair`].
    Repairable,
    /// It stays broken.
    Broken,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// What becomes of it.
    pub state: State,
    /// The ref or the file.
    pub place: String,
    /// The object that is the cause.
    pub object: Option<EntryId>,
    /// What is wrong.
    pub problem: String,
    /// What was or would be done, or what still can be read and what may help.
    pub remedy: String,
    /// For a ref that was moved: the value before, where it could be read.
    pub from: Option<EntryId>,
    /// For a ref that was moved: the value after.
    pub to: Option<EntryId>,
}

/// Looks for what is wrong, and changes nothing.
///
/// # Errors
/// [`StoreError`] when the refs cannot be listed.
pub fn examine(store: &Store) -> Result<Vec<Finding>, StoreError> {
    run(store, None)
}

/// Repairs what can be repaired.
///
/// # Errors
/// [`StoreError`] when the refs cannot be listed, or a repair cannot be written.
pub fn repair(store: &Store, stamp: &Stamp) -> Result<Vec<Finding>, StoreError> {
    run(store, Some(stamp))
}

/// One visit of the doctor.
struct Visit<'a> {
    store: &'a Store,
    /// Who repairs; `None` only looks.
    stamp: Option<&'a Stamp>,
    findings: Vec<Finding>,
    /// What the audit log is to keep.
    losses: Vec<Draft>,
    /// Objects that were, or would be, written.
    written: BTreeSet<EntryId>,
}

fn run(store: &Store, stamp: Option<&Stamp>) -> Result<Vec<Finding>, StoreError> {
    let mut visit =
        Visit { store, stamp, findings: Vec::new(), losses: Vec::new(), written: BTreeSet::new() };
    visit.leftovers();
    for (kind, writer, tip) in visit.refs()? {
        visit.log(kind, &writer, tip)?;
    }
    visit.containers()?;
    if let Some(stamp) = stamp
        && !visit.losses.is_empty()
    {
        store.note(Kind::Audit, stamp, &visit.losses)?;
    }
    Ok(visit.findings)
}

impl Visit<'_> {
    /// Notes something that is, or would be, repaired.
    fn mended(&mut self, place: &str, object: Option<EntryId>, problem: String, remedy: String) {
        let state = if self.stamp.is_some() { State::Repaired } else { State::Repairable };
        let place = place.to_owned();
        self.findings.push(Finding { state, place, object, problem, remedy, from: None, to: None });
    }

    /// Notes something that stays broken.
    fn broken(&mut self, place: &str, object: Option<EntryId>, problem: String, remedy: String) {
        let known = |finding: &Finding| finding.object.is_some() && finding.object == object;
        if self.findings.iter().any(|finding| known(finding) && finding.place == place) {
            return;
        }
        let (state, place) = (State::Broken, place.to_owned());
        self.findings.push(Finding { state, place, object, problem, remedy, from: None, to: None });
    }

    /// Notes a ref that steps from one value to another, for good.
    fn moved(&mut self, name: &str, from: Option<EntryId>, to: EntryId, problem: String, remedy: String) {
        let was = from.map_or_else(|| "unreadable".to_owned(), |id| id.to_string());
        let draft = Draft::new(&format!("doctor: repaired {name}"), &remedy)
            .and_then(|draft| draft.with("Ref", name))
            .and_then(|draft| draft.with("From", &was))
            .and_then(|draft| draft.with("To", &to.to_string()));
        self.losses.extend(draft.ok());
        self.mended(name, from, problem, remedy);
        if let Some(finding) = self.findings.last_mut() {
            (finding.from, finding.to) = (from, Some(to));
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests take packs apart")]
mod adopted_tests;
#[cfg(test)]
mod tests;
