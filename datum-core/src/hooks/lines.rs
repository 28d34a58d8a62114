//! The lines of a hook, printed, put into a script and taken out of it: pure.

use super::{Event, MOVED};
use crate::name::AgentName;

/// The line our lines begin with.
const BEGIN: &str = "# >>> datum >>> written by 'datum hooks install', taken out by 'datum hooks uninstall'";
/// The line they begin with in a file that holds nothing else.
const BEGIN_WHOLE: &str = "# >>> datum, all of this file >>> written by 'datum hooks install', taken out by 'datum hooks uninstall'";
/// The line they end with.
const END: &str = "# <<< datum <<<";
const SHEBANG: &str = "#!/bin/sh";

/// How a hook calls datum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The program: a name for `PATH`, or a path.
    pub program: String,
    /// The agent to act as, where it is not to be found out each time.
    pub agent: Option<AgentName>,
}

impl Caller {
    /// The program as a word of the shell.
    fn word(&self) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:".contains(c);
        if !self.program.is_empty() && self.program.chars().all(plain) {
            return self.program.clone();
        }
        format!("'{}'", self.program.replace('\'', r"'\''"))
    }

    /// The command for `event`, without the arguments of the hook.
    fn command(&self, event: Event) -> String {
        let agent = self.agent.as_ref().map(|agent| format!(" --agent {agent}")).unwrap_or_default();
        format!("{}{agent} hook {event}", self.word())
    }

    /// The one line that runs datum where it is there; `call` is how.
    fn line(&self, event: Event, call: &str) -> String {
        let lost = if event == Event::PrePush {
            " else echo 'warning: datum is not found, this push is not checked for secrets' >&2;"
        } else {
            ""
        };
        format!("if command -v {} >/dev/null 2>&1; then {call};{lost} fi", self.word())
    }
}

/// The command for git's configuration, to which git adds the hook's arguments.
pub(super) fn configured(event: Event, caller: &Caller) -> String {
    let call = format!("{} \"$@\"", caller.command(event));
    format!("f() {{ {}; }}; f", caller.line(event, &call))
}

/// The script that is all of a hook, as `hooks/` holds it for copying; `next` is a hook it hands over to.
pub fn script(event: Event, caller: &Caller, next: bool) -> String {
    if next {
        let block = shared(event, caller);
        let next = format!("exec \"${{0%/*}}/{MOVED}/{event}\" \"$@\"");
        return format!("{SHEBANG}\n{BEGIN_WHOLE}\n{block}{next}\n{END}\n");
    }
    let line = caller.line(event, &format!("exec {} \"$@\"", caller.command(event)));
    format!("{SHEBANG}\n{BEGIN_WHOLE}\n{line}\n{END}\n")
}

/// The lines for a script that goes on after them, with its standard input as it was.
fn shared(event: Event, caller: &Caller) -> String {
    let command = caller.command(event);
    // The answer counts only where git heeds it; under `sh -e` nothing else may end the script.
    let no = if event.refuses() { "|| exit 1" } else { "|| :" };
    // A probe of `datum hooks verify` has reached us, which is all it asks; other hooks are not to run.
    let probe = format!("[ -z \"${{{}-}}\" ] || exit 0", super::PROBE);
    if !event.reads_stdin() {
        let line = caller.line(event, &format!("{command} \"$@\" </dev/null {no}"));
        return format!("{line}; {probe}\n");
    }
    let call = format!("printf '%s\\n' \"$datum_in\" | {command} \"$@\" {no}");
    let line = caller.line(event, &call);
    // A here-document gives the lines back to what follows; it cannot be empty, which an empty input is.
    format!(
        "datum_in=$(cat); {line}; {probe}\n\
         if [ -z \"$datum_in\" ]; then exec </dev/null; else exec <<DATUM_STDIN\n\
         $datum_in\n\
         DATUM_STDIN\n\
         fi; unset datum_in\n"
    )
}

/// Puts our lines below the first line of the shell script `hook`; `None` where it is none.
pub(super) fn insert(hook: &[u8], event: Event, caller: &Caller) -> Option<Vec<u8>> {
    let first = hook.iter().position(|byte| *byte == b'\n')? + 1;
    if !is_shell(&hook[..first]) {
        return None;
    }
    let block = format!("{BEGIN}\n{}{END}\n", shared(event, caller));
    Some([&hook[..first], block.as_bytes(), &hook[first..]].concat())
}

/// Whether a script whose first line is `line` is run by a shell that reads our lines.
fn is_shell(line: &[u8]) -> bool {
    const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "ksh", "zsh"];
    let Some(line) = std::str::from_utf8(line).ok().and_then(|line| line.strip_prefix("#!")) else {
        return false;
    };
    if line.contains('\r') {
        return false;
    }
    let mut words = line.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    match words.next() {
        Some("env") => words.find(|word| !word.starts_with('-')).is_some_and(|word| SHELLS.contains(&word)),
        Some(word) => SHELLS.contains(&word),
        None => false,
    }
}

/// What a hook is without our lines.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Without {
    /// It has none of our lines.
    Untouched,
    /// The script it was, to the byte.
    Rest(Vec<u8>),
    /// Nothing: all of it is ours.
    Nothing,
    /// Our markers are there, and not as we write them.
    Damaged,
}

/// Takes our lines out of `hook`.
pub(super) fn without(hook: &[u8]) -> Without {
    let lines: Vec<&[u8]> = hook.split_inclusive(|byte| *byte == b'\n').collect();
    let at = |text: &str| {
        lines
            .iter()
            .position(|line| line.strip_suffix(b"\n").unwrap_or(line).trim_ascii_end() == text.as_bytes())
    };
    let whole = at(BEGIN_WHOLE);
    match (whole.or_else(|| at(BEGIN)), at(END)) {
        (None, None) => Without::Untouched,
        (Some(begin), Some(end)) if begin < end => {
            let rest = [lines[..begin].concat(), lines[end + 1..].concat()].concat();
            // What someone added to a file of ours is theirs, and stays.
            let only = rest.strip_prefix(SHEBANG.as_bytes()).is_some_and(|rest| rest.trim_ascii().is_empty());
            if whole.is_some() && only { Without::Nothing } else { Without::Rest(rest) }
        }
        _ => Without::Damaged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn caller() -> Caller {
        Caller { program: "/opt/it's here/datum".to_owned(), agent: None }
    }

    #[test]
    fn scripts_of_a_shell_take_lines_and_others_do_not() {
        let takes = |hook: &str| insert(hook.as_bytes(), Event::PrePush, &caller()).is_some();
        for shell in
            ["#!/bin/sh\n", "#! /usr/bin/env bash\nx", "#!/bin/sh -e\n", "#!/usr/bin/env -S zsh -f\n"]
        {
            assert!(takes(shell), "{shell}");
        }
        for other in [
            "",
            "\n",
            "#!/bin/sh",
            "#!/usr/bin/env python3\n",
            "\x7fELF\n",
            "#!/bin/sh\r\n",
            "#!\n",
            "echo\n",
        ] {
            assert!(!takes(other), "{other}");
        }
    }

    #[test]
    fn a_file_of_ours_is_nothing_without_us_unless_someone_added_to_it() {
        for event in Event::ALL {
            for next in [false, true] {
                let mut text = script(event, &caller(), next);
                assert_eq!(without(text.as_bytes()), Without::Nothing);
                text.push_str("echo theirs\n");
                assert_eq!(without(text.as_bytes()), Without::Rest(b"#!/bin/sh\necho theirs\n".to_vec()));
            }
        }
        assert_eq!(without(format!("{SHEBANG}\n{BEGIN}\n").as_bytes()), Without::Damaged);
        assert_eq!(without(format!("{END}\n{BEGIN}\n").as_bytes()), Without::Damaged);
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(rest in prop::collection::vec(any::<u8>(), 0..200), event in 0usize..4) {
            let hook = [b"#!/bin/sh\n".as_slice(), &rest].concat();
            let with = insert(&hook, Event::ALL[event], &caller()).unwrap();
            prop_assert_eq!(without(&with), Without::Rest(hook));
        }
    }
}
