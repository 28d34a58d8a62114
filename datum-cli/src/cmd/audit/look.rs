//! Looks at one repository: its rules, its files, its report.

use super::what::What;
use crate::fault::Fault;
use crate::language;
use datum_core::audit::{self, Audit, Book, CONFIG, Level, Report};
use datum_core::files::Files;
use datum_core::{Millis, OpenOptions, Store, Survey};
use std::path::Path;

/// How repositories are looked at.
pub(crate) struct Looker<'a> {
    pub(crate) what: &'a What,
    pub(crate) at: Option<&'a str>,
    pub(crate) worktree: bool,
    pub(crate) deep: bool,
    pub(crate) now: Millis,
}

/// A report, and the level its vessel asks to fail on.
pub(crate) struct Looked {
    pub(crate) report: Report,
    pub(crate) fail_on: Option<Level>,
}

/// Opens a repository that is not ours: isolated, and nothing is written into it.
pub(crate) fn open(path: &Path) -> Result<Store, Fault> {
    Ok(Store::open_with(path, &OpenOptions { ephemeral: true, ..OpenOptions::default() })?)
}

impl Looker<'_> {
    /// Audits a repository.
    pub(crate) fn look(&self, store: &Store) -> Result<Looked, Fault> {
        let survey = store.survey(self.at)?;
        let files = if self.worktree {
            let listed = store.work_tree()?;
            let (root, paths) = listed.ok_or_else(|| {
                Fault::usage("a bare repository has no work tree").hint("leave out --worktree")
            })?;
            Files::of_work_tree(root.to_owned(), &paths)
        } else {
            Files::of(&survey.snapshot)?
        };
        let book = self.book_of(&files)?;
        let fail_on = book.fail_on;
        Ok(Looked { report: self.ask(&survey, &files, &book), fail_on })
    }

    fn ask(&self, survey: &Survey<'_>, files: &Files<'_>, book: &Book) -> Report {
        audit::run(&Audit {
            survey,
            files,
            worktree: self.worktree,
            deep: self.deep,
            brought: None,
            book,
            name: self.what.kind().as_str(),
            now: self.now,
            language: &language::of_path,
        })
    }

    /// The report a name stands for: a recorded audit's, or one made now of a revision.
    pub(crate) fn report(&self, store: &Store, name: &str) -> Result<Report, Fault> {
        let snapshot = store.snapshot()?;
        if let Some(kept) = audit::find(&snapshot, name) {
            return Ok(kept.report);
        }
        let at = Looker { what: self.what, at: Some(name), worktree: false, deep: self.deep, now: self.now };
        Ok(at.look(store)?.report)
    }

    /// The rules that are asked of a repository.
    pub(crate) fn book(&self, store: &Store) -> Result<Book, Fault> {
        let survey = store.survey(None)?;
        self.book_of(&Files::of(&survey.snapshot)?)
    }

    /// The rules without a repository.
    pub(crate) fn built_in(&self) -> Result<Book, Fault> {
        let mut book = Book::of(&self.what.packs())?;
        if !self.what.rule.is_empty() {
            book.only(&self.what.rule)?;
        }
        Ok(book)
    }

    fn book_of(&self, files: &Files<'_>) -> Result<Book, Fault> {
        let mut book = Book::of(&self.what.packs())?;
        if !self.what.no_config
            && let Some(node) = files.node(CONFIG)?
        {
            let text = String::from_utf8(files.read(&node)?)
                .map_err(|_| Fault::usage(format!("{CONFIG} is not UTF-8")))?;
            book.configure(CONFIG, &text)?;
        }
        if !self.what.rule.is_empty() {
            book.only(&self.what.rule)?;
        }
        Ok(book)
    }
}
