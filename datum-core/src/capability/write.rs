//! Printing a declaration in the seed's schema.

use std::fmt::Write as _;

use super::{Capability, Domain, Skill};

/// Prints `capability` in the seed's schema: five sections in a fixed order, names sorted.
///
/// Reading the result gives the same value back. A count named `last_active` cannot stand beside the date of that name
/// and is left out.
///
/// # Examples
/// ```
/// use datum_core::capability::{self, Capability};
/// let mut mine = Capability::default();
/// mine.agent.name = Some("datum".to_owned());
/// let text = capability::write(&mine);
/// assert_eq!(capability::read(&text)?.capability, mine);
/// # Ok::<(), capability::Error>(())
/// ```
pub fn write(capability: &Capability) -> String {
    let Capability { agent, skills, domains, communication, metadata } = capability;
    let mut out = String::from("[agent]\n");
    let agent_keys = [
        ("name", &agent.name),
        ("role", &agent.role),
        ("description", &agent.description),
        ("version", &agent.version),
    ];
    for (name, value) in agent_keys {
        out.extend(value.iter().map(|value| format!("{name} = {}\n", quoted(value))));
    }
    out.push_str("\n[capabilities]\n");
    out.extend(skills.iter().map(|(name, skill)| line(name, &skill_fields(skill))));
    out.push_str("\n[domains]\n");
    out.extend(domains.iter().map(|(name, domain)| line(name, &domain_fields(domain))));
    out.push_str("\n[communication]\n");
    let folders = [("incoming", &communication.incoming), ("outgoing", &communication.outgoing)];
    out.extend(folders.map(|(name, folders)| format!("{name} = {}\n", list(folders))));
    out.extend(communication.protocol.iter().map(|protocol| format!("protocol = {}\n", quoted(protocol))));
    out.push_str("\n[metadata]\n");
    out.extend(metadata.last_active.iter().map(|day| format!("last_active = {}\n", quoted(day))));
    let counts = metadata.counts.iter().filter(|(name, _)| *name != "last_active");
    out.extend(counts.map(|(name, count)| format!("{} = {count}\n", key(name))));
    out
}

fn skill_fields(skill: &Skill) -> Vec<String> {
    let confidence = skill.confidence.iter().map(|confidence| format!("confidence = {confidence}"));
    let description = skill.description.iter().map(|text| format!("description = {}", quoted(text)));
    let last_used = skill.last_used.iter().map(|day| format!("last_used = {}", quoted(day)));
    confidence.chain(description).chain(last_used).collect()
}

fn domain_fields(domain: &Domain) -> Vec<String> {
    let level = domain.level.iter().map(|level| format!("level = {}", quoted(level)));
    let repos = Some(&domain.repos).filter(|repos| !repos.is_empty());
    let repos = repos.into_iter().map(|repos| format!("repos = {}", list(repos)));
    let notes = domain.notes.iter().map(|notes| format!("notes = {}", quoted(notes)));
    level.chain(repos).chain(notes).collect()
}

fn line(name: &str, fields: &[String]) -> String {
    let fields = fields.join(", ");
    let space = if fields.is_empty() { "" } else { " " };
    format!("{} = {{{space}{fields}{space}}}\n", key(name))
}

pub(super) fn list(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    format!("[{}]", items.join(", "))
}

pub(super) fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if bare { name.to_owned() } else { quoted(name) }
}

/// A TOML basic string on one line. Control and invisible format characters are escaped, so that the file shows all it says.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || is_invisible(c) => {
                write!(out, "\\u{:04X}", u32::from(c)).unwrap_or_default();
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Marks that change the order or the look of text without being seen: zero width, line separators, bidi controls, BOM.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
