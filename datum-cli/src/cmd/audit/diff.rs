//! `datum audit diff`: what appeared and what went between two reports.

use super::look::Looker;
use super::what::What;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::audit::{self, Change, Key};

/// Shows what appeared (+) and what went (-) between two recorded audits or revisions.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum audit diff v1.0 HEAD --type vessel
  datum audit diff 3f9a2c HEAD")]
pub(crate) struct Diff {
    /// The earlier: the id of a recorded audit, or a revision
    before: String,
    /// The later
    after: String,
    #[command(flatten)]
    what: What,
    /// Exit with 1 when something appeared
    #[arg(long)]
    exit_code: bool,
}

impl Diff {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.store()?;
        let looker = Looker { what: &self.what, at: None, worktree: false, now: edge.now()? };
        let before = looker.report(store, &self.before)?;
        let after = looker.report(store, &self.after)?;
        if before.audit != after.audit {
            out.warn(&format!("the audits differ in type: {} and {}", before.audit, after.audit));
        }
        let changes = audit::changes(&before, &after);
        let appeared = changes.iter().any(|change| matches!(change, Change::Appeared(_)));
        if out.is_json() {
            out.json_list("changes", &changes);
        } else {
            for change in &changes {
                let (mark, key) = match change {
                    Change::Appeared(key) => ('+', key),
                    Change::Went(key) => ('-', key),
                };
                out.line(&format!("{mark} {}", shown(key)));
            }
            if changes.is_empty() {
                out.say("nothing appeared and nothing went");
            }
        }
        Ok(if self.exit_code && appeared { Exit::No } else { Exit::Done })
    }
}

fn shown(key: &Key) -> String {
    let path = key.path.as_ref().map(|path| format!(" {path}:")).unwrap_or_default();
    format!("{}{path} {}", key.rule, key.message)
}
