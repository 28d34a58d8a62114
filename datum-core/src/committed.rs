//! What the journal says of commits made beside it: one entry a commit, with its I2I parts and what it changed in
//! CAPABILITY.toml.

use crate::capability::{self, Change};
use crate::entry::{Draft, DraftError, SUBJECT_MAX, VALUE_MAX};
use crate::history::Commit;
use crate::i2i;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::log;
use crate::odb::{ObjectError, ObjectKind};
use crate::snapshot::Snapshot;
use crate::stamp::Millis;
use crate::store::Store;
use std::ops::ControlFlow;

/// The category of these entries.
pub const CATEGORY: &str = "COMMIT";
/// The trailer that names the commit.
pub const COMMIT: &str = "Commit";
/// The category of the entry that stands for a rebase.
pub const REWRITE: &str = "REWRITE";
/// Most pairs of ids that the entry of a rebase lists.
const PAIRS_MAX: usize = 1000;
/// How far a clock may be stepped back between a commit and its entry, milliseconds.
const SLACK: Millis = 60_000;

impl Store {
    /// What `commit` changed in CAPABILITY.toml against its first parent; nothing where either cannot be understood.
    ///
    /// # Errors
    /// [`ObjectError`] for an object that cannot be read.
    pub fn capability_changes(&self, commit: &Commit) -> Result<Vec<Change>, ObjectError> {
        let declared = |tree| -> Result<Option<EntryId>, ObjectError> {
            let items = log::read_tree(&self.odb, tree)?;
            let item = items.into_iter().find(|item| item.name == b"CAPABILITY.toml" && item.mode.is_blob());
            Ok(item.map(|item| item.id))
        };
        let old = match commit.parents.first() {
            Some(parent) => declared(self.commit(*parent)?.tree)?,
            None => None,
        };
        let new = declared(commit.tree)?;
        if old == new {
            return Ok(Vec::new());
        }
        let read = |id: Option<EntryId>| -> Result<_, ObjectError> {
            let Some(id) = id else { return Ok(Some(capability::Capability::default())) };
            let mut buffer = Vec::new();
            let text = String::from_utf8_lossy(self.odb.read(id, ObjectKind::Blob, &mut buffer)?);
            Ok(capability::read(&text).ok().map(|reading| reading.capability))
        };
        Ok(match (read(old)?, read(new)?) {
            (Some(old), Some(new)) => capability::changes(&old, &new),
            _ => Vec::new(),
        })
    }
}

/// Text as one plain line of at most `max` bytes.
fn line(text: &str, max: usize) -> String {
    let plain = |c: char| !c.is_control() && !matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut out: String =
        text.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| plain(*c)).collect();
    if out.len() > max {
        let end = (0..=max - '…'.len_utf8()).rev().find(|at| out.is_char_boundary(*at)).unwrap_or(0);
        out.truncate(end);
        out.truncate(out.trim_end().len());
        out.push('…');
    }
    out.trim().to_owned()
}

/// Drafts the entry of a commit.
///
/// # Errors
/// None that a commit can cause: what an entry cannot hold is left out or shortened.
pub fn draft(commit: &Commit, branch: Option<&str>, changes: &[Change]) -> Result<Draft, DraftError> {
    let whole = &commit.subject;
    let subject = match line(whole, SUBJECT_MAX) {
        empty if empty.is_empty() => "(a commit without a subject)".to_owned(),
        subject => subject,
    };
    let told: String = changes.iter().map(|change| format!("\n{change}")).collect();
    let body = if told.is_empty() { String::new() } else { format!("{subject}\n\nCAPABILITY.toml:{told}") };
    let mut draft = Draft::new(&subject, &body)?
        .with(crate::journal::CATEGORY, CATEGORY)?
        .with(COMMIT, &commit.id.to_string())?;
    let parts = i2i::parse(whole).ok().flatten();
    let part = |of: fn(&i2i::Subject<'_>) -> Option<String>| parts.as_ref().and_then(of);
    let mut trailers = vec![
        ("Branch", branch.map(str::to_owned)),
        ("Author", Some(commit.author.clone())),
        ("Type", part(|subject| Some(subject.kind().to_owned()))),
        ("Code", part(|subject| subject.code().map(str::to_owned))),
        ("Scope", part(|subject| subject.scope().map(str::to_owned))),
    ];
    trailers.extend(changes.iter().map(|change| ("Capability", Some(change.short()))));
    for (key, value) in trailers {
        let value = value.map(|value| line(&value, VALUE_MAX)).filter(|value| !value.is_empty());
        if let Some(value) = value {
            draft = draft.with(key, &value)?;
        }
    }
    Ok(draft)
}

/// Whether the journal has an entry of `commit` already.
///
/// An entry is younger than its commit, so the walk back ends there; where the commit's clock is ahead of `now` that
/// says nothing, and all of the journal is looked at.
pub fn is_recorded(snapshot: &Snapshot<'_>, commit: &Commit, now: Millis) -> bool {
    let hex = commit.id.to_string();
    let committed = u64::try_from(commit.committed).unwrap_or(0).saturating_mul(1000);
    let since = if committed > now { 0 } else { committed.saturating_sub(SLACK) };
    let mut found = false;
    snapshot.walk(Kind::Journal, |view| {
        found = view.trailer(COMMIT) == Some(&hex);
        if found || view.clock() < since { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    found
}

/// The pairs of ids, old and new, that git writes to a post-rewrite hook; lines that are none are left out.
pub fn rewritten(stdin: &str) -> Vec<(EntryId, EntryId)> {
    let pair = |line: &str| {
        let mut words = line.split_whitespace();
        Some((EntryId::from_hex(words.next()?)?, EntryId::from_hex(words.next()?)?))
    };
    stdin.lines().filter_map(pair).collect()
}

/// Drafts the entry that stands for a rebase: which commits became which.
///
/// # Errors
/// None that git's lines can cause.
pub fn draft_rewrite(
    head: &Commit,
    branch: Option<&str>,
    pairs: &[(EntryId, EntryId)],
) -> Result<Draft, DraftError> {
    use std::fmt::Write as _;
    let count = pairs.len();
    let subject = format!("Rebased {count} commit{}", if count == 1 { "" } else { "s" });
    let mut body = format!("{subject}\n");
    for (old, new) in pairs.iter().take(PAIRS_MAX) {
        let _ = write!(body, "\n{old} {new}");
    }
    if count > PAIRS_MAX {
        let _ = write!(body, "\n… and {} more", count - PAIRS_MAX);
    }
    let mut draft = Draft::new(&subject, &body)?
        .with(crate::journal::CATEGORY, REWRITE)?
        .with(COMMIT, &head.id.to_string())?;
    if let Some(branch) = branch.map(|branch| line(branch, VALUE_MAX)).filter(|branch| !branch.is_empty()) {
        draft = draft.with("Branch", &branch)?;
    }
    Ok(draft)
}

impl Store {
    /// The short name of the branch that is checked out, if one is.
    pub fn branch(&self) -> Option<String> {
        let name = self.repo().head_name().ok()??;
        Some(name.shorten().to_string())
    }

    /// Whether git is in the middle of a rebase, an `am` or a cherry-pick of several commits.
    pub fn is_replaying(&self) -> bool {
        use gix::state::InProgress as Is;
        let state = self.repo().state();
        let whole = [
            Is::ApplyMailbox,
            Is::ApplyMailboxRebase,
            Is::Rebase,
            Is::RebaseInteractive,
            Is::CherryPickSequence,
            Is::RevertSequence,
        ];
        // Between two picks their heads are gone, and only the list of what is to come is there.
        state.is_some_and(|state| whole.contains(&state))
            || self.repo().path().join("sequencer/todo").is_file()
    }
}
