//! Bottles as JSON, of which there may be very many.
//!
//! `serde_json` looks at each byte of a text for what it must escape. Nearly all texts have nothing of the kind, and that
//! is told of many bytes at a time; so the list is put together here, and each text that is not plain is left to it.

use datum_core::EntryId;
use datum_core::bottle::Brief;
use std::io::{self, Write};

/// Writes a list of bottles: `[{"id": …, "from": …, "subject": …}, …]` without spaces.
pub(super) fn write<'a>(out: &mut impl Write, bottles: impl Iterator<Item = Brief<'a>>) -> io::Result<()> {
    let mut before = "[{\"id\":\"";
    for Brief { id, from, subject, .. } in bottles {
        out.write_all(before.as_bytes())?;
        write_id(out, id)?;
        out.write_all(b"\",\"from\":")?;
        match from {
            Some(from) => write_text(out, from)?,
            None => out.write_all(b"null")?,
        }
        out.write_all(b",\"subject\":")?;
        write_text(out, subject)?;
        before = "},{\"id\":\"";
    }
    out.write_all(if before.starts_with('[') { b"[]" } else { b"}]" })
}

fn write_id(out: &mut impl Write, id: EntryId) -> io::Result<()> {
    out.write_all(id.hex(&mut [0; 64]).as_bytes())
}

fn write_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    if !is_plain(text.as_bytes()) {
        return Ok(serde_json::to_writer(out, text)?);
    }
    out.write_all(b"\"")?;
    out.write_all(text.as_bytes())?;
    out.write_all(b"\"")
}

/// Whether JSON escapes nothing in a text. Without a way out at the first that it does, so that the compiler can look at
/// many bytes at once.
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a way out")]
fn is_plain(text: &[u8]) -> bool {
    !text.iter().fold(false, |found, byte| found | (*byte < b' ') | (*byte == b'"') | (*byte == b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![".*", "[a-z ]*", "[\\x00-\\x7f]*"]
    }

    proptest! {
        #[test]
        fn bottles_are_written_as_serde_writes_them(texts in prop::collection::vec((prop::option::of(text()), text()), 0..4)) {
            let id = EntryId::from_hex(&"5a".repeat(20)).unwrap();
            let bottles = texts.iter().map(|(from, subject)| Brief {
                id, from: from.as_deref(), kind: None, subject, time: 0, deadline: None,
            });
            let mut written = Vec::new();
            write(&mut written, bottles).unwrap();
            let whole: serde_json::Value = serde_json::from_slice(&written).unwrap();
            let rows: Vec<_> = texts.iter().map(|(from, subject)| json!({ "id": id, "from": from, "subject": subject })).collect();
            prop_assert_eq!(whole, json!(rows));
        }
    }
}
