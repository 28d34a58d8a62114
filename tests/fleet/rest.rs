//! What REST is asked for: lists that GraphQL does not give, and files as they stand.

use super::{fleet, repos, scan};
use crate::octo::{Instead, Octo, Repo};
use crate::vessel::Vessel;
use base64::Engine as _;
use serde_json::Value;

/// A page of GraphQL that fails for good.
fn fail(octo: &Octo, after: usize) {
    octo.with(|world| {
        world.script.clear();
        let body = r#"{"message":"Something went wrong"}"#;
        world.script.push(("Listing", after, Instead::Status(422, Vec::new(), body.into())));
    });
}

/// The statuses of the requests by REST, since they were last counted.
fn statuses(octo: &Octo) -> Vec<u16> {
    let asked = octo.with(|world| std::mem::take(&mut world.asked));
    asked.iter().filter(|asked| asked.what.starts_with("GET ")).map(|asked| asked.status).collect()
}

#[test]
fn what_graphql_does_not_list_is_listed_by_rest_and_asked_again_only_where_it_changed() {
    let mut all = repos(340);
    (all[301].archived, all[302].fork) = (true, true);
    let (vessel, octo) = (Vessel::new(), Octo::start(all));
    fail(&octo, 1);
    let told = fleet(&vessel, &octo, &["scan", "--org", "fleet"]);
    let says = "GraphQL lists 100 repositories (page 2: status 422: Something went wrong); listing by REST";
    assert!(told.code == 0 && told.stderr.contains(says), "{told:?}");
    assert!(told.stderr.contains("338 green, 0 yellow, 0 red, 0 dead, 0 unknown"), "{told:?}");
    assert_eq!(statuses(&octo), [200; 4]);

    // Only one page is another one now; the outlines are asked for, and the facts of what changed.
    octo.with(|world| world.repos[250].commits += 1);
    fail(&octo, 1);
    let found = scan(&vessel, &octo);
    assert_eq!(found["report"]["counts"]["green"], 338);
    assert_eq!((octo.count_of("Now"), octo.count_of("Facts")), (3, 1));
    assert_eq!(statuses(&octo), [304, 304, 200, 304]);

    // A new repository is the last, where GraphQL gives nothing at all; what is archived or a fork is counted.
    octo.with(|world| world.repos.push(Repo::new("vessel-new")));
    fail(&octo, 0);
    let found = scan(&vessel, &octo);
    assert_eq!(
        (&found["report"]["counts"]["green"], found["report"]["organization"].as_str()),
        (&339.into(), Some("Fleet"))
    );
    assert_eq!((&found["report"]["archived"], &found["report"]["forks"]), (&1.into(), &1.into()));
    assert_eq!((octo.count_of("Now"), octo.count_of("Facts")), (4, 1));
    assert_eq!(statuses(&octo), [304, 304, 304, 200]);

    // Nothing is known of an old page when everything is to be asked for.
    fail(&octo, 0);
    fleet(&vessel, &octo, &["scan", "--org", "fleet", "--full"]).ok();
    assert_eq!(statuses(&octo), [200; 4]);
    vessel.fsck();
}

#[test]
fn a_list_by_rest_that_breaks_off_is_named_and_counts_nothing_as_missing() {
    let (vessel, octo) = (Vessel::new(), Octo::start(repos(340)));
    let broken = |octo: &Octo| {
        octo.with(|world| {
            let body = r#"{"message":"Server Error"}"#;
            world.script.push(("GET /organizations", 1, Instead::Status(410, Vec::new(), body.into())));
        });
    };
    fail(&octo, 1);
    broken(&octo);
    let told = fleet(&vessel, &octo, &["scan", "--org", "fleet"]);
    assert!(told.stderr.contains("200 green, 0 yellow, 0 red, 0 dead, 140 unknown"), "{told:?}");
    let says = "140 more repositories were not listed: page 2: status 422: Something went wrong; by REST: status 410";
    assert!(told.fails(3).contains(says));
    // Where nobody says how many there are, a part is not taken for the whole.
    fail(&octo, 0);
    broken(&octo);
    let told = fleet(&vessel, &octo, &["scan", "--org", "fleet"]).fails(3);
    assert!(
        told.contains("error: page 1: status 422: Something went wrong; by REST: status 410: Server Error"),
        "{told}"
    );
    // The next page is at another host, to which the token does not go.
    fail(&octo, 1);
    octo.with(|world| {
        let link = r#"<http://127.0.0.1:1/organizations/1/repos?page=2>; rel="next""#;
        world.script.push(("GET /orgs", 0, Instead::Status(200, vec![("link", link.into())], "[]".into())));
        world.script.push(("GET /users", 0, Instead::Status(404, Vec::new(), "{}".into())));
    });
    let told = fleet(&vessel, &octo, &["scan", "--org", "fleet"]).fails(3);
    assert!(
        told.contains("the next page is said to be elsewhere: http://127.0.0.1:1/organizations"),
        "{told}"
    );
}

#[test]
fn a_licence_that_is_there_word_for_word_is_done_and_any_other_is_refused() {
    let mut all = repos(3);
    all.iter_mut().for_each(|repo| (repo.license, repo.files) = (None, vec!["README.md".to_owned()]));
    let (vessel, octo) = (Vessel::new(), Octo::start(all));
    scan(&vessel, &octo);
    let plan = ["license", "--org", "fleet", "--license-type", "MIT", "--format", "json"];
    let made: Value = serde_json::from_str(&fleet(&vessel, &octo, &plan).ok()).unwrap();
    // A run that was killed after the commit and before its outcome was recorded; another hand; a folder of that name.
    octo.with(|world| {
        let text = made["plan"]["file"]["text"].as_str().unwrap();
        world.repos[0]
            .committed
            .push(("LICENSE".into(), base64::engine::general_purpose::STANDARD.encode(text)));
        world.repos.iter_mut().for_each(|repo| repo.files.push("LICENSE".to_owned()));
        let folder = Instead::Status(200, Vec::new(), r#"[{"type":"file","name":"LICENSE"}]"#.into());
        world.script.push(("GET /repos/Fleet/vessel-00002/", 0, folder));
    });
    let ran = fleet(&vessel, &octo, &["license", "--org", "fleet", "--apply"]);
    for said in [
        "vessel-00000 unchanged: it has this licence, word for word",
        "vessel-00001 refused: it has a licence: LICENSE",
        "vessel-00002 refused: it has a licence: LICENSE",
    ] {
        assert!(ran.stdout.contains(said), "{said}: {ran:?}");
    }
    assert_eq!((ran.code, octo.count_of("Commits")), (1, 0));
}
