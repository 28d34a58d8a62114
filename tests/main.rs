//! The program as its users meet it: the real binary, real git, real repositories.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stderr, reason = "what is skipped is said")]

mod adopt;
mod audit;
mod board;
mod bottle;
mod ci;
mod claim;
mod crash;
mod delivery;
mod described;
mod fleet;
mod formats;
mod git_commit;
mod git_sync;
mod hooks;
mod journal;
mod keeper_http;
mod keys;
mod lives;
mod octo;
mod onboard;
mod oracle;
mod places;
mod profile;
mod pushes;
mod readme;
mod report;
mod sandbox;
mod servers;
mod ssh;
mod status;
mod task;
mod tools;
mod travel;
mod tui;
mod vault;
#[cfg(any(feature = "age-ssh", feature = "age-plugin"))]
mod vault_age;
mod vault_crash;
mod vault_life;
mod vault_push;
mod vessel;
mod vessel_life;
mod workshop;
mod wrong_use;
