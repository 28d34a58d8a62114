//! The style a commit's subject has to have.

use crate::i2i;

/// What the subject of a commit has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `[I2I:TYPE] scope — summary`.
    I2i,
    /// `type(scope): summary`, as Conventional Commits 1.0.0 has it.
    Conventional,
    /// One of the two.
    Either,
}

/// The types of conventional commits that are in common use.
pub const CONVENTIONAL: [&str; 11] =
    ["feat", "fix", "docs", "refactor", "perf", "test", "chore", "build", "ci", "style", "revert"];

impl Style {
    /// The style called `text`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "i2i" => Some(Self::I2i),
            "conventional" => Some(Self::Conventional),
            "either" => Some(Self::Either),
            _ => None,
        }
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::I2i => "i2i",
            Self::Conventional => "conventional",
            Self::Either => "either",
        }
    }

    /// Checks the subject in `message`; answers with why it is refused, and what to write.
    ///
    /// Subjects that git itself makes (merges, reverts, `fixup!` and its like) pass, and so does an empty message,
    /// which git refuses.
    ///
    /// # Errors
    /// The reason and a hint.
    pub fn check(self, message: &str) -> Result<(), (String, &'static str)> {
        const GIT: [&str; 6] = ["Merge ", "Revert ", "Reapply ", "fixup! ", "squash! ", "amend! "];
        let lines = message.lines().take_while(|line| !line.contains("------------------------ >8"));
        let Some(subject) =
            lines.filter(|line| !line.starts_with('#')).map(str::trim).find(|line| !line.is_empty())
        else {
            return Ok(());
        };
        if GIT.iter().any(|start| subject.starts_with(start)) {
            return Ok(());
        }
        let wants_i2i = self != Self::Conventional;
        match i2i::parse(subject) {
            Ok(Some(_)) if wants_i2i => return Ok(()),
            Err(miss) if wants_i2i => return Err((miss.to_string(), miss.hint())),
            _ => {}
        }
        if self != Self::I2i && is_conventional(subject) {
            return Ok(());
        }
        Err(match self {
            Self::I2i => ("the subject is no I2I subject".to_owned(), "write '[I2I:TYPE] scope — summary'"),
            Self::Conventional => (
                "the subject is no conventional one".to_owned(),
                "write 'type(scope): summary', with a type of feat, fix, docs, refactor, perf, test, chore, build, ci, style, revert",
            ),
            Self::Either => (
                "the subject is neither I2I nor conventional".to_owned(),
                "write '[I2I:TYPE] scope — summary' or 'type(scope): summary'",
            ),
        })
    }
}

fn is_conventional(subject: &str) -> bool {
    let Some((head, text)) = subject.split_once(": ") else { return false };
    let head = head.strip_suffix('!').unwrap_or(head);
    let (kind, scope) = match head.split_once('(') {
        Some((kind, scope)) => (kind, scope.strip_suffix(')')),
        None => (head, Some("none")),
    };
    let scope = scope.is_some_and(|scope| !scope.trim().is_empty() && !scope.contains(['(', ')']));
    scope && !text.trim().is_empty() && CONVENTIONAL.iter().any(|known| known.eq_ignore_ascii_case(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_pass_or_are_told_why_not() {
        let passes = |style: Style, subject: &str| style.check(subject).is_ok();
        for git in ["Merge branch 'x'", "fixup! x", "# only a comment\n", ""] {
            assert!(passes(Style::I2i, git) && passes(Style::Conventional, git), "{git}");
        }
        let both = ["[I2I:LOG] hull — dry", "feat(hull)!: dry", "fix: pump"];
        assert!(both.iter().all(|subject| passes(Style::Either, subject)));
        assert_eq!(both.map(|subject| passes(Style::I2i, subject)), [true, false, false]);
        assert_eq!(both.map(|subject| passes(Style::Conventional, subject)), [false, true, true]);
        for bad in ["feat", "feat:x", "feat(): x", "feat(a: x", "note: x", "feat: ", "I2I: x", "[I2I] x"] {
            assert!(!passes(Style::Either, bad), "{bad}");
        }
        assert!(passes(Style::I2i, "\n# a comment\n[I2I:LOG] a — b\n\nbody"));
    }
}
