//! The program as its users meet it: the real binary, real git, real repositories.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bottle;
mod journal;
mod readme;
mod task;
mod vessel;
mod vessel_life;
