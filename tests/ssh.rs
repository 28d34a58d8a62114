//! Travel through a real sshd on loopback; skipped, loudly, where there is none.

use crate::servers::Server;
use crate::vessel::Vessel;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

struct Sshd {
    folder: tempfile::TempDir,
    child: Child,
    port: u16,
    /// The folder that a root's sshd wants, if it was made for this test.
    made: Option<PathBuf>,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(made) = &self.made {
            let _ = std::fs::remove_dir(made);
        }
    }
}

impl Sshd {
    fn start() -> Option<Self> {
        let places = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"];
        let Some(program) = places.iter().find(|place| Path::new(place).exists()) else {
            eprintln!("skipped: no sshd at {places:?}");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for key in ["host", "user"] {
            let mut command = Command::new("ssh-keygen");
            command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(at(key));
            if !command.status().is_ok_and(|status| status.success()) {
                eprintln!("skipped: no ssh-keygen that makes a key");
                return None;
            }
        }
        std::fs::copy(at("user.pub"), at("authorized")).unwrap();
        let port = crate::servers::port();
        let config = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPidFile none\nPermitRootLogin yes\n",
            at("host").display(),
            at("authorized").display()
        );
        std::fs::write(at("config"), config).unwrap();
        // Started by root it drops its rights into this empty folder, which a service would have made.
        let empty = PathBuf::from("/run/sshd");
        let made = (!empty.exists() && std::fs::create_dir(&empty).is_ok()).then_some(empty);
        let mut command = Command::new(program);
        command.args(["-D", "-e", "-f"]).arg(at("config")).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let mut sshd = Self { folder, child, port, made };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(sshd);
            }
            if sshd.child.try_wait().unwrap().is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
        eprintln!("skipped: sshd does not run here");
        None
    }

    /// Makes a vessel use ssh as this server wants it.
    fn vessel(&self) -> Vessel {
        let vessel = Vessel::new();
        let ssh = format!(
            "ssh -F none -i {} -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=no \
             -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
            self.folder.path().join("user").display()
        );
        vessel.git(&["config", "core.sshCommand", &ssh]).ok();
        vessel
    }

    fn url(&self, server: &Server) -> String {
        format!("ssh://127.0.0.1:{}{}", self.port, server.repo().display())
    }

    /// Whether a command gets through at all: an account may be locked, or its shell none.
    fn lets_in(&self, server: &Server) -> bool {
        let vessel = self.vessel();
        let ran = vessel.git(&["ls-remote", &self.url(server)]);
        if ran.code != 0 {
            eprintln!("skipped: sshd lets nobody in here: {}", ran.stderr.trim());
        }
        ran.code == 0
    }
}

#[test]
fn logs_claims_and_bottles_travel_by_ssh_and_what_fails_is_told_apart() {
    // One test: two servers of one root would share the folder that is made for them.
    let server = Server::path();
    let Some(mut sshd) = Sshd::start() else { return };
    if !sshd.lets_in(&server) {
        return;
    }
    let (one, two) = (sshd.vessel(), sshd.vessel());
    for vessel in [&one, &two] {
        vessel.git(&["remote", "add", "origin", &sshd.url(&server)]).ok();
    }
    one.datum(&["journal", "LOG", "by ssh"]).ok();
    one.datum(&["sync"]).ok();
    two.datum(&["sync"]).ok();
    assert!(two.datum(&["journal"]).ok().contains("by ssh"));
    one.datum(&["claim", "take", "x", "--remote", "origin"]).ok();
    assert_eq!(two.datum(&["claim", "take", "x", "--remote", "origin"]).code, 1);
    let home = Server::path();
    one.datum(&["fleet", "add", "tern", &sshd.url(&home)]).ok();
    one.datum(&["bottle", "drop", "tern", "Nets", "--vessel", "tern", "--send"]).ok();
    assert_eq!(home.refs().lines().count(), 1);
    server.fsck();
    home.fsck();
    std::fs::write(sshd.folder.path().join("authorized"), "").unwrap();
    let said = two.datum(&["sync"]).fails(3);
    assert!(said.contains("Permission denied"), "{said}");
    sshd.child.kill().unwrap();
    sshd.child.wait().unwrap();
    let said = two.datum(&["sync"]).fails(3);
    assert!(said.contains("refused"), "{said}");
    two.fsck();
}
