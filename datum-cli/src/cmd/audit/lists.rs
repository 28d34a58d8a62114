//! `datum audit rules` and `datum audit list`.

use super::look::Looker;
use super::what::What;
use crate::args::Format;
use crate::audit_view::md;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::audit;

pub(super) fn rules(what: &What, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
    let now = edge.now()?;
    let looker = Looker { what, at: None, worktree: false, deep: false, now };
    // Outside a repository the rules are those that are built in.
    let book = match edge.store() {
        Ok(store) => looker.book(store)?,
        Err(_) => looker.built_in()?,
    };
    if out.is_json() {
        let rules: Vec<_> = book
            .rules()
            .map(|rule| {
                serde_json::json!({
                    "id": rule.id(),
                    "level": rule.level(),
                    "reason": rule.reason(),
                    "fix": rule.fix(),
                })
            })
            .collect();
        out.json_list("rules", &rules);
        return Ok(Exit::Done);
    }
    if out.format() == Format::Md {
        out.line("| Rule | Level | Why | Remedy |\n|---|---|---|---|");
    }
    for rule in book.rules() {
        let line = if out.format() == Format::Md {
            let cells = [rule.id(), rule.level().as_str(), rule.reason(), rule.fix()].map(md::cell);
            format!("| {} |", cells.join(" | "))
        } else {
            format!("{:<9}{:<28} {}", rule.level().as_str(), rule.id(), out.dim(rule.reason()))
        };
        out.line(&line);
    }
    Ok(Exit::Done)
}

pub(super) fn list(edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
    let snapshot = edge.store()?.snapshot()?;
    let recorded = audit::recorded(&snapshot, usize::MAX);
    if out.is_json() {
        let audits: Vec<_> = recorded
            .iter()
            .map(|kept| {
                serde_json::json!({
                    "id": kept.id, "time": crate::time::iso(kept.clock), "agent": kept.agent,
                    "audit": kept.report.audit, "commit": kept.report.commit, "counts": kept.report.counts,
                })
            })
            .collect();
        out.json_list("audits", &audits);
    } else {
        for kept in &recorded {
            let line = format!(
                "{} {} {} {}",
                out.id(&crate::record::short(kept.id)),
                out.dim(&crate::time::show(kept.clock)),
                kept.agent,
                kept.subject
            );
            out.line(&line);
        }
        if recorded.is_empty() {
            out.say("no audit is recorded; datum audit --record keeps one");
        }
    }
    out.damage(&snapshot.damage());
    Ok(Exit::Done)
}
