//! `datum agent`: what concerns one agent itself.

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;

/// What concerns one agent itself.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  datum agent keys new --declare\n  datum agent keys show")]
pub(crate) struct Agent {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// The keys it signs with and opens secrets with
    Keys(super::agent_keys::Keys),
}

impl Agent {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        match &self.command {
            Command::Keys(keys) => keys.run(edge, out),
        }
    }
}
