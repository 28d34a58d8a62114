//! The zlib streams of objects: of one that is a file of its own, and of what goes into a pack.

use super::ObjectKind;
use gix::zlib::stream::deflate::{Compress, FlushCompress};
use gix::zlib::{Compression, Status};
use std::io;

/// Largest object that is written uncompressed, bytes, its header included: its file takes a block of the disk all the
/// same, and setting up a compressor costs more than the rest of an append. What git packs it compresses itself.
pub(super) const STORED_MAX: usize = 4000;
/// How hard larger objects are deflated, segments among them: zlib's level 3. A segment is written once and read by
/// every reader; against level 1 it is a sixth smaller and quicker to inflate, and level 6 gains no more.
pub(crate) fn level() -> Compression {
    Compression::new(3).unwrap_or_default()
}

/// Makes the zlib stream of a loose object, whose first `dense` bytes do not get smaller.
pub(super) fn loose(kind: ObjectKind, bytes: &[u8], dense: usize) -> io::Result<Vec<u8>> {
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
            let (dense, rest) = bytes.split_at(dense);
            deflate(&[&header, dense].concat(), rest, level(), &mut out)?;
        }
    }
    Ok(out)
}

/// Appends the zlib stream of `dense` and `rest` to `out`, each in blocks of its own.
///
/// zlib stores a block that does not get smaller, which a reader copies; in a block with others each of its bytes would
/// have to be decoded.
pub(crate) fn deflate(dense: &[u8], rest: &[u8], level: Compression, out: &mut Vec<u8>) -> io::Result<()> {
    let mut deflate = Compress::new(level);
    for (mut part, flush) in [(dense, FlushCompress::Sync), (rest, FlushCompress::Finish)] {
        let is_last = flush == FlushCompress::Finish;
        // Even a block of nothing has five bytes.
        let mut done = part.is_empty() && !is_last;
        while !done {
            let (start, read, written) = (out.len(), deflate.total_in(), deflate.total_out());
            let room = part.len() + part.len() / 8 + 64;
            out.resize(start + room, 0);
            let status = deflate.compress(part, &mut out[start..], flush).map_err(io::Error::other)?;
            let moved = |from: u64, to: u64| usize::try_from(to - from).map_err(io::Error::other);
            let filled = moved(written, deflate.total_out())?;
            out.truncate(start + filled);
            part = &part[moved(read, deflate.total_in())?..];
            // Where there is room left, all of it is out.
            done = status == Status::StreamEnd || (!is_last && part.is_empty() && filled < room);
        }
    }
    Ok(())
}

/// The checksum that ends a zlib stream (RFC 1950).
fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1, 0), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (b + a) % 65521)
    });
    (b << 16) | a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_get_smaller_stands_in_the_stream_as_it_is() {
        let id = |at: u32| {
            gix::objs::compute_hash(gix::hash::Kind::Sha1, ObjectKind::Blob, &at.to_be_bytes()).unwrap()
        };
        let ids: Vec<u8> = (0..700).flat_map(|at| id(at).as_bytes().to_owned()).collect();
        let text = "Change: edit\n".repeat(900).into_bytes();
        let whole = [&ids[..], &text].concat();
        let stands = |stream: &[u8]| memchr::memmem::find(stream, &ids).is_some();
        for (dense, plain) in [(ids.len(), true), (0, false), (whole.len(), false)] {
            let mut out = b"before".to_vec();
            let (dense, rest) = whole.split_at(dense);
            deflate(dense, rest, level(), &mut out).unwrap();
            let stream = out.strip_prefix(b"before").unwrap();
            let mut back = vec![0; whole.len()];
            let (status, read, _) = gix::zlib::Inflate::default().once(stream, &mut back).unwrap();
            assert_eq!((status, read), (Status::StreamEnd, stream.len()));
            assert!(back == whole);
            assert_eq!(stands(stream), plain);
            assert!(stream.len() < ids.len() + 1000);
        }
        assert!(stands(&loose(ObjectKind::Blob, &whole, ids.len()).unwrap()));
    }
}
