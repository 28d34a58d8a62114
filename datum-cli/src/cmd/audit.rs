//! `datum audit`: asks the rules, of one repository or of many.

mod diff;
mod fleet;
mod look;

use crate::args::{Asked, Format};
use crate::audit_view::{Audited, github, junit, md, sarif, text};
use crate::edge::{Edge, variable};
use crate::fault::{Exit, Fault};
use crate::out::Out;
use clap::{Subcommand, ValueEnum};
use datum_core::audit::{self, Level, Pack, Type};
use datum_core::{Kind, StoreError};
use look::Looker;
use std::io::Write as _;
use std::path::PathBuf;

/// Audits a repository by rules: pass, fail or unknown.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  datum audit                                   the structure of this workshop
  datum audit --type conformance --all          every standard, with what passes
  datum audit --type vessel --at v1.2           another revision; no work tree is needed
  datum audit --pack hygiene --format sarif --output datum.sarif
  datum audit --baseline main --fail-on warning only what is new since main
  datum audit --type fleet --root ~/fleet       every repository below a folder
  datum audit --record                          keep the report; datum audit diff compares two
  datum audit rules                             what is asked, and why

Packs: workshop, vessel (the git-agent standard), dockside (the fleet's exam), hygiene.
Types: workshop = workshop; vessel and fleet = vessel, hygiene; conformance = all four.

A vessel's datum.toml changes what is asked:
  [audit]
  fail-on = \"warning\"
  levels = { \"hygiene/tags\" = \"off\", \"vessel/skills\" = \"error\" }
  [[audit.suppress]]
  rule = \"hygiene/changelog\"
  reason = \"first release is in May\"
  until = 2026-06-01
  [[audit.rule]]
  id = \"mine/runbook\"
  level = \"error\"
  reason = \"whoever is woken at night needs a runbook\"
  where = { has = [\"deploy\"] }
  probe.exists = { any = [\"docs/RUNBOOK.md\"], filled = true }

Exit code: 0 no finding at or above --fail-on, 1 there is one, 2 wrong use or a bad rule file,
3 something could not be looked at. What git cannot decide is unknown and fails nothing."
)]
pub(crate) struct Audit {
    #[command(subcommand)]
    command: Option<Sub>,
    /// Repositories to audit [default: this one]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The same as PATH
    #[arg(long = "path", value_name = "PATH", hide = true)]
    path: Vec<PathBuf>,
    #[command(flatten)]
    what: What,
    /// Audit this revision instead of HEAD
    #[arg(long, value_name = "REV", conflicts_with = "worktree")]
    at: Option<String>,
    /// Audit the files as they are in the work tree, committed or not
    #[arg(long)]
    worktree: bool,
    /// Fail on findings of this level and above: info, warning, error, critical [default: error]
    #[arg(long, value_name = "LEVEL", hide_possible_values = true)]
    fail_on: Option<LevelArg>,
    /// Fail only on what is new since a revision or a recorded audit
    #[arg(long, value_name = "REV|AUDIT")]
    baseline: Option<String>,
    /// Keep the report in the audit log
    #[arg(long)]
    record: bool,
    /// Write the result to FILE
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show rules that pass or do not apply, too
    #[arg(long)]
    all: bool,
    /// Audit every repository below DIR
    #[arg(long, value_name = "DIR")]
    root: Vec<PathBuf>,
    /// Audit so many repositories at once [default: one a processor]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
}

/// Which rules are asked.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct What {
    /// What the audit is for: workshop, conformance, vessel or fleet
    #[arg(long = "type", value_name = "TYPE", default_value = "workshop", hide_possible_values = true)]
    kind: TypeArg,
    /// Ask the rules of this pack instead: workshop, vessel, dockside or hygiene (repeatable)
    #[arg(long, value_name = "PACK", hide_possible_values = true)]
    pack: Vec<PackArg>,
    /// Ask only this rule, or pack/* (repeatable)
    #[arg(long, value_name = "ID")]
    rule: Vec<String>,
    /// Do not read the vessel's datum.toml
    #[arg(long)]
    no_config: bool,
}

#[derive(Debug, Subcommand)]
enum Sub {
    /// Show what appeared and what went between two recorded audits or revisions
    Diff(diff::Diff),
    /// List the rules that would be asked
    Rules(What),
    /// List the recorded audits, newest first
    List,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TypeArg {
    Workshop,
    Conformance,
    Vessel,
    Fleet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PackArg {
    Workshop,
    Vessel,
    Dockside,
    Hygiene,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LevelArg {
    Info,
    Warning,
    Error,
    Critical,
}

impl What {
    /// The type of the audit.
    pub(crate) fn kind(&self) -> Type {
        match self.kind {
            TypeArg::Workshop => Type::Workshop,
            TypeArg::Conformance => Type::Conformance,
            TypeArg::Vessel => Type::Vessel,
            TypeArg::Fleet => Type::Fleet,
        }
    }

    fn packs(&self) -> Vec<Pack> {
        if self.pack.is_empty() {
            return self.kind().packs().to_vec();
        }
        let chosen = |pack: &PackArg| match pack {
            PackArg::Workshop => Pack::Workshop,
            PackArg::Vessel => Pack::Vessel,
            PackArg::Dockside => Pack::Dockside,
            PackArg::Hygiene => Pack::Hygiene,
        };
        self.pack.iter().map(chosen).collect()
    }
}

impl Audit {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        match &self.command {
            Some(Sub::Diff(command)) => return command.run(edge, out),
            Some(Sub::Rules(what)) => return rules(what, edge, out),
            Some(Sub::List) => return list(edge, out),
            None => {}
        }
        if edge.asked() == Asked::Html {
            return Err(Fault::usage("an audit is not printed as html")
                .hint("datum report conformance --format html"));
        }
        let now = edge.now()?;
        let looker = Looker { what: &self.what, at: self.at.as_deref(), worktree: self.worktree, now };
        let paths: Vec<PathBuf> = self.paths.iter().chain(&self.path).cloned().collect();
        let all = if self.what.kind() == Type::Fleet || !self.root.is_empty() || paths.len() > 1 {
            self.fleet(edge, &looker, &paths, out)?
        } else {
            let mut one = match paths.first() {
                None => looker.look(edge.store()?)?,
                Some(path) => looker.look(&look::open(path)?)?,
            };
            let path = paths.first().map_or_else(|| ".".to_owned(), |path| path.display().to_string());
            if let Some(baseline) = &self.baseline {
                let store = match paths.first() {
                    None => edge.store()?,
                    Some(path) => &look::open(path)?,
                };
                let known = audit::keys(&looker.report(store, baseline)?);
                audit::mark_known(&mut one.report, &known);
            }
            if self.record {
                self.keep(edge, &one.report, out)?;
            }
            let fails_on = self.fail_on.map(level).or(one.fail_on).unwrap_or(Level::Error);
            let exit = exit(&one.report, fails_on);
            self.print(&[Audited { path, report: Ok(one.report) }], edge, out)?;
            return Ok(exit);
        };
        let mut worst = Exit::Done;
        for audited in &all {
            let fails_on = self.fail_on.map_or(Level::Error, level);
            let this = audited.report.as_ref().map_or(Exit::Broken, |report| exit(report, fails_on));
            worst = if this as u8 > worst as u8 { this } else { worst };
        }
        self.print(&all, edge, out)?;
        Ok(worst)
    }

    fn fleet(
        &self,
        edge: &Edge<'_>,
        looker: &Looker<'_>,
        paths: &[PathBuf],
        out: &Out,
    ) -> Result<Vec<Audited>, Fault> {
        if self.record || self.baseline.is_some() {
            return Err(Fault::usage("--record and --baseline are for one repository")
                .hint("audit each by itself, with -C"));
        }
        let mut found = paths.to_vec();
        let roots =
            if paths.is_empty() && self.root.is_empty() { vec![edge.dir()] } else { self.root.clone() };
        for root in &roots {
            let below = fleet::repositories(root)?;
            if below.is_empty() {
                return Err(Fault::usage(format!("no git repository below {}", root.display())));
            }
            found.extend(below);
        }
        Ok(fleet::audit(looker, &found, self.jobs, out))
    }

    fn keep(&self, edge: &Edge<'_>, report: &audit::Report, out: &Out) -> Result<(), Fault> {
        let draft = audit::draft(report)?;
        let stamp = edge.stamp()?;
        let applied = edge.store()?.apply::<StoreError>(Kind::Audit, &stamp, |_| Ok(vec![draft.clone()]))?;
        for id in &applied.ids {
            out.say(&format!("recorded as {}", crate::record::short(*id)));
        }
        Ok(())
    }

    fn print(&self, all: &[Audited], edge: &Edge<'_>, out: &mut Out) -> Result<(), Fault> {
        for note in
            all.iter().filter_map(|audited| audited.report.as_ref().ok()).flat_map(|report| &report.notes)
        {
            if note.starts_with("EXPIRED") {
                out.warn(note);
            }
        }
        let many = all.len() > 1;
        let text = match edge.asked() {
            Asked::Text | Asked::Html => {
                if self.output.is_some() {
                    all.iter().map(md::print).collect::<Vec<_>>().join("\n")
                } else {
                    for audited in all {
                        if many && !self.all {
                            text::print_line(out, audited);
                        } else {
                            text::print(out, audited, self.all);
                        }
                    }
                    return Ok(());
                }
            }
            Asked::Md => all.iter().map(md::print).collect::<Vec<_>>().join("\n"),
            Asked::Sarif => pretty(&sarif::log(all)),
            Asked::Junit => junit::print(all),
            Asked::Json => pretty(&json(all, many)),
            Asked::Ndjson => lines(all),
            Asked::Github => {
                if let Some(path) = variable("GITHUB_STEP_SUMMARY") {
                    let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
                    let written =
                        file.and_then(|mut file| file.write_all(github::step_summary(all).as_bytes()));
                    written.map_err(|error| {
                        Fault::broken(format!("cannot write the step summary {path}: {error}"))
                    })?;
                }
                github::annotations(all)
            }
        };
        match &self.output {
            None => out.raw(text.as_bytes()),
            Some(path) => {
                let failed = |error| Fault::broken(format!("cannot write {}: {error}", path.display()));
                std::fs::write(path, &text).map_err(failed)?;
                out.say(&format!("written to {}", path.display()));
            }
        }
        Ok(())
    }
}

fn level(level: LevelArg) -> Level {
    match level {
        LevelArg::Info => Level::Info,
        LevelArg::Warning => Level::Warning,
        LevelArg::Error => Level::Error,
        LevelArg::Critical => Level::Critical,
    }
}

/// What could not be looked at outranks what was found: the answer is not whole.
fn exit(report: &audit::Report, fails_on: Level) -> Exit {
    if report.is_broken() {
        Exit::Broken
    } else if report.fails(fails_on) {
        Exit::No
    } else {
        Exit::Done
    }
}

fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

fn json(all: &[Audited], many: bool) -> serde_json::Value {
    let one = |audited: &Audited| match &audited.report {
        Ok(report) => serde_json::to_value(report).unwrap_or_default(),
        Err(fault) => serde_json::json!({ "version": 1, "error": fault.message }),
    };
    if !many {
        return all.first().map(one).unwrap_or_default();
    }
    let reports: Vec<_> = all
        .iter()
        .map(|audited| {
            serde_json::json!({
                "path": audited.path,
                "answer": audited.report.as_ref().map_or("unknown", text::worst),
                "report": one(audited),
            })
        })
        .collect();
    serde_json::json!({ "version": 1, "reports": reports })
}

/// One rule's outcome a line.
fn lines(all: &[Audited]) -> String {
    let mut out = String::new();
    for audited in all {
        let mut line = |value: &serde_json::Value| {
            out.push_str(&value.to_string());
            out.push('\n');
        };
        match &audited.report {
            Ok(report) => {
                for outcome in &report.rules {
                    let mut value = serde_json::json!({ "version": 1, "path": audited.path });
                    if let (Some(object), Ok(serde_json::Value::Object(more))) =
                        (value.as_object_mut(), serde_json::to_value(outcome))
                    {
                        object.extend(more);
                    }
                    line(&value);
                }
            }
            Err(fault) => {
                line(&serde_json::json!({ "version": 1, "path": audited.path, "error": fault.message }));
            }
        }
    }
    out
}

fn rules(what: &What, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
    let now = edge.now()?;
    let looker = Looker { what, at: None, worktree: false, now };
    // Outside a repository the rules are those that are built in.
    let book = match edge.store() {
        Ok(store) => looker.book(store)?,
        Err(_) => looker.built_in()?,
    };
    if out.is_json() {
        let rules: Vec<_> = book
            .rules()
            .map(|rule| {
                serde_json::json!({
                    "id": rule.id(),
                    "level": rule.level(),
                    "reason": rule.reason(),
                    "fix": rule.fix(),
                })
            })
            .collect();
        out.json_list("rules", &rules);
        return Ok(Exit::Done);
    }
    if out.format() == Format::Md {
        out.line("| Rule | Level | Why | Remedy |\n|---|---|---|---|");
    }
    for rule in book.rules() {
        let line = if out.format() == Format::Md {
            let cells = [rule.id(), rule.level().as_str(), rule.reason(), rule.fix()].map(md::cell);
            format!("| {} |", cells.join(" | "))
        } else {
            format!("{:<9}{:<28} {}", rule.level().as_str(), rule.id(), out.dim(rule.reason()))
        };
        out.line(&line);
    }
    Ok(Exit::Done)
}

fn list(edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
    let snapshot = edge.store()?.snapshot()?;
    let recorded = audit::recorded(&snapshot, usize::MAX);
    if out.is_json() {
        let audits: Vec<_> = recorded
            .iter()
            .map(|kept| {
                serde_json::json!({
                    "id": kept.id, "time": crate::time::iso(kept.clock), "agent": kept.agent,
                    "audit": kept.report.audit, "commit": kept.report.commit, "counts": kept.report.counts,
                })
            })
            .collect();
        out.json_list("audits", &audits);
    } else {
        for kept in &recorded {
            let line = format!(
                "{} {} {} {}",
                out.id(&crate::record::short(kept.id)),
                out.dim(&crate::time::show(kept.clock)),
                kept.agent,
                kept.subject
            );
            out.line(&line);
        }
        if recorded.is_empty() {
            out.say("no audit is recorded; datum audit --record keeps one");
        }
    }
    out.damage(&snapshot.damage());
    Ok(Exit::Done)
}
