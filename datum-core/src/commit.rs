//! A raw commit, as git hashes it: printed for a new entry, parsed for a reader.

mod parts;

pub(crate) use parts::{Parts, Shared, Source, split};

use crate::entry::View;
use crate::id::EntryId;
use crate::kind::Kind;
use crate::stamp::{Identity, Millis, Stamp, Writer};
use memchr::memchr;

/// Prints the raw commit of an entry, without a signature.
///
/// The author is the agent, with the writer as the address; the committer is the user's git identity where there is one.
pub(crate) fn print(
    tree: EntryId,
    parent: Option<EntryId>,
    stamp: &Stamp,
    writer: &Writer,
    clock: Millis,
    message: &str,
) -> Vec<u8> {
    use std::fmt::Write as _;
    let seconds = clock / 1000;
    let own = || Identity { name: stamp.agent.to_string(), email: format!("{writer}@datum") };
    let committer = stamp.committer.clone().unwrap_or_else(own);
    let mut out = String::with_capacity(message.len() + 300);
    let _ = writeln!(out, "tree {tree}");
    if let Some(parent) = parent {
        let _ = writeln!(out, "parent {parent}");
    }
    let _ = writeln!(out, "author {} <{writer}@datum> {seconds} +0000", stamp.agent);
    let _ = writeln!(out, "committer {} <{}> {seconds} +0000\n", committer.name, committer.email);
    out.push_str(message);
    out.into_bytes()
}

/// The parts of a raw commit that readers of a log need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw<'a> {
    pub(crate) tree: EntryId,
    pub(crate) message: &'a str,
}

fn id_line(line: &[u8], key: &[u8]) -> Option<EntryId> {
    gix::ObjectId::from_hex(line.strip_prefix(key)?).ok().map(EntryId)
}

/// The text of the parent line, without decoding it.
fn first_line(raw: &[u8]) -> Option<(&[u8], &[u8])> {
    // `tree ` and 40 or 64 digits.
    let at = if raw.get(45) == Some(&b'\n') { 45 } else { 69 };
    (raw.get(at) == Some(&b'\n')).then(|| (&raw[..at], &raw[at + 1..]))
}

/// The first parent named in a raw commit.
pub(crate) fn parent(raw: &[u8]) -> Option<EntryId> {
    let (_, rest) = first_line(raw)?;
    let end = memchr(b'\n', rest)?;
    id_line(&rest[..end], b"parent ")
}

/// When a raw commit was written, by its committer's clock, milliseconds.
pub(crate) fn committed_at(raw: &[u8]) -> Option<Millis> {
    let end = raw.windows(2).position(|pair| pair == b"\n\n")?;
    let line = raw[..end].split(|byte| *byte == b'\n').find(|line| line.starts_with(b"committer "))?;
    let after = String::from_utf8_lossy(line.rsplit(|byte| *byte == b'>').next()?).into_owned();
    after.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1000)
}

/// Whether a raw commit names a parent.
pub(crate) fn has_parent(raw: &[u8]) -> bool {
    first_line(raw).is_some_and(|(_, rest)| rest.starts_with(b"parent "))
}

/// The message of a raw commit: what follows its first empty line.
fn message(raw: &[u8]) -> Option<&str> {
    let mut at = 0;
    loop {
        at += memchr(b'\n', &raw[at..])? + 1;
        if raw.get(at) == Some(&b'\n') {
            return std::str::from_utf8(&raw[at + 1..]).ok();
        }
    }
}

/// Parses a raw commit; `None` when it is no commit of ours.
pub(crate) fn parse(raw: &[u8]) -> Option<Raw<'_>> {
    let (tree, _) = first_line(raw)?;
    Some(Raw { tree: id_line(tree, b"tree ")?, message: message(raw)? })
}

/// Views a raw commit as an entry of `writer`'s log; `None` when it is no entry.
pub(crate) fn view<'a>(raw: &'a [u8], id: EntryId, kind: Kind, writer: &'a Writer) -> Option<View<'a>> {
    Source::Whole(raw).view(id, kind, writer)
}

/// The tree named in a raw commit, of whatever origin.
pub(crate) fn tree(raw: &[u8]) -> Option<EntryId> {
    id_line(first_line(raw)?.0, b"tree ")
}

fn headers(raw: &[u8]) -> impl Iterator<Item = &[u8]> {
    raw.split(|b| *b == b'\n').take_while(|line| !line.is_empty())
}

/// All parents named in a raw commit, of whatever origin.
pub(crate) fn parents(raw: &[u8]) -> Vec<EntryId> {
    headers(raw).filter_map(|line| id_line(line, b"parent ")).collect()
}

/// When a raw commit of whatever origin was committed, milliseconds.
pub(crate) fn committed(raw: &[u8]) -> Option<Millis> {
    let line = headers(raw).find_map(|line| line.strip_prefix(b"committer "))?;
    let text = String::from_utf8_lossy(line);
    let seconds: Millis = text.rsplit_once("> ")?.1.split(' ').next()?.parse().ok()?;
    seconds.checked_mul(1000)
}

/// The author `Name <mail>` and the time, milliseconds, of a raw commit of whatever origin.
pub(crate) fn author(raw: &[u8]) -> Option<(String, Millis)> {
    let line = headers(raw).find_map(|line| line.strip_prefix(b"author "))?;
    let text = String::from_utf8_lossy(line);
    let (who, when) = text.rsplit_once("> ")?;
    let seconds: Millis = when.split(' ').next()?.parse().ok()?;
    Some((format!("{who}>"), seconds.checked_mul(1000)?))
}
