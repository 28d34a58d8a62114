//! The types of I2I messages that are known, and who defined them.

/// A known I2I type.
#[derive(Debug, PartialEq, Eq)]
pub struct Type {
    /// Its name, upper case.
    pub name: &'static str,
    /// What may stand after it: its three-letter code, or its subtypes.
    pub codes: &'static [&'static str],
    /// Where it comes from: `v1`, `v2`, `v3` of the specification, or `use` where fleets coined it.
    pub origin: &'static str,
    /// What it says, in a few words.
    pub meaning: &'static str,
}

impl Type {
    /// Says whether `code` may stand after this type. Any code may where the type defines none.
    pub fn allows(&self, code: &str) -> bool {
        self.codes.is_empty() || self.codes.iter().any(|known| known.eq_ignore_ascii_case(code))
    }
}

const fn t(
    name: &'static str,
    codes: &'static [&'static str],
    origin: &'static str,
    meaning: &'static str,
) -> Type {
    Type { name, codes, origin, meaning }
}

/// Every known type, by origin.
///
/// Types of origin `use` stand in no specification; they are those the seed writes, and those found at least five
/// times in 652 real subjects.
pub const TYPES: &[Type] = &[
    t("PROPOSAL", &["PRP"], "v1", "suggests a change"),
    t("REVIEW", &["REV"], "v1", "reviews another's work"),
    t("COMMENT", &[], "v1", "remarks or asks, informally"),
    t("VOCAB", &["NEW", "UPDATE", "DEPRECATE"], "v1", "announces a vocabulary change"),
    t("DISPUTE", &["DSP"], "v1", "disagrees, with evidence"),
    t("RESOLVE", &["RSL"], "v1", "ends a dispute"),
    t("WIKI", &[], "v1", "updates a self-description"),
    t("DOJO", &[], "v1", "shares an exercise"),
    t("GROWTH", &[], "v1", "notes what was learned"),
    t("SIGNAL", &["SIG"], "v1", "announces capabilities"),
    t("TOMBSTONE", &["TMB"], "v1", "marks vocabulary as gone"),
    t("ACCEPT", &["ACP"], "v1", "accepts a proposal or task"),
    t("REJECT", &[], "v1", "rejects a proposal"),
    t("AUTOBIOGRAPHY", &["AUT"], "v2", "describes the agent"),
    t("HANDSHAKE", &["HSK"], "v2", "introduces one agent to another"),
    t("ACK", &["ACK"], "v2", "says yes, or received"),
    t("NACK", &["NCK"], "v2", "says no, with a reason"),
    t("TASK", &["TSK"], "v2", "assigns work"),
    t("DECLINE", &["DCL"], "v2", "declines a task"),
    t("REPORT", &["RPT"], "v2", "reports on a task"),
    t("ASK", &["ASK"], "v2", "asks, and says what answer is expected"),
    t("TELL", &["TEL"], "v2", "shares knowledge unasked"),
    t("MERGE", &["MRG"], "v2", "proposes a change across repositories"),
    t("STATUS", &["STS"], "v2", "tells the agent's state"),
    t("DISCOVER", &["DSC"], "v2", "announces presence"),
    t("HEARTBEAT", &["HBT"], "v2", "says: still here"),
    t("YIELD", &["YLD"], "v2", "hands a task to another"),
    t("CONSTRAINT", &["CST"], "v2", "reports limits of hardware"),
    t("BENCHMARK", &["BMK"], "v2", "reports measurements"),
    t("PROFILE", &["PRF"], "v2", "describes hardware"),
    t("HELLO", &[], "v3", "opens coordination"),
    t("RESULT", &[], "v3", "delivers a result"),
    t("TEACH", &[], "v3", "offers knowledge"),
    t("LEARN", &[], "v3", "asks for or confirms knowledge"),
    t("CAPABILITY", &[], "v3", "declares a capability"),
    t("LOCK", &[], "v3", "locks a resource or a fact"),
    t("WARNING", &[], "v3", "warns"),
    t("ERROR", &[], "v3", "reports an error"),
    t("EMERGENCY", &[], "v3", "calls for help"),
    t("RED_ALERT", &[], "v3", "stops everything"),
    t("GREET", &[], "v3", "greets"),
    t("STORY", &[], "v3", "tells a story"),
    t("QUESTION", &[], "v3", "asks"),
    t("OPINION", &[], "v3", "gives a view"),
    t("EVOLVE", &[], "v3", "changes the protocol"),
    t("RETIRE", &[], "v3", "retires an agent"),
    t("SUCCESSOR", &[], "v3", "names a successor"),
    t("BOOTSTRAP", &[], "v3", "starts an agent"),
    t("LOG", &[], "use", "keeps the log"),
    t("BOTTLE", &[], "use", "delivers a bottle"),
    t("CHECK-IN", &[], "use", "checks in"),
    t("DELIVERABLE", &[], "use", "delivers work"),
    t("DELIVER", &[], "use", "delivers work"),
    t("FEATURE", &[], "use", "adds a feature"),
    t("BEACHCOMB", &[], "use", "scans for bottles"),
    t("BROADCAST", &[], "use", "tells everyone"),
    t("EXPERIMENT", &[], "use", "reports an experiment"),
    t("PUBLISH", &[], "use", "publishes a release"),
    t("RESEARCH", &[], "use", "reports research"),
    t("SHIP", &[], "use", "ships a release"),
    t("SYNC", &[], "use", "brings state together"),
    t("SYNERGY", &[], "use", "joins the work of several"),
    t("TILE", &[], "use", "adds knowledge tiles"),
    t("TILEFORGE", &[], "use", "adds knowledge tiles in bulk"),
];

/// Finds a type by its name, or by its v2 code (`TEL` is `TELL`), in any case.
pub fn known(text: &str) -> Option<&'static Type> {
    let named = TYPES.iter().find(|t| t.name.eq_ignore_ascii_case(text));
    // A subtype such as NEW names no type by itself; the codes of v2 have three letters and do.
    let coded = || TYPES.iter().find(|t| t.codes.len() == 1 && t.allows(text));
    named.or_else(coded)
}
