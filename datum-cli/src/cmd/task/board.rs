//! `datum task import`: what people changed in a task board, as entries.

use crate::cmd::publish;
use crate::edge::{Edge, in_root};
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::publish::{is_ours, plan, taskboard_file};
use datum_core::{Kind, Snapshot, task};
use std::path::{Path, PathBuf};

/// Largest board that is read, bytes.
const BOARD_MAX: u64 = 32 * 1024 * 1024;

/// Reads back what people changed in a task board: ticked boxes, new lines, titles and sections, and in its JSON whatever
/// a task has. Boards of other programs are taken over; reading a board again adds nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum task import --dry-run
  datum task import && datum publish
  datum task import old/TASKBOARD.md

Exit: 0 all was taken over, 1 some could not be and is named.")]
pub(crate) struct Import {
    /// The board [default: TASKBOARD.md of the work tree]
    file: Option<PathBuf>,
    /// Say what would be done, and leave everything as it is
    #[arg(long)]
    dry_run: bool,
    /// Publish the board anew afterwards, if it is datum's
    #[arg(long, conflicts_with = "dry_run")]
    write: bool,
}

impl Import {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.store()?;
        let root = store.work_dir();
        let file = match (&self.file, root) {
            (Some(file), _) => file.clone(),
            (None, Some(root)) => {
                let board = in_root(root, plan::BOARD);
                if board.exists() && !board.is_file() {
                    return Err(Fault::usage(format!("{} is no file", board.display()))
                        .hint("put it out of the way; datum publish makes the board"));
                }
                board
            }
            (None, None) => {
                return Err(Fault::usage("a bare repository has no board").hint("datum task import FILE"));
            }
        };
        let text = read(&file)?;
        let found = take(edge, &file, &text, self.dry_run)?;
        if self.write && found.conflicts.is_empty() && is_ours(&text) {
            let board = taskboard_file::print(&task::board(&task::fold(&store.snapshot()?)));
            publish::write(Path::new("."), &file.display().to_string(), &board)?;
        }
        if out.is_json() {
            out.json(&serde_json::json!({
                "version": 1, "dry_run": self.dry_run, "done": found.done, "conflicts": found.conflicts,
            }));
        } else {
            let verb = if self.dry_run { "would import" } else { "imported" };
            found.done.iter().for_each(|what| out.line(&format!("{verb} {what}")));
            if found.done.is_empty() && found.conflicts.is_empty() {
                out.say("nothing to import");
            }
        }
        found.conflicts.iter().for_each(|conflict| out.warn(conflict));
        if !found.conflicts.is_empty() {
            out.say("hint: what was named stays as it is; change it in the board, or with datum task edit, and import again");
        }
        Ok(if found.conflicts.is_empty() { Exit::Done } else { Exit::No })
    }
}

/// Reads back the board `text` of `file`.
pub(crate) fn take(edge: &Edge<'_>, file: &Path, text: &str, dry_run: bool) -> Result<task::Imported, Fault> {
    let store = edge.store()?;
    // The name stands in the entries, so it is the same wherever the clone lies.
    let root = store.work_dir().and_then(|root| root.canonicalize().ok());
    let whole = file.canonicalize().ok();
    let within = || whole.as_deref()?.strip_prefix(root.as_deref()?).ok();
    let name = within().unwrap_or(file).display().to_string();
    let stamp = edge.stamp()?;
    let import = |snapshot: &Snapshot<'_>| {
        task::import(snapshot, text, &name, &stamp.agent, stamp.now)
            .map_err(|error| unreadable(file, text, &error))
    };
    let mut found = import(&store.snapshot()?)?;
    if !dry_run {
        store.apply::<Fault>(Kind::Task, &stamp, |snapshot| {
            found = import(snapshot)?;
            Ok(found.drafts.clone())
        })?;
    }
    Ok(found)
}

fn unreadable(file: &Path, text: &str, error: &taskboard_file::Error) -> Fault {
    let hint = match error {
        taskboard_file::Error::Unmerged { .. } => {
            "nothing was imported: keep in the file what holds of both sides, take the marks out, and import again"
        }
        _ if is_ours(text) => {
            "mend it there; or remove the file, and datum publish makes a new one without what was changed in it"
        }
        _ => "mend it there, and run it again",
    };
    Fault::usage(format!("{}: {error}", file.display())).hint(hint)
}

/// Reads a board, unless it is larger than any board.
pub(crate) fn read(file: &Path) -> Result<String, Fault> {
    let cannot = |why: &dyn std::fmt::Display| {
        Fault::usage(format!("cannot read {}: {why}", file.display()))
            .hint("name the board: datum task import FILE; datum publish makes TASKBOARD.md")
    };
    let size = std::fs::metadata(file).map_err(|error| cannot(&error))?.len();
    if size > BOARD_MAX {
        return Err(cannot(&format!("it has {size} bytes, the most is {BOARD_MAX}")));
    }
    std::fs::read_to_string(file).map_err(|error| cannot(&error))
}
