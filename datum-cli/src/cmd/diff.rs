//! `datum diff`: what differs between two commits.

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::diff::{Change, Side};
use datum_core::files::{NodeKind, TEXT_MAX};
use datum_core::listing::Blobs;
use serde_json::{Value, json};
use similar::{Algorithm, ChangeTag, TextDiff};
use std::fmt::Write as _;
use std::time::Duration;

/// Time after which the comparison of one file becomes coarse.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes in which a NUL shows that a file is no text, as git has it.
const BINARY_LOOK: usize = 8000;

/// Shows what differs between two commits, as a patch that git apply takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum diff v1.0 v1.1
  datum diff HEAD~3 --stat
  datum diff main..trial src/
  datum diff v1.0 HEAD --format json
  datum diff HEAD~1 | git apply --reverse

PATH counts from where the command runs. A file that was only moved is a rename. Files above 4 MiB, and files that are no
text, are named and not compared line by line; submodules are compared by their commits.
Exit: 0 done; with --exit-code 1 where anything differs; 2 a revision that does not exist.")]
pub(crate) struct Diff {
    /// The older commit: a branch, tag, id, HEAD~3, or OLD..NEW
    #[arg(value_name = "REF1")]
    old: String,
    /// The newer commit, or HEAD, and the files and folders to look at
    #[arg(value_name = "REF2 | PATH")]
    rest: Vec<String>,
    /// Print a line for each file, with the lines that came and went
    #[arg(long)]
    stat: bool,
    /// Print a line for each file: A added, D deleted, M modified, R renamed, T another type
    #[arg(long, conflicts_with = "stat")]
    name_only: bool,
    /// Lines around a change
    #[arg(short = 'U', long, value_name = "N", default_value_t = 3)]
    context: usize,
    /// Exit with 1 where anything differs
    #[arg(long)]
    exit_code: bool,
}

/// A change, and how its text changed.
struct Shown {
    change: Change,
    /// Lines that came and went; `None` for what is no text, or too large.
    lines: Option<(usize, usize)>,
    patch: String,
}

impl Diff {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.store()?;
        let snapshot = store.snapshot()?;
        let (old, new, paths) = match self.old.split_once("..").filter(|_| !self.old.contains("...")) {
            Some((old, new)) => {
                let or_head = |text: &str| if text.is_empty() { "HEAD".to_owned() } else { text.to_owned() };
                (store.resolve(&or_head(old))?, store.resolve(&or_head(new))?, &self.rest[..])
            }
            None => {
                let old = store.resolve(&self.old)?;
                match self.rest.split_first() {
                    None => (old, store.resolve("HEAD")?, &self.rest[..]),
                    // The second word is a revision, or else all are paths and it is compared with HEAD.
                    Some((first, more)) => match store.resolve(first) {
                        Ok(new) => (old, new, more),
                        Err(error) if !edge.dir().join(first).exists() => return Err(error.into()),
                        Err(_) => (old, store.resolve("HEAD")?, &self.rest[..]),
                    },
                }
            }
        };
        let paths = super::git::places(edge, paths)?;
        let changes = snapshot.diff(old, new, &paths)?;
        let differs = !changes.is_empty();
        let mut blobs = snapshot.blobs();
        let mut all = Vec::new();
        for change in changes {
            let wants_text = !self.name_only;
            let shown = if wants_text {
                self.compare(&mut blobs, change)?
            } else {
                Shown { change, lines: None, patch: String::new() }
            };
            if out.is_json() {
                all.push(self.json(&shown));
            } else {
                self.print(out, &shown);
            }
        }
        if out.is_json() {
            if out.format() == crate::args::Format::Ndjson {
                all.iter().for_each(|change| out.json(change));
            } else {
                out.json(&json!({ "version": 1, "old": old, "new": new, "changes": all }));
            }
        }
        Ok(if differs && self.exit_code { Exit::No } else { Exit::Done })
    }

    fn print(&self, out: &mut Out, shown: &Shown) {
        let change = &shown.change;
        let from = change.from.as_ref().map(|from| format!("{from} → ")).unwrap_or_default();
        if self.name_only {
            out.line(&format!("{} {from}{}", change.letter(), change.path));
        } else if self.stat {
            let lines = match shown.lines {
                Some((came, went)) => format!("+{came} −{went}"),
                None => "not text".to_owned(),
            };
            out.line(&format!("{} {lines:>12}  {from}{}", change.letter(), change.path));
        } else {
            out.raw(shown.patch.as_bytes());
        }
    }

    fn json(&self, shown: &Shown) -> Value {
        let Shown { change, lines, patch } = shown;
        let side = |side: &Option<Side>| side.map(|side| json!({ "id": side.id, "mode": side.mode() }));
        let mut value = json!({
            "path": change.path, "from": change.from, "status": change.letter().to_string(),
            "old": side(&change.old), "new": side(&change.new),
        });
        if !self.name_only {
            value["added"] = json!(lines.map(|(came, _)| came));
            value["removed"] = json!(lines.map(|(_, went)| went));
            if !self.stat {
                value["patch"] = json!(patch);
            }
        }
        value
    }

    /// Compares the two sides of a change.
    fn compare(&self, blobs: &mut Blobs, change: Change) -> Result<Shown, Fault> {
        if change.letter() == 'T' {
            // As git has it: the one goes, and the other comes.
            let gone = self.compare(blobs, Change { new: None, ..change.clone() })?;
            let came = self.compare(blobs, Change { old: None, ..change.clone() })?;
            let lines = came.lines.zip(gone.lines).map(|((came, _), (_, gone))| (came, gone));
            return Ok(Shown { change, lines, patch: gone.patch + &came.patch });
        }
        let mut patch = heading(&change);
        if change.from.is_some() {
            return Ok(Shown { change, lines: Some((0, 0)), patch });
        }
        if change.old.map(|side| side.id) == change.new.map(|side| side.id) {
            return Ok(Shown { change, lines: Some((0, 0)), patch });
        }
        let (Some(old), Some(new)) = (text(blobs, change.old)?, text(blobs, change.new)?) else {
            let name = |side: &Option<Side>, letter| name(side.is_some(), letter, &change.path);
            let _ = writeln!(
                patch,
                "Binary files {} and {} differ",
                name(&change.old, 'a'),
                name(&change.new, 'b')
            );
            return Ok(Shown { change, lines: None, patch });
        };
        let diff = TextDiff::configure().algorithm(Algorithm::Myers).timeout(PATIENCE).diff_lines(&old, &new);
        let count = |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
        let lines = (count(ChangeTag::Insert), count(ChangeTag::Delete));
        let (a, b) =
            (name(change.old.is_some(), 'a', &change.path), name(change.new.is_some(), 'b', &change.path));
        let _ = write!(patch, "{}", diff.unified_diff().context_radius(self.context).header(&a, &b));
        Ok(Shown { change, lines: Some(lines), patch })
    }
}

/// The text of a side; `None` for what is no text, or too large to compare line by line.
fn text(blobs: &mut Blobs, side: Option<Side>) -> Result<Option<String>, Fault> {
    let Some(side) = side else { return Ok(Some(String::new())) };
    if side.kind == NodeKind::Submodule {
        return Ok(Some(format!("Subproject commit {}\n", side.id)));
    }
    if blobs.size(side.id)? > TEXT_MAX {
        return Ok(None);
    }
    let bytes = blobs.read(side.id)?;
    let is_binary = bytes[..bytes.len().min(BINARY_LOOK)].contains(&0);
    Ok((!is_binary).then(|| String::from_utf8_lossy(bytes).into_owned()))
}

/// The lines of a patch before the first hunk, as git prints them.
fn heading(change: &Change) -> String {
    let from = change.from.as_ref().unwrap_or(&change.path);
    let mut out = format!("diff --git {} {}\n", name(true, 'a', from), name(true, 'b', &change.path));
    match (&change.old, &change.new) {
        (None, Some(new)) => {
            let _ = writeln!(out, "new file mode {}", new.mode());
        }
        (Some(old), None) => {
            let _ = writeln!(out, "deleted file mode {}", old.mode());
        }
        (Some(old), Some(new)) if old.mode() != new.mode() => {
            let _ = writeln!(out, "old mode {}\nnew mode {}", old.mode(), new.mode());
        }
        _ => {}
    }
    if let Some(from) = &change.from {
        let _ = writeln!(
            out,
            "similarity index 100%\nrename from {}\nrename to {}",
            quoted(from),
            quoted(&change.path)
        );
    }
    out
}

/// The name of a side: `a/path`, or the place of nothing.
fn name(is_there: bool, letter: char, path: &str) -> String {
    if is_there { quoted(&format!("{letter}/{path}")) } else { "/dev/null".to_owned() }
}

/// A path between quotation marks where it holds what would be misread, as git prints it.
fn quoted(path: &str) -> String {
    let odd = |c: char| c.is_control() || c == '"' || c == '\\';
    if !path.contains(odd) {
        return path.to_owned();
    }
    let mut out = String::from("\"");
    for c in path.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    let _ = write!(out, "\\{byte:03o}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
