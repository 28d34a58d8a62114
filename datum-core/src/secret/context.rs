//! What stands before a value on its line, and what its file is.

use memchr::memmem;

/// How much is made of keys that have no form of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guess {
    /// They are looked for.
    Full,
    /// They are looked for and count less: tests and examples hold keys made for them.
    Less,
    /// They are not looked for: lock files and packed scripts are full of what looks like them.
    Never,
}

/// Says how much is to be made of guesses in the file `path`.
pub(super) fn guesses(path: &str, text: &[u8]) -> Guess {
    const NEVER: [&str; 14] = [
        ".lock",
        "-lock.json",
        "-lock.yaml",
        "go.sum",
        ".min.js",
        ".min.css",
        ".map",
        ".svg",
        ".ipynb",
        ".snap",
        ".pdf",
        "checksum.json",
        ".sum",
        ".excalidraw",
    ];
    const LESS: [&str; 10] =
        ["test", "example", "fixture", "bench", "spec", "mock", "sample", "vector", "demo", "tutorial"];
    let lower = path.to_ascii_lowercase();
    // git's own rule for what is binary.
    if NEVER.iter().any(|end| lower.ends_with(end))
        || memchr::memchr(0, &text[..text.len().min(8000)]).is_some()
    {
        return Guess::Never;
    }
    if LESS.iter().any(|word| lower.contains(word)) { Guess::Less } else { Guess::Full }
}

/// How far back from a value its name is looked for, bytes.
const BACK: usize = 100;
/// How far from the value its name may end, bytes.
const GAP: usize = 32;

/// Words of names whose value is a secret, lower case.
const NAMES: [&str; 14] = [
    "apikey",
    "api_key",
    "api-key",
    "api key",
    "secret",
    "token",
    "passw",
    "bearer",
    "credential",
    "authorization",
    "private_key",
    "access_key",
    "accesskey",
    "auth_key",
];
/// Words, before the value on its line, that say what it is instead.
const NOT: [&str; 38] = [
    "public",
    "pubkey",
    "pub_key",
    "hash",
    "sha1",
    "sha2",
    "sha5",
    "sha-",
    "md5",
    "digest",
    "checksum",
    "cksum",
    "fingerprint",
    "integrity",
    "commit",
    "revision",
    "uuid",
    "guid",
    "primary",
    "foreign",
    "key_id",
    "keyid",
    "key id",
    "etag",
    "cursor",
    "nonce",
    "salt",
    "signature",
    "sitekey",
    "site_key",
    "publishable",
    "csrf",
    "tokenizer",
    "tokeniz",
    "expected",
    "assert",
    "vector",
    "cache",
];

/// What the line says before a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// That a secret follows.
    Secret,
    /// That a key follows, which may be one of a map.
    Key,
    /// That something follows which is no secret.
    Other,
    /// Nothing.
    Nothing,
}

/// Reads what stands on the line before the value at `start`.
pub(super) fn before(text: &[u8], start: usize) -> Named {
    let from = memchr::memrchr(b'\n', &text[..start]).map_or(0, |at| at + 1).max(start.saturating_sub(BACK));
    let line = &text[from..start];
    let lower = line.to_ascii_lowercase();
    if NOT.iter().any(|word| memmem::find(&lower, word.as_bytes()).is_some()) {
        return Named::Other;
    }
    let last =
        NAMES.iter().filter_map(|word| Some(memmem::rfind(&lower, word.as_bytes())? + word.len())).max();
    if let Some(end) = last.filter(|end| follows(&lower[*end..])) {
        // `tokens`, `token_count`, `secretary`: a name that goes on is another's.
        let rest = &lower[end..];
        let goes_on = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        if goes_on == 0 || matches!(&rest[..goes_on], b"ord" | b"s" | b"wd" | b"value" | b"key" | b"d") {
            return Named::Secret;
        }
        return Named::Nothing;
    }
    match memmem::rfind(&lower, b"key") {
        Some(at) if is_key(line, at) && follows(&lower[at + 3..]) => {
            // MOONSHOT_KEY names a secret; `key` alone may be any.
            let joined = at > 0 && matches!(line[at - 1], b'_' | b'-')
                || line[at] == b'K' && at > 0 && line[at - 1].is_ascii_lowercase();
            if joined { Named::Secret } else { Named::Key }
        }
        _ => Named::Nothing,
    }
}

/// Whether the `key` at `at` is a word of its own, in whatever case its neighbours are.
fn is_key(line: &[u8], at: usize) -> bool {
    let starts = at == 0
        || !line[at - 1].is_ascii_alphabetic()
        || (line[at] == b'K' && line[at - 1].is_ascii_lowercase());
    starts && line.get(at + 3).is_none_or(|byte| !byte.is_ascii_lowercase())
}

/// Whether a value follows after `gap`: a sign of assignment, or few and short words.
fn follows(gap: &[u8]) -> bool {
    if gap.len() > GAP || gap.is_empty() {
        return false;
    }
    let sign = gap.iter().any(|byte| b"=:>\"'`(".contains(byte));
    let words = gap.split(|byte| !byte.is_ascii_alphabetic()).filter(|word| !word.is_empty()).count();
    let path = gap.contains(&b'/') || memmem::find(gap, b"::").is_some();
    words <= 3 && !path && (sign || words <= 1) && !gap.contains(&b';') && !gap.contains(&b')')
}
