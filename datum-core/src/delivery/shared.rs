//! Delivery from clones that come and go: one log of the agent's for all of them, kept at the vessel itself.
//!
//! Such a clone keeps no outbox, so a bottle is written on top of the log that the vessel holds and pushed at once. When
//! another run was faster, the log is fetched again and the bottle written on top of that.

use super::{Delivery, outbox, tracking};
use crate::append::{self, Target};
use crate::entry::Draft;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::lineage::Lineage;
use crate::name::AgentName;
use crate::refs::{Move, ref_name};
use crate::stamp::{Stamp, Writer};
use crate::store::{Store, StoreError};
use crate::sync::SyncError;
use crate::transport::{Condition, Push, Pushed, Remote, TransportError, Trouble};
use crate::wait::{Wait, jitter};

/// How often others may be faster before this gives up.
const ROUNDS_MAX: u32 = 200;

impl Store {
    /// Writes bottles for `vessel` and pushes them at once, on top of what it holds of this agent's.
    ///
    /// # Errors
    /// [`SyncError`] when this repository cannot be written, or the vessel cannot be reached or holds a log that cannot
    /// be believed. Where the connection was lost in the push, the bottles may have arrived.
    pub fn post_now(
        &self,
        vessel: &AgentName,
        stamp: &Stamp,
        remote: &Remote,
        drafts: &[Draft],
    ) -> Result<Delivery, SyncError> {
        let writer = self.writer_for(&stamp.agent, vessel)?;
        let name = ref_name(Kind::Bottle, &writer);
        let target = Target { kind: Kind::Bottle, writer: &writer, signed: true };
        for round in 0..ROUNDS_MAX {
            let old = remote.find(&name)?;
            if let Some(old) = old {
                self.look_at(remote, &writer, &name, stamp, old)?;
            }
            let before = self.outbox_alone(vessel)?;
            let written = append::write(self, target, stamp, old, &before, drafts)?;
            let push = Push { name: name.clone(), new: Some(written.tip), condition: Condition::From(old) };
            let answer = match remote.push(&[push]) {
                Ok(mut answers) => answers.pop(),
                // The connection may have been lost before the push or after it.
                Err(error) => match remote.find(&name) {
                    Ok(Some(there)) if there == written.tip => Some(Pushed::Done),
                    _ => return Err(error.into()),
                },
            };
            match answer {
                Some(Pushed::Done | Pushed::Current) => {
                    self.note_sent(vessel, &writer, stamp, written.tip)?;
                    return Ok(Delivery { sent: written.ids, refused: None });
                }
                Some(Pushed::Refused(why)) => {
                    return Ok(Delivery { sent: Vec::new(), refused: Some((written.ids, why)) });
                }
                Some(Pushed::Moved) | None => std::thread::sleep(jitter() * (1 + round.min(20))),
            }
        }
        let why = "others were faster each time";
        Err(TransportError::new(remote.location(), "deliver", Trouble::Refused, why).into())
    }

    /// Fetches and checks the log that a vessel holds.
    fn look_at(
        &self,
        remote: &Remote,
        writer: &Writer,
        name: &str,
        stamp: &Stamp,
        tip: EntryId,
    ) -> Result<(), SyncError> {
        if !self.odb.exists(tip) {
            remote.fetch([name])?;
        }
        let checked = Lineage::read(&self.odb, Kind::Bottle, writer, tip)
            .and_then(|lineage| lineage.verify(None, stamp.now));
        checked.map_err(|doubt| StoreError::Log { name: name.to_owned(), message: doubt.why }.into())
    }

    /// Notes what the vessel holds now, so that `bottle sent` in this run knows of it.
    fn note_sent(
        &self,
        vessel: &AgentName,
        writer: &Writer,
        stamp: &Stamp,
        new: EntryId,
    ) -> Result<(), StoreError> {
        for name in
            [format!("{}{writer}", outbox(vessel)), format!("{}{}/{writer}", tracking(vessel), Kind::Bottle)]
        {
            let old = self.refs.find(&name)?;
            let to = Move { name: &name, old, new, stamp, reason: "datum: deliver", sync: false };
            Wait::new(self).swap(&to)?;
        }
        Ok(())
    }
}
