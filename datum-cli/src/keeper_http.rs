//! The keeper over HTTP: the original's paths and JSON, for agents that cannot open the vault themselves.
//!
//! Workers read and check requests; one engine, the thread that holds the keys, answers them one after the other. Every
//! connection carries one request. Nothing in clear is kept: tokens and invitations are stored as hashes.

mod api;
mod connection;
mod head;
mod limit;
mod place;
pub(crate) mod tokens;

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use connection::{Reply, Request, Time};
pub(crate) use place::Place;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};
use tokens::Tokens;

/// Requests that may wait for the engine; more are told to come again.
const WAITING: usize = 64;

/// How the keeper is served.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) place: Place,
    pub(crate) workers: usize,
    pub(crate) patience: Duration,
    /// How long a new token is good for, milliseconds.
    pub(crate) token: u64,
}

enum Message {
    Ask(Request, Sender<Reply>),
    Reload,
    Stop,
}

/// Serves until a signal ends it.
pub(crate) fn serve(edge: &Edge<'_>, out: &mut Out, options: &Options) -> Result<Exit, Fault> {
    let agent = edge.agent()?;
    edge.keyring().need(&agent)?;
    crate::cmd::vault::read(edge)?;
    let mut tokens = Tokens::open(edge.store()?)?;
    tokens.read()?;
    let mut engine = api::Engine::new(tokens, options.token);
    let signals = Signals::new([SIGTERM, SIGINT, SIGHUP])
        .map_err(|error| Fault::broken(format!("cannot wait for signals: {error}")))?;
    let listener = Arc::new(options.place.listen()?);
    let (sender, receiver) = sync_channel(WAITING);
    let busy = Arc::new(AtomicUsize::new(0));
    for _ in 0..options.workers {
        let (listener, sender, busy) = (Arc::clone(&listener), sender.clone(), Arc::clone(&busy));
        let (patience, workers) = (options.patience, options.workers);
        thread::spawn(move || work(&listener, &sender, &busy, patience, workers));
    }
    thread::spawn(move || watch(signals, &sender));
    out.say(&format!(
        "serving the keeper as {agent} on {}; SIGHUP reads the tokens anew, SIGTERM stops",
        listener.shown()
    ));
    while let Ok(message) = receiver.recv() {
        match message {
            Message::Ask(request, reply) => {
                // The asker may have gone.
                let _ = reply.send(engine.answer(edge, &request));
            }
            Message::Reload => match engine.reload() {
                Ok(()) => out.say("the tokens were read anew"),
                Err(fault) => out.warn(&fault.message),
            },
            Message::Stop => break,
        }
    }
    listener.close();
    let end = Instant::now() + Duration::from_secs(1);
    while busy.load(Ordering::SeqCst) > 0 && Instant::now() < end {
        for message in receiver.try_iter() {
            if let Message::Ask(_, reply) = message {
                let _ = reply.send(Reply::error(503, "the keeper stops"));
            }
        }
        thread::sleep(Duration::from_millis(5));
    }
    out.say("stopped");
    Ok(Exit::Done)
}

fn watch(mut signals: Signals, sender: &SyncSender<Message>) {
    for signal in signals.forever() {
        let message = if signal == SIGHUP { Message::Reload } else { Message::Stop };
        if sender.send(message).is_err() {
            return;
        }
    }
}

fn work(
    listener: &place::Listener,
    sender: &SyncSender<Message>,
    busy: &AtomicUsize,
    patience: Duration,
    workers: usize,
) {
    let full = || busy.load(Ordering::SeqCst) >= workers;
    loop {
        let Ok(stream) = listener.accept() else {
            // Out of descriptors, for example: not a reason to spin.
            thread::sleep(Duration::from_millis(50));
            continue;
        };
        busy.fetch_add(1, Ordering::SeqCst);
        let time = Time { start: Instant::now(), patience, full: &full };
        connection::handle(stream, listener.hosts(), &time, |request| {
            let (reply, answer) = std::sync::mpsc::channel();
            if sender.try_send(Message::Ask(request, reply)).is_err() {
                return Reply::error(503, "too many requests wait");
            }
            answer.recv().unwrap_or_else(|_| Reply::error(503, "the keeper stops"))
        });
        busy.fetch_sub(1, Ordering::SeqCst);
    }
}
