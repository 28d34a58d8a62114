//! Columns that line up, by the width that text has on a terminal.

use crate::escape;
use crate::out::{Out, Paint};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Widest that a column other than the last is let grow.
const COLUMN_MAX: usize = 28;

/// A piece of a row: what it says, and how it stands out where there is colour.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    paint: Paint,
}

impl Cell {
    pub(crate) fn new(text: impl AsRef<str>, paint: Paint) -> Self {
        Self { text: escape::line(text.as_ref()), paint }
    }

    pub(crate) fn plain(text: impl AsRef<str>) -> Self {
        Self::new(text, Paint::Plain)
    }
}

/// Lays the rows out: each column as wide as its widest cell, the last one cut where a line would go beyond `width`.
pub(crate) fn lines(out: &Out, rows: &[Vec<Cell>], indent: usize, width: usize) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.text.width()).max();
    let widths: Vec<usize> = (0..columns).map(|at| widest(at).unwrap_or(0).min(COLUMN_MAX)).collect();
    let line = |row: &Vec<Cell>| {
        let mut line = " ".repeat(indent);
        let mut used = indent;
        for (at, cell) in row.iter().enumerate() {
            let is_last = at + 1 == row.len();
            let room = width.saturating_sub(used);
            let text = fit(&cell.text, if is_last { room } else { widths[at].min(room) });
            let pad = if is_last { 0 } else { (widths[at] + 2).saturating_sub(text.width()).min(room) };
            used += text.width() + pad;
            line.push_str(&out.paint(cell.paint, &text));
            line.push_str(&" ".repeat(pad));
        }
        line.truncate(line.trim_end_matches(' ').len());
        line
    };
    rows.iter().map(line).collect()
}

/// The cells one after another on one line, cut where it would go beyond `width`.
pub(crate) fn joined(out: &Out, cells: &[Cell], width: usize) -> String {
    let mut line = String::new();
    let mut used = 0;
    for cell in cells {
        let text = fit(&cell.text, width.saturating_sub(used));
        used += text.width();
        line.push_str(&out.paint(cell.paint, &text));
    }
    line
}

/// The text, cut with `…` where it is wider than `width`.
pub(crate) fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used + 1 > width {
            break;
        }
        out.push(c);
    }
    if width > 0 {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Format;

    #[test]
    fn columns_line_up_by_width_and_the_last_is_cut() {
        let out = Out::new(Format::Text, false);
        let row = |cells: &[&str]| cells.iter().map(Cell::plain).collect::<Vec<_>>();
        let rows =
            [row(&["heron", "5m", "Fix the pump"]), row(&["船", "12h", "A title that goes on and on"])];
        assert_eq!(lines(&out, &rows, 2, 28), ["  heron  5m   Fix the pump", "  船     12h  A title that …"]);
        assert_eq!(fit("船船船", 5), "船船…");
        assert_eq!((fit("ab", 1), fit("ab", 0)), ("…".to_owned(), String::new()));
    }
}
