//! Books of rules: the packs that are built in, and what a vessel's `datum.toml` makes of them.

use super::engine;
use super::leaving::Asked;
use super::report::Outcome;
use super::rule::{Level, Rule};
use super::rule_file::{RuleError, check, invalid, parse};
use crate::glob::Glob;
use crate::name::nearest;
use crate::stamp::Millis;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::value::Datetime;

/// The file in which a vessel says what is audited otherwise.
pub const CONFIG: &str = "datum.toml";
/// Most rules of a book.
const RULES_MAX: usize = 1000;
/// Days before the end of a suppression from which the report says so.
const SOON: i64 = 14;

/// A set of rules that is built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pack {
    /// The structure of the seed's workshop.
    Workshop,
    /// The git-agent standard.
    Vessel,
    /// The fleet's exam, box by box.
    Dockside,
    /// What every repository should have.
    Hygiene,
}

impl Pack {
    /// Every pack.
    pub const ALL: [Self; 4] = [Self::Workshop, Self::Vessel, Self::Dockside, Self::Hygiene];

    /// The name, and the part of its rules' ids before the `/`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Workshop => "workshop",
            Self::Vessel => "vessel",
            Self::Dockside => "dockside",
            Self::Hygiene => "hygiene",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Workshop => include_str!("../../rules/workshop.toml"),
            Self::Vessel => include_str!("../../rules/vessel.toml"),
            Self::Dockside => include_str!("../../rules/dockside.toml"),
            Self::Hygiene => include_str!("../../rules/hygiene.toml"),
        }
    }
}

/// What an audit is for; each type is a choice of packs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A workshop's structure.
    Workshop,
    /// Every standard there is.
    Conformance,
    /// A vessel of the fleet.
    Vessel,
    /// Many repositories.
    Fleet,
}

impl Type {
    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Workshop => "workshop",
            Self::Conformance => "conformance",
            Self::Vessel => "vessel",
            Self::Fleet => "fleet",
        }
    }

    /// Its packs.
    pub const fn packs(self) -> &'static [Pack] {
        match self {
            Self::Workshop => &[Pack::Workshop],
            Self::Conformance => &Pack::ALL,
            Self::Vessel | Self::Fleet => &[Pack::Vessel, Pack::Hygiene],
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackFile {
    rule: Vec<Rule>,
}

#[derive(Deserialize)]
struct ConfigFile {
    #[serde(default)]
    audit: Config,
    /// As a pack of rules has it; here it would be passed over without a word.
    rule: Option<Spanned<IgnoredAny>>,
    /// The same.
    suppress: Option<Spanned<IgnoredAny>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Config {
    /// The least level that makes an audit fail.
    fail_on: Option<Level>,
    /// The least level of the rules that a push is asked.
    push: Option<Setting>,
    #[serde(default)]
    levels: BTreeMap<Spanned<String>, Setting>,
    #[serde(default)]
    rule: Vec<Rule>,
    #[serde(default)]
    suppress: Vec<Suppression>,
}

/// A level, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Setting {
    Off,
    Info,
    Warning,
    Error,
    Critical,
}

impl Setting {
    fn level(self) -> Option<Level> {
        match self {
            Self::Off => None,
            Self::Info => Some(Level::Info),
            Self::Warning => Some(Level::Warning),
            Self::Error => Some(Level::Error),
            Self::Critical => Some(Level::Critical),
        }
    }
}

/// Findings that somebody has accepted for a time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Suppression {
    rule: Spanned<String>,
    /// Only findings about these paths.
    path: Option<Glob>,
    reason: Spanned<String>,
    /// The last day on which it counts.
    until: Spanned<Datetime>,
}

/// The rules of an audit, and what is accepted for a time.
#[derive(Debug, Clone, Default)]
pub struct Book {
    rules: Vec<Rule>,
    suppressions: Vec<Suppression>,
    /// The level that the vessel asks its audits to fail on.
    pub fail_on: Option<Level>,
    pub(crate) push: Option<Asked>,
    pub(crate) notes: Vec<String>,
}

impl Book {
    /// The rules of some packs as they are built in.
    ///
    /// # Errors
    /// [`RuleError`] only if a pack that is built in is broken, which a test rules out.
    pub fn of(packs: &[Pack]) -> Result<Self, RuleError> {
        let mut rules = Vec::new();
        for pack in packs {
            let file = format!("rules/{}.toml", pack.as_str());
            rules.extend(parse::<PackFile>(&file, pack.text())?.rule);
        }
        Ok(Self { rules, ..Self::default() })
    }

    /// Applies the `[audit]` table of a vessel's `datum.toml`, called `file` in errors.
    ///
    /// # Errors
    /// [`RuleError`] with line, column and what is allowed.
    pub fn configure(&mut self, file: &str, text: &str) -> Result<(), RuleError> {
        let ConfigFile { audit: config, rule, suppress } = parse(file, text)?;
        let wrong = |span: Range<usize>, message: String| invalid(file, text, span.start, message);
        for (stray, name) in [(rule, "rule"), (suppress, "suppress")] {
            if let Some(stray) = stray {
                let message = format!("{name:?} stands outside of [audit]; write [[audit.{name}]]");
                return Err(wrong(stray.span(), message));
            }
        }
        let built_in = Self::of(&Pack::ALL)?;
        self.fail_on = config.fail_on;
        self.push = config.push.map(|setting| setting.level().map_or(Asked::Off, Asked::From));
        let (mut added, mut replaced) = (0, 0);
        for rule in config.rule {
            check(&rule).map_err(|(span, message)| wrong(span, message))?;
            match self.rules.iter().position(|known| known.id() == rule.id()) {
                Some(at) => {
                    self.rules[at] = rule;
                    replaced += 1;
                }
                // A rule that replaces one of a pack that is not asked does not join the others.
                None if built_in.rules().any(|known| known.id() == rule.id()) => {}
                None => {
                    self.rules.push(rule);
                    added += 1;
                }
            }
        }
        if self.rules.len() > RULES_MAX {
            return Err(wrong(0..0, format!("a book has at most {RULES_MAX} rules")));
        }
        let known = |id: &str| self.rules.iter().chain(&built_in.rules).any(|rule| rule.id() == id);
        let unknown = |id: &Spanned<String>| {
            let all = self.rules.iter().chain(&built_in.rules).map(Rule::id);
            let error = RuleError::UnknownRule { id: id.get_ref().clone(), near: nearest(id.get_ref(), all) };
            wrong(id.span(), error.to_string())
        };
        for id in config.levels.keys() {
            if !known(id.get_ref()) {
                return Err(unknown(id));
            }
        }
        for suppression in &config.suppress {
            if !known(suppression.rule.get_ref()) {
                return Err(unknown(&suppression.rule));
            }
            if suppression.reason.get_ref().trim().is_empty() {
                return Err(wrong(suppression.reason.span(), "a suppression needs a reason".to_owned()));
            }
            if day_number(suppression.until.get_ref()).is_none() {
                let message = "until is a day, written 2026-12-31 without quotes".to_owned();
                return Err(wrong(suppression.until.span(), message));
            }
        }
        let mut off = Vec::new();
        let mut changed = 0;
        for (id, setting) in &config.levels {
            let Some(at) = self.rules.iter().position(|rule| rule.id() == id.get_ref()) else { continue };
            match setting.level() {
                Some(level) => {
                    changed += usize::from(self.rules[at].level != level);
                    self.rules[at].level = level;
                }
                None => off.push(self.rules.remove(at).id().to_owned()),
            }
        }
        for (count, what) in [(added, "adds"), (replaced, "replaces"), (changed, "changes the level of")] {
            if count > 0 {
                self.notes.push(format!("{file} {what} {count} {}", plural(count, "rule")));
            }
        }
        if !off.is_empty() {
            self.notes.push(format!("{file} turns off {}", off.join(", ")));
        }
        self.suppressions = config.suppress;
        Ok(())
    }

    /// The rules, in the order they are asked.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// Keeps only the rules called `ids`; `pack/*` names all of a pack.
    ///
    /// # Errors
    /// [`RuleError::UnknownRule`] for an id that names none.
    pub fn only(&mut self, ids: &[String]) -> Result<(), RuleError> {
        let takes = |id: &str, rule: &Rule| match id.strip_suffix("/*") {
            Some(pack) => rule.id().split('/').next() == Some(pack),
            None => rule.id() == id,
        };
        for id in ids {
            if !self.rules.iter().any(|rule| takes(id, rule)) {
                let near = nearest(id, self.rules.iter().map(Rule::id));
                return Err(RuleError::UnknownRule { id: id.chars().take(100).collect(), near });
            }
        }
        self.rules.retain(|rule| ids.iter().any(|id| takes(id, rule)));
        Ok(())
    }

    /// Keeps only some of the rules.
    pub(crate) fn keep(&mut self, keep: impl Fn(&Rule) -> bool) {
        self.rules.retain(keep);
    }

    /// Marks what the suppressions cover, and notes those that have expired, soon will, or cover nothing.
    pub(crate) fn suppress(&self, outcomes: &mut [Outcome], now: Millis, notes: &mut Vec<String>) {
        let today = i64::try_from(now / 86_400_000).unwrap_or(i64::MAX);
        for suppression in &self.suppressions {
            let (id, until) = (suppression.rule.get_ref(), suppression.until.get_ref());
            let Some(end) = day_number(until) else { continue };
            let covers = |path: Option<&str>| {
                suppression.path.as_ref().is_none_or(|glob| path.is_some_and(|path| glob.matches(path)))
            };
            let Some(outcome) = outcomes.iter_mut().find(|outcome| outcome.rule == *id) else { continue };
            if end < today {
                notes.insert(
                    0,
                    format!("EXPIRED on {until}: the suppression of {id} ({})", suppression.reason.get_ref()),
                );
                continue;
            }
            if !engine::suppress(outcome, |finding| covers(finding.path.as_deref())) {
                notes.push(format!("the suppression of {id} covers nothing and can go"));
            } else if end - today <= SOON {
                notes.push(format!("the suppression of {id} expires on {until}"));
            }
        }
    }
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { noun.to_owned() } else { format!("{noun}s") }
}

/// Days since 1970 of a plain date.
fn day_number(day: &Datetime) -> Option<i64> {
    if day.time.is_some() || day.offset.is_some() {
        return None;
    }
    let day = day.date?;
    let (year, month) = (i16::try_from(day.year).ok()?, i8::try_from(day.month).ok()?);
    let date = jiff::civil::Date::new(year, month, i8::try_from(day.day).ok()?).ok()?;
    Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second().div_euclid(86_400))
}
