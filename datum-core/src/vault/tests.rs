//! The vault over real repositories: who opens what, and what every change to what is stored comes to.

use super::{Member, Role, Vault, VaultError, found};
use crate::keys::AgentKeys;
use crate::testing::{git, repository, stamp};
use crate::{AgentName, EntryId, Kind, Pins, Signers, Store, StoreError, Word};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
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
fn the_stored_format_stays() {
    let clone = Clone::founded(&["a"]);
    clone.set("a", "x", "one").unwrap();
    let text = git(clone.dir.path(), &["log", "--format=%B", "refs/datum/vault/a-aaaaaaaa"]);
    let public = |text: &str| {
        let hide = |line: &str| match line.split_once(' ') {
            Some((first, _))
                if ["sealed", "wrap", "Signer:", "Recipient:", "Digest:", "Vault:"].contains(&first) =>
            {
                format!("{first} …")
            }
            _ => line.to_owned(),
        };
        text.lines().map(hide).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(public(&text), @r"
    Vault: …

    sealed …
    wrap …


    Vault: …
    Does: set
    Name: x
    Version: 1
    Member: a
    Digest: …
    Kind: vault
    Agent: a
    Clock: 1767225600001
    Seq: 2

    Vault founded by a

    Does: init
    Member: a
    Role: owner
    Signer: …
    Recipient: …
    Kind: vault
    Agent: a
    Clock: 1767225600000
    Seq: 1
    ");
    for word in ["key", "secret", "token", "passw"] {
        assert!(
            !text
                .to_lowercase()
                .lines()
                .filter_map(|l| l.split([' ', ':']).next())
                .any(|field| field.contains(word))
        );
    }
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

/// Appends entries to the vault's log as `by`, whatever its rights: what a hostile program would write.
fn force(clone: &Clone, by: &str, act: &super::Act) -> EntryId {
    let vault = clone.pins.vault();
    let store = clone.store();
    let after: Vec<_> = store.snapshot().unwrap().tips().map(|(_, _, tip)| tip).collect();
    let draft = act.draft(vault, &after).unwrap();
    store.apply::<StoreError>(Kind::Vault, &stamp(by, 9), |_| Ok(vec![draft.clone()])).unwrap().ids[0]
}

#[test]
fn entries_made_from_public_data_alone_count_for_nothing() {
    let clone = Clone::founded(&["a", "b", "mallory"]);
    clone.take_in("b", Role::Member);
    clone.set("a", "x", "one").unwrap();
    let vault = clone.pins.vault().unwrap();
    let (what, version) = (name("x"), 2);
    let binding = super::seal::Binding { vault, name: &what, version };
    let (sealed, data) = super::seal::seal(b"forged", &binding).unwrap();
    let digest = super::seal::digest(&sealed);
    // Everything is right but the right: sealed to the owner's public recipient, with the right bound data.
    let wrap = super::seal::wrap(&data, &binding, "a", &digest, &clone.keys["a"].recipient()).unwrap();
    let wraps = BTreeMap::from([("a".to_owned(), wrap)]);
    let set = super::Act::Set { name: what.clone(), version, granted: vec![], sealed, wraps };
    let forged = [force(&clone, "mallory", &set), force(&clone, "b", &set)];
    let join = super::Act::Member(Member::of(&clone.keys["mallory"], Role::Owner));
    let joined = force(&clone, "mallory", &join);
    let vault = clone.read().unwrap();
    assert_eq!(clone.opens("a", "x").as_deref(), Some("one"));
    assert!(vault.member("mallory").is_none());
    let void: BTreeSet<_> = vault.void().iter().map(|void| void.entry).collect();
    assert_eq!(void, forged.into_iter().chain([joined]).collect());
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
fn a_keeper_put_out_cannot_go_on_behind_the_removal() {
    let one = Clone::founded(&["a", "k", "o"]);
    one.take_in("k", Role::Keeper);
    one.take_in("o", Role::Owner);
    one.set("a", "x", "one").unwrap();
    let two = one.cloned("bbbbbbbb");
    one.change("a", |changes| changes.put_out(&agent("k")).and_then(|()| changes.put_out(&agent("o"))))
        .unwrap();
    // In the other clone nobody has seen that: the keeper sets, the owner puts out the founder and the keeper.
    two.set("k", "x", "by the keeper").unwrap();
    force(
        &two,
        "o",
        &super::Act::Member(Member { role: Role::None, ..Member::of(&two.keys["a"], Role::None) }),
    );
    two.fetch(&one);
    one.fetch(&two);
    let vault = one.read().unwrap();
    assert_eq!(one.opens("a", "x").as_deref(), Some("one"));
    assert_eq!(vault.void().len(), 2, "{:?}", vault.void());
    assert!(vault.member("a").is_some() && vault.member("k").is_none() && vault.member("o").is_none());
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

#[test]
fn what_was_verified_is_not_set_back_forked_or_replaced() {
    let mut clone = Clone::founded(&["a", "b"]);
    clone.take_in("b", Role::Member);
    let old = clone.set("a", "x", "one").unwrap()[0];
    clone.change("a", |changes| changes.set(&name("x"), b"two", &[agent("b")]).map(|_| ())).unwrap();
    let seen = clone.revoke("a", "x", "b").unwrap()[0];
    let vault = clone.read().unwrap();
    vault.pin(&mut clone.pins);
    // An old signed state is still signed: only the pin tells.
    let log = "refs/datum/vault/a-aaaaaaaa";
    git(clone.dir.path(), &["update-ref", log, &old.to_string()]);
    let error = clone.read().unwrap_err().to_string();
    assert!(error.contains(&seen.to_string()) && error.contains(&old.to_string()), "{error}");
    let fork = git(
        clone.dir.path(),
        &["commit-tree", "-p", log, "-m", "x", "4b825dc642cb6eb9a060e54bf8d69288fbee4904"],
    );
    git(clone.dir.path(), &["update-ref", log, fork.trim()]);
    assert!(matches!(clone.read(), Err(VaultError::Back { .. })));
    git(clone.dir.path(), &["update-ref", "-d", log]);
    assert!(matches!(clone.read(), Err(VaultError::Back { found: None, .. })));
    // Another vault under the same names.
    let mut other = Clone::founded(&["a"]);
    let theirs = other.pins.vault().unwrap();
    other.pins = Pins::default();
    assert!(matches!(other.read(), Err(VaultError::Untrusted { .. })));
    other.pins.trust_vault(clone.pins.vault().unwrap());
    let error = other.read().unwrap_err().to_string();
    assert!(
        error.contains(&theirs.to_string()) && error.contains(&clone.pins.vault().unwrap().to_string()),
        "{error}"
    );
}

/// Every entry of a vault that has been changed in one way never opens to anything but the truth, and never panics.
#[test]
fn no_change_to_what_is_stored_is_believed() {
    let clone = Clone::founded(&["a", "b"]);
    clone.take_in("b", Role::Member);
    clone.change("a", |changes| changes.set(&name("x"), b"one", &[agent("b")]).map(|_| ())).unwrap();
    clone.change("a", |changes| changes.set(&name("y"), b"other", &[]).map(|_| ())).unwrap();
    clone.set("a", "x", "two").unwrap();
    clone.grant("a", "y", "b").unwrap();
    let log = "refs/datum/vault/a-aaaaaaaa";
    let dir = clone.dir.path();
    let tip = git(dir, &["rev-parse", log]);
    let chain = git(dir, &["rev-list", "--reverse", log]);
    let chain: Vec<&str> = chain.lines().collect();
    let raws: Vec<String> = chain.iter().map(|id| git(dir, &["cat-file", "commit", id])).collect();
    let mut tried = 0;
    for (index, raw) in raws.iter().enumerate() {
        for changed in mutations(raw, &raws) {
            // All that follows is linked anew, as a forger would.
            let mut ids: Vec<String> = chain[..index].iter().map(|id| (*id).to_owned()).collect();
            for (at, raw) in raws.iter().enumerate().skip(index) {
                let raw = if at == index { &changed } else { raw };
                let relinked = match (at.checked_sub(1).and_then(|before| chain.get(before)), ids.last()) {
                    (Some(old), Some(new)) => {
                        raw.replacen(&format!("parent {old}"), &format!("parent {new}"), 1)
                    }
                    _ => raw.clone(),
                };
                let Some(id) = write_commit(dir, &relinked) else { break };
                ids.push(id);
            }
            let Some(new) = ids.last().filter(|_| ids.len() > index) else { continue };
            git(dir, &["update-ref", log, new]);
            tried += 1;
            let Ok(vault) = clone.read() else { continue };
            for (who, what, values) in [
                ("a", "x", &["one", "two"]),
                ("b", "x", &["one", "two"]),
                ("a", "y", &["other"; 2]),
                ("b", "y", &["other"; 2]),
            ] {
                if let Ok(value) = vault.open(&name(what), None, &clone.keys[who]) {
                    let value = String::from_utf8(value.to_vec()).unwrap();
                    assert!(values.contains(&value.as_str()), "{who} opened {what} as {value:?}");
                }
            }
            assert!(vault.member("mallory").is_none());
        }
    }
    git(dir, &["update-ref", log, tip.trim()]);
    assert_eq!(clone.opens("b", "y").as_deref(), Some("other"));
    assert!(tried > 60, "{tried}");
}

fn write_commit(dir: &Path, raw: &str) -> Option<String> {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut child = Command::new("git")
        .args(["hash-object", "-t", "commit", "-w", "--stdin", "--literally"])
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(raw.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

fn mutations(raw: &str, all: &[String]) -> Vec<String> {
    let line = |text: &str, start: &str| text.lines().find(|l| l.starts_with(start)).map(str::to_owned);
    let mut out = vec![raw[..raw.len() / 2].to_owned(), raw.replace("Does: set", "Does: destroy")];
    for (old, new) in [
        ("Name: x", "Name: y"),
        ("Name: y", "Name: x"),
        ("Version: 1", "Version: 9"),
        ("Role: member", "Role: owner"),
        ("Member: b", "Member: mallory"),
        ("wrap a", "wrap b"),
    ] {
        out.push(raw.replace(old, new));
    }
    for start in [
        "sealed ",
        "wrap a ",
        "wrap b ",
        "Digest: ",
        "Vault: ",
        "Signer: ",
        "Recipient: ",
        "gpgsig ",
        "After: ",
    ] {
        let Some(own) = line(raw, start) else { continue };
        out.push(raw.replacen(&format!("{own}\n"), "", 1));
        let mut flipped = own.clone().into_bytes();
        let at = flipped.len() - 8;
        flipped[at] = if flipped[at] == b'A' { b'B' } else { b'A' };
        out.push(raw.replacen(&own, &String::from_utf8(flipped).unwrap(), 1));
        // The same line of another entry.
        out.extend(
            all.iter()
                .filter_map(|other| line(other, start))
                .filter(|other| *other != own)
                .map(|other| raw.replacen(&own, &other, 1)),
        );
    }
    out.retain(|changed| changed != raw);
    out.sort();
    out.dedup();
    out
}

#[derive(Debug, Clone)]
enum Step {
    Set(usize),
    Grant(usize, usize),
    Revoke(usize, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let one = prop_oneof![
        (0usize..3).prop_map(Step::Set),
        (0usize..3, 0usize..3).prop_map(|(what, who)| Step::Grant(what, who)),
        (0usize..3, 0usize..3).prop_map(|(what, who)| Step::Revoke(what, who)),
    ];
    prop::collection::vec(one, 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// An agent opens exactly what it is granted, and no key opens any value that it was never sealed to.
    #[test]
    fn random_grants(steps in steps()) {
        const WHAT: [&str; 3] = ["x", "y", "z"];
        const WHO: [&str; 3] = ["b", "c", "d"];
        let clone = Clone::founded(&["a", "b", "c", "d"]);
        for who in WHO {
            clone.take_in(who, Role::Member);
        }
        // The plain model: who may open, and who could ever open which value.
        let mut granted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut values: BTreeMap<&str, Vec<(String, BTreeSet<&str>)>> = BTreeMap::new();
        for (number, step) in steps.iter().enumerate() {
            match step {
                Step::Set(what) => {
                    let what = WHAT[*what];
                    let value = format!("value {number}");
                    clone.set("a", what, &value).unwrap();
                    let to = granted.entry(what).or_insert_with(|| BTreeSet::from(["a"])).clone();
                    values.entry(what).or_default().push((value, to));
                }
                Step::Grant(what, who) => {
                    let (what, who) = (WHAT[*what], WHO[*who]);
                    let done = clone.grant("a", what, who).is_ok();
                    prop_assert_eq!(done, granted.contains_key(what));
                    if let Some(set) = granted.get_mut(what) {
                        set.insert(who);
                        values.get_mut(what).unwrap().last_mut().unwrap().1.insert(who);
                    }
                }
                Step::Revoke(what, who) => {
                    let (what, who) = (WHAT[*what], WHO[*who]);
                    prop_assert_eq!(clone.revoke("a", what, who).is_ok(), granted.contains_key(what));
                    if let Some(set) = granted.get_mut(what) {
                        set.remove(who);
                    }
                }
            }
        }
        let vault = clone.read().unwrap();
        for what in WHAT {
            let Some(all) = values.get(what) else {
                prop_assert!(vault.secret(&name(what)).is_err());
                continue;
            };
            let secret = vault.secret(&name(what)).unwrap();
            for who in ["a", "b", "c", "d"] {
                let keys = &clone.keys[who];
                let opened = vault.open(&name(what), None, keys).ok().map(|value| value.to_vec());
                let may = granted[what].contains(who);
                prop_assert_eq!(opened, may.then(|| all.last().unwrap().0.clone().into_bytes()));
                for (version, (_, sealed_to)) in secret.versions.iter().zip(all) {
                    prop_assert_eq!(vault.data_key(version, keys).is_ok(), sealed_to.contains(who));
                }
                // Every wrap there is, tried with every key under every label.
                for version in &secret.versions {
                    let (binding, sealed) = vault.sealed(version).unwrap();
                    for (to, wrap) in super::fold::wraps(vault.counting(), version.entry) {
                        let opens = super::seal::unwrap(wrap, &binding, &super::seal::digest(sealed), keys).is_ok();
                        prop_assert_eq!(opens, to == who);
                    }
                }
            }
        }
    }
}
