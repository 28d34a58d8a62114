//! `datum claim`: one winner out of many.

use crate::cmd::sync::{budget, location};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::time;
use clap::Subcommand;
use datum_core::claim::{Claim as State, LEASE_MAX, Name, Outcome};
use datum_core::transport::Remote;
use datum_core::{Millis, Stamp, Store, Writer};

/// Claims what only one may do at a time, such as a task.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A claim ends with its lease, or when its holder releases it. The fencing number grows with each
new holder: whoever is shown a smaller one than it has seen knows that the claim was lost.
`take` exits with 1 when another holds the claim.

Without --remote a claim counts in this repository and its linked work trees; with it, in all clones that name the same
remote: the push that takes it succeeds for one of them only. The two are separate.

Examples:
  datum claim take 3f9a2c --lease 30m && make deploy
  datum claim renew 3f9a2c --lease 30m
  datum claim release 3f9a2c
  datum claim show
  datum claim take deploy --remote origin --lease 15m
  datum claim show --remote origin"
)]
pub(crate) struct Claim {
    /// Claim at this remote (a name, an address or a path), for all clones that use it
    #[arg(long, global = true, value_name = "REMOTE")]
    remote: Option<String>,
    /// Give the remote this long
    #[arg(long, global = true, value_name = "TIME", default_value = "30s")]
    budget: String,
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Take a claim that nobody holds
    #[command(after_help = "Examples:\n  datum claim take deploy --lease 30m && make deploy")]
    Take {
        /// What to claim: a-z, 0-9, '.', '_' and '-'
        id: String,
        /// How long to hold it (30m, 2h, 1 day; at most 30 days)
        #[arg(long, value_name = "TIME", default_value = "2h")]
        lease: String,
    },
    /// Hold a claim for longer
    #[command(after_help = "Examples:\n  datum claim renew deploy --lease 30m")]
    Renew {
        /// What is claimed
        id: String,
        /// How long to hold it, from now
        #[arg(long, value_name = "TIME", default_value = "2h")]
        lease: String,
        /// The number the claim was taken with [default: the present one, if this agent holds it]
        #[arg(long, value_name = "N")]
        fencing: Option<u64>,
    },
    /// Give a claim back
    #[command(after_help = "Examples:\n  datum claim release deploy")]
    Release {
        /// What is claimed
        id: String,
        /// The number the claim was taken with [default: the present one, if this agent holds it]
        #[arg(long, value_name = "N")]
        fencing: Option<u64>,
    },
    /// Show who holds a claim, or all claims
    #[command(after_help = "Examples:\n  datum claim show\n  datum claim show deploy --format json")]
    Show {
        /// What is claimed
        id: Option<String>,
    },
}

fn lease(text: &str) -> Result<Millis, Fault> {
    let millis = time::parse_length(text).filter(|millis| *millis > 0);
    let millis = millis.ok_or_else(|| {
        Fault::usage(format!("--lease: {text:?} is no length of time")).hint("write 30m, 2h or 1 day")
    })?;
    if millis > LEASE_MAX {
        return Err(Fault::usage("--lease: the longest is 30 days")
            .hint("datum claim renew holds it for longer, again and again"));
    }
    Ok(millis)
}

/// Where claims are: here, or at a remote.
struct Place<'a> {
    store: &'a Store,
    remote: Option<Remote>,
}

impl Place<'_> {
    fn take(&self, name: &Name, stamp: &Stamp, lease: Millis) -> Result<Outcome, Fault> {
        Ok(match &self.remote {
            Some(remote) => self.store.claim_at(remote, name, stamp, lease)?,
            None => self.store.claim(name, stamp, lease)?,
        })
    }

    fn renew(&self, name: &Name, stamp: &Stamp, fencing: u64, lease: Millis) -> Result<Outcome, Fault> {
        Ok(match &self.remote {
            Some(remote) => self.store.renew_at(remote, name, stamp, fencing, lease)?,
            None => self.store.renew(name, stamp, fencing, lease)?,
        })
    }

    fn release(&self, name: &Name, stamp: &Stamp, fencing: u64) -> Result<Outcome, Fault> {
        Ok(match &self.remote {
            Some(remote) => self.store.release_at(remote, name, stamp, fencing)?,
            None => self.store.release(name, stamp, fencing)?,
        })
    }

    fn find(&self, name: &Name) -> Result<Option<State>, Fault> {
        Ok(match &self.remote {
            Some(remote) => self.store.find_claim_at(remote, name)?,
            None => self.store.find_claim(name)?,
        })
    }

    /// The number given, or the present one.
    fn fencing(&self, given: Option<u64>, name: &Name) -> Result<u64, Fault> {
        match given {
            Some(fencing) => Ok(fencing),
            None => Ok(self.find(name)?.map_or(0, |claim| claim.fencing)),
        }
    }

    /// All claims; what is none is told.
    fn list(&self, out: &mut Out) -> Result<Vec<State>, Fault> {
        if let Some(remote) = &self.remote {
            let (claims, none) = self.store.claims_at(remote)?;
            for name in none {
                out.warn(&format!("{}: claim {name} is none", remote.location()));
            }
            return Ok(claims);
        }
        let (claims, damage) = self.store.claims()?;
        out.damage(&damage);
        Ok(claims)
    }
}

impl Claim {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.store()?;
        let remote = match &self.remote {
            Some(text) => Some(store.remote(&location(edge, text), budget(&self.budget)?)?),
            None => None,
        };
        let place = Place { store, remote };
        match &self.step {
            Step::Take { id, lease: length } => {
                let (name, length) = (Name::new(id)?, lease(length)?);
                let stamp = edge.stamp()?;
                let outcome = place.take(&name, &stamp, length)?;
                let own = store.writer(&stamp.agent)?;
                Ok(tell(out, &name, &outcome, Some(&own), matches!(outcome, Outcome::Claimed { .. })))
            }
            Step::Renew { id, lease: length, fencing } => {
                let (name, length) = (Name::new(id)?, lease(length)?);
                let fencing = place.fencing(*fencing, &name)?;
                let stamp = edge.stamp()?;
                let outcome = place.renew(&name, &stamp, fencing, length)?;
                let own = store.writer(&stamp.agent)?;
                Ok(tell(out, &name, &outcome, Some(&own), matches!(outcome, Outcome::Claimed { .. })))
            }
            Step::Release { id, fencing } => {
                let name = Name::new(id)?;
                let fencing = place.fencing(*fencing, &name)?;
                let outcome = place.release(&name, &edge.stamp()?, fencing)?;
                Ok(tell(out, &name, &outcome, None, outcome == Outcome::Free))
            }
            Step::Show { id: Some(id) } => {
                let name = Name::new(id)?;
                let now = edge.now()?;
                let found = place.find(&name)?;
                let outcome = match found.filter(|claim| claim.is_held(now)) {
                    Some(State { holder: by, until, fencing, .. }) => Outcome::Held { by, until, fencing },
                    None => Outcome::Free,
                };
                Ok(tell(out, &name, &outcome, None, true))
            }
            Step::Show { id: None } => {
                let claims = place.list(out)?;
                let now = edge.now()?;
                if out.is_json() {
                    let shown: Vec<_> = claims.iter().map(|claim| shown(claim, now)).collect();
                    out.json_list("claims", &shown);
                } else {
                    for claim in claims.iter().filter(|claim| claim.is_held(now)) {
                        let State { name, holder, until, fencing, .. } = claim;
                        out.line(&format!(
                            "{name} held by {holder} until {}, fencing {fencing}",
                            time::show(*until)
                        ));
                    }
                }
                Ok(Exit::Done)
            }
        }
    }
}

fn shown(claim: &State, now: Millis) -> serde_json::Value {
    serde_json::json!({
        "id": claim.name.as_str(),
        "state": if claim.is_held(now) { "held" } else { "free" },
        "holder": claim.holder.as_str(),
        "agent": claim.holder.agent(),
        "until": time::iso(claim.until),
        "fencing": claim.fencing,
    })
}

/// Tells how a claim stands; `own` is who has it where the caller does.
fn tell(out: &mut Out, name: &Name, outcome: &Outcome, own: Option<&Writer>, good: bool) -> Exit {
    if out.is_json() {
        let (state, holder, end) = match outcome {
            Outcome::Claimed { fencing, until } => ("claimed", own, Some((fencing, until))),
            Outcome::Held { by, until, fencing } => ("held", Some(by), Some((fencing, until))),
            Outcome::Free => ("free", None, None),
        };
        let claim = serde_json::json!({
            "id": name.as_str(), "state": state, "holder": holder.map(Writer::as_str),
            "agent": holder.map(Writer::agent), "until": end.map(|(_, until)| time::iso(*until)),
            "fencing": end.map(|(fencing, _)| fencing),
        });
        out.json(&serde_json::json!({ "version": 1, "done": good, "claim": claim }));
    } else {
        let line = match outcome {
            Outcome::Claimed { fencing, until } => {
                format!("{name} claimed until {}, fencing {fencing}", time::show(*until))
            }
            Outcome::Held { by, until, fencing } => {
                format!("{name} held by {by} until {}, fencing {fencing}", time::show(*until))
            }
            Outcome::Free => format!("{name} free"),
        };
        out.line(&line);
    }
    if good { Exit::Done } else { Exit::No }
}
