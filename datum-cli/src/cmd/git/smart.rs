//! `datum git smart-commit`: a subject made from a description.

use super::commit::{commit, compose};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::style::CONVENTIONAL;

/// Longest subject `smart-commit` makes, characters.
const SUBJECT_MAX: usize = 72;
/// What of it is the description's, however long a scope stands before, characters.
const SUMMARY_MIN: usize = 20;

/// Commits all that has changed, untracked files too, with a conventional subject made from a description.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum git smart-commit 'Add a bilge alarm' 'Nobody heard the pump stop.'
  datum git smart-commit 'fix(pump): seal'
  datum git smart-commit 'Faster scan' '' --type perf --dry-run")]
pub(crate) struct SmartCommit {
    /// What changed
    description: String,
    /// Why
    #[arg(default_value = "", hide_default_value = true)]
    thought: String,
    /// fix, feat, refactor, docs, test, chore or perf [default: the description's own, or found from its words]
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Print the message, and leave everything as it is
    #[arg(long)]
    dry_run: bool,
}

impl SmartCommit {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let (own, mark, description) = typed(self.description.trim());
        let kind = match &self.kind {
            None => own.unwrap_or_else(|| kind_of(description)),
            Some(text) => TYPES.iter().map(|(kind, _)| *kind).find(|kind| kind == text).ok_or_else(|| {
                Fault::usage(format!("--type: {text:?} is no commit type"))
                    .hint("fix, feat, refactor, docs, test, chore or perf")
            })?,
        };
        let (subject, rest) = subject(&format!("{kind}{mark}"), description)?;
        let message = if rest.is_empty() { subject } else { format!("{subject}\n\n{rest}") };
        if self.dry_run {
            out.line(compose(&message, Some(&self.thought))?.trim_end());
            return Ok(Exit::Done);
        }
        commit(edge, out, &message, Some(&self.thought), (&[], false))
    }
}

/// The type that a description begins with, if it does, the `(scope)` and `!` behind it, and the text.
fn typed(description: &str) -> (Option<&'static str>, &str, &str) {
    let parts = || {
        let (head, text) = description.split_once(": ").filter(|(head, _)| !head.contains('\n'))?;
        let (word, mark) = head.split_at(head.find(['(', '!']).unwrap_or(head.len()));
        let kind = CONVENTIONAL.into_iter().find(|kind| kind.eq_ignore_ascii_case(word))?;
        let scope = mark.strip_suffix('!').unwrap_or(mark);
        let inner = scope.strip_prefix('(').and_then(|scope| scope.strip_suffix(')'));
        let is_scope = inner.is_some_and(|inner| !inner.is_empty() && !inner.contains(['(', ')']));
        (scope.is_empty() || is_scope).then(|| (Some(kind), mark, text.trim_start()))
    };
    parts().unwrap_or((None, "", description))
}

/// The commit types, in the order they are looked for, and the words that speak for each.
const TYPES: [(&str, &[&str]); 7] = [
    ("fix", &["fix", "bug", "repair", "correct", "crash", "broken", "wrong", "fail", "regression", "leak"]),
    (
        "docs",
        &["doc", "document", "documentation", "readme", "changelog", "comment", "guide", "wording", "typo"],
    ),
    ("test", &["test", "spec", "coverage", "fixture", "benchmark"]),
    ("perf", &["faster", "speed", "optimize", "optimise", "performance", "slow", "latency"]),
    ("refactor", &["refactor", "restructure", "rename", "move", "simplify", "split", "extract", "clean"]),
    ("feat", &["add", "new", "create", "implement", "introduce", "support", "allow", "feature", "build"]),
    ("chore", &["bump", "update", "upgrade", "config", "release", "dependency", "ignore"]),
];

/// Verbs that say little: what is added or updated decides.
const VAGUE: [&str; 4] = ["add", "new", "create", "update"];
/// What may be added or updated that is neither a feature nor a chore.
const OBJECTS: [(&str, &[&str]); 2] =
    [("docs", &["doc", "documentation", "readme", "changelog"]), ("test", &["test"])];
/// Where what is added or updated ends: what follows is where, or what for.
const ENDS: [&str; 11] = ["for", "of", "to", "in", "on", "with", "from", "about", "when", "that", "by"];

/// The type whose word comes first in the description; `chore` where there is none.
fn kind_of(description: &str) -> &'static str {
    let lower = description.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let first = words.iter().enumerate().find_map(|(at, word)| Some((at, find(&TYPES, word)?)));
    let Some((at, kind)) = first else { return "chore" };
    if !VAGUE.iter().any(|stem| says(words[at], stem)) {
        return kind;
    }
    let mut object = words[at + 1..].iter().take_while(|word| !ENDS.contains(word));
    object.find_map(|word| find(&OBJECTS, word)).unwrap_or(kind)
}

/// The type that `word` speaks for.
fn find(table: &[(&'static str, &[&str])], word: &str) -> Option<&'static str> {
    table.iter().find(|(_, stems)| stems.iter().any(|stem| says(word, stem))).map(|(kind, _)| *kind)
}

/// Whether a word is a form of `stem`: `fixes`, `fixed` and `tests` are the same words; `prefix` and `latest` are others.
fn says(word: &str, stem: &str) -> bool {
    word.strip_prefix(stem)
        .is_some_and(|end| ["", "s", "es", "ed", "d", "ing", "n", "ly", "ies"].contains(&end))
}

/// The subject, cut at a word where the description is long, and then the whole description for the body.
fn subject(head: &str, description: &str) -> Result<(String, String), Fault> {
    let whole = description.trim();
    let first = whole.lines().next().unwrap_or_default().trim_end_matches('.');
    if first.is_empty() {
        return Err(Fault::usage("the description is empty").hint("say what changed"));
    }
    let most = SUBJECT_MAX.saturating_sub(head.chars().count() + 2).max(SUMMARY_MIN);
    if first.chars().count() <= most {
        let rest = if whole.contains('\n') { whole.to_owned() } else { String::new() };
        return Ok((format!("{head}: {first}"), rest));
    }
    let cut: String = first.chars().take(most - 1).collect();
    let cut = cut.rsplit_once(' ').map_or(cut.as_str(), |(before, _)| before);
    Ok((format!("{head}: {cut}…"), whole.to_owned()))
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
            ("Documenting the pump", "docs"),
            ("Document the harbour", "docs"),
            ("Update README", "docs"),
            ("Add docs for x", "docs"),
            ("Add unit tests", "test"),
            ("Add a switch for tests", "feat"),
            ("Update dependencies in the docs", "chore"),
            ("", "chore"),
        ] {
            assert_eq!(kind_of(description), kind, "{description}");
        }
    }

    #[test]
    fn a_type_that_is_there_stays() {
        for (description, expect) in [
            ("feat: add x", (Some("feat"), "", "add x")),
            ("Fix(pump): seal", (Some("fix"), "(pump)", "seal")),
            ("ci(x)!: y: z", (Some("ci"), "(x)!", "y: z")),
            ("pump: seal", (None, "", "pump: seal")),
            ("fix(: seal", (None, "", "fix(: seal")),
            ("Seal\nfix: x", (None, "", "Seal\nfix: x")),
        ] {
            assert_eq!(typed(description), expect, "{description}");
        }
    }

    #[test]
    fn a_long_description_is_cut_at_a_word_and_kept_whole_below() {
        let long = "Add ".repeat(40);
        let (short, rest) = subject("feat", &long).unwrap();
        assert!(short.chars().count() <= SUBJECT_MAX && short.ends_with("Add…"), "{short}");
        assert_eq!(rest, long.trim());
        assert_eq!(subject("fix", "One.").unwrap(), ("fix: One".to_owned(), String::new()));
        assert!(subject(&format!("fix({})", "x".repeat(90)), &long).is_ok());
        assert!(subject("fix", " \n").is_err());
    }
}
