//! Segments from raw commits.

use super::{PARTS, SHARED_MAX, WHOLES};
use crate::commit;
use memchr::memchr;

/// Prints raw commits.
pub(crate) type Print = fn(&[&[u8]]) -> Vec<u8>;
/// What may have printed a segment, the newest first.
pub(crate) const FORMATS: [Print; 2] = [print, print_wholes];

/// Prints raw commits, oldest first.
pub(crate) fn print(commits: &[&[u8]]) -> Vec<u8> {
    print_parts(commits).unwrap_or_else(|| print_wholes(commits))
}

/// Prints raw commits, oldest first, as segments were before there were parts.
pub(crate) fn print_wholes(commits: &[&[u8]]) -> Vec<u8> {
    let mut out = WHOLES.to_vec();
    for raw in commits {
        out.extend_from_slice(raw.len().to_string().as_bytes());
        out.push(b'\n');
        out.extend_from_slice(raw);
    }
    out
}

fn print_parts(commits: &[&[u8]]) -> Option<Vec<u8>> {
    let splits: Vec<_> = commits.iter().map(|raw| commit::split(raw)).collect::<Option<_>>()?;
    let first = splits.first()?;
    let hash = commit::tree(commits.first()?)?.0.kind();
    let before = first.clock.checked_sub(1)?;
    let mut text = Vec::new();
    let (mut clock, mut shared) = (before, "");
    for (split, seq) in splits.iter().zip(first.seq..) {
        let since = split.clock.checked_sub(clock).filter(|_| split.seq == seq)?;
        clock = split.clock;
        let own = split.own.len();
        if split.shared == shared {
            text.extend_from_slice(format!("{own} {since}\n").as_bytes());
        } else {
            shared = Some(&split.shared[..]).filter(|shared| shared.len() as u64 <= SHARED_MAX)?;
            text.extend_from_slice(format!("{own} {since} {}\n{shared}", shared.len()).as_bytes());
        }
        text.extend_from_slice(split.own.as_bytes());
    }
    let size = hash.len_in_bytes();
    let (text, ids) = take_ids(&text, size)?;
    let (count, named) = (splits.len(), ids.len() / size);
    let mut out = [PARTS, format!("{count} {size} {named} {} {before}\n", first.seq).as_bytes()].concat();
    for split in &splits {
        let parent = split.parent.map_or(hash.null(), |parent| parent.0);
        out.extend_from_slice(Some(parent.as_bytes()).filter(|bytes| bytes.len() == size)?);
    }
    out.extend_from_slice(&ids);
    out.extend_from_slice(&text);
    Some(out)
}

/// Takes the ids of `size` bytes out of a text, and leaves a zero byte for each; `None` for one that has such bytes.
fn take_ids(text: &[u8], size: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    let (mut out, mut ids) = (Vec::with_capacity(text.len()), Vec::new());
    for run in text.chunk_by(|a, b| is_digit(*a) == is_digit(*b)) {
        let id =
            Some(run).filter(|run| run.len() == size * 2).and_then(|run| gix::ObjectId::from_hex(run).ok());
        match id {
            Some(id) => {
                ids.extend_from_slice(id.as_bytes());
                out.push(0);
            }
            None => out.extend_from_slice(run),
        }
    }
    memchr(0, text).is_none().then_some((out, ids))
}

/// Whether a byte is a hexadecimal digit as git prints them.
fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}
