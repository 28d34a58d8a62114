//! The classic file bottle: `message-in-a-bottle/for-<agent>/<day>_<sender>_<slug>.md`.

use jiff::Timestamp;

use super::{MARK, one_line};
use crate::{AgentName, Word};

/// Longest slug, bytes: leaves a file name below 255 bytes with the longest sender.
const SLUG_MAX: usize = 60;
/// Digits of the entry's id in the file name. Two bottles meet only with the same day, sender, subject and 32 bits.
const ID_DIGITS: usize = 8;

/// A bottle to print.
#[derive(Debug, Clone, Copy)]
pub struct Bottle<'a> {
    /// The id of the entry it comes from.
    pub id: &'a str,
    /// Who sends it.
    pub from: &'a AgentName,
    /// Who it is for; `None` for everyone.
    pub to: Option<&'a AgentName>,
    /// When it was sent.
    pub date: Timestamp,
    /// Its type, such as `message` or `question`.
    pub kind: &'a Word,
    /// What it is about; printed as one line.
    pub subject: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// Says where a bottle's file goes, relative to the vessel's root.
///
/// The path follows from the bottle alone. It ends in the first digits of the entry's id, so that a second bottle of the
/// same day, sender and subject does not overwrite the first.
///
/// # Examples
/// ```
/// use datum_core::publish::bottle_file::{Bottle, path};
/// use datum_core::{AgentName, Word};
/// let (from, kind) = (AgentName::new("datum")?, Word::new("type", "message")?);
/// let date = "2026-04-14T10:00:00Z".parse()?;
/// let bottle = Bottle { id: "0a1b2c3d4e5f", from: &from, to: None, date, kind: &kind, subject: "Hello, all!", text: "" };
/// assert_eq!(path(&bottle), "message-in-a-bottle/for-any-vessel/2026-04-14_datum_hello-all-0a1b2c3d.md");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn path(bottle: &Bottle<'_>) -> String {
    let day = bottle.date.strftime("%Y-%m-%d");
    // Only letters and digits of the id can reach the path, whatever the caller gave.
    let id: String = bottle.id.chars().filter(char::is_ascii_alphanumeric).take(ID_DIGITS).collect();
    let (to, from, slug) = (receiver(bottle), bottle.from, slug(bottle.subject));
    format!("message-in-a-bottle/for-{to}/{day}_{from}_{slug}-{}.md", id.to_ascii_lowercase())
}

/// Prints a bottle's file: front matter, heading, bold fields, text, footer.
pub fn print(bottle: &Bottle<'_>) -> String {
    let Bottle { from, kind, .. } = bottle;
    let (to, date) = (receiver(bottle), bottle.date.strftime("%Y-%m-%d %H:%M:%S UTC"));
    let subject = one_line(bottle.subject);
    let front = [
        ("from", from.as_str()),
        ("to", to),
        ("date", &date.to_string()),
        ("type", kind.as_str()),
        ("subject", &subject),
    ]
    .map(|(key, value)| format!("{key}: {}\n", scalar(key, value)))
    .concat();
    let id = one_line(bottle.id);
    let text = bottle.text.trim_matches(['\n', '\r']);
    format!(
        "---\n{front}---\n\n# {subject}\n\n**From:** {from}  \n**To:** {to}  \n**Date:** {date}  \n**Type:** {kind}\n\n---\n\n\
         {text}\n\n---\n\n*Entry {id} of {from}'s log.*\n\n{MARK}\n"
    )
}

/// The id of the entry that a published bottle's file was printed from.
pub fn entry_id(text: &str) -> Option<crate::EntryId> {
    let before = text.trim_end().strip_suffix(MARK)?.trim_end();
    let (_, footer) = before.rsplit_once("\n*Entry ")?;
    crate::EntryId::from_hex(footer.split(' ').next()?)
}

fn receiver<'a>(bottle: &Bottle<'a>) -> &'a str {
    bottle.to.map_or("any-vessel", AgentName::as_str)
}

/// The subject as part of a file name: lower-case ASCII letters and digits, everything else one hyphen.
fn slug(subject: &str) -> String {
    let mut slug = String::new();
    for c in subject.chars() {
        if slug.len() >= SLUG_MAX {
            break;
        }
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "bottle".to_owned() } else { slug.to_owned() }
}

/// A YAML scalar: plain where that can be nothing but this text, so that simple readers see no quotes; quoted otherwise.
fn scalar(key: &str, text: &str) -> String {
    // The date stays plain, as every bottle of the fleet has it; with ' UTC' at its end YAML takes it as text.
    if key == "date" || is_plain(text) {
        return text.to_owned();
    }
    // A JSON string is a YAML double-quoted scalar.
    serde_json::Value::from(text).to_string()
}

fn is_plain(text: &str) -> bool {
    const KEYWORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    text.starts_with(|c: char| c.is_alphabetic())
        && text.chars().all(|c| c.is_alphanumeric() || " .,_/()+—–-".contains(c))
        && !text.ends_with(' ')
        && !KEYWORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::is_ours;
    use super::*;

    fn with<T>(id: &str, subject: &str, text: &str, run: impl FnOnce(&Bottle<'_>) -> T) -> T {
        let (from, to) = (AgentName::new("datum").unwrap(), AgentName::new("oracle1").unwrap());
        let (kind, date) =
            (Word::new("type", "question").unwrap(), "2026-04-14T10:00:05.250Z".parse().unwrap());
        run(&Bottle { id, from: &from, to: Some(&to), date, kind: &kind, subject, text })
    }

    #[test]
    fn a_bottle_has_the_classic_shape() {
        insta::assert_snapshot!(with("0a1b2c3d4e", "Ready: are \"you\"?", "Say so.\n\n---\nme\n", print), @r#"
        ---
        from: datum
        to: oracle1
        date: 2026-04-14 10:00:05 UTC
        type: question
        subject: "Ready: are \"you\"?"
        ---

        # Ready: are "you"?

        **From:** datum  
        **To:** oracle1  
        **Date:** 2026-04-14 10:00:05 UTC  
        **Type:** question

        ---

        Say so.

        ---
        me

        ---

        *Entry 0a1b2c3d4e of datum's log.*

        <!-- published by datum: changes to this file will be overwritten -->
        "#);
        insta::assert_snapshot!(with("0a1b2c3d4e", "Ready: are \"you\"?", "", path), @"message-in-a-bottle/for-oracle1/2026-04-14_datum_ready-are-you-0a1b2c3d.md");
    }

    #[test]
    fn the_same_subject_twice_has_two_paths() {
        let paths: BTreeSet<_> = ["00000001", "00000002"].map(|id| with(id, "Same", "", path)).into();
        assert_eq!(paths.len(), 2);
    }

    #[test]
    fn values_that_yaml_would_misread_are_quoted() {
        for plain in ["Status report", "v2 — done (mostly)", "größe"] {
            assert_eq!(scalar("subject", plain), plain);
        }
        for odd in [
            "yes",
            "Null",
            "12",
            "1e3",
            "a: b",
            "a #b",
            "- a",
            "'a",
            "[a]",
            "",
            "2026-04-14",
            "a\\",
            "@a",
            "&a",
            "!a",
        ] {
            assert!(scalar("subject", odd).starts_with('"'), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn any_subject_gives_a_sound_file_and_path(subject in "(?s).{0,80}", id in ".{0,12}", text in "(?s).{0,40}") {
            let path = with(&id, &subject, &text, path);
            let (folder, name) = path.rsplit_once('/').unwrap();
            prop_assert_eq!(folder, "message-in-a-bottle/for-oracle1");
            prop_assert!(name.len() <= 255 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)));
            let file = with(&id, &subject, &text, print);
            prop_assert!(is_ours(&file));
            let front: Vec<&str> = file.split('\n').skip(1).take_while(|line| *line != "---").collect();
            prop_assert_eq!(front.len(), 5);
            let value = front[4].strip_prefix("subject: ").unwrap();
            let read = if value.starts_with('"') { serde_json::from_str(value).unwrap() } else { value.to_owned() };
            prop_assert_eq!(read, one_line(&subject));
            prop_assert!(file.contains(text.trim_matches(['\n', '\r'])));
        }
    }
}
