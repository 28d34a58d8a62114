//! A claim and the entry that tells of it: both, or neither.

use super::{Name, Outcome, Wish, ref_name};
use crate::append::Target;
use crate::entry::Draft;
use crate::kind::Kind;
use crate::refs::{self, Beside};
use crate::snapshot::Snapshot;
use crate::stamp::{Millis, Stamp};
use crate::store::{Applied, Store, StoreError};
use std::cell::RefCell;

/// Who wants what of a claim.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a Name,
    pub(crate) stamp: &'a Stamp,
    pub(crate) wish: Wish,
}

impl Store {
    /// Does with a claim what is wanted, if that may be, and appends what `decide` answers to the log of `stamp.agent`.
    ///
    /// `decide` sees the logs of `kind` as they are after the claim was looked at, the claim's number, and when its lease
    /// will end; it is called as that of [`Store::apply`]. The answer is what the append came to, or the claim as it is.
    ///
    /// # Errors
    /// What `decide` answers with, and [`StoreError`]; then nothing was claimed and nothing appended.
    pub(crate) fn claim_and_tell<E: From<StoreError>>(
        &self,
        wanted: Wanted<'_>,
        kind: Kind,
        stamp: &Stamp,
        mut decide: impl FnMut(&Snapshot<'_>, u64, Millis) -> Result<Draft, E>,
    ) -> Result<Result<Applied, Outcome>, E> {
        let Wanted { name, stamp: claimant, wish } = wanted;
        let (writer, holder) = (self.writer(&stamp.agent)?, self.writer(&claimant.agent)?);
        let found = RefCell::new(None);
        // The claim before the logs: whoever took it and gave it back since has moved its ref, and what the logs then said
        // of it is not missed.
        let look = || {
            found.replace(self.find_claim(name)?);
            self.snapshot_of(&[kind], None)
        };
        let mut refused = None;
        let log = refs::ref_name(kind, &writer);
        let applied = self.append(Target::of(kind, &writer), &log, stamp, look, |snapshot| {
            let now = found.take();
            let step = match wish.decide(name, claimant, &holder, now.as_ref()) {
                Ok(step) => step,
                Err(answer) => {
                    refused = Some(answer);
                    return Ok((Vec::new(), None));
                }
            };
            let draft = decide(snapshot, step.1.fencing, step.1.until)?;
            let old = now.map(|claim| claim.id);
            let new = self.write_claim(claimant, &holder, old, &step, "")?;
            let beside = Beside { name: ref_name(name), old, new, reason: "datum: claim" };
            Ok::<_, E>((vec![draft], Some(beside)))
        })?;
        Ok(refused.map_or(Ok(applied), Err))
    }
}
