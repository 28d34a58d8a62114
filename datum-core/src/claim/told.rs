//! Claims and the entries that tell of them: both, or neither.
//!
//! Whatever may end a claim, or keep one from being made, is appended under the lock of its ref, and only if no log of the
//! kind has moved since it was decided: of two who finish and claim the same task at once, one sees what the other did.

use super::{Claim, Name, Outcome, Wish, ref_name};
use crate::append::{Decision, Target};
use crate::entry::Draft;
use crate::kind::Kind;
use crate::name::AgentName;
use crate::refs::{self, Beside};
use crate::snapshot::Snapshot;
use crate::stamp::{Millis, Stamp};
use crate::store::{Applied, Store, StoreError};

/// Takes a wish, and answers with the claim's number and the end of its lease, or with the claim as it is.
pub(crate) type Step<'a> = &'a mut dyn FnMut(Wish) -> Result<(u64, Millis), Outcome>;

/// What is said of a claim by an entry that does not make it.
pub(crate) struct Saying {
    pub(crate) name: Name,
    pub(crate) draft: Draft,
    pub(crate) ends: Ends,
}

/// Which claim an entry ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ends {
    /// None.
    Nothing,
    /// The writer's own, if it has one.
    Own,
    /// That of this agent with this number: it is said never to have been made.
    Of(AgentName, u64),
}

impl Store {
    /// Makes a step of the claim `name` for `claimant` as `decide` wishes, and appends what it drafts to the log of
    /// `stamp.agent`.
    ///
    /// `decide` is called as that of [`Store::apply`], first with `seen`. The answer is what the append came to, or the
    /// claim as it is.
    ///
    /// # Errors
    /// What `decide` answers with, and [`StoreError`]; then nothing was claimed and nothing appended, unless the disk
    /// failed between the two: then the log tells of a claim that was not made.
    pub(crate) fn claim_and_tell<'s, E: From<StoreError>>(
        &'s self,
        name: &Name,
        claimant: &Stamp,
        (kind, stamp): (Kind, &Stamp),
        mut seen: Option<Snapshot<'s>>,
        mut decide: impl FnMut(&Snapshot<'_>, Step<'_>) -> Result<Result<Draft, Outcome>, E>,
    ) -> Result<Result<Applied, Outcome>, E> {
        let (writer, holder) = (self.writer(&stamp.agent)?, self.writer(&claimant.agent)?);
        let look = || seen.take().map_or_else(|| self.snapshot_of(&[kind], None), Ok);
        let mut refused = None;
        let log = refs::ref_name(kind, &writer);
        let applied = self.append(Target::of(kind, &writer), &log, stamp, look, |snapshot| {
            let now = self.find_claim(name)?;
            let mut next = None;
            let mut step = |wish: Wish| {
                let step = wish.decide(name, claimant, &holder, now.as_ref())?;
                let numbers = (step.1.fencing, step.1.until);
                next = Some(step);
                Ok(numbers)
            };
            let draft = match decide(snapshot, &mut step)? {
                Ok(draft) => draft,
                Err(answer) => {
                    refused = Some(answer);
                    return Ok(Decision::default());
                }
            };
            let old = now.map(|claim| claim.id);
            let mut beside = Vec::new();
            if let Some(step) = next {
                let new = self.write_claim(claimant, &holder, old, &step, "")?;
                beside.push(Beside { name: ref_name(name), old, new });
            }
            Ok::<_, E>(Decision { drafts: vec![draft], beside, stay: Vec::new() })
        })?;
        Ok(refused.map_or(Ok(applied), Err))
    }

    /// Appends what `decide` says to the log of `stamp.agent`, and releases the claims that it ends.
    ///
    /// # Errors
    /// As [`Store::claim_and_tell`].
    pub(crate) fn tell_of_claims<E: From<StoreError>>(
        &self,
        kind: Kind,
        stamp: &Stamp,
        mut decide: impl FnMut(&Snapshot<'_>) -> Result<Vec<Saying>, E>,
    ) -> Result<Applied, E> {
        let writer = self.writer(&stamp.agent)?;
        let log = refs::ref_name(kind, &writer);
        self.append(
            Target::of(kind, &writer),
            &log,
            stamp,
            || self.snapshot(),
            |snapshot| {
                let mut decision = Decision::default();
                for Saying { name, draft, ends } in decide(snapshot)? {
                    let now = self.find_claim(&name)?;
                    let old = now.as_ref().map(|claim| claim.id);
                    let held = now.as_ref().filter(|claim| match &ends {
                        Ends::Nothing => false,
                        Ends::Own => claim.holder == writer,
                        Ends::Of(agent, number) => {
                            (claim.holder.agent(), claim.fencing) == (agent.as_str(), *number)
                        }
                    });
                    let release = |claim: &Claim| {
                        let wish = Wish::Release { fencing: claim.fencing };
                        wish.decide(&name, stamp, &claim.holder, Some(claim)).ok()
                    };
                    match held.and_then(release) {
                        Some(step) => {
                            let new = self.write_claim(stamp, &writer, old, &step, "")?;
                            decision.beside.push(Beside { name: ref_name(&name), old, new });
                        }
                        None => decision.stay.push((ref_name(&name), old)),
                    }
                    decision.drafts.push(draft);
                }
                Ok(decision)
            },
        )
    }
}
