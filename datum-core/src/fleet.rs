//! The fleet list: vessels that are known, where they are, and what was found there; entries of kind `agent`.

use crate::entry::{Draft, DraftError, Entry};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::name::{AgentName, Word};
use crate::snapshot::Snapshot;
use crate::stamp::Millis;
use std::collections::BTreeMap;

/// The trailer that names a vessel that is added.
pub const VESSEL: &str = "Vessel";
/// The trailer with a vessel's address: a URL or a path.
pub const LOCATION: &str = "Location";
/// The trailer that names a vessel that is removed.
pub const REMOVED: &str = "Vessel-Removed";
/// The trailer that names a vessel that was looked at.
pub const FOUND: &str = "Vessel-Found";

/// What was found at a vessel.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// When it was looked at.
    pub at: Millis,
    /// The name its CAPABILITY.toml declares.
    pub agent: Option<String>,
    /// The role it declares.
    pub role: Option<String>,
    /// What it declares it can do, with its confidence from 0 to 1.
    pub skills: BTreeMap<String, f64>,
    /// Its newest commit.
    pub head: Option<EntryId>,
    /// When that was written.
    pub active: Option<Millis>,
    /// The number of datum logs it holds.
    pub logs: u64,
}

/// A vessel of the fleet.
#[derive(Debug, Clone, PartialEq)]
pub struct Vessel {
    /// The name it goes by here.
    pub name: AgentName,
    /// Its address.
    pub location: String,
    /// What was found there last.
    pub found: Option<Found>,
}

/// Drafts the entry that adds a vessel, or gives it another address.
///
/// # Errors
/// [`DraftError`] for an address that is not one plain line.
pub fn add(name: &AgentName, location: &str) -> Result<Draft, DraftError> {
    Draft::new(&format!("Vessel {name} at {}", clip(location)), "")?
        .with(VESSEL, name.as_str())?
        .with(LOCATION, location)
}

/// Drafts the entry that removes a vessel from the list.
///
/// # Errors
/// [`DraftError`] never for a checked name.
pub fn remove(name: &AgentName) -> Result<Draft, DraftError> {
    Draft::new(&format!("Vessel {name} removed"), "")?.with(REMOVED, name.as_str())
}

/// Drafts the entry that records what was found at a vessel; what cannot stand in an entry is left out.
///
/// # Errors
/// [`DraftError`] never for a checked name.
pub fn found(name: &AgentName, found: &Found) -> Result<Draft, DraftError> {
    let mut draft = Draft::new(&format!("Vessel {name} looked at"), "")?.with(FOUND, name.as_str())?;
    for (key, text) in [("Declares", &found.agent), ("Role", &found.role)] {
        if let Some(text) = text.as_deref().map(clip).filter(|text| !text.is_empty()) {
            draft = draft.with(key, &text)?;
        }
    }
    for (skill, confidence) in &found.skills {
        if Word::new("capability", skill).is_ok() {
            draft = draft.with("Skill", &format!("{skill} {confidence}"))?;
        }
    }
    if let Some(head) = found.head {
        draft = draft.with("Head", &head.to_string())?;
    }
    if let Some(active) = found.active {
        draft = draft.with("Active", &active.to_string())?;
    }
    draft.with("Logs", &found.logs.to_string())
}

/// Text from elsewhere as one plain line of at most 200 characters.
fn clip(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    plain.trim().to_owned()
}

fn read_found(entry: &Entry) -> Found {
    let skill = |text: &str| {
        let (name, confidence) = text.rsplit_once(' ')?;
        let confidence: f64 = confidence.parse().ok().filter(|c: &f64| (0.0..=1.0).contains(c))?;
        Some((name.to_owned(), confidence))
    };
    Found {
        at: entry.clock,
        agent: entry.trailer("Declares").map(str::to_owned),
        role: entry.trailer("Role").map(str::to_owned),
        skills: entry.values("Skill").filter_map(skill).collect(),
        head: entry.reference("Head"),
        active: entry.trailer("Active").and_then(|text| text.parse().ok()),
        logs: entry.trailer("Logs").and_then(|text| text.parse().ok()).unwrap_or(0),
    }
}

/// Folds the fleet list; of two entries about one vessel the later counts.
pub fn vessels(snapshot: &Snapshot<'_>) -> BTreeMap<AgentName, Vessel> {
    let mut vessels: BTreeMap<AgentName, Vessel> = BTreeMap::new();
    let name = |entry: &Entry, key: &str| entry.trailer(key).and_then(|name| AgentName::new(name).ok());
    for entry in snapshot.entries(Kind::Agent) {
        if let (Some(name), Some(location)) = (name(&entry, VESSEL), entry.trailer(LOCATION)) {
            let found = vessels.remove(&name).and_then(|before| before.found);
            vessels.insert(name.clone(), Vessel { name, location: location.to_owned(), found });
        } else if let Some(name) = name(&entry, REMOVED) {
            vessels.remove(&name);
        } else if let Some(vessel) = name(&entry, FOUND).and_then(|name| vessels.get_mut(&name)) {
            vessel.found = Some(read_found(&entry));
        }
    }
    vessels
}

/// The vessels that declare `skill`, best first: by confidence, then by how lately they were active.
pub fn who<'v>(
    vessels: &'v BTreeMap<AgentName, Vessel>,
    skill: &str,
) -> Vec<(&'v Vessel, f64, Option<Millis>)> {
    let want = skill.to_lowercase();
    let confidence = |vessel: &Vessel| {
        let skills = &vessel.found.as_ref()?.skills;
        skills.iter().find(|(name, _)| name.to_lowercase() == want).map(|(_, confidence)| *confidence)
    };
    let active = |vessel: &Vessel| vessel.found.as_ref().and_then(|found| found.active);
    let mut able: Vec<_> =
        vessels.values().filter_map(|vessel| Some((vessel, confidence(vessel)?, active(vessel)))).collect();
    able.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.2.cmp(&a.2)).then(a.0.name.cmp(&b.0.name)));
    able
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{repository, stamp};
    use crate::{Store, StoreError};

    #[test]
    fn the_later_entry_counts_and_the_best_come_first() {
        let dir = repository(&[]);
        let store = Store::open(dir.path()).unwrap();
        let name = |name| AgentName::new(name).unwrap();
        let skill = |confidence, active| Found {
            skills: [("audit".to_owned(), confidence)].into(),
            active: Some(active),
            ..Found::default()
        };
        let drafts = vec![
            add(&name("heron"), "/old").unwrap(),
            add(&name("tern"), "/tern").unwrap(),
            add(&name("gull"), "/gull").unwrap(),
            found(&name("heron"), &skill(0.5, 9)).unwrap(),
            found(&name("tern"), &skill(0.9, 1)).unwrap(),
            found(&name("gull"), &skill(0.9, 2)).unwrap(),
            add(&name("heron"), "/new").unwrap(),
            remove(&name("tern")).unwrap(),
        ];
        store.apply::<StoreError>(Kind::Agent, &stamp("a", 0), |_| Ok(drafts.clone())).unwrap();
        let vessels = vessels(&store.snapshot().unwrap());
        assert_eq!(vessels[&name("heron")].location, "/new");
        let order: Vec<_> =
            who(&vessels, "Audit").iter().map(|(vessel, ..)| vessel.name.to_string()).collect();
        assert_eq!(order, ["gull", "heron"]);
    }
}
