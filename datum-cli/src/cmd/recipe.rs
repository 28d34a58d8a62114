//! `datum recipe`: command sequences, each a markdown file below recipes/.

use super::tools::manifest::{Entry, Manifest};
use super::tools::{check_new, ended, root, run, tell};
use super::within::Within;
use crate::cmd::publish;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::time;
use clap::Subcommand;
use datum_core::Word;
use datum_core::worktree::TreePath;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

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
    /// Run a recipe's commands in their order; the first that fails ends it
    Run(Run),
}

impl Recipe {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        match &self.command {
            Command::List => list(edge, out),
            Command::Show { name } => show(edge, out, name),
            Command::Add(command) => command.run(edge, out),
            Command::Run(command) => command.run(edge, out),
        }
    }
}

/// What a recipe's file says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parsed {
    description: String,
    commands: Vec<String>,
    prerequisites: Vec<String>,
}

/// Parses a recipe: the first paragraph, the code blocks under `Commands`, the list under `Prerequisites`.
fn parse(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    let mut section = "";
    // The lines of the block being read, and whether it is a command.
    let mut block: Option<(bool, Vec<&str>)> = None;
    for line in text.lines() {
        if let Some((is_command, lines)) = &mut block {
            if !line.trim_start().starts_with("```") {
                lines.push(line);
                continue;
            }
            if *is_command {
                parsed.commands.push(lines.join("\n"));
            }
            block = None;
        } else if let Some(language) = line.trim_start().strip_prefix("```") {
            // A block of another language is an example, and one elsewhere is prose.
            let shell = ["", "sh", "bash", "shell"].contains(&language.trim());
            block = Some((shell && section.eq_ignore_ascii_case("commands"), Vec::new()));
        } else if let Some(heading) = line.strip_prefix("## ") {
            section = heading.trim();
        } else if section.is_empty() && !line.starts_with('#') && !line.trim().is_empty() {
            let space = if parsed.description.is_empty() { "" } else { " " };
            parsed.description.push_str(space);
            parsed.description.push_str(line.trim());
        } else if section.eq_ignore_ascii_case("prerequisites")
            && let Some(item) = line.trim_start().strip_prefix("- ")
        {
            parsed.prerequisites.push(item.trim().to_owned());
        }
    }
    parsed
}

/// Where the recipes are: those of the folder, and those that the manifest names elsewhere.
fn known(root: &Path) -> Result<BTreeMap<String, String>, Fault> {
    let mut recipes = BTreeMap::new();
    for entry in walkdir::WalkDir::new(root.join("recipes")).max_depth(1).into_iter().filter_map(Result::ok) {
        let file = entry.file_name().to_string_lossy();
        if let Some(name) =
            file.strip_suffix(".md").filter(|name| *name != "README" && entry.file_type().is_file())
        {
            recipes.insert(name.to_owned(), format!("recipes/{file}"));
        }
    }
    let manifest = Manifest::read(root)?;
    for entry in manifest.entries().iter().filter(|entry| entry.category == "recipes") {
        recipes.insert(entry.name.clone(), entry.path.clone());
    }
    Ok(recipes)
}

fn read(root: &Path, name: &str) -> Result<String, Fault> {
    let (path, file) = locate(root, name)?;
    if file.metadata().is_ok_and(|meta| meta.len() > SIZE_MAX) {
        return Err(Fault::usage(format!("{path} is larger than 1 MiB")));
    }
    std::fs::read_to_string(&file).map_err(|error| Fault::usage(format!("cannot read {path}: {error}")))
}

/// Where a recipe lies: its path in the workshop, and its file.
fn locate(root: &Path, name: &str) -> Result<(String, PathBuf), Fault> {
    let recipes = known(root)?;
    let path = recipes
        .get(name)
        .ok_or_else(|| Fault::usage(format!("no recipe {name}")).hint("datum recipe list names them"))?;
    Ok((path.clone(), run::locate(root, name, path)?))
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
        if self.command.iter().any(|command| command.contains("```")) {
            return Err(Fault::usage("a command holds ```, which would end its block"));
        }
        let text = self.text(name.as_str());
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

    fn text(&self, name: &str) -> String {
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
        text
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
        if parsed.commands.is_empty() {
            return Err(Fault::usage(format!("recipe {} has no commands", self.name))
                .hint("they stand under '## Commands', in blocks marked sh"));
        }
        if !self.dry {
            run::pass(edge, &format!("recipe {}", self.name), &locate(&root, &self.name)?.1)?;
        }
        if self.within.is_asked() && !self.bounded {
            return Err(Fault::usage("what a command may touch is held with --bounded alone"));
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
        for (index, text) in parsed.commands.iter().enumerate() {
            if self.dry {
                out.line(text);
                continue;
            }
            let step = format!("recipe {} {}/{count}", self.name, index + 1);
            out.say(&format!("{step}: {}", text.lines().next().unwrap_or_default()));
            let mut command = Process::new("sh");
            command.args(["-e", "-c", text]);
            let status = run::recorded(edge, out, &root, &step, command, bounded.as_ref())?;
            if ended(out, &step, status) != Exit::Done {
                return Ok(Exit::No);
            }
        }
        Ok(Exit::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_is_its_shell_blocks_under_commands() {
        let text = "# tidy\n\nTidy\nup.\n\n```sh\nnot this\n```\n\n## Commands\n\n```sh\na\n## b\n```\n```bash\nc\n```\n\
            ```python\nno\n```\n## Prerequisites\n\n- git\n";
        let parsed = parse(text);
        assert_eq!(parsed.description, "Tidy up.");
        assert_eq!(parsed.commands, ["a\n## b", "c"]);
        assert_eq!(parsed.prerequisites, ["git"]);
    }
}
