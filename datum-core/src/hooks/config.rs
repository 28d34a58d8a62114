//! Hooks as lines of git's configuration, `hook.<name>.event` and `hook.<name>.command`: git 2.54 and later.

use super::lines::{self, Caller};
use super::{Event, HooksError};
use crate::git::{self, Git};

/// The name our hook for `event` has in the configuration.
pub(super) fn name(event: Event) -> String {
    format!("datum-{event}")
}

fn key(event: Event, what: &str) -> String {
    format!("hook.{}.{what}", name(event))
}

/// Whether the repository's configuration names our hook.
pub(super) fn has(git: &Git, event: Event) -> bool {
    let value = |what| git.output("config", &["--local", "--get", &key(event, what)]);
    value("event").is_ok() && value("command").is_ok()
}

/// Writes our hook into the repository's configuration; the event last, for git refuses to run without a command.
pub(super) fn install(git: &Git, event: Event, caller: &Caller) -> Result<(), HooksError> {
    let command = lines::configured(event, caller);
    git.output("config", &["--local", "--replace-all", &key(event, "command"), &command])?;
    git.output("config", &["--local", "--replace-all", &key(event, "event"), event.as_str()])?;
    Ok(())
}

/// Takes our hook out of the repository's configuration, and answers whether it was in it.
pub(super) fn uninstall(git: &Git, event: Event) -> Result<bool, HooksError> {
    /// What `git config --remove-section` answers where there is none: 128, and 5 where a value is missing.
    const NONE: [i32; 2] = [128, 5];
    if git.output("config", &["--local", "--get-regexp", &format!("^hook\\.{}\\.", name(event))]).is_err() {
        return Ok(false);
    }
    let mut command = git.command("config");
    command.args(["--local", "--remove-section", &format!("hook.{}", name(event))]);
    let output = Git::run(command, b"")?;
    match output.status.code() {
        Some(0) => Ok(true),
        Some(code) if NONE.contains(&code) && !String::from_utf8_lossy(&output.stderr).contains("lock") => {
            Ok(false)
        }
        _ => Err(git::failed("config", &output).into()),
    }
}
