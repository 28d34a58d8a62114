//! Probes of branches, tags and history.

use super::probe::named;
use super::rule::{Branch, Fresh, Grammar, History, Subjects, Tags};
use super::scope::{Scope, Verdict, finding};
use crate::files::LookError;
use crate::history::{Commit, End, LastChange};
use crate::i2i;

/// Commits that are looked at for the last change of a file.
const LOOK_BACK: usize = 2000;
/// Seconds of a day.
const DAY: i64 = 86_400;
/// Subjects that tell nothing.
const EMPTY_WORDS: [&str; 16] = [
    "fix", "fixes", "fixed", "wip", "asdf", "update", "updates", "changes", "stuff", "misc", "test", "tmp",
    "temp", ".", "..", "commit",
];

pub(super) const SHALLOW: &str = "the clone is shallow, so its history is not all here";

pub(super) fn branch(probe: &Branch, scope: &Scope<'_>) -> Verdict {
    match &scope.survey.standing.default_branch {
        None => Verdict::Unknown("HEAD names no branch".to_owned()),
        Some(name) if probe.default.contains(name) => Verdict::Pass(name.clone()),
        Some(name) => {
            Verdict::fail(format!("the default branch is {name:?}, not {}", probe.default.join(" or ")))
        }
    }
}

pub(super) fn tags(probe: &Tags, scope: &Scope<'_>) -> Verdict {
    let regex = match probe.pattern.regex() {
        Ok(regex) => regex,
        Err(error) => return Verdict::Unknown(error.to_owned()),
    };
    let standing = &scope.survey.standing;
    let count = standing.tags.keys().filter(|name| regex.is_match(name)).count();
    if count >= probe.min {
        Verdict::Pass(format!("{count} tags"))
    } else if !standing.broken.is_empty() {
        Verdict::Broken(standing.broken.join("; "))
    } else if !standing.shallow.is_empty() {
        // A shallow clone takes along only the tags of what it takes.
        Verdict::Unknown(SHALLOW.to_owned())
    } else {
        Verdict::fail(format!("{count} tags match {:?}, fewer than {}", probe.pattern.as_str(), probe.min))
    }
}

pub(super) fn subjects(probe: &Subjects, scope: &Scope<'_>) -> Verdict {
    let judge = |commits: &[Commit], end: End| {
        let subjects: Vec<&str> = commits
            .iter()
            .filter(|commit| !commit.is_merge())
            .map(|commit| commit.subject.as_str())
            .collect();
        (subjects.iter().filter(|subject| follows(subject, &probe.grammar)).count(), subjects.len(), end)
    };
    let (good, all, end) = match scope.newest(probe.last, judge) {
        Ok(judged) => judged,
        Err(error) => return error.into(),
    };
    if end == End::Shallow {
        return Verdict::Unknown(SHALLOW.to_owned());
    }
    if all == 0 {
        return Verdict::Unknown("there are no commits".to_owned());
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of commits looked at are small")]
    let share = good as f64 / all as f64;
    let said = format!("{good} of the newest {all} commit subjects follow it");
    if share >= probe.share {
        Verdict::Pass(said)
    } else {
        Verdict::fail(format!("{said}, fewer than {:.0}%", probe.share * 100.0))
    }
}

fn follows(subject: &str, grammars: &[Grammar]) -> bool {
    grammars.iter().any(|grammar| match grammar {
        Grammar::I2i => matches!(i2i::parse(subject), Ok(Some(_))),
        Grammar::Conventional => is_conventional(subject),
        Grammar::Agent => is_attributed(subject),
        Grammar::Telling => is_telling(subject),
    })
}

/// `type(scope)!: summary`.
fn is_conventional(subject: &str) -> bool {
    let Some((head, summary)) = subject.split_once(": ") else { return false };
    let head = head.strip_suffix('!').unwrap_or(head);
    let (kind, scope) = match head.split_once('(') {
        Some((kind, scope)) => (kind, scope.strip_suffix(')')),
        None => (head, Some("-")),
    };
    let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    word(kind) && scope.is_some_and(|scope| !scope.is_empty()) && !summary.trim().is_empty()
}

/// `[AGENT-NAME] what was done`, which an I2I subject is too.
fn is_attributed(subject: &str) -> bool {
    let rest = subject.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    rest.is_some_and(|(name, text)| !name.trim().is_empty() && !text.trim().is_empty())
}

fn is_telling(subject: &str) -> bool {
    let plain = subject.trim().trim_end_matches(['.', '!', ':']).to_ascii_lowercase();
    plain.chars().count() > 4 && !EMPTY_WORDS.contains(&plain.as_str())
}

pub(super) fn history(probe: &History, scope: &Scope<'_>) -> Verdict {
    let regex = match probe.subject.regex() {
        Ok(regex) => regex,
        Err(error) => return Verdict::Unknown(error.to_owned()),
    };
    let judge = |commits: &[Commit], end: End| {
        (commits.iter().filter(|commit| regex.is_match(&commit.subject)).count(), end)
    };
    match scope.newest(probe.last.unwrap_or(usize::MAX), judge) {
        Err(error) => error.into(),
        Ok((count, _)) if count >= probe.min => Verdict::Pass(format!("{count} commits")),
        Ok((_, End::Shallow)) => Verdict::Unknown(SHALLOW.to_owned()),
        Ok((count, _)) => Verdict::fail(format!(
            "{count} commit subjects match {:?}, fewer than {}",
            probe.subject.as_str(),
            probe.min
        )),
    }
}

pub(super) fn fresh(probe: &Fresh, scope: &Scope<'_>) -> Result<Verdict, LookError> {
    let mut found = None;
    for glob in &probe.any {
        found = found.or(scope.files.find(glob, false)?.pop());
    }
    let Some(node) = found else {
        return Ok(Verdict::fail(format!("there is no {}", named(&probe.any))));
    };
    let newest = scope.newest(1, |commits, _| commits.first().map(|commit| commit.committed))?;
    let Some(newest) = newest else { return Ok(Verdict::Unknown("there are no commits".to_owned())) };
    let changed = match scope.survey.snapshot.last_change(&node.path, LOOK_BACK)? {
        LastChange::At(commit, _) => commit.committed,
        // A file of the work tree that no commit has is as fresh as can be.
        LastChange::Absent => return Ok(Verdict::Pass(node.path)),
        LastChange::BeforeShallow => return Ok(Verdict::Unknown(SHALLOW.to_owned())),
        LastChange::NotWithin(count) => {
            return Ok(Verdict::Unknown(format!("{} has not changed in {count} commits", node.path)));
        }
    };
    let lag = (newest - changed).max(0) / DAY;
    Ok(if lag <= i64::from(probe.days) {
        Verdict::Pass(format!("{} changed {lag} days before the newest commit", node.path))
    } else {
        let message =
            format!("it last changed {lag} days before the newest commit, more than {}", probe.days);
        Verdict::Fail(vec![finding(message, Some(&node.path))])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_follow_grammars() {
        let check = |subject: &str, grammar: Grammar, want: bool| {
            assert_eq!(follows(subject, &[grammar]), want, "{subject:?} {grammar:?}");
        };
        check("feat(core): add", Grammar::Conventional, true);
        check("fix!: it", Grammar::Conventional, true);
        check("Fix: it", Grammar::Conventional, false);
        check("fix(): it", Grammar::Conventional, false);
        check("[JC1] DCS protocol", Grammar::Agent, true);
        check("[] x", Grammar::Agent, false);
        check("[I2I:LOG] a — b", Grammar::I2i, true);
        check("wip", Grammar::Telling, false);
        check("Fix.", Grammar::Telling, false);
        check("Fix the bilge pump", Grammar::Telling, true);
    }
}
