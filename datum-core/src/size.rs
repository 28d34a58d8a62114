//! Where the bytes are.

use crate::adopt::container;
use crate::compact::ARCHIVE;
use crate::git::GitError;
use crate::kind::Kind;
use crate::refs::PREFIX;
use crate::snapshot::Snapshot;
use crate::store::{Store, StoreError};
use crate::sync::{FORKS, TRACKING};

/// One part of the state, and what it takes on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// A kind of log, or `adopted`, `archive`, `forks`, `remotes`.
    pub name: String,
    /// Refs it has.
    pub refs: usize,
    /// Entries in its logs.
    pub entries: u64,
    /// Bytes of its objects on the disk, those counted in a part before left out.
    pub bytes: u64,
}

impl Store {
    /// Measures every kind of log, then what is kept beside them.
    ///
    /// One run of git a part that has refs.
    ///
    /// # Errors
    /// [`StoreError`] when the refs cannot be listed or git cannot measure.
    pub fn size(&self, snapshot: &Snapshot<'_>) -> Result<Vec<Part>, StoreError> {
        let mut parts = Vec::new();
        let mut before: Vec<String> = Vec::new();
        let kinds = Kind::ALL.map(|kind| (kind.to_string(), format!("{PREFIX}{kind}/")));
        let beside =
            [("adopted", container::PREFIX), ("forks", FORKS), ("archive", ARCHIVE), ("remotes", TRACKING)];
        let beside = beside.map(|(name, prefix)| (name.to_owned(), prefix.to_owned()));
        for (name, prefix) in kinds.into_iter().chain(beside) {
            let refs = self.refs.list(&prefix)?.0.len();
            let of_kind = |(kind, writer, _)| {
                let part = match snapshot.adopted(kind, writer) {
                    Some(_) => name == "adopted",
                    None => Kind::parse(&name) == Some(kind),
                };
                part.then(|| snapshot.length(kind, writer))
            };
            let entries = snapshot.tips().filter_map(of_kind).sum();
            let glob = format!("{prefix}*");
            if refs > 0 {
                parts.push(Part { name, refs, entries, bytes: self.disk_usage(&glob, &before)? });
            }
            before.push(glob);
        }
        Ok(parts)
    }

    fn disk_usage(&self, glob: &str, without: &[String]) -> Result<u64, GitError> {
        let mut args = vec!["--objects".to_owned(), "--disk-usage".to_owned(), format!("--glob={glob}")];
        args.push("--not".to_owned());
        args.extend(without.iter().map(|glob| format!("--glob={glob}")));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let said = self.git.output("rev-list", &args)?;
        Ok(String::from_utf8_lossy(&said).trim().parse().unwrap_or(0))
    }
}
