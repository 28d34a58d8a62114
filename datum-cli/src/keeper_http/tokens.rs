//! Tokens and invitations of a served keeper: kept as SHA-256, each with its agent and its end, beside the pins of this
//! clone, where nothing travels.
//!
//! ```text
//! datum keeper tokens 1
//! token 9f86d0… oracle1 1795643811122
//! invitation 60303a… oracle2 1795643811122
//! ```

use crate::fault::Fault;
use datum_core::{AgentName, Millis, Store, vault};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::PathBuf;
use zeroize::Zeroizing;

const HEADER: &str = "datum keeper tokens 1";
/// Largest file read, bytes: some five thousand lines.
const FILE_MAX: u64 = 1024 * 1024;

/// What a line gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gives {
    /// To ask as the agent.
    Token,
    /// To get a token once.
    Invitation,
}

impl Gives {
    fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Invitation => "invitation",
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) gives: Gives,
    hash: String,
    pub(crate) agent: AgentName,
    pub(crate) until: Millis,
}

/// The file, and what it held when it was last read.
#[derive(Debug)]
pub(crate) struct Tokens {
    path: PathBuf,
    lines: Vec<Line>,
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Tokens {
    /// The file of this clone, not read yet.
    pub(crate) fn open(store: &Store) -> Result<Self, Fault> {
        let folder = store.common_dir().join("datum");
        fs::create_dir_all(&folder)
            .map_err(|error| Fault::broken(format!("{}: {error}", folder.display())))?;
        Ok(Self { path: folder.join("keeper-tokens"), lines: Vec::new() })
    }

    /// Reads the file.
    pub(crate) fn read(&mut self) -> Result<(), Fault> {
        let broken = |what: &str| Fault::broken(format!("{}: {what}", self.path.display()));
        let mut text = String::new();
        match File::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.lines.clear();
                return Ok(());
            }
            Err(error) => return Err(broken(&error.to_string())),
            Ok(file) => {
                file.take(FILE_MAX).read_to_string(&mut text).map_err(|error| broken(&error.to_string()))?
            }
        };
        self.lines = parse(&text).ok_or_else(|| {
            broken("it holds no tokens of this version")
                .hint("remove it: all tokens then end, and agents enrol again")
        })?;
        Ok(())
    }

    /// What is good at `now`.
    pub(crate) fn good(&self, now: Millis) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.until > now)
    }

    /// The agent that a token or an invitation was given to.
    pub(crate) fn agent(&self, gives: Gives, text: &str, now: Millis) -> Option<AgentName> {
        let hash = hash(text);
        self.good(now).find(|line| line.gives == gives && line.hash == hash).map(|line| line.agent.clone())
    }

    /// Makes a new one, which is shown this once.
    pub(crate) fn make(
        &mut self,
        gives: Gives,
        agent: &AgentName,
        now: Millis,
        until: Millis,
    ) -> Result<Zeroizing<String>, Fault> {
        let bytes = vault::generate(32)?;
        let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
        let line = Line { gives, hash: hash(&text), agent: agent.clone(), until };
        self.change(now, |lines| lines.push(line))?;
        Ok(text)
    }

    /// Takes an invitation away, so that it cannot be used again; `false` when it was gone already.
    pub(crate) fn use_up(&mut self, invitation: &str, now: Millis) -> Result<bool, Fault> {
        let hash = hash(invitation);
        let is = |line: &Line| line.gives == Gives::Invitation && line.hash == hash;
        let mut found = false;
        self.change(now, |lines| {
            found = lines.iter().any(is);
            lines.retain(|line| !is(line));
        })?;
        Ok(found)
    }

    /// Ends all that an agent has; answers with how many there were.
    pub(crate) fn revoke(&mut self, agent: &AgentName, now: Millis) -> Result<usize, Fault> {
        let mut count = 0;
        self.change(now, |lines| {
            count = lines.iter().filter(|line| line.agent == *agent).count();
            lines.retain(|line| line.agent != *agent);
        })?;
        Ok(count)
    }

    /// Reads, changes and writes, one process at a time; what has ended is left out.
    fn change(&mut self, now: Millis, change: impl FnOnce(&mut Vec<Line>)) -> Result<(), Fault> {
        let cannot = |error: std::io::Error| Fault::broken(format!("{}: {error}", self.path.display()));
        let lock = File::options().create(true).append(true).open(self.path.with_extension("lock"));
        let lock = lock.map_err(cannot)?;
        lock.lock().map_err(cannot)?;
        self.read()?;
        self.lines.retain(|line| line.until > now);
        change(&mut self.lines);
        let new = self.path.with_extension("new");
        let _ = fs::remove_file(&new);
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let write = || {
            let mut file = options.open(&new)?;
            file.write_all(print(&self.lines).as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &self.path)
        };
        write().map_err(|error| Fault::broken(format!("{}: {error}", self.path.display())))
    }
}

fn print(lines: &[Line]) -> String {
    let line = |line: &Line| format!("{} {} {} {}\n", line.gives.as_str(), line.hash, line.agent, line.until);
    format!("{HEADER}\n{}", lines.iter().map(line).collect::<String>())
}

fn parse(text: &str) -> Option<Vec<Line>> {
    let rest = text.strip_prefix(HEADER)?.strip_prefix('\n')?;
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let [gives, hash, agent, until] = words.as_slice() else { return None };
        let gives = [Gives::Token, Gives::Invitation].into_iter().find(|known| known.as_str() == *gives)?;
        let hash = Some(*hash).filter(|hash| hash.len() == 64)?.to_owned();
        Some(Line { gives, hash, agent: AgentName::new(agent).ok()?, until: until.parse().ok()? })
    };
    rest.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_kept_as_hashes_used_up_and_ended() {
        let dir = tempfile::tempdir().unwrap();
        let mut tokens = Tokens { path: dir.path().join("keeper-tokens"), lines: Vec::new() };
        let a = AgentName::new("a").unwrap();
        let invitation = tokens.make(Gives::Invitation, &a, 0, 100).unwrap();
        let token = tokens.make(Gives::Token, &a, 0, 1000).unwrap();
        let text = fs::read_to_string(&tokens.path).unwrap();
        assert!(!text.contains(invitation.as_str()) && !text.contains(token.as_str()));
        assert_eq!(parse(&text).unwrap(), tokens.lines);
        assert_eq!(tokens.agent(Gives::Token, &token, 999), Some(a.clone()));
        assert_eq!(tokens.agent(Gives::Token, &token, 1000), None);
        assert_eq!(tokens.agent(Gives::Token, &invitation, 0), None);
        assert_eq!(tokens.agent(Gives::Invitation, &invitation, 0), Some(a.clone()));
        assert!(tokens.use_up(&invitation, 0).unwrap());
        assert!(!tokens.use_up(&invitation, 0).unwrap());
        assert_eq!(tokens.revoke(&a, 0).unwrap(), 1);
        assert_eq!(tokens.agent(Gives::Token, &token, 0), None);
        for bad in ["", "datum keeper tokens 2\n", "datum keeper tokens 1\ntoken x a 1\n"] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
