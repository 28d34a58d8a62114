//! Profiles of repositories: what the core tells, with languages, lines and tools.

use crate::cmd::audit::look;
use crate::cmd::capability::age_json;
use crate::cmd::history::millis;
use crate::cmd::tools::manifest::{Entry, MANIFEST, Manifest};
use crate::fault::Fault;
use crate::lines::{Tally, tally};
use crate::time;
use datum_core::profile::{self, Profile};
use datum_core::{Millis, Store};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What a repository is.
pub(crate) struct Whole {
    /// How the reader calls it.
    pub(crate) name: String,
    pub(crate) profile: Profile,
    pub(crate) tally: Tally,
    /// What the manifest of tools lists; or why it cannot be read.
    pub(crate) tools: Result<Vec<Entry>, String>,
}

/// How repositories are profiled.
pub(crate) struct Profiler<'a> {
    pub(crate) at: Option<&'a str>,
    pub(crate) quick: bool,
    pub(crate) now: Millis,
}

impl Profiler<'_> {
    /// Profiles a repository.
    pub(crate) fn of(&self, store: &Store, name: &str) -> Result<Whole, Fault> {
        let snapshot = store.survey(self.at)?.snapshot;
        let tools = match snapshot.file(MANIFEST)? {
            None => Ok(Vec::new()),
            Some(bytes) => Manifest::of_text(&String::from_utf8_lossy(&bytes)).map_err(|fault| fault.message),
        };
        Ok(Whole {
            name: name.to_owned(),
            profile: profile::profile(&snapshot, self.now)?,
            tally: tally(&snapshot, self.quick)?,
            tools,
        })
    }

    /// Profiles a repository that is not ours: isolated, and nothing is written into it.
    pub(crate) fn at_path(&self, path: &Path) -> Result<Whole, Fault> {
        self.of(&look::open(path)?, &path.display().to_string())
    }
}

/// A share, in tenths of a percent.
pub(crate) fn share(part: u64, all: u64) -> String {
    let tenths = u128::from(part) * 1000 / u128::from(all.max(1));
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// A number with its thousands apart: `12,345`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes as people read them.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut tenths = u128::from(count) * 10;
    let mut unit = "bytes";
    for next in UNITS {
        if tenths < 10_240 {
            break;
        }
        (tenths, unit) = (tenths / 1024, next);
    }
    if unit == "bytes" { format!("{count} bytes") } else { format!("{}.{} {unit}", tenths / 10, tenths % 10) }
}

/// `2026-01-31`.
pub(crate) fn day(seconds: i64) -> String {
    time::show(millis(seconds))[..10].to_owned()
}

impl Whole {
    /// Languages, the largest first: by lines, or by bytes where no lines were counted.
    pub(crate) fn languages(&self) -> Vec<(&'static str, crate::lines::Count)> {
        let mut languages: Vec<_> =
            self.tally.languages.iter().map(|(name, count)| (*name, *count)).collect();
        let weight =
            |count: &crate::lines::Count| if self.tally.has_lines { count.lines } else { count.bytes };
        languages.sort_by(|a, b| weight(&b.1).cmp(&weight(&a.1)).then(a.0.cmp(b.0)));
        languages
    }

    /// What a language weighs among all, of the same.
    pub(crate) fn weight(&self, count: &crate::lines::Count) -> (u64, u64) {
        let all = &self.tally.counted;
        if self.tally.has_lines { (count.lines, all.lines) } else { (count.bytes, all.bytes) }
    }

    /// Tools of the manifest.
    pub(crate) fn tool_names(&self) -> BTreeSet<&str> {
        self.tools.iter().flatten().map(|tool| tool.name.as_str()).collect()
    }

    /// The parts of a workshop that are there.
    pub(crate) fn parts(&self) -> BTreeSet<&'static str> {
        self.profile.structure.iter().filter(|(_, there)| *there).map(|(part, _)| *part).collect()
    }

    /// Whether something could not be read.
    pub(crate) fn is_broken(&self) -> bool {
        !self.tally.unread.is_empty()
    }

    pub(crate) fn json(&self) -> Value {
        let Self { profile, tally, .. } = self;
        let past = &profile.past;
        let iso = |seconds: i64| time::iso(millis(seconds));
        let languages: Vec<Value> = self
            .languages()
            .into_iter()
            .map(|(name, count)| {
                let mut value = serde_json::to_value(count).unwrap_or_default();
                if !tally.has_lines {
                    value = json!({ "files": count.files, "bytes": count.bytes });
                }
                value["name"] = name.into();
                value
            })
            .collect();
        let authors: Vec<Value> = past
            .authors
            .iter()
            .map(|author| {
                json!({
                    "name": author.name, "email": author.email, "commits": author.commits,
                    "first": iso(author.first), "last": iso(author.last),
                })
            })
            .collect();
        let structure: BTreeMap<_, _> = profile.structure.iter().copied().collect();
        let mut tools: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        for tool in self.tools.iter().flatten() {
            tools.entry(tool.category).or_default().push(tool);
        }
        let entries: BTreeMap<String, u64> =
            profile.entries.iter().map(|(kind, count)| (kind.to_string(), *count)).collect();
        json!({
            "path": self.name,
            "commit": profile.commit,
            "files": tally.files, "bytes": tally.bytes, "links": tally.links, "submodules": tally.submodules,
            "languages": languages,
            "lines": tally.has_lines.then_some(tally.counted.lines),
            "other_files": tally.other.files, "left_out_files": tally.left_out.files, "binary_files": tally.binary,
            "too_large": tally.too_large.iter().map(|(path, size)| json!({ "path": path, "bytes": size })).collect::<Vec<_>>(),
            "unread": tally.unread.iter().map(|(path, why)| json!({ "path": path, "why": why })).collect::<Vec<_>>(),
            "tools": tools,
            "tools_error": self.tools.as_ref().err(),
            "structure": structure,
            "history": {
                "commits": past.commits, "shallow": past.shallow, "merges": past.merges, "i2i": past.i2i,
                "first": past.first.map(iso), "last": past.last.map(iso), "authors": authors, "months": past.months,
            },
            "bottles": profile.bottles,
            "capability": profile.declared.as_ref().map(|declared| json!({
                "agent": declared.reading.as_ref().map(|reading| &reading.capability.agent),
                "capabilities": declared.reading.as_ref().map(|reading| reading.capability.skills.len()),
                "errors": declared.errors, "warnings": declared.warnings,
                "freshness": age_json(&declared.freshness),
            })),
            "entries": entries,
        })
    }
}

/// What several repositories share, and what each has alone.
pub(crate) struct Compared<'a> {
    pub(crate) shared: Vec<&'a str>,
    /// By repository.
    pub(crate) alone: Vec<Vec<&'a str>>,
}

/// Compares sets: what all have, and what only one has.
pub(crate) fn compare<'a>(sets: &[BTreeSet<&'a str>]) -> Compared<'a> {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    sets.iter().flatten().for_each(|name| *times.entry(name).or_default() += 1);
    let shared = times.iter().filter(|(_, count)| **count == sets.len()).map(|(name, _)| *name).collect();
    let only =
        |set: &BTreeSet<&'a str>| set.iter().filter(|name| times.get(*name) == Some(&1)).copied().collect();
    Compared { shared, alone: sets.iter().map(only).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        assert_eq!(
            [thousands(0), thousands(999), thousands(1000), thousands(1_234_567)],
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [bytes(0), bytes(1023), bytes(1536), bytes(3 << 30)],
            ["0 bytes", "1023 bytes", "1.5 KiB", "3.0 GiB"]
        );
        assert_eq!([share(1, 3), share(0, 0), share(5, 5)], ["33.3 %", "0.0 %", "100.0 %"]);
    }

    #[test]
    fn sets_are_compared() {
        let sets: Vec<BTreeSet<&str>> = [&["a", "b", "c"][..], &["a", "c", "d"], &["a", "e"]]
            .map(|set| set.iter().copied().collect())
            .to_vec();
        let found = compare(&sets);
        assert_eq!(found.shared, ["a"]);
        assert_eq!(found.alone, [vec!["b"], vec!["d"], vec!["e"]]);
    }
}
