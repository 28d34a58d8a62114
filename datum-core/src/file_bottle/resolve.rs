//! From claims to values: the best rung that holds a value wins.

use super::agent::AgentRef;
use super::text::{Names, Window, bare, clip, fold};
use super::when::When;
use super::{Field, FileBottle, Layout, Resolved, Rung, field, path, sign, title};
use std::borrow::Cow;

/// Characters of a stated text value that are kept.
const VALUE: usize = 300;

/// One place in a bottle that says something about a field.
pub(super) struct Claim<'a> {
    pub(super) field: Field,
    pub(super) rung: Rung,
    /// Among claims of one rung the lighter wins: `From` is 0, `Agent` is 2.
    pub(super) weight: u8,
    /// False where the form alone is no proof and another place must know the name.
    pub(super) sure: bool,
    pub(super) value: Cow<'a, str>,
}

impl<'a> Claim<'a> {
    pub(super) fn sure(field: Field, rung: Rung, value: impl Into<Cow<'a, str>>) -> Self {
        Self { field, rung, weight: 0, sure: true, value: value.into() }
    }

    pub(super) fn likely(field: Field, rung: Rung, value: impl Into<Cow<'a, str>>) -> Self {
        Self { field, rung, weight: 0, sure: false, value: value.into() }
    }
}

pub(super) fn bottle<'a>(
    path: &'a str,
    layout: Option<Layout>,
    window: &'a Window,
    claims: &mut Vec<Claim<'a>>,
    text: &[u8],
) -> FileBottle {
    let head = field::head(path, window, claims);
    let stem = path::stem(path.rsplit('/').next().unwrap_or(path));
    title::claims(&head.titles, stem, claims);
    sign::opening(&head.prose, claims);
    let top = Names::of(window.head().take(40));
    let last: Vec<&str> = window.tail().take(9).collect();
    sign::ending(&last, &top, claims);
    claims.extend(title_dates(&head.titles));
    let topic = path::topic(path);
    claims.push(Claim::sure(Field::Subject, Rung::FileName, topic));

    let known = Known::of(claims, top, sign::opener(&head.prose));
    let sender = sender(claims, &known);
    let recipients = recipients(claims, &known, sender.as_ref());
    FileBottle {
        path: path.to_owned(),
        layout,
        sender,
        recipients,
        date: date(claims),
        kind: text_of(claims, &known, Field::Kind),
        subject: text_of(claims, &known, Field::Subject),
        in_reply_to: text_of(claims, &known, Field::InReplyTo),
        priority: text_of(claims, &known, Field::Priority),
        body: text.to_vec(),
    }
}

fn title_dates<'a>(titles: &[&'a str]) -> Vec<Claim<'a>> {
    titles.iter().map(|title| Claim::sure(Field::Date, Rung::Title, *title)).collect()
}

/// The claims on one field, best first.
fn ranked<'c, 'a>(claims: &'c [Claim<'a>], field: Field) -> Vec<&'c Claim<'a>> {
    let mut found: Vec<&Claim<'_>> = claims.iter().filter(|claim| claim.field == field).collect();
    // A date in a title may be that of its topic; the one in the file name was given to this bottle.
    let rank =
        |rung: Rung| if field == Field::Date && rung == Rung::FileName { Rung::I2iTitle } else { rung };
    found.sort_by_key(|claim| (rank(claim.rung), claim.weight));
    found
}

/// Names that are sure in one place and so confirm a form that is not.
struct Known<'a> {
    senders: Vec<String>,
    recipients: Vec<String>,
    top: Names<'a>,
}

impl<'a> Known<'a> {
    fn of(claims: &[Claim<'_>], top: Names<'a>, opener: Option<String>) -> Self {
        let names = |field: Field| {
            let sure = claims.iter().filter(move |c| c.field == field && c.sure && c.rung != Rung::I2iScope);
            sure.flat_map(|c| AgentRef::read_list(&c.value)).map(|agent| fold(&agent.text))
        };
        Self {
            senders: names(Field::Sender).collect(),
            recipients: names(Field::Recipient).chain(opener).collect(),
            top,
        }
    }

    /// Tells whether an unsure claim is borne out: a name from the path by the top of the text, a title by any
    /// other place that names one of its parties.
    fn confirms(&self, claims: &[Claim<'_>], claim: &Claim<'_>) -> bool {
        if matches!(claim.rung, Rung::FileName | Rung::Directory) {
            return self.top.has(&claim.value, "")
                && AgentRef::read(&claim.value).is_some_and(|agent| !opens(&agent));
        }
        claims.iter().filter(|other| other.rung == claim.rung && !other.sure).any(|other| {
            let known = match other.field {
                Field::Sender => &self.senders,
                Field::Recipient => &self.recipients,
                _ => return false,
            };
            AgentRef::read_list(&other.value).iter().any(|agent| known.contains(&fold(&agent.text)))
        })
    }
}

/// A word that opens sentences, written as a name would be.
fn opens(agent: &AgentRef) -> bool {
    let first = agent.text.chars().next().into_iter().flat_map(char::to_uppercase);
    let text: String = first.chain(agent.text.chars().skip(1)).collect();
    !AgentRef { text, ..agent.clone() }.is_plausible()
}

fn sender(claims: &[Claim<'_>], known: &Known<'_>) -> Option<Resolved<AgentRef>> {
    ranked(claims, Field::Sender).into_iter().find_map(|claim| {
        let agent = AgentRef::read(&claim.value).filter(|agent| !agent.is_everyone())?;
        let holds = match claim.rung {
            Rung::I2iScope => agent.is_plausible() && !known.recipients.contains(&fold(&agent.text)),
            Rung::I2iTitle | Rung::Title | Rung::Byline | Rung::Signature => agent.is_plausible(),
            _ => true,
        };
        (holds && (claim.sure || known.confirms(claims, claim)))
            .then_some(Resolved { value: agent, rung: claim.rung })
    })
}

fn recipients(
    claims: &[Claim<'_>],
    known: &Known<'_>,
    sender: Option<&Resolved<AgentRef>>,
) -> Option<Resolved<Vec<AgentRef>>> {
    let stated = || {
        ranked(claims, Field::Recipient).into_iter().find_map(|claim| {
            let agents = AgentRef::read_list(&claim.value);
            // What lies in `for-a/` and was written by `a` is there for somebody else to read.
            let own = claim.rung == Rung::Directory
                && sender.is_some_and(|sender| agents.iter().all(|agent| agent.same(&sender.value.text)));
            (!agents.is_empty() && !own && (claim.sure || known.confirms(claims, claim)))
                .then_some(Resolved { value: agents, rung: claim.rung })
        })
    };
    // `From: A → B` names both.
    let arrow = || {
        ranked(claims, Field::Sender).into_iter().filter(|claim| claim.rung < Rung::I2iTitle).find_map(
            |claim| {
                let agents = AgentRef::read_list(claim.value.split_once('→')?.1);
                (!agents.is_empty()).then_some(Resolved { value: agents, rung: claim.rung })
            },
        )
    };
    stated().filter(|stated| stated.rung < Rung::I2iTitle).or_else(arrow).or_else(stated)
}

/// The best date; where it is only a day, a place further down that knows the time of that day makes it finer.
fn date(claims: &[Claim<'_>]) -> Option<Resolved<When>> {
    let mut found = ranked(claims, Field::Date)
        .into_iter()
        .filter_map(|claim| When::find(&claim.value).map(|value| Resolved { value, rung: claim.rung }));
    let mut best = found.next()?;
    for other in found {
        if other.value.day() == best.value.day() && other.value.precision() > best.value.precision() {
            best = other;
        }
    }
    Some(best)
}

fn text_of(claims: &[Claim<'_>], known: &Known<'_>, field: Field) -> Option<Resolved<String>> {
    ranked(claims, field).into_iter().filter(|claim| claim.sure || known.confirms(claims, claim)).find_map(
        |claim| {
            let value = claim.value.trim();
            // `**Type:** [I2I:HELLO] …` names the type in the form of a title.
            let tag = value.strip_prefix("[I2I:").and_then(|rest| rest.split_once(']')).map(|(tag, _)| tag);
            let value = if field == Field::Kind { tag.unwrap_or(value) } else { value };
            let value =
                if field == Field::Subject && claim.rung >= Rung::I2iTitle { undated(value) } else { value };
            let value = clip(bare(value), VALUE);
            value
                .contains(char::is_alphanumeric)
                .then(|| Resolved { value: value.to_owned(), rung: claim.rung })
        },
    )
}

/// A title without the date at either end: `2026-01-31 08:30 UTC Nets` and `Nets (2026-01-31)` are `Nets`.
fn undated(title: &str) -> &str {
    let title = title.trim();
    let end = title
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once(" ("))
        .filter(|(_, date)| When::find(date).is_some());
    let title = end.map_or(title, |(before, _)| before);
    let mut rest = title;
    if When::find(clip(rest, 10)).is_none() || !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return title;
    }
    while let Some((word, after)) =
        rest.split_once(' ').or(Some((rest, ""))).filter(|(word, _)| !word.is_empty())
    {
        let clock =
            word.starts_with(|c: char| c.is_ascii_digit()) && (word.contains(':') || word.contains('-'));
        let zone = When::find(title).is_some_and(|when| when.precision() > 0)
            && word.len() <= 4
            && word.bytes().all(|b| b.is_ascii_uppercase());
        if !clock && !zone {
            break;
        }
        rest = after.trim_start();
    }
    rest
}
