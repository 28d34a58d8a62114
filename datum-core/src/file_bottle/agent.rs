//! Agents as bottles name them: a text, and a checked name where the text gives one.

use super::text::{ARROWS, DASHES, bare, clip, fold, is_picture, split_first};
use crate::AgentName;
use serde::{Serialize, Serializer};

/// Longest reference that is kept, characters.
const MAX: usize = 200;

/// An agent as a bottle names it.
///
/// # Examples
/// ```
/// use datum_core::file_bottle::AgentRef;
/// let agent = AgentRef::read("Heron2 🔮 (lookout, north shore)").unwrap();
/// assert_eq!(agent.text, "Heron2");
/// assert_eq!(agent.name.unwrap().as_str(), "heron2");
/// assert!(AgentRef::read("All Fleet Agents").unwrap().is_everyone());
/// assert_eq!(AgentRef::read("YOUR-NAME"), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentRef {
    /// The reference as it stands in the bottle.
    pub raw: String,
    /// The name alone, for display: no sigil, no title, no remark.
    pub text: String,
    /// The name in the form of this project, where it can be checked: lower case, blanks as `-`.
    /// Two spellings of one agent (`JC1`, `JetsonClaw1`) stay two names: only a registry can join them.
    #[serde(serialize_with = "name")]
    pub name: Option<AgentName>,
}

#[expect(clippy::ref_option, reason = "the signature serde asks for")]
fn name<S: Serializer>(name: &Option<AgentName>, to: S) -> Result<S::Ok, S::Error> {
    name.as_ref().map(AgentName::as_str).serialize(to)
}

impl AgentRef {
    /// Reads one reference; `None` where the text names nobody (empty, a placeholder, a sentence).
    pub fn read(raw: &str) -> Option<Self> {
        let raw = clip(raw.trim(), MAX);
        let mut text = bare(raw);
        if text.starts_with(['<', '{', '(', '$']) || is_placeholder(text) {
            return None;
        }
        if let Some(link) = text.strip_prefix('[') {
            text = link.split_once("](")?.0;
        }
        let ends = ["(", "[", ",", ";", "<", " via ", " @ ", ": ", "{"];
        for marks in [&ends[..], &DASHES, &ARROWS] {
            text = split_first(text, marks).map_or(text, |(before, _)| before);
        }
        // `vessel/agent`, as machine-written bottles have it.
        text = if text.contains(' ') { text } else { text.rsplit('/').next().unwrap_or(text) };
        text = bare(text).trim_start_matches('@').trim_end_matches([':', '.', '!']);
        let joined = text.split(|c: char| c.is_whitespace() || is_picture(c)).filter(|word| !word.is_empty());
        let text = joined.collect::<Vec<_>>().join(" ");
        let fits = text.chars().count() <= 48
            && text.split(' ').count() <= 5
            && text.chars().any(char::is_alphabetic)
            && text.chars().all(|c| c.is_alphanumeric() || " -_.'+#’".contains(c));
        if !fits || is_placeholder(&text) {
            return None;
        }
        let name = if is_everyone(&text) {
            None
        } else {
            AgentName::new(&text.to_lowercase().replace(' ', "-")).ok()
        };
        Some(Self { raw: raw.to_owned(), text, name })
    }

    /// Reads a list of references: `A, B`, `A + B`, `A and B`, `[A, B]`; remarks in brackets are not split.
    pub fn read_list(raw: &str) -> Vec<Self> {
        let raw = clip(raw.trim(), 4 * MAX);
        let inner = raw.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(raw);
        let mut found: Vec<Self> = Vec::new();
        for part in split_list(inner) {
            if let Some(agent) = Self::read(part)
                && !found.iter().any(|other| other.same(&agent.text))
            {
                found.push(agent);
            }
        }
        found
    }

    /// Tells whether this is no single agent but all of them: `fleet`, `any-vessel`, `All Fleet Agents`.
    pub fn is_everyone(&self) -> bool {
        is_everyone(&self.text)
    }

    /// Tells whether `text` is the same name, whatever its case and punctuation.
    pub(super) fn same(&self, text: &str) -> bool {
        fold(&self.text) == fold(text)
    }

    /// Tells whether the text has the look of a name where nothing but its place says that it is one:
    /// at most three words, each with a capital or a digit, none of them a word that opens sentences.
    pub(super) fn is_plausible(&self) -> bool {
        const OPENERS: [&str; 40] = [
            "the", "this", "that", "these", "a", "an", "all", "any", "our", "your", "my", "we", "you", "i",
            "it", "no", "next", "status", "update", "done", "complete", "new", "part", "phase", "session",
            "thanks", "regards", "fair", "cheers", "best", "here", "what", "how", "why", "when", "still",
            "not", "end", "built", "task",
        ];
        let words: Vec<&str> = self.text.split(' ').collect();
        let opener = words.first().is_some_and(|w| OPENERS.contains(&w.to_lowercase().as_str()));
        words.len() <= 3
            && !opener
            && self.text.chars().count() <= 32
            && words
                .iter()
                .all(|w| w.starts_with(char::is_uppercase) || w.contains(|c: char| c.is_ascii_digit()))
    }
}

/// Parts of a list of names, split outside brackets.
fn split_list(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_u32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ',' | ';' | '+' | '&' | '→' if depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
        .into_iter()
        .flat_map(|part| part.split(" and "))
        .flat_map(|part| part.split(" / "))
        .take(64)
        .collect()
}

fn is_everyone(text: &str) -> bool {
    let folded = fold(text);
    let word = folded.strip_prefix("the").unwrap_or(&folded);
    [
        "fleet",
        "everyone",
        "everybody",
        "all",
        "any",
        "anyone",
        "anybody",
        "broadcast",
        "allhands",
        "fleetwide",
    ]
    .contains(&word)
        || ["all", "any", "every", "entire", "whole"].iter().filter_map(|all| word.strip_prefix(all)).any(
            |rest| {
                let rest = rest.strip_prefix("of").unwrap_or(rest);
                let rest = rest.strip_prefix("fleet").unwrap_or(rest);
                ["", "vessel", "vessels", "agent", "agents", "crew", "member", "members"].contains(&rest)
            },
        )
}

/// Words that stand in templates where a name is to go, or say that there is none.
fn is_placeholder(text: &str) -> bool {
    const WORDS: [&str; 22] = [
        "yourname",
        "youragent",
        "youragentname",
        "agentname",
        "vesselname",
        "name",
        "agent",
        "sender",
        "recipient",
        "tbd",
        "todo",
        "unknown",
        "na",
        "none",
        "null",
        "anonymous",
        "self",
        "me",
        "you",
        "someone",
        "example",
        "xxx",
    ];
    WORDS.contains(&fold(text).as_str())
}
