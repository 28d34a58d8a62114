//! What is known of one repository.

use crate::stamp::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The branch that stands for the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// Its name, without `refs/heads/`.
    pub name: String,
    /// The commit it points to.
    pub head: String,
    /// When that commit was made, milliseconds since 1970: activity is measured by it, since a push may be to any branch.
    pub time: Millis,
    /// What its checks came to (`SUCCESS`, `FAILURE`, …), if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<String>,
}

/// What is known of one repository; `None` is "not known", which no rule takes for "missing".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// The id that survives renaming.
    pub id: String,
    /// `owner/name`, or the folder of a local clone.
    pub name: String,
    /// Whether it is read-only.
    #[serde(default, skip_serializing_if = "is_false")]
    pub archived: bool,
    /// Whether it is a fork.
    #[serde(default, skip_serializing_if = "is_false")]
    pub fork: bool,
    /// Whether only its members see it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub private: bool,
    /// What it says of itself; empty if it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its topics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topics: Option<Vec<String>>,
    /// The SPDX id of its licence, `NOASSERTION` for one of another name; empty if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// The default branch; none in an empty repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Branch>,
    /// The last push to any branch, as the host writes it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pushed: String,
    /// The last change of its settings, as the host writes it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub updated: String,
    /// Its size, kilobytes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub kilobytes: u64,
    /// Bytes by language.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub languages: BTreeMap<String, u64>,
    /// The names in the root of its tree, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Whether the root holds more names than [`Repository::files`].
    #[serde(default, skip_serializing_if = "is_false")]
    pub files_more: bool,
    /// The names of its workflows, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workflows: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// Names under which licences stand, whatever their ending.
const LICENCES: [&str; 6] =
    ["licen[cs]e", "copying", "unlicense", "copyright", "mit-license", "apache-license"];

impl Repository {
    /// Whether it has no commit on its default branch.
    pub fn is_empty(&self) -> bool {
        self.branch.is_none()
    }

    /// Only what a listing tells: while that is the same, the rest is taken to be.
    #[must_use]
    pub fn outline(&self) -> Self {
        Self {
            license: None,
            kilobytes: 0,
            languages: BTreeMap::new(),
            files: Vec::new(),
            files_more: false,
            workflows: Vec::new(),
            ..self.clone()
        }
    }

    /// Whether a listing would tell of it what `outline` tells.
    pub fn is_still(&self, outline: &Self) -> bool {
        let Self { id, name, archived, fork, private, description, topics, branch, pushed, updated, .. } =
            self;
        *id == outline.id
            && *name == outline.name
            && (*archived, *fork, *private) == (outline.archived, outline.fork, outline.private)
            && *description == outline.description
            && *topics == outline.topics
            && *branch == outline.branch
            && *pushed == outline.pushed
            && *updated == outline.updated
    }

    /// The part of the name after the owner.
    pub fn short_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }

    /// Whether a file of the root fits one of the patterns.
    pub fn has_file(&self, patterns: &[String]) -> bool {
        self.files.iter().any(|file| patterns.iter().any(|pattern| super::matches(pattern, file)))
    }

    /// The licence it has, by whatever sign: the host's word, or a file of the root with a licence's name.
    pub fn any_license(&self) -> Option<&str> {
        let named = self.license.as_deref().filter(|id| !id.is_empty());
        named.or_else(|| self.files.iter().map(String::as_str).find(|file| is_license(file)))
    }

    /// The language with the most bytes.
    pub fn main_language(&self) -> Option<&str> {
        self.languages
            .iter()
            .max_by_key(|(name, bytes)| (**bytes, std::cmp::Reverse(*name)))
            .map(|(name, _)| name.as_str())
    }
}

/// Whether a file's name is that of a licence.
fn is_license(file: &str) -> bool {
    let lower = file.to_lowercase();
    let stem = |name: &str| {
        lower.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_', 's']))
    };
    LICENCES.iter().any(|name| match name.split_once("[cs]") {
        Some((before, after)) => stem(&format!("{before}c{after}")) || stem(&format!("{before}s{after}")),
        None => stem(name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_of_any_name_is_one() {
        for file in
            ["LICENSE", "LICENCE.txt", "license-mit", "LICENSES", "COPYING", "COPYING.LESSER", "UNLICENSE"]
        {
            let repository = Repository { files: vec![file.to_owned()], ..Repository::default() };
            assert_eq!(repository.any_license(), Some(file));
        }
        for file in ["README.md", "licensing_server.rs", "copyingmachine"] {
            assert!(!is_license(file), "{file}");
        }
        let said = Repository { license: Some("NOASSERTION".to_owned()), ..Repository::default() };
        assert_eq!(said.any_license(), Some("NOASSERTION"));
    }
}
