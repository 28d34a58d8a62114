//! Templates of workshops: built in, from a folder, or from a repository.

use crate::fault::Fault;
use crate::out::Out;
use datum_core::Store;
use datum_core::worktree::TreePath;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Most files a template may have.
const FILES_MAX: usize = 2000;
/// Largest file of a template, bytes.
const FILE_MAX: u64 = 4 * 1024 * 1024;

/// A built-in template.
struct BuiltIn {
    name: &'static str,
    about: &'static str,
    files: &'static [(&'static str, &'static str)],
}

macro_rules! files {
    ($($path:literal from $source:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../../templates/workshop/", $source)))),*]
    };
}

const BUILT_IN: [BuiltIn; 2] = [
    BuiltIn {
        name: "workshop",
        about: "bootcamp, dojo, tools, recipes, wiki, context, prompts, board and journal",
        files: files![
            "README.md" from "README.md",
            "bootcamp/README.md" from "bootcamp/README.md",
            "bootcamp/01-look-around.md" from "bootcamp/01-look-around.md",
            "bootcamp/02-leave-a-trace.md" from "bootcamp/02-leave-a-trace.md",
            "dojo/README.md" from "dojo/README.md",
            "dojo/01-handover.md" from "dojo/01-handover.md",
            "tools/README.md" from "tools/README.md",
            "tools/manifest.json" from "tools/manifest.json",
            "recipes/README.md" from "recipes/README.md",
            "recipes/morning.md" from "recipes/morning.md",
            "wiki/README.md" from "wiki/README.md",
            "context/README.md" from "context/README.md",
            "context/surroundings.md" from "context/surroundings.md",
            "context/known-gaps.md" from "context/known-gaps.md",
            "prompts/begin.md" from "prompts/begin.md",
            "prompts/review.md" from "prompts/review.md",
            "TASKBOARD.md" from "TASKBOARD.md",
            "JOURNAL.md" from "JOURNAL.md",
            ".superagent/agent.toml" from ".superagent/agent.toml",
            ".gitignore" from "gitignore",
        ],
    },
    BuiltIn {
        name: "small",
        about: "tools, recipes, wiki and a board: for a task of a few days",
        files: files![
            "tools/README.md" from "tools/README.md",
            "tools/manifest.json" from "tools/manifest.json",
            "recipes/README.md" from "recipes/README.md",
            "recipes/morning.md" from "recipes/morning.md",
            "wiki/README.md" from "wiki/README.md",
            "TASKBOARD.md" from "TASKBOARD.md",
            ".superagent/agent.toml" from ".superagent/agent.toml",
            ".gitignore" from "gitignore",
        ],
    },
];

/// What a file of a template holds.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    /// Whether it is a program.
    pub(super) executable: bool,
}

impl From<&[u8]> for Content {
    fn from(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), executable: false }
    }
}

/// The files of a template, by their paths.
pub(super) type Files = BTreeMap<String, Content>;

/// Lists the built-in templates.
pub(super) fn list(out: &mut Out) {
    if out.is_json() {
        let shown: Vec<_> = BUILT_IN
            .iter()
            .map(|template| {
                let files: Vec<_> = template.files.iter().map(|(path, _)| *path).collect();
                serde_json::json!({ "name": template.name, "about": template.about, "files": files })
            })
            .collect();
        out.json_list("templates", &shown);
        return;
    }
    for template in &BUILT_IN {
        let name = out.id(template.name);
        out.line(&format!("{name}  {}", template.about));
        template.files.iter().for_each(|(path, _)| out.line(&format!("  {path}")));
    }
    out.say("variables: {{name}}, {{owner}}, {{role}}, {{date}}, and those of --var");
}

/// Reads the template that `source` names: a built-in one, a folder, or a repository's address.
pub(super) fn load(source: &str) -> Result<Files, Fault> {
    if let Some(template) = BUILT_IN.iter().find(|template| template.name == source) {
        let files = template.files.iter();
        return Ok(files.map(|(path, text)| ((*path).to_owned(), text.as_bytes().into())).collect());
    }
    let path = Path::new(source);
    if is_git_folder(path) {
        return from_store(path, source);
    }
    if path.is_dir() {
        return from_folder(path);
    }
    if source.contains("://") || source.contains('@') || path.exists() {
        return from_repository(source);
    }
    let names: Vec<_> = BUILT_IN.iter().map(|template| template.name).collect();
    Err(Fault::usage(format!("no template {source}"))
        .hint(format!("{}, a folder, or the address of a repository", names.join(", "))))
}

fn refuse(path: &str, why: &str) -> Fault {
    Fault::usage(format!("template: {path}: {why}")).hint("nothing was written")
}

/// Whether `path` is a repository without a work tree: what git itself looks for.
fn is_git_folder(path: &Path) -> bool {
    path.join("HEAD").is_file() && path.join("objects").is_dir() && path.join("refs").is_dir()
}

fn add(files: &mut Files, path: &str, content: Content) -> Result<(), Fault> {
    let path = TreePath::new(path).map_err(|error| refuse(path, &error.to_string()))?;
    if content.bytes.len() as u64 > FILE_MAX {
        return Err(refuse(path.as_str(), "is larger than 4 MiB"));
    }
    if files.len() >= FILES_MAX {
        return Err(refuse(path.as_str(), "is one file more than the 2000 a template may have"));
    }
    files.insert(path.as_str().to_owned(), content);
    Ok(())
}

fn from_folder(root: &Path) -> Result<Files, Fault> {
    let mut files = Files::new();
    let walk = walkdir::WalkDir::new(root).min_depth(1).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| entry.file_name() != ".git") {
        let entry = entry.map_err(|error| {
            Fault::usage(format!("template: {error}")).hint("may this user read the folder and all below it?")
        })?;
        let path =
            entry.path().strip_prefix(root).unwrap_or(entry.path()).to_string_lossy().replace('\\', "/");
        if entry.file_type().is_symlink() {
            return Err(refuse(&path, "is a symbolic link"));
        }
        if entry.file_type().is_dir() {
            continue;
        }
        let meta = entry.metadata().map_err(|error| refuse(&path, &error.to_string()))?;
        if !meta.is_file() || meta.len() > FILE_MAX {
            return Err(refuse(&path, "is no file of at most 4 MiB"));
        }
        let bytes = std::fs::read(entry.path()).map_err(|error| refuse(&path, &error.to_string()))?;
        add(&mut files, &path, Content { bytes, executable: is_executable(&meta) })?;
    }
    if files.is_empty() { Err(refuse(&root.display().to_string(), "holds no file")) } else { Ok(files) }
}

#[cfg(unix)]
fn is_executable(meta: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    false
}

/// Fetches the newest commit into a folder of its own, checked out nowhere, and reads its files from there.
fn from_repository(address: &str) -> Result<Files, Fault> {
    let folder = fresh_folder()?;
    let read = fetch(address, &folder).and_then(|()| from_store(&folder, address));
    let _ = std::fs::remove_dir_all(&folder);
    read
}

/// Reads the files of the newest commit of the repository at `folder`.
fn from_store(folder: &Path, address: &str) -> Result<Files, Fault> {
    let store = Store::open(folder)?;
    let snapshot = store.snapshot()?;
    let mut found = Vec::new();
    snapshot.files(|_| true, |file| found.push(file))?;
    let mut files = Files::new();
    for file in found {
        if file.link {
            return Err(refuse(&file.path, "is a symbolic link"));
        }
        let content = Content { bytes: snapshot.blob(file.id)?, executable: file.executable };
        add(&mut files, &file.path, content)?;
    }
    if files.is_empty() { Err(refuse(address, "holds no file")) } else { Ok(files) }
}

/// A folder that nobody had before, and that nobody else can look into.
fn fresh_folder() -> Result<PathBuf, Fault> {
    let mark = RandomState::new().build_hasher().finish();
    let folder = std::env::temp_dir().join(format!("datum-template-{mark:016x}"));
    #[cfg_attr(not(unix), expect(unused_mut, reason = "the mode is unix's"))]
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(&folder);
    made.map_err(|error| Fault::broken(format!("cannot make {}: {error}", folder.display())))?;
    Ok(folder)
}

fn fetch(address: &str, folder: &Path) -> Result<(), Fault> {
    if address.starts_with('-') {
        return Err(Fault::usage(format!("{address:?} is no address"))
            .hint("datum git templates lists those that are built in"));
    }
    let mut command = Command::new("git");
    command.args([
        "-c",
        "core.hooksPath=/dev/null",
        "clone",
        "--quiet",
        "--bare",
        "--depth=1",
        "--no-tags",
        "--",
    ]);
    // Only transports that run no program of the address's choosing.
    command.env("GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh").stdout(Stdio::null());
    let status = command.arg(address).arg(folder).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(Fault::broken(format!("cannot fetch the template {address}"))
            .hint("what git says stands above; does git clone work there?")),
        Err(error) => Err(Fault::broken(format!("cannot run git: {error}"))),
    }
}

/// Puts the values of `variables` in the place of `{{name}}` in contents and paths; what is no variable stays.
pub(super) fn fill(files: Files, variables: &BTreeMap<String, String>) -> Result<Files, Fault> {
    let mut filled = Files::new();
    for (path, Content { bytes, executable }) in files {
        let path = replace(&path, variables);
        // A file that is no text is taken as it is; git, too, takes NUL for the sign of one.
        let bytes = match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => replace(&text, variables).into_bytes(),
            Ok(text) => text.into_bytes(),
            Err(error) => error.into_bytes(),
        };
        if filled.contains_key(&path) {
            return Err(refuse(&path, "is made by two files of the template"));
        }
        add(&mut filled, &path, Content { bytes, executable })?;
    }
    Ok(filled)
}

/// The names that stand as `{{name}}` in what was filled in: variables that nobody gave a value.
pub(super) fn unfilled(files: &Files) -> BTreeSet<String> {
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let texts = files
        .values()
        .filter_map(|content| str::from_utf8(&content.bytes).ok())
        .filter(|text| !text.contains('\0'));
    let names = texts.flat_map(|text| text.split("{{").skip(1)).filter_map(|rest| rest.split_once("}}"));
    names.map(|(name, _)| name.trim()).filter(|name| is_name(name)).map(str::to_owned).collect()
}

fn replace(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        out.push_str(&rest[..at]);
        let inner = rest[at + 2..].split_once("}}");
        match inner.and_then(|(name, after)| Some((variables.get(name.trim())?, after))) {
            Some((value, after)) => {
                out.push_str(value);
                rest = after;
            }
            None => {
                out.push_str("{{");
                rest = &rest[at + 2..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> BTreeMap<String, String> {
        [("name", "pump"), ("x", "../.."), ("y", "{{name}}")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into()
    }

    #[test]
    fn variables_are_filled_in_and_the_rest_stays() {
        let text = "{{name}} {{ name }} ${{ secrets.X }} {{unknown}} {{y}} {{";
        assert_eq!(replace(text, &variables()), "pump pump ${{ secrets.X }} {{unknown}} {{name}} {{");
    }

    #[test]
    fn what_is_no_text_stays_and_what_was_not_given_is_named() {
        let files = Files::from([
            ("a".to_owned(), b"\0{{name}}"[..].into()),
            ("b".to_owned(), b"{{name}} {{harbour}} ${{ secrets.X }}"[..].into()),
        ]);
        let filled = fill(files, &variables()).unwrap();
        assert_eq!(filled["a"].bytes, b"\0{{name}}");
        let b = Files::from([("b".to_owned(), filled["b"].bytes[..].into())]);
        assert_eq!(unfilled(&b).into_iter().collect::<Vec<_>>(), ["harbour"]);
    }

    #[test]
    fn a_variable_cannot_lead_a_path_out() {
        let files = Files::from([("{{x}}/evil".to_owned(), Content::default())]);
        assert!(fill(files, &variables()).is_err());
        let twice = ["{{name}}", "pump"].map(|path| (path.to_owned(), Content::default())).into();
        assert!(fill(twice, &variables()).is_err());
    }

    #[test]
    fn the_built_in_templates_are_whole() {
        for template in &BUILT_IN {
            let files = load(template.name).unwrap();
            let manifest: serde_json::Value =
                serde_json::from_slice(&files["tools/manifest.json"].bytes).unwrap();
            for category in ["tools", "interpreters", "compilers", "recipes"] {
                assert!(manifest[category].is_array(), "{category}");
            }
            assert!(files.keys().all(|path| TreePath::new(path).is_ok()));
        }
    }
}
