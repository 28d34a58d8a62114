//! One page of HTML that needs nothing else: no script, no font, no picture from elsewhere.

use std::fmt::Write as _;

/// The look of every page; it follows the reader's light or dark. Colours of text stand out from the ground by 4.5 : 1.
const STYLE: &str = "
:root { color-scheme: light dark; --ground: #fff; --text: #1f2328; --soft: #59636e; --line: #d1d9e0; --green: #1a7f37;
  --yellow: #9a6700; --red: #cf222e; --dead: #656d76; --c0: #0969da; --c1: #8250df; --c2: #bf3989; --c3: #bc4c00;
  --c4: #1a7f37; --c5: #0e7490; --c6: #9a6700; --c7: #656d76; }
@media (prefers-color-scheme: dark) { :root { --ground: #0d1117; --text: #e6edf3; --soft: #9198a1; --line: #3d444d;
  --green: #3fb950; --yellow: #d29922; --red: #f85149; --dead: #8b949e; --c0: #58a6ff; --c1: #bc8cff; --c2: #f778ba;
  --c3: #ffa657; --c4: #3fb950; --c5: #39c5cf; --c6: #d29922; --c7: #8b949e; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem;
  background: var(--ground); color: var(--text); overflow-wrap: break-word; }
h1, h2, h3 { line-height: 1.25; } h2 { margin-top: 2.2rem; border-bottom: 1px solid var(--line); padding-bottom: .2rem; }
div.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.w, td.p { white-space: nowrap; }
.green { color: var(--green); } .yellow, .unknown { color: var(--yellow); } .red { color: var(--red); } .dead { color: var(--dead); }
.c0 { color: var(--c0); } .c1 { color: var(--c1); } .c2 { color: var(--c2); } .c3 { color: var(--c3); }
.c4 { color: var(--c4); } .c5 { color: var(--c5); } .c6 { color: var(--c6); } .c7 { color: var(--c7); }
.soft { color: var(--soft); }
figure { margin: 1rem 0; } figure p { margin: 0; font-size: .8rem; } figcaption { color: var(--soft); font-size: .9rem; }
svg { display: block; width: 100%; height: 1.5rem; } svg.columns { height: 8rem; } svg rect { fill: currentColor; }
svg .axis { color: var(--line); }
.names { position: relative; height: 1.2rem; } .names span { position: absolute; white-space: nowrap; }
.bars { display: grid; grid-template-columns: fit-content(45%) 1fr max-content; gap: .2rem .6rem; align-items: center; font-size: .85rem; }
.bars span { min-width: 0; } .bars i { display: block; min-width: 1px; height: 1rem; background: currentColor; }
.key { display: inline-block; margin: .3rem 1rem 0 0; color: var(--text); } .key i { display: inline-block; width: .75em; height: .75em;
  background: currentColor; margin-right: .35em; border-radius: 2px; }
summary { cursor: pointer; }
@media (max-width: 40rem) { body { margin: 1rem auto; padding: 0 .6rem; font-size: 14px; } th, td { padding: .3rem; }
  th, th.n { white-space: normal; } td.p { white-space: normal; }
  td.p + td { overflow-wrap: anywhere; min-width: 8rem; } }
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
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}</body>\n</html>\n"
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
