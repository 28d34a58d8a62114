//! What a vault grants beside values: capabilities and endpoints, as names whose grants say who has them.
//!
//! | name in the vault | who may open it may |
//! |---|---|
//! | `cap/NAME` | use the capability, if it declares it too |
//! | `net/HOST:PORT` | speak to the endpoint |
//! | `ack/DIGEST` | (in use at all) have what it declares count: a keeper has seen it |
//!
//! So a grant of a capability is signed, folded, pinned and revoked as every other; the values behind these names mean
//! nothing.

use super::{Boundaries, endpoint};
use crate::name::{AgentName, NameError, Word};
use crate::vault::Vault;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

/// What the names start with that stand for no value.
pub const RESERVED: [&str; 3] = ["cap/", "net/", "ack/"];

/// Whether a name stands for a grant, and for no value.
pub fn is_reserved(name: &Word) -> bool {
    RESERVED.iter().any(|prefix| name.as_str().starts_with(prefix))
}

/// The name that is in use when a keeper has acknowledged what the agent declares.
///
/// # Errors
/// None: the name is always a good one.
pub fn acknowledgement(agent: &AgentName, declared: &BTreeSet<String>) -> Result<Word, NameError> {
    let mut digest = Sha256::new();
    for text in std::iter::once(agent.as_str()).chain(declared.iter().map(String::as_str)) {
        digest.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(text);
    }
    let digest: String = digest.finalize().iter().take(20).map(|byte| format!("{byte:02x}")).collect();
    Word::new("name", &format!("ack/{digest}"))
}

/// The name in the vault whose grants decide on `resource`: `cap:…`, `net:…` or `secret:…`.
///
/// # Errors
/// Why there is none.
pub fn names_of(resource: &str) -> Result<Word, String> {
    let word = |text: &str| Word::new("name", text).map_err(|error| error.to_string());
    match resource.split_once(':') {
        Some((_, "")) => Err(format!("{resource:?} names nothing")),
        Some(("cap", name)) => word(&format!("cap/{name}")),
        Some(("net", address)) => {
            let (host, port) = endpoint(address).ok_or_else(|| format!("{address:?} is no host:port"))?;
            word(&format!("net/{host}:{port}"))
        }
        Some(("secret", name)) if RESERVED.iter().any(|prefix| name.starts_with(prefix)) => {
            Err(format!("{name:?} is no value: the names under {} are kept for grants", RESERVED.join(", ")))
        }
        Some(("secret", name)) => word(name),
        _ => Err(format!("{resource:?} is not of the form cap:NAME, net:HOST:PORT or secret:NAME")),
    }
}

impl Boundaries {
    /// What the vault, the agent's own declaration and the workshop's roots give it.
    pub fn of(
        vault: Option<&Vault>,
        agent: &AgentName,
        declared: BTreeSet<String>,
        roots: Vec<String>,
    ) -> Self {
        let mut boundaries = Self { roots, declared, ..Self::default() };
        let Some(vault) = vault else { return boundaries };
        let acknowledgement = acknowledgement(agent, &boundaries.declared).ok();
        for (name, secret) in vault.secrets() {
            boundaries.acknowledged |= Some(name) == acknowledgement.as_ref();
            if !secret.granted.contains(agent.as_str()) {
                continue;
            }
            match name.as_str().split_once('/') {
                Some(("cap", capability)) => {
                    boundaries.granted.insert(capability.to_owned());
                }
                // An address of IPv6 stands without its brackets, which no name may hold.
                Some(("net", address)) => {
                    let v6 = address.rsplit_once(':').filter(|(host, _)| host.contains(':'));
                    let address = v6.map_or(address.to_owned(), |(host, port)| format!("[{host}]:{port}"));
                    boundaries.endpoints.extend(endpoint(&address));
                }
                Some(("ack", _)) => {}
                _ => {
                    boundaries.secrets.insert(name.to_string());
                }
            }
        }
        boundaries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_have_names() {
        let name = |resource| names_of(resource).map(|name| name.to_string());
        assert_eq!(name("cap:build").as_deref(), Ok("cap/build"));
        assert_eq!(name("net:API.example.org:443").as_deref(), Ok("net/api.example.org:443"));
        assert_eq!(name("net:[::1]:80").as_deref(), Ok("net/::1:80"));
        assert_eq!(name("secret:db/password").as_deref(), Ok("db/password"));
        for bad in ["", "cap:", "cap:a b", "net:x", "file:/srv", "secret:", "secret:cap/x"] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_acknowledgement_is_of_one_agent_and_one_declaration() {
        let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
        let name =
            |agent, words: &[&str]| acknowledgement(&AgentName::new(agent).unwrap(), &set(words)).unwrap();
        assert_eq!(name("a", &["x", "y"]), name("a", &["y", "x"]));
        assert_ne!(name("a", &["x", "y"]), name("a", &["xy"]));
        assert_ne!(name("a", &["x"]), name("b", &["x"]));
    }
}
