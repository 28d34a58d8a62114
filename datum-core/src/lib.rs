//! Git as the state of agent fleets.

mod append;
pub mod capability;
#[expect(clippy::disallowed_methods, reason = "it makes the file that holds the clone's id")]
mod clone_id;
mod commit;
mod entry;
pub mod file_bottle;
mod git;
pub mod i2i;
mod id;
pub mod journal;
#[cfg(feature = "vault")]
pub mod keys;
mod kind;
mod log;
mod name;
mod odb;
#[expect(clippy::disallowed_methods, reason = "it owns the file of pins, which must not travel")]
mod pins;
pub mod publish;
#[expect(clippy::disallowed_methods, reason = "refs are files, and this module owns them")]
mod refs;
mod segment;
mod signature;
mod signers;
mod sink;
mod snapshot;
mod sshsig;
mod stamp;
mod store;
#[cfg(test)]
mod testdata;
mod tree;
pub mod trust;
pub mod undo;
pub mod verify;

pub use entry::{BODY_INLINE_MAX, BODY_MAX, Draft, DraftError, Entry, SUBJECT_MAX, VALUE_MAX, View};
pub use git::GitError;
pub use id::EntryId;
pub use kind::Kind;
pub use log::Damage;
pub use name::{AGENT_MAX, AgentName, NameError, WORD_MAX, Word};
pub use odb::ObjectError;
pub use pins::Pins;
pub use refs::RefError;
pub use signers::Signers;
pub use snapshot::{File, FindError, PREFIX_MIN, Snapshot};
pub use sshsig::{PublicKey, SignatureError, Signer};
pub use stamp::{CloneId, Identity, Millis, SKEW_MAX, Stamp, Writer};
pub use store::{Applied, OpenOptions, Store, StoreError};

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests break things on purpose")]
mod store_tests;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests break things on purpose")]
mod verify_tests;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make their own repositories")]
mod testing;
