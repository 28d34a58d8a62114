//! Claims: where exactly one must win, a ref that only one can create.
//!
//! `refs/datum/claim/<name>` points to a commit that says who holds the claim and until when; each state follows the one
//! before it, and its fencing number grows with every new holder. A lease that has run out is taken over from its exact
//! old value, so of any number who try, one wins. Claims are always flushed to the disk. Between clones the same is done
//! at a remote that all of them use, by a push with a lease.

mod remote;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make their own repositories")]
mod tests;
mod told;

pub use told::Ends;
pub(crate) use told::{Saying, Step};

use crate::commit;
use crate::id::EntryId;
use crate::log::Damage;
use crate::name::NameError;
use crate::odb::ObjectKind;
use crate::refs::{CLAIMS, Move};
use crate::stamp::{MILLIS_MAX, Millis, SKEW_MAX, Stamp, Writer};
use crate::store::{Store, StoreError};
use crate::wait::Wait;
use std::fmt;

/// Longest lease, milliseconds (30 days); one that says more counts for no more.
pub const LEASE_MAX: Millis = 30 * 24 * 60 * 60 * 1000;
/// Largest commit that is believed to be a claim, bytes.
const COMMIT_MAX: u64 = 64 * 1024;
/// What the line begins with that makes each commit for another repository one of its own.
const MARK: &str = "Mark: ";
/// Longest name of a claim, bytes.
pub const NAME_MAX: usize = 100;

/// What is claimed: `[a-z0-9][a-z0-9._-]{0,99}`, such as the id of a task.
///
/// # Examples
/// ```
/// use datum_core::claim::Name;
/// assert!(Name::new("3f9a2c").is_ok());
/// assert!(Name::new("../x").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// Checks `text` and makes it a name.
    ///
    /// # Errors
    /// [`NameError`] with the rule that `text` breaks.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let refuse = |why| Err(NameError { what: "claim", text: text.to_owned(), why });
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if text.len() > NAME_MAX {
            return refuse("is longer than 100 bytes");
        }
        if !text.bytes().next().is_some_and(plain) {
            return refuse("must start with a-z or 0-9");
        }
        if !text.bytes().all(|b| plain(b) || b"._-".contains(&b)) {
            return refuse("may hold only a-z, 0-9, '.', '_' and '-'");
        }
        if text.contains("..") || text.ends_with('.') || text.strip_suffix(".lock").is_some() {
            return refuse("must not hold '..' nor end with '.' or '.lock'");
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The state of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What is claimed.
    pub name: Name,
    /// The commit that says so.
    pub id: EntryId,
    /// Who holds it, or held it last.
    pub holder: Writer,
    /// The number of the holder: greater than that of any before.
    pub fencing: u64,
    /// When the lease ends.
    pub until: Millis,
    /// When this was written, by the writer's clock.
    pub clock: Millis,
    /// Whether the holder has given it back.
    pub released: bool,
}

impl Claim {
    /// Whether somebody holds the claim at the time `now`.
    ///
    /// A clock more than [`SKEW_MAX`] ahead is not believed, and no lease lasts longer than [`LEASE_MAX`].
    pub fn is_held(&self, now: Millis) -> bool {
        let end = self.until.min(self.clock.saturating_add(LEASE_MAX));
        !self.released && self.clock <= now.saturating_add(SKEW_MAX) && now < end
    }

    fn print(&self, verb: &str) -> String {
        let Self { name, holder, fencing, until, clock, released, .. } = self;
        let state = if *released { "released" } else { "held" };
        let agent = holder.agent();
        format!(
            "{verb} {name}\n\nClaim: {name}\nState: {state}\nHolder: {holder}\nUntil: {until}\nFencing: {fencing}\n\
             Agent: {agent}\nClock: {clock}\n"
        )
    }

    fn parse(name: &Name, id: EntryId, raw: &[u8]) -> Option<Self> {
        let (_, trailers) = commit::parse(raw)?.message.split_once("\n\n")?;
        let mut lines = trailers.lines();
        let mut value = |key: &str| lines.next()?.strip_prefix(key)?.strip_prefix(": ");
        let named = value("Claim")?;
        let state = value("State")?;
        let holder = Writer::parse(value("Holder")?).ok()?;
        let until = value("Until")?.parse().ok().filter(|until| *until <= MILLIS_MAX)?;
        let fencing = value("Fencing")?.parse().ok()?;
        let agent = value("Agent")?;
        let clock = value("Clock")?.parse().ok().filter(|clock| *clock <= MILLIS_MAX)?;
        let released = match state {
            "held" => false,
            "released" => true,
            _ => return None,
        };
        let mark = lines.next().is_none_or(|line| line.starts_with(MARK)) && lines.next().is_none();
        let whole = named == name.as_str() && agent == holder.agent() && mark;
        whole.then(|| Self { name: name.clone(), id, holder, fencing, until, clock, released })
    }
}

/// What became of a wish to claim, renew or release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The caller holds the claim.
    Claimed {
        /// The holder's number, to be shown with whatever is done under the claim.
        fencing: u64,
        /// When the lease ends.
        until: Millis,
    },
    /// Another holds it; for [`Store::claim`] that may be the caller itself, from an earlier call.
    Held {
        /// Who.
        by: Writer,
        /// Until when.
        until: Millis,
        /// With which number.
        fencing: u64,
    },
    /// Nobody holds it.
    Free,
}

/// What a caller wants of a claim.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wish {
    /// For so long, if nobody holds it, or only under a number up to `told`, of which is known that it has ended.
    Take {
        lease: Millis,
        told: u64,
    },
    Renew {
        fencing: u64,
        lease: Millis,
    },
    Release {
        fencing: u64,
    },
}

/// The next state of a claim, with its verb.
type Next = (&'static str, Claim);

impl Wish {
    /// What becomes of the present state: the next one, or an answer.
    fn decide(
        self,
        name: &Name,
        stamp: &Stamp,
        writer: &Writer,
        now: Option<&Claim>,
    ) -> Result<Next, Outcome> {
        match self {
            Self::Take { lease, told } => match now {
                Some(claim) if claim.is_held(stamp.now) && claim.fencing > told => Err(held(claim)),
                _ => {
                    let fencing = now.map_or(0, |claim| claim.fencing).max(told).saturating_add(1);
                    let until = lease_end(stamp, lease);
                    Ok(("Claim", next(name, writer, now, stamp, fencing, until, false)))
                }
            },
            Self::Renew { fencing, lease } => {
                let claim = own(now, writer, fencing)?;
                let until = lease_end(stamp, lease).max(claim.until);
                Ok(("Renew", next(name, writer, now, stamp, fencing, until, false)))
            }
            Self::Release { fencing } => {
                own(now, writer, fencing)?;
                Ok(("Release", next(name, writer, now, stamp, fencing, stamp.now, true)))
            }
        }
    }
}

fn outcome(next: &Claim) -> Outcome {
    if next.released { Outcome::Free } else { Outcome::Claimed { fencing: next.fencing, until: next.until } }
}

fn held(claim: &Claim) -> Outcome {
    Outcome::Held { by: claim.holder.clone(), until: claim.until, fencing: claim.fencing }
}

fn lease_end(stamp: &Stamp, lease: Millis) -> Millis {
    stamp.now.saturating_add(lease.min(LEASE_MAX)).min(MILLIS_MAX)
}

impl Store {
    /// Claims `name` for `lease` milliseconds, if nobody holds it.
    ///
    /// Of any number of callers one wins, also where a lease that has run out is taken over.
    ///
    /// # Errors
    /// [`StoreError`] for what could not be read or written; then nothing was claimed.
    pub fn claim(&self, name: &Name, stamp: &Stamp, lease: Millis) -> Result<Outcome, StoreError> {
        self.step(name, stamp, Wish::Take { lease, told: 0 })
    }

    /// Renews a claim that the caller holds under the number `fencing`, also when its lease has just run out.
    ///
    /// # Errors
    /// As [`Store::claim`].
    pub fn renew(
        &self,
        name: &Name,
        stamp: &Stamp,
        fencing: u64,
        lease: Millis,
    ) -> Result<Outcome, StoreError> {
        self.step(name, stamp, Wish::Renew { fencing, lease })
    }

    /// Gives back a claim that the caller holds under the number `fencing`.
    ///
    /// # Errors
    /// As [`Store::claim`].
    pub fn release(&self, name: &Name, stamp: &Stamp, fencing: u64) -> Result<Outcome, StoreError> {
        self.step(name, stamp, Wish::Release { fencing })
    }

    /// The state of the claim `name`; `None` if nobody ever claimed it.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read or is no claim.
    pub fn find_claim(&self, name: &Name) -> Result<Option<Claim>, StoreError> {
        let found = self.refs.find(&ref_name(name))?;
        found.map(|id| self.read_claim(name, id)).transpose()
    }

    /// All claims, by name, whether held or not, and beside them what could not be read.
    ///
    /// # Errors
    /// [`StoreError`] when the refs cannot be listed.
    pub fn claims(&self) -> Result<(Vec<Claim>, Vec<Damage>), StoreError> {
        self.claims_of(|_| true)
    }

    /// The claims whose names `wanted` takes; others are not read.
    ///
    /// # Errors
    /// [`StoreError`] when the refs cannot be listed.
    pub fn claims_of(&self, wanted: impl Fn(&Name) -> bool) -> Result<(Vec<Claim>, Vec<Damage>), StoreError> {
        let (refs, broken) = self.refs.list(CLAIMS)?;
        let damage = |log: &str, object, message| Damage { log: log.to_owned(), object, message };
        let mut problems: Vec<_> = broken
            .iter()
            .map(|error| damage("claim", None, format!("{error}; it hides the claim")))
            .collect();
        let mut claims = Vec::new();
        for (ref_name, id) in refs {
            let Ok(name) = Name::new(ref_name.trim_start_matches(CLAIMS)) else { continue };
            if !wanted(&name) {
                continue;
            }
            match self.read_claim(&name, id) {
                Ok(claim) => claims.push(claim),
                Err(error) => problems.push(damage(&format!("claim/{name}"), Some(id), error.to_string())),
            }
        }
        Ok((claims, problems))
    }

    /// Removes claims whose refs still are what they were when these were read; where one is not, none, which is no
    /// error. Answers how many.
    pub(crate) fn remove_claims(&self, claims: &[Claim]) -> Result<usize, StoreError> {
        let gone: Vec<_> = claims.iter().map(|claim| (ref_name(&claim.name), claim.id)).collect();
        match self.refs.remove_all(&self.git, &gone) {
            Ok(()) => Ok(gone.len()),
            Err(error) => {
                let moved =
                    |(name, id): &(String, EntryId)| self.refs.find(name).is_ok_and(|now| now != Some(*id));
                if gone.iter().any(moved) { Ok(0) } else { Err(error.into()) }
            }
        }
    }

    pub(crate) fn read_claim(&self, name: &Name, id: EntryId) -> Result<Claim, StoreError> {
        let mut buffer = Vec::new();
        let raw = self.odb.read_bounded(id, ObjectKind::Commit, COMMIT_MAX, &mut buffer)?;
        Claim::parse(name, id, raw).ok_or_else(|| StoreError::Log {
            name: ref_name(name),
            message: format!("its tip {id} is no claim"),
        })
    }

    fn step(&self, name: &Name, stamp: &Stamp, wish: Wish) -> Result<Outcome, StoreError> {
        let ref_name = ref_name(name);
        let writer = self.writer(&stamp.agent)?;
        let mut wait = Wait::new(self);
        loop {
            let now = self.find_claim(name)?;
            let step = match wish.decide(name, stamp, &writer, now.as_ref()) {
                Ok(step) => step,
                Err(answer) => return Ok(answer),
            };
            let old = now.map(|claim| claim.id);
            let new = self.write_claim(stamp, &writer, old, &step, "")?;
            if wait.swap(&Move { name: &ref_name, old, new, stamp, reason: "datum: claim", sync: true })? {
                return Ok(outcome(&step.1));
            }
            wait.after_others(&ref_name)?;
        }
    }

    /// Writes the commit of a state that follows `old`.
    fn write_claim(
        &self,
        stamp: &Stamp,
        writer: &Writer,
        old: Option<EntryId>,
        (verb, next): &Next,
        mark: &str,
    ) -> Result<EntryId, StoreError> {
        let tree = EntryId(gix::ObjectId::empty_tree(self.odb.hash_kind()));
        // git reads the empty tree without having it, and only its fsck misses it.
        if !self.odb.loose_path(tree).exists() {
            self.odb.write(ObjectKind::Tree, b"", true)?;
        }
        let message = next.print(verb) + mark;
        let raw = commit::print(tree, old, stamp, writer, next.clock, &message);
        Ok(self.odb.write(ObjectKind::Commit, &raw, true)?)
    }
}

fn ref_name(name: &Name) -> String {
    format!("{CLAIMS}{name}")
}

/// The present state, if it is the caller's own.
fn own<'a>(now: Option<&'a Claim>, writer: &Writer, fencing: u64) -> Result<&'a Claim, Outcome> {
    match now {
        Some(claim) if claim.released => Err(Outcome::Free),
        Some(claim) if claim.holder == *writer && claim.fencing == fencing => Ok(claim),
        Some(claim) => Err(held(claim)),
        None => Err(Outcome::Free),
    }
}

fn next(
    name: &Name,
    writer: &Writer,
    now: Option<&Claim>,
    stamp: &Stamp,
    fencing: u64,
    until: Millis,
    released: bool,
) -> Claim {
    // One far-off clock must not drag the next along.
    let seen = now.map_or(0, |claim| claim.clock + 1);
    let clock = if seen <= stamp.now + SKEW_MAX { stamp.now.max(seen) } else { stamp.now };
    let id = EntryId(gix::ObjectId::null(gix::hash::Kind::Sha1));
    Claim { name: name.clone(), id, holder: writer.clone(), fencing, until, clock, released }
}
