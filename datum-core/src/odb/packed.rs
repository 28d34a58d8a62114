//! Asking the packs themselves, for who asks for very many objects.

use super::{ObjectError, ObjectKind, Odb};
use crate::id::EntryId;
use crate::packs::{self, Packs, Placed};
use std::collections::BTreeSet;
use std::{fs, io};

/// Objects alike that are asked for before packs are opened for them.
const ALIKE_MIN: u32 = 5;

impl Odb {
    /// Reads an object of the kind `want` into `buffer`, one of many that may be alike: the bases of deltas are kept.
    pub(crate) fn read_alike<'b>(
        &self,
        id: EntryId,
        want: ObjectKind,
        buffer: &'b mut Vec<u8>,
    ) -> Result<&'b [u8], ObjectError> {
        self.alike.set(self.alike.get().saturating_add(1));
        // For a few, to open the packs would cost more than it spares.
        if self.alike.get() >= ALIKE_MIN && self.packs(|packs| packs.read(id, buffer)) == Some(want) {
            return Ok(buffer);
        }
        // Whatever else there is to say is said there.
        self.read_packed_first(id, want, buffer)
    }

    /// Asks the packs of this repository; there are none where objects are replaced.
    fn packs<T>(&self, ask: impl FnOnce(&mut Packs) -> T) -> T {
        let open = || {
            if self.has_replacements() {
                Packs::none()
            } else {
                Packs::open(&self.objects_dir, self.hash_kind)
            }
        };
        ask(self.packs.borrow_mut().get_or_insert_with(open))
    }

    /// Where an object lies in a pack, and its size, for who asks for very many; `None` where it is in none.
    pub(crate) fn placed(&self, id: EntryId) -> Option<Placed> {
        self.packs(|packs| packs.find(id))
    }

    /// The objects of which alone it can be that they have more than `most` bytes, if that is cheaper told than by
    /// asking for the sizes of `files`; see [`Packs::larger`] for what it takes on trust.
    pub(crate) fn larger(&self, most: u64, files: usize) -> Option<BTreeSet<EntryId>> {
        let elsewhere = self.objects_dir.join("info/alternates").exists() || self.is_partial();
        // What was packed since they were opened must not be passed over: who is not told of it does not ask.
        self.packs.replace(None);
        let mut found = self.packs(|packs| {
            let useless = elsewhere || packs.len() == 0 || packs.len() > files as u64 * 4;
            if useless { None } else { packs.larger(most) }
        })?;
        found.extend(packs::larger_loose(&self.objects_dir, most)?);
        Some(found)
    }

    /// Whether other objects stand for some (`git replace`), or may.
    fn has_replacements(&self) -> bool {
        let common_dir = self.shallow_file.with_file_name("");
        let is_packed = || match fs::read(common_dir.join("packed-refs")) {
            Ok(refs) => memchr::memmem::find(&refs, b" refs/replace/").is_some(),
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        };
        common_dir.join("refs/replace").exists() || common_dir.join("reftable").exists() || is_packed()
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{git, repository};
    use crate::{EntryId, Store};
    use std::collections::BTreeSet;
    use std::fs;

    #[test]
    fn what_is_packed_after_the_packs_were_opened_is_found() {
        let dir = repository(&[]);
        let commit = |name: &str, size: usize| {
            fs::write(dir.path().join(name), vec![b'x'; size]).unwrap();
            git(dir.path(), &["add", "."]);
            git(dir.path(), &["commit", "-qm", name]);
            git(dir.path(), &["repack", "-qd"]);
            let id = git(dir.path(), &["rev-parse", &format!("HEAD:{name}")]);
            EntryId::from_hex(id.trim()).unwrap()
        };
        let small = commit("small", 10);
        let store = Store::open(dir.path()).unwrap();
        let snapshot = store.snapshot().unwrap();
        let odb = snapshot.odb();
        assert_eq!(odb.placed(small).map(|placed| placed.size), Some(10));
        assert_eq!(odb.larger(1000, 100), Some(BTreeSet::new()));
        let large = commit("large", 2000);
        assert_eq!(odb.larger(1000, 100), Some(BTreeSet::from([large])));
        assert_eq!(odb.placed(small).map(|placed| placed.size), Some(10));
    }
}
