//! A writer who writes again: the log gets its ref back, and begins an epoch where the adopted one ends.

use super::container::Sealed;
use crate::kind::Kind;
use crate::refs::{Move, ref_name};
use crate::stamp::{Stamp, Writer};
use crate::store::{Store, StoreError};
use crate::wait::Wait;

impl Store {
    /// Gives an adopted log of this clone its ref back, or brings one forward that is shorter.
    pub(crate) fn revive(
        &self,
        wait: &mut Wait<'_>,
        stamp: &Stamp,
        kind: Kind,
        writer: &Writer,
        sealed: &Sealed,
    ) -> Result<(), StoreError> {
        let new = self.write_epoch_on(stamp, kind, writer, sealed)?;
        let name = ref_name(kind, writer);
        let old = self.refs.find(&name)?;
        if let Some(tip) = old
            && !self.sealed_holds(&(kind, writer.clone()), sealed, tip)
        {
            let message =
                "it goes on otherwise than where others adopted it; datum sync keeps both".to_owned();
            return Err(StoreError::Log { name, message });
        }
        let to = Move { name: &name, old, new, stamp, reason: "datum: revive", sync: true };
        // Whoever was faster has done the same.
        wait.swap(&to).map(|_| ())
    }
}
