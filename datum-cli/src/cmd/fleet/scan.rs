//! `datum fleet scan`: green, yellow, red, dead, by rules that are data.

use super::filter::Choice;
use super::look::{Look, look};
use super::reach::{Reach, organization};
use super::{show, text};
use crate::args::Format;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::Kind;
use datum_core::hygiene::{self, Known, Past, Rules};
use std::path::{Path, PathBuf};

/// Scans an organisation's repositories for their health.
///
/// What was found is kept as an entry of the audit log; a rescan asks only for what changed. Names of private
/// repositories that the token may see stand in it, and travel with the log.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum fleet scan --org SuperInstance
  datum fleet scan --org SuperInstance --include 'flux-*' --exclude idle:1y
  datum fleet scan --org SuperInstance --rules rules.toml --format json
  datum fleet scan --print-rules > rules.toml

Exit: 0 every repository is known; 3 some are not (they are named, and never counted as missing anything).")]
pub(crate) struct Scan {
    /// The organisation or user
    #[arg(long, value_name = "ORG", required_unless_present = "print_rules")]
    org: Option<String>,
    #[command(flatten)]
    choice: Choice,
    /// Judge by the rules in FILE
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Print the rules that hold without --rules
    #[arg(long)]
    print_rules: bool,
    /// Ask for everything, whatever is known
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    reach: Reach,
}

/// Reads rules from a file, or takes those of the program.
pub(super) fn rules(path: Option<&Path>) -> Result<Rules, Fault> {
    let Some(path) = path else { return Ok(Rules::default()) };
    let cannot = |why: String| Fault::usage(format!("--rules: {}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| cannot(error.to_string()))?;
    Rules::parse(&text).map_err(|error| {
        cannot(error.to_string()).hint("datum fleet scan --print-rules shows how rules are written")
    })
}

impl Scan {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        if self.print_rules {
            out.raw(hygiene::RULES.as_bytes());
            return Ok(Exit::Done);
        }
        let org = organization(self.org.as_deref().unwrap_or_default())?;
        let rules = rules(self.rules.as_deref())?;
        let stamp = edge.stamp()?;
        let filter = self.choice.filter(stamp.now)?;
        let store = edge.store()?;
        let snapshot = store.snapshot()?;
        let known = if self.full { Known::default() } else { hygiene::known(&snapshot, org) };
        let sizes = hygiene::scans(&snapshot, org, 1).first().map(Past::sizes).unwrap_or_default();
        let Look { scan, stop } = look(
            &mut self.reach.client(edge, out, &format!("fleet scan {org}"))?,
            org,
            &filter,
            known,
            sizes,
        )?;
        let report = hygiene::report(&scan, stamp.now, &rules, None, Vec::new());
        let counts = report.counts;
        let draft = hygiene::draft_scan(&scan, &counts)?;
        let applied = store.note(Kind::Audit, &stamp, &[draft])?;
        match out.format() {
            Format::Text => text::rows(out, &report),
            Format::Json => out.json(&serde_json::json!({
                "version": 1, "entry": applied.ids.first(), "requests": scan.requests, "report": report,
            })),
            Format::Ndjson => report.repositories.iter().for_each(|row| out.json(row)),
            Format::Md => out.raw(show::page(&report).markdown().as_bytes()),
        }
        let id = applied.ids.first().map(|id| crate::record::short(*id)).unwrap_or_default();
        out.say(&format!("{}; {} requests; recorded as {id}", text::counts(&counts), scan.requests));
        text::unknown(out, &scan.unknown, scan.unlisted, &scan.unlisted_why);
        match stop {
            Some(stop) => Err(stop.into()),
            None if !scan.is_complete() => Ok(Exit::Broken),
            None => Ok(Exit::Done),
        }
    }
}
