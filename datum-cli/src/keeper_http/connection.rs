//! One connection: one request read within its time and size, one reply.

use super::head::{HEAD_MAX, Head, Method, Refusal, parse};
use super::place::Stream;
use serde_json::Value;
use std::io::{ErrorKind, Read as _, Write as _};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// A request whose form is good.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) token: Option<Zeroizing<String>>,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// An answer: a status and JSON.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    body: Zeroizing<String>,
}

impl Reply {
    pub(super) fn json(status: u16, value: &Value) -> Self {
        Self { status, body: Zeroizing::new(value.to_string()) }
    }

    pub(super) fn error(status: u16, why: &str) -> Self {
        Self::json(status, &serde_json::json!({ "error": why }))
    }

    fn print(&self) -> Zeroizing<String> {
        let more = match self.status {
            401 => "WWW-Authenticate: Bearer\r\n",
            405 => "Allow: GET, POST\r\n",
            429 | 503 => "Retry-After: 6\r\n",
            _ => "",
        };
        Zeroizing::new(format!(
            "HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\nConnection: close\r\n{more}\r\n{}",
            self.status,
            reason(self.status),
            self.body.len(),
            *self.body
        ))
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Error",
    }
}

/// What a request may take while no worker is free, however patient the keeper is otherwise.
const HURRY: Duration = Duration::from_millis(500);
/// How long is waited for bytes before the clock is looked at again.
const SLICE: Duration = Duration::from_millis(100);
/// How long what still comes after the reply is read and dropped.
const LINGER: Duration = Duration::from_millis(200);

/// The time in which a request must have come.
pub(super) struct Time<'a> {
    pub(super) start: Instant,
    pub(super) patience: Duration,
    /// Whether no worker is free: then the slow give way.
    pub(super) full: &'a dyn Fn() -> bool,
}

impl Time<'_> {
    fn most(&self) -> Duration {
        if (self.full)() { self.patience.min(HURRY) } else { self.patience }
    }

    fn left(&self) -> Duration {
        self.most().saturating_sub(self.start.elapsed())
    }
}

/// Reads the request, asks for the answer and writes it. The whole request must come in its time.
pub(super) fn handle(
    mut stream: Box<dyn Stream>,
    hosts: &[String],
    time: &Time<'_>,
    answer: impl FnOnce(Request) -> Reply,
) {
    let reply = match read(stream.as_mut(), hosts, time) {
        Ok(Some(request)) => answer(request),
        Ok(None) => return,
        Err(Refusal(status, why)) => Reply::error(status, why),
    };
    if stream.set_patience(time.most()).is_ok() && stream.write_all(reply.print().as_bytes()).is_ok() {
        stream.end();
        // What still comes is read and dropped for a moment: to close on it would take the reply away.
        let mut rest = [0; 4096];
        let (end, mut reads) = (Instant::now() + LINGER, 0..16);
        let _ = stream.set_patience(LINGER);
        while reads.next().is_some() && Instant::now() < end {
            if !stream.read(&mut rest).is_ok_and(|count| count > 0) {
                break;
            }
        }
    }
}

fn read(stream: &mut dyn Stream, hosts: &[String], time: &Time<'_>) -> Result<Option<Request>, Refusal> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(HEAD_MAX));
    let head: Head = loop {
        if let Some(head) = parse(&bytes, hosts)? {
            break head;
        }
        if more(stream, &mut bytes, HEAD_MAX, time)? == 0 {
            return if bytes.is_empty() { Ok(None) } else { Err(Refusal(400, "the request was cut off")) };
        }
    };
    let whole = head.size + head.length;
    while bytes.len() < whole {
        let missing = whole - bytes.len();
        if more(stream, &mut bytes, missing, time)? == 0 {
            return Err(Refusal(400, "the request was cut off"));
        }
    }
    if bytes.len() > whole {
        return Err(Refusal(400, "more came than Content-Length said"));
    }
    let body = Zeroizing::new(bytes[head.size..].to_vec());
    Ok(Some(Request { method: head.method, path: head.path, token: head.token.map(Zeroizing::new), body }))
}

fn more(
    stream: &mut dyn Stream,
    bytes: &mut Vec<u8>,
    most: usize,
    time: &Time<'_>,
) -> Result<usize, Refusal> {
    let mut buffer = Zeroizing::new([0; 4096]);
    let most = most.min(buffer.len());
    loop {
        let left = time.left();
        if left.is_zero() || stream.set_patience(left.min(SLICE)).is_err() {
            return Err(Refusal(408, "the request took too long"));
        }
        match stream.read(&mut buffer[..most]) {
            Ok(count) => {
                bytes.extend_from_slice(&buffer[..count]);
                return Ok(count);
            }
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) => {}
            Err(_) => return Err(Refusal(400, "the request was cut off")),
        }
    }
}
