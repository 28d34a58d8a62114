//! Claims: where exactly one must win, a ref that only one can create.
//!
//! `refs/datum/claim/<name>` points to a commit that says who holds the claim and until when; each state follows the one
//! before it, and its fencing number grows with every new holder. A lease that has run out is taken over from its exact
//! old value, so of any number who try, one wins. Claims are always flushed to the disk.

use crate::commit;
use crate::id::EntryId;
use crate::log::Damage;
use crate::name::NameError;
use crate::odb::ObjectKind;
use crate::refs::Move;
use crate::stamp::{MILLIS_MAX, Millis, SKEW_MAX, Stamp, Writer};
use crate::store::{Store, StoreError};
use crate::wait::Wait;
use std::fmt;

/// Where claims lie.
pub(crate) const PREFIX: &str = "refs/datum/claim/";
/// Longest lease, milliseconds (30 days); one that says more counts for no more.
pub const LEASE_MAX: Millis = 30 * 24 * 60 * 60 * 1000;
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
        let whole = named == name.as_str() && agent == holder.agent() && lines.next().is_none();
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

/// What a step makes of the present state: the next one, with its verb, or an answer.
type Step<'a> = dyn Fn(Option<&Claim>, &Writer) -> Result<(&'static str, Claim), Outcome> + 'a;

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
        self.step(name, stamp, &|now, writer| match now {
            Some(claim) if claim.is_held(stamp.now) => Err(held(claim)),
            _ => {
                let fencing = now.map_or(0, |claim| claim.fencing).saturating_add(1);
                let until = lease_end(stamp, lease);
                Ok(("Claim", next(name, writer, now, stamp, fencing, until, false)))
            }
        })
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
        self.step(name, stamp, &|now, writer| {
            let claim = own(now, writer, fencing)?;
            let until = lease_end(stamp, lease).max(claim.until);
            Ok(("Renew", next(name, writer, now, stamp, fencing, until, false)))
        })
    }

    /// Gives back a claim that the caller holds under the number `fencing`.
    ///
    /// # Errors
    /// As [`Store::claim`].
    pub fn release(&self, name: &Name, stamp: &Stamp, fencing: u64) -> Result<Outcome, StoreError> {
        self.step(name, stamp, &|now, writer| {
            own(now, writer, fencing)?;
            Ok(("Release", next(name, writer, now, stamp, fencing, stamp.now, true)))
        })
    }

    /// The state of the claim `name`; `None` if nobody ever claimed it.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read or is no claim.
    pub fn find_claim(&self, name: &Name) -> Result<Option<Claim>, StoreError> {
        let ref_name = format!("{PREFIX}{name}");
        let found = self.refs.find(&ref_name)?;
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
        let (refs, broken) = self.refs.list(PREFIX)?;
        let damage = |log: &str, object, message| Damage { log: log.to_owned(), object, message };
        let mut problems: Vec<_> = broken
            .iter()
            .map(|error| damage("claim", None, format!("{error}; it hides the claim")))
            .collect();
        let mut claims = Vec::new();
        for (ref_name, id) in refs {
            let Ok(name) = Name::new(ref_name.trim_start_matches(PREFIX)) else { continue };
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

    pub(crate) fn read_claim(&self, name: &Name, id: EntryId) -> Result<Claim, StoreError> {
        let mut buffer = Vec::new();
        let raw = self.odb.read(id, ObjectKind::Commit, &mut buffer)?;
        Claim::parse(name, id, raw).ok_or_else(|| StoreError::Log {
            name: format!("{PREFIX}{name}"),
            message: format!("its tip {id} is no claim"),
        })
    }

    fn step(&self, name: &Name, stamp: &Stamp, decide: &Step<'_>) -> Result<Outcome, StoreError> {
        let ref_name = format!("{PREFIX}{name}");
        let writer = self.writer(&stamp.agent)?;
        let mut wait = Wait::new(self);
        loop {
            let now = self.find_claim(name)?;
            let (verb, next) = match decide(now.as_ref(), &writer) {
                Ok(step) => step,
                Err(answer) => return Ok(answer),
            };
            let tree = self.odb.write(ObjectKind::Tree, b"", true)?;
            let old = now.map(|claim| claim.id);
            let raw = commit::print(tree, old, stamp, &writer, next.clock, &next.print(verb));
            let new = self.odb.write(ObjectKind::Commit, &raw, true)?;
            if wait.swap(&Move { name: &ref_name, old, new, stamp, reason: "datum: claim", sync: true })? {
                let Claim { fencing, until, released, .. } = next;
                return Ok(if released { Outcome::Free } else { Outcome::Claimed { fencing, until } });
            }
            wait.a_little(&self.common_dir.join(&ref_name))?;
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, fsck, git, repository, stamp};

    fn name() -> Name {
        Name::new("task-1").unwrap()
    }

    #[test]
    fn one_holds_until_the_lease_ends_or_is_given_back() {
        let dir = repository(&[]);
        let store = Store::open(dir.path()).unwrap();
        let a = |at| stamp("a", at);
        assert_eq!(
            store.claim(&name(), &a(0), 1000).unwrap(),
            Outcome::Claimed { fencing: 1, until: NOW + 1000 }
        );
        let by_a = |until| Outcome::Held { by: store.writer(&a(0).agent).unwrap(), until, fencing: 1 };
        assert_eq!(store.claim(&name(), &stamp("b", 999), 1000).unwrap(), by_a(NOW + 1000));
        assert_eq!(
            store.renew(&name(), &a(999), 1, 1000).unwrap(),
            Outcome::Claimed { fencing: 1, until: NOW + 1999 }
        );
        assert_eq!(store.release(&name(), &stamp("b", 1000), 1).unwrap(), by_a(NOW + 1999));
        assert_eq!(
            store.claim(&name(), &stamp("b", 1999), 1000).unwrap(),
            Outcome::Claimed { fencing: 2, until: NOW + 2999 }
        );
        // The old holder cannot touch what another has taken over.
        assert!(matches!(store.renew(&name(), &a(2000), 1, 1000).unwrap(), Outcome::Held { fencing: 2, .. }));
        assert_eq!(store.release(&name(), &stamp("b", 2000), 2).unwrap(), Outcome::Free);
        assert_eq!(store.renew(&name(), &stamp("b", 2000), 2, 1).unwrap(), Outcome::Free);
        assert!(matches!(store.claim(&name(), &a(2001), 1).unwrap(), Outcome::Claimed { fencing: 3, .. }));
        assert_eq!(store.claims().unwrap().0.len(), 1);
        assert_eq!(git(dir.path(), &["rev-list", "--count", "refs/datum/claim/task-1"]), "5\n");
        fsck(dir.path());
    }

    #[test]
    fn of_many_one_wins_a_fresh_claim_and_one_that_ran_out() {
        let dir = repository(&[]);
        for round in 0..4 {
            let won = std::thread::scope(|scope| {
                let run = |n: u64| {
                    let path = dir.path();
                    scope.spawn(move || {
                        let store = Store::open(path).unwrap();
                        // Half of them are even the same agent.
                        let stamp = stamp(&format!("a{}", n / 2), round * 10);
                        matches!(store.claim(&name(), &stamp, 10).unwrap(), Outcome::Claimed { .. })
                    })
                };
                let threads: Vec<_> = (0..8).map(run).collect();
                threads.into_iter().map(|thread| u32::from(thread.join().unwrap())).sum::<u32>()
            });
            assert_eq!(won, 1, "round {round}");
        }
        let claim = Store::open(dir.path()).unwrap().find_claim(&name()).unwrap().unwrap();
        assert_eq!(claim.fencing, 4);
        fsck(dir.path());
    }

    #[test]
    fn a_clock_far_ahead_holds_nothing_for_ever() {
        let dir = repository(&[]);
        let store = Store::open(dir.path()).unwrap();
        store.claim(&name(), &stamp("a", 100 * LEASE_MAX), LEASE_MAX).unwrap();
        assert!(matches!(
            store.claim(&name(), &stamp("b", 0), 1).unwrap(),
            Outcome::Claimed { fencing: 2, until } if until == NOW + 1
        ));
    }

    #[test]
    fn what_is_no_claim_is_named_and_left_alone() {
        let dir = repository(&[]);
        git(dir.path(), &["commit", "-q", "--allow-empty", "-m", "x"]);
        git(dir.path(), &["update-ref", "refs/datum/claim/task-1", "HEAD"]);
        let store = Store::open(dir.path()).unwrap();
        let error = store.claim(&name(), &stamp("a", 0), 1).unwrap_err().to_string();
        assert!(error.contains("is no claim"), "{error}");
        assert_eq!(store.claims().unwrap().1.len(), 1);
    }

    #[test]
    fn names_are_safe_in_refs_and_paths() {
        for bad in ["", "A", ".x", "a..b", "a/b", "a.lock", "a b", &"x".repeat(101)] {
            assert!(Name::new(bad).is_err(), "{bad:?}");
        }
        assert!(Name::new(&"a".repeat(64)).is_ok());
    }
}
