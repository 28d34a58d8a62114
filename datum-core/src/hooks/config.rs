//! Hooks as lines of git's configuration, `hook.<name>.event` and `hook.<name>.command`: git 2.54 and later.

use super::lines::{self, Caller};
use super::{Event, Hindrance, HooksError};
use crate::git::{self, Git};

/// What `git hook list` says of one hook: its name, and what turns it off.
struct Listed {
    name: String,
    off: Option<String>,
}

/// The name our hook for `event` has in the configuration.
pub(super) fn name(event: Event) -> String {
    format!("datum-{event}")
}

fn key(event: Event, what: &str) -> String {
    format!("hook.{}.{what}", name(event))
}

/// Whether git's configuration names our hook, for this repository or for all of the user's.
///
/// The event alone counts: without a command beside it git refuses to run, and that is to be seen and taken out.
pub(super) fn has(git: &Git, event: Event) -> bool {
    git.output("config", &["--get", &key(event, "event")]).is_ok()
}

/// Why git passes over our hook, which stands in its configuration. Git is asked, for other settings have their say.
pub(super) fn hindrance(git: &Git, event: Event) -> Result<Option<Hindrance>, HooksError> {
    let listed = match list(git, event)? {
        Ok(listed) => listed,
        Err(why) => return Ok(Some(Hindrance::Git(why))),
    };
    let ours = name(event);
    Ok(match listed.into_iter().find(|hook| hook.name == ours) {
        None => Some(Hindrance::Git(format!("git has no {ours} among its hooks for {event}"))),
        Some(Listed { off: None, .. }) => None,
        Some(Listed { off: Some(off), .. }) if off == "event-disabled" => {
            Some(Hindrance::Setting(format!("hook.{event}.enabled")))
        }
        Some(_) => Some(Hindrance::Setting(key(event, "enabled"))),
    })
}

/// The names of the hooks that git's configuration has for `event` beside ours.
pub(super) fn others(git: &Git, event: Event) -> Result<Vec<String>, HooksError> {
    let names = list(git, event)?.unwrap_or_default().into_iter().map(|hook| hook.name);
    Ok(names.filter(|other| *other != name(event)).collect())
}

/// The hooks git has for `event`, or why it cannot tell.
fn list(git: &Git, event: Event) -> Result<Result<Vec<Listed>, String>, HooksError> {
    /// What `git hook list` ends with where there is none.
    const NONE: i32 = 1;
    let mut command = git.command("hook");
    command.args(["list", event.as_str()]);
    let output = Git::run(command, b"")?;
    if !matches!(output.status.code(), Some(0 | NONE)) {
        return Ok(Err(git::reason(&String::from_utf8_lossy(&output.stderr))));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let listed = said.lines().map(|line| match line.split_once('\t') {
        Some((off, name)) => Listed { name: name.to_owned(), off: Some(off.to_owned()) },
        None => Listed { name: line.to_owned(), off: None },
    });
    Ok(Ok(listed.collect()))
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
