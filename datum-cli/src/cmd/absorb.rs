//! `datum absorb`: takes in logs that came as a file, as a branch or from another repository.

use crate::cmd::sync::{budget, location, options, stamp, tell, tell_losers};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;

/// Takes in logs that came as a bundle file, as a branch or lie in another repository, and sends nothing.
///
/// What comes is checked as datum sync checks it; absorbing the same twice changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum absorb logs.bundle
  datum absorb origin/agent/oracle1-logs
  datum absorb ../another-clone")]
pub(crate) struct Absorb {
    /// A bundle file, a branch that datum sync --branch has written, an address or a path
    source: String,
    /// Stop after this long; what was done stays done
    #[arg(long, value_name = "TIME", default_value = "2m")]
    budget: String,
    /// The kinds to take, with commas between [default: datum.sync.kinds]
    #[arg(long, value_name = "KINDS")]
    kinds: Option<String>,
}

impl Absorb {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.store()?;
        let options = options(store, self.kinds.as_deref())?;
        let stamp = stamp(edge)?;
        let place = location(edge, &self.source);
        let before = store.snapshot()?;
        let report = match store.find_ref(&self.source) {
            Some(name) if !edge.dir().join(&self.source).exists() => {
                store.absorb_ref(&stamp, &name, &options).map_err(|error| {
                    Fault::usage(error.to_string())
                        .hint("datum sync --branch NAME writes a branch that carries logs")
                })?
            }
            _ => store.absorb(&stamp, &store.remote(&place, budget(&self.budget)?)?, &options)?,
        };
        let exit = tell(out, &self.source, &report, false);
        tell_losers(edge, out, &before, &report)?;
        exit
    }
}
