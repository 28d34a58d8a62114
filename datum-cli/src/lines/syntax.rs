//! The signs of languages: what begins and ends their comments and quotations, from the table of tokei.

use memchr::memchr3;
use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;
use tokei::LanguageType;

/// Languages that are left to tokei.
const LEFT: [LanguageType; 5] = [
    LanguageType::Jupyter,
    LanguageType::LinguaFranca,
    LanguageType::UnrealDeveloperMarkdown,
    LanguageType::FortranLegacy,
    LanguageType::FortranModern,
];
static SYNTAXES: LazyLock<HashMap<LanguageType, Syntax>> = LazyLock::new(|| {
    let all = LanguageType::list().iter().map(|(language, _)| *language);
    all.filter_map(|language| Some((language, Syntax::make(language)?))).collect()
});

pub(super) type Signs = &'static [&'static str];
/// What begins something, and what ends it.
pub(super) type Pairs = &'static [(&'static str, &'static str)];

/// Bytes with which one of some signs begins.
pub(super) enum Firsts {
    /// At most three of them, some twice.
    Few([u8; 3]),
    /// The same for more: whether each byte is one.
    Many(Box<[bool; 256]>),
}

impl Firsts {
    fn of(signs: impl Iterator<Item = &'static str>) -> Self {
        let firsts: BTreeSet<u8> = signs.filter_map(|sign| sign.bytes().next()).collect();
        match Vec::from_iter(firsts)[..] {
            [a] => Self::Few([a, a, a]),
            [a, b] => Self::Few([a, b, b]),
            [a, b, c] => Self::Few([a, b, c]),
            ref more => Self::Many(Box::new(std::array::from_fn(|byte| {
                more.iter().any(|first| usize::from(*first) == byte)
            }))),
        }
    }

    pub(super) fn find(&self, text: &[u8]) -> Option<usize> {
        match self {
            Self::Few([a, b, c]) => memchr3(*a, *b, *c, text),
            Self::Many(firsts) => text.iter().position(|byte| firsts[usize::from(*byte)]),
        }
    }
}

/// The signs of a language.
pub(super) struct Syntax {
    pub(super) language: LanguageType,
    /// Whether what is not embedded code is a comment.
    pub(super) literate: bool,
    pub(super) line_comments: Signs,
    pub(super) comments: Pairs,
    /// Comments that may stand in others.
    pub(super) nested: Pairs,
    /// Whether all comments may.
    pub(super) nests: bool,
    pub(super) doc_quotes: Pairs,
    pub(super) verbatim_quotes: Pairs,
    pub(super) quotes: Pairs,
    /// A line without one of these is told by its beginning alone.
    important: Signs,
    important_firsts: Firsts,
    /// Where anything may begin or end.
    pub(super) firsts: Firsts,
}

impl Syntax {
    /// The signs of a language; `None` where it is left to tokei.
    pub(super) fn of(language: LanguageType) -> Option<&'static Self> {
        SYNTAXES.get(&language)
    }

    fn make(language: LanguageType) -> Option<Self> {
        let (line_comments, important) = (language.line_comments(), language.important_syntax());
        let (comments, nested) = (language.multi_line_comments(), language.nested_comments());
        let (doc_quotes, verbatim_quotes) = (language.doc_quotes(), language.verbatim_quotes());
        let quotes = language.quotes();
        let pairs = [comments, nested, doc_quotes, verbatim_quotes, quotes].concat();
        let pairs = pairs.iter().flat_map(|(begin, end)| [*begin, *end]);
        let signs = || pairs.clone().chain(important.iter().chain(line_comments).copied()).chain(["\\"]);
        // A sign with a space at its end may be cut off at the end of a line.
        let is_plain = |sign: &str| !sign.is_empty() && !sign.contains(|c: char| c.is_ascii_whitespace());
        (!LEFT.contains(&language) && signs().all(is_plain)).then(|| Self {
            language,
            literate: language.is_literate(),
            line_comments,
            comments,
            nested,
            nests: language.allows_nested(),
            doc_quotes,
            verbatim_quotes,
            quotes,
            important,
            important_firsts: Firsts::of(important.iter().copied()),
            firsts: Firsts::of(signs()),
        })
    }

    /// The first place from `from` on that makes more of a line than its beginning; the end of the text where there is none.
    pub(super) fn next_important(&self, text: &[u8], from: usize) -> usize {
        let mut at = from;
        while let Some(next) = text.get(at..).and_then(|rest| self.important_firsts.find(rest)) {
            at += next;
            if begins(self.important, &text[at..]) {
                return at;
            }
            at += 1;
        }
        text.len()
    }

    /// The kinds of comments that have an end.
    pub(super) fn closed(&self) -> impl Iterator<Item = &(&'static str, &'static str)> {
        self.comments.iter().chain(self.nested)
    }
}

/// Whether the text begins with a sign, which its first byte nearly always tells.
pub(super) fn starts(text: &[u8], sign: &str) -> bool {
    text.first() == sign.as_bytes().first() && text.starts_with(sign.as_bytes())
}

pub(super) fn begins(signs: Signs, text: &[u8]) -> bool {
    signs.iter().any(|sign| starts(text, sign))
}

/// The first of the pairs whose beginning stands at the beginning of the text.
pub(super) fn pair(pairs: Pairs, text: &[u8]) -> Option<(&'static str, &'static str)> {
    pairs.iter().copied().find(|(begin, _)| starts(text, begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_languages_are_left_to_tokei() {
        let left = LanguageType::list().iter().filter(|(language, _)| Syntax::of(*language).is_none());
        let left: Vec<&str> = left.map(|(language, _)| language.name()).collect();
        assert_eq!(
            left.join(", "),
            "DAML, 8th, Forth, FORTRAN Legacy, FORTRAN Modern, hledger, Jupyter Notebooks, KV Language, Lingua Franca, \
             Liquid, Org, Raku, Unreal Markdown"
        );
    }
}
