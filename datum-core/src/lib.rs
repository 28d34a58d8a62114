//! Git as the state of agent fleets.

pub mod file_bottle;
mod name;

pub use name::{AGENT_MAX, AgentName, NameError, WORD_MAX, Word};
