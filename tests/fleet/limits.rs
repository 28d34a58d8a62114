//! Limits, late answers, spent tokens: what is waited for, and what the next run goes on from.

use super::{command, fleet, repos, scan};
use crate::octo::{Instead, Octo};
use crate::vessel::{Ran, Vessel};
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn limits_are_waited_for_and_the_wait_is_shown() {
    let (vessel, octo) = (Vessel::new(), Octo::start(repos(60)));
    let reset = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 2;
    let quota = vec![("x-ratelimit-remaining", "0".to_owned()), ("x-ratelimit-reset", reset.to_string())];
    octo.with(|world| {
        let mut add = |kind, instead| world.script.push((kind, 0, instead));
        add("Listing", Instead::Status(403, vec![], String::new()));
        add("Listing", Instead::Status(403, vec![("retry-after", "7".into())], "{}".into()));
        add("Facts", Instead::Status(429, vec![("retry-after", "3".into())], "{}".into()));
        add(
            "Facts",
            Instead::Status(200, quota, r#"{"errors":[{"type":"RATE_LIMITED","message":"spent"}]}"#.into()),
        );
    });
    let ran = fleet(&vessel, &octo, &["scan", "--org", "fleet"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for said in ["waiting 7 s", "waiting 60 s: a secondary limit", "waiting 3 s", "the quota is used up"] {
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
    octo.with(|world| {
        world.script.push((
            "Listing",
            0,
            Instead::Status(403, vec![("retry-after", "9999".into())], "{}".into()),
        ));
    });
    let ran = fleet(&vessel, &octo, &["scan", "--org", "fleet"]);
    assert!(ran.fails(3).contains("GitHub asks for a wait of 9999 s"));
}

#[test]
fn an_answer_that_comes_too_late_is_asked_for_in_parts() {
    let (vessel, octo) = (Vessel::new(), Octo::start(repos(40)));
    octo.with(|world| world.script.push(("Facts", 0, Instead::Slow(Duration::from_millis(1500)))));
    fleet(&vessel, &octo, &["scan", "--org", "fleet", "--timeout", "1"]).ok();
    assert_eq!((octo.count_of("Facts"), octo.count()), (3, 4));
}

#[test]
fn rights_and_mistakes_are_no_limits() {
    let (vessel, octo) = (Vessel::new(), Octo::start(repos(3)));
    let ran = fleet(&vessel, &octo, &["scan", "--org", "nobody"]);
    assert!(ran.fails(3).contains("knows no organisation or user \"nobody\""));
    octo.with(|world| {
        world.script.push((
            "Listing",
            0,
            Instead::Status(
                403,
                vec![("x-ratelimit-remaining", "9".into())],
                r#"{"message":"Resource not accessible by integration"}"#.into(),
            ),
        ));
    });
    octo.count();
    assert!(fleet(&vessel, &octo, &["scan", "--org", "fleet"]).fails(3).contains("Resource not accessible"));
    assert_eq!(octo.count(), 1);
    for args in [
        &["scan", "--org", "../x"][..],
        &["scan", "--org", "fleet", "--include", "stars:3"],
        &["tag", "--org", "fleet"],
        &["tag", "--org", "fleet", "--add", "Not A Topic"],
        &["license", "--org", "fleet", "--license-type", "MIT"],
        &["tag", "--org", "fleet", "--apply"],
    ] {
        fleet(&vessel, &octo, args).fails(2);
    }
    let told = command(&vessel, &octo, &["scan", "--org", "fleet"])
        .env("GITHUB_API_URL", "http://example.org")
        .output()
        .unwrap();
    assert!(Ran::of(&told).fails(2).contains("unencrypted"));
    assert_eq!(octo.count(), 0);
}

#[test]
fn a_token_that_expires_half_way_leaves_a_state_to_go_on_from() {
    let (vessel, octo) = (Vessel::new(), Octo::start(repos(250)));
    octo.with(|world| world.expires = Some(5));
    let ran = fleet(&vessel, &octo, &["scan", "--org", "fleet"]);
    assert!(ran.stderr.contains("100 green") && ran.stderr.contains("150 unknown"), "{}", ran.stderr);
    // The host told the token back, and it is not told on.
    assert!(
        ran.fails(3)
            .contains("GitHub does not accept the token: status 401: Bad credentials: Bearer [token]")
    );
    octo.with(|world| world.expires = None);
    octo.count();
    assert_eq!(scan(&vessel, &octo)["report"]["counts"]["green"], 250);
    assert_eq!(octo.count(), 3 + 3);
    let kept = vessel.git(&["log", "-p", "--all", "--glob=refs/datum/*"]).ok();
    assert!(!kept.contains("SECRET"));
}

#[test]
fn a_budget_ends_a_run_and_the_next_goes_on() {
    let (vessel, octo) = (Vessel::new(), Octo::start(repos(300)));
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(fleet(&vessel, &octo, &["scan", "--org", "fleet", "--budget", "6", "-q"]).code);
    }
    assert_eq!(codes, [3, 0, 0, 0]);
}

#[test]
fn ctrl_c_in_a_wait_keeps_what_is_known() {
    let (vessel, octo) = (Vessel::new(), Octo::start(repos(120)));
    octo.with(|world| {
        world.script.push((
            "Facts",
            2,
            Instead::Status(403, vec![("retry-after", "3000".into())], "{}".into()),
        ));
    });
    let child = command(&vessel, &octo, &["scan", "--org", "fleet"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while octo.count_of("Facts") < 3 {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(200));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let ran = Ran::of(&child.wait_with_output().unwrap());
    assert!(ran.stderr.contains("100 green"), "{ran:?}");
    assert!(ran.fails(3).contains("error: stopped"));
    octo.count();
    scan(&vessel, &octo);
    assert_eq!(octo.count(), 3);
}
