//! Waiting: shown, bounded, and ended by Ctrl-C.

use crate::edge::variable;
use crate::out::Out;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Requests that change something, at most, in a minute and in an hour.
const WRITES: [(usize, u64); 2] = [(80, 60), (500, HOUR)];
/// Seconds; writes before that count no more.
pub(crate) const HOUR: u64 = 3600;

/// How long to wait, and whether to go on.
#[derive(Debug)]
pub(crate) struct Patience {
    /// Real time that a second of waiting takes: tests make it short.
    second: Duration,
    /// The longest single wait, seconds.
    longest: u64,
    stopped: Arc<AtomicBool>,
    /// When the last writes were made, of other runs as well.
    writes: VecDeque<Instant>,
    /// How many this run made.
    made: u64,
}

impl Patience {
    /// Starts to listen for Ctrl-C: the first asks to stop after the request under way, a second stops at once.
    pub(crate) fn new(longest: u64) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // Where signals cannot be caught, the program simply ends: every outcome so far is recorded.
            let _ = flag::register_conditional_shutdown(signal, 130, Arc::clone(&stopped));
            let _ = flag::register(signal, Arc::clone(&stopped));
        }
        let millis = variable("DATUM_SECOND_MS").and_then(|text| text.parse().ok()).unwrap_or(1000);
        Self { second: Duration::from_millis(millis), longest, stopped, writes: VecDeque::new(), made: 0 }
    }

    /// Takes note of writes that other runs made: how long ago, milliseconds, and how many; the oldest first.
    pub(super) fn remember(&mut self, writes: impl IntoIterator<Item = (u64, usize)>) {
        let now = Instant::now();
        for (ago, count) in writes {
            let real = (self.second / 1000).saturating_mul(u32::try_from(ago).unwrap_or(u32::MAX));
            let Some(then) = now.checked_sub(real) else { continue };
            self.writes.extend(std::iter::repeat_n(then, count.min(WRITES[1].0)));
            // There may be any number of records: they come from other clones too.
            self.forget();
        }
    }

    /// Writes that this run made.
    pub(super) fn made(&self) -> u64 {
        self.made
    }

    /// Whether the user wants to stop.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Whether a wait of so many seconds is within reason.
    pub(super) fn allows(&self, seconds: u64) -> bool {
        seconds <= self.longest
    }

    /// Waits, and says so.
    pub(super) fn wait(&self, out: &Out, seconds: u64, why: &str) {
        out.say(&format!("waiting {seconds} s: {why} (Ctrl-C stops; the next run goes on)"));
        self.sleep(self.second * u32::try_from(seconds).unwrap_or(u32::MAX));
    }

    /// Waits until a request may change something: a second after the last, and within the host's limits.
    ///
    /// A request that makes several commits counts as so many `writes`. The error is a wait that is longer than is
    /// allowed, seconds.
    pub(super) fn before_write(&mut self, out: &Out, writes: usize) -> Result<(), u64> {
        let now = Instant::now();
        if let Some(last) = self.writes.back() {
            self.sleep(self.second.saturating_sub(now.duration_since(*last)));
        }
        for (most, seconds) in WRITES {
            let span = self.second * u32::try_from(seconds).unwrap_or(u32::MAX);
            // The one that has to be older than the span, so that these fit into it.
            let first = (self.writes.len() + writes).checked_sub(most + 1).and_then(|at| self.writes.get(at));
            let Some(first) = first else { continue };
            let left = span.saturating_sub(first.elapsed());
            if !left.is_zero() {
                let wait = left.as_nanos().div_ceil(self.second.as_nanos().max(1));
                let wait = u64::try_from(wait).unwrap_or(u64::MAX);
                if !self.allows(wait) {
                    return Err(wait);
                }
                out.say(&format!("waiting {wait} s: {most} writes in {seconds} s is the most"));
                self.sleep(left);
            }
        }
        self.writes.extend(std::iter::repeat_n(Instant::now(), writes));
        self.made += writes as u64;
        self.forget();
        Ok(())
    }

    /// Forgets all but the writes that can matter.
    fn forget(&mut self) {
        while self.writes.len() > WRITES[1].0 {
            self.writes.pop_front();
        }
    }

    fn sleep(&self, length: Duration) {
        let start = Instant::now();
        while !self.is_stopped() {
            let left = length.saturating_sub(start.elapsed());
            if left.is_zero() {
                return;
            }
            thread::sleep(left.min(Duration::from_millis(100)));
        }
    }
}
