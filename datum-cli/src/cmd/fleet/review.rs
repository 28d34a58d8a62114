//! Plan, review, apply: how a change of many repositories is made.

use super::apply::carry_out;
use super::filter::Choice;
use super::reach::Reach;
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::record::short;
use datum_core::hygiene::{self, Action, Ended, Outcome, Plan, Scan, check_topic};
use datum_core::{EntryId, Kind, Snapshot};
use std::path::{Path, PathBuf};

/// The file that a plan of licences adds.
pub(super) const LICENSE: &str = "LICENSE";

/// What to do with the plan.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Plan and apply")]
pub(crate) struct Review {
    /// Carry the plan out: the one just made, the one --plan names, or the newest
    #[arg(long)]
    apply: bool,
    /// Only make the plan; this is the default
    #[arg(long, conflicts_with = "apply")]
    dry_run: bool,
    /// The plan: the file to write it to, or with --apply the file or id to read it from
    #[arg(long, value_name = "FILE|ID")]
    plan: Option<String>,
    /// Retry only what went wrong
    #[arg(long, requires = "apply")]
    failed: bool,
}

/// The newest scan that fits the choice, with only the repositories chosen.
pub(super) fn newest(edge: &Edge<'_>, out: &Out, org: &str, choice: &Choice) -> Result<Scan, Fault> {
    let filter = choice.filter(edge.now()?)?;
    let snapshot = edge.store()?.snapshot()?;
    let past = hygiene::scans(&snapshot, org, usize::MAX);
    let fits = |words: &str| past.iter().find(|past| past.filter() == words);
    let found = fits(&filter.words).or_else(|| fits("")).or_else(|| past.first());
    let mut scan = found.and_then(|past| past.read(&snapshot)).ok_or_else(|| {
        Fault::usage(format!("there is no scan of {org} to plan by"))
            .hint(format!("datum fleet scan --org {org} makes one"))
    })?;
    if !scan.is_complete() {
        let unknown = scan.not_known();
        out.warn(&format!(
            "{unknown} repositories are unknown and not in the plan; datum fleet scan asks again"
        ));
    }
    scan.repositories.retain(|repository| filter.takes(repository));
    Ok(scan)
}

impl Review {
    /// Whether a plan made before may be meant.
    pub(super) fn continues(&self) -> bool {
        self.apply
    }

    /// Records the plan for review, or carries it out.
    pub(super) fn run(
        &self,
        edge: &Edge<'_>,
        out: &mut Out,
        reach: &Reach,
        org: &str,
        action: Action,
        made: Option<Plan>,
    ) -> Result<Exit, Fault> {
        let made = match (&self.plan, made) {
            (Some(_), Some(_)) if self.apply => {
                return Err(Fault::usage("--plan with --apply names the whole plan")
                    .hint("leave out what makes another plan, or leave out --plan"));
            }
            (Some(named), None) => Some(self.named(edge, named, org, action)?),
            (_, made) => made.map(|plan| (None, plan)),
        };
        let snapshot = edge.store()?.snapshot()?;
        let latest = hygiene::latest_plan(&snapshot, org, action);
        let (id, plan) = match (made, latest) {
            (Some((Some(id), plan)), _) => (id, plan),
            // The same plan again is that plan: what was done of it counts.
            (Some((None, plan)), Some((id, same))) if same == plan => (id, plan),
            (Some((None, plan)), _) if plan.changes.is_empty() => return Ok(nothing(out, &plan)),
            (Some((None, plan)), _) => (record(edge, &plan)?, plan),
            (None, Some(found)) => found,
            (None, None) => {
                return Err(Fault::usage(format!("there is no plan to {} {org}", action.as_str()))
                    .hint("the same command without --apply makes one"));
            }
        };
        if self.apply { self.apply(edge, out, reach, id, &plan) } else { self.show(edge, out, id, &plan) }
    }

    /// The plan that `--plan` names: a file, or an entry by its id.
    fn named(
        &self,
        edge: &Edge<'_>,
        named: &str,
        org: &str,
        action: Action,
    ) -> Result<(Option<EntryId>, Plan), Fault> {
        let (id, plan) = if Path::new(named).exists() {
            let cannot = |why: String| Fault::usage(format!("--plan: {named}: {why}"));
            let text = std::fs::read_to_string(named).map_err(|error| cannot(error.to_string()))?;
            (None, serde_json::from_str::<Plan>(&text).map_err(|error| cannot(error.to_string()))?)
        } else {
            let snapshot = edge.store()?.snapshot()?;
            let entry = snapshot.find(named)?;
            let plan = hygiene::find_plan(&snapshot, &entry)
                .ok_or_else(|| Fault::usage(format!("--plan: the entry {named} is no plan")))?;
            (Some(entry.id), plan)
        };
        if plan.version != 1 || plan.action != action || !plan.organization.eq_ignore_ascii_case(org) {
            let (action, is) = (action.as_str(), plan.action.as_str());
            return Err(Fault::usage(format!(
                "--plan: {named} is a plan to {is} {}, not to {action} {org}",
                plan.organization
            )));
        }
        let mut topics = plan.changes.iter().flat_map(|change| &change.topics);
        topics
            .try_for_each(|topic| check_topic(topic))
            .map_err(|error| Fault::usage(format!("--plan: {named}: {error}")))?;
        if plan.file.as_ref().is_some_and(|file| file.path != LICENSE)
            || (action == Action::License) != plan.file.is_some()
        {
            return Err(Fault::usage(format!(
                "--plan: {named}: a plan of licences adds one file, {LICENSE}"
            )));
        }
        Ok((id, plan))
    }

    fn show(&self, edge: &Edge<'_>, out: &mut Out, id: EntryId, plan: &Plan) -> Result<Exit, Fault> {
        let path = match &self.plan {
            Some(path) => PathBuf::from(path),
            None => edge.store()?.common_dir().join("datum/plans").join(format!("{}.json", short(id))),
        };
        let text = serde_json::to_string_pretty(plan).unwrap_or_default() + "\n";
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        folder.and_then(|()| std::fs::write(&path, text)).map_err(|error| {
            Fault::broken(format!("cannot write the plan to {}: {error}", path.display()))
        })?;
        if out.is_json() {
            out.json(&serde_json::json!({
                "version": 1, "entry": id.to_string(), "file": path, "applied": false, "plan": plan,
            }));
        } else {
            for change in &plan.changes {
                let what = match &plan.file {
                    Some(file) => format!("+{} ({})", file.path, file.spdx),
                    None => {
                        change.topics.iter().map(|topic| format!("+{topic}")).collect::<Vec<_>>().join(" ")
                    }
                };
                out.line(&format!("{} {what}", change.name));
            }
            refusals(out, plan);
        }
        let action = plan.action.as_str();
        out.say(&format!("{} repositories to {action}; nothing is changed yet", plan.changes.len()));
        out.say(&format!("the plan is entry {} and {}", short(id), path.display()));
        out.say(&format!("datum fleet {action} --org {} --apply carries it out", plan.organization));
        Ok(if plan.refused.is_empty() { Exit::Done } else { Exit::No })
    }

    fn apply(
        &self,
        edge: &Edge<'_>,
        out: &mut Out,
        reach: &Reach,
        id: EntryId,
        plan: &Plan,
    ) -> Result<Exit, Fault> {
        let store = edge.store()?;
        let before = outcomes(&store.snapshot()?, id);
        let todo = hygiene::remaining(plan, &before, self.failed);
        if before.is_empty() {
            out.say(&format!("applying the plan {}: {} repositories", short(id), todo.len()));
        } else {
            out.say(&format!(
                "going on with the plan {}: {} of {} repositories are left",
                short(id),
                todo.len(),
                plan.changes.len()
            ));
        }
        let (told, stop, requests) = if todo.is_empty() {
            (Vec::new(), None, 0)
        } else {
            let purpose = format!("fleet {} {}", plan.action.as_str(), plan.organization);
            let mut client = reach.client(edge, out, &purpose)?;
            let (told, stop) = carry_out(&mut client, edge, id, plan, todo)?;
            (told, stop, client.requests())
        };
        if out.is_json() {
            let plan_id = id.to_string();
            out.json(&serde_json::json!({ "version": 1, "plan": plan_id, "requests": requests, "outcomes": told, "refused": plan.refused }));
        } else {
            for outcome in &told {
                line(out, outcome);
            }
            refusals(out, plan);
        }
        let all = outcomes(&store.snapshot()?, id);
        let count = |ended| all.values().filter(|outcome| outcome.ended == ended).count();
        let (failed, refused) = (count(Ended::Failed), count(Ended::Refused) + plan.refused.len());
        out.say(&format!(
            "{} done, {} unchanged, {refused} refused, {failed} failed, {} left; {requests} requests",
            count(Ended::Done),
            count(Ended::Unchanged),
            plan.changes.len().saturating_sub(all.len())
        ));
        if failed > 0 {
            out.say("--apply --failed tries again what went wrong");
        }
        match stop {
            Some(stop) => Err(stop.into()),
            None if failed > 0 => Ok(Exit::Broken),
            None if refused > 0 => Ok(Exit::No),
            None => Ok(Exit::Done),
        }
    }
}

fn outcomes(snapshot: &Snapshot<'_>, plan: EntryId) -> std::collections::BTreeMap<String, Outcome> {
    hygiene::fold_outcomes(snapshot, plan)
}

fn record(edge: &Edge<'_>, plan: &Plan) -> Result<EntryId, Fault> {
    let draft = hygiene::draft_plan(plan)?;
    let applied = edge.store()?.note(Kind::Audit, &edge.stamp()?, &[draft])?;
    applied.ids.first().copied().ok_or_else(|| Fault::broken("the plan was not recorded"))
}

/// There is nothing to change.
fn nothing(out: &mut Out, plan: &Plan) -> Exit {
    if out.is_json() {
        out.json(&serde_json::json!({ "version": 1, "entry": null, "applied": false, "plan": plan }));
    } else {
        refusals(out, plan);
    }
    out.say(&format!("nothing to {}", plan.action.as_str()));
    if plan.refused.is_empty() { Exit::Done } else { Exit::No }
}

fn refusals(out: &mut Out, plan: &Plan) {
    for refusal in &plan.refused {
        out.line(&format!("{} refused: {}", refusal.name, refusal.why));
    }
}

fn line(out: &mut Out, outcome: &Outcome) {
    let ended = match outcome.ended {
        Ended::Done => "done",
        Ended::Unchanged => "unchanged",
        Ended::Refused => "refused",
        Ended::Failed => "failed",
    };
    out.line(format!("{} {ended}: {}", outcome.name, outcome.detail).trim_end_matches([':', ' ']));
}
