//! The renderer: the only place that prints. Results go to stdout, talk to stderr.
#![expect(clippy::print_stderr, reason = "this is the renderer")]

use crate::args::Format;
use crate::fault::{Exit, Fault};
use datum_core::Damage;
use serde::Serialize;
use std::io::{self, BufWriter, IsTerminal as _, StdoutLock, Write as _};
use std::process::ExitCode;

/// Where a command's results and talk go.
pub(crate) struct Out {
    format: Format,
    quiet: bool,
    terminal: bool,
    colour: bool,
    stdout: BufWriter<StdoutLock<'static>>,
    /// The reader of our output has gone, or the disk is full.
    lost: Option<io::Error>,
    damaged: bool,
}

/// Prints what clap has to say: help to stdout, mistakes to stderr.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { Exit::Usage as u8 } else { Exit::Done as u8 })
}

impl Out {
    pub(crate) fn new(format: Format, quiet: bool) -> Self {
        let stdout = io::stdout().lock();
        let terminal = stdout.is_terminal();
        let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { format, quiet, terminal, colour, stdout: BufWriter::new(stdout), lost: None, damaged: false }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Prints a line of text; on a terminal, without characters that could turn or hide it.
    pub(crate) fn line(&mut self, text: &str) {
        let shown = if self.terminal { escape(text) } else { text.to_owned() };
        self.put(&shown);
        self.put("\n");
    }

    /// Prints bytes as they are, for results that must come back to the byte.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        if self.terminal {
            self.put(&escape(&String::from_utf8_lossy(bytes)));
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
        match serde_json::to_string(value) {
            Ok(text) => {
                self.put(&text);
                self.put("\n");
            }
            Err(error) => self.lost = Some(io::Error::other(error)),
        }
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

    /// Whether results are to be JSON.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self.format, Format::Json | Format::Ndjson)
    }

    /// Text in the colour of ids, where there is colour.
    pub(crate) fn id(&self, text: &str) -> String {
        self.paint("33", text)
    }

    /// Text that steps back, where there is colour.
    pub(crate) fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Says something beside the results.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            eprintln!("{}", escape(text));
        }
    }

    /// Warns, whatever was asked.
    pub(crate) fn warn(&self, text: &str) {
        eprintln!("warning: {}", escape(text));
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

    /// Ends the program.
    pub(crate) fn finish(mut self, result: Result<Exit, Fault>) -> ExitCode {
        let flushed = self.stdout.flush();
        let code = match result {
            Err(fault) => {
                eprintln!("error: {}", escape(&fault.message));
                if let Some(hint) = &fault.hint {
                    eprintln!("hint: {}", escape(hint));
                }
                fault.exit
            }
            Ok(_) if self.damaged => {
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
            _ => ExitCode::from(code as u8),
        }
    }
}

/// Shows control characters and those that turn text around as what they are; our own colours pass.
fn escape(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let own = ["\u{1b}[33m", "\u{1b}[2m", "\u{1b}[0m"].into_iter().find(|own| rest.starts_with(own));
        if let Some(own) = own {
            out.push_str(own);
            rest = &rest[own.len()..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '\n' | '\t' => out.push(c),
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}
