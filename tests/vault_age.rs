//! Values for keys that are not age's own: OpenSSH's and those behind a plugin. Only where the program was built for them:
//! `cargo test --workspace --features datum-cli/age-ssh,datum-cli/age-plugin --test all vault_age`.

use crate::vault::Ship;
use std::fs;
use std::process::Command;

const VALUES: &str = "DB_PASSWORD=hunter2-over-age\n";

/// Seals the values of a vault to a recipient, and reads them into another by an identity.
fn there_and_back(ship: &Ship, path: Option<&str>, recipient: &str, identity: &str) {
    let with = |args: &[&str]| {
        let mut command = ship.command(args);
        if let Some(path) = path {
            command.env("PATH", path);
        }
        command.output().unwrap()
    };
    let sealed = with(&["vault", "export", "--as", "age", "--to", recipient]);
    assert!(sealed.status.success(), "{sealed:?}");
    let file = ship.home.path().join("values.age");
    fs::write(&file, &sealed.stdout).unwrap();
    let file = file.to_str().unwrap();
    ship.ok(&["vault", "destroy", "DB_PASSWORD"]);
    // Not with the agent's own keys.
    ship.fails(&["vault", "import", "--as", "age", "--file", file], 1);
    let read = with(&["vault", "import", "--as", "age", "--identity", identity, "--file", file]);
    assert!(read.status.success(), "{read:?}");
    assert_eq!(ship.ok(&["vault", "get", "DB_PASSWORD"]), "hunter2-over-age");
}

#[cfg(feature = "age-ssh")]
#[test]
fn an_ssh_key_opens_what_was_sealed_to_it() {
    let ship = Ship::with_vault();
    ship.ok_with(&["vault", "import"], VALUES);
    let make = |kind: &str| {
        let path = ship.home.path().join(kind).to_str().unwrap().to_owned();
        let made = Command::new("ssh-keygen").args(["-q", "-t", kind, "-N", "", "-f", &path]).status();
        made.is_ok_and(|made| made.success()).then_some(path)
    };
    let (Some(ed25519), Some(rsa)) = (make("ed25519"), make("rsa")) else {
        eprintln!("SKIPPED: an_ssh_key_opens… wants ssh-keygen");
        return;
    };
    let public = |path: &str| fs::read_to_string(format!("{path}.pub")).unwrap().trim().to_owned();
    there_and_back(&ship, None, &public(&ed25519), &ed25519);
    let said = ship.fails(&["vault", "export", "--as", "age", "--to", &public(&rsa)], 2);
    assert!(said.contains("Ed25519"), "{said}");
    let file = ship.home.path().join("values.age");
    let file = file.to_str().unwrap();
    ship.fails(&["vault", "import", "--as", "age", "--identity", &rsa, "--file", file], 2);
}

/// A plugin that hides the file key behind one byte: what a plugin does matters here, not how well.
#[cfg(feature = "age-plugin")]
const PLUGIN: &str = r#"#!/usr/bin/env python3
import base64, sys
def read():
    tag, body = sys.stdin.readline().split()[1:], ""
    while True:
        line = sys.stdin.readline().rstrip("\n")
        body += line
        if len(line) < 64:
            return tag, base64.b64decode(body + "=" * (-len(body) % 4))
def send(head, body=b""):
    text = base64.b64encode(body).decode().rstrip("=")
    print("-> " + head)
    for at in range(0, len(text) + 1, 64):
        print(text[at:at + 64])
    sys.stdout.flush()
hide = lambda key: bytes(byte ^ 0x5a for byte in key)
sent = []
while not sent or sent[-1][0][0] != "done":
    sent.append(read())
for tag, body in sent:
    if tag[0] == "wrap-file-key":
        send("recipient-stanza 0 datumtest", hide(body))
        read()
    if tag[0] == "recipient-stanza" and tag[2] == "datumtest":
        send("file-key " + tag[1], hide(body))
        read()
send("done")
"#;

#[cfg(feature = "age-plugin")]
#[test]
fn a_plugin_opens_what_was_sealed_to_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let ship = Ship::with_vault();
    ship.ok_with(&["vault", "import"], VALUES);
    if !Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: a_plugin_opens… wants python3");
        return;
    }
    let plugin = ship.home.path().join("age-plugin-datumtest");
    fs::write(&plugin, PLUGIN).unwrap();
    fs::set_permissions(&plugin, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", ship.home.path().display(), std::env::var("PATH").unwrap_or_default());
    // Bech32 of `harbour`.
    let recipient = "age1datumtest1dpshycn0w4eqyw9f25";
    let identity = ship.home.path().join("identity");
    fs::write(&identity, "AGE-PLUGIN-DATUMTEST-1DPSHYCN0W4EQCHANE3\n").unwrap();
    there_and_back(&ship, Some(&path), recipient, identity.to_str().unwrap());
    // Without the program nothing is sealed to it.
    ship.fails(&["vault", "export", "--as", "age", "--to", recipient], 2);
}
