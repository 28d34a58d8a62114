//! Reports of an organisation as pages.

use super::text;
use crate::chart::{Chart, Part};
use crate::page::{Cell, Page};
use crate::time;
use datum_core::Millis;
use datum_core::hygiene::{Counts, Health, Language, Level, Report, Row, Trend};
use std::fmt::Write as _;

/// Languages shown by name; the rest are one line.
const LANGUAGES: usize = 12;

/// What is counted and what is not, in a sentence.
fn scope(report: &Report) -> String {
    let judged = report.repositories.len();
    let mut text =
        format!("{judged} repositories on {}: {}", time::show(report.time), text::counts(&report.counts));
    let _ = write!(
        text,
        "; left out: {} archived, {} forks, {} by the filter",
        report.archived, report.forks, report.filtered
    );
    if !report.filter.is_empty() {
        let _ = write!(text, " ({})", report.filter);
    }
    text + "."
}

fn change(now: u64, was: u64) -> String {
    match now.cmp(&was) {
        std::cmp::Ordering::Greater => format!("+{}", now - was),
        std::cmp::Ordering::Less => format!("−{}", was - now),
        std::cmp::Ordering::Equal => "±0".to_owned(),
    }
}

/// The lists of a trend, each with its heading.
fn lists(trend: &Trend) -> [(&'static str, &[String]); 4] {
    [("Better", &trend.better), ("Worse", &trend.worse), ("New", &trend.new), ("Gone", &trend.gone)]
}

fn shares(languages: &[Language]) -> Vec<(String, String, u64)> {
    let all: u64 = languages.iter().map(|language| language.bytes).fold(0, u64::saturating_add);
    let mut rows: Vec<_> = languages
        .iter()
        .take(LANGUAGES)
        .map(|language| {
            (language.name.clone(), crate::profile::share(language.bytes, all), language.repositories)
        })
        .collect();
    if let Some(rest) = languages.get(LANGUAGES..).filter(|rest| !rest.is_empty()) {
        let bytes = rest.iter().map(|language| language.bytes).fold(0, u64::saturating_add);
        rows.push((format!("{} others", rest.len()), crate::profile::share(bytes, all), 0));
    }
    rows
}

fn reasons(row: &Row) -> String {
    row.reasons.iter().map(|reason| reason.rule.as_str()).collect::<Vec<_>>().join(", ")
}

fn day(time: Option<Millis>) -> String {
    time.map(|time| time::show(time)[..10].to_owned()).unwrap_or_default()
}

fn number(count: u64) -> String {
    if count == 0 { String::new() } else { count.to_string() }
}

fn compare(now: &Counts, was: &Counts) -> Vec<(&'static str, u64, u64)> {
    let mut rows: Vec<_> =
        Health::ALL.into_iter().map(|health| (health.as_str(), now.of(health), was.of(health))).collect();
    rows.push(("unknown", now.unknown, was.unknown));
    rows
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Note => "note",
        Level::Yellow => "yellow",
        Level::Red => "red",
        Level::Dead => "dead",
    }
}

fn points(report: &Report) -> Vec<(Millis, Counts)> {
    let mut points: Vec<_> = report.history.iter().map(|point| (point.time, point.counts)).collect();
    points.push((report.time, report.counts));
    points
}

/// The parts of a chart; the names say how many only where they stand for one scan.
fn parts(counts: &Counts, counted: bool) -> Vec<Part> {
    let part = |health: Health| {
        let (name, count) = (health.as_str(), counts.of(health));
        Part::new(if counted { format!("{count} {name}") } else { name.to_owned() }, count, name)
    };
    Health::ALL.map(part).to_vec()
}

/// The report as a page.
pub(super) fn page(report: &Report) -> Page {
    let mut page = Page::new(format!("Fleet report: {}", report.organization));
    page.text(scope(report));
    page.chart(Chart::Stack {
        says: "Repositories by health".to_owned(),
        parts: parts(&report.counts, true),
    });
    if let Some(trend) = &report.trend {
        page.heading(format!("Since {}", time::show(trend.since)));
        let rows = compare(&report.counts, &trend.counts).into_iter().map(|(name, now, was)| {
            vec![
                Cell::toned(name, name),
                now.to_string().into(),
                was.to_string().into(),
                change(now, was).into(),
            ]
        });
        page.table(&["Health", "#Now", "#Then", "#Change"], rows);
        for (heading, names) in lists(trend).into_iter().filter(|(_, names)| !names.is_empty()) {
            page.named(heading, names.join(", "));
        }
    }
    if !report.history.is_empty() {
        page.heading("Trend");
        let columns = points(report)
            .into_iter()
            .map(|(time, counts)| (day(Some(time)), parts(&counts, false)))
            .collect();
        page.chart(Chart::Columns {
            says: "Repositories by health, scan by scan".to_owned(),
            points: columns,
        });
        let rows = points(report).into_iter().map(|(time, counts)| {
            let Counts { green, yellow, red, dead, unknown } = counts;
            let numbers = [green, yellow, red, dead, unknown].map(|count| count.to_string().into());
            [&[time::show(time).into()], &numbers[..]].concat()
        });
        page.table(&["!Scan", "#Green", "#Yellow", "#Red", "#Dead", "#Unknown"], rows);
    }
    if !report.issues.is_empty() {
        page.heading("Top issues");
        let rows = report.issues.iter().map(|issue| {
            let what = Cell::opening(&issue.says, issue.repositories.join(", "));
            vec![issue.count.to_string().into(), Cell::toned(level(issue.level), level(issue.level)), what]
        });
        page.table(&["#Repositories", "Level", "What"], rows);
    }
    if !report.recommendations.is_empty() {
        page.heading("Recommendations");
        page.list(report.recommendations.iter().cloned());
    }
    if !report.languages.is_empty() {
        page.heading("Languages");
        let series = report.languages.iter().map(|language| (language.name.clone(), language.bytes));
        page.chart(Chart::Stack { says: "Languages by bytes".to_owned(), parts: Part::series(series) });
        let rows = shares(&report.languages)
            .into_iter()
            .map(|(name, share, repositories)| vec![name.into(), share.into(), number(repositories).into()]);
        page.table(&["Language", "#Share", "#Repositories"], rows);
    }
    page.heading("Repositories");
    let rows = report.repositories.iter().map(|row| {
        let health = row.health.as_str();
        vec![Cell::toned(health, health), (&row.name).into(), day(row.committed).into(), reasons(row).into()]
    });
    page.table(&["Health", "Repository", "!Last commit", "Why"], rows);
    if !report.unknown.is_empty() || report.unlisted > 0 {
        page.heading("Unknown");
        let more = (report.unlisted > 0).then(|| text::unlisted(report.unlisted, &report.unlisted_why));
        page.list(report.unknown.iter().map(|one| format!("{}: {}", one.name, one.why)).chain(more));
    }
    page
}
