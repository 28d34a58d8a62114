//! Delivery: bottles for another vessel, which is neither cloned nor checked out.
//!
//! They stand in a log of their own here, `refs/datum/outbox/<vessel>/<writer>`, and are pushed there as
//! `refs/datum/bottle/<writer>`. The writer is one for this clone and that vessel, so every push goes forward and no two
//! senders meet. What the vessel's agents do with a bottle they say in their own logs, which are fetched and folded like
//! any other: the outbox and those logs together are a snapshot.

mod shared;

use crate::append::Target;
use crate::bottle::{self, Stage};
use crate::entry::Draft;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::lineage::Lineage;
use crate::name::AgentName;
use crate::refs::{Move, PREFIX, parse_log, ref_name};
use crate::snapshot::Snapshot;
use crate::stamp::{CloneId, Millis, Stamp, Writer};
use crate::store::{Applied, Store, StoreError};
use crate::sync::SyncError;
use crate::transport::{Condition, Push, Pushed, Remote};
use crate::wait::Wait;
use std::collections::BTreeMap;

/// The trailer that names a bottle which a vessel would not take; the body says why.
pub const REFUSED: &str = "Refused";

/// Where what other vessels hold is noted.
const TRACKING: &str = "refs/datum-vessel/";

/// What a delivery did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Bottles that went.
    pub sent: Vec<EntryId>,
    /// Bottles that the vessel would not take, and why.
    pub refused: Option<(Vec<EntryId>, String)>,
}

/// How far a bottle to another vessel has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Progress {
    /// It stands in the outbox.
    Written,
    /// The vessel would not take it.
    Refused,
    /// The vessel holds it.
    Sent,
    /// An agent there has done this with it.
    Reached(Stage),
}

impl Progress {
    /// The name, as it stands in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Refused => "refused",
            Self::Sent | Self::Reached(Stage::Unread) => "sent",
            Self::Reached(stage) => stage.as_str(),
        }
    }
}

/// A bottle to another vessel.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The vessel.
    pub vessel: AgentName,
    /// The bottle, with what each agent did with it.
    pub bottle: bottle::Bottle,
    /// The furthest it has come.
    pub progress: Progress,
    /// Why the vessel would not take it.
    pub reason: Option<String>,
}

impl Sent {
    /// Whether its deadline passed and nobody has acknowledged it.
    pub fn is_overdue(&self, now: Millis) -> bool {
        self.bottle.is_overdue(now)
    }
}

fn outbox(vessel: &AgentName) -> String {
    format!("{PREFIX}outbox/{vessel}/")
}

fn tracking(vessel: &AgentName) -> String {
    format!("{TRACKING}{vessel}/")
}

impl Store {
    /// The writer that `agent` of this clone is at `vessel`.
    fn writer_for(&self, agent: &AgentName, vessel: &AgentName) -> Result<Writer, StoreError> {
        let own = self.writer(agent)?;
        let text = format!("{own} for {vessel}");
        let mut number = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut id = String::new();
        for _ in 0..CloneId::LEN {
            id.push(char::from(
                b"abcdefghijklmnopqrstuvwxyz0123456789"[usize::try_from(number % 36).unwrap_or(0)],
            ));
            number /= 36;
        }
        let clone = CloneId::new(&id).unwrap_or_else(|_| CloneId::shared());
        Ok(Writer::of(agent, &clone))
    }

    /// The bottles for `vessel` and what its own logs say of them, as far as they were fetched.
    ///
    /// # Errors
    /// [`StoreError`] when the refs cannot be listed.
    pub fn outbox(&self, vessel: &AgentName) -> Result<Snapshot<'_>, StoreError> {
        let (here, there) = (outbox(vessel), tracking(vessel));
        let (refs, _) = self.refs.list_under(&[&here, &there])?;
        let mut tips = BTreeMap::new();
        for (name, id) in &refs {
            if let Some(log) = name.strip_prefix(&there).and_then(|log| parse_log(&format!("{PREFIX}{log}")))
            {
                tips.insert(log, *id);
            }
        }
        // What is written here goes beyond what was sent.
        for (name, id) in &refs {
            if let Some(writer) = name.strip_prefix(&here).and_then(|writer| Writer::parse(writer).ok()) {
                tips.insert((Kind::Bottle, writer), *id);
            }
        }
        Ok(Snapshot::new(&self.odb, &self.refs, tips, None, Vec::new()))
    }

    /// The bottles for `vessel` alone, without what its own logs say.
    ///
    /// # Errors
    /// [`StoreError`] when the refs cannot be listed.
    pub fn outbox_alone(&self, vessel: &AgentName) -> Result<Snapshot<'_>, StoreError> {
        let here = outbox(vessel);
        let (refs, _) = self.refs.list(&here)?;
        let log = |(name, id): (String, EntryId)| {
            Some(((Kind::Bottle, Writer::parse(name.strip_prefix(&here)?).ok()?), id))
        };
        let tips = refs.into_iter().filter_map(log).collect();
        Ok(Snapshot::new(&self.odb, &self.refs, tips, None, Vec::new()))
    }

    /// Appends bottles for another vessel to the outbox.
    ///
    /// # Errors
    /// What `decide` answers with, and [`StoreError`]; then nothing was appended.
    pub fn post<E: From<StoreError>>(
        &self,
        vessel: &AgentName,
        stamp: &Stamp,
        mut decide: impl FnMut(&Snapshot<'_>) -> Result<Vec<Draft>, E>,
    ) -> Result<Applied, E> {
        let writer = self.writer_for(&stamp.agent, vessel)?;
        let name = format!("{}{writer}", outbox(vessel));
        let target = Target { kind: Kind::Bottle, writer: &writer, signed: true };
        self.append(target, &name, stamp, || self.outbox(vessel), |snapshot| Ok(decide(snapshot)?.into()))
    }

    /// The vessels that bottles were written for.
    ///
    /// # Errors
    /// [`StoreError`] when the refs cannot be listed.
    pub fn outboxes(&self) -> Result<Vec<AgentName>, StoreError> {
        let prefix = format!("{PREFIX}outbox/");
        let (refs, _) = self.refs.list(&prefix)?;
        let vessel = |name: &String| AgentName::new(name.strip_prefix(&prefix)?.split_once('/')?.0).ok();
        let mut vessels: Vec<_> = refs.keys().filter_map(vessel).collect();
        vessels.dedup();
        Ok(vessels)
    }

    /// Pushes what `vessel` does not hold yet: one connection, and none of its history is fetched.
    ///
    /// A push that failed on the way is simply made again: a log that is there already is there once.
    ///
    /// # Errors
    /// [`SyncError`] when this repository cannot be read, or the vessel cannot be reached.
    pub fn deliver(&self, stamp: &Stamp, vessel: &AgentName, remote: &Remote) -> Result<Delivery, SyncError> {
        let here = outbox(vessel);
        let (refs, _) = self.refs.list(&here).map_err(StoreError::from)?;
        let mut pushes = Vec::new();
        for (name, tip) in refs {
            let Some(writer) = name.strip_prefix(&here).and_then(|writer| Writer::parse(writer).ok()) else {
                continue;
            };
            let there = format!("{}{}/{writer}", tracking(vessel), Kind::Bottle);
            let held = self.refs.find(&there).map_err(StoreError::from)?;
            if held != Some(tip) {
                pushes.push((writer, tip, there, held));
            }
        }
        let mut delivery = Delivery::default();
        if pushes.is_empty() {
            return Ok(delivery);
        }
        let push = |(writer, tip, ..): &(Writer, EntryId, String, Option<EntryId>)| Push {
            name: ref_name(Kind::Bottle, writer),
            new: Some(*tip),
            condition: Condition::Forward,
        };
        let answers = remote.push(&pushes.iter().map(push).collect::<Vec<_>>())?;
        for ((writer, tip, there, held), answer) in pushes.into_iter().zip(answers) {
            let ids = self.entries_after(&writer, tip, held);
            match answer {
                Pushed::Done | Pushed::Current => {
                    let to = Move {
                        name: &there,
                        old: held,
                        new: tip,
                        stamp,
                        reason: "datum: deliver",
                        sync: false,
                    };
                    Wait::new(self).swap(&to)?;
                    delivery.sent.extend(ids);
                }
                Pushed::Moved => {
                    let why =
                        "the vessel holds another log of this writer; was this clone copied?".to_owned();
                    delivery.refused.get_or_insert((Vec::new(), why)).0.extend(ids);
                }
                Pushed::Refused(why) => delivery.refused.get_or_insert((Vec::new(), why)).0.extend(ids),
            }
        }
        Ok(delivery)
    }

    /// The entries of a log that follow `held`, oldest first.
    fn entries_after(&self, writer: &Writer, tip: EntryId, held: Option<EntryId>) -> Vec<EntryId> {
        let tips = BTreeMap::from([((Kind::Bottle, writer.clone()), tip)]);
        let mut ids = Vec::new();
        Snapshot::new(&self.odb, &self.refs, tips, None, Vec::new()).walk(Kind::Bottle, |view| {
            if Some(view.id) == held {
                return std::ops::ControlFlow::Break(());
            }
            ids.push(view.id);
            std::ops::ControlFlow::Continue(())
        });
        ids.reverse();
        ids
    }

    /// Fetches what the agents of `vessel` say in their bottle logs; answers with the logs that cannot be believed.
    ///
    /// # Errors
    /// [`SyncError`] when this repository cannot be read, or the vessel cannot be reached.
    pub fn collect(
        &self,
        stamp: &Stamp,
        vessel: &AgentName,
        remote: &Remote,
    ) -> Result<Vec<(Writer, String)>, SyncError> {
        let mut news = Vec::new();
        for (name, tip) in remote.list(&[])? {
            let Some((Kind::Bottle, writer)) = parse_log(&name) else { continue };
            let there = format!("{}{}/{writer}", tracking(vessel), Kind::Bottle);
            let held = self.refs.find(&there).map_err(StoreError::from)?;
            if held != Some(tip) {
                news.push((name, writer, tip, there, held));
            }
        }
        remote.fetch(news.iter().map(|(name, ..)| name.as_str()))?;
        let mut doubted = Vec::new();
        for (_, writer, tip, there, held) in news {
            let read = |tip| Lineage::read(&self.odb, Kind::Bottle, &writer, tip);
            let ours = held.and_then(|held| read(held).ok());
            let checked = read(tip).and_then(|theirs| {
                theirs.verify(ours.as_ref(), stamp.now)?;
                Ok(ours.as_ref().is_none_or(|ours| theirs.holds(ours)))
            });
            match checked {
                Ok(true) => {
                    let to = Move {
                        name: &there,
                        old: held,
                        new: tip,
                        stamp,
                        reason: "datum: collect",
                        sync: false,
                    };
                    Wait::new(self).swap(&to)?;
                }
                Ok(false) => {
                    doubted.push((writer, "its log was rewritten since it was last seen".to_owned()));
                }
                Err(doubt) => doubted.push((writer, doubt.why)),
            }
        }
        Ok(doubted)
    }

    /// The bottles written for `vessel`, newest first, and how far each has come.
    ///
    /// # Errors
    /// [`SyncError`] when this repository cannot be read.
    pub fn sent(&self, vessel: &AgentName) -> Result<Vec<Sent>, SyncError> {
        let snapshot = self.outbox(vessel)?;
        let (here, there) = (outbox(vessel), tracking(vessel));
        let (refs, _) = self.refs.list_under(&[&here, &there]).map_err(StoreError::from)?;
        let refusals = self.refusals()?;
        let mut waiting: BTreeMap<EntryId, bool> = BTreeMap::new();
        for (name, tip) in &refs {
            let Some(writer) = name.strip_prefix(&here).and_then(|writer| Writer::parse(writer).ok()) else {
                continue;
            };
            let held = refs.get(&format!("{there}{}/{writer}", Kind::Bottle)).copied();
            waiting.extend(self.entries_after(&writer, *tip, None).into_iter().map(|id| (id, false)));
            waiting.extend(self.entries_after(&writer, *tip, held).into_iter().map(|id| (id, true)));
        }
        let bottles = bottle::inbox(&snapshot).map_err(StoreError::from)?.bottles;
        let sent = bottles.into_iter().filter_map(|bottle| {
            let is_waiting = *waiting.get(&bottle.id)?;
            let own = bottle.from.clone().unwrap_or_default();
            let furthest = bottle
                .stages
                .iter()
                .filter(|(agent, _)| **agent != own)
                .map(|(_, status)| status.stage)
                .max();
            let reason = refusals.get(&bottle.id).cloned().filter(|_| is_waiting);
            let progress = match (is_waiting, &reason, furthest) {
                (true, Some(_), _) => Progress::Refused,
                (true, None, _) => Progress::Written,
                (false, _, None) => Progress::Sent,
                (false, _, Some(stage)) => Progress::Reached(stage),
            };
            Some(Sent { vessel: vessel.clone(), bottle, progress, reason })
        });
        Ok(sent.collect())
    }

    /// What vessels would not take, by bottle, by the entries that record it.
    fn refusals(&self) -> Result<BTreeMap<EntryId, String>, StoreError> {
        let mut refusals = BTreeMap::new();
        for entry in self.snapshot()?.entries(Kind::Bottle) {
            for id in entry.values(REFUSED).filter_map(EntryId::from_hex) {
                refusals.insert(id, entry.body.clone());
            }
        }
        Ok(refusals)
    }
}

/// Drafts the entry that records what a vessel would not take.
///
/// # Errors
/// [`crate::DraftError`] never for a checked name.
pub fn refusal(vessel: &AgentName, bottles: &[EntryId], why: &str) -> Result<Draft, crate::DraftError> {
    let plain: String = why.chars().filter(|c| *c != '\0').take(2000).collect();
    let mut draft = Draft::new(&format!("Vessel {vessel} refused bottles"), &plain)?;
    for id in bottles {
        draft = draft.with(REFUSED, &id.to_string())?;
    }
    Ok(draft)
}
