//! Where a value comes from: the environment where it is declared, then the vault, then configuration.

use super::{Value, Vault, VaultError};
use crate::keys::AgentKeys;
use crate::name::Word;
use std::fmt;
use zeroize::Zeroizing;

/// A place that values come from, in the order they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A variable of the environment that was declared for the name.
    Environment,
    /// The vault.
    Vault,
    /// Configuration, for what need not be kept from anyone.
    Configuration,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "environment",
            Self::Vault => "vault",
            Self::Configuration => "configuration",
        })
    }
}

/// A value and where it came from; it does not show itself.
pub struct Found {
    /// The value.
    pub value: Value,
    /// Where it came from.
    pub source: Source,
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Found({} bytes, {})", self.value.len(), self.source)
    }
}

/// Resolves names to values, from the first source that has one.
///
/// The core reads no environment: what a source holds is given by the edge.
#[expect(missing_debug_implementations, reason = "closures show nothing")]
pub struct SecretProxy<'a> {
    /// The declared variable of a name.
    pub environment: &'a dyn Fn(&Word) -> Option<Zeroizing<String>>,
    /// The vault, if one is trusted, and the keys to open it with.
    pub vault: Option<(&'a Vault, &'a AgentKeys)>,
    /// The setting of a name.
    pub configuration: &'a dyn Fn(&Word) -> Option<String>,
}

impl SecretProxy<'_> {
    /// Finds the value of a name; `only` asks no other source.
    ///
    /// A name that the vault holds and does not open is an error: what configuration says of it is not the value.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] when no source has it, [`VaultError::CannotOpen`] when the vault does not open it.
    pub fn resolve(&self, name: &Word, only: Option<Source>) -> Result<Found, VaultError> {
        let asked = |source| only.is_none_or(|only| only == source);
        if asked(Source::Environment)
            && let Some(value) = (self.environment)(name)
        {
            let value = Value::new(value.as_bytes().to_vec());
            return Ok(Found { value, source: Source::Environment });
        }
        if asked(Source::Vault)
            && let Some((vault, keys)) = self.vault
        {
            match vault.open(name, None, keys) {
                Ok(value) => return Ok(Found { value, source: Source::Vault }),
                Err(VaultError::Unknown(_)) => {}
                Err(error) => return Err(error),
            }
        }
        if asked(Source::Configuration)
            && let Some(value) = (self.configuration)(name)
        {
            return Ok(Found { value: Value::new(value.into_bytes()), source: Source::Configuration });
        }
        Err(VaultError::Unknown(name.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_source_that_has_it_answers() {
        let name = Word::new("name", "x").unwrap();
        let environment = |_: &Word| Some(Zeroizing::new("from the environment".to_owned()));
        let nothing = |_: &Word| None;
        let configuration = |_: &Word| Some("from configuration".to_owned());
        let proxy = SecretProxy { environment: &environment, vault: None, configuration: &configuration };
        assert_eq!(proxy.resolve(&name, None).unwrap().source, Source::Environment);
        assert_eq!(proxy.resolve(&name, Some(Source::Configuration)).unwrap().source, Source::Configuration);
        assert!(matches!(proxy.resolve(&name, Some(Source::Vault)), Err(VaultError::Unknown(_))));
        let proxy = SecretProxy { environment: &nothing, vault: None, configuration: &configuration };
        let found = proxy.resolve(&name, None).unwrap();
        assert_eq!(found.source, Source::Configuration);
        assert!(!format!("{found:?}").contains("from"));
    }
}
