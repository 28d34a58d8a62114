//! A survey: how well the ladder reads all bottles of a vessel or a folder.

use super::{FileBottle, Rung, is_bottle_path, read};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A field of a bottle that the ladder resolves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// Who wrote it.
    Sender,
    /// Whom it is for.
    Recipient,
    /// When it was written.
    Date,
    /// Its type.
    #[serde(rename = "type")]
    Kind,
    /// What it is about.
    Subject,
    /// What it answers.
    InReplyTo,
    /// Its priority.
    Priority,
}

impl Field {
    /// All fields, in the order a survey shows them.
    pub const ALL: [Self; 7] = [
        Self::Sender,
        Self::Recipient,
        Self::Date,
        Self::Kind,
        Self::Subject,
        Self::InReplyTo,
        Self::Priority,
    ];

    /// The name of the field as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Recipient => "recipient",
            Self::Date => "date",
            Self::Kind => "type",
            Self::Subject => "subject",
            Self::InReplyTo => "in-reply-to",
            Self::Priority => "priority",
        }
    }
}

impl FileBottle {
    /// The rung that `field` stands on, where it was resolved.
    pub fn rung(&self, field: Field) -> Option<Rung> {
        match field {
            Field::Sender => self.sender.as_ref().map(|r| r.rung),
            Field::Recipient => self.recipients.as_ref().map(|r| r.rung),
            Field::Date => self.date.as_ref().map(|r| r.rung),
            Field::Kind => self.kind.as_ref().map(|r| r.rung),
            Field::Subject => self.subject.as_ref().map(|r| r.rung),
            Field::InReplyTo => self.in_reply_to.as_ref().map(|r| r.rung),
            Field::Priority => self.priority.as_ref().map(|r| r.rung),
        }
    }

    /// The style of the text: the best rung that its own words give to sender, recipient, date or type.
    pub fn style(&self) -> Option<Rung> {
        let fields = [Field::Sender, Field::Recipient, Field::Date, Field::Kind];
        let path = [Rung::FileName, Rung::Directory];
        fields.iter().filter_map(|field| self.rung(*field)).filter(|rung| !path.contains(rung)).min()
    }
}

/// How often a field was resolved, and on which rungs.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct FieldCount {
    /// Bottles in which it was.
    pub resolved: u32,
    /// The same as a share of all bottles, 0 to 1; 0 where there are none.
    pub share: f64,
    /// Bottles per rung.
    pub rungs: BTreeMap<Rung, u32>,
}

/// Bottles whose bytes are those of another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Duplicates {
    /// Contents that occur more than once.
    pub contents: u32,
    /// Bottles beyond the first of each such content.
    pub copies: u32,
}

/// The result of [`survey`]. Its JSON shape is version 1 and only grows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Survey {
    /// Version of the shape: 1.
    pub version: u32,
    /// Files seen.
    pub files: u32,
    /// Files among them that are bottles; all other counts are about these.
    pub bottles: u32,
    /// Bytes of all bottles.
    pub bytes: u64,
    /// Bytes of text that did not come back in a body as they went in.
    pub text_lost_bytes: u64,
    /// Bottles per layout.
    pub layouts: BTreeMap<&'static str, u32>,
    /// Bottles per style: the best rung of their own text, `bare` where it gives none.
    pub styles: BTreeMap<&'static str, u32>,
    /// Counts per field.
    pub fields: BTreeMap<Field, FieldCount>,
    /// Copies.
    pub duplicates: Duplicates,
}

/// Surveys the bottles among `files`, given as path and bytes; other files are counted and left alone.
///
/// # Examples
/// ```
/// use datum_core::file_bottle::{Field, survey};
/// let files = [("for-tern/a.md", "From: Heron\n\nHello.\n"), ("for-tern/b.md", "Hello.\n"), ("src/lib.rs", "")];
/// let survey = survey(files);
/// assert_eq!((survey.files, survey.bottles, survey.text_lost_bytes), (3, 2, 0));
/// assert_eq!(survey.fields[&Field::Sender].resolved, 1);
/// assert_eq!(survey.fields[&Field::Recipient].share, 1.0);
/// ```
pub fn survey<P: AsRef<str>, B: AsRef<[u8]>>(files: impl IntoIterator<Item = (P, B)>) -> Survey {
    let mut survey = Survey {
        version: 1,
        files: 0,
        bottles: 0,
        bytes: 0,
        text_lost_bytes: 0,
        layouts: BTreeMap::new(),
        styles: BTreeMap::new(),
        fields: Field::ALL.into_iter().map(|field| (field, FieldCount::default())).collect(),
        duplicates: Duplicates::default(),
    };
    let mut contents: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    for (path, bytes) in files {
        let (path, bytes) = (path.as_ref(), bytes.as_ref());
        survey.files += 1;
        if !is_bottle_path(path) {
            continue;
        }
        let bottle = read(path, bytes);
        survey.bottles += 1;
        survey.bytes += bytes.len() as u64;
        survey.text_lost_bytes += lost(bytes, &bottle.body);
        *survey.layouts.entry(bottle.layout.map_or("none", super::Layout::as_str)).or_default() += 1;
        *survey.styles.entry(bottle.style().map_or("bare", Rung::as_str)).or_default() += 1;
        for (field, count) in &mut survey.fields {
            if let Some(rung) = bottle.rung(*field) {
                count.resolved += 1;
                *count.rungs.entry(rung).or_default() += 1;
            }
        }
        *contents.entry(bottle.body).or_default() += 1;
    }
    for count in survey.fields.values_mut() {
        let share = f64::from(count.resolved) / f64::from(survey.bottles.max(1));
        count.share = (share * 10_000.0).round() / 10_000.0;
    }
    for copies in contents.into_values().filter(|copies| *copies > 1) {
        survey.duplicates.contents += 1;
        survey.duplicates.copies += copies - 1;
    }
    survey
}

/// Bytes of `text` that `body` does not have at their place, and bytes that it has too many.
fn lost(text: &[u8], body: &[u8]) -> u64 {
    let differing = text.iter().zip(body).filter(|(a, b)| a != b).count();
    (differing + text.len().abs_diff(body.len())) as u64
}

impl Survey {
    /// The survey as a table for a terminal: plain aligned text.
    pub fn table(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(
            out,
            "{} files, {} bottles, {} bytes; text lost: {} bytes; {} copies of {} bottles",
            self.files,
            self.bottles,
            self.bytes,
            self.text_lost_bytes,
            self.duplicates.copies,
            self.duplicates.contents
        );
        let _ = writeln!(out, "\n{:<12} {:>8} {:>7}  rungs", "field", "resolved", "share");
        for (field, count) in &self.fields {
            let rungs: Vec<String> =
                count.rungs.iter().map(|(rung, n)| format!("{} {n}", rung.as_str())).collect();
            let share = count.share * 100.0;
            let line =
                format!("{:<12} {:>8} {share:>6.1}%  {}", field.as_str(), count.resolved, rungs.join(", "));
            let _ = writeln!(out, "{}", line.trim_end());
        }
        for (title, counts) in [("layout", &self.layouts), ("style", &self.styles)] {
            let _ = writeln!(out, "\n{title:<16} {:>7}", "bottles");
            for (name, count) in counts {
                let _ = writeln!(out, "{name:<16} {count:>7}");
            }
        }
        out
    }
}
