//! Claims from the command line.

use crate::servers::{Server, clone_of};
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

#[test]
fn every_outcome_of_a_claim_has_the_same_members() {
    let vessel = Vessel::new();
    let check = |args: &[&str], code: u8, state: &str, holder: bool| {
        let ran = vessel.datum(&[args, &["--format", "json"]].concat());
        assert_eq!(ran.code, i32::from(code), "{args:?}: {ran:?}");
        let said: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let claim = said["claim"].as_object().unwrap();
        let mut members: Vec<_> = claim.keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, ["agent", "fencing", "holder", "id", "state", "until"], "{args:?}");
        assert_eq!(claim["state"], state, "{args:?}");
        if holder {
            assert_eq!(claim["agent"], "a", "{args:?}");
            assert!(claim["holder"].as_str().unwrap().starts_with("a-"), "{args:?}");
        }
        for member in ["agent", "fencing", "holder", "until"] {
            assert_eq!(!claim[member].is_null(), holder, "{args:?}: {member}");
        }
    };
    check(&["claim", "show", "x"], 0, "free", false);
    check(&["claim", "take", "x"], 0, "claimed", true);
    check(&["claim", "take", "x", "--agent", "b"], 1, "held", true);
    check(&["claim", "renew", "x"], 0, "claimed", true);
    check(&["claim", "release", "x", "--agent", "b"], 1, "held", true);
    check(&["claim", "show", "x"], 0, "held", true);
    check(&["claim", "release", "x"], 0, "free", false);
    check(&["claim", "renew", "x"], 1, "free", false);
}

#[test]
fn clones_claim_at_a_remote_through_every_kind_of_server() {
    for server in [Some(Server::path()), Server::daemon(), Server::http()].into_iter().flatten() {
        let (one, two) = (clone_of(&server), clone_of(&server));
        let take = ["claim", "take", "deploy", "--remote", "origin", "--format", "json"];
        let taken = one.datum(&take).json();
        assert_eq!((&taken["done"], &taken["claim"]["fencing"]), (&true.into(), &1.into()), "{}", server.url);
        let refused = two.datum(&take);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.stdout.contains("\"held\""), "{refused:?}");
        let shown = two.datum(&["claim", "show", "--remote", "origin", "--format", "json"]).json();
        assert_eq!(shown["claims"][0]["id"], "deploy");
        assert_eq!(two.datum(&["claim", "show"]).ok(), "", "claims here are others");
        one.datum(&["claim", "renew", "deploy", "--remote", "origin", "--lease", "3h"]).ok();
        assert_eq!(one.datum(&["claim", "release", "deploy", "--remote", "origin"]).ok(), "deploy free\n");
        assert_eq!(two.datum(&take).json()["claim"]["fencing"], 2);
        server.fsck();
    }
}

#[test]
fn a_remote_that_takes_no_claims_or_is_away_is_named() {
    let server = Server::path();
    server.update_hook("case $1 in refs/datum/claim/*) echo 'no claims here'; exit 1;; esac");
    let one = clone_of(&server);
    let said = one.datum(&["claim", "take", "x", "--remote", "origin"]).fails(3);
    assert!(said.contains("no claims here"), "{said}");
    let said = one.datum(&["claim", "take", "x", "--remote", "/nowhere/at/all"]).fails(3);
    assert!(said.contains("/nowhere/at/all"), "{said}");
    one.datum(&["claim", "take", "x", "--remote", "ext::sh -c true"]).fails(2);
}
