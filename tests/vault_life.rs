//! The vault in the hands of a process: editors, old files, and what is left behind.

use crate::vault::Ship;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Stdio};

const CANARY: &str = "c4n4ry-V4lue-that-must-not-be-found";

/// An editor that notes where it was called, what it found, and does `with`.
fn editor(ship: &Ship, with: &str) -> String {
    let path = ship.home.path().join("editor");
    let (seen, place) = (ship.home.path().join("seen"), ship.home.path().join("place"));
    let script = format!(
        "#!/bin/sh\ncp \"$1\" {}\nls -l \"$1\" >{p}\nls -ld \"${{1%/*}}\" >>{p}\necho \"$1\" >>{p}\n{with}\n",
        seen.display(),
        p = place.display()
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn edit(ship: &Ship, with: &str) -> std::process::Output {
    let editor = editor(ship, with);
    ship.command(&["vault", "edit", "app/config"]).env("EDITOR", editor).output().unwrap()
}

#[test]
fn a_value_is_edited_and_its_file_is_gone() {
    let ship = Ship::with_vault();
    // A new name begins empty; the line end is the editor's.
    let made = edit(&ship, "echo first >\"$1\"");
    assert!(made.status.success(), "{made:?}");
    assert_eq!(ship.ok(&["vault", "get", "app/config"]), "first");
    let changed =
        edit(&ship, "printf 'second\\nline\\n' >\"$1.new\" && mv \"$1.new\" \"$1\"; cp \"$1\" \"$1~\"");
    assert!(changed.status.success(), "{changed:?}");
    assert_eq!(ship.ok(&["vault", "get", "app/config"]), "second\nline");
    assert_eq!(fs::read_to_string(ship.home.path().join("seen")).unwrap(), "first");
    let place = fs::read_to_string(ship.home.path().join("place")).unwrap();
    let lines: Vec<&str> = place.lines().collect();
    assert!(lines[0].starts_with("-rw-------") && lines[1].starts_with("drwx------"), "{place}");
    assert!(!std::path::Path::new(lines[2]).parent().unwrap().exists(), "{place}");
    // Nothing changed, an editor that fails, a value taken away: nothing is set.
    let same = edit(&ship, "true");
    assert!(String::from_utf8_lossy(&same.stderr).contains("nothing changed"), "{same:?}");
    assert_eq!(edit(&ship, "echo x >\"$1\"; exit 1").status.code(), Some(3));
    assert_eq!(edit(&ship, ": >\"$1\"").status.code(), Some(2));
    assert_eq!(ship.ok(&["vault", "get", "app/config"]), "second\nline");
    let log = ship.ok(&["keeper", "audit-log", "--last", "100"]);
    assert!(
        log.matches(" read app/config  edit").count() >= 4 && log.contains(" set app/config  edit"),
        "{log}"
    );
}

#[test]
fn a_value_set_while_another_was_edited_is_told_and_kept() {
    let ship = Ship::with_vault();
    ship.ok_with(&["vault", "set", "app/config"], "old");
    let datum = env!("CARGO_BIN_EXE_datum");
    let other = format!("printf other | {datum} vault set app/config; echo mine >\"$1\"");
    let said = edit(&ship, &other);
    let text = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success() && text.contains("a has set version 2 meanwhile"), "{said:?}");
    assert_eq!(ship.ok(&["vault", "get", "app/config"]), "mine");
    assert_eq!(ship.ok(&["vault", "history", "app/config"]).lines().count(), 3);
}

#[test]
fn the_originals_vault_is_taken_in() {
    let ship = Ship::with_vault();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../datum-core/src/vault/legacy_sample.json");
    let import = |more: &[&str], passwords: &str| {
        let path = ship.home.path().join("passwords");
        fs::write(&path, passwords).unwrap();
        let mut command =
            ship.command(&[&["vault", "import", "--as", "legacy", "--file", file], more].concat());
        command.env("DATUM_PASSPHRASE_FD", "0").stdin(fs::File::open(path).unwrap()).output().unwrap()
    };
    let one = import(&[], "keeper\n");
    let said = String::from_utf8_lossy(&one.stderr);
    assert!(
        one.status.code() == Some(2)
            && said.contains("\"API TOKEN!\"")
            && said.contains("nothing was imported")
    );
    assert!(!said.contains("keeper"), "{said}");
    let dry = import(&["--dry-run"], "another\nkeeper\n");
    assert_eq!(String::from_utf8_lossy(&dry.stdout), "API-TOKEN-\ndb_password\n", "{dry:?}");
    ship.fails(&["vault", "get", "db_password", "--source", "vault"], 2);
    let both = import(&[], "keeper\nanother\n");
    let said = String::from_utf8_lossy(&both.stderr);
    assert!(both.status.success() && said.contains("\"API TOKEN!\" becomes API-TOKEN-"), "{both:?}");
    assert!(said.contains("does not authenticate its names"), "{said}");
    assert_eq!(ship.ok(&["vault", "get", "db_password"]), "hunter2");
    assert_eq!(ship.ok(&["vault", "get", "API-TOKEN-"]), "second");
    let nobody = ship.run(&["vault", "import", "--as", "legacy", "--file", file], "");
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("KEEPER_PASSWORD"), "{nobody:?}");
}

#[test]
fn a_value_on_the_command_line_is_refused_and_not_repeated() {
    let ship = Ship::with_vault();
    for args in [
        &["vault", "set", "x", CANARY][..],
        &["vault", "rotate", "x", CANARY],
        &["keeper", "add-secret", "x", CANARY],
    ] {
        let said = ship.fails(args, 2);
        assert!(said.contains("not taken from the command line") && !said.contains("c4n4ry"), "{said}");
    }
}

/// A process that hands out a value nobody reads: it holds the value and waits.
fn held(ship: &Ship) -> Child {
    let mut command = ship.command(&["vault", "get", "big"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The first of it has come, so all of it is in there.
    let mut first = [0; 35];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, CANARY.as_bytes());
    child
}

#[test]
fn a_process_with_a_value_in_hand_shows_it_nowhere_and_leaves_no_core() {
    if !cfg!(target_os = "linux") {
        eprintln!("skipped: /proc is Linux's");
        return;
    }
    let ship = Ship::with_vault();
    ship.ok_with(&["vault", "set", "big"], &CANARY.repeat(20_000));
    let mut child = held(&ship);
    let proc = format!("/proc/{}", child.id());
    for file in ["cmdline", "environ"] {
        let shown = fs::read(format!("{proc}/{file}")).unwrap_or_default();
        assert!(!shown.windows(6).any(|window| window == b"c4n4ry"), "{file}");
    }
    // The limit that holds; programs started from here may raise their own again.
    let limits = fs::read_to_string(format!("{proc}/limits")).unwrap();
    let cores = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let cores: Vec<&str> = cores.split_whitespace().collect();
    assert_eq!(cores[4], "0", "{limits}");
    let (own, theirs) =
        (fs::metadata("/proc/self").unwrap().uid(), fs::metadata(format!("{proc}/mem")).unwrap().uid());
    if own == 0 {
        eprintln!("skipped: for root, every process can be looked into");
    } else {
        assert_eq!(theirs, 0, "a process that can be dumped belongs to its user");
        assert!(fs::File::open(format!("{proc}/mem")).is_err());
    }
    let quit = std::process::Command::new("kill").args(["-QUIT", &child.id().to_string()]).status();
    assert!(quit.unwrap().success());
    let ended = child.wait().unwrap();
    assert!(ended.signal() == Some(3) && !ended.core_dumped(), "{ended:?}");
}

/// Attaches to a process that runs what it is given, and to one that does nothing, both its own; prints the errors.
const LOOK_IN: &str = r#"
import ctypes, os, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
def attach(pid):
    if libc.ptrace(16, pid, None, None) != 0:
        return ctypes.get_errno()
    os.waitpid(pid, 0)
    libc.ptrace(17, pid, None, None)
    return 0
def look(pid, name):
    try:
        open(f"/proc/{pid}/{name}", "rb").close()
        return 0
    except OSError as error:
        return error.errno
held = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
read = len(held.stdout.read(35))
plain = subprocess.Popen(["sleep", "60"])
print(read, os.getuid(), attach(plain.pid), look(plain.pid, "mem"), attach(held.pid), look(held.pid, "mem"), look(held.pid, "environ"))
held.kill()
plain.kill()
"#;

#[test]
fn nobody_of_the_same_user_looks_into_a_process_with_a_value_in_hand() {
    use std::process::Command;
    let ship = Ship::with_vault();
    ship.ok_with(&["vault", "set", "big"], &CANARY.repeat(20_000));
    let inner = ship.command(&["vault", "get", "big"]);
    // Root looks into everything, so another user is asked where the tests run as root.
    let root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    let other = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let mut command = if root { Command::new("setpriv") } else { Command::new("python3") };
    if root {
        for folder in [ship.vessel.path(), ship.home.path()] {
            Command::new("chown").args(["-R", "65534:65534"]).arg(folder).status().unwrap();
        }
        command.args(other).arg("python3");
    }
    command.args(["-c", LOOK_IN]).arg(inner.get_program()).args(inner.get_args());
    command.current_dir(ship.vessel.path()).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let Ok(output) = command.output() else {
        eprintln!("SKIPPED: looking in as the same user wants Linux, python3 and, for root, setpriv");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers: Vec<u32> = said.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    let [35, user, plain_attach, plain_mem, attach, mem, environ] = numbers[..] else {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        eprintln!("SKIPPED: looking in as the same user: another user cannot run the program here: {why}");
        return;
    };
    assert_ne!(user, 0);
    // EPERM and EACCES; of a process that does not guard itself, the system says what else it allows.
    assert_eq!((attach, mem, environ), (1, 13, 13), "{said}");
    if (plain_attach, plain_mem) != (0, 0) {
        eprintln!("this system lets nobody attach to anything: {said}");
    }
}
