//! Onboarding where something stands in the way, and answers that are kept as they were given.

use super::{Terminal, Yard};

#[test]
fn what_builds_on_a_failed_step_waits_for_it() {
    let yard = Yard::new();
    let toml = yard.vessel.path().join("CAPABILITY.toml");
    std::fs::write(&toml, "not [ toml").unwrap();
    let dry = yard.run(&["--dry-run", "--no-hooks"]);
    assert_eq!(dry.code, 1, "{dry:?}");
    let planned = |step: &str| dry.stdout.lines().find(|line| line.starts_with(step)).unwrap().to_owned();
    assert!(planned("identity").contains("fail: CAPABILITY.toml: line 1"), "{dry:?}");
    for step in ["commit", "contact", "state"] {
        assert!(planned(step).ends_with("nothing (waits for identity)"), "{dry:?}");
    }
    let ran = yard.run(&["--no-hooks"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    for step in ["commit", "contact", "state"] {
        assert!(ran.stdout.contains(&format!("{step:<9} waits     for identity")), "{ran:?}");
    }
    assert_eq!(yard.vessel.git(&["rev-parse", "--verify", "-q", "HEAD"]).code, 1, "nothing is committed");
    assert_eq!(yard.standing("state"), "missing");
    assert_eq!(yard.vessel.datum(&["bottle", "check", "--agent", "oracle1"]).ok(), "");
    // Mended, the rest is done, and what was not wanted is not wanted still.
    std::fs::remove_file(&toml).unwrap();
    let said = yard.run(&[]).ok();
    assert!(said.contains("hooks     declined") && said.contains("state     done"), "{said}");
    assert!(yard.check()["complete"].as_bool().unwrap(), "{}", yard.check());
}

#[test]
fn what_is_declined_with_the_question_is_not_missed() {
    let yard = Yard::new();
    yard.run(&[]).ok();
    std::fs::remove_file(yard.vessel.path().join(".git/hooks/pre-push")).unwrap();
    let check = |args: &[&str]| yard.command(&[&["--check"], args].concat()).output().unwrap().status.code();
    assert_eq!((check(&[]), check(&["--no-hooks"])), (Some(1), Some(0)));
}

#[test]
fn keys_that_are_here_are_left_alone_where_none_are_wanted() {
    let yard = Yard::new();
    let keys = |args: &[&str]| {
        let mut command = yard.vessel.command(&[&["agent", "keys"], args].concat());
        command.env("DATUM_AGENT", "heron").env("XDG_CONFIG_HOME", yard.home.path());
        crate::vessel::Ran::of(&command.output().unwrap())
    };
    keys(&["new"]).ok();
    let said = yard.run(&["--keys", "none"]).ok();
    assert!(said.contains("keys      declined"), "{said}");
    assert!(keys(&["show"]).ok().contains("declared   no"));
    assert_eq!(yard.standing("keys"), "declined");
    let ran = yard.run(&["--keys", "locked"]);
    assert!(ran.code == 0 && ran.stdout.contains("keys      done      declared the keys"), "{ran:?}");
    assert!(
        ran.stderr.contains("in clear, and stay so") && ran.stderr.contains("keys passphrase"),
        "{ran:?}"
    );
    // What is declared is not taken back.
    assert!(yard.run(&["--keys", "none"]).ok().contains("keys      there"));
}

#[test]
fn locked_keys_are_not_asked_for_where_none_are_wanted() {
    let yard = Yard::new();
    let keys = |args: &str| {
        let script =
            format!("printf 'a good passphrase\\n' | DATUM_PASSPHRASE_FD=0 \"$DATUM\" agent keys {args}");
        let mut command = crate::vessel::clean("sh", yard.vessel.path());
        command.args(["-c", &script]).env("DATUM", env!("CARGO_BIN_EXE_datum"));
        command.env("DATUM_AGENT", "heron").env("XDG_CONFIG_HOME", yard.home.path());
        crate::vessel::Ran::of(&command.output().unwrap()).ok()
    };
    keys("new --passphrase");
    let said = yard.run(&["--keys", "none"]).ok();
    assert!(said.contains("keys      declined") && said.contains("state     done"), "{said}");
    // Once they are declared, what is signed is expected of the agent, and that is said.
    keys("declare");
    let mut start = yard.vessel.command(&["agent", "start"]);
    start.env("DATUM_AGENT", "heron").env("XDG_CONFIG_HOME", yard.home.path());
    let said = crate::vessel::Ran::of(&start.output().unwrap()).fails(2);
    assert!(said.contains("cannot sign as heron") && said.contains("DATUM_PASSPHRASE_FD"), "{said}");
}

#[test]
fn a_given_confidence_is_proposed_as_it_is() {
    let yard = Yard::new();
    let Some(mut terminal) = Terminal::start_with(&yard, "--cap knots=0.5 --cap sail=0.7") else {
        eprintln!("skipped: no script(1) that makes a pseudo-terminal; the questions are not asked");
        return;
    };
    for question in ["The agent's name:", "Its role", "What it is", "What it can do:", "What else?"] {
        terminal.answer(question, "\r");
    }
    terminal.answer("How sure is it of knots?", "");
    terminal.answer("as it is (0.5)", "\r");
    for question in [
        "How sure is it of sail?",
        "Commit CAPABILITY.toml",
        "Keys, to sign",
        "A GitHub token",
        "Other clones:",
        "Git hooks",
        "Whom to greet",
        "A task to begin with:",
        "Do that?",
    ] {
        terminal.answer(question, "\r");
    }
    terminal.expect("heron is onboarded");
    assert_eq!(terminal.child.wait().unwrap().code(), Some(0));
    let text = std::fs::read_to_string(yard.vessel.path().join("CAPABILITY.toml")).unwrap();
    assert!(
        text.contains("knots = { confidence = 0.50") && text.contains("sail = { confidence = 0.70"),
        "{text}"
    );
}
