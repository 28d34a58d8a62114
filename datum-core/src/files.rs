//! The files of a tree, looked at folder by folder: of a commit, or of a work tree somebody listed.

mod every;

pub use every::Seen;

use crate::glob::Glob;
use crate::id::EntryId;
use crate::odb::{ObjectError, ObjectKind, Odb};
use crate::snapshot::Snapshot;
use every::{Every, read_folder};
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

/// Largest file whose text is read, bytes.
pub const TEXT_MAX: u64 = 4 * 1024 * 1024;
/// How deep folders are followed, the root counted; git itself follows none that deep.
pub(crate) const DEPTH_MAX: usize = 4096;
/// So many files that going through whole packs is cheaper than asking for each.
const MANY: usize = 2000;

/// What a name of a folder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    /// A file.
    File,
    /// A symbolic link; it is never followed.
    Link,
    /// A folder.
    Folder,
    /// Another repository, by its commit; it is never entered.
    Submodule,
}

/// A name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The path from the root, `/` between parts; bytes that are no UTF-8 are replaced.
    pub path: String,
    /// What it is.
    pub kind: NodeKind,
    /// The object; `None` in a work tree.
    pub id: Option<EntryId>,
}

/// Why a file could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// An object on the way could not be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A file of the work tree could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is larger than what is read.
    #[error("{path} has {size} bytes, more than are looked at")]
    TooLarge {
        /// The file.
        path: String,
        /// Its size, bytes.
        size: u64,
    },
    /// The name is a symbolic link or a submodule.
    #[error("{path} is a {what}, which is not followed")]
    NotFollowed {
        /// The name.
        path: String,
        /// What it is.
        what: &'static str,
    },
}

impl LookError {
    /// Whether something is broken, rather than too much to ask.
    pub fn is_breakage(&self) -> bool {
        matches!(self, Self::Object(_) | Self::Io { .. })
    }
}

#[derive(Debug)]
enum Source<'s> {
    Tree { odb: &'s Odb, root: Option<EntryId> },
    Folder { root: PathBuf },
}

/// The files of a tree.
#[derive(Debug)]
pub struct Files<'s> {
    source: Source<'s>,
    folders: RefCell<BTreeMap<String, Rc<[Node]>>>,
    /// Every name there is, listed when that is first asked for.
    every: OnceCell<Every>,
}

impl<'s> Files<'s> {
    /// The files of the snapshot's commit; none where it has no commit.
    ///
    /// # Errors
    /// [`LookError`] when the commit cannot be read.
    pub fn of(snapshot: &Snapshot<'s>) -> Result<Self, LookError> {
        let odb = snapshot.odb();
        let mut root = None;
        if let Some(commit) = snapshot.head() {
            let mut buffer = Vec::new();
            let raw = odb.read(commit, ObjectKind::Commit, &mut buffer)?;
            let lost = || ObjectError::Damaged { id: commit, message: "it names no tree".to_owned() };
            root = Some(crate::commit::tree(raw).ok_or_else(lost)?);
        }
        Ok(Self { source: Source::Tree { odb, root }, folders: RefCell::default(), every: OnceCell::new() })
    }

    /// The files of the work tree at `root` that are called `paths` (as `git ls-files` lists them).
    pub fn of_work_tree(root: PathBuf, paths: &[String]) -> Self {
        let mut folders: BTreeMap<String, BTreeSet<(String, bool)>> = BTreeMap::new();
        for path in paths {
            let mut below = path.as_str();
            let mut is_folder = false;
            loop {
                let parent = below.rfind('/').map_or("", |at| &below[..at]);
                let new = folders.entry(parent.to_owned()).or_default().insert((below.to_owned(), is_folder));
                if parent.is_empty() || !new {
                    break;
                }
                (below, is_folder) = (parent, true);
            }
        }
        let kind = |path: &str, is_folder: bool| {
            let meta = fs::symlink_metadata(root.join(path)).ok()?;
            Some(match (is_folder, meta.is_symlink(), meta.is_dir()) {
                (true, ..) => NodeKind::Folder,
                (_, true, _) => NodeKind::Link,
                (_, _, true) => NodeKind::Submodule,
                _ => NodeKind::File,
            })
        };
        let nodes = |(folder, names): (String, BTreeSet<(String, bool)>)| {
            // A file that is listed and gone is deleted: it is not there.
            let node = |(path, is_folder): (String, bool)| {
                Some(Node { kind: kind(&path, is_folder)?, path, id: None })
            };
            (folder, names.into_iter().filter_map(node).collect())
        };
        let folders = folders.into_iter().map(nodes).collect();
        Self { source: Source::Folder { root }, folders: RefCell::new(folders), every: OnceCell::new() }
    }

    /// The names in a folder, in the order of the tree; none where there is no such folder. The root is `""`.
    ///
    /// # Errors
    /// [`LookError`] for a tree on the way that cannot be read.
    pub fn folder(&self, path: &str) -> Result<Rc<[Node]>, LookError> {
        if let Some(known) = self.folders.borrow().get(path) {
            return Ok(Rc::clone(known));
        }
        let Source::Tree { odb, root } = &self.source else { return Ok(Rc::new([])) };
        let tree = if path.is_empty() {
            *root
        } else {
            self.node(path)?.filter(|node| node.kind == NodeKind::Folder).and_then(|node| node.id)
        };
        let nodes: Rc<[Node]> = match tree {
            None => Rc::new([]),
            Some(id) => read_folder(odb, path, id, &mut Vec::new())?,
        };
        self.folders.borrow_mut().insert(path.to_owned(), Rc::clone(&nodes));
        Ok(nodes)
    }

    /// What is at `path`.
    ///
    /// # Errors
    /// [`LookError`] for a tree on the way that cannot be read.
    pub fn node(&self, path: &str) -> Result<Option<Node>, LookError> {
        let parent = path.rfind('/').map_or("", |at| &path[..at]);
        Ok(self.folder(parent)?.iter().find(|node| node.path == path).cloned())
    }

    /// Visits every name below `folder` but folders, those of a folder before those of its folders; folders that
    /// `descend` refuses are not read.
    ///
    /// # Errors
    /// [`LookError`] for the first tree that cannot be read.
    pub fn walk(
        &self,
        folder: &str,
        mut descend: impl FnMut(&str) -> bool,
        mut visit: impl FnMut(&Node),
    ) -> Result<(), LookError> {
        // A stack of our own: a hostile tree is as deep as it likes.
        let mut stack = vec![folder.to_owned()];
        while let Some(folder) = stack.pop() {
            let nodes = self.folder(&folder)?;
            for node in nodes.iter().filter(|node| node.kind != NodeKind::Folder) {
                visit(node);
            }
            let below = nodes.iter().filter(|node| node.kind == NodeKind::Folder);
            stack.extend(below.rev().filter(|node| descend(&node.path)).map(|node| node.path.clone()));
        }
        Ok(())
    }

    /// Visits everything there is but folders, the names of a folder before those of its folders.
    ///
    /// # Errors
    /// [`LookError`] for the first tree that cannot be read.
    pub fn each(&self, mut visit: impl FnMut(&Seen<'_>)) -> Result<(), LookError> {
        self.every()?.each(|seen| {
            if seen.kind != NodeKind::Folder {
                visit(seen);
            }
        });
        Ok(())
    }

    /// How many files there are, links and submodules aside.
    ///
    /// # Errors
    /// As [`Files::each`].
    pub fn count(&self) -> Result<usize, LookError> {
        Ok(self.every()?.files())
    }

    /// The files of more than `most` bytes, with their sizes.
    ///
    /// Of many files in packs only those are asked for that can be so large as git writes packs, unless it is to be
    /// `thorough`.
    ///
    /// # Errors
    /// [`LookError`] where a size cannot be told.
    pub fn larger(&self, most: u64, thorough: bool) -> Result<Vec<(Node, u64)>, LookError> {
        let every = self.every()?;
        let suspects = match &self.source {
            Source::Tree { odb, .. } if every.files() > MANY && !thorough => odb.larger(most, every.files()),
            _ => None,
        };
        let may_be = |seen: &Seen<'_>| {
            let of_id = |id: EntryId| suspects.as_ref().is_none_or(|ids| ids.contains(&id));
            seen.kind == NodeKind::File && seen.id.is_none_or(of_id)
        };
        if suspects.as_ref().is_some_and(BTreeSet::is_empty) {
            return Ok(Vec::new());
        }
        let (mut nodes, mut found) = (Vec::new(), Vec::new());
        every.each(|seen| nodes.extend(may_be(seen).then(|| seen.node())));
        for node in nodes {
            let size = self.size(&node)?;
            if size > most {
                found.push((node, size));
            }
        }
        Ok(found)
    }

    /// Every name there is; read once, each tree by its id, for a hundred thousand files are no rarity.
    fn every(&self) -> Result<&Every, LookError> {
        if let Some(every) = self.every.get() {
            return Ok(every);
        }
        let every = match &self.source {
            Source::Tree { odb, root } => Every::of_tree(odb, *root)?,
            Source::Folder { .. } => Every::of_folders(|path| self.folder(path))?,
        };
        Ok(self.every.get_or_init(|| every))
    }

    /// What matches any of the patterns, folders too, each once and in the order of paths.
    ///
    /// Patterns that reach everywhere are matched in one pass.
    ///
    /// # Errors
    /// [`LookError`] for a tree on the way that cannot be read.
    pub fn find_any(&self, globs: &[Glob], any_case: bool) -> Result<Vec<Node>, LookError> {
        let (wide, narrow): (Vec<&Glob>, Vec<&Glob>) =
            globs.iter().partition(|glob| !glob.is_literal() && glob.is_deep() && glob.folder().is_empty());
        let mut found = Vec::new();
        for glob in narrow {
            found.extend(self.find(glob, any_case)?);
        }
        if !wide.is_empty() {
            let wide: Vec<(&Glob, &str)> = wide.into_iter().map(|glob| (glob, glob.tail())).collect();
            let matches = |seen: &Seen<'_>| {
                let fits = |(glob, tail): &(&Glob, &str)| {
                    seen.ends_with(tail, any_case) && glob.matches_with(seen.path, any_case)
                };
                wide.iter().any(fits)
            };
            self.every()?.each(|seen| found.extend(matches(seen).then(|| seen.node())));
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found.dedup_by(|a, b| a.path == b.path);
        Ok(found)
    }

    /// What matches a pattern, folders too, in the order of paths.
    ///
    /// # Errors
    /// [`LookError`] for a tree on the way that cannot be read.
    pub fn find(&self, glob: &Glob, any_case: bool) -> Result<Vec<Node>, LookError> {
        if glob.is_literal() && !any_case {
            return Ok(self.node(glob.as_str())?.into_iter().collect());
        }
        let is_literal = glob.is_literal();
        let fits = |path: &str| {
            if is_literal {
                path.eq_ignore_ascii_case(glob.as_str())
            } else {
                glob.matches_with(path, any_case)
            }
        };
        let is_deep = glob.is_deep();
        let mut found = Vec::new();
        let mut stack = vec![glob.folder().to_owned()];
        while let Some(folder) = stack.pop() {
            for node in self.folder(&folder)?.iter() {
                if fits(&node.path) {
                    found.push(node.clone());
                }
                if node.kind == NodeKind::Folder && is_deep {
                    stack.push(node.path.clone());
                }
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// The size of a file, bytes.
    ///
    /// # Errors
    /// [`LookError`] when it cannot be told.
    pub fn size(&self, node: &Node) -> Result<u64, LookError> {
        match (&self.source, node.id) {
            (Source::Tree { odb, .. }, Some(id)) => Ok(odb.size(id)?),
            (Source::Tree { .. }, None) => Ok(0),
            (Source::Folder { root }, _) => {
                let path = root.join(&node.path);
                let meta = fs::symlink_metadata(&path).map_err(|source| LookError::Io { path, source })?;
                Ok(meta.len())
            }
        }
    }

    /// Reads a file of at most [`TEXT_MAX`] bytes.
    ///
    /// # Errors
    /// [`LookError`] when it is larger, no file, or cannot be read.
    pub fn read(&self, node: &Node) -> Result<Vec<u8>, LookError> {
        self.read_at_most(node, TEXT_MAX)
    }

    /// Reads a file of at most `most` bytes.
    pub(crate) fn read_at_most(&self, node: &Node, most: u64) -> Result<Vec<u8>, LookError> {
        let what = match node.kind {
            NodeKind::File => None,
            NodeKind::Link => Some("symbolic link"),
            NodeKind::Folder => Some("folder"),
            NodeKind::Submodule => Some("submodule"),
        };
        if let Some(what) = what {
            return Err(LookError::NotFollowed { path: node.path.clone(), what });
        }
        let size = self.size(node)?;
        if size > most {
            return Err(LookError::TooLarge { path: node.path.clone(), size });
        }
        let mut bytes = Vec::new();
        match (&self.source, node.id) {
            (Source::Tree { odb, .. }, Some(id)) => {
                let length = odb.read(id, ObjectKind::Blob, &mut bytes)?.len();
                bytes.truncate(length);
            }
            (Source::Tree { .. }, None) => {}
            (Source::Folder { root }, _) => {
                let path = root.join(&node.path);
                bytes = fs::read(&path).map_err(|source| LookError::Io { path, source })?;
            }
        }
        Ok(bytes)
    }
}
