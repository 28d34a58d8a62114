//! The seal of a published task: by it a reader knows whether its JSON is still as it was published.

use super::BoardTask;
use sha2::{Digest as _, Sha256};

/// The member that holds the seal.
pub const SEAL: &str = "published";

impl BoardTask {
    /// Seals the task as it is.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        let seal = self.digest();
        self.extra.insert(SEAL.to_owned(), seal.into());
        self
    }

    /// Its seal, where it has one.
    pub fn seal(&self) -> Option<&str> {
        self.extra.get(SEAL)?.as_str()
    }

    /// Whether it is as it was sealed.
    ///
    /// The time of its last change is no part of that: it says when, not what, and is often bumped along by hand.
    pub fn is_as_sealed(&self) -> bool {
        self.seal().is_some_and(|seal| seal == self.digest())
    }

    fn digest(&self) -> String {
        let mut bare = Self { updated_at: None, ..self.clone() };
        bare.extra.remove(SEAL);
        let json = serde_json::to_vec(&bare).unwrap_or_default();
        // It guards against oversight, not against an enemy: eight bytes are enough.
        Sha256::digest(json).iter().take(8).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
    }
}
