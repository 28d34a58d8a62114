//! What one declaration says that an earlier one did not.

use super::{Capability, Skill};
use std::fmt;

/// One difference between two declarations.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A skill or domain is declared.
    Added(String),
    /// A skill or domain is declared no more.
    Removed(String),
    /// A value is another.
    Changed {
        /// Which, as `skill.confidence` or `agent.role`.
        what: String,
        /// What it was; empty where nothing was said.
        old: String,
        /// What it is; empty where nothing is said.
        new: String,
    },
}

impl Change {
    /// The change in a word: `+towing`, `-towing`, `~towing.confidence`.
    pub fn short(&self) -> String {
        match self {
            Self::Added(name) => format!("+{name}"),
            Self::Removed(name) => format!("-{name}"),
            Self::Changed { what, .. } => format!("~{what}"),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown =
            |text: &str| if text.is_empty() { "(none)".to_owned() } else { super::finding::shown(text) };
        match self {
            Self::Changed { what, old, new } => {
                write!(f, "~ {}: {} -> {}", what.escape_debug(), shown(old), shown(new))
            }
            Self::Added(name) => write!(f, "+ {}", name.escape_debug()),
            Self::Removed(name) => write!(f, "- {}", name.escape_debug()),
        }
    }
}

/// Lists what `new` declares otherwise than `old`: the agent, its skills, its domains. Counts and dates of activity
/// change with every commit and are left out.
pub fn changes(old: &Capability, new: &Capability) -> Vec<Change> {
    let mut found = Vec::new();
    let mut value = |what: String, old: Option<String>, new: Option<String>| {
        if old != new {
            let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
            found.push(Change::Changed { what, old, new });
        }
    };
    value("agent.name".to_owned(), old.agent.name.clone(), new.agent.name.clone());
    value("agent.role".to_owned(), old.agent.role.clone(), new.agent.role.clone());
    value("agent.version".to_owned(), old.agent.version.clone(), new.agent.version.clone());
    for (name, skill) in &new.skills {
        if let Some(before) = old.skills.get(name) {
            let confidence = |skill: &Skill| skill.confidence.map(|confidence| confidence.to_string());
            value(format!("{name}.confidence"), confidence(before), confidence(skill));
            value(format!("{name}.description"), before.description.clone(), skill.description.clone());
        }
    }
    for (name, domain) in &new.domains {
        if let Some(before) = old.domains.get(name) {
            value(format!("{name}.level"), before.level.clone(), domain.level.clone());
        }
    }
    let names = |of: &Capability| of.skills.keys().chain(of.domains.keys()).cloned().collect::<Vec<_>>();
    let (before, after) = (names(old), names(new));
    found.extend(after.iter().filter(|name| !before.contains(name)).cloned().map(Change::Added));
    found.extend(before.iter().filter(|name| !after.contains(name)).cloned().map(Change::Removed));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skills_come_go_and_change() {
        let read = |text: &str| super::super::read(text).unwrap().capability;
        let old =
            read("[agent]\nname = 'tug'\n[capabilities.towing]\nconfidence = 0.5\n[capabilities.radio]\n");
        let new =
            read("[agent]\nname = 'tug'\n[capabilities.towing]\nconfidence = 0.75\n[capabilities.crane]\n");
        let told: Vec<_> = changes(&old, &new).iter().map(Change::short).collect();
        assert_eq!(told, ["~towing.confidence", "+crane", "-radio"]);
        assert_eq!(changes(&old, &new)[0].to_string(), "~ towing.confidence: '0.50' -> '0.75'");
        assert_eq!(changes(&new, &new), []);
    }
}
