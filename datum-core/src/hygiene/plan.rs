//! A plan: what is to be done to which repositories, to be reviewed before it is applied.

use super::repository::Repository;
use super::topics::merge_topics;
use crate::entry::{Draft, DraftError, Entry};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::snapshot::Snapshot;
use crate::undo;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

/// The trailer that names what a plan does.
const PLAN: &str = "Plan";
/// The trailer that names the organisation of a plan.
const ORGANIZATION: &str = "Organization";

/// What a plan does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Adds topics.
    Tag,
    /// Adds a licence.
    License,
}

impl Action {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::License => "license",
        }
    }
}

/// What is to be done to one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The id that survives renaming.
    pub id: String,
    /// The name it had.
    pub name: String,
    /// The topics to add; none in a plan of licences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<String>,
}

/// A repository that the plan leaves alone, though it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Its name.
    pub name: String,
    /// Why.
    pub why: String,
}

/// The file that a plan of licences adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFile {
    /// Its path.
    pub path: String,
    /// The SPDX id of the licence.
    pub spdx: String,
    /// The whole text.
    pub text: String,
}

/// What is to be done to which repositories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The version of the format, 1.
    pub version: u32,
    /// What it does.
    pub action: Action,
    /// To whose repositories.
    pub organization: String,
    /// The file to add, in a plan of licences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<NewFile>,
    /// What is to be done, by name.
    pub changes: Vec<Change>,
    /// What cannot be done, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refusal>,
}

/// Plans topics: `wanted` tells those a repository should have; what it has already is left out.
pub fn plan_tags(
    organization: &str,
    repositories: &[Repository],
    wanted: impl Fn(&Repository) -> Vec<String>,
) -> Plan {
    let mut plan = empty(Action::Tag, organization);
    for repository in repositories {
        let have = repository.topics.clone().unwrap_or_default();
        match merge_topics(&have, &wanted(repository)) {
            Ok(all) if all.len() == have.len() => {}
            Ok(all) => plan.changes.push(change(repository, all[have.len()..].to_vec())),
            Err(error) => plan.refused.push(refusal(repository, &error.to_string())),
        }
    }
    plan
}

/// Plans a licence for every repository that has none of any name.
pub fn plan_license(organization: &str, repositories: &[Repository], file: NewFile) -> Plan {
    let mut plan = empty(Action::License, organization);
    for repository in repositories.iter().filter(|repository| repository.any_license().is_none()) {
        if repository.archived {
            plan.refused.push(refusal(repository, "it is archived, so nothing can be committed"));
        } else if repository.files_more {
            plan.refused.push(refusal(repository, "its root is too large to say that it holds no licence"));
        } else {
            plan.changes.push(change(repository, Vec::new()));
        }
    }
    plan.file = Some(file);
    plan
}

fn empty(action: Action, organization: &str) -> Plan {
    let organization = organization.to_owned();
    Plan { version: 1, action, organization, file: None, changes: Vec::new(), refused: Vec::new() }
}

fn change(repository: &Repository, topics: Vec<String>) -> Change {
    Change { id: repository.id.clone(), name: repository.name.clone(), topics }
}

fn refusal(repository: &Repository, why: &str) -> Refusal {
    Refusal { name: repository.name.clone(), why: why.to_owned() }
}

/// Drafts the entry of a plan.
///
/// # Errors
/// [`DraftError`] for an organisation that is no trailer, and a plan over 64 MiB.
pub fn draft_plan(plan: &Plan) -> Result<Draft, DraftError> {
    let action = plan.action.as_str();
    let subject = format!("Plan: {action} {} repositories of {}", plan.changes.len(), plan.organization);
    Draft::new(&subject, &super::to_json(plan))?.with(PLAN, action)?.with(ORGANIZATION, &plan.organization)
}

/// The plan that an entry is; `None` if it is none of version 1.
pub fn find_plan(snapshot: &Snapshot<'_>, entry: &Entry) -> Option<Plan> {
    entry.trailer(PLAN)?;
    let plan: Plan = super::from_entry(snapshot, entry)?;
    (plan.version == 1).then_some(plan)
}

/// The newest plan for an organisation that does `action`.
pub fn latest_plan(snapshot: &Snapshot<'_>, organization: &str, action: Action) -> Option<(EntryId, Plan)> {
    let mut found = None;
    undo::walk_visible(snapshot, Kind::Audit, |view| {
        let named = view.trailer(ORGANIZATION).is_some_and(|name| name.eq_ignore_ascii_case(organization));
        if !named || view.trailer(PLAN) != Some(action.as_str()) {
            return ControlFlow::Continue(());
        }
        found = Some(view.to_entry());
        ControlFlow::Break(())
    });
    let entry = found?;
    Some((entry.id, find_plan(snapshot, &entry)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(name: &str, topics: &[&str]) -> Repository {
        let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        Repository {
            id: name.to_owned(),
            name: name.to_owned(),
            topics: Some(topics),
            ..Repository::default()
        }
    }

    #[test]
    fn a_plan_of_topics_holds_what_is_new_and_says_what_cannot_be() {
        let many: Vec<String> = (0..20).map(|n| format!("t{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let all = [repository("a", &["x"]), repository("b", &["fleet"]), repository("c", &many)];
        let plan = plan_tags("o", &all, |_| vec!["fleet".to_owned()]);
        assert_eq!(plan.changes.len(), 1);
        assert_eq!(
            (plan.changes[0].name.as_str(), plan.changes[0].topics.as_slice()),
            ("a", ["fleet".to_owned()].as_slice())
        );
        assert_eq!(plan.refused[0].why, "it has 20 topics; 1 more make 21, and the most is 20");
    }

    #[test]
    fn a_licence_is_planned_only_where_there_is_none() {
        let file = NewFile { path: "LICENSE".into(), spdx: "MIT".into(), text: "t".into() };
        let mut all =
            [repository("a", &[]), repository("b", &[]), repository("c", &[]), repository("d", &[])];
        all[1].files = vec!["COPYING".into()];
        all[2].archived = true;
        all[3].license = Some("NOASSERTION".into());
        let plan = plan_license("o", &all, file);
        let names: Vec<_> = plan.changes.iter().map(|change| change.name.as_str()).collect();
        assert_eq!((names.as_slice(), plan.refused[0].name.as_str()), (["a"].as_slice(), "c"));
    }
}
