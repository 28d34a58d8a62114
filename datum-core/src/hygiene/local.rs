//! The facts of a local clone: what its commit and tree tell, without the network.

use super::repository::{Branch, Repository};
use crate::commit;
use crate::odb::ObjectError;
use crate::snapshot::Snapshot;

const WORKFLOWS: &str = ".github/workflows";

/// What a clone tells of the repository called `name`; description, topics and checks are the host's, so not known.
///
/// The commit is that of `HEAD`, whatever branch that is. Languages and size are left to who can name languages.
///
/// # Errors
/// [`ObjectError`] for a commit or tree that cannot be read.
pub fn local(snapshot: &Snapshot<'_>, name: &str) -> Result<Repository, ObjectError> {
    let mut found = Repository { id: name.to_owned(), name: name.to_owned(), ..Repository::default() };
    let Some(head) = snapshot.head() else { return Ok(found) };
    let raw = snapshot.commit(head)?;
    let time = commit::committed(&raw)
        .ok_or_else(|| ObjectError::Damaged { id: head, message: "it tells no time".to_owned() })?;
    found.branch = Some(Branch { name: "HEAD".to_owned(), head: head.to_string(), time, checks: None });
    let mut root = Vec::new();
    let descend = |folder: &str| {
        if !folder.contains('/') {
            root.push(folder.to_owned());
        }
        folder == ".github" || folder == WORKFLOWS
    };
    let mut files = Vec::new();
    snapshot.files(descend, |file| files.push(file.path))?;
    for path in files {
        match path.rsplit_once('/') {
            None => root.push(path),
            Some((WORKFLOWS, name)) => found.workflows.push(name.to_owned()),
            Some(_) => {}
        }
    }
    root.sort();
    found.workflows.sort();
    found.files = root;
    Ok(found)
}
