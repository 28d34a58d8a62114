//! The id of this clone: made once, kept in the folder all its work trees share.

use crate::stamp::CloneId;
use crate::store::{Store, StoreError};
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io::ErrorKind;
use std::path::Path;

/// Reads the id kept in `folder`, or makes one.
///
/// # Errors
/// [`StoreError::File`] when the file can neither be read nor made, or holds no id.
pub(crate) fn read_or_make(folder: &Path) -> Result<CloneId, StoreError> {
    let path = folder.join("clone");
    let file = |doing, source| StoreError::File { doing, path: path.clone(), source };
    for _ in 0..8 {
        match fs::read_to_string(&path) {
            Ok(text) => {
                let text = text.trim_ascii_end();
                return CloneId::new(text).map_err(|error| file("use", std::io::Error::other(error)));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(file("read", error)),
        }
        fs::create_dir_all(folder).map_err(|error| file("create", error))?;
        // A link appears whole or not at all, and never replaces the id another process has just made.
        let fresh = folder.join(format!("clone.{}", random_id()));
        let made =
            fs::write(&fresh, format!("{}\n", random_id())).and_then(|()| fs::hard_link(&fresh, &path));
        let _ = fs::remove_file(&fresh);
        match made {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(file("create", error)),
            _ => {}
        }
    }
    Err(file("read", ErrorKind::NotFound.into()))
}

impl Store {
    /// The id of this clone, if it has one yet.
    pub(crate) fn known_clone_id(&self) -> Option<CloneId> {
        let read = || fs::read_to_string(self.common_dir.join("datum/clone")).ok();
        let known = self.clone.borrow().clone();
        known.or_else(|| CloneId::new(read()?.trim_ascii_end()).ok())
    }

    /// The id that this clone writes under, if it has written yet.
    pub fn clone_id(&self) -> Option<CloneId> {
        self.known_clone_id()
    }

    /// Gives this clone the id `id`, because a copy of it writes under the one it has.
    ///
    /// # Errors
    /// [`StoreError::File`] when the id cannot be kept.
    pub(crate) fn change_clone_id(&self, id: CloneId) -> Result<(), StoreError> {
        let path = self.common_dir.join("datum/clone");
        let fresh = path.with_extension(id.as_str());
        let made = fs::write(&fresh, format!("{id}\n")).and_then(|()| fs::rename(&fresh, &path));
        made.map_err(|source| StoreError::File { doing: "replace", path, source })?;
        *self.clone.borrow_mut() = Some(id);
        Ok(())
    }
}

/// An id that no clone has yet.
pub(crate) fn fresh() -> Result<CloneId, StoreError> {
    CloneId::new(&random_id()).map_err(|error| StoreError::File {
        doing: "make",
        path: "datum/clone".into(),
        source: std::io::Error::other(error),
    })
}

/// Eight characters of `a-z0-9`, from the keys the system gives every process for its hash tables.
fn random_id() -> String {
    let mut number = RandomState::new().hash_one(std::process::id());
    let digit = |number: &mut u64| {
        let digit = b"abcdefghijklmnopqrstuvwxyz0123456789"[usize::try_from(*number % 36).unwrap_or(0)];
        *number /= 36;
        char::from(digit)
    };
    (0..CloneId::LEN).map(|_| digit(&mut number)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let ids: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| read_or_make(&folder.path().join("datum")).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(fs::read_dir(folder.path().join("datum")).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_holds_no_id_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("clone"), "../../x").unwrap();
        let error = read_or_make(folder.path()).unwrap_err().to_string();
        assert!(error.contains("clone"), "{error}");
    }
}
