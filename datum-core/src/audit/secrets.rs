//! The probe of secrets: in the files that are audited, and in the history that leads to them.

use super::rule::{SecretKind, Secrets};
use super::scope::{Scope, Verdict, finding};
use crate::files::{LookError, NodeKind, Seen, TEXT_MAX};
use crate::id::EntryId;
use crate::outgoing::Budget;
use crate::secret::{self, Level};

/// Most files that are all looked at; of more, only those that are likely to hold secrets.
const FILES_MAX: usize = 5000;
/// Most likely files looked at where there are too many to look at all.
const LIKELY_MAX: usize = 500;
/// Most of them that are only a little likelier than others.
const MAYBE_MAX: usize = 150;
/// Most bytes looked at.
const BYTES_MAX: u64 = 32 * 1024 * 1024;
/// The history that is looked at without being asked for more.
const HISTORY: Budget = Budget { commits: 500, files: FILES_MAX, bytes: BYTES_MAX };
/// The history that is looked at when more is asked for: all of it.
const DEEP: Budget = Budget { commits: usize::MAX, files: usize::MAX, bytes: u64::MAX };

/// What was found in files, kept for every rule that asks.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    found: Vec<(Level, super::report::Finding)>,
    /// Why it is not the whole truth.
    left: Option<String>,
    broken: Option<String>,
}

impl Looked {
    fn verdict(&self, kinds: &[SecretKind]) -> Verdict {
        let asked = self.found.iter().filter(|(level, _)| kinds.iter().any(|kind| kind.level() == *level));
        let found: Vec<_> = asked.map(|(_, finding)| finding.clone()).collect();
        match (found.is_empty(), &self.broken, &self.left) {
            (false, ..) => Verdict::Fail(found),
            (true, Some(why), _) => Verdict::Broken(why.clone()),
            (true, None, Some(why)) => Verdict::Unknown(why.clone()),
            (true, None, None) => Verdict::pass(),
        }
    }

    fn push(&mut self, path: &str, text: &[u8], found: &secret::Finding) {
        let mut place = finding(format!("{}, {} [{}]", found.what, found.redacted, found.rule), Some(path));
        (place.line, place.column) = (Some(found.line), Some(found.column_in_characters(text)));
        self.found.push((found.level, place));
    }
}

pub(super) fn probe(probe: &Secrets, scope: &Scope<'_>) -> Verdict {
    let files = || scope.secrets.get_or_init(|| in_files(scope));
    if !probe.history {
        return files().verdict(&probe.kinds);
    }
    match scope.past_secrets.get_or_init(|| in_history(scope)) {
        Some(past) => past.verdict(&probe.kinds),
        // What lies open is a fail, however long the history is.
        None => match files().verdict(&probe.kinds) {
            Verdict::Pass(_) | Verdict::Unknown(_) => Verdict::Unknown(
                "the history is too long to be looked at unasked; datum audit --deep looks at all of it"
                    .to_owned(),
            ),
            verdict => verdict,
        },
    }
}

fn in_files(scope: &Scope<'_>) -> Looked {
    let mut looked = Looked::default();
    let mut nodes = Vec::new();
    let counted = scope.files.count();
    let all = *counted.as_ref().unwrap_or(&0);
    let few = scope.deep || all <= FILES_MAX;
    let mut maybe = Vec::new();
    let keep = |seen: &Seen<'_>| {
        if seen.kind != NodeKind::File {
            return;
        }
        if few || (nodes.len() < LIKELY_MAX && is_likely(seen.path, &SURE)) {
            nodes.push(seen.node());
        } else if maybe.len() < MAYBE_MAX && is_likely(seen.path, &MAYBE) {
            maybe.push(seen.node());
        }
    };
    if let Err(error) = counted.and_then(|_| scope.files.each(keep)) {
        looked.broken = Some(error.to_string());
    }
    if !few {
        nodes.extend(maybe);
        looked.left = Some(format!(
            "{} of {all} files were looked at, by their names; datum audit --deep looks at all",
            nodes.len()
        ));
    }
    let (most, mut bytes) =
        if scope.deep { (secret::SIZE_MAX as u64, u64::MAX) } else { (TEXT_MAX, BYTES_MAX) };
    for node in &nodes {
        let text = match scope.files.read_at_most(node, most.min(bytes)) {
            Ok(text) => text,
            Err(error @ LookError::TooLarge { .. }) => {
                let why = if scope.deep {
                    error.to_string()
                } else {
                    format!("{} is too large to be looked at unasked; datum audit --deep does", node.path)
                };
                looked.left.get_or_insert(why);
                continue;
            }
            Err(error) => {
                looked.broken.get_or_insert(error.to_string());
                continue;
            }
        };
        bytes = bytes.saturating_sub(text.len() as u64);
        for found in secret::scan(&node.path, &text) {
            looked.push(&node.path, &text, &found);
        }
    }
    looked
}

/// Beginnings and endings of names.
struct Names {
    starts: &'static [&'static str],
    ends: &'static [&'static str],
    /// Which bytes they begin with: one look spares most names the comparing.
    heads: [[bool; 256]; 2],
}

impl Names {
    const fn new(starts: &'static [&'static str], ends: &'static [&'static str]) -> Self {
        Self { starts, ends, heads: [heads(starts), heads(ends)] }
    }
}

/// The first bytes of words, in both cases.
const fn heads(words: &[&str]) -> [bool; 256] {
    let mut heads = [false; 256];
    let mut at = 0;
    while at < words.len() {
        let head = words[at].as_bytes()[0];
        heads[head.to_ascii_lowercase() as usize] = true;
        heads[head.to_ascii_uppercase() as usize] = true;
        at += 1;
    }
    heads
}

/// Names of files that are there to hold what should not be seen.
static SURE: Names = Names::new(
    &[".env", ".npmrc", ".netrc", ".pypirc", "id_rsa", "id_ed", "secret", "credential", "password", "token"],
    &["env", "pem", "key", "tfvars"],
);
/// Names of files in which it stands by mistake.
static MAYBE: Names = Names::new(
    &["dockerfile", "config"],
    &["toml", "yml", "yaml", "ini", "cfg", "conf", "properties", "sh", "tf"],
);

/// Whether a name is one of these; asked of very many names.
fn is_likely(path: &str, names: &Names) -> bool {
    let after = |byte: u8, text: &[u8]| memchr::memrchr(byte, text).map_or(0, |at| at + 1);
    let name = &path.as_bytes()[after(b'/', path.as_bytes())..];
    let end = &name[after(b'.', name)..];
    let starts_so = |start: &&str| {
        name.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
    };
    let begins =
        |text: &[u8], heads: &[bool; 256]| text.first().is_some_and(|byte| heads[usize::from(*byte)]);
    let [starts, ends] = &names.heads;
    (begins(end, ends) && names.ends.iter().any(|word| end.eq_ignore_ascii_case(word.as_bytes())))
        || (begins(name, starts) && names.starts.iter().any(starts_so))
}

/// `None` where there is more history than is looked at unasked.
fn in_history(scope: &Scope<'_>) -> Option<Looked> {
    let mut looked = Looked::default();
    let Some(head) = scope.survey.snapshot.head() else { return Some(looked) };
    if !scope.deep && scope.files.count().is_ok_and(|files| files > FILES_MAX) {
        return None;
    }
    let budget = if scope.deep { DEEP } else { HISTORY };
    let report = match scope.survey.store.history_secrets(head, budget) {
        Ok(report) => report?,
        Err(error) => {
            looked.broken = Some(error.to_string());
            return Some(looked);
        }
    };
    if !scope.survey.standing.shallow.is_empty() {
        looked.left = Some(super::story::SHALLOW.to_owned());
    }
    looked.left = looked.left.or(report.unread.first().cloned());
    for found in report.found {
        let at = |id: EntryId| id.short(12);
        let place = found.path.as_deref().unwrap_or("its message");
        let what = &found.finding;
        let said = format!(
            "{}, {} [{}], in line {} of {place} at {}",
            what.what,
            what.redacted,
            what.rule,
            what.line,
            at(found.commit)
        );
        looked.found.push((what.level, finding(said, found.path.as_deref())));
    }
    Some(looked)
}
