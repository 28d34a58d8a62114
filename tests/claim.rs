//! Claims from the command line.

use crate::vessel::{NOW, Vessel};
use std::process::Stdio;

/// Starts `n` takers of one claim at once; answers with how many won.
fn race(vessel: &Vessel, n: usize, now: u64) -> usize {
    let start = |i: usize| {
        let mut command = vessel.command(&["claim", "take", "task-1", "--lease", "1h", "--format", "json"]);
        // Half of them are even the same agent.
        command.env("DATUM_AGENT", format!("a{}", i / 2)).env("DATUM_NOW", now.to_string());
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let takers: Vec<_> = (0..n).map(start).collect();
    let codes: Vec<_> = takers.into_iter().map(|mut child| child.wait().unwrap().code().unwrap()).collect();
    assert!(codes.iter().all(|code| [0, 1].contains(code)), "{codes:?}");
    codes.iter().filter(|code| **code == 0).count()
}

#[test]
fn of_many_processes_one_wins_also_a_lease_that_ran_out() {
    for init in [&[][..], &["--ref-format=reftable"]] {
        let vessel = Vessel::with(init);
        for round in 0..3 {
            assert_eq!(race(&vessel, 10, NOW + round * 3_600_000), 1, "{init:?}, round {round}");
        }
        let shown = vessel.datum(&["claim", "show", "--format", "json"]).json();
        assert_eq!(shown["claims"][0]["fencing"], 3);
        vessel.fsck();
    }
}

#[test]
fn a_claim_is_taken_renewed_refused_and_released() {
    let vessel = Vessel::new();
    assert_eq!(
        vessel.datum(&["claim", "take", "x", "--lease", "2h"]).ok(),
        "x claimed until 2026-01-01 02:00:00Z, fencing 1\n"
    );
    let refused = vessel.datum(&["claim", "take", "x", "--agent", "b", "--format", "json"]);
    assert_eq!(refused.code, 1);
    let said: serde_json::Value = serde_json::from_str(&refused.stdout).unwrap();
    assert_eq!((&said["done"], &said["claim"]["agent"]), (&false.into(), &"a".into()));
    assert_eq!(vessel.datum(&["claim", "renew", "x", "--agent", "b"]).code, 1);
    assert_eq!(vessel.datum(&["claim", "renew", "x", "--lease", "3h", "--fencing", "7"]).code, 1);
    vessel.datum(&["claim", "renew", "x", "--lease", "3h"]).ok();
    assert!(vessel.datum(&["claim", "show"]).ok().contains("03:00:00Z"));
    assert_eq!(vessel.datum(&["claim", "release", "x"]).ok(), "x free\n");
    assert_eq!(vessel.datum(&["claim", "show", "x"]).ok(), "x free\n");
    for bad in ["../x", "A", "", "x.lock"] {
        vessel.datum(&["claim", "take", bad]).fails(2);
    }
    vessel.datum(&["claim", "take", "y", "--lease", "31 days"]).fails(2);
    vessel.datum(&["claim", "take", "y", "--lease", "soon"]).fails(2);
    vessel.fsck();
}
