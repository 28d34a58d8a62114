//! `datum git commit|smart-commit`: commits that tell why.

use super::{places, tell, tree};
use crate::cmd::journal::read_stdin;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::i2i;
use datum_core::worktree::{Scope, TreePath};

/// Longest subject `smart-commit` makes, characters.
const SUBJECT_MAX: usize = 72;

/// Commits through `git commit`, so that hooks and signing apply; without FILES all that has changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum git commit -m 'pump: new seal' --reasoning 'the old one was brittle' src/pump.c
  datum git commit -m 'report ready' --i2i DELIVERABLE
  datum git commit -m 'as staged' --staged

Exit: 0 committed, 1 there is nothing to commit, or a hook refused.")]
pub(crate) struct Commit {
    /// The message; its first line is the subject
    #[arg(short, long, value_name = "TEXT")]
    message: String,
    /// Why, as a paragraph of its own; `-` reads it from stdin
    #[arg(long, value_name = "TEXT")]
    reasoning: Option<String>,
    /// Make the subject an I2I one of this type: TYPE or TYPE:CODE
    #[arg(long, value_name = "TYPE")]
    i2i: Option<String>,
    /// Commit only what is staged
    #[arg(long, conflicts_with = "files")]
    staged: bool,
    /// The files to commit, whatever else is staged
    #[arg(value_name = "FILES")]
    files: Vec<String>,
}

impl Commit {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let message = match &self.i2i {
            Some(kind) => i2i_message(kind, edge.agent()?.as_str(), &self.message)?,
            None => self.message.clone(),
        };
        let reasoning = self
            .reasoning
            .as_deref()
            .map(|text| if text == "-" { read_stdin() } else { Ok(text.to_owned()) });
        commit(edge, out, &message, reasoning.transpose()?.as_deref(), (&self.files, self.staged))
    }
}

fn commit(
    edge: &Edge<'_>,
    out: &mut Out,
    message: &str,
    reasoning: Option<&str>,
    (files, staged): (&[String], bool),
) -> Result<Exit, Fault> {
    let text = compose(message, reasoning)?;
    let files = places(edge, files)?;
    let files = files.iter().map(|place| TreePath::new(place)).collect::<Result<Vec<_>, _>>()?;
    let scope = match files.as_slice() {
        [] if staged => Scope::Staged,
        [] => Scope::All,
        files => Scope::Files(files),
    };
    let subject = text.lines().next().unwrap_or_default().to_owned();
    match i2i::parse(&subject) {
        Err(near) => out.warn(&format!("{near}; {}", near.hint())),
        Ok(Some(parsed)) => parsed.warnings().iter().for_each(|warning| out.warn(&warning.to_string())),
        Ok(None) => {}
    }
    let id = tree(edge)?.commit(&text, scope)?;
    tell(out, id, &subject);
    Ok(Exit::Done)
}

/// Puts message and reasoning together.
fn compose(message: &str, reasoning: Option<&str>) -> Result<String, Fault> {
    let message = message.trim();
    if message.is_empty() {
        return Err(Fault::usage("the message is empty").hint("-m 'what changed'"));
    }
    if message.contains('\0') || reasoning.is_some_and(|text| text.contains('\0')) {
        return Err(Fault::usage("the message holds NUL"));
    }
    let reasoning = reasoning.map(str::trim).filter(|text| !text.is_empty());
    Ok(match reasoning {
        Some(text) => format!("{message}\n\nReasoning: {text}\n"),
        None => format!("{message}\n"),
    })
}

/// The message with an I2I subject: `[I2I:TYPE] scope — summary`, the agent being the scope where none is given.
fn i2i_message(kind: &str, agent: &str, message: &str) -> Result<String, Fault> {
    let (subject, rest) = message.split_once('\n').unwrap_or((message, ""));
    let scoped =
        if subject.contains(" — ") { subject.to_owned() } else { format!("{agent} — {subject}") };
    let subject = format!("[I2I:{kind}] {scoped}");
    match i2i::parse(&subject) {
        Ok(Some(_)) if rest.is_empty() => Ok(subject),
        Ok(Some(_)) => Ok(format!("{subject}\n{rest}")),
        Ok(None) => Err(Fault::usage(format!("--i2i: {kind:?} makes no I2I subject"))),
        Err(near) => Err(Fault::usage(format!("--i2i: {near}")).hint(near.hint())),
    }
}

/// Commits all that has changed, with a conventional subject made from a description.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum git smart-commit 'Add a bilge alarm' 'Nobody heard the pump stop.'
  datum git smart-commit 'Faster scan' '' --type perf --dry-run")]
pub(crate) struct SmartCommit {
    /// What changed
    description: String,
    /// Why
    #[arg(default_value = "", hide_default_value = true)]
    thought: String,
    /// fix, feat, refactor, docs, test, chore or perf [default: found from the description's words]
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Print the message, and leave everything as it is
    #[arg(long)]
    dry_run: bool,
}

impl SmartCommit {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let kind = match &self.kind {
            None => kind_of(&self.description),
            Some(text) => TYPES.iter().map(|(kind, _)| *kind).find(|kind| kind == text).ok_or_else(|| {
                Fault::usage(format!("--type: {text:?} is no commit type"))
                    .hint("fix, feat, refactor, docs, test, chore or perf")
            })?,
        };
        let (subject, rest) = subject(kind, &self.description)?;
        let message = if rest.is_empty() { subject } else { format!("{subject}\n\n{rest}") };
        if self.dry_run {
            out.line(compose(&message, Some(&self.thought))?.trim_end());
            return Ok(Exit::Done);
        }
        commit(edge, out, &message, Some(&self.thought), (&[], false))
    }
}

/// The commit types, in the order they are looked for, and the words that speak for each.
const TYPES: [(&str, &[&str]); 7] = [
    ("fix", &["fix", "bug", "repair", "correct", "crash", "broken", "wrong", "fail", "regression", "leak"]),
    ("docs", &["doc", "readme", "changelog", "comment", "guide", "wording", "typo"]),
    ("test", &["test", "spec", "coverage", "fixture", "benchmark"]),
    ("perf", &["faster", "speed", "optimize", "optimise", "performance", "slow", "latency"]),
    ("refactor", &["refactor", "restructure", "rename", "move", "simplify", "split", "extract", "clean"]),
    ("feat", &["add", "new", "create", "implement", "introduce", "support", "allow", "feature", "build"]),
    ("chore", &["bump", "update", "upgrade", "config", "release", "dependency", "ignore"]),
];

/// The type whose word comes first in the description; `chore` where there is none.
fn kind_of(description: &str) -> &'static str {
    let lower = description.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    // `fixes`, `fixed` and `tests` are the same words; `prefix` and `latest` are others.
    let says = |word: &str, stem: &str| {
        word.strip_prefix(stem)
            .is_some_and(|end| ["", "s", "es", "ed", "d", "ing", "n", "ly", "ies"].contains(&end))
    };
    words
        .filter_map(|word| TYPES.iter().find(|(_, stems)| stems.iter().any(|stem| says(word, stem))))
        .map(|(kind, _)| *kind)
        .next()
        .unwrap_or("chore")
}

/// The subject, cut at a word where the description is long, and then the whole description for the body.
fn subject(kind: &str, description: &str) -> Result<(String, String), Fault> {
    let whole = description.trim();
    let first = whole.lines().next().unwrap_or_default().trim_end_matches('.');
    if first.is_empty() {
        return Err(Fault::usage("the description is empty").hint("say what changed"));
    }
    let most = SUBJECT_MAX - kind.len() - 2;
    if first.chars().count() <= most {
        let rest = if whole.contains('\n') { whole.to_owned() } else { String::new() };
        return Ok((format!("{kind}: {first}"), rest));
    }
    let cut: String = first.chars().take(most - 1).collect();
    let cut = cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head);
    Ok((format!("{kind}: {cut}…"), whole.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_found_from_whole_words() {
        for (description, kind) in [
            ("Add a bilge alarm", "feat"),
            ("Fixed the pump", "fix"),
            ("prefix names with the agent", "chore"),
            ("Latest numbers", "chore"),
            ("Renamed the flag and fixed it", "refactor"),
            ("tests for the seal", "test"),
            ("Documenting the pump", "chore"),
            ("docs: the pump", "docs"),
            ("", "chore"),
        ] {
            assert_eq!(kind_of(description), kind, "{description}");
        }
    }

    #[test]
    fn a_long_description_is_cut_at_a_word_and_kept_whole_below() {
        let long = "Add ".repeat(40);
        let (short, rest) = subject("feat", &long).unwrap();
        assert!(short.chars().count() <= SUBJECT_MAX && short.ends_with("Add…"), "{short}");
        assert_eq!(rest, long.trim());
        assert_eq!(subject("fix", "One.").unwrap(), ("fix: One".to_owned(), String::new()));
        assert!(subject("fix", " \n").is_err());
    }

    #[test]
    fn an_i2i_subject_has_a_scope() {
        assert_eq!(i2i_message("SIGNAL", "heron", "up").unwrap(), "[I2I:SIGNAL] heron — up");
        assert_eq!(
            i2i_message("TASK:TSK", "heron", "pump — go\n\nx").unwrap(),
            "[I2I:TASK:TSK] pump — go\n\nx"
        );
        assert!(i2i_message("a b", "heron", "x").is_err());
        assert!(i2i_message("", "heron", "x").is_err());
    }
}
