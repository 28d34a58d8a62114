//! GitHub as others describe it: its OpenAPI description by prism, and answers recorded from it by octokit.
//!
//! `tests/github/check` fetches these and names their folder in `DATUM_NODE_MODULES`; without it they are skipped.

use crate::fleet::{command, repos, run, scan};
use crate::octo::{Instead, Octo};
use crate::vessel::{Ran, Vessel};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The paths of the REST API that are used, and how; everything else is GraphQL.
const PATHS: [(&str, &[&str]); 3] = [
    ("/repos/{owner}/{repo}/contents/{path}", &["get", "put"]),
    ("/orgs/{org}/repos", &["get"]),
    ("/users/{username}/repos", &["get"]),
];

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
        let port = crate::servers::port();
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
        let body = if body.is_null() { String::new() } else { body.to_string() };
        // In one piece: a server that answers before it has all of it closes with a reset.
        let request = format!(
            "{method} {path} HTTP/1.0\r\nhost: x\r\naccept: application/json\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
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

/// Plans or applies licences, with REST at one server and GraphQL at the other.
fn license(vessel: &Vessel, octo: &Octo, rest: &str, more: &[&str]) -> Ran {
    let args = [&["license", "--org", "fleet"], more].concat();
    let mut command = command(vessel, octo, &args);
    run(command.env("GITHUB_API_URL", rest).env("GITHUB_GRAPHQL_URL", format!("{}/graphql", octo.url)))
}

/// The parts of the description that our paths need, and nothing else: the whole has 13 MB.
fn trimmed(whole: &Value, paths: &[(&str, &[&str])]) -> Value {
    let mut api =
        json!({ "openapi": whole["openapi"], "info": whole["info"], "paths": {}, "components": {} });
    for (path, methods) in paths {
        for method in *methods {
            api["paths"][path][method] = whole["paths"][path][method].clone();
        }
    }
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

/// Starts prism with as much of the description as these paths need, changed by `change`.
fn prism(modules: &Path, paths: &[(&str, &[&str])], change: impl FnOnce(&mut Value)) -> (Server, String) {
    let text =
        std::fs::read_to_string(modules.join("@octokit/openapi/generated/api.github.com.json")).unwrap();
    let mut api = trimmed(&serde_json::from_str(&text).unwrap(), paths);
    change(&mut api);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("api.json");
    std::fs::write(&file, api.to_string()).unwrap();
    let prism = modules.join("@stoplight/prism-cli/dist/index.js");
    let args = [
        prism.to_str().unwrap(),
        "mock",
        "--errors",
        "-h",
        "127.0.0.1",
        "-p",
        "PORT",
        file.to_str().unwrap(),
    ];
    (Server::start(modules, &args), text)
}

#[test]
fn rest_calls_are_as_the_openapi_description_wants_them() {
    let Some(modules) = modules() else { return };
    let (prism, text) = prism(&modules, &PATHS, |api| {
        // The example of a file is to be the licence that is planned.
        let file = &mut api["components"]["examples"]["content-file-response-if-content-is-a-file"]["value"];
        assert_eq!(file["encoding"], "base64");
        file["content"] = "IyBoZWxsby13\nb3JsZA==\n".into();
    });
    // It can say no.
    let path = "/repos/fleet/x/contents/LICENSE";
    let wrong = prism.send("PUT", path, "", &json!({ "message": 7 }));
    assert!(wrong.starts_with("HTTP/1.1 422"), "{wrong}");
    let wrong = prism.send("GET", "/orgs/fleet/repos?type=none", "", &Value::Null);
    assert!(wrong.starts_with("HTTP/1.1 422"), "{wrong}");
    let (vessel, octo) = empty_fleet(3);
    octo.with(|world| (world.repos[2].commits, world.repos[2].files) = (1, vec!["LICENSE".to_owned()]));
    let ran = hello(&vessel, &octo, &prism.url());
    // The commit is that of the description's example.
    let commit = ran.stdout.lines().nth(1).and_then(|line| line.rsplit(' ').next()).unwrap();
    assert!(text.contains(commit) && commit.len() == 40, "{ran:?}");
    assert_eq!((ran.code, ran.stdout.matches(" done: ").count()), (0, 2));
    assert!(ran.stdout.contains("vessel-00002 unchanged: it has this licence, word for word"), "{ran:?}");

    let told = listed_by(&octo, &prism.url());
    assert!(told.contains("octocat/Hello-World is unknown: Could not resolve to a node"), "{told}");
}

#[test]
fn a_user_is_listed_as_the_openapi_description_wants_it() {
    let Some(modules) = modules() else { return };
    let (prism, _) = prism(&modules, &PATHS[2..], |_| {});
    let told = listed_by(&Octo::start(repos(101)), &prism.url());
    assert!(told.contains("octocat/Hello-World is unknown: Could not resolve to a node"), "{told}");
}

/// Scans where GraphQL gives one page, and REST at another server the rest.
fn listed_by(octo: &Octo, rest: &str) -> String {
    octo.with(|world| {
        world.repos = repos(101);
        let body = r#"{"message":"no"}"#;
        world.script.push(("Listing", 1, Instead::Status(422, Vec::new(), body.into())));
    });
    let vessel = Vessel::new();
    let mut command = command(&vessel, octo, &["scan", "--org", "fleet"]);
    run(command.env("GITHUB_API_URL", rest).env("GITHUB_GRAPHQL_URL", format!("{}/graphql", octo.url)))
        .fails(3)
}

/// Applies a plan of licences whose text is that of the recorded file, with REST at another server.
fn hello(vessel: &Vessel, octo: &Octo, rest: &str) -> Ran {
    let file = vessel.path().join("plan.json");
    let file = file.to_str().unwrap();
    license(vessel, octo, rest, &["--license-type", "MIT", "--plan", file]).ok();
    let mut plan: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    plan["file"]["text"] = "# hello-world".into();
    std::fs::write(file, plan.to_string()).unwrap();
    license(vessel, octo, rest, &["--apply", "--plan", file])
}

/// A recorded answer, to be given to our request: that it is the right one is what the OpenAPI test is about.
fn recorded(modules: &Path, scenario: &str, which: impl Fn(&Value) -> bool) -> Vec<Value> {
    let file = format!("@octokit/fixtures/scenarios/api.github.com/{scenario}/normalized-fixture.json");
    let all: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(modules.join(file)).unwrap()).unwrap();
    all.into_iter().filter(which).collect()
}

fn given_to(mut found: Value, method: &str, path: &str) -> Value {
    (found["method"], found["path"], found["reqheaders"]) = (method.into(), path.into(), json!({}));
    found.as_object_mut().unwrap().remove("body");
    found
}

/// Serves recorded answers; the address is that of the API.
fn serve(modules: &Path, story: &[Value]) -> (Server, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("story.json"), json!(story).to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/github/recorded.mjs");
    let server = Server::start(modules, &[script.to_str().unwrap(), "PORT", folder.path().to_str().unwrap()]);
    let loaded = server.send("POST", "/fixtures", "", &json!({ "scenario": "story" }));
    let loaded: Value = serde_json::from_str(loaded.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    (server, loaded["url"].as_str().unwrap().to_owned())
}

#[test]
fn recorded_answers_are_understood() {
    let Some(modules) = modules() else { return };
    let write = |scenario, status: u64| {
        recorded(&modules, scenario, |one| one["status"] == status && one["method"] != "get").remove(0)
    };
    let read = |scenario, nth| recorded(&modules, scenario, |one| one["method"] == "get").remove(nth);
    let path = |n: u32| format!("/repos/Fleet/vessel-0000{n}/contents/LICENSE");
    let story = [
        // In the order of the requests: what is there is read before anything is written.
        // A file as it is; a folder; a file of a renamed repository.
        given_to(read("get-content", 1), "get", &path(3)),
        given_to(read("get-content", 0), "get", &path(4)),
        given_to(read("rename-repository", 0), "get", &path(5)),
        given_to(read("get-content", 1), "get", "/repositories/1000"),
        // A file is made; a renamed repository answers with another address; a value is refused.
        given_to(write("create-file", 201), "put", &path(0)),
        given_to(write("rename-repository", 307), "put", &path(1)),
        given_to(write("create-file", 201), "put", "/repositories/1000"),
        given_to(write("errors", 422), "put", &path(2)),
    ];
    let (_server, url) = serve(&modules, &story);
    let (vessel, octo) = empty_fleet(6);
    octo.with(|world| {
        world.repos[3..].iter_mut().for_each(|repo| (repo.commits, repo.files) = (1, vec!["LICENSE".into()]));
    });
    let ran = hello(&vessel, &octo, &url);
    for said in [
        "vessel-00000 done: MIT in 0000000000000000000000000000000000000002",
        "vessel-00001 done: MIT in 0000000000000000000000000000000000000002",
        "vessel-00002 refused: status 422: Validation Failed",
        "vessel-00003 unchanged: it has this licence, word for word",
        "vessel-00004 refused: it has a licence: LICENSE",
        "vessel-00005 unchanged: it has this licence, word for word",
    ] {
        assert!(ran.stdout.contains(said), "{said}: {ran:?}");
    }
    assert_eq!(ran.code, 1);
}

#[test]
fn recorded_pages_are_followed_to_the_last() {
    let Some(modules) = modules() else { return };
    let pages = recorded(&modules, "paginate-issues", |_| true);
    assert_eq!(pages.len(), 5);
    let row = recorded(&modules, "get-repository", |one| one["status"] == 200).remove(0)["response"].clone();
    let mut number = 0;
    let story = pages.into_iter().enumerate().map(|(n, mut page)| {
        // The headers are as recorded; as many repositories stand where issues stood.
        for one in page["response"].as_array_mut().unwrap() {
            one.clone_from(&row);
            one["node_id"] = format!("R_{number}").into();
            number += 1;
        }
        let first = "/orgs/fleet/repos?type=all&sort=created&direction=asc&per_page=100";
        let path = if n == 0 { first.to_owned() } else { page["path"].as_str().unwrap().to_owned() };
        given_to(page, "get", &path)
    });
    let (_server, url) = serve(&modules, &story.collect::<Vec<_>>());
    let (vessel, octo) = (Vessel::new(), Octo::start(repos(number)));
    octo.with(|world| {
        world.script.push(("Listing", 0, Instead::Status(422, Vec::new(), r#"{"message":"no"}"#.into())));
    });
    let mut command = command(&vessel, &octo, &["scan", "--org", "fleet"]);
    let ran =
        run(command.env("GITHUB_API_URL", url).env("GITHUB_GRAPHQL_URL", format!("{}/graphql", octo.url)));
    assert!(number == 13 && ran.stderr.contains("13 green, 0 yellow, 0 red, 0 dead, 0 unknown"), "{ran:?}");
    ran.ok();
}
