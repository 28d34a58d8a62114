//! The commits of one log, newest first, from wherever they still stand.

use crate::commit;
use crate::id::EntryId;
use crate::log::{self, SEGMENTS};
use crate::odb::{ObjectError, ObjectKind, Odb};
use crate::segment::{self, Name};
use std::collections::{BTreeMap, BTreeSet};

/// Where a run of commits stands.
#[derive(Debug)]
pub(super) enum Source {
    /// In a segment that can be read.
    Segment(Name, EntryId),
    /// Each in an object of its own; oldest first.
    Commits(Vec<EntryId>),
}

/// A run of commits.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) source: Source,
    /// Whether each must stand in an object of its own: not beyond the edge of a shallow clone or of a compaction.
    pub(super) required: bool,
}

/// A log as far as it can be read.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// Newest first.
    pub(super) runs: Vec<Run>,
    /// What ended the reading before the beginning of the log.
    pub(super) gap: Option<(EntryId, ObjectError)>,
}

/// Reads the commits of a segment, oldest first, each checked against its id.
pub(super) fn frames(odb: &Odb, name: Name, blob: EntryId) -> Option<Vec<(EntryId, Vec<u8>)>> {
    let bytes = odb.whole(blob, ObjectKind::Blob).ok()?;
    let segment = segment::parse(&bytes, name.last)?;
    let commits: Vec<_> = segment.commits().map(|(id, raw)| (id, raw.into_owned())).collect();
    commits.iter().all(|(id, raw)| odb.hash(ObjectKind::Commit, raw) == Some(*id)).then_some(commits)
}

/// The segments that the tree of `tip` holds, by their last commit, as far as they can be read.
pub(super) fn segments(odb: &Odb, tip: EntryId) -> BTreeMap<EntryId, (Name, EntryId)> {
    let tree = odb.whole(tip, ObjectKind::Commit).ok().and_then(|raw| commit::tree(&raw));
    tree.map(|tree| segments_in(odb, tree)).unwrap_or_default()
}

/// The segments that a log's tree holds, by their last commit, as far as they can be read.
pub(super) fn segments_in(odb: &Odb, tree: EntryId) -> BTreeMap<EntryId, (Name, EntryId)> {
    let mut found = BTreeMap::new();
    let read = |id: EntryId| log::read_tree(odb, id).unwrap_or_default();
    let folder = read(tree).into_iter().find(|item| item.name == SEGMENTS.as_bytes());
    for hundred in folder.into_iter().flat_map(|folder| read(folder.id)) {
        for item in read(hundred.id) {
            if let Some(name) = item.text().and_then(Name::parse) {
                found.insert(name.last, (name, item.id));
            }
        }
    }
    found
}

/// Walks a log from `tip` to its beginning, or to the first commit that stands nowhere.
pub(super) fn walk(odb: &Odb, tip: EntryId, shallow: &BTreeSet<EntryId>) -> Chain {
    let segments = segments(odb, tip);
    let mut older: Vec<(Name, EntryId)> = segments.values().copied().collect();
    older.sort_by_key(|(name, _)| name.end);
    let mut chain = Chain::default();
    let mut commits = Vec::new();
    let mut required = true;
    let mut next = Some(tip);
    let flush = |commits: &mut Vec<EntryId>, runs: &mut Vec<Run>, required| {
        if !commits.is_empty() {
            let source = Source::Commits(commits.drain(..).rev().collect());
            runs.push(Run { source, required });
        }
    };
    let mut seen = BTreeSet::new();
    loop {
        // Where the chain ends on purpose, older entries may still stand in segments.
        let id = match next {
            Some(id) => id,
            None => match older.pop() {
                Some((name, _)) => {
                    flush(&mut commits, &mut chain.runs, required);
                    required = false;
                    name.last
                }
                None => break,
            },
        };
        if let Some((name, blob)) = segments.get(&id)
            && seen.insert(id)
            && let Some(framed) = frames(odb, *name, *blob)
        {
            flush(&mut commits, &mut chain.runs, required);
            chain.runs.push(Run { source: Source::Segment(*name, *blob), required });
            older.retain(|(other, _)| other.end < name.end);
            next = framed.first().and_then(|(_, raw)| commit::parent(raw));
            if framed.iter().any(|(id, _)| shallow.contains(id)) {
                (required, next) = (false, next.filter(|id| segments.contains_key(id)));
            }
            continue;
        }
        match odb.whole(id, ObjectKind::Commit) {
            Ok(raw) if log::clock_and_seq(&raw).is_some() => {
                let seq = super::refs::seq(&raw);
                older.retain(|(other, _)| other.end < seq);
                commits.push(id);
                next = commit::parent(&raw);
                if shallow.contains(&id) {
                    next = next.filter(|id| segments.contains_key(id));
                }
            }
            // Beyond the edge, what is not there was never fetched.
            Err(ObjectError::Missing(_)) if !required => next = None,
            Ok(_) => {
                let message = "it is no entry of this log".to_owned();
                chain.gap = Some((id, ObjectError::Damaged { id, message }));
                break;
            }
            Err(error) => {
                chain.gap = Some((id, error));
                break;
            }
        }
    }
    flush(&mut commits, &mut chain.runs, required);
    chain
}
