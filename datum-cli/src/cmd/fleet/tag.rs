//! `datum fleet tag`: adds topics, by a plan that is reviewed before it is applied.

use super::filter::Choice;
use super::reach::{Reach, organization};
use super::review::{Review, newest};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::hygiene::{self, Action, Repository, check_topic, matches, topic_of};
use std::collections::BTreeMap;

/// Adds topics to repositories; those that are there are never dropped.
///
/// Without --apply nothing is changed: the plan is recorded, and written to a file for review.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum fleet tag --org SuperInstance --add fleet --add git-agent
  datum fleet tag --org SuperInstance --mapping topics.json --languages
  datum fleet tag --org SuperInstance --apply
  datum fleet tag --org SuperInstance --apply --failed

The mapping is JSON, a file or the text itself: {\"flux-*\": [\"flux\", \"vm\"], \"datum\": \"quartermaster\"}.

Exit: 0 done; 1 the plan refuses some repositories (they are named); 3 some failed: run again with --failed.")]
pub(crate) struct Tag {
    /// The organisation or user
    #[arg(long, value_name = "ORG")]
    org: String,
    /// Add this topic to every repository chosen (repeatable)
    #[arg(long, value_name = "TOPIC")]
    add: Vec<String>,
    /// Add topics by repository: JSON of names or patterns and their topics, or a file of it
    #[arg(long, value_name = "JSON")]
    mapping: Option<String>,
    /// Add each repository's main language
    #[arg(long)]
    languages: bool,
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    review: Review,
    #[command(flatten)]
    reach: Reach,
}

/// Topics by the pattern of a repository's name.
type Mapping = BTreeMap<String, Vec<String>>;

impl Tag {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let org = organization(&self.org)?;
        let asked = !self.add.is_empty() || self.mapping.is_some() || self.languages;
        if !asked && !self.review.continues() {
            return Err(
                Fault::usage("nothing to add").hint("name topics with --add, --mapping or --languages")
            );
        }
        let mapping = self.mapping.as_deref().map(mapping).transpose()?.unwrap_or_default();
        let mut topics = self.add.iter().chain(mapping.values().flatten());
        topics.try_for_each(|topic| check_topic(topic)).map_err(|error| Fault::usage(error.to_string()))?;
        let plan = if asked {
            let scan = newest(edge, out, org, &self.choice)?;
            let wanted = |repository: &Repository| self.wanted(repository, &mapping);
            Some(hygiene::plan_tags(&scan.organization, &scan.repositories, wanted))
        } else {
            None
        };
        self.review.run(edge, out, &self.reach, org, Action::Tag, plan)
    }

    fn wanted(&self, repository: &Repository, mapping: &Mapping) -> Vec<String> {
        let named = |pattern: &str| {
            let name = if pattern.contains('/') { &repository.name } else { repository.short_name() };
            matches(pattern, name)
        };
        let mut topics = self.add.clone();
        topics.extend(
            mapping.iter().filter(|(pattern, _)| named(pattern)).flat_map(|(_, topics)| topics.clone()),
        );
        topics.extend(repository.main_language().filter(|_| self.languages).and_then(topic_of));
        topics
    }
}

/// Reads a mapping: the text itself where it begins with a brace, a file otherwise.
fn mapping(text: &str) -> Result<Mapping, Fault> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Topics {
        One(String),
        Many(Vec<String>),
    }
    let (place, json) = if text.trim_start().starts_with('{') {
        ("--mapping".to_owned(), text.to_owned())
    } else {
        let read = std::fs::read_to_string(text);
        let read = read.map_err(|error| Fault::usage(format!("--mapping: {text}: {error}")))?;
        (format!("--mapping: {text}"), read)
    };
    let parsed: BTreeMap<String, Topics> = serde_json::from_str(&json).map_err(|error| {
        Fault::usage(format!("{place}: {error}")).hint(r#"write {"name or pattern": ["topic", "topic"]}"#)
    })?;
    let list = |topics| match topics {
        Topics::One(text) => {
            text.split([',', ' ']).filter(|topic| !topic.is_empty()).map(str::to_owned).collect()
        }
        Topics::Many(topics) => topics,
    };
    Ok(parsed.into_iter().map(|(pattern, topics)| (pattern, list(topics))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_json_of_names_and_topics() {
        let found = mapping(r#"{"a": ["x", "y"], "b*": "z, w"}"#).unwrap();
        assert_eq!(found["a"], ["x", "y"]);
        assert_eq!(found["b*"], ["z", "w"]);
        assert!(mapping(r#"{"a": 1}"#).is_err() && mapping("/nonexistent").is_err());
    }
}
