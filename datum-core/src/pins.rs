//! Pins: what this clone has verified and will not let be taken back, kept outside of everything that travels.
//!
//! ```text
//! datum pins 1
//! log task/oracle1-abcd1234 42 3f9a2c…
//! outbox tern/oracle1-zyxw9876 7 90aa12…
//! signer oracle1 ssh-ed25519 AAAA…
//! vault 77ab01…
//! sound oracle1-abcd1234 42 3f9a2c…
//! ```

use crate::id::EntryId;
use crate::kind::Kind;
use crate::name::AgentName;
use crate::sshsig::PublicKey;
use crate::stamp::Writer;
use crate::store::{Store, StoreError};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::time::Duration;

const HEADER: &str = "datum pins 1\n";
/// How long to wait for another that changes the pins.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a clone has verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pins {
    logs: BTreeMap<(Kind, Writer), (u64, EntryId)>,
    outboxes: BTreeMap<(AgentName, Writer), (u64, EntryId)>,
    signers: BTreeMap<String, PublicKey>,
    vault: Option<EntryId>,
    sound: BTreeMap<Writer, (u64, EntryId)>,
}

impl Pins {
    /// The place and id of the newest entry verified in a log.
    pub fn log(&self, kind: Kind, writer: &Writer) -> Option<(u64, EntryId)> {
        self.logs.get(&(kind, writer.clone())).copied()
    }

    /// Every log with a pin.
    pub fn logs(&self) -> impl Iterator<Item = (Kind, &Writer, u64, EntryId)> {
        self.logs.iter().map(|((kind, writer), (seq, id))| (*kind, writer, *seq, *id))
    }

    /// The place and id of the newest bottle verified in an outbox.
    pub fn outbox(&self, vessel: &AgentName, writer: &Writer) -> Option<(u64, EntryId)> {
        self.outboxes.get(&(vessel.clone(), writer.clone())).copied()
    }

    /// Every outbox with a pin: vessel, writer, and the place and id of the newest bottle verified.
    pub fn outboxes(&self) -> impl Iterator<Item = (&AgentName, &Writer, u64, EntryId)> {
        self.outboxes.iter().map(|((vessel, writer), (seq, id))| (vessel, writer, *seq, *id))
    }

    /// The key first seen for an agent.
    pub fn signer(&self, agent: &str) -> Option<PublicKey> {
        self.signers.get(agent).copied()
    }

    /// The founding entry of the vault that is trusted.
    pub fn vault(&self) -> Option<EntryId> {
        self.vault
    }

    /// Pins the newest entry verified in a log; a pin never goes back.
    pub fn pin_log(&mut self, kind: Kind, writer: &Writer, seq: u64, id: EntryId) {
        advance(self.logs.entry((kind, writer.clone())).or_insert((seq, id)), seq, id);
    }

    /// Pins the newest bottle verified in an outbox; a pin never goes back.
    pub fn pin_outbox(&mut self, vessel: &AgentName, writer: &Writer, seq: u64, id: EntryId) {
        advance(self.outboxes.entry((vessel.clone(), writer.clone())).or_insert((seq, id)), seq, id);
    }

    /// Pins the key of an agent, if none is.
    pub fn pin_signer(&mut self, agent: &str, key: PublicKey) {
        self.signers.entry(agent.to_owned()).or_insert(key);
    }

    /// Trusts the vault that this entry founded. The pins of another vault's logs go.
    pub fn trust_vault(&mut self, founding: EntryId) {
        if self.vault != Some(founding) {
            self.logs.retain(|(kind, _), _| *kind != Kind::Vault);
            self.vault = Some(founding);
        }
    }

    /// The newest entry of a writer's vault log up to which every signature was found good.
    ///
    /// An id stands for all that leads to it, so none of them need be checked again.
    pub fn sound(&self, writer: &Writer) -> Option<(u64, EntryId)> {
        self.sound.get(writer).copied()
    }

    /// Notes that every signature of a vault log was found good up to this entry.
    pub fn set_sound(&mut self, writer: &Writer, seq: u64, id: EntryId) {
        self.sound.insert(writer.clone(), (seq, id));
    }

    fn print(&self) -> String {
        let mut out = HEADER.to_owned();
        for ((kind, writer), (seq, id)) in &self.logs {
            let _ = writeln!(out, "log {kind}/{writer} {seq} {id}");
        }
        for ((vessel, writer), (seq, id)) in &self.outboxes {
            let _ = writeln!(out, "outbox {vessel}/{writer} {seq} {id}");
        }
        for (agent, key) in &self.signers {
            let _ = writeln!(out, "signer {agent} {key}");
        }
        if let Some(vault) = self.vault {
            let _ = writeln!(out, "vault {vault}");
        }
        for (writer, (seq, id)) in &self.sound {
            let _ = writeln!(out, "sound {writer} {seq} {id}");
        }
        out
    }

    fn parse(text: &str) -> Option<Self> {
        let mut pins = Self::default();
        for line in text.strip_prefix(HEADER)?.lines() {
            let (what, rest) = line.split_once(' ')?;
            match what {
                "log" => {
                    let mut words = rest.split(' ');
                    let (kind, writer) = words.next()?.split_once('/')?;
                    let log = (Kind::parse(kind)?, Writer::parse(writer).ok()?);
                    let seq = words.next()?.parse().ok()?;
                    pins.logs.insert(log, (seq, EntryId::from_hex(words.next()?)?));
                }
                "outbox" => {
                    let mut words = rest.split(' ');
                    let (vessel, writer) = words.next()?.split_once('/')?;
                    let log = (AgentName::new(vessel).ok()?, Writer::parse(writer).ok()?);
                    let seq = words.next()?.parse().ok()?;
                    pins.outboxes.insert(log, (seq, EntryId::from_hex(words.next()?)?));
                }
                "signer" => {
                    let (agent, key) = rest.split_once(' ')?;
                    pins.signers.insert(agent.to_owned(), PublicKey::parse(key).ok()?);
                }
                "sound" => {
                    let mut words = rest.split(' ');
                    let writer = Writer::parse(words.next()?).ok()?;
                    let seq = words.next()?.parse().ok()?;
                    pins.sound.insert(writer, (seq, EntryId::from_hex(words.next()?)?));
                }
                "vault" => pins.vault = Some(EntryId::from_hex(rest)?),
                _ => return None,
            }
        }
        Some(pins)
    }
}

fn advance(pin: &mut (u64, EntryId), seq: u64, id: EntryId) {
    if pin.0 < seq {
        *pin = (seq, id);
    }
}

impl Store {
    /// Reads the pins of this clone.
    ///
    /// # Errors
    /// [`StoreError::File`] when the file is there and cannot be read or understood: then nothing is believed.
    pub fn pins(&self) -> Result<Pins, StoreError> {
        let path = self.common_dir.join("datum/pins");
        let file = |source| StoreError::File { doing: "read", path: path.clone(), source };
        match fs::read_to_string(&path) {
            Ok(text) => {
                let unread = || std::io::Error::other("it holds no pins of this version");
                Pins::parse(&text).ok_or_else(|| file(unread()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Pins::default()),
            Err(error) => Err(file(error)),
        }
    }

    /// Changes the pins of this clone, one process at a time; the file is whole or as it was.
    ///
    /// # Errors
    /// [`StoreError`] when the pins cannot be read or written.
    pub fn change_pins(&self, change: impl FnOnce(&mut Pins)) -> Result<(), StoreError> {
        let path = self.common_dir.join("datum/pins");
        let file = |doing, source| StoreError::File { doing, path: path.clone(), source };
        let folder = self.common_dir.join("datum");
        fs::create_dir_all(&folder).map_err(|error| file("create", error))?;
        let _turn = self
            .queue(PATIENCE)
            .ok_or_else(|| StoreError::Locked { path: path.clone(), waited: PATIENCE })?;
        let before = self.pins()?;
        let mut pins = before.clone();
        change(&mut pins);
        if pins == before {
            return Ok(());
        }
        let new = path.with_extension("new");
        let write = || {
            let mut out = fs::File::create(&new)?;
            out.write_all(pins.print().as_bytes())?;
            out.sync_all()?;
            fs::rename(&new, &path)
        };
        write().map_err(|error| file("write", error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sshsig::Signer;

    #[test]
    fn printed_and_parsed_and_never_taken_back() {
        let id = |digit: &str| EntryId::from_hex(&digit.repeat(40)).unwrap();
        let writer = Writer::parse("a-abcd1234").unwrap();
        let mut pins = Pins::default();
        pins.pin_log(Kind::Task, &writer, 5, id("a"));
        pins.pin_log(Kind::Task, &writer, 4, id("b"));
        pins.pin_signer("a", Signer::from_seed(&[1; 32]).public());
        pins.pin_signer("a", Signer::from_seed(&[2; 32]).public());
        pins.trust_vault(id("c"));
        pins.set_sound(&writer, 5, id("a"));
        pins.pin_outbox(&AgentName::new("tern").unwrap(), &writer, 3, id("d"));
        assert_eq!(pins.log(Kind::Task, &writer), Some((5, id("a"))));
        assert_eq!(pins.signer("a"), Some(Signer::from_seed(&[1; 32]).public()));
        assert_eq!(Pins::parse(&pins.print()), Some(pins));
        for bad in ["", "datum pins 2\n", "datum pins 1\nlog x", "datum pins 1\nother y"] {
            assert_eq!(Pins::parse(bad), None, "{bad:?}");
        }
    }
}
