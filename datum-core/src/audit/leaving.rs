//! Audits what a push is about to send: rules about files, and only what the outgoing commits bring.

use super::book::{Book, CONFIG, Pack};
use super::compare::{keys, mark_known};
use super::engine::{self, Audit};
use super::report::Report;
use super::rule::{Level, Probe};
use super::rule_file::RuleError;
use super::scope::{Verdict, finding};
use super::text;
use crate::files::{Files, LookError};
use crate::id::EntryId;
use crate::outgoing::{self, Brought, Update};
use crate::stamp::Millis;
use crate::store::Store;
use crate::survey::RevisionError;
use std::collections::BTreeSet;

/// Earlier commits that a tip is compared with.
const BASES_MAX: usize = 8;

/// A push that is to be audited.
pub struct Leaving<'a> {
    /// The repository.
    pub store: &'a Store,
    /// The refs that are pushed.
    pub updates: &'a [Update],
    /// What the push sends, as [`Store::outgoing_secrets`] found it.
    pub sent: &'a outgoing::Report,
    /// Rules of this level and above are asked; without it what `push` in the vessel's `datum.toml` says, or critical.
    pub least: Option<Asked>,
    /// The time that suppressions are judged by.
    pub now: Millis,
    /// Tells the language of a file by its path.
    pub language: &'a dyn Fn(&str) -> Option<&'static str>,
}

/// Which rules a push is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// None.
    Off,
    /// Those of this level and above.
    From(Level),
}

/// Why a push could not be audited.
#[derive(Debug, thiserror::Error)]
pub enum LeavingError {
    /// A commit of the push could not be found.
    #[error(transparent)]
    Revision(#[from] RevisionError),
    /// Its files could not be looked at.
    #[error(transparent)]
    Look(#[from] LookError),
    /// The rules of the vessel cannot be used.
    #[error(transparent)]
    Rules(#[from] RuleError),
}

/// Audits each commit that becomes the tip of a ref; findings that the remote has already are known ones.
///
/// Paths and sizes are asked of every outgoing commit, also of those whose files a later one removes: all of it leaves.
///
/// # Errors
/// [`LeavingError`] when a commit or the vessel's rules cannot be read.
pub fn leaving(push: &Leaving<'_>) -> Result<Vec<Report>, LeavingError> {
    let sent: BTreeSet<EntryId> = push.sent.commits.iter().copied().collect();
    let mut reports = Vec::new();
    let mut done = BTreeSet::new();
    for update in push.updates.iter().filter(|update| !update.remote_ref.starts_with("refs/datum/")) {
        let Some(tip) = update.local.and_then(|id| push.store.peeled(id)) else { continue };
        if !sent.contains(&tip) || !done.insert(tip) {
            continue;
        }
        let Some(mut report) = audit(push, tip, None, &push.sent.brought)? else { continue };
        if report.counts.open.is_empty() {
            reports.push(report);
            continue;
        }
        let mut known = BTreeSet::new();
        for base in bases(push, update, &sent) {
            if let Some(before) = audit(push, base, Some(tip), &[])? {
                known.extend(keys(&before));
            }
        }
        mark_known(&mut report, &known);
        reports.push(report);
    }
    Ok(reports)
}

/// What the remote has of the history that is pushed.
fn bases(push: &Leaving<'_>, update: &Update, sent: &BTreeSet<EntryId>) -> BTreeSet<EntryId> {
    let mut bases: BTreeSet<EntryId> =
        update.remote.and_then(|id| push.store.peeled(id)).into_iter().collect();
    for id in &push.sent.commits {
        let parents = push.store.commit(*id).map(|commit| commit.parents).unwrap_or_default();
        bases.extend(parents.into_iter().filter(|id| !sent.contains(id) && push.store.peeled(*id).is_some()));
        if bases.len() >= BASES_MAX {
            break;
        }
    }
    bases
}

/// Audits one commit by the rules that `rules_of`, or it itself, sets; `None` where none is to be asked.
fn audit(
    push: &Leaving<'_>,
    commit: EntryId,
    rules_of: Option<EntryId>,
    brought: &[Brought],
) -> Result<Option<Report>, LeavingError> {
    let survey = push.store.survey(Some(&commit.to_string()))?;
    let files = Files::of(&survey.snapshot)?;
    let book = match rules_of {
        None => book(push, &files)?,
        Some(tip) => {
            let at = push.store.survey(Some(&tip.to_string()))?;
            book(push, &Files::of(&at.snapshot)?)?
        }
    };
    let Some(book) = book else { return Ok(None) };
    Ok(Some(engine::run(&Audit {
        survey: &survey,
        files: &files,
        worktree: false,
        book: &book,
        name: "push",
        now: push.now,
        deep: false,
        brought: Some(brought),
        language: push.language,
    })))
}

/// The rules of a commit that are asked of a push.
fn book(push: &Leaving<'_>, files: &Files<'_>) -> Result<Option<Book>, LeavingError> {
    if push.least == Some(Asked::Off) {
        return Ok(None);
    }
    let packs: &[Pack] =
        if engine::is_vessel(files)? { &[Pack::Vessel, Pack::Hygiene] } else { &[Pack::Hygiene] };
    let mut book = Book::of(packs)?;
    if let Some(node) = files.node(CONFIG)? {
        book.configure(CONFIG, &String::from_utf8_lossy(&files.read(&node)?))?;
    }
    let Asked::From(least) = push.least.or(book.push).unwrap_or(Asked::From(Level::Critical)) else {
        return Ok(None);
    };
    book.keep(|rule| rule.level() >= least && is_about_files(&rule.probe));
    Ok(Some(book))
}

/// Whether commits can bring what the probe finds; secrets are looked for by themselves, commit by commit.
fn is_about_files(probe: &Probe) -> bool {
    match probe {
        Probe::Secrets(_)
        | Probe::Log(_)
        | Probe::Branch(_)
        | Probe::Tags(_)
        | Probe::Undecided(_)
        | Probe::Marks(_) => false,
        Probe::AnyOf(probes) | Probe::AllOf(probes) => probes.iter().all(is_about_files),
        _ => true,
    }
}

/// Asks a rule about paths or sizes of what commits bring; `None` for any other rule.
pub(crate) fn ask(probe: &Probe, brought: &[Brought], survey: &crate::survey::Survey<'_>) -> Option<Verdict> {
    let mut findings = Vec::new();
    let mut told = BTreeSet::new();
    match probe {
        Probe::Absent(probe) => {
            for one in brought {
                let hit = parts(&one.path).find(|path| {
                    probe.any.iter().any(|glob| glob.matches(path))
                        && !probe.except.iter().any(|glob| glob.matches(path))
                });
                if let Some(path) = hit.filter(|path| told.insert(*path)) {
                    let message =
                        format!("it should not be here, and commit {} brings it", one.commit.short(12));
                    findings.push(finding(message, Some(path)));
                }
            }
        }
        Probe::Size(probe) => {
            for one in brought.iter().filter(|one| probe.any.iter().any(|glob| glob.matches(&one.path))) {
                let size = survey.snapshot.odb().size(one.id).unwrap_or_default();
                if size > probe.max && told.insert(one.path.as_str()) {
                    let (is, most) = (text::bytes(size), text::bytes(probe.max));
                    let message = format!("it has {is} in commit {}, more than {most}", one.commit.short(12));
                    findings.push(finding(message, Some(&one.path)));
                }
            }
        }
        _ => return None,
    }
    Some(Verdict::of(findings))
}

/// A path and the folders it lies in, the outermost first.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at]).chain(std::iter::once(path))
}
