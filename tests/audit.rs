//! Audits from the command line.

mod sarif;
mod schema;

use crate::vessel::{Ran, Vessel};
use serde_json::Value;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

fn put(vessel: &Vessel, path: &str, text: &str) {
    let path = vessel.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn commit(vessel: &Vessel, subject: &str) {
    vessel.git(&["add", "-A"]).ok();
    vessel.git(&["commit", "-q", "--allow-empty", "-m", subject]).ok();
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

fn answer<'v>(report: &'v Value, rule: &str) -> &'v str {
    let rules = report["rules"].as_array().unwrap();
    rules.iter().find(|outcome| outcome["rule"] == rule).unwrap()["answer"].as_str().unwrap()
}

fn workshop(vessel: &Vessel) {
    for folder in ["bootcamp", "dojo", "wiki", "recipes"] {
        put(vessel, &format!("{folder}/one.md"), "one\n");
    }
    put(vessel, "tools/manifest.json", r#"{"tools":[],"interpreters":[],"compilers":[],"recipes":[]}"#);
    put(vessel, "TASKBOARD.md", "# Tasks\n");
    put(vessel, "README.md", "# Boat\n");
    put(vessel, ".superagent/agent.toml", "[agent]\nname = 'a'\nrole = 'deckhand'\n");
}

#[test]
fn a_workshop_passes_and_exit_codes_tell() {
    let vessel = Vessel::new();
    assert_eq!(vessel.datum(&["audit"]).code, 1);
    workshop(&vessel);
    vessel.datum(&["journal", "LOG", "began"]).ok();
    assert_eq!(vessel.datum(&["audit"]).code, 1, "nothing is committed");
    vessel.datum(&["audit", "--worktree"]).ok();
    commit(&vessel, "the workshop");
    let report = vessel.datum(&["audit", "--format", "json"]).json();
    assert_eq!(
        (&report["counts"]["fail"], &report["version"]),
        (&Value::from(0), &Value::from(1)),
        "{report}"
    );
    // One warning does not fail an audit that fails on errors.
    vessel.git(&["rm", "-q", "-r", "dojo"]).ok();
    commit(&vessel, "no dojo");
    vessel.datum(&["audit"]).ok();
    assert_eq!(vessel.datum(&["audit", "--fail-on", "warning"]).code, 1);
    vessel.datum(&["audit", "--at", "HEAD~1", "--fail-on", "info"]).ok();
    vessel.datum(&["audit", "--fail-on", "info", "--baseline", "HEAD"]).ok();
    assert_eq!(vessel.datum(&["audit", "--fail-on", "info", "--baseline", "HEAD~1"]).code, 1);
    vessel.fsck();
}

#[test]
fn wrong_use_is_refused_by_name() {
    let vessel = Vessel::new();
    put(&vessel, "datum.toml", "[audit]\nfail-on = 'loud'\n");
    commit(&vessel, "bad rules");
    assert!(vessel.datum(&["audit"]).fails(2).contains("datum.toml:2:11: unknown variant `loud`"));
    vessel.datum(&["audit", "--no-config", "--rule", "workshop/logs-whole"]).ok();
    assert!(
        vessel
            .datum(&["audit", "--no-config", "--rule", "workshop/log"])
            .fails(2)
            .contains("no rule is called")
    );
    assert!(vessel.datum(&["audit", "--at", "nowhere"]).fails(2).contains("no commit is called"));
    vessel.datum(&["audit", "/nonexistent"]).fails(2);
    vessel.datum(&["audit", "--format", "html"]).fails(2);
    vessel.datum(&["journal", "--format", "sarif"]).fails(2);
}

#[test]
fn what_cannot_be_looked_at_ends_with_3() {
    let vessel = Vessel::new();
    put(&vessel, "tools/x", "x");
    commit(&vessel, "one");
    let tree = vessel.git(&["rev-parse", "HEAD:tools"]).ok();
    let (folder, file) = tree.trim().split_at(2);
    fs::remove_file(vessel.path().join(".git/objects").join(folder).join(file)).unwrap();
    let ran = vessel.datum(&["audit", "--format", "json"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(answer(&json(&ran), "workshop/manifest"), "unknown");
}

#[test]
fn hostile_trees_do_not_stop_an_audit() {
    let vessel = Vessel::new();
    put(&vessel, "README.md", "x");
    std::os::unix::fs::symlink("loop", vessel.path().join("loop")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", vessel.path().join("LICENSE")).unwrap();
    fs::write(vessel.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9.txt")), "x").unwrap();
    put(&vessel, "bin.md", "a\0b\u{1b}[31m");
    let big = fs::File::create(vessel.path().join("big.bin")).unwrap();
    big.set_len(100 * 1024 * 1024).unwrap();
    commit(&vessel, "all kinds");
    let head = vessel.git(&["rev-parse", "HEAD"]).ok();
    vessel.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},sub", head.trim())]).ok();
    vessel.git(&["commit", "-q", "-m", "a submodule"]).ok();
    for more in [&[][..], &["--worktree"]] {
        let args = [&["audit", "--type", "conformance", "--format", "json"], more].concat();
        let ran = vessel.datum(&args);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        let report = json(&ran);
        assert_eq!(answer(&report, "hygiene/large-files"), "fail");
        assert!(!ran.stdout.contains("root:"), "a link out of the tree was followed");
    }
}

#[test]
fn a_recorded_audit_is_a_baseline_and_can_be_compared() {
    let vessel = Vessel::new();
    put(&vessel, "README.md", "# Boat\n");
    commit(&vessel, "one");
    vessel.datum(&["audit", "--record"]).fails(1);
    let kept = vessel.datum(&["audit", "list", "--format", "json"]).json();
    let id = kept["audits"][0]["id"].as_str().unwrap().to_owned();
    vessel.datum(&["audit", "--baseline", &id]).ok();
    vessel.git(&["rm", "-q", "README.md"]).ok();
    commit(&vessel, "no readme");
    assert_eq!(vessel.datum(&["audit", "--baseline", &id[..12]]).code, 1);
    let ran = vessel.datum(&["audit", "diff", &id, "HEAD", "--exit-code"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.starts_with("+ workshop/readme"), "{ran:?}");
    assert!(vessel.datum(&["audit", "diff", "HEAD", "HEAD~1"]).ok().starts_with("- workshop/readme"));
    put(&vessel, "TASKBOARD.md", "");
    commit(&vessel, "an empty board");
    let ran = vessel.datum(&["audit", "diff", "HEAD~1", "HEAD"]).ok();
    assert!(ran.starts_with("~ workshop/taskboard TASKBOARD.md: ") && ran.contains("{+"), "{ran}");
    let log = vessel.git(&["log", "--format=%s%n%(trailers:key=Audit)", &format!("{id}^!")]).ok();
    assert!(log.contains("audit workshop: ") && log.contains("Audit: workshop"), "{log}");
    vessel.fsck();
}

#[test]
fn one_broken_repository_does_not_stop_the_fleet() {
    let fleet = Vessel::empty();
    for name in ["b", "a"] {
        let vessel = fleet.path().join("org").join(name);
        fs::create_dir_all(&vessel).unwrap();
        fleet.git(&["init", "-q", "-b", "main", &vessel.display().to_string()]).ok();
    }
    fs::create_dir_all(fleet.path().join("org/c/.git")).unwrap();
    let ran = fleet.datum(&["audit", "--type", "fleet", "--root", ".", "--format", "json"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let reports = json(&ran)["reports"].as_array().unwrap().clone();
    let paths: Vec<_> = reports.iter().map(|report| report["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["./org/a", "./org/b", "./org/c"]);
    assert_eq!(reports[1]["answer"], "fail");
    assert_eq!(reports[2]["answer"], "unknown");
    assert!(!fleet.path().join("org/a/.git/datum").exists(), "an audit writes nothing into a repository");
}

#[test]
fn reports_for_people_and_machines_agree() {
    let vessel = Vessel::new();
    commit(&vessel, "one");
    let args = |format| ["audit", "--type", "vessel", "--format", format];
    let report = json(&vessel.datum(&args("json")));
    let fails = report["counts"]["fail"].as_u64().unwrap();
    let lines = vessel.datum(&args("ndjson")).stdout;
    assert_eq!(lines.lines().count(), report["rules"].as_array().unwrap().len());
    let junit = vessel.datum(&args("junit")).stdout;
    assert_eq!(junit.matches("<failure ").count() as u64, fails);
    let markdown = vessel.datum(&args("md")).stdout;
    assert_eq!(markdown.lines().filter(|line| line.starts_with("| fail |")).count() as u64, fails);
    let summary = vessel.path().join("summary.md");
    let github = vessel.command(&args("github")).env("GITHUB_STEP_SUMMARY", &summary).output().unwrap();
    let said = String::from_utf8(github.stdout).unwrap();
    assert!(said.contains("::error title=vessel/charter,file=CHARTER.md::it is missing"), "{said}");
    for kind in ["error", "warning", "notice"] {
        assert!(said.lines().filter(|line| line.starts_with(&format!("::{kind} "))).count() <= 10);
    }
    assert!(fs::read_to_string(summary).unwrap().contains("## Audit: vessel"));
    let again = vessel.datum(&args("json"));
    assert_eq!(json(&again), report, "the same snapshot gives the same report");
}

#[test]
fn the_fleet_list_is_audited_wherever_its_vessels_are() {
    let (home, near, far) = (Vessel::new(), Vessel::new(), Vessel::new());
    for (vessel, file) in [(&near, "CHARTER.md"), (&far, "STATE.md")] {
        put(vessel, file, "# One\n");
        commit(vessel, "one");
    }
    assert!(home.datum(&["audit", "--fleet"]).fails(2).contains("no vessel is known"));
    let path = |vessel: &Vessel| vessel.path().to_str().unwrap().to_owned();
    home.datum(&["fleet", "add", "near", &path(&near)]).ok();
    home.datum(&["fleet", "add", "far", &format!("file://{}", path(&far))]).ok();
    home.datum(&["fleet", "add", "gone", "file:///nonexistent/gone.git"]).ok();
    let ran = home.datum(&["audit", "--type", "fleet", "--fleet", "--format", "json"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let reports = json(&ran)["reports"].as_array().unwrap().clone();
    let of = |name: &str| &reports.iter().find(|report| report["path"] == name).unwrap()["report"];
    assert_eq!(answer(of("far"), "vessel/state"), "pass");
    assert_eq!(answer(of("far"), "vessel/charter"), "fail");
    assert_eq!(answer(of(&path(&near)), "vessel/charter"), "pass");
    let head = far.git(&["rev-parse", "HEAD"]).ok();
    assert_eq!(of("far")["commit"], head.trim());
    assert!(of("gone")["error"].is_string());
}

#[test]
fn a_leaked_key_is_found_in_files_and_history_and_shown_nowhere() {
    let vessel = Vessel::new();
    let key = format!("{}_{}", ["gh", "p"].concat(), "a1B2c3D4e5F6g7H8i9J0".repeat(2).split_at(36).0);
    put(&vessel, "config.py", &format!("token = \"{key}\"\n"));
    commit(&vessel, "one");
    for format in ["text", "json", "ndjson", "sarif", "md", "github", "junit"] {
        let ran = vessel.datum(&["audit", "--pack", "hygiene", "--format", format]);
        assert!(ran.code == 1 && ran.stdout.contains("GitHub token"), "{ran:?}");
        assert!(!ran.stdout.contains(&key[4..12]), "{format} shows it");
    }
    vessel.git(&["rm", "-q", "config.py"]).ok();
    commit(&vessel, "two");
    let past = ["audit", "--pack", "dockside", "--rule", "dockside/secrets", "--fail-on", "warning"];
    assert!(vessel.datum(&past).stdout.contains("config.py"));
    vessel.datum(&["audit", "--pack", "hygiene", "--rule", "hygiene/secrets", "--deep"]).ok();
}
