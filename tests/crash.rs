//! Nothing lost: crashes, full disks, stale locks, and git's own housekeeping at the same time.

use crate::vessel::{Vessel, clean, make_old};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const LOG: &str = "refs/datum/journal";

/// The texts of the journal, oldest first; nothing of it may be damaged.
fn texts(vessel: &Vessel) -> Vec<String> {
    let listed = vessel.datum(&["journal", "--all", "--format", "json"]).json();
    let text = |entry: &serde_json::Value| entry["text"].as_str().unwrap().to_owned();
    listed["entries"].as_array().unwrap().iter().rev().map(text).collect()
}

fn quiet(mut command: Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn append(vessel: &Vessel, agent: &str, text: &str) -> Child {
    let mut command = vessel.command(&["journal", "LOG", text]);
    command.env("DATUM_AGENT", agent);
    quiet(command)
}

/// The single log's file and its newest commit.
fn log_of(vessel: &Vessel) -> (PathBuf, String) {
    let name = vessel.git(&["for-each-ref", "--format=%(refname)", LOG]).ok().trim().to_owned();
    let tip = vessel.git(&["rev-parse", &name]).ok().trim().to_owned();
    (vessel.path().join(".git").join(name), tip)
}

fn object(vessel: &Vessel, id: &str) -> PathBuf {
    vessel.path().join(format!(".git/objects/{}/{}", &id[..2], &id[2..]))
}

fn truncate(path: &Path) {
    let whole = fs::read(path).unwrap();
    fs::remove_file(path).unwrap();
    fs::write(path, &whole[..whole.len() / 2]).unwrap();
}

#[test]
fn twenty_processes_append_at_once_and_all_entries_are_kept() {
    // All as one agent, the hardest case, and as twenty.
    for agents in [1, 20] {
        let vessel = Vessel::new();
        let writers: Vec<_> =
            (0..20).map(|n| append(&vessel, &format!("a{}", n % agents), &format!("entry {n}"))).collect();
        for writer in writers {
            let output = writer.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        let mut kept = texts(&vessel);
        kept.sort();
        let mut want: Vec<_> = (0..20).map(|n| format!("entry {n}")).collect();
        want.sort();
        assert_eq!(kept, want);
        vessel.fsck();
    }
}

#[test]
fn all_entries_are_kept_while_git_packs_and_collects() {
    let vessel = Vessel::new();
    vessel.git(&["commit", "-q", "--allow-empty", "-m", "x"]).ok();
    let done = AtomicBool::new(false);
    let rounds = std::thread::scope(|scope| {
        let done = &done;
        let vessel = &vessel;
        let chores: [&[&str]; 3] =
            [&["gc", "-q"], &["repack", "-d", "-q", "--geometric=2"], &["pack-refs", "--all"]];
        let chores = chores.map(|args| {
            scope.spawn(move || {
                let mut rounds = 0;
                while !done.load(Ordering::Relaxed) {
                    // They may get into each other's way; what they do to us counts.
                    vessel.git(args);
                    rounds += 1;
                }
                rounds
            })
        });
        let writers: Vec<_> = (0..20)
            .map(|n| {
                scope.spawn(move || {
                    for i in 0..3 {
                        let output = append(vessel, &format!("a{}", n % 4), &format!("{n} {i}"))
                            .wait_with_output()
                            .unwrap();
                        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                    }
                })
            })
            .collect();
        let results: Vec<_> = writers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        for result in results {
            result.unwrap();
        }
        chores.map(|chore| chore.join().unwrap())
    });
    assert!(rounds.iter().all(|rounds| *rounds > 0), "{rounds:?}");
    assert_eq!(texts(&vessel).len(), 60);
    assert!(!vessel.path().join(".git/packed-refs.lock").exists());
    vessel.fsck();
}

/// Starts writers and kills them at moments spread over a whole run; answers with the texts they reported as written.
fn kill_writers(vessel: &Vessel, count: u32) -> Vec<String> {
    let start = Instant::now();
    append(vessel, "a", "a whole one").wait().unwrap();
    let whole = start.elapsed();
    let mut reported = vec!["a whole one".to_owned()];
    for n in 0..count {
        let text = format!("entry {n}");
        let mut child = append(vessel, "a", &text);
        // A step that shares no factor with the count visits every moment once.
        std::thread::sleep(whole * (n * 37 % count) / count);
        let _ = child.kill();
        if child.wait().unwrap().success() {
            reported.push(text);
        }
        // What a lock leaves behind is another test's matter; here it would only cost time.
        vessel.age_locks();
    }
    reported
}

#[test]
fn a_killed_writer_leaves_the_old_state_or_the_new_and_no_packed_lock() {
    let vessel = Vessel::new();
    vessel.datum(&["journal", "LOG", "first"]).ok();
    vessel.git(&["pack-refs", "--all"]).ok();
    let reported = kill_writers(&vessel, 200);
    assert!(!vessel.path().join(".git/packed-refs.lock").exists());
    let kept = texts(&vessel);
    // Every one that reported success is there; one killed after its last step may be there too; none twice.
    assert!(reported.iter().all(|text| kept.contains(text)), "{reported:?} {kept:?}");
    let mut once = kept.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), kept.len());
    eprintln!("of 200 killed writers {} had finished, {} entries stand", reported.len() - 1, kept.len() - 2);
    vessel.datum(&["journal", "LOG", "after all that"]).ok();
    assert_eq!(texts(&vessel).last().unwrap(), "after all that");
    vessel.fsck();
    // What the dead have left is found and removed, once it is old.
    for entry in fs::read_dir(vessel.path().join(".git/objects")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with(".tmp") {
            fs::remove_file(&path).unwrap();
            make_old(&path);
        }
    }
    vessel.datum(&["doctor"]).ok();
    assert_eq!(vessel.datum(&["doctor", "--dry-run"]).ok(), "all is well\n");
}

#[test]
fn a_stale_lock_is_cleared_and_named_and_one_that_is_held_is_waited_for() {
    let vessel = Vessel::new();
    vessel.datum(&["journal", "LOG", "one"]).ok();
    let (path, _) = log_of(&vessel);
    let lock = path.with_extension("lock");
    make_old(&lock);
    let ran = vessel.datum(&["journal", "LOG", "two"]);
    assert!(ran.stderr.contains(lock.to_str().unwrap()), "{ran:?}");
    ran.ok();

    // A fresh one: git's timeout for locks of refs is ours too.
    vessel.git(&["config", "core.filesRefLockTimeout", "100"]).ok();
    fs::File::create(&lock).unwrap();
    let said = vessel.datum(&["journal", "LOG", "three"]).fails(3);
    assert!(said.contains(lock.to_str().unwrap()) && said.contains("hint: "), "{said}");
    vessel.git(&["config", "--unset", "core.filesRefLockTimeout"]).ok();
    let writer = append(&vessel, "a", "three");
    std::thread::sleep(Duration::from_millis(300));
    fs::remove_file(&lock).unwrap();
    assert!(writer.wait_with_output().unwrap().status.success());
    assert_eq!(texts(&vessel), ["one", "two", "three"]);
}

/// The journal in text, with exit code 3 and a word about the damage.
fn read_around(vessel: &Vessel, names: &str) -> String {
    let ran = vessel.datum(&["journal"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains(names) && ran.stderr.contains("datum doctor"), "{ran:?}");
    ran.stdout
}

#[test]
fn broken_things_are_named_read_around_and_repaired() {
    let vessel = Vessel::new();
    vessel.datum(&["journal", "LOG", "one"]).ok();
    vessel.datum(&["journal", "LOG", "two"]).ok();
    vessel.datum(&["journal", "LOG", "another's", "--agent", "b"]).ok();
    let name = vessel.git(&["for-each-ref", "--format=%(refname)", "refs/datum/journal/a-*"]).ok();
    let path = vessel.path().join(".git").join(name.trim());
    let tip = fs::read_to_string(&path).unwrap().trim().to_owned();

    // A ref that holds no id hides its log and no other.
    fs::write(&path, "garbage\n").unwrap();
    assert!(read_around(&vessel, name.trim()).contains("another's"));
    vessel.datum(&["journal", "LOG", "three"]).fails(3);
    assert_eq!(vessel.datum(&["doctor", "--dry-run"]).code, 1);
    assert!(vessel.datum(&["doctor"]).ok().contains(&tip));
    assert_eq!(texts(&vessel).len(), 3);

    // A truncated tip, then a missing one: read from the value before, which is repaired to.
    for breaks in [truncate, |path: &Path| fs::remove_file(path).unwrap()] {
        vessel.datum(&["journal", "LOG", "three"]).ok();
        let tip = fs::read_to_string(&path).unwrap().trim().to_owned();
        breaks(&object(&vessel, &tip));
        let read = read_around(&vessel, &tip);
        assert!(read.contains("two") && !read.contains("three"), "{read}");
        vessel.datum(&["journal", "LOG", "four"]).fails(3);
        let healed = vessel.datum(&["doctor", "--format", "json"]).json();
        assert_eq!(healed["findings"][0]["from"], tip.as_str());
        assert_eq!(texts(&vessel).len(), 3);
        vessel.fsck();
    }

    // A truncated segment costs nothing: its commits still stand.
    let lines: String = (0..300).map(|n| format!("line {n}\n")).collect();
    vessel.datum_with(&["journal", "LOG", "--batch"], lines.as_bytes()).ok();
    let blobs = vessel.git(&["ls-tree", "-r", "--object-only", name.trim()]).ok();
    for blob in blobs.lines() {
        truncate(&object(&vessel, blob));
        assert_eq!(texts(&vessel).len(), 303);
        assert!(vessel.datum(&["doctor"]).ok().contains(blob));
    }
    vessel.fsck();
    assert_eq!(vessel.datum(&["doctor"]).ok(), "all is well\n");
}

#[test]
fn what_gc_with_prune_now_breaks_is_repaired_and_said() {
    let vessel = Vessel::new();
    vessel.datum(&["journal", "LOG", "one"]).ok();
    let (path, _) = log_of(&vessel);
    let before = fs::read(&path).unwrap();
    vessel.datum(&["journal", "LOG", "two"]).ok();
    let after = fs::read(&path).unwrap();
    // The moment between the writing of the object and the move of the ref, held still.
    fs::write(&path, &before).unwrap();
    let logs = vessel.path().join(".git/logs/refs/datum/journal").join(path.file_name().unwrap());
    let moves = fs::read_to_string(&logs).unwrap();
    fs::write(&logs, moves.lines().next().unwrap().to_owned() + "\n").unwrap();
    vessel.git(&["gc", "-q", "--prune=now"]).ok();
    fs::write(&path, &after).unwrap();
    fs::write(&logs, &moves).unwrap();
    let tip = String::from_utf8(after).unwrap().trim().to_owned();
    assert!(read_around(&vessel, &tip).contains("one"));
    let said = vessel.datum(&["doctor"]).ok();
    assert!(said.contains(&tip) && said.contains(String::from_utf8(before).unwrap().trim()), "{said}");
    assert_eq!(texts(&vessel), ["one"]);
    vessel.fsck();
}

/// Whether this process may do what only root may.
fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

#[test]
fn a_full_disk_refuses_and_keeps_what_was() {
    let vessel = Vessel::empty();
    let mount =
        |args: &[&str]| clean(args[0], Path::new("/")).args(&args[1..]).status().is_ok_and(|s| s.success());
    let root = vessel.path().to_str().unwrap().to_owned();
    if !is_root() || !mount(&["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", &root]) {
        eprintln!("SKIPPED: a full disk needs root and a tmpfs");
        return;
    }
    let run = || {
        vessel.git(&["init", "-q", "."]).ok();
        vessel.datum(&["journal", "LOG", "one"]).ok();
        let filler = vessel.path().join("filler");
        // Room for a few small files more.
        let spare = vessel.path().join("spare");
        fs::write(&spare, vec![b'x'; 64 << 10]).unwrap();
        let mut size = 1 << 20;
        let mut file = fs::File::create(&filler).unwrap();
        while size > 0 {
            if std::io::Write::write_all(&mut file, &vec![b'x'; size]).is_err() {
                size /= 2;
            }
        }
        drop(file);
        fs::remove_file(spare).unwrap();
        let mut kept = 1;
        for n in 0..20 {
            let ran = vessel.datum(&["journal", "LOG", &format!("entry {n}")]);
            match ran.code {
                0 => kept += 1,
                _ => assert!(ran.code == 3 && ran.stderr.contains("error: "), "{ran:?}"),
            }
            assert_eq!(texts(&vessel).len(), kept);
        }
        assert!(kept < 21, "the disk was not full");
        assert_eq!(vessel.locks(), Vec::<PathBuf>::new());
        fs::remove_file(filler).unwrap();
        vessel.datum(&["journal", "LOG", "room again"]).ok();
        assert_eq!(texts(&vessel).len(), kept + 1);
        vessel.fsck();
    };
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    assert!(mount(&["umount", "-l", &root]));
    result.unwrap();
}

#[test]
fn a_file_size_limit_refuses_and_keeps_what_was() {
    let vessel = Vessel::new();
    vessel.datum(&["journal", "LOG", "one"]).ok();
    let large = vessel.path().join("large");
    // What does not deflate to less than the limit.
    let mut state = 1u32;
    let noise: String = (0..60_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(
                b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[(state >> 26) as usize],
            )
        })
        .collect();
    fs::write(&large, noise).unwrap();
    let shell = "trap '' XFSZ; ulimit -f 16; exec \"$0\" journal LOG - < large";
    let mut command = clean("sh", vessel.path());
    command.env("DATUM_AGENT", "a").args(["-c", shell, env!("CARGO_BIN_EXE_datum")]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(3) && said.contains("error: cannot write an object"), "{output:?}");
    assert_eq!(texts(&vessel), ["one"]);
    vessel.fsck();
}

#[test]
fn a_repository_that_cannot_be_written_can_be_read() {
    let vessel = Vessel::new();
    vessel.datum(&["journal", "LOG", "one"]).ok();
    let git = vessel.path().join(".git");
    let git = git.to_str().unwrap();
    let sh = |script: &str| clean("sh", Path::new("/")).args(["-c", script, git]).status().unwrap().success();
    let shut: (&str, &str) = if is_root() {
        // Permissions do not hold root back; a read-only mount does.
        ("mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\"", "umount \"$0\"")
    } else {
        ("chmod -R a-w \"$0\"", "chmod -R u+w \"$0\"")
    };
    if !sh(shut.0) {
        eprintln!("SKIPPED: this system mounts nothing read-only for a test");
        return;
    }
    let run = || {
        assert_eq!(texts(&vessel), ["one"]);
        let said = vessel.datum(&["journal", "LOG", "two"]).fails(3);
        assert!(said.starts_with("error: ") && said.contains("read-only"), "{said}");
        vessel.datum(&["claim", "take", "x"]).fails(3);
        assert_eq!(vessel.datum(&["doctor", "--dry-run"]).ok(), "all is well\n");
    };
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    assert!(sh(shut.1));
    result.unwrap();
}
