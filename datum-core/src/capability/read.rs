//! Reading a declaration leniently, whichever of the real schemas it follows.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::finding::{Notes, parse, shown};
use super::{Capability, Confidence, Domain, Error, Finding, Level, Skill};

/// What a file says, and what could not be understood of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The declaration.
    pub capability: Capability,
    /// Remarks in the order of the text: values left out or unusable.
    pub warnings: Vec<Finding>,
}

/// Sections that say who the file is about, the seed's first.
const IDENTITIES: [&str; 6] = ["agent", "vessel", "crate", "package", "capability", "layer"];
/// Lists of names under `[capabilities]` that are claims of skill; others, such as `weaknesses`, are not.
const SKILL_LISTS: [&str; 3] = ["primary", "secondary", "strengths"];

/// Reads a declaration of any known schema, keeping what has a place in the seed's.
///
/// # Errors
/// [`Error`] where the text is too large or is not TOML. No schema is an error.
///
/// # Examples
/// ```
/// use datum_core::capability;
/// let reading = capability::read("[vessel]\nname = 'tug'\n[capabilities]\nprimary = ['towing']\n")?;
/// assert_eq!(reading.capability.agent.name.as_deref(), Some("tug"));
/// assert!(reading.capability.skills.contains_key("towing"));
/// # Ok::<(), capability::Error>(())
/// ```
pub fn read(text: &str) -> Result<Reading, Error> {
    let document = parse(text)?;
    let mut reader = Reader { notes: Notes::new(text), out: Capability::default() };
    reader.identity(&document);
    for (key, value) in &document {
        reader.section(key.get_ref(), key.span(), value.get_ref());
    }
    if reader.out.agent.name.is_none() {
        let hint = "add 'name = \"…\"' to [agent]";
        reader.notes.add(0..0, Level::Warning, "the file does not say whose it is".to_owned(), hint);
    }
    Ok(Reading { capability: reader.out, warnings: reader.notes.finish() })
}

struct Reader<'a> {
    notes: Notes<'a>,
    out: Capability,
}

impl Reader<'_> {
    fn left_out(&mut self, span: Range<usize>, what: &str) {
        self.notes.add(
            span,
            Level::Info,
            format!("{what} has no place in the seed's schema and is left out"),
            "",
        );
    }

    fn unusable(&mut self, span: Range<usize>, what: &str, why: &str) {
        self.notes.add(span, Level::Warning, format!("{what} {why}"), "");
    }

    /// Takes name, role, description and version from the first section that has the right to say them.
    fn identity(&mut self, document: &DeTable<'_>) {
        let sections = IDENTITIES.iter().find_map(|section| {
            let (key, value) = document.get_key_value(*section)?;
            Some((*section, key.span(), value.get_ref().as_table()?))
        });
        let (section, span, table) = sections.unwrap_or(("", 0..0, document));
        if section != "agent" && table.contains_key("name") {
            let place = if section.is_empty() { "the top level".to_owned() } else { format!("[{section}]") };
            let message = format!("the identity is read from {place}, where the seed has [agent]");
            self.notes.add(span, Level::Info, message, "");
        }
        self.out.agent.name = self.text(table, "name");
        self.out.agent.role = self.text(table, "role").or_else(|| self.text(table, "class"));
        self.out.agent.description = self.text(table, "description");
        self.out.agent.version = self.text(table, "version");
        // An agent's own section may hold the date; [metadata], read later, has the last word.
        if section == "agent" {
            self.out.metadata.last_active = self.text(table, "last_active");
        }
    }

    fn section(&mut self, key: &str, span: Range<usize>, value: &DeValue<'_>) {
        match (key, value) {
            ("agent", DeValue::Table(table)) => {
                self.keys(
                    table,
                    "agent",
                    &["name", "role", "description", "version", "last_active", "capabilities"],
                );
                if let Some(skills) = table.get("capabilities") {
                    self.skills("agent.capabilities", skills);
                }
            }
            ("capability", DeValue::Table(table)) => {
                self.keys(table, "capability", &["name", "role", "description", "version", "capabilities"]);
                if let Some(skills) = table.get("capabilities") {
                    self.skills("capability.capabilities", skills);
                }
            }
            ("vessel" | "crate" | "package" | "layer", DeValue::Table(table)) => {
                self.keys(table, key, &["name", "role", "class", "description", "version"]);
            }
            ("capabilities" | "skills", DeValue::Table(table)) => self.skill_table(key, table),
            ("capability" | "capabilities" | "provides", DeValue::Array(items)) => {
                self.skill_items(key, items.iter());
            }
            ("provides", DeValue::Table(table)) => match table.get("capabilities") {
                Some(skills) => {
                    self.skills("provides.capabilities", skills);
                    self.keys(table, key, &["capabilities"]);
                }
                None => self.skill_table(key, table),
            },
            ("domains", DeValue::Table(table)) => self.domains(table),
            ("communication", DeValue::Table(table)) => self.communication(table),
            ("metadata" | "meta", DeValue::Table(table)) => self.metadata(key, table),
            ("name" | "role" | "description" | "version", DeValue::String(_)) => {}
            _ => self.left_out(span, &shown(key)),
        }
    }

    /// Says which keys of `table` are not among `known`.
    fn keys(&mut self, table: &DeTable<'_>, section: &str, known: &[&str]) {
        for (key, _) in table {
            if !known.contains(&key.get_ref().as_ref()) {
                self.left_out(key.span(), &format!("{section}.{}", shown(key.get_ref())));
            }
        }
    }

    fn skills(&mut self, place: &str, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::Table(table) => self.skill_table(place, table),
            DeValue::Array(items) => self.skill_items(place, items.iter()),
            _ => self.unusable(value.span(), place, "is neither a table nor a list"),
        }
    }

    fn skill_table(&mut self, place: &str, table: &DeTable<'_>) {
        let lists = SKILL_LISTS.iter().any(|list| table.get(*list).is_some_and(|v| v.get_ref().is_array()));
        for (key, value) in table {
            let name = key.get_ref();
            match value.get_ref() {
                DeValue::Array(items) if lists && SKILL_LISTS.contains(&name.as_ref()) => {
                    self.skill_items(place, items.iter());
                }
                DeValue::Table(skill) => self.skill(name, skill),
                DeValue::String(text) if !lists => {
                    self.add(name, Skill { description: Some(text.to_string()), ..Skill::default() });
                }
                DeValue::Float(_) | DeValue::Integer(_) if !lists => {
                    let confidence = self.confidence(name, value);
                    self.add(name, Skill { confidence, ..Skill::default() });
                }
                DeValue::Boolean(true) if !lists => self.add(name, Skill::default()),
                DeValue::Boolean(false) if !lists => {}
                _ => self.left_out(key.span(), &format!("{place}.{}", shown(name))),
            }
        }
    }

    fn skill_items<'v, 'd: 'v>(
        &mut self,
        place: &str,
        items: impl Iterator<Item = &'v Spanned<DeValue<'d>>>,
    ) {
        for item in items {
            let table = match item.get_ref() {
                DeValue::String(name) => {
                    self.add(name, Skill::default());
                    continue;
                }
                DeValue::Table(table) => table,
                _ => {
                    self.unusable(item.span(), place, "holds something that is neither a name nor a table");
                    continue;
                }
            };
            match self.text(table, "name").or_else(|| self.text(table, "domain")) {
                Some(name) => self.skill(&name, table),
                None => self.unusable(item.span(), place, "holds a table without a name"),
            }
        }
    }

    fn skill(&mut self, name: &str, table: &DeTable<'_>) {
        let confidence = table.get("confidence").and_then(|value| self.confidence(name, value));
        let description = self.text(table, "description");
        let last_used = self.text(table, "last_used");
        self.add(name, Skill { confidence, description, last_used });
        self.keys(table, &shown(name), &["name", "domain", "confidence", "description", "last_used"]);
    }

    /// Keeps the first of several claims to one name that says anything: a flag adds nothing to a described skill.
    fn add(&mut self, name: &str, skill: Skill) {
        let known = self.out.skills.entry(name.to_owned()).or_default();
        if *known == Skill::default() {
            *known = skill;
        }
    }

    fn confidence(&mut self, name: &str, value: &Spanned<DeValue<'_>>) -> Option<Confidence> {
        let confidence = number(value.get_ref()).and_then(Confidence::new);
        if confidence.is_none() {
            self.unusable(value.span(), &format!("the confidence of {}", shown(name)), "is not from 0 to 1");
        }
        confidence
    }

    fn domains(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = key.get_ref();
            let domain = match value.get_ref() {
                DeValue::Table(table) => {
                    self.keys(table, &shown(name), &["level", "repos", "notes"]);
                    let repos = self.texts(table, "repos");
                    Domain { level: self.text(table, "level"), repos, notes: self.text(table, "notes") }
                }
                DeValue::String(level) => Domain { level: Some(level.to_string()), ..Domain::default() },
                _ => {
                    self.unusable(value.span(), &format!("domains.{}", shown(name)), "is not a table");
                    continue;
                }
            };
            self.out.domains.insert(name.to_string(), domain);
        }
    }

    fn communication(&mut self, table: &DeTable<'_>) {
        self.keys(table, "communication", &["incoming", "outgoing", "protocol", "bottle_path"]);
        self.out.communication.incoming = self.texts(table, "incoming");
        self.out.communication.outgoing = self.texts(table, "outgoing");
        self.out.communication.protocol = self.text(table, "protocol");
        // Vessels of the second schema name one folder, into which others drop and from which they answer.
        let folder = self.text(table, "bottle_path");
        self.out.communication.incoming.extend(folder);
    }

    fn metadata(&mut self, section: &str, table: &DeTable<'_>) {
        if let Some(day) = self.text(table, "last_active") {
            self.out.metadata.last_active = Some(day);
        }
        for (key, value) in table {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("last_active", _) => {}
                (name, DeValue::Integer(_)) => match integer(value.get_ref()) {
                    Some(count) => {
                        self.out.metadata.counts.insert(name.to_owned(), count);
                    }
                    None => {
                        self.unusable(value.span(), &format!("{section}.{}", shown(name)), "is too large");
                    }
                },
                (name, _) => self.left_out(key.span(), &format!("{section}.{}", shown(name))),
            }
        }
    }

    fn text(&mut self, table: &DeTable<'_>, key: &str) -> Option<String> {
        let value = table.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Datetime(day) => Some(day.to_string()),
            _ => {
                self.unusable(value.span(), key, "is not a text");
                None
            }
        }
    }

    /// A list of texts, or one text.
    fn texts(&mut self, table: &DeTable<'_>, key: &str) -> Vec<String> {
        let Some(value) = table.get(key) else { return Vec::new() };
        match value.get_ref() {
            DeValue::String(text) => vec![text.to_string()],
            DeValue::Array(items) => {
                let texts: Vec<String> =
                    items.iter().filter_map(|item| item.get_ref().as_str().map(str::to_owned)).collect();
                if texts.len() < items.len() {
                    self.unusable(value.span(), key, "holds something that is not a text");
                }
                texts
            }
            _ => {
                self.unusable(value.span(), key, "is not a list of texts");
                Vec::new()
            }
        }
    }
}

/// The value as a float, if it is a number.
pub(super) fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Float(float) => float.as_str().parse().ok(),
        // Only 0 and 1 can be a confidence, so larger integers need not survive.
        DeValue::Integer(_) => integer(value).and_then(|n| i32::try_from(n).ok()).map(f64::from),
        _ => None,
    }
}

/// The value as an integer, if it is one and fits.
pub(super) fn integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}
