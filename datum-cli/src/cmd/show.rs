//! `datum show`: prints any entry by its id.

use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::record::Shown;
use crate::time;

/// Shows any entry by its id.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum show 3f9a2c
  datum show 3f9a2c --format json")]
pub(crate) struct Show {
    /// The id, or the beginning of it
    id: String,
    /// Print only the text, to the byte
    #[arg(long)]
    text: bool,
}

impl Show {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let snapshot = edge.store()?.snapshot()?;
        let found = snapshot.find(&self.id);
        out.damage(&snapshot.damage());
        let entry = found?;
        if self.text {
            out.raw(entry.text().as_bytes());
            return Ok(Exit::Done);
        }
        if out.is_json() {
            out.json(&serde_json::json!({ "version": 1, "entry": Shown::of(&entry) }));
            return Ok(Exit::Done);
        }
        out.line(&format!("{} {} {}", entry.kind, out.id(&entry.id.to_string()), entry.writer));
        out.line(&format!("Agent:  {}", entry.agent));
        out.line(&format!("Date:   {}", time::show(entry.clock)));
        for (key, value) in &entry.trailers {
            out.line(&format!("{:<7} {value}", format!("{key}:")));
        }
        out.line(&format!("\n    {}", entry.subject));
        if !entry.body.is_empty() {
            out.line("");
            for line in entry.body.lines() {
                out.line(&format!("    {line}"));
            }
        }
        Ok(Exit::Done)
    }
}
