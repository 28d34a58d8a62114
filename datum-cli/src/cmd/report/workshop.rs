//! `datum report workshop`: one workshop on one page.

use super::Common;
use super::parts::{activity, answers, counts, languages, rules};
use crate::chart::{Chart, Part};
use crate::cmd::analyze::bottles;
use crate::cmd::audit::look::Looker;
use crate::cmd::audit::what::What;
use crate::cmd::capability::age;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::page::{Cell, Page};
use crate::profile::{Profiler, Whole, bytes, day, share, thousands};
use crate::time;
use datum_core::audit::{self, Type};
use datum_core::bottle::{self, Bottle};
use datum_core::task;
use datum_core::{Entry, Millis, Snapshot, journal};
use serde_json::json;
use std::collections::BTreeMap;

/// Entries of the journal that are shown.
const JOURNAL: usize = 15;
/// Authors that are shown.
const AUTHORS: usize = 15;

/// Reports on this workshop: what it is, what was done, what waits, and what the audit finds.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum report workshop
  datum report workshop --format html --output report.html
  datum report workshop --at v1.0 --format json | jq .profile.languages")]
pub(super) struct Workshop {
    /// Report on this revision instead of HEAD
    #[arg(long, value_name = "REV")]
    at: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Everything a report is made of.
struct Facts {
    whole: Whole,
    audit: audit::Report,
    journal: Vec<Entry>,
    overdue: Vec<Bottle>,
    tasks: BTreeMap<&'static str, u64>,
}

impl Workshop {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let (store, now) = (edge.store()?, edge.now()?);
        let name = store.work_dir().unwrap_or_else(|| store.common_dir()).to_owned();
        let name = name.canonicalize().unwrap_or(name);
        let name =
            name.file_name().map_or_else(|| ".".to_owned(), |name| name.to_string_lossy().into_owned());
        let at = self.at.as_deref();
        let whole = Profiler { at, quick: false, now }.of(store, &name)?;
        let audit = Looker { what: &What::of(Type::Workshop), at, worktree: false, deep: false, now }
            .look(store)?
            .report;
        let snapshot = store.survey(at)?.snapshot;
        let query = journal::Query { limit: Some(JOURNAL), ..journal::Query::default() };
        let facts = Facts {
            whole,
            audit,
            journal: journal::list(&snapshot, &query, |_| true),
            overdue: bottle::inbox(&snapshot)?
                .bottles
                .into_iter()
                .filter(|bottle| bottle.is_overdue(now))
                .collect(),
            tasks: tasks(&snapshot, now),
        };
        self.common.tell(edge, out, &facts.page(now), &facts.json(now))?;
        out.damage(&snapshot.damage());
        let broken = facts.whole.is_broken() || facts.audit.is_broken();
        Ok(if broken { Exit::Broken } else { Exit::Done })
    }
}

fn tasks(snapshot: &Snapshot<'_>, now: Millis) -> BTreeMap<&'static str, u64> {
    let mut states = BTreeMap::new();
    for task in task::fold(snapshot).all() {
        *states.entry(task.status(now).as_str()).or_default() += 1;
    }
    states
}

impl Facts {
    fn json(&self, now: Millis) -> serde_json::Value {
        let entry = |entry: &Entry| {
            json!({
                "id": entry.id, "time": time::iso(entry.clock), "agent": entry.agent,
                "category": entry.trailer(journal::CATEGORY), "text": entry.text(),
            })
        };
        let overdue = |bottle: &Bottle| json!({ "id": bottle.id, "from": bottle.from, "to": bottle.to, "subject": bottle.subject });
        json!({
            "version": 1, "report": "workshop", "time": time::iso(now), "profile": self.whole.json(), "audit": self.audit,
            "journal": self.journal.iter().map(entry).collect::<Vec<_>>(),
            "overdue": self.overdue.iter().map(overdue).collect::<Vec<_>>(), "tasks": self.tasks,
        })
    }

    fn page(&self, now: Millis) -> Page {
        let mut page = Page::new(format!("Workshop report: {}", self.whole.name));
        let (profile, past) = (&self.whole.profile, &self.whole.profile.past);
        let commit = profile
            .commit
            .map_or_else(|| "no commit yet".to_owned(), |id| format!("commit {}", id.short(12)));
        page.text(format!("{commit}, reported {}.", time::show(now)));
        self.glance(&mut page);
        languages(&mut page, std::slice::from_ref(&self.whole));
        page.heading("Activity");
        activity(&mut page, std::slice::from_ref(&self.whole));
        if past.shallow {
            page.text("The clone is shallow: older commits are not here.");
        }
        let authors = past.authors.iter().take(AUTHORS).map(|author| {
            let share = share(author.commits, past.commits);
            let row: [Cell; 6] = [
                (&author.name).into(),
                (&author.email).into(),
                thousands(author.commits).into(),
                share.into(),
                day(author.first).into(),
                day(author.last).into(),
            ];
            row.to_vec()
        });
        if past.commits > 0 {
            page.table(&["Author", "Address", "#Commits", "#Share", "!First", "!Last"], authors);
        }
        if past.authors.len() > AUTHORS {
            page.text(format!("And {} more.", past.authors.len() - AUTHORS));
        }
        self.work(&mut page);
        self.declared(&mut page);
        page.heading("Structure");
        let parts = profile.structure.iter().map(|(part, there)| {
            let there = if *there { Cell::toned("there", "green") } else { Cell::toned("not there", "dead") };
            vec![(*part).into(), there]
        });
        page.table(&["Part", "State"], parts);
        match &self.whole.tools {
            Ok(tools) if !tools.is_empty() => {
                page.heading("Tools");
                let rows = tools.iter().map(|tool| {
                    vec![
                        (&tool.name).into(),
                        tool.category.into(),
                        (&tool.path).into(),
                        (&tool.description).into(),
                    ]
                });
                page.table(&["Tool", "List", "Path", "What it does"], rows);
            }
            Ok(_) => {}
            Err(why) => page.text(format!("The tools cannot be read: {why}")),
        }
        page.heading("Audit");
        page.text(counts(&self.audit));
        let outcomes: Vec<_> = self.audit.rules.iter().collect();
        page.chart(answers("Rules of the workshop by answer", &outcomes));
        rules(&mut page, &outcomes, false);
        page.list(self.audit.notes.iter().cloned());
        page
    }

    fn glance(&self, page: &mut Page) {
        let Whole { profile, tally, .. } = &self.whole;
        let past = &profile.past;
        let span = past.first.zip(past.last).map(|(first, last)| format!("{} to {}", day(first), day(last)));
        let entries: Vec<String> =
            profile.entries.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let rows = [
            ("Files", format!("{}, {}", thousands(tally.files), bytes(tally.bytes))),
            ("Lines", thousands(tally.counted.lines)),
            (
                "Commits",
                format!("{}, {}", thousands(past.commits), span.unwrap_or_else(|| "none yet".to_owned())),
            ),
            ("Authors", thousands(past.authors.len() as u64)),
            (
                "I2I share",
                format!("{} of {} commits, {}", past.i2i, past.commits, share(past.i2i, past.commits)),
            ),
            ("Bottles", bottles(&self.whole)),
            ("Entries", if entries.is_empty() { "none".to_owned() } else { entries.join(", ") }),
        ];
        page.table(
            &["!What", "How much"],
            rows.into_iter().map(|(name, text)| vec![name.into(), text.into()]),
        );
    }

    fn work(&self, page: &mut Page) {
        page.heading("Work");
        if self.tasks.is_empty() {
            page.text("No tasks.");
        } else {
            let tone = |state: &str| match state {
                "done" => "green",
                "blocked" => "red",
                "in-progress" => "c0",
                "review" => "c1",
                "cancelled" => "dead",
                _ => "yellow",
            };
            let part = |(state, count): (&&'static str, &u64)| {
                Part::new(format!("{count} {state}"), *count, tone(state))
            };
            page.chart(Chart::Stack {
                says: "Tasks by state".to_owned(),
                parts: self.tasks.iter().map(part).collect(),
            });
            let words: Vec<String> =
                self.tasks.iter().map(|(state, count)| format!("{count} {state}")).collect();
            page.named("Tasks", words.join(", "));
        }
        let states = self.whole.profile.bottles.states.iter();
        let tone = |state: &str| match state {
            "unread" => "yellow",
            "read" => "c0",
            "acknowledged" => "c1",
            _ => "green",
        };
        let parts = states
            .map(|(state, count)| Part::new(format!("{count} {state}"), *count as u64, tone(state)))
            .collect();
        page.chart(Chart::Stack { says: "Bottles by state".to_owned(), parts });
        page.named("Bottles", bottles(&self.whole));
        page.list(self.overdue.iter().map(|bottle| {
            format!("overdue: {} to {}: {}", bottle.id.short(12), bottle.to.join(", "), bottle.subject)
        }));
        if !self.journal.is_empty() {
            let rows = self.journal.iter().map(|entry| {
                let category = entry.trailer(journal::CATEGORY).unwrap_or("-");
                vec![
                    time::show(entry.clock).into(),
                    (&entry.agent).into(),
                    category.into(),
                    (&entry.subject).into(),
                ]
            });
            page.table(&["!Time", "Agent", "Category", "Journal"], rows);
        }
    }

    fn declared(&self, page: &mut Page) {
        page.heading("Capabilities");
        let Some(declared) = &self.whole.profile.declared else {
            page.text("There is no CAPABILITY.toml.");
            return;
        };
        page.text(format!(
            "CAPABILITY.toml {}; {} errors, {} warnings.",
            age(&declared.freshness),
            declared.errors,
            declared.warnings
        ));
        let Some(reading) = &declared.reading else { return };
        let skills = &reading.capability.skills;
        let percent = |skill: &datum_core::capability::Skill| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 0 to 1")]
            skill.confidence.map(|confidence| (confidence.get() * 100.0).round() as u64)
        };
        let bars = skills
            .iter()
            .filter_map(|(name, skill)| Some((name.clone(), percent(skill)?, skill.confidence?.to_string())));
        page.chart(Chart::Bars { says: "Confidence by capability".to_owned(), rows: bars.collect() });
        let rows = skills.iter().map(|(name, skill)| {
            let sure = skill.confidence.map(|confidence| confidence.to_string()).unwrap_or_default();
            vec![name.into(), sure.into(), skill.description.clone().unwrap_or_default().into()]
        });
        page.table(&["Capability", "#Confidence", "What it is"], rows);
    }
}
