//! The command line as clap reads it; each command's own arguments stand with the command.

use crate::cmd;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// The formats a result can be asked for in; audits and reports know more than the four of all commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Asked {
    /// For people.
    Text,
    /// One JSON value, of a documented and versioned shape.
    Json,
    /// One JSON value a line, for lists.
    Ndjson,
    /// Markdown.
    Md,
    /// One page that needs nothing else.
    Html,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations and step summary of GitHub Actions.
    Github,
    /// JUnit's XML, for test reports.
    Junit,
}

impl Asked {
    /// The name on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// The format of the renderer; `None` where a command renders by itself.
    pub(crate) fn plain(self) -> Option<Format> {
        match self {
            Self::Text => Some(Format::Text),
            Self::Json => Some(Format::Json),
            Self::Ndjson => Some(Format::Ndjson),
            Self::Md => Some(Format::Md),
            Self::Html | Self::Sarif | Self::Github | Self::Junit => None,
        }
    }
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Options of every command")]
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
    /// Write as AGENT-shared, for clones that come and go [default: on where CI is set]
    #[arg(long, global = true)]
    pub(crate) ephemeral: bool,
    /// Print results as text, json, ndjson or md (audit and report know more)
    #[arg(long, value_name = "FORMAT", global = true, default_value = "text", hide_possible_values = true)]
    pub(crate) format: Asked,
    /// Say nothing but results and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// Git as the state of agent fleets.
#[derive(Debug, Parser)]
#[command(name = "datum", version, propagate_version = true, disable_help_subcommand = true)]
#[command(
    after_help = "Examples:\n  datum boot heron-vessel\n  datum journal REPAIR 'Fixed the bilge pump' --tag pump\n  datum bottle check\n  datum task claim --next\n  datum sync\n  datum status --watch"
)]
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
    /// Set an agent up: declaration, keys, hooks, sync, token, first words and tasks
    Onboard(cmd::onboard::Onboard),
    /// Say what the repository holds
    Status(cmd::status::Status),
    /// Look through journal, inbox, board, agents and audits on a terminal
    Tui(cmd::tui::Tui),
    /// Show what was done last and what waits
    Resume(cmd::status::Resume),
    /// Record work in the journal, or list it
    Journal(cmd::journal::Journal),
    /// Drop, list, read and answer bottles
    Bottle(cmd::bottle::Bottles),
    /// Make, change, claim and list tasks
    Task(cmd::task::TaskCommand),
    /// Show the board, find agents, and give them tasks
    Oracle(cmd::oracle::Oracle),
    /// Show any entry by its id
    Show(cmd::show::Show),
    /// Hide an entry (an undo can itself be undone)
    Undo(cmd::undo::Undo),
    /// Bring the logs here and at another repository to the same state
    Sync(cmd::sync::Sync),
    /// Take in logs that came as a file, as a branch or from another repository
    Absorb(cmd::absorb::Absorb),
    /// Know the vessels of the fleet and what they can do
    Fleet(cmd::fleet::Fleet),
    /// Audit a repository by rules
    Audit(cmd::audit::Audit),
    /// Profile repositories: languages, lines, tools, structure, history
    Analyze(cmd::analyze::Analyze),
    /// Check, show and change what this vessel's agent declares
    Capability(cmd::capability::Command),
    /// Show what differs between two commits
    Diff(cmd::diff::Diff),
    /// List commits, newest first, with their I2I parts
    History(cmd::history::History),
    /// Report on a workshop, a fleet of clones, or conformance
    Report(cmd::report::Report),
    /// Make workshops, commit and say why, bring branches together
    Git(cmd::git::Git),
    /// List, register and run tools
    Tools(cmd::tools::Tools),
    /// Run a command within boundaries, with values in its hands
    #[cfg(all(unix, feature = "vault"))]
    Run(cmd::run::Run),
    /// Say what this system can hold a command to
    Sandbox(cmd::sandbox::Sandbox),
    /// List, show, write and run recipes
    Recipe(cmd::recipe::Recipe),
    /// Keep values that only the granted agents can open
    #[cfg(feature = "vault")]
    Vault(cmd::vault::Vault),
    /// The original's names for the vault; access records; boundaries
    #[cfg(feature = "vault")]
    Keeper(cmd::keeper::Keeper),
    /// Start, retire and list agents; make and show an agent's keys
    Agent(cmd::agent::Agent),
    /// Write what a successor needs to know
    Handover(cmd::handover::Handover),
    /// Verify every log: ids, chains, signatures, authors, and that nothing was taken back
    Verify(cmd::verify::Verify),
    /// Claim what only one may do at a time
    Claim(cmd::claim::Claim),
    /// Write the files the fleet reads
    Publish(cmd::publish::Publish),
    /// Take in a JOURNAL.md and file bottles, once
    Import(cmd::import::Import),
    /// Check and list I2I commit subjects
    I2i(cmd::i2i::I2i),
    /// Install, show, prove and remove git hooks that call datum
    Hooks(cmd::hooks::Command),
    /// Run one hook, as git would
    #[command(hide = true)]
    Hook(cmd::hook::Command),
    /// Find what is broken, and repair what can be repaired
    Doctor(cmd::doctor::Doctor),
    /// Keep the state small
    Compact(cmd::compact::Compact),
    /// Say where the bytes are
    Size(cmd::compact::Size),
    /// Print what a shell needs to complete commands
    Completions(cmd::names::Completions),
    /// Write a man page for every command
    Man(cmd::names::Man),
    /// Make the program's other names: keeper, git-agent, oracle, git-datum
    InstallNames(cmd::names::InstallNames),
}

impl Args {
    /// Parses the command line, the program's name first.
    ///
    /// # Errors
    /// What clap has to say, help and version too.
    pub(crate) fn read(arguments: &[OsString]) -> Result<Self, clap::Error> {
        let mut command = alone(arguments).unwrap_or_else(Self::command);
        let read = command.try_get_matches_from_mut(arguments).and_then(|mut matches| {
            Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
        });
        // To take it apart costs a third of a parse, and the process will not run long.
        std::mem::forget(command);
        read
    }
}

/// The command line without its commands.
#[derive(Debug, Parser)]
#[command(name = "datum", version, propagate_version = true, disable_help_subcommand = true)]
struct Root {
    #[command(flatten)]
    global: Global,
}

/// The command line with that command alone that is called; `None` where none is, and clap has to say so.
///
/// With all commands there, clap would make copies of the options of every command for each: most of its time and memory.
fn alone(arguments: &[OsString]) -> Option<clap::Command> {
    let called = called(arguments)?;
    let command = Args::command().find_subcommand(called)?.clone();
    Some(Root::command().subcommand_required(true).subcommand(command))
}

/// The first argument that is no option of every command, if it is no option at all.
fn called(arguments: &[OsString]) -> Option<&str> {
    let mut rest = arguments.iter().skip(1).map(|argument| argument.to_str());
    loop {
        match rest.next()?? {
            "-C" | "--workshop" | "--agent" | "--format" => drop(rest.next()?),
            "-q" | "--quiet" | "--ephemeral" => {}
            option if option.starts_with('-') => return None,
            name => return Some(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_command_alone_is_the_same() {
        let mut whole = Args::command();
        whole.build();
        for command in whole.get_subcommands_mut() {
            let name = command.get_name().to_owned();
            let mut root = alone(&["datum".into(), name.clone().into()]).unwrap();
            root.build();
            let only = root.find_subcommand_mut(&name).unwrap();
            assert_eq!(only.render_long_help().to_string(), command.render_long_help().to_string());
            assert_eq!(only.render_version(), command.render_version());
        }
    }

    #[test]
    fn the_called_command_is_found_behind_options() {
        let check = |line: &str, want: Option<&str>| {
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(called(&arguments), want, "{line}");
        };
        check("datum journal -n 3", Some("journal"));
        check("datum -C dir -q --agent a --format json journal", Some("journal"));
        check("datum --help journal", None);
        check("datum --agent=a journal", None);
        check("datum -C", None);
        check("datum", None);
    }
}
