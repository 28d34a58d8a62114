//! Receiving: what came is checked, then the logs here are moved forward.

use super::{LogName, ROUNDS_MAX, Refused, Session, add};
use crate::id::EntryId;
use crate::lineage::{Doubt, Lineage};
use crate::refs::{Move, ref_name};
use crate::store::StoreError;
use crate::transport::{Remote, TransportError, Trouble};
use crate::wait::jitter;
use std::collections::BTreeMap;

/// How many fetches may fail before one takes it to be the connection.
pub(super) const FAILURES_MAX: u32 = 64;

/// What a log of theirs is to ours.
enum Verdict {
    /// Nothing new.
    Held,
    /// Ours was moved forward to it.
    Came,
    /// The two go different ways.
    Fork,
    /// It is not believed.
    Doubted(Doubt),
    /// Another process moved ours meanwhile.
    Again,
}

impl Session<'_> {
    /// Fetches what is not here of `theirs`, and takes in what can be believed.
    pub(crate) fn receive(
        &mut self,
        remote: Option<&Remote>,
        theirs: &BTreeMap<LogName, EntryId>,
    ) -> Result<Result<(), TransportError>, StoreError> {
        if let Err(error) = self.receive_adopted(remote)? {
            return Ok(Err(error));
        }
        self.adopted = self.store.adopted()?.logs;
        let ours = self.store.logs(&self.options.kinds)?;
        let other = |(log, id): &(&LogName, &EntryId)| ours.get(*log) != Some(*id);
        let adopted = |(log, id): &(&LogName, &EntryId)| {
            !ours.contains_key(*log) && self.adopted.get(*log).is_some_and(|sealed| sealed.tip == **id)
        };
        let news: Vec<_> = theirs
            .iter()
            .filter(other)
            .filter(|log| !adopted(log))
            .map(|(log, id)| (log.clone(), *id))
            .collect();
        let absent = news.iter().filter(|(_, id)| !self.store.odb.exists(*id));
        let absent: Vec<_> = absent.map(|(log, _)| log.clone()).collect();
        let mut trouble = None;
        if let Some(remote) = remote {
            self.fetch_apart(remote, &absent, &mut trouble);
        }
        let mut left = news;
        for round in 1..=ROUNDS_MAX {
            left = self.settle(remote, left, &mut trouble)?;
            if left.is_empty() {
                break;
            }
            std::thread::sleep(jitter() * round.min(20));
            for (log, _) in &left {
                self.held.remove(log);
            }
        }
        for (log, tip) in theirs.iter().filter(|(log, tip)| ours.get(*log) == Some(*tip)) {
            self.note(log, *tip)?;
        }
        Ok(trouble.map_or(Ok(()), Err))
    }

    /// Takes in what can be believed of these logs; answers with those that another process here has moved meanwhile.
    fn settle(
        &mut self,
        remote: Option<&Remote>,
        news: Vec<(LogName, EntryId)>,
        trouble: &mut Option<TransportError>,
    ) -> Result<Vec<(LogName, EntryId)>, StoreError> {
        let (mut forks, mut outrun) = (Vec::new(), Vec::new());
        for (log, tip) in news {
            let mut verdict = self.take(&log, tip)?;
            // An object may be here without all that it needs, from a fetch that was cut.
            if let (Verdict::Doubted(Doubt { missing: true, .. }), Some(remote), None) =
                (&verdict, remote, &*trouble)
            {
                self.fetch_apart(remote, std::slice::from_ref(&log), trouble);
                verdict = self.take(&log, tip)?;
            }
            match verdict {
                Verdict::Held | Verdict::Came => {}
                Verdict::Again => {
                    self.held.insert(log.clone());
                    outrun.push((log, tip));
                }
                Verdict::Fork => forks.push((log, tip)),
                Verdict::Doubted(doubt) => {
                    self.held.insert(log.clone());
                    if trouble.is_none() && !self.report.refused.iter().any(|refused| refused.log == log) {
                        self.report.refused.push(Refused { log, by_them: false, why: doubt.why });
                    }
                }
            }
        }
        outrun.append(&mut self.part(forks)?);
        Ok(outrun)
    }

    /// Fetches the objects of logs; where one spoils the whole fetch, the others are fetched without it.
    fn fetch_apart(&mut self, remote: &Remote, logs: &[LogName], trouble: &mut Option<TransportError>) {
        if logs.is_empty() || trouble.is_some() {
            return;
        }
        let names: Vec<_> = logs.iter().map(|(kind, writer)| ref_name(*kind, writer)).collect();
        let Err(error) = remote.fetch(names.iter().map(String::as_str)) else { return };
        self.failures += 1;
        match error.trouble {
            _ if self.failures > FAILURES_MAX => *trouble = Some(error),
            Trouble::Timeout | Trouble::Auth | Trouble::Unreachable | Trouble::NoLocation => {
                *trouble = Some(error);
            }
            _ if logs.len() > 1 => {
                let (left, right) = logs.split_at(logs.len() / 2);
                self.fetch_apart(remote, left, trouble);
                self.fetch_apart(remote, right, trouble);
            }
            _ => {
                let why = format!("it cannot be fetched: {}", error.message);
                self.report.refused.push(Refused { log: logs[0].clone(), by_them: true, why });
            }
        }
    }

    /// Checks a log of theirs, and moves ours to it where it only goes on.
    fn take(&mut self, log: &LogName, tip: EntryId) -> Result<Verdict, StoreError> {
        let (kind, writer) = log;
        let odb = &self.store.odb;
        let name = ref_name(*kind, writer);
        let old = self.store.refs.find(&name)?;
        let theirs = match Lineage::read(odb, *kind, writer, tip) {
            Ok(theirs) => theirs,
            Err(doubt) => return Ok(Verdict::Doubted(doubt)),
        };
        let direct = match old.map(|old| Lineage::read(odb, *kind, writer, old)).transpose() {
            Ok(direct) => direct,
            Err(doubt) => {
                let why = format!("the log here is damaged: {}", doubt.why);
                return Ok(Verdict::Doubted(Doubt { why, missing: false, ..doubt }));
            }
        };
        let sealed = self.adopted.get(log).and_then(|log| Lineage::read_sealed(odb, *kind, writer, log).ok());
        let ours = match (direct, sealed) {
            (Some(direct), Some(sealed)) if sealed.count <= direct.count => Some(direct),
            (direct, sealed) => sealed.or(direct),
        };
        if ours.as_ref().is_some_and(|ours| ours.holds(&theirs)) {
            self.note(log, tip)?;
            return Ok(Verdict::Held);
        }
        if let Err(doubt) = theirs.verify(ours.as_ref(), self.stamp.now) {
            return Ok(Verdict::Doubted(doubt));
        }
        if ours.as_ref().is_some_and(|ours| !theirs.holds(ours)) {
            return Ok(Verdict::Fork);
        }
        let reason = "datum: sync";
        let to = Move { name: &name, old, new: tip, stamp: self.stamp, reason, sync: kind.always_syncs() };
        if !self.swap(&to)? {
            return Ok(Verdict::Again);
        }
        self.note(log, tip)?;
        let before = ours.map_or(0, |ours| ours.count);
        add(&mut self.report.came, log.clone(), theirs.count - before);
        Ok(Verdict::Came)
    }
}
