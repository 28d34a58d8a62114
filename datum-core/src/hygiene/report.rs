//! A report: a scan judged by the rules, beside the scans before it.

use super::repository::Repository;
use super::rules::{Health, Level, Reason, Rules, classify, health};
use super::scan::{Counts, Scan, Unknown};
use crate::stamp::Millis;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One repository of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// How it is.
    pub health: Health,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Its main language.
    pub language: Option<String>,
    /// Its licence.
    pub license: Option<String>,
    /// When its default branch was committed to.
    pub committed: Option<Millis>,
}

/// What is wrong with several repositories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Issue {
    /// The rule.
    pub rule: String,
    /// What it makes of a repository.
    pub level: Level,
    /// What is wrong.
    pub says: String,
    /// What to do about it.
    pub fix: String,
    /// With how many.
    pub count: u64,
    /// With which.
    pub repositories: Vec<String>,
}

/// A language and how much of it there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Language {
    /// Its name.
    pub name: String,
    /// Bytes in all repositories.
    pub bytes: u64,
    /// Repositories that hold some.
    pub repositories: u64,
}

/// A scan of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Point {
    /// When.
    pub time: Millis,
    /// How many were how, by the rules of that day.
    pub counts: Counts,
}

/// What changed since the scan before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Trend {
    /// When that was.
    pub since: Millis,
    /// How many were how, by the rules of this report.
    pub counts: Counts,
    /// Repositories that are better.
    pub better: Vec<String>,
    /// Repositories that are worse.
    pub worse: Vec<String>,
    /// Repositories that were not there.
    pub new: Vec<String>,
    /// Repositories that are no longer there; those that could not be read are not among them.
    pub gone: Vec<String>,
}

/// A scan judged by the rules, beside the scans before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whose repositories.
    pub organization: String,
    /// Which of them; empty for all.
    pub filter: String,
    /// When they were scanned.
    pub time: Millis,
    /// How many are how.
    pub counts: Counts,
    /// Archived repositories left out.
    pub archived: u64,
    /// Forks left out.
    pub forks: u64,
    /// Repositories left out by the filter.
    pub filtered: u64,
    /// What changed since the scan before.
    pub trend: Option<Trend>,
    /// The scans before it, oldest first.
    pub history: Vec<Point>,
    /// Languages, most bytes first.
    pub languages: Vec<Language>,
    /// What is wrong, worst and most frequent first.
    pub issues: Vec<Issue>,
    /// What to do, in that order.
    pub recommendations: Vec<String>,
    /// The repositories, worst first.
    pub repositories: Vec<Row>,
    /// Those that could not be read.
    pub unknown: Vec<Unknown>,
    /// How many more no page listed.
    pub unlisted: u64,
    /// What the host said when it was asked for them.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub unlisted_why: String,
}

/// Makes the report of a scan of the moment `time`, beside the scan `before` it.
pub fn report(
    scan: &Scan,
    time: Millis,
    rules: &Rules,
    before: Option<(Millis, &Scan)>,
    history: Vec<Point>,
) -> Report {
    let mut rows: Vec<Row> =
        scan.repositories.iter().map(|repository| row(repository, rules, time)).collect();
    rows.sort_by(|a, b| b.health.cmp(&a.health).then_with(|| a.name.cmp(&b.name)));
    let issues = issues(&rows, rules);
    Report {
        organization: scan.organization.clone(),
        filter: scan.filter.clone(),
        time,
        counts: Counts::sum(rows.iter().map(|row| row.health), scan.not_known()),
        archived: scan.archived,
        forks: scan.forks,
        filtered: scan.filtered,
        trend: before.map(|(since, old)| trend(scan, time, since, old, rules)),
        history,
        languages: languages(&scan.repositories),
        recommendations: issues.iter().filter_map(recommendation).collect(),
        issues,
        repositories: rows,
        unknown: scan.unknown.clone(),
        unlisted: scan.unlisted,
        unlisted_why: scan.unlisted_why.clone(),
    }
}

fn row(repository: &Repository, rules: &Rules, now: Millis) -> Row {
    let verdict = classify(repository, rules, now);
    Row {
        name: repository.name.clone(),
        health: verdict.health,
        reasons: verdict.reasons,
        language: repository.main_language().map(str::to_owned),
        license: repository.any_license().map(str::to_owned),
        committed: repository.branch.as_ref().map(|branch| branch.time),
    }
}

fn issues(rows: &[Row], rules: &Rules) -> Vec<Issue> {
    let mut found: Vec<Issue> = Vec::new();
    for rule in &rules.rule {
        let has = |row: &&Row| row.reasons.iter().any(|reason| reason.rule == rule.id);
        let mut repositories: Vec<String> = rows.iter().filter(has).map(|row| row.name.clone()).collect();
        repositories.sort();
        if !repositories.is_empty() {
            found.push(Issue {
                rule: rule.id.clone(),
                level: rule.level,
                says: rule.says.clone(),
                fix: rule.fix.clone(),
                count: repositories.len() as u64,
                repositories,
            });
        }
    }
    found.sort_by_key(|issue| std::cmp::Reverse((issue.level, issue.count)));
    found
}

fn recommendation(issue: &Issue) -> Option<String> {
    let many =
        if issue.count == 1 { "1 repository".to_owned() } else { format!("{} repositories", issue.count) };
    (!issue.fix.is_empty()).then(|| format!("{many}: {}; {}", issue.says, issue.fix))
}

fn languages(repositories: &[Repository]) -> Vec<Language> {
    let mut sums: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (name, bytes) in repositories.iter().flat_map(|repository| &repository.languages) {
        let sum = sums.entry(name).or_default();
        *sum = (sum.0.saturating_add(*bytes), sum.1 + 1);
    }
    let mut found: Vec<Language> = sums
        .into_iter()
        .map(|(name, (bytes, repositories))| Language { name: name.to_owned(), bytes, repositories })
        .collect();
    found.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    found
}

fn trend<'s>(scan: &'s Scan, time: Millis, since: Millis, old: &'s Scan, rules: &Rules) -> Trend {
    let judge = |scan: &'s Scan, now: Millis| -> BTreeMap<&'s str, (&'s str, Health)> {
        let verdict = |repository: &'s Repository| {
            (repository.id.as_str(), (repository.name.as_str(), health(repository, rules, now)))
        };
        scan.repositories.iter().map(verdict).collect()
    };
    let (now, was) = (judge(scan, time), judge(old, since));
    let counts = Counts::sum(was.values().map(|(_, health)| *health), old.not_known());
    let mut trend = Trend { since, counts, ..Trend::default() };
    for (id, (name, health)) in &now {
        match was.get(id) {
            None => trend.new.push((*name).to_owned()),
            Some((_, before)) if health < before => trend.better.push((*name).to_owned()),
            Some((_, before)) if health > before => trend.worse.push((*name).to_owned()),
            Some(_) => {}
        }
    }
    // A repository that was unknown then is not new now, and one that is unknown now is not gone.
    let names = |scan: &'s Scan| scan.unknown.iter().map(|one| one.name.as_str()).collect::<BTreeSet<_>>();
    let unread = names(old);
    trend.new.retain(|name| !unread.contains(name.as_str()));
    if scan.unlisted == 0 {
        let unread = names(scan);
        let gone = was.iter().filter(|(id, (name, _))| !now.contains_key(*id) && !unread.contains(name));
        trend.gone.extend(gone.map(|(_, (name, _))| (*name).to_owned()));
    }
    for list in [&mut trend.better, &mut trend.worse, &mut trend.new, &mut trend.gone] {
        list.sort();
    }
    trend
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hygiene::Branch;
    use crate::testing::NOW;

    fn repository(name: &str, files: &[&str]) -> Repository {
        let branch = Branch { name: "main".into(), head: "0".into(), time: NOW, checks: None };
        Repository {
            id: name.into(),
            name: name.into(),
            branch: Some(branch),
            files: files.iter().map(|file| (*file).to_owned()).collect(),
            languages: BTreeMap::from([("Rust".to_owned(), 10)]),
            ..Repository::default()
        }
    }

    fn scan(repositories: Vec<Repository>, unknown: &[&str]) -> Scan {
        let unknown =
            unknown.iter().map(|name| Unknown { name: (*name).into(), why: "502".into() }).collect();
        Scan { version: 1, organization: "o".into(), repositories, unknown, ..Scan::default() }
    }

    #[test]
    fn counts_are_of_repositories_and_the_unknown_are_no_part_of_an_issue() {
        let all = ["README", ".gitignore", "LICENSE"];
        let old = scan(
            vec![repository("a", &[]), repository("b", &all), repository("c", &[]), repository("x", &[])],
            &[],
        );
        let new =
            scan(vec![repository("a", &all), repository("b", &["README"]), repository("d", &[])], &["c"]);
        let report = report(&new, NOW, &Rules::default(), Some((NOW - 1, &old)), Vec::new());
        let count =
            |rule: &str| report.issues.iter().find(|issue| issue.rule == rule).map_or(0, |issue| issue.count);
        assert_eq!((count("no-readme"), count("no-license"), count("no-gitignore")), (1, 2, 2));
        assert_eq!(report.counts.unknown, 1);
        let trend = report.trend.unwrap();
        assert_eq!((trend.better, trend.worse), (vec!["a".to_owned()], vec!["b".to_owned()]));
        assert_eq!((trend.new, trend.gone), (vec!["d".to_owned()], vec!["x".to_owned()]));
        assert_eq!(report.languages, [Language { name: "Rust".into(), bytes: 30, repositories: 3 }]);
        assert_eq!(report.issues[0].level, Level::Red);
    }
}
