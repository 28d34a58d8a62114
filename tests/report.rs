//! Reports from the command line: one page that needs nothing else.

use crate::profile::{commit, write};
use crate::vessel::Vessel;
use std::fs;

/// A page holds its own look and charts, asks nobody for anything, and shows what others wrote as text.
#[track_caller]
fn check(page: &str) {
    assert!(page.starts_with("<!doctype html>") && page.contains("prefers-color-scheme: dark"));
    assert!(page.contains("<svg") && page.contains("default-src 'none'"), "{page}");
    for bad in ["<script", "src=\"", "href=\"", "url(", "@import", "<img", "<link", "xmlns"] {
        assert!(!page.contains(bad), "{bad}: {page}");
    }
    let count = |what: &str| page.matches(what).count();
    for tag in ["table", "tr", "figure", "svg", "ul", "details", "p"] {
        let opened = count(&format!("<{tag}>")) + count(&format!("<{tag} "));
        assert_eq!(opened, count(&format!("</{tag}>")), "{tag}");
    }
}

fn workshop() -> Vessel {
    let vessel = Vessel::new();
    vessel.datum(&["boot"]).ok();
    write(&vessel, "a.rs", "fn main() {}\n");
    write(
        &vessel,
        "tools/manifest.json",
        "{\"tools\": [{\"name\": \"<img src=x>\", \"path\": \"tools/x\"}]}",
    );
    write(&vessel, "for-fleet/x.md", "# <script>alert(1)</script> | x\n\nHello.\n");
    commit(&vessel, "<script>alert(1)</script>", "<b>heron", 0);
    commit(&vessel, "later", "heron", 70 * 86_400);
    vessel.datum(&["journal", "LOG", "<script>x</script>"]).ok();
    vessel.datum(&["oracle", "add", "Mend | nets"]).ok();
    vessel
}

#[test]
fn a_workshop_on_one_page() {
    let vessel = workshop();
    let page = vessel.datum(&["report", "workshop", "--format", "html"]).ok();
    check(&page);
    for heading in ["Languages", "Activity", "Work", "Capabilities", "Structure", "Tools", "Audit"] {
        assert!(page.contains(&format!("<h2>{heading}</h2>")), "{heading}");
    }
    let markdown = vessel.datum(&["report", "workshop"]).ok();
    assert!(markdown.starts_with("# Workshop report: ") && !markdown.contains("<script"), "{markdown}");
    assert!(markdown.contains("| Rust | "), "{markdown}");
    assert_eq!(page, vessel.datum(&["report", "workshop", "--format", "html"]).ok());
    let value = vessel.datum(&["report", "workshop", "--format", "json"]).json();
    assert_eq!((&value["report"], &value["profile"]["history"]["commits"]), (&"workshop".into(), &2.into()));
    vessel.datum(&["report", "workshop", "--format", "html", "--output", "r.html"]).ok();
    assert_eq!(fs::read_to_string(vessel.path().join("r.html")).unwrap(), page);
    let said = vessel.datum(&["report", "workshop", "--format", "sarif"]).fails(2);
    assert!(said.contains("md, html or json"), "{said}");
}

#[test]
fn conformance_names_every_rule() {
    let vessel = workshop();
    let page = vessel.datum(&["report", "conformance", "--format", "html"]).ok();
    check(&page);
    let value = vessel.datum(&["report", "conformance", "--format", "json"]).json();
    let rules = value["audit"]["rules"].as_array().unwrap();
    assert!(rules.len() > 59);
    // Where a name may be broken is no part of it.
    let words = page.replace("<wbr>", "");
    for rule in rules {
        assert!(words.contains(rule["rule"].as_str().unwrap()), "{rule}");
    }
}

#[test]
fn a_fleet_on_one_page_in_spite_of_a_broken_member() {
    let fleet = Vessel::empty();
    let vessel = workshop();
    for name in ["one", "two"] {
        fleet.git(&["clone", "-q", vessel.path().to_str().unwrap(), name]).ok();
    }
    let ran = fleet.datum(&["report", "fleet", "--root", ".", "--format", "html"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    check(&ran.stdout);
    assert!(ran.stdout.contains("<td>one</td>") && ran.stdout.contains("<td>two</td>"));
    let broken = fleet.path().join("three");
    fs::create_dir_all(broken.join(".git")).unwrap();
    let ran = fleet.datum(&["report", "fleet", "--root", "."]);
    assert!(ran.code == 3 && ran.stdout.contains("- three: ") && ran.stderr.contains("three"), "{ran:?}");
    let said = Vessel::empty().datum(&["report", "fleet"]).fails(2);
    assert!(said.contains("no git repository"), "{said}");
}
