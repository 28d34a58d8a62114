//! `datum publish`: state as the files the fleet reads.

use crate::cmd::journal::moment;
use crate::edge::{Edge, in_root};
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::regular;
use datum_core::publish::{is_ours, plan, taskboard_file};
use datum_core::{AgentName, Snapshot, task};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Writes the files the fleet reads: JOURNAL.md, the bottles, and TASKBOARD.md where there are tasks.
///
/// A board in which people changed tasks stays as it is until datum task import has read it back.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum publish --dry-run
  datum publish && git add -A && git commit -m 'Publish'
  datum task import && datum publish

Exit: 0 everything is published, 1 a file is not datum's, or was changed by hand and not imported.")]
pub(crate) struct Publish {
    /// Say what would be written and removed, and leave everything as it is
    #[arg(long)]
    dry_run: bool,
    /// Publish the state as it was at TIME
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
}

impl Publish {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.store()?;
        let Some(root) = store.work_dir() else {
            return Err(Fault::usage("a bare repository has no files to publish into")
                .hint("run it in a clone with a work tree"));
        };
        let mut snapshot = store.snapshot()?;
        if let Some(time) = moment("--as-of", self.as_of.as_deref(), edge.now()?)? {
            snapshot = snapshot.as_of(time);
        }
        let files = planned(&snapshot)?;
        let (mut written, mut removed, mut kept, mut unread) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (path, text) in &files {
            match owner(root, path)? {
                Owner::Other => kept.push(path.clone()),
                Owner::Ours(old) if old == *text => {}
                Owner::Ours(old) if path == plan::BOARD && is_unread(edge, &old, &mut unread)? => {}
                Owner::Ours(_) | Owner::Nobody => {
                    if !self.dry_run {
                        write(root, path, text)?;
                    }
                    written.push(path.clone());
                }
            }
        }
        for path in ours_below(root, plan::BOTTLES)? {
            if !files.contains_key(&path) {
                if !self.dry_run {
                    let file = in_root(root, &path);
                    fs::remove_file(&file).map_err(|error| cannot("remove", &file, &error))?;
                }
                removed.push(path);
            }
        }
        if out.is_json() {
            out.json(&serde_json::json!({
                "version": 1, "dry_run": self.dry_run, "written": written, "removed": removed, "not_ours": kept, "not_imported": unread,
            }));
        } else {
            let (wrote, gone) =
                if self.dry_run { ("would write", "would remove") } else { ("wrote", "removed") };
            for (verb, path) in written.iter().map(|p| (wrote, p)).chain(removed.iter().map(|p| (gone, p))) {
                out.line(&format!("{verb} {path}"));
            }
            if written.is_empty() && removed.is_empty() && kept.is_empty() && unread.is_empty() {
                out.say("everything is published");
            }
        }
        for path in &kept {
            out.warn(&format!(
                "{path} is not datum's and stays as it is; {} takes it in, then remove it",
                if path == plan::BOARD { "datum task import" } else { "datum import" }
            ));
        }
        if let Some(first) = unread.first() {
            let more =
                if unread.len() > 1 { format!(", and {} more", unread.len() - 1) } else { String::new() };
            out.warn(&format!("{} was changed by hand and stays as it is: {first}{more}", plan::BOARD));
            out.say("hint: datum task import takes it in, or says what it cannot; without the file a new one is made");
        }
        out.damage(&snapshot.damage());
        Ok(if kept.is_empty() && unread.is_empty() { Exit::Done } else { Exit::No })
    }
}

/// Whether people changed something in a published board that nobody has read back, and what, in words.
fn is_unread(edge: &Edge<'_>, text: &str, unread: &mut Vec<String>) -> Result<bool, Fault> {
    let snapshot = edge.store()?.snapshot()?;
    if taskboard_file::is_untouched(text) && !task::has_absent(&snapshot, text) {
        return Ok(false);
    }
    // What would be imported does not depend on who does it, unless somebody holds a task.
    let agent = edge.agent_if_any()?.map_or_else(|| AgentName::new("nobody"), Ok)?;
    match task::import(&snapshot, text, plan::BOARD, &agent, edge.now()?) {
        Ok(found) => unread.extend(found.done.into_iter().chain(found.conflicts)),
        Err(error) => unread.push(error.to_string()),
    }
    Ok(!unread.is_empty())
}

fn planned(snapshot: &Snapshot<'_>) -> Result<BTreeMap<String, String>, Fault> {
    let mut files = plan::bottles(snapshot)?;
    files.insert(plan::JOURNAL.to_owned(), plan::journal(snapshot));
    let tasks = task::fold(snapshot);
    if !tasks.is_empty() {
        files.insert(plan::BOARD.to_owned(), taskboard_file::print(&task::board(&tasks)));
    }
    Ok(files)
}

/// Whose a file is.
pub(crate) enum Owner {
    Nobody,
    Ours(String),
    Other,
}

fn cannot(doing: &str, path: &Path, error: &std::io::Error) -> Fault {
    Fault::broken(format!("cannot {doing} {}: {error}", path.display()))
        .hint("may this user do that there, and is there room?")
}

/// Who owns the file at `path`; a link anywhere on the way is not ours, wherever it leads.
pub(crate) fn owner(root: &Path, path: &str) -> Result<Owner, Fault> {
    let mut file = PathBuf::from(root);
    for part in path.split('/') {
        file.push(part);
        match fs::symlink_metadata(&file) {
            Ok(meta) if meta.is_symlink() => return Ok(Owner::Other),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Owner::Nobody),
            Err(error) if error.kind() == ErrorKind::NotADirectory => return Ok(Owner::Other),
            Err(error) => return Err(cannot("look at", &file, &error)),
        }
    }
    match regular::read(&file).map(String::from_utf8) {
        Ok(Ok(text)) if is_ours(&text) => Ok(Owner::Ours(text)),
        Ok(_) => Ok(Owner::Other),
        // A folder, or a pipe in the file's place.
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(Owner::Other),
        Err(error) => Err(cannot("read", &file, &error)),
    }
}

/// Writes a file whole or not at all.
pub(crate) fn write(root: &Path, path: &str, text: &str) -> Result<(), Fault> {
    let file = in_root(root, path);
    let folder = file.parent().unwrap_or(root);
    let fresh = file.with_extension(format!("datum-{}", std::process::id()));
    let wrote = fs::create_dir_all(folder)
        .and_then(|()| fs::write(&fresh, text))
        .and_then(|()| fs::rename(&fresh, &file));
    wrote.map_err(|error| {
        let _ = fs::remove_file(&fresh);
        cannot("write", &file, &error)
    })
}

/// The files below `folder` that datum has published.
fn ours_below(root: &Path, folder: &str) -> Result<Vec<String>, Fault> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(root.join(folder)).sort_by_file_name() {
        let Ok(entry) = entry else { continue };
        let Ok(path) = entry.path().strip_prefix(root) else { continue };
        let (true, Some(path)) = (entry.file_type().is_file(), path.to_str()) else { continue };
        let path = path.replace('\\', "/");
        if matches!(owner(root, &path)?, Owner::Ours(_)) {
            found.push(path);
        }
    }
    Ok(found)
}
