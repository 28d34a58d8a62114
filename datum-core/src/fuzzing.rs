//! Doors for the fuzz targets in `fuzz/`, behind the feature `fuzzing`: one function a target.
//!
//! Each takes whatever bytes there are. None may panic, and beside reading each holds what was read to a law: printed
//! again it reads the same, or what was changed does not open. Nothing here is part of the library's interface.

pub use crate::vault::fuzzing::{act, body, legacy, portable, sought, wrap};

use crate::entry::{Draft, Message, clock};
use crate::id::EntryId;
use crate::kind::Kind;
use crate::mask::{Mask, Patterns};
use crate::signature::{self, Signed};
use crate::sshsig::Signer;
use crate::stamp::Writer;
use crate::{capability, commit, file_bottle, i2i, segment, tree};

/// An id like any other.
pub(crate) fn id() -> EntryId {
    EntryId(gix::ObjectId::empty_blob(gix::hash::Kind::Sha1))
}

/// A writer like any other.
pub(crate) fn writer() -> Option<Writer> {
    Writer::parse("a-abcd1234").ok()
}

/// The message of an entry, and the drafts that it was printed from.
pub fn entry(data: &[u8]) {
    let last = clock(data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(message) = Message::parse(text) {
        assert_eq!(last, Some(message.clock), "the clock of the last two lines is the message's");
        let trailers =
            message.trailers.split('\n').filter(|line| !line.is_empty()).map(|line| line.split_once(": "));
        let draft = trailers.fold(Draft::new(message.subject, message.body).ok(), |draft, trailer| {
            let (key, value) = trailer?;
            draft?.with(key, value).ok()
        });
        if let (Some(draft), Some(kind)) = (draft, Kind::parse(message.kind)) {
            let printed = draft.print(kind, message.agent, message.clock, message.seq, None);
            assert_eq!(Message::parse(&printed), Some(message), "printed and read again");
        }
    }
    if let Ok(draft) = Draft::from_text(text) {
        let back = if draft.body().is_empty() { draft.subject() } else { draft.body() };
        assert_eq!(back, text);
    }
}

/// A raw commit: its lines, its entry, its signature.
pub fn commit(data: &[u8]) {
    let _ = (commit::parent(data), commit::parents(data), commit::tree(data), commit::author(data));
    let _ = (commit::committed(data), commit::committed_at(data), commit::has_parent(data));
    let Some(writer) = writer() else { return };
    for kind in Kind::ALL {
        let Some(view) = commit::view(data, id(), kind, &writer) else { continue };
        let entry = view.to_entry();
        assert_eq!(entry.trailer("Name"), view.trailer("Name"));
        let _ = (view.payload(), view.reference("After"));
    }
    for sha256 in [false, true] {
        let proved = signature::check(data, sha256);
        if let Signed::By(_) = proved {
            assert_eq!(signature::known(data, sha256), proved, "who signed is who it says");
        }
        if commit::parse(data).is_some() && proved == Signed::No {
            let key = Signer::from_seed(&[3; 32]);
            let signed = signature::sign(data, &key, sha256);
            assert_eq!(signature::check(&signed, sha256), Signed::By(key.public()));
        }
    }
}

/// A segment: its commits and ids.
pub fn segment(data: &[u8]) {
    assert!(segment::dense(data) <= data.len(), "what does not get smaller is a part of it");
    let Some(segment) = segment::parse(data, id()) else { return };
    let commits: Vec<_> = segment.commits().map(|(_, raw)| raw).collect();
    let Some(writer) = writer() else { return };
    for (at, raw) in commits.iter().enumerate() {
        for kind in Kind::ALL {
            let kept = segment.commit(at).and_then(|commit| commit.view(id(), kind, &writer));
            let own = commit::view(raw, id(), kind, &writer).map(|view| view.message);
            assert_eq!(kept.map(|view| view.message), own, "a part says what its commit says");
        }
    }
    let printed = segment::print(&commits.iter().map(AsRef::as_ref).collect::<Vec<_>>());
    // Ids are what the parents say, and hostile parents may be missing.
    if let Some(again) = segment::parse(&printed, id()) {
        assert!(again.commits().map(|(_, raw)| raw).eq(commits), "printed and read again");
    }
    if let Ok(name) = std::str::from_utf8(data)
        && let Some(name) = segment::Name::parse(name)
    {
        assert_eq!(segment::Name::parse(&name.print().1), Some(name));
    }
}

/// A tree: its items, and a file put into it.
pub fn tree(data: &[u8]) {
    let Ok(items) = tree::parse(id(), data) else { return };
    let printed = tree::print(&items);
    let again = tree::parse(id(), &printed).unwrap_or_default();
    assert!(again.iter().map(|item| &item.name).eq(items.iter().map(|item| &item.name)));
    // Every folder on the way holds the same.
    let read = |(): &(), at: EntryId| tree::parse(at, data);
    let write = |(): &mut (), _: &[u8]| Ok(id());
    let _ = tree::put(&mut (), id(), &["segments", "000000", "x"], id(), &read, &write);
}

/// A file bottle: the first line its path, the rest its bytes.
pub fn file_bottle(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let path = String::from_utf8_lossy(&data[..at]);
    let text = data.get(at + 1..).unwrap_or_default();
    let bottle = file_bottle::read(&path, text);
    assert_eq!(bottle.body, text, "no byte is lost");
    assert!(bottle.recipients.is_none_or(|found| !found.value.is_empty()));
    if let Ok(subject) = std::str::from_utf8(text) {
        let _ = i2i::parse(subject);
    }
}

/// A CAPABILITY.toml.
pub fn capability(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = capability::check(text);
    if let Ok(reading) = capability::read(text) {
        let again = capability::read(&capability::write(&reading.capability));
        assert_eq!(
            again.ok().map(|again| again.capability),
            Some(reading.capability),
            "written and read again"
        );
    }
    if let Ok(changed) = capability::set(text, "agent.role", "cook") {
        let role = capability::read(&changed).ok().and_then(|reading| reading.capability.agent.role);
        assert_eq!(role.as_deref(), Some("cook"));
    }
}

/// A stream that a value is masked in: the value's length, where the stream is cut, the value, the stream.
pub fn mask(data: &[u8]) {
    let [length, cut, rest @ ..] = data else { return };
    let Some((value, stream)) = rest.split_at_checked(usize::from(*length) % 16 + 1) else { return };
    let patterns = Patterns::new([value]);
    let masked = |parts: &[&[u8]]| {
        let (mut mask, mut out) = (Mask::new(&patterns), Vec::new());
        parts.iter().for_each(|part| mask.push(part, &mut out));
        mask.finish(&mut out);
        out
    };
    let whole = masked(&[stream]);
    let (one, two) = stream.split_at(usize::from(*cut).min(stream.len()));
    assert_eq!(masked(&[one, two]), whole, "wherever it is cut");
    let stands = |bytes: &[u8]| bytes.windows(value.len()).any(|part| part == value);
    // What is left beside a mask may with it be the value again, if the value has the mask's own sign.
    assert!(value.contains(&b'*') || !stands(&whole), "the value is gone");
}
