//! `datum git commit`: commits that tell why.

use super::{places, tell, tree};
use crate::cmd::journal::read_stdin;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::i2i::{self, Warning};
use datum_core::worktree::{Scope, TreePath, with_trailer};

/// Commits through `git commit`, so that hooks and signing apply.
///
/// Without FILES and --staged it commits all that has changed, untracked files too, whatever is staged. Refused, it
/// leaves staged what was staged before.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum git commit -m 'pump: new seal' --reasoning 'the old one was brittle' src/pump.c
  datum git commit -m 'report ready' --i2i DELIVERABLE
  datum git commit -m 'all below wiki/' wiki/
  datum git commit -m 'as staged' --staged

Exit: 0 committed, 1 there is nothing to commit, files are not merged yet, or a hook refused.")]
pub(crate) struct Commit {
    /// The message; its first line is the subject
    #[arg(short, long, value_name = "TEXT")]
    message: String,
    /// Why, as a trailer of the message; `-` reads it from stdin
    #[arg(long, value_name = "TEXT")]
    reasoning: Option<String>,
    /// Make the subject an I2I one of this type: TYPE or TYPE:CODE
    #[arg(long, value_name = "TYPE")]
    i2i: Option<String>,
    /// Commit only what is staged
    #[arg(long, conflicts_with = "files")]
    staged: bool,
    /// The files and folders to commit, whatever else is staged [default: all that has changed, untracked files too]
    #[arg(value_name = "FILES")]
    files: Vec<String>,
}

impl Commit {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let message = match &self.i2i {
            Some(kind) => i2i_message(kind, edge.agent()?.as_str(), &self.message)?,
            None => self.message.clone(),
        };
        let reasoning = self
            .reasoning
            .as_deref()
            .map(|text| if text == "-" { read_stdin() } else { Ok(text.to_owned()) });
        commit(edge, out, &message, reasoning.transpose()?.as_deref(), (&self.files, self.staged))
    }
}

pub(super) fn commit(
    edge: &Edge<'_>,
    out: &mut Out,
    message: &str,
    reasoning: Option<&str>,
    (files, staged): (&[String], bool),
) -> Result<Exit, Fault> {
    let text = compose(message, reasoning)?;
    let files = places(edge, files)?;
    let files = files.iter().map(|place| TreePath::new(place)).collect::<Result<Vec<_>, _>>()?;
    let scope = match files.as_slice() {
        [] if staged => Scope::Staged,
        [] => Scope::All,
        files => Scope::Files(files),
    };
    let subject = text.lines().next().unwrap_or_default().to_owned();
    match i2i::parse(&subject) {
        Err(near) => out.warn(&format!("{near}; {}", near.hint())),
        Ok(Some(parsed)) => parsed.warnings().iter().for_each(|warning| {
            out.warn(&warning.to_string());
            if matches!(warning, Warning::UnknownType { .. }) {
                let known: Vec<_> = i2i::TYPES.iter().map(|known| known.name).collect();
                out.say(&format!("hint: known types are {}", known.join(", ")));
            }
        }),
        Ok(None) => {}
    }
    let id = tree(edge)?.commit(&text, scope)?;
    tell(out, id, &subject);
    Ok(Exit::Done)
}

/// Puts message and reasoning together: as a trailer, so that those of the message stay trailers.
pub(super) fn compose(message: &str, reasoning: Option<&str>) -> Result<String, Fault> {
    let message = message.trim();
    if message.is_empty() {
        return Err(Fault::usage("the message is empty").hint("-m 'what changed'"));
    }
    if message.contains('\0') || reasoning.is_some_and(|text| text.contains('\0')) {
        return Err(Fault::usage("the message holds NUL").hint("a message is text"));
    }
    let reasoning = reasoning.map(str::trim).filter(|text| !text.is_empty());
    let message = format!("{message}\n");
    Ok(match reasoning {
        Some(text) => with_trailer(&message, "Reasoning", text)?,
        None => message,
    })
}

/// The message with an I2I subject: `[I2I:TYPE] scope — summary`, the agent being the scope where none is given.
fn i2i_message(kind: &str, agent: &str, message: &str) -> Result<String, Fault> {
    let (subject, rest) = message.trim().split_once('\n').unwrap_or((message.trim(), ""));
    let subject = match i2i::parse(subject) {
        Ok(Some(parts)) => {
            let there =
                parts.code().map_or(parts.kind().to_owned(), |code| format!("{}:{code}", parts.kind()));
            if !there.eq_ignore_ascii_case(kind) {
                return Err(Fault::usage(format!("--i2i {kind}: the message begins with [I2I:{there}]"))
                    .hint("leave out one of the two"));
            }
            subject.split_once(']').map_or(subject, |(_, text)| text.trim_start())
        }
        _ => subject,
    };
    let scoped =
        if subject.contains(" — ") { subject.to_owned() } else { format!("{agent} — {subject}") };
    let subject = format!("[I2I:{kind}] {scoped}");
    match i2i::parse(&subject) {
        Ok(Some(_)) if rest.is_empty() => Ok(subject),
        Ok(Some(_)) => Ok(format!("{subject}\n{rest}")),
        Ok(None) => Err(Fault::usage(format!("--i2i: {kind:?} makes no I2I subject"))
            .hint("one word in capitals: --i2i AUDIT, for one")),
        Err(near) => Err(Fault::usage(format!("--i2i: {near}")).hint(near.hint())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_i2i_subject_has_a_scope() {
        assert_eq!(i2i_message("SIGNAL", "heron", "up").unwrap(), "[I2I:SIGNAL] heron — up");
        assert_eq!(
            i2i_message("TASK:TSK", "heron", "pump — go\n\nx").unwrap(),
            "[I2I:TASK:TSK] pump — go\n\nx"
        );
        let once = "[I2I:STATUS] heron — up\n\nx";
        for said in ["up\n\nx", "heron — up\n\nx", "[I2I:STATUS] up\n\nx", once] {
            assert_eq!(i2i_message("STATUS", "heron", said).unwrap(), once, "{said}");
        }
        assert!(i2i_message("STATUS:STS", "heron", once).is_err());
        assert!(i2i_message("a b", "heron", "x").is_err());
        assert!(i2i_message("", "heron", "x").is_err());
    }
}
