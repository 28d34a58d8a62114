//! Enrolment: how an agent that was invited proves, to a keeper that serves over HTTP, that its keys are its own.
//!
//! An invitation alone gives nothing: with it goes a signature, by the key the vault knows the agent by, over the vault,
//! the agent and the invitation. So who only overhears an invitation can neither use it nor use it up.

use crate::id::EntryId;
use crate::name::AgentName;
use crate::sshsig::{PublicKey, Signer, verify};

/// What is signed.
#[derive(Debug)]
pub struct Enrolment<'a> {
    /// The vault of the keeper.
    pub vault: EntryId,
    /// The agent that enrols.
    pub agent: &'a AgentName,
    /// The invitation, as it was given.
    pub invitation: &'a str,
}

impl Enrolment<'_> {
    /// The text that is signed. It begins as no object of git does, so that neither signature can stand for the other.
    fn text(&self) -> String {
        let length = self.invitation.len();
        format!("datum enrolment 1\n{}\n{}\n{length}\n{}\n", self.vault, self.agent, self.invitation)
    }

    /// Proves it with the agent's key.
    pub fn prove(&self, signer: &Signer) -> String {
        signer.sign(self.text().as_bytes())
    }

    /// Whether `proof` was made with the key of which `key` is the public half.
    pub fn is_proved(&self, proof: &str, key: PublicKey) -> bool {
        verify(proof, self.text().as_bytes()) == Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_agent_with_this_key_and_this_invitation() {
        let id = |digit: &str| EntryId::from_hex(&digit.repeat(40)).unwrap();
        let (a, b) = (AgentName::new("a").unwrap(), AgentName::new("b").unwrap());
        let (own, other) = (Signer::from_seed(&[1; 32]), Signer::from_seed(&[2; 32]));
        let enrolment = Enrolment { vault: id("a"), agent: &a, invitation: "code" };
        let proof = enrolment.prove(&own);
        assert!(enrolment.is_proved(&proof, own.public()));
        assert!(!enrolment.is_proved(&proof, other.public()));
        assert!(!enrolment.is_proved(&enrolment.prove(&other), own.public()));
        for changed in [
            Enrolment { vault: id("b"), ..enrolment },
            Enrolment { agent: &b, ..enrolment },
            Enrolment { invitation: "coda", ..enrolment },
        ] {
            assert!(!changed.is_proved(&proof, own.public()), "{changed:?}");
        }
        assert!(!enrolment.is_proved("", own.public()));
    }
}
