//! Proof that git reaches a hook: git itself is asked to run it, with a probe that the hook answers and does no more.

use super::{Event, File, Hooks, HooksError, Place, State, config, files};
use crate::git::Git;
use std::path::Path;

/// The variable that turns a run of a hook into a probe; the hook prints its value and ends.
pub const PROBE: &str = "DATUM_HOOK_PROBE";

/// The variable that holds the value of settings which turn other hooks off for a probe.
const OFF: &str = "DATUM_HOOK_OFF";

/// The first git that runs a hook by name (`git hook run`).
const RUN_FROM: (u32, u32) = (2, 36);

/// What a probe showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Git ran the hook, and datum answered.
    Reached,
    /// The hook is where this git looks, executable and first in its file; this git is too old to run it by name.
    InPlace,
    /// Another tool's hook is in its place and hands over to it, as this says; running that one would run all of it.
    Behind(String),
    /// Git does not reach it, for this reason.
    NotReached(String),
}

impl Hooks {
    /// Proves that git reaches the hook for `event`; `nonce` is a word that nothing else prints.
    ///
    /// Only our hook runs: others of the configuration are turned off for the run, and the file's other lines come
    /// after ours, which end a probe.
    ///
    /// # Errors
    /// [`HooksError`] when git cannot be asked.
    pub fn verify(&self, event: Event, nonce: &str) -> Result<Proof, HooksError> {
        let state = self.state(event)?;
        let Some(place) = state.place() else { return Ok(absent(&state)) };
        if let Some(hindrance) = state.hindrance {
            return Ok(Proof::NotReached(hindrance.to_string()));
        }
        if self.version < RUN_FROM {
            return Ok(Proof::InPlace);
        }
        let others = self.others(event, place)?;
        let options: Vec<_> = others.iter().map(String::as_str).collect();
        let mut command = self.git.command_with(&options, "hook");
        command
            .args(["run", event.as_str(), "--", "probe", "probe"])
            .env(PROBE, nonce)
            .env(OFF, "false")
            .current_dir(&self.root);
        let output = Git::run(command, b"")?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        if said.lines().any(|line| line.trim() == nonce) {
            return Ok(Proof::Reached);
        }
        let line = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("datum did not answer");
        Ok(Proof::NotReached(line.trim().to_owned()))
    }

    /// Options that keep git from running any hook for `event` but ours.
    fn others(&self, event: Event, place: Place) -> Result<Vec<String>, HooksError> {
        if !self.reads_config() {
            return Ok(Vec::new());
        }
        // With -c a name that has a `=` in it would end there.
        let off = |name: String| format!("--config-env=hook.{name}.enabled={OFF}");
        let mut options: Vec<_> = config::others(&self.git, event)?.into_iter().map(off).collect();
        if place == Place::Config {
            options.push("-c".to_owned());
            options.push(format!("core.hooksPath={}", self.folder.join("none").display()));
        }
        Ok(options)
    }
}

/// What there is to say of a hook that is not where git looks.
fn absent(state: &State) -> Proof {
    Proof::NotReached(match &state.file {
        File::Foreign { tool: Some(tool @ ("pre-commit" | "prek")), executable: true }
            if is_legacy(&state.path) =>
        {
            return Proof::Behind(format!("{tool} runs it first, as {}.legacy", state.event));
        }
        File::Foreign { tool: Some(tool), .. } => {
            format!("{} belongs to {tool} and does not call datum", state.path.display())
        }
        File::Foreign { tool: None, .. } => format!("{} does not call datum", state.path.display()),
        File::Absent | File::Ours { .. } => "it is not installed".to_owned(),
    })
}

/// Whether pre-commit or prek, installed later, moved our hook to where they call it from.
fn is_legacy(path: &Path) -> bool {
    let legacy = files::look(&path.with_extension("legacy"));
    matches!(legacy, Ok(File::Ours { executable: true, first: true, .. }))
}
