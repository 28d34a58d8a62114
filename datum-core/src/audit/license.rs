//! The licence file: which licence its text is, whether it is all there, and whether the manifests claim the same.

use super::scope::{Scope, Verdict, finding};
use super::text;
use crate::files::{LookError, NodeKind};
use crate::glob::Glob;

/// A licence, by sentences that stand in it: one near its beginning, one near its end.
struct Known {
    /// SPDX identifiers its text may be claimed as, the first being its own.
    ids: &'static [&'static str],
    /// In every copy; all must be there. Lower case, single spaces.
    marks: &'static [&'static str],
    /// Near the end; a copy without it was cut short.
    end: &'static str,
}

/// More particular licences first: their texts hold what tells others.
const KNOWN: [Known; 13] = [
    Known {
        ids: &["AGPL-3.0", "AGPL-3.0-only", "AGPL-3.0-or-later"],
        marks: &["gnu affero general public license", "version 3, 19 november 2007"],
        end: "end of terms and conditions",
    },
    Known {
        ids: &["LGPL-3.0", "LGPL-3.0-only", "LGPL-3.0-or-later"],
        marks: &["gnu lesser general public license", "version 3, 29 june 2007"],
        end: "permanent authorization for you to choose that version",
    },
    Known {
        ids: &["LGPL-2.1", "LGPL-2.1-only", "LGPL-2.1-or-later"],
        marks: &["gnu lesser general public license", "version 2.1, february 1999"],
        end: "end of terms and conditions",
    },
    Known {
        ids: &["GPL-3.0", "GPL-3.0-only", "GPL-3.0-or-later"],
        marks: &["gnu general public license", "version 3, 29 june 2007"],
        end: "end of terms and conditions",
    },
    Known {
        ids: &["GPL-2.0", "GPL-2.0-only", "GPL-2.0-or-later"],
        marks: &["gnu general public license", "version 2, june 1991"],
        end: "end of terms and conditions",
    },
    Known {
        ids: &["Apache-2.0"],
        marks: &["apache license", "version 2.0, january 2004"],
        end: "9. accepting warranty or additional liability",
    },
    Known {
        ids: &["MPL-2.0"],
        marks: &["mozilla public license version 2.0"],
        end: "10.4. distributing source code form that is incompatible with secondary licenses",
    },
    Known {
        ids: &["BSD-3-Clause"],
        marks: &["redistribution and use in source and binary forms", "neither the name of"],
        end: "even if advised of the possibility of such damage",
    },
    Known {
        ids: &["BSD-2-Clause"],
        marks: &["redistribution and use in source and binary forms"],
        end: "even if advised of the possibility of such damage",
    },
    Known {
        ids: &["ISC"],
        marks: &["permission to use, copy, modify, and/or distribute this software for any purpose"],
        end: "performance of this software",
    },
    Known {
        ids: &["Unlicense"],
        marks: &["this is free and unencumbered software released into the public domain"],
        end: "other dealings in the software",
    },
    Known {
        ids: &["CC0-1.0"],
        marks: &["cc0 1.0 universal"],
        end: "no duty or obligation with respect to this cc0",
    },
    Known {
        ids: &["MIT", "MIT-0"],
        marks: &["permission is hereby granted, free of charge, to any person obtaining a copy"],
        end: "or the use or other dealings in the software",
    },
];

/// The licence a text is, and whether it is whole.
fn identify(text: &str) -> Option<(&'static Known, bool)> {
    let plain = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let known = KNOWN.iter().find(|known| known.marks.iter().all(|mark| plain.contains(mark)))?;
    Some((known, plain.contains(known.end)))
}

/// Files that hold a licence.
const NAMES: [&str; 6] = ["LICENSE*", "LICENCE*", "COPYING*", "UNLICENSE*", "LICENSES/*", "LICENCES/*"];

pub(super) fn judge(scope: &Scope<'_>) -> Result<Verdict, LookError> {
    let globs: Vec<Glob> = NAMES.iter().filter_map(|name| name.parse().ok()).collect();
    let found = scope.find(&globs, true)?;
    let mut ids = Vec::new();
    let mut findings = Vec::new();
    let mut files = 0;
    for node in found.iter().filter(|node| node.kind == NodeKind::File) {
        files += 1;
        let bytes = scope.files.read(node)?;
        let text = String::from_utf8_lossy(&bytes);
        match identify(&text) {
            Some((known, true)) => {
                ids.push(known.ids);
                let unfilled =
                    ["[year]", "[fullname]", "<year>", "<copyright holder>", "[name of copyright owner]"];
                // The Apache text itself ends with an example of a notice that is to be filled in elsewhere.
                if known.ids[0] != "Apache-2.0"
                    && let Some(at) = unfilled.iter().find_map(|word| text.to_lowercase().find(word))
                {
                    let (line, column) = text::place(&text, at);
                    let mut found = finding("its template was not filled in", Some(&node.path));
                    (found.line, found.column) = (Some(line), Some(column));
                    findings.push(found);
                }
            }
            Some((known, false)) => {
                let message = format!("it begins as {} and is cut short: its end is missing", known.ids[0]);
                findings.push(finding(message, Some(&node.path)));
            }
            None if text.trim().is_empty() => findings.push(finding("it is empty", Some(&node.path))),
            None => {}
        }
    }
    if files == 0 {
        return Ok(Verdict::Fail(vec![finding("there is no licence file", None)]));
    }
    for (path, claim) in claims(scope)? {
        let names =
            claim.split([' ', '/', '(', ')']).filter(|word| !matches!(*word, "" | "OR" | "AND" | "WITH"));
        let held = |name: &str| ids.iter().any(|ids| ids.iter().any(|id| id.eq_ignore_ascii_case(name)));
        // One file may stand for a choice of licences, so one of the names is enough; none is a contradiction.
        let names: Vec<&str> = names.collect();
        if !ids.is_empty() && !names.is_empty() && !names.iter().any(|name| held(name)) {
            let is: Vec<&str> = ids.iter().map(|ids| ids[0]).collect();
            let message =
                format!("it claims the licence {claim:?}, the licence file is {}", is.join(" and "));
            findings.push(finding(message, Some(&path)));
        }
    }
    Ok(match (findings.is_empty(), ids.as_slice()) {
        (false, _) => Verdict::Fail(findings),
        (true, []) => {
            Verdict::Unknown("the licence file is none of the licences that are known here".to_owned())
        }
        (true, ids) => Verdict::Pass(ids.iter().map(|ids| ids[0]).collect::<Vec<_>>().join(" and ")),
    })
}

/// What the manifests say the licence is.
fn claims(scope: &Scope<'_>) -> Result<Vec<(String, String)>, LookError> {
    let mut claims = Vec::new();
    let places: [(&str, &[&str]); 3] = [
        ("Cargo.toml", &["/package/license", "/workspace/package/license"]),
        ("package.json", &["/license"]),
        ("pyproject.toml", &["/project/license", "/project/license/text"]),
    ];
    for (path, keys) in places {
        let Some(node) = scope.files.node(path)?.filter(|node| node.kind == NodeKind::File) else { continue };
        let Ok(document) = text::document(path, &scope.files.read(&node)?) else { continue };
        let claim = keys.iter().find_map(|key| document.pointer(key)?.as_str());
        if let Some(claim) = claim.filter(|claim| *claim != "UNLICENSED" && !claim.starts_with("SEE ")) {
            claims.push((path.to_owned(), claim.to_owned()));
        }
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_is_told_by_its_text_and_a_cut_one_by_its_end() {
        let mit = "MIT License\n\nPermission is hereby granted, free of charge, to any person\nobtaining a copy of …\n\
                   FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.";
        let (known, whole) = identify(mit).unwrap();
        assert_eq!((known.ids[0], whole), ("MIT", true));
        let cut = "Apache License\nVersion 2.0, January 2004\n1. Definitions.\n2. Grant of Copyright";
        let (known, whole) = identify(cut).unwrap();
        assert_eq!((known.ids[0], whole), ("Apache-2.0", false));
        assert!(identify("All rights reserved.").is_none());
    }
}
