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

fn cannot<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> WorkError + 'a {
    move |source| WorkError::File { doing, path: path.to_owned(), source }
}

impl WorkTree {
    /// The file at `path`, after a look that no folder on the way is a symbolic link.
    fn file(&self, path: &TreePath) -> Result<PathBuf, WorkError> {
        let mut file = self.root.clone();
        for part in path.as_str().split('/') {
            file.push(part);
            match fs::symlink_metadata(&file) {
                Ok(meta) if meta.is_symlink() => {
                    let why = "is a symbolic link, or lies behind one";
                    return Err(WorkError::Path { path: path.0.clone(), why });
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(cannot("look at", &file)(error)),
            }
        }
        Ok(file)
    }

    /// Reads the file at `path` of the commit `rev`.
    ///
    /// # Errors
    /// [`WorkError::Git`] when there is no such commit or file.
    pub fn read(&self, path: &TreePath, rev: &str) -> Result<Vec<u8>, WorkError> {
        let object = format!("{rev}:{}", path.as_str());
        let output = self.ask(&["cat-file", "blob", "--end-of-options", &object])?;
        // git before 2.43 takes no --end-of-options here; the path keeps a revision from being an option.
        let output = if output.status.success() || rev.starts_with('-') {
            output
        } else {
            self.ask(&["cat-file", "blob", &object])?
        };
        if output.status.success() { Ok(output.stdout) } else { Err(failed("cat-file", &output).into()) }
    }

    /// Writes the file at `path` and commits it alone.
    ///
    /// # Errors
    /// [`WorkError`] when it cannot be written or the commit is refused; then the file is as it was.
    pub fn write(&self, path: &TreePath, bytes: &[u8], message: &str) -> Result<EntryId, WorkError> {
        let file = self.file(path)?;
        let before = match fs::read(&file) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(cannot("read", &file)(error)),
        };
        put(&file, bytes)?;
        let committed = self.commit(message, Scope::Files(std::slice::from_ref(path)));
        if committed.is_err() {
            match before {
                Some(before) => put(&file, &before)?,
                None => fs::remove_file(&file).map_err(cannot("remove", &file))?,
            }
            self.unstage(path);
        }
        committed
    }

    /// Deletes the file at `path` and commits that alone.
    ///
    /// # Errors
    /// [`WorkError`] when git does not know it, it has changes, or the commit is refused; then it is as it was.
    pub fn delete(&self, path: &TreePath, message: &str) -> Result<EntryId, WorkError> {
        let file = self.file(path)?;
        let known = self.ask(&["--literal-pathspecs", "ls-files", "--error-unmatch", "--", path.as_str()])?;
        if !known.status.success() {
            return Err(WorkError::Path { path: path.0.clone(), why: "is no file git knows" });
        }
        let clean = self.ask(&["--literal-pathspecs", "diff", "--quiet", "HEAD", "--", path.as_str()])?;
        if !clean.status.success() {
            return Err(WorkError::Path { path: path.0.clone(), why: "has changes that are not committed" });
        }
        let bytes = fs::read(&file).map_err(cannot("read", &file))?;
        let mode = fs::metadata(&file).map_err(cannot("look at", &file))?.permissions();
        fs::remove_file(&file).map_err(cannot("remove", &file))?;
        let committed = self.commit_deletion(path, message);
        if committed.is_err() {
            put(&file, &bytes)?;
            fs::set_permissions(&file, mode).map_err(cannot("restore", &file))?;
            self.unstage(path);
        }
        committed
    }

    fn commit_deletion(&self, path: &TreePath, message: &str) -> Result<EntryId, WorkError> {
        let args = ["--literal-pathspecs", "commit", "--quiet", "--file=-", "--only", "--", path.as_str()];
        self.run("commit", &args, message)?;
        self.head()
    }

    /// Sets what is staged of `path` back to the last commit.
    fn unstage(&self, path: &TreePath) {
        // Before the first commit there is nothing to go back to but "not there".
        let reset = ["--literal-pathspecs", "reset", "--quiet", "--", path.as_str()];
        let remove = ["--literal-pathspecs", "rm", "--quiet", "--cached", "--", path.as_str()];
        let _ = if self.head().is_ok() { self.ask(&reset) } else { self.ask(&remove) };
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
