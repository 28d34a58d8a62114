//! `datum report fleet`: the clones below a folder, what they are, share and lack.

use super::Common;
use super::parts::{activity, languages};
use crate::chart::Chart;
use crate::cmd::analyze::comparisons;
use crate::cmd::audit::fleet::repositories;
use crate::cmd::audit::look::{self, Looker};
use crate::cmd::audit::what::What;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::page::{Cell, Page};
use crate::profile::{Profiler, Whole, bytes, day, share, thousands};
use crate::time;
use datum_core::Millis;
use datum_core::audit::{Level, Report, Type};
use serde_json::json;
use std::path::PathBuf;

/// Reports on the clones below a folder: profiles, what they share, and what the fleet's rules find.
///
/// One that cannot be read does not stop the rest: it is named, and the exit code is 3.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum report fleet --root ~/fleet
  datum report fleet --root ~/fleet --format html --output fleet.html
  datum report fleet ../heron ../tern --format json

An organisation's repositories as GitHub has them: datum fleet scan, then datum fleet report.")]
pub(super) struct Fleet {
    /// Repositories to report on
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Report on every repository below DIR [default: the folder the command runs in, where no PATH is given]
    #[arg(long, value_name = "DIR")]
    root: Vec<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// One repository of the fleet.
struct Member {
    whole: Whole,
    audit: Report,
}

impl Fleet {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let now = edge.now()?;
        let mut paths = self.paths.clone();
        let roots =
            if paths.is_empty() && self.root.is_empty() { vec![edge.dir()] } else { self.root.clone() };
        for root in &roots {
            let found = repositories(root)?;
            if found.is_empty() {
                return Err(Fault::usage(format!("no git repository below {}", root.display()))
                    .hint("--root names the folder that holds the clones"));
            }
            paths.extend(found);
        }
        let what = What::of(Type::Fleet);
        let (mut members, mut unread) = (Vec::new(), Vec::new());
        for (at, path) in paths.iter().enumerate() {
            out.progress(at, paths.len());
            let name = roots.iter().find_map(|root| path.strip_prefix(root).ok()).unwrap_or(path);
            let name = if name.as_os_str().is_empty() { path } else { name }.display().to_string();
            let look = || -> Result<Member, Fault> {
                let store = look::open(path)?;
                let whole = Profiler { at: None, quick: false, now }.of(&store, &name)?;
                let audit =
                    Looker { what: &what, at: None, worktree: false, deep: false, now }.look(&store)?.report;
                Ok(Member { whole, audit })
            };
            match look() {
                Ok(member) => members.push(member),
                Err(fault) => unread.push((name, fault.message)),
            }
        }
        out.progress_end();
        let (wholes, audits): (Vec<Whole>, Vec<Report>) =
            members.into_iter().map(|member| (member.whole, member.audit)).unzip();
        let repositories: Vec<_> = wholes
            .iter()
            .zip(&audits)
            .map(|(whole, audit)| json!({ "profile": whole.json(), "audit": { "counts": audit.counts } }))
            .collect();
        let unread_json: Vec<_> =
            unread.iter().map(|(path, why)| json!({ "path": path, "why": why })).collect();
        let mut json = json!({
            "version": 1, "report": "fleet", "time": time::iso(now), "repositories": repositories, "unread": unread_json,
        });
        for (what, found) in comparisons(&wholes) {
            json[what] = json!({ "shared": found.shared });
        }
        self.common.tell(edge, out, &page(&wholes, &audits, &unread, now), &json)?;
        for (name, why) in &unread {
            out.warn(&format!("{name}: {why}"));
        }
        let broken =
            !unread.is_empty() || wholes.iter().any(Whole::is_broken) || audits.iter().any(Report::is_broken);
        Ok(if broken { Exit::Broken } else { Exit::Done })
    }
}

/// The worst that was found, in the colour of it.
fn health(audit: &Report) -> Cell {
    match audit.counts.open.iter().filter(|(_, count)| **count > 0).map(|(level, _)| *level).max() {
        None => Cell::toned("green", "green"),
        Some(Level::Info | Level::Warning) => Cell::toned("yellow", "yellow"),
        Some(Level::Error | Level::Critical) => Cell::toned("red", "red"),
    }
}

fn page(wholes: &[Whole], audits: &[Report], unread: &[(String, String)], now: Millis) -> Page {
    let mut page = Page::new("Fleet report");
    let sum = |of: fn(&Whole) -> u64| wholes.iter().map(of).fold(0, u64::saturating_add);
    page.text(format!(
        "{} {}, {} files, {}, {} lines, {} commits; reported {}.",
        wholes.len(),
        if wholes.len() == 1 { "repository" } else { "repositories" },
        thousands(sum(|whole| whole.tally.files)),
        bytes(sum(|whole| whole.tally.bytes)),
        thousands(sum(|whole| whole.tally.counted.lines)),
        thousands(sum(|whole| whole.profile.past.commits)),
        time::show(now)
    ));
    page.heading("Repositories");
    let mut sized: Vec<(&String, u64)> =
        wholes.iter().map(|whole| (&whole.name, whole.tally.counted.lines)).collect();
    sized.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let bars = sized
        .iter()
        .take(20)
        .map(|(name, lines)| ((*name).clone(), *lines, format!("{} lines", thousands(*lines))));
    page.chart(Chart::Bars { says: "The largest repositories by lines".to_owned(), rows: bars.collect() });
    let rows = wholes.iter().zip(audits).map(|(whole, audit)| {
        let (past, profile) = (&whole.profile.past, &whole.profile);
        let main = whole.languages().first().map(|(name, count)| {
            let (own, all) = whole.weight(count);
            format!("{name} {}", share(own, all))
        });
        let fresh = profile.declared.as_ref().and_then(|declared| declared.freshness.lag_days);
        let declared = match (&profile.declared, fresh) {
            (None, _) => "none".to_owned(),
            (_, Some(days)) => format!("{days} d behind"),
            _ => "age unknown".to_owned(),
        };
        let row: [Cell; 10] = [
            health(audit),
            (&whole.name).into(),
            main.unwrap_or_default().into(),
            thousands(whole.tally.counted.lines).into(),
            thousands(past.commits).into(),
            past.last.map(day).unwrap_or_default().into(),
            share(past.i2i, past.commits).into(),
            format!("{}/{}", whole.parts().len(), profile.structure.len()).into(),
            profile.bottles.all.to_string().into(),
            declared.into(),
        ];
        row.to_vec()
    });
    page.table(
        &[
            "Health",
            "Repository",
            "Language",
            "#Lines",
            "#Commits",
            "!Last",
            "#I2I",
            "#Structure",
            "#Bottles",
            "!Declaration",
        ],
        rows,
    );
    page.text("Green: the fleet's rules find nothing; yellow: warnings; red: errors. What git cannot decide counts for nothing.");
    languages(&mut page, wholes);
    page.heading("Activity");
    activity(&mut page, wholes);
    page.heading("In common");
    for (what, found) in comparisons(wholes) {
        let shared = if found.shared.is_empty() { "nothing".to_owned() } else { found.shared.join(", ") };
        page.named(format!("Shared {what}"), shared);
        let alone =
            wholes.iter().zip(&found.alone).filter(|(_, names)| !names.is_empty() && wholes.len() > 1);
        page.list(alone.map(|(whole, names)| format!("only {}: {}", whole.name, names.join(", "))));
    }
    let mut failed: std::collections::BTreeMap<(&str, &str), Vec<&str>> = std::collections::BTreeMap::new();
    for (whole, audit) in wholes.iter().zip(audits) {
        for outcome in audit.rules.iter().filter(|outcome| outcome.answer == datum_core::audit::Answer::Fail)
        {
            failed.entry((&outcome.rule, &outcome.reason)).or_default().push(&whole.name);
        }
    }
    if !failed.is_empty() {
        page.heading("What fails most");
        let mut rows: Vec<_> = failed.into_iter().collect();
        rows.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then(a.0.cmp(&b.0)));
        let rows = rows.into_iter().take(25).map(|((rule, reason), names)| {
            vec![names.len().to_string().into(), rule.into(), Cell::opening(reason, names.join(", "))]
        });
        page.table(&["#Repositories", "/Rule", "Why it is asked"], rows);
    }
    if !unread.is_empty() {
        page.heading("Unknown");
        page.list(unread.iter().map(|(name, why)| format!("{name}: {why}")));
    }
    page
}
