//! What stays here unless a remote is marked for it: the vault's logs, and the records of who used it.

use super::{Error, Update};
use crate::commit;
use crate::git::Git;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::odb::ObjectKind;
use crate::store::Store;

/// The setting that marks a remote, after `datum.<its name or address>.`.
const SETTING: &str = "sealed";

impl Store {
    /// Whether the vault's logs and access records may leave for `remote`, a name or an address:
    /// whether `datum.<remote>.sealed` is true.
    pub fn takes_sealed(&self, remote: &str) -> bool {
        let is_true = |name: &str| {
            let value = self.setting(&format!("datum.{name}.{SETTING}"));
            value.is_some_and(|value| {
                matches!(value.to_lowercase().as_str(), "true" | "yes" | "on" | "1" | "")
            })
        };
        is_true(remote) || self.remotes_at(remote).iter().any(|name| is_true(name))
    }

    /// Marks a remote, or takes the mark away; answers with the setting that was changed.
    ///
    /// # Errors
    /// [`crate::GitError`] when the configuration cannot be written.
    pub fn mark_sealed(&self, remote: &str, takes: bool) -> Result<String, crate::GitError> {
        let key = format!("datum.{remote}.{SETTING}");
        let value = if takes { "true" } else { "false" };
        Git::new(self.repo().git_dir()).output("config", &["--local", "--replace-all", &key, value])?;
        Ok(key)
    }

    /// The entries of kinds that stay here which `updates` would send to `remote`, with their kinds.
    ///
    /// # Errors
    /// [`Error`] when the history cannot be walked or read.
    pub fn outgoing_sealed(&self, updates: &[Update], remote: &str) -> Result<Vec<(EntryId, Kind)>, Error> {
        let mut buffer = Vec::new();
        let mut found = Vec::new();
        for id in self.outgoing(updates, remote)? {
            let raw = self.odb.read(id, ObjectKind::Commit, &mut buffer)?;
            let kind = commit::parse(raw).and_then(|raw| kind(raw.message));
            found.extend(kind.filter(|kind| kind.stays()).map(|kind| (id, kind)));
        }
        Ok(found)
    }
}

/// The kind that the last four trailers of a message say, whatever else is wrong with it.
fn kind(message: &str) -> Option<Kind> {
    let mut lines = message.trim_end().lines().rev();
    let mut next = |key: &str| lines.next()?.strip_prefix(key);
    let (_seq, _clock, _agent) = (next("Seq: ")?, next("Clock: ")?, next("Agent: ")?);
    Kind::parse(next("Kind: ")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_says_its_kind() {
        assert_eq!(kind("s\n\nKind: vault\nAgent: a\nClock: 1\nSeq: 1\n"), Some(Kind::Vault));
        assert_eq!(kind("Kind: vault\n\nA commit of mine\n"), None);
    }
}
