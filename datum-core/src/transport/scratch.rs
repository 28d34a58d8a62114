//! A repository of a moment, for looking at another one, or committing to it, without cloning it here.
//!
//! What is fetched shallow or in part must not come into the user's repository: it would make that one shallow.

use super::{Remote, TransportError, Trouble};
use crate::git::Git;
use crate::id::EntryId;
use crate::odb::ObjectKind;
use crate::stamp::{Millis, Stamp};
use crate::wait::jitter;
use std::process::Command;
use tempfile::TempDir;

/// Tries to commit before others who move the branch are too fast.
const TRIES: u32 = 20;

/// What another repository holds at its newest commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peek {
    /// The newest commit.
    pub head: Option<EntryId>,
    /// When that was written.
    pub active: Option<Millis>,
    /// The file that was asked for.
    pub file: Option<Vec<u8>>,
    /// The number of its datum logs.
    pub logs: u64,
}

struct Scratch<'r> {
    remote: &'r Remote,
    dir: TempDir,
}

/// The format of objects whose ids are as long as `like`.
pub(super) fn format_of(like: EntryId) -> &'static str {
    if like.0.kind() == gix::hash::Kind::Sha256 { "sha256" } else { "sha1" }
}

impl<'r> Scratch<'r> {
    /// One whose objects have ids as long as `like`, the id of an object there.
    fn new(remote: &'r Remote, like: EntryId) -> Result<Self, TransportError> {
        let cannot = |message: String| {
            TransportError::new(&remote.location, "make a scratch repository", Trouble::Program, &message)
        };
        let dir = tempfile::tempdir().map_err(|error| cannot(error.to_string()))?;
        Git::init_as(dir.path(), &[&format!("--object-format={}", format_of(like))])
            .map_err(|error| cannot(error.to_string()))?;
        Ok(Self { remote, dir })
    }

    /// A command in the scratch repository, where the other one is a remote whose blobs come when they are asked for.
    fn command(&self, verb: &str) -> Command {
        let url = format!("remote.there.url={}", self.remote.location);
        let settings = [
            "core.hooksPath=/dev/null",
            "remote.there.promisor=true",
            "remote.there.partialclonefilter=blob:none",
            &url,
        ];
        let options: Vec<&str> = settings.iter().flat_map(|setting| ["-c", setting]).collect();
        let mut command = Git::new(&self.dir.path().join(".git")).command_with(&options, verb);
        command.current_dir(&self.remote.dir);
        command
    }

    fn output(&self, command: Command, doing: &'static str) -> Result<Vec<u8>, TransportError> {
        let output = self.remote.run(command, doing, Vec::new())?;
        if output.status.success() { Ok(output.stdout) } else { Err(self.remote.failed(doing, &output)) }
    }

    /// Fetches the newest commit of `name` and its trees, one deep and without blobs where the server allows.
    fn fetch(&self, name: &str) -> Result<EntryId, TransportError> {
        let mut command = self.command("fetch");
        command.args(["--quiet", "--no-tags", "--depth=1", "--filter=blob:none", "--no-auto-maintenance"]);
        command.args(["--refmap=", "there", name]);
        self.output(command, "fetch")?;
        self.id("FETCH_HEAD^{commit}")
    }

    fn id(&self, rev: &str) -> Result<EntryId, TransportError> {
        let mut command = self.command("rev-parse");
        command.args(["--verify", "--quiet", rev]);
        let text = self.output(command, "read what came")?;
        let id = std::str::from_utf8(&text).ok().and_then(|text| EntryId::from_hex(text.trim()));
        id.ok_or_else(|| {
            TransportError::new(&self.remote.location, "read what came", Trouble::Program, "it is no commit")
        })
    }

    /// The file at `path` of a commit; `None` if there is none.
    fn file(&self, commit: EntryId, path: &str) -> Result<Option<Vec<u8>>, TransportError> {
        let mut command = self.command("ls-tree");
        command.args(["-z", "--format=%(objecttype) %(objectname)", &commit.to_string(), "--", path]);
        let listed = self.output(command, "read its tree")?;
        let Some(id) = listed.strip_prefix(b"blob ") else { return Ok(None) };
        let id = String::from_utf8_lossy(id);
        let mut command = self.command("cat-file");
        command.args(["blob", id.trim_end_matches('\0')]);
        self.output(command, "read its file").map(Some)
    }
}

impl Remote {
    /// Looks at the newest commit of the other repository and the file at `path` there; its history stays there.
    ///
    /// # Errors
    /// [`TransportError`] when it cannot be reached or read.
    pub fn peek(&self, path: &str) -> Result<Peek, TransportError> {
        let logs =
            self.list(&[])?.keys().filter(|name| crate::refs::parse_log(name).is_some()).count() as u64;
        let mut command = self.command(&[], "ls-remote");
        command.args(["--quiet", "--", &self.location, "HEAD"]);
        let output = self.run(command, "list the refs", Vec::new())?;
        let said = String::from_utf8_lossy(&output.stdout);
        let head = said.lines().find_map(|line| EntryId::from_hex(line.strip_suffix("\tHEAD")?));
        let Some(head) = head else { return Ok(Peek { logs, ..Peek::default() }) };
        let scratch = Scratch::new(self, head)?;
        let head = scratch.fetch("HEAD")?;
        let mut command = scratch.command("show");
        command.args(["--no-patch", "--format=%ct", &head.to_string()]);
        let seconds =
            String::from_utf8_lossy(&scratch.output(command, "read what came")?).trim().parse::<Millis>();
        let active = seconds.ok().and_then(|seconds| seconds.checked_mul(1000));
        Ok(Peek { head: Some(head), active, file: scratch.file(head, path)?, logs })
    }

    /// Commits one file to `branch` of the other repository, or its newest commit's branch, and answers with the commit.
    ///
    /// Nothing is checked out. A branch that moved meanwhile is fetched again and built upon.
    ///
    /// # Errors
    /// [`TransportError`] when it cannot be reached, refuses, or has the path already.
    pub fn commit_file(
        &self,
        stamp: &Stamp,
        branch: Option<&str>,
        path: &str,
        text: &str,
        subject: &str,
    ) -> Result<EntryId, TransportError> {
        let (own, like) = self.default_branch()?;
        let branch = branch.map_or(own, str::to_owned);
        let refused =
            |message: &str| TransportError::new(&self.location, "commit a file", Trouble::Refused, message);
        let scratch = Scratch::new(self, like)?;
        for _ in 0..TRIES {
            let parent = scratch.fetch(&format!("refs/heads/{branch}"))?;
            let commit = scratch.commit(stamp, parent, path, text, subject)?;
            let mut command = scratch.command("push");
            command.args(["--porcelain", "--no-verify", "there", &format!("{commit}:refs/heads/{branch}")]);
            let output = self.run(command, "push", Vec::new())?;
            let said = String::from_utf8_lossy(&output.stdout);
            if output.status.success() {
                return Ok(commit);
            }
            let raced =
                ["fetch first", "non-fast-forward", "stale info", "cannot lock ref", "failed to update ref"];
            if !raced.iter().any(|text| said.contains(text)) {
                return Err(match said.split_once("[remote rejected] (") {
                    Some((_, why)) => refused(why.lines().next().unwrap_or_default().trim_end_matches(')')),
                    None => self.failed("push", &output),
                });
            }
            std::thread::sleep(jitter() * 10);
        }
        Err(refused("its branch moves too fast"))
    }

    /// The branch that a clone would check out, and its newest commit.
    pub(super) fn default_branch(&self) -> Result<(String, EntryId), TransportError> {
        let mut command = self.command(&[], "ls-remote");
        command.args(["--quiet", "--symref", "--", &self.location, "HEAD"]);
        let output = self.run(command, "list the refs", Vec::new())?;
        let said = String::from_utf8_lossy(&output.stdout);
        let branch =
            said.lines().find_map(|line| line.strip_prefix("ref: refs/heads/")?.strip_suffix("\tHEAD"));
        let tip = said.lines().find_map(|line| EntryId::from_hex(line.strip_suffix("\tHEAD")?));
        branch.map(str::to_owned).zip(tip).ok_or_else(|| {
            TransportError::new(&self.location, "find its branch", Trouble::Refused, "it has no branch yet")
        })
    }
}

impl Scratch<'_> {
    /// Makes the commit that adds a file to `parent`, through an index of its own.
    fn commit(
        &self,
        stamp: &Stamp,
        parent: EntryId,
        path: &str,
        text: &str,
        subject: &str,
    ) -> Result<EntryId, TransportError> {
        let refused = |message: String| {
            TransportError::new(&self.remote.location, "commit a file", Trouble::Refused, &message)
        };
        if self.file(parent, path)?.is_some() {
            return Err(refused(format!("it has {path} already")));
        }
        let blob = self.write(ObjectKind::Blob, text.as_bytes())?;
        let mut command = self.command("read-tree");
        command.arg(parent.to_string());
        self.output(command, "read its tree")?;
        let mut command = self.command("update-index");
        command.args(["--add", "--cacheinfo", &format!("100644,{blob},{path}")]);
        self.output(command, "add the file")?;
        let mut command = self.command("write-tree");
        command.arg("--missing-ok");
        let tree = String::from_utf8_lossy(&self.output(command, "write a tree")?).trim().to_owned();
        let (name, email) = match &stamp.committer {
            Some(identity) => (identity.name.clone(), identity.email.clone()),
            None => (stamp.agent.to_string(), format!("{}@datum", stamp.agent)),
        };
        let date = format!("{} +0000", stamp.now / 1000);
        let mut command = self.command("commit-tree");
        command.args([tree.as_str(), "-p", &parent.to_string(), "-m", subject]);
        command
            .env("GIT_AUTHOR_NAME", stamp.agent.as_str())
            .env("GIT_AUTHOR_EMAIL", format!("{}@datum", stamp.agent));
        command.env("GIT_COMMITTER_NAME", name).env("GIT_COMMITTER_EMAIL", email);
        command.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
        let id = String::from_utf8_lossy(&self.output(command, "commit")?).trim().to_owned();
        EntryId::from_hex(&id).ok_or_else(|| refused("git answered with no commit".to_owned()))
    }

    fn write(&self, kind: ObjectKind, bytes: &[u8]) -> Result<String, TransportError> {
        let mut command = self.command("hash-object");
        command.args(["-w", "-t", &kind.to_string(), "--stdin"]);
        let output = self.remote.run(command, "write an object", bytes.to_vec())?;
        if !output.status.success() {
            return Err(self.remote.failed("write an object", &output));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}
