//! `datum doctor`: what is broken, and what was done about it.

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::doctor::{self, Finding, State};
use datum_core::{AgentName, Stamp};

/// Finds what is broken, and repairs what can be repaired.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Refs are repaired from their own log, segments and trees from the commits, sealed commits from
their segments, all to the bit. A ref that must step back to an earlier value is told with both
values, and an entry of kind audit keeps them. Locks and temporary files older than 10 minutes
are removed. Run twice it changes nothing.
Exits with 0 when all is well or repaired, with 1 when --dry-run finds something to repair, with 3
when something stays broken.

Examples:
  datum doctor
  datum doctor --dry-run --format json"
)]
pub(crate) struct Doctor {
    /// Change nothing, only tell what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
}

impl Doctor {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.store()?;
        let findings = if self.dry_run {
            doctor::examine(store)?
        } else {
            // A repository may be too broken to say who works in it.
            let agent = edge.agent().or_else(|_| AgentName::new("doctor"))?;
            let stamp = Stamp { agent, now: edge.now()?, committer: store.identity() };
            doctor::repair(store, &stamp)?
        };
        let count = |state| findings.iter().filter(|finding| finding.state == state).count();
        if out.is_json() {
            out.json(&serde_json::json!({
                "version": 1,
                "repaired": count(State::Repaired),
                "repairable": count(State::Repairable),
                "broken": count(State::Broken),
                "findings": findings,
            }));
        } else {
            for finding in &findings {
                print(out, finding);
            }
            if findings.is_empty() {
                out.line("all is well");
            }
        }
        Ok(match (count(State::Broken), count(State::Repairable)) {
            (0, 0) => Exit::Done,
            (0, _) => Exit::No,
            _ => Exit::Broken,
        })
    }
}

fn print(out: &mut Out, finding: &Finding) {
    let state = match finding.state {
        State::Repaired => "repaired",
        State::Repairable => "repairable",
        State::Broken => "broken",
    };
    out.line(&format!("{state}: {}: {}", finding.place, finding.problem));
    out.line(&format!("    {}", finding.remedy));
}
