//! Files and lines by language: sizes from the objects' headers, lines by the rules of tokei, on all processors.

mod counter;
mod syntax;

use self::counter::Lines;
use crate::fault::Fault;
use crate::language;
use datum_core::attributes::{self, Attributes};
use datum_core::files::NodeKind;
use datum_core::listing::{self, Blobs};
use datum_core::{EntryId, Snapshot};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use tokei::LanguageType;

/// Largest file whose lines are counted, bytes.
const LINES_MAX: u64 = 32 * 1024 * 1024;
/// Bytes in which a NUL shows that a file is no text, as git has it.
const BINARY_LOOK: usize = 8000;
/// Files a thread takes at once.
const CHUNK: usize = 64;

/// How much there is of one language.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Count {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    pub(crate) code: u64,
    pub(crate) comments: u64,
    pub(crate) blanks: u64,
}

impl Count {
    pub(crate) fn add(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.lines += other.lines;
        self.code += other.code;
        self.comments += other.comments;
        self.blanks += other.blanks;
    }
}

/// What the files of a commit are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// By the name of the language.
    pub(crate) languages: BTreeMap<&'static str, Count>,
    /// All of the languages together.
    pub(crate) counted: Count,
    /// Files of no known language.
    pub(crate) other: Count,
    /// Files that `linguist-*` attributes leave out.
    pub(crate) left_out: Count,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) links: u64,
    pub(crate) submodules: u64,
    /// Files with a language by name that are no text.
    pub(crate) binary: u64,
    /// Files too large to count, with their sizes.
    pub(crate) too_large: Vec<(String, u64)>,
    /// Files that could not be read, and why.
    pub(crate) unread: Vec<(String, String)>,
    /// Whether lines were counted.
    pub(crate) has_lines: bool,
}

struct File {
    path: String,
    id: EntryId,
    size: u64,
    language: Option<LanguageType>,
    /// Where it lies in the packs.
    place: u64,
}

impl File {
    /// Whether the other holds the same, and counts the same.
    fn is_copy(&self, other: &Self) -> bool {
        self.id == other.id && self.language == other.language
    }
}

/// What became of one file.
#[derive(Clone)]
enum Found {
    Text(LanguageType, Count),
    Other,
    Binary,
    Unread(String),
}

/// Tallies the files of the snapshot's commit; with `quick` by their names and sizes alone, and no file is read.
pub(crate) fn tally(snapshot: &Snapshot<'_>, quick: bool) -> Result<Tally, Fault> {
    let mut tally = Tally { has_lines: !quick, ..Tally::default() };
    let mut files = Vec::new();
    let mut said = Vec::new();
    listing::list(snapshot, |file| {
        tally.files += 1;
        tally.bytes += file.size;
        match file.kind {
            NodeKind::Link => tally.links += 1,
            NodeKind::Submodule => tally.submodules += 1,
            NodeKind::File | NodeKind::Folder => {
                let path = String::from_utf8_lossy(file.path).into_owned();
                if path.rsplit('/').next() == Some(".gitattributes")
                    && file.size <= attributes::SIZE_MAX as u64
                {
                    said.push((path.clone(), file.id));
                }
                files.push(File { path, id: file.id, size: file.size, language: None, place: file.place });
            }
        }
    })?;
    let attributes = read_attributes(snapshot, said)?;
    let mut wanted = Vec::new();
    for mut file in files {
        let one = Count { files: 1, bytes: file.size, ..Count::default() };
        file.language = language::by_name(&file.path);
        if !attributes.is_empty() {
            let said = attributes.of(&file.path);
            if !said.counts() {
                tally.left_out.add(one);
                continue;
            }
            file.language = said.language.as_deref().and_then(language::by_attribute).or(file.language);
        }
        let maybe = file.language.is_some() || (!quick && language::needs_first_line(&file.path));
        if !maybe {
            tally.other.add(one);
        } else if quick {
            tally.take(&file, Found::Text(file.language.unwrap_or(LanguageType::Text), one));
        } else if file.size > LINES_MAX {
            tally.other.add(one);
            tally.too_large.push((file.path, file.size));
        } else {
            wanted.push(file);
        }
    }
    if !quick {
        wanted.sort_by_key(|file| file.place);
        for (at, found) in count(snapshot, &wanted) {
            tally.take(&wanted[at], found);
        }
        tally.unread.sort();
    }
    for count in tally.languages.values() {
        tally.counted.add(*count);
    }
    Ok(tally)
}

/// Reads what `.gitattributes` say, those of deeper folders last.
fn read_attributes(snapshot: &Snapshot<'_>, mut found: Vec<(String, EntryId)>) -> Result<Attributes, Fault> {
    let mut attributes = Attributes::default();
    found.sort_by_key(|(path, _)| (path.matches('/').count(), path.clone()));
    for (path, id) in found {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        attributes.add(folder, &String::from_utf8_lossy(&snapshot.blob(id)?));
    }
    Ok(attributes)
}

impl Tally {
    fn take(&mut self, file: &File, found: Found) {
        let one = Count { files: 1, bytes: file.size, ..Count::default() };
        match found {
            Found::Text(language, count) => self.languages.entry(language.name()).or_default().add(count),
            Found::Other => self.other.add(one),
            Found::Binary => {
                self.other.add(one);
                self.binary += 1;
            }
            Found::Unread(why) => {
                self.other.add(one);
                self.unread.push((file.path.clone(), why));
            }
        }
    }
}

/// Counts the lines of files; the answers stand in the order of the files.
///
/// The work is done in the pool that tokei itself splits large files over: from outside of it every file would cost a
/// handover from thread to thread.
fn count(snapshot: &Snapshot<'_>, files: &[File]) -> Vec<(usize, Found)> {
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::with_capacity(files.len()));
    let work = |mut blobs: Blobs| {
        let mut found = Vec::new();
        loop {
            let start = next.fetch_add(CHUNK, Ordering::Relaxed);
            let end = files.len().min(start.saturating_add(CHUNK));
            if start >= end {
                break;
            }
            let mut at = start;
            for copies in files[start..end].chunk_by(File::is_copy) {
                let one = of_file(&mut blobs, &copies[0]);
                found.extend((at..at + copies.len()).map(|at| (at, one.clone())));
                at += copies.len();
            }
        }
        all.lock().unwrap_or_else(PoisonError::into_inner).append(&mut found);
    };
    let workers = rayon::current_num_threads().min(files.len().div_ceil(CHUNK));
    let readers: Vec<Blobs> = (0..workers).map(|_| snapshot.blobs()).collect();
    rayon::scope(|scope| {
        for blobs in readers {
            scope.spawn(|_| work(blobs));
        }
    });
    let mut found = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(at, _)| *at);
    found
}

fn of_file(blobs: &mut Blobs, file: &File) -> Found {
    let text = match blobs.read(file.id) {
        Ok(text) => text,
        Err(error) => return Found::Unread(error.to_string()),
    };
    let language = file.language.or_else(|| language::by_first_line(text));
    let Some(language) = language else { return Found::Other };
    if text[..text.len().min(BINARY_LOOK)].contains(&0) {
        return Found::Binary;
    }
    let Lines { code, comments, blanks } = counter::count(language, text);
    let lines = code + comments + blanks;
    Found::Text(language, Count { files: 1, bytes: file.size, lines, code, comments, blanks })
}
