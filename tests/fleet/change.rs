//! Tags and licences: planned, applied, retried.

use super::{fleet, repos, scan};
use crate::octo::{Instead, Octo};
use crate::vessel::Vessel;
use base64::Engine as _;
use serde_json::Value;

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
