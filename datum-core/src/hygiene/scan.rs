//! A scan: what an organisation's repositories were at one moment, as an entry of kind `audit`.

use super::repository::Repository;
use super::rules::Health;
use crate::entry::{Draft, DraftError, Entry};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::snapshot::Snapshot;
use crate::stamp::Millis;
use crate::undo;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// The trailer that names the scanned organisation.
const SCAN: &str = "Scan";
/// The trailer that tells which repositories were chosen.
const FILTER: &str = "Filter";
/// The trailer of [`Sizes`], where they are not the usual ones: `page/batch`.
const SIZES: &str = "Sizes";
/// Bodies read to find what is known of each repository.
const POOL_MAX: usize = 8;

/// A repository that could not be read: it is neither good nor bad.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// Its name.
    pub name: String,
    /// Why it is not known.
    pub why: String,
}

/// What an organisation's repositories were at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// The version of the format, 1.
    pub version: u32,
    /// The login of the organisation or user.
    pub organization: String,
    /// Its name as it calls itself.
    #[serde(default)]
    pub title: String,
    /// Which repositories were chosen, in the words of the command line; empty for all.
    #[serde(default)]
    pub filter: String,
    /// The repositories, by name.
    pub repositories: Vec<Repository>,
    /// Those that could not be read, by name.
    #[serde(default)]
    pub unknown: Vec<Unknown>,
    /// How many more the host said there are, which no page listed.
    #[serde(default)]
    pub unlisted: u64,
    /// What the host said when it was asked for them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unlisted_why: String,
    /// Archived repositories left out.
    #[serde(default)]
    pub archived: u64,
    /// Forks left out.
    #[serde(default)]
    pub forks: u64,
    /// Repositories left out by the filter.
    #[serde(default)]
    pub filtered: u64,
    /// Requests made.
    #[serde(default)]
    pub requests: u64,
    /// The pages of the list that REST gave, where GraphQL gave none: the next scan asks whether they changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<Listed>,
    /// How many repositories the host answers for at once.
    #[serde(skip)]
    pub sizes: Sizes,
}

/// A page of a list as it was read from the REST API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its path, with the query.
    pub path: String,
    /// What the host knows it by (`etag`); while that holds, the page need not come again.
    pub etag: String,
    /// The path of the page after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The repositories on it: id, name, archived, fork.
    pub repositories: Vec<Repository>,
}

/// How many repositories a host answers for at once: where it failed for more, the next scan begins with fewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// On a page of the listing.
    pub page: u64,
    /// When their facts are asked for.
    pub batch: u64,
}

impl Sizes {
    /// What the next scan begins with, where this one began with `begun`: fewer where the host failed, else more again.
    #[must_use]
    pub fn after(self, begun: Self) -> Self {
        let most = Self::default();
        let next = |now: u64, begun: u64, most: u64| if now < begun { now } else { (begun * 2).min(most) };
        Self {
            page: next(self.page, begun.page, most.page),
            batch: next(self.batch, begun.batch, most.batch),
        }
    }
}

impl Default for Sizes {
    fn default() -> Self {
        Self { page: 100, batch: 50 }
    }
}

/// How many repositories are how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Nothing to do.
    pub green: u64,
    /// Something to do.
    pub yellow: u64,
    /// Something wrong.
    pub red: u64,
    /// Nobody keeps it.
    pub dead: u64,
    /// Could not be read.
    pub unknown: u64,
}

impl Counts {
    /// The number for a health.
    pub fn of(&self, health: Health) -> u64 {
        match health {
            Health::Green => self.green,
            Health::Yellow => self.yellow,
            Health::Red => self.red,
            Health::Dead => self.dead,
        }
    }

    /// Counts repositories of these kinds of health, and so many of which nothing is known.
    pub fn sum(healths: impl IntoIterator<Item = Health>, unknown: u64) -> Self {
        let mut counts = Self { unknown, ..Self::default() };
        healths.into_iter().for_each(|health| counts.add(health));
        counts
    }

    /// Counts one more repository.
    pub fn add(&mut self, health: Health) {
        *match health {
            Health::Green => &mut self.green,
            Health::Yellow => &mut self.yellow,
            Health::Red => &mut self.red,
            Health::Dead => &mut self.dead,
        } += 1;
    }
}

impl Scan {
    /// How many could not be read.
    pub fn not_known(&self) -> u64 {
        self.unknown.len() as u64 + self.unlisted
    }

    /// Whether every repository that was chosen is known.
    pub fn is_complete(&self) -> bool {
        self.unknown.is_empty() && self.unlisted == 0
    }
}

/// Drafts the entry of a scan; the counts stand in its trailers, so that a trend needs no bodies.
///
/// # Errors
/// [`DraftError`] for an organisation or filter that is no trailer, and a scan over 64 MiB.
pub fn draft_scan(scan: &Scan, counts: &Counts) -> Result<Draft, DraftError> {
    let found = scan.repositories.len();
    let subject = format!("Scan of {}: {found} repositories, {} unknown", scan.organization, counts.unknown);
    let body = super::to_json(scan);
    let mut draft = Draft::new(&subject, &body)?.with(SCAN, &scan.organization)?;
    if !scan.filter.is_empty() {
        draft = draft.with(FILTER, &scan.filter)?;
    }
    if scan.sizes != Sizes::default() {
        draft = draft.with(SIZES, &format!("{}/{}", scan.sizes.page, scan.sizes.batch))?;
    }
    for (key, count) in keys(counts) {
        draft = draft.with(key, &count.to_string())?;
    }
    Ok(draft)
}

fn keys(counts: &Counts) -> [(&'static str, u64); 5] {
    let Counts { green, yellow, red, dead, unknown } = *counts;
    [("Green", green), ("Yellow", yellow), ("Red", red), ("Dead", dead), ("Unknown", unknown)]
}

/// A scan of the past, its body not yet read.
#[derive(Debug, Clone)]
pub struct Past {
    /// The entry; a large body is still in its blob.
    entry: Entry,
}

impl Past {
    /// The entry's id.
    pub fn id(&self) -> EntryId {
        self.entry.id
    }

    /// When it was made.
    pub fn time(&self) -> Millis {
        self.entry.clock
    }

    /// Which repositories were chosen.
    pub fn filter(&self) -> &str {
        self.entry.trailer(FILTER).unwrap_or_default()
    }

    /// How many were how, by the rules of that day.
    pub fn counts(&self) -> Counts {
        let number = |key| self.entry.trailer(key).and_then(|text| text.parse().ok()).unwrap_or(0);
        Counts {
            green: number("Green"),
            yellow: number("Yellow"),
            red: number("Red"),
            dead: number("Dead"),
            unknown: number("Unknown"),
        }
    }

    /// How many repositories the host answered for at once; never more than usual, and never none.
    pub fn sizes(&self) -> Sizes {
        let most = Sizes::default();
        let told = self.entry.trailer(SIZES).and_then(|text| {
            let (page, batch) = text.split_once('/')?;
            Some(Sizes { page: page.parse().ok()?, batch: batch.parse().ok()? })
        });
        let told = told.unwrap_or(most);
        Sizes { page: told.page.clamp(1, most.page), batch: told.batch.clamp(1, most.batch) }
    }

    /// Reads the scan; `None` if its body is missing or not of version 1.
    pub fn read(&self, snapshot: &Snapshot<'_>) -> Option<Scan> {
        let scan: Scan = super::from_entry(snapshot, &self.entry)?;
        (scan.version == 1).then_some(scan)
    }
}

/// The scans of an organisation, newest first, at most `most`.
pub fn scans(snapshot: &Snapshot<'_>, organization: &str, most: usize) -> Vec<Past> {
    let mut found = Vec::new();
    undo::walk_visible(snapshot, Kind::Audit, |view| {
        if found.len() >= most {
            return ControlFlow::Break(());
        }
        if view.trailer(SCAN).is_some_and(|name| name.eq_ignore_ascii_case(organization)) {
            found.push(Past { entry: view.to_entry() });
        }
        ControlFlow::Continue(())
    });
    found
}

/// What the newest scans know.
#[derive(Debug, Default)]
pub struct Known {
    /// Of each repository, by id; the newer word counts.
    pub repositories: BTreeMap<String, Repository>,
    /// The pages of the newest scan that has any.
    pub pages: Vec<Listed>,
}

/// What the newest scans of an organisation know.
pub fn known(snapshot: &Snapshot<'_>, organization: &str) -> Known {
    let mut known = Known::default();
    for past in scans(snapshot, organization, POOL_MAX) {
        let Some(scan) = past.read(snapshot) else { continue };
        let whole = scan.filter.is_empty() && scan.is_complete();
        if known.pages.is_empty() {
            known.pages = scan.pages;
        }
        for repository in scan.repositories {
            known.repositories.entry(repository.id.clone()).or_insert(repository);
        }
        if whole {
            break;
        }
    }
    known
}
