//! A repository in a folder of its own, and the program run in it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// 2026-01-01T00:00:00Z, milliseconds.
pub(crate) const NOW: u64 = 1_767_225_600_000;

/// A vessel: a git repository in a temporary folder, and an agent that works in it.
pub(crate) struct Vessel {
    /// Removes the folder when the vessel goes.
    _folder: TempDir,
    root: PathBuf,
}

/// What a run of a program answered.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// The standard output of a run that must have succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
    }

    /// The standard error of a run that must have ended with `code`.
    #[track_caller]
    pub(crate) fn fails(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        self.stderr
    }

    /// The standard output as JSON.
    #[track_caller]
    pub(crate) fn json(self) -> serde_json::Value {
        let text = self.ok();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

/// A command with nothing of the caller's environment but the path, and no configuration but the repository's own.
pub(crate) fn clean(program: impl AsRef<OsStr>, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(dir).env_clear().stdin(Stdio::null());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", "/nonexistent").env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    for who in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{who}_NAME"), "Tester")
            .env(format!("GIT_{who}_EMAIL"), "tester@example.org");
        command.env(format!("GIT_{who}_DATE"), "1767225600 +0000");
    }
    command
}

impl Vessel {
    /// A fresh repository.
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// A fresh repository made by `git init` with these arguments.
    pub(crate) fn with(init: &[&str]) -> Self {
        let vessel = Self::empty();
        vessel.git(&[&["init", "-q", "-b", "main"], init, &["."]].concat()).ok();
        vessel
    }

    /// A folder that is no repository.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        Self { _folder: folder, root }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.root
    }

    /// The program, to be run as the agent `a` at [`NOW`].
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = clean(env!("CARGO_BIN_EXE_datum"), &self.root);
        command.env("DATUM_AGENT", "a").env("DATUM_NOW", NOW.to_string()).args(args);
        command
    }

    /// Runs the program.
    pub(crate) fn datum(&self, args: &[&str]) -> Ran {
        Ran::of(&self.command(args).output().unwrap())
    }

    /// Runs the program with `input` on its standard input.
    pub(crate) fn datum_with(&self, args: &[&str], input: &[u8]) -> Ran {
        use std::io::Write as _;
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that refuses its arguments does not read its input.
        let _ = child.stdin.take().unwrap().write_all(input);
        Ran::of(&child.wait_with_output().unwrap())
    }

    /// Runs git.
    pub(crate) fn git(&self, args: &[&str]) -> Ran {
        Ran::of(&clean("git", &self.root).args(args).output().unwrap())
    }

    /// Lets git check every object and every link.
    #[track_caller]
    pub(crate) fn fsck(&self) {
        let ran = self.git(&["fsck", "--strict", "--no-dangling"]);
        let said: Vec<_> = ran.stderr.lines().filter(|line| !line.starts_with("notice:")).collect();
        assert!(ran.code == 0 && said.is_empty(), "{ran:?}");
    }

    /// The locks that lie among the refs.
    pub(crate) fn locks(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.root.join(".git/refs/datum")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else if entry.path().extension().is_some_and(|end| end == "lock") {
                    found.push(entry.path());
                }
            }
        }
        found
    }

    /// Makes locks that killed writers have left too old to be waited for.
    pub(crate) fn age_locks(&self) {
        self.locks().iter().for_each(|lock| make_old(lock));
    }
}

/// Makes an empty file that is an hour old.
pub(crate) fn make_old(path: &Path) {
    let old = SystemTime::now() - Duration::from_secs(3600);
    fs::File::create(path).unwrap().set_modified(old).unwrap();
}
