//! Checking a declaration strictly against the seed's schema.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::finding::{Finding, Level, Notes, parse, shown};
use super::read::{integer, number};
use super::{Confidence, Error};
use crate::{AgentName, Word};

const SECTIONS: [&str; 5] = ["agent", "capabilities", "domains", "communication", "metadata"];
const LEVELS: [&str; 4] = ["expert", "advanced", "intermediate", "beginner"];
const PROTOCOLS: [&str; 2] = ["MiB", "I2I"];

type Value<'d> = Spanned<DeValue<'d>>;

/// Checks a declaration against the seed's schema; an empty answer means that it conforms.
///
/// A text that is too large or no TOML gives one finding. What [`write()`](super::write()) prints of a complete and sound
/// declaration has none.
///
/// # Examples
/// ```
/// use datum_core::capability;
/// let findings = capability::check("[agent]\nname = \"datum\"\nrole = 7\n");
/// assert_eq!((findings[0].line, findings[0].column), (1, 1));
/// assert!(findings.iter().any(|f| f.line == 3 && f.message == "agent.role is an integer, not a string"));
/// ```
pub fn check(text: &str) -> Vec<Finding> {
    let document = match parse(text) {
        Ok(document) => document,
        Err(error) => return vec![unreadable(error)],
    };
    let mut checker = Checker { notes: Notes::new(text) };
    checker.document(&document);
    checker.notes.finish()
}

fn unreadable(error: Error) -> Finding {
    let (line, column, message) = match error {
        Error::Syntax { line, column, message } => (line, column, format!("not TOML: {message}")),
        Error::TooLarge { .. } => (1, 1, error.to_string()),
    };
    Finding { line, column, level: Level::Error, message, hint: String::new() }
}

struct Checker<'a> {
    notes: Notes<'a>,
}

impl Checker<'_> {
    fn error(&mut self, span: Range<usize>, message: String, hint: impl Into<String>) {
        self.notes.add(span, Level::Error, message, hint);
    }

    fn warning(&mut self, span: Range<usize>, message: String, hint: impl Into<String>) {
        self.notes.add(span, Level::Warning, message, hint);
    }

    fn document(&mut self, document: &DeTable<'_>) {
        for (key, _) in document {
            if !SECTIONS.contains(&key.get_ref().as_ref()) {
                let message = format!("{} is not a section of the schema", shown(key.get_ref()));
                self.warning(key.span(), message, format!("the sections are {}", SECTIONS.join(", ")));
            }
        }
        for name in ["agent", "capabilities"] {
            if !document.contains_key(name) {
                self.error(0..0, format!("the section [{name}] is missing"), "");
            }
        }
        if !document.contains_key("communication") {
            let hint = "say where messages reach the agent: incoming = [\"message-in-a-bottle/for-…/\"]";
            self.warning(0..0, "the section [communication] is missing".to_owned(), hint);
        }
        for (key, value) in document {
            let Some(section) = SECTIONS.into_iter().find(|section| section == key.get_ref()) else {
                continue;
            };
            let Some(table) = self.table(section, value) else { continue };
            match section {
                "agent" => self.agent(key.span(), table),
                "capabilities" => self.capabilities(key.span(), table),
                "domains" => self.domains(table),
                "communication" => self.communication(table),
                _ => self.metadata(table),
            }
        }
    }

    fn agent(&mut self, span: Range<usize>, table: &DeTable<'_>) {
        self.keys("agent", table, &["name", "role", "description", "version"]);
        for key in ["name", "role"] {
            if !table.contains_key(key) {
                self.error(span.clone(), format!("agent.{key} is missing"), "");
            }
        }
        for key in ["description", "version"] {
            if !table.contains_key(key) {
                self.warning(span.clone(), format!("agent.{key} is missing"), "");
            }
        }
        if let Some((name, span)) = self.text("agent", table, "name")
            && let Err(error) = AgentName::new(name)
        {
            let folded: String =
                name.chars().map(|c| if c.is_whitespace() { '-' } else { c.to_ascii_lowercase() }).collect();
            let hint =
                AgentName::new(&folded).map(|name| format!("write it as '{name}'")).unwrap_or_default();
            self.error(span, error.to_string(), hint);
        }
        for key in ["role", "description", "version"] {
            self.filled("agent", table, key);
        }
    }

    fn capabilities(&mut self, span: Range<usize>, table: &DeTable<'_>) {
        if table.is_empty() {
            let hint = "name = { confidence = 0.9, description = \"…\" }";
            self.warning(span, "no capability is declared".to_owned(), hint);
        }
        for (key, value) in table {
            let name = key.get_ref();
            if let Err(error) = Word::new("capability", name) {
                self.error(key.span(), error.to_string(), "");
            }
            let place = format!("capabilities.{}", shown(name));
            let Some(skill) = self.table(&place, value) else { continue };
            self.keys(&place, skill, &["confidence", "description", "last_used"]);
            match skill.get("confidence") {
                None => self.error(
                    key.span(),
                    format!("{place} has no confidence"),
                    "add confidence = 0.0 to 1.0",
                ),
                Some(value) => self.confidence(&place, value),
            }
            if !skill.contains_key("description") {
                self.error(key.span(), format!("{place} has no description"), "");
            }
            self.filled(&place, skill, "description");
            self.day(&place, skill, "last_used");
        }
    }

    fn confidence(&mut self, place: &str, value: &Value<'_>) {
        let problem = match number(value.get_ref()) {
            Some(number) if Confidence::new(number).is_some() => return,
            _ if matches!(value.get_ref(), DeValue::Float(_) | DeValue::Integer(_)) => {
                "is not from 0 to 1".to_owned()
            }
            _ => format!("is {}, not a number", kind(value.get_ref())),
        };
        self.error(
            value.span(),
            format!("{place}.confidence {problem}"),
            "0.0 is no confidence, 1.0 is certainty",
        );
    }

    fn domains(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            let place = format!("domains.{}", shown(key.get_ref()));
            let Some(domain) = self.table(&place, value) else { continue };
            self.keys(&place, domain, &["level", "repos", "notes"]);
            if !domain.contains_key("level") {
                self.error(
                    key.span(),
                    format!("{place} has no level"),
                    format!("one of {}", LEVELS.join(", ")),
                );
            }
            self.one_of(&place, domain, "level", &LEVELS);
            self.texts(&place, domain, "repos");
            self.text(&place, domain, "notes");
        }
    }

    fn communication(&mut self, table: &DeTable<'_>) {
        self.keys("communication", table, &["incoming", "outgoing", "protocol"]);
        for key in ["incoming", "outgoing"] {
            for (path, span) in self.texts("communication", table, key) {
                if !is_inside(path) {
                    let message = format!(
                        "communication.{key} holds {}, which is not a path inside the repository",
                        shown(path)
                    );
                    self.error(span, message, "use a relative path with '/' and without '..'");
                }
            }
        }
        self.one_of("communication", table, "protocol", &PROTOCOLS);
    }

    fn metadata(&mut self, table: &DeTable<'_>) {
        self.day("metadata", table, "last_active");
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if name == "last_active" {
                continue;
            }
            if integer(value.get_ref()).is_none_or(|count| count < 0) {
                let message = format!("metadata.{} is not a whole number of 0 or more", shown(name));
                self.error(value.span(), message, "");
            }
        }
    }

    /// Names the keys the schema does not have.
    fn keys(&mut self, place: &str, table: &DeTable<'_>, known: &[&str]) {
        for (key, _) in table {
            if !known.contains(&key.get_ref().as_ref()) {
                let message =
                    format!("{place} has a key that is not in the schema: {}", shown(key.get_ref()));
                self.warning(key.span(), message, format!("the keys are {}", known.join(", ")));
            }
        }
    }

    fn table<'v, 'd>(&mut self, place: &str, value: &'v Value<'d>) -> Option<&'v DeTable<'d>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.error(value.span(), format!("{place} is {}, not a table", kind(value.get_ref())), "");
        }
        table
    }

    fn text<'v>(
        &mut self,
        place: &str,
        table: &'v DeTable<'_>,
        key: &str,
    ) -> Option<(&'v str, Range<usize>)> {
        let value = table.get(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            let hint = if value.get_ref().is_datetime() { "put the date between quotes" } else { "" };
            self.error(
                value.span(),
                format!("{place}.{key} is {}, not a string", kind(value.get_ref())),
                hint,
            );
        }
        text.map(|text| (text, value.span()))
    }

    fn filled(&mut self, place: &str, table: &DeTable<'_>, key: &str) {
        if let Some((text, span)) = self.text(place, table, key)
            && text.trim().is_empty()
        {
            self.error(span, format!("{place}.{key} is empty"), "");
        }
    }

    fn texts<'v>(&mut self, place: &str, table: &'v DeTable<'_>, key: &str) -> Vec<(&'v str, Range<usize>)> {
        let Some(value) = table.get(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.error(value.span(), format!("{place}.{key} is {}, not a list", kind(value.get_ref())), "");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref().as_str() {
                Some(text) => texts.push((text, item.span())),
                None => {
                    self.error(
                        item.span(),
                        format!("{place}.{key} holds {}, not a string", kind(item.get_ref())),
                        "",
                    );
                }
            }
        }
        texts
    }

    fn one_of(&mut self, place: &str, table: &DeTable<'_>, key: &str, allowed: &[&str]) {
        if let Some((text, span)) = self.text(place, table, key)
            && !allowed.contains(&text)
        {
            let hint = format!("one of {}", allowed.join(", "));
            self.warning(span, format!("{place}.{key} is {}, which others may not know", shown(text)), hint);
        }
    }

    fn day(&mut self, place: &str, table: &DeTable<'_>, key: &str) {
        if let Some((text, span)) = self.text(place, table, key)
            && text.parse::<jiff::civil::Date>().is_err()
        {
            self.error(
                span,
                format!("{place}.{key} is {}, not a day", shown(text)),
                "write it as YYYY-MM-DD",
            );
        }
    }
}

/// What a value is, with its article.
fn kind(value: &DeValue<'_>) -> String {
    let name = value.type_str();
    let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {name}")
}

fn is_inside(path: &str) -> bool {
    let odd = |c: char| c == '\\' || c.is_control();
    !path.is_empty()
        && !path.starts_with('/')
        && !path.contains(odd)
        && path.split('/').all(|part| part != "..")
}
