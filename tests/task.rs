//! Tasks from the command line.

use crate::vessel::{NOW, Vessel};
use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Instant;

fn create(vessel: &Vessel, args: &[&str]) -> String {
    vessel.datum(&[&["task", "create"], args].concat()).ok().trim().to_owned()
}

fn ready(vessel: &Vessel, args: &[&str]) -> Vec<String> {
    let listed = vessel.datum(&[&["task", "ready", "--format", "json"], args].concat()).json();
    listed["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["alias"].as_str().unwrap().to_owned())
        .collect()
}

fn show(vessel: &Vessel, id: &str) -> serde_json::Value {
    vessel.datum(&["task", "show", id, "--format", "json"]).json()
}

/// Runs the program as another agent, some hours later.
fn datum_as(vessel: &Vessel, agent: &str, hours: u64, args: &[&str]) -> crate::vessel::Ran {
    let mut command = vessel.command(args);
    command.env("DATUM_AGENT", agent).env("DATUM_NOW", (NOW + hours * 3_600_000).to_string());
    crate::vessel::Ran::of(&command.output().unwrap())
}

#[test]
fn a_task_from_its_making_to_its_end() {
    let vessel = Vessel::new();
    let pump =
        create(&vessel, &["Fix the pump", "--priority", "high", "--cap", "repair", "--desc", "It runs dry."]);
    let trial = create(&vessel, &["Sea trial", "--priority", "critical", "--needs", &pump]);
    assert!(pump.starts_with("T-") && pump.len() == 9, "{pump}");
    assert_eq!(ready(&vessel, &[]), std::slice::from_ref(&pump));
    assert_eq!(ready(&vessel, &["--cap", "cooking"]), Vec::<String>::new());
    assert_eq!(vessel.datum(&["task", "ready", "--cap", "cooking", "--exit-code"]).code, 1);
    vessel.datum(&["task", "comment", &pump, "the seal is on order"]).ok();
    vessel.datum(&["task", "edit", &pump, "--title", "Fix the bilge pump", "--tag", "pump"]).ok();
    vessel.datum(&["task", "claim", &pump, "--lease", "2h"]).ok();
    assert_eq!(vessel.datum(&["task", "claim", &pump]).code, 1, "claimed by itself already");
    vessel.datum(&["task", "finish", &pump, "new seal"]).ok();
    assert_eq!(ready(&vessel, &[]), std::slice::from_ref(&trial));
    let shown = show(&vessel, &pump);
    assert_eq!(
        (shown["task"]["state"].as_str(), shown["task"]["title"].as_str()),
        (Some("done"), Some("Fix the bilge pump"))
    );
    assert_eq!(shown["history"].as_array().unwrap().len(), 5);
    assert_eq!(vessel.datum(&["task", "list"]).ok().lines().count(), 1);
    assert_eq!(vessel.datum(&["task", "list", "--all"]).ok().lines().count(), 2);
    vessel.datum(&["task", "cancel", &trial, "sold"]).ok();
    vessel.datum(&["task", "reopen", &trial]).ok();
    assert!(
        vessel
            .git(&["log", "--format=%s", "--glob=refs/datum/task"])
            .ok()
            .contains("Finish: Fix the bilge pump")
    );
    vessel.fsck();
}

#[test]
fn a_lease_that_has_ended_writes_nothing() {
    let vessel = Vessel::new();
    let id = create(&vessel, &["one"]);
    let claim = vessel.datum(&["task", "claim", &id, "--lease", "1h", "--format", "json"]).json();
    assert_eq!(claim["fence"], 1);
    let said = datum_as(&vessel, "b", 0, &["task", "finish", &id]).fails(1);
    assert!(said.contains("is claimed by a"), "{said}");
    let said = datum_as(&vessel, "a", 2, &["task", "finish", &id]).fails(1);
    assert!(said.contains("the lease of a") && said.contains("datum task claim"), "{said}");
    assert_eq!(datum_as(&vessel, "a", 2, &["task", "renew", &id]).code, 1);
    let claim = datum_as(&vessel, "b", 2, &["task", "claim", &id, "--format", "json"]).json();
    assert_eq!(claim["fence"], 2);
    let said = datum_as(&vessel, "b", 2, &["task", "finish", &id, "--fence", "1"]).fails(1);
    assert!(said.contains("is not one the writer has"), "{said}");
    assert_eq!(datum_as(&vessel, "a", 2, &["task", "release", &id]).code, 1);
    datum_as(&vessel, "b", 2, &["task", "renew", &id, "--lease", "9h"]).ok();
    datum_as(&vessel, "b", 8, &["task", "release", &id, "no welder"]).ok();
    assert_eq!(ready(&vessel, &[]), std::slice::from_ref(&id));
    assert_eq!(datum_as(&vessel, "c", 9, &["task", "claim", "--next"]).ok().trim(), id);
}

#[test]
fn claiming_renewing_and_releasing_answer_with_the_same_members() {
    let vessel = Vessel::new();
    let id = create(&vessel, &["one"]);
    let check = |args: &[&str], code: i32, has_task: bool, holder: Option<&str>| {
        let ran = vessel.datum(&[&["task"], args, &["--format", "json"]].concat());
        assert_eq!(ran.code, code, "{ran:?}");
        let said: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let mut members: Vec<_> = said.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        let all = ["agent", "alias", "fence", "ids", "kind", "task", "title", "until", "version"];
        assert_eq!(members, all, "{args:?}");
        assert_eq!(said["agent"].as_str(), holder, "{args:?}");
        for (names, there) in
            [(&["alias", "task", "title"][..], has_task), (&["fence", "until"], holder.is_some())]
        {
            assert!(names.iter().all(|name| said[name].is_null() != there), "{args:?}: {said}");
        }
        assert_eq!(said["ids"].as_array().unwrap().len(), usize::from(has_task), "{args:?}");
    };
    check(&["claim", &id], 0, true, Some("a"));
    check(&["renew", &id], 0, true, Some("a"));
    check(&["claim", "--next"], 1, false, None);
    check(&["release", &id, "no welder"], 0, true, None);
    check(&["claim", "--next"], 0, true, Some("a"));
}

#[test]
fn eight_agents_over_many_tasks_leave_none_and_share_none() {
    const TASKS: usize = 40;
    let vessel = Vessel::new();
    for n in 0..TASKS {
        create(&vessel, &[&format!("task {n}")]);
    }
    // Each is a shell that loops over a new process for every task.
    let program = env!("CARGO_BIN_EXE_datum");
    let agents: Vec<_> = (0..8)
        .map(|n| {
            let script = format!("while '{program}' task claim --next -q; do :; done");
            let mut command = crate::vessel::clean("sh", vessel.path());
            command.args(["-c", &script]).env("DATUM_AGENT", format!("agent{n}"));
            command
                .env("DATUM_NOW", NOW.to_string())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut claimed = Vec::new();
    for agent in agents {
        let output = agent.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        claimed.extend(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned));
    }
    let different: BTreeSet<_> = claimed.iter().cloned().collect();
    assert_eq!((claimed.len(), different.len()), (TASKS, TASKS));
    assert_eq!(ready(&vessel, &[]), Vec::<String>::new());
    vessel.fsck();
}

#[test]
fn bad_input_is_refused_and_nothing_is_written() {
    let vessel = Vessel::new();
    let one = create(&vessel, &["one"]);
    let two = create(&vessel, &["two", "--needs", &one]);
    let objects = vessel.git(&["rev-list", "--all", "--count"]).ok();
    let long = "x".repeat(501);
    let cases: [&[&str]; 16] = [
        &["create", ""],
        &["create", "a\nTask: x"],
        &["create", &long],
        &["create", "x", "--priority", "soon"],
        &["create", "x", "--cap", "a b"],
        &["create", "x", "--requested-by", "../x"],
        &["create", "x", "--needs", "T-zzzzzzz"],
        &["edit", &one, "--needs", &two],
        &["edit", &one, "--needs", &one],
        &["edit", &one],
        &["edit", &one, "--parent", &one],
        &["show", "nothing"],
        &["show", "T-zzzzzzz"],
        &["claim", &one, "--lease", "0s"],
        &["claim", &one, "--lease", "forever"],
        &["comment", &one, " "],
    ];
    for args in cases {
        let said = vessel.datum(&[&["task"], args].concat()).fails(2);
        assert!(said.starts_with("error: "), "{args:?}: {said}");
    }
    let said = vessel.datum(&["task", "edit", &one, "--needs", &two]).fails(2);
    assert!(said.contains(&format!("{one} needs {two} needs {one}")), "{said}");
    let said = vessel.datum(&["task", "claim", &two]).fails(1);
    assert!(said.contains("waits for"), "{said}");
    assert_eq!(vessel.git(&["rev-list", "--all", "--count"]).ok(), objects);
}

#[test]
fn a_board_goes_out_and_comes_back() {
    let vessel = Vessel::new();
    let one = create(&vessel, &["one"]);
    create(&vessel, &["two", "--priority", "low"]);
    vessel.datum(&["publish"]).ok();
    let path = vessel.path().join("TASKBOARD.md");
    let board = std::fs::read_to_string(&path).unwrap();
    let edited = board.replace("- [ ] one", "- [x] one").replace("## Low\n\n", "## Low\n\n- [ ] three\n");
    std::fs::write(&path, &edited).unwrap();
    let said = vessel.datum(&["task", "import", "--dry-run"]).ok();
    assert_eq!(said, format!("would import {one}: done\nwould import new: three\n"));
    vessel.datum(&["task", "import", "--write"]).ok();
    assert_eq!(vessel.datum(&["task", "import"]).ok(), "");
    assert_eq!(ready(&vessel, &[]).len(), 2);
    std::fs::write(&path, edited.replace("\"id\":", "\"id\"")).unwrap();
    let before = vessel.git(&["rev-list", "--all", "--count"]).ok();
    let said = vessel.datum(&["task", "import"]).fails(2);
    assert!(said.contains("TASKBOARD.md: line ") && said.contains("column"), "{said}");
    assert_eq!(vessel.git(&["rev-list", "--all", "--count"]).ok(), before);
    assert_eq!(vessel.datum(&["task", "import", "nowhere.md"]).code, 2);
}

#[test]
fn publish_overwrites_no_line_that_was_not_read_back() {
    let vessel = Vessel::new();
    let one = create(&vessel, &["one"]);
    vessel.datum(&["publish"]).ok();
    let path = vessel.path().join("TASKBOARD.md");
    let read = || std::fs::read_to_string(&path).unwrap();
    assert!(read().lines().next().unwrap().contains("datum task import reads back"));
    // A board that nobody has written in is made anew, also where a task in it is gone.
    create(&vessel, &["two"]);
    let three = vessel.datum(&["task", "create", "three", "--format", "json"]).json();
    vessel.datum(&["publish"]).ok();
    vessel.datum(&["undo", three["ids"][0].as_str().unwrap()]).ok();
    vessel.datum(&["publish"]).ok();
    assert!(!read().contains("three"));
    std::fs::write(&path, read() + "- [ ] by hand\n").unwrap();
    let edited = read();
    for args in [&["publish"][..], &["publish", "--dry-run"]] {
        let said = vessel.datum(args).fails(1);
        assert!(said.contains("new: by hand") && said.contains("hint: datum task import"), "{said}");
    }
    let json = vessel.datum(&["publish", "--format", "json"]);
    assert!(json.code == 1 && json.stdout.contains("\"not_imported\":[\"new: by hand\"]"), "{json:?}");
    assert_eq!(read(), edited);
    vessel.datum(&["task", "import"]).ok();
    vessel.datum(&["publish"]).ok();
    assert!(read().contains("- [ ] by hand (`T-"), "{}", read());
    // What cannot be taken over stays too, until somebody has seen to it.
    let gone: String =
        read().lines().filter(|l| !l.starts_with("- [ ] one")).map(|l| format!("{l}\n")).collect();
    std::fs::write(&path, &gone).unwrap();
    let said = vessel.datum(&["publish"]).fails(1);
    assert!(said.contains(&format!("{one}: its line is gone")), "{said}");
    std::fs::remove_file(&path).unwrap();
    vessel.datum(&["publish"]).ok();
    assert!(read().contains("- [ ] one ("));
}

#[test]
fn of_killed_claims_each_is_told_of_or_was_not_made() {
    const COUNT: u32 = 60;
    let vessel = Vessel::new();
    let tasks: Vec<String> = (0..=COUNT).map(|n| create(&vessel, &[&format!("task {n}")])).collect();
    let start = Instant::now();
    vessel.datum(&["task", "claim", &tasks[0]]).ok();
    let whole = start.elapsed();
    let mut claimed = BTreeSet::from([tasks[0].clone()]);
    for (n, task) in (0..COUNT).zip(&tasks[1..]) {
        let mut command = vessel.command(&["task", "claim", task]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // A step that shares no factor with the count visits every moment once.
        std::thread::sleep(whole * (n * 37 % COUNT) / COUNT);
        let _ = child.kill();
        if child.wait().unwrap().success() {
            claimed.insert(task.clone());
        }
        // What a lock leaves behind is another test's matter; here it would only cost time.
        vessel.age_locks();
    }
    let listed = vessel.datum(&["task", "list", "--format", "json"]).json();
    let (mut told, mut made) = (BTreeSet::new(), BTreeSet::new());
    for task in listed["tasks"].as_array().unwrap() {
        let alias = task["alias"].as_str().unwrap().to_owned();
        let mutex = vessel.datum(&["claim", "show", task["id"].as_str().unwrap(), "--format", "json"]).json();
        if mutex["claim"]["state"] == "held" {
            made.insert(alias.clone());
        }
        if !task["claim"].is_null() {
            told.insert(alias);
        }
    }
    eprintln!("of {COUNT} killed claims {} were told of, {} made", told.len() - 1, made.len() - 1);
    assert!(claimed.is_subset(&made) && made.is_subset(&told), "{claimed:?} {made:?} {told:?}");
    // Another agent gets just those that nothing is told of, and all of these.
    let mut left = BTreeSet::new();
    while let Some(task) = datum_as(&vessel, "other", 0, &["task", "claim", "--next"]).stdout.lines().next() {
        left.insert(task.to_owned());
    }
    assert_eq!(left, tasks.into_iter().filter(|task| !told.contains(task)).collect());
    vessel.fsck();
}

#[test]
fn a_task_need_not_wait_for_one_that_was_undone() {
    let vessel = Vessel::new();
    let first = create(&vessel, &["first"]);
    let second = create(&vessel, &["second", "--needs", &first]);
    let id = show(&vessel, &first)["task"]["id"].as_str().unwrap().to_owned();
    vessel.datum(&["undo", &id]).ok();
    assert_eq!(ready(&vessel, &[]), Vec::<String>::new(), "it may be on its way from another clone");
    vessel.datum(&["task", "edit", &second, "--no-needs", &first]).ok();
    assert_eq!(ready(&vessel, &[]), [second]);
}

/// A clone of `hub`, that has its tasks.
fn clone(hub: &Vessel) -> Vessel {
    let vessel = Vessel::new();
    vessel.git(&["remote", "add", "origin", hub.path().to_str().unwrap()]).ok();
    vessel.datum(&["sync"]).ok();
    vessel
}

#[test]
fn among_clones_that_claim_at_their_remote_each_task_has_one_winner() {
    let hub = Vessel::with(&["--bare"]);
    let maker = clone(&hub);
    let tasks: BTreeSet<String> = (0..8).map(|n| create(&maker, &[&format!("task {n}")])).collect();
    maker.datum(&["sync"]).ok();
    let clones: Vec<Vessel> = (0..4).map(|_| clone(&hub)).collect();
    // All want the same one, as one agent and as several.
    let wanted = tasks.first().unwrap();
    let starts = clones.iter().enumerate().map(|(n, clone)| {
        let mut command = clone.command(&["task", "claim", wanted, "--remote", "origin"]);
        command.env("DATUM_AGENT", format!("a{}", n / 2)).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    });
    let starts: Vec<_> = starts.collect();
    let codes: Vec<_> = starts.into_iter().map(|mut child| child.wait().unwrap().code().unwrap()).collect();
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1, "{codes:?}");
    assert!(codes.iter().all(|code| [0, 1].contains(code)), "{codes:?}");
    // Then each takes what is left, until nothing is.
    let taken: Vec<String> = std::thread::scope(|scope| {
        let run = |(n, clone): (usize, &'_ Vessel)| {
            let mut taken = Vec::new();
            loop {
                let mut command = clone.command(&["task", "claim", "--next", "--remote", "origin"]);
                let ran = crate::vessel::Ran::of(
                    &command.env("DATUM_AGENT", format!("a{}", n / 2)).output().unwrap(),
                );
                match ran.code {
                    0 => taken.push(ran.ok().trim().to_owned()),
                    1 => return taken,
                    _ => panic!("{ran:?}"),
                }
            }
        };
        let threads: Vec<_> = clones.iter().enumerate().map(|one| scope.spawn(move || run(one))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let all: BTreeSet<String> = taken.iter().cloned().chain([wanted.clone()]).collect();
    assert_eq!((taken.len(), all), (7, tasks.clone()));
    // Given back by its holder and said so, it is taken by any other, though the claim at the remote has not ended.
    let holder = clones.iter().find(|clone| datum_as(clone, "a0", 0, &["task", "release", wanted]).code == 0);
    let holder = holder.or_else(|| {
        clones.iter().find(|clone| datum_as(clone, "a1", 0, &["task", "release", wanted]).code == 0)
    });
    holder.unwrap().datum(&["sync"]).ok();
    let claimed = datum_as(&maker, "b", 0, &["task", "claim", wanted, "--remote", "origin"]);
    assert_eq!(claimed.code, 0, "{claimed:?}");
    assert_eq!(show(&maker, wanted)["task"]["claim"]["fence"], 2);
    assert_eq!(datum_as(&maker, "c", 0, &["task", "claim", wanted, "--remote", "nowhere"]).code, 3);
    hub.fsck();
}

#[test]
fn who_lost_a_task_to_another_clone_is_told_by_the_sync() {
    let hub = Vessel::with(&["--bare"]);
    let maker = clone(&hub);
    let (task, other) = (create(&maker, &["one"]), create(&maker, &["two"]));
    maker.datum(&["sync"]).ok();
    let (first, second) = (clone(&hub), clone(&hub));
    for (clone, agent, at) in [(&first, "a", 1), (&second, "b", 2)] {
        datum_as(clone, agent, at, &["task", "claim", &task]).ok();
    }
    datum_as(&second, "b", 2, &["task", "claim", &other]).ok();
    first.datum(&["sync"]).ok();
    let said = second.datum(&["sync"]);
    let told = format!("warning: {task}: b had it under claim 1; a has it now, under claim 1");
    assert!(said.code == 0 && said.stderr.contains(&told) && !said.stderr.contains(&other), "{said:?}");
    let lost = &show(&second, &task)["lost"];
    assert_eq!((&lost[0]["field"], &lost[0]["agent"]), (&"claim".into(), &"b".into()), "{lost}");
    assert!(datum_as(&second, "b", 3, &["task", "show", &task]).stdout.contains(" (void)"));
    assert_eq!(second.datum(&["sync"]).ok(), "", "it is said once");
}

#[test]
fn a_claim_that_anyone_undoes_is_free_at_once_and_an_old_one_frees_nothing() {
    let vessel = Vessel::new();
    let task = create(&vessel, &["one"]);
    let claim = |agent: &str| {
        let ran = datum_as(&vessel, agent, 0, &["task", "claim", &task, "--format", "json"]);
        (ran.code == 0).then(|| ran.json()["ids"][0].as_str().unwrap().to_owned())
    };
    let first = claim("a").unwrap();
    assert_eq!(claim("b"), None);
    datum_as(&vessel, "b", 0, &["undo", &first]).ok();
    let second = claim("c").unwrap();
    assert_eq!(show(&vessel, &task)["task"]["claim"]["fence"], 2);
    // Undone once more, the first is not what the task is held by.
    datum_as(&vessel, "b", 0, &["undo", &first]).ok();
    assert_eq!(claim("d"), None);
    datum_as(&vessel, "d", 0, &["undo", &second]).ok();
    claim("d").unwrap();
    vessel.fsck();
}
