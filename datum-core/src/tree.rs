//! Git trees as lists of items: parsed, printed, and changed along a path.

use crate::id::EntryId;
use crate::odb::ObjectError;

/// One item of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) name: Vec<u8>,
    pub(crate) id: EntryId,
    pub(crate) mode: gix::objs::tree::EntryMode,
}

impl Item {
    /// The name as text; `None` for bytes that are no UTF-8.
    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.name).ok()
    }
}

/// Parses a tree, in its order.
pub(crate) fn parse(id: EntryId, bytes: &[u8]) -> Result<Vec<Item>, ObjectError> {
    gix::objs::TreeRefIter::from_bytes(bytes, id.0.kind())
        .map(|item| {
            let item = item.map_err(|error| ObjectError::Damaged { id, message: error.to_string() })?;
            Ok(Item { name: item.filename.to_vec(), id: EntryId(item.oid.to_owned()), mode: item.mode })
        })
        .collect()
}

/// Prints a tree whose items are in their order.
pub(crate) fn print(items: &[Item]) -> Vec<u8> {
    let mut out = Vec::with_capacity(items.len() * 64);
    for item in items {
        let mode = if item.mode.is_tree() { "40000" } else { "100644" };
        out.extend_from_slice(mode.as_bytes());
        out.push(b' ');
        out.extend_from_slice(&item.name);
        out.push(0);
        out.extend_from_slice(item.id.0.as_slice());
    }
    out
}

/// Prints a tree that holds one file.
pub(crate) fn print_file(name: &str, blob: EntryId) -> Vec<u8> {
    let mode = gix::objs::tree::EntryKind::Blob.into();
    print(&[Item { name: name.as_bytes().to_vec(), id: blob, mode }])
}

/// Puts the blob `id` at `path` into the tree `tree`, and into the trees on the way.
///
/// `read` reads a tree, `write` writes one. The folders hold either trees or blobs, so names sort as bytes do.
pub(crate) fn put<E, S>(
    sink: &mut S,
    tree: EntryId,
    path: &[&str],
    id: EntryId,
    read: &impl Fn(&S, EntryId) -> Result<Vec<Item>, E>,
    write: &impl Fn(&mut S, &[u8]) -> Result<EntryId, E>,
) -> Result<EntryId, E> {
    replace(sink, tree, path, id, &|_| true, read, write)
}

/// As [`put`], leaving out of the folder that gets the blob what `keep` does not take.
pub(crate) fn replace<E, S>(
    sink: &mut S,
    tree: EntryId,
    path: &[&str],
    id: EntryId,
    keep: &impl Fn(&Item) -> bool,
    read: &impl Fn(&S, EntryId) -> Result<Vec<Item>, E>,
    write: &impl Fn(&mut S, &[u8]) -> Result<EntryId, E>,
) -> Result<EntryId, E> {
    use gix::objs::tree::EntryKind;
    let Some((name, rest)) = path.split_first() else { return Ok(id) };
    let mut items = read(sink, tree)?;
    if rest.is_empty() {
        items.retain(keep);
    }
    let found = items.binary_search_by(|item| item.name.as_slice().cmp(name.as_bytes()));
    let below = match found {
        Ok(at) => items[at].id,
        Err(_) => EntryId(gix::ObjectId::empty_tree(tree.0.kind())),
    };
    let new = replace(sink, below, rest, id, keep, read, write)?;
    let kind = if rest.is_empty() { EntryKind::Blob } else { EntryKind::Tree };
    let item = Item { name: name.as_bytes().to_vec(), id: new, mode: kind.into() };
    match found {
        Ok(at) => items[at] = item,
        Err(at) => items.insert(at, item),
    }
    write(sink, &print(&items))
}
