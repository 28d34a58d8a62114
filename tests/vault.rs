//! The vault from the command line: values go in and out, records are written, and nothing stands in clear.

use crate::vessel::Vessel;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const CANARY: &str = "c4n4ry-V4lue-that-must-not-be-found";

/// A vessel, and a home for keys outside of it.
pub(crate) struct Ship {
    pub(crate) vessel: Vessel,
    pub(crate) home: tempfile::TempDir,
}

impl Ship {
    pub(crate) fn new() -> Self {
        Self { vessel: Vessel::new(), home: tempfile::tempdir().unwrap() }
    }

    /// A vessel with keys of `a` and `b`, and a vault that `a` has founded.
    pub(crate) fn with_vault() -> Self {
        let ship = Self::new();
        for agent in ["a", "b"] {
            ship.ok(&["agent", "keys", "new", "--declare", "--agent", agent]);
        }
        ship.ok(&["vault", "init"]);
        ship
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.vessel.command(args);
        command.env("XDG_CONFIG_HOME", self.home.path());
        command
    }

    pub(crate) fn run(&self, args: &[&str], input: &str) -> Output {
        use std::io::Write as _;
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    #[track_caller]
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        self.ok_with(args, "")
    }

    #[track_caller]
    pub(crate) fn ok_with(&self, args: &[&str], input: &str) -> String {
        let output = self.run(args, input);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    pub(crate) fn fails(&self, args: &[&str], code: i32) -> String {
        let output = self.run(args, "");
        assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

#[test]
fn values_go_in_and_come_out_for_those_who_are_granted() {
    let ship = Ship::with_vault();
    ship.ok_with(&["vault", "set", "db/password", "--purpose", "first"], "one\n");
    assert_eq!(ship.ok(&["vault", "get", "db/password"]), "one");
    let denied = ship.fails(&["vault", "get", "db/password", "--agent", "b"], 1);
    assert!(denied.contains("cannot be opened"), "{denied}");
    ship.ok(&["vault", "grant", "b", "db/password"]);
    assert_eq!(ship.ok(&["vault", "get", "db/password", "--agent", "b"]), "one");
    ship.ok(&["vault", "status"]);
    ship.ok(&["vault", "revoke", "b", "db/password"]);
    let output = ship.run(&["vault", "status"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("change db/password: b could open"));
    ship.ok(&["vault", "rotate", "db/password", "--generate", "24"]);
    ship.ok(&["vault", "status"]);
    assert_eq!(ship.ok(&["vault", "get", "db/password"]).len(), 32);
    ship.ok(&["vault", "verify"]);
    let log = ship.ok(&["keeper", "audit-log", "--name", "db/password", "--format", "json"]);
    let log: serde_json::Value = serde_json::from_str(&log).unwrap();
    let what: Vec<_> = log["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["subject"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(what.len(), 8, "{what:?}");
    assert!(what.contains(&"Access: read db/password (refused)".to_owned()), "{what:?}");
    ship.ok(&["verify", "--strict"]);
    ship.vessel.fsck();
}

#[test]
fn a_value_is_never_found_in_clear() {
    let ship = Ship::with_vault();
    ship.ok_with(&["vault", "set", "db/password"], CANARY);
    ship.ok(&["vault", "grant", "b", "db/password", "--all-versions"]);
    assert_eq!(ship.ok(&["vault", "get", "db/password", "--agent", "b"]), CANARY);
    // Nowhere in the repository, neither as it is nor once git has unpacked it, and nowhere in the home.
    let unpacked = ship.vessel.git(&["cat-file", "--batch-all-objects", "--batch"]).ok();
    assert!(unpacked.contains("Vault: db/password version 1"));
    let mut everything = vec![unpacked.into_bytes()];
    for folder in [ship.vessel.path(), ship.home.path()] {
        for file in files(folder) {
            everything.push(std::fs::read(file).unwrap());
        }
    }
    // What is said, when all goes wrong with a value in hand.
    let long = format!("{CANARY}\n{}", "x".repeat(2_000_000));
    for (args, input) in [
        (&["vault", "set", "db/pass word"][..], CANARY),
        (&["vault", "set", "x"], &long),
        (&["vault", "import", "--as", "json"], "{\"a\": c4n4ry-V4lue-that-must-not-be-found}"),
        (&["vault", "import"], "c4n4ry-V4lue-that-must-not-be-found\n"),
        (&["keeper", "add-secret", "x", "c4n4ry-V4lue"], ""),
        (&["vault", "set", "x", "--agent", "nobody"], CANARY),
        (&["vault", "set", "x", "--grant", "nobody"], CANARY),
    ] {
        let output = ship.run(args, input);
        assert!(!output.status.success(), "{args:?}");
        everything.extend([output.stdout, output.stderr]);
    }
    let json = ship.ok(&["vault", "get", "db/password", "--format", "json"]);
    everything.push(json.into_bytes());
    for encoded in [CANARY.to_owned(), "YzRuNHJ5LVY0bHVl".to_owned(), "63346e3472792d56".to_owned()] {
        let found = everything
            .iter()
            .position(|bytes| bytes.windows(encoded.len()).any(|window| window == encoded.as_bytes()));
        assert_eq!(found, None, "{encoded}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut stack = vec![folder.to_owned()];
    while let Some(folder) = stack.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { stack.push(path) } else { found.push(path) }
        }
    }
    found
}

#[test]
fn no_record_no_value() {
    let ship = Ship::with_vault();
    ship.ok_with(&["vault", "set", "x"], "value");
    // The log of records cannot be appended to.
    let refs = ship.vessel.git(&["for-each-ref", "--format=%(refname)", "refs/datum/audit"]).ok();
    std::fs::write(
        ship.vessel.path().join(".git").join(refs.trim()),
        "0123456789012345678901234567890123456789\n",
    )
    .unwrap();
    let output = ship.run(&["vault", "get", "x"], "");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no access record can be written"));
}

#[test]
fn another_clone_trusts_before_it_reads_and_notices_what_was_taken_back() {
    let ship = Ship::with_vault();
    ship.ok_with(&["vault", "set", "x"], "one");
    let id = ship.ok(&["vault", "status", "--format", "json"]);
    let id: serde_json::Value = serde_json::from_str(&id).unwrap();
    let id = id["vault"].as_str().unwrap().to_owned();
    let clone = Ship { vessel: Vessel::new(), home: ship.home };
    let fetch = |from: &Vessel| {
        let url = from.path().to_str().unwrap();
        clone.vessel.git(&["fetch", "-q", url, "+refs/datum/*:refs/datum/*"]).ok()
    };
    fetch(&ship.vessel);
    let said = clone.fails(&["vault", "get", "x", "--source", "vault"], 2);
    assert!(said.contains(&id) && said.contains("vault trust"), "{said}");
    assert_eq!(clone.run(&["vault", "trust", &id[..12]], "").status.code(), Some(2));
    clone.ok(&["vault", "trust", &id]);
    assert_eq!(clone.ok(&["vault", "get", "x"]), "one");
    let refs = clone.vessel.git(&["for-each-ref", "--format=%(refname)", "refs/datum/vault"]).ok();
    let tip = clone.vessel.git(&["rev-parse", refs.trim()]).ok();
    clone.vessel.git(&["update-ref", refs.trim(), &format!("{}~1", refs.trim())]).ok();
    let said = clone.fails(&["vault", "get", "x"], 3);
    assert!(said.contains("set back") && said.contains(tip.trim()), "{said}");
}

#[test]
fn sources_are_asked_in_their_order() {
    let ship = Ship::with_vault();
    ship.ok_with(&["vault", "set", "db/host"], "from the vault");
    ship.vessel.git(&["config", "datum.db/host.value", "from configuration"]).ok();
    ship.vessel.git(&["config", "datum.other.value", "from configuration"]).ok();
    assert_eq!(ship.ok(&["vault", "get", "db/host"]), "from the vault");
    assert_eq!(ship.ok(&["vault", "get", "db/host", "--source", "config"]), "from configuration");
    assert_eq!(ship.ok(&["vault", "get", "other"]), "from configuration");
    let mut command = ship.command(&["vault", "get", "db/host", "--explain"]);
    let output = command.env("DATUM_VALUE_DB_HOST", "from the environment").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("environment"), "{output:?}");
    ship.fails(&["vault", "get", "nowhere"], 2);
}

#[test]
fn what_is_exported_can_be_imported() {
    let ship = Ship::with_vault();
    ship.ok_with(&["vault", "set", "A_B"], "line\nand \"quotes\" $x");
    let text = ship.ok(&["vault", "export"]);
    ship.ok(&["vault", "destroy", "A_B"]);
    ship.fails(&["vault", "get", "A_B", "--source", "vault"], 2);
    ship.ok_with(&["vault", "import"], &text);
    assert_eq!(ship.ok(&["vault", "get", "A_B"]), "line\nand \"quotes\" $x");
    // Sealed to another agent, who takes it into the vault it keeps.
    let keys = ship.ok(&["agent", "keys", "export-public", "--agent", "b"]);
    let sealed = ship.ok(&["vault", "export", "--as", "age", "--to", keys.lines().last().unwrap()]);
    assert!(sealed.starts_with("-----BEGIN AGE") && !sealed.contains("quotes"));
    let wrong = ship.run(&["vault", "import", "--as", "age"], &sealed);
    assert!(
        wrong.status.code() == Some(1) && String::from_utf8_lossy(&wrong.stderr).contains("cannot be opened")
    );
    ship.ok(&["vault", "grant", "b", "--role", "keeper"]);
    ship.ok_with(&["vault", "import", "--as", "age", "--agent", "b"], &sealed);
    assert_eq!(ship.ok(&["keeper", "check", "secret:A_B"]), "allowed: it is granted\n");
    assert_eq!(ship.run(&["keeper", "check", "secret:A_B", "--agent", "b"], "").status.code(), Some(1));
}
