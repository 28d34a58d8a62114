//! Audits many repositories at once; one that is broken does not stop the rest.

use super::look::{self, Looker};
use crate::audit_view::Audited;
use crate::fault::Fault;
use crate::out::Out;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// How deep below the root repositories are looked for: `host/owner/name`.
const DEPTH: usize = 4;

/// The repositories below a folder, in the order of their paths; what lies inside a repository is its own affair.
pub(crate) fn repositories(root: &Path) -> Result<Vec<PathBuf>, Fault> {
    let mut found = Vec::new();
    let mut waiting = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = waiting.pop() {
        if is_repository(&folder) {
            found.push(folder);
            continue;
        }
        if depth == DEPTH {
            continue;
        }
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if depth == 0 => {
                return Err(Fault::usage(format!("cannot list {}: {error}", folder.display())));
            }
            Err(_) => continue,
        };
        // Links are not followed, so no loop of them can catch us.
        let folders = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        waiting.extend(folders.map(|entry| (entry.path(), depth + 1)));
    }
    found.sort();
    Ok(found)
}

fn is_repository(folder: &Path) -> bool {
    folder.join(".git").exists() || (folder.join("HEAD").is_file() && folder.join("objects").is_dir())
}

/// Audits all of them, so many at once; the answers stand in the order of `paths`.
pub(crate) fn audit(looker: &Looker<'_>, paths: &[PathBuf], jobs: Option<usize>, out: &Out) -> Vec<Audited> {
    let jobs = jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    let next = AtomicUsize::new(0);
    let mut answers: Vec<(usize, Audited)> = Vec::new();
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, paths.len().max(1)) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(path) = paths.get(at) else { break };
                    let report =
                        look::open(path).and_then(|store| looker.look(&store)).map(|looked| looked.report);
                    let audited = Audited { path: path.display().to_string(), report };
                    if sender.send((at, audited)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for answer in receiver {
            answers.push(answer);
            out.progress(answers.len(), paths.len());
        }
    });
    out.progress_end();
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, audited)| audited).collect()
}
