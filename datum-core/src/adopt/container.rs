//! The container of adopted logs: its ref, its commit, its tree.

use crate::commit;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::odb::{ObjectError, ObjectKind, Odb};
use crate::stamp::{MILLIS_MAX, Millis, Stamp, Writer};
use crate::store::{Store, StoreError};
use crate::tree::{self, Item};
use std::collections::BTreeMap;

/// Where containers lie.
pub(crate) const PREFIX: &str = "refs/datum/adopted/";
/// Largest commit that is believed to be a container, bytes.
const COMMIT_MAX: u64 = 64 * 1024;
/// Largest tree of a container that is believed, bytes.
const TREE_MAX: u64 = 8 * 1024 * 1024;

/// One adopted log: all of its entries stand in segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// Its tree.
    pub(crate) tree: EntryId,
    /// Its newest entry, which need not be an object of its own.
    pub(crate) tip: EntryId,
    /// Its entries.
    pub(crate) count: u64,
    /// The clock of the newest.
    pub(crate) clock: Millis,
}

/// The logs of one container.
pub(crate) type Logs = BTreeMap<Writer, Sealed>;

/// The ref of a container.
pub(crate) fn name(adopter: &Writer, kind: Kind) -> String {
    format!("{PREFIX}{adopter}/{kind}")
}

/// The adopter and the kind that a ref is the container of, if it is one.
pub(crate) fn parse_name(name: &str) -> Option<(Writer, Kind)> {
    let (adopter, kind) = name.strip_prefix(PREFIX)?.split_once('/')?;
    Some((Writer::parse(adopter).ok()?, Kind::parse(kind)?))
}

/// Where a container that another repository holds is noted; `prefix` is that of the repository.
pub(crate) fn tracked(prefix: &str, name: &str) -> String {
    format!("{prefix}adopted/{}", name.strip_prefix(PREFIX).unwrap_or(name))
}

fn print(writer: &Writer, sealed: &Sealed) -> String {
    format!("{writer}@{}-{}-{}", sealed.clock, sealed.count, sealed.tip)
}

fn parse(item: &Item) -> Option<(Writer, Sealed)> {
    let (writer, rest) = item.text()?.split_once('@')?;
    let mut words = rest.splitn(3, '-');
    let clock = words.next()?.parse().ok().filter(|clock| *clock <= MILLIS_MAX)?;
    let count = words.next()?.parse().ok().filter(|count| *count > 0)?;
    let tip = EntryId::from_hex(words.next()?)?;
    let sealed = Sealed { tree: item.id, tip, count, clock };
    // Only what would be printed so is one.
    let whole = Writer::parse(writer).ok().filter(|writer| print(writer, &sealed).as_bytes() == item.name);
    whole.filter(|_| item.mode.is_tree()).map(|writer| (writer, sealed))
}

/// Reads the container whose commit is `id`.
pub(crate) fn read(odb: &Odb, id: EntryId) -> Result<Logs, ObjectError> {
    let none = |what: &str| ObjectError::Damaged { id, message: format!("it holds no adopted logs: {what}") };
    let mut buffer = Vec::new();
    let raw = odb.read_bounded(id, ObjectKind::Commit, COMMIT_MAX, &mut buffer)?;
    let root = commit::tree(raw).ok_or_else(|| none("it names no tree"))?;
    let mut buffer = Vec::new();
    let items = tree::parse(root, odb.read_bounded(root, ObjectKind::Tree, TREE_MAX, &mut buffer)?)?;
    let mut logs = Logs::new();
    for item in &items {
        let (writer, sealed) = parse(item).ok_or_else(|| none("its tree holds something else"))?;
        if logs.insert(writer, sealed).is_some() {
            return Err(none("one writer is in it twice"));
        }
    }
    Ok(logs)
}

/// Writes the container that follows `old`.
pub(crate) fn write(
    store: &Store,
    stamp: &Stamp,
    adopter: &Writer,
    kind: Kind,
    old: Option<EntryId>,
    logs: &Logs,
) -> Result<EntryId, StoreError> {
    let mode = gix::objs::tree::EntryKind::Tree.into();
    let item = |(writer, sealed): (&Writer, &Sealed)| Item {
        name: print(writer, sealed).into_bytes(),
        id: sealed.tree,
        mode,
    };
    let mut items: Vec<Item> = logs.iter().map(item).collect();
    // No name begins another, so folders sort as their names do.
    items.sort_by(|a, b| a.name.cmp(&b.name));
    let root = store.odb.write(ObjectKind::Tree, &tree::print(&items), true)?;
    let entries: u64 = logs.values().map(|sealed| sealed.count).sum();
    let message = format!("Adopted {} {kind} logs\n\nThey hold {entries} entries.\n", logs.len());
    let raw = commit::print(root, old, stamp, adopter, stamp.now, &message);
    Ok(store.odb.write(ObjectKind::Commit, &raw, true)?)
}
