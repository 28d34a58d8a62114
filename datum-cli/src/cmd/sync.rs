//! `datum sync`: brings the logs here and at another repository to the same state.

use crate::cmd::bottle::send::sync_outboxes;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::time;
use datum_core::sync::{Fork, LogName, Options, Report};
use datum_core::{AgentName, Kind, Snapshot, Stamp, Store, task};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// Brings the logs here and at another repository to the same state.
///
/// Logs of other writers are fetched, checked and moved forward; this clone's, and those it carries for others, are
/// pushed, never by force. Branches, tags and the remote's configuration are left alone.
///
/// Exit: 0 done; 1 the other side refused a log; 3 it could not be reached or time ran out.
#[derive(Debug, clap::Args)]
#[command(after_help = "Settings:
  datum.sync.kinds   the kinds that travel: 'all', or some of agent audit bottle journal task vault
                     [default: all but vault; all for a marked remote]

The vault's logs and access records leave only for a remote that is marked for them: datum vault share REMOTE.

Examples:
  datum sync
  datum sync origin --budget 10s
  datum sync https://example.org/vessel.git --kinds journal,bottle
  datum sync --dry-run --format json
  datum sync --branch agent/oracle1-logs
  datum sync --bundle logs.bundle")]
pub(crate) struct Sync {
    /// A remote's name, an address or a path [default: the branch's remote, or origin]
    remote: Option<String>,
    /// Stop after this long; what was done stays done
    #[arg(long, value_name = "TIME", default_value = "2m")]
    budget: String,
    /// Tell what would travel; fetch, move and push nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// The kinds that travel, with commas between [default: datum.sync.kinds]
    #[arg(long, value_name = "KINDS")]
    kinds: Option<String>,
    /// Write all logs into a bundle file instead, to be carried by hand and taken in by datum absorb
    #[arg(long, value_name = "FILE", conflicts_with_all = ["remote", "dry_run"])]
    bundle: Option<PathBuf>,
    /// Put the vault's logs and access records into the bundle too
    #[arg(long, requires = "bundle")]
    sealed: bool,
    /// Travel by this branch of the remote alone, where refs/datum/ is refused; datum absorb takes it in elsewhere
    #[arg(long, value_name = "NAME", conflicts_with = "bundle")]
    branch: Option<String>,
}

/// What `--kinds` or the setting says.
pub(crate) fn options(store: &Store, kinds: Option<&str>) -> Result<Options, Fault> {
    let setting = store.setting("datum.sync.kinds");
    Options::of_setting(kinds.or(setting.as_deref())).map_err(|word| {
        let all = Kind::ALL.map(Kind::as_str).join(", ");
        Fault::usage(format!("{word:?} is no kind of log")).hint(format!("the kinds are {all}"))
    })
}

/// The kinds that a sync sends to `remote` unless others are asked for.
pub(crate) fn leaving(store: &Store, remote: &str) -> Result<Vec<Kind>, Fault> {
    let options = options(store, None)?;
    Ok(match (store.takes_sealed(remote), store.setting("datum.sync.kinds")) {
        (true, None) => Kind::ALL.to_vec(),
        (true, Some(_)) => options.kinds,
        (false, _) => options.going(),
    })
}

/// Who syncs: the agent, or where none is declared the program itself, since a sync writes no entries.
pub(crate) fn stamp(edge: &Edge<'_>) -> Result<Stamp, Fault> {
    match edge.stamp() {
        Ok(stamp) => Ok(stamp),
        Err(_) => Ok(Stamp::new(AgentName::new("datum")?, edge.now()?)),
    }
}

/// Reads a time budget.
pub(crate) fn budget(text: &str) -> Result<Duration, Fault> {
    let budget = time::parse_length(text).map(Duration::from_millis).filter(|budget| !budget.is_zero());
    budget.ok_or_else(|| {
        Fault::usage(format!("--budget: {text:?} is no length of time")).hint("write 10s, 2m or 1h")
    })
}

/// The location as git is to see it: a path counts from here.
pub(crate) fn location(edge: &Edge<'_>, text: &str) -> String {
    let path = edge.dir().join(text);
    let is_name = edge.store().is_ok_and(|store| store.setting(&format!("remote.{text}.url")).is_some());
    match path.canonicalize() {
        Ok(path) if !is_name && !text.is_empty() => path.to_string_lossy().into_owned(),
        _ => text.to_owned(),
    }
}

impl Sync {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.store()?;
        let mut options = Options { dry_run: self.dry_run, ..options(store, self.kinds.as_deref())? };
        let budget = budget(&self.budget)?;
        if let Some(file) = &self.bundle {
            if self.sealed {
                self.unseal(store, &mut options);
            }
            return bundle(store, out, file, &options, budget);
        }
        let named = match &self.remote {
            Some(text) => location(edge, text),
            None => store.default_remote().ok_or_else(|| {
                Fault::usage("no remote to sync with")
                    .hint("name one: datum sync URL, or git remote add origin URL")
            })?,
        };
        if store.takes_sealed(&named) {
            self.unseal(store, &mut options);
        }
        let remote = store.remote(&named, budget)?;
        let stamp = stamp(edge)?;
        let before = store.snapshot()?;
        let report = match &self.branch {
            Some(branch) => store.sync_branch(&stamp, &remote, branch, &options)?,
            None => store.sync(&stamp, &remote, &options)?,
        };
        let exit = tell(out, &named, &report, self.dry_run);
        tell_losers(edge, out, &before, &report)?;
        let exit = exit?;
        if self.dry_run {
            return Ok(exit);
        }
        // What waits for other vessels goes with it; each vessel is told by its own name.
        let (_, delivered) = sync_outboxes(edge, out, &stamp, budget)?;
        Ok(if delivered == Exit::Done { exit } else { delivered })
    }
}

impl Sync {
    /// Lets every kind leave; where none was asked for, all of them do.
    fn unseal(&self, store: &Store, options: &mut Options) {
        options.stays.clear();
        if self.kinds.is_none() && store.setting("datum.sync.kinds").is_none() {
            options.kinds = Kind::ALL.to_vec();
        }
    }
}

fn bundle(
    store: &Store,
    out: &mut Out,
    file: &std::path::Path,
    options: &Options,
    budget: Duration,
) -> Result<Exit, Fault> {
    let path =
        std::path::absolute(file).map_err(|error| Fault::usage(format!("{}: {error}", file.display())))?;
    let logs = store.bundle(&path, options, budget)?;
    if out.is_json() {
        out.json(&json!({ "version": 1, "bundle": file.display().to_string(), "logs": logs }));
    } else {
        out.line(&format!("{}: {logs} logs", file.display()));
    }
    Ok(Exit::Done)
}

fn name(log: &LogName) -> String {
    format!("{}/{}", log.0, log.1)
}

/// Tells what came and went, and what did not.
pub(crate) fn tell(out: &mut Out, from: &str, report: &Report, dry_run: bool) -> Result<Exit, Fault> {
    if out.is_json() {
        out.json(&shown(from, report, dry_run));
    } else {
        tell_text(out, report, dry_run);
    }
    if !report.stayed.is_empty() {
        let logs: Vec<_> = report.stayed.iter().map(name).collect();
        out.say(&format!("stays here: {} (datum vault share marks a remote for it)", logs.join(", ")));
    }
    for refused in report.refused.iter().filter(|refused| !refused.by_them) {
        out.warn(&format!("{}: not taken: {}", name(&refused.log), refused.why));
    }
    if let Some(first) = report.odd.first() {
        let first: String = first.chars().take(100).collect();
        out.warn(&format!(
            "{} refs there are no logs and were left alone, such as {first}",
            report.odd.len()
        ));
    }
    for fork in &report.forks {
        out.warn(&format!("{}: goes two ways; the other one is kept as {}", name(&fork.log), fork.kept));
    }
    if let Some(why) = &report.kept_there {
        out.warn(&format!("{from} keeps the refs of logs that were adopted: {why}"));
    }
    if let Some(error) = &report.trouble {
        return Err(Fault::from(error));
    }
    let refused = report.refused.iter().any(|refused| refused.by_them);
    Ok(if refused { Exit::No } else { Exit::Done })
}

/// Says which tasks the agents of this clone have no more, by what has just come.
pub(crate) fn tell_losers(
    edge: &Edge<'_>,
    out: &mut Out,
    before: &Snapshot<'_>,
    report: &Report,
) -> Result<(), Fault> {
    if !report.came.iter().any(|moved| moved.log.0 == Kind::Task) {
        return Ok(());
    }
    let store = edge.store()?;
    let after = store.snapshot()?;
    for (task, had) in task::taken_over(store, before, &after, edge.now()?)? {
        let now = match &task.hold {
            Some(hold) => format!("{} has it now, under claim {}", hold.agent, hold.fence),
            None => format!("it is {} now", task.state.as_str()),
        };
        let alias = task.alias();
        out.warn(&format!(
            "{alias}: {} had it under claim {}; {now}: datum task show {alias}",
            had.agent, had.fence
        ));
    }
    Ok(())
}

fn tell_text(out: &mut Out, report: &Report, dry_run: bool) {
    let entries = |count: Option<u64>| match count {
        None => String::new(),
        Some(1) => " 1 entry".to_owned(),
        Some(count) => format!(" {count} entries"),
    };
    let would = if dry_run { "would " } else { "" };
    for moved in &report.came {
        let verb = if dry_run { "come" } else { "came" };
        out.line(&format!("{would}{verb} {}{}", name(&moved.log), entries(moved.entries)));
    }
    for moved in &report.went {
        let verb = if dry_run { "go" } else { "went" };
        out.line(&format!("{would}{verb} {}{}", name(&moved.log), entries(moved.entries)));
    }
    for adoption in &report.adopted {
        let verb = match (dry_run, adoption.came) {
            (false, true) => "came",
            (false, false) => "went",
            (true, true) => "would come",
            (true, false) => "would go",
        };
        let logs = if adoption.logs == 0 { String::new() } else { format!("{} ", adoption.logs) };
        let (kind, adopter) = (adoption.kind, &adoption.adopter);
        out.line(&format!("{verb} {logs}{kind} logs adopted by {adopter}"));
    }
    for again in &report.again {
        let to = name(&(again.from.0, again.to.clone()));
        out.line(&format!("again {} as {to}{}", name(&again.from), entries(Some(again.ids.len() as u64))));
    }
    for refused in report.refused.iter().filter(|refused| refused.by_them) {
        out.line(&format!("refused {}: {}", name(&refused.log), refused.why));
    }
    let moved = !(report.came.is_empty() && report.went.is_empty() && report.adopted.is_empty());
    if !moved && report.trouble.is_none() {
        out.say("nothing to bring or to take");
    }
}

fn shown(from: &str, report: &Report, dry_run: bool) -> Value {
    let moved = |list: &[datum_core::sync::Moved]| -> Vec<Value> {
        list.iter().map(|moved| json!({ "log": name(&moved.log), "entries": moved.entries })).collect()
    };
    let refused: Vec<_> = report
        .refused
        .iter()
        .map(|refused| {
            let by = if refused.by_them { from } else { "here" };
            json!({ "log": name(&refused.log), "by": by, "why": refused.why })
        })
        .collect();
    let forks: Vec<_> = report
        .forks
        .iter()
        .map(|fork| json!({ "log": name(&fork.log), "ours": fork.ours, "theirs": fork.theirs, "kept": fork.kept }))
        .collect();
    let adopted: Vec<_> = report
        .adopted
        .iter()
        .map(|one| {
            let way = if one.came { "came" } else { "went" };
            json!({ "adopter": one.adopter.as_str(), "kind": one.kind.as_str(), "logs": one.logs, "way": way })
        })
        .collect();
    let again: Vec<_> = report
        .again
        .iter()
        .map(|again| {
            let ids: Vec<_> = again.ids.iter().map(|(old, new)| json!({ "old": old, "new": new })).collect();
            json!({ "log": name(&again.from), "to": name(&(again.from.0, again.to.clone())), "ids": ids })
        })
        .collect();
    let trouble = report.trouble.as_ref().map(|error| {
        json!({ "kind": format!("{:?}", error.trouble).to_lowercase(), "doing": error.doing, "message": error.message })
    });
    json!({
        "version": 1,
        "remote": from,
        "dry_run": dry_run,
        "logs_there": report.theirs,
        "came": moved(&report.came),
        "went": moved(&report.went),
        "refused": refused,
        "stayed": report.stayed.iter().map(name).collect::<Vec<_>>(),
        "forks": forks,
        "adopted": adopted,
        "again": again,
        "odd_refs": report.odd.len(),
        "trouble": trouble,
    })
}

/// What `status` says of other clones.
pub(crate) struct Travel {
    forks: Vec<Fork>,
    remote: Option<String>,
    /// Logs there, and those that are not the same here; `None` if it was not asked.
    there: Option<(usize, usize)>,
    /// There is no log here yet.
    empty: bool,
}

impl Travel {
    /// Looks here, and with `ask` at the remote too.
    pub(crate) fn of(store: &Store, empty: bool, ask: bool) -> Result<Self, Fault> {
        let remote = store.default_remote();
        let there = match &remote {
            Some(name) if ask => Some(store.logs_at(&store.remote(name, Duration::from_secs(20))?)?),
            _ => None,
        };
        Ok(Self { forks: store.forks()?, remote, there, empty })
    }

    /// What there is to say, line by line; nothing where all is in order.
    pub(crate) fn lines(&self) -> Vec<String> {
        let fork = |fork: &Fork| {
            format!("fork     {} goes two ways; the other one is {}", name(&fork.log), fork.kept)
        };
        let mut lines: Vec<String> = self.forks.iter().map(fork).collect();
        match (self.there, &self.remote) {
            (Some((_, 0)), Some(remote)) => lines.push(format!("remote   {remote} holds nothing new")),
            (Some((logs, other)), Some(remote)) => lines.push(format!(
                "remote   {remote} holds {logs} datum logs, {other} of them not as they are here: run datum sync"
            )),
            (None, Some(remote)) if self.empty => {
                lines.push(format!("remote   {remote} was not asked: run datum sync, or datum status --remote"));
            }
            _ => {}
        }
        lines
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "remote": self.remote,
            "logs_there": self.there.map(|(logs, _)| logs),
            "logs_not_here": self.there.map(|(_, other)| other),
            "forks": self.forks.iter().map(|fork| json!({ "log": name(&fork.log), "kept": fork.kept })).collect::<Vec<_>>(),
        })
    }
}
