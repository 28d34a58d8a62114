//! The keeper over HTTP: what it answers, and attacks that get nothing.

use crate::vault::Ship;
use crate::vessel::NOW;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const VALUE: &str = "c4n4ry-over-http";

/// A keeper that is served, ended when it goes.
struct Served {
    child: Child,
    place: String,
    stderr: BufReader<std::process::ChildStderr>,
}

impl Served {
    fn start(ship: &Ship, options: &[&str], now: u64) -> Self {
        let mut command = ship.command(&[&["keeper", "serve"], options].concat());
        command.env("DATUM_NOW", now.to_string()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let place = line.split(" on ").nth(1).and_then(|rest| rest.split(';').next());
        let place = place.unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { child, place, stderr }
    }

    fn tcp(ship: &Ship) -> Self {
        Self::start(ship, &["--listen", "127.0.0.1:0", "--timeout", "1"], NOW)
    }

    fn host(&self) -> &str {
        self.place.strip_prefix("http://").unwrap_or("localhost")
    }

    /// Sends bytes and reads what comes back.
    fn raw(&self, bytes: &[u8]) -> (u16, String) {
        let patience = Some(Duration::from_secs(10));
        let text = if let Some(address) = self.place.strip_prefix("http://") {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(patience).unwrap();
            exchange(&mut stream, bytes)
        } else {
            let mut stream = UnixStream::connect(&self.place).unwrap();
            stream.set_read_timeout(patience).unwrap();
            exchange(&mut stream, bytes)
        };
        let status = text.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
    }

    fn request(&self, method: &str, path: &str, fields: &str, body: &str) -> (u16, String) {
        let kind = if method == "POST" {
            format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len())
        } else {
            String::new()
        };
        self.raw(
            format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n{kind}{fields}\r\n{body}", self.host())
                .as_bytes(),
        )
    }

    fn with(&self, token: &str, method: &str, path: &str, body: &str) -> (u16, String) {
        self.request(method, path, &format!("Authorization: Bearer {token}\r\n"), body)
    }

    fn signal(&self, name: &str) {
        Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
    }

    /// Ends it by a signal, as an operator does.
    fn stop(mut self) -> String {
        self.signal("TERM");
        assert!(self.child.wait().unwrap().success());
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).unwrap();
        rest
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn exchange(stream: &mut (impl Read + Write), bytes: &[u8]) -> String {
    let _ = stream.write_all(bytes);
    let mut out = Vec::new();
    let _ = stream.read_to_end(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// A vault of `a` with a value for `b` and one that is not for `b`.
fn ship() -> Ship {
    let ship = Ship::with_vault();
    ship.ok_with(&["vault", "set", "db/password"], VALUE);
    ship.ok_with(&["vault", "set", "hidden"], "not-for-b-at-all");
    ship.ok(&["vault", "grant", "b", "db/password"]);
    ship
}

/// What `agent` sends to enrol with an invitation.
fn enrolment(ship: &Ship, agent: &str, invitation: &str) -> String {
    ship.ok_with(&["keeper", "enrol", "--agent", agent], invitation)
}

fn enrol(ship: &Ship, served: &Served, agent: &str) -> String {
    let invitation = ship.ok(&["keeper", "invite", agent]);
    let (status, body) =
        served.request("POST", "/api/agents/register", "", &enrolment(ship, agent, &invitation));
    assert_eq!(status, 201, "{body}");
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    body["token"].as_str().unwrap().to_owned()
}

fn ask(agent: &str, key: &str, rest: &str) -> String {
    format!("{{\"agent\":\"{agent}\",\"key\":\"{key}\",\"purpose\":\"deploy\"{rest}}}")
}

#[test]
fn an_agent_enrols_and_gets_what_it_is_granted() {
    let ship = ship();
    let served = Served::start(&ship, &[], NOW);
    assert!(served.place.ends_with("datum/keeper.sock"), "{}", served.place);
    assert_eq!(served.request("GET", "/api/health", "", ""), (200, "{\"status\":\"ok\"}".to_owned()));
    let b = enrol(&ship, &served, "b");
    let (status, body) = served.with(&b, "POST", "/api/secrets/get", &ask("b", "db/password", ",\"ttl\":60"));
    let value: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (status, value["value"].as_str(), value["ttl"].as_u64()),
        (200, Some(VALUE), Some(60)),
        "{body}"
    );
    assert_eq!(value["expires_at"], "2026-01-01T00:01:00.000Z");
    let (_, body) = served.with(&b, "GET", "/api/secrets", "");
    assert!(body.contains("db/password") && !body.contains("hidden"), "{body}");
    assert!(served.with(&b, "GET", "/api/agents", "").1.contains("owner"));
    assert!(served.with(&b, "GET", "/api/health", "").1.contains("vault"));
    let (status, body) = served.with(&b, "GET", "/api/audit/5", "");
    assert!(status == 200 && body.contains("deploy") && !body.contains("hidden"), "{body}");
    // A keeper of the vault sets and deletes; a member does not.
    let set = |agent: &str| format!("{{\"agent\":\"{agent}\",\"key\":\"new\",\"value\":\"over-the-wire\"}}");
    assert_eq!(served.with(&b, "POST", "/api/secrets/set", &set("b")).0, 403);
    let a = enrol(&ship, &served, "a");
    assert_eq!(served.with(&a, "POST", "/api/secrets/set", &set("a")).0, 200);
    assert_eq!(ship.ok(&["vault", "get", "new"]), "over-the-wire");
    assert_eq!(served.with(&a, "POST", "/api/secrets/delete", &ask("a", "new", "")).0, 200);
    assert_eq!(ship.run(&["vault", "get", "new"], "").status.code(), Some(2));
    // Revoked in the vault, while it is served.
    ship.ok(&["vault", "revoke", "b", "db/password"]);
    assert_eq!(served.with(&b, "POST", "/api/secrets/get", &ask("b", "db/password", "")).0, 403);
    served.signal("HUP");
    assert_eq!(served.with(&b, "GET", "/api/health", "").0, 200);
    let second = ship.fails(&["keeper", "serve"], 2);
    assert!(second.contains("already"), "{second}");
    let socket = served.place.clone();
    let said = served.stop();
    assert!(said.contains("read anew") && said.contains("stopped") && !said.contains(VALUE), "{said}");
    assert!(!std::path::Path::new(&socket).exists());
    // What was kept: hashes.
    let kept = std::fs::read_to_string(ship.vessel.path().join(".git/datum/keeper-tokens")).unwrap();
    assert!(!kept.contains(&a) && !kept.contains(&b));
    let records = ship.ok(&[
        "keeper",
        "audit-log",
        "--last",
        "100",
        "--name",
        "db/password",
        "--denied",
        "--format",
        "json",
    ]);
    assert!(records.contains("\"http\""), "{records}");
    ship.ok(&["vault", "verify"]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is one table")]
fn attacks_get_nothing() {
    let ship = ship();
    let served = Served::tcp(&ship);
    let b = enrol(&ship, &served, "b");
    let host = served.host().to_owned();
    let get = ask("b", "db/password", "");
    let post = |fields: &str, body: &str| {
        format!(
            "POST /api/secrets/get HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {b}\r\nContent-Type: application/json\r\n{fields}\r\n{body}"
        )
    };
    let length = format!("Content-Length: {}\r\n", get.len());
    let good = served.raw(post(&length, &get).as_bytes());
    assert!(good.0 == 200 && good.1.contains(VALUE), "{good:?}");
    let used = ship.ok(&["keeper", "invite", "b"]);
    let used = enrolment(&ship, "b", &used);
    assert_eq!(served.request("POST", "/api/agents/register", "", &used).0, 201);
    let other = ship.ok(&["keeper", "invite", "b"]);
    // `a` overheard the invitation of `b` and signs with its own key.
    let stolen = enrolment(&ship, "a", &other);
    let forged = stolen.replace("\"agent_id\":\"a\"", "\"agent_id\":\"b\"");
    let json = |body: &str| format!("Content-Length: {}\r\n\r\n{body}", body.len());
    let with_json = |body: &str| post("", "").trim_end().to_owned() + "\r\n" + &json(body);
    let register = |body: &str| {
        format!(
            "POST /api/agents/register HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{}",
            json(body)
        )
    };
    let deep = "[".repeat(100_000);
    let table: Vec<(&str, String, &[u16])> = vec![
        ("no token", post(&length, &get).replace(&format!("Authorization: Bearer {b}\r\n"), ""), &[401]),
        ("a guessed token", post(&length, &get).replace(&b, &"A".repeat(44)), &[401]),
        ("another agent in the body", with_json(&ask("a", "db/password", "")), &[403]),
        ("a name that is not granted", with_json(&ask("b", "hidden", "")), &[403]),
        (
            "a foreign Host: DNS rebinding",
            post(&length, &get).replace(&format!("Host: {host}"), "Host: evil.example"),
            &[403],
        ),
        ("an Origin: a page", post(&format!("Origin: http://{host}\r\n{length}"), &get), &[403]),
        ("a form of a page", post(&length, &get).replace("application/json", "text/plain"), &[415]),
        ("two lengths: smuggling", post(&format!("{length}Content-Length: 1\r\n"), &get), &[400]),
        ("chunks beside a length", post(&format!("{length}Transfer-Encoding: chunked\r\n"), &get), &[400]),
        (
            "a second request behind the first",
            post(&length, &(get.clone() + "GET /api/secrets HTTP/1.1\r\n\r\n")),
            &[400],
        ),
        (
            "a head without end",
            format!("GET /api/health HTTP/1.1\r\nHost: {host}\r\nX: {}", "x".repeat(20_000)),
            &[431],
        ),
        ("a body without end", post("Content-Length: 999999999\r\n", &get), &[413]),
        ("a slow request", format!("GET /api/health HTTP/1.1\r\nHost: {host}\r\n"), &[408]),
        ("a body that is cut off", post("Content-Length: 500\r\n", &get), &[408]),
        ("a deep body", with_json(&deep), &[400]),
        ("a path that climbs", format!("GET /api/../../etc/passwd HTTP/1.1\r\nHost: {host}\r\n\r\n"), &[400]),
        (
            "a request to a proxy",
            format!("GET http://{host}/api/health HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            &[400],
        ),
        ("ttl 0", with_json(&ask("b", "db/password", ",\"ttl\":0")), &[400]),
        ("ttl 3601", with_json(&ask("b", "db/password", ",\"ttl\":3601")), &[400]),
        ("ttl 1.5", with_json(&ask("b", "db/password", ",\"ttl\":1.5")), &[400]),
        ("ttl as text", with_json(&ask("b", "db/password", ",\"ttl\":\"60\"")), &[400]),
        ("no purpose", with_json("{\"agent\":\"b\",\"key\":\"db/password\",\"purpose\":\" \"}"), &[400]),
        (
            "a purpose that forges a record",
            with_json("{\"agent\":\"b\",\"key\":\"db/password\",\"purpose\":\"x\\nName: y\"}"),
            &[400],
        ),
        ("an invitation again", register(&used), &[403]),
        ("another agent's invitation", register(&stolen), &[403]),
        ("a proof by another key", register(&forged), &[403]),
        (
            "a register without invitation",
            register("{\"agent_id\":\"b\",\"name\":\"b\",\"role\":\"owner\",\"capabilities\":[]}"),
            &[400],
        ),
    ];
    for (attack, request, expect) in &table {
        let (status, body) = served.raw(request.as_bytes());
        assert!(expect.contains(&status), "{attack}: {status} {body}");
        assert!(!body.contains(VALUE) && !body.contains("token\":"), "{attack}: {body}");
    }
    // What is not there and what is not granted answer alike.
    assert_eq!(
        served.with(&b, "POST", "/api/secrets/get", &ask("b", "hidden", "")),
        served.with(&b, "POST", "/api/secrets/get", &ask("b", "nowhere", ""))
    );
    // The invitation that others tried is still good for the one it is for.
    assert_eq!(served.request("POST", "/api/agents/register", "", &enrolment(&ship, "b", &other)).0, 201);
    // Ended tokens, guesses without end, and addresses that others reach.
    assert!(ship.ok(&["keeper", "tokens", "--format", "json"]).contains("\"token\""));
    ship.ok(&["keeper", "tokens", "--revoke", "b"]);
    assert_eq!(served.with(&b, "GET", "/api/secrets", "").0, 401);
    let guesses: Vec<u16> =
        (0..25).map(|_| served.with(&"g".repeat(44), "GET", "/api/secrets", "").0).collect();
    assert_eq!(guesses.last(), Some(&429), "{guesses:?}");
    assert_eq!(served.request("GET", "/api/health", "", "").0, 200);
    for address in ["0.0.0.0:7742", "[::]:7742"] {
        let said = ship.fails(&["keeper", "serve", "--listen", address], 2);
        assert!(said.contains("beyond-this-machine"), "{said}");
    }
    served.stop();
}

#[test]
fn a_token_ends_with_its_time_and_slow_readers_hold_nobody_up() {
    let ship = ship();
    // With a minute for a request, and more that are slow than there are workers: they give way.
    let served = Served::start(&ship, &["--listen", "127.0.0.1:0", "--timeout", "60"], NOW);
    let b = enrol(&ship, &served, "b");
    let address = served.host().to_owned();
    let slow = |count: usize| -> Vec<_> {
        let one = |_| {
            let mut stream = TcpStream::connect(&address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            stream.write_all(b"GET /").unwrap();
            stream
        };
        (0..count).map(one).collect()
    };
    let mut held = slow(24);
    assert_eq!(served.with(&b, "GET", "/api/secrets", "").0, 200);
    let mut said = String::new();
    held[0].read_to_string(&mut said).unwrap();
    assert!(said.starts_with("HTTP/1.1 408 "), "{said:?}");
    drop(held);
    // While a worker is free the slow have their time.
    let mut held = slow(5);
    assert_eq!(served.with(&b, "GET", "/api/secrets", "").0, 200);
    std::thread::sleep(Duration::from_millis(700));
    let rest = format!("api/health HTTP/1.1\r\nHost: {address}\r\n\r\n");
    held[0].write_all(rest.as_bytes()).unwrap();
    let mut said = String::new();
    held[0].read_to_string(&mut said).unwrap();
    assert!(said.starts_with("HTTP/1.1 200 "), "{said:?}");
    drop(held);
    served.stop();
    let later = Served::start(&ship, &["--listen", "127.0.0.1:0"], NOW + 13 * 3_600_000);
    assert_eq!(later.with(&b, "GET", "/api/secrets", "").0, 401);
}
