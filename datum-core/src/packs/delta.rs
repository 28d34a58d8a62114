//! Deltas of git's packs (gitformat-pack, "Deltified representation"): a base, and what to copy from it or to add.
//!
//! gix applies them to a copy of the base and copies what comes of it, which for segments, most of them deltas of one
//! another, costs as much again.

/// Most bytes that are made room for on a delta's word.
const ROOM_MAX: usize = 1024 * 1024;

/// Makes of `base` what `delta` says; `None` where it is no delta of this base.
pub(super) fn apply(base: &[u8], delta: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = delta;
    if size(&mut rest)? != base.len() {
        return None;
    }
    let goal = size(&mut rest)?;
    out.clear();
    out.reserve(goal.min(ROOM_MAX));
    while let Some((&command, after)) = rest.split_first() {
        rest = after;
        if command & 0x80 != 0 {
            let from = number(command, &mut rest, 4)?;
            let length = match number(command >> 4, &mut rest, 3)? {
                0 => 0x1_0000,
                length => length,
            };
            out.extend_from_slice(base.get(from..from.checked_add(length)?)?);
        } else {
            let (text, after) = rest.split_at_checked(usize::from(command)).filter(|_| command != 0)?;
            out.extend_from_slice(text);
            rest = after;
        }
        if out.len() > goal {
            return None;
        }
    }
    (out.len() == goal).then_some(())
}

/// Takes a size, in groups of seven bits, the lowest first.
fn size(rest: &mut &[u8]) -> Option<usize> {
    let mut size = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        size |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(size);
        }
    }
    None
}

/// Takes a number of up to `most` bytes, the lowest first; `bits` says which of them are there.
fn number(bits: u8, rest: &mut &[u8], most: u32) -> Option<usize> {
    let mut number = 0;
    for at in (0..most).filter(|at| bits >> at & 1 == 1) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        number |= usize::from(byte) << (8 * at);
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn applied(base: &[u8], delta: &[u8]) -> Option<Vec<u8>> {
        let mut out = b"what was there".to_vec();
        apply(base, delta, &mut out).map(|()| out)
    }

    #[test]
    fn copies_and_additions_in_their_order() {
        let base: Vec<u8> = (0..70_000u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
        let delta = |goal: &[u8], commands: &[u8]| [&[0xf0, 0xa2, 0x04], goal, commands].concat();
        assert_eq!(applied(&base, &delta(&[3], b"\x03abc")), Some(b"abc".to_vec()));
        // Two bytes from 256 on, and one that is added.
        let made = applied(&base, &delta(&[3], b"\x92\x01\x02\x01x")).unwrap();
        assert_eq!(made, [base[256], base[257], b'x']);
        // Without a length, 65,536 bytes.
        assert_eq!(applied(&base, &delta(&[0x80, 0x80, 0x04], b"\x80")).unwrap(), base[..65_536]);
    }

    #[test]
    fn what_is_no_delta_of_the_base_is_refused() {
        for delta in [
            &b""[..],
            b"\x04",
            b"\x03\x01\x01a",
            b"\x04\x01\x00",
            b"\x04\x02\x01a",
            b"\x04\x01\x02ab",
            b"\x04\x01\x02a",
            b"\x04\x01\x92\x01",
            b"\x04\x05\x90\x05",
            b"\x04\x01\x91\x04\x01",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        ] {
            assert_eq!(applied(b"base", delta), None, "{delta:?}");
        }
        assert_eq!(applied(b"base", b"\x04\x04\x90\x04"), Some(b"base".to_vec()));
        assert_eq!(applied(b"base", b"\x04\x00"), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn a_delta_makes_as_much_as_it_says_or_nothing(delta in prop::collection::vec(any::<u8>(), 0..200)) {
            let base = vec![7; 100];
            let delta = [&[100][..], &delta].concat();
            if let Some(made) = applied(&base, &delta) {
                prop_assert_eq!(size(&mut &delta[1..]), Some(made.len()));
            }
        }
    }
}
