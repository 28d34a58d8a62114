//! `datum git status|history|inventory|branch|checkout|sync`: what there is, and where the branches are.

use super::tree;
use crate::cmd::tools::manifest::{CATEGORIES, Manifest};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use datum_core::worktree::{WorkError, WorkTree};
use serde_json::json;

pub(crate) fn status(edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
    let changes = tree(edge)?.status()?;
    if out.is_json() {
        out.json(&json!({
            "version": 1, "branch": changes.branch, "staged": changes.staged, "modified": changes.modified,
            "untracked": changes.untracked, "conflicted": changes.conflicted, "ahead": changes.ahead,
            "behind": changes.behind,
        }));
        return Ok(Exit::Done);
    }
    let branch = changes.branch.as_deref().unwrap_or("(none checked out)");
    out.line(&format!("branch {branch}, {} ahead, {} behind", changes.ahead, changes.behind));
    for (what, files) in [
        ("conflicted", &changes.conflicted),
        ("staged", &changes.staged),
        ("modified", &changes.modified),
        ("untracked", &changes.untracked),
    ] {
        files.iter().for_each(|file| out.line(&format!("{what:<10} {file}")));
    }
    Ok(Exit::Done)
}

pub(crate) fn inventory(edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
    let root = tree(edge)?.root().to_owned();
    let manifest = Manifest::read(&root)?;
    let files = manifest.unregistered(&root);
    if out.is_json() {
        let mut value = json!({ "version": 1, "unregistered": files });
        for category in CATEGORIES {
            let of: Vec<_> = manifest.entries().iter().filter(|tool| tool.category == category).collect();
            value[category] = json!(of);
        }
        out.json(&value);
        return Ok(Exit::Done);
    }
    for category in CATEGORIES {
        for tool in manifest.entries().iter().filter(|tool| tool.category == category) {
            out.line(&format!("{category:<12} {:<20} {} {}", tool.name, tool.path, tool.description));
        }
    }
    files.iter().for_each(|file| out.line(&format!("{:<12} {:<20} {file}", "unregistered", "-")));
    Ok(Exit::Done)
}

/// Makes a branch and checks it out; without a name it lists the branches.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum git branch
  datum git branch trial
  datum git branch hotfix --from v1.0")]
pub(crate) struct Branch {
    /// Its name
    name: Option<String>,
    /// Where it begins [default: the commit that is checked out]
    #[arg(long, value_name = "REV", requires = "name")]
    from: Option<String>,
}

impl Branch {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let tree = tree(edge)?;
        match &self.name {
            Some(name) => {
                tree.branch(name, self.from.as_deref())?;
                say(out, name);
            }
            None => list(&tree, out)?,
        }
        Ok(Exit::Done)
    }
}

fn list(tree: &WorkTree, out: &mut Out) -> Result<(), Fault> {
    let branches = tree.branches()?;
    let here = tree.current_branch().ok();
    if out.is_json() {
        out.json_around("branches", &json!({ "version": 1, "branch": here, "branches": branches }));
        return Ok(());
    }
    for branch in branches {
        let mark = if Some(&branch) == here.as_ref() { '*' } else { ' ' };
        out.line(&format!("{mark} {branch}"));
    }
    Ok(())
}

/// Checks a branch out; refused where changes would be lost.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  datum git checkout main\n  datum git checkout -")]
pub(crate) struct Checkout {
    /// The branch; - for the one that was checked out before
    name: String,
}

impl Checkout {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let name = tree(edge)?.checkout(&self.name)?;
        say(out, &name);
        Ok(Exit::Done)
    }
}

fn say(out: &mut Out, branch: &str) {
    if out.is_json() {
        out.json(&json!({ "version": 1, "branch": branch }));
    } else {
        out.line(&format!("on branch {branch}"));
    }
}

/// Brings the present branch and its upstream together.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum git sync
  datum git sync backup

Exit: 0 both sides are the same now, 1 there are conflicts or changes in the way and nothing was done, or a hook or the
remote refused; a merge that could not be pushed stays, and is told. datum sync carries the logs.")]
pub(crate) struct Sync {
    /// The remote [default: the branch's own, or origin]
    remote: Option<String>,
}

impl Sync {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let tree = tree(edge)?;
        match tree.sync(self.remote.as_deref()) {
            Ok(done) => {
                if out.is_json() {
                    out.json(&json!({
                        "version": 1, "branch": done.branch, "remote": done.upstream.remote,
                        "upstream": done.upstream.branch, "pulled": done.pulled, "pushed": done.pushed,
                        "merged": done.merged, "conflicts": [],
                    }));
                } else {
                    let how = if done.merged { ", merged" } else { "" };
                    out.line(&format!(
                        "{} and {}/{}: {} came, {} went{how}",
                        done.branch, done.upstream.remote, done.upstream.branch, done.pulled, done.pushed
                    ));
                }
                Ok(Exit::Done)
            }
            Err(WorkError::MergeRefused { said }) => {
                said.lines().for_each(|line| out.say(line));
                Err(WorkError::MergeRefused { said }.into())
            }
            Err(WorkError::Conflicts { upstream, files }) => {
                if out.is_json() {
                    out.json(&json!({ "version": 1, "upstream": upstream, "conflicts": files }));
                } else {
                    files.iter().for_each(|file| out.line(&format!("conflict   {file}")));
                }
                out.say(&format!("nothing was done; git merge {upstream} begins the merge by hand"));
                Ok(Exit::No)
            }
            Err(error) => Err(error.into()),
        }
    }
}
