//! What differs between the trees of two commits.

use crate::files::NodeKind;
use crate::history;
use crate::id::EntryId;
use crate::log::read_tree;
use crate::odb::{ObjectError, Odb};
use crate::snapshot::Snapshot;
use crate::tree::Item;
use std::collections::BTreeMap;

/// One side of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side {
    /// The object; of a submodule, the commit in the other repository.
    pub id: EntryId,
    /// What it is; never a folder.
    pub kind: NodeKind,
    /// Whether it may be run.
    pub executable: bool,
}

impl Side {
    /// The mode as git prints it.
    pub fn mode(&self) -> &'static str {
        match self.kind {
            NodeKind::Submodule => "160000",
            NodeKind::Link => "120000",
            NodeKind::Folder => "040000",
            NodeKind::File if self.executable => "100755",
            NodeKind::File => "100644",
        }
    }
}

/// A path whose two sides are not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The path, where it is now or was last; bytes that are no UTF-8 are replaced.
    pub path: String,
    /// The path it had, where it was only moved: its content is the same.
    pub from: Option<String>,
    /// What it was; `None` where it was not there.
    pub old: Option<Side>,
    /// What it is; `None` where it is not there.
    pub new: Option<Side>,
}

impl Change {
    /// What happened, as git's letter: added, deleted, modified, renamed, or another type.
    pub fn letter(&self) -> char {
        match (&self.old, &self.new) {
            _ if self.from.is_some() => 'R',
            (None, _) => 'A',
            (_, None) => 'D',
            (Some(old), Some(new)) if old.kind != new.kind => 'T',
            _ => 'M',
        }
    }
}

/// The two trees of a folder that is to be compared.
struct Pair {
    folder: String,
    old: Option<EntryId>,
    new: Option<EntryId>,
}

impl Snapshot<'_> {
    /// Lists what differs between the trees of two commits, in the order of paths; folders that are the same are not
    /// read. With `paths`, only files that are one of them or lie below one.
    ///
    /// # Errors
    /// [`ObjectError`] for a commit or tree that cannot be read.
    pub fn diff(&self, old: EntryId, new: EntryId, paths: &[String]) -> Result<Vec<Change>, ObjectError> {
        let odb = self.odb();
        let mut buffer = Vec::new();
        let (old, new) =
            (history::read(odb, old, &mut buffer)?.tree, history::read(odb, new, &mut buffer)?.tree);
        let mut found = Vec::new();
        let mut waiting = Vec::new();
        if old != new {
            waiting.push(Pair { folder: String::new(), old: Some(old), new: Some(new) });
        }
        while let Some(pair) = waiting.pop() {
            compare(odb, &pair, paths, &mut waiting, &mut found)?;
        }
        moves(&mut found);
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }
}

/// Whether a folder or file can hold or be something of `paths`.
fn wanted(paths: &[String], path: &str, is_folder: bool) -> bool {
    let below =
        |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'));
    paths.is_empty()
        || paths.iter().any(|want| want == path || below(path, want) || (is_folder && below(want, path)))
}

fn compare(
    odb: &Odb,
    pair: &Pair,
    paths: &[String],
    waiting: &mut Vec<Pair>,
    found: &mut Vec<Change>,
) -> Result<(), ObjectError> {
    let read = |id: Option<EntryId>| id.map_or_else(|| Ok(Vec::new()), |id| read_tree(odb, id));
    let mut names: BTreeMap<Vec<u8>, [Option<Item>; 2]> = BTreeMap::new();
    for (side, items) in [read(pair.old)?, read(pair.new)?].into_iter().enumerate() {
        for item in items {
            let name = item.name.clone();
            names.entry(name).or_default()[side] = Some(item);
        }
    }
    for (name, [old, new]) in names {
        let same = old.as_ref().zip(new.as_ref()).is_some_and(|(a, b)| a.id == b.id && a.mode == b.mode);
        if same {
            continue;
        }
        let path = format!("{}{}", pair.folder, String::from_utf8_lossy(&name));
        let folder =
            |item: &Option<Item>| item.as_ref().filter(|item| item.mode.is_tree()).map(|item| item.id);
        let below = (folder(&old), folder(&new));
        if below != (None, None) && wanted(paths, &path, true) {
            waiting.push(Pair { folder: format!("{path}/"), old: below.0, new: below.1 });
        }
        let (old, new) = (old.as_ref().and_then(side), new.as_ref().and_then(side));
        if (old.is_some() || new.is_some()) && wanted(paths, &path, false) {
            found.push(Change { path, from: None, old, new });
        }
    }
    Ok(())
}

fn side(item: &Item) -> Option<Side> {
    let kind = if item.mode.is_tree() {
        return None;
    } else if item.mode.is_commit() {
        NodeKind::Submodule
    } else if item.mode.is_link() {
        NodeKind::Link
    } else {
        NodeKind::File
    };
    Some(Side { id: item.id, kind, executable: item.mode.is_executable() })
}

/// Makes one change of a file that went and one of the same content that came; the first of several by path.
fn moves(found: &mut Vec<Change>) {
    let is_file = |side: &Side| side.kind == NodeKind::File;
    let mut gone: BTreeMap<EntryId, Vec<(String, Side)>> = BTreeMap::new();
    for change in found.iter() {
        if let (Some(old), None) = (change.old, change.new)
            && is_file(&old)
        {
            gone.entry(old.id).or_default().push((change.path.clone(), old));
        }
    }
    gone.values_mut().for_each(|paths| paths.sort_by(|a, b| b.0.cmp(&a.0)));
    let mut taken = Vec::new();
    let mut came: Vec<&mut Change> = found.iter_mut().filter(|change| change.old.is_none()).collect();
    came.sort_by(|a, b| a.path.cmp(&b.path));
    for change in came {
        let Some(new) = change.new.filter(is_file) else { continue };
        if let Some((path, old)) = gone.get_mut(&new.id).and_then(Vec::pop) {
            taken.push(path.clone());
            (change.from, change.old) = (Some(path), Some(old));
        }
    }
    taken.sort();
    found.retain(|change| change.new.is_some() || taken.binary_search(&change.path).is_err());
}

#[cfg(test)]
mod tests {
    use crate::Store;
    use crate::testing::{git, repository};
    use std::fs;

    #[test]
    fn git_sees_the_same_changes() {
        let dir = repository(&[]);
        let path = dir.path();
        let write = |name: &str, text: &str| {
            fs::create_dir_all(path.join(name).parent().unwrap()).unwrap();
            fs::write(path.join(name), text).unwrap();
        };
        for name in ["a", "dir/b", "dir/c", "gone/x/y", "was-file", "move-me", "empty"] {
            write(name, if name == "empty" { "" } else { name });
        }
        git(path, &["add", "."]);
        git(path, &["commit", "-qm", "1"]);
        for name in ["gone", "was-file", "move-me", "empty"] {
            let _ = fs::remove_file(path.join(name)).or_else(|_| fs::remove_dir_all(path.join(name)));
        }
        write("dir/b", "changed");
        write("was-file/now-folder", "new");
        write("to/here", "move-me");
        write("also-empty", "");
        git(path, &["add", "-A"]);
        git(path, &["update-index", "--chmod=+x", "a"]);
        git(path, &["commit", "-qm", "2"]);
        let store = Store::open(path).unwrap();
        let snapshot = store.snapshot().unwrap();
        let (old, new) = (store.resolve("HEAD~1").unwrap(), store.resolve("HEAD").unwrap());
        let changes = |paths: &[&str]| -> Vec<String> {
            let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
            let changes = snapshot.diff(old, new, &paths).unwrap();
            let shown = |change: &super::Change| {
                let from = change.from.as_ref().map(|from| format!("{from} ")).unwrap_or_default();
                format!("{} {from}{}", change.letter(), change.path)
            };
            changes.iter().map(shown).collect()
        };
        let mut theirs: Vec<String> = git(path, &["diff", "--name-status", "-M100%", "HEAD~1", "HEAD"])
            .lines()
            .map(|line| line.replace("R100", "R").replace('\t', " "))
            .collect();
        theirs.sort_by_key(|line| line.rsplit(' ').next().unwrap().to_owned());
        assert_eq!(changes(&[]), theirs);
        assert_eq!(changes(&["dir", "to/here"]), ["M dir/b", "A to/here"]);
        assert_eq!(changes(&["was-file/now-folder"]), ["A was-file/now-folder"]);
        assert_eq!(snapshot.diff(new, new, &[]).unwrap(), []);
    }
}
