//! The kinds of log: one line of the table each.

use std::fmt;

/// What a log holds. `refs/datum/<kind>/<writer>` is one writer's log of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Work done, by category.
    Journal,
    /// Messages between agents, and what became of them.
    Bottle,
    /// Tasks and their changes.
    Task,
    /// Agents and vessels that are known.
    Agent,
    /// Reports and access records.
    Audit,
    /// Sealed secrets and grants.
    Vault,
}

impl Kind {
    /// Every kind, in the order of their names in refs.
    pub const ALL: [Self; 6] =
        [Self::Agent, Self::Audit, Self::Bottle, Self::Journal, Self::Task, Self::Vault];

    /// The name in refs and in the `Kind:` trailer.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::Bottle => "bottle",
            Self::Task => "task",
            Self::Agent => "agent",
            Self::Audit => "audit",
            Self::Vault => "vault",
        }
    }

    /// The kind called `text`, if there is one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether its entries are signed where the agent has a key.
    ///
    /// Bottles to other vessels are signed too; they leave by the outbox, which says so for itself.
    pub const fn is_signed(self) -> bool {
        matches!(self, Self::Task | Self::Audit | Self::Agent | Self::Vault)
    }

    /// Whether its logs stay here unless a remote is marked for them: what is sealed, and who used it.
    pub const fn stays(self) -> bool {
        matches!(self, Self::Audit | Self::Vault)
    }

    /// Whether losing the last entries to a power cut would do harm that a retry cannot mend.
    pub(crate) const fn always_syncs(self) -> bool {
        matches!(self, Self::Vault)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
