//! How often one may ask: a bucket for each agent, and one for all who are nobody yet.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// So many requests at once, and one more each `every`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    pub(super) most: u32,
    pub(super) every: Duration,
}

/// An agent with a token.
pub(super) const AGENT: Rate = Rate { most: 100, every: Duration::from_millis(50) };
/// Everyone without a good token, together: who guesses has ten guesses a minute.
pub(super) const NOBODY: Rate = Rate { most: 20, every: Duration::from_secs(6) };

/// The buckets.
#[derive(Debug, Default)]
pub(super) struct Limits(BTreeMap<String, (f64, Instant)>);

impl Limits {
    /// Takes one from a bucket; `false` when it is empty.
    pub(super) fn take(&mut self, who: &str, rate: Rate, now: Instant) -> bool {
        let most = f64::from(rate.most);
        let (left, last) = self.0.entry(who.to_owned()).or_insert((most, now));
        let came = now.saturating_duration_since(*last).as_secs_f64() / rate.every.as_secs_f64();
        *left = (*left + came).min(most);
        *last = now;
        if *left < 1.0 {
            return false;
        }
        *left -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again_and_is_nobody_elses() {
        let rate = Rate { most: 3, every: Duration::from_secs(1) };
        let mut limits = Limits::default();
        let start = Instant::now();
        let taken: Vec<_> = (0..4).map(|_| limits.take("a", rate, start)).collect();
        assert_eq!(taken, [true, true, true, false]);
        assert!(limits.take("b", rate, start));
        assert!(limits.take("a", rate, start + Duration::from_secs(1)));
        assert!(!limits.take("a", rate, start + Duration::from_secs(1)));
    }
}
