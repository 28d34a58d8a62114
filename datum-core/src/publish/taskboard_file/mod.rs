//! TASKBOARD.md: tasks by priority for people, and the same tasks as JSON between two comments for programs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{BOARD_MARK, one_line};

mod json;
mod markdown;
mod seal;
mod unmerged;
mod words;

pub use json::{Place, places};
pub use markdown::Item;
pub use seal::SEAL;
pub use words::{Priority, State};

/// The comment before the tasks.
pub const JSON_START: &str = "<!-- TASKS_JSON_START -->";
/// The comment after the tasks.
pub const JSON_END: &str = "<!-- TASKS_JSON_END -->";

/// One task, in the shape the original runtime's boards have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoardTask {
    /// Its id.
    pub id: String,
    /// What to do, on one line.
    pub title: String,
    /// What to do, at length.
    #[serde(default)]
    pub description: String,
    /// How urgent it is.
    #[serde(default)]
    pub priority: Priority,
    /// How far it is.
    #[serde(default, alias = "state")]
    pub status: State,
    /// Who has it.
    #[serde(default, alias = "assignee")]
    pub assigned_to: Option<String>,
    /// Who asked for it.
    #[serde(default)]
    pub requested_by: Option<String>,
    /// What an agent must be able to do for it.
    #[serde(default, alias = "capabilities")]
    pub required_capabilities: Vec<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// When it was made, as written.
    #[serde(default, alias = "created")]
    pub created_at: Option<String>,
    /// When it last changed, as written.
    #[serde(default, alias = "updated")]
    pub updated_at: Option<String>,
    /// Whatever else a board says of it; kept so that nothing another program wrote is lost.
    #[serde(flatten)]
    pub extra: BTreeMap<String, serde_json::Value>,
}

/// What a board holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Board<'a> {
    /// Tasks from the JSON, which then says all; the Markdown beside it is for people.
    Json(Vec<BoardTask>),
    /// Tasks from check boxes, headings with fields, and tables, where there is no JSON.
    Markdown(Vec<Item<'a>>),
}

/// Why a board could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The JSON is broken, or a task in it is.
    #[error("line {line}, column {column}: the tasks' JSON is broken: {message}")]
    Json {
        /// Line in the file, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
        /// What is the matter.
        message: String,
    },
    /// [`JSON_START`] stands without [`JSON_END`] after it.
    #[error("line {line}: '{JSON_START}' has no '{JSON_END}' after it")]
    Unclosed {
        /// Line of the comment, from 1.
        line: usize,
    },
    /// The comment after the tasks is there, and that before them is not.
    #[error("line {line}: {JSON_END} has no {JSON_START} before it")]
    Unopened {
        /// Line of the comment, from 1.
        line: usize,
    },
    /// A merge left its marks in the board: which of two sides holds is for people to say.
    #[error("line {line}: {mark:?} was left by a merge in which both sides changed the board")]
    Unmerged {
        /// The first line with such a mark, from 1.
        line: usize,
        /// The mark.
        mark: &'static str,
    },
}

/// Prints a board, marked as published by datum: priorities from the highest, and in each the order given.
///
/// # Examples
/// ```
/// use datum_core::publish::taskboard_file::{Board, BoardTask, parse, print};
/// let task: BoardTask = serde_json::from_str(r#"{"id": "a1", "title": "Fix it", "priority": "high"}"#)?;
/// let file = print(&[task.clone()]);
/// assert!(file.contains("## High\n\n- [ ] Fix it (`a1`), open\n"));
/// assert_eq!(parse(&file)?, Board::Json(vec![task]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn print(tasks: &[BoardTask]) -> String {
    let mut out = format!("{BOARD_MARK}\n\n# Task board\n\n");
    let mut sorted: Vec<&BoardTask> = tasks.iter().collect();
    sorted.sort_by_key(|task| task.priority);
    for priority in Priority::ALL {
        let lines: Vec<String> =
            sorted.iter().filter(|task| task.priority == priority).map(|task| task_line(task)).collect();
        if !lines.is_empty() {
            out.extend([format!("## {}\n\n{}\n", priority.title(), lines.concat())]);
        }
    }
    let json = serde_json::to_string_pretty(&sorted).unwrap_or_default();
    // Angle brackets stand only inside strings; escaped, no task can close the comment or fake one.
    let json = json.replace('<', "\\u003c").replace('>', "\\u003e");
    out.extend([JSON_START, "\n", &json, "\n", JSON_END, "\n"]);
    out
}

/// Whether a board stands as [`print()`] wrote it, its first line aside: then nobody has changed anything in it.
///
/// Its JSON is told from its seals; a board from before there were any has none.
pub fn is_untouched(text: &str) -> bool {
    fn rest(text: &str) -> Option<&str> {
        text.split_once('\n').map(|(_, rest)| rest)
    }
    let Ok(Board::Json(tasks)) = parse(text) else { return false };
    let sealed = tasks.iter().all(BoardTask::is_as_sealed) || tasks.iter().all(|task| task.seal().is_none());
    sealed && rest(&print(&tasks)) == rest(text)
}

/// A title as one line.
pub fn shown_title(title: &str) -> String {
    one_line(title)
}

/// A text as the Markdown of a printed board has it.
pub fn escape(text: &str) -> String {
    one_line(text).replace('<', "&lt;")
}

/// The text that a line's Markdown stands for.
pub fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
}

/// A line that [`print()`] wrote, from what stands after its check box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// The title, to be read with [`unescape()`].
    pub title: &'a str,
    /// The task's id.
    pub id: &'a str,
    /// The word for its state, where there is one.
    pub state: Option<&'a str>,
    /// Who has it, where it says so.
    pub assigned_to: Option<&'a str>,
}

/// Reads a line that [`print()`] wrote, from what stands after its check box; `None` for any other line.
///
/// # Examples
/// ```
/// use datum_core::publish::taskboard_file::published;
/// let line = published("Fix it (`T-4k9x2ma`), in-progress, @a").unwrap();
/// assert_eq!((line.title, line.id), ("Fix it", "T-4k9x2ma"));
/// assert_eq!((line.state, line.assigned_to), (Some("in-progress"), Some("a")));
/// assert_eq!(published("Fix it"), None);
/// ```
pub fn published(line: &str) -> Option<Line<'_>> {
    let (title, rest) = line.rsplit_once(" (`")?;
    let (id, after) = rest.split_once("`)")?;
    let words = || after.split(',').skip(1).map(str::trim).filter(|word| !word.is_empty());
    (after.is_empty() || after.starts_with(',')).then(|| Line {
        title,
        id,
        state: words().find(|word| !word.starts_with('@')),
        assigned_to: words().find_map(|word| word.strip_prefix('@')),
    })
}

fn task_line(task: &BoardTask) -> String {
    let plain = escape;
    let mark = if task.status == State::Done { 'x' } else { ' ' };
    let assignee = task.assigned_to.as_deref().map(|name| format!(", @{}", plain(name))).unwrap_or_default();
    let id = plain(&task.id).replace('`', "'");
    format!("- [{mark}] {} (`{id}`), {}{assignee}\n", plain(&task.title), task.status.as_str())
}

/// Reads a board: its JSON where there is some, otherwise its Markdown.
///
/// # Errors
/// [`Error`] with the place where the JSON is broken or a merge was left; such a board is never read as an empty one.
pub fn parse(text: &str) -> Result<Board<'_>, Error> {
    if let Some((line, mark)) = unmerged::first(text) {
        return Err(Error::Unmerged { line, mark });
    }
    json::tasks(text)?
        .map_or_else(|| Ok(Board::Markdown(markdown::items(text))), |tasks| Ok(Board::Json(tasks)))
}

#[cfg(test)]
mod tests;
