//! One search of a push: the rules for secrets, and what its caller looks for besides.

use crate::id::EntryId;
use crate::secret::{self, Finding};
use std::collections::BTreeSet;

/// What else is found in a text, and whether all of the text could be looked at.
pub type Also<'a> = &'a dyn Fn(&[u8]) -> (Vec<Finding>, bool);

/// A search under way.
pub(super) struct Search<'a> {
    /// Files that were looked at.
    pub(super) seen: BTreeSet<EntryId>,
    pub(super) also: Option<Also<'a>>,
    /// Most files that are looked at; where there are more, what was found so far is not the whole truth.
    pub(super) most: usize,
    /// Most bytes of them.
    pub(super) most_bytes: u64,
}

impl Search<'_> {
    /// Whether as much was looked at as may be, `bytes` being what was read.
    pub(super) fn is_spent(&self, bytes: u64) -> bool {
        self.seen.len() > self.most || bytes > self.most_bytes
    }

    /// What is found besides, by no rule.
    pub(super) fn more(&self, text: &[u8]) -> Vec<Finding> {
        self.also.map(|also| also(text).0).unwrap_or_default()
    }

    /// All that is found, and whether all of the text could be looked at.
    pub(super) fn look(&self, path: &str, text: &[u8]) -> (Vec<Finding>, bool) {
        let mut found = secret::scan(path, text);
        let (more, whole) = self.also.map_or_else(|| (Vec::new(), true), |also| also(text));
        found.extend(more);
        (found, whole)
    }
}
