//! The commands: one file each.

pub(crate) mod hook;
pub(crate) mod hooks;
pub(crate) mod journal;
pub(crate) mod show;
pub(crate) mod undo;

use crate::args::{Args, Command};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;

/// Runs the command that was asked for.
pub(crate) fn run(args: &Args, out: &mut Out) -> Result<Exit, Fault> {
    let edge = Edge::new(&args.global);
    match &args.command {
        Command::Hook(command) => command.run(&edge, out),
        Command::Hooks(command) => command.run(&edge, out),
        Command::Journal(command) => command.run(&edge, out),
        Command::Show(command) => command.run(&edge, out),
        Command::Undo(command) => command.run(&edge, out),
    }
}
