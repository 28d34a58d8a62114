//! Other people's vectors over our own paths: Wycheproof for what seals values, age's testkit for what opens wraps.

use crate::keys::opened_by;
use crate::vault::seal::{cipher_open, cipher_seal};
use age::secrecy::SecretString;
use flate2::read::ZlibDecoder;
use sha2::{Digest as _, Sha256};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use wycheproof::TestResult;
use wycheproof::aead::{TestName, TestSet};

#[test]
fn wycheproof_xchacha20_poly1305() {
    let set = TestSet::load(TestName::XChaCha20Poly1305).unwrap();
    let mut counts = [0, 0];
    for group in &set.test_groups {
        for test in &group.tests {
            let sealed = [&test.nonce[..], &test.ct, &test.tag].concat();
            let Ok(key) = <[u8; 32]>::try_from(&test.key[..]) else { continue };
            let key = key.into();
            let valid = test.result != TestResult::Invalid;
            let opened = cipher_open(&sealed, &key, &test.aad);
            assert_eq!(opened.as_deref(), valid.then_some(&test.pt[..]), "{} {}", test.tc_id, test.comment);
            if let (true, Ok(nonce)) = (valid, test.nonce[..].try_into()) {
                assert_eq!(cipher_seal(&test.pt, &key, nonce, &test.aad), Some(sealed), "{}", test.tc_id);
            }
            counts[usize::from(valid)] += 1;
        }
    }
    assert!(counts[0] > 20 && counts[1] > 200, "{counts:?}");
}

/// The folder of age's testkit, which comes with the sources of the crate.
fn testkit() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    let registries = std::fs::read_dir(home.join("registry/src")).ok()?;
    let mut crates =
        registries.flatten().flat_map(|registry| std::fs::read_dir(registry.path())).flatten().flatten();
    let kit = |path: &Path| path.join("tests/testdata/testkit");
    let found = crates.find(|entry| {
        entry.file_name().to_string_lossy().starts_with("age-0.11") && kit(&entry.path()).is_dir()
    });
    found.map(|entry| kit(&entry.path()))
}

/// One file of the testkit: what is said of it, and the age file.
struct Case {
    says: Vec<(String, String)>,
    file: Vec<u8>,
}

impl Case {
    fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let end = bytes.windows(2).position(|two| two == b"\n\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let says: Vec<(String, String)> = head
            .lines()
            .map(|line| line.split_once(": ").map(|(key, value)| (key.to_owned(), value.to_owned())).unwrap())
            .collect();
        let mut case = Self { says, file: bytes[end + 2..].to_vec() };
        if case.all("compressed").next() == Some("zlib") {
            let mut plain = Vec::new();
            ZlibDecoder::new(&case.file[..]).read_to_end(&mut plain).unwrap();
            case.file = plain;
        }
        case
    }

    fn all<'c>(&'c self, key: &'c str) -> impl Iterator<Item = &'c str> {
        self.says.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    fn open(&self) -> Option<Vec<u8>> {
        let identities: Vec<age::x25519::Identity> =
            self.all("identity").filter_map(|text| text.parse().ok()).collect();
        let passphrases = self.all("passphrase").map(|phrase| {
            let mut identity = age::scrypt::Identity::new(SecretString::from(phrase));
            identity.set_max_work_factor(16);
            identity
        });
        let mut all: Vec<Box<dyn age::Identity>> = Vec::new();
        all.extend(identities.into_iter().map(|one| Box::new(one) as _));
        all.extend(passphrases.map(|one| Box::new(one) as _));
        all.iter().find_map(|identity| opened_by(&self.file, &**identity)).map(|plain| plain.to_vec())
    }
}

#[test]
fn the_testkit_of_age() {
    let Some(folder) = testkit() else {
        eprintln!("skipped: the sources of age are not in cargo's registry");
        return;
    };
    let (mut opened, mut refused) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let case = Case::read(&path);
        let armored = case.all("armored").next().is_some();
        // The crate still reads stanzas without a short last line, as age once wrote them.
        let lenient = ["stanza_missing_body", "stanza_missing_final_line"];
        if path.file_name().is_some_and(|name| lenient.iter().any(|known| name == *known)) {
            continue;
        }
        let expected = case.all("expect").next() == Some("success") && !armored;
        match case.open() {
            // We take no armour: a wrap is binary.
            Some(_) if !expected => panic!("{} opened", path.display()),
            None if expected => panic!("{} did not open", path.display()),
            Some(plain) => {
                let digest: String =
                    Sha256::digest(&plain).iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(case.all("payload").next(), Some(digest.as_str()), "{}", path.display());
                opened += 1;
            }
            None => refused += 1,
        }
    }
    assert!(opened > 12 && refused > 100, "{opened} {refused}");
}
