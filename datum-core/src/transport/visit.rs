//! Another repository fetched whole for a moment: its branches, tags and logs, to be looked at and forgotten.

use super::scratch::format_of;
use super::{Remote, TransportError, Trouble};
use crate::git::Git;
use std::path::Path;
use tempfile::TempDir;

/// A copy of another repository; the folder goes with this value.
#[derive(Debug)]
pub struct Visit {
    dir: TempDir,
}

impl Visit {
    /// Where the copy is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

impl Remote {
    /// Fetches the whole of the other repository into a folder of a moment; nothing is checked out.
    ///
    /// # Errors
    /// [`TransportError`] when it cannot be reached or read.
    pub fn visit(&self) -> Result<Visit, TransportError> {
        let cannot = |message: String| {
            TransportError::new(&self.location, "make a scratch repository", Trouble::Program, &message)
        };
        let dir = tempfile::tempdir().map_err(|error| cannot(error.to_string()))?;
        let head = self.default_branch().ok();
        let format = head.as_ref().map_or("sha1", |(_, id)| format_of(*id));
        Git::init_as(dir.path(), &[&format!("--object-format={format}")])
            .map_err(|error| cannot(error.to_string()))?;
        let git = Git::new(&dir.path().join(".git"));
        let quiet = ["-c", "core.hooksPath=/dev/null", "-c", "maintenance.auto=false", "-c", "gc.auto=0"];
        let mut command = git.command_with(&quiet, "fetch");
        command.current_dir(&self.dir);
        command.args(["--quiet", "--no-tags", "--update-head-ok", "--refmap=", "--", &self.location]);
        command.args(["heads", "tags", "datum"].map(|kind| format!("+refs/{kind}/*:refs/{kind}/*")));
        let output = self.run(command, "fetch", Vec::new())?;
        if !output.status.success() {
            return Err(self.failed("fetch", &output));
        }
        // A repository without a branch keeps the head it was made with.
        if let Some((branch, _)) = head {
            let mut command = git.command_with(&quiet, "symbolic-ref");
            command.args(["HEAD", &format!("refs/heads/{branch}")]);
            let output = self.run(command, "name its branch", Vec::new())?;
            if !output.status.success() {
                return Err(self.failed("name its branch", &output));
            }
        }
        Ok(Visit { dir })
    }
}
