//! Secrets that say what they are: a prefix, an alphabet and a length each.
//!
//! The prefixes and lengths are those their issuers document; a rule is a line of the table.

use super::chance::{Mix, is_stand_in};
use super::{Hit, Level, is_word};
use memchr::memmem;
use std::ops::Range;

/// The alphabet of what follows a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Letters and digits.
    Alnum,
    /// `0-9a-f`.
    Hex,
    /// `A-Z2-7`.
    Base32,
    /// Letters, digits, `_` and `-`.
    Word,
    /// Letters, digits, `_`, `-` and `.`.
    Dotted,
    /// Letters, digits, `+`, `/` and `=`.
    Base64,
}

impl Class {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Hex => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            Self::Base32 => byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte),
            Self::Word => is_word(byte),
            Self::Dotted => is_word(byte) || byte == b'.',
            Self::Base64 => byte.is_ascii_alphanumeric() || b"+/=".contains(&byte),
        }
    }
}

struct Rule {
    id: &'static str,
    what: &'static str,
    level: Level,
    prefix: &'static str,
    class: Class,
    min: usize,
    max: usize,
}

const fn r(
    id: &'static str,
    what: &'static str,
    level: Level,
    prefix: &'static str,
    class: Class,
    min: usize,
    max: usize,
) -> Rule {
    Rule { id, what, level, prefix, class, min, max }
}

use Class::{Alnum, Base32, Base64, Dotted, Hex, Word};
use Level::{Critical, Error, Warning};

/// By prefix; a longer prefix stands before a shorter one that it begins with.
#[rustfmt::skip]
const RULES: &[Rule] = &[
    r("github-token", "a GitHub token", Critical, "ghp_", Alnum, 36, 36),
    r("github-token", "a GitHub token", Critical, "gho_", Alnum, 36, 36),
    r("github-token", "a GitHub token", Critical, "ghu_", Alnum, 36, 36),
    r("github-token", "a GitHub token", Critical, "ghs_", Alnum, 36, 36),
    r("github-token", "a GitHub token", Critical, "ghr_", Alnum, 36, 76),
    r("github-token", "a GitHub token", Critical, "github_pat_", Word, 82, 82),
    r("gitlab-token", "a GitLab token", Critical, "glpat-", Dotted, 20, 80),
    r("gitlab-token", "a GitLab token", Critical, "gldt-", Word, 20, 64),
    r("gitlab-token", "a GitLab token", Critical, "glrt-", Word, 20, 64),
    r("gitlab-token", "a GitLab token", Critical, "glptt-", Alnum, 40, 40),
    r("gitlab-token", "a GitLab token", Critical, "glagent-", Word, 50, 64),
    r("gitlab-token", "a GitLab token", Critical, "glsoat-", Word, 20, 64),
    r("aws-key-id", "an AWS access key id", Error, "AKIA", Base32, 16, 16),
    r("aws-key-id", "an AWS access key id", Error, "ASIA", Base32, 16, 16),
    r("google-key", "a Google API key", Critical, "AIza", Word, 35, 35),
    r("google-secret", "a Google OAuth secret", Critical, "GOCSPX-", Word, 28, 28),
    r("slack-token", "a Slack token", Critical, "xoxb-", Word, 40, 120),
    r("slack-token", "a Slack token", Critical, "xoxp-", Word, 40, 120),
    r("slack-token", "a Slack token", Critical, "xoxa-", Word, 40, 120),
    r("slack-token", "a Slack token", Critical, "xoxs-", Word, 40, 120),
    r("slack-token", "a Slack token", Critical, "xapp-1-", Word, 60, 140),
    r("stripe-key", "a Stripe key", Critical, "sk_live_", Alnum, 24, 120),
    r("stripe-key", "a Stripe key", Critical, "rk_live_", Alnum, 24, 120),
    r("stripe-test-key", "a Stripe key for tests", Warning, "sk_test_", Alnum, 24, 120),
    r("stripe-webhook", "a Stripe webhook secret", Error, "whsec_", Base64, 32, 64),
    r("anthropic-key", "an Anthropic key", Critical, "sk-ant-", Word, 80, 120),
    r("openai-key", "an OpenAI key", Critical, "sk-proj-", Word, 40, 200),
    r("openai-key", "an OpenAI key", Critical, "sk-svcacct-", Word, 40, 200),
    r("openai-key", "an OpenAI key", Critical, "sk-admin-", Word, 40, 200),
    r("openrouter-key", "an OpenRouter key", Critical, "sk-or-v1-", Hex, 64, 64),
    r("sk-key", "a key of a model provider", Critical, "sk-", Alnum, 32, 64),
    r("elevenlabs-key", "an ElevenLabs key", Critical, "sk_", Hex, 48, 48),
    r("groq-key", "a Groq key", Critical, "gsk_", Alnum, 52, 52),
    r("xai-key", "an xAI key", Critical, "xai-", Alnum, 80, 80),
    r("perplexity-key", "a Perplexity key", Critical, "pplx-", Alnum, 40, 64),
    r("replicate-token", "a Replicate token", Critical, "r8_", Alnum, 37, 37),
    r("huggingface-token", "a Hugging Face token", Critical, "hf_", Alnum, 34, 34),
    r("nvidia-key", "an NVIDIA key", Critical, "nvapi-", Word, 60, 70),
    r("tavily-key", "a Tavily key", Critical, "tvly-", Word, 30, 64),
    r("langsmith-key", "a LangSmith key", Critical, "lsv2_", Word, 40, 64),
    r("npm-token", "an npm token", Critical, "npm_", Alnum, 36, 36),
    r("pypi-token", "a PyPI token", Critical, "pypi-AgE", Word, 60, 400),
    r("crates-token", "a Rust registry token", Critical, "cio", Alnum, 32, 32),
    r("rubygems-key", "a RubyGems key", Critical, "rubygems_", Hex, 48, 48),
    r("docker-token", "a Docker token", Critical, "dckr_pat_", Word, 27, 27),
    r("digitalocean-token", "a DigitalOcean token", Critical, "dop_v1_", Hex, 64, 64),
    r("digitalocean-token", "a DigitalOcean token", Critical, "doo_v1_", Hex, 64, 64),
    r("shopify-token", "a Shopify token", Critical, "shpat_", Hex, 32, 32),
    r("shopify-token", "a Shopify token", Critical, "shpss_", Hex, 32, 32),
    r("mailgun-key", "a Mailgun key", Error, "key-", Hex, 32, 32),
    r("square-token", "a Square token", Critical, "sq0csp-", Word, 43, 43),
    r("square-token", "a Square token", Critical, "sq0atp-", Word, 22, 22),
    r("linear-key", "a Linear key", Critical, "lin_api_", Alnum, 40, 40),
    r("notion-token", "a Notion token", Critical, "ntn_", Alnum, 46, 46),
    r("notion-token", "a Notion token", Critical, "secret_", Alnum, 43, 43),
    r("figma-token", "a Figma token", Critical, "figd_", Word, 40, 40),
    r("atlassian-token", "an Atlassian token", Critical, "ATATT3x", Word, 150, 250),
    r("databricks-token", "a Databricks token", Critical, "dapi", Hex, 32, 32),
    r("grafana-token", "a Grafana token", Critical, "glsa_", Word, 41, 41),
    r("grafana-token", "a Grafana token", Critical, "glc_", Base64, 40, 400),
    r("postman-key", "a Postman key", Critical, "PMAK-", Word, 59, 59),
    r("pulumi-token", "a Pulumi token", Critical, "pul-", Hex, 40, 40),
    r("sentry-token", "a Sentry token", Critical, "sntryu_", Hex, 64, 64),
    r("supabase-token", "a Supabase token", Critical, "sbp_", Hex, 40, 40),
    r("tailscale-key", "a Tailscale key", Critical, "tskey-", Word, 24, 80),
    r("age-key", "an age identity", Critical, "AGE-SECRET-KEY-1", Alnum, 58, 58),
    r("newrelic-key", "a New Relic key", Critical, "NRAK-", Alnum, 27, 27),
    r("netlify-token", "a Netlify token", Critical, "nfp_", Alnum, 36, 36),
    r("alibaba-key-id", "an Alibaba Cloud key id", Error, "LTAI", Alnum, 20, 24),
    r("twilio-key", "a Twilio key", Error, "SK", Hex, 32, 32),
    r("airtable-token", "an Airtable token", Critical, "pat", Dotted, 79, 79),
    r("buildkite-token", "a Buildkite token", Critical, "bkua_", Hex, 40, 40),
    r("sonarqube-token", "a SonarQube token", Critical, "squ_", Hex, 40, 40),
    r("sonarqube-token", "a SonarQube token", Critical, "sqp_", Hex, 40, 40),
    r("adafruit-key", "an Adafruit IO key", Critical, "aio_", Alnum, 28, 28),
];

/// Those whose prefix ends with a point, which no run of word characters goes over.
#[rustfmt::skip]
const POINTED: &[Rule] = &[
    r("sendgrid-key", "a SendGrid key", Critical, "SG.", Dotted, 66, 66),
    r("vault-token", "a HashiCorp Vault token", Critical, "hvs.", Word, 90, 120),
    r("google-token", "a Google OAuth token", Critical, "ya29.", Word, 60, 400),
    r("doppler-token", "a Doppler token", Critical, "dp.pt.", Alnum, 40, 44),
    r("dynatrace-token", "a Dynatrace token", Critical, "dt0c01.", Dotted, 89, 89),
];

/// Which bytes a prefix begins with.
const FIRST: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < RULES.len() {
        table[RULES[at].prefix.as_bytes()[0] as usize] = true;
        at += 1;
    }
    table
};

/// Looks whether the run `run` of word characters is, or is part of, a secret that says what it is.
pub(super) fn look(text: &[u8], run: &Range<usize>) -> Option<Hit> {
    let escaped =
        run.start > 0 && text[run.start - 1] == b'\\' && matches!(text[run.start], b'n' | b't' | b'r');
    let start = run.start + usize::from(escaped);
    let here = &text[start..run.end];
    if FIRST[usize::from(*here.first()?)] {
        let mut by_prefix = RULES.iter().filter(|rule| here.starts_with(rule.prefix.as_bytes()));
        if let Some(hit) = by_prefix.find_map(|rule| rule.at(text, start)) {
            return Some(hit);
        }
    }
    match text[start.checked_sub(1)?] {
        b'.' => POINTED.iter().find_map(|rule| {
            let prefix = rule.prefix.as_bytes();
            let begin = start.checked_sub(prefix.len()).filter(|_| text[..start].ends_with(prefix))?;
            let inside = begin > 0 && is_word(text[begin - 1]);
            rule.at(text, begin).filter(|_| !inside)
        }),
        b':' => telegram(text, start, run.end),
        b'/' => slack_hook(text, start, run.end),
        _ => None,
    }
    .or_else(|| jwt(text, start, run.end))
}

impl Rule {
    /// The secret of this rule that begins at `start`, prefix included.
    fn at(&self, text: &[u8], start: usize) -> Option<Hit> {
        let from = start + self.prefix.len();
        let body = text[from..].iter().take(self.max + 1).take_while(|byte| self.class.has(**byte)).count();
        let body = &text[from..from + body];
        // A full stop after it is no part of it.
        let body = if self.class == Dotted { body.strip_suffix(b".").unwrap_or(body) } else { body };
        let end = from + body.len();
        let goes_on = text.get(end).is_some_and(|byte| is_word(*byte));
        if !(self.min..=self.max).contains(&body.len()) || goes_on {
            return None;
        }
        let mix = Mix::of(body);
        let fits = mix.bits >= if self.class == Hex { 2.8 } else { 3.0 };
        // So many letters without a digit are words, except where the alphabet has no digits.
        let words = mix.digits == 0 && body.len() > 20 && self.id != "huggingface-token";
        // `sk-`, `key-`, `SK` and `cio` begin names, too.
        let weak = self.prefix.len() <= 4
            && !mix.is_random()
            && self.id != "huggingface-token"
            && self.class != Base32;
        if !fits || words || weak || is_stand_in(body) {
            return None;
        }
        Some(Hit {
            rule: self.id,
            what: self.what,
            level: self.level,
            at: start..end,
            open: self.prefix.len(),
        })
    }
}

/// A JSON Web Token: two objects in base64 and a signature.
fn jwt(text: &[u8], start: usize, end: usize) -> Option<Hit> {
    if !text[start..end].starts_with(b"eyJ") || text.get(end) != Some(&b'.') {
        return None;
    }
    let word = |from: usize| from + text[from..].iter().take_while(|byte| is_word(**byte)).count();
    let second = word(end + 1);
    if !text[end + 1..second].starts_with(b"eyJ") || text.get(second) != Some(&b'.') {
        return None;
    }
    let third = word(second + 1);
    // The signature decides: one of an example is cut short or says so.
    let signature = &text[second + 1..third];
    if signature.len() < 32 || is_stand_in(signature) || Mix::of(signature).bits < 3.5 {
        return None;
    }
    Some(Hit { rule: "jwt", what: "a JSON Web Token", level: Error, at: start..third, open: 3 })
}

/// A Telegram bot's token: its number, a colon and 35 characters.
fn telegram(text: &[u8], start: usize, end: usize) -> Option<Hit> {
    let body = &text[start..end];
    let digits = text[..start - 1].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let fits =
        body.len() == 35 && body.starts_with(b"AA") && (8..=10).contains(&digits) && !is_stand_in(&body[2..]);
    fits.then(|| {
        let at = start - 1 - digits..end;
        Hit { rule: "telegram-token", what: "a Telegram bot's token", level: Critical, at, open: 0 }
    })
}

/// The address of a Slack webhook, whose last part is its secret.
fn slack_hook(text: &[u8], start: usize, end: usize) -> Option<Hit> {
    let before = &text[start.saturating_sub(60)..start];
    memmem::find(before, b"hooks.slack.com/services/T")?;
    let body = &text[start..end];
    let fits = body.len() == 24 && Mix::of(body).is_random() && !is_stand_in(body);
    fits.then_some(Hit {
        rule: "slack-webhook",
        what: "a Slack webhook",
        level: Critical,
        at: start..end,
        open: 0,
    })
}
