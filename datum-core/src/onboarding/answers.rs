//! The answers to what onboarding asks, from a TOML file that people write; strict, so that a slip is found.
//!
//! ```toml
//! [agent]                  # name, role, description
//! name = "heron"
//! role = "lookout"
//!
//! [capabilities]           # as in CAPABILITY.toml
//! audit = { confidence = 0.9, description = "Looks closely" }
//!
//! [keys]
//! make = "new"             # new, locked (with a passphrase) or none
//!
//! [github]
//! token_env = "GH_TOKEN"   # the variable that holds the token; the token itself never stands in a file
//!
//! [remote]
//! name = "origin"          # a remote's name, an address or a path; none for no remote
//! sync = true
//!
//! [hooks]
//! install = true
//! commit_msg = "i2i"       # i2i, conventional, either or none
//!
//! [oracle]
//! greet = "oracle1"        # none for nobody
//!
//! [commit]
//! declaration = true       # commit CAPABILITY.toml
//!
//! [[tasks]]
//! title = "Look around"
//! ```

use crate::capability::{Confidence, Skill};
use crate::name::{AgentName, Word};
use crate::publish::taskboard_file::Priority;
use crate::style::Style;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use toml::Spanned;

/// Largest file of answers, bytes.
pub const ANSWERS_MAX: usize = 64 * 1024;
/// Most first tasks.
pub const TASKS_MAX: usize = 100;

/// Why a file of answers was refused; it never repeats what stands where a token might.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct AnswersError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// Where an agent's keys come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// Made, and kept in clear.
    New,
    /// Made, and locked with a passphrase.
    Locked,
    /// Not made.
    None,
}

impl Keys {
    /// The choice called `text`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "new" => Some(Self::New),
            "locked" => Some(Self::Locked),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// A value, or the word that none is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted<T> {
    /// This one.
    This(T),
    /// None.
    None,
}

impl<T> Wanted<T> {
    /// The value, if one is wanted.
    pub fn this(self) -> Option<T> {
        match self {
            Self::This(value) => Some(value),
            Self::None => None,
        }
    }
}

/// A task to begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstTask {
    /// What to do, on one line.
    pub title: String,
    /// What to do, at length; may be empty.
    pub text: String,
    /// How urgent it is.
    pub priority: Priority,
    /// What an agent must be able to do for it.
    pub caps: Vec<Word>,
}

/// Answers; what is `None` or empty was not answered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answers {
    /// The agent's name.
    pub name: Option<AgentName>,
    /// Its role.
    pub role: Option<String>,
    /// What it is, in a sentence.
    pub description: Option<String>,
    /// What it can do.
    pub skills: BTreeMap<String, Skill>,
    /// Whether to make keys.
    pub keys: Option<Keys>,
    /// The variable that holds a GitHub token.
    pub token_env: Option<Wanted<String>>,
    /// The remote to sync with.
    pub remote: Option<Wanted<String>>,
    /// Whether to sync.
    pub sync: Option<bool>,
    /// Whether to install hooks.
    pub hooks: Option<bool>,
    /// How commit subjects are checked.
    pub commit_msg: Option<Wanted<Style>>,
    /// Whom to greet.
    pub greet: Option<Wanted<AgentName>>,
    /// Whether to commit CAPABILITY.toml.
    pub commit: Option<bool>,
    /// Tasks to begin with.
    pub tasks: Vec<FirstTask>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct File {
    agent: AgentTable,
    capabilities: BTreeMap<Spanned<String>, SkillTable>,
    keys: KeysTable,
    github: GithubTable,
    remote: RemoteTable,
    hooks: HooksTable,
    oracle: OracleTable,
    commit: CommitTable,
    tasks: Vec<TaskTable>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct AgentTable {
    name: Option<Spanned<String>>,
    role: Option<Spanned<String>>,
    description: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SkillTable {
    confidence: Option<Spanned<f64>>,
    description: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct KeysTable {
    make: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct GithubTable {
    token_env: Option<Spanned<String>>,
    token: Option<Spanned<toml::Value>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RemoteTable {
    name: Option<Spanned<String>>,
    sync: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct HooksTable {
    install: Option<bool>,
    commit_msg: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct OracleTable {
    greet: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct CommitTable {
    declaration: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskTable {
    title: Spanned<String>,
    #[serde(default)]
    text: String,
    priority: Option<Spanned<String>>,
    #[serde(default)]
    caps: Vec<Spanned<String>>,
}

/// The text of a file, to tell places in it.
struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn error(&self, span: &Range<usize>, message: impl fmt::Display) -> AnswersError {
        let before = self.0.get(..span.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        AnswersError { line, column, message: message.to_string() }
    }

    /// Makes a checked value of a text, where there is one.
    fn check<T, E: fmt::Display>(
        &self,
        text: Option<Spanned<String>>,
        check: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, AnswersError> {
        let Some(text) = text else { return Ok(None) };
        check(text.get_ref()).map(Some).map_err(|error| self.error(&text.span(), error))
    }
}

fn wanted<T, E>(check: impl FnOnce(&str) -> Result<T, E>) -> impl FnOnce(&str) -> Result<Wanted<T>, E> {
    |text| if text == "none" { Ok(Wanted::None) } else { check(text).map(Wanted::This) }
}

/// Checks a text that is to stand on one line of a file or an entry.
///
/// # Errors
/// The rule that it breaks.
pub fn one_line(text: &str) -> Result<String, &'static str> {
    let odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    match text.trim() {
        "" => Err("it is empty"),
        text if text.len() > 500 => Err("it is longer than 500 bytes"),
        text if text.contains(odd) => {
            Err("it holds a line break, a control character or one that turns text around")
        }
        text => Ok(text.to_owned()),
    }
}

/// Checks the name of a variable that holds a token; a token put there by mistake is not repeated.
///
/// # Errors
/// The rule that it breaks.
pub fn variable_name(text: &str) -> Result<String, &'static str> {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let is_token =
        text.len() > 30 && (text.starts_with("github_pat_") || text.as_bytes().get(..2) == Some(b"gh"));
    if is_token {
        return Err("this is a token; name the variable that holds it, and make a new token");
    }
    if text.is_empty() || text.len() > 100 || !text.bytes().all(word) || text.as_bytes()[0].is_ascii_digit() {
        return Err("this is no name of a variable");
    }
    Ok(text.to_owned())
}

impl Answers {
    /// Reads a file of answers.
    ///
    /// # Errors
    /// [`AnswersError`] with the place of the first thing that is wrong.
    ///
    /// # Examples
    /// ```
    /// use datum_core::onboarding::Answers;
    /// let answers = Answers::read("[agent]\nname = \"heron\"\n[oracle]\ngreet = \"none\"\n")?;
    /// assert_eq!(answers.name.unwrap().as_str(), "heron");
    /// let error = Answers::read("[agent]\nname = \"../x\"\n").unwrap_err();
    /// assert_eq!((error.line, error.column), (2, 8));
    /// # Ok::<(), datum_core::onboarding::AnswersError>(())
    /// ```
    pub fn read(text: &str) -> Result<Self, AnswersError> {
        let reader = Reader(text);
        if text.len() > ANSWERS_MAX {
            let message =
                format!("a file of answers has at most {ANSWERS_MAX} bytes, this one {}", text.len());
            return Err(reader.error(&(0..0), message));
        }
        let file: File = toml::from_str(text).map_err(|error| {
            let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
            reader.error(&error.span().unwrap_or(0..0), message)
        })?;
        if let Some(token) = file.github.token {
            let message = "a token never stands in a file; token_env names the variable that holds it";
            return Err(reader.error(&token.span(), message));
        }
        if let Some(one) = file.tasks.get(TASKS_MAX) {
            return Err(reader.error(&one.title.span(), format!("more than {TASKS_MAX} tasks")));
        }
        Ok(Self {
            name: reader.check(file.agent.name, AgentName::new)?,
            role: reader.check(file.agent.role, one_line)?,
            description: reader.check(file.agent.description, one_line)?,
            skills: file
                .capabilities
                .into_iter()
                .map(|(name, table)| skill(&reader, &name, table))
                .collect::<Result<_, _>>()?,
            keys: reader
                .check(file.keys.make, |text| Keys::parse(text).ok_or("keys are new, locked or none"))?,
            token_env: reader.check(file.github.token_env, wanted(variable_name))?,
            remote: reader.check(file.remote.name, wanted(one_line))?,
            sync: file.remote.sync,
            hooks: file.hooks.install,
            commit_msg: reader.check(
                file.hooks.commit_msg,
                wanted(|text| Style::parse(text).ok_or("a style is i2i, conventional, either or none")),
            )?,
            greet: reader.check(file.oracle.greet, wanted(AgentName::new))?,
            commit: file.commit.declaration,
            tasks: file.tasks.into_iter().map(|table| task(&reader, table)).collect::<Result<_, _>>()?,
        })
    }
}

fn skill(
    reader: &Reader<'_>,
    name: &Spanned<String>,
    table: SkillTable,
) -> Result<(String, Skill), AnswersError> {
    Word::new("capability", name.get_ref()).map_err(|error| reader.error(&name.span(), error))?;
    let confidence = match table.confidence {
        None => None,
        Some(number) => Some(
            Confidence::new(*number.get_ref())
                .ok_or_else(|| reader.error(&number.span(), "a confidence is a number from 0 to 1"))?,
        ),
    };
    let skill = Skill { confidence, description: table.description, last_used: None };
    Ok((name.get_ref().clone(), skill))
}

fn task(reader: &Reader<'_>, table: TaskTable) -> Result<FirstTask, AnswersError> {
    let title = reader.check(Some(table.title), one_line)?.unwrap_or_default();
    let priority = reader.check(table.priority, |text| {
        Priority::read(text).ok_or("a priority is critical, high, medium, low or backlog")
    })?;
    let caps = table
        .caps
        .into_iter()
        .filter_map(|cap| reader.check(Some(cap), |text| Word::new("capability", text)).transpose())
        .collect::<Result<_, _>>()?;
    Ok(FirstTask { title, text: table.text, priority: priority.unwrap_or_default(), caps })
}

#[cfg(test)]
mod tests;
