//! Runs a book of rules over a survey.

use super::book::Book;
use super::leaving;
use super::marks;
use super::probe;
use super::report::{Answer, Counts, Finding, Outcome, Report, State};
use super::rule::{Probe, Rule, Where};
use super::scope::{FINDINGS_MAX, Scope, Verdict};
use crate::files::{Files, LookError};
use crate::outgoing::Brought;
use crate::stamp::Millis;
use crate::survey::Survey;

/// Names of which one makes a repository a vessel.
const VESSEL: [&str; 7] = [
    "CHARTER.md",
    "CAPABILITY.toml",
    "GIT-AGENT-STANDARD.md",
    ".superagent/agent.toml",
    "message-in-a-bottle",
    "for-fleet",
    "from-fleet",
];

/// What an audit is asked.
pub struct Audit<'a> {
    /// The repository.
    pub survey: &'a Survey<'a>,
    /// The files to look at: the commit's, or a work tree's.
    pub files: &'a Files<'a>,
    /// Whether `files` is a work tree.
    pub worktree: bool,
    /// The rules.
    pub book: &'a Book,
    /// The name of the audit's type.
    pub name: &'a str,
    /// The time that suppressions and logs are judged by.
    pub now: Millis,
    /// Whether every file and the whole history are looked at for secrets, however large they are.
    pub deep: bool,
    /// For a push: what its commits bring, of which rules about paths and sizes are asked instead of the tree.
    pub brought: Option<&'a [Brought]>,
    /// Tells the language of a file by its path.
    pub language: &'a dyn Fn(&str) -> Option<&'static str>,
}

/// Asks every rule.
pub fn run(audit: &Audit<'_>) -> Report {
    let scope = Scope::new(audit.survey, audit.files, audit.now, audit.language, audit.deep);
    let mut rules: Vec<Outcome> = audit.book.rules().map(|rule| ask(rule, &scope, audit.brought)).collect();
    marks::judge(audit.book, &mut rules);
    let mut notes = audit.book.notes.clone();
    audit.book.suppress(&mut rules, audit.now, &mut notes);
    let mut report = Report {
        version: 1,
        tool: format!("datum {}", env!("CARGO_PKG_VERSION")),
        audit: audit.name.to_owned(),
        commit: audit.survey.snapshot.head().map(|id| id.to_string()),
        worktree: audit.worktree,
        deep: audit.deep,
        counts: Counts::default(),
        rules,
        notes,
    };
    report.count();
    report
}

fn ask(rule: &Rule, scope: &Scope<'_>, brought: Option<&[Brought]>) -> Outcome {
    let mut outcome = Outcome {
        rule: rule.id().to_owned(),
        level: rule.level,
        answer: Answer::Pass,
        reason: rule.reason.clone(),
        fix: rule.fix.clone(),
        section: rule.section,
        findings: Vec::new(),
        more: 0,
        note: String::new(),
        broken: false,
    };
    match applies(&rule.condition, scope) {
        Ok(true) => {}
        Ok(false) => {
            outcome.answer = Answer::Skipped;
            return outcome;
        }
        Err(verdict) => {
            settle(&mut outcome, verdict);
            return outcome;
        }
    }
    // Sections of an exam are judged when all boxes are known.
    if !matches!(rule.probe, Probe::Marks(_)) {
        let verdict = brought.and_then(|brought| leaving::ask(&rule.probe, brought, scope.survey));
        settle(&mut outcome, verdict.unwrap_or_else(|| probe::run(&rule.probe, scope)));
    }
    outcome
}

/// Writes a verdict down.
pub(crate) fn settle(outcome: &mut Outcome, verdict: Verdict) {
    match verdict {
        Verdict::Pass(note) => {
            outcome.answer = Answer::Pass;
            outcome.note = note;
        }
        Verdict::Fail(findings) => {
            outcome.answer = Answer::Fail;
            outcome.more = findings.len().saturating_sub(FINDINGS_MAX);
            outcome.findings = findings;
            outcome.findings.sort_by(|a, b| place(a).cmp(&place(b)));
            outcome.findings.truncate(FINDINGS_MAX);
        }
        Verdict::Unknown(note) => {
            outcome.answer = Answer::Unknown;
            outcome.note = note;
        }
        Verdict::Broken(note) => {
            outcome.answer = Answer::Unknown;
            outcome.note = note;
            outcome.broken = true;
        }
    }
}

fn place(finding: &Finding) -> (Option<&str>, Option<usize>, Option<usize>, &str) {
    (finding.path.as_deref(), finding.line, finding.column, &finding.message)
}

/// Whether the files are a vessel's.
pub(super) fn is_vessel(files: &Files<'_>) -> Result<bool, LookError> {
    for name in VESSEL {
        if files.node(name)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn applies(condition: &Where, scope: &Scope<'_>) -> Result<bool, Verdict> {
    let globs = |globs: &[crate::Glob]| scope.has(globs).map_err(Verdict::from);
    if let Some(want) = condition.vessel
        && is_vessel(scope.files).map_err(Verdict::from)? != want
    {
        return Ok(false);
    }
    if let Some(want) = condition.program
        && scope.has_program().map_err(Verdict::from)? != want
    {
        return Ok(false);
    }
    if !condition.has.is_empty() && !globs(&condition.has)? {
        return Ok(false);
    }
    if globs(&condition.lacks)? {
        return Ok(false);
    }
    if !condition.language.is_empty() {
        let languages = scope.languages().map_err(|error| Verdict::Broken(error.to_owned()))?;
        let all: usize = languages.values().sum();
        let spoken = |want: &String| {
            languages.iter().any(|(name, count)| name.eq_ignore_ascii_case(want) && count * 10 >= all)
        };
        return Ok(condition.language.iter().any(spoken));
    }
    Ok(true)
}

/// Marks the findings that `covers` takes as suppressed; answers whether there was one.
pub(crate) fn suppress(outcome: &mut Outcome, covers: impl Fn(&Finding) -> bool) -> bool {
    let mut used = false;
    for finding in outcome.findings.iter_mut().filter(|finding| covers(finding)) {
        finding.state = State::Suppressed;
        used = true;
    }
    used
}
