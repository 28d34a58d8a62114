//! Values as an armoured age file: sealed to a recipient, opened by an agent's keys or by an identity file.
//!
//! Recipients and identities of age's own always. With the feature `age-ssh` also OpenSSH's Ed25519 keys, with `age-plugin`
//! also what a program `age-plugin-NAME` answers for. Both are off unless asked for: `age-ssh` compiles `rsa` with its open
//! advisory (RUSTSEC-2023-0071, the time that opening takes tells of the key), so RSA keys are refused even then; and a
//! plugin is a program that is started from the path.

use super::{Value, VaultError};
use crate::keys::{AgentKeys, opened_by};
use age::armor::{ArmoredReader, ArmoredWriter, Format};
use std::io::{Read as _, Write as _};

/// Seals bytes to a recipient as an armoured age file.
///
/// # Errors
/// [`VaultError::Recipient`] when `recipient` is none that this build seals to.
pub fn seal_to(recipient: &str, bytes: &[u8]) -> Result<String, VaultError> {
    let unusable = || VaultError::Recipient { agent: "the export".to_owned() };
    let recipient = parse_recipient(recipient).ok_or_else(unusable)?;
    let seal = || -> Option<String> {
        let encryptor = age::Encryptor::with_recipients(std::iter::once(&*recipient)).ok()?;
        let mut out = Vec::with_capacity(bytes.len() * 3 / 2 + 1024);
        let armour = ArmoredWriter::wrap_output(&mut out, Format::AsciiArmor).ok()?;
        let mut writer = encryptor.wrap_output(armour).ok()?;
        writer.write_all(bytes).ok()?;
        writer.finish().and_then(ArmoredWriter::finish).ok()?;
        String::from_utf8(out).ok()
    };
    seal().ok_or_else(unusable)
}

/// Opens an armoured age file that was sealed to the recipient of these keys.
///
/// # Errors
/// [`VaultError::CannotOpen`] for any other text.
pub fn open_sealed(text: &str, keys: &AgentKeys) -> Result<Value, VaultError> {
    open(text, &[keys.identity()])
}

/// Opens an armoured age file with what an identity file holds: age's own identities, an OpenSSH key, a plugin's.
///
/// # Errors
/// [`VaultError::Identity`] for text that holds no identity that this build knows, [`VaultError::CannotOpen`] when none
/// of them opens the file.
pub fn open_sealed_by(text: &str, identities: &str) -> Result<Value, VaultError> {
    let identities = parse_identities(identities).filter(|found| !found.is_empty());
    let identities = identities.ok_or(VaultError::Identity)?;
    let identities: Vec<&dyn age::Identity> = identities.iter().map(|identity| &**identity).collect();
    open(text, &identities)
}

fn open(text: &str, identities: &[&dyn age::Identity]) -> Result<Value, VaultError> {
    let mut file = Vec::with_capacity(text.len());
    // What is read from the armour is bounded by the text.
    ArmoredReader::new(text.trim().as_bytes()).read_to_end(&mut file).map_err(|_| VaultError::CannotOpen)?;
    let opened = identities.iter().find_map(|identity| opened_by(&file, *identity));
    opened.map(Value::from).ok_or(VaultError::CannotOpen)
}

fn parse_recipient(text: &str) -> Option<Box<dyn age::Recipient>> {
    if let Ok(own) = text.parse::<age::x25519::Recipient>() {
        return Some(Box::new(own));
    }
    #[cfg(feature = "age-ssh")]
    if let Ok(found @ age::ssh::Recipient::SshEd25519(..)) = text.parse::<age::ssh::Recipient>() {
        return Some(Box::new(found));
    }
    #[cfg(feature = "age-plugin")]
    if let Ok(found) = text.parse::<age::plugin::Recipient>() {
        let name = found.plugin().to_owned();
        let plugin = age::plugin::RecipientPluginV1::new(&name, &[found], &[], age::NoCallbacks).ok()?;
        return Some(Box::new(plugin));
    }
    None
}

fn parse_identities(text: &str) -> Option<Vec<Box<dyn age::Identity>>> {
    #[cfg(feature = "age-ssh")]
    if text.trim_start().starts_with("-----BEGIN") {
        use age::ssh::{Identity, Recipient};
        let found = Identity::from_buffer(text.trim_start().as_bytes(), None).ok()?;
        // One with a passphrase is not asked for: ssh-keygen -p makes a copy without.
        let plain = matches!(found, Identity::Unencrypted(_));
        let ed25519 = matches!(Recipient::try_from(found.clone()), Ok(Recipient::SshEd25519(..)));
        return (plain && ed25519).then(|| vec![Box::new(found) as Box<dyn age::Identity>]);
    }
    age::IdentityFile::from_buffer(text.as_bytes()).ok()?.into_identities().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::AgentName;

    #[test]
    fn sealed_to_a_recipient_and_opened_by_its_identity_alone() {
        let keys = AgentKeys::generate(AgentName::new("a").unwrap()).unwrap();
        let other = AgentKeys::generate(AgentName::new("b").unwrap()).unwrap();
        let file = seal_to(&keys.recipient(), b"value").unwrap();
        assert_eq!(&*open_sealed(&file, &keys).unwrap(), b"value");
        assert!(open_sealed(&file, &other).is_err() && open_sealed("mysterious", &keys).is_err());
        let printed = keys.print();
        let identity = printed.lines().find(|line| line.starts_with("AGE-")).unwrap();
        assert_eq!(&*open_sealed_by(&file, &format!("# made by hand\n{identity}\n")).unwrap(), b"value");
        let printed = other.print();
        let identity = printed.lines().find(|line| line.starts_with("AGE-")).unwrap();
        assert!(matches!(open_sealed_by(&file, identity), Err(VaultError::CannotOpen)));
        for none in ["", "# nothing", "value", "-----BEGIN OPENSSH PRIVATE KEY-----\n"] {
            assert!(matches!(open_sealed_by(&file, none), Err(VaultError::Identity)), "{none:?}");
        }
        for none in ["", "age1", "ssh-rsa AAAA", "age1nothing1qqqq"] {
            assert!(matches!(seal_to(none, b"value"), Err(VaultError::Recipient { .. })), "{none:?}");
        }
    }
}
