//! What the path of a file says: whether it is a bottle, and who and when by its name and directories.

use super::agent::AgentRef;
use super::resolve::Claim;
use super::text::fold;
use super::when::When;
use super::{Field, Rung};
use serde::Serialize;

/// The ways vessels lay out their bottles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// `message-in-a-bottle/for-x/…`, the original runtime's own.
    BottleBoxFor,
    /// `message-in-a-bottle/from-x/…`.
    BottleBoxFrom,
    /// `message-in-a-bottle/…` without either.
    BottleBox,
    /// `bottles/…`, `bottles/x/…`.
    Bottles,
    /// `for-fleet/…`, `for-any-vessel/…`: for whoever reads it.
    ForFleet,
    /// `for-x/…`.
    ForAgent,
    /// `from-fleet/…`: the inbox of the vessel that holds it.
    FromFleet,
    /// `from-x/…`.
    FromAgent,
    /// `BOTTLE-….md` in any directory.
    Named,
    /// `BOTTLE-….yaml` or `.json` in any directory: a bottle made by a program.
    NamedData,
    /// `….i2i` in any directory.
    I2iFile,
}

impl Layout {
    /// The name of the layout as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BottleBoxFor => "bottle-box-for",
            Self::BottleBoxFrom => "bottle-box-from",
            Self::BottleBox => "bottle-box",
            Self::Bottles => "bottles",
            Self::ForFleet => "for-fleet",
            Self::ForAgent => "for-agent",
            Self::FromFleet => "from-fleet",
            Self::FromAgent => "from-agent",
            Self::Named => "named",
            Self::NamedData => "named-data",
            Self::I2iFile => "i2i-file",
        }
    }
}

/// Documents about bottles that lie among them. They are told by their whole name: `README.md` is one,
/// `open-tool-README.md` was sent to somebody.
const DOCUMENTS: [&str; 24] = [
    "readme",
    "protocol",
    "index",
    "tasks",
    "taskboard",
    "context",
    "priority",
    "priorities",
    "template",
    "format",
    "schema",
    "spec",
    "license",
    "changelog",
    "contributing",
    "guide",
    "howto",
    "rules",
    "instructions",
    "agents",
    "claude",
    "manifest",
    "bottle",
    "bottles",
];
/// Directories whose `for-x` and `from-x` are chapters, samples or code.
const ELSEWHERE: [&str; 16] = [
    "docs",
    "doc",
    "src",
    "lib",
    "test",
    "tests",
    "examples",
    "fixtures",
    "guides",
    "tutorials",
    "site",
    "website",
    "content",
    "book",
    "static",
    "assets",
];
/// Directories that hold other people's files.
const FOREIGN: [&str; 7] =
    ["node_modules", "vendor", "target", "dist", "build", "__pycache__", "site-packages"];
/// Directory names that are English, not addresses.
const PHRASES: [&str; 10] = [
    "from-scratch",
    "for-developers",
    "for-beginners",
    "for-users",
    "for-contributors",
    "for-loops",
    "for-loop",
    "for-sale",
    "for-review",
    "for-reference",
];
/// Words that open the name of a bottle.
const OPENINGS: [&str; 11] =
    ["bottle", "message", "msg", "reply", "response", "letter", "note", "nudge", "broadcast", "ack", "i2i"];

/// Tells whether the file at `path` in the tree of a vessel is a bottle.
///
/// Documents about the protocol (`README.md`, `PROTOCOL.md`, …), code and data that lie among bottles are not.
///
/// # Examples
/// ```
/// use datum_core::file_bottle::is_bottle_path;
/// assert!(is_bottle_path("message-in-a-bottle/for-any-vessel/2026-01-31_heron_nets.md"));
/// assert!(is_bottle_path("for-tern/hello.i2i"));
/// assert!(!is_bottle_path("for-tern/README.md"));
/// assert!(!is_bottle_path("docs/for-developers/setup.md"));
/// ```
pub fn is_bottle_path(path: &str) -> bool {
    layout(path).is_some()
}

/// The layout of the bottle at `path`; `None` where it is no bottle.
pub fn layout(path: &str) -> Option<Layout> {
    let (parents, name) = path.rsplit_once('/').unwrap_or(("", path));
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let ending = ending.to_ascii_lowercase();
    let text = matches!(ending.as_str(), "md" | "markdown" | "mdown" | "i2i" | "txt");
    let data = matches!(ending.as_str(), "yaml" | "yml" | "json");
    let parents: Vec<String> =
        parents.split('/').filter(|p| !p.is_empty()).map(str::to_ascii_lowercase).collect();
    let foreign =
        parents.iter().any(|p| FOREIGN.contains(&p.as_str()) || (p.starts_with('.') && p.len() > 1));
    if foreign || name.starts_with('.') || !(text || data) || is_document(stem) {
        return None;
    }
    let named = is_bottle_name(stem);
    if data && (named || ending != "json") && (named || in_box(&parents)) {
        return Some(if named { Layout::NamedData } else { mailbox(&parents)? });
    }
    if data {
        return None;
    }
    match mailbox(&parents) {
        Some(layout) => Some(layout),
        None if named => Some(Layout::Named),
        None => (ending == "i2i").then_some(Layout::I2iFile),
    }
}

fn is_box(directory: &str) -> bool {
    ["messageinabottle", "messagesinabottle", "messageinbottle"].contains(&fold(directory).as_str())
}

fn in_box(parents: &[String]) -> bool {
    parents.iter().any(|p| is_box(p) || p == "bottles")
}

/// The address of a directory: `for-x` and `from-x`.
fn address(directory: &str) -> Option<(&str, &str)> {
    let (word, name) = directory.split_once(['-', '_'])?;
    let is_one = (word == "for" || word == "from") && !name.is_empty() && !PHRASES.contains(&directory);
    is_one.then_some((word, name))
}

/// The layout that the directories above a file give it.
fn mailbox(parents: &[String]) -> Option<Layout> {
    let addressed = parents.iter().enumerate().filter_map(|(at, p)| address(p).map(|a| (at, a))).next_back();
    if let Some(at) = parents.iter().position(|p| is_box(p)) {
        return Some(match addressed {
            Some((below, ("for", _))) if below > at => Layout::BottleBoxFor,
            Some((below, _)) if below > at => Layout::BottleBoxFrom,
            _ => Layout::BottleBox,
        });
    }
    let elsewhere = |at: usize| parents.iter().take(at).any(|p| ELSEWHERE.contains(&p.as_str()));
    if let Some((_, (word, name))) = addressed.filter(|(at, _)| !elsewhere(*at)) {
        let fleet = AgentRef::read(name).is_some_and(|agent| agent.is_everyone());
        return Some(match (word, fleet) {
            ("for", true) => Layout::ForFleet,
            ("for", false) => Layout::ForAgent,
            (_, true) => Layout::FromFleet,
            (_, false) => Layout::FromAgent,
        });
    }
    let at = parents.iter().position(|p| p == "bottles" || p == "bottle")?;
    (!elsewhere(at)).then_some(Layout::Bottles)
}

fn is_document(stem: &str) -> bool {
    DOCUMENTS.contains(&fold(stem).as_str())
}

/// `BOTTLE-…`, `MESSAGE-FROM-…`; not `bottle-protocol`, `BOTTLE-TEMPLATE`: those tell how to write one.
fn is_bottle_name(stem: &str) -> bool {
    let words = words(stem);
    let opens = match words.as_slice() {
        [first, _, ..] if first == "bottle" => true,
        [first, second, _, ..] => first == "message" && (second == "from" || second == "to"),
        _ => false,
    };
    let about = ["protocol", "spec", "format", "template", "schema", "readme", "guide", "hygiene", "system"];
    opens && words.last().is_none_or(|last| !about.contains(&last.as_str()))
}

/// The words of a file name, in lower case.
fn words(stem: &str) -> Vec<String> {
    stem.split(['-', '_', ' ', '.']).filter(|w| !w.is_empty()).map(str::to_lowercase).collect()
}

/// What the name and the directories of `path` claim.
pub(super) fn claims(path: &str) -> Vec<Claim<'_>> {
    let mut claims = Vec::new();
    let (parents, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = stem(name);
    if let Some(date) = When::in_file_name(stem) {
        claims.push(Claim::sure(Field::Date, Rung::FileName, date.to_string()));
    }
    file_name(stem, &mut claims);
    let mut directories: Vec<&str> = parents.split('/').collect();
    if let Some(last) = directories.last()
        && ["message", "claimed", "results"].contains(&fold(stem).as_str())
        && directories.len() > 1
        && address(&last.to_ascii_lowercase()).is_none()
        && !is_box(last)
    {
        // The protocol's own place for an agent that introduces itself: `for-fleet/NAME/MESSAGE.md`.
        claims.push(Claim::sure(Field::Sender, Rung::Directory, *last));
        directories.pop();
    }
    let mut bottles = false;
    for directory in directories {
        if bottles {
            claims.push(Claim::likely(Field::Recipient, Rung::Directory, directory));
        }
        bottles = directory.eq_ignore_ascii_case("bottles");
        if let Some(date) = When::in_file_name(directory) {
            claims.push(Claim::sure(Field::Date, Rung::Directory, date.to_string()));
        }
        let lower = directory.to_ascii_lowercase();
        let Some((word, name)) = address(&lower) else { continue };
        let name = directory.get(directory.len() - name.len()..).unwrap_or(name).to_owned();
        // The innermost directory speaks last and loudest.
        match word {
            "for" => claims.insert(0, Claim::sure(Field::Recipient, Rung::Directory, name)),
            _ => claims.insert(0, Claim::sure(Field::Sender, Rung::Directory, name)),
        }
    }
    claims
}

/// A file name without its endings: `a.i2i.md` is `a`.
pub(super) fn stem(name: &str) -> &str {
    let mut stem = name;
    while let Some((rest, ending)) = stem.rsplit_once('.')
        && ["md", "markdown", "mdown", "i2i", "txt", "yaml", "yml", "json"]
            .contains(&ending.to_ascii_lowercase().as_str())
    {
        stem = rest;
    }
    stem
}

/// `…FROM-A-TO-B-2026-01-31-topic` and `2026-01-31_a_topic`.
fn file_name<'a>(stem: &'a str, claims: &mut Vec<Claim<'a>>) {
    let parts: Vec<&str> = stem.split(['-', '_', ' ', '.']).filter(|w| !w.is_empty()).collect();
    let is = |at: usize, word: &str| parts.get(at).is_some_and(|part| part.eq_ignore_ascii_case(word));
    let number = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    let opening = |part: &&&str| OPENINGS.contains(&part.to_ascii_lowercase().as_str()) || number(part);
    // `notes-from-production` is a topic: the word counts only where nothing but an opening precedes it.
    let mut at = parts.iter().take_while(opening).count();
    let opened = parts.iter().take(at).any(|part| !number(part));
    for (word, field) in [("from", Field::Sender), ("to", Field::Recipient)] {
        if !is(at, word) {
            continue;
        }
        let ends = |part: &&&str| {
            !["from", "to", "for", "re"].contains(&part.to_ascii_lowercase().as_str())
                && !part.bytes().all(|b| b.is_ascii_digit())
        };
        let name: Vec<&str> = parts.iter().skip(at + 1).take_while(ends).copied().collect();
        match name.as_slice() {
            [] => {}
            [one] if opened || parts.get(at).is_some_and(|word| word.chars().all(char::is_uppercase)) => {
                claims.push(Claim::sure(field, Rung::FileName, *one));
            }
            // Where the name ends and the topic begins, or whether it is a name, only the text can tell.
            several => {
                for length in (1..=several.len().min(3)).rev() {
                    claims.push(Claim::likely(
                        field,
                        Rung::FileName,
                        several.iter().take(length).copied().collect::<Vec<_>>().join("-"),
                    ));
                }
            }
        }
        at += 1 + name.len();
    }
    let parts: Vec<&str> = stem.split('_').collect();
    if let [date, sender, _, ..] = parts.as_slice()
        && When::in_file_name(date).is_some()
    {
        claims.push(Claim::likely(Field::Sender, Rung::FileName, *sender));
    }
}

/// The topic in a file name: what is left of it without opening, names and date.
pub(super) fn topic(path: &str) -> String {
    let stem = stem(path.rsplit('/').next().unwrap_or(path));
    let parts: Vec<&str> = stem.split(['-', '_', ' ', '.']).filter(|w| !w.is_empty()).collect();
    let lower = |part: &str| part.to_ascii_lowercase();
    let mut rest = parts.as_slice();
    while let Some((first, after)) = rest.split_first() {
        let word = lower(first);
        let skip = OPENINGS.contains(&word.as_str()) || first.bytes().all(|b| b.is_ascii_digit());
        let address = word == "from" || word == "to";
        if !(skip || address) {
            break;
        }
        rest = if address { after.get(1..).unwrap_or_default() } else { after };
    }
    let end =
        rest.iter().rposition(|part| !part.bytes().all(|b| b.is_ascii_digit())).map_or(0, |last| last + 1);
    rest.get(..end).unwrap_or_default().join(" ")
}
