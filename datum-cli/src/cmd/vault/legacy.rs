//! `datum vault import --as legacy`: the vault file of the original runtime.

use crate::edge::variable;
use crate::fault::Fault;
use crate::keyring;
use crate::out::Out;
use datum_core::vault::Values;
use datum_core::vault::legacy::{Legacy, LegacyError, parse};
use std::collections::VecDeque;
use std::io::IsTerminal as _;
use zeroize::Zeroizing;

/// Opens all values of the file; asks for passwords until each value has one.
pub(super) fn values(text: &str, out: &mut Out) -> Result<Values, Fault> {
    let mut left = parse(text)?;
    let all = left.len();
    let mut values = Values::new();
    let mut passwords = Passwords::new()?;
    while !left.is_empty() {
        let Some(password) = passwords.next(&left)? else {
            let names: Vec<_> = left.iter().map(|entry| format!("{:?}", entry.old)).collect();
            return Err(Fault::usage(format!(
                "no password opens {}; nothing was imported",
                names.join(", ")
            ))
            .hint(
                "entries may have passwords of their own: give them all, a line each, on DATUM_PASSPHRASE_FD",
            ));
        };
        let mut closed = Vec::new();
        for entry in left {
            out.progress(values.len() + closed.len(), all);
            match entry.open(&password) {
                Some(value) => {
                    if entry.old != entry.name.as_str() {
                        out.progress_end();
                        out.say(&format!("{:?} becomes {}", entry.old, entry.name));
                    }
                    values.insert(entry.name, value);
                }
                None => closed.push(entry),
            }
        }
        out.progress_end();
        left = closed;
    }
    out.warn(
        "the old file does not authenticate its names: whoever could write it may have put one value under the \
         name of another, so look at what matters; and change what others had the password to",
    );
    Ok(values)
}

/// The passwords there are: of the environment, of the descriptor, or asked for.
struct Passwords {
    given: VecDeque<Zeroizing<String>>,
    asks: bool,
}

impl Passwords {
    fn new() -> Result<Self, Fault> {
        let mut given: VecDeque<_> = keyring::passphrases()?.into();
        given.extend(variable("KEEPER_PASSWORD").map(Zeroizing::new));
        let asks = given.is_empty() && std::io::stderr().is_terminal();
        if given.is_empty() && !asks {
            return Err(Fault::usage("there is no password to open the file with")
                .hint("give it on DATUM_PASSPHRASE_FD, or in KEEPER_PASSWORD as the original had it"));
        }
        Ok(Self { given, asks })
    }

    /// The next to try; an empty answer ends it.
    fn next(&mut self, left: &[Legacy]) -> Result<Option<Zeroizing<String>>, Fault> {
        if !self.asks {
            return Ok(self.given.pop_front());
        }
        let prompt =
            format!("Password of {:?}{}: ", left[0].old, if left.len() > 1 { " and others" } else { "" });
        Ok(Some(keyring::hidden(&prompt)?).filter(|password| !password.is_empty()))
    }
}

impl From<LegacyError> for Fault {
    fn from(error: LegacyError) -> Self {
        Self::usage(error.to_string()).hint("nothing was imported")
    }
}
