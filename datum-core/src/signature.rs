//! Signatures in raw commits, where git keeps them: a header of their own, over all the rest.

use crate::sshsig::{self, PublicKey, SignatureError, Signer};

/// The header's name, which depends on the hash of the repository.
const fn header(sha256: bool) -> &'static str {
    if sha256 { "gpgsig-sha256" } else { "gpgsig" }
}

/// Puts a signature by `signer` into the raw commit.
pub(crate) fn sign(raw: &[u8], signer: &Signer, sha256: bool) -> Vec<u8> {
    let Some(at) = headers_end(raw) else { return raw.to_vec() };
    let armour = signer.sign(raw);
    let mut out = Vec::with_capacity(raw.len() + armour.len() + 32);
    out.extend_from_slice(&raw[..at]);
    out.extend_from_slice(header(sha256).as_bytes());
    for line in armour.lines() {
        out.push(b' ');
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(&raw[at..]);
    out
}

/// What a raw commit says of its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Signed {
    /// There is none.
    No,
    /// It is good, and by this key.
    By(PublicKey),
    /// It is not good.
    Bad(SignatureError),
}

/// Checks the signature of a raw commit.
pub(crate) fn check(raw: &[u8], sha256: bool) -> Signed {
    match split(raw, sha256) {
        Ok(None) => Signed::No,
        Ok(Some((payload, armour))) => match sshsig::verify(&armour, &payload) {
            Ok(signer) => Signed::By(signer),
            Err(error) => Signed::Bad(error),
        },
        Err(error) => Signed::Bad(error),
    }
}

/// Who signed a raw commit whose signature was found good before; nothing is checked but its form.
#[cfg(feature = "vault")]
pub(crate) fn known(raw: &[u8], sha256: bool) -> Signed {
    match split(raw, sha256) {
        Ok(None) => Signed::No,
        Ok(Some((_, armour))) => sshsig::claimed(&armour).map_or_else(Signed::Bad, Signed::By),
        Err(error) => Signed::Bad(error),
    }
}

/// Where the headers end: the place of the empty line.
fn headers_end(raw: &[u8]) -> Option<usize> {
    raw.windows(2).position(|pair| pair == b"\n\n").map(|at| at + 1)
}

/// Takes the signature out of a raw commit; answers with what it is over, and itself.
///
/// git drops the headers of both hashes from what was signed, and joins several. Ours has exactly one, of the
/// repository's own hash; anything else is refused, so that no reader can understand it differently.
fn split(raw: &[u8], sha256: bool) -> Result<Option<(Vec<u8>, String)>, SignatureError> {
    let Some(end) = headers_end(raw) else { return Ok(None) };
    let mut payload = Vec::with_capacity(raw.len());
    let mut armour = String::new();
    let mut within = false;
    for line in raw[..end].split_inclusive(|b| *b == b'\n') {
        let value = if within && line.starts_with(b" ") {
            Some(&line[1..])
        } else if line.starts_with(b"gpgsig") {
            let own = line.strip_prefix(header(sha256).as_bytes()).and_then(|rest| rest.strip_prefix(b" "));
            match own {
                Some(value) if armour.is_empty() => Some(value),
                _ => return Err(SignatureError::Format),
            }
        } else {
            None
        };
        within = value.is_some();
        match value {
            Some(value) => {
                armour.push_str(std::str::from_utf8(value).map_err(|_| SignatureError::Armour)?);
            }
            None => payload.extend_from_slice(line),
        }
    }
    if armour.is_empty() {
        return Ok(None);
    }
    payload.extend_from_slice(&raw[end..]);
    Ok(Some((payload, armour)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RAW: &[u8] = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor a <a@b> 1 +0000\ncommitter a <a@b> 1 +0000\n\nsubject\n\ngpgsig no header\n";

    #[test]
    fn signed_and_taken_apart_again() {
        let signer = Signer::from_seed(&[3; 32]);
        assert_eq!(check(RAW, false), Signed::No);
        for sha256 in [false, true] {
            let raw = sign(RAW, &signer, sha256);
            assert_eq!(check(&raw, sha256), Signed::By(signer.public()));
            assert_eq!(split(&raw, sha256).unwrap().unwrap().0, RAW);
            assert!(matches!(check(&raw, !sha256), Signed::Bad(_)), "the other hash's header is refused");
        }
    }

    #[test]
    fn a_second_signature_is_refused() {
        let signer = Signer::from_seed(&[3; 32]);
        let twice = sign(&sign(RAW, &signer, false), &signer, false);
        assert!(matches!(check(&twice, false), Signed::Bad(_)));
    }

    proptest! {
        #[test]
        fn no_changed_byte_stays_proved(at in 0usize..700, flip in 1u8..=255) {
            let signer = Signer::from_seed(&[3; 32]);
            let mut signed = sign(RAW, &signer, false);
            let at = at % signed.len();
            signed[at] ^= flip;
            prop_assert_ne!(check(&signed, false), Signed::By(signer.public()));
        }

        #[test]
        fn checking_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = check(&bytes, false);
            let _ = check(&[b"gpgsig ", &bytes[..], b"\n\n"].concat(), false);
        }
    }
}
