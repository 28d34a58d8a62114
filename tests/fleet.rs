//! The fleet at a host on loopback: what is asked, what is recorded, what is changed, and what happens when it fails.

use crate::octo::{Instead, Octo, Repo, TOKEN};
use crate::vessel::{Ran, Vessel};
use base64::Engine as _;
use serde_json::Value;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A second of waiting, milliseconds.
const SECOND: u64 = 10;

fn command(vessel: &Vessel, octo: &Octo, args: &[&str]) -> Command {
    let mut command = vessel.command(&[&["fleet"], args].concat());
    command
        .env("GITHUB_API_URL", &octo.url)
        .env("GH_TOKEN", TOKEN)
        .env("DATUM_SECOND_MS", SECOND.to_string());
    command
}

fn fleet(vessel: &Vessel, octo: &Octo, args: &[&str]) -> Ran {
    let ran = Ran::of(&command(vessel, octo, args).output().unwrap());
    assert!(!format!("{ran:?}").contains("SECRET"), "the token is told: {ran:?}");
    ran
}

fn repos(count: usize) -> Vec<Repo> {
    (0..count).map(|n| Repo::new(&format!("vessel-{n:05}"))).collect()
}

fn scan(vessel: &Vessel, octo: &Octo) -> Value {
    fleet(vessel, octo, &["scan", "--org", "fleet", "--format", "json"]).json()
}

fn unknown(json: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(json).unwrap();
    value["report"]["unknown"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn nine_hundred_repositories_cost_few_requests() {
    let mut all = repos(909);
    all[3].files.retain(|file| file != "README.md");
    all[4].date = "2024-01-01T00:00:00Z";
    all[5].commits = 0;
    all.extend(repos(30).into_iter().map(|repo| Repo {
        name: format!("old-{}", repo.name),
        archived: true,
        ..repo
    }));
    all.extend(repos(20).into_iter().map(|repo| Repo {
        name: format!("fork-{}", repo.name),
        fork: true,
        ..repo
    }));
    let (vessel, octo) = (Vessel::new(), Octo::start(all));
    octo.with(|world| world.latency = Duration::from_millis(3));

    let first = scan(&vessel, &octo);
    let report = fleet(&vessel, &octo, &["report", "--org", "FLEET", "--format", "json"]).json();
    let asked = octo.count();
    assert!(asked <= 31, "{asked} requests");
    let counts = &report["report"]["counts"];
    assert_eq!(
        [&counts["green"], &counts["red"], &counts["dead"], &counts["unknown"]].map(Value::as_u64),
        [906, 1, 2, 0].map(Some)
    );
    assert_eq!(
        (report["report"]["archived"].as_u64(), report["report"]["forks"].as_u64()),
        (Some(30), Some(20))
    );
    assert_eq!(first["report"]["issues"], report["report"]["issues"]);
    let issue = |rule: &str| {
        report["report"]["issues"]
            .as_array()
            .unwrap()
            .iter()
            .find(|issue| issue["rule"] == rule)
            .unwrap()
            .clone()
    };
    assert_eq!(
        (issue("no-readme")["count"].as_u64(), issue("abandoned")["count"].as_u64()),
        (Some(1), Some(1))
    );

    octo.with(|world| {
        world.repos[100..120].iter_mut().for_each(|repo| {
            repo.commits += 1;
            repo.files.retain(|file| file != "README.md");
        });
    });
    scan(&vessel, &octo);
    let asked = octo.count();
    assert!(asked <= 12, "{asked} requests");
    let report = fleet(&vessel, &octo, &["report", "--org", "fleet", "--format", "json"]).json();
    let trend = &report["report"]["trend"];
    assert_eq!(
        (trend["worse"].as_array().unwrap().len(), trend["counts"]["green"].as_u64()),
        (20, Some(906))
    );

    fleet(&vessel, &octo, &["tag", "--org", "fleet", "--add", "fleet", "--add", "vessel"]).ok();
    assert_eq!(octo.count(), 0);
    let before = octo.with(|world| world.repos[7].topics.clone());
    // Someone adds a topic between plan and apply.
    octo.with(|world| world.repos[7].topics.push("late".to_owned()));
    fleet(&vessel, &octo, &["tag", "--org", "fleet", "--apply"]).ok();
    octo.with(|world| {
        let topics = world.repos[7].topics.clone();
        assert_eq!(topics, [before, vec!["late".into(), "fleet".into(), "vessel".into()]].concat());
        assert!(world.repos[..909].iter().all(|repo| repo.topics.contains(&"fleet".to_owned())));
        assert!(world.repos[909..].iter().all(|repo| repo.topics == ["fleet-old"]));
        let writes: Vec<_> =
            world.asked.iter().filter(|asked| asked.what == "Topics").map(|asked| asked.at).collect();
        assert!(writes.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_millis(SECOND)));
    });
    let asked = octo.count();
    assert!(asked <= 60, "{asked} requests");
    fleet(&vessel, &octo, &["tag", "--org", "fleet", "--apply"]).ok();
    assert_eq!(octo.count(), 0, "what is done is not done again");
    vessel.fsck();
}

#[test]
fn ten_thousand_cost_eleven_times_as_much() {
    let (vessel, octo) = (Vessel::new(), Octo::start(repos(10_000)));
    fleet(&vessel, &octo, &["scan", "--org", "fleet", "--format", "ndjson", "-q"]).ok();
    let asked = octo.count();
    assert!(asked <= 11 * 29, "{asked} requests");
}

#[test]
fn what_cannot_be_read_is_unknown_and_asked_for_again() {
    let mut all = repos(250);
    all[10].broken = true;
    all[20].deleted = true;
    let (vessel, octo) = (Vessel::new(), Octo::start(all));
    octo.with(|world| {
        world.most = Some(20);
        world.script.push(("Facts", 3, Instead::Cut));
        world.script.push(("Facts", 9, Instead::Status(503, vec![], "busy".into())));
    });
    let ran = fleet(&vessel, &octo, &["scan", "--org", "fleet", "--format", "json"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(unknown(&ran.stdout), ["Fleet/vessel-00010", "Fleet/vessel-00020"]);
    assert!(ran.stderr.contains("warning: Fleet/vessel-00010 is unknown: Something broke"), "{}", ran.stderr);
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(value["report"]["counts"]["green"], 248);
    octo.with(|world| world.repos[10].broken = false);
    octo.count();
    let again = fleet(&vessel, &octo, &["scan", "--org", "fleet", "--format", "json"]);
    assert_eq!(unknown(&again.stdout), ["Fleet/vessel-00020"]);
    assert_eq!(octo.count(), 4, "three pages, and the two that are not known");
    assert_eq!(fleet(&vessel, &octo, &["report", "--org", "fleet"]).code, 3);
}

#[test]
fn a_page_that_fails_in_the_middle_truncates_nothing_in_silence() {
    let (vessel, octo) = (Vessel::new(), Octo::start(repos(250)));
    octo.with(|world| {
        world.script.push((
            "Listing",
            1,
            Instead::Status(422, vec![("x-ratelimit-remaining", "9".into())], r#"{"message":"no"}"#.into()),
        ));
    });
    let ran = fleet(&vessel, &octo, &["scan", "--org", "fleet"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("150 more repositories were not listed"), "{}", ran.stderr);
    assert!(ran.stderr.contains("100 green, 0 yellow, 0 red, 0 dead, 150 unknown"), "{}", ran.stderr);
    octo.count();
    assert_eq!(scan(&vessel, &octo)["report"]["counts"]["green"], 250);
    assert_eq!(octo.count(), 3 + 3);
}

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

#[test]
fn topics_that_do_not_fit_are_refused_and_what_failed_is_retried_alone() {
    let mut all = repos(90);
    all[1].topics = (0..20).map(|n| format!("t{n}")).collect();
    let (vessel, octo) = (Vessel::new(), Octo::start(all));
    scan(&vessel, &octo);
    let plan = vessel.path().join("plan.json");
    let made =
        fleet(&vessel, &octo, &["tag", "--org", "fleet", "--add", "fleet", "--plan", plan.to_str().unwrap()]);
    assert_eq!(made.code, 1);
    assert!(
        made.stdout
            .contains("Fleet/vessel-00001 refused: it has 20 topics; 1 more make 21, and the most is 20")
    );
    let read: Value = serde_json::from_str(&std::fs::read_to_string(&plan).unwrap()).unwrap();
    assert_eq!(read["changes"].as_array().unwrap().len(), 89);
    octo.with(|world| {
        world.asked.clear();
        world.repos[2].broken = true;
        // The host takes 10 at once, and loses an answer after the work was done.
        world.most = Some(10);
        world.script.push(("Topics", 1, Instead::Lost));
    });
    let ran = fleet(&vessel, &octo, &["tag", "--org", "fleet", "--apply", "--plan", plan.to_str().unwrap()]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stdout.contains("Fleet/vessel-00002 failed: Something broke"), "{}", ran.stdout);
    octo.with(|world| world.repos[2].broken = false);
    octo.count();
    let ran = fleet(&vessel, &octo, &["tag", "--org", "fleet", "--apply", "--failed"]);
    assert_eq!((ran.code, octo.count()), (1, 2), "{ran:?}");
    octo.with(|world| {
        assert!(
            world.repos.iter().enumerate().all(|(n, repo)| n == 1 || repo.topics == ["fleet-old", "fleet"])
        );
        assert_eq!(world.repos[1].topics.len(), 20);
    });
}

#[test]
fn a_token_that_expires_while_tagging_loses_no_outcome() {
    let (vessel, octo) = (Vessel::new(), Octo::start(repos(100)));
    scan(&vessel, &octo);
    octo.count();
    octo.with(|world| world.expires = Some(3));
    let ran = fleet(&vessel, &octo, &["tag", "--org", "fleet", "--add", "fleet", "--apply"]);
    assert!(ran.stderr.contains("40 done, 0 unchanged, 0 refused, 0 failed, 60 left"), "{ran:?}");
    ran.fails(3);
    octo.with(|world| world.expires = None);
    octo.count();
    fleet(&vessel, &octo, &["tag", "--org", "fleet", "--add", "fleet", "--apply"]).ok();
    assert_eq!(octo.count(), 4);
}

#[test]
fn licences_are_whole_and_come_only_where_none_is() {
    let mut all = repos(16);
    for repo in &mut all[..6] {
        repo.license = None;
        repo.files.retain(|file| file != "LICENSE");
    }
    all[1].protected = true;
    all[2].busy = true;
    (all[3].commits, all[3].files) = (0, Vec::new());
    all[4].files.push("COPYING".to_owned());
    let (vessel, octo) = (Vessel::new(), Octo::start(all));
    scan(&vessel, &octo);
    let plan = ["license", "--org", "fleet", "--license-type", "apache-2.0", "--holder", "Ada"];
    let made = fleet(&vessel, &octo, &plan).ok();
    assert_eq!(made.lines().count(), 5);
    octo.count();
    // A licence of another name appears between plan and apply.
    octo.with(|world| world.repos[5].files.push("LICENCE.txt".to_owned()));
    let ran = fleet(&vessel, &octo, &["license", "--org", "fleet", "--apply"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    for said in [
        "vessel-00000 done: Apache-2.0 in ",
        "vessel-00001 refused: Cannot update this protected ref.",
        "vessel-00002 failed: Expected branch to point to another commit.",
        "vessel-00003 done: Apache-2.0 in ",
        "vessel-00005 refused: it has a licence: LICENCE.txt",
    ] {
        assert!(ran.stdout.contains(said), "{said}: {}", ran.stdout);
    }
    octo.with(|world| {
        for index in [0, 3] {
            let (path, contents) = &world.repos[index].committed[0];
            let bytes = base64::engine::general_purpose::STANDARD.decode(contents).unwrap();
            let text = String::from_utf8(bytes).unwrap();
            assert_eq!(path, "LICENSE");
            assert!(text.contains("Copyright 2026 Ada\n") && text.contains("END OF TERMS AND CONDITIONS"));
            assert!(text.contains("9. Accepting Warranty or Additional Liability."));
        }
        world.repos[2].busy = false;
    });
    octo.count();
    assert_eq!(fleet(&vessel, &octo, &["license", "--org", "fleet", "--apply", "--failed"]).code, 1);
    assert_eq!((octo.with(|world| world.repos[2].committed.len()), octo.count()), (1, 2));
}

#[test]
fn a_commit_whose_answer_is_lost_is_not_made_twice() {
    let mut all = repos(1);
    (all[0].license, all[0].files) = (None, vec!["README.md".to_owned()]);
    let (vessel, octo) = (Vessel::new(), Octo::start(all));
    scan(&vessel, &octo);
    octo.with(|world| world.script.push(("Commits", 0, Instead::Lost)));
    let ran = fleet(&vessel, &octo, &["license", "--org", "fleet", "--license-type", "MIT", "--apply"]).ok();
    assert!(ran.contains("vessel-00000 done"), "{ran}");
    octo.with(|world| {
        let text = base64::engine::general_purpose::STANDARD.decode(&world.repos[0].committed[0].1).unwrap();
        assert!(String::from_utf8(text).unwrap().contains("Copyright (c) 2026 The Fleet\n"));
        assert_eq!(world.repos[0].committed.len(), 1);
    });
}

#[test]
fn reports_are_one_page_and_escape_what_others_wrote() {
    let mut all = repos(3);
    all[0].files = vec!["<img src=x onerror=alert(1)>|".to_owned(), "README".to_owned()];
    (all[1].name, all[1].license) = ("<script>".to_owned(), None);
    let (vessel, octo) = (Vessel::new(), Octo::start(all));
    fleet(&vessel, &octo, &["scan", "--org", "fleet"]).ok();
    octo.with(|world| world.repos[2].date = "2025-01-01T00:00:00Z");
    fleet(&vessel, &octo, &["scan", "--org", "fleet"]).ok();
    let page = fleet(&vessel, &octo, &["report", "--org", "fleet", "--format", "html"]).ok();
    assert!(
        page.starts_with("<!doctype html>")
            && page.contains("<h2>Trend</h2>")
            && page.contains("<h2>Languages</h2>")
    );
    assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("href="), "{page}");
    let markdown = fleet(&vessel, &octo, &["report", "--org", "fleet", "--format", "md"]).ok();
    assert!(
        markdown.contains("## Top issues")
            && markdown.contains("Worse: Fleet/vessel-00002")
            && !markdown.contains("<script"),
        "{markdown}"
    );
    let rows = fleet(&vessel, &octo, &["report", "--org", "fleet", "--format", "ndjson"]).ok();
    assert_eq!(rows.lines().count(), 3);
}

#[test]
fn only_what_is_chosen_is_asked_for() {
    let mut all = repos(300);
    all[0].topics = vec!["flux".to_owned()];
    all[1].date = "2020-01-01T00:00:00Z";
    let (vessel, octo) = (Vessel::new(), Octo::start(all));
    let args = [
        "scan",
        "--org",
        "fleet",
        "--include",
        "topic:flux",
        "--include",
        "*-0000?",
        "--exclude",
        "idle:2y",
        "--format",
        "json",
    ];
    let found = fleet(&vessel, &octo, &args).json();
    assert_eq!(found["report"]["repositories"].as_array().unwrap().len(), 9);
    assert_eq!((octo.count(), found["report"]["filtered"].as_u64()), (4, Some(291)));
}

#[test]
fn local_clones_are_reported_without_the_network() {
    let (root, home) = (Vessel::empty(), Vessel::new());
    for name in ["one", "two", "owner/three"] {
        let dir = root.path().join(name);
        std::fs::create_dir_all(&dir).unwrap();
        root.git(&["init", "-q", name]).ok();
        if name != "two" {
            std::fs::write(dir.join("README.md"), "x").unwrap();
            root.git(&["-C", name, "add", "."]).ok();
            root.git(&["-C", name, "commit", "-q", "-m", "x"]).ok();
        }
    }
    let told =
        home.datum(&["fleet", "status", "--root", root.path().to_str().unwrap(), "--format", "json"]).json();
    let rows = told["report"]["repositories"].as_array().unwrap();
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap();
    assert_eq!((rows.len(), row("two")["health"].as_str()), (3, Some("dead")));
    let rules: Vec<_> = row("owner/three")["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["rule"].as_str().unwrap())
        .collect();
    assert_eq!(rules, ["no-license", "no-gitignore", "no-workflows", "no-charter", "no-capability"]);
    assert!(!root.path().join("one/.git/datum").exists(), "looking leaves nothing behind");
    home.datum(&["fleet", "status", "--root", "/nonexistent"]).fails(2);
}
