//! What `status` knows: gathered once from one snapshot, then printed as text or as JSON.

use super::rows;
use crate::cmd::sync;
use crate::edge::Edge;
use crate::fault::Fault;
use crate::time;
use datum_core::audit::{self, Change};
use datum_core::bottle::{self, Brief, Waiting};
use datum_core::claim::Claim;
use datum_core::onboarding::{self, Known};
use datum_core::outlook::{self, Audits, Seen, Unsent};
use datum_core::task::{self, State, Task, Tasks};
use datum_core::{AgentName, Damage, Entry, EntryId, Millis, Snapshot, Store, Upkeep, journal};
use serde::Serialize;
use serde::ser::Serializer;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::time::Duration;

/// Journal entries that are shown at most.
const JOURNAL_MAX: usize = 5;
/// Without an agent, audits count as new for this long.
const DAY: Millis = 24 * 60 * 60 * 1000;

/// What there is.
pub(super) struct Standing {
    pub(super) now: Millis,
    pub(super) agent: Option<AgentName>,
    pub(super) repository: String,
    snapshot: Option<EntryId>,
    head: Option<EntryId>,
    pub(super) known: Known,
    /// `None` where there is no agent to ask for.
    pub(super) inbox: Option<Waiting>,
    pub(super) tasks: Tasks,
    /// Claims that somebody holds, those of tasks left out.
    pub(super) claims: Vec<Claim>,
    pub(super) audits: Audits,
    pub(super) agents: Vec<Seen>,
    pub(super) journal: Vec<Entry>,
    pub(super) remote: Option<(String, Unsent)>,
    pub(super) upkeep: Upkeep,
    /// What could not be read beside the logs.
    pub(super) damage: Vec<Damage>,
}

impl Standing {
    pub(super) fn of(edge: &Edge<'_>, store: &Store, snapshot: &Snapshot<'_>) -> Result<Self, Fault> {
        let now = edge.now()?;
        let agent = edge.agent_if_any()?;
        let me = agent.clone().map(|name| edge.me_as(store, name)).transpose()?;
        let agents = outlook::seen(snapshot)?;
        let mine = agents.iter().find(|seen| agent.as_ref() == Some(&seen.agent.name));
        let since = match &agent {
            Some(_) => mine.map_or(0, |seen| seen.wrote),
            None => now.saturating_sub(DAY),
        };
        let tasks = task::fold(snapshot);
        let is_task = |name: &str| EntryId::from_hex(name).is_some_and(|id| tasks.get(id).is_some());
        let (claims, damage) = store.claims_of(|name| !is_task(name.as_str()))?;
        let root = store.work_dir().unwrap_or_else(|| store.common_dir());
        let query = journal::Query { limit: Some(JOURNAL_MAX), ..journal::Query::default() };
        Ok(Self {
            now,
            agent,
            repository: root.canonicalize().unwrap_or_else(|_| root.to_owned()).display().to_string(),
            snapshot: snapshot.id(),
            head: snapshot.head(),
            known: onboarding::known(snapshot),
            inbox: me.map(|me| bottle::waiting(snapshot, &me, now)).transpose()?,
            tasks,
            claims: claims.into_iter().filter(|claim| claim.is_held(now)).collect(),
            audits: outlook::audits(snapshot, since),
            agents,
            journal: journal::list(snapshot, &query, |_| true),
            remote: remote(store, snapshot)?,
            upkeep: store.upkeep(),
            damage,
        })
    }

    /// How many tasks are in `state`.
    pub(super) fn count(&self, state: State) -> usize {
        self.tasks.all().iter().filter(|task| task.status(self.now) == state).count()
    }

    /// The tasks to show: those the agent has, then those under way, then those that are ready.
    pub(super) fn shown_tasks(&self) -> impl Iterator<Item = &Task> {
        let is_mine = |task: &Task| {
            let agent = self.agent.as_ref().map(AgentName::as_str);
            task.live_hold(self.now).is_some_and(|hold| Some(hold.agent.as_str()) == agent)
        };
        let is_busy =
            |task: &Task| matches!(task.status(self.now), State::InProgress | State::Review | State::Blocked);
        let all = self.tasks.all().iter();
        let mine = all.clone().filter(move |task| is_mine(task) && !task.is_closed());
        let busy = all.filter(move |task| is_busy(task) && !is_mine(task));
        mine.chain(busy).chain(self.tasks.ready(self.now, None))
    }

    /// How many findings came and went between the two newest reports of a type.
    pub(super) fn audit_changes(&self) -> Option<(usize, usize)> {
        let (newest, before) = (self.audits.newest.as_ref()?, self.audits.before.as_ref()?);
        let changes = audit::changes(&before.report, &newest.report);
        let came = changes.iter().filter(|change| matches!(change, Change::Appeared(_))).count();
        Some((came, changes.len() - came))
    }

    /// All but the bottles, of which there may be many: [`Shown`] puts them in.
    pub(super) fn json(&self) -> Value {
        let entries: serde_json::Map<_, _> =
            self.known.entries.iter().map(|(kind, count)| (kind.to_string(), (*count).into())).collect();
        let entry = |e: &Entry| {
            json!({
                "id": e.id, "time": time::iso(e.clock), "agent": e.agent,
                "category": e.trailer(journal::CATEGORY), "text": e.text(),
            })
        };
        json!({
            "version": 1,
            "agent": self.agent.as_ref().map(AgentName::as_str),
            "repository": self.repository,
            "snapshot": self.snapshot,
            "head": self.head,
            "agents": self.known.agents,
            "log_count": self.known.logs,
            "entries": entries,
            "unread": null,
            "overdue": null,
            "journal": self.journal.iter().map(entry).collect::<Vec<_>>(),
            "tasks": self.tasks_json(),
            "claims": self.claims.iter().map(claim_json).collect::<Vec<_>>(),
            "audits": self.audits_json(),
            "seen": self.agents.iter().map(|seen| seen_json(seen, self.now)).collect::<Vec<_>>(),
            "remote": self.remote.as_ref().map(|(name, unsent)| json!({
                "name": name, "met": unsent.met, "unsent_logs": unsent.logs, "unsent_entries": unsent.entries,
            })),
            "upkeep": {
                "packs": self.upkeep.packs, "pack_bytes": self.upkeep.pack_bytes, "loose": self.upkeep.loose,
                "loose_is_estimate": self.upkeep.is_estimate,
                "due": self.upkeep.due, "by_itself": self.upkeep.by_itself,
            },
        })
    }

    fn tasks_json(&self) -> Value {
        let states: serde_json::Map<_, _> =
            State::ALL.iter().map(|state| (state.as_str().to_owned(), self.count(*state).into())).collect();
        let held = self.tasks.all().iter().filter_map(|task| Some((task, task.live_hold(self.now)?)));
        let held: Vec<_> = held
            .map(|(task, hold)| {
                json!({
                    "id": task.id, "alias": task.alias(), "title": task.title, "agent": hold.agent,
                    "until": time::iso(hold.until),
                })
            })
            .collect();
        json!({ "states": states, "ready": self.tasks.ready(self.now, None).count(), "held": held })
    }

    fn audits_json(&self) -> Value {
        let changes = self.audit_changes();
        let newest = self.audits.newest.as_ref().map(|newest| {
            json!({
                "id": newest.id, "time": time::iso(newest.clock), "agent": newest.agent,
                "type": newest.report.audit, "counts": newest.report.counts,
                "appeared": changes.map(|(came, _)| came), "went": changes.map(|(_, went)| went),
            })
        });
        json!({ "since_last": self.audits.since, "newest": newest })
    }
}

/// The JSON of a status, with the bottles printed as they are.
pub(super) struct Shown<'a> {
    pub(super) value: &'a Value,
    pub(super) inbox: Option<&'a Waiting>,
}

impl Shown<'_> {
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut before = b"{";
        for (key, value) in self.value.as_object().into_iter().flatten() {
            out.write_all(before)?;
            before = b",";
            serde_json::to_writer(&mut *out, key)?;
            out.write_all(b":")?;
            match (key.as_str(), self.inbox) {
                ("unread", Some(inbox)) => rows::write(out, inbox.unread())?,
                ("overdue", Some(inbox)) => rows::write(out, inbox.overdue())?,
                _ => serde_json::to_writer(&mut *out, value)?,
            }
        }
        out.write_all(b"}")
    }
}

/// Bottles as JSON.
pub(super) struct Bottles<I>(pub(super) I);

impl<'a, I: ExactSizeIterator<Item = Brief<'a>> + Clone> Serialize for Bottles<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Row<'a> {
            id: EntryId,
            from: Option<&'a str>,
            subject: &'a str,
        }
        serializer.collect_seq(self.0.clone().map(|Brief { id, from, subject, .. }| Row {
            id,
            from,
            subject,
        }))
    }
}

fn claim_json(claim: &Claim) -> Value {
    json!({
        "id": claim.name.as_str(), "agent": claim.holder.agent(), "holder": claim.holder.as_str(),
        "until": time::iso(claim.until),
    })
}

fn seen_json(seen: &Seen, now: Millis) -> Value {
    let agent = &seen.agent;
    json!({
        "agent": agent.name.as_str(), "state": agent.state.as_str(), "liveness": agent.liveness(now).as_str(),
        "last_seen": agent.seen.map(time::iso), "entries": seen.entries,
    })
}

fn remote(store: &Store, snapshot: &Snapshot<'_>) -> Result<Option<(String, Unsent)>, Fault> {
    let Some(name) = store.default_remote() else { return Ok(None) };
    // A remote that cannot be used is told by the sync that wants to.
    let Ok(remote) = store.remote(&name, Duration::ZERO) else { return Ok(None) };
    let unsent = store.unsent(snapshot, &remote.name(), &sync::leaving(store, &name)?)?;
    Ok(Some((name, unsent)))
}
