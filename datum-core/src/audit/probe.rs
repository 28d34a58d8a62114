//! The probes: what each looks at and how it answers.

use super::report::Finding;
use super::rule::{Absent, Contains, Count, Exists, Keys, Kind, Probe, Size};
use super::scope::{Scope, Verdict, finding};
use super::{facts, license, secrets, story, text};
use crate::files::{LookError, Node, NodeKind};
use crate::glob::Glob;

/// Asks one probe.
pub(crate) fn run(probe: &Probe, scope: &Scope<'_>) -> Verdict {
    let answer = match probe {
        Probe::Exists(probe) => exists(probe, scope),
        Probe::Absent(probe) => absent(probe, scope),
        Probe::Contains(probe) => contains(probe, scope),
        Probe::Lacks(probe) => lacks(probe, scope),
        Probe::Count(probe) => count(probe, scope),
        Probe::Size(probe) => size(probe, scope),
        Probe::Keys(probe) => keys(probe, scope),
        Probe::Branch(probe) => Ok(story::branch(probe, scope)),
        Probe::Tags(probe) => Ok(story::tags(probe, scope)),
        Probe::Subjects(probe) => Ok(story::subjects(probe, scope)),
        Probe::History(probe) => Ok(story::history(probe, scope)),
        Probe::Fresh(probe) => story::fresh(probe, scope),
        Probe::Log(probe) => Ok(facts::log(probe, scope)),
        Probe::Secrets(probe) => Ok(secrets::probe(probe, scope)),
        Probe::License(_) => license::judge(scope),
        Probe::Capability(probe) => facts::capability(probe, scope),
        Probe::Undecided(probe) => Ok(Verdict::Unknown(probe.why.clone())),
        Probe::Marks(_) => Ok(Verdict::Unknown("an exam is judged as a whole".to_owned())),
        Probe::AnyOf(probes) => Ok(any_of(probes, scope)),
        Probe::AllOf(probes) => Ok(all_of(probes, scope)),
    };
    answer.unwrap_or_else(Verdict::from)
}

/// A pass wins, then what is broken, then what is unknown: only when all fail is it a fail.
fn any_of(probes: &[Probe], scope: &Scope<'_>) -> Verdict {
    let mut findings = Vec::new();
    let mut unsure = None;
    for probe in probes {
        match run(probe, scope) {
            Verdict::Pass(note) => return Verdict::Pass(note),
            Verdict::Fail(more) => findings.extend(more),
            verdict if matches!(unsure, Some(Verdict::Broken(_))) => drop(verdict),
            verdict => unsure = Some(verdict),
        }
    }
    unsure.unwrap_or(Verdict::Fail(findings))
}

/// A fail wins, then what is broken, then what is unknown.
fn all_of(probes: &[Probe], scope: &Scope<'_>) -> Verdict {
    let mut findings = Vec::new();
    let mut rest = Verdict::pass();
    for probe in probes {
        match run(probe, scope) {
            Verdict::Fail(more) => findings.extend(more),
            verdict @ Verdict::Broken(_) => rest = verdict,
            verdict @ Verdict::Unknown(_) if !matches!(rest, Verdict::Broken(_)) => rest = verdict,
            _ => {}
        }
    }
    if findings.is_empty() { rest } else { Verdict::Fail(findings) }
}

/// The patterns, as a sentence names them.
pub(crate) fn named(globs: &[Glob]) -> String {
    let names: Vec<&str> = globs.iter().map(Glob::as_str).collect();
    match names.as_slice() {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}

/// Says that something is missing, at the path where it is expected.
fn missing(globs: &[Glob]) -> Finding {
    match globs {
        [one] if one.is_literal() => finding("it is missing", Some(one.as_str())),
        _ => {
            let path = globs.first().filter(|glob| glob.is_literal()).map(Glob::as_str);
            finding(format!("there is no {}", named(globs)), path)
        }
    }
}

fn exists(probe: &Exists, scope: &Scope<'_>) -> Result<Verdict, LookError> {
    let mut other = None;
    for node in scope.find(&probe.any, probe.any_case)? {
        let fits = match probe.kind {
            Some(Kind::File) => node.kind != NodeKind::Folder,
            Some(Kind::Folder) => node.kind == NodeKind::Folder,
            None => true,
        };
        if !fits {
            other.get_or_insert(finding("it is there, but as another kind of thing", Some(&node.path)));
        } else if !probe.filled || is_filled(&node, scope)? {
            return Ok(Verdict::Pass(node.path));
        } else {
            other = Some(finding("it is empty", Some(&node.path)));
        }
    }
    Ok(Verdict::Fail(vec![other.unwrap_or_else(|| missing(&probe.any))]))
}

fn is_filled(node: &Node, scope: &Scope<'_>) -> Result<bool, LookError> {
    match node.kind {
        NodeKind::Folder => {
            let mut filled = false;
            let mut look = |below: &Node| {
                let name = below.path.rsplit('/').next().unwrap_or_default();
                filled = filled || !matches!(name, ".gitkeep" | ".keep" | ".gitignore");
            };
            scope.files.walk(&node.path, |_| true, &mut look)?;
            Ok(filled)
        }
        NodeKind::File => match scope.files.size(node)? {
            0 => Ok(false),
            // Only a short file can be all white space and still be worth reading.
            1..=4096 => Ok(scope.files.read(node)?.iter().any(|byte| !byte.is_ascii_whitespace())),
            _ => Ok(true),
        },
        NodeKind::Link | NodeKind::Submodule => Ok(true),
    }
}

fn absent(probe: &Absent, scope: &Scope<'_>) -> Result<Verdict, LookError> {
    let found = scope.find(&probe.any, false)?;
    let unwanted = found.iter().filter(|node| !probe.except.iter().any(|glob| glob.matches(&node.path)));
    Ok(Verdict::of(unwanted.map(|node| finding("it should not be here", Some(&node.path))).collect()))
}

fn contains(probe: &Contains, scope: &Scope<'_>) -> Result<Verdict, LookError> {
    let regex = match probe.pattern.regex() {
        Ok(regex) => regex,
        Err(error) => return Ok(Verdict::Unknown(error.to_owned())),
    };
    let found = scope.find(&probe.any, probe.any_case)?;
    let mut unread = None;
    let mut looked_in = None;
    for node in found.iter().filter(|node| node.kind != NodeKind::Folder) {
        match scope.files.read(node) {
            Ok(bytes) => {
                if let Some(hit) = regex.find(&String::from_utf8_lossy(&bytes)) {
                    let (line, _) = text::place(&String::from_utf8_lossy(&bytes), hit.start());
                    return Ok(Verdict::Pass(format!("{}:{line}", node.path)));
                }
                looked_in.get_or_insert(node.path.as_str());
            }
            Err(error) => unread = Some(error),
        }
    }
    if let Some(error) = unread {
        return Err(error);
    }
    Ok(match looked_in {
        Some(path) => Verdict::Fail(vec![finding(
            format!("nothing in it matches {:?}", probe.pattern.as_str()),
            Some(path),
        )]),
        None => Verdict::Fail(vec![missing(&probe.any)]),
    })
}

fn lacks(probe: &Contains, scope: &Scope<'_>) -> Result<Verdict, LookError> {
    let regex = match probe.pattern.regex() {
        Ok(regex) => regex,
        Err(error) => return Ok(Verdict::Unknown(error.to_owned())),
    };
    let mut findings = Vec::new();
    let mut unread = None;
    for node in scope.find(&probe.any, probe.any_case)?.iter().filter(|node| node.kind == NodeKind::File) {
        match scope.files.read(node) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                for hit in regex.find_iter(&text).take(20) {
                    let (line, column) = text::place(&text, hit.start());
                    let mut found =
                        finding(format!("it matches {:?}", probe.pattern.as_str()), Some(&node.path));
                    (found.line, found.column) = (Some(line), Some(column));
                    findings.push(found);
                }
            }
            Err(error) => unread = Some(error),
        }
    }
    match unread {
        Some(error) if findings.is_empty() => Err(error),
        _ => Ok(Verdict::of(findings)),
    }
}

fn count(probe: &Count, scope: &Scope<'_>) -> Result<Verdict, LookError> {
    let count = scope.find(&probe.any, false)?.iter().filter(|node| node.kind != NodeKind::Folder).count();
    let names = named(&probe.any);
    Ok(match (probe.min, probe.max) {
        (Some(min), _) if count < min => {
            Verdict::fail(format!("{count} files match {names}, fewer than {min}"))
        }
        (_, Some(max)) if count > max => {
            Verdict::fail(format!("{count} files match {names}, more than {max}"))
        }
        _ => Verdict::Pass(format!("{count} files match {names}")),
    })
}

fn size(probe: &Size, scope: &Scope<'_>) -> Result<Verdict, LookError> {
    let mut findings = Vec::new();
    let mut say = |node: &Node, size: u64| {
        let message = format!("it has {}, more than {}", text::bytes(size), text::bytes(probe.max));
        findings.push(finding(message, Some(&node.path)));
    };
    for glob in &probe.any {
        if glob.as_str() == "**" {
            scope.files.larger(probe.max, scope.deep)?.iter().for_each(|(node, size)| say(node, *size));
            continue;
        }
        for node in scope.files.find(glob, false)?.iter().filter(|node| node.kind == NodeKind::File) {
            let size = scope.files.size(node)?;
            if size > probe.max {
                say(node, size);
            }
        }
    }
    Ok(Verdict::of(findings))
}

fn keys(probe: &Keys, scope: &Scope<'_>) -> Result<Verdict, LookError> {
    let Some(node) =
        scope.files.find(&probe.file, false)?.into_iter().find(|node| node.kind != NodeKind::Folder)
    else {
        return Ok(Verdict::Fail(vec![missing(std::slice::from_ref(&probe.file))]));
    };
    let bytes = scope.files.read(&node)?;
    let document = match text::document(&node.path, &bytes) {
        Ok(document) => document,
        Err(found) => return Ok(Verdict::Fail(vec![found])),
    };
    let wrong = probe.require.iter().filter_map(|(key, want)| {
        let message = text::wrong_key(&document, key, *want)?;
        Some(finding(message, Some(&node.path)))
    });
    Ok(Verdict::of(wrong.collect()))
}
