//! Hooks as files of the hooks folder.

use super::lines::{self, Caller, Without};
use super::{Event, Hindrance, HooksError};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The folder in the hooks folder that holds hooks which are no shell scripts, under their own names.
pub const MOVED: &str = "before-datum";

/// Largest hook that is read as a script, bytes.
const SCRIPT_MAX: u64 = 1024 * 1024;

/// What a file of the hooks folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum File {
    /// There is none.
    Absent,
    /// It is someone else's.
    Foreign {
        /// Whose, where its text says so: `husky`, `lefthook`, `pre-commit` and others.
        tool: Option<&'static str>,
        /// Whether git would run it.
        executable: bool,
    },
    /// It holds our lines.
    Ours {
        /// Whether another hook runs after ours.
        chains: bool,
        /// Whether git would run it.
        executable: bool,
        /// Whether our lines come first, so that nothing else runs before them.
        first: bool,
    },
}

impl File {
    /// Why git passes over our lines in it, or does not come as far.
    pub(super) fn hindrance(&self, path: &Path) -> Option<Hindrance> {
        match self {
            Self::Ours { executable: false, .. } => Some(Hindrance::NotExecutable(path.to_owned())),
            Self::Ours { first: false, .. } => Some(Hindrance::NotFirst(path.to_owned())),
            Self::Absent | Self::Foreign { .. } | Self::Ours { .. } => None,
        }
    }
}

fn cannot(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> HooksError {
    move |source| HooksError::Io { doing, path: path.to_owned(), source }
}

/// The place a hook is moved to.
fn moved(path: &Path) -> PathBuf {
    path.with_file_name(MOVED).join(path.file_name().unwrap_or_default())
}

fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// The bytes of a plain file that may be a script; `None` for a link, and for what is too large to be one.
fn read(path: &Path) -> Result<Option<Vec<u8>>, HooksError> {
    let about = fs::symlink_metadata(path).map_err(cannot("read", path))?;
    if !about.is_file() || about.len() > SCRIPT_MAX {
        return Ok(None);
    }
    fs::read(path).map(Some).map_err(cannot("read", path))
}

/// Says what the hook at `path` is.
pub(super) fn look(path: &Path) -> Result<File, HooksError> {
    let about = match fs::symlink_metadata(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(File::Absent);
        }
        about => about.map_err(cannot("read", path))?,
    };
    let executable = is_executable(path);
    if about.is_dir() {
        return Ok(File::Foreign { tool: None, executable: false });
    }
    let bytes = read(path)?.unwrap_or_default();
    Ok(match lines::without(&bytes) {
        Without::Untouched => File::Foreign { tool: tool(&bytes), executable },
        Without::Damaged => return Err(HooksError::Markers(path.to_owned())),
        Without::Nothing => File::Ours { chains: is_there(&moved(path)), executable, first: true },
        Without::Rest(_) => {
            let second = bytes.split(|byte| *byte == b'\n').nth(1).unwrap_or_default();
            File::Ours { chains: true, executable, first: second.starts_with(b"# >>> datum") }
        }
    })
}

/// Whose hook it is, by the words its author leaves in it.
fn tool(bytes: &[u8]) -> Option<&'static str> {
    const TOOLS: [(&str, &str); 8] = [
        ("husky", "husky"),
        ("dirname -- \"$0\")/h\"", "husky"),
        ("dirname \"$0\")/h\"", "husky"),
        ("lefthook", "lefthook"),
        ("prek", "prek"),
        ("pre-commit.com", "pre-commit"),
        ("pre-commit", "pre-commit"),
        ("git lfs", "git-lfs"),
    ];
    let text = String::from_utf8_lossy(bytes);
    TOOLS.into_iter().find_map(|(word, tool)| text.contains(word).then_some(tool))
}

/// Installs our lines at `path`.
pub(super) fn install(path: &Path, event: Event, caller: &Caller) -> Result<(), HooksError> {
    let folder = path.parent().unwrap_or(path);
    match fs::metadata(folder) {
        Ok(about) if !about.is_dir() => return Err(HooksError::NoFolder(folder.to_owned())),
        Ok(_) => {}
        Err(_) => fs::create_dir_all(folder).map_err(cannot("create", folder))?,
    }
    if !is_there(path) {
        return write(path, lines::script(event, caller, is_executable(&moved(path))).as_bytes(), None);
    }
    let bytes = match read(path)? {
        None => None,
        Some(bytes) => match lines::without(&bytes) {
            Without::Damaged => return Err(HooksError::Markers(path.to_owned())),
            Without::Nothing => {
                let text = lines::script(event, caller, is_executable(&moved(path)));
                return write(path, text.as_bytes(), None);
            }
            Without::Untouched => Some(bytes),
            Without::Rest(rest) => {
                if !is_executable(path) {
                    write(path, &rest, Some(path))?;
                }
                Some(rest)
            }
        },
    };
    // Git passes over a hook that is not executable; with our lines it must not come to life.
    if let Some(new) = bytes.filter(|_| is_executable(path)).and_then(|b| lines::insert(&b, event, caller)) {
        return write(path, &new, Some(path));
    }
    let to = moved(path);
    if is_there(&to) {
        return Err(HooksError::InTheWay(to, path.to_owned()));
    }
    fs::create_dir_all(path.with_file_name(MOVED)).map_err(cannot("create", &path.with_file_name(MOVED)))?;
    // Written beside it first, so that a full disk is noticed while the old hook is still in place.
    let runs = is_executable(path);
    let new = lines::script(event, caller, runs);
    let fresh = beside(path, new.as_bytes(), None)?;
    move_hook(path, &to, Way::In)?;
    fs::rename(&fresh, path).map_err(|error| {
        let _ = move_hook(&to, path, Way::Out);
        cannot("write", path)(error)
    })
}

/// Takes our lines from `path`, and answers whether there were any.
pub(super) fn uninstall(path: &Path) -> Result<bool, HooksError> {
    if !is_there(path) {
        return Ok(false);
    }
    let Some(bytes) = read(path)? else { return Ok(false) };
    match lines::without(&bytes) {
        Without::Untouched => Ok(false),
        Without::Damaged => Err(HooksError::Markers(path.to_owned())),
        Without::Rest(rest) => write(path, &rest, Some(path)).map(|()| true),
        Without::Nothing => {
            let from = moved(path);
            if is_there(&from) {
                move_hook(&from, path, Way::Out)?;
                // Other hooks may still be in it.
                let _ = fs::remove_dir(path.with_file_name(MOVED));
            } else {
                fs::remove_file(path).map_err(cannot("remove", path))?;
            }
            Ok(true)
        }
    }
}

/// Where a hook is moved.
#[derive(Clone, Copy)]
enum Way {
    /// Into the folder of moved hooks.
    In,
    /// Back from it.
    Out,
}

/// Moves a hook; a relative link is made to point to the same place from its new folder.
fn move_hook(from: &Path, to: &Path, way: Way) -> Result<(), HooksError> {
    let link = fs::read_link(from).ok().filter(|target| target.is_relative());
    let Some(target) = link else { return fs::rename(from, to).map_err(cannot("move", from)) };
    let target = match way {
        Way::In => Path::new("..").join(target),
        Way::Out => target.strip_prefix("..").map(Path::to_owned).unwrap_or(target),
    };
    link_to(&target, to).map_err(cannot("write", to))?;
    fs::remove_file(from).map_err(cannot("remove", from))
}

#[cfg(unix)]
fn link_to(target: &Path, at: &Path) -> io::Result<()> {
    let fresh = at.with_extension("datum-new");
    std::os::unix::fs::symlink(target, &fresh)?;
    fs::rename(&fresh, at)
}

#[cfg(not(unix))]
fn link_to(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::Error::from(ErrorKind::Unsupported))
}

/// Writes `bytes` to a file beside `path`, executable, or with the mode of `like`.
fn beside(path: &Path, bytes: &[u8], like: Option<&Path>) -> Result<PathBuf, HooksError> {
    let fresh = path.with_extension("datum-new");
    fs::write(&fresh, bytes).map_err(cannot("write", &fresh))?;
    let mode = match like {
        Some(like) => fs::metadata(like).map(|about| about.permissions()).map_err(cannot("read", like))?,
        None => executable(&fresh).map_err(cannot("read", &fresh))?,
    };
    fs::set_permissions(&fresh, mode).map_err(cannot("write", &fresh))?;
    Ok(fresh)
}

/// Replaces the file at `path` whole or not at all.
fn write(path: &Path, bytes: &[u8], like: Option<&Path>) -> Result<(), HooksError> {
    let fresh = beside(path, bytes, like)?;
    fs::rename(&fresh, path).map_err(|error| {
        let _ = fs::remove_file(&fresh);
        cannot("write", path)(error)
    })
}

/// The permissions of `path`, with everyone who may read it also running it.
#[cfg(unix)]
fn executable(path: &Path) -> io::Result<fs::Permissions> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut permissions = fs::metadata(path)?.permissions();
    let mode = permissions.mode();
    permissions.set_mode(mode | ((mode & 0o444) >> 2));
    Ok(permissions)
}

#[cfg(not(unix))]
fn executable(path: &Path) -> io::Result<fs::Permissions> {
    fs::metadata(path).map(|about| about.permissions())
}

/// Whether git would run the hook at `path`.
#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}
