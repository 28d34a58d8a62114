//! Errors as the user meets them: one line, a hint, and an exit code that means something.

use datum_core::sync::SyncError;
use datum_core::task::{TakeError, TaskError};
use datum_core::transport::{TransportError, Trouble};
use datum_core::{DraftError, FindError, GitError, NameError, ObjectError, RefError, StoreError};

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
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Fault {
    /// Bad input.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), hint: None }
    }

    /// A broken repository or environment.
    pub(crate) fn broken(message: impl Into<String>) -> Self {
        Self { exit: Exit::Broken, message: message.into(), hint: None }
    }

    /// Adds what to do next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<NameError> for Fault {
    fn from(error: NameError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<DraftError> for Fault {
    fn from(error: DraftError) -> Self {
        let hint = match &error {
            DraftError::TooLong { what, .. } if what == "subject" => {
                Some("put a short subject first and the rest into the body".to_owned())
            }
            _ => None,
        };
        Self { hint, ..Self::usage(error.to_string()) }
    }
}

impl From<FindError> for Fault {
    fn from(error: FindError) -> Self {
        let hint = match &error {
            FindError::Ambiguous { .. } => "give more digits",
            FindError::Unknown(_) => {
                "datum journal and datum bottle check list ids; datum sync fetches entries of others"
            }
            FindError::NotAnId(_) => return Self::usage(error.to_string()),
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
        Self::broken(error.to_string())
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
            Trouble::NoLocation => return Self::usage(error.to_string()),
            Trouble::Auth => "does git fetch work there? datum uses git's own credentials and asks for none",
            Trouble::Timeout => "what was done stays done: run it again, with a longer --budget",
            Trouble::Unreachable | Trouble::Cut => "what was done stays done: run it again when it is back",
            Trouble::Refused => "datum sync --branch and --bundle travel where refs/datum may not",
            Trouble::Program => return Self::broken(error.to_string()),
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
            StoreError::Locked { .. } => Self::broken(message)
                .hint("if no git or datum process is running, datum doctor removes the lock"),
            StoreError::Open { .. } | StoreError::Git(_) => Self::broken(message),
        }
    }
}

impl From<TaskError> for Fault {
    fn from(error: TaskError) -> Self {
        let message = error.to_string();
        let no = |message: String| Self { exit: Exit::No, ..Self::usage(message) };
        match error {
            TaskError::NotAName(_) | TaskError::Unknown(_) => {
                Self::usage(message).hint("datum task list --all lists them; datum sync fetches those of others")
            }
            TaskError::Ambiguous { .. } => Self::usage(message).hint("give more characters"),
            TaskError::Held { hold, .. } => no(format!("{message} until {}", crate::time::show(hold.until)))
                .hint("it can be taken over when the lease ends; --force passes over the claim where a step has it"),
            TaskError::Expired { task, hold } => no(format!("{message} at {}", crate::time::show(hold.until)))
                .hint(format!("datum task claim {task} takes it again, if nobody else has")),
            TaskError::FencedOff { task, .. } => no(message).hint(format!("datum task show {task} says who has it")),
            TaskError::NotHeld { task, .. } => no(message).hint(format!("datum task claim {task}")),
            TaskError::State { task, .. } => no(message).hint(format!("datum task show {task} tells what happened")),
            TaskError::Waits { .. } => no(message).hint("datum task ready lists those that wait for nothing"),
            TaskError::NoChange(_) | TaskError::Cycle(_) | TaskError::ParentCycle(_) => Self::usage(message),
            TaskError::Draft(error) => error.into(),
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
