//! The `git` program: for what gix cannot do (push, repack, reftable). The only place that starts a process.

use std::fs::File;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Most that a run with a deadline may say on its standard output, bytes.
const SAID_MAX: u64 = 64 * 1024 * 1024;
/// Most of its standard error that is kept, bytes.
const COMPLAINT_MAX: usize = 64 * 1024;
/// How long a process that was asked to end may take to clean up.
const GRACE: Duration = Duration::from_secs(1);

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
    /// The program did not end in time, and was ended.
    #[error("git {verb} did not end in time")]
    Timeout {
        /// The git command.
        verb: String,
    },
    /// The program said more than anything honest has to say.
    #[error("git {verb} answered with more than {} MiB", SAID_MAX / 1024 / 1024)]
    Flood {
        /// The git command.
        verb: String,
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

/// A command in the work tree at `root`, as its user would run it: with prompts, credentials, hooks and signing.
#[expect(clippy::disallowed_methods, reason = "this file owns the starting of processes")]
pub(crate) fn user_command(root: &Path) -> Command {
    let mut command = Command::new("git");
    for name in HOOK_ENVIRONMENT {
        command.env_remove(name);
    }
    command.arg("-C").arg(root);
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
        self.command_with(&[], verb)
    }

    /// The same, with options of git's own before the verb.
    pub(crate) fn command_with(&self, options: &[&str], verb: &str) -> Command {
        let mut command = bare_command();
        command.arg("--git-dir").arg(&self.git_dir).args(options).arg(verb);
        command
    }

    /// Makes a repository at `path`.
    pub(crate) fn init(path: &Path) -> Result<(), GitError> {
        Self::init_as(path, &[])
    }

    /// Makes a repository at `path` with these options.
    pub(crate) fn init_as(path: &Path, options: &[&str]) -> Result<(), GitError> {
        let mut command = bare_command();
        command.args(["init", "--quiet"]).args(options).arg("--").arg(path);
        let output = Self::run(command, b"")?;
        if output.status.success() { Ok(()) } else { Err(failed("init", &output)) }
    }

    /// Runs `command` with `input` and answers with its output, whatever its exit code.
    pub(crate) fn run(mut command: Command, input: &[u8]) -> Result<Output, GitError> {
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
        thread::spawn(move || child.wait());
        true
    }

    /// Runs `command` with `input` until `deadline`, whatever its exit code.
    ///
    /// Past the deadline it is asked to end, so that it removes its locks, and killed if it does not.
    pub(crate) fn run_until(
        mut command: Command,
        verb: &str,
        input: Vec<u8>,
        deadline: Instant,
    ) -> Result<Output, GitError> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(GitError::Start)?;
        // Threads of their own: a pipe that is full would stop the program and us with it. They end with the program,
        // or with the last of its children that holds the pipe, for which nobody waits past the deadline.
        if let Some(mut stdin) = child.stdin.take() {
            thread::spawn(move || stdin.write_all(&input));
        }
        let (sender, said) = channel();
        collect(child.stdout.take(), Stream::Out, sender.clone());
        collect(child.stderr.take(), Stream::Err, sender);
        let mut output = Output { status: ExitStatus::default(), stdout: Vec::new(), stderr: Vec::new() };
        for _ in 0..2 {
            match said.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok((_, bytes, true)) => {
                    drop(bytes);
                    end(&mut child);
                    return Err(GitError::Flood { verb: verb.to_owned() });
                }
                Ok((Stream::Out, bytes, _)) => output.stdout = bytes,
                Ok((Stream::Err, bytes, _)) => output.stderr = bytes,
                Err(RecvTimeoutError::Timeout) => {
                    end(&mut child);
                    return Err(GitError::Timeout { verb: verb.to_owned() });
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        output.status = child.wait().map_err(GitError::Start)?;
        Ok(output)
    }

    /// Runs git and answers with its standard output.
    pub(crate) fn output(&self, verb: &str, args: &[&str]) -> Result<Vec<u8>, GitError> {
        let mut command = self.command(verb);
        command.args(args);
        let output = Self::run(command, b"")?;
        if output.status.success() { Ok(output.stdout) } else { Err(failed(verb, &output)) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

/// Reads `pipe` to its end, and sends what it said; the flag says that it was too much.
fn collect(
    pipe: Option<impl Read + Send + 'static>,
    stream: Stream,
    sender: Sender<(Stream, Vec<u8>, bool)>,
) {
    let Some(mut pipe) = pipe else { return };
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let most = if stream == Stream::Out { SAID_MAX } else { COMPLAINT_MAX as u64 };
        let read = pipe.by_ref().take(most).read_to_end(&mut bytes).unwrap_or(0);
        let full = read as u64 >= most;
        if full && stream == Stream::Err {
            // Complaints beyond the first are let go.
            let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        }
        let _ = sender.send((stream, bytes, full && stream == Stream::Out));
    });
}

/// Ends a process: by request, so that git removes its locks and ends its helpers, then by force.
fn end(child: &mut Child) {
    ask_to_end(child);
    let start = Instant::now();
    while start.elapsed() < GRACE {
        match child.try_wait() {
            Ok(None) => thread::sleep(Duration::from_millis(5)),
            _ => return,
        }
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(unix)]
fn ask_to_end(child: &Child) {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}

#[cfg(not(unix))]
fn ask_to_end(_: &Child) {}

/// The error that `output` is.
pub(crate) fn failed(verb: &str, output: &Output) -> GitError {
    let said = String::from_utf8_lossy(&output.stderr);
    GitError::Failed { verb: verb.to_owned(), message: reason(&said) }
}

/// The line of git's talk that says what is the matter, with the files it lists below; the last line where none does.
pub(crate) fn reason(said: &str) -> String {
    let is_reason = |line: &str| line.starts_with("fatal: ") || line.starts_with("error: ");
    let mut lines = said.lines().skip_while(|line| !is_reason(line));
    let Some(first) = lines.next() else {
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        return last.unwrap_or("no reason given").trim().to_owned();
    };
    let files: Vec<&str> = lines.take_while(|line| line.starts_with('\t')).map(str::trim).collect();
    if files.is_empty() { first.trim().to_owned() } else { format!("{} {}", first.trim(), files.join(", ")) }
}
