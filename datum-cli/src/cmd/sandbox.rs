//! `datum sandbox status`: what this system can hold a command to.

use crate::fault::Exit;
use crate::out::Out;
use crate::sandbox::{self, Policy};

/// Says what this system can hold a command to.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum sandbox status
  datum sandbox status --format json

Exit: 0 everything is held, 1 something is not, which is named.

Held are, on Linux: files (the workshop is read, and written but for its git directory; the system's programs are
executed; a folder of its own is the home), TCP ports, signals and ptrace (only among the command's own processes), and
system calls (no ptrace, io_uring, UDP or raw sockets). Not held: what the command tells others by what it writes, the
host behind a TCP port, names and arguments of other processes in /proc, and a command run with --allow-degraded.")]
pub(crate) struct Sandbox {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Say what this system can hold a command to
    #[command(after_help = "Examples:\n  datum sandbox status\n  datum sandbox status --format json")]
    Status,
}

impl Sandbox {
    pub(crate) fn run(&self, out: &mut Out) -> Exit {
        let Command::Status = self.command;
        let held = sandbox::probe(&Policy::system());
        let missing = held.missing();
        if out.is_json() {
            out.json(&serde_json::json!({ "version": 1, "system": std::env::consts::OS,
                "landlock": held.landlock, "seccomp": held.seccomp, "whole": held.is_whole(), "missing": missing }));
        } else {
            out.line(&format!("{}: {held}", std::env::consts::OS));
            let text = if missing.is_empty() {
                "everything is held".to_owned()
            } else {
                format!(
                    "not held: {}; datum run ends with 125 here, unless --allow-degraded",
                    missing.join(", ")
                )
            };
            out.line(&text);
        }
        if held.is_whole() { Exit::Done } else { Exit::No }
    }
}
