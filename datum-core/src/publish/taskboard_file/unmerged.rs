//! The marks that `git merge` leaves where both sides changed the same lines.

use crate::publish::is_ours;

/// These begin no line of anybody's board.
const SURE: [&str; 2] = ["<<<<<<<", ">>>>>>>"];
/// These do: as the underline of a heading, and as an empty row of a table.
const BETWEEN: [&str; 2] = ["|||||||", "======="];

/// The first line with a mark of a merge, from 1, and the mark.
///
/// A lone mark of those between the sides counts only in a board that datum wrote, which has neither such headings
/// nor tables.
pub(super) fn first(text: &str) -> Option<(usize, &'static str)> {
    let mut between = None;
    for (index, line) in text.lines().enumerate() {
        // Seven of them and no more, then a space and a name or nothing.
        let begins = |mark: &&str| {
            line.strip_prefix(*mark).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        if let Some(mark) = SURE.into_iter().find(begins) {
            return Some(between.unwrap_or((index + 1, mark)));
        }
        between = between.or_else(|| BETWEEN.into_iter().find(begins).map(|mark| (index + 1, mark)));
    }
    between.filter(|_| is_ours(text))
}

#[cfg(test)]
mod tests {
    use super::super::BOARD_MARK;
    use super::*;

    #[test]
    fn the_first_mark_of_a_merge_is_found_and_a_heading_is_none() {
        let ours = |rest: &str| format!("{BOARD_MARK}\n{rest}");
        let found = |text: &str| first(text);
        for (text, expect) in [
            (ours("- [ ] a\n"), None),
            (ours("<<<<<<< HEAD\na\n=======\nb\n>>>>>>> main\n"), Some((2, "<<<<<<<"))),
            (ours("a\r\n>>>>>>> main\r\n"), Some((3, ">>>>>>>"))),
            (ours("a\n=======\nb\n"), Some((3, "======="))),
            (ours("||||||| base\n"), Some((2, "|||||||"))),
            (ours(" <<<<<<< a\n<<<<<<<< b\n<<<<<<<c\n"), None),
            ("Backlog\n=======\n- [ ] a\n".to_owned(), None),
            ("Backlog\n=======\n>>>>>>> main\n".to_owned(), Some((2, "======="))),
        ] {
            assert_eq!(found(&text), expect, "{text}");
        }
    }
}
