//! Adopted logs on their way: containers are checked log by log, and no log is taken back to an earlier state by one.

use super::receive::FAILURES_MAX;
use super::{LogName, Refused, Session};
use crate::adopt::container::{self, Logs, Sealed};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::lineage::{Doubt, Lineage};
use crate::refs::{Move, ref_name};
use crate::stamp::{CloneId, Millis, Writer};
use crate::store::StoreError;
use crate::sync::FORKS;
use crate::transport::{Condition, Push, Pushed, Remote, TransportError, Trouble};
use std::collections::BTreeMap;

/// The containers of one side, by adopter and kind.
pub(crate) type Containers = BTreeMap<(Writer, Kind), EntryId>;

/// Adopted logs that came or went together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// Who adopted them.
    pub adopter: Writer,
    /// Their kind.
    pub kind: Kind,
    /// How many they are; 0 where a dry run cannot know.
    pub logs: usize,
    /// Whether they came; otherwise they went.
    pub came: bool,
}

impl Session<'_> {
    /// The containers here, of the kinds that travel.
    pub(super) fn own_containers(&self) -> Result<Containers, StoreError> {
        let (refs, _) = self.store.refs.list(container::PREFIX)?;
        let of = |(name, id): (String, EntryId)| Some((container::parse_name(&name)?, id));
        let wanted = |((_, kind), _): &((Writer, Kind), EntryId)| self.options.kinds.contains(kind);
        Ok(refs.into_iter().filter_map(of).filter(wanted).collect())
    }

    /// Takes in the containers of the other side that hold all that those here do.
    pub(super) fn receive_adopted(
        &mut self,
        remote: Option<&Remote>,
    ) -> Result<Result<(), TransportError>, StoreError> {
        let ours = self.own_containers()?;
        let news = self.containers.iter().filter(|(key, id)| ours.get(*key) != Some(*id));
        let news: Vec<_> = news.map(|((adopter, kind), id)| (adopter.clone(), *kind, *id)).collect();
        let mut took = false;
        for (adopter, kind, id) in news {
            let name = container::name(&adopter, kind);
            if let Some(remote) = remote
                && !self.store.odb.exists(id)
                && let Err(error) = remote.fetch([name.as_str()])
            {
                self.failures += 1;
                let whole = [Trouble::Timeout, Trouble::Auth, Trouble::Unreachable, Trouble::NoLocation];
                if whole.contains(&error.trouble) || self.failures > FAILURES_MAX {
                    return Ok(Err(error));
                }
                let why = format!("adopted logs: they cannot be fetched: {}", error.message);
                self.closed.insert((adopter.clone(), kind));
                self.report.refused.push(Refused { log: (kind, adopter), by_them: true, why });
                continue;
            }
            let old = ours.get(&(adopter.clone(), kind)).copied();
            match self.take_adopted(&adopter, kind, id, old)? {
                Ok(None) => {}
                Ok(Some((new, logs))) => {
                    let (stamp, reason) = (self.stamp, "datum: sync");
                    if self.swap(&Move { name: &name, old, new, stamp, reason, sync: true })? {
                        took = true;
                        self.report.adopted.push(Adoption { adopter, kind, logs, came: true });
                    }
                }
                Err(why) => {
                    let log = (kind, adopter.clone());
                    let why = format!("adopted logs: {why}");
                    self.closed.insert((adopter, kind));
                    self.report.refused.push(Refused { log, by_them: false, why });
                }
            }
        }
        if took {
            self.store.fold_adopted()?;
        }
        Ok(Ok(()))
    }

    /// Checks a container of theirs; answers with the one that is to stand here then and the number of its logs, `None`
    /// if ours stays, or why theirs is not taken.
    ///
    /// Two of one name go two ways when copies of one clone adopted. They become one that holds of each log the longer.
    fn take_adopted(
        &mut self,
        adopter: &Writer,
        kind: Kind,
        id: EntryId,
        old: Option<EntryId>,
    ) -> Result<Result<Option<(EntryId, usize)>, String>, StoreError> {
        let read = |id| container::read(&self.store.odb, id);
        let theirs = match read(id) {
            Ok(logs) => logs,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let ours = old.map(read).transpose()?.unwrap_or_default();
        let mut forks = Vec::new();
        let mut check = || -> Result<Option<Logs>, String> {
            // Theirs may be what ours was. Of two that hold the same, made by two who met both at once, the one with
            // the smaller id stays, everywhere.
            let same = |old: EntryId| id < old && self.all_held(kind, &theirs, &ours);
            if self.all_held(kind, &ours, &theirs) && !old.is_some_and(same) {
                return Ok(None);
            }
            for (writer, sealed) in &theirs {
                if ours.get(writer) == Some(sealed) {
                    continue;
                }
                let named = |doubt: Doubt| format!("{writer}: {}", doubt.why);
                let lineage = Lineage::read_sealed(&self.store.odb, kind, writer, sealed).map_err(named)?;
                let log = (kind, writer.clone());
                let known = self.known(&log);
                lineage.verify(known.as_ref(), self.stamp.now).map_err(named)?;
                if newest_clock(&lineage, sealed) != Some(sealed.clock) {
                    return Err(format!("{writer}: its name tells another clock than its newest entry"));
                }
                if let Some(known) = known
                    && !known.holds(&lineage)
                    && !lineage.holds(&known)
                {
                    let first = lineage.at(lineage.common(&known) + 1).unwrap_or(sealed.tip);
                    forks.push((log, first));
                }
            }
            self.longer(kind, &ours, &theirs).map(Some)
        };
        let checked = check();
        if checked.is_ok() {
            for (log, first) in forks {
                let kept = format!("{FORKS}{}/{}/{}", log.0, log.1, first.short(12));
                self.set(&kept, id)?;
                let ours = self.store.refs.find(&ref_name(log.0, &log.1))?;
                self.held.insert(log.clone());
                self.report.forks.push(super::Fork { log, ours, theirs: id, kept });
            }
        }
        Ok(match checked {
            Ok(Some(logs)) => {
                let all = self.all_held(kind, &theirs, &logs);
                let new = || container::write(self.store, self.stamp, adopter, kind, old, &logs);
                Ok(Some((if all { id } else { new()? }, logs.len())))
            }
            Ok(None) => Ok(None),
            Err(why) => Err(why),
        })
    }

    /// The longer of each log in two containers; why not, where neither of two is a beginning of the other.
    fn longer(&self, kind: Kind, ours: &Logs, theirs: &Logs) -> Result<Logs, String> {
        let mut longer = ours.clone();
        for (writer, sealed) in theirs {
            let own = match longer.get(writer) {
                Some(own) if own != sealed => *own,
                Some(_) => continue,
                None => {
                    longer.insert(writer.clone(), *sealed);
                    continue;
                }
            };
            // Of two that hold the same in other segments the one with the smaller id, so that all choose alike.
            let (more, less) = if (own.count, sealed.tree) > (sealed.count, own.tree) {
                (own, *sealed)
            } else {
                (*sealed, own)
            };
            let read = |sealed| Lineage::read_sealed(&self.store.odb, kind, writer, sealed);
            match (read(&more), read(&less)) {
                (Ok(longer), Ok(shorter)) if longer.holds(&shorter) => {}
                (Ok(_), Ok(_)) => {
                    return Err(format!("{writer}: it went different ways before it was adopted"));
                }
                (Err(doubt), _) | (_, Err(doubt)) => return Err(format!("{writer}: {}", doubt.why)),
            }
            longer.insert(writer.clone(), more);
        }
        Ok(longer)
    }

    /// Whether `more` holds every log of `less`, whole.
    fn all_held(&self, kind: Kind, more: &Logs, less: &Logs) -> bool {
        less.iter().all(|(writer, sealed)| {
            let Some(other) = more.get(writer) else { return false };
            let read = |sealed| Lineage::read_sealed(&self.store.odb, kind, writer, sealed).ok();
            other == sealed
                || read(other).zip(read(sealed)).is_some_and(|(other, sealed)| other.holds(&sealed))
        })
    }

    /// The longest that is known here of a log, by its ref or adopted.
    pub(super) fn known(&self, log: &LogName) -> Option<Lineage<'_>> {
        let tip = self.store.refs.find(&ref_name(log.0, &log.1)).ok().flatten();
        let odb = &self.store.odb;
        let direct = tip.and_then(|tip| Lineage::read(odb, log.0, &log.1, tip).ok());
        let sealed = self.adopted.get(log);
        let sealed = sealed.and_then(|sealed| Lineage::read_sealed(odb, log.0, &log.1, sealed).ok());
        match (direct, sealed) {
            (Some(direct), Some(sealed)) if sealed.count > direct.count => Some(sealed),
            (Some(direct), _) => Some(direct),
            (None, sealed) => sealed,
        }
    }

    /// Pushes the containers that the other side lacks, then removes there the refs of logs that this clone's hold.
    pub(super) fn send_adopted(
        &mut self,
        remote: &Remote,
        theirs: &BTreeMap<LogName, EntryId>,
    ) -> Result<Result<bool, TransportError>, StoreError> {
        let ours = self.own_containers()?;
        let missing = |(key, id): &(&(Writer, Kind), &EntryId)| {
            let stays = self.options.stays.contains(&key.1) || self.closed.contains(*key);
            self.containers.get(*key) != Some(*id) && !stays
        };
        let news: Vec<_> = ours.iter().filter(missing).map(|(key, id)| (key.clone(), *id)).collect();
        // What is there is held by ours, or it would have been taken or refused; git may see it as another history.
        let push = |(key, id): &((Writer, Kind), EntryId)| Push {
            name: container::name(&key.0, key.1),
            new: Some(*id),
            condition: Condition::From(self.containers.get(key).copied()),
        };
        let mut trouble = None;
        let pushes: Vec<_> = news.iter().map(push).collect();
        let answers = super::push_apart(remote, &pushes, &mut trouble);
        let mut again = false;
        for ((key, id), answer) in news.into_iter().zip(answers) {
            let (adopter, kind) = key.clone();
            match answer {
                Some(Pushed::Done) => {
                    let logs = container::read(&self.store.odb, id)?.len();
                    self.report.adopted.push(Adoption { adopter, kind, logs, came: false });
                    self.containers.insert(key, id);
                }
                Some(Pushed::Current) => drop(self.containers.insert(key, id)),
                Some(Pushed::Moved) => again = true,
                Some(Pushed::Refused(why)) => {
                    let why = format!("adopted logs: {why}");
                    self.report.refused.push(Refused { log: (kind, adopter), by_them: true, why });
                }
                None => {}
            }
        }
        if let Some(error) = trouble {
            return Ok(Err(error));
        }
        if let Some(tracking) = self.tracking.clone() {
            for ((adopter, kind), id) in &ours {
                if self.containers.get(&(adopter.clone(), *kind)) == Some(id) {
                    self.set(&container::tracked(&tracking, &container::name(adopter, *kind)), *id)?;
                }
            }
        }
        self.clear_remote(remote, theirs, &ours).map(|cleared| cleared.map(|()| again))
    }

    /// The adopted logs that the other side is known to hold in containers.
    pub(super) fn adopted_there(&self) -> BTreeMap<LogName, Sealed> {
        let mut logs = BTreeMap::new();
        for ((_, kind), id) in &self.containers {
            let Ok(read) = container::read(&self.store.odb, *id) else { continue };
            for (writer, sealed) in read {
                let longest = logs.entry((*kind, writer)).or_insert(sealed);
                if longest.count < sealed.count {
                    *longest = sealed;
                }
            }
        }
        logs
    }

    /// Removes at the other side the refs of logs that a container of this clone's holds there.
    fn clear_remote(
        &mut self,
        remote: &Remote,
        theirs: &BTreeMap<LogName, EntryId>,
        ours: &Containers,
    ) -> Result<Result<(), TransportError>, StoreError> {
        let Some(own) = self.store.known_clone_id() else { return Ok(Ok(())) };
        let mut gone = Vec::new();
        for (key, id) in ours.iter().filter(|((adopter, _), _)| adopter.clone_id() == own.as_str()) {
            if self.containers.get(key) != Some(id) {
                continue;
            }
            for (writer, sealed) in container::read(&self.store.odb, *id)? {
                let log = (key.1, writer);
                let id = log.1.clone_id();
                let kept = id == own.as_str() || id == CloneId::SHARED;
                if let Some(tip) = theirs.get(&log)
                    && !kept
                    && self.store.sealed_holds(&log, &sealed, *tip)
                {
                    gone.push((log, *tip));
                }
            }
        }
        let push = |(log, tip): &(LogName, EntryId)| Push {
            name: ref_name(log.0, &log.1),
            new: None,
            condition: Condition::From(Some(*tip)),
        };
        let answers = match remote.push(&gone.iter().map(push).collect::<Vec<_>>()) {
            Ok(answers) => answers,
            Err(error) => return Ok(Err(error)),
        };
        let mut noted = Vec::new();
        for ((log, _), answer) in gone.into_iter().zip(answers) {
            match answer {
                Pushed::Done | Pushed::Current => {
                    let name =
                        self.tracking.as_ref().map(|tracking| format!("{tracking}{}/{}", log.0, log.1));
                    if let Some(name) = name
                        && let Some(id) = self.store.refs.find(&name)?
                    {
                        noted.push((name, id));
                    }
                }
                // It grew meanwhile: its writer is not gone.
                Pushed::Moved => {}
                Pushed::Refused(why) => drop(self.report.kept_there.get_or_insert(why)),
            }
        }
        self.store.refs.remove_all(&self.store.git, &noted)?;
        Ok(Ok(()))
    }
}

/// The clock of the newest entry of an adopted log.
fn newest_clock(lineage: &Lineage<'_>, sealed: &Sealed) -> Option<Millis> {
    let mut clock = None;
    lineage.visit_after(sealed.count - 1, |view| clock = Some(view.clock())).ok()?;
    clock
}
