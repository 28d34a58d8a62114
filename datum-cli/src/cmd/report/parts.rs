//! Parts that several reports have.

use crate::chart::{Chart, Part};
use crate::page::{Cell, Page};
use crate::profile::{Whole, bytes, share, thousands};
use datum_core::audit::{Answer, Level, Outcome, Report, State};
use std::collections::BTreeMap;

/// Languages shown by name.
pub(super) const LANGUAGES: usize = 16;
/// Months shown at most: ten years.
const MONTHS: usize = 120;

pub(super) fn tone(answer: Answer) -> &'static str {
    match answer {
        Answer::Pass => "green",
        Answer::Fail => "red",
        Answer::Unknown => "yellow",
        Answer::Skipped => "dead",
    }
}

pub(super) fn level_tone(level: Level) -> &'static str {
    match level {
        Level::Info => "dead",
        Level::Warning => "yellow",
        Level::Error | Level::Critical => "red",
    }
}

/// How many rules answered how, as a bar.
pub(super) fn answers(says: &str, outcomes: &[&Outcome]) -> Chart {
    let count = |answer| outcomes.iter().filter(|outcome| outcome.answer == answer).count() as u64;
    let all = [Answer::Pass, Answer::Fail, Answer::Unknown, Answer::Skipped];
    let part = |answer: Answer| {
        let count = count(answer);
        Part::new(format!("{} {}", count, answer.as_str()), count, tone(answer))
    };
    Chart::Stack { says: says.to_owned(), parts: all.map(part).to_vec() }
}

/// What a rule found, on one line, and the rest of it.
pub(super) fn what(outcome: &Outcome) -> Cell {
    let mark = |state| match state {
        State::Open => "",
        State::Known => " (known)",
        State::Suppressed => " (suppressed)",
    };
    let lines: Vec<String> = outcome
        .findings
        .iter()
        .map(|finding| {
            let place = match (&finding.path, finding.line) {
                (Some(path), Some(line)) => format!("{path}:{line}: "),
                (Some(path), None) => format!("{path}: "),
                _ => String::new(),
            };
            format!("{place}{}{}", finding.message, mark(finding.state))
        })
        .collect();
    let mut more: Vec<String> = Vec::new();
    let first = match lines.split_first() {
        Some((first, rest)) => {
            more.extend(rest.iter().cloned());
            let many = lines.len() + outcome.more - 1;
            if many > 0 { format!("{first} (and {many} more)") } else { first.clone() }
        }
        None if outcome.note.is_empty() => outcome.reason.clone(),
        None => outcome.note.clone(),
    };
    if outcome.answer == Answer::Fail && !outcome.fix.is_empty() {
        more.push(format!("fix: {}", outcome.fix));
    }
    if more.is_empty() { first.into() } else { Cell::opening(first, more.join("; ")) }
}

/// The rules that failed or could not be decided; all with `all`.
pub(super) fn rules(page: &mut Page, outcomes: &[&Outcome], all: bool) {
    let shown =
        outcomes.iter().filter(|outcome| all || matches!(outcome.answer, Answer::Fail | Answer::Unknown));
    let rows: Vec<_> = shown
        .map(|outcome| {
            vec![
                Cell::toned(outcome.answer.as_str(), tone(outcome.answer)),
                Cell::toned(
                    outcome.level.as_str(),
                    if outcome.answer == Answer::Fail { level_tone(outcome.level) } else { "dead" },
                ),
                (&outcome.rule).into(),
                what(outcome),
            ]
        })
        .collect();
    if !rows.is_empty() {
        page.table(&["!Answer", "!Level", "/Rule", "What"], rows);
    }
}

/// The numbers of an audit in a sentence.
pub(super) fn counts(report: &Report) -> String {
    let counts = &report.counts;
    let open: Vec<String> =
        counts.open.iter().rev().map(|(level, count)| format!("{count} {}", level.as_str())).collect();
    let open =
        if open.is_empty() { "no findings".to_owned() } else { format!("findings: {}", open.join(", ")) };
    format!(
        "{} pass, {} fail, {} unknown, {} skipped; {open}; {} suppressed.",
        counts.pass, counts.fail, counts.unknown, counts.skipped, counts.suppressed
    )
}

/// Languages as a bar and a table; of one repository or of several together.
pub(super) fn languages(page: &mut Page, wholes: &[Whole]) {
    let mut all: BTreeMap<&str, crate::lines::Count> = BTreeMap::new();
    for (name, count) in wholes.iter().flat_map(|whole| &whole.tally.languages) {
        all.entry(name).or_default().add(*count);
    }
    let mut rows: Vec<_> = all.into_iter().collect();
    rows.sort_by(|a, b| b.1.lines.cmp(&a.1.lines).then(a.0.cmp(b.0)));
    if rows.is_empty() {
        return;
    }
    let lines: u64 = rows.iter().map(|(_, count)| count.lines).sum();
    page.heading("Languages");
    let series = rows.iter().map(|(name, count)| ((*name).to_owned(), count.lines));
    page.chart(Chart::Stack { says: "Languages by lines".to_owned(), parts: Part::series(series) });
    let shown = rows.iter().take(LANGUAGES).map(|(name, count)| {
        let numbers = [count.files, count.lines, count.code, count.comments, count.blanks]
            .map(|count| thousands(count).into());
        [&[(*name).into(), share(count.lines, lines).into()], &numbers[..], &[bytes(count.bytes).into()]]
            .concat()
    });
    page.table(&["Language", "#Share", "#Files", "#Lines", "#Code", "#Comments", "#Blank", "#Size"], shown);
    if rows.len() > LANGUAGES {
        page.text(format!("And {} more.", rows.len() - LANGUAGES));
    }
}

/// Commits month by month; months without any are shown too.
pub(super) fn activity(page: &mut Page, wholes: &[Whole]) {
    let mut months: BTreeMap<&str, u64> = BTreeMap::new();
    for (month, count) in wholes.iter().flat_map(|whole| &whole.profile.past.months) {
        *months.entry(month).or_default() += count;
    }
    let all = between(months.keys().next().copied(), months.keys().next_back().copied());
    let start = all.len().saturating_sub(MONTHS);
    let point = |month: &String| {
        let count = months.get(month.as_str()).copied().unwrap_or(0);
        (month.clone(), vec![Part::new("", count, "c0")])
    };
    match all.as_slice() {
        [] => page.text("There are no commits yet."),
        [month] => page.text(format!("All commits are of {month}.")),
        all => page.chart(Chart::Columns {
            says: "Commits by month".to_owned(),
            points: all[start..].iter().map(point).collect(),
        }),
    }
}

/// Every month from one to another, `2026-01` both.
fn between(first: Option<&str>, last: Option<&str>) -> Vec<String> {
    let month = |text: &str| {
        let (year, month) = text.split_once('-')?;
        Some(year.parse::<i32>().ok()? * 12 + month.parse::<i32>().ok()? - 1)
    };
    let Some((first, last)) = first.and_then(month).zip(last.and_then(month)) else { return Vec::new() };
    // A clock that was wrong once must not make a chart of ten thousand years.
    let first = first.max(last - 12 * 200);
    (first..=last).map(|at| format!("{:04}-{:02}", at.div_euclid(12), at.rem_euclid(12) + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn months_have_no_gaps() {
        assert_eq!(between(Some("2025-11"), Some("2026-02")), ["2025-11", "2025-12", "2026-01", "2026-02"]);
        assert_eq!(between(None, Some("2026-02")), Vec::<String>::new());
        assert_eq!(between(Some("0000-01"), Some("9999-12")).len(), 2401);
    }
}
