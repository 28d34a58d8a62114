//! `datum fleet`: the vessels that are known, and the repositories of an organisation.

mod apply;
mod audit;
mod filter;
mod license;
mod list;
mod look;
mod reach;
mod report;
mod review;
mod scan;
mod show;
mod status;
mod tag;
mod text;
pub(crate) mod vessels;

pub(crate) use audit::audit;

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;

/// The vessels of the fleet; the repositories of an organisation, their health, topics and licences.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum fleet scan --org SuperInstance
  datum fleet report --org SuperInstance --format html > fleet.html
  datum fleet tag --org SuperInstance --add fleet
  datum fleet tag --org SuperInstance --apply")]
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
    /// Scan an organisation's repositories for their health
    Scan(scan::Scan),
    /// Add topics to repositories
    Tag(tag::Tag),
    /// Add a licence to repositories that have none
    License(license::License),
    /// Report on the newest scan
    Report(report::Report),
    /// Report on the local clones below a folder, without the network
    Status(status::Status),
}

impl Fleet {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        match &self.command {
            Command::Add(command) => command.run(edge, out),
            Command::List(command) => command.run(edge, out),
            Command::Remove(command) => command.run(edge, out),
            Command::Discover(command) => command.run(edge, out),
            Command::Who(command) => command.run(edge, out),
            Command::Scan(command) => command.run(edge, out),
            Command::Tag(command) => command.run(edge, out),
            Command::License(command) => command.run(edge, out),
            Command::Report(command) => command.run(edge, out),
            Command::Status(command) => command.run(edge, out),
        }
    }
}
