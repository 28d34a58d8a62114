//! First contact: the bottle with which an agent introduces itself.

use crate::bottle::{self, Recipient};
use crate::capability::Capability;
use crate::entry::{Draft, DraftError};
use crate::kind::Kind;
use crate::name::AgentName;
use crate::snapshot::Snapshot;
use crate::stamp::{Millis, iso};
use crate::task;
use std::fmt::Write as _;
use std::ops::ControlFlow;

/// The trailer of an introduction.
const KEY: &str = "First-Contact";

/// Whether `agent` has introduced itself to `to`.
pub fn was_greeted(snapshot: &Snapshot<'_>, agent: &AgentName, to: &AgentName) -> bool {
    let mut found = false;
    snapshot.walk(Kind::Bottle, |view| {
        let own = view.agent() == agent.as_str() && view.trailer(KEY).is_some();
        found = own && view.values(bottle::TO).any(|name| name == to.as_str());
        if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    found
}

/// Whether `agent` has introduced itself to anybody.
pub fn has_greeted(snapshot: &Snapshot<'_>, agent: &AgentName) -> bool {
    let mut found = false;
    snapshot.walk(Kind::Bottle, |view| {
        found = view.agent() == agent.as_str() && view.trailer(KEY).is_some();
        if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    found
}

/// Drafts the introduction of `agent` to `to`: who it is, what it declares, where it reads, what it will do first.
///
/// # Errors
/// [`DraftError`] never for a checked name.
pub fn first_contact(
    snapshot: &Snapshot<'_>,
    agent: &AgentName,
    to: &AgentName,
    declared: &Capability,
    now: Millis,
) -> Result<Draft, DraftError> {
    let role = declared.agent.role.as_deref().unwrap_or("agent");
    let mut text = format!("I am {agent}, {role}, and at work since {}.\n", iso(now));
    if let Some(description) = &declared.agent.description {
        let _ = writeln!(text, "{description}");
    }
    if !declared.skills.is_empty() {
        text.push_str("\nWhat I can do, and how sure I am of it:\n");
        for (name, skill) in &declared.skills {
            let sure = skill.confidence.map(|confidence| format!(" {confidence}")).unwrap_or_default();
            let _ = writeln!(text, "- {name}{sure}");
        }
    }
    let tasks = task::fold(snapshot);
    match tasks.ready(now, None).next() {
        Some(first) => {
            let _ = writeln!(
                text,
                "\nTasks open here: {}. I begin with {}, {}.",
                tasks.ready(now, None).count(),
                first.alias(),
                first.title
            );
        }
        None => text.push_str("\nNo task is open here. I can take some.\n"),
    }
    let folders: Vec<&str> = declared.communication.incoming.iter().map(String::as_str).collect();
    if folders.is_empty() {
        text.push_str("Bottles reach me by this name.\n");
    } else {
        let _ = writeln!(text, "Bottles reach me by this name, or as files in {}.", folders.join(", "));
    }
    text.push_str("Please acknowledge this one, and say what I should know of the fleet.");
    let drop = bottle::Drop {
        to: &[Recipient::Agent(to.clone())],
        subject: &format!("First contact: {agent} reports for duty"),
        text: &text,
        kind: "check-in",
        priority: None,
        deadline: None,
        in_reply_to: None,
    };
    bottle::draft(&drop)?.with(KEY, "yes")
}
