//! Signatures as `ssh-keygen -Y sign` makes them and git stores them: SSHSIG, Ed25519 only.
//!
//! The format is OpenSSH's `PROTOCOL.sshsig`, the encodings are RFC 4251's, the key type is RFC 8709's. It is written out
//! here, sixty lines of framing over `ed25519-dalek`, because the `ssh-key` crate compiles `rsa` and its open advisory
//! (RUSTSEC-2023-0071) for everyone who uses it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha512};
use std::fmt;

/// The namespace of git's signatures.
const NAMESPACE: &[u8] = b"git";
const MAGIC: &[u8] = b"SSHSIG";
const KEY_TYPE: &[u8] = b"ssh-ed25519";
const HASH: &[u8] = b"sha512";
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";
/// Characters of base64 a line, as OpenSSH writes them.
const LINE: usize = 70;
/// Largest armoured signature that is looked at, bytes; ours have about 300.
const ARMOUR_MAX: usize = 4096;

/// Why a signature or a public key was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The text is no armoured SSH signature.
    #[error("it is no armoured SSH signature")]
    Armour,
    /// The bytes within are no signature of the one sort that is accepted.
    #[error("it is no SSH signature by an Ed25519 key over a SHA-512 in the namespace git")]
    Format,
    /// The signature does not belong to this content and key.
    #[error("it does not fit the content")]
    Wrong,
    /// The text is no public key.
    #[error("it is no ssh-ed25519 public key")]
    PublicKey,
}

/// The public half of a signing key: `ssh-ed25519 AAAA…`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Parses the line that OpenSSH writes, with or without a comment behind.
    ///
    /// # Errors
    /// [`SignatureError::PublicKey`] for any other text.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let mut words = text.split(' ');
        let (name, data) = (words.next(), words.next());
        if name != Some("ssh-ed25519") {
            return Err(SignatureError::PublicKey);
        }
        let bytes = data.and_then(|data| STANDARD.decode(data).ok()).ok_or(SignatureError::PublicKey)?;
        Self::from_blob(&bytes).ok_or(SignatureError::PublicKey)
    }

    fn from_blob(blob: &[u8]) -> Option<Self> {
        let key = Self::unchecked(blob)?;
        // A point that is none, or one of small order under which anything verifies, is no key.
        let point = VerifyingKey::from_bytes(&key.0).ok()?;
        (!point.is_weak()).then_some(key)
    }

    /// A key by its form alone, of which it is known otherwise that it is one.
    fn unchecked(blob: &[u8]) -> Option<Self> {
        let mut rest = blob;
        let (name, bytes) = (take(&mut rest)?, take(&mut rest)?);
        let bytes: [u8; 32] = bytes.try_into().ok()?;
        (name == KEY_TYPE && rest.is_empty()).then_some(Self(bytes))
    }

    fn blob(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(51);
        put(&mut out, KEY_TYPE);
        put(&mut out, &self.0);
        out
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ssh-ed25519 {}", STANDARD.encode(self.blob()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The private half of a signing key; wiped from memory when dropped.
#[derive(Clone)]
pub struct Signer(SigningKey);

impl Signer {
    /// The key whose seed is `seed` (RFC 8032's private key).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The seed that it was made from.
    #[cfg(feature = "vault")]
    pub(crate) fn seed(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs `content` and answers with the armoured signature, each line ended.
    pub(crate) fn sign(&self, content: &[u8]) -> String {
        let mut signature = Vec::with_capacity(83);
        put(&mut signature, KEY_TYPE);
        put(&mut signature, &self.0.sign(&signed_data(content)).to_bytes());
        let mut blob = MAGIC.to_vec();
        blob.extend_from_slice(&1u32.to_be_bytes());
        for part in [&self.public().blob()[..], NAMESPACE, b"", HASH, &signature] {
            put(&mut blob, part);
        }
        let text = STANDARD.encode(blob);
        let mut out = format!("{BEGIN}\n");
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(LINE));
            out.push_str(line);
            out.push('\n');
            rest = after;
        }
        out + END + "\n"
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.public())
    }
}

/// Checks the armoured signature over `content` and answers with the key that made it.
///
/// # Errors
/// [`SignatureError`] for anything but a good signature.
pub(crate) fn verify(armour: &str, content: &[u8]) -> Result<PublicKey, SignatureError> {
    let (signer, signature) = parse(armour, PublicKey::from_blob)?;
    let key = VerifyingKey::from_bytes(&signer.0).map_err(|_| SignatureError::Format)?;
    key.verify_strict(&signed_data(content), &signature).map_err(|_| SignatureError::Wrong)?;
    Ok(signer)
}

/// The key that a signature, which was found good before, is by. That it is a key is known by that, and not looked at again.
#[cfg(feature = "vault")]
pub(crate) fn claimed(armour: &str) -> Result<PublicKey, SignatureError> {
    parse(armour, PublicKey::unchecked).map(|(signer, _)| signer)
}

fn parse(
    armour: &str,
    signer: fn(&[u8]) -> Option<PublicKey>,
) -> Result<(PublicKey, Signature), SignatureError> {
    let body = armour.trim_end_matches('\n').strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END));
    let body = body.filter(|_| armour.len() <= ARMOUR_MAX).ok_or(SignatureError::Armour)?;
    let text: String = body.lines().collect();
    let blob = STANDARD.decode(text).map_err(|_| SignatureError::Armour)?;
    parse_blob(&blob, signer).ok_or(SignatureError::Format)
}

fn parse_blob(blob: &[u8], signer: fn(&[u8]) -> Option<PublicKey>) -> Option<(PublicKey, Signature)> {
    let mut rest = blob.strip_prefix(MAGIC)?.strip_prefix(&1u32.to_be_bytes())?;
    let signer = signer(take(&mut rest)?)?;
    let (namespace, reserved, hash) = (take(&mut rest)?, take(&mut rest)?, take(&mut rest)?);
    let mut signature = take(&mut rest)?;
    let name = take(&mut signature)?;
    let bytes: [u8; 64] = take(&mut signature)?.try_into().ok()?;
    let plain = namespace == NAMESPACE && reserved.is_empty() && hash == HASH && name == KEY_TYPE;
    (plain && rest.is_empty() && signature.is_empty()).then(|| (signer, Signature::from_bytes(&bytes)))
}

/// What the key really signs: the hash of the content, and what it is for.
fn signed_data(content: &[u8]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    for part in [NAMESPACE, b"", HASH, &Sha512::digest(content)] {
        put(&mut out, part);
    }
    out
}

/// Appends a string of RFC 4251: its length in four bytes, and itself. All strings here are short.
fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Takes a string of RFC 4251 off the front of `rest`.
fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (string, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn signer(seed: u8) -> Signer {
        Signer::from_seed(&[seed; 32])
    }

    #[test]
    fn the_stored_form_stays() {
        insta::assert_snapshot!(signer(1).public(), @"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c");
        let armour = signer(1).sign(b"content");
        assert_eq!(verify(&armour, b"content"), Ok(signer(1).public()));
        // Ed25519 signatures of one content by one key are always the same.
        insta::assert_snapshot!(sha256(&armour), @"a30bb03e7793778d7c79859dc386c6ed95fff96ba17c61ed5ae9d52e7c068df5");
    }

    fn sha256(text: &str) -> String {
        sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn only_the_content_that_was_signed_verifies() {
        let armour = signer(1).sign(b"content");
        assert_eq!(verify(&armour, b"Content"), Err(SignatureError::Wrong));
        assert_eq!(verify("", b""), Err(SignatureError::Armour));
        assert_eq!(verify(&armour.replace("SSH", "PGP"), b"content"), Err(SignatureError::Armour));
    }

    #[test]
    fn keys_under_which_anything_verifies_are_no_keys() {
        for weak in [[0u8; 32], {
            let mut one = [0; 32];
            one[0] = 1;
            one
        }] {
            let mut blob = Vec::new();
            put(&mut blob, KEY_TYPE);
            put(&mut blob, &weak);
            let line = format!("ssh-ed25519 {}", STANDARD.encode(blob));
            assert_eq!(PublicKey::parse(&line), Err(SignatureError::PublicKey));
        }
    }

    #[test]
    fn a_signer_does_not_show_itself() {
        let shown = format!("{:?}", signer(7));
        assert!(shown.contains("ssh-ed25519") && !shown.contains("7, 7"), "{shown}");
    }

    proptest! {
        #[test]
        fn no_changed_byte_verifies(at in 0usize..300, flip in 1u8..=255, seed in any::<u8>()) {
            let signer = signer(seed);
            let armour = signer.sign(b"content");
            let mut bytes = armour.clone().into_bytes();
            let at = at % bytes.len();
            bytes[at] ^= flip;
            // Line breaks within the armour carry no meaning; all else must not change.
            if let Ok(text) = String::from_utf8(bytes) && text.replace(['\n', '\r'], "") != armour.replace('\n', "") {
                prop_assert!(verify(&text, b"content").is_err(), "{text}");
            }
        }

        #[test]
        fn parsing_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse_blob(&bytes, PublicKey::from_blob);
            let _ = parse_blob(&[MAGIC, &[0, 0, 0, 1], &bytes].concat(), PublicKey::unchecked);
            let _ = PublicKey::from_blob(&bytes);
        }
    }
}
