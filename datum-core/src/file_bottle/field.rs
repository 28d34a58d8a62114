//! Stated fields: front matter, `**From:** x` and its relatives, data files; and the lines around them.

use super::resolve::Claim;
use super::text::{Window, bare, is_picture, is_rule};
use super::{Field, Rung};
use std::borrow::Cow;

/// Lines that are not blank in which fields are looked for.
const LINES: usize = 40;

/// The top of a bottle, sorted into what the other readers need.
#[derive(Default)]
pub(super) struct Head<'a> {
    /// Headings and I2I subject lines before the text begins, and whether each is one of the latter.
    pub(super) titles: Vec<&'a str>,
    /// The first other lines.
    pub(super) prose: Vec<&'a str>,
}

/// Names a field is written under, with how strongly they mean it: an author is a sender where no sender is named.
const LABELS: [(&str, Field, u8); 47] = [
    ("from", Field::Sender, 0),
    ("sender", Field::Sender, 0),
    ("sent-by", Field::Sender, 0),
    ("from-agent", Field::Sender, 0),
    ("posted-by", Field::Sender, 1),
    ("written-by", Field::Sender, 1),
    ("signed", Field::Sender, 1),
    ("author", Field::Sender, 1),
    ("authors", Field::Sender, 1),
    ("analyst", Field::Sender, 2),
    ("researcher", Field::Sender, 2),
    ("agent", Field::Sender, 2),
    ("reviewer", Field::Sender, 3),
    ("to", Field::Recipient, 0),
    ("recipient", Field::Recipient, 0),
    ("recipients", Field::Recipient, 0),
    ("to-agent", Field::Recipient, 0),
    ("addressee", Field::Recipient, 0),
    ("attn", Field::Recipient, 1),
    ("for", Field::Recipient, 1),
    ("assigned-to", Field::Recipient, 2),
    ("date", Field::Date, 0),
    ("timestamp", Field::Date, 0),
    ("sent", Field::Date, 0),
    ("sent-at", Field::Date, 0),
    ("dropped", Field::Date, 0),
    ("posted", Field::Date, 0),
    ("time", Field::Date, 1),
    ("created", Field::Date, 1),
    ("created-at", Field::Date, 1),
    ("datetime", Field::Date, 0),
    ("updated", Field::Date, 2),
    ("last-updated", Field::Date, 2),
    ("type", Field::Kind, 0),
    ("message-type", Field::Kind, 0),
    ("msg-type", Field::Kind, 0),
    ("kind", Field::Kind, 1),
    ("subject", Field::Subject, 0),
    ("topic", Field::Subject, 1),
    ("in-reply-to", Field::InReplyTo, 0),
    ("reply-to", Field::InReplyTo, 1),
    ("replying-to", Field::InReplyTo, 1),
    ("responding-to", Field::InReplyTo, 1),
    ("re", Field::InReplyTo, 2),
    ("priority", Field::Priority, 0),
    ("urgency", Field::Priority, 1),
    ("title", Field::Subject, 2),
];
/// Labels that have this meaning only as keys of data.
const KEYS: [(&str, Field, u8); 3] =
    [("source", Field::Sender, 2), ("target", Field::Recipient, 2), ("references", Field::InReplyTo, 3)];

fn meaning(label: &str, key: bool) -> Option<(Field, u8)> {
    if label.len() > 40 {
        return None;
    }
    let label = label.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase().replace(['_', ' '], "-");
    let label = label.strip_prefix("bottle-").unwrap_or(&label);
    let found =
        |list: &[(&str, Field, u8)]| list.iter().find(|(l, ..)| *l == label).map(|(_, f, w)| (*f, *w));
    found(&LABELS).or_else(|| if key { found(&KEYS) } else { None })
}

/// Reads the head of a bottle: fields into `claims`, the rest sorted.
pub(super) fn head<'a>(path: &str, window: &'a Window, claims: &mut Vec<Claim<'a>>) -> Head<'a> {
    let ending = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    if ending == "json" {
        if let Some(Ok(serde_json::Value::Object(object))) = window.whole().map(serde_json::from_str) {
            json(&object, 0, claims);
        }
        return Head::default();
    }
    let mut lines: Vec<&str> = window.head().filter(|line| !line.trim().is_empty()).take(LINES).collect();
    if ending == "yaml" || ending == "yml" {
        keys(&lines, ':', claims);
        return Head::default();
    }
    let fence = lines.first().map_or("", |line| line.trim());
    if fence == "---" || fence == "+++" {
        let closes = |line: &&str| matches!(line.trim_end(), "---" | "...") || line.trim_end() == fence;
        // Unclosed, it is no front matter: its lines are read as what they look like.
        let end = lines.iter().skip(1).position(closes).map(|at| at + 1);
        if let Some(end) = end {
            keys(lines.get(1..end).unwrap_or_default(), if fence == "+++" { '=' } else { ':' }, claims);
        }
        lines.drain(..=end.unwrap_or(0));
    }
    markdown(&lines, claims)
}

fn markdown<'a>(lines: &[&'a str], claims: &mut Vec<Claim<'a>>) -> Head<'a> {
    let mut head = Head::default();
    let (mut open, mut seen, mut sections) = (true, false, 0);
    for (at, &line) in lines.iter().enumerate() {
        let text = line.trim();
        if text.starts_with("```") || text.starts_with("~~~") || head.prose.len() >= 8 {
            break;
        }
        if is_rule(text) {
            // Fields end at a rule below them; the form of address may follow.
            open &= !seen;
            continue;
        }
        if let Some(title) = heading(text) {
            let below = lines.get(at + 1).copied().unwrap_or_default();
            if open && heading_field(title, below, claims) {
                seen = true;
                continue;
            }
            let deep = text.starts_with("##");
            if head.titles.is_empty() || (head.prose.is_empty() && head.titles.len() < 4) {
                head.titles.push(text);
            }
            sections += usize::from(deep);
            if sections > 1 || (deep && !head.prose.is_empty() && seen) {
                break;
            }
            continue;
        }
        if text.starts_with("[I2I:") || text.starts_with("**[I2I:") {
            head.titles.push(text);
            continue;
        }
        let before = claims.len();
        if open && head.prose.len() < 4 {
            for part in text.split(" | ") {
                let _ = line_fields(part, 0, claims);
            }
            table_row(text, claims);
        }
        if claims.len() > before {
            seen = true;
        } else if !is_other_field(text) {
            head.prose.push(text);
        }
    }
    head
}

/// The text of a heading, without its marks.
fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    let depth = line.len() - text.len();
    ((1..=6).contains(&depth) && text.starts_with([' ', '\t'])).then(|| text.trim())
}

fn heading_field<'a>(title: &'a str, below: &'a str, claims: &mut Vec<Claim<'a>>) -> bool {
    let (label, value) = title.split_once([':', '：']).unwrap_or((title, ""));
    // A word alone is a field only where it cannot be a section: `## From`, not `## Type` or `## For`.
    let Some((field, weight)) = meaning(label, false) else { return false };
    let value = match bare(value) {
        "" if weight > 0 || heading(below.trim()).is_some() || is_rule(below) => return false,
        "" => below.trim(),
        _ => value,
    };
    push(field, Rung::HeadingField, weight, value, claims)
}

/// Reads the fields of one line; a line may hold several bold ones.
fn line_fields<'a>(text: &'a str, round: u8, claims: &mut Vec<Claim<'a>>) -> Option<()> {
    let text = text.trim().trim_start_matches(is_picture).trim_start();
    let item = ["- ", "* ", "+ ", "• "].iter().find_map(|mark| text.strip_prefix(mark));
    let is_item = item.is_some();
    let text =
        item.unwrap_or(text).trim_start_matches("[ ] ").trim_start().trim_start_matches(is_picture).trim();
    let bold = text.strip_prefix("**").or_else(|| text.strip_prefix("__"));
    let (rung, label, value) = if let Some(rest) = bold {
        let (inner, after) = rest.split_once("**").or_else(|| rest.split_once("__"))?;
        let (label, value) = match inner.split_once([':', '：']) {
            Some((label, value)) if !bare(value).is_empty() => (label, value),
            Some((label, _)) => (label, after),
            None => (inner, after.trim_start().strip_prefix([':', '：'])?),
        };
        (Rung::BoldField, label, value)
    } else {
        let (label, value) = text.split_once([':', '：'])?;
        (Rung::PlainField, label, value)
    };
    let (field, weight) = meaning(label, false)?;
    // Below a list mark or in running text the weaker labels are items of a list of something else.
    if is_item && weight > 1 {
        return None;
    }
    let next = value.match_indices("**").map(|(at, _)| at).find(|at| {
        let rest = value.get(at + 2..).unwrap_or_default();
        rest.split_once("**").is_some_and(|(inner, after)| {
            (inner.ends_with(':') || after.starts_with(':')) && meaning(inner, false).is_some()
        })
    });
    let (value, rest) = next.and_then(|at| value.split_at_checked(at)).unwrap_or((value, ""));
    push(field, if is_item { Rung::ListField } else { rung }, weight, value, claims);
    if round < 8 && !rest.is_empty() {
        let _ = line_fields(rest, round + 1, claims);
    }
    Some(())
}

/// `| From | x |`.
fn table_row<'a>(text: &'a str, claims: &mut Vec<Claim<'a>>) -> Option<()> {
    let cells: Vec<&str> = text.strip_prefix('|')?.trim_end_matches('|').split('|').map(bare).collect();
    let [label, value] = cells.as_slice() else { return None };
    let (field, weight) = meaning(label, false).filter(|(_, weight)| *weight < 2)?;
    push(field, Rung::TableField, weight, *value, claims).then_some(())
}

/// A bold field of another meaning, which is no prose: `**Protocol:** I2I`.
fn is_other_field(text: &str) -> bool {
    text.strip_prefix("**")
        .and_then(|rest| rest.split_once("**"))
        .is_some_and(|(inner, after)| inner.len() < 32 && (inner.ends_with(':') || after.starts_with(':')))
}

fn push<'a>(
    field: Field,
    rung: Rung,
    weight: u8,
    value: impl Into<Cow<'a, str>>,
    claims: &mut Vec<Claim<'a>>,
) -> bool {
    let value = value.into();
    if bare(&value).is_empty() {
        return false;
    }
    claims.push(Claim { field, rung, weight, sure: true, value });
    true
}

/// Keys of front matter, or of a file that is data as a whole; a key that is indented weighs less.
fn keys<'a>(lines: &[&'a str], mark: char, claims: &mut Vec<Claim<'a>>) {
    let mut list: Option<(Field, u8, Vec<&str>)> = None;
    for &line in lines {
        let text = line.trim();
        if let Some(item) = text.strip_prefix("- ").filter(|_| list.is_some()) {
            if let Some((_, _, items)) = &mut list {
                items.push(unquote(item));
            }
            continue;
        }
        flush(&mut list, claims);
        let Some((key, value)) = text.split_once(mark).filter(|_| !text.starts_with('#')) else { continue };
        let Some((field, weight)) = meaning(key, true) else { continue };
        let weight = weight + if line.starts_with([' ', '\t']) { 4 } else { 0 };
        let value = unquote(value);
        if value.is_empty() {
            list = Some((field, weight, Vec::new()));
        } else {
            push(field, Rung::FrontMatter, weight, value, claims);
        }
    }
    flush(&mut list, claims);
}

fn flush(list: &mut Option<(Field, u8, Vec<&str>)>, claims: &mut Vec<Claim<'_>>) {
    if let Some((field, weight, items)) = list.take() {
        push(field, Rung::FrontMatter, weight, items.join(", "), claims);
    }
}

fn unquote(value: &str) -> &str {
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    value.split_once(" #").map_or(value, |(before, _)| before.trim_end())
}

fn json(object: &serde_json::Map<String, serde_json::Value>, depth: u8, claims: &mut Vec<Claim<'_>>) {
    use serde_json::Value;
    for (key, value) in object {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
            Value::Object(inner) if depth < 2 => {
                json(inner, depth + 1, claims);
                continue;
            }
            _ => continue,
        };
        if let Some((field, weight)) = meaning(key, true) {
            push(field, Rung::FrontMatter, weight + 4 * depth, value, claims);
        }
    }
}
