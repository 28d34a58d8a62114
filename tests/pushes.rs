//! Pushes as the pre-push hook sees them. The secrets are made when the tests run: these files hold none.

use crate::vessel::{Ran, Vessel, clean};
use std::fs;

/// A key by its form, of characters drawn by a fixed rule.
pub(crate) fn key(seed: u64) -> String {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let drawn = (0..36).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(letters[usize::try_from(state >> 40).unwrap() % letters.len()])
    });
    format!("{}_{}", ["gh", "p"].concat(), drawn.collect::<String>())
}

/// A vessel with hooks, and an empty remote called `origin`.
fn pair() -> (Vessel, Vessel) {
    let (vessel, remote) = (Vessel::new(), Vessel::with(&["--bare"]));
    vessel.git(&["remote", "add", "origin", remote.path().to_str().unwrap()]).ok();
    vessel.datum(&["hooks", "install", "pre-push"]).ok();
    (vessel, remote)
}

fn put(vessel: &Vessel, path: &str, text: &str, subject: &str) {
    let path = vessel.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    vessel.git(&["add", "."]).ok();
    vessel.git(&["commit", "-qm", subject]).ok();
}

fn push(vessel: &Vessel, args: &[&str]) -> Ran {
    vessel.git(&[&["push", "-q"], args].concat())
}

#[test]
fn a_push_that_carries_a_secret_is_refused_and_says_how_to_go_on() {
    let (vessel, remote) = pair();
    put(&vessel, "a.txt", "fine\n", "one");
    push(&vessel, &["origin", "main"]).ok();
    let secret = key(1);
    put(&vessel, "src/config.py", &format!("x = 1\ntoken = \"{secret}\"\n"), "two");
    // It is in the history, though the tip has it no more.
    put(&vessel, "src/config.py", "x = 1\n", "three");
    let said = push(&vessel, &["origin", "main"]);
    assert_ne!(said.code, 0);
    assert!(
        said.stderr.contains("src/config.py:2:10 in") && said.stderr.contains("a GitHub token"),
        "{said:?}"
    );
    assert!(
        said.stderr.contains("it carries a secret")
            && said.stderr.contains("hint:")
            && said.stderr.contains("--no-verify")
    );
    assert!(!said.stderr.contains(&secret[5..15]), "{said:?}");
    assert_eq!(remote.git(&["log", "--format=%s", "main"]).ok(), "one\n");
    let mut allowed = clean("git", vessel.path());
    allowed.args(["push", "-q", "origin", "main"]).env("DATUM_ALLOW_SECRETS", "1");
    let said = Ran::of(&allowed.output().unwrap());
    assert!(said.code == 0 && said.stderr.contains("the push goes on"), "{said:?}");
    // What the remote has is no finding again: edited, moved, on a branch, deleted.
    put(&vessel, "src/config.py", &format!("x = 1\ntoken = \"{secret}\"\n"), "back again");
    assert_ne!(push(&vessel, &["origin", "main"]).code, 0, "a blob that comes back is new in its commit");
    push(&vessel, &["--no-verify", "origin", "main"]).ok();
    put(&vessel, "src/config.py", &format!("x = 2\ntoken = \"{secret}\"\n"), "edited");
    vessel.git(&["mv", "src/config.py", "moved.py"]).ok();
    vessel.git(&["commit", "-qm", "moved"]).ok();
    push(&vessel, &["origin", "main"]).ok();
    push(&vessel, &["origin", "main:refs/heads/side"]).ok();
    push(&vessel, &["origin", ":refs/heads/side"]).ok();
    assert_eq!(push(&vessel, &["origin", "main"]).stderr, "");
}

#[test]
fn new_branches_tags_messages_and_first_pushes() {
    let (vessel, _remote) = pair();
    put(&vessel, "a", &format!("{}\n", key(2)), "one");
    assert!(push(&vessel, &["origin", "main"]).stderr.contains("it carries a secret"));
    put(&vessel, "b", "fine", &format!("with {}", key(3)));
    assert!(push(&vessel, &["origin", "main"]).stderr.contains("it carries 2 secrets"));
    push(&vessel, &["--no-verify", "origin", "main"]).ok();
    // A new branch sends only what the remote has on no branch.
    vessel.git(&["checkout", "-q", "-b", "side"]).ok();
    put(&vessel, "c", "fine", "fine");
    push(&vessel, &["origin", "side"]).ok();
    vessel.git(&["tag", "-a", "v1", "-m", &format!("for {}", key(4))]).ok();
    let said = push(&vessel, &["origin", "v1"]);
    assert!(said.stderr.contains("its message:"), "{said:?}");
    // To an address that no remote has, everything is new.
    let other = Vessel::with(&["--bare"]);
    assert!(push(&vessel, &[other.path().to_str().unwrap(), "side"]).stderr.contains("it carries 2 secrets"));
    // Merges bring what neither side had.
    vessel.git(&["checkout", "-q", "-b", "third", "main"]).ok();
    put(&vessel, "d", "fine", "d");
    vessel.git(&["merge", "-q", "--no-commit", "side"]).ok();
    put(&vessel, "e", &key(5), "merged");
    assert!(push(&vessel, &["origin", "third"]).stderr.contains("e:1:1 in"), "a merge");
}

#[test]
fn markers_levels_and_input_that_is_none_of_gits() {
    let (vessel, _remote) = pair();
    put(&vessel, "a", &format!("{} # datum:allow-secret made for this test\n", key(6)), "one");
    push(&vessel, &["origin", "main"]).ok();
    put(&vessel, "tests/b", &format!("api_key = \"{}\"\n", &key(7)[4..]), "two");
    push(&vessel, &["origin", "main"]).ok();
    put(&vessel, "tests/c", &format!("api_key = \"{}\"\n", &key(8)[4..]), "three");
    vessel.git(&["config", "datum.prePushLevel", "warning"]).ok();
    assert_ne!(push(&vessel, &["origin", "main"]).code, 0);
    vessel.git(&["config", "datum.prePushLevel", "loud"]).ok();
    assert!(push(&vessel, &["origin", "main"]).stderr.contains("is no level"));
    vessel.git(&["config", "--unset", "datum.prePushLevel"]).ok();

    assert_eq!(vessel.datum_with(&["hook", "pre-push", "origin", "x"], b"").ok(), "");
    assert_eq!(vessel.datum_with(&["hook", "pre-push", "origin", "x"], b"\n\n").ok(), "");
    vessel.datum_with(&["hook", "pre-push", "origin", "x"], b"a b c d\n").fails(2);
    vessel.datum_with(&["hook", "pre-push", "origin", "x"], b"\xff\xfe\n").fails(2);
    let gone = format!("refs/heads/x {0} refs/heads/x {0}\n", "1".repeat(40));
    let ran = vessel.datum_with(&["hook", "pre-push", "origin", "x"], gone.as_bytes());
    assert!([0, 3].contains(&ran.code), "{ran:?}");
    vessel.datum(&["hook", "pre-push", "--range", "nothing..here"]).fails(2);
    let json = vessel
        .datum(&["hook", "pre-push", "--range", "HEAD~1..HEAD", "--fail-on", "critical", "--format", "json"])
        .json();
    assert_eq!((&json["commits"], &json["findings"][0]["path"]), (&1.into(), &"tests/c".into()));
    // pre-commit and prek tell the range in the environment.
    let mut command = vessel.command(&["hook", "pre-push", "--fail-on", "warning"]);
    command.env("PRE_COMMIT_FROM_REF", "HEAD~1").env("PRE_COMMIT_TO_REF", "HEAD");
    Ran::of(&command.output().unwrap()).fails(1);
    // Of a first push, whose commits go down to a root, only the branch.
    let mut command = vessel.command(&["hook", "pre-push", "--fail-on", "warning"]);
    command.env("PRE_COMMIT_LOCAL_BRANCH", "HEAD").env("PRE_COMMIT_REMOTE_NAME", "elsewhere");
    Ran::of(&command.output().unwrap()).fails(1);
}

#[test]
fn shallow_clones_empty_repositories_and_odd_names() {
    let empty = Vessel::new();
    empty.datum(&["hook", "post-commit"]).ok();
    empty.datum_with(&["hook", "pre-push"], b"").ok();
    let (vessel, remote) = pair();
    for number in 0..3 {
        put(&vessel, "a", &format!("{number} {}\n", key(number)), "more");
    }
    push(&vessel, &["--no-verify", "origin", "main"]).ok();
    let shallow = Vessel::empty();
    let url = format!("file://{}", remote.path().display());
    shallow.git(&["clone", "-q", "--depth", "1", "-b", "main", &url, "."]).ok();
    shallow.datum(&["hooks", "install", "pre-push"]).ok();
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::ffi::OsStrExt as _;
        fs::write(shallow.path().join(std::ffi::OsStr::from_bytes(b"na\xffme")), key(9)).unwrap();
    }
    std::os::unix::fs::symlink("loop", shallow.path().join("loop")).unwrap();
    put(&shallow, "bin", "\0\u{1}binary", "odd");
    let said = push(&shallow, &["origin", "main"]);
    assert!(said.stderr.contains("it carries a secret"), "{said:?}");
}

#[test]
fn files_are_scanned_by_name_and_by_folder() {
    let vessel = Vessel::new();
    fs::create_dir_all(vessel.path().join("src/deep")).unwrap();
    fs::write(vessel.path().join("src/deep/a.env"), format!("KEY={}\n", key(1))).unwrap();
    fs::write(vessel.path().join(".git/hidden"), key(2)).unwrap();
    let ran = vessel.datum(&["hook", "scan", "."]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.stdout.lines().count(), 1, "{ran:?}");
    assert!(ran.stdout.contains("src/deep/a.env:1:5: a GitHub token"), "{ran:?}");
    assert_eq!(vessel.datum(&["hook", "scan", "nowhere"]).code, 2);
}

#[test]
fn a_push_is_audited_for_what_it_brings() {
    let (vessel, remote) = pair();
    put(&vessel, "a", "fine", "one");
    push(&vessel, &["--no-verify", "origin", "main"]).ok();
    // A file that a later commit removes leaves all the same.
    put(&vessel, "deploy/.env", "LEVEL=1\n", "two");
    vessel.git(&["rm", "-q", "deploy/.env"]).ok();
    vessel.git(&["commit", "-qm", "three"]).ok();
    let said = push(&vessel, &["origin", "main"]);
    assert!(
        said.code != 0 && said.stderr.contains("deploy/.env: it should not be here, and commit "),
        "{said:?}"
    );
    assert!(said.stderr.contains("hint: take the file out of the history"), "{said:?}");
    assert_eq!(remote.git(&["log", "--format=%s", "main"]).ok(), "one\n");
    let id = vessel.git(&["rev-parse", "HEAD"]).ok();
    let lines = format!("refs/heads/main {} refs/heads/main {}\n", id.trim(), "0".repeat(40));
    let told = vessel.datum_with(&["hook", "pre-push", "origin", "x", "--format", "json"], lines.as_bytes());
    let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!((&told["rules"][0]["rule"], &told["commits"]), (&"hygiene/private-files".into(), &2.into()));
    let mut allowed = clean("git", vessel.path());
    allowed.args(["push", "-q", "origin", "main"]).env("DATUM_ALLOW_FINDINGS", "1");
    assert!(Ran::of(&allowed.output().unwrap()).stderr.contains("the push goes on"));
    // What the remote has is no finding again, on any branch.
    put(&vessel, "b", "fine", "four");
    push(&vessel, &["origin", "main", "main:refs/heads/side"]).ok();
    push(&vessel, &["origin", ":refs/heads/side"]).ok();
}

#[test]
fn the_vessel_says_which_rules_a_push_is_asked() {
    let (vessel, _remote) = pair();
    put(&vessel, "a", "fine", "one");
    push(&vessel, &["origin", "main"]).ok();
    let rule = "[[audit.rule]]\nid = 'mine/todo'\nlevel = 'error'\nreason = 'r'\nfix = 'do it'\n\
                probe.lacks = { any = ['*.txt'], pattern = 'TODO' }\n[audit.levels]\n'hygiene/license' = 'off'\n\
                'hygiene/readme' = 'off'\n";
    put(&vessel, "datum.toml", rule, "rules");
    put(&vessel, "old.txt", "TODO\n", "an old one");
    push(&vessel, &["origin", "main"]).ok();
    put(&vessel, "datum.toml", &format!("[audit]\npush = 'error'\n{rule}"), "asked of pushes");
    push(&vessel, &["origin", "main"]).ok();
    put(&vessel, "new.txt", "TODO\n", "a new one");
    let said = push(&vessel, &["origin", "main"]).stderr;
    assert!(said.contains("new.txt: it matches") && !said.contains("old.txt"), "{said}");
    assert!(said.contains("carries a finding of the audit") && said.contains("hint: do it;"), "{said}");
    // The user's own setting goes before the vessel's.
    vessel.git(&["config", "datum.prePushRules", "off"]).ok();
    push(&vessel, &["--dry-run", "origin", "main"]).ok();
    vessel.git(&["config", "datum.prePushRules", "loud"]).ok();
    assert!(push(&vessel, &["origin", "main"]).stderr.contains("is no level"));
    // Rules that cannot be read hold nothing back, and are told.
    vessel.git(&["config", "--unset", "datum.prePushRules"]).ok();
    put(&vessel, "datum.toml", "[audit]\npush = 1\n", "broken rules");
    let said = push(&vessel, &["origin", "main"]);
    assert!(said.code == 0 && said.stderr.contains("the rules are not asked: datum.toml:2:8"), "{said:?}");
}
