//! An agent's keys: an age identity to open what is sealed to it, and an Ed25519 key to sign what it writes.
//!
//! ```text
//! datum agent keys 1
//! agent oracle1
//! signer ssh-ed25519 AAAA…
//! recipient age1…
//! open
//! AGE-SECRET-KEY-1…
//! seed …
//! ```
//! With a passphrase `locked` stands for `open`, and the last two lines are an age file in base64. The first four lines
//! are public, and must fit what the rest holds. Randomness for keys comes from this module and from age alone.

use crate::name::AgentName;
use crate::sshsig::{PublicKey, Signer};
use age::secrecy::{ExposeSecret as _, SecretString};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::io::Read as _;
use zeroize::Zeroizing;

const HEADER: &str = "datum agent keys 1";
/// Largest key file, bytes.
pub const FILE_MAX: usize = 8 * 1024;
/// Work of scrypt for a new passphrase, log2 of N: about a second.
const WORK: u8 = 17;
/// Most work of scrypt that a file may ask for, log2 of N: half a minute and 1 GiB.
const WORK_MAX: u8 = 20;

/// Why keys could not be made, read or unlocked. No error holds anything of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The system has no randomness.
    #[error("the system gives no randomness: {0}")]
    Random(String),
    /// The text is no key file.
    #[error("it is no file of agent keys of version 1, at line {line}")]
    Format {
        /// The line, from 1.
        line: usize,
    },
    /// The public lines do not fit the private ones.
    #[error("its public lines do not belong to its private ones")]
    Mismatch,
    /// The passphrase does not open it.
    #[error("the passphrase is wrong, or the file was changed")]
    Passphrase,
}

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, KeyError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::getrandom(&mut *bytes).map_err(|error| KeyError::Random(error.to_string()))?;
    Ok(bytes)
}

/// The keys of an agent, both halves of both.
pub struct AgentKeys {
    agent: AgentName,
    identity: age::x25519::Identity,
    /// Wiped when it goes.
    signer: Signer,
}

impl fmt::Debug for AgentKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentKeys({}, {})", self.agent, self.recipient())
    }
}

impl AgentKeys {
    /// Makes fresh keys.
    ///
    /// # Errors
    /// [`KeyError::Random`] where the system has no randomness.
    pub fn generate(agent: AgentName) -> Result<Self, KeyError> {
        let signer = Signer::from_seed(&*random()?);
        Ok(Self { agent, identity: age::x25519::Identity::generate(), signer })
    }

    /// The agent whose keys they are.
    pub fn agent(&self) -> &AgentName {
        &self.agent
    }

    /// The key that signs.
    pub fn signer(&self) -> Signer {
        self.signer.clone()
    }

    /// The public half of the identity, `age1…`.
    pub fn recipient(&self) -> String {
        self.identity.to_public().to_string()
    }

    pub(crate) fn identity(&self) -> &age::x25519::Identity {
        &self.identity
    }

    /// Prints the file, in clear.
    pub fn print(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}open\n{}", self.head(), *self.private()))
    }

    /// Prints the file, locked by a passphrase.
    ///
    /// # Errors
    /// [`KeyError::Random`] where the system has no randomness.
    pub fn print_locked(&self, passphrase: &str) -> Result<String, KeyError> {
        self.lock(passphrase, WORK)
    }

    fn lock(&self, passphrase: &str, work: u8) -> Result<String, KeyError> {
        let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase));
        recipient.set_work_factor(work);
        let sealed = age::encrypt(&recipient, self.private().as_bytes())
            .map_err(|error| KeyError::Random(error.to_string()))?;
        Ok(format!("{}locked\n{}\n", self.head(), STANDARD.encode(sealed)))
    }

    fn head(&self) -> String {
        format!(
            "{HEADER}\nagent {}\nsigner {}\nrecipient {}\n",
            self.agent,
            self.signer.public(),
            self.recipient()
        )
    }

    fn private(&self) -> Zeroizing<String> {
        let seed = Zeroizing::new(STANDARD.encode(*self.signer.seed()));
        Zeroizing::new(format!("{}\nseed {}\n", self.identity.to_string().expose_secret(), *seed))
    }
}

/// A key file as it was read: its public lines, and what is behind them.
#[derive(Debug)]
pub struct KeyFile {
    /// The agent whose keys they are.
    pub agent: AgentName,
    /// The key to check signatures with.
    pub signer: PublicKey,
    /// The recipient to seal values to.
    pub recipient: String,
    rest: Rest,
}

enum Rest {
    Open(Zeroizing<String>),
    Locked(Vec<u8>),
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open(_) => "open",
            Self::Locked(_) => "locked",
        })
    }
}

impl KeyFile {
    /// Parses the text of a key file.
    ///
    /// # Errors
    /// [`KeyError::Format`] with the line that is wrong.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let wrong = |line| KeyError::Format { line };
        let mut lines = text.splitn(6, '\n');
        let mut next = |number: usize, key: &str| {
            let line = lines.next().filter(|_| text.len() <= FILE_MAX).ok_or(wrong(number))?;
            line.strip_prefix(key).ok_or(wrong(number))
        };
        let header = next(1, HEADER)?;
        if !header.is_empty() {
            return Err(wrong(1));
        }
        let agent = AgentName::new(next(2, "agent ")?).map_err(|_| wrong(2))?;
        let signer = PublicKey::parse(next(3, "signer ")?).map_err(|_| wrong(3))?;
        let recipient = next(4, "recipient ")?.to_owned();
        recipient.parse::<age::x25519::Recipient>().map_err(|_| wrong(4))?;
        let state = next(5, "")?;
        let rest = next(6, "")?;
        let rest = match state {
            "open" => Rest::Open(Zeroizing::new(rest.to_owned())),
            "locked" => Rest::Locked(STANDARD.decode(rest.trim_end()).map_err(|_| wrong(6))?),
            _ => return Err(wrong(5)),
        };
        Ok(Self { agent, signer, recipient, rest })
    }

    /// Whether a passphrase is needed.
    pub fn is_locked(&self) -> bool {
        matches!(self.rest, Rest::Locked(_))
    }

    /// The keys; `passphrase` is asked only for a locked file.
    ///
    /// # Errors
    /// [`KeyError`] for a wrong passphrase and for a file whose parts do not belong together.
    pub fn open<E: From<KeyError>>(
        &self,
        passphrase: impl FnOnce() -> Result<Zeroizing<String>, E>,
    ) -> Result<AgentKeys, E> {
        let private = match &self.rest {
            Rest::Open(text) => text.clone(),
            Rest::Locked(sealed) => unlock(sealed, &passphrase()?)?,
        };
        Ok(self.keys(&private)?)
    }

    fn keys(&self, private: &str) -> Result<AgentKeys, KeyError> {
        let mut lines = private.lines();
        let identity = lines.next().and_then(|line| line.parse::<age::x25519::Identity>().ok());
        let identity = identity.ok_or(KeyError::Format { line: 6 })?;
        let seed = lines.next().and_then(|line| line.strip_prefix("seed "));
        let seed = seed.and_then(|seed| STANDARD.decode(seed).ok()).map(Zeroizing::new);
        let seed = seed.and_then(|seed| <[u8; 32]>::try_from(seed.as_slice()).ok());
        let seed = Zeroizing::new(seed.ok_or(KeyError::Format { line: 7 })?);
        let keys = AgentKeys { agent: self.agent.clone(), identity, signer: Signer::from_seed(&seed) };
        if keys.signer.public() == self.signer && keys.recipient() == self.recipient {
            Ok(keys)
        } else {
            Err(KeyError::Mismatch)
        }
    }
}

fn unlock(sealed: &[u8], passphrase: &str) -> Result<Zeroizing<String>, KeyError> {
    let mut identity = age::scrypt::Identity::new(SecretString::from(passphrase));
    identity.set_max_work_factor(WORK_MAX);
    let mut bytes = opened_by(sealed, &identity).ok_or(KeyError::Passphrase)?;
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(KeyError::Passphrase)
        }
    }
}

/// What an age file holds, whole, for this identity; the caller has bounded its size.
///
/// The whole file is opened before anything of it is used, and nothing is said of why it does not open.
pub(crate) fn opened_by(file: &[u8], identity: &dyn age::Identity) -> Option<Zeroizing<Vec<u8>>> {
    let decryptor = age::Decryptor::new_buffered(file).ok()?;
    let mut reader = decryptor.decrypt(std::iter::once(identity)).ok()?;
    // What is in it is shorter than the file: no growing buffer leaves copies behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(file.len()));
    reader.read_to_end(&mut plain).ok()?;
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> AgentKeys {
        AgentKeys::generate(AgentName::new("a").unwrap()).unwrap()
    }

    fn none() -> Result<Zeroizing<String>, KeyError> {
        panic!("an open file needs no passphrase")
    }

    #[test]
    fn printed_and_read_back() {
        let keys = keys();
        let file = KeyFile::parse(&keys.print()).unwrap();
        let back = file.open(none).unwrap();
        assert_eq!(*back.print(), *keys.print());
        assert_eq!((back.recipient(), back.signer().public()), (file.recipient.clone(), file.signer));
        assert!(!format!("{keys:?}{file:?}").contains("SECRET"));
    }

    #[test]
    fn a_passphrase_locks_and_only_it_unlocks() {
        let keys = keys();
        let text = keys.lock("a passphrase", 2).unwrap();
        assert!(!text.contains("AGE-SECRET") && !text.contains("seed"));
        let file = KeyFile::parse(&text).unwrap();
        assert!(file.is_locked());
        let with = |phrase: &str| file.open::<KeyError>(|| Ok(Zeroizing::new(phrase.to_owned())));
        assert_eq!(*with("a passphrase").unwrap().print(), *keys.print());
        assert_eq!(with("another").unwrap_err(), KeyError::Passphrase);
    }

    #[test]
    fn a_file_that_asks_for_too_much_work_is_refused_at_once() {
        let text = keys().lock("p", 2).unwrap();
        let (head, sealed) = text.trim_end().rsplit_once('\n').unwrap();
        let bytes = STANDARD.decode(sealed).unwrap();
        let at = bytes.windows(3).position(|w| w == b" 2\n").unwrap();
        let greedy = [&bytes[..at], b" 30\n", &bytes[at + 3..]].concat();
        let file = KeyFile::parse(&format!("{head}\n{}\n", STANDARD.encode(greedy))).unwrap();
        assert_eq!(
            file.open::<KeyError>(|| Ok(Zeroizing::new("p".into()))).unwrap_err(),
            KeyError::Passphrase
        );
    }

    #[test]
    fn parts_of_two_files_do_not_mix() {
        let (one, two) = (keys().print(), keys().print());
        let mixed: Vec<_> = one.lines().take(4).chain(two.lines().skip(4)).collect();
        let file = KeyFile::parse(&(mixed.join("\n") + "\n")).unwrap();
        assert_eq!(file.open(none).unwrap_err(), KeyError::Mismatch);
        for bad in ["", "datum agent keys 2\n", "datum agent keys 1\nagent ../x\n"] {
            assert!(KeyFile::parse(bad).is_err(), "{bad:?}");
        }
    }
}
