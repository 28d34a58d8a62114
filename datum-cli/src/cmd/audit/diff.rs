//! `datum audit diff`: what appeared and what went between two reports.

use super::look::Looker;
use super::what::What;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::audit::{self, Change, Key};
use similar::{ChangeTag, TextDiff};

/// Shows what appeared (+) and what went (-) between two recorded audits or revisions.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum audit diff v1.0 HEAD --type vessel
  datum audit diff 3f9a2c HEAD")]
pub(crate) struct Diff {
    /// The earlier: the id of a recorded audit, or a revision
    before: String,
    /// The later
    after: String,
    #[command(flatten)]
    what: What,
    /// Exit with 1 when something appeared
    #[arg(long)]
    exit_code: bool,
}

impl Diff {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.store()?;
        let looker = Looker { what: &self.what, at: None, worktree: false, deep: false, now: edge.now()? };
        let before = looker.report(store, &self.before)?;
        let after = looker.report(store, &self.after)?;
        if before.audit != after.audit {
            out.warn(&format!("the audits differ in type: {} and {}", before.audit, after.audit));
        }
        let changes = audit::changes(&before, &after);
        let appeared = changes.iter().any(|change| matches!(change, Change::Appeared(_)));
        if out.is_json() {
            out.json_list("changes", &changes);
        } else {
            for line in lines(&changes) {
                out.line(&line);
            }
            if changes.is_empty() {
                out.say("nothing appeared and nothing went");
            }
        }
        Ok(if self.exit_code && appeared { Exit::No } else { Exit::Done })
    }
}

/// One line a change; where only the message of a finding is another, one line for both, with the words that differ.
fn lines(changes: &[Change]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest: Vec<&Change> = changes.iter().collect();
    while !rest.is_empty() {
        let first = rest.remove(0);
        let (Change::Appeared(key) | Change::Went(key)) = first;
        let twin = rest.iter().position(|other| {
            let (Change::Appeared(there) | Change::Went(there)) = other;
            std::mem::discriminant(*other) != std::mem::discriminant(first)
                && (&there.rule, &there.path) == (&key.rule, &key.path)
        });
        let twin = twin.map(|at| rest.remove(at));
        lines.push(match (first, twin) {
            (Change::Went(old), Some(Change::Appeared(new)))
            | (Change::Appeared(new), Some(Change::Went(old))) => {
                let path = old.path.as_ref().map(|path| format!(" {path}:")).unwrap_or_default();
                format!("~ {}{path} {}", old.rule, words(&old.message, &new.message))
            }
            (Change::Appeared(key), _) => format!("+ {}", shown(key)),
            (Change::Went(key), _) => format!("- {}", shown(key)),
        });
    }
    lines
}

/// What became of a text, as `git diff --word-diff` marks it.
fn words(old: &str, new: &str) -> String {
    let mut out = String::new();
    let mut last = ChangeTag::Equal;
    let close = |tag: ChangeTag| match tag {
        ChangeTag::Equal => "",
        ChangeTag::Delete => "-]",
        ChangeTag::Insert => "+}",
    };
    for change in TextDiff::from_words(old, new).iter_all_changes() {
        if change.tag() != last {
            out.push_str(close(last));
            out.push_str(match change.tag() {
                ChangeTag::Equal => "",
                ChangeTag::Delete => "[-",
                ChangeTag::Insert => "{+",
            });
            last = change.tag();
        }
        out.push_str(change.value());
    }
    out + close(last)
}

fn shown(key: &Key) -> String {
    let path = key.path.as_ref().map(|path| format!(" {path}:")).unwrap_or_default();
    format!("{}{path} {}", key.rule, key.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_changed_is_one_line() {
        let key = |rule: &str, message: &str| Key {
            rule: rule.into(),
            path: Some("a".into()),
            message: message.into(),
        };
        let changes = [
            Change::Appeared(key("x/y", "it is empty")),
            Change::Went(key("x/y", "it is missing")),
            Change::Went(key("x/z", "gone")),
        ];
        assert_eq!(lines(&changes), ["~ x/y a: it is [-missing-]{+empty+}", "- x/z a: gone"]);
    }
}
