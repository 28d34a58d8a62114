//! The client: sends a request, and again where an answer says so.

use super::failure::{Failure, Stop};
use super::limit::{self, Next, Reply};
use super::place::{self, Place};
use super::token::Token;
use super::wait::Patience;
use super::{link, trust};
use crate::fault::Fault;
use crate::out::Out;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::time::Duration;
use ureq::http::{HeaderMap, Method, Request};
use ureq::tls::TlsConfig;

/// Largest answer read, bytes.
const ANSWER_MAX: u64 = 32 * 1024 * 1024;
/// Redirects followed, one after another.
const TURNS: u32 = 3;
/// What is asked for: GitHub's JSON, or JSON of whoever else answers.
const JSON: &str = "application/vnd.github+json, application/json;q=0.9";
/// The same for a file, which GitHub gives as it is.
const RAW: &str = "application/vnd.github.raw+json, application/json;q=0.9";

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
    /// A file of certificates to trust instead of the system's (`SSL_CERT_FILE`).
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

/// A request, as it is sent again and again.
struct Sending<'a> {
    method: Method,
    url: String,
    accept: &'static str,
    body: Option<&'a Value>,
    /// What an answer was known by when it was read before: while that holds, it need not come again.
    etag: Option<&'a str>,
    /// How many writes it counts as.
    writes: usize,
}

/// A page that was read at a REST path.
#[derive(Debug)]
pub(crate) struct Got {
    /// What stands there; `None` if it is still what it was when it had the etag that was sent.
    pub(crate) value: Option<Value>,
    /// What it is known by.
    pub(crate) etag: Option<String>,
    /// The path of the next page; an address where it is at another host, to which the token does not go.
    pub(crate) next: Option<String>,
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
        if given.place.is_encrypted() {
            let roots = trust::roots(given.certificates.as_deref())?;
            config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        }
        Ok(Self { agent: config.build().new_agent(), given, out, requests: 0, full_at: [0; 2] })
    }

    /// Takes note of writes that other runs made: so many, and how long ago, milliseconds; the oldest first.
    pub(crate) fn remember(&mut self, writes: impl IntoIterator<Item = (u64, usize)>) {
        self.given.patience.remember(writes);
    }

    /// Writes made so far.
    pub(crate) fn writes(&self) -> u64 {
        self.given.patience.made()
    }

    /// Requests made so far.
    pub(crate) fn requests(&self) -> u64 {
        self.requests
    }

    /// Tells what is going on.
    pub(crate) fn say(&self, text: &str) {
        self.out.say(text);
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
        let sending =
            Sending { method: Method::POST, url, accept: JSON, body: Some(&body), etag: None, writes };
        let mut answer = self.send(sending)?;
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
        let (url, body) = (self.at(path), Some(body));
        let sending = Sending { method: Method::PUT, url, accept: JSON, body, etag: None, writes: 1 };
        self.send(sending).map(|answer| answer.value)
    }

    /// Reads a page at a REST path; an `etag` of an earlier reading spares what is still the same, and the quota.
    pub(crate) fn get(&mut self, path: &str, etag: Option<&str>) -> Result<Got, Failure> {
        if !path.starts_with('/') {
            return Err(Failure::Refused(format!("the next page is said to be elsewhere: {path}")));
        }
        // What was kept is sent back as it is, and as one header.
        let etag = etag.filter(|etag| etag.bytes().all(|b| (b' '..=b'~').contains(&b)));
        let url = self.at(path);
        let sending = Sending { method: Method::GET, url, accept: JSON, body: None, etag, writes: 0 };
        let answer = self.send(sending)?;
        let header = |name: &str| Some(answer.headers.get(name)?.to_str().ok()?.to_owned());
        let link = header("link");
        let next = link.as_deref().and_then(link::next);
        let next = next.map(|to| to.strip_prefix(&self.given.place.rest).unwrap_or(to).to_owned());
        let unchanged = answer.status == 304;
        Ok(Got { etag: header("etag"), next, value: (!unchanged).then_some(answer.value) })
    }

    /// Reads a file at a REST path; `None` for a folder, a link, or what is no text.
    pub(crate) fn file(&mut self, path: &str) -> Result<Option<String>, Failure> {
        let url = self.at(path);
        let sending = Sending { method: Method::GET, url, accept: RAW, body: None, etag: None, writes: 0 };
        let answer = self.send(sending)?;
        if is_raw(&answer.headers) {
            return Ok(Some(answer.text));
        }
        let plain: Option<String> = (answer.value["type"] == "file" && answer.value["encoding"] == "base64")
            .then(|| answer.value["content"].as_str())
            .flatten()
            .map(|text| text.split_whitespace().collect());
        let bytes = plain.and_then(|text| STANDARD.decode(text).ok());
        Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
    }

    /// The address of a REST path.
    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.given.place.rest)
    }

    /// Sends a request, again where the answer asks for it.
    fn send(&mut self, mut sending: Sending<'_>) -> Result<Answer, Failure> {
        let (mut attempt, mut turns) = (0, 0);
        let quota = usize::from(sending.url != self.given.place.graphql);
        loop {
            // Asking on while the quota is known to be used up is what a host bans for.
            let left = self.full_at[quota].saturating_sub(now());
            if left > 0 {
                if !self.given.patience.allows(left) {
                    return Err(Failure::Stop(Stop::Wait(left)));
                }
                self.given.patience.wait(self.out, left, "the quota is used up");
            }
            if sending.writes > 0 {
                let paced = self.given.patience.before_write(self.out, sending.writes);
                paced.map_err(|seconds| Failure::Stop(Stop::Wait(seconds)))?;
            }
            if self.given.patience.is_stopped() {
                return Err(Failure::Stop(Stop::Asked));
            }
            if let Some(most) = self.given.budget.filter(|most| self.requests >= *most) {
                return Err(Failure::Stop(Stop::Budget(most)));
            }
            self.requests += 1;
            let answer = self.once(&sending)?;
            if matches!(answer.status, 301 | 302 | 307 | 308) && turns < TURNS {
                let to = answer.headers.get("location").and_then(|to| to.to_str().ok());
                if let Some(to) = to.and_then(|to| place::follow(&sending.url, to)) {
                    (sending.url, turns) = (to, turns + 1);
                    continue;
                }
            }
            if answer.status == 304 && sending.etag.is_some() {
                return Ok(answer);
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

    fn once(&self, sending: &Sending<'_>) -> Result<Answer, Failure> {
        let url = &sending.url;
        let mut request = Request::builder()
            .method(sending.method.clone())
            .uri(url)
            .header("authorization", self.given.token.header())
            .header("accept", sending.accept)
            .header("x-github-api-version", "2022-11-28");
        if let Some(etag) = sending.etag {
            request = request.header("if-none-match", etag);
        }
        let refused = |error: &dyn std::fmt::Display| Failure::Refused(format!("{url}: {error}"));
        let read = match sending.body {
            Some(body) => {
                let request = request.header("content-type", "application/json").body(body.to_string());
                self.agent.run(request.map_err(|error| refused(&error))?)
            }
            None => self.agent.run(request.body(()).map_err(|error| refused(&error))?),
        };
        let read = read.and_then(|mut response| {
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
                let lost = (200..300).contains(&status) && value.is_null() && !is_raw(&headers);
                let status = if lost { 0 } else { status };
                Ok(Answer { status, headers, value, text })
            }
            Err(error) => {
                let said = self.given.token.scrub(&format!("{url}: {error}"));
                match error {
                    // TLS tells that nobody is trusted as an error of reading.
                    ureq::Error::Io(io) if io.to_string().contains("certificate") => {
                        Err(Failure::Stop(Stop::Network(said)))
                    }
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

/// Whether the answer is a file as it is.
fn is_raw(headers: &HeaderMap) -> bool {
    let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/vnd.github.") && kind.contains("raw"))
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
    let words = match (words.as_str(), status) {
        ("", 304) => {
            "told that nothing changed, where nothing was known before; is there a cache in between?"
        }
        ("", _) => "no reason given",
        (words, _) => words,
    };
    if status == 0 { "the answer is no JSON".to_owned() } else { format!("status {status}: {words}") }
}

/// Seconds since 1970, by the real clock: the host's resets are by it.
fn now() -> u64 {
    crate::time::now() / 1000
}
