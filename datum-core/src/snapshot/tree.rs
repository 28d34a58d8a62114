//! The tree of a snapshot's commit: its files, listed and read, never checked out.

use super::Snapshot;
use crate::id::EntryId;
use crate::log;
use crate::odb::{ObjectError, ObjectKind};

/// A file of a commit's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The path from the root, `/` between parts; bytes that are no UTF-8 are replaced.
    pub path: String,
    /// The blob.
    pub id: EntryId,
    /// Whether it is a symbolic link, whose blob is its target.
    pub link: bool,
    /// Whether it is a program.
    pub executable: bool,
}

impl Snapshot<'_> {
    /// Visits the files of the commit's tree, each folder's before its folders'; folders `descend` refuses are not read.
    ///
    /// # Errors
    /// [`ObjectError`] for the first tree that cannot be read.
    pub fn files(
        &self,
        mut descend: impl FnMut(&str) -> bool,
        mut visit: impl FnMut(File),
    ) -> Result<(), ObjectError> {
        let Some(head) = self.head else { return Ok(()) };
        let mut buffer = Vec::new();
        let raw = self.odb.read(head, ObjectKind::Commit, &mut buffer)?;
        let tree = crate::commit::tree(raw)
            .ok_or_else(|| ObjectError::Damaged { id: head, message: "it names no tree".to_owned() })?;
        // Depth first by a stack of our own: a hostile tree is as deep as it likes.
        let mut stack = vec![(String::new(), tree)];
        while let Some((folder, id)) = stack.pop() {
            if id.0.is_empty_tree() {
                continue;
            }
            let mut below = Vec::new();
            for item in log::read_tree(self.odb, id)? {
                let name = String::from_utf8_lossy(&item.name);
                let path = if folder.is_empty() { name.into_owned() } else { format!("{folder}/{name}") };
                if item.mode.is_tree() {
                    if descend(&path) {
                        below.push((path, item.id));
                    }
                } else if item.mode.is_blob() || item.mode.is_link() {
                    let (link, executable) = (item.mode.is_link(), item.mode.is_executable());
                    visit(File { path, id: item.id, link, executable });
                }
            }
            stack.extend(below.into_iter().rev());
        }
        Ok(())
    }

    /// Reads a commit, raw.
    pub(crate) fn commit(&self, id: EntryId) -> Result<Vec<u8>, ObjectError> {
        let mut buffer = Vec::new();
        let length = self.odb.read(id, ObjectKind::Commit, &mut buffer)?.len();
        buffer.truncate(length);
        Ok(buffer)
    }

    /// The blob at `path` of the tree of `commit`.
    pub(crate) fn blob_at(&self, commit: EntryId, path: &str) -> Result<Option<EntryId>, ObjectError> {
        let raw = self.commit(commit)?;
        let Some(mut at) = crate::commit::tree(&raw) else { return Ok(None) };
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let items = log::read_tree(self.odb, at)?;
            let Some(item) = items.into_iter().find(|item| item.name == part.as_bytes()) else {
                return Ok(None);
            };
            let is_folder = parts.peek().is_some();
            if item.mode.is_tree() != is_folder || !(is_folder || item.mode.is_blob()) {
                return Ok(None);
            }
            at = item.id;
        }
        Ok(Some(at))
    }

    /// Reads the file at `path` of the commit's tree; `None` if there is none.
    ///
    /// # Errors
    /// [`ObjectError`] for an object on the way that cannot be read.
    pub fn file(&self, path: &str) -> Result<Option<Vec<u8>>, ObjectError> {
        let Some(head) = self.head else { return Ok(None) };
        self.blob_at(head, path)?.map(|id| self.blob(id)).transpose()
    }
}
