//! The JSON of a board: its tasks, and the lines they stand in.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{BoardTask, Error, JSON_END, JSON_START};
use crate::publish::is_ours;

/// Where a task stands in a board's JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place<'a> {
    /// Its first line, from 1.
    pub line: usize,
    json: &'a str,
}

impl Place<'_> {
    /// The line of a member, and in it of the text `of`; of the task itself where there is none.
    pub fn line_of(&self, member: &str, of: Option<&str>) -> usize {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(self.json).unwrap_or_default();
        let Some(value) = members.get(member) else { return self.line };
        let quoted = of.and_then(|text| serde_json::to_string(text).ok());
        let inside = quoted.and_then(|text| value.get().find(&text)).unwrap_or(0);
        let before = &self.json[..offset(self.json, value) + inside];
        self.line + before.matches('\n').count()
    }
}

/// Where each task of a board's JSON stands, in the order in which [`parse()`](super::parse) gives them.
pub fn places(text: &str) -> Vec<Place<'_>> {
    let Ok(Some(found)) = Found::of(text) else { return Vec::new() };
    let blanked = without_fences(found.json);
    let mut places = Vec::new();
    let (mut at, mut line) = (0, found.line);
    for raw in listed::<&RawValue>(&blanked).unwrap_or_default() {
        let start = offset(&blanked, raw);
        line += blanked[at..start].matches('\n').count();
        at = start;
        places.push(Place { line, json: &found.json[start..start + raw.get().len()] });
    }
    places
}

/// Where in `json` a part of it begins, bytes.
fn offset(json: &str, part: &RawValue) -> usize {
    part.get().as_ptr().addr() - json.as_ptr().addr()
}

/// The tasks of a board's JSON; `None` where it has none.
pub(super) fn tasks(text: &str) -> Result<Option<Vec<BoardTask>>, Error> {
    let Some(found) = Found::of(text)? else { return Ok(None) };
    listed(&without_fences(found.json)).map(Some).map_err(|error| {
        let first = error.line() <= 1;
        Error::Json {
            line: found.line + error.line().saturating_sub(1),
            column: if first { found.column + error.column() } else { error.column() }.max(1),
            message: without_place(&error.to_string()),
        }
    })
}

/// What stands between the two comments.
struct Found<'a> {
    json: &'a str,
    /// Where it begins: the line from 1, the column from 0.
    line: usize,
    column: usize,
}

impl<'a> Found<'a> {
    fn of(text: &'a str) -> Result<Option<Self>, Error> {
        let Some(start) = text.rfind(JSON_START) else {
            // What stands before its end would be passed over, and overwritten by the next board.
            return match text.find(JSON_END).filter(|_| is_ours(text)) {
                Some(end) => Err(Error::Unopened { line: text[..end].matches('\n').count() + 1 }),
                None => Ok(None),
            };
        };
        let line = text[..start].matches('\n').count() + 1;
        let after = &text[start + JSON_START.len()..];
        let end = after.find(JSON_END).ok_or(Error::Unclosed { line })?;
        let column = start - text[..start].rfind('\n').map_or(0, |newline| newline + 1) + JSON_START.len();
        Ok(Some(Self { json: &after[..end], line, column }))
    }
}

/// The JSON without a code fence around it, every byte in its place.
fn without_fences(json: &str) -> String {
    let blank = |c: char| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.len_utf8()) };
    let blank_fences = |line: &str| -> String {
        if line.trim_start().starts_with("```") { line.chars().map(blank).collect() } else { line.to_owned() }
    };
    // A JSON string holds no line break, so a line that starts with a fence is none of its lines.
    json.split_inclusive('\n').map(blank_fences).collect()
}

/// The tasks as a list, as `{"tasks": […]}`, or by id.
fn listed<'de, T: Deserialize<'de>>(json: &'de str) -> Result<Vec<T>, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Wrapped<T> {
        tasks: Vec<T>,
    }
    if !json.trim_start().starts_with('{') {
        return serde_json::from_str(json);
    }
    let value: serde_json::Value = serde_json::from_str(json)?;
    // Read again from the text, because a value no longer knows the places of what is wrong in it.
    if value.get("tasks").is_some() {
        return serde_json::from_str::<Wrapped<T>>(json).map(|wrapped| wrapped.tasks);
    }
    serde_json::from_str::<ById<T>>(json).map(|ById(tasks)| tasks)
}

/// The values of a map, in the order of the text: a map would drop all but the last of those with one key.
struct ById<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ById<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Values<T> {
            type Value = ById<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tasks by id")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ById<T>, A::Error> {
                let mut values = Vec::new();
                while let Some((_, value)) = map.next_entry::<String, T>()? {
                    values.push(value);
                }
                Ok(ById(values))
            }
        }
        deserializer.deserialize_map(Values(PhantomData))
    }
}

/// The message alone: its own "at line 1 column 2" counts from the comment, not from the start of the file.
fn without_place(message: &str) -> String {
    message.rfind(" at line ").map_or(message, |at| &message[..at]).to_owned()
}
