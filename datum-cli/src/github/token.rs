//! The token: found in the environment, sent in one header, shown nowhere.

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
    /// Finds the token: in the variable `named`, or in `GH_TOKEN` or `GITHUB_TOKEN`.
    pub(crate) fn find(named: Option<&str>) -> Result<Self, Fault> {
        let found = match named {
            Some(name) => (name.to_owned(), variable(name)),
            None => ["GH_TOKEN", "GITHUB_TOKEN"]
                .into_iter()
                .map(|name| (name.to_owned(), variable(name)))
                .find(|(_, value)| value.is_some())
                .unwrap_or_default(),
        };
        match found {
            (name, Some(text)) => Self::new(text.trim()).ok_or_else(|| {
                Fault::usage(format!("{name} holds no token: it has characters that no header can hold"))
            }),
            (name, None) if !name.is_empty() => Err(Fault::usage(format!("{name} is not set"))
                .hint("--token-env names the variable that holds the token, not the token itself")),
            (_, None) => Err(Fault::usage("no GitHub token")
                .hint("set GH_TOKEN or GITHUB_TOKEN, or name another variable with --token-env")),
        }
    }

    /// A token that was typed, or that stands in the variable a user has named.
    #[cfg(feature = "vault")]
    pub(crate) fn of(text: &str) -> Option<Self> {
        Self::new(text)
    }

    fn new(text: &str) -> Option<Self> {
        let fits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
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
        let token = Token::new("ghp_secret").unwrap();
        assert_eq!(format!("{token:?}"), "[token]");
        assert_eq!(token.scrub("bad credentials: ghp_secret!"), "bad credentials: [token]!");
        assert!(Token::new("a\nb").is_none() && Token::new("").is_none());
    }
}
