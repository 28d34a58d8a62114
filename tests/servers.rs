//! Real git servers on loopback: `git daemon`, smart HTTP, and bare repositories with hooks.

use crate::vessel::{Vessel, clean};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// A port that is most likely free, for a server that binds it itself.
///
/// It lies below those that systems give to whoever asks for any: a free one of these could be another's at once.
pub(crate) fn port() -> u16 {
    20_000 + u16::try_from(RandomState::new().hash_one(0) % 12_000).unwrap()
}

/// A bare repository, served in some way.
pub(crate) struct Server {
    folder: tempfile::TempDir,
    daemon: Option<Child>,
    stop: Arc<AtomicBool>,
    /// Bytes after which each answer is cut off; 0 for never.
    pub(crate) cut: Arc<AtomicUsize>,
    pub(crate) url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(daemon) = &mut self.daemon {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// Where git keeps its own programs.
fn exec_path() -> PathBuf {
    let output = Command::new("git").arg("--exec-path").output().unwrap();
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

impl Server {
    fn bare() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repo = folder.path().join("remote.git");
        let made =
            clean("git", folder.path()).args(["init", "-q", "--bare", "-b", "main"]).arg(&repo).status();
        assert!(made.unwrap().success());
        for setting in ["http.receivepack", "daemon.receivepack"] {
            let done = clean("git", &repo).args(["config", setting, "true"]).status();
            assert!(done.unwrap().success());
        }
        Self {
            url: repo.to_string_lossy().into_owned(),
            folder,
            daemon: None,
            stop: Arc::default(),
            cut: Arc::default(),
        }
    }

    /// By path.
    pub(crate) fn path() -> Self {
        Self::bare()
    }

    /// Through `git daemon`; `None`, said loudly, where git has none.
    pub(crate) fn daemon() -> Option<Self> {
        let program = exec_path().join("git-daemon");
        if !program.exists() {
            eprintln!("skipped: no {}", program.display());
            return None;
        }
        let mut server = Self::bare();
        for _ in 0..20 {
            let port = port();
            let mut command = clean(&program, server.folder.path());
            command.args(["--listen=127.0.0.1", &format!("--port={port}"), "--export-all", "--reuseaddr"]);
            command
                .args(["--enable=receive-pack", &format!("--base-path={}", server.folder.path().display())]);
            let mut daemon = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            // It ends by itself where the port is taken.
            while daemon.try_wait().unwrap().is_none() {
                if TcpStream::connect(format!("127.0.0.1:{port}")).is_ok() {
                    server.daemon = Some(daemon);
                    server.url = format!("git://127.0.0.1:{port}/remote.git");
                    return Some(server);
                }
                thread::sleep(std::time::Duration::from_millis(20));
            }
        }
        panic!("git daemon finds no port");
    }

    /// Through `git http-backend`, run by a server of our own; `None`, said loudly, where git has none.
    pub(crate) fn http() -> Option<Self> {
        let program = exec_path().join("git-http-backend");
        if !program.exists() {
            eprintln!("skipped: no {}", program.display());
            return None;
        }
        let mut server = Self::bare();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        server.url = format!("http://127.0.0.1:{}/remote.git", listener.local_addr().unwrap().port());
        let (root, stop, cut) = (server.folder.path().to_owned(), server.stop.clone(), server.cut.clone());
        listener.set_nonblocking(true).unwrap();
        thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        let (root, program, cut) =
                            (root.clone(), program.clone(), cut.load(Ordering::SeqCst));
                        thread::spawn(move || serve(stream, &root, &program, cut));
                    }
                    Err(_) => thread::sleep(std::time::Duration::from_millis(2)),
                }
            }
        });
        Some(server)
    }

    pub(crate) fn repo(&self) -> PathBuf {
        self.folder.path().join("remote.git")
    }

    /// Makes the repository ask this script before each ref moves (`$1` ref, `$2` old, `$3` new).
    pub(crate) fn update_hook(&self, script: &str) {
        self.hook("update", script);
    }

    pub(crate) fn hook(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let hook = self.repo().join("hooks").join(name);
        std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
        std::fs::write(&hook, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The refs of the repository, one a line.
    pub(crate) fn refs(&self) -> String {
        let output =
            clean("git", &self.repo()).args(["for-each-ref", "--format=%(refname)"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn fsck(&self) {
        let output = clean("git", &self.repo()).args(["fsck", "--strict", "--no-dangling"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

/// Answers one request by the CGI program.
fn serve(mut stream: TcpStream, root: &Path, program: &Path, cut: usize) {
    stream.set_nonblocking(false).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    if reader.read_line(&mut first).unwrap_or(0) == 0 {
        return;
    }
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut command = clean(program, root);
    command.env("GIT_PROJECT_ROOT", root).env("GIT_HTTP_EXPORT_ALL", "1").env("REMOTE_USER", "tester");
    command.env("REQUEST_METHOD", method).env("PATH_INFO", path).env("QUERY_STRING", query);
    let (mut length, mut chunked) = (0usize, false);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
            break;
        }
        let (key, value) = line.trim().split_once(": ").unwrap_or_default();
        match key.to_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap_or(0),
            "content-type" => drop(command.env("CONTENT_TYPE", value)),
            "content-encoding" => drop(command.env("HTTP_CONTENT_ENCODING", value)),
            "git-protocol" => drop(command.env("GIT_PROTOCOL", value)),
            "transfer-encoding" => chunked = value.contains("chunked"),
            "expect" => drop(stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    if chunked {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).unwrap();
            let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).unwrap();
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                break;
            }
        }
    } else {
        reader.read_exact(&mut body).unwrap();
    }
    command.env("CONTENT_LENGTH", body.len().to_string());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = thread::spawn(move || drop(stdin.write_all(&body)));
    let output = child.wait_with_output().unwrap().stdout;
    writer.join().unwrap();
    let at = output.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(0);
    let head = String::from_utf8_lossy(&output[..at]).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK").to_owned();
    let mut answer =
        format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n", output.len() - at - 4);
    for line in head.lines().filter(|line| !line.starts_with("Status: ")) {
        answer.push_str(line);
        answer.push_str("\r\n");
    }
    let mut bytes = [answer.as_bytes(), b"\r\n", &output[at + 4..]].concat();
    if cut > 0 && method == "POST" {
        bytes.truncate(cut);
    }
    let _ = stream.write_all(&bytes);
}

/// A clone that syncs with `server` as its origin, and whose agent is `agent`.
pub(crate) fn clone_of(server: &Server) -> Vessel {
    let vessel = Vessel::new();
    vessel.git(&["remote", "add", "origin", &server.url]).ok();
    vessel
}
