//! `datum tools`: programs of the workshop, registered in tools/manifest.json, and the bundled ones.

pub(crate) mod manifest;
pub(crate) mod run;

use crate::cmd::recipe;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::passing::Passing;
use crate::time;
use clap::Subcommand;
use datum_core::Word;
use manifest::{CATEGORIES, Entry, Manifest};
use serde_json::json;
use std::path::PathBuf;
use std::process::{Command as Process, ExitStatus};

/// The tools that are commands of this program, and which.
const BUNDLED: [(&str, &[&str], &str); 5] = [
    ("audit-scanner", &["audit"], "audit this workshop (datum audit)"),
    ("fleet-scanner", &["fleet", "scan"], "scan an organisation's repositories (datum fleet scan)"),
    ("repo-tagger", &["fleet", "tag"], "add topics to repositories (datum fleet tag)"),
    ("license-adder", &["fleet", "license"], "add licence files to repositories (datum fleet license)"),
    ("fleet-reporter", &["fleet", "report"], "report on an organisation (datum fleet report)"),
];

/// Lists, registers and runs tools.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum tools list
  datum tools add tide tools/tide.py --description 'Tides for a harbour' --tag sea
  datum tools run tide -- Brest")]
pub(crate) struct Tools {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the tools
    List(List),
    /// Register a tool
    Add(Add),
    /// Take a tool out of the manifest; its file stays
    #[command(after_help = "Examples:\n  datum tools remove tide")]
    Remove {
        /// The tool
        name: String,
    },
    /// List the tools whose name, description, language or tags contain TEXT
    #[command(after_help = "Examples:\n  datum tools search sea")]
    Search {
        /// The text, letter case aside
        text: String,
    },
    /// Run a tool in the root of the workshop; the journal records it
    Run(Run),
}

impl Tools {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        match &self.command {
            Command::List(command) => {
                let takes = |entry: &Entry| {
                    command.category.as_ref().is_none_or(|want| entry.category.starts_with(want.as_str()))
                };
                list(edge, out, takes, command.category.is_none())
            }
            Command::Add(command) => command.run(edge, out),
            Command::Remove { name } => remove(edge, out, name),
            Command::Search { text } => {
                let want = text.to_lowercase();
                let has = |text: &String| text.to_lowercase().contains(&want);
                let takes = |entry: &Entry| {
                    has(&entry.name)
                        || has(&entry.description)
                        || has(&entry.language)
                        || entry.tags.iter().any(has)
                };
                list(edge, out, takes, false)
            }
            Command::Run(command) => command.run(edge, out),
        }
    }
}

/// The root of the workshop.
pub(crate) fn root(edge: &Edge<'_>) -> Result<PathBuf, Fault> {
    edge.store()?.work_dir().map(ToOwned::to_owned).ok_or_else(|| {
        Fault::usage("a bare repository has no tools").hint("run it in a clone with a work tree")
    })
}

/// Lists the tools.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  datum tools list\n  datum tools list --category interpreter --format json"
)]
struct List {
    /// Only tool, interpreter, compiler or recipe
    #[arg(long, value_name = "CATEGORY")]
    category: Option<String>,
}

fn list(
    edge: &Edge<'_>,
    out: &mut Out,
    takes: impl Fn(&Entry) -> bool,
    bundled: bool,
) -> Result<Exit, Fault> {
    let manifest = Manifest::read(&root(edge)?)?;
    let found: Vec<&Entry> = manifest.entries().iter().filter(|entry| takes(entry)).collect();
    if out.is_json() {
        let mut shown: Vec<_> = found
            .iter()
            .map(|entry| {
                let mut value = json!(entry);
                value["category"] = entry.category.trim_end_matches('s').into();
                value
            })
            .collect();
        if bundled {
            shown.extend(BUNDLED.iter().map(|(name, command, about)| {
                json!({ "name": name, "category": "bundled", "description": about, "command": command })
            }));
        }
        out.json_list("tools", &shown);
        return Ok(Exit::Done);
    }
    for entry in &found {
        let name = out.id(&format!("{:<18}", entry.name));
        let line = format!(
            "{name} {:<12} {} {}",
            entry.category.trim_end_matches('s'),
            entry.path,
            entry.description
        );
        out.line(line.trim_end());
    }
    if bundled {
        for (name, _, about) in BUNDLED {
            let name = out.id(&format!("{name:<18}"));
            out.line(&format!("{name} {:<12} {about}", "bundled"));
        }
    }
    if found.is_empty() && !bundled {
        out.say("no tool found");
    }
    Ok(Exit::Done)
}

/// Registers a tool.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum tools add tide tools/tide.py --description 'Tides for a harbour' --tag sea
  datum tools add knots tools/knots.c --category compiler --language c")]
struct Add {
    /// Its name
    name: String,
    /// Its file, from the root of the workshop
    path: String,
    /// What it does
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,
    /// What it is written in [default: by the file's ending]
    #[arg(long, value_name = "LANGUAGE")]
    language: Option<String>,
    /// tool, interpreter or compiler
    #[arg(long, value_name = "CATEGORY", default_value = "tool")]
    category: String,
    /// Tag it (repeatable)
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
}

impl Add {
    fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let category =
            CATEGORIES[..3].iter().find(|category| category.trim_end_matches('s') == self.category);
        let category = category.ok_or_else(|| {
            Fault::usage(format!("--category: {:?} is none", self.category))
                .hint("tool, interpreter or compiler")
        })?;
        let root = root(edge)?;
        let name = Word::new("tool", &self.name)?;
        let manifest = Manifest::read(&root)?;
        check_new(&manifest, name.as_str())?;
        let file = run::locate(&root, name.as_str(), &self.path)?;
        let end = file.extension().and_then(|end| end.to_str()).unwrap_or_default();
        let entry = Entry {
            category,
            name: name.to_string(),
            path: self.path.clone(),
            description: self.description.clone(),
            language: self.language.clone().unwrap_or_else(|| end.to_owned()),
            created_by: edge.agent()?.to_string(),
            created_at: time::iso(edge.now()?),
            tags: self.tag.clone(),
        };
        manifest.write(&manifest.with(&entry)?)?;
        tell(out, "registered", name.as_str());
        Ok(Exit::Done)
    }
}

/// Refuses a name that is taken.
pub(crate) fn check_new(manifest: &Manifest, name: &str) -> Result<(), Fault> {
    if bundled(name).is_some() {
        return Err(Fault::usage(format!("{name} is a bundled tool")).hint("choose another name"));
    }
    match manifest.find(name) {
        None => Ok(()),
        Some(entry) if entry.category == "recipes" => {
            Err(Fault::usage(format!("there is a recipe {name} already"))
                .hint(format!("datum recipe remove {name}")))
        }
        Some(_) => Err(Fault::usage(format!("there is a tool {name} already"))
            .hint(format!("datum tools remove {name}"))),
    }
}

/// The command of this program that is a bundled tool.
fn bundled(name: &str) -> Option<&'static [&'static str]> {
    BUNDLED.iter().find(|(bundled, ..)| *bundled == name).map(|(_, verbs, _)| *verbs)
}

/// Tells what became of an entry of the manifest.
pub(crate) fn tell(out: &mut Out, verb: &str, name: &str) {
    if out.is_json() {
        out.json(&json!({ "version": 1, "name": name, "done": verb }));
    } else {
        out.line(&format!("{verb} {name}"));
    }
    out.say("datum git commit keeps the change of tools/manifest.json");
}

fn remove(edge: &Edge<'_>, out: &mut Out, name: &str) -> Result<Exit, Fault> {
    let manifest = Manifest::read(&root(edge)?)?;
    if manifest.find(name).is_none() {
        return Err(unknown(name));
    }
    manifest.write(&manifest.without(name)?)?;
    tell(out, "removed", name);
    Ok(Exit::Done)
}

fn unknown(name: &str) -> Fault {
    Fault::usage(format!("no tool {name}")).hint("datum tools list names them")
}

/// Runs a tool; what it prints is printed, and the journal records start, end, exit code and duration.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum tools run tide -- Brest
  datum tools run --net api.example.org:443 ask
  datum tools run audit-scanner

A tool of the workshop runs within the boundary of datum run: its environment is cleared, the workshop is read, and
written but for its git directory and new names directly in its root, and the network is off. The bundled tools are this
program itself and run as it does. Whatever --format says, what is printed is what the tool prints; how it ended stands in
the journal, where entries of category TOOL have the trailers Exit (or Signal) and Duration-Ms.

Exit: 0 the tool ended with 0, 1 it ended with another code, which is named, 125 the boundary cannot be held;
a bundled tool ends with its command's own code.")]
struct Run {
    /// The tool
    name: String,
    #[command(flatten)]
    within: super::within::Within,
    /// What it is given
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

impl Run {
    fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let root = root(edge)?;
        let manifest = Manifest::read(&root);
        let entry = match &manifest {
            Ok(manifest) => manifest.find(&self.name).filter(|entry| entry.category != "recipes"),
            Err(_) => None,
        };
        let what = format!("tool {}", self.name);
        let mut command = match entry {
            Some(entry) => {
                let file = run::locate(&root, &entry.name, &entry.path)?;
                run::pass(edge, &what, &file)?;
                run::command(&file, &entry.language)?
            }
            None => {
                let Some(verbs) = bundled(&self.name) else {
                    // A manifest that cannot be read stops no bundled tool, and any other.
                    manifest?;
                    return Err(if recipe::known(&root)?.contains_key(&self.name) {
                        Fault::usage(format!("{} is a recipe", self.name))
                            .hint(format!("datum recipe run {}", self.name))
                    } else {
                        unknown(&self.name)
                    });
                };
                let program = std::env::current_exe()
                    .map_err(|error| Fault::broken(format!("cannot find this program: {error}")))?;
                let mut command = Process::new(program);
                command.args(verbs);
                command
            }
        };
        command.args(&self.args);
        let bounded = match entry {
            Some(_) => Some(self.within.prepare(edge, &edge.agent()?)?),
            None => None,
        };
        if let Some(bounded) = &bounded {
            bounded.tell(out, &edge.agent()?);
        }
        let status = run::recorded(edge, out, &root, &what, command, (bounded.as_ref(), &Passing::new()?))?;
        Ok(match (entry, status.code()) {
            // A bundled tool is a command of this program, and so are its exit codes.
            (None, Some(1)) => Exit::No,
            (None, Some(2)) => Exit::Usage,
            (None, Some(3)) => Exit::Broken,
            _ => ended(out, &self.name, status),
        })
    }
}

/// Says how a program ended, where that is worth saying.
pub(crate) fn ended(out: &Out, name: &str, status: ExitStatus) -> Exit {
    if status.success() {
        return Exit::Done;
    }
    match status.code() {
        Some(code) => out.warn(&format!("{name} ended with {code}")),
        None => out.warn(&format!("{name} was killed by signal {}", run::signal(status))),
    }
    Exit::No
}
