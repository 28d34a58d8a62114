//! The words of a task board, and what else people write for them.

use serde::{Deserialize, Serialize};

/// How urgent a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum Priority {
    /// Blocks others.
    Critical,
    /// Next.
    High,
    /// As usual.
    #[default]
    Medium,
    /// When there is time.
    Low,
    /// Some day.
    Backlog,
}

impl Priority {
    /// Every priority, the highest first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Backlog];

    /// The word, as it stands in trailers and results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Backlog => "backlog",
        }
    }

    /// The heading of its section.
    pub fn title(self) -> &'static str {
        match self {
            Self::Critical => "Critical",
            Self::High => "High",
            Self::Medium => "Medium",
            Self::Low => "Low",
            Self::Backlog => "Backlog",
        }
    }

    /// Reads the word, `P0` to `P9`, or a common other word, in any case.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        Some(match text.as_str() {
            "critical" | "urgent" | "p0" => Self::Critical,
            "high" | "p1" => Self::High,
            "medium" | "normal" | "p2" => Self::Medium,
            "low" | "p3" => Self::Low,
            "backlog" | "someday" | "p4" | "p5" | "p6" | "p7" | "p8" | "p9" => Self::Backlog,
            _ => return None,
        })
    }

    /// The priority a heading states: `P1 — High Priority`, `Priority 3: Testing`, `Backlog`.
    ///
    /// A word counts as the first one or beside "priority", so that "Make latency low" states none.
    pub(super) fn of_heading(heading: &str) -> Option<Self> {
        let apart = |c: char| !(c.is_alphanumeric() || c == '-');
        let words: Vec<&str> =
            heading.split(apart).filter(|word| word.contains(char::is_alphanumeric)).collect();
        let code = |word: &&&str| word.len() == 2 && word.starts_with(['P', 'p']);
        if let Some(found) = words.iter().find(code).and_then(|word| Self::read(word)) {
            return Some(found);
        }
        let Some(at) = words.iter().position(|word| word.eq_ignore_ascii_case("priority")) else {
            return words.first().and_then(|word| Self::read(word));
        };
        let numbered = |word: &&str| Self::read(&format!("p{word}"));
        let next = words.get(at + 1);
        next.and_then(numbered).or_else(|| words.iter().find_map(|word| Self::read(word)))
    }
}

impl TryFrom<String> for Priority {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::read(&text).ok_or_else(|| format!("no priority is called {}", short(&text)))
    }
}

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", try_from = "String")]
pub enum State {
    /// Nobody has it.
    #[default]
    Open,
    /// Somebody works on it.
    InProgress,
    /// It waits for something else.
    Blocked,
    /// It is to be looked at.
    Review,
    /// It is finished.
    Done,
    /// It will not be done.
    Cancelled,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::InProgress, Self::Blocked, Self::Review, Self::Done, Self::Cancelled];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::InProgress => "in-progress",
            Self::Blocked => "blocked",
            Self::Review => "review",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the word, or a common other one, in any case and with any of `-`, `_` and space.
    pub fn read(text: &str) -> Option<Self> {
        let decoration = |c: char| !c.is_alphanumeric();
        let text = text.trim_matches(decoration).to_ascii_lowercase().replace(['_', ' '], "-");
        Some(match text.as_str() {
            "open" | "todo" | "to-do" | "pending" | "new" | "available" => Self::Open,
            "in-progress" | "active" | "doing" | "claimed" | "assigned" | "wip" => Self::InProgress,
            "blocked" | "waiting" => Self::Blocked,
            "review" | "in-review" => Self::Review,
            "done" | "complete" | "completed" | "closed" | "shipped" => Self::Done,
            "cancelled" | "canceled" | "wontfix" | "dropped" => Self::Cancelled,
            _ => return None,
        })
    }
}

impl TryFrom<String> for State {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::read(&text).ok_or_else(|| format!("no task state is called {}", short(&text)))
    }
}

fn short(text: &str) -> String {
    format!("{:?}", text.chars().take(40).collect::<String>())
}
