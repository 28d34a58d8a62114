//! The other names of the program, and what shells and `man` want to know of it.
//!
//! `keeper`, `git-agent`, `oracle` and `git-datum` are this program under another name: it looks at the name it was called
//! by. Targets of their own would be linked four times more, with the whole of the optimisation, for the same code.

use crate::args::Args;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use clap::CommandFactory as _;
use clap_complete::Shell;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// The names, and the command each stands for.
const NAMES: [(&str, Option<&str>); 5] = [
    ("keeper", Some("keeper")),
    ("git-agent", Some("git")),
    ("oracle", Some("oracle")),
    ("git-datum", None),
    ("datum-rt", None),
];

/// The arguments, with the command that the program's name stands for before them.
pub(crate) fn arguments(mut given: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = given.next().into_iter().collect();
    let stem = arguments.first().and_then(|name| Path::new(name).file_stem()).and_then(|stem| stem.to_str());
    let command = NAMES.iter().find(|(name, _)| Some(*name) == stem).and_then(|(_, command)| *command);
    if let (Some(command), Some(name)) = (command, arguments.first_mut()) {
        // So that the help says `datum keeper`, and not `keeper keeper`.
        *name = OsString::from("datum");
        arguments.push(OsString::from(command));
    }
    arguments.extend(given);
    arguments
}

/// A command as a program of its own.
fn command_alone(command: &str) -> Option<clap::Command> {
    use clap::Args as _;
    let alone = clap::Command::new("datum");
    match command {
        "git" => Some(super::git::Git::augment_args(alone)),
        "oracle" => Some(super::oracle::Oracle::augment_args(alone)),
        #[cfg(feature = "vault")]
        "keeper" => Some(super::keeper::Keeper::augment_args(alone)),
        _ => None,
    }
}

/// Prints what a shell needs to complete the commands.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum completions bash > ~/.local/share/bash-completion/completions/datum
  datum completions zsh > ~/.zfunc/_datum
  datum completions fish > ~/.config/fish/completions/datum.fish
  datum completions bash --for git-agent")]
pub(crate) struct Completions {
    /// bash, zsh, fish, elvish or powershell
    shell: Shell,
    /// Complete this other name of the program
    #[arg(long = "for", value_name = "NAME")]
    name: Option<String>,
}

impl Completions {
    pub(crate) fn run(&self, out: &mut Out) -> Result<Exit, Fault> {
        let mut whole = Args::command();
        // Commands are made when they are asked for; here all are.
        whole.build();
        let name = self.name.as_deref().unwrap_or("datum");
        let known = NAMES.iter().find(|(known, _)| *known == name);
        let mut command = match known {
            Some((_, Some(command))) => command_alone(command).ok_or_else(|| {
                Fault::usage(format!("this build has no command {command}, which {name} stands for"))
            })?,
            Some((_, None)) => whole,
            None if name == "datum" => whole,
            None => return Err(Fault::usage(format!("--for: {name:?} is no name of the program"))),
        };
        let mut bytes = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut bytes);
        out.raw(&bytes);
        Ok(Exit::Done)
    }
}

/// Writes a man page for every command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum man ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// Where to write them
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Man {
    pub(crate) fn run(&self, out: &mut Out) -> Result<Exit, Fault> {
        let cannot = |error: std::io::Error| {
            Fault::broken(format!("cannot write {}: {error}", self.folder.display()))
                .hint("name a folder that this user may write")
        };
        fs::create_dir_all(&self.folder).map_err(cannot)?;
        let mut command = Args::command();
        command.build();
        clap_mangen::generate_to(command, &self.folder).map_err(cannot)?;
        // `git datum --help` asks for a page of that name, and so does `man keeper`.
        for (name, command) in &NAMES[..4] {
            let page = command.map_or_else(|| "datum".to_owned(), |command| format!("datum-{command}"));
            if self.folder.join(format!("{page}.1")).exists() {
                let text = format!(".so man1/{page}.1\n");
                fs::write(self.folder.join(format!("{name}.1")), text).map_err(cannot)?;
            }
        }
        let count = fs::read_dir(&self.folder).map_err(cannot)?.count();
        out.line(&format!("wrote {count} pages into {}", self.folder.display()));
        Ok(Exit::Done)
    }
}

/// Makes keeper, git-agent, oracle and git-datum: hard links to this program, or copies where those cannot be made.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum install-names
  datum install-names ~/.local/bin && git datum status

git datum -h is the program's own help; for git datum --help, git asks man for the page that datum man writes.")]
pub(crate) struct InstallNames {
    /// Where to make them [default: beside this program]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Replace what has one of the names
    #[arg(long)]
    force: bool,
}

impl InstallNames {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let program = std::env::current_exe()
            .map_err(|error| Fault::broken(format!("cannot find this program: {error}")))?;
        let beside = || program.parent().map(ToOwned::to_owned);
        let folder = self.folder.as_ref().map(|folder| edge.dir().join(folder)).or_else(beside);
        let folder = folder.ok_or_else(|| Fault::broken("this program lies in no folder"))?;
        let ending =
            program.extension().and_then(|end| end.to_str()).map(|end| format!(".{end}")).unwrap_or_default();
        let places: Vec<PathBuf> =
            NAMES[..4].iter().map(|(name, _)| folder.join(format!("{name}{ending}"))).collect();
        let other = |place: &&PathBuf| place.symlink_metadata().is_ok() && !is_same(place, &program);
        let taken: Vec<String> =
            places.iter().filter(other).map(|place| place.display().to_string()).collect();
        if !taken.is_empty() && !self.force {
            return Err(Fault::usage(format!("{} is something else", taken.join(", ")))
                .hint("nothing was made; --force replaces it"));
        }
        for place in &places {
            let cannot = |error: std::io::Error| {
                Fault::broken(format!("cannot make {}: {error}", place.display()))
                    .hint("name a folder that this user may write")
            };
            fs::create_dir_all(&folder).map_err(cannot)?;
            if place.symlink_metadata().is_ok() {
                fs::remove_file(place).map_err(cannot)?;
            }
            fs::hard_link(&program, place)
                .or_else(|_| fs::copy(&program, place).map(|_| ()))
                .map_err(cannot)?;
            out.line(&place.display().to_string());
        }
        Ok(Exit::Done)
    }
}

/// Whether two files hold the same: a link to this program, or the copy that was made of it.
fn is_same(a: &Path, b: &Path) -> bool {
    matches!((fs::read(a), fs::read(b)), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_stands_for_its_command() {
        for (given, want) in [
            (&["/usr/bin/datum", "status"][..], &["/usr/bin/datum", "status"][..]),
            (&["git-agent", "history"], &["datum", "git", "history"]),
            (&["/x/oracle.exe", "board"], &["datum", "oracle", "board"]),
            (&["git-datum", "status"], &["git-datum", "status"]),
            (&[], &[]),
        ] {
            let arguments = arguments(given.iter().map(OsString::from));
            assert_eq!(arguments, want.iter().map(OsString::from).collect::<Vec<_>>());
        }
    }
}
