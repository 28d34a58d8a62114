//! The audit in CI: the script any CI runs, and the action that runs it on GitHub.

use crate::vessel::{Ran, Vessel, clean};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn the_script_gives_log_summary_sarif_and_exit_code() {
    let vessel = Vessel::new();
    vessel.git(&["commit", "-q", "--allow-empty", "-m", "one"]).ok();
    let run = |args: &[&str], env: &[(&str, &str)]| {
        let mut command = clean("sh", vessel.path());
        command.arg(root().join(".ci/audit")).args(args);
        command.env("DATUM_PROGRAM", env!("CARGO_BIN_EXE_datum")).envs(env.iter().copied());
        Ran::of(&command.output().unwrap())
    };
    let ran = run(&[], &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.starts_with("vessel audit of . at "), "{ran:?}");
    let sarif = fs::read_to_string(vessel.path().join("datum.sarif")).unwrap();
    let sarif: serde_json::Value = serde_json::from_str(&sarif).unwrap();
    assert!(!sarif["runs"][0]["results"].as_array().unwrap().is_empty());

    let github = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_OUTPUT", "output"),
        ("GITHUB_STEP_SUMMARY", "summary"),
        ("DATUM_SARIF", "found.sarif"),
        ("DATUM_AUDIT_BASELINE", "HEAD"),
        ("DATUM_AUDIT_FAIL_ON", "info"),
    ];
    let ran = run(&[], &github);
    assert_eq!(ran.code, 0, "nothing is new since the baseline: {ran:?}");
    let read = |name: &str| fs::read_to_string(vessel.path().join(name)).unwrap();
    assert_eq!(read("output"), "sarif=found.sarif\ncode=0\n");
    assert_eq!(read("summary").matches("## Audit: vessel").count(), 1);
    // Wrong use leaves no file of an earlier run to be taken for this one's.
    let ran = run(&["--fail-on", "loud"], &[]);
    assert!(ran.code == 2 && !vessel.path().join("datum.sarif").exists(), "{ran:?}");
    assert_eq!(run(&["--type", "workshop"], &[]).code, 1);
}

#[test]
fn the_action_passes_no_input_through_the_shell_and_uses_all() {
    let text = fs::read_to_string(root().join("action.yml")).unwrap();
    let (inputs, rest) = text.split_once("\ninputs:\n").unwrap().1.split_once("\noutputs:\n").unwrap();
    let names = inputs.lines().filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'));
    let names: Vec<_> = names.filter(|name| !name.starts_with(' ')).collect();
    assert_eq!(names.len(), 6, "{names:?}");
    for name in names {
        assert!(rest.contains(&format!("inputs.{name} ")), "{name} is used");
    }
    // What GitHub puts into a script is run; values go through the environment.
    let mut in_script = false;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        in_script = line.trim_start().starts_with("run:") || (in_script && (indent > 6 || line.is_empty()));
        assert!(!(in_script && line.contains("${{")), "{line}");
    }
}
