//! Git as the state of agent fleets.

mod append;
pub mod bottle;
pub mod capability;
pub mod claim;
#[expect(clippy::disallowed_methods, reason = "it makes the file that holds the clone's id")]
mod clone_id;
mod commit;
mod entry;
pub mod file_bottle;
mod git;
pub mod history;
pub mod i2i;
mod id;
pub mod import;
pub mod journal;
mod kind;
mod log;
#[cfg_attr(test, expect(clippy::disallowed_methods, reason = "its tests hold the lock"))]
mod maintenance;
mod name;
mod odb;
pub mod onboarding;
pub mod publish;
#[expect(clippy::disallowed_methods, reason = "refs are files, and this module owns them")]
mod refs;
mod segment;
mod sink;
mod snapshot;
mod stamp;
mod store;
pub mod task;
#[cfg(test)]
mod testdata;
mod tree;
pub mod undo;

pub use entry::{BODY_INLINE_MAX, BODY_MAX, Draft, DraftError, Entry, SUBJECT_MAX, VALUE_MAX, View};
pub use git::GitError;
pub use id::EntryId;
pub use kind::Kind;
pub use log::Damage;
pub use name::{AGENT_MAX, AgentName, NameError, WORD_MAX, Word};
pub use odb::ObjectError;
pub use refs::RefError;
pub use snapshot::{File, FindError, PREFIX_MIN, Snapshot};
pub use stamp::{CloneId, Identity, Millis, SKEW_MAX, Stamp, Writer};
pub use store::{Applied, OpenOptions, Store, StoreError};

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests break things on purpose")]
mod store_tests;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make their own repositories")]
mod testing;
