//! What waits for one reader, without the cost of making bottles of all that do not.

#[cfg(test)]
mod tests;

use super::inbox::{Me, of_files, printed, stated_time};
use super::{ACK, DEADLINE, IN_REPLY_TO, READ, Recipient, TO, TYPE};
use crate::entry::View;
use crate::id::{EntryId, IdMap, IdSet};
use crate::import;
use crate::kind::Kind;
use crate::name::AgentName;
use crate::odb::ObjectError;
use crate::snapshot::Snapshot;
use crate::stamp::Millis;
use crate::undo;
use std::borrow::Cow;
use std::num::NonZeroU32;
use std::ops::{ControlFlow, Range};

/// A bottle in one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brief<'a> {
    /// The commit's id, or the blob's for a file.
    pub id: EntryId,
    /// The sender, as the bottle states it.
    pub from: Option<&'a str>,
    /// The type.
    pub kind: Option<&'a str>,
    /// What it is about.
    pub subject: &'a str,
    /// When it was written, milliseconds; the start of the day where only that is known, 0 where nothing is.
    pub time: Millis,
    /// By when it is to be acknowledged.
    pub deadline: Option<Millis>,
}

/// The bottles that want something of a reader.
#[derive(Debug, Clone, Default)]
pub struct Waiting {
    unread: Vec<Row>,
    overdue: Vec<Row>,
    texts: Texts,
}

impl Waiting {
    /// For the reader, and not read; the newest first.
    pub fn unread(&self) -> impl ExactSizeIterator<Item = Brief<'_>> + Clone {
        self.unread.iter().map(|row| self.texts.brief(row))
    }

    /// For or from the reader, the deadline passed, and acknowledged by nobody; the newest first.
    pub fn overdue(&self) -> impl ExactSizeIterator<Item = Brief<'_>> + Clone {
        self.overdue.iter().map(|row| self.texts.brief(row))
    }
}

/// A bottle without its texts, of which there may be very many.
#[derive(Debug, Clone)]
struct Row {
    id: EntryId,
    is_mine: bool,
    from: Option<Word>,
    kind: Option<Word>,
    subject: Range<usize>,
    time: Millis,
    deadline: Option<Millis>,
}

/// The place of a word, from 1.
type Word = NonZeroU32;

/// What rows say, in one piece of memory.
#[derive(Debug, Clone, Default)]
struct Texts {
    subjects: String,
    words: Vec<String>,
}

impl Texts {
    fn brief(&self, row: &Row) -> Brief<'_> {
        let word = |at: Option<Word>| self.words.get(at?.get() as usize - 1).map(String::as_str);
        Brief {
            id: row.id,
            from: word(row.from),
            kind: word(row.kind),
            subject: &self.subjects[row.subject.clone()],
            time: row.time,
            deadline: row.deadline,
        }
    }

    fn add_subject(&mut self, text: &str) -> Range<usize> {
        let start = self.subjects.len();
        self.subjects.push_str(text);
        start..self.subjects.len()
    }

    /// The place of a word; of the first few, which many bottles hold, there is one copy.
    fn add_word(&mut self, text: &str) -> Option<Word> {
        const MOST: usize = 32;
        let known = self.words.iter().take(MOST).position(|known| known == text);
        let at = known.unwrap_or_else(|| {
            self.words.push(text.to_owned());
            self.words.len() - 1
        });
        Word::new(u32::try_from(at + 1).ok()?)
    }
}

/// Folds the bottles as [`super::inbox`] does, and makes only those that `me` has not read, or that are overdue at `now`.
///
/// # Errors
/// As [`super::inbox`].
pub fn waiting(snapshot: &Snapshot<'_>, me: &Me, now: Millis) -> Result<Waiting, ObjectError> {
    let files = of_files(snapshot)?;
    let printed_from = files.values().filter_map(printed).collect();
    let mut sieve = Sieve { printed_from, ..Sieve::new(me, now) };
    let hidden = undo::walk_visible(snapshot, Kind::Bottle, |view| {
        sieve.take(view, true);
        ControlFlow::Continue(())
    });
    // A dispatch is one entry: the task given, and the bottle that says so.
    undo::walk_visible(snapshot, Kind::Task, |view| {
        sieve.take(view, false);
        ControlFlow::Continue(())
    });
    for (id, bottle) in files {
        let is_copy = sieve.imported.contains_key(&id)
            || printed(&bottle).is_some_and(|entry| sieve.printed.contains(&entry));
        if hidden.contains(&id) || is_copy {
            continue;
        }
        let from_me = bottle.from_agent.as_ref() == Some(&me.name);
        if let (Some(parent), Some(_)) = (bottle.in_reply_to, &bottle.from_agent) {
            sieve.note(parent, Said { done: from_me, settled: true });
        }
        if bottle.is_for(me) {
            let (from, kind) = (bottle.from.as_deref(), bottle.kind.as_deref());
            let (subject, time) = (bottle.subject.as_str(), bottle.time);
            sieve.keep(Brief { id, from, kind, subject, time, deadline: None }, true);
        }
    }
    Ok(sieve.finish())
}

/// What was said of a bottle.
#[derive(Debug, Clone, Copy, Default)]
struct Said {
    /// That the reader has read, acknowledged or answered it.
    done: bool,
    /// That anybody has acknowledged or answered it.
    settled: bool,
}

/// Takes entries from the newest on, and keeps what may wait.
struct Sieve<'a> {
    me: &'a Me,
    now: Millis,
    /// The entries that files say they were printed from.
    printed_from: IdSet,
    /// Those of them that were met.
    printed: IdSet,
    /// The entries that files were imported as.
    imported: IdMap<EntryId>,
    said: IdMap<Said>,
    /// Bottles that may wait.
    found: Vec<Row>,
    texts: Texts,
}

impl<'a> Sieve<'a> {
    fn new(me: &'a Me, now: Millis) -> Self {
        Self {
            me,
            now,
            printed_from: IdSet::default(),
            printed: IdSet::default(),
            imported: IdMap::default(),
            said: IdMap::default(),
            found: Vec::new(),
            texts: Texts::default(),
        }
    }

    /// Takes an entry; one that is no bottle counts for its receipts only in the logs of bottles.
    fn take(&mut self, view: &View<'_>, receipts: bool) {
        let by_me = view.agent() == self.me.name.as_str();
        let (mut origin, mut original, mut date, mut kind) = (None, None, None, None);
        let (mut deadline, mut parent) = (None, None);
        let (mut is_bottle, mut names_me) = (false, false);
        for (key, value) in view.trailers() {
            match key {
                TO => {
                    is_bottle = true;
                    names_me |= value == self.me.name.as_str();
                }
                TYPE => kind = kind.or(Some(value)),
                READ if receipts && by_me => self.say(value, Said { done: true, settled: false }),
                ACK if receipts => self.say(value, Said { done: by_me, settled: true }),
                DEADLINE => deadline = deadline.or(Some(value)),
                IN_REPLY_TO => parent = parent.or(Some(value)),
                import::FROM => origin = origin.or(Some(value)),
                import::AGENT => original = original.or(Some(value)),
                import::DATE => date = date.or(Some(value)),
                _ => {}
            }
        }
        if let Some(blob) = origin.and_then(EntryId::from_hex).filter(|_| receipts) {
            self.imported.insert(blob, view.id);
        }
        if !is_bottle && (origin.is_none() || !receipts) {
            return;
        }
        if self.printed_from.contains(&view.id) {
            self.printed.insert(view.id);
        }
        // An imported bottle is from whoever it says, not from the agent that imported it.
        let from = if origin.is_some() { original } else { Some(view.agent()) };
        let name = from.filter(|from| !from.is_empty()).map(lowercase);
        let from_me = name.as_deref() == Some(self.me.name.as_str());
        if let Some(parent) = parent
            && name.is_some_and(|name| from_me || AgentName::new(&name).is_ok())
        {
            self.say(parent, Said { done: from_me, settled: true });
        }
        let deadline = deadline.and_then(|text| text.parse().ok());
        let is_late = deadline.is_some_and(|deadline: Millis| deadline < self.now);
        let is_mine = names_me || is_for(view, self.me, from_me);
        if (is_mine && (is_late || !self.said(view.id).done)) || (from_me && is_late) {
            let brief = Brief {
                id: view.id,
                from,
                kind,
                subject: view.subject(),
                time: stated_time(date, view.clock()),
                deadline,
            };
            self.keep(brief, is_mine);
        }
    }

    /// Notes what an entry says of a bottle, by its id in hexadecimal digits.
    fn say(&mut self, id: &str, said: Said) {
        if let Some(id) = EntryId::from_hex(id) {
            self.note(id, said);
        }
    }

    fn note(&mut self, id: EntryId, said: Said) {
        let known = self.said.entry(id).or_default();
        known.done |= said.done;
        known.settled |= said.settled;
    }

    fn said(&self, id: EntryId) -> Said {
        self.said.get(&id).copied().unwrap_or_default()
    }

    fn keep(&mut self, brief: Brief<'_>, is_mine: bool) {
        let Brief { id, from, kind, subject, time, deadline } = brief;
        let from = from.and_then(|from| self.texts.add_word(from));
        let kind = kind.and_then(|kind| self.texts.add_word(kind));
        let subject = self.texts.add_subject(subject);
        self.found.push(Row { id, is_mine, from, kind, subject, time, deadline });
    }

    /// What waits, once all that was said of it is known.
    fn finish(mut self) -> Waiting {
        // What was said of a file holds for the entry it was imported as.
        let said: Vec<_> = self.imported.iter().map(|(blob, id)| (*id, self.said(*blob))).collect();
        said.into_iter().for_each(|(id, said)| self.note(id, said));
        let mut found = std::mem::take(&mut self.found);
        found.sort_unstable_by(|a, b| b.time.cmp(&a.time).then(a.id.cmp(&b.id)));
        let late = |row: &Row| row.deadline.is_some_and(|deadline| deadline < self.now);
        let is_overdue = |row: &&Row| late(row) && !self.said(row.id).settled;
        let overdue = found.iter().filter(is_overdue).cloned().collect();
        found.retain(|row| row.is_mine && !self.said(row.id).done);
        Waiting { unread: found, overdue, texts: self.texts }
    }
}

fn is_for(view: &View<'_>, me: &Me, from_me: bool) -> bool {
    view.values(TO).any(|to| Recipient::parse(to).is_ok_and(|recipient| me.is_meant(&recipient, from_me)))
}

fn lowercase(text: &str) -> Cow<'_, str> {
    // As nearly every name is already.
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_lowercase())
    }
}
