//! `datum journal`: records work, or lists it.

use crate::args::Format;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::record::{Shown, short};
use crate::time;
use datum_core::{AgentName, Draft, Entry, Hint, Kind, Millis, Word, journal};
use regex::RegexBuilder;
use std::io::{self, Read as _};

/// Records work in the journal, or lists it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum journal REPAIR 'Fixed the bilge pump' --tag pump
  git log -1 --format=%B | datum journal COMMIT -
  datum journal -n 5 --search pump --since '2 days ago'")]
pub(crate) struct Journal {
    /// What sort of work (AUDIT, REPAIR, …)
    category: Option<String>,
    /// What was done; `-` reads it from stdin
    content: Option<String>,
    /// Tag the new entry, or list only entries with the tag (repeatable)
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Record one entry for each line of stdin, all or none
    #[arg(long, requires = "category", conflicts_with = "content")]
    batch: bool,
    /// List at most N entries
    #[arg(short = 'n', value_name = "N", default_value_t = 20)]
    count: usize,
    /// List every entry, however many
    #[arg(long, conflicts_with = "count")]
    all: bool,
    /// List only entries that contain TEXT, letter case aside
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Take the text of --search as a regular expression
    #[arg(long, requires = "search")]
    regex: bool,
    /// List only entries of this category
    #[arg(long = "category", value_name = "CATEGORY", id = "only")]
    only: Option<String>,
    /// List only entries by this agent
    #[arg(long, value_name = "NAME")]
    author_agent: Option<String>,
    /// List only entries since TIME (2026-01-31, '2 days ago', 2h)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// List only entries until TIME
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// List the journal as it was at TIME
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// Exit with 1 when nothing is found
    #[arg(long)]
    exit_code: bool,
}

impl Journal {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        match (&self.category, &self.content, self.batch) {
            (Some(category), Some(content), false) => {
                let text = if content == "-" { read_stdin()? } else { content.clone() };
                let text = if content == "-" { text.strip_suffix('\n').unwrap_or(&text) } else { &text };
                self.record(edge, out, category, &[text])
            }
            (Some(category), _, true) => {
                let text = read_stdin()?;
                let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
                self.record(edge, out, category, &lines)
            }
            (Some(category), None, false) => Err(Fault::usage(format!("nothing to record under {category}"))
                .hint(format!("datum journal {category} 'what was done', or --category {category} to list"))),
            (None, ..) => self.list(edge, out),
        }
    }

    fn record(&self, edge: &Edge<'_>, out: &mut Out, category: &str, texts: &[&str]) -> Result<Exit, Fault> {
        let category = Word::new("category", category)?;
        let tags = words("tag", &self.tag)?;
        let drafts: Vec<Draft> = texts
            .iter()
            .enumerate()
            .map(|(index, text)| {
                journal::draft(&category, text, &tags).map_err(|error| {
                    let mut fault = Fault::from(error);
                    if self.batch {
                        fault.message = format!("stdin, entry {}: {}", index + 1, fault.message);
                    }
                    fault
                })
            })
            .collect::<Result<_, _>>()?;
        let stamp = edge.stamp()?;
        let applied = edge.store()?.note(Kind::Journal, &stamp, &drafts)?;
        crate::record::tell_written(out, &applied, Kind::Journal);
        Ok(Exit::Done)
    }

    fn list(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let now = edge.now()?;
        let query = journal::Query {
            category: self.only.as_deref().map(|text| Word::new("category", text)).transpose()?,
            tags: words("tag", &self.tag)?,
            author: self.author_agent.as_deref().map(AgentName::new).transpose()?,
            since: moment("--since", self.since.as_deref(), now)?,
            until: moment("--until", self.until.as_deref(), now)?,
            limit: (!self.all).then_some(self.count),
        };
        let text = self.search.as_deref();
        let text = text.map(|text| if self.regex { text.to_owned() } else { regex::escape(text) });
        let pattern = text.as_deref().map(|text| RegexBuilder::new(text).case_insensitive(true).build());
        let pattern = pattern.transpose().map_err(|error| {
            Fault::usage(format!("--regex: {error}")).hint("without --regex the text is looked for as it is")
        })?;
        let hint = text.or_else(|| trailer(&query)).as_deref().and_then(hint);
        let hint = hint.as_ref().map(|hint| |bytes: &[u8]| hint.is_match(bytes));
        let mut snapshot = edge.store()?.snapshot()?;
        if let Some(time) = moment("--as-of", self.as_of.as_deref(), now)? {
            snapshot = snapshot.as_of(time);
        }
        let hint = hint.as_ref().map(|hint| hint as Hint<'_>);
        let found = journal::search(&snapshot, &query, hint, |text| {
            pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
        });
        match out.format() {
            Format::Text => found.iter().for_each(|entry| print_text(out, entry)),
            Format::Json | Format::Ndjson => {
                let shown: Vec<_> = found.iter().map(Shown::of).collect();
                out.json_list("entries", &shown);
            }
            Format::Md => found.iter().for_each(|entry| print_markdown(out, entry)),
        }
        if found.is_empty() {
            out.say("no entry found");
        }
        out.damage(&snapshot.damage());
        Ok(if self.exit_code && found.is_empty() { Exit::No } else { Exit::Done })
    }
}

/// A pattern for a trailer that every entry a query takes has.
fn trailer(query: &journal::Query) -> Option<String> {
    let line = |key: &str, value: &str| format!("\n{key}: {}\n", regex::escape(value));
    let tag = query.tags.first().map(|tag| line(journal::TAG, tag.as_str()));
    let category = query.category.as_ref().map(|category| line(journal::CATEGORY, category.as_str()));
    let author = query.author.as_ref().map(|author| line("Agent", author.as_str()));
    // Beyond ASCII, letter case is not the same to a pattern and to the query.
    tag.or(category).or(author).filter(|line| line.is_ascii())
}

/// What finds a pattern in messages, for the entries not to be parsed one by one; none for a pattern that looks at
/// what stands around it, as `^` and `\b` do: there that is another than in an entry's text.
fn hint(pattern: &str) -> Option<regex::bytes::Regex> {
    if !regex_syntax::parse(pattern).ok()?.properties().look_set().is_empty() {
        return None;
    }
    let marks = journal::MARKS.map(regex::escape).join("|");
    regex::bytes::RegexBuilder::new(&format!("(?i:{pattern})|{marks}")).build().ok()
}

fn print_text(out: &mut Out, entry: &Entry) {
    let tags: String = entry.values(journal::TAG).map(|tag| format!(" #{tag}")).collect();
    let category = entry.trailer(journal::CATEGORY).unwrap_or("-");
    let mut lines = entry.text().lines();
    let first = lines.next().unwrap_or_default();
    let line = format!(
        "{} {} {} {category} {first}{}",
        out.id(&short(entry.id)),
        out.dim(&time::show(entry.clock)),
        entry.agent,
        out.dim(&tags)
    );
    out.line(&line);
    for line in lines {
        out.line(&format!("    {line}"));
    }
}

fn print_markdown(out: &mut Out, entry: &Entry) {
    let category = entry.trailer(journal::CATEGORY).unwrap_or("-");
    let tags: Vec<_> = entry.values(journal::TAG).map(|tag| format!("`{tag}`")).collect();
    out.line(&format!("### [{}] {} — {category}\n\n{}\n", time::iso(entry.clock), entry.agent, entry.text()));
    if !tags.is_empty() {
        out.line(&format!("{}\n", tags.join(" ")));
    }
    out.line("---\n");
}

/// Reads all of stdin as text.
pub(crate) fn read_stdin() -> Result<String, Fault> {
    let mut bytes = Vec::new();
    let most = u64::try_from(datum_core::BODY_MAX).unwrap_or(u64::MAX) * 4;
    let read = io::stdin().lock().take(most + 1).read_to_end(&mut bytes);
    read.map_err(|error| Fault::broken(format!("cannot read stdin: {error}")))?;
    if bytes.len() as u64 > most {
        return Err(Fault::usage(format!("stdin holds more than {most} bytes"))
            .hint("keep what is long in a file of the repository, and name it"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Fault::usage(format!("stdin is not UTF-8 at byte {at}"))
            .hint("convert it first, for example with iconv -f latin1 -t utf-8")
    })
}

/// Checks words of a vocabulary.
pub(crate) fn words(what: &'static str, texts: &[String]) -> Result<Vec<Word>, Fault> {
    texts.iter().map(|text| Word::new(what, text).map_err(Fault::from)).collect()
}

/// Parses the time an option names.
pub(crate) fn moment(option: &str, text: Option<&str>, now: Millis) -> Result<Option<Millis>, Fault> {
    text.map(|text| {
        time::parse(text, now).ok_or_else(|| {
            Fault::usage(format!("{option}: {text:?} is no time"))
                .hint("write 2026-01-31, 2026-01-31T12:00:00Z, '2 days ago', 3h or yesterday")
        })
    })
    .transpose()
}
