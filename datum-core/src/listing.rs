//! Every file of a commit: name, kind and size, listed without reading one.

use crate::files::{DEPTH_MAX, NodeKind};
use crate::id::EntryId;
use crate::odb::{ObjectError, ObjectKind, Odb};
use crate::packs::Placed;
use crate::snapshot::Snapshot;

/// One file of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed<'a> {
    /// The path from the root, as its bytes are.
    pub path: &'a [u8],
    /// What it is; never a folder.
    pub kind: NodeKind,
    /// Whether it may be run.
    pub executable: bool,
    /// The object; of a submodule, the commit in the other repository.
    pub id: EntryId,
    /// Bytes; of a link, those of its target; of a submodule none.
    pub size: u64,
    /// Where the object lies: files are read sooner in this order, for those that are near are made of one another.
    pub place: u64,
}

/// A folder that is being listed: its raw tree, how much of it is done, and how long its path is.
struct Open {
    raw: Vec<u8>,
    at: usize,
    path: usize,
}

/// Visits every file of the snapshot's commit in git's order; links are not followed, submodules not entered.
///
/// # Errors
/// [`ObjectError`] for the first tree that cannot be read, or object whose size cannot be told.
pub fn list(snapshot: &Snapshot<'_>, mut visit: impl FnMut(&Listed<'_>)) -> Result<(), ObjectError> {
    let Some(head) = snapshot.head() else { return Ok(()) };
    let odb = snapshot.odb();
    let root = crate::history::read(odb, head, &mut Vec::new())?.tree;
    let mut path = Vec::with_capacity(256);
    // A stack of our own: a hostile tree is as deep as it likes.
    let mut stack = vec![open(odb, root, 0, Vec::new())?];
    let mut spare = Vec::new();
    while let Some(folder) = stack.last_mut() {
        path.truncate(folder.path);
        let Some((mode, name, id)) = next(folder, root)? else {
            spare.extend(stack.pop().map(|folder| folder.raw));
            continue;
        };
        path.extend_from_slice(name);
        let kind = match mode {
            b"40000" | b"040000" => NodeKind::Folder,
            b"160000" => NodeKind::Submodule,
            b"120000" => NodeKind::Link,
            _ => NodeKind::File,
        };
        if kind == NodeKind::Folder {
            path.push(b'/');
            if stack.len() >= DEPTH_MAX {
                let message = format!("its folders are more than {DEPTH_MAX} deep");
                return Err(ObjectError::Damaged { id, message });
            }
            let below = open(odb, id, path.len(), spare.pop().unwrap_or_default())?;
            stack.push(below);
            continue;
        }
        let Placed { place, size } = match kind {
            NodeKind::Submodule => Placed { place: 0, size: 0 },
            _ => match odb.placed(id) {
                Some(placed) => placed,
                None => Placed { place: 0, size: odb.size(id)? },
            },
        };
        visit(&Listed { path: &path, kind, executable: mode == b"100755", id, size, place });
    }
    Ok(())
}

fn open(odb: &Odb, id: EntryId, path: usize, mut raw: Vec<u8>) -> Result<Open, ObjectError> {
    raw.clear();
    // git knows the empty tree without having it.
    if !id.0.is_empty_tree() {
        let length = odb.read_alike(id, ObjectKind::Tree, &mut raw)?.len();
        raw.truncate(length);
    }
    Ok(Open { raw, at: 0, path })
}

/// Mode, name and id of an item of a tree.
type Raw<'a> = (&'a [u8], &'a [u8], EntryId);

/// The next item of a tree: `100644 name\0` and the bytes of the id.
fn next(folder: &mut Open, root: EntryId) -> Result<Option<Raw<'_>>, ObjectError> {
    let rest = &folder.raw[folder.at..];
    if rest.is_empty() {
        return Ok(None);
    }
    let length = root.0.as_slice().len();
    let item = || {
        let space = memchr::memchr(b' ', rest)?;
        let end = space + 1 + memchr::memchr(0, &rest[space + 1..])?;
        let id = gix::ObjectId::try_from(rest.get(end + 1..end + 1 + length)?).ok()?;
        Some((&rest[..space], &rest[space + 1..end], EntryId(id), end + 1 + length))
    };
    let damaged = || ObjectError::Damaged { id: root, message: "a tree of it is cut off".to_owned() };
    let (mode, name, id, taken) = item().ok_or_else(damaged)?;
    folder.at += taken;
    Ok(Some((mode, name, id)))
}

/// Reads files of a commit from another thread than the one that has the snapshot.
#[derive(Debug)]
pub struct Blobs {
    odb: Odb,
    buffer: Vec<u8>,
}

impl Snapshot<'_> {
    /// A reader of the same files for another thread.
    pub fn blobs(&self) -> Blobs {
        Blobs { odb: self.odb().for_thread(), buffer: Vec::new() }
    }
}

impl Blobs {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ObjectError`] when it is missing, damaged or no file.
    pub fn read(&mut self, id: EntryId) -> Result<&[u8], ObjectError> {
        self.odb.read_packed_first(id, ObjectKind::Blob, &mut self.buffer)
    }

    /// The size of a file, bytes, without reading it.
    ///
    /// # Errors
    /// As [`Blobs::read`].
    pub fn size(&self, id: EntryId) -> Result<u64, ObjectError> {
        self.odb.size(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::testing::{git, repository};
    use std::fmt::Write as _;

    #[test]
    fn git_lists_the_same() {
        for format in ["sha1", "sha256"] {
            let dir = repository(&[&format!("--object-format={format}")]);
            let write = |path: &str, text: &str| {
                let file = dir.path().join(path);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(file, text).unwrap();
            };
            write("a.md", "one\n");
            write("a/b/c.rs", "fn main() {}\n");
            write("a/é.txt", "");
            write("z/run", "#!/bin/sh\n");
            #[cfg(unix)]
            std::os::unix::fs::symlink("../z", dir.path().join("z/loop")).unwrap();
            git(dir.path(), &["add", "."]);
            git(dir.path(), &["update-index", "--chmod=+x", "z/run"]);
            let commit = "1".repeat(if format == "sha1" { 40 } else { 64 });
            git(dir.path(), &["update-index", "--add", "--cacheinfo", &format!("160000,{commit},sub")]);
            git(dir.path(), &["commit", "-qm", "x"]);
            let store = Store::open(dir.path()).unwrap();
            let mut found = String::new();
            list(&store.snapshot().unwrap(), |file| {
                let mode = match file.kind {
                    NodeKind::Submodule => "160000 commit",
                    NodeKind::Link => "120000 blob",
                    _ if file.executable => "100755 blob",
                    _ => "100644 blob",
                };
                let path = String::from_utf8_lossy(file.path);
                let size =
                    if file.kind == NodeKind::Submodule { "-".to_owned() } else { file.size.to_string() };
                let _ = writeln!(found, "{mode} {} {size:>7}\t{path}", file.id);
            })
            .unwrap();
            let git = git(dir.path(), &["-c", "core.quotePath=false", "ls-tree", "-r", "-l", "HEAD"]);
            assert_eq!(found, git);
        }
    }
}
