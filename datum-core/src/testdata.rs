//! Real third-party files for tests, where they are at hand: `shared/fleet` beside a directory above this one.

use std::path::{Path, PathBuf};

/// The folder of real files; `None`, said loudly, where it is absent.
pub(crate) fn fleet() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = here.ancestors().map(|above| above.join("shared/fleet")).find(|path| path.is_dir());
    if found.is_none() {
        eprintln!("SKIPPED: no shared/fleet above {}", here.display());
    }
    found
}

/// Every file below the fleet folder whose name fits, with its text, in path order; files that are not UTF-8 are left out.
pub(crate) fn files(fits: fn(&str) -> bool) -> Vec<(PathBuf, String)> {
    let mut waiting: Vec<PathBuf> = fleet().into_iter().collect();
    let mut found = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.file_name().and_then(|name| name.to_str()).is_some_and(fits) {
                found.extend(std::fs::read_to_string(&path).ok().map(|text| (path, text)));
            }
        }
    }
    found.sort();
    found
}
