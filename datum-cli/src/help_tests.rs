//! Every command's help ends with examples, and every example is one: it parses, as the command it stands with.

use crate::args::Args;
use crate::cmd::names;
use clap::{CommandFactory as _, Parser as _};
use std::ffi::OsString;

/// The words of a shell line, quotes taken away; `None` stands between two commands of the line.
fn words(line: &str) -> Vec<Option<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, ' ') => words.extend(word.take().map(Some)),
            (None, '|' | '&' | ';') => {
                words.extend(word.take().map(Some));
                words.push(None);
            }
            // What is redirected, and to where, is the shell's.
            (None, '<' | '>') => {
                words.extend(word.take().map(Some));
                while chars.next_if(|c| *c == ' ' || *c == '>').is_some() {}
                while chars.next_if(|c| !" |&;".contains(*c)).is_some() {}
            }
            (_, '\\') => word.get_or_insert_default().extend(chars.next()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word.map(Some));
    words
}

/// The commands of a shell line that are ours, each as its words.
fn ours(line: &str) -> Vec<Vec<String>> {
    let words = words(line);
    let commands = words.split(Option::is_none).map(|words| {
        let is_setting = |word: &&String| {
            word.split_once('=')
                .is_some_and(|(name, _)| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
        };
        words.iter().flatten().skip_while(is_setting).cloned().collect::<Vec<String>>()
    });
    commands
        .filter_map(|words| match words.first().map(String::as_str) {
            Some("datum" | "git-agent" | "oracle" | "keeper" | "git-datum") => Some(words),
            Some("git") if words.get(1).is_some_and(|word| word == "datum") => Some(words[1..].to_vec()),
            _ => None,
        })
        .collect()
}

/// The lines of the examples.
fn examples(help: &str) -> impl Iterator<Item = &str> {
    let after = help.split_once("Examples:\n").map_or("", |(_, after)| after);
    after
        .lines()
        .take_while(|line| line.starts_with("  "))
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
}

fn check(command: &clap::Command, path: &[&str], wrong: &mut Vec<String>) -> usize {
    let name = path.join(" ");
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut uses = false;
    for line in examples(&help) {
        for words in ours(line) {
            let arguments = names::arguments(words.iter().map(OsString::from));
            uses |= path.iter().all(|part| *part == "datum" || arguments.iter().any(|word| word == part));
            if let Err(error) = Args::try_parse_from(arguments)
                && error.use_stderr()
            {
                wrong.push(format!(
                    "{name}: {line:?}: {}",
                    error.to_string().lines().next().unwrap_or_default()
                ));
            }
        }
    }
    if !uses {
        wrong.push(format!("{name}: no example of it"));
    }
    let below = command.get_subcommands().filter(|command| !command.is_hide_set());
    1 + below.map(|below| check(below, &[path, &[below.get_name()]].concat(), wrong)).sum::<usize>()
}

#[test]
fn every_command_has_examples_and_they_parse() {
    let mut root = Args::command();
    // Commands are made when they are asked for; here all are.
    root.build();
    let mut wrong = Vec::new();
    let count = check(&root, &["datum"], &mut wrong);
    assert!(wrong.is_empty(), "{} of {count} commands:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 100, "the whole tree was walked, not {count}");
}

#[test]
fn every_argument_says_what_it_is() {
    fn walk(command: &clap::Command, path: &str, wrong: &mut Vec<String>) {
        let name = format!("{path} {}", command.get_name());
        if command.get_about().is_none() {
            wrong.push(format!("{name}: it does not say what it does"));
        }
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            if argument.get_help().is_none() {
                wrong.push(format!("{name}: {} is not explained", argument.get_id()));
            }
        }
        for below in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            walk(below, &name, wrong);
        }
    }
    let mut root = Args::command();
    root.build();
    let mut wrong = Vec::new();
    walk(&root, "", &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_shell_line_is_read_as_a_shell_reads_it() {
    let line = "A=1 datum journal 'two words' \"x y\" > out.txt && git datum status | head -n 1";
    let want = [vec!["datum", "journal", "two words", "x y"], vec!["datum", "status"]];
    assert_eq!(ours(line), want);
}
