//! `datum import`: what files already say, as entries.

use crate::cmd::task::board;
use crate::edge::{Edge, in_root};
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::import::{self, Import as Found};
use datum_core::publish::{is_ours, plan};
use datum_core::{Kind, Snapshot, bottle};
use std::fs;
use std::path::{Path, PathBuf};

/// Takes in what files already say: JOURNAL.md, TASKBOARD.md and the bottles of the tree. What was imported is not imported
/// again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum import
  datum import --dry-run
  datum import memory/JOURNAL.md
  datum task import docs/TASKS.md     # a board of another name")]
pub(crate) struct Import {
    /// Journals to import [default: JOURNAL.md and TASKBOARD.md of the work tree, and the bottles of HEAD]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Say what would be imported, and leave everything as it is
    #[arg(long)]
    dry_run: bool,
}

impl Import {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.store()?;
        let stamp = edge.stamp()?;
        let mut texts = Vec::new();
        for file in &self.journals(store.work_dir()) {
            let text = fs::read_to_string(file).map_err(|error| {
                Fault::usage(format!("cannot read {}: {error}", file.display()))
                    .hint("name a JOURNAL.md of UTF-8 text; without one, that of the work tree is taken")
            })?;
            if is_ours(&text) {
                out.say(&format!("{} was published by datum; there is nothing to import", file.display()));
            } else {
                texts.push((file.display().to_string(), text));
            }
        }
        // What cannot be read ends it before anything is written.
        let board = self.board(store.work_dir());
        let board = board.map(|path| board::read(&path).map(|text| (path, text))).transpose()?;
        if let Some((path, text)) = &board {
            board::take(edge, path, text, true)?;
        }
        let tell = |kind: &str, import: &Found| {
            for (what, why) in &import.refused {
                out.warn(&format!("{what}: not imported: {why}"));
            }
            (kind.to_owned(), import.drafts.len(), import.known, import.refused.len())
        };
        let mut counts = Vec::new();
        for (kind, from) in [(Kind::Journal, &texts[..]), (Kind::Bottle, &[])] {
            if kind == Kind::Bottle && !self.files.is_empty() {
                continue;
            }
            let decide = |snapshot: &Snapshot<'_>| -> Result<Found, Fault> {
                if kind == Kind::Bottle {
                    return Ok(import::bottles(snapshot, &bottle::inbox(snapshot)?.bottles));
                }
                let mut all = Found::default();
                for (path, text) in from {
                    let one = import::journal(snapshot, path, text);
                    all.drafts.extend(one.drafts);
                    all.refused.extend(one.refused);
                    all.known += one.known;
                }
                Ok(all)
            };
            let mut last = decide(&store.snapshot()?)?;
            if !self.dry_run {
                store.apply::<Fault>(kind, &stamp, |snapshot| {
                    last = decide(snapshot)?;
                    Ok(last.drafts.clone())
                })?;
            }
            counts.push(tell(kind.as_str(), &last));
        }
        if let Some((path, text)) = &board {
            let found = board::take(edge, path, text, self.dry_run)?;
            found.conflicts.iter().for_each(|conflict| out.warn(conflict));
            counts.push((
                Kind::Task.as_str().to_owned(),
                found.drafts.len(),
                found.known,
                found.conflicts.len(),
            ));
        }
        let refused: usize = counts.iter().map(|(.., refused)| refused).sum();
        if out.is_json() {
            let one = |(kind, new, known, refused): &(String, usize, usize, usize)| serde_json::json!({ "kind": kind, "imported": new, "known": known, "refused": refused });
            let kinds: Vec<_> = counts.iter().map(one).collect();
            out.json(&serde_json::json!({ "version": 1, "dry_run": self.dry_run, "kinds": kinds }));
        } else {
            let verb = if self.dry_run { "would import" } else { "imported" };
            for (kind, new, known, refused) in &counts {
                out.line(&format!("{verb} {new} into {kind}, {known} known already, {refused} refused"));
            }
        }
        Ok(if refused == 0 { Exit::Done } else { Exit::No })
    }

    fn board(&self, root: Option<&Path>) -> Option<PathBuf> {
        root.filter(|_| self.files.is_empty())
            .map(|root| in_root(root, plan::BOARD))
            .filter(|path| path.is_file())
    }

    fn journals(&self, root: Option<&Path>) -> Vec<PathBuf> {
        if !self.files.is_empty() {
            return self.files.clone();
        }
        root.map(|root| in_root(root, plan::JOURNAL)).into_iter().filter(|path| path.is_file()).collect()
    }
}
