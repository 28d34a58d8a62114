//! `datum hook pre-push`: what is about to leave is looked at, and held back where it must not.

use super::{level, read_input};
use crate::edge::{self, Edge};
use crate::fault::{Exit, Fault};
use crate::language;
use crate::out::Out;
use datum_core::Store;
use datum_core::audit::{self, Asked, Leaving, Outcome, State};
use datum_core::outgoing::{self, Found, Update};

/// Findings told of one kind.
const SHOWN: usize = 20;

#[derive(Debug, clap::Args)]
pub(super) struct PrePush {
    /// The remote's name
    remote: Option<String>,
    /// The remote's address
    url: Option<String>,
    /// Look at this range (A..B) instead of stdin
    #[arg(long, value_name = "RANGE")]
    range: Option<String>,
    /// Refuse secrets of this level and above: warning, error, critical [default: error]
    #[arg(long, value_name = "LEVEL")]
    fail_on: Option<String>,
    /// Ask audit rules of this level and above: info, warning, error, critical or off [default: critical]
    #[arg(long, value_name = "LEVEL")]
    rules: Option<String>,
}

impl PrePush {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let store = edge.hook_store()?;
        let level = level(self.fail_on.as_deref(), store.setting("datum.prePushLevel").as_deref())?;
        let rules = self.rules.clone().or_else(|| store.setting("datum.prePushRules"));
        let least = rules.as_deref().map(asked).transpose()?;
        let (updates, remote) = self.updates(store)?;
        self.refuse_sealed(store, &updates, &remote)?;
        #[cfg(feature = "vault")]
        let any = updates.iter().any(|update| update.local.is_some());
        #[cfg(feature = "vault")]
        let sought = any.then(|| crate::cmd::vault::sought(edge, out)).flatten();
        #[cfg(feature = "vault")]
        let sent = match &sought {
            Some(sought) => store.outgoing_secrets(&updates, &remote, Some(&|text| sought.find(text)))?,
            None => store.outgoing_secrets(&updates, &remote, None)?,
        };
        #[cfg(not(feature = "vault"))]
        let sent = store.outgoing_secrets(&updates, &remote, None)?;
        for file in &sent.unread {
            out.warn(&format!("not looked at: {file}"));
        }
        let push = Leaving {
            store,
            updates: &updates,
            sent: &sent,
            least,
            now: edge.now()?,
            language: &language::of_path,
        };
        let reports = match audit::leaving(&push) {
            Ok(reports) => reports,
            // Rules that cannot be asked hold nothing back; `datum audit` says the same with an exit code.
            Err(error) => {
                out.warn(&format!("the rules are not asked: {error}"));
                Vec::new()
            }
        };
        let broken: Vec<_> =
            reports.iter().flat_map(|report| &report.rules).filter(|rule| rule.broken).collect();
        for outcome in &broken {
            out.warn(&format!("{}: cannot look: {}", outcome.rule, outcome.note));
        }
        let open: Vec<_> = reports
            .iter()
            .flat_map(audit::Report::findings)
            .filter(|(_, finding)| finding.state == State::Open)
            .collect();
        if out.is_json() {
            let rules: Vec<_> = open
                .iter()
                .map(|(outcome, finding)| {
                    serde_json::json!({ "rule": outcome.rule, "level": outcome.level, "fix": outcome.fix, "finding": finding })
                })
                .collect();
            out.json(&serde_json::json!({
                "version": 1, "commits": sent.commits.len(), "findings": sent.found, "rules": rules,
            }));
        }
        let told = sent.found.iter().filter(|found| found.finding.level >= level);
        let secrets = tell(
            out,
            told.map(|found| {
                let finding = &found.finding;
                format!("{}: {}, {} [{}]", place(found), finding.what, finding.redacted, finding.rule)
            }),
        );
        let rules = tell(
            out,
            open.iter().map(|(outcome, finding)| {
                let path = finding.path.as_ref().map(|path| format!("{path}: ")).unwrap_or_default();
                format!("{path}{} [{}, {}]", finding.message, outcome.rule, outcome.level.as_str())
            }),
        );
        refuse(out, secrets, rules, open.first().map(|(outcome, _)| *outcome))
    }

    /// Refuses the vault's logs and access records to a remote that is not marked for them.
    fn refuse_sealed(&self, store: &Store, updates: &[Update], remote: &str) -> Result<(), Fault> {
        if store.takes_sealed(remote) || self.url.as_deref().is_some_and(|url| store.takes_sealed(url)) {
            return Ok(());
        }
        let Some((id, kind)) = store.outgoing_sealed(updates, remote)?.into_iter().next() else {
            return Ok(());
        };
        let at = crate::record::short(id);
        let mut fault = Fault::usage(format!("the push is refused: it carries a log of kind {kind} ({at})"))
            .hint(format!(
                "datum vault share {remote} marks the remote for the vault and its access records"
            ));
        fault.exit = Exit::No;
        Err(fault)
    }

    /// What is pushed, and where to: from the option, from git's lines, or from what pre-commit and prek tell instead.
    fn updates(&self, store: &Store) -> Result<(Vec<Update>, String), Fault> {
        let remote = self.remote.clone().or_else(|| self.url.clone());
        let remote = remote.or_else(|| edge::variable("PRE_COMMIT_REMOTE_NAME")).unwrap_or_default();
        if let Some(range) = &self.range {
            return Ok((vec![store.update_of(range)?], remote));
        }
        let mut updates = outgoing::parse(&read_input()?)?;
        // A push of a whole history, down to its root, has no range: pre-commit names only the branch then.
        let pushed =
            edge::variable("PRE_COMMIT_TO_REF").or_else(|| edge::variable("PRE_COMMIT_LOCAL_BRANCH"));
        if updates.is_empty()
            && let Some(to) = pushed
        {
            let from =
                edge::variable("PRE_COMMIT_FROM_REF").filter(|id| id.bytes().any(|digit| digit != b'0'));
            let range = from.map_or(to.clone(), |from| format!("{from}..{to}"));
            updates.push(store.update_of(&range)?);
        }
        Ok((updates, remote))
    }
}

/// Ends the push, unless there is nothing to end it for or the user lets it pass.
fn refuse(out: &Out, secrets: usize, rules: usize, first: Option<&Outcome>) -> Result<Exit, Fault> {
    let held = |count: usize, variable: &str| {
        let allowed = edge::variable(variable).is_some();
        if count > 0 && allowed {
            out.warn(&format!("{variable} is set: the push goes on"));
        }
        count > 0 && !allowed
    };
    let (secret, rule) = (held(secrets, "DATUM_ALLOW_SECRETS"), held(rules, "DATUM_ALLOW_FINDINGS"));
    let some = |count: usize, one: &str, more: &str| {
        if count == 1 { one.to_owned() } else { format!("{count} {more}") }
    };
    let mut what = Vec::new();
    let mut hints = Vec::new();
    if secret {
        what.push(some(secrets, "a secret", "secrets"));
        hints.push(
            "take it out of these commits (git commit --amend, git rebase -i) and replace it where it is used; a line \
             meant to hold it says datum:allow-secret; DATUM_ALLOW_SECRETS=1 or --no-verify pushes all the same"
                .to_owned(),
        );
    }
    if rule {
        what.push(some(rules, "a finding of the audit", "findings of the audit"));
        let fix = first.map(|outcome| outcome.fix.as_str()).filter(|fix| !fix.is_empty());
        hints.push(format!(
            "{}; [[audit.suppress]] in datum.toml accepts a finding for a time; DATUM_ALLOW_FINDINGS=1 or \
             --no-verify pushes all the same",
            fix.unwrap_or("mend it in these commits")
        ));
    }
    if what.is_empty() {
        return Ok(Exit::Done);
    }
    let mut fault = Fault::usage(format!("the push is refused: it carries {}", what.join(" and ")))
        .hint(hints.join("\nhint: "));
    fault.exit = Exit::No;
    Err(fault)
}

/// The rules that are asked, by their level.
fn asked(text: &str) -> Result<Asked, Fault> {
    let level = audit::Level::ALL.into_iter().find(|level| level.as_str() == text);
    match (text, level) {
        ("off", _) => Ok(Asked::Off),
        (_, Some(level)) => Ok(Asked::From(level)),
        _ => {
            Err(Fault::usage(format!("{text:?} is no level"))
                .hint("write info, warning, error, critical or off"))
        }
    }
}

fn place(found: &Found) -> String {
    let at = crate::record::short(found.commit);
    let path = found.path.as_deref().unwrap_or("its message");
    format!("{path}:{}:{} in {at}", found.finding.line, found.finding.column)
}

/// Tells some of the lines, and answers with the number of all.
fn tell(out: &Out, lines: impl Iterator<Item = String>) -> usize {
    let mut count = 0;
    for line in lines {
        count += 1;
        if count <= SHOWN {
            out.warn(&line);
        }
    }
    if count > SHOWN {
        out.warn(&format!("and {} more", count - SHOWN));
    }
    count
}

impl From<outgoing::Error> for Fault {
    fn from(error: outgoing::Error) -> Self {
        let message = error.to_string();
        match error {
            outgoing::Error::Line { .. } | outgoing::Error::Revision(_) => Self::usage(message),
            outgoing::Error::Walk(_) | outgoing::Error::Object(_) => {
                Self::broken(message).hint("git fsck looks for damage; git push --no-verify passes the check")
            }
        }
    }
}
