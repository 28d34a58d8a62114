//! Signed logs against the real git and the real ssh-keygen, and what verifying says of broken ones.

use crate::testing::{NOW, append, fsck, git, repository, stamp};
use crate::trust::{self, Trust};
use crate::verify::{LogReport, pin, verify};
use crate::{AgentName, Draft, EntryId, Kind, Pins, Signer, Signers, Store, StoreError};
use std::fs;
use std::path::Path;
use std::process::Command;

fn signer(agent: &str) -> Signer {
    let mut seed = [7; 32];
    seed[..agent.len()].copy_from_slice(agent.as_bytes());
    Signer::from_seed(&seed)
}

fn open(dir: &Path) -> Store {
    Store::open(dir).unwrap().signing(Signers::new(|agent| Ok(Some(signer(agent.as_str())))))
}

fn declare(store: &Store, agent: &str) -> EntryId {
    let name = AgentName::new(agent).unwrap();
    let draft = trust::declaration(&name, &signer(agent).public(), None).unwrap();
    store.apply::<StoreError>(Kind::Agent, &stamp(agent, 0), |_| Ok(vec![draft.clone()])).unwrap().ids[0]
}

fn task(store: &Store, agent: &str, subjects: &[&str]) -> Vec<EntryId> {
    let drafts: Vec<_> = subjects.iter().map(|subject| Draft::new(subject, "").unwrap()).collect();
    store.apply::<StoreError>(Kind::Task, &stamp(agent, 1), |_| Ok(drafts.clone())).unwrap().ids
}

fn reports(store: &Store) -> Vec<LogReport> {
    let snapshot = store.snapshot().unwrap();
    verify(&snapshot, &store.pins().unwrap())
}

fn refusals(store: &Store) -> Vec<String> {
    reports(store).into_iter().flat_map(|report| report.refused).map(|refusal| refusal.why).collect()
}

/// Puts a raw commit in place of a log's tip, as someone with access to the repository could.
fn forge(dir: &Path, name: &str, change: impl Fn(String) -> String) {
    let raw = git(dir, &["cat-file", "commit", name]);
    let path = dir.join("forged");
    fs::write(&path, change(raw)).unwrap();
    let id = git(dir, &["hash-object", "-t", "commit", "-w", "forged"]);
    fs::remove_file(path).unwrap();
    git(dir, &["update-ref", name, id.trim()]);
}

const TASKS: &str = "refs/datum/task/a-aaaaaaaa";

#[test]
fn signed_by_kind_and_proved_by_declaration() {
    for init in [&[][..], &["--object-format=sha256"]] {
        let dir = repository(init);
        let store = open(dir.path());
        task(&store, "a", &["before the declaration"]);
        declare(&store, "a");
        let many: Vec<_> = (0..600).map(|n| format!("task {n}")).collect();
        task(&store, "a", &many.iter().map(String::as_str).collect::<Vec<_>>());
        append(&store, "a", 9, "journals are not signed");
        let found = reports(&store);
        let counts: Vec<_> =
            found.iter().map(|r| (r.kind, r.seq, r.entries, r.proved, r.unproved_count())).collect();
        assert_eq!(
            counts,
            [(Kind::Journal, 1, 1, 0, 1), (Kind::Task, 601, 601, 601, 0), (Kind::Agent, 1, 1, 1, 0)]
        );
        assert!(found.iter().all(LogReport::is_good), "{found:?}");
        fsck(dir.path());
    }
}

#[test]
fn git_verify_commit_agrees() {
    if Command::new("ssh-keygen").arg("-?").output().is_err() {
        eprintln!("skipped: there is no ssh-keygen for git verify-commit");
        return;
    }
    for init in [&[][..], &["--object-format=sha256"]] {
        let dir = repository(init);
        let store = open(dir.path());
        let id = task(&store, "a", &["one"])[0].to_string();
        let allowed = dir.path().join("allowed");
        fs::write(&allowed, format!("a@datum {}\n", signer("a").public())).unwrap();
        let setting = format!("gpg.ssh.allowedSignersFile={}", allowed.display());
        let said = git(dir.path(), &["-c", &setting, "verify-commit", "--raw", &id]);
        assert!(said.contains("Good \"git\" signature for a@datum"), "{said}");
        forge(dir.path(), TASKS, |raw| raw.replace("one", "two"));
        let checked = Command::new("git")
            .args(["-c", &setting, "verify-commit", TASKS])
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert!(!checked.status.success());
        assert!(
            refusals(&store).iter().any(|why| why.contains("signature is bad")),
            "{:?}",
            refusals(&store)
        );
    }
}

#[test]
fn we_agree_with_ssh_keygen() {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| Command::new("ssh-keygen").args(args).current_dir(dir.path()).output();
    if run(&["-q", "-t", "ed25519", "-N", "", "-f", "pair", "-C", "a comment"]).is_err() {
        eprintln!("skipped: there is no ssh-keygen to sign with");
        return;
    }
    fs::write(dir.path().join("content"), "content").unwrap();
    assert!(run(&["-q", "-Y", "sign", "-n", "git", "-f", "pair", "content"]).unwrap().status.success());
    let armour = fs::read_to_string(dir.path().join("content.sig")).unwrap();
    let public = fs::read_to_string(dir.path().join("pair.pub")).unwrap();
    assert_eq!(crate::sshsig::verify(&armour, b"content"), crate::PublicKey::parse(public.trim()));
    assert!(run(&["-q", "-Y", "sign", "-n", "file", "-f", "pair", "content"]).is_ok());
}

#[test]
fn another_agents_signature_and_log_are_refused() {
    let dir = repository(&[]);
    let store = open(dir.path());
    declare(&store, "a");
    declare(&store, "b");
    task(&store, "a", &["one"]);
    // The key of b, in the log of a.
    let other = Store::open(dir.path()).unwrap().signing(Signers::new(|_| Ok(Some(signer("b")))));
    task(&other, "a", &["two"]);
    assert!(refusals(&store)[0].contains("is no key of a"), "{:?}", refusals(&store));
    // A commit of a, pushed as a log of b.
    git(dir.path(), &["update-ref", "refs/datum/task/b-aaaaaaaa", &format!("{TASKS}~1")]);
    assert!(
        refusals(&store).iter().any(|why| why.contains("stands in a log of b")),
        "{:?}",
        refusals(&store)
    );
}

#[test]
fn unsigned_and_undeclared_are_unproved() {
    let dir = repository(&[]);
    let store = open(dir.path());
    task(&store, "a", &["signed"]);
    let tasks = |store: &Store| reports(store).into_iter().find(|report| report.kind == Kind::Task).unwrap();
    let why = |store: &Store| tasks(store).unproved.into_keys().next().unwrap();
    assert_eq!(why(&store), "a has declared no key");
    declare(&store, "a");
    task(&Store::open(dir.path()).unwrap(), "a", &["unsigned"]);
    assert!(why(&store).contains("not signed, and a has declared a key"));
    let report = tasks(&store);
    assert_eq!((report.proved, report.unproved_count(), report.is_good()), (1, 1, true));
}

#[test]
fn a_forged_author_is_refused() {
    let dir = repository(&[]);
    let store = open(dir.path());
    task(&Store::open(dir.path()).unwrap(), "a", &["one"]);
    for (old, new) in [
        ("author a <", "author b <"),
        ("<a-aaaaaaaa@datum>", "<a-bbbbbbbb@datum>"),
        ("1767225600 +0000\nc", "1 +0000\nc"),
    ] {
        let before = git(dir.path(), &["rev-parse", TASKS]);
        forge(dir.path(), TASKS, |raw| raw.replacen(old, new, 1));
        assert!(refusals(&store)[0].contains("its author line is"), "{:?}", refusals(&store));
        git(dir.path(), &["update-ref", TASKS, before.trim()]);
    }
    assert_eq!(refusals(&store), Vec::<String>::new());
}

#[test]
fn what_was_seen_is_not_taken_back() {
    let dir = repository(&[]);
    let store = open(dir.path());
    let ids = task(&store, "a", &["one", "two", "three"]);
    store.change_pins(|pins| pin(pins, &store.snapshot().unwrap(), &reports(&store))).unwrap();
    task(&store, "a", &["four"]);
    assert_eq!(refusals(&store), Vec::<String>::new());
    let back = |to: &str| git(dir.path(), &["update-ref", TASKS, to]);
    let tip = git(dir.path(), &["rev-parse", TASKS]);
    back(&ids[1].to_string());
    assert!(refusals(&store)[0].contains("was set back"), "{:?}", refusals(&store));
    assert!(
        refusals(&store)[0].contains(&ids[2].to_string())
            && refusals(&store)[0].contains(&ids[1].to_string())
    );
    task(&store, "a", &["another three", "another four"]);
    assert!(refusals(&store)[0].contains("was rewritten"), "{:?}", refusals(&store));
    git(dir.path(), &["update-ref", "-d", TASKS]);
    assert!(refusals(&store)[0].contains("the log is gone"), "{:?}", refusals(&store));
    back(tip.trim());
    assert_eq!(refusals(&store), Vec::<String>::new());
}

#[test]
fn a_segment_that_was_changed_is_refused() {
    let dir = repository(&[]);
    let store = open(dir.path());
    let many: Vec<_> = (0..300).map(|n| format!("task {n:03}")).collect();
    task(&store, "a", &many.iter().map(String::as_str).collect::<Vec<_>>());
    let path = git(dir.path(), &["ls-tree", "-r", TASKS]);
    let (blob, file) =
        path.trim().split_once('\t').map(|(left, file)| (left[12..].to_owned(), file.to_owned())).unwrap();
    let mut bytes = store.odb.blob(EntryId::from_hex(&blob).unwrap()).unwrap();
    // The whole story again, with one word changed: every length fits, no id does.
    let at = memchr::memmem::find(&bytes, b"task 100").unwrap();
    bytes[at + 5] = b'X';
    fs::write(dir.path().join("new"), bytes).unwrap();
    let new = git(dir.path(), &["hash-object", "-w", "new"]);
    let leaf = |id: &str, kind: &str, name: &str| {
        let mode = if kind == "tree" { "040000" } else { "100644" };
        fs::write(dir.path().join("list"), format!("{mode} {kind} {id}\t{name}\n")).unwrap();
        let shell =
            Command::new("sh").args(["-c", "git mktree < list"]).current_dir(dir.path()).output().unwrap();
        String::from_utf8(shell.stdout).unwrap().trim().to_owned()
    };
    let parts: Vec<_> = file.split('/').collect();
    let inner = leaf(new.trim(), "blob", parts[2]);
    let tree = leaf(&leaf(&inner, "tree", parts[1]), "tree", parts[0]);
    forge(dir.path(), TASKS, |raw| format!("tree {tree}\n{}", raw.split_once('\n').unwrap().1));
    let found = refusals(&store);
    assert!(found.iter().any(|why| why.contains("its content has another id")), "{found:?}");
}

#[test]
fn a_key_first_seen_is_not_replaced_by_another_claim() {
    let dir = repository(&[]);
    let store = open(dir.path());
    declare(&store, "a");
    let snapshot = store.snapshot().unwrap();
    let mut pins = Pins::default();
    pin(&mut pins, &snapshot, &verify(&snapshot, &Pins::default()));
    // Someone else's clone claims the name, with a key of its own and an earlier clock.
    fs::write(dir.path().join(".git/datum/clone"), "bbbbbbbb\n").unwrap();
    let other = Store::open(dir.path()).unwrap().signing(Signers::new(|_| Ok(Some(signer("b")))));
    let name = AgentName::new("a").unwrap();
    let draft = trust::declaration(&name, &signer("b").public(), None).unwrap();
    let mut early = stamp("a", 0);
    early.now = NOW - 1000;
    other.apply::<StoreError>(Kind::Agent, &early, |_| Ok(vec![draft.clone()])).unwrap();
    let snapshot = store.snapshot().unwrap();
    assert!(Trust::read(&snapshot, &Pins::default()).declared("a").unwrap().signers.is_empty());
    assert_eq!(Trust::read(&snapshot, &pins).declared("a").unwrap().root, Some(signer("a").public()));
}

#[test]
fn bottles_for_another_vessel_are_signed_and_an_outbox_set_back_is_named() {
    let dir = repository(&[]);
    let store = open(dir.path());
    declare(&store, "a");
    let vessel = AgentName::new("tern").unwrap();
    let post = |text: &str| {
        let draft = Draft::new(text, "").unwrap();
        store.post::<StoreError>(&vessel, &stamp("a", 2), |_| Ok(vec![draft.clone()])).unwrap().ids[0]
    };
    let first = post("one");
    post("two");
    let look = || {
        let (snapshot, pins) = (store.snapshot().unwrap(), store.pins().unwrap());
        let outbox = store.outbox_alone(&vessel).unwrap();
        crate::verify::verify_outbox(&snapshot, &vessel, &outbox, &pins)
    };
    let good = look();
    assert_eq!((good.len(), good[0].entries, good[0].proved), (1, 2, 2), "{good:?}");
    store.change_pins(|pins| pin(pins, &store.snapshot().unwrap(), &good)).unwrap();
    let name = format!("refs/datum/outbox/tern/{}", good[0].writer);
    git(dir.path(), &["update-ref", &name, &first.to_string()]);
    assert!(look()[0].refused[0].why.contains("set back"), "{:?}", look());
    forge(dir.path(), &name, |raw| raw.replace("one", "won"));
    assert!(look()[0].refused.iter().any(|found| found.why.contains("signature is bad")), "{:?}", look());
    git(dir.path(), &["update-ref", "-d", &name]);
    assert!(look()[0].refused[0].why.contains("is gone"), "{:?}", look());
}
