//! Listing an organisation: by pages of GraphQL, and by REST what those do not give.

use super::filter::Filter;
use super::look::{Question, TRIES, read};
use crate::github::{self, Client, Failure, Stop};
use datum_core::hygiene::{Listed, Repository, Scan};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Pages of REST that are followed, one after another; each has a hundred repositories.
const PAGES_MAX: usize = 1000;

/// What the pages of GraphQL gave.
#[derive(Default)]
struct Pages {
    found: Vec<Repository>,
    /// The ids on all pages so far.
    seen: BTreeSet<String>,
    /// How many there are, by the host's word.
    total: Option<u64>,
    /// Why there are no more pages, where there should be.
    failed: Option<String>,
    stop: Option<Stop>,
}

/// Lists the repositories; an error where nobody can say how many there are.
///
/// A page that GraphQL cannot give would hide all that come after it. So what it leaves out is listed by REST, where a page
/// that is still as it was `kept` is not sent again; then GraphQL is asked for the same outlines by their ids.
pub(super) fn list(
    client: &mut Client<'_>,
    filter: &Filter,
    kept: &[Listed],
    scan: &mut Scan,
) -> Result<(Vec<Repository>, Option<Stop>), Failure> {
    let Pages { mut found, mut seen, mut total, failed, mut stop } = pages(client, filter, scan)?;
    let short = total.is_none_or(|total| total > seen.len() as u64);
    if stop.is_none() && (failed.is_some() || short) {
        let failed = failed.unwrap_or_else(|| "they were on no page".to_owned());
        client.say(&format!("GraphQL lists {} repositories ({failed}); listing by REST", seen.len()));
        scan.unlisted_why.clone_from(&failed);
        let mut rows = Vec::new();
        match by_rest(client, kept, scan, &mut rows) {
            Ok(()) => {}
            Err(Failure::Stop(reason)) => stop = Some(reason),
            Err(Failure::Large(why) | Failure::Refused(why)) => {
                scan.unlisted_why = format!("{failed}; by REST: {why}");
            }
        }
        if total.is_none() {
            if let Some(stop) = stop {
                return Err(Failure::Stop(stop));
            }
            if scan.unlisted_why != failed {
                return Err(Failure::Refused(std::mem::take(&mut scan.unlisted_why)));
            }
            count(&rows, filter, scan);
        }
        rows.retain(|row| {
            (filter.archived || !row.archived) && (filter.forks || !row.fork) && seen.insert(row.id.clone())
        });
        total = total.or(Some(seen.len() as u64));
        let mut size = scan.sizes.page;
        let (outlines, ended) = match stop {
            None => read(client, &Question::outlines(), rows, &mut size, &mut scan.unknown),
            // Their names are known, and what they are is for the next run.
            stop => {
                scan.unknown.extend(rows.into_iter().map(super::look::left));
                (Vec::new(), stop)
            }
        };
        found.extend(outlines);
        stop = ended;
    }
    scan.unlisted = total.unwrap_or_default().saturating_sub(seen.len() as u64);
    if scan.unlisted == 0 {
        scan.unlisted_why.clear();
    }
    Ok((found, stop))
}

/// Counts what is left out, as GraphQL would have told it.
fn count(rows: &[Repository], filter: &Filter, scan: &mut Scan) {
    let count = |test: fn(&Repository) -> bool| rows.iter().filter(|row| test(row)).count() as u64;
    scan.archived = if filter.archived { 0 } else { count(|row| row.archived) };
    scan.forks = if filter.forks { 0 } else { count(|row| row.fork && !row.archived) };
    if let Some((owner, _)) = rows.first().and_then(|row| row.name.split_once('/')) {
        owner.clone_into(&mut scan.organization);
    }
}

/// Reads the pages of GraphQL; an error is one of the whole: there is no such owner, or no other request would do better.
fn pages(client: &mut Client<'_>, filter: &Filter, scan: &mut Scan) -> Result<Pages, Failure> {
    let document = github::listing();
    let organization = scan.organization.clone();
    let no = |wanted: bool| if wanted { Value::Null } else { json!(false) };
    let (mut size, mut tries, mut after, mut number) = (scan.sizes.page, 0, None::<String>, 1);
    let mut pages = Pages::default();
    loop {
        let variables = json!({
            "login": organization, "first": size, "after": after, "counts": after.is_none(),
            "archived": no(filter.archived), "fork": no(filter.forks),
        });
        let failed = |why: &str| Some(format!("page {number}: {why}"));
        let page = match client.ask(&document, &variables) {
            Ok((data, errors)) => match github::page(&data) {
                Some(page) => page,
                None if after.is_none() => {
                    let said = github::errors_at(&errors, "repositoryOwner", None).map(|(_, said)| said);
                    let said = said
                        .unwrap_or_else(|| format!("GitHub knows no organisation or user {organization:?}"));
                    return Err(Failure::Refused(said));
                }
                None => {
                    pages.failed = failed("the answer cannot be read");
                    break;
                }
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
            Err(Failure::Stop(reason)) if after.is_none() => return Err(Failure::Stop(reason)),
            Err(Failure::Stop(reason)) => {
                pages.stop = Some(reason);
                break;
            }
            Err(Failure::Large(why) | Failure::Refused(why)) => {
                pages.failed = failed(&why);
                break;
            }
        };
        scan.organization = page.login;
        scan.title = page.title;
        if let Some((archived, forks)) = page.others {
            scan.archived = if filter.archived { 0 } else { archived };
            scan.forks = if filter.forks { 0 } else { forks };
        }
        pages.total = Some(page.total);
        let seen = &mut pages.seen;
        pages.found.extend(page.repositories.into_iter().filter(|outline| seen.insert(outline.id.clone())));
        tries = 0;
        number += 1;
        // A page that does not move on would be asked for again and again.
        match page.next {
            Some(next) if after.as_ref() != Some(&next) => after = Some(next),
            _ => break,
        }
    }
    Ok(pages)
}

/// Reads the pages of REST, from an organisation or else a user; what was read before an error is in `rows`.
fn by_rest(
    client: &mut Client<'_>,
    kept: &[Listed],
    scan: &mut Scan,
    rows: &mut Vec<Repository>,
) -> Result<(), Failure> {
    // The same path however the name was written, so that what is kept of it is found.
    let owner = scan.organization.to_lowercase();
    let first = |kind: &str, which: &str| {
        format!("/{kind}/{owner}/repos?type={which}&sort=created&direction=asc&per_page=100")
    };
    let (of_organization, of_user) = (first("orgs", "all"), first("users", "owner"));
    let mut page = match follow(client, kept, of_organization) {
        Err(Failure::Refused(why)) => follow(client, kept, of_user).map_err(|failure| match failure {
            Failure::Refused(_) => Failure::Refused(why),
            other => other,
        })?,
        other => other?,
    };
    let mut paths = BTreeSet::new();
    loop {
        rows.extend(page.repositories.iter().cloned());
        let next = page.next.clone();
        paths.insert(page.path.clone());
        scan.pages.push(page);
        let Some(next) = next else { break };
        if paths.contains(&next) || paths.len() >= PAGES_MAX {
            return Err(Failure::Refused(format!("the pages have no end: {next}")));
        }
        page = follow(client, kept, next)?;
    }
    scan.pages.retain(|page| !page.etag.is_empty());
    Ok(())
}

/// Reads one page, or takes the one that was kept where that is still the same.
fn follow(client: &mut Client<'_>, kept: &[Listed], path: String) -> Result<Listed, Failure> {
    let before = kept.iter().find(|page| page.path == path);
    let got = client.get(&path, before.map(|page| page.etag.as_str()))?;
    match (got.value, before) {
        (None, Some(before)) => Ok(before.clone()),
        (value, _) => {
            let repositories = value.as_ref().and_then(github::rows);
            let repositories =
                repositories.ok_or_else(|| Failure::Refused(format!("{path}: the answer is no list")))?;
            Ok(Listed { path, etag: got.etag.unwrap_or_default(), next: got.next, repositories })
        }
    }
}
