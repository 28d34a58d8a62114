//! Rules as they stand in TOML.

use super::pattern::Pattern;
use crate::glob::Glob;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toml::Spanned;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Info,
    /// Should be mended.
    Warning,
    /// Must be mended.
    Error,
    /// Must be mended before anything else.
    Critical,
}

impl Level {
    /// Every level, the least first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// One rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    pub(crate) id: Spanned<String>,
    pub(crate) level: Level,
    /// Why it is asked for, one line.
    pub(crate) reason: String,
    /// What to do where it fails, one line.
    #[serde(default)]
    pub(crate) fix: String,
    /// The section of an exam it is a box of.
    #[serde(default)]
    pub(crate) section: Option<u8>,
    #[serde(default, rename = "where")]
    pub(crate) condition: Where,
    pub(crate) probe: Probe,
}

impl Rule {
    /// The id, `pack/name`.
    pub fn id(&self) -> &str {
        self.id.get_ref()
    }

    /// How much a finding of it matters.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Why it is asked for.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// What to do where it fails; may be empty.
    pub fn fix(&self) -> &str {
        &self.fix
    }
}

/// When a rule applies: all that is said must hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Where {
    /// Whether the repository is a vessel.
    pub(crate) vessel: Option<bool>,
    /// Whether a program is in it: a file in a language that runs.
    pub(crate) program: Option<bool>,
    /// One of these is there.
    #[serde(default)]
    pub(crate) has: Vec<Glob>,
    /// None of these is there.
    #[serde(default)]
    pub(crate) lacks: Vec<Glob>,
    /// One of these languages makes up a tenth of the files of known language.
    #[serde(default)]
    pub(crate) language: Vec<String>,
}

/// What is looked at. One line of this table is one probe.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Probe {
    /// One of the names is there.
    Exists(Exists),
    /// None of the names is there.
    Absent(Absent),
    /// One of the files holds text that matches.
    Contains(Contains),
    /// None of the files holds text that matches.
    Lacks(Contains),
    /// So many names match.
    Count(Count),
    /// Every file is at most so large.
    Size(Size),
    /// A TOML or JSON file has these keys, of these types.
    Keys(Keys),
    /// The default branch has one of these names.
    Branch(Branch),
    /// So many tags match.
    Tags(Tags),
    /// Such a share of the newest commit subjects follows a grammar.
    Subjects(Subjects),
    /// Some commit has a subject, or a path, that matches.
    History(History),
    /// A file changed not long before the repository did.
    Fresh(Fresh),
    /// A fact of the logs.
    Log(Log),
    /// No secrets lie in the files, or in the history.
    Secrets(Secrets),
    /// The licence file is the licence it claims to be, whole.
    License(License),
    /// CAPABILITY.toml follows the seed's schema, or what it declares was used of late.
    Capability(Capability),
    /// Git cannot decide it.
    Undecided(Undecided),
    /// A section of an exam has its passing mark.
    Marks(Marks),
    /// One of several probes passes.
    AnyOf(Vec<Probe>),
    /// All of several probes pass.
    AllOf(Vec<Probe>),
}

/// File or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    File,
    Folder,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Exists {
    pub(crate) any: Vec<Glob>,
    pub(crate) kind: Option<Kind>,
    /// Letter case does not matter.
    #[serde(default)]
    pub(crate) any_case: bool,
    /// A file with some text in it, a folder with some file in it.
    #[serde(default)]
    pub(crate) filled: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Absent {
    pub(crate) any: Vec<Glob>,
    #[serde(default)]
    pub(crate) except: Vec<Glob>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Contains {
    pub(crate) any: Vec<Glob>,
    pub(crate) pattern: Pattern,
    #[serde(default)]
    pub(crate) any_case: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Count {
    pub(crate) any: Vec<Glob>,
    pub(crate) min: Option<usize>,
    pub(crate) max: Option<usize>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Size {
    pub(crate) any: Vec<Glob>,
    /// Bytes.
    pub(crate) max: u64,
}

/// The type of a value in a TOML or JSON file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KeyType {
    Any,
    String,
    Number,
    Boolean,
    List,
    Table,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Keys {
    pub(crate) file: Glob,
    /// Keys, with dots between parts, and their types.
    pub(crate) require: BTreeMap<String, KeyType>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Branch {
    pub(crate) default: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Tags {
    pub(crate) pattern: Pattern,
    #[serde(default = "one")]
    pub(crate) min: usize,
}

/// How a commit subject is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Grammar {
    /// `[I2I:TYPE] scope — summary`.
    I2i,
    /// `type(scope): summary`.
    Conventional,
    /// `[AGENT-NAME] what was done`.
    Agent,
    /// Anything that says what was done: not `fix`, `wip`, `asdf`.
    Telling,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Subjects {
    /// Any of these grammars will do.
    pub(crate) grammar: Vec<Grammar>,
    /// From 0 to 1.
    pub(crate) share: f64,
    /// Of the newest so many commits, merges left out.
    #[serde(default = "hundred")]
    pub(crate) last: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct History {
    /// A subject that matches.
    pub(crate) subject: Pattern,
    #[serde(default = "one")]
    pub(crate) min: usize,
    /// Within the newest so many commits.
    pub(crate) last: Option<usize>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Fresh {
    /// The first of these that is there.
    pub(crate) any: Vec<Glob>,
    /// Days that may lie between its last change and the newest commit.
    pub(crate) days: u32,
}

/// A fact of the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fact {
    /// The logs can be read whole.
    Whole,
    /// Something was written to the journal.
    Journal,
    /// No bottle is past its deadline without an acknowledgement.
    OverdueBottles,
    /// The last entry of any log is no older than `days`.
    Recent,
    /// No vessel of the fleet list declares capabilities and was last active more than `days` ago.
    ExpiredCapabilities,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Log {
    pub(crate) fact: Fact,
    #[serde(default = "month")]
    pub(crate) days: u32,
}

/// How sure it is that something is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SecretKind {
    /// By its form.
    Certain,
    /// By its looks.
    Likely,
    /// It may be one, or one that opens little.
    Possible,
}

impl SecretKind {
    pub(crate) fn level(self) -> crate::secret::Level {
        match self {
            Self::Certain => crate::secret::Level::Critical,
            Self::Likely => crate::secret::Level::Error,
            Self::Possible => crate::secret::Level::Warning,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Secrets {
    /// Every commit, not only the files of this one.
    #[serde(default)]
    pub(crate) history: bool,
    #[serde(default = "sure")]
    pub(crate) kinds: Vec<SecretKind>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct License {}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Capability {
    /// Instead of the schema: every capability was last used within so many days of the newest commit.
    pub(crate) used_within_days: Option<u32>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Undecided {
    pub(crate) why: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Marks {
    /// The section; all of them where none is named.
    pub(crate) section: Option<u8>,
    pub(crate) passing: usize,
}

fn one() -> usize {
    1
}

fn hundred() -> usize {
    100
}

fn month() -> u32 {
    30
}

fn sure() -> Vec<SecretKind> {
    vec![SecretKind::Certain, SecretKind::Likely]
}

impl Probe {
    /// Calls `visit` for each pattern of the probe.
    pub(crate) fn patterns<'p>(&'p self, visit: &mut impl FnMut(&'p Pattern)) {
        match self {
            Self::Contains(probe) | Self::Lacks(probe) => visit(&probe.pattern),
            Self::Tags(probe) => visit(&probe.pattern),
            Self::History(probe) => visit(&probe.subject),
            Self::AnyOf(probes) | Self::AllOf(probes) => {
                for probe in probes {
                    probe.patterns(visit);
                }
            }
            _ => {}
        }
    }
}
