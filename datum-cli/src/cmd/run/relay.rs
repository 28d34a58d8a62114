//! While the command runs: its output without the values.

use super::hand::{Given, Hand};
use crate::fault::Fault;
use crate::out::Out;
use crate::passing::Passing;
use datum_core::mask::{Mask, Patterns};
use datum_core::vault::forms::{self, LEAST};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Child;
use std::thread;
use zeroize::Zeroizing;

/// Longest value that is looked for in output, bytes.
const LONGEST: usize = 64 * 1024;
/// Shortest line of a value that is looked for by itself, bytes.
const LINE: usize = 16;

/// What to look for in the output; nothing where there are no values.
pub(super) fn patterns(hands: &[Hand], out: &Out) -> Result<Option<Patterns>, Fault> {
    let mut found = Vec::new();
    for hand in hands {
        let (name, value) = (&hand.secret.name, &*hand.value);
        if value.len() > LONGEST {
            return Err(Fault::usage(format!("{name} has {} bytes, too many to be masked", value.len()))
                .hint("--no-mask hands on the output as it is"));
        }
        if value.trim_ascii_end().len() < LEAST {
            out.warn(&format!(
                "{name} is shorter than {LEAST} bytes and is not masked: it would stand in any text"
            ));
            continue;
        }
        found.extend(forms::of(value));
        let lines =
            value.split(|byte| *byte == b'\n').filter(|line| line.len() >= LINE && line.len() < value.len());
        found.extend(lines.flat_map(forms::of));
    }
    // A form can be shorter than the value, and one of a few bytes would stand in any text too.
    let found = found.iter().map(|form| form.bytes.as_slice()).filter(|bytes| bytes.len() >= LEAST);
    Ok(if hands.is_empty() { None } else { Some(Patterns::new(found)) })
}

/// Waits for the command's end, and answers with its exit code.
pub(super) fn until_end(
    mut child: Child,
    given: Given,
    patterns: Option<&Patterns>,
    passing: &Passing,
) -> Result<u8, Fault> {
    let copy = |file: std::os::fd::BorrowedFd<'_>| file.try_clone_to_owned().map(File::from);
    let streams = [copy(std::io::stdout().as_fd()), copy(std::io::stderr().as_fd())];
    let [stdout, stderr] =
        streams.map(|stream| stream.map_err(|error| Fault::broken(format!("cannot print: {error}"))));
    let (stdout, stderr) = (stdout?, stderr?);
    let pipes = given.started();
    let ended = thread::scope(|scope| {
        scope.spawn(move || {
            for (mut pipe, value) in pipes {
                // A command that does not read its value is free not to.
                let _ = pipe.write_all(&value);
            }
        });
        let mut relays = Vec::new();
        if let Some(patterns) = patterns {
            if let Some(from) = child.stdout.take() {
                relays.push(scope.spawn(move || relay(from, stdout, patterns)));
            }
            if let Some(from) = child.stderr.take() {
                relays.push(scope.spawn(move || relay(from, stderr, patterns)));
            }
        }
        let ended = passing.wait(&mut child);
        let relayed: Vec<_> = relays.into_iter().map(|relay| relay.join().unwrap_or(Ok(()))).collect();
        ended.and_then(|status| relayed.into_iter().collect::<Result<(), _>>().map(|()| status))
    });
    let status = ended.map_err(|error| Fault::broken(format!("the command's end was lost: {error}")))?;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    Ok(u8::try_from(code).unwrap_or(1))
}

fn relay(mut from: impl Read, mut to: File, patterns: &Patterns) -> std::io::Result<()> {
    let mut mask = Mask::new(patterns);
    let mut buffer = Zeroizing::new(vec![0; 64 * 1024]);
    let mut out = Vec::new();
    loop {
        let count = match from.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        match count {
            0 => mask.finish(&mut out),
            count => mask.push(&buffer[..count], &mut out),
        }
        match to.write_all(&out) {
            // A reader that has seen enough; the command learns it when it next writes.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            other => other?,
        }
        out.clear();
        if count == 0 {
            return Ok(());
        }
    }
}
