//! `datum compact` and `datum size`: keeps the state small, and says where the bytes are.

use crate::cmd::sync::{options, stamp};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::time;
use datum_core::adopt::Adopted;
use datum_core::task;
use serde_json::json;

/// Lets this clone's logs, and the shared ones, begin anew without their old commits.
///
/// No entry is lost and no id changes: each log's tree holds its entries. The old commits are kept under
/// refs/datum-archive/ until they expire; git gc then frees their space. The claims of tasks that are done or cancelled
/// are removed; their numbers stand in the log. The next datum sync carries the new beginning
/// to the remote, and other clones take it only if it holds all that they hold.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum compact
  datum compact --least 1000 --expire '30 days'
  datum compact --adopt --idle '60 days' && datum sync
  datum size")]
pub(crate) struct Compact {
    /// Leave logs with fewer commits since their last beginning alone
    #[arg(long, value_name = "N", default_value_t = 512)]
    least: u64,
    /// Remove old commits that were archived longer ago than this
    #[arg(long, value_name = "TIME", default_value = "90 days")]
    expire: String,
    /// Also fold the logs of other clones that write no more under one ref a kind, so that refs stay few
    #[arg(long)]
    adopt: bool,
    /// A clone writes no more when its log has been silent for this long
    #[arg(long, value_name = "TIME", default_value = "30 days", requires = "adopt")]
    idle: String,
    /// Only logs of these kinds, with commas between [default: datum.sync.kinds]
    #[arg(long, value_name = "KINDS")]
    kinds: Option<String>,
}

impl Compact {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.store()?;
        let kinds = options(store, self.kinds.as_deref())?.kinds;
        let stamp = stamp(edge)?;
        let length = |option: &str, text: &str| {
            time::parse_length(text).ok_or_else(|| {
                Fault::usage(format!("{option}: {text:?} is no length of time")).hint("write 30 days or 12h")
            })
        };
        let (age, idle) = (length("--expire", &self.expire)?, length("--idle", &self.idle)?);
        if self.adopt && edge.is_ephemeral() {
            return Err(Fault::usage("a clone that comes and goes adopts no logs")
                .hint("run it in a clone that stays"));
        }
        let adopted = if self.adopt {
            let stamp = edge.stamp()?;
            store.adopt(&stamp, &kinds, stamp.now.saturating_sub(idle))?
        } else {
            Vec::new()
        };
        let done = store.compact(&stamp, &kinds, self.least)?;
        let expired = store.expire_archive(stamp.now.saturating_sub(age))?;
        let claims = task::sweep(store, stamp.now)?;
        if out.is_json() {
            let logs: Vec<_> = done
                .iter()
                .map(|done| {
                    json!({ "log": format!("{}/{}", done.log.0, done.log.1), "entries": done.entries, "archive": done.archive })
                })
                .collect();
            let adopted: Vec<_> = adopted.iter().map(shown).collect();
            out.json(&json!({ "version": 1, "compacted": logs, "adopted": adopted, "expired": expired, "claims": claims }));
        } else {
            for adopted in &adopted {
                let Adopted { kind, container, writers, entries, .. } = adopted;
                let count = writers.len();
                out.line(&format!("adopted {count} {kind} logs into {container}: {entries} entries"));
            }
            for done in &done {
                out.line(&format!("compacted {}/{}: {} entries", done.log.0, done.log.1, done.entries));
            }
            for name in &expired {
                out.line(&format!("expired {name}"));
            }
            if claims > 0 {
                out.line(&format!("removed {claims} claims of tasks that are done or cancelled"));
            }
            if done.is_empty() && expired.is_empty() && adopted.is_empty() && claims == 0 {
                out.say("nothing to compact");
            }
        }
        for adopted in &adopted {
            for (writer, why) in &adopted.left {
                out.warn(&format!("{}/{writer}: not adopted: {why}", adopted.kind));
            }
        }
        Ok(Exit::Done)
    }
}

fn shown(adopted: &Adopted) -> serde_json::Value {
    let left: Vec<_> = adopted
        .left
        .iter()
        .map(|(writer, why)| json!({ "log": format!("{}/{writer}", adopted.kind), "why": why }))
        .collect();
    let logs: Vec<_> = adopted.writers.iter().map(|writer| format!("{}/{writer}", adopted.kind)).collect();
    json!({ "container": adopted.container, "logs": logs, "entries": adopted.entries, "left": left })
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
            out.json_around("parts", &json!({ "version": 1, "parts": parts, "bytes": total }));
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
