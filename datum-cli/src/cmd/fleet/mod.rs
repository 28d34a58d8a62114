//! `datum fleet`: the vessels that are known, and the repositories of an organisation.

pub(crate) mod vessels;

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;

/// The vessels of the fleet.
#[derive(Debug, clap::Args)]
pub(crate) struct Fleet {
    #[command(subcommand)]
    command: Command,
}

/// What to do with the fleet.
#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Add a vessel to the fleet list, or give it another address
    Add(vessels::Add),
    /// List the vessels
    List(vessels::List),
    /// Remove a vessel from the list
    Remove(vessels::Remove),
    /// Look at each vessel: what it declares, when it was last active, how many logs it holds
    Discover(vessels::Discover),
    /// Say who can do something, best first
    Who(vessels::Who),
}

impl Fleet {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        match &self.command {
            Command::Add(command) => command.run(edge, out),
            Command::List(command) => command.run(edge, out),
            Command::Remove(command) => command.run(edge, out),
            Command::Discover(command) => command.run(edge, out),
            Command::Who(command) => command.run(edge, out),
        }
    }
}
