//! Where signing keys come from: the edge knows, the store asks only when an entry is to be signed.

use crate::kind::Kind;
use crate::name::AgentName;
use crate::sshsig::Signer;
use crate::store::{Store, StoreError};
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

impl Store {
    /// Signs, from now on, with the keys that `signers` finds.
    #[must_use]
    pub fn signing(mut self, signers: Signers) -> Self {
        self.signers = signers;
        self
    }

    /// The key that an entry of `kind`, which is to be signed, is signed with, if the agent has one.
    pub(crate) fn signer(&self, kind: Kind, agent: &AgentName) -> Result<Option<Signer>, StoreError> {
        let cannot = |message: String| StoreError::Signing { agent: agent.clone(), message };
        let signer = self.signers.find(agent).map_err(cannot)?;
        if signer.is_none() && kind == Kind::Vault {
            return Err(cannot("it has no key here, and vault entries count only when signed".to_owned()));
        }
        Ok(signer)
    }
}
