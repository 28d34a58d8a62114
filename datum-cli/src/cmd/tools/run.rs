//! Running a program of the workshop: where it lies is checked, what it says streams, and the journal records it.

use crate::cmd::within::Bounded;
use crate::edge::Edge;
use crate::escape;
use crate::fault::Fault;
use crate::out::Out;
use crate::passing::Passing;
use datum_core::{Draft, Kind, Word, journal};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Instant;

/// The interpreter for a file's ending or a language's name.
pub(crate) const LANGUAGES: [(&str, &str); 12] = [
    ("py", "python3"),
    ("python", "python3"),
    ("sh", "sh"),
    ("bash", "bash"),
    ("shell", "sh"),
    ("js", "node"),
    ("javascript", "node"),
    ("mjs", "node"),
    ("ts", "node"),
    ("rb", "ruby"),
    ("pl", "perl"),
    ("lua", "lua"),
];

/// The program at `path` of the workshop: inside it, also when links are followed.
pub(crate) fn locate(root: &Path, name: &str, path: &str) -> Result<PathBuf, Fault> {
    let outside = |why: &str| {
        Fault::usage(format!("{name}: {path:?} {why}"))
            .hint("a tool is a file of the workshop; datum tools list shows paths")
    };
    let inside = datum_core::worktree::TreePath::new(path).map_err(|error| {
        outside(&match error {
            datum_core::worktree::WorkError::Path { why, .. } => why.to_owned(),
            other => other.to_string(),
        })
    })?;
    let whole = root.canonicalize().map_err(|error| Fault::broken(format!("{}: {error}", root.display())))?;
    let file = whole
        .join(inside.as_str())
        .canonicalize()
        .map_err(|error| outside(&format!("cannot be found: {error}")))?;
    if !file.starts_with(&whole) {
        return Err(outside("is a link that leads out of the workshop"));
    }
    if file.is_file() { Ok(file) } else { Err(outside("is no file")) }
}

/// The command that runs `file`: itself where it may be executed, else by the interpreter of its language.
pub(crate) fn command(file: &Path, language: &str) -> Result<Command, Fault> {
    if is_executable(file) {
        return Ok(Command::new(file));
    }
    let end = file.extension().and_then(|end| end.to_str()).unwrap_or_default();
    let known =
        |name: &str| LANGUAGES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, by)| *by);
    let by = known(language).or_else(|| known(end)).ok_or_else(|| {
        Fault::usage(format!("{} cannot be executed, and nothing is known that runs it", file.display()))
            .hint("chmod +x, or datum tools add --language")
    })?;
    let mut command = Command::new(by);
    command.arg(file);
    Ok(command)
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|meta| meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.extension().is_some_and(|end| end.eq_ignore_ascii_case("exe"))
}

/// Asks the keeper whether the agent may touch `file`; a refusal stands in the journal.
#[cfg(feature = "vault")]
pub(crate) fn pass(edge: &Edge<'_>, what: &str, file: &Path) -> Result<(), Fault> {
    let refuse = |fault| record(edge, &format!("{what}: refused by the keeper")).and(Err(fault));
    crate::cmd::keeper::guard(edge, &format!("file:{}", file.display())).or_else(refuse)
}

/// There is no keeper in this build.
#[cfg(not(feature = "vault"))]
#[expect(clippy::unnecessary_wraps, reason = "with a keeper it can refuse")]
pub(crate) fn pass(_: &Edge<'_>, _: &str, _: &Path) -> Result<(), Fault> {
    Ok(())
}

/// Runs `command` in `root`, its start and its end recorded in the journal; its streams are ours.
///
/// The start is recorded first: a run whose end nobody could record is known by having none. A signal that is meant for
/// this program goes to the command, and its end is recorded as any other.
pub(crate) fn recorded(
    edge: &Edge<'_>,
    out: &mut Out,
    root: &Path,
    what: &str,
    mut command: Command,
    (bounded, passing): (Option<&Bounded>, &Passing),
) -> Result<ExitStatus, Fault> {
    out.flush();
    record(edge, &format!("{what}: started"))?;
    let start = Instant::now();
    command.current_dir(root).env("DATUM_TOOL", what);
    let child = match bounded {
        None => command.spawn().map_err(|error| Fault::broken(error.to_string())),
        Some(bounded) => bounded.spawn(&mut command),
    };
    let status = child.map(|mut child| passing.wait(&mut child)).map_err(|fault| {
        let (why, hint) = interpreter(&command).unwrap_or((fault.message, fault.hint));
        Fault { hint, ..Fault::broken(format!("{what}: could not be started: {why}")) }
    });
    let status = status.and_then(|waited| {
        waited.map_err(|error| Fault::broken(format!("{what}: its end was lost: {error}")))
    });
    match &status {
        Err(fault) => record(edge, &fault.message)?,
        Ok(status) => {
            let millis = start.elapsed().as_millis();
            let took = format!("{}.{:03}", millis / 1000, millis % 1000);
            let (says, key, number) = match (status.code(), signal(*status)) {
                (Some(code), _) => (format!("ended with {code}"), "Exit", code),
                (None, signal) => (format!("was killed by signal {signal}"), "Signal", signal),
            };
            let draft = entry(&format!("{what}: {says} after {took} s"))?
                .with(key, &number.to_string())?
                .with("Duration-Ms", &millis.to_string())?;
            note(edge, draft)?;
        }
    }
    status
}

/// The signal that ended a command; 0 where there are none.
#[cfg(unix)]
pub(crate) fn signal(status: ExitStatus) -> i32 {
    std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(0)
}

/// The signal that ended a command; 0 where there are none.
#[cfg(not(unix))]
pub(crate) fn signal(_: ExitStatus) -> i32 {
    0
}

/// What is the matter where a script is there and cannot be started, and what to do: what its first line names is not
/// there, and the system then says that the script is not.
fn interpreter(command: &Command) -> Option<(String, Option<String>)> {
    let script = Path::new(command.get_program());
    let mut first = Vec::new();
    crate::regular::open(script).ok()?.take(256).read_to_end(&mut first).ok()?;
    let line = String::from_utf8_lossy(first.strip_prefix(b"#!")?).lines().next()?.trim().to_owned();
    let by = line.split_whitespace().next().filter(|by| !Path::new(by).exists())?;
    let hint = format!("install it, or change the first line of {}", script.display());
    Some((format!("its interpreter {} is not there", escape::line(by)), Some(hint)))
}

fn entry(text: &str) -> Result<Draft, Fault> {
    Ok(journal::draft(&Word::new("category", "TOOL")?, text, &[])?)
}

fn record(edge: &Edge<'_>, text: &str) -> Result<(), Fault> {
    note(edge, entry(text)?)
}

fn note(edge: &Edge<'_>, draft: Draft) -> Result<(), Fault> {
    edge.store()?.note(Kind::Journal, &edge.stamp()?, &[draft])?;
    Ok(())
}
