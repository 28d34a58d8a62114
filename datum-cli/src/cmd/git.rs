//! `datum git`: the git agent, which makes workshops and commits that tell why.

mod commit;
mod file;
mod init;
mod look;
mod smart;
mod template;

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use clap::Subcommand;
use datum_core::worktree::WorkTree;
use std::path::Path;

/// Makes workshops, commits that tell why, and brings branches together.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum git init heron-workshop --owner heron
  datum git commit -m 'pump: new seal' --reasoning 'the old one was brittle'
  datum git sync")]
pub(crate) struct Git {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a workshop from a template
    Init(init::Init),
    /// Clone a repository
    Clone(init::CloneRepository),
    /// List the built-in templates and what they hold
    #[command(after_help = "Examples:\n  datum git templates\n  datum git templates --format json")]
    Templates,
    /// Commit all that has changed, untracked files too, or FILES; with hooks and signing as git does it
    Commit(commit::Commit),
    /// Commit all that has changed, untracked files too, with a subject made from a description
    SmartCommit(smart::SmartCommit),
    /// Show the branch and what has changed
    #[command(after_help = "Examples:\n  datum git status --format json")]
    Status,
    /// List commits, newest first, with their I2I parts
    History(super::history::History),
    /// List tools, interpreters, compilers and recipes, registered or not
    #[command(after_help = "Examples:\n  datum git inventory --format json")]
    Inventory,
    /// Make a branch and check it out, or list the branches
    Branch(look::Branch),
    /// Check a branch out
    Checkout(look::Checkout),
    /// Fetch, merge and push the present branch; conflicts are named file by file and nothing is done
    Sync(look::Sync),
    /// Print a file as it was committed
    Read(file::Read),
    /// Write a file and commit it
    Write(file::Write),
    /// Delete a file and commit that
    Delete(file::Delete),
}

impl Git {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        match &self.command {
            Command::Init(command) => command.run(edge, out),
            Command::Clone(command) => command.run(edge, out),
            Command::Templates => {
                template::list(out);
                Ok(Exit::Done)
            }
            Command::Commit(command) => command.run(edge, out),
            Command::SmartCommit(command) => command.run(edge, out),
            Command::Status => look::status(edge, out),
            Command::History(command) => command.run(edge, out),
            Command::Inventory => look::inventory(edge, out),
            Command::Branch(command) => command.run(edge, out),
            Command::Checkout(command) => command.run(edge, out),
            Command::Sync(command) => command.run(edge, out),
            Command::Read(command) => command.run(edge, out),
            Command::Write(command) => command.run(edge, out),
            Command::Delete(command) => command.run(edge, out),
        }
    }
}

/// The work tree of the repository.
fn tree(edge: &Edge<'_>) -> Result<WorkTree, Fault> {
    edge.store()?.work_dir().map(WorkTree::at).ok_or_else(|| {
        Fault::usage("a bare repository has no work tree").hint("run it in a clone that has one")
    })
}

/// Paths of the tree as they are named on the command line; none for the whole of it.
pub(super) fn places(edge: &Edge<'_>, texts: &[String]) -> Result<Vec<String>, Fault> {
    let places = texts.iter().map(|text| place(edge, text)).collect::<Result<Vec<_>, _>>()?;
    Ok(if places.iter().any(String::is_empty) { Vec::new() } else { places })
}

/// A path of the tree as it is named on the command line, counted from where that runs; empty for the root.
fn place(edge: &Edge<'_>, text: &str) -> Result<String, Fault> {
    let out = || {
        Fault::usage(format!("{text:?} leads out of the repository"))
            .hint("paths count from where the command runs")
    };
    if text.is_empty() {
        return Err(Fault::usage("a path is empty").hint(". is the folder in which the command runs"));
    }
    let (below, text) = if Path::new(text).is_absolute() {
        (String::new(), inside(edge, Path::new(text))?.ok_or_else(out)?)
    } else {
        (below(edge)?, text.to_owned())
    };
    let mut parts: Vec<&str> = below.split('/').filter(|part| !part.is_empty()).collect();
    for part in text.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part != ".." {
            parts.push(part);
        } else if parts.pop().is_none() {
            return Err(out());
        }
    }
    Ok(parts.join("/"))
}

/// What an absolute path says below the root of the work tree, by whatever name it calls the root.
fn inside(edge: &Edge<'_>, path: &Path) -> Result<Option<String>, Fault> {
    let Some(root) = edge.store()?.work_dir().and_then(|root| root.canonicalize().ok()) else {
        return Ok(None);
    };
    let is_root = |above: &&Path| above.canonicalize().is_ok_and(|above| above == root);
    let below = path.ancestors().find(is_root).and_then(|above| path.strip_prefix(above).ok());
    Ok(below.map(|below| slashed(&below.to_string_lossy())))
}

/// A path with `/` between its parts, on whatever system.
fn slashed(text: &str) -> String {
    if std::path::MAIN_SEPARATOR == '/' { text.to_owned() } else { text.replace('\\', "/") }
}

/// Where the command runs below the root of the work tree, with a `/` behind it unless it is the root.
fn below(edge: &Edge<'_>) -> Result<String, Fault> {
    let root = edge.store()?.work_dir().and_then(|root| root.canonicalize().ok());
    let here = edge.dir().canonicalize().ok();
    let below = root.zip(here).and_then(|(root, here)| here.strip_prefix(root).ok().map(ToOwned::to_owned));
    let text = below.map(|below| slashed(&below.to_string_lossy())).unwrap_or_default();
    Ok(if text.is_empty() { text } else { format!("{text}/") })
}

/// Tells which commit was made.
fn tell(out: &mut Out, commit: datum_core::EntryId, subject: &str) {
    if out.is_json() {
        out.json(&serde_json::json!({ "version": 1, "commit": commit, "subject": subject }));
    } else {
        let id = out.id(&commit.short(12));
        out.line(&format!("{id} {subject}"));
    }
}
