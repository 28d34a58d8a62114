//! Bottles as they lie in the trees of real vessels: files in many layouts and styles, read without cutting anything.
//!
//! [`read`] answers who, to whom, when and about what by a ladder of places where vessels write it. Each value
//! carries the [`Rung`] it stands on, so a reader can tell a stated sender from a guessed one; what no rung gives
//! stays `None`. The author of the git commit is a separate fact and never fills in for a sender.
//! Everything here is a pure function of a path and its bytes.

mod agent;
mod field;
mod path;
mod resolve;
mod sign;
mod survey;
mod text;
mod title;
mod when;

#[cfg(test)]
mod tests;

pub use agent::AgentRef;
pub use path::{Layout, is_bottle_path, layout};
pub use survey::{Duplicates, Field, FieldCount, Survey, survey};
pub use when::When;

use serde::Serialize;

/// The place a value was read from, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// A key of YAML or TOML front matter, or of a bottle that is YAML or JSON as a whole.
    FrontMatter,
    /// `**From:** x` or `**From**: x`.
    BoldField,
    /// `From: x`.
    PlainField,
    /// `- From: x`, bold or plain, in a list.
    ListField,
    /// `| From | x |`.
    TableField,
    /// `## From: x`, or the line below `## From`.
    HeadingField,
    /// A title `[I2I:TYPE] A → B — subject`.
    I2iTitle,
    /// Any other title: `Bottle from A to B`, `A → B: subject`.
    Title,
    /// A line under the title that names its author: `> Name ⚒️ — 2026-01-31`, `*From Name, Keeper*`.
    Byline,
    /// The name of the file: `BOTTLE-FROM-A-TO-B-2026-01-31-topic.md`.
    FileName,
    /// A line that is only a form of address: `Name,`.
    Salutation,
    /// A directory: `for-b/`, `from-a/`.
    Directory,
    /// The end of the text: `— Name`, `*Name ⚒️ — motto*`, `**Agent:** Name`.
    Signature,
    /// The scope of `[I2I:TYPE] Name — subject` where nothing else speaks: most often the sender.
    I2iScope,
}

impl Rung {
    /// The name of the rung as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FrontMatter => "front-matter",
            Self::BoldField => "bold-field",
            Self::PlainField => "plain-field",
            Self::ListField => "list-field",
            Self::TableField => "table-field",
            Self::HeadingField => "heading-field",
            Self::I2iTitle => "i2i-title",
            Self::Title => "title",
            Self::Byline => "byline",
            Self::FileName => "file-name",
            Self::Salutation => "salutation",
            Self::Directory => "directory",
            Self::Signature => "signature",
            Self::I2iScope => "i2i-scope",
        }
    }
}

/// A value and the rung of the ladder it was found on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resolved<T> {
    /// What was read.
    pub value: T,
    /// Where it was read.
    pub rung: Rung,
}

/// One bottle, as its file tells it.
///
/// Text values are as the file has them, without markup around them: they may hold control characters and bidi
/// marks, so escape them before a terminal sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileBottle {
    /// The path inside the tree.
    pub path: String,
    /// What the path says about the bottle; `None` where [`is_bottle_path`] is false.
    pub layout: Option<Layout>,
    /// Who says it wrote this.
    pub sender: Option<Resolved<AgentRef>>,
    /// Whom it is for; never an empty list.
    pub recipients: Option<Resolved<Vec<AgentRef>>>,
    /// When it says it was written.
    pub date: Option<Resolved<When>>,
    /// Its type, as written: `STATUS`, `report`, `TOOL SHARING`.
    pub kind: Option<Resolved<String>>,
    /// What it is about.
    pub subject: Option<Resolved<String>>,
    /// What it answers, as written: a file name, an id or a phrase.
    pub in_reply_to: Option<Resolved<String>>,
    /// Its priority, as written.
    pub priority: Option<Resolved<String>>,
    /// The whole file, byte for byte.
    pub body: Vec<u8>,
}

/// Reads one file bottle; any bytes are accepted and all of them come back as the body.
///
/// The cost beyond copying the body is bounded: only the first and the last few KiB are looked at.
///
/// # Examples
/// ```
/// use datum_core::file_bottle::{Rung, read};
///
/// let text = "# [I2I:STATUS] Heron → Tern — nets are out\n\n**Date:** 2026-03-01 08:30 UTC\n\nAll well.\n\n— Heron\n";
/// let bottle = read("for-tern/nets.md", text.as_bytes());
/// let sender = bottle.sender.unwrap();
/// assert_eq!((sender.value.text.as_str(), sender.rung), ("Heron", Rung::I2iTitle));
/// assert_eq!(bottle.date.unwrap().value.to_string(), "2026-03-01T08:30Z");
/// assert_eq!(bottle.subject.unwrap().value, "nets are out");
/// assert_eq!(bottle.body, text.as_bytes());
/// // Nothing is made up: a file that names nobody has no sender.
/// assert_eq!(read("for-fleet/notes.md", b"words").sender, None);
/// ```
pub fn read(path: &str, text: &[u8]) -> FileBottle {
    let window = text::Window::of(text);
    let layout = layout(path);
    let mut claims = path::claims(path);
    resolve::bottle(path, layout, &window, &mut claims, text)
}
