//! What a process that holds keys and values leaves behind: no core, and no panic text.

use std::panic::PanicHookInfo;

/// Keeps the process from being dumped or looked into by others, and its panics from repeating what it holds.
///
/// Only what the system offers: root can look into any process, and where this is refused there is nothing to be done.
pub(crate) fn harden() {
    std::panic::set_hook(Box::new(panicked));
    #[cfg(all(unix, feature = "vault"))]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        // The hard limit stays: programs we start may raise theirs again.
        let maximum = getrlimit(Resource::Core).maximum;
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
    }
    // Not dumpable also means: no ptrace, and no reading of /proc/<pid>/mem, environ or fd by the same user.
    #[cfg(all(target_os = "linux", feature = "vault"))]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Says where, never what: the text of a panic may quote a value.
#[expect(clippy::print_stderr, reason = "nothing else is left to print with")]
fn panicked(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    eprintln!("datum: a fault in the program at {place}; what it was about is not shown, it may be secret");
}
