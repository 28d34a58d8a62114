//! Onboarding: by given answers, through a terminal, killed half-way, and with bad answers.

mod trouble;

use crate::octo::{Octo, TOKEN};
use crate::vessel::{Ran, Vessel};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// A vessel, and a home for keys outside of it.
struct Yard {
    vessel: Vessel,
    home: tempfile::TempDir,
}

impl Yard {
    fn new() -> Self {
        Self { vessel: Vessel::new(), home: tempfile::tempdir().unwrap() }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.vessel.command(&[&["onboard"], args].concat());
        command.env("DATUM_AGENT", "heron").env("XDG_CONFIG_HOME", self.home.path());
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::of(&self.command(&[&["--non-interactive"], args].concat()).output().unwrap())
    }

    fn check(&self) -> serde_json::Value {
        let output = self.command(&["--check", "--format", "json"]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn standing(&self, step: &str) -> String {
        let checked = self.check();
        let of = checked["steps"].as_array().unwrap().iter().find(|s| s["step"] == step).unwrap();
        of["standing"].as_str().unwrap().to_owned()
    }

    fn commits(&self) -> String {
        self.vessel.git(&["rev-list", "--all", "--count"]).ok()
    }
}

/// Everything that stands in files below a folder.
fn everything(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map_while(Result::ok) {
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => all.extend(everything(&entry.path())),
            kind if kind.is_file() => all.extend(std::fs::read(entry.path()).unwrap()),
            _ => {}
        }
    }
    all
}

#[cfg(unix)]
#[test]
fn a_declaration_whose_commit_is_refused_is_not_staged() {
    let yard = Yard::new();
    let hook = yard.vessel.path().join(".git/hooks/pre-commit");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let said = yard.run(&["--role", "lookout"]);
    assert!(said.stdout.contains("commit    failed    git commit refused"), "{said:?}");
    assert_eq!(yard.vessel.git(&["status", "--porcelain"]).ok(), "?? CAPABILITY.toml\n");
    std::fs::remove_file(hook).unwrap();
    yard.run(&["--role", "lookout"]).ok();
    assert_eq!(yard.vessel.git(&["status", "--porcelain"]).ok(), "");
}

#[test]
fn given_answers_set_everything_up_once() {
    let (yard, octo, harbour) = (Yard::new(), Octo::start(vec![]), Vessel::with(&["--bare"]));
    let remote = harbour.path().display().to_string();
    let args = [
        "--role",
        "lookout",
        "--cap",
        "audit=0.9",
        "--cap",
        "repair",
        "--remote",
        &remote,
        "--commit-msg",
        "i2i",
        "--task",
        "Look around",
        "--task",
        "Mend the net",
        "--token-env",
        "MINE",
        "--api-url",
        &octo.url,
    ];
    assert!(!yard.check()["complete"].as_bool().unwrap());
    let dry =
        yard.command(&[&["--non-interactive", "--dry-run"], &args[..]].concat()).env("MINE", TOKEN).output();
    assert!(Ran::of(&dry.unwrap()).ok().contains("check the token in MINE"));
    assert!(!yard.vessel.path().join("CAPABILITY.toml").exists(), "a plan changes nothing");
    let run = || {
        Ran::of(
            &yard.command(&[&["--non-interactive"], &args[..]].concat()).env("MINE", TOKEN).output().unwrap(),
        )
    };
    let said = run().ok();
    assert!(said.contains("GitHub knows it as octo's") && !said.contains("failed"), "{said}");
    assert!(yard.check()["complete"].as_bool().unwrap(), "{}", yard.check());
    let text = std::fs::read_to_string(yard.vessel.path().join("CAPABILITY.toml")).unwrap();
    assert!(text.contains("role = \"lookout\"") && text.contains("audit = { confidence = 0.90"), "{text}");
    assert_eq!(yard.vessel.git(&["status", "--porcelain"]).ok(), "", "it is committed");
    assert_eq!(yard.vessel.git(&["config", "remote.origin.url"]).ok().trim(), remote);
    assert!(harbour.git(&["for-each-ref", "refs/datum/"]).ok().contains("refs/datum/task/heron-"));
    let inbox = yard.vessel.datum(&["bottle", "check", "--agent", "oracle1", "--format", "json"]).json();
    assert_eq!(inbox["bottles"].as_array().unwrap().len(), 1);
    assert_eq!(yard.vessel.datum(&["task", "ready"]).ok().lines().count(), 2);
    let commits = yard.commits();
    let again = run().ok();
    assert!(!again.contains(" done "), "{again}");
    // What stays of a second run is one access record: the token was compared with the one that is kept.
    assert_eq!(yard.commits(), commits);
    let unpacked = yard.vessel.git(&["cat-file", "--batch-all-objects", "--batch"]).ok();
    for text in [unpacked.into_bytes(), everything(yard.vessel.path()), everything(yard.home.path())] {
        assert!(text.windows(TOKEN.len()).all(|window| window != TOKEN.as_bytes()), "the token is in a file");
    }
    yard.vessel.fsck();
}

#[test]
fn a_file_answers_and_what_is_declined_is_not_missed() {
    let yard = Yard::new();
    let answers = "[agent]\nname = \"heron\"\nrole = \"cook\"\n[keys]\nmake = \"none\"\n[hooks]\ninstall = false\n\
                   [oracle]\ngreet = \"none\"\n[commit]\ndeclaration = false\n[[tasks]]\ntitle = \"Soup\"\npriority = \"high\"\n";
    let path = yard.home.path().join("answers.toml");
    std::fs::write(&path, answers).unwrap();
    let said = yard.run(&["--answers", path.to_str().unwrap(), "--role", "baker"]).ok();
    assert!(said.contains("declined"), "{said}");
    let text = std::fs::read_to_string(yard.vessel.path().join("CAPABILITY.toml")).unwrap();
    assert!(text.contains("role = \"baker\""), "an option counts before the file: {text}");
    assert!(yard.check()["complete"].as_bool().unwrap(), "{}", yard.check());
    for step in ["keys", "hooks", "contact", "commit"] {
        assert_eq!(yard.standing(step), "declined", "{step}");
    }
    // A second run wants no more than the first, unless it is told so.
    yard.run(&[]).ok();
    assert_eq!((yard.standing("hooks").as_str(), yard.standing("keys").as_str()), ("declined", "declined"));
    yard.run(&["--hooks"]).ok();
    assert_eq!(yard.standing("hooks"), "done");
}

#[test]
fn bad_answers_are_named_and_nothing_is_done() {
    let yard = Yard::new();
    let path = yard.home.path().join("answers.toml");
    let secret = "ghp_0123456789abcdefghij0123456789abcdef";
    for (text, says) in [
        ("[agent\n", "line 1, column 7"),
        ("[agent]\nnmae = \"x\"\n", "line 2, column 1"),
        ("[agent]\nname = \"../x\"\n", "line 2, column 8"),
        ("[keys]\nmake = \"old\"\n", "new, locked or none"),
        ("[capabilities]\na = { confidence = 7.0 }\n", "from 0 to 1"),
        (&format!("[github]\ntoken = \"{secret}\"\n"), "never stands in a file"),
        (&format!("[github]\ntoken_env = \"{secret}\"\n"), "this is a token"),
    ] {
        std::fs::write(&path, text).unwrap();
        let said = yard.run(&["--answers", path.to_str().unwrap()]).fails(2);
        assert!(said.contains(says) && !said.contains(secret), "{text}: {said}");
    }
    for args in [
        &["--answers", "nowhere.toml"][..],
        &["--cap", "a b"],
        &["--cap", "audit=2"],
        &["--role", "a\nb"],
        &["--keys", "old"],
        &["--greet", "../x"],
        &["--commit-msg", "shouting"],
        &["--token-env", "UNSET_HERE"],
        &["--token-env", secret],
        &["--keys", "none", "--token-env", "PATH"],
    ] {
        let said = yard.run(args).fails(2);
        assert!(said.starts_with("error: ") && !said.contains(secret), "{args:?}: {said}");
    }
    assert!(!yard.vessel.path().join("CAPABILITY.toml").exists());
    assert_eq!(yard.commits(), "0\n");
    // Without a terminal nothing is asked.
    let said = Ran::of(&yard.command(&[]).output().unwrap()).fails(2);
    assert!(said.contains("no terminal") && said.contains("--non-interactive"), "{said}");
}

#[test]
fn what_fails_stops_no_other_step_and_is_done_by_the_next_run() {
    let (yard, octo) = (Yard::new(), Octo::start(vec![]));
    let toml = yard.vessel.path().join("CAPABILITY.toml");
    std::fs::write(&toml, "[agent]\nname = \"heron\"\nrole = 7\n[capabilities]\n").unwrap();
    let args = ["--token-env", "MINE", "--api-url", &octo.url, "--remote", "/nonexistent/harbour"];
    let run = |token: &str, args: &[&str]| {
        Ran::of(&yard.command(&[&["--non-interactive"], args].concat()).env("MINE", token).output().unwrap())
    };
    let ran = run("ghp_wrong", &args);
    assert_eq!(ran.code, 1, "{ran:?}");
    let failed = |ran: &Ran| -> Vec<String> {
        let lines = ran.stdout.lines().filter(|line| line.contains(" failed "));
        lines.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    };
    assert_eq!(failed(&ran), ["identity", "token", "sync"], "{ran:?}");
    assert!(
        ran.stdout.contains("line 3, column 8") && ran.stdout.contains("not accept the token"),
        "{ran:?}"
    );
    assert!(!ran.stdout.contains("ghp_wrong") && !ran.stderr.contains("ghp_wrong"), "{ran:?}");
    assert_eq!((yard.standing("token").as_str(), yard.standing("boot").as_str()), ("open", "done"));
    assert_eq!(std::fs::read_to_string(&toml).unwrap().lines().nth(2), Some("role = 7"), "it is not touched");
    let ran = run(
        TOKEN,
        &["--token-env", "MINE", "--api-url", &octo.url, "--remote", "none", "--rewrite", "--role", "cook"],
    );
    assert_eq!((ran.code, failed(&ran)), (0, Vec::new()), "{ran:?}");
    assert_eq!(yard.standing("token"), "done");
    // Git has not got the file before, so it is kept beside.
    assert!(yard.vessel.path().join("CAPABILITY.toml.before").is_file());
    assert!(std::fs::read_to_string(&toml).unwrap().contains("role = \"cook\""));
    // A token that cannot be checked is kept all the same, and that is said.
    let ran =
        run("ghp_other", &["--token-env", "MINE", "--api-url", "http://127.0.0.1:9", "--remote", "none"]);
    assert!(ran.code == 0 && ran.stdout.contains("not checked"), "{ran:?}");
}

#[test]
fn killed_at_any_moment_it_goes_on_where_it_was() {
    let yard = Yard::new();
    let args = ["--non-interactive", "--task", "Look around"];
    for millis in (0..12).map(|n| n * 9) {
        let mut child = yard.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(millis));
        let _ = child.kill();
        child.wait().unwrap();
        let toml = yard.vessel.path().join("CAPABILITY.toml");
        if let Ok(text) = std::fs::read_to_string(toml) {
            assert!(text.contains("[metadata]"), "it is whole or not there: {text:?}");
        }
    }
    // A killed git leaves its lock, as ever.
    let _ = std::fs::remove_file(yard.vessel.path().join(".git/index.lock"));
    yard.run(&args[1..]).ok();
    assert!(yard.check()["complete"].as_bool().unwrap(), "{}", yard.check());
    assert_eq!(yard.vessel.datum(&["task", "ready"]).ok().lines().count(), 1);
    let boots = yard.vessel.datum(&["journal", "--category", "BOOT", "--format", "json"]).ok();
    assert_eq!(boots.matches("booted in this vessel").count(), 2, "subject and text of one entry: {boots}");
    yard.vessel.fsck();
}

/// A program on a terminal of its own, which `script` makes.
struct Terminal {
    child: std::process::Child,
    said: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    /// `None` where there is no `script` that can make one.
    fn start(yard: &Yard) -> Option<Self> {
        Self::start_with(yard, "")
    }

    fn start_with(yard: &Yard, options: &str) -> Option<Self> {
        let probe = Command::new("script").args(["-qec", "true", "/dev/null"]).stdin(Stdio::null()).output();
        if !probe.is_ok_and(|probe| probe.status.success()) {
            return None;
        }
        let mut command = crate::vessel::clean("script", yard.vessel.path());
        let line = format!("stty rows 24 cols 80; exec '{}' onboard {options}", env!("CARGO_BIN_EXE_datum"));
        command.args(["-qec", &line, "/dev/null"]).env("DATUM_AGENT", "heron").env("TERM", "xterm");
        command.env("XDG_CONFIG_HOME", yard.home.path()).env("NO_COLOR", "1").env("SHELL", "/bin/sh");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let (tell, said) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = stdout.read(&mut buffer) {
                if tell.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Some(Self { child, said, seen: String::new() })
    }

    /// Waits until it has said `text` since the last time.
    #[track_caller]
    fn expect(&mut self, text: &str) {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            match self.said.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(error) => panic!("{text:?} does not come ({error}), but {:?}", self.seen),
            }
        }
    }

    fn keys(&mut self, keys: &str) {
        self.child.stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for a question, and answers it.
    #[track_caller]
    fn answer(&mut self, question: &str, keys: &str) {
        self.expect(question);
        self.keys(keys);
    }
}

const DOWN: &str = "\x1b[B";

#[test]
fn the_questions_take_arrow_keys_go_back_and_stop_without_a_trace() {
    let yard = Yard::new();
    let Some(mut terminal) = Terminal::start(&yard) else {
        eprintln!("skipped: no script(1) that makes a pseudo-terminal; the questions are not asked");
        return;
    };
    terminal.answer("The agent's name:", "\r");
    terminal.answer("Its role", "lookout\r");
    terminal.answer("What it is", "\x03");
    terminal.expect("nothing was changed");
    assert_eq!(terminal.child.wait().unwrap().code(), Some(3));
    assert!(!yard.vessel.path().join("CAPABILITY.toml").exists() && yard.commits() == "0\n");

    let mut terminal = Terminal::start(&yard).unwrap();
    terminal.answer("The agent's name:", "Not A Name\r");
    terminal.answer("must start with", &format!("{}\r", "\x7f".repeat(12)));
    terminal.answer("Its role", "lookout\r");
    terminal.answer("What it is", "\x1b");
    // Back: the last answer is proposed.
    terminal.answer("(lookout)", "cook\r");
    terminal.answer("What it is", "\r");
    // Two down, and chosen beside journal and bottle: task.
    terminal.answer("What it can do:", &format!("{DOWN}{DOWN} \r"));
    terminal.answer("What else?", "knots\r");
    for skill in ["bottle", "journal", "knots"] {
        terminal.answer(&format!("How sure is it of {skill}?"), "\r");
    }
    terminal.answer("How sure is it of task?", &format!("{DOWN}\r"));
    terminal.answer("Commit CAPABILITY.toml", "\r");
    terminal.answer("Keys, to sign", "\r");
    terminal.answer("A GitHub token", "\r");
    terminal.answer("Other clones:", "\r");
    terminal.answer("Git hooks", "\r");
    terminal.answer("Whom to greet", "\r");
    terminal.answer("A task to begin with:", "Look around\r");
    terminal.answer("another:", "\r");
    terminal.answer("Do that?", "\r");
    terminal.expect("heron is onboarded");
    assert_eq!(terminal.child.wait().unwrap().code(), Some(0));
    let text = std::fs::read_to_string(yard.vessel.path().join("CAPABILITY.toml")).unwrap();
    assert!(text.contains("role = \"cook\"") && text.contains("knots = { confidence = 0.90"), "{text}");
    assert!(text.contains("task = { confidence = 0.70, description = \"Takes tasks"), "{text}");
    assert!(yard.check()["complete"].as_bool().unwrap(), "{}", yard.check());
}
