//! Texts that probes read: places in them, sizes as people write them, TOML and JSON as one kind of value.

use super::report::Finding;
use super::rule::KeyType;
use super::scope::finding;
use serde_json::Value;

/// Line and column of a byte offset, both from 1.
pub(crate) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    (line, before.rsplit('\n').next().map_or(1, |last| last.chars().count() + 1))
}

/// A number of bytes in the unit that fits it.
pub(crate) fn bytes(size: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(unit, _)| size >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", size / unit, size % unit * 10 / unit),
        None => format!("{size} bytes"),
    }
}

/// Reads a document, TOML or JSON by the end of its name.
pub(crate) fn document(path: &str, bytes: &[u8]) -> Result<Value, Finding> {
    let wrong = |message: String, place: Option<(usize, usize)>| {
        let mut found = finding(message, Some(path));
        (found.line, found.column) = (place.map(|(line, _)| line), place.map(|(_, column)| column));
        found
    };
    let Ok(text) = std::str::from_utf8(bytes) else { return Err(wrong("it is not UTF-8".to_owned(), None)) };
    if path.to_ascii_lowercase().ends_with(".json") {
        return serde_json::from_str(text).map_err(|error| {
            wrong(format!("it is not JSON: {error}"), Some((error.line(), error.column().max(1))))
        });
    }
    toml::from_str::<Value>(text).map_err(|error| {
        let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        wrong(format!("it is not TOML: {message}"), error.span().map(|span| place(text, span.start)))
    })
}

/// What is wrong with the key `key` (dots between parts), if anything is.
pub(crate) fn wrong_key(document: &Value, key: &str, want: KeyType) -> Option<String> {
    let mut value = document;
    for part in key.split('.') {
        match value.get(part) {
            Some(below) => value = below,
            None => return Some(format!("the key {key} is missing")),
        }
    }
    let (is, name) = match want {
        KeyType::Any => (!value.is_null(), "a value"),
        KeyType::String => {
            (value.as_str().is_some_and(|text| !text.trim().is_empty()), "a text that says something")
        }
        KeyType::Number => (value.is_number(), "a number"),
        KeyType::Boolean => (value.is_boolean(), "true or false"),
        KeyType::List => (value.is_array(), "a list"),
        KeyType::Table => (value.is_object(), "a table"),
    };
    (!is).then(|| format!("the key {key} is not {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_looked_up_in_toml_and_json_alike() {
        let toml = document("a.toml", b"[a]\nb = 'x'\nc = []\n").unwrap();
        let json = document("a.json", br#"{"a":{"b":"x","c":[]}}"#).unwrap();
        for document in [toml, json] {
            assert_eq!(wrong_key(&document, "a.b", KeyType::String), None);
            assert_eq!(wrong_key(&document, "a.c", KeyType::List), None);
            assert!(wrong_key(&document, "a.b", KeyType::Table).unwrap().contains("not a table"));
            assert!(wrong_key(&document, "a.x.y", KeyType::Any).unwrap().contains("missing"));
        }
        let found = document("a.toml", b"[a]\nb =\n").unwrap_err();
        assert_eq!(found.line, Some(2));
        assert!(document("a.json", b"{\n  x").unwrap_err().line == Some(2));
    }

    #[test]
    fn sizes_as_people_write_them() {
        assert_eq!(
            (bytes(12), bytes(1536), bytes(5 << 20)),
            ("12 bytes".into(), "1.5 KiB".into(), "5.0 MiB".into())
        );
    }
}
