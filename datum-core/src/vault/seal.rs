//! Sealing: a value under a fresh data key, and the data key in one age file for each agent.
//!
//! A sealed value is a nonce of 24 bytes and what XChaCha20-Poly1305 makes of the value. Everything that says which value
//! it is stands in the associated data, and again in the plaintext of every wrap: age tells nobody who sealed, so what
//! comes out of it is compared with what was asked for.

use super::{Value, VaultError};
use crate::id::EntryId;
use crate::keys::{AgentKeys, opened_by, random};
use crate::name::Word;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

const FORMAT: &str = "datum-vault-1";
const SUITE: &str = "xchacha20poly1305+x25519";
const NONCE: usize = 24;
/// Largest value, bytes.
pub const VALUE_MAX: usize = 1024 * 1024;
/// Largest sealed value, bytes: nonce, value and tag.
pub(super) const SEALED_MAX: usize = VALUE_MAX + NONCE + 16;
/// Largest wrap that is looked at, bytes; ours have about 600.
pub(super) const WRAP_MAX: usize = 2048;

/// The key of one version of one value.
pub(super) type DataKey = Zeroizing<[u8; 32]>;

/// Which value it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Binding<'a> {
    /// The founding entry of the vault.
    pub(super) vault: EntryId,
    /// The value's name.
    pub(super) name: &'a Word,
    /// Which of its versions.
    pub(super) version: u64,
}

impl Binding<'_> {
    fn associated(&self) -> Vec<u8> {
        let (vault, version) = (self.vault.to_string(), self.version.to_string());
        let mut out = Vec::with_capacity(160);
        for part in [FORMAT, &vault, self.name.as_str(), &version, SUITE] {
            // Names are short; the length keeps one part from running into the next.
            out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend_from_slice(part.as_bytes());
        }
        out
    }

    /// What stands before the data key in a wrap.
    fn label(&self, agent: &str, digest: &str) -> String {
        let Self { vault, name, version } = self;
        format!(
            "datum-wrap-1\nvault {vault}\nname {name}\nversion {version}\nagent {agent}\nsealed {digest}\n"
        )
    }
}

/// SHA-256 in hexadecimal.
pub(super) fn digest(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |four: u8| DIGITS[usize::from(four & 15)];
    // Every entry that is read has its digest made: formatting would take a third of it.
    Sha256::digest(bytes).iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// Makes a value that nobody can guess, of `bytes` random bytes in base64.
///
/// # Errors
/// [`VaultError::Random`] where the system has no randomness.
pub fn generate(bytes: usize) -> Result<Value, VaultError> {
    use base64::Engine as _;
    let mut raw = Zeroizing::new(Vec::with_capacity(bytes + 32));
    while raw.len() < bytes {
        raw.extend_from_slice(&*random::<32>()?);
    }
    let text = base64::engine::general_purpose::STANDARD.encode(&raw[..bytes]);
    Ok(Value::new(text.into_bytes()))
}

/// Seals a value under a fresh key.
pub(super) fn seal(value: &[u8], binding: &Binding<'_>) -> Result<(Vec<u8>, DataKey), VaultError> {
    if value.len() > VALUE_MAX {
        return Err(VaultError::TooLarge { bytes: value.len() });
    }
    let (fresh, nonce) = (random::<32>()?, random::<NONCE>()?);
    let sealed = cipher_seal(value, &fresh, &nonce, &binding.associated()).ok_or(VaultError::CannotOpen)?;
    Ok((sealed, fresh))
}

/// Opens a sealed value.
pub(super) fn open(sealed: &[u8], with: &DataKey, binding: &Binding<'_>) -> Result<Value, VaultError> {
    if sealed.len() > SEALED_MAX {
        return Err(VaultError::CannotOpen);
    }
    cipher_open(sealed, with, &binding.associated()).ok_or(VaultError::CannotOpen)
}

/// The nonce, and what the cipher makes of the value.
pub(super) fn cipher_seal(
    value: &[u8],
    with: &DataKey,
    nonce: &[u8; NONCE],
    bound: &[u8],
) -> Option<Vec<u8>> {
    let cipher = XChaCha20Poly1305::new((&**with).into());
    let sealed = cipher.encrypt(XNonce::from_slice(nonce), Payload { msg: value, aad: bound }).ok()?;
    Some([&nonce[..], &sealed].concat())
}

/// The value, of a nonce and what the cipher made.
pub(super) fn cipher_open(sealed: &[u8], with: &DataKey, bound: &[u8]) -> Option<Value> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE)?;
    let cipher = XChaCha20Poly1305::new((&**with).into());
    let value = cipher.decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: bound });
    value.ok().map(Value::new)
}

/// Wraps the data key of the sealed value with this digest for one agent.
pub(super) fn wrap(
    data: &DataKey,
    binding: &Binding<'_>,
    agent: &str,
    digest: &str,
    recipient: &str,
) -> Result<Vec<u8>, VaultError> {
    let unusable = || VaultError::Recipient { agent: agent.to_owned() };
    let recipient: age::x25519::Recipient = recipient.parse().map_err(|_| unusable())?;
    let mut plain = Zeroizing::new(binding.label(agent, digest).into_bytes());
    plain.reserve_exact(32);
    plain.extend_from_slice(&**data);
    age::encrypt(&recipient, &plain).map_err(|_| unusable())
}

/// Takes the data key out of a wrap, if it is the one that was asked for.
pub(super) fn unwrap(
    wrapped: &[u8],
    binding: &Binding<'_>,
    digest: &str,
    keys: &AgentKeys,
) -> Result<DataKey, VaultError> {
    if wrapped.len() > WRAP_MAX {
        return Err(VaultError::CannotOpen);
    }
    let plain = opened_by(wrapped, keys.identity()).ok_or(VaultError::CannotOpen)?;
    let label = binding.label(keys.agent().as_str(), digest);
    let data = plain.strip_prefix(label.as_bytes()).and_then(|rest| <[u8; 32]>::try_from(rest).ok());
    data.map(Zeroizing::new).ok_or(VaultError::CannotOpen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::AgentName;
    use proptest::prelude::*;

    fn vault(digit: &str) -> EntryId {
        EntryId::from_hex(&digit.repeat(40)).unwrap()
    }

    fn keys(agent: &str) -> AgentKeys {
        AgentKeys::generate(AgentName::new(agent).unwrap()).unwrap()
    }

    #[test]
    fn the_bound_data_stays() {
        let name = Word::new("name", "db/password").unwrap();
        let binding = Binding { vault: vault("a"), name: &name, version: 7 };
        let shown: String = binding
            .associated()
            .iter()
            .flat_map(|b| std::ascii::escape_default(*b))
            .map(char::from)
            .collect();
        insta::assert_snapshot!(shown, @r"\x00\x00\x00\rdatum-vault-1\x00\x00\x00(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x00\x00\x00\x0bdb/password\x00\x00\x00\x017\x00\x00\x00\x18xchacha20poly1305+x25519");
        insta::assert_snapshot!(binding.label("a", "00ff"), @"
        datum-wrap-1
        vault aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        name db/password
        version 7
        agent a
        sealed 00ff
        ");
    }

    #[test]
    fn a_value_opens_only_as_what_it_was_sealed_as() {
        let (name, other) = (Word::new("name", "a").unwrap(), Word::new("name", "b").unwrap());
        let binding = Binding { vault: vault("a"), name: &name, version: 1 };
        let (sealed, data) = seal(b"value", &binding).unwrap();
        assert_eq!(&*open(&sealed, &data, &binding).unwrap(), b"value");
        for wrong in [
            Binding { vault: vault("b"), ..binding },
            Binding { name: &other, ..binding },
            Binding { version: 2, ..binding },
        ] {
            assert!(open(&sealed, &data, &wrong).is_err(), "{wrong:?}");
            let alice = keys("alice");
            let wrapped = wrap(&data, &binding, "alice", &digest(&sealed), &alice.recipient()).unwrap();
            assert!(unwrap(&wrapped, &binding, &digest(&sealed), &alice).is_ok());
            assert!(unwrap(&wrapped, &wrong, &digest(&sealed), &alice).is_err());
        }
    }

    #[test]
    fn a_wrap_is_for_one_agent_one_key_and_one_sealed_value() {
        let name = Word::new("name", "a").unwrap();
        let binding = Binding { vault: vault("a"), name: &name, version: 1 };
        let (sealed, data) = seal(b"value", &binding).unwrap();
        let (alice, mallory) = (keys("alice"), keys("mallory"));
        // Anyone can seal to public recipients, with the right words even: for another name it stays shut.
        let wrapped = wrap(&data, &binding, "mallory", &digest(&sealed), &alice.recipient()).unwrap();
        assert!(unwrap(&wrapped, &binding, &digest(&sealed), &alice).is_err());
        let wrapped = wrap(&data, &binding, "alice", &digest(&sealed), &alice.recipient()).unwrap();
        assert!(unwrap(&wrapped, &binding, &digest(&sealed), &mallory).is_err());
        assert!(unwrap(&wrapped, &binding, &digest(b"other"), &alice).is_err());
        assert!(wrapped.len() < WRAP_MAX);
        assert!(seal(&vec![0; VALUE_MAX + 1], &binding).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_changed_byte_opens(at in 0usize..1000, flip in 1u8..=255, cut in 0usize..1000) {
            let name = Word::new("name", "a").unwrap();
            let binding = Binding { vault: vault("a"), name: &name, version: 1 };
            let (mut sealed, data) = seal(b"a value of some length", &binding).unwrap();
            let alice = keys("alice");
            let digest = digest(&sealed);
            let mut wrapped = wrap(&data, &binding, "alice", &digest, &alice.recipient()).unwrap();
            prop_assert!(open(&sealed[..cut % sealed.len()], &data, &binding).is_err());
            prop_assert!(unwrap(&wrapped[..cut % wrapped.len()], &binding, &digest, &alice).is_err());
            let (s, w) = (at % sealed.len(), at % wrapped.len());
            sealed[s] ^= flip;
            wrapped[w] ^= flip;
            prop_assert!(open(&sealed, &data, &binding).is_err());
            prop_assert!(unwrap(&wrapped, &binding, &digest, &alice).is_err());
        }
    }
}
