//! The command line as clap reads it; each command's own arguments stand with the command.

use crate::cmd;
use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON value, of a documented and versioned shape.
    Json,
    /// One JSON value a line, for lists.
    Ndjson,
    /// Markdown.
    Md,
}

/// Options of every command.
#[derive(Debug, clap::Args)]
pub(crate) struct Global {
    /// Run as if started in DIR
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub(crate) dir: Option<PathBuf>,
    /// The repository to work on (the same as -C)
    #[arg(long, value_name = "PATH", global = true, conflicts_with = "dir")]
    pub(crate) workshop: Option<PathBuf>,
    /// Act as this agent [default: $DATUM_AGENT, or the name in CAPABILITY.toml]
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) agent: Option<String>,
    /// Write as <agent>-shared, for clones that come and go [default: on where CI is set]
    #[arg(long, global = true)]
    pub(crate) ephemeral: bool,
    /// Print results as text, json, ndjson or md
    #[arg(long, value_name = "FORMAT", global = true, default_value = "text", hide_possible_values = true)]
    pub(crate) format: Format,
    /// Say nothing but results and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// Git as the state of agent fleets.
#[derive(Debug, Parser)]
#[command(name = "datum", version, propagate_version = true, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Make or adopt a vessel and show what is there
    Boot(cmd::boot::Boot),
    /// Say what the repository holds
    Status(cmd::status::Status),
    /// Show what was done last and what waits
    Resume(cmd::status::Resume),
    /// Record work in the journal, or list it
    Journal(cmd::journal::Journal),
    /// Drop, list, read and answer bottles
    Bottle(cmd::bottle::Bottles),
    /// Make, change, claim and list tasks
    Task(cmd::task::TaskCommand),
    /// Write the files the fleet reads
    Publish(cmd::publish::Publish),
    /// Take in a JOURNAL.md and file bottles, once
    Import(cmd::import::Import),
    /// Check and list I2I commit subjects
    I2i(cmd::i2i::I2i),
    /// Show any entry by its id
    Show(cmd::show::Show),
    /// Bring the logs here and at another repository to the same state
    Sync(cmd::sync::Sync),
    /// Hide an entry (an undo can itself be undone)
    Undo(cmd::undo::Undo),
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        super::Args::command().debug_assert();
    }
}
