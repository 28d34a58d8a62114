//! Finding the repository that a path is in.

use crate::store::{OpenOptions, StoreError};
use gix::sec::trust::Mapping;
use std::path::{Path, PathBuf};

/// Opens the repository that `path` is in.
pub(crate) fn discover(path: &Path, options: &OpenOptions) -> Result<gix::Repository, StoreError> {
    use gix::open::{Options, Permissions};
    let permissions = if options.user_configuration { Permissions::all() } else { Permissions::isolated() };
    let one = Options::default().permissions(permissions);
    let opened = if let Some(git_dir) = &options.git_dir {
        gix::ThreadSafeRepository::open_opts(git_dir, one)
    } else {
        let trust = Mapping { full: one.clone(), reduced: one };
        gix::ThreadSafeRepository::discover_opts(path, gix::discover::upwards::Options::default(), trust)
    };
    match opened {
        Ok(repo) => Ok(repo.to_thread_local()),
        Err(error) if error.is_not_found() => Err(StoreError::NotARepository { path: path.to_owned() }),
        Err(error) => {
            let message = error.iter_errors().last().map_or_else(|| error.to_string(), ToString::to_string);
            Err(StoreError::Open { path: path.to_owned(), message })
        }
    }
}

/// The path without links and from the root, as far as the system can tell.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
