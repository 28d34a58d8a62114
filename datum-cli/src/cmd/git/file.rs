//! `datum git read|write|delete`: files, each with its commit.

use super::{place, tell, tree};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::worktree::{TreePath, WorkError};
use std::io::Read as _;

/// Largest file that is written from stdin, bytes.
const FILE_MAX: u64 = 256 * 1024 * 1024;

fn path(edge: &Edge<'_>, text: &str) -> Result<TreePath, Fault> {
    let place = place(edge, text)?;
    if place.is_empty() || text.ends_with('/') {
        return Err(Fault::usage(format!("{text} names a folder")).hint("name a file in it"));
    }
    Ok(TreePath::new(&place)?)
}

/// Prints a file as it was committed, to the byte.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum git read wiki/pump.md
  datum git read wiki/pump.md --at HEAD~3")]
pub(crate) struct Read {
    /// The file
    path: String,
    /// The commit
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    at: String,
}

impl Read {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        out.raw(&tree(edge)?.read(&path(edge, &self.path)?, &self.at)?);
        Ok(Exit::Done)
    }
}

/// Writes a file from --content or stdin and commits it alone; refused, it is as it was.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum git write wiki/pump.md -m 'wiki: the pump' < pump.md
  datum git write wiki/pump.md --content 'Prime it first.'

Exit: 0 committed, 1 the file has changes that are not committed, is no other than it was, or a hook refused.")]
pub(crate) struct Write {
    /// The file
    path: String,
    /// Its content [default: stdin]
    #[arg(long, value_name = "TEXT")]
    content: Option<String>,
    /// The message [default: write PATH]
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    /// Write over changes that are not committed
    #[arg(long)]
    force: bool,
}

impl Write {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let path = path(edge, &self.path)?;
        let bytes = match &self.content {
            Some(text) => format!("{}\n", text.trim_end_matches('\n')).into_bytes(),
            None => stdin()?,
        };
        let message = self.message.clone().unwrap_or_else(|| format!("write {}", path.as_str()));
        let id = tree(edge)?.write(&path, &bytes, &message, self.force).map_err(|error| {
            let is_kept = matches!(error, WorkError::Uncommitted(_));
            let fault = Fault::from(error);
            if is_kept {
                fault.hint("datum git commit -m TEXT FILE commits them first; --force writes over them")
            } else {
                fault
            }
        })?;
        tell(out, id, &message);
        Ok(Exit::Done)
    }
}

fn stdin() -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(FILE_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| Fault::broken(format!("cannot read stdin: {error}")))?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(Fault::usage(format!("stdin holds more than {FILE_MAX} bytes"))
            .hint("write the file yourself, and git add it"));
    }
    Ok(bytes)
}

/// Deletes a file and commits that alone; it stays in the history.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum git delete wiki/pump.md -m 'wiki: the pump was sold'")]
pub(crate) struct Delete {
    /// The file
    path: String,
    /// The message [default: delete PATH]
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
}

impl Delete {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let path = path(edge, &self.path)?;
        let message = self.message.clone().unwrap_or_else(|| format!("delete {}", path.as_str()));
        let id = tree(edge)?.delete(&path, &message)?;
        tell(out, id, &message);
        Ok(Exit::Done)
    }
}
