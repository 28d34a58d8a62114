//! SARIF against what its standard says, and against Microsoft's own validator where that is here.

use super::schema::check;
use super::{commit, json, put};
use crate::vessel::{Vessel, clean};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// What a repository with all kinds of findings is said to be, in every way a run can end.
fn logs() -> Vec<Value> {
    let vessel = Vessel::new();
    put(&vessel, "CAPABILITY.toml", "[agent]\nname = 7\n");
    put(&vessel, "a b/.env", "x");
    commit(&vessel, "one");
    put(&vessel, "caf\u{e9}/.env", "x");
    let rules = "[[audit.suppress]]\nrule = 'hygiene/private-files'\npath = 'a b/.env'\nreason = 'known'\nuntil = 2026-06-01\n\
                 [[audit.suppress]]\nrule = 'hygiene/tags'\nreason = 'late'\nuntil = 2025-06-01\n";
    put(&vessel, "datum.toml", rules);
    commit(&vessel, "two");
    let all = ["audit", "--type", "conformance", "--format", "sarif"];
    let mut logs = vec![vessel.datum(&all), vessel.datum(&[&all[..], &["--baseline", "HEAD~1"]].concat())];
    let tree = vessel.git(&["rev-parse", "HEAD:a b"]).ok();
    let (folder, file) = tree.trim().split_at(2);
    fs::remove_file(vessel.path().join(".git/objects").join(folder).join(file)).unwrap();
    logs.push(vessel.datum(&all));
    fs::create_dir_all(vessel.path().join("broken/.git")).unwrap();
    logs.push(vessel.datum(&["audit", ".", "broken", "--type", "vessel", "--format", "sarif"]));
    let empty = Vessel::new();
    logs.push(empty.datum(&all));
    let codes: Vec<_> = logs.iter().map(|ran| ran.code).collect();
    assert_eq!(codes, [1, 1, 3, 3, 1]);
    logs.iter().map(json).collect()
}

#[test]
fn sarif_is_what_its_standard_says() {
    let schema: Value = serde_json::from_str(include_str!("sarif.schema.json")).unwrap();
    let logs = logs();
    for log in &logs {
        assert_eq!(check(&schema, log), Vec::<String>::new());
        for run in log["runs"].as_array().unwrap() {
            let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
            let mut ids: Vec<_> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
            for result in run["results"].as_array().unwrap() {
                let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
                assert_eq!(result["ruleId"], ids[index]);
            }
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), rules.len(), "rule ids are unique");
        }
    }
    let all = Value::from(logs).to_string();
    for part in [
        "a%20b/.env",
        "caf%C3%A9/.env",
        "\"unchanged\"",
        "\"suppressions\"",
        "\"associatedRule\"",
        "EXPIRED on",
    ] {
        assert!(all.contains(part), "{part}");
    }
}

#[test]
fn microsofts_validator_has_nothing_to_say() {
    let Some(multitool) = multitool() else {
        eprintln!(
            "skipped: no sarif-multitool is here (npm install @microsoft/sarif-multitool); SARIF_MULTITOOL names one"
        );
        return;
    };
    let folder = Vessel::empty();
    // The standard's rules, and what GitHub's code scanning asks besides.
    for (log, kind) in logs().into_iter().flat_map(|log| [(log.clone(), "Sarif"), (log, "Ghas")]) {
        fs::write(folder.path().join("out.sarif"), log.to_string()).unwrap();
        let rules = format!("--rule-kind {kind} --log ForceOverwrite -o said.sarif out.sarif");
        let mut command = clean(&multitool, folder.path());
        command.env("HOME", folder.path()).arg("validate").args(rules.split(' '));
        let ran = command.output().unwrap();
        // It ends with 0 whatever it finds, so its output is read.
        let said = fs::read_to_string(folder.path().join("said.sarif")).unwrap();
        let said: Value = serde_json::from_str(said.trim_start_matches('\u{feff}')).unwrap();
        let results = said["runs"][0]["results"].as_array().cloned().unwrap_or_default();
        let errors: Vec<_> = results.iter().filter(|result| result["level"] == "error").collect();
        assert!(errors.is_empty(), "{kind}: {errors:?} {ran:?}");
    }
}

/// The validator: what `SARIF_MULTITOOL` names, one on the path, or the one `.ci/run` has npm fetch.
fn multitool() -> Option<PathBuf> {
    let named = std::env::var_os("SARIF_MULTITOOL").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("sarif-multitool"));
    named.into_iter().chain(on_path).find(|path| path.is_file())
}
