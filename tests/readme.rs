//! The README runs: every command in a `console` block, in order, with the output that stands below it.
//!
//! Ids and times differ from run to run: an id of the README stands for whatever id came in its place, in later
//! commands too, and times are compared by their form.

use crate::vessel::clean;
use std::collections::BTreeMap;
use std::path::Path;

/// A command and the output that the README promises.
struct Step {
    line: usize,
    command: String,
    output: Vec<String>,
}

fn steps(readme: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for (index, line) in readme.lines().enumerate() {
        if line.starts_with("```") {
            inside = !inside && line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            steps.push(Step { line: index + 1, command: command.to_owned(), output: Vec::new() });
        } else if inside && let Some(step) = steps.last_mut() {
            step.output.push(line.to_owned());
        }
    }
    steps
}

/// Words that are ids: 12 or more hexadecimal digits, at least one of them a digit.
fn ids(line: &str) -> Vec<&str> {
    let hex = |word: &&str| {
        word.len() >= 8
            && word.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            && word.bytes().any(|b| b.is_ascii_digit())
    };
    line.split(|c: char| !c.is_ascii_alphanumeric()).filter(hex).collect()
}

/// The line with its digits as `0`, so that times and durations compare by their form, and runs of blanks as one.
fn form(line: &str) -> String {
    let mut out = line.to_owned();
    for id in ids(line) {
        out = out.replace(id, "<id>");
    }
    // A writer ends in the id of its clone, which is made at random.
    if let Some((before, clone)) = out.rsplit_once('-')
        && out.starts_with("Writer:")
        && clone.len() == 8
    {
        out = format!("{before}-<clone>");
    }
    let digits: String = out.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    digits.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_command_of_the_readme_says_what_it_promises() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let sandbox = tempfile::tempdir().unwrap();
    let home = sandbox.path().join("home");
    let work = home.join("fleet");
    std::fs::create_dir_all(&work).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_datum"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut folder = work.clone();
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let steps = steps(&readme);
    assert!(steps.len() >= 10, "the README tells a story");
    for step in steps {
        let mut command = step.command.clone();
        for (ours, theirs) in &known {
            command = command.replace(ours, theirs);
        }
        if let Some(to) = command.strip_prefix("cd ") {
            folder = folder.join(to);
            continue;
        }
        let output = clean("sh", &folder)
            .args(["-c", &format!("exec 2>&1; {command}")])
            .env("PATH", &path)
            .env("HOME", &home)
            .env("GIT_CONFIG_GLOBAL", home.join(".gitconfig"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let got: Vec<&str> = said.lines().collect();
        let want: Vec<&str> = step.output.iter().map(String::as_str).collect();
        for (want, got) in want.iter().zip(&got) {
            for (ours, theirs) in ids(want).iter().zip(ids(got)) {
                known.insert((*ours).to_owned(), theirs.to_owned());
            }
        }
        let forms = |lines: &[&str]| {
            lines.iter().map(|line| form(line)).filter(|l| !l.is_empty()).collect::<Vec<_>>()
        };
        let promised = forms(&want);
        let real: Vec<String> = forms(&got)
            .into_iter()
            .map(|line| line.replace(&form(&work.canonicalize().unwrap().display().to_string()), "~/fleet"))
            .collect();
        assert_eq!(real, promised, "README.md, line {}: {}\n{said}", step.line, step.command);
    }
}
