//! The questions, one after another, with a way back; nothing is written before the last one is answered.

mod prompt;

use super::facts::declares;
use super::given::first;
use super::plan::{Plan, Token};
use crate::edge::variable;
use crate::escape;
use crate::fault::Fault;
use crate::github::Place;
use crate::out::Out;
use datum_core::capability::{Confidence, Skill};
use datum_core::onboarding::{Facts, Keys, Step, one_line};
use datum_core::style::Style;
use datum_core::{AgentName, Word};
use prompt::{choose, hidden, many, text};
use std::io::IsTerminal as _;

/// Where to go after a question.
enum Way {
    /// To the next one.
    On,
    /// It does not arise here.
    Past,
    /// To the one before.
    Back,
}

type Question = fn(&mut Plan, &Facts) -> Result<Way, Fault>;

const QUESTIONS: [Question; 14] = [
    declaration,
    name,
    role,
    description,
    skills,
    more_skills,
    confidence,
    commit,
    keys,
    token,
    remote,
    hooks,
    greet,
    tasks,
];

/// Capabilities that are proposed, with what they are.
const COMMON: [(&str, &str); 8] = [
    ("journal", "Chronological work log"),
    ("bottle", "Messages between agents, with receipts"),
    ("task", "Takes tasks and finishes them"),
    ("audit", "Workshop, vessel and fleet audits"),
    ("review", "Reads the work of others"),
    ("build", "Builds and tests"),
    ("docs", "Writes documentation"),
    ("repair", "Mends what is broken"),
];

/// How sure an agent can be.
const SURE: [(&str, f64); 4] =
    [("certain (0.95)", 0.95), ("sure (0.9)", 0.9), ("able (0.7)", 0.7), ("learning (0.4)", 0.4)];

/// Asks everything, and at last whether to do it.
pub(super) fn all(plan: &mut Plan, facts: &Facts, out: &Out) -> Result<(), Fault> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Fault::usage("there is no terminal to ask on")
            .hint("--non-interactive takes the answers as options, or from a file with --answers"));
    }
    out.say("Enter takes what is proposed, Esc goes back, Ctrl-C stops.\nNothing is written before the last question is answered.");
    let mut at = 0;
    loop {
        let mut on = true;
        while let Some(question) = QUESTIONS.get(at) {
            match question(plan, facts)? {
                Way::On => on = true,
                Way::Back => on = false,
                Way::Past => {}
            }
            // Back from the first question that arises is that question again.
            if !on && at == 0 {
                on = true;
                continue;
            }
            at = if on { at + 1 } else { at - 1 };
        }
        for (step, says) in plan.lines(facts).0 {
            out.say(&format!("  {:<9} {says}", step.as_str()));
        }
        match choose("Do that?", &["yes", "no: back to the questions", "no: stop here"], 0)? {
            Some(0) => return Ok(()),
            Some(2) => return Err(prompt::stopped()),
            _ => at = QUESTIONS.len() - 1,
        }
    }
}

fn way<T>(answer: Option<T>, take: impl FnOnce(T)) -> Way {
    match answer {
        Some(value) => {
            take(value);
            Way::On
        }
        None => Way::Back,
    }
}

/// Whether the declaration that is there stays: then it is not asked for.
fn stays(plan: &Plan, facts: &Facts) -> bool {
    facts.declaration.is_some() && !plan.rewrite
}

fn declaration(plan: &mut Plan, facts: &Facts) -> Result<Way, Fault> {
    let Some(wrong) = &facts.declaration else { return Ok(Way::Past) };
    let name =
        facts.declares.as_ref().and_then(|declared| declared.agent.name.as_deref()).unwrap_or("nobody");
    let mut message = format!("CAPABILITY.toml declares {}.", escape::line(name));
    if let Some(first) = wrong.first() {
        message = format!("CAPABILITY.toml is not sound ({}).", escape::line(first));
    }
    let start = usize::from(!wrong.is_empty() || plan.rewrite);
    let answer = choose(&message, &["keep it as it is", "write it anew"], start)?;
    Ok(way(answer, |answer| plan.rewrite = answer == 1))
}

fn name(plan: &mut Plan, facts: &Facts) -> Result<Way, Fault> {
    if stays(plan, facts) && plan.name.is_some() {
        return Ok(Way::Past);
    }
    let proposed = plan.name.as_ref().map_or("", AgentName::as_str).to_owned();
    let answer = text("The agent's name:", &proposed, "a-z, 0-9, '.', '_' and '-'", |text| {
        AgentName::new(text).map(|_| ()).map_err(|error| error.to_string())
    })?;
    Ok(way(answer, |answer| plan.name = AgentName::new(&answer).ok()))
}

fn line_of(text: &str) -> Result<(), String> {
    one_line(text).map(|_| ()).map_err(str::to_owned)
}

fn role(plan: &mut Plan, facts: &Facts) -> Result<Way, Fault> {
    if stays(plan, facts) {
        return Ok(Way::Past);
    }
    let answer =
        text("Its role in the fleet:", &plan.role, "such as lookout, quartermaster, vessel", line_of)?;
    Ok(way(answer, |answer| plan.role = answer))
}

fn description(plan: &mut Plan, facts: &Facts) -> Result<Way, Fault> {
    if stays(plan, facts) {
        return Ok(Way::Past);
    }
    let name = plan.name.as_ref().map_or("", AgentName::as_str);
    let proposed = plan.description.clone().unwrap_or_else(|| format!("The agent {name} and its vessel"));
    let answer = text("What it is, in a sentence:", &proposed, "", line_of)?;
    Ok(way(answer, |answer| plan.description = Some(answer)))
}

/// The names that are proposed: the common ones, and those the agent has beside them.
fn proposed(plan: &Plan) -> Vec<String> {
    let common = COMMON.iter().map(|(name, _)| (*name).to_owned());
    let own = plan.skills.keys().filter(|name| COMMON.iter().all(|(common, _)| common != name)).cloned();
    common.chain(own).collect()
}

fn skill_of(name: &str) -> Skill {
    let told = COMMON.iter().find(|(common, _)| *common == name).map(|(_, told)| (*told).to_owned());
    Skill { confidence: None, description: told, last_used: None }
}

fn skills(plan: &mut Plan, facts: &Facts) -> Result<Way, Fault> {
    if stays(plan, facts) {
        return Ok(Way::Past);
    }
    let names = proposed(plan);
    let chosen: Vec<usize> = names
        .iter()
        .enumerate()
        .filter(|(_, name)| plan.skills.contains_key(*name))
        .map(|(at, _)| at)
        .collect();
    let shown: Vec<String> = names.iter().map(|name| escape::line(name)).collect();
    let answer = many("What it can do:", &shown, &chosen)?;
    Ok(way(answer, |answer| {
        let chosen: Vec<&String> = answer.iter().filter_map(|at| names.get(*at)).collect();
        plan.skills.retain(|name, _| chosen.contains(&name));
        for name in chosen {
            plan.skills.entry(name.clone()).or_insert_with(|| skill_of(name));
        }
    }))
}

/// The capabilities in a list with commas between.
fn words(text: &str) -> Result<Vec<Word>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| Word::new("capability", part).map_err(|error| error.to_string())).collect()
}

fn more_skills(plan: &mut Plan, facts: &Facts) -> Result<Way, Fault> {
    if stays(plan, facts) {
        return Ok(Way::Past);
    }
    let answer = text("What else? (with commas between)", "", "Enter for nothing else", |text| {
        words(text).map(|_| ())
    })?;
    Ok(way(answer, |answer| {
        for word in words(&answer).unwrap_or_default() {
            plan.skills.entry(word.to_string()).or_insert_with(|| skill_of(word.as_str()));
        }
    }))
}

fn confidence(plan: &mut Plan, facts: &Facts) -> Result<Way, Fault> {
    if stays(plan, facts) {
        return Ok(Way::Past);
    }
    let names: Vec<String> = plan.skills.keys().cloned().collect();
    let labels: Vec<&str> = SURE.iter().map(|(label, _)| *label).collect();
    let mut at = 0;
    while let Some(name) = names.get(at) {
        let Some(skill) = plan.skills.get_mut(name) else { break };
        let now = skill.confidence.map_or(0.9, Confidence::get);
        let place = SURE.iter().position(|(_, value)| (value - now).abs() < f64::EPSILON);
        // A value that was given or stood there has no name here, and is proposed as it is.
        let own = format!("as it is ({now})");
        let labels: Vec<&str> =
            labels.iter().copied().chain(place.is_none().then_some(own.as_str())).collect();
        let start = place.unwrap_or(SURE.len());
        match choose(&format!("How sure is it of {}?", escape::line(name)), &labels, start)? {
            Some(chosen) => {
                if let Some((_, value)) = SURE.get(chosen) {
                    skill.confidence = Confidence::new(*value);
                }
                at += 1;
            }
            None if at == 0 => return Ok(Way::Back),
            None => at -= 1,
        }
    }
    Ok(if names.is_empty() { Way::Past } else { Way::On })
}

fn commit(plan: &mut Plan, facts: &Facts) -> Result<Way, Fault> {
    if facts.committed && !plan.rewrite {
        return Ok(Way::Past);
    }
    let answer = choose(
        "Commit CAPABILITY.toml, so that others see it?",
        &["yes, through git commit", "no, I do that"],
        usize::from(!plan.commit),
    )?;
    Ok(way(answer, |answer| plan.commit = answer == 0))
}

fn keys(plan: &mut Plan, facts: &Facts) -> Result<Way, Fault> {
    if !cfg!(feature = "vault") || (facts.keys && plan.name == facts.agent) {
        return Ok(Way::Past);
    }
    let start = match plan.keys {
        Keys::New => 0,
        Keys::Locked => 1,
        Keys::None => 2,
    };
    let options = ["make them, in a file only you can read", "make them, locked with a passphrase", "none"];
    match choose("Keys, to sign and to open secrets:", &options, start)? {
        None => return Ok(Way::Back),
        Some(0) => (plan.keys, plan.passphrase) = (Keys::New, None),
        Some(1) => match hidden("The passphrase:", true, |text| {
            if text.chars().count() < 8 { Err("it has fewer than 8 characters".to_owned()) } else { Ok(()) }
        })? {
            Some(passphrase) => (plan.keys, plan.passphrase) = (Keys::Locked, Some(passphrase)),
            None => return Ok(Way::Back),
        },
        Some(_) => (plan.keys, plan.passphrase) = (Keys::None, None),
    }
    Ok(Way::On)
}

fn token(plan: &mut Plan, facts: &Facts) -> Result<Way, Fault> {
    let has_keys = facts.keys || plan.keys != Keys::None;
    if !cfg!(feature = "vault") || facts.token || !has_keys {
        return Ok(Way::Past);
    }
    let variables = Place::find(plan.api_url.as_deref()).ok().map(|place| place.token_variables());
    let named = variables.into_iter().flatten().find(|name| variable(name).is_some());
    let from_variable = named.map(|name| format!("take the one in ${name}"));
    let mut options = vec!["none", "type one (it is not shown)"];
    options.extend(from_variable.as_deref());
    let start = match &plan.token {
        Token::Variable(_) if options.len() > 2 => 2,
        Token::Typed(_) => 1,
        _ => 0,
    };
    match choose("A GitHub token, kept sealed in the vault:", &options, start)? {
        None => return Ok(Way::Back),
        Some(0) => plan.token = Token::Declined,
        Some(1) => match hidden("The token:", false, |text| {
            let fits = !text.trim().is_empty() && text.trim().bytes().all(|b| b.is_ascii_graphic());
            if fits { Ok(()) } else { Err("it has characters that no token has".to_owned()) }
        })? {
            Some(token) => plan.token = Token::Typed(token),
            None => return Ok(Way::Back),
        },
        Some(_) => plan.token = Token::Variable(named.unwrap_or_default().to_owned()),
    }
    Ok(Way::On)
}

fn remote(plan: &mut Plan, facts: &Facts) -> Result<Way, Fault> {
    let known = plan.remote.clone().or_else(|| facts.remote.clone());
    let mut options: Vec<String> = Vec::new();
    options.extend(known.iter().map(|name| format!("exchange logs with {}", escape::line(name))));
    options.push("another address or path".to_owned());
    options.push("with nobody for now".to_owned());
    let shown: Vec<&str> = options.iter().map(String::as_str).collect();
    let last = options.len() - 1;
    let start =
        if known.is_some() && (plan.sync || !facts.declined.contains(&Step::Sync)) { 0 } else { last };
    match choose("Other clones:", &shown, start)? {
        None => return Ok(Way::Back),
        Some(at) if at == last => plan.sync = false,
        Some(0) if known.is_some() => (plan.remote, plan.sync) = (known, true),
        Some(_) => match text("The address or path:", "", "as git clone takes it", line_of)? {
            Some(address) => (plan.remote, plan.sync) = (Some(address), true),
            None => return Ok(Way::Back),
        },
    }
    Ok(Way::On)
}

fn hooks(plan: &mut Plan, facts: &Facts) -> Result<Way, Fault> {
    if facts.hooks_missing.is_empty() {
        return Ok(Way::Past);
    }
    let options = [
        "record commits, and hold back secrets",
        "the same, and check commit subjects (I2I)",
        "the same, and check commit subjects (conventional)",
        "none",
    ];
    let start = match (plan.hooks, plan.commit_msg) {
        (false, _) => 3,
        (true, Some(Style::I2i)) => 1,
        (true, Some(_)) => 2,
        (true, None) => 0,
    };
    let answer = choose("Git hooks, beside those that are there:", &options, start)?;
    Ok(way(answer, |answer| {
        plan.hooks = answer < 3;
        plan.commit_msg = match answer {
            1 => Some(Style::I2i),
            2 => Some(Style::Conventional),
            _ => None,
        };
    }))
}

fn greet(plan: &mut Plan, facts: &Facts) -> Result<Way, Fault> {
    if facts.greeted && plan.name.as_ref().is_some_and(|name| declares(facts, name)) {
        return Ok(Way::Past);
    }
    let proposed = plan.greet.as_ref().map_or("none", AgentName::as_str).to_owned();
    let answer = text("Whom to greet with a first bottle:", &proposed, "none for nobody", |text| {
        if text == "none" {
            Ok(())
        } else {
            AgentName::new(text).map(|_| ()).map_err(|error| error.to_string())
        }
    })?;
    Ok(way(answer, |answer| plan.greet = AgentName::new(&answer).ok().filter(|_| answer != "none")))
}

fn tasks(plan: &mut Plan, _: &Facts) -> Result<Way, Fault> {
    loop {
        let message = match plan.tasks.last() {
            None => "A task to begin with:".to_owned(),
            Some(last) => format!("After '{}', another:", escape::line(&last.title)),
        };
        let answer = text(&message, "", "Enter for none; Esc takes the last one back", |text| {
            if text.is_empty() { Ok(()) } else { line_of(text) }
        })?;
        match answer {
            Some(title) if title.trim().is_empty() => return Ok(Way::On),
            Some(title) => plan.tasks.push(first(title.trim().to_owned())),
            None if plan.tasks.pop().is_none() => return Ok(Way::Back),
            None => {}
        }
    }
}
