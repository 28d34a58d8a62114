//! `datum bottle`: messages between agents.

mod list;
mod read;
mod seen;
pub(crate) mod send;
mod survey;
mod watch;
mod write;

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::record::short;
use clap::Subcommand;
use datum_core::Snapshot;
use datum_core::bottle::{self, Bottle, Inbox, Me, Source, Stage};
use datum_core::file_bottle::Rung;
use serde::Serialize;
use std::collections::BTreeMap;

/// Drops, lists, reads and answers bottles.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  datum bottle drop heron 'Storm ahead' --type alert --deadline 2h --content 'Reef the sails.'\n  datum bottle check\n  datum bottle read 3f9a2c\n  datum bottle reply 3f9a2c --content 'Reefed.'"
)]
pub(crate) struct Bottles {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Command {
    /// Drop a bottle for an agent, a list (a,b), a role (role:x) or a capability (cap:y)
    Drop(write::Drop),
    /// Drop a bottle for whoever reads it
    Broadcast(write::Broadcast),
    /// List the bottles for this agent that are new
    Check(list::Check),
    /// Print a bottle and note that it was read
    Read(read::Read),
    /// Answer a bottle
    Reply(write::Reply),
    /// Acknowledge bottles
    Ack(write::Ack),
    /// Hide a bottle (undo brings it back)
    Delete(write::Delete),
    /// List the bottles for other vessels and how far each has come
    Sent(send::SentArgs),
    /// Wait for new bottles
    Watch(watch::Watch),
    /// Count bottles by state, type and sender
    Summary(list::Summary),
    /// List a thread, oldest first
    Thread(list::Thread),
    /// Measure how well the file bottles of a folder or repository can be read
    Survey(survey::SurveyArgs),
}

impl Bottles {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        match &self.command {
            Command::Drop(command) => command.run(edge, out),
            Command::Broadcast(command) => command.run(edge, out),
            Command::Check(command) => command.run(edge, out),
            Command::Read(command) => command.run(edge, out),
            Command::Reply(command) => command.run(edge, out),
            Command::Ack(command) => command.run(edge, out),
            Command::Delete(command) => command.run(edge, out),
            Command::Sent(command) => command.run(edge, out),
            Command::Watch(command) => command.run(edge, out),
            Command::Summary(command) => command.run(edge, out),
            Command::Thread(command) => command.run(edge, out),
            Command::Survey(command) => command.run(out),
        }
    }
}

/// All bottles of a snapshot.
fn inbox(snapshot: &Snapshot<'_>) -> Result<Inbox, Fault> {
    Ok(bottle::inbox(snapshot)?)
}

/// The one bottle that an id, the beginning of one, or a path names.
fn one<'i>(inbox: &'i Inbox, text: &str) -> Result<&'i Bottle, Fault> {
    let is_id = (4..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    match inbox.find(text).as_slice() {
        [bottle] => Ok(bottle),
        many if is_id && !many.is_empty() => {
            let ids: Vec<_> = many.iter().take(10).map(|bottle| short(bottle.id)).collect();
            Err(Fault::usage(format!("{text} is ambiguous: {}", ids.join(", "))).hint("give more digits"))
        }
        _ => Err(Fault::usage(format!("no bottle {text}"))
            .hint("datum bottle check --all lists ids; a file bottle also answers to its path")),
    }
}

/// A bottle as JSON, version 1.
#[derive(Serialize)]
struct Shown<'a> {
    id: String,
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    writer: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    paths: &'a [String],
    from: Option<&'a str>,
    to: &'a [String],
    #[serde(rename = "type")]
    kind: Option<&'a str>,
    subject: &'a str,
    date: Option<&'a str>,
    priority: Option<&'static str>,
    deadline: Option<String>,
    in_reply_to: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    read_from: BTreeMap<&'static str, &'static str>,
    states: BTreeMap<&'a str, &'static str>,
}

impl<'a> Shown<'a> {
    fn of(bottle: &'a Bottle) -> Self {
        let (source, writer, paths) = match &bottle.source {
            Source::Log(writer) => ("log", Some(writer.as_str()), [].as_slice()),
            Source::Files(paths) => ("file", None, paths.as_slice()),
        };
        Self {
            id: bottle.id.to_string(),
            source,
            writer,
            paths,
            from: bottle.from.as_deref(),
            to: &bottle.to,
            kind: bottle.kind.as_deref(),
            subject: &bottle.subject,
            date: bottle.date.as_deref(),
            priority: bottle.priority.map(datum_core::publish::taskboard_file::Priority::as_str),
            deadline: bottle.deadline.map(crate::time::iso),
            in_reply_to: bottle.in_reply_to.map(|id| id.to_string()),
            read_from: bottle.rungs.iter().map(|(field, rung)| (*field, Rung::as_str(*rung))).collect(),
            states: bottle
                .stages
                .iter()
                .map(|(agent, status)| (agent.as_str(), status.stage.as_str()))
                .collect(),
        }
    }
}

/// How far a bottle has come for `me`; of one's own, how far with its furthest reader.
fn state(bottle: &Bottle, me: &Me) -> &'static str {
    if bottle.from_agent.as_ref() != Some(&me.name) {
        return bottle.stage(&me.name).as_str();
    }
    let others = bottle.stages.iter().filter(|(agent, _)| agent.as_str() != me.name.as_str());
    others.map(|(_, status)| status.stage).max().map_or("sent", Stage::as_str)
}

/// A bottle on one line.
fn line(out: &Out, bottle: &Bottle, state: &str) -> String {
    let date = bottle.date.as_deref().map_or("no date", |date| date.get(..10).unwrap_or(date));
    let from = bottle.from.as_deref().unwrap_or("?");
    let to = if bottle.to.is_empty() { "?".to_owned() } else { bottle.to.join(",") };
    let kind = bottle.kind.as_deref().map(|kind| format!(" [{kind}]")).unwrap_or_default();
    let mark = if state.is_empty() { String::new() } else { format!(" ({state})") };
    format!(
        "{} {} {from} → {to}{} {}{}",
        out.id(&short(bottle.id)),
        out.dim(date),
        out.dim(&kind),
        bottle.subject,
        out.dim(&mark)
    )
}
