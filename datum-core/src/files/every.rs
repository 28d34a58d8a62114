//! Every name of a tree, in one piece of memory: whoever goes through a hundred thousand names goes through them in order.

use super::{LookError, Node, NodeKind};
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
    paths: String,
    /// Where the path of each ends, which begins where the one before it ends.
    ends: Vec<usize>,
    kinds: Vec<NodeKind>,
    /// The ids side by side, as their bytes; none in a work tree.
    ids: Vec<u8>,
    /// Bytes of an id.
    id_size: usize,
}

impl Every {
    /// Reads a tree, each folder once.
    pub(super) fn of_tree(odb: &Odb, root: Option<EntryId>) -> Result<Self, ObjectError> {
        let mut every = Self { id_size: odb.hash_kind().len_in_bytes(), ..Self::default() };
        let mut buffer = Vec::new();
        // A stack of our own, of paths by their place: a hostile tree is as deep as it likes.
        let mut stack: Vec<(usize, usize, EntryId)> = root.map(|id| (0, 0, id)).into_iter().collect();
        while let Some((start, end, id)) = stack.pop() {
            // git knows the empty tree without having it.
            if id.0.is_empty_tree() {
                continue;
            }
            let first = stack.len();
            let raw = odb.read_alike(id, ObjectKind::Tree, &mut buffer)?;
            for item in gix::objs::TreeRefIter::from_bytes(raw, id.0.kind()) {
                let item = item.map_err(|error| ObjectError::Damaged { id, message: error.to_string() })?;
                let from = every.paths.len();
                if end > start {
                    every.paths.extend_from_within(start..end);
                    every.paths.push('/');
                }
                every.paths.push_str(&String::from_utf8_lossy(item.filename));
                let kind = kind_of(item.mode);
                if kind == NodeKind::Folder {
                    stack.push((from, every.paths.len(), EntryId(item.oid.to_owned())));
                }
                every.ends.push(every.paths.len());
                every.kinds.push(kind);
                every.ids.extend_from_slice(item.oid.as_bytes());
            }
            stack[first..].reverse();
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
            for node in nodes.iter() {
                every.paths.push_str(&node.path);
                every.ends.push(every.paths.len());
                every.kinds.push(node.kind);
            }
            let below = nodes.iter().rev().filter(|node| node.kind == NodeKind::Folder);
            stack.extend(below.map(|node| node.path.clone()));
        }
        Ok(every)
    }

    /// How many names there are but folders.
    pub(super) fn files(&self) -> usize {
        self.kinds.iter().filter(|kind| **kind == NodeKind::File).count()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Seen<'_>> {
        let mut start = 0;
        self.ends.iter().zip(&self.kinds).enumerate().map(move |(at, (end, kind))| {
            let path = &self.paths[start..*end];
            start = *end;
            let id = self.ids.get(at * self.id_size..(at + 1) * self.id_size);
            let id = id.and_then(|id| gix::ObjectId::try_from(id).ok()).map(EntryId);
            Seen { path, kind: *kind, id }
        })
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
