//! Looking at an organisation: a listing, then the facts of what changed since they were last read.

use super::filter::Filter;
use crate::github::{self, Client, Failure, Stop};
use datum_core::hygiene::{Repository, Scan, Sizes, Unknown};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How often a single repository, or the smallest page, is asked for.
const TRIES: u32 = 3;

/// What a look found, and what ended it early.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) scan: Scan,
    pub(super) stop: Option<Stop>,
}

/// Looks at the repositories that `filter` takes; facts in `pool` whose outline is still the same are not asked for.
///
/// It begins with the `sizes` that the host was last seen to answer for.
pub(super) fn look(
    client: &mut Client<'_>,
    organization: &str,
    filter: &Filter,
    mut pool: BTreeMap<String, Repository>,
    sizes: Sizes,
) -> Result<Look, Failure> {
    let mut scan = Scan {
        version: 1,
        organization: organization.to_owned(),
        filter: filter.words.clone(),
        sizes,
        ..Scan::default()
    };
    let (listed, mut stop) = list(client, organization, filter, &mut scan)?;
    let mut changed = Vec::new();
    for outline in listed {
        if !filter.takes(&outline) {
            scan.filtered += 1;
            continue;
        }
        match pool.remove(&outline.id) {
            Some(facts) if facts.outline() == outline => scan.repositories.push(facts),
            _ => changed.push(outline),
        }
    }
    if stop.is_none() {
        stop = read(client, changed, &mut scan);
    } else {
        scan.unknown.extend(changed.into_iter().map(|outline| not_read(outline, "not asked for")));
    }
    scan.repositories.sort_by(|a, b| a.name.cmp(&b.name));
    scan.unknown.sort_by(|a, b| a.name.cmp(&b.name));
    scan.requests = client.requests();
    scan.sizes = scan.sizes.after(sizes);
    Ok(Look { scan, stop })
}

fn not_read(outline: Repository, why: &str) -> Unknown {
    Unknown { name: outline.name, why: why.to_owned() }
}

/// Lists the repositories; an error of the first page is an error of the whole.
fn list(
    client: &mut Client<'_>,
    organization: &str,
    filter: &Filter,
    scan: &mut Scan,
) -> Result<(Vec<Repository>, Option<Stop>), Failure> {
    let document = github::listing();
    let no = |wanted: bool| if wanted { Value::Null } else { json!(false) };
    let (mut size, mut tries, mut after) = (scan.sizes.page, 0, None::<String>);
    let (mut found, mut seen, mut total) = (Vec::new(), BTreeSet::new(), 0);
    let mut stop = None;
    loop {
        let variables = json!({
            "login": organization, "first": size, "after": after, "counts": after.is_none(),
            "archived": no(filter.archived), "fork": no(filter.forks),
        });
        let page = match client.ask(&document, &variables) {
            Ok((data, errors)) => match github::page(&data) {
                Some(page) => page,
                None if after.is_none() => {
                    let said = github::errors_at(&errors, "repositoryOwner", None).map(|(_, said)| said);
                    let said = said
                        .unwrap_or_else(|| format!("GitHub knows no organisation or user {organization:?}"));
                    return Err(Failure::Refused(said));
                }
                None => break,
            },
            Err(Failure::Large(_)) if size > 1 => {
                size /= 2;
                scan.sizes.page = size;
                continue;
            }
            Err(Failure::Large(_)) if tries < TRIES => {
                tries += 1;
                continue;
            }
            Err(failure) if after.is_none() => return Err(failure),
            Err(Failure::Stop(reason)) => {
                stop = Some(reason);
                break;
            }
            Err(_) => break,
        };
        scan.organization = page.login;
        scan.title = page.title;
        if let Some((archived, forks)) = page.others {
            scan.archived = if filter.archived { 0 } else { archived };
            scan.forks = if filter.forks { 0 } else { forks };
        }
        total = page.total;
        found.extend(page.repositories.into_iter().filter(|outline| seen.insert(outline.id.clone())));
        tries = 0;
        // A page that does not move on would be asked for again and again.
        match page.next {
            Some(next) if after.as_ref() != Some(&next) => after = Some(next),
            _ => break,
        }
    }
    scan.unlisted = total.saturating_sub(seen.len() as u64);
    Ok((found, stop))
}

/// Reads the facts of repositories, fewer at once where the host cannot answer for many.
fn read(client: &mut Client<'_>, changed: Vec<Repository>, scan: &mut Scan) -> Option<Stop> {
    let document = github::facts();
    let all = changed.len();
    let mut queue: VecDeque<Repository> = changed.into();
    let (mut size, mut tries) = (usize::try_from(scan.sizes.batch).unwrap_or(1), 0);
    while !queue.is_empty() {
        client.progress(all - queue.len(), all);
        let batch: Vec<Repository> = queue.drain(..size.min(queue.len())).collect();
        let ids: Vec<&str> = batch.iter().map(|outline| outline.id.as_str()).collect();
        match client.ask(&document, &json!({ "ids": ids })) {
            Ok((data, errors)) => {
                for (index, outline) in batch.into_iter().enumerate() {
                    match facts(&data, &errors, index, &outline) {
                        Ok(facts) => scan.repositories.push(facts),
                        Err(why) => scan.unknown.push(not_read(outline, &why)),
                    }
                }
                tries = 0;
            }
            Err(Failure::Large(_)) if size > 1 => {
                size = batch.len().div_ceil(2).min(size / 2).max(1);
                scan.sizes.batch = size as u64;
                batch.into_iter().rev().for_each(|outline| queue.push_front(outline));
            }
            Err(Failure::Large(_)) if tries + 1 < TRIES => {
                tries += 1;
                batch.into_iter().rev().for_each(|outline| queue.push_front(outline));
            }
            Err(Failure::Large(why) | Failure::Refused(why)) => {
                tries = 0;
                scan.unknown.extend(batch.into_iter().map(|outline| not_read(outline, &why)));
            }
            Err(Failure::Stop(stop)) => {
                let left = batch.into_iter().chain(queue);
                scan.unknown.extend(left.map(|outline| not_read(outline, "not asked for")));
                client.progress(all, all);
                return Some(stop);
            }
        }
    }
    client.progress(all, all);
    None
}

/// The facts of the repository at `index` of an answer, or why there are none.
fn facts(data: &Value, errors: &Value, index: usize, outline: &Repository) -> Result<Repository, String> {
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
