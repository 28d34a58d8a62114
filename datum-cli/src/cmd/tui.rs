//! `datum tui`: the state of the repository on a terminal, to look through. It writes nothing.

mod app;
mod draw;
mod inbox;
mod page;
mod pages;
mod wrap;

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use app::{App, Step};
use datum_core::bottle::Me;
use datum_core::{EntryId, Store};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long to wait for a key before the signals are looked at.
const TICK: Duration = Duration::from_millis(200);
/// How often to look for entries that have come.
const LOOK: Duration = Duration::from_secs(2);

/// Looks through journal, inbox, board, agents and audits on a terminal.
///
/// Keys stand at the bottom, ? shows all of them. What comes while it runs is shown by itself. It only reads: a bottle
/// looked at here is not marked as read.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum tui
  datum tui --page inbox --agent heron
  NO_COLOR=1 datum tui")]
pub(crate) struct Tui {
    /// Open this page first: journal, inbox, board, agents or audits
    #[arg(long, value_name = "PAGE", default_value = "journal", hide_possible_values = true,
          value_parser = ["journal", "inbox", "board", "agents", "audits"], ignore_case = true)]
    page: String,
}

impl Tui {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let page = pages::TITLES.iter().position(|title| title.eq_ignore_ascii_case(&self.page));
        let page = page.unwrap_or_default();
        if !out.is_terminal() || !io::IsTerminal::is_terminal(&io::stdin()) {
            return Err(
                Fault::usage("this is no terminal").hint("datum status says the same in text and in JSON")
            );
        }
        if out.is_json() {
            return Err(Fault::usage("a terminal is not JSON").hint("datum status --format json"));
        }
        let store = edge.store()?;
        let me = edge.agent_if_any()?.map(|name| edge.me_as(store, name)).transpose()?;
        let mut app = App::new(me.as_ref().map(|me| me.name.to_string()), page, out.has_colour());
        let mut state = State::default();
        state.look(edge, store, me.as_ref(), &mut app)?;
        let ended = ending_signals()?;
        let result = match ratatui::try_init() {
            Ok(mut terminal) => {
                stay(&mut terminal, &ended, &mut app, |app| state.look(edge, store, me.as_ref(), app))
            }
            Err(error) => Err(cannot(&error)),
        };
        // Whatever happened, the user's terminal comes back.
        let _ = ratatui::try_restore();
        result.map(|()| Exit::Done)
    }
}

fn cannot(error: &io::Error) -> Fault {
    Fault::broken(format!("cannot use the terminal: {error}")).hint("datum status needs none of it")
}

/// Set once somebody wants the program to end.
fn ending_signals() -> Result<Arc<AtomicBool>, Fault> {
    let ended = Arc::new(AtomicBool::new(false));
    #[cfg(unix)]
    let signals = [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT, signal_hook::consts::SIGHUP];
    #[cfg(not(unix))]
    let signals = [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT];
    for signal in signals {
        signal_hook::flag::register(signal, Arc::clone(&ended)).map_err(|error| cannot(&error))?;
    }
    Ok(ended)
}

/// What is shown now: it is read again only when a log or the branch has moved.
#[derive(Default)]
struct State {
    /// The logs, the branch, and the minute: ages grow.
    seen: Option<(Option<EntryId>, Option<EntryId>, u64)>,
}

impl State {
    fn look(&mut self, edge: &Edge<'_>, store: &Store, me: Option<&Me>, app: &mut App) -> Result<(), Fault> {
        let snapshot = store.snapshot()?;
        let now = (snapshot.id(), snapshot.head(), edge.now()? / 60_000);
        if self.seen.as_ref() != Some(&now) {
            app.show(pages::read(&snapshot, me, edge.now()?)?);
            app.damaged = snapshot.damage().len();
            self.seen = Some(now);
        }
        Ok(())
    }
}

fn stay(
    terminal: &mut DefaultTerminal,
    ended: &AtomicBool,
    app: &mut App,
    mut look: impl FnMut(&mut App) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut looked = Instant::now();
    while !ended.load(Ordering::Relaxed) {
        terminal.draw(|frame| draw::draw(frame, app)).map_err(|error| cannot(&error))?;
        // Keys that came together are taken together.
        let mut wait = TICK;
        while event::poll(wait).map_err(|error| cannot(&error))? {
            wait = Duration::ZERO;
            let Event::Key(key) = event::read().map_err(|error| cannot(&error))? else { continue };
            if key.kind == KeyEventKind::Release {
                continue;
            }
            match app.key(key) {
                Step::Stay => {}
                Step::Look => looked = Instant::now().checked_sub(LOOK).unwrap_or(looked),
                Step::End => return Ok(()),
            }
        }
        if looked.elapsed() >= LOOK {
            look(app)?;
            looked = Instant::now();
        }
    }
    Ok(())
}
