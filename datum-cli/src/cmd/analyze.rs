//! `datum analyze`: what a repository is, and what several have in common.

use crate::cmd::capability::age;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::language;
use crate::out::Out;
use crate::profile::{Compared, Profiler, Whole, bytes, compare, day, share, thousands};
use datum_core::files::NodeKind;
use datum_core::listing;
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Authors and languages that are listed by name.
const LISTED: usize = 12;

/// Profiles repositories: languages with files and lines, size, tools, structure, commits, authors, bottles, capabilities.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum analyze                          this repository
  datum analyze --at v1.0 --format json
  datum analyze ../heron ../tern         two, and what they share
  datum analyze --quick                  languages by files and bytes; no file is read
  datum analyze --files --format ndjson  every file with kind, size and language
  datum analyze --files --quick          kinds, sizes and names alone

All is read from commits, not from the work tree. Languages and lines are those that tokei tells; the linguist-*
attributes of .gitattributes are honoured: vendored, generated, documentation and detectable leave files out or in,
language names one.
Files above 32 MiB and files that are no text are named and not counted. Links are not followed, submodules not entered.
Exit: 0 done, 2 a revision or repository that does not exist, 3 something could not be read.")]
pub(crate) struct Analyze {
    /// Repositories to profile and compare [default: this one]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The same as PATH
    #[arg(long = "path", value_name = "PATH", hide = true)]
    path: Vec<PathBuf>,
    /// Profile this revision instead of HEAD
    #[arg(long, value_name = "REV")]
    at: Option<String>,
    /// Count no lines: languages by the names and sizes of files
    #[arg(long)]
    quick: bool,
    /// List every file instead: kind, size and language; with --quick no language
    #[arg(long)]
    files: bool,
}

impl Analyze {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let paths: Vec<&PathBuf> = self.paths.iter().chain(&self.path).collect();
        if self.files {
            if paths.len() > 1 {
                return Err(Fault::usage("--files lists one repository").hint("datum analyze --files PATH"));
            }
            return match paths.first() {
                None => self.list(edge.store()?, out),
                Some(path) => self.list(&super::audit::look::open(path)?, out),
            };
        }
        let profiler = Profiler { at: self.at.as_deref(), quick: self.quick, now: edge.now()? };
        if paths.is_empty() {
            let store = edge.store()?;
            let name = store.work_dir().unwrap_or_else(|| store.common_dir()).to_owned();
            let name = name.canonicalize().unwrap_or(name).display().to_string();
            let whole = profiler.of(store, &name)?;
            return Ok(one(&whole, out));
        }
        let all: Vec<Whole> = paths.iter().map(|path| profiler.at_path(path)).collect::<Result<_, _>>()?;
        if let [whole] = &all[..] {
            return Ok(one(whole, out));
        }
        Ok(many(&all, out))
    }

    /// Lists every file.
    fn list(&self, store: &datum_core::Store, out: &mut Out) -> Result<Exit, Fault> {
        let survey = store.survey(self.at.as_deref())?;
        let is_json = out.is_json();
        let (mut all, mut line) = (Vec::new(), String::new());
        let is_list = out.format() == crate::args::Format::Ndjson;
        listing::list(&survey.snapshot, |file| {
            let path = String::from_utf8_lossy(file.path);
            let kind = match file.kind {
                NodeKind::Link => "link",
                NodeKind::Submodule => "submodule",
                NodeKind::File if file.executable => "executable",
                NodeKind::File | NodeKind::Folder => "file",
            };
            let named = !self.quick && file.kind == NodeKind::File;
            let language = named.then(|| language::of_path(&path)).flatten();
            if is_json {
                let value = Listed { path: &path, kind, bytes: file.size, id: file.id, language };
                if is_list {
                    out.json(&value);
                } else {
                    all.push(serde_json::to_value(value).unwrap_or_default());
                }
            } else {
                line.clear();
                let _ = write!(line, "{kind:<10} {:>12} ", file.size);
                if !self.quick {
                    let _ = write!(line, "{:<16} ", language.unwrap_or("-"));
                }
                line.push_str(&path);
                out.line(&line);
            }
        })?;
        if is_json && !is_list {
            out.json_list("files", &all);
        }
        Ok(Exit::Done)
    }
}

#[derive(serde::Serialize)]
struct Listed<'a> {
    path: &'a str,
    kind: &'static str,
    bytes: u64,
    id: datum_core::EntryId,
    language: Option<&'static str>,
}

fn exit(out: &mut Out, all: &[&Whole]) -> Exit {
    let mut broken = false;
    for whole in all {
        for (path, why) in &whole.tally.unread {
            out.warn(&format!("{path}: {why}"));
        }
        for (path, size) in &whole.tally.too_large {
            out.say(&format!("not counted: {path} has {}", bytes(*size)));
        }
        if let Err(why) = &whole.tools {
            out.warn(why);
        }
        broken |= whole.is_broken();
    }
    if broken { Exit::Broken } else { Exit::Done }
}

fn one(whole: &Whole, out: &mut Out) -> Exit {
    if out.is_json() {
        let mut value = json!({ "version": 1 });
        if let (Some(object), serde_json::Value::Object(more)) = (value.as_object_mut(), whole.json()) {
            object.extend(more);
        }
        out.json(&value);
    } else {
        for (name, text) in rows(whole) {
            out.line(format!("{name:<12}{text}").trim_end());
        }
    }
    exit(out, &[whole])
}

/// The profile in lines: a name, which is empty where it goes on, and a text.
pub(crate) fn rows(whole: &Whole) -> Vec<(&'static str, String)> {
    let Whole { profile, tally, .. } = whole;
    let past = &profile.past;
    let mut rows = vec![("repository", whole.name.clone())];
    let Some(commit) = profile.commit else {
        rows.push(("commit", "none yet".to_owned()));
        return rows;
    };
    rows.push(("commit", format!("{} {}", commit.short(12), past.last.map(day).unwrap_or_default())));
    let mut size = format!("{} files, {}", thousands(tally.files), bytes(tally.bytes));
    for (count, what) in [(tally.links, "link"), (tally.submodules, "submodule")] {
        if count > 0 {
            let _ = write!(size, ", {count} {what}{}", if count == 1 { "" } else { "s" });
        }
    }
    rows.push(("size", size));
    for (at, (name, count)) in whole.languages().into_iter().enumerate().take(LISTED) {
        let (own, all) = whole.weight(&count);
        let much = if tally.has_lines {
            format!(
                "{:>10} lines ({} code, {} comments)",
                thousands(count.lines),
                thousands(count.code),
                thousands(count.comments)
            )
        } else {
            format!("{:>10}", bytes(count.bytes))
        };
        let text = format!("{name:<18}{:>7} {:>7} files {much}", share(own, all), thousands(count.files));
        rows.push((if at == 0 { "languages" } else { "" }, text));
    }
    let more = tally.languages.len().saturating_sub(LISTED);
    if more > 0 {
        rows.push(("", format!("and {more} more")));
    }
    let other = [
        (tally.other.files, "of no known language"),
        (tally.left_out.files, "left out by attributes"),
        (tally.binary, "no text in spite of their names"),
    ];
    let other: Vec<String> = other
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", thousands(*count)))
        .collect();
    if !other.is_empty() {
        rows.push(("other files", other.join(", ")));
    }
    if let Ok(tools) = &whole.tools
        && !tools.is_empty()
    {
        let names: Vec<&str> = whole.tool_names().into_iter().collect();
        rows.push(("tools", format!("{}: {}", tools.len(), names.join(", "))));
    }
    let missing: Vec<&str> =
        profile.structure.iter().filter(|(_, there)| !there).map(|(part, _)| *part).collect();
    let there = profile.structure.len() - missing.len();
    let missing =
        if missing.is_empty() { String::new() } else { format!("; not there: {}", missing.join(", ")) };
    rows.push(("structure", format!("{there} of {}{missing}", profile.structure.len())));
    let shallow = if past.shallow { " (the clone is shallow: older ones are not here)" } else { "" };
    let span = past
        .first
        .zip(past.last)
        .map(|(first, last)| format!(", {} to {}", day(first), day(last)))
        .unwrap_or_default();
    rows.push(("commits", format!("{}{span}{shallow}", thousands(past.commits))));
    for (at, author) in past.authors.iter().enumerate().take(LISTED) {
        let text = format!("{:>6} {} <{}>", author.commits, author.name, author.email);
        rows.push((if at == 0 { "authors" } else { "" }, text));
    }
    let more = past.authors.len().saturating_sub(LISTED);
    if more > 0 {
        rows.push(("", format!("and {more} more")));
    }
    rows.push((
        "I2I",
        format!("{} of {} commits, {}", past.i2i, past.commits, share(past.i2i, past.commits)),
    ));
    rows.push(("bottles", bottles(whole)));
    if let Some(declared) = &profile.declared {
        let agent = declared.reading.as_ref().and_then(|reading| reading.capability.agent.name.as_deref());
        let skills = declared.reading.as_ref().map_or(0, |reading| reading.capability.skills.len());
        let mut text =
            format!("{}, {skills} capabilities; {}", agent.unwrap_or("(no name)"), age(&declared.freshness));
        if declared.errors + declared.warnings > 0 {
            let _ = write!(
                text,
                "; {} errors, {} warnings (datum capability check)",
                declared.errors, declared.warnings
            );
        }
        rows.push(("declares", text));
    }
    let entries: Vec<String> =
        profile.entries.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    rows.push(("entries", if entries.is_empty() { "none".to_owned() } else { entries.join(", ") }));
    rows
}

/// Bottles by state, in a sentence.
pub(crate) fn bottles(whole: &Whole) -> String {
    let bottles = &whole.profile.bottles;
    let states: Vec<String> =
        bottles.states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let states = if states.is_empty() { String::new() } else { format!(": {}", states.join(", ")) };
    let files = if bottles.files > 0 { format!(" ({} as files)", bottles.files) } else { String::new() };
    format!("{}{files}{states}; {} overdue", bottles.all, bottles.overdue)
}

/// The three comparisons of several repositories.
pub(crate) fn comparisons(all: &[Whole]) -> [(&'static str, Compared<'_>); 3] {
    let languages: Vec<BTreeSet<&str>> =
        all.iter().map(|whole| whole.tally.languages.keys().copied().collect()).collect();
    let tools: Vec<_> = all.iter().map(Whole::tool_names).collect();
    let parts: Vec<_> = all.iter().map(Whole::parts).collect();
    [("languages", compare(&languages)), ("tools", compare(&tools)), ("structure", compare(&parts))]
}

fn many(all: &[Whole], out: &mut Out) -> Exit {
    let compared = comparisons(all);
    if out.format() == crate::args::Format::Ndjson {
        all.iter().for_each(|whole| out.json(&whole.json()));
    } else if out.is_json() {
        let mut value =
            json!({ "version": 1, "repositories": all.iter().map(Whole::json).collect::<Vec<_>>() });
        for (what, found) in &compared {
            let alone: Vec<_> = all
                .iter()
                .zip(&found.alone)
                .map(|(whole, names)| json!({ "path": whole.name, "names": names }))
                .collect();
            value[*what] = json!({ "shared": found.shared, "alone": alone });
        }
        out.json(&value);
    } else {
        let width = all.iter().map(|whole| whole.name.chars().count()).max().unwrap_or(0).max(10);
        out.line(&format!(
            "{:<width$} {:>8} {:>11} {:>11} {:>8} {:>8} {:>6} {:>9} {:>8}",
            "repository", "files", "size", "lines", "commits", "authors", "I2I", "structure", "bottles"
        ));
        for whole in all {
            let (tally, past) = (&whole.tally, &whole.profile.past);
            let lines = if tally.has_lines { thousands(tally.counted.lines) } else { "-".to_owned() };
            let parts = format!("{}/{}", whole.parts().len(), whole.profile.structure.len());
            out.line(&format!(
                "{:<width$} {:>8} {:>11} {lines:>11} {:>8} {:>8} {:>6} {parts:>9} {:>8}",
                whole.name,
                thousands(tally.files),
                bytes(tally.bytes),
                thousands(past.commits),
                past.authors.len(),
                past.i2i,
                whole.profile.bottles.all
            ));
        }
        let list = |names: &[&str]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        for (what, found) in &compared {
            out.line(&format!("shared {what}: {}", list(&found.shared)));
            for (whole, names) in all.iter().zip(&found.alone).filter(|(_, names)| !names.is_empty()) {
                out.line(&format!("  only {}: {}", whole.name, list(names)));
            }
        }
    }
    exit(out, &all.iter().collect::<Vec<_>>())
}
