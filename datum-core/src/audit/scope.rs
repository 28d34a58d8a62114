//! What probes look at, and what they answer.

use super::report::Finding;
use super::secrets::Looked;
use crate::files::{Files, LookError, Node, NodeKind, Seen};
use crate::glob::Glob;
use crate::history::{Commit, End};
use crate::odb::ObjectError;
use crate::stamp::Millis;
use crate::survey::Survey;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Endings of the files that programs are made of.
const PROGRAMS: [&str; 44] = [
    "rs", "py", "js", "mjs", "cjs", "jsx", "ts", "tsx", "vue", "svelte", "go", "c", "h", "cc", "cpp", "cxx",
    "hpp", "cu", "java", "kt", "scala", "clj", "cs", "fs", "swift", "m", "rb", "php", "pl", "lua", "sh",
    "bash", "zsh", "fish", "ps1", "ex", "exs", "erl", "hs", "ml", "zig", "nim", "jl", "ipynb",
];

/// Most findings kept of one rule.
pub(crate) const FINDINGS_MAX: usize = 100;

/// The answer of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It holds; the note says what it rests on, where that is not plain.
    Pass(String),
    /// It does not hold, at these places.
    Fail(Vec<Finding>),
    /// It cannot be decided from what is here.
    Unknown(String),
    /// Looking failed.
    Broken(String),
}

impl Verdict {
    pub(crate) fn pass() -> Self {
        Self::Pass(String::new())
    }

    /// A fail about the repository as a whole.
    pub(crate) fn fail(message: impl Into<String>) -> Self {
        Self::Fail(vec![finding(message, None)])
    }

    /// A pass where there is nothing to complain about.
    pub(crate) fn of(findings: Vec<Finding>) -> Self {
        if findings.is_empty() { Self::pass() } else { Self::Fail(findings) }
    }
}

impl From<LookError> for Verdict {
    fn from(error: LookError) -> Self {
        if error.is_breakage() { Self::Broken(error.to_string()) } else { Self::Unknown(error.to_string()) }
    }
}

impl From<ObjectError> for Verdict {
    fn from(error: ObjectError) -> Self {
        Self::Broken(error.to_string())
    }
}

/// A finding about a path, or about the whole.
pub(crate) fn finding(message: impl Into<String>, path: Option<&str>) -> Finding {
    Finding {
        message: message.into(),
        path: path.map(ToOwned::to_owned),
        line: None,
        column: None,
        state: super::report::State::Open,
    }
}

/// What probes look at.
pub(crate) struct Scope<'a> {
    pub(crate) survey: &'a Survey<'a>,
    pub(crate) files: &'a Files<'a>,
    pub(crate) now: Millis,
    pub(crate) language: &'a dyn Fn(&str) -> Option<&'static str>,
    /// Whether everything is looked at, however long it takes.
    pub(crate) deep: bool,
    pub(super) secrets: OnceCell<Looked>,
    pub(super) past_secrets: OnceCell<Option<Looked>>,
    newest: RefCell<Newest>,
    program: OnceCell<bool>,
    languages: OnceCell<Result<BTreeMap<&'static str, usize>, String>>,
}

#[derive(Default)]
struct Newest {
    commits: Vec<Commit>,
    end: Option<End>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(
        survey: &'a Survey<'a>,
        files: &'a Files<'a>,
        now: Millis,
        language: &'a dyn Fn(&str) -> Option<&'static str>,
        deep: bool,
    ) -> Self {
        Self {
            survey,
            files,
            now,
            language,
            deep,
            secrets: OnceCell::new(),
            past_secrets: OnceCell::new(),
            newest: RefCell::default(),
            program: OnceCell::new(),
            languages: OnceCell::new(),
        }
    }

    /// Gives the newest `count` commits, fewer where there are no more, and how the history ends.
    pub(crate) fn newest<T>(
        &self,
        count: usize,
        take: impl FnOnce(&[Commit], End) -> T,
    ) -> Result<T, ObjectError> {
        let mut newest = self.newest.borrow_mut();
        let known = newest.commits.len() >= count || matches!(newest.end, Some(End::Whole | End::Shallow));
        if !known || newest.end.is_none() {
            let mut commits = Vec::new();
            let end = self.survey.snapshot.commits(|commit| {
                commits.push(commit);
                if commits.len() >= count { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            *newest = Newest { commits, end: Some(end) };
        }
        let most = newest.commits.len().min(count);
        let end = if most < newest.commits.len() { End::Stopped } else { newest.end.unwrap_or(End::Whole) };
        Ok(take(&newest.commits[..most], end))
    }

    /// What matches any of the patterns, each path once.
    pub(crate) fn find(&self, globs: &[Glob], any_case: bool) -> Result<Vec<Node>, LookError> {
        self.files.find_any(globs, any_case)
    }

    /// Whether anything matches.
    pub(crate) fn has(&self, globs: &[Glob]) -> Result<bool, LookError> {
        for glob in globs {
            if !self.files.find(glob, false)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether there is a file whose name says that it runs, or becomes part of what does.
    pub(crate) fn has_program(&self) -> Result<bool, LookError> {
        if let Some(known) = self.program.get() {
            return Ok(*known);
        }
        let is_program = |path: &str| {
            let name = path.rsplit('/').next().unwrap_or(path);
            match name.rsplit_once('.') {
                Some((_, end)) => PROGRAMS.iter().any(|known| end.eq_ignore_ascii_case(known)),
                None => matches!(name, "Makefile" | "Dockerfile"),
            }
        };
        let mut found = false;
        self.files.each(|seen| found = found || (seen.kind == NodeKind::File && is_program(seen.path)))?;
        Ok(*self.program.get_or_init(|| found))
    }

    /// Files of each language, by their names.
    pub(crate) fn languages(&self) -> Result<&BTreeMap<&'static str, usize>, &str> {
        let count = || {
            let mut languages = BTreeMap::new();
            let visit = |seen: &Seen<'_>| {
                if seen.kind == NodeKind::File
                    && let Some(language) = (self.language)(seen.path)
                {
                    *languages.entry(language).or_default() += 1;
                }
            };
            match self.files.each(visit) {
                Ok(()) => Ok(languages),
                Err(error) => Err(error.to_string()),
            }
        };
        self.languages.get_or_init(count).as_ref().map_err(String::as_str)
    }
}
