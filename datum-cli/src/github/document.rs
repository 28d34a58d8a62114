//! The GraphQL documents. Values travel as variables, never inside a document.

use std::fmt::Write as _;

/// What a listing tells of a repository: enough to say whether anything changed.
const OUTLINE: &str = "
fragment Outline on Repository {
  id nameWithOwner description isArchived isFork isPrivate pushedAt updatedAt
  repositoryTopics(first: 20) { nodes { topic { name } } }
  defaultBranchRef {
    name
    target { ... on Commit { oid committedDate statusCheckRollup { state } } }
  }
}";

/// What stands in the root of the default branch, and what the host says of the licence.
const ROOT: &str = "
fragment Root on Repository {
  licenseInfo { spdxId }
  root: object(expression: \"HEAD:\") { ... on Tree { entries { name } } }
}";

/// A page of an owner's repositories.
///
/// In the order of their creation: a renamed one keeps its place, and a new one comes last.
pub(crate) fn listing() -> String {
    format!(
        "query Listing($login: String!, $first: Int!, $after: String, $archived: Boolean, $fork: Boolean, $counts: Boolean!) {{
  repositoryOwner(login: $login) {{
    login
    ... on Organization {{ name }}
    ... on User {{ name }}
    page: repositories(first: $first, after: $after, isArchived: $archived, isFork: $fork, ownerAffiliations: [OWNER], orderBy: {{field: CREATED_AT, direction: ASC}}) {{
      totalCount
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ ...Outline }}
    }}
    archived: repositories(isArchived: true, ownerAffiliations: [OWNER]) @include(if: $counts) {{ totalCount }}
    forks: repositories(isArchived: false, isFork: true, ownerAffiliations: [OWNER]) @include(if: $counts) {{ totalCount }}
  }}
}}{OUTLINE}"
    )
}

/// Everything about the repositories with these ids.
pub(crate) fn facts() -> String {
    format!(
        "query Facts($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ...Outline ...Root ...Detail }}
}}
fragment Detail on Repository {{
  diskUsage
  languages(first: 20, orderBy: {{field: SIZE, direction: DESC}}) {{ edges {{ size node {{ name }} }} }}
  workflows: object(expression: \"HEAD:.github/workflows\") {{ ... on Tree {{ entries {{ name }} }} }}
}}{OUTLINE}{ROOT}"
    )
}

/// What repositories are right now, just before they are changed.
pub(crate) fn now() -> String {
    format!(
        "query Now($ids: [ID!]!, $files: Boolean!) {{
  nodes(ids: $ids) {{ ...Outline ...Root @include(if: $files) }}
}}{OUTLINE}{ROOT}"
    )
}

/// Whose token it is.
#[allow(dead_code, reason = "only a vault keeps tokens")]
pub(crate) const fn viewer() -> &'static str {
    "query Viewer { viewer { login } }"
}

/// Sets the topics of `count` repositories, from the variables `i0`, `i1`, …
pub(crate) fn topics(count: usize) -> String {
    let answer =
        "{ invalidTopicNames repository { id repositoryTopics(first: 20) { nodes { topic { name } } } } }";
    mutation("Topics", "updateTopics", "UpdateTopicsInput", answer, count)
}

/// Commits to `count` branches, each only if its head is what was read, from the variables `i0`, `i1`, …
pub(crate) fn commits(count: usize) -> String {
    mutation("Commits", "createCommitOnBranch", "CreateCommitOnBranchInput", "{ commit { oid } }", count)
}

fn mutation(name: &str, field: &str, input: &str, answer: &str, count: usize) -> String {
    let variables: Vec<String> = (0..count).map(|n| format!("$i{n}: {input}!")).collect();
    let mut text = format!("mutation {name}({}) {{", variables.join(", "));
    for n in 0..count {
        let _ = write!(text, "\n  r{n}: {field}(input: $i{n}) {answer}");
    }
    text + "\n}"
}
