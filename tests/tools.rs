//! Tools and recipes: what ends them, what lies elsewhere, and manifests and recipes as people write them.

use crate::vessel::{Ran, Vessel};
use std::fs;

fn write(vessel: &Vessel, path: &str, text: &str) {
    let file = vessel.path().join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// The messages of all entries, the newest first.
fn entries(vessel: &Vessel) -> String {
    vessel.git(&["log", "--all", "--format=%B"]).ok()
}

#[cfg(unix)]
mod on_unix {
    use super::*;
    use rustix::process::{Pid, Signal, kill_process};
    use std::process::{Child, Stdio};
    use std::time::{Duration, Instant};

    fn pid(text: &str) -> Pid {
        Pid::from_raw(text.trim().parse().unwrap()).unwrap()
    }

    /// Runs a command whose program writes its number into `pid`, and sends this program `signal` once it is there.
    fn interrupted(vessel: &Vessel, args: &[&str], signal: Signal) -> (Ran, Pid) {
        let mut command = vessel.command(args);
        let child: Child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let file = vessel.path().join("tools/pid");
        let end = Instant::now() + Duration::from_secs(20);
        while fs::read_to_string(&file).map_or(true, |text| !text.ends_with('\n')) {
            assert!(Instant::now() < end, "the program does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        let run = pid(&fs::read_to_string(&file).unwrap());
        fs::remove_file(&file).unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        (Ran::of(&child.wait_with_output().unwrap()), run)
    }

    fn is_gone(run: Pid) -> bool {
        rustix::process::test_kill_process(run).is_err()
    }

    #[test]
    fn a_signal_ends_the_tool_too_and_its_end_is_recorded() {
        let vessel = Vessel::new();
        write(&vessel, "tools/long.sh", "echo $$ >tools/pid\nexec sleep 60\n");
        write(&vessel, "tools/seven.sh", "exit 7\n");
        vessel.datum(&["tools", "add", "long", "tools/long.sh"]).ok();
        vessel.datum(&["tools", "add", "seven", "tools/seven.sh"]).ok();
        for (signal, number) in [(Signal::TERM, 15), (Signal::INT, 2)] {
            let (ran, run) = interrupted(&vessel, &["tools", "run", "long"], signal);
            assert_eq!(ran.code, 1, "{ran:?}");
            assert!(ran.stderr.contains(&format!("long was killed by signal {number}")), "{ran:?}");
            assert!(is_gone(run));
            let told = entries(&vessel);
            assert!(told.starts_with(&format!("tool long: was killed by signal {number} after ")), "{told}");
            assert!(told.contains(&format!("\nSignal: {number}\nDuration-Ms: ")), "{told}");
        }
        vessel.datum(&["tools", "run", "seven"]).fails(1);
        let told = entries(&vessel);
        assert!(told.starts_with("tool seven: ended with 7 after "), "{told}");
        assert!(told.contains("\nExit: 7\nDuration-Ms: "), "{told}");
    }

    /// Where the system lists what a process has started.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_signal_ends_what_the_tool_has_started_too() {
        let vessel = Vessel::new();
        let script =
            "sh -c 'sleep 60 & echo $! >tools/pid.new; mv tools/pid.new tools/pid; wait'\necho >tools/more\n";
        write(&vessel, "tools/deep.sh", script);
        vessel.datum(&["tools", "add", "deep", "tools/deep.sh"]).ok();
        let (ran, run) = interrupted(&vessel, &["tools", "run", "deep"], Signal::TERM);
        assert_eq!(ran.code, 1, "{ran:?}");
        // One that has ended and that nobody has asked for its end has no command line.
        let line = format!("/proc/{}/cmdline", run.as_raw_nonzero());
        let end = Instant::now() + Duration::from_secs(20);
        while fs::read(&line).is_ok_and(|line| !line.is_empty()) {
            assert!(Instant::now() < end, "the sleep lives on");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(!vessel.path().join("tools/more").exists());
    }

    #[test]
    fn a_signal_ends_the_recipe_also_where_its_command_takes_no_notice() {
        let vessel = Vessel::new();
        fs::create_dir(vessel.path().join("tools")).unwrap();
        let first = "trap 'kill $!; exit 0' TERM; sleep 60 & echo $$ >tools/pid; wait";
        let add = ["recipe", "add", "r", "--description", "x", "--command", first, "--command", "echo two"];
        vessel.datum(&add).ok();
        let (ran, run) = interrupted(&vessel, &["recipe", "run", "r"], Signal::TERM);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
        assert!(ran.stderr.contains("stopped behind recipe r 1/2 by signal 15"), "{ran:?}");
        assert!(is_gone(run) && entries(&vessel).starts_with("recipe r 1/2: ended with 0 after "));
    }

    #[test]
    fn what_lies_elsewhere_is_neither_read_nor_written() {
        let (vessel, outside) = (Vessel::new(), Vessel::empty());
        let link = |to: &str, path: &str| {
            std::os::unix::fs::symlink(outside.path().join(to), vessel.path().join(path)).unwrap();
        };
        link("", "recipes");
        let said = vessel.datum(&["recipe", "add", "r", "--description", "x", "--command", "true"]).fails(2);
        assert!(said.contains("recipes is a symbolic link"), "{said}");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
        write(&outside, "manifest.json", "{\"tools\": [{\"name\": \"theirs\", \"path\": \"tools/x.sh\"}]}\n");
        write(&vessel, "tools/x.sh", "true\n");
        link("manifest.json", "tools/manifest.json");
        for args in [&["tools", "list"][..], &["tools", "add", "x", "tools/x.sh"], &["recipe", "list"]] {
            let said = vessel.datum(args).fails(2);
            assert!(said.contains("tools/manifest.json is a symbolic link"), "{args:?}: {said}");
        }
        assert!(vessel.path().join("tools/manifest.json").is_symlink());
    }

    #[test]
    fn a_pipe_in_a_file_s_place_keeps_nobody_waiting() {
        let vessel = Vessel::new();
        fs::create_dir(vessel.path().join("tools")).unwrap();
        vessel.datum(&["task", "create", "one"]).ok();
        for path in ["CAPABILITY.toml", "tools/manifest.json", "TASKBOARD.md", "JOURNAL.md"] {
            let made = std::process::Command::new("mkfifo").arg(vessel.path().join(path)).status();
            assert!(made.unwrap().success());
        }
        for (args, code) in [
            (&["status"][..], 0),
            (&["onboard", "--check"], 3),
            (&["onboard", "--non-interactive"], 3),
            (&["tools", "list"], 3),
            (&["publish"], 1),
            (&["task", "import"], 2),
        ] {
            let mut child = vessel.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let end = Instant::now() + Duration::from_secs(20);
            let ended = loop {
                match child.try_wait().unwrap() {
                    Some(status) => break status.code(),
                    None if Instant::now() > end => break None,
                    None => std::thread::sleep(Duration::from_millis(5)),
                }
            };
            let _ = child.kill();
            assert_eq!(ended, Some(code), "{args:?}");
        }
    }

    #[test]
    fn a_script_without_its_interpreter_says_which() {
        use std::os::unix::fs::PermissionsExt as _;
        let vessel = Vessel::new();
        write(&vessel, "tools/odd.x", "#!/nonexistent/knots -v\n");
        fs::set_permissions(vessel.path().join("tools/odd.x"), fs::Permissions::from_mode(0o755)).unwrap();
        vessel.datum(&["tools", "add", "odd", "tools/odd.x"]).ok();
        let said = vessel.datum(&["tools", "run", "odd"]).fails(3);
        assert!(said.contains("its interpreter /nonexistent/knots is not there"), "{said}");
        assert!(entries(&vessel).starts_with("tool odd: could not be started: its interpreter "));
    }
}

#[test]
fn a_manifest_that_is_none_is_told_in_plain_words_and_stops_no_bundled_tool() {
    let vessel = Vessel::new();
    for (bytes, says) in [
        (&b"\xef\xbb\xbf{}"[..], "it begins with a byte order mark"),
        (b"{\n  \"tools\": [\"\xff\"]}", "line 2, column 14: it is not UTF-8"),
        (b"", "it is empty"),
    ] {
        fs::create_dir_all(vessel.path().join("tools")).unwrap();
        fs::write(vessel.path().join("tools/manifest.json"), bytes).unwrap();
        let said = vessel.datum(&["tools", "list"]).fails(2);
        assert!(said.contains(says) && said.contains("hint: "), "{said}");
        assert_eq!(vessel.datum(&["tools", "run", "nothing"]).code, 2);
        let ran = vessel.datum(&["tools", "run", "audit-scanner", "--", "--help"]);
        assert!(ran.code == 0 && ran.stdout.contains("datum audit"), "{ran:?}");
    }
}

#[test]
fn names_that_are_taken_are_told_with_what_helps() {
    let vessel = Vessel::new();
    write(&vessel, "tools/x.sh", "true\n");
    let said = vessel.datum(&["tools", "add", "audit-scanner", "tools/x.sh"]).fails(2);
    assert!(said.contains("bundled tool") && said.contains("another name"), "{said}");
    vessel.datum(&["recipe", "add", "tidy", "--description", "Tidy up", "--command", "true"]).ok();
    let said = vessel.datum(&["tools", "run", "tidy"]).fails(2);
    assert!(said.contains("hint: datum recipe run tidy"), "{said}");
    let said = vessel.datum(&["tools", "add", "tidy", "tools/x.sh"]).fails(2);
    assert!(said.contains("hint: datum recipe remove tidy"), "{said}");
    vessel.datum(&["recipe", "remove", "tidy"]).ok();
    assert!(!vessel.path().join("recipes/tidy.md").exists());
    assert_eq!(vessel.datum(&["recipe", "list"]).ok(), "");
    assert_eq!(vessel.datum(&["recipe", "remove", "tidy"]).code, 2);
    vessel.datum(&["tools", "add", "tidy", "tools/x.sh"]).ok();
}

#[test]
fn a_recipe_says_what_was_given_and_no_more() {
    let vessel = Vessel::new();
    let add = |given: &[&str]| vessel.datum(&[&["recipe", "add", "r"], given].concat());
    for given in [
        &["--description", "x", "--command", ""][..],
        &["--description", "x", "--command", " \n"],
        &["--description", "x\n\n## Commands\n\n```sh\nrm all\n```", "--command", "true"],
        &["--description", "# x", "--command", "true"],
        &["--description", "```", "--command", "true"],
        &["--description", "x", "--command", "true", "--needs", "a\n```sh"],
        &["--description", "x", "--command", "true", "--tag", "a\u{1b}"],
    ] {
        assert!(add(given).fails(2).starts_with("error: "), "{given:?}");
        assert!(!vessel.path().join("recipes/r.md").exists(), "{given:?}");
    }
    // Only blocks marked as shell run, and those that are not are named.
    let hand = "# hand\n\nBy hand.\n\n## Commands\n\n~~~sh\necho one\n~~~\n\n```\necho two\n```\n";
    write(&vessel, "recipes/hand.md", hand);
    let ran = vessel.datum(&["recipe", "run", "hand"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "one\n"), "{ran:?}");
    assert!(ran.stderr.contains("not run: the blocks at line 11"), "{ran:?}");
    let listed = vessel.datum(&["git", "inventory", "--format", "json"]).json();
    assert_eq!(listed["unregistered"], serde_json::json!(["recipes/hand.md"]));
}
