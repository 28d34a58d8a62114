//! Signals that are meant for the program that is run: passed on to it, so that both come to their end, and with them
//! what it has started and leaves behind.
//!
//! It gets no process group of its own, as `timeout` would give it: it could not ask on the terminal then, and whoever
//! ends this program's group would miss it. Nor is all that it has started told at once: it may have its own way to end
//! that, and so what outlives it is told when it has ended.

#[cfg(unix)]
pub(crate) use on_unix::Passing;
#[cfg(not(unix))]
pub(crate) use without::Passing;

#[cfg(unix)]
mod on_unix {
    use crate::fault::Fault;
    use rustix::process::{Pid, Signal, kill_process};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    use signal_hook::iterator::{Handle, Signals};
    use std::io::{IsTerminal as _, Result};
    use std::os::fd::OwnedFd;
    use std::process::{Child, ExitStatus};
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

    /// From when it is made, such signals end this program no more; they go to the child that is waited for.
    pub(crate) struct Passing {
        state: Arc<Mutex<State>>,
        handle: Handle,
    }

    #[derive(Default)]
    struct State {
        child: Option<Pid>,
        /// What the child had started when the last signal was passed on to it.
        below: Vec<OwnedFd>,
        /// The last that came.
        came: Option<i32>,
    }

    fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    impl State {
        fn pass(&mut self) {
            if let (Some(pid), Some(signal)) = (self.child, self.came.and_then(Signal::from_named_raw)) {
                self.below.extend(started_by(pid));
                let _ = kill_process(pid, signal);
            }
        }
    }

    /// The processes that one has started, and that these have; none where the system does not list them.
    ///
    /// Each is held, so that its number cannot come to be another's.
    #[cfg(target_os = "linux")]
    fn started_by(first: Pid) -> Vec<OwnedFd> {
        use rustix::process::{PidfdFlags, pidfd_open};
        let (mut all, mut next) = (vec![first], 0);
        while let Some(pid) = all.get(next).copied() {
            next += 1;
            let threads = std::fs::read_dir(format!("/proc/{}/task", pid.as_raw_nonzero()));
            for thread in threads.into_iter().flatten().flatten() {
                let list = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
                all.extend(list.split(' ').filter_map(|pid| pid.parse().ok()).filter_map(Pid::from_raw));
            }
        }
        all.iter().skip(1).filter_map(|pid| pidfd_open(*pid, PidfdFlags::empty()).ok()).collect()
    }

    #[cfg(not(target_os = "linux"))]
    fn started_by(_: Pid) -> Vec<OwnedFd> {
        Vec::new()
    }

    /// Sends a signal to a process that is held.
    #[cfg(target_os = "linux")]
    fn tell(process: &OwnedFd, signal: Signal) {
        let _ = rustix::process::pidfd_send_signal(process, signal);
    }

    #[cfg(not(target_os = "linux"))]
    fn tell(_: &OwnedFd, _: Signal) {}

    impl Passing {
        /// Begins to take signals.
        pub(crate) fn new() -> std::result::Result<Self, Fault> {
            let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGQUIT])
                .map_err(|error| Fault::broken(format!("cannot wait for signals: {error}")))?;
            let (state, handle) = (Arc::<Mutex<State>>::default(), signals.handle());
            let shared = Arc::clone(&state);
            std::thread::spawn(move || {
                let terminal = std::io::stdin().is_terminal();
                for signal in signals.forever() {
                    let mut state = lock(&shared);
                    state.came = Some(signal);
                    // The terminal sends these two to the command as well.
                    if !(terminal && (signal == SIGINT || signal == SIGQUIT)) {
                        state.pass();
                    }
                }
            });
            Ok(Self { state, handle })
        }

        /// Waits for the child's end.
        pub(crate) fn wait(&self, child: &mut Child) -> Result<ExitStatus> {
            {
                let mut state = lock(&self.state);
                state.child = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
                // One that came before the child was there.
                state.pass();
            }
            let ended = child.wait();
            let mut state = lock(&self.state);
            state.child = None;
            if let Some(signal) = state.came.and_then(Signal::from_named_raw) {
                state.below.drain(..).for_each(|process| tell(&process, signal));
            }
            ended
        }

        /// The signal that has come, if one has.
        pub(crate) fn came(&self) -> Option<i32> {
            lock(&self.state).came
        }
    }

    impl Drop for Passing {
        fn drop(&mut self) {
            self.handle.close();
        }
    }
}

#[cfg(not(unix))]
mod without {
    use crate::fault::Fault;
    use std::io::Result;
    use std::process::{Child, ExitStatus};

    /// There are no signals here: a child gets what this program gets.
    pub(crate) struct Passing;

    impl Passing {
        #[expect(clippy::unnecessary_wraps, reason = "where there are signals it can fail")]
        pub(crate) fn new() -> std::result::Result<Self, Fault> {
            Ok(Self)
        }

        pub(crate) fn wait(&self, child: &mut Child) -> Result<ExitStatus> {
            child.wait()
        }

        pub(crate) fn came(&self) -> Option<i32> {
            None
        }
    }
}
