//! Drafts of task entries: pure, from the tasks as they are to the entry that changes one.

use super::change::{self, Change};
use super::{Edit, Hold, New, Parent, State, Step, Story, Task, TaskError, Tasks};
use crate::bottle;
use crate::entry::{Draft, SUBJECT_MAX};
use crate::id::EntryId;
use crate::name::{AgentName, Word};
use crate::stamp::Millis;

/// Drafts the entry that makes a task.
///
/// # Errors
/// [`TaskError::Draft`] for a title or text that makes no entry.
pub fn create(new: &New) -> Result<Draft, TaskError> {
    create_as(new, State::Open, None)
}

/// Drafts a task that another board already knows: its state, and who had it there.
pub(super) fn create_as(new: &New, state: State, assignee: Option<&str>) -> Result<Draft, TaskError> {
    let mut draft = Draft::new(&new.title, &new.text)?
        .with(change::CHANGE, Change::Create.as_str())?
        .with(change::PRIORITY, new.priority.as_str())?;
    for (key, words) in [(change::CAP, &new.caps), (change::TAG, &new.tags)] {
        draft = with_words(draft, key, words)?;
    }
    draft = with_ids(draft, change::NEEDS, &new.needs)?;
    if let Some(parent) = new.parent {
        draft = draft.with(change::PARENT, &parent.to_string())?;
    }
    if let Some(requester) = &new.requester {
        draft = draft.with(change::REQUESTER, requester.as_str())?;
    }
    if let Some(source) = &new.source {
        draft = draft.with(change::SOURCE, source)?;
    }
    if state != State::Open {
        draft = draft.with(change::STATE, state.as_str())?;
    }
    if let Some(name) = assignee.and_then(|name| AgentName::new(name).ok()) {
        draft = draft.with(change::ASSIGNEE, name.as_str())?;
    }
    Ok(draft)
}

/// Drafts the entry that changes fields of a task.
///
/// # Errors
/// [`TaskError`] for a dependency or parent that leads back to the task, an edit without effect, and texts that make
/// no entry.
pub fn edit(tasks: &Tasks, story: &Story, edit: &Edit) -> Result<Draft, TaskError> {
    check_ways(tasks, &story.task, edit)?;
    edit_alone(story, edit)
}

/// Drafts the entry of [`edit`], for a caller that has seen to it that no dependency or parent leads back.
pub(super) fn edit_alone(story: &Story, edit: &Edit) -> Result<Draft, TaskError> {
    let task = &story.task;
    let text = edit.text.as_ref().filter(|text| **text != task.text);
    let mut draft = begin(task, "Edit", Change::Edit, text.map_or("", String::as_str))?;
    let mut changes = 0;
    let mut set = |draft: Draft, field: &'static str, key: &str, value: &str| {
        changes += 1;
        story.over(draft.with(key, value)?, field)
    };
    if let Some(title) = edit.title.as_ref().filter(|title| **title != task.title) {
        // A title must make a subject as well as a trailer.
        let _ = Draft::new(title, "")?;
        draft = set(draft, "title", change::TITLE, title)?;
    }
    if text.is_some() {
        draft = set(draft, "text", change::SET, change::TEXT)?;
    }
    if let Some(priority) = edit.priority.filter(|priority| *priority != task.priority) {
        draft = set(draft, "priority", change::PRIORITY, priority.as_str())?;
    }
    if let Some(parent) = edit.parent.filter(|parent| parent.task() != task.parent) {
        let value = parent.task().map_or_else(|| change::NONE.to_owned(), |id| id.to_string());
        draft = set(draft, "parent", change::PARENT, &value)?;
    }
    let requester = edit.requester.as_ref().map(AgentName::as_str);
    if let Some(requester) = requester.filter(|name| Some(*name) != task.requester.as_deref()) {
        draft = set(draft, "requester", change::REQUESTER, requester)?;
    }
    let fresh = |words: &[Word], there: bool, set: &std::collections::BTreeSet<String>| -> Vec<Word> {
        words.iter().filter(|word| set.contains(word.as_str()) != there).cloned().collect()
    };
    for (key, words) in [
        (change::CAP, fresh(&edit.caps, true, &task.caps)),
        (change::NO_CAP, fresh(&edit.no_caps, false, &task.caps)),
        (change::TAG, fresh(&edit.tags, true, &task.tags)),
        (change::NO_TAG, fresh(&edit.no_tags, false, &task.tags)),
    ] {
        changes += words.len();
        draft = with_words(draft, key, &words)?;
    }
    for (key, ids, there) in [(change::NEEDS, &edit.needs, true), (change::NO_NEEDS, &edit.no_needs, false)] {
        let ids: Vec<_> = ids.iter().copied().filter(|id| task.needs.contains(id) != there).collect();
        changes += ids.len();
        draft = with_ids(draft, key, &ids)?;
    }
    if changes == 0 { Err(TaskError::NoChange(task.alias())) } else { Ok(draft) }
}

/// Refuses dependencies and parents that lead back to the task.
pub(super) fn check_ways(tasks: &Tasks, task: &Task, edit: &Edit) -> Result<(), TaskError> {
    let names =
        |way: Vec<EntryId>| -> Vec<String> { [task.id].into_iter().chain(way).map(super::alias).collect() };
    for need in &edit.needs {
        let back = if *need == task.id {
            Some(vec![task.id])
        } else {
            tasks.way(*need, task.id, |task| task.needs.iter().copied().collect::<Vec<_>>())
        };
        if let Some(way) = back {
            return Err(TaskError::Cycle(names(way)));
        }
    }
    if let Some(Parent::Task(parent)) = edit.parent {
        let back = if parent == task.id {
            Some(vec![task.id])
        } else {
            tasks.way(parent, task.id, |task| task.parent)
        };
        if let Some(way) = back {
            return Err(TaskError::ParentCycle(names(way)));
        }
    }
    Ok(())
}

/// Drafts a remark.
///
/// # Errors
/// [`TaskError::Draft`] for a text that makes no entry.
pub fn comment(task: &Task, text: &str) -> Result<Draft, TaskError> {
    if text.trim().is_empty() {
        return Err(crate::entry::DraftError::EmptySubject.into());
    }
    begin(task, "Comment", Change::Comment, text)
}

/// Drafts a step of a task, by `agent` at `now`, with the reason (may be empty).
///
/// With `fence` the step counts only for the claim of that number, whoever holds the task now. With `force` another's
/// claim is passed over.
///
/// # Errors
/// [`TaskError`] when the step does not lead on from the state, or the claim is another's or has ended.
pub fn step(
    story: &Story,
    step: Step,
    reason: &str,
    agent: &AgentName,
    now: Millis,
    (fence, force): (Option<u64>, bool),
) -> Result<Draft, TaskError> {
    let task = &story.task;
    let (verb, participle) = step.verb();
    if !step.leads_on_from(task.state) {
        return Err(TaskError::State { task: task.alias(), state: task.state, step: participle });
    }
    let own = match step {
        // Who asked for it, or wrote it down, may call it off whoever has it.
        Step::Cancel if [task.requester.as_deref(), Some(&task.author)].contains(&Some(agent.as_str())) => {
            None
        }
        Step::Reopen => None,
        Step::Block | Step::Review | Step::Finish | Step::Cancel => {
            by_holder(task, agent, now, (fence, force))?
        }
    };
    let mut draft = begin(task, verb, Change::State, reason)?.with(change::STATE, step.state().as_str())?;
    if let Some(fence) = own {
        draft = draft.with(change::FENCE, &fence.to_string())?;
    }
    story.over(draft, "state")
}

/// The fencing number under which `agent` may write, `None` where nobody holds the task.
fn by_holder(
    task: &Task,
    agent: &AgentName,
    now: Millis,
    (fence, force): (Option<u64>, bool),
) -> Result<Option<u64>, TaskError> {
    let mine = |hold: &&Hold| hold.agent == agent.as_str();
    if let Some(fence) = fence
        && task.hold.as_ref().filter(mine).is_none_or(|hold| hold.fence != fence)
    {
        return Err(TaskError::FencedOff { task: task.alias(), fence, newest: task.fence });
    }
    match &task.hold {
        Some(hold) if hold.agent == agent.as_str() && hold.is_live(now) => Ok(Some(hold.fence)),
        Some(hold) if hold.agent == agent.as_str() && !force => {
            Err(TaskError::Expired { task: task.alias(), hold: hold.clone() })
        }
        Some(hold) if hold.is_live(now) && !force => {
            Err(TaskError::Held { task: task.alias(), hold: hold.clone() })
        }
        _ => Ok(None),
    }
}

/// Drafts the entry that tells of a claim by the writer.
///
/// # Errors
/// [`TaskError`] when the task is closed, blocked, in review or waits for others.
pub fn claim(tasks: &Tasks, task: &Task, fence: u64, until: Millis, now: Millis) -> Result<Draft, TaskError> {
    can_be_claimed(tasks, task, now)?;
    lease(begin(task, "Claim", Change::Claim, "")?, fence, until)
}

/// Drafts the entry that gives the task to `to`: the claim and the bottle that tells of it are this one entry.
///
/// # Errors
/// As [`claim`].
pub fn dispatch(
    tasks: &Tasks,
    task: &Task,
    to: &AgentName,
    text: &str,
    (fence, until): (u64, Millis),
    now: Millis,
) -> Result<Draft, TaskError> {
    can_be_claimed(tasks, task, now)?;
    let draft = begin(task, &format!("Task {}", task.alias()), Change::Dispatch, text)?;
    let draft = draft
        .with(bottle::TO, to.as_str())?
        .with(bottle::TYPE, "handoff")?
        .with(bottle::PRIORITY, task.priority.as_str())?
        .with(bottle::DEADLINE, &until.to_string())?;
    lease(draft, fence, until)
}

/// Refuses a task that nobody may take at `now`, claims aside.
///
/// # Errors
/// [`TaskError`] with what stands in the way.
pub fn can_be_claimed(tasks: &Tasks, task: &Task, now: Millis) -> Result<(), TaskError> {
    if !matches!(task.status(now), State::Open | State::InProgress) {
        return Err(TaskError::State { task: task.alias(), state: task.state, step: "claimed" });
    }
    let needs: Vec<String> = tasks.waits_for(task).map(super::alias).collect();
    if needs.is_empty() { Ok(()) } else { Err(TaskError::Waits { task: task.alias(), needs }) }
}

/// Drafts the entry that makes a lease longer.
///
/// # Errors
/// [`TaskError`] when `agent` has no claim, or its lease has ended.
pub fn renew(
    task: &Task,
    agent: &AgentName,
    until: Millis,
    now: Millis,
    fence: Option<u64>,
) -> Result<Draft, TaskError> {
    let own = holder(task, agent, now, fence)?;
    lease(begin(task, "Renew", Change::Renew, "")?, own, until)
}

/// Drafts the entry that gives a task back.
///
/// # Errors
/// As [`renew`].
pub fn release(
    task: &Task,
    agent: &AgentName,
    reason: &str,
    now: Millis,
    fence: Option<u64>,
) -> Result<Draft, TaskError> {
    let own = holder(task, agent, now, fence)?;
    Ok(begin(task, "Release", Change::Release, reason)?.with(change::FENCE, &own.to_string())?)
}

fn holder(task: &Task, agent: &AgentName, now: Millis, fence: Option<u64>) -> Result<u64, TaskError> {
    by_holder(task, agent, now, (fence, false))?
        .ok_or_else(|| TaskError::NotHeld { task: task.alias(), agent: agent.to_string() })
}

fn lease(draft: Draft, fence: u64, until: Millis) -> Result<Draft, TaskError> {
    Ok(draft.with(change::FENCE, &fence.to_string())?.with(change::UNTIL, &until.to_string())?)
}

/// Begins the entry of a change to `task`: `Verb: title`, so that `git log` reads as what happened.
fn begin(task: &Task, verb: &str, change: Change, body: &str) -> Result<Draft, TaskError> {
    let mut subject = format!("{verb}: {}", task.title);
    if subject.len() > SUBJECT_MAX {
        let most = SUBJECT_MAX - '…'.len_utf8();
        let end = subject.char_indices().map(|(at, _)| at).take_while(|at| *at <= most).last().unwrap_or(0);
        subject.truncate(end);
        subject.truncate(subject.trim_end().len());
        subject.push('…');
    }
    // A title that another program wrote may hold what a subject must not.
    let draft =
        Draft::new(&subject, body).or_else(|_| Draft::new(&format!("{verb}: {}", task.alias()), body))?;
    Ok(draft.with(change::TASK, &task.id.to_string())?.with(change::CHANGE, change.as_str())?)
}

fn with_words(mut draft: Draft, key: &str, words: &[Word]) -> Result<Draft, TaskError> {
    for word in words {
        draft = draft.with(key, word.as_str())?;
    }
    Ok(draft)
}

fn with_ids(mut draft: Draft, key: &str, ids: &[EntryId]) -> Result<Draft, TaskError> {
    for id in ids {
        draft = draft.with(key, &id.to_string())?;
    }
    Ok(draft)
}
