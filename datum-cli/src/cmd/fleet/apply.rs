//! Applying a plan: read what is there now, change what is to be changed, record what became of it.

use crate::edge::Edge;
use crate::fault::Fault;
use crate::github::{self, Client, Failure, HOUR, Stop};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use datum_core::hygiene::{
    self, Action, Change, Ended, NewFile, Outcome, Plan, Repository, draft_outcomes, merge_topics,
};
use datum_core::{EntryId, Kind};
use serde_json::{Value, json};
use std::collections::{BTreeSet, VecDeque};

/// How often a single repository is tried.
const TRIES: u32 = 3;

/// Repositories changed by one request, at first.
const fn batch_of(action: Action) -> usize {
    match action {
        Action::Tag => 40,
        // Each carries a whole text, and makes the host write a commit.
        Action::License => 10,
    }
}

/// What is done so far, and what is not certain.
struct Round<'p> {
    plan: &'p Plan,
    done: Vec<Outcome>,
    /// Commits that were asked for without an answer: they may have been made.
    unsure: BTreeSet<String>,
}

/// Carries out the changes, in the order of the plan; every batch's outcome is recorded before the next begins.
///
/// What other runs wrote in the last hour counts against the host's limits, as it is recorded.
pub(super) fn carry_out(
    client: &mut Client<'_>,
    edge: &Edge<'_>,
    id: EntryId,
    plan: &Plan,
    todo: Vec<&Change>,
) -> Result<(Vec<Outcome>, Option<Stop>), Fault> {
    let store = edge.store()?;
    let now = edge.now()?;
    let recorded = hygiene::writes(&store.snapshot()?, now.saturating_sub(HOUR * 1000));
    let ago =
        |(time, count): (u64, u64)| (now.saturating_sub(time), usize::try_from(count).unwrap_or(usize::MAX));
    client.remember(recorded.into_iter().map(ago));
    let mut written = 0;
    let mut round = Round { plan, done: Vec::new(), unsure: BTreeSet::new() };
    let mut queue: VecDeque<&Change> = todo.into();
    let (mut size, mut tries) = (batch_of(plan.action), 0);
    let mut all = Vec::new();
    let count = queue.len();
    while !queue.is_empty() {
        client.progress(count - queue.len(), count);
        let batch: Vec<&Change> = queue.drain(..size.min(queue.len())).collect();
        let ended = round.step(client, &batch);
        let mut stop = None;
        let mut again = Vec::new();
        let left =
            || batch.iter().copied().filter(|change| !round.done.iter().any(|done| done.id == change.id));
        match ended {
            Ok(()) => tries = 0,
            Err(Failure::Large(_)) if size > 1 => {
                size = batch.len().div_ceil(2).min(size / 2).max(1);
                again = left().collect();
            }
            Err(Failure::Large(_)) if tries + 1 < TRIES => {
                tries += 1;
                again = left().collect();
            }
            Err(Failure::Large(why) | Failure::Refused(why)) => {
                tries = 0;
                let failed: Vec<_> = left().map(|change| outcome(change, Ended::Failed, &why)).collect();
                round.done.extend(failed);
            }
            Err(Failure::Stop(reason)) => stop = Some(reason),
        }
        let writes = client.writes() - written;
        if !round.done.is_empty() || (stop.is_some() && writes > 0) {
            let draft = draft_outcomes(id, &round.done, writes)?;
            // The moment of now and not of the start: a run may last for hours.
            store.note(Kind::Audit, &edge.stamp()?, &[draft])?;
            all.append(&mut round.done);
            written += writes;
        }
        if stop.is_some() {
            client.progress(count, count);
            return Ok((all, stop));
        }
        again.into_iter().rev().for_each(|change| queue.push_front(change));
    }
    client.progress(count, count);
    Ok((all, None))
}

fn outcome(change: &Change, ended: Ended, detail: &str) -> Outcome {
    Outcome { id: change.id.clone(), name: change.name.clone(), ended, detail: detail.to_owned() }
}

impl Round<'_> {
    /// Reads a batch and changes it; what became of each goes to `done`, also when an error ends it early.
    fn step(&mut self, client: &mut Client<'_>, batch: &[&Change]) -> Result<(), Failure> {
        let ids: Vec<&str> = batch.iter().map(|change| change.id.as_str()).collect();
        let files = self.plan.action == Action::License;
        let (data, errors) = client.ask(&github::now(), &json!({ "ids": ids, "files": files }))?;
        let mut found = Vec::new();
        for (index, change) in batch.iter().enumerate() {
            let node = &data["nodes"][index];
            let said = github::errors_at(&errors, "nodes", Some(index)).map(|(_, said)| said);
            match github::repository(node).filter(|now| said.is_none() && now.id == change.id) {
                Some(now) if now.archived => self.tell(change, Ended::Refused, "it is archived"),
                Some(now) => found.push((*change, now)),
                None => {
                    let why = said.unwrap_or_else(|| "GitHub no longer finds it".to_owned());
                    self.tell(change, Ended::Failed, &why);
                }
            }
        }
        match &self.plan.file {
            Some(file) => self.commit(client, &found, file),
            None => self.tag(client, &found),
        }
    }

    fn tell(&mut self, change: &Change, ended: Ended, detail: &str) {
        self.done.push(outcome(change, ended, detail));
    }

    /// Sets the topics of all that lack some: those that are there now, and the new ones.
    fn tag(&mut self, client: &mut Client<'_>, found: &[(&Change, Repository)]) -> Result<(), Failure> {
        let mut writes = Vec::new();
        for (change, now) in found {
            let have = now.topics.clone().unwrap_or_default();
            match merge_topics(&have, &change.topics) {
                Ok(all) if all.len() == have.len() => self.tell(change, Ended::Unchanged, "it has them all"),
                Ok(all) => writes.push((*change, all)),
                Err(error) => self.tell(change, Ended::Refused, &error.to_string()),
            }
        }
        if writes.is_empty() {
            return Ok(());
        }
        let input = |change: &Change, all: &[String]| json!({ "repositoryId": change.id, "topicNames": all });
        let variables = variables(writes.iter().map(|(change, all)| input(change, all)));
        let (data, errors) = client.change(&github::topics(writes.len()), &variables, 1)?;
        for (n, (change, _)) in writes.iter().enumerate() {
            let field = format!("r{n}");
            let answer = &data[&field];
            let has = |topic: &String| {
                let nodes = answer["repository"]["repositoryTopics"]["nodes"].as_array();
                nodes.into_iter().flatten().any(|node| node["topic"]["name"] == topic.as_str())
            };
            let invalid = answer["invalidTopicNames"].as_array().filter(|names| !names.is_empty());
            if answer.is_null() {
                self.not_done(change, &errors, &field);
            } else if let Some(names) = invalid {
                self.tell(change, Ended::Refused, &format!("GitHub does not take {}", json!(names)));
            } else if change.topics.iter().all(has) {
                self.tell(change, Ended::Done, &change.topics.join(" "));
            } else {
                self.tell(change, Ended::Failed, "GitHub answered, and the topics are not there");
            }
        }
        Ok(())
    }

    /// Commits the file to every default branch that is still where it was read a moment ago.
    fn commit(
        &mut self,
        client: &mut Client<'_>,
        found: &[(&Change, Repository)],
        file: &NewFile,
    ) -> Result<(), Failure> {
        let mut writes = Vec::new();
        let mut empty = Vec::new();
        for (change, now) in found {
            match (now.any_license(), &now.branch) {
                (Some(name), _) => {
                    // One of a run that was killed before it could record it, or whose answer was lost.
                    let ours = now.files.contains(&file.path) && is_there(client, now, file)?;
                    match (ours, self.unsure.contains(&change.id)) {
                        (true, true) => self.tell(change, Ended::Done, &file.spdx),
                        (true, false) => {
                            self.tell(change, Ended::Unchanged, "it has this licence, word for word");
                        }
                        (false, _) => self.tell(change, Ended::Refused, &format!("it has a licence: {name}")),
                    }
                }
                (None, _) if now.files_more => {
                    self.tell(change, Ended::Failed, "its root could not be read whole");
                }
                (None, Some(branch)) => {
                    let input = json!({
                        "branch": { "repositoryNameWithOwner": now.name, "branchName": branch.name },
                        "expectedHeadOid": branch.head,
                        "message": { "headline": headline(file) },
                        "fileChanges": { "additions": [{ "path": file.path, "contents": STANDARD.encode(&file.text) }] },
                    });
                    writes.push((*change, input));
                }
                (None, None) => empty.push((*change, now)),
            }
        }
        if !writes.is_empty() {
            let variables = variables(writes.iter().map(|(_, input)| input.clone()));
            let answer = client.change(&github::commits(writes.len()), &variables, writes.len());
            if matches!(answer, Err(Failure::Large(_))) {
                self.unsure.extend(writes.iter().map(|(change, _)| change.id.clone()));
            }
            let (data, errors) = answer?;
            for (n, (change, _)) in writes.iter().enumerate() {
                let field = format!("r{n}");
                match data[&field]["commit"]["oid"].as_str() {
                    Some(oid) => self.tell(change, Ended::Done, &format!("{} in {oid}", file.spdx)),
                    None => self.not_done(change, &errors, &field),
                }
            }
        }
        for (change, now) in empty {
            self.first_commit(client, change, now, file)?;
        }
        Ok(())
    }

    /// Makes the first commit of an empty repository, which only the REST API can.
    fn first_commit(
        &mut self,
        client: &mut Client<'_>,
        change: &Change,
        now: &Repository,
        file: &NewFile,
    ) -> Result<(), Failure> {
        let Some(path) = path_of(now, file) else {
            self.tell(change, Ended::Failed, "its name is none");
            return Ok(());
        };
        let body = json!({ "message": headline(file), "content": STANDARD.encode(&file.text) });
        match client.put(&path, &body) {
            Ok(answer) => {
                let oid = answer["commit"]["sha"].as_str().unwrap_or("its first commit");
                self.tell(change, Ended::Done, &format!("{} in {oid}", file.spdx));
                Ok(())
            }
            Err(Failure::Refused(why)) => {
                self.tell(change, Ended::Refused, &why);
                Ok(())
            }
            Err(failure) => {
                self.unsure.insert(change.id.clone());
                Err(failure)
            }
        }
    }

    /// Tells why a part of a mutation was not done: some reasons pass, others stay.
    fn not_done(&mut self, change: &Change, errors: &Value, field: &str) {
        let (kind, said) = github::errors_at(errors, field, None)
            .unwrap_or_else(|| (String::new(), "GitHub did not say why".to_owned()));
        let ended = match kind.as_str() {
            "FORBIDDEN" | "UNPROCESSABLE" | "INSUFFICIENT_SCOPES" => Ended::Refused,
            _ => Ended::Failed,
        };
        self.tell(change, ended, &said);
    }
}

/// The REST path of the file in a repository; `None` for a name that is none.
fn path_of(now: &Repository, file: &NewFile) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-/".contains(&b);
    let name = &now.name;
    let fits = name.bytes().all(plain) && name.matches('/').count() == 1 && !name.contains("..");
    fits.then(|| format!("/repos/{name}/contents/{}", file.path))
}

/// Whether the file stands there, to the letter.
fn is_there(client: &mut Client<'_>, now: &Repository, file: &NewFile) -> Result<bool, Failure> {
    let Some(path) = path_of(now, file) else { return Ok(false) };
    match client.file(&path) {
        Ok(text) => Ok(text.as_ref() == Some(&file.text)),
        Err(Failure::Refused(_)) => Ok(false),
        Err(failure) => Err(failure),
    }
}

fn headline(file: &NewFile) -> String {
    format!("Add {} ({})", file.path, file.spdx)
}

/// The variables `i0`, `i1`, … of a mutation.
fn variables(inputs: impl Iterator<Item = Value>) -> Value {
    Value::Object(inputs.enumerate().map(|(n, input)| (format!("i{n}"), input)).collect())
}
