//! Where the API is: GitHub's own, an enterprise server's, or another that speaks it.

use crate::edge::variable;
use crate::fault::Fault;

/// The two addresses of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The base of REST paths, without a slash at its end.
    pub(super) rest: String,
    /// Where GraphQL documents go.
    pub(super) graphql: String,
}

impl Place {
    /// The names in the vault under which onboarding keeps a token: for GitHub, and for an enterprise server.
    #[cfg(feature = "vault")]
    pub(crate) const TOKEN_SECRETS: [&str; 2] = ["github/token", "github/enterprise-token"];

    /// Finds the API: `--api-url`, or `GITHUB_API_URL` and `GITHUB_GRAPHQL_URL`, or `GH_HOST`, or api.github.com.
    pub(crate) fn find(given: Option<&str>) -> Result<Self, Fault> {
        if let Some(url) = given {
            return Self::of("--api-url", url, None);
        }
        let graphql = variable("GITHUB_GRAPHQL_URL");
        match (variable("GITHUB_API_URL"), variable("GH_HOST")) {
            (Some(url), _) => Self::of("GITHUB_API_URL", &url, graphql),
            (None, Some(host)) => Self::of("GH_HOST", &of_host(&host), graphql),
            (None, None) => Self::of("GITHUB_GRAPHQL_URL", "https://api.github.com", graphql),
        }
    }

    /// Whether an address of the API is one of TLS.
    pub(super) fn is_encrypted(&self) -> bool {
        [&self.rest, &self.graphql].into_iter().any(|url| url.starts_with("https:"))
    }

    /// Whether this is GitHub's own API, of github.com or of a subdomain of ghe.com, and no enterprise server's.
    ///
    /// `gh` draws the same line between tokens: <https://cli.github.com/manual/gh_help_environment>.
    pub(crate) fn is_github(&self) -> bool {
        is_github(&self.rest)
    }

    /// The variables that hold a token for this API, the first that is set counts; one for GitHub goes nowhere else.
    pub(crate) fn token_variables(&self) -> [&'static str; 2] {
        if self.is_github() {
            ["GH_TOKEN", "GITHUB_TOKEN"]
        } else {
            ["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"]
        }
    }

    /// The name in the vault under which onboarding keeps a token for this API.
    #[cfg(feature = "vault")]
    pub(crate) fn token_secret(&self) -> &'static str {
        Self::TOKEN_SECRETS[usize::from(!self.is_github())]
    }

    /// The server, as people name it.
    pub(crate) fn host(&self) -> &str {
        authority(&self.rest)
    }

    fn of(what: &str, url: &str, graphql: Option<String>) -> Result<Self, Fault> {
        let rest = url.trim_end_matches('/').to_owned();
        let derived = match rest.strip_suffix("/api/v3") {
            Some(host) => format!("{host}/api/graphql"),
            None => format!("{rest}/graphql"),
        };
        let place = Self { graphql: graphql.unwrap_or(derived), rest };
        if is_github(&place.rest) != is_github(&place.graphql) {
            return Err(Fault::usage(format!(
                "REST at {} and GraphQL at {}: one is GitHub's, the other is not, and no token is for both",
                authority(&place.rest),
                authority(&place.graphql)
            ))
            .hint("set GITHUB_API_URL and GITHUB_GRAPHQL_URL for the same server, or neither"));
        }
        for url in [&place.rest, &place.graphql] {
            check(url).map_err(|why| {
                Fault::usage(format!("{what}: {url:?} {why}"))
                    .hint("write https://HOST/PATH, for example https://github.example.org/api/v3")
            })?;
        }
        Ok(place)
    }
}

/// The base of REST paths at a host, as `gh` derives it: one that GitHub hosts has a name of its own for the API.
fn of_host(host: &str) -> String {
    let host = host.strip_prefix("https://").unwrap_or(host).trim_end_matches('/').to_lowercase();
    match host.as_str() {
        "github.com" | "www.github.com" | "api.github.com" => "https://api.github.com".to_owned(),
        name if name.ends_with(".ghe.com") => {
            format!("https://api.{}", name.strip_prefix("api.").unwrap_or(name))
        }
        name => format!("https://{name}/api/v3"),
    }
}

/// The host of an address, with its port.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Whether an address is of a server that GitHub runs itself.
fn is_github(url: &str) -> bool {
    let host = authority(url).to_lowercase();
    let host = host.strip_suffix(":443").unwrap_or(&host);
    ["github.com", "api.github.com"].contains(&host) || host.ends_with(".ghe.com")
}

/// Where a redirect from `url` leads; `None` where it would take the token to another server.
pub(super) fn follow(url: &str, location: &str) -> Option<String> {
    let origin = |url: &str| url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    if location.starts_with('/') && !location.starts_with("//") {
        return Some(origin(url) + location);
    }
    origin(url).eq_ignore_ascii_case(&origin(location)).then(|| location.to_owned())
}

/// A token goes over an encrypted connection, or to this machine.
fn check(url: &str) -> Result<(), &'static str> {
    let host = |rest: &str| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned();
        let port = authority.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
        let port_fits = port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
        (!authority.is_empty() && port_fits && !authority.contains('@') && !url.contains(['?', '#', ' ']))
            .then_some(authority)
    };
    if let Some(rest) = url.strip_prefix("https://") {
        return host(rest).map(|_| ()).ok_or("is no address of an API");
    }
    let rest = url.strip_prefix("http://").ok_or("is no address of an API")?;
    let authority = host(rest).ok_or("is no address of an API")?;
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => &authority,
    };
    let here = name == "localhost"
        || name == "[::1]"
        || name.parse().is_ok_and(|ip: std::net::Ipv4Addr| ip.is_loopback());
    if here { Ok(()) } else { Err("would carry the token unencrypted") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_api() {
        let check = |url: &str, graphql: &str| assert_eq!(Place::of("", url, None).unwrap().graphql, graphql);
        check("https://api.github.com", "https://api.github.com/graphql");
        check("https://ghe.example.org/api/v3/", "https://ghe.example.org/api/graphql");
        check("http://127.0.0.1:8080/proxy/gh", "http://127.0.0.1:8080/proxy/gh/graphql");
        check("http://[::1]:8080", "http://[::1]:8080/graphql");
        let host = |host: &str| {
            let place = Place::of("GH_HOST", &of_host(host), None).unwrap();
            (place.rest, place.graphql)
        };
        let pair = |rest: &str, graphql: &str| (rest.to_owned(), graphql.to_owned());
        let github = pair("https://api.github.com", "https://api.github.com/graphql");
        assert_eq!((host("github.com"), host("GitHub.com")), (github.clone(), github));
        let own = pair("https://git.example.org:8443/api/v3", "https://git.example.org:8443/api/graphql");
        assert_eq!((host("git.example.org:8443"), host("https://git.example.org:8443/")), (own.clone(), own));
        let hosted = pair("https://api.octo.ghe.com", "https://api.octo.ghe.com/graphql");
        assert_eq!((host("octo.ghe.com"), host("api.octo.ghe.com")), (hosted.clone(), hosted));
        assert_eq!(host("ghe.com.evil.org").0, "https://ghe.com.evil.org/api/v3");
        for bad in ["", "a b", "me@host", "http://host"] {
            assert!(Place::of("GH_HOST", &of_host(bad), None).is_err(), "{bad}");
        }
        let github = |rest: &str| Place::of("", rest, None).unwrap().is_github();
        for own in ["https://api.github.com", "https://API.github.com:443/", "https://api.octo.ghe.com"] {
            assert!(github(own), "{own}");
        }
        for other in [
            "https://git.example.org/api/v3",
            "https://api.github.com.evil.org",
            "https://evilghe.com",
            "https://ghe.com.evil.org",
            "https://evil.org/api.github.com",
            "http://127.0.0.1:8080",
        ] {
            assert!(!github(other), "{other}");
        }
        let mixed = |rest: &str, graphql: &str| Place::of("", rest, Some(graphql.to_owned())).is_err();
        assert!(mixed("https://api.github.com", "https://git.example.org/api/graphql"));
        assert!(mixed("https://git.example.org/api/v3", "https://api.github.com/graphql"));
        assert!(!mixed("http://127.0.0.1:1", "http://127.0.0.1:2/graphql"));
        let turn = |to: &str| follow("https://api.github.com/repos/a/b", to);
        assert_eq!(turn("/repositories/1").as_deref(), Some("https://api.github.com/repositories/1"));
        assert_eq!(turn("https://API.github.com/x").as_deref(), Some("https://API.github.com/x"));
        for away in [
            "https://evil.org/x",
            "http://api.github.com/x",
            "//evil.org/x",
            "https://api.github.com.evil.org/",
            "x",
        ] {
            assert_eq!(turn(away), None, "{away}");
        }
        for bad in [
            "",
            "api.github.com",
            "http://api.github.com",
            "http://127.0.0.1.evil.org",
            "https://u@x",
            "https:///x",
            "ftp://x",
            "http://localhost@evil.org",
        ] {
            assert!(Place::of("", bad, None).is_err(), "{bad}");
        }
    }
}
