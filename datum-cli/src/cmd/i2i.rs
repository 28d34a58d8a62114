//! `datum i2i`: the subjects of commits that agents write for each other.

use crate::cmd::history::{millis, person};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::time;
use clap::Subcommand;
use datum_core::history::Commit;
use datum_core::i2i;
use serde_json::json;
use std::ops::ControlFlow;

/// Checks and lists I2I commit subjects.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  datum i2i check '[I2I:AUDIT] fleet — all green'\n  datum i2i log -n 20")]
pub(crate) struct I2i {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Command {
    /// Check a subject, or the subjects of the last commits
    Check(Check),
    /// List the commits with I2I subjects, newest first
    Log(Log),
}

/// Checks a subject, or those of the last commits; exits with 1 for one that was meant to be I2I and is not.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum i2i check '[I2I:AUDIT] fleet — all green'
  datum i2i check -n 50")]
struct Check {
    /// The subject [default: those of the commits of HEAD]
    subject: Option<String>,
    /// Check at most N commits
    #[arg(short = 'n', value_name = "N", default_value_t = 100)]
    count: usize,
}

/// Lists the commits with I2I subjects.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum i2i log -n 20
  datum i2i log --type AUDIT --format ndjson")]
struct Log {
    /// List at most N commits
    #[arg(short = 'n', value_name = "N", default_value_t = 20)]
    count: usize,
    /// List only this type
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
}

impl I2i {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        match &self.command {
            Command::Check(command) => command.run(edge, out),
            Command::Log(command) => command.run(edge, out),
        }
    }
}

impl Check {
    fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let subjects: Vec<(String, String)> = match &self.subject {
            Some(subject) => vec![("subject".to_owned(), subject.clone())],
            None => {
                let snapshot = edge.store()?.snapshot()?;
                let mut subjects = Vec::new();
                snapshot.commits(|commit| {
                    subjects.push((commit.id.short(12), commit.subject));
                    if subjects.len() >= self.count {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                })?;
                subjects
            }
        };
        let mut results = Vec::new();
        let (mut valid, mut wrong) = (0, 0);
        for (name, subject) in &subjects {
            let (state, notes) = match i2i::parse(subject) {
                Ok(None) => ("other", Vec::new()),
                Ok(Some(parts)) => {
                    valid += 1;
                    ("i2i", parts.warnings().iter().map(ToString::to_string).collect())
                }
                Err(miss) => {
                    wrong += 1;
                    ("near-miss", vec![miss.to_string(), miss.hint().to_string()])
                }
            };
            results.push((name, subject, state, notes));
        }
        if out.is_json() {
            let one = |(name, subject, state, notes): &(&String, &String, &str, Vec<String>)| json!({ "commit": name, "subject": subject, "state": state, "notes": notes });
            out.json_list("subjects", &results.iter().map(one).collect::<Vec<_>>());
        } else {
            for (name, subject, state, notes) in &results {
                if *state == "near-miss" || !notes.is_empty() || self.subject.is_some() {
                    out.line(&format!("{name} {state}: {subject}"));
                    for note in notes {
                        out.line(&format!("    {note}"));
                    }
                }
            }
            out.say(&format!("{} subjects: {valid} I2I, {wrong} near misses", subjects.len()));
        }
        let refused = wrong > 0 || (self.subject.is_some() && valid == 0);
        Ok(if refused { Exit::No } else { Exit::Done })
    }
}

impl Log {
    fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let snapshot = edge.store()?.snapshot()?;
        let mut listed = Vec::new();
        snapshot.commits(|commit| {
            if let Ok(Some(parts)) = i2i::parse(&commit.subject)
                && self.kind.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case(parts.kind()))
            {
                listed.push(commit);
            }
            if listed.len() >= self.count { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if out.is_json() {
            let one = |commit: &Commit| {
                let parts = i2i::parse(&commit.subject).ok().flatten()?;
                Some(json!({
                    "id": commit.id, "time": time::iso(millis(commit.time)), "author": person(commit),
                    "type": parts.kind(), "code": parts.code(), "scope": parts.scope(), "summary": parts.summary(),
                }))
            };
            out.json_list("commits", &listed.iter().filter_map(one).collect::<Vec<_>>());
        } else {
            for commit in &listed {
                let when = out.dim(&time::show(millis(commit.time)));
                let line = format!("{} {when} {}", out.id(&commit.id.short(12)), commit.subject);
                out.line(&line);
            }
        }
        Ok(Exit::Done)
    }
}
