//! Limits, late answers, spent tokens: what is waited for, and what the next run goes on from.

use super::{SECOND, command, fleet, repos, run, scan};
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
    let no_rights = || {
        let body = r#"{"message":"Resource not accessible by integration"}"#;
        Instead::Status(403, vec![("x-ratelimit-remaining", "9".into())], body.into())
    };
    octo.with(|world| world.script.push(("Listing", 0, no_rights())));
    octo.count();
    octo.with(|world| world.script.push(("GET ", 0, no_rights())));
    octo.with(|world| world.script.push(("GET ", 0, no_rights())));
    let told = fleet(&vessel, &octo, &["scan", "--org", "fleet"]).fails(3);
    assert!(
        told.contains("page 1: status 403: Resource not accessible by integration; by REST: status 403"),
        "{told}"
    );
    // Once by GraphQL, and by REST as an organisation and as a user.
    assert_eq!(octo.count(), 3);
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

#[test]
fn a_secondary_limit_that_comes_with_status_200_is_waited_for() {
    let (vessel, octo) = (Vessel::new(), Octo::start(repos(3)));
    let said = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
    octo.with(|world| {
        let left =
            || vec![("x-ratelimit-remaining", "4000".to_owned()), ("x-ratelimit-reset", "9".to_owned())];
        for body in
            [format!(r#"{{"message":"{said}"}}"#), format!(r#"{{"errors":[{{"message":"{said}"}}]}}"#)]
        {
            world.script.push(("Listing", 0, Instead::Status(200, left(), body)));
        }
    });
    let ran = fleet(&vessel, &octo, &["scan", "--org", "fleet"]);
    assert!(ran.stderr.contains("waiting 60 s: a secondary limit was met"), "{ran:?}");
    assert!(ran.stderr.contains("waiting 120 s: a secondary limit was met"), "{ran:?}");
    assert_eq!((ran.code, octo.count()), (0, 4));
}

#[test]
fn nothing_is_asked_while_the_quota_is_known_to_be_used_up() {
    let (vessel, octo) = (Vessel::new(), Octo::start(repos(3)));
    octo.with(|world| world.remaining = 0);
    let ran = fleet(&vessel, &octo, &["scan", "--org", "fleet", "--max-wait", "5"]);
    assert!(ran.stderr.contains("3 unknown"), "{ran:?}");
    assert!(ran.fails(3).contains("GitHub asks for a wait of"));
    assert_eq!(octo.count(), 1);
}

#[test]
fn commits_are_counted_one_by_one_against_the_limit_of_a_minute() {
    let mut all = repos(100);
    all.iter_mut().for_each(|repo| (repo.license, repo.files) = (None, Vec::new()));
    let (vessel, octo) = (Vessel::new(), Octo::start(all));
    scan(&vessel, &octo);
    octo.count();
    let args = ["license", "--org", "fleet", "--license-type", "MIT", "--apply"];
    // The minute is long enough for a machine that has much else to do: else nothing would have to wait.
    let ran = run(command(&vessel, &octo, &args).env("DATUM_SECOND_MS", (5 * SECOND).to_string()));
    assert!(ran.stderr.contains("s: 80 writes in 60 s is the most"), "{ran:?}");
    octo.with(|world| {
        let at: Vec<_> = world.asked.iter().filter(|ask| ask.what == "Commits").map(|ask| ask.at).collect();
        assert_eq!(at.len(), 10);
        assert!(at[8] - at[0] >= Duration::from_millis(5 * 30 * SECOND), "80 in the first minute");
    });
}

#[test]
fn a_redirect_is_followed_on_the_same_server_only() {
    let mut all = repos(2);
    all.iter_mut().for_each(|repo| (repo.commits, repo.files, repo.license) = (0, Vec::new(), None));
    let (vessel, octo) = (Vessel::new(), Octo::start(all));
    scan(&vessel, &octo);
    octo.count();
    octo.with(|world| {
        for (what, to) in [
            ("PUT /repos/Fleet/vessel-00000/", "/some/proxy/repositories/0/contents/LICENSE"),
            ("PUT /repos/Fleet/vessel-00001/", "http://127.0.0.1:1/repositories/1/contents/LICENSE"),
        ] {
            let headers = vec![("location", to.to_owned()), ("x-ratelimit-remaining", "9".into())];
            world.script.push((what, 0, Instead::Status(307, headers, r#"{"message":"Moved"}"#.into())));
        }
    });
    let ran = fleet(&vessel, &octo, &["license", "--org", "fleet", "--license-type", "MIT", "--apply"]);
    assert!(ran.stdout.contains("vessel-00000 done: MIT"), "{ran:?}");
    assert!(ran.stdout.contains("vessel-00001 refused: status 307: Moved"), "{ran:?}");
    assert_eq!(octo.with(|world| world.repos.iter().map(|repo| repo.committed.len()).sum::<usize>()), 1);
}

#[test]
fn an_answer_of_304_or_html_is_an_error_and_no_empty_fleet() {
    let (vessel, octo) = (Vessel::new(), Octo::start(repos(3)));
    for (status, body, want) in [
        (304, "", "status 304: told that nothing changed, where nothing was known before"),
        (200, "<html>login</html>", "the answer is no JSON"),
        (410, "<html>", "status 410"),
    ] {
        octo.with(|world| {
            for what in ["Listing", "GET "] {
                for _ in 0..12 {
                    world.script.push((what, 0, Instead::Status(status, vec![], body.to_owned())));
                }
            }
        });
        let told = fleet(&vessel, &octo, &["scan", "--org", "fleet"]).fails(3);
        assert!(told.contains(want), "{told}");
        octo.with(|world| world.script.clear());
    }
}

#[test]
fn writes_of_other_runs_count_against_the_limit_of_an_hour() {
    let mut all = repos(620);
    all.iter_mut().for_each(|repo| (repo.license, repo.files) = (None, Vec::new()));
    let (vessel, octo) = (Vessel::new(), Octo::start(all));
    scan(&vessel, &octo);
    octo.count();
    // When a run begins is told to it.
    let apply = |now: &str, which: &[u32], more: &[&str]| {
        let which: Vec<_> =
            which.iter().flat_map(|n| ["--include".to_owned(), format!("vessel-00{n}*")]).collect();
        let which: Vec<_> = which.iter().map(String::as_str).collect();
        let args = [&["license", "--org", "fleet", "--license-type", "MIT", "--apply"], &which[..], more];
        let mut command = command(&vessel, &octo, &args.concat());
        let ran = Ran::of(&command.env("DATUM_NOW", now).output().unwrap());
        let made = octo.with(|world| world.repos.iter().filter(|repo| !repo.committed.is_empty()).count());
        (ran, made)
    };
    let (ran, made) = apply("2026-01-01T10:00:00Z", &[0, 1, 2, 3], &[]);
    assert_eq!((ran.code, made), (0, 400), "{ran:?}");
    let trailers =
        vessel.git(&["log", "--format=%(trailers:key=Writes,valueonly)", "--glob=refs/datum/audit/*"]);
    let writes: u64 = trailers.ok().split_whitespace().map(|word| word.parse::<u64>().unwrap()).sum();
    assert_eq!(writes, 400);
    // Half an hour later a hundred more are allowed, and then it would be half an hour's wait.
    let (ran, made) = apply("2026-01-01T10:30:00Z", &[4, 5], &["--max-wait", "300"]);
    assert_eq!(made, 500, "{ran:?}");
    assert!(ran.stderr.contains("100 done") && ran.stderr.contains("100 left"), "{ran:?}");
    let told = ran.fails(3);
    let wait = told.split("a wait of ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
    assert!(wait.is_some_and(|wait| (300..=1800).contains(&wait)), "{told}");
    // An hour after the first of them it goes on without one.
    let (ran, made) = apply("2026-01-01T11:10:00Z", &[4, 5], &["--max-wait", "70"]);
    assert_eq!((ran.code, made), (0, 600), "{ran:?}");
}
