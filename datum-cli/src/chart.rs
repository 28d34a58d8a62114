//! Charts of inline SVG and plain elements: one stacked bar, bars beside their names, columns over time.
//!
//! Text is never part of a drawing that the page scales: it stays as large as the page's own, however narrow that is.

use crate::html::escape;
use std::fmt::Write as _;

/// Width of every chart in its own units; the page scales it.
const WIDTH: u64 = 960;
/// Colours of a series, by name of their class.
const SERIES: [&str; 8] = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"];

/// Part of a whole: its name, how much it is, and its class (a colour of the page).
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) value: u64,
    pub(crate) class: &'static str,
}

impl Part {
    pub(crate) fn new(name: impl Into<String>, value: u64, class: &'static str) -> Self {
        Self { name: name.into(), value, class }
    }

    /// Parts in the colours of a series, each with its share; all from the eighth on are one.
    pub(crate) fn series(parts: impl IntoIterator<Item = (String, u64)>) -> Vec<Self> {
        let mut out: Vec<Self> = Vec::new();
        for (at, (name, value)) in parts.into_iter().enumerate() {
            match out.get_mut(SERIES.len() - 1) {
                Some(last) => {
                    last.value += value;
                    "others".clone_into(&mut last.name);
                }
                None => out.push(Self::new(name, value, SERIES[at.min(SERIES.len() - 1)])),
            }
        }
        let all = out.iter().map(|part| part.value).fold(0, u64::saturating_add);
        for part in &mut out {
            part.name = format!("{} {}", part.name, crate::profile::share(part.value, all));
        }
        out
    }
}

/// A chart; the numbers it shows stand in the page as text too.
#[derive(Debug, Clone)]
pub(crate) enum Chart {
    /// One bar made of parts.
    Stack { says: String, parts: Vec<Part> },
    /// A bar each: its name, its length, and what is written behind it.
    Bars { says: String, rows: Vec<(String, u64, String)> },
    /// A column each, in order: its name, and its parts from the bottom up.
    Columns { says: String, points: Vec<(String, Vec<Part>)> },
}

impl Chart {
    /// The chart as HTML; nothing where there is nothing to show.
    pub(crate) fn html(&self) -> String {
        match self {
            Self::Stack { says, parts } => stack(says, parts),
            Self::Bars { says, rows } => bars(says, rows),
            Self::Columns { says, points } => columns(says, points),
        }
    }
}

/// `value` of `all` in `length` units, rounded down to hundredths.
fn scaled(value: u64, all: u64, length: u64) -> String {
    let hundredths = u128::from(value) * u128::from(length) * 100 / u128::from(all.max(1));
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn open(class: &str, says: &str, height: u64) -> String {
    let says = escape(says);
    format!(
        "<svg class=\"{class}\" viewBox=\"0 0 {WIDTH} {height}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"{says}\">\n"
    )
}

fn rect(class: &str, place: [&str; 4], says: &str) -> String {
    let [x, y, width, height] = place;
    format!(
        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"><title>{}</title></rect>\n",
        escape(says)
    )
}

/// What the colours stand for; nothing where they stand for nothing.
fn key(parts: &[Part]) -> String {
    let one = |part: &Part| {
        format!("<span class=\"key\"><i class=\"{}\"></i>{}</span>", part.class, escape(&part.name))
    };
    let all: String = parts.iter().filter(|part| !part.name.is_empty()).map(one).collect();
    if all.is_empty() { all } else { format!("<figcaption>{all}</figcaption>\n") }
}

fn stack(says: &str, parts: &[Part]) -> String {
    let parts: Vec<Part> = parts.iter().filter(|part| part.value > 0).cloned().collect();
    let all: u64 = parts.iter().map(|part| part.value).fold(0, u64::saturating_add);
    if all == 0 {
        return String::new();
    }
    let mut out = format!("<figure>\n{}", open("stack", says, 24));
    let mut before = 0;
    for part in &parts {
        let (x, width) = (scaled(before, all, WIDTH), scaled(part.value, all, WIDTH));
        out += &rect(part.class, [&x, "0", &width, "24"], &part.name);
        before += part.value;
    }
    out + &format!("</svg>\n{}</figure>\n", key(&parts))
}

fn bars(says: &str, rows: &[(String, u64, String)]) -> String {
    let most = rows.iter().map(|row| row.1).max().unwrap_or(0);
    if most == 0 {
        return String::new();
    }
    let mut out = format!("<figure class=\"bars\" aria-label=\"{}\">\n", escape(says));
    for (name, value, shown) in rows {
        let _ = writeln!(
            out,
            "<span title=\"{}\">{}</span><span><i class=\"c0\" style=\"width:{}%\"></i></span><span class=\"soft\">{}</span>",
            escape(name),
            escape(&shortened(name, 34)),
            scaled(*value, most, 100),
            escape(shown)
        );
    }
    out + "</figure>\n"
}

fn columns(says: &str, points: &[(String, Vec<Part>)]) -> String {
    const TALL: u64 = 120;
    /// Widest column.
    const COLUMN: u64 = 64;
    /// Room for a name below the axis: on a page of 400 pixels, that of `2026-01`.
    const NAME: u64 = 150;
    let sum = |parts: &[Part]| parts.iter().map(|part| part.value).fold(0, u64::saturating_add);
    let most = points.iter().map(|(_, parts)| sum(parts)).max().unwrap_or(0);
    if most == 0 {
        return String::new();
    }
    let count = points.len() as u64;
    let mut out = format!("<figure>\n<p class=\"soft\">{most}</p>\n{}", open("columns", says, TALL + 1));
    out += &rect("axis", ["0", &TALL.to_string(), &WIDTH.to_string(), "1"], "0");
    // A gap stands between two columns while there is room.
    let step = (WIDTH * 100 / count).min(COLUMN * 100);
    let gap = if step > 400 { 200 } else { 0 };
    let units = |hundredths: u64| format!("{}.{:02}", hundredths / 100, hundredths % 100);
    let every = (NAME * 100).div_ceil(step.max(1)).max(1);
    let mut names = String::new();
    for (at, (name, parts)) in points.iter().enumerate() {
        let x = at as u64 * step;
        let mut below = 0;
        for part in parts.iter().filter(|part| part.value > 0) {
            below += part.value;
            let y = u128::from(TALL) * 100 - u128::from(below) * u128::from(TALL) * 100 / u128::from(most);
            let y = units(u64::try_from(y).unwrap_or(0));
            let what = if part.name.is_empty() { name.clone() } else { format!("{name}, {}", part.name) };
            let place = [units(x), y, units(step - gap), scaled(part.value, most, TALL)];
            out +=
                &rect(part.class, place.each_ref().map(String::as_str), &format!("{what}: {}", part.value));
        }
        if (at as u64).is_multiple_of(every) && x + NAME * 100 <= WIDTH * 100 {
            let left = scaled(x, WIDTH * 100, 100);
            let _ = write!(names, "<span style=\"left:{left}%\">{}</span>", escape(name));
        }
    }
    let key = points.first().map(|(_, parts)| key(parts)).unwrap_or_default();
    out + &format!("</svg>\n<p class=\"names soft\">{names}</p>\n{key}</figure>\n")
}

/// A name that is too long, by its end: that is where paths differ.
fn shortened(name: &str, most: usize) -> String {
    let length = name.chars().count();
    if length <= most {
        name.to_owned()
    } else {
        format!("…{}", name.chars().skip(length - most + 1).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_fill_the_bar() {
        let chart = Chart::Stack {
            says: "a & b".to_owned(),
            parts: vec![Part::new("<x>", 1, "c0"), Part::new("none", 0, "c1"), Part::new("y", 3, "red")],
        };
        let html = chart.html();
        assert!(
            html.contains("aria-label=\"a &amp; b\"") && html.contains("<title>&lt;x&gt;</title>"),
            "{html}"
        );
        assert!(html.contains("class=\"c0\" x=\"0.00\" y=\"0\" width=\"240.00\""), "{html}");
        assert!(
            html.contains("class=\"red\" x=\"240.00\" y=\"0\" width=\"720.00\"") && !html.contains(">none<"),
            "{html}"
        );
    }

    #[test]
    fn nothing_is_no_chart_and_much_is_not_too_much() {
        for chart in [
            Chart::Stack { says: String::new(), parts: vec![Part::new("x", 0, "c0")] },
            Chart::Bars { says: String::new(), rows: Vec::new() },
            Chart::Columns { says: String::new(), points: vec![("x".to_owned(), Vec::new())] },
        ] {
            assert_eq!(chart.html(), "");
        }
        let points =
            (0..3000).map(|at| (at.to_string(), vec![Part::new("", u64::MAX / 4000, "c0")])).collect();
        assert!(Chart::Columns { says: String::new(), points }.html().contains("<rect"));
        let rows = vec![("n".repeat(500), u64::MAX, "all".to_owned())];
        assert!(Chart::Bars { says: String::new(), rows }.html().contains("width:100.00%"));
    }

    #[test]
    fn a_series_has_eight_colours_at_most() {
        let parts = Part::series((1..=20).map(|at| (at.to_string(), at)));
        assert_eq!(
            (parts.len(), parts[7].name.as_str(), parts[7].value),
            (8, "others 86.6 %", (8..=20).sum())
        );
    }
}
