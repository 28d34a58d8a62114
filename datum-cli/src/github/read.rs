//! Answers become facts. Whatever is not of the expected shape is not known.

use datum_core::hygiene::{Branch, Repository};
use serde_json::Value;
use std::collections::BTreeMap;

/// Names of a root that are kept; more than that is no project's root.
const FILES_MAX: usize = 2000;

/// A page of a listing.
#[derive(Debug)]
pub(crate) struct Page {
    /// The owner's login, as the host spells it.
    pub(crate) login: String,
    /// The owner's name.
    pub(crate) title: String,
    /// The repositories, each as [`Repository::outline`] has it; those that cannot be read are left out.
    pub(crate) repositories: Vec<Repository>,
    /// How many there are on all pages.
    pub(crate) total: u64,
    /// Where the next page begins, if there is one.
    pub(crate) next: Option<String>,
    /// How many archived ones, and how many forks beside them, if that was asked.
    pub(crate) others: Option<(u64, u64)>,
}

/// Reads a page of a listing; `None` if there is no such owner.
pub(crate) fn page(data: &Value) -> Option<Page> {
    let owner = &data["repositoryOwner"];
    let page = &owner["page"];
    let total = page["totalCount"].as_u64()?;
    let more = page["pageInfo"]["hasNextPage"].as_bool().unwrap_or(false);
    let others = owner["archived"]["totalCount"].as_u64().zip(owner["forks"]["totalCount"].as_u64());
    Some(Page {
        login: text(&owner["login"])?,
        title: text(&owner["name"]).unwrap_or_default(),
        repositories: list(&page["nodes"]).filter_map(repository).map(|found| found.outline()).collect(),
        total,
        next: text(&page["pageInfo"]["endCursor"]).filter(|_| more),
        others,
    })
}

/// Reads a repository; `None` for anything else.
pub(crate) fn repository(node: &Value) -> Option<Repository> {
    let flag = |name: &str| node[name].as_bool().unwrap_or(false);
    // A branch that cannot be read is not taken for none.
    let branch = match &node["defaultBranchRef"] {
        Value::Null => None,
        there => Some(branch(there)?),
    };
    let (files, many) = names(&node["root"]);
    // A root that was asked for and did not come is not known; it is not empty.
    let lost = branch.is_some() && node.get("root").is_some() && !node["root"]["entries"].is_array();
    let sizes = list(&node["languages"]["edges"]);
    let languages = sizes.filter_map(|edge| Some((text(&edge["node"]["name"])?, edge["size"].as_u64()?)));
    let license = node.get("licenseInfo").map(|info| text(&info["spdxId"]).unwrap_or_default());
    Some(Repository {
        id: text(&node["id"])?,
        name: text(&node["nameWithOwner"])?,
        archived: flag("isArchived"),
        fork: flag("isFork"),
        private: flag("isPrivate"),
        description: Some(text(&node["description"]).unwrap_or_default()),
        topics: Some(topics(node)),
        license,
        branch,
        pushed: text(&node["pushedAt"]).unwrap_or_default(),
        updated: text(&node["updatedAt"]).unwrap_or_default(),
        kilobytes: node["diskUsage"].as_u64().unwrap_or(0),
        languages: languages.collect::<BTreeMap<_, _>>(),
        files,
        files_more: many || lost,
        workflows: names(&node["workflows"]).0,
    })
}

/// Reads a page of the list that REST gives: of each repository its id, its name, and whether it is archived or a fork.
pub(crate) fn rows(page: &Value) -> Option<Vec<Repository>> {
    let row = |row: &Value| {
        Some(Repository {
            id: text(&row["node_id"])?,
            name: text(&row["full_name"])?,
            archived: row["archived"].as_bool().unwrap_or(false),
            fork: row["fork"].as_bool().unwrap_or(false),
            ..Repository::default()
        })
    };
    page.as_array()?.iter().map(row).collect()
}

/// The type and message of the first error that concerns `field`, or its part `index`.
pub(crate) fn errors_at(errors: &Value, field: &str, index: Option<usize>) -> Option<(String, String)> {
    let concerns = |error: &&Value| {
        let path = &error["path"];
        path[0] == field && index.is_none_or(|index| path[1].as_u64() == u64::try_from(index).ok())
    };
    let error = list(errors).find(concerns)?;
    let kind = text(&error["type"]).unwrap_or_default();
    let message = text(&error["message"]).unwrap_or_else(|| "no reason given".to_owned());
    Some((kind, message.split_whitespace().collect::<Vec<_>>().join(" ")))
}

fn topics(node: &Value) -> Vec<String> {
    list(&node["repositoryTopics"]["nodes"]).filter_map(|topic| text(&topic["topic"]["name"])).collect()
}

fn branch(node: &Value) -> Option<Branch> {
    let target = &node["target"];
    Some(Branch {
        name: text(&node["name"])?,
        head: text(&target["oid"])?,
        time: crate::time::parse_absolute(target["committedDate"].as_str()?)?,
        checks: text(&target["statusCheckRollup"]["state"]),
    })
}

fn names(tree: &Value) -> (Vec<String>, bool) {
    let mut all: Vec<String> = list(&tree["entries"]).filter_map(|entry| text(&entry["name"])).collect();
    let more = all.len() > FILES_MAX;
    all.truncate(FILES_MAX);
    all.sort();
    (all, more)
}

fn list(value: &Value) -> std::slice::Iter<'_, Value> {
    value.as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
