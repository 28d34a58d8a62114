//! `datum undo`: an entry that hides another.

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::task::{self, Ends, Said};
use datum_core::{AgentName, Kind, undo};

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
        let target = store.snapshot()?.find(&self.id)?;
        let kind = target.kind;
        let draft = undo::draft(target.id, &target.subject)?;
        // What nobody is said to have, nobody must hold.
        let applied = match task::claimed(&target).filter(|_| kind == Kind::Task) {
            Some((task, number, agent)) => {
                let ends = AgentName::new(agent).map_or(Ends::Nothing, |agent| Ends::Of(agent, number));
                task::tell(store, &stamp, |_| {
                    Ok::<_, Fault>(vec![Said { task, draft: draft.clone(), ends: ends.clone() }])
                })?
            }
            None => store.note(kind, &stamp, &[draft])?,
        };
        crate::record::tell_written(out, &applied, kind);
        Ok(Exit::Done)
    }
}
