//! Audits from the command line.

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
fn sarif_has_the_shape_its_standard_asks_for() {
    let vessel = Vessel::new();
    put(&vessel, "CAPABILITY.toml", "[agent]\nname = 7\n");
    put(&vessel, "a b/.env", "x");
    commit(&vessel, "one");
    let ran = vessel.datum(&["audit", "--type", "conformance", "--format", "sarif"]);
    assert_eq!(ran.code, 1);
    let log = json(&ran);
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert!(driver["name"].is_string() && driver["semanticVersion"].is_string());
    let rules = driver["rules"].as_array().unwrap();
    let mut ids: Vec<_> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    for rule in rules {
        assert!(rule["shortDescription"]["text"].as_str().unwrap().ends_with('.'));
        let level = rule["defaultConfiguration"]["level"].as_str().unwrap();
        assert!(["none", "note", "warning", "error"].contains(&level));
    }
    let results = run["results"].as_array().unwrap();
    assert!(results.len() > 10);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(result["ruleId"], ids[index]);
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(!uri.is_empty() && !uri.starts_with('/') && !uri.contains([' ', '\\']), "{uri}");
        if let Some(region) = place.get("region") {
            assert!(
                region["startLine"].as_u64().unwrap() >= 1 && region["startColumn"].as_u64().unwrap() >= 1
            );
        }
        assert!(result["partialFingerprints"].as_object().unwrap().values().all(Value::is_string));
    }
    assert!(results.iter().any(|result| result.to_string().contains("a%20b/.env")));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), rules.len(), "rule ids are unique");
    let invocation = &run["invocations"][0];
    assert!(invocation["executionSuccessful"].is_boolean());
}

#[test]
fn microsofts_validator_has_nothing_to_say() {
    let vessel = Vessel::new();
    commit(&vessel, "one");
    let Ok(multitool) = std::env::var("SARIF_MULTITOOL") else {
        eprintln!(
            "skipped: SARIF_MULTITOOL names no Sarif.Multitool, so SARIF is checked by its shape alone"
        );
        return;
    };
    vessel.datum(&["audit", "--type", "conformance", "--format", "sarif", "--output", "out.sarif"]).fails(1);
    let ran = crate::vessel::clean(&multitool, vessel.path())
        .env("HOME", vessel.path())
        .args([
            "validate",
            "out.sarif",
            "--rule-kind",
            "Sarif",
            "--log",
            "ForceOverwrite",
            "-o",
            "said.sarif",
        ])
        .output()
        .unwrap();
    // It ends with 0 whatever it finds, so its output is read.
    let said: Value =
        serde_json::from_str(&fs::read_to_string(vessel.path().join("said.sarif")).unwrap()).unwrap();
    let errors: Vec<_> = said["runs"][0]["results"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|result| result["level"] == "error")
        .map(|result| result["message"].to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?} {ran:?}");
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
