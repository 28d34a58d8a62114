//! What an answer means for the next request, as GitHub documents its limits
//! ("Rate limits for the REST API" and "Best practices for using the REST API").

/// Seconds to wait where a limit was met and nothing says how long.
const MINUTE: u64 = 60;
/// How often the same request is sent again for a secondary limit, or for a server that fails.
const TRIES: u32 = 4;
/// How often it is sent again at all.
const MOST: u32 = 10;

/// What of an answer decides.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Reply<'a> {
    /// The status; 0 for an answer that never came whole.
    pub(super) status: u16,
    /// `retry-after`, seconds.
    pub(super) retry_after: Option<u64>,
    /// `x-ratelimit-remaining`.
    pub(super) remaining: Option<u64>,
    /// `x-ratelimit-reset`, seconds since 1970.
    pub(super) reset: Option<u64>,
    /// What the server says is wrong.
    pub(super) message: &'a str,
    /// Whether a GraphQL error says that the limit is used up.
    pub(super) limited: bool,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Take the answer.
    Take,
    /// Send the same again after so many seconds.
    Again(u64, &'static str),
    /// Ask for less at once.
    Less,
    /// The token is not accepted.
    Token,
    /// The server does not do it.
    Refused,
}

/// Whether a message tells of a secondary limit.
pub(super) fn is_secondary(message: &str) -> bool {
    let message = message.to_lowercase();
    message.contains("secondary rate limit") || message.contains("abuse detection")
}

/// Decides by the answer to the `attempt`-th sending (from 0), at `now` (seconds since 1970).
pub(super) fn next(reply: &Reply<'_>, attempt: u32, now: u64) -> Next {
    let spent = reply.remaining == Some(0);
    let until = |reset: u64| reset.saturating_sub(now) + 1;
    let doubled = |seconds: u64| seconds << attempt.min(6);
    match reply.status {
        200..=299 if !reply.limited => Next::Take,
        401 => Next::Token,
        200..=299 | 403 | 429 => {
            // A 403 with quota left and no word of a limit is a matter of rights, and waiting does not help.
            let bare = reply.remaining.is_none() && reply.reset.is_none();
            let limit = reply.limited || reply.status == 429 || is_secondary(reply.message) || spent || bare;
            match (reply.retry_after, reply.reset) {
                // A server that asks for another wait again and again is not asked for ever.
                _ if attempt >= MOST => Next::Refused,
                (Some(seconds), _) => Next::Again(seconds, "the server asked for it"),
                (None, Some(reset)) if spent => Next::Again(until(reset), "the quota is used up"),
                _ if limit && attempt < TRIES => Next::Again(doubled(MINUTE), "a secondary limit was met"),
                _ => Next::Refused,
            }
        }
        // The page was too much for the server, or it never came whole: the same again would fail again.
        0 | 502 | 504 => Next::Less,
        500 | 503 => match reply.retry_after {
            Some(seconds) if attempt < TRIES => Next::Again(seconds, "the server asked for it"),
            None if attempt < 2 => Next::Again(doubled(1), "the server failed"),
            _ => Next::Less,
        },
        _ => Next::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reply: &Reply<'_>, attempt: u32, want: &Next) {
        assert_eq!(next(reply, attempt, 1000), *want, "{reply:?} {attempt}");
    }

    #[test]
    fn answers_decide_as_documented() {
        let again = |seconds, why| Next::Again(seconds, why);
        let reply = |status| Reply { status, ..Reply::default() };
        check(&reply(200), 0, &Next::Take);
        check(&reply(401), 0, &Next::Token);
        check(&reply(404), 0, &Next::Refused);
        check(&reply(422), 0, &Next::Refused);
        check(&reply(301), 0, &Next::Refused);
        check(&reply(502), 0, &Next::Less);
        check(&reply(0), 0, &Next::Less);
        check(&reply(503), 0, &again(1, "the server failed"));
        check(&reply(503), 2, &Next::Less);
        let asked = Reply { retry_after: Some(7), remaining: Some(0), reset: Some(2000), ..reply(403) };
        check(&asked, 0, &again(7, "the server asked for it"));
        check(&Reply { retry_after: Some(7), ..reply(429) }, 0, &again(7, "the server asked for it"));
        let spent = Reply { remaining: Some(0), reset: Some(1030), ..reply(403) };
        check(&spent, 0, &again(31, "the quota is used up"));
        check(&Reply { limited: true, ..spent }, 0, &again(31, "the quota is used up"));
        check(&Reply { status: 200, limited: true, ..spent }, 0, &again(31, "the quota is used up"));
        let rights = Reply {
            remaining: Some(4000),
            reset: Some(1030),
            message: "Resource not accessible",
            ..reply(403)
        };
        check(&rights, 0, &Next::Refused);
        let secondary = Reply { message: "You have exceeded a secondary rate limit", ..rights };
        check(&secondary, 0, &again(60, "a secondary limit was met"));
        check(&secondary, 2, &again(240, "a secondary limit was met"));
        check(&secondary, 4, &Next::Refused);
        check(&reply(403), 0, &again(60, "a secondary limit was met"));
        check(&Reply { retry_after: Some(1), ..reply(403) }, 10, &Next::Refused);
        check(&reply(429), 1, &again(120, "a secondary limit was met"));
    }
}
