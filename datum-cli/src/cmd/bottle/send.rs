//! Bottles for other vessels: written to the outbox, pushed, and followed there.

use super::{Shown, line};
use crate::cmd::fleet::vessels::{in_parallel, vessel, vessels};
use crate::cmd::sync::budget;
use crate::edge::{Edge, Opening};
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::record::short;
use datum_core::delivery::{self, Delivery, Progress, Sent};
use datum_core::fleet::Vessel;
use datum_core::publish::bottle_file;
use datum_core::{AgentName, Draft, Kind, Stamp, Word};
use jiff::Timestamp;
use serde_json::json;
use std::time::Duration;

/// How a bottle for other vessels goes.
#[derive(Debug, clap::Args)]
pub(super) struct Way {
    /// Push it now; otherwise the next datum sync does
    #[arg(long)]
    pub(super) send: bool,
    /// Give each vessel this long
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub(super) budget: String,
}

/// Pushes what stands in the outbox for a vessel, and records what the vessel will not take.
fn deliver(opening: &Opening, stamp: &Stamp, vessel: &Vessel, budget: Duration) -> Result<Delivery, Fault> {
    let store = opening.open()?;
    let remote = store.remote(&vessel.location, budget)?;
    let delivery = store.deliver(stamp, &vessel.name, &remote)?;
    if let Some((bottles, why)) = &delivery.refused {
        let draft = delivery::refusal(&vessel.name, bottles, why)?;
        store.note(Kind::Bottle, stamp, &[draft])?;
    }
    Ok(delivery)
}

/// Writes a bottle for each of these vessels and sends it at once, from a clone that comes and goes.
fn post_now(
    edge: &Edge<'_>,
    out: &mut Out,
    stamp: &Stamp,
    draft: &Draft,
    to: &[Vessel],
    budget: Duration,
) -> Result<Exit, Fault> {
    let store = edge.store()?;
    let mut results = Vec::new();
    for vessel in to {
        let remote = store.remote(&vessel.location, budget)?;
        let sent = store.post_now(&vessel.name, stamp, &remote, std::slice::from_ref(draft));
        results.push(sent.map_err(Fault::from));
    }
    let (sent, exit) = tell_deliveries(out, to, results);
    if exit == Exit::Broken {
        out.say("hint: this clone keeps no outbox: what was not sent must be written again");
    }
    if out.is_json() {
        let none: [serde_json::Value; 0] = [];
        out.json(&json!({ "version": 1, "kind": "bottle", "posted": none, "deliveries": sent }));
    }
    Ok(exit)
}

/// Delivers to these vessels, many at a time; tells who got what. Answers with whether all did.
pub(crate) fn deliver_all(
    edge: &Edge<'_>,
    out: &mut Out,
    stamp: &Stamp,
    to: &[Vessel],
    budget: Duration,
) -> (Vec<serde_json::Value>, Exit) {
    let opening = edge.opening();
    let results = in_parallel(out, to, |vessel| deliver(&opening, stamp, vessel, budget));
    let (shown, exit) = tell_deliveries(out, to, results);
    if exit == Exit::Broken {
        out.say("hint: what was not sent stays in the outbox; datum sync tries again");
    }
    (shown, exit)
}

/// Tells who got what.
fn tell_deliveries(
    out: &mut Out,
    to: &[Vessel],
    results: Vec<Result<Delivery, Fault>>,
) -> (Vec<serde_json::Value>, Exit) {
    let mut exit = Exit::Done;
    let mut shown = Vec::new();
    for (vessel, result) in to.iter().zip(results) {
        let name = vessel.name.as_str();
        match result {
            Ok(Delivery { sent, refused: None }) => {
                if !out.is_json() && !sent.is_empty() {
                    out.line(&format!("sent {} to {name}", count(sent.len())));
                }
                shown.push(json!({ "vessel": name, "sent": sent, "refused": null }));
            }
            Ok(Delivery { sent, refused: Some((bottles, why)) }) => {
                exit = if exit == Exit::Done { Exit::No } else { exit };
                out.warn(&format!("{name} refused {}: {why}", count(bottles.len())));
                shown.push(
                    json!({ "vessel": name, "sent": sent, "refused": { "bottles": bottles, "why": why } }),
                );
            }
            Err(fault) => {
                exit = Exit::Broken;
                out.warn(&format!("{name}: not sent: {}", fault.message));
                shown.push(json!({ "vessel": name, "sent": [], "error": fault.message }));
            }
        }
    }
    (shown, exit)
}

fn count(bottles: usize) -> String {
    if bottles == 1 { "1 bottle".to_owned() } else { format!("{bottles} bottles") }
}

/// Posts a bottle for each of these vessels, and sends it if that was asked for.
pub(super) fn post(
    edge: &Edge<'_>,
    out: &mut Out,
    stamp: &Stamp,
    draft: &Draft,
    to: &[Vessel],
    way: &Way,
) -> Result<Exit, Fault> {
    let budget = budget(&way.budget)?;
    let store = edge.store()?;
    if edge.is_ephemeral() {
        if !way.send {
            return Err(Fault::usage("a clone that comes and goes keeps no outbox")
                .hint("add --send to send it now, or unset CI in a clone that stays"));
        }
        return post_now(edge, out, stamp, draft, to, budget);
    }
    let mut posted = Vec::new();
    for vessel in to {
        let applied = store.post::<Fault>(&vessel.name, stamp, |_| Ok(vec![draft.clone()]))?;
        if !out.is_json() {
            for id in &applied.ids {
                let text = format!("{} for {}", out.id(&short(*id)), vessel.name);
                out.line(&text);
            }
        }
        posted.push(json!({ "vessel": vessel.name.as_str(), "ids": applied.ids }));
    }
    let (sent, exit) =
        if way.send { deliver_all(edge, out, stamp, to, budget) } else { (Vec::new(), Exit::Done) };
    if out.is_json() {
        out.json(&json!({ "version": 1, "kind": "bottle", "posted": posted, "deliveries": sent }));
    }
    Ok(exit)
}

/// Commits the classic file bottle to a vessel's branch, for vessels that do not run datum.
pub(super) fn as_file(
    edge: &Edge<'_>,
    out: &mut Out,
    stamp: &Stamp,
    to: &AgentName,
    draft: &Draft,
    vessel: &Vessel,
    way: &Way,
) -> Result<Exit, Fault> {
    let kind = Word::new("type", draft.trailer("Type").unwrap_or("message"))?;
    let date = i64::try_from(stamp.now).ok().and_then(|now| Timestamp::from_millisecond(now).ok());
    // There is no entry whose id could tell two bottles of a second apart, so the text does.
    let seed = format!("{} {} {}", stamp.now, draft.subject(), draft.body());
    let hash = seed.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let bottle = bottle_file::Bottle {
        id: &format!("{hash:016x}"),
        from: &stamp.agent,
        to: Some(to),
        date: date.unwrap_or(Timestamp::UNIX_EPOCH),
        kind: &kind,
        subject: draft.subject(),
        text: draft.body(),
    };
    let (path, text) = (bottle_file::path(&bottle), bottle_file::print(&bottle));
    let remote = edge.store()?.remote(&vessel.location, budget(&way.budget)?)?;
    let subject = format!("Bottle from {}: {}", stamp.agent, draft.subject());
    let commit = remote.commit_file(stamp, None, &path, &text, &subject)?;
    if out.is_json() {
        out.json(&json!({ "version": 1, "vessel": vessel.name.as_str(), "commit": commit, "path": path }));
    } else {
        let text = format!("{} {path} at {}", out.id(&short(commit)), vessel.name);
        out.line(&text);
    }
    Ok(Exit::Done)
}

/// Lists the bottles for other vessels and how far each has come.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum bottle sent
  datum bottle sent --refresh --overdue")]
pub(crate) struct SentArgs {
    /// Only bottles for this vessel
    #[arg(long, value_name = "NAME")]
    vessel: Option<String>,
    /// First fetch what the vessels' agents say
    #[arg(long)]
    refresh: bool,
    /// Give each vessel this long
    #[arg(long, value_name = "TIME", default_value = "30s")]
    budget: String,
    /// List only bottles whose deadline passed without acknowledgement; exit with 1 when there is one
    #[arg(long)]
    overdue: bool,
}

impl SentArgs {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let (store, now) = (edge.store()?, edge.now()?);
        let mut names = store.outboxes()?;
        if let Some(name) = &self.vessel {
            let name = AgentName::new(name)?;
            names.retain(|known| *known == name);
        }
        let mut exit = Exit::Done;
        if self.refresh {
            exit = collect_all(edge, out, &names, budget(&self.budget)?)?;
        }
        let mut sent: Vec<Sent> = Vec::new();
        for name in &names {
            sent.extend(store.sent(name)?);
        }
        sent.sort_by_key(|one| std::cmp::Reverse(one.bottle.time));
        sent.retain(|one| !self.overdue || one.is_overdue(now));
        if out.is_json() {
            let shown: Vec<_> = sent.iter().map(|one| shown(one, now)).collect();
            out.json_list("bottles", &shown);
        } else {
            for one in &sent {
                let overdue = if one.is_overdue(now) { ", overdue" } else { "" };
                let reason = one.reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
                let state = format!("{} at {}{overdue}{reason}", one.progress.as_str(), one.vessel);
                let text = line(out, &one.bottle, &state);
                out.line(&text);
            }
            if sent.is_empty() {
                out.say("no bottle found");
            }
        }
        Ok(if self.overdue && !sent.is_empty() && exit == Exit::Done { Exit::No } else { exit })
    }
}

fn shown(one: &Sent, now: u64) -> serde_json::Value {
    let mut value = json!(Shown::of(&one.bottle));
    value["vessel"] = one.vessel.as_str().into();
    value["progress"] = one.progress.as_str().into();
    value["overdue"] = one.is_overdue(now).into();
    value["reason"] = one.reason.clone().into();
    value
}

/// Fetches what the agents of these vessels say in their bottle logs.
fn collect_all(edge: &Edge<'_>, out: &mut Out, names: &[AgentName], budget: Duration) -> Result<Exit, Fault> {
    let known = vessels(edge.store()?)?;
    let to: Vec<Vessel> = names.iter().filter_map(|name| known.get(name).cloned()).collect();
    let (opening, stamp) = (edge.opening(), edge.stamp()?);
    let results = in_parallel(out, &to, |vessel| {
        let store = opening.open()?;
        let remote = store.remote(&vessel.location, budget)?;
        Ok(store.collect(&stamp, &vessel.name, &remote)?)
    });
    let mut exit = Exit::Done;
    for (vessel, result) in to.iter().zip(results) {
        match result {
            Ok(doubted) => {
                for (writer, why) in doubted {
                    out.warn(&format!("{}: log of {writer} not taken: {why}", vessel.name));
                }
            }
            Err(fault) => {
                exit = Exit::Broken;
                out.warn(&format!("{}: {}", vessel.name, fault.message));
            }
        }
    }
    Ok(exit)
}

/// Delivers all outboxes with something in them, and fetches what became of it; for `datum sync`.
pub(crate) fn sync_outboxes(
    edge: &Edge<'_>,
    out: &mut Out,
    stamp: &Stamp,
    budget: Duration,
) -> Result<(Vec<serde_json::Value>, Exit), Fault> {
    let store = edge.store()?;
    let known = vessels(store)?;
    let mut to = Vec::new();
    for name in store.outboxes()? {
        let waits = |one: &Sent| matches!(one.progress, Progress::Written | Progress::Refused);
        if store.sent(&name)?.iter().any(waits) {
            match known.get(&name) {
                Some(vessel) => to.push(vessel.clone()),
                None => out.warn(&format!("bottles wait for {name}, which the fleet list does not know")),
            }
        }
    }
    Ok(deliver_all(edge, out, stamp, &to, budget))
}

/// The vessel called `name`.
pub(super) fn named(edge: &Edge<'_>, name: &str) -> Result<Vessel, Fault> {
    vessel(edge.store()?, name)
}

/// All vessels but the one we are in, which needs no delivery.
pub(super) fn everyone(edge: &Edge<'_>) -> Result<Vec<Vessel>, Fault> {
    let here = edge.store()?.common_dir().to_owned();
    let elsewhere = |vessel: &Vessel| {
        let path = std::path::Path::new(&vessel.location);
        path != here && path.join(".git") != here
    };
    let to: Vec<_> = vessels(edge.store()?)?.into_values().filter(elsewhere).collect();
    if to.is_empty() {
        return Err(Fault::usage("the fleet list is empty").hint("datum fleet add NAME URL"));
    }
    Ok(to)
}
