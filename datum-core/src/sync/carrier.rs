//! A branch as a carrier: where only branches may be pushed, one commit lists the tips of all logs and has them as
//! parents, so that git carries the logs with it.

use super::{Options, Report, Session, SyncError};
use crate::adopt::container;
use crate::id::EntryId;
use crate::log;
use crate::odb::{ObjectError, ObjectKind};
use crate::refs::{PREFIX, parse_log};
use crate::stamp::Stamp;
use crate::store::{Store, StoreError};
use crate::transport::{Condition, Push, Pushed, Remote};
use crate::{commit, tree};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The one file in a carrier's tree: a line `<tip> <kind>/<writer>` for each log.
const FILE: &str = "datum-logs";
/// Largest list that is believed, bytes.
const LIST_MAX: u64 = 4 * 1024 * 1024;
/// How often others may be faster before this gives up.
const ROUNDS_MAX: u32 = 50;

impl Store {
    /// Brings logs to `remote` and back by the branch `branch` alone (`agent/x`), where `refs/datum/` is refused.
    ///
    /// # Errors
    /// [`StoreError`] when this repository cannot be read or written. Trouble on the way stands in the report.
    pub fn sync_branch(
        &self,
        stamp: &Stamp,
        remote: &Remote,
        branch: &str,
        options: &Options,
    ) -> Result<Report, StoreError> {
        let mut session = Session::new(self, stamp, options, None);
        let name = format!("refs/heads/{branch}");
        for round in 1..=ROUNDS_MAX {
            match session.carry(remote, &name) {
                Ok(false) => break,
                Ok(true) => std::thread::sleep(crate::wait::jitter() * round),
                Err(SyncError::Store(error)) => return Err(error),
                Err(SyncError::Transport(error)) => {
                    session.report.trouble = Some(error);
                    break;
                }
            }
        }
        Ok(session.report)
    }

    /// Takes in the logs that a branch of this repository carries, `name` being the full name of its ref.
    ///
    /// # Errors
    /// [`StoreError`] when there is no such ref, or it carries no logs.
    pub fn absorb_ref(&self, stamp: &Stamp, name: &str, options: &Options) -> Result<Report, StoreError> {
        let mut session = Session::new(self, stamp, options, None);
        let nothing = |message: &str| StoreError::Log { name: name.to_owned(), message: message.to_owned() };
        let tip = self.refs.find(name)?.ok_or_else(|| nothing("there is no such ref"))?;
        let logs = carried(self, tip)?.ok_or_else(|| nothing("it carries no logs"))?;
        let theirs = session.sort(logs);
        session.report.trouble = session.receive(None, &theirs)?.err();
        Ok(session.report)
    }

    /// The full name of the local ref that `text` means: a branch, a remote's branch, or a full name.
    pub fn find_ref(&self, text: &str) -> Option<String> {
        let names = [text.to_owned(), format!("refs/heads/{text}"), format!("refs/remotes/{text}")];
        let known =
            |name: &String| name.starts_with("refs/") && self.refs.find(name).ok().flatten().is_some();
        names.into_iter().find(known)
    }
}

/// The tips that the commit `tip` carries; `None` if it is no carrier.
fn carried(store: &Store, tip: EntryId) -> Result<Option<BTreeMap<String, EntryId>>, ObjectError> {
    let mut buffer = Vec::new();
    let Some(root) = commit::tree(store.odb.read(tip, ObjectKind::Commit, &mut buffer)?) else {
        return Ok(None);
    };
    let items = log::read_tree(&store.odb, root)?;
    let Some(list) = items.iter().find(|item| item.name == FILE.as_bytes() && item.mode.is_blob()) else {
        return Ok(None);
    };
    let text = store.odb.read_bounded(list.id, ObjectKind::Blob, LIST_MAX, &mut buffer)?;
    let line = |line: &str| {
        let (id, log) = line.split_once(' ')?;
        Some((format!("{PREFIX}{log}"), EntryId::from_hex(id)?))
    };
    Ok(Some(String::from_utf8_lossy(text).lines().filter_map(line).collect()))
}

impl Session<'_> {
    /// One exchange by a branch; answers whether somebody was faster.
    fn carry(&mut self, remote: &Remote, name: &str) -> Result<bool, SyncError> {
        let refs = remote.list(&[name])?;
        let before = refs.get(name).copied();
        let mut carried_before = BTreeMap::new();
        if let Some(tip) = before {
            if !self.store.odb.exists(tip) {
                remote.fetch([name])?;
            }
            carried_before = carried(self.store, tip).map_err(StoreError::from)?.unwrap_or_default();
        }
        let direct = self.sort(refs);
        self.receive(Some(remote), &direct)??;
        let theirs = self.sort(carried_before.clone());
        self.receive(None, &theirs)??;
        let ours = self.store.logs(&self.options.going())?;
        let mut containers = BTreeMap::new();
        for ((adopter, kind), id) in self.own_containers()? {
            if self.options.going().contains(&kind) && !self.closed.contains(&(adopter.clone(), kind)) {
                containers.insert(container::name(&adopter, kind), id);
            }
        }
        let adopting = containers.iter().any(|(name, id)| carried_before.get(name) != Some(id));
        let grown: Vec<_> = ours.iter().filter(|(log, tip)| theirs.get(*log) != Some(*tip)).collect();
        if self.options.dry_run || (grown.is_empty() && !adopting) {
            return Ok(false);
        }
        // What others put there stays on the list, of whatever kind.
        let mut all = carried_before;
        all.extend(containers);
        for (log, tip) in &ours {
            if !self.held.contains(log) {
                all.insert(format!("{PREFIX}{}/{}", log.0, log.1), *tip);
            }
        }
        let new = self.write_carrier(before, &all)?;
        let push = Push { name: name.to_owned(), new: Some(new), condition: Condition::Forward };
        match remote.push(&[push])?.pop() {
            Some(Pushed::Moved) => return Ok(true),
            Some(Pushed::Refused(why)) => {
                for (log, _) in grown {
                    self.report.refused.push(super::Refused {
                        log: log.clone(),
                        by_them: true,
                        why: why.clone(),
                    });
                }
            }
            _ => {
                for (log, tip) in grown {
                    let entries = self.grown(log, *tip, theirs.get(log).copied()).unwrap_or(0);
                    super::add(&mut self.report.went, log.clone(), entries);
                }
            }
        }
        Ok(false)
    }

    fn write_carrier(
        &self,
        before: Option<EntryId>,
        logs: &BTreeMap<String, EntryId>,
    ) -> Result<EntryId, StoreError> {
        let odb = &self.store.odb;
        let mut list = String::new();
        let mut parents: Vec<EntryId> = before.into_iter().collect();
        for (name, tip) in logs {
            let _ = writeln!(list, "{tip} {}", &name[PREFIX.len()..]);
            // A tip that is not here was carried by the one before.
            let known = parse_log(name).is_some() || container::parse_name(name).is_some();
            if known && odb.exists(*tip) && !parents.contains(tip) {
                parents.push(*tip);
            }
        }
        let blob = odb.write(ObjectKind::Blob, list.as_bytes(), false)?;
        let root = odb.write(ObjectKind::Tree, &tree::print_file(FILE, blob), false)?;
        let seconds = self.stamp.now / 1000;
        let agent = &self.stamp.agent;
        let mut raw = format!("tree {root}\n");
        for parent in parents {
            let _ = writeln!(raw, "parent {parent}");
        }
        let who = format!("{agent} <{agent}@datum> {seconds} +0000");
        let _ = write!(
            raw,
            "author {who}\ncommitter {who}\n\ndatum: {} logs\n\nTaken in by: datum absorb\n",
            logs.len()
        );
        Ok(odb.write(ObjectKind::Commit, raw.as_bytes(), false)?)
    }
}
