//! `datum onboard`: sets an agent up in its vessel, step by step, asking or by given answers.

mod act;
mod ask;
mod did;
mod facts;
mod given;
mod plan;
#[cfg(feature = "vault")]
mod sealed;

use crate::cmd::boot::{is_vessel, name_of};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::AgentName;
use datum_core::onboarding::{Facts, Need, Standing, needs};
use did::{Did, State};
use given::Given;
use plan::Plan;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Sets an agent up: its declaration, keys, hooks, sync, a GitHub token, the first words to the oracle, the first tasks.
///
/// On a terminal it asks: arrow keys choose, Enter takes what is proposed, Esc goes back, Ctrl-C stops. Nothing is
/// written before the last question is answered. Every step is whole or not done; run again, it goes on with what is
/// missing, and what is there stays.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum onboard
  datum onboard --check
  datum onboard ../heron-vessel --non-interactive --agent heron --role lookout --cap audit=0.9 --cap repair
  datum onboard --non-interactive --answers heron.toml
  datum onboard --non-interactive --token-env GH_TOKEN --remote origin --task 'Look around' --dry-run

A file of answers:
  [agent]
  name = \"heron\"
  role = \"lookout\"
  [capabilities]
  audit = { confidence = 0.9, description = \"Looks closely\" }
  [keys]
  make = \"new\"              # new, locked (passphrase from DATUM_PASSPHRASE_FD) or none
  [github]
  token_env = \"GH_TOKEN\"    # the variable that holds the token; a token never stands in a file
  [remote]
  name = \"origin\"           # a remote, an address or a path; none
  sync = true
  [hooks]
  install = true
  commit_msg = \"i2i\"        # i2i, conventional, either or none
  [oracle]
  greet = \"oracle1\"         # or none
  [commit]
  declaration = true        # commit CAPABILITY.toml
  [[tasks]]
  title = \"Look around\"

Exit: 0 done, 1 something is missing (--check) or failed, 2 an answer is wrong, 3 stopped.")]
pub(crate) struct Onboard {
    /// The folder of the vessel; made if there is none [default: the current folder]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Say what is done and what is missing, and leave everything as it is
    #[arg(long, conflicts_with = "dry_run")]
    check: bool,
    /// Ask nothing: take the answers that are given, and for the rest what would be proposed
    #[arg(long)]
    non_interactive: bool,
    /// Say what would be done, and leave everything as it is
    #[arg(long, requires = "non_interactive")]
    dry_run: bool,
    #[command(flatten)]
    given: Given,
}

impl Onboard {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let folder = self.folder.clone().unwrap_or_else(|| edge.dir());
        let answers = self.given.answers()?;
        let asked = edge.named_agent()?.or_else(|| answers.name.clone());
        let is_vessel = is_vessel(&folder, self.folder.is_some());
        let mut facts = facts_of(edge, &folder, is_vessel, asked.clone())?;
        let name = asked.or_else(|| facts.agent.clone()).or_else(|| name_of(&folder));
        let mut plan = Plan::of(name, &answers, &facts, &self.given)?;
        if self.check {
            // What is declined now is not missed, as what was declined before is not.
            facts.declined = plan.unwanted(&facts);
            return Ok(check(out, &folder, &facts));
        }
        if !self.non_interactive {
            ask::all(&mut plan, &facts, out)?;
        }
        let name = plan.name()?.clone();
        // Another name than the one looked at first has other keys and entries.
        let facts = if facts.agent.as_ref() == Some(&name) {
            facts
        } else {
            facts_of(edge, &folder, is_vessel, Some(name.clone()))?
        };
        plan.check(&facts)?;
        if self.dry_run {
            let (lines, fails) = plan.lines(&facts);
            for (step, says) in lines {
                out.line(&format!("{:<9} {says}", step.as_str()));
            }
            return Ok(if fails { Exit::No } else { Exit::Done });
        }
        let made = crate::cmd::boot::open_or_make(&folder, self.folder.is_some())?;
        if made {
            out.say(&format!("made a repository in {}", folder.display()));
        }
        let global = edge.global_for(&folder, Some(&name));
        let unmet = act::settle_remote(&Edge::new(&global), &mut plan).err();
        let edge = Edge::new(&global);
        #[cfg(feature = "vault")]
        if plan.leaves_keys(&facts) {
            edge.keyring().leave(&name);
        }
        let done = act::all(&edge, &plan, &facts, unmet, out)?;
        Ok(tell(out, &edge, &name, &done))
    }
}

/// What is known of the vessel in `folder` and of its agent.
fn facts_of(
    edge: &Edge<'_>,
    folder: &Path,
    is_vessel: bool,
    name: Option<AgentName>,
) -> Result<Facts, Fault> {
    if !is_vessel {
        return Ok(Facts { agent: name, ..facts::nowhere() });
    }
    let global = edge.global_for(folder, name.as_ref());
    facts::gather(&Edge::new(&global))
}

/// Says how every step stands.
fn check(out: &mut Out, folder: &Path, facts: &Facts) -> Exit {
    let needs = needs(facts);
    let complete = needs.iter().all(|need| need.standing != Standing::Missing);
    if out.is_json() {
        let step = |need: &Need| json!({ "step": need.step.as_str(), "standing": need.standing.as_str(), "says": need.says });
        out.json(&json!({
            "version": 1, "agent": facts.agent.as_ref().map(AgentName::as_str), "folder": folder.display().to_string(),
            "complete": complete, "steps": needs.iter().map(step).collect::<Vec<_>>(),
        }));
    } else {
        for Need { step, standing, says } in &needs {
            out.line(&format!("{:<9} {:<9} {says}", step.as_str(), standing.as_str()));
        }
    }
    if complete {
        Exit::Done
    } else {
        out.say("hint: datum onboard does what is missing");
        Exit::No
    }
}

/// Says what was done.
fn tell(out: &mut Out, edge: &Edge<'_>, name: &AgentName, done: &[Did]) -> Exit {
    let failed = done.iter().any(|did| did.state == State::Failed);
    if out.is_json() {
        let step = |did: &Did| json!({ "step": did.step.as_str(), "state": did.state.as_str(), "says": did.says, "hint": did.hint });
        out.json(&json!({
            "version": 1, "agent": name.as_str(), "folder": edge.dir().display().to_string(), "complete": !failed,
            "steps": done.iter().map(step).collect::<Vec<_>>(),
        }));
    }
    if failed {
        out.say("hint: what was done stays done; run datum onboard again for the rest");
        return Exit::No;
    }
    out.say(&format!(
        "{name} is onboarded; datum agent start says that it begins, datum task ready what to do"
    ));
    Exit::Done
}
