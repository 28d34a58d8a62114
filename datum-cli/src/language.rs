//! Languages of files: by their names, by their first line, by what `.gitattributes` says; from the table of tokei.

use std::path::Path;
use std::str::FromStr as _;
use tokei::{Config, LanguageType};

/// The language of a file, by its path alone; `None` for what is no text of a known language.
pub(crate) fn of_path(path: &str) -> Option<&'static str> {
    by_name(path).map(LanguageType::name)
}

/// The same, as tokei knows it.
pub(crate) fn by_name(path: &str) -> Option<LanguageType> {
    let name = path.rsplit('/').next().unwrap_or(path);
    // For a name without an ending, tokei opens the file to see its first line. A path that holds a NUL opens nothing,
    // so that only the name decides, and no file of the folder the program runs in is looked at.
    LanguageType::from_path(Path::new(&format!("\0/{name}")), &Config::default())
}

/// Whether only the first line can tell what the file is.
pub(crate) fn needs_first_line(path: &str) -> bool {
    !path.rsplit('/').next().unwrap_or(path).contains('.')
}

/// The language that the first line names: `#!/bin/sh`, `#!/usr/bin/env -S python3 -u`.
pub(crate) fn by_first_line(text: &[u8]) -> Option<LanguageType> {
    let line = text.get(..128.min(text.len()))?.split(|byte| *byte == b'\n').next()?;
    let mut words = std::str::from_utf8(line).ok()?.strip_prefix("#!")?.split_whitespace();
    let program = words.next()?.rsplit('/').next()?;
    let program = if program == "env" { words.find(|word| !word.starts_with('-'))? } else { program };
    let program = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let known = LanguageType::list().iter().map(|(language, _)| *language).find(|language| {
        language
            .shebangs()
            .iter()
            .any(|line| line.strip_suffix(program).is_some_and(|rest| rest.ends_with('/')))
    });
    known.or_else(|| by_program(program))
}

/// Interpreters that tokei's table does not name.
fn by_program(program: &str) -> Option<LanguageType> {
    Some(match program {
        "sh" | "dash" | "ash" => LanguageType::Sh,
        "bash" => LanguageType::Bash,
        "python" | "pypy" => LanguageType::Python,
        "node" | "nodejs" | "bun" => LanguageType::JavaScript,
        "deno" => LanguageType::TypeScript,
        "ruby" => LanguageType::Ruby,
        "perl" => LanguageType::Perl,
        "php" => LanguageType::Php,
        "lua" => LanguageType::Lua,
        "awk" | "gawk" => LanguageType::AWK,
        "tclsh" | "wish" => LanguageType::Tcl,
        _ => return None,
    })
}

/// The language that `linguist-language` names.
pub(crate) fn by_attribute(name: &str) -> Option<LanguageType> {
    let name = name.replace('-', " ");
    LanguageType::from_str(&name)
        .ok()
        .or_else(|| LanguageType::from_name(&name))
        .or_else(|| by_program(&name.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_first_lines_tell_the_language() {
        let name = |path: &str| of_path(path).unwrap_or("-");
        assert_eq!(
            [name("a/b.rs"), name("Makefile"), name("x/CMakeLists.txt"), name("README.md")],
            ["Rust", "Makefile", "CMake", "Markdown"]
        );
        assert_eq!([name("run"), name("a.nothing"), name(""), name("a/")], ["-"; 4]);
        let first = |text: &str| by_first_line(text.as_bytes()).map_or("-", LanguageType::name);
        assert_eq!(
            [
                first("#!/bin/sh\nx"),
                first("#!/usr/bin/env -S python3.11 -u\n"),
                first("#! /usr/bin/perl -w"),
                first("#!/usr/bin/env node")
            ],
            ["Shell", "Python", "Perl", "JavaScript"]
        );
        assert_eq!([first("#!"), first("no"), first("#!/x/y"), first("#!/usr/bin/env")], ["-"; 4]);
        assert_eq!(by_attribute("C++").map(LanguageType::name), Some("C++"));
        assert_eq!(by_attribute("Shell").map(LanguageType::name), Some("Shell"));
        assert_eq!(by_attribute("Klingon"), None);
    }
}
