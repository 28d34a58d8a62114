//! Rules are data: what makes a repository green, yellow, red or dead.

use super::repository::Repository;
use crate::stamp::Millis;
use serde::{Deserialize, Serialize};

/// The rules that hold where no others are given, as TOML.
pub const RULES: &str = include_str!("rules.toml");
const DAY: Millis = 24 * 60 * 60 * 1000;

/// How a repository is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// No rule fired but notes.
    Green,
    /// Something is to be done.
    Yellow,
    /// Something is wrong.
    Red,
    /// Nobody keeps it.
    Dead,
}

impl Health {
    /// Every health, best first.
    pub const ALL: [Self; 4] = [Self::Green, Self::Yellow, Self::Red, Self::Dead];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
            Self::Dead => "dead",
        }
    }
}

/// What a rule makes of a repository it fires for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing; the repository may still be green.
    Note,
    /// At best yellow.
    Yellow,
    /// At best red.
    Red,
    /// Dead.
    Dead,
}

impl Level {
    const fn health(self) -> Health {
        match self {
            Self::Note => Health::Green,
            Self::Yellow => Health::Yellow,
            Self::Red => Health::Red,
            Self::Dead => Health::Dead,
        }
    }
}

/// What a rule asks for; all that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// No file of the root fits one of these patterns.
    #[serde(default)]
    pub lacks: Vec<String>,
    /// It has none of this: `description`, `topics`, `license` or `workflows`.
    #[serde(default)]
    pub without: Option<Without>,
    /// The default branch is older than so many days.
    #[serde(default)]
    pub idle_days: Option<u64>,
    /// The default branch is no older than so many days.
    #[serde(default)]
    pub active_days: Option<u64>,
    /// Whether there is no commit.
    #[serde(default)]
    pub empty: Option<bool>,
    /// What the checks of the default branch came to.
    #[serde(default)]
    pub checks: Option<Checks>,
    /// Whether it is read-only.
    #[serde(default)]
    pub archived: Option<bool>,
}

/// What a repository can be without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Without {
    /// A description.
    Description,
    /// Topics.
    Topics,
    /// A licence of any name.
    License,
    /// Workflows.
    Workflows,
}

/// What checks can come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Checks {
    /// At least one failed.
    Failing,
    /// All passed.
    Passing,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name in reasons.
    pub id: String,
    /// What it makes of a repository.
    pub level: Level,
    /// The reason in words.
    pub says: String,
    /// What to do about it.
    #[serde(default)]
    pub fix: String,
    /// When it fires.
    #[serde(flatten)]
    pub when: Condition,
}

/// A set of rules, in the order in which reasons are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// The version of the format, 1.
    pub version: u32,
    /// The rules.
    #[serde(default)]
    pub rule: Vec<Rule>,
}

/// Why a file of rules was refused.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// It is no TOML, or not of this shape.
    #[error("{0}")]
    Toml(String),
    /// It is of another version.
    #[error("rules of version {0}; version 1 is known")]
    Version(u32),
    /// A rule asks for nothing.
    #[error("the rule {0:?} asks for nothing, so it would always fire")]
    Always(String),
    /// A rule asks for something that is not known.
    #[error("the rule {rule:?} asks for {key:?}, which is not known")]
    Key {
        /// The rule.
        rule: String,
        /// What it asks for.
        key: String,
    },
}

const KEYS: [&str; 11] = [
    "id",
    "level",
    "says",
    "fix",
    "lacks",
    "without",
    "idle_days",
    "active_days",
    "empty",
    "checks",
    "archived",
];

impl Rules {
    /// Reads rules from TOML.
    ///
    /// # Errors
    /// [`RulesError`] for text that is no TOML, of another version, or with a rule that would always or never fire.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let one_line = |error: toml::de::Error| RulesError::Toml(error.to_string().trim().replace('\n', " "));
        let table: toml::Table = toml::from_str(text).map_err(one_line)?;
        // Flattened conditions take any key, so a misspelt one is looked for here.
        for rule in table.get("rule").and_then(|rules| rules.as_array()).into_iter().flatten() {
            let id = rule.get("id").and_then(|id| id.as_str()).unwrap_or_default();
            let keys = rule.as_table().into_iter().flat_map(|rule| rule.keys());
            if let Some(key) = keys.into_iter().find(|key| !KEYS.contains(&key.as_str())) {
                return Err(RulesError::Key { rule: id.to_owned(), key: key.clone() });
            }
        }
        let rules: Self = toml::from_str(text).map_err(one_line)?;
        if rules.version != 1 {
            return Err(RulesError::Version(rules.version));
        }
        match rules.rule.iter().find(|rule| rule.when == Condition::default()) {
            Some(rule) => Err(RulesError::Always(rule.id.clone())),
            None => Ok(rules),
        }
    }

    /// The rule called `id`.
    pub fn find(&self, id: &str) -> Option<&Rule> {
        self.rule.iter().find(|rule| rule.id == id)
    }
}

impl Default for Rules {
    fn default() -> Self {
        // The text is part of the program; a test holds that it parses.
        Self::parse(RULES).unwrap_or(Self { version: 1, rule: Vec::new() })
    }
}

/// Why a repository is as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The rule that fired.
    pub rule: String,
    /// What it makes of the repository.
    pub level: Level,
    /// The reason in words.
    pub says: String,
}

/// How a repository is, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// How it is.
    pub health: Health,
    /// Why: one reason a rule that fired, in the order of the rules.
    pub reasons: Vec<Reason>,
}

/// Judges a repository by the rules, at the time `now`.
///
/// Of several rules about idleness only the worst that fires is told. What is not known never fires a rule.
pub fn classify(repository: &Repository, rules: &Rules, now: Millis) -> Verdict {
    let reason = |rule: &Rule| Reason { rule: rule.id.clone(), level: rule.level, says: rule.says.clone() };
    let reasons: Vec<Reason> = told(repository, rules, now).map(reason).collect();
    let health = reasons.iter().map(|reason| reason.level.health()).max().unwrap_or(Health::Green);
    Verdict { health, reasons }
}

/// The health alone.
pub(super) fn health(repository: &Repository, rules: &Rules, now: Millis) -> Health {
    told(repository, rules, now).map(|rule| rule.level.health()).max().unwrap_or(Health::Green)
}

/// The rules that fire; of those about age only the one about the greatest.
fn told<'r>(repository: &Repository, rules: &'r Rules, now: Millis) -> impl Iterator<Item = &'r Rule> {
    let fired: Vec<&Rule> = rules.rule.iter().filter(|rule| rule.when.holds(repository, now)).collect();
    let oldest = fired.iter().filter_map(|rule| rule.when.idle_days).max();
    fired.into_iter().filter(move |rule| rule.when.idle_days.is_none_or(|days| Some(days) == oldest))
}

impl Condition {
    fn holds(&self, repository: &Repository, now: Millis) -> bool {
        let age = repository.branch.as_ref().map(|branch| now.saturating_sub(branch.time) / DAY);
        let lacks = || !repository.files_more && !repository.has_file(&self.lacks);
        (self.lacks.is_empty() || lacks())
            && self.without.is_none_or(|what| what.is_missing(repository))
            && self.idle_days.is_none_or(|days| age.is_some_and(|age| age >= days))
            && self.active_days.is_none_or(|days| age.is_some_and(|age| age < days))
            && self.empty.is_none_or(|empty| empty == repository.is_empty())
            && self.archived.is_none_or(|archived| archived == repository.archived)
            && self.checks.is_none_or(|checks| {
                let state = repository.branch.as_ref().and_then(|branch| branch.checks.as_deref());
                match checks {
                    Checks::Failing => matches!(state, Some("FAILURE" | "ERROR")),
                    Checks::Passing => state == Some("SUCCESS"),
                }
            })
    }
}

impl Without {
    fn is_missing(self, repository: &Repository) -> bool {
        match self {
            Self::Description => repository.description.as_ref().is_some_and(|text| text.trim().is_empty()),
            Self::Topics => repository.topics.as_ref().is_some_and(Vec::is_empty),
            Self::License => !repository.files_more && repository.any_license().is_none(),
            Self::Workflows => repository.workflows.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hygiene::Branch;
    use crate::testing::NOW;

    fn good() -> Repository {
        let branch = Branch { name: "main".into(), head: "0".into(), time: NOW - DAY, checks: None };
        let files = [".gitignore", "CAPABILITY.toml", "CHARTER.md", "LICENSE", "Readme.rst"];
        Repository {
            description: Some("d".into()),
            topics: Some(vec!["fleet".into()]),
            license: Some("MIT".into()),
            branch: Some(branch),
            files: files.map(str::to_owned).to_vec(),
            workflows: vec!["ci.yml".into()],
            ..Repository::default()
        }
    }

    fn check(repository: &Repository, health: Health, reasons: &[&str]) {
        let verdict = classify(repository, &Rules::default(), NOW);
        let said: Vec<_> = verdict.reasons.iter().map(|reason| reason.rule.as_str()).collect();
        assert_eq!((verdict.health, said.as_slice()), (health, reasons));
    }

    fn idle(days: u64) -> Repository {
        let mut repository = good();
        repository.branch.as_mut().unwrap().time = NOW - days * DAY;
        // A recent push to another branch is no activity of the default branch.
        repository.pushed = "2026-01-01T00:00:00Z".into();
        repository
    }

    #[test]
    fn the_worst_rule_that_fires_decides() {
        check(&good(), Health::Green, &[]);
        check(&Repository { description: Some(" ".into()), ..good() }, Health::Yellow, &["no-description"]);
        check(&idle(59), Health::Green, &[]);
        check(&idle(60), Health::Yellow, &["quiet"]);
        check(&idle(180), Health::Red, &["stale"]);
        check(&idle(365), Health::Dead, &["abandoned"]);
        check(&Repository { branch: None, ..good() }, Health::Dead, &["empty"]);
        let mut failing = good();
        failing.branch.as_mut().unwrap().checks = Some("FAILURE".into());
        check(&failing, Health::Red, &["failing-checks"]);
        failing.branch.as_mut().unwrap().checks = Some("PENDING".into());
        check(&failing, Health::Green, &[]);
    }

    #[test]
    fn a_clock_behind_the_commit_is_no_reason() {
        let mut repository = good();
        repository.branch.as_mut().unwrap().time = NOW + 400 * DAY;
        check(&repository, Health::Green, &[]);
    }

    #[test]
    fn what_is_not_known_is_not_missing() {
        let unknown = Repository {
            description: None,
            topics: None,
            license: None,
            files: Vec::new(),
            files_more: true,
            ..good()
        };
        check(&unknown, Health::Green, &[]);
        check(
            &Repository { files: vec!["COPYING".into()], license: Some(String::new()), ..good() },
            Health::Red,
            &["no-readme", "no-gitignore", "no-charter", "no-capability"],
        );
    }

    #[test]
    fn rules_that_cannot_be_meant_are_refused() {
        assert!(!Rules::parse(RULES).unwrap().rule.is_empty());
        for text in [
            "version = 2",
            "version = 1\n[[rule]]\nid='x'\nlevel='red'\nsays='x'",
            "version = 1\n[[rule]]\nid='x'\nlevel='pink'\nsays='x'\nempty=true",
            "version = 1\n[[rule]]\nid='x'\nlevel='red'\nsays='x'\nidel_days=3",
            "nonsense",
        ] {
            assert!(Rules::parse(text).is_err(), "{text}");
        }
    }
}
