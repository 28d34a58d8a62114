//! Recall on a corpus of our own. Its secrets are made when the test runs, so that this file holds none.

use super::*;

/// Characters drawn by a fixed rule that no one would take for a key's.
fn draw(alphabet: &str, count: usize, seed: u64) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let step = |state: &mut u64| {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(*state >> 40).unwrap_or(0)
    };
    (0..count).map(|_| letters[step(&mut state) % letters.len()]).collect()
}

const BASE62: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE36: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &str = "0123456789abcdef";
const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn rules(path: &str, text: &str) -> Vec<&'static str> {
    scan(path, text.as_bytes()).iter().map(|finding| finding.rule).collect()
}

/// A key that says what it is, in the forms files have.
#[test]
fn keys_with_a_prefix_are_found_wherever_they_stand() {
    let kinds: [(&str, &str, usize, &str); 12] = [
        ("ghp_", BASE62, 36, "github-token"),
        ("github_pat_", BASE62, 82, "github-token"),
        ("glpat-", BASE62, 20, "gitlab-token"),
        ("AIza", BASE62, 35, "google-key"),
        ("AKIA", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16, "aws-key-id"),
        ("sk_live_", BASE62, 24, "stripe-key"),
        ("sk-ant-api03-", BASE62, 93, "anthropic-key"),
        ("sk-", HEX, 32, "sk-key"),
        ("gsk_", BASE62, 52, "groq-key"),
        ("npm_", BASE62, 36, "npm-token"),
        ("hf_", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 34, "huggingface-token"),
        ("xoxb-2847561903-2847561904-", BASE62, 24, "slack-token"),
    ];
    let (mut found, mut all) = (0, 0);
    for (prefix, alphabet, count, rule) in kinds {
        for seed in 1..=20 {
            let key = format!("{prefix}{}", draw(alphabet, count, seed));
            for text in [
                format!("x = \"{key}\"\n"),
                format!("KEY={key}"),
                format!("see {key}, and"),
                format!("\"a\\n{key}\""),
            ] {
                all += 1;
                let hit = rules("a.py", &text) == [rule];
                found += usize::from(hit);
                if !hit {
                    eprintln!("missed: {rule}, {seed}");
                }
            }
        }
    }
    eprintln!("prefixed keys: {found} of {all}");
    assert!(found * 100 >= all * 98, "{found} of {all}");
}

/// The fleet leaked keys of 32 characters without a prefix.
#[test]
fn keys_without_a_prefix_are_found_by_chance_and_name() {
    let places = [
        "DEEPINFRA_API_KEY={}",
        "export MOONSHOT_KEY=\"{}\"",
        "api_key = '{}'",
        "\"apiKey\": \"{}\",",
        "    token: {}",
        "curl -H \"Authorization: Bearer {}\" https://x",
        "headers={'xi-api-key': '{}'}",
        "| DeepSeek API key | `{}` |",
        "let secret: &str = \"{}\";",
        "client = Client(api_key=\"{}\")",
    ];
    let (mut found, mut all) = (0, 0);
    for (alphabet, count) in [(BASE62, 32), (BASE36, 32), (HEX, 32), (BASE62, 40), (HEX, 64), (BASE62, 24)] {
        for place in places {
            for seed in 1..=10 {
                all += 1;
                let text = place.replace("{}", &draw(alphabet, count, seed));
                let hit = !rules("a.py", &text).is_empty();
                found += usize::from(hit);
            }
        }
    }
    eprintln!("named keys: {found} of {all}");
    assert!(found * 100 >= all * 95, "{found} of {all}");
    let bare = (1..=100)
        .filter(|seed| rules("a.md", &format!("use `{}` for it", draw(BASE62, 32, *seed))) == ["bare-key"]);
    let bare = bare.count();
    eprintln!("bare keys: {bare} of 100");
    assert!(bare >= 90, "{bare}");
}

#[test]
fn what_is_sealed_already_is_no_secret() {
    let key = draw(HEX, 64, 3);
    assert_eq!(rules(".ci.yml", &format!("TOKEN: ENCRYPTED[{key}]\n")), Vec::<&str>::new());
    assert_eq!(rules(".ci.yml", &format!("TOKEN: {key}\n")), ["assigned-key"]);
}

#[test]
fn other_secrets_are_found() {
    let body = draw(BASE64, 400, 7);
    let frame = |label: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
    let label = ["RSA PRIV", "ATE KEY"].concat();
    assert_eq!(rules("id", &frame(&label)), ["private-key"]);
    assert_eq!(rules("id", &frame("CERTIFICATE")), Vec::<&str>::new());
    let found = |rule: &str, place: &str| {
        (1..=50).filter(|seed| rules("a", &place.replace("{}", &draw(BASE62, 14, *seed))) == [rule]).count()
    };
    // A password without two digits is not told from a name.
    assert!(found("password-in-url", "postgres://me:{}@pg.fleet.io/x") >= 30);
    assert!(found("assigned-password", "password = \"{}\"") >= 30);
    let jwt = format!("eyJ{}.eyJ{}.{}", draw(BASE62, 30, 1), draw(BASE62, 60, 2), draw(BASE62, 43, 3));
    assert_eq!(rules("a", &format!("cookie {jwt}")), ["jwt"]);
    assert_eq!(rules("a", &format!("SG.{}.{}", draw(BASE62, 22, 1), draw(BASE62, 43, 2))), ["sendgrid-key"]);
    assert_eq!(rules("a", &format!("bot 123456789:AA{}", draw(BASE62, 33, 9))), ["telegram-token"]);
    let aws = draw(BASE64, 40, 11);
    assert_eq!(rules("a", &format!("aws_secret_access_key = {aws}")), ["assigned-key"]);
}

#[test]
fn what_only_looks_like_a_secret_is_left_alone() {
    let sha = draw(HEX, 40, 3);
    let quiet = [
        format!("commit {sha}"),
        format!("checksum = \"{}\"", draw(HEX, 64, 4)),
        format!("sha256:{}", draw(HEX, 64, 4)),
        format!("token = \"ghp_{}\"", "x".repeat(36)),
        format!("key = \"AKIA{}\"", "IOSFODNN7EXAMPLE"),
        "api_key = get_the_key_from_environment(\"OPENAI_API_KEY\")".to_owned(),
        "let token = SomeVeryLongTypeName2WithDigits3AndMore::new();".to_owned(),
        "key = 000102030405060708090a0b0c0d0e0f".to_owned(),
        "password = \"your-password-here1\"".to_owned(),
        "https://user:password@example.com/".to_owned(),
        "postgres://postgres:postgres1234@localhost/db".to_owned(),
        format!("public_key = \"{}\"", draw(BASE62, 43, 2)),
        format!("id: {}-0000-4000-8000-{}", draw(HEX, 8, 1), draw(HEX, 12, 2)),
        draw(BASE62, 31, 1),
        format!("data:image/png;base64,{}", draw(BASE64, 400, 1)),
    ];
    for text in quiet {
        assert_eq!(rules("a.py", &text), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn no_output_holds_the_secret() {
    let key = format!("ghp_{}", draw(BASE62, 36, 1));
    let text = format!("one\n  a = \"{key}\"\n");
    let found = scan("a", text.as_bytes());
    assert_eq!((found[0].line, found[0].column), (2, 8));
    let told = format!("{:?} {}", found[0], serde_json::to_string(&found[0]).unwrap());
    assert!(!told.contains(&key[5..12]), "{told}");
    assert_eq!(found[0].secret(text.as_bytes()), key.as_bytes());
}

#[test]
fn markers_tests_and_lock_files_count_less() {
    let key = draw(BASE62, 32, 8);
    let text = format!("api_key = \"{key}\"");
    assert_eq!(scan("src/a.py", text.as_bytes())[0].level, Level::Error);
    assert_eq!(scan("tests/a.py", text.as_bytes())[0].level, Level::Warning);
    assert!(scan("Cargo.lock", text.as_bytes()).is_empty());
    assert!(scan("src/a.py", format!("{text} # datum:allow-secret a test account").as_bytes()).is_empty());
}

#[test]
fn runs_are_those_a_plain_look_finds() {
    let text = draw("ab_ \n", 4000, 3) + &draw("abcdefghi ", 4000, 4) + &"x".repeat(40);
    let mut found = Vec::new();
    runs(text.as_bytes(), |run| found.push(run));
    let mut plain = Vec::new();
    let mut at = 0;
    for part in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-') {
        if part.len() >= RUN_MIN {
            plain.push(at..at + part.len());
        }
        at += part.len() + 1;
    }
    assert_eq!(found, plain);
    assert!(found.len() > 20);
}

#[test]
fn hostile_text_is_only_text() {
    for text in [
        "",
        "-----BEGIN PRIVATE KEY",
        "://@",
        "://:@",
        "passw",
        "password=\"",
        "eyJaaaaaaaaaaaaaaaa.",
        "eyJaaaaaaaaaaaaaaaa.eyJ.",
    ] {
        assert!(scan("a", text.as_bytes()).is_empty(), "{text}");
    }
    let wide = "PRIVATE KEY".repeat(2000) + &"passw=\"".repeat(2000) + &"://a:b@".repeat(2000);
    assert!(scan("a", wide.as_bytes()).len() <= FINDINGS_MAX);
    assert_eq!(scan("a", "A1b2C3d4E5f6G7h8 ghp_".repeat(100).as_bytes()), []);
}
