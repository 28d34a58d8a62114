//! Git as the state of agent fleets.

pub mod capability;
pub mod i2i;
mod name;
pub mod publish;
#[cfg(test)]
mod testdata;

pub use name::{AGENT_MAX, AgentName, NameError, WORD_MAX, Word};
