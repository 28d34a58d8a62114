//! Which repositories: by name, topic or activity.

use crate::fault::Fault;
use crate::time;
use datum_core::Millis;
use datum_core::hygiene::{Repository, matches};

/// Which repositories.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Which repositories")]
pub(crate) struct Choice {
    /// Only these: a name ('flux-*'), topic:NAME, active:90d or idle:1y (repeatable: any of them)
    #[arg(long, value_name = "WHICH")]
    include: Vec<String>,
    /// Not these (repeatable: none of them)
    #[arg(long, value_name = "WHICH")]
    exclude: Vec<String>,
    /// Archived repositories too
    #[arg(long)]
    archived: bool,
    /// Forks too
    #[arg(long)]
    forks: bool,
}

/// One test of a repository.
#[derive(Debug)]
enum Test {
    Name(String),
    Topic(String),
    /// Committed to at or after this time.
    Active(Millis),
    /// Not committed to since this time.
    Idle(Millis),
}

/// Which repositories, ready to be asked.
#[derive(Debug)]
pub(crate) struct Filter {
    include: Vec<Test>,
    exclude: Vec<Test>,
    /// Whether archived repositories are wanted.
    pub(crate) archived: bool,
    /// Whether forks are wanted.
    pub(crate) forks: bool,
    /// The choice in words, the same for the same choice.
    pub(crate) words: String,
}

impl Choice {
    /// Makes the filter, for the time `now`.
    pub(crate) fn filter(&self, now: Millis) -> Result<Filter, Fault> {
        let all = |option, texts: &[String]| -> Result<Vec<Test>, Fault> {
            texts.iter().map(|text| test(option, text, now)).collect()
        };
        let mut words: Vec<String> = Vec::new();
        for (option, texts) in [("include", &self.include), ("exclude", &self.exclude)] {
            let mut texts = texts.clone();
            texts.sort();
            words.extend(texts.iter().map(|text| format!("{option} {text}")));
        }
        words.extend(self.archived.then(|| "archived".to_owned()));
        words.extend(self.forks.then(|| "forks".to_owned()));
        Ok(Filter {
            include: all("--include", &self.include)?,
            exclude: all("--exclude", &self.exclude)?,
            archived: self.archived,
            forks: self.forks,
            words: words.join(", "),
        })
    }
}

fn test(option: &str, text: &str, now: Millis) -> Result<Test, Fault> {
    let moment = |length: &str| {
        let since = time::parse_length(length).and_then(|length| now.checked_sub(length));
        since.ok_or_else(|| {
            Fault::usage(format!("{option}: {text:?} tells no time")).hint("write active:90d or idle:1y")
        })
    };
    match text.split_once(':') {
        Some(("topic", name)) => Ok(Test::Topic(name.to_lowercase())),
        Some(("active", length)) => Ok(Test::Active(moment(length)?)),
        Some(("idle", length)) => Ok(Test::Idle(moment(length)?)),
        Some(("name", pattern)) => Ok(Test::Name(pattern.to_owned())),
        Some((other, _)) => Err(Fault::usage(format!("{option}: {other:?} is nothing to choose by"))
            .hint("choose by a name ('flux-*'), topic:NAME, active:90d or idle:1y")),
        None if text.trim().is_empty() => Err(Fault::usage(format!("{option} is empty"))),
        None => Ok(Test::Name(text.to_owned())),
    }
}

impl Test {
    fn takes(&self, repository: &Repository) -> bool {
        match self {
            Self::Name(pattern) if pattern.contains('/') => matches(pattern, &repository.name),
            Self::Name(pattern) => matches(pattern, repository.short_name()),
            Self::Topic(pattern) => repository.topics.iter().flatten().any(|topic| matches(pattern, topic)),
            Self::Active(since) => repository.branch.as_ref().is_some_and(|branch| branch.time >= *since),
            Self::Idle(since) => repository.branch.as_ref().is_none_or(|branch| branch.time < *since),
        }
    }
}

impl Filter {
    /// Whether the repository is one of those.
    pub(crate) fn takes(&self, repository: &Repository) -> bool {
        (self.archived || !repository.archived)
            && (self.forks || !repository.fork)
            && (self.include.is_empty() || self.include.iter().any(|test| test.takes(repository)))
            && !self.exclude.iter().any(|test| test.takes(repository))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datum_core::hygiene::Branch;

    const DAY: u64 = 24 * 60 * 60 * 1000;

    fn takes(include: &[&str], exclude: &[&str], days: u64) -> bool {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let choice = Choice { include: own(include), exclude: own(exclude), archived: false, forks: false };
        let now = 1000 * DAY;
        let branch = Branch { name: "main".into(), head: "0".into(), time: now - days * DAY, checks: None };
        choice.filter(now).unwrap().takes(&Repository {
            name: "Org/flux-core".into(),
            topics: Some(vec!["fleet".into()]),
            branch: Some(branch),
            ..Repository::default()
        })
    }

    #[test]
    fn repositories_are_chosen_by_name_topic_and_activity() {
        assert!(takes(&[], &[], 0));
        assert!(takes(&["flux-*"], &[], 0) && takes(&["org/*"], &[], 0) && !takes(&["org*"], &[], 0));
        assert!(takes(&["x", "topic:FLEET"], &[], 0) && !takes(&[], &["topic:fl*"], 0));
        assert!(takes(&["active:30d"], &[], 29) && !takes(&["active:30d"], &[], 31));
        assert!(takes(&["idle:30d"], &[], 31) && !takes(&[], &["idle:30d"], 31));
        let choice = |text: &str| Choice {
            include: vec![text.into()],
            exclude: vec![],
            archived: false,
            forks: false,
        };
        for bad in ["", "stars:3", "active:soon"] {
            assert!(choice(bad).filter(0).is_err(), "{bad}");
        }
    }
}
