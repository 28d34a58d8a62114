//! `datum tui` on a real terminal, which tmux is: keys go in, the picture comes out.

use crate::vessel::{NOW, Ran, Vessel, clean};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A terminal of 80 columns and 24 rows; its server ends with it.
struct Terminal<'v> {
    vessel: &'v Vessel,
    socket: TempDir,
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

impl<'v> Terminal<'v> {
    /// Runs `command` in a shell on a terminal; `None` where there is no tmux.
    fn run(vessel: &'v Vessel, command: &str) -> Option<Self> {
        if !clean("tmux", vessel.path()).arg("-V").output().is_ok_and(|said| said.status.success()) {
            eprintln!("SKIPPED: there is no tmux, so that datum tui was not driven on a terminal");
            return None;
        }
        let terminal = Self { vessel, socket: tempfile::tempdir().unwrap() };
        let program = env!("CARGO_BIN_EXE_datum");
        let line = format!(
            "env DATUM_AGENT=a DATUM_NOW={NOW} PATH=\"{}:$PATH\" sh -c '{command}; echo ended $?; exec sleep 60'",
            std::path::Path::new(program).parent().unwrap().display()
        );
        let ran = terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", &line]);
        assert_eq!(ran.code, 0, "{ran:?}");
        Some(terminal)
    }

    fn tmux(&self, args: &[&str]) -> Ran {
        let mut tmux = clean("tmux", self.vessel.path());
        tmux.env("TMUX_TMPDIR", self.socket.path()).args(["-u", "-L", "t"]).args(args);
        Ran::of(&tmux.output().unwrap())
    }

    fn press(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// The picture, as soon as it holds `wanted`.
    #[track_caller]
    fn sees(&self, wanted: &str) -> String {
        let start = Instant::now();
        loop {
            let picture = self.tmux(&["capture-pane", "-p"]).stdout;
            if picture.contains(wanted) {
                return picture;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "never saw {wanted:?}:\n{picture}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }
}

/// A vessel with something on every page.
fn vessel() -> Vessel {
    let vessel = Vessel::new();
    vessel.datum(&["journal", "REPAIR", "Fixed the pump\nIt leaks no more."]).ok();
    let id = vessel.datum(&["bottle", "drop", "a", "Storm ahead", "--agent", "b", "--content", "Reef."]).ok();
    vessel.datum(&["bottle", "reply", id.trim(), "--content", "Reefed \u{1b}[31mred\u{202e}."]).ok();
    vessel.datum(&["oracle", "add", "Mend the sails", "--priority", "high"]).ok();
    vessel.datum(&["task", "claim", "--next"]).ok();
    vessel.datum(&["audit", "--type", "vessel", "--record"]);
    vessel
}

#[test]
fn every_page_is_reached_by_its_keys_and_the_terminal_comes_back() {
    let vessel = vessel();
    let Some(terminal) = Terminal::run(&vessel, "datum tui") else { return };
    let first = terminal.sees("Fixed the pump");
    assert!(first.starts_with(" 1 Journal  2 Inbox  3 Board"), "{first}");
    assert!(first.contains("It leaks no more.") && first.contains("q end"), "{first}");
    terminal.press(&["2"]);
    let inbox = terminal.sees("└ Re: Storm ahead");
    assert!(inbox.find("Storm ahead") < inbox.find("└ Re: Storm ahead"), "{inbox}");
    terminal.press(&["Down", "Enter"]);
    let text = terminal.sees("Esc back");
    assert!(text.contains("Reefed \\u{1b}[31mred\\u{202e}."), "hostile text is spelled out: {text}");
    terminal.press(&["Tab"]);
    assert!(terminal.sees("Mend the sails").contains("in progress"));
    terminal.press(&["Tab"]);
    assert!(terminal.sees("Dropped").contains("b "));
    terminal.press(&["5"]);
    assert!(terminal.sees("Findings").contains("vessel"));
    terminal.press(&["?"]);
    terminal.sees("a bottle looked at stays unread");
    terminal.press(&["x", "1"]);
    terminal.sees("REPAIR");
    // What comes while it runs is shown.
    vessel.datum(&["journal", "NEWS", "Land in sight"]).ok();
    terminal.sees("Land in sight");
    terminal.press(&["/", "p", "u", "m", "p", "Enter"]);
    assert!(!terminal.sees("1/1 of 2 with \"pump\"").contains("Land in sight"));
    terminal.press(&["q"]);
    let after = terminal.sees("ended 0");
    assert!(!after.contains("Journal"), "the screen before is back: {after}");
    // Nothing was written: the bottle is as it was.
    assert!(vessel.datum(&["bottle", "check", "--everyone"]).ok().contains("Storm ahead (answered)"));
}

#[test]
fn a_signal_ends_it_and_the_terminal_comes_back() {
    let vessel = vessel();
    let command = "NO_COLOR=1 sh -c \"echo \\$\\$ >pid; exec datum tui --page board\"";
    let Some(terminal) = Terminal::run(&vessel, command) else { return };
    terminal.sees("Mend the sails");
    let coloured = terminal.tmux(&["capture-pane", "-p", "-e"]).stdout;
    assert!(
        ["[31m", "[32m", "[35m"].iter().all(|colour| !coloured.contains(colour)),
        "NO_COLOR is honoured: {coloured:?}"
    );
    let id = std::fs::read_to_string(vessel.path().join("pid")).unwrap();
    assert!(clean("kill", vessel.path()).args(["-TERM", id.trim()]).status().unwrap().success());
    terminal.sees("ended 0");
}

#[test]
fn elsewhere_than_on_a_terminal_it_says_so() {
    let vessel = Vessel::new();
    assert!(vessel.datum(&["tui"]).fails(2).contains("hint: datum status"));
    let said = vessel.datum(&["tui", "--page", "cellar"]).fails(2);
    assert!(said.contains("'cellar'") && said.contains("journal, inbox, board, agents, audits"), "{said}");
    for shell in ["bash", "zsh", "fish"] {
        let text = vessel.datum(&["completions", shell]).ok();
        assert!(text.contains("journal inbox board agents audits") || text.contains("audits\\t"), "{shell}");
    }
}
