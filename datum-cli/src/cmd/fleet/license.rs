//! `datum fleet license`: adds a licence where there is none, by a plan that is reviewed before it is applied.

use super::filter::Choice;
use super::reach::{Reach, organization};
use super::review::{LICENSE, Review, newest};
use crate::edge::Edge;
use crate::fault::{Exit, Fault};
use crate::out::Out;
use crate::time;
use datum_core::hygiene::{self, Action, NewFile};
use license::licenses::{
    Agpl3_0Only, Apache2_0, Bsd0, Bsd2Clause, Bsd3Clause, Bsl1_0, Cc0_1_0, Gpl3_0Only, Isc, Mit, Mpl2_0,
    Unlicense,
};

/// Adds a licence to repositories that have none of any name.
///
/// Without --apply nothing is changed: the plan, with the whole text, is recorded and written to a file for review.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  datum fleet license --org SuperInstance --license-type MIT --holder 'SuperInstance'
  datum fleet license --org SuperInstance --license-type Apache-2.0 --year 2024-2026
  datum fleet license --org SuperInstance --apply
  datum fleet license --org SuperInstance --apply --failed

Each commit is made only if the branch is still where it was read. Exit: as datum fleet tag.")]
pub(crate) struct License {
    /// The organisation or user
    #[arg(long, value_name = "ORG")]
    org: String,
    /// The licence: MIT, Apache-2.0, BSD-3-Clause, BSD-2-Clause, ISC, 0BSD, MPL-2.0, GPL-3.0-only, AGPL-3.0-only, BSL-1.0, CC0-1.0 or Unlicense
    #[arg(long = "license-type", value_name = "SPDX")]
    spdx: Option<String>,
    /// Who holds the copyright [default: the organisation's name]
    #[arg(long, value_name = "NAME")]
    holder: Option<String>,
    /// The year or years of the copyright [default: this year]
    #[arg(long, value_name = "YEAR")]
    year: Option<String>,
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    review: Review,
    #[command(flatten)]
    reach: Reach,
}

impl License {
    pub(crate) fn run(&self, edge: &Edge<'_>, out: &mut Out) -> Result<Exit, Fault> {
        let org = organization(&self.org)?;
        let plan = match &self.spdx {
            None if self.review.continues() => None,
            None => {
                return Err(
                    Fault::usage("no licence named").hint("name one with --license-type, for example MIT")
                );
            }
            Some(wanted) => {
                let scan = newest(edge, out, org, &self.choice)?;
                let title = if scan.title.is_empty() { &scan.organization } else { &scan.title };
                let holder = self.holder.as_ref().unwrap_or(title);
                let year =
                    self.year.clone().unwrap_or_else(|| time::show(edge.now().unwrap_or(0))[..4].to_owned());
                let (spdx, text) = text(wanted, &year, holder)?;
                let file = NewFile { path: LICENSE.to_owned(), spdx: spdx.to_owned(), text };
                Some(hygiene::plan_license(&scan.organization, &scan.repositories, file))
            }
        };
        self.review.run(edge, out, &self.reach, org, Action::License, plan)
    }
}

/// The SPDX id and the whole text of a licence, with its year and holder.
fn text(wanted: &str, year: &str, holder: &str) -> Result<(&'static str, String), Fault> {
    // Each is named, so that the linker keeps these texts and not the seven hundred others.
    let all: [&dyn license::License; 12] = [
        &Mit,
        &Apache2_0,
        &Bsd3Clause,
        &Bsd2Clause,
        &Isc,
        &Bsd0,
        &Mpl2_0,
        &Gpl3_0Only,
        &Agpl3_0Only,
        &Bsl1_0,
        &Cc0_1_0,
        &Unlicense,
    ];
    let plain =
        |text: &str| !text.trim().is_empty() && text.len() <= 200 && !text.chars().any(char::is_control);
    if !plain(holder) || !plain(year) || !year.bytes().all(|b| b.is_ascii_digit() || b"-, ".contains(&b)) {
        return Err(Fault::usage("--holder and --year are each one short line, and a year is digits"));
    }
    let short = |id: &str| id.strip_suffix("-only").unwrap_or(id).to_lowercase();
    let found = all.into_iter().find(|licence| short(licence.id()) == short(wanted)).ok_or_else(|| {
        let ids: Vec<_> = all.iter().map(|licence| licence.id()).collect();
        Fault::usage(format!("--license-type: {wanted:?} is not known"))
            .hint(format!("one of {}", ids.join(", ")))
    })?;
    Ok((found.id(), fill(found.text(), year, holder)))
}

/// Fills the blanks for year and holder; a licence that has none, or keeps them for an example, stays as it is.
fn fill(template: &str, year: &str, holder: &str) -> String {
    let mut text = String::with_capacity(template.len() + holder.len());
    for line in template.lines() {
        let line = line
            .replace("<year> <copyright holders>", &format!("{year} {holder}"))
            .replace("<year> <owner>. ", &format!("{year} {holder}"))
            .replace("<year> <owner>", &format!("{year} {holder}"))
            .replace("YEAR by AUTHOR EMAIL", &format!("{year} by {holder}"))
            .replace("[yyyy] [name of copyright owner]", &format!("{year} {holder}"));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_whole_and_name_year_and_holder() {
        let check = |id: &str, first: &str, last: &str| {
            let (found, text) = text(id, "2026", "Ada & Co").unwrap();
            assert!(found.to_lowercase().starts_with(&id.to_lowercase()));
            assert!(text.contains(first), "{id}: {first}");
            assert!(text.trim_end().ends_with(last), "{id}: {last}");
            assert!(
                !text.contains("<year>") && !text.contains("<owner>") && !text.contains("<copyright"),
                "{id}"
            );
        };
        check("MIT", "Copyright (c) 2026 Ada & Co\n", "USE OR OTHER DEALINGS IN THE SOFTWARE.");
        check("bsd-3-clause", "Copyright (c) 2026 Ada & Co\n", "POSSIBILITY OF SUCH DAMAGE.");
        check("BSD-2-Clause", "Copyright (c) 2026 Ada & Co\n", "POSSIBILITY OF SUCH DAMAGE.");
        check("ISC", "Copyright 2026 Ada & Co\n", "OF THIS SOFTWARE.");
        check("0BSD", "Copyright (C) 2026 by Ada & Co\n", "OF THIS SOFTWARE.");
        check("Apache-2.0", "Copyright 2026 Ada & Co\n", "limitations under the License.");
        check("MPL-2.0", "Mozilla Public License", "by the Mozilla Public License, v. 2.0.");
        assert!(
            text("WTFPL-9", "2026", "x").is_err()
                && text("MIT", "2026\n", "x").is_err()
                && text("MIT", "2026", " ").is_err()
        );
    }

    #[test]
    fn apache_has_all_nine_clauses_and_its_appendix() {
        let (_, text) = text("Apache-2.0", "2026", "Ada").unwrap();
        for clause in 1..=9 {
            assert!(
                text.lines().any(|line| line.trim_start().starts_with(&format!("{clause}. "))),
                "clause {clause}"
            );
        }
        assert!(text.contains("END OF TERMS AND CONDITIONS") && text.contains("APPENDIX"));
        assert!(text.len() > 10_000);
    }
}
