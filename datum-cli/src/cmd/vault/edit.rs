//! `datum vault edit`: a value in the user's editor, in a file that lies in memory where the system can.

use super::{keys, read, record, write};
use crate::edge::{Edge, variable};
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::access::{Access, What};
use datum_core::vault::{VALUE_MAX, Value, Values};
use datum_core::{Store, Word};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use zeroize::Zeroizing;

/// Changes a value in an editor.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum vault edit tls/private
  EDITOR='code --wait' datum vault edit app/config --purpose 'new endpoint'

The editor is GIT_EDITOR, git's core.editor, VISUAL, EDITOR or vi. The value lies in a file in memory
(XDG_RUNTIME_DIR or /dev/shm) that only you can read, and is overwritten and removed afterwards; what the editor
keeps for itself elsewhere is out of reach, but for vim and neovim, which are told to keep nothing.")]
pub(super) struct Edit {
    /// The name; a new one begins empty
    name: String,
    /// What for
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
}

impl Edit {
    pub(super) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let name = Word::new("name", &self.name)?;
        let vault = read(edge)?;
        let before = vault.secret(&name).ok().and_then(|secret| secret.versions.last()).cloned();
        let old = match &before {
            None => Value::default(),
            Some(_) => {
                let opened = vault.open(&name, None, &*keys(edge)?);
                let names = [name.clone()];
                let (names, denied) =
                    if opened.is_ok() { (&names[..], &[][..]) } else { (&[][..], &names[..]) };
                let purpose = self.purpose.as_deref().or(Some("edit"));
                record(edge, &Access { what: What::Read, names, denied, member: None, purpose })?;
                opened?
            }
        };
        let file = Hidden::new(&name, &old, out)?;
        run_editor(edge.store()?, &file.path)?;
        let new = file.read(&old)?;
        drop(file);
        if new == old {
            out.say("nothing changed");
            return Ok(Exit::Done);
        }
        if new.is_empty() {
            return Err(Fault::usage("the value is empty, so nothing was changed")
                .hint(format!("datum vault destroy {name} takes the name out of use")));
        }
        let now = read(edge)?;
        let held = now.secret(&name).ok().and_then(|secret| secret.versions.last());
        if let Some(held) =
            held.filter(|held| before.as_ref().is_none_or(|before| before.entry != held.entry))
        {
            out.warn(&format!(
                "{name}: {} has set version {} meanwhile; yours comes after it",
                held.by, held.number
            ));
        }
        write::set(edge, out, &Values::from([(name, new)]), &[], self.purpose.as_deref().or(Some("edit")))
    }
}

/// A file that only its owner can read, overwritten and removed when it goes.
struct Hidden {
    folder: PathBuf,
    path: PathBuf,
}

impl Hidden {
    fn new(name: &Word, value: &[u8], out: &Out) -> Result<Self, Fault> {
        let runtime = variable("XDG_RUNTIME_DIR").map(PathBuf::from);
        let in_memory = [runtime, Some(PathBuf::from("/dev/shm"))];
        let base = in_memory.into_iter().flatten().find(|folder| folder.is_absolute() && folder.is_dir());
        let base = base.unwrap_or_else(|| {
            out.warn("there is no folder in memory here: the value lies on disk while you edit it");
            std::env::temp_dir()
        });
        let cannot = |error: io::Error| {
            Fault::broken(format!("cannot make a file to edit in {}: {error}", base.display()))
        };
        let folder = base.join(format!("datum-edit-{}-{}", std::process::id(), crate::time::now()));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&folder).map_err(cannot)?;
        let path = folder.join(name.as_str().replace(['/', ':'], "-"));
        let hidden = Self { folder, path };
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&hidden.path).and_then(|mut file| file.write_all(value)).map_err(cannot)?;
        Ok(hidden)
    }

    /// What stands in it now, without the line end that editors add.
    fn read(&self, old: &[u8]) -> Result<Value, Fault> {
        let cannot = |error| Fault::broken(format!("cannot read what was edited: {error}"));
        let mut bytes = Zeroizing::new(Vec::with_capacity(VALUE_MAX + 2));
        let most = VALUE_MAX as u64 + 2;
        File::open(&self.path).map_err(cannot)?.take(most).read_to_end(&mut bytes).map_err(cannot)?;
        if bytes.last() == Some(&b'\n') && old.last() != Some(&b'\n') {
            bytes.pop();
        }
        Ok(bytes.into())
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // The editor may have put another file in its place, and others beside it.
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let length = entry.metadata().map_or(0, |about| about.len()).min(4 * VALUE_MAX as u64);
            let blank = vec![0; usize::try_from(length).unwrap_or_default()];
            let _ =
                File::options().write(true).open(entry.path()).and_then(|mut file| file.write_all(&blank));
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn run_editor(store: &Store, path: &Path) -> Result<(), Fault> {
    let editor = variable("GIT_EDITOR").or_else(|| store.setting("core.editor"));
    let editor = editor.or_else(|| variable("VISUAL")).or_else(|| variable("EDITOR"));
    let mut editor = editor.unwrap_or_else(|| "vi".to_owned());
    if matches!(editor.rsplit('/').next(), Some("vim" | "nvim")) {
        editor.push_str(" -n -i NONE --cmd 'set nobackup nowritebackup noundofile'");
    }
    // What ends the editor must not end this before the file is gone.
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let _ = signal_hook::flag::register(signal, std::sync::Arc::default());
    }
    // As git does: the editor is a command line of the shell.
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{editor} \"$@\"")).arg("sh").arg(path);
    let status = command
        .status()
        .map_err(|error| Fault::broken(format!("cannot run a shell for the editor: {error}")))?;
    if status.success() {
        return Ok(());
    }
    Err(Fault::broken(format!("the editor {editor:?} ended with {status}, so nothing was changed"))
        .hint("set EDITOR to one that works here"))
}
