//! `datum git init|clone`: workshops made from templates, and repositories cloned.

use super::template::{self, Files};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::time;
use datum_core::worktree::{Scope, TreePath, WorkTree};
use datum_core::{AgentName, Store};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Makes a workshop: the template's files, a repository where there is none, and one commit. Overwrites nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum git init heron-workshop --owner heron --role lookout
  datum git init . --template small
  datum git init new --template ./my-template --var harbour=Brest
  datum git init new --template https://example.org/template.git")]
pub(crate) struct Init {
    /// Where to make it
    #[arg(value_name = "DIR", default_value = ".")]
    place: PathBuf,
    /// A built-in template (datum git templates), a folder, or the address of a repository
    #[arg(long, value_name = "TEMPLATE", default_value = "workshop")]
    template: String,
    /// The workshop's name [default: the folder's]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The agent it belongs to [default: the agent that acts, or the workshop's name]
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// The owner's role
    #[arg(long, value_name = "ROLE", default_value = "agent")]
    role: String,
    /// A variable of the template (repeatable)
    #[arg(long = "var", value_name = "NAME=VALUE")]
    variables: Vec<String>,
    /// Say what would be made, and leave everything as it is
    #[arg(long)]
    dry_run: bool,
}

impl Init {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let root = edge.dir().join(&self.place);
        if let Some(file) = root.ancestors().find(|above| above.exists()).filter(|above| !above.is_dir()) {
            return Err(Fault::usage(format!("{} is a file", file.display()))
                .hint("nothing was written; name a folder"));
        }
        let files = template::fill(template::load(&self.template)?, &self.variables(edge, &root)?)?;
        check_free(&root, &files)?;
        if self.dry_run {
            files.keys().for_each(|path| out.line(&format!("would write {path}")));
            return Ok(Exit::Done);
        }
        let existed = root.exists();
        let is_new =
            Store::open(&root).ok().and_then(|store| store.work_dir().map(is_same(&root))) != Some(true);
        let made = make(&root, &files, is_new);
        let commit = match made {
            Ok(commit) => commit,
            Err(fault) => {
                clear(&root, &files, existed, is_new);
                return Err(fault);
            }
        };
        if out.is_json() {
            let paths: Vec<_> = files.keys().collect();
            out.json(&serde_json::json!({
                "version": 1, "path": root.display().to_string(), "commit": commit, "files": paths,
            }));
        } else {
            files.keys().for_each(|path| out.line(&format!("wrote {path}")));
            let unfilled: Vec<String> = template::unfilled(&files).into_iter().collect();
            if !unfilled.is_empty() {
                out.say(&format!("left as they stand, for want of --var: {}", unfilled.join(", ")));
            }
            out.say(&format!("next: datum -C {} boot", root.display()));
        }
        Ok(Exit::Done)
    }

    fn variables(&self, edge: &Edge<'_>, root: &Path) -> Result<BTreeMap<String, String>, Fault> {
        let folder = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let folder = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = self.name.clone().unwrap_or(folder);
        let owner = match (&self.owner, edge.named_agent()?) {
            (Some(owner), _) => AgentName::new(owner)?.to_string(),
            (None, Some(agent)) => agent.to_string(),
            (None, None) => name.to_lowercase(),
        };
        let mut variables = BTreeMap::from([
            ("name".to_owned(), name),
            ("owner".to_owned(), owner),
            ("role".to_owned(), self.role.clone()),
            ("date".to_owned(), time::iso(edge.now()?)),
        ]);
        for text in &self.variables {
            let (name, value) =
                text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
                    Fault::usage(format!("--var: {text:?} is not NAME=VALUE"))
                        .hint("--var harbour=Brest, for one")
                })?;
            variables.insert(name.to_owned(), value.to_owned());
        }
        for (name, value) in &variables {
            // A value stands in TOML and JSON as well as in prose.
            if value.chars().any(|c| c.is_control() || c == '"' || c == '\\') {
                return Err(Fault::usage(format!(
                    "{name}: {value:?} holds a quote, a backslash or a control character"
                ))
                .hint("such a value would break files of TOML and JSON: leave these out"));
            }
        }
        Ok(variables)
    }
}

fn is_same(root: &Path) -> impl Fn(&Path) -> bool + '_ {
    |other| root.canonicalize().ok() == other.canonicalize().ok()
}

/// Files that are named where they stand in the way.
const TAKEN_MAX: usize = 5;

/// Refuses to overwrite, and to write through links.
fn check_free(root: &Path, files: &Files) -> Result<(), Fault> {
    let mut taken = Vec::new();
    for path in files.keys() {
        let mut file = root.to_owned();
        for part in path.split('/') {
            file.push(part);
            let meta = fs::symlink_metadata(&file);
            if meta.as_ref().is_ok_and(fs::Metadata::is_symlink) {
                return Err(Fault::usage(format!("{} is a symbolic link", file.display()))
                    .hint("nothing was written; a workshop is made of files of its own"));
            }
            let is_last = file == root.join(path);
            if meta.is_ok_and(|meta| is_last || !meta.is_dir()) {
                taken.push(path.as_str());
                break;
            }
        }
    }
    if taken.is_empty() {
        return Ok(());
    }
    let more = match taken.len().saturating_sub(TAKEN_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    taken.truncate(TAKEN_MAX);
    Err(Fault::usage(format!("{}{more} would be overwritten in {}", taken.join(", "), root.display()))
        .hint("nothing was written; choose an empty folder, or move these away"))
}

fn make(root: &Path, files: &Files, is_new: bool) -> Result<datum_core::EntryId, Fault> {
    let cannot = |path: &Path, error: &std::io::Error| {
        Fault::broken(format!("cannot write {}: {error}", path.display()))
    };
    fs::create_dir_all(root).map_err(|error| cannot(root, &error))?;
    if is_new {
        Store::init(root)?;
    }
    for (path, content) in files {
        let file = root.join(path);
        let folder = file.parent().unwrap_or(root);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&file, &content.bytes))
            .and_then(|()| if content.executable { make_executable(&file) } else { Ok(()) })
            .map_err(|error| cannot(&file, &error))?;
    }
    let paths: Vec<TreePath> = files.keys().map(|path| TreePath::new(path)).collect::<Result<_, _>>()?;
    Ok(WorkTree::at(root).commit("feat: make the workshop\n", Scope::Files(&paths))?)
}

/// Lets those who may read a file run it.
#[cfg(unix)]
fn make_executable(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(file)?.permissions().mode();
    fs::set_permissions(file, fs::Permissions::from_mode(mode | (mode & 0o444) >> 2))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Takes back what was written, so that nothing half-made stays.
fn clear(root: &Path, files: &Files, existed: bool, is_new: bool) {
    if !existed {
        let _ = fs::remove_dir_all(root);
        return;
    }
    for path in files.keys() {
        let _ = fs::remove_file(root.join(path));
        let mut folder = Path::new(path).parent();
        // Folders that held nothing else.
        while let Some(below) = folder.filter(|below| !below.as_os_str().is_empty()) {
            let _ = fs::remove_dir(root.join(below));
            folder = below.parent();
        }
    }
    if is_new {
        let _ = fs::remove_dir_all(root.join(".git"));
    }
}

/// Clones a repository, as `git clone` does.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum git clone https://example.org/heron.git && datum -C heron sync")]
pub(crate) struct CloneRepository {
    /// Its address
    address: String,
    /// Where to [default: the last part of the address]
    #[arg(value_name = "DIR")]
    place: Option<PathBuf>,
}

impl CloneRepository {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let name = self.address.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
        let place = self.place.clone().unwrap_or_else(|| PathBuf::from(name.trim_end_matches(".git")));
        let there = edge.dir().join(&place);
        let is_free = fs::read_dir(&there).map_or(!there.exists(), |mut folder| folder.next().is_none());
        if !is_free {
            return Err(Fault::usage(format!("{} is there and not empty", place.display()))
                .hint("nothing was cloned; name another folder"));
        }
        let mut command = Command::new("git");
        command.arg("-C").arg(edge.dir()).args(["clone", "--quiet", "--"]).arg(&self.address).arg(&place);
        let status = command.stdout(Stdio::null()).status();
        let status = status.map_err(|error| Fault::broken(format!("cannot run git: {error}")))?;
        if !status.success() {
            return Err(Fault::broken(format!("git could not clone {}", self.address))
                .hint("what it says stands above; is the address right, and may you read it?"));
        }
        if out.is_json() {
            out.json(&serde_json::json!({ "version": 1, "path": place.display().to_string() }));
        } else {
            out.line(&place.display().to_string());
        }
        out.say(&format!("next: datum -C {} sync, which fetches the logs", place.display()));
        Ok(Exit::Done)
    }
}
