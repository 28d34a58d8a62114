//! Looking at an organisation: a listing, then the facts of what changed since they were last read.

use super::filter::Filter;
use super::list::list;
use crate::github::{self, Client, Failure, Stop};
use datum_core::hygiene::{Known, Repository, Scan, Sizes, Unknown};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// How often a single repository, or the smallest page, is asked for.
pub(super) const TRIES: u32 = 3;
/// Why a repository is not known that was left for another time.
const NOT_ASKED: &str = "not asked for";

/// What a look found, and what ended it early.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) scan: Scan,
    pub(super) stop: Option<Stop>,
}

/// Looks at the repositories that `filter` takes; what is `known` and whose outline is still the same are not asked for.
///
/// It begins with the `sizes` that the host was last seen to answer for.
pub(super) fn look(
    client: &mut Client<'_>,
    organization: &str,
    filter: &Filter,
    known: Known,
    sizes: Sizes,
) -> Result<Look, Failure> {
    let mut scan = Scan {
        version: 1,
        organization: organization.to_owned(),
        filter: filter.words.clone(),
        sizes,
        ..Scan::default()
    };
    let Known { repositories: mut pool, pages } = known;
    let (listed, mut stop) = list(client, filter, &pages, &mut scan)?;
    let mut changed = Vec::new();
    for outline in listed {
        if !filter.takes(&outline) {
            scan.filtered += 1;
            continue;
        }
        match pool.remove(&outline.id) {
            Some(facts) if facts.is_still(&outline) => scan.repositories.push(facts),
            _ => changed.push(outline),
        }
    }
    if stop.is_none() {
        let mut size = scan.sizes.batch;
        let (found, ended) = read(client, &Question::facts(), changed, &mut size, &mut scan.unknown);
        scan.repositories.extend(found);
        (scan.sizes.batch, stop) = (size, ended);
    } else {
        scan.unknown.extend(changed.into_iter().map(left));
    }
    scan.repositories.sort_by(|a, b| a.name.cmp(&b.name));
    scan.unknown.sort_by(|a, b| a.name.cmp(&b.name));
    scan.requests = client.requests();
    scan.sizes = scan.sizes.after(sizes);
    Ok(Look { scan, stop })
}

/// What is asked of repositories whose ids are known.
pub(super) struct Question {
    document: String,
    variables: Value,
}

impl Question {
    /// Everything.
    fn facts() -> Self {
        Self { document: github::facts(), variables: json!({}) }
    }

    /// What a listing tells.
    pub(super) fn outlines() -> Self {
        Self { document: github::now(), variables: json!({ "files": false }) }
    }
}

/// A repository that is left for another time.
pub(super) fn left(outline: Repository) -> Unknown {
    not_read(outline, NOT_ASKED)
}

fn not_read(outline: Repository, why: &str) -> Unknown {
    Unknown { name: outline.name, why: why.to_owned() }
}

/// Asks of repositories, `size` at once and fewer where the host cannot answer for as many.
pub(super) fn read(
    client: &mut Client<'_>,
    question: &Question,
    rows: Vec<Repository>,
    size: &mut u64,
    unknown: &mut Vec<Unknown>,
) -> (Vec<Repository>, Option<Stop>) {
    let all = rows.len();
    let mut found = Vec::with_capacity(all);
    let mut queue: VecDeque<Repository> = rows.into();
    let (mut most, mut tries) = (usize::try_from(*size).unwrap_or(1), 0);
    while !queue.is_empty() {
        client.progress(all - queue.len(), all);
        let batch: Vec<Repository> = queue.drain(..most.min(queue.len())).collect();
        let mut variables = question.variables.clone();
        variables["ids"] = batch.iter().map(|outline| outline.id.as_str()).collect();
        match client.ask(&question.document, &variables) {
            Ok((data, errors)) => {
                for (index, outline) in batch.into_iter().enumerate() {
                    match answer(&data, &errors, index, &outline) {
                        Ok(facts) => found.push(facts),
                        Err(why) => unknown.push(not_read(outline, &why)),
                    }
                }
                tries = 0;
            }
            Err(Failure::Large(_)) if most > 1 => {
                most = batch.len().div_ceil(2).min(most / 2).max(1);
                *size = most as u64;
                batch.into_iter().rev().for_each(|outline| queue.push_front(outline));
            }
            Err(Failure::Large(_)) if tries + 1 < TRIES => {
                tries += 1;
                batch.into_iter().rev().for_each(|outline| queue.push_front(outline));
            }
            Err(Failure::Large(why) | Failure::Refused(why)) => {
                tries = 0;
                unknown.extend(batch.into_iter().map(|outline| not_read(outline, &why)));
            }
            Err(Failure::Stop(stop)) => {
                let rest = batch.into_iter().chain(queue);
                unknown.extend(rest.map(left));
                client.progress(all, all);
                return (found, Some(stop));
            }
        }
    }
    client.progress(all, all);
    (found, None)
}

/// The repository at `index` of an answer, or why there is none.
fn answer(data: &Value, errors: &Value, index: usize, outline: &Repository) -> Result<Repository, String> {
    if let Some((_, said)) = github::errors_at(errors, "nodes", Some(index)) {
        return Err(said);
    }
    let node = &data["nodes"][index];
    if node.is_null() {
        return Err("GitHub no longer finds it".to_owned());
    }
    let facts = github::repository(node).ok_or("the answer cannot be read")?;
    if facts.id == outline.id { Ok(facts) } else { Err("the answer is about another repository".to_owned()) }
}
