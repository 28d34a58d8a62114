//! What is packed in bytes: gzip, and the files of a zip, as far as there is room.

use flate2::read::{DeflateDecoder, MultiGzDecoder};
use std::io::Read;
use zeroize::Zeroizing;

/// Most files of a zip that are looked at.
const FILES_MAX: usize = 100_000;

/// One thing that was packed.
pub(super) struct Inner {
    /// In what: `gzip`, or `zip`.
    pub(super) how: &'static str,
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// Whether all of it was unpacked.
    pub(super) whole: bool,
}

/// Unpacks what is packed in `bytes` and shows each part; `room` is how many bytes more may be unpacked.
///
/// Answers whether all of it was shown. What is damaged is shown up to the damage.
pub(super) fn unpack(bytes: &[u8], room: &mut usize, mut show: impl FnMut(&Inner, &mut usize)) -> bool {
    if bytes.starts_with(b"\x1f\x8b\x08") {
        let inner = read("gzip", MultiGzDecoder::new(bytes), room);
        show(&inner, room);
        return inner.whole;
    }
    if !bytes.starts_with(b"PK\x03\x04") {
        return true;
    }
    let Some(files) = files(bytes) else { return false };
    let mut all = true;
    for packed in files {
        let inner = match packed {
            Some((0, data)) => read("zip", data, room),
            Some((8, data)) => read("zip", DeflateDecoder::new(data), room),
            _ => {
                all = false;
                continue;
            }
        };
        show(&inner, room);
        all &= inner.whole;
    }
    all
}

fn read(how: &'static str, from: impl Read, room: &mut usize) -> Inner {
    let mut bytes = Zeroizing::new(Vec::new());
    let most = u64::try_from(*room).unwrap_or(u64::MAX).saturating_add(1);
    let read = from.take(most).read_to_end(&mut bytes);
    let whole = read.is_ok() && bytes.len() <= *room;
    *room = room.saturating_sub(bytes.len());
    Inner { how, bytes, whole }
}

/// The method and the packed bytes of each file in a zip, by its directory; `None` for a file that does not lie in it.
#[expect(clippy::type_complexity, reason = "two numbers and a slice")]
fn files(zip: &[u8]) -> Option<Vec<Option<(u16, &[u8])>>> {
    // The end of the directory stands within a comment's length of the end.
    let from = zip.len().saturating_sub(usize::from(u16::MAX) + 22);
    let end = from + memchr::memmem::rfind(&zip[from..], b"PK\x05\x06")?;
    let mut at = long(zip, end + 16)?;
    let count = usize::from(short(zip, end + 10)?).min(FILES_MAX);
    let mut found = Vec::with_capacity(count);
    for _ in 0..count {
        if zip.get(at..at + 4)? != b"PK\x01\x02" {
            return None;
        }
        let lengths = [28, 30, 32].map(|field| short(zip, at + field));
        let [Some(name), Some(extra), Some(comment)] = lengths else { return None };
        found.push(packed(zip, at));
        at += 46 + usize::from(name) + usize::from(extra) + usize::from(comment);
    }
    Some(found)
}

/// The method and bytes of the file whose place in the directory is `at`; `None` where it is encrypted or not there.
fn packed(zip: &[u8], at: usize) -> Option<(u16, &[u8])> {
    let (flags, method) = (short(zip, at + 8)?, short(zip, at + 10)?);
    let (size, header) = (long(zip, at + 20)?, long(zip, at + 42)?);
    let skip = usize::from(short(zip, header.checked_add(26)?)?) + usize::from(short(zip, header + 28)?);
    let start = header.checked_add(30 + skip)?;
    let data = zip.get(start..start.checked_add(size)?)?;
    (flags & 1 == 0).then_some((method, data))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes([two[0], two[1]]))
}

fn long(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    usize::try_from(u32::from_le_bytes([four[0], four[1], four[2], four[3]])).ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder};
    use proptest::prelude::*;
    use std::io::Write as _;

    /// A gzip of these bytes.
    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut to = GzEncoder::new(Vec::new(), Compression::default());
        to.write_all(bytes).unwrap();
        to.finish().unwrap()
    }

    /// A zip of one file.
    pub(crate) fn zip(bytes: &[u8]) -> Vec<u8> {
        let mut to = DeflateEncoder::new(Vec::new(), Compression::default());
        to.write_all(bytes).unwrap();
        let data = to.finish().unwrap();
        let size = u32::try_from(data.len()).unwrap().to_le_bytes();
        let full = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        // Method 8, no time, no checksum, the sizes, a name of one letter.
        let common = [&[20, 0, 0, 0, 8, 0, 0, 0, 0, 0][..], &[0; 4], &size, &full, &[1, 0, 0, 0]].concat();
        let local = [b"PK\x03\x04", &common[..], b"f", &data].concat();
        let central = [b"PK\x01\x02\x14\x00", &common[..], &[0; 14], b"f"].concat();
        let at = u32::try_from(local.len()).unwrap().to_le_bytes();
        let long = u32::try_from(central.len()).unwrap().to_le_bytes();
        let end = [b"PK\x05\x06\0\0\0\0\x01\0\x01\0", &long[..], &at, &[0, 0]].concat();
        [local, central, end].concat()
    }

    fn unpacked(bytes: &[u8], mut room: usize) -> (Vec<Vec<u8>>, bool) {
        let mut shown = Vec::new();
        let all = unpack(bytes, &mut room, |inner, _| shown.push(inner.bytes.to_vec()));
        (shown, all)
    }

    #[test]
    fn both_kinds_are_unpacked_and_no_bomb_is() {
        let text = b"some text, some text, some text".to_vec();
        for packed in [gzip(&text), zip(&text)] {
            assert_eq!(unpacked(&packed, 1000), (vec![text.clone()], true));
            let (shown, all) = unpacked(&packed, 10);
            assert!(!all && shown[0].len() == 11);
        }
        let bomb = gzip(&vec![0; 10_000_000]);
        assert!(!unpacked(&bomb, 1_000_000).1);
        assert_eq!(unpacked(&text, 1000), (Vec::new(), true));
    }

    proptest! {
        #[test]
        fn damage_never_panics(at in 0usize..200, byte in any::<u8>(), cut in 0usize..200) {
            for mut packed in [gzip(b"some text"), zip(b"some text")] {
                let (at, cut) = (at % packed.len(), cut % packed.len());
                packed[at] = byte;
                let _ = unpacked(&packed, 1000);
                let _ = unpacked(&packed[..cut], 1000);
            }
        }
    }
}
