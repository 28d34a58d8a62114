//! What earlier versions wrote: read, continued and repaired by this one. The fixtures are git bundles those versions made.

use crate::vessel::{Vessel, clean};
use std::fs;
use std::path::Path;

/// A clone of the logs in a fixture: the journal has 300 entries, one segment of 256 and one of 32 in it.
fn of_format_1() -> Vessel {
    let vessel = Vessel::new();
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/formats/segment-1.bundle");
    vessel.git(&["fetch", "-q", bundle.to_str().unwrap(), "refs/datum/*:refs/datum/*"]).ok();
    // Each object a file of its own, so that it can be lost.
    for file in fs::read_dir(vessel.path().join(".git/objects/pack")).unwrap() {
        let (file, aside) = (file.unwrap().path(), vessel.path().join("pack"));
        if file.extension().is_some_and(|end| end == "pack") {
            fs::rename(&file, &aside).unwrap();
            let input = fs::File::open(&aside).unwrap();
            let mut unpack = clean("git", vessel.path());
            assert!(unpack.args(["unpack-objects", "-q"]).stdin(input).status().unwrap().success());
        }
    }
    vessel
}

/// The journal, oldest first.
fn journal(vessel: &Vessel) -> Vec<String> {
    let listed = vessel.datum(&["journal", "--all", "--format", "ndjson"]).ok();
    let text = |line: &str| {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        entry["text"].as_str().unwrap().to_owned()
    };
    listed.lines().rev().map(text).collect()
}

/// The headers of the segments of the journal's logs, in the order of their names.
fn headers(vessel: &Vessel) -> Vec<String> {
    let tips = vessel.git(&["for-each-ref", "--format=%(refname)", "refs/datum/journal"]).ok();
    let blobs = tips.lines().flat_map(|tip| {
        let blobs = vessel.git(&["ls-tree", "-r", "--object-only", tip]).ok();
        blobs.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    let first =
        |blob: String| vessel.git(&["cat-file", "blob", &blob]).stdout.lines().next().unwrap().to_owned();
    blobs.map(first).collect()
}

/// Removes each segment of the journal in turn, and sees that it is made again as it was.
fn every_segment_can_be_made_again(vessel: &Vessel) {
    let tip = vessel.git(&["for-each-ref", "--format=%(refname)", "refs/datum/journal"]).ok();
    let blobs = vessel.git(&["ls-tree", "-r", "--object-only", tip.trim()]).ok();
    let want = journal(vessel);
    for blob in blobs.lines() {
        let (folder, file) = blob.split_at(2);
        let path = vessel.path().join(".git/objects").join(folder).join(file);
        fs::remove_file(&path).unwrap();
        assert!(journal(vessel) == want);
        assert!(vessel.datum(&["doctor"]).ok().contains(blob));
        // By its id, so to the bit.
        assert!(path.exists());
    }
    vessel.fsck();
}

#[test]
fn segments_of_whole_commits_are_read_continued_and_repaired() {
    let vessel = of_format_1();
    let mut want: Vec<String> = (1..=300).map(|n| format!("entry {n}")).collect();
    assert!(journal(&vessel) == want);
    assert_eq!(vessel.datum(&["task", "list", "--format", "ndjson"]).ok().lines().count(), 3);
    assert_eq!(vessel.datum(&["doctor"]).ok(), "all is well\n");
    every_segment_can_be_made_again(&vessel);

    // The writer of the fixture goes on, and its small segment is joined with new ones.
    let writer = vessel.git(&["for-each-ref", "--format=%(refname)", "refs/datum/journal"]).ok();
    fs::create_dir_all(vessel.path().join(".git/datum")).unwrap();
    fs::write(vessel.path().join(".git/datum/clone"), writer.trim().rsplit('-').next().unwrap()).unwrap();
    let more: String = (301..=530).map(|n| format!("entry {n}\n")).collect();
    vessel.datum_with(&["journal", "LOG", "--batch"], more.as_bytes()).ok();
    want.extend(more.lines().map(str::to_owned));
    assert!(journal(&vessel) == want);
    assert_eq!(headers(&vessel), ["datum segment 1", "datum segment 2"]);
    assert_eq!(vessel.datum(&["doctor"]).ok(), "all is well\n");
    every_segment_can_be_made_again(&vessel);
    vessel.datum(&["compact"]).ok();
    assert!(journal(&vessel) == want);
}
