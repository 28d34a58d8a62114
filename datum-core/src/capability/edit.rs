//! Changing one value of a declaration; all else in the file stays as it stands, comments too.

mod place;

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::finding::{parse, shown};
use super::write::{key as print_key, list, quoted};
use super::{Capability, Confidence, Error, read};
use place::{appended, entry, inserted, parts, place};

/// Why a value could not be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] Error),
    /// The schema has no such key.
    #[error("{0} is no key of the schema")]
    Key(String),
    /// The value is not what the key takes.
    #[error("{key} takes {takes}, not {value}")]
    Value {
        /// The key.
        key: String,
        /// What it takes.
        takes: &'static str,
        /// What was given.
        value: String,
    },
    /// The file is written in a way that cannot be changed here without changing more than was asked.
    #[error("{0} stands in the file in a way that cannot be changed by itself")]
    Shape(String),
}

/// A checked key: its parts and what values it takes.
struct Key {
    parts: Vec<String>,
    takes: Takes,
}

#[derive(Clone, Copy, PartialEq)]
enum Takes {
    Text,
    Confidence,
    Count,
    List,
}

impl Key {
    /// Parses `capabilities.audit.confidence`, with quotation marks where a name needs them.
    fn parse(text: &str) -> Result<Self, EditError> {
        let bad = || EditError::Key(shown(text));
        if text.contains(['\n', '\r', '=', '#']) {
            return Err(bad());
        }
        let parts = parts(text).ok_or_else(bad)?;
        let names: Vec<&str> = parts.iter().map(String::as_str).collect();
        let takes = match names[..] {
            ["agent", "name" | "role" | "description" | "version"]
            | ["capabilities", _, "description" | "last_used"]
            | ["domains", _, "level" | "notes"]
            | ["communication", "protocol"]
            | ["metadata", "last_active"] => Takes::Text,
            ["capabilities", _, "confidence"] => Takes::Confidence,
            ["domains", _, "repos"] | ["communication", "incoming" | "outgoing"] => Takes::List,
            ["metadata", _] => Takes::Count,
            _ => return Err(bad()),
        };
        Ok(Self { parts, takes })
    }

    fn text(&self) -> String {
        self.parts.iter().map(|part| print_key(part)).collect::<Vec<_>>().join(".")
    }

    /// Prints a value as TOML.
    fn value(&self, value: &str) -> Result<String, EditError> {
        let bad = |takes| EditError::Value { key: self.text(), takes, value: shown(value) };
        Ok(match self.takes {
            Takes::Text => quoted(value),
            Takes::List => list(&items(value)),
            Takes::Confidence => {
                let number = value.trim().parse().ok().and_then(Confidence::new);
                number.ok_or_else(|| bad("a number from 0 to 1"))?.to_string()
            }
            Takes::Count => {
                let number: Option<i64> = value.trim().parse().ok().filter(|count| *count >= 0);
                number.ok_or_else(|| bad("a whole number of 0 or more"))?.to_string()
            }
        })
    }

    /// Whether the capability is declared in another schema's place, so that the file would then say it twice.
    fn is_declared_elsewhere(&self, declared: &Capability, document: &DeTable<'_>) -> bool {
        let [section, name, _] = &self.parts[..] else { return false };
        let here = entry(document, section).and_then(|(_, table)| entry(table.get_ref().as_table()?, name));
        section == "capabilities" && declared.skills.contains_key(name) && here.is_none()
    }

    /// The declaration with the value: what the file must say afterwards.
    fn apply(&self, declared: &mut Capability, value: &str) {
        let text = Some(value.to_owned());
        let names: Vec<&str> = self.parts.iter().map(String::as_str).collect();
        match names[..] {
            ["agent", "name"] => declared.agent.name = text,
            ["agent", "role"] => declared.agent.role = text,
            ["agent", "description"] => declared.agent.description = text,
            ["agent", _] => declared.agent.version = text,
            ["capabilities", name, field] => {
                let skill = declared.skills.entry(name.to_owned()).or_default();
                match field {
                    "confidence" => skill.confidence = value.trim().parse().ok().and_then(Confidence::new),
                    "description" => skill.description = text,
                    _ => skill.last_used = text,
                }
            }
            ["domains", name, field] => {
                let domain = declared.domains.entry(name.to_owned()).or_default();
                match field {
                    "level" => domain.level = text,
                    "repos" => domain.repos = items(value),
                    _ => domain.notes = text,
                }
            }
            ["communication", "incoming"] => declared.communication.incoming = items(value),
            ["communication", "outgoing"] => declared.communication.outgoing = items(value),
            ["communication", _] => declared.communication.protocol = text,
            ["metadata", "last_active"] => declared.metadata.last_active = text,
            ["metadata", name] => {
                let count = value.trim().parse().unwrap_or_default();
                declared.metadata.counts.insert(name.to_owned(), count);
            }
            _ => {}
        }
    }
}

/// The parts of a list, separated by commas.
fn items(value: &str) -> Vec<String> {
    value.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// Sets one value of the seed's schema in `text` and answers with the new text.
///
/// `key` is dotted, `capabilities.audit.confidence`; a list is given with commas. The rest of the file stays as it
/// stands. What comes out is read again, and says what it said before and the new value, or the edit is refused.
///
/// # Errors
/// [`EditError`], for a key, a value or a file that this cannot be done with.
///
/// # Examples
/// ```
/// use datum_core::capability;
/// let text = "[agent]\nname = \"tug\" # ours\n";
/// let text = capability::set(text, "agent.role", "towing")?;
/// assert_eq!(text, "[agent]\nname = \"tug\" # ours\nrole = \"towing\"\n");
/// # Ok::<(), capability::EditError>(())
/// ```
pub fn set(text: &str, key: &str, value: &str) -> Result<String, EditError> {
    let key = Key::parse(key)?;
    let printed = key.value(value)?;
    let mut want = read(text)?.capability;
    let shape = || EditError::Shape(key.text());
    if key.is_declared_elsewhere(&want, &parse(text)?) {
        return Err(shape());
    }
    key.apply(&mut want, value);
    let edited = edit(text, &key.parts, &printed)?.ok_or_else(shape)?;
    match read(&edited) {
        Ok(reading) if reading.capability == want => Ok(edited),
        _ => Err(shape()),
    }
}

/// Puts `value` at `path`; `None` where that cannot be done in place.
fn edit(text: &str, path: &[String], value: &str) -> Result<Option<String>, EditError> {
    let document = parse(text)?;
    let Some((field, tables)) = path.split_last() else { return Ok(None) };
    let line = |key: &str| format!("{} = {value}", print_key(key));
    let mut at = &document;
    for (depth, name) in tables.iter().enumerate() {
        let Some((span, below)) = entry(at, name) else {
            // Nothing of the rest is there: a line in the table above, or a section at the end.
            let rest = &path[depth..];
            return Ok(match (depth, rest) {
                (0, [section, field]) => Some(appended(text, section, &line(field))),
                (0, [section, name, field]) => {
                    Some(appended(text, section, &format!("{} = {{ {} }}", print_key(name), line(field))))
                }
                (_, [name, field]) => {
                    let item = format!("{} = {{ {} }}", print_key(name), line(field));
                    let place = place(text, at, &path[..depth], &document);
                    match place {
                        Some(place) => Some(inserted(text, place, &item)),
                        None => {
                            let section = format!("{}.{}", print_key(&path[0]), print_key(name));
                            Some(appended(text, &section, &line(field)))
                        }
                    }
                }
                _ => None,
            });
        };
        let _ = span;
        match below.get_ref() {
            DeValue::Table(table) => at = table,
            _ => return Ok(None),
        }
    }
    if let Some((_, old)) = entry(at, field) {
        let Range { start, end } = old.span();
        return Ok(Some(format!("{}{value}{}", &text[..start], &text[end..])));
    }
    Ok(place(text, at, tables, &document).map(|place| inserted(text, place, &line(field))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, key: &str, value: &str, want: &str) {
        assert_eq!(set(text, key, value).as_deref(), Ok(want), "{key} = {value}");
    }

    #[test]
    fn a_value_changes_and_nothing_else() {
        check(
            "# mine\n[agent] # who\nname = 'tug'  # ours\nrole = \"x\"\n\n[metadata]\nn = 1\n",
            "agent.name",
            "barge",
            "# mine\n[agent] # who\nname = \"barge\"  # ours\nrole = \"x\"\n\n[metadata]\nn = 1\n",
        );
        check(
            "[capabilities]\ntow = { confidence = 0.5, description = \"Tows\" }\n",
            "capabilities.tow.confidence",
            "0.75",
            "[capabilities]\ntow = { confidence = 0.75, description = \"Tows\" }\n",
        );
    }

    #[test]
    fn a_new_value_goes_where_its_kin_are() {
        check(
            "[agent]\nname = 'tug' # ours\n\n[metadata]\nn = 1",
            "metadata.last_active",
            "2026-01-01",
            "[agent]\nname = 'tug' # ours\n\n[metadata]\nn = 1\nlast_active = \"2026-01-01\"\n",
        );
        check(
            "[agent]\r\nname = 'tug'\r\n",
            "agent.role",
            "tow",
            "[agent]\r\nname = 'tug'\r\nrole = \"tow\"\r\n",
        );
        check("", "agent.name", "tug", "[agent]\nname = \"tug\"\n");
        check(
            "[agent]\nname = 'a'\n",
            "capabilities.tow.confidence",
            "1",
            "[agent]\nname = 'a'\n\n[capabilities]\ntow = { confidence = 1.00 }\n",
        );
        check(
            "[capabilities]\ntow = { confidence = 0.5 }\n[domains]\n",
            "capabilities.tow.description",
            "To \"tow\"",
            "[capabilities]\ntow = { confidence = 0.5, description = \"To \\\"tow\\\"\" }\n[domains]\n",
        );
        check(
            "[capabilities]\ntow = { confidence = 0.5 }\n\n[domains]\n",
            "capabilities.\"a.b\".confidence",
            "0.5",
            "[capabilities]\ntow = { confidence = 0.5 }\n\"a.b\" = { confidence = 0.50 }\n\n[domains]\n",
        );
        check(
            "[capabilities.tow]\nconfidence = 0.5\n\n[capabilities.haul]\nconfidence = 0.1\n",
            "capabilities.tow.description",
            "Tows",
            "[capabilities.tow]\nconfidence = 0.5\ndescription = \"Tows\"\n\n[capabilities.haul]\nconfidence = 0.1\n",
        );
        check(
            "[capabilities.tow]\nconfidence = 0.5\n",
            "capabilities.haul.confidence",
            "0.5",
            "[capabilities.tow]\nconfidence = 0.5\n\n[capabilities.haul]\nconfidence = 0.50\n",
        );
        check(
            "[communication]\nincoming = [\n  \"a/\",\n]\n",
            "communication.outgoing",
            "b/, c/",
            "[communication]\nincoming = [\n  \"a/\",\n]\noutgoing = [\"b/\", \"c/\"]\n",
        );
    }

    #[test]
    fn what_cannot_be_set_is_said() {
        for key in [
            "x",
            "agent",
            "agent.colour",
            "agent.name.x",
            "capabilities.a.b",
            "",
            "a b.c",
            "agent.name = 1\nx",
        ] {
            assert!(matches!(set("", key, "x"), Err(EditError::Key(_))), "{key}");
        }
        for (key, value) in [("capabilities.a.confidence", "2"), ("metadata.n", "-1"), ("metadata.n", "x")] {
            assert!(matches!(set("", key, value), Err(EditError::Value { .. })), "{key} {value}");
        }
        for text in ["agent = 1\n", "agent.role = 'x'\n", "[vessel]\nname = 'tug'\nrole = 'y'\n"] {
            assert!(matches!(set(text, "agent.name", "x"), Err(EditError::Shape(_))), "{text}");
        }
        assert!(matches!(
            set("[[capability]]\nname='a'\nconfidence=0.1\n", "capabilities.a.confidence", "0.9"),
            Err(EditError::Shape(_))
        ));
        assert!(matches!(set("a = [", "agent.name", "x"), Err(EditError::Read(_))));
    }
}
