//! The inbox: bottles of the logs and of the tree in one list, and what became of each.

use super::{ACK, DEADLINE, IN_REPLY_TO, PRIORITY, READ, Recipient, SEEN, TO, TYPE};
use crate::entry::View;
use crate::file_bottle::{self, FileBottle, Resolved, Rung, When};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::name::AgentName;
use crate::odb::ObjectError;
use crate::publish::bottle_file;
use crate::publish::taskboard_file::Priority;
use crate::snapshot::Snapshot;
use crate::stamp::Millis;
use crate::{import, undo};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// Largest file that is read as a bottle, bytes.
const FILE_MAX: usize = 16 * 1024 * 1024;

/// Who reads: the names a bottle may be addressed to.
#[derive(Debug, Clone)]
pub struct Me {
    /// The agent.
    pub name: AgentName,
    /// Its role, as its CAPABILITY.toml declares it.
    pub role: Option<String>,
    /// What it declares it can do.
    pub capabilities: BTreeSet<String>,
}

impl Me {
    /// Whether a bottle to `recipient` is for this reader; one for any vessel is not for its sender.
    pub(super) fn is_meant(&self, recipient: &Recipient, from_me: bool) -> bool {
        match recipient {
            Recipient::Agent(name) => *name == self.name,
            Recipient::Role(role) => self.role.as_deref().is_some_and(|mine| same(mine, role.as_str())),
            Recipient::Capability(want) => self.capabilities.iter().any(|mine| same(mine, want.as_str())),
            Recipient::AnyVessel => !from_me,
        }
    }
}

/// Where a bottle lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In a log: the writer.
    Log(String),
    /// In the tree: the paths of its copies, in their order.
    Files(Vec<String>),
}

/// How far a bottle has come with one agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Nothing is known of it.
    Unread,
    /// The agent was shown it in a list.
    Seen,
    /// It was read.
    Read,
    /// It was acknowledged.
    Acknowledged,
    /// It was answered with a bottle.
    Answered,
}

impl Stage {
    /// The name, as it stands in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unread => "unread",
            Self::Seen => "seen",
            Self::Read => "read",
            Self::Acknowledged => "acknowledged",
            Self::Answered => "answered",
        }
    }
}

/// The furthest stage an agent has reached, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// How far.
    pub stage: Stage,
    /// Since when, by the clock of the entry that says so.
    pub at: Millis,
}

/// One bottle.
#[derive(Debug, Clone)]
pub struct Bottle {
    /// The commit's id, or the blob's for a file.
    pub id: EntryId,
    /// Where it lies.
    pub source: Source,
    /// The sender, as the bottle states it.
    pub from: Option<String>,
    /// The sender's checked name, where it is one.
    pub from_agent: Option<AgentName>,
    /// The recipients, as the bottle states them.
    pub to: Vec<String>,
    /// The recipients that could be understood.
    pub recipients: Vec<Recipient>,
    /// The type.
    pub kind: Option<String>,
    /// What it is about.
    pub subject: String,
    /// When it was written, as precisely as is known.
    pub date: Option<String>,
    /// The same for sorting, milliseconds; the start of the day where only that is known.
    pub time: Millis,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// By when it is to be acknowledged.
    pub deadline: Option<Millis>,
    /// The bottle it answers.
    pub in_reply_to: Option<EntryId>,
    /// From which rung of the ladder each field came, for a file.
    pub rungs: BTreeMap<&'static str, Rung>,
    /// The whole text, to the byte.
    pub text: Vec<u8>,
    /// How far it has come, by agent.
    pub stages: BTreeMap<String, Status>,
}

impl Bottle {
    /// Whether the bottle is addressed to `me`.
    pub fn is_for(&self, me: &Me) -> bool {
        let from_me = self.from_agent.as_ref() == Some(&me.name);
        self.recipients.iter().any(|recipient| me.is_meant(recipient, from_me))
    }

    /// How far the bottle has come with `agent`.
    pub fn stage(&self, agent: &AgentName) -> Stage {
        self.stages.get(agent.as_str()).map_or(Stage::Unread, |status| status.stage)
    }

    /// Whether `agent` has neither read it nor done more with it.
    pub fn is_new_to(&self, agent: &AgentName) -> bool {
        self.stage(agent) < Stage::Read
    }

    /// Whether its deadline has passed and nobody has acknowledged it.
    pub fn is_overdue(&self, now: Millis) -> bool {
        self.deadline.is_some_and(|deadline| deadline < now)
            && self.stages.values().all(|status| status.stage < Stage::Acknowledged)
    }

    fn reached(&mut self, agent: &str, stage: Stage, at: Millis) {
        match self.stages.get_mut(agent) {
            Some(status) if status.stage >= stage => {}
            Some(status) => *status = Status { stage, at },
            None => {
                self.stages.insert(agent.to_owned(), Status { stage, at });
            }
        }
    }
}

fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// All bottles of a snapshot.
#[derive(Debug, Clone, Default)]
pub struct Inbox {
    /// The bottles, newest first.
    pub bottles: Vec<Bottle>,
}

impl Inbox {
    /// The bottles whose id begins with `hex`, or that lie at the path `text`.
    pub fn find(&self, text: &str) -> Vec<&Bottle> {
        let at_path = |bottle: &&Bottle| matches!(&bottle.source, Source::Files(paths) if paths.iter().any(|p| p == text));
        if let Some(bottle) = self.bottles.iter().find(at_path) {
            return vec![bottle];
        }
        let hex = text.to_ascii_lowercase();
        self.bottles.iter().filter(|bottle| bottle.id.to_string().starts_with(&hex)).collect()
    }

    /// The bottles of the thread that `id` is in, oldest first.
    pub fn thread(&self, id: EntryId) -> Vec<&Bottle> {
        let parents: BTreeMap<_, _> =
            self.bottles.iter().filter_map(|bottle| Some((bottle.id, bottle.in_reply_to?))).collect();
        // A bottle may name one that is not here, and a hostile one itself: walk up at most once past each.
        let root = |mut id: EntryId| {
            for _ in 0..=parents.len() {
                match parents.get(&id) {
                    Some(parent) => id = *parent,
                    None => return id,
                }
            }
            id
        };
        let want = root(id);
        let mut thread: Vec<_> = self.bottles.iter().filter(|bottle| root(bottle.id) == want).collect();
        thread.reverse();
        thread
    }
}

/// Folds the bottle logs and reads the bottles of the tree.
///
/// # Errors
/// [`ObjectError`] when the tree cannot be read. A single file that cannot be read is left out and told by
/// [`Snapshot::damage`]; so are entries.
pub fn inbox(snapshot: &Snapshot<'_>) -> Result<Inbox, ObjectError> {
    let mut bottles: BTreeMap<EntryId, Bottle> = BTreeMap::new();
    let mut receipts = Vec::new();
    let mut imported = BTreeMap::new();
    let hidden = undo::walk_visible(snapshot, Kind::Bottle, |view| {
        let stages = [(SEEN, Stage::Seen), (READ, Stage::Read), (ACK, Stage::Acknowledged)];
        for (key, stage) in stages {
            for id in view.values(key).filter_map(EntryId::from_hex) {
                receipts.push((id, view.agent().to_owned(), stage, view.clock()));
            }
        }
        let origin = view.reference(import::FROM);
        if let Some(blob) = origin {
            imported.insert(blob, view.id);
        }
        if origin.is_some() || view.trailer(TO).is_some() {
            bottles.insert(view.id, of_entry(snapshot, view));
        }
        ControlFlow::Continue(())
    });
    // A dispatch is one entry: the task given, and the bottle that says so.
    undo::walk_visible(snapshot, Kind::Task, |view| {
        if view.trailer(TO).is_some() {
            bottles.insert(view.id, of_entry(snapshot, view));
        }
        ControlFlow::Continue(())
    });
    let mut files = Vec::new();
    for (id, bottle) in of_files(snapshot)? {
        let is_copy =
            imported.contains_key(&id) || printed(&bottle).is_some_and(|id| bottles.contains_key(&id));
        if !hidden.contains(&id) && !is_copy {
            files.push((id, bottle));
        }
    }
    bottles.extend(files);
    let answers: Vec<_> = bottles
        .values()
        .filter_map(|bottle| {
            let from = bottle.from_agent.as_ref()?.to_string();
            Some((bottle.in_reply_to?, from, Stage::Answered, bottle.time))
        })
        .collect();
    for (id, agent, stage, at) in receipts.into_iter().chain(answers) {
        // What was said of a file holds for the entry it was imported as.
        let id = imported.get(&id).copied().unwrap_or(id);
        if let Some(bottle) = bottles.get_mut(&id) {
            bottle.reached(&agent, stage, at);
        }
    }
    let mut bottles: Vec<_> = bottles.into_values().collect();
    bottles.sort_by(|a, b| b.time.cmp(&a.time).then(a.id.cmp(&b.id)));
    Ok(Inbox { bottles })
}

fn of_entry(snapshot: &Snapshot<'_>, view: &View<'_>) -> Bottle {
    let entry = snapshot.whole(view);
    // An imported bottle is from whoever it says, not from the agent that imported it.
    let from = match entry.trailer(import::FROM) {
        Some(_) => entry.trailer(import::AGENT).map(str::to_owned),
        None => Some(entry.agent.clone()),
    };
    let to: Vec<String> = entry.values(TO).map(str::to_owned).collect();
    Bottle {
        id: entry.id,
        source: Source::Log(entry.writer.to_string()),
        from_agent: from.as_deref().and_then(|from| AgentName::new(&from.to_lowercase()).ok()),
        date: Some(entry.trailer(import::DATE).map_or_else(|| crate::stamp::iso(entry.clock), str::to_owned)),
        from,
        recipients: to.iter().filter_map(|to| Recipient::parse(to).ok()).collect(),
        to,
        kind: entry.trailer(TYPE).map(str::to_owned),
        time: stated_time(entry.trailer(import::DATE), entry.clock),
        priority: entry.trailer(PRIORITY).and_then(Priority::read),
        deadline: entry.trailer(DEADLINE).and_then(|text| text.parse().ok()),
        in_reply_to: entry.reference(IN_REPLY_TO),
        rungs: BTreeMap::new(),
        subject: entry.subject,
        text: entry.body.into_bytes(),
        stages: BTreeMap::new(),
    }
}

/// When a bottle of the logs was written: what an imported one states, or the clock of its entry.
pub(super) fn stated_time(date: Option<&str>, clock: Millis) -> Millis {
    date.and_then(When::find).as_ref().and_then(start_of).unwrap_or(clock)
}

/// The entry that a file says it was printed from.
pub(super) fn printed(bottle: &Bottle) -> Option<EntryId> {
    str::from_utf8(&bottle.text).ok().and_then(bottle_file::entry_id)
}

/// The moment, or the start of the day where only that is known.
fn start_of(when: &When) -> Option<Millis> {
    let start = when.day().to_zoned(jiff::tz::TimeZone::UTC).ok().map(|start| start.timestamp());
    u64::try_from(when.timestamp().or(start)?.as_millisecond()).ok()
}

/// Reads the bottles of the tree; identical copies are one.
pub(super) fn of_files(snapshot: &Snapshot<'_>) -> Result<BTreeMap<EntryId, Bottle>, ObjectError> {
    let mut paths: BTreeMap<EntryId, Vec<String>> = BTreeMap::new();
    snapshot.files(
        |_| true,
        |file| {
            if !file.link && file_bottle::is_bottle_path(&file.path) {
                paths.entry(file.id).or_default().push(file.path);
            }
        },
    )?;
    let mut bottles = BTreeMap::new();
    for (id, mut copies) in paths {
        copies.sort_unstable();
        match snapshot.blob(id) {
            Ok(text) if text.len() <= FILE_MAX => {
                let read = file_bottle::read(&copies[0], &text);
                bottles.insert(id, of_file(id, copies, read));
            }
            Ok(_) => snapshot.report(&copies[0], id, "it is larger than 16 MiB and no bottle"),
            Err(error) => snapshot.report(&copies[0], id, &error.to_string()),
        }
    }
    Ok(bottles)
}

fn of_file(id: EntryId, paths: Vec<String>, read: FileBottle) -> Bottle {
    let mut rungs = BTreeMap::new();
    for field in file_bottle::Field::ALL {
        if let Some(rung) = read.rung(field) {
            rungs.insert(field.as_str(), rung);
        }
    }
    let recipients = read.recipients.map(|found| found.value).unwrap_or_default();
    let understood = recipients.iter().filter_map(|agent| match &agent.name {
        Some(name) => Some(Recipient::Agent(name.clone())),
        None => agent.is_everyone().then_some(Recipient::AnyVessel),
    });
    let (from, from_agent) = match read.sender {
        Some(Resolved { value, .. }) => (Some(value.text), value.name),
        None => (None, None),
    };
    let when = read.date.map(|found| found.value);
    let name = paths[0].rsplit('/').next().unwrap_or_default().to_owned();
    Bottle {
        id,
        source: Source::Files(paths),
        from,
        from_agent,
        recipients: understood.collect(),
        to: recipients.into_iter().map(|agent| agent.text).collect(),
        kind: read.kind.map(|found| found.value),
        subject: read.subject.map_or(name, |found| found.value),
        time: when.as_ref().and_then(start_of).unwrap_or(0),
        date: when.map(|when| when.to_string()),
        priority: read.priority.and_then(|found| Priority::read(&found.value)),
        deadline: None,
        in_reply_to: read.in_reply_to.and_then(|found| EntryId::from_hex(&found.value)),
        rungs,
        text: read.body,
        stages: BTreeMap::new(),
    }
}
