//! Other repositories, reached by the git program with the user's own credentials, ssh and proxies.
//!
//! Nothing here touches the user's `remote.*` configuration, tags, `FETCH_HEAD`, hooks or branches, and nothing is
//! fetched straight into a ref: objects come first, and refs move when what came was looked at.

mod scratch;
mod trouble;
mod visit;

use crate::git::{Git, GitError};
use crate::id::EntryId;
use crate::store::Store;
pub use scratch::Peek;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};
pub use trouble::{TransportError, Trouble};
pub use visit::Visit;

/// Refs named on one command line, at most: systems limit its length.
const REFS_A_PUSH: usize = 400;

/// One ref to be set in another repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// The ref there.
    pub name: String,
    /// Its new value; `None` deletes it.
    pub new: Option<EntryId>,
    /// What the other side allows the move by.
    pub condition: Condition,
}

/// When a ref of another repository may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Only forward: the old value must be an ancestor of the new one, or absent.
    Forward,
    /// Only from exactly this value; `None`: only if it does not exist. One of several who try wins.
    From(Option<EntryId>),
}

/// What became of a [`Push`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// The ref has the new value, and this push gave it.
    Done,
    /// The ref had it before.
    Current,
    /// The ref holds something else than the condition allows: fetch, look, try again.
    Moved,
    /// The other side will not have it; its words, where it gave any.
    Refused(String),
}

/// Another repository, for a limited time.
#[derive(Debug, Clone)]
pub struct Remote {
    git: Git,
    dir: PathBuf,
    location: String,
    configured: bool,
    start: Instant,
    budget: Duration,
}

impl Store {
    /// The repository at `location`, a configured remote's name, an address or a path, to be used for `budget` from now.
    ///
    /// # Errors
    /// [`TransportError`] for a text that is no location.
    pub fn remote(&self, location: &str, budget: Duration) -> Result<Remote, TransportError> {
        let bad = location.is_empty() || location.starts_with('-') || location.contains(char::is_control);
        // A helper of git's own choosing runs what stands in such an address.
        if bad || location.starts_with("ext::") || location.starts_with("fd::") {
            return Err(TransportError::new(
                location,
                "use it",
                Trouble::NoLocation,
                "it is no address of a repository",
            ));
        }
        let configured = self.setting(&format!("remote.{location}.url")).is_some();
        let dir = self.work_dir().unwrap_or(&self.common_dir).to_owned();
        Ok(Remote {
            git: self.git.clone(),
            dir,
            location: location.to_owned(),
            configured,
            start: Instant::now(),
            budget,
        })
    }
}

impl Store {
    /// Configures a remote, as `git remote add` does: only ever because the user has said so.
    ///
    /// # Errors
    /// [`GitError`] when there is one of that name, or the name or address is none.
    pub fn add_remote(&self, name: &str, address: &str) -> Result<(), GitError> {
        self.git.output("remote", &["add", "--", name, address]).map(|_| ())
    }
}

impl Remote {
    /// How it is called: a remote's name or an address.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The name for its refs below `refs/datum-remote/`: the configured one, or one made of the address.
    pub fn name(&self) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if self.configured && self.location.chars().all(plain) {
            return self.location.clone();
        }
        // Fowler, Noll and Vo's hash, 64 bits: two addresses of one user do not meet.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        format!("at.{:016x}", self.location.bytes().fold(0xcbf2_9ce4_8422_2325, mix))
    }

    /// The time that is left of the budget.
    pub fn left(&self) -> Duration {
        self.budget.saturating_sub(self.start.elapsed())
    }

    /// A git that asks nothing, runs no hook, starts no maintenance, and stops with the connection.
    fn command(&self, options: &[&str], verb: &str) -> Command {
        // A helper that outlives a killed git ends by itself.
        let patience = format!("http.lowSpeedTime={}", self.budget.as_secs().max(1));
        let mut all = Vec::new();
        let quiet =
            ["core.hooksPath=/dev/null", "maintenance.auto=false", "gc.auto=0", "http.lowSpeedLimit=1"];
        for setting in quiet.into_iter().chain([patience.as_str()]) {
            all.extend(["-c", setting]);
        }
        all.extend(options);
        let mut command = self.git.command_with(&all, verb);
        // A remote's relative path counts from the work tree, wherever we were started.
        command.current_dir(&self.dir);
        command
    }

    fn run(&self, command: Command, verb: &'static str, input: Vec<u8>) -> Result<Output, TransportError> {
        Git::run_until(command, verb, input, self.start + self.budget).map_err(|error| {
            let seconds = self.budget.as_secs_f32();
            match error {
                GitError::Timeout { .. } => {
                    let message = format!("out of time after {seconds} s");
                    TransportError::new(&self.location, verb, Trouble::Timeout, &message)
                }
                error => TransportError::new(&self.location, verb, Trouble::Program, &error.to_string()),
            }
        })
    }

    fn failed(&self, verb: &'static str, output: &Output) -> TransportError {
        TransportError::of(&self.location, verb, &String::from_utf8_lossy(&output.stderr))
    }

    /// The refs below `refs/datum/`, and those the further `patterns` name (`refs/heads/agent/*`).
    ///
    /// Names come as the other side sends them, unchecked. One process; nothing is written.
    ///
    /// # Errors
    /// [`TransportError`] when the other side cannot be asked.
    pub fn list(&self, patterns: &[&str]) -> Result<BTreeMap<String, EntryId>, TransportError> {
        let mut command = self.command(&[], "ls-remote");
        command.args(["--quiet", "--refs", "--", &self.location, "refs/datum/*"]).args(patterns);
        let output = self.run(command, "list the refs", Vec::new())?;
        if !output.status.success() {
            return Err(self.failed("list the refs", &output));
        }
        let line = |line: &[u8]| {
            let (id, name) = std::str::from_utf8(line).ok()?.split_once('\t')?;
            Some((name.to_owned(), EntryId::from_hex(id)?))
        };
        Ok(output.stdout.split(|b| *b == b'\n').filter_map(line).collect())
    }

    /// The value of one ref there. One process; nothing is written.
    ///
    /// # Errors
    /// [`TransportError`] when the other side cannot be asked.
    pub(crate) fn find(&self, name: &str) -> Result<Option<EntryId>, TransportError> {
        let mut command = self.command(&[], "ls-remote");
        command.args(["--quiet", "--refs", "--", &self.location, name]);
        let output = self.run(command, "list the refs", Vec::new())?;
        if !output.status.success() {
            return Err(self.failed("list the refs", &output));
        }
        // A pattern matches the end of any name, so the name is compared.
        let said = String::from_utf8_lossy(&output.stdout);
        let mut lines = said.lines().filter_map(|line| line.split_once('\t'));
        Ok(lines.find(|(_, found)| *found == name).and_then(|(id, _)| EntryId::from_hex(id)))
    }

    /// Fetches the refs called `names` with their whole history, in partial and shallow clones too.
    ///
    /// Only objects come: no ref of this repository moves.
    ///
    /// # Errors
    /// [`TransportError`] when they cannot be fetched, or one of them does not exist there.
    pub fn fetch<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Result<(), TransportError> {
        let mut input = String::new();
        for name in names {
            input.push_str(name);
            input.push('\n');
        }
        if input.is_empty() {
            return Ok(());
        }
        let mut command =
            self.command(&["-c", "fetch.fsckObjects=false", "-c", "transfer.fsckObjects=false"], "fetch");
        command.args([
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-filter",
        ]);
        command.args(["--refmap=", "--no-prune", "--no-prune-tags", "--no-recurse-submodules"]);
        command.args(["--no-write-commit-graph", "--stdin", "--", &self.location]);
        let output = self.run(command, "fetch", input.into_bytes())?;
        if output.status.success() { Ok(()) } else { Err(self.failed("fetch", &output)) }
    }

    /// Sets refs of the other repository, each on its own: one that is refused does not hold back the others.
    ///
    /// The answers come in the order of `pushes`.
    ///
    /// # Errors
    /// [`TransportError`] when the connection failed; which of the refs had moved by then is not known.
    pub fn push(&self, pushes: &[Push]) -> Result<Vec<Pushed>, TransportError> {
        let mut done = Vec::with_capacity(pushes.len());
        for some in pushes.chunks(REFS_A_PUSH) {
            done.extend(self.push_some(some)?);
        }
        Ok(done)
    }

    fn push_some(&self, pushes: &[Push]) -> Result<Vec<Pushed>, TransportError> {
        let no_mirror = format!("remote.{}.mirror=false", self.location);
        let mut options = vec!["-c", "push.pushOption="];
        if self.configured && !self.location.contains('=') {
            options.extend(["-c", &no_mirror]);
        }
        let mut command = self.command(&options, "push");
        command.args([
            "--porcelain",
            "--no-verify",
            "--no-follow-tags",
            "--no-signed",
            "--recurse-submodules=no",
        ]);
        for push in pushes {
            if let Condition::From(old) = push.condition {
                let old = old.map(|id| id.to_string()).unwrap_or_default();
                command.arg(format!("--force-with-lease={}:{old}", push.name));
            }
        }
        command.args(["--", &self.location]);
        for push in pushes {
            command.arg(format!("{}:{}", push.new.map(|id| id.to_string()).unwrap_or_default(), push.name));
        }
        let output = self.run(command, "push", Vec::new())?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        let answers = answers(&String::from_utf8_lossy(&output.stdout), &complaint);
        let mut done = Vec::with_capacity(pushes.len());
        for push in pushes {
            match answers.get(&push.name) {
                Some(answer) => done.push(answer.clone()),
                None => return Err(self.failed("push", &output)),
            }
        }
        Ok(done)
    }

    /// Writes a bundle file of local refs, to be carried where no connection goes.
    ///
    /// # Errors
    /// [`TransportError`] when git cannot write it.
    pub(crate) fn bundle(&self, file: &Path, names: &[String]) -> Result<(), TransportError> {
        let mut command = self.command(&[], "bundle");
        command.args(["create", "--quiet"]).arg(file).arg("--stdin");
        let output = self.run(command, "write the bundle", names.join("\n").into_bytes())?;
        if output.status.success() { Ok(()) } else { Err(self.failed("write the bundle", &output)) }
    }
}

/// Reads what `git push --porcelain` answers: `<flag> TAB <from>:<to> TAB <summary> (<reason>)`, by ref.
fn answers(said: &str, complaint: &str) -> BTreeMap<String, Pushed> {
    let words = trouble::remote_words(complaint);
    let mut answers = BTreeMap::new();
    for line in said.lines() {
        let mut fields = line.splitn(3, '\t');
        let (Some(flag), Some(refs), Some(summary)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let Some((_, name)) = refs.rsplit_once(':') else { continue };
        let answer = match flag {
            "=" => Pushed::Current,
            "!" => {
                let reason = summary.split_once('(').map_or(summary, |(_, why)| why.trim_end_matches(')'));
                // What the connection took with it is no answer.
                if summary.contains("remote failure") {
                    continue;
                }
                let moved =
                    ["fetch first", "non-fast-forward", "stale info", "needs force", "already exists"];
                let raced = [
                    "cannot lock ref",
                    "incorrect old value",
                    "failed to update ref",
                    "failed to lock",
                    "reference already exists",
                ];
                let theirs = summary.starts_with("[remote rejected]");
                if (moved.contains(&reason) && !theirs) || raced.iter().any(|text| reason.contains(text)) {
                    Pushed::Moved
                } else if words.is_empty() {
                    Pushed::Refused(reason.to_owned())
                } else {
                    Pushed::Refused(format!("{reason}: {words}"))
                }
            }
            _ => Pushed::Done,
        };
        answers.insert(name.to_owned(), answer);
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_of_a_push_are_told_apart() {
        let said = "To /x\n*\taa:refs/datum/journal/a-1\t[new reference]\n \tbb:refs/datum/b\t1..2\n\
                    =\tcc:refs/datum/c\t[up to date]\n!\tdd:refs/datum/d\t[rejected] (fetch first)\n\
                    !\tee:refs/datum/e\t[remote rejected] (hook declined)\n\
                    !\tff:refs/datum/f\t[remote rejected] (cannot lock ref 'refs/datum/f': is at 1 but expected 2)\n\
                    !\tgg:refs/datum/g\t[remote failure] (remote failed to report status)\nDone\n";
        let complaint = "remote: not here, please        \nerror: failed to push some refs to '/x'\n";
        let answers = answers(said, complaint);
        let of = |name: &str| answers.get(&format!("refs/datum/{name}")).cloned();
        assert_eq!(of("journal/a-1"), Some(Pushed::Done));
        assert_eq!(of("b"), Some(Pushed::Done));
        assert_eq!(of("c"), Some(Pushed::Current));
        assert_eq!(of("d"), Some(Pushed::Moved));
        assert_eq!(of("e"), Some(Pushed::Refused("hook declined: not here, please".to_owned())));
        assert_eq!(of("f"), Some(Pushed::Moved));
        assert_eq!(of("g"), None);
    }
}
