//! The commands: one file each.

pub(crate) mod absorb;
pub(crate) mod agent;
#[cfg(feature = "vault")]
pub(crate) mod agent_keys;
pub(crate) mod analyze;
pub(crate) mod audit;
pub(crate) mod boot;
pub(crate) mod bottle;
pub(crate) mod bounds;
pub(crate) mod capability;
pub(crate) mod claim;
pub(crate) mod compact;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod fleet;
pub(crate) mod git;
pub(crate) mod handover;
pub(crate) mod history;
pub(crate) mod hook;
pub(crate) mod hooks;
pub(crate) mod i2i;
pub(crate) mod import;
pub(crate) mod journal;
#[cfg(feature = "vault")]
pub(crate) mod keeper;
pub(crate) mod names;
pub(crate) mod onboard;
pub(crate) mod oracle;
pub(crate) mod publish;
pub(crate) mod recipe;
pub(crate) mod report;
#[cfg(all(unix, feature = "vault"))]
pub(crate) mod run;
pub(crate) mod sandbox;
pub(crate) mod show;
pub(crate) mod status;
pub(crate) mod sync;
pub(crate) mod task;
pub(crate) mod tools;
pub(crate) mod tui;
pub(crate) mod undo;
#[cfg(feature = "vault")]
pub(crate) mod vault;
pub(crate) mod verify;
pub(crate) mod within;

use crate::args::{Args, Command};
use crate::edge::{self, Edge};
use crate::fault::{Exit, Fault};
use crate::out::Out;

/// Runs the command that was asked for.
pub(crate) fn run(args: &Args, out: &mut Out) -> Result<Exit, Fault> {
    let global = edge::enter(&args.global)?;
    let edge = Edge::new(&global);
    let asked = args.global.format;
    if asked.plain().is_none()
        && !matches!(args.command, Command::Audit(_) | Command::Fleet(_) | Command::Report(_))
    {
        return Err(Fault::usage(format!("this command does not print {}", asked.name()))
            .hint("--format is text, json, ndjson or md"));
    }
    match &args.command {
        Command::Audit(command) => command.run(&edge, out),
        Command::Agent(command) => command.run(&edge, out),
        Command::Handover(command) => command.run(&edge, out),
        Command::Analyze(command) => command.run(&edge, out),
        Command::Capability(command) => command.run(&edge, out),
        Command::Diff(command) => command.run(&edge, out),
        Command::History(command) => command.run(&edge, out),
        Command::Hook(command) => command.run(&edge, out),
        Command::Hooks(command) => command.run(&edge, out),
        Command::Boot(command) => command.run(&edge, out),
        Command::Onboard(command) => command.run(&edge, out),
        Command::Status(command) => command.run(&edge, out),
        Command::Tui(command) => command.run(&edge, out),
        Command::Resume(command) => command.run(&edge, out),
        Command::Publish(command) => command.run(&edge, out),
        Command::Import(command) => command.run(&edge, out),
        Command::I2i(command) => command.run(&edge, out),
        Command::Fleet(command) => command.run(&edge, out),
        Command::Bottle(command) => command.run(&edge, out),
        Command::Journal(command) => command.run(&edge, out),
        Command::Task(command) => command.run(&edge, out),
        Command::Oracle(command) => command.run(&edge, out),
        Command::Git(command) => command.run(&edge, out),
        Command::Tools(command) => command.run(&edge, out),
        Command::Recipe(command) => command.run(&edge, out),
        Command::Completions(command) => command.run(out),
        Command::Man(command) => command.run(out),
        Command::InstallNames(command) => command.run(&edge, out),
        Command::Claim(command) => command.run(&edge, out),
        Command::Doctor(command) => command.run(&edge, out),
        Command::Report(command) => command.run(&edge, out),
        #[cfg(all(unix, feature = "vault"))]
        Command::Run(command) => command.run(&edge, out),
        Command::Sandbox(command) => Ok(command.run(out)),
        Command::Show(command) => command.run(&edge, out),
        Command::Absorb(command) => command.run(&edge, out),
        Command::Compact(command) => command.run(&edge, out),
        Command::Size(command) => command.run(&edge, out),
        Command::Sync(command) => command.run(&edge, out),
        Command::Undo(command) => command.run(&edge, out),
        #[cfg(feature = "vault")]
        Command::Vault(command) => command.run(&edge, out),
        #[cfg(feature = "vault")]
        Command::Keeper(command) => command.run(&edge, out),
        Command::Verify(command) => command.run(&edge, out),
    }
}
