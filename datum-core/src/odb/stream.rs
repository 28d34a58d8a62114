//! The bytes of an object that is a file of its own.

use super::ObjectKind;
use std::io::{self, Write as _};

/// Largest object that is written uncompressed, bytes, its header included: its file takes a block of the disk all the
/// same, and setting up a compressor costs more than the rest of an append. What git packs it compresses itself.
pub(super) const STORED_MAX: usize = 4000;
/// How hard larger objects are deflated, segments among them: zlib's level 3. A segment is written once and read by
/// every reader; against level 1 it is a sixth smaller and quicker to inflate, and level 6 gains no more.
pub(crate) fn level() -> gix::zlib::Compression {
    gix::zlib::Compression::new(3).unwrap_or_default()
}

/// Makes the zlib stream of a loose object.
pub(super) fn deflate(kind: ObjectKind, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let header = gix::objs::encode::loose_header(kind, bytes.len() as u64);
    let length = header.len() + bytes.len();
    let mut out = Vec::with_capacity(length + 16);
    match u16::try_from(length) {
        // As `core.looseCompression = 0` has it: one stored block.
        Ok(short) if length <= STORED_MAX => {
            out.extend_from_slice(&[0x78, 0x01, 0x01]);
            out.extend_from_slice(&short.to_le_bytes());
            out.extend_from_slice(&(!short).to_le_bytes());
            out.extend_from_slice(&header);
            out.extend_from_slice(bytes);
            out.extend_from_slice(&adler32(&out[7..]).to_be_bytes());
        }
        _ => {
            let mut deflate = gix::zlib::stream::deflate::Write::new(&mut out, level());
            deflate.write_all(&header)?;
            deflate.write_all(bytes)?;
            deflate.flush()?;
        }
    }
    Ok(out)
}

/// The checksum that ends a zlib stream (RFC 1950).
fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1, 0), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (b + a) % 65521)
    });
    (b << 16) | a
}
