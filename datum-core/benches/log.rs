//! A log in one process: appended to, listed, filtered, searched for an id. `cargo bench -p datum-core`
//!
//! The repositories lie in the folder for temporary files: `TMPDIR=/dev/shm` leaves the disk out of it.
#![expect(clippy::disallowed_methods, reason = "a bench makes its own repositories")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

use datum_core::{AgentName, Draft, Entry, EntryId, Kind, Stamp, Store, StoreError, journal};
use divan::Bencher;
use divan::counter::ItemsCount;
use std::process::Command;
use tempfile::TempDir;

/// 2026-01-01T00:00:00Z.
const NOW: u64 = 1_767_225_600_000;

/// Entries of the log that is read.
const MANY: u32 = 20_480;

fn main() {
    divan::main();
}

/// A repository whose journal holds `entries` entries of about 250 bytes.
fn vessel(entries: u32) -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let made = Command::new("git").args(["init", "-q"]).arg(dir.path()).status().unwrap();
    assert!(made.success());
    let store = Store::open(dir.path()).unwrap();
    if entries > 0 {
        let texts = (0..entries).map(|n| format!("{n} {}", "pump valve hull deck engine ".repeat(9).trim()));
        let drafts: Vec<Draft> = texts.map(|text| Draft::from_text(&text).unwrap()).collect();
        append(&store, &drafts);
    }
    (dir, store)
}

fn append(store: &Store, drafts: &[Draft]) -> Vec<EntryId> {
    let stamp = Stamp::new(AgentName::new("bench").unwrap(), NOW);
    store.apply::<StoreError>(Kind::Journal, &stamp, |_| Ok(drafts.to_vec())).unwrap().ids
}

fn list(store: &Store, limit: Option<usize>, text: &str) -> Vec<Entry> {
    let query = journal::Query { limit, ..journal::Query::default() };
    journal::list(&store.snapshot().unwrap(), &query, |entry| entry.contains(text))
}

#[divan::bench(max_time = 3)]
fn append_one(bencher: Bencher<'_, '_>) {
    let (_dir, store) = vessel(0);
    let draft = [Draft::from_text("Fixed the bilge pump").unwrap()];
    bencher.counter(ItemsCount::new(1u32)).bench_local(|| append(&store, &draft));
}

#[divan::bench(max_time = 3)]
fn append_256_at_once(bencher: Bencher<'_, '_>) {
    let (_dir, store) = vessel(0);
    let drafts = vec![Draft::from_text("Fixed the bilge pump").unwrap(); 256];
    bencher.counter(ItemsCount::new(256u32)).bench_local(|| append(&store, &drafts));
}

#[divan::bench(max_time = 3)]
fn list_the_last_20(bencher: Bencher<'_, '_>) {
    let (_dir, store) = vessel(MANY);
    bencher.bench_local(|| assert_eq!(list(&store, Some(20), "").len(), 20));
}

#[divan::bench(max_time = 3)]
fn filter_all(bencher: Bencher<'_, '_>) {
    let (_dir, store) = vessel(MANY);
    bencher.counter(ItemsCount::new(MANY)).bench_local(|| assert!(list(&store, None, "no such").is_empty()));
}

#[divan::bench(max_time = 3)]
fn fold_all(bencher: Bencher<'_, '_>) {
    let (_dir, store) = vessel(MANY);
    let all = || store.snapshot().unwrap().entries(Kind::Journal).len();
    bencher.counter(ItemsCount::new(MANY)).bench_local(|| assert_eq!(all(), MANY as usize));
}

#[divan::bench(max_time = 3)]
fn find_by_prefix(bencher: Bencher<'_, '_>) {
    let (_dir, store) = vessel(MANY);
    let oldest = store.snapshot().unwrap().entries(Kind::Journal)[0].id;
    let find = || store.snapshot().unwrap().find(&oldest.short(12)).unwrap().id;
    bencher.counter(ItemsCount::new(MANY)).bench_local(|| assert_eq!(find(), oldest));
}
