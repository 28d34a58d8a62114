//! Claims at another repository: the same states, and the push that only one can win.
//!
//! `git push --force-with-lease=<ref>:<old>` moves a ref from exactly the value that was seen, or makes it, at any host of
//! git. What was seen there is noted here, beside the claims of this repository, which are others.

use super::{Claim, MARK, Name, Outcome, Wish, outcome, ref_name};
use crate::id::EntryId;
use crate::refs::{CLAIMS, Move};
use crate::stamp::{Millis, Stamp};
use crate::store::{Store, StoreError};
use crate::sync::{SyncError, TRACKING};
use crate::transport::{Condition, Push, Pushed, Remote, TransportError, Trouble};
use crate::wait::{Wait, jitter};
use std::hash::{BuildHasher as _, RandomState};

/// How often others may be faster before this gives up.
const ROUNDS_MAX: u32 = 200;

impl Store {
    /// Claims `name` at `remote` for `lease` milliseconds, if nobody holds it there.
    ///
    /// Of any number of clones that ask, one wins. The claims of this repository itself are not looked at.
    ///
    /// # Errors
    /// [`SyncError`] when this repository cannot be written, or the other cannot be reached or refuses claims. Where the
    /// connection was lost in the push, whether it was claimed is not known: [`Store::find_claim_at`] tells.
    pub fn claim_at(
        &self,
        remote: &Remote,
        name: &Name,
        stamp: &Stamp,
        lease: Millis,
    ) -> Result<Outcome, SyncError> {
        self.claim_at_beyond(remote, name, stamp, lease, 0)
    }

    /// Claims as [`Store::claim_at`] does, also where the number held is no greater than `told`: it is known to have ended.
    pub(crate) fn claim_at_beyond(
        &self,
        remote: &Remote,
        name: &Name,
        stamp: &Stamp,
        lease: Millis,
        told: u64,
    ) -> Result<Outcome, SyncError> {
        self.step_at(remote, name, stamp, Wish::Take { lease, told })
    }

    /// Renews a claim that the caller holds at `remote` under the number `fencing`.
    ///
    /// # Errors
    /// As [`Store::claim_at`].
    pub fn renew_at(
        &self,
        remote: &Remote,
        name: &Name,
        stamp: &Stamp,
        fencing: u64,
        lease: Millis,
    ) -> Result<Outcome, SyncError> {
        self.step_at(remote, name, stamp, Wish::Renew { fencing, lease })
    }

    /// Gives back a claim that the caller holds at `remote` under the number `fencing`.
    ///
    /// # Errors
    /// As [`Store::claim_at`].
    pub fn release_at(
        &self,
        remote: &Remote,
        name: &Name,
        stamp: &Stamp,
        fencing: u64,
    ) -> Result<Outcome, SyncError> {
        self.step_at(remote, name, stamp, Wish::Release { fencing })
    }

    /// The state of the claim `name` at `remote`; `None` if nobody ever claimed it there.
    ///
    /// # Errors
    /// [`SyncError`] when it cannot be asked, or what is there is no claim.
    pub fn find_claim_at(&self, remote: &Remote, name: &Name) -> Result<Option<Claim>, SyncError> {
        let found = remote.find(&ref_name(name))?;
        found.map(|id| self.claim_from(remote, name, id)).transpose()
    }

    /// All claims at `remote`, by name, and the names of those that are none.
    ///
    /// # Errors
    /// [`SyncError`] when it cannot be asked.
    pub fn claims_at(&self, remote: &Remote) -> Result<(Vec<Claim>, Vec<String>), SyncError> {
        let refs = remote.list(&[])?;
        let found =
            |(name, id): (&String, &EntryId)| Some((Name::new(name.strip_prefix(CLAIMS)?).ok()?, *id));
        let found: Vec<_> = refs.iter().filter_map(found).collect();
        let absent: Vec<_> = found.iter().filter(|(_, id)| !self.odb.exists(*id)).collect();
        let names: Vec<_> = absent.iter().map(|(name, _)| ref_name(name)).collect();
        remote.fetch(names.iter().map(String::as_str))?;
        let (mut claims, mut none) = (Vec::new(), Vec::new());
        for (name, id) in found {
            match self.read_claim(&name, id) {
                Ok(claim) => claims.push(claim),
                Err(_) => none.push(name.to_string()),
            }
        }
        Ok((claims, none))
    }

    /// The claim whose commit `id` was seen at `remote`, fetched if it is not here.
    fn claim_from(&self, remote: &Remote, name: &Name, id: EntryId) -> Result<Claim, SyncError> {
        if !self.odb.exists(id) {
            remote.fetch([ref_name(name).as_str()])?;
        }
        Ok(self.read_claim(name, id)?)
    }

    fn step_at(&self, remote: &Remote, name: &Name, stamp: &Stamp, wish: Wish) -> Result<Outcome, SyncError> {
        let ref_name = ref_name(name);
        let writer = self.writer(&stamp.agent)?;
        for round in 0..ROUNDS_MAX {
            let now = self.find_claim_at(remote, name)?;
            let step = match wish.decide(name, stamp, &writer, now.as_ref()) {
                Ok(step) => step,
                Err(answer) => return Ok(answer),
            };
            let old = now.map(|claim| claim.id);
            // Two runs of one agent in the same millisecond must not write the same commit, or both would have won.
            let mark = format!("{MARK}{:016x}\n", RandomState::new().hash_one(std::process::id()));
            let new = self.write_claim(stamp, &writer, old, &step, &mark)?;
            let push = Push { name: ref_name.clone(), new: Some(new), condition: Condition::From(old) };
            let answer = match remote.push(&[push]) {
                Ok(mut answers) => answers.pop(),
                // The connection may have been lost before the push or after it.
                Err(error) => match remote.find(&ref_name) {
                    Ok(Some(there)) if there == new => Some(Pushed::Done),
                    _ => return Err(error.into()),
                },
            };
            match answer {
                Some(Pushed::Done | Pushed::Current) => {
                    self.note_claim(remote, name, stamp, new)?;
                    return Ok(outcome(&step.1));
                }
                Some(Pushed::Refused(why)) => return Err(refused(remote, &why)),
                Some(Pushed::Moved) | None => std::thread::sleep(jitter() * (1 + round.min(20))),
            }
        }
        Err(refused(remote, "others were faster each time"))
    }

    /// Notes what `remote` holds, so that git keeps the objects.
    fn note_claim(
        &self,
        remote: &Remote,
        name: &Name,
        stamp: &Stamp,
        new: EntryId,
    ) -> Result<(), StoreError> {
        let noted = format!("{TRACKING}{}/claim/{name}", remote.name());
        let old = self.refs.find(&noted)?;
        let to = Move { name: &noted, old, new, stamp, reason: "datum: claim", sync: false };
        // Whoever noted something else meanwhile has seen as much.
        Wait::new(self).swap(&to).map(|_| ())
    }
}

fn refused(remote: &Remote, why: &str) -> SyncError {
    TransportError::new(remote.location(), "claim", Trouble::Refused, why).into()
}
