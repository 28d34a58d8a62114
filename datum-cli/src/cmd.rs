//! The commands: one file each.

#[cfg(feature = "vault")]
pub(crate) mod agent;
#[cfg(feature = "vault")]
pub(crate) mod agent_keys;
pub(crate) mod journal;
pub(crate) mod show;
pub(crate) mod undo;
pub(crate) mod verify;

use crate::args::{Args, Command};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;

/// Runs the command that was asked for.
pub(crate) fn run(args: &Args, out: &mut Out) -> Result<Exit, Fault> {
    let edge = Edge::new(&args.global);
    match &args.command {
        #[cfg(feature = "vault")]
        Command::Agent(command) => command.run(&edge, out),
        Command::Journal(command) => command.run(&edge, out),
        Command::Show(command) => command.run(&edge, out),
        Command::Undo(command) => command.run(&edge, out),
        Command::Verify(command) => command.run(&edge, out),
    }
}
