//! A vault whose writers are killed at any moment: each operation is done or not done, and what stands is sound.

use crate::vault::Ship;
use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Kills of each operation; a step that shares no factor with it visits every moment once.
const KILLS: u32 = 25;

/// What the vault says of a name: the number of its value, who may open it, and what `a` gets of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    number: u64,
    granted: BTreeSet<String>,
    value: String,
}

fn state(ship: &Ship) -> State {
    let listed: serde_json::Value =
        serde_json::from_str(&ship.ok(&["vault", "list", "--format", "json"])).unwrap();
    let secret = &listed["secrets"][0];
    let granted = secret["granted"].as_array().unwrap().iter();
    State {
        number: secret["number"].as_u64().unwrap(),
        granted: granted.map(|agent| agent.as_str().unwrap().to_owned()).collect(),
        value: ship.ok(&["vault", "get", "db/password"]),
    }
}

/// Runs an operation and kills it after a part of the time that a whole one takes; whether it had ended well.
fn killed(ship: &Ship, args: &[&str], input: &str, after: Duration) -> bool {
    use std::io::Write as _;
    let mut command = ship.command(args);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    std::thread::sleep(after);
    let _ = child.kill();
    child.wait().unwrap().success()
}

#[test]
fn a_killed_change_of_the_vault_is_done_or_not_done() {
    let ship = Ship::with_vault();
    ship.ok_with(&["vault", "set", "db/password"], "value 0");
    ship.ok(&["vault", "grant", "b", "db/password"]);
    let mut finished = 0;
    let mut done = 0;
    for (index, operation) in ["set", "rotate", "revoke", "grant"].into_iter().enumerate() {
        let args: &[&str] = match operation {
            "set" => &["vault", "set", "db/password"],
            "rotate" => &["vault", "rotate", "db/password"],
            "revoke" => &["vault", "revoke", "b", "db/password"],
            _ => &["vault", "grant", "b", "db/password"],
        };
        let start = Instant::now();
        ship.ok_with(args, "a whole one");
        let whole = start.elapsed();
        for n in 0..KILLS {
            // Each operation has something to do each time.
            match operation {
                "revoke" => drop(ship.ok(&["vault", "grant", "b", "db/password"])),
                "grant" => drop(ship.run(&["vault", "revoke", "b", "db/password"], "")),
                _ => {}
            }
            let before = state(&ship);
            let input = format!("value {index} {n}");
            let ended = killed(&ship, args, &input, whole * (n * 37 % KILLS) / KILLS);
            // A writer waits for a fresh lock, which here would only cost time.
            ship.vessel.age_locks();
            let after = state(&ship);
            let mut new = before.clone();
            match operation {
                "revoke" => drop(new.granted.remove("b")),
                "grant" => drop(new.granted.insert("b".to_owned())),
                _ => (new.number, new.value) = (before.number + 1, input),
            }
            assert!(after == new || (after == before && !ended), "{operation} {n}: {before:?} {after:?}");
            finished += u32::from(ended);
            done += u32::from(after == new);
            // Whom it is granted opens the value that holds, and nobody else does.
            let got = ship.run(&["vault", "get", "db/password", "--agent", "b"], "");
            assert_eq!(got.status.success(), after.granted.contains("b"), "{operation} {n}: {got:?}");
        }
        ship.ok(&["vault", "verify"]);
    }
    eprintln!("of {} killed changes {finished} had ended, {done} stand", KILLS * 4);
    ship.ok(&["vault", "grant", "b", "db/password"]);
    ship.ok_with(&["vault", "set", "db/password"], "after all that");
    assert_eq!(ship.ok(&["vault", "get", "db/password", "--agent", "b"]), "after all that");
    ship.ok(&["vault", "verify"]);
    ship.ok(&["vault", "status"]);
    ship.ok(&["verify", "--strict"]);
    ship.vessel.fsck();
}
