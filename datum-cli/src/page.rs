//! A report as blocks, printed as Markdown or as one page of HTML.

use crate::chart::Chart;
use crate::html::{self, escape};
use std::fmt::Write as _;

/// A cell of a table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    text: String,
    /// A colour of the page.
    class: &'static str,
    /// What a reader may open to see.
    more: String,
}

impl Cell {
    /// A text in a colour of the page.
    pub(crate) fn toned(text: impl Into<String>, class: &'static str) -> Self {
        Self { text: text.into(), class, more: String::new() }
    }

    /// A text that opens to show more, in HTML.
    pub(crate) fn opening(text: impl Into<String>, more: impl Into<String>) -> Self {
        Self { text: text.into(), class: "", more: more.into() }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

#[derive(Debug, Clone)]
enum Block {
    Heading(String),
    Text(String),
    /// A text with a bold beginning.
    Named(String, String),
    List(Vec<String>),
    /// A heading that begins with `#` stands over numbers, one with `!` over what is not to be broken, one with `/` over
    /// names that are broken only where the page is narrow.
    Table(&'static [&'static str], Vec<Vec<Cell>>),
    Chart(Chart),
}

/// A report.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    title: String,
    blocks: Vec<Block>,
}

impl Page {
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), blocks: Vec::new() }
    }

    pub(crate) fn heading(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Heading(text.into()));
    }

    pub(crate) fn text(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Text(text.into()));
    }

    pub(crate) fn named(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.blocks.push(Block::Named(name.into(), text.into()));
    }

    pub(crate) fn list(&mut self, items: impl IntoIterator<Item = String>) {
        let items: Vec<String> = items.into_iter().collect();
        if !items.is_empty() {
            self.blocks.push(Block::List(items));
        }
    }

    pub(crate) fn table(
        &mut self,
        heads: &'static [&'static str],
        rows: impl IntoIterator<Item = Vec<Cell>>,
    ) {
        self.blocks.push(Block::Table(heads, rows.into_iter().collect()));
    }

    pub(crate) fn chart(&mut self, chart: Chart) {
        self.blocks.push(Block::Chart(chart));
    }

    /// The report as Markdown; charts are left out, their numbers stand in tables.
    pub(crate) fn markdown(&self) -> String {
        let mut out = format!("# {}\n", plain(&self.title));
        for block in &self.blocks {
            let _ = match block {
                Block::Heading(text) => writeln!(out, "\n## {}", plain(text)),
                Block::Text(text) => writeln!(out, "\n{}", plain(text)),
                Block::Named(name, text) => writeln!(out, "\n{}: {}", plain(name), plain(text)),
                Block::List(items) => {
                    out.push('\n');
                    items.iter().try_for_each(|item| writeln!(out, "- {}", plain(item)))
                }
                Block::Table(heads, rows) => {
                    out += &markdown_table(heads, rows);
                    Ok(())
                }
                Block::Chart(_) => Ok(()),
            };
        }
        out
    }

    /// The report as one page of HTML.
    pub(crate) fn html(&self) -> String {
        let mut out = String::new();
        for block in &self.blocks {
            let _ = match block {
                Block::Heading(text) => writeln!(out, "<h2>{}</h2>", escape(text)),
                Block::Text(text) => writeln!(out, "<p>{}</p>", escape(text)),
                Block::Named(name, text) => writeln!(out, "<p><b>{}:</b> {}</p>", escape(name), escape(text)),
                Block::List(items) => {
                    let items: String =
                        items.iter().map(|item| format!("<li>{}</li>\n", escape(item))).collect();
                    writeln!(out, "<ul>\n{items}</ul>")
                }
                Block::Table(heads, rows) => {
                    out += &html_table(heads, rows);
                    Ok(())
                }
                Block::Chart(chart) => {
                    out += &chart.html();
                    Ok(())
                }
            };
        }
        html::page(&self.title, &out)
    }
}

fn name_of(head: &'static str) -> &'static str {
    head.trim_start_matches(['#', '!', '/'])
}

/// Text in Markdown, without what Markdown or HTML would read as its own, on one line.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '[' | ']' | '#' => out.extend(['\\', c]),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push(' '),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn markdown_table(heads: &[&'static str], rows: &[Vec<Cell>]) -> String {
    let names: Vec<&str> = heads.iter().map(|head| name_of(head)).collect();
    let lines: Vec<&str> =
        heads.iter().map(|head| if head.starts_with('#') { "--:" } else { "---" }).collect();
    let mut out = format!("\n| {} |\n|{}|\n", names.join(" | "), lines.join("|"));
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| plain(&cell.text)).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}

fn html_table(heads: &[&'static str], rows: &[Vec<Cell>]) -> String {
    let class = |head: &str| match head.chars().next() {
        Some('#') => "n",
        Some('!') => "w",
        Some('/') => "p",
        _ => "",
    };
    let attribute = |classes: &str| match classes.trim() {
        "" => String::new(),
        classes => format!(" class=\"{classes}\""),
    };
    let head: String = heads
        .iter()
        .map(|head| format!("<th{}>{}</th>", attribute(class(head)), escape(name_of(head))))
        .collect();
    let cell = |(head, cell): (&&str, &Cell)| {
        let classes = attribute(&format!("{} {}", class(head), cell.class));
        let mut text = escape(&cell.text);
        if class(head) == "p" {
            text = text.replace('/', "/<wbr>");
        }
        if cell.more.is_empty() {
            format!("<td{classes}>{text}</td>")
        } else {
            format!("<td{classes}><details><summary>{text}</summary>{}</details></td>", escape(&cell.more))
        }
    };
    let rows: String = rows
        .iter()
        .map(|row| format!("<tr>{}</tr>\n", heads.iter().zip(row).map(cell).collect::<String>()))
        .collect();
    format!("<div class=\"wide\"><table>\n<tr>{head}</tr>\n{rows}</table></div>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_stays_text() {
        let mut page = Page::new("<b>");
        page.heading("a\n# b");
        page.table(&["/Name"], [vec!["a/<b".into()]]);
        page.table(&["#Count", "What"], [vec!["1".into(), Cell::opening("x|<script>", "<img>")]]);
        page.list(["[link](x)".to_owned()]);
        let markdown = page.markdown();
        assert_eq!(
            markdown,
            "# &lt;b>\n\n## a \\# b\n\n| Name |\n|---|\n| a/&lt;b |\n\n| Count | What |\n|--:|---|\n| 1 | x\\|&lt;script> |\n\n- \\[link\\](x)\n"
        );
        let html = page.html();
        assert!(
            html.contains("<h1>&lt;b&gt;</h1>") && !html.contains("<script") && !html.contains("<img"),
            "{html}"
        );
        assert!(html.contains("<td class=\"p\">a/<wbr>&lt;b</td>"), "{html}");
        assert!(
            html.contains(
                "<td class=\"n\">1</td><td><details><summary>x|&lt;script&gt;</summary>&lt;img&gt;"
            ),
            "{html}"
        );
    }
}
