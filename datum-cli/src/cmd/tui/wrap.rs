//! Text broken into lines of a width, at blanks where there are some.

use unicode_width::UnicodeWidthChar as _;

/// The lines of `text`, none wider than `width`; at least one.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(2);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    // Where the line can be broken: behind this many bytes, of this width.
    let mut blank: Option<(usize, usize)> = None;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide > width && c == ' ' {
            // A blank at the end is not seen.
            lines.push(std::mem::take(&mut line));
            (used, blank) = (0, None);
            continue;
        }
        if used + wide > width {
            let (at, before) = blank.take().unwrap_or((line.len(), used));
            let rest = line.split_off(at);
            lines.push(std::mem::replace(&mut line, rest).trim_end().to_owned());
            used -= before;
        }
        line.push(c);
        used += wide;
        if c == ' ' {
            blank = Some((line.len(), used));
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_break_at_blanks_and_long_words_anywhere() {
        assert_eq!(wrap("", 10), [""]);
        assert_eq!(wrap("reef the sails", 8), ["reef the", "sails"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("船船船 船", 5), ["船船", "船 船"]);
        assert_eq!(wrap("  indented", 80), ["  indented"]);
        assert_eq!(wrap("a b", 0), ["a", "b"]);
    }
}
