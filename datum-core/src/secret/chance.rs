//! Whether characters look drawn by chance: what tells a key from a name.

use memchr::memmem::Finder;
use std::sync::LazyLock;

/// What a piece of text is made of.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mix {
    pub(super) len: usize,
    pub(super) upper: usize,
    pub(super) lower: usize,
    pub(super) digits: usize,
    /// `_`, `-`, `+`, `/`, `=` and all others.
    pub(super) other: usize,
    /// Letters beyond `f`: with none it is a hexadecimal number.
    pub(super) beyond_hex: usize,
    /// Steps from one class of characters to another.
    pub(super) turns: usize,
    /// Steps between a digit and a letter, and between two capitals: names have few of either.
    pub(super) odd: usize,
    /// Different characters.
    pub(super) distinct: usize,
    /// Shannon's entropy, bits a character.
    pub(super) bits: f64,
}

impl Mix {
    pub(super) fn of(text: &[u8]) -> Self {
        let mut mix = Self { len: text.len(), ..Self::default() };
        let mut counts = [0u32; 256];
        let mut before = None;
        for byte in text {
            counts[usize::from(*byte)] += 1;
            let class = match byte {
                b'A'..=b'Z' => {
                    mix.upper += 1;
                    0
                }
                b'a'..=b'z' => {
                    mix.lower += 1;
                    1
                }
                b'0'..=b'9' => {
                    mix.digits += 1;
                    2
                }
                _ => {
                    mix.other += 1;
                    3
                }
            };
            mix.beyond_hex += usize::from(byte.is_ascii_alphabetic() && !byte.is_ascii_hexdigit());
            mix.turns += usize::from(before.is_some_and(|before| before != class));
            let odd = matches!((before, class), (Some(0 | 1), 2) | (Some(2), 0 | 1) | (Some(0), 0));
            mix.odd += usize::from(odd);
            before = Some(class);
        }
        let whole = f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX));
        for count in counts.into_iter().filter(|count| *count > 0) {
            mix.distinct += 1;
            let share = f64::from(count) / whole;
            mix.bits -= share * share.log2();
        }
        mix
    }

    pub(super) fn is_hex(&self) -> bool {
        self.beyond_hex == 0 && self.other == 0
    }

    /// Whether the characters look drawn by chance from their alphabet.
    ///
    /// Of 32 drawn by chance, the classes turn 19 times from 62 characters, 12 from 36 and 15 from 16; in names they
    /// turn at the joints of words. The limits keep all but about one key in a hundred.
    pub(super) fn is_random(&self) -> bool {
        let letters = self.upper + self.lower;
        let steps = self.len.saturating_sub(1);
        let one_case = self.upper == 0 || self.lower == 0;
        // Names in one case are joined by signs; what is drawn with signs is drawn in both cases.
        if self.digits == 0 || letters == 0 || self.other * 8 > self.len || (one_case && self.other > 0) {
            return false;
        }
        if self.is_hex() {
            return one_case
                && self.turns * 10 >= steps * 2
                && self.distinct >= 9.min(self.len / 3)
                && self.digits * 8 >= self.len
                && letters * 8 >= self.len;
        }
        if one_case {
            return self.turns * 10 >= steps * 2
                && self.distinct * 5 >= self.len.min(36) * 2
                && self.digits * 12 >= self.len;
        }
        let odd = self.odd * if self.other > 0 { 4 } else { 5 };
        self.turns * 3 >= steps && odd >= self.len && self.distinct * 2 >= self.len.min(36)
    }
}

/// Words that stand for a secret in examples, lower case.
static STAND_INS: LazyLock<[Finder<'static>; 22]> = LazyLock::new(|| {
    [
        "example",
        "sample",
        "dummy",
        "fake",
        "your",
        "xxxx",
        "placeholder",
        "changeme",
        "redacted",
        "00000",
        "12345",
        "abcde",
        "secret",
        "passw",
        "test",
        "insert",
        "replace",
        "deadbeef",
        "cafebabe",
        "aaaaa",
        "foobar",
        "todo",
    ]
    .map(Finder::new)
});

/// Whether the text says itself that it is no secret.
pub(super) fn is_stand_in(text: &[u8]) -> bool {
    let lower = text.to_ascii_lowercase();
    STAND_INS.iter().any(|word| word.find(&lower).is_some()) || (lower.len() >= 16 && repeats(&lower))
}

/// Whether the text is one piece again and again, or counts up.
fn repeats(text: &[u8]) -> bool {
    let half = text.len() / 2;
    let again = (1..=half.min(8)).any(|step| text.iter().zip(&text[step..]).all(|(a, b)| a == b));
    let twice = text.len() >= 32 && text[..half] == text[text.len() - half..];
    let steps = text.windows(2).filter(|pair| pair[1] == pair[0].wrapping_add(1)).count();
    let count = text.chunks(2).zip(text.chunks(2).skip(1)).filter(|(a, b)| counts_up(a, b)).count();
    again || twice || steps * 2 > text.len() || count * 4 > text.len()
}

/// Whether two pairs of hexadecimal digits are numbers that follow each other, as in `000102`.
fn counts_up(a: &[u8], b: &[u8]) -> bool {
    let number = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    matches!((number(a), number(b)), (Some(a), Some(b)) if b == a.wrapping_add(1) || a == b)
}
