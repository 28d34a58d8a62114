//! Boundaries as a command inside of them meets them: what it reaches, what it does not, and what is said.

use crate::vault::Ship;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Command, Output};

const VALUE: &str = "hunter2/a+long&value";

/// Whether this kernel holds a boundary whole; if not, it is said that a test is skipped.
fn held(ship: &Ship) -> bool {
    let status = ship.run(&["sandbox", "status"], "");
    if !status.status.success() {
        eprintln!(
            "SKIPPED: this kernel holds no whole boundary: {}",
            String::from_utf8_lossy(&status.stdout)
        );
    }
    status.status.success()
}

/// A vessel with a folder, a file and a vault, and beside it a folder with somebody else's file.
fn ship() -> (Ship, tempfile::TempDir) {
    let ship = Ship::with_vault();
    std::fs::create_dir(ship.vessel.path().join("src")).unwrap();
    std::fs::write(ship.vessel.path().join("README.md"), "hello\n").unwrap();
    ship.ok_with(&["vault", "set", "db/password"], VALUE);
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("private"), "not yours").unwrap();
    (ship, other)
}

fn shell(ship: &Ship, options: &[&str], script: &str) -> Output {
    ship.run(&[&["run"], options, &["--", "sh", "-c", script]].concat(), "")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_command_has_what_it_was_given_and_its_output_has_not() {
    let (ship, _other) = ship();
    if !held(&ship) {
        return;
    }
    let script = "test \"$DB_PASSWORD\" = \"$0\" && echo have it: $DB_PASSWORD; echo $DB_PASSWORD >&2; env";
    let mut command =
        ship.command(&["run", "--as", "a", "--secret", "db/password", "--purpose", "try", "--", "sh", "-c"]);
    let output =
        command.args([script, VALUE]).env("LD_PRELOAD", "").env("CANARY", "caller's").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(
        out.contains("have it: ***\n") && out.contains("DB_PASSWORD=***") && err.contains("***"),
        "{output:?}"
    );
    assert!(err.contains("held for a: Landlock") && err.contains("network off"), "{err}");
    assert!(
        !out.contains("CANARY") && !out.contains("LD_PRELOAD") && !out.contains("XDG_CONFIG_HOME"),
        "{out}"
    );
    // One variable of another name, a descriptor, a file in memory, all at once; and nothing else is open.
    let options = [
        "--secret",
        "db/password=PW",
        "--secret",
        "db/password@fd",
        "--secret",
        "db/password@file",
        "--no-mask",
    ];
    let script = "echo $PW; read -r x <&$DB_PASSWORD_FD; echo $x; cat $DB_PASSWORD_FILE; echo; \
        (echo x >$DB_PASSWORD_FILE) 2>/dev/null || echo sealed; ls /proc/self/fd | wc -l";
    let output = shell(&ship, &options, script);
    let fds = "6"; // in, out, err, pipe, memory, and the one of ls
    assert_eq!(text(&output.stdout), format!("{VALUE}\n{VALUE}\n{VALUE}\nsealed\n{fds}\n"), "{output:?}");
    // Given by descriptor, it stands neither in an environment nor among arguments.
    let script = "cat /proc/$$/environ /proc/$$/cmdline | tr '\\0' '\\n' | grep -c 'hunter2/'";
    let output = shell(&ship, &["--secret", "db/password@fd", "--no-mask"], script);
    assert_eq!(text(&output.stdout), "1\n", "only the script itself: {output:?}");
    let record =
        ship.ok(&["keeper", "audit-log", "--name", "db/password", "--last", "1", "--format", "json"]);
    assert!(
        record.contains("\"run\"") && record.contains("seccomp") && !record.contains("Not-Held"),
        "{record}"
    );
    // Encoded, and cut wherever the pipe cuts it.
    let script = "for i in 1 2 3 4 5 6 7 8; do printf %s \"$DB_PASSWORD\" | cut -c1-$i | tr -d '\\n'; sleep 0.01; \
        printf %s \"$DB_PASSWORD\" | cut -c$((i+1))- ; done; printf %s \"x$DB_PASSWORD\" | od -An -tx1 | tr -d ' \\n'";
    let output = text(&shell(&ship, &["--secret", "db/password"], script).stdout);
    assert!(output.starts_with(&"***\n".repeat(8)) && output.ends_with("78***"), "{output:?}");
}

#[test]
fn without_a_grant_nothing_runs_and_that_is_recorded() {
    let (ship, _other) = ship();
    if !held(&ship) {
        return;
    }
    let said = ship.fails(&["run", "--as", "b", "--secret", "db/password", "--", "touch", "src/ran"], 1);
    assert!(said.contains("db/password") && said.contains("cannot be opened"), "{said}");
    assert!(!ship.vessel.path().join("src/ran").exists());
    assert!(ship.ok(&["keeper", "audit-log", "--denied", "--by", "b"]).contains("run db/password (refused)"));
    assert_eq!(ship.run(&["run", "--", "sh", "-c", "exit 7"], "").status.code(), Some(7));
    assert_eq!(ship.run(&["run", "--", "sh", "-c", "kill -9 $$"], "").status.code(), Some(137));
    assert_eq!(ship.run(&["run", "--", "no-such-program"], "").status.code(), Some(127));
    ship.fails(&["run", "--secret", "db/password@x", "--", "true"], 2);
    ship.fails(&["run", "--env", "A B=c", "--", "true"], 2);
    let said = ship.fails(&["run", "--net", "localhost:80", "--", "true"], 1);
    assert!(said.contains("no grant") && said.contains("keeper allow a net:localhost:80"), "{said}");
    assert!(
        ship.ok(&["keeper", "audit-log", "--denied", "--by", "a"]).contains("net/localhost:80 (refused)")
    );
}

#[test]
fn files_outside_cannot_be_reached() {
    let (ship, other) = ship();
    if !held(&ship) {
        return;
    }
    let private = other.path().join("private").display().to_string();
    let home = ship.home.path().display().to_string();
    for script in [
        format!("cat {private}"),
        format!("cat src/../../$(basename {})/private", other.path().display()),
        format!("ln -s {private} src/link && cat src/link"),
        format!("cat /proc/self/root{private}"),
        format!("cat /proc/1/root{private}"),
        format!("ln {private} src/hard && cat src/hard"),
        format!("cp {private} src/copy"),
        format!("echo x >{private}"),
        format!("ls {}", other.path().display()),
        format!("cat {home}/datum/agents/a.keys"),
        "cat /proc/$PPID/environ".to_owned(),
        "cat /etc/shadow".to_owned(),
        "echo x >.git/hooks/pre-commit".to_owned(),
        "ln -s ../../src/x .git/hooks/pre-commit".to_owned(),
        "echo '[core]' >>.git/config".to_owned(),
        "mv .git .other".to_owned(),
        "mkdir src/git && mv .git/hooks src/git/hooks".to_owned(),
        "cp src/x .git/commondir; echo x >.git/commondir".to_owned(),
        "rm -r .git/refs".to_owned(),
        "git config alias.x y".to_owned(),
        "kill -0 $PPID".to_owned(),
        "kill -9 1".to_owned(),
        "mkfifo src/p && mknod src/n c 1 3".to_owned(),
    ] {
        let output = shell(&ship, &["-q"], &script);
        assert!(!output.status.success(), "{script}: {output:?}");
        assert!(!text(&output.stdout).contains("not yours"), "{script}: {output:?}");
    }
    // What it is to do, it can do.
    for script in [
        "cat README.md && echo more >>README.md && echo x >src/new && mkdir src/deep && mv src/new src/deep/",
        "touch \"$HOME/x\" \"$TMPDIR/y\" && echo >/dev/null",
        "git status --short && git for-each-ref refs/datum/vault | grep -q commit",
        "cp \"$(command -v cat)\" src/own && src/own README.md",
        "sleep 5 & kill -9 $!",
    ] {
        let output = shell(&ship, &["-q"], script);
        assert!(output.status.success(), "{script}: {output:?}");
    }
    // More by asking; never what git takes orders from.
    assert_eq!(text(&shell(&ship, &["--read", &private], &format!("cat {private}")).stdout), "not yours");
    assert!(shell(&ship, &["--write", "fresh.txt"], "echo x >fresh.txt").status.success());
    for kept in [".git", ".git/hooks", ".git/config", ".", "/"] {
        ship.fails(&["run", "--write", kept, "--", "true"], 2);
    }
}

/// Not a test: what runs inside of the boundary, in this same program.
#[test]
#[ignore = "run inside of a boundary by the tests of this file"]
fn inside() {
    let Ok(port) = std::env::var("INSIDE_PORT") else { return };
    let port: u16 = port.parse().unwrap();
    let yes = |ok: bool| if ok { "yes" } else { "no" };
    let udp = UdpSocket::bind("127.0.0.1:0").is_ok();
    let tcp = TcpStream::connect(("127.0.0.1", port)).is_ok();
    let other = TcpStream::connect(("127.0.0.1", port + 1)).is_ok();
    let listen = TcpListener::bind("127.0.0.1:0").is_ok();
    let unix = std::os::unix::net::UnixDatagram::unbound().is_ok();
    println!(
        "udp {} tcp {} other {} listen {} unix {}",
        yes(udp),
        yes(tcp),
        yes(other),
        yes(listen),
        yes(unix)
    );
}

/// Runs [`inside`] in a boundary.
fn run_inside(ship: &Ship, options: &[&str], port: u16) -> String {
    let program = std::env::current_exe().unwrap();
    let variable = format!("INSIDE_PORT={port}");
    let program = program.to_str().unwrap();
    let mut args = vec!["run", "--read", program, "--env", &variable];
    args.extend(options);
    args.extend(["--", program, "--ignored", "--exact", "sandbox::inside", "--nocapture"]);
    let output = ship.run(&args, "");
    assert!(output.status.success(), "{output:?}");
    let out = text(&output.stdout);
    out.lines().find_map(|line| line.find("udp ").map(|at| line[at..].to_owned())).unwrap_or(out)
}

#[test]
fn the_network_is_off_unless_granted_and_then_it_is_tcp_to_one_port() {
    let (ship, _other) = ship();
    if !held(&ship) {
        return;
    }
    let (listener, other) = (0..50)
        .find_map(|_| {
            let one = TcpListener::bind("127.0.0.1:0").ok()?;
            let two = TcpListener::bind(("127.0.0.1", one.local_addr().ok()?.port() + 1)).ok()?;
            Some((one, two))
        })
        .unwrap();
    let port = listener.local_addr().unwrap().port();
    assert_eq!(run_inside(&ship, &[], port), "udp no tcp no other no listen no unix no");
    let address = format!("127.0.0.1:{port}");
    ship.ok(&["keeper", "allow", "a", &format!("net:{address}")]);
    assert_eq!(run_inside(&ship, &["--net", &address], port), "udp no tcp yes other no listen no unix no");
    ship.ok(&["keeper", "deny", "a", &format!("net:{address}")]);
    ship.fails(&["run", "--net", &address, "--", "true"], 1);
    ship.ok(&["vault", "status"]);
    drop(other);
}

#[test]
fn calls_that_reach_around_are_refused() {
    let (ship, other) = ship();
    let python =
        Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    if !held(&ship) || !python {
        eprintln!("SKIPPED: calls_that_reach_around_are_refused wants python3");
        return;
    }
    // Each prints the error number; 1 is EPERM.
    let head = "import ctypes, os, sys\nl = ctypes.CDLL(None, use_errno=True)\n\
        def call(*a):\n r = l.syscall(*a)\n print(0 if r >= 0 else ctypes.get_errno())\n";
    let calls =
        if cfg!(target_arch = "x86_64") { (101, 310, 319, 0x4000_0000 + 521) } else { (117, 270, 279, 117) };
    let (ptrace, vm_readv, memfd, x32) = calls;
    for (body, expect) in [
        (format!("call({ptrace}, 16, os.getppid(), 0, 0)"), "1"),
        (format!("call({ptrace}, 0, 0, 0, 0)"), "1"),
        (format!("call({vm_readv}, os.getppid(), 0, 0, 0, 0, 0)"), "1"),
        (format!("call({x32}, 0, 0, 0, 0)"), if cfg!(target_arch = "x86_64") { "1 38" } else { "1" }),
        ("call(425, 8, 0)".to_owned(), "1"),
        (
            "import fcntl, termios\ntry: fcntl.ioctl(0, 0x5412, b'x')\nexcept OSError as e: print(e.errno)"
                .to_owned(),
            "1",
        ),
        // A program that lies in memory alone runs, and is as bound as any other.
        (
            format!(
                "f = l.syscall({memfd}, b'x', 0)\nos.write(f, open('/bin/cat', 'rb').read())\n\
                 os.set_inheritable(f, True)\nr = os.spawnv(os.P_WAIT, f'/proc/self/fd/{{f}}', ['cat', '{}/private'])\nprint(r)",
                other.path().display()
            ),
            "1",
        ),
    ] {
        let output = ship.run(&["run", "-q", "--", "python3", "-c", &format!("{head}{body}")], "");
        let out = text(&output.stdout);
        assert!(expect.split(' ').any(|expect| out.trim() == expect), "{body}: {output:?}");
    }
}

#[test]
fn a_preloaded_library_is_not_handed_on_and_bound_if_it_is_asked_for() {
    let (ship, other) = ship();
    if !held(&ship) {
        return;
    }
    let mut command = ship.command(&["run", "-q", "--", "sh", "-c", "echo \"<$LD_PRELOAD>\""]);
    let output = command.env("LD_PRELOAD", "/nonexistent/evil.so").output().unwrap();
    assert_eq!(text(&output.stdout), "<>\n", "{output:?}");
    let script = format!("cat {}/private", other.path().display());
    let output = shell(&ship, &["--env", "LD_PRELOAD=/nonexistent/evil.so"], &script);
    assert!(!output.status.success() && !text(&output.stdout).contains("not yours"), "{output:?}");
}

#[test]
fn capabilities_hold_when_declared_acknowledged_and_granted() {
    let ship = Ship::with_vault();
    let declare = |skills: &str| {
        let text = format!("[agent]\nname = \"a\"\n\n[capabilities]\n{skills}\n");
        std::fs::write(ship.vessel.path().join("CAPABILITY.toml"), text).unwrap();
    };
    let check = |resource: &str| {
        let output = ship.run(&["keeper", "check", resource], "");
        text(&output.stdout)
    };
    declare("build = { description = 'x' }");
    assert!(check("cap:build").contains("not granted"));
    ship.ok(&["keeper", "allow", "a", "cap:build"]);
    assert_eq!(ship.ok(&["vault", "export"]), "", "a grant is no value");
    assert!(check("cap:build").contains("acknowledged"), "{}", check("cap:build"));
    ship.ok(&["keeper", "capability-ack", "a"]);
    assert!(check("cap:build").starts_with("allowed"));
    declare("build = { description = 'x' }\ndeploy = { description = 'y' }");
    assert!(check("cap:build").contains("has changed"), "{}", check("cap:build"));
    assert!(check("cap:deploy").starts_with("denied"));
    // One who is no keeper can neither acknowledge nor allow.
    for command in [
        &["keeper", "capability-ack", "a", "--agent", "b"][..],
        &["keeper", "allow", "b", "cap:deploy", "--agent", "b"],
    ] {
        assert_eq!(ship.run(command, "").status.code(), Some(1), "{command:?}");
    }
    ship.ok(&["capability", "ack", "a"]);
    assert!(check("cap:build").starts_with("allowed"));
    ship.ok(&["keeper", "deny", "a", "cap:build"]);
    assert!(check("cap:build").contains("not granted"));
    ship.fails(&["keeper", "allow", "a", "secret:x"], 2);
    assert!(Path::new(ship.vessel.path()).exists());
}

/// Runs what it is given as on a kernel without Landlock: its three calls answer ENOSYS.
const WITHOUT_LANDLOCK: &str = r#"
import ctypes, os, struct, sys
code = [(0x20, 0, 0, 0), (0x35, 0, 2, 444), (0x25, 1, 0, 446), (0x06, 0, 0, 0x00050000 | 38), (0x06, 0, 0, 0x7fff0000)]
buffer = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
program = Program(len(code), ctypes.cast(buffer, ctypes.c_void_p))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0
os.execvp(sys.argv[1], sys.argv[1:])
"#;

#[test]
fn what_cannot_be_held_is_not_run_unless_that_is_accepted_and_recorded() {
    let (ship, _other) = ship();
    let python =
        Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    if !held(&ship) || !python {
        eprintln!("SKIPPED: what_cannot_be_held… wants python3, to play a kernel without Landlock");
        return;
    }
    let run = |options: &[&str]| {
        let inner = ship.command(&[&["run"], options, &["--", "echo", "ran"]].concat());
        let mut command = Command::new("python3");
        command.args(["-c", WITHOUT_LANDLOCK]).arg(inner.get_program()).args(inner.get_args());
        command.current_dir(ship.vessel.path()).env_clear();
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?)))).output().unwrap()
    };
    let output = run(&[]);
    assert!(output.status.code() == Some(125) && output.stdout.is_empty(), "{output:?}");
    assert!(text(&output.stderr).contains("cannot be held"), "{output:?}");
    let output = run(&["--allow-degraded"]);
    assert!(output.status.success() && text(&output.stderr).contains("NOT held: files"), "{output:?}");
    let record = ship.ok(&["keeper", "audit-log", "--last", "1", "--format", "json"]);
    assert!(record.contains("\"Not-Held\",\"files\"") && record.contains("no Landlock"), "{record}");
}
