//! The five pages, read from one snapshot.

use super::inbox;
use super::page::{Page, Piece, Row, Tone};
use crate::fault::Fault;
use crate::record::short;
use crate::time;
use datum_core::audit::{self, Answer, Recorded};
use datum_core::bottle::{self, Me};
use datum_core::publish::taskboard_file::State;
use datum_core::roster::{self, Liveness};
use datum_core::task::{self, Task, Tasks};
use datum_core::{Entry, Kind, Millis, Snapshot, journal, onboarding, outlook};

/// The titles, in the order of the pages.
pub(super) const TITLES: [&str; 5] = ["Journal", "Inbox", "Board", "Agents", "Audits"];
/// Rows of a page at most; commands show the rest.
pub(super) const ROWS_MAX: usize = 2000;
/// Reports that are read at most: each can be long.
const REPORTS_MAX: usize = 50;

/// Reads all pages.
pub(super) fn read(snapshot: &Snapshot<'_>, me: Option<&Me>, now: Millis) -> Result<[Page; 5], Fault> {
    let query = journal::Query { limit: Some(ROWS_MAX), ..journal::Query::default() };
    let entries = journal::list(snapshot, &query, |_| true);
    let tasks = task::fold(snapshot);
    let bottles = bottle::inbox(snapshot)?.bottles;
    Ok([
        journal_page(snapshot, &entries),
        inbox::page(&bottles, me, now),
        board(&tasks, me, now),
        agents(snapshot, &tasks, &entries, now)?,
        audits(snapshot),
    ])
}

/// What stands beside a title.
pub(super) fn count(count: usize, what: &str) -> String {
    if count > 0 { format!("{count} {what}") } else { String::new() }
}

fn journal_page(snapshot: &Snapshot<'_>, entries: &[Entry]) -> Page {
    let count = onboarding::known(snapshot).entries.into_iter().find(|(kind, _)| *kind == Kind::Journal);
    let shown = entries.len() as u64;
    let more =
        if entries.len() < ROWS_MAX { 0 } else { count.map_or(0, |(_, all)| all.saturating_sub(shown)) };
    let empty = "The journal is empty: datum journal CATEGORY 'what you did'";
    Page {
        heads: &["Time", "Agent", "Category", "Entry"],
        rows: entries.iter().map(entry).collect(),
        badge: String::new(),
        empty,
        more,
    }
}

fn entry(entry: &Entry) -> Row {
    let category = entry.trailer(journal::CATEGORY).unwrap_or("-");
    let pieces = vec![
        Piece::new(minute(entry.clock), Tone::Dim),
        Piece::new(&entry.agent, Tone::Plain),
        Piece::new(category, Tone::Bold),
        Piece::new(&entry.subject, Tone::Plain),
    ];
    Row::new(entry.id.to_string(), pieces)
        .line(format!("entry {}", entry.id), Tone::Id)
        .field("Agent:", &entry.agent)
        .field("Time:", time::show(entry.clock))
        .field("Category:", category)
        .field("Tags:", entry.values(journal::TAG).collect::<Vec<_>>().join(", "))
        .field("Writer:", entry.writer.as_str())
        .body(entry.text())
}

/// `2026-01-31 12:00`.
pub(super) fn minute(time: Millis) -> String {
    time::show(time).get(..16).unwrap_or_default().to_owned()
}

fn board(tasks: &Tasks, me: Option<&Me>, now: Millis) -> Page {
    let order =
        [State::InProgress, State::Review, State::Blocked, State::Open, State::Done, State::Cancelled];
    let of = |state: State| tasks.all().iter().filter(move |task| task.status(now) == state);
    let rows = order.into_iter().flat_map(of).take(ROWS_MAX).map(|task| task_row(tasks, task, now)).collect();
    let mine =
        me.map_or(0, |me| tasks.held_by(me.name.as_str(), now).filter(|task| !task.is_closed()).count());
    let more = tasks.len().saturating_sub(ROWS_MAX) as u64;
    let empty = "There is no task: datum task create TITLE";
    Page {
        heads: &["Task", "State", "Priority", "Agent", "Title"],
        rows,
        badge: count(mine, "yours"),
        empty,
        more,
    }
}

fn task_row(tasks: &Tasks, task: &Task, now: Millis) -> Row {
    let state = task.status(now);
    let waits: Vec<String> =
        tasks.waits_for(task).map(|id| tasks.get(id).map_or_else(|| short(id), Task::alias)).collect();
    let (word, tone) = match state {
        State::Open if waits.is_empty() => ("ready", Tone::Bold),
        State::Open => ("waits", Tone::Dim),
        State::InProgress => ("in progress", Tone::Good),
        State::Review => ("review", Tone::Bold),
        State::Blocked => ("blocked", Tone::Bad),
        State::Done => ("done", Tone::Dim),
        State::Cancelled => ("cancelled", Tone::Dim),
    };
    let hold = task.live_hold(now);
    let pieces = vec![
        Piece::new(task.alias(), Tone::Id),
        Piece::new(word, tone),
        Piece::new(task.priority.as_str(), Tone::Plain),
        Piece::new(hold.map_or("-", |hold| hold.agent.as_str()), Tone::Plain),
        Piece::new(&task.title, if task.is_closed() { Tone::Dim } else { Tone::Plain }),
    ];
    let until =
        hold.map(|hold| format!("{} until {}", hold.agent, time::show(hold.until))).unwrap_or_default();
    let set =
        |words: &std::collections::BTreeSet<String>| words.iter().cloned().collect::<Vec<_>>().join(", ");
    let parent =
        task.parent.map(|id| tasks.get(id).map_or_else(|| short(id), Task::alias)).unwrap_or_default();
    Row::new(task.id.to_string(), pieces)
        .line(format!("{} {}", task.alias(), task.title), Tone::Bold)
        .field("Entry:", task.id.to_string())
        .field("State:", word)
        .field("Priority:", task.priority.as_str())
        .field("Claimed:", until)
        .field("Waits for:", waits.join(", "))
        .field("Part of:", parent)
        .field("Needs:", set(&task.caps))
        .field("Tags:", set(&task.tags))
        .field("Asked by:", task.requester.as_deref().unwrap_or_default())
        .field("Made:", format!("{} by {}", time::show(task.created), task.author))
        .field("Changed:", time::show(task.updated))
        .body(&task.text)
}

fn agents(snapshot: &Snapshot<'_>, tasks: &Tasks, entries: &[Entry], now: Millis) -> Result<Page, Fault> {
    let row = |seen: outlook::Seen| {
        let (agent, name) = (&seen.agent, seen.agent.name.as_str());
        let (liveness, last) = (agent.liveness(now), agent.seen);
        let state = match agent.state {
            roster::State::Uninitialized => "-",
            state => state.as_str(),
        };
        let live = if liveness == Liveness::Live { Tone::Good } else { Tone::Dim };
        let ago = last.map_or_else(|| "never".to_owned(), |seen| time::ago(seen, now));
        let held: Vec<&Task> = tasks.held_by(name, now).filter(|task| !task.is_closed()).collect();
        let record = tasks.record(name, now);
        let aliases: Vec<String> = held.iter().map(|task| task.alias()).collect();
        let pieces = vec![
            Piece::new(name, Tone::Bold),
            Piece::new(state, Tone::Plain),
            Piece::new(ago, live),
            Piece::new(seen.entries.to_string(), Tone::Plain),
            Piece::new(record.finished.to_string(), Tone::Plain),
            Piece::new(record.dropped.to_string(), if record.dropped > 0 { Tone::Bad } else { Tone::Plain }),
            Piece::new(aliases.join(" "), Tone::Id),
        ];
        let mut row = Row::new(name, pieces)
            .line(name, Tone::Bold)
            .field("State:", format!("{state}, {}", liveness.as_str()))
            .field("Note:", &agent.note)
            .field("Seen:", last.map(time::show).unwrap_or_default())
            .field("Entries:", seen.entries.to_string())
            .field("Tasks:", format!("{} finished, {} dropped", record.finished, record.dropped));
        for task in held {
            row = row.line(format!("has {} {}", task.alias(), task.title), Tone::Good);
        }
        row = row.line("", Tone::Plain);
        for entry in entries.iter().filter(|entry| entry.agent == name).take(20) {
            let category = entry.trailer(journal::CATEGORY).unwrap_or("-");
            row = row.line(format!("{} {category} {}", minute(entry.clock), entry.subject), Tone::Plain);
        }
        row
    };
    let heads = &["Agent", "State", "Seen", "Entries", "Done", "Dropped", "Has"];
    let rows = outlook::seen(snapshot)?.into_iter().map(row).collect();
    Ok(Page { heads, rows, badge: String::new(), empty: "No agent has written here: datum boot", more: 0 })
}

fn audits(snapshot: &Snapshot<'_>) -> Page {
    let heads = &["Time", "Agent", "Audit", "Pass", "Fail", "Unknown", "Findings"];
    let rows = audit::recorded(snapshot, REPORTS_MAX).iter().map(report).collect();
    Page { heads, rows, badge: String::new(), empty: "No audit was recorded: datum audit --record", more: 0 }
}

fn report(recorded: &Recorded) -> Row {
    let counts = &recorded.report.counts;
    let findings: Vec<String> =
        counts.open.iter().rev().map(|(level, count)| format!("{count} {}", level.as_str())).collect();
    let fails = if counts.fail > 0 { Tone::Bad } else { Tone::Good };
    let pieces = vec![
        Piece::new(minute(recorded.clock), Tone::Dim),
        Piece::new(&recorded.agent, Tone::Plain),
        Piece::new(&recorded.report.audit, Tone::Bold),
        Piece::new(counts.pass.to_string(), Tone::Plain),
        Piece::new(counts.fail.to_string(), fails),
        Piece::new(counts.unknown.to_string(), Tone::Plain),
        Piece::new(findings.join(", "), Tone::Plain),
    ];
    let commit = recorded.report.commit.as_deref().unwrap_or("none");
    let mut row = Row::new(recorded.id.to_string(), pieces)
        .line(format!("entry {}", recorded.id), Tone::Id)
        .field("Commit:", commit)
        .field("Program:", &recorded.report.tool);
    for outcome in
        recorded.report.rules.iter().filter(|rule| matches!(rule.answer, Answer::Fail | Answer::Unknown))
    {
        let head = format!("{} {} ({})", outcome.answer.as_str(), outcome.rule, outcome.level.as_str());
        row = row.line(head, if outcome.answer == Answer::Fail { Tone::Bad } else { Tone::Bold });
        for finding in &outcome.findings {
            let place = finding.path.as_ref().map(|path| format!("{path}: ")).unwrap_or_default();
            row = row.line(format!("  {place}{}", finding.message), Tone::Plain);
        }
        if !outcome.fix.is_empty() {
            row = row.line(format!("  fix: {}", outcome.fix), Tone::Dim);
        }
    }
    row
}
