//! Languages by the names of files, from the table of linguist that gengo keeps.

use gengo_language::Language;

/// The language of a file, by its path alone; `None` for what is no source text of a known language.
pub(crate) fn of_path(path: &str) -> Option<&'static str> {
    Language::pick(path, b"", 0).map(|language| language.name())
}
