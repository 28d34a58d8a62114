//! What `--search` looks for in a text, letter case aside.

use crate::fault::Fault;
use memchr::memchr2_iter;
use regex::{Regex, RegexBuilder};

/// A text or a regular expression that is looked for.
pub(crate) enum Pattern {
    /// Plain ASCII, the usual case: a regular expression takes five times as long on texts as short as entries.
    Ascii {
        /// In lower case.
        text: String,
        /// Where its rarest character stands.
        rarest: usize,
    },
    Regex(Regex),
}

/// The letters of English text and the blank, the most frequent first; what is not among them is rarer still.
const FREQUENT: &str = " etaoinsrhldcumfpgwybvkxjqz";

impl Pattern {
    /// Reads what was asked for.
    ///
    /// # Errors
    /// [`Fault`] for a regular expression that is none.
    pub(crate) fn new(text: &str, is_regex: bool) -> Result<Self, Fault> {
        if text.is_ascii() && !text.is_empty() && !is_regex {
            let text = text.to_ascii_lowercase();
            let rank = |(_, letter): &(usize, char)| FREQUENT.find(*letter).unwrap_or(usize::MAX);
            let rarest = text.char_indices().max_by_key(rank).map_or(0, |(at, _)| at);
            return Ok(Self::Ascii { text, rarest });
        }
        let text = if is_regex { text.to_owned() } else { regex::escape(text) };
        let built = RegexBuilder::new(&text).case_insensitive(true).build();
        built.map(Self::Regex).map_err(|error| Fault::usage(format!("--regex: {error}")))
    }

    /// Whether it stands in `text`.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        match self {
            Self::Regex(regex) => regex.is_match(text),
            Self::Ascii { text: wanted, rarest } => {
                let (bytes, rare) = (text.as_bytes(), wanted.as_bytes()[*rarest]);
                memchr2_iter(rare, rare.to_ascii_uppercase(), bytes).any(|at| {
                    let window =
                        at.checked_sub(*rarest).and_then(|start| bytes.get(start..start + wanted.len()));
                    window.is_some_and(|window| window.eq_ignore_ascii_case(wanted.as_bytes()))
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wanted: &str, text: &str) -> bool {
        Pattern::new(wanted, false).unwrap().is_match(text)
    }

    #[test]
    fn a_text_is_found_wherever_it_stands_and_however_it_is_written() {
        for text in ["bilge pump", "Bilge PUMP", "the bilge pump", "bilge pum bilge pump.", "é bilge pump é"]
        {
            assert!(check("Bilge Pump", text), "{text}");
        }
        for text in ["", "bilge", "bilge-pump", "ilge pump", "bilge pum", "pump bilge"] {
            assert!(!check("Bilge Pump", text), "{text}");
        }
        assert!(check("ÉTÉ", "en été"));
        assert!(check("", "anything"));
        assert!(check("a.c", "A.C") && !check("a.c", "abc"));
    }

    #[test]
    fn plain_text_and_the_same_as_an_expression_find_the_same() {
        // Every text of up to five letters out of three, against every shorter one.
        let mut texts = vec![String::new()];
        for length in 1..=5usize {
            let longer = texts.iter().filter(|text| text.len() == length - 1).cloned().collect::<Vec<_>>();
            texts.extend(
                longer.iter().flat_map(|text| ["x", "E", " "].map(|letter| format!("{text}{letter}"))),
            );
        }
        for wanted in texts.iter().filter(|text| text.len() == 2) {
            let expression = Pattern::new(&regex::escape(wanted), true).unwrap();
            for text in &texts {
                assert_eq!(check(wanted, text), expression.is_match(text), "{wanted:?} in {text:?}");
            }
        }
    }
}
