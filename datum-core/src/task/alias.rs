//! The short name of a task: `T-` and the beginning of its id in an alphabet that is easy to say.
//!
//! It follows from the id alone, so clones need no counter to agree on it. Seven characters are 35 bits: among 10,000
//! tasks two share them once in seven hundred repositories, and then more characters tell them apart.

use crate::id::EntryId;

/// Characters after `T-` in the name that is shown.
pub const ALIAS_LEN: usize = 7;
/// Fewest characters that name a task.
const ALIAS_MIN: usize = 3;
/// Most characters, all of the sixty bits used.
const ALIAS_MAX: usize = 12;

/// Crockford's base 32: no `i`, `l`, `o` and `u`.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The name of the task that the entry `id` made, as it is shown.
///
/// # Examples
/// ```
/// use datum_core::{EntryId, task};
/// let id = EntryId::from_hex("00000000ffffffff000000000000000000000000").unwrap();
/// assert_eq!(task::alias(id), "T-0000007");
/// ```
pub fn alias(id: EntryId) -> String {
    long_alias(id, ALIAS_LEN)
}

/// The name with `len` characters.
pub(super) fn long_alias(id: EntryId, len: usize) -> String {
    let mut bits = first_bits(id);
    let mut out = String::from("T-");
    for _ in 0..len.min(ALIAS_MAX) {
        // The five highest bits, at most 31.
        out.push(char::from(DIGITS[usize::try_from(bits >> 59).unwrap_or(0)]));
        bits <<= 5;
    }
    out
}

/// What an alias that someone typed says after `T-`, in the alphabet's own letters; `None` if it is none.
pub(super) fn read(text: &str) -> Option<String> {
    let rest = text.strip_prefix("T-").or_else(|| text.strip_prefix("t-"))?;
    let letters: String = rest
        .chars()
        .map(|c| match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            c => c,
        })
        .collect();
    let fits = (ALIAS_MIN..=ALIAS_MAX).contains(&letters.len());
    (fits && letters.bytes().all(|b| DIGITS.contains(&b))).then_some(letters)
}

/// The hexadecimal digits that the id of every task begins with whose alias begins with `letters`.
pub(super) fn digits(letters: &str) -> String {
    let mut bits = String::new();
    let (mut held, mut count) = (0, 0);
    for letter in letters.bytes().filter_map(|letter| DIGITS.iter().position(|digit| *digit == letter)) {
        (held, count) = (held << 5 | letter, count + 5);
        while count >= 4 {
            count -= 4;
            bits.extend(char::from_digit(u32::try_from(held >> count & 15).unwrap_or(0), 16));
            held &= 15;
        }
    }
    bits
}

/// Whether the task `id` has an alias that begins with `letters`, of which there are no more than an alias has.
pub(super) fn begins_with(id: EntryId, letters: &str) -> bool {
    let bits = first_bits(id);
    let letter = |at: usize| DIGITS[usize::try_from(bits << (5 * at) >> 59).unwrap_or(0)];
    letters.len() <= ALIAS_MAX && letters.bytes().enumerate().all(|(at, typed)| letter(at) == typed)
}

/// The first sixty-four bits of an id.
fn first_bits(id: EntryId) -> u64 {
    id.0.as_slice().iter().take(8).fold(0, |bits, byte| (bits << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_the_beginning_of_the_id() {
        let id = EntryId::from_hex("deadbeef0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!(alias(id), "T-vtpvxvr");
        assert_eq!(long_alias(id, 12), "T-vtpvxvr14d2p");
        for typed in ["T-vtp", "t-VTPVXVR", "T-vtpvxvr14d2p", "T-VTPVXVRL4D2P"] {
            assert!(begins_with(id, &read(typed).unwrap()), "{typed}");
        }
        assert!(!begins_with(id, &read("T-vtq").unwrap()));
        for bad in ["", "T-", "T-vt", "vtpvxvr", "T-vtpu", "T-vtpvxvr14d2pp", "T-vtp\n", "T-vté"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
