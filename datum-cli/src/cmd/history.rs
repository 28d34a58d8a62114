//! `datum history`: the commits, newest first, with their I2I parts.

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::time;
use datum_core::files::Files;
use datum_core::history::{Commit, End};
use datum_core::i2i;
use datum_core::{Millis, Store, Survey};
use serde_json::{Value, json};
use std::ops::ControlFlow;

/// Lists commits, newest first, with their I2I parts.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum history -n 5
  datum history --type AUDIT --since '2 weeks ago'     # I2I commits of one type
  datum history --author heron src/ README.md          # what heron changed there
  datum history --at v1.2 --search pump --format ndjson
  datum history --count --no-merges
  datum git history -n 5

PATH counts from where the command runs; after -- one that no commit has is no error. Times are those at which commits
were made. A shallow clone ends where its history does, and says so.")]
pub(crate) struct History {
    /// Only commits that changed one of these files or folders
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    /// The same, whether there is one or not
    #[arg(last = true, value_name = "PATH", hide = true)]
    any_paths: Vec<String>,
    /// List at most N
    #[arg(short = 'n', long = "last", value_name = "N", default_value_t = 20)]
    count: usize,
    /// Begin at this revision instead of HEAD
    #[arg(long, value_name = "REV")]
    at: Option<String>,
    /// Only commits whose message contains TEXT, letter case aside
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only commits by authors whose name or address contains TEXT, letter case aside
    #[arg(long, value_name = "TEXT")]
    author: Option<String>,
    /// Only commits at or after TIME: 2026-01-31, '3 days ago', yesterday
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only commits before TIME
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only commits with an I2I subject
    #[arg(long)]
    i2i: bool,
    /// Only commits with an I2I subject of this type
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Leave out commits with more than one parent
    #[arg(long)]
    no_merges: bool,
    /// Print only how many there are; -n does not limit it
    #[arg(long = "count")]
    only_count: bool,
}

/// What a commit must be to be listed.
struct Filter<'a> {
    text: Option<String>,
    author: Option<String>,
    since: Option<i64>,
    until: Option<i64>,
    i2i: bool,
    kind: Option<&'a str>,
    no_merges: bool,
}

impl Filter<'_> {
    fn is_empty(&self) -> bool {
        self.text.is_none()
            && self.author.is_none()
            && self.since.is_none()
            && self.until.is_none()
            && !self.i2i
            && self.kind.is_none()
            && !self.no_merges
    }

    fn takes(&self, commit: &Commit) -> bool {
        let holds = |text: &str, want: &Option<String>| {
            want.as_ref().is_none_or(|want| text.to_lowercase().contains(want))
        };
        let is_type = || match i2i::parse(&commit.subject) {
            Ok(Some(parts)) => self.kind.is_none_or(|kind| kind.eq_ignore_ascii_case(parts.kind())),
            _ => false,
        };
        !(self.no_merges && commit.is_merge())
            && self.since.is_none_or(|since| commit.committed >= since)
            && self.until.is_none_or(|until| commit.committed < until)
            && holds(&commit.message, &self.text)
            && (self.author.is_none() || holds(&person(commit), &self.author))
            && (!self.i2i && self.kind.is_none() || is_type())
    }
}

impl History {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.store()?;
        let survey = store.survey(self.at.as_deref())?;
        let known = super::git::places(edge, &self.paths)?;
        let any = super::git::places(edge, &self.any_paths)?;
        // One of them may be the root, which holds all.
        let all = known.is_empty() && !self.paths.is_empty() || any.is_empty() && !self.any_paths.is_empty();
        let paths = if all { Vec::new() } else { [known.clone(), any].concat() };
        let filter = self.filter(edge)?;
        if survey.snapshot.head().is_none() {
            out.say("there are no commits yet");
        }
        let (found, count, end) = if self.only_count && paths.is_empty() && filter.is_empty() {
            let (count, end) = survey.count_commits()?;
            (Vec::new(), count, end)
        } else if self.count == 0 && !self.only_count {
            (Vec::new(), 0, End::Stopped)
        } else {
            let (mut found, mut count) = (Vec::new(), 0);
            let end = survey.snapshot.commits_of(&paths, |commit| {
                if filter.takes(&commit) {
                    count += 1;
                    if self.only_count {
                        return ControlFlow::Continue(());
                    }
                    found.push(commit);
                    if found.len() >= self.count {
                        return ControlFlow::Break(());
                    }
                }
                ControlFlow::Continue(())
            })?;
            (found, count, end)
        };
        for (place, typed) in known.iter().zip(&self.paths) {
            was_there(store, &survey, place, typed, out)?;
        }
        if self.only_count {
            if out.is_json() {
                out.json(&json!({ "version": 1, "count": count, "shallow": end == End::Shallow }));
            } else {
                out.line(&count.to_string());
            }
        } else if out.is_json() {
            out.json_list("commits", &found.iter().map(shown).collect::<Vec<_>>());
        } else {
            for commit in &found {
                let id = out.id(&commit.id.short(12));
                let when = out.dim(&time::show(millis(commit.time)));
                out.line(&format!("{id} {when} {} {}", commit.author, commit.subject));
            }
        }
        if end == End::Shallow {
            out.say("the clone is shallow: older commits are not here");
        }
        Ok(Exit::Done)
    }

    fn filter(&self, edge: &Edge<'_>) -> Result<Filter<'_>, Fault> {
        let time = |option: &str, text: &Option<String>| -> Result<Option<i64>, Fault> {
            let Some(text) = text else { return Ok(None) };
            let time = time::parse(text, edge.now()?).ok_or_else(|| {
                Fault::usage(format!("{option}: {text:?} is no time"))
                    .hint("write 2026-01-31, 2026-01-31T12:00:00Z, '3 days ago' or yesterday")
            })?;
            // A commit's clock has whole seconds: one that is not over yet is not before.
            Ok(Some(i64::try_from(time.div_ceil(1000)).unwrap_or(i64::MAX)))
        };
        let lower = |text: &Option<String>| text.as_ref().map(|text| text.to_lowercase());
        Ok(Filter {
            text: lower(&self.search),
            author: lower(&self.author),
            since: time("--since", &self.since)?,
            until: time("--until", &self.until)?,
            i2i: self.i2i,
            kind: self.kind.as_deref(),
            no_merges: self.no_merges,
        })
    }
}

/// Refuses a path that no commit has, as `git log` does one that it does not know.
fn was_there(store: &Store, survey: &Survey<'_>, place: &str, typed: &str, out: &Out) -> Result<(), Fault> {
    let snapshot = &survey.snapshot;
    if snapshot.head().is_none() || Files::of(snapshot)?.node(place)?.is_some() {
        return Ok(());
    }
    // It may have been deleted since; what lies below the end of a shallow clone is told as such.
    if snapshot.commits_of(&[place.to_owned()], |_| ControlFlow::Break(()))? != End::Whole {
        return Ok(());
    }
    if store.work_dir().is_some_and(|root| root.join(place).symlink_metadata().is_ok()) {
        out.say(&format!("{typed} was never committed"));
        return Ok(());
    }
    let hint = if store.resolve(typed).is_ok() {
        format!("--at {typed} begins at that revision")
    } else {
        format!("it counts from where the command runs; datum history -- {typed} asks all the same")
    };
    Err(Fault::usage(format!("{typed}: no commit has a file or folder of this name")).hint(hint))
}

/// The author, `Name <mail>`.
pub(crate) fn person(commit: &Commit) -> String {
    format!("{} <{}>", commit.author, commit.email)
}

/// Seconds of a commit as a time that is shown; what is before 1970 is its beginning.
pub(crate) fn millis(seconds: i64) -> Millis {
    u64::try_from(seconds).unwrap_or(0).saturating_mul(1000)
}

fn shown(commit: &Commit) -> Value {
    let parts = i2i::parse(&commit.subject).ok().flatten().map(|parts| {
        json!({ "type": parts.kind(), "code": parts.code(), "scope": parts.scope(), "summary": parts.summary() })
    });
    json!({
        "id": commit.id, "parents": commit.parents, "author": person(commit),
        "time": time::iso(millis(commit.time)), "committed": time::iso(millis(commit.committed)),
        "subject": commit.subject, "body": commit.body(), "i2i": parts,
    })
}
