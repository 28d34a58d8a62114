//! `datum bottle survey`: measures how well file bottles can be read.

use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::file_bottle::{self, is_bottle_path};
use datum_core::{OpenOptions, Store};
use std::path::{Path, PathBuf};

/// Measures how well the file bottles of a folder or repository can be read.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum bottle survey .
  datum bottle survey ../vessels --format json")]
pub(crate) struct SurveyArgs {
    /// A repository, whose HEAD is read, or a folder of files
    #[arg(value_name = "DIR")]
    place: PathBuf,
}

impl SurveyArgs {
    pub(crate) fn run(&self, out: &mut Out) -> Result<Exit, Fault> {
        let is_repository = self.place.join(".git").exists() || self.place.join("HEAD").is_file();
        let files = if is_repository { of_repository(&self.place, out)? } else { of_folder(&self.place)? };
        let survey = file_bottle::survey(files);
        if out.is_json() {
            out.json(&survey);
        } else {
            out.line(survey.table().trim_end());
        }
        Ok(Exit::Done)
    }
}

type Files = Vec<(String, Vec<u8>)>;

/// The files of a commit's tree; those that are no bottles are counted and not read.
fn of_repository(dir: &Path, out: &mut Out) -> Result<Files, Fault> {
    let store = Store::open_with(dir, &OpenOptions::default())?;
    let snapshot = store.snapshot()?;
    let mut found = Vec::new();
    snapshot.files(|_| true, |file| found.push(file))?;
    let files = found.into_iter().filter(|file| !file.link).map(|file| {
        let text = if is_bottle_path(&file.path) { snapshot.blob(file.id)? } else { Vec::new() };
        Ok((file.path, text))
    });
    let files = files.collect::<Result<Files, Fault>>()?;
    out.damage(&snapshot.damage());
    Ok(files)
}

/// The files of a folder, links not followed.
fn of_folder(dir: &Path) -> Result<Files, Fault> {
    let cannot = |error: &dyn std::fmt::Display| {
        Fault::usage(format!("cannot read {}: {error}", dir.display()))
            .hint("name a folder of file bottles; without one, those of the repository are looked at")
    };
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(dir).sort_by_file_name() {
        let entry = entry.map_err(|error| cannot(&error))?;
        let Ok(path) = entry.path().strip_prefix(dir) else { continue };
        if !entry.file_type().is_file() || path.as_os_str().is_empty() {
            continue;
        }
        let name = path.to_string_lossy().replace('\\', "/");
        let text = if is_bottle_path(&name) {
            std::fs::read(entry.path()).map_err(|error| cannot(&error))?
        } else {
            Vec::new()
        };
        files.push((name, text));
    }
    Ok(files)
}
