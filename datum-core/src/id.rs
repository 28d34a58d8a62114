//! The id of an entry: the id of its commit, or of its blob for a bottle that is a file.

use std::collections::{HashMap, HashSet};
use std::fmt;

/// A map by id. An id in a trailer is whatever its writer likes, so hashes hang on a seed, and on all of the id.
pub(crate) type IdMap<T> = HashMap<EntryId, T, foldhash::fast::RandomState>;
/// A set of ids, as [`IdMap`].
pub(crate) type IdSet = HashSet<EntryId, foldhash::fast::RandomState>;

/// The id of an entry or of an object, SHA-1 or SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub(crate) gix::ObjectId);

impl EntryId {
    /// The id whose full hexadecimal form is `hex`, 40 or 64 digits.
    pub fn from_hex(hex: &str) -> Option<Self> {
        gix::ObjectId::from_hex(hex.as_bytes()).ok().map(Self)
    }

    /// The first `digits` hexadecimal digits.
    pub fn short(&self, digits: usize) -> String {
        self.0.to_hex_with_len(digits).to_string()
    }

    /// All hexadecimal digits, written into `buffer`.
    pub fn hex<'b>(&self, buffer: &'b mut [u8; 64]) -> &'b str {
        self.0.hex_to_buf(buffer)
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl serde::Serialize for EntryId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.hex(&mut [0; 64]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::BuildHasher as _;

    #[test]
    fn ids_that_begin_alike_do_not_fall_together() {
        let id = |end: u32| EntryId::from_hex(&format!("{:032}{end:08x}", 0)).unwrap();
        let (one, other) = (IdSet::default(), IdSet::default());
        assert_ne!(one.hasher().hash_one(id(1)), one.hasher().hash_one(id(2)));
        assert_ne!(one.hasher().hash_one(id(1)), other.hasher().hash_one(id(1)));
    }
}
