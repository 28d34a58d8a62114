//! The edge: where the clock, the environment and the command line become plain values.

use crate::args::Global;
use crate::fault::Fault;
use datum_core::{AgentName, Millis, OpenOptions, Stamp, Store, capability};
use std::cell::OnceCell;
use std::path::{Path, PathBuf};

/// What a command knows of the world outside the repository.
pub(crate) struct Edge<'a> {
    global: &'a Global,
    store: OnceCell<Store>,
}

/// A variable of the environment, if it is set to something.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl<'a> Edge<'a> {
    pub(crate) fn new(global: &'a Global) -> Self {
        Self { global, store: OnceCell::new() }
    }

    /// Where the command works: `-C`, `--workshop`, `DATUM_HOME` or the current folder.
    pub(crate) fn dir(&self) -> PathBuf {
        let named = self.global.dir.clone().or_else(|| self.global.workshop.clone());
        named.or_else(|| variable("DATUM_HOME").map(PathBuf::from)).unwrap_or_else(|| PathBuf::from("."))
    }

    /// The repository, opened once.
    pub(crate) fn store(&self) -> Result<&Store, Fault> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let options = OpenOptions {
            user_configuration: true,
            git_dir: variable("GIT_DIR").map(PathBuf::from).filter(|_| self.global.dir.is_none()),
            ephemeral: self.global.ephemeral || variable("CI").is_some(),
        };
        let store = Store::open_with(&self.dir(), &options)?;
        Ok(self.store.get_or_init(|| store))
    }

    /// The repository whose hook we are: where git has started us, whatever `DATUM_HOME` says.
    pub(crate) fn hook_store(&self) -> Result<&Store, Fault> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let named = self.global.dir.as_ref().or(self.global.workshop.as_ref());
        let options = OpenOptions {
            user_configuration: true,
            git_dir: variable("GIT_DIR").map(PathBuf::from).filter(|_| named.is_none()),
            ephemeral: self.global.ephemeral || variable("CI").is_some(),
        };
        let store = Store::open_with(named.map_or(Path::new("."), PathBuf::as_path), &options)?;
        Ok(self.store.get_or_init(|| store))
    }

    /// Who writes and when, in the repository whose hook we are.
    pub(crate) fn hook_stamp(&self) -> Result<Stamp, Fault> {
        self.hook_store()?;
        self.stamp()
    }

    /// The agent that the command line names.
    pub(crate) fn named_agent(&self) -> Option<&str> {
        self.global.agent.as_deref()
    }

    /// The time: the clock's, or `DATUM_NOW` for tests and replays.
    pub(crate) fn now(&self) -> Result<Millis, Fault> {
        let Some(text) = variable("DATUM_NOW") else { return Ok(crate::time::now()) };
        crate::time::parse_absolute(&text)
            .ok_or_else(|| Fault::usage(format!("DATUM_NOW: {text:?} is no time")))
    }

    /// The agent to act as.
    pub(crate) fn agent(&self) -> Result<AgentName, Fault> {
        let named = self.global.agent.clone().or_else(|| variable("DATUM_AGENT"));
        if let Some(name) = named {
            return AgentName::new(&name).map_err(|error| {
                let fault = Fault::from(error);
                let lower = name.to_lowercase();
                if AgentName::new(&lower).is_ok() {
                    fault.hint(format!("try --agent {lower}"))
                } else {
                    fault
                }
            });
        }
        self.declared_agent()?.ok_or_else(|| {
            Fault::usage("no agent to act as")
                .hint("pass --agent NAME, set DATUM_AGENT, or run datum boot, which declares one")
        })
    }

    /// The agent's name in the vessel's CAPABILITY.toml.
    fn declared_agent(&self) -> Result<Option<AgentName>, Fault> {
        let store = self.store()?;
        let text = match store.work_dir() {
            Some(root) => std::fs::read_to_string(root.join("CAPABILITY.toml")).ok(),
            None => {
                let file = store.snapshot()?.file("CAPABILITY.toml").ok().flatten();
                file.and_then(|bytes| String::from_utf8(bytes).ok())
            }
        };
        let declared =
            text.and_then(|text| capability::read(&text).ok()).and_then(|read| read.capability.agent.name);
        Ok(declared.and_then(|name| AgentName::new(&name.to_lowercase()).ok()))
    }

    /// Who writes and when.
    pub(crate) fn stamp(&self) -> Result<Stamp, Fault> {
        Ok(Stamp { agent: self.agent()?, now: self.now()?, committer: self.store()?.identity() })
    }
}
