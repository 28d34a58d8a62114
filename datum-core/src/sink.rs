//! Where new objects go: each to a file of its own, or many into one pack.

use crate::git::{self, Git};
use crate::id::EntryId;
use crate::odb::{self, ObjectError, ObjectKind, Odb};
use crate::store::StoreError;
use std::collections::BTreeMap;

/// Entries of one `apply` from which a pack is worth starting a process for.
pub(crate) const PACK_FROM: usize = 1000;
/// Objects kept in memory before they become a pack.
const PACK_MOST: u32 = 50_000;

/// Takes objects; they may be read from it at once, and by others when it is finished.
pub(crate) struct Sink<'s> {
    odb: &'s Odb,
    sync: bool,
    pack: Option<Pack<'s>>,
    /// Trees and blobs not yet in the database.
    pending: BTreeMap<EntryId, Vec<u8>>,
}

struct Pack<'s> {
    git: &'s Git,
    hash: gix::hash::Kind,
    count: u32,
    body: Vec<u8>,
}

impl<'s> Sink<'s> {
    pub(crate) fn new(odb: &'s Odb, git: &'s Git, entries: usize, sync: bool) -> Self {
        let pack =
            (entries >= PACK_FROM).then(|| Pack { git, hash: odb.hash_kind(), count: 0, body: Vec::new() });
        Self { odb, sync, pack, pending: BTreeMap::new() }
    }

    pub(crate) fn write(&mut self, kind: ObjectKind, bytes: &[u8]) -> Result<EntryId, StoreError> {
        self.write_dense(kind, bytes, 0)
    }

    /// Writes an object whose first `dense` bytes do not get smaller when they are compressed.
    pub(crate) fn write_dense(
        &mut self,
        kind: ObjectKind,
        bytes: &[u8],
        dense: usize,
    ) -> Result<EntryId, StoreError> {
        let Some(pack) = &mut self.pack else {
            return Ok(self.odb.write_dense(kind, bytes, dense, self.sync)?);
        };
        let cannot =
            |message: String| ObjectError::Write { path: self.odb.objects_dir().to_owned(), message };
        let id = self.odb.hash(kind, bytes).ok_or_else(|| cannot("it cannot be hashed".to_owned()))?;
        pack.add(kind, bytes, dense).map_err(|error| cannot(error.to_string()))?;
        if kind != ObjectKind::Commit {
            self.pending.insert(id, bytes.to_owned());
        }
        if pack.count >= PACK_MOST {
            pack.finish()?;
            self.pending.clear();
        }
        Ok(id)
    }

    pub(crate) fn read(&self, id: EntryId, kind: ObjectKind) -> Result<Vec<u8>, ObjectError> {
        if let Some(bytes) = self.pending.get(&id) {
            return Ok(bytes.clone());
        }
        let mut buffer = Vec::new();
        let length = self.odb.read(id, kind, &mut buffer)?.len();
        buffer.truncate(length);
        Ok(buffer)
    }

    /// Makes all objects readable to everyone.
    pub(crate) fn finish(mut self) -> Result<(), StoreError> {
        match &mut self.pack {
            Some(pack) => pack.finish(),
            None => Ok(()),
        }
    }
}

impl Pack<'_> {
    /// Adds an object: its kind and size in groups of seven bits, then its deflated bytes.
    fn add(&mut self, kind: ObjectKind, bytes: &[u8], dense: usize) -> std::io::Result<()> {
        let kind: u8 = match kind {
            ObjectKind::Commit => 1,
            ObjectKind::Tree => 2,
            ObjectKind::Blob => 3,
            ObjectKind::Tag => 4,
        };
        let mut size = bytes.len();
        let low = |size: usize, bits: u32| u8::try_from(size & ((1 << bits) - 1)).unwrap_or(0);
        let mut byte = (kind << 4) | low(size, 4);
        size >>= 4;
        while size > 0 {
            self.body.push(byte | 0x80);
            byte = low(size, 7);
            size >>= 7;
        }
        self.body.push(byte);
        // Single commits are many and seldom read once they are sealed.
        let level = if kind == 1 { gix::zlib::Compression::BEST_SPEED } else { odb::level() };
        let (dense, rest) = bytes.split_at(dense);
        odb::deflate(dense, rest, level, &mut self.body)?;
        self.count += 1;
        Ok(())
    }

    /// Hands the pack to git, which indexes it and puts it in place whole or not at all.
    fn finish(&mut self) -> Result<(), StoreError> {
        if self.count == 0 {
            return Ok(());
        }
        let mut pack = b"PACK\0\0\0\x02".to_vec();
        pack.extend_from_slice(&self.count.to_be_bytes());
        pack.append(&mut self.body);
        let mut hasher = gix::hash::hasher(self.hash);
        hasher.update(&pack);
        let trailer = hasher.try_finalize().map_err(|error| ObjectError::Write {
            path: "objects/pack".into(),
            message: error.to_string(),
        })?;
        pack.extend_from_slice(trailer.as_slice());
        self.count = 0;
        let mut command = self.git.command("index-pack");
        command.arg("--stdin");
        let output = Git::run(command, &pack)?;
        if output.status.success() { Ok(()) } else { Err(git::failed("index-pack", &output).into()) }
    }
}
