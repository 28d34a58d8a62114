//! `datum audit`: asks the rules, of one repository or of many.

mod diff;
pub(crate) mod fleet;
mod lists;
pub(crate) mod look;
pub(crate) mod what;

use crate::args::Asked;
use crate::audit_view::{Audited, github, json, junit, md, sarif, text};
use crate::cmd::fleet::vessels::vessels;
use crate::cmd::sync::budget;
use crate::edge::{Edge, variable};
use crate::fault::{Exit, Fault};
use crate::out::Out;
use clap::Subcommand;
use datum_core::Kind;
use datum_core::audit::{self, Level, Type};
use fleet::{Reach, Target};
use look::Looker;
use std::io::Write as _;
use std::path::PathBuf;
use what::{LevelArg, What, level};

/// Audits a repository by rules: pass, fail or unknown.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  datum audit                                 # the structure of this workshop
  datum audit --type conformance --all        # every standard, with what passes
  datum audit --type vessel --at v1.2         # another revision; no work tree is needed
  datum audit --pack hygiene --format sarif --output datum.sarif
  datum audit --baseline main --fail-on warning  # only what is new since main
  datum audit --type fleet --root ~/fleet     # every repository below a folder
  datum audit --type fleet --fleet            # every vessel of the fleet list, wherever it is
  datum audit --type vessel --deep            # every file and the whole history, for secrets
  datum audit --org SuperInstance             # an organisation as datum fleet scan found it
  datum audit --record                        # keep the report; datum audit diff compares two
  datum audit rules                           # what is asked, and why

Packs: workshop, vessel (the git-agent standard), dockside (the fleet's exam), hygiene.
Types: workshop = workshop; vessel and fleet = vessel, hygiene; conformance = all four.

A vessel's datum.toml changes what is asked:
  [audit]
  fail-on = \"warning\"
  push = \"error\"               what the pre-push hook asks; critical by default, or off
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

In CI, anywhere: datum audit --type vessel --format github (or sarif, junit with --output FILE).
On GitHub: uses: SuperInstance/datum@main, as action.yml in this project says.

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
    /// Look at every file and the whole history for secrets, however large they are
    #[arg(long)]
    deep: bool,
    /// Show rules that pass or do not apply, too
    #[arg(long)]
    all: bool,
    /// Audit every repository below DIR
    #[arg(long, value_name = "DIR")]
    root: Vec<PathBuf>,
    /// Audit every vessel of the fleet list; those elsewhere are fetched for a moment
    #[arg(long)]
    fleet: bool,
    /// Give each vessel elsewhere this long
    #[arg(long, value_name = "TIME", default_value = "60s")]
    budget: String,
    /// Audit an organisation by its newest datum fleet scan, asking GitHub for nothing
    #[arg(long, value_name = "ORG", conflicts_with_all = ["paths", "path", "at", "worktree", "baseline", "record", "root"])]
    org: Option<String>,
    /// Audit so many repositories at once [default: one a processor]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
}

#[derive(Debug, Subcommand)]
enum Sub {
    /// Show what appeared and what went between two recorded audits or revisions
    Diff(diff::Diff),
    /// List the rules that would be asked
    #[command(after_help = "Examples:\n  datum audit rules\n  datum audit rules --type vessel --format json")]
    Rules(What),
    /// List the recorded audits, newest first
    #[command(after_help = "Examples:\n  datum audit list\n  datum audit list --format json")]
    List,
}

impl Audit {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        match &self.command {
            Some(Sub::Diff(command)) => return command.run(edge, out),
            Some(Sub::Rules(what)) => return lists::rules(what, edge, out),
            Some(Sub::List) => return lists::list(edge, out),
            None => {}
        }
        if let Some(org) = &self.org {
            let fails_on = self.fail_on.map_or(Level::Error, level);
            return super::fleet::audit(edge, out, org, fails_on, self.output.as_deref());
        }
        if edge.asked() == Asked::Html {
            return Err(Fault::usage("an audit is not printed as html")
                .hint("datum report conformance --format html"));
        }
        let now = edge.now()?;
        let looker = Looker {
            what: &self.what,
            at: self.at.as_deref(),
            worktree: self.worktree,
            deep: self.deep,
            now,
        };
        let paths: Vec<PathBuf> = self.paths.iter().chain(&self.path).cloned().collect();
        let all = if self.what.kind() == Type::Fleet || self.fleet || !self.root.is_empty() || paths.len() > 1
        {
            self.many(edge, &looker, &paths, out)?
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

    fn many(
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
        let none = paths.is_empty() && self.root.is_empty() && !self.fleet;
        let roots = if none { vec![edge.dir()] } else { self.root.clone() };
        for root in &roots {
            let below = fleet::repositories(root)?;
            if below.is_empty() {
                return Err(Fault::usage(format!("no git repository below {}", root.display())));
            }
            found.extend(below);
        }
        let mut targets: Vec<_> = found.into_iter().map(Target::Path).collect();
        let mut reach = Reach::Nowhere;
        if self.fleet {
            let vessels = vessels(edge.store()?)?;
            if vessels.is_empty() {
                return Err(Fault::usage("no vessel is known").hint("datum fleet add NAME URL adds one"));
            }
            targets.extend(vessels.into_values().map(Target::of));
            reach = Reach::Budget(edge.opening(), budget(&self.budget)?);
        }
        Ok(fleet::audit(looker, &targets, &reach, self.jobs, out))
    }

    fn keep(&self, edge: &Edge<'_>, report: &audit::Report, out: &Out) -> Result<(), Fault> {
        let draft = audit::draft(report)?;
        let stamp = edge.stamp()?;
        let applied = edge.store()?.note(Kind::Audit, &stamp, &[draft])?;
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
            Asked::Sarif => json::pretty(&sarif::log(all)),
            Asked::Junit => junit::print(all),
            Asked::Json => json::pretty(&json::print(all, many)),
            Asked::Ndjson => json::lines(all),
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
