//! Text from elsewhere, made safe to show: what could steer a terminal, hide text or turn it around is spelled out.

use std::fmt::Write as _;

/// Whether `c` is shown as what it is: a control character, one that turns text around, or one that cannot be seen.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Shows hostile characters as what they are; line ends and tabs pass, and so do colours marked with `own`.
///
/// A mark is the escape character and a word that only this run of the program knows, before what a terminal expects
/// next: text that holds the plain sequence is text all the same.
pub(crate) fn escape(text: &str, own: Option<&str>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let colour = own.filter(|_| c == '\u{1b}').and_then(|own| rest[1..].strip_prefix(own));
        if let Some((code, after)) = colour.and_then(|colour| colour.split_once('m')) {
            let _ = write!(out, "\u{1b}{code}m");
            rest = after;
            continue;
        }
        rest = &rest[c.len_utf8()..];
        if is_hostile(c) && c != '\n' && c != '\t' {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// The same for one line, such as a cell of a table: line ends and tabs become blanks.
pub(crate) fn line(text: &str) -> String {
    escape(&text.replace(['\n', '\t', '\r'], " "), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal_but_colours_of_our_own() {
        let check = |text: &str, want: &str| assert_eq!(escape(text, Some("7f3a")), want);
        check("plain ü 船\tx\ny", "plain ü 船\tx\ny");
        check("\u{1b}7f3a[33mid\u{1b}7f3a[0m", "\u{1b}[33mid\u{1b}[0m");
        check("\u{1b}[33mnot ours", "\\u{1b}[33mnot ours");
        check("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}");
        check("\u{9b}2J \r back", "\\u{9b}2J \\u{d} back");
        check(
            "a\u{202e}b\u{2066}c\u{200b}d\u{feff}e\u{61c}",
            "a\\u{202e}b\\u{2066}c\\u{200b}d\\u{feff}e\\u{61c}",
        );
        check("\u{1b}7f3a[33", "\\u{1b}7f3a[33");
        assert_eq!(line("a\r\nb\u{7f}"), "a  b\\u{7f}");
    }
}
