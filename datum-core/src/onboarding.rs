//! The onboarding agent: what a vessel is missing, and the entries of its first boot.

mod answers;
mod need;

pub use answers::{
    ANSWERS_MAX, Answers, AnswersError, FirstTask, Keys, TASKS_MAX, Wanted, one_line, variable_name,
};
pub use need::{Facts, Need, Standing, Step, choices, declined, needs, onboarded};

use crate::bottle::{self, Recipient};
use crate::capability::{self, Capability};
use crate::entry::{Draft, DraftError};
use crate::journal;
use crate::kind::Kind;
use crate::name::{AgentName, Word};
use crate::snapshot::Snapshot;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// The category of the entry that records a boot.
pub const BOOT: &str = "BOOT";

/// Whether the journal tells of a boot of `agent`.
pub fn has_booted(snapshot: &Snapshot<'_>, agent: &AgentName) -> bool {
    let mut booted = false;
    snapshot.walk(Kind::Journal, |view| {
        booted = view.agent() == agent.as_str() && view.trailer(journal::CATEGORY) == Some(BOOT);
        if booted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    booted
}

/// Drafts the journal entry of an agent's first boot in this repository; nothing when there is one.
///
/// # Errors
/// [`DraftError`] never for a checked name.
pub fn boot(snapshot: &Snapshot<'_>, agent: &AgentName) -> Result<Vec<Draft>, DraftError> {
    if has_booted(snapshot, agent) {
        return Ok(Vec::new());
    }
    let category = Word::new("category", BOOT)?;
    Ok(vec![journal::draft(&category, &format!("{agent} booted in this vessel"), &[])?])
}

/// What an agent can do that is told no more of it: what every datum agent can.
pub fn common_skills() -> BTreeMap<String, capability::Skill> {
    let skill = |name: &str, description: &str| {
        let skill = capability::Skill {
            confidence: capability::Confidence::new(0.9),
            description: Some(description.to_owned()),
            ..capability::Skill::default()
        };
        (name.to_owned(), skill)
    };
    [skill("journal", "Chronological work log"), skill("bottle", "Messages between agents, with receipts")]
        .into()
}

/// The declaration of a vessel that has none: the seed's schema, with what every datum agent can do.
pub fn capability_file(agent: &AgentName, version: &str) -> String {
    let description = format!("The agent {agent} and its vessel");
    declaration(agent, "vessel", &description, version, common_skills())
}

/// A declaration in the seed's schema, for an agent of this role with these capabilities.
pub fn declaration(
    agent: &AgentName,
    role: &str,
    description: &str,
    version: &str,
    skills: BTreeMap<String, capability::Skill>,
) -> String {
    capability::write(&Capability {
        agent: capability::Agent {
            name: Some(agent.to_string()),
            role: Some(role.to_owned()),
            description: Some(description.to_owned()),
            version: Some(version.to_owned()),
        },
        skills,
        communication: capability::Communication {
            incoming: vec![format!("message-in-a-bottle/for-{agent}/")],
            outgoing: vec!["message-in-a-bottle/for-{agent}/".to_owned()],
            protocol: Some("MiB".to_owned()),
        },
        ..Capability::default()
    })
}

/// A name for the agent of a vessel in the folder `folder`, as near to it as the rule allows.
pub fn name_for(folder: &str) -> Option<AgentName> {
    let lower: String = folder
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c) { c } else { '-' })
        .collect();
    let trimmed = lower.trim_matches(['.', '_', '-']);
    let stem = trimmed.strip_suffix("-vessel").or_else(|| trimmed.strip_suffix(".git")).unwrap_or(trimmed);
    AgentName::new(stem).ok()
}

/// Drafts the bottle that a harbour sends a new vessel, for `datum boot --demo`.
///
/// # Errors
/// [`DraftError`] never for a checked name.
pub fn welcome(agent: &AgentName) -> Result<Draft, DraftError> {
    bottle::draft(&bottle::Drop {
        to: &[Recipient::Agent(agent.clone())],
        subject: "Welcome aboard",
        text: "This bottle is a commit in refs/datum/bottle. Read it, acknowledge it, answer it: each of these is one \
               commit more, and git log shows them all.\n",
        kind: "message",
        priority: None,
        deadline: None,
        in_reply_to: None,
    })
}

/// What `agent` has at hand when it comes back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Agents that have written here.
    pub agents: BTreeSet<String>,
    /// Entries by kind.
    pub entries: Vec<(Kind, u64)>,
    /// Logs by kind.
    pub logs: usize,
}

/// Counts what the logs hold, from their tips alone.
pub fn known(snapshot: &Snapshot<'_>) -> Known {
    let mut known = Known::default();
    for kind in Kind::ALL {
        let mut entries = 0;
        for (_, writer, _) in snapshot.tips().filter(|(of, ..)| *of == kind) {
            known.agents.insert(writer.agent().to_owned());
            known.logs += 1;
            entries += snapshot.length(kind, writer);
        }
        if entries > 0 {
            known.entries.push((kind, entries));
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_a_name_where_it_can() {
        let name = |folder| name_for(folder).map(|name| name.to_string());
        assert_eq!(name("Heron-vessel").as_deref(), Some("heron"));
        assert_eq!(name("My Ship!").as_deref(), Some("my-ship"));
        assert_eq!(name("repo.git").as_deref(), Some("repo"));
        assert_eq!(name("…"), None);
    }

    #[test]
    fn the_declaration_passes_its_own_check() {
        let text = capability_file(&AgentName::new("heron").unwrap(), "0.1.0");
        assert_eq!(capability::check(&text), []);
    }
}
