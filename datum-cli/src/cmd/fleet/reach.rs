//! How the commands reach the API: options that all of them share.

use crate::edge::{Edge, variable};
use crate::fault::Fault;
use crate::github::{Client, Given, Patience, Place, Token};
use crate::out::Out;

/// How to reach the API.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Reaching GitHub")]
pub(crate) struct Reach {
    /// The variable that holds the token [default: GH_TOKEN, then GITHUB_TOKEN]
    ///
    /// For a server that is neither github.com nor of ghe.com: GH_ENTERPRISE_TOKEN, then GITHUB_ENTERPRISE_TOKEN. As with
    /// gh, a token for GitHub is not sent there unless this option names its variable.
    #[arg(long, value_name = "VARIABLE")]
    token_env: Option<String>,
    /// The name in the vault that holds it [default where no variable does: GH_TOKEN, GITHUB_TOKEN or github/token]
    ///
    /// For other servers: GH_ENTERPRISE_TOKEN, GITHUB_ENTERPRISE_TOKEN or github/enterprise-token.
    #[cfg(feature = "vault")]
    #[arg(long, value_name = "NAME", conflicts_with = "token_env")]
    token_secret: Option<String>,
    /// The API's address [default: $GITHUB_API_URL, then $GH_HOST, then api.github.com]
    ///
    /// GH_HOST is github.com, NAME.ghe.com or an enterprise server. Trusted are the certificates of the system, as with git
    /// and curl, so a company's own authority is known where it is installed there; a file named by $SSL_CERT_FILE takes
    /// their place.
    #[arg(long, value_name = "URL")]
    api_url: Option<String>,
    /// Make at most N requests; the next run goes on
    #[arg(long, value_name = "N")]
    budget: Option<u64>,
    /// Give up where GitHub asks for a longer wait; the next run goes on
    #[arg(long, value_name = "SECONDS", default_value_t = 3700)]
    max_wait: u64,
    /// Longest time for one request
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

impl Reach {
    /// Makes the client; `purpose` is what the record says where the token comes from the vault.
    pub(crate) fn client<'o>(
        &self,
        edge: &Edge<'_>,
        out: &'o Out,
        purpose: &str,
    ) -> Result<Client<'o>, Fault> {
        let place = Place::find(self.api_url.as_deref())?;
        let given = Given {
            token: self.token(&place, edge, purpose)?,
            place,
            patience: Patience::new(self.max_wait),
            budget: self.budget,
            timeout: self.timeout.max(1),
            certificates: variable("SSL_CERT_FILE"),
        };
        Client::new(given, out)
    }

    #[cfg(feature = "vault")]
    fn token(&self, place: &Place, edge: &Edge<'_>, purpose: &str) -> Result<Token, Fault> {
        let named = self.token_secret.as_deref();
        if named.is_none()
            && let Some(token) = Token::find(self.token_env.as_deref(), place)?
        {
            return Ok(token);
        }
        let (name, value) = crate::cmd::vault::token(edge, named, place, purpose)?
            .ok_or_else(|| no_token(place, ", or in the vault"))?;
        Token::new(&name, &value)
    }

    #[cfg(not(feature = "vault"))]
    fn token(&self, place: &Place, _: &Edge<'_>, _: &str) -> Result<Token, Fault> {
        Token::find(self.token_env.as_deref(), place)?.ok_or_else(|| no_token(place, ""))
    }
}

fn no_token(place: &Place, also: &str) -> Fault {
    let [first, second] = place.token_variables();
    let message = if place.is_github() {
        "no GitHub token".to_owned()
    } else {
        format!("no GitHub token for {}; one in GH_TOKEN or GITHUB_TOKEN is for github.com", place.host())
    };
    Fault::usage(message)
        .hint(format!("put it into {first} or {second}, into another variable named by --token-env{also}"))
}

/// Checks the login of an organisation or user.
pub(crate) fn organization(text: &str) -> Result<&str, Fault> {
    let fits = !text.is_empty()
        && text.len() <= 100
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if fits {
        Ok(text)
    } else {
        Err(Fault::usage(format!("--org: {text:?} is no organisation or user"))
            .hint("write the name in its address, as in github.com/NAME"))
    }
}
