//! Scanning: what is asked, and what is recorded.

use super::{SECOND, fleet, repos, scan, unknown};
use crate::octo::{Instead, Octo, Repo};
use crate::vessel::Vessel;
use serde_json::Value;
use std::time::Duration;

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
        // Seen from here: a request may be on its way longer than the next one, on a busy machine.
        let apart = Duration::from_millis(SECOND * 3 / 4);
        assert!(writes.windows(2).all(|pair| pair[1] - pair[0] >= apart));
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
        for (what, after) in [("Listing", 1), ("GET ", 0), ("GET ", 0)] {
            let headers = vec![("x-ratelimit-remaining", "9".into())];
            world.script.push((what, after, Instead::Status(422, headers, r#"{"message":"no"}"#.into())));
        }
    });
    let ran = fleet(&vessel, &octo, &["scan", "--org", "fleet"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let told = "150 more repositories were not listed: page 2: status 422: no; by REST: status 422: no";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    assert!(ran.stderr.contains("100 green, 0 yellow, 0 red, 0 dead, 150 unknown"), "{}", ran.stderr);
    let report = fleet(&vessel, &octo, &["report", "--org", "fleet", "--format", "md"]);
    assert!(report.code == 3 && report.stdout.contains(told), "{report:?}");
    octo.count();
    assert_eq!(scan(&vessel, &octo)["report"]["counts"]["green"], 250);
    assert_eq!(octo.count(), 3 + 3);
}

#[test]
fn what_is_renamed_or_deleted_between_pages_is_told_by_its_name_of_now() {
    let mut all = repos(120);
    all[7].renamed = Some("flagship");
    all[8].deleted = true;
    (all[9].renamed, all[9].license, all[9].files) = (Some("tender"), None, Vec::new());
    let (vessel, octo) = (Vessel::new(), Octo::start(all));
    let ran = fleet(&vessel, &octo, &["scan", "--org", "fleet", "--format", "json"]);
    assert_eq!((ran.code, unknown(&ran.stdout)), (3, vec!["Fleet/vessel-00008".to_owned()]));
    assert!(ran.stdout.contains("Fleet/flagship") && !ran.stdout.contains("Fleet/vessel-00007"));
    assert!(ran.stderr.contains("Fleet/vessel-00008 is unknown: Could not resolve to a node"));
    octo.count();
    // A licence goes where the repository is now, although the plan has its older name.
    let license = ["license", "--org", "fleet", "--license-type", "ISC", "--apply"];
    assert!(fleet(&vessel, &octo, &license).ok().contains("tender done: ISC"));
    assert_eq!(octo.with(|world| world.repos[9].committed.len()), 1);
}

#[test]
fn the_size_a_host_can_answer_for_is_remembered() {
    let (vessel, octo) = (Vessel::new(), Octo::start(repos(100)));
    octo.with(|world| world.most = Some(20));
    let full = |want: usize| {
        fleet(&vessel, &octo, &["scan", "--org", "fleet", "--full"]).ok();
        assert_eq!((octo.count_of("Facts"), octo.count_of("Listing")), (want, 1));
        octo.count();
    };
    // 50 and 25 are too many; 12 at once make nine requests. Each next scan carefully tries for twice as many.
    full(2 + 9);
    full(9);
    full(1 + 9);
    full(9);
    octo.with(|world| world.most = None);
    full(5);
    full(3);
    full(2);
}

#[test]
fn an_organisation_is_audited_by_its_newest_scan() {
    let mut all = repos(5);
    all[1].files.retain(|file| file != "README.md");
    let (vessel, octo) = (Vessel::new(), Octo::start(all));
    vessel.datum(&["audit", "--org", "fleet"]).fails(2);
    scan(&vessel, &octo);
    octo.count();
    let told = vessel.datum(&["audit", "--org", "fleet", "--format", "json"]);
    assert_eq!((told.code, octo.count()), (1, 0));
    let found: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(found["findings"][0]["rule"], "no-readme");
    assert_eq!(
        (&found["findings"][0]["level"], found["findings"].as_array().unwrap().len()),
        (&"error".into(), 1)
    );
    let file = vessel.path().join("audit.md");
    let told = vessel.datum(&[
        "audit",
        "--org",
        "fleet",
        "--fail-on",
        "critical",
        "--output",
        file.to_str().unwrap(),
    ]);
    assert_eq!((told.code, told.stdout.as_str()), (0, ""));
    assert!(std::fs::read_to_string(file).unwrap().contains("no-readme"));
    // The bundled tools are the commands, exit codes and all.
    let tool = |args: &[&str]| vessel.datum(&[&["tools", "run"], args].concat());
    assert!(tool(&["audit-scanner", "--", "--org", "fleet"]).stdout.contains("Fleet/vessel-00001 no-readme"));
    assert_eq!(tool(&["audit-scanner", "--", "--org", "fleet"]).code, 1);
    assert!(tool(&["fleet-reporter", "--", "--org", "fleet"]).ok().contains("# Fleet report: Fleet"));
    assert_eq!(tool(&["fleet-reporter", "--", "--org", "nobody"]).code, 2);
}
