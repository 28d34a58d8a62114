//! GitHub as others describe it: its OpenAPI description by prism, and answers recorded from it by octokit.
//!
//! `tests/github/check` fetches these and names their folder in `DATUM_NODE_MODULES`; without it they are skipped.

use crate::fleet::{command, repos, run, scan};
use crate::octo::Octo;
use crate::vessel::{Ran, Vessel};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The one path of the REST API that is used; everything else is GraphQL.
const CONTENTS: &str = "/repos/{owner}/{repo}/contents/{path}";

/// The folder of the node modules, or word that the test is skipped.
fn modules() -> Option<PathBuf> {
    let found = std::env::var_os("DATUM_NODE_MODULES").map(PathBuf::from).filter(|path| path.is_dir());
    if found.is_none() {
        eprintln!("SKIPPED: DATUM_NODE_MODULES names no folder; tests/github/check fetches it where npm is");
    }
    found
}

/// A server of node's, ended with the test.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts node with these arguments, in which `PORT` stands for a free port, and waits until it answers.
    fn start(modules: &Path, args: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let args = args.iter().map(|arg| arg.replace("PORT", &port.to_string()));
        let mut node = Command::new("node");
        node.args(args).env("DATUM_NODE_MODULES", modules).stdin(Stdio::null()).stdout(Stdio::null());
        let mut server = Self { child: node.spawn().unwrap(), port };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(server.child.try_wait().unwrap().is_none(), "the server ended");
            assert!(start.elapsed() < Duration::from_secs(60), "the server does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sends a request by hand; the answer is whole with its headers.
    fn send(&self, method: &str, path: &str, headers: &str, body: &Value) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let body = body.to_string();
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nhost: x\r\naccept: application/json\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A vessel that plans a licence for a fleet of so many empty repositories: what the REST API is used for.
fn empty_fleet(count: usize) -> (Vessel, Octo) {
    let mut all = repos(count);
    all.iter_mut().for_each(|repo| (repo.commits, repo.files, repo.license) = (0, Vec::new(), None));
    let (vessel, octo) = (Vessel::new(), Octo::start(all));
    scan(&vessel, &octo);
    (vessel, octo)
}

/// Applies licences, with REST at one server and GraphQL at the other.
fn license(vessel: &Vessel, octo: &Octo, rest: &str, more: &[&str]) -> Ran {
    let args = [&["license", "--org", "fleet", "--license-type", "MIT", "--apply"], more].concat();
    let mut command = command(vessel, octo, &args);
    run(command.env("GITHUB_API_URL", rest).env("GITHUB_GRAPHQL_URL", format!("{}/graphql", octo.url)))
}

/// The parts of the description that our paths need, and nothing else: the whole has 13 MB.
fn trimmed(text: &str) -> Value {
    let whole: Value = serde_json::from_str(text).unwrap();
    let path = json!({ CONTENTS: { "parameters": [], "put": whole["paths"][CONTENTS]["put"] } });
    let mut api =
        json!({ "openapi": whole["openapi"], "info": whole["info"], "paths": path, "components": {} });
    let mut known = BTreeSet::new();
    loop {
        let mut named = BTreeSet::new();
        names(&api, &mut named);
        let new: Vec<String> = named.difference(&known).cloned().collect();
        if new.is_empty() {
            return api;
        }
        for name in new {
            let parts: Vec<&str> = name.trim_start_matches("#/components/").split('/').collect();
            api["components"][parts[0]][parts[1]] = whole["components"][parts[0]][parts[1]].clone();
            known.insert(name);
        }
    }
}

fn names(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(all) => {
            found.extend(all.get("$ref").and_then(Value::as_str).map(str::to_owned));
            all.values().for_each(|value| names(value, found));
        }
        Value::Array(all) => all.iter().for_each(|value| names(value, found)),
        _ => {}
    }
}

#[test]
fn rest_calls_are_as_the_openapi_description_wants_them() {
    let Some(modules) = modules() else { return };
    let text =
        std::fs::read_to_string(modules.join("@octokit/openapi/generated/api.github.com.json")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let api = folder.path().join("api.json");
    std::fs::write(&api, trimmed(&text).to_string()).unwrap();
    let prism = modules.join("@stoplight/prism-cli/dist/index.js");
    let args =
        [prism.to_str().unwrap(), "mock", "--errors", "-h", "127.0.0.1", "-p", "PORT", api.to_str().unwrap()];
    let prism = Server::start(&modules, &args);
    // It can say no.
    let path = "/repos/fleet/x/contents/LICENSE";
    let wrong = prism.send("PUT", path, "", &json!({ "message": 7 }));
    assert!(wrong.starts_with("HTTP/1.1 422"), "{wrong}");
    let (vessel, octo) = empty_fleet(2);
    let ran = license(&vessel, &octo, &prism.url(), &[]);
    // The commit is that of the description's example.
    let commit = ran.stdout.lines().next().and_then(|line| line.rsplit(' ').next()).unwrap();
    assert!(text.contains(commit) && commit.len() == 40, "{ran:?}");
    assert_eq!((ran.code, ran.stdout.matches(" done: ").count()), (0, 2));
}

/// A recorded answer, to be given to our request: that it is the right one is what the OpenAPI test is about.
fn answer(modules: &Path, scenario: &str, status: u64, path: &str) -> Value {
    let file = format!("@octokit/fixtures/scenarios/api.github.com/{scenario}/normalized-fixture.json");
    let all: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(modules.join(file)).unwrap()).unwrap();
    let mut found = all.into_iter().find(|one| one["status"] == status && one["method"] != "get").unwrap();
    (found["method"], found["path"], found["reqheaders"]) = ("put".into(), path.into(), json!({}));
    found.as_object_mut().unwrap().remove("body");
    found
}

#[test]
fn recorded_answers_are_understood() {
    let Some(modules) = modules() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (a, b, c) = ("vessel-00000", "vessel-00001", "vessel-00002");
    let path = |name: &str| format!("/repos/Fleet/{name}/contents/LICENSE");
    let story = [
        // A file is made; a renamed repository answers with another address; a value is refused.
        answer(&modules, "create-file", 201, &path(a)),
        answer(&modules, "rename-repository", 307, &path(b)),
        answer(&modules, "create-file", 201, "/repositories/1000"),
        answer(&modules, "errors", 422, &path(c)),
    ];
    std::fs::write(folder.path().join("story.json"), json!(story).to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/github/recorded.mjs");
    let server =
        Server::start(&modules, &[script.to_str().unwrap(), "PORT", folder.path().to_str().unwrap()]);
    let loaded = server.send("POST", "/fixtures", "", &json!({ "scenario": "story" }));
    let loaded: Value = serde_json::from_str(loaded.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let (vessel, octo) = empty_fleet(3);
    let ran = license(&vessel, &octo, loaded["url"].as_str().unwrap(), &[]);
    for said in [
        "vessel-00000 done: MIT in 0000000000000000000000000000000000000002",
        "vessel-00001 done: MIT in 0000000000000000000000000000000000000002",
        "vessel-00002 refused: status 422: Validation Failed",
    ] {
        assert!(ran.stdout.contains(said), "{said}: {ran:?}");
    }
    assert_eq!(ran.code, 1);
}
