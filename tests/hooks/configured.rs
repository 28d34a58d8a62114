//! Hooks as lines of git's configuration: with the git at hand where that reads them, and with stand-ins for both kinds.

use super::{commit, declared, entries, file, trailer, write_hook};
use crate::pushes::key;
use crate::vessel::{Ran, Vessel, clean};
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// The first git that reads hooks from its configuration, and the first that can turn a whole event off in it.
const READS: (u32, u32) = (2, 54);
const EVENTS: (u32, u32) = (2, 55);

/// A vessel whose agent is declared; `None`, and that is said, where this git is older than `least`.
fn vessel(least: (u32, u32)) -> Option<Vessel> {
    let vessel = declared();
    let said = vessel.git(&["version"]).ok();
    let mut numbers = said.trim().trim_start_matches("git version ").split('.').map_while(|n| n.parse().ok());
    let have = (numbers.next().unwrap(), numbers.next().unwrap());
    if have < least {
        eprintln!("SKIPPED: {} is older than {}.{}", said.trim(), least.0, least.1);
        return None;
    }
    Some(vessel)
}

/// A program called git that says it has this version, and a path on which it comes first.
fn pretending(version: &str, more: &str) -> (TempDir, OsString) {
    let bin = tempfile::tempdir().unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let real = std::env::split_paths(&path).map(|dir| dir.join("git")).find(|git| git.is_file()).unwrap();
    let git = format!(
        "#!/bin/sh\nreal='{}'\nfor last; do :; done\ncase \"$*\" in\n*' version') echo 'git version {version}'; exit;;\n{more}esac\nexec \"$real\" \"$@\"\n",
        real.display()
    );
    write_hook(&bin.path().join("git"), &git, 0o755);
    let before = std::iter::once(bin.path().to_owned());
    let path = std::env::join_paths(before.chain(std::env::split_paths(&path))).unwrap();
    (bin, path)
}

#[test]
fn from_git_2_54_on_hooks_are_configuration() {
    let vessel = declared();
    // What git 2.54 does with our hook alone, whatever this git does.
    let new = "*' hook list '*)\n\
         command=$(\"$real\" config --get \"hook.datum-$last.command\") || exit 1\n\
         [ \"$(\"$real\" config --get \"hook.datum-$last.event\")\" = \"$last\" ] || exit 1\n\
         [ \"$(\"$real\" config --get \"hook.datum-$last.enabled\")\" != false ] || printf 'disabled\\t'\n\
         echo \"datum-$last\"; exit;;\n\
         *' hook run '*)\n\
         for event; do case \"$event\" in post-commit|post-rewrite|pre-push) break;; esac; done\n\
         command=$(\"$real\" config --get \"hook.datum-$event.command\") || exit 1\n\
         exec sh -c \"$command \\\"\\$@\\\"\" \"$command\" probe probe;;\n";
    let (_new, new) = pretending("2.54.0", new);
    let (_old, old) = pretending("2.47.3", "");
    let under =
        |path: &OsString, args: &[&str]| Ran::of(&vessel.command(args).env("PATH", path).output().unwrap());
    let before = fs::read(vessel.path().join(".git/config")).unwrap();
    let said = under(&new, &["hooks", "install"]).ok();
    assert!(said.lines().all(|line| line.ends_with("in git's configuration; reached")), "{said}");
    assert_eq!(vessel.git(&["config", "hook.datum-pre-push.event"]).ok(), "pre-push\n");
    assert!(!file(&vessel, "pre-push").exists());
    vessel.git(&["config", "hook.datum-pre-push.enabled", "false"]).ok();
    assert_eq!(under(&new, &["hooks", "status", "--exit-code"]).code, 1);
    // Older git does not read them, and says so.
    assert!(under(&old, &["hooks", "verify"]).stdout.contains("2.47 reads no hooks from its configuration"));
    assert!(under(&old, &["hooks", "status"]).stdout.contains("2.47 reads no hooks from its configuration"));
    assert!(under(&old, &["hooks", "install", "--config"]).fails(2).contains("2.54"));
    // Installed as files, they leave the configuration; nothing runs twice.
    under(&new, &["hooks", "install", "--file"]).ok();
    assert_eq!(vessel.git(&["config", "hook.datum-pre-push.event"]).code, 1);
    under(&new, &["hooks", "install"]).ok();
    assert!(!file(&vessel, "pre-push").exists());
    under(&new, &["hooks", "uninstall"]).ok();
    assert_eq!(fs::read(vessel.path().join(".git/config")).unwrap(), before);
    under(&old, &["hooks", "install"]).ok();
    assert!(file(&vessel, "pre-push").exists());
}

#[test]
fn git_runs_what_its_configuration_says() {
    let Some(vessel) = vessel(READS) else { return };
    vessel.git(&["add", "CAPABILITY.toml"]).ok();
    commit(&vessel, "declare").ok();
    vessel.git(&["config", "hook.lint.command", "true"]).ok();
    vessel.git(&["config", "hook.lint.event", "pre-push"]).ok();
    vessel.git(&["config", "hook.pre-push.jobs", "2"]).ok();
    let before = fs::read(vessel.path().join(".git/config")).unwrap();
    let said = vessel.datum(&["hooks", "install", "--commit-msg", "i2i"]).ok();
    assert_eq!(
        said.lines().filter(|line| line.ends_with("in git's configuration; reached")).count(),
        4,
        "{said}"
    );
    assert_eq!(vessel.git(&["hook", "list", "pre-push"]).ok(), "lint\ndatum-pre-push\n");
    assert!(
        fs::read_dir(vessel.path().join(".git/hooks"))
            .unwrap()
            .all(|found| { found.unwrap().path().extension().is_some_and(|sample| sample == "sample") })
    );

    assert!(commit(&vessel, "just words").fails(1).contains("hint: write '[I2I:TYPE]"));
    assert_eq!(commit(&vessel, "[I2I:LOG] hull — dry").stderr, "");
    vessel.git(&["commit", "-q", "--allow-empty", "--amend", "-m", "[I2I:LOG] hull — wet"]).ok();
    let linked = vessel.path().join("linked");
    vessel.git(&["worktree", "add", "-q", "-b", "side", "linked"]).ok();
    let run = |args: &[&str]| Ran::of(&clean("git", &linked).args(args).output().unwrap());
    for name in ["one", "two"] {
        fs::write(linked.join(name), "x").unwrap();
        run(&["add", name]).ok();
        run(&["commit", "-q", "-m", &format!("[I2I:LOG] {name} — here")]).ok();
    }
    commit(&vessel, "[I2I:LOG] keel — dry").ok();
    run(&["rebase", "-q", "main"]).ok();
    let list = entries(&vessel);
    let told: Vec<_> = list.iter().map(|entry| entry["subject"].as_str().unwrap()).collect();
    assert_eq!(told.len(), 6, "{told:?}");
    assert_eq!((told[5], trailer(&list[2], "Branch").as_deref()), ("Rebased 2 commits", Some("side")));

    let other = Vessel::with(&["--bare"]);
    let push = |branch: &str| vessel.git(&["push", "-q", other.path().to_str().unwrap(), branch]);
    push("side").ok();
    fs::write(vessel.path().join("settings"), format!("token = \"{}\"\n", key(1))).unwrap();
    vessel.git(&["add", "settings"]).ok();
    commit(&vessel, "[I2I:LOG] keys — lost").ok();
    let said = push("main");
    assert!(said.code != 0 && said.stderr.contains("settings"), "{said:?}");

    let said = vessel.datum(&["hooks", "uninstall"]).ok();
    assert_eq!(said.lines().count(), 4, "{said}");
    assert_eq!(fs::read(vessel.path().join(".git/config")).unwrap(), before);
    push("main").ok();
}

#[test]
fn hooks_of_others_run_beside_those_of_the_configuration() {
    let Some(vessel) = vessel(READS) else { return };
    let log = vessel.path().join("log");
    let script = |name: &str| format!("echo \"{name} $# $1\" >>'{0}'; cat >>'{0}'\n", log.display());
    write_hook(&file(&vessel, "pre-push"), &format!("#!/bin/sh\n{}", script("file")), 0o755);
    // A name that ends early where it stands in an option of git.
    let theirs = format!("f() {{ {} }}; f", script("theirs").replace('\n', ";"));
    vessel.git(&["config", "hook.lint=all.command", &theirs]).ok();
    vessel.git(&["config", "hook.lint=all.event", "pre-push"]).ok();
    vessel.git(&["config", "hook.off.command", "exit 9"]).ok();
    vessel.git(&["config", "hook.off.event", "pre-push"]).ok();
    vessel.git(&["config", "hook.off.enabled", "no"]).ok();
    for args in [&["hooks", "install"][..], &["hooks", "verify"]] {
        let said = vessel.datum(args).ok();
        assert!(said.lines().all(|line| line.ends_with("; reached")), "{said}");
    }
    assert!(!log.exists(), "verify runs no hook but ours");
    commit(&vessel, "one").ok();
    let other = Vessel::with(&["--bare"]);
    let url = other.path().to_str().unwrap();
    vessel.git(&["push", "-q", url, "main:x", "main:y"]).ok();
    let (id, zero) = (vessel.git(&["rev-parse", "HEAD"]).ok(), "0".repeat(40));
    let line = |name: &str| format!("refs/heads/main {} refs/heads/{name} {zero}\n", id.trim());
    let lines = line("x") + &line("y");
    let want = format!("theirs 2 {url}\n{lines}file 2 {url}\n{lines}");
    assert_eq!(fs::read_to_string(&log).unwrap(), want);
    // A folder of hooks in the work tree, as husky has it, and none at all.
    fs::remove_file(&log).unwrap();
    let husky = vessel.path().join(".husky/_");
    write_hook(&husky.join("pre-push"), &format!("#!/bin/sh\n{}", script("husky")), 0o755);
    vessel.git(&["config", "core.hooksPath", ".husky/_"]).ok();
    assert!(!vessel.datum(&["hooks", "install"]).stderr.contains("work tree"), "no file of it is changed");
    assert!(vessel.datum(&["hooks", "verify"]).ok().lines().all(|line| line.ends_with("; reached")));
    vessel.git(&["push", "-q", url, "main:z"]).ok();
    let line = line("z");
    assert_eq!(fs::read_to_string(&log).unwrap(), format!("theirs 2 {url}\n{line}husky 2 {url}\n{line}"));
    vessel.git(&["config", "core.hooksPath", "/dev/null"]).ok();
    assert!(vessel.datum(&["hooks", "install"]).ok().lines().all(|line| line.ends_with("; reached")));
    commit(&vessel, "two").ok();
    assert_eq!(entries(&vessel).len(), 2);
}

#[test]
fn what_turns_a_configured_hook_off_is_told() {
    let Some(vessel) = vessel(READS) else { return };
    vessel.datum(&["hooks", "install"]).ok();
    vessel.datum(&["hooks", "status", "--exit-code"]).ok();
    let told = |key: &str| {
        let ran = vessel.datum(&["hooks", "status", "--exit-code"]);
        let why = format!("in git's configuration; not reached: {key} turns it off");
        assert!(ran.code == 1 && ran.stdout.contains(&why), "{ran:?}");
        let ran = vessel.datum(&["hooks", "verify"]);
        assert!(ran.code == 1 && ran.stdout.contains(&why), "{ran:?}");
        assert!(ran.stderr.contains(&format!("hint: git config {key} true turns it on")), "{ran:?}");
    };
    vessel.git(&["config", "hook.datum-post-commit.enabled", "false"]).ok();
    told("hook.datum-post-commit.enabled");
    commit(&vessel, "one").ok();
    assert_eq!(entries(&vessel).len(), 0);
    let status = vessel.datum(&["hooks", "status", "--format", "json"]).json();
    assert_eq!(
        (&status["hooks"][0]["installed"], &status["hooks"][0]["reached"]),
        (&"config".into(), &false.into())
    );
    vessel.git(&["config", "hook.datum-post-commit.enabled", "true"]).ok();
    vessel.datum(&["hooks", "verify"]).ok();

    // Ours without a command, or without an event, is seen, mended, and taken out.
    vessel.git(&["config", "--unset", "hook.datum-pre-push.command"]).ok();
    let ran = vessel.datum(&["hooks", "status", "--exit-code"]);
    assert!(
        ran.code == 1 && ran.stdout.contains("'hook.datum-pre-push.command' must be configured"),
        "{ran:?}"
    );
    vessel.datum(&["hooks", "install"]).ok();
    vessel.git(&["config", "--add", "hook.datum-pre-push.event", ""]).ok();
    let ran = vessel.datum(&["hooks", "verify"]);
    assert!(ran.code == 1 && ran.stdout.contains("git has no datum-pre-push among its hooks"), "{ran:?}");
    vessel.datum(&["hooks", "install"]).ok();
    vessel.datum(&["hooks", "verify"]).ok();

    // One of somebody else's that git cannot run ends every push; git says which.
    vessel.git(&["config", "hook.lint.event", "pre-push"]).ok();
    let ran = vessel.datum(&["hooks", "verify"]);
    assert!(ran.code == 1 && ran.stdout.contains("'hook.lint.command' must be configured"), "{ran:?}");
    vessel.git(&["config", "--remove-section", "hook.lint"]).ok();

    // One for all of a user's repositories counts, and is not ours to take away.
    let config = vessel.path().join("global");
    let user =
        |args: &[&str]| Ran::of(&vessel.command(args).env("GIT_CONFIG_GLOBAL", &config).output().unwrap());
    let section = fs::read_to_string(vessel.path().join(".git/config")).unwrap();
    fs::write(&config, &section[section.find("[hook").unwrap()..]).unwrap();
    let ran = user(&["hooks", "uninstall"]);
    assert!(
        ran.code == 0 && ran.stderr.contains("hook.datum-pre-push is not in this repository's own"),
        "{ran:?}"
    );
    assert!(user(&["hooks", "verify"]).ok().lines().all(|line| line.ends_with("; reached")));
    vessel.datum(&["hooks", "verify"]).fails(1);
    fs::remove_file(&config).unwrap();

    let Some(_) = self::vessel(EVENTS) else { return };
    vessel.datum(&["hooks", "install"]).ok();
    vessel.git(&["config", "hook.pre-push.enabled", "false"]).ok();
    told("hook.pre-push.enabled");
}

#[test]
fn a_clone_that_changes_its_git_is_told_where_hooks_are() {
    let Some(vessel) = vessel(READS) else { return };
    let (_bin, old) = pretending("2.47.3", "");
    let install = |path: Option<&OsString>| {
        let mut command = vessel.command(&["hooks", "install"]);
        path.into_iter().for_each(|path| _ = command.env("PATH", path));
        Ran::of(&command.output().unwrap()).ok()
    };
    let is_file = |path: &Path| path.is_file();
    install(Some(&old));
    assert!(is_file(&file(&vessel, "post-commit")));
    install(None);
    assert!(!is_file(&file(&vessel, "post-commit")));
    commit(&vessel, "one").ok();
    install(Some(&old));
    assert!(is_file(&file(&vessel, "post-commit")));
    assert_eq!(vessel.git(&["config", "--get-regexp", "^hook"]).code, 1);
    commit(&vessel, "two").ok();
    assert_eq!(entries(&vessel).len(), 2);
}
