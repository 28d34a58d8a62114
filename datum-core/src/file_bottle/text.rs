//! The part of a bottle the ladder looks at: its first and last lines, decoded and bounded.

/// Bytes looked at from the start, and from the end.
const HEAD: usize = 8 * 1024;
const TAIL: usize = 2 * 1024;
/// Characters of one line that are looked at; a longer line is prose or an attack.
const LINE: usize = 400;

/// The first and the last lines of a text. Where it is short they overlap.
pub(super) struct Window {
    head: String,
    tail: String,
    /// All of the text, where it fits the head.
    whole: bool,
}

impl Window {
    pub(super) fn of(text: &[u8]) -> Self {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let whole = text.len() <= HEAD;
        let head = text.get(..HEAD).unwrap_or(text);
        let start = text.len().saturating_sub(TAIL);
        let tail = text.get(start..).unwrap_or(text);
        // A line cut by the window's edge says something its writer did not say.
        let tail = match tail.iter().position(|b| *b == b'\n') {
            Some(end) if start > 0 => tail.get(end + 1..).unwrap_or_default(),
            None if start > 0 => &[],
            _ => tail,
        };
        Self {
            head: String::from_utf8_lossy(head).into_owned(),
            tail: String::from_utf8_lossy(tail).into_owned(),
            whole,
        }
    }

    /// The lines of the head, without line ends.
    pub(super) fn head(&self) -> impl Iterator<Item = &str> {
        self.head.lines().map(|line| clip(line, LINE))
    }

    /// The last lines that are not blank, last first.
    pub(super) fn tail(&self) -> impl Iterator<Item = &str> {
        self.tail.lines().rev().map(|line| clip(line.trim(), LINE)).filter(|line| !line.is_empty())
    }

    /// The text as a whole, where the window holds all of it.
    pub(super) fn whole(&self) -> Option<&str> {
        self.whole.then_some(self.head.as_str())
    }
}

/// The first `chars` characters of `text`.
pub(super) fn clip(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

/// Splits `text` at the first of `marks`; gives what is before and after it.
pub(super) fn split_first<'a>(text: &'a str, marks: &[&str]) -> Option<(&'a str, &'a str)> {
    let (at, mark) = marks.iter().filter_map(|m| text.find(m).map(|at| (at, m))).min_by_key(|(at, _)| *at)?;
    Some((text.get(..at)?, text.get(at + mark.len()..)?))
}

/// Splits `text` at the last of `marks`.
pub(super) fn split_last<'a>(text: &'a str, marks: &[&str]) -> Option<(&'a str, &'a str)> {
    let (at, mark) =
        marks.iter().filter_map(|m| text.rfind(m).map(|at| (at, m))).max_by_key(|(at, _)| *at)?;
    Some((text.get(..at)?, text.get(at + mark.len()..)?))
}

/// Takes `prefix` off the front of `text`, whatever its case.
pub(super) fn strip_word<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| text.get(prefix.len()..))?
}

/// Marks that set a name off from what follows it.
pub(super) const DASHES: [&str; 6] = [" — ", " – ", " - ", " -- ", " | ", " · "];

/// The forms an arrow takes.
pub(super) const ARROWS: [&str; 7] = ["→", "⟶", "⇒", "➡", "➔", "->", "=>"];

/// Tells pictures from text: emoji, dingbats and what modifies them.
pub(super) fn is_picture(c: char) -> bool {
    matches!(u32::from(c),
        0x1F000..=0x1FAFF | 0x2300..=0x23FF | 0x25A0..=0x27BF | 0x2B00..=0x2BFF | 0xFE0F | 0x200D | 0xE0020..=0xE007F)
        && !ARROWS.iter().any(|arrow| arrow.starts_with(c))
}

/// Pictures that mark a state, not an agent.
const STATES: &str = "✅❌✓✔✗✘☑🎉🚀🔥🟢🔴🟡🟠🔵⚪⚫⚠🎯📨📬📋📊📦💡🛑🆕⭐🏆💥📈📝🏁⏳⏰\u{fe0f}\u{200d}";

/// Tells whether `text` holds a picture of the kind agents sign with.
pub(super) fn has_sigil(text: &str) -> bool {
    text.chars().any(|c| is_picture(c) && !STATES.contains(c))
}

/// Takes markup, pictures, quotes and white space off both ends.
pub(super) fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_picture(c) || "*_`\"'“”\u{200b}\u{feff}".contains(c))
}

/// Lower-case letters and digits only, to compare names and titles.
pub(super) fn fold(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A thematic break: `---`, `***`, `___` or `===`.
pub(super) fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && ["-", "*", "_", "=", "─"].iter().any(|mark| line.replace(mark, "").trim().is_empty())
}

/// The words at the top of a text that are written as names, to look names up in.
pub(super) struct Names<'a>(Vec<(&'a str, String)>);

impl<'a> Names<'a> {
    /// Collects the words that begin with a capital or hold a digit, in order; other words part them.
    pub(super) fn of(lines: impl Iterator<Item = &'a str>) -> Self {
        Self(lines.map(|line| (line.trim(), Self::line(line))).collect())
    }

    fn line(line: &str) -> String {
        let mut found = String::from(" ");
        // A word like `BOTTLE-FROM-A-TO-B` repeats the name of the file and proves nothing.
        for word in line.split_whitespace().filter(|word| word.matches('-').count() < 3) {
            for part in
                word.split(['-', '_', '/']).map(|part| part.trim_end_matches("'s").trim_end_matches("’s"))
            {
                let text = part.trim_matches(|c: char| !c.is_alphanumeric());
                if text.starts_with(char::is_uppercase) || text.contains(|c: char| c.is_ascii_digit()) {
                    found.push_str(&fold(text));
                    found.push(' ');
                } else if !text.is_empty() {
                    found.push_str(". ");
                }
            }
        }
        found
    }

    /// Tells whether `name` (`Night Owl`, `night-owl`) occurs in a line other than `beside`.
    pub(super) fn has(&self, name: &str, beside: &str) -> bool {
        let words: Vec<String> =
            name.split([' ', '-', '_']).map(fold).filter(|word| !word.is_empty()).collect();
        let name = format!(" {} ", words.join(" "));
        !words.is_empty() && self.0.iter().any(|(line, names)| *line != beside && names.contains(&name))
    }
}
