//! The vault over real repositories: who opens what, and what every change to what is stored comes to.

mod hostile;
mod matrix;
mod stored;
mod vectors;

use super::{Member, Role, Vault, VaultError, found};
use crate::keys::AgentKeys;
use crate::testing::{git, repository, stamp};
use crate::{AgentName, EntryId, Kind, Pins, Signers, Store, StoreError, Word};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A clone, its agents' keys and its pins.
struct Clone {
    dir: tempfile::TempDir,
    keys: Rc<BTreeMap<String, AgentKeys>>,
    pins: Pins,
}

#[derive(Debug)]
#[expect(dead_code, reason = "what is in it is for the message of a failed test")]
enum Failed {
    Vault(VaultError),
    Store(StoreError),
}
impl From<VaultError> for Failed {
    fn from(error: VaultError) -> Self {
        Self::Vault(error)
    }
}
impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn name(text: &str) -> Word {
    Word::new("name", text).unwrap()
}

fn agent(text: &str) -> AgentName {
    AgentName::new(text).unwrap()
}

impl Clone {
    fn new(agents: &[&str]) -> Self {
        let keys = agents.iter().map(|name| ((*name).to_owned(), AgentKeys::generate(agent(name)).unwrap()));
        let keys = Rc::new(keys.collect());
        Self { dir: repository(&[]), keys, pins: Pins::default() }
    }

    fn store(&self) -> Store {
        let keys = Rc::clone(&self.keys);
        let find = move |agent: &AgentName| Ok(keys.get(agent.as_str()).map(AgentKeys::signer));
        Store::open(self.dir.path()).unwrap().signing(Signers::new(find))
    }

    /// Founds the vault as the agent `a`.
    fn founded(agents: &[&str]) -> Self {
        let mut clone = Self::new(agents);
        let draft = found(&clone.keys["a"]).unwrap();
        let applied = clone
            .store()
            .apply::<StoreError>(Kind::Vault, &stamp("a", 0), |_| Ok(vec![draft.clone()]))
            .unwrap();
        clone.pins.trust_vault(applied.ids[0]);
        clone
    }

    /// Another clone of the same, with what this one holds.
    fn cloned(&self, id: &str) -> Self {
        let other = Self { dir: repository(&[]), keys: Rc::clone(&self.keys), pins: self.pins.clone() };
        std::fs::write(other.dir.path().join(".git/datum/clone"), format!("{id}\n")).unwrap();
        other.fetch(self);
        other
    }

    fn fetch(&self, from: &Self) {
        let url = from.dir.path().to_str().unwrap().to_owned();
        // Only logs that grow: the other clone may hold an older state of ours.
        git(self.dir.path(), &["fetch", "-q", &url, "refs/datum/vault/*:refs/datum/vault/*"]);
    }

    fn read(&self) -> Result<Vault, VaultError> {
        Vault::read(&self.store().snapshot().unwrap(), &self.pins)
    }

    fn change(
        &self,
        by: &str,
        change: impl Fn(&mut super::Changes<'_>) -> Result<(), VaultError>,
    ) -> Result<Vec<EntryId>, Failed> {
        let store = self.store();
        let writer = store.writer(&agent(by)).unwrap();
        let applied = store.apply::<Failed>(Kind::Vault, &stamp(by, 1), |snapshot| {
            let vault = Vault::read(snapshot, &self.pins)?;
            let mut changes = vault.change(&writer, &self.keys[by])?;
            change(&mut changes)?;
            Ok(changes.drafts())
        })?;
        Ok(applied.ids)
    }

    fn take_in(&self, who: &str, role: Role) {
        self.change("a", |changes| changes.take_in(Member::of(&self.keys[who], role))).unwrap();
    }

    fn set(&self, by: &str, what: &str, value: &str) -> Result<Vec<EntryId>, Failed> {
        self.change(by, |changes| changes.set(&name(what), value.as_bytes(), &[]).map(|_| ()))
    }

    fn grant(&self, by: &str, what: &str, to: &str) -> Result<Vec<EntryId>, Failed> {
        self.change(by, |changes| changes.grant(&name(what), &agent(to), false))
    }

    fn revoke(&self, by: &str, what: &str, from: &str) -> Result<Vec<EntryId>, Failed> {
        self.change(by, |changes| changes.revoke(&name(what), &agent(from)))
    }

    fn opens(&self, who: &str, what: &str) -> Option<String> {
        let value = self.read().unwrap().open(&name(what), None, &self.keys[who]).ok()?;
        Some(String::from_utf8(value.to_vec()).unwrap())
    }
}

#[test]
fn granted_agents_open_and_others_do_not() {
    let clone = Clone::founded(&["a", "b", "c"]);
    clone.take_in("b", Role::Member);
    clone.take_in("c", Role::Member);
    clone.set("a", "db/password", "one").unwrap();
    clone.grant("a", "db/password", "b").unwrap();
    assert_eq!(clone.opens("a", "db/password").as_deref(), Some("one"));
    assert_eq!(clone.opens("b", "db/password").as_deref(), Some("one"));
    assert_eq!(clone.opens("c", "db/password"), None);
    clone.set("a", "db/password", "two").unwrap();
    assert_eq!(clone.opens("b", "db/password").as_deref(), Some("two"), "a grant holds for the next value");
    clone.revoke("a", "db/password", "b").unwrap();
    assert_eq!(clone.opens("b", "db/password"), None);
    let exposed =
        |clone: &Clone| clone.read().unwrap().secret(&name("db/password")).unwrap().exposed_to.clone();
    assert_eq!(exposed(&clone), BTreeSet::from(["b".to_owned()]));
    clone.set("a", "db/password", "three").unwrap();
    assert_eq!(exposed(&clone), BTreeSet::new());
    assert_eq!(clone.read().unwrap().void(), []);
}

#[test]
fn roles_bound_what_counts() {
    let clone = Clone::founded(&["a", "b", "c"]);
    clone.take_in("b", Role::Member);
    clone.set("a", "x", "one").unwrap();
    assert!(matches!(clone.set("b", "x", "two"), Err(Failed::Vault(VaultError::NotAllowed { .. }))));
    assert!(matches!(clone.set("c", "x", "two"), Err(Failed::Vault(VaultError::NoMember(_)))));
    clone.take_in("b", Role::Keeper);
    clone.set("b", "x", "two").unwrap();
    assert_eq!(clone.opens("a", "x").as_deref(), Some("two"));
    assert_eq!(clone.opens("b", "x"), None, "a keeper may write what it may not read");
    let owner = Member::of(&clone.keys["c"], Role::Owner);
    let refused = clone.change("b", |changes| changes.take_in(owner.clone()));
    assert!(matches!(refused, Err(Failed::Vault(VaultError::NotAllowed { .. }))));
}

#[test]
fn revoke_wins_over_a_grant_at_the_same_time() {
    let one = Clone::founded(&["a", "b", "k"]);
    one.take_in("b", Role::Member);
    one.take_in("k", Role::Keeper);
    one.change("a", |changes| changes.set(&name("x"), b"one", &[agent("k"), agent("b")]).map(|_| ()))
        .unwrap();
    let two = one.cloned("bbbbbbbb");
    one.revoke("a", "x", "b").unwrap();
    two.grant("k", "x", "b").unwrap();
    two.fetch(&one);
    one.fetch(&two);
    for clone in [&one, &two] {
        assert_eq!(clone.opens("b", "x"), None);
        assert_eq!(clone.opens("k", "x").as_deref(), Some("one"));
    }
    two.grant("k", "x", "b").unwrap();
    assert_eq!(two.opens("b", "x").as_deref(), Some("one"), "who has seen the revoke may grant again");
}

#[test]
fn two_values_at_once_are_both_kept() {
    let one = Clone::founded(&["a", "k"]);
    one.take_in("k", Role::Keeper);
    one.set("a", "x", "zero").unwrap();
    let two = one.cloned("bbbbbbbb");
    one.set("a", "x", "left").unwrap();
    two.set("k", "x", "right").unwrap();
    two.fetch(&one);
    one.fetch(&two);
    let heads: Vec<_> = [&one, &two]
        .map(|clone| {
            let secret = clone.read().unwrap().secret(&name("x")).unwrap().clone();
            assert_eq!((secret.versions.len(), secret.beside.len()), (3, 1));
            (clone.opens("a", "x"), secret.beside)
        })
        .into();
    assert_eq!(heads[0], heads[1]);
    one.set("a", "x", "settled").unwrap();
    assert_eq!(one.read().unwrap().secret(&name("x")).unwrap().beside, []);
}
