//! The `git` program: for what gix cannot do (push, repack, reftable). The only place that starts a process.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A run of `git` that did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The program could not be started.
    #[error("cannot run git: {0}")]
    Start(#[source] std::io::Error),
    /// The program ended with an error.
    #[error("git {verb} failed: {message}")]
    Failed {
        /// The git command.
        verb: String,
        /// The last line it said.
        message: String,
    },
}

/// What git sets for its hooks; left in place it would turn our git towards the repository whose hook we run in.
const HOOK_ENVIRONMENT: [&str; 12] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_PREFIX",
    "GIT_NAMESPACE",
    "GIT_QUARANTINE_PATH",
    "GIT_SHALLOW_FILE",
    "GIT_CONFIG",
    "GIT_IMPLICIT_WORK_TREE",
];

#[expect(clippy::disallowed_methods, reason = "this file owns the starting of processes")]
fn bare_command() -> Command {
    let mut command = Command::new("git");
    for name in HOOK_ENVIRONMENT {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
    command
}

/// Runs git on one repository, named by its git folder.
#[derive(Debug, Clone)]
pub(crate) struct Git {
    git_dir: PathBuf,
}

impl Git {
    pub(crate) fn new(git_dir: &Path) -> Self {
        Self { git_dir: git_dir.to_owned() }
    }

    /// A command that has no input, asks nothing and speaks English.
    pub(crate) fn command(&self, verb: &str) -> Command {
        let mut command = bare_command();
        command.arg("--git-dir").arg(&self.git_dir).arg(verb);
        command
    }

    /// Makes a repository at `path`.
    pub(crate) fn init(path: &Path) -> Result<(), GitError> {
        let mut command = bare_command();
        command.args(["init", "--quiet", "--"]).arg(path);
        let output = Self::run(command, b"")?;
        if output.status.success() { Ok(()) } else { Err(failed("init", &output)) }
    }

    /// Runs `command` with `input` and answers with its output, whatever its exit code.
    pub(crate) fn run(mut command: Command, input: &[u8]) -> Result<Output, GitError> {
        use std::io::Write as _;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(GitError::Start)?;
        // A program that does not read its input closes the pipe; its exit code tells the rest.
        if let Some(mut stdin) = child.stdin.take() {
            let _ = stdin.write_all(input);
        }
        child.wait_with_output().map_err(GitError::Start)
    }

    /// Starts `command` and leaves it to itself, with `input` to hold; answers whether it was started.
    pub(crate) fn detach(&self, mut command: Command, input: File) -> bool {
        command.stdin(input).stdout(Stdio::null()).stderr(Stdio::null());
        // What interrupts us, from the terminal, does not concern it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let Ok(mut child) = command.spawn() else { return false };
        // In a process that lives on, somebody must take note of its end.
        std::thread::spawn(move || child.wait());
        true
    }

    /// Runs git and answers with its standard output.
    pub(crate) fn output(&self, verb: &str, args: &[&str]) -> Result<Vec<u8>, GitError> {
        let mut command = self.command(verb);
        command.args(args);
        let output = Self::run(command, b"")?;
        if output.status.success() { Ok(output.stdout) } else { Err(failed(verb, &output)) }
    }
}

/// The error that `output` is.
pub(crate) fn failed(verb: &str, output: &Output) -> GitError {
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no reason given");
    GitError::Failed { verb: verb.to_owned(), message: line.trim().to_owned() }
}
