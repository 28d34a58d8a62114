//! What can go wrong on the way to another repository, told apart by what git says.

/// Why another repository could not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The text names no repository.
    NoLocation,
    /// Nobody answers there, or there is no repository.
    Unreachable,
    /// The other side wants credentials, and has not got good ones.
    Auth,
    /// The time budget is used up.
    Timeout,
    /// The connection ended in the middle.
    Cut,
    /// The other side answered, and will not do what was asked.
    Refused,
    /// The git program failed for another reason.
    Program,
}

impl Trouble {
    /// Whether the same may work a little later.
    pub fn is_passing(self) -> bool {
        matches!(self, Self::Unreachable | Self::Timeout | Self::Cut)
    }
}

/// A use of another repository that failed.
#[derive(Debug, thiserror::Error)]
#[error("{location}: cannot {doing}: {message}")]
pub struct TransportError {
    /// Where, without passwords.
    pub location: String,
    /// What was tried.
    pub doing: &'static str,
    /// What went wrong.
    pub trouble: Trouble,
    /// What git or the other side said, in one line.
    pub message: String,
}

/// The words git says, and the trouble that they are. The first that fits counts: a server that wants credentials
/// hangs up too.
const SIGNS: [(Trouble, &[&str]); 4] = [
    (
        Trouble::Auth,
        &[
            "authentication failed",
            "could not read username",
            "could not read password",
            "terminal prompts disabled",
            "permission denied (",
            "host key verification failed",
            "returned error: 401",
            "returned error: 403",
            "invalid credentials",
        ],
    ),
    (
        Trouble::Unreachable,
        &[
            "could not resolve",
            "couldn't resolve",
            "name or service not known",
            "connection refused",
            "connection timed out",
            "network is unreachable",
            "no route to host",
            "unable to connect",
            "couldn't connect",
            "failed to connect",
            "could not connect",
            "does not appear to be a git repository",
            "repository not found",
            "not found",
            "does not exist",
            "unable to look up",
            "no such file or directory",
        ],
    ),
    (
        Trouble::Refused,
        &[
            "access denied",
            "service not enabled",
            "not our ref",
            "couldn't find remote ref",
            "protected",
            "pre-receive hook declined",
            "insufficient permission",
            "read-only",
        ],
    ),
    (
        Trouble::Cut,
        &[
            "early eof",
            "unexpected disconnect",
            "hung up",
            "connection reset",
            "broken pipe",
            "rpc failed",
            "transfer closed",
            "unexpected eof",
            "invalid index-pack output",
            "index-pack abnormal exit",
            "index-pack failed",
            "remote failed to report status",
            "bad band",
            "eof before pack header",
            "protocol error",
            "bad line length",
            "empty reply",
        ],
    ),
];

impl TransportError {
    pub(crate) fn new(location: &str, doing: &'static str, trouble: Trouble, message: &str) -> Self {
        let redact = |text: &str| without_password(text).chars().take(500).collect::<String>();
        Self { location: redact(location), doing, trouble, message: redact(message) }
    }

    /// The error that git's complaint is.
    pub(super) fn of(location: &str, doing: &'static str, complaint: &str) -> Self {
        let sign = SIGNS.into_iter().find_map(|(trouble, signs)| {
            let line = complaint.lines().find(|line| {
                let lower = line.to_lowercase();
                signs.iter().any(|sign| lower.contains(sign))
            })?;
            Some((trouble, line))
        });
        let worth = |line: &&str| line.starts_with("fatal: ") || line.starts_with("error: ");
        let any = || {
            complaint.lines().find(worth).or_else(|| complaint.lines().rfind(|line| !line.trim().is_empty()))
        };
        let (trouble, told) = match sign {
            Some((trouble, line)) => (trouble, line),
            None => (Trouble::Program, any().unwrap_or("git gave no reason")),
        };
        let told =
            told.trim_start_matches("fatal: ").trim_start_matches("error: ").trim_start_matches("remote: ");
        let words = remote_words(complaint);
        let message =
            if words.is_empty() { told.trim().to_owned() } else { format!("{}: {words}", told.trim()) };
        Self::new(location, doing, trouble, &message)
    }
}

/// What the other side's hooks and server said, in one line.
pub(super) fn remote_words(complaint: &str) -> String {
    let said = complaint.lines().filter_map(|line| line.strip_prefix("remote:"));
    let said: Vec<&str> = said.map(str::trim).filter(|line| !line.is_empty()).take(4).collect();
    said.join(" / ").chars().take(300).collect()
}

/// An address without what stands between `//` and `@`.
fn without_password(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        out.push_str(head);
        let end = tail.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(tail.len());
        let host = tail[..end].rfind('@').map_or(0, |at| at + 1);
        out.push_str(&tail[host..end]);
        rest = &tail[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn troubles_are_told_apart_by_what_git_says() {
        let check = |complaint: &str, want: Trouble| {
            assert_eq!(TransportError::of("x", "fetch", complaint).trouble, want, "{complaint}");
        };
        check("fatal: unable to access 'http://x/': Could not resolve host: x", Trouble::Unreachable);
        check(
            "fatal: '/nowhere' does not appear to be a git repository\nfatal: Could not read from remote repository.",
            Trouble::Unreachable,
        );
        check("fatal: could not read Username for 'https://x': terminal prompts disabled", Trouble::Auth);
        check(
            "git@x: Permission denied (publickey).\nfatal: the remote end hung up unexpectedly",
            Trouble::Auth,
        );
        check("error: RPC failed; curl 18 transfer closed\nfatal: early EOF", Trouble::Cut);
        check("fatal: remote error: access denied or repository not exported: /x", Trouble::Refused);
        check("fatal: couldn't find remote ref refs/datum/journal/a", Trouble::Refused);
        check("error: something new", Trouble::Program);
    }

    #[test]
    fn passwords_are_not_repeated() {
        let error = TransportError::of(
            "https://me:secret@host/x",
            "push",
            "fatal: Authentication failed for 'https://me:secret@host/x'",
        );
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(error.to_string().contains("https://host/x"), "{error}");
    }
}
