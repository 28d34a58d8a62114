//! Where agents' keys lie: files of mode 0600 outside of every repository, and the ways to name another.

use crate::edge::variable;
use crate::fault::Fault;
use datum_core::AgentName;
use datum_core::keys::{AgentKeys, FILE_MAX, KeyFile};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use zeroize::Zeroizing;

/// The keys that were unlocked in this run; none for an agent whose keys are left alone.
#[derive(Default)]
pub(crate) struct Keyring(RefCell<BTreeMap<String, Option<Rc<AgentKeys>>>>);

impl Keyring {
    /// The agent's keys, if they are here.
    pub(crate) fn find(&self, agent: &AgentName) -> Result<Option<Rc<AgentKeys>>, Fault> {
        if let Some(keys) = self.0.borrow().get(agent.as_str()) {
            return Ok(keys.clone());
        }
        let Some(file) = read(agent)? else { return Ok(None) };
        let keys = Rc::new(file.open(|| passphrase(&format!("Passphrase of {agent}'s keys: ")))?);
        self.0.borrow_mut().insert(agent.to_string(), Some(Rc::clone(&keys)));
        Ok(Some(keys))
    }

    /// Takes in keys that were just made, so that nobody is asked for their passphrase.
    pub(crate) fn unlocked(&self, keys: AgentKeys) {
        self.0.borrow_mut().insert(keys.agent().to_string(), Some(Rc::new(keys)));
    }

    /// Leaves an agent's keys alone in this run: nobody is asked for their passphrase, and nothing is signed with them.
    pub(crate) fn leave(&self, agent: &AgentName) {
        self.0.borrow_mut().insert(agent.to_string(), None);
    }

    /// The agent's keys, or what to do to have some.
    pub(crate) fn need(&self, agent: &AgentName) -> Result<Rc<AgentKeys>, Fault> {
        self.find(agent)?.ok_or_else(|| {
            Fault::usage(format!("there are no keys of {agent} here")).hint(format!(
                "datum agent keys new --agent {agent}, or name the file in DATUM_IDENTITY_FILE"
            ))
        })
    }
}

/// The file that holds an agent's keys unless another is named.
pub(crate) fn path(agent: &AgentName) -> Result<PathBuf, Fault> {
    let base = variable("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".config")));
    let base = base.ok_or_else(|| {
        Fault::broken("neither HOME nor XDG_CONFIG_HOME says where keys are kept")
            .hint("set one of them, or name the file in DATUM_IDENTITY_FILE")
    })?;
    Ok(base.join("datum/agents").join(format!("{agent}.keys")))
}

/// Reads an agent's key file: the one in `DATUM_IDENTITY_FD` or `DATUM_IDENTITY_FILE`, else the one at its place.
pub(crate) fn read(agent: &AgentName) -> Result<Option<KeyFile>, Fault> {
    // Without a home there is no place for keys, and so there are none.
    let own = path(agent).ok();
    let named = variable("DATUM_IDENTITY_FILE").map(PathBuf::from);
    let (path, open) = if let Some(number) = variable("DATUM_IDENTITY_FD") {
        let path = descriptor("DATUM_IDENTITY_FD", &number)?;
        (path.clone(), File::open(&path))
    } else {
        let must = named.is_some();
        let Some(path) = named.or_else(|| own.clone()) else { return Ok(None) };
        let opened = File::open(&path);
        match &opened {
            Err(error) if !must && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Ok(file) => check_private(&path, file)?,
            Err(_) => {}
        }
        (path, opened)
    };
    let cannot = |error| Fault::broken(format!("cannot read the keys in {}: {error}", path.display()));
    let mut text = Zeroizing::new(String::with_capacity(FILE_MAX + 1));
    let most = u64::try_from(FILE_MAX).unwrap_or(u64::MAX) + 1;
    open.map_err(cannot)?.take(most).read_to_string(&mut text).map_err(cannot)?;
    let file = KeyFile::parse(&text).map_err(|error| {
        Fault::usage(format!("{}: {error}", path.display()))
            .hint("datum agent keys new makes such a file; this one may be another's, or cut off")
    })?;
    if file.agent == *agent {
        Ok(Some(file))
    } else if Some(&path) == own.as_ref() {
        Err(Fault::usage(format!("{}: it holds the keys of {}", path.display(), file.agent))
            .hint("each agent has a file of its own: give this one its name back"))
    } else {
        // A file that was named for one agent says nothing of another.
        Ok(None)
    }
}

/// Writes a new key file; `replace` an old one by it.
pub(crate) fn write(path: &Path, text: &str, replace: bool) -> Result<(), Fault> {
    let cannot = |error| Fault::broken(format!("cannot write the keys to {}: {error}", path.display()));
    if !replace && path.exists() {
        return Err(Fault::usage(format!("{} is there already", path.display()))
            .hint("its keys may be the only ones that open what is sealed to them: move it away first"));
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(cannot)?;
    }
    let new = path.with_extension(format!("new.{}", std::process::id()));
    let _ = fs::remove_file(&new);
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let write = || {
        let mut file = options.open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        if replace {
            fs::rename(&new, path)
        } else {
            fs::hard_link(&new, path).and_then(|()| fs::remove_file(&new))
        }
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&new);
        cannot(error)
    })
}

/// Refuses a file that others can read.
fn check_private(path: &Path, file: &File) -> Result<(), Fault> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let mode = file.metadata().map_or(0o777, |meta| meta.mode());
        if mode & 0o077 != 0 {
            return Err(Fault::usage(format!(
                "{}: others can read it (mode {:o})",
                path.display(),
                mode & 0o777
            ))
            .hint(format!("chmod 600 {}", path.display())));
        }
    }
    Ok(())
}

/// The path under which an open descriptor can be read.
fn descriptor(name: &str, number: &str) -> Result<PathBuf, Fault> {
    let number: u32 = number.parse().map_err(|_| {
        Fault::usage(format!("{name} is no number of a descriptor"))
            .hint(format!("{name}=3 with 3<FILE, for one"))
    })?;
    Ok(PathBuf::from(format!("/dev/fd/{number}")))
}

/// The passphrase: from `DATUM_PASSPHRASE_FD`, or asked for on the terminal.
pub(crate) fn passphrase(prompt: &str) -> Result<Zeroizing<String>, Fault> {
    if let Some(number) = variable("DATUM_PASSPHRASE_FD") {
        let mut text = Zeroizing::new(String::with_capacity(1024));
        let file = File::open(descriptor("DATUM_PASSPHRASE_FD", &number)?);
        file.and_then(|file| file.take(1024).read_to_string(&mut text)).map_err(|error| {
            Fault::broken(format!("cannot read the passphrase from DATUM_PASSPHRASE_FD: {error}"))
        })?;
        return Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()));
    }
    hidden(prompt)
        .map_err(|fault| fault.hint("set DATUM_PASSPHRASE_FD to a descriptor that gives the passphrase"))
}

/// All lines of `DATUM_PASSPHRASE_FD`; none where it is not set.
#[cfg(feature = "legacy-import")]
pub(crate) fn passphrases() -> Result<Vec<Zeroizing<String>>, Fault> {
    let Some(number) = variable("DATUM_PASSPHRASE_FD") else { return Ok(Vec::new()) };
    let mut text = Zeroizing::new(String::with_capacity(64 * 1024));
    let file = File::open(descriptor("DATUM_PASSPHRASE_FD", &number)?);
    file.and_then(|file| file.take(64 * 1024).read_to_string(&mut text)).map_err(|error| {
        Fault::broken(format!("cannot read the passphrases from DATUM_PASSPHRASE_FD: {error}"))
    })?;
    Ok(text.lines().map(|line| Zeroizing::new(line.to_owned())).collect())
}

/// Asks on the terminal, without showing what is typed.
pub(crate) fn hidden(prompt: &str) -> Result<Zeroizing<String>, Fault> {
    if !std::io::stderr().is_terminal() {
        return Err(Fault::usage("there is no terminal to ask on")
            .hint("run it on a terminal, or give it on stdin or in a file"));
    }
    rpassword::prompt_password(prompt)
        .map(Zeroizing::new)
        .map_err(|error| Fault::broken(format!("cannot ask on the terminal: {error}")))
}
