//! Where signing keys come from: the edge knows, the store asks only when an entry is to be signed.

use crate::name::AgentName;
use crate::sshsig::Signer;
use std::fmt;

/// Finds an agent's signing key; `None` where there is none here, an error where there is one that cannot be used.
pub struct Signers(Box<Find>);

type Find = dyn Fn(&AgentName) -> Result<Option<Signer>, String>;

impl Signers {
    /// Keys come from `find`, which is asked once a writing.
    pub fn new(find: impl Fn(&AgentName) -> Result<Option<Signer>, String> + 'static) -> Self {
        Self(Box::new(find))
    }

    /// There are no keys.
    pub(crate) fn none() -> Self {
        Self::new(|_| Ok(None))
    }

    pub(crate) fn find(&self, agent: &AgentName) -> Result<Option<Signer>, String> {
        (self.0)(agent)
    }
}

impl fmt::Debug for Signers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signers")
    }
}
