//! Running a command within boundaries that the kernel holds: Landlock for files, TCP ports and signals, seccomp for the
//! system calls that would reach around them.
//!
//! A thread restricts itself and starts the command, which inherits the restrictions and cannot take them off; the
//! thread ends, and the program itself stays as it was. So nothing runs between fork and exec, and no unsafe code is
//! needed.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod files;
mod policy;

pub(crate) use policy::Policy;

use crate::fault::Fault;
use std::fmt;
use std::process::{Child, Command};

/// What the kernel was made to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Enforced {
    /// The version of Landlock's interface that was used; 0 for none.
    pub(crate) landlock: u8,
    /// Whether system calls are filtered.
    pub(crate) seccomp: bool,
}

impl Enforced {
    /// What is not held, in words.
    pub(crate) fn missing(self) -> Vec<&'static str> {
        let mut missing = Vec::new();
        for (since, what) in
            [(1, "files"), (3, "truncating files"), (4, "TCP ports"), (5, "devices"), (6, "signals")]
        {
            if self.landlock < since {
                missing.push(what);
            }
        }
        if !self.seccomp {
            missing.push("system calls");
        }
        missing
    }

    /// Whether everything is held.
    pub(crate) fn is_whole(self) -> bool {
        self.missing().is_empty()
    }
}

impl fmt::Display for Enforced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.landlock {
            0 => f.write_str("no Landlock")?,
            version => write!(f, "Landlock {version}")?,
        }
        f.write_str(if self.seccomp { ", seccomp" } else { ", no seccomp" })
    }
}

/// Finds what this kernel holds of a policy, by holding a thread to it that then ends.
pub(crate) fn probe(policy: &Policy) -> Enforced {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| restrict(policy));
        thread.join().ok().and_then(Result::ok).unwrap_or(Enforced { landlock: 0, seccomp: false })
    })
}

/// Starts `command` within the policy, held by as much as `expected` says was found.
pub(crate) fn spawn(policy: &Policy, expected: Enforced, command: &mut Command) -> Result<Child, Fault> {
    let started = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let none = Enforced { landlock: 0, seccomp: false };
            let held = if expected == none { Ok(none) } else { restrict(policy) };
            let held = held.map_err(|error| Fault::broken(format!("the boundary: {error}")))?;
            if held != expected {
                return Err(Fault::broken(format!("the boundary: {held} now, {expected} before")));
            }
            Ok(command.spawn())
        });
        let ended = || Fault::broken("the thread that starts the command ended");
        thread.join().unwrap_or_else(|_| Err(ended()))
    })?;
    started.map_err(|error| cannot_start(command, &error))
}

fn cannot_start(command: &Command, error: &std::io::Error) -> Fault {
    let program = command.get_program().display();
    let fault = Fault::usage(format!("{program} cannot be started: {error}"));
    match error.kind() {
        std::io::ErrorKind::NotFound => fault
            .passing(127)
            .hint("it is looked for in PATH; a program of the workshop is called by its path"),
        _ => fault.passing(126).hint("what lies outside of the boundary is not executed: --read its folder"),
    }
}

#[cfg(target_os = "linux")]
fn restrict(policy: &Policy) -> Result<Enforced, String> {
    // What only root may do, root may not do in here: with CAP_PERFMON alone it reads others' environments in /proc.
    for set in
        [caps::CapSet::Ambient, caps::CapSet::Inheritable, caps::CapSet::Effective, caps::CapSet::Permitted]
    {
        caps::clear(None, set).map_err(|error| error.to_string())?;
    }
    let landlock = files::restrict(policy)?;
    let seccomp = calls::restrict(!policy.ports.is_empty()).is_ok();
    Ok(Enforced { landlock, seccomp })
}

#[cfg(not(target_os = "linux"))]
fn restrict(_: &Policy) -> Result<Enforced, String> {
    Ok(Enforced { landlock: 0, seccomp: false })
}

/// The exit code for a boundary that cannot be held, as `timeout` and `env` use it for their own failures.
pub(crate) const CANNOT_HOLD: u8 = 125;

/// Refuses a boundary that is not held whole, unless that was accepted.
pub(crate) fn accept(enforced: Enforced, degraded: bool) -> Result<(), Fault> {
    if enforced.is_whole() || degraded {
        return Ok(());
    }
    let system = if cfg!(target_os = "linux") { "this kernel" } else { "this system" };
    Err(Fault::broken(format!("the boundary cannot be held: {system} does not hold {}", {
        enforced.missing().join(", ")
    }))
    .passing(CANNOT_HOLD)
    .hint("datum sandbox status says what there is; --allow-degraded runs the command all the same"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_held_whole_is_refused_unless_accepted() {
        let whole = Enforced { landlock: 6, seccomp: true };
        assert!(accept(whole, false).is_ok());
        for less in [
            Enforced { landlock: 5, ..whole },
            Enforced { seccomp: false, ..whole },
            Enforced { landlock: 0, ..whole },
        ] {
            let fault = accept(less, false).unwrap_err();
            assert_eq!(fault.passed, Some(125));
            assert!(fault.message.contains(less.missing()[0]), "{}", fault.message);
            assert!(accept(less, true).is_ok());
        }
    }

    #[test]
    fn a_probe_leaves_this_thread_as_it_was() {
        probe(&Policy::system());
        assert!(std::fs::read_dir(std::env::temp_dir()).is_ok());
    }
}
