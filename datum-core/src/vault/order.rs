//! The causal order of vault entries: who had seen what, by what entries name and not by what clocks say.

use super::act::Act;
use super::{VaultError, Void};
use crate::entry::Entry;
use crate::epoch;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::odb::ObjectKind;
use crate::pins::Pins;
use crate::signature::{self, Signed};
use crate::snapshot::Snapshot;
use crate::sshsig::PublicKey;
use crate::stamp::Writer;
use crate::trust::author_is_writer;
use std::collections::{BTreeMap, BTreeSet};

/// An entry in its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) entry: Entry,
    pub(super) act: Act,
    pub(super) signer: PublicKey,
    /// Its log, as an index.
    log: usize,
    /// Its place in the log, from 1.
    place: u64,
    /// Of each log, how many entries its writer had seen, itself included.
    seen: Vec<u64>,
}

impl Node {
    /// Whether the writer of this entry had seen `other`, or it is `other`.
    pub(super) fn sees(&self, other: &Self) -> bool {
        self.seen[other.log] >= other.place
    }

    /// Whether neither writer had seen the other's entry.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        !self.sees(other) && !other.sees(self)
    }

    pub(super) fn agent(&self) -> &str {
        self.entry.writer.agent()
    }
}

/// The entries of one vault, each after all that it has seen.
#[derive(Debug, Default)]
pub(super) struct Order {
    pub(super) nodes: Vec<Node>,
    /// What was left out, and why.
    pub(super) void: Vec<Void>,
    /// Founding entries of other vaults.
    pub(super) foreign: BTreeSet<EntryId>,
    /// The newest entry of each log that is whole.
    pub(super) tips: Vec<(Writer, u64, EntryId)>,
    /// Of those, the ones in which every signature is good.
    pub(super) sound: Vec<(Writer, u64, EntryId)>,
    /// What the newest entry of each log has seen.
    last: BTreeMap<Writer, Vec<u64>>,
}

/// One entry as it was read.
struct Read {
    entry: Entry,
    /// It only begins an epoch.
    begins: bool,
    signed: Signed,
    author: Result<(), String>,
}

/// Reads the vault's logs, newest state of the art: hashed, chained, held against the pins.
pub(super) fn read(snapshot: &Snapshot<'_>, pins: &Pins, vault: EntryId) -> Result<Order, VaultError> {
    let mut order = Order::default();
    let mut logs = Vec::new();
    for (_, writer, tip) in snapshot.tips().filter(|(kind, ..)| *kind == Kind::Vault) {
        match read_log(snapshot, pins, writer, tip)? {
            Ok(log) => {
                let newest = (writer.clone(), log.last().map_or(0, |read| read.entry.seq), tip);
                if log.iter().all(|read| matches!(read.signed, Signed::By(_))) {
                    order.sound.push(newest.clone());
                }
                order.tips.push(newest);
                logs.push(log);
            }
            Err(why) => order.void.push(Void { entry: tip, agent: writer.agent().to_owned(), why }),
        }
    }
    let gone = |writer: &Writer| snapshot.tip(Kind::Vault, writer).is_none();
    if let Some((_, writer, _, id)) =
        pins.logs().find(|(kind, writer, ..)| *kind == Kind::Vault && gone(writer))
    {
        return Err(VaultError::Back { log: writer.to_string(), pinned: id, found: None });
    }
    place(&mut order, logs, vault);
    Ok(order)
}

/// Reads one log, oldest first; the inner error leaves it out, the outer one stops everything.
fn read_log(
    snapshot: &Snapshot<'_>,
    pins: &Pins,
    writer: &Writer,
    tip: EntryId,
) -> Result<Result<Vec<Read>, String>, VaultError> {
    let pinned = pins.log(Kind::Vault, writer);
    let mut log: Vec<Read> = Vec::new();
    let mut broken = None;
    let mut expected = (Some(tip), None);
    let mut held = pinned.is_none();
    let sound = pins.sound(writer);
    let mut known = false;
    let damage = snapshot.walk_log(Kind::Vault, writer, |view| {
        let (id, seq) = expected;
        let raw = view.raw();
        if snapshot.hash(ObjectKind::Commit, &raw) != Some(view.id) || id != Some(view.id) {
            broken.get_or_insert_with(|| format!("its log is broken at {}", view.id));
        }
        if seq.is_some_and(|seq| seq != view.seq()) {
            broken.get_or_insert_with(|| format!("{} is out of place", view.id));
        }
        held |= pinned == Some((view.seq(), view.id));
        // From there on down every id was checked before; that each entry is the one its id names was seen above.
        known |= sound == Some((view.seq(), view.id));
        expected = (epoch::before_view(view), view.seq().checked_sub(1));
        let sha256 = snapshot.is_sha256();
        let signed = if known { signature::known(&raw, sha256) } else { signature::check(&raw, sha256) };
        let author = author_is_writer(view);
        log.push(Read { entry: snapshot.whole(view), begins: epoch::begins(view), signed, author });
    });
    if let Some(damage) = damage.into_iter().next() {
        broken.get_or_insert(damage.message);
    }
    if !log.is_empty() && expected != (None, Some(0)) {
        broken.get_or_insert("its beginning is missing".to_owned());
    }
    if let Some((_, id)) = pinned.filter(|_| !held || broken.is_some()) {
        return Err(VaultError::Back { log: writer.to_string(), pinned: id, found: Some(tip) });
    }
    log.reverse();
    Ok(broken.map_or(Ok(log), Err))
}

/// Gives every entry what it has seen, and leaves out those that cannot count.
fn place(order: &mut Order, logs: Vec<Vec<Read>>, vault: EntryId) {
    let count = logs.len();
    let mut at: BTreeMap<EntryId, (usize, usize)> = BTreeMap::new();
    for (log, entries) in logs.iter().enumerate() {
        at.extend(entries.iter().enumerate().map(|(place, read)| (read.entry.id, (log, place))));
    }
    let seen = seen(&logs, &at);
    for (log, entries) in logs.into_iter().enumerate() {
        let newest = seen[log].iter().rev().flatten().next();
        let writer = entries.first().map(|read| read.entry.writer.clone());
        order.last.extend(writer.zip(newest.cloned()));
        for (place, read) in entries.into_iter().enumerate() {
            if read.begins {
                continue;
            }
            let id = read.entry.id;
            let agent = read.entry.writer.agent().to_owned();
            let node = judge(read, vault).and_then(|judged| {
                let Some((entry, act, signer)) = judged else { return Ok(None) };
                let seen = seen[log][place].clone();
                let seen = seen.ok_or("it follows entries that are not here: datum sync may bring them")?;
                Ok(Some(Node { entry, act, signer, log, place: place as u64 + 1, seen }))
            });
            match node {
                Ok(Some(node)) => order.nodes.push(node),
                Ok(None) => {
                    order.foreign.insert(id);
                }
                Err(why) => order.void.push(Void { entry: id, agent, why }),
            }
        }
    }
    debug_assert!(order.nodes.iter().all(|node| node.seen.len() == count));
    // What an entry has seen is less than it in this order; the rest of the key makes it the same everywhere.
    let total = |node: &Node| node.seen.iter().sum::<u64>();
    order.nodes.sort_by(|a, b| {
        (total(a), a.entry.clock, &a.entry.writer, a.place).cmp(&(
            total(b),
            b.entry.clock,
            &b.entry.writer,
            b.place,
        ))
    });
}

/// Takes an entry for what it is: of this vault, of another (`None`), or of none.
fn judge(read: Read, vault: EntryId) -> Result<Option<(Entry, Act, PublicKey)>, String> {
    read.author?;
    let signer = match read.signed {
        Signed::By(signer) => signer,
        Signed::No => return Err("it is not signed".to_owned()),
        Signed::Bad(error) => return Err(format!("its signature is bad: {error}")),
    };
    let (of, act) = Act::parse(&read.entry)?;
    Ok((of == vault).then_some((read.entry, act, signer)))
}

/// Of every entry, how far its writer had seen each log; `None` where that names entries that are not here.
fn seen(logs: &[Vec<Read>], at: &BTreeMap<EntryId, (usize, usize)>) -> Vec<Vec<Option<Vec<u64>>>> {
    let mut seen: Vec<Vec<Option<Vec<u64>>>> = vec![Vec::new(); logs.len()];
    loop {
        let mut moved = false;
        for log in 0..logs.len() {
            while let Some(read) = logs[log].get(seen[log].len()) {
                let Some(next) = seen_by(read, log, &seen, at) else { break };
                seen[log].push(next);
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    // Ids are hashes, so entries cannot name each other in a circle; whatever is left has an unknown past.
    for (log, entries) in logs.iter().enumerate() {
        seen[log].resize(entries.len(), None);
    }
    seen
}

/// The outer `None`: an entry it names has not been placed yet.
#[expect(clippy::option_option, reason = "not yet, and never, are two answers")]
fn seen_by(
    read: &Read,
    log: usize,
    seen: &[Vec<Option<Vec<u64>>>],
    at: &BTreeMap<EntryId, (usize, usize)>,
) -> Option<Option<Vec<u64>>> {
    let mut all = match seen[log].last() {
        None => vec![0; seen.len()],
        Some(None) => return Some(None),
        Some(Some(before)) => before.clone(),
    };
    for id in Act::after(&read.entry) {
        let Some((log, place)) = id.and_then(|id| at.get(&id)).copied() else { return Some(None) };
        let Some(named) = seen[log].get(place)? else { return Some(None) };
        for (mine, theirs) in all.iter_mut().zip(named) {
            *mine = (*mine).max(*theirs);
        }
    }
    all[log] = seen[log].len() as u64 + 1;
    Some(Some(all))
}

impl Order {
    /// What the next entry of `writer` must name as seen: the newest of others that count, as far as it is not known.
    pub(super) fn after(&self, writer: &Writer, counts: impl Fn(&Node) -> bool) -> Vec<EntryId> {
        let own = self.last.get(writer);
        let fresh = |node: &&Node| {
            counts(node) && node.entry.writer != *writer && own.is_none_or(|own| own[node.log] < node.place)
        };
        let fresh: Vec<&Node> = self.nodes.iter().filter(fresh).collect();
        let newest =
            |node: &&&Node| !fresh.iter().any(|other| other.entry.id != node.entry.id && other.sees(node));
        fresh.iter().filter(newest).map(|node| node.entry.id).collect()
    }
}
