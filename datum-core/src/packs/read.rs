//! Whole objects from packs, the bases of deltas kept: who reads many segments meets the same base again and again.
//!
//! gix keeps what deltas come to, and not the objects they begin from, so that each delta would inflate its base anew.

use super::{Packs, delta};
use crate::id::EntryId;
use gix::objs::Kind;
use gix::odb::pack::cache::Never;
use gix::odb::pack::data;
use gix::odb::pack::data::entry::Header;
use std::collections::VecDeque;

/// How much of bases is kept, bytes: git deltas an object from one of the ten like it, which may be far from it in a log.
const KEPT_MAX: usize = 8 * 1024 * 1024;
/// How many are kept: they are looked through one after the other.
const BASES_MAX: usize = 160;
/// Deltas on one another; git makes 50 at the most, unless it is told to.
const DEPTH_MAX: u32 = 64;

/// Largest delta that is read here, bytes.
const DELTA_MAX: usize = 64 * 1024 * 1024;

struct Base {
    pack: usize,
    offset: u64,
    kind: Kind,
    bytes: Vec<u8>,
}

/// The bases used last, the newest first.
#[derive(Default)]
pub(super) struct Bases(VecDeque<Base>);

impl Bases {
    fn take(&mut self, pack: usize, offset: u64) -> Option<Base> {
        let at = self.0.iter().position(|base| (base.pack, base.offset) == (pack, offset))?;
        self.0.remove(at)
    }

    fn keep(&mut self, base: Base) {
        self.0.push_front(base);
        let mut kept = 0;
        let mut fits = |base: &Base| {
            kept += base.bytes.len();
            kept <= KEPT_MAX
        };
        let count = self.0.iter().take(BASES_MAX).take_while(|base| fits(base)).count();
        self.0.truncate(count);
    }
}

impl Packs {
    /// Reads an object into `out`; `None` where it is in no pack, or cannot be read so.
    pub(crate) fn read(&mut self, id: EntryId, out: &mut Vec<u8>) -> Option<Kind> {
        let (pack, offset) = self.locate(id)?;
        self.decode(pack, offset, DEPTH_MAX, out)
    }

    fn decode(&mut self, pack: usize, offset: u64, depth: u32, out: &mut Vec<u8>) -> Option<Kind> {
        let data = &self.all.get(pack)?.data;
        let entry = data.entry(offset).ok()?;
        let Header::OfsDelta { base_distance } = entry.header else {
            let outcome =
                data.decode_entry(entry, out, &mut self.inflate, &|_, _| Ok(None), &mut Never).ok()?;
            return Some(outcome.kind);
        };
        let at = offset.checked_sub(base_distance).filter(|at| *at < offset)?;
        let base = match self.bases.take(pack, at) {
            Some(base) => base,
            None => {
                let mut bytes = Vec::new();
                let kind = self.decode(pack, at, depth.checked_sub(1)?, &mut bytes)?;
                Base { pack, offset: at, kind, bytes }
            }
        };
        let whole = self.apply(pack, &entry, &base.bytes, out);
        let kind = base.kind;
        self.bases.keep(base);
        whole.map(|()| kind)
    }

    /// Makes of `base` what a delta says.
    fn apply(&mut self, pack: usize, entry: &data::Entry, base: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let data = &self.all.get(pack)?.data;
        let size = usize::try_from(entry.decompressed_size).ok().filter(|size| *size <= DELTA_MAX)?;
        if self.delta.len() < size {
            self.delta.resize(size, 0);
        }
        data.decompress_entry(entry, &mut self.inflate, &mut self.delta[..size]).ok()?;
        delta::apply(base, &self.delta[..size], out)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make their own repositories")]
mod tests {
    use super::*;
    use crate::Store;
    use crate::testing::{git, repository};
    use std::fs;

    #[test]
    fn objects_are_read_as_git_reads_them_whatever_they_are_deltas_of() {
        let dir = repository(&[]);
        let line = |at: usize| format!("{at} {}\n", at * 7919 % 1013);
        for commit in 0..30 {
            let text: String = (commit..800 + commit * 20).map(line).collect();
            fs::write(dir.path().join("grows"), text).unwrap();
            git(dir.path(), &["add", "."]);
            git(dir.path(), &["commit", "-qm", "x"]);
        }
        git(dir.path(), &["repack", "-qadf", "--depth=20"]);
        let deltas = git(dir.path(), &["cat-file", "--batch-check=%(deltabase)", "--batch-all-objects"]);
        assert!(deltas.lines().filter(|base| !base.trim_matches('0').is_empty()).count() > 20);
        let ids = git(dir.path(), &["cat-file", "--batch-check=%(objectname)", "--batch-all-objects"]);
        let store = Store::open(dir.path()).unwrap();
        let snapshot = store.snapshot().unwrap();
        let mut packs = Packs::open(snapshot.odb().objects_dir(), snapshot.odb().hash_kind());
        let mut out = Vec::new();
        for id in ids.lines().chain(ids.lines().rev()) {
            let id = EntryId::from_hex(id).unwrap();
            let kind = packs.read(id, &mut out).unwrap();
            assert_eq!(snapshot.hash(kind, &out), Some(id));
        }
        let bytes = |bases: &Bases| bases.0.iter().map(|base| base.bytes.len()).sum::<usize>();
        assert!(bytes(&packs.bases) > 0);
        let base = |pack| Base { pack, offset: 0, kind: Kind::Blob, bytes: vec![0; KEPT_MAX / 3] };
        (0..9).for_each(|pack| packs.bases.keep(base(pack)));
        assert_eq!(packs.bases.0.iter().map(|base| base.pack).collect::<Vec<_>>(), [8, 7, 6]);
    }
}
