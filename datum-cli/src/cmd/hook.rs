//! `datum hook EVENT`: what the installed hooks call.

use crate::edge::{self, Edge};
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::hooks::PROBE;
use datum_core::outgoing::{self, Found, Update};
use datum_core::secret::{self, Level};
use datum_core::style::Style;
use datum_core::{Draft, DraftError, Kind, Store, committed};
use std::fs::DirEntry;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

/// Most bytes read of what git writes to a hook.
const INPUT_MAX: u64 = 64 * 1024 * 1024;

/// Runs one hook, as git would; the hooks of `datum hooks install` call it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum hook post-commit
  echo refs/heads/main $(git rev-parse main) refs/heads/main $(git rev-parse origin/main) | datum hook pre-push origin
  datum hook commit-msg .git/COMMIT_EDITMSG")]
pub(crate) struct Command {
    #[command(subcommand)]
    event: Event,
}

#[derive(Debug, clap::Subcommand)]
enum Event {
    /// Record the commit at HEAD in the journal, once
    PostCommit {
        #[arg(hide = true)]
        _arguments: Vec<String>,
    },
    /// Record a rebase; reads the pairs of old and new ids from stdin
    PostRewrite {
        /// What rewrote: amend or rebase
        by: Option<String>,
        #[arg(hide = true)]
        _arguments: Vec<String>,
    },
    /// Refuse a push that carries secrets; reads git's lines from stdin
    PrePush(PrePush),
    /// Find secrets in files and folders
    Scan(Scan),
    /// Check the subject of a commit message
    CommitMsg {
        /// The file that holds the message
        file: PathBuf,
        #[arg(hide = true)]
        _arguments: Vec<String>,
    },
}

#[derive(Debug, clap::Args)]
struct PrePush {
    /// The remote's name
    remote: Option<String>,
    /// The remote's address
    url: Option<String>,
    /// Look at this range (A..B) instead of stdin
    #[arg(long, value_name = "RANGE")]
    range: Option<String>,
    /// Refuse findings of this level and above: warning, error, critical [default: error]
    #[arg(long, value_name = "LEVEL")]
    fail_on: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Scan {
    /// The files and folders
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// End with 1 for findings of this level and above: warning, error, critical [default: error]
    #[arg(long, value_name = "LEVEL")]
    fail_on: Option<String>,
}

impl Command {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        if let Some(nonce) = edge::variable(PROBE) {
            out.line(&nonce);
            return Ok(Exit::Done);
        }
        if edge::variable("DATUM_HOOKS").is_some_and(|value| matches!(value.as_str(), "0" | "off" | "false"))
        {
            return Ok(Exit::Done);
        }
        match &self.event {
            Event::PostCommit { .. } => Ok(harmless(out, "the commit is not recorded", post_commit(edge))),
            Event::PostRewrite { by, .. } => {
                let done = post_rewrite(edge, by.as_deref().unwrap_or_default());
                Ok(harmless(out, "the rewrite is not recorded", done))
            }
            Event::PrePush(command) => command.run(edge, out),
            Event::Scan(command) => command.run(out),
            Event::CommitMsg { file, .. } => commit_msg(edge, file),
        }
    }
}

/// What went wrong is said and changes nothing: the commit is made.
fn harmless(out: &Out, what: &str, done: Result<(), Fault>) -> Exit {
    if let Err(fault) = done {
        out.warn(&format!("{what}: {}", fault.message));
        if let Some(hint) = fault.hint {
            out.say(&format!("hint: {hint}"));
        }
    }
    Exit::Done
}

fn post_commit(edge: &Edge<'_>) -> Result<(), Fault> {
    let store = edge.hook_store()?;
    if store.is_replaying() {
        return Ok(());
    }
    record(edge, store, |commit, branch| {
        let changes = store.capability_changes(commit).unwrap_or_default();
        committed::draft(commit, branch, &changes)
    })
}

fn post_rewrite(edge: &Edge<'_>, by: &str) -> Result<(), Fault> {
    let pairs = committed::rewritten(&read_input()?);
    // An amended commit is recorded by post-commit.
    if by != "rebase" || pairs.is_empty() {
        return Ok(());
    }
    let store = edge.hook_store()?;
    record(edge, store, |commit, branch| committed::draft_rewrite(commit, branch, &pairs))
}

/// Appends one entry about the commit at HEAD, unless there is one.
fn record(
    edge: &Edge<'_>,
    store: &Store,
    draft: impl Fn(&committed::Commit, Option<&str>) -> Result<Draft, DraftError>,
) -> Result<(), Fault> {
    let Some(head) = store.head() else { return Ok(()) };
    let commit = store.commit(head)?;
    let draft = draft(&commit, store.branch().as_deref())?;
    let stamp = edge.hook_stamp()?;
    store.apply::<Fault>(Kind::Journal, &stamp, |snapshot| {
        let known = committed::is_recorded(snapshot, &commit, stamp.now);
        Ok(if known { Vec::new() } else { vec![draft.clone()] })
    })?;
    Ok(())
}

fn commit_msg(edge: &Edge<'_>, file: &PathBuf) -> Result<Exit, Fault> {
    let bytes = std::fs::read(file)
        .map_err(|error| Fault::usage(format!("cannot read {}: {error}", file.display())))?;
    let set = edge.hook_store()?.setting(super::hooks::STYLE);
    let text = set.as_deref().unwrap_or("either");
    let style = Style::parse(text).ok_or_else(|| {
        Fault::usage(format!("{}: {text:?} is no style", super::hooks::STYLE))
            .hint("git config datum.commitMsg i2i, conventional or either")
    })?;
    style.check(&String::from_utf8_lossy(&bytes)).map_err(|(why, hint)| {
        let mut fault = Fault::usage(why).hint(format!("{hint}; git commit --no-verify passes the check"));
        fault.exit = Exit::No;
        fault
    })?;
    Ok(Exit::Done)
}

/// What git writes to the hook; nothing where a person started it.
pub(super) fn read_input() -> Result<String, Fault> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Ok(String::new());
    }
    let mut bytes = Vec::new();
    let read = stdin.lock().take(INPUT_MAX).read_to_end(&mut bytes);
    read.map_err(|error| Fault::broken(format!("cannot read stdin: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The level from which on findings count.
fn level(option: Option<&str>, setting: Option<&str>) -> Result<Level, Fault> {
    match option.or(setting) {
        None | Some("error") => Ok(Level::Error),
        Some("warning") => Ok(Level::Warning),
        Some("critical") => Ok(Level::Critical),
        Some(other) => {
            Err(Fault::usage(format!("{other:?} is no level")).hint("write warning, error or critical"))
        }
    }
}

impl PrePush {
    fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.hook_store()?;
        let level = level(self.fail_on.as_deref(), store.setting("datum.prePushLevel").as_deref())?;
        let (updates, remote) = self.updates(store)?;
        self.refuse_sealed(store, &updates, &remote)?;
        #[cfg(feature = "vault")]
        let any = updates.iter().any(|update| update.local.is_some());
        #[cfg(feature = "vault")]
        let sought = any.then(|| super::vault::sought(edge, out)).flatten();
        #[cfg(feature = "vault")]
        let report = match &sought {
            Some(sought) => store.outgoing_secrets(&updates, &remote, Some(&|text| sought.find(text)))?,
            None => store.outgoing_secrets(&updates, &remote, None)?,
        };
        #[cfg(not(feature = "vault"))]
        let report = store.outgoing_secrets(&updates, &remote, None)?;
        for file in &report.unread {
            out.warn(&format!("not looked at: {file}"));
        }
        if out.is_json() {
            out.json(
                &serde_json::json!({ "version": 1, "commits": report.commits, "findings": report.found }),
            );
        }
        let told = report.found.iter().map(|found| (place(found), &found.finding));
        let count = tell(out, level, told);
        if count == 0 {
            return Ok(Exit::Done);
        }
        if edge::variable("DATUM_ALLOW_SECRETS").is_some() {
            out.warn("DATUM_ALLOW_SECRETS is set: the push goes on");
            return Ok(Exit::Done);
        }
        let what = if count == 1 { "a secret".to_owned() } else { format!("{count} secrets") };
        let mut fault = Fault::usage(format!("the push is refused: it carries {what}")).hint(
            "take it out of these commits (git commit --amend, git rebase -i) and replace it where it is used; a line \
             meant to hold it says datum:allow-secret; DATUM_ALLOW_SECRETS=1 or --no-verify pushes all the same",
        );
        fault.exit = Exit::No;
        Err(fault)
    }

    /// Refuses the vault's logs and access records to a remote that is not marked for them.
    fn refuse_sealed(&self, store: &Store, updates: &[Update], remote: &str) -> Result<(), Fault> {
        if store.takes_sealed(remote) || self.url.as_deref().is_some_and(|url| store.takes_sealed(url)) {
            return Ok(());
        }
        let Some((id, kind)) = store.outgoing_sealed(updates, remote)?.into_iter().next() else {
            return Ok(());
        };
        let at = crate::record::short(id);
        let mut fault = Fault::usage(format!("the push is refused: it carries a log of kind {kind} ({at})"))
            .hint(format!(
                "datum vault share {remote} marks the remote for the vault and its access records"
            ));
        fault.exit = Exit::No;
        Err(fault)
    }

    /// What is pushed, and where to: from the option, from git's lines, or from what pre-commit and prek tell instead.
    fn updates(&self, store: &Store) -> Result<(Vec<Update>, String), Fault> {
        let remote = self.remote.clone().or_else(|| self.url.clone());
        let remote = remote.or_else(|| edge::variable("PRE_COMMIT_REMOTE_NAME")).unwrap_or_default();
        if let Some(range) = &self.range {
            return Ok((vec![store.update_of(range)?], remote));
        }
        let mut updates = outgoing::parse(&read_input()?)?;
        if updates.is_empty()
            && let Some(to) = edge::variable("PRE_COMMIT_TO_REF")
        {
            let from =
                edge::variable("PRE_COMMIT_FROM_REF").filter(|id| id.bytes().any(|digit| digit != b'0'));
            let range = from.map_or(to.clone(), |from| format!("{from}..{to}"));
            updates.push(store.update_of(&range)?);
        }
        Ok((updates, remote))
    }
}

fn place(found: &Found) -> String {
    let at = crate::record::short(found.commit);
    let path = found.path.as_deref().unwrap_or("its message");
    format!("{path}:{}:{} in {at}", found.finding.line, found.finding.column)
}

/// Tells the findings of `level` and above, a few of them, and answers with their number.
fn tell<'f>(out: &Out, level: Level, found: impl Iterator<Item = (String, &'f secret::Finding)>) -> usize {
    const SHOWN: usize = 20;
    let mut count = 0;
    for (place, finding) in found.filter(|(_, finding)| finding.level >= level) {
        count += 1;
        if count <= SHOWN {
            out.warn(&format!("{place}: {}, {} [{}]", finding.what, finding.redacted, finding.rule));
        }
    }
    if count > SHOWN {
        out.warn(&format!("and {} more", count - SHOWN));
    }
    count
}

impl Scan {
    fn run(&self, out: &mut Out) -> Result<Exit, Fault> {
        let level = level(self.fail_on.as_deref(), None)?;
        let mut found = Vec::new();
        for path in &self.paths {
            scan_path(path, out, &mut found)?;
        }
        if out.is_json() {
            let shown: Vec<_> = found
                .iter()
                .map(|(path, finding)| serde_json::json!({ "path": path, "finding": finding }))
                .collect();
            out.json_list("findings", &shown);
        } else {
            for (path, finding) in &found {
                let at = format!("{path}:{}:{}", finding.line, finding.column);
                out.line(&format!("{at}: {}, {} [{}]", finding.what, finding.redacted, finding.rule));
            }
        }
        let any = found.iter().any(|(_, finding)| finding.level >= level);
        Ok(if any { Exit::No } else { Exit::Done })
    }
}

/// Looks at a file, or at all files below a folder but those in `.git`; links are not followed.
fn scan_path(root: &Path, out: &Out, found: &mut Vec<(String, secret::Finding)>) -> Result<(), Fault> {
    let cannot =
        |path: &Path, error: io::Error| Fault::usage(format!("cannot read {}: {error}", path.display()));
    let mut stack = vec![root.to_owned()];
    while let Some(path) = stack.pop() {
        let about = std::fs::symlink_metadata(&path).map_err(|error| cannot(&path, error))?;
        if about.is_dir() {
            let items = std::fs::read_dir(&path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            let mut items: Vec<_> =
                items.map_err(|error| cannot(&path, error))?.iter().map(DirEntry::path).collect();
            items.retain(|item| item.file_name().is_none_or(|name| name != ".git"));
            items.sort();
            stack.extend(items.into_iter().rev());
        } else if about.is_file() {
            if usize::try_from(about.len()).map_or(true, |size| size > secret::SIZE_MAX) {
                out.warn(&format!(
                    "not looked at: {} is larger than {} MB",
                    path.display(),
                    secret::SIZE_MAX >> 20
                ));
                continue;
            }
            let bytes = std::fs::read(&path).map_err(|error| cannot(&path, error))?;
            let shown = path.to_string_lossy().into_owned();
            found.extend(secret::scan(&shown, &bytes).into_iter().map(|finding| (shown.clone(), finding)));
        }
    }
    Ok(())
}

impl From<outgoing::Error> for Fault {
    fn from(error: outgoing::Error) -> Self {
        let message = error.to_string();
        match error {
            outgoing::Error::Line { .. } | outgoing::Error::Revision(_) => Self::usage(message),
            outgoing::Error::Walk(_) | outgoing::Error::Object(_) => {
                Self::broken(message).hint("git fsck looks for damage; git push --no-verify passes the check")
            }
        }
    }
}
