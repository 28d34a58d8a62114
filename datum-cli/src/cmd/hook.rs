//! `datum hook EVENT`: what the installed hooks call.

mod pre_push;
mod scan;

use crate::edge::{self, Edge};
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::history;
use datum_core::hooks::PROBE;
use datum_core::secret::Level;
use datum_core::style::Style;
use datum_core::{Draft, DraftError, Kind, Store, committed};
use pre_push::PrePush;
use scan::Scan;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::PathBuf;

/// Most bytes read of what git writes to a hook.
const INPUT_MAX: u64 = 64 * 1024 * 1024;

/// Runs one hook, as git would; the hooks of `datum hooks install` call it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum hook post-commit
  echo refs/heads/main $(git rev-parse main) refs/heads/main $(git rev-parse origin/main) | datum hook pre-push origin
  datum hook commit-msg .git/COMMIT_EDITMSG")]
pub(crate) struct Command {
    #[command(subcommand)]
    event: Event,
}

#[derive(Debug, clap::Subcommand)]
enum Event {
    /// Record the commit at HEAD in the journal, once
    PostCommit {
        #[arg(hide = true)]
        _arguments: Vec<String>,
    },
    /// Record a rebase; reads the pairs of old and new ids from stdin
    PostRewrite {
        /// What rewrote: amend or rebase
        by: Option<String>,
        #[arg(hide = true)]
        _arguments: Vec<String>,
    },
    /// Refuse a push that carries secrets; reads git's lines from stdin
    PrePush(PrePush),
    /// Find secrets in files and folders
    Scan(Scan),
    /// Check the subject of a commit message
    CommitMsg {
        /// The file that holds the message
        file: PathBuf,
        #[arg(hide = true)]
        _arguments: Vec<String>,
    },
}

impl Command {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        if let Some(nonce) = edge::variable(PROBE) {
            out.line(&nonce);
            return Ok(Exit::Done);
        }
        if edge::variable("DATUM_HOOKS").is_some_and(|value| matches!(value.as_str(), "0" | "off" | "false"))
        {
            return Ok(Exit::Done);
        }
        match &self.event {
            Event::PostCommit { .. } => Ok(harmless(out, "the commit is not recorded", post_commit(edge))),
            Event::PostRewrite { by, .. } => {
                let done = post_rewrite(edge, by.as_deref().unwrap_or_default());
                Ok(harmless(out, "the rewrite is not recorded", done))
            }
            Event::PrePush(command) => command.run(edge, out),
            Event::Scan(command) => command.run(out),
            Event::CommitMsg { file, .. } => commit_msg(edge, file),
        }
    }
}

/// What went wrong is said and changes nothing: the commit is made.
fn harmless(out: &Out, what: &str, done: Result<(), Fault>) -> Exit {
    if let Err(fault) = done {
        out.warn(&format!("{what}: {}", fault.message));
        if let Some(hint) = fault.hint {
            out.say(&format!("hint: {hint}"));
        }
    }
    Exit::Done
}

fn post_commit(edge: &Edge<'_>) -> Result<(), Fault> {
    let store = edge.hook_store()?;
    if store.is_replaying() {
        return Ok(());
    }
    record(edge, store, |commit, branch| {
        let changes = store.capability_changes(commit).unwrap_or_default();
        committed::draft(commit, branch, &changes)
    })
}

fn post_rewrite(edge: &Edge<'_>, by: &str) -> Result<(), Fault> {
    let pairs = committed::rewritten(&read_input()?);
    // An amended commit is recorded by post-commit.
    if by != "rebase" || pairs.is_empty() {
        return Ok(());
    }
    let store = edge.hook_store()?;
    record(edge, store, |commit, branch| committed::draft_rewrite(commit, branch, &pairs))
}

/// Appends one entry about the commit at HEAD, unless there is one.
fn record(
    edge: &Edge<'_>,
    store: &Store,
    draft: impl Fn(&history::Commit, Option<&str>) -> Result<Draft, DraftError>,
) -> Result<(), Fault> {
    let Some(head) = store.head() else { return Ok(()) };
    let commit = store.commit(head)?;
    let draft = draft(&commit, store.branch().as_deref())?;
    let stamp = edge.hook_stamp()?;
    store.apply::<Fault>(Kind::Journal, &stamp, |snapshot| {
        let known = committed::is_recorded(snapshot, &commit, stamp.now);
        Ok(if known { Vec::new() } else { vec![draft.clone()] })
    })?;
    Ok(())
}

fn commit_msg(edge: &Edge<'_>, file: &PathBuf) -> Result<Exit, Fault> {
    let bytes = std::fs::read(file)
        .map_err(|error| Fault::usage(format!("cannot read {}: {error}", file.display())))?;
    let set = edge.hook_store()?.setting(super::hooks::STYLE);
    let text = set.as_deref().unwrap_or("either");
    let style = Style::parse(text).ok_or_else(|| {
        Fault::usage(format!("{}: {text:?} is no style", super::hooks::STYLE))
            .hint("git config datum.commitMsg i2i, conventional or either")
    })?;
    style.check(&String::from_utf8_lossy(&bytes)).map_err(|(why, hint)| {
        let mut fault = Fault::usage(why).hint(format!("{hint}; git commit --no-verify passes the check"));
        fault.exit = Exit::No;
        fault
    })?;
    Ok(Exit::Done)
}

/// What git writes to the hook; nothing where a person started it.
pub(super) fn read_input() -> Result<String, Fault> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Ok(String::new());
    }
    let mut bytes = Vec::new();
    let read = stdin.lock().take(INPUT_MAX).read_to_end(&mut bytes);
    read.map_err(|error| Fault::broken(format!("cannot read stdin: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The level from which on findings count.
fn level(option: Option<&str>, setting: Option<&str>) -> Result<Level, Fault> {
    match option.or(setting) {
        None | Some("error") => Ok(Level::Error),
        Some("warning") => Ok(Level::Warning),
        Some("critical") => Ok(Level::Critical),
        Some(other) => {
            Err(Fault::usage(format!("{other:?} is no level")).hint("write warning, error or critical"))
        }
    }
}
