//! Whose signature it is: agents declare the keys they sign with, and a reader shows the proof, not the claim.
//!
//! A declaration is an entry of kind `agent` in the agent's own log, signed by the key it declares, or by one declared
//! before: then both are the agent's. Two keys that nothing connects are two claims to one name; the pinned one is
//! believed, and without a pin neither.

use crate::entry::{Draft, DraftError, View};
use crate::kind::Kind;
use crate::name::AgentName;
use crate::pins::Pins;
use crate::signature::{self, Signed};
use crate::snapshot::Snapshot;
use crate::sshsig::PublicKey;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// The trailer that names the agent whose keys are declared.
pub const DECLARES: &str = "Declares";
/// The trailer that holds a public key to check signatures with.
pub const SIGNER: &str = "Signer";
/// The trailer that holds an age recipient to seal values to.
pub const RECIPIENT: &str = "Recipient";

/// Drafts the entry that declares an agent's public keys; it belongs into the agent's log of kind `agent`.
///
/// # Errors
/// [`DraftError`] when `recipient` is no plain line.
pub fn declaration(
    agent: &AgentName,
    signer: &PublicKey,
    recipient: Option<&str>,
) -> Result<Draft, DraftError> {
    let draft = Draft::new(&format!("Keys of {agent}"), "")?
        .with(DECLARES, agent.as_str())?
        .with(SIGNER, &signer.to_string())?;
    recipient.map_or(Ok(draft.clone()), |recipient| draft.with(RECIPIENT, recipient))
}

/// What is known of who wrote an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Signed with a key of the agent that it names.
    Proved,
    /// Neither shown to be the agent's nor to be another's.
    Unproved(String),
    /// Shown to be not what it claims.
    Refused(String),
}

/// The public keys an agent has declared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// The first of them, which the others come from; pinned at first sight.
    pub root: Option<PublicKey>,
    /// The keys that are the agent's.
    pub signers: BTreeSet<PublicKey>,
    /// The recipient declared last.
    pub recipient: Option<String>,
    /// The keys that claim the name, when there are several and none is pinned.
    pub contested: BTreeSet<PublicKey>,
}

/// Every agent's declared keys.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    agents: BTreeMap<String, Declared>,
    sha256: bool,
}

/// One good declaration: `by` signed that `signer` is the agent's.
struct Statement {
    by: PublicKey,
    signer: PublicKey,
    recipient: Option<String>,
}

impl Trust {
    /// Reads the declarations of a snapshot.
    pub fn read(snapshot: &Snapshot<'_>, pins: &Pins) -> Self {
        let sha256 = snapshot.is_sha256();
        let mut stated: BTreeMap<String, Vec<Statement>> = BTreeMap::new();
        snapshot.walk(Kind::Agent, |view| {
            if let Some(statement) = statement(view, sha256) {
                stated.entry(view.writer.agent().to_owned()).or_default().push(statement);
            }
            ControlFlow::Continue(())
        });
        let settle = |(agent, mut statements): (String, Vec<Statement>)| {
            // The walk is newest first; claims are settled oldest first.
            statements.reverse();
            let declared = settled(&statements, pins.signer(&agent));
            (agent, declared)
        };
        Self { agents: stated.into_iter().map(settle).collect(), sha256 }
    }

    /// What an agent has declared.
    pub fn declared(&self, agent: &str) -> Option<&Declared> {
        self.agents.get(agent)
    }

    /// Every agent that has declared a key.
    pub fn agents(&self) -> impl Iterator<Item = (&str, &Declared)> {
        self.agents.iter().map(|(agent, declared)| (agent.as_str(), declared))
    }

    /// Judges who wrote an entry.
    pub fn proof(&self, view: &View<'_>) -> Proof {
        if let Err(why) = author_is_writer(view) {
            return Proof::Refused(why);
        }
        let agent = view.writer.agent();
        let declared = self.agents.get(agent).filter(|declared| !declared.signers.is_empty());
        match (signature::check(&view.raw(), self.sha256), declared) {
            (Signed::Bad(error), _) => Proof::Refused(format!("its signature is bad: {error}")),
            (Signed::By(key), Some(declared)) if declared.signers.contains(&key) => Proof::Proved,
            (Signed::By(key), Some(_)) => {
                Proof::Refused(format!("it is signed with {key}, which is no key of {agent}"))
            }
            (Signed::By(_), None) => match self.agents.get(agent) {
                Some(_) => Proof::Unproved(format!("several keys claim to be {agent}'s")),
                None => Proof::Unproved(format!("{agent} has declared no key")),
            },
            (Signed::No, Some(_)) if view.kind.is_signed() => {
                Proof::Unproved(format!("it is not signed, and {agent} has declared a key"))
            }
            (Signed::No, _) => Proof::Unproved("it is not signed".to_owned()),
        }
    }
}

fn statement(view: &View<'_>, sha256: bool) -> Option<Statement> {
    let agent = view.writer.agent();
    if view.trailer(DECLARES) != Some(agent) || author_is_writer(view).is_err() {
        return None;
    }
    let signer = PublicKey::parse(view.trailer(SIGNER)?).ok()?;
    let Signed::By(by) = signature::check(&view.raw(), sha256) else { return None };
    Some(Statement { by, signer, recipient: view.trailer(RECIPIENT).map(str::to_owned) })
}

/// Groups the keys of one agent by who vouches for whom, and says which group is the agent.
fn settled(statements: &[Statement], pinned: Option<PublicKey>) -> Declared {
    let roots: BTreeSet<_> = statements.iter().filter(|s| s.by == s.signer).map(|s| s.signer).collect();
    let reach = |root: PublicKey| {
        let mut known = BTreeSet::from([root]);
        loop {
            let new: Vec<_> = statements.iter().filter(|s| known.contains(&s.by)).map(|s| s.signer).collect();
            let before = known.len();
            known.extend(new);
            if known.len() == before {
                return known;
            }
        }
    };
    let groups: BTreeMap<PublicKey, BTreeSet<PublicKey>> =
        roots.iter().map(|root| (*root, reach(*root))).collect();
    // A root that another root vouches for makes no claim of its own.
    let heads: Vec<_> = groups
        .keys()
        .filter(|root| {
            !groups
                .iter()
                .any(|(other, keys)| other != *root && keys.contains(root) && !groups[*root].contains(other))
        })
        .copied()
        .collect();
    let head = match (pinned, &heads[..]) {
        (Some(pinned), _) => pinned,
        (None, [one]) => *one,
        (None, []) => return Declared::default(),
        (None, _) if heads.iter().all(|head| groups[head] == groups[&heads[0]]) => heads[0],
        (None, _) => return Declared { contested: heads.into_iter().collect(), ..Declared::default() },
    };
    let signers = reach(head);
    let recipient =
        statements.iter().rev().filter(|s| signers.contains(&s.by)).find_map(|s| s.recipient.clone());
    Declared { root: Some(head), signers, recipient, contested: BTreeSet::new() }
}

/// Compares what the commit's author line says with the log that the entry is in.
pub(crate) fn author_is_writer(view: &View<'_>) -> Result<(), String> {
    let agent = view.writer.agent();
    if view.agent() != agent {
        return Err(format!("it says it is by {:?} and stands in a log of {agent}", view.agent()));
    }
    let seconds = view.clock() / 1000;
    let want = format!("author {agent} <{}@datum> {seconds} +0000", view.writer);
    let raw = view.raw();
    let line = raw.split(|b| *b == b'\n').find(|line| line.starts_with(b"author "));
    if line == Some(want.as_bytes()) {
        return Ok(());
    }
    let shown = String::from_utf8_lossy(line.unwrap_or_default()).into_owned();
    Err(format!("its author line is {shown:?}, not that of the writer {}", view.writer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sshsig::Signer;

    fn key(seed: u8) -> PublicKey {
        Signer::from_seed(&[seed; 32]).public()
    }

    fn says(by: u8, signer: u8) -> Statement {
        Statement { by: key(by), signer: key(signer), recipient: Some(format!("r{signer}")) }
    }

    #[test]
    fn keys_that_vouch_for_each_other_are_one_agent() {
        let declared = settled(&[says(1, 1), says(1, 2), says(2, 2), says(2, 3)], None);
        assert_eq!(declared.signers, [key(1), key(2), key(3)].into());
        assert_eq!(declared.recipient.as_deref(), Some("r3"));
    }

    #[test]
    fn two_claims_to_one_name_are_believed_neither_without_a_pin() {
        let claims = [says(1, 1), says(2, 2)];
        let declared = settled(&claims, None);
        assert!(declared.signers.is_empty());
        assert_eq!(declared.contested.len(), 2);
        assert_eq!(settled(&claims, Some(key(2))).signers, [key(2)].into());
    }

    #[test]
    fn a_key_that_only_a_stranger_vouches_for_is_none() {
        assert_eq!(settled(&[says(9, 1)], None), Declared::default());
        assert_eq!(settled(&[says(1, 1), says(9, 2)], None).signers, [key(1)].into());
    }
}
