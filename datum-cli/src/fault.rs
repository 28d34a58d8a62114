//! Errors as the user meets them: one line, a hint, and an exit code that means something.

mod work;

use datum_core::audit::RuleError;
use datum_core::files::LookError;
use datum_core::oracle::OracleError;
use datum_core::roster::{RosterError, State};
use datum_core::sync::SyncError;
use datum_core::task::{TakeAtError, TakeError, TaskError};
use datum_core::transport::{TransportError, Trouble};
use datum_core::{
    AgentName, DraftError, FindError, GitError, NameError, ObjectError, RefError, RevisionError, StoreError,
};

/// What the exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// The answer is no.
    No = 1,
    /// Wrong use or bad input.
    Usage = 2,
    /// The repository or the environment is broken.
    Broken = 3,
}

/// A command that could not do what was asked.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) exit: Exit,
    /// The exit code, where it is another than that of `exit`.
    pub(crate) passed: Option<u8>,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Fault {
    /// Bad input.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), passed: None, hint: None }
    }

    /// An answer that is no.
    pub(crate) fn no(message: impl Into<String>) -> Self {
        Self { exit: Exit::No, message: message.into(), passed: None, hint: None }
    }

    /// A broken repository or environment.
    pub(crate) fn broken(message: impl Into<String>) -> Self {
        Self { exit: Exit::Broken, message: message.into(), passed: None, hint: None }
    }

    /// Ends the program with this code: that of programs which run others.
    pub(crate) fn passing(mut self, code: u8) -> Self {
        self.passed = Some(code);
        self
    }

    /// Adds what to do next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<NameError> for Fault {
    fn from(error: NameError) -> Self {
        let hint = match error.what {
            "agent name" => match meant(&error.text) {
                Some(name) => format!("{name} would be one; datum agent list lists those that are known"),
                None => "heron and jc-1 are such; datum agent list lists those that are known".to_owned(),
            },
            "claim" => "deploy and 3f9a2c are such; datum claim show lists those that are held".to_owned(),
            "bottle type" => "--type question, for one".to_owned(),
            "recipients" => "name one to 100 of them; datum bottle broadcast is for all".to_owned(),
            _ => "one word, such as deck/pump".to_owned(),
        };
        Self::usage(error.to_string()).hint(hint)
    }
}

/// The agent's name that is probably meant: in lower case, and with `-` for what is between words.
fn meant(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let name = words.join("-").to_lowercase();
    AgentName::new(&name).is_ok().then_some(name)
}

#[cfg(feature = "vault")]
impl From<datum_core::keys::KeyError> for Fault {
    fn from(error: datum_core::keys::KeyError) -> Self {
        use datum_core::keys::KeyError;
        match error {
            KeyError::Random(_) => Self::broken(error.to_string()),
            KeyError::Format { .. } | KeyError::Mismatch | KeyError::Passphrase => {
                Self::usage(error.to_string())
            }
        }
    }
}

#[cfg(feature = "vault")]
impl From<datum_core::vault::PortableError> for Fault {
    fn from(error: datum_core::vault::PortableError) -> Self {
        Self::usage(error.to_string())
    }
}

#[cfg(feature = "vault")]
impl From<datum_core::vault::VaultError> for Fault {
    fn from(error: datum_core::vault::VaultError) -> Self {
        use datum_core::vault::VaultError;
        let message = error.to_string();
        match error {
            VaultError::Untrusted { found } if found.is_empty() => {
                Self::usage(message).hint("datum vault init founds one; datum sync brings one")
            }
            VaultError::Untrusted { found } => Self::usage(message)
                .hint(format!("compare the id with its owner, then: datum vault trust {}", found[0])),
            VaultError::Foreign { .. } => Self::broken(message).hint("datum sync may bring the trusted one"),
            VaultError::Back { .. } => Self::broken(message).hint(
                "nothing is opened until this is settled: ask the others what they hold, then datum sync",
            ),
            VaultError::CannotOpen | VaultError::NotAllowed { .. } => {
                Self::no(message).hint("a keeper of the vault can grant it: datum vault grant AGENT NAME")
            }
            VaultError::NoMember(agent) => Self::no(message)
                .hint(format!("an owner or keeper takes it in: datum vault grant {agent} NAME")),
            VaultError::Unknown(_) => Self::usage(message).hint("datum vault list lists the names"),
            VaultError::Recipient { .. } | VaultError::Identity => Self::usage(message).hint(
                "age's own always; OpenSSH's Ed25519 keys and plugins' where it was built with age-ssh or age-plugin",
            ),
            VaultError::TooLarge { .. } => Self::usage(message),
            VaultError::Draft(error) => error.into(),
            VaultError::Random(error) => error.into(),
            VaultError::Object(error) => error.into(),
        }
    }
}

impl From<DraftError> for Fault {
    fn from(error: DraftError) -> Self {
        let message = error.to_string();
        let hint = match error {
            DraftError::Name(error) => return error.into(),
            DraftError::EmptySubject => "say in a few words what it is about",
            DraftError::TooLong { what, .. } | DraftError::Character { what, .. } if what == "subject" => {
                "put a short subject of one line first and the rest into the body"
            }
            DraftError::TooLong { .. } => "keep what is long in a file of the repository, and name it",
            DraftError::Character { .. } => "take it out: it would hide the text around it, or turn it",
            DraftError::Value(_) | DraftError::Key(_) => {
                "keys are letters, digits and -, values one line of text"
            }
        };
        Self::usage(message).hint(hint)
    }
}

impl From<FindError> for Fault {
    fn from(error: FindError) -> Self {
        let hint = match &error {
            FindError::Ambiguous { .. } => "give more digits",
            FindError::Unknown(_) => {
                "datum journal and datum bottle check list ids; datum sync fetches entries of others"
            }
            FindError::NotAnId(_) => "datum journal and datum bottle check list ids",
        };
        Self::usage(error.to_string()).hint(hint)
    }
}

impl From<ObjectError> for Fault {
    fn from(error: ObjectError) -> Self {
        Self::broken(error.to_string()).hint("datum doctor looks for what can be repaired")
    }
}

impl From<GitError> for Fault {
    fn from(error: GitError) -> Self {
        let hint = match error {
            GitError::Start(_) => "datum calls git: install it, or set PATH",
            _ => "git says that; the same git command by hand may tell more",
        };
        Self::broken(error.to_string()).hint(hint)
    }
}

impl From<TransportError> for Fault {
    fn from(error: TransportError) -> Self {
        Self::from(&error)
    }
}

impl From<&TransportError> for Fault {
    fn from(error: &TransportError) -> Self {
        let hint = match error.trouble {
            Trouble::NoLocation => {
                return Self::usage(error.to_string())
                    .hint("a remote's name, a path, or an address of https, ssh, git or file; git remote -v lists remotes");
            }
            Trouble::Auth => "does git fetch work there? datum uses git's own credentials and asks for none",
            Trouble::Timeout => "what was done stays done: run it again, with a longer --budget",
            Trouble::Unreachable | Trouble::Cut => "what was done stays done: run it again when it is back",
            Trouble::Refused => "datum sync --branch and --bundle travel where refs/datum may not",
            Trouble::Program => "git says that; git ls-remote with the same place tells more",
        };
        Self::broken(error.to_string()).hint(hint)
    }
}

impl From<SyncError> for Fault {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Store(error) => error.into(),
            SyncError::Transport(error) => error.into(),
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::NotARepository { .. } => {
                Self::usage(message).hint("datum boot makes one here; -C DIR names another place")
            }
            StoreError::Object(ObjectError::Write { .. })
            | StoreError::File { .. }
            | StoreError::Ref(RefError::Io { .. }) => {
                Self::broken(message).hint("is the repository read-only, or the disk full?")
            }
            StoreError::Log { .. } | StoreError::Ref(_) | StoreError::Object(_) => {
                Self::broken(message).hint("datum doctor looks for what can be repaired")
            }
            StoreError::Locked { .. } | StoreError::Outrun { .. } => Self::broken(message)
                .hint("another git or datum process is at it; a lock that a dead one left is cleared once it is 10 s old"),
            StoreError::Signing { .. } => Self::usage(message).hint(
                "datum agent keys new makes keys; DATUM_PASSPHRASE_FD gives the passphrase of locked ones",
            ),
            StoreError::Open { .. } | StoreError::Git(_) => Self::broken(message),
        }
    }
}

impl From<TaskError> for Fault {
    fn from(error: TaskError) -> Self {
        let message = error.to_string();
        match error {
            TaskError::NotAName(_) | TaskError::Unknown(_) => {
                Self::usage(message).hint("datum task list --all lists them; datum sync fetches those of others")
            }
            TaskError::Ambiguous { .. } => Self::usage(message).hint("give more characters"),
            TaskError::Held { hold, .. } => Self::no(format!("{message} until {}", crate::time::show(hold.until)))
                .hint("it can be taken over when the lease ends; finish, cancel, block, review and reopen take --force"),
            TaskError::Expired { task, hold } => Self::no(format!("{message} at {}", crate::time::show(hold.until)))
                .hint(format!("datum task claim {task} takes it again, if nobody else has")),
            TaskError::FencedOff { task, .. } => Self::no(message).hint(format!("datum task show {task} says who has it")),
            TaskError::NotHeld { task, .. } => Self::no(message).hint(format!("datum task claim {task}")),
            TaskError::State { task, .. } => Self::no(message).hint(format!("datum task show {task} tells what happened")),
            TaskError::Waits { .. } => Self::no(message).hint("datum task ready lists those that wait for nothing"),
            TaskError::NoChange(_) => Self::usage(message).hint("it is so already: datum task show tells"),
            TaskError::Cycle(_) => {
                Self::usage(message).hint("datum task edit ID --no-needs ID takes one of them out")
            }
            TaskError::ParentCycle(_) => Self::usage(message).hint("datum task edit ID --no-parent takes one out"),
            TaskError::Draft(error) => error.into(),
        }
    }
}

impl From<RevisionError> for Fault {
    fn from(error: RevisionError) -> Self {
        match error {
            RevisionError::Unknown { .. } => {
                Self::usage(error.to_string()).hint("git rev-parse --verify tells what a name stands for")
            }
            RevisionError::Store(error) => error.into(),
        }
    }
}

impl From<TakeAtError> for Fault {
    fn from(error: TakeAtError) -> Self {
        match error {
            TakeAtError::Take(error) => error.into(),
            TakeAtError::Sync(error) => error.into(),
        }
    }
}

impl From<TakeError> for Fault {
    fn from(error: TakeError) -> Self {
        match error {
            TakeError::Task(error) => error.into(),
            TakeError::Store(error) => error.into(),
        }
    }
}

impl From<LookError> for Fault {
    fn from(error: LookError) -> Self {
        match error {
            LookError::Object(error) => error.into(),
            LookError::Io { .. } => {
                Self::broken(error.to_string()).hint("may this user read it, and is it still there?")
            }
            LookError::TooLarge { .. } => Self::usage(error.to_string()).hint("a smaller file, or none"),
            LookError::NotFollowed { .. } => Self::usage(error.to_string()).hint("put the file itself there"),
        }
    }
}

impl From<RuleError> for Fault {
    fn from(error: RuleError) -> Self {
        Self::usage(error.to_string())
            .hint("datum audit rules lists the rules; datum audit --help shows a rule file")
    }
}

impl From<OracleError> for Fault {
    fn from(error: OracleError) -> Self {
        let message = error.to_string();
        match error {
            OracleError::Task(error) => error.into(),
            OracleError::UnknownAgent(_) => {
                Self::usage(message).hint("datum oracle discover lists those that are known")
            }
            OracleError::Retired(name) => Self { exit: Exit::No, ..Self::usage(message) }
                .hint(format!("datum agent restart {name} brings it back")),
            OracleError::Nobody { .. } => Self { exit: Exit::No, ..Self::usage(message) }
                .hint("datum fleet add and datum fleet discover find more; --to names one all the same"),
            OracleError::Object(error) => error.into(),
            OracleError::Store(error) => error.into(),
        }
    }
}

impl From<RosterError> for Fault {
    fn from(error: RosterError) -> Self {
        let message = error.to_string();
        match error {
            RosterError::Step { agent, state, .. } => {
                let verb = if state == State::Retired { "restart" } else { "start" };
                Self { exit: Exit::No, ..Self::usage(message) }.hint(format!("datum agent {verb} {agent}"))
            }
            RosterError::Draft(error) => error.into(),
        }
    }
}
