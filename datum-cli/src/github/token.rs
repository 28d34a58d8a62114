//! The token: from the environment or the vault, sent in one header, shown nowhere.

use super::place::Place;
use crate::edge::variable;
use crate::fault::Fault;
use std::fmt;

/// What stands where the token stood.
const SHOWN: &str = "[token]";

/// A token. It has no `Display`, and its `Debug` does not tell it.
pub(crate) struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SHOWN)
    }
}

impl Token {
    /// Finds the token for `place` in the environment: in the variable `named`, or in those that are for it.
    pub(crate) fn find(named: Option<&str>, place: &Place) -> Result<Option<Self>, Fault> {
        let Some(name) = named else {
            let found = place.token_variables().into_iter().find_map(|name| Some((name, variable(name)?)));
            return found.map(|(name, text)| Self::new(name, &text)).transpose();
        };
        let text = variable(name).ok_or_else(|| {
            Fault::usage(format!("{name} is not set"))
                .hint("--token-env names the variable that holds the token, not the token itself")
        })?;
        Self::new(name, &text).map(Some)
    }

    /// A token that was typed, or that stands in the variable a user has named.
    #[cfg(feature = "vault")]
    pub(crate) fn of(text: &str) -> Option<Self> {
        let fits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }

    /// The token that is the value of `place`.
    pub(crate) fn new(place: &str, text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(Self(text.to_owned()));
        }
        Err(Fault::usage(format!("{place} holds no token: it is empty, or no header can hold it")))
    }

    /// The value of the one header it is sent in.
    pub(super) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// `text` without the token, whoever put it there.
    pub(super) fn scrub(&self, text: &str) -> String {
        text.replace(&self.0, SHOWN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_shown_nowhere() {
        let token = Token::new("x", "ghp_secret").unwrap();
        assert_eq!(format!("{token:?}"), "[token]");
        assert_eq!(token.scrub("bad credentials: ghp_secret!"), "bad credentials: [token]!");
        assert!(Token::new("x", "a\nb").is_err() && Token::new("x", "").is_err());
    }
}
