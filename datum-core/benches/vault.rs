//! The vault in one process: read, and opened. `cargo bench -p datum-core --features vault --bench vault`
//!
//! The repositories lie in the folder for temporary files: `TMPDIR=/dev/shm` leaves the disk out of it.
#![expect(clippy::disallowed_methods, reason = "a bench makes its own repositories")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

use datum_core::keys::AgentKeys;
use datum_core::vault::{self, Sought, Vault};
use datum_core::{AgentName, Kind, Pins, Signers, Stamp, Store, StoreError, Word};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use std::process::Command;
use std::rc::Rc;
use tempfile::TempDir;

/// 2026-01-01T00:00:00Z.
const NOW: u64 = 1_767_225_600_000;
/// Names in the vault.
const NAMES: usize = 1000;

fn main() {
    divan::main();
}

/// A repository whose vault holds [`NAMES`] values of one agent.
struct Vessel {
    _folder: TempDir,
    store: Store,
    keys: Rc<AgentKeys>,
    pins: Pins,
}

fn name(number: usize) -> Word {
    Word::new("name", &format!("name/{number}")).unwrap()
}

impl Vessel {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new("git").args(["init", "-q"]).arg(folder.path()).status().unwrap();
        assert!(made.success());
        let agent = AgentName::new("bench").unwrap();
        let keys = Rc::new(AgentKeys::generate(agent.clone()).unwrap());
        let signing = Rc::clone(&keys);
        let store = Store::open(folder.path()).unwrap();
        let store = store.signing(Signers::new(move |_| Ok(Some(signing.signer()))));
        let stamp = Stamp::new(agent.clone(), NOW);
        let draft = vault::found(&keys).unwrap();
        let founded = store.apply::<StoreError>(Kind::Vault, &stamp, |_| Ok(vec![draft.clone()])).unwrap();
        let mut pins = Pins::default();
        pins.trust_vault(founded.ids[0]);
        let writer = store.writer(&agent).unwrap();
        let set = |snapshot: &datum_core::Snapshot<'_>| {
            let vault = Vault::read(snapshot, &pins).unwrap();
            let mut changes = vault.change(&writer, &keys).unwrap();
            for number in 0..NAMES {
                changes.set(&name(number), format!("value {number}").as_bytes(), &[]).unwrap();
            }
            Ok(changes.drafts())
        };
        store.apply::<StoreError>(Kind::Vault, &stamp, set).unwrap();
        // As a clone has them that has read the vault before: no signature is checked twice.
        Vault::read(&store.snapshot().unwrap(), &pins).unwrap().pin(&mut pins);
        Self { _folder: folder, store, keys, pins }
    }

    fn vault(&self) -> Vault {
        Vault::read(&self.store.snapshot().unwrap(), &self.pins).unwrap()
    }
}

/// The same by a clone that has never seen the vault.
#[divan::bench(sample_count = 10)]
fn verify_1000(bencher: Bencher<'_, '_>) {
    let vessel = Vessel::new();
    let mut pins = Pins::default();
    pins.trust_vault(vessel.pins.vault().unwrap());
    let read = || Vault::read(&vessel.store.snapshot().unwrap(), &pins).unwrap();
    bencher.counter(ItemsCount::new(NAMES)).bench_local(read);
}

/// Of each name: that it is in use, who may open it, and which value holds.
#[divan::bench]
fn look_up_1000(bencher: Bencher<'_, '_>) {
    let vessel = Vessel::new();
    let vault = vessel.vault();
    let names: Vec<Word> = (0..NAMES).map(name).collect();
    bencher.counter(ItemsCount::new(NAMES)).bench_local(|| {
        let held = |name: &Word| {
            let secret = vault.secret(name).unwrap();
            secret.granted.contains("bench") && secret.versions.last().is_some()
        };
        assert_eq!(names.iter().filter(|name| held(name)).count(), NAMES);
    });
}

#[divan::bench(sample_count = 30)]
fn read_1000(bencher: Bencher<'_, '_>) {
    let vessel = Vessel::new();
    bencher.counter(ItemsCount::new(NAMES)).bench_local(|| vessel.vault());
}

#[divan::bench]
fn open_one_of_1000(bencher: Bencher<'_, '_>) {
    let vessel = Vessel::new();
    let vault = vessel.vault();
    bencher.bench_local(|| vault.open(&name(500), None, &vessel.keys).unwrap());
}

#[divan::bench(sample_count = 10)]
fn open_1000(bencher: Bencher<'_, '_>) {
    let vessel = Vessel::new();
    let vault = vessel.vault();
    let names: Vec<Word> = (0..NAMES).map(name).collect();
    bencher.counter(ItemsCount::new(NAMES)).bench_local(|| {
        names.iter().map(|name| vault.open(name, None, &vessel.keys).unwrap().len()).sum::<usize>()
    });
}

#[divan::bench]
fn look_for_100_in_1_mb(bencher: Bencher<'_, '_>) {
    let mut sought = Sought::default();
    for number in 0..100 {
        sought.add(&name(number), format!("value-{number}-{}", number * 7919).as_bytes());
    }
    let text = "    let total = count(17) + offset; // the pump runs\n".repeat(20_000);
    bencher.counter(BytesCount::new(text.len())).bench_local(|| sought.find(text.as_bytes()));
}
