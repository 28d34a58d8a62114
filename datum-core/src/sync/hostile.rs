//! Vessels that lie: nothing of theirs crashes a reader, nothing is believed, each is named once.

use crate::sync::{Options, Report};
use crate::testing::{NOW, append, fsck, git, repository, stamp, texts};
use crate::{Kind, Store};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

const EMPTY: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// A remote with one true word in it, to be spoilt.
fn remote() -> TempDir {
    let remote = repository(&["--bare"]);
    git_input(remote.path(), &["mktree"], "");
    let friend = repository(&[]);
    std::fs::write(friend.path().join(".git/datum/clone"), "friend01\n").unwrap();
    append(&Store::open(friend.path()).unwrap(), "x", 0, "a true word");
    sync(&friend, remote.path());
    remote
}

fn sync(dir: &TempDir, remote: &Path) -> Report {
    let store = Store::open(dir.path()).unwrap();
    let remote = store.remote(&remote.to_string_lossy(), Duration::from_secs(60)).unwrap();
    let report = store.sync(&stamp("syncer", 0), &remote, &Options::default()).unwrap();
    assert!(report.trouble.is_none(), "{report:?}");
    report
}

fn git_input(dir: &Path, args: &[&str], input: &str) -> String {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut command = Command::new("git");
    command.args(args).current_dir(dir).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {args:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// An entry as `agent` of the clone `eeeeeee1` would write it.
fn entry(agent: &str) -> String {
    entry_with(EMPTY, agent, NOW, 1, "hello")
}

fn entry_with(tree: &str, agent: &str, clock: u64, seq: u64, subject: &str) -> String {
    let who = format!("{agent} <{agent}-eeeeeee1@datum> 1767225600 +0000");
    format!(
        "tree {tree}\nauthor {who}\ncommitter {who}\n\n\
         {subject}\n\nKind: journal\nAgent: {agent}\nClock: {clock}\nSeq: {seq}\n"
    )
}

/// Writes a hand-made commit; answers with its id.
fn commit(dir: &Path, raw: &str) -> String {
    git_input(dir, &["hash-object", "-t", "commit", "--literally", "-w", "--stdin"], raw)
}

fn put(dir: &Path, agent: &str, raw: &str) {
    let id = commit(dir, raw);
    git(dir, &["update-ref", &format!("refs/datum/journal/{agent}-eeeeeee1"), &id]);
}

/// One log that lies, put beside a true one: it is named, the true one comes, and the same is said the next time.
fn check(raw: &dyn Fn(&Path) -> String, why: &str) {
    let remote = remote();
    put(remote.path(), "liar", &raw(remote.path()));
    let reader = repository(&[]);
    for came in [1, 0] {
        let report = sync(&reader, remote.path());
        let told: Vec<_> = report.refused.iter().map(|refused| refused.log.1.agent()).collect();
        assert_eq!((told, report.came.len(), report.went.len()), (vec!["liar"], came, 0), "{report:?}");
        assert!(!report.refused[0].by_them && report.refused[0].why.contains(why), "{report:?}");
    }
    assert_eq!(texts(&Store::open(reader.path()).unwrap()), ["a true word"]);
    fsck(reader.path());
}

#[test]
fn a_commit_that_is_no_entry() {
    let plain =
        |_: &Path| format!("tree {EMPTY}\nauthor x <x@x> 1 +0000\ncommitter x <x@x> 1 +0000\n\nhello\n");
    check(&plain, "is no entry of a journal log");
}

#[test]
fn an_entry_that_names_another_agent() {
    check(&|_| entry("liar").replace("Agent: liar", "Agent: oracle1"), "claims to be by");
}

#[test]
fn an_entry_whose_author_is_another() {
    check(&|_| entry("liar").replace("author liar <liar-", "author oracle1 <oracle1-"), "claims to be by");
}

#[test]
fn a_clock_in_the_far_future() {
    check(&|_| entry_with(EMPTY, "liar", NOW + 3 * 86_400_000, 1, "soon"), "72 h ahead of this clock");
    // One beyond all numbers is not even read as a clock.
    let endless = |_: &Path| entry_with(EMPTY, "liar", u64::MAX, 1, "never");
    check(&endless, "is no entry of a journal log");
}

#[test]
fn a_log_that_begins_in_the_middle() {
    check(&|_| entry_with(EMPTY, "liar", NOW, 7, "the seventh"), "says it is entry 7, and is entry 1");
}

#[test]
fn a_gigantic_message() {
    check(&|_| entry_with(EMPTY, "liar", NOW, 1, &"x".repeat(3_000_000)), "bytes");
}

#[test]
fn a_body_that_is_the_readers_own_file() {
    let thief = |dir: &Path| {
        let blob = git_input(dir, &["hash-object", "-w", "--stdin"], "the reader's own");
        entry("liar").replace("Kind:", &format!("Payload: {blob}\nKind:"))
    };
    check(&thief, "is not in its log");
}

#[test]
fn a_symbolic_link_for_a_tree() {
    let link = |dir: &Path| {
        let blob = git_input(dir, &["hash-object", "-w", "--stdin"], "../../../etc");
        let tree = git_input(dir, &["mktree"], &format!("120000 blob {blob}\tsegments\n"));
        entry_with(&tree, "liar", NOW, 1, "a link")
    };
    check(&link, "which no log does");
}

#[test]
fn dots_in_a_tree() {
    for name in ["..", ".", ".git"] {
        let up = |dir: &Path| {
            let blob = git_input(dir, &["hash-object", "-w", "--stdin"], "up and away");
            // mktree would refuse the name, so the tree is written by hand.
            let hex: Vec<u8> =
                (0..40).step_by(2).map(|at| u8::from_str_radix(&blob[at..at + 2], 16).unwrap()).collect();
            let raw = [format!("100644 {name}\0").as_bytes(), &hex].concat();
            std::fs::write(dir.join("tree"), raw).unwrap();
            let tree = git(dir, &["hash-object", "-t", "tree", "--literally", "-w", "tree"]);
            entry_with(tree.trim(), "liar", NOW, 1, "up and away")
        };
        check_unfetched(&up);
    }
}

/// As [`check`], for what git itself may refuse to fetch.
fn check_unfetched(raw: &dyn Fn(&Path) -> String) {
    let remote = remote();
    put(remote.path(), "liar", &raw(remote.path()));
    let reader = repository(&[]);
    let report = sync(&reader, remote.path());
    let told: Vec<_> = report.refused.iter().map(|refused| refused.log.1.agent()).collect();
    assert_eq!(told, ["liar"], "{report:?}");
    assert_eq!(texts(&Store::open(reader.path()).unwrap()), ["a true word"]);
}

#[test]
fn a_segment_that_is_none() {
    let torn = |dir: &Path| {
        let blob = git_input(dir, &["hash-object", "-w", "--stdin"], "datum segment 1\n99999999999\n");
        let name = format!("000000000256-{}", "a".repeat(40));
        let folder = git_input(dir, &["mktree"], &format!("100644 blob {blob}\t{name}\n"));
        let segments = git_input(dir, &["mktree"], &format!("040000 tree {folder}\t000000\n"));
        let tree = git_input(dir, &["mktree"], &format!("040000 tree {segments}\tsegments\n"));
        entry_with(&tree, "liar", NOW, 257, "sealed")
    };
    check(&torn, "do not follow its last segment");
}

#[test]
fn a_merge_in_a_log() {
    let merge = |dir: &Path| {
        let first = commit(dir, &entry("liar"));
        let second = entry_with(EMPTY, "liar", NOW + 1, 2, "both");
        second.replacen("author", &format!("parent {first}\nparent {first}\nauthor"), 1)
    };
    check(&merge, "is a merge");
}

#[test]
fn refs_with_odd_names_are_counted_and_left_alone() {
    let remote = remote();
    let id = commit(remote.path(), &entry("x"));
    let names = ["journal/NoWriter", "journal/a/b/c", "nokind/a-eeeeeee1", "journal/a-EEEEEEEE", "outbox"];
    let odd: String = names.iter().map(|name| format!("create refs/datum/{name} {id}\n")).collect();
    git_input(remote.path(), &["update-ref", "--stdin"], &odd);
    let many: String = (0..300).map(|n| format!("create refs/datum/journal/Odd{n}/x {id}\n")).collect();
    git_input(remote.path(), &["update-ref", "--stdin"], &many);
    git(remote.path(), &["update-ref", "refs/datum/claim/3f", &id]);
    let reader = repository(&[]);
    let report = sync(&reader, remote.path());
    assert_eq!((report.odd.len(), report.came.len(), report.refused.len()), (305, 1, 0), "{report:?}");
    let refs = git(reader.path(), &["for-each-ref", "--format=%(refname)"]);
    assert!(!refs.contains("Odd") && !refs.contains("nokind") && !refs.contains("claim"), "{refs}");
}

#[test]
fn escape_sequences_come_as_they_are_and_are_text() {
    let remote = remote();
    put(remote.path(), "esc", &entry_with(EMPTY, "esc", NOW, 1, "\u{1b}[2J\u{202e}gone"));
    let reader = repository(&[]);
    assert_eq!(sync(&reader, remote.path()).came.len(), 2);
    // Whether they reach a terminal is the printer's to decide, and tested there.
    assert!(texts(&Store::open(reader.path()).unwrap()).contains(&"\u{1b}[2J\u{202e}gone".to_owned()));
}

#[test]
fn a_thousand_writers_are_read_like_any_others() {
    let remote = remote();
    let files = tempfile::tempdir().unwrap();
    let paths: String = (0..1000)
        .map(|n| {
            let path = files.path().join(n.to_string());
            std::fs::write(&path, entry(&format!("w{n}"))).unwrap();
            format!("{}\n", path.display())
        })
        .collect();
    let ids = git_input(
        remote.path(),
        &["hash-object", "-t", "commit", "--literally", "-w", "--stdin-paths"],
        &paths,
    );
    let refs: String = ids
        .lines()
        .enumerate()
        .map(|(n, id)| format!("create refs/datum/journal/w{n}-eeeeeee1 {id}\n"))
        .collect();
    git_input(remote.path(), &["update-ref", "--stdin"], &refs);
    let reader = repository(&[]);
    let report = sync(&reader, remote.path());
    assert_eq!((report.came.len(), report.refused.len(), report.went.len()), (1001, 0, 0));
    let store = Store::open(reader.path()).unwrap();
    assert_eq!(store.snapshot().unwrap().entries(Kind::Journal).len(), 1001);
    assert!(sync(&reader, remote.path()).came.is_empty());
}
