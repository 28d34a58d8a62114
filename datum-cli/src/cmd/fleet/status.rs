//! `datum fleet status`: the report of local clones, without the network.

use super::filter::Choice;
use super::{report, scan};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::lines::tally;
use crate::out::Out;
use datum_core::Store;
use datum_core::hygiene::{self, Repository, Scan, Unknown};
use std::path::{Path, PathBuf};

/// How deep below the folder clones are looked for: `root/owner/name`.
const DEPTH: usize = 2;

/// Languages of text and data, which GitHub does not count either.
const NO_PROGRAMS: [&str; 11] = [
    "AsciiDoc",
    "INI",
    "JSON",
    "Markdown",
    "Org",
    "Plain Text",
    "ReStructuredText",
    "SVG",
    "TOML",
    "XML",
    "YAML",
];

/// Reports on the local clones below a folder, without the network.
///
/// Description, topics and checks are GitHub's and not known here, so no rule about them fires.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum fleet status --root ~/fleet
  datum fleet status --root ~/fleet --format html > fleet.html")]
pub(crate) struct Status {
    /// The folder that holds the clones
    #[arg(long, value_name = "DIR")]
    root: PathBuf,
    #[command(flatten)]
    choice: Choice,
    /// Judge by the rules in FILE
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
}

impl Status {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let rules = scan::rules(self.rules.as_deref())?;
        let now = edge.now()?;
        let filter = self.choice.filter(now)?;
        let root = edge.dir().join(&self.root);
        let clones = clones(&root)?;
        let organization = root.display().to_string();
        let mut scan = Scan { version: 1, organization, filter: filter.words.clone(), ..Scan::default() };
        for (name, path) in clones {
            match facts(&name, &path) {
                Ok(facts) if filter.takes(&facts) => scan.repositories.push(facts),
                Ok(_) => scan.filtered += 1,
                Err(fault) => scan.unknown.push(Unknown { name, why: fault.message }),
            }
        }
        if scan.repositories.is_empty() && scan.unknown.is_empty() {
            out.say(&format!("no clone below {}", root.display()));
        }
        let found = hygiene::report(&scan, now, &rules, None, Vec::new());
        report::tell(edge, out, &found);
        super::text::unknown(out, &scan.unknown, 0, "");
        Ok(if scan.is_complete() { Exit::Done } else { Exit::Broken })
    }
}

/// The repositories below a folder, each with its path from there, in order; nothing inside one is looked at.
fn clones(root: &Path) -> Result<Vec<(String, PathBuf)>, Fault> {
    let cannot =
        |path: &Path, error: std::io::Error| Fault::usage(format!("--root: {}: {error}", path.display()));
    let mut waiting = vec![(String::new(), root.to_owned(), 0)];
    let mut found = Vec::new();
    while let Some((name, path, depth)) = waiting.pop() {
        if depth > 0 && is_repository(&path) {
            found.push((name, path));
            continue;
        }
        if depth == DEPTH {
            continue;
        }
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if depth == 0 => return Err(cannot(&path, error)),
            Err(_) => continue,
        };
        for entry in entries.filter_map(Result::ok) {
            // A link could lead out of the folder, or round in a circle.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                let part = entry.file_name().to_string_lossy().into_owned();
                let below = if name.is_empty() { part } else { format!("{name}/{part}") };
                waiting.push((below, entry.path(), depth + 1));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_repository(path: &Path) -> bool {
    path.join(".git").exists() || (path.join("HEAD").is_file() && path.join("objects").is_dir())
}

/// The facts of one clone: its own configuration counts, and nobody else's.
fn facts(name: &str, path: &Path) -> Result<Repository, Fault> {
    let store = Store::open(path)?;
    let snapshot = store.snapshot()?;
    let mut found = hygiene::local(&snapshot, name)?;
    // Where sizes are not there, as in a clone without blobs, the rest is still known.
    if let Ok(tally) = tally(&snapshot, true) {
        found.kilobytes = tally.bytes / 1024;
        let programs = tally.languages.iter().filter(|(name, _)| !NO_PROGRAMS.contains(name));
        found.languages = programs.map(|(name, count)| ((*name).to_owned(), count.bytes)).collect();
    }
    Ok(found)
}
