//! Walks over the history: all commits, those that changed a path, the last of those, their number.

use super::{Commit, read};
use crate::files::LookError;
use crate::id::{EntryId, IdMap, IdSet};
use crate::log::read_tree;
use crate::odb::{ObjectError, Odb};
use crate::snapshot::Snapshot;
use crate::survey::Survey;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::ops::ControlFlow;

/// Where a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Everything was seen.
    Whole,
    /// The clone is shallow: older commits are not here.
    Shallow,
    /// The visitor had seen enough.
    Stopped,
}

/// When a file last changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LastChange {
    /// In this commit, which is so many commits of the followed line before the newest.
    At(Box<Commit>, usize),
    /// Before the oldest commit of a shallow clone.
    BeforeShallow,
    /// Not within the commits looked at.
    NotWithin(usize),
    /// There is no such file.
    Absent,
}

/// A commit that waits for its turn: the latest committed first, ids between equals.
#[derive(PartialEq, Eq)]
struct Waiting(Commit);

impl Waiting {
    fn key(&self) -> (i64, Reverse<EntryId>) {
        (self.0.committed, Reverse(self.0.id))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// What a commit is to the paths that are followed.
enum Step {
    /// It changed one of them, or none is followed.
    Changed,
    /// It is like this parent, and only that one is followed, as git simplifies history.
    Like(EntryId),
}

impl Snapshot<'_> {
    /// Visits the commits that the snapshot's descends from, itself first, later ones before earlier ones.
    ///
    /// # Errors
    /// [`ObjectError`] for a commit that is missing or damaged, unless the clone is shallow there.
    pub fn commits(&self, visit: impl FnMut(Commit) -> ControlFlow<()>) -> Result<End, ObjectError> {
        self.commits_of(&[], visit)
    }

    /// The same, of those that changed one of `paths` (files or folders), as `git log -- PATH` simplifies history.
    ///
    /// # Errors
    /// As [`Snapshot::commits`], and for trees.
    pub fn commits_of(
        &self,
        paths: &[String],
        mut visit: impl FnMut(Commit) -> ControlFlow<()>,
    ) -> Result<End, ObjectError> {
        self.walk_history(
            paths,
            |commit, changed| {
                if changed { visit(commit) } else { ControlFlow::Continue(()) }
            },
        )
    }

    /// Visits commits and tells of each whether it changed one of the paths.
    fn walk_history(
        &self,
        paths: &[String],
        mut visit: impl FnMut(Commit, bool) -> ControlFlow<()>,
    ) -> Result<End, ObjectError> {
        let Some(head) = self.head() else { return Ok(End::Whole) };
        let odb = self.odb();
        let shallow = odb.shallow();
        let mut buffer = Vec::new();
        let mut end = End::Whole;
        // Never iterated over, so their order reaches nobody.
        let mut seen = IdSet::from_iter([head]);
        let mut known = IdMap::default();
        let mut queue = BinaryHeap::from([Waiting(read(odb, head, &mut buffer)?)]);
        while let Some(Waiting(commit)) = queue.pop() {
            let boundary = shallow.contains(&commit.id);
            let mut parents = commit.parents.clone();
            let mut changed = true;
            if boundary {
                // Whether it changed anything cannot be told without its parents.
                end = End::Shallow;
                changed = paths.is_empty();
                parents.clear();
            } else if let Step::Like(parent) = step(odb, &commit, paths, &mut known, &mut buffer)? {
                changed = false;
                parents.retain(|id| *id == parent);
            }
            if visit(commit, changed).is_break() {
                return Ok(End::Stopped);
            }
            for parent in parents {
                if seen.insert(parent) {
                    queue.push(Waiting(read(odb, parent, &mut buffer)?));
                }
            }
        }
        Ok(end)
    }

    /// Finds the commit that last changed `path`, looking at no more than `most` commits.
    ///
    /// A change of mode alone is none.
    ///
    /// # Errors
    /// [`LookError`] for an object that cannot be read.
    pub fn last_change(&self, path: &str, most: usize) -> Result<LastChange, LookError> {
        let Some(head) = self.head() else { return Ok(LastChange::Absent) };
        let commit = read(self.odb(), head, &mut Vec::new())?;
        if entry_at(self.odb(), commit.tree, path)?.is_none() {
            return Ok(LastChange::Absent);
        }
        let (mut looked, mut found) = (0, None);
        let end = self.walk_history(&[path.to_owned()], |commit, changed| {
            if changed {
                found = Some(commit);
                return ControlFlow::Break(());
            }
            looked += 1;
            if looked >= most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(match (found, end) {
            (Some(commit), _) => LastChange::At(Box::new(commit), looked),
            (None, End::Shallow) => LastChange::BeforeShallow,
            (None, _) => LastChange::NotWithin(most),
        })
    }
}

impl Survey<'_> {
    /// Counts the commits the surveyed one descends from, itself included; by the commit-graph where there is one.
    ///
    /// # Errors
    /// As [`Snapshot::commits`].
    pub fn count_commits(&self) -> Result<(u64, End), ObjectError> {
        if self.standing.shallow.is_empty()
            && let Some(count) = self.count_by_graph()
        {
            return Ok((count, End::Whole));
        }
        let mut count = 0;
        let end = self.snapshot.commits(|_| {
            count += 1;
            ControlFlow::Continue(())
        })?;
        Ok((count, end))
    }

    /// Counts within the commit-graph; `None` where there is none or it does not hold all.
    fn count_by_graph(&self) -> Option<u64> {
        let head = self.snapshot.head()?;
        let graph = self.store.repo.commit_graph_if_enabled().ok()??;
        let odb = self.snapshot.odb();
        let mut seen = vec![false; usize::try_from(graph.num_commits()).ok()?];
        let mut stack = Vec::new();
        let mut count = 0;
        // Commits newer than the graph are read; their ancestors soon stand in it.
        let mut outside = vec![head];
        let mut read_already = BTreeSet::new();
        let mut buffer = Vec::new();
        while let Some(id) = outside.pop() {
            if let Some(at) = graph.lookup(id.0) {
                stack.push(at);
            } else if read_already.insert(id) {
                count += 1;
                outside.extend(read(odb, id, &mut buffer).ok()?.parents);
            }
        }
        while let Some(at) = stack.pop() {
            let index = usize::try_from(at.0).ok()?;
            if std::mem::replace(seen.get_mut(index)?, true) {
                continue;
            }
            count += 1;
            for parent in graph.commit_at(at).iter_parents() {
                stack.push(parent.ok()?);
            }
        }
        Some(count)
    }
}

/// What a tree has at each of the followed paths.
type Seen = Vec<Option<EntryId>>;

/// Compares a commit with its parents at the followed paths.
fn step(
    odb: &Odb,
    commit: &Commit,
    paths: &[String],
    known: &mut IdMap<Seen>,
    buffer: &mut Vec<u8>,
) -> Result<Step, ObjectError> {
    if paths.is_empty() {
        return Ok(Step::Changed);
    }
    let mine = seen_at(odb, commit.tree, paths, known)?;
    for parent in &commit.parents {
        let tree = read(odb, *parent, buffer)?.tree;
        if tree == commit.tree || seen_at(odb, tree, paths, known)? == mine {
            return Ok(Step::Like(*parent));
        }
    }
    // A first commit changed what it has.
    let changed = !commit.parents.is_empty() || mine.iter().any(Option::is_some);
    Ok(if changed { Step::Changed } else { Step::Like(commit.id) })
}

fn seen_at(odb: &Odb, tree: EntryId, paths: &[String], known: &mut IdMap<Seen>) -> Result<Seen, ObjectError> {
    if let Some(seen) = known.get(&tree) {
        return Ok(seen.clone());
    }
    let seen: Seen = paths.iter().map(|path| entry_at(odb, tree, path)).collect::<Result<_, _>>()?;
    known.insert(tree, seen.clone());
    Ok(seen)
}

/// The object at `path` below a tree.
fn entry_at(odb: &Odb, tree: EntryId, path: &str) -> Result<Option<EntryId>, ObjectError> {
    let mut id = tree;
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        match read_tree(odb, id)?.into_iter().find(|item| item.name == part.as_bytes()) {
            Some(item) if parts.peek().is_none() || item.mode.is_tree() => id = item.id,
            _ => return Ok(None),
        }
    }
    Ok(Some(id))
}
