//! Audits many repositories at once; one that is broken does not stop the rest.

use super::look::{self, Looker};
use crate::audit_view::Audited;
use crate::edge::Opening;
use crate::fault::Fault;
use crate::out::Out;
use datum_core::audit::Report;
use datum_core::fleet::Vessel;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

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

/// Where a repository is.
pub(crate) enum Target {
    /// Here.
    Path(PathBuf),
    /// Elsewhere: a vessel of the fleet list, fetched for a moment.
    Vessel(Vessel),
}

impl Target {
    /// A vessel, where it is.
    pub(crate) fn of(vessel: Vessel) -> Self {
        let path = Path::new(&vessel.location);
        if path.is_absolute() && path.is_dir() { Self::Path(path.to_owned()) } else { Self::Vessel(vessel) }
    }

    fn name(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Vessel(vessel) => vessel.name.to_string(),
        }
    }

    fn look(&self, looker: &Looker<'_>, reach: &Reach) -> Result<Report, Fault> {
        let answer = match self {
            Self::Path(path) => looker.look(&look::open(path)?)?,
            Self::Vessel(vessel) => {
                let Reach::Budget(opening, budget) = reach else {
                    return Err(Fault::usage("no repository to reach it from"));
                };
                let visit = opening.open()?.remote(&vessel.location, *budget)?.visit()?;
                looker.look(&look::open(visit.path())?)?
            }
        };
        Ok(answer.report)
    }
}

/// How vessels elsewhere are reached.
pub(crate) enum Reach {
    /// None is asked for.
    Nowhere,
    /// From this repository, each for so long.
    Budget(Opening, Duration),
}

/// Audits all of them, so many at once; the answers stand in the order of `targets`.
pub(crate) fn audit(
    looker: &Looker<'_>,
    targets: &[Target],
    reach: &Reach,
    jobs: Option<usize>,
    out: &Out,
) -> Vec<Audited> {
    let jobs = jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    let next = AtomicUsize::new(0);
    let mut answers: Vec<(usize, Audited)> = Vec::new();
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, targets.len().max(1)) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(target) = targets.get(at) else { break };
                    let audited = Audited { path: target.name(), report: target.look(looker, reach) };
                    if sender.send((at, audited)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for answer in receiver {
            answers.push(answer);
            out.progress(answers.len(), targets.len());
        }
    });
    out.progress_end();
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, audited)| audited).collect()
}
