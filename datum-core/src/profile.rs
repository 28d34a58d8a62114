//! A profile: what a repository is, told from its commits and logs alone.

use crate::capability::{self, Freshness, Reading};
use crate::files::{Files, LookError, NodeKind};
use crate::history::{Commit, End};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::snapshot::Snapshot;
use crate::stamp::Millis;
use crate::{bottle, i2i};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// The folders and files of a workshop, as the fleet's template has them.
pub const STRUCTURE: [&str; 14] = [
    "bootcamp/",
    "dojo/",
    "tools/",
    "wiki/",
    "recipes/",
    "context/",
    "prompts/",
    "message-in-a-bottle/",
    "README.md",
    "TASKBOARD.md",
    "JOURNAL.md",
    "CAPABILITY.toml",
    ".superagent/agent.toml",
    "tools/manifest.json",
];

/// One of the authors.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Author {
    /// The name, of the newest commit that has the address.
    pub name: String,
    /// The address, by which authors are told apart.
    pub email: String,
    /// Commits.
    pub commits: u64,
    /// When the first was made, seconds since 1970.
    pub first: i64,
    /// When the last was made.
    pub last: i64,
}

/// What the history tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// Commits.
    pub commits: u64,
    /// Whether older ones are missing, because the clone is shallow.
    pub shallow: bool,
    /// Commits with more than one parent.
    pub merges: u64,
    /// Commits with an I2I subject.
    pub i2i: u64,
    /// Who made them: the one with most commits first.
    pub authors: Vec<Author>,
    /// When the first was made, seconds since 1970.
    pub first: Option<i64>,
    /// When the last was made.
    pub last: Option<i64>,
    /// Commits by the month they were made in, UTC: `2026-01`.
    pub months: BTreeMap<String, u64>,
}

/// Bottles by how far anyone has come with them.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Bottles {
    /// All of them.
    pub all: usize,
    /// Those that lie in the tree as files.
    pub files: usize,
    /// By state.
    pub states: BTreeMap<&'static str, usize>,
    /// Those whose deadline has passed.
    pub overdue: usize,
}

/// What CAPABILITY.toml says, and how old it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// What could be read; `None` where it is no TOML.
    pub reading: Option<Reading>,
    /// Findings of the strict check, by level.
    pub errors: usize,
    /// The same.
    pub warnings: usize,
    /// Its age against the history.
    pub freshness: Freshness,
}

/// What a repository is.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The commit that was looked at; `None` for an empty repository.
    pub commit: Option<EntryId>,
    /// The history.
    pub past: Past,
    /// The parts of [`STRUCTURE`] and whether they are there.
    pub structure: Vec<(&'static str, bool)>,
    /// The bottles.
    pub bottles: Bottles,
    /// The declaration, if there is one.
    pub declared: Option<Declared>,
    /// Entries by kind.
    pub entries: BTreeMap<Kind, u64>,
}

/// Profiles the snapshot: a pure function of it and of the time by which deadlines are judged.
///
/// # Errors
/// [`LookError`] for an object that cannot be read.
pub fn profile(snapshot: &Snapshot<'_>, now: Millis) -> Result<Profile, LookError> {
    let files = Files::of(snapshot)?;
    let is_there = |part: &'static str| -> Result<(&'static str, bool), LookError> {
        let (path, want) = match part.strip_suffix('/') {
            Some(path) => (path, NodeKind::Folder),
            None => (part, NodeKind::File),
        };
        Ok((part, files.node(path)?.is_some_and(|node| node.kind == want)))
    };
    let mut entries = BTreeMap::new();
    for (kind, writer, _) in snapshot.tips() {
        *entries.entry(kind).or_default() += snapshot.length(kind, writer);
    }
    Ok(Profile {
        commit: snapshot.head(),
        past: past(snapshot)?,
        structure: STRUCTURE.into_iter().map(is_there).collect::<Result<_, _>>()?,
        bottles: bottles(snapshot, now)?,
        declared: declared(snapshot, &files)?,
        entries,
    })
}

/// Counts commits, authors and months.
///
/// # Errors
/// [`LookError`] for a commit that cannot be read.
pub fn past(snapshot: &Snapshot<'_>) -> Result<Past, LookError> {
    let mut past = Past::default();
    let mut authors: BTreeMap<String, Author> = BTreeMap::new();
    let mut days: BTreeMap<i64, u64> = BTreeMap::new();
    let end = snapshot.commits(|commit| {
        past.commits += 1;
        past.merges += u64::from(commit.is_merge());
        past.i2i += u64::from(matches!(i2i::parse(&commit.subject), Ok(Some(_))));
        let when = commit.committed;
        past.first = Some(past.first.map_or(when, |first| first.min(when)));
        past.last = Some(past.last.map_or(when, |last| last.max(when)));
        *days.entry(when.div_euclid(86_400)).or_default() += 1;
        let key = commit.email.to_lowercase();
        match authors.get_mut(&key) {
            Some(author) => {
                author.commits += 1;
                author.first = author.first.min(when);
                author.last = author.last.max(when);
            }
            None => {
                let Commit { author: name, email, .. } = commit;
                authors.insert(key, Author { name, email, commits: 1, first: when, last: when });
            }
        }
        ControlFlow::Continue(())
    })?;
    past.shallow = end == End::Shallow;
    past.authors = authors.into_values().collect();
    past.authors.sort_by(|a, b| b.commits.cmp(&a.commits).then(a.email.cmp(&b.email)));
    for (day, count) in days {
        let day = jiff::Timestamp::from_second(day.saturating_mul(86_400));
        let month = day.map(|day| day.strftime("%Y-%m").to_string()).unwrap_or_default();
        *past.months.entry(month).or_default() += count;
    }
    Ok(past)
}

fn bottles(snapshot: &Snapshot<'_>, now: Millis) -> Result<Bottles, LookError> {
    let mut found = Bottles::default();
    for bottle in bottle::inbox(snapshot)?.bottles {
        found.all += 1;
        found.files += usize::from(matches!(bottle.source, bottle::Source::Files(_)));
        found.overdue += usize::from(bottle.is_overdue(now));
        let furthest = bottle.stages.values().map(|status| status.stage).max();
        *found.states.entry(furthest.unwrap_or(bottle::Stage::Unread).as_str()).or_default() += 1;
    }
    Ok(found)
}

fn declared(snapshot: &Snapshot<'_>, files: &Files<'_>) -> Result<Option<Declared>, LookError> {
    let Some(node) = files.node(capability::FILE)?.filter(|node| node.kind == NodeKind::File) else {
        return Ok(None);
    };
    let bytes = match files.read(&node) {
        Ok(bytes) => bytes,
        Err(LookError::TooLarge { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    let text = String::from_utf8_lossy(&bytes);
    let findings = capability::check(&text);
    let of = |level| findings.iter().filter(|finding| finding.level == level).count();
    let reading = capability::read(&text).ok();
    let claimed = reading.as_ref().and_then(|reading| reading.capability.metadata.last_active.as_deref());
    Ok(Some(Declared {
        errors: of(capability::Level::Error),
        warnings: of(capability::Level::Warning),
        freshness: capability::freshness(snapshot, claimed)?,
        reading,
    }))
}
