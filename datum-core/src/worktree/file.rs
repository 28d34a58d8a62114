//! Files of the work tree: written and deleted each with a commit of its own, or not at all.

use super::{Scope, WorkError, WorkTree};
use crate::git::failed;
use crate::id::EntryId;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A path inside a work tree: relative, `/` between parts, without `..` and not in `.git`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TreePath(String);

impl TreePath {
    /// Checks `text` and makes it a path.
    ///
    /// # Errors
    /// [`WorkError::Path`] with the rule that `text` breaks.
    pub fn new(text: &str) -> Result<Self, WorkError> {
        let refuse = |why| Err(WorkError::Path { path: text.to_owned(), why });
        if text.is_empty() || text.len() > 4096 {
            return refuse("is empty or too long");
        }
        if text.starts_with('/') || text.contains('\\') || Path::new(text).is_absolute() {
            return refuse("is no path inside the work tree");
        }
        for part in text.split('/') {
            match part {
                "" | "." => return refuse("has an empty part"),
                ".." => return refuse("leads out of the work tree"),
                // What other systems take for `.git` as well: letter case, and a trailing dot or space.
                _ if part.trim_end_matches(['.', ' ']).eq_ignore_ascii_case(".git") => {
                    return refuse("lies in git's own folder");
                }
                _ => {}
            }
        }
        if text.chars().any(char::is_control) {
            return refuse("holds a control character");
        }
        Ok(Self(text.to_owned()))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

pub(super) fn cannot<'a>(
    doing: &'static str,
    path: &'a Path,
) -> impl FnOnce(std::io::Error) -> WorkError + 'a {
    move |source| WorkError::File { doing, path: path.to_owned(), source }
}

impl WorkTree {
    /// The file at `path`, after a look that it is no folder, and no folder on the way a symbolic link.
    fn file(&self, path: &TreePath) -> Result<PathBuf, WorkError> {
        let mut file = self.root.clone();
        let mut is_folder = false;
        for part in path.as_str().split('/') {
            file.push(part);
            match fs::symlink_metadata(&file) {
                Ok(meta) if meta.is_symlink() => {
                    let why = "is a symbolic link, or lies behind one";
                    return Err(WorkError::Path { path: path.0.clone(), why });
                }
                Ok(meta) => is_folder = meta.is_dir(),
                Err(error) if error.kind() == ErrorKind::NotFound => is_folder = false,
                Err(error) if error.kind() == ErrorKind::NotADirectory => {
                    let above = file.parent().unwrap_or(&file);
                    let above = above.strip_prefix(&self.root).unwrap_or(above);
                    return Err(WorkError::NoFolder(above.to_string_lossy().into_owned()));
                }
                Err(error) => return Err(cannot("look at", &file)(error)),
            }
        }
        if is_folder { Err(WorkError::Folder(path.0.clone())) } else { Ok(file) }
    }

    /// Reads the file at `path` of the commit `rev`.
    ///
    /// # Errors
    /// [`WorkError::NoCommit`], [`WorkError::NotIn`] and [`WorkError::Folder`]; [`WorkError::Git`] when an object cannot
    /// be read.
    pub fn read(&self, path: &TreePath, rev: &str) -> Result<Vec<u8>, WorkError> {
        self.check_commit(rev)?;
        let listed =
            self.output(&["--literal-pathspecs", "ls-tree", "--full-tree", "-z", rev, "--", path.as_str()])?;
        // `mode type id`, a tab and the name.
        let mut parts = listed.split([' ', '\t']).skip(1);
        match (parts.next(), parts.next()) {
            (Some("blob"), Some(id)) => {
                let output = self.ask(&["cat-file", "blob", id])?;
                if output.status.success() {
                    Ok(output.stdout)
                } else {
                    Err(failed("cat-file", &output).into())
                }
            }
            (Some(_), _) => Err(WorkError::Folder(path.0.clone())),
            (None, _) => Err(WorkError::NotIn { path: path.0.clone(), rev: rev.to_owned() }),
        }
    }

    /// Writes the file at `path` and commits it alone; what is there and in no commit only with `force`.
    ///
    /// # Errors
    /// [`WorkError::Uncommitted`], and others when it cannot be written or the commit is refused; then the file is as it
    /// was.
    pub fn write(
        &self,
        path: &TreePath,
        bytes: &[u8],
        message: &str,
        force: bool,
    ) -> Result<EntryId, WorkError> {
        let file = self.file(path)?;
        let before = match fs::read(&file) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(cannot("read", &file)(error)),
        };
        let is_lost = before.as_ref().is_some_and(|before| before != bytes);
        if is_lost && !force && !(self.is_known(path)? && self.is_clean(path)?) {
            return Err(WorkError::Uncommitted(path.0.clone()));
        }
        put(&file, bytes)?;
        let committed = self.commit(message, Scope::Files(std::slice::from_ref(path)));
        if committed.is_err() {
            match before {
                Some(before) => put(&file, &before)?,
                None => fs::remove_file(&file).map_err(cannot("remove", &file))?,
            }
        }
        committed
    }

    /// Deletes the file at `path` and commits that alone.
    ///
    /// # Errors
    /// [`WorkError`] when git does not know it, it has changes, or the commit is refused; then it is as it was.
    pub fn delete(&self, path: &TreePath, message: &str) -> Result<EntryId, WorkError> {
        let file = self.file(path)?;
        if !self.is_known(path)? {
            return Err(WorkError::Path { path: path.0.clone(), why: "is no file git knows" });
        }
        if !self.is_clean(path)? {
            return Err(WorkError::Uncommitted(path.0.clone()));
        }
        let bytes = fs::read(&file).map_err(cannot("read", &file))?;
        let mode = fs::metadata(&file).map_err(cannot("look at", &file))?.permissions();
        fs::remove_file(&file).map_err(cannot("remove", &file))?;
        let committed = self.commit(message, Scope::Files(std::slice::from_ref(path)));
        if committed.is_err() {
            put(&file, &bytes)?;
            fs::set_permissions(&file, mode).map_err(cannot("restore", &file))?;
        }
        committed
    }

    /// Whether the file is in the index.
    fn is_known(&self, path: &TreePath) -> Result<bool, WorkError> {
        self.says(&["--literal-pathspecs", "ls-files", "--error-unmatch", "--", path.as_str()])
    }

    /// Whether the file is as the last commit has it; nothing is before the first.
    fn is_clean(&self, path: &TreePath) -> Result<bool, WorkError> {
        Ok(self.tip()?.is_some()
            && self.says(&["--literal-pathspecs", "diff", "--quiet", "HEAD", "--", path.as_str()])?)
    }
}

/// Writes a file whole or not at all, its folders made.
fn put(file: &Path, bytes: &[u8]) -> Result<(), WorkError> {
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder).map_err(cannot("make", folder))?;
    let mut fresh = file.as_os_str().to_owned();
    fresh.push(format!(".datum-{}", std::process::id()));
    let fresh = PathBuf::from(fresh);
    let mode = fs::metadata(file).ok().map(|meta| meta.permissions());
    let written = fs::write(&fresh, bytes)
        .and_then(|()| mode.map_or(Ok(()), |mode| fs::set_permissions(&fresh, mode)))
        .and_then(|()| fs::rename(&fresh, file));
    written.map_err(|error| {
        let _ = fs::remove_file(&fresh);
        cannot("write", file)(error)
    })
}
