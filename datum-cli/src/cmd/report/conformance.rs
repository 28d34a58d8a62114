//! `datum report conformance`: every standard, rule by rule.

use super::Common;
use super::parts::{answers, counts, rules};
use crate::cmd::audit::look::{self, Looker};
use crate::cmd::audit::what::What;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::page::Page;
use crate::profile::share;
use crate::time;
use datum_core::Millis;
use datum_core::audit::{Answer, Outcome, Report, Type};
use serde_json::json;
use std::path::PathBuf;

/// Reports on how far a vessel keeps every standard: workshop, vessel, dockside and hygiene.
///
/// What git cannot decide is unknown and counts neither for nor against. To fail on findings is `datum audit`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum report conformance
  datum report conformance ../tern --format html --output tern.html
  datum report conformance --at v1.0 --format json")]
pub(super) struct Conformance {
    /// The repository [default: this one]
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// Report on this revision instead of HEAD
    #[arg(long, value_name = "REV")]
    at: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl Conformance {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let now = edge.now()?;
        let what = What::of(Type::Conformance);
        let looker = Looker { what: &what, at: self.at.as_deref(), worktree: false, deep: false, now };
        let (root, report) = match &self.path {
            None => {
                let store = edge.store()?;
                (
                    store.work_dir().unwrap_or_else(|| store.common_dir()).to_owned(),
                    looker.look(store)?.report,
                )
            }
            Some(path) => (path.clone(), looker.look(&look::open(path)?)?.report),
        };
        let root = root.canonicalize().unwrap_or(root);
        let name =
            root.file_name().map_or_else(|| ".".to_owned(), |name| name.to_string_lossy().into_owned());
        let json = json!({ "version": 1, "report": "conformance", "time": time::iso(now), "name": name, "audit": report });
        self.common.tell(edge, out, &page(&name, &report, now), &json)?;
        Ok(if report.is_broken() { Exit::Broken } else { Exit::Done })
    }
}

/// The pack of a rule: what its id has before the `/`.
fn pack(outcome: &Outcome) -> &str {
    outcome.rule.split('/').next().unwrap_or_default()
}

/// How much holds of what could be decided.
fn held(outcomes: &[&Outcome]) -> String {
    let count = |answer| outcomes.iter().filter(|outcome| outcome.answer == answer).count() as u64;
    let (pass, fail) = (count(Answer::Pass), count(Answer::Fail));
    if pass + fail == 0 { "nothing decided".to_owned() } else { share(pass, pass + fail) }
}

fn page(name: &str, report: &Report, now: Millis) -> Page {
    let mut page = Page::new(format!("Conformance report: {name}"));
    let commit = report.commit.as_deref().map_or("an empty repository", |id| id.get(..12).unwrap_or(id));
    page.text(format!("{commit}, reported {}. {}", time::show(now), counts(report)));
    let mut packs: Vec<&str> = Vec::new();
    for outcome in &report.rules {
        if !packs.contains(&pack(outcome)) {
            packs.push(pack(outcome));
        }
    }
    let of = |name: &str| report.rules.iter().filter(|outcome| pack(outcome) == name).collect::<Vec<_>>();
    let row = |name: &str, outcomes: &[&Outcome]| {
        let count = |answer| outcomes.iter().filter(|outcome| outcome.answer == answer).count().to_string();
        let numbers =
            [Answer::Pass, Answer::Fail, Answer::Unknown, Answer::Skipped].map(|answer| count(answer).into());
        [&[name.into()], &numbers[..], &[held(outcomes).into()]].concat()
    };
    let all: Vec<&Outcome> = report.rules.iter().collect();
    page.chart(answers("All rules by answer", &all));
    let rows: Vec<_> = packs.iter().map(|name| row(name, &of(name))).collect();
    page.table(&["Standard", "#Pass", "#Fail", "#Unknown", "#Skipped", "#Held of decided"], rows);
    page.list(report.notes.iter().cloned());
    for name in packs {
        let outcomes = of(name);
        page.heading(name);
        page.chart(answers(&format!("Rules of {name} by answer"), &outcomes));
        let mut sections: Vec<u8> = outcomes.iter().filter_map(|outcome| outcome.section).collect();
        sections.sort_unstable();
        sections.dedup();
        if !sections.is_empty() {
            let rows = sections.iter().map(|section| {
                let of: Vec<&Outcome> =
                    outcomes.iter().filter(|one| one.section == Some(*section)).copied().collect();
                row(&format!("section {section}"), &of)
            });
            page.table(&["Section", "#Pass", "#Fail", "#Unknown", "#Skipped", "#Held of decided"], rows);
        }
        rules(&mut page, &outcomes, true);
    }
    page
}
