//! The client: sends a request, and again where an answer says so.

use super::limit::{self, Next, Reply};
use super::place::{self, Place};
use super::token::Token;
use super::wait::Patience;
use crate::fault::Fault;
use crate::out::Out;
use serde_json::{Value, json};
use std::time::Duration;
use ureq::http::{HeaderMap, Method, Request};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

/// Largest answer read, bytes.
const ANSWER_MAX: u64 = 32 * 1024 * 1024;
/// Redirects followed, one after another.
const TURNS: u32 = 3;

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

/// What the command line says of the client.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) place: Place,
    pub(crate) token: Token,
    pub(crate) patience: Patience,
    /// Most requests of this run.
    pub(crate) budget: Option<u64>,
    /// Longest time for one request, seconds.
    pub(crate) timeout: u64,
    /// A file of certificates to trust instead of the common ones (`SSL_CERT_FILE`).
    pub(crate) certificates: Option<String>,
}

/// A client of the API: one request at a time.
pub(crate) struct Client<'o> {
    agent: ureq::Agent,
    given: Given,
    out: &'o Out,
    requests: u64,
    /// When the quotas are full again, of GraphQL and of REST: seconds since 1970, 0 while there is some left.
    full_at: [u64; 2],
}

/// An answer, whole.
struct Answer {
    status: u16,
    headers: HeaderMap,
    value: Value,
    text: String,
}

impl<'o> Client<'o> {
    pub(crate) fn new(given: Given, out: &'o Out) -> Result<Self, Fault> {
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // A token must not follow a redirect, and a write must not change its method.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("datum/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(Duration::from_secs(given.timeout)));
        if let Some(path) = &given.certificates {
            config = config.tls_config(TlsConfig::builder().root_certs(certificates(path)?).build());
        }
        Ok(Self { agent: config.build().new_agent(), given, out, requests: 0, full_at: [0; 2] })
    }

    /// Requests made so far.
    pub(crate) fn requests(&self) -> u64 {
        self.requests
    }

    /// Shows how many of `all` repositories are dealt with.
    pub(crate) fn progress(&self, done: usize, all: usize) {
        if done < all { self.out.progress(done, all) } else { self.out.progress_end() }
    }

    /// Asks a GraphQL document; answers with `data`, and with `errors` that concern parts of it.
    pub(crate) fn ask(&mut self, document: &str, variables: &Value) -> Result<(Value, Value), Failure> {
        self.graphql(document, variables, 0)
    }

    /// Sends a GraphQL mutation that counts as so many writes, at a pace the host allows.
    pub(crate) fn change(
        &mut self,
        document: &str,
        variables: &Value,
        writes: usize,
    ) -> Result<(Value, Value), Failure> {
        self.graphql(document, variables, writes)
    }

    fn graphql(
        &mut self,
        document: &str,
        variables: &Value,
        writes: usize,
    ) -> Result<(Value, Value), Failure> {
        let body = json!({ "query": document, "variables": variables });
        let url = self.given.place.graphql.clone();
        let mut answer = self.send(&Method::POST, url, &body, writes)?;
        let errors = answer.value["errors"].take();
        let data = answer.value["data"].take();
        let whole = errors.as_array().is_none_or(Vec::is_empty);
        if data.as_object().is_some_and(|data| whole || data.values().any(|part| !part.is_null())) {
            return Ok((data, errors));
        }
        let first = errors[0]["message"].as_str().unwrap_or("an answer without data");
        let said = first.to_owned();
        // GraphQL tells its own timeouts with status 200.
        let slow = ["timeout", "timed out", "Something went wrong", "node limit", "MAX_NODE_LIMIT"];
        if slow.iter().any(|word| said.contains(word)) {
            return Err(Failure::Large(said));
        }
        if errors[0]["path"].is_array() {
            return Ok((data, errors));
        }
        Err(Failure::Refused(said))
    }

    /// Puts a value at a REST path.
    pub(crate) fn put(&mut self, path: &str, body: &Value) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.given.place.rest);
        self.send(&Method::PUT, url, body, 1).map(|answer| answer.value)
    }

    /// Sends a request, again where the answer asks for it.
    fn send(
        &mut self,
        method: &Method,
        mut url: String,
        body: &Value,
        writes: usize,
    ) -> Result<Answer, Failure> {
        let (mut attempt, mut turns) = (0, 0);
        let quota = usize::from(url != self.given.place.graphql);
        loop {
            // Asking on while the quota is known to be used up is what a host bans for.
            let left = self.full_at[quota].saturating_sub(now());
            if left > 0 {
                if !self.given.patience.allows(left) {
                    return Err(Failure::Stop(Stop::Wait(left)));
                }
                self.given.patience.wait(self.out, left, "the quota is used up");
            }
            if writes > 0 {
                let paced = self.given.patience.before_write(self.out, writes);
                paced.map_err(|seconds| Failure::Stop(Stop::Wait(seconds)))?;
            }
            if self.given.patience.is_stopped() {
                return Err(Failure::Stop(Stop::Asked));
            }
            if let Some(most) = self.given.budget.filter(|most| self.requests >= *most) {
                return Err(Failure::Stop(Stop::Budget(most)));
            }
            self.requests += 1;
            let answer = self.once(method, &url, body)?;
            if matches!(answer.status, 301 | 302 | 307 | 308) && turns < TURNS {
                let to = answer.headers.get("location").and_then(|to| to.to_str().ok());
                if let Some(to) = to.and_then(|to| place::follow(&url, to)) {
                    (url, turns) = (to, turns + 1);
                    continue;
                }
            }
            let said = said(&answer);
            let reply = reply(&answer, &said);
            match limit::next(&reply, attempt, now()) {
                Next::Take => {
                    let spent = reply.remaining == Some(0);
                    self.full_at[quota] = reply.reset.filter(|_| spent).map_or(0, |reset| reset + 1);
                    return Ok(answer);
                }
                Next::Token => return Err(Failure::Stop(Stop::Token(said))),
                Next::Less => return Err(Failure::Large(said)),
                Next::Refused => return Err(Failure::Refused(said)),
                Next::Again(seconds, _) if !self.given.patience.allows(seconds) => {
                    return Err(Failure::Stop(Stop::Wait(seconds)));
                }
                Next::Again(seconds, why) => self.given.patience.wait(self.out, seconds, why),
            }
            attempt += 1;
        }
    }

    fn once(&self, method: &Method, url: &str, body: &Value) -> Result<Answer, Failure> {
        let request = Request::builder()
            .method(method.clone())
            .uri(url)
            .header("authorization", self.given.token.header())
            .header("accept", "application/vnd.github+json, application/json;q=0.9")
            .header("content-type", "application/json")
            .header("x-github-api-version", "2022-11-28")
            .body(body.to_string());
        let request = request.map_err(|error| Failure::Refused(format!("{url}: {error}")))?;
        let read = self.agent.run(request).and_then(|mut response| {
            let text =
                response.body_mut().with_config().limit(ANSWER_MAX).lossy_utf8(true).read_to_string()?;
            Ok((response.status().as_u16(), response.headers().clone(), text))
        });
        match read {
            Ok((status, headers, text)) => {
                // Whatever the host tells back is recorded or shown somewhere.
                let text = self.given.token.scrub(&text);
                let value: Value = serde_json::from_str(&text).unwrap_or_default();
                // A success that is no JSON was cut, or comes from something between here and the host.
                let status = if (200..300).contains(&status) && value.is_null() { 0 } else { status };
                Ok(Answer { status, headers, value, text })
            }
            Err(error) => {
                let said = self.given.token.scrub(&format!("{url}: {error}"));
                match error {
                    ureq::Error::Io(io) if io.kind() != std::io::ErrorKind::ConnectionRefused => {
                        Err(Failure::Large(said))
                    }
                    ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                        Err(Failure::Stop(Stop::Network(said)))
                    }
                    ureq::Error::Timeout(_) | ureq::Error::Protocol(_) | ureq::Error::BodyExceedsLimit(_) => {
                        Err(Failure::Large(said))
                    }
                    _ => Err(Failure::Stop(Stop::Network(said))),
                }
            }
        }
    }
}

fn certificates(path: &str) -> Result<RootCerts, Fault> {
    let bytes =
        std::fs::read(path).map_err(|error| Fault::broken(format!("SSL_CERT_FILE: {path}: {error}")))?;
    let found = parse_pem(&bytes).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let found: Vec<_> = found.collect();
    if found.is_empty() {
        return Err(Fault::broken(format!("SSL_CERT_FILE: {path} holds no certificate")));
    }
    Ok(RootCerts::new_with_certs(&found))
}

fn reply<'a>(answer: &Answer, message: &'a str) -> Reply<'a> {
    let number = |name: &str| answer.headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let limited = answer.value["errors"].as_array().into_iter().flatten();
    Reply {
        status: answer.status,
        retry_after: number("retry-after"),
        remaining: number("x-ratelimit-remaining"),
        reset: number("x-ratelimit-reset"),
        message,
        // Limits of GraphQL come with status 200 as well, and the secondary ones without a type.
        limited: limited.into_iter().any(|error| error["type"] == "RATE_LIMITED")
            || (answer.value["data"].is_null() && limit::is_secondary(message)),
    }
}

/// What the server says is wrong, on one line.
fn said(answer: &Answer) -> String {
    let status = answer.status;
    let message = answer.value["message"].as_str().unwrap_or_default();
    let detail = answer.value["errors"][0]["message"].as_str().unwrap_or_default();
    let words: String = match (message, detail) {
        ("", "") if answer.text.trim_start().starts_with('<') => String::new(),
        ("", "") => answer.text.chars().take(120).collect(),
        ("", one) | (one, "") => one.to_owned(),
        (message, detail) => format!("{message}: {detail}"),
    };
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = if words.is_empty() { "no reason given" } else { &words };
    if status == 0 { "the answer is no JSON".to_owned() } else { format!("status {status}: {words}") }
}

/// Seconds since 1970, by the real clock: the host's resets are by it.
fn now() -> u64 {
    crate::time::now() / 1000
}
