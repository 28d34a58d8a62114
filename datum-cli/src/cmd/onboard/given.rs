//! The answers that are given: as options, or in a file; an option counts before the file.

use crate::fault::Fault;
use datum_core::AgentName;
use datum_core::Word;
use datum_core::capability::{Confidence, Skill};
use datum_core::onboarding::{
    ANSWERS_MAX, Answers, FirstTask, Keys, TASKS_MAX, Wanted, one_line, variable_name,
};
use datum_core::style::Style;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Answers.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Answers")]
pub(super) struct Given {
    /// Take answers from this TOML file (`-`: stdin)
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// The agent's role
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// What it is, in a sentence
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A capability and how sure the agent is of it (repeatable)
    #[arg(long, value_name = "NAME[=CONFIDENCE]")]
    cap: Vec<String>,
    /// Write CAPABILITY.toml anew where there is one
    #[arg(long)]
    pub(super) rewrite: bool,
    /// Commit CAPABILITY.toml, through git commit [default: yes]
    #[arg(long, overrides_with = "no_commit")]
    commit: bool,
    /// Leave it to be committed
    #[arg(long)]
    no_commit: bool,
    /// Make a signing key and an age key: new (in clear), locked (with a passphrase) or none [default: new]
    #[arg(long, value_name = "HOW", value_parser = ["new", "locked", "none"])]
    keys: Option<String>,
    /// The variable that holds a GitHub token, to be checked and kept in the vault; none for no token
    #[arg(long, value_name = "VARIABLE")]
    token_env: Option<String>,
    /// The address of GitHub's API [default: $GITHUB_API_URL, then $GH_HOST, then api.github.com]
    #[arg(long, value_name = "URL")]
    pub(super) api_url: Option<String>,
    /// A remote's name, an address or a path; none [default: the branch's remote, or origin]
    #[arg(long, value_name = "REMOTE")]
    remote: Option<String>,
    /// Exchange logs with the remote [default: yes, where there is one]
    #[arg(long, overrides_with = "no_sync")]
    sync: bool,
    /// Exchange nothing
    #[arg(long)]
    no_sync: bool,
    /// Install post-commit, post-rewrite and pre-push hooks [default: yes]
    #[arg(long, overrides_with = "no_hooks")]
    hooks: bool,
    /// Install no hooks
    #[arg(long)]
    no_hooks: bool,
    /// Also check commit subjects: i2i, conventional, either or none [default: none]
    #[arg(long, value_name = "STYLE")]
    commit_msg: Option<String>,
    /// Whom to greet with a first bottle; none [default: oracle1]
    #[arg(long, value_name = "NAME")]
    greet: Option<String>,
    /// A task to begin with (repeatable)
    #[arg(long, value_name = "TITLE")]
    task: Vec<String>,
    /// Kept for the original's scripts
    #[arg(long, value_name = "URL", hide = true)]
    keeper: Option<String>,
}

impl Given {
    /// The answers of the file, and over them those of the options.
    pub(super) fn answers(&self) -> Result<Answers, Fault> {
        let mut answers = match &self.answers {
            Some(path) => read(path)?,
            None => Answers::default(),
        };
        set(&mut answers.role, option("--role", self.role.as_deref(), one_line)?);
        set(&mut answers.description, option("--description", self.description.as_deref(), one_line)?);
        if !self.cap.is_empty() {
            answers.skills = self.cap.iter().map(|text| skill(text)).collect::<Result<_, _>>()?;
        }
        set(&mut answers.keys, self.keys.as_deref().and_then(Keys::parse));
        set(&mut answers.token_env, option("--token-env", self.token_env.as_deref(), wanted(variable_name))?);
        set(&mut answers.remote, option("--remote", self.remote.as_deref(), wanted(one_line))?);
        set(&mut answers.greet, option("--greet", self.greet.as_deref(), wanted(AgentName::new))?);
        let style = |text: &str| Style::parse(text).ok_or("write i2i, conventional, either or none");
        set(&mut answers.commit_msg, option("--commit-msg", self.commit_msg.as_deref(), wanted(style))?);
        set(&mut answers.commit, switch(self.commit, self.no_commit));
        set(&mut answers.sync, switch(self.sync, self.no_sync));
        set(&mut answers.hooks, switch(self.hooks, self.no_hooks));
        if !self.task.is_empty() {
            if self.task.len() > TASKS_MAX {
                return Err(Fault::usage(format!("--task: more than {TASKS_MAX} tasks"))
                    .hint("datum task create makes more"));
            }
            answers.tasks = self
                .task
                .iter()
                .map(|title| {
                    option("--task", Some(title), one_line).map(|title| first(title.unwrap_or_default()))
                })
                .collect::<Result<_, _>>()?;
        }
        Ok(answers)
    }
}

/// A first task that is no more than its title.
pub(super) fn first(title: String) -> FirstTask {
    FirstTask {
        title,
        text: String::new(),
        priority: datum_core::task::Priority::default(),
        caps: Vec::new(),
    }
}

fn set<T>(slot: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *slot = value;
    }
}

fn switch(on: bool, off: bool) -> Option<bool> {
    if on { Some(true) } else { off.then_some(false) }
}

fn wanted<T, E>(check: impl Fn(&str) -> Result<T, E>) -> impl Fn(&str) -> Result<Wanted<T>, E> {
    move |text| if text == "none" { Ok(Wanted::None) } else { check(text).map(Wanted::This) }
}

fn option<T, E: std::fmt::Display>(
    name: &str,
    text: Option<&str>,
    check: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, Fault> {
    let check = |text| {
        check(text).map_err(|error| {
            Fault::usage(format!("{name}: {error}")).hint("datum onboard --help tells what it takes")
        })
    };
    text.map(check).transpose()
}

/// Parses `audit=0.9`, or `audit` for one the agent is fairly sure of.
fn skill(text: &str) -> Result<(String, Skill), Fault> {
    let (name, confidence) = text.split_once('=').unwrap_or((text, "0.7"));
    let name = Word::new("capability", name)?;
    let confidence = confidence.parse().ok().and_then(Confidence::new).ok_or_else(|| {
        Fault::usage(format!("--cap: {text:?}: a confidence is a number from 0 to 1")).hint("--cap audit=0.9")
    })?;
    let skill = Skill { confidence: Some(confidence), ..Skill::default() };
    Ok((name.to_string(), skill))
}

fn read(path: &Path) -> Result<Answers, Fault> {
    let mut text = String::new();
    let most = ANSWERS_MAX as u64 + 1;
    let read = if path.as_os_str() == "-" {
        std::io::stdin().lock().take(most).read_to_string(&mut text)
    } else {
        File::open(path).and_then(|file| file.take(most).read_to_string(&mut text))
    };
    read.map_err(|error| {
        Fault::usage(format!("--answers: {}: {error}", path.display()))
            .hint("a file of TOML that is there; datum onboard --help shows one")
    })?;
    Answers::read(&text).map_err(|error| {
        Fault::usage(format!("{}: {error}", path.display()))
            .hint("datum onboard --help shows a file of answers")
    })
}
