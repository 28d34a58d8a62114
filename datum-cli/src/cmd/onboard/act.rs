//! The steps, done in their order: each is whole or not done, what is there stays, and one that fails stops no other.

use super::did::{Answer, Did, State, declined, done, there, waits_for};
use super::facts::{FILE, declares};
use super::plan::{Plan, Token};
use crate::cmd::hooks::{STYLE, program};
use crate::cmd::publish::write;
use crate::cmd::sync;
use crate::edge::{Edge, in_root};
use crate::fault::Fault;
use crate::github::Patience;
use crate::out::Out;
use crate::record::short;
use datum_core::capability;
use datum_core::hooks::{Caller, Event, Hooks, Options};
use datum_core::onboarding::{self, Facts, Step};
use datum_core::task::{self, New};
use datum_core::worktree::{Scope, TreePath, WorkError, WorkTree};
use datum_core::{AgentName, Kind, oracle, roster};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long an exchange with the remote may take.
const BUDGET: Duration = Duration::from_secs(60);
/// Where a first task says that it comes from.
const SOURCE: &str = "onboarding";

/// Does all steps; Ctrl-C lets the one under way end, and begins no other.
///
/// `unmet` is why the remote cannot be used, where that is known already.
pub(super) fn all(
    edge: &Edge<'_>,
    plan: &Plan,
    facts: &Facts,
    unmet: Option<Fault>,
    out: &mut Out,
) -> Result<Vec<Did>, Fault> {
    let patience = Patience::new(0);
    let mut all = Vec::new();
    let mut failed = BTreeSet::new();
    // What the remote holds decides what is new: a fresh clone has no logs of its own yet.
    let came = plan.sync.then(|| unmet.map_or_else(|| exchange(edge, plan), Err));
    for step in Step::ALL {
        if patience.is_stopped() {
            return Err(Fault::broken(format!("stopped before {}", step.as_str()))
                .hint("what was done stays done; the same command goes on where it stopped"));
        }
        // The remote is to have what the steps write, so its turn is the last.
        if step != Step::Sync {
            let answer = match waits_for(step, &failed) {
                Some(first) => waits(edge, plan, facts, step, first),
                None => one(edge, plan, facts, step, out),
            };
            let did = told(out, step, answer);
            if did.state == State::Failed {
                failed.insert(step);
            }
            all.push(did);
        }
    }
    let last = match came {
        None => declined(),
        Some(Err(fault)) => Err(fault),
        Some(Ok((_, came, went))) => {
            exchange(edge, plan).and_then(|(remote, later, last)| match (came + later, went + last) {
                (0, 0) => there(format!("{remote} has everything")),
                (came, went) => done(format!("{remote}: {came} entries came, {went} went")),
            })
        }
    };
    all.push(told(out, Step::Sync, last));
    Ok(all)
}

/// Says what became of a step, at once: a later one may take its time.
fn told(out: &mut Out, step: Step, answer: Answer) -> Did {
    let (state, says, hint) = match answer {
        Ok((state, says)) => (state, says, None),
        Err(fault) => (State::Failed, fault.message, fault.hint),
    };
    if !out.is_json() {
        out.line(&format!("{:<9} {:<9} {says}", step.as_str(), state.as_str()));
        if let Some(hint) = &hint {
            out.say(&format!("hint: {hint}"));
        }
        out.flush();
    }
    Did { step, state, says, hint }
}

fn one(edge: &Edge<'_>, plan: &Plan, facts: &Facts, step: Step, out: &mut Out) -> Answer {
    match step {
        Step::Identity => identity(edge, plan, facts, out),
        Step::Commit => commit(edge, plan),
        Step::Boot => boot(edge, plan),
        #[cfg(feature = "vault")]
        Step::Keys => super::sealed::keys(edge, plan, facts, out),
        #[cfg(feature = "vault")]
        Step::Token => match &plan.token {
            Token::Declined | Token::Unasked if facts.token => there("the vault holds a GitHub token"),
            Token::Declined | Token::Unasked => declined(),
            token => super::sealed::token(edge, plan, token, out),
        },
        #[cfg(not(feature = "vault"))]
        Step::Keys | Step::Token => there("this program was built without the vault"),
        Step::Hooks => hooks(edge, plan),
        Step::Sync => declined(),
        Step::Contact => contact(edge, plan),
        Step::Tasks => tasks(edge, plan),
        Step::State => state(edge, plan, facts),
    }
}

/// What is said of a step that waits for another; what was not wanted is noted all the same.
fn waits(edge: &Edge<'_>, plan: &Plan, facts: &Facts, step: Step, first: Step) -> Answer {
    if step == Step::Commit && facts.committed {
        return there("CAPABILITY.toml is committed");
    }
    let unwanted = match step {
        Step::Commit => !plan.commit,
        Step::Contact => plan.greet.is_none(),
        _ => false,
    };
    if unwanted {
        return declined();
    }
    if step == Step::State {
        let (name, unwanted) = (plan.name()?, plan.unwanted(facts));
        edge.store()?.apply::<Fault>(Kind::Agent, &edge.stamp()?, |snapshot| {
            Ok(onboarding::choices(snapshot, name, &unwanted)?)
        })?;
    }
    Ok((State::Waits, format!("for {}, which failed", first.as_str())))
}

fn identity(edge: &Edge<'_>, plan: &Plan, facts: &Facts, out: &Out) -> Answer {
    let name = plan.name()?;
    let Some(root) = edge.store()?.work_dir() else {
        return there("a bare repository has no CAPABILITY.toml of its own");
    };
    if let Some(wrong) = facts.declaration.as_ref().filter(|_| !plan.rewrite) {
        if let Some(first) = wrong.first() {
            return Err(Fault::usage(format!("CAPABILITY.toml: {first}")).hint("mend it, or pass --rewrite"));
        }
        if !declares(facts, name) {
            return there(format!(
                "CAPABILITY.toml declares another, whose vessel it is; {name} works in it"
            ));
        }
        if plan.about_declaration && differs(plan, facts) {
            out.warn("CAPABILITY.toml is there and stays as it is, whatever the answers say");
            out.say("hint: --rewrite writes it anew");
        }
        return there(format!("CAPABILITY.toml declares {name}"));
    }
    let text = plan.declaration(facts)?;
    let wrong = capability::check(&text);
    if let Some(first) = wrong.iter().find(|finding| finding.level == capability::Level::Error) {
        return Err(Fault::usage(format!("the declaration would not do: {}", first.message))
            .hint("change what is answered for it: --role, --description, --cap"));
    }
    let path = in_root(root, FILE);
    if facts.declaration.is_none() {
        create(&path, &text)?;
        return done(format!("wrote CAPABILITY.toml for {name}"));
    }
    // What git does not hold would be lost.
    let kept = if facts.committed {
        String::new()
    } else {
        let beside = in_root(root, "CAPABILITY.toml.before");
        std::fs::rename(&path, &beside).map_err(|error| {
            Fault::broken(format!("cannot move {} to {}: {error}", path.display(), beside.display()))
        })?;
        format!("; the one before is {}", beside.display())
    };
    write(root, FILE, &text)?;
    done(format!("wrote CAPABILITY.toml anew for {name}{kept}"))
}

/// Makes a file that is not there, whole or not at all.
fn create(path: &std::path::Path, text: &str) -> Result<(), Fault> {
    let fresh = path.with_extension(format!("datum-{}", std::process::id()));
    let made = std::fs::write(&fresh, text).and_then(|()| std::fs::hard_link(&fresh, path));
    let _ = std::fs::remove_file(&fresh);
    made.map_err(|error| Fault::broken(format!("cannot write {}: {error}", path.display())))
}

/// Whether the answers say something else than the declaration that is there.
fn differs(plan: &Plan, facts: &Facts) -> bool {
    let Some(old) = &facts.declares else { return true };
    let other = |new: Option<&str>, old: &Option<String>| new.is_some_and(|new| Some(new) != old.as_deref());
    other(Some(&plan.role), &old.agent.role)
        || other(plan.description.as_deref(), &old.agent.description)
        || plan.skills.iter().any(|(name, skill)| {
            old.skills
                .get(name)
                .is_none_or(|old| skill.confidence.is_some() && old.confidence != skill.confidence)
        })
}

fn commit(edge: &Edge<'_>, plan: &Plan) -> Answer {
    let store = edge.store()?;
    let Some(root) = store.work_dir() else { return there("a bare repository commits nothing") };
    let path = in_root(root, FILE);
    let is_held = || -> Result<bool, Fault> {
        let held = store.snapshot()?.file(FILE)?;
        Ok(crate::regular::read(&path).ok().is_some_and(|here| Some(here) == held))
    };
    if is_held()? {
        return there("CAPABILITY.toml is committed");
    }
    if !plan.commit {
        return declined();
    }
    if !path.is_file() {
        return Err(
            Fault::usage("there is no CAPABILITY.toml to commit").hint("datum onboard writes it again")
        );
    }
    if store.identity().is_none() && crate::edge::variable("GIT_COMMITTER_NAME").is_none() {
        return Err(Fault::usage("git does not know who commits")
            .hint("git config user.name NAME and user.email ADDRESS, and run it again; or --no-commit"));
    }
    let file = TreePath::new(FILE)?;
    let message = format!("Declare what {} can do\n", plan.name()?);
    match WorkTree::at(root).commit(&message, Scope::Files(&[file])) {
        Ok(id) => done(format!("committed CAPABILITY.toml as {}", short(id))),
        Err(WorkError::Nothing) => there("CAPABILITY.toml is committed"),
        Err(error) => Err(error.into()),
    }
}

fn boot(edge: &Edge<'_>, plan: &Plan) -> Answer {
    let name = plan.name()?;
    let applied = edge
        .store()?
        .apply::<Fault>(Kind::Journal, &edge.stamp()?, |snapshot| Ok(onboarding::boot(snapshot, name)?))?;
    match applied.ids.first() {
        Some(id) => done(format!("recorded the boot as {}", short(*id))),
        None => there("the boot is in the journal"),
    }
}

fn hooks(edge: &Edge<'_>, plan: &Plan) -> Answer {
    if !plan.hooks {
        return declined();
    }
    let hooks = Hooks::of(edge.store()?)?;
    let mut events = Event::DEFAULT.to_vec();
    if let Some(style) = plan.commit_msg {
        hooks.set(STYLE, style.as_str())?;
        events.push(Event::CommitMsg);
    }
    let caller = Caller { program: program()?, agent: None };
    let options = Options { caller, place: None, shared: false };
    let mut new = Vec::new();
    for event in events {
        if hooks.state(event)?.place().is_none() {
            hooks.install(event, &options)?;
            new.push(event.as_str());
        }
    }
    if new.is_empty() {
        there("the hooks are installed")
    } else {
        done(format!("installed {}", new.join(", ")))
    }
}

/// Exchanges logs with the remote: its name, and how many entries came and went.
fn exchange(edge: &Edge<'_>, plan: &Plan) -> Result<(String, u64, u64), Fault> {
    let store = edge.store()?;
    let Some(text) = &plan.remote else {
        return Err(Fault::usage("there is no remote").hint("--remote names one, --no-sync does without"));
    };
    let location = sync::location(edge, text);
    let remote = store.remote(&location, BUDGET)?;
    let report = store.sync(&sync::stamp(edge)?, &remote, &sync::options(store, None)?)?;
    if let Some(error) = &report.trouble {
        return Err(error.into());
    }
    if let Some(refused) = report.refused.first() {
        return Err(Fault::broken(format!(
            "{}/{} was refused: {}",
            refused.log.0, refused.log.1, refused.why
        ))
        .hint(format!("datum sync {location} tells of all that were refused")));
    }
    let count = |moved: &[datum_core::sync::Moved]| moved.iter().filter_map(|moved| moved.entries).sum();
    Ok((location, count(&report.came), count(&report.went)))
}

/// Makes an address the remote `origin` where there is none: the user has said that it is the remote.
///
/// The configuration is read when a repository is opened, so what follows needs a fresh edge.
pub(super) fn settle_remote(edge: &Edge<'_>, plan: &mut Plan) -> Result<(), Fault> {
    let store = edge.store()?;
    let Some(text) = plan.remote.as_ref().filter(|_| plan.sync) else { return Ok(()) };
    let location = sync::location(edge, text);
    let url = |name: &str| store.setting(&format!("remote.{name}.url"));
    if url(&location).is_some() {
        return Ok(());
    }
    match url("origin") {
        Some(url) if url == location => plan.remote = Some("origin".to_owned()),
        Some(_) => {}
        None => {
            // Only what answers as a repository is written down.
            store.remote(&location, BUDGET)?.list(&["HEAD"])?;
            store.add_remote("origin", &location)?;
            plan.remote = Some("origin".to_owned());
        }
    }
    Ok(())
}

fn contact(edge: &Edge<'_>, plan: &Plan) -> Answer {
    let (store, stamp) = (edge.store()?, edge.stamp()?);
    let Some(to) = &plan.greet else { return declined() };
    let declared = edge.declared()?.unwrap_or_default();
    let applied = store.apply::<Fault>(Kind::Bottle, &stamp, |snapshot| {
        if oracle::was_greeted(snapshot, &stamp.agent, to) {
            return Ok(Vec::new());
        }
        Ok(vec![oracle::first_contact(snapshot, &stamp.agent, to, &declared, stamp.now)?])
    })?;
    match applied.ids.first() {
        Some(id) => done(format!("greeted {to} with bottle {}", short(*id))),
        None => there(format!("{to} was greeted")),
    }
}

/// Makes the first tasks, each title once, however often this runs.
fn tasks(edge: &Edge<'_>, plan: &Plan) -> Answer {
    if plan.tasks.is_empty() {
        return there("no new tasks");
    }
    let stamp = edge.stamp()?;
    let applied = edge.store()?.apply::<Fault>(Kind::Task, &stamp, |snapshot| {
        let tasks = task::fold(snapshot);
        let known: BTreeSet<&str> = tasks
            .all()
            .iter()
            .filter(|task| task.source.as_deref() == Some(SOURCE))
            .map(|task| task.title.as_str())
            .collect();
        let new = plan.tasks.iter().filter(|task| !known.contains(task.title.as_str()));
        let draft = |first: &onboarding::FirstTask| {
            Ok(task::create(&New {
                title: first.title.clone(),
                text: first.text.clone(),
                priority: first.priority,
                caps: first.caps.clone(),
                source: Some(SOURCE.to_owned()),
                ..New::default()
            })?)
        };
        new.map(draft).collect()
    })?;
    if applied.ids.is_empty() {
        return there("the tasks are there");
    }
    let made: Vec<_> = applied.ids.iter().map(|id| task::alias(*id)).collect();
    done(format!("made {}", made.join(", ")))
}

fn state(edge: &Edge<'_>, plan: &Plan, facts: &Facts) -> Answer {
    let name: &AgentName = plan.name()?;
    let unwanted = plan.unwanted(facts);
    let applied = edge.store()?.apply::<Fault>(Kind::Agent, &edge.stamp()?, |snapshot| {
        let known = roster::read(snapshot)?.remove(name).unwrap_or_else(|| roster::Agent::new(name.clone()));
        Ok(onboarding::onboarded(snapshot, &known, &unwanted)?)
    })?;
    match applied.ids.first() {
        Some(id) => done(format!("recorded that {name} is onboarded as {}", short(*id))),
        None => there(format!("{name} is onboarded")),
    }
}
