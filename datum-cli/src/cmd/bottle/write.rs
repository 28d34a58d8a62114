//! Writing about bottles: `drop`, `broadcast`, `reply`, `ack`, `delete`.

use super::send::{self, Way};
use super::{inbox, one};
use crate::cmd::journal::read_stdin;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::record::tell_written;
use crate::time;
use datum_core::bottle::{self, Recipient};
use datum_core::publish::taskboard_file::Priority;
use datum_core::{AgentName, Draft, EntryId, Kind, Stamp, undo};
use std::io::{self, IsTerminal as _};

/// What every new bottle may say.
#[derive(Debug, clap::Args)]
struct Say {
    /// The text; without it, stdin is read
    #[arg(long, value_name = "TEXT")]
    content: Option<String>,
    /// message, signal, check-in, alert, deliverable, handoff, question or info
    #[arg(long = "type", value_name = "TYPE", default_value = "message")]
    kind: String,
    /// critical, high, medium, low or backlog
    #[arg(long, value_name = "LEVEL")]
    priority: Option<String>,
    /// Report the bottle when nobody has acknowledged it by then (2026-01-31, or a length: 2h, '3 days')
    #[arg(long, value_name = "TIME")]
    deadline: Option<String>,
    /// Send in the name of this agent (the same as --agent)
    #[arg(long, value_name = "NAME")]
    sender: Option<String>,
}

impl Say {
    fn text(&self) -> Result<String, Fault> {
        match &self.content {
            Some(text) if text == "-" => read_stdin(),
            Some(text) => Ok(text.clone()),
            None if io::stdin().is_terminal() => {
                Err(Fault::usage("the bottle has no text").hint("pass --content TEXT, or pipe the text in"))
            }
            None => read_stdin(),
        }
    }

    fn stamp(&self, edge: &Edge<'_>) -> Result<Stamp, Fault> {
        match &self.sender {
            Some(name) => edge.stamp_as(AgentName::new(name)?),
            None => edge.stamp(),
        }
    }

    fn draft(
        &self,
        to: &[Recipient],
        subject: &str,
        text: &str,
        in_reply_to: Option<EntryId>,
        now: u64,
    ) -> Result<Draft, Fault> {
        let priority = self.priority.as_deref().map(|text| {
            Priority::read(text).ok_or_else(|| {
                Fault::usage(format!("--priority: no priority is called {text:?}"))
                    .hint("critical, high, medium, low or backlog")
            })
        });
        let deadline = self.deadline.as_deref().map(|text| {
            let after = time::parse_length(text).map(|length| now + length);
            time::parse_absolute(text).or(after).ok_or_else(|| {
                Fault::usage(format!("--deadline: {text:?} is no time"))
                    .hint("write 2026-01-31, 2026-01-31T12:00:00Z, 2h or '3 days'")
            })
        });
        let drop = bottle::Drop {
            to,
            subject,
            text,
            kind: &self.kind,
            priority: priority.transpose()?,
            deadline: deadline.transpose()?,
            in_reply_to,
        };
        Ok(bottle::draft(&drop)?)
    }

    fn send(&self, edge: &Edge<'_>, out: &mut Out, to: &[Recipient], subject: &str) -> Result<Exit, Fault> {
        let text = self.text()?;
        let stamp = self.stamp(edge)?;
        let draft = self.draft(to, subject, &text, None, stamp.now)?;
        write(edge, out, &stamp, |_| Ok(vec![draft.clone()]))
    }
}

fn write(
    edge: &Edge<'_>,
    out: &mut Out,
    stamp: &Stamp,
    decide: impl FnMut(&datum_core::Snapshot<'_>) -> Result<Vec<Draft>, Fault>,
) -> Result<Exit, Fault> {
    let applied = edge.store()?.apply::<Fault>(Kind::Bottle, stamp, decide)?;
    tell_written(out, &applied, Kind::Bottle);
    Ok(Exit::Done)
}

/// Drops a bottle.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum bottle drop oracle1 'Hull inspected' --content 'No leaks.'
  datum bottle drop role:lookout,cap:audit 'Storm ahead' --type alert --deadline 2h < report.md
  datum bottle drop tern 'Nets' --content 'All out.' --vessel tern --send")]
pub(crate) struct Drop {
    /// Whom it is for: a, a,b, role:x, cap:y or any-vessel
    #[arg(value_name = "AGENT")]
    to: String,
    /// What it is about, one line
    subject: String,
    #[command(flatten)]
    say: Say,
    /// Drop it in another vessel, which the fleet list knows
    #[arg(long, value_name = "NAME")]
    vessel: Option<String>,
    /// Commit it as a file to the vessel's branch, for vessels that do not run datum
    #[arg(long, requires = "vessel")]
    as_file: bool,
    #[command(flatten)]
    way: Way,
}

impl Drop {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let to = Recipient::parse_list(&self.to)?;
        let Some(vessel) = &self.vessel else { return self.say.send(edge, out, &to, &self.subject) };
        let vessel = send::named(edge, vessel)?;
        let (text, stamp) = (self.say.text()?, self.say.stamp(edge)?);
        let draft = self.say.draft(&to, &self.subject, &text, None, stamp.now)?;
        if !self.as_file {
            return send::post(edge, out, &stamp, &draft, &[vessel], &self.way);
        }
        match to.as_slice() {
            [Recipient::Agent(to)] => send::as_file(edge, out, &stamp, to, &draft, &vessel, &self.way),
            _ => Err(Fault::usage("a file bottle is for one agent").hint("drop one for each")),
        }
    }
}

/// Drops a bottle for whoever reads it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum bottle broadcast 'New standard' --content 'See CHARTER.md.' --type info
  datum bottle broadcast 'New standard' --content 'See CHARTER.md.' --fleet --send")]
pub(crate) struct Broadcast {
    /// What it is about, one line
    subject: String,
    #[command(flatten)]
    say: Say,
    /// Drop it in every vessel that the fleet list knows
    #[arg(long)]
    fleet: bool,
    #[command(flatten)]
    way: Way,
}

impl Broadcast {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        if self.fleet {
            let to = send::everyone(edge)?;
            let (text, stamp) = (self.say.text()?, self.say.stamp(edge)?);
            let draft = self.say.draft(&[Recipient::AnyVessel], &self.subject, &text, None, stamp.now)?;
            return send::post(edge, out, &stamp, &draft, &to, &self.way);
        }
        self.say.send(edge, out, &[Recipient::AnyVessel], &self.subject)
    }
}

/// Answers a bottle.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum bottle reply 3f9a2c --content 'On it.'")]
pub(crate) struct Reply {
    /// The id of the bottle, the beginning of it, or the path of a file bottle
    id: String,
    /// What the answer is about [default: Re: and the subject of the bottle]
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// Whom to answer [default: the sender of the bottle]
    #[arg(long, value_name = "AGENT")]
    to: Option<String>,
    #[command(flatten)]
    say: Say,
}

impl Reply {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let text = self.say.text()?;
        let stamp = self.say.stamp(edge)?;
        write(edge, out, &stamp, |snapshot| {
            let all = inbox(snapshot)?;
            let bottle = one(&all, &self.id)?;
            let to = match (&self.to, &bottle.from_agent) {
                (Some(to), _) => Recipient::parse_list(to)?,
                (None, Some(from)) => vec![Recipient::Agent(from.clone())],
                (None, None) => {
                    return Err(Fault::usage(format!("bottle {} names no sender to answer", self.id))
                        .hint("pass --to AGENT"));
                }
            };
            let subject = self.subject.clone().unwrap_or_else(|| answer_to(&bottle.subject));
            Ok(vec![self.say.draft(&to, &subject, &text, Some(bottle.id), stamp.now)?])
        })
    }
}

/// `Re: ` and the subject, once, made fit for a subject whatever a file bottle has there.
fn answer_to(subject: &str) -> String {
    let plain: String = subject.chars().filter(|c| !c.is_control()).take(120).collect();
    let plain = plain.trim();
    if plain.to_lowercase().starts_with("re:") { plain.to_owned() } else { format!("Re: {plain}") }
}

/// Acknowledges bottles.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum bottle ack 3f9a2c
  datum bottle ack 3f9a2c 81bb --note 'Will be done tonight'")]
pub(crate) struct Ack {
    /// Ids of bottles, or the beginnings of them, or paths of file bottles
    #[arg(required = true)]
    ids: Vec<String>,
    /// What to say with it
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

impl Ack {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let stamp = edge.stamp()?;
        write(edge, out, &stamp, |snapshot| {
            let all = inbox(snapshot)?;
            let mut ids =
                self.ids.iter().map(|id| Ok(one(&all, id)?.id)).collect::<Result<Vec<_>, Fault>>()?;
            ids.sort_unstable();
            ids.dedup();
            Ok(vec![bottle::acknowledgement(&ids, &self.note)?])
        })
    }
}

/// Hides a bottle; `datum undo` of the printed id brings it back.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum bottle delete 3f9a2c")]
pub(crate) struct Delete {
    /// The id of the bottle, the beginning of it, or the path of a file bottle
    id: String,
}

impl Delete {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let stamp = edge.stamp()?;
        write(edge, out, &stamp, |snapshot| {
            let all = inbox(snapshot)?;
            let bottle = one(&all, &self.id)?;
            Ok(vec![undo::draft(bottle.id, &bottle.subject)?])
        })
    }
}
