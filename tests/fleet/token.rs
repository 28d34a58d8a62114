//! The token: where it comes from, and that it is told nowhere.

use super::{command, fleet, repos, run, scan};
use crate::octo::{Instead, Octo, TOKEN};
use crate::vessel::{Ran, Vessel};
use std::io::Write as _;
use std::process::Stdio;

#[test]
fn the_vault_gives_the_token_and_records_it() {
    let (vessel, octo) = (Vessel::new(), Octo::start(repos(3)));
    let home = tempfile::tempdir().unwrap();
    let without = |args: &[&str]| {
        let mut command = command(&vessel, &octo, args);
        command.env_remove("GH_ENTERPRISE_TOKEN").env("XDG_CONFIG_HOME", home.path());
        command
    };
    let told = Ran::of(&without(&["scan", "--org", "fleet"]).output().unwrap()).fails(2);
    assert!(told.contains("no GitHub token") && told.contains("or in the vault"), "{told}");
    let vault = |args: &[&str], input: &str| {
        let mut child = vessel
            .command(args)
            .env("XDG_CONFIG_HOME", home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        Ran::of(&output).ok()
    };
    vault(&["agent", "keys", "new", "--declare"], "");
    vault(&["vault", "init"], "");
    let ran = Ran::of(&without(&["scan", "--org", "fleet"]).output().unwrap());
    assert!(ran.fails(2).contains("no GitHub token"), "a vault without one of the names");
    for name in ["GITHUB_TOKEN", "github/token"] {
        vault(&["vault", "set", name], TOKEN);
    }
    let ran = Ran::of(&without(&["scan", "--org", "fleet"]).output().unwrap());
    assert!(ran.fails(2).contains("no GitHub token for 127.0.0.1"), "one for another server");
    assert_eq!(octo.count(), 0);
    vault(&["vault", "set", "github/enterprise-token"], TOKEN);
    vault(&["vault", "set", "fleet/other"], "ghp_of_somebody_else");
    run(&mut without(&["scan", "--org", "fleet"])).ok();
    let other = run(&mut without(&["scan", "--org", "fleet", "--token-secret", "fleet/other"]));
    assert!(other.fails(3).contains("GitHub does not accept the token"));
    run(&mut without(&["scan", "--org", "fleet", "--token-secret", "none"])).fails(2);
    let log = vessel.git(&["log", "--format=%B", "--glob=refs/datum/audit/*"]).ok();
    assert!(log.contains("fleet scan fleet") && log.contains("github/enterprise-token"), "{log}");
    told_nowhere(&vessel);
}

#[test]
fn a_token_for_github_goes_to_no_other_server() {
    let (vessel, octo) = (Vessel::new(), Octo::start(repos(3)));
    let given = |variables: &[(&str, &str)], args: &[&str]| {
        let mut command = command(&vessel, &octo, &[&["scan", "--org", "fleet"], args].concat());
        run(command.env_remove("GH_ENTERPRISE_TOKEN").envs(variables.iter().copied()))
    };
    let github = [("GH_TOKEN", TOKEN), ("GITHUB_TOKEN", TOKEN)];
    let told = given(&github, &[]).fails(2);
    assert!(told.contains("GH_TOKEN or GITHUB_TOKEN is for github.com"), "{told}");
    assert!(told.contains("hint: put it into GH_ENTERPRISE_TOKEN or GITHUB_ENTERPRISE_TOKEN"), "{told}");
    assert_eq!(octo.count(), 0, "it went nowhere");
    // As gh has it, the first of the two that is set counts; and who names a variable means it.
    given(&[("GITHUB_ENTERPRISE_TOKEN", TOKEN)], &[]).ok();
    given(&[("GH_ENTERPRISE_TOKEN", TOKEN), ("GITHUB_ENTERPRISE_TOKEN", "ghp_old")], &[]).ok();
    given(&github, &["--token-env", "GH_TOKEN"]).ok();
    // And one for an enterprise server does not go to GitHub.
    let enterprise = [("GH_ENTERPRISE_TOKEN", TOKEN)];
    let told = given(&enterprise, &["--api-url", "https://api.github.com"]).fails(2);
    assert!(told.contains("error: no GitHub token\n") && told.contains("put it into GH_TOKEN"), "{told}");
    let graphql = [enterprise[0], ("GITHUB_GRAPHQL_URL", "https://api.github.com/graphql")];
    assert!(given(&graphql, &[]).fails(2).contains("no token is for both"));
}

/// Looks through every object, every file beside them, and every ref.
fn told_nowhere(vessel: &Vessel) {
    let objects = vessel.git(&["cat-file", "--batch", "--batch-all-objects"]).ok();
    assert!(objects.len() > 1000 && !objects.contains("SECRET"));
    let mut folders = vec![vessel.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                assert!(!String::from_utf8_lossy(&bytes).contains("SECRET"), "{}", path.display());
            }
        }
    }
}

#[test]
fn a_host_that_tells_the_token_back_is_not_repeated() {
    let mut all = repos(4);
    all[0].files.push(format!("notes-{TOKEN}.md"));
    all[1].topics.push(TOKEN.to_lowercase());
    all[2].broken = true;
    (all[3].license, all[3].files) = (None, Vec::new());
    let (vessel, octo) = (Vessel::new(), Octo::start(all));
    octo.with(|world| world.reason = format!("Something broke for {TOKEN}"));
    let ran = fleet(&vessel, &octo, &["scan", "--org", "fleet", "--format", "json"]);
    assert!(ran.stdout.contains("Something broke for [token]"), "{ran:?}");
    fleet(&vessel, &octo, &["tag", "--org", "fleet", "--add", "fleet"]);
    octo.with(|world| world.repos[0].broken = true);
    let ran = fleet(&vessel, &octo, &["tag", "--org", "fleet", "--apply"]);
    assert!(ran.stdout.contains("vessel-00000 failed: Something broke for [token]"), "{ran:?}");
    for (code, status) in [(3, 401), (3, 403), (3, 422), (3, 302)] {
        octo.with(|world| {
            let body = format!(r#"{{"message":"no, {TOKEN}"}}"#);
            let headers =
                vec![("x-ratelimit-remaining", "9".into()), ("location", format!("http://evil/{TOKEN}"))];
            world.script.push(("Listing", 0, Instead::Status(status, headers, body)));
        });
        assert_eq!(fleet(&vessel, &octo, &["scan", "--org", "fleet"]).code, code, "{status}");
    }
    fleet(&vessel, &octo, &["scan", "--org", "fleet", "--api-url", &format!("http://127.0.0.1:1/{TOKEN}")])
        .fails(3);
    fleet(&vessel, &octo, &["report", "--org", "fleet"]);
    scan(&vessel, &octo);
    told_nowhere(&vessel);
}
