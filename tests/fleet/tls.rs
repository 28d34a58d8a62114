//! An enterprise server with a certificate of its own authority.

use super::{repos, run};
use crate::octo::{Octo, TOKEN};
use crate::vessel::Vessel;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Makes an authority `ca.pem`, and the certificate `host.pem` it gives `localhost`; `None` where openssl is not.
fn certificates(folder: &Path) -> Option<()> {
    let openssl = |args: &str| {
        let mut openssl = Command::new("openssl");
        openssl.args(args.split(' ')).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
        openssl.status().ok().filter(std::process::ExitStatus::success).map(drop)
    };
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
        .unwrap();
    openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=Authority -keyout ca.key -out ca.pem",
    )?;
    openssl(
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout host.key -out host.csr",
    )?;
    openssl(
        "x509 -req -in host.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out host.pem",
    )
}

/// A server that ends with the test, however that ends.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server of TLS that hands on what comes to the host, one connection after another.
fn start(folder: &Path, octo: &'static Octo) -> (Server, u16) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Command::new("openssl");
    server
        .args([
            "s_server",
            "-quiet",
            "-accept",
            &format!("127.0.0.1:{port}"),
            "-cert",
            "host.pem",
            "-key",
            "host.key",
        ])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut server = Server(server.spawn().unwrap());
    let (from, to) = (server.0.stdout.take().unwrap(), server.0.stdin.take().unwrap());
    thread::spawn(move || octo.serve(from, to));
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(start.elapsed() < Duration::from_secs(30), "the server does not answer");
        thread::sleep(Duration::from_millis(50));
    }
    (server, port)
}

#[test]
fn an_enterprise_server_is_reached_by_its_name_and_trusted_by_its_own_authority() {
    let folder = tempfile::tempdir().unwrap();
    if certificates(folder.path()).is_none() {
        eprintln!("SKIPPED: there is no openssl to make certificates and serve TLS");
        return;
    }
    let octo: &'static Octo = Box::leak(Box::new(Octo::start(repos(120))));
    let vessel = Vessel::new();
    let (_server, port) = start(folder.path(), octo);
    let scan = |certificates: Option<&Path>, host: &str| {
        let mut command = vessel.command(&["fleet", "scan", "--org", "fleet", "--format", "json"]);
        command
            .env("GH_HOST", format!("{host}:{port}"))
            .env("GH_ENTERPRISE_TOKEN", TOKEN)
            .env_remove("GITHUB_API_URL");
        if let Some(path) = certificates {
            command.env("SSL_CERT_FILE", path);
        }
        run(&mut command)
    };
    let authority = folder.path().join("ca.pem");
    let told = scan(None, "localhost").fails(3);
    assert!(
        told.contains("UnknownIssuer") && told.contains("hint: ") && told.contains("SSL_CERT_FILE"),
        "{told}"
    );
    let told = scan(Some(&authority), "127.0.0.1").fails(3);
    assert!(told.contains("certificate"), "a certificate for another name: {told}");
    let missing = scan(Some(&folder.path().join("none.pem")), "localhost").fails(3);
    assert!(missing.contains("SSL_CERT_FILE: ") && missing.contains("none.pem"), "{missing}");
    assert_eq!(octo.count(), 0, "the token went nowhere");
    let found = scan(Some(&authority), "localhost").json();
    assert_eq!((&found["report"]["counts"]["green"], octo.count()), (&120.into(), 2 + 3));
}
