//! Titles: `[I2I:TYPE] A → B — subject`, `A → B: subject`, `Bottle from A to B — subject`.

use super::agent::AgentRef;
use super::resolve::Claim;
use super::text::{ARROWS, DASHES, bare, fold, has_sigil, is_picture, split_first, split_last, strip_word};
use super::{Field, Rung};

/// What the titles at the head of a bottle claim; `stem` is the name of the file, which some titles only repeat.
pub(super) fn claims<'a>(titles: &[&'a str], stem: &str, claims: &mut Vec<Claim<'a>>) {
    for (at, title) in titles.iter().enumerate() {
        let text = bare(title.trim_start_matches('#'));
        // `# BOTTLE-TO-B-2026-01-31.md` repeats the name of the file, or one it had.
        let repeats =
            !text.contains(' ') && (fold(text).starts_with(&fold(stem)) || text.matches('-').count() > 2);
        if repeats {
            continue;
        }
        let before = claims.len();
        one(title, claims);
        // A section below the title can name parties, but it is not what the bottle is about.
        if at > 0 && title.starts_with("##") {
            let section = claims.split_off(before);
            claims.extend(section.into_iter().filter(|claim| claim.field != Field::Subject));
        }
    }
}

fn one<'a>(title: &'a str, claims: &mut Vec<Claim<'a>>) {
    let mut text = title.trim_start_matches('#').trim().trim_matches('*');
    text = text.trim_start_matches(|c: char| is_picture(c) || c.is_whitespace());
    let mut rung = Rung::Title;
    if let Some((tag, rest)) = text.strip_prefix("[I2I:").and_then(|rest| rest.split_once(']')) {
        rung = Rung::I2iTitle;
        let kind = tag.split_once(':').map_or(tag, |(kind, _)| kind);
        claims.push(Claim::sure(Field::Kind, rung, kind));
        text = rest.trim();
    }
    let marked = ["bottle", "message in a bottle", "fleet broadcast"].iter().find_map(|word| {
        let rest = strip_word(text, word)?;
        [":", " — ", " - "].iter().find_map(|mark| rest.strip_prefix(mark))
    });
    text = marked.unwrap_or(text).trim();
    let certain = rung == Rung::I2iTitle || marked.is_some();
    let subject = arrow(text, rung, certain, claims)
        .or_else(|| if rung == Rung::I2iTitle { Some(scope(text, claims)) } else { words(text, claims) })
        .unwrap_or(text);
    if !bare(subject).is_empty() {
        claims.push(Claim::sure(Field::Subject, rung, subject));
    }
}

/// `A → B — subject`. Arrows stand in topics as well (`Parser → Lexer: a plan`), so a title without mark or sigil
/// is only likely and counts where the rest of the file knows one of the names.
fn arrow<'a>(text: &'a str, rung: Rung, certain: bool, claims: &mut Vec<Claim<'a>>) -> Option<&'a str> {
    let (left, right) = split_first(text, &ARROWS)?;
    let marks: Vec<&str> = DASHES.iter().copied().chain([": ", "："]).collect();
    let (before, from) = split_last(left, &marks).map_or(("", left), |(before, from)| (before, from));
    // ASCII case keeps byte places.
    let worded = from.to_ascii_lowercase().rfind("from ").and_then(|at| from.get(at + 5..));
    let from = worded.unwrap_or(from);
    let (to, subject) = split_first(right, &marks).unwrap_or((right, before));
    let (to, subject) = split_first(to, &ARROWS).map_or((to, subject), |(to, _)| (to, subject));
    let sender = AgentRef::read(from).filter(|agent| agent.is_plausible() && !agent.is_everyone())?;
    let recipients = AgentRef::read_list(to.trim_end_matches(':'));
    let plausible = |agent: &AgentRef| agent.is_plausible() || agent.is_everyone();
    if recipients.is_empty() || !recipients.iter().all(plausible) || sender.text.is_empty() {
        return None;
    }
    let sure = certain || worded.is_some() || has_sigil(from) || has_sigil(to);
    let weight = 0;
    claims.push(Claim { field: Field::Sender, rung, weight, sure, value: from.into() });
    claims.push(Claim {
        field: Field::Recipient,
        rung,
        weight,
        sure,
        value: to.trim_end_matches(':').into(),
    });
    let date_only = subject.trim_start().starts_with('(');
    if bare(subject).is_empty() || date_only {
        return Some(text);
    }
    if !sure {
        claims.push(Claim::likely(Field::Subject, rung, subject));
        return Some(text);
    }
    Some(subject)
}

/// `[I2I:TYPE] scope — subject`: the scope is a name more often than not, and then most often the sender's.
fn scope<'a>(text: &'a str, claims: &mut Vec<Claim<'a>>) -> &'a str {
    let Some((scope, subject)) = split_first(text, &[" — ", " – ", " - ", " | "]) else { return text };
    let Some(agent) = AgentRef::read(scope) else { return text };
    if agent.is_everyone() {
        claims.push(Claim::sure(Field::Recipient, Rung::I2iTitle, scope));
    } else if agent.is_plausible() && has_sigil(scope) {
        claims.push(Claim::sure(Field::Sender, Rung::I2iTitle, scope));
    } else if agent.is_plausible() && !agent.text.contains([' ', '.']) && !is_topic(&agent.text) {
        claims.push(Claim::sure(Field::Sender, Rung::I2iScope, scope));
    } else {
        return text;
    }
    subject
}

/// Words that are a scope of the usual kind: what a message is about.
fn is_topic(scope: &str) -> bool {
    const WORDS: [&str; 44] = [
        "api",
        "app",
        "architecture",
        "audit",
        "backend",
        "bench",
        "benchmark",
        "build",
        "ci",
        "cli",
        "code",
        "config",
        "core",
        "data",
        "deploy",
        "deps",
        "design",
        "docs",
        "documentation",
        "engine",
        "experiment",
        "feature",
        "fix",
        "frontend",
        "infra",
        "infrastructure",
        "integration",
        "kernel",
        "network",
        "paper",
        "parser",
        "plan",
        "protocol",
        "release",
        "report",
        "repo",
        "research",
        "runtime",
        "security",
        "spec",
        "test",
        "tests",
        "tools",
        "ui",
    ];
    WORDS.contains(&scope.to_lowercase().as_str())
}

/// `Bottle from A to B — subject`, `REPLY TO B — date`, `Message for B — From A`, `Subject — A to B`.
fn words<'a>(text: &'a str, claims: &mut Vec<Claim<'a>>) -> Option<&'a str> {
    let openings = ["bottle ", "message ", "reply ", "response ", "letter ", "note ", "broadcast "];
    let opened = openings.iter().find_map(|word| strip_word(text, word));
    let (mut found, mut subject): (Vec<(Field, &str)>, Option<&str>) = (Vec::new(), None);
    for (at, part) in split_all(opened.unwrap_or(text)).into_iter().enumerate() {
        let names = parties(part.trim(), opened.is_some());
        let repeated = names.iter().any(|(field, _)| found.iter().any(|(other, _)| other == field));
        if !names.is_empty() && !repeated {
            found.extend(names);
        } else if at == 0 || subject.is_none() {
            subject = (at > 0 || opened.is_none()).then_some(part);
        }
    }
    // `For B — From A` is a form of its own; `From Zero to Hero` may be a phrase.
    let sure = opened.is_some() || (found.len() > 1 && strip_word(text, "for ").is_some());
    for (field, name) in &found {
        claims.push(Claim { field: *field, rung: Rung::Title, weight: 0, sure, value: (*name).into() });
    }
    (!found.is_empty()).then(|| subject.filter(|subject| !bare(subject).is_empty()).unwrap_or(text))
}

/// The names in one part of a title: `from A`, `to B`, `from A to B`, `A to B`.
fn parties(part: &str, opened: bool) -> Vec<(Field, &str)> {
    let name = |text: &str| {
        AgentRef::read(text).filter(|agent| {
            agent.is_everyone() || (agent.is_plausible() && (opened || !agent.text.contains(' ')))
        })
    };
    let to = [" to ", " TO ", " for "];
    let (from, rest) = match strip_word(part, "from ") {
        Some(rest) => split_first(rest, &to).map_or((Some(rest), None), |(from, to)| (Some(from), Some(to))),
        None => match strip_word(part, "to ").or_else(|| strip_word(part, "for ")) {
            Some(rest) => (None, Some(rest)),
            None => {
                split_first(part, &[" to ", " TO "]).map_or((None, None), |(from, to)| (Some(from), Some(to)))
            }
        },
    };
    let from = from.filter(|from| name(from).is_some_and(|agent| !agent.is_everyone()));
    let rest = rest.map(|rest| split_first(rest, &[": ", " from "]).map_or(rest, |(to, _)| to));
    let to = rest.filter(|rest| name(rest).is_some());
    let both = strip_word(part, "from ").is_none() && strip_word(part, "to ").is_none();
    if both && strip_word(part, "for ").is_none() && (from.is_none() || to.is_none()) {
        return Vec::new();
    }
    from.map(|from| (Field::Sender, from)).into_iter().chain(to.map(|to| (Field::Recipient, to))).collect()
}

fn split_all(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((part, after)) = split_first(rest, &DASHES).filter(|_| parts.len() < 4) {
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    parts
}
