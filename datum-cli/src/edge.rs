//! The edge: where the clock, the environment and the command line become plain values.

use crate::args::{Asked, Global};
use crate::fault::Fault;
#[cfg(feature = "vault")]
use crate::keyring::Keyring;
#[cfg(feature = "vault")]
use datum_core::Signers;
use datum_core::bottle::Me;
use datum_core::capability::{self, Capability};
use datum_core::{AgentName, Millis, OpenOptions, Stamp, Store};
use std::cell::{Cell, OnceCell};
use std::path::{Path, PathBuf};
#[cfg(feature = "vault")]
use std::rc::Rc;

/// What a command knows of the world outside the repository.
pub(crate) struct Edge<'a> {
    global: &'a Global,
    store: OnceCell<Store>,
    /// Whether all that is written is flushed to the disk.
    flushes: Cell<bool>,
    #[cfg(feature = "vault")]
    keyring: Rc<Keyring>,
}

/// How the repository is opened: what another thread needs to open it for itself.
pub(crate) struct Opening {
    dir: PathBuf,
    options: OpenOptions,
}

impl Opening {
    pub(crate) fn open(&self) -> Result<Store, Fault> {
        Ok(Store::open_with(&self.dir, &self.options)?)
    }
}

/// Goes to the folder that the command line names, as git does for `-C`: every path in the command counts from there.
pub(crate) fn enter(global: &Global) -> Result<Global, Fault> {
    let named = global.dir.as_deref().or(global.workshop.as_deref());
    if let Some(dir) = named {
        std::env::set_current_dir(dir).map_err(|error| {
            Fault::usage(format!("cannot change to {}: {error}", dir.display()))
                .hint("-C and --workshop name a folder that is there; datum boot DIR makes a vessel")
        })?;
    }
    Ok(Global { dir: named.map(|_| PathBuf::from(".")), workshop: None, ..global.clone() })
}

/// The file `name` at the root of a work tree, as a user would type it: without a `./`.
pub(crate) fn in_root(root: &Path, name: &str) -> PathBuf {
    if root == Path::new(".") { PathBuf::from(name) } else { root.join(name) }
}

/// A variable of the environment, if it is set to something.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl<'a> Edge<'a> {
    pub(crate) fn new(global: &'a Global) -> Self {
        Self {
            global,
            store: OnceCell::new(),
            flushes: Cell::new(false),
            #[cfg(feature = "vault")]
            keyring: Rc::default(),
        }
    }

    /// The keys of agents that are here.
    #[cfg(feature = "vault")]
    pub(crate) fn keyring(&self) -> &Rc<Keyring> {
        &self.keyring
    }

    /// Lets the store sign with the keys that are here, looked for when there is something to sign.
    #[cfg(feature = "vault")]
    fn signing(&self, store: Store) -> Store {
        let keyring = Rc::clone(&self.keyring);
        store.signing(Signers::new(move |agent| match keyring.find(agent) {
            Ok(keys) => Ok(keys.map(|keys| keys.signer())),
            Err(fault) => Err(fault.message),
        }))
    }

    /// The same options for another folder, and for an agent that is known by now.
    pub(crate) fn global_for(&self, dir: &Path, agent: Option<&AgentName>) -> Global {
        Global {
            dir: Some(dir.to_owned()),
            workshop: None,
            agent: agent.map(ToString::to_string).or_else(|| self.global.agent.clone()),
            ephemeral: self.global.ephemeral,
            format: self.global.format,
            quiet: self.global.quiet,
        }
    }

    /// Where the command works: the folder it was sent to, `DATUM_HOME` or the current folder.
    pub(crate) fn dir(&self) -> PathBuf {
        self.global
            .dir
            .clone()
            .or_else(|| variable("DATUM_HOME").map(PathBuf::from))
            .unwrap_or_else(|| PathBuf::from("."))
    }

    /// The format that was asked for.
    pub(crate) fn asked(&self) -> Asked {
        self.global.format
    }

    /// The repository, opened once.
    pub(crate) fn store(&self) -> Result<&Store, Fault> {
        self.open(variable("DATUM_HOME").map(PathBuf::from))
    }

    /// Flushes all that is written to the disk; to be said before the repository is first asked for.
    #[cfg(feature = "vault")]
    pub(crate) fn flush(&self) {
        self.flushes.set(true);
    }

    /// The repository whose hook we are: where git has started us, whatever `DATUM_HOME` says.
    pub(crate) fn hook_store(&self) -> Result<&Store, Fault> {
        self.open(None)
    }

    /// Opens the repository that the command line names, that is at `home`, or that git or the current folder names.
    fn open(&self, home: Option<PathBuf>) -> Result<&Store, Fault> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let store = self.opening_at(home).open()?;
        let store = if self.flushes.get() { store.flushing() } else { store };
        #[cfg(feature = "vault")]
        let store = self.signing(store);
        Ok(self.store.get_or_init(|| store))
    }

    /// How the repository is opened.
    pub(crate) fn opening(&self) -> Opening {
        self.opening_at(variable("DATUM_HOME").map(PathBuf::from))
    }

    fn opening_at(&self, home: Option<PathBuf>) -> Opening {
        let named = self.global.dir.clone().or(home);
        let options = OpenOptions {
            user_configuration: true,
            // What git sets for its hooks is about the repository whose hook we are, not about one that was named.
            git_dir: variable("GIT_DIR").map(PathBuf::from).filter(|_| named.is_none()),
            ephemeral: self.is_ephemeral(),
        };
        Opening { dir: named.unwrap_or_else(|| PathBuf::from(".")), options }
    }

    /// Who writes and when, in the repository whose hook we are.
    pub(crate) fn hook_stamp(&self) -> Result<Stamp, Fault> {
        self.hook_store()?;
        self.stamp()
    }

    /// The time: the clock's, or `DATUM_NOW` for tests and replays.
    pub(crate) fn now(&self) -> Result<Millis, Fault> {
        let Some(text) = variable("DATUM_NOW") else { return Ok(crate::time::now()) };
        crate::time::parse_absolute(&text).ok_or_else(|| {
            Fault::usage(format!("DATUM_NOW: {text:?} is no time"))
                .hint("2026-01-31T12:00:00Z or milliseconds since 1970; unset, it is the clock's")
        })
    }

    /// Whether this clone is one that comes and goes.
    pub(crate) fn is_ephemeral(&self) -> bool {
        self.global.ephemeral || variable("CI").is_some()
    }

    /// The agent that the command line names, and not the environment.
    pub(crate) fn asked_agent(&self) -> Result<Option<AgentName>, Fault> {
        if self.global.agent.is_some() { self.named_agent() } else { Ok(None) }
    }

    /// The agent that `--agent` or `DATUM_AGENT` names.
    pub(crate) fn named_agent(&self) -> Result<Option<AgentName>, Fault> {
        match &self.global.agent {
            Some(name) => agent_of("--agent", name).map(Some),
            None => variable("DATUM_AGENT").map(|name| agent_of("DATUM_AGENT", &name)).transpose(),
        }
    }

    /// The agent to act as.
    pub(crate) fn agent(&self) -> Result<AgentName, Fault> {
        self.agent_if_any()?.ok_or_else(|| {
            Fault::usage("no agent to act as")
                .hint("pass --agent NAME, set DATUM_AGENT, or run datum boot, which declares one")
        })
    }

    /// The agent to act as, if one is named or declared.
    pub(crate) fn agent_if_any(&self) -> Result<Option<AgentName>, Fault> {
        match self.named_agent()? {
            Some(name) => Ok(Some(name)),
            None => self.declared_agent_in(self.store()?),
        }
    }

    /// The agent that `--agent` names, for a command in which it is another than the one that acts.
    pub(crate) fn agent_option(&self) -> Result<Option<AgentName>, Fault> {
        self.global.agent.as_deref().map(|name| agent_of("--agent", name)).transpose()
    }

    /// Who writes, `--agent` aside; it is taken where nothing else names one.
    pub(crate) fn stamp_beside_option(&self) -> Result<Stamp, Fault> {
        let named = variable("DATUM_AGENT").map(|name| agent_of("DATUM_AGENT", &name)).transpose()?;
        let named = match named {
            Some(name) => Some(name),
            None => self.declared_agent_in(self.store()?)?,
        };
        match named {
            Some(name) => self.stamp_as(name),
            None => self.stamp(),
        }
    }

    /// What the vessel's CAPABILITY.toml declares.
    pub(crate) fn declared(&self) -> Result<Option<Capability>, Fault> {
        declared(self.store()?)
    }

    /// The agent's name in the vessel's CAPABILITY.toml.
    pub(crate) fn declared_agent_in(&self, store: &Store) -> Result<Option<AgentName>, Fault> {
        let name = declared(store)?.and_then(|declared| declared.agent.name);
        Ok(name.and_then(|name| AgentName::new(&name.to_lowercase()).ok()))
    }

    /// The reader of bottles: the agent, and the role and capabilities it declares here.
    pub(crate) fn me(&self) -> Result<Me, Fault> {
        self.me_as(self.store()?, self.agent()?)
    }

    /// The same for an agent and a store that are known.
    pub(crate) fn me_as(&self, store: &Store, name: AgentName) -> Result<Me, Fault> {
        let declared = declared(store)?.filter(|declared| {
            declared.agent.name.as_ref().is_some_and(|own| own.to_lowercase() == name.as_str())
        });
        let declared = declared.unwrap_or_default();
        Ok(Me { name, role: declared.agent.role, capabilities: declared.skills.into_keys().collect() })
    }

    /// Who writes and when.
    pub(crate) fn stamp(&self) -> Result<Stamp, Fault> {
        self.stamp_as(self.agent()?)
    }

    /// The same, in the name of another agent.
    pub(crate) fn stamp_as(&self, agent: AgentName) -> Result<Stamp, Fault> {
        Ok(Stamp { agent, now: self.now()?, committer: self.store()?.identity() })
    }
}

/// The agent that an option or a variable names.
fn agent_of(place: &str, name: &str) -> Result<AgentName, Fault> {
    AgentName::new(name).map_err(|error| {
        let mut fault = Fault::from(error);
        fault.message = format!("{place}: {}", fault.message);
        fault
    })
}

/// What the vessel's CAPABILITY.toml declares.
fn declared(store: &Store) -> Result<Option<Capability>, Fault> {
    let text = match store.work_dir() {
        Some(root) => crate::regular::text(&root.join("CAPABILITY.toml")).ok(),
        None => {
            let file = store.snapshot()?.file("CAPABILITY.toml").ok().flatten();
            file.and_then(|bytes| String::from_utf8(bytes).ok())
        }
    };
    Ok(text.and_then(|text| capability::read(&text).ok()).map(|read| read.capability))
}
