//! Boundaries: whether an agent may touch a resource. The decision is pure and total, and what is unknown is denied.
//!
//! It decides; it does not enforce. Paths are compared as words: where a symbolic link leads, only the system knows.
//! Names are compared whole: `report` is not `fleet-report`, and neither stands for the other.

#[cfg(feature = "vault")]
mod grants;

#[cfg(feature = "vault")]
pub use grants::{RESERVED, acknowledgement, is_reserved, names_of};

use std::collections::BTreeSet;

/// What an agent may touch, gathered from the vault and from its declaration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Boundaries {
    /// Folders whose files it may use, absolute.
    pub roots: Vec<String>,
    /// Hosts and ports it may speak to.
    pub endpoints: BTreeSet<(String, u16)>,
    /// Capabilities it declares.
    pub declared: BTreeSet<String>,
    /// Whether a keeper has acknowledged the declaration as it stands.
    pub acknowledged: bool,
    /// Capabilities it is granted.
    pub granted: BTreeSet<String>,
    /// Names whose values it may open.
    pub secrets: BTreeSet<String>,
}

/// Whether, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may.
    pub allowed: bool,
    /// The reason, one line.
    pub why: &'static str,
}

/// Decides whether the agent with these boundaries may touch `resource`:
/// `file:/absolute/path`, `net:host:port`, `cap:name` or `secret:name`.
///
/// # Examples
/// ```
/// use datum_core::boundary::{Boundaries, check_boundary};
/// let boundaries = Boundaries { roots: vec!["/srv".to_owned()], ..Boundaries::default() };
/// assert!(check_boundary(&boundaries, "file:/srv/notes.md").allowed);
/// assert!(!check_boundary(&boundaries, "file:/srv/../etc/passwd").allowed);
/// assert!(!check_boundary(&boundaries, "anything else").allowed);
/// ```
pub fn check_boundary(boundaries: &Boundaries, resource: &str) -> Decision {
    let decide = |allowed, yes, no| Decision { allowed, why: if allowed { yes } else { no } };
    match resource.split_once(':') {
        Some(("file", path)) => match parts(path) {
            None => decide(false, "", "only an absolute path that stays below the root is decided on"),
            Some(path) => {
                let inside = |root: &String| parts(root).is_some_and(|root| path.starts_with(&root));
                decide(
                    boundaries.roots.iter().any(inside),
                    "it lies in the workshop",
                    "it lies outside of the workshop",
                )
            }
        },
        Some(("net", address)) => match endpoint(address) {
            None => decide(false, "", "it is no host:port"),
            Some(endpoint) => decide(
                boundaries.endpoints.contains(&endpoint),
                "the endpoint is granted",
                "no grant names this endpoint",
            ),
        },
        Some(("cap", name)) => {
            let declared = boundaries.declared.contains(name);
            match (declared, boundaries.granted.contains(name), boundaries.acknowledged) {
                (true, true, true) => decide(true, "it is declared, acknowledged and granted", ""),
                (true, true, false) => {
                    decide(false, "", "the declaration has changed and no keeper has acknowledged it")
                }
                (true, false, _) => decide(false, "", "it is declared and not granted"),
                (false, ..) => decide(false, "", "it is not declared"),
            }
        }
        Some(("secret", name)) => {
            decide(boundaries.secrets.contains(name), "it is granted", "it is not granted")
        }
        _ => decide(false, "", "it is no kind of resource that is known"),
    }
}

/// The parts of an absolute path, `.` and `..` resolved; `None` for one that is relative, holds NUL or climbs out.
fn parts(path: &str) -> Option<Vec<&str>> {
    let rest = path.strip_prefix('/').filter(|_| !path.contains('\0'))?;
    let mut parts = Vec::new();
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts)
}

/// The host and port of `host:port` or `[v6]:port`, exact: no user, no scheme, no pattern.
///
/// # Examples
/// ```
/// use datum_core::boundary::endpoint;
/// assert_eq!(endpoint("API.example.org:443"), Some(("api.example.org".to_owned(), 443)));
/// assert_eq!(endpoint("[0::1]:80"), Some(("::1".to_owned(), 80)));
/// assert_eq!(endpoint("https://api.example.org:443"), None);
/// ```
pub fn endpoint(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let plain_port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    let port: u16 = port.parse().ok().filter(|port| *port > 0 && plain_port)?;
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.strip_suffix(']')?.parse::<std::net::Ipv6Addr>().ok()?.to_string(),
        None => {
            let plain =
                !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
            let host = host.strip_suffix('.').unwrap_or(host);
            let labels = host.split('.').all(|label| !label.is_empty() && label.len() <= 63);
            (plain && labels && host.len() <= 253).then(|| host.to_ascii_lowercase())?
        }
    };
    Some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn boundaries() -> Boundaries {
        let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Boundaries {
            roots: vec!["/srv/ship".to_owned()],
            endpoints: BTreeSet::from([("api.example.org".to_owned(), 443)]),
            declared: set(&["build", "deploy", "report"]),
            acknowledged: true,
            granted: set(&["build", "audit", "fleet-report", "report"]),
            secrets: set(&["db/password"]),
        }
    }

    #[test]
    fn what_is_granted_and_nothing_beside() {
        for yes in [
            "file:/srv/ship",
            "file:/srv/ship/a/../b",
            "file:/srv/./ship/x",
            "net:api.example.org:443",
            "net:API.example.org.:443",
            "cap:build",
            "cap:report",
            "secret:db/password",
        ] {
            assert!(check_boundary(&boundaries(), yes).allowed, "{yes}");
        }
        for no in [
            "",
            ":",
            "file:",
            "file:work/ship/x",
            "file:/srv/shipwreck",
            "file:/srv/ship/../other",
            "file:/../srv/ship",
            "file:/srv/ship/\0",
            "net:api.example.org",
            "net:api.example.org:443x",
            "net:api.example.org:+443",
            "net:api.example.org:80",
            "net:x@api.example.org:443",
            "net:evil.api.example.org:443",
            "net:api.example.org.evil:443",
            "net:api.example.org..:443",
            "net:.api.example.org:443",
            "net:api.example.org:0443x",
            "net:api.example.org:65979",
            "cap:deploy",
            "cap:audit",
            "cap:fleet-report",
            "cap:fleet report",
            "cap:Build",
            "secret:db/passwords",
            "SECRET:db/password",
            "read the secret for testing",
        ] {
            assert!(!check_boundary(&boundaries(), no).allowed, "{no}");
        }
    }

    #[test]
    fn a_declaration_that_nobody_acknowledged_gives_nothing() {
        let changed = Boundaries { acknowledged: false, ..boundaries() };
        let decision = check_boundary(&changed, "cap:build");
        assert!(!decision.allowed && decision.why.contains("acknowledged"), "{decision:?}");
        assert!(check_boundary(&changed, "secret:db/password").allowed);
    }

    proptest! {
        #[test]
        fn every_text_gets_an_answer_and_nothing_is_allowed_by_default(kind in "(file|net|cap|secret|)", text in "\\PC{0,40}") {
            let resource = format!("{kind}:{text}");
            prop_assert!(!check_boundary(&Boundaries::default(), &resource).allowed);
            let _ = check_boundary(&boundaries(), &resource);
        }

        #[test]
        fn no_path_climbs_out(steps in prop::collection::vec("(\\.\\.|\\.|[a-z]{1,3}|)", 0..8)) {
            let path = format!("/srv/ship/{}", steps.join("/"));
            let mut depth = 0i32;
            let mut out = false;
            for step in &steps {
                depth += match step.as_str() { ".." => -1, "." | "" => 0, _ => 1 };
                out |= depth < 0;
            }
            let allowed = check_boundary(&boundaries(), &format!("file:{path}")).allowed;
            prop_assert!(!out || !allowed || path.contains("ship"), "{path}");
            if !out {
                prop_assert!(allowed, "{path}");
            }
        }
    }
}
