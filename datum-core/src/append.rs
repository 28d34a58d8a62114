//! Entries become commits: one object each, and a segment for every 32, of which eight become one.

use crate::commit;
use crate::entry::{BODY_INLINE_MAX, Draft};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::log::{self, PAYLOADS, SEGMENTS};
use crate::odb::{ObjectError, ObjectKind};
use crate::refs::Beside;
use crate::segment::{self, Name, WHOLE};
use crate::signature;
use crate::sink::Sink;
use crate::snapshot::Snapshot;
use crate::stamp::{MILLIS_MAX, Millis, SKEW_MAX, Stamp, Writer};
use crate::store::{Store, StoreError, ref_name};
use crate::tree::{self, Item};
use std::collections::VecDeque;

/// What is to be appended, and what is to be so with other refs then.
#[derive(Default)]
pub(crate) struct Decision {
    pub(crate) drafts: Vec<Draft>,
    /// Refs that move with the log.
    pub(crate) beside: Vec<Beside>,
    /// Refs that stay as they are.
    pub(crate) stay: Vec<(String, Option<EntryId>)>,
}

impl From<Vec<Draft>> for Decision {
    fn from(drafts: Vec<Draft>) -> Self {
        Self { drafts, ..Self::default() }
    }
}

/// Entries that are written and not yet published.
#[must_use = "entries are in the log only when its ref has moved to their tip"]
pub(crate) struct Written {
    pub(crate) ids: Vec<EntryId>,
    pub(crate) tip: EntryId,
    pub(crate) clock: Millis,
    pub(crate) sealed: bool,
}

/// The end of a log, where the next entry goes.
struct End {
    parent: Option<EntryId>,
    tree: EntryId,
    clock: Millis,
    seq: u64,
}

/// A log that is appended to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) kind: Kind,
    pub(crate) writer: &'a Writer,
    /// Whether its entries are signed where the agent has a key.
    pub(crate) signed: bool,
}

impl<'a> Target<'a> {
    /// A log of this repository's own.
    pub(crate) fn of(kind: Kind, writer: &'a Writer) -> Self {
        Self { kind, writer, signed: kind.is_signed() }
    }
}

/// Writes the commits of `drafts` on top of `tip`.
pub(crate) fn write(
    store: &Store,
    target: Target<'_>,
    stamp: &Stamp,
    tip: Option<EntryId>,
    snapshot: &Snapshot<'_>,
    drafts: &[Draft],
) -> Result<Written, StoreError> {
    let Target { kind, writer, signed } = target;
    let sync = store.sync_objects || kind.always_syncs();
    let signer = if signed { store.signer(kind, &stamp.agent)? } else { None };
    let sha256 = store.odb.hash_kind() == gix::hash::Kind::Sha256;
    let mut sink = Sink::new(&store.odb, &store.git, drafts.len(), sync);
    let broken =
        |message: &str| StoreError::Log { name: ref_name(kind, writer), message: message.to_owned() };
    let mut end = match tip {
        None => End { parent: None, tree: sink.write(ObjectKind::Tree, b"")?, clock: 0, seq: 0 },
        Some(tip) => {
            // What follows a lost tip could never be read back whole.
            let raw = sink.read(tip, ObjectKind::Commit).map_err(|error| match error {
                ObjectError::Missing(_) => broken(&format!("its tip {tip} is missing")),
                other => other.into(),
            })?;
            let ends = commit::parse(&raw).zip(log::clock_and_seq(&raw));
            let (parsed, (clock, seq)) = ends.ok_or_else(|| broken("its tip is no entry"))?;
            End { parent: Some(tip), tree: parsed.tree, clock, seq }
        }
    };
    end.clock = end.clock.max(greatest_clock(store, kind, stamp, writer, snapshot));
    let mut ids = Vec::with_capacity(drafts.len());
    let mut recent = VecDeque::new();
    let mut sealed = false;
    let goal = end.seq + drafts.len() as u64;
    for draft in drafts {
        if segment::is_due(end.seq, goal) {
            end.tree = seal(&mut sink, &end, &recent)?;
            sealed = true;
        }
        let payload = if draft.body().len() > BODY_INLINE_MAX {
            let id = sink.write(ObjectKind::Blob, draft.body().as_bytes())?;
            let hex = id.to_string();
            end.tree = put(&mut sink, end.tree, &[PAYLOADS, &hex[..2], &hex[2..]], id)?;
            Some(id)
        } else {
            None
        };
        end.clock = stamp.now.max(end.clock + 1);
        if end.clock > MILLIS_MAX {
            return Err(broken("its clock has run out"));
        }
        end.seq += 1;
        let message = draft.print(kind, stamp.agent.as_str(), end.clock, end.seq, payload);
        let mut raw = commit::print(end.tree, end.parent, stamp, writer, end.clock, &message);
        if let Some(signer) = &signer {
            raw = signature::sign(&raw, signer, sha256);
        }
        let id = sink.write(ObjectKind::Commit, &raw)?;
        end.parent = Some(id);
        ids.push(id);
        if drafts.len() > 1 {
            recent.push_back((id, raw));
            if recent.len() as u64 > WHOLE {
                recent.pop_front();
            }
        }
    }
    sink.finish()?;
    let tip = end.parent.ok_or_else(|| broken("nothing was to be written"))?;
    Ok(Written { ids, tip, clock: end.clock, sealed })
}

/// The greatest clock that this append has seen: what its function read, and the tips of all logs of the kind.
fn greatest_clock(
    store: &Store,
    kind: Kind,
    stamp: &Stamp,
    writer: &Writer,
    snapshot: &Snapshot<'_>,
) -> Millis {
    let mut buffer = Vec::new();
    for (_, _, tip) in snapshot.tips().filter(|(of, by, _)| *of == kind && *by != writer) {
        if let Ok(raw) = store.odb.read(tip, ObjectKind::Commit, &mut buffer)
            && let Some((clock, _)) = log::clock_and_seq(raw)
            // One far-off clock must not drag all others along.
            && clock <= stamp.now + SKEW_MAX
        {
            snapshot.saw(clock);
        }
    }
    let seen = snapshot.greatest_clock();
    if seen <= stamp.now + SKEW_MAX { seen } else { 0 }
}

/// Seals all that the log ending in `tip` holds; answers with the tree, and the clock and place of the last entry.
pub(crate) fn seal_all(
    store: &Store,
    kind: Kind,
    writer: &Writer,
    tip: EntryId,
) -> Result<(EntryId, Millis, u64), StoreError> {
    let mut sink = Sink::new(&store.odb, &store.git, 1, true);
    let raw = sink.read(tip, ObjectKind::Commit)?;
    let ends = commit::parse(&raw).zip(log::clock_and_seq(&raw));
    let (parsed, (clock, seq)) = ends.ok_or_else(|| StoreError::Log {
        name: ref_name(kind, writer),
        message: "its tip is no entry".to_owned(),
    })?;
    let end = End { parent: Some(tip), tree: parsed.tree, clock, seq };
    let tree = seal(&mut sink, &end, &VecDeque::new())?;
    sink.finish()?;
    Ok((tree, clock, seq))
}

/// Seals the commits since the last segment, joined with the small segments before them where a whole one is due;
/// answers with the tree that holds the new segment.
fn seal(
    sink: &mut Sink<'_>,
    end: &End,
    recent: &VecDeque<(EntryId, Vec<u8>)>,
) -> Result<EntryId, StoreError> {
    let Some(last) = end.parent else { return Ok(end.tree) };
    let segments = log::last_segments(end.tree, |id| read_tree(sink, id))?;
    let names: Vec<Name> = segments.iter().map(|(name, _)| *name).collect();
    let kept = segment::kept(&names, end.seq);
    let commits = match unsealed(sink, last, recent, &segments, kept) {
        // What cannot be joined stays as it is: an append must not fail for what it does not need.
        Err(_) if kept < names.len() => unsealed(sink, last, recent, &segments, names.len())?,
        commits => commits?,
    };
    let bytes = segment::print(&commits.iter().rev().map(Vec::as_slice).collect::<Vec<_>>());
    let blob = sink.write_dense(ObjectKind::Blob, &bytes, segment::dense(&bytes))?;
    let (folder, file) = Name { end: end.seq, last }.print();
    let start = end.seq.saturating_sub(commits.len() as u64);
    tree::replace(
        sink,
        end.tree,
        &[SEGMENTS, &folder, &file],
        blob,
        &|item| item.text().and_then(Name::parse).is_none_or(|name| name.end <= start),
        &|sink: &Sink<'_>, id| read_tree(sink, id),
        &|sink: &mut Sink<'_>, bytes: &[u8]| sink.write(ObjectKind::Tree, bytes),
    )
}

/// The raw commits after the first `kept` of `segments` up to `last`, newest first.
fn unsealed(
    sink: &Sink<'_>,
    last: EntryId,
    recent: &VecDeque<(EntryId, Vec<u8>)>,
    segments: &[(Name, EntryId)],
    kept: usize,
) -> Result<Vec<Vec<u8>>, ObjectError> {
    let (stay, join) = segments.split_at(kept);
    let stop = stay.last().map(|(name, _)| name.last);
    let mut commits: Vec<Vec<u8>> = Vec::new();
    let mut fresh = recent.iter().rev().peekable();
    let mut next = Some(last);
    while let Some(id) = next.filter(|id| Some(*id) != stop) {
        if let Some((_, raw)) = fresh.next_if(|(known, _)| *known == id) {
            commits.push(raw.clone());
        } else if let Some((_, blob)) = join.iter().find(|(name, _)| name.last == id) {
            let bytes = sink.read(*blob, ObjectKind::Blob)?;
            let segment = segment::parse(&bytes, id)
                .ok_or_else(|| ObjectError::Damaged { id: *blob, message: "it is no segment".to_owned() })?;
            commits.extend(segment.commits().rev().map(|(_, raw)| raw.into_owned()));
        } else {
            commits.push(sink.read(id, ObjectKind::Commit)?);
        }
        // The first of an epoch has no parent: a segment holds entries of one epoch alone.
        next = commits.last().and_then(|raw| commit::parent(raw));
    }
    Ok(commits)
}

fn read_tree(sink: &Sink<'_>, id: EntryId) -> Result<Vec<Item>, StoreError> {
    if id.0.is_empty_tree() {
        return Ok(Vec::new());
    }
    Ok(tree::parse(id, &sink.read(id, ObjectKind::Tree)?)?)
}

fn put(sink: &mut Sink<'_>, root: EntryId, path: &[&str], blob: EntryId) -> Result<EntryId, StoreError> {
    let read = |sink: &Sink<'_>, id| read_tree(sink, id);
    let write = |sink: &mut Sink<'_>, bytes: &[u8]| sink.write(ObjectKind::Tree, bytes);
    tree::put(sink, root, path, blob, &read, &write)
}
