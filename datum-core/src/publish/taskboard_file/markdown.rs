//! Tasks in a board's Markdown, in the forms real boards have.
//!
//! Check boxes (`- [ ] title`), headings with fields below (`### TASK-1: title`, `**Status**: OPEN`), and tables with a
//! column for the task. Code fences are skipped, as Markdown does.

use super::{Priority, State, published};
use crate::publish::is_ours;

/// A task found in Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<'a> {
    /// Its line, from 1.
    pub line: usize,
    /// Its id, where it has one.
    pub id: Option<&'a str>,
    /// What to do.
    pub title: &'a str,
    /// Whether it is ticked or its state is done.
    pub done: bool,
    /// Its state, where stated.
    pub state: Option<State>,
    /// Its priority, where it or its section states one.
    pub priority: Option<Priority>,
    /// Who has it, where stated.
    pub assignee: Option<&'a str>,
    /// The heading it stands under.
    pub section: Option<&'a str>,
}

/// Finds the tasks of a board, in the order of their lines.
pub(super) fn items(text: &str) -> Vec<Item<'_>> {
    let mut reader = Reader { is_ours: is_ours(text), ..Reader::default() };
    for (index, line) in text.lines().enumerate() {
        reader.line(index + 1, line.trim());
    }
    reader.close_heading();
    reader.found.sort_by_key(|item| item.line);
    reader.found
}

#[derive(Default)]
struct Reader<'a> {
    found: Vec<Item<'a>>,
    section: Option<&'a str>,
    priority: Option<Priority>,
    /// A heading that becomes a task once a field follows it.
    heading: Option<(Item<'a>, bool)>,
    /// Where the columns of the table being read are.
    columns: Option<Columns>,
    fenced: bool,
    /// A board that datum published, whose lines have ids behind their titles alone.
    is_ours: bool,
}

/// Indexes of cells, found once a table: searching them in every row would cost rows times columns.
#[derive(Clone, Copy)]
struct Columns {
    id: Option<usize>,
    title: Option<usize>,
    priority: Option<usize>,
    state: Option<usize>,
    assignee: Option<usize>,
}

impl Columns {
    fn of(header: &[&str]) -> Self {
        let at = |wanted| header.iter().position(|cell| column(cell) == wanted);
        Self {
            id: at(Column::Id),
            title: at(Column::Title),
            priority: at(Column::Priority),
            state: at(Column::State),
            assignee: at(Column::Assignee),
        }
    }
}

/// What a column, or a field below a heading, is about.
#[derive(PartialEq, Eq)]
enum Column {
    Id,
    Title,
    Priority,
    State,
    Assignee,
    Other,
}

impl<'a> Reader<'a> {
    fn line(&mut self, number: usize, line: &'a str) {
        if line.starts_with("```") || line.starts_with("~~~") {
            self.fenced = !self.fenced;
        }
        if self.fenced {
            return;
        }
        if let Some(row) = line.strip_prefix('|') {
            return self.row(number, row.strip_suffix('|').unwrap_or(row));
        }
        self.columns = None;
        let level = line.bytes().take_while(|b| *b == b'#').count();
        if (1..=6).contains(&level) && line[level..].starts_with(' ') {
            self.heading(number, level, line[level..].trim());
        } else if let Some((done, title)) = check_box(line) {
            self.check_box(number, done, title);
        } else if let Some((item, has_field)) = &mut self.heading
            && let Some((name, value)) = field(line)
        {
            *has_field |= set(item, &name, value);
        }
    }

    fn heading(&mut self, number: usize, level: usize, text: &'a str) {
        self.close_heading();
        let stated = Priority::of_heading(text);
        if level <= 2 {
            self.section = Some(text);
            self.priority = stated;
        } else {
            let (id, title) = split_id(text);
            self.heading = Some((Item { id, ..self.item(number, title) }, false));
            self.priority = stated.or(self.priority);
        }
    }

    fn close_heading(&mut self) {
        if let Some((item, true)) = self.heading.take() {
            self.found.push(item);
        }
    }

    fn item(&self, line: usize, title: &'a str) -> Item<'a> {
        let (priority, section) = (self.priority, self.section);
        Item { line, id: None, title, done: false, state: None, priority, assignee: None, section }
    }

    fn check_box(&mut self, number: usize, done: bool, text: &'a str) {
        // A published line has its id behind the title, which may itself begin like one, and so may a new line beside it.
        let is_whole = self.is_ours || published(text).is_some();
        let (id, title) = if is_whole { (None, text) } else { split_id(text) };
        // An `@name` is an assignee; an address or a decorator inside a word is not.
        let name =
            |word: &'a str| word.strip_prefix('@').map(|name| name.trim_end_matches([',', '.', ')', ';']));
        let assignee = text.split_whitespace().find_map(name).filter(|name| !name.is_empty());
        let state = done.then_some(State::Done);
        self.found.push(Item { id, done, state, assignee, ..self.item(number, title) });
    }

    fn row(&mut self, number: usize, row: &'a str) {
        let cells: Vec<&str> = cells(row);
        // A table of something else has no column of titles, so that none of its rows is a task.
        let Some(columns) = self.columns else {
            self.columns = Some(Columns::of(&cells));
            return;
        };
        let cell = |at: Option<usize>| cells.get(at?).copied().filter(|cell| !cell.is_empty());
        let rule = cells.iter().all(|cell| cell.chars().all(|c| "-: ".contains(c)));
        let Some(title) = cell(columns.title).filter(|_| !rule) else { return };
        let state = cell(columns.state).and_then(State::read);
        let done = state == Some(State::Done) || cell(columns.state).is_some_and(|cell| cell.contains('✅'));
        let priority = cell(columns.priority).and_then(Priority::read).or(self.priority);
        let (id, assignee) = (cell(columns.id), cell(columns.assignee).filter(|name| !is_nobody(name)));
        let item = self.item(number, title);
        self.found.push(Item { id, done, state, priority, assignee, ..item });
    }
}

/// Sets a field of a heading task; says whether the field is one of a task's.
fn set<'a>(item: &mut Item<'a>, name: &str, value: &'a str) -> bool {
    match column(name) {
        Column::Priority => item.priority = Priority::read(value).or(item.priority),
        Column::State => {
            item.state = State::read(value);
            item.done = item.state == Some(State::Done);
        }
        Column::Assignee => item.assignee = Some(value).filter(|name| !is_nobody(name)),
        Column::Id => item.id = Some(value),
        Column::Title | Column::Other => return false,
    }
    true
}

fn is_nobody(name: &str) -> bool {
    ["", "-", "—", "none", "nobody", "unassigned", "tbd"].iter().any(|none| none.eq_ignore_ascii_case(name))
}

fn column(name: &str) -> Column {
    let bare = name.trim_matches(|c: char| !c.is_alphanumeric() && c != '#');
    match bare.to_ascii_lowercase().as_str() {
        "id" | "#" | "task id" => Column::Id,
        "task" | "title" | "description" | "item" => Column::Title,
        "priority" | "prio" => Column::Priority,
        "status" | "state" => Column::State,
        "assignee" | "assigned" | "assigned to" | "owner" | "agent" | "claimed by" => Column::Assignee,
        _ => Column::Other,
    }
}

/// The cells of a row; `\|` does not part them.
fn cells(row: &str) -> Vec<&str> {
    let mut cells = Vec::new();
    let mut start = 0;
    for (at, _) in row.match_indices('|').filter(|(at, _)| !row[..*at].ends_with('\\')) {
        cells.push(row[start..at].trim());
        start = at + 1;
    }
    cells.push(row[start..].trim());
    cells
}

fn check_box(line: &str) -> Option<(bool, &str)> {
    let rest = ["- [", "* [", "+ ["].iter().find_map(|bullet| line.strip_prefix(bullet))?;
    let (mark, title) = rest.split_once(']')?;
    let title = title.trim();
    (matches!(mark, " " | "x" | "X") && !title.is_empty()).then_some((mark != " ", title))
}

/// `**Name**: value`, `**Name:** value` or `- **Name**: value`.
fn field(line: &str) -> Option<(String, &str)> {
    let rest = line.trim_start_matches(['-', '*', ' ']);
    if rest.len() == line.len() {
        return None;
    }
    let (name, value) = rest.split_once(':')?;
    Some((name.trim_matches(['*', ' ']).to_owned(), value.trim_start_matches('*').trim()))
}

/// Splits `TASK-1: title`: what stands before the colon is an id if it is one word with a digit and no dot.
fn split_id(text: &str) -> (Option<&str>, &str) {
    let Some((id, title)) = text.split_once(": ") else { return (None, text) };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_#".contains(c);
    let fits = id.contains(|c: char| c.is_ascii_digit()) && id.chars().all(plain) && id.len() <= 40;
    if fits { (Some(id), title.trim()) } else { (None, text) }
}
