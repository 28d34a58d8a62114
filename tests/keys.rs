//! Agents' keys, signed entries and `datum verify` from the command line.

use crate::vessel::Vessel;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

/// A vessel, and a home outside of it for keys.
fn with_home() -> (Vessel, tempfile::TempDir) {
    (Vessel::new(), tempfile::tempdir().unwrap())
}

fn run(vessel: &Vessel, home: &tempfile::TempDir, args: &[&str]) -> (i32, String) {
    let output = vessel.command(args).env("XDG_CONFIG_HOME", home.path()).output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), text)
}

#[test]
fn keys_are_made_once_declared_and_prove_entries() {
    let (vessel, home) = with_home();
    let (code, said) = run(&vessel, &home, &["agent", "keys", "new", "--declare"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("declared   yes") && said.contains("age1"), "{said}");
    let path = home.path().join("datum/agents/a.keys");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(run(&vessel, &home, &["agent", "keys", "new"]).0, 2, "keys are not overwritten");
    let (code, said) = run(&vessel, &home, &["verify", "--strict"]);
    assert!(code == 0 && said.starts_with("proved    agent/a-"), "{said}");
    let (_, allowed) = run(&vessel, &home, &["agent", "keys", "export-public", "--signers"]);
    if Command::new("ssh-keygen").arg("-?").output().is_err() {
        eprintln!("skipped: there is no ssh-keygen for git verify-commit");
        return;
    }
    let file = home.path().join("allowed");
    std::fs::write(&file, allowed).unwrap();
    let setting = format!("gpg.ssh.allowedSignersFile={}", file.display());
    let refs = vessel.git(&["for-each-ref", "--format=%(refname)", "refs/datum/agent"]).ok();
    let said = vessel.git(&["-c", &setting, "verify-commit", refs.trim()]);
    assert!(said.code == 0 && said.stderr.contains("Good \"git\" signature for a with"), "{said:?}");
}

#[test]
fn keys_that_others_can_read_or_that_lie_in_the_repository_are_refused() {
    let (vessel, home) = with_home();
    run(&vessel, &home, &["agent", "keys", "new"]);
    let path = home.path().join("datum/agents/a.keys");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let (code, said) = run(&vessel, &home, &["agent", "keys", "declare"]);
    assert!(code == 2 && said.contains("others can read it") && said.contains("chmod 600"), "{said}");
    let inside = vessel.path().join("config");
    let output = vessel.command(&["agent", "keys", "new"]).env("XDG_CONFIG_HOME", &inside).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(!inside.exists());
}

#[test]
fn a_locked_file_signs_only_with_its_passphrase() {
    let (vessel, home) = with_home();
    let phrase = home.path().join("phrase");
    std::fs::write(&phrase, "a long passphrase\n").unwrap();
    let with = |args: &[&str]| {
        let mut command = vessel.command(args);
        let open = std::fs::File::open(&phrase).unwrap();
        command.env("XDG_CONFIG_HOME", home.path()).env("DATUM_PASSPHRASE_FD", "0").stdin(open);
        command.output().unwrap()
    };
    assert!(with(&["agent", "keys", "new", "--passphrase", "--declare"]).status.success());
    let text = std::fs::read_to_string(home.path().join("datum/agents/a.keys")).unwrap();
    assert!(text.contains("\nlocked\n") && !text.contains("SECRET"), "{text}");
    assert!(with(&["agent", "keys", "passphrase", "--remove"]).status.success());
    assert!(std::fs::read_to_string(home.path().join("datum/agents/a.keys")).unwrap().contains("\nopen\n"));
}

#[test]
fn a_tampered_log_is_refused_with_exit_1() {
    let (vessel, home) = with_home();
    run(&vessel, &home, &["agent", "keys", "new", "--declare"]);
    assert_eq!(run(&vessel, &home, &["verify"]).0, 0);
    let name = vessel.git(&["for-each-ref", "--format=%(refname)", "refs/datum/agent"]).ok();
    let name = name.trim();
    let raw = vessel.git(&["cat-file", "commit", name]).ok().replace("Keys of a", "Keys of A");
    std::fs::write(vessel.path().join("x"), raw).unwrap();
    let id = vessel.git(&["hash-object", "-t", "commit", "-w", "x"]).ok();
    vessel.git(&["update-ref", name, id.trim()]).ok();
    let (code, said) = run(&vessel, &home, &["verify"]);
    assert!(code == 1 && said.contains("signature is bad") && said.contains("was rewritten"), "{said}");
}
