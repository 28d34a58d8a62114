//! The forms in which a value turns up in text: as it is, and in the encodings that programs put it through.
//!
//! Pure: a value in, byte patterns out. Whoever masks output or looks for values in a push searches for these.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use zeroize::Zeroizing;

/// Shortest value that is worth looking for, bytes: shorter ones stand in any text by chance.
pub const LEAST: usize = 6;

/// One form of a value. Its `Debug` shows only its name.
#[derive(Clone, PartialEq, Eq)]
pub struct Form {
    /// What it is called: `plain`, `base64`, `hex`, `url`, `json` or `utf-16`.
    pub how: &'static str,
    /// The bytes to look for. Of base64 only the letters that no neighbour of the value touches: up to one more letter
    /// at each end holds some of its bits.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Form({})", self.how)
    }
}

/// The forms of a value in bytes and ASCII: plain, base64 (three alignments, both alphabets), hex (both cases),
/// URL (strict, lenient and of forms), JSON. Each once, the plain one first; an empty value has none.
///
/// A line end at the end of the value is left off: what was read from a file has one, and what quotes it has not.
///
/// # Examples
/// ```
/// use datum_core::vault::forms;
/// let found = forms::of(b"hunter2!");
/// let has = |text: &[u8]| found.iter().any(|form| form.bytes.as_slice() == text);
/// assert!(has(b"hunter2!") && has(b"aHVudGVyMi") && has(b"68756e7465723221") && has(b"hunter2%21"));
/// ```
pub fn of(value: &[u8]) -> Vec<Form> {
    let value = trimmed(value);
    let mut forms = Forms::default();
    forms.add("plain", Zeroizing::new(value.to_vec()));
    for alignment in 0..3 {
        let standard = base64(value, alignment);
        let swap = |byte: &u8| match byte {
            b'+' => b'-',
            b'/' => b'_',
            other => *other,
        };
        forms.add("base64", Zeroizing::new(standard.iter().map(swap).collect()));
        forms.add("base64", standard);
    }
    for digits in [b"0123456789abcdef", b"0123456789ABCDEF"] {
        let digit = |half: u8| digits[usize::from(half)];
        let hex = value.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
        forms.add("hex", Zeroizing::new(hex));
        // RFC 3986 leaves these four alone, encodeURIComponent five more, and a form writes a space as a plus.
        for (kept, space) in [("-._~", "%20"), ("-._~!'()*", "%20"), ("-._*", "+")] {
            forms.add("url", url(value, kept.as_bytes(), space.as_bytes(), digits));
        }
    }
    if let Ok(text) = std::str::from_utf8(value) {
        for slash in ["/", "\\/"] {
            forms.add("json", json(text, slash));
        }
    }
    forms.found
}

/// The forms of a value in UTF-16, both byte orders; none of a value that is not text.
pub fn wide(value: &[u8]) -> Vec<Form> {
    let mut forms = Forms::default();
    if let Ok(text) = std::str::from_utf8(trimmed(value)) {
        let units = || text.encode_utf16();
        forms.add("utf-16", Zeroizing::new(units().flat_map(u16::to_le_bytes).collect()));
        forms.add("utf-16", Zeroizing::new(units().flat_map(u16::to_be_bytes).collect()));
    }
    forms.found
}

#[derive(Default)]
struct Forms {
    found: Vec<Form>,
}

impl Forms {
    fn add(&mut self, how: &'static str, bytes: Zeroizing<Vec<u8>>) {
        if !bytes.is_empty() && self.found.iter().all(|form| form.bytes != bytes) {
            self.found.push(Form { how, bytes });
        }
    }
}

fn trimmed(value: &[u8]) -> &[u8] {
    let end = value.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
    &value[..end]
}

/// The letters of base64 that the value alone decides when `alignment` bytes of something else stand before it.
fn base64(value: &[u8], alignment: usize) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(vec![0; alignment]);
    bytes.extend_from_slice(value);
    let text = Zeroizing::new(STANDARD.encode(&*bytes).into_bytes());
    let from = (alignment * 8).div_ceil(6);
    let to = bytes.len() * 8 / 6;
    Zeroizing::new(text.get(from..to).unwrap_or_default().to_vec())
}

fn url(value: &[u8], kept: &[u8], space: &[u8], digits: &[u8; 16]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(value.len() * 3));
    for byte in value {
        match byte {
            b' ' => out.extend_from_slice(space),
            byte if byte.is_ascii_alphanumeric() || kept.contains(byte) => out.push(*byte),
            byte => out.extend([b'%', digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]),
        }
    }
    out
}

/// The inside of a JSON string.
fn json(text: &str, slash: &str) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() * 6));
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            '/' => out.extend_from_slice(slash.as_bytes()),
            c if c < ' ' => out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes()),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::URL_SAFE;
    use proptest::prelude::*;

    fn finds(forms: &[Form], how: &str, text: &[u8]) -> bool {
        forms.iter().any(|form| form.how == how && text.windows(form.bytes.len()).any(|w| w == &**form.bytes))
    }

    proptest! {
        #[test]
        fn a_value_is_found_in_every_encoding_whatever_stands_beside(
            before in prop::collection::vec(any::<u8>(), 0..5),
            value in prop::collection::vec(any::<u8>(), LEAST..40),
            after in prop::collection::vec(any::<u8>(), 0..5),
        ) {
            prop_assume!(!matches!(value.last(), Some(b'\n' | b'\r')));
            let all = [&before[..], &value, &after].concat();
            let forms = of(&value);
            prop_assert!(finds(&forms, "plain", &all));
            prop_assert!(finds(&forms, "base64", STANDARD.encode(&all).as_bytes()));
            prop_assert!(finds(&forms, "base64", URL_SAFE.encode(&all).as_bytes()));
            let hex: String = all.iter().map(|byte| format!("{byte:02x}")).collect();
            prop_assert!(finds(&forms, "hex", hex.as_bytes()));
            prop_assert!(finds(&forms, "hex", hex.to_uppercase().as_bytes()));
        }

        #[test]
        fn text_is_found_as_json_url_and_wide(value in "\\PC{6,30}") {
            let forms = of(value.as_bytes());
            let any = |text: &[u8]| ["plain", "json", "url"].iter().any(|how| finds(&forms, how, text));
            let quoted = serde_json::to_string(&value).unwrap();
            prop_assert!(any(quoted.as_bytes()));
            let strict: String = value.bytes().map(|byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
                other => format!("%{other:02X}"),
            }).collect();
            prop_assert!(any(strict.as_bytes()));
            let little: Vec<u8> = format!("x{value}y").encode_utf16().flat_map(u16::to_le_bytes).collect();
            prop_assert!(finds(&wide(value.as_bytes()), "utf-16", &little));
        }
    }

    #[test]
    fn nothing_is_shown_and_nothing_is_empty() {
        assert_eq!(format!("{:?}", of(b"secretive")[0]), "Form(plain)");
        assert_eq!((of(b""), of(b"\n"), wide(b"\xff\xfe")), (Vec::new(), Vec::new(), Vec::new()));
        assert!(of(b"x").iter().all(|form| !form.bytes.is_empty()));
        assert_eq!(&**of(b"from a file\n")[0].bytes, b"from a file");
    }
}
