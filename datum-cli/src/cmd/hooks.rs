//! `datum hooks`: installs, shows, proves and removes the git hooks that call datum.

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::hooks::{Caller, Event, File, Hindrance, Hooks, HooksError, Options, Place, Proof, State};
use datum_core::style::Style;
use std::path::{Path, PathBuf};

/// The setting that holds the style `datum hook commit-msg` checks.
pub(crate) const STYLE: &str = "datum.commitMsg";

/// Installs, shows, proves and removes the git hooks that call datum.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum hooks install
  datum hooks install pre-push
  datum hooks install --commit-msg i2i
  datum hooks verify
  datum hooks uninstall

post-commit   records the commit in the journal; never fails a commit
post-rewrite  records a rebase
pre-push      refuses to push secrets, and what breaks an audit rule of level critical;
              datum.toml says [audit] push = \"error\" to ask more, or \"off\" (git push --no-verify passes it)
commit-msg    checks the subject; only where --commit-msg asks for it

Hooks that are there already keep running, with their arguments and their input.
DATUM_HOOKS=0 turns all of them off for a command.")]
pub(crate) struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Install hooks (default: post-commit, post-rewrite and pre-push)
    #[command(
        after_help = "Examples:\n  datum hooks install\n  datum hooks install pre-push --commit-msg i2i"
    )]
    Install(Install),
    /// Show what is installed
    #[command(after_help = "Examples:\n  datum hooks status\n  datum hooks status --exit-code")]
    Status {
        /// Exit with 1 unless post-commit and pre-push are installed and nothing turns them off
        #[arg(long)]
        exit_code: bool,
    },
    /// Prove that git reaches the installed hooks; exits with 1 where it does not
    #[command(after_help = "Examples:\n  datum hooks verify")]
    Verify,
    /// Remove hooks; files come back to the byte
    #[command(after_help = "Examples:\n  datum hooks uninstall\n  datum hooks uninstall pre-push")]
    Uninstall {
        /// Only for these events
        events: Vec<String>,
    },
}

#[derive(Debug, clap::Args)]
struct Install {
    /// Only for these events
    events: Vec<String>,
    /// Also check commit subjects: i2i, conventional or either
    #[arg(long, value_name = "STYLE")]
    commit_msg: Option<String>,
    /// Install into git's configuration (git 2.54 or later, where it is the default)
    #[arg(long, conflicts_with = "file")]
    config: bool,
    /// Install into files of the hooks folder, also for a repository that an older git uses too
    #[arg(long)]
    file: bool,
    /// Install even where core.hooksPath is set for all of the user's repositories
    #[arg(long)]
    shared: bool,
}

impl Command {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let hooks = Hooks::of(edge.store()?)?;
        match &self.verb {
            Verb::Install(install) => install.run(edge, &hooks, out),
            Verb::Status { exit_code } => {
                let states = states(&hooks)?;
                show(out, &states, &[]);
                let lacks = |event| {
                    states.iter().any(|s| s.event == event && (s.place().is_none() || s.hindrance.is_some()))
                };
                let no = *exit_code && (lacks(Event::PostCommit) || lacks(Event::PrePush));
                Ok(if no { Exit::No } else { Exit::Done })
            }
            Verb::Verify => verify(&hooks, out),
            Verb::Uninstall { events } => {
                let mut gone = Vec::new();
                let mut left = Vec::new();
                for event in parse(events, &Event::ALL)? {
                    if hooks.uninstall(event)? {
                        gone.push(event.as_str());
                        if event == Event::CommitMsg {
                            hooks.unset(STYLE)?;
                        }
                    }
                    if hooks.state(event)?.config {
                        left.push(format!("hook.datum-{event}"));
                    }
                }
                if out.is_json() {
                    out.json(&serde_json::json!({ "version": 1, "removed": gone }));
                } else {
                    for event in &gone {
                        out.line(&format!("removed {event}"));
                    }
                }
                if gone.is_empty() {
                    out.say("no hook of datum was installed");
                }
                for name in &left {
                    out.warn(&format!("{name} is not in this repository's own configuration and stays"));
                    out.say(&format!("hint: git config --show-origin {name}.command says where it stands"));
                }
                Ok(Exit::Done)
            }
        }
    }
}

impl Install {
    fn run(&self, edge: &Edge<'_>, hooks: &Hooks, out: &mut Out) -> Result<Exit, Fault> {
        let mut events = parse(&self.events, &Event::DEFAULT)?;
        if let Some(text) = &self.commit_msg {
            let style = Style::parse(text).ok_or_else(|| {
                Fault::usage(format!("--commit-msg: {text:?} is no style"))
                    .hint("write i2i, conventional or either")
            })?;
            hooks.set(STYLE, style.as_str())?;
            if !events.contains(&Event::CommitMsg) {
                events.push(Event::CommitMsg);
            }
        }
        let place = match (self.config, self.file) {
            (true, _) => Some(Place::Config),
            (_, true) => Some(Place::File),
            _ => None,
        };
        let caller = Caller { program: program()?, agent: edge.asked_agent()? };
        let options = Options { caller, place, shared: self.shared };
        let mut states = Vec::new();
        let mut failed = None;
        for event in events {
            match hooks.install(event, &options) {
                Ok(state) => states.push(state),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let proofs = prove(hooks, &states)?;
        show(out, &states, &proofs);
        say_off(out, &states);
        if let Some(error) = failed {
            return Err(error.into());
        }
        if edge.agent().is_err() {
            out.warn("no agent to act as: commits are not recorded until one is known");
            out.say("hint: datum hooks install --agent NAME, or [agent] name in CAPABILITY.toml");
        }
        let in_file = states.iter().any(|state| state.place() == Some(Place::File));
        if in_file && in_work_tree(edge, hooks.folder())? {
            out.say(&format!("note: {} is in the work tree; git sees the change", hooks.folder().display()));
        }
        Ok(Exit::Done)
    }
}

/// Whether the hooks folder is one of the work tree's own.
fn in_work_tree(edge: &Edge<'_>, folder: &Path) -> Result<bool, Fault> {
    let store = edge.store()?;
    let root = store.work_dir().and_then(|root| root.canonicalize().ok());
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    Ok(root.is_some_and(|root| folder.starts_with(root)) && !folder.starts_with(store.common_dir()))
}

fn parse(names: &[String], default: &[Event]) -> Result<Vec<Event>, Fault> {
    if names.is_empty() {
        return Ok(default.to_vec());
    }
    let all = Event::ALL.map(Event::as_str).join(", ");
    let one = |name: &String| {
        Event::parse(name).ok_or_else(|| {
            Fault::usage(format!("{name:?}: datum has no hook for it")).hint(format!("it has {all}"))
        })
    };
    names.iter().map(one).collect()
}

fn states(hooks: &Hooks) -> Result<Vec<State>, Fault> {
    Event::ALL.iter().map(|event| Ok(hooks.state(*event)?)).collect()
}

/// What the hooks are to call: the name under which `PATH` finds this program, for that outlives an upgrade, or its path.
pub(crate) fn program() -> Result<String, Fault> {
    let me = std::env::current_exe().and_then(|path| path.canonicalize());
    let me = me.map_err(|error| Fault::broken(format!("cannot find out where datum is: {error}")))?;
    let same = |path: &PathBuf| path.is_absolute() && path.canonicalize().is_ok_and(|path| path == me);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("datum")).find(same);
    let text = found.unwrap_or(me).into_os_string().into_string();
    let text = text.map_err(|path| Fault::broken(format!("{}: the path is not UTF-8", path.display())))?;
    Ok(if cfg!(windows) { text.replace('\\', "/") } else { text })
}

fn prove(hooks: &Hooks, states: &[State]) -> Result<Vec<Proof>, Fault> {
    let time = crate::time::now();
    let nonce = |event| format!("datum-probe-{}-{time}-{event}", std::process::id());
    states.iter().map(|state| Ok(hooks.verify(state.event, &nonce(state.event))?)).collect()
}

fn verify(hooks: &Hooks, out: &mut Out) -> Result<Exit, Fault> {
    let mut states = states(hooks)?;
    // commit-msg is installed only where it was asked for.
    states.retain(|state| state.event != Event::CommitMsg || state.place().is_some());
    let proofs = prove(hooks, &states)?;
    show(out, &states, &proofs);
    let reached = proofs.iter().all(|proof| !matches!(proof, Proof::NotReached(_)));
    if !say_off(out, &states) && !reached {
        out.say("hint: datum hooks install puts them in place");
    }
    Ok(if reached { Exit::Done } else { Exit::No })
}

/// Says how a hook that a setting turns off is turned on, if there is one.
fn say_off(out: &Out, states: &[State]) -> bool {
    let off = states.iter().find_map(|state| match &state.hindrance {
        Some(Hindrance::Setting(key)) => Some(key),
        _ => None,
    });
    if let Some(key) = off {
        out.say(&format!("hint: git config {key} true turns it on"));
    }
    off.is_some()
}

fn show(out: &mut Out, states: &[State], proofs: &[Proof]) {
    let told = |proof: Option<&Proof>| match proof {
        None => String::new(),
        Some(Proof::Reached) => "reached".to_owned(),
        Some(Proof::InPlace) => "in place; this git is too old to run a hook by name".to_owned(),
        Some(Proof::Behind(how)) => how.clone(),
        Some(Proof::NotReached(why)) => format!("not reached: {why}"),
    };
    // What is seen without a proof is said as well.
    let seen = |state: &State| state.hindrance.as_ref().map(|why| Proof::NotReached(why.to_string()));
    let proofs: Vec<_> = states
        .iter()
        .enumerate()
        .map(|(at, state)| proofs.get(at).cloned().or_else(|| seen(state)))
        .collect();
    let shown: Vec<_> = states
        .iter()
        .enumerate()
        .map(|(index, state)| {
            let place = state.place().map(|place| if place == Place::Config { "config" } else { "file" });
            let (tool, chains) = match &state.file {
                File::Foreign { tool, .. } => (*tool, false),
                File::Ours { chains, .. } => (None, *chains),
                File::Absent => (None, false),
            };
            let mut value = serde_json::json!({
                "event": state.event.as_str(),
                "installed": place,
                "file": state.path.to_string_lossy(),
                "chains": chains,
                "other": matches!(state.file, File::Foreign { .. }),
                "tool": tool,
            });
            if let Some(proof) = &proofs[index] {
                value["reached"] = matches!(proof, Proof::Reached).into();
                value["proof"] = told(Some(proof)).into();
            }
            value
        })
        .collect();
    if out.is_json() {
        out.json_list("hooks", &shown);
        return;
    }
    for (index, state) in states.iter().enumerate() {
        let what = match (state.place(), &state.file) {
            (Some(Place::Config), _) => "in git's configuration".to_owned(),
            (Some(Place::File), File::Ours { chains: true, .. }) => {
                format!("{}, before the hook that was there", state.path.display())
            }
            (Some(Place::File), _) => state.path.display().to_string(),
            (None, File::Foreign { tool, .. }) => {
                format!("not installed; {} is {}", state.path.display(), tool.unwrap_or("another's"))
            }
            (None, _) => "not installed".to_owned(),
        };
        let proof = told(proofs[index].as_ref());
        let dash = if proof.is_empty() { "" } else { "; " };
        out.line(&format!("{:<13} {what}{dash}{proof}", state.event.as_str()));
    }
}

impl From<HooksError> for Fault {
    fn from(error: HooksError) -> Self {
        let message = error.to_string();
        match error {
            HooksError::Git(_) => Self::broken(message),
            HooksError::Io { .. } => Self::broken(message).hint("is the folder read-only, or the disk full?"),
            HooksError::NoFolder(_) => {
                Self::usage(message).hint("git config --show-origin core.hooksPath says who set it")
            }
            HooksError::Shared(_) => Self::usage(message).hint(
                "--shared installs there all the same; git config --local core.hooksPath .git/hooks gives this repository its own",
            ),
            HooksError::TooOld(..) => Self::usage(message).hint("leave out --config"),
            HooksError::Markers(_) => Self::broken(message)
                .hint("take the lines between '# >>> datum' and '# <<< datum <<<' out by hand"),
            HooksError::InTheWay(..) => Self::broken(message).hint("move one of the two away"),
        }
    }
}
