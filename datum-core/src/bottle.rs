//! Bottles: messages between agents, as entries; and what their readers did with them, as entries too.

mod inbox;
mod waiting;

pub use inbox::{Bottle, Inbox, Me, Source, Stage, Status, inbox};
pub use waiting::{Brief, Waiting, waiting};

use crate::entry::{Draft, DraftError};
use crate::id::EntryId;
use crate::name::{AgentName, NameError, Word};
use crate::publish::taskboard_file::Priority;
use crate::stamp::Millis;
use std::fmt;

/// The trailer that names a recipient.
pub const TO: &str = "To";
/// The trailer that names the type.
pub const TYPE: &str = "Type";
/// The trailer that names the priority; a bottle without one is of medium priority.
pub const PRIORITY: &str = "Priority";
/// The trailer with the time, milliseconds since 1970, by which the bottle is to be acknowledged.
pub const DEADLINE: &str = "Deadline";
/// The trailer that names the bottle this one answers.
pub const IN_REPLY_TO: &str = "In-Reply-To";
/// The trailer of an entry that says: its agent was shown this bottle in a list.
pub const SEEN: &str = "Seen";
/// The trailer of an entry that says: its agent has read this bottle.
pub const READ: &str = "Read";
/// The trailer of an entry that says: its agent acknowledges this bottle.
pub const ACK: &str = "Ack";

/// Most recipients of one bottle.
pub const RECIPIENTS_MAX: usize = 100;

/// The types of bottles.
pub const TYPES: [&str; 8] =
    ["message", "signal", "check-in", "alert", "deliverable", "handoff", "question", "info"];

/// Whom a bottle is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recipient {
    /// One agent.
    Agent(AgentName),
    /// Every agent of a role.
    Role(Word),
    /// Every agent that declares a capability.
    Capability(Word),
    /// Whoever reads it.
    AnyVessel,
}

impl Recipient {
    /// Parses `oracle1`, `role:x`, `cap:y` or `any-vessel`.
    ///
    /// # Errors
    /// [`NameError`] with the rule that `text` breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text == "any-vessel" {
            return Ok(Self::AnyVessel);
        }
        if let Some(role) = text.strip_prefix("role:") {
            return Word::new("role", role).map(Self::Role);
        }
        if let Some(capability) = text.strip_prefix("cap:") {
            return Word::new("capability", capability).map(Self::Capability);
        }
        AgentName::new(text).map(Self::Agent)
    }

    /// Parses a list with commas between recipients: `a,b,role:x`.
    ///
    /// # Errors
    /// [`NameError`] for the first recipient that is none, an empty list, or more than [`RECIPIENTS_MAX`].
    pub fn parse_list(text: &str) -> Result<Vec<Self>, NameError> {
        let mut list: Vec<Self> =
            text.split(',').map(|part| Self::parse(part.trim())).collect::<Result<_, _>>()?;
        list.sort();
        list.dedup();
        if list.len() > RECIPIENTS_MAX {
            return Err(NameError { what: "recipients", text: text.to_owned(), why: "are more than 100" });
        }
        Ok(list)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent(name) => name.fmt(f),
            Self::Role(role) => write!(f, "role:{role}"),
            Self::Capability(capability) => write!(f, "cap:{capability}"),
            Self::AnyVessel => f.write_str("any-vessel"),
        }
    }
}

/// A bottle to be dropped.
#[derive(Debug, Clone)]
pub struct Drop<'a> {
    /// Whom it is for.
    pub to: &'a [Recipient],
    /// What it is about, one line.
    pub subject: &'a str,
    /// The text, kept to the byte.
    pub text: &'a str,
    /// One of [`TYPES`].
    pub kind: &'a str,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// By when it is to be acknowledged.
    pub deadline: Option<Millis>,
    /// The bottle it answers.
    pub in_reply_to: Option<EntryId>,
}

/// Drafts a bottle.
///
/// # Errors
/// [`DraftError`] for a subject or text that cannot stand in an entry, a type that is none, and no recipient.
///
/// # Examples
/// ```
/// use datum_core::bottle::{self, Drop, Recipient};
/// let to = Recipient::parse_list("oracle1,role:lookout")?;
/// let drop = Drop {
///     to: &to,
///     subject: "Storm ahead",
///     text: "Reef the sails.",
///     kind: "alert",
///     priority: None,
///     deadline: None,
///     in_reply_to: None,
/// };
/// assert_eq!(bottle::draft(&drop)?.trailer("To"), Some("oracle1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn draft(drop: &Drop<'_>) -> Result<Draft, DraftError> {
    let mut draft = Draft::new(drop.subject, drop.text)?;
    if drop.to.is_empty() {
        return Err(NameError { what: "recipients", text: String::new(), why: "are none" }.into());
    }
    if !TYPES.contains(&drop.kind) {
        let why = "is none of message, signal, check-in, alert, deliverable, handoff, question, info";
        return Err(NameError { what: "bottle type", text: drop.kind.to_owned(), why }.into());
    }
    for recipient in drop.to {
        draft = draft.with(TO, &recipient.to_string())?;
    }
    draft = draft.with(TYPE, drop.kind)?;
    if let Some(priority) = drop.priority {
        draft = draft.with(PRIORITY, priority.as_str())?;
    }
    if let Some(deadline) = drop.deadline {
        draft = draft.with(DEADLINE, &deadline.to_string())?;
    }
    if let Some(id) = drop.in_reply_to {
        draft = draft.with(IN_REPLY_TO, &id.to_string())?;
    }
    Ok(draft)
}

/// Most bottles that one receipt names.
pub const RECEIPT_MAX: usize = 500;

/// Drafts the entries that say the writer was shown these bottles in a list.
///
/// # Errors
/// [`DraftError`] never for ids that come from a snapshot.
pub fn sightings(bottles: &[EntryId]) -> Result<Vec<Draft>, DraftError> {
    bottles.chunks(RECEIPT_MAX).map(|some| receipt("Seen", SEEN, some, "")).collect()
}

/// Drafts the entry that says the writer has read these bottles.
///
/// # Errors
/// [`DraftError`] never for ids that come from a snapshot.
pub fn read_receipt(bottles: &[EntryId]) -> Result<Draft, DraftError> {
    receipt("Read", READ, bottles, "")
}

/// Drafts the entry that says the writer acknowledges these bottles.
///
/// # Errors
/// [`DraftError`] for a note that cannot stand in an entry.
pub fn acknowledgement(bottles: &[EntryId], note: &str) -> Result<Draft, DraftError> {
    receipt("Acknowledged", ACK, bottles, note)
}

fn receipt(verb: &str, key: &str, bottles: &[EntryId], note: &str) -> Result<Draft, DraftError> {
    let subject = match bottles {
        [one] => format!("{verb} {}", one.short(12)),
        many => format!("{verb} {} bottles", many.len()),
    };
    let mut draft = Draft::new(&subject, note)?;
    for id in bottles {
        draft = draft.with(key, &id.to_string())?;
    }
    Ok(draft)
}
