//! Sizes of objects, from the packs themselves: the index tells the place, the first bytes there the size.
//!
//! gix answers the same, and follows every delta to its root besides, to tell the kind. Who walks a tree knows the kind,
//! and of a hundred thousand files the chains are most of the work.

mod delta;
mod read;

use crate::id::EntryId;
use gix::odb::pack::data::entry::Header;
use gix::odb::pack::data::{self, decode::header::ResolvedBase};
use gix::odb::pack::index;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// How many bytes deflate can make of one, at the most (zlib's technical details).
const INFLATED_MAX: u64 = 1032;
/// A pack that was asked for one object in so many is likely asked for most.
const ASKED_OFTEN: u64 = 32;
/// Objects whose first bytes are read together.
const AHEAD: usize = 16;
/// Guesses at the place of an id before its range is halved instead.
const GUESSES: u32 = 12;

/// Where an object lies, and its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    /// Grows with the place in a pack, one pack after another.
    pub(crate) place: u64,
    /// Bytes.
    pub(crate) size: u64,
}

struct Pack {
    index: index::File,
    data: data::File,
    /// How often it was asked for an object.
    asked: u64,
    /// The beginnings of its ids, in their order: small enough to stay near, where the index itself is not.
    heads: Vec<u32>,
}

impl Pack {
    fn position(&mut self, id: EntryId) -> Option<u32> {
        self.asked += 1;
        if self.heads.is_empty() && self.asked * ASKED_OFTEN > u64::from(self.index.num_objects()) {
            let heads = (0..self.index.num_objects()).map(|at| head(self.index.oid_at_index(at).as_bytes()));
            self.heads = heads.collect();
        }
        let at = |at: u32| self.index.oid_at_index(at);
        let count = self.index.num_objects();
        let want = id.0.as_bytes();
        if self.heads.is_empty() {
            return position(count, want, |place| {
                (head(at(place).as_bytes()), at(place).as_bytes().cmp(want))
            });
        }
        let key = head(want);
        let order = |place: u32| {
            let found = self.heads[place as usize];
            // Ids that begin alike are few.
            (found, found.cmp(&key).then_with(|| at(place).as_bytes().cmp(want)))
        };
        position(count, want, order)
    }
}

/// The packs of one object folder.
pub(crate) struct Packs {
    all: Vec<Pack>,
    /// The pack that had the last object, which likely has the next.
    last: usize,
    inflate: gix::zlib::Inflate,
    bases: read::Bases,
    /// Room for a delta.
    delta: Vec<u8>,
}

impl Packs {
    /// Knows no pack.
    pub(crate) fn none() -> Self {
        Self {
            all: Vec::new(),
            last: 0,
            inflate: gix::zlib::Inflate::default(),
            bases: read::Bases::default(),
            delta: Vec::new(),
        }
    }

    /// Opens the packs of an object folder. What cannot be opened is left out: nothing that is not found here is lost,
    /// it is only looked for again.
    pub(crate) fn open(objects_dir: &Path, hash: gix::hash::Kind) -> Self {
        let mut packs = Self::none();
        for file in fs::read_dir(objects_dir.join("pack")).into_iter().flatten().flatten() {
            let path = file.path();
            if path.extension().is_some_and(|end| end == "idx")
                && let Ok(index) = index::File::at(&path, hash)
                && let Ok(data) = data::File::at(path.with_extension("pack"), hash)
                && data.num_objects() == index.num_objects()
            {
                packs.all.push(Pack { index, data, asked: 0, heads: Vec::new() });
            }
        }
        packs
    }

    /// How many objects there are, the same in two packs twice.
    pub(crate) fn len(&self) -> u64 {
        self.all.iter().map(|pack| u64::from(pack.index.num_objects())).sum()
    }

    /// Finds an object; `None` where it is in no pack, or cannot be read.
    pub(crate) fn find(&mut self, id: EntryId) -> Option<Placed> {
        let (at, offset) = self.locate(id)?;
        let data = &self.all.get(at)?.data;
        let entry = data.entry(offset).ok()?;
        let size = if entry.header.is_base() {
            entry.decompressed_size
        } else {
            delta_size(data, &entry, &mut self.inflate)?
        };
        Some(Placed { place: ((at as u64) << 48) | offset, size })
    }

    /// The pack that an object is in, and its place there.
    fn locate(&mut self, id: EntryId) -> Option<(usize, u64)> {
        let order = std::iter::once(self.last).chain((0..self.all.len()).filter(|at| *at != self.last));
        for at in order {
            let pack = self.all.get_mut(at)?;
            if let Some(position) = pack.position(id) {
                self.last = at;
                return Some((at, pack.index.pack_offset_at_index(position)));
            }
        }
        None
    }

    /// The objects that have more than `most` bytes. `None` where that cannot be told.
    ///
    /// git takes objects for deltas by their size, the larger first (`type_size_sort` in pack-objects): what is stored
    /// as a delta has a base at least as large, and at the end of the chain one that takes room. So where nothing that
    /// takes much room is large, nothing is. Where something is, the pack is gone through in the order of its bytes, and
    /// a delta is opened where it could make so much of its base. A pack that was written to deceive, a delta of
    /// fast-import's that repeats its base more than twice, and an object that is not there are not noticed: who must know
    /// asks for each.
    pub(crate) fn larger(&mut self, most: u64) -> Option<BTreeSet<EntryId>> {
        let mut found = BTreeSet::new();
        for Pack { index, data, .. } in &self.all {
            let mut places: Vec<u64> =
                (0..index.num_objects()).map(|at| index.pack_offset_at_index(at)).collect();
            places.sort_unstable();
            if !has_large(data, &places, most, &mut self.inflate)? {
                continue;
            }
            let mut bounds: Vec<u64> = Vec::with_capacity(places.len());
            let mut large = BTreeSet::new();
            for (at, offset) in places.iter().copied().enumerate() {
                if at.is_multiple_of(AHEAD) {
                    touch(data, &places[at..places.len().min(at + AHEAD)]);
                }
                let entry = data.entry(offset).ok()?;
                let bound = match entry.header {
                    Header::Commit | Header::Tree | Header::Blob | Header::Tag => entry.decompressed_size,
                    Header::RefDelta { .. } => delta_size(data, &entry, &mut self.inflate)?,
                    Header::OfsDelta { base_distance } => {
                        let base = search_back(&places[..at], offset.checked_sub(base_distance)?)?;
                        match bound(entry.decompressed_size, *bounds.get(base)?) {
                            bound if bound <= most => bound,
                            _ => delta_size(data, &entry, &mut self.inflate)?,
                        }
                    }
                };
                bounds.push(bound);
                if bound > most {
                    large.insert(offset);
                }
            }
            if !large.is_empty() {
                let is_large = |at: &u32| large.contains(&index.pack_offset_at_index(*at));
                let ids = (0..index.num_objects()).filter(is_large).map(|at| index.oid_at_index(at));
                found.extend(ids.map(|id| EntryId(id.to_owned())));
            }
        }
        Some(found)
    }
}

/// Reads the first byte of objects far from each other, so that the processor waits for all of them at once.
fn touch(data: &data::File, places: &[u64]) {
    let first = |place: &u64| data.entry_slice(*place..place.saturating_add(1)).map_or(0, |bytes| bytes[0]);
    std::hint::black_box(places.iter().map(first).fold(0, |all, byte| all ^ byte));
}

/// Finds a value among sorted ones that is likely near their end.
fn search_back(sorted: &[u64], want: u64) -> Option<usize> {
    let mut reach = 1;
    while reach < sorted.len() && sorted[sorted.len() - reach] > want {
        reach *= 2;
    }
    let start = sorted.len().saturating_sub(reach);
    sorted[start..].binary_search(&want).ok().map(|at| start + at)
}

/// Whether an object that takes much room in a pack has more than `most` bytes; `places` are those of all, in order.
fn has_large(data: &data::File, places: &[u64], most: u64, inflate: &mut gix::zlib::Inflate) -> Option<bool> {
    let ends = places.iter().skip(1).copied().chain(std::iter::once(data.pack_end() as u64));
    for (&offset, end) in places.iter().zip(ends) {
        if (end - offset).saturating_mul(INFLATED_MAX) <= most {
            continue;
        }
        let entry = data.entry(offset).ok()?;
        let size =
            if entry.header.is_base() { entry.decompressed_size } else { delta_size(data, &entry, inflate)? };
        if size > most {
            return Some(true);
        }
    }
    Some(false)
}

/// Objects that are files of their own and may have more than `most` bytes, by what they take on the disk.
pub(crate) fn larger_loose(objects_dir: &Path, most: u64) -> Option<BTreeSet<EntryId>> {
    let mut found = BTreeSet::new();
    for first in 0..=u8::MAX {
        let first = format!("{first:02x}");
        // A folder that is not there holds nothing.
        for file in fs::read_dir(objects_dir.join(&first)).into_iter().flatten() {
            let file = file.ok()?;
            if file.metadata().is_ok_and(|meta| meta.len().saturating_mul(INFLATED_MAX) > most) {
                found.extend(EntryId::from_hex(&format!("{first}{}", file.file_name().to_str()?)));
            }
        }
    }
    Some(found)
}

/// The most that a delta of `delta` bytes makes of a base of at most `base`.
///
/// It cannot make more than if every instruction copied all of the base. And git makes none of an object more than twice
/// as large as its base (`try_delta` in pack-objects); of what fast-import makes without looking at sizes it is taken on
/// trust that it holds the bytes that are new.
fn bound(delta: u64, base: u64) -> u64 {
    // Without a byte for the length a copy has 64 KiB, so of a smaller base it takes two.
    let copies = if base < 0x1_0000 { delta / 2 + 1 } else { delta };
    copies.saturating_mul(base.max(2)).min(base.saturating_mul(2).saturating_add(delta))
}

/// The size that a delta says its result has.
fn delta_size(data: &data::File, entry: &data::Entry, inflate: &mut gix::zlib::Inflate) -> Option<u64> {
    // With a base elsewhere the chain ends here.
    let header = Header::RefDelta { base_id: data.object_hash().null() };
    let elsewhere = ResolvedBase::OutOfPack { kind: gix::objs::Kind::Blob, num_deltas: None };
    let entry = data::Entry { header, ..entry.clone() };
    data.decode_header(entry, inflate, &|_| Ok(Some(elsewhere.clone()))).ok().map(|found| found.object_size)
}

/// Finds an id among `count` sorted ones: they are hashes, so where it must be can be reckoned.
///
/// `look` answers with the beginning of the id at a place, and how that id compares.
fn position(count: u32, want: &[u8], look: impl Fn(u32) -> (u32, Ordering)) -> Option<u32> {
    let key = u64::from(head(want));
    let (mut low, mut high) = (0, u64::from(count));
    let (mut low_key, mut high_key) = (0, u64::from(u32::MAX));
    let mut guesses = 0;
    while low < high {
        guesses += 1;
        let at = if guesses > GUESSES || key < low_key || key > high_key {
            low.midpoint(high)
        } else {
            // At most 32 bits times 32 bits, and less than `high`.
            low + (key - low_key) * (high - low) / (high_key - low_key + 1)
        };
        let at = u32::try_from(at).ok()?;
        match look(at) {
            (_, Ordering::Equal) => return Some(at),
            (found, Ordering::Less) => (low, low_key) = (u64::from(at) + 1, u64::from(found)),
            (found, Ordering::Greater) => (high, high_key) = (u64::from(at), u64::from(found)),
        }
    }
    None
}

/// The beginning of an id.
fn head(id: &[u8]) -> u32 {
    id.first_chunk().map_or(0, |head| u32::from_be_bytes(*head))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make their own repositories")]
mod tests {
    use super::*;
    use crate::Store;
    use crate::testing::{git, repository};

    #[test]
    fn a_pack_tells_the_sizes_git_tells() {
        for format in ["sha1", "sha256"] {
            let dir = repository(&[&format!("--object-format={format}")]);
            let line = |at: usize| format!("{at} {}\n", at * 7919 % 1013);
            for commit in 0..12 {
                let text: String = (0..3000 + commit * 50).map(line).collect();
                fs::write(dir.path().join("grows"), text).unwrap();
                fs::write(dir.path().join(format!("f{commit}")), line(commit)).unwrap();
                git(dir.path(), &["add", "."]);
                git(dir.path(), &["commit", "-qm", "x"]);
            }
            fs::write(dir.path().join("zeros"), vec![0; 3_000_000]).unwrap();
            git(dir.path(), &["add", "."]);
            git(dir.path(), &["commit", "-qm", "x"]);
            git(dir.path(), &["repack", "-qad"]);
            let lines = git(
                dir.path(),
                &["cat-file", "--batch-check=%(objectname) %(objectsize)", "--batch-all-objects"],
            );
            let store = Store::open(dir.path()).unwrap();
            let snapshot = store.snapshot().unwrap();
            let mut packs = Packs::open(snapshot.odb().objects_dir(), snapshot.odb().hash_kind());
            assert_eq!(packs.len(), lines.lines().count() as u64);
            let mut sizes = Vec::new();
            for line in lines.lines() {
                let (id, size) = line.split_once(' ').unwrap();
                let (id, size) = (EntryId::from_hex(id).unwrap(), size.parse().unwrap());
                assert_eq!(packs.find(id).map(|found| found.size), Some(size), "{id}");
                sizes.push((id, size));
            }
            let absent = EntryId::from_hex(&"1".repeat(if format == "sha1" { 40 } else { 64 })).unwrap();
            assert_eq!(packs.find(absent), None);
            for most in [100, 27_000, 30_000, 2_999_999, 3_000_000] {
                let want =
                    sizes.iter().filter(|(_, size)| *size > most).map(|(id, _)| *id).collect::<BTreeSet<_>>();
                assert_eq!(packs.larger(most), Some(want), "{most}");
            }
        }
    }

    #[test]
    fn what_is_looked_for_from_the_end_is_found_where_it_is() {
        for count in 0..20 {
            let sorted: Vec<u64> = (0..count).map(|at| at * 3).collect();
            for want in 0..count * 3 + 2 {
                assert_eq!(search_back(&sorted, want), sorted.binary_search(&want).ok(), "{want} in {count}");
            }
        }
    }

    #[test]
    fn a_loose_object_is_suspected_by_its_size_on_the_disk() {
        let dir = repository(&[]);
        fs::write(dir.path().join("zeros"), vec![0; 3_000_000]).unwrap();
        let id = git(dir.path(), &["hash-object", "-w", "zeros"]);
        let objects = dir.path().join(".git/objects");
        let found = larger_loose(&objects, 2_999_999).unwrap();
        assert!(found.contains(&EntryId::from_hex(id.trim()).unwrap()));
        assert_eq!(larger_loose(&objects, 1 << 40), Some(BTreeSet::new()));
    }
}
