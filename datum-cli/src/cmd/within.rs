//! The boundary that a command is run in: what its options ask for, checked, found to be held, and told.

use crate::edge::Edge;
use crate::fault::Fault;
use crate::out::Out;
use crate::sandbox::{self, Enforced, Policy};
use datum_core::AgentName;
use datum_core::boundary::{check_boundary, endpoint};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::{Child, Command};
use tempfile::TempDir;

/// What a command may touch beside the workshop and the system's programs.
#[derive(Debug, clap::Args)]
pub(crate) struct Within {
    /// Let it read and execute PATH (repeatable)
    #[arg(long, value_name = "PATH")]
    read: Vec<PathBuf>,
    /// Let it write PATH; made if it is not there, as a folder if it ends in a slash (repeatable)
    #[arg(long, value_name = "PATH")]
    write: Vec<PathBuf>,
    /// Let it connect to an endpoint that the agent is granted; the port is held, the host is not (repeatable)
    #[arg(long, value_name = "HOST:PORT")]
    net: Vec<String>,
    /// Give it a variable, or this program's of that name (repeatable)
    #[arg(long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// Run it although the boundary cannot be held whole
    #[arg(long)]
    allow_degraded: bool,
}

/// A boundary that is ready: a command can be started in it.
pub(crate) struct Bounded {
    policy: Policy,
    pub(crate) held: Enforced,
    environment: Vec<(String, String)>,
    /// The command's home and its folder for temporary files; goes with this value.
    _scratch: TempDir,
}

impl Within {
    /// Whether anything is asked for.
    pub(crate) fn is_asked(&self) -> bool {
        let lists = [self.read.is_empty(), self.write.is_empty(), self.net.is_empty(), self.env.is_empty()];
        self.allow_degraded || lists.contains(&false)
    }

    /// Makes the boundary ready for an agent.
    pub(crate) fn prepare(&self, edge: &Edge<'_>, agent: &AgentName) -> Result<Bounded, Fault> {
        let store = edge.store()?;
        let mut policy = Policy::system();
        if let Some(root) = store.work_dir() {
            let root =
                root.canonicalize().map_err(|error| Fault::broken(format!("{}: {error}", root.display())))?;
            policy.workshop(&root, store.common_dir())?;
        }
        self.read.iter().try_for_each(|path| policy.add_read(path))?;
        self.write.iter().try_for_each(|path| policy.add_write(path))?;
        let mut scratch = tempfile::Builder::new();
        scratch.prefix("datum-run-");
        #[cfg(unix)]
        scratch.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let scratch = scratch.tempdir();
        let scratch =
            scratch.map_err(|error| Fault::broken(format!("cannot make a folder of its own: {error}")))?;
        let home = scratch.path().canonicalize().unwrap_or_else(|_| scratch.path().to_owned());
        policy.write.push(home.clone());
        let home = home.display().to_string();
        let mut environment = vec![
            ("PATH".to_owned(), std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".to_owned())),
            ("HOME".to_owned(), home.clone()),
            ("TMPDIR".to_owned(), home),
            ("DATUM_AGENT".to_owned(), agent.to_string()),
        ];
        self.ports(edge, agent, &mut policy, &mut environment)?;
        for text in &self.env {
            environment.push(match text.split_once('=') {
                Some((name, value)) => (variable(name)?, value.to_owned()),
                None => {
                    let value = std::env::var(text).map_err(|_| {
                        Fault::usage(format!("--env {text}: there is no such variable here"))
                            .hint(format!("--env {text}=VALUE gives it one"))
                    })?;
                    (variable(text)?, value)
                }
            });
        }
        // What was open before is the caller's, and not the command's to have.
        #[cfg(unix)]
        close_fds::set_fds_cloexec(3, &[]);
        let held = sandbox::probe(&policy);
        sandbox::accept(held, self.allow_degraded)?;
        Ok(Bounded { policy, held, environment, _scratch: scratch })
    }

    fn ports(
        &self,
        edge: &Edge<'_>,
        agent: &AgentName,
        policy: &mut Policy,
        environment: &mut Vec<(String, String)>,
    ) -> Result<(), Fault> {
        if self.net.is_empty() {
            return Ok(());
        }
        let boundaries = super::bounds::of(edge, agent)?;
        for address in &self.net {
            let (host, port) = endpoint(address).ok_or_else(|| {
                Fault::usage(format!("--net {address:?} is no HOST:PORT"))
                    .hint("--net api.example.org:443, for one")
            })?;
            let decision = check_boundary(&boundaries, &format!("net:{address}"));
            if !decision.allowed {
                #[cfg(all(unix, feature = "vault"))]
                super::run::record_refusal(edge, agent, &format!("net:{address}"))?;
                return Err(Fault::no(format!("--net {address}: {}", decision.why)).hint(format!(
                    "a keeper of the vault can grant it: datum keeper allow {agent} net:{address}"
                )));
            }
            policy.ports.push(port);
            if host.parse::<IpAddr>().is_err() && !policy.ports.contains(&53) {
                // Without UDP, names are asked for by TCP.
                policy.ports.push(53);
                environment.push(("RES_OPTIONS".to_owned(), "use-vc".to_owned()));
            }
        }
        Ok(())
    }
}

/// Checks the name of a variable.
pub(crate) fn variable(name: &str) -> Result<String, Fault> {
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if first && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        Ok(name.to_owned())
    } else {
        Err(Fault::usage(format!("{name:?} is no name of a variable")).hint("letters, digits and _"))
    }
}

impl Bounded {
    /// Says in one line what is held.
    pub(crate) fn tell(&self, out: &Out, agent: &AgentName) {
        let net = match self.policy.ports.as_slice() {
            [] => "off".to_owned(),
            ports => {
                let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
                format!("TCP to port {} of any host", ports.join(", "))
            }
        };
        let missing = self.held.missing();
        let missing =
            if missing.is_empty() { String::new() } else { format!("; NOT held: {}", missing.join(", ")) };
        out.say(&format!("held for {agent}: {}; network {net}{missing}", self.held));
    }

    /// Starts a command in the boundary, its environment cleared but for what was asked.
    pub(crate) fn spawn(&self, command: &mut Command) -> Result<Child, Fault> {
        let mut own: Vec<_> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        own.splice(0..0, self.environment.iter().map(|(name, value)| (name.into(), value.into())));
        command.env_clear().envs(own);
        sandbox::spawn(&self.policy, self.held, command)
    }
}
