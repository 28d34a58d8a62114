//! The renderer: the only place that prints. Results go to stdout, talk to stderr.
#![expect(clippy::print_stderr, reason = "this is the renderer")]

use crate::args::Format;
use crate::escape::escape;
use crate::fault::{Exit, Fault};
use datum_core::Damage;
use serde::Serialize;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::process::ExitCode;

/// How a piece of text stands out, where there is colour; the colours are those that can be read on black and on white.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// As all text.
    Plain,
    /// An id.
    Id,
    /// Steps back.
    Dim,
    /// A heading, or what is to be seen first.
    Bold,
    /// As it should be.
    Good,
    /// Wants somebody.
    Bad,
}

impl Paint {
    /// The parameters of the terminal's own sequence (ECMA-48, select graphic rendition).
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Id => "33",
            Self::Dim => "2",
            Self::Bold => "1",
            Self::Good => "32",
            Self::Bad => "1;31",
        }
    }
}

/// Bytes that are written at once; memory that a short answer does not fill is never touched.
const BUFFER: usize = 32 * 1024;

/// Standard output without the standard library's own buffer, which looks for the last line break in all that it is given.
fn standard_output() -> Box<dyn Write> {
    #[cfg(unix)]
    if let Ok(own) = std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned() {
        return Box::new(std::fs::File::from(own));
    }
    Box::new(io::stdout().lock())
}

/// Where a command's results and talk go.
pub(crate) struct Out {
    format: Format,
    quiet: bool,
    terminal: bool,
    /// Where there is colour: the word that marks colours of our own, see [`escape`].
    colour: Option<String>,
    stdout: BufWriter<Box<dyn Write>>,
    /// The reader of our output has gone, or the disk is full.
    lost: Option<io::Error>,
    damaged: bool,
    /// The exit code of a command that was run.
    passed: Option<u8>,
}

/// Prints what clap has to say: help to stdout, mistakes to stderr.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { Exit::Usage as u8 } else { Exit::Done as u8 })
}

impl Out {
    pub(crate) fn new(format: Format, quiet: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colour = terminal && !dumb && !is_set("NO_COLOR");
        let colour = colour.then(|| format!("{:016x}", RandomState::new().build_hasher().finish()));
        Self {
            format,
            quiet,
            terminal,
            colour,
            stdout: BufWriter::with_capacity(BUFFER, standard_output()),
            lost: None,
            damaged: false,
            passed: None,
        }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Prints a line of text; on a terminal, without characters that could turn or hide it.
    pub(crate) fn line(&mut self, text: &str) {
        if self.terminal {
            self.put(&escape(text, self.colour.as_deref()));
        } else {
            self.put(text);
        }
        self.put("\n");
    }

    /// Prints bytes as they are, for results that must come back to the byte.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        if self.terminal {
            self.put(&escape(&String::from_utf8_lossy(bytes), None));
        } else if self.lost.is_none()
            && let Err(error) = self.stdout.write_all(bytes)
        {
            self.lost = Some(error);
        }
    }

    fn put(&mut self, text: &str) {
        if self.lost.is_none()
            && let Err(error) = self.stdout.write_all(text.as_bytes())
        {
            self.lost = Some(error);
        }
    }

    /// Prints a JSON value on a line of its own.
    pub(crate) fn json(&mut self, value: &impl Serialize) {
        self.json_by(|out| Ok(serde_json::to_writer(out, value)?));
    }

    /// Prints a JSON value that `write` writes, on a line of its own.
    pub(crate) fn json_by(&mut self, write: impl FnOnce(&mut BufWriter<Box<dyn Write>>) -> io::Result<()>) {
        if self.lost.is_none() {
            self.lost = write(&mut self.stdout).err();
        }
        self.put("\n");
    }

    /// Prints a list: one JSON value with the list under `name`, or a value a line.
    pub(crate) fn json_list<T: Serialize>(&mut self, name: &str, items: &[T]) {
        if self.format == Format::Ndjson {
            for item in items {
                self.json(item);
            }
        } else {
            self.json(&serde_json::json!({ "version": 1, name: items }));
        }
    }

    /// Prints a value that has a list under `name` and more around it: whole, or the list's values, one a line.
    pub(crate) fn json_around(&mut self, name: &str, whole: &serde_json::Value) {
        match whole[name].as_array().filter(|_| self.format == Format::Ndjson) {
            Some(items) => items.iter().for_each(|item| self.json(item)),
            None => self.json(whole),
        }
    }

    /// Whether results are to be JSON.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self.format, Format::Json | Format::Ndjson)
    }

    /// Text in the colour of ids, where there is colour.
    pub(crate) fn id(&self, text: &str) -> String {
        self.paint(Paint::Id, text)
    }

    /// Text that steps back, where there is colour.
    pub(crate) fn dim(&self, text: &str) -> String {
        self.paint(Paint::Dim, text)
    }

    /// Text that stands out, where there is colour.
    pub(crate) fn paint(&self, paint: Paint, text: &str) -> String {
        match &self.colour {
            Some(own) if paint != Paint::Plain && !text.is_empty() => {
                format!("\u{1b}{own}[{}m{text}\u{1b}{own}[0m", paint.code())
            }
            _ => text.to_owned(),
        }
    }

    /// Whether results go to a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Whether results may be in colour.
    pub(crate) fn has_colour(&self) -> bool {
        self.colour.is_some()
    }

    /// Columns and rows of the terminal; 80 and 24 where there is none.
    pub(crate) fn size(&self) -> (usize, usize) {
        let size = self.terminal.then(|| ratatui::crossterm::terminal::size().ok()).flatten();
        match size {
            Some((columns, rows)) if columns > 0 && rows > 0 => (columns.into(), rows.into()),
            _ => (80, 24),
        }
    }

    /// Parts one screen from the next: on a terminal the next stands alone, elsewhere an empty line is between them.
    pub(crate) fn between_screens(&mut self, again: bool) {
        if self.terminal {
            self.put("\u{1b}[H\u{1b}[2J");
        } else if again {
            self.put("\n");
        }
    }

    /// Whether nobody reads the results any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.is_some()
    }

    /// Says something beside the results.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            eprintln!("{}", escape(text, None));
        }
    }

    /// Warns, whatever was asked.
    pub(crate) fn warn(&self, text: &str) {
        eprintln!("warning: {}", escape(text, None));
    }

    /// Shows how far work has come, on a terminal.
    pub(crate) fn progress(&self, done: usize, all: usize) {
        if !self.quiet && io::stderr().is_terminal() {
            let filled = done * 30 / all.max(1);
            eprint!("\r[{}{}] {done}/{all}", "#".repeat(filled), " ".repeat(30 - filled.min(30)));
        }
    }

    /// Takes the progress away.
    pub(crate) fn progress_end(&self) {
        if !self.quiet && io::stderr().is_terminal() {
            eprint!("\r\u{1b}[K");
        }
    }

    /// Tells what could not be read; the command then ends with [`Exit::Broken`].
    pub(crate) fn damage(&mut self, found: &[Damage]) {
        for damage in found {
            self.warn(&format!("{}: {}", damage.log, damage.message));
            self.damaged = true;
        }
    }

    /// Hands on what was printed so far, before another program prints.
    pub(crate) fn flush(&mut self) {
        if let Err(error) = self.stdout.flush() {
            self.lost.get_or_insert(error);
        }
    }

    /// Lets the program end with the exit code of a command that was run, if it ends well itself.
    pub(crate) fn pass(&mut self, code: u8) {
        self.passed = Some(code);
    }

    /// Ends the program.
    pub(crate) fn finish(mut self, result: Result<Exit, Fault>) -> ExitCode {
        let flushed = self.stdout.flush();
        let mut passed = self.passed;
        let code = match result {
            Err(fault) => {
                eprintln!("error: {}", escape(&fault.message, None));
                if let Some(hint) = &fault.hint {
                    eprintln!("hint: {}", escape(hint, None));
                }
                passed = fault.passed;
                fault.exit
            }
            Ok(_) if self.damaged => {
                passed = None;
                eprintln!("hint: datum doctor looks for what can be repaired");
                Exit::Broken
            }
            Ok(code) => code,
        };
        match self.lost.or(flushed.err()) {
            // A reader that has seen enough, `| head`, is no failure of ours.
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                eprintln!("error: cannot print the result: {error}");
                ExitCode::from(Exit::Broken as u8)
            }
            _ => ExitCode::from(passed.unwrap_or(code as u8)),
        }
    }
}
