//! Why a request has no answer, and why a run ends.

use crate::fault::Fault;

/// Why the whole run cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Ctrl-C.
    Asked,
    /// As many requests were made as were allowed.
    Budget(u64),
    /// The token is not, or no longer, accepted.
    Token(String),
    /// The host wants a longer wait than was allowed, seconds.
    Wait(u64),
    /// The host cannot be reached.
    Network(String),
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No other request would do better.
    Stop(Stop),
    /// It asked for too much at once, or the server failed; less at once may do.
    Large(String),
    /// The server does not do it.
    Refused(String),
}

impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Asked => Self::broken("stopped").hint("the same command goes on where it stopped"),
            Stop::Budget(most) => Self::broken(format!("the budget of {most} requests is used up"))
                .hint("the same command goes on where it stopped; --budget raises the limit"),
            Stop::Token(said) => Self::broken(format!("GitHub does not accept the token: {said}"))
                .hint("make a new token, put it into GH_TOKEN, and run the same command again"),
            Stop::Wait(seconds) => Self::broken(format!("GitHub asks for a wait of {seconds} s"))
                .hint("run the same command again later, or raise --max-wait"),
            Stop::Network(said) if said.contains("certificate") => Self::broken(said)
                .hint("SSL_CERT_FILE names a file of certificates to trust, such as your company's"),
            Stop::Network(said) => {
                Self::broken(said).hint("is the network there? --api-url names another host")
            }
        }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Stop(stop) => stop.into(),
            Failure::Large(said) | Failure::Refused(said) => Self::broken(said),
        }
    }
}
