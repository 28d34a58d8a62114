//! A GitHub on loopback: as much of its GraphQL and REST API as the fleet commands use, and its ways to fail.

mod world;

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// The token that is accepted.
pub(crate) const TOKEN: &str = "ghp_0123456789abcdefSECRET";

/// A repository as the host has it.
#[derive(Debug, Clone)]
pub(crate) struct Repo {
    pub(crate) name: String,
    pub(crate) topics: Vec<String>,
    pub(crate) license: Option<&'static str>,
    pub(crate) files: Vec<String>,
    pub(crate) archived: bool,
    pub(crate) fork: bool,
    /// The number of commits; 0 in an empty repository.
    pub(crate) commits: u64,
    pub(crate) date: &'static str,
    /// Nobody may commit to its branch.
    pub(crate) protected: bool,
    /// A commit comes in between every read and the write after it.
    pub(crate) busy: bool,
    /// Reading it fails.
    pub(crate) broken: bool,
    /// It was deleted after it was listed.
    pub(crate) deleted: bool,
    /// It got this name after it was listed.
    pub(crate) renamed: Option<&'static str>,
    /// What was committed through the API, in base64.
    pub(crate) committed: Vec<(String, String)>,
}

impl Repo {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            topics: vec!["fleet-old".to_owned()],
            license: Some("MIT"),
            files: [".gitignore", "CAPABILITY.toml", "CHARTER.md", "LICENSE", "README.md"]
                .map(str::to_owned)
                .to_vec(),
            archived: false,
            fork: false,
            commits: 1,
            date: "2025-12-31T00:00:00Z",
            protected: false,
            busy: false,
            broken: false,
            deleted: false,
            renamed: None,
            committed: Vec::new(),
        }
    }

    /// Its name, once it was listed.
    fn name_now(&self) -> &str {
        self.renamed.unwrap_or(&self.name)
    }

    fn head(&self) -> String {
        format!("{:040x}", self.commits)
    }
}

/// What the host does instead of answering.
#[derive(Debug, Clone)]
pub(crate) enum Instead {
    /// Another status, headers and body.
    Status(u16, Vec<(&'static str, String)>, String),
    /// Half an answer, and the connection is closed.
    Cut,
    /// The answer, too late.
    Slow(Duration),
    /// The answer, but the work was done and the answer is lost on the way.
    Lost,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// `Listing`, `Facts`, `Now`, `Topics`, `Commits`, or a REST method and path.
    pub(crate) what: String,
    /// The status of the answer.
    pub(crate) status: u16,
    pub(crate) at: Instant,
}

#[derive(Default)]
pub(crate) struct World {
    /// Where the host is.
    pub(crate) url: String,
    pub(crate) repos: Vec<Repo>,
    pub(crate) asked: Vec<Asked>,
    /// Requests of this kind, after so many of them, get this once.
    pub(crate) script: Vec<(&'static str, usize, Instead)>,
    /// More than so many repositories at once are too many.
    pub(crate) most: Option<usize>,
    pub(crate) latency: Duration,
    /// What is left of the quota, by the host's word.
    pub(crate) remaining: u32,
    /// Why reading a broken repository fails.
    pub(crate) reason: String,
    /// The token expires after so many requests.
    pub(crate) expires: Option<usize>,
}

/// The host.
pub(crate) struct Octo {
    pub(crate) url: String,
    world: Arc<Mutex<World>>,
}

impl Octo {
    /// Starts a host with these repositories of the organisation `Fleet`.
    pub(crate) fn start(repos: Vec<Repo>) -> Self {
        let world = Arc::new(Mutex::new(World {
            repos,
            remaining: 4321,
            reason: "Something broke".to_owned(),
            ..World::default()
        }));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // A base with a path, as a proxy would have it.
        let url = format!("http://{}/some/proxy", listener.local_addr().unwrap());
        let shared = Arc::clone(&world);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let world = Arc::clone(&shared);
                thread::spawn(move || serve(stream.try_clone().ok()?, stream, &world));
            }
        });
        world.lock().unwrap().url.clone_from(&url);
        Self { url, world }
    }

    /// Answers the requests that come by other ways than the host's own port.
    pub(crate) fn serve(&self, from: impl Read, to: impl Write) {
        let _ = serve(from, to, &self.world);
    }

    /// Looks at the host, or changes it.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        act(&mut self.world.lock().unwrap())
    }

    /// How many requests came since this was last asked.
    pub(crate) fn count(&self) -> usize {
        self.with(|world| std::mem::take(&mut world.asked).len())
    }

    /// How many requests of a kind came since [`Octo::count`].
    pub(crate) fn count_of(&self, what: &str) -> usize {
        self.with(|world| world.asked.iter().filter(|asked| asked.what == what).count())
    }
}

/// A request as it is read.
#[derive(Default)]
struct Request {
    method: String,
    path: String,
    token: String,
    etag: String,
    accept: String,
    body: Value,
}

/// Answers the requests of one connection.
fn serve(from: impl Read, mut to: impl Write, world: &Mutex<World>) -> Option<()> {
    let mut reader = BufReader::new(from);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let mut words = line.split(' ').map(str::to_owned);
        let mut request = Request { method: words.next()?, ..Request::default() };
        // A proxy's base, and that of an enterprise server.
        let path = words.next()?;
        let path = path.strip_prefix("/some/proxy").or_else(|| path.strip_prefix("/api/v3")).unwrap_or(&path);
        path.strip_prefix("/api").unwrap_or(path).clone_into(&mut request.path);
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            let Some((key, value)) = header.trim_end().split_once(": ") else { break };
            match key.to_lowercase().as_str() {
                "content-length" => length = value.parse().ok()?,
                "authorization" => value.clone_into(&mut request.token),
                "if-none-match" => value.clone_into(&mut request.etag),
                "accept" => value.clone_into(&mut request.accept),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        request.body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).ok()? };
        answer(&mut to, world, &request)?;
    }
}

fn answer(to: &mut impl Write, world: &Mutex<World>, request: &Request) -> Option<()> {
    let Request { method, path, token, body, .. } = request;
    let mut headers = Vec::new();
    let (instead, latency, remaining, result) = {
        let mut world = world.lock().unwrap();
        let document = body["query"].as_str().unwrap_or_default().to_owned();
        let operation = document.split([' ', '(']).nth(1).unwrap_or_default().to_owned();
        let what = if path == "/graphql" { operation } else { format!("{method} {path}") };
        world.asked.push(Asked { what: what.clone(), at: Instant::now(), status: 0 });
        let expired = world.expires.is_some_and(|most| world.asked.len() > most);
        let instead = take(&mut world, &what);
        let result = if expired || *token != format!("Bearer {TOKEN}") {
            (401, json!({ "message": format!("Bad credentials: {token}") }))
        } else if instead.is_none() || matches!(instead, Some(Instead::Slow(_) | Instead::Lost)) {
            match query(path).filter(|_| method == "GET") {
                Some(query) => world.page(query, &request.etag, &mut headers),
                None => world.result(&what, &body["variables"], body),
            }
        } else {
            (200, json!({ "data": null }))
        };
        world.asked.last_mut()?.status = result.0;
        (instead, world.latency, world.remaining, result)
    };
    thread::sleep(latency);
    let (mut status, mut text) = (result.0, result.1.to_string());
    let mut kind = "application/json";
    if status == 304 {
        text.clear();
    } else if let (Value::String(raw), true) = (&result.1, request.accept.contains("raw")) {
        (kind, text) = ("application/vnd.github.raw+json; charset=utf-8", raw.clone());
    }
    headers.push(("x-ratelimit-remaining", remaining.to_string()));
    headers.push(("x-ratelimit-reset", "9999999999".to_owned()));
    let mut keep = text.len();
    match instead {
        Some(Instead::Status(code, only, body)) => {
            (status, headers, keep) = (code, only, body.len());
            text = body;
        }
        Some(Instead::Cut) => keep = text.len() / 2,
        Some(Instead::Lost) => return None,
        Some(Instead::Slow(time)) => thread::sleep(time),
        None => {}
    }
    let mut out =
        format!("HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n", text.len());
    for (key, value) in &headers {
        out.extend([*key, ": ", value, "\r\n"]);
    }
    out += "\r\n";
    // In one piece: two would wait for each other's acknowledgement.
    out += &text[..keep];
    to.write_all(out.as_bytes()).ok()?;
    to.flush().ok()?;
    (keep == text.len()).then_some(())
}

/// The query of a list of the organisation's repositories, whose later pages are under its number.
fn query(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/orgs/fleet/repos?").or_else(|| path.strip_prefix("/orgs/Fleet/repos?"));
    rest.or_else(|| path.strip_prefix("/organizations/1/repos?"))
}

/// Takes what is to happen instead, if it is this request's turn.
fn take(world: &mut World, what: &str) -> Option<Instead> {
    let index = world.script.iter().position(|(kind, _, _)| what.starts_with(kind))?;
    if world.script[index].1 > 0 {
        world.script[index].1 -= 1;
        return None;
    }
    Some(world.script.remove(index).2)
}
