//! `datum hook scan`: secrets in files and folders.

use super::level;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::secret;
use std::fs::DirEntry;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Scan {
    /// The files and folders
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// End with 1 for findings of this level and above: warning, error, critical [default: error]
    #[arg(long, value_name = "LEVEL")]
    fail_on: Option<String>,
}

impl Scan {
    pub(super) fn run(&self, out: &mut Out) -> Result<Exit, Fault> {
        let level = level(self.fail_on.as_deref(), None)?;
        let mut found = Vec::new();
        for path in &self.paths {
            scan_path(path, out, &mut found)?;
        }
        if out.is_json() {
            let shown: Vec<_> = found
                .iter()
                .map(|(path, finding)| serde_json::json!({ "path": path, "finding": finding }))
                .collect();
            out.json_list("findings", &shown);
        } else {
            for (path, finding) in &found {
                let at = format!("{path}:{}:{}", finding.line, finding.column);
                out.line(&format!("{at}: {}, {} [{}]", finding.what, finding.redacted, finding.rule));
            }
        }
        let any = found.iter().any(|(_, finding)| finding.level >= level);
        Ok(if any { Exit::No } else { Exit::Done })
    }
}

/// Looks at a file, or at all files below a folder but those in `.git`; links are not followed.
fn scan_path(root: &Path, out: &Out, found: &mut Vec<(String, secret::Finding)>) -> Result<(), Fault> {
    let cannot = |path: &Path, error: io::Error| {
        Fault::usage(format!("cannot read {}: {error}", path.display()))
            .hint("name a file or a folder that this user may read")
    };
    let mut stack = vec![root.to_owned()];
    while let Some(path) = stack.pop() {
        let about = std::fs::symlink_metadata(&path).map_err(|error| cannot(&path, error))?;
        if about.is_dir() {
            let items = std::fs::read_dir(&path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            let mut items: Vec<_> =
                items.map_err(|error| cannot(&path, error))?.iter().map(DirEntry::path).collect();
            items.retain(|item| item.file_name().is_none_or(|name| name != ".git"));
            items.sort();
            stack.extend(items.into_iter().rev());
        } else if about.is_file() {
            if usize::try_from(about.len()).map_or(true, |size| size > secret::SIZE_MAX) {
                out.warn(&format!(
                    "not looked at: {} is larger than {} MB",
                    path.display(),
                    secret::SIZE_MAX >> 20
                ));
                continue;
            }
            let bytes = std::fs::read(&path).map_err(|error| cannot(&path, error))?;
            let shown = path.to_string_lossy().into_owned();
            found.extend(secret::scan(&shown, &bytes).into_iter().map(|finding| (shown.clone(), finding)));
        }
    }
    Ok(())
}
