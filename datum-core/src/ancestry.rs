//! The history of a commit: its ancestors, newest first, and what can be told from them.

use crate::files::LookError;
use crate::id::EntryId;
use crate::log::read_tree;
use crate::odb::{ObjectError, ObjectKind, Odb};
use crate::survey::Survey;
use std::collections::{BTreeSet, BinaryHeap, HashSet};
use std::ops::ControlFlow;

/// A commit of the repository's own history.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Commit {
    /// Its id.
    pub id: EntryId,
    /// Its parents, in their order.
    pub parents: Vec<EntryId>,
    #[serde(skip)]
    pub(crate) tree: EntryId,
    /// The author's name; bytes that are no UTF-8 are replaced, here and below.
    pub author: String,
    /// The author's address.
    pub email: String,
    /// When it was written, seconds since 1970.
    pub time: i64,
    /// When it was committed, seconds since 1970.
    pub committed: i64,
    /// The first paragraph of its message, on one line.
    pub subject: String,
    /// The rest of its message.
    pub body: String,
}

impl Commit {
    /// Whether it has more than one parent.
    pub fn is_merge(&self) -> bool {
        self.parents.len() > 1
    }
}

/// Reads a commit of whatever origin.
pub(crate) fn read(odb: &Odb, id: EntryId, buffer: &mut Vec<u8>) -> Result<Commit, ObjectError> {
    let kind = odb.hash_kind();
    let raw = odb.read(id, ObjectKind::Commit, buffer)?;
    let damaged = |message: String| ObjectError::Damaged { id, message };
    let commit =
        gix::objs::CommitRef::from_bytes(raw, kind).map_err(|error| damaged(format!("{error:#}")))?;
    let author = commit.author().map_err(|error| damaged(format!("{error:#}")))?;
    let seconds = |signature: &gix::actor::SignatureRef<'_>| {
        signature.time.split_whitespace().next().and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    let committed = commit.committer().map_or_else(|_| seconds(&author), |committer| seconds(&committer));
    let message = String::from_utf8_lossy(commit.message);
    let message = message.trim_start_matches('\n');
    let (head, body) = message.split_once("\n\n").unwrap_or((message, ""));
    Ok(Commit {
        id,
        parents: commit.parents().map(EntryId).collect(),
        tree: EntryId(commit.tree()),
        author: String::from_utf8_lossy(author.name.trim_ascii()).into_owned(),
        email: String::from_utf8_lossy(author.email.trim_ascii()).into_owned(),
        time: seconds(&author),
        committed,
        subject: head.split_whitespace().collect::<Vec<_>>().join(" "),
        body: body.trim_end().to_owned(),
    })
}

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

impl Survey<'_> {
    /// Visits the commits that the surveyed one descends from, itself first, later ones before earlier ones.
    ///
    /// # Errors
    /// [`ObjectError`] for a commit that is missing or damaged, unless the clone is shallow there.
    pub fn commits(&self, mut visit: impl FnMut(Commit) -> ControlFlow<()>) -> Result<End, ObjectError> {
        let Some(head) = self.snapshot.head() else { return Ok(End::Whole) };
        let odb = self.snapshot.odb();
        let mut buffer = Vec::new();
        let mut end = End::Whole;
        // Never iterated over, so its order reaches nobody.
        let mut seen = HashSet::from([head]);
        let mut waiting: Vec<Commit> = vec![read(odb, head, &mut buffer)?];
        let mut queue = BinaryHeap::from([(waiting[0].committed, std::cmp::Reverse(head), 0usize)]);
        let mut free = Vec::new();
        while let Some((_, _, at)) = queue.pop() {
            let parents = waiting[at].parents.clone();
            let boundary = self.standing.shallow.contains(&waiting[at].id);
            let commit = std::mem::replace(&mut waiting[at], Commit::placeholder(head));
            free.push(at);
            if visit(commit).is_break() {
                return Ok(End::Stopped);
            }
            if boundary {
                end = End::Shallow;
                continue;
            }
            for parent in parents {
                if !seen.insert(parent) {
                    continue;
                }
                let commit = read(odb, parent, &mut buffer)?;
                let key = (commit.committed, std::cmp::Reverse(parent));
                let at = free.pop().unwrap_or(waiting.len());
                if at == waiting.len() {
                    waiting.push(commit);
                } else {
                    waiting[at] = commit;
                }
                queue.push((key.0, key.1, at));
            }
        }
        Ok(end)
    }

    /// Finds the commit that last changed `path`, as git simplifies history, looking at no more than `most` commits.
    ///
    /// # Errors
    /// [`LookError`] for an object that cannot be read.
    pub fn last_change(&self, path: &str, most: usize) -> Result<LastChange, LookError> {
        let Some(head) = self.snapshot.head() else { return Ok(LastChange::Absent) };
        let odb = self.snapshot.odb();
        let mut buffer = Vec::new();
        let mut commit = read(odb, head, &mut buffer)?;
        let Some(mut blob) = entry_at(odb, commit.tree, path)? else { return Ok(LastChange::Absent) };
        for looked in 0..most {
            if self.standing.shallow.contains(&commit.id) {
                return Ok(LastChange::BeforeShallow);
            }
            let mut next = None;
            for parent in &commit.parents {
                let parent = read(odb, *parent, &mut buffer)?;
                let same = parent.tree == commit.tree || entry_at(odb, parent.tree, path)? == Some(blob);
                if same {
                    next = Some(parent);
                    break;
                }
            }
            match next {
                Some(parent) => commit = parent,
                None => return Ok(LastChange::At(Box::new(commit), looked)),
            }
            blob = entry_at(odb, commit.tree, path)?.unwrap_or(blob);
        }
        Ok(LastChange::NotWithin(most))
    }

    /// Counts the commits the surveyed one descends from, itself included; by the commit-graph where there is one.
    ///
    /// # Errors
    /// As [`Survey::commits`].
    pub fn count_commits(&self) -> Result<(u64, End), ObjectError> {
        if self.standing.shallow.is_empty()
            && let Some(count) = self.count_by_graph()
        {
            return Ok((count, End::Whole));
        }
        let mut count = 0;
        let end = self.commits(|_| {
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

impl Commit {
    /// A commit of no content, to take the place of one that was given away.
    fn placeholder(id: EntryId) -> Self {
        Self {
            id,
            parents: Vec::new(),
            tree: id,
            author: String::new(),
            email: String::new(),
            time: 0,
            committed: 0,
            subject: String::new(),
            body: String::new(),
        }
    }
}

/// The object at `path` below a tree.
fn entry_at(odb: &Odb, tree: EntryId, path: &str) -> Result<Option<EntryId>, ObjectError> {
    let mut id = tree;
    for part in path.split('/') {
        match read_tree(odb, id)?.into_iter().find(|item| item.name == part.as_bytes()) {
            Some(item) => id = item.id,
            None => return Ok(None),
        }
    }
    Ok(Some(id))
}
