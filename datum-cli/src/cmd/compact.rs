//! `datum compact` and `datum size`: keeps the state small, and says where the bytes are.

use crate::cmd::sync::{options, stamp};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::time;
use serde_json::json;

/// Lets this clone's logs, and the shared ones, begin anew without their old commits.
///
/// No entry is lost and no id changes: each log's tree holds its entries. The old commits are kept under
/// refs/datum-archive/ until they expire; git gc then frees their space. The next datum sync carries the new beginning
/// to the remote, and other clones take it only if it holds all that they hold.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum compact
  datum compact --least 1000 --expire '30 days'
  datum size")]
pub(crate) struct Compact {
    /// Leave logs with fewer commits since their last beginning alone
    #[arg(long, value_name = "N", default_value_t = 512)]
    least: u64,
    /// Remove old commits that were archived longer ago than this
    #[arg(long, value_name = "TIME", default_value = "90 days")]
    expire: String,
    /// Only logs of these kinds, with commas between [default: datum.sync.kinds]
    #[arg(long, value_name = "KINDS")]
    kinds: Option<String>,
}

impl Compact {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.store()?;
        let kinds = options(store, self.kinds.as_deref())?.kinds;
        let stamp = stamp(edge)?;
        let age = time::parse_length(&self.expire).ok_or_else(|| {
            Fault::usage(format!("--expire: {:?} is no length of time", self.expire))
                .hint("write 30 days or 12h")
        })?;
        let done = store.compact(&stamp, &kinds, self.least)?;
        let expired = store.expire_archive(stamp.now.saturating_sub(age))?;
        if out.is_json() {
            let logs: Vec<_> = done
                .iter()
                .map(|done| {
                    json!({ "log": format!("{}/{}", done.log.0, done.log.1), "entries": done.entries, "archive": done.archive })
                })
                .collect();
            out.json(&json!({ "version": 1, "compacted": logs, "expired": expired }));
        } else {
            for done in &done {
                out.line(&format!("compacted {}/{}: {} entries", done.log.0, done.log.1, done.entries));
            }
            for name in &expired {
                out.line(&format!("expired {name}"));
            }
            if done.is_empty() && expired.is_empty() {
                out.say("nothing to compact");
            }
        }
        Ok(Exit::Done)
    }
}

/// Says what each kind of log takes on the disk, and what is kept beside.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum size
  datum size --format json")]
pub(crate) struct Size {}

impl Size {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.store()?;
        let snapshot = store.snapshot()?;
        let parts = store.size(&snapshot)?;
        let total: u64 = parts.iter().map(|part| part.bytes).sum();
        if out.is_json() {
            let parts: Vec<_> = parts
                .iter()
                .map(|part| {
                    json!({ "name": part.name, "refs": part.refs, "entries": part.entries, "bytes": part.bytes })
                })
                .collect();
            out.json(&json!({ "version": 1, "parts": parts, "bytes": total }));
        } else {
            for part in &parts {
                let per = part.bytes.checked_div(part.entries).map(|bytes| format!("{bytes} bytes each"));
                let line = format!(
                    "{:<8} {:>6} logs {:>9} entries {:>12} bytes  {}",
                    part.name,
                    part.refs,
                    part.entries,
                    part.bytes,
                    per.unwrap_or_default()
                );
                out.line(line.trim_end());
            }
            out.line(&format!("total {total} bytes"));
        }
        out.damage(&snapshot.damage());
        Ok(Exit::Done)
    }
}
