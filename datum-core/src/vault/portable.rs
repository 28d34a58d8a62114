//! Values as files that other programs read: dotenv and JSON.

use super::Value;
use crate::name::Word;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Values by their names.
pub type Values = BTreeMap<Word, Value>;

/// Why a file of values was refused. No error holds anything of it but a line's number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortableError {
    /// A line of a dotenv file that is none.
    #[error("line {0} is no NAME=VALUE")]
    Line(usize),
    /// Text that is no JSON object of strings.
    #[error("it is no JSON object of names and strings")]
    Json,
    /// A value that is not text.
    #[error("the value of {0} is not UTF-8; export it alone, or as age")]
    NotText(Word),
    /// A name without a Latin letter or digit at its beginning, which a variable cannot stand for.
    #[error("no variable stands for {0}; export it alone, or as JSON or age")]
    Variable(Word),
    /// Two names that would be one variable.
    #[error("{0} and {1} would be one variable")]
    Same(Word, Word),
}

/// The variable that stands for a name: its letters and digits in capitals, `_` for all else.
pub fn variable(name: &Word) -> String {
    let one = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let text: String = name.as_str().chars().map(one).collect();
    if text.starts_with(|c: char| c.is_ascii_digit()) { format!("_{text}") } else { text }
}

fn text<'v>(name: &Word, value: &'v [u8]) -> Result<&'v str, PortableError> {
    std::str::from_utf8(value).map_err(|_| PortableError::NotText(name.clone()))
}

/// Prints a dotenv file.
///
/// # Errors
/// [`PortableError`] for values that are not text, and names that would be one variable or none.
pub fn print_dotenv(values: &Values) -> Result<Zeroizing<String>, PortableError> {
    let size: usize = values.iter().map(|(name, value)| name.as_str().len() + value.len() * 2 + 8).sum();
    let mut out = Zeroizing::new(String::with_capacity(size));
    let mut seen: BTreeMap<String, &Word> = BTreeMap::new();
    for (name, value) in values {
        let variable = variable(name);
        // What could not be read back is not written.
        if read_name(&variable).is_none() {
            return Err(PortableError::Variable(name.clone()));
        }
        out.push_str(&variable);
        out.push_str("=\"");
        for c in text(name, value)?.chars() {
            match c {
                '\n' => out.push_str("\\n"),
                '"' | '\\' | '$' | '`' => out.extend(['\\', c]),
                c => out.push(c),
            }
        }
        out.push_str("\"\n");
        if let Some(other) = seen.insert(variable, name) {
            return Err(PortableError::Same(other.clone(), name.clone()));
        }
    }
    Ok(out)
}

/// Parses a dotenv file: `NAME=value`, quoted or not, `export` before it or not, `#` comments.
///
/// # Errors
/// [`PortableError::Line`] with the first line that is none.
pub fn parse_dotenv(text: &str) -> Result<Values, PortableError> {
    let mut values = Values::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = || PortableError::Line(index + 1);
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').ok_or_else(wrong)?;
        let name = read_name(name.trim()).ok_or_else(wrong)?;
        let value = unquoted(value.trim()).ok_or_else(wrong)?.into();
        if values.insert(name, value).is_some() {
            return Err(wrong());
        }
    }
    Ok(values)
}

/// The name that a variable in a file stands for.
fn read_name(variable: &str) -> Option<Word> {
    // A variable does not begin with a digit, and a name not with `_`.
    let digit = variable.strip_prefix('_').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    Word::new("name", digit.unwrap_or(variable)).ok()
}

fn unquoted(value: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut out = Zeroizing::new(Vec::with_capacity(value.len()));
    let Some(inner) = value.strip_prefix('"') else {
        let plain = match value.strip_prefix('\'') {
            Some(inner) => inner.strip_suffix('\'').filter(|inner| !inner.contains('\''))?,
            None => value,
        };
        out.extend_from_slice(plain.as_bytes());
        return Some(out);
    };
    let mut rest = inner.bytes();
    loop {
        match rest.next()? {
            b'"' => return rest.next().is_none().then_some(out),
            b'\\' => match rest.next()? {
                b'n' => out.push(b'\n'),
                b't' => out.push(b'\t'),
                b'r' => out.push(b'\r'),
                other => out.push(other),
            },
            other => out.push(other),
        }
    }
}

/// Prints a JSON object.
///
/// # Errors
/// [`PortableError::NotText`] for a value that is not UTF-8.
pub fn print_json(values: &Values) -> Result<Zeroizing<String>, PortableError> {
    let texts: BTreeMap<&str, &str> = values
        .iter()
        .map(|(name, value)| Ok((name.as_str(), text(name, value)?)))
        .collect::<Result<_, PortableError>>()?;
    serde_json::to_string(&texts).map(Zeroizing::new).map_err(|_| PortableError::Json)
}

/// Parses a JSON object of strings.
///
/// # Errors
/// [`PortableError::Json`] for any other text; what stands there is not repeated.
pub fn parse_json(text: &str) -> Result<Values, PortableError> {
    let texts: BTreeMap<String, String> = serde_json::from_str(text).map_err(|_| PortableError::Json)?;
    let one = |(name, value): (String, String)| {
        let name = Word::new("name", &name).map_err(|_| PortableError::Json)?;
        Ok((name, Value::new(value.into_bytes())))
    };
    texts.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_forms_come_back(value in "(\\PC|[\n\t\"'\\\\$`#= ]){0,60}") {
            let value = value.replace('\r', "");
            let values = Values::from([(Word::new("name", "X_1").unwrap(), Value::new(value.into_bytes()))]);
            prop_assert_eq!(&parse_dotenv(&print_dotenv(&values).unwrap()).unwrap(), &values);
            prop_assert_eq!(&parse_json(&print_json(&values).unwrap()).unwrap(), &values);
        }

        #[test]
        fn parsing_never_panics(text in "(\\PC|[\n\"'\\\\=]){0,60}") {
            let _ = parse_dotenv(&text);
            let _ = parse_json(&text);
        }
    }

    #[test]
    fn a_name_that_begins_with_a_digit_is_read_back() {
        let values = Values::from([(Word::new("name", "2fa").unwrap(), Value::new(b"x".to_vec()))]);
        let printed = print_dotenv(&values).unwrap();
        assert_eq!(*printed, "_2FA=\"x\"\n");
        assert_eq!(parse_dotenv(&printed).unwrap().keys().next().unwrap().as_str(), "2FA");
        assert!(parse_dotenv("_FA=x").is_err());
        let none = Values::from([(Word::new("name", "Ⱦ").unwrap(), Value::new(b"x".to_vec()))]);
        assert!(matches!(print_dotenv(&none), Err(PortableError::Variable(_))));
    }

    #[test]
    fn errors_hold_nothing_of_the_text() {
        let error = parse_dotenv("A=fine\nmysterious").unwrap_err().to_string();
        assert!(error.contains("line 2") && !error.contains("mysterious"), "{error}");
        assert!(!parse_json("{\"a\": mysterious}").unwrap_err().to_string().contains("mysterious"));
        let two =
            Values::from(["a-b", "a_b"].map(|name| (Word::new("name", name).unwrap(), Value::default())));
        assert!(matches!(print_dotenv(&two), Err(PortableError::Same(..))));
    }
}
