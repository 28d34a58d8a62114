//! Git as the state of agent fleets.
//!
//! Every fact is an [`Entry`] in the append-only log of the one [`Writer`] who said it; a [`Snapshot`] is the set of all
//! log tips, and a commit of the repository's own tree, at one moment; an agent is a pure function from a snapshot to an
//! answer and the entries it wants to add; the [`Store`] is the only thing that writes.
//!
//! Logs are commits under `refs/datum/<kind>/<writer>`, so `git log`, `git fsck` and `git push` work on all of it. The
//! library is synchronous, starts no process to read or append, and reads neither the clock nor the environment: who
//! writes, and when, comes in with a [`Stamp`].
//!
//! # Examples
//!
//! An agent that answers every unread bottle, in a repository of its own:
//! ```
//! use datum_core::bottle::{self, Drop, Me, Recipient, Stage};
//! use datum_core::{AgentName, Draft, Kind, Snapshot, Stamp, Store, Word, journal};
//!
//! /// What `me` wants to say, given the state: a pure function.
//! fn answers(snapshot: &Snapshot<'_>, me: &Me) -> Result<Vec<Draft>, Box<dyn std::error::Error>> {
//!     let inbox = bottle::inbox(snapshot)?;
//!     let mine = inbox.bottles.iter().filter(|b| b.is_for(me) && b.is_new_to(&me.name));
//!     mine.filter_map(|bottle| Some((bottle, bottle.from_agent.clone()?)))
//!         .map(|(bottle, from)| {
//!             Ok(bottle::draft(&Drop {
//!                 to: &[Recipient::Agent(from)],
//!                 subject: &format!("Re: {}", bottle.subject),
//!                 text: "Understood.",
//!                 kind: "message",
//!                 priority: None,
//!                 deadline: None,
//!                 in_reply_to: Some(bottle.id),
//!             })?)
//!         })
//!         .collect()
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path();
//! Store::init(path)?;
//! let store = Store::open(path)?;
//! let now = 1_767_225_600_000; // milliseconds since 1970; read your clock here
//!
//! // The captain drops a bottle for the cook.
//! let captain = Stamp::new(AgentName::new("captain")?, now);
//! let order = bottle::draft(&Drop {
//!     to: &Recipient::parse_list("cook")?,
//!     subject: "Soup at eight",
//!     text: "For twelve.",
//!     kind: "message",
//!     priority: None,
//!     deadline: None,
//!     in_reply_to: None,
//! })?;
//! store.note(Kind::Bottle, &captain, &[order])?;
//!
//! // The cook answers, and notes it in the journal.
//! let cook = Stamp::new(AgentName::new("cook")?, now + 1000);
//! let me = Me { name: cook.agent.clone(), role: None, capabilities: Default::default() };
//! store.apply(Kind::Bottle, &cook, |snapshot| answers(snapshot, &me))?;
//! let note = journal::draft(&Word::new("category", "GALLEY")?, "Soup is on", &[])?;
//! store.note(Kind::Journal, &cook, &[note])?;
//!
//! // Everyone who opens the repository sees the same.
//! let other = Store::open(path)?;
//! let snapshot = other.snapshot()?;
//! let bottles = bottle::inbox(&snapshot)?.bottles;
//! assert_eq!(bottles[0].subject, "Re: Soup at eight");
//! assert_eq!(bottles[1].stage(&me.name), Stage::Answered);
//! assert_eq!(snapshot.entries(Kind::Journal)[0].subject, "Soup is on");
//! # Ok(())
//! # }
//! ```

pub mod access;
pub mod adopt;
mod append;
pub mod attributes;
pub mod audit;
pub mod bottle;
pub mod boundary;
pub mod capability;
pub mod claim;
#[expect(clippy::disallowed_methods, reason = "it makes the file that holds the clone's id")]
mod clone_id;
mod commit;
pub mod committed;
pub mod compact;
pub mod delivery;
#[cfg_attr(test, expect(clippy::disallowed_methods, reason = "its tests make repositories"))]
pub mod diff;
mod discover;
#[expect(
    clippy::disallowed_methods,
    reason = "it removes what dead processes left, and puts damaged files aside"
)]
pub mod doctor;
pub mod enrolment;
mod entry;
mod epoch;
pub mod file_bottle;
pub mod files;
pub mod fleet;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod git;
mod glob;
pub mod handover;
pub mod history;
#[expect(clippy::disallowed_methods, reason = "hooks are files, and this module owns ours")]
pub mod hooks;
pub mod hygiene;
pub mod i2i;
mod id;
pub mod import;
pub mod journal;
#[cfg(feature = "vault")]
pub mod keys;
mod kind;
mod lineage;
#[cfg_attr(test, expect(clippy::disallowed_methods, reason = "its tests make repositories"))]
pub mod listing;
mod log;
#[cfg_attr(test, expect(clippy::disallowed_methods, reason = "its tests hold the lock"))]
mod maintenance;
pub mod mask;
mod name;
#[expect(clippy::disallowed_methods, reason = "loose objects are files, and this module owns them")]
mod odb;
pub mod onboarding;
pub mod oracle;
pub mod outgoing;
pub mod outlook;
mod packs;
#[expect(clippy::disallowed_methods, reason = "it owns the file of pins, which must not travel")]
mod pins;
pub mod profile;
pub mod publish;
#[expect(clippy::disallowed_methods, reason = "refs are files, and this module owns them")]
mod refs;
pub mod roster;
pub mod secret;
mod segment;
mod signature;
mod signers;
mod sink;
pub mod size;
mod snapshot;
mod sshsig;
mod stamp;
mod store;
pub mod style;
mod survey;
pub mod sync;
pub mod task;
#[cfg(test)]
mod testdata;
pub mod transport;
mod tree;
pub mod trust;
pub mod undo;
#[cfg(feature = "vault")]
pub mod vault;
pub mod verify;
mod wait;
pub mod worktree;

pub use entry::{
    BODY_INLINE_MAX, BODY_MAX, Draft, DraftError, Entry, SUBJECT_MAX, Trailers, VALUE_MAX, View,
};
pub use git::GitError;
pub use glob::{Glob, GlobError};
pub use id::EntryId;
pub use kind::Kind;
pub use log::{Damage, Hint};
pub use maintenance::Upkeep;
pub use name::{AGENT_MAX, AgentName, NameError, WORD_MAX, Word, nearest};
pub use odb::ObjectError;
pub use pins::Pins;
pub use refs::RefError;
pub use signers::Signers;
pub use snapshot::{File, FindError, PREFIX_MIN, Snapshot};
pub use sshsig::{PublicKey, SignatureError, Signer};
pub use stamp::{CloneId, Identity, Millis, SKEW_MAX, Stamp, Writer};
pub use store::{Applied, OpenOptions, Store, StoreError};
pub use survey::{RevisionError, Standing, Survey};

#[cfg(test)]
mod laws;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests break things on purpose")]
mod store_tests;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make their own repositories")]
mod testing;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests break things on purpose")]
mod verify_tests;
