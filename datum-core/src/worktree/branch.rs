//! Branches: made, listed and checked out.

use super::{WorkError, WorkTree};

/// What the full name of a branch begins with.
const HEADS: &str = "refs/heads/";

impl WorkTree {
    /// The branch that is checked out.
    ///
    /// # Errors
    /// [`WorkError::NoBranch`] where none is.
    pub fn current_branch(&self) -> Result<String, WorkError> {
        self.output(&["symbolic-ref", "--short", "--quiet", "HEAD"]).map_err(|_| WorkError::NoBranch)
    }

    /// The branches, by name.
    ///
    /// # Errors
    /// [`WorkError::Git`] when git cannot say.
    pub fn branches(&self) -> Result<Vec<String>, WorkError> {
        let listed = self.output(&["for-each-ref", "--format=%(refname)", HEADS])?;
        Ok(listed.lines().filter_map(|name| name.strip_prefix(HEADS)).map(str::to_owned).collect())
    }

    /// Makes a branch at `from`, or at the commit that is checked out, and checks it out.
    ///
    /// # Errors
    /// [`WorkError`] when there is one of the name, `from` is nothing, or changes would be lost.
    pub fn branch(&self, name: &str, from: Option<&str>) -> Result<(), WorkError> {
        self.check_branch(name)?;
        if self.has_branch(name)? {
            return Err(WorkError::BranchThere(name.to_owned()));
        }
        from.map_or(Ok(()), |from| self.check_commit(from))?;
        self.switch(&[&["--create", name][..], from.as_slice()].concat())
    }

    /// Checks a branch out, `-` being the one before; answers with its name.
    ///
    /// # Errors
    /// [`WorkError`] when there is none of the name, or changes would be lost.
    pub fn checkout(&self, name: &str) -> Result<String, WorkError> {
        let name = if name == "-" { self.previous()? } else { name.to_owned() };
        self.check_branch(&name)?;
        // A remote's branch becomes one here, as git does it.
        let of_remotes = || self.output(&["for-each-ref", "--count=1", &format!("refs/remotes/*/{name}")]);
        if !self.has_branch(&name)? && of_remotes()?.is_empty() {
            return Err(WorkError::UnknownBranch(name));
        }
        self.switch(&[&name])?;
        Ok(name)
    }

    fn switch(&self, args: &[&str]) -> Result<(), WorkError> {
        let output = self.ask(&[&["switch", "--quiet"][..], args].concat())?;
        if output.status.success() { Ok(()) } else { Err(WorkError::unchanged("switch", &output)) }
    }

    /// The branch that was checked out before this one.
    fn previous(&self) -> Result<String, WorkError> {
        let output = self.ask(&["rev-parse", "--symbolic-full-name", "@{-1}"])?;
        let name = String::from_utf8_lossy(&output.stdout);
        name.trim_end().strip_prefix(HEADS).map(str::to_owned).ok_or(WorkError::NoPrevious)
    }

    fn has_branch(&self, name: &str) -> Result<bool, WorkError> {
        self.says(&["show-ref", "--verify", "--quiet", &format!("{HEADS}{name}")])
    }

    fn check_branch(&self, name: &str) -> Result<(), WorkError> {
        let bad = || WorkError::Branch(name.to_owned());
        if name.starts_with('-') {
            return Err(bad());
        }
        if self.ask(&["check-ref-format", &format!("{HEADS}{name}")])?.status.success() {
            Ok(())
        } else {
            Err(bad())
        }
    }
}
