//! What the host answers, from what it holds.

use super::{Repo, World};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

impl World {
    pub(super) fn result(&mut self, what: &str, variables: &Value, body: &Value) -> (u16, Value) {
        let size = variables["first"].as_u64().map(number);
        let ids = variables["ids"].as_array().cloned().unwrap_or_default();
        let inputs =
            variables.as_object().map_or(0, |all| all.keys().filter(|key| key.starts_with('i')).count());
        let size = size.unwrap_or(ids.len().max(inputs));
        if self.most.is_some_and(|most| size > most && what != "Listing") {
            return (502, json!("<html>"));
        }
        match what {
            "Listing" => (200, self.listing(variables)),
            "Facts" | "Now" => (200, self.nodes(&ids, what == "Facts" || variables["files"] == true)),
            "Topics" => (200, self.topics(variables)),
            "Commits" => (200, self.commits(variables)),
            "Viewer" => (200, json!({ "data": { "viewer": { "login": "octo" } } })),
            _ if what.starts_with("PUT ") => self.put(what, body),
            _ => self.get(what),
        }
    }

    /// A page of the list that REST has.
    pub(super) fn page(
        &self,
        query: &str,
        etag: &str,
        headers: &mut Vec<(&'static str, String)>,
    ) -> (u16, Value) {
        let parameter = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name));
        let size: usize = parameter("per_page=").unwrap().parse().unwrap();
        let number: usize = parameter("page=").map_or(1, |page| page.parse().unwrap());
        let (from, to) = ((number - 1) * size, (number * size).min(self.repos.len()));
        let row = |index: usize| {
            let repo = &self.repos[index];
            let name = repo.name_now();
            json!({ "id": index, "node_id": format!("R_{index}"), "name": name, "full_name": format!("Fleet/{name}"), "archived": repo.archived, "fork": repo.fork, "pushed_at": repo.date, "stars": repo.commits })
        };
        let page = json!((from..to).map(row).collect::<Vec<_>>());
        let mut hash = DefaultHasher::new();
        page.to_string().hash(&mut hash);
        let now = format!("W/\"{:x}\"", hash.finish());
        if to < self.repos.len() {
            let next = format!("{}/organizations/1/repos?per_page={size}&page={}", self.url, number + 1);
            headers.push(("link", format!("<{next}>; rel=\"next\", <{next}>; rel=\"last\"")));
        }
        let same = now == etag;
        headers.push(("etag", now));
        if same { (304, Value::Null) } else { (200, page) }
    }

    /// A file as it is.
    fn get(&self, what: &str) -> (u16, Value) {
        let path: Vec<_> = what.split('/').collect();
        let ["GET ", "repos", "Fleet", name, "contents", file] = path.as_slice() else {
            return (404, json!({ "message": "Not Found" }));
        };
        let repo = self.repos.iter().find(|repo| repo.name_now() == *name).unwrap();
        match repo.committed.iter().rev().find(|(path, _)| path == file) {
            Some((_, text)) => (200, json!(String::from_utf8(STANDARD.decode(text).unwrap()).unwrap())),
            None if repo.files.iter().any(|name| name == file) => (200, json!("All rights reserved.\n")),
            None => (404, json!({ "message": "Not Found" })),
        }
    }

    fn listing(&self, variables: &Value) -> Value {
        if !variables["login"].as_str().unwrap().eq_ignore_ascii_case("fleet") {
            return json!({ "data": { "repositoryOwner": null } });
        }
        let wanted = |key: &str, is: bool| variables[key].as_bool().is_none_or(|want| want == is);
        let all: Vec<_> = self
            .repos
            .iter()
            .enumerate()
            .filter(|(_, r)| wanted("archived", r.archived) && wanted("fork", r.fork))
            .collect();
        let from = variables["after"].as_str().map_or(0, |after| after.parse::<usize>().unwrap());
        let to = (from + number(variables["first"].as_u64().unwrap())).min(all.len());
        let nodes: Vec<_> = all[from..to].iter().map(|(index, repo)| node(*index, repo, false)).collect();
        let total = |test: fn(&Repo) -> bool| json!({ "totalCount": self.repos.iter().filter(|repo| test(repo)).count() });
        let mut owner = json!({
            "login": "Fleet", "name": "The Fleet",
            "page": { "totalCount": all.len(), "pageInfo": { "hasNextPage": to < all.len(), "endCursor": to.to_string() }, "nodes": nodes },
        });
        if variables["counts"] == true {
            owner["archived"] = total(|repo| repo.archived);
            owner["forks"] = total(|repo| repo.fork && !repo.archived);
        }
        json!({ "data": { "repositoryOwner": owner } })
    }

    fn nodes(&mut self, ids: &[Value], root: bool) -> Value {
        let mut errors = Vec::new();
        let mut nodes = Vec::new();
        for (at, id) in ids.iter().enumerate() {
            let found = index(id).and_then(|index| Some((index, self.repos.get_mut(index)?)));
            let Some((index, repo)) = found else {
                errors.push(json!({ "type": "NOT_FOUND", "path": ["nodes", at], "message": "Could not resolve to a node" }));
                nodes.push(Value::Null);
                continue;
            };
            if repo.deleted || repo.broken {
                let (kind, said) = if repo.deleted {
                    ("NOT_FOUND", "Could not resolve to a node")
                } else {
                    ("INTERNAL", self.reason.as_str())
                };
                errors.push(json!({ "type": kind, "path": ["nodes", at], "message": said }));
                nodes.push(Value::Null);
                continue;
            }
            nodes.push(node(index, repo, root));
            if repo.busy {
                repo.commits += 1;
            }
        }
        let mut answer = json!({ "data": { "nodes": nodes } });
        if !errors.is_empty() {
            answer["errors"] = json!(errors);
        }
        answer
    }

    fn topics(&mut self, variables: &Value) -> Value {
        let mut data = json!({});
        for (name, input) in variables.as_object().unwrap() {
            let repo = &mut self.repos[index(&input["repositoryId"]).unwrap()];
            repo.topics = serde_json::from_value(input["topicNames"].clone()).unwrap();
            data[name.replace('i', "r")] = json!({ "invalidTopicNames": null, "repository": { "id": input["repositoryId"], "repositoryTopics": topics(repo) } });
        }
        json!({ "data": data })
    }

    fn commits(&mut self, variables: &Value) -> Value {
        let (mut data, mut errors) = (json!({}), Vec::new());
        for (name, input) in variables.as_object().unwrap() {
            let full = input["branch"]["repositoryNameWithOwner"].as_str().unwrap();
            let repo =
                self.repos.iter_mut().find(|repo| full == format!("Fleet/{}", repo.name_now())).unwrap();
            let field = name.replace('i', "r");
            let refused = if repo.protected {
                Some(("UNPROCESSABLE", "Cannot update this protected ref."))
            } else if input["expectedHeadOid"] != repo.head().as_str() {
                Some(("STALE_DATA", "Expected branch to point to another commit."))
            } else {
                None
            };
            if let Some((kind, said)) = refused {
                data[&field] = Value::Null;
                errors.push(json!({ "type": kind, "path": [field], "message": said }));
                continue;
            }
            let file = &input["fileChanges"]["additions"][0];
            add(repo, file["path"].as_str().unwrap(), file["contents"].as_str().unwrap());
            data[&field] = json!({ "commit": { "oid": repo.head() } });
        }
        json!({ "data": data, "errors": errors })
    }

    fn put(&mut self, what: &str, body: &Value) -> (u16, Value) {
        let path: Vec<_> = what.split('/').collect();
        let (repo, file) = match path.as_slice() {
            ["PUT ", "repos", "Fleet", name, "contents", file] => {
                (self.repos.iter_mut().find(|repo| repo.name == *name).unwrap(), file)
            }
            ["PUT ", "repositories", id, "contents", file] => {
                (&mut self.repos[id.parse::<usize>().unwrap()], file)
            }
            _ => return (404, json!({ "message": "Not Found" })),
        };
        add(repo, file, body["content"].as_str().unwrap());
        (201, json!({ "commit": { "sha": repo.head() } }))
    }
}

fn add(repo: &mut Repo, path: &str, contents: &str) {
    repo.committed.push((path.to_owned(), contents.to_owned()));
    repo.files.push(path.to_owned());
    repo.commits += 1;
}

fn index(id: &Value) -> Option<usize> {
    id.as_str()?.strip_prefix("R_")?.parse().ok()
}

fn topics(repo: &Repo) -> Value {
    json!({ "nodes": repo.topics.iter().map(|topic| json!({ "topic": { "name": topic } })).collect::<Vec<_>>() })
}

fn node(index: usize, repo: &Repo, root: bool) -> Value {
    let names = |names: &[String]| json!({ "entries": names.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>() });
    let mut node = json!({
        "id": format!("R_{index}"), "nameWithOwner": format!("Fleet/{}", if root { repo.name_now() } else { &repo.name }), "description": "A vessel",
        "isArchived": repo.archived, "isFork": repo.fork, "isPrivate": false,
        "pushedAt": repo.date, "updatedAt": repo.date, "repositoryTopics": topics(repo), "defaultBranchRef": null,
    });
    if repo.commits > 0 {
        let target = json!({ "oid": repo.head(), "committedDate": repo.date, "statusCheckRollup": { "state": "SUCCESS" } });
        node["defaultBranchRef"] = json!({ "name": "main", "target": target });
    }
    if root {
        node["licenseInfo"] = repo.license.map_or(Value::Null, |id| json!({ "spdxId": id }));
        node["root"] = if repo.commits > 0 { names(&repo.files) } else { Value::Null };
        node["diskUsage"] = json!(10);
        node["languages"] = json!({ "edges": [{ "size": 1000 + index, "node": { "name": "Rust" } }, { "size": 7, "node": { "name": "C++" } }] });
        node["workflows"] = names(&["ci.yml".to_owned()]);
    }
    node
}

fn number(size: u64) -> usize {
    usize::try_from(size).unwrap()
}
