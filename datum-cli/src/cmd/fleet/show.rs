//! Reports as Markdown and as one page of HTML.

use super::text;
use crate::html::{escape, page};
use crate::time;
use datum_core::Millis;
use datum_core::hygiene::{Counts, Health, Language, Level, Report, Row, Trend};
use std::fmt::Write as _;

/// Languages shown by name; the rest are one line.
const LANGUAGES: usize = 12;

fn title(report: &Report) -> String {
    format!("Fleet report: {}", report.organization)
}

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
    let all: u64 = languages.iter().map(|language| language.bytes).fold(0, u64::saturating_add).max(1);
    let share = |bytes: u64| {
        let tenths = u128::from(bytes) * 1000 / u128::from(all);
        format!("{}.{} %", tenths / 10, tenths % 10)
    };
    let mut rows: Vec<_> = languages
        .iter()
        .take(LANGUAGES)
        .map(|language| (language.name.clone(), share(language.bytes), language.repositories))
        .collect();
    if let Some(rest) = languages.get(LANGUAGES..).filter(|rest| !rest.is_empty()) {
        let bytes = rest.iter().map(|language| language.bytes).fold(0, u64::saturating_add);
        rows.push((format!("{} others", rest.len()), share(bytes), 0));
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

/// Text in a cell of a Markdown table, without what Markdown or HTML would read as its own.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '[' | ']' | '#' => out.extend(['\\', c]),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// The report as Markdown.
pub(super) fn markdown(report: &Report) -> String {
    let mut out = format!("# {}\n\n{}\n", cell(&title(report)), cell(&scope(report)));
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    if let Some(trend) = &report.trend {
        line(format!("\n## Since {}\n", time::show(trend.since)));
        line("| Health | Now | Then | Change |\n|---|--:|--:|--:|".to_owned());
        for (name, now, was) in compare(&report.counts, &trend.counts) {
            line(format!("| {name} | {now} | {was} | {} |", change(now, was)));
        }
        for (heading, names) in lists(trend).into_iter().filter(|(_, names)| !names.is_empty()) {
            line(format!("\n{heading}: {}", cell(&names.join(", "))));
        }
    }
    if !report.history.is_empty() {
        line(
            "\n## Trend\n\n| Scan | Green | Yellow | Red | Dead | Unknown |\n|---|--:|--:|--:|--:|--:|"
                .to_owned(),
        );
        for (time, counts) in points(report) {
            let Counts { green, yellow, red, dead, unknown } = counts;
            line(format!("| {} | {green} | {yellow} | {red} | {dead} | {unknown} |", time::show(time)));
        }
    }
    if !report.issues.is_empty() {
        line("\n## Top issues\n\n| Repositories | Level | What |\n|--:|---|---|".to_owned());
        for issue in &report.issues {
            line(format!("| {} | {} | {} |", issue.count, level(issue.level), cell(&issue.says)));
        }
    }
    if !report.recommendations.is_empty() {
        line("\n## Recommendations\n".to_owned());
        report.recommendations.iter().for_each(|text| line(format!("- {}", cell(text))));
    }
    if !report.languages.is_empty() {
        line("\n## Languages\n\n| Language | Share | Repositories |\n|---|--:|--:|".to_owned());
        for (name, share, count) in shares(&report.languages) {
            line(format!("| {} | {share} | {} |", cell(&name), number(count)));
        }
    }
    line("\n## Repositories\n\n| Health | Repository | Last commit | Why |\n|---|---|---|---|".to_owned());
    for row in &report.repositories {
        let (health, name, why) = (row.health.as_str(), cell(&row.name), cell(&reasons(row)));
        line(format!("| {health} | {name} | {} | {why} |", day(row.committed)));
    }
    if !report.unknown.is_empty() || report.unlisted > 0 {
        line("\n## Unknown\n".to_owned());
        report.unknown.iter().for_each(|one| line(format!("- {}: {}", cell(&one.name), cell(&one.why))));
        if report.unlisted > 0 {
            line(format!("- {} more that no page listed", report.unlisted));
        }
    }
    out
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

/// The report as one page of HTML.
pub(super) fn html(report: &Report) -> String {
    let mut out = format!("<p>{}</p>\n{}", escape(&scope(report)), bar(&report.counts));
    if let Some(trend) = &report.trend {
        let _ = writeln!(out, "<h2>Since {}</h2>", time::show(trend.since));
        let rows = compare(&report.counts, &trend.counts).into_iter().map(|(name, now, was)| {
            format!(
                "<tr><td class=\"{name}\">{name}</td>{}{}{}</tr>",
                count(now),
                count(was),
                right(&change(now, was))
            )
        });
        out += &table(&["Health", "#Now", "#Then", "#Change"], rows);
        for (heading, names) in lists(trend).into_iter().filter(|(_, names)| !names.is_empty()) {
            let _ = writeln!(out, "<p><b>{heading}:</b> {}</p>", escape(&names.join(", ")));
        }
    }
    if !report.history.is_empty() {
        out += "<h2>Trend</h2>\n";
        let rows = points(report).into_iter().map(|(time, counts)| {
            let numbers: String = Health::ALL.into_iter().map(|health| count(counts.of(health))).collect();
            format!("<tr><td>{}</td>{numbers}{}</tr>", time::show(time), count(counts.unknown))
        });
        out += &table(&["Scan", "#Green", "#Yellow", "#Red", "#Dead", "#Unknown"], rows);
    }
    if !report.issues.is_empty() {
        out += "<h2>Top issues</h2>\n";
        let rows = report.issues.iter().map(|issue| {
            let level = level(issue.level);
            let (says, names) = (escape(&issue.says), escape(&issue.repositories.join(", ")));
            let what = format!("<details><summary>{says}</summary>{names}</details>");
            format!("<tr>{}<td class=\"{level}\">{level}</td><td>{what}</td></tr>", count(issue.count))
        });
        out += &table(&["#Repositories", "Level", "What"], rows);
        out += "<h2>Recommendations</h2>\n<ul>\n";
        for text in &report.recommendations {
            let _ = writeln!(out, "<li>{}</li>", escape(text));
        }
        out += "</ul>\n";
    }
    if !report.languages.is_empty() {
        out += "<h2>Languages</h2>\n";
        let rows = shares(&report.languages).into_iter().map(|(name, share, repositories)| {
            format!("<tr><td>{}</td>{}{}</tr>", escape(&name), right(&share), right(&number(repositories)))
        });
        out += &table(&["Language", "#Share", "#Repositories"], rows);
    }
    out += "<h2>Repositories</h2>\n";
    let rows = report.repositories.iter().map(|row| {
        let (health, name, why) = (row.health.as_str(), escape(&row.name), escape(&reasons(row)));
        let committed = day(row.committed);
        format!(
            "<tr><td class=\"{health}\">{health}</td><td>{name}</td><td>{committed}</td><td>{why}</td></tr>"
        )
    });
    out += &table(&["Health", "Repository", "Last commit", "Why"], rows);
    if !report.unknown.is_empty() || report.unlisted > 0 {
        out += "<h2>Unknown</h2>\n<ul>\n";
        for one in &report.unknown {
            let _ = writeln!(out, "<li>{}: {}</li>", escape(&one.name), escape(&one.why));
        }
        if report.unlisted > 0 {
            let _ = writeln!(out, "<li>{} more that no page listed</li>", report.unlisted);
        }
        out += "</ul>\n";
    }
    page(&title(report), &out)
}

fn bar(counts: &Counts) -> String {
    let part = |health: Health| {
        let (name, count) = (health.as_str(), counts.of(health));
        format!("<i class=\"{name}\" style=\"flex-grow: {count}\" title=\"{count} {name}\"></i>")
    };
    format!("<div class=\"bar\">{}</div>\n", Health::ALL.map(part).concat())
}

fn count(number: u64) -> String {
    right(&number.to_string())
}

fn right(text: &str) -> String {
    format!("<td class=\"n\">{}</td>", escape(text))
}

/// A table; a heading that begins with `#` stands over numbers.
fn table(headings: &[&str], rows: impl Iterator<Item = String>) -> String {
    let heading = |text: &&str| match text.strip_prefix('#') {
        Some(text) => format!("<th class=\"n\">{text}</th>"),
        None => format!("<th>{text}</th>"),
    };
    let head: String = headings.iter().map(heading).collect();
    let rows: Vec<String> = rows.collect();
    format!("<table>\n<tr>{head}</tr>\n{}\n</table>\n", rows.join("\n"))
}
