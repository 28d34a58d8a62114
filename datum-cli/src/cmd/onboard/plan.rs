//! The plan: every answer settled, given, asked for or proposed; and what it comes to, step by step.

use super::did::waits_for;
use super::given::Given;
use crate::edge::variable;
use crate::fault::Fault;
use datum_core::AgentName;
use datum_core::capability::Skill;
use datum_core::onboarding::{self, Answers, Facts, FirstTask, Keys, Need, Standing, Step, Wanted, needs};
use datum_core::style::Style;
use std::collections::{BTreeMap, BTreeSet};
#[cfg(feature = "vault")]
use zeroize::Zeroizing;

/// A text that is not left in memory.
#[cfg(feature = "vault")]
pub(super) type Hidden = Zeroizing<String>;
#[cfg(not(feature = "vault"))]
pub(super) type Hidden = String;

/// Where a GitHub token comes from.
pub(super) enum Token {
    /// None is wanted, and that was said.
    Declined,
    /// Nothing was said of it.
    Unasked,
    /// This variable.
    Variable(String),
    /// It was typed.
    Typed(Hidden),
}

/// What is to be done.
pub(super) struct Plan {
    pub(super) name: Option<AgentName>,
    pub(super) role: String,
    /// `None`: follows from the name.
    pub(super) description: Option<String>,
    pub(super) skills: BTreeMap<String, Skill>,
    /// Write CAPABILITY.toml anew.
    pub(super) rewrite: bool,
    /// Something was said of the declaration itself.
    pub(super) about_declaration: bool,
    pub(super) commit: bool,
    pub(super) keys: Keys,
    pub(super) passphrase: Option<Hidden>,
    pub(super) token: Token,
    pub(super) api_url: Option<String>,
    pub(super) remote: Option<String>,
    pub(super) sync: bool,
    pub(super) hooks: bool,
    pub(super) commit_msg: Option<Style>,
    pub(super) greet: Option<AgentName>,
    pub(super) tasks: Vec<FirstTask>,
}

impl Plan {
    /// What was answered, and for the rest what is proposed: what is there, or what was wanted the last time.
    pub(super) fn of(
        name: Option<AgentName>,
        answers: &Answers,
        facts: &Facts,
        given: &Given,
    ) -> Result<Self, Fault> {
        let wants = |step| !facts.declined.contains(&step);
        let declared = facts.declares.clone().unwrap_or_default();
        let skills = match (answers.skills.is_empty(), declared.skills.is_empty()) {
            (false, _) => answers.skills.clone(),
            (true, false) => declared.skills.clone(),
            (true, true) => onboarding::common_skills(),
        };
        let plain = |text: &Option<String>| text.as_deref().and_then(|text| onboarding::one_line(text).ok());
        let token = match &answers.token_env {
            Some(Wanted::This(variable)) => Token::Variable(variable.clone()),
            Some(Wanted::None) => Token::Declined,
            None if !wants(Step::Token) => Token::Declined,
            None => Token::Unasked,
        };
        let remote = match &answers.remote {
            Some(remote) => remote.clone().this(),
            None => facts.remote.clone(),
        };
        let default_keys = if cfg!(feature = "vault") && wants(Step::Keys) { Keys::New } else { Keys::None };
        Ok(Self {
            name,
            role: answers
                .role
                .clone()
                .or_else(|| plain(&declared.agent.role))
                .unwrap_or_else(|| "vessel".to_owned()),
            description: answers.description.clone().or_else(|| plain(&declared.agent.description)),
            skills,
            rewrite: given.rewrite,
            about_declaration: answers.role.is_some()
                || answers.description.is_some()
                || !answers.skills.is_empty(),
            commit: answers.commit.unwrap_or_else(|| wants(Step::Commit)),
            keys: answers.keys.unwrap_or(default_keys),
            passphrase: None,
            token,
            api_url: given.api_url.clone(),
            sync: remote.is_some()
                && answers.sync.unwrap_or_else(|| wants(Step::Sync) || answers.remote.is_some()),
            remote,
            hooks: answers.hooks.unwrap_or_else(|| wants(Step::Hooks)),
            commit_msg: answers.commit_msg.clone().and_then(Wanted::this),
            greet: match &answers.greet {
                Some(greet) => greet.clone().this(),
                None if wants(Step::Contact) => Some(AgentName::new("oracle1")?),
                None => None,
            },
            tasks: answers.tasks.clone(),
        })
    }

    /// The agent's name.
    pub(super) fn name(&self) -> Result<&AgentName, Fault> {
        self.name.as_ref().ok_or_else(|| {
            Fault::usage("no agent can be named after the folder")
                .hint("pass --agent NAME, or [agent] name in the answers")
        })
    }

    /// Refuses what could not be done, before anything is.
    pub(super) fn check(&self, facts: &Facts) -> Result<(), Fault> {
        if let Token::Variable(name) = &self.token
            && variable(name).is_none()
        {
            return Err(Fault::usage(format!("{name} is not set"))
                .hint("--token-env names the variable that holds the token; none for no token"));
        }
        if self.wants_token() && self.keys == Keys::None && !facts.keys {
            return Err(Fault::usage("a token is kept in the vault, and the vault needs keys")
                .hint("--keys new makes some; --token-env none keeps no token"));
        }
        Ok(())
    }

    fn wants_token(&self) -> bool {
        matches!(self.token, Token::Variable(_) | Token::Typed(_))
    }

    /// Whether keys that are here are left alone: none are wanted, nobody was told of these, and nothing needs them.
    #[cfg(feature = "vault")]
    pub(super) fn leaves_keys(&self, facts: &Facts) -> bool {
        self.keys == Keys::None && !facts.declared && !self.wants_token()
    }

    /// The text of the agent's CAPABILITY.toml.
    pub(super) fn declaration(&self, facts: &Facts) -> Result<String, Fault> {
        let name = self.name()?;
        let description =
            self.description.clone().unwrap_or_else(|| format!("The agent {name} and its vessel"));
        let mut skills = self.skills.clone();
        for (skill, told) in &mut skills {
            told.description.get_or_insert_with(|| skill.clone());
            if told.confidence.is_none() {
                told.confidence = datum_core::capability::Confidence::new(0.7);
            }
        }
        let version = env!("CARGO_PKG_VERSION");
        let mut written = onboarding::declaration(name, &self.role, &description, version, skills);
        // What else an old declaration says is kept; its comments are not.
        if let Some(old) = facts.declares.as_ref().filter(|old| !old.domains.is_empty())
            && let Ok(mut read) = datum_core::capability::read(&written)
        {
            read.capability.domains = old.domains.clone();
            written = datum_core::capability::write(&read.capability);
        }
        Ok(written)
    }

    /// The steps that are not wanted.
    pub(super) fn unwanted(&self, facts: &Facts) -> BTreeSet<Step> {
        let mut unwanted = BTreeSet::new();
        let mut say = |step, no: bool| {
            if no {
                unwanted.insert(step);
            }
        };
        say(Step::Commit, !self.commit);
        say(Step::Keys, self.keys == Keys::None && !facts.declared);
        say(Step::Hooks, !self.hooks);
        say(Step::Sync, !self.sync && (self.remote.is_some() || facts.remote.is_some()));
        say(Step::Token, matches!(self.token, Token::Declined));
        say(Step::Contact, self.greet.is_none());
        unwanted
    }

    /// What will be done, a line a step; and whether one is known to fail.
    pub(super) fn lines(&self, facts: &Facts) -> (Vec<(Step, String)>, bool) {
        let unsound = facts.declaration.as_ref().filter(|_| !self.rewrite).and_then(|wrong| wrong.first());
        let failed = unsound.map(|_| Step::Identity).into_iter().collect();
        let line = |need: Need| match (need.step, unsound) {
            (Step::Identity, Some(wrong)) => {
                format!("fail: CAPABILITY.toml: {wrong}; mend it, or pass --rewrite")
            }
            (step, _) => match waits_for(step, &failed).filter(|_| need.standing != Standing::Done) {
                Some(first) if !self.unwanted(facts).contains(&step) => {
                    format!("nothing (waits for {})", first.as_str())
                }
                _ => self.line(facts, &need),
            },
        };
        let lines = needs(facts).into_iter().map(|need| (need.step, line(need))).collect();
        (lines, unsound.is_some())
    }

    /// Whether a step that is done already is left as it is.
    fn leaves(&self, step: Step) -> bool {
        match step {
            Step::Identity | Step::Commit => !self.rewrite,
            Step::Boot | Step::Keys | Step::State => true,
            Step::Hooks => self.hooks && self.commit_msg.is_none(),
            Step::Token => matches!(self.token, Token::Unasked | Token::Declined),
            Step::Contact => self.greet.is_some(),
            Step::Sync | Step::Tasks => false,
        }
    }

    fn line(&self, facts: &Facts, need: &Need) -> String {
        let leave = || "nothing (not wanted)".to_owned();
        let name = self.name.as_ref().map_or("?", AgentName::as_str);
        match need.step {
            step if need.standing == Standing::Done && self.leaves(step) => format!("{} (stays)", need.says),
            Step::Identity => {
                let skills: Vec<_> = self.skills.keys().map(String::as_str).collect();
                let verb = if self.rewrite { "rewrite" } else { "write" };
                format!("{verb} CAPABILITY.toml: {name}, {}, {}", self.role, skills.join(", "))
            }
            Step::Commit if self.commit => "commit CAPABILITY.toml".to_owned(),
            Step::Keys => match self.keys {
                Keys::None => leave(),
                _ if facts.keys => "declare the keys".to_owned(),
                Keys::New => "make a signing key and an age key, and declare them".to_owned(),
                Keys::Locked => {
                    "make a signing key and an age key, locked with a passphrase, and declare them".to_owned()
                }
            },
            Step::Boot => "record the boot in the journal".to_owned(),
            Step::Hooks if !self.hooks => leave(),
            Step::Hooks => match self.commit_msg {
                Some(style) => {
                    format!("install post-commit, post-rewrite, pre-push, commit-msg ({})", style.as_str())
                }
                None => "install post-commit, post-rewrite, pre-push".to_owned(),
            },
            Step::Sync => match &self.remote {
                Some(remote) if self.sync => format!("exchange logs with {remote}"),
                _ => leave(),
            },
            Step::Token => match &self.token {
                Token::Variable(variable) => {
                    format!("check the token in {variable}, and keep it in the vault")
                }
                Token::Typed(_) => "check the token, and keep it in the vault".to_owned(),
                Token::Unasked | Token::Declined => leave(),
            },
            Step::Contact => match &self.greet {
                Some(greet) => format!("greet {greet}"),
                None => leave(),
            },
            Step::Tasks if self.tasks.is_empty() => "no new tasks".to_owned(),
            Step::Tasks => {
                let titles: Vec<_> = self.tasks.iter().map(|task| task.title.as_str()).collect();
                format!("make: {}", titles.join("; "))
            }
            Step::State => format!("record that {name} is onboarded"),
            Step::Commit => leave(),
        }
    }
}
