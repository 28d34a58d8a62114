//! The journal from the command line.

use crate::vessel::Vessel;

#[test]
fn what_is_recorded_is_listed_newest_first() {
    let vessel = Vessel::new();
    vessel.datum(&["journal", "REPAIR", "Fixed the bilge pump", "--tag", "pump"]).ok();
    vessel.datum_with(&["journal", "LOG", "--batch"], b"one\ntwo\n").ok();
    let listed = vessel.datum(&["journal", "--format", "json"]).json();
    let texts: Vec<_> = listed["entries"].as_array().unwrap().iter().map(|e| e["text"].clone()).collect();
    assert_eq!(texts, ["two", "one", "Fixed the bilge pump"]);
    let found = vessel.datum(&["journal", "--search", "BILGE", "--tag", "pump"]).ok();
    assert_eq!(found.lines().count(), 1);
    vessel.fsck();
    assert!(vessel.path().join(".git/refs/datum/journal").is_dir());
    assert_eq!(vessel.datum(&["journal", "--search", "nowhere", "--exit-code"]).code, 1);
}

#[test]
fn bad_input_is_refused_and_nothing_is_written() {
    let vessel = Vessel::new();
    let long = "x".repeat(100);
    let cases: [(&[&str], &[u8]); 10] = [
        (&["journal", "X", ""], b""),
        (&["journal", "a b", "x"], b""),
        (&["journal", "a\nTag: b", "x"], b""),
        (&["journal", &long, "x"], b""),
        (&["journal", "X", "x", "--tag", "t\nKind: vault"], b""),
        (&["journal", "X", "x", "--agent", "../../x"], b""),
        (&["journal", "X", "x", "--agent", "con"], b""),
        (&["journal", "X", "-"], b"\xff\xfe"),
        (&["journal", "X", "-"], b"a\0b"),
        (&["journal", "X", "--batch"], b"fine\nnot\0fine\n"),
    ];
    for (args, input) in cases {
        let said = vessel.datum_with(args, input).fails(2);
        assert!(said.starts_with("error: "), "{args:?}: {said}");
    }
    assert_eq!(vessel.git(&["count-objects"]).ok(), "0 objects, 0 kilobytes\n");
}
