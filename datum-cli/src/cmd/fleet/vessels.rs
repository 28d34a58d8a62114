//! The fleet list: `add`, `list`, `remove`, `discover`, `who`.

use crate::cmd::sync::budget;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::record::tell_written;
use crate::time;
use datum_core::fleet::{self, Found, Vessel};
use datum_core::{AgentName, Draft, Kind, Store, capability};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Vessels that are talked to at one time.
const AT_ONCE: usize = 8;

/// Adds a vessel.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum fleet add tern git@example.org:fleet/tern-vessel.git
  datum fleet add gull ../gull-vessel")]
pub(crate) struct Add {
    /// The name it goes by here
    name: String,
    /// Its address, or the path of its repository
    location: String,
}

/// Lists the vessels.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum fleet list --format json")]
pub(crate) struct List {}

/// Removes a vessel from the list; bottles written for it stay where they are.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum fleet remove tern")]
pub(crate) struct Remove {
    /// Its name
    name: String,
}

/// Looks at each vessel, many at a time, without cloning any, and records what was found.
///
/// Exit: 0 all were reached; 3 some were not, and are named.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum fleet discover
  datum fleet discover tern gull --budget 10s")]
pub(crate) struct Discover {
    /// Only these vessels
    names: Vec<String>,
    /// Give each vessel this long
    #[arg(long, value_name = "TIME", default_value = "30s")]
    budget: String,
}

/// Says who can do something: by declared confidence, then by how lately the vessel was active in git.
///
/// Exit: 0 somebody can; 1 nobody is known to.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum fleet who --cap audit")]
pub(crate) struct Who {
    /// The capability
    #[arg(long, value_name = "NAME")]
    cap: String,
}

/// The vessels that are known.
pub(crate) fn vessels(store: &Store) -> Result<BTreeMap<AgentName, Vessel>, Fault> {
    Ok(fleet::vessels(&store.snapshot()?))
}

/// The vessel called `name`.
pub(crate) fn vessel(store: &Store, name: &str) -> Result<Vessel, Fault> {
    let name = AgentName::new(name)?;
    vessels(store)?.remove(&name).ok_or_else(|| {
        Fault::usage(format!("no vessel {name} is known")).hint(format!("datum fleet add {name} URL"))
    })
}

/// Calls `work` for each item, many at a time, with progress where somebody watches; answers in the order given.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    out: &Out,
    items: &[T],
    work: impl Fn(&T) -> Result<R, Fault> + Sync,
) -> Vec<Result<R, Fault>> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let results: Mutex<Vec<Option<Result<R, Fault>>>> = Mutex::new(items.iter().map(|_| None).collect());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(items.len()) {
            scope.spawn(|| {
                while let Some((index, item)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    items.get(index).map(|item| (index, item))
                } {
                    let result = work(item);
                    if let Ok(mut results) = results.lock() {
                        results[index] = Some(result);
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while done.load(Ordering::Relaxed) < items.len() {
            out.progress(done.load(Ordering::Relaxed), items.len());
            thread::sleep(Duration::from_millis(20));
        }
    });
    out.progress_end();
    let results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results
        .into_iter()
        .map(|result| result.unwrap_or_else(|| Err(Fault::broken("it was not looked at"))))
        .collect()
}

fn write(edge: &Edge<'_>, out: &mut Out, drafts: &[Draft]) -> Result<Exit, Fault> {
    let stamp = edge.stamp()?;
    let applied = edge.store()?.note(Kind::Agent, &stamp, drafts)?;
    tell_written(out, &applied, Kind::Agent);
    Ok(Exit::Done)
}

impl Add {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let name = AgentName::new(&self.name)?;
        // A path counts from where it was written, not from where a later command runs.
        let location = match edge.dir().join(&self.location).canonicalize() {
            Ok(path) => path.to_string_lossy().into_owned(),
            Err(_) => self.location.clone(),
        };
        edge.store()?.remote(&location, Duration::ZERO)?;
        // Between `//` and `@`; a colon after that is a port's.
        let host = location.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or_default());
        if host.and_then(|host| host.rsplit_once('@')).is_some_and(|(user, _)| user.contains(':')) {
            return Err(Fault::usage("the address holds a password, and the fleet list is no place for one")
                .hint("leave it out and let git's credential helper give it"));
        }
        write(edge, out, &[fleet::add(&name, &location)?])
    }
}

impl Remove {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let known = vessel(edge.store()?, &self.name)?;
        write(edge, out, &[fleet::remove(&known.name)?])
    }
}

fn shown(vessel: &Vessel) -> Value {
    let found = vessel.found.as_ref().map(|found| {
        json!({
            "at": time::iso(found.at), "agent": found.agent, "role": found.role, "capabilities": found.skills,
            "head": found.head, "active": found.active.map(time::iso), "logs": found.logs,
        })
    });
    json!({ "name": vessel.name.as_str(), "location": vessel.location, "found": found })
}

fn active(vessel: &Vessel) -> String {
    match vessel.found.as_ref().map(|found| found.active) {
        None => "not looked at yet".to_owned(),
        Some(None) => "no commit yet".to_owned(),
        Some(Some(time)) => format!("active {}", time::show(time)),
    }
}

impl List {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let vessels = vessels(edge.store()?)?;
        if out.is_json() {
            out.json_list("vessels", &vessels.values().map(shown).collect::<Vec<_>>());
            return Ok(Exit::Done);
        }
        for vessel in vessels.values() {
            let line =
                format!("{:<16} {}  {}", vessel.name.as_str(), vessel.location, out.dim(&active(vessel)));
            out.line(&line);
        }
        if vessels.is_empty() {
            out.say("no vessel is known; datum fleet add NAME URL adds one");
        }
        Ok(Exit::Done)
    }
}

impl Discover {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.store()?;
        let budget = budget(&self.budget)?;
        let mut wanted: Vec<Vessel> = vessels(store)?.into_values().collect();
        if !self.names.is_empty() {
            wanted = self.names.iter().map(|name| vessel(store, name)).collect::<Result<_, _>>()?;
        }
        let (opening, now) = (edge.opening(), edge.now()?);
        let looked = in_parallel(out, &wanted, |vessel| {
            let store = opening.open()?;
            let peek = store.remote(&vessel.location, budget)?.peek("CAPABILITY.toml")?;
            let text = peek.file.as_deref().map(String::from_utf8_lossy);
            let declared = text.and_then(|text| capability::read(&text).ok()).map(|read| read.capability);
            let declared = declared.unwrap_or_default();
            let skills = declared.skills.into_iter().map(|(name, skill)| {
                // What is declared without a confidence is worth half.
                (name, skill.confidence.map_or(0.5, capability::Confidence::get))
            });
            Ok(Found {
                at: now,
                agent: declared.agent.name,
                role: declared.agent.role,
                skills: skills.collect(),
                head: peek.head,
                active: peek.active,
                logs: peek.logs,
            })
        });
        let (mut drafts, mut lost) = (Vec::new(), 0);
        let mut results = Vec::new();
        for (vessel, looked) in wanted.iter().zip(looked) {
            match looked {
                Ok(found) => {
                    drafts.push(fleet::found(&vessel.name, &found)?);
                    let skills = found.skills.len();
                    let known = Vessel { found: Some(found), ..vessel.clone() };
                    if out.is_json() {
                        results.push(shown(&known));
                    } else {
                        out.line(&format!(
                            "{:<16} {}, {skills} capabilities",
                            vessel.name.as_str(),
                            active(&known)
                        ));
                    }
                }
                Err(fault) => {
                    lost += 1;
                    out.warn(&format!("{}: {}", vessel.name, fault.message));
                    results.push(json!({ "name": vessel.name.as_str(), "error": fault.message }));
                }
            }
        }
        if !drafts.is_empty() {
            let stamp = edge.stamp()?;
            store.note(Kind::Agent, &stamp, &drafts)?;
        }
        if out.is_json() {
            out.json_list("vessels", &results);
        }
        Ok(if lost > 0 { Exit::Broken } else { Exit::Done })
    }
}

impl Who {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let vessels = vessels(edge.store()?)?;
        let able = fleet::who(&vessels, &self.cap);
        if out.is_json() {
            let one = |(vessel, confidence, active): &(&Vessel, f64, Option<u64>)| json!({ "name": vessel.name.as_str(), "confidence": confidence, "active": active.map(time::iso) });
            out.json_list("vessels", &able.iter().map(one).collect::<Vec<_>>());
        } else {
            for (vessel, confidence, _) in &able {
                out.line(&format!("{:<16} {confidence:.2}  {}", vessel.name.as_str(), active(vessel)));
            }
            if able.is_empty() {
                out.say(&format!(
                    "nobody is known to declare {}; datum fleet discover looks again",
                    self.cap
                ));
            }
        }
        Ok(if able.is_empty() { Exit::No } else { Exit::Done })
    }
}
