//! `datum capability`: what the agent of this vessel declares that it can do.

mod age;

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
pub(crate) use age::{age, age_json};
use clap::Subcommand;
use datum_core::capability::{
    self, Capability, EditError, FILE, Finding, Freshness, Level, Reading, SIZE_MAX,
};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Checks, shows and changes CAPABILITY.toml, by which the fleet knows what an agent can do.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum capability check
  datum capability show --at v1.2
  datum capability set capabilities.audit.confidence=0.9 capabilities.audit.description='Audits workshops'
  datum capability export --output CAPABILITY.toml     # any known schema to the seed's")]
pub(crate) struct Command {
    #[command(subcommand)]
    command: Sub,
}

#[derive(Debug, Subcommand)]
enum Sub {
    /// Check it against the seed's schema, and its age against git
    Check(Check),
    /// Show what can be read of it, whichever schema it follows
    Show(Show),
    /// Set values in it; all else in the file stays as it stands
    Set(Set),
    /// Print it in the seed's schema
    Export(Export),
    /// Acknowledge what an agent declares, as it stands (datum keeper capability-ack)
    #[cfg(feature = "vault")]
    Ack(super::keeper::Acknowledge),
}

/// Which declaration.
#[derive(Debug, clap::Args)]
struct Which {
    /// A file of this name instead of the vessel's
    #[arg(value_name = "FILE", conflicts_with = "at")]
    file: Option<PathBuf>,
    /// The vessel's as it was committed at REV [default: as it is in the work tree]
    #[arg(long, value_name = "REV")]
    at: Option<String>,
}

/// Checks a declaration against the seed's schema; findings carry line and column.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum capability check
  datum capability check --at HEAD~5
  datum capability check ../tern/CAPABILITY.toml --format json
  datum capability check --max-age 30     # no if it was not changed in the 30 days before the newest commit

Exit: 0 it conforms (there may be warnings), 1 it does not, 2 there is none.")]
struct Check {
    #[command(flatten)]
    which: Which,
    /// Fail where it last changed more than DAYS before the newest commit
    #[arg(long, value_name = "DAYS", conflicts_with = "file")]
    max_age: Option<i64>,
}

/// Shows a declaration, read leniently: six schemas are known.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum capability show
  datum capability show ../tern/CAPABILITY.toml
  datum capability show --format json | jq '.capability.capabilities | keys'")]
struct Show {
    #[command(flatten)]
    which: Which,
}

/// Sets values in the vessel's CAPABILITY.toml; comments and order stay. Nothing is committed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum capability set agent.role=quartermaster
  datum capability set capabilities.tow.confidence=0.8 capabilities.tow.description='Tows barges'
  datum capability set communication.incoming=message-in-a-bottle/for-heron/,for-fleet/
  datum capability set metadata.last_active=2026-03-01 metadata.session_count=12

Keys: agent.name, role, description, version; capabilities.NAME.confidence, description, last_used;
domains.NAME.level, repos, notes; communication.incoming, outgoing, protocol; metadata.last_active, and counts.
A list is given with commas. A change after which the file breaks the schema where it did not before is refused.")]
struct Set {
    /// What to set: KEY=VALUE
    #[arg(value_name = "KEY=VALUE", required = true)]
    values: Vec<String>,
    /// Print the new text and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Prints a declaration of any known schema in the seed's.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum capability export
  datum capability export ../tern/CAPABILITY.toml --output CAPABILITY.toml
  datum capability export --format json")]
struct Export {
    #[command(flatten)]
    which: Which,
    /// Write to FILE instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Command {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        match &self.command {
            Sub::Check(command) => command.run(edge, out),
            Sub::Show(command) => command.run(edge, out),
            Sub::Set(command) => command.run(edge, out),
            Sub::Export(command) => command.run(edge, out),
            #[cfg(feature = "vault")]
            Sub::Ack(command) => command.run(edge, out),
        }
    }
}

/// A declaration as it was found.
struct Found {
    /// How the reader calls the file.
    name: String,
    text: String,
}

impl Which {
    fn find(&self, edge: &Edge<'_>) -> Result<Found, Fault> {
        if let Some(file) = &self.file {
            return Ok(Found { name: file.display().to_string(), text: read(&edge.dir().join(file), file)? });
        }
        let store = edge.store()?;
        let root = store.work_dir().filter(|_| self.at.is_none());
        if let Some(root) = root {
            return Ok(Found { name: FILE.to_owned(), text: read(&root.join(FILE), Path::new(FILE))? });
        }
        let revision = self.at.as_deref().unwrap_or("HEAD");
        let survey = store.survey(self.at.as_deref())?;
        let bytes = survey.snapshot.file(FILE)?.ok_or_else(|| none(&format!("{revision}:{FILE}")))?;
        let text = String::from_utf8(bytes).map_err(|_| not_text(&format!("{revision}:{FILE}")))?;
        Ok(Found { name: format!("{revision}:{FILE}"), text })
    }

    /// Its age against git; `None` for a file that is named.
    fn freshness(&self, edge: &Edge<'_>, text: &str) -> Result<Option<Freshness>, Fault> {
        if self.file.is_some() {
            return Ok(None);
        }
        let survey = edge.store()?.survey(self.at.as_deref())?;
        let reading = capability::read(text).ok();
        let claimed = reading.as_ref().and_then(|reading| reading.capability.metadata.last_active.as_deref());
        Ok(Some(capability::freshness(&survey.snapshot, claimed)?))
    }
}

fn none(name: &str) -> Fault {
    Fault::usage(format!("there is no {name}"))
        .hint("datum boot declares an agent; datum capability set agent.name=NAME begins one")
}

fn not_text(name: &str) -> Fault {
    Fault::usage(format!("{name} is not UTF-8")).hint("a declaration is a file of TOML")
}

/// Reads a file; one larger than a declaration may be is not read to its end.
fn read(path: &Path, name: &Path) -> Result<String, Fault> {
    use std::io::Read as _;
    let cannot = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => none(&name.display().to_string()),
        std::io::ErrorKind::InvalidData => not_text(&name.display().to_string()),
        _ => Fault::usage(format!("cannot read {}: {error}", name.display())).hint("may this user read it?"),
    };
    let meta = std::fs::metadata(path).map_err(cannot)?;
    if !meta.is_file() {
        return Err(Fault::usage(format!("{} is no file", name.display()))
            .hint("name a CAPABILITY.toml; without one, that of the vessel is looked at"));
    }
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(cannot)?;
    file.take(SIZE_MAX as u64 + 1).read_to_string(&mut text).map_err(cannot)?;
    Ok(text)
}

fn parse(found: &Found) -> Result<Reading, Fault> {
    capability::read(&found.text).map_err(|error| {
        Fault::usage(format!("{}: {error}", found.name)).hint("datum capability check says more")
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

fn print(out: &mut Out, name: &str, findings: &[Finding]) {
    for Finding { line, column, level: how, message, hint } in findings {
        let hint = if hint.is_empty() { String::new() } else { out.dim(&format!(" ({hint})")) };
        out.line(&format!("{name}:{line}:{column}: {}: {message}{hint}", level(*how)));
    }
}

impl Check {
    fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let found = self.which.find(edge)?;
        let findings = capability::check(&found.text);
        let freshness = self.which.freshness(edge, &found.text)?;
        let errors = findings.iter().filter(|finding| finding.level == Level::Error).count();
        let stale = freshness
            .as_ref()
            .and_then(|age| age.lag_days)
            .zip(self.max_age)
            .is_some_and(|(lag, most)| lag > most);
        if out.is_json() {
            out.json(&json!({
                "version": 1, "file": found.name, "conforms": errors == 0, "findings": findings,
                "freshness": freshness.as_ref().map(age_json), "stale": stale,
            }));
        } else {
            print(out, &found.name, &findings);
            if let Some(freshness) = &freshness {
                out.line(&format!("{}: {}", found.name, age(freshness)));
            }
            let words = if errors == 0 {
                "conforms to the seed's schema"
            } else {
                "does not conform to the seed's schema"
            };
            out.say(&format!(
                "{} {words}: {errors} errors, {} other remarks",
                found.name,
                findings.len() - errors
            ));
            if stale {
                out.say("it is older than --max-age allows");
            }
        }
        Ok(if errors > 0 || stale { Exit::No } else { Exit::Done })
    }
}

impl Show {
    fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let found = self.which.find(edge)?;
        let Reading { capability, warnings } = parse(&found)?;
        let freshness = self.which.freshness(edge, &found.text)?;
        if out.is_json() {
            out.json(&json!({
                "version": 1, "file": found.name, "capability": capability, "remarks": warnings,
                "freshness": freshness.as_ref().map(age_json),
            }));
            return Ok(Exit::Done);
        }
        let Capability { agent, skills, domains, communication, metadata } = &capability;
        let mut field = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                out.line(&format!("{name:<12}{value}"));
            }
        };
        field("agent", agent.name.as_deref());
        field("role", agent.role.as_deref());
        field("version", agent.version.as_deref());
        field("description", agent.description.as_deref());
        for (at, (name, skill)) in skills.iter().enumerate() {
            let sure =
                skill.confidence.map_or_else(|| "   -".to_owned(), |confidence| confidence.to_string());
            let used =
                skill.last_used.as_deref().map(|day| format!(" (last used {day})")).unwrap_or_default();
            let line = format!("{name:<20} {sure} {}{used}", skill.description.as_deref().unwrap_or(""));
            field(if at == 0 { "can" } else { "" }, Some(line.trim_end()));
        }
        for (at, (name, domain)) in domains.iter().enumerate() {
            let repos = if domain.repos.is_empty() {
                String::new()
            } else {
                format!(" in {}", domain.repos.join(", "))
            };
            let line = format!("{name:<20} {}{repos}", domain.level.as_deref().unwrap_or("-"));
            field(if at == 0 { "knows" } else { "" }, Some(&line));
        }
        let folders = |list: &[String]| Some(list.join(", ")).filter(|text| !text.is_empty());
        field("reads", folders(&communication.incoming).as_deref());
        field("writes", folders(&communication.outgoing).as_deref());
        field("protocol", communication.protocol.as_deref());
        let counts: Vec<String> =
            metadata.counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        field("counts", folders(&counts).as_deref());
        field("age", freshness.as_ref().map(age).as_deref());
        for Finding { line, column, message, .. } in &warnings {
            out.say(&format!("{}:{line}:{column}: {message}", found.name));
        }
        Ok(Exit::Done)
    }
}

impl Set {
    fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let root = edge.store()?.work_dir().ok_or_else(|| {
            Fault::usage("a bare repository has no work tree").hint("run it in a clone that has one")
        })?;
        let path = root.join(FILE);
        let old = if path.exists() { read(&path, Path::new(FILE))? } else { String::new() };
        let mut text = old.clone();
        for pair in &self.values {
            let (key, value) = pair.split_once('=').ok_or_else(|| {
                Fault::usage(format!("{pair:?} is no KEY=VALUE"))
                    .hint("datum capability set agent.role=quartermaster")
            })?;
            text = capability::set(&text, key.trim(), value).map_err(|error| refused(&error))?;
        }
        let broke = |text: &str| -> Vec<Finding> {
            capability::check(text).into_iter().filter(|finding| finding.level == Level::Error).collect()
        };
        let before: Vec<String> = broke(&old).into_iter().map(|finding| finding.message).collect();
        let new: Vec<_> =
            broke(&text).into_iter().filter(|finding| !before.contains(&finding.message)).collect();
        if let Some(first) = new.first() {
            print(out, FILE, &new);
            return Err(Fault::usage(format!("{FILE} would break the schema: {}", first.message))
                .hint("nothing was written; set what belongs together in one call"));
        }
        if self.dry_run {
            out.raw(text.as_bytes());
            return Ok(Exit::Done);
        }
        if text != old {
            write(&path, &text)?;
        }
        if out.is_json() {
            out.json(
                &json!({ "version": 1, "file": FILE, "changed": text != old, "set": self.values.len() }),
            );
        } else {
            out.line(&if text == old { format!("{FILE} says so already") } else { format!("wrote {FILE}") });
        }
        Ok(Exit::Done)
    }
}

fn refused(error: &EditError) -> Fault {
    let fault = Fault::usage(format!("{FILE}: {error}"));
    match error {
        EditError::Key(_) => fault.hint("datum capability set --help lists the keys"),
        EditError::Shape(_) => {
            fault.hint("edit it by hand, or bring it to the seed's schema: datum capability export --output CAPABILITY.toml")
        }
        EditError::Read(_) | EditError::Value { .. } => fault,
    }
}

/// Writes a file beside its place and renames it, so that it is whole at any moment.
fn write(path: &Path, text: &str) -> Result<(), Fault> {
    let fresh = path.with_extension(format!("datum-{}", std::process::id()));
    let written = std::fs::write(&fresh, text).and_then(|()| std::fs::rename(&fresh, path));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&fresh);
        Fault::broken(format!("cannot write {}: {error}", path.display()))
            .hint("is the folder read-only, or the disk full?")
    })
}

impl Export {
    fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let found = self.which.find(edge)?;
        let Reading { capability, warnings } = parse(&found)?;
        for Finding { line, column, message, .. } in &warnings {
            out.say(&format!("{}:{line}:{column}: {message}", found.name));
        }
        let text = capability::write(&capability);
        if out.is_json() {
            out.json(&json!({ "version": 1, "capability": capability }));
        } else if let Some(path) = &self.output {
            write(&edge.dir().join(path), &text)?;
            out.say(&format!("wrote {}", path.display()));
        } else {
            out.raw(text.as_bytes());
        }
        Ok(Exit::Done)
    }
}
