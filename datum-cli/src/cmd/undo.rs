//! `datum undo`: an entry that hides another.

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::undo;

/// Hides an entry; the undo is an entry itself and can be undone.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum undo 3f9a2c")]
pub(crate) struct Undo {
    /// The id of the entry, or the beginning of it
    id: String,
}

impl Undo {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.store()?;
        let stamp = edge.stamp()?;
        // The kind decides which log takes the undo, so it is looked up before the log is.
        let kind = store.snapshot()?.find(&self.id)?.kind;
        let applied = store.apply::<Fault>(kind, &stamp, |snapshot| {
            let target = snapshot.find(&self.id)?;
            Ok(vec![undo::draft(target.id, &target.subject)?])
        })?;
        crate::record::tell_written(out, &applied, kind);
        Ok(Exit::Done)
    }
}
