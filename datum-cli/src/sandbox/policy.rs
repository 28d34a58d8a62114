//! What a command may touch: files, by what is done with them, and TCP ports.

use crate::fault::Fault;
use std::fs;
use std::path::{Path, PathBuf};

/// Programs and what they load; read and executed.
const PROGRAMS: [&str; 11] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix/store",
    "/gnu/store",
    "/run/current-system",
    "/etc/alternatives",
];

/// What programs look up of the system; nothing of it is anybody's own.
const SYSTEM: [&str; 26] = [
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld.so.preload",
    "/etc/passwd",
    "/etc/group",
    "/etc/nsswitch.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/etc/gai.conf",
    "/etc/protocols",
    "/etc/services",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/locale.alias",
    "/etc/ssl",
    "/etc/ca-certificates",
    "/etc/pki/tls",
    "/etc/mime.types",
    "/etc/os-release",
    "/etc/gitconfig",
    "/etc/terminfo",
    "/proc",
    "/sys/devices/system/cpu",
];

const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// What of a git directory may be written, where that is asked for: nothing that git takes orders from.
const GIT_DATA: [&str; 3] = ["objects", "refs", "logs"];

/// What a command may touch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    /// Read and executed.
    pub(crate) read: Vec<PathBuf>,
    /// Read.
    pub(crate) look: Vec<PathBuf>,
    /// Read, executed, written, made and removed.
    pub(crate) write: Vec<PathBuf>,
    /// Read and written.
    pub(crate) devices: Vec<PathBuf>,
    /// TCP ports that may be connected to.
    pub(crate) ports: Vec<u16>,
    /// The git directory that is to be kept.
    git: Option<PathBuf>,
}

impl Policy {
    /// The system's programs, and nothing of anybody's.
    pub(crate) fn system() -> Self {
        let paths = |list: &[&str]| list.iter().map(PathBuf::from).collect();
        Self { read: paths(&PROGRAMS), look: paths(&SYSTEM), devices: paths(&DEVICES), ..Self::default() }
    }

    /// Adds a workshop: all of it is read, and what lies in it is written, but nothing of its git directory.
    ///
    /// A right to make files in a folder reaches all below it, and the git directory lies in the workshop's root; so
    /// in the root itself, and in the git directory, no names are made or removed.
    pub(crate) fn workshop(&mut self, root: &Path, git: &Path) -> Result<(), Fault> {
        let broken = |error| Fault::broken(format!("{}: {error}", root.display()));
        let git = git.canonicalize().unwrap_or_else(|_| git.to_owned());
        self.read.push(root.to_owned());
        self.read.push(git.clone());
        for entry in fs::read_dir(root).map_err(broken)? {
            let entry = entry.map_err(broken)?;
            let path = entry.path();
            // A link would lead the right to where it points.
            let link = entry.file_type().map_err(broken)?.is_symlink();
            if !link && entry.file_name() != ".git" && !git.starts_with(&path) {
                self.write.push(path);
            }
        }
        self.git = Some(git);
        Ok(())
    }

    /// Adds a path that is read and executed.
    pub(crate) fn add_read(&mut self, path: &Path) -> Result<(), Fault> {
        let found = path.canonicalize().map_err(|error| absent("--read", path, &error))?;
        self.read.push(found);
        Ok(())
    }

    /// Adds a path that is written; it is made where it is not there, as a folder if it ends in a slash.
    pub(crate) fn add_write(&mut self, path: &Path) -> Result<(), Fault> {
        let made = if path.as_os_str().to_string_lossy().ends_with('/') {
            fs::create_dir_all(path)
        } else if path.symlink_metadata().is_err() {
            fs::File::options().write(true).create_new(true).open(path).map(drop)
        } else {
            Ok(())
        };
        let found =
            made.and_then(|()| path.canonicalize()).map_err(|error| absent("--write", path, &error))?;
        if let Some(git) = &self.git {
            let data = GIT_DATA.iter().any(|name| found.starts_with(git.join(name)));
            if git.starts_with(&found) || (found.starts_with(git) && !data) {
                return Err(Fault::usage(format!("--write {}: git takes orders from it", path.display()))
                    .hint(format!("of {}, only {} may be written", git.display(), GIT_DATA.join(", "))));
            }
        }
        self.write.push(found);
        Ok(())
    }
}

fn absent(option: &str, path: &Path, error: &std::io::Error) -> Fault {
    Fault::usage(format!("{option} {}: {error}", path.display()))
        .hint("name what is there and can be reached")
}
