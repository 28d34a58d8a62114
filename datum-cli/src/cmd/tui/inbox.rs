//! The inbox, by threads: the thread with the newest bottle first, and in it each answer below what it answers.

use super::page::{Page, Piece, Row, Tone};
use super::pages::ROWS_MAX;
use crate::time;
use datum_core::bottle::{Bottle, Me, Source};
use datum_core::{EntryId, Millis};
use std::collections::{BTreeMap, BTreeSet};

/// Deepest that an answer is moved to the right.
const DEPTH_MAX: usize = 5;

/// The page for `me`, or of all bottles where there is no agent.
pub(super) fn page(bottles: &[Bottle], me: Option<&Me>, now: Millis) -> Page {
    let threads = threads(bottles);
    let is_ours = |bottle: &Bottle| {
        me.is_none_or(|me| bottle.is_for(me) || bottle.from_agent.as_ref() == Some(&me.name))
    };
    let ours: Vec<_> =
        threads.into_iter().filter(|thread| thread.iter().any(|(bottle, _)| is_ours(bottle))).collect();
    let count: usize = ours.iter().map(Vec::len).sum();
    let rows: Vec<Row> = ours
        .into_iter()
        .flatten()
        .take(ROWS_MAX)
        .map(|(bottle, depth)| row(bottle, depth, me, now))
        .collect();
    let unread = bottles
        .iter()
        .filter(|bottle| me.is_some_and(|me| bottle.is_for(me) && is_unread(bottle, me)))
        .count();
    Page {
        heads: &["", "Date", "From", "To", "Type", "Subject"],
        rows,
        badge: super::pages::count(unread, "unread"),
        empty: "No bottle: datum bottle drop AGENT SUBJECT",
        more: count.saturating_sub(ROWS_MAX) as u64,
    }
}

fn is_unread(bottle: &Bottle, me: &Me) -> bool {
    bottle.is_new_to(&me.name)
}

/// The bottles by thread, each with how deep it lies. A bottle may name itself or one that is not here.
fn threads(bottles: &[Bottle]) -> Vec<Vec<(&Bottle, usize)>> {
    let known: BTreeSet<EntryId> = bottles.iter().map(|bottle| bottle.id).collect();
    let mut answers: BTreeMap<EntryId, Vec<&Bottle>> = BTreeMap::new();
    let mut roots = Vec::new();
    // The list is newest first; answers are told oldest first.
    for bottle in bottles.iter().rev() {
        match bottle.in_reply_to.filter(|id| known.contains(id)) {
            Some(parent) => answers.entry(parent).or_default().push(bottle),
            None => roots.push(bottle),
        }
    }
    let mut placed = BTreeSet::new();
    let mut threads: Vec<Vec<(&Bottle, usize)>> = Vec::new();
    // Those that answer each other in a circle have no root: the oldest of them stands for one.
    for bottle in roots.into_iter().chain(bottles.iter().rev()) {
        let mut thread = Vec::new();
        let mut stack = vec![(bottle, 0)];
        while let Some((bottle, depth)) = stack.pop() {
            if placed.insert(bottle.id) {
                thread.push((bottle, depth));
                let below = answers.get(&bottle.id).into_iter().flatten().rev();
                stack.extend(below.map(|answer| (*answer, depth + 1)));
            }
        }
        if !thread.is_empty() {
            threads.push(thread);
        }
    }
    threads.sort_by_key(|thread| std::cmp::Reverse(thread.iter().map(|(bottle, _)| bottle.time).max()));
    threads
}

fn row(bottle: &Bottle, depth: usize, me: Option<&Me>, now: Millis) -> Row {
    let mine = me.filter(|me| bottle.is_for(me));
    let unread = mine.is_some_and(|me| is_unread(bottle, me));
    let overdue = bottle.is_overdue(now);
    let mark = match (overdue, unread) {
        (true, _) => Piece::new("!", Tone::Bad),
        (false, true) => Piece::new("*", Tone::Bold),
        (false, false) => Piece::new("", Tone::Plain),
    };
    let date = bottle.date.as_deref().map_or("no date", |date| date.get(..10).unwrap_or(date));
    let from = bottle.from.as_deref().unwrap_or("?");
    let to = bottle.to.join(",");
    let branch =
        if depth == 0 { String::new() } else { format!("{}└ ", "  ".repeat(depth.min(DEPTH_MAX) - 1)) };
    let pieces = vec![
        mark,
        Piece::new(date, Tone::Dim),
        Piece::new(from, Tone::Plain),
        Piece::new(&to, Tone::Plain),
        Piece::new(bottle.kind.as_deref().unwrap_or("-"), Tone::Dim),
        Piece::new(format!("{branch}{}", bottle.subject), if unread { Tone::Bold } else { Tone::Plain }),
    ];
    let place = match &bottle.source {
        Source::Log(writer) => writer.clone(),
        Source::Files(paths) => paths.join(", "),
    };
    let states: Vec<String> =
        bottle.stages.iter().map(|(agent, status)| format!("{agent}: {}", status.stage.as_str())).collect();
    let deadline = bottle.deadline.map(time::show).unwrap_or_default();
    let late = if overdue { format!("{deadline}, overdue") } else { deadline };
    Row::new(bottle.id.to_string(), pieces)
        .line(format!("bottle {}", bottle.id), Tone::Id)
        .line(&bottle.subject, Tone::Bold)
        .field("From:", from)
        .field("To:", &to)
        .field("Date:", bottle.date.as_deref().unwrap_or_default())
        .field("Type:", bottle.kind.as_deref().unwrap_or_default())
        .field("Deadline:", late)
        .field("Where:", place)
        .field("States:", states.join(", "))
        .body(&String::from_utf8_lossy(&bottle.text))
}
