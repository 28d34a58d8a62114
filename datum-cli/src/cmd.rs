//! The commands: one file each.

pub(crate) mod boot;
pub(crate) mod bottle;
pub(crate) mod i2i;
pub(crate) mod import;
pub(crate) mod journal;
pub(crate) mod publish;
pub(crate) mod show;
pub(crate) mod status;
pub(crate) mod sync;
pub(crate) mod task;
pub(crate) mod undo;

use crate::args::{Args, Command};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;

/// Runs the command that was asked for.
pub(crate) fn run(args: &Args, out: &mut Out) -> Result<Exit, Fault> {
    let edge = Edge::new(&args.global);
    match &args.command {
        Command::Boot(command) => command.run(&edge, out),
        Command::Status(command) => command.run(&edge, out),
        Command::Resume(command) => command.run(&edge, out),
        Command::Publish(command) => command.run(&edge, out),
        Command::Import(command) => command.run(&edge, out),
        Command::I2i(command) => command.run(&edge, out),
        Command::Bottle(command) => command.run(&edge, out),
        Command::Journal(command) => command.run(&edge, out),
        Command::Task(command) => command.run(&edge, out),
        Command::Show(command) => command.run(&edge, out),
        Command::Sync(command) => command.run(&edge, out),
        Command::Undo(command) => command.run(&edge, out),
    }
}
