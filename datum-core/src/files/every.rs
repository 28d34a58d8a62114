//! Every name of a tree, in one piece of memory: whoever goes through a hundred thousand names goes through them in order.

use super::{DEPTH_MAX, LookError, Node, NodeKind};
use crate::id::EntryId;
use crate::odb::{ObjectError, ObjectKind, Odb};
use std::rc::Rc;

/// A name, as it is passed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen<'a> {
    /// The path from the root, as in [`Node`].
    pub path: &'a str,
    /// What it is.
    pub kind: NodeKind,
    /// The object; `None` in a work tree.
    pub id: Option<EntryId>,
}

impl Seen<'_> {
    /// The same, to keep.
    pub fn node(&self) -> Node {
        Node { path: self.path.to_owned(), kind: self.kind, id: self.id }
    }

    /// Whether its path ends as every match of a pattern does.
    pub(super) fn ends_with(&self, tail: &str, any_case: bool) -> bool {
        let (path, tail) = (self.path.as_bytes(), tail.as_bytes());
        let Some(start) = path.len().checked_sub(tail.len()) else { return false };
        if any_case { path[start..].eq_ignore_ascii_case(tail) } else { &path[start..] == tail }
    }
}

/// Every name, the names of a folder before those of its folders.
#[derive(Debug, Default)]
pub(super) struct Every {
    folders: Vec<Folder>,
    names: String,
    /// Where each name ends, which begins where the one before it ends.
    ends: Vec<usize>,
    kinds: Vec<NodeKind>,
    /// The ids side by side, as their bytes; none in a work tree.
    ids: Vec<u8>,
    /// Bytes of an id.
    id_size: usize,
}

#[derive(Debug)]
struct Folder {
    /// What the paths of its names begin with: empty for the root, else with a `/` at the end.
    path: String,
    /// Its first name.
    first: usize,
}

impl Every {
    /// Reads a tree, each folder once.
    pub(super) fn of_tree(odb: &Odb, root: Option<EntryId>) -> Result<Self, ObjectError> {
        let mut every = Self { id_size: odb.hash_kind().len_in_bytes(), ..Self::default() };
        let mut buffer = Vec::new();
        // A stack of our own, for trees come from elsewhere.
        let mut stack: Vec<(String, usize, EntryId)> =
            root.map(|id| (String::new(), 0, id)).into_iter().collect();
        while let Some((path, depth, id)) = stack.pop() {
            // git knows the empty tree without having it.
            if id.0.is_empty_tree() {
                continue;
            }
            let damaged = |message: String| ObjectError::Damaged { id, message };
            if depth >= DEPTH_MAX {
                return Err(damaged(format!("its folders are more than {DEPTH_MAX} deep")));
            }
            let before = stack.len();
            let raw = odb.read_alike(id, ObjectKind::Tree, &mut buffer)?;
            let first = every.ends.len();
            for item in gix::objs::TreeRefIter::from_bytes(raw, id.0.kind()) {
                let item = item.map_err(|error| damaged(error.to_string()))?;
                let name = String::from_utf8_lossy(item.filename);
                let kind = kind_of(item.mode);
                if kind == NodeKind::Folder {
                    stack.push(([&path, &*name, "/"].concat(), depth + 1, EntryId(item.oid.to_owned())));
                }
                every.push(&name, kind);
                every.ids.extend_from_slice(item.oid.as_bytes());
            }
            every.folders.push(Folder { path, first });
            stack[before..].reverse();
        }
        Ok(every)
    }

    /// Goes through folders that are known already.
    pub(super) fn of_folders(
        folder: impl Fn(&str) -> Result<Rc<[Node]>, LookError>,
    ) -> Result<Self, LookError> {
        let mut every = Self::default();
        let mut stack = vec![String::new()];
        while let Some(path) = stack.pop() {
            let nodes = folder(&path)?;
            let below = nodes.iter().rev().filter(|node| node.kind == NodeKind::Folder);
            stack.extend(below.map(|node| node.path.clone()));
            let path = if path.is_empty() { path } else { path + "/" };
            every.folders.push(Folder { first: every.ends.len(), path });
            for node in nodes.iter() {
                every.push(&node.path[node.path.rfind('/').map_or(0, |at| at + 1)..], node.kind);
            }
        }
        Ok(every)
    }

    fn push(&mut self, name: &str, kind: NodeKind) {
        self.names.push_str(name);
        self.ends.push(self.names.len());
        self.kinds.push(kind);
    }

    /// How many names there are but folders.
    pub(super) fn files(&self) -> usize {
        self.kinds.iter().filter(|kind| **kind == NodeKind::File).count()
    }

    /// Visits every name, in their order.
    pub(super) fn each(&self, mut visit: impl FnMut(&Seen<'_>)) {
        let ends = self.folders.iter().skip(1).map(|next| next.first).chain([self.ends.len()]);
        let (mut start, mut path) = (0, String::new());
        for (folder, last) in self.folders.iter().zip(ends) {
            path.clear();
            path.push_str(&folder.path);
            for at in folder.first..last {
                path.truncate(folder.path.len());
                path.push_str(&self.names[start..self.ends[at]]);
                start = self.ends[at];
                let id = self.ids.get(at * self.id_size..(at + 1) * self.id_size);
                let id = id.and_then(|id| gix::ObjectId::try_from(id).ok()).map(EntryId);
                visit(&Seen { path: &path, kind: self.kinds[at], id });
            }
        }
    }
}

/// The names in the folder `path`, whose tree is `id`.
pub(super) fn read_folder(
    odb: &Odb,
    path: &str,
    id: EntryId,
    buffer: &mut Vec<u8>,
) -> Result<Rc<[Node]>, ObjectError> {
    // git knows the empty tree without having it.
    if id.0.is_empty_tree() {
        return Ok(Rc::new([]));
    }
    let raw = odb.read(id, ObjectKind::Tree, buffer)?;
    gix::objs::TreeRefIter::from_bytes(raw, id.0.kind())
        .map(|item| {
            let item = item.map_err(|error| ObjectError::Damaged { id, message: error.to_string() })?;
            let name = String::from_utf8_lossy(item.filename);
            let mut full = String::with_capacity(path.len() + 1 + name.len());
            full.push_str(path);
            if !path.is_empty() {
                full.push('/');
            }
            full.push_str(&name);
            Ok(Node { path: full, kind: kind_of(item.mode), id: Some(EntryId(item.oid.to_owned())) })
        })
        .collect()
}

/// What an item of a tree is, by its mode.
fn kind_of(mode: gix::objs::tree::EntryMode) -> NodeKind {
    if mode.is_tree() {
        NodeKind::Folder
    } else if mode.is_commit() {
        NodeKind::Submodule
    } else if mode.is_link() {
        NodeKind::Link
    } else {
        NodeKind::File
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::repository;
    use crate::{Store, tree};

    #[test]
    fn folders_are_followed_as_deep_as_any_repository_has_them_and_no_deeper() {
        let dir = repository(&[]);
        let store = Store::open(dir.path()).unwrap();
        let snapshot = store.snapshot().unwrap();
        let odb = snapshot.odb();
        let print = |id, kind: gix::objs::tree::EntryKind| {
            tree::print(&[tree::Item { name: b"x".to_vec(), id, mode: kind.into() }])
        };
        let blob = odb.write(ObjectKind::Blob, b"text", false).unwrap();
        let mut bytes = print(blob, gix::objs::tree::EntryKind::Blob);
        for _ in 1..DEPTH_MAX {
            let below = odb.write(ObjectKind::Tree, &bytes, false).unwrap();
            bytes = print(below, gix::objs::tree::EntryKind::Tree);
        }
        let root = odb.write(ObjectKind::Tree, &bytes, false).unwrap();
        let mut last = Vec::new();
        Every::of_tree(odb, Some(root)).unwrap().each(|seen| last = vec![seen.node()]);
        let file = Node { path: vec!["x"; DEPTH_MAX].join("/"), kind: NodeKind::File, id: Some(blob) };
        assert_eq!(last, [file]);
        let deeper =
            odb.write(ObjectKind::Tree, &print(root, gix::objs::tree::EntryKind::Tree), false).unwrap();
        let error = Every::of_tree(odb, Some(deeper)).unwrap_err().to_string();
        assert!(error.ends_with("its folders are more than 4096 deep"), "{error}");
    }
}
