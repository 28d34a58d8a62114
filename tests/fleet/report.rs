//! Reports of scans and of local clones.

use super::{fleet, repos};
use crate::octo::Octo;
use crate::vessel::Vessel;

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
fn local_clones_are_reported_without_the_network() {
    let (root, home) = (Vessel::empty(), Vessel::new());
    for name in ["one", "two", "owner/three"] {
        let dir = root.path().join(name);
        std::fs::create_dir_all(&dir).unwrap();
        root.git(&["init", "-q", name]).ok();
        if name != "two" {
            std::fs::write(dir.join("README.md"), "x").unwrap();
            std::fs::write(dir.join("main.rs"), "fn main() {}\n").unwrap();
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
    let languages = &told["report"]["languages"];
    assert_eq!(
        (&languages[0]["name"], &languages[0]["bytes"], &languages[0]["repositories"]),
        (&"Rust".into(), &26.into(), &2.into())
    );
    assert_eq!(languages.as_array().unwrap().len(), 1, "Markdown is no program: {languages}");
    assert!(!root.path().join("one/.git/datum").exists(), "looking leaves nothing behind");
    home.datum(&["fleet", "status", "--root", "/nonexistent"]).fails(2);
}
