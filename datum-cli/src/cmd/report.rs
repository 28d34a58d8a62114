//! `datum report`: a workshop, a fleet of clones, or conformance, as Markdown or as one page of HTML.

mod conformance;
mod fleet;
mod parts;
mod workshop;

use crate::args::Asked;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::page::Page;
use clap::Subcommand;
use serde_json::Value;
use std::path::PathBuf;

/// Reports on a workshop, a fleet of clones, or how far a vessel conforms.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum report workshop
  datum report workshop --format html --output report.html
  datum report fleet --root ~/fleet --format html > fleet.html
  datum report conformance --at v1.0 --format json

The HTML is one file that needs nothing else: charts are inline SVG, and it follows the reader's light or dark. What an
organisation's repositories look like at GitHub is datum fleet report.")]
pub(crate) struct Report {
    #[command(subcommand)]
    command: Sub,
}

#[derive(Debug, Subcommand)]
enum Sub {
    /// Report on a workshop: profile, work, bottles, capabilities, audit
    Workshop(workshop::Workshop),
    /// Report on the clones below a folder: what they are, share and lack
    Fleet(fleet::Fleet),
    /// Report on how far a vessel keeps every standard, rule by rule
    Conformance(conformance::Conformance),
}

/// Options of every report.
#[derive(Debug, clap::Args)]
struct Common {
    /// Write to FILE instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Report {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        if !matches!(edge.asked(), Asked::Text | Asked::Md | Asked::Html | Asked::Json) {
            return Err(Fault::usage(format!("a report is not printed as {}", edge.asked().name()))
                .hint("--format is md, html or json"));
        }
        match &self.command {
            Sub::Workshop(command) => command.run(edge, out),
            Sub::Fleet(command) => command.run(edge, out),
            Sub::Conformance(command) => command.run(edge, out),
        }
    }
}

impl Common {
    /// Prints a report in the format that was asked for.
    fn tell(&self, edge: &Edge<'_>, out: &mut Out, page: &Page, json: &Value) -> Result<(), Fault> {
        let text = match edge.asked() {
            Asked::Html => page.html(),
            Asked::Json => format!("{json}\n"),
            _ => page.markdown(),
        };
        match &self.output {
            None => out.raw(text.as_bytes()),
            Some(path) => {
                let place = edge.dir().join(path);
                std::fs::write(&place, &text)
                    .map_err(|error| Fault::broken(format!("cannot write {}: {error}", path.display())))?;
                out.say(&format!("wrote {}", path.display()));
            }
        }
        Ok(())
    }
}
