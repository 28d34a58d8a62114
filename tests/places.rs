//! Every sort of repository, and stock git on what comes of it.

use crate::vessel::{Vessel, clean};
use std::path::{Path, PathBuf};

/// A repository of some sort; the vessels keep its folders.
struct Place {
    name: &'static str,
    dir: PathBuf,
    _vessels: Vec<Vessel>,
}

fn origin() -> Vessel {
    let vessel = Vessel::new();
    for n in 0..3 {
        vessel.git(&["commit", "-q", "--allow-empty", "-m", &format!("commit {n}")]).ok();
    }
    vessel.git(&["config", "uploadpack.allowFilter", "true"]).ok();
    vessel
}

fn cloned(name: &'static str, options: &[&str]) -> Place {
    let (from, to) = (origin(), Vessel::empty());
    let url = format!("file://{}", from.path().display());
    to.git(&[&["clone", "-q"], options, &[&url, "clone"]].concat()).ok();
    Place { name, dir: to.path().join("clone"), _vessels: vec![from, to] }
}

fn made(name: &'static str, init: &[&str]) -> Place {
    let vessel = Vessel::with(init);
    Place { name, dir: vessel.path().to_owned(), _vessels: vec![vessel] }
}

fn linked() -> Place {
    let vessel = origin();
    vessel.git(&["worktree", "add", "-q", "linked"]).ok();
    Place { name: "linked worktree", dir: vessel.path().join("linked"), _vessels: vec![vessel] }
}

fn run(program: &str, dir: &Path, args: &[&str]) -> String {
    let mut command = clean(program, dir);
    command.args(args).env("DATUM_AGENT", "a").env("DATUM_NOW", crate::vessel::NOW.to_string());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?} in {}: {complaint}", dir.display());
    said
}

fn datum(dir: &Path, args: &[&str]) -> String {
    run(env!("CARGO_BIN_EXE_datum"), dir, args)
}

fn count(dir: &Path) -> usize {
    let listed = datum(dir, &["journal", "--all", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&listed).unwrap();
    value["entries"].as_array().unwrap().len()
}

#[test]
fn every_sort_of_repository_is_written_read_and_understood_by_stock_git() {
    let places = [
        made("normal", &[]),
        made("bare", &["--bare"]),
        linked(),
        cloned("shallow clone", &["--depth", "1"]),
        cloned("partial clone", &["--filter=blob:none"]),
        made("sha256", &["--object-format=sha256"]),
        made("reftable", &["--ref-format=reftable"]),
        made("sha256 reftable", &["--object-format=sha256", "--ref-format=reftable"]),
    ];
    for Place { name, dir, _vessels } in &places {
        let git = |args: &[&str]| run("git", dir, args);
        eprintln!("{name}");
        let id = datum(dir, &["journal", "REPAIR", "Fixed the bilge pump"]);
        datum(dir, &["journal", "LOG", &"A long line\n".repeat(5000)]);
        for n in 0..3 {
            datum(dir, &["journal", "LOG", &format!("entry {n}"), "--agent", "b"]);
        }
        git(&["pack-refs", "--all"]);
        datum(dir, &["undo", id.trim()]);
        datum(dir, &["claim", "take", "task"]);
        assert_eq!(count(dir), 4, "{name}");
        assert_eq!(datum(dir, &["doctor"]), "all is well\n", "{name}");

        let log = git(&["log", "--format=%s", "--glob=refs/datum/journal"]);
        assert_eq!(log.lines().count(), 6, "{name}");
        assert!(
            git(&["log", "--format=%(trailers:key=Category,valueonly)", "--glob=refs/datum/journal"])
                .contains("REPAIR")
        );
        let checked = git(&["fsck", "--strict", "--no-dangling"]);
        assert_eq!(checked, "", "{name}");
        git(&["gc", "-q"]);
        assert_eq!(count(dir), 4, "{name}");

        let elsewhere = Vessel::empty();
        let to = elsewhere.path();
        let bundle = to.join("logs.bundle");
        git(&["bundle", "create", "-q", bundle.to_str().unwrap(), "--glob=refs/datum"]);
        git(&["bundle", "verify", "-q", bundle.to_str().unwrap()]);
        let url = format!("file://{}", dir.display());
        run("git", to, &["clone", "-q", "--mirror", &url, "mirror.git"]);
        assert_eq!(count(&to.join("mirror.git")), 4, "{name}");
        assert_eq!(run("git", &to.join("mirror.git"), &["fsck", "--strict", "--no-dangling"]), "", "{name}");
    }
}

#[test]
fn what_a_partial_clone_has_left_at_the_remote_is_fetched_when_it_is_read() {
    let (from, to) = (origin(), Vessel::empty());
    let lines: String = (0..300).map(|n| format!("line {n}\n")).collect();
    from.datum_with(&["journal", "LOG", "--batch"], lines.as_bytes()).ok();
    let large = "A long line\n".repeat(5000);
    let id = from.datum_with(&["journal", "LOG", "-"], large.as_bytes()).ok();
    let url = format!("file://{}", from.path().display());
    to.git(&["clone", "-q", "--mirror", "--filter=blob:none", &url, "mirror.git"]).ok();
    let mirror = to.path().join("mirror.git");
    assert_eq!(count(&mirror), 301);
    let shown = datum(&mirror, &["show", "--text", id.trim()]);
    assert_eq!(shown, large.trim_end_matches('\n'));
    assert_eq!(datum(&mirror, &["doctor"]), "all is well\n");
}
