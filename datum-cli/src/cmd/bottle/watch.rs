//! `datum bottle watch`: waits for new bottles.

use super::{Shown, inbox, line, seen};
use crate::cmd::sync;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::time;
use datum_core::Kind;
use datum_core::bottle::Bottle;
use datum_core::sync::Options;
use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

/// Longest time between two looks.
const SLOWEST: Duration = Duration::from_secs(5);

/// Waits in the foreground for new bottles, prints them, and ends.
///
/// Exit: 0 something came; 1 nothing came in time.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum bottle watch --for 10m
  datum bottle watch --for 1h --sync && datum bottle check")]
pub(crate) struct Watch {
    /// Wait at most this long
    #[arg(long = "for", value_name = "TIME", default_value = "10m")]
    length: String,
    /// Also sync with the remote before each look, at most every five seconds
    #[arg(long)]
    sync: bool,
}

impl Watch {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let length = time::parse_length(&self.length).map(Duration::from_millis).ok_or_else(|| {
            Fault::usage(format!("--for: {:?} is no length of time", self.length))
                .hint("write 30s, 10m or 1h")
        })?;
        let (store, me, start) = (edge.store()?, edge.me()?, Instant::now());
        let unread = |bottle: &&Bottle| bottle.is_for(&me) && bottle.is_new_to(&me.name);
        let first = inbox(&store.snapshot()?)?;
        let known: BTreeSet<_> = first.bottles.iter().filter(unread).map(|bottle| bottle.id).collect();
        let mut pause = Duration::from_millis(100);
        let mut seen = None;
        loop {
            if self.sync {
                self.bring(edge, out)?;
            }
            let snapshot = store.snapshot()?;
            let state = (snapshot.id(), snapshot.head());
            if seen != Some(state) {
                let all = inbox(&snapshot)?;
                let news: Vec<&Bottle> =
                    all.bottles.iter().filter(unread).filter(|bottle| !known.contains(&bottle.id)).collect();
                if !news.is_empty() {
                    if out.is_json() {
                        out.json_list(
                            "bottles",
                            &news.iter().map(|bottle| Shown::of(bottle)).collect::<Vec<_>>(),
                        );
                    } else {
                        for bottle in &news {
                            let text = line(out, bottle, "new");
                            out.line(&text);
                        }
                    }
                    seen::note(edge, out, &me, &news);
                    return Ok(Exit::Done);
                }
                seen = Some(state);
            }
            let left = length.saturating_sub(start.elapsed());
            if left.is_zero() {
                out.say("nothing new");
                return Ok(Exit::No);
            }
            thread::sleep(pause.min(left));
            pause = (pause * 3 / 2).min(SLOWEST);
        }
    }

    /// Syncs the bottle logs; a remote that is away is no reason to stop waiting.
    fn bring(&self, edge: &Edge<'_>, out: &mut Out) -> Result<(), Fault> {
        let store = edge.store()?;
        let Some(name) = store.default_remote() else {
            return Err(Fault::usage("no remote to sync with").hint("git remote add origin URL"));
        };
        let options = Options { kinds: vec![Kind::Bottle], ..Options::default() };
        let remote = store.remote(&name, Duration::from_secs(30))?;
        let report = store.sync(&sync::stamp(edge)?, &remote, &options)?;
        if let Some(trouble) = report.trouble {
            out.say(&format!("waiting on: {trouble}"));
        }
        Ok(())
    }
}
