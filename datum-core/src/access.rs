//! Access records: what was read, refused and granted through datum, as entries of kind `audit`.
//!
//! A record is written before a value is released: no record, no value. It outlives whatever process dies; to outlive a
//! power cut it is flushed too, by a keeper that serves others, whose only trace it is, and where `datum.durability` is
//! `full`. An agent that opens for itself holds the keys and could leave no record at all, so it does not wait for the
//! disk. What someone reads with the keys in hand and without datum, no record can tell.

use crate::entry::{Draft, DraftError, Entry};
use crate::kind::Kind;
use crate::name::{AgentName, Word};
use crate::snapshot::Snapshot;
use crate::stamp::Millis;
use std::ops::ControlFlow;

/// The trailer that says what was done.
pub const ACCESS: &str = "Access";
/// The trailer that names what it was done to.
pub const NAME: &str = "Name";
/// The trailer that names what was refused.
pub const DENIED: &str = "Denied";

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Values were released, or refused.
    Read,
    /// Values were written out together.
    Export,
    /// A value was set.
    Set,
    /// A grant was made.
    Grant,
    /// A grant was taken back.
    Revoke,
    /// A name was taken out of use.
    Destroy,
    /// A command was run with values in its hands.
    Run,
}

impl What {
    /// The word in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Export => "export",
            Self::Set => "set",
            Self::Grant => "grant",
            Self::Revoke => "revoke",
            Self::Destroy => "destroy",
            Self::Run => "run",
        }
    }
}

/// One access to be recorded; many names make one record.
#[derive(Debug, Clone)]
pub struct Access<'a> {
    /// What was done.
    pub what: What,
    /// To which names.
    pub names: &'a [Word],
    /// Which names were refused.
    pub denied: &'a [Word],
    /// The agent that a grant is for.
    pub member: Option<&'a AgentName>,
    /// What for, in the caller's words.
    pub purpose: Option<&'a str>,
}

impl Access<'_> {
    /// Drafts the record.
    ///
    /// # Errors
    /// [`DraftError`] for a purpose that is no plain line.
    pub fn draft(&self) -> Result<Draft, DraftError> {
        let count = self.names.len() + self.denied.len();
        let of = match (self.names, self.denied) {
            ([], []) => "with no names".to_owned(),
            ([name], []) | ([], [name]) => name.to_string(),
            _ => format!("{count} names"),
        };
        let refused = if self.denied.is_empty() { "" } else { " (refused)" };
        let mut draft = Draft::new(&format!("Access: {} {of}{refused}", self.what.as_str()), "")?;
        draft = draft.with(ACCESS, self.what.as_str())?;
        for name in self.names {
            draft = draft.with(NAME, name.as_str())?;
        }
        for name in self.denied {
            draft = draft.with(DENIED, name.as_str())?;
        }
        if let Some(member) = self.member {
            draft = draft.with("Member", member.as_str())?;
        }
        if let Some(purpose) = self.purpose {
            draft = draft.with("Purpose", purpose)?;
        }
        Ok(draft)
    }
}

/// Which records to list.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only by this agent.
    pub agent: Option<AgentName>,
    /// Only about this name.
    pub name: Option<Word>,
    /// Only with refusals.
    pub denied: bool,
    /// Only at or after this time.
    pub since: Option<Millis>,
    /// At most so many.
    pub limit: Option<usize>,
}

/// Lists records, newest first.
pub fn list(snapshot: &Snapshot<'_>, query: &Query) -> Vec<Entry> {
    let mut found = Vec::new();
    let limit = query.limit.unwrap_or(usize::MAX);
    snapshot.walk(Kind::Audit, |view| {
        if found.len() >= limit || query.since.is_some_and(|since| view.clock() < since) {
            return ControlFlow::Break(());
        }
        let about = |name: &Word| view.values(NAME).chain(view.values(DENIED)).any(|is| is == name.as_str());
        let takes = view.trailer(ACCESS).is_some()
            && query.agent.as_ref().is_none_or(|agent| agent.as_str() == view.agent())
            && query.name.as_ref().is_none_or(about)
            && (!query.denied || view.trailer(DENIED).is_some());
        if takes {
            found.push(snapshot.whole(view));
        }
        ControlFlow::Continue(())
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{repository, stamp};
    use crate::{Store, StoreError};

    #[test]
    fn one_record_for_a_batch_and_found_again() {
        let dir = repository(&[]);
        let store = Store::open(dir.path()).unwrap();
        let name = |text| Word::new("name", text).unwrap();
        let (names, denied) = ([name("x"), name("y")], [name("z")]);
        let access = Access {
            what: What::Read,
            names: &names,
            denied: &denied,
            member: None,
            purpose: Some("deploy"),
        };
        let draft = access.draft().unwrap();
        store.apply::<StoreError>(Kind::Audit, &stamp("a", 0), |_| Ok(vec![draft.clone()])).unwrap();
        let snapshot = store.snapshot().unwrap();
        let find = |query: Query| list(&snapshot, &query).len();
        assert_eq!(find(Query { name: Some(name("z")), denied: true, ..Query::default() }), 1);
        assert_eq!(find(Query { name: Some(name("q")), ..Query::default() }), 0);
        assert_eq!(find(Query { agent: Some(AgentName::new("b").unwrap()), ..Query::default() }), 0);
        assert_eq!(list(&snapshot, &Query::default())[0].subject, "Access: read 3 names (refused)");
    }
}
