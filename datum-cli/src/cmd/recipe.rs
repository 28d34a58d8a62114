//! `datum recipe`: command sequences, each a markdown file below recipes/.

mod text;

use super::tools::manifest::{Entry, Manifest, refuse_links};
use super::tools::{check_new, ended, root, run, tell};
use super::within::Within;
use crate::cmd::publish;
use crate::edge::{Edge, in_root};
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::passing::Passing;
use crate::time;
use clap::Subcommand;
use datum_core::Word;
use datum_core::onboarding::one_line;
use datum_core::worktree::TreePath;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use text::parse;

/// Largest recipe that is read, bytes.
const SIZE_MAX: u64 = 1024 * 1024;

/// Lists, shows, writes and runs recipes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum recipe add tidy --description 'Tidy up' --command 'git status' --command 'datum publish'
  datum recipe run tidy")]
pub(crate) struct Recipe {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the recipes
    #[command(after_help = "Examples:\n  datum recipe list --format json")]
    List,
    /// Print a recipe
    #[command(after_help = "Examples:\n  datum recipe show tidy")]
    Show {
        /// The recipe
        name: String,
    },
    /// Write a recipe and register it
    Add(Add),
    /// Remove a recipe: its file in recipes, and its entry in the manifest
    #[command(after_help = "Examples:\n  datum recipe remove tidy")]
    Remove {
        /// The recipe
        name: String,
    },
    /// Run a recipe's commands in their order; the first that fails ends it
    Run(Run),
}

impl Recipe {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        match &self.command {
            Command::List => list(edge, out),
            Command::Show { name } => show(edge, out, name),
            Command::Add(command) => command.run(edge, out),
            Command::Remove { name } => remove(edge, out, name),
            Command::Run(command) => command.run(edge, out),
        }
    }
}

/// The recipes in their folder: names, and paths in the workshop.
pub(crate) fn in_folder(root: &Path) -> BTreeMap<String, String> {
    let mut recipes = BTreeMap::new();
    let folder = walkdir::WalkDir::new(root.join("recipes")).follow_root_links(false).max_depth(1);
    for entry in folder.into_iter().filter_map(Result::ok) {
        let file = entry.file_name().to_string_lossy();
        if let Some(name) =
            file.strip_suffix(".md").filter(|name| *name != "README" && entry.file_type().is_file())
        {
            recipes.insert(name.to_owned(), format!("recipes/{file}"));
        }
    }
    recipes
}

/// Where the recipes are: those of the folder, and those that the manifest names elsewhere.
pub(crate) fn known(root: &Path) -> Result<BTreeMap<String, String>, Fault> {
    let mut recipes = in_folder(root);
    let manifest = Manifest::read(root)?;
    for entry in manifest.entries().iter().filter(|entry| entry.category == "recipes") {
        recipes.insert(entry.name.clone(), entry.path.clone());
    }
    Ok(recipes)
}

fn read(root: &Path, name: &str) -> Result<String, Fault> {
    let (path, file) = locate(root, name)?;
    if file.metadata().is_ok_and(|meta| meta.len() > SIZE_MAX) {
        return Err(
            Fault::usage(format!("{path} is larger than 1 MiB")).hint("a recipe is a page of commands")
        );
    }
    std::fs::read_to_string(&file).map_err(|error| {
        Fault::usage(format!("cannot read {path}: {error}")).hint("a recipe is a file of UTF-8 text")
    })
}

/// Where a recipe lies: its path in the workshop, and its file.
fn locate(root: &Path, name: &str) -> Result<(String, PathBuf), Fault> {
    let recipes = known(root)?;
    let path = recipes.get(name).ok_or_else(|| unknown(name))?;
    Ok((path.clone(), run::locate(root, name, path)?))
}

fn unknown(name: &str) -> Fault {
    Fault::usage(format!("no recipe {name}")).hint("datum recipe list names them")
}

fn list(edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
    let root = root(edge)?;
    let mut shown = Vec::new();
    for (name, path) in known(&root)? {
        let parsed = read(&root, &name).map(|text| parse(&text)).unwrap_or_default();
        shown.push((name, path, parsed));
    }
    if out.is_json() {
        let recipes: Vec<_> = shown
            .iter()
            .map(|(name, path, parsed)| {
                json!({ "name": name, "path": path, "description": parsed.description, "commands": parsed.commands.len() })
            })
            .collect();
        out.json_list("recipes", &recipes);
    } else {
        for (name, _, parsed) in &shown {
            let name = out.id(&format!("{name:<18}"));
            out.line(&format!("{name} {}", parsed.description));
        }
        if shown.is_empty() {
            out.say("no recipe yet; datum recipe add writes one");
        }
    }
    Ok(Exit::Done)
}

fn show(edge: &Edge<'_>, out: &mut Out, name: &str) -> Result<Exit, Fault> {
    let text = read(&root(edge)?, name)?;
    if out.is_json() {
        let parsed = parse(&text);
        out.json(&json!({
            "version": 1, "name": name, "description": parsed.description, "commands": parsed.commands,
            "prerequisites": parsed.prerequisites, "text": text,
        }));
    } else {
        out.raw(text.as_bytes());
    }
    Ok(Exit::Done)
}

/// Removes a recipe; a file that the manifest names elsewhere stays, as a tool's does.
fn remove(edge: &Edge<'_>, out: &mut Out, name: &str) -> Result<Exit, Fault> {
    let root = root(edge)?;
    let manifest = Manifest::read(&root)?;
    let file = in_folder(&root).remove(name);
    let entry = manifest.find(name).filter(|entry| entry.category == "recipes");
    if file.is_none() && entry.is_none() {
        return Err(unknown(name));
    }
    // The manifest first, for the reason that adding writes it last.
    if entry.is_some() {
        manifest.write(&manifest.without(name)?)?;
    }
    if let Some(path) = file {
        let file = in_root(&root, &path);
        std::fs::remove_file(&file)
            .map_err(|error| Fault::broken(format!("cannot remove {}: {error}", file.display())))?;
    }
    tell(out, "removed", name);
    Ok(Exit::Done)
}

/// Writes a recipe and registers it in the manifest.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum recipe add tidy --description 'Tidy up' --command 'git status' --command 'datum publish'
  datum recipe add deploy --description 'Deploy' --command './deploy.sh' --needs 'a key of the harbour'")]
struct Add {
    /// Its name
    name: String,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: String,
    /// A command (repeatable: run in this order)
    #[arg(long, value_name = "COMMAND", required = true)]
    command: Vec<String>,
    /// What must be there before (repeatable)
    #[arg(long = "needs", value_name = "TEXT")]
    prerequisites: Vec<String>,
    /// Tag it (repeatable)
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
}

impl Add {
    fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let root = root(edge)?;
        let name = Word::new("recipe", &self.name)?;
        let path = format!("recipes/{name}.md");
        if name.as_str().contains('/') || TreePath::new(&path).is_err() {
            return Err(Fault::usage(format!("{name} is no name for a recipe"))
                .hint("letters, digits, '.', '_' and '-'"));
        }
        let manifest = Manifest::read(&root)?;
        check_new(&manifest, name.as_str())?;
        if root.join(&path).symlink_metadata().is_ok() {
            return Err(Fault::usage(format!("{path} is there already"))
                .hint("it stays as it is; edit it, or choose another name"));
        }
        refuse_links(&root, &path)?;
        let text = self.text(name.as_str())?;
        let entry = Entry {
            category: "recipes",
            name: name.to_string(),
            path: path.clone(),
            description: self.description.clone(),
            language: "sh".to_owned(),
            created_by: edge.agent()?.to_string(),
            created_at: time::iso(edge.now()?),
            tags: self.tag.clone(),
        };
        // The manifest last: one that names a recipe that is not there would be worse than the reverse.
        let registered = manifest.with(&entry)?;
        publish::write(&root, &path, &text)?;
        manifest.write(&registered)?;
        tell(out, "wrote", name.as_str());
        Ok(Exit::Done)
    }

    /// The recipe as a file, after a look that it says what was given and no more.
    fn text(&self, name: &str) -> Result<String, Fault> {
        let lines = [("--description", std::slice::from_ref(&self.description))];
        let lines = lines.into_iter().chain([("--needs", &*self.prerequisites), ("--tag", &*self.tag)]);
        for (option, texts) in lines {
            for text in texts {
                one_line(text).map_err(|why| {
                    Fault::usage(format!("{option}: {text:?}: {why}")).hint("one line of plain text")
                })?;
            }
        }
        if self.command.iter().any(|command| command.trim().is_empty()) {
            return Err(
                Fault::usage("--command: there is no command in it").hint("--command 'git status', for one")
            );
        }
        if self.command.iter().any(|command| command.contains("```")) {
            return Err(Fault::usage("--command: it holds ```, which would end its block")
                .hint("put it into a script of the workshop, and run that"));
        }
        let blocks: String =
            self.command.iter().map(|command| format!("```sh\n{command}\n```\n\n")).collect();
        let mut text = format!("# {name}\n\n{}\n\n## Commands\n\n{blocks}", self.description);
        if !self.prerequisites.is_empty() {
            let items: String = self.prerequisites.iter().map(|item| format!("- {item}\n")).collect();
            text.extend([format!("## Prerequisites\n\n{items}\n")]);
        }
        if !self.tag.is_empty() {
            let tags: Vec<_> = self.tag.iter().map(|tag| format!("`{tag}`")).collect();
            text.extend([format!("Tags: {}\n", tags.join(", "))]);
        }
        let read = parse(&text);
        if read.description != self.description.trim() || read.commands.len() != self.command.len() {
            return Err(Fault::usage(format!(
                "--description: {:?} would be read as Markdown",
                self.description
            ))
            .hint("begin it with a word"));
        }
        Ok(text)
    }
}

/// Runs a recipe; the journal records every command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum recipe run tidy --dry-run
  datum recipe run tidy
  datum recipe run build --bounded --write target/

With --bounded every command runs within the boundary of datum run, whose options then hold. Without it a recipe does what
the shell does: most of them are there to have git or datum write, and the git directory is closed within a boundary.

Exit: 0 every command ended with 0, 1 one did not, and those after it did not run, 125 the boundary cannot be held.")]
struct Run {
    /// The recipe
    name: String,
    /// Print the commands, and run none
    #[arg(long = "dry-run")]
    dry: bool,
    /// Run the commands within the boundary of datum run
    #[arg(long, conflicts_with = "dry")]
    bounded: bool,
    #[command(flatten)]
    within: Within,
}

impl Run {
    fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let root = root(edge)?;
        let parsed = parse(&read(&root, &self.name)?);
        if !parsed.unmarked.is_empty() {
            let lines: Vec<_> = parsed.unmarked.iter().map(usize::to_string).collect();
            out.warn(&format!(
                "recipe {}: not marked sh or bash, and not run: the blocks at line {}",
                self.name,
                lines.join(", ")
            ));
        }
        if parsed.commands.is_empty() {
            return Err(Fault::usage(format!("recipe {} has no commands", self.name))
                .hint("they stand under '## Commands', in blocks marked sh"));
        }
        if !self.dry {
            run::pass(edge, &format!("recipe {}", self.name), &locate(&root, &self.name)?.1)?;
        }
        if self.within.is_asked() && !self.bounded {
            return Err(Fault::usage("what a command may touch is held with --bounded alone")
                .hint("add --bounded, or leave out --read, --write, --net, --env and --allow-degraded"));
        }
        let bounded = if self.bounded {
            let agent = edge.agent()?;
            let bounded = self.within.prepare(edge, &agent)?;
            bounded.tell(out, &agent);
            Some(bounded)
        } else {
            None
        };
        let count = parsed.commands.len();
        let passing = Passing::new()?;
        for (index, text) in parsed.commands.iter().enumerate() {
            if self.dry {
                out.line(text);
                continue;
            }
            let step = format!("recipe {} {}/{count}", self.name, index + 1);
            out.say(&format!("{step}: {}", text.lines().next().unwrap_or_default()));
            let mut command = Process::new("sh");
            command.args(["-e", "-c", text]);
            let with = (bounded.as_ref(), &passing);
            let status = run::recorded(edge, out, &root, &step, command, with)?;
            if ended(out, &step, status) != Exit::Done {
                return Ok(Exit::No);
            }
            if let Some(signal) = passing.came() {
                out.warn(&format!("stopped behind {step} by signal {signal}"));
                return Ok(Exit::No);
            }
        }
        Ok(Exit::Done)
    }
}
