//! `status` as text: every part on a line of its own, and below it as many of its rows as a screen leaves room for.

use super::standing::Standing;
use crate::out::{Out, Paint};
use crate::record::short;
use crate::table::{self, Cell};
use crate::time;
use datum_core::bottle::Brief;
use datum_core::publish::taskboard_file::State;
use datum_core::roster::{self, Liveness};
use datum_core::task::Task;
use datum_core::{Entry, Millis, journal};

/// Rows a part has at most, however high the terminal is.
const ROWS_MAX: usize = 8;
/// Columns of a part's name.
const LABEL: usize = 9;

/// A part of the screen.
struct Part {
    label: &'static str,
    says: Vec<Cell>,
    rows: Vec<Vec<Cell>>,
}

impl Part {
    fn new(label: &'static str, says: Vec<Cell>) -> Self {
        Self { label, says, rows: Vec::new() }
    }
}

/// The lines of the screen, at most `height` of them where that is enough for a line a part.
pub(super) fn lines(out: &Out, standing: &Standing, extra: &[String], size: (usize, usize)) -> Vec<String> {
    let (width, height) = size;
    let mut parts = vec![
        inbox(standing),
        tasks(standing),
        claims(standing),
        audits(standing),
        agents(standing),
        journal_part(standing),
        sync(standing),
        objects(standing),
    ];
    let fixed = 1 + parts.len() + extra.len();
    let shares = share(&parts, height.saturating_sub(fixed));
    let mut lines = vec![title(out, standing, width)];
    for (part, share) in parts.iter_mut().zip(shares) {
        let label = out.paint(Paint::Bold, &format!("{:<LABEL$}", part.label));
        let says = table::joined(out, &part.says, width.saturating_sub(LABEL));
        lines.push(format!("{label}{says}"));
        part.rows.truncate(share);
        lines.extend(table::lines(out, &part.rows, 2, width));
    }
    lines.extend(extra.iter().cloned());
    lines
}

/// Gives each part rows, one after another, until the room or the rows are at an end.
fn share(parts: &[Part], mut room: usize) -> Vec<usize> {
    let mut shares = vec![0; parts.len()];
    loop {
        let before = room;
        for (part, share) in parts.iter().zip(&mut shares) {
            if room > 0 && *share < part.rows.len().min(ROWS_MAX) {
                *share += 1;
                room -= 1;
            }
        }
        if room == before {
            return shares;
        }
    }
}

fn title(out: &Out, standing: &Standing, width: usize) -> String {
    let agent = standing.agent.as_ref().map_or("no agent", |name| name.as_str());
    let count: u64 = standing.known.entries.iter().map(|(_, count)| count).sum();
    let left = format!("{agent} in {}", standing.repository);
    let right = format!(
        "  {} in {}",
        number(count, "entry", "entries"),
        number(standing.known.logs as u64, "log", "logs")
    );
    let cells = [
        Cell::new(table::fit(&left, width.saturating_sub(right.len())), Paint::Bold),
        Cell::new(right, Paint::Dim),
    ];
    table::joined(out, &cells, width)
}

fn number(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A count that stands out as soon as there is something to count.
fn counted(count: usize, what: &str, paint: Paint) -> Cell {
    Cell::new(format!("{count} {what}"), if count == 0 { Paint::Dim } else { paint })
}

fn comma() -> Cell {
    Cell::plain(", ")
}

fn inbox(standing: &Standing) -> Part {
    let Some(waiting) = &standing.inbox else {
        let says = "no agent: pass --agent NAME, set DATUM_AGENT or run datum boot";
        return Part::new("inbox", vec![Cell::new(says, Paint::Dim)]);
    };
    let says = vec![
        counted(waiting.unread().len(), "unread", Paint::Bold),
        comma(),
        counted(waiting.overdue().len(), "overdue", Paint::Bad),
    ];
    let mut part = Part::new("inbox", says);
    let is_overdue = |bottle: &Brief<'_>| waiting.overdue().any(|other| other.id == bottle.id);
    let rest = waiting.unread().filter(|bottle| !is_overdue(bottle));
    part.rows = waiting
        .overdue()
        .chain(rest)
        .take(ROWS_MAX)
        .map(|bottle| bottle_row(&bottle, is_overdue(&bottle), standing.now))
        .collect();
    part
}

fn bottle_row(bottle: &Brief<'_>, late: bool, now: Millis) -> Vec<Cell> {
    let age = match bottle.deadline.filter(|_| late) {
        Some(deadline) => {
            Cell::new(format!("late {}", time::length(now.saturating_sub(deadline))), Paint::Bad)
        }
        None if bottle.time == 0 => Cell::new("no date", Paint::Dim),
        None => Cell::new(time::ago(bottle.time, now), Paint::Dim),
    };
    vec![
        Cell::new(short(bottle.id), Paint::Id),
        age,
        Cell::plain(bottle.from.unwrap_or("?")),
        Cell::new(bottle.kind.unwrap_or("-"), Paint::Dim),
        Cell::plain(bottle.subject),
    ]
}

fn tasks(standing: &Standing) -> Part {
    let ready = standing.tasks.ready(standing.now, None).count();
    let count = |state, what, paint| counted(standing.count(state), what, paint);
    let says = vec![
        counted(ready, "ready", Paint::Bold),
        comma(),
        count(State::InProgress, "in progress", Paint::Good),
        comma(),
        count(State::Blocked, "blocked", Paint::Bad),
        comma(),
        count(State::Review, "in review", Paint::Bold),
        comma(),
        count(State::Done, "done", Paint::Dim),
    ];
    let mut part = Part::new("tasks", says);
    part.rows = standing.shown_tasks().take(ROWS_MAX).map(|task| task_row(task, standing.now)).collect();
    part
}

fn task_row(task: &Task, now: Millis) -> Vec<Cell> {
    let state = task.status(now);
    let paint = match state {
        State::Blocked => Paint::Bad,
        State::InProgress => Paint::Good,
        _ => Paint::Dim,
    };
    let holder = match task.live_hold(now) {
        Some(hold) => format!("{}, {} left", hold.agent, time::length(hold.until - now)),
        None => "-".to_owned(),
    };
    vec![
        Cell::new(task.alias(), Paint::Id),
        Cell::new(task.priority.as_str(), Paint::Dim),
        Cell::new(state.as_str(), paint),
        Cell::new(holder, Paint::Dim),
        Cell::plain(&task.title),
    ]
}

fn claims(standing: &Standing) -> Part {
    let tasks = standing.tasks.all().iter().filter(|task| task.live_hold(standing.now).is_some()).count();
    let says = vec![
        counted(standing.claims.len(), "on names", Paint::Bold),
        Cell::new(format!(", {tasks} on tasks"), Paint::Dim),
    ];
    let mut part = Part::new("claims", says);
    let row = |claim: &datum_core::claim::Claim| {
        let left = time::length(claim.until.saturating_sub(standing.now));
        vec![
            Cell::new(claim.name.as_str(), Paint::Id),
            Cell::new(format!("{left} left"), Paint::Dim),
            Cell::plain(claim.holder.agent()),
        ]
    };
    part.rows = standing.claims.iter().take(ROWS_MAX).map(row).collect();
    part
}

fn audits(standing: &Standing) -> Part {
    let since = if standing.agent.is_some() { "new" } else { "in 24 hours" };
    let mut says = vec![counted(standing.audits.since, since, Paint::Bold)];
    if let Some(newest) = &standing.audits.newest {
        let counts = &newest.report.counts;
        let failing = if counts.fail == 0 { Paint::Good } else { Paint::Bad };
        let changes = match standing.audit_changes() {
            Some((0, 0)) => "; as before".to_owned(),
            Some((came, went)) => format!("; {came} new, {went} gone"),
            None => String::new(),
        };
        says.push(Cell::plain(format!("; {}: ", newest.report.audit)));
        says.push(Cell::new(format!("{} pass, {} fail", counts.pass, counts.fail), failing));
        let by = format!("{changes}; {} by {}", time::ago(newest.clock, standing.now), newest.agent);
        says.push(Cell::new(by, Paint::Dim));
    }
    Part::new("audits", says)
}

fn agents(standing: &Standing) -> Part {
    let mut part = Part::new("agents", vec![counted(standing.agents.len(), "known", Paint::Plain)]);
    let row = |seen: &datum_core::outlook::Seen| {
        let (name, liveness) = (seen.agent.name.as_str(), seen.agent.liveness(standing.now));
        let paint = if liveness == Liveness::Live { Paint::Good } else { Paint::Dim };
        let stated = match seen.agent.state {
            roster::State::Uninitialized => String::new(),
            state => format!("{}, ", state.as_str()),
        };
        let when =
            seen.agent.seen.map(|seen| format!(" {}", time::ago(seen, standing.now))).unwrap_or_default();
        let held: Vec<String> = standing.tasks.held_by(name, standing.now).map(Task::alias).take(4).collect();
        vec![
            Cell::plain(name),
            Cell::new(format!("{stated}{}{when}", liveness.as_str()), paint),
            Cell::new(number(seen.entries, "entry", "entries"), Paint::Dim),
            Cell::new(held.join(" "), Paint::Id),
        ]
    };
    part.rows = standing.agents.iter().take(ROWS_MAX).map(row).collect();
    part
}

fn journal_part(standing: &Standing) -> Part {
    let count = standing.known.entries.iter().find(|(kind, _)| *kind == datum_core::Kind::Journal);
    let says = number(count.map_or(0, |(_, count)| *count), "entry", "entries");
    let mut part = Part::new("journal", vec![Cell::plain(says)]);
    let row = |entry: &Entry| {
        vec![
            Cell::new(short(entry.id), Paint::Id),
            Cell::new(time::ago(entry.clock, standing.now), Paint::Dim),
            Cell::plain(&entry.agent),
            Cell::plain(entry.trailer(journal::CATEGORY).unwrap_or("-")),
            Cell::plain(&entry.subject),
        ]
    };
    part.rows = standing.journal.iter().map(row).collect();
    part
}

fn sync(standing: &Standing) -> Part {
    let says = match &standing.remote {
        None => vec![Cell::new("no remote to sync with", Paint::Dim)],
        Some((name, unsent)) if unsent.logs == 0 && unsent.met => {
            vec![Cell::new(format!("all sent to {name}"), Paint::Good)]
        }
        Some((name, _)) if standing.known.logs == 0 => {
            vec![Cell::plain(format!("nothing to send to {name}"))]
        }
        Some((name, unsent)) => {
            let what = number(unsent.entries, "entry", "entries");
            let never = if unsent.met { "" } else { " (never synced)" };
            vec![Cell::new(format!("{what} not sent to {name}{never}: datum sync"), Paint::Bold)]
        }
    };
    Part::new("sync", says)
}

fn objects(standing: &Standing) -> Part {
    let upkeep = &standing.upkeep;
    let packs = number(upkeep.packs as u64, "pack", "packs");
    let mut says = vec![Cell::plain(format!(
        "{} in {packs}, {}{} loose; ",
        bytes(upkeep.pack_bytes),
        if upkeep.is_estimate { "about " } else { "" },
        number(upkeep.loose as u64, "object", "objects")
    ))];
    says.push(match (upkeep.due, upkeep.by_itself) {
        (false, _) => Cell::new("maintenance not due", Paint::Dim),
        (true, true) => Cell::new("maintenance due, started by the next seal", Paint::Bold),
        (true, false) => Cell::new("maintenance due: git maintenance run", Paint::Bad),
    });
    Part::new("objects", says)
}

/// Bytes in the unit in which they have at most four digits before the point.
fn bytes(count: u64) -> String {
    let mut rest = count;
    for unit in ["bytes", "KiB", "MiB", "GiB"] {
        if rest < 10_000 {
            return format!("{rest} {unit}");
        }
        rest /= 1024;
    }
    format!("{rest} TiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_shared_one_row_after_another() {
        let part =
            |rows: usize| Part { label: "x", says: Vec::new(), rows: vec![vec![Cell::plain("y")]; rows] };
        let parts = [part(9), part(1), part(0), part(3)];
        assert_eq!(share(&parts, 7), [3, 1, 0, 3]);
        assert_eq!(share(&parts, 100), [ROWS_MAX, 1, 0, 3]);
        assert_eq!(share(&parts, 0), [0, 0, 0, 0]);
    }

    #[test]
    fn bytes_are_short() {
        assert_eq!(
            (bytes(0), bytes(9999), bytes(10_240)),
            ("0 bytes".into(), "9999 bytes".into(), "10 KiB".into())
        );
    }
}
