//! The files the fleet reads: printing state into them, and reading those that others wrote.
//!
//! Files are text to text; [`plan`] says which follow from a snapshot, and writing them is for the caller.

pub mod bottle_file;
pub mod journal_file;
pub mod plan;
pub mod taskboard_file;

/// The line that begins or ends every file datum publishes.
pub const MARK: &str = "<!-- published by datum: changes to this file will be overwritten -->";

/// The line that begins a published board, in which people write too.
pub const BOARD_MARK: &str = "<!-- published by datum: datum task import reads back what is changed in tasks; all else will be overwritten -->";

/// Says whether datum published `text`, so that it may be replaced: its first or last line with text is [`MARK`], or the
/// first is [`BOARD_MARK`].
///
/// # Examples
/// ```
/// use datum_core::publish::{MARK, is_ours};
/// assert!(is_ours(&format!("{MARK}\n# Journal\n")));
/// assert!(!is_ours("# My own journal\n"));
/// ```
pub fn is_ours(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    matches!(lines.next(), Some(MARK | BOARD_MARK)) || lines.next_back() == Some(MARK)
}

/// `text` as one line of plain characters: controls, bidi marks and runs of white space become one space.
pub(crate) fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if is_odd(c) { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_odd(c: char) -> bool {
    let bidi = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    // YAML readers refuse a whole file for one of these.
    let refused = matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    c.is_control() || bidi || refused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_marked_file_is_ours() {
        for ours in [
            format!("{MARK}\nx"),
            format!("{BOARD_MARK}\nx"),
            format!("x\n{MARK}\n\n"),
            MARK.to_owned(),
            format!("\n  {MARK}\r\nx\n"),
        ] {
            assert!(is_ours(&ours), "{ours:?}");
        }
        for other in [String::new(), "x".to_owned(), format!("x\n{MARK}\ny"), format!("see {MARK}")] {
            assert!(!is_ours(&other), "{other:?}");
        }
    }

    #[test]
    fn one_line_is_one_line() {
        assert_eq!(one_line(" a\r\nb\0\u{202e}c\u{2028}\u{fffe}  d "), "a b c d");
    }
}
