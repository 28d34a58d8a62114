//! Git as the state of agent fleets.

mod name;

pub use name::{AGENT_MAX, AgentName, NameError, WORD_MAX, Word};
