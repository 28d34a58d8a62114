//! One page of HTML that needs nothing else: no script, no font, no picture from elsewhere.

use std::fmt::Write as _;

/// The look of every page; it follows the reader's light or dark.
const STYLE: &str = "
:root { color-scheme: light dark; --line: #8884; --green: #2a8a4a; --yellow: #b58a00; --red: #c0392b; --dead: #777; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.green { color: var(--green); } .yellow { color: var(--yellow); } .red { color: var(--red); } .dead { color: var(--dead); }
.bar { display: flex; height: 1.2rem; margin: 1rem 0; } .bar i { display: block; background: currentColor; }
summary { cursor: pointer; } code { overflow-wrap: anywhere; }
";

/// `text` as it may stand in an element or in an attribute between quotation marks.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Controls, and what would turn the text around it, are shown as what they are.
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c if c.is_control() && c != '\n' && c != '\t' => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// A whole page; `body` is HTML already, `title` is text.
pub(crate) fn page(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<h1>{title}</h1>\n{body}</body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(
            escape("<a href='x'>&\"\u{202e}\u{1}"),
            "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\\u{202e}\\u{1}"
        );
        assert!(page("<script>", "").contains("<h1>&lt;script&gt;</h1>"));
    }
}
