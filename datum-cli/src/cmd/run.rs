//! `datum run`: a command within boundaries, with values in its hands and none in its output.

mod hand;
mod relay;

use super::within::Within;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::passing::Passing;
use datum_core::access::{Access, What};
use datum_core::boundary::names_of;
use datum_core::vault::VaultError;
use datum_core::{AgentName, Draft, Kind, Word};
use hand::{Hand, Secret};
use std::process::{Command, Stdio};

/// Runs a command within boundaries, with values in its hands.
///
/// Its environment is cleared: it gets PATH, a HOME and TMPDIR of its own, DATUM_AGENT, and what is asked for.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum run --as oracle1 --secret db/password -- ./deploy.sh           # in DB_PASSWORD
  datum run --as oracle1 --secret db/password=PGPASSWORD -- psql       # in PGPASSWORD
  datum run --as oracle1 --secret tls/private@file -- serve            # TLS_PRIVATE_FILE names a file in memory
  datum run --as oracle1 --secret db/password@fd -- sh -c 'read x <&$DB_PASSWORD_FD'
  datum run --as oracle1 --net api.example.org:443 --env LANG -- ./ask

The workshop is read, and what lies in it is written, but nothing of its git directory. In its root itself no names are
made, renamed or removed: the kernel gives such a right for a folder with all below it, and .git is below it. What is to
be there is made first: --write FILE makes a file, --write FOLDER/ a folder, in which all is possible. What a command prints of a value, or of its base64, hex or URL form, is shown as ***; a command that
hides it otherwise is not stopped. A variable is seen by all processes of the same user, a descriptor or a file is not.

Exit: the command's own code, 128 + N after signal N; 125 the boundary cannot be held, 126 the command cannot be
executed, 127 it cannot be found; 1 a value or an endpoint is not granted.")]
pub(crate) struct Run {
    /// The agent whose grants hold [default: --agent]
    #[arg(long = "as", value_name = "AGENT", id = "as")]
    agent: Option<String>,
    /// A value, in a variable, a descriptor (pipe) or a file in memory (repeatable)
    #[arg(long, value_name = "NAME[=VAR|@fd|@file]")]
    secret: Vec<String>,
    /// Hand on the command's output as it is
    #[arg(long)]
    no_mask: bool,
    /// What for
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
    #[command(flatten)]
    within: Within,
    /// The command
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "CMD")]
    command: Vec<std::ffi::OsString>,
}

impl Run {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let agent = self.agent.as_deref().map(AgentName::new).transpose()?;
        let agent = agent.map_or_else(|| edge.agent(), Ok)?;
        let secrets = hand::parse(&self.secret)?;
        let bounded = self.within.prepare(edge, &agent)?;
        let hands = self.release(edge, &agent, &secrets, &bounded)?;
        let (program, arguments) = self.command.split_first().ok_or_else(|| Fault::usage("no command"))?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(edge.dir());
        let patterns = if self.no_mask { None } else { relay::patterns(&hands, out)? };
        bounded.tell(out, &agent);
        out.flush();
        let given = hand::give(hands, &mut command)?;
        if patterns.is_some() {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
        }
        let passing = Passing::new()?;
        let child = bounded.spawn(&mut command)?;
        let code = relay::until_end(child, given, patterns.as_ref(), &passing)?;
        out.pass(code);
        Ok(Exit::Done)
    }

    /// Opens the values and records that they are released; nothing is released unless all are.
    fn release(
        &self,
        edge: &Edge<'_>,
        agent: &AgentName,
        secrets: &[Secret],
        bounded: &super::within::Bounded,
    ) -> Result<Vec<Hand>, Fault> {
        let mut hands = Vec::new();
        let mut denied: Vec<(Word, VaultError)> = Vec::new();
        if !secrets.is_empty() {
            let (vault, keys) = (super::vault::read(edge)?, edge.keyring().need(agent)?);
            for secret in secrets {
                match vault.open(&secret.name, None, &keys) {
                    Ok(value) => hands.push(Hand { secret: secret.clone(), value }),
                    Err(error) => denied.push((secret.name.clone(), error)),
                }
            }
        }
        let names: Vec<Word> = hands.iter().map(|hand| hand.secret.name.clone()).collect();
        let refused: Vec<Word> = denied.iter().map(|(name, _)| name.clone()).collect();
        let purpose = self.purpose.as_deref();
        let access = Access { what: What::Run, names: &names, denied: &refused, member: None, purpose };
        let program = self.command.first().map(|program| program.to_string_lossy().into_owned());
        let program: String =
            program.unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect();
        let mut draft = access.draft()?.with("Held", &bounded.held.to_string())?;
        if !program.trim().is_empty() {
            draft = draft.with("Program", program.trim())?;
        }
        for missing in bounded.held.missing() {
            draft = draft.with("Not-Held", missing)?;
        }
        record(edge, agent, &draft)?;
        match denied.into_iter().next() {
            None => Ok(hands),
            Some((name, error)) => {
                let mut fault = Fault::from(error);
                fault.message = format!("{name}: {}", fault.message);
                Err(fault)
            }
        }
    }
}

/// Writes an access record in the name of the agent that the command is run as.
fn record(edge: &Edge<'_>, agent: &AgentName, draft: &Draft) -> Result<(), Fault> {
    let stamp = edge.stamp_as(agent.clone())?;
    let written = edge.store()?.note(Kind::Audit, &stamp, std::slice::from_ref(draft));
    written.map(drop).map_err(|error| {
        let mut fault = Fault::from(error);
        fault.message = format!("no access record can be written, so nothing is run: {}", fault.message);
        fault
    })
}

/// Records that an agent was refused a resource that it wanted for a command.
pub(crate) fn record_refusal(edge: &Edge<'_>, agent: &AgentName, resource: &str) -> Result<(), Fault> {
    let denied: Vec<Word> = names_of(resource).into_iter().collect();
    let access = Access { what: What::Run, names: &[], denied: &denied, member: None, purpose: None };
    record(edge, agent, &access.draft()?)
}
