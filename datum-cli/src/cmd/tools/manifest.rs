//! `tools/manifest.json`: `{tools, interpreters, compilers, recipes}`, lists of entries in the original's shape.
//!
//! The original refuses a whole manifest for one member of an entry that it does not know, and so does it for `category`,
//! which it adds itself: what is written here has only `name, path, description, language, created_by, created_at, tags`.
//! Edits go through a concrete syntax tree, so that everything else in the file stays as it stands.

use crate::edge::in_root;
use crate::fault::Fault;
use crate::regular;
use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstRootNode};
use serde::Serialize;
use serde_json::Value;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Where the manifest lies.
pub(crate) const MANIFEST: &str = "tools/manifest.json";
/// Its lists, in their order.
pub(crate) const CATEGORIES: [&str; 4] = ["tools", "interpreters", "compilers", "recipes"];
/// Largest manifest that is read, bytes.
const SIZE_MAX: u64 = 4 * 1024 * 1024;
/// What to do with a manifest that is none.
const BY_HAND: &str = "the file stays as it is; repair it by hand";
/// What a manifest is where there is none.
const EMPTY: &str =
    "{\n  \"tools\": [],\n  \"interpreters\": [],\n  \"compilers\": [],\n  \"recipes\": []\n}\n";

/// An entry of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub(crate) struct Entry {
    /// The list it stands in.
    #[serde(skip)]
    pub(crate) category: &'static str,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) description: String,
    pub(crate) language: String,
    pub(crate) created_by: String,
    pub(crate) created_at: String,
    pub(crate) tags: Vec<String>,
}

/// A manifest as it was read.
#[derive(Debug)]
pub(crate) struct Manifest {
    file: PathBuf,
    text: String,
    entries: Vec<Entry>,
}

fn text_of(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl Manifest {
    /// Reads the manifest of the workshop at `root`; one that is not there is empty.
    pub(crate) fn read(root: &Path) -> Result<Self, Fault> {
        refuse_links(root, MANIFEST)?;
        let file = in_root(root, MANIFEST);
        let mut bytes = Vec::new();
        let read = regular::open(&file).and_then(|file| file.take(SIZE_MAX + 1).read_to_end(&mut bytes));
        let text = match read {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => EMPTY.to_owned(),
            Err(error) => {
                return Err(Fault::broken(format!("cannot read {}: {error}", file.display()))
                    .hint("is it a file that this user may read?"));
            }
            Ok(_) => {
                String::from_utf8(bytes).map_err(|error| not_utf8(error.as_bytes(), error.utf8_error()))?
            }
        };
        let entries = Self::of_text(&text)?;
        Ok(Self { file, text, entries })
    }

    /// The entries of a manifest that is at hand as text.
    pub(crate) fn of_text(text: &str) -> Result<Vec<Entry>, Fault> {
        if text.len() as u64 > SIZE_MAX {
            return Err(Fault::usage(format!("{MANIFEST}: it is larger than 4 MiB")).hint(BY_HAND));
        }
        parse(text)
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry called `name`.
    pub(crate) fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// Files of the tools folder that look like programs, and recipes, that are not registered.
    pub(crate) fn unregistered(&self, root: &Path) -> Vec<String> {
        let program = |path: &str| {
            let end = Path::new(path).extension().and_then(|end| end.to_str()).unwrap_or_default();
            super::run::LANGUAGES.iter().any(|(language, _)| *language == end)
                || ["rs", "c", "zig", "go"].contains(&end)
        };
        let walk = |folder: &str| {
            walkdir::WalkDir::new(root.join(folder)).follow_root_links(false).sort_by_file_name().into_iter()
        };
        let programs = walk("tools")
            .filter_map(Result::ok)
            .filter(|entry| entry.file_type().is_file())
            .filter_map(|entry| {
                let path = entry.path().strip_prefix(root).ok()?.to_str()?.replace('\\', "/");
                Some(path).filter(|path| program(path))
            });
        let recipes = crate::cmd::recipe::in_folder(root).into_values();
        let known = |path: &String| self.entries.iter().any(|entry| entry.path == *path);
        programs.chain(recipes).filter(|path| !known(path)).collect()
    }

    /// The text with `entry` at the end of its list.
    pub(crate) fn with(&self, entry: &Entry) -> Result<String, Fault> {
        let root = self.tree()?;
        let text = |text: &str| CstInputValue::String(text.to_owned());
        let value = CstInputValue::Object(vec![
            ("name".to_owned(), text(&entry.name)),
            ("path".to_owned(), text(&entry.path)),
            ("description".to_owned(), text(&entry.description)),
            ("language".to_owned(), text(&entry.language)),
            ("created_by".to_owned(), text(&entry.created_by)),
            ("created_at".to_owned(), text(&entry.created_at)),
            ("tags".to_owned(), CstInputValue::Array(entry.tags.iter().map(|tag| text(tag)).collect())),
        ]);
        let list = root.object_value().and_then(|object| object.array_value_or_create(entry.category));
        let list = list.ok_or_else(|| {
            Fault::usage(format!("{MANIFEST}: {} is no list", entry.category)).hint(BY_HAND)
        })?;
        list.append(value);
        Ok(root.to_string())
    }

    /// The text without the entry called `name`.
    pub(crate) fn without(&self, name: &str) -> Result<String, Fault> {
        let root = self.tree()?;
        let object = root.object_value();
        for category in CATEGORIES {
            let list = object.as_ref().and_then(|object| object.array_value(category));
            for element in list.iter().flat_map(jsonc_parser::cst::CstArray::elements) {
                let is_it =
                    element.as_object().and_then(|entry| entry.get("name")).and_then(|name| name.value());
                let is_it =
                    is_it.and_then(|value| value.as_string_lit()).and_then(|text| text.decoded_value().ok());
                if is_it.as_deref() == Some(name) {
                    element.remove();
                }
            }
        }
        Ok(root.to_string())
    }

    fn tree(&self) -> Result<CstRootNode, Fault> {
        CstRootNode::parse(&self.text, &ParseOptions::default())
            .map_err(|error| Fault::usage(format!("{MANIFEST}: {error}")).hint(BY_HAND))
    }

    /// Writes the manifest anew, after a look that it still reads as one.
    pub(crate) fn write(&self, text: &str) -> Result<(), Fault> {
        parse(text)?;
        let cannot = |error: std::io::Error| {
            Fault::broken(format!("cannot write {}: {error}", self.file.display()))
                .hint("may this user write there, and is there room?")
        };
        let fresh = self.file.with_extension(format!("json.datum-{}", std::process::id()));
        let folder = self.file.parent().unwrap_or(&self.file);
        fs::create_dir_all(folder).map_err(cannot)?;
        let written = fs::write(&fresh, text).and_then(|()| fs::rename(&fresh, &self.file));
        written.map_err(|error| {
            let _ = fs::remove_file(&fresh);
            cannot(error)
        })
    }
}

/// Refuses a path of the workshop that leads through a link: what is read or written there may lie elsewhere.
pub(crate) fn refuse_links(root: &Path, path: &str) -> Result<(), Fault> {
    let mut file = root.to_owned();
    for part in path.split('/') {
        file.push(part);
        if file.symlink_metadata().is_ok_and(|meta| meta.is_symlink()) {
            let link = file.strip_prefix(root).unwrap_or(&file).display();
            return Err(Fault::usage(format!("{path}: {link} is a symbolic link"))
                .hint("what belongs to a workshop lies in it: put the file or folder itself there"));
        }
    }
    Ok(())
}

fn not_utf8(bytes: &[u8], error: std::str::Utf8Error) -> Fault {
    let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Fault::usage(format!("{MANIFEST}: line {line}, column {column}: it is not UTF-8"))
        .hint("the file stays as it is; save it as UTF-8")
}

/// Parses a manifest; an error names line and column.
fn parse(text: &str) -> Result<Vec<Entry>, Fault> {
    if text.starts_with('\u{feff}') {
        return Err(Fault::usage(format!("{MANIFEST}: line 1, column 1: it begins with a byte order mark"))
            .hint("the file stays as it is; save it as UTF-8 without one"));
    }
    if text.trim().is_empty() {
        return Err(
            Fault::usage(format!("{MANIFEST}: it is empty")).hint("remove it, and datum tools add makes one")
        );
    }
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what);
        Fault::usage(format!("{MANIFEST}: line {}, column {}: {message}", error.line(), error.column()))
            .hint(BY_HAND)
    })?;
    if !value.is_object() {
        return Err(Fault::usage(format!("{MANIFEST}: line 1, column 1: it is no object"))
            .hint("{\"tools\": [], \"interpreters\": [], \"compilers\": [], \"recipes\": []}"));
    }
    let mut entries = Vec::new();
    for category in CATEGORIES {
        let list = match value.get(category) {
            None => continue,
            Some(Value::Array(list)) => list,
            Some(_) => {
                return Err(Fault::usage(format!("{MANIFEST}: {category} is no list")).hint(BY_HAND));
            }
        };
        for (index, item) in list.iter().enumerate() {
            let name = text_of(item, "name");
            if name.is_empty() {
                return Err(
                    Fault::usage(format!("{MANIFEST}: {category}[{index}] has no name")).hint(BY_HAND)
                );
            }
            let tags = item.get("tags").and_then(Value::as_array).cloned().unwrap_or_default();
            entries.push(Entry {
                category,
                name,
                path: text_of(item, "path"),
                description: text_of(item, "description"),
                language: text_of(item, "language"),
                created_by: text_of(item, "created_by"),
                created_at: text_of(item, "created_at"),
                tags: tags.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            });
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(text: &str) -> Result<Manifest, Fault> {
        Ok(Manifest { file: PathBuf::new(), text: text.to_owned(), entries: parse(text)? })
    }

    fn entry(name: &str) -> Entry {
        let path = format!("tools/{name}.py");
        Entry {
            category: "tools",
            name: name.to_owned(),
            path,
            tags: vec!["sea".to_owned()],
            ..Entry::default()
        }
    }

    #[test]
    fn adding_and_removing_leave_the_rest_as_it_stands() {
        let odd = "{\n    \"tools\" : [ {\"name\":\"b\",  \"path\": \"tools/b\"} ],\n    \"note\": 1.50,\n    \"recipes\": []\n}\n";
        let added = manifest(odd).unwrap().with(&entry("a")).unwrap();
        assert!(
            added.contains("{\"name\":\"b\",  \"path\": \"tools/b\"}") && added.contains("\"note\": 1.50"),
            "{added}"
        );
        let read = manifest(&added).unwrap();
        assert_eq!(read.find("a"), Some(&entry("a")));
        let value: Value = serde_json::from_str(&added).unwrap();
        let keys: Vec<_> = value["tools"][1].as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["name", "path", "description", "language", "created_by", "created_at", "tags"]);
        let removed = read.without("a").unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(&removed).unwrap(),
            serde_json::from_str::<Value>(odd).unwrap()
        );
        assert!(removed.contains("\"note\": 1.50"), "{removed}");
        let fresh = manifest(EMPTY).unwrap().with(&entry("a")).unwrap();
        assert_eq!(parse(&fresh).unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_manifest_is_named_with_its_place() {
        for (text, place) in [
            ("{\n  \"tools\": [,]\n}", "line 2, column 13"),
            ("", "it is empty"),
            ("\u{feff}{}", "line 1, column 1: it begins with a byte order mark"),
            ("[]", "line 1, column 1"),
            ("{\"tools\": {}}", "tools is no list"),
            ("{\"tools\": [{\"path\": \"x\"}]}", "tools[0] has no name"),
            ("{\"tools\": [] // comment\n}", "line 1"),
        ] {
            let error = manifest(text).unwrap_err().message;
            assert!(error.contains(place), "{text:?}: {error}");
        }
    }
}
