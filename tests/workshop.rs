//! The git agent, tools, recipes and names from the command line.

use crate::vessel::{Ran, Vessel, clean};
use std::fs;

/// A workshop from the built-in template.
fn workshop() -> Vessel {
    let vessel = Vessel::new();
    vessel.datum(&["git", "init", ".", "--owner", "heron", "--name", "trial"]).ok();
    vessel
}

fn write(vessel: &Vessel, path: &str, text: &str) {
    let file = vessel.path().join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

#[test]
fn a_workshop_is_made_whole_and_overwrites_nothing() {
    let vessel = workshop();
    let readme = fs::read_to_string(vessel.path().join("README.md")).unwrap();
    assert!(readme.starts_with("# trial\n") && !readme.contains("{{"), "{readme}");
    assert_eq!(vessel.git(&["status", "--porcelain"]).ok(), "");
    let said = vessel.datum(&["git", "init", "."]).fails(2);
    assert!(said.contains("README.md") && said.contains("would be overwritten"), "{said}");
    vessel.datum(&["boot"]).ok();
    vessel.datum(&["publish"]).ok();
    let agent: toml::Table =
        fs::read_to_string(vessel.path().join(".superagent/agent.toml")).unwrap().parse().unwrap();
    assert_eq!(agent["agent"]["name"].as_str(), Some("heron"));
    // A folder of its own as a template, with a variable; and a repository.
    write(&vessel, "mine/{{part}}.md", "{{part}} of {{name}} ${{ kept }}\n");
    vessel.datum(&["git", "init", "new", "--template", "mine", "--var", "part=pump"]).ok();
    assert_eq!(fs::read_to_string(vessel.path().join("new/pump.md")).unwrap(), "pump of new ${{ kept }}\n");
    let address = format!("file://{}", vessel.path().join("new").display());
    vessel.datum(&["git", "init", "other", "--template", &address]).ok();
    assert!(vessel.path().join("other/pump.md").is_file());
}

#[test]
fn templates_that_lead_out_are_refused() {
    let vessel = Vessel::new();
    write(&vessel, "out/{{where}}/evil.md", "x");
    let said = vessel.datum(&["git", "init", "new", "--template", "out", "--var", "where=.."]).fails(2);
    assert!(said.contains("leads out of the work tree"), "{said}");
    #[cfg(unix)]
    {
        write(&vessel, "link/a.md", "x");
        std::os::unix::fs::symlink("/etc/passwd", vessel.path().join("link/b.md")).unwrap();
        let said = vessel.datum(&["git", "init", "new", "--template", "link"]).fails(2);
        assert!(said.contains("symbolic link"), "{said}");
        // Through a link in the place itself, too.
        fs::create_dir_all(vessel.path().join("place")).unwrap();
        std::os::unix::fs::symlink(vessel.path(), vessel.path().join("place/wiki")).unwrap();
        let said = vessel.datum(&["git", "init", "place"]).fails(2);
        assert!(said.contains("symbolic link"), "{said}");
    }
    for bad in [&["--template", "nowhere"][..], &["--var", "x"], &["--var", "x=\"y"], &["--owner", "../x"]] {
        assert_eq!(vessel.datum(&[&["git", "init", "new"], bad].concat()).code, 2, "{bad:?}");
    }
    assert!(!vessel.path().join("new").exists());
}

#[test]
fn commits_tell_why_and_pass_the_hooks() {
    let vessel = workshop();
    write(&vessel, "a.md", "a");
    write(&vessel, "b.md", "b");
    vessel.datum(&["git", "commit", "-m", "one", "--reasoning", "because", "--i2i", "SIGNAL", "a.md"]).ok();
    assert_eq!(
        vessel.git(&["log", "-1", "--format=%B"]).ok(),
        "[I2I:SIGNAL] a — one\n\nReasoning: because\n\n"
    );
    vessel.datum(&["git", "smart-commit", "Add the page b", "It was missing."]).ok();
    assert_eq!(vessel.git(&["log", "-1", "--format=%s"]).ok(), "feat: Add the page b\n");
    assert_eq!(vessel.datum(&["git", "commit", "-m", "nothing"]).code, 1);
    let history = vessel.datum(&["git", "history", "-n", "2", "--format", "json"]).json();
    assert_eq!(history["commits"][1]["i2i"]["type"], "SIGNAL");
    let hook = vessel.path().join(".git/hooks/pre-commit");
    write(&vessel, ".git/hooks/pre-commit", "#!/bin/sh\necho 'not today' >&2\nexit 1\n");
    #[cfg(unix)]
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let ran = vessel.datum(&["git", "write", "c.md", "--content", "c"]);
    assert!(ran.code == 1 && ran.stderr.contains("not today"), "{ran:?}");
    assert!(!vessel.path().join("c.md").exists());
    fs::remove_file(hook).unwrap();
    vessel.datum(&["git", "write", "c.md", "--content", "c"]).ok();
    assert_eq!(vessel.datum(&["git", "read", "c.md"]).ok(), "c\n");
    vessel.datum(&["git", "delete", "c.md"]).ok();
    for bad in ["../x", "/etc/x", ".git/config", "a\nb"] {
        assert_eq!(vessel.datum(&["git", "write", bad, "--content", "x"]).code, 2, "{bad:?}");
    }
    vessel.datum(&["git", "branch", "trial"]).ok();
    vessel.datum(&["git", "checkout", "main"]).ok();
    assert_eq!(vessel.datum(&["git", "branch", "-x"]).code, 2);
}

#[test]
fn conflicts_are_named_and_nothing_is_done() {
    let here = workshop();
    let bare = Vessel::with(&["--bare"]);
    here.git(&["remote", "add", "origin", bare.path().to_str().unwrap()]).ok();
    here.datum(&["git", "sync"]).ok();
    let there = Vessel::empty();
    there.datum(&["git", "clone", bare.path().to_str().unwrap(), "."]).ok();
    there.datum(&["git", "write", "wiki/a.md", "--content", "theirs"]).ok();
    there.datum(&["git", "sync"]).ok();
    here.datum(&["git", "write", "wiki/a.md", "--content", "ours"]).ok();
    let before = here.git(&["rev-parse", "HEAD"]).ok();
    let ran = here.datum(&["git", "sync"]);
    assert!(ran.code == 1 && ran.stdout.contains("conflict   wiki/a.md"), "{ran:?}");
    assert_eq!(here.git(&["rev-parse", "HEAD"]).ok(), before);
    assert_eq!(here.git(&["status", "--porcelain"]).ok(), "");
}

#[test]
fn a_tool_runs_in_the_workshop_and_is_recorded() {
    let vessel = workshop();
    write(&vessel, "tools/greet.sh", "echo \"hello $1\"\nexit ${2:-0}\n");
    let before = fs::read_to_string(vessel.path().join("tools/manifest.json")).unwrap();
    vessel
        .datum(&["tools", "add", "greet", "tools/greet.sh", "--description", "Greets", "--tag", "sea"])
        .ok();
    assert_eq!(vessel.datum(&["tools", "run", "greet", "--", "casey"]).ok(), "hello casey\n");
    let ran = vessel.datum(&["tools", "run", "greet", "x", "7"]);
    assert!(ran.code == 1 && ran.stderr.contains("greet ended with 7"), "{ran:?}");
    let journal = vessel.datum(&["journal", "--category", "TOOL"]).ok();
    assert_eq!(journal.lines().count(), 4);
    assert!(journal.contains("tool greet: ended with 7 after"), "{journal}");
    assert_eq!(vessel.datum(&["tools", "search", "SEA"]).ok().lines().count(), 1);
    assert_eq!(vessel.datum(&["git", "inventory", "--format", "json"]).json()["tools"][0]["name"], "greet");
    assert_eq!(vessel.datum(&["tools", "add", "greet", "tools/greet.sh"]).code, 2);
    vessel.datum(&["tools", "remove", "greet"]).ok();
    assert_eq!(fs::read_to_string(vessel.path().join("tools/manifest.json")).unwrap(), before);
    assert_eq!(
        vessel.datum(&["tools", "list", "--format", "json"]).json()["tools"].as_array().unwrap().len(),
        6
    );
}

#[test]
fn tools_outside_and_broken_manifests_are_refused() {
    let vessel = workshop();
    for bad in ["../x.sh", "/bin/sh", ".git/hooks/x", "tools/nowhere.sh"] {
        assert_eq!(vessel.datum(&["tools", "add", "x", bad]).code, 2, "{bad}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/bin/sh", vessel.path().join("tools/out")).unwrap();
        let said = vessel.datum(&["tools", "add", "x", "tools/out"]).fails(2);
        assert!(said.contains("leads out of the workshop"), "{said}");
        // One that was registered by hand runs no more than one that was not.
        write(&vessel, "tools/manifest.json", "{\"tools\": [{\"name\": \"x\", \"path\": \"tools/out\"}]}\n");
        assert_eq!(vessel.datum(&["tools", "run", "x"]).code, 2);
    }
    let broken = "{\n  \"tools\": [\n}\n";
    write(&vessel, "tools/manifest.json", broken);
    for args in
        [&["tools", "list"][..], &["tools", "remove", "x"], &["recipe", "list"], &["git", "inventory"]]
    {
        let said = vessel.datum(args).fails(2);
        assert!(said.contains("line 3, column 1"), "{args:?}: {said}");
    }
    assert_eq!(fs::read_to_string(vessel.path().join("tools/manifest.json")).unwrap(), broken);
    assert_eq!(vessel.datum(&["tools", "run", "nothing"]).code, 2);
}

#[test]
fn a_recipe_runs_its_commands_until_one_fails() {
    let vessel = workshop();
    let add = [
        "recipe",
        "add",
        "tidy",
        "--description",
        "Tidy up",
        "--command",
        "echo one",
        "--command",
        "exit 3",
        "--command",
        "echo two",
    ];
    vessel.datum(&add).ok();
    assert_eq!(vessel.datum(&["recipe", "run", "tidy", "--dry-run"]).ok(), "echo one\nexit 3\necho two\n");
    let ran = vessel.datum(&["recipe", "run", "tidy"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, "one\n"), "{ran:?}");
    // What a command may touch is asked for with the boundary alone; and within one the git directory is closed.
    assert_eq!(vessel.datum(&["recipe", "run", "tidy", "--read", "/"]).code, 2);
    if vessel.datum(&["sandbox", "status"]).code == 0 {
        let shut = ["recipe", "add", "shut", "--description", "Shut", "--command", "echo x >.git/config"];
        vessel.datum(&shut).ok();
        let ran = vessel.datum(&["recipe", "run", "shut", "--bounded"]);
        assert!(ran.code == 1 && ran.stderr.contains("held for a: "), "{ran:?}");
        vessel.git(&["status", "--short"]).ok();
        vessel.datum(&["tools", "remove", "shut"]).ok();
        fs::remove_file(vessel.path().join("recipes/shut.md")).unwrap();
    } else {
        eprintln!("SKIPPED: this kernel holds no whole boundary");
    }
    assert_eq!(vessel.datum(&add).code, 2);
    let listed = vessel.datum(&["recipe", "list", "--format", "json"]).json();
    let names: Vec<_> = listed["recipes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["morning", "tidy"]);
    assert!(vessel.datum(&["recipe", "show", "tidy"]).ok().starts_with("# tidy\n"));
    for bad in ["../x", "a/b", "a b", ""] {
        assert_eq!(
            vessel.datum(&["recipe", "add", bad, "--description", "x", "--command", "x"]).code,
            2,
            "{bad:?}"
        );
    }
}

#[test]
fn the_other_names_are_the_same_program() {
    let vessel = workshop();
    let names = vessel.path().join("bin");
    vessel.datum(&["install-names", names.to_str().unwrap()]).ok();
    vessel.datum(&["install-names", names.to_str().unwrap()]).ok();
    let path = format!("{}:{}", names.display(), std::env::var("PATH").unwrap_or_default());
    let run = |program: &str, args: &[&str]| {
        let mut command = clean(names.join(program), vessel.path());
        Ran::of(&command.args(args).env("DATUM_AGENT", "a").env("PATH", &path).output().unwrap())
    };
    assert_eq!(run("git-agent", &["history", "-n", "1"]).ok().lines().count(), 1);
    assert_eq!(run("oracle", &["status"]).code, 0);
    let help = run("git-agent", &["commit", "--help"]).ok();
    assert!(help.contains("Usage: datum git commit [OPTIONS]"), "{help}");
    let mut git = clean("git", vessel.path());
    let git = Ran::of(
        &git.args(["datum", "journal", "LOG", "by git"])
            .env("DATUM_AGENT", "a")
            .env("PATH", &path)
            .output()
            .unwrap(),
    );
    git.ok();
    // The name may be a link to the program: writing through it would write over the program itself.
    fs::remove_file(names.join("oracle")).unwrap();
    fs::write(names.join("oracle"), "something else").unwrap();
    assert_eq!(vessel.datum(&["install-names", names.to_str().unwrap()]).code, 2);
}

#[test]
fn shells_and_man_are_told_of_every_command() {
    let vessel = Vessel::new();
    for shell in ["bash", "zsh", "fish"] {
        let text = vessel.datum(&["completions", shell]).ok();
        assert!(text.contains("first-contact"), "{shell}");
    }
    assert!(vessel.datum(&["completions", "bash", "--for", "git-agent"]).ok().contains("smart-commit"));
    vessel.datum(&["man", "man"]).ok();
    for page in ["datum.1", "datum-task-claim.1", "datum-oracle-dispatch.1", "git-datum.1", "git-agent.1"] {
        assert!(vessel.path().join("man").join(page).is_file(), "{page}");
    }
}

#[test]
fn what_cannot_be_committed_or_synced_is_named() {
    let vessel = Vessel::new();
    let none = vessel.datum(&["git", "commit", "-m", "x", "no-such-file"]).fails(2);
    assert!(none.contains("there is no file no-such-file"), "{none}");
    assert!(vessel.datum(&["git", "sync"]).fails(2).contains("hint: git remote add origin URL"));
    vessel.git(&["remote", "add", "origin", "/nonexistent/harbour.git"]).ok();
    vessel.git(&["commit", "-q", "--allow-empty", "-m", "one"]).ok();
    // git's last line is advice; what is the matter stands in the first.
    let gone = vessel.datum(&["git", "sync"]).fails(3);
    assert!(gone.contains("'/nonexistent/harbour.git' does not appear to be a git repository"), "{gone}");
    fs::write(vessel.path().join("a"), "1").unwrap();
    vessel.datum(&["git", "commit", "-m", "a", "a"]).ok();
    fs::remove_file(vessel.path().join("a")).unwrap();
    vessel.datum(&["git", "commit", "-m", "a is gone", "a"]).ok();
    assert_eq!(vessel.git(&["status", "--porcelain"]).ok(), "");
}
