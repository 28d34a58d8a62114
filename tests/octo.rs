//! A GitHub on loopback: as much of its GraphQL and REST API as the fleet commands use, and its ways to fail.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
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
            committed: Vec::new(),
        }
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
    pub(crate) at: Instant,
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) repos: Vec<Repo>,
    pub(crate) asked: Vec<Asked>,
    /// Requests of this kind, after so many of them, get this once.
    pub(crate) script: Vec<(&'static str, usize, Instead)>,
    /// More than so many repositories at once are too many.
    pub(crate) most: Option<usize>,
    pub(crate) latency: Duration,
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
        let world = Arc::new(Mutex::new(World { repos, ..World::default() }));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // A base with a path, as a proxy would have it.
        let url = format!("http://{}/some/proxy", listener.local_addr().unwrap());
        let shared = Arc::clone(&world);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let world = Arc::clone(&shared);
                thread::spawn(move || serve(&stream, &world));
            }
        });
        Self { url, world }
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

/// Answers the requests of one connection.
fn serve(stream: &TcpStream, world: &Mutex<World>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let mut words = line.split(' ').map(str::to_owned);
        let (method, path) = (words.next()?, words.next()?);
        let (mut length, mut token) = (0, String::new());
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            let Some((key, value)) = header.trim_end().split_once(": ") else { break };
            match key.to_lowercase().as_str() {
                "content-length" => length = value.parse().ok()?,
                "authorization" => value.clone_into(&mut token),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let body: Value = serde_json::from_slice(&body).ok()?;
        answer(stream, world, &method, path.strip_prefix("/some/proxy").unwrap_or("?"), &token, &body)?;
    }
}

fn answer(
    stream: &TcpStream,
    world: &Mutex<World>,
    method: &str,
    path: &str,
    token: &str,
    body: &Value,
) -> Option<()> {
    let (instead, latency, result) = {
        let mut world = world.lock().unwrap();
        let document = body["query"].as_str().unwrap_or_default().to_owned();
        let operation = document.split([' ', '(']).nth(1).unwrap_or_default().to_owned();
        let what = if path == "/graphql" { operation } else { format!("{method} {path}") };
        world.asked.push(Asked { what: what.clone(), at: Instant::now() });
        let expired = world.expires.is_some_and(|most| world.asked.len() > most);
        let instead = take(&mut world, &what);
        let result = if expired || token != format!("Bearer {TOKEN}") {
            (401, json!({ "message": format!("Bad credentials: {token}") }))
        } else if instead.is_none() || matches!(instead, Some(Instead::Slow(_) | Instead::Lost)) {
            world.result(&what, &body["variables"], body)
        } else {
            (200, json!({ "data": null }))
        };
        (instead, world.latency, result)
    };
    thread::sleep(latency);
    let (mut status, mut headers, mut text) = (result.0, Vec::new(), result.1.to_string());
    headers.push(("x-ratelimit-remaining", "4321".to_owned()));
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
    let mut out = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        text.len()
    );
    for (key, value) in &headers {
        out.extend([*key, ": ", value, "\r\n"]);
    }
    out += "\r\n";
    let mut stream = stream;
    // In one piece: two would wait for each other's acknowledgement.
    out += &text[..keep];
    stream.write_all(out.as_bytes()).ok()?;
    (keep == text.len()).then_some(())
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

impl World {
    fn result(&mut self, what: &str, variables: &Value, body: &Value) -> (u16, Value) {
        let size = variables["first"].as_u64().map(number);
        let ids = variables["ids"].as_array().cloned().unwrap_or_default();
        let inputs =
            variables.as_object().map_or(0, |all| all.keys().filter(|key| key.starts_with('i')).count());
        let size = size.unwrap_or(ids.len().max(inputs));
        if self.most.is_some_and(|most| size > most && what != "Listing") {
            return (502, json!("<html>"));
        }
        match what {
            "Listing" => (200, self.listing(variables)),
            "Facts" | "Now" => (200, self.nodes(&ids, what == "Facts" || variables["files"] == true)),
            "Topics" => (200, self.topics(variables)),
            "Commits" => (200, self.commits(variables)),
            "Viewer" => (200, json!({ "data": { "viewer": { "login": "octo" } } })),
            _ => self.put(what, body),
        }
    }

    fn listing(&self, variables: &Value) -> Value {
        if !variables["login"].as_str().unwrap().eq_ignore_ascii_case("fleet") {
            return json!({ "data": { "repositoryOwner": null } });
        }
        let wanted = |key: &str, is: bool| variables[key].as_bool().is_none_or(|want| want == is);
        let all: Vec<_> = self
            .repos
            .iter()
            .enumerate()
            .filter(|(_, r)| wanted("archived", r.archived) && wanted("fork", r.fork))
            .collect();
        let from = variables["after"].as_str().map_or(0, |after| after.parse::<usize>().unwrap());
        let to = (from + number(variables["first"].as_u64().unwrap())).min(all.len());
        let nodes: Vec<_> = all[from..to].iter().map(|(index, repo)| node(*index, repo, false)).collect();
        let total = |test: fn(&Repo) -> bool| json!({ "totalCount": self.repos.iter().filter(|repo| test(repo)).count() });
        let mut owner = json!({
            "login": "Fleet", "name": "The Fleet",
            "page": { "totalCount": all.len(), "pageInfo": { "hasNextPage": to < all.len(), "endCursor": to.to_string() }, "nodes": nodes },
        });
        if variables["counts"] == true {
            owner["archived"] = total(|repo| repo.archived);
            owner["forks"] = total(|repo| repo.fork && !repo.archived);
        }
        json!({ "data": { "repositoryOwner": owner } })
    }

    fn nodes(&mut self, ids: &[Value], root: bool) -> Value {
        let mut errors = Vec::new();
        let mut nodes = Vec::new();
        for (at, id) in ids.iter().enumerate() {
            let index = index(id);
            let repo = &mut self.repos[index];
            if repo.deleted || repo.broken {
                let (kind, said) = if repo.deleted {
                    ("NOT_FOUND", "Could not resolve to a node")
                } else {
                    ("INTERNAL", "Something broke")
                };
                errors.push(json!({ "type": kind, "path": ["nodes", at], "message": said }));
                nodes.push(Value::Null);
                continue;
            }
            nodes.push(node(index, repo, root));
            if repo.busy {
                repo.commits += 1;
            }
        }
        let mut answer = json!({ "data": { "nodes": nodes } });
        if !errors.is_empty() {
            answer["errors"] = json!(errors);
        }
        answer
    }

    fn topics(&mut self, variables: &Value) -> Value {
        let mut data = json!({});
        for (name, input) in variables.as_object().unwrap() {
            let repo = &mut self.repos[index(&input["repositoryId"])];
            repo.topics = serde_json::from_value(input["topicNames"].clone()).unwrap();
            data[name.replace('i', "r")] = json!({ "invalidTopicNames": null, "repository": { "id": input["repositoryId"], "repositoryTopics": topics(repo) } });
        }
        json!({ "data": data })
    }

    fn commits(&mut self, variables: &Value) -> Value {
        let (mut data, mut errors) = (json!({}), Vec::new());
        for (name, input) in variables.as_object().unwrap() {
            let full = input["branch"]["repositoryNameWithOwner"].as_str().unwrap();
            let repo = self.repos.iter_mut().find(|repo| full == format!("Fleet/{}", repo.name)).unwrap();
            let field = name.replace('i', "r");
            let refused = if repo.protected {
                Some(("UNPROCESSABLE", "Cannot update this protected ref."))
            } else if input["expectedHeadOid"] != repo.head().as_str() {
                Some(("STALE_DATA", "Expected branch to point to another commit."))
            } else {
                None
            };
            if let Some((kind, said)) = refused {
                data[&field] = Value::Null;
                errors.push(json!({ "type": kind, "path": [field], "message": said }));
                continue;
            }
            let file = &input["fileChanges"]["additions"][0];
            add(repo, file["path"].as_str().unwrap(), file["contents"].as_str().unwrap());
            data[&field] = json!({ "commit": { "oid": repo.head() } });
        }
        json!({ "data": data, "errors": errors })
    }

    fn put(&mut self, what: &str, body: &Value) -> (u16, Value) {
        let path: Vec<_> = what.split('/').collect();
        let ["PUT ", "repos", "Fleet", name, "contents", file] = path.as_slice() else {
            return (404, json!({ "message": "Not Found" }));
        };
        let repo = self.repos.iter_mut().find(|repo| repo.name == *name).unwrap();
        add(repo, file, body["content"].as_str().unwrap());
        (201, json!({ "commit": { "sha": repo.head() } }))
    }
}

fn add(repo: &mut Repo, path: &str, contents: &str) {
    repo.committed.push((path.to_owned(), contents.to_owned()));
    repo.files.push(path.to_owned());
    repo.commits += 1;
}

fn index(id: &Value) -> usize {
    id.as_str().unwrap().strip_prefix("R_").unwrap().parse().unwrap()
}

fn topics(repo: &Repo) -> Value {
    json!({ "nodes": repo.topics.iter().map(|topic| json!({ "topic": { "name": topic } })).collect::<Vec<_>>() })
}

fn node(index: usize, repo: &Repo, root: bool) -> Value {
    let names = |names: &[String]| json!({ "entries": names.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>() });
    let mut node = json!({
        "id": format!("R_{index}"), "nameWithOwner": format!("Fleet/{}", repo.name), "description": "A vessel",
        "isArchived": repo.archived, "isFork": repo.fork, "isPrivate": false,
        "pushedAt": repo.date, "updatedAt": repo.date, "repositoryTopics": topics(repo), "defaultBranchRef": null,
    });
    if repo.commits > 0 {
        let target = json!({ "oid": repo.head(), "committedDate": repo.date, "statusCheckRollup": { "state": "SUCCESS" } });
        node["defaultBranchRef"] = json!({ "name": "main", "target": target });
    }
    if root {
        node["licenseInfo"] = repo.license.map_or(Value::Null, |id| json!({ "spdxId": id }));
        node["root"] = if repo.commits > 0 { names(&repo.files) } else { Value::Null };
        node["diskUsage"] = json!(10);
        node["languages"] = json!({ "edges": [{ "size": 1000 + index, "node": { "name": "Rust" } }, { "size": 7, "node": { "name": "C++" } }] });
        node["workflows"] = names(&["ci.yml".to_owned()]);
    }
    node
}

fn number(size: u64) -> usize {
    usize::try_from(size).unwrap()
}
