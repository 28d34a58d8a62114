//! What is to travel, and what a sync did.

use super::{Adoption, Fork};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::stamp::Writer;
use crate::transport::TransportError;

/// One log, as a report names it.
pub type LogName = (Kind, Writer);

/// What is to travel.
#[derive(Debug, Clone)]
pub struct Options {
    /// The kinds that travel.
    pub kinds: Vec<Kind>,
    /// Only look: nothing is fetched, moved or pushed.
    pub dry_run: bool,
    /// The kinds that may come and do not go.
    pub stays: Vec<Kind>,
}

impl Default for Options {
    fn default() -> Self {
        let kinds = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Vault).collect();
        let stays = Kind::ALL.into_iter().filter(|kind| kind.stays()).collect();
        Self { kinds, dry_run: false, stays }
    }
}

impl Options {
    /// Reads the setting `datum.sync.kinds`: `all`, or kinds with commas between; without it all but the vault.
    ///
    /// # Errors
    /// The word that is no kind.
    pub fn of_setting(value: Option<&str>) -> Result<Self, String> {
        let Some(value) = value else { return Ok(Self::default()) };
        if value.trim() == "all" {
            return Ok(Self { kinds: Kind::ALL.to_vec(), ..Self::default() });
        }
        let kind = |word: &str| Kind::parse(word).ok_or_else(|| word.to_owned());
        let words = value.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty());
        Ok(Self { kinds: words.map(kind).collect::<Result<_, _>>()?, ..Self::default() })
    }

    /// The kinds that go to the other side.
    pub fn going(&self) -> Vec<Kind> {
        self.kinds.iter().filter(|kind| !self.stays.contains(kind)).copied().collect()
    }
}

/// A log that moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The log.
    pub log: LogName,
    /// Entries it moved by; `None` where a dry run cannot know.
    pub entries: Option<u64>,
}

/// A log that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The log.
    pub log: LogName,
    /// Whether the other side would not have ours; otherwise we would not have theirs.
    pub by_them: bool,
    /// Why.
    pub why: String,
}

/// Entries that were said again at another place, because the log they stood in went on elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// The log they stood in.
    pub from: LogName,
    /// The writer whose log they stand in now.
    pub to: Writer,
    /// Their old and new ids.
    pub ids: Vec<(EntryId, EntryId)>,
}

/// What a sync did.
#[derive(Debug, Default)]
pub struct Report {
    /// Logs that came, or grew here.
    pub came: Vec<Moved>,
    /// Logs that went, or grew there.
    pub went: Vec<Moved>,
    /// Logs that one side would not have.
    pub refused: Vec<Refused>,
    /// Logs that go two ways.
    pub forks: Vec<Fork>,
    /// Adopted logs that came or went.
    pub adopted: Vec<Adoption>,
    /// Why the other side keeps the refs of logs that were adopted, where it does.
    pub kept_there: Option<String>,
    /// Entries that were appended again.
    pub again: Vec<Again>,
    /// Logs here that the other side has not and that stay here, by their kind.
    pub stayed: Vec<LogName>,
    /// Refs there that are no logs.
    pub odd: Vec<String>,
    /// What kept the sync from going on.
    pub trouble: Option<TransportError>,
    /// Logs there, of the kinds that travel.
    pub theirs: usize,
}
