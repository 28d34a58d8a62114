//! What `.gitattributes` says about languages: the `linguist-*` attributes of paths.

use gix::glob::wildmatch;
use gix::glob::wildmatch::Mode;

/// Largest `.gitattributes` that is read, bytes: git's own limit is 100 MB, and no honest one is near this.
pub const SIZE_MAX: usize = 1024 * 1024;

/// What is said of a path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// `linguist-vendored`: it came from elsewhere.
    pub vendored: Option<bool>,
    /// `linguist-generated`: no person wrote it.
    pub generated: Option<bool>,
    /// `linguist-documentation`: it explains and does nothing.
    pub documentation: Option<bool>,
    /// `linguist-detectable`: whether it counts at all.
    pub detectable: Option<bool>,
    /// `linguist-language`: what language it is.
    pub language: Option<String>,
}

impl Said {
    /// Whether the path counts for the languages of a repository, as linguist has it.
    pub fn counts(&self) -> bool {
        let left_out = [self.vendored, self.generated, self.documentation].contains(&Some(true));
        self.detectable.unwrap_or(!left_out)
    }

    fn set(&mut self, word: &str) {
        let (name, value) = match (word.strip_prefix('-'), word.strip_prefix('!'), word.split_once('=')) {
            (Some(name), ..) => (name, Some("false")),
            (_, Some(name), _) => (name, None),
            (.., Some((name, value))) => (name, Some(value)),
            _ => (word, Some("true")),
        };
        let flag = value.map(|value| !matches!(value, "false" | "0" | "no"));
        match name {
            "linguist-vendored" => self.vendored = flag,
            "linguist-generated" => self.generated = flag,
            "linguist-documentation" => self.documentation = flag,
            "linguist-detectable" => self.detectable = flag,
            "linguist-language" => {
                self.language = value.filter(|value| !matches!(*value, "true" | "false")).map(str::to_owned);
            }
            _ => {}
        }
    }
}

#[derive(Debug, Clone)]
struct Line {
    /// The folder of the file it stands in, with a `/` behind it unless it is the root.
    folder: String,
    pattern: String,
    /// Whether the pattern is about the name alone, in any folder below.
    name_only: bool,
    words: Vec<String>,
}

/// The lines of all `.gitattributes` of a tree that say something of languages.
///
/// # Examples
/// ```
/// use datum_core::attributes::Attributes;
/// let mut attributes = Attributes::default();
/// attributes.add("", "vendor/** linguist-vendored\n*.inc linguist-language=PHP\n");
/// assert!(!attributes.of("vendor/x.js").counts());
/// assert_eq!(attributes.of("a/b.inc").language.as_deref(), Some("PHP"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Attributes {
    lines: Vec<Line>,
}

impl Attributes {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Adds the `.gitattributes` of `folder` (`""` is the root). Those of deeper folders are added later and win.
    ///
    /// Quoted patterns, macros and negative patterns are passed over, the last as git does.
    pub fn add(&mut self, folder: &str, text: &str) {
        let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        for line in text.lines().map(str::trim) {
            let mut words = line.split_whitespace();
            let Some(pattern) = words.next().filter(|pattern| !pattern.starts_with(['#', '"', '!', '[']))
            else {
                continue;
            };
            let is_ours = |word: &&str| word.trim_start_matches(['-', '!']).starts_with("linguist-");
            let words: Vec<String> = words.filter(is_ours).map(str::to_owned).collect();
            // A pattern that ends in `/` matches nothing: attributes are of files.
            if words.is_empty() || pattern.ends_with('/') {
                continue;
            }
            let name_only = !pattern.contains('/');
            let pattern = pattern.trim_start_matches('/').to_owned();
            self.lines.push(Line { folder: folder.clone(), pattern, name_only, words });
        }
    }

    /// What is said of the file at `path`; of several lines that match, the last counts.
    pub fn of(&self, path: &str) -> Said {
        let mut said = Said::default();
        for line in &self.lines {
            let Some(below) = path.strip_prefix(line.folder.as_str()) else { continue };
            let text = if line.name_only { below.rsplit('/').next().unwrap_or(below) } else { below };
            let (pattern, text) = (line.pattern.as_bytes().into(), text.as_bytes().into());
            if wildmatch(pattern, text, Mode::NO_MATCH_SLASH_LITERAL) {
                line.words.iter().for_each(|word| said.set(word));
            }
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_that_matches_counts() {
        let mut attributes = Attributes::default();
        attributes.add(
            "",
            "# a comment\n*.min.js linguist-generated text\n/docs/* linguist-documentation\n\
             src/**/gen_*.rs linguist-generated=true\n*.h linguist-language=C++\nlib/ linguist-vendored\n*.x diff\n",
        );
        attributes.add(
            "src",
            "gen_keep.rs -linguist-generated\n*.h !linguist-language\nq.rs linguist-detectable=false\n",
        );
        let check = |path: &str, counts: bool, language: Option<&str>| {
            let said = attributes.of(path);
            assert_eq!((said.counts(), said.language.as_deref()), (counts, language), "{path}");
        };
        check("a/b.min.js", false, None);
        check("docs/a.md", false, None);
        check("x/docs/a.md", true, None);
        check("docs/a/b.md", true, None);
        check("src/gen_a.rs", false, None);
        check("src/a/b/gen_a.rs", false, None);
        check("src/a/gen_keep.rs", true, None);
        check("include/a.h", true, Some("C++"));
        check("src/a.h", true, None);
        check("src/q.rs", false, None);
        check("lib/a.c", true, None);
        assert_eq!(attributes.lines.len(), 7);
    }

    #[test]
    fn what_is_detectable_counts_all_the_same() {
        let mut attributes = Attributes::default();
        attributes.add("", "*.sql linguist-vendored linguist-detectable\n");
        assert!(attributes.of("a.sql").counts());
    }
}
